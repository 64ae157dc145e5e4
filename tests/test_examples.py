"""The examples print the published numbers, with torch out of reach, and what PyTorch prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
OURS = "import minitorch_like as torch\n"
THEIRS = "import torch\n"
WITHOUT_TORCH = """
import runpy, sys

class NoTorch:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoTorch)
runpy.run_path(sys.argv[1], run_name="__main__")
"""

FINAL_LOSS = 0.06534025073051453
PREDICTIONS = [1.130600094795227, 0.03639908879995346, 0.017568498849868774, 0.7840131521224976]


def run(*command: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=EXAMPLES.parent,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def ours(name: str) -> str:
    return run("-c", WITHOUT_TORCH, EXAMPLES / name)


def theirs(name: str, folder: Path) -> str:
    """The same script on torch, its import line swapped and nothing else."""
    source = (EXAMPLES / name).read_text()
    assert source.count(OURS) == 1
    twin = folder / name
    twin.write_text(source.replace(OURS, THEIRS))
    return run(twin)


def lecture(output: str) -> tuple[float, list[float]]:
    loss, predictions = re.fullmatch(r"(?s).*Final Loss: (\S+)\nPredictions:\n(.*)", output).groups()
    return float(loss), [float(line) for line in predictions.split()]


def test_the_lecture_prints_the_published_numbers_without_torch():
    loss, predictions = lecture(ours("lecture_mlp.py"))
    assert loss == pytest.approx(FINAL_LOSS, abs=1e-6, rel=0)
    assert predictions == pytest.approx(PREDICTIONS, abs=1e-5, rel=0)


def test_the_lecture_prints_the_published_numbers_with_torch(tmp_path):
    loss, predictions = lecture(theirs("lecture_mlp.py", tmp_path))
    assert loss == pytest.approx(FINAL_LOSS, abs=1e-6, rel=0)
    assert predictions == pytest.approx(PREDICTIONS, abs=1e-5, rel=0)


def digits(output: str) -> tuple[list[float], list[str], int]:
    """Losses and first images of every epoch, and how many test images were right."""
    epochs = re.findall(r"epoch +\d+  loss (\S+)  first images (.*)", output)
    losses, images = zip(*epochs, strict=True)
    right = int(re.search(r"test accuracy (\d+)/360", output)[1])
    return [float(loss) for loss in losses], list(images), right


def test_the_digits_are_learnt_from_the_same_batches_to_the_same_accuracy(tmp_path):
    losses, images, right = digits(ours("digits.py"))
    their_losses, their_images, their_right = digits(theirs("digits.py", tmp_path))
    assert images == their_images
    assert len(losses) == 20
    assert losses == pytest.approx(their_losses, rel=1e-4, abs=0)
    assert right == their_right
    assert right / 360 > 0.96


def test_torch_is_out_of_reach_where_we_say_so(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("try:\n    import torch.nn\nexcept ImportError as error:\n    print(error)")
    assert run("-c", WITHOUT_TORCH, script) == "No module named 'torch'\n"
