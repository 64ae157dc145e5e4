"""Gates as a framework for the instrument: add, multiply, max and sigmoid gates of one number each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from examples.scalar_backend import ScalarBackend

from . import circuit
from .units import Unit


class Gates:
    """The engine: a scalar is a Unit."""

    name = "gates"

    def __init__(self) -> None:
        self.ops = {
            name: self._wired(gate)
            for name, gate in (
                ("add", circuit.add),
                ("mul", circuit.multiply),
                ("maximum", circuit.maximum),
                ("sigmoid", circuit.sigmoid),
            )
        }

    def leaf(self, number: float) -> Unit:
        return Unit(number)

    def number(self, scalar: Unit) -> float:
        return scalar.value

    def gradients(self, roots: Sequence[Unit], forces: Sequence[float]) -> Mapping[Unit, float]:
        """One circuit for all roots: their sum, each weighed by its force."""
        total = Unit(0.0)
        for root, force in zip(roots, forces, strict=True):
            total = circuit.add(total, circuit.multiply(root, Unit(force)))
        circuit.pull(total)
        return {unit: unit.grad for gate in circuit.gates_behind(total) for unit in (*gate.inputs, gate.output)}

    def _wired(self, gate: Callable[..., Unit]) -> Callable[..., Unit]:
        """A gate that takes plain numbers too."""
        return lambda *args: gate(*(each if isinstance(each, Unit) else self.leaf(each) for each in args))


BACKEND = ScalarBackend(Gates())
