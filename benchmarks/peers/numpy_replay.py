"""The floor under a compiled framework: the step as a list of NumPy calls that write to memory laid out beforehand.

Parameters and gradients are slices of one flat array each, so that SGD is two calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from benchmarks.workloads.mlp import MLP

Call = tuple[Callable[..., Any], tuple[Any, ...]]


def prepare(mlp: MLP, parameters: Sequence[np.ndarray]) -> Callable[[], Any]:
    x, y = mlp.data()
    shapes = [each.shape for each in parameters]
    flat = np.concatenate([each.ravel() for each in parameters])
    flat_gradient, update = np.empty_like(flat), np.empty_like(flat)
    own, gradients = _slices(flat, shapes), _slices(flat_gradient, shapes)
    weights, biases = own[::2], own[1::2]
    calls: list[Call] = []

    inputs = [x]
    for weight, bias in zip(weights, biases, strict=True):
        out = np.empty((mlp.batch, len(bias)), np.float32)
        calls += [(np.dot, (inputs[-1], weight.T, out)), (np.add, (out, bias, out))]
        if bias is not biases[-1]:
            calls.append((partial(np.maximum, out=out), (out, np.float32(0))))  # by position it is deprecated
        inputs.append(out)

    error = inputs.pop()
    calls.append((np.subtract, (error, y, error)))
    squares = np.empty((), np.float32)
    calls.append((np.dot, (error.reshape(-1), error.reshape(-1), squares)))
    gradient = np.empty_like(error)
    calls.append((np.multiply, (error, np.float32(2 / error.size), gradient)))

    for index in range(len(weights) - 1, -1, -1):
        calls.append((np.add.reduce, (gradient, 0, None, gradients[2 * index + 1])))
        calls.append((np.dot, (gradient.T, inputs[index], gradients[2 * index])))
        if index:
            earlier, positive = np.empty_like(inputs[index]), np.empty(inputs[index].shape, np.bool_)
            calls.append((np.dot, (gradient, weights[index], earlier)))
            calls.append((np.greater, (inputs[index], np.float32(0), positive)))
            calls.append((np.multiply, (earlier, positive, earlier)))
            gradient = earlier

    calls.append((np.multiply, (flat_gradient, np.float32(mlp.rate), update)))
    calls.append((np.subtract, (flat, update, flat)))

    def step() -> Any:
        for function, arguments in calls:
            function(*arguments)
        return squares / error.size

    return step


def _slices(flat: np.ndarray, shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    """Views of the parts of a flat array, in the given shapes."""
    ends = np.cumsum([np.prod(shape) for shape in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes, strict=True)]
