"""A neuron, a layer, a multi-layer perceptron: lists of Values, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Sequence

from .value import Value

ACTIVATIONS = ("linear", "relu", "tanh")


class Module:
    """Something with parameters."""

    def parameters(self) -> list[Value]:
        """Every number that is learnt."""
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Forget the gradients: `backward` adds to what it finds."""
        for parameter in self.parameters():
            parameter.grad = 0.0


class Neuron(Module):
    """activation(w . x + b): weights between -1 and 1, bias zero."""

    def __init__(self, inputs: int, activation: str, generator: random.Random) -> None:
        self.w = [Value(generator.uniform(-1, 1)) for _ in range(inputs)]
        self.b = Value(0.0)
        self.activation = activation

    def __call__(self, x: Sequence[Value | float]) -> Value:
        total = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
        return total if self.activation == "linear" else getattr(total, self.activation)()

    def parameters(self) -> list[Value]:
        return [*self.w, self.b]

    def __repr__(self) -> str:
        return f"{self.activation} neuron of {len(self.w)}"


class Layer(Module):
    """Neurons that look at the same inputs."""

    def __init__(self, inputs: int, outputs: int, activation: str, generator: random.Random) -> None:
        self.neurons = [Neuron(inputs, activation, generator) for _ in range(outputs)]

    def __call__(self, x: Sequence[Value | float]) -> list[Value]:
        return [neuron(x) for neuron in self.neurons]

    def parameters(self) -> list[Value]:
        return [parameter for neuron in self.neurons for parameter in neuron.parameters()]


class MLP(Module):
    """Layers one after the other: MLP(3, [4, 4, 1]) has three inputs and one output.

    activation: of every layer, 'relu' or 'tanh'.   last: of the last one; the same if it is not said.
    ValueError for one that is not known.
    """

    def __init__(
        self,
        inputs: int,
        outputs: Sequence[int],
        activation: str = "tanh",
        last: str = "",
        generator: random.Random | None = None,
    ) -> None:
        generator = generator or random.Random()
        kinds = [activation] * (len(outputs) - 1) + [last or activation]
        for kind in kinds:
            if kind not in ACTIVATIONS:
                raise ValueError(f"unknown activation {kind!r}; there are {', '.join(ACTIVATIONS)}")
        sizes = [inputs, *outputs]
        self.layers = [
            Layer(*pair, kind, generator) for pair, kind in zip(zip(sizes, outputs, strict=False), kinds, strict=True)
        ]

    def __call__(self, x: Sequence[Value | float]) -> list[Value]:
        values: Sequence[Value | float] = x
        for layer in self.layers:
            values = layer(values)
        return list(values)  # type: ignore[arg-type]

    def parameters(self) -> list[Value]:
        return [parameter for layer in self.layers for parameter in layer.parameters()]
