"""`python -m parity_tests compare`: the stand-in, the reading of outputs, the verdict."""

import subprocess
import sys
from pathlib import Path

import pytest

from parity_tests.compare.outputs import compare_texts, numbers, relative_difference, words
from parity_tests.compare.processes import run_script

ROOT = Path(__file__).parents[1]

FAKE = {
    "faketorch/__init__.py": "import types\nfrom . import nn\noptim = types.ModuleType('')\noptim.SGD = 1",
    "faketorch/nn/__init__.py": "from .. import utils\nfrom . import functional\nclass Linear: ...",
    "faketorch/nn/functional.py": "def relu(x):\n    return max(x, 0)",
    "faketorch/utils/__init__.py": "",
    "faketorch/utils/data.py": "class DataLoader: ...",
}


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A folder holding a tiny candidate, importable from here and from our children."""
    for name, source in FAKE.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def run_under_fake(folder, source, *args):
    script = folder / "script.py"
    script.write_text(source)
    return run_script("faketorch", "torch", script, args, timeout=60)


def test_every_form_of_import_finds_the_candidate(fake):
    run = run_under_fake(
        fake,
        "import sys, torch, faketorch\n"
        "import torch.nn as nn\n"
        "import torch.nn.functional as F\n"
        "from torch.utils.data import DataLoader\n"
        "from torch.optim import SGD\n"
        "from torch import nn as again\n"
        "assert torch is faketorch and nn is again is torch.nn and torch.__spec__.name == 'faketorch'\n"
        "print(F.relu(-2), DataLoader.__module__, SGD, sys.argv[1:])\n"
        "print(sorted(name for name in sys.modules if name.startswith('torch')))\n",
        "--epochs",
        "3",
    )
    assert run.stderr == ""
    assert run.stdout.splitlines() == [
        "0 faketorch.utils.data 1 ['--epochs', '3']",
        "['torch', 'torch.nn', 'torch.nn.functional', 'torch.optim', 'torch.utils', 'torch.utils.data']",
    ]
    assert run.import_seconds is not None
    assert run.peak_memory is not None


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("from torch import compile", "torch.compile"),
        ("import torch.distributed", "torch.distributed"),
        ("from torch.nn import Linear, Conv2d", "torch.nn.Conv2d"),
        ("import torch.utils.data.sampler", "torch.utils.data.sampler"),
    ],
)
def test_what_the_candidate_lacks_is_named(fake, line, missing):
    run = run_under_fake(fake, f"try:\n    {line}\nexcept ImportError as error:\n    print(error)")
    assert run.stdout == f"faketorch, standing in for torch, has no {missing}\n"


def test_a_missing_attribute_is_an_attribute_error(fake):
    run = run_under_fake(fake, "import torch\nprint(hasattr(torch, 'compile'))\ntorch.compile")
    assert run.stdout == "False\n"
    assert run.last_words == "AttributeError: module 'faketorch' has no attribute 'compile'"


def test_a_script_written_for_the_candidate_runs_on_torch(fake):
    script = fake / "script.py"
    script.write_text("import faketorch as torch\nfrom faketorch import nn\nprint(torch.__name__, nn.__name__)")
    assert run_script("torch", "faketorch", script).stdout == "torch torch.nn\n"


def test_the_exit_status_and_the_exception_are_reported(fake):
    run = run_under_fake(fake, "import sys, torch\nprint('before')\nsys.exit(7)")
    assert (run.stdout, run.status) == ("before\n", 7)
    run = run_under_fake(fake, "raise ValueError('no')")
    assert (run.status, run.last_words, run.import_seconds) == (1, "ValueError: no", None)


def test_numbers_are_read_out_of_text():
    assert numbers("step 3: loss=1.5e-3, [-2., .5] fc1 float32 nan (inf)")[:4] == [3, 1.5e-3, -2, 0.5]
    assert numbers("fc1 float32 v2") == []
    assert numbers("3-4-4-1") == [3, 4, 4, 1]
    assert words("loss   1.0 fc1") == words("loss 2 fc1") == "loss # fc1"


@pytest.mark.parametrize(
    ("left", "right", "difference"),
    [
        (1.0, 1.0, 0),
        (1.0, 2.0, 0.5),
        (0.0, 1e-9, 1),
        (float("nan"), float("nan"), 0),
        (1.0, float("nan"), float("inf")),
    ],
)
def test_relative_difference(left, right, difference):
    assert relative_difference(left, right) == relative_difference(right, left) == difference


def test_the_first_number_that_differs_is_found():
    comparison = compare_texts("a 1 2\nb 3 4\nc 5", "a 1 2\nb 3 4.5\nc 6")
    assert comparison.first.left_line == 2
    assert comparison.first.numbers == (1,)
    assert comparison.largest == pytest.approx(1 / 6)


def test_a_tolerance_forgives_numbers_but_not_words():
    assert not compare_texts("loss 1.0", "loss 1.00001").agrees
    assert compare_texts("loss 1.0", "loss   1.00001", rtol=1e-4).agrees
    assert compare_texts("grad 0.0", "grad 1e-12", atol=1e-9).agrees
    assert not compare_texts("loss 1.0", "gain 1.0", rtol=1).agrees
    assert not compare_texts("loss nan", "loss 1.0", rtol=1, atol=1).agrees


def test_without_a_tolerance_the_text_counts():
    assert not compare_texts("1.0", "1.00").agrees
    assert compare_texts("1.0\n", "1.0\n").agrees


def test_an_extra_line_does_not_unsettle_the_rest():
    comparison = compare_texts("a 1\nb 2\nc 3", "a 1\nnote\nb 2\nc 3")
    assert [row.agrees for row in comparison.rows] == [True, False, True, True]


def compare_command(*args):
    return subprocess.run(
        [sys.executable, "-m", "parity_tests", "compare", *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_command_shows_both_outputs_and_says_where_they_part(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import torch\nprint('same 1')\nprint('loss', 0.5 if torch.__name__ == 'torch' else 0.25)")
    done = compare_command(script)
    assert done.returncode == 1, done.stderr
    assert (
        "First difference at line 2, number 1: torch 0.5, minitorch_like 0.25; relative difference 0.5" in done.stdout
    )
    assert "peak memory" in done.stdout
    assert "\x1b" not in done.stdout
    assert compare_command("--rtol", "0.5", script).returncode == 0


def test_a_command_that_cannot_run_says_why(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import torch")
    done = compare_command("--backend", "no_such_framework", script)
    assert done.returncode == 2
    assert "no module named 'no_such_framework'" in done.stderr
    assert compare_command(tmp_path / "absent.py").returncode == 2


def test_asking_for_what_is_absent_is_no_error(tmp_path):
    """`hasattr` looks for modules of the package's own; the stand-in's complaint is for imports alone."""
    script = tmp_path / "script.py"
    script.write_text(
        "import torch\n"
        "print(hasattr(torch, '_dynamo_of_old'), hasattr(torch, 'npu'), getattr(torch, 'hpu', None))\n"
        "class Own(torch.Tensor):\n"
        "    @classmethod\n"
        "    def __torch_function__(cls, func, types, args=(), kwargs=None):\n"
        "        return super().__torch_function__(func, types, args, kwargs or {})\n"
        "print(type(torch.ones(1).as_subclass(Own) + 1).__name__)\n"
    )
    run = run_script("minitorch_like", "torch", script, [], timeout=60)
    assert run.stderr == ""
    assert run.stdout.splitlines() == ["False False None", "Own"]
