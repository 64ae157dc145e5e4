"""The gradient of a gradient: by what it was computed from, and by what flowed into it."""

import numpy as np
import pytest

from parity_tests.suites._programs import agree

# Values off the kinks of all functions below, with both signs, in and out of [-1, 1].
POINTS = np.array([[-2.25, -0.625, 0.375], [0.75, 1.5, 2.75], [-0.875, 4.25, -3.5]], np.float32)
TARGETS = np.array([[0.25, 0.75, 0.5], [0.125, 0.875, 0.625], [0.375, 0.25, 0.5]], np.float32)
SIGNS = np.array([[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0], [1.0, 1.0, -1.0]], np.float32)
CLASSES = np.array([2, 0, 1])
LABELS = np.array([[2, 0, -1], [1, -1, -1], [0, 1, 2]])


def of_nn(name, *options, **named):
    return lambda ns, x: getattr(ns.nn.functional, name)(x, *options, **named)


ACTIVATIONS = {
    name: of_nn(name)
    for name in (
        "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "hardtanh", "hardsigmoid", "hardswish", "hardshrink",
        "softshrink", "rrelu", "softplus", "logsigmoid", "gelu", "silu", "mish", "tanhshrink", "softsign", "sigmoid", "tanh",
    )
} | {
    "threshold": of_nn("threshold", 0.5, 7.0),
    "glu": lambda ns, x: ns.nn.functional.glu(ns.cat([x, 2 * x]), 0),
    "gelu by tanh": of_nn("gelu", approximate="tanh"),
    "prelu": lambda ns, x: ns.nn.functional.prelu(x, ns.tensor([0.25, 0.5, -0.5], dtype=x.dtype)),
    "prelu of its weight": lambda ns, x: ns.nn.functional.prelu(x - 1, x[0]),
    "softmax": of_nn("softmax", 1),
    "log_softmax": of_nn("log_softmax", 0),
    "softmin": of_nn("softmin", 1),
}  # fmt: skip
LOSSES = {
    "mse": lambda ns, x, y: ns.nn.functional.mse_loss(x, y),
    "l1": lambda ns, x, y: ns.nn.functional.l1_loss(x, y),
    "smooth_l1": lambda ns, x, y: ns.nn.functional.smooth_l1_loss(x, y, beta=2.0),
    "huber": lambda ns, x, y: ns.nn.functional.huber_loss(x, y, delta=2.0),
    "bce": lambda ns, x, y: ns.nn.functional.binary_cross_entropy(x.sigmoid(), y),
    "bce with logits": lambda ns, x, y: ns.nn.functional.binary_cross_entropy_with_logits(x, y),
    "kl_div": lambda ns, x, y: ns.nn.functional.kl_div(x, y),
    "poisson": lambda ns, x, y: ns.nn.functional.poisson_nll_loss(x, y),
    "gaussian": lambda ns, x, y: ns.nn.functional.gaussian_nll_loss(x, y, x * x),
}
LOSSES_OF_LABELS = {
    "soft margin": ("soft_margin_loss", SIGNS, {}),
    "hinge": ("hinge_embedding_loss", SIGNS, {}),
    "multilabel soft margin": ("multilabel_soft_margin_loss", SIGNS, {}),
    "multilabel margin": ("multilabel_margin_loss", LABELS, {}),
    "multi margin": ("multi_margin_loss", CLASSES, {}),
    "square multi margin": ("multi_margin_loss", CLASSES, {"p": 2}),
    "cross entropy": ("cross_entropy", CLASSES, {}),
    "smoothed cross entropy": ("cross_entropy", CLASSES, {"label_smoothing": 0.25}),
    "nll": ("nll_loss", CLASSES, {}),
}
SHAPED = {
    "max_pool1d": lambda ns, x: ns.nn.functional.max_pool1d(x.view(1, 3, 3), 2),
    "max_pool2d": lambda ns, x: ns.nn.functional.max_pool2d(x.view(1, 3, 3), 2, 1),
    "adaptive_max_pool2d": lambda ns, x: ns.nn.functional.adaptive_max_pool2d(x.view(1, 3, 3), 2),
    "avg_pool2d": lambda ns, x: ns.nn.functional.avg_pool2d(x.view(1, 3, 3), 2, 1),
    "max": lambda ns, x: x.max(1).values,
    "aminmax": lambda ns, x: ns.stack(tuple(ns.aminmax(x, dim=1))),
    "aminmax of all": lambda ns, x: ns.stack(tuple(ns.aminmax(x))),
    "as_strided": lambda ns, x: x.as_strided((3, 2), (2, 1), 1),
    "as_strided of the overlapping": lambda ns, x: x.as_strided((3, 2), (1, 1)).as_strided((2, 2), (2, 1)),
    "as_strided_scatter": lambda ns, x: ns.as_strided_scatter(x, x[0, :2] * 2, (2,), (3,), 1),
    "slice_scatter": lambda ns, x: ns.slice_scatter(x, x[:, :2] * 2, 1, 1),
    "diagonal_scatter": lambda ns, x: ns.diagonal_scatter(x, x[0, :2] * 2, 1, 1, 0),
    "select_scatter": lambda ns, x: ns.select_scatter(x, x[0] * 2, 1, -1),
    "unfold": lambda ns, x: x.unfold(1, 2, 1),
    "expand": lambda ns, x: x.expand(2, 3, 3),
    "unsafe_split": lambda ns, x: ns.unsafe_split(x, 2, 1)[0],
    "unsafe_split_with_sizes": lambda ns, x: ns.unsafe_split_with_sizes(x, [1, 2], 1)[1],
    "channel_shuffle": lambda ns, x: ns.nn.functional.channel_shuffle(x.view(1, 9, 1, 1), 3),
    "embedding": lambda ns, x: ns.nn.functional.embedding(ns.tensor([0, 2, 0]), x, padding_idx=2),
    "a clone": lambda ns, x: x.clone(),
    "a laid out copy": lambda ns, x: x.t().contiguous(),
    "a positive": lambda ns, x: +x,
    "a gradient of a heaviside": lambda ns, x: ns.heaviside(x.detach(), ns.ones(3, 3, dtype=x.dtype)) * x,
    "a norm": lambda ns, x: x.norm(dim=1),
    "std": lambda ns, x: x.std(1, correction=0),
    "var_mean": lambda ns, x: ns.stack(ns.var_mean(x, 1)),
}


def twice(ns, tensor, function, *operands):
    """The gradients of `function(x, ...)`, and of a random combination of them by all that they come from."""
    y = function(*operands)
    v = tensor(np.linspace(0.5, 1.5, max(y.numel(), 1), dtype=np.float32).reshape(tuple(y.shape)), True)
    inputs = [each for each in operands if each.requires_grad]
    first = ns.autograd.grad(y, inputs, v, create_graph=True)
    weights = [tensor(np.cos(np.arange(each.numel(), dtype=np.float32)).reshape(tuple(each.shape))) for each in first]
    if any(each.requires_grad for each in first):
        sum((each * weight).sum() for each, weight in zip(first, weights, strict=True)).backward()
    return [each.detach() for each in first], v, inputs


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(torch, candidate, name):
    agree(
        torch,
        candidate,
        lambda ns, tensor: twice(ns, tensor, lambda x: ACTIVATIONS[name](ns, x), tensor(POINTS, True)),
        cancels=name.startswith("gelu"),
    )


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("by", [(True, False), (False, True), (True, True)], ids=["input", "target", "both"])
def test_losses(torch, candidate, name, by):
    def program(ns, tensor):
        operands = [tensor(array, each) for array, each in zip((POINTS, TARGETS), by, strict=True)]
        return twice(ns, tensor, lambda x, y: LOSSES[name](ns, x, y), *operands)

    agree(torch, candidate, program)


@pytest.mark.parametrize("name", LOSSES_OF_LABELS)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_losses_of_labels(torch, candidate, name, reduction):
    function, labels, options = LOSSES_OF_LABELS[name]

    def program(ns, tensor):
        target = ns.tensor(labels) if labels.dtype == np.int64 else tensor(labels)
        loss = getattr(ns.nn.functional, function)
        return twice(ns, tensor, lambda x: loss(x, target, reduction=reduction, **options), tensor(POINTS, True))

    agree(torch, candidate, program, cancels=function == "cross_entropy")  # w - sum(p w), where p is nearly 1


@pytest.mark.parametrize("name", SHAPED)
def test_what_picks_and_places(torch, candidate, name):
    agree(
        torch,
        candidate,
        lambda ns, tensor: twice(ns, tensor, lambda x: SHAPED[name](ns, x), tensor(POINTS, True)),
    )
