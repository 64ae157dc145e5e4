"""`python -m benchmarks`: measure, print the tables, write the numbers and the picture."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import graphs, imports, machine, memory, ops, plot, training
from benchmarks.measure import Settings, WorkerError
from benchmarks.tables import Sheet

SECTIONS = {"training": training, "ops": ops, "graphs": graphs, "memory": memory, "imports": imports}
QUICK = Settings(rounds=2, seconds=0.05, threads=(1,))


def measure(settings: Settings, console: Console) -> dict[str, Any]:
    """All that is chosen, as JSON holds it; each section's tables are printed as soon as it is done."""
    failures: list[str] = []
    results: dict[str, Any] = {
        "settings": {**asdict(settings), "only": sorted(settings.only)},
        "machine": machine.describe(),
        "failures": failures,
    }
    console.print(machine.sentence(results["machine"]), machine.warning(results["machine"]), "", sep="\n")
    for name, section in SECTIONS.items():
        with console.status("") as status:
            try:
                records = section.measure(settings, lambda text, status=status: status.update(f"[dim]{text}[/]"))
            except WorkerError as error:
                records = []
                failures.append(f"{name} could not be measured: {error}")
        results[name] = as_json(records)
        for sheet in section.sheets(results[name]):
            console.print(sheet.rich())
    failures += training.disagreements(results["training"])
    return results


def as_json(records: Any) -> Any:
    return json.loads(json.dumps(records, default=asdict))


def sheets(results: dict[str, Any]) -> list[Sheet]:
    return [sheet for name, section in SECTIONS.items() for sheet in section.sheets(results.get(name, ()))]


def markdown(results: dict[str, Any]) -> str:
    """All tables, and under them where they come from."""
    where = f"Measured on {machine.sentence(results['machine'])} {machine.warning(results['machine'])}".rstrip()
    return "\n".join([*(sheet.markdown() for sheet in sheets(results)), where])


def parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, Settings]:
    names = {name for key, section in SECTIONS.items() for name in (key, *section.NAMES)}
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds, one thread: minutes, and rough figures")
    parser.add_argument(
        "--only", action="append", default=[], choices=sorted(names), metavar="NAME", help=", ".join(sorted(names))
    )
    parser.add_argument("--rounds", type=int, help=f"answers of every process (default {Settings.rounds})")
    parser.add_argument("--threads", type=int, nargs="+", help="of training steps (default 1 2)")
    parser.add_argument("--json", type=Path, default=Path("bench.json"), help="where the numbers go")
    parser.add_argument("--plot", type=Path, help="where the picture goes (default: beside the numbers, as SVG)")
    parser.add_argument("--table", type=Path, metavar="JSON", help="measure nothing: Markdown tables of these numbers")
    options = parser.parse_args(arguments)
    base = QUICK if options.quick else Settings()
    settings = Settings(
        options.rounds or base.rounds,
        base.seconds,
        tuple(options.threads or base.threads),
        frozenset(options.only),
    )
    return options, settings


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 if a section could not be measured or a variant computed other losses than torch."""
    options, settings = parse(sys.argv[1:] if arguments is None else arguments)
    if options.table:
        results = json.loads(options.table.read_text())
        print(markdown(results))
        if options.plot:
            plot.write(results, options.plot)
        return 0
    console = Console(highlight=False, width=None if Console().is_terminal else 160)
    results = measure(settings, console)
    options.json.write_text(json.dumps(results, indent=1) + "\n")
    picture = options.plot or options.json.with_suffix(".svg")
    plot.write(results, picture)
    console.print(f"[dim]numbers: {options.json}, picture: {picture}[/]")
    for line in results["failures"]:
        console.print(line, style="red")
    return bool(results["failures"])


if __name__ == "__main__":
    sys.exit(main())
