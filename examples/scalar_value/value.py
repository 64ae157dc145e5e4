"""A number that remembers what it was computed from, and so can tell how it would change."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Self


class Value:
    """A scalar and its gradient.

    data:  the number.                 grad:     the derivative, by this number, of what `backward` was called on.
    op:    what made it, '' a leaf.    children: what it was made from.                 label: a name for pictures.
    """

    def __init__(self, data: float, children: tuple[Value, ...] = (), op: str = "", label: str = "") -> None:
        self.data = data
        self.grad = 0.0
        self.children = children
        self.op = op
        self.label = label
        self._hand_back: Callable[[], None] = lambda: None  # adds this value's share of grad to its children's

    def __repr__(self) -> str:
        return f"Value(data={self.data}, grad={self.grad})"

    # -- Operations.  Each computes, and leaves behind how its gradient goes back: always added, never assigned, for a
    # value may be used more than once.

    def __add__(self, other: Value | float) -> Self:
        other = self._lift(other)
        out = self._made(self.data + other.data, (self, other), "+")

        def hand_back() -> None:
            self.grad += out.grad
            other.grad += out.grad

        out._hand_back = hand_back
        return out

    def __mul__(self, other: Value | float) -> Self:
        other = self._lift(other)
        out = self._made(self.data * other.data, (self, other), "*")

        def hand_back() -> None:
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._hand_back = hand_back
        return out

    def __pow__(self, exponent: Value | float) -> Self:
        """A number as exponent suits any base that Python can raise to it; a Value needs a positive base."""
        if isinstance(exponent, Value):
            return self._to_the(exponent)
        out = self._made(self.data**exponent, (self,), f"**{exponent:g}")

        def hand_back() -> None:
            if exponent:  # x**0 is 1 everywhere, at zero too, where the rule would divide by it
                self.grad += exponent * self.data ** (exponent - 1) * out.grad

        out._hand_back = hand_back
        return out

    def _to_the(self, exponent: Value) -> Self:
        out = self._made(self.data**exponent.data, (self, exponent), "**")

        def hand_back() -> None:
            self.grad += exponent.data * self.data ** (exponent.data - 1) * out.grad
            exponent.grad += out.data * math.log(self.data) * out.grad

        out._hand_back = hand_back
        return out

    def exp(self) -> Self:
        out = self._made(math.exp(self.data), (self,), "exp")

        def hand_back() -> None:
            self.grad += out.data * out.grad

        out._hand_back = hand_back
        return out

    def log(self) -> Self:
        out = self._made(math.log(self.data), (self,), "log")

        def hand_back() -> None:
            self.grad += out.grad / self.data

        out._hand_back = hand_back
        return out

    def tanh(self) -> Self:
        out = self._made(math.tanh(self.data), (self,), "tanh")

        def hand_back() -> None:
            self.grad += (1 - out.data**2) * out.grad

        out._hand_back = hand_back
        return out

    def relu(self) -> Self:
        out = self._made(0.0 if self.data < 0 else self.data, (self,), "relu")

        def hand_back() -> None:
            self.grad += (out.data > 0) * out.grad

        out._hand_back = hand_back
        return out

    # -- What the others give.

    def __neg__(self) -> Self:
        return self * -1.0

    def __sub__(self, other: Value | float) -> Self:
        return self + (-other)

    def __truediv__(self, other: Value | float) -> Self:
        return self * self._lift(other) ** -1

    # -- The reflected forms: Python turns to them where the left operand is a plain number.

    def __radd__(self, other: float) -> Self:
        return self + other

    def __rmul__(self, other: float) -> Self:
        return self * other

    def __rsub__(self, other: float) -> Value:
        return self._lift(other) - self

    def __rtruediv__(self, other: float) -> Value:
        return self._lift(other) / self

    def __rpow__(self, other: float) -> Value:
        return self._lift(other) ** self

    # -- The way back.

    def backward(self) -> None:
        """Fill in the grad of everything that this value was computed from.

        Parents before children: a value hands its gradient back when all who used it have added theirs.  Gradients of
        leaves add up over calls, until they are set to zero.
        """
        order = list(self.history())
        for value in order:
            if value.children:
                value.grad = 0.0
        self.grad = 1.0
        for value in reversed(order):
            value._hand_back()

    def history(self) -> Iterator[Value]:
        """Everything that this value was computed from, children first, each once; itself last."""
        seen: set[Value] = set()
        waiting: list[tuple[Value, bool]] = [(self, False)]
        while waiting:  # a list of what to do next instead of recursion: a long sum is a deep graph
            value, ready = waiting.pop()
            if ready:
                yield value
            elif value not in seen:
                seen.add(value)
                waiting.append((value, True))
                waiting.extend((child, False) for child in reversed(value.children))

    # -- Made of the same class, so that a subclass computes with its own rules throughout.

    def _made(self, data: float, children: tuple[Value, ...], op: str) -> Self:
        return type(self)(data, children, op)

    def _lift(self, other: Value | float) -> Value:
        return other if isinstance(other, Value) else type(self)(other)
