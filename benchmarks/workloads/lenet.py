"""LeNet on images of 28 x 28: convolutions, max pooling, cross entropy, Adam."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workloads.training import Training, Workload

BATCH, CLASSES = 32, 10


def build(torch: Any) -> Training:
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, CLASSES),
    )
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.standard_normal((BATCH, 1, 28, 28), np.float32))
    labels = torch.from_numpy(rng.integers(CLASSES, size=BATCH))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Training(model, optimizer, lambda: criterion(model(images), labels))


LENET = Workload(f"LeNet, 28 x 28, batch {BATCH}, Adam", build)
