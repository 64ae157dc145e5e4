"""The design, proved on a three-layer MLP: one derivative rule for every use, replay bit for bit, no leaks, no recursion."""

from __future__ import annotations

import gc
import pickle
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitorch_like as torch
from minitorch_like import nn, optim
from minitorch_like.ops import TABLE

XS = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
YS = [[1.0], [0.0], [0.0], [1.0]]


def mlp(activation: type[nn.Module] = nn.Tanh) -> nn.Sequential:
    torch.manual_seed(7)
    return nn.Sequential(nn.Linear(3, 4), activation(), nn.Linear(4, 4), activation(), nn.Linear(4, 1))


def training(
    optimizer: Callable[[Any], optim.Optimizer], activation: type[nn.Module] = nn.Tanh
) -> tuple[nn.Module, optim.Optimizer, Callable[[Any, Any], Any]]:
    model = mlp(activation)
    chosen = optimizer(model.parameters())
    loss_fn = nn.MSELoss()

    def step(x: Any, y: Any) -> Any:
        chosen.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        chosen.step()
        return loss

    return model, chosen, step


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# -- one rule, three uses ----------------------------------------------------------------------------------------


@pytest.fixture
def tanh_rule_calls() -> Iterator[list[type]]:
    """The types that the rule of tanh is called with."""
    seen: list[type] = []
    rules = TABLE["tanh"].rule_calls
    rule = rules[0]
    assert rule is not None

    def call(g: Any, saved: Any) -> Any:
        seen.append(type(g))
        return rule(g, saved)

    rules[0] = call
    yield seen
    rules[0] = rule


def test_one_rule_serves_eager_higher_orders_and_capture(tanh_rule_calls: list[type]) -> None:
    seen = tanh_rule_calls
    model, _, step = training(lambda p: optim.SGD(p, lr=0.01))
    x, y = torch.tensor(XS), torch.tensor(YS)
    step(x, y)
    assert {each.__name__ for each in seen} == {"ndarray"}
    seen.clear()
    torch.autograd.grad(model(x).sum(), list(model.parameters()), create_graph=True)
    assert {each.__name__ for each in seen} == {"Tensor"}
    seen.clear()
    compiled = torch.compile(step)
    compiled(x, y)
    seen.clear()
    compiled(x, y)
    assert {each.__name__ for each in seen} == {"TracedArray"}
    compiled(x, y)  # replayed, and for comparison run eagerly
    seen.clear()
    compiled(x, y)
    assert seen == []  # a replay runs no rule at all


def test_third_derivatives_match_finite_differences() -> None:
    model = mlp().double()
    x = torch.tensor(XS, dtype=torch.float64, requires_grad=True)
    v = torch.linspace(-1, 1, 12, dtype=torch.float64).view(4, 3)

    def second(at: Any) -> Any:
        """v-directional derivative, twice, of the summed output."""
        value = model(at).sum()
        for _ in range(2):
            (g,) = torch.autograd.grad(value, at, create_graph=True)
            value = (g * v).sum()
        return value

    (third,) = torch.autograd.grad(second(x), x)
    step = 1e-5
    for row, column in ((0, 0), (1, 2), (3, 1)):
        bump = torch.zeros(4, 3, dtype=torch.float64)
        bump[row, column] = step
        up = second((x.detach() + bump).requires_grad_()).item()
        down = second((x.detach() - bump).requires_grad_()).item()
        assert third[row, column].item() == pytest.approx((up - down) / (2 * step), rel=1e-6, abs=1e-9)


# -- replay -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda p: optim.SGD(p, lr=0.05),
        lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
        lambda p: optim.Adam(p, lr=0.01),
    ],
    ids=["sgd", "sgd-nesterov", "adam"],
)
@pytest.mark.parametrize("activation", [nn.Tanh, nn.ReLU])
def test_a_compiled_step_equals_eager_bit_for_bit(optimizer: Any, activation: Any) -> None:
    traces = []
    for prepare in (lambda step: step, torch.compile):
        model, chosen, step = training(optimizer, activation)
        run = prepare(step)
        trace = []
        for index in range(100):
            if index == 50:
                chosen.param_groups[0]["lr"] = 0.003
            x = torch.tensor(XS) * (1 + index / 100)
            loss = run(x, torch.tensor(YS))
            trace.append(
                [loss.detach().numpy().copy()]
                + [p.detach().numpy().copy() for p in model.parameters()]
                + [p.grad.numpy().copy() for p in model.parameters()]
            )
        traces.append(trace)
    assert "100 calls, 1 plans" in run.explain()
    assert "eager" not in run.explain()
    for eager, compiled in zip(*traces, strict=True):
        for one, other in zip(eager, compiled, strict=True):
            assert one.tobytes() == other.tobytes()


def test_a_replay_hands_out_fresh_memory() -> None:
    _, _, step = training(lambda p: optim.SGD(p, lr=0.05))
    compiled = torch.compile(step)
    losses = [compiled(torch.tensor(XS), torch.tensor(YS)) for _ in range(5)]
    assert len({loss.item() for loss in losses}) == 5


def test_gradients_of_a_replay_are_the_readers_own() -> None:
    model, _, step = training(lambda p: optim.SGD(p, lr=0.05))
    compiled = torch.compile(step)
    for _ in range(3):
        compiled(torch.tensor(XS), torch.tensor(YS))
    kept = next(model.parameters()).grad
    before = kept.clone()
    compiled(torch.tensor(XS), torch.tensor(YS))
    assert torch.equal(kept, before)


def test_what_cannot_be_captured_runs_eagerly_and_says_why() -> None:
    @torch.compile
    def reads(x: Any) -> float:
        return (x * 2).sum().item()

    assert [reads(torch.full((2,), float(k))) for k in range(4)] == [0.0, 4.0, 8.0, 12.0]
    assert "item()" in reads.explain()


@pytest.mark.parametrize(
    "read",
    [
        lambda x: x[x.long()[0]],
        lambda x: x * len(x.nonzero()),
        lambda x: x * float(torch.allclose(x, x * 0 + 1)),
        lambda x: x * x.tolist()[0],
    ],
    ids=["index", "nonzero", "allclose", "tolist"],
)
def test_values_that_python_reads_are_never_frozen(read: Any) -> None:
    compiled = torch.compile(read)
    for value in (0.0, 1.0, 1.0, 0.0, 1.0):
        x = torch.full((2,), value)
        x[1] = 3.0
        assert torch.equal(compiled(x), read(x))
    assert "reads values" in compiled.explain()


def test_a_plan_is_left_when_a_check_of_values_fails() -> None:
    model = mlp()

    @torch.compile
    def step(x: Any, y: Any) -> Any:
        with torch.no_grad():
            return nn.functional.cross_entropy(model(x).expand(4, 3), y)

    good, bad = torch.tensor([0, 1, 2, 0]), torch.tensor([0, 1, 5, 0])
    for _ in range(3):
        step(torch.tensor(XS), good)
    with pytest.raises(IndexError, match="Target 5 is out of bounds"):
        step(torch.tensor(XS), bad)


# -- memory and depth -----------------------------------------------------------------------------------------------


def resident_bytes() -> int:
    """Counted page by page: the kernel's own counters lag behind by up to 64 pages a core."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Rss:")) * 1024


@pytest.mark.parametrize("prepare", [lambda step: step, torch.compile], ids=["eager", "compiled"])
def test_memory_stays_flat_without_the_collector(prepare: Any, no_collector: None) -> None:
    _, _, step = training(lambda p: optim.SGD(p, lr=0.01, momentum=0.9))
    run = prepare(step)
    x, y = torch.tensor(XS), torch.tensor(YS)
    for _ in range(500):
        run(x, y)
    before = resident_bytes()
    for _ in range(10_000):
        run(x, y)
    assert resident_bytes() - before < 1_000_000  # 100 bytes a step would show


def chain_seconds(length: int) -> float:
    x = torch.ones(1, requires_grad=True)
    started = time.perf_counter()
    y = x
    for _ in range(length):
        y = y * 1.0
    y.backward()
    del y
    assert x.grad.item() == 1.0
    return time.perf_counter() - started


def test_a_chain_of_a_million_ops_runs_backward_without_recursion_in_linear_time(no_collector: None) -> None:
    short = chain_seconds(100_000)
    long = chain_seconds(1_000_000)
    assert long < 30 * short  # ten times the length; a quadratic walk would take a hundred times as long


def test_an_unfinished_chain_is_freed_without_recursion() -> None:
    x = torch.ones(1, requires_grad=True)
    y = x
    for _ in range(300_000):
        y = y + x
    del y
    assert x.grad is None


def test_a_dead_graph_leaves_nothing_for_the_collector(no_collector: None) -> None:
    _, _, step = training(optim.Adam)
    step(torch.tensor(XS), torch.tensor(YS))
    gc.collect()
    step(torch.tensor(XS), torch.tensor(YS))
    assert gc.collect() == 0


def test_unreached_leaves_keep_no_gradient() -> None:
    a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    (a * b.detach()).sum().backward()
    assert b.grad is None
    assert np.array_equal(a.grad.numpy(), np.ones(2, np.float32))


# -- what comes from elsewhere -------------------------------------------------------------------------------------


def test_unpickled_arrays_are_like_others() -> None:
    given = pickle.loads(pickle.dumps(np.ones((2, 3), np.float32)))
    layer = nn.Linear(3, 2)
    for x in (torch.from_numpy(given), torch.tensor(given), pickle.loads(pickle.dumps(torch.ones(2, 3)))):
        assert torch.equal(layer(x), layer(torch.ones(2, 3)))


@pytest.mark.parametrize("function", [torch.relu, nn.functional.gelu, nn.functional.softmax])
def test_functions_can_be_pickled(function: Any) -> None:
    assert pickle.loads(pickle.dumps(function)) is function


@pytest.mark.parametrize("name", ["squeeze_", "unsqueeze_", "t_"])
def test_reshaping_in_place_looks_through_no_objects(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes that saved the tensor are searched for only if there may be some: that takes milliseconds."""
    tensors = [torch.ones(3, 1), torch.ones(3, 1) + 1, torch.ones(3, 1, requires_grad=True) * 2]
    monkeypatch.setattr(gc, "get_objects", lambda *args: pytest.fail("all objects were looked at"))
    for each in tensors:
        getattr(each, name)(*([] if name == "t_" else [0]))
