"""`tensor[index]` and `tensor[index] = value`.

As in torch, the ints, slices, None and Ellipsis of an index are applied first, as views; index tensors then select
from what is left.  (NumPy lets an int among index arrays count as one, which can move dimensions.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._capture import reads_values
from ._tensor import Tensor, wrap
from .ops import TABLE
from .ops._checks import sizes

_AT, _TAKE_AT = TABLE["at"], TABLE["take_at"]


def get(tensor: Tensor, index: Any) -> Tensor:
    """`tensor[index]`: a view for basic indices, otherwise a copy."""
    basic, advanced = split(tensor._data, index)
    view: Tensor = tensor if basic is None else _basic(tensor, basic, not isinstance(index, tuple))
    if advanced is None:
        return view
    _check_advanced(view._data, advanced)
    result: Tensor = _TAKE_AT.apply(view, advanced)
    return result


def put(tensor: Tensor, index: Any, value: Any) -> None:
    """`tensor[index] = value`, recorded as an in-place write."""
    basic, advanced = split(tensor._data, index if isinstance(index, tuple) else (index,))
    whole = basic is None or all(
        each is Ellipsis or (isinstance(each, slice) and each == slice(None)) for each in basic
    )
    target = tensor if basic is None or whole else _basic(tensor, basic, not isinstance(index, tuple))
    if not isinstance(value, Tensor):
        value = _as_value(value, target)
    if advanced is None and value._data.ndim == 0 != target._data.ndim:
        target.fill_(value)
    elif advanced is None:
        _check_fits(target._data.shape, value)
        target.copy_(_squeezed(value, target._data.ndim))
    else:
        _check_advanced(target._data, advanced)
        if value._data.dtype is not target._data.dtype and value._data.ndim:
            raise RuntimeError(
                f"Index put requires the source and destination dtypes match, got {target.dtype.title} for the destination "
                f"and {value.dtype.title} for the source."
            )
        _check_put(target._data[advanced].shape, value)
        target._index_put(value.to(target.dtype), advanced)


def _as_value(value: Any, target: Tensor) -> Tensor:
    if isinstance(value, (bool, int, float, np.generic)):
        with np.errstate(all="ignore"):
            return wrap(np.asarray(value).astype(target._data.dtype))
    if isinstance(value, np.ndarray):
        raise TypeError(f"can't assign a numpy.ndarray to a {target.dtype.tensor_type}")
    raise TypeError(f"can't assign a {type(value).__name__} to a {target.dtype.tensor_type}")


def _squeezed(value: Tensor, ndim: int) -> Tensor:
    """torch drops leading dimensions of size 1 that the target does not have."""
    while value._data.ndim > ndim and value._data.shape[0] == 1:
        value = value.squeeze(0)
    return value


def _check_fits(shape: tuple[int, ...], value: Tensor) -> None:
    value = _squeezed(value.detach(), len(shape))
    TABLE["expand"].kernel(value._data, shape)


def _check_put(shape: tuple[int, ...], value: Tensor) -> None:
    try:
        np.broadcast_to(value._data, shape)
    except ValueError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {sizes(value._data.shape)} cannot be broadcast to indexing result of "
            f"shape {sizes(shape)}"
        ) from None


def _basic(tensor: Tensor, index: tuple[Any, ...], bare: bool = False) -> Tensor:
    try:
        result: Tensor = _AT.apply(tensor, index)
    except IndexError:
        _explain_basic(tensor._data, index, bare)
        raise
    return result


def _explain_basic(array: Any, index: tuple[Any, ...], bare: bool) -> None:
    dims = sum(each is not None and each is not Ellipsis for each in index)
    if dims > array.ndim:
        if array.ndim == 0 and bare and isinstance(index[0], slice):
            raise IndexError("slice() cannot be applied to a 0-dim tensor.")
        if array.ndim == 0 and bare:
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
                "0-dim tensor to a number"
            )
        raise IndexError(f"too many indices for tensor of dimension {array.ndim}")
    dim = new = 0
    for each in index:
        if each is Ellipsis:
            dim += array.ndim - dims
        elif each is None:
            new += 1
        else:
            size = array.shape[dim]
            if isinstance(each, int) and not -size <= each < size:
                raise IndexError(f"index {each} is out of bounds for dimension {dim + new} with size {size}")
            dim += 1


def split(array: Any, index: Any) -> tuple[tuple[Any, ...] | None, tuple[Any, ...] | None]:
    """The basic and the advanced part of an index, each None if there is nothing to do."""
    items = index if isinstance(index, tuple) else (index,)
    basic: list[Any] = []
    advanced: list[Any] = []
    any_advanced = False
    consumed = sum(_dims_of(each) for each in items)
    if consumed > array.ndim and isinstance(index, tuple):
        raise IndexError(f"too many indices for tensor of dimension {array.ndim}")
    dim = 0
    for each in items:
        if each is Ellipsis:
            if Ellipsis in [part for part in basic if not isinstance(part, np.ndarray)]:
                continue  # torch lets a second one stand for no dimension
            free = max(array.ndim - consumed, 0)
            dim += free
            basic.append(Ellipsis)
            advanced.extend([slice(None)] * free)
        elif each is None:
            basic.append(None)
            advanced.append(slice(None))
        elif isinstance(each, slice):
            if each.step is not None and _bound(each.step) <= 0:
                raise ValueError("step must be greater than zero" if each.step else "slice step cannot be zero")
            whole = array.shape[dim] if dim < array.ndim and isinstance(index, tuple) else None
            basic.append(_plain_slice(each, whole))
            advanced.append(slice(None))
            dim += 1
        else:
            number = _as_int(each)
            if number is not None:
                basic.append(number)
                dim += 1
                continue
            array_index = _as_array(each)
            any_advanced = True
            if isinstance(each, bool) or (array_index.ndim == 0 and array_index.dtype.kind == "b"):
                basic.append(None)  # a new dimension, kept or emptied
                advanced.append(np.asarray([0] if array_index else [], np.int64))
            else:
                width = array_index.ndim if array_index.dtype.kind == "b" else 1
                basic.extend([slice(None)] * width)
                advanced.append(array_index)
                dim += width
    plain = all(isinstance(each, slice) and each == slice(None) for each in basic) and any_advanced
    return (None if plain else tuple(basic)), (tuple(advanced) if any_advanced else None)


def _plain_slice(item: slice, size: int | None) -> slice:
    """The slice with plain ints; within a tuple, one that takes the whole dimension (of `size`) does nothing."""
    start, stop, step = _bound(item.start), _bound(item.stop), _bound(item.step) or 1
    whole = size is not None and start in (None, 0) and stop in (None, size) and step == 1
    return slice(None) if whole else slice(start, stop, step)


def _dims_of(item: Any) -> int:
    if item is None or item is Ellipsis or isinstance(item, bool):
        return 0
    data = getattr(item, "_data", item)
    if isinstance(data, np.ndarray) and data.dtype.kind == "b":
        return data.ndim
    if isinstance(data, list):
        array = np.asarray(data)
        return array.ndim if array.dtype.kind == "b" else 1
    return 1


def _bound(value: Any) -> Any:
    return None if value is None else value.__index__()


def _as_int(item: Any) -> int | None:
    if isinstance(item, (int, np.integer)) and not isinstance(item, bool):
        return int(item)
    if isinstance(item, Tensor) and item._data.ndim == 0 and item._data.dtype.kind in "iu":
        reads_values("indexing by a 0-d tensor")
        return int(item._data)
    return None


def _as_array(item: Any) -> Any:
    """An index tensor, array or nested list as an int64 or boolean array."""
    if isinstance(item, Tensor):
        array = item._data
    elif isinstance(item, (list, tuple, np.ndarray, bool)):
        array = np.asarray([_plain(each) for each in item] if isinstance(item, (list, tuple)) else item)
        if array.size == 0 and not isinstance(item, np.ndarray):
            array = array.astype(np.int64)
    elif isinstance(item, float):
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got float)"
        )
    elif isinstance(item, str):
        raise TypeError("new(): invalid data type 'str'")
    else:
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
            f"{type(item).__name__})"
        )
    if array.dtype == np.uint8:
        reads_values("indexing by a uint8 mask")
        return array.astype(bool)
    if array.dtype.kind == "f":
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    return array


def _plain(item: Any) -> Any:
    return item._data if isinstance(item, Tensor) else item


def _check_advanced(array: Any, index: tuple[Any, ...]) -> None:
    """torch's errors for masks of another shape and for elements out of range (named by the index tensor's number)."""
    if sum(each.ndim if isinstance(each, np.ndarray) and each.dtype.kind == "b" else 1 for each in index) > array.ndim:
        raise IndexError(f"too many indices for tensor of dimension {array.ndim}")
    dim = 0
    shapes = []
    for each in index:
        if isinstance(each, slice):
            dim += 1
            continue
        if each.dtype.kind == "b":
            for offset, size in enumerate(each.shape):
                if size != array.shape[dim + offset]:
                    raise IndexError(
                        f"The shape of the mask {sizes(each.shape)} at index {offset} does not match the shape of the indexed "
                        f"tensor {sizes(array.shape)} at index {dim + offset}"
                    )
            shapes.extend([(int(np.count_nonzero(each)),)] * each.ndim)
            dim += each.ndim
        else:
            size = array.shape[dim]
            outside = (each < -size) | (each >= size)
            if outside.any():
                if size == 0:
                    raise IndexError("index is out of bounds for dimension with size 0")
                raise IndexError(
                    f"index {each[outside].reshape(-1)[0]} is out of bounds for dimension {len(shapes)} with size {size}"
                )
            shapes.append(each.shape)
            dim += 1
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        listed = ", ".join(map(sizes, shapes))
        raise IndexError(
            f"shape mismatch: indexing tensors could not be broadcast together with shapes {listed}"
        ) from None
