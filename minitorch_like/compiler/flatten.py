"""Updates of many parameters as one: their memory is laid side by side, and an optimiser's arithmetic runs over all.

An optimiser does the same elementwise arithmetic for each of its parameters.  On small ones the number of calls is all
that counts, so a plan does it once, on flat arrays of which the parameters, their gradients and their state are pieces.
Every tensor keeps its shape and its values; and since nothing else may refer to its memory, nobody can see that it moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .instruction import Instruction
from .memory import Array, Holdings, Moves, address_of, is_whole, root_of

_ALIGNMENT = 16  # elements: every piece starts where SIMD likes it
Columns = dict[int, list[Array]]
Trace = Callable[[Callable[..., None], tuple[Any, ...]], list[Instruction]]


class Batch:
    """Consecutive calls of one elementwise `kernel`, and the range of instructions that they became."""

    __slots__ = ("calls", "kernel", "start", "stop")

    def __init__(self, kernel: Callable[..., None], start: int) -> None:
        self.kernel = kernel
        self.calls: list[tuple[Any, ...]] = []
        self.start = self.stop = start


def flatten(
    instructions: list[Instruction], batches: Iterable[Batch], owners: dict[int, Any], trace: Trace
) -> list[Instruction]:
    """The instructions with each batch, where that is possible, as a single call on flat arrays.

    Args:
        owners: by the id of an array, the tensor whose memory it is.  Of other arrays only the plan knows; what they
            hold does not outlast a call.
        trace: gives the instructions of a call.
    """
    result = list(instructions)
    for batch in sorted(batches, key=lambda each: each.start, reverse=True):  # the last first: places stay valid
        private = _private(result, batches, owners)  # before there are columns, which refer to arrays too
        columns = _columns(batch)
        moves = Moves()
        flat = None if columns is None else _lay_out(columns, owners, moves, private)
        if columns is None or flat is None:
            continue
        result[batch.start : batch.stop] = _traced(batch, flat, trace)
        result = moves.apply(result)
        for column in columns.values():
            for array in column:
                if id(array) in owners:
                    owners[id(array)]._data = moves.array(array)
    return result


def _columns(batch: Batch) -> Columns | None:
    """The positions at which every call has an array of its own, with these; None where calls do not run parallel."""
    if len(batch.calls) < 2:
        return None
    columns: Columns = {}
    for position, values in enumerate(zip(*batch.calls, strict=True)):
        first = values[0]
        if all(each is first for each in values):
            continue
        if isinstance(first, np.ndarray):
            if not all(isinstance(each, np.ndarray) and _fits(each, first) for each in values):
                return None
            columns[position] = list(values)
        elif any(isinstance(each, np.ndarray) or each != first for each in values):
            return None
    sizes = {tuple([each.size for each in column]) for column in columns.values()} - {(1,) * len(batch.calls)}
    return columns if len(sizes) <= 1 else None


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


def _lay_out(columns: Columns, owners: dict[int, Any], moves: Moves, private: set[int]) -> dict[int, Array] | None:
    """For every column the flat array that its arrays are, or will be, pieces of; None if one cannot be moved."""
    flat = {}
    for position, column in columns.items():
        offsets, length = _pieces(column)
        owned = [id(each) in owners for each in column]
        if not any(owned):
            flat[position] = np.zeros(length, column[0].dtype)
            continue
        laid = _laid_already(column, offsets, length)
        if laid is None:
            if not all(owned) or not all(_has_its_own_memory(each, private) for each in column):
                return None
            laid = np.zeros(length, column[0].dtype)
            memory = laid.data.cast("B")
            for array, offset in zip(column, offsets, strict=True):
                start = offset * array.itemsize
                laid[offset : offset + array.size] = array.reshape(-1)
                moves.move(root_of(array), memory[start : start + array.nbytes])
        flat[position] = laid
    return flat


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


def _laid_already(column: list[Array], offsets: list[int], length: int) -> Array | None:
    """The flat array that another plan has laid this column into."""
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
            counterparts[id(root)] = array if length is None else np.empty(length, array.dtype)
        found = counterparts[id(root)]
        return array if found.ndim == 0 or array.shape == found.shape else found

    return Moves.mapped(instructions, full_size)
