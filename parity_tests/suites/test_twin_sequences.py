"""What walks of the twin state machine have found in sequences of steps: hooks, saved values, complex numbers, empty views."""

import pytest

from parity_tests.suites._registry import Programs, leaf

PROGRAMS = Programs()
program = PROGRAMS.program


# -- hooks


@program
def hooks_on_a_view_that_nothing_leads_back_from(torch):
    x, heard = leaf(torch, 3), []
    with torch.no_grad():
        view = x.view(3)
    view.register_hook(lambda g: heard.append(g.tolist()) or g * 2)
    view.register_post_accumulate_grad_hook(lambda each: heard.append(each.grad.tolist()))
    (view * 2).sum().backward()
    view.requires_grad_()
    (view * 2).sum().backward()
    return heard, view.grad, x.grad


def heard_after(make):
    def function(torch):
        heard, x = [], leaf(torch, 4, 2)
        for y in make(torch, x):
            y.grad_fn.register_hook(
                lambda inputs, outputs: heard.append(
                    [None if g is None else g.tolist() for each in (inputs, outputs) for g in each]
                )
            )
            y.backward(torch.ones_like(y), retain_graph=True)
        return heard, x.grad

    return function


def linear_maps(torch, x):
    weight = torch.arange(6.0).reshape(3, 2)
    for bias in (None, torch.ones(3)):
        for each in (x, x[0], x.reshape(2, 2, 2)):
            yield torch.nn.functional.linear(each, weight, bias)


def sequences(torch, x):
    yield torch.cat([x, torch.ones(1, 2), torch.ones(2, 2, dtype=torch.int64)])
    yield torch.stack([torch.ones(4, 2), x])


def views_without_recording(torch, x):
    with torch.no_grad():
        view = x[1:]
    yield view.t()
    yield view * 2


for _make in (linear_maps, sequences, views_without_recording):
    PROGRAMS[f"hooks after nodes of {_make.__name__.replace('_', ' ')}"] = heard_after(_make)


@program
def a_hook_after_a_linear_map_changes_the_gradient(torch):
    x = leaf(torch, 2, 2, 2)
    y = torch.nn.functional.linear(x, torch.ones(3, 2), torch.ones(3))
    y.grad_fn.register_hook(lambda inputs, outputs: tuple(each * 2 for each in inputs))
    y.sum().backward()
    return x.grad


# -- saved values


def passes_twice(make):
    def function(torch):
        with torch.no_grad():
            view = leaf(torch, 2, 3)[:]
        y = make(torch, view)
        for _ in range(2):
            y.backward(torch.ones_like(y))

    return function


for _name, _make in {
    "a product": lambda torch, x: x * x,
    "a product with a constant": lambda torch, x: x * torch.ones(2, 3),
    "exp": lambda torch, x: x.exp(),
    "a quotient": lambda torch, x: x / x,
    "an index": lambda torch, x: x[torch.tensor([0])],
    "where": lambda torch, x: torch.where(x > 0, x, x),
}.items():
    PROGRAMS[f"two passes through {_name} that nothing leads back from"] = passes_twice(_make)


@program
def a_detached_operand_beside_the_one_it_was_detached_from(torch):
    y = leaf(torch, 2, 3) * 2
    detached = y.detach()
    y.triu_()
    z = y * detached
    detached.fill_(0)
    z.sum().backward()


@program
def a_leaf_that_was_laid_elsewhere(torch):
    seen = []
    for shape in ((), (2,), (0,)):
        x = leaf(torch, 3)
        y = x * x
        x.register_hook(lambda g: seen.append(g.tolist()))
        with torch.no_grad():
            x.set_(torch.ones(shape))
        (x * 2).sum().backward()
        seen.append((x.grad.tolist(), y.shape))
    return seen


@program
def a_view_of_a_leaf_that_was_laid_elsewhere(torch):
    x = leaf(torch, 2, 3)
    diagonal = x.diagonal(-1)
    with torch.no_grad():
        x.set_()
    diagonal[None].backward(torch.ones(1, 1))
    return x.grad


@program
def a_gradient_for_a_leaf_of_another_shape(torch):
    x = torch.tensor(1.0, requires_grad=True)
    y = x * x
    x.data = torch.zeros(0)
    y.backward()
    return x.grad


def result_of_a_view(again):
    def function(torch):
        y = leaf(torch, 2, 2) * 1
        view = y[:]
        view.sigmoid_()
        (view if again else y).tril_()
        y.sum().backward()

    return function


for _again in (False, True):
    PROGRAMS[f"a result that a view was given is written to, {_again=}".replace("_", "")] = result_of_a_view(_again)


@program
def a_view_of_which_nothing_is_saved_is_written_to(torch):
    x = leaf(torch, 2, 2)
    with torch.no_grad():
        view = x[:]
    y = view * view
    view.detach().zero_()
    y.sum().backward()
    return x.grad


def view_made_under(mode):
    def function(torch):
        x = leaf(torch, 2, 3)
        with getattr(torch, mode)():
            view = x[::2, :-1]
        y = view.square()
        with torch.no_grad():
            view.mul_(2)
        y.sum().backward()

    return function


for _mode in ("no_grad", "inference_mode"):
    PROGRAMS[f"a saved view that was made under {_mode} is written to"] = view_made_under(_mode)


@program
def a_saved_view_of_a_view_that_was_made_without_recording(torch):
    with torch.no_grad():
        view = leaf(torch, 2, 2)[:]
    diagonal = view.diagonal()
    y = view @ diagonal
    diagonal.detach().zero_()
    y.sum().backward()


@program
def a_leaf_of_another_shape_requires_grad_again(torch):
    x = leaf(torch, 2, 3)
    y = x.flatten()
    x.data = y
    x.detach_()
    x.requires_grad_()
    x.backward(torch.ones(6))


@program
def a_leaf_is_laid_elsewhere_in_inference_mode(torch):
    x = torch.tensor(1.0, requires_grad=True)
    y = x * x
    y.backward(retain_graph=True)
    with torch.inference_mode():
        x.set_()
    torch.nn.functional.linear(x, torch.zeros(2, 0), torch.ones(2)).sum().backward()
    return x.grad


@program
def an_operand_was_given_data_of_another_shape(torch):
    x = leaf(torch, 2, 3)
    y = x * x
    x.data = torch.ones(4)
    y.sum().backward()


@program
def hooks_on_a_leaf_that_leads_to_no_input(torch):
    x, heard = leaf(torch, 3), []
    x.register_hook(lambda g: heard.append(g.tolist()))
    g = torch.autograd.grad([x], [x.unsqueeze(0)], [torch.ones(3)], allow_unused=True)
    return g, heard


# -- inference mode


@program
def an_operand_of_inference_mode_does_not_fit(torch):
    x, seen = leaf(torch, 2, 2), []
    with torch.inference_mode():
        other = x.expand(2, 2, 2) * 1
    for target in (x * 1, other[0]):
        with pytest.raises(RuntimeError) as error:
            target.mul_(other)
        seen.append(str(error.value))
    return seen


@program
def a_lost_history_does_not_matter_in_inference_mode(torch):
    x = leaf(torch, 2, 2)
    y = x * 1
    piece, _ = y.unbind()
    y.add_(1)
    with torch.inference_mode():
        target = torch.zeros(2, 2)
        target[torch.tensor([False, True])] = piece
    return target


@program
def the_data_of_inference_mode_is_set(torch):
    x = leaf(torch, 2)
    with torch.inference_mode():
        y = x * 2
    data = y.data
    data.set_(x)
    return data.grad_fn.name()


# -- complex numbers


@program
def complex_numbers_are_reduced_into_in_place(torch):
    seen = []
    for index, kind, reduce in (
        ([0], "complex64", "sum"),
        ([0], "complex64", "amax"),
        ([0], "float32", "amax"),
        ([], "complex64", "amin"),
    ):
        y = torch.complex(leaf(torch, 2), leaf(torch, 2))
        source = torch.ones(len(index), dtype=getattr(torch, kind))
        try:
            y.scatter_reduce_(0, torch.tensor(index, dtype=torch.int64), source, reduce)
            seen.append(y.detach())
        except (RuntimeError, NotImplementedError) as error:
            seen.append((type(error).__name__, str(error)))
    return seen


@program
def pairs_whose_stride_does_not_matter(torch):
    return torch.view_as_complex(torch.ones(3).as_strided((1, 2), (1, 1)))


@program
def empty_pairs_as_complex_numbers(torch):
    seen = [torch.view_as_complex(torch.zeros(shape)).stride() for shape in ((0, 2), (2, 0, 2), (0, 3, 2))]
    with pytest.raises(RuntimeError) as error:
        torch.view_as_complex(torch.zeros(2, 0).t())
    return seen, str(error.value)


# -- empty views


@program
def where_empty_views_lie(torch):
    x, y = torch.zeros(4, 3), torch.zeros(2, 0, 3)
    views = (
        x[2:2],
        x[:, 1:1],
        x[4:],
        x[3:1],
        x[-1:-2],
        x[9:],
        x[2:2, 1],
        x[None, 2:2],
        x[2:2, None, 1:],
        x[1:3, ..., 3:3],
        x[..., 4:4],
        x[1][2:2],
        x[1:1][0:0],
        y[1:],
        y[:, :, 1],
    )
    return [(each.shape, each.stride()) for each in views], [each.storage_offset() for each in views[:-2]]


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_agree(torch, candidate, name):
    PROGRAMS.agree(torch, candidate, name)
