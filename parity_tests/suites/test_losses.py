"""Losses: values and gradients with every reduction, weight, ignored index, smoothing and shape; warnings and errors."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.check import assert_same
from parity_tests.suites._programs import run, same

reductions = st.sampled_from(["none", "mean", "sum"])
seeds = st.integers(0, 2**32 - 1)


def agree(torch, candidate, program):
    """`program(ns, dtype)` comes to the same in float32, as closely as float64 says it must."""
    truth, expected, actual = (
        run(ns, lambda ns, dtype=dtype: program(ns, getattr(ns, dtype)))
        for ns, dtype in ((torch, "float64"), (torch, "float32"), (candidate, "float32"))
    )
    assert_same(expected, actual, truth=truth)


def tensor(ns, dtype, array, requires_grad=False):
    """A tensor of either framework from float32 numbers, which every dtype here can hold."""
    return ns.tensor(np.float32(array).tolist(), dtype=dtype).reshape(array.shape).requires_grad_(requires_grad)


def differentiated(ns, loss, *leaves):
    """A loss and, hanging on the leaves, the gradients of a random combination of its elements."""
    if loss.requires_grad:
        cotangent = np.random.default_rng(1).standard_normal(tuple(loss.shape))
        loss.backward(tensor(ns, loss.dtype, np.asarray(cotangent)))
    return loss, *leaves


def texts(caught):
    """The warnings of the framework, without those that NumPy gives of arithmetic."""
    return [str(w.message) for w in caught if w.category is not RuntimeWarning]


def broadcast_pair(shape, drop, ones):
    """A shape and another that broadcasts to it."""
    other = [1 if keep else size for size, keep in zip(shape, ones, strict=False)]
    return tuple(shape), tuple(other[drop:])


pairs = st.builds(
    broadcast_pair,
    st.lists(st.integers(0, 4), max_size=3),
    st.integers(0, 2),
    st.lists(st.booleans(), min_size=3, max_size=3),
)


@pytest.mark.parametrize("name", ["MSELoss", "L1Loss"])
@given(shapes=pairs, seed=seeds, reduction=reductions, swap=st.booleans(), both=st.booleans())
def test_elementwise_losses(torch, candidate, name, shapes, seed, reduction, swap, both):
    draw = np.random.default_rng(seed)
    left, right = (draw.standard_normal(shape) for shape in (shapes[::-1] if swap else shapes))

    def program(ns, dtype):
        x, y = tensor(ns, dtype, left, requires_grad=True), tensor(ns, dtype, right, requires_grad=both)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loss = getattr(ns.nn, name)(reduction=reduction)(x, y)
        return *differentiated(ns, loss, x, y), texts(caught)

    agree(torch, candidate, program)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss"])
@given(seed=seeds, reduction=reductions | st.just("all"), shape=st.sampled_from([(3, 2), (2,), (1, 2)]))
def test_weighted_elements(torch, candidate, name, seed, reduction, shape):
    draw = np.random.default_rng(seed)
    left, right, scale = draw.standard_normal((3, 2)), draw.standard_normal((3, 2)), draw.random(shape)

    def program(ns, dtype):
        x, weight = tensor(ns, dtype, left, requires_grad=True), tensor(ns, dtype, scale)
        loss = getattr(ns.nn.functional, name)(x, tensor(ns, dtype, right), weight=weight, reduction=reduction)
        return differentiated(ns, loss, x)

    agree(torch, candidate, program)


@st.composite
def classifications(draw):
    """Scores (N, C, ...) or (C), the classes that are right, their weights, and options."""
    rng = np.random.default_rng(draw(seeds))
    classes = draw(st.integers(1, 5))
    batch = draw(st.none() | st.lists(st.integers(1, 3), min_size=1, max_size=3))
    shape = (classes,) if batch is None else (batch[0], classes, *batch[1:])
    target = rng.integers(0, classes, () if batch is None else batch)
    ignored = draw(st.sampled_from([-100, 0, 1, classes]))
    if draw(st.booleans()):
        target = np.where(rng.random(target.shape) < 0.3, ignored, target)
    weight = rng.random(classes) if draw(st.booleans()) else None
    return rng.standard_normal(shape) * 3, target, weight, ignored, draw(reductions)


def weight_of(ns, dtype, weight):
    return None if weight is None else tensor(ns, dtype, weight)


@given(case=classifications())
def test_nll(torch, candidate, case):
    scores, classes, weights, ignored, reduction = case

    def program(ns, dtype):
        x, target = tensor(ns, dtype, scores, requires_grad=True), ns.tensor(classes.tolist(), dtype=ns.int64)
        options = {"weight": weight_of(ns, dtype, weights), "ignore_index": ignored, "reduction": reduction}
        return differentiated(ns, ns.nn.NLLLoss(**options)(x, target), x)

    agree(torch, candidate, program)


@given(case=classifications(), smoothing=st.sampled_from([0.0, 0.1, 1.0]))
def test_cross_entropy_of_classes(torch, candidate, case, smoothing):
    scores, classes, weights, ignored, reduction = case

    def program(ns, dtype):
        x, target = tensor(ns, dtype, scores, requires_grad=True), ns.tensor(classes.tolist(), dtype=ns.int64)
        options = {"weight": weight_of(ns, dtype, weights), "ignore_index": ignored, "reduction": reduction}
        return differentiated(ns, ns.nn.CrossEntropyLoss(**options, label_smoothing=smoothing)(x, target), x)

    agree(torch, candidate, program)


@given(case=classifications(), smoothing=st.sampled_from([0.0, 0.1, 1.0]), both=st.booleans())
def test_cross_entropy_of_probabilities(torch, candidate, case, smoothing, both):
    scores, _, weights, _, reduction = case
    chances = np.random.default_rng(scores.size).random(scores.shape)

    def program(ns, dtype):
        x, target = tensor(ns, dtype, scores, requires_grad=True), tensor(ns, dtype, chances, requires_grad=both)
        loss = ns.nn.CrossEntropyLoss(weight_of(ns, dtype, weights), None, -100, None, reduction, smoothing)
        return differentiated(ns, loss(x, target), x, target)

    agree(torch, candidate, program)


@pytest.mark.parametrize("name", ["MSELoss", "CrossEntropyLoss"])
@pytest.mark.parametrize("size_average", [None, True, False])
@pytest.mark.parametrize("reduce", [None, True, False])
def test_the_old_booleans_warn_and_choose(torch, candidate, name, size_average, reduce):
    def program(ns):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loss = getattr(ns.nn, name)(size_average=size_average, reduce=reduce, reduction="sum")
            x = ns.tensor([[1.0, 3.0], [2.0, 0.5]])
            value = ns.nn.functional.mse_loss(x, x * 2, size_average, reduce)
        return loss.reduction, value, texts(caught)

    same(torch, candidate, program)


FLOATS, CLASSES = [[0.5, -1.0, 2.0], [1.0, 0.0, 0.25]], [2, 0]
WRONG = {
    "mse shapes": lambda ns, x, t: ns.nn.MSELoss()(x, ns.ones(4)),
    "mse reduction": lambda ns, x, t: ns.nn.MSELoss(reduction="average")(x, x),
    "mse no reduction": lambda ns, x, t: ns.nn.functional.mse_loss(x, x, reduction=None),
    "mse of a number": lambda ns, x, t: ns.nn.MSELoss()(x, 1.0),
    "mse of nothing": lambda ns, x, t: ns.nn.functional.mse_loss(x, None),
    "mse without target": lambda ns, x, t: ns.nn.MSELoss()(x),
    "mse of integers": lambda ns, x, t: ns.nn.MSELoss()(t, t),
    "l1 shapes": lambda ns, x, t: ns.nn.L1Loss()(x, ns.ones(4)),
    "l1 reduction": lambda ns, x, t: ns.nn.L1Loss(reduction="average")(x, x),
    "nll batch": lambda ns, x, t: ns.nn.NLLLoss()(x, t[:1]),
    "nll class": lambda ns, x, t: ns.nn.NLLLoss()(x, t + 1),
    "nll negative": lambda ns, x, t: ns.nn.NLLLoss()(x, t - 1),
    "nll float target": lambda ns, x, t: ns.nn.NLLLoss()(x, t.to(ns.float32)),
    "nll int32 target": lambda ns, x, t: ns.nn.NLLLoss()(x, t.to(ns.int32)),
    "nll weight": lambda ns, x, t: ns.nn.NLLLoss(ns.ones(2))(x, t),
    "nll two targets": lambda ns, x, t: ns.nn.NLLLoss()(x, x.to(ns.int64)),
    "nll scalar": lambda ns, x, t: ns.nn.NLLLoss()(x[0, 0], t),
    "nll reduction": lambda ns, x, t: ns.nn.NLLLoss(reduction="no")(x, t),
    "nll number": lambda ns, x, t: ns.nn.functional.nll_loss(x, 1),
    "cross entropy batch": lambda ns, x, t: ns.nn.CrossEntropyLoss()(x, t[:1]),
    "cross entropy class": lambda ns, x, t: ns.nn.CrossEntropyLoss()(x, t + 1),
    "cross entropy int32": lambda ns, x, t: ns.nn.CrossEntropyLoss()(x, t.to(ns.int32)),
    "cross entropy shape": lambda ns, x, t: ns.nn.CrossEntropyLoss()(x, x[:1]),
    "cross entropy ints": lambda ns, x, t: ns.nn.CrossEntropyLoss()(x, x.to(ns.int64)),
    "cross entropy weight": lambda ns, x, t: ns.nn.CrossEntropyLoss(ns.ones(2))(x, t),
    "cross entropy smoothing": lambda ns, x, t: ns.nn.CrossEntropyLoss(label_smoothing=1.5)(x, t),
    "cross entropy dtypes": lambda ns, x, t: ns.nn.CrossEntropyLoss(ns.ones(3, dtype=ns.float64))(x, t),
    "cross entropy number": lambda ns, x, t: ns.nn.functional.cross_entropy(x, 1.0),
    "cross entropy spatial": lambda ns, x, t: ns.nn.CrossEntropyLoss()(x.reshape(1, 3, 2), t.reshape(1, 2)[:, :1]),
    "bad weight": lambda ns, x, t: ns.nn.CrossEntropyLoss(weight=[1.0])(x, t),
}


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG.keys())
def test_errors(torch, candidate, program):
    same(torch, candidate, lambda ns: program(ns, ns.tensor(FLOATS), ns.tensor(CLASSES)))


def test_elementwise_mean_warns(torch, candidate):
    def program(ns):
        with pytest.warns(UserWarning) as caught:
            loss = ns.nn.MSELoss(reduction="elementwise_mean")(ns.ones(2), ns.zeros(2))
        return loss, [str(w.message) for w in caught]

    same(torch, candidate, program)


def test_a_weight_is_a_buffer(torch, candidate):
    def program(ns):
        loss = ns.nn.CrossEntropyLoss(weight=ns.ones(3)).double()
        return loss.state_dict(), [name for name, _ in loss.named_buffers()], loss

    same(torch, candidate, program)
