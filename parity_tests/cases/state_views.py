"""The steps of a walk that make views."""

from __future__ import annotations

from parity_tests.cases.program import DType, Ref
from parity_tests.cases.state import Move
from parity_tests.cases.state_look import Look, basic_index, ranked, sure
from parity_tests.cases.state_steps import step


def _dims_of(look: Look, x: Ref) -> list[int]:
    """The dimensions in some order."""
    rank = look.at(x).dim()
    return look.one_of(list(range(rank))[::-1], [*range(1, rank), *range(min(rank, 1))], list(range(rank)))  # type: ignore[no-any-return]


@step
def select(look: Look) -> Move:
    x = look.tensor(ranked)
    return Move("Tensor.select", (x, look.dim(x), look.number(-1, 1)))


@step
def narrow(look: Look) -> Move:
    x = look.tensor(ranked)
    dim = look.number(0, look.at(x).dim() - 1)
    start = look.number(0, look.at(x).shape[dim])
    return Move("Tensor.narrow", (x, dim, start, look.number(0, look.at(x).shape[dim] - start)))


@step
def item(look: Look) -> Move:
    x = look.tensor()
    return Move("operator.getitem", (x, basic_index(look, x)))


@step
def alias(look: Look) -> Move:
    x = look.tensor()
    return Move("operator.getitem", (x, look.one_of(..., None, (), slice(None) if look.at(x).dim() else ...)))


@step
def transpose(look: Look) -> Move:
    x = look.tensor()
    return Move(look.one_of("Tensor.transpose", "Tensor.swapaxes"), (x, look.dim(x), look.dim(x)))


@step
def permute(look: Look) -> Move:
    x = look.tensor()
    return Move("Tensor.permute", (x, tuple(_dims_of(look, x))))


@step
def turned(look: Look) -> Move:
    return Move("builtins.getattr", (look.tensor(lambda x: x.dim() == 2), look.one_of("T", "mT")))


def _shape_for(look: Look, x: Ref) -> tuple[int, ...]:
    tensor = look.at(x)
    shape, size = tuple(tensor.shape), tensor.numel()
    half = (2, size // 2) if size and size % 2 == 0 else (size, 1)
    return look.one_of((size,), shape[::-1], half, (1, *shape), half[::-1], shape, (*shape, 1))  # type: ignore[no-any-return]


@step
def view(look: Look) -> Move:
    x = look.tensor()
    return Move("Tensor.view", (x, _shape_for(look, x)))


@step
def reshape(look: Look) -> Move:
    x = look.tensor()
    return Move("Tensor.reshape", (x, _shape_for(look, x)))


@step
def flatten(look: Look) -> Move:
    x = look.tensor()
    return Move(look.one_of("Tensor.flatten", "Tensor.ravel"), (x,))


@step
def expand(look: Look) -> Move:
    x = look.tensor(lambda x: x.numel() <= 12)
    shape = tuple(2 if size == 1 else size for size in look.at(x).shape)
    return Move("Tensor.expand", (x, (2, *shape) if look.number(0, 1) else shape))


@step
def unsqueeze(look: Look) -> Move:
    x = look.tensor(lambda x: x.dim() < 4)
    return Move("Tensor.unsqueeze", (x, look.dim(x, 1)))


@step
def squeeze(look: Look) -> Move:
    x = look.tensor()
    return Move("Tensor.squeeze", (x,) if look.number(0, 1) else (x, look.dim(x)))


@step
def diagonal(look: Look) -> Move:
    return Move("Tensor.diagonal", (look.tensor(lambda x: x.dim() == 2), look.number(-1, 1)))


@step
def as_strided(look: Look) -> Move:
    x = look.tensor(lambda x: x.numel() >= 2)
    tensor = look.at(x)
    start = tensor.storage_offset()
    size = tensor.numel()
    shape, steps = look.one_of(((size // 2,), (2,)), ((2, size // 2), (size // 2, 1)), ((size // 2, 2), (1, 1)))
    return Move("Tensor.as_strided", (x, shape, steps) if look.number(0, 1) else (x, shape, steps, start))


@step
def unfold(look: Look) -> Move:
    x = look.tensor(lambda x: x.dim() and x.shape[-1] > 1)
    return Move("Tensor.unfold", (x, -1, 2, look.number(1, 2)))


@step
def movedim(look: Look) -> Move:
    x = look.tensor(ranked)
    return Move(look.one_of("Tensor.movedim", "Tensor.swapdims"), (x, look.dim(x), look.dim(x)))


@step
def as_another(look: Look) -> Move:
    x = look.tensor()
    size = look.at(x).numel()
    y = look.tensor(lambda y: y.numel() == size)
    return Move(look.one_of("Tensor.view_as", "Tensor.reshape_as"), (x, y))


@step
def tensor_split(look: Look) -> Move:
    return Move("Tensor.tensor_split", (look.tensor(ranked), 2))


@step
def unbind(look: Look) -> Move:
    x = look.tensor(lambda x: x.dim() and 0 < x.shape[0] <= 3)
    return Move("Tensor.unbind", (x,))


@step
def split(look: Look) -> Move:
    x = look.tensor(lambda x: x.dim() and x.shape[-1] > 1)
    return Move(look.one_of("Tensor.split", "Tensor.chunk"), (x, 2, -1))


@step
def as_bytes(look: Look) -> Move:
    x = look.tensor(sure)
    return Move("Tensor.view", (x, DType(look.one_of("int64", "float32", "int32", "float64", "uint8"))))


@step
def unflatten(look: Look) -> Move:
    x = look.tensor(ranked)
    return Move("Tensor.unflatten", (x, look.dim(x), look.one_of((-1, 1), (1, -1), (2, -1))))


@step
def detach(look: Look) -> Move:
    return Move("Tensor.detach", (look.tensor(),))
