"""Most names are declared when the first one that is not there yet is asked for: whichever that is, all of them come."""

import functools
import subprocess
import sys

import pytest

FIRST = {
    "a function": "torch.logit",
    "a method": "torch.ones(1).dist(torch.ones(1))",
    "a package": "torch.nn.functional.relu",
    "a complex number": "torch.ones(1, dtype=torch.complex64)",
    "a random number": "torch.rand(1)",
    "a name that is missing": "getattr(torch, 'no_such_name', None)",
    "an operator": "torch.ones(1).__rfloordiv__",
}
NAMES = "print(*sorted(name for name in dir(torch) if name[0] != '_'), *sorted('Tensor.' + name for name in dir(torch.Tensor)))"
MISSING = "print(*[each for each in sys.argv[1:] if not hasattr(torch.Tensor if '.' in each else torch, each.split('.')[-1])])"


@functools.cache
def names(first):
    """What there is, in a process that has asked for nothing but `first`."""
    return printed(f"{first}; {NAMES}").split()


def printed(program, *arguments):
    program = f"import sys; import minitorch_like as torch; {program}"
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("first", FIRST)
def test_no_name_depends_on_what_is_asked_first(first):
    assert names(FIRST[first]) == names("torch.logit")
    assert printed(f"{FIRST[first]}; {MISSING}", *names("torch.logit")).strip() == ""
