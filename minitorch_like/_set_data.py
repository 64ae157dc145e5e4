"""`tensor.data = other`, as far as nodes that have saved the tensor must notice.

A graph saves arrays, and torch's saves tensors: what was saved of an operand is, from the assignment on, what the operand
has been given.  (Of a result torch saves a copy of the tensor, which keeps the old memory; so does an array.)  Assignments
are rare and mostly made when no graph is left, so that the nodes are searched for instead of being registered.
"""

from __future__ import annotations

import gc
import sys
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from .autograd.graph import AccumulateGrad, Node
from .autograd.modified import view_saved
from .autograd.slices import CopySlices
from .ops._table import INPUT, KEPT

if TYPE_CHECKING:
    from ._tensor import Tensor
    from .ops import Op

# What ops keep of their kernels that torch computes from the operands again.
_RECOMPUTED = frozenset(("cdf", "difference", "gate", "squashed"))


def _count(counter: Any) -> int:
    return sys.getrefcount(counter)


_ALONE = _count([0]) + 2  # in the tensor, and in the caller's variable


def replace_saved(tensor: Tensor, old: Any) -> None:
    """Have the nodes that saved `tensor`, while its array was `old`, hold its array of now."""
    counter = tensor._version_counter
    if counter is None or _count(counter) <= _ALONE:
        return
    for node in gc.get_objects():
        if type(node) is CopySlices and getattr(node, "saved", None):
            _replace_in(node.inner, tensor, old)
            node.saved = node.inner.saved
        elif issubclass(type(node), Node) and getattr(node, "saved", None) and node.versions:
            _replace_in(node, tensor, old)


class _Detached:
    """The version counter of a tensor that was detached in place, for the nodes that had saved it: RuntimeError unless it
    has a history again."""

    def __init__(self, tensor: Tensor) -> None:
        self.counter = tensor._version_counter
        self.tensor = weakref.ref(tensor)

    def __getitem__(self, index: int) -> Any:
        tensor = self.tensor()
        if tensor is None or tensor._has_no_history():
            raise RuntimeError(
                "Trying to use a saved tensor that has been detached in-place, i.e. with .detach_().This is not supported, "
                "please use out-of-place `.detach()` instead"
            )
        return self.counter[index]

    def __len__(self) -> int:
        return len(self.counter)


def note_detached(tensor: Tensor) -> None:
    """Have the nodes that saved `tensor`, which has a history, refuse to go on once it has none."""
    counter = tensor._version_counter
    if counter.__class__ is not list or _count(counter) <= _ALONE:
        return
    detached = _Detached(tensor)
    for node in gc.get_objects():
        if (
            issubclass(type(node), Node)
            and getattr(node, "saved", None)
            and node.versions
            and hasattr(type(node), "op")
        ):
            node.versions = [
                (detached, version, slot)
                if each is counter
                and not isinstance(slot, np.ndarray)
                and node.saved[slot] is tensor._data
                and _is_operand(node, slot, tensor)
                and not isinstance(node.inputs[node.op.saves[slot][1]], AccumulateGrad)
                else (each, version, slot)
                for each, version, slot in node.versions
            ]


def _replace_in(node: Node, tensor: Tensor, old: Any) -> None:
    assert node.saved is not None
    counter, new = tensor._version_counter, tensor._data
    node.versions = versions = list(node.versions)
    for place, (each, version, slot) in enumerate(versions):
        if each is not counter:
            continue
        if isinstance(slot, np.ndarray):  # an index
            if slot is old:
                versions[place] = (each, version, new)
                node.saved = _exchanged(node.saved, old, new)
        elif node.saved[slot] is old and _is_operand(node, slot, tensor):
            node.saved = _with_operand(node.op, node.saved, slot, new)


def _with_operand(op: Op, saved: Any, slot: int, new: Any) -> list[Any]:
    """What a node has saved, with `new` in a slot and without what was computed of the array before."""
    forgotten = [kind == KEPT and op.keeps[index] in _RECOMPUTED for kind, index in op.saves]
    return [
        new if at == slot else None if forgets else value
        for at, (value, forgets) in enumerate(zip(saved, forgotten, strict=True))
    ]


def _is_operand(node: Node, slot: int, tensor: Tensor) -> bool:
    """Whether what was saved in `slot` is `tensor`, and not one that is detached from it or that it is detached from."""
    kind, index = node.op.saves[slot]
    if kind != INPUT or view_saved(node, slot) is not None:
        return False
    edge = node.inputs[index]
    if isinstance(edge, AccumulateGrad):
        return edge.leaf() is tensor
    return edge is None or tensor._node is not None


def _exchanged(value: Any, old: Any, new: Any) -> Any:
    """`value` with `new` wherever it has `old`, also within sequences."""
    if value is old:
        return new
    if type(value) in (tuple, list):
        return type(value)([_exchanged(each, old, new) for each in value])
    return value
