"""Two runs on the terminal: their outputs side by side, then what they cost."""

from __future__ import annotations

from textwrap import shorten

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from parity_tests.compare.outputs import NUMBER, Comparison, Row, relative_difference
from parity_tests.compare.processes import Run

CONTEXT = 3
MOST_ROWS = 60


def show(console: Console, left: Run, right: Run, comparison: Comparison, everything: bool = False) -> None:
    """Print the outputs side by side, the runs' figures and the verdict."""
    console.print(_side_by_side(left, right, comparison.rows, everything))
    console.print(_figures(left, right))
    for run in (left, right):
        if run.status:
            console.print(f"[bold]{run.framework}[/] ended with status {run.status}: {escape(run.last_words)}")
    console.print(verdict(left, right, comparison), soft_wrap=True)


def agree(left: Run, right: Run, comparison: Comparison) -> bool:
    """Whether both printed the same and ended alike, with the same exception if with any."""
    return comparison.agrees and (left.status, left.last_words) == (right.status, right.last_words)


def verdict(left: Run, right: Run, comparison: Comparison) -> Text:
    row = comparison.first
    largest = f"the largest relative difference of two numbers is {comparison.largest:.3g}"
    if agree(left, right, comparison):
        return Text.assemble(("The outputs agree", "bold green"), f"; {largest}.")
    if row is None:
        return Text.assemble(("The scripts end differently", "bold red"), "; what they printed agrees.")
    head = Text.assemble(("First difference", "bold red"), f" at line {row.left_line}")
    if not row.numbers:
        a, b = ("nothing" if line is None else shorten(line, 100) for line in (row.left, row.right))
        return head + Text(f": {left.framework} prints {a}, {right.framework} prints {b}.")
    index = row.numbers[0]
    a, b = (NUMBER.findall(line)[index] for line in (row.left or "", row.right or ""))
    relative = relative_difference(float(a), float(b))
    return head + Text(
        f", number {index + 1}: {left.framework} {a}, {right.framework} {b}; "
        f"relative difference {relative:.3g}; {largest}."
    )


def _side_by_side(left: Run, right: Run, rows: list[Row], everything: bool) -> Table:
    table = Table("", left.framework, "", right.framework, box=None, pad_edge=False, header_style="bold")
    table.columns[0].justify = "right"
    for column in (0, 2):
        table.columns[column].no_wrap = True
        table.columns[column].style = "dim"
    for column in (1, 3):
        table.columns[column].ratio = 1
        table.columns[column].overflow = "fold"
    shown = set(range(len(rows))) if everything else _worth_showing(rows)
    hidden = 0
    for index, row in enumerate(rows):
        if index not in shown:
            hidden += 1
            continue
        if hidden:
            table.add_row("", Text(f"… {hidden} lines …", "dim"), "", "")
            hidden = 0
        mark = " " if row.agrees else Text("≠", "bold red")
        cells = (_cell(line, row) for line in (row.left, row.right))
        table.add_row(str(row.left_line), next(cells), mark, next(cells))
    if hidden:
        table.add_row("", Text(f"… {hidden} lines …", "dim"), "", "")
    return table


def _worth_showing(rows: list[Row]) -> set[int]:
    """All of a short output; of a long one its ends and the surroundings of the first differences."""
    if len(rows) <= MOST_ROWS:
        return set(range(len(rows)))
    apart = [index for index, row in enumerate(rows) if not row.agrees]
    centres = [0, len(rows) - 1, *apart[: MOST_ROWS // (2 * CONTEXT)]]
    return {near for centre in centres for near in range(centre - CONTEXT, centre + CONTEXT + 1)}


def _cell(line: str | None, row: Row) -> Text:
    if line is None:
        return Text("(nothing)", "dim italic")
    text = Text(line)
    if not row.agrees and not row.numbers:
        text.stylize("red")
    for index, match in enumerate(NUMBER.finditer(line)):
        if index in row.numbers:
            text.stylize("dim red" if row.agrees else "bold red", *match.span())
    return text


def _figures(left: Run, right: Run) -> Table:
    table = Table("", left.framework, right.framework, "ratio", box=None, pad_edge=False, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"

    def add(name: str, a: float | None, b: float | None, scale: float, unit: str) -> None:
        texts = ("-" if x is None else f"{x / scale:,.2f} {unit}" for x in (a, b))
        table.add_row(name, *texts, f"{b / a:.2f}" if a and b is not None else "-")

    add("time, all told", left.seconds, right.seconds, 1, "s")
    add("import", left.import_seconds, right.import_seconds, 1, "s")
    add("peak memory", left.peak_memory, right.peak_memory, 2**20, "MiB")
    table.add_row("exit status", str(left.status), str(right.status), "")
    return table
