"""The steps of a walk that write to a tensor's memory, or turn it round, in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity_tests.cases.program import Ref
from parity_tests.cases.state import Move
from parity_tests.cases.state_look import (
    Look,
    Skip,
    apart,
    basic_index,
    dtype_of,
    floating,
    ordinary,
    ranked,
    settable,
    settled,
    small,
    usual,
    values_of,
)
from parity_tests.cases.state_steps import step
from parity_tests.check.snapshot import Array, is_tensor


@step
def arithmetic_(look: Look) -> Move:
    x = look.target(small)
    ops = ["Tensor.add_", "Tensor.mul_", "operator.iadd", "operator.imul", "Tensor.sub_", "operator.isub"]
    y = look.source(x)
    # Booleans are not subtracted, in words of their own.
    boolean = any(dtype_of(look.at(each) if isinstance(each, Ref) else each) == "bool" for each in (x, y))
    return Move(look.one_of(*ops[: 4 if boolean else 6]), (x, y))


@step
def unary_(look: Look) -> Move:
    return Move(
        look.one_of("Tensor.zero_", "Tensor.neg_", "Tensor.relu_", "Tensor.abs_"), (look.target(settable, usual),)
    )


@step
def fill_(look: Look) -> Move:
    return Move("Tensor.fill_", (look.target(settable), look.one_of(1, -2, 0, True)))


@step
def clamp_(look: Look) -> Move:
    # Of booleans torch says in words of its own that they hold no numbers.
    return Move(
        "Tensor.clamp_", (look.target(lambda x: dtype_of(x) != "bool"), look.one_of(-1, 0, None), look.one_of(1, 0))
    )


@step
def copy_(look: Look) -> Move:
    x = look.target()
    return Move("Tensor.copy_", (x, look.source(x)))


@step
def masked_fill_(look: Look) -> Move:
    x = look.target(settable)
    mask = look.array(tuple(look.at(x).shape)[look.number(0, 1) :], "bool")
    return Move("Tensor.masked_fill_", (x, mask, look.one_of(2, 0, -1)))


@step
def triangle_(look: Look) -> Move:
    return Move(look.one_of("Tensor.tril_", "Tensor.triu_"), (look.target(settled, lambda x: x.dim() == 2),))


def _rows_for(look: Look, x: Ref) -> tuple[int, Array, tuple[int, ...]]:
    """A dimension, the numbers of some of its places, and the shape of what lies there."""
    shape = list(look.at(x).shape)
    dim = look.number(0, len(shape) - 1)
    numbers = np.array(look.one_of([0], [shape[dim] - 1, 0] if shape[dim] > 1 else [0]), np.int64)
    shape[dim] = len(numbers)
    return dim, numbers, tuple(shape)


@step
def index_fill_(look: Look) -> Move:
    x = look.target(settled)
    dim, numbers, _ = _rows_for(look, x)
    return Move("Tensor.index_fill_", (x, dim, numbers, look.one_of(2, 0)))


@step
def index_add_(look: Look) -> Move:
    x = look.target(settled, small)
    dim, numbers, shape = _rows_for(look, x)
    rows = look.array(shape, dtype_of(look.at(x)))
    return Move(look.one_of("Tensor.index_add_", "Tensor.index_copy_"), (x, dim, numbers, rows))


@step
def scatter_(look: Look) -> Move:
    x = look.target(settled, lambda x: dtype_of(x) != "bool")
    dim, numbers, shape = _rows_for(look, x)
    numbers = np.broadcast_to(numbers.reshape([-1 if each == dim else 1 for each in range(len(shape))]), shape)
    return Move("Tensor.scatter_", (x, dim, np.ascontiguousarray(numbers), look.array(shape, dtype_of(look.at(x)))))


def _value_for(look: Look, x: Ref, shape: tuple[int, ...]) -> Any:
    kind = look.number(0, 2)
    if kind == 0:
        return look.one_of(2, -1, 0)
    if kind == 1:
        return look.array(shape[look.number(0, 1) :], dtype_of(look.at(x)))
    real = floating(look.at(x))  # a number that requires grad would make integers require it
    value = look.tensor(lambda y: tuple(y.shape) == shape[len(shape) - y.dim() :] and (real or not y.requires_grad))
    if look.at(value) is look.at(x) or np.shares_memory(values_of(look.at(x)), values_of(look.at(value))):
        raise Skip
    return value


@step
def assign(look: Look) -> Move:
    x = look.target()
    index = basic_index(look, x)
    return Move("operator.setitem", (x, index, _value_for(look, x, values_of(look.at(x))[index].shape)))


@step
def assign_by_mask(look: Look) -> Move:
    x = look.target(ranked, settable)
    mask = look.array(tuple(look.at(x).shape)[: look.number(1, look.at(x).dim())], "bool")
    return Move("operator.setitem", (x, mask, _value_for(look, x, values_of(look.at(x))[mask].shape)))


@step
def assign_by_numbers(look: Look) -> Move:
    x = look.target(settable, lambda x: x.dim() and x.shape[0] > 1)
    numbers = np.array(look.one_of([1, 0], [-1], [0]), np.int64)
    return Move("operator.setitem", (x, numbers, _value_for(look, x, values_of(look.at(x))[numbers].shape)))


@step
def turn_(look: Look) -> Move:
    x = look.tensor(lambda x: not x.retains_grad)
    # A leaf that is turned round under no_grad has no gradient of its shape any more: it is refused, then.
    mode = "enable_grad" if look.at(x).is_leaf and look.at(x).requires_grad else ""
    kind = look.number(0, 3)
    if kind == 0:
        return Move("Tensor.t_", (x,), mode=mode)
    if kind == 1:
        return Move("Tensor.transpose_", (x, look.dim(x), look.dim(x)), mode=mode)
    return Move("Tensor.squeeze_" if kind == 2 else "Tensor.unsqueeze_", (x,) if kind == 2 else (x, 0), mode=mode)


@step
def swap_data(look: Look) -> Move:
    # What then becomes of views, of what graphs have saved, and of gradients that are added to, is nobody's promise.
    others = [other for each in look.values.values() if is_tensor(each) for other in (each._base, each.grad)]
    x = look.tensor(ordinary, lambda x: not (x._is_view() or x.requires_grad or any(each is x for each in others)))
    dtype = look.at(x).dtype
    return Move("builtins.setattr", (x, "data", look.tensor(ordinary, lambda y: y.dtype == dtype)))


@step
def into_data(look: Look) -> Move:
    x = look.tensor(small, apart)
    return Move(look.one_of("Tensor.add_", "Tensor.mul_"), (Ref(f"{x.name}.data"), look.one_of(2, -1)))
