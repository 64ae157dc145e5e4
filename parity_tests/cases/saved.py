"""Random graphs in which something is written to before a backward pass: what has the graph saved of it?

Most such programs must be refused, in torch's words, and the others must not be: then their gradients are those of what the
graph has saved.  The write may also come after a first backward pass, which was recorded or has kept its graph.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

from parity_tests.cases.catalogue import LAYERS, OPS
from parity_tests.cases.execute import execute, oracle
from parity_tests.cases.graphs import differentiated
from parity_tests.cases.program import Input, Program, Ref, Step
from parity_tests.cases.scope import Scope, numbers
from parity_tests.cases.types import Type
from parity_tests.check import Derived, Difference, Outcome, Snapshot, compare
from parity_tests.suite import Arena

Steps = Iterator[Step]

# -- writes ---------------------------------------------------------------------------------------------------------------


def _write(place: Ref, type_: Type, no_grad: bool = False) -> Step:
    """A write to all of it."""
    if type_.floating:
        return Step("Tensor.mul_", (place, 2.0), no_grad=no_grad)
    return Step("Tensor.zero_", (place,), no_grad=no_grad)  # and an index stays one


def _unrecorded(place: Ref, type_: Type) -> Steps:
    yield _write(place, type_, no_grad=True)


def _recorded(place: Ref, type_: Type) -> Steps:
    yield _write(place, type_)


def _detached(place: Ref, type_: Type) -> Steps:
    yield Step("Tensor.detach", (place,), results=("w",), rounds=False)
    yield _write(Ref("w"), type_)


def _behind(place: Ref, type_: Type) -> Steps:
    yield Step("builtins.getattr", (place, "data"), results=("w",), rounds=False)
    yield _write(Ref("w"), type_)


def _through_a_view(place: Ref, type_: Type) -> Steps:
    yield Step("Tensor.unsqueeze", (place, 0), results=("w",), rounds=False)
    yield _write(Ref("w"), type_, no_grad=True)


def _element(place: Ref, type_: Type) -> Steps:
    yield Step("operator.setitem", (place, (..., slice(0, 1)) if type_.rank else (), 0), no_grad=True)


def _by_mask(place: Ref, type_: Type) -> Steps:
    yield Step("torch.ne", (place, 0), results=("w",), rounds=False)
    yield Step("operator.setitem", (place, Ref("w"), 1), no_grad=True)


def _copied_into(place: Ref, type_: Type) -> Steps:
    yield Step("Tensor.detach", (place,), results=("w",), rounds=False)
    yield Step("Tensor.copy_", (Ref("w"), place), no_grad=True)


def _exchanged(place: Ref, type_: Type) -> Steps:
    yield Step("torch.zeros_like", (place,), results=("w",), rounds=False)
    yield Step("builtins.setattr", (place, "data", Ref("w")))


WRITES: tuple[Callable[[Ref, Type], Steps], ...] = (
    _unrecorded,
    _recorded,
    _detached,
    _behind,
    _through_a_view,
    _element,
    _by_mask,
    _copied_into,
    _exchanged,
)

# -- programs ---------------------------------------------------------------------------------------------------------------

_WHEN = ("before", "before", "between kept", "between recorded")


@st.composite
def writings(draw: Callable[[st.SearchStrategy[Any]], Any], most_steps: int = 4) -> Program:
    """Programs of up to `most_steps` steps, a write, and a backward pass or two."""
    sizes = draw(st.sampled_from([(2, 3, 1), (3, 2, 4), (4, 3, 2), (2, 3, 4)]))
    scope = Scope(draw, "smooth", "float32", sizes)
    known = [*OPS.values(), *LAYERS.values()]
    start = scope.draw_int(0, len(known) - 1)
    known = known[start:] + known[:start]
    for _ in range(draw(st.integers(1, most_steps))):
        scope.one_of(known).build(scope)
    place = scope.one_of(list(scope.types))
    written = list(scope.one_of(WRITES)(Ref(place), scope.types[place]))
    when = scope.one_of(_WHEN)
    program = differentiated(scope)
    return with_write(program, written, when, scope)


def with_write(program: Program, written: Sequence[Step], when: str, scope: Scope) -> Program:
    """The program with a write before its backward pass, or between a first and a second one."""
    if when == "before" or not program.outputs:
        return dataclasses.replace(program, steps=(*program.steps, *written))
    leaves = tuple(each.name for each in program.inputs if each.requires_grad)
    if not leaves:
        return dataclasses.replace(program, steps=(*program.steps, *written))
    cotangents = tuple(Input(f"c{number}", cotangent) for number, cotangent in enumerate(program.cotangents))
    recorded = when == "between recorded" and not scope.once
    at = scope.draw_int(0, len(leaves) - 1)
    first = (
        Step(
            "autograd.grad",
            ([Ref(name) for name in program.outputs], [Ref(name) for name in leaves]),
            {
                "grad_outputs": [Ref(each.name) for each in cotangents],
                "create_graph": recorded,
                "retain_graph": True,
                "allow_unused": True,
            },
            ("all",),
            rounds=False,
        ),
        Step("operator.getitem", (Ref("all"), at), results=("g",), rounds=False),
    )
    changed = dataclasses.replace(
        program, inputs=(*program.inputs, *cotangents), steps=(*program.steps, *first, *written), second=()
    )
    if not recorded:
        return changed
    scope.offset += 61
    type_ = scope.types[leaves[at]]
    seed = numbers("smooth", scope.offset, type_.shape, type_.dtype)
    return dataclasses.replace(changed, outputs=("g",), cotangents=(seed,), wrt=leaves)


# -- check -------------------------------------------------------------------------------------------------------------------


def check_saved(program: Program, arena: Arena) -> list[Difference]:
    """Whether and in which words backward is refused, and the gradients where it is not."""
    expected, actual = (_looked_at(execute(program, backend)) for backend in (arena.reference, arena.subject))
    ask, rounding = oracle(program, arena.double, expected)
    found = compare(expected, actual, Derived(ask, rounding, program.exact))
    unsupported = [each for each in found if each.outcome == Outcome.UNSUPPORTED]
    return unsupported or found


def _looked_at(trace: dict[str, Any]) -> dict[str, Any]:
    """Of a gradient on the way, how it lies in memory and which node it is of is nobody's promise."""
    values = {name: value for name, value in trace["values"].items() if name != "all"}
    return {**trace, "values": {name: _plain(value) if name in ("g", "w") else value for name, value in values.items()}}


def _plain(value: Any) -> Any:
    if not isinstance(value, Snapshot):
        return value
    return dataclasses.replace(value, strides=None, storage=None, grad_fn=None, is_leaf=None)
