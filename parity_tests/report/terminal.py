"""The scoreboard in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from parity_tests.report.summary import (
    Scoreboard,
    complaints,
    failing,
    failures,
    lacking,
    percent,
    totals,
)

MOST_FAILURES = 10
MOST_LACKING = 12


def show(console: Console, scoreboard: Scoreboard) -> None:
    """Print suites, planted faults, null control, the first failures and the verdict."""
    console.print(_suites(scoreboard))
    if wanted := lacking(scoreboard["suites"]):
        names = ", ".join(f"{name} ({count})" for name, count in wanted[:MOST_LACKING])
        console.print(f"unsupported: {escape(names)}{', ...' if len(wanted) > MOST_LACKING else ''}")
    if mutants := scoreboard["mutants"]:
        console.print(f"planted faults found: {mutants['found']} of {mutants['planted']}")
        for row in mutants["rows"]:
            if not row["found"]:
                console.print(f"  [red]not found[/] {row['name']}: {escape(row['description'])}", soft_wrap=True)
    if control := scoreboard["null_control"]:
        console.print(
            f"null control, torch against itself: {control['differences']} differences in {control['cases']:,} cases"
        )
    _show_failures(console, scoreboard)
    subject = f"{scoreboard['backend']} {scoreboard['backend_version']}".strip()
    against = f"{subject} against {scoreboard['reference']}, profile {scoreboard['profile']}"
    found = complaints(scoreboard)
    verdict = f"[bold red]{'; '.join(found)}[/]" if found else "[bold green]they agree[/]"
    console.print(f"{against}: {verdict}", soft_wrap=True)


def _suites(scoreboard: Scoreboard) -> Table:
    """A row a suite; its rate is that of one process, the rate of all is what the clock on the wall says."""
    suites = scoreboard["suites"]
    table = Table(box=None, pad_edge=False, header_style="bold", show_footer=True, footer_style="bold")
    total = totals(suites)
    table.add_column("suite", "all")
    for heading, footer in (
        ("cases", f"{total['cases']:,}"),
        ("passed", f"{total['passed']:,}"),
        ("differ", f"{total['failing']:,}"),
        ("unsupported", f"{total['unsupported']:,}"),
        ("xfail", f"{total['xfail']:,}"),
        ("bit for bit", percent(total["exact"], total["compared"])),
        ("cases/s", _rate(total["cases"], scoreboard["seconds"])),
    ):
        table.add_column(heading, footer, justify="right")
    for suite in suites:
        apart, outcomes = failing(suite), suite["outcomes"]
        table.add_row(
            suite["name"],
            f"{suite['cases']:,}",
            f"{outcomes.get('pass', 0):,}",
            f"[bold red]{', '.join(f'{count} {name}' for name, count in apart.items())}[/]" if apart else "0",
            f"{outcomes.get('unsupported', 0):,}",
            f"{outcomes.get('xfail', 0):,}",
            percent(suite["exact"], suite["compared"]),
            _rate(suite["cases"], suite["seconds"]),
        )
    return table


def _rate(cases: int, seconds: float) -> str:
    return f"{cases / seconds:,.0f}" if seconds else "-"


def _show_failures(console: Console, scoreboard: Scoreboard) -> None:
    found = list(failures(scoreboard))
    for _, failure in found[:MOST_FAILURES]:
        first_line = failure["message"].strip().partition("\n")[0]
        console.print(f"[red]{failure['outcome']:<9}[/] {escape(failure['test'])}", soft_wrap=True)
        console.print(f"          [dim]{escape(first_line)}[/]", soft_wrap=True)
    if len(found) > MOST_FAILURES:
        console.print(f"... and {len(found) - MOST_FAILURES} more in report.html")
