"""How elements lie in memory: `layout` and `memory_format`, and the arithmetic of strides.

Shapes and strides are tuples here; `step` is what the innermost stride counts, 1 for elements or the item size for bytes.
NumPy leaves the strides of dimensions of size 0 and 1 undefined and torch does not, so whoever makes a view takes them
from here.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

Strides = tuple[int, ...]


class layout:
    __module__ = "minitorch_like"
    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name  # there is one of each, which the package knows by its name


class memory_format:
    __module__ = "minitorch_like"
    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name  # there is one of each, which the package knows by its name


strided = layout("strided")
sparse_coo, sparse_csr, sparse_csc, sparse_bsr, sparse_bsc, jagged = (  # of which there are no tensors here
    layout(name) for name in ("sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "jagged")
)
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")

# The rank that a format is for, and its dimensions from the innermost to the outermost.
_CHANNELS_LAST = {channels_last: (4, (1, 3, 2, 0)), channels_last_3d: (5, (1, 4, 3, 2, 0))}


def contiguous_strides(shape: Sequence[int], step: int = 1) -> Strides:
    """Row by row; a dimension of size 0 counts as one of size 1."""
    strides = []
    for size in reversed(shape):
        strides.append(step)
        step *= size or 1
    return tuple(reversed(strides))


def format_strides(shape: Sequence[int], wanted: memory_format, step: int = 1) -> Strides:
    """The strides of a tensor of `shape` in a memory format.  RuntimeError where the rank does not fit."""
    if wanted is contiguous_format:
        return contiguous_strides(shape, step)
    if wanted is preserve_format:
        raise RuntimeError("Unsupported memory formatPreserve")
    rank, order = _CHANNELS_LAST[wanted]
    if len(shape) != rank:
        raise RuntimeError(f"required rank {rank} tensor to use {wanted.name} format")
    strides = [0] * rank
    for dim in order:
        strides[dim] = step
        step *= shape[dim]
    return tuple(strides)


def is_in_format(array: Any, wanted: memory_format) -> bool:
    """Whether an array lies in memory as the format says; dimensions of size 1 may have any stride."""
    if wanted not in _CHANNELS_LAST:
        return bool(array.flags.c_contiguous)
    rank, order = _CHANNELS_LAST[wanted]
    if array.ndim != rank:
        return False
    step, strides = array.itemsize, strides_of(array)
    for dim in order:
        size = array.shape[dim]
        if size != 1:
            if strides[dim] != step:
                return False
            step *= size
    return True


def suggested_format(array: Any) -> memory_format:
    """The format that an operation on a tensor keeps: channels last where its strides can be read so in one way only."""
    wanted = {4: channels_last, 5: channels_last_3d}.get(array.ndim)
    if wanted is None or not array.size:
        return contiguous_format
    shape, strides = array.shape, strides_of(array)
    if not strides[1]:
        return contiguous_format
    least = 0
    for dim in _CHANNELS_LAST[wanted][1]:
        if strides[dim] < least or (dim == 0 and least == strides[1]):
            return contiguous_format
        least = strides[dim] * shape[dim]
    return wanted


def strides_of(array: Any) -> Strides:
    """The byte strides that torch would report of an array that is not known to be a view.

    What NumPy has computed may have any stride, 0 among them, where a dimension has size 0 or 1; what torch computes of
    contiguous or channels-last tensors has those of its format.
    """
    strides: Strides = array.strides
    if array.flags.c_contiguous and (array.base is None or 0 in strides):
        return contiguous_strides(array.shape, array.itemsize)
    if array.base is None and 1 in array.shape and array.ndim in (4, 5):
        wanted = channels_last if array.ndim == 4 else channels_last_3d
        canonical = format_strides(array.shape, wanted, array.itemsize)
        if all(size == 1 or step == due for size, step, due in zip(array.shape, strides, canonical, strict=True)):
            return canonical
    return strides


def root_of(array: Any) -> Any:
    """The array that owns the memory: torch's storage."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


# By id, the arrays whose memory tensors were given by `.data`: it can be written to unbeknown to who has saved it.
_exposed: dict[int, weakref.ref[Any]] = {}


def expose(data: Any) -> None:
    """Note that somebody has been given the memory of what a Tensor holds, by whose writes no version changes."""
    root = root_of(memory_of(data))
    key = id(root)
    if key not in _exposed:
        _exposed[key] = weakref.ref(root, lambda _: _exposed.pop(key, None))


def unless_exposed(kept: Any, *operands: Any) -> Any:
    """What was computed of these arrays and kept; None where they may have been written to since: then torch, which keeps
    the operands alone, computes of what is in them now."""
    if _exposed and any(id(root_of(each)) in _exposed for each in operands):
        return None
    return kept


def offset_of(array: Any) -> int:
    """How many bytes after the start of its memory an array begins."""
    root = root_of(array)
    if root is array:
        return 0
    return address_of(array) - address_of(root)


def memory_of(data: Any) -> Any:
    """What a Tensor holds as an array of what is in its memory: other numbers than its values if it is seen through bits."""
    return getattr(data, "memory", data)


def address_of(data: Any) -> int:
    """The address of the first element."""
    address: int = memory_of(data).__array_interface__["data"][0]
    return address


def resolved(data: Any) -> Any:
    """What a Tensor holds as an array of its values: a copy if it is seen through bits, see `_conjugation`."""
    return data.resolve() if hasattr(data, "resolve") else data


def seen_like(old: Any, memory: Any) -> Any:
    """Other memory for a tensor: seen through the same bits, if it has any."""
    return old.over(memory) if hasattr(old, "over") else memory


def reshaped_strides(shape: Strides, strides: Strides, new: Strides, step: int = 1) -> Strides | None:
    """The strides of a view in another shape of as many elements, None where only a copy has that shape.

    The old dimensions fall into runs that are contiguous within themselves; each new dimension must lie within one.
    """
    if 0 in shape:
        return strides if shape == new else contiguous_strides(new, step)
    if not shape:
        return (step,) * len(new)
    result = [0] * len(new)
    start, at = len(shape) - 1, len(new) - 1
    while start >= 0:
        inner, size = strides[start], shape[start]
        while start > 0 and (shape[start - 1] == 1 or strides[start - 1] == size * inner):
            start -= 1
            size *= shape[start]
        start -= 1
        filled = 1
        while at >= 0 and (filled < size or new[at] == 1):
            result[at] = filled * inner
            filled *= new[at]
            at -= 1
        if filled != size:
            return None
    return tuple(result)


def is_dense(shape: Strides, strides: Strides, step: int = 1) -> bool:
    """Whether every element has a place of its own without gaps, whatever the order of dimensions."""
    for stride, size in sorted((stride, size) for stride, size in zip(strides, shape, strict=True) if size > 1):
        if stride != step:
            return False
        step *= size
    return True


def extent(shape: Sequence[int], strides: Sequence[int]) -> int:
    """How many places there are from the first element to the last, both included."""
    if 0 in shape:
        return 0
    return 1 + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))


def places_of(shape: Sequence[int], strides: Sequence[int], step: int) -> Any:
    """For each element of a strided view, the number of its place in memory, counted from its first element."""
    places = np.zeros((), np.int64)
    for size, stride in zip(shape, strides, strict=True):
        places = places[..., None] + np.arange(size) * (stride // step)
    return places
