"""Products to which something is added, traces, and the products named after Kronecker and the cross."""

import numpy as np
import pytest

from parity_tests.suites._programs import agree, same

PRODUCTS = {
    "baddbmm": lambda ns, t: ns.baddbmm(t((2, 3, 3)), t((2, 3, 4)), t((2, 4, 3)), beta=0.5, alpha=2),
    "baddbmm of a row": lambda ns, t: ns.baddbmm(t((3,)), t((2, 3, 4)), t((2, 4, 3))),
    "addmv": lambda ns, t: ns.addmv(t((3,)), t((3, 4)), t((4,)), beta=2, alpha=0.5),
    "addmv of one": lambda ns, t: ns.addmv(t((1,)), t((3, 4)), t((4,))),
    "trace": lambda ns, t: ns.trace(t((3, 2))),
    "inner": lambda ns, t: ns.inner(t((2, 3)), t((4, 3))),
    "inner of vectors": lambda ns, t: ns.inner(t((3,)), t((3,))),
    "inner of a number": lambda ns, t: ns.inner(t(()), t((2, 3))),
    "kron": lambda ns, t: ns.kron(t((2, 2)), t((1, 3))),
    "kron of two ranks": lambda ns, t: t((2,)).kron(t((2, 2))),
    "cross": lambda ns, t: ns.cross(t((2, 3)), t((2, 3))),
    "cross along a dimension": lambda ns, t: ns.cross(t((3, 2)), t((3, 2)), dim=0),
    "cross of a broadcast": lambda ns, t: ns.cross(t((2, 3)), t((1, 3)), 1),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_derivatives(torch, candidate, name):
    def program(ns, tensor):
        rng = np.random.default_rng(0)
        made = []

        def leaf(shape):
            made.append(tensor(np.asarray(rng.standard_normal(shape), np.float32), requires_grad=True))
            return made[-1]

        y = PRODUCTS[name](ns, leaf)
        first = ns.autograd.grad((y * y).sum(), made, create_graph=True)
        second = ns.autograd.grad(sum((each * each).sum() for each in first), made)
        return y, [each.detach().contiguous() for each in first], [each.contiguous() for each in second]

    agree(torch, candidate, program)


CALLS = {
    "integers": lambda ns: ns.baddbmm(ns.ones(3, 3).long(), ns.ones(2, 3, 4).long(), ns.ones(2, 4, 3).long(), alpha=0.5),
    "nothing of a NaN": lambda ns: ns.baddbmm(ns.full((3, 3), float("nan")), ns.ones(2, 3, 4), ns.ones(2, 4, 3), beta=0),
    "in place": lambda ns: ns.ones(2, 3, 3).baddbmm_(ns.ones(2, 3, 4), ns.ones(2, 4, 3)),
    "of a vector, in place": lambda ns: ns.ones(3).addmv_(ns.ones(3, 4), ns.ones(4)),
    "of another shape, in place": lambda ns: ns.ones(1, 3, 3).baddbmm_(ns.ones(2, 3, 4), ns.ones(2, 4, 3)),
    "of no shape, in place": lambda ns: ns.ones(()).addmv_(ns.ones(3, 4), ns.ones(4)),
    "in bfloat16": lambda ns: [
        x := ns.ones(2, 2, 2, dtype=ns.bfloat16, requires_grad=True),
        ns.autograd.grad(ns.baddbmm(x, x, x, alpha=0.5).sum(), x),
    ],
    "of old": lambda ns: ns.baddbmm(2, ns.ones(2, 3, 3), ns.ones(2, 3, 4), ns.ones(2, 4, 3)),
    "into a result": lambda ns: ns.baddbmm(ns.ones(3), ns.ones(2, 3, 4), ns.ones(2, 4, 3), out=ns.zeros(0)),
    "of sizes that differ": lambda ns: ns.baddbmm(ns.ones(3, 3), ns.ones(2, 3, 4), ns.ones(2, 5, 3)),
    "of two dtypes": lambda ns: ns.baddbmm(ns.ones(3, 3), ns.ones(2, 3, 4).double(), ns.ones(2, 4, 3)),
    "of truth values": lambda ns: ns.baddbmm(ns.ones(3, 3).bool(), ns.ones(2, 3, 4).bool(), ns.ones(2, 4, 3).bool()),
    "of a matrix": lambda ns: ns.baddbmm(ns.ones(3, 3), ns.ones(3, 4), ns.ones(2, 5, 3)),
    "a vector too short": lambda ns: ns.addmv(ns.ones(3), ns.ones(3, 4), ns.ones(3)),
    "no matrix": lambda ns: ns.addmv(ns.ones(3), ns.ones(3), ns.ones(3)),
    "traces": lambda ns: (ns.trace(ns.ones(2, 2).int()), ns.trace(ns.ones(0, 2)), ns.ones(2, 2).half().trace()),
    "the trace of a vector": lambda ns: ns.trace(ns.ones(3)),
    "the trace of truth values": lambda ns: ns.trace(ns.ones(3).bool()),
    "inner sizes that differ": lambda ns: ns.inner(ns.ones(2, 3), ns.ones(2)),
    "kron of a transposed one": lambda ns: ns.kron(ns.ones(2, 2).t(), ns.ones(2, 2)),
    "no dimension of size 3": lambda ns: ns.cross(ns.ones(2, 4), ns.ones(2, 4)),
    "a dimension of another size": lambda ns: ns.cross(ns.ones(2, 3), ns.ones(2, 3), dim=0),
    "two ranks": lambda ns: ns.cross(ns.ones(2, 3), ns.ones(3)),
    "two dtypes": lambda ns: ns.cross(ns.ones(2, 3), ns.ones(2, 3).double()),
    "a diagonal": lambda ns: (ns.ones(3, 3).fill_diagonal_(5), ns.ones(2, 2, 2).fill_diagonal_(5)),
    "one of a transposed matrix": lambda ns: ns.ones(2, 3).t().fill_diagonal_(2),
    "a diagonal that begins anew": lambda ns: (ns.ones(7, 3).fill_diagonal_(5, wrap=True), ns.ones(9, 2).fill_diagonal_(5, True)),
    "a diagonal of a vector": lambda ns: ns.ones(3).fill_diagonal_(5),
    "a diagonal of sizes that differ": lambda ns: ns.ones(2, 3, 2).fill_diagonal_(5),
    "a diagonal of a leaf": lambda ns: ns.ones(2, 2, requires_grad=True).fill_diagonal_(5),
    "a diagonal with history": lambda ns: (ns.ones(2, 2, requires_grad=True) * 2).fill_diagonal_(5),
    "a string": lambda ns: ns.ones(2, 2).fill_diagonal_("a"),
    "detached": lambda ns: ns.detach(ns.ones(2, requires_grad=True)),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("ignore")
def test_calls(torch, candidate, name):
    same(torch, candidate, CALLS[name])
