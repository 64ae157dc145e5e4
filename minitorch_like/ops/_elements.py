"""What the elementwise kernels share: numbers, bounds and choices, each by the road that NumPy is quickest on.

NumPy decides `where`, masked assignment and the maximum with a number one element at a time, which on large arrays of
either outcome costs ten times what vector instructions would.  The functions here give the same bits without that.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ._table import Array

_SMALL = 512  # elements, up to which the number of NumPy calls counts and not what they do
_BITS: dict[int, Any] = {2: np.dtype(np.int16), 4: np.dtype(np.int32), 8: np.dtype(np.int64)}


@lru_cache(maxsize=1024)
def constant(value: float, dtype: np.dtype[Any]) -> Array:
    """A number as a 0-d array, which NumPy takes with less ado than a number.  It cannot be written to."""
    result = np.full((), value, dtype)
    result.flags.writeable = False
    return result


def array(x: Any) -> Array:
    """`x`, or NumPy's scalar as the 0-d array that it should have been."""
    return x if isinstance(x, np.ndarray) else np.asarray(x)


# -- bounds -------------------------------------------------------------------------------------------------------


def at_least(x: Array, bound: float) -> Array:
    """max(x, bound); NaN stays NaN, and at a tie `x` wins, so that -0. is not less than 0."""
    if x.size <= _SMALL or x.dtype.kind != "f":
        return np.maximum(constant(bound, x.dtype), x)
    return x.clip(bound, np.inf)


def at_most(x: Array, bound: float) -> Array:
    """min(x, bound); NaN stays NaN."""
    if x.size <= _SMALL or x.dtype.kind != "f":
        return np.minimum(constant(bound, x.dtype), x)
    return x.clip(-np.inf, bound)


def between(x: Array, low: float, high: float) -> Array:
    """min(max(x, low), high); NaN stays NaN."""
    if x.size <= _SMALL:
        return np.minimum(constant(high, x.dtype), np.maximum(constant(low, x.dtype), x))
    return x.clip(low, high)


# -- choices ------------------------------------------------------------------------------------------------------


def zero_where(mask: Array, x: Array) -> Array:
    """`x` with 0 where `mask` holds; infinities and NaNs elsewhere are kept, as a product with 0 and 1 would not."""
    if not x.ndim:  # perhaps NumPy's scalar, which is no array
        return np.where(mask, constant(0, x.dtype), x)
    if x.size <= _SMALL:
        result = x.copy(order="K")
        np.putmask(result, mask, constant(0, x.dtype))
        return result
    return np.multiply(x.view(_BITS[x.itemsize]), ~mask).view(x.dtype)


def select(mask: Array, x: Array, y: Array) -> Array:
    """`x` where `mask` holds, else `y`: what np.where does, of arrays of one shape and floating dtype."""
    if x.size <= 2 * _SMALL:
        return np.where(mask, x, y)
    bits = _BITS[x.itemsize]
    other = y.view(bits)
    chosen = np.bitwise_xor(x.view(bits), other)
    np.multiply(chosen, mask, chosen)
    return np.bitwise_xor(chosen, other, chosen).view(x.dtype)


# -- the logistic function ----------------------------------------------------------------------------------------


def logistic(negated: Array) -> Array:
    """1 / (1 + exp(negated)), written into the argument, which is at least 1-d.  An infinite exponential gives 0."""
    np.exp(negated, negated)
    one = constant(1, negated.dtype)
    negated += one
    return np.divide(one, negated, negated)
