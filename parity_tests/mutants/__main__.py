"""python -m parity_tests.mutants [--profile PROFILE] [NAME ...]: plant the faults and say which were found."""

from __future__ import annotations

import argparse
import sys

from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Column, Table

from parity_tests.mutants import SHARES, look_for
from parity_tests.mutants.fault import FAULTS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m parity_tests.mutants", description=__doc__.partition(": ")[2])
    parser.add_argument("names", nargs="*", metavar="NAME", help="only the faults with this in their name")
    parser.add_argument("--profile", choices=sorted(SHARES), default="ci", help="how many cases to try")
    options = parser.parse_args()
    chosen = [
        fault for name, fault in FAULTS.items() if not options.names or any(part in name for part in options.names)
    ]
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 180)
    known = (Column(each, no_wrap=True) for each in ("fault", "kind", "found by", "cases", "s"))
    table = Table(*known, Column("what was seen", no_wrap=True, ratio=1), box=None, expand=True)
    missed = 0
    for fault in track(chosen, "planting", console=console, transient=True):
        verdict = look_for(fault, options.profile)
        missed += not verdict.by
        by, seconds = verdict.by or "[red]nothing[/]", f"{verdict.seconds:.2f}"
        seen = escape(verdict.message.partition("\n")[0])
        table.add_row(fault.name, fault.kind, by, str(verdict.cases), seconds, seen)
    console.print(table)
    console.print(f"{len(chosen) - missed} of {len(chosen)} planted faults found")
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
