"""`tensor.data = other`: what a graph has saved of the tensor, and what views of it and their bases become."""

import pytest

from parity_tests.suites._programs import agree, same

# What is computed from x, of which c is then given other data.
SAVING = {
    "a product": lambda ns, x, c: x * c,
    "a quotient": lambda ns, x, c: x / c,
    "a power": lambda ns, x, c: x**c,
    "a matrix product": lambda ns, x, c: x.view(1, 4) @ c.view(4, 1),
    "addcmul": lambda ns, x, c: ns.addcmul(x, x, c),
    "where": lambda ns, x, c: ns.where(c > 1, x, c) * c,
    "a squared error": lambda ns, x, c: ns.nn.functional.mse_loss(x, c, reduction="none"),
    "Huber's loss": lambda ns, x, c: ns.nn.functional.huber_loss(x, c, reduction="none"),
    "a smooth L1 loss": lambda ns, x, c: ns.nn.functional.smooth_l1_loss(x, c, reduction="none"),
    "a maximum": lambda ns, x, c: ns.maximum(x, c) * c,
    "one that broadcasts": lambda ns, x, c: x.view(4, 1) * c,
    "a write to a part": lambda ns, x, c: written_to(x * 1, lambda part: part.mul_(c[1:3])) * c,
    "a whole": lambda ns, x, c: (x * 1).mul_(c),
    "a linear map": lambda ns, x, c: ns.nn.functional.linear(x.view(2, 2), c.view(2, 2)),
}
CHANGES = {
    "set": lambda ns, c: setattr(c, "data", ns.full((4,), 8.0)),
    "set to a part": lambda ns, c: setattr(c, "data", ns.arange(12.0)[2:10:2]),
    "set, and set back": lambda ns, c: [setattr(c, "data", each) for each in (c.data, ns.ones(4), c.data)],
    "set on what is detached": lambda ns, c: setattr(c.detach(), "data", ns.full((4,), 8.0)),
    "set on its data": lambda ns, c: setattr(c.data, "data", ns.full((4,), 8.0)),
    "set, and written to": lambda ns, c: (setattr(c, "data", ns.full((4,), 8.0)), c.detach().mul_(2)),
    "its data written to": lambda ns, c: c.data.mul_(2),
    "a part of its data written to": lambda ns, c: c.data[1:3].mul_(2),
}
OPERANDS = {
    "a constant": lambda ns, x: ns.tensor([2.0, 4.0, 1.0, 2.0]),
    "a leaf": lambda ns, x: ns.tensor([2.0, 4.0, 1.0, 2.0], requires_grad=True),
    "a result": lambda ns, x: x * 2,
    "the same": lambda ns, x: x,
}


def written_to(y, write):
    """`y`, to a part of which something was written."""
    write(y[1:3])
    return y


@pytest.mark.parametrize("saving", SAVING)
@pytest.mark.parametrize("change", CHANGES)
def test_what_is_saved_of_an_operand_changes_with_it(torch, candidate, saving, change):
    def program(ns, operand):
        x = ns.tensor([1.0, 2.0, 2.0, 4.0], requires_grad=True)
        c = operand(ns, x)
        y = SAVING[saving](ns, x, c)
        CHANGES[change](ns, c)
        (y * ns.arange(1.0, y.numel() + 1).view(y.shape)).sum().backward()
        return x.grad, y, c, c._version, c.is_leaf

    for operand in OPERANDS.values():
        same(torch, candidate, lambda ns, operand=operand: program(ns, operand))


SHAPES = {"three": (3,), "two rows": (2, 4), "a column": (4, 1), "a number": (), "a square": (2, 2), "nothing": (0,)}
ELEMENTWISE = {
    "a product": SAVING["a product"],
    "a quotient": SAVING["a quotient"],
    "a power": SAVING["a power"],
    "a maximum": SAVING["a maximum"],
    "a squared error": SAVING["a squared error"],
    "an angle": lambda ns, x, c: ns.atan2(x, c),
    "addcmul": SAVING["addcmul"],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("saving", ELEMENTWISE)
def test_data_of_another_shape(torch, candidate, saving, shape):
    """What no longer fits is told in torch's words, what still broadcasts as a gradient of the wrong shape."""

    def program(ns, operand):
        x = ns.tensor([1.0, 2.0, 2.0, 4.0], requires_grad=True)
        c = operand(ns, x)
        y = ELEMENTWISE[saving](ns, x, c)
        c.data = ns.ones(SHAPES[shape])
        y.sum().backward()
        return x.grad

    for operand in OPERANDS.values():
        same(torch, candidate, lambda ns, operand=operand: program(ns, operand))


ACTIVATIONS = {
    "GELU": lambda ns, x: ns.nn.functional.gelu(x),
    "GELU by tanh": lambda ns, x: ns.nn.functional.gelu(x, approximate="tanh"),
    "SiLU": lambda ns, x: ns.nn.functional.silu(x),
    "Mish": lambda ns, x: ns.nn.functional.mish(x),
    "softplus": lambda ns, x: ns.nn.functional.softplus(x),
}


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_data_written_to_after_an_activation(torch, candidate, activation, held):
    """`held`: the data was asked for before."""

    def program(ns, tensor):
        x = tensor([-2.0, -0.5, 0.5, 3.0], requires_grad=True)
        data = x.data if held else None
        y = ACTIVATIONS[activation](ns, x)
        (data if held else x.data).mul_(2)
        y.sum().backward()
        return x.grad

    agree(torch, candidate, program)


RESULTS = [
    lambda ns, y: y.relu(),
    lambda ns, y: y.sqrt(),
    lambda ns, y: ns.nn.functional.threshold(y, 1.0, 0.0),
]


@pytest.mark.parametrize("saving", RESULTS)
def test_what_is_saved_of_a_result_stays(torch, candidate, saving):
    def program(ns):
        x = ns.tensor([1.0, 4.0, 16.0], requires_grad=True)
        y = saving(ns, x)
        y.data = ns.full((3,), 7.0)
        y.sum().backward()
        return x.grad, y

    same(torch, candidate, program)


INDICES = {
    "by an index": lambda x, i: x[i],
    "by two": lambda x, i: x.view(2, 2)[i, i],
    "gather": lambda x, i: x.gather(0, i),
    "index_select": lambda x, i: x.index_select(0, i),
    "index_fill": lambda x, i: x.index_fill(0, i, 3.0),
    "index_add": lambda x, i: x.index_add(0, i, x[:2]),
    "an assignment": lambda x, i: written_to(x * 1, lambda part: part.__setitem__(i, part * 3)),
}


@pytest.mark.parametrize("read", INDICES)
def test_a_saved_index_changes(torch, candidate, read):
    def program(ns):
        x = ns.arange(4.0, requires_grad=True)
        i = ns.tensor([0, 1])
        y = INDICES[read](x, i)
        i.data = ns.tensor([1, 0])
        (y * ns.arange(1.0, y.numel() + 1)).sum().backward()
        return x.grad, y

    same(torch, candidate, program)


# A part v of y: what of them is given other memory, and which of them is then written to.
MEMORY = {
    "as large": lambda ns: ns.full((2,), 7.0),
    "further on": lambda ns: ns.arange(10.0)[1:3],
    "with gaps": lambda ns: ns.arange(10.0)[1:4:2],
    "out of reach": lambda ns: ns.arange(10.0)[4:10:2],
    "too large": lambda ns: ns.full((7,), 7.0),
    "empty": lambda ns: ns.ones(0),
    "a matrix": lambda ns: ns.arange(4.0).view(2, 2).t(),
    "four": lambda ns: ns.full((4,), 7.0),
    "four further on": lambda ns: ns.arange(10.0)[2:6],
}


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("given", ["view", "base"])
@pytest.mark.parametrize("written", ["view", "base"])
def test_views_of_what_was_given_other_memory(torch, candidate, memory, given, written):
    def program(ns):
        x = ns.arange(4.0, requires_grad=True)
        y = x * 2
        v = y[1:3]
        which = {"view": v, "base": y}
        which[given].data = MEMORY[memory](ns)
        which[written].mul_(3)
        before = [(each.tolist(), each.is_leaf, each._version, each._base is y) for each in (v, y)]
        ((v * v).sum() + y.sum()).backward()
        return before, x.grad

    same(torch, candidate, program)


WRITES = {
    "zero_": lambda ns, z: z.zero_(),
    "fill_": lambda ns, z: z.fill_(2),
    "masked_fill_": lambda ns, z: z.masked_fill_(ns.tensor([True, False, True]), 2.0),
    "an element": lambda ns, z: z.__setitem__(0, 1.0),
    "elements": lambda ns, z: z.__setitem__(ns.tensor([0, 1]), 1.0),
    "a mask": lambda ns, z: z.__setitem__(ns.tensor([True, False, True]), 1.0),
    "index_fill_": lambda ns, z: z.index_fill_(0, ns.tensor([0]), 1.0),
}


@pytest.mark.parametrize("write", WRITES)
def test_an_expanded_part_that_was_written_to_has_no_gradient(torch, candidate, write):
    def program(ns):
        x = ns.ones(2, requires_grad=True)
        y = x * 1
        WRITES[write](ns, y[:1].expand(3))
        y.sum().backward()
        return x.grad

    same(torch, candidate, program)
