"""How torch makes a product of matrices of `matmul`, and what it saves of the operands therefore: views of them, or copies.

Needed where an operand has more than two dimensions, and for the words of an error.  Source: the rules of `torch.matmul` in
torch's documentation, and what its errors say.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .._capture import run
from .._layout import reshaped_strides, strides_of
from ._checks import broadcast_shapes
from ._table import INPUT

Shape = tuple[int, ...]


class Part(NamedTuple):
    """What an operand becomes: the title of the node of a view, None where it is taken as it is; the shape; whether the view
    would take a copy."""

    title: str | None
    shape: Shape
    copied: bool = False


def parts(a: Any, b: Any, needs: tuple[bool, bool]) -> tuple[Part, Part]:
    """What becomes of the operands, arrays of one dimension at least; `needs`: which of them require grad."""
    ranks = a.ndim, b.ndim
    if max(ranks) < 3:
        first = Part("Unsqueeze", (1, *a.shape)) if ranks == (1, 2) else Part(None, a.shape)
        return first, Part(None, b.shape)
    if ranks == (3, 3) and a.shape[0] != b.shape[0]:  # a batch of one is as none
        if a.shape[0] == 1 and needs[0]:
            return _squeezed(a, parts(a[0], b, needs), 0)
        if b.shape[0] == 1 and needs[1]:
            return _squeezed(b, parts(a, b[0], needs), 1)
    return _folded(a, b) if _folds(a, b, needs) else _expanded(a, b)


def _squeezed(x: Any, found: tuple[Part, Part], which: int) -> tuple[Part, Part]:
    part = found[which]
    own = Part(part.title or "Squeeze", part.shape, part.copied)
    return (own, found[1]) if which == 0 else (found[0], own)


def _folds(a: Any, b: Any, needs: tuple[bool, bool]) -> bool:
    """Whether the batch dimensions of the larger operand become rows: where the other one's gradient is to be a single
    product, or where it takes no copy."""
    first = a.ndim >= b.ndim
    larger, smaller = (a, b) if first else (b.swapaxes(-1, -2), a)
    if larger.ndim < 3 or smaller.ndim > 2:
        return False
    if needs[1 if first else 0]:
        return True
    return a.ndim != 2 and _as_rows(larger) is not None


def _as_rows(x: Any) -> Shape | None:
    """The strides of all vectors along the last dimension as the rows of a matrix, None where that takes a copy."""
    shape = (math.prod(x.shape[:-1]), x.shape[-1])
    return reshaped_strides(x.shape, strides_of(x), shape, x.itemsize)


def _folded(a: Any, b: Any) -> tuple[Part, Part]:
    first = a.ndim >= b.ndim
    larger, smaller = (a, b) if first else (b.swapaxes(-1, -2), a)
    rows = Part("View", (math.prod(larger.shape[:-1]), larger.shape[-1]), _as_rows(larger) is None)
    if first:
        return rows, Part(None, b.shape)
    return Part("T", smaller.shape[::-1]) if smaller.ndim == 2 else Part(None, a.shape), rows


def _expanded(a: Any, b: Any) -> tuple[Part, Part]:
    """Both as batches of matrices, as many as the two come to."""
    batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    left = _batch(a, (*batch, a.shape[-2] if a.ndim > 1 else 1, a.shape[-1]), len(batch))
    right = _batch(b, (*batch, *b.shape[-2:]), len(batch))
    return left, right._replace(shape=(*right.shape, 1)) if b.ndim == 1 else right


def _batch(x: Any, shape: Shape, dims: int) -> Part:
    """`x` expanded to `shape`, whose first dimensions become one."""
    added = len(shape) - x.ndim
    own = (0,) * added + strides_of(x)
    sizes = (1,) * added + x.shape
    strides = tuple(0 if size == 1 != wide else step for size, wide, step in zip(sizes, shape, own, strict=True))
    joined = (math.prod(shape[:dims]), *shape[dims:])
    return Part("View", joined, reshaped_strides(shape, strides, joined, x.itemsize) is None)


class Slot(int):
    """The number of a slot of what a node has saved, with what torch saves of it where this cannot be told any more."""

    part: Part


def note_copies(node: Any, a: Any, b: Any, title: str | None) -> None:
    """Have `node`, of the product of a and b, save copies of its operands where torch does.  So these may be written to.

    title: of the node whose view b itself is.
    """
    if a.flags.c_contiguous and b.flags.c_contiguous and (a.ndim > 2 >= b.ndim or a.shape[:-2] == b.shape[:-2]):
        return  # as mostly
    first, second = parts(a, b, (node.inputs[0] is not None, node.inputs[1] is not None))
    found = first, second._replace(title=second.title or title)
    saved: list[Any] = list(node.saved)
    versions: list[Any] = []
    for counter, version, slot in node.versions:
        kind, index = node.op.saves[slot]
        if kind == INPUT and found[index].copied:
            saved[slot] = run(np.copy, saved[slot])
            continue
        slot = Slot(slot)
        slot.part = found[index]
        versions.append((counter, version, slot))
    node.saved, node.versions = tuple(saved), versions
