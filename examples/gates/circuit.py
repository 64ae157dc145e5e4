"""Circuits: gates wired together, and the pull that runs back through them."""

from __future__ import annotations

from .units import AddGate, Gate, MaxGate, MultiplyGate, SigmoidGate, Unit


def add(x: Unit, y: Unit) -> Unit:
    """The wire that carries x + y."""
    return AddGate().forward(x, y)


def multiply(x: Unit, y: Unit) -> Unit:
    """The wire that carries x y."""
    return MultiplyGate().forward(x, y)


def maximum(x: Unit, y: Unit) -> Unit:
    """The wire that carries the larger of the two."""
    return MaxGate().forward(x, y)


def sigmoid(x: Unit) -> Unit:
    """The wire that carries 1 / (1 + e^-x)."""
    return SigmoidGate().forward(x)


def gates_behind(output: Unit) -> list[Gate]:
    """Every gate that `output` depends on, once, in an order in which they can be computed."""
    order: dict[Gate, None] = {}

    def visit(unit: Unit) -> None:
        if unit.gate is not None and unit.gate not in order:
            for source in unit.gate.inputs:
                visit(source)
            order[unit.gate] = None

    visit(output)
    return list(order)


def pull(output: Unit, force: float = 1.0) -> None:
    """Backpropagation: pull at the output, and let each gate, last one first, hand the pull on to its inputs."""
    gates = gates_behind(output)
    for gate in gates:
        for unit in (*gate.inputs, gate.output):
            unit.grad = 0.0
    output.grad = force
    for gate in reversed(gates):
        gate.backward()


def follow(step: float, *inputs: Unit) -> None:
    """Let inputs give way to the pull a little: the output grows."""
    for unit in inputs:
        unit.value += step * unit.grad


def sum_times(x: Unit, y: Unit, z: Unit) -> Unit:
    """(x + y) z: two gates."""
    return multiply(add(x, y), z)


def neuron(a: Unit, b: Unit, c: Unit, x: Unit, y: Unit) -> Unit:
    """sigmoid(a x + b y + c): a neuron with two inputs, as five gates."""
    return sigmoid(add(add(multiply(a, x), multiply(b, y)), c))
