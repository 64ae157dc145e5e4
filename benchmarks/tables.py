"""Sheets of results: one description, shown in the terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.table import Table
from rich.text import Text

MISSING = "–"  # noqa: RUF001 -- the dash of an empty cell
TIMES = "×"  # noqa: RUF001 -- the sign of a ratio


@dataclass(frozen=True)
class Sheet:
    """A table of texts.

    Attributes:
        title: what is measured.
        headings: of the columns.
        rows: as many texts each as there are headings.
        notes: sentences below.
        labels: how many columns at the left hold words, not numbers.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    labels: int = 1

    def rich(self) -> Group:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for index, heading in enumerate(self.headings):
            table.add_column(heading, justify="left" if index < self.labels else "right", no_wrap=True)
        for row in self.rows:
            table.add_row(*row)
        return Group(Text(self.title, style="italic"), table, *(Text(note, style="dim") for note in self.notes), "")

    def markdown(self) -> str:
        """The title in bold, the table, the notes."""
        rule = ["---" if index < self.labels else "--:" for index in range(len(self.headings))]
        lines = [f"**{self.title}**", ""]
        lines += [f"| {' | '.join(row)} |" for row in (self.headings, rule, *self.rows)]
        if self.notes:
            lines += ["", *(f"- {note}" for note in self.notes)]
        return "\n".join(lines) + "\n"


def seconds_text(seconds: float) -> str:
    """Three significant digits and the unit that suits."""
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1:
            return f"{_three_digits(seconds * scale)} {unit}"
    return f"{_three_digits(seconds * 1e9)} ns"


def times_text(ratio: float) -> str:
    return f"{ratio:.2f} {TIMES}" if ratio < 10 else f"{ratio:,.0f} {TIMES}"


def bytes_text(count: float) -> str:
    for unit, scale in (("MiB", 2**20), ("KiB", 2**10)):
        if count >= scale:
            return f"{_three_digits(count / scale)} {unit}"
    return f"{count:.0f} B"


def _three_digits(value: float) -> str:
    decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:,.{decimals}f}"
