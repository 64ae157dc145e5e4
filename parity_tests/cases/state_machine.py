"""The machine that walks: Hypothesis draws the walks, the reference tells what there is to choose from.

All of a walk is chosen by what Hypothesis draws at its beginning.  Of draws at each step it would make walks that resemble
one another, in the hope of smaller failures; but these get smaller by steps being taken out (`state.reduce_walk`).
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from parity_tests.backends import Backend, load
from parity_tests.cases import state_complex, state_gradients, state_sequences, state_views, state_writes  # noqa: F401  they declare their steps
from parity_tests.cases.program import Ref
from parity_tests.cases.state import ACCIDENT, MODES, Move, Walk, World, parts_of
from parity_tests.cases.state_look import SHAPES, Look, Skip
from parity_tests.cases.state_steps import STEPS, WEIGHTS, Declaration, Moves
from parity_tests.check import Raised
from parity_tests.check.snapshot import is_tensor

MOST_TENSORS = 8

# Which share of the kinds of steps a walk goes without: what is never interrupted by others goes further.
LEFT_OUT = (0, 0.3, 0.6)


@functools.cache
def _reference() -> Backend:
    return load("torch")


class Machine(RuleBasedStateMachine):
    """A walk in the making.  What it came to is handed over at its end."""

    hand_over: Callable[[Walk], None]

    def __init__(self) -> None:
        super().__init__()
        self.world = World(_reference())
        self.moves: list[Move] = []
        self.named = 0
        self.closely = True

    @initialize(drawn=st.binary(min_size=8, max_size=8))
    def begin(self, drawn: bytes) -> None:
        """A tensor, a leaf that requires grad, and what is computed from it."""
        self.random = random = Random(drawn)
        self.closely = random.random() < 0.5
        left_out = random.choice(LEFT_OUT)
        self.kinds = [name for name in STEPS if random.random() >= left_out]
        self.weights = [WEIGHTS.get(name, 1) for name in self.kinds]
        look = Look(self.world.values, random)
        for move in (STEPS["new"](look), Move("new", (look.array(look.one_of(*SHAPES[:4])),), {"requires_grad": True})):
            self._make(move)
        self._make(Move("torch.mul", (Ref("t2"), look.one_of(Ref("t2"), 2))))

    @rule()
    def step(self) -> None:
        """One of the kinds that this walk knows."""
        if ACCIDENT in self.world.circumstances:
            return
        (name,) = self.random.choices(self.kinds, self.weights)
        self.go(STEPS[name])

    def go(self, declaration: Declaration) -> None:
        """Make a step of this kind, or several that belong together, if there is anything to do it to."""
        look = Look(self.world.values, self.random)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # The last two: nothing to be seen of this view, no such place.
            with contextlib.suppress(Skip, RuntimeError, IndexError):
                step = declaration(look)
                if isinstance(step, Move):
                    self._make(_in_some_mode(step, look))
                else:
                    self._follow(step, look)
            while alive := self._too_many():
                self._make(Move("del", (Ref(look.one_of(*alive)),)))

    def _follow(self, sequence: Moves, look: Look) -> None:
        """Make the steps of a sequence, each of which it is told the results of."""
        with contextlib.suppress(StopIteration):
            move = next(sequence)
            while True:
                move = sequence.send(self._make(move if move.op.startswith("autograd.") else _in_some_mode(move, look)))

    def _too_many(self) -> list[str]:
        """The tensors of which one is to be forgotten, none where they are few."""
        tensors = self.world.tensors()
        return list(tensors) if len(tensors) > MOST_TENSORS else []

    def _make(self, move: Move) -> list[Ref]:
        """Make a step; what its results are called by."""
        parts = parts_of(self.world.do(move))
        raises = isinstance(parts[0], Raised) if parts else False
        names = tuple(map(self._named, parts)) if _binds(move) else ()
        self.moves.append(replace(move, results=names, raises=raises))
        return [Ref(name) for name in map(self.world.name_of, parts) if name] if names else []

    def _named(self, part: Any) -> str:
        """The name of a part of a result: a new one for what has none and deserves one."""
        if self.world.name_of(part) or not (is_tensor(part) or hasattr(part, "remove")):
            return ""
        self.named += 1
        name = f"{'t' if is_tensor(part) else 'h'}{self.named}"
        self.world.values[name] = part
        return name

    def teardown(self) -> None:
        self.world.values.clear()
        self.hand_over(Walk(tuple(self.moves), self.closely))


def _in_some_mode(move: Move, look: Look) -> Move:
    """The step, now and then under one of the modes."""
    if move.op != "del" and not move.mode and look.chance(6):
        return replace(move, mode=look.one_of(*MODES))
    return move


def _binds(move: Move) -> bool:
    """Whether names are given to what it returns: not to gradients, of which memory and version are nobody's promise."""
    first = move.args[0]
    return move.op not in ("autograd.grad", "composed.grad_of_grad", "del") and not (
        isinstance(first, Ref) and "." in first.name
    )


def walks(hand_over: Callable[[Walk], None]) -> type[RuleBasedStateMachine]:
    """A machine that hands its walks to the given function."""
    return type("Walks", (Machine,), {"hand_over": staticmethod(hand_over)})
