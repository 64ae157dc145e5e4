"""Looking for a planted fault with the instrument's own cases and checks: nothing is made for the fault."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, settings

from parity_tests.mutants.fault import Fault
from parity_tests.suite import STEPS, Arena, Suite

Case = TypeVar("Case")
PARTS, TURNS = 4, 24


@dataclass(slots=True)
class Sample(Generic[Case]):
    """Cases of a suite, drawn once and tried on every fault.

    spoilt: numbers of cases on which the framework differs as it is; they convict no fault.
    """

    suite: Suite[Case]
    cases: list[Case]
    spoilt: set[int] = field(default_factory=set)


def draw(suite: Suite[Case], count: int) -> Sample[Case]:
    """So many of the cases that the suite tries, in the parts that it tries them in."""
    cases: list[Case] = []
    options = settings(
        max_examples=max(1, count // PARTS),
        database=None,
        deadline=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
        stateful_step_count=STEPS,
    )
    for part in range(PARTS):
        suite.each(lambda case: cases.append(case), options, part)  # noqa: PLW0108  no builtin, please
    return Sample(suite, cases)


@dataclass(frozen=True, slots=True)
class Verdict:
    """by: the suite that found the fault, '' if none did.   cases: how many it took.   message: what was seen."""

    by: str
    cases: int
    seconds: float
    message: str


def hunt(fault: Fault, arena: Arena, groups: Iterable[Sequence[Sample[Any]]]) -> Verdict:
    """Try one group of samples after the other on the faulty framework, up to the first case that shows the fault.

    Such a case differs with the fault and agrees without: a difference that is there anyway is no discovery.
    """
    begin, tried = time.perf_counter(), 0
    for sample, number in _in_turns(groups):
        suite, case = sample.suite, sample.cases[number]
        tried += 1
        with fault.planted():
            differences = suite.check(case, arena)
        if not differences:
            continue
        if suite.check(case, arena):
            sample.spoilt.add(number)
            continue
        return Verdict(suite.name, tried, time.perf_counter() - begin, str(differences[0]))
    return Verdict("", tried, time.perf_counter() - begin, "")


def _in_turns(groups: Iterable[Sequence[Sample[Any]]]) -> Iterator[tuple[Sample[Any], int]]:
    """The suites of a group take turns with a part of their cases each: no one knows which of them will see it."""
    for group in groups:
        for turn in range(TURNS):
            for sample in group:
                for number in range(turn, len(sample.cases), TURNS):
                    if number not in sample.spoilt:
                        yield sample, number
