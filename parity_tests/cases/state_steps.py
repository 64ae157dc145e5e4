"""The steps that a walk is made of: one declaration each.

    @step
    def narrow(look):
        x = look.tensor(ranked)
        ...
        return Move("Tensor.narrow", (x, dim, start, length))

A declaration sees the tensors as they are in the reference (`Look`) and draws what it needs.  It need not see to it that
the step is allowed: what torch refuses has to be refused alike.  It has to see to it that the outcome is defined, and
that numbers stay small integers wherever the op leaves them so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from parity_tests.cases.program import DType, Ref
from parity_tests.cases.state import Hook, Move
from parity_tests.cases.state_look import (
    SHAPES,
    Look,
    apart,
    computed,
    differentiable,
    dtype_of,
    floating,
    forgettable,
    known,
    ordinary,
    ranked,
    small,
    values_of,
)
from parity_tests.check.snapshot import Array

Declaration: TypeAlias = Callable[[Look], Move]

STEPS: dict[str, Declaration] = {}

# How many rules the machine has for a step, where it is more than one.
WEIGHTS = {"backward": 4, "arithmetic_": 3, "arithmetic": 3, "item": 2, "assign": 2, "unhook": 2, "expand": 2}

DTYPES = ("float32", "float32", "float32", "float64", "int64", "bool")


def step(declaration: Declaration) -> Declaration:
    """Declare a step under the name of the function."""
    STEPS[declaration.__name__] = declaration
    return declaration


# -- tensors come and go -----------------------------------------------------------------------------------------------


@step
def new(look: Look) -> Move:
    dtype = look.one_of(*DTYPES)
    array = look.array(look.one_of(*SHAPES), dtype)
    grad = dtype[0] == "f" and look.number(0, 1)
    return Move("new", (array,), {"requires_grad": True} if grad else {})


@step
def forget(look: Look) -> Move:
    return Move("del", (look.name(forgettable),))


@step
def its_data(look: Look) -> Move:
    return Move("builtins.getattr", (look.tensor(), "data"))


def _is_view_of_no_product(tensor: Any) -> bool:
    """Of the matrix that `linear` has folded its result from, the node is nobody's promise."""
    base = tensor._base
    return base is not None and not (base.grad_fn and base.grad_fn.name() == "AddmmBackward0")


@step
def its_base(look: Look) -> Move:
    return Move("builtins.getattr", (look.tensor(_is_view_of_no_product), "_base"))


def _has_own_grad(tensor: Any) -> bool:
    """Whether it has a gradient that is not a piece, or a sum, that the backward pass has left."""
    grad = tensor.grad
    return (
        grad is not None and not grad._version and grad.untyped_storage().nbytes() == grad.numel() * grad.element_size()
    )


@step
def its_grad(look: Look) -> Move:
    return Move("builtins.getattr", (look.tensor(_has_own_grad), "grad"))


# -- new values ------------------------------------------------------------------------------------------------------------


@step
def arithmetic(look: Look) -> Move:
    x = look.tensor(apart, small)
    return Move(look.one_of("torch.add", "torch.mul", "torch.sub"), (x, look.operand(x)))


@step
def unary(look: Look) -> Move:
    return Move(
        look.one_of("torch.neg", "torch.relu", "torch.clone", "torch.square"), (look.tensor(floating, small, ordinary),)
    )


@step
def exp(look: Look) -> Move:
    return Move("torch.exp", (look.tensor(floating, lambda x: not x.numel() or values_of(x).max() < 4),), rounds=True)


@step
def total(look: Look) -> Move:
    x = look.tensor(small, ordinary)
    return Move("torch.sum", (x,) if look.number(0, 1) else (x, look.dim(x)))


@step
def matmul(look: Look) -> Move:
    x = look.tensor(small, floating, ordinary, lambda x: x.dim() == 2)
    size, dtype = look.at(x).shape[-1], look.at(x).dtype
    y = look.tensor(small, ordinary, lambda y: y.dtype == dtype and 0 < y.dim() < 3 and y.shape[0] == size)
    return Move("torch.matmul", (x, y))


@step
def linear(look: Look) -> Move:
    x = look.tensor(small, floating, ordinary, lambda x: x.dim() > 1 and x.is_contiguous())
    size, dtype = look.at(x).shape[-1], dtype_of(look.at(x))
    bias = (look.array((2,), dtype),) if look.number(0, 1) else ()
    return Move("nn.functional.linear", (x, look.array((2, size), dtype), *bias))


@step
def where(look: Look) -> Move:
    x = look.tensor(small)
    return Move("torch.where", (look.array(tuple(look.at(x).shape), "bool"), x, look.operand(x)))


@step
def join(look: Look) -> Move:
    x = look.tensor(ordinary, lambda x: x.numel() <= 12)
    shape = look.at(x).shape
    y = look.tensor(lambda y: y.shape == shape)
    return Move(look.one_of("torch.stack", "torch.cat"), ([x, y],))


@step
def contiguous(look: Look) -> Move:
    return Move("Tensor.contiguous", (look.tensor(ordinary),))


@step
def convert(look: Look) -> Move:
    x = look.tensor(small, ordinary)
    how = look.number(0, 1)
    if how:
        return Move(look.one_of("Tensor.bool", "Tensor.long", "Tensor.float", "Tensor.double"), (x,))
    return Move("Tensor.to", (x, DType(look.one_of(*DTYPES))))


@step
def mask(look: Look) -> Move:
    x = look.tensor(ranked, ordinary)
    return Move("operator.getitem", (x, look.array(tuple(look.at(x).shape), "bool")))


# -- autograd ------------------------------------------------------------------------------------------------------------


def _cotangent(look: Look, x: Ref) -> Array:
    tensor = look.at(x)
    return look.array(tuple(tensor.shape), dtype_of(tensor))


@step
def backward(look: Look) -> Move:
    x = look.mostly(computed, differentiable)
    kwargs = {"retain_graph": True} if look.number(0, 2) else {}
    return Move("autograd.backward", ([x], [_cotangent(look, x)]), kwargs)


@step
def backward_of_two(look: Look) -> Move:
    x, y = look.mostly(computed, differentiable), look.tensor(differentiable)
    return Move("autograd.backward", ([x, y], [_cotangent(look, x), _cotangent(look, y)]), {"retain_graph": True})


@step
def grad(look: Look) -> Move:
    y = look.tensor(differentiable, lambda x: x.grad_fn is not None)
    x = look.tensor(differentiable)
    kwargs = {"retain_graph": True, "allow_unused": bool(look.number(0, 3))}
    return Move("autograd.grad", ([y], [x], [_cotangent(look, y)]), kwargs)


@step
def require_grad(look: Look) -> Move:
    if look.chance(3):
        return Move("builtins.setattr", (look.tensor(ordinary), "requires_grad", look.one_of(True, False)))
    return Move("Tensor.requires_grad_", (look.tensor(ordinary), *look.one_of((), (False,))))


@step
def detach_(look: Look) -> Move:
    return Move("Tensor.detach_", (look.tensor(lambda x: not x.retains_grad),))


@step
def retain_grad(look: Look) -> Move:
    return Move("Tensor.retain_grad", (look.mostly(computed),))


@step
def hook(look: Look) -> Move:
    kind = look.one_of("double", "listen", "negate", "listen", "flatten" if look.chance(4) else "double")
    return Move("Tensor.register_hook", (look.mostly(differentiable, known), Hook(kind)))


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
def reset_grad(look: Look) -> Move:
    return Move("builtins.setattr", (look.tensor(lambda x: x.grad is not None), "grad", None))


@step
def zero_grad(look: Look) -> Move:
    return Move("Tensor.zero_", (Ref(f"{look.tensor(lambda x: x.grad is not None).name}.grad"),))


@step
def give_grad(look: Look) -> Move:
    x = look.tensor(lambda x: x.is_leaf)
    shape, dtype = look.at(x).shape, look.at(x).dtype
    y = look.tensor(lambda y: (y.shape == shape and y.dtype == dtype) or y is look.at(x))
    return Move("builtins.setattr", (x, "grad", y))
