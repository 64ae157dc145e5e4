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

from collections.abc import Callable, Generator
from typing import Any, TypeAlias

from parity_tests.cases.program import DType, Ref
from parity_tests.cases.state import Move
from parity_tests.cases.state_look import (
    SHAPES,
    Look,
    dtype_of,
    floating,
    ranked,
    small,
    values_of,
)

Moves: TypeAlias = Generator[Move, list[Ref], None]
Declaration: TypeAlias = Callable[[Look], "Move | Moves"]

STEPS: dict[str, Declaration] = {}

# How often a step is taken beside the others, where it is not as often as they are.
WEIGHTS = {
    "backward": 4,
    "arithmetic_": 3,
    "arithmetic": 3,
    "item": 2,
    "assign": 2,
    "unhook": 2,
    "expand": 2,
    "new_complex": 2,
    "conjugate": 2,
    "its_part": 2,
    "mixed": 2,
}

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
    return Move("del", (look.name(),))


@step
def its_data(look: Look) -> Move:
    return Move("builtins.getattr", (look.tensor(), "data"))


@step
def its_base(look: Look) -> Move:
    return Move("builtins.getattr", (look.tensor(lambda x: x._base is not None), "_base"))


def _has_own_grad(tensor: Any) -> bool:
    """Whether it has a gradient that is not a piece, or a sum, that the backward pass has left."""
    grad = tensor.grad
    return (
        grad is not None
        and not (grad._version or grad.is_conj() or grad.is_neg())
        and grad.untyped_storage().nbytes() == grad.numel() * grad.element_size()
    )


@step
def its_grad(look: Look) -> Move:
    return Move("builtins.getattr", (look.tensor(_has_own_grad), "grad"))


# -- new values ------------------------------------------------------------------------------------------------------------


@step
def arithmetic(look: Look) -> Move:
    x = look.tensor(small)
    return Move(look.one_of("torch.add", "torch.mul", "torch.sub"), (x, look.operand(x)))


@step
def unary(look: Look) -> Move:
    return Move(look.one_of("torch.neg", "torch.relu", "torch.clone", "torch.square"), (look.tensor(floating, small),))


@step
def exp(look: Look) -> Move:
    return Move("torch.exp", (look.tensor(floating, lambda x: not x.numel() or values_of(x).max() < 4),), rounds=True)


@step
def total(look: Look) -> Move:
    x = look.tensor(small)
    return Move("torch.sum", (x,) if look.number(0, 1) else (x, look.dim(x)))


@step
def matmul(look: Look) -> Move:
    x = look.tensor(small, floating, lambda x: x.dim() == 2)
    size, dtype = look.at(x).shape[-1], look.at(x).dtype
    y = look.tensor(small, lambda y: y.dtype == dtype and 0 < y.dim() < 3 and y.shape[0] == size)
    return Move("torch.matmul", (x, y))


@step
def linear(look: Look) -> Move:
    x = look.tensor(small, floating, lambda x: x.dim() > 0)
    size, dtype = look.at(x).shape[-1], dtype_of(look.at(x))
    bias = (look.array((2,), dtype),) if look.number(0, 1) else ()
    return Move("nn.functional.linear", (x, look.array((2, size), dtype), *bias))


@step
def where(look: Look) -> Move:
    x = look.tensor(small)
    return Move("torch.where", (look.array(tuple(look.at(x).shape), "bool"), x, look.operand(x)))


@step
def join(look: Look) -> Move:
    x = look.tensor(lambda x: x.numel() <= 12)
    shape = look.at(x).shape
    y = look.tensor(lambda y: y.shape == shape)
    return Move(look.one_of("torch.stack", "torch.cat"), ([x, y],))


@step
def contiguous(look: Look) -> Move:
    return Move("Tensor.contiguous", (look.tensor(),))


@step
def convert(look: Look) -> Move:
    x = look.tensor(small)
    how = look.number(0, 1)
    if how:
        return Move(look.one_of("Tensor.bool", "Tensor.long", "Tensor.float", "Tensor.double"), (x,))
    return Move("Tensor.to", (x, DType(look.one_of(*DTYPES))))


@step
def copied(look: Look) -> Move:
    return Move(look.one_of("composed.copied", "composed.pickled"), (look.tensor(),))


@step
def pick(look: Look) -> Move:
    x = look.tensor(ranked)
    numbers = look.places(x)
    op = look.one_of("Tensor.gather", "torch.take_along_dim", "Tensor.index_select", "Tensor.take")
    if op == "torch.take_along_dim":
        return Move(op, (x, numbers, 0))
    if op == "Tensor.take":
        return Move(op, (x, numbers))
    return Move(op, (x, 0, numbers.reshape(-1)[:2] if op == "Tensor.index_select" else numbers))


@step
def mask(look: Look) -> Move:
    x = look.tensor(ranked)
    return Move("operator.getitem", (x, look.array(tuple(look.at(x).shape), "bool")))
