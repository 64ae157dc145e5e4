"""Changes in place: versions, views, what was saved for the backward pass."""

import pytest

from parity_tests.suites._registry import Programs, leaf

PROGRAMS = Programs()
program = PROGRAMS.program


# -- changes in place


@program
def versions_are_counted(torch):
    x = torch.zeros(2, 3)
    view, seen = x[0], [x._version]
    x.add_(1)
    seen.append((x._version, view._version))
    view.mul_(2)
    seen.append((x._version, view._version))
    x[0, 0] = 5
    seen.append((x._version, view._version))
    x.t().zero_()
    return [*seen, (x._version, view._version)]


@program
def an_in_place_result_is_its_operand(torch):
    y = leaf(torch, 3) * 2
    z = y.add_(1)
    z.mul_(3)
    z.sum().backward()
    return y is z, y


@program
def a_view_is_changed(torch):
    x = leaf(torch, 2, 3)
    y = x * 2
    y[0].mul_(10)
    y.backward(torch.arange(6.0).reshape(2, 3))
    return y, x


@program
def a_view_of_a_view_is_changed(torch):
    x = leaf(torch, 2, 3)
    y = x * 2
    view = y.t()[1]
    view.mul_(10)
    (y.sum() + view.sum()).backward()
    return y, view, x


@program
def the_base_of_a_view_is_changed(torch):
    x = leaf(torch, 2, 3)
    y = x * 2
    view = y[1]
    y.mul_(10)
    view.backward(torch.arange(3.0))
    return view, x


@program
def a_constant_base_becomes_part_of_a_graph(torch):
    x = leaf(torch, 3)
    base = torch.zeros(2, 3)
    view = base[0]
    base[0] = x * 2
    (base * torch.arange(6.0).reshape(2, 3)).sum().backward()
    return base, view, x


@program
def a_part_is_overwritten(torch):
    x = leaf(torch, 4)
    y = x * 2
    y[1:3] = 0
    y.backward(torch.arange(4.0))
    return y, x


@program
def a_part_is_overwritten_by_a_part_of_the_graph(torch):
    x, w = leaf(torch, 4), leaf(torch, 2)
    y = x * 2
    y[::2] = w * 3
    y.backward(torch.arange(4.0))
    return y, x, w


@program
def a_saved_operand_is_changed(torch):
    x = leaf(torch, 3)
    y = x * 2
    z = y * y
    y.add_(1)
    z.sum().backward()


@program
def a_saved_result_is_changed(torch):
    x = leaf(torch, 3)
    y = x.exp()
    y.add_(1)
    y.sum().backward()


@program
def what_was_not_saved_may_be_changed(torch):
    x = leaf(torch, 3)
    y = x + 1
    y.mul_(2)
    y.sum().backward()
    return x


@program
def a_saved_leaf_is_changed_under_no_grad(torch):
    x = leaf(torch, 3)
    y = (x * x).sum()
    with torch.no_grad():
        x.add_(1)
    y.backward()


@program
def an_augmented_assignment_of_a_leaf(torch):
    x = leaf(torch, 3)
    x += 1


@program
def an_augmented_assignment_of_a_result(torch):
    x = leaf(torch, 3)
    y = x * 2
    same = y
    y += x
    y -= 1
    y *= 2
    y /= 4
    y.sum().backward()
    return y, same is y, x


@program
def a_result_in_out(torch):
    a, out = torch.arange(3.0), torch.zeros(3)
    result = torch.add(a, 1, out=out)
    return result is out, out, out._version


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_agree(torch, candidate, name):
    PROGRAMS.agree(torch, candidate, name)
