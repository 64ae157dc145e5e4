"""The memory of a plan: which arrays lie in it, who else holds it, and moving them elsewhere.

NumPy keeps for every array the array that owns its memory, here called the root.  What a plan may do with memory
depends on whether anybody else can see it: a root is **private** when all references to it and to its views come from
the plan's own instructions.
"""

from __future__ import annotations

import mmap
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from operator import is_
from typing import Any

import numpy as np

from .instruction import Instruction

Array = np.ndarray[Any, np.dtype[Any]]
_WORTH_MAPPING = 1 << 16  # bytes


def owner_of(array: Array) -> Array | None:
    """The array that `array` is a view of: of pieces of a flat array (see `flatten`), that one."""
    base: Any = array.base
    if isinstance(base, memoryview):
        base = base.obj
    return base if isinstance(base, np.ndarray) else None


def root_of(array: Array) -> Array:
    """The array that owns the memory of `array`."""
    while (owner := owner_of(array)) is not None:
        array = owner
    return array


def arrays_in(value: Any) -> Iterator[Array]:
    """The arrays in an argument, also those within sequences and dictionaries."""
    if isinstance(value, np.ndarray):
        yield value
    elif type(value) in (tuple, list):
        for each in value:
            yield from arrays_in(each)
    elif type(value) is dict:
        yield from arrays_in(list(value.values()))


def replaced(value: Any, new: Callable[[Array], Array]) -> Any:
    """`value` with `new(array)` for every array in it; itself, the very object, where that changes nothing."""
    if isinstance(value, np.ndarray):
        return new(value)
    if type(value) in (tuple, list):
        items = [replaced(each, new) for each in value]
        return value if all(map(is_, items, value)) else type(value)(items)
    if type(value) is dict:
        entries = {name: replaced(each, new) for name, each in value.items()}
        return value if all(map(is_, entries.values(), value.values())) else entries
    return value


def address_of(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def is_whole(array: Array, root: Array) -> bool:
    """Whether an array without gaps covers all the memory of its root."""
    return array.nbytes == root.nbytes and array.size > 0 and is_dense(array)


def is_dense(array: Array) -> bool:
    return array.flags.c_contiguous or array.flags.f_contiguous or _is_permuted(array)


def _is_permuted(array: Array) -> bool:
    step = array.itemsize
    for stride, size in sorted(zip(array.strides, array.shape, strict=True)):
        if size != 1:
            if stride != step:
                return False
            step *= size
    return True


class Roots:
    """A set of roots that does not keep them alive."""

    __slots__ = ("_references",)

    def __init__(self, roots: Iterable[Array]) -> None:
        self._references = {id(root): weakref.ref(root) for root in roots}

    def ids(self) -> set[int]:
        """The ids of those that live: the id of another may have been given to a new array."""
        return {key for key, reference in self._references.items() if reference() is not None}


class Holdings:
    """Counts the references that a plan, and other known holders, have to the roots of its arrays.

    known: further arrays that are referred to, each named as often as that happens.
    """

    def __init__(self, instructions: Iterable[Instruction], known: Iterable[Array] = ()) -> None:
        self._members: dict[int, Array] = {}  # every array of the plan, and what they are views of
        self._references: dict[int, int] = {}
        seen: set[int] = set()
        for each in instructions:
            self._count(each.args, seen)
            self._count(each.kwargs, seen)
            if each.out is not None:
                self._refer(each.out)
        for array in known:
            self._refer(array)
        self.roots = {id(root): root for root in map(root_of, self._members.values())}

    def _count(self, value: Any, seen: set[int]) -> None:
        if isinstance(value, np.ndarray):
            self._refer(value)
        elif type(value) in (tuple, list, dict) and id(value) not in seen:
            seen.add(id(value))
            for each in value.values() if type(value) is dict else value:
                self._count(each, seen)

    def _refer(self, array: Array) -> None:
        key = id(array)
        self._references[key] = self._references.get(key, 0) + 1
        if key not in self._members:
            self._members[key] = array
            owner = owner_of(array)
            if owner is not None:
                self._refer(owner)

    def private(self) -> set[int]:
        """The ids of the roots that nobody else refers to."""
        shared = set()
        roots = self.roots
        for key in self._members:  # not items(): its tuples are references too
            array = self._members[key]
            # `_members`, `roots` for a root, the loop variable, and getrefcount's argument refer to it as well.
            ours = self._references[key] + 3 + (key in roots)
            if sys.getrefcount(array) > ours:
                shared.add(id(root_of(array)))
        return set(roots) - shared


class Moves:
    """New memory for roots; `apply` gives an array's counterpart there."""

    def __init__(self) -> None:
        self._places: dict[int, tuple[Array, Any, int]] = {}
        self._made: dict[int, tuple[Array, Array]] = {}

    def __contains__(self, root: Array) -> bool:
        return id(root) in self._places

    def __bool__(self) -> bool:
        return bool(self._places)

    def move(self, root: Array, buffer: Any, offset: int = 0) -> None:
        """Let the memory of `root` be that of `buffer` from byte `offset` on."""
        if isinstance(buffer, np.ndarray):  # which must be in order to serve as a buffer
            buffer = buffer.transpose(sorted(range(buffer.ndim), key=lambda axis: -buffer.strides[axis]))
            buffer = buffer.reshape(-1).view(np.uint8)  # a dtype that is not NumPy's own has no buffer protocol
        self._places[id(root)] = (root, buffer, offset)

    def array(self, array: Array) -> Array:
        """`array`, or its counterpart in the new memory."""
        root = root_of(array)
        place = self._places.get(id(root))
        if place is None:
            return array
        made = self._made.get(id(array))
        if made is None:
            _, buffer, offset = place
            start = offset + address_of(array) - address_of(root)
            counterpart: Array = np.ndarray(array.shape, array.dtype, buffer, start, array.strides)
            made = self._made[id(array)] = (array, counterpart)  # the old one too, so that its id stays taken
        return made[1]

    def apply(self, instructions: Iterable[Instruction]) -> None:
        """Let the instructions work in the new memory."""
        if self:
            redirect(instructions, self.array)


def redirect(instructions: Iterable[Instruction], new: Callable[[Array], Array]) -> None:
    """Let the instructions work on `new(array)` in place of every array."""
    for each in instructions:
        each.args = replaced(each.args, new)
        each.kwargs = replaced(each.kwargs, new)
        if each.out is not None:
            each.out = new(each.out)


def untouched(size: int, dtype: Any = np.uint8) -> Array:
    """A vector of zeros; one of many pages is mapped, and takes no room until it is written to."""
    dtype = np.dtype(dtype)
    if size * dtype.itemsize < _WORTH_MAPPING:
        return np.zeros(size, dtype)
    return np.frombuffer(mmap.mmap(-1, size * dtype.itemsize), dtype, size)


def give_back(array: Array) -> None:
    """Let the system have the pages of an `untouched` array until it is written to again; its values are lost."""
    root = root_of(array)
    if is_mapped(root) and hasattr(mmap, "MADV_DONTNEED"):
        pages: Any = root.base
        pages.obj.madvise(mmap.MADV_DONTNEED)


def is_mapped(root: Array) -> bool:
    """Whether the memory of a root is mapped by `untouched`."""
    return isinstance(getattr(root.base, "obj", None), mmap.mmap)
