"""Who takes the training steps: torch and ours, eager and compiled, and for the perceptrons the peers and bare NumPy."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.workloads import Training, Workload, import_parameters

Step = Callable[[], Any]


@dataclass(frozen=True)
class Variant:
    """One side of the comparison.

    Attributes:
        module: the framework, or the module of `benchmarks.peers`.
        compiled: how a framework's training becomes a compiled step; None for its eager step.
        peer: whether it is no torch, and so takes part in the perceptrons only.
    """

    module: str
    compiled: Callable[[Any, Training], Step] | None = None
    peer: bool = False

    def takes(self, workload: Workload) -> bool:
        return not self.peer or workload.mlp is not None

    def prepare(self, workload: Workload, parameters: Sequence[np.ndarray] | None = None) -> Step:
        """A training step whose loss has `.item()`, from the given parameters or from a framework's own."""
        module = importlib.import_module(self.module)
        if self.peer:
            step: Step = module.prepare(workload.mlp, parameters)
            return step
        training = workload.build(module)
        if parameters is not None:
            import_parameters(module, training.model, parameters)
        return training.step if self.compiled is None else self.compiled(module, training)


def _compile_whole(torch: Any, training: Training) -> Step:
    """Ours takes the whole step."""
    step: Step = torch.compile(training.step)
    return step


def _compile_parts(torch: Any, training: Training) -> Step:
    """torch's way: the forward pass with its loss, whose backward comes along, and the optimiser's step."""
    training.loss = torch.compile(training.loss)
    training.optimizer.step = torch.compile(training.optimizer.step)
    return training.step


YARDSTICK, FLOOR = "torch eager", "NumPy, out="
VARIANTS = {
    YARDSTICK: Variant("torch"),
    "torch compiled": Variant("torch", _compile_parts),
    "minitorch_like eager": Variant("minitorch_like"),
    "minitorch_like compiled": Variant("minitorch_like", _compile_whole),
    "NumPy by hand": Variant("benchmarks.peers.numpy_eager", peer=True),
    FLOOR: Variant("benchmarks.peers.numpy_replay", peer=True),
    "JAX jit": Variant("benchmarks.peers.jax_jit", peer=True),
    "tinygrad jit": Variant("benchmarks.peers.tinygrad_jit", peer=True),
    "MyGrad": Variant("benchmarks.peers.mygrad_eager", peer=True),
    "HIPS autograd": Variant("benchmarks.peers.autograd_eager", peer=True),
}
