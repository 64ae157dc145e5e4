"""Reading and writing by index, and the scatters that are their derivatives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._checks import broadcast_strides, cast, laid_out_by_strides, sizes, title, wrap_dim
from ._table import Array, op
from .elementwise import where, zeros_of
from .reductions import sum_
from .shape import as_strided, narrow, select

Shape = tuple[int, ...]


# -- derivatives of views ----------------------------------------------------------------------------------------


def _slice_back(g: Any, dim: int, start: int, length: int | None) -> Any:
    return select(g, dim, start) if length is None else narrow(g, dim, start, length)


@op(
    "(Tensor input, int[] shape, int dim, int start, int? length)",
    node="SelectBackwardBackward0",
    input=_slice_back,
    namespace="internal",
)
def scatter_slice(input: Array, shape: Shape, dim: int, start: int, length: int | None) -> Array:
    """Zeros of `shape` with `input` at `start` of `dim`: `length` of it, or (None) without that dimension."""
    dim = wrap_dim(dim, len(shape))
    result = np.zeros_like(input, shape=shape)
    start = start + shape[dim] if start < 0 else start
    at: Any = start if length is None else slice(start, start + length)
    result[(slice(None),) * dim + (at,)] = input
    return result


def _element_numbers(shape: Shape, strides: Shape, itemsize: int) -> Array:
    """For each element of a strided view, the number of its place in memory, in elements."""
    places = np.zeros((), np.int64)
    for size, stride in zip(shape, strides, strict=True):
        places = places[..., None] + np.arange(size) * (stride // itemsize)
    return places


@op(
    "(Tensor input, Tensor like, int[] size, int[] stride, int? storage_offset)",
    arity=2,
    node="AsStridedBackwardBackward0",
    input=lambda g, size, stride, storage_offset: as_strided(g, size, stride, storage_offset),
    namespace="internal",
)
def gather_strided(input: Array, like: Array, size: Shape, stride: Shape, storage_offset: int | None) -> Array:
    """The gradient of `as_strided`: each element of `like` receives the gradients of all that viewed its memory."""
    start = storage_offset_of(like)
    mine = _element_numbers(like.shape, like.strides, like.itemsize).reshape(-1) + start
    seen = _element_numbers(size, tuple(like.itemsize * each for each in stride), like.itemsize).reshape(-1)
    seen = seen + (start if storage_offset is None else storage_offset)
    extent = int(max(mine.max(initial=-1), seen.max(initial=-1))) + 1
    return add_rows(input.reshape(-1, 1), seen, extent)[mine, 0].reshape(like.shape)


def storage_offset_of(x: Array) -> int:
    """How many elements after the start of its memory an array begins."""
    root: Any = x
    while isinstance(root.base, np.ndarray):
        root = root.base
    if root is x:
        return 0
    distance: int = x.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    return distance // x.itemsize


# -- indexing with expressions -----------------------------------------------------------------------------------


def _at_node(input: Any, index: Any) -> str:
    """torch applies the parts of an index one after the other; the last that does something names the node."""
    for part in reversed(index):
        if part is None:
            return "UnsqueezeBackward0"
        if isinstance(part, int):
            return "SelectBackward0"
        if isinstance(part, slice) and part != slice(None):
            return "SliceBackward0"
    return "AliasBackward0"


@op(
    "(Tensor input, object index)",
    view=True,
    node=_at_node,
    input=lambda g, input_shape, index: put_at(g, input_shape, index),
    namespace="internal",
)
def at(input: Array, index: Any) -> Array:
    """`input[index]` for ints, slices, None and Ellipsis: a view."""
    result = input[index]
    return result if isinstance(result, np.ndarray) else input[(*index, ...)]


@op(
    "(Tensor input, int[] shape, object index)",
    node="SliceBackwardBackward0",
    input=lambda g, index: at(g, index),
    namespace="internal",
)
def put_at(input: Array, shape: Shape, index: Any) -> Array:
    """Zeros of `shape` with `input` at `index`."""
    result = np.zeros_like(input, shape=shape)
    result[index] = input
    return result


@op(
    "(Tensor input, object index)",
    node="IndexBackward0",
    input=lambda g, input_shape, index: add_at(g, input_shape, index),
    namespace="internal",
)
def take_at(input: Array, index: Any) -> Array:
    """`input[index]` with integer or boolean arrays in the index: a copy, laid out as torch's iterator has it."""
    result = input[index]
    arrays = [each for each in index if isinstance(each, np.ndarray)]
    if result.ndim < 2:
        return result
    if all(each.flags.c_contiguous for each in (input, *arrays)):
        return result if result.flags.c_contiguous else result.copy()
    return laid_out_by_strides(result, _selection_strides(input, index, result.ndim))


def _selection_strides(input: Array, index: Any, ndim: int) -> list[list[int]]:
    """The strides of what is indexed and of each index array, as dimensions of the result.

    The input does not move along the dimensions of the index arrays, nor they along the input's.
    """
    places = [at for at, each in enumerate(index) if isinstance(each, np.ndarray)]
    arrays = [
        index[at] if index[at].dtype.kind != "b" else np.empty(np.count_nonzero(index[at]), bool) for at in places
    ]
    shape = np.broadcast_shapes(*(each.shape for each in arrays))
    widths = [each.ndim if isinstance(each, np.ndarray) and each.dtype.kind == "b" else 1 for each in index]
    adjacent = places == list(range(places[0], places[0] + len(places)))
    strides = list(input.strides)
    own: list[int] = []
    before = 0
    for at, width in enumerate(widths):
        taken, strides = strides[:width], strides[width:]
        if at not in places:
            own += taken
            before += at < places[0]
    own += strides
    front = before if adjacent else 0
    moving = [own[:front] + [0] * len(shape) + own[front:]]
    return moving + [[0] * front + broadcast_strides(each, shape) + [0] * (len(own) - front) for each in arrays]


_FEW = 256  # elements, up to which `np.add.at` is fastest on the rows themselves
_PAIRS = {np.dtype(np.float32): np.dtype(np.complex64), np.dtype(np.float64): np.dtype(np.complex128)}


def add_rows(values: Array, rows: Array, count: int) -> Array:
    """Zeros to whose row `rows[i]` row i of `values` is added, one after the other: (n, d), (n,) -> (count, d).

    `rows` holds int64 from 0 to count - 1.  `np.add.at` is fast on one-dimensional operands only (NumPy 1.25 on), so
    the rows are taken apart into elements; two floats go as one complex number, which halves their count.
    """
    width = values.shape[1]
    result = np.empty_like(values, shape=(count, width), order="C")
    result.fill(0)
    if values.size <= _FEW:
        np.add.at(result, rows, values)
        return result
    elements, places = np.ascontiguousarray(values).reshape(-1), rows
    target = result.reshape(-1)
    pair: Any = _PAIRS.get(values.dtype)
    if width % 2 == 0 and pair is not None:
        elements, target, width = elements.view(pair), target.view(pair), width // 2
    if width != 1:
        places = ((rows * width)[:, None] + np.arange(width)).reshape(-1)
    np.add.at(target, places, elements)
    return result


@op(
    "(Tensor input, int[] shape, object index)",
    node="IndexPutBackward0",
    input=lambda g, index: take_at(g, index),
    namespace="internal",
)
def add_at(input: Array, shape: Shape, index: Any) -> Array:
    """Zeros of `shape` to which `input` is added at `index`, repetitions included and in their order."""
    arrays, dims, first = _index_arrays(index)
    sizes_ = tuple(shape[dim] for dim in dims)
    rest = tuple(dim for dim in range(len(shape)) if dim not in dims)
    rows = np.zeros((), np.int64)
    for each, size in zip(arrays, sizes_, strict=True):
        rows = rows * size + np.where(each < 0, each + size, each)
    # the index's dimensions, which stand after `first` of the others, to the front
    own = tuple(range(first, first + rows.ndim))
    others = tuple(dim for dim in range(input.ndim) if dim not in own)
    width = math.prod(shape[dim] for dim in rest)
    values = input.transpose(own + others).reshape(rows.size, width)
    summed = add_rows(values, rows.reshape(-1), math.prod(sizes_))
    moved = summed.reshape(sizes_ + tuple(shape[dim] for dim in rest))
    order = (*dims, *rest)
    return moved.transpose([order.index(dim) for dim in range(len(shape))])


def _index_arrays(index: Any) -> tuple[list[Array], list[int], int]:
    """The integer arrays of an index, the dimensions that they select from, and the dimensions before theirs in the result.

    The index may end before the dimensions do; all else in it are whole dimensions.
    """
    arrays: list[Array] = []
    dims: list[int] = []
    dim = 0
    runs = 0  # of arrays side by side
    before = 0
    was_array = False
    for each in index:
        if isinstance(each, np.ndarray):
            runs += not was_array
            parts = np.nonzero(each) if each.dtype.kind == "b" else (each,)
            arrays += parts
            dims += range(dim, dim + len(parts))
            dim += len(parts)
        else:
            before += runs == 0
            dim += 1
        was_array = isinstance(each, np.ndarray)
    return arrays, dims, before if runs == 1 else 0


# -- along a dimension -------------------------------------------------------------------------------------------


@op(
    "(Tensor input, Tensor index, int[] shape, int dim)",
    arity=2,
    node="GatherBackwardBackward0",
    input=lambda g, index, dim: gather(g, dim, index),
    namespace="internal",
)
def scatter_along(input: Array, index: Array, shape: Shape, dim: int) -> Array:
    """Zeros of `shape` to which `input` is added at `index` along `dim`."""
    if not shape:
        return input.reshape(())
    dim = wrap_dim(dim, len(shape))
    step = math.prod(shape[dim + 1 :])
    places = index * step
    for each, size in enumerate(index.shape):
        if each != dim:
            numbers = np.arange(size) * math.prod(shape[each + 1 :])
            places = places + numbers.reshape((-1,) + (1,) * (index.ndim - 1 - each))
    values = input[tuple(slice(size) for size in index.shape)]
    return add_rows(values.reshape(-1, 1), places.reshape(-1), math.prod(shape)).reshape(shape)


def _check_index(name: str, input: Array, index: Array, dim: int) -> int:
    dim = wrap_dim(dim, input.ndim)
    if index.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"{name}(): Expected dtype int64 for index")
    return dim


@op(
    "(Tensor input, int dim, Tensor index, *, bool sparse_grad=False, Tensor? out=None)",
    input=lambda g, input_shape, dim, index: scatter_along(g, index, input_shape, dim),
)
def gather(input: Array, dim: int, index: Any, sparse_grad: bool = False) -> Array:
    index = _array(index)
    dim = _check_index("gather", input, index, dim)
    if max(index.ndim, 1) != max(input.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    for each in range(index.ndim):
        if each != dim and index.shape[each] > input.shape[each]:
            raise RuntimeError(
                f"Size does not match at dimension {each} expected index {sizes(index.shape)} to be no larger than self "
                f"{sizes(input.shape)} apart from dimension {dim}"
            )
    size = input.shape[dim] if input.ndim else 1
    outside = (index < 0) | (index >= size)
    if outside.any():
        raise RuntimeError(f"index {index[outside][0]} is out of bounds for dimension {dim} with size {size}")
    if not input.ndim:
        return np.full(index.shape, input, input.dtype)
    trimmed = input[tuple(slice(None) if each == dim else slice(n) for each, n in enumerate(index.shape))]
    return np.take_along_axis(trimmed, index.reshape(index.shape or (1,)), dim).reshape(index.shape)


def _array(x: Any) -> Array:
    """The array behind a Tensor that is not differentiated."""
    array: Array = x._data if hasattr(x, "_node") else x
    return array


@op(
    "(Tensor input, int dim, Tensor index, *, Tensor? out=None)",
    input=lambda g, input_shape, dim, index: _index_select_input(g, input_shape, dim, index),
)
def index_select(input: Array, dim: int, index: Any) -> Array:
    index = _array(index)
    dim = wrap_dim(dim, input.ndim)
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if index.dtype not in (np.int64, np.int32):
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    if not input.ndim:
        return input.copy()
    size = input.shape[dim]
    if ((index < 0) | (index >= size)).any():
        raise IndexError("index out of range in self")
    return np.take(input, index.reshape(-1), axis=dim)


def _index_select_input(g: Any, input_shape: Shape, dim: int, index: Any) -> Any:
    if not input_shape:
        return g
    dim = wrap_dim(dim, len(input_shape))
    return add_at(g, input_shape, (slice(None),) * dim + (_array(index).reshape(-1),))


# -- masks -------------------------------------------------------------------------------------------------------


@op(
    "(Tensor input, Tensor mask, Tensor value)",
    "(Tensor input, Tensor mask, Number value)",
    arity=3,
    inplace=True,
    input=lambda g, mask: where(mask, 0.0, g),
    value=lambda g, mask: sum_(where(mask, g, 0.0)),
)
def masked_fill(input: Array, mask: Array, value: Any) -> Array:
    if mask.dtype.kind != "b":
        raise RuntimeError(f"masked_fill only supports boolean masks, but got mask with dtype {title(mask)}")
    if isinstance(value, np.ndarray) and value.ndim:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    return np.where(mask, cast(value, input.dtype), input)


# -- writing -----------------------------------------------------------------------------------------------------


@op(
    "(Tensor input, Tensor values, object index, bool accumulate=False)",
    arity=2,
    inplace=True,
    node="IndexPutBackward0",
    input=lambda g, index, accumulate: g if accumulate else index_put(g, zeros_of(take_at(g, index)), index),
    values=lambda g, index: take_at(g, index),
    namespace="internal",
)
def index_put(input: Array, values: Array, index: Any, accumulate: bool = False) -> Array:
    """A copy of `input` with `values` written (or added) at `index`."""
    result = input.copy()
    if accumulate:
        result += add_at.kernel(np.broadcast_to(values, input[index].shape), input.shape, index)
    else:
        result[index] = values
    return result


def positions_in(base: Array, part: Array) -> Array:
    """For each element of a view `part` of `base`, its number in `base` counted row by row."""
    step = base.itemsize
    start = (part.__array_interface__["data"][0] - base.__array_interface__["data"][0]) // step
    wanted = np.asarray(start + _element_numbers(part.shape, part.strides, step))
    if base.flags.c_contiguous:
        return wanted
    places = _element_numbers(base.shape, base.strides, step).reshape(-1)
    order = np.argsort(places, kind="stable")
    return order[np.searchsorted(places, wanted, sorter=order)]
