"""The suites that search: what each builds, and how it holds the two sides against one another."""

from __future__ import annotations

from typing import Any

from parity_tests.cases import execute, train
from parity_tests.cases.graphs import graphs, stacks
from parity_tests.cases.invalid import FAMILIES, invalid
from parity_tests.cases.program import Program
from parity_tests.cases.reduce import reduce
from parity_tests.cases.saved import check_saved, writings
from parity_tests.cases.script import script
from parity_tests.cases.state import Walk, check_walk
from parity_tests.cases.state_machine import walks
from parity_tests.cases.state_reduce import reduce_walk
from parity_tests.cases.state_script import walk_script
from parity_tests.cases.training import Training, trainings
from parity_tests.cases.training_script import training_script
from parity_tests.check import Derived, Difference, Outcome, compare
from parity_tests.suite import Arena, Suite


def check_program(program: Program, arena: Arena) -> list[Difference]:
    """Values, gradients of two orders and errors of a program."""
    expected = execute.execute(program, arena.reference)
    actual = execute.execute(program, arena.subject)
    ask, rounding = execute.oracle(program, arena.double, expected)
    signed = {("values", name) for name in program.signed()}
    return _without_consequences(compare(expected, actual, Derived(ask, rounding, program.exact, signed)))


def check_drawn(program: Program, arena: Arena) -> list[Difference]:
    """Of a program that draws random numbers: they are due bit for bit."""
    expected = execute.execute(program, arena.reference)
    return _without_consequences(compare(expected, execute.execute(program, arena.subject)))


def check_training(run: Training, arena: Arena) -> list[Difference]:
    """Every step of a training run, from the initial weights on."""
    given = None
    if run.weights != "seed":
        source = arena.reference if run.weights == "reference" else arena.subject
        drawn = source.snapshot(dict(train.build(run, source).state_dict()))
        given = {name: snapshot.value for name, snapshot in drawn.items()}
    expected = train.train(run, arena.reference, given)
    actual = train.train(run, arena.subject, given)
    initial = {name: snapshot.value for name, snapshot in expected.get("initial", {}).items()}
    first = compare(expected.get("initial"), actual.get("initial"))
    if first:
        return first
    return _without_consequences(compare(expected, actual, Derived(train.oracle(run, arena.double, initial))))


def _without_consequences(differences: list[Difference]) -> list[Difference]:
    """What is missing after an unsupported call is no difference of its own."""
    unsupported = [each for each in differences if each.outcome == Outcome.UNSUPPORTED]
    return unsupported or differences


def _graphs(name: str, title: str, kind: str, examples: int) -> Suite[Program]:
    return Suite(
        name,
        title,
        graphs(kind),
        check_program,
        script,
        Program.as_dict,
        Program.from_dict,
        examples,
        reduce,
    )


SMOOTH = _graphs("random_graphs", "Random graphs: values, gradients of every leaf, second order", "smooth", 1600)
WHOLE = _graphs("exact_graphs", "Random graphs of small integers, due bit for bit", "whole", 800)
EDGES = _graphs("edge_graphs", "Random graphs on the extremes of float32", "edges", 400)
INFINITIES = _graphs("infinity_graphs", "Random graphs on infinities and NaN", "infinities", 400)
MLPS: Suite[Training] = Suite(
    "random_mlps",
    "Random MLPs: every step of a training run",
    trainings(),
    check_training,
    training_script,
    Training.as_dict,
    Training.from_dict,
    400,
)

ERRORS: dict[str, Suite[Program]] = {
    family: Suite(
        "errors",
        "Invalid programs: the same exception, the same words, operands unchanged",
        invalid(family),
        check_drawn if family in ("creation", "modules") else check_program,
        script,
        Program.as_dict,
        Program.from_dict,
        12 * len(entries),
        reduce,
    )
    for family, entries in FAMILIES.items()
}
KINKS = _graphs("kinks", "Kinks hit exactly: ties, zeros, bounds", "ties", 600)

LAYERS: Suite[Program] = Suite(
    "random_layers",
    "Random stacks of layers: values, gradients of every leaf, second order",
    stacks(),
    check_program,
    script,
    Program.as_dict,
    Program.from_dict,
    400,
    reduce,
)

TWINS: Suite[Walk] = Suite(
    "twins",
    "Twin state machine: views, writes in place, graphs and modes, everything compared after every step",
    walks,
    check_walk,
    walk_script,
    Walk.as_dict,
    Walk.from_dict,
    300,
    reduce_walk,
)

SAVED: Suite[Program] = Suite(
    "saved_values",
    "Writes between forward and backward: what is refused, in which words, and the gradients of the rest",
    writings(),
    check_saved,
    script,
    Program.as_dict,
    Program.from_dict,
    1200,
    reduce,
)

SUITES: tuple[Suite[Any], ...] = (
    WHOLE,
    SMOOTH,
    KINKS,
    EDGES,
    INFINITIES,
    MLPS,
    *ERRORS.values(),
    LAYERS,
    TWINS,
    SAVED,
)
