"""What asking a tensor that is no leaf for its gradient says, and the text of a mode."""

import pytest

from parity_tests.suites._programs import same
from parity_tests.suites._warnings import warned

_ASKED = {
    "result": lambda ns, x: x * 2,
    "view": lambda ns, x: x.view(2),
    "leaf": lambda ns, x: x,
    "detached": lambda ns, x: (x * 2).detach(),
    "retained": lambda ns, x: _retained(x * 2),
    "given": lambda ns, x: _given(ns, x * 2),
    "index": lambda ns, x: x[0],
}


def _retained(y):
    y.retain_grad()
    return y


def _given(ns, y):
    y.grad = ns.ones(2)
    return y


@pytest.mark.parametrize("name", _ASKED)
def test_the_gradient_of_what_is_no_leaf(torch, candidate, name):
    """It is None, and torch says so, each time that it is asked for."""

    def program(ns):
        y = _ASKED[name](ns, ns.ones(2, requires_grad=True))
        return warned(ns, lambda ns: (y.grad, y.grad))

    same(torch, candidate, program)


_OLDER = {
    "grad_variables": lambda ns, x: ns.autograd.backward(x * 2, grad_variables=ns.ones(2)),
    "both": lambda ns, x: ns.autograd.backward(x * 2, ns.ones(2), grad_variables=ns.ones(2)),
    "only_inputs": lambda ns, x: ns.autograd.grad(x.sum(), x, only_inputs=False),
    "no inputs": lambda ns, x: ns.autograd.grad(x.sum(), []),
}


@pytest.mark.parametrize("name", _OLDER)
def test_older_arguments(torch, candidate, name):
    same(torch, candidate, lambda ns: warned(ns, lambda ns: _OLDER[name](ns, ns.ones(2, requires_grad=True))))


def test_a_decorated_class(torch, candidate):
    """Only its making is in the mode."""

    def program(ns):
        class Asking:
            def __init__(self):
                self.made = ns.is_grad_enabled()

        decorated = ns.no_grad()(Asking)
        return decorated().made, ns.is_grad_enabled()

    same(torch, candidate, lambda ns: warned(ns, program))


def test_the_text_of_a_mode(torch, candidate):
    def program(ns):
        return [repr(ns.set_grad_enabled(on)).replace(ns.__name__, "torch") for on in (False, True)]

    same(torch, candidate, program)
