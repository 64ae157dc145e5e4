"""Arithmetic to torch's last bit: fused multiply-adds, and libm's elementary functions.

torch's CPU kernels are compiled so that x * y + z is rounded once where the CPU has AVX2 and FMA, and their
scalar loops call libm, whose last bit NumPy's vectorised functions do not always share.
"""

from __future__ import annotations

import ctypes
import math
import os
import platform
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]

quiet = np.errstate(over="ignore", invalid="ignore")  # what overflows becomes infinite, as in torch

_SPLITTER = 2.0**27 + 1
_TIE, _TAIL = np.array(2**28), np.array(2**29 - 1)
_MARGIN = 64  # float64 units in the last place by which a NumPy function may be off, generously
_X86 = ("x86_64", "amd64", "i386", "i686")


@cache
def fused() -> bool:
    """Whether torch would round x * y + z once on this machine.

    MINITORCH_LIKE_FMA=0 or 1 decides it.  Failing that, ATEN_CPU_CAPABILITY=default switches it off, as in
    torch, and NumPy says what the CPU can do.
    """
    override = os.environ.get("MINITORCH_LIKE_FMA")
    if override:
        return override != "0"
    if platform.machine().lower() not in _X86:
        return True
    if os.environ.get("ATEN_CPU_CAPABILITY") == "default":
        return False
    simd = np.show_config(mode="dicts")["SIMD Extensions"]
    found = {*simd.get("baseline", ()), *simd.get("found", ())}
    return "X86_V3" in found or found >= {"AVX2", "FMA3"}


@cache
def vectorised_normal() -> bool:
    """Whether torch's float32 normal_ uses its vectorised logarithm, sine and cosine (written for AVX2)."""
    return fused() and platform.machine().lower() in _X86


def muladd(x: Array, y: float, z: float) -> Array:
    """x * y + z in the dtype of x (float32 or float64), rounded as torch's compiled code rounds it here.

    y and z are numbers of that dtype.
    """
    return fma(x, y, z) if fused() else _rounded_twice(x, y, z)


@quiet
def _rounded_twice(x: Array, y: float, z: float) -> Array:
    product = np.multiply(x, y)
    return np.add(product, z, product)


@quiet
def fma(x: Array, y: float, z: float) -> Array:
    """x * y + z in the dtype of x (float32 or float64), rounded once; y and z are numbers of that dtype."""
    once = z == 0.0 or abs(math.frexp(y)[0]) == 0.5  # one of two roundings does nothing, unless it underflows
    if (once and not 0.0 < abs(y) < 2.0**-60) or not (math.isfinite(y) and math.isfinite(z)):
        return _rounded_twice(x, y, z)
    if x.dtype == np.float64:
        return _fma64(x, y, z)
    product = x.reshape(-1).astype(np.float64)
    np.multiply(product, y, product)  # 48 bits: exact
    total = product + z
    # The second rounding, to float32, can only go wrong where the first gave a tie (or something subnormal).
    risky = _float32_tail(total) == _TIE if abs(z) > 2.0**-100 else np.ones(total.shape, np.bool_)
    if np.count_nonzero(risky):
        total[risky] = _add_to_odd(product[risky], z)
    return total.astype(np.float32).reshape(x.shape)


@quiet
def fma_each(x: Array, y: float, z: Any, work: np.dtype[Any]) -> Array:
    """x * y + z in the dtype `work` (float32 or float64), rounded once: for integers x and an array or number z.

    All numbers are of that dtype.  Beyond 2**900, where intermediates could overflow, it is rounded twice.
    """
    x, z = x.astype(np.float64), np.asarray(z, np.float64)
    if work == np.float32:
        product = x * y  # of 48 bits at most: exact
        total = product + z
        if np.any(_float32_tail(total) == _TIE) or np.any(np.abs(total) < 2.0**-100):  # rounding twice may go wrong
            total = np.where(np.isfinite(total), _add_to_odd(product, z), total)
        return total.astype(np.float32)
    if not max(abs(y), np.max(np.abs(z), initial=0.0)) < 2.0**900:
        return x * y + z
    high, low = _two_product(x, y)
    middle, rest = _two_sum(low, z)
    total, error = _two_sum(high, middle)
    result: Floats = total + _add_to_odd(rest, error)
    return result


def _float32_tail(x: Floats) -> NDArray[np.int64]:
    """The bits that rounding to float32 cuts off; 2**28 is a tie."""
    tail: NDArray[np.int64] = np.bitwise_and(x.view(np.int64), _TAIL)
    return tail


def _two_sum(a: Any, b: Any) -> tuple[Floats, Floats]:
    """a + b rounded, and the error (Knuth)."""
    total = a + b
    shadow = total - a
    return total, (a - (total - shadow)) + (b - shadow)


def _two_product(a: Floats, b: float) -> tuple[Floats, Floats]:
    """a * b rounded, and the error (Dekker, Veltkamp)."""
    product = a * b
    big = a * _SPLITTER
    high = big - (big - a)
    low = a - high
    b_high = b * _SPLITTER - (b * _SPLITTER - b)
    b_low = b - b_high
    return product, low * b_low - (((product - high * b_high) - low * b_high) - high * b_low)


def _add_to_odd(a: Any, b: Any) -> Floats:
    """a + b, an inexact sum rounded to the neighbour with an odd last bit: it can be rounded again safely."""
    total, error = _two_sum(a, b)
    bits = total.view(np.int64)
    outwards = np.where(np.signbit(error) == np.signbit(total), 1, -1)
    bits += ((error != 0) & (bits & 1 == 0)) * outwards
    return total


def _fma64(x: Floats, y: float, z: float) -> Floats:
    """x * y + z rounded once (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008)."""
    exponent = math.frexp(max(abs(y), abs(z)))[1]  # scaled, no intermediate can overflow
    if exponent < -960:  # and here the result may be subnormal, which scaling would round twice
        return _exactly(x, y, z)
    y, z = math.ldexp(y, -exponent), math.ldexp(z, -exponent)
    high, low = _two_product(x, y)
    middle, rest = _two_sum(low, z)
    total, error = _two_sum(high, middle)
    return np.asarray(np.ldexp(total + _add_to_odd(rest, error), exponent))


def _exactly(x: Floats, y: float, z: float) -> Floats:
    from fractions import Fraction

    factor, term = Fraction(y), Fraction(z)
    values = [float(Fraction(each) * factor + term) for each in x.ravel().tolist()]
    return np.array(values, np.float64).reshape(x.shape)


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


_PROBES = {
    "log1p": (-1.0, 0.0),
    "sin": (0.0, 6.28),
    "cos": (0.0, 6.28),
    "tan": (-1.57, 1.57),
    "exp": (-6.0, 6.0),
}


@cache
def libm(name: str) -> Callable[[Array], Array]:
    """The function `name` on float64 arrays with libm's bits: NumPy's where a probe finds no difference."""
    numpy_function: Callable[[Array], Array] = getattr(np, name)
    function = _exp if name == "exp" else getattr(math, name)

    def loop(x: Array) -> Array:
        return np.fromiter(map(function, x.ravel().tolist()), np.float64, x.size).reshape(x.shape)

    low, high = _PROBES.get(name, (0.0, 1.0))
    probe = low + (high - low) * ((np.arange(1, 4097) * 0.6180339887498949) % 1.0)
    return numpy_function if np.array_equal(numpy_function(probe), loop(probe)) else loop


@cache
def libm32(name: str) -> Callable[[Array], Array]:
    """The function `name` on float32 arrays with the bits of libm's logf, sinf, cosf."""
    function = getattr(ctypes.CDLL(None), name + "f")
    function.argtypes, function.restype = (ctypes.c_float,), ctypes.c_float

    def loop(x: Array) -> Array:
        return np.fromiter(map(function, x.ravel().tolist()), np.float32, x.size).reshape(x.shape)

    return loop


@quiet
def as_float32(function: Callable[[Array], Array], exact: Callable[[Array], Array], x: Floats) -> NDArray[np.float32]:
    """`exact(x)` rounded to float32, calling the slow `exact` only where last bits matter.

    `function` is the fast one, accurate to a few units in the last place.
    """
    values = function(x)
    near_tie = np.abs(_float32_tail(values) - _TIE) <= _MARGIN
    risky = np.flatnonzero(near_tie | (np.abs(values) < 2.0**-125))
    if risky.size:
        values[risky] = exact(x[risky])
    return values.astype(np.float32)
