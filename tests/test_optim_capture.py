"""Optimisers inside a compiled step: the bits of eager steps, whatever changes between the steps."""

import copy

import numpy as np
import pytest

import minitorch_like as torch

OPTIMIZERS = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.2, "maximize": True}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.01, "amsgrad": True}),
    ("RMSprop", {"lr": 0.01, "centered": True, "momentum": 0.5}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1}),
]


def train(name, options, between, *, compiled, steps=40):
    """Losses, parameters and state of a run; `between(index, optimizer)` is called after each step."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    x = torch.tensor(np.random.default_rng(0).standard_normal((5, 3)).astype("float32"))
    optimizer = getattr(torch.optim, name)(net.parameters(), **options)
    act = between(optimizer)

    def step():
        optimizer.zero_grad()
        loss = ((net(x) - 1) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    run = torch.compile(step) if compiled else step
    losses = []
    for index in range(steps):
        losses.append(run().item())
        act(index)
    values = [[value.tolist() for value in each.values()] for each in optimizer.state.values()]
    return losses, [param.tolist() for param in net.parameters()], values


def scheduled(optimizer):
    cycle = "momentum" in optimizer.defaults or "betas" in optimizer.defaults
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, 50, cycle_momentum=cycle)
    return lambda index: scheduler.step()


def disturbed(optimizer):
    def act(index):
        group = optimizer.param_groups[0]
        if index == 8:
            group["maximize"] = not group["maximize"]
        elif index == 12:
            group["weight_decay"] = 0.3
        elif index == 16:
            group["lr"] = torch.tensor(0.02)
        elif index == 20:
            optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        elif index == 24:
            optimizer.state.clear()
        elif index == 28:
            group["params"].pop()

    return act


@pytest.mark.parametrize("between", [scheduled, disturbed])
@pytest.mark.parametrize(("name", "options"), OPTIMIZERS, ids=str)
def test_a_compiled_step_gives_the_bits_of_an_eager_one(name, options, between):
    assert train(name, options, between, compiled=True) == train(name, options, between, compiled=False)


def test_a_parameter_may_get_other_memory():
    param = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([param], lr=0.5)
    for shape in ((2,), (3,), (2, 2), ()):
        param.data = torch.ones(shape)
        param.grad = torch.ones(shape)
        optimizer.step()
        assert param.data.tolist() == torch.full(shape, 0.5).tolist()


def test_a_step_allocates_nothing_that_stays():
    param = torch.nn.Parameter(torch.ones(1000))
    optimizer = torch.optim.Adam([param])
    param.grad = torch.ones(1000)
    optimizer.step()
    (workspace,) = optimizer._workspaces.values()
    before = workspace.slots[0]
    optimizer.step()
    assert workspace.slots[0] is before
