"""`torch.__version__` says which torch to expect, and is compared as a version."""

import operator

import pytest

from parity_tests.suites._programs import same

VERSIONS = (
    "2.13.0+cpu", "2.13.0", "2.13", "2.2", "2.13.1", "1.13.1", "2.13.0a0", "2.13.0rc1", "2.13.0.dev2", "2.13.0.post1",
    "2.13.0+abc", "2.13.0+10", "2.13.0+9", "v3.0", "10.0", "not a version", "2.14.0a0+git123",
)  # fmt: skip
COMPARISONS = ("lt", "le", "eq", "ne", "gt", "ge")


@pytest.mark.parametrize("ours", VERSIONS)
def test_versions_are_ordered(torch, candidate, ours):
    def program(ns):
        version = ns.torch_version.TorchVersion(ours)
        others = [*VERSIONS, (2, 13), [1, 9, 0], (2, 13, 0)]
        return [getattr(operator, name)(version, other) for name in COMPARISONS for other in others]

    same(torch, candidate, program)


def test_a_number_is_no_version(torch, candidate):
    same(torch, candidate, lambda ns: ns.torch_version.TorchVersion("2.0") >= 2)


@pytest.mark.parametrize("least", ["2.0", "1.13.1", "2.2", (2, 13), "2.13.0"])
def test_guards_of_scripts_hold(torch, candidate, least):
    def program(ns):
        numbers = tuple(int(each) for each in ns.__version__.split("+")[0].split("."))
        return ns.__version__ >= least, numbers, isinstance(ns.__version__, str), ns.version.__version__[:6]

    same(torch, candidate, program)
