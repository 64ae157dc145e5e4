"""The shape of the scoreboard's JSON, and the sums and verdicts that every report draws from it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NotRequired, TypedDict

FAILING = ("value", "grad", "dtype", "shape", "metadata", "error", "xpass")
"""The outcomes that fail a run. `unsupported` does not, but it never counts as passed either."""


class Failure(TypedDict):
    outcome: str
    test: str
    message: str
    script: str


class Suite(TypedDict):
    name: str
    title: str
    cases: int
    exact: int
    compared: int
    set_apart: int
    """Arrays with an element on a kink, where the derivative jumps."""
    seconds: float
    outcomes: dict[str, int]
    unsupported: dict[str, int]
    """What the candidate lacks, and how many cases wanted it."""
    failures: list[Failure]


class Mutant(TypedDict):
    name: str
    kind: str
    description: str
    found: bool
    by: str | None
    cases: int
    seconds: float


class Mutants(TypedDict):
    planted: int
    found: int
    rows: list[Mutant]


class NullControl(TypedDict):
    cases: int
    differences: int
    seconds: float


class Scoreboard(TypedDict):
    backend: str
    backend_version: str
    reference: str
    profile: str
    started: str
    seconds: float
    suites: list[Suite]
    mutants: Mutants | None
    null_control: NullControl | None
    environment: NotRequired[dict[str, str]]


class Totals(TypedDict):
    cases: int
    passed: int
    failing: int
    unsupported: int
    xfail: int
    exact: int
    compared: int
    seconds: float


def read(path: Path) -> Scoreboard:
    """Raises OSError if there is no such file, ValueError if it holds no JSON."""
    scoreboard: Scoreboard = json.loads(path.read_text())
    return scoreboard


def write(scoreboard: Scoreboard, path: Path) -> None:
    path.write_text(json.dumps(scoreboard, indent=1, ensure_ascii=False) + "\n")


def failing(suite: Suite) -> dict[str, int]:
    """How often each failing outcome occurred, those that did."""
    return {name: suite["outcomes"][name] for name in FAILING if suite["outcomes"].get(name)}


def failures(scoreboard: Scoreboard) -> Iterator[tuple[Suite, Failure]]:
    for suite in scoreboard["suites"]:
        for failure in suite["failures"]:
            yield suite, failure


def lacking(suites: list[Suite]) -> list[tuple[str, int]]:
    """What the candidate lacks, the most wanted first."""
    count: Counter[str] = Counter()
    for suite in suites:
        count.update(suite["unsupported"])
    return count.most_common()


def totals(suites: list[Suite]) -> Totals:
    def outcome(name: str) -> int:
        return sum(suite["outcomes"].get(name, 0) for suite in suites)

    return {
        "cases": sum(suite["cases"] for suite in suites),
        "passed": outcome("pass"),
        "failing": sum(map(outcome, FAILING)),
        "unsupported": outcome("unsupported"),
        "xfail": outcome("xfail"),
        "exact": sum(suite["exact"] for suite in suites),
        "compared": sum(suite["compared"] for suite in suites),
        "seconds": sum(suite["seconds"] for suite in suites),
    }


def complaints(scoreboard: Scoreboard) -> list[str]:
    """Why this run does not count as agreement, in words; empty when it does."""
    found = []
    if not totals(scoreboard["suites"])["passed"]:
        found.append("no case passed")
    if count := totals(scoreboard["suites"])["failing"]:
        found.append(_differences(count))
    mutants, control = scoreboard["mutants"], scoreboard["null_control"]
    if mutants and (missed := mutants["planted"] - mutants["found"]):
        found.append(f"{missed} of {mutants['planted']} planted faults not found")
    if control and (count := control["differences"]):
        found.append(f"{_differences(count)} of torch from itself")
    return found


def _differences(count: int) -> str:
    return f"{count:,} {'difference' if count == 1 else 'differences'}"


def percent(part: int, whole: int) -> str:
    """A share that is shown as 100 % only when it is all; '-' of nothing."""
    if not whole:
        return "-"
    return "100 %" if part == whole else f"{min(99.99, 100 * part / whole):.2f} %"
