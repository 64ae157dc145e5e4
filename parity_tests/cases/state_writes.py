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
    ranked,
    small,
    values_of,
)
from parity_tests.cases.state_steps import step
from parity_tests.check.snapshot import Array


@step
def arithmetic_(look: Look) -> Move:
    x = look.target(small)
    ops = ["Tensor.add_", "Tensor.mul_", "operator.iadd", "operator.imul", "Tensor.sub_", "operator.isub"]
    return Move(look.one_of(*ops), (x, look.source(x)))


@step
def unary_(look: Look) -> Move:
    return Move(look.one_of("Tensor.zero_", "Tensor.neg_", "Tensor.relu_", "Tensor.abs_"), (look.target(),))


@step
def fill_(look: Look) -> Move:
    return Move("Tensor.fill_", (look.target(), look.one_of(1, -2, 0, True)))


@step
def clamp_(look: Look) -> Move:
    return Move("Tensor.clamp_", (look.target(), look.one_of(-1, 0, None), look.one_of(1, 0)))


@step
def copy_(look: Look) -> Move:
    x = look.target()
    return Move("Tensor.copy_", (x, look.source(x)))


@step
def masked_fill_(look: Look) -> Move:
    x = look.target()
    mask = look.array(tuple(look.at(x).shape)[look.number(0, 1) :], "bool")
    return Move("Tensor.masked_fill_", (x, mask, look.one_of(2, 0, -1)))


@step
def triangle_(look: Look) -> Move:
    return Move(look.one_of("Tensor.tril_", "Tensor.triu_"), (look.target(lambda x: x.dim() == 2),))


def _rows_for(look: Look, x: Ref) -> tuple[int, Array, tuple[int, ...]]:
    """A dimension, the numbers of some of its places, and the shape of what lies there."""
    shape = list(look.at(x).shape)
    dim = look.number(0, len(shape) - 1)
    numbers = np.array(look.one_of([0], [shape[dim] - 1, 0] if shape[dim] > 1 else [0]), np.int64)
    shape[dim] = len(numbers)
    return dim, numbers, tuple(shape)


@step
def index_fill_(look: Look) -> Move:
    x = look.target(ranked)
    dim, numbers, _ = _rows_for(look, x)
    return Move("Tensor.index_fill_", (x, dim, numbers, look.one_of(2, 0)))


@step
def index_add_(look: Look) -> Move:
    x = look.target(ranked, small)
    dim, numbers, shape = _rows_for(look, x)
    rows = look.array(shape, dtype_of(look.at(x)))
    return Move(look.one_of("Tensor.index_add_", "Tensor.index_copy_"), (x, dim, numbers, rows))


@step
def scatter_(look: Look) -> Move:
    x = look.target(ranked)
    dim, numbers, shape = _rows_for(look, x)
    numbers = np.broadcast_to(numbers.reshape([-1 if each == dim else 1 for each in range(len(shape))]), shape)
    return Move("Tensor.scatter_", (x, dim, np.ascontiguousarray(numbers), look.array(shape, dtype_of(look.at(x)))))


def _value_for(look: Look, x: Ref, shape: tuple[int, ...]) -> Any:
    kind = look.number(0, 2)
    if kind == 0:
        return look.one_of(2, -1, 0)
    if kind == 1:
        return look.array(shape[look.number(0, 1) :], dtype_of(look.at(x)))
    value = look.tensor(lambda y: tuple(y.shape) == shape[len(shape) - y.dim() :])
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
    x = look.target(ranked)
    mask = look.array(tuple(look.at(x).shape)[: look.number(1, look.at(x).dim())], "bool")
    return Move("operator.setitem", (x, mask, _value_for(look, x, values_of(look.at(x))[mask].shape)))


@step
def assign_by_numbers(look: Look) -> Move:
    x = look.target(lambda x: x.dim() and x.shape[0] > 1)
    numbers = np.array(look.one_of([1, 0], [-1], [0]), np.int64)
    return Move("operator.setitem", (x, numbers, _value_for(look, x, values_of(look.at(x))[numbers].shape)))


@step
def scatter_add_(look: Look) -> Move:
    x = look.target(ranked, small)
    numbers = look.places(x)
    source = look.one_of(
        look.array(numbers.shape, dtype_of(look.at(x))), look.tensor(lambda y: y.shape == numbers.shape)
    )
    if isinstance(source, Ref) and np.shares_memory(values_of(look.at(x)), values_of(look.at(source))):
        raise Skip
    if look.number(0, 1):
        return Move("Tensor.scatter_add_", (x, 0, numbers, source))
    return Move("Tensor.scatter_reduce_", (x, 0, numbers, source, look.one_of("sum", "amax", "amin")))


@step
def masked_scatter_(look: Look) -> Move:
    x = look.target()
    shape = tuple(look.at(x).shape)
    mask = look.array(shape[look.number(0, 1) :], "bool")
    return Move("Tensor.masked_scatter_", (x, mask, look.array(shape, dtype_of(look.at(x)))))


@step
def put_(look: Look) -> Move:
    x = look.target(small)
    numbers = np.array(look.one_of([0], [1, 0], [-1, 0, -1]), np.int64)
    values = look.array(numbers.shape, dtype_of(look.at(x)))
    if look.number(0, 1):
        return Move("Tensor.put_", (x, numbers, values, True))
    return Move("Tensor.index_put_", (x, (numbers,), look.one_of(values, values[:1]), True))


@step
def fill_with(look: Look) -> Move:
    x = look.target()
    value = look.tensor(lambda y: not y.dim() and y is not look.at(x) and not _overlap(look.at(x), y))
    if look.number(0, 1):
        return Move("Tensor.fill_", (x, value))
    return Move("Tensor.masked_fill_", (x, look.array(tuple(look.at(x).shape), "bool"), value))


def _overlap(x: Any, y: Any) -> bool:
    return bool(np.shares_memory(values_of(x), values_of(y)))


@step
def turn_(look: Look) -> Move:
    x = look.tensor()
    kind = look.number(0, 5)
    if kind == 0:
        return Move("Tensor.t_", (x,))
    if kind == 1:
        return Move(look.one_of("Tensor.transpose_", "Tensor.swapaxes_"), (x, look.dim(x), look.dim(x)))
    if kind == 2:
        return Move("Tensor.squeeze_", (x,) if look.number(0, 1) else (x, look.dim(x)))
    if kind == 3:
        size = look.at(x).numel()
        return Move("Tensor.as_strided_", (x, (size // 2,), (look.number(1, 2),)))
    return Move("Tensor.unsqueeze_", (x, 0))


@step
def resize_(look: Look) -> Move:
    x = look.tensor()
    shape = tuple(look.at(x).shape)
    room = look.at(x).untyped_storage().nbytes() // look.at(x).element_size() - look.at(x).storage_offset()
    shapes = (shape[1:], shape[::-1], (1, *shape), shape[:-1])
    return Move("Tensor.resize_", (x, look.one_of((0,), *(each for each in shapes if np.prod(each) <= room))))


@step
def set_(look: Look) -> Move:
    x = look.tensor()
    dtype = look.at(x).dtype
    return Move("Tensor.set_", (x, look.mostly(lambda y: y.dtype == dtype)) if look.number(0, 3) else (x,))


@step
def swap_data(look: Look) -> Move:
    x = look.tensor()
    dtype = look.at(x).dtype
    return Move("builtins.setattr", (x, "data", look.mostly(lambda y: y.dtype == dtype)))


@step
def into_data(look: Look) -> Move:
    x = look.tensor(small, apart)
    return Move(look.one_of("Tensor.add_", "Tensor.mul_"), (Ref(f"{x.name}.data"), look.one_of(2, -1)))
