"""Value as a framework for the instrument, and its faulty twin."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from examples.scalar_backend import ScalarBackend

from .faulty_value import FaultyValue
from .value import Value


class Values:
    """The engine: a scalar is a Value of the given class."""

    ops: Mapping[str, Callable[..., Any]] = {
        "add": operator.add,
        "sub": operator.sub,
        "mul": operator.mul,
        "div": operator.truediv,
        "neg": operator.neg,
        "pow": operator.pow,
        "exp": lambda x: x.exp(),
        "log": lambda x: x.log(),
        "tanh": lambda x: x.tanh(),
        "relu": lambda x: x.relu(),
    }

    def __init__(self, name: str, kind: type[Value]) -> None:
        self.name, self.kind = name, kind

    def leaf(self, number: float) -> Value:
        return self.kind(number)

    def number(self, scalar: Value) -> float:
        return float(scalar.data)

    def gradients(self, roots: Sequence[Value], forces: Sequence[float]) -> Mapping[Value, float]:
        """`backward` on the sum of the roots, each weighed by its force."""
        total = sum((root * force for root, force in zip(roots, forces, strict=True)), self.kind(0.0))
        history = list(total.history())
        for value in history:
            value.grad = 0.0
        total.backward()
        return {value: value.grad for value in history}


BACKEND = ScalarBackend(Values("scalar_value", Value))
FAULTY = ScalarBackend(Values("scalar_value, the faulty twin", FaultyValue))
