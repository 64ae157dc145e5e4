"""What arithmetic makes of integers and booleans: the rarer half of some kernels of `elementwise`, loaded when needed."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._dtype import result_dtype
from ._checks import cast, computed, converted, laid_out, not_implemented
from ._table import Array
from .elementwise import check_divisor


def _is_bool(x: Any) -> bool:
    return isinstance(x, bool) or (hasattr(x, "dtype") and x.dtype.kind == "b")


def refuse_booleans(x: Any, y: Any) -> None:
    """RuntimeError where one of the operands of a subtraction is boolean."""
    if _is_bool(x) and _is_bool(y):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. "
            "Use the `^` or `logical_xor()` operator instead."
        )
    if _is_bool(x) or _is_bool(y):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. "
            "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."
        )


def truncated_division(x: Array, y: Any) -> Array:
    if x.dtype.kind == "f":
        return np.trunc(computed(np.true_divide, x, y))
    check_divisor("div_trunc_cpu", x, y)
    return computed(np.floor_divide, computed(np.subtract, x, computed(np.fmod, x, y)), y)


def integer_power(base: Array, power: Array, exponent: Any) -> Array:
    """Powers in the common dtype of base and exponent; a negative exponent gives 0 unless the base is 1 or -1.

    Raises: RuntimeError for a negative number as the exponent, `exponent` being what was given for it.
    """
    if base.dtype.kind == "b":
        raise not_implemented("pow", base)
    if not isinstance(exponent, np.ndarray):
        if exponent < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        converted(exponent, base.dtype)
    result = computed(np.power, base, np.maximum(power, 0))
    negative = np.broadcast_to(power < 0, result.shape)
    if negative.any():
        sign = np.where(power % 2 == 0, 1, base)
        result = np.where(negative, np.where(np.abs(base) == 1, sign, 0), result).astype(result.dtype)
    return result


def clamped(input: Array, min: Any, max: Any) -> Array:
    """`clamp` of integers: in the result dtype of all operands, which numbers must fit."""
    bounds = [each for each in (min, max) if each is not None]
    of_tensors = any(isinstance(each, np.ndarray) for each in bounds)
    kind = result_dtype(input, *bounds).numpy
    if kind.kind == "b" and (len(bounds) == 2 or not of_tensors):
        raise not_implemented("clamp_cpu" if of_tensors else clamp_kernel(min, max), np.empty(0, kind))
    result = cast(input, kind)
    for ufunc, bound in ((np.maximum, min), (np.minimum, max)):
        if bound is not None:
            result = computed(ufunc, cast(bound, kind) if of_tensors else converted(bound, kind), result)
    return laid_out(result, input, *bounds)


def clamp_kernel(min: Any, max: Any) -> str:
    return "clamp_max_scalar_cpu" if min is None else "clamp_min_scalar_cpu" if max is None else "clamp_scalar_cpu"
