"""Losses: values and gradients with every reduction, weight, smoothing and shape; warnings and errors."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same

reductions = st.sampled_from(["none", "mean", "sum"])
seeds = st.integers(0, 2**32 - 1)


def numbers(draw, shape, scale=1.0):
    return np.asarray(draw.standard_normal(shape) * scale, np.float32)


def differentiated(tensor, loss, *leaves):
    """A loss and, hanging on the leaves, the gradients of a random combination of its elements."""
    if loss.requires_grad:
        loss.backward(tensor(numbers(np.random.default_rng(1), tuple(loss.shape))))
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
    left, right = (numbers(draw, shape) for shape in (shapes[::-1] if swap else shapes))

    def program(ns, tensor):
        x, y = tensor(left, requires_grad=True), tensor(right, requires_grad=both)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loss = getattr(ns.nn, name)(reduction=reduction)(x, y)
        return *differentiated(tensor, loss, x, y), texts(caught)

    agree(torch, candidate, program)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss"])
@given(seed=seeds, reduction=reductions | st.just("all"), shape=st.sampled_from([(3, 2), (2,), (1, 2)]))
def test_weighted_elements(torch, candidate, name, seed, reduction, shape):
    draw = np.random.default_rng(seed)
    left, right, scale = numbers(draw, (3, 2)), numbers(draw, (3, 2)), numbers(draw, shape)

    def program(ns, tensor):
        x, weight = tensor(left, requires_grad=True), tensor(scale)
        loss = getattr(ns.nn.functional, name)(x, tensor(right), weight=weight, reduction=reduction)
        return differentiated(tensor, loss, x)

    agree(torch, candidate, program)


@st.composite
def classifications(draw):
    """Scores (N, C, ...) or (C), the classes that are right, their weights, and options.

    Near certainty the gradient, softmax - 1, is what cancellation leaves.  So that the largest magnitude of the
    result tells how much that may be, the first sample (or the only one) is undecided.
    """
    rng = np.random.default_rng(draw(seeds))
    classes = draw(st.integers(1, 5))
    batch = draw(st.none() | st.lists(st.integers(1, 3), min_size=1, max_size=3))
    weight = rng.random(classes, np.float32) if draw(st.booleans()) else None
    ignored = draw(st.sampled_from([-100, 0, 1, classes]))
    if batch is None:
        return numbers(rng, (classes,), 0.3), rng.integers(0, classes, ()), weight, ignored, draw(reductions)
    scores, target = numbers(rng, (batch[0], classes, *batch[1:]), 3.0), rng.integers(0, classes, batch)
    if draw(st.booleans()):
        target = np.where(rng.random(batch) < 0.3, ignored, target)
    scores[0] *= 0.1
    target[0] = 0 if weight is None else np.argmax(weight)
    return scores, target, weight, ignored, draw(reductions)


@given(case=classifications())
def test_nll(torch, candidate, case):
    scores, classes, weights, ignored, reduction = case

    def program(ns, tensor):
        x, target = tensor(scores, requires_grad=True), ns.tensor(classes.tolist(), dtype=ns.int64)
        options = {
            "weight": None if weights is None else tensor(weights),
            "ignore_index": ignored,
            "reduction": reduction,
        }
        return differentiated(tensor, ns.nn.NLLLoss(**options)(x, target), x)

    agree(torch, candidate, program)


@given(case=classifications(), smoothing=st.sampled_from([0.0, 0.1, 1.0]))
def test_cross_entropy_of_classes(torch, candidate, case, smoothing):
    scores, classes, weights, ignored, reduction = case

    def program(ns, tensor):
        x, target = tensor(scores, requires_grad=True), ns.tensor(classes.tolist(), dtype=ns.int64)
        options = {
            "weight": None if weights is None else tensor(weights),
            "ignore_index": ignored,
            "reduction": reduction,
        }
        return differentiated(tensor, ns.nn.CrossEntropyLoss(**options, label_smoothing=smoothing)(x, target), x)

    agree(torch, candidate, program, cancels=True)


@given(case=classifications(), smoothing=st.sampled_from([0.0, 0.1, 1.0]), both=st.booleans())
def test_cross_entropy_of_probabilities(torch, candidate, case, smoothing, both):
    scores, _, weights, _, reduction = case
    chances = np.random.default_rng(scores.size).random(scores.shape, np.float32)

    def program(ns, tensor):
        x, target = tensor(scores, requires_grad=True), tensor(chances, requires_grad=both)
        loss = ns.nn.CrossEntropyLoss(
            None if weights is None else tensor(weights), None, -100, None, reduction, smoothing
        )
        return differentiated(tensor, loss(x, target), x, target)

    agree(torch, candidate, program, cancels=True)


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
        with pytest.warns(UserWarning, match="elementwise_mean") as caught:
            loss = ns.nn.MSELoss(reduction="elementwise_mean")(ns.ones(2), ns.zeros(2))
        return loss, [str(w.message) for w in caught]

    same(torch, candidate, program)


def test_a_weight_is_a_buffer(torch, candidate):
    def program(ns):
        loss = ns.nn.CrossEntropyLoss(weight=ns.ones(3)).double()
        return loss.state_dict(), [name for name, _ in loss.named_buffers()], loss

    same(torch, candidate, program)
