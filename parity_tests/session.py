"""One run of the instrument: pytest over the suites, then the planted faults."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import cast

import pytest
from rich.console import Console

from parity_tests.report import summary
from parity_tests.report.progress import Meter, PytestMeter
from parity_tests.report.summary import Mutants, Scoreboard


def run_suites(
    console: Console, suites: Sequence[str], backend: str, profile: str, workers: str, out: Path
) -> Scoreboard | None:
    """Run the suites, or those named; pytest's own output goes to `out`/pytest.log.

    None when pytest could not finish, or failed where no suite accounts for it.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # one thread a process: the workers fill the cores
    record = out / "report.json"
    record.unlink(missing_ok=True)
    arguments = [
        # Named here as well as in pyproject.toml, which an installed package has not.
        "-pparity_tests.plugin",
        "-pno:cacheprovider",
        str(Path(__file__).parent / "suites"),
        *(f"--suite={name}" for name in suites),
        f"--backend={backend}",
        f"--parity-profile={profile}",
        f"--scoreboard={record}",
        f"--junitxml={out / 'junit.xml'}",
        f"--numprocesses={workers}",
    ]
    with (
        (out / "pytest.log").open("w") as log,
        Meter(console, f"{backend} against torch") as meter,
        contextlib.redirect_stdout(log),
        contextlib.redirect_stderr(log),
    ):
        status = pytest.main(arguments, plugins=[PytestMeter(meter)])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) or not record.exists():
        return None
    board = summary.read(record)
    if status == pytest.ExitCode.TESTS_FAILED and not summary.complaints(board):
        return None
    board["environment"] = environment()
    return board


def run_mutants(console: Console, profile: str) -> Mutants:
    """Plant every fault in turn and look for it."""
    from parity_tests import mutants

    with Meter(console, "planted faults", failing="not found") as meter:
        return cast(Mutants, mutants.run(profile, meter))


def environment() -> dict[str, str]:
    """What a reader needs to know to see the same numbers."""
    versions = {name: version(name) for name in ("torch", "numpy", "hypothesis", "pytest")}
    return {
        "Python": platform.python_version(),
        **versions,
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "command": " ".join(["python -m parity_tests", *sys.argv[1:]]),
    }
