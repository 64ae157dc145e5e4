"""Gradient descent on four rows, with Values; and the same network in `minitorch_like.nn`, number for number."""

from __future__ import annotations

import random
from collections.abc import Sequence

from .neurons import MLP
from .value import Value

ROWS = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
YES_NO = [1.0, 0.0, 0.0, 1.0]  # for an output that is any number
UP_DOWN = [1.0, -1.0, -1.0, 1.0]  # for an output between -1 and 1


def squared_errors(model: MLP, targets: Sequence[float]) -> Value:
    """The loss: how far the predictions are off, squared and added up."""
    predictions = [model(row)[0] for row in ROWS]
    return sum(((p - t) ** 2 for p, t in zip(predictions, targets, strict=True)), Value(0.0))


def train(model: MLP, targets: Sequence[float], learning_rate: float, steps: int) -> list[float]:
    """The loss before each step."""
    losses = []
    for _ in range(steps):
        loss = squared_errors(model, targets)
        model.zero_grad()
        loss.backward()
        for parameter in model.parameters():
            parameter.data -= learning_rate * parameter.grad
        losses.append(loss.data)
    return losses


def tanh_network() -> tuple[MLP, list[float]]:
    """The network of the lecture, trained: tanh everywhere, targets 1 and -1."""
    model = MLP(3, [4, 4, 1], "tanh", generator=random.Random(1337))
    return model, train(model, UP_DOWN, learning_rate=0.05, steps=100)


def side_by_side(steps: int = 100) -> tuple[list[float], list[float], list[float], list[float]]:
    """The ReLU network twice, from the same weights: in `nn` with seed 99, and in Values.

    (losses in nn, losses in Values, predictions of nn, predictions of Values), those before the last step.
    """
    import minitorch_like as torch

    torch.manual_seed(99)
    network = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1)
    )
    model = MLP(3, [4, 4, 1], "relu", last="linear")
    for layer, linear in zip(model.layers, (network[0], network[2], network[4]), strict=True):
        weights, biases = linear.weight.tolist(), linear.bias.tolist()
        for neuron, row, bias in zip(layer.neurons, weights, biases, strict=True):
            neuron.b.data = bias
            for weight, number in zip(neuron.w, row, strict=True):
                weight.data = number

    xs, ys = torch.tensor(ROWS), torch.tensor(YES_NO).reshape(4, 1)
    loss_fn = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    losses = []
    for _ in range(steps):
        predictions = network(xs)
        loss = loss_fn(predictions, ys)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    scalar_losses = train(model, YES_NO, learning_rate=0.01, steps=steps - 1)
    scalar_predictions = [model(row)[0].data for row in ROWS]
    scalar_losses.append(squared_errors(model, YES_NO).data)
    return losses, scalar_losses, predictions.flatten().tolist(), scalar_predictions
