"""Losses of a prediction and its target: values and gradients with every option and shape; warnings and errors."""

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


@pytest.mark.parametrize("name", ["MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss"])
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


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
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


# -- the losses of two distributions, and second derivatives of all --------------------------------------------------


def unit(draw, shape):
    """Probabilities, not too near to 0 and 1."""
    return np.asarray(draw.uniform(0.02, 0.98, shape), np.float32)


# What the operands are drawn by, and the loss of them.
COMPARED = {
    "mse": ("nn", lambda F, a, b, **options: F.mse_loss(a, b, **options)),
    "smooth l1": ("nn", lambda F, a, b, **options: F.smooth_l1_loss(a, b, **options)),
    "narrow smooth l1": ("nn", lambda F, a, b, **options: F.smooth_l1_loss(a, b, beta=0.25, **options)),
    "smooth l1 without a curve": ("nn", lambda F, a, b, **options: F.smooth_l1_loss(a, b, beta=0, **options)),
    "huber": ("nn", lambda F, a, b, **options: F.huber_loss(a, b, delta=0.75, **options)),
    "bce": ("uu", lambda F, a, b, **options: F.binary_cross_entropy(a, b, **options)),
    "bce with logits": ("nu", lambda F, a, b, **options: F.binary_cross_entropy_with_logits(a, b, **options)),
    "kl": ("nu", lambda F, a, b, **options: F.kl_div(a, b, **options)),
    "kl of logarithms": ("nn", lambda F, a, b, **options: F.kl_div(a, b, log_target=True, **options)),
    "poisson": ("nu", lambda F, a, b, **options: F.poisson_nll_loss(a, b, **options)),
    "poisson rates": ("uu", lambda F, a, b, **options: F.poisson_nll_loss(a, 4 * b, False, True, **options)),
    "gaussian": ("nnu", lambda F, a, b, c, **options: F.gaussian_nll_loss(a, b, c, full=True, eps=0.2, **options)),
}


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize(("drawn", "loss"), COMPARED.values(), ids=COMPARED.keys())
@given(shape=st.lists(st.integers(1, 4), max_size=3), seed=seeds, reduction=reductions, both=st.booleans())
def test_first_and_second_derivatives(torch, candidate, drawn, loss, shape, seed, reduction, both):
    draw = np.random.default_rng(seed)
    arrays = [(numbers if each == "n" else unit)(draw, shape) for each in drawn]

    def program(ns, tensor):
        operands = [tensor(each, requires_grad=both or not place) for place, each in enumerate(arrays)]
        leaves = operands if both else operands[:1]
        value = loss(ns.nn.functional, *operands, reduction=reduction)
        v = tensor(numbers(np.random.default_rng(1), tuple(value.shape)))
        plain = ns.autograd.grad(value, leaves, v, retain_graph=True)
        first = ns.autograd.grad(value, leaves, v, create_graph=True)
        squares = [(each * each).sum() for each in first if each.requires_grad]
        if squares:
            sum(squares).backward()
        return value, plain, [each.detach() for each in first], operands

    agree(torch, candidate, program)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "binary_cross_entropy_with_logits"])
@given(
    seed=seeds,
    reduction=reductions,
    shape=st.sampled_from([(3, 2), (2,), (1, 2), ()]),
    positive=st.none() | st.sampled_from([(2,), (3, 1), (1,)]),
)
def test_weighted_binary_cross_entropy(torch, candidate, name, seed, reduction, shape, positive):
    draw = np.random.default_rng(seed)
    scores, chances, weights = unit(draw, (3, 2)), unit(draw, (3, 2)), unit(draw, shape)

    def program(ns, tensor):
        x, target, weight = tensor(scores, requires_grad=True), tensor(chances, requires_grad=True), tensor(weights)
        options = {"reduction": reduction}
        if name.endswith("logits") and positive is not None:
            options["pos_weight"] = tensor(3 * unit(np.random.default_rng(2), positive))
        loss = getattr(ns.nn.functional, name)(x, target, weight, **options)
        v = tensor(numbers(np.random.default_rng(1), tuple(loss.shape)))
        first = ns.autograd.grad(loss, [x, target], v, create_graph=True)
        sum((each * each).sum() for each in first).backward()
        return loss, [each.detach() for each in first], x, target

    agree(torch, candidate, program)


def test_binary_cross_entropy_of_certainty(torch, candidate):
    def program(ns):
        x = ns.tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True)
        loss = ns.nn.functional.binary_cross_entropy(x, ns.tensor([0.0, 1.0, 1.0, 0.0]), reduction="none")
        loss.sum().backward()
        return loss, x

    same(torch, candidate, program)


@pytest.mark.parametrize("name", ["SmoothL1Loss", "HuberLoss"])
def test_where_the_parabola_meets_the_line(torch, candidate, name):
    def program(ns):
        x = ns.tensor([-2.0, -1.0, -0.5, 0.0, 1.0, 4.0, float("inf"), float("nan")], requires_grad=True)
        loss = getattr(ns.nn, name)(reduction="none")(x, ns.zeros(8))
        (first,) = ns.autograd.grad(loss.sum(), x, create_graph=True)
        first.sum().backward()
        return loss, first.detach(), x

    same(torch, candidate, program)


@pytest.mark.parametrize("reduction", ["none", "sum", "batchmean"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_kl_divergence_of_zeros(torch, candidate, reduction, shape):
    def program(ns, tensor):
        x = tensor(np.full(shape, -2.0, np.float32), requires_grad=True)
        loss = ns.nn.KLDivLoss(reduction=reduction)(x, tensor(np.zeros(shape, np.float32)))
        return differentiated(tensor, loss, x)

    agree(torch, candidate, program)


@given(
    shape=st.sampled_from([(2, 3), (2, 1), (1, 3), (2,), ()]),
    seed=seeds,
    number=st.none() | st.sampled_from([0.5, 2.0, 1e-9]),
)
def test_variances(torch, candidate, shape, seed, number):
    draw = np.random.default_rng(seed)
    left, right, var = numbers(draw, (2, 3)), numbers(draw, (2, 3)), unit(draw, shape)

    def program(ns, tensor):
        x = tensor(left, requires_grad=True)
        v = tensor(var, requires_grad=True) if number is None else number
        loss = ns.nn.GaussianNLLLoss(eps=0.1)(x, tensor(right), v)
        return differentiated(tensor, loss, x, *([v] if number is None else []))

    agree(torch, candidate, program)


@pytest.mark.parametrize(("drawn", "loss"), COMPARED.values(), ids=COMPARED.keys())
def test_unreduced_losses_are_laid_out_like_their_operands(torch, candidate, drawn, loss):
    def program(ns):
        x = (ns.arange(24.0) / 25).reshape(2, 3, 4)
        pairs = [(x.permute(2, 0, 1), x.reshape(4, 2, 3)), (x[:, ::2], x[:, 1:]), (x[:1].expand(2, 3, 4), x)]
        pairs += [pair[::-1] for pair in pairs]
        return [loss(ns.nn.functional, *(*pair, pair[1])[: len(drawn)], reduction="none").stride() for pair in pairs]

    same(torch, candidate, program)


# -- cross entropy of classes is one op --------------------------------------------------------------------------------


def test_cross_entropy_looks_like_two_ops(torch, candidate):
    def program(ns):
        x = ns.tensor(FLOATS, requires_grad=True)
        loss = ns.nn.functional.cross_entropy(x * 2, ns.tensor(CLASSES))
        inner = loss.grad_fn.next_functions[0][0]
        names = [loss.grad_fn.name(), inner.name(), inner.next_functions[0][0].name()]
        loss.backward()
        (first,) = ns.autograd.grad(ns.nn.functional.cross_entropy(x, ns.tensor(CLASSES)), x, create_graph=True)
        return names, inner is loss.grad_fn.next_functions[0][0], inner.name(), first.grad_fn.name()

    same(torch, candidate, program)


def test_hooks_between_the_two_ops(torch, candidate):
    def program(ns, tensor):
        seen = []
        x = tensor(np.array(FLOATS, np.float32), requires_grad=True)
        loss = ns.nn.functional.cross_entropy(x, ns.tensor(CLASSES))
        inner = loss.grad_fn.next_functions[0][0]
        inner.register_prehook(lambda outputs: (outputs[0] * 2,))
        inner.register_hook(lambda inputs, outputs: seen.extend([*inputs, *outputs]))
        loss.backward()
        return seen, x

    agree(torch, candidate, program, cancels=True)


def test_scores_may_be_overwritten_after_cross_entropy(torch, candidate):
    def program(ns, tensor):
        x = tensor(np.array(FLOATS, np.float32), requires_grad=True)
        scores = x * 1
        loss = ns.nn.functional.cross_entropy(scores, ns.tensor(CLASSES))
        with ns.no_grad():
            scores.zero_()
        (first,) = ns.autograd.grad(loss, x, create_graph=True)
        (first * tensor(np.array(FLOATS, np.float32))).sum().backward()
        return first.detach(), x

    agree(torch, candidate, program, cancels=True)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
def test_nothing_but_ignored_targets(torch, candidate, reduction, weighted):
    def program(ns):
        x = ns.tensor(FLOATS, requires_grad=True)
        weight = ns.tensor([1.0, 0.0, 2.0]) if weighted else None
        loss = ns.nn.functional.cross_entropy(x, ns.tensor([1, 1]), weight, ignore_index=1, reduction=reduction)
        loss.sum().backward()
        return loss, x

    same(torch, candidate, program)


@given(case=classifications())
def test_second_derivatives_of_cross_entropy(torch, candidate, case):
    scores, classes, weights, ignored, reduction = case

    def program(ns, tensor):
        x, target = tensor(scores, requires_grad=True), ns.tensor(classes.tolist(), dtype=ns.int64)
        weight = None if weights is None else tensor(weights)
        loss = ns.nn.functional.cross_entropy(x, target, weight, ignore_index=ignored, reduction=reduction)
        v = tensor(numbers(np.random.default_rng(1), tuple(loss.shape)))
        (first,) = ns.autograd.grad(loss, x, v, create_graph=True)
        (first * tensor(numbers(np.random.default_rng(2), scores.shape))).sum().backward()
        return first.detach(), x

    agree(torch, candidate, program, cancels=True)


def test_cross_entropy_of_many_rows(torch, candidate):
    draw = np.random.default_rng(3)
    scores, classes = numbers(draw, (80, 60)), draw.integers(0, 60, 80)

    def program(ns, tensor):
        x, by_columns = tensor(scores, requires_grad=True), tensor(scores.T, requires_grad=True)
        target = ns.from_numpy(classes)
        results = [ns.nn.CrossEntropyLoss()(x, target), ns.nn.NLLLoss(reduction="sum")(x.log_softmax(1), target)]
        results.append(ns.nn.functional.cross_entropy(by_columns.t(), target, ignore_index=int(classes[0])))
        sum(results).backward()
        return results, x, by_columns

    agree(torch, candidate, program, cancels=True)


# -- options, warnings, errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["MSELoss", "CrossEntropyLoss", "BCELoss", "KLDivLoss", "PoissonNLLLoss"])
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
    "cross entropy weight requires grad": lambda ns, x, t: ns.nn.functional.cross_entropy(
        x, t, ns.ones(3, requires_grad=True)
    ),
    "nll weight requires grad": lambda ns, x, t: ns.nn.functional.nll_loss(x, t, ns.ones(3, requires_grad=True)),
    "bad weight": lambda ns, x, t: ns.nn.CrossEntropyLoss(weight=[1.0])(x, t),
    "smooth l1 beta": lambda ns, x, t: ns.nn.functional.smooth_l1_loss(x, x, beta=-1),
    "smooth l1 text": lambda ns, x, t: ns.nn.functional.smooth_l1_loss(x, x, beta="a"),
    "smooth l1 of integers": lambda ns, x, t: ns.nn.SmoothL1Loss()(t, t),
    "smooth l1 reduction": lambda ns, x, t: ns.nn.SmoothL1Loss(reduction="average")(x, x),
    "huber delta": lambda ns, x, t: ns.nn.HuberLoss(delta=0)(x, x),
    "huber text": lambda ns, x, t: ns.nn.HuberLoss(delta="x"),
    "huber weight": lambda ns, x, t: ns.nn.functional.huber_loss(x, x, weight=ns.ones(3)),
    "huber of integers": lambda ns, x, t: ns.nn.HuberLoss()(t, t),
    "bce of scores": lambda ns, x, t: ns.nn.BCELoss()(x, x),
    "bce of nan": lambda ns, x, t: ns.nn.BCELoss()(x * float("nan"), x),
    "bce target": lambda ns, x, t: ns.nn.BCELoss()(x.sigmoid(), x),
    "bce shapes": lambda ns, x, t: ns.nn.BCELoss()(x.sigmoid(), x[:1]),
    "bce dtypes": lambda ns, x, t: ns.nn.BCELoss()(x.sigmoid(), x.sigmoid().double()),
    "bce weight": lambda ns, x, t: ns.nn.BCELoss(ns.ones(2))(x.sigmoid(), x.sigmoid()),
    "bce large weight": lambda ns, x, t: ns.nn.BCELoss(ns.ones(4, 2, 3))(x.sigmoid(), x.sigmoid()),
    "bce weight requires grad": lambda ns, x, t: ns.nn.functional.binary_cross_entropy(
        x.sigmoid(), x.sigmoid(), ns.ones(3, requires_grad=True)
    ),
    "bce number": lambda ns, x, t: ns.nn.BCELoss()(x.sigmoid(), 1.0),
    "bce of integers": lambda ns, x, t: ns.nn.BCELoss()(t * 0, t * 0),
    "logits shapes": lambda ns, x, t: ns.nn.BCEWithLogitsLoss()(x, x[:1]),
    "logits weight": lambda ns, x, t: ns.nn.BCEWithLogitsLoss(ns.ones(2))(x, x),
    "logits pos_weight": lambda ns, x, t: ns.nn.BCEWithLogitsLoss(pos_weight=ns.ones(2))(x, x),
    "logits large pos_weight": lambda ns, x, t: ns.nn.BCEWithLogitsLoss(pos_weight=ns.ones(4, 2, 3))(x, x),
    "logits number": lambda ns, x, t: ns.nn.functional.binary_cross_entropy_with_logits(x, x, pos_weight=2.0),
    "logits integers": lambda ns, x, t: ns.nn.BCEWithLogitsLoss()(x, x.long()),
    "kl number": lambda ns, x, t: ns.nn.functional.kl_div(x, 1.0, reduction="sum"),
    "kl of integers": lambda ns, x, t: ns.nn.functional.kl_div(x, x.long(), reduction="sum"),
    "kl reduction": lambda ns, x, t: ns.nn.functional.kl_div(x, x, reduction="average"),
    "kl log_target": lambda ns, x, t: ns.nn.functional.kl_div(x, x, reduction="sum", log_target="a"),
    "poisson number": lambda ns, x, t: ns.nn.PoissonNLLLoss()(x, 1.0),
    "poisson log_input": lambda ns, x, t: ns.nn.PoissonNLLLoss(log_input=1)(x, x),
    "poisson eps": lambda ns, x, t: ns.nn.PoissonNLLLoss(eps="a")(x, x),
    "poisson reduction": lambda ns, x, t: ns.nn.PoissonNLLLoss(reduction="average")(x, x),
    "gaussian negative": lambda ns, x, t: ns.nn.GaussianNLLLoss()(x, x, -x.abs()),
    "gaussian negative number": lambda ns, x, t: ns.nn.GaussianNLLLoss()(x, x, -1.0),
    "gaussian shape": lambda ns, x, t: ns.nn.GaussianNLLLoss()(x, x, ns.ones(3)),
    "gaussian integer": lambda ns, x, t: ns.nn.GaussianNLLLoss()(x, x, 2),
    "gaussian reduction": lambda ns, x, t: ns.nn.GaussianNLLLoss(reduction="average")(x, x, 1.0),
    "gaussian options": lambda ns, x, t: ns.nn.GaussianNLLLoss(True),
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


def test_weights_are_buffers_in_order(torch, candidate):
    def program(ns):
        loss = ns.nn.BCEWithLogitsLoss(ns.ones(2), pos_weight=ns.full((2,), 3.0)).double()
        return loss.state_dict(), ns.nn.BCEWithLogitsLoss().state_dict(), loss

    same(torch, candidate, program)
