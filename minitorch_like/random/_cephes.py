"""Logarithm, sine and cosine in float32, to the last bit of torch's vectorised normal_.

Polynomials and reductions: Moshier's Cephes library, single precision (logf.c, sinf.c), arranged as in
avx_mathfun.  torch fuses every Horner step.  Here a fused step is a float64 multiplication (exact) and
addition, then a rounding to float32.  On every argument that a 24-bit uniform can lead to, these two
roundings agree with the single one, as a sweep over all 2**24 has shown; the same goes for the plain float32
operations.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32s = NDArray[np.float32]

# Zero-dimensional arrays: a ufunc takes them without the cost of converting a number.
_LOG = [
    np.array(np.float32(coefficient), np.float64)
    for coefficient in (
        7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
        -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    )
]  # fmt: skip
_COS_SIN = [
    np.array([[np.float32(cosine)], [np.float32(sine)]], np.float64)
    for cosine, sine in (
        (2.443315711809948e-5, -1.9515295891e-4),
        (-1.388731625493765e-3, 8.3321608736e-3),
        (4.166664568298827e-2, -1.6666654611e-1),
    )
]
_LN2_LOW = np.array(-2.12194440e-4, np.float32)
_LN2_HIGH = np.array(0.693359375, np.float32)
_FOUR_OVER_PI = np.array(1.27323954473516, np.float32)
_QUARTER_PI: list[Any] = [  # in three parts, of which all but the last have exact multiples
    np.array(-0.78515625, np.float32),
    np.array(-2.4187564849853515625e-4, np.float32),
    np.array(np.float32(-3.77489497744594108e-8), np.float64),
]
_ONE = np.array(1, np.float32)
_HALF = np.array(0.5, np.float32)


def _integer(value: int) -> NDArray[np.int32]:
    return np.array(value, np.int32)


_SQRT_HALF_BITS = np.array(np.float32(0.707106781186547524)).view(np.int32)
_I1, _I2, _I23, _I29, _I30, _I31 = map(_integer, (1, 2, 23, 29, 30, 31))
_EVEN, _SIGN = _integer(-2), _integer(-(2**31))


def log(x: Float32s) -> Float32s:
    """The natural logarithm of x in (0, 1], a multiple of 2**-24."""
    bits = x.view(np.int32)
    exponent = bits - _SQRT_HALF_BITS
    np.right_shift(exponent, _I23, exponent)
    fraction: Any = (bits - (exponent << _I23)).view(np.float32)  # in [sqrt(1/2), sqrt(2))
    fraction -= _ONE
    wide = fraction.astype(np.float64)
    square = fraction * fraction
    y = np.empty_like(x)
    step = wide * _LOG[0]
    for coefficient in _LOG[1:]:
        np.add(step, coefficient, step)
        y[...] = step
        np.multiply(y, wide, step)
    y[...] = step
    scale = exponent.astype(np.float32)
    np.multiply(y, square.astype(np.float64), step)
    np.add(step, scale * _LN2_LOW, step)
    y[...] = step
    np.multiply(square, _HALF, square)
    np.subtract(y, square, y)
    np.add(y, fraction, y)
    np.multiply(scale, _LN2_HIGH, scale)
    return np.add(y, scale, y)


def cos_sin(x: Float32s) -> Float32s:
    """Cosine (row 0) and sine (row 1) of x in [0, 2 pi)."""
    octant = (x * _FOUR_OVER_PI).astype(np.int32)
    np.add(octant, _I1, octant)
    np.bitwise_and(octant, _EVEN, octant)
    multiple = octant.astype(np.float32)
    reduced = x + multiple * _QUARTER_PI[0]
    np.add(reduced, multiple * _QUARTER_PI[1], reduced)
    reduced[...] = multiple * _QUARTER_PI[2] + reduced
    square = reduced * reduced
    # The two polynomials have one shape, so they run as the rows of one array.
    wide = square.astype(np.float64)
    step = wide * _COS_SIN[0]
    y = np.empty((2, x.size), np.float32)
    for coefficient in _COS_SIN[1:]:
        np.add(step, coefficient, step)
        y[...] = step
        np.multiply(y, wide, step)
    y[...] = step
    factor = np.empty_like(step)  # cosine: y z^2 - z/2, then + 1; sine: y x z + x
    factor[0], factor[1] = square, reduced
    np.multiply(y, factor, step)
    np.multiply(square, _HALF, square)
    np.subtract(step[0], square, step[0])
    np.add(step[1], reduced, step[1])
    y[...] = step
    np.add(y[0], _ONE, y[0])
    # Every other quadrant swaps the two; signs follow the quadrant.
    swap = (octant << _I30) >> _I31  # all ones where octant is 2 or 6, else zero
    cosine_bits, sine_bits = y.view(np.int32)
    difference = cosine_bits ^ sine_bits
    np.bitwise_and(difference, swap, difference)
    np.bitwise_xor(y.view(np.int32), difference, y.view(np.int32))
    sign = np.left_shift(octant, _I29)
    np.bitwise_xor(sine_bits, np.bitwise_and(sign, _SIGN), sine_bits)
    np.add(octant, _I2, octant)
    np.left_shift(octant, _I29, octant)
    np.bitwise_and(octant, _SIGN, octant)
    np.bitwise_xor(cosine_bits, octant, cosine_bits)
    return y
