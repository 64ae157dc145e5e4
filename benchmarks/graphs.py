"""Growth: what a node, a layer and a branch cost as graphs get longer, deeper and wider. Linear growth is a flat column."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import resident
from benchmarks.measure import Figure, Settings, interleave, interleave_fresh, running, seconds_per_call, serve
from benchmarks.tables import MISSING, TIMES, Sheet, bytes_text, seconds_text, times_text

FRAMEWORKS = ("torch", "minitorch_like")
LAYER, BATCH = 16, 8


def chain(torch: Any, length: int) -> Callable[[], None]:
    """`length` operations one after the other, forward and backward."""
    x = torch.full((1,), 0.5, requires_grad=True)

    def run() -> None:
        y = x
        for _ in range(length):
            y = y.tanh()
        y.backward()
        x.grad = None

    return run


def depth(torch: Any, length: int) -> Callable[[], None]:
    """A training step of `length` layers, each linear and relu."""
    nn = torch.nn
    model = nn.Sequential(*(each for _ in range(length) for each in (nn.Linear(LAYER, LAYER), nn.ReLU())))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    x = torch.from_numpy(np.ones((BATCH, LAYER), np.float32))

    def run() -> None:
        optimizer.zero_grad()
        model(x).sum().backward()
        optimizer.step()

    return run


def width(torch: Any, length: int) -> Callable[[], None]:
    """`length` branches from one tensor, each with a weight of its own, joined again; forward and backward."""
    x = torch.full((1,), 0.5, requires_grad=True)
    weights = [torch.full((1,), 0.5, requires_grad=True) for _ in range(length)]

    def run() -> None:
        torch.cat([(x * weight).tanh() for weight in weights]).sum().backward()
        for each in (x, *weights):
            each.grad = None

    return run


@dataclass(frozen=True)
class Graph:
    """A family of graphs.

    Attributes:
        build: makes what is run, for a `torch` and a length.
        unit: what the length counts.
        lengths: those measured; memory at the last two, where it stands out from the rest of the process.
    """

    build: Callable[[Any, int], Callable[[], None]]
    unit: str
    lengths: tuple[int, ...]


GRAPHS = {
    "chain": Graph(chain, "operation", (10, 100, 1_000, 10_000, 100_000)),
    "depth": Graph(depth, "layer", (1, 10, 100, 1_000)),
    "width": Graph(width, "branch", (10, 100, 1_000, 10_000)),
}
NAMES = tuple(GRAPHS)


def main(framework: str) -> None:
    torch = importlib.import_module(framework)

    def answer(request: tuple[str, int, float]) -> float:
        """Seconds of a run; or, given no time for it, bytes by which the first run of a fresh process peaks."""
        name, length, seconds = request
        build = GRAPHS[name].build
        if seconds:
            return seconds_per_call(build(torch, length), seconds)
        build(torch, 1)()  # what a framework loads at first use is not the graph's

        def first_run() -> None:
            build(torch, length)()

        return resident.growth(first_run)

    serve(answer)


def measure(settings: Settings, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """For every graph and length: seconds and bytes per unit of each side, and ours as times torch."""
    records = []
    arguments = {framework: (framework,) for framework in FRAMEWORKS}
    with running("benchmarks.graphs", arguments) as workers:
        for name in settings.chosen("graphs", NAMES):
            tell(f"graphs: {name}")
            for length in GRAPHS[name].lengths:
                taken = interleave(workers, settings.rounds, [name, length, settings.seconds / 4])
                record = {"graph": name, "length": length, "seconds": _per_unit(taken, length)}
                if resident.AVAILABLE and length in GRAPHS[name].lengths[-2:]:
                    taken = interleave_fresh("benchmarks.graphs", arguments, settings.rounds, [name, length, 0])
                    record["memory"] = _per_unit(taken, length)
                records.append(record)
    return records


def _per_unit(taken: dict[str, list[float]], length: int) -> dict[str, Figure]:
    figures = {each: Figure.of([value / length for value in values]) for each, values in taken.items()}
    return {**figures, "ratio": Figure.ratio(taken["minitorch_like"], taken["torch"])}


def sheets(records: Sequence[dict[str, Any]]) -> list[Sheet]:
    columns = (*FRAMEWORKS, "ratio")
    made = []
    for name, graph in GRAPHS.items():
        rows = [
            [
                f"{each['length']:,}",
                *(_cell(each, "seconds", column, seconds_text) for column in columns),
                *(_cell(each, "memory", column, bytes_text) for column in columns),
            ]
            for each in records
            if each["graph"] == name
        ]
        if rows:
            title = f"Growth, {name}: forward, backward and memory, by the {graph.unit}"
            headings = (*FRAMEWORKS, f"{TIMES} torch")
            made.append(
                Sheet(title, [f"{graph.unit} count", *headings, *(f"memory, {each}" for each in headings)], rows)
            )
    return made


def _cell(record: dict[str, Any], quantity: str, column: str, text: Callable[[float], str]) -> str:
    if quantity not in record:
        return MISSING
    median = record[quantity][column]["median"]
    return times_text(median) if column == "ratio" else text(median)


if __name__ == "__main__":
    main(*sys.argv[1:])
