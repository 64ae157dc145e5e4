"""The scalar Value: the published numbers, every operation by wiggling, the network in nn, and the faulty twin."""

from __future__ import annotations

import math
import operator
import random
from xml.etree import ElementTree

import pytest

from examples.scalar_backend import ScalarBackend
from examples.scalar_value import example
from examples.scalar_value.backend import BACKEND, FAULTY, Values
from examples.scalar_value.checks import by_hand, gradients, lesson, wiggled
from examples.scalar_value.faulty_value import FaultyValue
from examples.scalar_value.neurons import MLP
from examples.scalar_value.training import UP_DOWN, YES_NO, side_by_side, squared_errors, tanh_network, train
from examples.scalar_value.value import Value
from examples.trial import convict, try_out

# The lecture's float32: what it prints is met to a few units of that.
SINGLE = {
    "ReLU network in nn, last loss": 1e-6,
    **{f"ReLU network in nn, prediction {number}": 1e-5 for number in range(1, 5)},
}


@pytest.fixture(scope="module")
def result():
    return example.run()


@pytest.mark.parametrize("name", example.PUBLISHED)
def test_the_published_number_comes_out(result, name):
    assert result["obtained"][name] == pytest.approx(example.PUBLISHED[name], abs=SINGLE.get(name, 1e-14), rel=0)


def test_the_pictures_are_well_formed(result):
    for figure in result["figures"]:
        assert ElementTree.fromstring(figure).tag.endswith("svg")


# -- the class

EXPRESSIONS = {
    "a + b": operator.add,
    "a - b": operator.sub,
    "a * b": operator.mul,
    "a / b": operator.truediv,
    "a ** b": operator.pow,
    "-a": lambda a, b: -a,
    "a ** 3": lambda a, b: a**3,
    "a ** -0.5": lambda a, b: a**-0.5,
    "exp": lambda a, b: a.exp(),
    "log": lambda a, b: a.log(),
    "tanh": lambda a, b: a.tanh(),
    "relu": lambda a, b: (a - b).relu() + (b - a).relu(),
    "2 + a": lambda a, b: 2 + a,
    "2 - a": lambda a, b: 2 - a,
    "2 * a": lambda a, b: 2 * a,
    "2 / a": lambda a, b: 2 / a,
    "2 ** a": lambda a, b: 2**a,
    "everything": lambda a, b: ((a * b).tanh() + (a / b).exp() - b**2) * (a + b).log() + (a - 2 * b).relu(),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_backward_agrees_with_wiggling_and_numbers_with_python(name):
    expression = EXPRESSIONS[name]
    generator = random.Random(name)
    for _ in range(10):
        at = [generator.uniform(0.3, 2), generator.uniform(0.3, 2)]
        assert gradients(expression, at) == pytest.approx(wiggled(expression, at), rel=1e-6, abs=1e-8)
        if "a" in name and name not in ("tanh", "everything"):
            a, b = at
            assert expression(*map(Value, at)).data == pytest.approx(eval(name, {"a": a, "b": b}), rel=1e-15)


def test_functions_are_those_of_math():
    x = Value(0.7)
    assert [x.exp().data, x.log().data, x.tanh().data] == [math.exp(0.7), math.log(0.7), math.tanh(0.7)]
    assert [Value(-0.7).relu().data, x.relu().data] == [0, 0.7]


def test_the_check_by_hand_is_exact():
    for at in ((2.0, -3.0, 10.0, -2.0), (0.5, 1.5, -2.0, 3.0)):
        assert gradients(lesson, at) == by_hand(*at)


def test_gradients_add_up_until_they_are_set_to_zero():
    model = MLP(2, [2, 1], generator=random.Random(0))
    model([1.0, -2.0])[0].backward()
    once = [parameter.grad for parameter in model.parameters()]
    model([1.0, -2.0])[0].backward()
    assert [parameter.grad for parameter in model.parameters()] == [2 * grad for grad in once]
    model.zero_grad()
    assert {parameter.grad for parameter in model.parameters()} == {0}


def test_backward_twice_on_the_same_graph_adds_to_leaves_only():
    a = Value(3.0)
    result = a * a * a
    result.backward()
    assert a.grad == 27
    result.backward()
    assert a.grad == 54


def test_a_number_to_the_power_of_zero_has_no_slope_even_at_zero():
    assert gradients(lambda a: a**0, [0.0]) == [0]


def test_a_long_sum_needs_no_deep_recursion():
    start = total = Value(0.0)
    for _ in range(50_000):
        total = total + 1.0
    total.backward()
    assert (total.data, start.grad) == (50_000, 1)


# -- the network


def test_an_unknown_activation_is_refused():
    with pytest.raises(ValueError, match="unknown activation 'rleu'"):
        MLP(3, [4, 1], "rleu")


def test_the_four_rows_are_learnt_with_tanh_and_with_relu():
    model, losses = tanh_network()
    assert losses[-1] < 0.01 < losses[0]
    assert sorted(losses, reverse=True) == losses
    assert [round(model(row)[0].data) for row in ([2.0, 3.0, -1.0], [3.0, -1.0, 0.5])] == UP_DOWN[:2]

    model = MLP(3, [4, 4, 1], "relu", last="linear", generator=random.Random(2))
    losses = train(model, YES_NO, learning_rate=0.02, steps=100)
    assert losses[-1] < 0.05 * losses[0]
    assert squared_errors(model, YES_NO).data <= losses[-1]


def test_the_network_in_values_follows_the_one_in_nn_at_every_step():
    losses, scalar_losses, predictions, scalar_predictions = side_by_side()
    assert len(losses) == 100
    assert scalar_losses == pytest.approx(losses, rel=1e-5)
    assert scalar_predictions == pytest.approx(predictions, abs=1e-5)


# -- the instrument


def test_the_instrument_finds_no_difference_from_torch():
    tally, counterexample = try_out(BACKEND, 150)
    assert counterexample is None, counterexample.script
    assert tally.outcomes["pass"] + tally.outcomes["unsupported"] == tally.cases == 300
    assert tally.outcomes["pass"] > tally.cases / 2


def test_the_instrument_convicts_the_faulty_twin_of_both_mistakes_by_one_op_each():
    found = {counterexample.ops: counterexample for counterexample in convict(FAULTY, 150)}
    assert set(found) == {("relu",), ("exp",)}
    relu = "\n".join(map(str, found["relu",].differences))
    assert "a NoneType, expected a tensor" in relu
    assert {each.outcome for each in found["exp",].differences} == {"value", "grad"}


def test_behind_the_missing_return_the_overwritten_gradient_is_found():
    """A fault hides another: with the return put back, the gradient that relu assigns comes to light."""

    class Returning(FaultyValue):
        def relu(self):
            out = Value.relu(self)

            def hand_back() -> None:
                self.grad = (out.data > 0) * out.grad

            out._hand_back = hand_back
            return out

    _, counterexample = try_out(ScalarBackend(Values("returning", Returning)), 200, {"add", "mul", "neg", "relu"})
    assert counterexample is not None
    assert "relu" in counterexample.ops
    assert {each.outcome for each in counterexample.differences} == {"grad"}


def test_a_network_of_tanh_neurons_does_not_notice():
    x = FaultyValue(0.3)
    y = (x * 2 + 1).tanh()
    y.backward()
    assert x.grad == gradients(lambda x: (x * 2 + 1).tanh(), [0.3])[0]
