"""Planted faults: is the instrument able to fail?

Every fault is planted in `minitorch_like` at run time, and the instrument's ordinary suites are let loose on it with
the cases that they try in continuous integration.  A fault that they do not find is a hole in the instrument.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from typing import Any, Protocol

from parity_tests.backends.double import Double
from parity_tests.backends.torch_like import TorchLike
from parity_tests.mutants import derivatives, engine, errors, kernels, layers, saved, state, training
from parity_tests.mutants.fault import FAULTS, Fault
from parity_tests.mutants.hunting import Sample, Verdict, draw, hunt
from parity_tests.searches import LAYERS, MLPS, SAVED, SUITES, TWINS
from parity_tests.suite import Arena, Suite

# Never less than in continuous integration: that a short search does not find a fault says nothing.
SHARES = {"dev": 1.0, "ci": 1.0, "deep": 4.0}


class Progress(Protocol):
    """What is told how far it is."""

    def expect(self, total: int) -> None: ...

    def step(self, text: str = "", failed: bool = False) -> None: ...


def run(profile: str = "ci", progress: Progress | None = None, workers: int | None = None) -> dict[str, Any]:
    """Plant every fault in turn: how many were planted and found, and a row for each.  Part of the scoreboard.

    profile: how many cases to try, as a share of those that the suites run in continuous integration.
    workers: how many processes share the work, as many as there are processors if not said.
    """
    if progress:
        progress.expect(len(FAULTS))
    rows = []
    for fault, verdict in zip(FAULTS.values(), _verdicts(profile, workers or os.cpu_count() or 1), strict=True):
        rows.append(row(fault, verdict))
        if progress:
            progress.step(fault.name, failed=not verdict.by)
    return {"planted": len(rows), "found": sum(each["found"] for each in rows), "rows": rows}


def _verdicts(profile: str, workers: int) -> Iterator[Verdict]:
    if workers == 1:
        yield from (look_for(fault, profile) for fault in FAULTS.values())
        return
    # Not forked: torch may have threads by now.
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from pool.map(_look_for_name, FAULTS, repeat(profile))


def _look_for_name(name: str, profile: str) -> Verdict:
    return look_for(FAULTS[name], profile)


def row(fault: Fault, verdict: Verdict) -> dict[str, Any]:
    """One fault, for the scoreboard."""
    return {
        "name": fault.name,
        "kind": fault.kind,
        "description": fault.description,
        "found": bool(verdict.by),
        "by": verdict.by,
        "cases": verdict.cases,
        "seconds": round(verdict.seconds, 3),
    }


def look_for(fault: Fault, profile: str = "ci") -> Verdict:
    """Whether the suites find the fault.  Those made for a kind of faults come first for these, and last for others."""
    apart: dict[str, Sequence[Suite[Any]]] = {
        training.__name__: (MLPS,),
        layers.__name__: (LAYERS,),
        state.__name__: (TWINS,),
        saved.__name__: (SAVED,),
    }
    others = tuple(suite for suite in SUITES if suite not in (MLPS, LAYERS, TWINS, SAVED))
    first = apart.pop(fault.faulty.__module__, ())
    order = (first, others, *apart.values())

    def groups() -> Iterator[list[Sample[Any]]]:
        for group in order:
            yield [sample(SUITES.index(suite), profile) for suite in group]

    return hunt(fault, arena(), groups())


@functools.cache
def sample(suite: int, profile: str) -> Sample[Any]:
    """The cases of a suite, by its number in SUITES."""
    return draw(SUITES[suite], max(1, round(SHARES[profile] * SUITES[suite].examples)))


@functools.cache
def arena() -> Arena:
    """torch against minitorch_like."""
    import torch

    torch.set_num_threads(1)
    return Arena(TorchLike(torch), TorchLike("minitorch_like"), Double(torch))
