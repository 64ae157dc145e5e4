"""Results that are still to be differentiated.

A plan of a forward computation keeps the graph that its capture recorded.  Each replay computes anew what the graph's
nodes have saved, so that the same nodes serve again: a result leads to them through a node of its own, which knows
whether they still hold what they held when the result was computed.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

from .._capture import mode
from .._tensor import Tensor, with_history
from ..autograd.graph import AccumulateGrad, Node, next_sequence


class OpenGraph:
    """The nodes behind the results of a plan, and who was handed a way to them."""

    __slots__ = ("_generation", "_handed", "_nodes", "_usable")

    def __init__(self, results: list[Tensor]) -> None:
        self._nodes = [
            (node, node.saved, [(counter, slot) for counter, _, slot in node.versions])
            for node in _reachable([each._node for each in results if each._node is not None])
        ]
        self._handed: list[weakref.ref[CompiledFunctionBackward]] = []
        self._generation = 0
        self._usable = True

    def saved(self) -> Iterator[Any]:
        """What the nodes have saved, in an order that depends on the graph alone."""
        for _, saved, _ in self._nodes:
            yield from saved or ()

    def is_free(self) -> bool:
        """Whether nobody needs the values of the latest run any more."""
        if not self._usable:
            return False
        for reference in self._handed:
            node = reference()
            if node is not None and not node.is_spent:
                return False
        return True

    def renew(self) -> None:
        """Make the graph that of the values just computed."""
        self._generation += 1
        self._handed.clear()
        for node, saved, versions in self._nodes:
            node.saved = saved
            node.versions = [(counter, counter[0], slot) for counter, slot in versions]
            node.sequence = next_sequence()

    def attach(self, array: Any, node: Node, number: int) -> Tensor:
        """`array`, a copy of output `number` of `node`, with a history."""
        entry = CompiledFunctionBackward(self, node, number, array)
        self._handed.append(weakref.ref(entry))
        return with_history(array, entry, 0)

    def check(self, generation: int) -> None:
        if generation != self._generation:
            raise RuntimeError(
                "the graph of a result of a compiled function was used by a later call; differentiate a result before "
                "the next call, or keep it alive until then"
            )

    def retire(self) -> None:
        """Never be used again: a recorded backward pass refers to the values."""
        self._usable = False


def _reachable(roots: list[Node]) -> list[Node]:
    """The nodes behind `roots`, leaves excepted, in the order in which they were recorded."""
    seen = set(roots)
    stack = list(seen)
    while stack:
        for edge in stack.pop().inputs:
            if edge is not None and edge not in seen:
                seen.add(edge)
                stack.append(edge)
    return sorted((node for node in seen if not isinstance(node, AccumulateGrad)), key=lambda node: node.sequence)


class CompiledFunctionBackward(Node):
    """The way from one result of one replay into the plan's graph."""

    __slots__ = ("_generation", "_graph", "is_spent")

    def __init__(self, graph: OpenGraph, node: Node, number: int, array: Any) -> None:
        self._graph = graph
        self._generation = graph._generation
        self.is_spent = False
        self.inputs = (node,)
        self.numbers = (number,)
        self.saved, self.versions = (), ()
        self.shape, self.dtype = array.shape, array.dtype
        self.sequence = next_sequence()
        self.hooks = None

    def apply(self, g: Any, saved: Any, needed: Any, run: Callable[..., Any]) -> list[Any]:
        self._graph.check(self._generation)
        if mode.grad:
            self._graph.retire()
        return [g]

    def release(self) -> None:
        self.is_spent = True
