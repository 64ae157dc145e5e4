"""Letting go of memory in the middle of a capture.

A capture keeps every array that the step computes, because by its memory the plan will know which call reads what.  The
contents, however, are of no use once the step itself has forgotten them: every replay computes them anew.  Such arrays
are moved to memory that is mapped and never touched, which has addresses but takes no room.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

import numpy as np

from .._allocation import WORTH_GIVING_BACK, give_back_freed_memory
from .memory import Array, Holdings, Moves, arrays_in, is_mapped, replaced, root_of
from .passes import first_writes

if TYPE_CHECKING:
    from .recorder import Recorder

_ALIGNMENT = 64  # bytes, as in the arena
_WORTHWHILE = 1 << 12  # bytes: a page
_PATIENCE = 1 << 18  # bytes that a capture may hold in vain


class Vacating:
    """When a capture should look for forgotten results."""

    __slots__ = ("_held", "_limit")

    def __init__(self) -> None:
        self._held = 0
        self._limit = _PATIENCE

    def allocated(self, size: int, recorder: Recorder) -> None:
        """The capture has allocated `size` bytes more."""
        self._held += size
        if self._held > self._limit:
            self._held -= vacate(recorder)
            self._limit = self._held + max(_PATIENCE, self._held // 4)


def vacate(recorder: Recorder) -> int:
    """Move the results that only the capture still refers to into placeholders; how many bytes that frees."""
    forgotten = _forgotten(recorder)
    size = sum(_aligned(root.nbytes) for root in forgotten)
    if not size:
        return 0
    places, start, moves = mmap.mmap(-1, size), 0, Moves()
    for root in forgotten:
        place = np.frombuffer(places, np.uint8, root.nbytes, start)
        start += _aligned(root.nbytes)
        moves.move(root, place)
        for ids in (recorder.fresh, recorder.blank):
            if id(root) in ids:
                ids.remove(id(root))
                ids.add(id(place))
    moves.apply(recorder.instructions)
    for batch in recorder.batches:
        batch.calls = [replaced(call, moves.array) for call in batch.calls]
    if size >= WORTH_GIVING_BACK:
        del forgotten, moves
        give_back_freed_memory()
    return size


def _forgotten(recorder: Recorder) -> list[Array]:
    """The roots whose contents each replay computes before it reads them, and that nobody else refers to."""
    instructions = recorder.instructions
    in_calls = (each for batch in recorder.batches for call in batch.calls for each in arrays_in(call))
    holdings = Holdings(instructions, in_calls)
    computed = first_writes(instructions, recorder.blank).keys() & recorder.fresh & holdings.private()
    computed -= {id(root_of(each.out)) for each in recorder.constants.values()}
    return [root for key in computed if (root := holdings.roots[key]).nbytes >= _WORTHWHILE and not is_mapped(root)]


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
