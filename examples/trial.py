"""Engines of scalars on trial: random graphs of the ops that an engine declares, held against torch.

`python -m examples.trial` tries every engine, `python -m examples.trial gates faulty` those two.
"""

from __future__ import annotations

import dataclasses
import importlib
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from parity_tests.backends import TorchLike
from parity_tests.backends.double import Double
from parity_tests.cases.catalogue import OPS
from parity_tests.cases.execute import execute
from parity_tests.cases.program import Input, Program, Ref, Step, refs
from parity_tests.cases.scope import Scope, numbers
from parity_tests.cases.script import script
from parity_tests.check import Difference, Disagreement, Tally
from parity_tests.check.snapshot import Array
from parity_tests.searches import check_program
from parity_tests.suite import Arena, Suite, search

from .scalar_backend import ScalarBackend

Draw = Callable[[st.SearchStrategy[Any]], Any]

# Floats that round, and small integers on which no op may round: ties and zeros are among them.
KINDS = {"smooth": ("add", "sub", "mul", "div", "neg", "pow", "exp", "log", "tanh", "sigmoid", "relu", "maximum"),
         "whole": ("add", "sub", "mul", "neg", "relu", "maximum")}  # fmt: skip


MOST_STEPS = 8


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
    while len(scope.steps) < MOST_STEPS:
        scope.one_of(ops).build(scope)
        if scope.steps and not scope.draw_int(0, 3):
            break
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
    tally = Tally()
    last: list[Program] = []

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
            smallest = Counterexample(last[0], found.differences, found.script)
            return tally, next(_single(last[0], arena), smallest)
    return tally, None


def _single(program: Program, arena: Arena) -> Iterator[Counterexample]:
    """Every step that differs all alone, on the operands that it had in the program: on one element, if one will do.

    Hypothesis removes what comes after the fault, but not always what only led to its operands.
    """
    values = execute(program, arena.reference)["values"]
    for step in program.steps:
        operands = list(dict.fromkeys(refs(step.args)))
        arrays = [values[ref.name].value for ref in operands]
        whole = _alone(step, operands, arrays, program.exact)
        if not check_program(whole, arena):
            continue
        spread = np.broadcast_arrays(*arrays)
        elements = (
            _alone(step, operands, [np.array(each[place]) for each in spread], program.exact)
            for place in np.ndindex(spread[0].shape)
        )
        smallest = next((each for each in elements if check_program(each, arena)), whole)
        yield Counterexample(smallest, tuple(check_program(smallest, arena)), script(smallest))


def _alone(step: Step, operands: Sequence[Ref], arrays: Sequence[Array], exact: bool) -> Program:
    """A step as a program of its own: these arrays in place of its operands, all to be differentiated by."""
    renamed = {ref: Ref(f"x{index}") for index, ref in enumerate(operands)}
    inputs = tuple(Input(renamed[ref].name, array, True) for ref, array in zip(operands, arrays, strict=True))
    args = tuple(renamed[each] if isinstance(each, Ref) else each for each in step.args)
    shape = np.broadcast_shapes(*(array.shape for array in arrays))
    return Program(
        inputs,
        (dataclasses.replace(step, args=args, results=("y0",)),),
        outputs=("y0",),
        cotangents=(numbers("whole" if exact else "smooth", 1, shape, "float64"),),
        wrt=tuple(each.name for each in inputs),
        exact=exact,
    )


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


# What to call an engine on the command line, and where its backend is.
ENGINES = {
    "gates": ("examples.gates.backend", "BACKEND"),
    "expression_tree": ("examples.expression_tree.backend", "BACKEND"),
    "recursion": ("examples.expression_tree.backend", "RECURSION"),
    "scalar_value": ("examples.scalar_value.backend", "BACKEND"),
    "faulty": ("examples.scalar_value.backend", "FAULTY"),
}


def main(names: Sequence[str], cases: int = 100) -> bool:
    """Try each engine and print the verdict; whether all agree with torch.  KeyError for one that there is not."""
    guilty = False
    for name in names or ENGINES:
        module, attribute = ENGINES[name]
        backend = getattr(importlib.import_module(module), attribute)
        counterexamples = convict(backend, cases)
        guilty = guilty or bool(counterexamples)
        tally, _ = try_out(backend, cases, backend.ops - {op for each in counterexamples for op in each.ops})
        exact = f"{tally.exact / max(tally.compared, 1):.1%} of {tally.compared} arrays bit for bit"
        print(f"{backend.name}: {tally.cases} graphs of {', '.join(sorted(backend.ops))}; {exact}")
        for each in counterexamples:
            print(f"  {' '.join(each.ops)}: differs from torch", *each.differences, sep="\n    ")
    return not guilty


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
