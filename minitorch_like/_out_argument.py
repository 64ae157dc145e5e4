"""`out=`: the result of a function in a tensor that is there already.

torch's functions differ in what they ask of the dtype of that tensor, and in what they say; and in whether they look for
memory shared with the operands, before the tensor takes its new shape or after.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ._capture import mode, run, structure
from ._dtype import FROM_NUMPY, can_cast, scalar_dtype
from ._functions import RETURN_TYPES, return_type
from ._layout import contiguous_strides, offset_of, root_of, seen_like
from ._tensor import Tensor
from ._writing import check_cast, copy_into
from .ops import Op
from .ops._checks import c_name, check_no_partial_overlap, check_one_place_each, is_dense, overlapping, sizes, title

# What is said of a dtype other than the result's, where torch does not convert; by default it does, upwards.
_EXACT = {
    "Found dtype {got} but expected {wanted}": (
        "abs bitwise_not ceil clamp clamp_max clamp_min conj_physical floor frac hardshrink lerp.tensor neg round sgn sign "
        "trunc"
    ),
    "Expected out tensor to have dtype {wanted_c}, but got {got_c} instead": (
        "addmm aminmax argmax argmin bmm cumprod.dtype cumsum.dtype diag gather index_add index_copy index_reduce isin "
        "log_softmax matmul max mean.dtype min mm mv norm prod.dtype renorm scatter scatter_add scatter_reduce slice_scatter "
        "softmax sort sum.dtype topk take_along_dim tril triu vector_norm"
    ),
    "{name} only supports bool tensor for result, got: {got}": "all any",
    "{name} does not support non-boolean outputs.": "isneginf isposinf signbit",
    "Expected the dtype for input and out to match, but got {wanted} for input's dtype and {got} for out's dtype.": (
        "amax amin"
    ),
    "result dtype {got} does not match input dtype {wanted}": "dot vdot",
    "{name}(): self and result must have the same scalar type": "index_select masked_select",
    "expected scalar_type {wanted} but found {got}": "cummax cummin logcumsumexp",
    "Expected object of scalar type {wanted} but got scalar type {got} for argument 'out'": "complex polar",
    "{name} is not yet implemented for tensors with different dtypes.": "heaviside",
    "nansum: provided dtype must match dtype of result. Got {got} and {wanted}.": "nansum.dtype",
    "torch.frexp() expects mantissa to have dtype {wanted_c} but got {got_c}": "frexp",
    "{name}: dtype of out: {got} should be same as input: {wanted}": "nan_to_num",
    "{name}(): self and out expected to have the same dtype, but got self.dtype = {wanted} and out.dtype = {got}": "take",
    "Expected out type to be {wanted} but got {got}": "where",
    "Expected self.dtype() == output.dtype() to be true, but got false.  (Could this error message be improved?  If so, "
    "please report an enhancement request to PyTorch.)": "narrow_copy",
}
_OBJECTIONS = {name: text for text, names in _EXACT.items() for name in names.split()}
# What is said by those that convert upwards, but have words of their own for what they cannot convert.
_UNCASTABLE = {
    **dict.fromkeys(
        ("max.all", "min.all"),
        "Expected canCast( typeMetaToScalarType(self.dtype()), typeMetaToScalarType(out.dtype())) to be true, but got false."
        "  (Could this error message be improved?  If so, please report an enhancement request to PyTorch.)",
    ),
    "ldexp": "ldexp can't be cast to the desired output type {got}",
    "logsumexp": "logsumexp(): Expected floating point type for result tensor, but got: {got}",
}
# Functions whose result takes any dtype.
_FREE = frozenset(("cumprod", "cumsum", "prod", "sum"))
# Functions that may read what they write to, because they write when they have read, or have other memory by then.
_SEPARATE = frozenset((
    "addmm", "all", "amax", "amin", "any", "argmax", "argmin", "bmm", "diag", "diff", "dot", "log_softmax",
    "logcumsumexp", "logsumexp", "matmul", "max", "mean", "min", "mm", "mv", "nanmean", "nansum", "norm", "prod",
    "renorm", "scatter", "scatter_add", "scatter_reduce", "slice_scatter", "softmax", "std", "sum", "threshold",
    "tril", "triu", "var", "vdot", "vector_norm",
))  # fmt: skip
# Functions that read their operands while they write.
_READING = frozenset(("cat", "gather", "index_select", "masked_select", "stack", "take"))
# Functions that torch makes of others, which then speak in their own name.
_MADE_OF = {
    **{
        name: f"aten::{name}"
        for name in (
            "conj_physical", "floor_divide", "heaviside", "log_softmax", "slice_scatter", "softmax", "select_scatter",
            "diagonal_scatter", "as_strided_scatter",
        )
    },
    "norm": "linalg_vector_norm",
    "outer": "mul",
    "square": "pow",
}  # fmt: skip


# Functions that look at the dtype of what they write to before they look where it lies.
_DTYPE_FIRST = frozenset({"complex", "isneginf", "isposinf", "polar", "signbit"})
_COMPUTED_IN_DTYPE_OF_OUT = frozenset({"cumprod", "cumsum", "nansum", "prod", "sum"})


def write_out(op: Op, args: list[Any], out: Any) -> Any:
    """Compute `op` without recording and put the result into `out`, a Tensor or one for each result."""
    several = isinstance(out, (tuple, list))
    outs: Sequence[Tensor] = out if several else (out,)
    operands = args[0] if op.variadic else [each for each in args[: op.arity] if hasattr(each, "_node")]
    if op.differentiable:
        refuse_gradients(op.name, *operands, *outs)
    arrays = [arg._data if hasattr(arg, "_node") else arg for arg in args]
    if not op.variadic and isinstance(arrays[0], (int, float, complex)):  # a number that stands for a tensor
        arrays[0] = np.asarray(arrays[0], scalar_dtype(arrays[0]).numpy)
    if op.variadic:
        arrays[0] = [each._data for each in operands]
    if op.name not in _SEPARATE and op.name not in _DTYPE_FIRST:
        for each in outs:
            _check_memory(op.name, each._data, operands)
    if op.name in _COMPUTED_IN_DTYPE_OF_OUT and arrays[op.positions["dtype"]] is None:
        arrays[op.positions["dtype"]] = out.dtype
    result = run(op.kernel, *arrays)
    if op.keeps:
        result = op.visible(result)
    name = _case(op, args)
    if op.name in _DTYPE_FIRST:
        _check_dtype(out._data, result, name)
        _check_memory(name, out._data, operands)
    for each, array in zip(outs, result if several else (result,), strict=True):
        fill(each, np.asarray(array), name)
    return out


def _case(op: Op, args: list[Any]) -> str:
    """The name under which the dtype of `out` is looked at: some functions have several kernels."""
    if op.name in _WITH_DTYPE and args[op.positions["dtype"]] is not None:
        return f"{op.name}.dtype"
    if op.name in _OF_TENSORS and any(hasattr(each, "_node") for each in args[op.arity - _OF_TENSORS[op.name] :]):
        return f"{op.name}.tensor"
    return "abs.complex" if op.name == "abs" and args[0].is_complex() else op.name


_WITH_DTYPE = frozenset({"cumprod", "cumsum", "mean", "nansum", "prod", "sum"})
_OF_TENSORS = {"clamp": 2, "clamp_max": 1, "clamp_min": 1, "lerp": 1}  # how many of the last operands may be numbers


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
        elif name in _READING and any(each._data.size for each in operands):
            raise overlapping()


def fill(out: Tensor, result: Any, name: str = "") -> Tensor:
    """Put the result of the function `name` into `out`, which takes its shape but keeps its dtype."""
    array = out._data
    if result.dtype is not array.dtype and name not in _FREE:
        _check_dtype(array, result, name)
    if result.shape != array.shape:
        resize(out, result.shape, result.strides if is_dense(result) else None)
    check_one_place_each(out._data)
    run(copy_into, out._data, result)
    out._bump()
    return out


def into(out: Tensor | None, result: Tensor, name: str = "") -> Tensor:
    """What the function `name` gives whose result is `result`: that or, where it is given, `out` with it inside."""
    if out is None:
        return result
    node = result.grad_fn
    refuse_gradients(
        name.partition(".")[0] or ("" if node is None else node.name().partition("Backward")[0].lower()), result, out
    )
    return fill(out, result._data, name)


def into_each(out: Sequence[Tensor] | None, result: Any, name: str) -> Any:
    """The same of several results, a named tuple: `out` comes back as one that is named after its being given."""
    if out is None:
        return result
    if len(out) != len(result):
        raise TypeError(f"expected tuple of {len(result)} elements but got {len(out)}")
    kind = f"{type(result).__name__}_out"
    make = RETURN_TYPES.get(kind) or return_type(kind, *type(result).__match_args__)
    for each, array in zip(out, result, strict=True):
        if each._data.dtype is not array._data.dtype and name not in _FREE:
            _check_dtype(each._data, array._data, name)
    return make([into(each, array, name) for each, array in zip(out, result, strict=True)])


def _check_dtype(array: Any, result: Any, name: str) -> None:
    if array.dtype is result.dtype:
        return
    objection = _OBJECTIONS.get(name)
    if objection is None and name in _UNCASTABLE and not can_cast(FROM_NUMPY[result.dtype], FROM_NUMPY[array.dtype]):
        objection = _UNCASTABLE[name]
    if objection is not None:
        raise RuntimeError(
            objection.format(
                name=name.partition(".")[0],
                got=title(array),
                wanted=title(result),
                got_c=c_name(array),
                wanted_c=c_name(result),
            )
        )
    if name in ("cat", "stack") and FROM_NUMPY[array.dtype].category < FROM_NUMPY[result.dtype].category:
        raise TypeError(f"torch.cat(): input types can't be cast to the desired output type {title(array)}")
    check_cast(array, result)


def resize(out: Tensor, shape: tuple[int, ...], strides: tuple[int, ...] | None = None) -> None:
    """Give `out` another shape, in the order of dimensions of `strides`; torch warns where that discards elements."""
    array = out._data
    if array.size:
        from ._once import warn_of_call

        warn_of_call(
            f"An output with one or more elements was resized since it had shape {sizes(array.shape)}, which does not "
            f"match the required output shape {sizes(shape)}. This behavior is deprecated, and in a future PyTorch "
            "release outputs will not be resized unless they have zero elements. You can explicitly reuse an out "
            "tensor t by resizing it, inplace, to zero elements with t.resize_(0).",
        )
    memory = _laid_at(array, shape)
    if strides is not None and len(shape) > 1:
        order = sorted(range(len(shape)), key=lambda dim: -strides[dim])
        memory = memory.reshape([shape[dim] for dim in order]).transpose(
            [order.index(dim) for dim in range(len(shape))]
        )
    out._data = seen_like(array, memory)
    structure.changed()


def _laid_at(array: Any, shape: tuple[int, ...]) -> Any:
    """Memory for a result in place of `array`: where that begins, if there is room for it, otherwise new."""
    from ._storage import placed

    root, offset = root_of(array), offset_of(array)
    if root.nbytes and offset + math.prod(shape) * array.itemsize <= root.nbytes:
        return placed(root, shape, contiguous_strides(shape, array.itemsize), offset, array.dtype)
    return np.empty(shape, array.dtype)
