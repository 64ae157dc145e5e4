"""Counting: how many cases ran, how many arrays were compared, how many of them were equal bit for bit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from parity_tests.check.outcome import Outcome


@dataclass(slots=True)
class Tally:
    """What one test, one suite or one run has seen.  Tallies add up."""

    cases: int = 0
    compared: int = 0
    exact: int = 0
    failed: bool = False  # a difference was found; what runs after it is shrinking, and not counted
    set_apart: int = 0  # arrays in which an element sits on a kink
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    unsupported: Counter[str] = field(default_factory=Counter)

    def case(self, outcome: Outcome) -> None:
        """One more case, and how it ended."""
        self.cases += 1
        self.outcomes[outcome] += 1

    def pair(self, *, exact: bool) -> None:
        """One more array compared; whether it was the same bits."""
        if not self.failed:
            self.compared += 1
            self.exact += exact

    def add(self, other: Tally) -> None:
        self.cases += other.cases
        self.compared += other.compared
        self.exact += other.exact
        self.set_apart += other.set_apart
        self.outcomes += other.outcomes
        self.unsupported += other.unsupported

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON and for the way from a test process to the one that reports."""
        return {
            "cases": self.cases,
            "exact": self.exact,
            "compared": self.compared,
            "set_apart": self.set_apart,
            "outcomes": {str(outcome): self.outcomes[outcome] for outcome in Outcome},
            "unsupported": dict(self.unsupported),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Tally:
        outcomes = Counter({Outcome(name): count for name, count in data["outcomes"].items() if count})
        numbers = {name: data[name] for name in ("cases", "compared", "exact", "set_apart")}
        return cls(**numbers, outcomes=outcomes, unsupported=Counter(data["unsupported"]))


_current: ContextVar[Tally] = ContextVar("parity_tally")


def current() -> Tally:
    """The tally that comparisons count into: the innermost `tallying`, or one that nobody reads."""
    return _current.get(None) or Tally()


@contextmanager
def tallying(tally: Tally) -> Iterator[Tally]:
    """Within, comparisons count into `tally`."""
    token = _current.set(tally)
    try:
        yield tally
    finally:
        _current.reset(token)
