"""Two texts, line by line and number by number."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

NUMBER = re.compile(r"(?<![\w.])[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf)(?!\w)")


@dataclass(frozen=True, slots=True)
class Row:
    """Two lines that stand side by side, either of which may be absent.

    `numbers` are the positions (from 0, counting the numbers in the line) at which two otherwise equal lines
    differ; it is empty where the lines agree and where their words differ.
    """

    left: str | None
    right: str | None
    left_line: int
    agrees: bool
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    rows: list[Row]
    largest: float
    """The largest relative difference between two numbers that correspond."""

    @property
    def agrees(self) -> bool:
        return all(row.agrees for row in self.rows)

    @property
    def first(self) -> Row | None:
        """The first row that does not agree."""
        return next((row for row in self.rows if not row.agrees), None)


def numbers(line: str) -> list[float]:
    return [float(match) for match in NUMBER.findall(line)]


def words(line: str) -> str:
    """The line without its numbers, blanks run together: what must agree before numbers are compared."""
    return " ".join(NUMBER.sub("#", line).split())


def relative_difference(left: float, right: float) -> float:
    """|left - right| relative to the larger; NaN agrees with NaN and an infinity with itself."""
    if left == right or (math.isnan(left) and math.isnan(right)):
        return 0.0
    if not (math.isfinite(left) and math.isfinite(right)):
        return math.inf
    return abs(left - right) / max(abs(left), abs(right))


def compare_texts(left: str, right: str, rtol: float = 0.0, atol: float = 0.0) -> Comparison:
    """Align two texts and compare them.

    Without a tolerance lines agree when they are the same text. With one they agree when their words do and
    every number differs by at most `atol`, or `rtol` times the larger magnitude.
    """
    rows: list[Row] = []
    largest = 0.0
    for a, b, line in _aligned(left.splitlines(), right.splitlines()):
        if a is None or b is None or words(a) != words(b):
            rows.append(Row(a, b, line, agrees=a == b))
            continue
        pairs = list(zip(numbers(a), numbers(b), strict=True))
        largest = max([largest, *(relative_difference(x, y) for x, y in pairs)])
        apart = tuple(
            index for index, (x, y) in enumerate(pairs) if relative_difference(x, y) > rtol and not abs(x - y) <= atol
        )
        exact = not rtol and not atol
        rows.append(Row(a, b, line, agrees=a == b if exact else not apart, numbers=apart))
    return Comparison(rows, largest)


def _aligned(left: list[str], right: list[str]) -> Iterator[tuple[str | None, str | None, int]]:
    """Pairs of lines in order, with the number of the left line; words decide what corresponds."""
    matcher = SequenceMatcher(None, [words(line) for line in left], [words(line) for line in right], False)
    for _, start, end, other_start, other_end in matcher.get_opcodes():
        for offset in range(max(end - start, other_end - other_start)):
            i, j = start + offset, other_start + offset
            yield (
                left[i] if i < end else None,
                right[j] if j < other_end else None,
                min(i, end) + 1,
            )
