"""Elements by a mask, and elements by their number in the whole tensor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._checks import broadcast_shapes, c_name, sizes, title
from ._scalars import number_as
from ._table import Array, op
from .elementwise import where
from .indexing import add_rows
from .reductions import sum_
from .shape import copied, expand, reshape

Shape = tuple[int, ...]

# -- masks -----------------------------------------------------------------------------------------------------------


def _check_filling(mask: Array, value: Any) -> None:
    if isinstance(value, np.ndarray) and value.ndim:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    if mask.dtype.kind != "b":
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {c_name(mask)}")


def _check_fill(input: Array, mask: Array, value: Any) -> Any:
    """The value as an array of the dtype of `input`, into which it has to fit."""
    _check_filling(mask, value)
    if type(value) is np.ndarray and value.dtype is not input.dtype:
        value = value.item()
    if not isinstance(value, np.ndarray):
        value = number_as(value, input.dtype)
    elif value.dtype.kind == "c" != input.dtype.kind:
        value = number_as(value.item(), input.dtype)  # which must be real
    if value.dtype is not input.dtype:
        with np.errstate(all="ignore"):
            value = value.astype(input.dtype)
    return value


@op(
    "(Tensor input, Tensor mask, Tensor value)",
    "(Tensor input, Tensor mask, Number value)",
    arity=3,
    node=lambda input, mask, value: f"MaskedFillBackward{int(hasattr(value, '_node'))}",
    input=lambda g, mask: masked_fill(g, mask, 0.0),
    value=lambda g, mask: sum_(where(mask, g, 0.0)),
)
def masked_fill(input: Array, mask: Array, value: Any) -> Array:
    """`input` with `value` where the mask holds; both are broadcast."""
    if mask.shape != input.shape:
        broadcast_shapes(mask.shape, input.shape)
    value = _check_fill(input, mask, value)
    result = np.where(mask, value, input)
    return result if result.flags.c_contiguous else result.copy()


def masked_fill_into(array: Array, mask: Array, value: Any) -> None:
    """`masked_fill` in place."""
    if mask.shape != array.shape:
        _check_filling(mask, value)
        common = broadcast_shapes(array.shape, mask.shape)
        if common != array.shape:
            raise RuntimeError(
                f"output with shape {sizes(array.shape)} doesn't match the broadcast shape {sizes(common)}"
            )
    np.copyto(array, _check_fill(array, mask, value), where=mask)


def _select_input(g: Any, input: Any, mask: Any) -> Any:
    return masked_spread(g, mask, broadcast_shapes(tuple(input.shape), tuple(mask.shape)))


@op("(Tensor input, Tensor mask, *, Tensor? out=None)", arity=2, input=_select_input)
def masked_select(input: Array, mask: Array) -> Array:
    """The elements where `mask` holds, in a row; both are broadcast."""
    if mask.dtype.kind != "b":
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    shape = broadcast_shapes(mask.shape, input.shape)
    if input.shape != shape:
        input = np.broadcast_to(input, shape)
    if mask.shape != shape:
        mask = np.broadcast_to(mask, shape)
    return input.reshape(-1).take(np.nonzero(mask.reshape(-1))[0])


@op(
    "(Tensor input, Tensor mask, int[] shape)",
    arity=2,
    node="MaskedScatterBackward0",
    namespace="internal",
    input=lambda g, mask: masked_select(g, mask),
)
def masked_spread(input: Array, mask: Array, shape: Shape) -> Array:
    """Zeros of `shape` with `input` where the mask, broadcast, holds."""
    result = np.zeros_like(input, shape=shape)
    result[np.broadcast_to(mask, shape)] = input
    return result


def _scatter_source(g: Any, mask: Any, source_shape: Shape) -> Any:
    shape = tuple(source_shape)
    return reshape(first_of(masked_select(g, mask), math.prod(shape)), shape)


@op(
    "(Tensor input, Tensor mask, Tensor source)",
    arity=3,
    input=lambda g, mask: masked_fill(g, mask, 0.0),
    source=_scatter_source,
)
def masked_scatter(input: Array, mask: Array, source: Array) -> Array:
    """`input` with the elements of `source`, one after the other, where the mask holds."""
    shape = broadcast_shapes(mask.shape, input.shape)
    result = np.broadcast_to(input, shape).copy()
    masked_scatter_into(result, mask, source)
    return result


def masked_scatter_into(array: Array, mask: Array, source: Array) -> None:
    """`masked_scatter` in place."""
    if array.dtype is not source.dtype:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got{title(array)} and {title(source)}"
        )
    if mask.dtype == np.uint8:
        from .._once import warn_of_call

        warn_of_call(
            "masked_scatter_ received a mask with dtype torch.uint8, this behavior is now deprecated,please use a mask with "
            "dtype torch.bool instead.",
        )
    if mask.dtype.kind != "b":
        raise RuntimeError(f"masked_scatter_ only supports boolean masks, but got mask with dtype {title(mask)}")
    if mask.ndim > array.ndim:
        raise RuntimeError(
            f"expand(CPUBoolType{{{sizes(mask.shape)}}}, size={sizes(array.shape)}): the number of sizes provided "
            f"({array.ndim}) must be greater or equal to the number of dimensions in the tensor ({mask.ndim})"
        )
    mask = expand.kernel(mask, array.shape)
    places = np.nonzero(mask.reshape(-1))[0]
    if len(places) > source.size:
        raise RuntimeError("Number of elements of source < number of ones in mask")
    array[mask] = source.reshape(-1)[: len(places)]


@op(
    "(Tensor input, int count)",
    node="ConstantPadNdBackward0",
    namespace="internal",
    input=lambda g, input_shape: first_of(g, input_shape[0]),
)
def first_of(input: Array, count: int) -> Array:
    """The first `count` elements of a vector, with zeros where it has fewer."""
    result = np.zeros_like(input, shape=(count,))
    kept = min(count, len(input))
    result[:kept] = input[:kept]
    return result


# -- by number -------------------------------------------------------------------------------------------------------


def _check_numbers(index: Array, count: int) -> None:
    outside = (index < -count) | (index >= count)
    if index.size and np.logical_or.reduce(outside, axis=None):
        raise IndexError(f"out of range: tried to access index {index[outside][0]} on a tensor of {count} elements.")


def _check_long(name: str, index: Array) -> None:
    if index.dtype != np.int64:
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {title(index)}")


@op(
    "(Tensor input, Tensor index, *, Tensor? out=None)",
    arity=2,
    input=lambda g, input, index: spread(g, index, tuple(input.shape)),
)
def take(input: Array, index: Array) -> Array:
    """The elements with these numbers, counted row by row: (*), (k) -> (k)."""
    _check_long("take", index)
    if index.size and not input.size:
        raise IndexError("take(): tried to take from an empty tensor")
    _check_numbers(index, input.size)
    return input.reshape(-1).take(index) if index.size else np.empty_like(input, shape=index.shape)


@op(
    "(Tensor input, Tensor index, int[] shape)",
    arity=2,
    node="PutBackward0",
    namespace="internal",
    input=lambda g, index: take(g, index),
)
def spread(input: Array, index: Array, shape: Shape) -> Array:
    """Zeros of `shape` to whose elements with the numbers in `index` those of `input` are added."""
    count = math.prod(shape)
    rows = np.where(index < 0, index + count, index).reshape(-1)
    return add_rows(input.reshape(-1, 1), rows, count).reshape(shape)


def _put_input(g: Any, index: Any, accumulate: bool) -> Any:
    return g if accumulate else clear(g, index)


@op(
    "(Tensor input, Tensor index)",
    arity=2,
    node="PutBackward0",
    namespace="internal",
    input=lambda g, index: clear(g, index),
)
def clear(input: Array, index: Array) -> Array:
    """A copy of `input` with zeros at the elements with these numbers."""
    result = input.copy()
    result.reshape(-1)[index.reshape(-1)] = 0
    return result


@op(
    "(Tensor input, Tensor index, Tensor source, bool accumulate=False)",
    arity=3,
    input=_put_input,
    source=lambda g, index, source: reshape(take(g, index), tuple(source.shape)),
)
def put(input: Array, index: Array, source: Array, accumulate: bool = False) -> Array:
    """A copy of `input` in which the elements with these numbers are those of `source`."""
    result: Array = copied(input)
    put_into(result, index, source, accumulate)
    return result


def check_putting(array: Array, index: Array, source: Array, accumulate: bool = False) -> None:
    """Raises torch's errors for operands that do not go together."""
    _check_long("put_", index)
    if array.dtype is not source.dtype:
        raise RuntimeError(
            f"put_(): self and source expected to have the same dtype, but got self.dtype = {title(array)} and source.dtype "
            f"= {title(source)}"
        )
    if source.size != index.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source.size}, index.numel() = {index.size}"
        )
    if index.size and not array.size:
        raise IndexError("put_(): Tried to put elements into an empty tensor")


def put_into(array: Array, index: Array, source: Array, accumulate: bool = False) -> None:
    """`put` in place: of several values for one element the last one stays, or all are added."""
    check_putting(array, index, source)
    _check_numbers(index, array.size)
    if not index.size:
        return
    flat = array if array.flags.c_contiguous else array.copy()
    row, places = flat.reshape(-1), np.where(index < 0, index + array.size, index).reshape(-1)
    if accumulate:
        np.add.at(row, places, source.reshape(-1))
    else:
        row[places] = source.reshape(-1)
    if flat is not array:
        array[...] = flat


for _op in (masked_fill, masked_select, masked_spread, masked_scatter, first_of, take, spread, put, clear):
    _op.kernel.of_any_width = True  # type: ignore[attr-defined]
    _op.holomorphic = False  # it only moves elements
