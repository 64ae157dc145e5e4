"""Kernels that look at values can be compiled: what they decide is decided anew in every replay."""

from collections.abc import Callable
from typing import Any

import pytest

import minitorch_like as torch

STEPS: dict[str, Callable[[Any], Any]] = {
    "argsort": lambda y: y.gather(1, y.argsort(1))[:, 0].sum(),
    "cdist": lambda y: torch.cdist(y, y + 1).sum(),
    "cdist by a product": lambda y: torch.cdist(y, y + 1, compute_mode="use_mm_for_euclid_dist").sum(),
    "cross": lambda y: torch.cross(y[:, :3], y[:, 3:], dim=1).sum(),
    "einsum": lambda y: torch.einsum("ij,kj->ik", y, y).pow(2).sum(),
    "kthvalue": lambda y: y.kthvalue(2)[0].sum(),
    "median": lambda y: y.median(),
    "median along": lambda y: y.median(0)[0].sum(),
    "mode": lambda y: y.mode(0)[0].sum(),
    "sort": lambda y: (y.sort(1)[0] * torch.arange(6.0)).sum(),
    "tensordot": lambda y: torch.tensordot(y, y, ([0], [0])).sum(),
    "topk": lambda y: y.topk(2)[0].pow(2).sum(),
    "trace": lambda y: y.trace(),
}


def training(loss: Callable[[Any], Any]) -> tuple[Callable[[], Any], Any]:
    torch.manual_seed(0)
    layer = torch.nn.Linear(4, 6)
    optimizer, x = torch.optim.SGD(layer.parameters(), lr=0.1), torch.randn(5, 4)

    def step() -> Any:
        optimizer.zero_grad()
        value = loss(layer(x)) * 0.01
        value.backward()
        optimizer.step()
        return value.detach()

    return step, layer.weight


@pytest.mark.parametrize("name", STEPS)
def test_compiled_steps_are_the_eager_ones(name: str) -> None:
    (eager, expected), (step, actual) = training(STEPS[name]), training(STEPS[name])
    compiled = torch.compile(step)
    for _ in range(5):
        assert torch.equal(eager(), compiled())
        assert torch.equal(expected, actual)
    assert "1 plans" in compiled.explain()
