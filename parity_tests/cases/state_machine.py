"""The machine that walks: Hypothesis chooses the steps, the reference tells what there is to choose from."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from parity_tests.backends import Backend, load
from parity_tests.cases import state_gradients, state_views, state_writes  # noqa: F401  they declare their steps
from parity_tests.cases.program import Ref
from parity_tests.cases.state import MODES, Move, Walk, World, parts_of
from parity_tests.cases.state_look import SHAPES, Look, Skip
from parity_tests.cases.state_steps import STEPS, WEIGHTS, Declaration
from parity_tests.check import Raised
from parity_tests.check.snapshot import is_tensor

MOST_TENSORS = 8


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

    @initialize(data=st.data(), closely=st.booleans())
    def begin(self, data: Any, closely: bool) -> None:
        """A tensor, a leaf that requires grad, and what is computed from it."""
        self.closely = not closely
        look = Look(self.world.values, data.draw)
        self._make(STEPS["new"](look))
        leaf = look.array(look.one_of(*SHAPES[:4]))
        self._make(Move("new", (leaf,), {"requires_grad": True}))
        self._make(Move("torch.mul", (Ref("t2"), look.one_of(Ref("t2"), 2))))

    def go(self, declaration: Declaration, data: Any) -> None:
        """Make a step of this kind, if there is anything to do it to."""
        look = Look(self.world.values, data.draw)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                move = declaration(look)
                if move.op != "del" and not move.mode and look.chance(6):
                    move = replace(move, mode=look.one_of(*MODES))
            except (Skip, RuntimeError, IndexError):  # the last two: nothing to be seen of this view, no such place
                return
            self._make(move)
            while alive := self._too_many():
                self._make(Move("del", (Ref(look.one_of(*alive)),)))

    def _too_many(self) -> list[str]:
        """The tensors of which one is to be forgotten, none where they are few."""
        tensors = self.world.tensors()
        return list(tensors) if len(tensors) > MOST_TENSORS else []

    def _make(self, move: Move) -> None:
        parts = parts_of(self.world.do(move))
        raises = isinstance(parts[0], Raised) if parts else False
        names = tuple(map(self._named, parts)) if _binds(move) else ()
        self.moves.append(replace(move, results=names, raises=raises))

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


def _binds(move: Move) -> bool:
    """Whether names are given to what it returns: not to gradients, of which memory and version are nobody's promise."""
    first = move.args[0]
    return move.op not in ("autograd.grad", "composed.grad_of_grad", "del") and not (
        isinstance(first, Ref) and "." in first.name
    )


def _rule(declaration: Declaration) -> Any:
    def make(self: Machine, data: Any) -> None:
        self.go(declaration, data)

    make.__name__ = make.__qualname__ = declaration.__name__
    return rule(data=st.data())(make)


def walks(hand_over: Callable[[Walk], None]) -> type[RuleBasedStateMachine]:
    """A machine with a rule for each step of the table."""
    rules = {
        f"{name}_{count}": _rule(declaration)
        for name, declaration in STEPS.items()
        for count in range(WEIGHTS.get(name, 1))
    }
    return type("Walks", (Machine,), {**rules, "hand_over": staticmethod(hand_over)})
