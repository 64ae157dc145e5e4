"""Elementary operations as nodes.  A network is a node whose children are nodes; the leaves are inputs and parameters.

Forward and backward are one recursion each, and forget everything: `compiled` is what remembers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence


class Node:
    """A function of any number of children.

    A kind of node says two things about numbers, and nothing about trees: its value, and its slope along each child.
    """

    def __init__(self, *children: Node) -> None:
        self.children = children

    def value_of(self, *values: float) -> float:
        """The value, from the values of the children."""
        raise NotImplementedError

    def slopes(self, *values: float) -> Sequence[float]:
        """How fast the value grows with each child's."""
        raise NotImplementedError

    def forward(self) -> float:
        """Ask the children, then compute."""
        return self.value_of(*(child.forward() for child in self.children))

    def backward(self, pull: float) -> None:
        """Hand a pull on this node's value down to the children: the chain rule.

        pull: the derivative of whatever is to be changed, by this node's value.
        """
        values = [child.forward() for child in self.children]
        for child, share in zip(self.children, self.share(pull, *values), strict=True):
            child.backward(share)

    def share(self, pull: float, *values: float) -> list[float]:
        """The pull on each child."""
        return [pull * slope for slope in self.slopes(*values)]

    def take(self, pull: float) -> None:
        """Keep the pull that ends here.  Only a parameter has a use for it."""


class Leaf(Node):
    """A number that is not computed."""

    def __init__(self, value: float, name: str = "") -> None:
        super().__init__()
        self.value, self.name = value, name

    def value_of(self, *values: float) -> float:
        return self.value

    def slopes(self, *values: float) -> Sequence[float]:
        return ()

    def backward(self, pull: float) -> None:
        self.take(pull)


class Input(Leaf):
    """What the network is asked about; `predict` fills it in by its name."""

    def __init__(self, name: str) -> None:
        super().__init__(math.nan, name)


class Constant(Leaf):
    """A number that stays: macros need some."""


class Parameter(Leaf):
    """A number that is learnt.  `gradient` adds up the pulls since the last step."""

    def __init__(self, value: float, name: str = "") -> None:
        super().__init__(value, name)
        self.gradient = 0.0

    def take(self, pull: float) -> None:
        self.gradient += pull


class Add(Node):
    """The sum of the children."""

    def value_of(self, *values: float) -> float:
        return sum(values, -0.0)  # not from 0.0, which would turn a sum of -0.0 into 0.0

    def slopes(self, *values: float) -> Sequence[float]:
        return [1.0] * len(values)


class Multiply(Node):
    """The product of the children."""

    def value_of(self, *values: float) -> float:
        return math.prod(values)

    def slopes(self, *values: float) -> Sequence[float]:
        """The product of the others: dividing by a child's value would fail where it is zero."""
        return [math.prod(values[:index] + values[index + 1 :]) for index in range(len(values))]


class ReLU(Node):
    """The child where it is positive, else zero."""

    def value_of(self, *values: float) -> float:
        (x,) = values
        return 0.0 if x < 0 else x

    def slopes(self, *values: float) -> Sequence[float]:
        (x,) = values
        return [1.0 if x > 0 else 0.0]


class Sigmoid(Node):
    """Squashes the child to between 0 and 1: a probability."""

    def value_of(self, *values: float) -> float:
        (x,) = values
        if x < 0:  # e to the -x would overflow far out on this side, e to the x does not
            return math.exp(x) / (1 + math.exp(x))
        return 1 / (1 + math.exp(-x))

    def slopes(self, *values: float) -> Sequence[float]:
        s = self.value_of(*values)
        return [s * (1 - s)]


def walk(node: Node) -> Iterator[Node]:
    """Every node below and including this one, children first, each once however many parents it has."""
    seen: set[Node] = set()
    waiting: list[tuple[Node, bool]] = [(node, False)]
    while waiting:  # a list of what to do next instead of recursion: deep networks are no problem
        current, ready = waiting.pop()
        if ready:
            yield current
        elif current not in seen:
            seen.add(current)
            waiting.append((current, True))
            waiting.extend((child, False) for child in reversed(current.children))
