"""What makes a captured sequence of calls shorter and its memory smaller, without changing a bit of what it computes.

Each pass takes the instructions and the ids of the private roots (see `memory`) and returns new instructions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .instruction import Instruction
from .memory import Array, Moves, address_of, arrays_in, is_whole, root_of

Instructions = list[Instruction]

_SMALL = 1 << 11  # elements, up to which it counts how soon a call begins, and not what it does


def read_roots(instruction: Instruction) -> set[int]:
    """The ids of the roots whose memory is read."""
    return {id(root_of(each)) for each in arrays_in(instruction.sources())}


def written_root(instruction: Instruction) -> int | None:
    return None if instruction.out is None else id(root_of(instruction.out))


def overwrites(instruction: Instruction) -> bool:
    """Whether all memory of the root of `out` is written, whatever it held before."""
    out = instruction.out
    if out is None or instruction.partial:
        return False
    root = root_of(out)
    return is_whole(out, root) and id(root) not in read_roots(instruction)


def fold_constants(instructions: Instructions, private: set[int]) -> Instructions:
    """Without the calls whose result is the same in every replay: it is computed here, once."""
    writes = _write_counts(instructions)
    constant = {key for key in private if key not in writes} | _write_protected(instructions)
    kept = []
    for each in instructions:
        key = written_root(each)
        if (
            key in private
            and writes[key] == 1
            and not each.effect
            and not each.partial
            and read_roots(each) <= constant
        ):
            constant.add(key)
            each.function(*each.args, **each.kwargs)  # the capture may have forgotten what it had computed
        else:
            kept.append(each)
    return kept


def _write_protected(instructions: Instructions) -> set[int]:
    """The ids of the roots that nobody can write to."""
    roots = (root_of(array) for each in instructions for array in arrays_in([each.args, each.kwargs]))
    return {id(root) for root in roots if not root.flags.writeable}


def spread_rows(instructions: Instructions, private: set[int]) -> Instructions:
    """With a row that meets all rows of a small matrix repeated beforehand.

    NumPy's loop over operands of one shape begins so much sooner than its broadcasting that this pays for the copy.
    """
    spread: Instructions = []
    for each in instructions:
        row = _broadcast_row(each)
        if row is not None:
            repeated = np.empty(each.out.shape, row.dtype)
            private.add(id(repeated))
            # As one item: NumPy repeats that faster than its numbers.
            item = np.dtype((np.void, row.nbytes))
            items = repeated.reshape(-1).view(item)
            spread.append(Instruction(np.copyto, (items, row.reshape(-1).view(item)), {}, items))
            each.args = tuple([repeated if arg is row else arg for arg in each.args])
        spread.append(each)
    return spread


def _broadcast_row(instruction: Instruction) -> Array | None:
    """The only operand of an elementwise call that is not a small matrix like the result, if it is a row of one."""
    function, out = instruction.function, instruction.out
    if not isinstance(function, np.ufunc) or function.signature is not None or out is None:
        return None
    others = [arg for arg in arrays_in(instruction.args) if arg.size != 1 and arg.shape != out.shape]
    if len(others) != 1 or out.ndim < 2 or out.size > _SMALL:
        return None
    (row,) = others
    is_row = row.shape[-1] == row.size == out.shape[-1] < out.size
    return row if is_row and all(arg.flags.c_contiguous for arg in (*arrays_in(instruction.args), out)) else None


def share_results(instructions: Instructions, private: set[int]) -> Instructions:
    """With what is computed twice from the same values computed once."""
    writes = _write_counts(instructions)
    moves = Moves()
    versions: dict[int, int] = {}
    known: dict[Any, Array] = {}
    kept = []
    for each in instructions:
        out, key = each.out, written_root(each)
        if out is not None and key in private and writes[key] == 1 and overwrites(each) and not each.effect:
            call = _identity(each, versions)
            earlier = known.get(call) if call is not None else None
            if earlier is not None and earlier.strides == out.strides:
                moves.move(root_of(out), root_of(earlier))
                continue
            if call is not None:
                known[call] = out
        if key is not None:
            versions[key] = versions.get(key, 0) + 1
        kept.append(each)
    moves.apply(kept)
    return kept


def _identity(instruction: Instruction, versions: dict[int, int]) -> Any:
    """What two calls that compute the same have in common; None where that cannot be told."""

    def described(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            key = id(root_of(value))
            return "array", address_of(value), value.shape, value.strides, value.dtype, key, versions.get(key, 0)
        if type(value) in (tuple, list):
            return tuple([described(each) for each in value])
        if isinstance(value, (int, float, str, bool, type(None), slice, np.generic, np.dtype)):
            return type(value), repr(value)
        return value

    options = [(name, described(value)) for name, value in instruction.kwargs.items() if name != "out"]
    positional = [described(each) for each in instruction.args if each is not instruction.out]
    out = instruction.out
    call = (instruction.function, tuple(positional), tuple(options), out.shape, out.dtype)
    try:
        hash(call)
    except TypeError:
        return None
    return call


def forward_copies(instructions: Instructions, private: set[int]) -> Instructions:
    """With a result that is only copied elsewhere computed there at once."""
    first, last = first_writes(instructions), last_uses(instructions)
    touched = _touches(instructions)
    moves = Moves()
    goals: set[int] = set()  # roots that something has been moved to, and that must therefore stay
    kept = []
    for index, each in enumerate(instructions):
        if each.function is np.copyto and len(each.args) == 2 and not each.partial:
            target, source = each.args
            if isinstance(source, np.ndarray) and _can_be_computed_in(target, source, private):
                key, goal = id(root_of(source)), id(root_of(target))
                start = first.get(key)
                if (
                    start is not None
                    and last[key] == index
                    and root_of(source) not in moves
                    and key not in goals
                    and root_of(target) not in moves
                    and not any(
                        start <= at < index and np.may_share_memory(array, target) for at, array in touched[goal]
                    )
                ):
                    moves.move(root_of(source), root_of(target), address_of(target) - address_of(root_of(target)))
                    goals.add(goal)
                    continue
        kept.append(each)
    moves.apply(kept)
    return kept


def _can_be_computed_in(target: Array, source: Array, private: set[int]) -> bool:
    return (
        id(root_of(source)) in private
        and root_of(source) is not root_of(target)
        and source.dtype == target.dtype
        and source.shape == target.shape
        and source.strides == target.strides
        and is_whole(source, root_of(source))
        and address_of(source) == address_of(root_of(source))
    )


def drop_dead(instructions: Instructions, private: set[int]) -> Instructions:
    """Without the calls whose results nobody reads."""
    wanted: set[int] = set()
    kept = []
    for each in reversed(instructions):
        key = written_root(each)
        if key in private and key not in wanted and not each.effect:
            continue
        if key is not None and overwrites(each):
            wanted.discard(key)
        wanted |= read_roots(each)
        if each.partial and key is not None:
            wanted.add(key)
        kept.append(each)
    return kept[::-1]


def _write_counts(instructions: Iterable[Instruction]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for each in instructions:
        key = written_root(each)
        if key is not None:
            counts[key] = counts.get(key, 0) + 1
    return counts


def first_writes(instructions: Sequence[Instruction], blank: set[int] | None = None) -> dict[int, int]:
    """Where each root is first accessed, if that access overwrites it or what it held means nothing."""
    blank = blank or set()
    first: dict[int, int] = {}
    accessed: set[int] = set()
    for index, each in enumerate(instructions):
        key = written_root(each)
        if key is not None and key not in accessed and (overwrites(each) or key in blank):
            first[key] = index
        accessed |= read_roots(each)
        if key is not None:
            accessed.add(key)
    return first


def _touches(instructions: Sequence[Instruction]) -> dict[int, list[tuple[int, Array]]]:
    """Where each root is read or written, and by which array."""
    touched: dict[int, list[tuple[int, Array]]] = {}
    for index, each in enumerate(instructions):
        for array in arrays_in([each.args, each.kwargs, each.out]):
            touched.setdefault(id(root_of(array)), []).append((index, array))
    return touched


def last_uses(instructions: Sequence[Instruction]) -> dict[int, int]:
    return {key: places[-1][0] for key, places in _touches(instructions).items()}
