"""Losses by a margin, and the distances that they compare: values, derivatives, options and errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same

reductions = st.sampled_from(["none", "mean", "sum"])
seeds = st.integers(0, 2**32 - 1)
INF = float("inf")


def numbers(draw, shape):
    return np.asarray(draw.standard_normal(shape), np.float32)


def signs(draw, shape):
    return np.where(draw.random(shape) < 0.5, np.float32(-1), np.float32(1))


def differentiated(ns, tensor, value, leaves):
    """The value, its gradients, and on the leaves what those of a random combination of the gradients are."""
    v = tensor(numbers(np.random.default_rng(1), tuple(value.shape)))
    plain = ns.autograd.grad(value, leaves, v, retain_graph=True, allow_unused=True)
    first = ns.autograd.grad(value, leaves, v, create_graph=True, allow_unused=True)
    squares = [(each * each).sum() for each in first if each is not None and each.requires_grad]
    if squares:
        sum(squares).backward()
    return value, plain, [None if each is None else each.detach() for each in first], leaves


# How many tensors are compared, the shape of the target (None: there is none), and the loss.
COMPARED = {
    "hinge": (1, "full", lambda F, a, t, **options: F.hinge_embedding_loss(a, t, 0.4, **options)),
    "ranking": (2, "full", lambda F, a, b, t, **options: F.margin_ranking_loss(a, b, t, 0.2, **options)),
    "cosine": (2, "rows", lambda F, a, b, t, **options: F.cosine_embedding_loss(a, b, t, -0.1, **options)),
    "soft margin": (1, "full", lambda F, a, t, **options: F.soft_margin_loss(a, t, **options)),
    "triplet": (3, None, lambda F, a, b, c, **options: F.triplet_margin_loss(a, b, c, **options)),
    "triplet cubed": (3, None, lambda F, a, b, c, **options: F.triplet_margin_loss(a, b, c, 2.0, 3, **options)),
    "triplet swapped": (3, None, lambda F, a, b, c, **options: F.triplet_margin_loss(a, b, c, swap=True, **options)),
    "triplet absolute": (3, None, lambda F, a, b, c, **options: F.triplet_margin_loss(a, b, c, p=1, **options)),
    "triplet by cosine": (
        3,
        None,
        lambda F, a, b, c, **options: F.triplet_margin_with_distance_loss(
            a, b, c, distance_function=lambda x, y: 1 - F.cosine_similarity(x, y), swap=True, **options
        ),
    ),
}


@pytest.mark.parametrize(("count", "target", "loss"), COMPARED.values(), ids=COMPARED.keys())
@given(rows=st.integers(1, 4), columns=st.integers(1, 4), seed=seeds, reduction=reductions, all_=st.booleans())
def test_comparisons(torch, candidate, count, target, loss, rows, columns, seed, reduction, all_):
    draw = np.random.default_rng(seed)
    arrays = [numbers(draw, (rows, columns)) for _ in range(count)]
    goal = None if target is None else signs(draw, (rows, columns) if target == "full" else (rows,))

    def program(ns, tensor):
        operands = [tensor(each, requires_grad=all_ or not place) for place, each in enumerate(arrays)]
        value = loss(ns.nn.functional, *operands, *([] if goal is None else [tensor(goal)]), reduction=reduction)
        return differentiated(ns, tensor, value, operands if all_ else operands[:1])

    agree(torch, candidate, program)


@given(
    batch=st.none() | st.integers(1, 4),
    classes=st.integers(1, 5),
    seed=seeds,
    p=st.sampled_from([1, 2]),
    margin=st.sampled_from([1.0, 0.25]),
    weighted=st.booleans(),
    reduction=reductions,
)
def test_multi_margin(torch, candidate, batch, classes, seed, p, margin, weighted, reduction):
    draw = np.random.default_rng(seed)
    shape = () if batch is None else (batch,)
    scores, target, weights = numbers(draw, (*shape, classes)), draw.integers(0, classes, shape), draw.random(classes)

    def program(ns, tensor):
        x = tensor(scores, requires_grad=True)
        weight = tensor(np.asarray(weights, np.float32)) if weighted else None
        loss = ns.nn.MultiMarginLoss(p, margin, weight, reduction=reduction)(x, ns.tensor(target.tolist()))
        loss.backward(tensor(numbers(np.random.default_rng(1), tuple(loss.shape))))
        return loss, x

    agree(torch, candidate, program)


@given(batch=st.none() | st.integers(1, 4), classes=st.integers(1, 5), seed=seeds, reduction=reductions)
def test_multilabel_margin(torch, candidate, batch, classes, seed, reduction):
    draw = np.random.default_rng(seed)
    shape = (classes,) if batch is None else (batch, classes)
    scores, target = numbers(draw, shape), draw.integers(-1, classes, shape)

    def program(ns, tensor):
        x = tensor(scores, requires_grad=True)
        loss = ns.nn.MultiLabelMarginLoss(reduction=reduction)(x, ns.tensor(target.tolist()))
        loss.backward(tensor(numbers(np.random.default_rng(1), tuple(loss.shape))))
        return loss, x

    agree(torch, candidate, program)


@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=3), seed=seeds, reduction=reductions, weighted=st.booleans()
)
def test_multilabel_soft_margin(torch, candidate, shape, seed, reduction, weighted):
    draw = np.random.default_rng(seed)
    scores, chances, weights = numbers(draw, shape), draw.random(shape), draw.random(shape[-1])

    def program(ns, tensor):
        x, target = tensor(scores, requires_grad=True), tensor(np.asarray(chances, np.float32), requires_grad=True)
        weight = tensor(np.asarray(weights, np.float32)) if weighted else None
        value = ns.nn.MultiLabelSoftMarginLoss(weight, reduction=reduction)(x, target)
        return differentiated(ns, tensor, value, [x, target])

    agree(torch, candidate, program)


# -- distances ----------------------------------------------------------------------------------------------------


@given(
    shape=st.lists(st.integers(1, 4), max_size=3),
    drop=st.integers(0, 2),
    p=st.sampled_from([2.0, 1, 3.0, 1.5, 0.5, 0.0, INF, -INF, -1.0]),
    keepdim=st.booleans(),
    seed=seeds,
)
def test_pairwise_distance(torch, candidate, shape, drop, p, keepdim, seed):
    draw = np.random.default_rng(seed)
    left, right = numbers(draw, shape), numbers(draw, shape[drop:])

    def program(ns, tensor):
        x, y = tensor(left, requires_grad=True), tensor(right, requires_grad=True)
        distance = ns.nn.PairwiseDistance(p, 1e-3, keepdim)(x, y)
        distance.backward(tensor(numbers(np.random.default_rng(1), tuple(distance.shape))))
        return distance, x, y

    agree(torch, candidate, program)


@pytest.mark.parametrize("p", [2.0, 1.0, 3.0, INF])
def test_the_distance_of_equals_has_no_slope(torch, candidate, p):
    def program(ns):
        x = ns.tensor([[0.0, 0.0], [3.0, 4.0], [2.0, -2.0]], requires_grad=True)
        distance = ns.nn.functional.pairwise_distance(x, ns.tensor([0.0, 0.0]), p, eps=0.0)
        distance[:1].sum().backward()
        return distance[:1], x, distance.grad_fn.name()

    same(torch, candidate, program)


@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    dim=st.integers(-3, 2),
    eps=st.sampled_from([1e-8, 1.0]),
    seed=seeds,
)
def test_cosine_similarity(torch, candidate, shape, dim, eps, seed):
    draw = np.random.default_rng(seed)
    left, right = numbers(draw, shape), numbers(draw, shape[-1:])

    def program(ns, tensor):
        x, y = tensor(left, requires_grad=True), tensor(right, requires_grad=True)
        return differentiated(ns, tensor, ns.nn.CosineSimilarity(dim, eps)(x, y), [x, y])

    agree(torch, candidate, program)


def test_directions_of_zeros(torch, candidate):
    def program(ns):
        x = ns.tensor([[0.0, 0.0], [3.0, 4.0]], requires_grad=True)
        similarity = ns.cosine_similarity(x, ns.tensor([[1.0, 0.0], [0.0, 1.0]]), eps=0.5)
        unit = ns.nn.functional.normalize(x[:1], eps=0.5)
        (similarity[:1].sum() + unit.sum()).backward()
        return similarity, unit, x

    same(torch, candidate, program)


# -- modules and errors -------------------------------------------------------------------------------------------

MODULES = {
    "HingeEmbeddingLoss": {"margin": 2}, "CosineEmbeddingLoss": {"margin": 0.5}, "MarginRankingLoss": {"margin": 0.5},
    "SoftMarginLoss": {}, "TripletMarginLoss": {"margin": 2, "p": 1, "eps": 0.1, "swap": True},
    "MultiMarginLoss": {"p": 2, "margin": 0.5}, "MultiLabelMarginLoss": {}, "MultiLabelSoftMarginLoss": {},
    "TripletMarginWithDistanceLoss": {"margin": 2, "swap": True},
    # and those of test_losses
    "SmoothL1Loss": {"beta": 0.5}, "HuberLoss": {"delta": 2}, "BCELoss": {}, "BCEWithLogitsLoss": {},
    "KLDivLoss": {"log_target": True}, "PoissonNLLLoss": {"log_input": False, "full": True, "eps": 1e-4},
    "GaussianNLLLoss": {"full": True, "eps": 1e-4}, "NLLLoss": {"ignore_index": 3}, "L1Loss": {},
}  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_modules(torch, candidate, name):
    def program(ns):
        kind = getattr(ns.nn, name)
        made = kind(), kind(**MODULES[name], reduction="sum")
        own = [{key: value for key, value in vars(each).items() if not key.startswith("_")} for each in made]
        return [repr(each) for each in made], own, getattr(kind, "__constants__", None), made[0].state_dict()

    same(torch, candidate, program)


def test_modules_of_distances(torch, candidate):
    def program(ns):
        made = ns.nn.PairwiseDistance(1.0, 0.1, True), ns.nn.CosineSimilarity(0, 0.1)
        options = [
            (each.norm, each.eps, each.keepdim) if hasattr(each, "norm") else (each.dim, each.eps) for each in made
        ]
        return [repr(each) for each in made], options, [each.__constants__ for each in made]

    same(torch, candidate, program)


X, SIGNS, ROWS = [[0.2, 0.5, 0.9], [0.0, 1.0, -2.0]], [[1.0, -1.0, 1.0], [1.0, 1.0, -1.0]], [1, -1]
WRONG = {
    "hinge number": lambda F, x, t, r: F.hinge_embedding_loss(x, 1.0),
    "hinge margin": lambda F, x, t, r: F.hinge_embedding_loss(x, t, "a"),
    "hinge reduction": lambda F, x, t, r: F.hinge_embedding_loss(x, t, reduction="x"),
    "cosine ranks": lambda F, x, t, r: F.cosine_embedding_loss(x[0], x[1], r[:1]),
    "cosine scalar target": lambda F, x, t, r: F.cosine_embedding_loss(x, x, r[0]),
    "cosine matrix target": lambda F, x, t, r: F.cosine_embedding_loss(x, x, t),
    "cosine number": lambda F, x, t, r: F.cosine_embedding_loss(x, x, 1.0),
    "cosine target size": lambda F, x, t, r: F.cosine_embedding_loss(x, x, r[[0, 0, 1]]),
    "ranking ranks": lambda F, x, t, r: F.margin_ranking_loss(x, x[0], t),
    "ranking number": lambda F, x, t, r: F.margin_ranking_loss(x, x, 1.0),
    "ranking margin": lambda F, x, t, r: F.margin_ranking_loss(x, x, t, margin="a"),
    "soft margin number": lambda F, x, t, r: F.soft_margin_loss(x, 1.0),
    "soft margin of integers": lambda F, x, t, r: F.soft_margin_loss(x.long(), t.long()),
    "triplet margin": lambda F, x, t, r: F.triplet_margin_loss(x, x, x, margin=0),
    "triplet ranks": lambda F, x, t, r: F.triplet_margin_loss(x, x[0], x),
    "triplet number": lambda F, x, t, r: F.triplet_margin_loss(x, x, 1.0),
    "triplet p": lambda F, x, t, r: F.triplet_margin_loss(x, x, x, p="a"),
    "triplet distance margin": lambda F, x, t, r: F.triplet_margin_with_distance_loss(x, x, x, margin=-1),
    "triplet distance reduction": lambda F, x, t, r: F.triplet_margin_with_distance_loss(x, x, x, reduction="x"),
    "multi p": lambda F, x, t, r: F.multi_margin_loss(x, r, p=3),
    "multi weight": lambda F, x, t, r: F.multi_margin_loss(x, abs(r), weight=x[0, :2]),
    "multi weight rank": lambda F, x, t, r: F.multi_margin_loss(x, abs(r), weight=x),
    "multi weight dtype": lambda F, x, t, r: F.multi_margin_loss(x, abs(r), weight=x[0].double()),
    "multi weight requires grad": lambda F, x, t, r: F.multi_margin_loss(x, abs(r), weight=x[0].requires_grad_()),
    "multi rank": lambda F, x, t, r: F.multi_margin_loss(x[None], r),
    "multi target size": lambda F, x, t, r: F.multi_margin_loss(x, r[:1]),
    "multi target range": lambda F, x, t, r: F.multi_margin_loss(x, r + 2),
    "multi target negative": lambda F, x, t, r: F.multi_margin_loss(x, r),
    "multi target dtype": lambda F, x, t, r: F.multi_margin_loss(x, abs(r).int()),
    "multi of integers": lambda F, x, t, r: F.multi_margin_loss(x.long(), abs(r)),
    "multi of halves": lambda F, x, t, r: F.multi_margin_loss(x.half(), abs(r)),
    "multi margin": lambda F, x, t, r: F.multi_margin_loss(x, abs(r), margin="a"),
    "labels shape": lambda F, x, t, r: F.multilabel_margin_loss(x, t[:, :2].long()),
    "labels range": lambda F, x, t, r: F.multilabel_margin_loss(x, t.long() + 2),
    "labels dtype": lambda F, x, t, r: F.multilabel_margin_loss(x, t),
    "labels rank": lambda F, x, t, r: F.multilabel_margin_loss(x[None], t[None].long()),
    "labels number": lambda F, x, t, r: F.multilabel_margin_loss(x, 1.0),
    "soft labels reduction": lambda F, x, t, r: F.multilabel_soft_margin_loss(x, t, reduction="x"),
    "soft labels number": lambda F, x, t, r: F.multilabel_soft_margin_loss(1.0, t),
    "distance number": lambda F, x, t, r: F.pairwise_distance(x, 1.0),
    "distance shapes": lambda F, x, t, r: F.pairwise_distance(x, x[:, :2]),
    "similarity dim": lambda F, x, t, r: F.cosine_similarity(x[0], x[1]),
    "similarity of integers": lambda F, x, t, r: F.cosine_similarity(r, r, 0),
    "similarity number": lambda F, x, t, r: F.cosine_similarity(x, 1.0),
}


@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG.keys())
def test_errors(torch, candidate, program):
    same(torch, candidate, lambda ns: program(ns.nn.functional, ns.tensor(X), ns.tensor(SIGNS), ns.tensor(ROWS)))


@pytest.mark.parametrize(
    "program",
    [
        lambda nn: nn.TripletMarginLoss(margin=-1),
        lambda nn: nn.TripletMarginWithDistanceLoss(margin=0),
        lambda nn: nn.MultiMarginLoss(p=3),
    ],
)
def test_errors_of_modules(torch, candidate, program):
    same(torch, candidate, lambda ns: program(ns.nn))


@pytest.mark.parametrize("name", ["multi_margin_loss", "multilabel_margin_loss"])
def test_losses_of_classes_have_no_second_derivative(torch, candidate, name):
    def program(ns):
        x = ns.tensor(X, requires_grad=True)
        target = ns.tensor([1, 0]) if name == "multi_margin_loss" else ns.tensor([[1, -1, 0], [0, 2, -1]])
        (first,) = ns.autograd.grad(getattr(ns.nn.functional, name)(x, target), x, create_graph=True)
        first.sum().backward()

    same(torch, candidate, program)
