"""Reading an index part by part, as torch does, with torch's errors and warnings.

An index is split into its basic part (ints, slices, None, Ellipsis), which makes a view, and its advanced part (arrays
of integers or truth values), which selects from that view.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._capture import reads_values
from .._tensor import Tensor
from ..ops._checks import sizes, wrap_dim

Array = np.ndarray[Any, np.dtype[Any]]
Basic = tuple[Any, ...] | None
Arrays = tuple[Any, ...] | None

_MANY = 32  # elements from which on a sequence is never read as a tuple, as in NumPy of old


def parse(x: Array, index: Any) -> tuple[Any, Basic, Arrays, tuple[Tensor, ...]]:
    """The index as it is understood (a bare part or a tuple), its basic and its advanced part, and the tensors in it.

    A part is None where there is nothing to do.
    """
    if not isinstance(index, (tuple, Tensor, np.ndarray)) and _stands_for_tuple(index):
        from .._once import warn_of_call

        warn_of_call(
            "Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in pytorch 2.9; use "
            "x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will be interpreted as tensor index, "
            "x[torch.tensor(seq)], which will result either in an error or a different result",
        )
        index = tuple(index)
    if not isinstance(index, tuple):
        _check_bare(x, index)
    parser = _Parser(x)
    parser.read(index if isinstance(index, tuple) else (index,))
    basic, advanced = tuple(parser.basic), tuple(parser.advanced)
    if not parser.has_arrays:
        return index, basic, None, ()
    plain = all(part.__class__ is slice and part == slice(None) for part in basic)
    return index, None if plain else basic, advanced, tuple(parser.tensors)


def _stands_for_tuple(index: Any) -> bool:
    """NumPy's old rule: a short sequence with a sequence, slice, Ellipsis or None in it is meant as a tuple."""
    if not _is_sequence(index) or len(index) >= _MANY:
        return False
    return any(
        each is None or each is Ellipsis or isinstance(each, (slice, Tensor)) or _is_sequence(each) for each in index
    )


def _is_sequence(value: Any) -> bool:
    return hasattr(value, "__getitem__") and hasattr(value, "__len__") and not isinstance(value, (dict, Tensor))


def _check_bare(x: Array, index: Any) -> None:
    """What torch says of an int or slice that is not in a tuple."""
    if x.ndim:
        return
    if isinstance(index, slice):
        _plain_slice(index)
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    if _is_long(index):
        if index:
            _check_long(index)
            raise IndexError(f"index {index} is out of bounds for dimension 0 with size 0")
        raise IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
            "0-dim tensor to a number"
        )


def _is_long(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _check_long(number: Any) -> None:
    if not -(2**63) <= number < 2**63:
        raise ValueError("Overflow when unpacking long long")


class _Parser:
    """Splits the parts of an index, one after the other."""

    def __init__(self, x: Array) -> None:
        self.shape = x.shape
        self.dim = 0  # of what is indexed, to which the next part applies
        self.basic: list[Any] = []
        self.advanced: list[Any] = []
        self.tensors: list[Tensor] = []
        self.has_arrays = False

    def read(self, items: tuple[Any, ...]) -> None:
        ndim = len(self.shape)
        specified = sum(map(_specified_dims, items))
        if specified > ndim:
            raise IndexError(f"too many indices for tensor of dimension {ndim}")
        free: int | None = ndim - specified
        for place, each in enumerate(items):
            if each is Ellipsis:
                if free is not None:  # a second one stands for nothing
                    self.dim += free
                    self.basic.append(Ellipsis)
                    self.advanced += [slice(None)] * free
                    free = None
            elif each is None:
                self.basic.append(None)
                self.advanced.append(slice(None))
            elif isinstance(each, bool):
                self._truth(each)
            elif _is_long(each):
                self._select(each, place)
            elif isinstance(each, slice):
                self._size(place)
                self.basic.append(_plain_slice(each))
                self.advanced.append(slice(None))
                self.dim += 1
            else:
                self._array(each, place)
        while self.advanced and not isinstance(self.advanced[-1], np.ndarray):
            self.advanced.pop()

    def _size(self, place: int) -> int:
        if self.dim >= len(self.shape):  # a nested list of truth values took more dimensions than torch counted
            raise IndexError(f"index 0 is out of bounds for dimension {place} with size 0")
        return self.shape[self.dim]

    def _select(self, number: Any, place: int) -> None:
        _check_long(number)
        size = self._size(place)
        if not -size <= number < size:
            raise IndexError(f"index {number} is out of bounds for dimension {place} with size {size}")
        self.basic.append(int(number))
        self.dim += 1

    def _truth(self, value: bool) -> None:
        """A new dimension, kept or emptied."""
        self.basic.append(None)
        self.advanced.append(np.zeros(int(value), np.int64))
        self.has_arrays = True

    def _array(self, item: Any, place: int) -> None:
        """An index tensor, an array, a sequence of numbers, or whatever else has an `__index__`."""
        if isinstance(item, Tensor):
            array = item._data
        elif isinstance(item, np.ndarray) or _is_sequence(item):
            from .sequences import as_index

            array = as_index(item)
        elif hasattr(item, "__index__") and not isinstance(item, type):
            self._select(item.__index__(), place)
            return
        else:
            raise IndexError(
                "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
                f"{type_name(item)})"
            )
        if not array.ndim and array.dtype.kind in "iub":
            reads_values("indexing by a 0-d tensor")
            if array.dtype.kind == "b" or array.dtype == np.uint8:
                self._truth(bool(array))
            else:
                self._select(int(array), place)
            return
        width = array.ndim if array.dtype.kind == "b" or array.dtype == np.uint8 else 1
        self.basic += [slice(None)] * width
        self.advanced.append(array)
        self.has_arrays = True
        self.dim += width
        if isinstance(item, Tensor):
            self.tensors.append(item)


_OF_C = frozenset({"device", "dtype", "layout", "memory_format"})  # types of torch that are written in C


def type_name(value: Any) -> str:
    """C's name of a type, in which those that are not written in Python name their module too."""
    kind = type(value)
    if kind.__module__.startswith(Tensor.__module__) and kind.__name__ in _OF_C:
        return f"{Tensor.__module__}.{kind.__name__}"
    in_python = kind.__flags__ & (1 << 9)  # Py_TPFLAGS_HEAPTYPE
    return kind.__name__ if in_python or kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _specified_dims(item: Any) -> int:
    """How many dimensions torch counts for a part of an index, before it is read."""
    if item is None or item is Ellipsis or isinstance(item, bool):
        return 0
    if isinstance(item, Tensor) and (item._data.dtype.kind == "b" or item._data.dtype == np.uint8):
        return item._data.ndim
    return 1


def _plain_slice(item: slice) -> slice:
    """The slice with plain ints for bounds."""
    start, stop, step = map(_bound, (item.start, item.stop, item.step))
    if step is not None and step <= 0:
        raise ValueError("step must be greater than zero" if step else "slice step cannot be zero")
    return slice(start, stop, None if step == 1 else step)


def _bound(value: Any) -> Any:
    if value is None:
        return None
    if not hasattr(value, "__index__"):
        raise TypeError("slice indices must be integers or None or have an __index__ method")
    return value.__index__()


# -- what the arrays of an index must be -----------------------------------------------------------------------------

_INDEX_DTYPES = frozenset(map(np.dtype, (np.int64, np.int32, np.uint8, np.bool_)))


def checked_arrays(shape: tuple[int, ...], index: tuple[Any, ...]) -> tuple[Any, ...]:
    """The advanced part of an index of something of `shape`, with masks of truth values only.

    Raises IndexError for arrays of other dtypes and for masks of another shape.
    """
    arrays = [each for each in index if isinstance(each, np.ndarray)]
    if any(each.dtype not in _INDEX_DTYPES for each in arrays):
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    dim = 0
    result = []
    for each in index:
        if isinstance(each, np.ndarray) and each.dtype == np.uint8:
            from .._once import warn_of_call

            warn_of_call(
                "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.",
            )
            reads_values("indexing by a uint8 mask")
            each = each.astype(bool)
        if isinstance(each, np.ndarray) and each.dtype.kind == "b":
            check_mask(shape, each.shape, dim)
            dim += each.ndim
        else:
            dim += 1
        result.append(each)
    return tuple(result)


def check_mask(shape: tuple[int, ...], mask: tuple[int, ...], dim: int) -> None:
    """IndexError for a mask whose shape is not that of the dimensions from `dim` on."""
    for offset, size in enumerate(mask):
        if size != shape[wrap_dim(dim + offset, len(shape))]:
            raise IndexError(
                f"The shape of the mask {sizes(mask)} at index {offset} does not match the shape of the indexed "
                f"tensor {sizes(shape)} at index {dim + offset}"
            )
