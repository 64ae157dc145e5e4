"""The instrument's verdict on a system: its engines, or the framework, on random graphs against torch."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from parity_tests.backends import TorchLike
from parity_tests.backends.double import Double
from parity_tests.cases.catalogue import OPS
from parity_tests.cases.program import Program
from parity_tests.cases.script import script
from parity_tests.check import Disagreement, Outcome, Tally
from parity_tests.searches import SMOOTH, WHOLE, check_program
from parity_tests.suite import Arena, Suite, search

from .trial import convict, programs


@dataclass(slots=True)
class Verdict:
    """How a backend stands.

    differences: for each fault that was found, what differs, and a standalone program that shows it.
    guilty:      whether it is known to be wrong, and is here to be found out.
    """

    name: str
    ops: str
    tally: Tally
    seconds: float
    guilty: bool = False
    reference: str = ""
    differences: list[tuple[str, str]] = field(default_factory=list)

    @property
    def as_expected(self) -> bool:
        """An honest engine agrees with torch; a faulty one is found out."""
        return bool(self.differences) == self.guilty

    @property
    def text(self) -> str:
        """The verdict in a few words."""
        if self.guilty:
            return f"{len(self.differences)} faults found out"
        return f"parts from torch, {len(self.differences)} ways" if self.differences else "agrees with torch"


def verdicts(system: str, cases: int) -> Iterator[Verdict]:
    """A verdict on every backend of a system, from about so many graphs of each kind."""
    module = f"{__package__}.{system}.backend"
    reference = f"torch {version('torch').partition('+')[0]}"
    if find_spec(module) is None:  # no engine of its own: it is written for the framework
        yield _judged(TorchLike("minitorch_like"), [SMOOTH, WHOLE], cases, reference)
        return
    for name, backend in vars(importlib.import_module(module)).items():
        if name.isupper() and hasattr(backend, "snapshot"):
            if name == "FAULTY":
                yield _convicted(backend, cases, reference)
            else:
                yield _judged(backend, [_suite(backend, kind) for kind in ("smooth", "whole")], cases, reference)


def _suite(backend: Any, kind: str) -> Suite[Program]:
    """Graphs of the ops that an engine declares; of small integers, those that need not round."""
    names = [name for name in backend.ops if name in OPS and (kind == "smooth" or OPS[name].exact)]
    cases = programs(backend, names, kind).filter(
        lambda program: bool(program.steps) and all(backend.supports(step.op, step.kwargs) for step in program.steps)
    )
    return Suite(kind, "", cases, check_program, script, Program.as_dict, Program.from_dict, 0)


def _judged(backend: Any, suites: list[Suite[Program]], cases: int, reference: str) -> Verdict:
    import torch

    arena = Arena(TorchLike(torch), backend, Double(torch))
    verdict = Verdict(backend.name, _ops(backend), Tally(), 0.0, reference=reference)
    start = time.perf_counter()
    for suite in suites:
        try:
            search(suite, arena, verdict.tally, examples=cases)
        except Disagreement as found:
            verdict.tally.case(found.outcome)
            verdict.differences.append(("\n".join(map(str, found.differences)), found.script))
    verdict.seconds = time.perf_counter() - start
    return verdict


def _convicted(backend: Any, cases: int, reference: str) -> Verdict:
    start = time.perf_counter()
    found = convict(backend, cases)
    tally = Tally()
    for each in found:
        tally.case(max((difference.outcome for difference in each.differences), key=list(Outcome).index))
    shown = [(f"{' '.join(each.ops)}: " + "\n".join(map(str, each.differences)), each.script) for each in found]
    return Verdict(backend.name, _ops(backend), tally, time.perf_counter() - start, True, reference, shown)


def _ops(backend: Any) -> str:
    return ", ".join(sorted(backend.ops)) if hasattr(backend, "ops") else f"all {len(OPS)} ops of the catalogue"
