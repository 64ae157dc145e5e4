"""Gates: the published numbers, the slope by nudging against the slope by pulling, and torch's verdict."""

from __future__ import annotations

import random
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest

from examples.gates import circuit, example
from examples.gates.backend import BACKEND
from examples.gates.numerical import gradient_ascent, numerical_gradient
from examples.gates.units import MaxGate, Unit
from examples.trial import try_out
from parity_tests.backends import Unsupported

# The lessons print the other numbers to the last digit.
PRINTED = {
    "100 - (x - y)^2 at the top": 5e-5,
    "x y after one step from (-2, 3)": 5e-3,
    "(x + y) z after one step": 5e-3,
    "neuron": 5e-5,
    "neuron after one step": 1e-4,  # cut off there, not rounded
    **{f"neuron, d/d{name}": 5e-4 for name in "abcxy"},
}


@pytest.fixture(scope="module")
def result():
    return example.run()


@pytest.mark.parametrize("name", example.PUBLISHED)
def test_the_published_number_comes_out(result, name):
    assert result["obtained"][name] == pytest.approx(example.PUBLISHED[name], abs=PRINTED.get(name, 1e-12), rel=0)


def test_the_ascent_stops_when_a_step_gains_less_than_asked():
    way = gradient_ascent(example.hill, (3, 4), step=0.001, enough=0.000005)
    heights = [example.hill(*point) for point in way]
    gains = np.diff(heights)
    assert len(way) == 923
    assert (gains[:-1] >= 0.000005).all()
    assert gains[-1] < 0.000005


WIRED: dict[str, tuple[Callable[..., Unit], int]] = {
    "add": (circuit.add, 2),
    "multiply": (circuit.multiply, 2),
    "maximum": (circuit.maximum, 2),
    "sigmoid": (circuit.sigmoid, 1),
    "(x + y) z": (circuit.sum_times, 3),
    "neuron": (circuit.neuron, 5),
    "x x": (lambda x: circuit.multiply(x, x), 1),
    "a wire that branches": (lambda x, y: circuit.multiply(circuit.add(x, y), circuit.maximum(x, y)), 2),
}


def pulled(wired: Callable[..., Unit], point: list[float]) -> list[float]:
    inputs = [Unit(number) for number in point]
    circuit.pull(wired(*inputs))
    return [unit.grad for unit in inputs]


@pytest.mark.parametrize("name", WIRED)
def test_nudging_and_pulling_agree(name):
    wired, count = WIRED[name]
    generator = random.Random(name)
    for _ in range(20):
        point = [generator.uniform(-2, 2) for _ in range(count)]

        def value(*numbers: float) -> float:
            return wired(*map(Unit, numbers)).value

        exact = pulled(wired, point)
        assert numerical_gradient(value, point) == pytest.approx(exact, abs=1e-3, rel=0)
        # A forward difference is wrong in proportion to its nudge.
        errors = [
            max(abs(a - b) for a, b in zip(numerical_gradient(value, point, nudge), exact, strict=True))
            for nudge in (1e-3, 1e-5)
        ]
        assert errors[1] <= 0.02 * errors[0] + 1e-9


def test_pulling_twice_says_the_same_twice():
    x, y, z = (Unit(number) for number in (-2, 5, -4))
    output = circuit.sum_times(x, y, z)
    for _ in range(2):
        circuit.pull(output)
        assert [x.grad, y.grad, z.grad] == [-4, -4, 3]


def test_equal_inputs_of_a_max_gate_feel_half_the_pull_each():
    assert pulled(circuit.maximum, [1.5, 1.5]) == [0.5, 0.5]


def test_a_sigmoid_far_out_does_not_overflow():
    assert circuit.sigmoid(Unit(-1000.0)).value == 0
    assert circuit.sigmoid(Unit(1000.0)).value == 1


def test_the_pictures_are_well_formed(result):
    for figure in result["figures"]:
        assert ElementTree.fromstring(figure).tag.endswith("svg")


def test_the_instrument_finds_no_difference_from_torch():
    tally, counterexample = try_out(BACKEND, 100)
    assert counterexample is None, counterexample.script
    assert tally.outcomes["pass"] + tally.outcomes["unsupported"] == tally.cases == 200
    assert tally.outcomes["pass"] > tally.cases / 2


def test_the_instrument_convicts_a_max_gate_that_pulls_at_one_of_two_equal_inputs(monkeypatch):
    monkeypatch.setattr(MaxGate, "slopes", lambda self, x, y: (float(x >= y), float(x < y)))
    _, counterexample = try_out(BACKEND, 150)
    assert counterexample is not None
    assert counterexample.ops == ("maximum",)
    assert counterexample.differences[0].outcome == "grad"


def test_what_gates_do_not_know_is_unsupported():
    x = BACKEND.tensor(np.array([1.0, 2.0]))
    for name, args, kwargs in [
        ("torch.exp", (x,), {}),
        ("Tensor.add_", (x, x), {}),
        ("torch.add", (x, x), {"alpha": 2}),
        ("Tensor.sum", (x,), {}),
    ]:
        with pytest.raises(Unsupported):
            BACKEND.call(name, *args, **kwargs)
    with pytest.raises(Unsupported, match="float32"):
        BACKEND.tensor(np.array([1.0], np.float32))
    with pytest.raises(Unsupported, match="create_graph"):
        BACKEND.grad([x], [x], [x], create_graph=True)
