"""The five problems on the framework: the published numbers, and PyTorch's, from the same file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "examples" / "framework" / "example.py"
OURS = "import minitorch_like as torch\n"
REPORT = "\nimport json\nprint(json.dumps(run()))\n"


def run(source):
    """What `run` returns in a process of its own, as JSON carries it."""
    main = source.index('if __name__ == "__main__":')
    done = subprocess.run(
        [sys.executable, "-c", source[:main] + REPORT],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def ours():
    return run(SCRIPT.read_text())


@pytest.fixture(scope="module")
def theirs():
    source = SCRIPT.read_text()
    assert source.count(OURS) == 1
    return run(source.replace(OURS, "import torch\n"))


EXACT = ("(x + y) z", "d/dx", "d/dy", "d/dz")


def test_the_circuit_is_exact(ours):
    assert [ours["obtained"][name] for name in EXACT] == [-12.0, -4.0, -4.0, 3.0]


def test_celsius_is_learnt_to_the_published_digits(ours):
    assert round(ours["obtained"]["Celsius from Fahrenheit, w"], 4) == 0.5556
    assert round(ours["obtained"]["Celsius from Fahrenheit, b"], 4) == -17.7778


def test_the_classifier_knows_which_is_greater(ours):
    for name, published in ours["published"].items():
        if name.startswith("y > x"):
            assert ours["obtained"][name] == pytest.approx(published, abs=0.01)


def test_the_lectures_numbers_come_out(ours):
    assert ours["obtained"]["four rows: last loss"] == pytest.approx(0.06534025073051453, abs=1e-6)
    for row in (1, 2, 3, 4):
        name = f"four rows: prediction {row}"
        assert ours["obtained"][name] == pytest.approx(ours["published"][name], abs=1e-5)


def test_zeros_quadrants_and_digits_are_learnt(ours):
    obtained = ours["obtained"]
    assert obtained["zeros: loss before"] == pytest.approx(10, rel=0.2)
    assert obtained["zeros: loss after"] == pytest.approx(0.01, rel=0.2)
    assert obtained["quadrants: accuracy before"] < 0.4
    assert obtained["quadrants: accuracy after"] > 0.98
    assert obtained["digits: accuracy before"] < 0.2
    assert obtained["digits: accuracy after"] > 0.96


def test_the_page_has_pictures_and_formulas(ours):
    assert ours["published"].keys() <= ours["obtained"].keys()
    assert ours["formulas"][0] == "(x + y) * z"
    assert "0.weight.T" in ours["formulas"][1]
    assert all("<svg" in figure for figure in ours["figures"])


def test_pytorch_gives_the_same_numbers(ours, theirs):
    assert list(ours["obtained"]) == list(theirs["obtained"])
    for name, value in theirs["obtained"].items():
        # an accuracy counts samples: one on the boundary may fall to either side
        tolerance = {"abs": 1e-3} if "accuracy" in name else {"rel": 1e-4, "abs": 1e-7}
        assert ours["obtained"][name] == pytest.approx(value, **tolerance), name
