"""Python numbers as elements: what torch's conversions accept, and what they say of numbers out of range."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._dtype import bool_, dtype, float64

# The C++ types that torch names when a number does not fit.
_C_TYPES = {
    "uint8": "uint8_t",
    "int8": "int8_t",
    "int16": "int16_t",
    "int32": "int",
    "int64": "int64_t",
    "float16": "c10::Half",
    "bfloat16": "c10::BFloat16",
    "float32": "float",
    "float64": "double",
    "complex64": "c10::complex<float>",
    "complex128": "c10::complex<double>",
}
_LARGEST = {"float16": 65504.0, "bfloat16": 255 * 2.0**120, "float32": float(np.finfo(np.float32).max)}


def converted(value: Any, kind: dtype, *, single: bool = False) -> Any:
    """A Python number as a NumPy element of `kind`: the conversion of a `Scalar`, as `fill_` and `full` do it.

    Raises RuntimeError where it does not fit.  To fill a `single` element torch converts to 16 bits by way of float64, and
    what is too large becomes infinite.
    """
    if single and kind.is_floating_point and kind.itemsize == 2:
        return rounded(converted(value, float64).item(), kind)
    if kind is bool_:
        return np.bool_(bool(value))
    if isinstance(value, complex) and not kind.is_complex:
        if value.imag:
            raise does_not_fit(_C_TYPES[kind.name])
        value = value.real
    if kind.is_complex:
        if kind.name == "complex64" and any(map(_overflows_float32, (value.real, value.imag))):
            raise does_not_fit(_C_TYPES[kind.name])
        return kind.numpy.type(value)
    if not kind.is_floating_point:
        if not fits_integer(value, kind):
            raise does_not_fit(_C_TYPES[kind.name])
        return wrapped(value, kind)
    if math.isfinite(value) and kind is not float64 and abs(value) > _LARGEST[kind.name]:
        raise does_not_fit(_C_TYPES[kind.name])
    return rounded(value, kind)


def does_not_fit(type_name: str) -> RuntimeError:
    return RuntimeError(f"value cannot be converted to type {type_name} without overflow")


def _overflows_float32(value: float) -> bool:
    return math.isfinite(value) and abs(value) > _LARGEST["float32"]


def fits_integer(value: Any, kind: dtype) -> bool:
    """Whether torch converts a number to an integer dtype.  Negative integers may wrap around to unsigned ones."""
    info = np.iinfo(kind.numpy)
    if isinstance(value, float):
        return float(info.min) <= value <= float(info.max)
    return -int(info.max) <= value <= info.max if info.min == 0 else info.min <= value <= info.max


def wrapped(value: float, kind: dtype) -> Any:
    """A number as an element of an integer dtype: cut off at the point, modulo the dtype's range."""
    bits = 8 * kind.itemsize
    whole = int(value) % 2**bits
    return kind.numpy.type(whole - 2**bits if kind.is_signed and whole >= 2 ** (bits - 1) else whole)


def rounded(value: float, kind: dtype) -> Any:
    """A number as an element of a floating dtype; one of 16 bits is rounded to float32 first, as in torch."""
    with np.errstate(over="ignore"):
        number: Any = np.float32(value) if kind.itemsize == 2 else np.float64(value)
        return number.astype(kind.numpy)
