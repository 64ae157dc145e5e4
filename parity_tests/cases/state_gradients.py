"""The steps of a walk that compute gradients, and those that say where they go."""

from __future__ import annotations

from parity_tests.cases.program import Ref
from parity_tests.cases.state import Hook, Move
from parity_tests.cases.state_look import Look, computed, differentiable, dtype_of, small
from parity_tests.cases.state_steps import step
from parity_tests.check.snapshot import Array


def cotangent(look: Look, x: Ref) -> Array:
    """A gradient for x, of small integers."""
    tensor = look.at(x)
    return look.array(tuple(tensor.shape), dtype_of(tensor))


@step
def backward(look: Look) -> Move:
    x = look.mostly(computed)
    kwargs = {"retain_graph": True} if look.number(0, 2) else {}
    return Move("autograd.backward", ([x], [cotangent(look, x)]), kwargs)


@step
def backward_of_two(look: Look) -> Move:
    x, y = look.mostly(computed), look.mostly(differentiable)
    return Move("autograd.backward", ([x, y], [cotangent(look, x), cotangent(look, y)]), {"retain_graph": True})


@step
def grad(look: Look) -> Move:
    y = look.mostly(computed)
    x = look.mostly(differentiable)
    kwargs = {"retain_graph": True, "allow_unused": bool(look.number(0, 3))}
    return Move("autograd.grad", ([y], [x], [cotangent(look, y)]), kwargs)


@step
def require_grad(look: Look) -> Move:
    if look.chance(3):
        return Move("builtins.setattr", (look.tensor(), "requires_grad", look.one_of(True, False)))
    return Move("Tensor.requires_grad_", (look.tensor(), *look.one_of((), (False,))))


@step
def detach_(look: Look) -> Move:
    return Move("Tensor.detach_", (look.tensor(),))


@step
def retain_grad(look: Look) -> Move:
    return Move("Tensor.retain_grad", (look.mostly(computed),))


@step
def hook(look: Look) -> Move:
    kind = look.one_of("double", "listen", "negate", "listen", "flatten" if look.chance(4) else "double")
    return Move("Tensor.register_hook", (look.mostly(differentiable), Hook(kind)))


@step
def hook_on_leaf(look: Look) -> Move:
    return Move(
        "Tensor.register_post_accumulate_grad_hook",
        (look.mostly(lambda x: x.is_leaf and x.requires_grad), Hook("clear")),
    )


@step
def unhook(look: Look) -> Move:
    return Move("Tensor.remove", (look.name(lambda value: hasattr(value, "remove")),))


@step
def hook_and_unhook(look: Look) -> Move:
    return Move("composed.hook_and_unhook", (look.mostly(differentiable), Hook(look.one_of("double", "listen"))))


@step
def reset_grad(look: Look) -> Move:
    return Move("builtins.setattr", (look.tensor(lambda x: x.grad is not None), "grad", None))


@step
def zero_grad(look: Look) -> Move:
    return Move("Tensor.zero_", (Ref(f"{look.tensor(lambda x: x.grad is not None).name}.grad"),))


@step
def give_grad(look: Look) -> Move:
    x = look.tensor()
    shape, dtype = look.at(x).shape, look.at(x).dtype
    y = look.mostly(lambda y: y.shape == shape and y.dtype == dtype)
    return Move("builtins.setattr", (x, "grad", y))


@step
def recorded_backward(look: Look) -> Move:
    x = look.mostly(computed, small)
    return Move("autograd.backward", ([x], [cotangent(look, x)]), {"create_graph": True})


@step
def backward_into(look: Look) -> Move:
    x, y = look.mostly(computed), look.mostly(differentiable)
    return Move("autograd.backward", ([x], [cotangent(look, x)]), {"retain_graph": True, "inputs": [y]})


@step
def grad_of_grad(look: Look) -> Move:
    y, x = look.mostly(computed, small), look.mostly(differentiable)
    return Move("composed.grad_of_grad", (y, x, cotangent(look, y), cotangent(look, x)))


@step
def hook_of_node(look: Look) -> Move:
    op = look.one_of("composed.hook_of_node", "composed.prehook_of_node")
    return Move(op, (look.tensor(computed), Hook("overhear")))
