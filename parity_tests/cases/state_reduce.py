"""Smaller walks that show the same: without some of the steps, or with plainer ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from parity_tests.cases.program import Ref, refs
from parity_tests.cases.state import Move, Walk

MOST_TRIES = 1500  # of smaller walks


def reduce_walk(walk: Walk, shows: Callable[[Walk], bool]) -> Walk:
    """A walk with fewer steps and modes for which `shows` still holds."""
    changed, tries = True, 0
    while changed:
        changed = False
        for proposal in _simpler(walk):
            tries += 1
            if tries > MOST_TRIES:
                return walk
            if shows(proposal):
                walk, changed = proposal, True
                break
    return walk


def _simpler(walk: Walk) -> Iterator[Walk]:
    moves = walk.moves
    if not walk.closely:
        yield Walk(moves)
    size = len(moves) // 2
    while size:
        for start in range(len(moves) - size, -1, -size):
            yield dataclasses.replace(walk, moves=moves[:start] + moves[start + size :])
        size //= 2
    for k, move in enumerate(moves):
        for name in move.results:
            for operand in refs((*move.args, *move.kwargs.values())):
                later = (_renamed(each, name, operand.name) for each in moves[k + 1 :])
                if name and operand.name != name:
                    yield dataclasses.replace(walk, moves=(*moves[:k], *later))
        for fresh in _fresh(move, moves[k + 1 :]):
            yield dataclasses.replace(walk, moves=(*moves[:k], fresh, *moves[k + 1 :]))
        for change in _plainer(move):
            yield dataclasses.replace(walk, moves=(*moves[:k], dataclasses.replace(move, **change), *moves[k + 1 :]))


def _fresh(move: Move, later: tuple[Move, ...]) -> Iterator[Move]:
    """New tensors of a few shapes in the place of a computed one, if only one of what the step gave is used later."""
    used = {each.name.partition(".")[0] for step in later for each in refs((*step.args, *step.kwargs.values()))}
    names = [name for name in move.results if name in used]
    if move.op != "new" and len(names) == 1:
        for shape in ((2,), (2, 3), ()):
            for kind in (np.float32, np.bool_):
                yield Move("new", (np.ones(shape, kind),), results=(names[0],))


def _renamed(move: Move, old: str, new: str) -> Move:
    """A step with another tensor in the place of one."""

    def substituted(value: Any) -> Any:
        if isinstance(value, Ref) and value.name.partition(".")[0] == old:
            return Ref(new + value.name[len(old) :])
        return type(value)(map(substituted, value)) if isinstance(value, (tuple, list)) else value

    return dataclasses.replace(move, args=substituted(move.args))


def _plainer(move: Move) -> Iterator[dict[str, Any]]:
    if move.mode:
        yield {"mode": ""}
    if move.op == "new" and move.kwargs:
        yield {"kwargs": {}}
    for k, each in enumerate(move.args):
        if isinstance(each, np.ndarray) and each.dtype.kind == "f" and not np.all(each == 1):
            yield {"args": (*move.args[:k], np.ones_like(each), *move.args[k + 1 :])}
