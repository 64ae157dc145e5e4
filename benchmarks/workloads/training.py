"""What a workload is: a network, a batch and a way to train on it, in torch's words whichever package says them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class Training:
    """A network in training on one batch.

    Attributes:
        model: its `nn.Module`.
        optimizer: for the parameters of `model`.
        loss: forward pass and loss of the batch.
    """

    model: Any
    optimizer: Any
    loss: Callable[[], Any]

    def step(self) -> Any:
        """One training step; returns its loss."""
        self.optimizer.zero_grad()
        loss = self.loss()
        loss.backward()
        self.optimizer.step()
        return loss


@dataclass(frozen=True)
class Workload:
    """A training step to be measured.

    Attributes:
        title: what it is, for the tables.
        build: makes the training with a given `torch`.
        mlp: the numbers of a multi-layer perceptron, which peers that are no torch can implement too.
    """

    title: str
    build: Callable[[Any], Training]
    mlp: Any = None


def export_parameters(model: Any) -> list[np.ndarray]:
    return [parameter.detach().numpy().copy() for parameter in model.parameters()]


def import_parameters(torch: Any, model: Any, arrays: Sequence[np.ndarray]) -> None:
    with torch.no_grad():
        for parameter, array in zip(model.parameters(), arrays, strict=True):
            parameter.copy_(torch.from_numpy(array))
