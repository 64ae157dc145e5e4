"""Peak memory of training: what building the network and taking some steps adds to a process that has taken some before."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import resident
from benchmarks.measure import Figure, Settings, WorkerError, interleave_fresh, serve
from benchmarks.tables import Sheet, bytes_text, times_text
from benchmarks.variants import VARIANTS, YARDSTICK
from benchmarks.workloads import WORKLOADS

WARM_UP = "mlp-small"  # what a framework loads and reserves at first use is not the network's
NAMES = tuple(name for name in WORKLOADS if name != WARM_UP)
COMPARED = (YARDSTICK, "minitorch_like eager", "minitorch_like compiled")
STEPS = 5
COPIES = {"mlp-tiny": 100}  # kept side by side: what one takes is less than what the kernel counts by


def train(variant: str, name: str) -> Callable[[], object]:
    """The step of a network that has been trained a little, and with it the network."""
    step = VARIANTS[variant].prepare(WORKLOADS[name])
    for _ in range(STEPS):
        step()
    return step


def main(variant: str, name: str) -> None:
    train(variant, WARM_UP)
    copies = COPIES.get(name, 1)
    serve(lambda _: resident.growth(lambda: [train(variant, name) for _ in range(copies)]) // copies)


def measure(settings: Settings, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    if not resident.AVAILABLE:
        return []
    records = []
    for name in settings.chosen("memory", NAMES):
        tell(f"memory: {name}")
        try:
            answers = interleave_fresh("benchmarks.memory", {each: (each, name) for each in COMPARED}, settings.rounds)
        except WorkerError as error:
            records.append({"workload": name, "unavailable": str(error)})
            continue
        record: dict[str, Any] = {"workload": name}
        for variant, taken in answers.items():
            record[variant] = {"memory": Figure.of(taken), "ratio": Figure.ratio(taken, answers[YARDSTICK])}
        records.append(record)
    return records


def sheets(records: Sequence[dict[str, Any]]) -> list[Sheet]:
    if not records:
        return []
    notes = [f"{each['workload']} is missing: {each['unavailable']}" for each in records if "unavailable" in each]
    rows = [
        [each["workload"], *(_cell(each[variant]) for variant in COMPARED)]
        for each in records
        if "unavailable" not in each
    ]
    return [Sheet(f"Peak memory of training, and times {YARDSTICK}", ["", *COMPARED], rows, notes)]


def _cell(figures: dict[str, Any]) -> str:
    return f"{bytes_text(figures['memory']['median'])}, {times_text(figures['ratio']['median'])}"


if __name__ == "__main__":
    main(*sys.argv[1:])
