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


# -- what the twin state machine has found


@program
def a_view_of_no_grad_leads_nowhere(torch):
    x = leaf(torch, 2, 3)
    with torch.no_grad():
        view = x[0]
    y = view * 2
    y.sum().backward()
    return view, y, y.grad_fn.next_functions == ((None, 0), (None, 0)), x


@program
def a_view_follows_what_becomes_of_its_base(torch):
    x = torch.zeros(2, 3)
    view = x[0]
    x.requires_grad_()
    return view.requires_grad, view.is_leaf, view.grad_fn


@program
def a_view_is_brought_up_to_date_after_a_write_that_is_not_recorded(torch):
    x = leaf(torch, 2, 3)
    view = x[0]
    with torch.no_grad():
        x.add_(1)
    (view * 2).sum().backward()
    return view, x


@program
def a_piece_whose_base_was_written_to(torch):
    x = leaf(torch, 2, 3) * 2
    piece = x.unbind()[0]
    x.add_(1)
    return piece.requires_grad, piece * 2


@program
def a_view_made_in_inference_mode(torch):
    x = leaf(torch, 2, 3) * 2
    with torch.inference_mode():
        view = x[0]
    with torch.no_grad():
        again = view[1:]
    seen = [view.is_inference(), view._base is x, again.requires_grad]
    return seen, again.add_(1)


@program
def inference_tensors_have_no_version_but_their_detached_memory_has(torch):
    with torch.inference_mode():
        x = torch.zeros(3)
    y = x.detach()
    y.add_(1)
    return x, y.is_inference(), y._version, x[1:]._base, x.add_(1)


@program
def a_retained_gradient_moves_with_a_write(torch):
    x = leaf(torch, 2, 3)
    y = x * 2
    y.retain_grad()
    y.add_(1)
    z = y * 3
    z.sum().backward()
    return y.retains_grad, y.grad, y.grad.is_contiguous(), x


@program
def a_leaf_that_no_longer_requires_grad_gets_none(torch):
    x = leaf(torch, 3)
    y = x * 2
    x.detach_()
    y.sum().backward()
    return x.grad


@program
def a_factor_is_freed_like_any_saved_value(torch):
    y = leaf(torch, 3) * 2
    y.sum().backward()
    y.sum().backward()


@program
def a_hook_hears_of_an_output_without_gradient(torch):
    heard = []
    first, second = leaf(torch, 2, 3).unbind()
    second.register_hook(heard.append)
    first.sum().backward()
    return heard


@program
def a_hook_on_a_root_that_leads_to_no_input(torch):
    heard = []
    y = leaf(torch, 3) * 2
    y.register_hook(heard.append)
    found = torch.autograd.grad([y], [leaf(torch, 3)], [torch.ones(3)], allow_unused=True)
    return heard, found


@program
def requires_grad_of_a_result_cannot_be_set(torch):
    y = leaf(torch, 3) * 2
    same = y.requires_grad_() is y
    y.requires_grad = True
    return same


@program
def integers_take_numbers_and_no_history(torch):
    x = torch.zeros(3, dtype=torch.int64)
    x.copy_(leaf(torch, 3))
    return x


@program
def a_copy_of_itself(torch):
    x = torch.zeros(2).expand(3, 2)
    x.copy_(x)
    return x._version


@program
def an_expanded_tensor_is_set_to_a_number_and_to_no_tensor(torch):
    x = torch.zeros(2).expand(3, 2)
    x.fill_(2)
    x.fill_(torch.tensor(3.0))


@program
def a_view_whose_base_was_saved_and_written_to(torch):
    y = leaf(torch, 3) * 2
    view = y[:2]
    z = view * view
    y.add_(1)
    z.sum().backward()


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_agree(torch, candidate, name):
    PROGRAMS.agree(torch, candidate, name)
