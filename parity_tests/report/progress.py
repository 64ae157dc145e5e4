"""Progress while pytest runs: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

SECONDS_BETWEEN_LINES = 10.0


class Meter:
    """Counts steps of one activity, visibly.

    Use as a context manager; `total` may be learnt later, `failing` is the word for steps that failed.
    """

    def __init__(self, console: Console, title: str, total: int | None = None, failing: str = "failing") -> None:
        self.console, self.title, self.total, self.done = console, title, total, 0
        self.failed, self.failing = 0, failing
        self._start = self._last_line = time.monotonic()
        self._bar: Progress | None = None
        self._task = TaskID(0)
        if console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("[red]{task.fields[failed]}[/][dim]{task.fields[text]}"),
                console=console,
                transient=True,
            )
            self._task = self._bar.add_task(title, total=total, text="", failed="")

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        else:
            self.console.print(f"{self.title} ...")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def expect(self, total: int) -> None:
        self.total = total
        if self._bar:
            self._bar.update(self._task, total=total)

    def step(self, text: str = "", failed: bool = False) -> None:
        """Count one step; `text` says what it was."""
        self.done += 1
        self.failed += failed
        failures = f"{self.failed} {self.failing}  " if self.failed else ""
        if self._bar:
            self._bar.update(self._task, advance=1, text=text, failed=failures)
            return
        now = time.monotonic()
        if now - self._last_line >= SECONDS_BETWEEN_LINES or self.done == self.total:
            self._last_line = now
            seconds = now - self._start
            self.console.print(f"  {self.done}/{self.total or '?'}  {seconds:.0f} s  {failures}{text}".rstrip())


class PytestMeter:
    """A pytest plugin that moves a meter; understands pytest-xdist."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if session.items:
            self.meter.expect(len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: Sequence[str]) -> None:
        self.meter.expect(len(ids))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or (report.when == "setup" and not report.passed):
            suite = Path(report.nodeid.partition("::")[0]).stem.removeprefix("test_")
            self.meter.step(suite, failed=report.failed)
