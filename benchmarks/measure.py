"""Processes that measure when they are asked, asked in turn; and the summing up of what they answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
REPEATS, LEAST_REPEATS = 12, 3  # within one answer
SETTLE = 0.05  # seconds after which the threads of the process asked before have stopped spinning
# By its environment every library can be told how many threads to use: ours and NumPy's OpenBLAS, torch's MKL and OpenMP,
# JAX's pool, tinygrad's workers.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC", "NUM_CPU_THREADS")


@dataclass(frozen=True)
class Settings:
    """How long and at what to measure.

    Attributes:
        rounds: how often each process is asked.
        seconds: about how long it measures each time.
        threads: the numbers of threads to measure training steps with.
        only: sections, workloads or ops to keep to; all when empty.
    """

    rounds: int = 5
    seconds: float = 0.25
    threads: tuple[int, ...] = (1, 2)
    only: frozenset[str] = frozenset()

    def chosen(self, section: str, names: Iterable[str]) -> list[str]:
        """Those of a section's names that are to be measured: all of them if the section itself is named."""
        return [name for name in names if not self.only or section in self.only or name in self.only]


@dataclass(frozen=True)
class Figure:
    """One measured quantity: the median of the rounds and their range."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        return cls(median(values), min(values), max(values))

    @classmethod
    def ratio(cls, values: Sequence[float], base: Sequence[float]) -> Figure:
        """Of two series taken in the same rounds: each round's own ratio, so that a slow round cancels out."""
        return cls.of([value / other for value, other in zip(values, base, strict=True)])


def environment(threads: int = 1) -> dict[str, str]:
    """Ours, a number of threads for everybody, and bytecode on disk: installed packages have theirs from pip."""
    return {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads)), "PYTHONDONTWRITEBYTECODE": ""}


class WorkerError(Exception):
    """A worker's process ended; the message is the end of what it wrote."""


class Worker:
    """`python -m module arguments`, a process that answers each request with a measurement; see `serve`."""

    def __init__(self, module: str, *arguments: str, threads: int = 1) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- closed by close()
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=environment(threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def ask(self, request: Any = None) -> Any:
        """Raises WorkerError where there is no answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the reason follows
        answer = self._process.stdout.readline()
        if not answer:
            self._process.wait()
            self._errors.seek(0)
            lines = self._errors.read().strip().splitlines() or [f"exit status {self._process.returncode}"]
            raise WorkerError(lines[-1])
        return json.loads(answer)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def running(module: str, arguments: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Worker]]:
    """A worker `python -m module arguments` for every name, ended with the context."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(Worker(module, *its)) for name, its in arguments.items()}


def serve(answer: Callable[[Any], Any]) -> None:
    """Answer requests until there are no more. What libraries print meanwhile goes to standard error."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line))), file=answers, flush=True)


def interleave(workers: Mapping[str, Worker], rounds: int, request: Any) -> dict[str, list[Any]]:
    """Every worker's answers to the same request, asked in turn, `rounds` times."""
    answers: dict[str, list[Any]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, worker in workers.items():
            time.sleep(SETTLE)
            answers[name].append(worker.ask(request))
    return answers


def interleave_fresh(
    module: str, arguments: Mapping[str, Sequence[str]], rounds: int, request: Any = None
) -> dict[str, list[Any]]:
    """As `interleave`, with a new process `python -m module arguments` for every answer."""
    answers: dict[str, list[Any]] = {name: [] for name in arguments}
    for _ in range(rounds):
        for name, its in arguments.items():
            with Worker(module, *its) as worker:
                answers[name].append(worker.ask(request))
    return answers


def seconds_per_call(call: Callable[[], object] | str, seconds: float, names: dict[str, Any] | None = None) -> float:
    """The best of several repeats that take about `seconds` together.

    The garbage collector stays on, unlike in `timeit` as it comes: whoever makes garbage pays for it in earnest.
    """
    timer = timeit.Timer(call, setup="import gc; gc.enable()", globals=names)
    each, number = seconds / REPEATS, 1
    while (taken := timer.timeit(number)) < each / 4:
        number *= 4
    per_call = taken / number
    number = max(1, round(each / per_call))
    repeats = max(LEAST_REPEATS, min(REPEATS, round(seconds / (number * per_call))))
    return min(timer.repeat(repeats, number)) / number
