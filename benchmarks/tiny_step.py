"""One training step of the smallest network worth the name: 3-4-4-1, batch 4, SGD.

The arithmetic is next to nothing, so this measures what a framework adds to it.
"""

from __future__ import annotations

import importlib
import json
import math
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.measure import Figure, interleave, seconds_per_call

VARIANTS = ("torch eager", "minitorch_like eager", "minitorch_like compiled")
CHECKED_STEPS = 100


def build(torch: Any) -> Callable[[], Any]:
    """A training step that returns its loss; always from the same seed."""
    torch.manual_seed(99)
    nn = torch.nn
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))
    xs = torch.tensor([[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]])
    ys = torch.tensor([[1.0], [0.0], [0.0], [1.0]])
    loss_fn = nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_fn(model(xs), ys)
        loss.backward()
        optimizer.step()
        return loss

    return step


def main(variant: str) -> None:
    framework, mode = variant.split()
    torch = importlib.import_module(framework)
    step = build(torch)
    if mode == "compiled":
        step = torch.compile(step)
    losses = [step().item() for _ in range(CHECKED_STEPS)]
    print(json.dumps({"losses": losses, "seconds": seconds_per_call(step)}))


def measure(rounds: int) -> dict[str, dict[str, Figure]]:
    """Seconds per step and, round by round, the ratio to torch eager.

    Raises AssertionError if the variants do not compute the same losses: there is no speed without that.
    """
    records = interleave(__name__, VARIANTS, rounds)
    yardstick = records[VARIANTS[0]]
    for variant, runs in records.items():
        for run in runs:
            assert all(map(_close, run["losses"], yardstick[0]["losses"])), f"{variant} computes other losses"
    return {
        variant: {
            "seconds": Figure.of([run["seconds"] for run in runs]),
            "ratio": Figure.of([run["seconds"] / base["seconds"] for run, base in zip(runs, yardstick, strict=True)]),
        }
        for variant, runs in records.items()
    }


def _close(ours: float, theirs: float) -> bool:
    return math.isclose(ours, theirs, rel_tol=1e-5)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]))
