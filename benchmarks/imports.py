"""How long an import takes and how much memory the process then holds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import resident
from benchmarks.measure import ROOT, Figure, Settings, WorkerError, environment
from benchmarks.tables import MISSING, Sheet, bytes_text, seconds_text

NAMES = ("torch", "minitorch_like", "numpy")
# A bare interpreter: whatever else it had imported would be missing from the figures. It waits until it has been looked at.
PROGRAM = """
import importlib, sys, time
started = time.perf_counter()
importlib.import_module(sys.argv[1])
print(time.perf_counter() - started, flush=True)
sys.stdin.read()
"""


def import_once(module: str) -> dict[str, float]:
    """Seconds, and peak resident bytes where they can be told."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, module],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        answer = process.stdout.readline()
        if not answer:
            raise WorkerError(f"{module} cannot be imported")
        record = {"seconds": float(answer)}
        if resident.AVAILABLE:
            record["memory"] = resident.peak(process.pid)
        process.communicate()
    return record


def measure(settings: Settings, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """Seconds and peak resident bytes; NumPy alone is the floor under ours."""
    names = settings.chosen("imports", NAMES)
    if not names:
        return []
    tell("imports")
    for name in names:
        import_once(name)  # the first read from disk is not what is measured
    answers: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(settings.rounds):
        for name in names:
            answers[name].append(import_once(name))
    return [
        {"module": name, **{key: Figure.of([each[key] for each in taken]) for key in taken[0]}}
        for name, taken in answers.items()
    ]


def sheets(records: Sequence[dict[str, Any]]) -> list[Sheet]:
    rows = [
        [
            f"`import {each['module']}`",
            seconds_text(each["seconds"]["median"]),
            bytes_text(each["memory"]["median"]) if "memory" in each else MISSING,
        ]
        for each in records
    ]
    return [Sheet("Import", ["", "time", "resident memory"], rows)] if rows else []
