"""Updates of many parameters as one: their memory is laid side by side, and an optimiser's arithmetic runs over all.

An optimiser does the same elementwise arithmetic for each of its parameters.  On small ones the number of calls is all
that counts, so a plan does it once, on flat arrays of which the parameters, their gradients and their state are pieces.
Every tensor keeps its shape and its values; and since nothing else may refer to its memory, nobody can see that it moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .._allocation import WORTH_GIVING_BACK, give_back_freed_memory
from .instruction import Instruction
from .memory import Array, Holdings, Moves, address_of, is_whole, redirect, replaced, root_of, untouched

_ALIGNMENT = 16  # elements: every piece starts where SIMD likes it
Trace = Callable[[Callable[..., None], tuple[Any, ...]], list[Instruction]]


class Batch:
    """Consecutive calls of one elementwise `kernel`, and the range of instructions that they became."""

    __slots__ = ("calls", "kernel", "start", "stop")

    def __init__(self, kernel: Callable[..., None], start: int) -> None:
        self.kernel = kernel
        self.calls: list[tuple[Any, ...]] = []
        self.start = self.stop = start

    def column(self, position: int) -> list[Any]:
        """The arguments at `position`, call by call."""
        return [call[position] for call in self.calls]


def flatten(
    instructions: list[Instruction], batches: list[Batch], owners: dict[int, Any], trace: Trace
) -> list[Instruction]:
    """The instructions with each batch, where that is possible, as a single call on flat arrays.

    Args:
        owners: by the id of an array, the tensor whose memory it is.  Of other arrays only the plan knows; what they
            hold does not outlast a call.
        trace: gives the instructions of a call.
    """
    result = list(instructions)
    for batch in sorted(batches, key=lambda each: each.start, reverse=True):  # the last first: places stay valid
        private = _private(result, batches, owners)
        positions = _columns(batch)
        if positions and all(_can_be_laid(batch.column(each), owners, private) for each in positions):
            flat: dict[int, Array] = {}
            for position in positions:  # one after the other, so that at most one of them is there twice
                flat[position] = _lay_out(batch.column(position), result, batches, owners)
                if flat[position].nbytes >= WORTH_GIVING_BACK:
                    give_back_freed_memory()
            result[batch.start : batch.stop] = _traced(batch, flat, trace)
    return result


def _columns(batch: Batch) -> list[int]:
    """The positions at which every call has an array of its own; none where calls do not run parallel."""
    if len(batch.calls) < 2:
        return []
    positions = []
    sizes = set()
    for position, first in enumerate(batch.calls[0]):
        values = batch.column(position)
        if all(each is first for each in values):
            continue
        if isinstance(first, np.ndarray):
            if not all(isinstance(each, np.ndarray) and _fits(each, first) for each in values):
                return []
            positions.append(position)
            sizes.add(tuple([each.size for each in values]))
        elif any(isinstance(each, np.ndarray) or each != first for each in values):
            return []
    return positions if len(sizes - {(1,) * len(batch.calls)}) <= 1 else []


def _fits(array: Array, first: Array) -> bool:
    return array.flags.c_contiguous and array.dtype == first.dtype and array.size > 0


def _private(instructions: list[Instruction], batches: Iterable[Batch], owners: dict[int, Any]) -> set[int]:
    """The roots to which only the plan and the tensors that own them refer."""

    def known() -> Iterator[Array]:
        for batch in batches:
            for call in batch.calls:
                yield from (each for each in call if isinstance(each, np.ndarray))
        yield from (owner._data for owner in owners.values())

    return Holdings(instructions, known()).private()


def _can_be_laid(column: list[Array], owners: dict[int, Any], private: set[int]) -> bool:
    """Whether the arrays of a column are, or may be made, pieces of a flat one."""
    owned = [id(each) in owners for each in column]
    if not any(owned) or _laid_already(column) is not None:
        return True
    return all(owned) and all(_has_its_own_memory(each, private) for each in column)


def _lay_out(
    column: list[Array], instructions: list[Instruction], batches: list[Batch], owners: dict[int, Any]
) -> Array:
    """The flat array that the arrays of a column are pieces of from now on, for whoever refers to them."""
    laid = _laid_already(column)
    if laid is not None:
        return laid
    offsets, length = _pieces(column)
    laid = untouched(length, column[0].dtype)
    if id(column[0]) not in owners:  # they hold nothing
        return laid
    memory, moves = laid.view(np.uint8).data, Moves()
    for array, offset in zip(column, offsets, strict=True):
        start = offset * array.itemsize
        laid[offset : offset + array.size] = array.reshape(-1)
        moves.move(root_of(array), memory[start : start + array.nbytes])
    moves.apply(instructions)
    for batch in batches:
        batch.calls = [replaced(call, moves.array) for call in batch.calls]
    for array in column:
        owner = owners.pop(id(array))
        owner._data = moves.array(array)
        owners[id(owner._data)] = owner
    return laid


def _has_its_own_memory(array: Array, private: set[int]) -> bool:
    root = root_of(array)
    return id(root) in private and is_whole(array, root) and not isinstance(root.base, memoryview)


def _pieces(column: list[Array]) -> tuple[list[int], int]:
    """Where the pieces of a column begin, in elements, and the length of the whole."""
    single = all(each.size == 1 for each in column)
    offsets, end = [], 0
    for each in column:
        offsets.append(end)
        end += each.size if single else -(-each.size // _ALIGNMENT) * _ALIGNMENT
    return offsets, end


def _laid_already(column: list[Array]) -> Array | None:
    """The flat array that another batch or plan has laid this column into."""
    offsets, length = _pieces(column)
    root = root_of(column[0])
    if root.ndim != 1 or root.size != length or root.dtype != column[0].dtype:
        return None
    start = address_of(root)
    expected = [start + offset * root.itemsize for offset in offsets]
    return root if [address_of(each) for each in column] == expected else None


def _traced(batch: Batch, flat: dict[int, Array], trace: Trace) -> list[Instruction]:
    """The instructions of one call on the flat arrays.

    Tracing computes, and the kernel does for every element alike; so it is traced on a few elements, by whose number an
    array is then told: those that stand for a flat array, and those that the kernel has allocated for its own use.
    """
    lengths = sorted({array.size for array in flat.values()})
    few = {length: 2 + index for index, length in enumerate(lengths)}
    stand_ins = {position: np.ones(few[array.size], array.dtype) for position, array in flat.items()}
    args = tuple([stand_ins.get(position, value) for position, value in enumerate(batch.calls[0])])
    with np.errstate(all="ignore"):
        instructions = trace(batch.kernel, args)
    counterparts = {id(stand_in): flat[position] for position, stand_in in stand_ins.items()}
    for value in args:
        if isinstance(value, np.ndarray):
            counterparts.setdefault(id(root_of(value)), value)
    originals = {few[length]: length for length in lengths}
    alive: list[Array] = []  # so that no id is given away

    def full_size(array: Array) -> Array:
        root = root_of(array)
        if id(root) not in counterparts:
            alive.append(root)
            length = originals.get(array.size) if array.ndim == 1 else None
            counterparts[id(root)] = array if length is None else untouched(length, array.dtype)
        found = counterparts[id(root)]
        return array if found.ndim == 0 or array.shape == found.shape else found

    redirect(instructions, full_size)
    return instructions
