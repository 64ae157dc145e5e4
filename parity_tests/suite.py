"""A suite: cases, a check that holds two backends against one another on a case, and the search for a difference.

Runs under pytest (the fixture `hold`) and without it (`hunt`).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from parity_tests.backends import Backend
from parity_tests.backends.double import Double
from parity_tests.check import Difference, Disagreement, Outcome, Tally, current, tallying
from parity_tests.reproducible import draw_from_the_seed_alone

draw_from_the_seed_alone()

EXPECTED = Path(__file__).with_name("expected_failures.json")

Case = TypeVar("Case")
STEPS = 30  # of a state machine, in one case


@dataclass(frozen=True, slots=True)
class Arena:
    """The two that are held against one another, and the float64 reference that says who is nearer the truth."""

    reference: Backend
    subject: Backend
    double: Double


@dataclass(frozen=True, slots=True)
class Suite(Generic[Case]):
    """name, title: for reports.   examples: cases in the ci profile.
    cases:  a strategy; or, of a suite whose cases are what a state machine went through, the machine: given a function,
            a machine that hands each of its runs to it.
    check:  all differences on a case.   script: the case as a standalone program.
    encode, decode: a case to plain data and back, for the store of expected failures.
    reduce: a smaller case, given one and whether another one shows the same; None leaves it as Hypothesis shrank it.
    """

    name: str
    title: str
    cases: st.SearchStrategy[Case] | Callable[[Callable[[Case], None]], type[RuleBasedStateMachine]]
    check: Callable[[Case, Arena], list[Difference]]
    script: Callable[[Case], str]
    encode: Callable[[Case], Any]
    decode: Callable[[Any], Case]
    examples: int
    reduce: Callable[[Case, Callable[[Case], bool]], Case] | None = None

    def each(self, hold: Callable[[Case], None], options: settings, start: int | None) -> None:
        """Have Hypothesis call `hold` on so many cases.  start: the seed; None for another one each time."""
        if isinstance(self.cases, st.SearchStrategy):
            test = options(given(self.cases)(hold))
            (test if start is None else seed(start)(test))()
        else:
            machine = self.cases(hold)
            run_state_machine_as_test(machine if start is None else seed(start)(machine), settings=options)


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference that was found: by which suite, after how many cases."""

    suite: str
    cases: int
    seconds: float
    outcome: Outcome
    message: str
    script: str


@dataclass(frozen=True, slots=True)
class Expected:
    """An expected failure: the input that shows it, and what it looks like when it turns up in a search."""

    backend: str
    suite: str
    reason: str
    outcome: Outcome
    match: str
    case: Any

    def covers(self, differences: Iterable[Difference]) -> bool:
        """Whether the first difference, of which the others may be consequences, is this one."""
        first = next(iter(differences))
        return first.outcome == self.outcome and bool(re.search(self.match, str(first)))


def expected_failures(backend: str, suite: str) -> list[Expected]:
    """The entries of the store for a backend and a suite."""
    entries = json.loads(EXPECTED.read_text())
    found = (Expected(**{**entry, "outcome": Outcome(entry["outcome"])}) for entry in entries)
    return [each for each in found if (each.backend, each.suite) == (backend, suite)]


def settle(suite: Suite[Case], case: Case, arena: Arena, expected: Iterable[Expected] = ()) -> Outcome:
    """How a case ends: pass, xfail or unsupported.  Raises Disagreement for everything else."""
    __tracebackhide__ = True
    differences = suite.check(case, arena)
    if not differences:
        return Outcome.PASS
    if all(each.outcome == Outcome.UNSUPPORTED for each in differences):
        current().unsupported.update({each.message for each in differences})
        return Outcome.UNSUPPORTED
    if any(entry.covers(differences) for entry in expected):
        return Outcome.XFAIL
    disagreement = Disagreement(differences, suite.script(case))
    disagreement.case = case
    raise disagreement


def smallest(suite: Suite[Case], found: Disagreement, arena: Arena, known: Iterable[Expected] = ()) -> Disagreement:
    """The same disagreement on a smaller case: one that ends in the same outcome, for the same first reason, and not in what is
    known."""
    first = found.differences[0]

    def shows(case: Case) -> bool:
        differences = suite.check(case, arena)
        if not differences or differences[0].outcome != first.outcome:
            return False
        if any(entry.covers(differences) for entry in known):
            return False
        return first.outcome != Outcome.ERROR or differences[0].message == first.message

    if suite.reduce is None:
        return found
    case = suite.reduce(found.case, shows)
    smaller = Disagreement(suite.check(case, arena), suite.script(case))
    smaller.case = case
    return smaller


def replay(suite: Suite[Case], arena: Arena, expected: Iterable[Expected], tally: Tally) -> None:
    """Try every expected failure on its stored input.  One that passes is stale, and that is a failure."""
    __tracebackhide__ = True
    for entry in expected:
        differences = suite.check(suite.decode(entry.case), arena)
        if not differences or not entry.covers(differences):
            how = "; ".join(map(str, differences)) or "it passes now"
            message = f"stale entry in {EXPECTED.name} ({entry.reason}): {how}"
            raise Disagreement([Difference(Outcome.XPASS, suite.name, message)])
        tally.case(Outcome.XFAIL)


def search(
    suite: Suite[Case],
    arena: Arena,
    tally: Tally,
    *,
    examples: int,
    start: int | None = 0,
    shrink: bool = True,
    expected: Iterable[Expected] = (),
) -> None:
    """Hold the two against one another on so many cases.  Raises Disagreement with the smallest case that shows it.

    start: the seed; None for another one each time.
    """
    known = list(expected)

    __tracebackhide__ = True

    def hold(case: Case) -> None:
        __tracebackhide__ = True
        searching = not tally.failed
        with tallying(tally):
            try:
                outcome = settle(suite, case, arena, known)
            except Disagreement:
                tally.failed = True
                raise
        if searching and not tally.failed:
            tally.case(outcome)

    # What a machine went through is a list of concrete steps: taking steps out of it is quicker than walking anew.
    shrinks = shrink and isinstance(suite.cases, st.SearchStrategy)
    phases = [Phase.generate, Phase.shrink] if shrinks else [Phase.generate]
    options = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=phases,
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
        stateful_step_count=STEPS,
    )
    try:
        suite.each(hold, options, start)
    except Disagreement as found:
        if not shrink:
            raise
        raise smallest(suite, found, arena, known) from None


def hunt(arena: Arena, budget: int, suites: Iterable[Suite[Any]], *, shrink: bool = False) -> Finding | None:
    """The first difference that any of the suites finds within `budget` cases each; None if there is none."""
    begin, cases = time.perf_counter(), 0
    for suite in suites:
        tally = Tally()
        try:
            search(suite, arena, tally, examples=budget, shrink=shrink)
        except Disagreement as found:
            cases += tally.cases + 1
            message = "\n".join(map(str, found.differences))
            seconds = time.perf_counter() - begin
            return Finding(suite.name, cases, seconds, found.outcome, message, found.script)
        cases += tally.cases
    return None
