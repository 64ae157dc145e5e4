"""Samplers of the remaining continuous and of the yes-or-no distributions."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ._arithmetic import as_float32, libm, muladd
from ._generator import Generator
from ._uniform import CHUNK, Array, Floats, below, in_memory_order, memory_order, store, u24, u53

_UNIT24 = np.array(2.0**-24, np.float32)


@in_memory_order
def uniform(out: Array, low: float, high: float, generator: Generator) -> None:
    """Fill with uniform numbers in [low, high)."""
    dtype = np.float64 if out.dtype == np.float64 else np.float32
    values: Array = (u53 if dtype is np.float64 else u24)(generator, out.size)
    if low == 0.0 and high == 1.0 and out.dtype == dtype:
        out[...] = values
        return
    start = dtype(low)
    out[...] = muladd(values, float(dtype(high) - start), float(start))
    excluded = np.equal(out, out.dtype.type(high))  # rounding may have reached the open end
    if np.count_nonzero(excluded):
        out[excluded] = low


@in_memory_order
def bernoulli(out: Array, p: float, generator: Generator) -> None:
    """Fill with ones, of probability p, and zeros."""
    out[...] = below(generator, out.size, p)


def bernoulli_tensor(out: Array, p: Array, generator: Generator) -> None:
    """Fill with ones and zeros; the probability of a one is p's element, p being broadcast to out."""
    order = memory_order(out)
    view = out.transpose(order)
    chances = np.broadcast_to(p, out.shape).transpose(order).reshape(-1)
    uniform_numbers = u53 if p.dtype == np.float64 else u24
    hits = np.empty(out.size, np.bool_)
    for start in range(0, out.size, CHUNK):
        part = hits[start : start + CHUNK]
        np.less(uniform_numbers(generator, part.size), chances[start : start + CHUNK], part)
    view[...] = hits.reshape(view.shape)


@in_memory_order
def exponential(out: Array, rate: float, generator: Generator) -> None:
    """Fill with exponential numbers of the given rate."""
    u = u53(generator, out.size)
    factor = -1.0 / rate

    def inverse(log1p: Callable[[Array], Array]) -> Callable[[Floats], Floats]:
        return lambda u: log1p(-u) * factor

    if out.dtype == np.float64:
        out[...] = inverse(libm("log1p"))(u)
    else:
        store(out, as_float32(inverse(np.log1p), inverse(libm("log1p")), u))


@in_memory_order
def geometric(out: Array, p: float, generator: Generator) -> None:
    """Fill with the number of trials, each a success with probability p, up to the first success."""
    store(out, np.ceil(libm("log")(u53(generator, out.size)) / math.log1p(-p)))


@in_memory_order
def cauchy(out: Array, median: float, sigma: float, generator: Generator) -> None:
    """Fill with Cauchy numbers."""
    angle = math.pi * (u53(generator, out.size) - 0.5)
    with np.errstate(over="ignore"):
        store(out, muladd(libm("tan")(angle), sigma, median))
