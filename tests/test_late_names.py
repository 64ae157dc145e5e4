"""Most names are declared when the first one that is not there yet is asked for: whichever that is, all of them come."""

import json
import subprocess
import sys

import pytest

import minitorch_like as torch

FIRST = {
    "a function": "torch.logit",
    "a method": "torch.ones(1).dist(torch.ones(1))",
    "a package": "torch.nn.functional.relu",
    "a complex number": "torch.ones(1, dtype=torch.complex64)",
    "a random number": "torch.rand(1)",
    "a name that is missing": "getattr(torch, 'no_such_name', None)",
    "an operator": "torch.ones(1).__rfloordiv__",
}
ASK = """
import json, sys
import minitorch_like as torch
{first}
names, methods = json.load(sys.stdin)
print([each for each in names if not hasattr(torch, each)] + [each for each in methods if not hasattr(torch.Tensor, each)])
"""


@pytest.fixture(scope="module")
def names():
    assert hasattr(torch, "logit")  # which is declared late, and the others with it
    return [each for each in dir(torch) if not each.startswith("_")], dir(torch.Tensor)


@pytest.mark.parametrize("first", FIRST)
def test_no_name_depends_on_what_is_asked_first(names, first):
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(first=FIRST[first])],
        input=json.dumps(names),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
