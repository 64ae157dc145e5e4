"""Sliding windows as slices.

A window operation is a loop over the places within a window.  At each place some of the outputs read inside of the
input; they and what they read are a slice each.  Padding therefore costs no copy.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ._table import Array

Shape = tuple[int, ...]
Pair = tuple[slice, slice]  # outputs, and the inputs that they read
Along = tuple[Pair | None, ...]  # for each place of a window along one dimension
Place = tuple[Shape, tuple[slice, ...], tuple[slice, ...]]  # in several dimensions: the place, outputs, and inputs
Index = tuple[Any, ...]  # of an array


@lru_cache(maxsize=1024)
def windows_along(size: int, kernel: int, stride: int, padding: int, dilation: int, outputs: int) -> Along:
    """For each place of a window of `kernel` inputs: the outputs that read inside, if any, and what they read."""
    return tuple(_reach(size, place * dilation - padding, stride, outputs) for place in range(kernel))


def _reach(size: int, start: int, stride: int, outputs: int) -> Pair | None:
    """The outputs o of which `start + stride * o` is within `size`, and these inputs."""
    low = max(0, -(start // stride))
    high = min(outputs, (size - 1 - start) // stride + 1)
    if low >= high:
        return None
    first = start + low * stride
    return slice(low, high), slice(first, first + (high - low - 1) * stride + 1, stride)


def output_size(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool = False) -> int:
    """How many windows there are.  With `ceil_mode` the last may hang over the end, if it starts before that."""
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    if not ceil_mode:
        return span // stride + 1
    outputs = -(-span // stride) + 1
    return outputs - 1 if (outputs - 1) * stride >= size + padding else outputs


@lru_cache(maxsize=256)
def adaptive_windows_along(size: int, outputs: int) -> Along:
    """The windows that share out `size` inputs.  Output o reads from o * size / outputs to (o + 1) * size / outputs,
    and whole the inputs that these bounds divide.

    With size/outputs = step/period in lowest terms, windows `period` outputs apart are alike but for a shift by `step`
    inputs; these share their slices.  The places of each window come in order.
    """
    common = math.gcd(size, outputs) or 1
    step, period = size // common, outputs // common
    pairs: list[Pair | None] = []
    for first in range(period):
        start, end = first * step // period, -(-(first + 1) * step // period)
        extent = (common - 1) * step + 1
        outs = slice(first, None, period)
        pairs.extend((outs, slice(place, place + extent, step)) for place in range(start, end))
    return tuple(pairs)


def places(windows: Sequence[Along]) -> list[Place]:
    """The places of windows in several dimensions, row by row, without those where nothing is read."""
    result: list[Place] = []
    for place in itertools.product(*(range(len(along)) for along in windows)):
        pairs = [along[each] for along, each in zip(windows, place, strict=True)]
        found = [pair for pair in pairs if pair is not None]
        if len(found) == len(pairs):
            result.append((place, tuple(outputs for outputs, _ in found), tuple(inputs for _, inputs in found)))
    return result


def buffer(like: Array, shape: Shape, dtype: Any = None) -> Array:
    """Memory to be written to, row by row; made so that a capture notices what is done with it."""
    return np.empty_like(like, dtype=dtype, order="C", shape=shape)


def row_major(x: Array) -> Array:
    """`x`, or a copy that is laid out row by row."""
    if x.flags.c_contiguous:
        return x
    result = buffer(x, x.shape)
    np.copyto(result, x)
    return result
