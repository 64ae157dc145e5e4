"""Normal numbers: torch's vectorised Box-Muller for long contiguous arrays, its serial one for all others.

Source: Box and Muller, "A Note on the Generation of Random Normal Deviates" (1958).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import _cephes
from ._arithmetic import fma, libm, libm32, muladd, quiet, vectorised_normal
from ._generator import Generator
from ._uniform import CHUNK, Array, Floats, in_memory_order, store, u24, u53

_ONE = np.array(1, np.float32)
_MINUS_TWO = np.array(-2, np.float32)
_TWO_PI = np.array(2 * math.pi, np.float32)
_TWO_PI_UNIT53 = 2 * math.pi * 2.0**-53
_ZERO = np.array(0, np.float32)


def normal(out: Array, mean: float, std: float, generator: Generator) -> None:
    """Fill with normal numbers; the algorithm depends on size and layout, as in torch."""
    if out.size >= 16 and out.flags.c_contiguous:
        _fill_long(out.reshape(-1), mean, std, generator)
    else:
        _fill_serially(out, mean, std, generator)


@quiet
def _fill_long(out: Array, mean: float, std: float, generator: Generator) -> None:
    draw: Any = u53 if out.dtype == np.float64 else u24
    rest = out.size % 16
    whole = out.size - rest
    # An incomplete block at the end is made from 16 fresh numbers, which overwrite the last 16 values.
    # Except in float16 and bfloat16, torch has by then drawn the numbers of the incomplete block too.
    unused = 0 if out.itemsize == 2 else rest
    for start in range(0, whole, CHUNK):
        part = out[start : min(start + CHUNK, whole)]
        if rest and start + CHUNK >= whole:
            uniform = draw(generator, part.size + unused + 16)
            uniform = np.concatenate((uniform[: part.size], uniform[-16:]))
        else:
            uniform = draw(generator, part.size)
        blocks = _box_muller(uniform, mean, std)
        part.reshape(-1, 2, 8)[...] = blocks[: part.size // 16]
    if rest:
        out[-16:].reshape(2, 8)[...] = blocks[-1]


def _box_muller(uniform: Array, mean: float, std: float) -> Array:
    """Blocks of 8 radii and 8 angles to blocks of 8 + 8 normal numbers, shape (blocks, 2, 8)."""
    dtype = uniform.dtype.type
    radius, angle = uniform.reshape(-1, 2, 8).swapaxes(0, 1).reshape(2, -1)
    np.subtract(_ONE, radius, radius)
    if dtype is np.float32 and vectorised_normal():
        radius = _cephes.log(radius)
        waves = _cephes.cos_sin(np.multiply(angle, _TWO_PI, angle))
    elif dtype is np.float32:
        radius = libm32("log")(radius)
        angle = (angle.astype(np.float64) * (2 * math.pi)).astype(dtype)
        waves = np.stack((libm32("cos")(angle), libm32("sin")(angle)))
    else:
        radius = libm("log")(radius)
        angle *= 2 * math.pi
        waves = np.stack((libm("cos")(angle), libm("sin")(angle)))
    np.multiply(radius, _MINUS_TWO, radius)
    np.sqrt(radius, radius)
    np.multiply(waves, radius, waves)
    if mean == 0.0 and std == 1.0:
        np.add(waves, _ZERO, waves)  # -0.0 becomes 0.0
    else:
        waves = fma(waves, float(dtype(std)), float(dtype(mean)))
    return waves.reshape(2, -1, 8).swapaxes(0, 1)


@in_memory_order
def _fill_serially(out: Array, mean: float, std: float, generator: Generator) -> None:
    values = standard_normals(generator, out.size)
    store(out, values if mean == 0.0 and std == 1.0 else muladd(values, std, mean))


@in_memory_order
def log_normal(out: Array, mean: float, std: float, generator: Generator) -> None:
    """Fill with exp of normal numbers, which are drawn serially whatever the size."""
    with np.errstate(over="ignore"):
        store(out, libm("exp")(muladd(standard_normals(generator, out.size), std, mean)))


def standard_normals(generator: Generator, count: int) -> Floats:
    """`count` normal numbers, drawn in pairs; an unused second half waits in the generator."""
    if count == 0:
        return np.empty(0)
    left_over = generator.cached_normal
    missing = count - (left_over is not None)
    drawn = _few_pairs(generator, missing) if missing < 32 else _many_pairs(generator, missing)
    generator.cached_normal = None
    if missing % 2:
        generator.cached_normal = float(drawn[-1])
        drawn = drawn[:-1]
    return drawn if left_over is None else np.concatenate(([left_over], drawn))


def _few_pairs(generator: Generator, count: int) -> Floats:
    """At least `count` normal numbers, in plain Python."""
    result: list[float] = []
    words = iter(generator.words(2 * (count + count % 2)).tolist())
    for high, low, next_high, next_low in zip(words, words, words, words, strict=True):
        angle = _TWO_PI_UNIT53 * (high % 2**21 * 2**32 + low)
        radius = math.sqrt(-2.0 * math.log1p(-(2.0**-53) * (next_high % 2**21 * 2**32 + next_low)))
        result += radius * math.cos(angle), radius * math.sin(angle)
    return np.array(result)


def _many_pairs(generator: Generator, count: int) -> Floats:
    """The same in whole arrays."""
    angle, log_radius = u53(generator, count + count % 2).reshape(-1, 2).T
    radius = np.sqrt(-2.0 * libm("log1p")(-log_radius))
    angle = angle * (2.0 * math.pi)
    return np.stack((radius * libm("cos")(angle), radius * libm("sin")(angle)), axis=1).reshape(-1)
