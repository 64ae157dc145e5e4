"""Running measurements in interleaved processes, and summing them up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import timeit
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

REPEATS = 15
SECONDS_PER_REPEAT = 0.02


@dataclass(frozen=True)
class Figure:
    """One measured quantity: the median of the rounds and their range."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        return cls(median(values), min(values), max(values))

    def text(self, unit: str, scale: float = 1.0, digits: int = 1) -> str:
        middle, low, high = (f"{value * scale:,.{digits}f}" for value in (self.median, self.low, self.high))
        value = f"{middle} {unit}".strip()
        return value if low == high else f"{value} ({low} to {high})"


def interleave(module: str, variants: Sequence[str], rounds: int) -> dict[str, list[dict[str, Any]]]:
    """`python -m module variant` for every variant in turn, `rounds` times; each prints one JSON object."""
    records: dict[str, list[dict[str, Any]]] = {variant: [] for variant in variants}
    for _ in range(rounds):
        for variant in variants:
            done = subprocess.run(
                [sys.executable, "-m", module, variant],
                env=_environment(),
                stdout=subprocess.PIPE,
                check=True,
            )
            records[variant].append(json.loads(done.stdout))
    return records


def _environment() -> dict[str, str]:
    """Ours, one thread, and bytecode on disk: installed packages have theirs from pip."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, **threads, "PYTHONDONTWRITEBYTECODE": ""}


def seconds_per_call(call: Callable[[], object] | str, names: dict[str, Any] | None = None) -> float:
    """The best of several repeats, each long enough for the clock."""
    timer = timeit.Timer(call, globals=names)
    number = 1
    while (taken := timer.timeit(number)) < SECONDS_PER_REPEAT / 4:
        number *= 4
    number = max(1, round(number * SECONDS_PER_REPEAT / taken))
    return min(timer.repeat(REPEATS, number)) / number
