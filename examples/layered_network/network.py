"""A neural network, layer by layer, on nothing but NumPy.

A sample is a column: a batch of n samples with k features is an array (k, n), and a layer from `ins` to `outs` features
holds a matrix (outs, ins) that it multiplies from the left.  Every class below comes in two halves, what it computes and
the derivative of that; the network only has to call the halves in the right order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Activation(Protocol):
    """A function of one variable, applied to every element."""

    def f(self, x: Array) -> Array: ...

    def df(self, x: Array) -> Array:
        """The derivative at x."""
        ...


class Loss(Protocol):
    """How far an output is from its target: one number."""

    def f(self, output: Array, target: Array) -> float: ...

    def df(self, output: Array, target: Array) -> Array:
        """The derivative by the output."""
        ...


@dataclass(frozen=True)
class LeakyReLU:
    """x where it is positive; elsewhere a small share of it, so that no unit ever stops learning."""

    slope: float = 0.1

    def f(self, x: Array) -> Array:
        return np.where(x > 0, x, self.slope * x)

    def df(self, x: Array) -> Array:
        return np.where(x > 0, 1.0, self.slope)


class Sigmoid:
    """1 / (1 + e^-x): anything to between 0 and 1."""

    def f(self, x: Array) -> Array:
        return 1 / (1 + np.exp(-x))

    def df(self, x: Array) -> Array:
        y = self.f(x)
        return y * (1 - y)


class MSE:
    """The mean of the squared differences, over features and samples."""

    def f(self, output: Array, target: Array) -> float:
        return float(np.mean((output - target) ** 2))

    def df(self, output: Array, target: Array) -> Array:
        return 2 * (output - target) / output.size


class Layer:
    """activation(weight @ x + bias), (ins, n) -> (outs, n).

    Weights and biases start as normal random numbers of standard deviation `scale`.
    """

    def __init__(
        self, ins: int, outs: int, activation: Activation, rng: np.random.Generator, scale: float = 1.0
    ) -> None:
        self.ins, self.outs, self.activation = ins, outs, activation
        self.weight = scale * rng.standard_normal((outs, ins))
        self.bias = scale * rng.standard_normal((outs, 1))

    def forward(self, x: Array) -> Array:
        return self.activation.f(self.weight @ x + self.bias)

    def backward(self, x: Array, dy: Array) -> tuple[Array, Array, Array]:
        """The derivatives of the loss by x, weight and bias, from the one by this layer's output."""
        dz = dy * self.activation.df(self.weight @ x + self.bias)
        return self.weight.T @ dz, dz @ x.T, dz.sum(axis=1, keepdims=True)


class Network:
    """Layers in a row, a loss and a learning rate.

    Raises ValueError where a layer puts out what the next one cannot take in.
    """

    def __init__(self, layers: Sequence[Layer], loss: Loss, learning_rate: float) -> None:
        for index, (layer, after) in enumerate(pairwise(layers)):
            if layer.outs != after.ins:
                raise ValueError(
                    f"layer {index} puts out {layer.outs} features, but layer {index + 1} takes {after.ins}"
                )
        self.layers, self.loss, self.learning_rate = list(layers), loss, learning_rate

    def forward_pass(self, x: Array) -> Array:
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def train(self, x: Array, target: Array) -> float:
        """One step downhill on the batch x with its targets; the loss before the step."""
        inputs = [x]
        for layer in self.layers:
            inputs.append(layer.forward(inputs[-1]))
        output = inputs.pop()
        derivative = self.loss.df(output, target)
        for layer, given in zip(reversed(self.layers), reversed(inputs), strict=True):
            derivative, by_weight, by_bias = layer.backward(given, derivative)
            layer.weight -= self.learning_rate * by_weight
            layer.bias -= self.learning_rate * by_bias
        return self.loss.f(output, target)
