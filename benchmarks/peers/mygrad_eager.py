"""MyGrad: tensors over NumPy arrays, with its memory guard off, as its documentation advises for speed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mygrad
import numpy as np

from benchmarks.workloads.mlp import MLP


def prepare(mlp: MLP, parameters: Sequence[np.ndarray]) -> Callable[[], Any]:
    mygrad.turn_memory_guarding_off()
    x, y = mlp.data()
    own = [mygrad.tensor(each) for each in parameters]

    def step() -> Any:
        out = x
        for weight, bias in zip(own[:-2:2], own[1:-2:2], strict=True):
            out = mygrad.maximum(mygrad.matmul(out, weight.T) + bias, 0)
        out = mygrad.matmul(out, own[-2].T) + own[-1]
        loss = mygrad.mean(mygrad.square(out - y))
        loss.backward()
        for each in own:
            each.data -= mlp.rate * each.grad
        return loss

    return step
