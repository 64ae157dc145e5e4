"""`python -m parity_tests`: exit status, reports, plain output."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[1]


def parity_tests(*args, path=()):
    code = f"import sys; sys.path[:0] = {list(map(str, path))!r}; from parity_tests.cli import app; app()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


SMALL = ("--suite", "module_hooks", "--profile", "dev", "--no-mutants", "--workers", "0")


def test_torch_agrees_with_itself_and_every_report_is_written(tmp_path):
    done = parity_tests("--backend", "torch", *SMALL, "--out", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "torch 2.13.0 against torch 2.13.0, profile dev: they agree" in done.stdout
    assert "\x1b" not in done.stdout
    board = json.loads((tmp_path / "report.json").read_text())
    assert [suite["name"] for suite in board["suites"]] == ["module_hooks"]
    assert board["environment"]["torch"].startswith("2.13.0")
    assert "They agree in every case compared." in (tmp_path / "report.html").read_text()
    assert ElementTree.parse(tmp_path / "junit.xml").getroot().find("testsuite").get("failures") == "0"


def test_a_candidate_that_differs_fails_the_run(tmp_path):
    (tmp_path / "flat.py").write_text("from torch import *\nSize = tuple\n")
    options = ("--suite", "device_and_size", "--profile", "dev", "--workers", "0", "--out", tmp_path / "out")
    done = parity_tests("--backend", "flat", *options, path=[tmp_path])
    assert done.returncode == 1, done.stdout + done.stderr
    board = json.loads((tmp_path / "out" / "report.json").read_text())
    assert sum(len(suite["failures"]) for suite in board["suites"]) > 0


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("--backend", "no_such_framework"), "no module named 'no_such_framework'"),
        (("--suite", "no_such_suite"), "there is no suite 'no_such_suite'; there are"),
        (("--profile", "no_such_profile"), "no_such_profile"),
        (("--no-such-option",), "no-such-option"),
    ],
)
def test_what_cannot_run_is_said_and_has_a_status_of_its_own(tmp_path, args, complaint):
    done = parity_tests(*args, "--out", tmp_path)
    assert done.returncode == 2
    assert complaint in done.stderr


def test_a_candidate_that_cannot_be_imported_is_no_agreement(tmp_path):
    (tmp_path / "broken.py").write_text("raise RuntimeError('not today')")
    done = parity_tests("--backend", "broken", *SMALL, "--out", tmp_path / "out", path=[tmp_path])
    assert done.returncode == 2, done.stdout
    assert "broken cannot be imported: RuntimeError: not today" in done.stderr
