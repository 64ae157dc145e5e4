"""Making a program that shows a difference smaller: Hypothesis shrinks the choices that led to it, this the program.

Each pass proposes simpler programs; one that still shows the difference is gone on with.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from parity_tests.cases.program import Input, Program, Ref, Step, refs
from parity_tests.check.snapshot import Array

change: Callable[..., Any] = dataclasses.replace
Shows = Callable[[Program], bool]
MOST_TRIES = 400


def reduce(program: Program, shows: Shows) -> Program:
    """A program with fewer steps, outputs, inputs and digits for which `shows` still holds."""
    tries = 0
    changed = True
    while changed:
        changed = False
        for proposal in _proposals(program):
            tries += 1
            if tries > MOST_TRIES:
                return program
            if shows(proposal):
                program, changed = proposal, True
                break
    return program


def _proposals(program: Program) -> Iterator[Program]:
    """The boldest first."""
    yield from _less_differentiated(program)
    yield from _shorter(program)
    for step in program.steps:
        yield from _bypassed(program, step)
    yield from _rounder(program)


def _less_differentiated(program: Program) -> Iterator[Program]:
    if program.outputs:
        yield change(program, outputs=(), cotangents=(), wrt=(), second=())
        if program.second:
            yield change(program, second=())
        for k in range(len(program.outputs)):
            if len(program.outputs) > 1:
                yield change(program, outputs=_without(program.outputs, k), cotangents=_without(program.cotangents, k))
        for k in range(len(program.wrt)):
            if len(program.wrt) > 1:
                yield change(program, wrt=_without(program.wrt, k), second=_without(program.second, k))


def _shorter(program: Program) -> Iterator[Program]:
    for k in reversed(range(len(program.steps))):
        if not _used(program, program.steps[k].results, k + 1):
            yield change(program, steps=_without(program.steps, k))
    for k, each in enumerate(program.inputs):
        if not _used(program, (each.name,), 0):
            yield change(program, inputs=_without(program.inputs, k))


def _rounder(program: Program) -> Iterator[Program]:
    for k, each in enumerate(program.inputs):
        for simpler in _simpler(each):
            yield change(program, inputs=(*program.inputs[:k], simpler, *program.inputs[k + 1 :]))
    for name in ("cotangents", "second"):
        arrays: tuple[Array, ...] = getattr(program, name)
        for k, array in enumerate(arrays):
            if array.dtype.kind == "f" and not np.all(array == 1):
                yield change(program, **{name: (*arrays[:k], np.ones_like(array), *arrays[k + 1 :])})


def _without(items: tuple[Any, ...], k: int) -> tuple[Any, ...]:
    return items[:k] + items[k + 1 :]


def _used(program: Program, names: tuple[str, ...], since: int) -> bool:
    """Whether a later step, an output or a derivative mentions one of the names.  A step without names has effects."""
    if not names:
        return False
    later = {ref.name for step in program.steps[since:] for ref in refs((*step.args, *step.kwargs.values()))}
    return not later.isdisjoint(names) or not {*program.outputs, *program.wrt}.isdisjoint(names)


def _bypassed(program: Program, step: Step) -> Iterator[Program]:
    """The program with a step's operand in the place of its result: the step is left for others to remove."""
    if len(step.results) != 1:
        return
    (name,) = step.results
    for operand in refs((*step.args, *step.kwargs.values())):
        steps = [
            each if each is step else dataclasses.replace(
                each,
                args=_substituted(each.args, name, operand),
                kwargs={key: _substituted(value, name, operand) for key, value in each.kwargs.items()},
            )
            for each in program.steps
        ]  # fmt: skip
        outputs = tuple(operand.name if each == name else each for each in program.outputs)
        smaller = dataclasses.replace(program, steps=tuple(steps), outputs=outputs)
        if _mentions(smaller, name) < _mentions(program, name):
            yield smaller


def _substituted(value: Any, name: str, by: Ref) -> Any:
    if isinstance(value, Ref):
        return by if value.name == name else value
    if isinstance(value, (tuple, list)):
        return type(value)(_substituted(item, name, by) for item in value)
    return value


def _mentions(program: Program, name: str) -> int:
    args = (ref.name for step in program.steps for ref in refs((*step.args, *step.kwargs.values())))
    return sum(each == name for each in (*args, *program.outputs, *program.wrt))


def _simpler(each: Input) -> Iterator[Input]:
    array = each.array
    if each.layout != "contiguous":
        yield dataclasses.replace(each, layout="contiguous")
    if array.dtype.kind != "f" or not array.size:
        return
    if not np.all(array == 1):
        yield dataclasses.replace(each, array=np.ones_like(array))
    with np.errstate(invalid="ignore"):
        for digits in (0, 1):
            rounded = np.round(array, digits)
            if not np.array_equal(rounded, array, equal_nan=True):
                yield dataclasses.replace(each, array=rounded)
