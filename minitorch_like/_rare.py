"""What changes when a rare dtype comes into use: float16, bfloat16, or a complex one.

Until then no op asks for them, so that they cost nothing where they are not used.  Then the op table is bound anew:
with kernels that compute the narrow ones in float32, or with nodes that conjugate complex gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any

import numpy as np

from . import _apply
from ._dtype import DIFFERENTIABLE_KINDS, FLOATING_KINDS, NARROW, dtype, float32, result_dtype
from ._later import complete
from .ops import TABLE, Op
from .ops._checks import converted, in_single

_OF_ANY_DTYPE = frozenset({"cast_to"})  # ops that only move elements, or round them once as they are
# ops whose numbers must be finite in the dtype of the tensor if they are
_FITTING_NUMBERS = frozenset({"clamp", "clamp_max", "clamp_min", "fill", "masked_fill", "pow"})
# ops whose result has the dtype of their first operand, whatever that of their parameters
_LIKE_FIRST = frozenset(
    {
        "attention",
        "batch_norm",
        "fused_attention",
        "group_norm",
        "heads_attention",
        "heads_attention_and_weights",
        "layer_norm",
        "rms_norm",
        "rrelu_gradient",
        "rrelu_with_noise",
        "rrelu_with_noise_in_place",
    }
)
_LIKE_SECOND = frozenset({"binary_cross_entropy_with_logits"})  # in the dtype of the target
# ops that treat float16 themselves: because they compare its values only, refuse it, or round as they go
_OWN_FLOAT16 = _LIKE_FIRST | {
    "avg_pool",
    "avg_pool_gradient",
    "embedding_gradient",
    "max_pool",
    "max_pool_gradient",
    "max_pool_pick",
    "max_pool_with_indices",
    "max_unpool",
    "multi_margin_gradient",
    "multi_margin_loss",
    "multilabel_margin_gradient",
    "multilabel_margin_loss",
    "softshrink",
}
# ops that refuse operands of several dtypes, and which operands they mean: they are to see these as they are
_OF_ONE_DTYPE = {
    "addmm": (0, 1, 2),
    "addmv": (0, 1, 2),
    "baddbmm": (0, 1, 2),
    "binary_cross_entropy": (0, 1),
    "bmm": (0, 1),
    "convolution": (0, 1, 2),
    "cross_entropy_of_classes": (0, 2),
    "dot": (0, 1),
    "linalg_cross": (0, 1),
    "linear": (0, 1, 2),
    "matmul": (0, 1),
    "mm": (0, 1),
    "mv": (0, 1),
    "nll_loss": (0, 2),
    "prelu": (0, 1),
}
_WRITTEN = {"batch_norm": (3, 4)}  # operands that a kernel writes to
_NORMALISING = frozenset({"batch_norm", "group_norm", "layer_norm"})  # which go by `check_mixed_dtypes`
_WIDE_NUMBERS = frozenset({"div", "floor_divide", "lerp", "mul"})  # which torch lets compute with numbers of float32


def prepare_for(kind: dtype) -> None:
    """Make the op table ready for arrays of `kind`."""
    if kind in NARROW:
        if _compute_in_float32 not in _apply.adaptations:
            _apply.adaptations.append(_compute_in_float32)
    else:
        _apply.complex_in_use = True
        _prepare_for_complex()
    for op in list(TABLE.values()):
        if _apply.is_bound(op):
            _apply.bind(op)


def _prepare_for_complex() -> None:
    """Complex gradients need `conj`, which makes views of a kind of their own, and what refuses complex operands is known
    to a module of its own."""
    from ._conjugation import viewing
    from .ops._complex_operands import adapt

    if adapt not in _apply.adaptations:
        _apply.adaptations.append(adapt)
        _apply.view_binder = viewing
        complete()


# -- float16 and bfloat16 ------------------------------------------------------------------------------------------------


def _compute_in_float32(op: Op) -> None:
    """As torch does on a CPU: operands of two bytes are widened, and results rounded once."""
    if not op.view and op.name not in _OF_ANY_DTYPE and not hasattr(op.kernel, "of_any_width"):
        op.kernel = _widening(op)


def _widening(op: Op) -> Callable[..., Any]:
    kernel = op.kernel
    kept = len(op.keeps)
    operands = op.arity if op.arity > 1 and op.name not in _WIDE_NUMBERS else 0

    involves_narrow = _involves_bfloat16 if op.name in _OWN_FLOAT16 else _involves_narrow
    like = 0 if op.name in _LIKE_FIRST else 1 if op.name in _LIKE_SECOND else None
    objects = _objection(op.name)
    written = _WRITTEN.get(op.name, ())

    def widened(*args: Any, **kwargs: Any) -> Any:
        if not any(map(involves_narrow, args)) and not (kwargs and any(map(involves_narrow, kwargs.values()))):
            return kernel(*args, **kwargs)
        if objects is not None and objects(args):
            return kernel(*args, **kwargs)  # which says what is wrong
        narrow = _narrow_result([*args, *kwargs.values()] if like is None else [args[like]])
        if narrow is not None:
            if any(each in NARROW for each in (*args, *kwargs.values()) if isinstance(each, dtype)):
                args = tuple([_rounded(each, narrow) for each in args])
            elif operands:
                if op.name in _FITTING_NUMBERS:
                    for each in args[1:operands]:
                        if isinstance(each, int | float):
                            converted(each, narrow.numpy)
                args = (*[_rounded_operand(each, narrow) for each in args[:operands]], *args[operands:])
        wide = [_in_float32(each) for each in args]
        try:
            result = kernel(*wide, **{name: _in_float32(each) for name, each in kwargs.items()})
        except NotImplementedError as error:
            if narrow is None:
                raise
            raise NotImplementedError(str(error).replace("'Float'", f"'{narrow.title}'")) from None
        _write_back(args, wide, written)
        if narrow is None:
            return result
        if type(result) is not tuple:
            return _narrowed(result, narrow)
        outputs = len(result) - kept
        return (*[_narrowed(each, narrow) for each in result[:outputs]], *result[outputs:])

    update_wrapper(widened, kernel)
    widened.of_any_width = True  # type: ignore[attr-defined]
    return widened


def _write_back(narrow: Sequence[Any], wide: Sequence[Any], places: tuple[int, ...]) -> None:
    """What a kernel has written to operands that were widened for it, rounded to them."""
    for place in places:
        if narrow[place] is not wide[place]:
            narrow[place][...] = wide[place]


def _objection(name: str) -> Callable[[tuple[Any, ...]], bool] | None:
    """What tells whether the kernel of this name refuses the dtypes of its operands, if it looks at these at all."""
    if name in _OF_ONE_DTYPE:
        places = _OF_ONE_DTYPE[name]
        return lambda args: len({args[i].dtype for i in places if i < len(args) and args[i] is not None}) > 1
    return _refused_by_norm if name in _NORMALISING else None


def _refused_by_norm(args: tuple[Any, ...]) -> bool:
    from .ops._standardise import check_mixed_dtypes  # here, where its family has been declared

    if args[0].dtype.kind not in FLOATING_KINDS:
        return True
    check_mixed_dtypes(*[each for each in args if isinstance(each, np.ndarray)])
    return False


def _is_narrow(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic) and value.itemsize == 2 and value.dtype.kind in FLOATING_KINDS


def _involves_narrow(value: Any) -> bool:
    if type(value) is list:  # the operands of a variadic op
        return any(map(_is_narrow, value))
    return _is_narrow(value) or (isinstance(value, dtype) and value in NARROW)


def _involves_bfloat16(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "V"


def _in_float32(value: Any) -> Any:
    if type(value) is list:
        return [_in_float32(each) for each in value]
    if _is_narrow(value):
        return in_single(value)
    return float32 if isinstance(value, dtype) and value in NARROW else value


def _narrow_result(values: list[Any]) -> dtype | None:
    """The narrow dtype that was asked for, or to which the floating operands promote; None if it is a wide one."""
    asked = [each for each in values if isinstance(each, dtype)]
    if asked:
        return asked[0] if asked[0] in NARROW else None
    operands = [each for value in values for each in (value if type(value) is list else (value,))]
    floating = [
        each
        for each in operands
        if isinstance(each, np.ndarray | np.generic) and each.dtype.kind in DIFFERENTIABLE_KINDS
    ]
    result = result_dtype(*floating) if floating else None
    return result if result in NARROW else None


def _rounded(value: Any, to: dtype) -> Any:
    return value.astype(to.numpy) if isinstance(value, np.ndarray | np.generic) else value


def _rounded_operand(value: Any, to: dtype) -> Any:
    """A number or 0-d array, which does not widen the result, in the result's own precision."""
    if isinstance(value, float):
        return float(np.float32(value).astype(to.numpy))
    if isinstance(value, np.ndarray) and not value.ndim and value.dtype.kind == "f":
        return value.astype(to.numpy)
    return value


def _narrowed(result: Any, to: dtype) -> Any:
    return result.astype(to.numpy) if result.dtype == np.float32 else result
