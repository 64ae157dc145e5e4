"""Where autograd records and where it does not: grad modes, leaves, detached tensors."""

import pytest

from parity_tests.suites._registry import Programs, leaf

PROGRAMS = Programs()
program = PROGRAMS.program


# -- modes


@program
def no_grad_records_nothing(torch):
    x = leaf(torch, 3)
    with torch.no_grad():
        y = x * 2
        inside = torch.is_grad_enabled()
    return y, inside, torch.is_grad_enabled()


@program
def a_view_under_no_grad(torch):
    x = leaf(torch, 2, 3)
    with torch.no_grad():
        return [x.t(), x[0], x.reshape(6), x.expand(2, 2, 3), x.detach().t()]


@program
def grad_modes_nest(torch):
    x, seen = leaf(torch, 3), []
    with torch.no_grad():
        seen.append((x * 2).requires_grad)
        with torch.enable_grad():
            seen.append((x * 2).requires_grad)
            with torch.set_grad_enabled(False):
                seen.append((x * 2).requires_grad)
            seen.append((x * 2).requires_grad)
        seen.append((x * 2).requires_grad)
    return [*seen, (x * 2).requires_grad]


@program
def a_mode_ends_with_an_error(torch):
    try:
        with torch.no_grad():
            raise KeyError("x")
    except KeyError:
        return torch.is_grad_enabled()


@program
def modes_as_decorators(torch):
    @torch.no_grad()
    def off(x):
        """Doubles."""
        return x * 2

    @torch.enable_grad()
    def on(x):
        return x * 2

    x = leaf(torch, 2)
    with torch.no_grad():
        inner = on(x).requires_grad
    return off(x), inner, off.__name__, off.__doc__


@program
def set_grad_enabled_as_a_function(torch):
    x = leaf(torch, 2)
    torch.set_grad_enabled(False)
    try:
        y = x * 2
    finally:
        torch.set_grad_enabled(True)
    return y, x * 2


@program
def inference_mode(torch):
    x = leaf(torch, 3)
    with torch.inference_mode():
        y = x * 2
        inside = (torch.is_grad_enabled(), torch.is_inference_mode_enabled())
    return y.requires_grad, y.is_inference(), x.is_inference(), inside


@program
def an_inference_tensor_cannot_be_saved(torch):
    x = leaf(torch, 3)
    with torch.inference_mode():
        y = torch.ones(3)
    return x * y


@program
def a_parameter_update(torch):
    w = leaf(torch, 3)
    for _ in range(3):
        (w * w).sum().backward()
        with torch.no_grad():
            w -= 0.25 * w.grad
            w.grad.zero_()
    return w, w._version


# -- leaves


@program
def detach_shares_and_forgets(torch):
    x = leaf(torch, 3)
    y = (x * 2).detach()
    z = y.requires_grad_()
    return x * 2, y, z is y


@program
def a_detached_tensor_writes_through(torch):
    x = leaf(torch, 3)
    d = x.detach()
    d[0] = 7.0
    return x, d, x._version, d._version


@program
def detach_in_place(torch):
    y = leaf(torch, 3) * 2
    y.detach_()
    return y


@program
def requires_grad_of_a_result_can_be_asked_not_taken(torch):
    y = leaf(torch, 3) * 2
    y.requires_grad = False


@program
def requires_grad_can_be_set(torch):
    x = torch.ones(3)
    x.requires_grad = True
    return x, x.requires_grad_(False)


@program
def requires_grad_of_integers(torch):
    x = torch.arange(3)
    x.requires_grad = True


@program
def data_is_a_way_around(torch):
    x = leaf(torch, 3)
    y = (x * x).sum()
    x.data.mul_(2)
    y.backward()
    return x, x.data, x._version


@program
def data_can_be_replaced(torch):
    x = leaf(torch, 3)
    x.data = torch.ones(3)
    return x, x.is_leaf


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_agree(torch, candidate, name):
    PROGRAMS.agree(torch, candidate, name)
