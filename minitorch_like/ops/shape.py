"""Views, reshaping, joining and splitting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._dtype import result_dtype
from ._checks import (
    Dims,
    broadcast_shapes,
    cast,
    laid_out,
    numpy_dtype,
    sizes,
    strided,
    tensor_type,
    wrap_dim,
    wrap_dims,
)
from ._table import Array, op
from .elementwise import zeros_of

Shape = tuple[int, ...]


def infer_size(shape: Sequence[int], size: int) -> Shape:
    """`shape` with its -1 filled in for `size` elements.  RuntimeError where that cannot be done."""
    for index, each in enumerate(shape):
        if each < -1:
            raise RuntimeError(f"invalid shape dimension {each} at index {index} of shape {sizes(shape)}")
    known = math.prod(each for each in shape if each != -1)
    unknown = [index for index, each in enumerate(shape) if each == -1]
    if len(unknown) > 1:
        raise RuntimeError("only one dimension can be inferred")
    if unknown:
        if known == 0 and size == 0:
            raise RuntimeError(
                f"cannot reshape tensor of 0 elements into shape {sizes(shape)} because the unspecified dimension "
                f"size -1 can be any value and is ambiguous"
            )
        if known and size % known == 0:
            filled = list(shape)
            filled[unknown[0]] = size // known
            return tuple(filled)
    elif known == size:
        return tuple(shape)
    raise RuntimeError(f"shape '{sizes(shape)}' is invalid for input of size {size}")


def _reshape_node(input: Any, shape: Shape) -> str:
    if input.is_contiguous():
        return "ViewBackward0"
    return "ReshapeAliasBackward0" if _is_viewable(input._data, shape) else "UnsafeViewBackward0"


def _is_viewable(input: Array, shape: Shape) -> bool:
    try:
        np.reshape(input, shape, copy=False)
    except ValueError:
        return False
    return True


@op("(Tensor input, int[] shape)", view=True, node=_reshape_node, input=lambda g, input_shape: reshape(g, input_shape))
def reshape(input: Array, shape: Shape) -> Array:
    """The same elements in another shape: a view where the strides allow it, otherwise a copy."""
    try:
        return input.reshape(infer_size(shape, input.size) if shape and min(shape) < -1 else shape)
    except ValueError:
        return input.reshape(infer_size(shape, input.size))


@op(
    "(Tensor input, dtype dtype)",
    "(Tensor input, int[] size)",
    view=True,
    input=lambda g, input_shape: reshape(g, input_shape),
)
def view(input: Array, size: Shape | None = None, dtype: Any = None) -> Array:
    """The same memory in another shape (or dtype).  RuntimeError where that needs a copy."""
    if size is None:
        return _reinterpreted(input, dtype.numpy)
    if size and min(size) < -1:
        infer_size(size, input.size)
    try:
        return np.reshape(input, size, copy=False)
    except ValueError:
        size = infer_size(size, input.size)
        if input.size == 0:
            return input.reshape(size)
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across "
            "two contiguous subspaces). Use .reshape(...) instead."
        ) from None


def _reinterpreted(input: Array, dtype: Any) -> Array:
    if dtype.itemsize != input.dtype.itemsize and input.ndim == 0:
        raise RuntimeError(
            f"self.dim() cannot be 0 to view {tensor_type(input)[6:-6]} as {dtype} (different element sizes)"
        )
    return input.view(dtype)


@op(
    "(Tensor input, int start_dim=0, int end_dim=-1)",
    view=True,
    node=lambda input, start_dim=0, end_dim=-1: _reshape_node(
        input, flattened_shape(input._data.shape, start_dim, end_dim)
    ),
    input=lambda g, input_shape: reshape(g, input_shape),
)
def flatten(input: Array, start_dim: int = 0, end_dim: int = -1) -> Array:
    shape = flattened_shape(input.shape, start_dim, end_dim)
    return input if shape == input.shape else input.reshape(shape)


def flattened_shape(shape: Shape, start_dim: int, end_dim: int) -> Shape:
    """`shape` with the dimensions from `start_dim` to `end_dim` made one; () becomes (1,)."""
    start, end = wrap_dim(start_dim, len(shape)), wrap_dim(end_dim, len(shape))
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    return (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :])


@op(
    "(Tensor input, int dim0, int dim1)",
    view=True,
    inplace_node=lambda *args: "TransposeBackward1",
    input=lambda g, dim0, dim1: transpose(g, dim0, dim1),
)
def transpose(input: Array, dim0: int, dim1: int) -> Array:
    dim0, dim1 = wrap_dim(dim0, input.ndim), wrap_dim(dim1, input.ndim)
    return input.swapaxes(dim0, dim1) if input.ndim else input[...]


@op("(Tensor input)", view=True, node="TBackward0", inplace_node=lambda *args: "TBackward1", input=lambda g: t(g))
def t(input: Array) -> Array:
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return input.T


def _permutation(dims: Sequence[int], ndim: int) -> Shape:
    if len(dims) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(dims)}"
        )
    wrapped = tuple(wrap_dim(each, ndim) for each in dims)
    if len(set(wrapped)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return wrapped


def _inverse_permutation(dims: Sequence[int]) -> Shape:
    wrapped = _permutation(dims, len(dims))
    return tuple(wrapped.index(each) for each in range(len(wrapped)))


@op("(Tensor input, int[] dims)", view=True, input=lambda g, dims: permute(g, _inverse_permutation(dims)))
def permute(input: Array, dims: Shape) -> Array:
    return input.transpose(_permutation(dims, input.ndim))


@op(
    "(Tensor input, int dim)",
    view=True,
    inplace_node=lambda *args: "UnsqueezeBackward1",
    input=lambda g, input_shape: reshape(g, input_shape),
)
def unsqueeze(input: Array, dim: int) -> Array:
    dim = wrap_dim(dim, input.ndim + 1)
    return input[(slice(None),) * dim + (None,)]


@op(
    "(Tensor input)",
    "(Tensor input, int dim)",
    "(Tensor input, int[] dim)",
    view=True,
    node=lambda input, dim=None: f"SqueezeBackward{0 if dim is None else 1 if isinstance(dim, int) else 2}",
    inplace_node=lambda input, dim=None: f"SqueezeBackward{3 if dim is None else 4 if isinstance(dim, int) else 5}",
    input=lambda g, input_shape: reshape(g, input_shape),
)
def squeeze(input: Array, dim: Dims = None) -> Array:
    dims = range(input.ndim) if dim is None else () if dim == () else wrap_dims(dim, input.ndim)
    return input.reshape([size for each, size in enumerate(input.shape) if size != 1 or each not in dims])


def _expanded(input: Array, size: Shape) -> Shape:
    """The target shape with each -1 filled in, after torch's checks."""
    missing = len(size) - input.ndim
    if missing < 0:
        raise RuntimeError(
            f"expand({tensor_type(input)}{{{sizes(input.shape)}}}, size={sizes(size)}): the number of sizes provided "
            f"({len(size)}) must be greater or equal to the number of dimensions in the tensor ({input.ndim})"
        )
    target = list(size)
    for index, wanted in reversed(list(enumerate(size))):
        have = input.shape[index - missing] if index >= missing else 1
        if wanted == -1:
            if index < missing:
                raise RuntimeError(
                    f"The expanded size of the tensor ({wanted}) isn't allowed in a leading, non-existing "
                    f"dimension {index}"
                )
            wanted = have
        elif have not in (1, wanted):
            raise RuntimeError(
                f"The expanded size of the tensor ({wanted}) must match the existing size ({have}) at non-singleton "
                f"dimension {index}.  Target sizes: {sizes(size)}.  Tensor sizes: {sizes(input.shape)}"
            )
        target[index] = wanted
    return tuple(target)


@op("(Tensor input, int[] size, *, bool implicit=False)", view=True, input=lambda g: g)
def expand(input: Array, size: Shape, implicit: bool = False) -> Array:
    """`input` broadcast to `size` without copying: the new dimensions have stride 0."""
    shape = _expanded(input, size)
    missing = len(shape) - input.ndim
    strides = (0,) * missing + tuple(
        0 if have == 1 != wanted else stride
        for have, wanted, stride in zip(input.shape, shape[missing:], input.strides, strict=True)
    )
    return strided(input, shape, strides)


def _select_input(g: Any, input_shape: Shape, dim: int, index: int) -> Any:
    from .indexing import scatter_slice

    return scatter_slice(g, input_shape, dim, index, None)


@op("(Tensor input, int dim, int index)", view=True, input=_select_input)
def select(input: Array, dim: int, index: int) -> Array:
    if input.ndim == 0:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, input.ndim)
    size = input.shape[dim]
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {sizes(input.shape)} at dimension {dim}"
        )
    return input[(slice(None),) * dim + (index,)]


def _narrow_input(g: Any, input_shape: Shape, dim: int, start: int, length: int) -> Any:
    from .indexing import scatter_slice

    return scatter_slice(g, input_shape, dim, start, length)


@op("(Tensor input, int dim, int start, int length)", view=True, node="SliceBackward0", input=_narrow_input)
def narrow(input: Array, dim: int, start: int, length: int) -> Array:
    if input.ndim == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    dim = wrap_dim(dim, input.ndim)
    size = input.shape[dim]
    if not -size <= start <= size:
        raise IndexError(f"Dimension out of range (expected to be in range of [-{size}, {size}], but got {start})")
    start += size if start < 0 else 0
    if start + length > size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return input[(slice(None),) * dim + (slice(start, start + length),)]


def _as_strided_input(g: Any, input: Any, size: Shape, stride: Shape, storage_offset: int | None) -> Any:
    from .indexing import gather_strided

    return gather_strided(g, input, size, stride, storage_offset)


@op(
    "(Tensor input, int[] size, int[] stride, int? storage_offset=None)",
    view=True,
    node="AsStridedBackward0",
    input=_as_strided_input,
)
def as_strided(input: Array, size: Shape, stride: Shape, storage_offset: int | None = None) -> Array:
    """A view of the memory behind `input`, with sizes, strides and offset in elements."""
    step = input.itemsize
    offset = None if storage_offset is None else storage_offset * step
    return strided(input, size, tuple(step * each for each in stride), offset)


@op("(Tensor input, int[] repeats)", input=lambda g, input_shape, repeats: _repeat_input(g, input_shape, repeats))
def repeat(input: Array, repeats: Shape) -> Array:
    if len(repeats) < input.ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    return np.tile(input, repeats)


def _repeat_input(g: Any, input_shape: Shape, repeats: Shape) -> Any:
    from .reductions import sum_

    missing = len(repeats) - len(input_shape)
    padded = (1,) * missing + tuple(input_shape)
    folded = tuple(each for pair in zip(repeats, padded, strict=True) for each in pair)
    summed = sum_(reshape(g, folded), tuple(range(0, len(folded), 2))) if folded else g
    return reshape(summed, tuple(input_shape)) if missing else summed


# -- joining and splitting ---------------------------------------------------------------------------------------


def _is_skipped(shape: Shape) -> bool:
    """torch's cat passes over 1-d empty tensors, whatever the others' shape."""
    return tuple(shape) == (0,)


def _cat_gradients(g: Any, tensors_shapes: Any, dim: int, needs: tuple[bool, ...]) -> list[Any]:
    """Each tensor's part of the gradient, one after the other along `dim`."""
    dim = wrap_dim(dim, len(g.shape))
    gradients: list[Any] = []
    start = 0
    for shape, needed in zip(tensors_shapes, needs, strict=True):
        if _is_skipped(shape):
            gradients.append(reshape(narrow(g, 0, 0, 0), (0,)) if needed else None)
            continue
        gradients.append(narrow(g, dim, start, shape[dim]) if needed else None)
        start += shape[dim]
    return gradients


def _check_cat(arrays: Sequence[Array], dim: int) -> int:
    rank = next((each.ndim for each in arrays if not _is_skipped(each.shape)), 1)
    for index, each in enumerate(arrays):
        if each.ndim == 0:
            raise RuntimeError(f"zero-dimensional tensor (at position {index}) cannot be concatenated")
    dim = wrap_dim(dim, rank)
    kept = [(index, each) for index, each in enumerate(arrays) if not _is_skipped(each.shape)]
    for index, each in kept[1:]:
        first = kept[0][1]
        if each.ndim != first.ndim:
            raise RuntimeError(f"Tensors must have same number of dimensions: got {first.ndim} and {each.ndim}")
        if any(m != n for at, (m, n) in enumerate(zip(first.shape, each.shape, strict=True)) if at != dim):
            at = next(at for at in range(rank) if at != dim and first.shape[at] != each.shape[at])
            raise RuntimeError(
                f"Sizes of tensors must match except in dimension {dim}. Expected size {first.shape[at]} but got size "
                f"{each.shape[at]} for tensor number {index} in the list."
            )
    return dim


@op("(Tensor[] tensors, int dim=0, *, Tensor? out=None)", variadic=True, tensors=_cat_gradients)
def cat(tensors: Sequence[Array], dim: int = 0) -> Array:
    """Join along an existing dimension, in the tensors' common dtype."""
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    dim = _check_cat(tensors, dim)
    if any(each.dtype is not tensors[0].dtype for each in tensors):
        dtype = result_dtype(*tensors).numpy
        tensors = [cast(each, dtype) for each in tensors]
    kept = [each if each.flags.c_contiguous else each.copy() for each in tensors if not _is_skipped(each.shape)]
    return np.concatenate(kept, axis=dim) if kept else tensors[0].copy()


def _stack_gradients(g: Any, dim: int, needs: tuple[bool, ...]) -> list[Any]:
    dim = wrap_dim(dim, len(g.shape))
    return [select(g, dim, position) if needed else None for position, needed in enumerate(needs)]


@op("(Tensor[] tensors, int dim=0, *, Tensor? out=None)", variadic=True, tensors=_stack_gradients)
def stack(tensors: Sequence[Array], dim: int = 0) -> Array:
    """Join along a new dimension, in the tensors' common dtype."""
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    first = tensors[0]
    dim = wrap_dim(dim, first.ndim + 1)
    for index, each in enumerate(tensors):
        if each.shape != first.shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {sizes(first.shape)} at entry 0 and "
                f"{sizes(each.shape)} at entry {index}"
            )
    if any(each.dtype is not first.dtype for each in tensors):
        dtype = result_dtype(*tensors).numpy
        tensors = [cast(each, dtype) for each in tensors]
    shape = (*first.shape[:dim], 1, *first.shape[dim:])
    rows = [each if each.flags.c_contiguous else each.copy() for each in tensors]
    return np.concatenate([each.reshape(shape) for each in rows], axis=dim)


def _part(g: Any, input_shape: Shape, dim: int, start: int, length: int | None) -> Any:
    from .indexing import scatter_slice

    return scatter_slice(g, input_shape, dim, start, length)


def _unbind_input(gs: Any, dim: int) -> Any:
    return stack(gs, dim)


@op("(Tensor input, int dim=0)", view=True, outputs=(), input=_unbind_input)
def unbind(input: Array, dim: int = 0) -> tuple[Array, ...]:
    if input.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    dim = wrap_dim(dim, input.ndim)
    before: tuple[Any, ...] = (slice(None),) * dim
    return tuple(input[(*before, index)] for index in range(input.shape[dim]))


def _split_input(gs: Any, dim: int) -> Any:
    return cat(gs, dim)


@op(
    "(Tensor input, int[1] split_size, int dim=0)",
    view=True,
    outputs=(),
    node=lambda input, split_size, dim=0: f"Split{'' if isinstance(split_size, int) else 'WithSizes'}Backward0",
    input=_split_input,
)
def split(input: Array, split_size: int | Shape, dim: int = 0) -> tuple[Array, ...]:
    """Parts of `split_size` (the last may be smaller), or of the sizes listed."""
    if input.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = wrap_dim(dim, input.ndim)
    total = input.shape[dim]
    if isinstance(split_size, int):
        if split_size < 0:
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={split_size}")
        if split_size == 0 and total:
            raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {total}")
        parts: Sequence[int] = [min(split_size, total - at) for at in range(0, total, split_size or 1)] or [total]
    else:
        parts = split_size
        if sum(parts) != total:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {total} (input tensor's size at dimension "
                f"{dim}), but got split_sizes={sizes(parts)}"
            )
    before, start, pieces = (slice(None),) * dim, 0, []
    for size in parts:
        pieces.append(input[(*before, slice(start, start + size))])
        start += size
    return tuple(pieces)


@op("(Tensor input, int chunks, int dim=0)", view=True, outputs=(), node="SplitBackward0", input=_split_input)
def chunk(input: Array, chunks: int, dim: int = 0) -> tuple[Array, ...]:
    """At most `chunks` parts of equal size (the last may be smaller)."""
    if input.ndim == 0:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    total = input.shape[wrap_dim(dim, input.ndim)]
    size = max(-(-total // chunks), 1)
    if total == 0:
        return split.kernel(input, (0,) * chunks, dim)
    return split.kernel(input, size, dim)


# -- copies ------------------------------------------------------------------------------------------------------


@op("(Tensor input, *, memory_format? memory_format=None)", node="CloneBackward0", input=lambda g: g)
def clone(input: Array, memory_format: Any = None) -> Array:
    """A copy that keeps the order of the dimensions in memory; an expanded tensor becomes contiguous."""
    return laid_out(input.copy(), input)


@op("(Tensor input)", node="CloneBackward0", namespace="internal", input=lambda g: g)
def contiguous_copy(input: Array) -> Array:
    return input.copy()


@op(
    "(Tensor input, dtype dtype)",
    node="ToCopyBackward0",
    input=lambda g, input_dtype: cast_to(g, input_dtype),
    namespace="internal",
)
def cast_to(input: Array, dtype: Any) -> Array:
    """A copy in another dtype."""
    kind = numpy_dtype(dtype) if hasattr(dtype, "numpy") else dtype
    return laid_out(input.astype(kind, order="C"), input)


@op(
    "(Tensor input, Tensor|Number other, bool non_blocking=False)",
    name="copy",
    arity=2,
    inplace=True,
    node="CopyBackwards",
    namespace="inplace",
    input=lambda g: zeros_of(g),
    other=lambda g: g,
)
def copy(input: Array, other: Any, non_blocking: bool = False) -> Array:
    """`other` broadcast to the shape of `input`, in its dtype."""
    other = cast(other, input.dtype)
    return np.broadcast_to(other, broadcast_shapes(input.shape, other.shape))


@op(
    "(Tensor input, Tensor value)",
    "(Tensor input, Number value)",
    name="fill",
    arity=2,
    inplace=True,
    node=lambda input, value: f"FillBackward{3 if hasattr(value, '_node') else 2}",
    input=lambda g: zeros_of(g),
    value=lambda g: g,
)
def fill(input: Array, value: Any) -> Array:
    """`value` everywhere."""
    if isinstance(value, np.ndarray) and value.ndim:
        raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions.")
    return np.broadcast_to(cast(value, input.dtype), input.shape)


@op("(Tensor input)", name="zero", inplace=True, namespace="inplace", input=lambda g: zeros_of(g))
def zero(input: Array) -> Array:
    return np.zeros_like(input)


@op("(Tensor input, int[] dims)", input=lambda g, dims: flip(g, dims))
def flip(input: Array, dims: Shape) -> Array:
    return np.flip(input, wrap_dims(dims, input.ndim) if dims else ()).copy()


def _triangle(name: str, function: Any) -> Any:
    def kernel(input: Array, diagonal: int = 0) -> Array:
        if input.ndim < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
        result: Array = function(input, diagonal)
        return result

    rule = (lambda g, diagonal: tril(g, diagonal)) if name == "tril" else (lambda g, diagonal: triu(g, diagonal))
    return op("(Tensor input, int diagonal=0, *, Tensor? out=None)", name=name, inplace=True, input=rule)(kernel)


tril = _triangle("tril", np.tril)
triu = _triangle("triu", np.triu)


@op(
    "(Tensor input, int dim, *, dtype? dtype=None, Tensor? out=None)",
    inplace=True,
    input=lambda g, dim: _reversed_cumsum(g, dim),
)
def cumsum(input: Array, dim: int, dtype: Any = None) -> Array:
    kind = numpy_dtype(dtype) or (np.dtype(np.int64) if input.dtype.kind != "f" else input.dtype)
    dim = wrap_dim(dim, input.ndim)
    return cast(input, kind).copy() if input.ndim == 0 else np.cumsum(input, axis=dim, dtype=kind)


def _reversed_cumsum(g: Any, dim: int) -> Any:
    return g if not g.shape else flip(cumsum(flip(g, (dim,)), dim), (dim,))
