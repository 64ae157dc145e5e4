"""Run every system and write the gallery: python -m examples [--out gallery.html] [system ...]"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from parity_tests.report.progress import Meter

from .gallery import exhibit, render, systems


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 all is well, 1 an example broke or an engine parts from torch."""
    parser = argparse.ArgumentParser(prog="python -m examples", description=__doc__)
    parser.add_argument("system", nargs="*", help=f"only these: {', '.join(systems())}")
    parser.add_argument("--out", type=Path, default=Path("gallery.html"), help="the page (default: gallery.html)")
    parser.add_argument(
        "--cases", type=int, default=60, help="random graphs of each kind for each engine; 0 leaves the instrument out"
    )
    options = parser.parse_args(arguments)
    unknown = set(options.system) - set(systems())
    if unknown:
        parser.error(f"there is no system {', '.join(sorted(unknown))}; there are {', '.join(systems())}")
    console = Console(highlight=False)
    names = options.system or systems()
    exhibits = []
    with Meter(console, "examples", len(names)) as meter:
        for name in names:
            exhibits.append(exhibit(name, options.cases))
            meter.step(name, failed=not exhibits[-1].ok)
    for each in exhibits:
        engines = "; ".join(f"{verdict.name}: {verdict.text}" for verdict in each.verdicts)
        verdict = "ok    " if each.ok else "FAILED"
        console.print(f"{verdict} {each.name:16} {each.seconds:5.1f} s  {engines}", soft_wrap=True)
        if each.error:
            console.print(each.error, markup=False)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(render(exhibits), encoding="utf-8")
    console.print(f"the gallery: {options.out}")
    return 0 if all(each.ok for each in exhibits) else 1


if __name__ == "__main__":
    sys.exit(main())
