"""Python numbers as elements: what torch's conversions accept, and what they make of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._dtype import FROM_NUMPY, bool_, dtype, float64
from ._checks import Array, does_not_fit, fits, in_64_bits, scalar_name


def number_as(value: Any, to: np.dtype[Any], *, saturate: bool = False) -> Array:
    """`as_element` as a 0-d array.  OverflowError for an integer of more than 64 bits."""
    if isinstance(value, int):
        in_64_bits(value)
    return np.asarray(as_element(value, FROM_NUMPY[to], saturate=saturate))


def as_element(value: Any, kind: dtype, *, saturate: bool = False) -> Any:
    """A Python number as a NumPy element of `kind`: the conversion of a `Scalar`, as `fill_` and `full` do it.

    Raises RuntimeError where it does not fit.  With `saturate` what is too large for 16 bits becomes infinite instead: where
    torch fills a single element it converts by way of float64.
    """
    if saturate and kind.is_floating_point and kind.itemsize == 2:
        return rounded(as_element(value, float64).item(), kind)
    if kind is bool_:
        return np.bool_(bool(value))
    if not fits(value, kind.numpy):
        raise does_not_fit(scalar_name(kind.numpy))
    if kind.is_complex:
        return kind.numpy.type(value)
    if isinstance(value, complex):
        value = value.real
    return rounded(value, kind) if kind.is_floating_point else wrapped(value, kind)


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
