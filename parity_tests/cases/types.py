"""What is known of a value before it is computed: shape, dtype, and an interval that its elements lie in.

The interval serves two ends.  It keeps a program where its ops are defined and its numbers moderate (log wants a
positive operand, exp a small one), and it tells when sums and products of small integers are exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

# A chain: each dtype holds the ones before it, as far as torch's promotion is concerned.
DTYPES = ("bool", "uint8", "int32", "int64", "float32", "float64")
FLOATING = ("float32", "float64")

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Type:
    """low, high: bounds of the elements.  whole: all are integers.  grad: gradients flow through it.

    contiguous: known to be laid out in order, so that `view` is allowed.
    writable:   may be changed in place (no leaf that requires grad, no view of one, no overlapping memory).
    storage:    values of the same storage share memory.
    """

    shape: Shape
    dtype: str
    low: float
    high: float
    whole: bool = False
    grad: bool = False
    contiguous: bool = True
    writable: bool = True
    storage: int = -1

    @property
    def floating(self) -> bool:
        return self.dtype in FLOATING

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def magnitude(self) -> float:
        return max(abs(self.low), abs(self.high))

    def but(self, **changes: object) -> Type:
        return replace(self, **changes)  # type: ignore[arg-type]


def promote(*operands: Type | bool | int | float) -> str:
    """torch's result dtype: operands with dimensions outrank 0-d ones, which outrank Python numbers, unless the lower
    rank has the higher category (boolean, integer, floating point)."""
    best = ""
    ranks: list[list[str]] = [[], [], []]
    for each in operands:
        if isinstance(each, Type):
            ranks[0 if each.shape else 1].append(each.dtype)
        else:
            ranks[2].append("bool" if isinstance(each, bool) else "int64" if isinstance(each, int) else "float32")
    for dtypes in ranks:
        found = max(dtypes, key=DTYPES.index, default="")
        if found and (not best or _category(found) > _category(best)):
            best = found
    return best


def _category(dtype: str) -> int:
    return 0 if dtype == "bool" else 2 if dtype in FLOATING else 1


def as_float(dtype: str) -> str:
    """What a function like exp computes in."""
    return dtype if dtype in FLOATING else "float32"


def broadcast(*shapes: Shape) -> Shape | None:
    """The common shape, None if there is none."""
    rank = max(map(len, shapes), default=0)
    result = []
    for axis in range(-rank, 0):
        sizes = {shape[axis] for shape in shapes if len(shape) >= -axis} - {1}
        if len(sizes) > 1:
            return None
        result.append(sizes.pop() if sizes else 1)
    return tuple(result)


def reduced(shape: Shape, dims: Iterable[int], keepdim: bool) -> Shape:
    """The shape after reducing over `dims` (negative ones count from the end)."""
    gone = {dim % len(shape) if shape else 0 for dim in dims}
    if keepdim:
        return tuple(1 if axis in gone else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in gone)


Interval = tuple[float, float]


def product(left: Interval, right: Interval) -> Interval:
    corners = [a * b for a in left for b in right]
    return min(corners), max(corners)


def monotone(function: Callable[[float], float]) -> Callable[[float, float], Interval]:
    return lambda low, high: (function(low), function(high))
