"""`out=`: the result of a function in a tensor that is there already.

torch's functions differ in what they ask of the dtype of that tensor, and in what they say; and in whether they look for
memory shared with the operands, before the tensor takes its new shape or after.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ._bind import check_cast, copy_into
from ._capture import mode, run, structure
from ._dtype import FROM_NUMPY
from ._tensor import Tensor
from .ops import Op
from .ops._checks import c_name, check_no_partial_overlap, check_one_place_each, overlapping, sizes, title

# What is said of a dtype other than the result's, where torch does not convert; by default it does, upwards.
_EXACT = {
    "Found dtype {got} but expected {wanted}": (
        "abs bitwise_not ceil clamp clamp_max clamp_min conj_physical floor frac hardshrink neg round sgn sign trunc"
    ),
    "Expected out tensor to have dtype {wanted_c}, but got {got_c} instead": (
        "addmm aminmax argmax argmin bmm diag gather index_add index_copy isin log_softmax matmul max min mm mv norm renorm "
        "scatter scatter_add softmax take_along_dim tril triu vector_norm"
    ),
    "{name} only supports bool tensor for result, got: {got}": "all any",
    "{name} does not support non-boolean outputs.": "isneginf isposinf signbit",
    "Expected the dtype for input and out to match, but got {wanted} for input's dtype and {got} for out's dtype.": (
        "amax amin"
    ),
    "result dtype {got} does not match input dtype {wanted}": "dot vdot",
    "{name}(): self and result must have the same scalar type": "index_select masked_select",
    "expected scalar_type {wanted} but found {got}": "logcumsumexp",
    "{name}: dtype of out: {got} should be same as input: {wanted}": "nan_to_num",
    "{name}(): self and out expected to have the same dtype, but got self.dtype = {wanted} and out.dtype = {got}": "take",
    "Expected out type to be {wanted} but got {got}": "where",
}
_OBJECTIONS = {name: text for text, names in _EXACT.items() for name in names.split()}
# Functions whose result takes any dtype.
_FREE = frozenset(("cumprod", "cumsum", "prod", "sum"))
# Functions that may read what they write to, because they write when they have read, or have other memory by then.
_SEPARATE = frozenset((
    "addmm", "all", "amax", "amin", "any", "argmax", "argmin", "bmm", "cumprod", "cumsum", "diag", "diff", "dot",
    "log_softmax", "logcumsumexp", "logsumexp", "matmul", "max", "mean", "min", "mm", "mv", "nanmean", "nansum",
    "norm", "prod", "renorm", "softmax", "std", "sum", "tril", "triu", "var", "vdot", "vector_norm",
))  # fmt: skip
# Functions that read their operands while they write.
_READING = frozenset(("cat", "gather", "index_select", "masked_select", "stack", "take"))
# Functions that torch makes of others, which then speak in their own name.
_MADE_OF = {"floor_divide": "aten::floor_divide", "outer": "mul", "square": "pow"}


_COMPUTED_IN_DTYPE_OF_OUT = frozenset({"cumprod", "cumsum", "nansum", "prod", "sum"})


def write_out(op: Op, args: list[Any], out: Any) -> Any:
    """Compute `op` without recording and put the result into `out`, a Tensor or one for each result."""
    several = isinstance(out, (tuple, list))
    outs: Sequence[Tensor] = out if several else (out,)
    operands = args[0] if op.variadic else [each for each in args[: op.arity] if hasattr(each, "_node")]
    if op.differentiable:
        refuse_gradients(op.name, *operands, *outs)
    arrays = [arg._data if hasattr(arg, "_node") else arg for arg in args]
    if op.variadic:
        arrays[0] = [each._data for each in operands]
    if op.name not in _SEPARATE:
        for each in outs:
            _check_memory(op.name, each._data, operands)
    if op.name in _COMPUTED_IN_DTYPE_OF_OUT and arrays[op.positions["dtype"]] is None:
        arrays[op.positions["dtype"]] = out.dtype
    result = run(op.kernel, *arrays)
    if op.keeps:
        result = op.visible(result)
    for each, array in zip(outs, result if several else (result,), strict=True):
        fill(each, np.asarray(array), op.name)
    return out


def refuse_gradients(name: str, *involved: Tensor) -> None:
    """RuntimeError where a result that has no history would have to have one."""
    if mode.grad and any(each.requires_grad for each in involved):
        raise RuntimeError(
            f"{_MADE_OF.get(name, name)}(): functions with out=... arguments don't support automatic differentiation, but "
            "one of the arguments requires grad."
        )


def _check_memory(name: str, array: Any, operands: Sequence[Tensor]) -> None:
    """RuntimeError for a tensor whose elements share memory, or lie where operands are still to be read."""
    if name not in ("cat", "stack"):
        check_one_place_each(array)
    for operand in operands:
        if operand._data is not array:
            check_no_partial_overlap(array, operand._data)
        elif name in _READING and array.size:
            raise overlapping()


def fill(out: Tensor, result: Any, name: str = "") -> Tensor:
    """Put the result of the function `name` into `out`, which takes its shape but keeps its dtype."""
    array = out._data
    if result.dtype is not array.dtype and name not in _FREE:
        _check_dtype(array, result, name)
    if result.shape != array.shape:
        resize(out, result.shape)
    check_one_place_each(out._data)
    run(copy_into, out._data, result)
    out._bump()
    return out


def into(out: Tensor | None, result: Tensor, name: str = "") -> Tensor:
    """What the function `name` gives whose result is `result`: that or, where it is given, `out` with it inside."""
    if out is None:
        return result
    node = result.grad_fn
    refuse_gradients(name or ("" if node is None else node.name().partition("Backward")[0].lower()), result, out)
    return fill(out, result._data, name)


def _check_dtype(array: Any, result: Any, name: str) -> None:
    objection = _OBJECTIONS.get(name)
    if objection is not None:
        raise RuntimeError(
            objection.format(
                name=name, got=title(array), wanted=title(result), got_c=c_name(array), wanted_c=c_name(result)
            )
        )
    if name in ("cat", "stack") and FROM_NUMPY[array.dtype].category < FROM_NUMPY[result.dtype].category:
        raise TypeError(f"torch.cat(): input types can't be cast to the desired output type {title(array)}")
    check_cast(array, result)


def resize(out: Tensor, shape: tuple[int, ...]) -> None:
    """Give `out` another shape; torch warns where that discards elements."""
    array = out._data
    if array.size:
        warnings.warn(
            f"An output with one or more elements was resized since it had shape {sizes(array.shape)}, which does not "
            f"match the required output shape {sizes(shape)}. This behavior is deprecated, and in a future PyTorch "
            "release outputs will not be resized unless they have zero elements. You can explicitly reuse an out "
            "tensor t by resizing it, inplace, to zero elements with t.resize_(0).",
            UserWarning,
            stacklevel=5,
        )
    out._data = np.empty(shape, array.dtype)
    structure.changed()
