"""Multi-layer perceptrons: relu, mean squared error, SGD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.workloads.training import Training, Workload


@dataclass(frozen=True)
class MLP:
    """A multi-layer perceptron and its batch, in numbers.

    Attributes:
        sizes: of the input, of every hidden layer, of the output.
        batch: rows in the batch.
        rate: the learning rate.
    """

    sizes: tuple[int, ...]
    batch: int
    rate: float = 0.01

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (batch, sizes[0]) and targets (batch, sizes[-1]), float32."""
        rng = np.random.default_rng(0)
        x, y = (rng.standard_normal((self.batch, size), np.float32) for size in (self.sizes[0], self.sizes[-1]))
        return x, y

    def build(self, torch: Any) -> Training:
        nn = torch.nn
        layers: list[Any] = []
        for inputs, outputs in zip(self.sizes[:-1], self.sizes[1:], strict=True):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        model = nn.Sequential(*layers[:-1])
        x, y = map(torch.from_numpy, self.data())
        criterion = nn.MSELoss()
        optimizer = torch.optim.SGD(model.parameters(), lr=self.rate)
        return Training(model, optimizer, lambda: criterion(model(x), y))


def workload(*sizes: int, batch: int) -> Workload:
    mlp = MLP(sizes, batch)
    return Workload(f"MLP {'-'.join(map(str, sizes))}, batch {batch}, SGD", mlp.build, mlp)
