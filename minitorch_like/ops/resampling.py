"""Resampling: signals and images of another size, by the nearest element or by weighting several."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from ._checks import sizes
from ._formats import is_channels_last
from ._table import Array, op
from ._windows import Shape, row_major
from .padding import Extension

Scales = tuple[float | None, ...]


class Interpolation:
    """The last dimensions of a tensor, each element of the new ones a weighted sum of some of the old ones.

    Attributes:
        size, resampled: the sizes of these dimensions before and after.
        taps: for each of them, pairs of which elements to take, and with what weight.
        node: torch's name of the graph node.
    """

    __slots__ = ("_matrices", "node", "resampled", "size", "taps")

    def __init__(self, taps: list[list[tuple[Array, Array]]], size: Shape, node: str) -> None:
        self.size, self.taps, self.node = size, taps, node
        self.resampled = tuple(len(each[0][0]) for each in taps)
        self._matrices: dict[tuple[int, Any], Array] = {}

    def matrix(self, dim: int, dtype: Any) -> Array:
        """The weights along a dimension as a matrix (size, resampled)."""
        key = dim, dtype
        if key not in self._matrices:
            matrix = np.zeros((self.size[dim], self.resampled[dim]))
            for places, weights in self.taps[dim]:
                np.add.at(matrix, (places, np.arange(len(places))), weights)
            self._matrices[key] = matrix.astype(dtype)
        return self._matrices[key]


@op(
    "(Tensor input, object interpolation)",
    node=lambda input, interpolation: interpolation.node,
    namespace="internal",
    format_of=0,
    input=lambda g, interpolation: interpolate_gradient(g, interpolation),
)
def interpolate(input: Array, interpolation: Interpolation) -> Array:
    """(..., *size) -> (..., *resampled), one dimension after the other."""
    if input.dtype == np.float16:  # computed in float32, as torch does
        return interpolate.kernel(input.astype(np.float32), interpolation).astype(np.float16)
    if input.dtype == np.uint8:
        return _of_bytes(input, interpolation)
    x = input
    rank = len(interpolation.size)
    for dim, taps in reversed(list(enumerate(interpolation.taps))):
        shape = (-1,) + (1,) * (rank - 1 - dim)
        parts = [
            np.take(x, places, axis=x.ndim - rank + dim) * weights.astype(x.dtype).reshape(shape)
            for places, weights in taps
        ]
        x = parts[0]
        for part in parts[1:]:
            x = np.add(x, part, out=x)
    return x


def _of_bytes(x: Array, interpolation: Interpolation) -> Array:
    """Images of bytes, by weights of 16 bits; each dimension is rounded to bytes: torch's arithmetic, which is Pillow's."""
    rank = len(interpolation.size)
    for dim in reversed(range(rank)):
        if interpolation.size[dim] == interpolation.resampled[dim]:
            continue
        weights = interpolation.matrix(dim, np.dtype(np.float64))
        bits = next(each for each in range(22) if int(0.5 + weights.max() * 2 ** (each + 1)) >= 2**15)
        weights = np.trunc(weights * 2**bits + np.where(weights < 0, -0.5, 0.5))
        axis = x.ndim - rank + dim
        total = np.moveaxis(np.matmul(np.moveaxis(x, axis, -1).astype(np.float64), weights), -1, axis)
        x = np.floor((total + 2 ** (bits - 1)) / 2**bits).clip(0, 255).astype(np.uint8)
    return x.copy()


@op(
    "(Tensor grad, object interpolation)",
    node=lambda grad, interpolation: f"{interpolation.node[:-1]}Backward0",
    namespace="internal",
    format_of=0,
    in_format=lambda grad, interpolation: "Bicubic" not in interpolation.node and is_channels_last(grad),
    grad=lambda g, interpolation: interpolate(g, interpolation),
)
def interpolate_gradient(grad: Array, interpolation: Interpolation) -> Array:
    """To each element what the gradients of the new ones that were made of it amount to, with the same weights."""
    if grad.dtype == np.float16:
        return interpolate_gradient.kernel(grad.astype(np.float32), interpolation).astype(np.float16)
    rank = len(interpolation.size)
    lead = grad.shape[:-rank]
    x = row_major(grad)
    behind = 1
    for dim in reversed(range(rank)):
        before = math.prod(lead + interpolation.resampled[:dim])
        blocks = x.reshape(before, interpolation.resampled[dim], behind)
        x = np.matmul(interpolation.matrix(dim, x.dtype), blocks)
        behind *= interpolation.size[dim]
    return x.reshape(*lead, *interpolation.size)


# -- where the new elements lie -------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def nearest(shape: Shape, resampled: Shape, scales: Scales, exact: bool) -> Extension:
    """Each new element is the old one that it lies in; `exact` has it lie where its middle is."""
    _check(shape, resampled)
    size, rank = shape[2:], len(shape) - 2
    if rank == 2 and not exact:  # torch takes the ratio, where it is 1 or 2, and not the factor
        scales = tuple(None if m in (n, 2 * n) else s for n, m, s in zip(size, resampled, scales, strict=True))
    sources = [_nearest(n, m, scale, exact) for n, m, scale in zip(size, resampled, scales, strict=True)]
    return Extension(sources, size, f"UpsampleNearest{'Exact' if exact else ''}{rank}DBackward0")


def _nearest(size: int, resampled: int, scale: float | None, exact: bool) -> list[int]:
    # In float32, of which torch's choices show the rounding.
    step = np.float32(1.0 / scale if scale else np.float32(size) / np.float32(resampled))
    places = np.arange(resampled, dtype=np.float32) + np.float32(0.5 if exact else 0)
    result: list[int] = np.minimum(np.floor(places * step).astype(np.int64), size - 1).tolist()
    return result


@lru_cache(maxsize=256)
def linear(shape: Shape, resampled: Shape, scales: Scales, align_corners: bool) -> Interpolation:
    """Linear in each dimension, between the middles of the two elements around (or with the corners in place)."""
    _check(shape, resampled)
    size, rank = shape[2:], len(shape) - 2
    taps = [_linear(n, m, scale, align_corners) for n, m, scale in zip(size, resampled, scales, strict=True)]
    return Interpolation(taps, size, f"Upsample{('Linear', 'Bilinear', 'Trilinear')[rank - 1]}{rank}DBackward0")


def _linear(size: int, resampled: int, scale: float | None, align_corners: bool) -> list[tuple[Array, Array]]:
    if size == resampled:  # torch then leaves all as it is, whatever the factor
        scale = None
    places = np.maximum(_positions(size, resampled, scale, align_corners), 0)
    below = np.minimum(places.astype(np.int64), size - 1)
    share = np.clip(places - below, 0, 1)
    return [(below, 1 - share), (np.minimum(below + 1, size - 1), share)]


@lru_cache(maxsize=256)
def cubic(shape: Shape, resampled: Shape, scales: Scales, align_corners: bool) -> Interpolation:
    """Cubic convolution (Keys 1981) of the four elements around, in each dimension."""
    _check(shape, resampled)
    size, rank = shape[2:], len(shape) - 2
    taps = [_cubic(n, m, scale, align_corners) for n, m, scale in zip(size, resampled, scales, strict=True)]
    return Interpolation(taps, size, f"UpsampleBicubic{rank}DBackward0")


def _cubic(size: int, resampled: int, scale: float | None, align_corners: bool) -> list[tuple[Array, Array]]:
    places = _positions(size, resampled, scale, align_corners)
    below = np.floor(places).astype(np.int64)
    share = places - below
    a = -0.75  # the slope at distance 1, torch's choice

    def inner(x: Array) -> Array:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def outer(x: Array) -> Array:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    weights = outer(share + 1), inner(share), inner(1 - share), outer(2 - share)
    return [(np.clip(below + at - 1, 0, size - 1), weight) for at, weight in enumerate(weights)]


def _positions(size: int, resampled: int, scale: float | None, align_corners: bool) -> Array:
    """Where the new elements lie among the old ones, whose middles are at 0, 1, ..."""
    places = np.arange(resampled, dtype=np.float64)
    if align_corners:
        return places * ((size - 1) / (resampled - 1) if resampled > 1 else 0.0)
    return (places + 0.5) * (1.0 / scale if scale else size / resampled) - 0.5


def _check(shape: Shape, resampled: Shape) -> None:
    size = shape[2:]
    if min(*size, *resampled) <= 0:
        axes = "DHW"[-len(size) :]
        before, after = (
            ", ".join(f"{axis}: {n}" for axis, n in zip(axes, each, strict=True)) for each in (size, resampled)
        )
        linked = "and output" if len(size) == 1 else "output"
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input ({before}) {linked} ({after})"
        )
    if shape[1] == 0:
        raise RuntimeError(f"Non-empty {len(shape)}D data tensor expected but got a tensor with sizes {sizes(shape)}")
