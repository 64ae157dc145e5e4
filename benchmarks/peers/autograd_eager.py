"""HIPS autograd: NumPy, traced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import value_and_grad

from benchmarks.workloads.mlp import MLP


def prepare(mlp: MLP, parameters: Sequence[np.ndarray]) -> Callable[[], Any]:
    x, y = mlp.data()
    own = [each.copy() for each in parameters]

    def loss(parameters: list[Any]) -> Any:
        out = x
        for weight, bias in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
            out = anp.maximum(anp.dot(out, weight.T) + bias, 0)
        weight, bias = parameters[-2:]
        return anp.mean((anp.dot(out, weight.T) + bias - y) ** 2)

    differentiated = value_and_grad(loss)

    def step() -> Any:
        value, gradients = differentiated(own)
        for each, gradient in zip(own, gradients, strict=True):
            each -= mlp.rate * gradient
        return value

    return step
