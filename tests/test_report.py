"""The scoreboard's arithmetic, its verdict, and the reports made of it."""

import io
import re

import pytest
from rich.console import Console

from parity_tests.report import page, summary, terminal
from parity_tests.report.progress import Meter

OUTCOMES = dict.fromkeys((*summary.FAILING, "pass", "unsupported", "xfail"), 0)


def suite(name="graphs", failures=(), **outcomes):
    counts = OUTCOMES | {key.rstrip("_"): value for key, value in outcomes.items()}
    return {
        "name": name,
        "title": "",
        "cases": sum(counts.values()),
        "exact": counts["pass"],
        "set_apart": 0,
        "unsupported": {"torch.fft": counts["unsupported"]} if counts["unsupported"] else {},
        "compared": sum(counts.values()),
        "seconds": 2.0,
        "outcomes": counts,
        "failures": list(failures),
    }


def board(*suites, mutants=None, null_control=None):
    return {
        "backend": "candidate",
        "backend_version": "1.0",
        "reference": "torch 2.13.0",
        "profile": "ci",
        "started": "2026-01-01T00:00:00",
        "seconds": 3.0,
        "suites": list(suites),
        "mutants": mutants,
        "null_control": null_control,
    }


def mutants(*found):
    rows = [
        {
            "name": f"m{i}",
            "kind": "factor",
            "description": "[x]",
            "found": hit,
            "by": "graphs" if hit else None,
        }
        | {"cases": 3, "seconds": 0.1}
        for i, hit in enumerate(found)
    ]
    return {"planted": len(found), "found": sum(found), "rows": rows}


FAILURE = {
    "outcome": "grad",
    "test": "test_a[<b>]",
    "message": "0 < 1\nmore",
    "script": "import torch\nprint(1 < 2)\n",
}


@pytest.mark.parametrize(
    ("result", "complaints"),
    [
        (board(suite(pass_=5, unsupported=2, xfail=1)), []),
        (board(suite(pass_=5, grad=1)), ["1 difference"]),
        (board(suite(pass_=5, value=1, xpass=1)), ["2 differences"]),
        (board(suite(unsupported=5)), ["no case passed"]),
        (board(), ["no case passed"]),
        (board(suite(pass_=1), mutants=mutants(True, True)), []),
        (board(suite(pass_=1), mutants=mutants(True, False)), ["1 of 2 planted faults not found"]),
        (
            board(suite(pass_=1), null_control={"cases": 9, "differences": 1, "seconds": 1}),
            ["1 difference of torch from itself"],
        ),
    ],
)
def test_the_verdict(result, complaints):
    assert summary.complaints(result) == complaints


def test_a_share_is_never_rounded_up_to_all():
    assert summary.percent(99_999, 100_000) == "99.99 %"
    assert summary.percent(7, 7) == "100 %"
    assert summary.percent(0, 0) == "-"


def terminal_text(result):
    stream = io.StringIO()
    terminal.show(Console(file=stream, width=140), result)
    return stream.getvalue()


def test_the_terminal_shows_counts_failures_and_verdict():
    text = terminal_text(board(suite(pass_=1000, grad=1, failures=[FAILURE]), mutants=mutants(True, False)))
    assert re.search(r"graphs +1,001 +1,000 +1 grad +0 +0 +99.90 % +500", text)
    assert "test_a[<b>]" in text
    assert "not found m1: [x]" in text
    assert text.strip().endswith("profile ci: 1 difference; 1 of 2 planted faults not found")
    assert "\x1b" not in text


def test_the_page_is_self_contained_and_escapes_what_it_quotes():
    text = page.render(board(suite(pass_=3, grad=1, failures=[FAILURE]), mutants=mutants(True, False)))
    assert "print(1 &lt; 2)" in text
    assert "test_a[&lt;b&gt;]" in text
    assert not re.search(r"(src|href)\s*=|@import|url\(", text)


def test_the_page_of_a_clean_run_says_so():
    text = page.render(board(suite(pass_=3), null_control={"cases": 3, "differences": 0, "seconds": 1.0}))
    assert "They agree in every case compared." in text
    assert "Where they part" not in text


def test_progress_without_a_terminal_is_plain_lines():
    stream = io.StringIO()
    with Meter(Console(file=stream), "suites", total=2) as meter:
        meter.step("first")
        meter.step("second", failed=True)
    assert stream.getvalue() == "suites ...\n  2/2  0 s  1 failing  second\n"
