"""Lists, ranges and NumPy arrays as indices: int64, or truth values where all of their elements are.

torch reads them by rules of its own: Python's floats are cut off, an element that is a tensor counts as a number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]

_PLAIN = frozenset({int, bool})
_DIRECT = frozenset(map(np.dtype, (np.int64, np.bool_)))


def as_index(data: Any) -> Array:
    """`data` as an array of int64, bool or (NumPy's only) uint8."""
    if isinstance(data, np.ndarray):
        return _converted(data)
    first = data
    while first.__class__ is list and first:
        first = first[0]
    if first.__class__ in _PLAIN:
        try:
            array = np.array(data)
        except ValueError:  # ragged, or with tensors in it
            array = None
        if array is not None and array.dtype in _DIRECT:
            return array
    return _read(data)


def _converted(array: Array) -> Array:
    if any(stride < 0 for stride in array.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not currently "
            "supported. (You can probably work around this by making a copy of your array  with array.copy().) "
        )
    if not array.dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. Conversion between byte orders is "
            "currently not supported."
        )
    if array.dtype.kind not in "biufc":
        raise TypeError(
            f"can't convert np.ndarray of type {array.dtype.type.__module__}.{array.dtype.type.__name__}. The only supported "
            "types are: float64, float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, "
            "uint16, uint8, and bool."
        )
    if array.dtype.kind == "c":
        from .._once import warn_of_call

        warn_of_call("Casting complex values to real discards the imaginary part")
        array = array.real
    return array if array.dtype.kind == "b" or array.dtype == np.uint8 else array.astype(np.int64)


def _read(data: Any) -> Array:
    """A sequence, element by element."""
    if len(data) and isinstance(data[0], np.ndarray):
        from .._once import warn_of_call

        warn_of_call(
            "Creating a tensor from a list of numpy.ndarrays is extremely slow. Please consider converting the list to a "
            "single numpy.ndarray with numpy.array() before converting to a tensor.",
        )
    truth = _is_truth(data)
    shape = _shape(data)
    result = np.empty(shape, bool if truth else np.int64)
    if result.size:
        _fill(result, data, shape, bool if truth else _number)
    return result


def _is_sequence(value: Any) -> bool:
    return (
        hasattr(value, "__getitem__")
        and hasattr(value, "__len__")
        and not isinstance(value, (dict, Tensor, np.generic))
    )


def _is_truth(data: Any) -> bool:
    """Whether all numbers in `data` are truth values.  Raises torch's errors for what is none."""
    if isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
    if isinstance(data, (Tensor, np.generic, np.ndarray)):
        array = data._data if isinstance(data, Tensor) else data
        return bool(array.dtype.kind == "b")
    if _is_sequence(data):
        kinds = [_is_truth(each) for each in data]
        return bool(kinds) and all(kinds)
    if isinstance(data, (int, float, complex)):
        return isinstance(data, bool)
    raise RuntimeError(f"Could not infer dtype of {_name(data)}")


def _shape(data: Any) -> tuple[int, ...]:
    """The lengths of the first elements' nesting."""
    shape = []
    while _is_sequence(data):
        shape.append(len(data))
        if not shape[-1]:
            break
        data = data[0]
    return tuple(shape)


def _fill(result: Array, data: Any, shape: tuple[int, ...], number: Any, dim: int = 0) -> None:
    if not shape:
        result[...] = number(data)
        return
    if not _is_sequence(data):
        raise TypeError("not a sequence")
    if len(data) != shape[0]:
        raise ValueError(f"expected sequence of length {shape[0]} at dim {dim} (got {len(data)})")
    for place, each in enumerate(data):
        _fill(result[place, ...], each, shape[1:], number, dim + 1)


def _number(value: Any) -> int:
    if isinstance(value, float):
        return int(value)
    if not hasattr(value, "__index__") and not isinstance(value, Tensor):
        raise TypeError(f"'{_name(value)}' object cannot be interpreted as an integer")
    number: int = value.__index__()
    if not -(2**63) <= number < 2**63:
        raise ValueError("Overflow when unpacking long long")
    return number


def _name(value: Any) -> str:
    from .parsing import type_name

    return type_name(value)
