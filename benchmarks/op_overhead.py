"""What one eager operation costs on four numbers that require a gradient, beyond NumPy's own kernel."""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

from benchmarks.measure import Figure, interleave, seconds_per_call

# What the user writes, and the NumPy call that does the arithmetic.
OPS = {
    "x + y": "np.add(a, b)",
    "x * y": "np.multiply(a, b)",
    "x * 2": "np.multiply(a, two)",
    "-x": "np.negative(a)",
    "x.exp()": "np.exp(a)",
    "torch.tanh(x)": "np.tanh(a)",
    "x.relu()": "np.maximum(a, zero)",
    "x.sum()": "np.add.reduce(a)",
    "x.view(2, 2)": "a.reshape(2, 2)",
    "m @ m": "np.matmul(c, c)",
}
FRAMEWORKS = ("torch", "minitorch_like")


def main(framework: str) -> None:
    import numpy as np

    torch = importlib.import_module(framework)
    a = np.array([0.5, -1.0, 2.0, 3.0], np.float32)
    names: dict[str, Any] = {
        "np": np,
        "torch": torch,
        "a": a,
        "b": a[::-1].copy(),
        "c": a.reshape(2, 2),
        "two": np.float32(2),
        "zero": np.float32(0),
        "x": torch.tensor(a, requires_grad=True),
        "y": torch.tensor(a[::-1].copy(), requires_grad=True),
        "m": torch.tensor(a.reshape(2, 2), requires_grad=True),
    }
    record = {}
    for op, kernel in OPS.items():
        got, expected = eval(op, names), eval(kernel, names)
        assert np.allclose(got.detach().numpy(), expected, rtol=1e-5), op
        record[op] = {"op": seconds_per_call(op, names), "kernel": seconds_per_call(kernel, names)}
    print(json.dumps(record))


def measure(rounds: int) -> dict[str, dict[str, Figure]]:
    """For every op: seconds in torch, in us, in the bare kernel, and our overhead over the kernel."""
    records = interleave(__name__, FRAMEWORKS, rounds)
    ours, theirs = records["minitorch_like"], records["torch"]
    return {
        op: {
            "torch": Figure.of([run[op]["op"] for run in theirs]),
            "minitorch_like": Figure.of([run[op]["op"] for run in ours]),
            "kernel": Figure.of([run[op]["kernel"] for run in ours]),
            "overhead": Figure.of([run[op]["op"] - run[op]["kernel"] for run in ours]),
        }
        for op in OPS
    }


if __name__ == "__main__":
    main(sys.argv[1])
