"""Comparing two results: pairs, tolerance, errors, outcomes.  Knows no framework and no test."""

from parity_tests.check.comparison import assert_same, compare
from parity_tests.check.errors import Raised, normalise
from parity_tests.check.outcome import Difference, Disagreement, Outcome
from parity_tests.check.snapshot import Snapshot, take
from parity_tests.check.tally import Tally, current, tallying
from parity_tests.check.tolerance import Derived, Exact, Normwise

__all__ = [
    "Derived",
    "Difference",
    "Disagreement",
    "Exact",
    "Normwise",
    "Outcome",
    "Raised",
    "Snapshot",
    "Tally",
    "assert_same",
    "compare",
    "current",
    "normalise",
    "take",
    "tallying",
]
