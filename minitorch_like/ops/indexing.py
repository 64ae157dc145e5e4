"""Reading and writing by index, and the scatters that are their derivatives."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .._layout import offset_of, places_of
from ._checks import broadcast_strides, explain, laid_out_by_strides, sizes, strided, wrap_dim
from ._table import Array, op
from .elementwise import zeros_of
from .shape import copied, narrow, select

Shape = tuple[int, ...]


# -- derivatives of views ----------------------------------------------------------------------------------------


def _slice_back(g: Any, dim: int, start: int, length: int | None) -> Any:
    return select(g, dim, start) if length is None else narrow(g, dim, start, length)


@op(
    "(Tensor input, int[] shape, int dim, int start, int? length)",
    node=lambda *args: f"{'Select' if args[4] is None else 'Slice'}BackwardBackward0",
    input=_slice_back,
    namespace="internal",
)
def scatter_slice(input: Array, shape: Shape, dim: int, start: int, length: int | None) -> Array:
    """Zeros of `shape` with `input` at `start` of `dim`: `length` of it, or (None) without that dimension."""
    dim = wrap_dim(dim, len(shape))
    result = np.zeros_like(input, shape=shape, order="C")
    start = start + shape[dim] if start < 0 else start
    at: Any = start if length is None else slice(start, start + length)
    result[(slice(None),) * dim + (at,)] = input
    return result


def storage_offset_of(x: Array) -> int:
    """How many elements after the start of its memory an array begins."""
    return offset_of(x) // x.itemsize


# -- indexing with expressions -----------------------------------------------------------------------------------


def view_node(shape: Shape, index: Any) -> str:
    """torch's name of the node of `x[index]`, for `x` of `shape` and ints, slices, None and Ellipsis.

    torch applies the parts of an index one after the other; the last that does something names the node.
    """
    for place in reversed(range(len(index))):
        part = index[place]
        if part is None:
            return "UnsqueezeBackward0"
        if part is Ellipsis:
            continue
        if not isinstance(part, slice):
            return "SelectBackward0"
        if part.start not in (None, 0) or part.step not in (None, 1):
            return "SliceBackward0"
        dim = _dims(index[:place]) if Ellipsis not in index[:place] else len(shape) - 1 - _dims(index[place + 1 :])
        if part.stop is not None and part.stop < shape[dim]:
            return "SliceBackward0"
    return "AliasBackward0"


def _dims(parts: Any) -> int:
    """How many dimensions these parts of an index apply to."""
    return sum([part is not None and part is not Ellipsis for part in parts])


@op(
    "(Tensor input, object index)",
    view=True,
    node=lambda input, index: view_node(tuple(input.shape), index),
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
    result = np.zeros_like(input, shape=shape, order="C")
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
    try:
        result = _taken(input, index)
    except IndexError:
        explain(explain_misfit, input.shape, index)
        return np.empty_like(input, shape=selected_shape(input.shape, index))
    if result.ndim < 2:
        return result
    arrays = [each for each in index if isinstance(each, np.ndarray)]
    if all(each.flags.c_contiguous for each in (input, *arrays)):
        if not result.flags.c_contiguous:
            return result.copy()
        # NumPy hands out what it has transposed: dimensions of size 1 then have strides of their own.
        return result if result.base is None else strided(result, result.shape, _row_by_row(result))
    return laid_out_by_strides(result, _selection_strides(input, index, result.ndim))


def _row_by_row(x: Array) -> Shape:
    return tuple(x.itemsize * math.prod([size or 1 for size in x.shape[dim + 1 :]]) for dim in range(x.ndim))


def _taken(input: Array, index: Any) -> Any:
    """`input[index]`; for whole rows by `take`, which copies a row at a time."""
    first = index[0]
    if len(index) != 1 or not isinstance(first, np.ndarray) or not first.ndim or not input.flags.c_contiguous:
        return input[index]
    if first.dtype.kind != "b":
        return input.take(first, 0)
    if not input.size:
        return input[index]
    return input.reshape(-1, *input.shape[first.ndim :]).take(np.nonzero(first.reshape(-1))[0], 0)


def explain_misfit(shape: Shape, index: Any) -> None:
    """IndexError, in torch's words, for arrays that cannot be broadcast together, or with an element out of range.

    Where nothing is selected, torch does not look at the elements.
    """
    arrays, dims, _ = _index_arrays(index)
    selected_shape(shape, index)
    common = _common_shape(arrays)
    count = math.prod(common)
    if not count or not all(shape):
        return
    outside = [
        np.broadcast_to((each < -shape[dim]) | (each >= shape[dim]), common).reshape(-1)
        for each, dim in zip(arrays, dims, strict=True)
    ]
    firsts = [int(each.argmax()) if each.any() else count for each in outside]
    if min(firsts) < count:
        number = firsts.index(min(firsts))
        value = np.broadcast_to(arrays[number], common).reshape(-1)[firsts[number]]
        raise IndexError(f"index {value} is out of bounds for dimension {number} with size {shape[dims[number]]}")


def _common_shape(arrays: list[Array]) -> Shape:
    try:
        return np.broadcast_shapes(*(each.shape for each in arrays))
    except ValueError:
        listed = ", ".join(sizes(each.shape) for each in arrays)
        raise IndexError(
            f"shape mismatch: indexing tensors could not be broadcast together with shapes {listed}"
        ) from None


def selected_shape(shape: Shape, index: Any) -> Shape:
    """The shape of `input[index]`, whether or not the elements of the index are in range: of size 0 none can be."""
    arrays, dims, before = _index_arrays(index)
    common = _common_shape(arrays)
    if math.prod(common) and not all(shape[dim] for dim in dims):
        raise IndexError("index is out of bounds for dimension with size 0")
    rest = [size for dim, size in enumerate(shape) if dim not in dims]
    return (*rest[:before], *common, *rest[before:])


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
    sizes_, strides = list(input.shape), list(input.strides)
    own_sizes: list[int] = []
    own: list[int] = []
    before = 0
    for at, width in enumerate(widths):
        if at not in places:
            own_sizes += sizes_[:width]
            own += strides[:width]
            before += at < places[0]
        sizes_, strides = sizes_[width:], strides[width:]
    own_sizes, own = own_sizes + sizes_, own + strides
    front = before if adjacent else 0
    result = [own[:front] + [0] * len(shape) + own[front:]]
    for each in arrays:
        # torch gives an index array the input's dimensions as new ones of size 1, which stand still where the input moves
        steps = broadcast_strides(each, shape)
        outer, inner = (shape[0] * steps[0], steps[-1]) if shape else (each.itemsize, each.itemsize)
        new = [(outer if dim < front else inner) if size == 1 else 0 for dim, size in enumerate(own_sizes)]
        result.append(new[:front] + steps + new[front:])
    return result


_REMEMBERED = 1 << 14  # elements, up to which their numbers are kept: 128 KiB
_FEW = 256  # elements, up to which `np.add.at` is fastest on the rows themselves
_PAIRS = {np.dtype(np.float32): np.dtype(np.complex64), np.dtype(np.float64): np.dtype(np.complex128)}


def add_rows(values: Array, rows: Array, count: int) -> Array:
    """Zeros to whose row `rows[i]` row i of `values` is added, one after the other: (n, d), (n,) -> (count, d).

    `rows` holds int64 from 0 to count - 1.
    """
    result = np.empty_like(values, shape=(count, values.shape[1]), order="C")
    result.fill(0)
    add_rows_into(result, rows, values)
    return result


def add_rows_into(result: Array, rows: Array, values: Array) -> None:
    """Add row i of `values` to row `rows[i]` of a contiguous `result`, one after the other.

    `np.add.at` is fast on one-dimensional operands only (NumPy 1.25 on), so the rows are taken apart into elements; two
    floats go as one complex number, which halves their count.
    """
    width = values.shape[1]
    if not values.size:
        return
    if values.size <= _FEW and width != 1:
        np.add.at(result, rows, values)
        return
    elements, places = (values if values.flags.c_contiguous else values.copy()).reshape(-1), rows
    target = result.reshape(-1)
    pair: Any = _PAIRS.get(values.dtype)
    if width % 2 == 0 and pair is not None:
        elements, target, width = elements.view(pair), target.view(pair), width // 2
    if width != 1:
        places = _places_of_rows(rows, len(result), width).reshape(-1)
    np.add.at(target, places, elements)


def _places_of_rows(rows: Array, count: int, width: int) -> Array:
    """(n, width): where the elements of each of the rows are in a flat (count, width)."""
    if count <= len(rows) and count * width <= _REMEMBERED:  # whole rows are copied faster than computed
        places = np.empty_like(rows, shape=(len(rows), width))
        return np.take(_numbered(count, width), rows, 0, places, "clip")
    return (rows * width)[:, None] + np.arange(width)


@lru_cache(maxsize=8)
def _numbered(count: int, width: int) -> Array:
    return np.arange(count * width).reshape(count, width)


@op(
    "(Tensor input, int[] shape, object index)",
    node="IndexPutBackward0",
    input=lambda g, index: take_at(g, index),
    namespace="internal",
)
def add_at(input: Array, shape: Shape, index: Any) -> Array:
    """Zeros of `shape` to which `input` is added at `index`, repetitions included and in their order."""
    rows, dims, first = _row_numbers(shape, index)
    values = _rows_of(input, rows, first)
    summed = add_rows(values, rows.reshape(-1), math.prod(shape[dim] for dim in dims))
    order = _dims_first(len(shape), dims)
    result = summed.reshape([shape[dim] for dim in order]).transpose([order.index(dim) for dim in range(len(shape))])
    return result if result.flags.c_contiguous else result.copy()


def _row_numbers(shape: Shape, index: Any) -> tuple[Array, list[int], int]:
    """For each selected element its number among the indexed dimensions; these; and the dimensions before the index's."""
    arrays, dims, first = _index_arrays(index)
    rows: Any = None
    for each, dim in zip(arrays, dims, strict=True):
        size = shape[dim]
        wrapped = np.where(each < 0, each + size, each)
        rows = wrapped if rows is None else rows * size + wrapped
    return rows.astype(np.int64, copy=False), dims, first


def _rows_of(values: Array, rows: Array, first: int) -> Array:
    """`values`, shaped as the selection is, with the index's dimensions (`first` on) as rows: (n, rest)."""
    own = tuple(range(first, first + rows.ndim))
    if first:
        values = values.transpose(own + tuple(dim for dim in range(values.ndim) if dim not in own))
    return values.reshape(rows.size, math.prod(values.shape[rows.ndim :]))


def _dims_first(ndim: int, dims: list[int]) -> list[int]:
    return [*dims, *(dim for dim in range(ndim) if dim not in dims)]


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


# -- writing -----------------------------------------------------------------------------------------------------


@op(
    "(Tensor input, Tensor values, object index, bool accumulate=False)",
    arity=2,
    node="IndexPutBackward0",
    input=lambda g, index, accumulate: g if accumulate else index_put(g, zeros_of(take_at(g, index)), index),
    values=lambda g, index: take_at(g, index),
    namespace="internal",
)
def index_put(input: Array, values: Array, index: Any, accumulate: bool = False) -> Array:
    """A copy of `input` with `values` written (or added) at `index`."""
    result: Array = copied(input)
    put_into(result, values, index, accumulate)
    return result


def put_into(array: Array, values: Array, index: Any, accumulate: bool) -> None:
    """Write `values`, which broadcast to the selection, at `index`, or add them; of repetitions the last one stays."""
    if accumulate:
        _accumulate_into(array, values, index)
        return
    try:
        array[index] = values
    except IndexError:
        explain(explain_misfit, array.shape, index)


def _accumulate_into(array: Array, values: Array, index: Any) -> None:
    explain_misfit(array.shape, index)
    values = np.broadcast_to(values, selected_shape(array.shape, index))
    if not values.size:
        return
    if any(size > 1 and not step for size, step in zip(array.shape, array.strides, strict=True)):
        np.add.at(array, index, values)  # to a place that several elements share, each of them adds
        return
    rows, dims, first = _row_numbers(array.shape, index)
    order = _dims_first(array.ndim, dims)
    moved = array.transpose(order)
    target = moved if moved.flags.c_contiguous else moved.copy()
    add_rows_into(
        target.reshape(math.prod(array.shape[dim] for dim in dims), -1), rows.reshape(-1), _rows_of(values, rows, first)
    )
    if target is not moved:
        moved[...] = target


# -- along a dimension -------------------------------------------------------------------------------------------


@op(
    "(Tensor input, Tensor index, int[] shape, int dim)",
    arity=2,
    node="ScatterAddBackward0",
    input=lambda g, index, dim: gather(g, index, dim),
    namespace="internal",
)
def scatter_along(input: Array, index: Array, shape: Shape, dim: int) -> Array:
    """Zeros of `shape` to which `input` is added at `index` along `dim`."""
    if not shape:
        return input.sum(dtype=input.dtype).reshape(()) if input.ndim else input
    dim = wrap_dim(dim, len(shape))
    places = places_along(shape, index.reshape(index.shape or (1,)), dim)
    values = input.reshape(input.shape or (1,))[tuple(slice(size) for size in places.shape)]
    return add_rows(values.reshape(-1, 1), places.reshape(-1), math.prod(shape)).reshape(shape)


def places_along(shape: Shape, index: Array, dim: int) -> Array:
    """The number, in a contiguous array of `shape`, of the element that each of `index` chooses along `dim`."""
    step = math.prod(shape[dim + 1 :])
    places: Any = index.astype(np.int64, copy=False)
    if step != 1:
        places = places * step
    for each, size in enumerate(index.shape):
        if each != dim and size > 1:
            places = places + _offsets(size, math.prod(shape[each + 1 :]), index.ndim - 1 - each)
    return places


@lru_cache(maxsize=64)
def _offsets(size: int, step: int, trailing: int) -> Array:
    """0, step, 2 step, ... along the dimension that `trailing` others follow; not to be written to."""
    return np.arange(0, size * step or size, step or 1).reshape((-1,) + (1,) * trailing)


UNSIGNED: dict[Any, Any] = {np.dtype(np.int64): np.dtype(np.uint64), np.dtype(np.int32): np.dtype(np.uint32)}


def check_range(index: Array, dim: int, size: int) -> None:
    """RuntimeError for an element outside 0 <= index < size; negative numbers are large ones when read without sign."""
    if index.size and np.maximum.reduce(index.view(UNSIGNED[index.dtype]), axis=None) >= size:
        outside = (index < 0) | (index >= size)
        raise RuntimeError(f"index {index[outside][0]} is out of bounds for dimension {dim} with size {size}")


def check_index_dtype(name: str, index: Array) -> None:
    if index.dtype not in UNSIGNED and index.size:
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")


def _gather_input(g: Any, input: Any, index: Any, dim: int, sparse_grad: bool) -> Any:
    """Of the operand the shape is enough; but as torch saves it, a later write to it is an error."""
    return scatter_along(g, index, tuple(input.shape), dim)


@op(
    "(Tensor input, int dim, Tensor index, *, bool sparse_grad=False, Tensor? out=None)",
    arity=2,
    input=_gather_input,
)
def gather(input: Array, index: Array, dim: int, sparse_grad: bool = False) -> Array:
    """The element of `input` that `index` chooses along `dim`, at every place of `index`."""
    dim = wrap_dim(dim, input.ndim)
    check_index_dtype("gather", index)
    if not index.size:
        return np.empty_like(input, shape=index.shape)
    if max(index.ndim, 1) != max(input.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    for each in range(index.ndim):
        if each != dim and index.shape[each] > input.shape[each]:
            raise RuntimeError(
                f"Size does not match at dimension {each} expected index {sizes(index.shape)} to be no larger than self "
                f"{sizes(input.shape)} apart from dimension {dim}"
            )
    check_range(index, dim, input.shape[dim] if input.ndim else 1)
    if sparse_grad:
        raise NotImplementedError("gather: sparse_grad=True is not supported, gradients are dense")
    if not index.ndim or not input.ndim:
        return input.reshape(-1).take(index)
    if input.flags.c_contiguous or index.size * 4 > input.size:
        return input.reshape(-1).take(places_along(input.shape, index, dim))
    trimmed = input[tuple(slice(None) if each == dim else slice(n) for each, n in enumerate(index.shape))]
    return np.take_along_axis(trimmed, index, dim)


def positions_in(base: Array, part: Array) -> Array:
    """For each element of a view `part` of `base`, its number in `base` counted row by row.

    Where each begins is told by its offset in its own memory: the two may have been given other ones since, see `Tensor.data`.
    """
    step = base.itemsize
    start = (offset_of(part) - offset_of(base)) // step
    wanted = np.asarray(start + places_of(part.shape, part.strides, step))
    if base.flags.c_contiguous:
        return wanted
    places = places_of(base.shape, base.strides, step).reshape(-1)
    order = np.argsort(places, kind="stable")
    return order[np.searchsorted(places, wanted, sorter=order)]


# These only move elements, or round each sum as torch does: they need no widening of 16-bit floats, and of complex numbers
# no conjugates, for where to an element moves is real.
for _op in (scatter_slice, at, put_at, take_at, add_at, index_put, scatter_along, gather):
    _op.kernel.of_any_width = True  # type: ignore[attr-defined]
    _op.holomorphic = False
