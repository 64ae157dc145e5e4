"""Nested sequences as arrays, element by element: what `tensor([...])` does with all but lists of Python numbers.

torch goes through the data three times: for the sizes, which the first elements tell; for the dtype, the promotion of
all elements' dtypes; and for the values.  Each time it finds fault with something else.
"""

from __future__ import annotations

import operator
from typing import Any, NoReturn

import numpy as np

from .._dtype import bool_, dtype, get_default_dtype, promote_types, scalar_dtype
from .._tensor import Tensor
from ..ops._checks import does_not_fit, fits
from ..ops._misfits import type_name
from ..ops._scalars import rounded, wrapped

_MOST_DIMS = 128


def array_of(data: Any, kind: dtype | None) -> Any:
    """`data` as a new array of dtype `kind`, or of the inferred one."""
    if isinstance(data, (str, bytes)):
        _reject_text(data)
    if hasattr(data, "__dlpack__"):
        from .sharing import from_dlpack

        shared = from_dlpack(data)
        return shared.to(kind or shared.dtype, copy=True)._data
    sizes = _sizes(data)
    kind = kind or _infer(data)
    values: list[Any] = []
    if 0 not in sizes:  # torch looks no further
        _store(values, data, sizes, 0, kind)
    return np.array(values, kind.numpy).reshape(sizes)


def _reject_text(data: Any) -> NoReturn:
    raise TypeError(f"new(): invalid data type '{type_name(data)}'")


def is_sequence(data: Any) -> bool:
    """What Python's C interface calls a sequence: it can be indexed, and is no dictionary.  Tensors do not count."""
    return hasattr(type(data), "__getitem__") and not isinstance(data, (dict, Tensor, np.generic))


def _sizes(data: Any) -> tuple[int, ...]:
    """The shape, as the first elements show it."""
    sizes: list[int] = []
    while is_sequence(data):
        length = len(data)
        sizes.append(length)
        if len(sizes) > _MOST_DIMS:
            raise ValueError(f"too many dimensions '{type_name(data)}'")
        if length == 0:
            break
        try:
            data = data[0]
        except (LookupError, TypeError, ValueError):
            raise ValueError(f"could not determine the shape of object type '{type_name(data)}'") from None
    return tuple(sizes)


def _infer(data: Any) -> dtype:
    """The dtype that holds all elements; that of an empty sequence is the default one."""
    from . import from_numpy_type

    if isinstance(data, (np.ndarray, np.generic)):
        return from_numpy_type(data.dtype)
    if isinstance(data, (bool, int, float, complex)):
        return scalar_dtype(data)
    if isinstance(data, Tensor):
        return data.dtype
    if isinstance(data, (str, bytes)):
        _reject_text(data)
    if not is_sequence(data):
        raise RuntimeError(f"Could not infer dtype of {type_name(data)}")
    result: dtype | None = None
    for index in range(len(data)):
        each = data[index]
        if each is data:
            raise TypeError("new(): self-referential lists are incompatible")
        kind = _infer(each)
        result = kind if result is None else promote_types(result, kind)
    return result or get_default_dtype()


def _store(values: list[Any], data: Any, sizes: tuple[int, ...], dim: int, kind: dtype) -> None:
    """Append the elements of `data`, which has `sizes[dim:]`."""
    if dim == len(sizes):
        values.append(_element(data, kind))
        return
    try:
        items = data if isinstance(data, (list, tuple)) else list(data)
    except TypeError:
        if isinstance(data, Tensor):
            raise
        raise TypeError("not a sequence") from None
    if len(items) != sizes[dim]:
        raise ValueError(f"expected sequence of length {sizes[dim]} at dim {dim} (got {len(items)})")
    for each in items:
        if isinstance(each, np.ndarray):
            from .._once import warn_once

            warn_once(
                "Creating a tensor from a list of numpy.ndarrays is extremely slow. Please consider converting the list to a "
                "single numpy.ndarray with numpy.array() before converting to a tensor."
            )
        _store(values, each, sizes, dim + 1, kind)


def _element(value: Any, kind: dtype) -> Any:
    """One element, with Python's own complaint about what is no number."""
    if kind.is_complex:
        return kind.numpy.type(_complex(value))
    if kind.is_floating_point:
        return rounded(value if type(value) is float else _real(value), kind)
    if kind is bool_:
        return _truth(value)
    number = value if isinstance(value, float) else _integer(value)
    if not isinstance(number, float) and not -(2**63) <= number < 2**63:
        raise ValueError("Overflow when unpacking long long")
    if not fits(number, kind.numpy):
        raise does_not_fit(kind.name)
    return wrapped(number, kind)


def _real(value: Any) -> float:
    if isinstance(value, (str, bytes, bytearray)):
        raise TypeError(f"must be real number, not {type_name(value)}")
    try:
        return float(value)
    except TypeError:
        if hasattr(type(value), "__float__"):
            raise
        raise TypeError(f"must be real number, not {type_name(value)}") from None


def _complex(value: Any) -> complex:
    if isinstance(value, Tensor):
        return complex(value.item())
    if hasattr(type(value), "__complex__"):
        return complex(value)
    return _real(value)


def _truth(value: Any) -> bool:
    if isinstance(value, (bool, float, complex, np.bool_)):
        return bool(value)
    return bool(_integer(value))


def _integer(value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        if hasattr(type(value), "__index__"):
            raise
        raise TypeError(f"'{type_name(value)}' object cannot be interpreted as an integer") from None
