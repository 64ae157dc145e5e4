"""The floor under an eager framework: the training step in plain NumPy, derivatives by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.workloads.mlp import MLP


def prepare(mlp: MLP, parameters: Sequence[np.ndarray]) -> Callable[[], Any]:
    x, y = mlp.data()
    rate = np.float32(mlp.rate)
    own = [each.copy() for each in parameters]
    weights, biases = own[::2], own[1::2]
    last = len(weights) - 1

    def step() -> Any:
        inputs = [x]  # of each layer
        for index in range(last):
            inputs.append(np.maximum(inputs[index] @ weights[index].T + biases[index], 0))
        error = inputs[last] @ weights[last].T + biases[last] - y
        loss = np.mean(error * error)
        gradient = error * np.float32(2 / error.size)
        gradients = []  # last layer first, bias before weight
        for index in range(last, -1, -1):
            gradients += [gradient.sum(0), gradient.T @ inputs[index]]
            if index:
                gradient = (gradient @ weights[index]) * (inputs[index] > 0)
        for parameter, its_gradient in zip(reversed(own), gradients, strict=True):
            parameter -= rate * its_gradient
        return loss

    return step
