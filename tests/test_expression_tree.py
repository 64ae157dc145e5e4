"""The expression tree: what it learns, its exercises one by one, and torch's verdict."""

from __future__ import annotations

import math
import random
from xml.etree import ElementTree

import pytest

from examples.expression_tree import example, losses, macros, training
from examples.expression_tree.backend import BACKEND, RECURSION, Trees
from examples.expression_tree.compiled import compile
from examples.expression_tree.funcify import funcify
from examples.expression_tree.nodes import Add, Constant, Input, Multiply, Node, Parameter, ReLU, Sigmoid, walk
from examples.expression_tree.output import Output, SoftMax
from examples.expression_tree.training import parameters_of, predict, train_model
from examples.scalar_backend import ScalarBackend
from examples.trial import try_out


@pytest.fixture(scope="module")
def result():
    return example.run()


def test_celsius_is_learnt_from_fahrenheit(result):
    assert round(result["obtained"]["Celsius from Fahrenheit, w"], 4) == 0.5556
    assert round(result["obtained"]["Celsius from Fahrenheit, b"], 4) == -17.7778
    assert result["formulas"][0] == "C(F) = 0.5556 * F - 17.7778"


@pytest.mark.parametrize("name", [name for name in example.PUBLISHED if name.startswith("y > x")])
def test_the_classifier_is_sure_of_the_published_points(result, name):
    assert result["obtained"][name] == pytest.approx(example.PUBLISHED[name], abs=1e-3, rel=0)


def test_three_regions_are_learnt(result):
    assert result["obtained"]["three regions, right on unseen points"] > 0.9


def test_the_pictures_are_well_formed(result):
    for figure in result["figures"]:
        assert ElementTree.fromstring(figure).tag.endswith("svg")


# -- the nodes


def some_network(generator: random.Random) -> Node:
    """Shared nodes of every kind, over two inputs."""
    nodes: list[Node] = [Input("x"), Input("y"), Parameter(generator.uniform(-1, 1)), Parameter(0.5)]
    for kind in generator.choices((Add, Multiply, ReLU, Sigmoid), k=8):
        count = 1 if kind in (ReLU, Sigmoid) else generator.randint(1, 4)
        nodes.append(kind(*generator.choices(nodes, k=count)))
    return Add(*nodes[-3:])


def learnt(model: Node, inputs: dict[str, float]) -> tuple[float, list[float]]:
    """The value, and the gradients of the parameters."""
    value = predict(model, inputs)
    parameters = parameters_of(model)
    for parameter in parameters:
        parameter.gradient = 0.0
    model.backward(1.0)
    return value, [parameter.gradient for parameter in parameters]


@pytest.mark.parametrize("seed", range(20))
def test_the_gradient_is_the_slope(seed):
    model = some_network(random.Random(seed))
    inputs = {"x": 0.3, "y": -0.7}
    _, gradients = learnt(model, inputs)
    for parameter, gradient in zip(parameters_of(model), gradients, strict=True):
        at, sides = parameter.value, []
        for nudge in (1e-6, -1e-6):
            parameter.value = at + nudge
            sides.append(predict(model, inputs))
        parameter.value = at
        assert gradient == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-5, abs=1e-6)


def test_a_product_with_zeros_has_slopes():
    zero, two, three = Parameter(0.0), Parameter(2.0), Parameter(3.0)
    model = Multiply(zero, two, three)
    assert learnt(model, {}) == (0, [6, 0, 0])


def test_a_missing_input_is_named():
    with pytest.raises(KeyError, match="'x'"):
        predict(Add(Input("x"), Constant(1.0)), {"y": 1.0})


# -- the losses


@pytest.mark.parametrize("loss", [losses.MSE, losses.BCE])
@pytest.mark.parametrize("target", [0.0, 1.0])
def test_a_loss_has_the_gradient_of_its_slope(loss, target):
    for prediction in (0.1, 0.5, 0.93):
        slope = (loss.loss(prediction + 1e-6, target) - loss.loss(prediction - 1e-6, target)) / 2e-6
        assert loss.gradient(prediction, target) == pytest.approx(slope, rel=1e-6)


def test_losses_and_softmax_are_those_of_torch(torch):
    predictions, targets = [0.2, 0.9, 0.5], [0.0, 1.0, 1.0]
    for loss, theirs in (
        (losses.MSE, torch.nn.functional.mse_loss),
        (losses.BCE, torch.nn.functional.binary_cross_entropy),
    ):
        p = torch.tensor(predictions, dtype=torch.float64, requires_grad=True)
        expected = theirs(p, torch.tensor(targets, dtype=torch.float64), reduction="sum")
        expected.backward()
        pairs = list(zip(predictions, targets, strict=True))
        assert sum(loss.loss(*pair) for pair in pairs) == pytest.approx(expected.item(), rel=1e-12)
        assert [loss.gradient(*pair) for pair in pairs] == pytest.approx(p.grad.tolist(), rel=1e-12)

    scores, target = [0.5, -1.0, 2.0], [0.0, 1.0, 0.0]
    parameters = [Parameter(score) for score in scores]
    model = SoftMax(*parameters)
    probabilities = predict(model, {})
    model.backward(losses.CategoricalCrossEntropy.gradient(probabilities, target))
    s = torch.tensor(scores, dtype=torch.float64, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(s, torch.tensor(1))
    expected.backward()
    assert losses.CategoricalCrossEntropy.loss(probabilities, target) == pytest.approx(expected.item(), rel=1e-12)
    assert [each.gradient for each in parameters] == pytest.approx(s.grad.tolist(), rel=1e-12)


# -- the exercises


def test_cached_inputs_are_not_looked_for_again(monkeypatch):
    model = compile(Sigmoid(Add(Multiply(Parameter(2.0), Input("x")), Input("x"))))
    monkeypatch.setattr(training, "walk", None)
    assert predict(model, {"x": 0.0}) == 0.5
    assert len(train_model(model, [({"x": 1.0}, 1.0)], losses.BCE, 0.1, epochs=3)) == 3


def count_computations(monkeypatch) -> list[int]:
    counted = [0]
    plain = Add.value_of

    def counting(self, *values):
        counted[0] += 1
        return plain(self, *values)

    monkeypatch.setattr(Add, "value_of", counting)
    return counted


def test_cached_values_are_computed_once_forward_and_never_backward(monkeypatch):
    model = example.doublings(10)
    counted = count_computations(monkeypatch)
    assert model.forward() == 1024
    assert counted == [2**10 - 1]  # each way from the root to a leaf is walked
    network = compile(model)
    counted[0] = 0
    assert network.forward() == 1024
    assert counted == [10]
    network.backward(1.0)
    assert counted == [10]


@pytest.mark.parametrize("seed", range(20))
def test_several_parents_are_added_up_as_by_plain_recursion(seed):
    model = some_network(random.Random(seed))
    value, gradients = learnt(model, {"x": 0.3, "y": -0.7})
    again, compiled_gradients = learnt(compile(model), {"x": 0.3, "y": -0.7})
    assert again == value
    assert compiled_gradients == pytest.approx(gradients, rel=1e-12)


def test_several_parents_do_not_multiply_the_work():
    (p,) = parameters_of(network := compile(example.doublings(50)))
    assert network.forward() == 2.0**50
    network.backward(1.0)
    assert p.gradient == 2.0**50


def test_a_deep_network_needs_no_deep_recursion():
    node: Node = Parameter(0.5)
    for _ in range(20_000):
        node = Add(node, Constant(1.0))
    network = compile(node)
    assert network.forward() == 20_000.5
    network.backward(1.0)
    assert parameters_of(network)[0].gradient == 1


ELEMENTARY = (Input, Parameter, Constant, Add, Multiply, ReLU, Sigmoid)


@pytest.mark.parametrize(
    ("macro", "meaning"),
    [
        (macros.Subtract, lambda x, y: x - y),
        (macros.Maximum, max),
        (macros.Mean, lambda x, y: (x + y) / 2),
        (lambda x, y: macros.Negate(x), lambda x, y: -x),
        (lambda x, y: macros.Power(x, 3), lambda x, y: x**3),
        (lambda x, y: macros.LeakyReLU(x, 0.1), lambda x, y: x if x > 0 else 0.1 * x),
        (lambda x, y: macros.Tanh(x), lambda x, y: math.tanh(x)),
    ],
)
def test_a_macro_means_what_it_says_and_is_elementary(macro, meaning):
    model = macro(Input("x"), Input("y"))
    assert all(type(node) in ELEMENTARY for node in walk(model))
    for x, y in ((0.5, -2.0), (-1.5, 3.0), (2.0, 1.0)):
        assert predict(model, {"x": x, "y": y}) == pytest.approx(meaning(x, y), rel=1e-12)


def test_linear_expands_to_weights_and_a_bias():
    model = macros.Linear(Input("x"), Input("y"), generator=random.Random(0))
    assert all(type(node) in ELEMENTARY for node in walk(model))
    weights = parameters_of(model)
    assert [each.name for each in weights] == ["w0", "w1", "b"]
    w0, w1, b = (each.value for each in weights)
    assert predict(model, {"x": 2.0, "y": 3.0}) == pytest.approx(2 * w0 + 3 * w1 + b)


def test_an_output_is_a_list_and_takes_a_list_of_pulls():
    a, b = Parameter(2.0), Parameter(3.0)
    for wrap in (lambda model: model, compile):
        model = wrap(Output(Add(a, b), Multiply(a, b)))
        a.gradient = b.gradient = 0.0
        assert predict(model, {}) == [5, 6]
        model.backward([1.0, 10.0])
        assert [a.gradient, b.gradient] == [31, 21]


def test_softmax_does_not_overflow():
    assert predict(SoftMax(Constant(1000.0), Constant(0.0)), {}) == [1, 0]


def evaluated(text: str, inputs: dict[str, float]) -> float:
    """A formula of `funcify`, computed with."""
    *shared, last = text.split("\n")
    names = dict(inputs)
    functions = {"relu": lambda x: max(x, 0.0), "sigmoid": lambda x: 1 / (1 + math.exp(-x)), "softmax": lambda *x: x}
    for line in shared:
        name, _, formula = line.partition(" = ")
        names[name] = eval(formula, functions, names)
    return eval(last.partition(" = ")[2], functions, names)


@pytest.mark.parametrize("seed", range(20))
def test_the_formula_computes_what_the_network_computes(seed):
    model = some_network(random.Random(seed))
    inputs = {"x": 0.3, "y": -0.7}
    for each in (model, compile(model)):
        assert evaluated(funcify(each, digits=17), inputs) == pytest.approx(predict(each, inputs), rel=1e-9, abs=1e-12)


def test_the_formula_is_readable():
    x, y = Input("x"), Input("y")
    once = Add(Multiply(Constant(2.0), x), Constant(-1.0))
    assert funcify(Sigmoid(once), digits=1) == "f(x) = sigmoid(2.0 * x - 1.0)"
    assert funcify(Multiply(once, y), digits=1) == "f(x, y) = (2.0 * x - 1.0) * y"
    assert funcify(macros.Subtract(x, Add(x, y)), digits=0) == "f(x, y) = x - 1 * (x + y)"
    assert funcify(Multiply(once, once), digits=1) == "f(x) = (2.0 * x - 1.0) * (2.0 * x - 1.0)"
    assert funcify(Add(ReLU(once), Sigmoid(once)), digits=1) == "h1 = 2.0 * x - 1.0\nf(x) = relu(h1) + sigmoid(h1)"


# -- the instrument


@pytest.mark.parametrize("backend", [BACKEND, RECURSION], ids=lambda backend: backend.name)
def test_the_instrument_finds_no_difference_from_torch(backend):
    tally, counterexample = try_out(backend, 100)
    assert counterexample is None, counterexample.script
    assert tally.outcomes["pass"] + tally.outcomes["unsupported"] == tally.cases == 200
    assert tally.outcomes["pass"] > tally.cases / 2


def test_the_instrument_sees_a_sum_lose_the_sign_of_zero(monkeypatch):
    monkeypatch.setattr(Add, "value_of", lambda self, *values: sum(values))
    _, counterexample = try_out(BACKEND, 1500, {"add", "neg", "relu"})
    assert counterexample is not None
    assert counterexample.ops == ("add",)
    assert "the sign of zero" in str(counterexample.differences[0])


def test_the_instrument_sees_the_tanh_macro_lose_digits_near_zero():
    engine = Trees()
    engine.ops = {"tanh": macros.Tanh}
    _, counterexample = try_out(ScalarBackend(engine), 400)
    assert counterexample is not None
    assert counterexample.ops == ("tanh",)
    (operand,) = counterexample.program.inputs
    lost = {
        x: abs(predict(macros.Tanh(Constant(x)), {}) / math.tanh(x) - 1) for x in operand.array.ravel().tolist() if x
    }
    assert abs(max(lost, key=lost.__getitem__)) < 0.5
