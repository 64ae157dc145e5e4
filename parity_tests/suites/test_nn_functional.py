"""`nn.functional` and the modules over it: activations, dropout masks by seed, one_hot, gradient clipping."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, run, same

seeds = st.integers(0, 2**32 - 1)
shapes = st.lists(st.integers(0, 4), max_size=4).map(tuple)


def numbers(seed, shape):
    return np.asarray(np.random.default_rng(seed).standard_normal(shape), np.float32)


ACTIVATIONS = {
    "relu": lambda ns, x: ns.nn.functional.relu(x),
    "relu in place": lambda ns, x: ns.nn.ReLU(inplace=True)(x * 1),
    "leaky": lambda ns, x: ns.nn.LeakyReLU(0.2)(x),
    "leaky in place": lambda ns, x: ns.nn.functional.leaky_relu(x * 1, inplace=True),
    "sigmoid": lambda ns, x: ns.nn.Sigmoid()(x),
    "tanh": lambda ns, x: ns.nn.Tanh()(x),
    "functional sigmoid": lambda ns, x: ns.nn.functional.sigmoid(x),
    "functional tanh": lambda ns, x: ns.nn.functional.tanh(x),
    "softsign": lambda ns, x: ns.nn.Softsign()(x),
    "tanhshrink": lambda ns, x: ns.nn.Tanhshrink()(x),
    "softmax": lambda ns, x: ns.nn.Softmax(-1)(x),
    "softmin": lambda ns, x: ns.nn.Softmin(dim=0)(x),
    "log softmax": lambda ns, x: ns.nn.LogSoftmax(dim=0)(x),
    "softmax2d": lambda ns, x: ns.nn.Softmax2d()(x),
    "softmax in float64": lambda ns, x: ns.nn.functional.softmax(x, 0, dtype=ns.float64),
    "log softmax in float64": lambda ns, x: ns.nn.functional.log_softmax(x, dim=-1, dtype=ns.float64),
    "flatten": lambda ns, x: ns.nn.Flatten(0)(x),
    "identity": lambda ns, x: ns.nn.Identity()(x),
}


@pytest.mark.parametrize("function", ACTIVATIONS.values(), ids=ACTIVATIONS.keys())
@given(shape=shapes, seed=seeds)
def test_activations(torch, candidate, function, shape, seed):
    def program(ns, tensor):
        x = tensor(numbers(seed, shape), requires_grad=True)
        y = function(ns, x)
        y.backward(tensor(numbers(seed + 1, tuple(y.shape))).to(y.dtype))
        return y, x

    agree(torch, candidate, program)


@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax"])
@pytest.mark.parametrize("rank", range(5))
def test_an_implicit_dimension_warns(torch, candidate, name, rank):
    module = {"softmax": "Softmax", "softmin": "Softmin", "log_softmax": "LogSoftmax"}[name]

    def program(ns):
        x = ns.zeros([2] * rank)  # its softmax is exact
        with pytest.warns(UserWarning, match="Implicit dimension") as caught:
            results = getattr(ns.nn.functional, name)(x), getattr(ns.nn, module)()(x)
        return results, [str(w.message) for w in caught]

    same(torch, candidate, program)


DROPOUTS = ["dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"]


@pytest.mark.parametrize("name", DROPOUTS)
@given(
    seed=seeds,
    shape=st.lists(st.integers(0, 5), max_size=5).map(tuple),
    p=st.sampled_from([0, 0.0, 0.1, 0.5, 1 / 3, 1.0, 1, -0.1, 1.5]),
    training=st.booleans(),
    inplace=st.booleans(),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_dropout_masks(torch, candidate, name, seed, shape, p, training, inplace, dtype):
    def program(ns):
        ns.manual_seed(seed)
        leaf = ns.full(shape, 0.75, dtype=getattr(ns, dtype), requires_grad=True)
        x = leaf * 1
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            y = getattr(ns.nn.functional, name)(x, p, training, inplace)
        (y * 2).sum().backward()
        return y, leaf, y is x, ns.rand(2), [str(w.message) for w in caught]

    same(torch, candidate, program)


@pytest.mark.parametrize("name", ["Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout"])
def test_dropout_modules_obey_the_mode(torch, candidate, name):
    def program(ns):
        ns.manual_seed(3)
        module, x = getattr(ns.nn, name)(0.25), ns.ones(4, 3, 2, 2)
        return module(x), module.eval()(x), module.train()(x), module(x) is x, module.eval()(x) is x

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same(torch, candidate, program)


def test_dropout_lays_its_noise_out_like_its_input(torch, candidate):
    def program(ns):
        ns.manual_seed(0)
        return ns.nn.functional.dropout(ns.ones(5, 4).t()), ns.nn.functional.dropout(ns.ones(5, 8)[:, ::2])

    same(torch, candidate, program)


@given(
    classes=st.lists(st.integers(-2, 5), max_size=6),
    width=st.integers(-2, 8),
    dtype=st.sampled_from(["int64", "int64", "int32", "float32"]),
)
def test_one_hot(torch, candidate, classes, width, dtype):
    def program(ns):
        index = ns.tensor(classes, dtype=getattr(ns, dtype))
        if len(classes) % 2 == 0:
            index = index.reshape(2, -1) if classes else index
        return ns.nn.functional.one_hot(index, width)

    same(torch, candidate, program)


@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple),
    seed=seeds,
    order=st.sampled_from([2.0, 1.0, 3.0, float("inf")]),
    dim=st.integers(-2, 2),
    eps=st.sampled_from([1e-12, 1.0]),
)
def test_normalize(torch, candidate, shape, seed, order, dim, eps):
    def program(ns, tensor):
        x = tensor(numbers(seed, shape), True)
        y = ns.nn.functional.normalize(x, order, dim, eps)
        y.backward(tensor(numbers(seed + 1, shape)))
        return y, x

    agree(torch, candidate, program)


@given(sizes=st.lists(st.integers(1, 4), min_size=2, max_size=4), seed=seeds, bias=st.booleans())
def test_linear_takes_any_leading_shape(torch, candidate, sizes, seed, bias):
    def program(ns, tensor):
        x, weight, b = (tensor(numbers(seed, shape), True) for shape in (sizes, (3, sizes[-1]), (3,)))
        y = ns.nn.functional.linear(x, weight, b if bias else None)
        y.pow(2).sum().backward()
        return y, x, weight, b

    agree(torch, candidate, program)


# nn.utils


def with_gradients(ns, tensor, gradients):
    """Parameters that carry gradients, and one that carries none."""
    parameters = []
    for gradient in gradients:
        grad = tensor(np.array(gradient, np.float32))
        parameters.append(ns.nn.Parameter(ns.zeros_like(grad)))
        parameters[-1].grad = grad
    return [*parameters, ns.nn.Parameter(ns.zeros(1))]


gradients = st.lists(
    st.lists(st.floats(-8, 8, width=16) | st.sampled_from([float("nan"), float("inf")]), min_size=1, max_size=4),
    max_size=3,
)


@given(
    values=gradients,
    limit=st.sampled_from([0.0, 0.5, 2, 100.0]),
    order=st.sampled_from([2, 2.0, 1, 3.0, 0.5, 0, float("inf"), -float("inf"), -1]),
    strict=st.booleans(),
)
def test_clipping_by_norm(torch, candidate, values, limit, order, strict):
    def program(ns, tensor):
        parameters = with_gradients(ns, tensor, values)
        norm = run(ns, lambda ns: ns.nn.utils.clip_grad_norm_(iter(parameters), limit, order, strict))
        return norm, [p.grad for p in parameters]

    agree(torch, candidate, program)


@given(values=gradients, limit=st.sampled_from([1, 0.5, 3.0]))
def test_clipping_by_value(torch, candidate, values, limit):
    def program(ns):
        parameters = with_gradients(ns, ns.from_numpy, values)
        return ns.nn.utils.clip_grad_value_(parameters, limit), [p.grad for p in parameters]

    same(torch, candidate, program)


def test_clipping_one_tensor_or_an_empty_generator(torch, candidate):
    def program(ns):
        (parameter, _) = with_gradients(ns, ns.from_numpy, [[3.0, 4.0]])
        norm = ns.nn.utils.clip_grad_norm_(parameter, 1.0)
        with pytest.warns(UserWarning, match="empty generator") as caught:
            nothing = ns.nn.utils.clip_grad_norm_((p for p in []), 1.0)
        return norm, parameter.grad, nothing, [str(w.message) for w in caught]

    same(torch, candidate, program)


def test_parameters_as_a_vector(torch, candidate):
    def program(ns):
        module = ns.nn.Linear(2, 3)
        vector = ns.nn.utils.parameters_to_vector(module.parameters())
        new = ns.arange(9.0)
        ns.nn.utils.vector_to_parameters(new, module.parameters())
        return vector.shape, vector.requires_grad, module.weight.detach(), module.bias.detach(), new

    same(torch, candidate, program)
    same(torch, candidate, lambda ns: ns.nn.utils.vector_to_parameters([1.0], []))
