"""`python -m benchmarks`: measure, print the tables, write the numbers."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import import_cost, op_overhead, tiny_step
from benchmarks.measure import Figure
from parity_tests.session import environment

Figures = dict[str, dict[str, Figure]]
MICRO, MEBI = 1e6, 2**-20


def table(title: str, *headings: str) -> Table:
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index, heading in enumerate(headings):
        made.add_column(heading, justify="right" if index else "left", no_wrap=True)
    return made


def tiny_step_table(figures: Figures) -> Table:
    made = table("One training step, 3-4-4-1, batch 4, SGD", "", "a step", "times torch eager")
    for variant, row in figures.items():
        made.add_row(variant, row["seconds"].text("µs", MICRO), row["ratio"].text("", digits=2))
    return made


def op_overhead_table(figures: Figures) -> Table:
    made = table(
        "One eager op on four numbers that require a gradient",
        "",
        "torch",
        "minitorch_like",
        "NumPy",
        "our overhead",
    )
    for op, row in figures.items():
        cells = (f"{row[name].median * MICRO:.2f} µs" for name in ("torch", "minitorch_like", "kernel"))
        made.add_row(op, *cells, row["overhead"].text("µs", MICRO, 2))
    return made


def import_cost_table(figures: Figures) -> Table:
    made = table("Import", "", "time", "resident memory")
    for module, row in figures.items():
        made.add_row(module, row["seconds"].text("ms", 1e3, 0), row["memory"].text("MiB", MEBI, 0))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="processes per measurement (default 5)")
    parser.add_argument("--json", type=Path, default=Path("bench.json"), help="where the numbers go")
    options = parser.parse_args()
    console = Console(highlight=False, width=None if Console().is_terminal else 140)
    results: dict[str, object] = {"rounds": options.rounds, "environment": environment()}
    for module, show in (
        (tiny_step, tiny_step_table),
        (op_overhead, op_overhead_table),
        (import_cost, import_cost_table),
    ):
        figures = module.measure(options.rounds)
        results[module.__name__.rpartition(".")[2]] = {
            name: {key: asdict(figure) for key, figure in row.items()} for name, row in figures.items()
        }
        console.print(show(figures), "")
    options.json.write_text(json.dumps(results, indent=1) + "\n")
    console.print(f"[dim]numbers: {options.json}[/]")


if __name__ == "__main__":
    main()
