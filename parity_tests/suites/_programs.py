"""Programs: functions of a framework that are run once under each, and must come to the same."""

from parity_tests.check import Raised, assert_same, normalise


def run(ns, program):
    """What `program(ns)` returns, or the error that it raises: a tree that `assert_same` compares."""
    try:
        return program(ns)
    except Exception as error:  # noqa: BLE001 -- the error is what is compared
        package = ns.__name__.partition(".")[0]  # class names in messages begin with it
        return Raised("", type(error).__name__, normalise(str(error).replace(package, "torch")))


def same(torch, candidate, program):
    """Fail unless `program` returns the same tree, or raises the same error, under both frameworks."""
    assert_same(run(torch, program), run(candidate, program))
