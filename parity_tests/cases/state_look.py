"""What a step of a walk sees of the tensors, and how it chooses among them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, TypeAlias

import numpy as np

from parity_tests.cases.program import Ref
from parity_tests.cases.state import bare
from parity_tests.check.snapshot import Array, is_tensor

Condition: TypeAlias = Callable[[Any], bool]

SHAPES = ((2, 3), (3,), (), (2, 2), (1, 3), (2, 1, 2), (4,), (0,), (2, 0), (3, 2, 2))
LARGEST = 2**12  # of the numbers that arithmetic goes on with


class Skip(Exception):
    """There is nothing that the step could be done to."""


def ranked(tensor: Any) -> bool:
    return bool(tensor.dim())


def floating(tensor: Any) -> bool:
    return bool(tensor.is_floating_point())


def complex_(tensor: Any) -> bool:
    return bool(tensor.is_complex())


def differentiable(tensor: Any) -> bool:
    return bool(tensor.requires_grad)


def small(tensor: Any) -> bool:
    """Whether arithmetic may go on with it."""
    return not tensor.numel() or bool(np.all(abs(values_of(tensor)) <= LARGEST))


def sure(tensor: Any) -> bool:
    """Whether its bytes are sure: of whole numbers, which are not rounded, and not 0, which may have a sign."""
    values = values_of(tensor)
    if values.dtype.kind == "c":
        values = np.stack([values.real, values.imag])
    return values.dtype.kind != "f" or bool(np.all((values % 1 == 0) & (values != 0)))


def apart(tensor: Any) -> bool:
    """Whether a write has one outcome: each element its own place in memory, or a place for all, which torch refuses."""
    sizes, steps = tuple(tensor.shape), tensor.stride()
    if any(size > 1 and not step for size, step in zip(sizes, steps, strict=True)):
        return True
    places = np.zeros(sizes, np.int64)
    for axis, (size, step) in enumerate(zip(sizes, steps, strict=True)):
        places += (np.arange(size) * step).reshape([-1 if each == axis else 1 for each in range(len(sizes))])
    return np.unique(places).size == places.size


def dtype_of(value: Any) -> str:
    """The name of the dtype of a tensor, an array or a number."""
    return str(getattr(value, "dtype", type(value).__name__)).rpartition(".")[2]


def writable(tensor: Any) -> bool:
    """Neither a leaf that requires grad nor a view of one."""
    base = tensor if tensor._base is None else tensor._base
    return not (tensor.requires_grad and base.grad_fn is None)


def computed(tensor: Any) -> bool:
    return tensor.grad_fn is not None


def hooked(tensor: Any) -> bool:
    """Whether something is to be called with its gradient."""
    return bool(tensor._backward_hooks or tensor._post_accumulate_grad_hooks)


def values_of(tensor: Any) -> Array:
    """What lies in its memory."""
    array: Array = bare(tensor.detach()).numpy()
    return array


class Look:
    """What a declaration sees and draws from."""

    def __init__(self, values: Mapping[str, Any], random: Random) -> None:
        self.values = values
        self.random = random

    def number(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def chance(self, one_in: int) -> bool:
        """Once in so many times."""
        return self.number(0, one_in - 1) == one_in - 1

    def one_of(self, *items: Any) -> Any:
        return items[self.number(0, len(items) - 1)] if len(items) > 1 else items[0]

    def name(self, *conditions: Condition) -> Ref:
        """A value of the pool for which the conditions hold.  Raises Skip where there is none."""
        names = [name for name, value in self.values.items() if _hold(conditions, value)]
        if not names:
            raise Skip
        return Ref(self.one_of(*(names[-3:] if self.number(0, 2) else names)))  # more often something new

    def tensor(self, *conditions: Condition) -> Ref:
        return self.name(is_tensor, *conditions)

    def mostly(self, preferred: Condition, *conditions: Condition) -> Ref:
        """A tensor for which `preferred` holds as well, where there is one and chance has it."""
        if self.number(0, 4):
            with contextlib.suppress(Skip):
                return self.tensor(preferred, *conditions)
        return self.tensor(*conditions)

    def target(self, *conditions: Condition) -> Ref:
        """A tensor to write to: mostly one that may be."""
        return self.mostly(writable, apart, *conditions)

    def at(self, ref: Ref) -> Any:
        """The reference's own tensor."""
        name, *attributes = ref.name.split(".")
        found = self.values[name]
        for each in attributes:
            found = getattr(found, each)
        return found

    def dim(self, ref: Ref, extra: int = 0) -> int:
        """A dimension, from either end.  Now and then one that there is not."""
        rank: int = self.at(ref).dim() + extra
        if self.chance(30):
            return rank
        return self.number(0, max(rank - 1, 0)) - (rank if self.chance(4) else 0)

    def array(self, shape: tuple[int, ...], dtype: str = "float32") -> Array:
        """Small integers in an order that is drawn."""
        size = int(np.prod(shape))
        numbers = (np.arange(size) * 5 + self.number(0, 6) * 3) % 7 - 3
        if dtype.startswith("complex"):
            numbers = numbers + 1j * (np.arange(size) * 3 % 5 - 2)
        return (numbers > 0 if dtype == "bool" else numbers.astype(dtype)).reshape(shape)

    def places(self, ref: Ref) -> Array:
        """Numbers of places along the first dimension, one for each element."""
        shape = tuple(self.at(ref).shape)
        numbers: Array = (np.arange(int(np.prod(shape))) * 2 + self.number(0, 2)).reshape(shape) % max(shape[0], 1)
        return numbers

    def operand(self, ref: Ref) -> Any:
        """What may stand beside `ref`: a tensor that broadcasts with it, a fresh one, or a number."""
        target = self.at(ref)
        kind = self.number(0, 3)
        if kind == 0:
            return self.one_of(2, -1, 0, 3, 0.5, True, 1 - 2j if target.is_complex() else 1)
        if kind == 1:
            shape = tuple(target.shape)[self.number(0, 1) * target.dim() :]
            return self.array(shape, self.one_of("float32", "int64", "float64", dtype_of(target)))
        return self.tensor(lambda x: (_broadcasts(x, target) and small(x)) or self.values.get(ref.name) is x)

    def source(self, ref: Ref) -> Any:
        """An operand of a write to `ref`, in whatever order elements are read and written."""
        other = self.operand(ref)
        if isinstance(other, Ref) and _races(self.at(ref), self.at(other)):
            raise Skip
        return other


def _hold(conditions: tuple[Condition, ...], value: Any) -> bool:
    """Whether all hold: none that asks a view for a history that it has lost."""
    try:
        return all(each(value) for each in conditions)
    except RuntimeError:
        return False


def _broadcasts(x: Any, y: Any) -> bool:
    return all(m == n or 1 in (m, n) for m, n in zip(reversed(x.shape), reversed(y.shape), strict=False))


def _races(target: Any, source: Any) -> bool:
    """Whether the result of an element-wise write depends on the order of the elements, without torch seeing it."""
    left, right = values_of(target), values_of(source)
    if not np.shares_memory(left, right):
        return False
    if target.data_ptr() == source.data_ptr() and left.shape == right.shape:
        # The same elements: torch goes by the strides, also of dimensions along which nobody steps.
        return target.stride() != source.stride() and _stepped(left) == _stepped(right)
    return not (_dense(left) and _dense(right))


def _stepped(array: Array) -> list[int]:
    return [step for step, size in zip(array.strides, array.shape, strict=True) if size > 1]


def _dense(array: Array) -> bool:
    span = 1 + sum((size - 1) * step // array.itemsize for size, step in zip(array.shape, array.strides, strict=True))
    return bool(span == array.size)


def basic_index(look: Look, x: Ref) -> Any:
    """An index of ints, slices, None and Ellipsis."""
    index: list[Any] = []
    for size in look.at(x).shape[: look.number(0, look.at(x).dim())]:
        start = look.number(0, max(size - 1, 0))
        index.append(
            look.one_of(slice(start, None), start, slice(None), slice(None, None, 2), slice(None, -1), start - size)
        )
    if look.chance(3):
        index.insert(look.number(0, len(index)), None)
    if look.chance(3):
        index.append(...)
    return index[0] if len(index) == 1 and look.number(0, 1) else tuple(index)
