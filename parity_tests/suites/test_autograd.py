"""Autograd as its user meets it: accumulation, several roots, kept graphs, orders of derivative, names of nodes."""

import pytest

from parity_tests.suites._registry import Programs, leaf

PROGRAMS = Programs()
program = PROGRAMS.program


# -- accumulation


@program
def gradients_add_up(torch):
    x = leaf(torch, 3)
    (x * x).sum().backward()
    first = x.grad
    (3 * x).sum().backward()
    return x, first is x.grad, first


@program
def a_gradient_that_was_set_is_added_to(torch):
    x = leaf(torch, 3)
    x.grad = torch.ones(3)
    kept = x.grad
    (x * x).sum().backward()
    return x, kept


@program
def a_gradient_set_to_none_starts_again(torch):
    x = leaf(torch, 3)
    (x * x).sum().backward()
    x.grad = None
    (2 * x).sum().backward()
    return x


@program
def a_gradient_is_zeroed_in_place(torch):
    x = leaf(torch, 3)
    (x * x).sum().backward()
    x.grad.zero_()
    before = x.grad
    (2 * x).sum().backward()
    return x, before is x.grad


@program
def accumulation_is_in_place_unless_a_graph_is_made(torch):
    x = leaf(torch, 3)
    (x * x).sum().backward()
    first = x.grad
    (x * x * x).sum().backward(create_graph=True)
    return first, x.grad.detach(), first is x.grad, x.grad.requires_grad


@program
def a_shared_node_is_visited_once(torch):
    x = leaf(torch, 4)
    y = x * 2
    z = y * y + y.sum() - y
    z.backward(torch.arange(4.0))
    return x


@program
def the_same_tensor_twice_in_one_op(torch):
    x = leaf(torch, 3)
    torch.stack([x, x, x]).backward(torch.arange(9.0).reshape(3, 3))
    return x


@program
def a_leaf_that_takes_no_part(torch):
    x, y = leaf(torch, 3), leaf(torch, 3)
    (x * 2).sum().backward()
    return x, y


@program
def backward_to_some_inputs_only(torch):
    x, y = leaf(torch, 3), leaf(torch, 3)
    (x * y).sum().backward(inputs=[x])
    return x, y


@program
def backward_to_an_intermediate(torch):
    x = leaf(torch, 3)
    y = x * 2
    (y * y).sum().backward(inputs=[y])
    return x, y


@program
def backward_to_no_inputs(torch):
    leaf(torch).backward(inputs=[])


@program
def several_roots(torch):
    x = leaf(torch, 3)
    torch.autograd.backward([x * 2, (x * x).sum()], [torch.arange(3.0), torch.tensor(2.0)])
    return x


@program
def a_root_that_is_a_leaf(torch):
    x = leaf(torch)
    x.backward()
    return x


# -- keeping the graph


@program
def the_graph_is_freed(torch):
    y = leaf(torch, 3).exp().sum()
    y.backward()
    y.backward()


@program
def a_graph_that_saved_nothing_can_be_walked_again(torch):
    x = leaf(torch, 3)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    return x


@program
def the_graph_is_kept_on_request(torch):
    x = leaf(torch, 3)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    return x


@program
def a_part_of_a_graph_is_freed(torch):
    x = leaf(torch, 3)
    y = x * x
    y.sum().backward()
    (y * 2).sum().backward()


# -- autograd.grad


@program
def grad_leaves_grad_alone(torch):
    x = leaf(torch, 3)
    return torch.autograd.grad((x * x).sum(), x), x


@program
def grad_of_one_is_a_tuple(torch):
    x = leaf(torch, 3)
    return type(torch.autograd.grad((x * x).sum(), [x])).__name__


@program
def grad_with_respect_to_an_intermediate(torch):
    x = leaf(torch, 3)
    y = x * 2
    z = (y * y).sum()
    return torch.autograd.grad(z, [y, x])


@program
def grad_of_an_unused_input(torch):
    x, y = leaf(torch, 3), leaf(torch, 3)
    return torch.autograd.grad((x * x).sum(), [x, y], allow_unused=True)


@program
def grad_of_an_unused_input_as_zeros(torch):
    x, y = leaf(torch, 3), leaf(torch, 2)
    return torch.autograd.grad((x * x).sum(), [x, y], materialize_grads=True)


@program
def grad_of_an_output_with_respect_to_itself(torch):
    y = leaf(torch, 3) * 2
    return torch.autograd.grad(y, y, torch.arange(3.0))


@program
def grad_twice_without_retaining(torch):
    x = leaf(torch, 3)
    y = (x * x).sum()
    torch.autograd.grad(y, x)
    torch.autograd.grad(y, x)


@program
def derivatives_of_three_orders(torch):
    x = leaf(torch, 3)
    found, value = [], (x * x * x * x).sum()
    for _ in range(4):
        (grad,) = torch.autograd.grad(value, x, create_graph=True)
        found.append(grad.detach())
        value = grad.sum()
    return found, grad.requires_grad


@program
def a_gradient_penalty(torch):
    x, w = leaf(torch, 2, 3), leaf(torch, 3, 2)
    y = torch.relu(x @ w)
    (grad,) = torch.autograd.grad((y * y).sum(), x, create_graph=True)
    penalty = (grad * grad).sum()
    penalty.backward()
    return x.grad, w.grad, penalty.detach()


# -- names


@program
def nodes_tell_their_names(torch):
    x, w = leaf(torch, 2, 2), leaf(torch, 2, 2)
    results = [x + 1, x - w, x * w, x / 2, x**2, 2**x, x @ w, -x, x.exp(), x.relu(), x.sum(), x.sum(0), x.mean(), x.t()]
    results += [x[0], x[:, 1], x.reshape(4), x.view(4), x.max(), x.max(0).values, x.abs(), x.clone(), x.softmax(0)]
    return [(result.grad_fn.name(), type(result.grad_fn).__name__) for result in results]


@program
def a_leaf_has_no_node(torch):
    return leaf(torch, 3).grad_fn, torch.ones(3).grad_fn, leaf(torch, 3).is_leaf, (leaf(torch, 3) * 2).is_leaf


@program
def nodes_know_those_before_them(torch):
    x = leaf(torch, 3)
    node = (x * 2 + 1).grad_fn
    before = node.next_functions
    return [type(each).__name__ for each, _ in before], [index for _, index in before]


@program
def the_leaf_at_the_end_of_the_graph(torch):
    x = leaf(torch, 3)
    accumulate = (x * 2).grad_fn.next_functions[0][0]
    return type(accumulate).__name__, accumulate.variable is x


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_agree(torch, candidate, name):
    PROGRAMS.agree(torch, candidate, name)
