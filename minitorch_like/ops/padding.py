"""Padding: with a constant, or with the input's own elements."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from ._checks import sizes
from ._formats import is_channels_last
from ._table import Array, op
from ._windows import Index, Pair, Shape, buffer
from .elementwise import zeros_of
from .shape import copied

# -- with a constant ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _placed(shape: Shape, pad: Shape) -> tuple[Shape, Index | None, Index]:
    """The padded shape, which part of it the input fills (None: all), and which part of the input that is."""
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) > 2 * len(shape):
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(pad)} and input of dimension {len(shape)}"
        )
    result, filled, taken = list(shape), [], []
    for dim in range(len(shape) - len(pad) // 2, len(shape)):
        size, at = shape[dim], 2 * (len(shape) - 1 - dim)
        before, after = pad[at], pad[at + 1]
        result[dim] = size + before + after
        start, end = max(0, -before), size - max(0, -after)
        if end < start:
            raise RuntimeError("narrow(): length must be non-negative.")
        taken.append(slice(start, end))
        filled.append(slice(max(0, before), max(0, before) + end - start))
    return tuple(result), (..., *filled) if max(pad, default=0) > 0 else None, (..., *taken)


def _constant_pad_input(g: Any, pad: Shape) -> Any:
    return constant_pad_nd(g, tuple(-each for each in pad), 0)


@op(
    "(Tensor input, int[] pad, Number value=0)",
    node="ConstantPadNdBackward0",
    namespace="nn",
    format_of=0,
    in_format=lambda input, pad, value=0: max(pad, default=0) > 0 and is_channels_last(input),
    input=_constant_pad_input,
)
def constant_pad_nd(input: Array, pad: Shape, value: Any = 0) -> Array:
    """`pad` holds, from the last dimension on, how much to add before and after; less than 0 takes away."""
    shape, filled, taken = _placed(input.shape, pad)
    if filled is None:
        return copied(input[taken])
    result = buffer(input, shape)
    result.fill(_converted(value, input.dtype))
    np.copyto(result[filled], input[taken])
    return result


def _converted(value: Any, dtype: np.dtype[Any]) -> Any:
    """A Python number as an element of `dtype`."""
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        if not limits.min <= value <= limits.max:  # NaN neither
            raise RuntimeError(f"value cannot be converted to type {dtype.name}_t without overflow")
        return int(value)
    return value


# -- with the input's own elements ----------------------------------------------------------------------------------


class Extension:
    """The last dimensions of a tensor, each element of the extended ones taken from one of the input.

    Attributes:
        size, extended: the sizes of these dimensions before and after.
        runs: for each of them, indices of the result and of what is taken there: as many elements, or the same one
            over and over again.
        node: torch's name of the graph node.
    """

    __slots__ = ("extended", "node", "runs", "size")

    def __init__(self, sources: list[list[int]], size: Shape, node: str) -> None:
        self.size, self.node = size, node
        self.extended = tuple(map(len, sources))
        behind = range(len(size) - 1, -1, -1)
        self.runs = [_runs(*each) for each in zip(sources, behind, strict=True)]


def _runs(source: list[int], behind: int) -> list[tuple[Index, Index]]:
    """The fewest slices from the input to the result, along a dimension that has so many others behind it."""
    rest = (slice(None),) * behind
    neighbours = _neighbours(source)
    pairs = _interleaved(source, len(neighbours)) or neighbours
    return [((..., at, *rest), (..., taken, *rest)) for at, taken in pairs]


def _neighbours(source: list[int]) -> list[Pair]:
    """Runs of neighbours, each taken one step (of 1, 0 or -1) further on."""
    result, start = [], 0
    while start < len(source):
        end, step = start + 1, 1
        if end < len(source) and abs(source[end] - source[start]) <= 1:
            step = source[end] - source[start]
            while end < len(source) and source[end] - source[end - 1] == step:
                end += 1
        first, stop = source[start], source[end - 1] + (step or 1)
        result.append((slice(start, end), slice(first, stop if stop >= 0 else None, step or 1)))
        start = end
    return result


def _interleaved(source: list[int], limit: int) -> list[Pair]:
    """Every period-th element, if the same steps forward come again after less than `limit` elements."""
    count = len(source)
    for period in range(1, min(limit, count)):
        steps = {source[at + period] - source[at] for at in range(count - period)}
        if len(steps) == 1 and min(steps) > 0:
            last = [first + (count - first - 1) // period * period for first in range(period)]
            taken = [slice(source[at], source[end] + 1, min(steps)) for at, end in enumerate(last)]
            return [(slice(at, None, period), each) for at, each in enumerate(taken)]
    return []


def _resized(x: Array, extension: Extension, dim: int, size: int) -> Array:
    """Memory for x with another size of the dimension `dim` of the extended ones."""
    axis = x.ndim - len(extension.size) + dim
    return buffer(x, (*x.shape[:axis], size, *x.shape[axis + 1 :]))


def _extended(x: Array, extension: Extension) -> Array:
    """(..., *size) -> (..., *extended), one dimension after the other."""
    for dim, runs in enumerate(extension.runs):
        result = _resized(x, extension, dim, extension.extended[dim])
        for at, taken in runs:
            np.copyto(result[at], x[taken])
        x = result
    return x


def _gathered(x: Array, extension: Extension) -> Array:
    """For each element of the input, the sum of the gradients of all that were taken from it."""
    for dim in reversed(range(len(extension.size))):
        axis = x.ndim - len(extension.size) + dim
        result = _resized(x, extension, dim, extension.size[dim])
        result.fill(0)
        for at, taken in extension.runs[dim]:
            target, share = result[taken], x[at]
            if share.shape != target.shape:
                share = np.add.reduce(share, axis=axis, keepdims=True)
            np.add(target, share, out=target)
        x = result
    return x


def _wraps_in_format(x: Array, extension: Extension, ranks: tuple[int, ...]) -> bool:
    return extension.node != _NODES["circular"] and x.ndim in ranks and is_channels_last(x)


@op(
    "(Tensor input, object extension)",
    node=lambda input, extension: extension.node,
    namespace="internal",
    format_of=0,
    in_format=lambda input, extension: _wraps_in_format(input, extension, (4, 5)),
    input=lambda g, extension: wrap_gradient(g, extension),
)
def wrap(input: Array, extension: Extension) -> Array:
    """The input extended by its own elements, on which the gradient does not depend."""
    return _extended(input, extension)


@op(
    "(Tensor grad, object extension)",
    node=lambda grad, extension: f"{extension.node[:-1]}Backward0",
    namespace="internal",
    format_of=0,
    in_format=lambda grad, extension: _wraps_in_format(grad, extension, (4,)),
    grad=lambda g, extension: wrap(g, extension),
)
def wrap_gradient(grad: Array, extension: Extension) -> Array:
    """Back to the elements that were taken."""
    return _gathered(grad, extension)


@op(
    "(Tensor input, object extension)",
    node=lambda input, extension: extension.node,
    namespace="internal",
    format_of=0,
    input=lambda g, input, extension: extend_gradient(g, input, extension),
)
def extend(input: Array, extension: Extension) -> Array:
    """`wrap`, whose gradient torch makes a function of the input too, though it does not depend on it."""
    return _extended(input, extension)


@op(
    "(Tensor grad, Tensor input, object extension)",
    arity=2,
    node=lambda grad, input, extension: f"{extension.node[:-1]}Backward0",
    namespace="internal",
    format_of=1,
    grad=lambda g, extension: extend(g, extension),
    input=lambda g: zeros_of(g),
)
def extend_gradient(grad: Array, input: Array, extension: Extension) -> Array:
    """`wrap_gradient`."""
    return _gathered(grad, extension)


@lru_cache(maxsize=256)
def extension(mode: str, shape: Shape, pad: Shape) -> Extension:
    """The padding of the last dimensions by "reflect", "replicate" or "circular", after torch's checks."""
    rank = len(pad) // 2
    size = shape[len(shape) - rank :]
    ends = [(pad[2 * at], pad[2 * at + 1]) for at in range(rank - 1, -1, -1)]
    _CHECKS[mode](shape, size, ends)
    source = _SOURCES[mode]
    sources = [
        [source(place, n, max(0, -before), n + min(0, after)) for place in range(-before, n + after)]
        for n, (before, after) in zip(size, ends, strict=True)
    ]
    return Extension(sources, size, _NODES[mode].format(rank))


_NODES = {
    "reflect": "ReflectionPad{}DBackward0",
    "replicate": "ReplicationPad{}DBackward0",
    "circular": "torch::autograd::CopySlices",
}
# From which of the elements of range(start, end), of n in all, the one at `place` is taken.  Less than these are left
# where padding is negative.
_SOURCES: dict[str, Callable[[int, int, int, int], int]] = {
    "reflect": lambda place, n, start, end: n - 1 - abs(n - 1 - abs(place)),
    "replicate": lambda place, n, start, end: min(max(place, 0), n - 1),
    "circular": lambda place, n, start, end: min(start + (place - start) % max(end - start, 1), n - 1),
}


def _check_lengths(shape: Shape, size: Shape, ends: list[tuple[int, int]]) -> None:
    """torch's checks of padding by reflection and replication."""
    rank = len(size)
    if 0 in shape[-rank - 1 :]:
        raise RuntimeError(
            f"Expected {rank + 1}D or {rank + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {sizes(shape)}"
        )
    extended = [n + before + after for n, (before, after) in zip(size, ends, strict=True)]
    if rank == 1 and extended[0] < 1:
        raise RuntimeError(f"input (W: {size[0]}) is too small. Calculated output W: {extended[0]}")
    if min(extended) < 0:
        whole = sizes((*shape[:-rank], *extended))
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(extended)}: {whole}")


def _check_reflection(shape: Shape, size: Shape, ends: list[tuple[int, int]]) -> None:
    _check_lengths(shape, size, ends)
    for back, (n, (before, after)) in enumerate(zip(reversed(size), reversed(ends), strict=True), start=1):
        if max(before, after) >= n:
            raise RuntimeError(
                f"Argument #{2 * back + 2}: Padding size should be less than the corresponding input dimension, but "
                f"got: padding ({before}, {after}) at dimension {len(shape) - back} of input {sizes(shape)}"
            )


def _check_wrapping(shape: Shape, size: Shape, ends: list[tuple[int, int]]) -> None:
    for n, (before, after) in zip(size, ends, strict=True):
        if max(before, after) > n:
            raise RuntimeError("Padding value causes wrapping around more than once.")
        if n + before + after < 0:
            raise RuntimeError("Negative padding value is resulting in an empty dimension")


_CHECKS = {"reflect": _check_reflection, "replicate": _check_lengths, "circular": _check_wrapping}
