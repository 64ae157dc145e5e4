"""Single eager operations on float32 that is to be differentiated, by the number of elements, beside NumPy's own kernels."""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.measure import Figure, Settings, interleave, running, seconds_per_call, serve
from benchmarks.tables import MISSING, TIMES, Sheet, seconds_text, times_text

FRAMEWORKS = ("torch", "minitorch_like", "numpy")
ROW = 100  # the most elements over which softmax is taken


@dataclass(frozen=True)
class Op:
    """What the user writes of tensors x and y, and the NumPy calls on arrays a and b that do the arithmetic.

    Attributes:
        tensors, arrays: the two expressions.
        shape: the operands' shape for a number of elements.
        largest: the largest number of elements, as a power of ten.
    """

    tensors: str
    arrays: str
    shape: Callable[[int], tuple[int, ...]] = lambda size: (size,)
    largest: int = 7

    def sizes(self) -> list[int]:
        return [10**power for power in range(self.largest + 1)]


OPS = {
    "add": Op("x + y", "np.add(a, b)"),
    "mul": Op("x * y", "np.multiply(a, b)"),
    "exp": Op("x.exp()", "np.exp(a)"),
    "tanh": Op("x.tanh()", "np.tanh(a)"),
    "relu": Op("x.relu()", "np.maximum(a, zero)"),
    "sum": Op("x.sum()", "np.add.reduce(a)"),
    "softmax": Op(
        "x.softmax(-1)",
        "(e := np.exp(a - a.max(-1, keepdims=True))) / e.sum(-1, keepdims=True)",
        lambda size: (max(1, size // ROW), min(size, ROW)),
    ),
    "matmul": Op("x @ y", "np.matmul(a, b)", lambda size: (math.isqrt(size),) * 2, largest=6),
}
NAMES = tuple(OPS)


def operands(op: Op, size: int) -> dict[str, Any]:
    """The arrays that an expression over arrays names."""
    a, b = np.random.default_rng(0).standard_normal((2, *op.shape(size)), np.float32)
    return {"np": np, "a": a, "b": b, "zero": np.float32(0)}


def expression(framework: str, op: Op, size: int) -> tuple[str, dict[str, Any]]:
    """The expression of one framework, and its names.  Raises AssertionError if it is not what NumPy computes."""
    arrays = operands(op, size)
    if framework == "numpy":
        return op.arrays, arrays
    torch = importlib.import_module(framework)
    names = {"x": torch.from_numpy(arrays["a"]).requires_grad_(), "y": torch.from_numpy(arrays["b"]).requires_grad_()}
    got, expected = eval(op.tensors, names), eval(op.arrays, arrays)
    assert np.allclose(got.detach().numpy(), expected, rtol=1e-4, atol=1e-3), (
        f"{framework} computes another {op.tensors}"
    )
    return op.tensors, names


def main(framework: str) -> None:
    def answer(request: tuple[str, int, float]) -> float:
        name, size, seconds = request
        text, names = expression(framework, OPS[name], size)
        return seconds_per_call(text, seconds, names)

    serve(answer)


def measure(settings: Settings, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """For every op and size: seconds of each side, and ours as times torch and as times NumPy."""
    records = []
    with running("benchmarks.ops", {each: (each,) for each in FRAMEWORKS}) as workers:
        for name in settings.chosen("ops", NAMES):
            tell(f"ops: {name}")
            for size in OPS[name].sizes():
                taken = interleave(workers, settings.rounds, [name, size, settings.seconds / 4])
                ours = taken["minitorch_like"]
                records.append(
                    {
                        "op": name,
                        "size": size,
                        **{each: Figure.of(seconds) for each, seconds in taken.items()},
                        "ratio": Figure.ratio(ours, taken["torch"]),
                        "floor": Figure.ratio(ours, taken["numpy"]),
                    }
                )
    return records


def sheets(records: Sequence[dict[str, Any]]) -> list[Sheet]:
    if not records:
        return []
    shown = {"numpy": "NumPy", "ratio": f"{TIMES} torch", "floor": f"{TIMES} NumPy"}
    smallest = [each for each in records if each["size"] == 1]
    return [
        _by_size(records),
        Sheet(
            "One eager operation on one element",
            ["", "torch", "minitorch_like", *shown.values()],
            [
                [
                    f"`{OPS[each['op']].tensors}`",
                    *(seconds_text(each[side]["median"]) for side in ("torch", "minitorch_like", "numpy")),
                    *(times_text(each[key]["median"]) for key in ("ratio", "floor")),
                ]
                for each in smallest
            ],
        ),
    ]


def _by_size(records: Sequence[dict[str, Any]]) -> Sheet:
    """Ops down, numbers of elements across."""
    cells = {
        (each["op"], each["size"]): f"{seconds_text(each['minitorch_like']['median'])}, "
        f"{times_text(each['ratio']['median'])}"
        for each in records
    }
    sizes = sorted({size for _, size in cells})
    rows = [
        [f"`{op.tensors}`", *(cells.get((name, size), MISSING) for size in sizes)]
        for name, op in OPS.items()
        if (name, 1) in cells
    ]
    title = "One eager operation of minitorch_like by elements an operand: time, and times torch"
    return Sheet(title, ["", *(f"{size:,}" for size in sizes)], rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
