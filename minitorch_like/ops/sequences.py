"""Batches of sequences of different lengths: padded to one length, or packed without padding.

Packed, the elements of all sequences that are at step t are `batch_sizes[t]` consecutive rows; sequences are in the order
of decreasing length, so those that are over are the last ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ._checks import broadcast_shapes, sizes
from ._table import Array, op
from .shape import narrow, select

# torch fills padded tensors by in-place writes to their parts
_WRITTEN_IN_PARTS = "torch::autograd::CopySlices"


def runs(batch_sizes: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """(first step, number of steps, batch size) of each run of steps with one batch size."""
    start = 0
    for step in range(1, len(batch_sizes) + 1):
        if step == len(batch_sizes) or batch_sizes[step] != batch_sizes[start]:
            yield start, step - start, batch_sizes[start]
            start = step


@op(
    "(Tensor input, int[] batch_sizes)",
    node="PackPaddedSequenceBackward0",
    input=lambda g, input_shape, batch_sizes: pad_packed(g, batch_sizes, input_shape[0], 0.0),
    namespace="internal",
)
def pack_padded(input: Array, batch_sizes: tuple[int, ...]) -> Array:
    """(T, N, *) to (sum of batch_sizes, *)."""
    rest = input.shape[2:]
    parts = [input[at : at + steps, :size].reshape(steps * size, *rest) for at, steps, size in runs(batch_sizes)]
    return np.concatenate(parts)


@op(
    "(Tensor input, int[] batch_sizes, int length, Number padding_value)",
    node=_WRITTEN_IN_PARTS,
    input=lambda g, batch_sizes: pack_padded(g, batch_sizes),
    namespace="internal",
)
def pad_packed(input: Array, batch_sizes: tuple[int, ...], length: int, padding_value: float) -> Array:
    """(sum of batch_sizes, *) to (length, N, *), the rest filled with `padding_value`."""
    rest = input.shape[1:]
    padded = np.empty_like(input, shape=(length, batch_sizes[0], *rest), order="C")
    padded[...] = padding_value
    row = 0
    for at, steps, size in runs(batch_sizes):
        padded[at : at + steps, :size] = input[row : row + steps * size].reshape(steps, size, *rest)
        row += steps * size
    return padded


def _own_parts(g: Any, sequences_shapes: Any, batch_first: bool, left: bool, needs: tuple[bool, ...]) -> list[Any]:
    gradients: list[Any] = []
    for position, ((length, *_), needed) in enumerate(zip(sequences_shapes, needs, strict=True)):
        column = select(g, 0 if batch_first else 1, position) if needed else None
        gradients.append(
            column if column is None else narrow(column, 0, column.shape[0] - length if left else 0, length)
        )
    return gradients


@op(
    "(Tensor[] sequences, bool batch_first, Number padding_value, bool left)",
    variadic=True,
    node=_WRITTEN_IN_PARTS,
    sequences=_own_parts,
    namespace="internal",
)
def pad_sequences(sequences: Sequence[Array], batch_first: bool, padding_value: float, left: bool) -> Array:
    """Sequences (L, *) to (T, N, *) or (N, T, *), in the first one's dtype, padded at the end or (`left`) in front."""
    first = sequences[0]
    length = max(map(len, sequences))
    outer = (len(sequences), length) if batch_first else (length, len(sequences))
    padded = np.empty_like(first, shape=(*outer, *first.shape[1:]), order="C")
    padded[...] = padding_value
    for row, each in zip(padded if batch_first else padded.swapaxes(0, 1), sequences, strict=True):
        place = row[length - len(each) if left else 0 : length if left else len(each)]
        if broadcast_shapes(place.shape, each.shape) != place.shape:
            raise RuntimeError(
                f"output with shape {sizes(place.shape)} doesn't match the broadcast shape {sizes(each.shape)}"
            )
        place[...] = each
    return padded
