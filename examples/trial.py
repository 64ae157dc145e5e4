"""Engines of scalars on trial: random graphs of the ops that an engine declares, held against torch.

    python -m examples.trial
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from parity_tests.backends import TorchLike
from parity_tests.backends.double import Double
from parity_tests.cases.catalogue import OPS
from parity_tests.cases.program import Program
from parity_tests.cases.scope import Scope, numbers
from parity_tests.cases.script import script
from parity_tests.check import Difference, Disagreement, Tally
from parity_tests.searches import check_program
from parity_tests.suite import Arena, Suite, search

from .scalar_backend import ScalarBackend

Draw = Callable[[st.SearchStrategy[Any]], Any]

# Floats that round, and small integers on which no op may round: ties and zeros are among them.
KINDS = {"smooth": ("add", "sub", "mul", "div", "neg", "pow", "exp", "log", "tanh", "sigmoid", "relu", "maximum"),
         "whole": ("add", "sub", "mul", "neg", "relu", "maximum")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counterexample:
    """The smallest program that was found on which an engine and torch part."""

    program: Program
    differences: tuple[Difference, ...]
    script: str

    @property
    def ops(self) -> tuple[str, ...]:
        """What it calls, by torch's names."""
        return tuple(step.op.rpartition(".")[2] for step in self.program.steps)


@st.composite
def programs(draw: Draw, backend: ScalarBackend, names: Collection[str], kind: str) -> Program:
    """Graphs of float64 over these ops, to be differentiated once."""
    scope = Scope(draw, kind, "float64", sizes=(1, 2, 3))
    ops = [OPS[name] for name in sorted(names)]
    for _ in range(draw(st.integers(1, 6))):
        scope.one_of(ops).build(scope)
    inputs = tuple(dataclasses.replace(each, layout="contiguous") for each in scope.inputs)
    program = Program(inputs, tuple(scope.steps), exact=kind == "whole")
    roots = [name for name, type_ in scope.types.items() if name[0] == "y" and type_.grad]
    if not roots:
        return program
    outputs = tuple(dict.fromkeys([roots[-1], *([scope.one_of(roots)] if scope.chance(3) else [])]))
    cotangents = []
    for name in outputs:
        scope.offset += 61
        cotangents.append(numbers(kind, scope.offset, scope.types[name].shape, "float64"))
    # By `grad`, or once in so many by `backward`.
    wrt = () if scope.chance(4) else tuple(each.name for each in inputs if each.requires_grad)
    return dataclasses.replace(program, outputs=outputs, cotangents=tuple(cotangents), wrt=wrt)


def try_out(backend: ScalarBackend, cases: int, names: Collection[str] = ()) -> tuple[Tally, Counterexample | None]:
    """Hold an engine against torch on so many graphs of each kind.

    names: the ops to build them of; all that the engine declares if there are none.
    """
    import torch

    arena = Arena(TorchLike(torch), backend, Double(torch))
    tally, last = Tally(), []

    def check(program: Program, arena: Arena) -> list[Difference]:
        differences = check_program(program, arena)
        if differences:
            last[:] = [program]  # Hypothesis runs the smallest one last
        return differences

    def supported(program: Program) -> bool:
        return bool(program.steps) and all(backend.supports(step.op, step.kwargs) for step in program.steps)

    for kind, meant in KINDS.items():
        ops = (set(names) or backend.ops) & set(meant)
        if not ops:
            continue
        cases_ = programs(backend, ops, kind).filter(supported)
        suite = Suite(kind, "", cases_, check, script, Program.as_dict, Program.from_dict, cases)
        try:
            search(suite, arena, tally, examples=cases)
        except Disagreement as found:
            return tally, Counterexample(last[0], found.differences, found.script)
    return tally, None


def convict(backend: ScalarBackend, cases: int) -> list[Counterexample]:
    """A counterexample for every fault: an op that is convicted is set aside, until the rest agrees with torch."""
    found: list[Counterexample] = []
    names = set(backend.ops)
    while names:
        _, counterexample = try_out(backend, cases, names)
        if counterexample is None:
            break
        found.append(counterexample)
        names -= set(counterexample.ops)
    return found
