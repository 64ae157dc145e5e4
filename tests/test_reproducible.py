"""The cases of the ci profile are the same in every process."""

import subprocess
import sys

import pytest

DRAW = """
import sys
{before}
from parity_tests.plugin import settings
from hypothesis import given, strategies as st
drawn = []
@settings(settings.get_profile("ci"), max_examples=300)
@given(st.lists(st.integers() | st.floats() | st.text()))
def test(values):
    drawn.append(values)
test()
print(repr(drawn))
"""


def drawn(before: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", DRAW.format(before=before)], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("before", ["import benchmarks.ops, benchmarks.graphs", "import parity_tests.mutants"])
def test_draws_do_not_depend_on_what_is_loaded(before: str) -> None:
    assert drawn(before) == drawn("")
