"""What the suites cannot see of activations and losses: approximation errors, roads by size, capture."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minitorch_like as torch
from minitorch_like import nn, optim
from minitorch_like.ops import _elements, _normal_cdf, _rows

F = nn.functional


def exact_cdf(x: Any) -> Any:
    return np.array([0.5 * math.erfc(-each * math.sqrt(0.5)) for each in x.astype(float)])


def test_the_normal_distribution_is_right_to_two_units_in_the_last_place() -> None:
    x = np.concatenate([np.linspace(-15, 15, 60_001), [-1e30, -1e-30, 0.0, 1e-30, 1e30]]).astype(np.float32)
    expected = exact_cdf(x)
    found = _normal_cdf.normal_cdf(x)
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 1.1e-7  # float32's last place is worth 6e-8 between 1/2 and 1
    tail = (x > -4) & (x < 0)
    assert (np.abs(found - expected)[tail] / expected[tail]).max() < 2e-5


def test_the_normal_distribution_of_doubles_needs_no_scipy() -> None:
    x = np.linspace(-9, 9, 101)
    expected = exact_cdf(x)
    for function in (_normal_cdf.normal_cdf, _normal_cdf._by_math):
        np.testing.assert_allclose(function(x), expected, rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("size", [7, 3000])
def test_choices_give_the_bits_that_where_gives(dtype: Any, size: int) -> None:
    rng = np.random.default_rng(0)
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0])
    x, y = (np.resize(rng.permutation(special), size).astype(dtype) for _ in range(2))
    mask = rng.random(size) < 0.5
    assert _elements.select(mask, x, y).tobytes() == np.where(mask, x, y).tobytes()
    assert _elements.zero_where(mask, x).tobytes() == np.where(mask, dtype(0), x).tobytes()


@pytest.mark.parametrize("size", [7, 3000])
def test_bounds_keep_the_sign_of_zero_and_nan(size: int) -> None:
    x = np.resize(np.array([-0.0, 0.0, np.nan, -np.inf, np.inf, -1.0, 1.0], np.float32), size)
    assert np.array_equal(np.signbit(_elements.at_least(x, 0.0)[:2]), [True, False])
    for bounded, expected in (
        (_elements.at_least(x, -0.5), np.maximum(x, -0.5)),
        (_elements.at_most(x, 0.5), np.minimum(x, 0.5)),
        (_elements.between(x, -0.5, 0.5), np.minimum(np.maximum(x, -0.5), 0.5)),
    ):
        assert bounded.tobytes() == expected.astype(np.float32).tobytes()


@pytest.mark.parametrize("shape", [(3, 4), (1, 1), (100, 60), (2, 5000)])
def test_rows(shape: tuple[int, int]) -> None:
    x = np.random.default_rng(0).standard_normal(shape)
    assert np.array_equal(_rows.row_maxima(x), x.max(1))
    np.testing.assert_allclose(_rows.row_sums(x), x.sum(1), rtol=1e-12, atol=1e-12)


# -- capture ------------------------------------------------------------------------------------------------------


def drawn(*shape: int) -> Any:
    return torch.from_numpy(np.random.default_rng(len(shape)).random(shape).astype(np.float32))


def classes(rows: int, count: int) -> Any:
    return torch.from_numpy(np.random.default_rng(0).integers(0, count, rows))


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "gelu": nn.GELU, "gelu tanh": lambda: nn.GELU("tanh"), "silu": nn.SiLU, "mish": nn.Mish, "elu": nn.ELU,
    "elu in place": lambda: nn.ELU(0.5, True), "selu": nn.SELU, "celu": lambda: nn.CELU(2.0), "softplus": nn.Softplus,
    "hardtanh": nn.Hardtanh, "relu6": nn.ReLU6, "hardswish": nn.Hardswish, "hardsigmoid": nn.Hardsigmoid,
    "log sigmoid": nn.LogSigmoid, "threshold": lambda: nn.Threshold(0.1, 0.5), "prelu": lambda: nn.PReLU(64),
    "rrelu": lambda: nn.RReLU().eval(), "softshrink": nn.Softshrink, "hardshrink": nn.Hardshrink,
    "leaky": lambda: nn.LeakyReLU(0.1, True), "sigmoid": nn.Sigmoid, "softmax": lambda: nn.Softmax(-1),
    "log softmax": lambda: nn.LogSoftmax(0),
}  # fmt: skip
LOSSES: dict[str, Callable[[Any], Any]] = {
    "cross entropy": lambda y: F.cross_entropy(y, classes(*y.shape)),
    "cross entropy, ignoring": lambda y: F.cross_entropy(y, classes(*y.shape), ignore_index=1),
    "cross entropy, weighted": lambda y: F.cross_entropy(y, classes(*y.shape), drawn(y.shape[1])),
    "nll": lambda y: F.nll_loss(F.log_softmax(y, 1), classes(*y.shape)),
    "bce": lambda y: F.binary_cross_entropy(y.sigmoid(), drawn(*y.shape)),
    "bce with logits": lambda y: F.binary_cross_entropy_with_logits(y, drawn(*y.shape), pos_weight=drawn(y.shape[1])),
    "smooth l1": lambda y: F.smooth_l1_loss(y, drawn(*y.shape), beta=0.3),
    "huber": lambda y: F.huber_loss(y, drawn(*y.shape)),
    "kl": lambda y: F.kl_div(F.log_softmax(y, 1), drawn(*y.shape), reduction="batchmean"),
    "poisson": lambda y: F.poisson_nll_loss(y, drawn(*y.shape), full=True),
    "gaussian": lambda y: F.gaussian_nll_loss(y, drawn(*y.shape), drawn(*y.shape) + 0.1),
    "cosine": lambda y: F.cosine_embedding_loss(y, drawn(*y.shape), drawn(len(y)).round() * 2 - 1),
    "triplet": lambda y: F.triplet_margin_loss(y, drawn(*y.shape), 1 - drawn(*y.shape)),
    "multi margin": lambda y: F.multi_margin_loss(y, classes(*y.shape)),
    "multilabel margin": lambda y: F.multilabel_margin_loss(y, classes(y.numel(), 4).view(*y.shape) - 1),
}


def traces(activation: Callable[[], nn.Module], loss: Callable[[Any], Any], rows: int) -> list[list[bytes]]:
    """Loss and parameters after each of some steps, eager and compiled."""
    result = []
    for prepare in (lambda step: step, torch.compile):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(5, 64), activation(), nn.Linear(64, 4))
        chosen = optim.SGD(model.parameters(), lr=0.05)

        def step(x: Any, model: nn.Module = model, chosen: optim.Optimizer = chosen) -> Any:
            chosen.zero_grad()
            value = loss(model(x))
            value.backward()
            chosen.step()
            return value

        run = prepare(step)
        trace = []
        for index in range(5):
            x = torch.from_numpy(np.random.default_rng(index).standard_normal((rows, 5)).astype(np.float32))
            trace += [run(x).detach().numpy().tobytes(), *(p.detach().numpy().tobytes() for p in model.parameters())]
        result.append(trace)
    assert "eager" not in run.explain(), run.explain()
    return result


@pytest.mark.parametrize("rows", [6, 40])
@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS.keys())
def test_a_compiled_step_with_an_activation(activation: Callable[[], nn.Module], rows: int) -> None:
    eager, compiled = traces(activation, lambda y: F.mse_loss(y, drawn(*y.shape)), rows)
    assert eager == compiled


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
def test_a_compiled_step_with_a_loss(loss: Callable[[Any], Any]) -> None:
    eager, compiled = traces(nn.Tanh, loss, 6)
    assert eager == compiled
