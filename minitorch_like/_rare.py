"""What changes when a rare dtype comes into use: bfloat16, or a complex one.

Until then no op asks for them, so that they cost nothing where they are not used.  Then the op table is bound anew:
with kernels that compute bfloat16 in float32, or with nodes that conjugate complex gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import _apply
from ._dtype import bfloat16, dtype, float32, result_dtype
from .ops import TABLE, Op

_OF_ANY_DTYPE = frozenset({"cast_to"})  # ops that only move elements, or round them once as they are


def prepare_for(kind: dtype) -> None:
    """Make the op table ready for arrays of `kind`."""
    if kind is bfloat16:
        _apply.adaptations.append(_compute_in_float32)
    else:
        _apply.complex_in_use = True
    for op in list(TABLE.values()):
        if _apply.is_bound(op):
            _apply.bind(op)


def _compute_in_float32(op: Op) -> None:
    """As torch does on a CPU: operands of bfloat16 are widened, and results rounded once."""
    if not op.view and op.name not in _OF_ANY_DTYPE and not hasattr(op.kernel, "in_bfloat16"):
        op.kernel = _widening(op)


def _widening(op: Op) -> Callable[..., Any]:
    kernel = op.kernel
    kept = len(op.keeps)

    def widened(*args: Any, **kwargs: Any) -> Any:
        values = [*args, *kwargs.values()]
        if not any(map(_involves_bfloat16, values)):
            return kernel(*args, **kwargs)
        result = kernel(*map(_in_float32, args), **{name: _in_float32(each) for name, each in kwargs.items()})
        if not _rounds(values):
            return result
        if type(result) is not tuple:
            return _rounded(result)
        outputs = len(result) - kept
        return (*map(_rounded, result[:outputs]), *result[outputs:])

    widened.in_bfloat16 = True  # type: ignore[attr-defined]
    widened.__doc__ = kernel.__doc__
    return widened


def _is_narrow(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic) and value.dtype is bfloat16.numpy


def _involves_bfloat16(value: Any) -> bool:
    if type(value) is list:  # the operands of a variadic op
        return any(map(_is_narrow, value))
    return value is bfloat16 or _is_narrow(value)


def _in_float32(value: Any) -> Any:
    if type(value) is list:
        return [_in_float32(each) for each in value]
    if _is_narrow(value):
        return value.astype(np.float32)
    return float32 if value is bfloat16 else value


def _rounds(values: list[Any]) -> bool:
    """Whether the result is of bfloat16: because a dtype was asked for, or by promotion of the floating operands."""
    asked = [each for each in values if isinstance(each, dtype)]
    if asked:
        return asked[0] is bfloat16
    operands = [each for value in values for each in (value if type(value) is list else (value,))]
    floating = [each for each in operands if isinstance(each, np.ndarray | np.generic) and each.dtype.kind in "fcV"]
    return result_dtype(*floating) is bfloat16


def _rounded(result: Any) -> Any:
    return result.astype(bfloat16.numpy) if result.dtype == np.float32 else result
