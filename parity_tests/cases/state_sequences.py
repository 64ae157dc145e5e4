"""Steps of a walk that belong together: what came first is what the last of them is about.

A sequence yields its moves one by one, and is given the names of what each resulted in.  Between two of them nothing else
happens, so that a graph is still there when the pass that it was recorded for is made.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

from parity_tests.cases.program import Ref
from parity_tests.cases.state import Hook, Move
from parity_tests.cases.state_gradients import cotangent
from parity_tests.cases.state_look import (
    Condition,
    Look,
    Skip,
    apart,
    computed,
    differentiable,
    dtype_of,
    floating,
    hooked,
    small,
    values_of,
)
from parity_tests.cases.state_steps import Moves, step


def _backward(look: Look, x: Ref, **options: bool) -> Move:
    return Move("autograd.backward", ([x], [cotangent(look, x)]), options)


def _recorded(look: Look, refs: list[Ref]) -> Ref:
    """The first result, if it requires grad."""
    if not refs or not differentiable(look.at(refs[0])):
        raise Skip
    return refs[0]


def _another(look: Look, x: Ref, *conditions: Condition) -> Generator[Move, list[Ref], Ref]:
    """A tensor like x: one that is there, or a new one."""
    shape, dtype = look.at(x).shape, look.at(x).dtype
    if look.number(0, 1):
        with contextlib.suppress(Skip):
            return look.tensor(lambda y: y.shape == shape and y.dtype == dtype and y is not look.at(x), *conditions)
    grad = {"requires_grad": True} if look.number(0, 1) else {}
    (new,) = yield Move("new", (look.array(tuple(shape), dtype_of(look.at(x))),), grad)
    return new


def _use(look: Look, x: Ref) -> Move:
    """Something computed from x, for which mostly x has to be remembered, or the result."""
    kind = look.number(0, 6)
    if kind == 0:
        return Move("torch.where", (look.array(tuple(look.at(x).shape), "bool"), x, 2))
    if kind == 1:
        return Move("torch.mul", (x, look.operand(x)))
    if kind == 2:
        return Move("torch.relu", (x,))
    return Move(*look.one_of(("torch.mul", (x, x)), ("torch.square", (x,))))


def _a_leaf(tensor: Any) -> bool:
    return bool(tensor.is_leaf and tensor.requires_grad)


@step
def freeze_and_thaw(look: Look) -> Moves:
    """A leaf does not require grad for a while, or nobody holds it any more when a graph that leads to it is used."""
    x = look.mostly(hooked, _a_leaf, small) if look.number(0, 3) else look.tensor(_a_leaf, small)
    if look.number(0, 1) or not hooked(look.at(x)):
        op = look.one_of("Tensor.register_hook", "Tensor.register_post_accumulate_grad_hook")
        yield Move(op, (x, Hook("double" if op == "Tensor.register_hook" else "clear")))
    if look.number(0, 1):
        yield Move("Tensor.detach_", (x,))
    else:
        yield Move("Tensor.requires_grad_", (x, False))
    yield Move("Tensor.requires_grad_", (x,))
    used = _recorded(look, (yield _use(look, x)))
    pass_ = _backward(look, used)
    if not look.number(0, 2):
        yield Move("del", (x,))
    yield pass_


@step
def hooked_pass(look: Look) -> Moves:
    """Hooks on a tensor and on its node, in some order, and a pass that meets them all."""
    x = look.tensor(computed, small)
    if look.number(0, 1):
        x = look.tensor(differentiable, small)
        stretched = look.array((2, *look.at(x).shape), dtype_of(look.at(x)))
        x = _recorded(look, (yield Move(look.one_of("torch.add", "torch.mul"), (x, stretched))))
    for kind in look.one_of(("tensor", "prehook"), ("prehook", "tensor"), ("hook", "tensor"), ("hook", "prehook")):
        if kind == "tensor":
            yield Move("Tensor.register_hook", (x, Hook(look.one_of("double", "listen", "negate"))))
        else:
            yield Move(f"composed.{kind}_of_node", (x, Hook("overhear")))
    yield _backward(look, x, retain_graph=True)


@step
def recorded_pass(look: Look) -> Moves:
    """A pass that is recorded, from a tensor that somebody holds: what becomes of it then is nobody else's business."""
    x = look.tensor(_a_leaf, small) if look.number(0, 1) else look.tensor(computed, small)
    if look.number(0, 1):
        x = _recorded(look, (yield Move("torch.add", (x, look.tensor(floating, small)))))
    g = yield from _another(look, x, small, apart)
    yield Move("autograd.backward", ([x], [g]), {"create_graph": True})
    yield Move("Tensor.mul_", (g, look.one_of(2, -1)), mode="no_grad")


@step
def pass_from_a_tensor(look: Look) -> Moves:
    """A pass that begins at a leaf, with a gradient that somebody holds and writes to afterwards."""
    x = look.tensor(_a_leaf, small)
    g = yield from _another(look, x, small, apart)
    yield Move("autograd.backward", ([x], [g]))
    yield Move("Tensor.mul_", (g, look.one_of(2, -1)), mode="no_grad")


@step
def saved_and_changed(look: Look) -> Moves:
    """What a graph remembers of a tensor, that changes before the graph is used."""
    x = look.tensor(differentiable, small, apart)
    if look.number(0, 1):
        x = _recorded(look, (yield Move("torch.mul", (x, 2))))
    used = _recorded(look, (yield _use(look, x)))
    kind = look.number(0, 2)
    if kind == 0:
        yield Move("Tensor.detach_", (x,))
    elif kind == 1:
        yield Move("Tensor.mul_", (Ref(f"{x.name}.data"), 2))
    else:
        yield Move("Tensor.mul_", (x, 2), mode=look.one_of("no_grad", ""))
    yield _backward(look, used)


@step
def saved_and_exchanged(look: Look) -> Moves:
    """What a graph remembers of a tensor, that is given other data before the graph is used."""
    x = look.tensor(differentiable, small)
    if look.number(0, 1):
        x = _recorded(look, (yield Move("torch.mul", (x, 2))))
    used = _recorded(look, (yield Move("torch.mul", (x, x))))
    other = yield from _another(look, x, small)
    yield Move("builtins.setattr", (x, "data", other))
    yield _backward(look, used)


@step
def saved_and_differentiated_twice(look: Look) -> Moves:
    """What a graph remembers has a history of its own."""
    x = look.tensor(differentiable, small)
    rounds = look.at(x).numel() and values_of(look.at(x)).max() < 4 and look.chance(3)
    used = _recorded(look, (yield Move("torch.exp", (x,), rounds=True) if rounds else _use(look, x)))
    if look.chance(3):
        yield Move(look.one_of("Tensor.mul_", "operator.imul"), (used, look.source(used)))
    yield Move("composed.grad_of_grad", (used, x, cotangent(look, used), cotangent(look, x)))
