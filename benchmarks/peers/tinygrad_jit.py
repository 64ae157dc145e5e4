"""tinygrad: forward, gradients and update within one TinyJit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from tinygrad import Device, Tensor, TinyJit

from benchmarks.workloads.mlp import MLP


def prepare(mlp: MLP, parameters: Sequence[np.ndarray]) -> Callable[[], Any]:
    own = [Tensor(each) for each in parameters]
    x, y = map(Tensor, mlp.data())
    Tensor.realize(x, y, *own)

    @TinyJit
    def jitted() -> Any:
        out = x
        for weight, bias in zip(own[:-2:2], own[1:-2:2], strict=True):
            out = out.linear(weight.T, bias).relu()
        out = out.linear(own[-2].T, own[-1])
        loss = ((out - y) ** 2).mean()
        for parameter, gradient in zip(own, loss.gradient(*own), strict=True):
            parameter.assign(parameter.detach() - mlp.rate * gradient)
        return loss.realize(*own)

    device = Device[Device.DEFAULT]

    def step() -> Any:
        loss = jitted()
        device.synchronize()
        return loss

    return step
