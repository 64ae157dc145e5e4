"""Hooks on tensors, and gradients kept for intermediate results."""

import pytest

from parity_tests.suites._registry import Programs, leaf

PROGRAMS = Programs()
program = PROGRAMS.program


# -- hooks


@program
def a_hook_sees_the_gradient(torch):
    x, seen = leaf(torch, 3), []
    y = x * 2
    y.register_hook(lambda grad: seen.append(grad.clone()))
    (y * y).sum().backward()
    return seen, x


@program
def a_hook_changes_the_gradient(torch):
    x = leaf(torch, 3)
    y = x * 2
    y.register_hook(lambda grad: grad * 10)
    y.register_hook(lambda grad: grad + 1)
    (y * y).sum().backward()
    return x


@program
def a_hook_on_a_leaf(torch):
    x = leaf(torch, 3)
    x.register_hook(lambda grad: -grad)
    (x * x).sum().backward()
    (x * x).sum().backward()
    return x


@program
def a_hook_is_removed(torch):
    x = leaf(torch, 3)
    handle = x.register_hook(lambda grad: -grad)
    handle.remove()
    (x * x).sum().backward()
    return x


@program
def a_hook_sees_the_sum_over_uses(torch):
    x, seen = leaf(torch, 3), []
    y = x * 2
    y.register_hook(lambda grad: seen.append(grad.clone()))
    (y * 3 + y * 4).sum().backward()
    return seen


@program
def a_hook_returns_nonsense(torch):
    x = leaf(torch, 3)
    x.register_hook(lambda grad: 1)
    x.sum().backward()


@program
def a_hook_returns_another_shape(torch):
    x = leaf(torch, 3)
    x.register_hook(lambda grad: grad[:1])
    x.sum().backward()


@program
def a_hook_raises(torch):
    x = leaf(torch, 3)

    def hook(grad):
        raise KeyError("mine")

    x.register_hook(hook)
    x.sum().backward()


@program
def a_hook_after_accumulation(torch):
    x, seen = leaf(torch, 3), []
    x.register_post_accumulate_grad_hook(lambda leaf: seen.append(leaf.grad.clone()))
    (x * x).sum().backward()
    return seen, x


@program
def retain_grad_of_a_result(torch):
    x = leaf(torch, 3)
    y = x * 2
    y.retain_grad()
    (y * y).sum().backward()
    return y, y.retains_grad, x


@program
def retain_grad_sees_the_hooks(torch):
    y = leaf(torch, 3) * 2
    y.retain_grad()
    y.register_hook(lambda grad: grad * 10)
    (y * y).sum().backward()
    return y.grad


@program
def retain_grad_of_a_leaf_is_nothing(torch):
    x = leaf(torch, 3)
    x.retain_grad()
    return x.retains_grad


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_agree(torch, candidate, name):
    PROGRAMS.agree(torch, candidate, name)
