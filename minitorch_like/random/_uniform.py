"""How samplers meet an array, and the uniform numbers that they all start from."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec

import numpy as np
from numpy.typing import NDArray

from .._dtype import FLOATING_KINDS
from ._arithmetic import quiet
from ._generator import Generator, Words

Array = NDArray[Any]
Floats = NDArray[np.float64]
P = ParamSpec("P")

CHUNK = 1 << 14  # values at a time: their temporaries stay in the cache

_M21 = np.array(2**21 - 1, np.uint32)
_M24 = np.array(2**24 - 1, np.uint32)
_UNIT24 = np.array(2.0**-24, np.float32)
_UNIT21 = np.array(2.0**-21)
_UNIT53 = np.array(2.0**-53)
_U32 = np.array(32, np.uint64)


def memory_order(out: Array) -> tuple[int, ...]:
    """The axes from the largest stride to the smallest: torch lays numbers down along the last one first."""
    return tuple(sorted(range(out.ndim), key=out.strides.__getitem__, reverse=True))


def in_memory_order(fill: Callable[Concatenate[Array, P], None]) -> Callable[Concatenate[Array, P], None]:
    """Let `fill`, which fills a short one-dimensional array, fill any array in torch's order."""

    def sampler(out: Array, /, *args: P.args, **kwargs: P.kwargs) -> None:
        view: Array = out if out.flags.c_contiguous else out.transpose(memory_order(out))
        if not view.flags.c_contiguous:
            dense: Array = np.empty(view.shape, view.dtype)
            sampler(dense, *args, **kwargs)
            view[...] = dense
        elif out.size <= CHUNK:
            fill(view.reshape(-1), *args, **kwargs)
        else:
            flat: Array = view.reshape(-1)
            for start in range(0, flat.size, CHUNK):
                fill(flat[start : start + CHUNK], *args, **kwargs)

    update_wrapper(sampler, fill)
    return sampler


def pairs(generator: Generator, count: int) -> tuple[Words, Words]:
    """The high and the low words of the next `count` 64-bit numbers."""
    words = generator.words(2 * count)
    return words[0::2], words[1::2]


def words64(generator: Generator, count: int) -> NDArray[np.uint64]:
    """The next `count` 64-bit numbers."""
    high, low = pairs(generator, count)
    return (high.astype(np.uint64) << _U32) | low


def u24(generator: Generator, count: int) -> NDArray[np.float32]:
    """`count` uniform numbers in [0, 1), multiples of 2**-24."""
    values = np.bitwise_and(generator.words(count), _M24).astype(np.float32)
    return np.multiply(values, _UNIT24, values)


def u53(generator: Generator, count: int) -> Floats:
    """`count` uniform numbers in [0, 1), multiples of 2**-53."""
    high, low = pairs(generator, count)
    values = np.bitwise_and(high, _M21).astype(np.float64)
    np.multiply(values, _UNIT21, values)
    rest = low.astype(np.float64)
    np.multiply(rest, _UNIT53, rest)
    return np.add(values, rest, values)


@quiet
def store(out: Array, values: Array) -> None:
    """Cast `values` into `out`; to float16 and bfloat16 by way of float32, as torch does; too large is infinite."""
    narrow = out.itemsize == 2 and out.dtype.kind in FLOATING_KINDS
    out[...] = values.astype(np.float32) if narrow else values


def below(generator: Generator, count: int, p: float) -> NDArray[np.bool_]:
    """Whether each of `count` numbers u53 is smaller than p, which is in [0, 1]."""
    high, low = pairs(generator, count)
    limit_high, limit_low = divmod(math.ceil(p * 2.0**53), 2**32)
    leading = np.bitwise_and(high, _M21)
    result = np.less(leading, limit_high)
    tied = np.equal(leading, limit_high)
    if tied.any():
        result |= tied & (low < limit_low)
    return result
