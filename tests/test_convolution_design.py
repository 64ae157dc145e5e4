"""Convolution, pooling and their like within the design: capture, blocks of columns, memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minitorch_like as torch
from minitorch_like import nn, optim
from minitorch_like.ops import _correlation, convolution

XS = np.random.default_rng(0).standard_normal((6, 1, 14, 14)).astype(np.float32)
YS = [3, 1, 4, 1, 5, 9]


def lenet() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 4, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True), nn.Flatten(), nn.Linear(54, 10),
    )  # fmt: skip


def other_layers() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2, padding_mode="reflect", padding=1), nn.Tanh(), nn.MaxPool2d(3, 1, 1),
        nn.Conv2d(4, 4, 3, padding="same", groups=4), nn.AvgPool2d(2, ceil_mode=True), nn.ConvTranspose2d(4, 3, 2, 2),
        nn.ReplicationPad2d(1), nn.Conv2d(3, 5, 1, dilation=2), nn.AdaptiveMaxPool2d(3), nn.AdaptiveAvgPool2d(2),
        nn.ZeroPad2d((1, 0, 0, 1)), nn.LPPool2d(2, 2, 1), nn.Flatten(), nn.Linear(20, 10),
    )  # fmt: skip


def rearranging() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 4, 5), nn.PixelShuffle(2), nn.Upsample(7), nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.CircularPad2d(1), nn.PixelUnshuffle(4), nn.ChannelShuffle(2), nn.Unfold(2), nn.Flatten(), nn.Linear(576, 10),
    )  # fmt: skip


def training(build: Callable[[], nn.Module]) -> tuple[nn.Module, Callable[[Any, Any], Any]]:
    torch.manual_seed(31)
    model = build()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    loss_fn = nn.CrossEntropyLoss()

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return model, step


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns for one image at a time, or a few, as large images have them."""
    monkeypatch.setattr(_correlation, "CACHED_COLUMNS", 4000)
    for remembered in (convolution._geometry, _correlation._adjoint_geometry):
        remembered.cache_clear()
        monkeypatch.setattr(remembered, "cache_clear", remembered.cache_clear)


@pytest.mark.parametrize("build", [lenet, other_layers, rearranging])
def test_a_compiled_step_equals_eager_bit_for_bit(build: Callable[[], nn.Module]) -> None:
    traces = []
    for prepare in (lambda step: step, torch.compile):
        model, step = training(build)
        run = prepare(step)
        trace = []
        for index in range(8):
            loss = run(torch.tensor(XS * (1 + index / 8)), torch.tensor(YS))
            trace.append(
                [
                    loss.tolist(),
                    *(p.tolist() for p in model.parameters()),
                    *(p.grad.tolist() for p in model.parameters()),
                ]
            )
        traces.append(trace)
    assert "1 plans" in run.explain()
    assert "eager" not in run.explain()
    assert traces[0] == traces[1]


def test_blocks_of_the_batch_add_up(small_blocks: None) -> None:
    x = torch.tensor(XS, requires_grad=True)
    layer = nn.Conv2d(1, 8, 5, padding=1)
    geometry = convolution._geometry(XS.shape, (8, 1, 5, 5), (8,), (1, 1), (1, 1), (1, 1), False, (0, 0), 1)
    assert [each.stop - each.start for each in geometry.blocks] == [1] * 6
    whole = layer(x)
    whole.sum().backward()
    parts = [layer(torch.tensor(XS[at : at + 1], requires_grad=True)) for at in range(6)]
    assert torch.equal(whole, torch.cat(parts))
    together, layer.weight.grad = layer.weight.grad, None
    for part in parts:
        part.sum().backward()
    assert torch.allclose(layer.weight.grad, together, rtol=1e-5)


def test_memory_is_a_small_multiple_of_the_input() -> None:
    x = torch.ones(64, 16, 32, 32, requires_grad=True)  # 4 MB, whose columns would be 36
    layer = nn.Conv2d(16, 16, 3, padding=1)
    layer(x).sum().backward()
    x.grad = None
    tracemalloc.start()
    layer(x).backward(x.detach())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3.5 * x.nbytes  # the output, the gradient of the input, and a block
