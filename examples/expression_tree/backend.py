"""The expression tree as a framework for the instrument: once by plain recursion, once compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from examples.scalar_backend import ScalarBackend

from .compiled import compile
from .macros import Negate, Subtract
from .nodes import Add, Constant, Multiply, Node, Parameter, ReLU, Sigmoid, walk


class Trees:
    """The engine: a scalar is a Node, and what it is computed from stays below it."""

    name = "expression_tree"

    def __init__(self) -> None:
        self.ops: dict[str, Callable[..., Node]] = {
            "add": self._grown(Add),
            "mul": self._grown(Multiply),
            "sub": self._grown(Subtract),
            "neg": self._grown(Negate),
            "relu": self._grown(ReLU),
            "sigmoid": self._grown(Sigmoid),
        }

    def leaf(self, number: float) -> Node:
        return Parameter(number)

    def number(self, scalar: Node) -> float:
        return float(compile(scalar).forward())

    def gradients(self, roots: Sequence[Node], forces: Sequence[float]) -> Mapping[Node, float]:
        """One tree for all roots: their sum, each weighed by its force."""
        network = compile(_weighed(roots, forces))
        network.forward()
        network.backward(1.0)
        return network.pulls

    def _grown(self, operation: Callable[..., Node]) -> Callable[..., Node]:
        """An operation that takes plain numbers too."""
        return lambda *args: operation(*(each if isinstance(each, Node) else Constant(each) for each in args))


class Recursion(Trees):
    """The same, before any exercise is done: nothing is remembered, only parameters learn their gradient."""

    name = "expression_tree, by plain recursion"

    def number(self, scalar: Node) -> float:
        return scalar.forward()

    def gradients(self, roots: Sequence[Node], forces: Sequence[float]) -> Mapping[Node, float]:
        total = _weighed(roots, forces)
        parameters = [node for node in walk(total) if isinstance(node, Parameter)]
        for parameter in parameters:
            parameter.gradient = 0.0
        total.backward(1.0)
        return {parameter: parameter.gradient for parameter in parameters}


def _weighed(roots: Sequence[Node], forces: Sequence[float]) -> Node:
    return Add(*(Multiply(root, Constant(force)) for root, force in zip(roots, forces, strict=True)))


BACKEND = ScalarBackend(Trees())
RECURSION = ScalarBackend(Recursion())
