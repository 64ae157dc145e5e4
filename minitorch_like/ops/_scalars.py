"""Python numbers on their way into tensors of a given dtype, with torch's refusals."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._dtype import FROM_NUMPY
from ._checks import Array

_C_TYPES = {
    "float32": "float",
    "float64": "double",
    "float16": "c10::Half",
    "bfloat16": "c10::BFloat16",
    "int64": "int64_t",
    "int32": "int",
    "int16": "int16_t",
    "int8": "int8_t",
    "uint8": "uint8_t",
    "complex64": "c10::complex<float>",
    "complex128": "c10::complex<double>",
}


def number_as(value: Any, to: np.dtype[Any], *, saturate: bool = False) -> Array:
    """A Python number as a 0-d array of dtype `to`.

    Raises RuntimeError where it does not fit: integers may wrap around to unsigned ones, floats are cut off, infinities
    stay.  With `saturate`, what is too large for a 16-bit float becomes infinite instead.
    """
    if isinstance(value, int) and not _is_long(value):
        raise ValueError("Overflow when unpacking long long")
    if not fits(value, to) and not (saturate and to.itemsize == 2 and FROM_NUMPY[to].is_floating_point):
        raise RuntimeError(f"value cannot be converted to type {_C_TYPES[FROM_NUMPY[to].name]} without overflow")
    if isinstance(value, complex) and to.kind not in "cb":
        value = value.real
    if to.kind in "iu":
        whole = int(value)
        return np.array(whole if _is_long(whole) else -(2**63), np.int64).astype(to)
    with np.errstate(over="ignore"):
        return np.array(value).astype(to)


def fits(value: Any, to: np.dtype[Any]) -> bool:
    """Whether torch converts `value` to dtype `to` without complaint.  Source: `c10::overflows`."""
    if to.kind == "b":
        return True
    if isinstance(value, complex):
        if to.kind == "c":
            return all(fits(part, np.dtype(f"f{to.itemsize // 2}")) for part in (value.real, value.imag))
        return value.imag == 0 and fits(value.real, to)
    if to.kind in "iu":
        info = np.iinfo(to)
        if isinstance(value, float):
            return float(info.min) <= value <= float(info.max)
        return value <= info.max and (-value <= info.max if to.kind == "u" else value >= info.min)
    largest = _largest(to)
    return not abs(value) > largest or abs(value) == float("inf")


def _largest(to: np.dtype[Any]) -> float:
    if FROM_NUMPY[to].name == "bfloat16":
        return 3.3895313892515355e38
    return float(np.finfo(to).max)


def _is_long(value: int) -> bool:
    return -(2**63) <= value < 2**63
