"""Histories in parts: torch applies an index one part after the other, each with a node of its own, and copies before it
reshapes what has no such view.

It is recorded as one node, which is quicker, forward and backward.  Whoever looks at the graph gets the parts: the node
then becomes that of the last one, and those of the others are put before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..ops import TABLE
from ..ops.indexing import view_node
from .graph import Node, for_result, type_of_node

Shape = tuple[int, ...]


def take_apart(node: Node) -> None:
    """Have a node for each part, where there are several."""
    if node.saved is None:
        return
    if node.op.name != "at":
        _copy_apart(node)
        return
    shape, index = node.saved
    parts = list(_parts(shape, index))
    if len(parts) < 2:
        return
    *others, (last, before_last, _) = parts
    for number, (part, before, after) in enumerate(others, 1):
        made = _node_of("at", view_node(before, part), node, after, node.sequence - 1 + number / len(parts))
        made.saved = before, part
    node.saved = before_last, last


def _copy_apart(node: Node) -> None:
    """Have one for the copy that is reshaped."""
    (edge,), sequence = node.inputs, node.sequence - 0.5
    if node.name() == "UnsafeViewBackward0" and edge is not None and edge.sequence != sequence:
        assert node.saved is not None
        _node_of("clone", "CloneBackward0", node, node.saved[0], sequence).saved = ()


def _node_of(op: str, name: str, node: Node, shape: Shape, sequence: float) -> Node:
    """A node with an output of `shape` between `node` and its input."""
    made: Node = object.__new__(for_result(type_of_node(TABLE[op], name), np.empty(0, node.dtype)))
    made.inputs, made.numbers, made.dtype = node.inputs, node.numbers, node.dtype
    made.shape, made.sequence, made.versions, made.hooks = shape, sequence, (), None
    node.inputs, node.numbers = (made,), None
    return made


def _parts(shape: Shape, index: Any) -> Iterator[tuple[Any, Shape, Shape]]:
    """The parts of an index that do something, each as an index of its own, and the shapes before and after it."""
    dim = 0
    for place, part in enumerate(index):
        if part is Ellipsis:
            rest = [each for each in index[place + 1 :] if each is not None]
            dim = len(shape) - len(rest)
            continue
        alone = (*(slice(None),) * dim, part)
        after = _shape_at(shape, dim, part)
        if view_node(shape, alone) != "AliasBackward0":
            yield alone, shape, after
        shape = after
        dim += part is None or isinstance(part, slice)


def _shape_at(shape: Shape, dim: int, part: Any) -> Shape:
    if part is None:
        return (*shape[:dim], 1, *shape[dim:])
    if isinstance(part, slice):
        return (*shape[:dim], len(range(*part.indices(shape[dim]))), *shape[dim + 1 :])
    return (*shape[:dim], *shape[dim + 1 :])
