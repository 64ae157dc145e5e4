"""Samplers of integers: ranges, permutations, categories."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._generator import Generator
from ._samplers import exponential
from ._uniform import Array, in_memory_order, store, u53, words64

_WIDE = 2**28  # from this range on torch spends 64 bits a number
_PERMUTATION_LIMIT = (2**32 - 1) // 20
_SCALAR_SWAPS = 2048  # so few places left are swapped one by one
_BATCHES = 32  # a batch is this part of what is left: about one swap in twelve meets another


def _remainders(generator: Generator, count: int, span: int, wide: bool) -> Array:
    """`count` integers in [0, span), from one word or two each."""
    if not wide:
        return np.remainder(generator.words(count), np.uint32(span))
    words = words64(generator, count)
    return words if span == 2**64 else np.remainder(words, np.uint64(span))


DIGITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}  # binary, that a floating-point dtype counts with


@in_memory_order
def randint(out: Array, low: int, high: int, generator: Generator) -> None:
    """Fill with integers in [low, high)."""
    span = high - low
    values = _remainders(generator, out.size, span, span >= _WIDE).astype(np.int64)
    if low and span < 2**64:
        values += low  # modulo 2**64
    store(out, values)


@in_memory_order
def random_full(out: Array, generator: Generator) -> None:
    """Fill with the integers from 0 to the largest that the dtype counts to exactly."""
    dtype = out.dtype
    if dtype == np.bool_:
        span = 2
    elif dtype.name in DIGITS:
        span = 2 ** DIGITS[dtype.name] + 1
    else:
        span = int(np.iinfo(dtype).max) + 1
    store(out, _remainders(generator, out.size, span, dtype.itemsize == 8))


def randperm(out: Array, generator: Generator) -> None:
    """Fill the one-dimensional `out` with a permutation of 0 .. n - 1 (Fisher and Yates, from the front)."""
    n = out.size
    if n >= _PERMUTATION_LIMIT:
        raise NotImplementedError(f"randperm is not supported from n={_PERMUTATION_LIMIT} on, got n={n}")
    places: NDArray[np.int64] = np.arange(n, dtype=np.int64)
    targets: NDArray[np.int64] = generator.words(max(n - 1, 0)) % np.arange(n, 1, -1, dtype=np.int64)
    targets += places[:-1]
    done = 0
    if n > 2 * _SCALAR_SWAPS:
        done = _swap_in_batches(places, targets)
    tail = places[done:].tolist()
    for i, j in enumerate((targets[done:] - done).tolist()):
        tail[i], tail[j] = tail[j], tail[i]
    places[done:] = tail
    store(out, places)


def _swap_in_batches(places: NDArray[np.int64], targets: NDArray[np.int64]) -> int:
    """Swap places[i] with places[targets[i]] for i = 0, 1, ... until few are left; returns how many are done.

    Swaps that share no place commute, so the bulk of a batch is one gather and one scatter; the few that meet
    another one follow in their order.
    """
    n = places.size
    owner = np.empty(n, np.int32)
    cells = memoryview(places)  # type: ignore[arg-type]
    start = 0
    while n - start > _SCALAR_SWAPS:
        size = (n - start) // _BATCHES
        target = targets[start : start + size]
        index = np.arange(size, dtype=np.int32)
        owner[target] = index  # of several swaps with one target, the last
        shared = owner[target] != index
        meets = target < start + size
        meets[target[meets] - start] = True
        meets |= shared
        meets[owner[target[shared]]] = True
        together = np.flatnonzero(meets)
        here = together + start
        for i, j in zip(here.tolist(), target[together].tolist(), strict=True):
            cells[i], cells[j] = cells[j], cells[i]
        target[together] = here  # done: from now on a swap with itself
        moved = places[start : start + size].copy()
        places[start : start + size] = places[target]
        places[target] = moved
        start += size
    return start


def multinomial(out: NDArray[np.int64], weights: Array, replacement: bool, generator: Generator) -> None:
    """Fill `out`, or each of its rows, with categories drawn by the weights in (each row of) `weights`."""
    if weights.ndim == 1:
        out, weights = out[np.newaxis], weights[np.newaxis]
    samples = out.shape[-1]
    if replacement and samples > 1:
        _draw_with_replacement(out, weights, generator)
        return
    race = np.empty_like(weights)  # the order in which exponential clocks of these rates ring
    exponential(race, 1.0, generator)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        np.divide(weights, race, race)
    if samples == 1:
        out[:, 0] = race.argmax(-1)
    else:
        out[...] = np.argsort(-race, axis=-1, kind="stable")[:, :samples]


def _draw_with_replacement(out: NDArray[np.int64], weights: Array, generator: Generator) -> None:
    dtype: Any = np.float32 if weights.itemsize == 2 else weights.dtype
    cumulative = np.cumsum(weights, axis=-1, dtype=dtype)
    cumulative /= cumulative[:, -1:]
    chances = u53(generator, out.size).reshape(out.shape)
    for row, bounds, chance in zip(out, cumulative.astype(np.float64), chances, strict=True):
        row[...] = np.searchsorted(bounds, chance)
