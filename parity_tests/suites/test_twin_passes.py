"""What walks of the twin state machine have found once: backward passes, hooks on nodes, `set_` and other writes."""

import pytest

from parity_tests.suites._registry import Programs, leaf

PROGRAMS = Programs()
program = PROGRAMS.program


# -- backward passes


@program
def an_input_of_backward_does_what_its_node_does(torch):
    x, heard = leaf(torch, 3), []
    y = x * 2
    y.grad_fn.register_hook(lambda inputs, outputs: heard.append((len(inputs), inputs[0] is None, len(outputs))))
    x.register_post_accumulate_grad_hook(lambda each: heard.append(each.grad.tolist()))
    torch.autograd.backward([y], [torch.ones(3)], inputs=[y], retain_graph=True)
    torch.autograd.backward([y], [torch.ones(3)], inputs=[x])
    with pytest.raises(RuntimeError) as freed:
        torch.autograd.backward([y], [torch.ones(3)], inputs=[y])
    return heard, x.grad, y.grad, str(freed.value)


@program
def what_is_no_input_of_backward_gets_nothing(torch):
    x, number = leaf(torch, 3), torch.tensor(2.0, requires_grad=True)
    y = x * 1
    y[:1] = number
    torch.autograd.backward([y], [torch.ones(3)], inputs=[y])
    return y.grad, number.grad, x.grad


@program
def inputs_of_backward_are_looked_at_last(torch):
    seen = []
    for given, wanted in (
        (torch.ones(2), torch.ones(3)),
        (torch.ones(3), torch.ones(3)),
        (torch.ones(2), leaf(torch, 2)),
    ):
        with pytest.raises(RuntimeError) as error:
            torch.autograd.backward([leaf(torch, 3) * 2], [given], inputs=[wanted])
        seen.append(str(error.value))
    return seen


@program
def hooks_before_a_node_that_is_asked_for(torch):
    x, heard = leaf(torch, 3), []
    y = x * 2
    y.grad_fn.register_prehook(lambda outputs: heard.append(outputs[0].tolist()))
    y.register_hook(lambda g: heard.append("tensor"))
    g = torch.autograd.grad([y], [y], [torch.ones(3)], retain_graph=True)
    torch.autograd.grad([y], [x], [torch.ones(3)])
    return g, heard


@program
def hooks_after_nodes_hear_what_has_a_derivative(torch):
    heard = []
    x = leaf(torch, 2, 2)
    mask = torch.tensor([True, False])
    for y in (
        x.masked_fill(mask, 2.0),
        x.masked_scatter(mask, torch.ones(2, 2)),
        torch.where(mask, x, 2.0),
        x.split(1)[0],
        x * 2,
        x.clamp(0, 1),
    ):
        y.grad_fn.register_hook(lambda inputs, outputs: heard.append((len(inputs), [each is None for each in outputs])))
        y.sum().backward()
    return heard


@program
def a_gradient_with_a_graph_is_a_copy(torch):
    x, g = leaf(torch, 2, 3), torch.ones(2, 3, requires_grad=True)
    x.backward(g, create_graph=True)
    y = leaf(torch, 2, 3)
    (y.t() * y.t()).sum().backward(create_graph=True)
    return x.grad is g, x.grad.grad_fn.name(), y.grad, y.grad.stride()


@program
def a_gradient_to_start_from_does_not_fit_the_graph(torch):
    y = leaf(torch, 1, 3) * 1
    y.data = torch.ones(1)
    torch.autograd.backward([y], [torch.ones(1)])


@program
def another_hook_on_a_view_whose_base_was_written_to(torch):
    y, heard = leaf(torch, 3) * 2, []
    view = y.view(3)
    view.register_hook(lambda g: heard.append("first"))
    y.mul_(3)
    view.register_hook(lambda g: heard.append("second"))
    view.sum().backward()
    return heard


def linear(torch, *shape):
    x = leaf(torch, *shape)
    bias = torch.ones(2)
    return x, torch.nn.functional.linear(x, torch.ones(2, 3), bias)


@program
def a_hook_on_the_result_of_linear_that_is_written_to(torch):
    heard = []
    for shape in ((3,), (2, 2, 3), (2, 3)):
        x, y = linear(torch, *shape)
        y.register_hook(lambda g: heard.append(g.tolist()))
        y.retain_grad()
        y[..., :1] = -1
        y.sum().backward()
        heard.append((x.grad.tolist(), y.grad.tolist()))
    return heard


@program
def what_linear_gives_a_view_of(torch):
    _, y = linear(torch, 2, 2, 3)
    x = leaf(torch, 3)
    vector = torch.nn.functional.linear(x, torch.ones(2, 3))
    parted = torch.nn.functional.linear(torch.ones(2, 6)[:, ::2].expand(2, 2, 3), torch.ones(2, 3), torch.ones(2))
    return y._base.grad_fn.name(), y._base, y._version, vector._version, parted._version


# -- writes


@program
def set_gives_a_history_without_derivative(torch):
    x = leaf(torch, 3)
    y, z, view = x * 2, torch.ones(2), x * 3
    y.set_()
    z.set_(x)
    view[:2].set_(torch.ones(2))
    names = [each.grad_fn.name() for each in (y, z, view)]
    edges = [[edge and edge.name() for edge, _ in each.grad_fn.next_functions] for each in (y, z)]
    with pytest.raises(RuntimeError) as error:
        z.sum().backward()
    return names, edges, y._version, y.requires_grad, str(error.value)


@program
def set_without_recording(torch):
    x, y = leaf(torch, 3), leaf(torch, 3) * 2
    with torch.no_grad():
        x.set_(torch.ones(2))
        y.set_(torch.ones(2))
    x.sum().backward()
    with torch.inference_mode():
        leaf(torch, 3).resize_(2)
    return x.grad, y, y.grad_fn.name()


@program
def triangles_of_expanded_matrices(torch):
    seen = [torch.ones(3).expand(2, 3).tril_(), torch.ones(1).expand(3, 3).triu_(1)]
    return [*seen, torch.ones(2, 2, dtype=torch.bool).triu_(), torch.ones(2, 3).t().tril_(-1)]


@program
def numbers_are_added_to_places_that_are_shared(torch):
    x = torch.ones(2)
    x[:1].expand(2, 2).index_put_((torch.tensor([1, 0]),), torch.tensor([1.0, 1.0]), True)
    return x


@program
def an_expanded_tensor_is_copied_to_itself(torch):
    x = torch.ones(2).expand(2, 2)
    return x.squeeze().copy_(x), x._version


@program
def what_clamp_says_of_dtypes(torch):
    seen = []
    for kind, bounds in (("bool", (0, 1)), ("int64", (0.5, 1)), ("int8", (None, 0.5)), ("uint8", (1.5, None))):
        x = torch.zeros(2, dtype=getattr(torch, kind))
        for given in (bounds, [each if each is None else torch.tensor([each]) for each in bounds]):
            with pytest.raises(RuntimeError) as error:
                x.clamp_(*given)
            seen.append(str(error.value))
    return seen


@program
def scattered_over_itself(torch):
    x = torch.zeros(2, 0)
    x.scatter_add_(0, torch.zeros(2, 0, dtype=torch.int64), x)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_agree(torch, candidate, name):
    PROGRAMS.agree(torch, candidate, name)
