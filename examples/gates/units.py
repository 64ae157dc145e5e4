"""Wires and gates.  A gate knows itself and its wires, nothing of the circuit around it."""

from __future__ import annotations

import math


class Unit:
    """A wire.  Its value runs forward; its grad, how the circuit's output answers to it, runs backward."""

    def __init__(self, value: float, gate: Gate | None = None, name: str = "") -> None:
        self.value = value
        self.grad = 0.0
        self.gate = gate  # the gate that this wire comes out of; None for an input of the circuit
        self.name = name

    def __repr__(self) -> str:
        return f"Unit({self.value:.4f}, grad {self.grad:.4f})"


class Gate:
    """A function of its input wires.  A kind of gate says its value and its slopes; the rest is the same for all."""

    symbol = "?"

    def forward(self, *inputs: Unit) -> Unit:
        """Compute, and remember the wires: the way back needs them."""
        self.inputs = inputs
        self.output = Unit(self.value(*(unit.value for unit in inputs)), self)
        return self.output

    def backward(self) -> None:
        """The chain rule: the pull on the output times the local slope is the pull on an input.

        It is added: a wire that branches is pulled at by every branch.
        """
        slopes = self.slopes(*(unit.value for unit in self.inputs))
        for unit, slope in zip(self.inputs, slopes, strict=True):
            unit.grad += slope * self.output.grad

    def value(self, *inputs: float) -> float:
        """The output."""
        raise NotImplementedError

    def slopes(self, *inputs: float) -> tuple[float, ...]:
        """How fast the output grows along each input."""
        raise NotImplementedError


class AddGate(Gate):
    """Hands the pull on to both inputs as it is."""

    symbol = "+"

    def value(self, *inputs: float) -> float:
        x, y = inputs
        return x + y

    def slopes(self, *inputs: float) -> tuple[float, ...]:
        return 1.0, 1.0


class MultiplyGate(Gate):
    """Each input is pulled as hard as the other one is large."""

    symbol = "*"

    def value(self, *inputs: float) -> float:
        x, y = inputs
        return x * y

    def slopes(self, *inputs: float) -> tuple[float, ...]:
        x, y = inputs
        return y, x


class MaxGate(Gate):
    """A switch: only the larger input feels the pull.  Of equal ones each feels half, as in torch."""

    symbol = "max"

    def value(self, *inputs: float) -> float:
        x, y = inputs
        return max(x, y)

    def slopes(self, *inputs: float) -> tuple[float, ...]:
        x, y = inputs
        if x == y:
            return 0.5, 0.5
        return float(x > y), float(y > x)


class SigmoidGate(Gate):
    """Squashes any number to between 0 and 1."""

    symbol = "sig"

    def value(self, *inputs: float) -> float:
        (x,) = inputs
        if x < 0:  # e to the -x would overflow far out on this side, e to the x does not
            return math.exp(x) / (1 + math.exp(x))
        return 1 / (1 + math.exp(-x))

    def slopes(self, *inputs: float) -> tuple[float, ...]:
        s = self.value(*inputs)
        return (s * (1 - s),)
