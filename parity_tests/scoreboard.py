"""The scoreboard of a run: what was tested, how many cases, how exact, what differs.  Written as JSON."""

from __future__ import annotations

import importlib.metadata
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from parity_tests.check import Tally

# The suite that runs torch against itself has a place of its own.
NULL_CONTROL = "null_control"


@dataclass(slots=True)
class Row:
    """One suite."""

    title: str
    tally: Tally = field(default_factory=Tally)
    seconds: float = 0.0
    failures: list[dict[str, str]] = field(default_factory=list)


class Scoreboard:
    """Adds up reports of tests; a report may come from another process."""

    def __init__(self, backend: str, profile: str) -> None:
        self.backend, self.profile = backend, profile
        self.started = datetime.now(UTC)
        self._start = time.perf_counter()
        self.rows: dict[str, Row] = {}

    def record(self, test: str, seconds: float, data: dict[str, Any]) -> None:
        """Add what one test has reported: its suite, its tally, its failure if it failed."""
        row = self.rows.setdefault(data["name"], Row(data["title"]))
        row.tally.add(Tally.from_dict(data["tally"]))
        row.seconds += seconds
        if data["failure"]:
            row.failures.append({"test": test, **data["failure"]})

    def as_dict(self) -> dict[str, Any]:
        suites = [
            {
                "name": name,
                "title": row.title,
                **row.tally.as_dict(),
                "seconds": round(row.seconds, 3),
                "failures": row.failures,
            }
            for name, row in sorted(self.rows.items())
            if name != NULL_CONTROL
        ]
        return {
            "backend": self.backend,
            "backend_version": version(self.backend),
            "reference": f"torch {version('torch')}",
            "profile": self.profile,
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - self._start, 3),
            "suites": suites,
            "mutants": None,
            "null_control": self._null_control(),
        }

    def write(self, path: str) -> None:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(self.as_dict(), indent=2) + "\n")

    def lines(self) -> Iterator[str]:
        """A few words for the terminal."""
        total = Tally()
        for row in self.rows.values():
            total.add(row.tally)
        if not total.compared:
            return
        exact = 100 * total.exact / total.compared
        yield f"parity: {total.cases} cases, {total.compared} arrays compared, {exact:.2f} % equal bit for bit"
        if total.set_apart:
            yield f"parity: {total.set_apart} arrays set apart, for they sit on a kink"
        for what, count in total.unsupported.most_common():
            yield f"parity: unsupported, not passed: {what} ({count} cases)"

    def _null_control(self) -> dict[str, Any] | None:
        row = self.rows.get(NULL_CONTROL)
        if row is None:
            return None
        return {"cases": row.tally.cases, "differences": len(row.failures), "seconds": round(row.seconds, 3)}


def version(module: str) -> str:
    """The version of an importable module's distribution, or what the module says of itself."""
    module = module.partition(":")[0]
    try:
        return importlib.metadata.version(module).partition("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return str(getattr(importlib.import_module(module), "__version__", "unknown"))
