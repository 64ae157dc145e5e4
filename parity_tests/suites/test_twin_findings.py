"""What walks of the twin state machine have found once: leaves, inference mode, saved tensors, the order of errors."""

import pickle

import pytest

from parity_tests.suites._registry import Programs, leaf

PROGRAMS = Programs()
program = PROGRAMS.program


# -- leaves


@program
def hooks_on_a_leaf_that_nobody_holds(torch):
    x, heard = leaf(torch, 3), []
    x.register_hook(lambda g: heard.append(g.tolist()))
    x.register_post_accumulate_grad_hook(lambda each: heard.append(each.grad.tolist()))
    y = x * 2
    y.sum().backward(retain_graph=True)
    del x
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    return heard


@program
def the_gradient_of_a_forgotten_leaf_was_set_to_none(torch):
    x, heard = leaf(torch, 3), []
    x.register_post_accumulate_grad_hook(lambda each: heard.append(each.grad.tolist()))
    y = x * 2
    y.sum().backward(retain_graph=True)
    x.grad = None
    del x
    y.sum().backward()
    return heard


@program
def a_forgotten_leaf_has_its_attributes(torch):
    x, seen = leaf(torch, 3), []
    x.mark = "mark"
    x.register_post_accumulate_grad_hook(lambda each: seen.append((each.mark, each, each.requires_grad)))
    y = x * 2
    del x
    y.sum().backward()
    return seen


@program
def hooks_of_a_leaf_that_was_frozen_for_a_while(torch):
    x, heard = leaf(torch, 3), []
    x.register_hook(lambda g: heard.append(("first", g.tolist())))
    y = x * 2
    x.requires_grad_(False)
    y.sum().backward(retain_graph=True)
    x.requires_grad_()
    x.register_hook(lambda g: heard.append(("second", g.tolist())))
    y.sum().backward()
    (x * 3).sum().backward()
    return heard, x.grad


@program
def hooks_of_what_was_detached_in_place(torch):
    x, heard = leaf(torch, 3), []
    y = x * 2
    y.register_hook(lambda g: heard.append(("first", g.tolist())))
    z = y * 1
    y.detach_()
    y.requires_grad_()
    y.register_hook(lambda g: heard.append(("second", g.tolist())))
    (y * 5).sum().backward()
    z.sum().backward()
    return heard, x.grad


@program
def a_leaf_that_has_become_part_of_a_graph(torch):
    x = leaf(torch, 3)
    y = x * 2
    x.requires_grad_(False)
    x.mul_(y)
    x.sum().backward()


@program
def detached_in_place_it_says_that_it_retains(torch):
    y = leaf(torch, 3) * 2
    y.retain_grad()
    y.detach_()
    return y.retains_grad, y.requires_grad


def turned(before, after):
    def function(torch):
        x = leaf(torch, 2, 3)
        y = x * 2
        if before:
            x.sum().backward()
        with torch.no_grad():
            x.t_()
        if after:
            y = x * 2
        y.sum().backward()
        return x, x.grad

    return function


for _before in (False, True):
    for _after in (False, True):
        PROGRAMS[f"a leaf is turned round, {_before=}, {_after=}".replace("_", "")] = turned(_before, _after)


@program
def a_leaf_is_turned_round_that_no_graph_knows(torch):
    x = leaf(torch, 2, 3)
    with torch.no_grad():
        x.t_()
    (x * 2).sum().backward()
    return x, x.grad


# -- inference mode


@program
def what_is_detached_from_inference_mode_is_not_saved(torch):
    with torch.inference_mode():
        x = torch.ones(3)
    return x.detach() * leaf(torch, 3)


@program
def an_index_of_inference_mode_is_not_saved(torch):
    with torch.inference_mode():
        index = torch.tensor([0, 1])
    y = leaf(torch, 3) * 1
    for each in (index, index.detach()):
        with pytest.raises(RuntimeError, match="Inference tensors cannot be saved"):
            y[each]
        with pytest.raises(RuntimeError, match="Inference tensors cannot be saved"):
            y[each] = 2.0
    return y, y._version


@program
def nothing_is_recorded_in_inference_mode(torch):
    x = leaf(torch, 3)
    z = x * x
    with torch.inference_mode(), torch.enable_grad():
        y = x * x
        z.mul_(2)
        x.mul_(3)
        seen = y.requires_grad, y.is_inference(), torch.is_grad_enabled()
    with torch.inference_mode(), torch.set_grad_enabled(True), torch.no_grad():
        seen += (torch.is_grad_enabled(),)
    return seen, z.grad_fn.name(), x, torch.is_grad_enabled()


@program
def gradients_of_inference_mode(torch):
    x = leaf(torch, 3)
    y = (x * 2).sum()
    with torch.inference_mode():
        y.backward(retain_graph=True)
        y.backward(retain_graph=True)
    seen = x.grad.is_inference(), x.grad.tolist()
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor"):
        y.backward()
    return seen


@program
def a_graph_is_asked_for_in_inference_mode(torch):
    x = leaf(torch, 3)
    y = (x * x).sum()
    with torch.inference_mode():
        (g,) = torch.autograd.grad(y, x, create_graph=True)
    return g.tolist(), g.requires_grad, g.is_inference()


def exchanged(own, other):
    def function(torch):
        def made(inference):
            with torch.inference_mode(inference):
                return torch.ones(2)

        x = made(own)
        x.data = made(other)
        seen = [x.is_inference()]
        for ask in (
            lambda: x._version,
            lambda: x.mul_(2).tolist(),
            lambda: x.detach().is_inference(),
            lambda: (x[0].is_inference(), x[0]._is_view()),
            lambda: leaf(torch, 2).mul(x).tolist(),
        ):
            try:
                seen.append(ask())
            except RuntimeError as error:
                seen.append(str(error))
        return seen

    return function


for _own in (False, True):
    for _other in (False, True):
        PROGRAMS[f"data of a tensor, inference {_own}, is one, inference {_other}"] = exchanged(_own, _other)


@program
def bytes_seen_in_inference_mode(torch):
    x = torch.ones(2)
    with torch.inference_mode():
        return x.view(torch.int32).is_inference(), x.view(2).is_inference()


# -- what graphs have saved


@program
def saved_and_then_detached_in_place(torch):
    x = leaf(torch, 3)
    y = x * 2
    z = y * y
    y.detach_()
    z.sum().backward()


@program
def a_result_that_was_detached_in_place(torch):
    x = leaf(torch, 3)
    y = x.relu()
    z = y * 1
    y.detach_()
    z.sum().backward()
    return x.grad


@program
def saved_detached_and_given_a_history(torch):
    x = leaf(torch, 3)
    y = x * 2
    z = y * y
    y.detach_()
    y.mul_(x)
    z.sum().backward()


@program
def a_saved_leaf_has_a_history_now(torch):
    x = leaf(torch, 3)
    y = x * x
    x.detach_()
    x.mul_(y)
    y.sum().backward()


@program
def saved_without_history_and_its_memory_written_to(torch):
    y = leaf(torch, 3) * 2
    y *= y.view(torch.float32)
    y.sum().backward()


@program
def saved_and_then_turned_round(torch):
    y = leaf(torch, 3) * 2
    z = y * y
    y.t_()
    z.sum().backward()


def written_later(make, written):
    def function(torch):
        operands = [leaf(torch, 3) * 1, torch.tensor([0, 1, 2]), leaf(torch, 3) * 1]
        result = make(*operands)
        operands[written].detach().mul_(1)
        result.sum().backward()

    return function


for _name, _make in {
    "gather": lambda x, index, y: x.gather(0, index),
    "take": lambda x, index, y: x.take(index),
    "masked select": lambda x, index, y: x.masked_select(index > 0),
    "index add": lambda x, index, y: x.index_add(0, index, y),
    "index copy": lambda x, index, y: x.index_copy(0, index, y),
    "put": lambda x, index, y: x.put(index, y),
}.items():
    for _operand in (0, 2):
        PROGRAMS[f"operand {_operand} of {_name} is written to later"] = written_later(_make, _operand)


# -- which of two errors


def lost(torch):
    """A piece of what split gave, whose base was written to: it has no history any more."""
    y = leaf(torch, 4) * 2
    piece = y.split(2)[0]
    y.add_(1)
    return piece


@program
def a_lost_history_comes_before_sizes(torch):
    def attempts(piece):
        yield lambda: piece.select(0, 7)
        yield lambda: piece.swapaxes(3, 0)
        yield lambda: piece.view(3, 5)
        yield lambda: torch.add(piece, torch.ones(5))
        yield lambda: torch.sum(piece, 4)

    seen = []
    for attempt in attempts(lost(torch)):
        with pytest.raises(RuntimeError) as error:
            attempt()
        seen.append(str(error.value))
    return seen


@program
def a_lost_history_is_not_asked_for(torch):
    piece = lost(torch)
    return piece.contiguous() is piece, pickle.loads(pickle.dumps(piece)).tolist(), piece.numel()


def attempts_on_expanded(torch):
    x = torch.ones(2).expand(2, 2)
    one = torch.ones(1, 2)
    yield lambda: x.index_add_(0, torch.tensor([1.0]), one)
    yield lambda: x.index_add_(0, torch.tensor([7]), one)
    yield lambda: x.index_copy_(0, torch.tensor([7]), one)
    yield lambda: x.scatter_(0, torch.tensor([1.0]), one)
    yield lambda: x.scatter_add_(0, torch.tensor([[7]]), one)
    yield lambda: x.put_(torch.tensor([1.0]), one)
    yield lambda: torch.zeros(1, dtype=torch.bool).expand(2).clamp_(0, 1)
    yield lambda: leaf(torch, 2).expand(2, 2).index_copy_(0, torch.tensor([0]), one)
    yield lambda: leaf(torch, 2).expand(2, 2).put_(torch.tensor([0]), one[0, :1])
    yield lambda: leaf(torch, 2).index_put_((torch.tensor([0]),) * 2, one[0, :1])


@program
def what_is_wrong_first_with_an_expanded_target(torch):
    seen = []
    for attempt in attempts_on_expanded(torch):
        with pytest.raises((RuntimeError, IndexError)) as error:
            attempt()
        seen.append((type(error.value).__name__, str(error.value)))
    return seen


@program
def what_is_wrong_with_an_index_into_nothing(torch):
    seen, index = [], torch.tensor([5])
    for shape in ((0,), (2, 0), (0, 2), (2, 0, 2), (0, 2, 2), (2,), (2, 2), (2, 3, 2)):
        for dim in range(len(shape)):
            source = torch.ones(*shape[:dim], 1, *shape[dim + 1 :])
            for name, value in (("index_fill_", 2), ("index_copy_", source), ("index_add_", source)):
                x = torch.zeros(shape)
                try:
                    getattr(x, name)(dim, index, value)
                    seen.append((name, x._version))
                except (RuntimeError, IndexError) as error:
                    seen.append((name, type(error).__name__, str(error)))
    return seen


@program
def a_gradient_of_another_dtype_and_size(torch):
    torch.zeros(2, dtype=torch.int64).grad = torch.ones(3)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_agree(torch, candidate, name):
    PROGRAMS.agree(torch, candidate, name)
