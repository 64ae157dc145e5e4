"""Whole slices along one dimension, by a vector of their numbers: select, add, copy, fill, reduce."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._once import warn_once
from ._checks import sizes, title, wrap_dim
from ._scalars import number_as
from ._scatter_rules import Along, reduced_input, reduced_source
from ._table import Array, op
from .elementwise import eq, where, zeros_of
from .indexing import UNSIGNED, add_at, add_rows_into, check_range
from .reductions import sum_
from .scatter import reduce_at, wide
from .shape import copied, reshape
from .views import check_within_storage, geometry_of

Shape = tuple[int, ...]


def _slices(dim: int, index: Any) -> tuple[Any, ...]:
    return (*(slice(None),) * dim, index)


def _vector(index: Any) -> Any:
    """A 0-d index as a vector."""
    return index if index.ndim else index.reshape(1)


# -- select ----------------------------------------------------------------------------------------------------------


def _select_input(g: Any, input_shape: Shape, index: Any, dim: int) -> Any:
    if not input_shape:
        return reshape(g, ())
    if not index.ndim:
        index = reshape(index, (1,))
    return add_slices(g, index, tuple(input_shape), wrap_dim(dim, len(input_shape)))


@op(
    "(Tensor input, Tensor index, int[] shape, int dim)",
    arity=2,
    node="IndexAddBackward0",
    namespace="internal",
    input=lambda g, index, dim: index_select(g, index, dim),
)
def add_slices(input: Array, index: Array, shape: Shape, dim: int) -> Array:
    """Zeros of `shape` to whose slices along `dim` those of `input` are added, one after the other."""
    return add_at.kernel(input, shape, _slices(dim, index))


@op("(Tensor input, int dim, Tensor index, *, Tensor? out=None)", arity=2, input=_select_input)
def index_select(input: Array, index: Array, dim: int) -> Array:
    """The slices of `input` along `dim` whose numbers are in `index`: (..., n, ...), (k) -> (..., k, ...)."""
    dim = wrap_dim(dim, input.ndim)
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if index.dtype not in UNSIGNED:
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    if not input.ndim and index.size != 1:
        raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {index.size} value(s)")
    size = input.shape[dim] if input.ndim else 1
    if index.size and not size and input.ndim > 1:
        raise RuntimeError("index_select(): self indexing axis dim should be positive")
    if index.size and np.maximum.reduce(index.view(UNSIGNED[index.dtype]), axis=None) >= size:
        if dim == 1:  # of which torch has a kernel of its own
            first = next(number for number in index.reshape(-1).tolist() if not 0 <= number < size)
            raise RuntimeError(f"INDICES element is out of DATA bounds, id={first} axis_dim={size}")
        raise IndexError("index out of range in self")
    return input.take(_vector(index), dim) if input.ndim else input.copy()


# -- add -------------------------------------------------------------------------------------------------------------


def _picked(g: Any, index: Any, dim: int, shape: Shape) -> Any:
    """The slices of a gradient, for a source of `shape`, which may lack a dimension of size 1."""
    picked = index_select(g, index, dim)
    return picked if tuple(picked.shape) == tuple(shape) else reshape(picked, tuple(shape))


def _scaled(g: Any, alpha: Any) -> Any:
    return g if alpha == 1 else g * alpha.conjugate()


def check_adding(name: str, input: Array, index: Array, source: Array, dim: int) -> int:
    """The dimension, counted from the front.  Raises torch's errors for operands that do not go together."""
    dim = wrap_dim(dim, input.ndim)
    if index.ndim > 1:
        raise IndexError(
            f"{name}(): Index is supposed to be a vector, but got dim: {index.ndim} with type: {title(index)} and size: "
            f"{sizes(index.shape)}"
        )
    if index.dtype not in UNSIGNED:
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index but got: {title(index)}")
    if input.dtype is not source.dtype:
        raise RuntimeError(
            f"{name}(): self ({title(input)}) and source ({title(source)}) must have the same scalar type"
        )
    if dim >= max(source.ndim, 1):
        raise RuntimeError(f"{name}(): Indexing dim {dim} is out of bounds of the source tensor with dim {source.ndim}")
    if index.size != (source.shape[dim] if source.ndim else 1):
        if not source.ndim:
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
        raise RuntimeError(
            f"{name}(): Number of indices ({index.size}) should be equal to source.size(dim): ({source.shape[dim]}), for "
            f"dim: {dim}"
        )
    if _without(input.shape, dim) != _without(source.shape, dim) or input.ndim != source.ndim:
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
            f"{sizes(input.shape)} source.shape = {sizes(source.shape)}"
        )
    return dim


def _without(shape: Shape, dim: int) -> Shape:
    return shape[:dim] + shape[dim + 1 :]


@op(
    "(Tensor input, int dim, Tensor index, Tensor source, *, Number alpha=1, Tensor? out=None)",
    arity=3,
    input=lambda g: g,
    source=lambda g, index, source, dim, alpha: _scaled(_picked(g, index, dim, source.shape), alpha),
)
def index_add(input: Array, index: Array, source: Array, dim: int, alpha: Any = 1) -> Array:
    """A copy of `input` to whose slices along `dim` those of `source`, times `alpha`, are added, one after the other."""
    result = input.copy()
    index_add_into(result, index, source, dim, alpha)
    return result


def index_add_into(array: Array, index: Array, source: Array, dim: int, alpha: Any = 1) -> None:
    """`index_add` in place."""
    dim = check_adding("index_add_", array, index, source, dim)
    if not source.size or (array.ndim > 1 and not array.size):
        return
    _check_slices(index, dim, array)
    if alpha != 1:
        source = source * number_as(alpha, array.dtype)
    # Of a vector of 16-bit floats torch rounds each sum; of anything else they are added up in float32.
    work = array.astype(wide(array.dtype), copy=False) if array.ndim > 1 else array
    _add_slices(work, index.reshape(-1), source, dim)
    if work is not array:
        array[...] = work


def _check_slices(index: Array, dim: int, array: Array) -> None:
    """torch has a loop of its own for slices in the middle, and for vectors, which objects in other words."""
    size = array.shape[dim] if array.ndim else 1
    if 0 in (array.ndim - 1 - dim, dim) and array.ndim > 1:
        check_range(index, dim, size)
    elif np.maximum.reduce(index.view(UNSIGNED[index.dtype]), axis=None) >= size:
        raise IndexError("index out of range in self")


def _add_slices(array: Array, index: Array, source: Array, dim: int) -> None:
    if not array.ndim:
        array += source
        return
    if array.dtype.kind == "b":
        np.logical_or.at(np.moveaxis(array, dim, 0), index, np.moveaxis(source, dim, 0))
        return
    order = (dim, *(each for each in range(array.ndim) if each != dim))
    moved = array.transpose(order)
    target = moved if moved.flags.c_contiguous else moved.copy()
    rows = source.transpose(order).reshape(index.size, -1)
    add_rows_into(
        target.reshape(len(target), -1), index.astype(np.int64, copy=False), rows.astype(array.dtype, copy=False)
    )
    if target is not moved:
        moved[...] = target


# -- copy and fill ---------------------------------------------------------------------------------------------------


def _reaches_memory(array: Array, index: Array, dim: int) -> bool:
    """Whether there is an element to write to, if `index` says so.

    torch looks at the array as one with as many slices as the index has numbers, all of them the first: RuntimeError,
    about strides, where there is no memory for one.
    """
    if not index.size or 0 in _without(array.shape, dim):
        return False
    if not array.size:
        shape, strides, offset = geometry_of(array)
        size = (*shape[:dim], index.size, *shape[dim + 1 :])
        check_within_storage(array, size, (*strides[:dim], 0, *strides[dim + 1 :]), offset)
    return True


def _check_copying(input: Array, index: Array, source: Array, dim: int) -> int:
    dim = wrap_dim(dim, input.ndim)
    if index.ndim >= 2:
        raise IndexError(f"index_copy_(): Index should have dimension 1 or 0 (got {index.ndim})")
    if not source.ndim and index.size != 1:
        raise IndexError(f"index_copy_(): When source is scalar, index should have one element (got {index.size})")
    if source.ndim and input.ndim and source.ndim != input.ndim:
        raise IndexError(
            "index_copy_(): When source and destination are not scalars, their dimensionality must match. Source "
            f"dimensionality ({source.ndim}), destination dimensionality ({input.ndim})"
        )
    if index.dtype != np.int64:
        raise RuntimeError(f"index_copy_(): Expected a long tensor for index, but got {title(index)}")
    if input.dtype is not source.dtype:
        raise RuntimeError(
            f"index_copy_(): self and source expected to have the same dtype, but got (self) {title(input)} and (source) "
            f"{title(source)}"
        )
    mine, others = _without(input.shape, dim), _without(source.shape, dim)
    if mine != others:
        raise RuntimeError(
            "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: "
            f"{' '.join(map(str, mine))} at dimension {dim} and source slice shape: {' '.join(map(str, others))} at "
            "dimension 0."
        )
    if source.ndim and index.size != source.shape[dim]:
        raise IndexError(
            f"index_copy_(): Number of indices ({index.size}) should be equal to source.size(dim) ({source.shape[dim]})"
        )
    size = input.shape[dim] if input.ndim else 1
    if not _reaches_memory(input, index, dim):
        return dim
    if np.maximum.reduce(index.view(np.uint64), axis=None) >= size:
        outside = index[(index < 0) | (index >= size)]
        raise IndexError(f"index_copy_(): index {outside[0]} is out of bounds for dimension {dim} with size {size}")
    return dim


@op(
    "(Tensor input, int dim, Tensor index, Tensor source, *, Tensor? out=None)",
    arity=3,
    input=lambda g, index, dim: index_fill(g, index, 0, dim),
    source=lambda g, index, source, dim: _picked(g, index, dim, source.shape),
)
def index_copy(input: Array, index: Array, source: Array, dim: int) -> Array:
    """A copy of `input` whose slices along `dim` with the numbers in `index` are those of `source`."""
    result = input.copy()
    index_copy_into(result, index, source, dim)
    return result


def index_copy_into(array: Array, index: Array, source: Array, dim: int) -> None:
    """`index_copy` in place: of several slices for one place the last one stays."""
    dim = _check_copying(array, index, source, dim)
    if not array.ndim:
        array[...] = source.reshape(())
    elif index.size and array.size:
        array[_slices(dim, _vector(index))] = source if source.ndim else source.reshape(1)


def _filled(index: Any, g: Any, dim: int) -> Any:
    """The sum of what was filled, repetitions counted once."""
    return sum_(where(eq(index_fill(zeros_of(g), index, 1, dim), 1), g, 0.0))


@op(
    "(Tensor input, int dim, Tensor index, Tensor value)",
    "(Tensor input, int dim, Tensor index, Number value)",
    arity=3,
    node=lambda input, index, value, dim: f"IndexFillBackward{int(hasattr(value, '_node'))}",
    input=lambda g, index, dim: index_fill(g, index, 0, dim),
    value=lambda g, index, dim: _filled(index, g, dim),
)
def index_fill(input: Array, index: Array, value: Any, dim: int) -> Array:
    """A copy of `input` whose slices along `dim` with the numbers in `index` are `value` throughout."""
    result: Array = copied(input)
    index_fill_into(result, index, value, dim)
    return result


def index_fill_into(array: Array, index: Array, value: Any, dim: int) -> None:
    """`index_fill` in place; negative numbers count from the end."""
    if isinstance(value, np.ndarray) and value.ndim:
        raise RuntimeError(
            f"index_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    if index.dtype != np.int64:
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    if isinstance(value, complex) and array.dtype.kind != "c":
        raise RuntimeError("index_fill_(): Converting complex Scalar to non-complex type is not supported")
    dim = wrap_dim(dim, array.ndim)
    if index.ndim > 1:
        raise RuntimeError("Index has to be a vector/scalar")
    size = array.shape[dim] if array.ndim else 1
    outside = (index < -size) | (index >= size)
    if _reaches_memory(array, index, dim) and np.logical_or.reduce(outside, axis=None):
        raise IndexError(f"index {index[outside][0]} is out of bounds for dimension {dim} with size {size}")
    filling = value if isinstance(value, np.ndarray) else number_as(value, array.dtype)
    if not array.ndim:
        if index.size:
            array[...] = filling
    elif array.size:
        array[_slices(dim, _vector(index))] = filling


# -- reduce ----------------------------------------------------------------------------------------------------------


def _along(index: Any, dim: int) -> Along:
    """How the rules of `index_reduce` read and write."""
    return Along(
        pick=lambda x: index_select(x, index, dim),
        add=lambda x, y: index_add(x, index, y, dim),
        clear=lambda x: index_fill(x, index, 0, dim),
        reduce=lambda x, source, mode, include: index_reduce(x, index, source, dim, mode, include),
    )


def _reduce_input(
    g: Any, input: Any, index: Any, source: Any, out: Any, dim: int, reduce: str, include_self: bool
) -> Any:
    return reduced_input(g, input, source, out, reduce, include_self, _along(index, dim))


def _reduce_source(
    g: Any, input: Any, index: Any, source: Any, out: Any, dim: int, reduce: str, include_self: bool
) -> Any:
    return reduced_source(g, input, source, out, reduce, include_self, _along(index, dim))


@op(
    "(Tensor input, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True, Tensor? out=None)",
    arity=3,
    input=_reduce_input,
    source=_reduce_source,
)
def index_reduce(input: Array, index: Array, source: Array, dim: int, reduce: str, include_self: bool = True) -> Array:
    """A copy of `input` into whose slices along `dim` those of `source` are reduced."""
    result = input.copy()
    index_reduce_into(result, index, source, dim, reduce, include_self)
    return result


def _refuse(array: Array, reduce: str, include_self: bool) -> None:
    """torch has kernels for truth values and complex numbers in some cases only."""
    if not include_self:
        missing = "index_reduce_func_exclude_input_init"
    elif array.ndim < 2:
        missing = "index_func_"
    elif array.dtype.kind == "b":
        missing = "div_floor_cpu" if reduce == "mean" else ""
    else:
        missing = {"amax": "maximum_cpu", "amin": "minimum_cpu"}.get(reduce, "")
    if missing:
        raise NotImplementedError(f"\"{missing}\" not implemented for '{title(array)}'")


def check_reducing(input: Array, index: Array, source: Array, dim: int, reduce: str) -> int:
    """The dimension, counted from the front.  Raises torch's errors."""
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    return check_adding("index_reduce_", input, index, source, dim)


def index_reduce_into(
    array: Array, index: Array, source: Array, dim: int, reduce: str, include_self: bool = True
) -> None:
    """`index_reduce` in place."""
    dim = check_reducing(array, index, source, dim, reduce)
    size = array.shape[dim] if array.ndim else 1
    warn_once("index_reduce() is in beta and the API may change at any time.")
    if index.size and np.maximum.reduce(index.view(UNSIGNED[index.dtype]), axis=None) >= size:
        if not include_self:  # then torch clears these places first
            outside = index[(index < 0) | (index >= size)]
            raise IndexError(f"index {outside[0]} is out of bounds for dimension {dim} with size {size}")
        raise IndexError("index out of range in self")
    if array.dtype.kind in "bc":
        _refuse(array, reduce, include_self)
    if not source.size:
        return
    order = (dim, *(each for each in range(array.ndim) if each != dim)) if array.ndim else ()
    moved = array.transpose(order)
    target = moved.copy().reshape(-1)
    width = math.prod(moved.shape[1:])
    places = (index.reshape(-1).astype(np.int64, copy=False) * width)[:, None] + np.arange(width)
    reduce_at(target, places.reshape(-1), source.transpose(order).reshape(-1), reduce, include_self)
    moved[...] = target.reshape(moved.shape)


for _op in (index_select, add_slices, index_add, index_copy, index_fill, index_reduce):
    _op.kernel.of_any_width = True  # type: ignore[attr-defined]
    _op.holomorphic = _op is index_reduce  # the others only move elements, or conjugate themselves
