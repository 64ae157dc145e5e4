"""The commands. Heavy imports wait until a command needs them."""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

AGREE, DIFFER, BROKEN = 0, 1, 2


class Profile(StrEnum):
    ci = "ci"
    deep = "deep"
    dev = "dev"


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    backend: Annotated[str, typer.Option(help="The module to hold against torch.")] = "minitorch_like",
    profile: Annotated[Profile, typer.Option(help="How many cases, and which.")] = Profile.ci,
    suite: Annotated[list[str] | None, typer.Option(help="Only this suite; may be repeated.")] = None,
    out: Annotated[Path, typer.Option(file_okay=False, help="Where the reports go.")] = Path("parity-report"),
    mutants: Annotated[
        bool | None,
        typer.Option(help="Plant faults and see that they are found; done unless --suite is given."),
    ] = None,
    workers: Annotated[str, typer.Option(help="How many processes.")] = "auto",
) -> None:
    """Hold a framework against torch: run the suites, show the scoreboard, write report.html and report.json.

    Exit status: 0 they agree, 1 they differ, 2 it could not run.
    """
    if context.invoked_subcommand is not None:
        return
    from parity_tests.report import page, summary, terminal
    from parity_tests.session import run_mutants, run_suites

    if unknown := sorted({*(suite or ())} - (known := _suites())):
        _fail(f"there is no suite {unknown[0]!r}; there are {', '.join(sorted(known))}")
    for framework in ("torch", backend):
        _require(framework)
        try:
            importlib.import_module(framework)
        except Exception as error:  # noqa: BLE001 (whatever the candidate raises, there is nothing to test)
            _fail(f"{framework} cannot be imported: {type(error).__name__}: {error}")
    console = _console()
    out.mkdir(parents=True, exist_ok=True)
    board = run_suites(console, suite or (), backend, profile.value, workers, out)
    if board is None:
        _fail(f"pytest broke off; its output is in {out / 'pytest.log'}")
    if mutants or (mutants is None and not suite):
        board["mutants"] = run_mutants(console, profile.value)
    summary.write(board, out / "report.json")
    (out / "report.html").write_text(page.render(board))
    terminal.show(console, board)
    console.print(f"[dim]reports: {out}/report.html, report.json, junit.xml[/]", soft_wrap=True)
    raise typer.Exit(DIFFER if summary.complaints(board) else AGREE)


def _suites() -> set[str]:
    """The names that a suite goes by: its own, and that of the file it is run from."""
    from parity_tests.searches import SUITES

    files = (Path(__file__).parent / "suites").glob("test_*.py")
    return {suite.name for suite in SUITES} | {file.stem.removeprefix("test_") for file in files}


@app.command(context_settings={"allow_interspersed_args": False})
def compare(
    script: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Imports torch, or the backend.")],
    args: Annotated[list[str] | None, typer.Argument(help="Its own arguments.")] = None,
    backend: Annotated[str, typer.Option(help="The module that stands in for torch.")] = "minitorch_like",
    rtol: Annotated[float, typer.Option(min=0, help="Relative difference that two numbers may have.")] = 0.0,
    atol: Annotated[float, typer.Option(min=0, help="Absolute difference that two numbers may have.")] = 0.0,
    timeout: Annotated[float | None, typer.Option(min=0, help="Seconds that one run may take.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show every line of a long output.")] = False,
) -> None:
    """Run an unmodified SCRIPT with torch and with the backend in torch's place, and compare what it prints.

    Without a tolerance the outputs must be the same text.
    Exit status: 0 they agree, 1 they differ, 2 could not run.
    """
    from parity_tests.compare.outputs import compare_texts
    from parity_tests.compare.processes import run_script
    from parity_tests.compare.show import agree, show

    console = _console()
    runs = []
    for framework, name in (("torch", backend), (backend, "torch")):
        _require(framework)
        console.print(f"[dim]running {script.name} with {framework} ...[/]")
        try:
            runs.append(run_script(framework, name, script, args or (), timeout))
        except subprocess.TimeoutExpired as expired:
            _fail(f"{script.name} with {framework} took longer than {expired.timeout:g} s")
    left, right = runs
    comparison = compare_texts(left.stdout, right.stdout, rtol, atol)
    show(console, left, right, comparison, everything)
    raise typer.Exit(AGREE if agree(left, right, comparison) else DIFFER)


def _console() -> Console:
    """Colours on a terminal; plain text, and room for two columns, in a log.

    It writes to a copy of standard output, which pytest cannot capture.
    """
    stdout = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    return Console(file=stdout, highlight=False, width=None if stdout.isatty() else 140)


def _require(module: str) -> None:
    try:
        found = importlib.util.find_spec(module)
    except ImportError:
        found = None
    if found is None:
        _fail(f"there is no module named {module!r} to test with")


def _fail(message: str) -> NoReturn:
    typer.echo(f"parity_tests: {message}", err=True)
    raise typer.Exit(BROKEN)
