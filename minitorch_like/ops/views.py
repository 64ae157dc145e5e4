"""Views and rearrangements that few programs need; `shape` has the common ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._layout import contiguous_strides, extent, is_dense, offset_of, places_of, root_of, strides_of
from ._checks import check_one_place_each, sizes, strided, title, wrap_dim
from ._table import Array, op
from .elementwise import zeros_of
from .indexing import add_rows
from .shape import Shape, as_torch_lays_out, cat, contiguous_copy, copied, narrowed, no_gradient, select, sliced

# -- parts of a tensor ---------------------------------------------------------------------------------------------


def _slice_bounds(shape: Shape, dim: int, start: int | None, end: int | None, step: int) -> tuple[int, slice, int]:
    """`dim`, the slice with its bounds inside, and how many elements it selects."""
    if not shape:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, len(shape))
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    first, last, _ = slice(start, end, None).indices(shape[dim])
    return dim, slice(first, max(first, last), step), len(range(first, last, step))


def _check_source(src: Array, part: Array) -> None:
    if src.shape != part.shape:
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. "
            f"src size = {sizes(src.shape)}, slice size = {sizes(part.shape)}"
        )


def _writable_copy(input: Array) -> Array:
    """A copy of the memory behind `input`, seen as `input` sees it; contiguous where elements overlap."""
    strides, root = strides_of(input), root_of(input)
    if (input.size and 0 in strides) or (input.flags.c_contiguous and input.nbytes == root.nbytes):
        return copied(input)
    whole = strided(input, (root.nbytes // input.itemsize,), (input.itemsize,), 0)
    return strided(whole.copy(), input.shape, strides, offset_of(input))


def _with_part(input: Array, src: Array, part_of: Any) -> Array:
    """A copy of `input` in which `part_of(copy)`, a view, holds `src`."""
    result = _writable_copy(input)
    part = part_of(result)
    _check_source(src, part)
    part[...] = src
    return result


def _zeros(input: Array, shape: Shape) -> Array:
    return np.zeros_like(input, shape=shape, order="C")


@op(
    "(Tensor input, Tensor src, int dim=0, int? start=None, int? end=None, int step=1, *, Tensor? out=None)",
    arity=2,
    input=lambda g, dim, start, end, step: _slice_cleared(g, dim, start, end, step),
    src=lambda g, dim, start, end, step: slice_along(g, dim, start, end, step),
)
def slice_scatter(
    input: Array, src: Array, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Array:
    """A copy of `input` with `src` in `input[start:end:step]` along `dim`."""
    return _with_part(input, src, lambda x: slice_along.kernel(x, dim, start, end, step))


@op(
    "(Tensor input, int dim, int? start, int? end, int step)",
    view=True,
    node="SliceBackward0",
    namespace="internal",
    input=lambda g, input_shape, dim, start, end, step: slice_back(g, input_shape, dim, start, end, step),
)
def slice_along(input: Array, dim: int, start: int | None, end: int | None, step: int) -> Array:
    """`input[start:end:step]` along `dim`."""
    dim, part, length = _slice_bounds(input.shape, dim, start, end, step)
    if not length:
        return sliced(input, dim, part.start, part.start)
    return as_torch_lays_out(input)[(slice(None),) * dim + (part,)]


@op(
    "(Tensor input, int[] shape, int dim, int? start, int? end, int step)",
    node="SliceBackwardBackward0",
    namespace="internal",
    input=lambda g, dim, start, end, step: slice_along(g, dim, start, end, step),
)
def slice_back(input: Array, shape: Shape, dim: int, start: int | None, end: int | None, step: int) -> Array:
    """Zeros of `shape` with `input` at a slice."""
    result = _zeros(input, shape)
    dim, part, _ = _slice_bounds(shape, dim, start, end, step)
    result[(slice(None),) * dim + (part,)] = input
    return result


def _slice_cleared(g: Any, dim: int, start: int | None, end: int | None, step: int) -> Any:
    cleared = zeros_of(slice_along(g, dim, start, end, step))
    return slice_scatter(g, cleared, dim, start, end, step)


@op(
    "(Tensor input, Tensor src, int dim, int index)",
    arity=2,
    input=lambda g, dim, index: select_scatter(g, zeros_of(select(g, dim, index)), dim, index),
    src=lambda g, dim, index: select(g, dim, index),
)
def select_scatter(input: Array, src: Array, dim: int, index: int) -> Array:
    """A copy of `input` with `src` at `index` of `dim`."""
    select.kernel(input, dim, index)
    return _with_part(input, src, lambda x: select.kernel(x, dim, index))


@op(
    "(Tensor input, int dim, int start, int length, *, Tensor? out=None)",
    input=lambda g, input_shape, dim, start, length: _narrow_back(g, input_shape, dim, start, length),
)
def narrow_copy(input: Array, dim: int, start: int, length: int) -> Array:
    if not input.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if dim >= input.ndim:
        raise RuntimeError(
            "Expected dim < static_cast<int64_t>(self_sizes.size()) to be true, but got false.  (Could this error message "
            "be improved?  If so, please report an enhancement request to PyTorch.)"
        )
    dim, start = narrowed(input.shape, dim, start, length)
    return sliced(input, dim, start, start + length).copy()


def _narrow_back(g: Any, shape: Shape, dim: int, start: int, length: int) -> Any:
    dim, start = narrowed(shape, dim, start, length)
    return slice_back(g, shape, dim, start, start + length, 1)


# -- diagonals -----------------------------------------------------------------------------------------------------


def _diagonal_dims(ndim: int, dim1: int, dim2: int) -> tuple[int, int]:
    first, second = wrap_dim(dim1, ndim), wrap_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return first, second


@op(
    "(Tensor input, int offset=0, int dim1=0, int dim2=1)",
    view=True,
    input=lambda g, input_shape, offset, dim1, dim2: diagonal_back(g, input_shape, offset, dim1, dim2),
)
def diagonal(input: Array, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Array:
    """The diagonal in the plane of two dimensions, as the last dimension; `offset` > 0 is above the main one."""
    dim1, dim2 = _diagonal_dims(input.ndim, dim1, dim2)
    shape, strides = input.shape, strides_of(input)
    down, right = max(-offset, 0), max(offset, 0)
    length = max(min(shape[dim1] - down, shape[dim2] - right), 0)
    start = offset_of(input) + (down * strides[dim1] + right * strides[dim2] if length else 0)
    rest = [dim for dim in range(input.ndim) if dim not in (dim1, dim2)]
    return strided(
        input,
        (*(shape[dim] for dim in rest), length),
        (*(strides[dim] for dim in rest), strides[dim1] + strides[dim2]),
        start,
    )


@op(
    "(Tensor input, int[] shape, int offset, int dim1, int dim2)",
    node="DiagonalBackwardBackward0",
    namespace="internal",
    input=lambda g, offset, dim1, dim2: diagonal(g, offset, dim1, dim2),
)
def diagonal_back(input: Array, shape: Shape, offset: int, dim1: int, dim2: int) -> Array:
    """Zeros of `shape` with `input` on a diagonal."""
    result = _zeros(input, shape)
    diagonal.kernel(result, offset, dim1, dim2)[...] = input
    return result


@op(
    "(Tensor input, int offset, int dim1, int dim2)",
    node="DiagonalBackward0_copy",
    namespace="internal",
    input=lambda g, input_shape, offset, dim1, dim2: diagonal_back(g, input_shape, offset, dim1, dim2),
)
def diagonal_copy(input: Array, offset: int, dim1: int, dim2: int) -> Array:
    return diagonal.kernel(input, offset, dim1, dim2).copy()


@op(
    "(Tensor input, int offset=0, int dim1=-2, int dim2=-1)",
    input=lambda g, offset, dim1, dim2: diagonal(g, offset, dim1, dim2),
)
def diag_embed(input: Array, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Array:
    """Zeros with the last dimension of `input` on a diagonal in the plane of two new dimensions."""
    dim1, dim2 = _diagonal_dims(input.ndim + 1, dim1, dim2)
    size = input.shape[-1] + abs(offset)
    shape = list(input.shape[:-1])
    for dim in sorted((dim1, dim2)):
        shape.insert(dim, size)
    return diagonal_back.kernel(input, tuple(shape), offset, dim1, dim2)


@op(
    "(Tensor input, Tensor src, int offset=0, int dim1=0, int dim2=1)",
    arity=2,
    input=lambda g, offset, dim1, dim2: diagonal_scatter(
        g, zeros_of(diagonal(g, offset, dim1, dim2)), offset, dim1, dim2
    ),
    src=lambda g, offset, dim1, dim2: diagonal(g, offset, dim1, dim2),
)
def diagonal_scatter(input: Array, src: Array, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Array:
    """A copy of `input` with `src` on a diagonal."""
    return _with_part(input, src, lambda x: diagonal.kernel(x, offset, dim1, dim2))


# -- any strides ---------------------------------------------------------------------------------------------------


def check_within_storage(
    input: Array, size: Sequence[int], stride: Sequence[int], offset: int, capacity: int | None = None
) -> None:
    """torch's objections to sizes, strides and an offset, in elements; `capacity` is the memory in bytes."""
    if len(size) != len(stride):
        raise RuntimeError("mismatch in length of strides and shape")
    if min(stride, default=0) < 0:
        raise RuntimeError(
            f"as_strided: Negative strides are not supported at the moment, got strides: {sizes(stride)}"
        )
    if min(size, default=0) < 0:
        raise RuntimeError(f"Storage size calculation overflowed with sizes={sizes(size)} and strides={sizes(stride)}")
    if offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {offset}")
    needed = extent(size, stride)
    needed = (needed + offset) * input.itemsize if needed else 0
    capacity = root_of(input).nbytes if capacity is None else capacity
    if needed > capacity:
        raise RuntimeError(
            f"setStorage: sizes {sizes(size)}, strides {sizes(stride)}, storage offset {offset}, and itemsize "
            f"{input.itemsize} requiring a storage size of {needed} are out of bounds for storage of size {capacity}"
        )


# Of a tensor: its shape, and in elements its strides and its offset from the start of the memory.
Geometry = tuple[Shape, Shape, int]


def geometry_of(input: Array) -> Geometry:
    step = input.itemsize
    return input.shape, tuple(each // step for each in strides_of(input)), offset_of(input) // step


@op(
    "(Tensor input, int[] size, int[] stride, int? storage_offset=None)",
    view=True,
    inplace_node=lambda *args: "AsStridedBackward1",
    namespace="internal",  # the public function adds the geometry
    input=lambda g, input_shape, size, stride, storage_offset, geometry: (
        no_gradient(g, input_shape)
        if 0 in size or 0 in input_shape
        else gather_strided(g, geometry or _contiguous(input_shape), size, stride, storage_offset)
    ),
)
def as_strided(
    input: Array, size: Shape, stride: Shape, storage_offset: int | None = None, geometry: Geometry | None = None
) -> Array:
    """A view of the memory behind `input`, with sizes, strides and offset in elements.

    The derivative needs to know how `input` lies there; by default it has its memory for itself, row by row.
    """
    step = input.itemsize
    offset = offset_of(input) // step if storage_offset is None else storage_offset
    check_within_storage(input, size, stride, offset)
    return strided(input, size, [step * each for each in stride], offset * step)


def _contiguous(shape: Shape) -> Geometry:
    return shape, contiguous_strides(shape), 0


def _places(geometry: Geometry, size: Shape, stride: Shape, storage_offset: int | None) -> tuple[Array, Array, int]:
    """The places in memory of a tensor's elements and of those of a strided view, and how many places there are.

    They are counted from where the first of the two begins.
    """
    shape, strides, start = geometry
    view_start = start if storage_offset is None else storage_offset
    first = min(start, view_start)
    mine = (places_of(shape, strides, 1) + (start - first)).reshape(-1)
    seen = (places_of(size, stride, 1) + (view_start - first)).reshape(-1)
    return mine, seen, int(max(mine.max(initial=-1), seen.max(initial=-1))) + 1


def _shared(g: Array, mine: Array) -> Array:
    """`g` divided by how many elements have the same place: they share what arrives there."""
    sharing = np.bincount(mine, minlength=1)[mine]
    return g / sharing.astype(g.dtype) if sharing.max(initial=1) > 1 else g


@op(
    "(Tensor input, object geometry, int[] size, int[] stride, int? storage_offset)",
    node="AsStridedBackward0",
    input=lambda g, geometry, size, stride, storage_offset: spread_strided(g, geometry, size, stride, storage_offset),
    namespace="internal",
)
def gather_strided(input: Array, geometry: Geometry, size: Shape, stride: Shape, storage_offset: int | None) -> Array:
    """The gradient of `as_strided`: each element receives the gradients of all that viewed its memory."""
    mine, seen, count = _places(geometry, size, stride, storage_offset)
    received = _shared(add_rows(input.reshape(-1, 1), seen, count)[mine, 0], mine).reshape(geometry[0])
    shape, strides, _ = geometry
    if received.ndim < 2 or not is_dense(shape, strides):
        return received
    result = strided(np.empty_like(received, shape=(mine.size,)), shape, [each * input.itemsize for each in strides])
    np.copyto(result, received)
    return result


@op(
    "(Tensor input, object geometry, int[] size, int[] stride, int? storage_offset)",
    node="AsStridedBackward0",
    input=lambda g, geometry, size, stride, storage_offset: gather_strided(g, geometry, size, stride, storage_offset),
    namespace="internal",
)
def spread_strided(input: Array, geometry: Geometry, size: Shape, stride: Shape, storage_offset: int | None) -> Array:
    """The derivative of `gather_strided`: what a strided view sees of `input`, laid into otherwise empty memory."""
    mine, seen, count = _places(geometry, size, stride, storage_offset)
    return add_rows(_shared(input.reshape(-1), mine)[:, None], mine, count)[seen, 0].reshape(size)


@op(
    "(Tensor input, Tensor src, int[] size, int[] stride, int? storage_offset=None)",
    arity=2,
    input=lambda g, size, stride, storage_offset: _strided_part(g, size, stride, storage_offset),
    src=lambda g, size, stride, storage_offset: as_strided(contiguous_copy(g), size, stride, storage_offset),
)
def as_strided_scatter(
    input: Array, src: Array, size: Shape, stride: Shape, storage_offset: int | None = None
) -> Array:
    """A copy of `input`, with its strides and offset, in whose memory a strided view holds `src`."""
    result = _with_part(input, src, lambda x: as_strided.kernel(x, size, stride, storage_offset))
    check_one_place_each(as_strided.kernel(result, size, stride, storage_offset))
    return result


def _strided_part(g: Any, size: Shape, stride: Shape, storage_offset: int | None) -> Any:
    # What was overwritten should receive nothing and the rest all; torch has it the other way round, and so have we.
    g = contiguous_copy(g)
    return as_strided_scatter(zeros_of(g), as_strided(g, size, stride, storage_offset), size, stride, storage_offset)


@op(
    "(Tensor input, int dimension, int size, int step)",
    view=True,
    namespace="method",
    input=lambda g, input_shape, dimension, size, step: unfold_back(g, input_shape, dimension, size, step),
)
def unfold(input: Array, dimension: int, size: int, step: int) -> Array:
    """All windows of `size` along a dimension, `step` apart, with their elements as the last dimension."""
    dim = wrap_dim(dimension, input.ndim)
    length, stride = (input.shape[dim], strides_of(input)[dim]) if input.ndim else (1, input.itemsize)
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > length:
        raise RuntimeError(f"maximum size for tensor at dimension {dim} is {length} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if not input.ndim:
        return strided(input, (size,), (stride,))
    shape, strides = list(input.shape), list(strides_of(input))
    shape[dim], strides[dim] = (length - size) // step + 1, stride * step
    return strided(input, (*shape, size), (*strides, stride))


@op(
    "(Tensor input, int[] shape, int dimension, int size, int step)",
    node="UnfoldBackwardBackward0",
    namespace="internal",
    input=lambda g, dimension, size, step: unfold(g, dimension, size, step),
)
def unfold_back(input: Array, shape: Shape, dimension: int, size: int, step: int) -> Array:
    """Zeros of `shape` to which windows are added where `unfold` takes them from."""
    result = _zeros(input, shape)
    if not shape:
        return input.reshape(()) if size else result
    dim = wrap_dim(dimension, len(shape))
    last = (input.shape[dim] - 1) * step + 1
    for place in range(size):
        part = result[(slice(None),) * dim + (slice(place, place + last, step),)]
        np.add(part, input[..., place], part)
    return result


# -- splitting -----------------------------------------------------------------------------------------------------


def _split_input(gs: Any, dim: int) -> Any:
    return cat(gs, dim)


def _parts(input: Array, parts: Sequence[int], dim: int) -> tuple[Array, ...]:
    pieces, start = [], 0
    for size in parts:
        pieces.append(sliced(input, dim, start, start + size))
        start += size
    return tuple(pieces)


@op(
    "(Tensor input, int split_size, int dim=0)",
    "(Tensor input, int[] split_size, int dim=0)",  # for split_with_sizes, and for what the errors list
    view=True,
    outputs=(),
    node="SplitBackward0",
    namespace="internal",  # Tensor.split also takes a list
    input=_split_input,
)
def split(input: Array, split_size: int, dim: int = 0) -> tuple[Array, ...]:
    """Parts of `split_size`; the last may be smaller."""
    if input.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    if split_size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={split_size}")
    dim = wrap_dim(dim, input.ndim)
    total = input.shape[dim]
    if split_size == 0 and total:
        raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {total}")
    parts = [min(split_size, total - at) for at in range(0, total, split_size or 1)] or [total]
    return _parts(input, parts, dim)


@op("(Tensor input, int[] split_sizes, int dim=0)", view=True, outputs=(), input=_split_input)
def split_with_sizes(input: Array, split_sizes: Shape, dim: int = 0) -> tuple[Array, ...]:
    """Parts of the sizes listed, which add up."""
    if input.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    total = input.shape[wrap_dim(dim, input.ndim)]
    if min(split_sizes, default=0) < 0:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={sizes(split_sizes)}"
        )
    if sum(split_sizes) != total:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {total} (input tensor's size at dimension "
            f"{dim}), but got split_sizes={sizes(split_sizes)}"
        )
    return _parts(input, split_sizes, wrap_dim(dim, input.ndim))


def _chunk_node(input: Any, chunks: int, dim: int = 0) -> str:
    shape = input._data.shape
    return "SplitBackward0" if shape[wrap_dim(dim, len(shape))] else "SplitWithSizesBackward0"


def _unsafe(node: Any) -> Any:
    return f"Unsafe{node}" if isinstance(node, str) else lambda *args: f"Unsafe{node(*args)}"


@op("(Tensor input, int chunks, int dim=0)", view=True, outputs=(), node=_chunk_node, input=_split_input)
def chunk(input: Array, chunks: int, dim: int = 0) -> tuple[Array, ...]:
    """At most `chunks` parts of equal size (the last may be smaller)."""
    if input.ndim == 0:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    total = input.shape[wrap_dim(dim, input.ndim)]
    if total == 0:
        return split_with_sizes.kernel(input, (0,) * chunks, dim)
    return split.kernel(input, -(-total // chunks), dim)


for _split, _name in ((split, "unsafe_split"), (split_with_sizes, "unsafe_split_with_sizes"), (chunk, "unsafe_chunk")):
    # The parts share the memory of the whole, which is not told to autograd.
    op(_split.texts[0], name=_name, outputs=(), node=_unsafe(_split.node), input=_split_input)(_split.kernel)
    _split.kernel.of_any_width = True  # type: ignore[attr-defined]


# -- other views of the same bytes ---------------------------------------------------------------------------------


def reinterpret(input: Array, dtype: Any) -> Array:
    """The same bytes as elements of another dtype.  RuntimeError where the last dimension does not allow for it."""
    have, want = input.itemsize, dtype.itemsize
    if have == want:
        return as_torch_lays_out(input).view(dtype.numpy)
    between = f"to view {title(input)} as {dtype.title} (different element sizes)"
    if not input.ndim:
        raise RuntimeError(f"self.dim() cannot be 0 {between}")
    strides = strides_of(input)
    offset, size = offset_of(input), input.shape[-1]
    if have < want:
        ratio = want // have
        if size % ratio:
            raise RuntimeError(f"self.size(-1) must be divisible by {ratio} {between}, but got {size}")
        if offset % want:
            raise RuntimeError(
                f"self.storage_offset() must be divisible by {ratio} {between}, but got {offset // have}"
            )
    if strides[-1] != have:
        raise RuntimeError(f"self.stride(-1) must be 1 {between}, but got {strides[-1] // have}")
    if have < want:
        for dim, stride in enumerate(strides[:-1]):
            if stride % want:
                raise RuntimeError(
                    f"self.stride({dim}) must be divisible by {ratio} {between}, but got {stride // have}"
                )
    shape = (*input.shape[:-1], size * have // want)
    return strided(input, shape, (*strides[:-1], want), dtype=dtype.numpy)


@op("(Tensor input)", view=True, namespace="internal", node="AliasBackward0", input=lambda g: g)
def alias(input: Array) -> Array:
    """The same elements in the same memory."""
    return input.view()


for _op in (
    slice_scatter, slice_back, select_scatter, narrow_copy, diagonal_back, diagonal_copy, diag_embed, diagonal_scatter,
    as_strided_scatter,
):  # they only move elements  # fmt: skip
    _op.kernel.of_any_width = True  # type: ignore[attr-defined]
