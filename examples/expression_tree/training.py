"""Asking a network, and teaching it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from .compiled import Compiled
from .nodes import Input, Node, Parameter, walk

Sample = tuple[Mapping[str, float], Any]


class Loss(Protocol):
    """See `losses`: predictions and gradients are numbers, or lists of them for a network of several outputs."""

    def loss(self, prediction: Any, target: Any) -> float: ...

    def gradient(self, prediction: Any, target: Any) -> Any: ...


def inputs_of(model: Node) -> list[Input]:
    """The inputs, found by walking the whole tree: unless `compile` has done so already."""
    if isinstance(model, Compiled):
        return model.inputs
    return [node for node in walk(model) if isinstance(node, Input)]


def parameters_of(model: Node) -> list[Parameter]:
    """The parameters, each once."""
    if isinstance(model, Compiled):
        return model.parameters
    return [node for node in walk(model) if isinstance(node, Parameter)]


def predict(model: Node, inputs: Mapping[str, float]) -> Any:
    """The network as a function: a number, or a list of numbers if it ends in an `Output`.

    inputs: by name; KeyError if one is missing.
    """
    for node in inputs_of(model):
        node.value = inputs[node.name]
    return model.forward()


def train_model(model: Node, samples: Sequence[Sample], loss: Loss, learning_rate: float, epochs: int) -> list[float]:
    """Gradient descent over all samples at once; the mean loss before each of the `epochs` steps."""
    parameters = parameters_of(model)
    losses = []
    for _ in range(epochs):
        total = 0.0
        for inputs, target in samples:
            prediction = predict(model, inputs)
            total += loss.loss(prediction, target)
            model.backward(loss.gradient(prediction, target))
        for parameter in parameters:
            parameter.value -= learning_rate * parameter.gradient / len(samples)
            parameter.gradient = 0.0
        losses.append(total / len(samples))
    return losses
