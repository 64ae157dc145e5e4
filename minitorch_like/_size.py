"""`Size`: the shape of a tensor, a tuple of ints that stays a `Size` under slicing and concatenation."""

import functools
import math
from collections.abc import Callable, Iterable
from operator import index
from typing import Any, SupportsIndex, overload


class Size(tuple[int, ...]):
    """A tensor's shape.

    Raises: TypeError for an item that is not an integer (or an integer tensor of one element).
    """

    __slots__ = ()
    __module__ = "minitorch_like"  # where users and pickles find it

    def __new__(cls, iterable: Iterable[SupportsIndex] = (), /) -> "Size":
        items = []
        for item in iterable:
            try:
                items.append(index(item))
            except TypeError:
                kind = type(item).__name__
                message = f"torch.Size() takes an iterable of 'int' (item {len(items)} is '{kind}')"
                raise TypeError(message) from None
        if any(item.bit_length() > 63 for item in items):
            raise ValueError("Overflow when unpacking long long")
        return trusted(items)

    def __init_subclass__(cls) -> None:
        raise TypeError("type 'torch.Size' is not an acceptable base type")

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        return math.prod(self)

    @overload
    def __getitem__(self, key: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, key: slice) -> "Size": ...
    def __getitem__(self, key: SupportsIndex | slice) -> "int | Size":
        item = tuple.__getitem__(self, key)
        return trusted(item) if isinstance(item, tuple) else item

    def __add__(self, other: Any) -> "Size":
        if isinstance(other, tuple):
            return Size(tuple(self) + other)
        if hasattr(other, "__array__"):
            return NotImplemented  # an array or a tensor adds elementwise
        raise TypeError(f"can only concatenate tuple (not {type(other).__name__}) to torch.Size")

    def __radd__(self, other: Any) -> "Size":
        return Size(other + tuple(self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times: Any) -> "Size":
        if getattr(times, "ndim", 0):
            return NotImplemented  # an array or a tensor multiplies elementwise
        if not hasattr(times, "__index__"):
            raise TypeError(f"can't multiply sequence by non-int of type '{type(times).__name__}'")
        return trusted(tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Size, (tuple(self),)


# A `Size` of ints that are known to be ints: what `tensor.shape` calls, without the checks.
trusted: Callable[[Iterable[int]], Size] = functools.partial(tuple.__new__, Size)
