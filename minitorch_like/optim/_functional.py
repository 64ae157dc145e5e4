"""Arithmetic of the optimisers on plain arrays, and the work arrays that make it free of allocation.

Each function does the element arithmetic of the torch method it is named after, in place and in torch's
order of operations.  Where torch's kernels fuse a product and a sum into one rounding (add_, lerp_, addcmul_)
NumPy rounds twice; where they do not (addcdiv_) results agree bit for bit.  Coefficients are 0-d arrays in
the dtype of the computation: NumPy takes them about 0.3 us faster than Python numbers.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy import add, divide, multiply, subtract

from minitorch_like._tensor import Tensor
from minitorch_like.ops._checks import real_and_imaginary

Array: TypeAlias = np.ndarray[Any, Any]
Slot: TypeAlias = tuple[Array, Array, Array, Array, tuple[Array, ...]]

_COEFFICIENTS = 7  # as many as the neediest optimiser has
ONE = np.array(1, np.float32)
_NOTHING = np.empty(0)
_UNCUT: Slot = (_NOTHING, _NOTHING, _NOTHING, _NOTHING, ())


def number(value: Any) -> Any:
    """A hyper-parameter as a number: of a tensor its one element, in its own precision."""
    return value._data.reshape(())[()] if isinstance(value, Tensor) else value


def add_(y: Array, x: Array, alpha: Array, scratch: Array) -> None:
    """`y += alpha * x`."""
    multiply(x, alpha, scratch)
    add(y, scratch, y)


def lerp_(y: Array, end: Array, weight: Array, steep: bool, scratch: Array) -> None:
    """Move `y` towards `end` by `weight`; if `steep` from the other side: `end + weight * (end - y)`.

    torch goes from the nearer side, so that a weight of 1 gives `end` exactly; see `lerp_weight`.
    """
    subtract(end, y, scratch)
    multiply(scratch, weight, scratch)
    add(end if steep else y, scratch, y)


def lerp_weight(weight: float, kind: np.dtype[Any]) -> float:
    """The coefficient of `lerp_` for a weight as it is (below 1/2) or less one, taken in the dtype `kind`."""
    return weight if weight < 0.5 else float(kind.type(weight)) - 1.0


def addcmul_(y: Array, x1: Array, x2: Array, value: Array, scratch: Array) -> None:
    """`y += value * x1 * x2`."""
    multiply(x1, value, scratch)
    multiply(scratch, x2, scratch)
    add(y, scratch, y)


def addcdiv_(y: Array, x1: Array, x2: Array, value: Array, scratch: Array) -> None:
    """`y += value * x1 / x2`."""
    multiply(x1, value, scratch)
    divide(scratch, x2, scratch)
    add(y, scratch, y)


def parts(*arrays: Any) -> Any:
    """Arrays of complex numbers as arrays of their parts, in the same memory; others as they are."""
    return [each if each is None or each.dtype.kind != "c" else real_and_imaginary(each) for each in arrays]


class Workspace:
    """What an optimiser keeps for one parameter group beside `state`; nothing here outlives a step in value.

    A parameter's slot holds its array (by which a slot that has become stale is recognised), two scratch
    arrays of its shape, a vector of coefficients and its elements as 0-d views.  Parameters of one dtype
    share the coefficients and the memory of the scratch arrays, which thus stays in cache.
    """

    __slots__ = ("_coefficients", "_memory", "_params", "slots")

    def __init__(self, params: list[Tensor]) -> None:
        self.slots = [_UNCUT] * len(params)
        self._params = params
        self._memory: dict[np.dtype[Any], tuple[Array, Array]] = {}
        self._coefficients: dict[np.dtype[Any], tuple[Array, tuple[Array, ...]]] = {}

    def arrays(self) -> list[Array]:
        """All of its memory."""
        scratch = [array for pair in self._memory.values() for array in pair]
        return [*scratch, *(vector for vector, _ in self._coefficients.values())]

    def cut(self, index: int, array: Array) -> Slot:
        """Make the slot of the parameter at `index`, whose array is `array`."""
        # torch computes on half precision in single.
        kind = np.dtype(np.float32) if array.dtype == np.float16 else array.dtype
        memory = self._memory.get(kind)
        if memory is None or memory[0].size < array.size:
            size = max(array.size, *(param._data.size for param in self._params))
            memory = self._memory[kind] = (np.empty(size, kind), np.empty(size, kind))
        if kind not in self._coefficients:
            vector = np.zeros(_COEFFICIENTS, kind)
            cells = tuple(vector[i : i + 1].reshape(()) for i in range(_COEFFICIENTS))
            self._coefficients[kind] = (vector, cells)
        first, second = (each[: array.size].reshape(array.shape) for each in memory)
        slot = self.slots[index] = (array, first, second, *self._coefficients[kind])
        return slot
