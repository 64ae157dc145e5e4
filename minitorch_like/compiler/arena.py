"""One piece of memory for all that a plan computes on the way, laid out by lifetimes."""

from __future__ import annotations

import numpy as np

from .._allocation import WORTH_GIVING_BACK, give_back_freed_memory
from .instruction import Instruction
from .memory import Moves, arrays_in, give_back, is_whole, root_of, untouched
from .passes import Instructions, first_writes, last_uses, read_roots, written_root

_ALIGNMENT = 64  # bytes: a cache line


class Arena:
    """Memory that holds nothing from one replay to the next."""

    __slots__ = ("memory",)

    def __init__(self, size: int) -> None:
        self.memory = untouched(size)

    def give_back(self) -> None:
        """Let the system have the pages until the next replay."""
        give_back(self.memory)

    def take_the_place_of_freed_memory(self) -> None:
        """Let the system have what eager steps have left behind, if that is likely to be much: replays need none of it."""
        if self.memory.size >= WORTH_GIVING_BACK:
            give_back_freed_memory()


def reuse_memory(instructions: Instructions, private: set[int], blank: set[int]) -> Arena:
    """Lay private roots into as little memory as their lifetimes allow, which is returned.

    A lifetime begins with a call that overwrites all of the memory or, of a root in `blank`, that writes to it at all; it ends
    with the last call that reads it.  A call computes in place where its result may take an operand's memory.
    """
    first, last = first_writes(instructions, blank), last_uses(instructions)
    roots = {
        id(root): root for each in instructions for root in map(root_of, arrays_in([each.args, each.kwargs, each.out]))
    }
    layout = _Layout()
    places: dict[int, tuple[int, int]] = {}  # of every root laid out: where, and how many bytes
    living: set[int] = set()
    for index, each in enumerate(instructions):
        key = written_root(each)
        ending = {other for other in read_roots(each) if other in living and other != key and last[other] == index}
        if key is not None and key in private and first.get(key) == index:
            size = -(-roots[key].nbytes // _ALIGNMENT) * _ALIGNMENT
            taken = next((other for other in _overwritable(each) & ending if places[other][1] == size), None)
            if taken is not None:
                ending.discard(taken)
                living.discard(taken)
            places[key] = places[taken] if taken is not None else (layout.take(size), size)
            living.add(key)
            if last[key] == index:
                ending.add(key)
        elif key in living and last[key] == index:
            ending.add(key)
        for other in ending:
            layout.give_back(*places[other])
        living -= ending
    arena, moves = Arena(layout.size), Moves()
    for key, (start, _) in places.items():
        moves.move(roots[key], arena.memory, start)
    moves.apply(instructions)
    return arena


def _overwritable(instruction: Instruction) -> set[int]:
    """The ids of the roots over which an elementwise call may write its result: element for element the same places."""
    out, function = instruction.out, instruction.function
    if not isinstance(function, np.ufunc) or function.signature is not None:
        return set()
    alike: dict[int, bool] = {}
    for each in arrays_in(instruction.sources()):
        key = id(root_of(each))
        same = each.shape == out.shape and each.strides == out.strides and each.dtype == out.dtype
        alike[key] = alike.get(key, True) and same and is_whole(each, root_of(each))
    return {key for key, same in alike.items() if same}


class _Layout:
    """Allocates pieces of a line that grows as needed: the smallest gap that is large enough, at its lower end."""

    __slots__ = ("_gaps", "size")

    def __init__(self) -> None:
        self._gaps: list[tuple[int, int]] = []  # start and end, in order; neighbours never touch
        self.size = 0

    def take(self, size: int) -> int:
        best = min(
            (gap for gap in self._gaps if gap[1] - gap[0] >= size), key=lambda gap: gap[1] - gap[0], default=None
        )
        if best is None:
            return self._grow(size)
        start, end = best
        at = self._gaps.index(best)
        self._gaps[at : at + 1] = [(start + size, end)] if end - start > size else []
        return start

    def _grow(self, size: int) -> int:
        """Take a piece at the end, of which a last gap is the beginning."""
        start = self._gaps.pop()[0] if self._gaps and self._gaps[-1][1] == self.size else self.size
        self.size = start + size
        return start

    def give_back(self, start: int, size: int) -> None:
        end = start + size
        merged: list[tuple[int, int]] = []
        for gap in self._gaps:
            if gap[1] == start:
                start = gap[0]
            elif gap[0] == end:
                end = gap[1]
            else:
                merged.append(gap)
        merged.append((start, end))
        merged.sort()
        self._gaps = merged
