"""Autograd as its user meets it: accumulation, hooks, grad modes, orders of derivative, changes in place."""

import pytest

from parity_tests.suites._programs import same

PROGRAMS = {}


def program(function):
    """Register a program: a function of a namespace, whose result (or error) must be the same under both."""
    PROGRAMS[function.__name__.replace("_", " ")] = function
    return function


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_agree(torch, candidate, name):
    same(torch, candidate, PROGRAMS[name])


def leaf(torch, *shape):
    size = 1
    for each in shape:
        size *= each
    return (torch.arange(size).reshape(shape).to(torch.float32) - 1).requires_grad_()


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
