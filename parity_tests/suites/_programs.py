"""Programs: functions of a framework that are run once under each, and must come to the same."""

import numpy as np
from torch.utils._python_dispatch import TorchDispatchMode

from parity_tests.backends import TorchLike
from parity_tests.backends.double import Double
from parity_tests.check import Derived, Normwise, Raised, assert_same, normalise
from parity_tests.check.snapshot import leaves, take
from parity_tests.check.tolerance import unit


def run(ns, program, *args):
    """What `program(ns, ...)` returns, or the error that it raises: a tree that `assert_same` compares."""
    try:
        return program(ns, *args)
    except Exception as error:  # noqa: BLE001 -- the error is what is compared
        package = ns.__name__.partition(".")[0]  # class names in messages begin with it
        return Raised("", type(error).__name__, normalise(str(error).replace(package, "torch")) + _above(error))


def _above(error):
    """The kinds of errors that a traceback shows above this one."""
    kinds = []
    while error := error.__cause__ or (None if error.__suppress_context__ else error.__context__):
        kinds.append(type(error).__name__)
    return f" (after {', '.join(kinds)})" if kinds else ""


def same(torch, candidate, program):
    """Fail unless `program(ns)` returns the same tree, bit for bit, or raises the same error, under both."""
    assert_same(run(torch, program), run(candidate, program))


class Rounding(TorchDispatchMode):
    """Disturbs the result of every kernel that torch runs, in the forward and in the backward pass."""

    def __init__(self, double):
        super().__init__()
        self.double = double

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        shares = func._schema.is_mutable or any(each.alias_info for each in func._schema.returns)
        return result if shares or not hasattr(result, "dtype") else self.double.disturb(result)


def agree(torch, candidate, program, *, cancels=False, coarsest="float32"):
    """Fail unless `program(ns, tensor)` comes to the same as closely as its result in float64 says it must.

    The program makes its inputs by `tensor(array, requires_grad=False)`, so that they can be widened and disturbed.
    Where cancellation inside a kernel leaves less than its rounding (`cancels`), what rounding may do is told by the
    largest magnitude of the result: the program sees to it that this is of the size of what cancels.
    `coarsest` names the narrowest dtype in which the program computes.
    """
    expected, actual = (run(ns, program, TorchLike(ns).tensor) for ns in (torch, candidate))

    def in_double(delta, seed):
        double = Double(torch)

        def tensor(array, requires_grad=False):
            return double.tensor(np.asarray(double.array(array)), requires_grad)

        with double.disturbed(delta, seed), Rounding(double):
            result = run(torch, program, tensor)
        return take(result)

    def oracle(delta, seed):
        return {path: leaf.value for path, leaf in leaves(in_double(delta, seed))}

    judge = Derived(oracle, unit(coarsest))
    if cancels:
        derived, normwise = judge, Normwise(in_double(0.0, 0))

        def judge(*place):
            return derived(*place) and normwise(*place)

    assert_same(expected, actual, judge=judge)
