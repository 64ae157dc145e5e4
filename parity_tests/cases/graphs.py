"""Random graphs: programs over the catalogue, with what to differentiate them by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from parity_tests.cases import (  # noqa: F401  they register their ops
    elementwise,
    layers,
    layers_elementwise,
    losses,
    products,
    reductions,
    shaping,
)
from parity_tests.cases.catalogue import LAYERS, OPS, Op
from parity_tests.cases.program import Program, refs
from parity_tests.cases.scope import SUMS, Scope, numbers
from parity_tests.cases.types import Type

Draw = Callable[[st.SearchStrategy[Any]], Any]


# Where a derivative jumps, or is infinite.
CHOICES = {"max", "min", "amax", "amin", "maximum", "minimum", "clamp", "where", "argmax", "eq", "lt", "ge"}
KINKED = CHOICES | {"relu", "leaky_relu", "abs", "sqrt", "pow", "div", "add"}


def _allowed(op: Op, kind: str) -> bool:
    if kind == "ties":
        return op.name in KINKED
    if kind == "edges":
        return op.special and op.name not in SUMS
    return op.exact if kind == "whole" else op.special if kind == "infinities" else True


@st.composite
def scopes(draw: Draw, kind: str, most_steps: int = 8) -> Scope:
    """The values, and their types, of a program of up to `most_steps` steps."""
    dtype = "float64" if draw(st.integers(0, 9)) == 9 else "float32"
    sizes = draw(st.sampled_from([(2, 3, 1), (3, 2, 4), (1, 2, 3), (2, 5, 1), (4, 3, 2), (2, 3, 0), (7, 3, 1)]))
    scope = Scope(draw, kind, dtype, sizes)
    allowed = [each for each in OPS.values() if _allowed(each, kind)]
    # The lowest number is drawn most: let it mean another op in each program.
    start = scope.draw_int(0, len(allowed) - 1)
    allowed = allowed[start:] + allowed[:start]
    for _ in range(draw(st.integers(1, most_steps))):
        scope.one_of(allowed).build(scope)
    return scope


def graphs(kind: str, most_steps: int = 8) -> st.SearchStrategy[Program]:
    """Programs of up to `most_steps` steps.

    kind: see `Scope`.  Programs of the kinds 'edges' and 'infinities' are not differentiated.
    """
    return scopes(kind, most_steps).map(differentiated)


# Layers that random graphs know too, and what may stand between layers.
SHARED = ("linear", "log_softmax")
BETWEEN = ("add", "mul", "tanh", "sigmoid", "relu", "sub", "permute", "flatten")


@st.composite
def _stacks(draw: Draw, most_steps: int) -> Scope:
    dtype = "float64" if draw(st.integers(0, 9)) == 9 else "float32"
    scope = Scope(draw, "smooth", dtype, draw(st.sampled_from([(2, 3, 4), (4, 3, 2), (3, 4, 1), (2, 6, 4)])))
    stacked = [*LAYERS.values(), *(OPS[name] for name in SHARED)]
    start = scope.draw_int(0, len(stacked) - 1)
    stacked = stacked[start:] + stacked[:start]
    between = [OPS[name] for name in BETWEEN]
    for _ in range(draw(st.integers(2, most_steps))):
        scope.one_of(between if scope.chance(4) else stacked).build(scope)
    return scope


def stacks(most_steps: int = 6) -> st.SearchStrategy[Program]:
    """Programs of up to `most_steps` steps, most of them layers."""
    return _stacks(most_steps).map(differentiated)


def differentiated(scope: Scope) -> Program:
    """The program of a scope, with what to differentiate and in which direction."""
    program = Program(tuple(scope.inputs), tuple(scope.steps), exact=scope.kind in ("whole", "ties"))
    if scope.kind in ("edges", "infinities"):
        return program
    roots = [name for name, type_ in scope.types.items() if name[0] == "y" and type_.grad and type_.floating]
    if not roots:
        return program
    # Every value that leads nowhere else, and now and then another: no step goes undifferentiated.
    used = {ref.name for step in scope.steps for ref in refs((*step.args, *step.kwargs.values()))}
    outputs = [name for name in roots if name not in used or name == roots[-1]]
    while scope.chance(3):
        outputs.append(scope.one_of(roots))
    outputs = list(dict.fromkeys(outputs))
    wrt: tuple[str, ...] = ()
    second: tuple[Any, ...] = ()
    if not scope.chance(4):
        wrt = tuple(each.name for each in scope.inputs if each.requires_grad)
        if scope.chance(3):
            # To first order only: the oracle, which disturbs a value by a further op, has no other order to compare.
            wrt = tuple(dict.fromkeys((*wrt, scope.one_of(roots))))
        elif not scope.once:
            second = tuple(_cotangent(scope, scope.types[name]) for name in wrt)
    return Program(
        program.inputs,
        program.steps,
        tuple(outputs),
        tuple(_cotangent(scope, scope.types[name]) for name in outputs),
        wrt,
        second,
        program.exact,
    )


def _cotangent(scope: Scope, type_: Type) -> np.ndarray[Any, Any]:
    """Random, never ones: the gradient of a plain sum is zero through a softmax, and says nothing."""
    scope.offset += 61
    return numbers(scope.kind, scope.offset, type_.shape, type_.dtype)
