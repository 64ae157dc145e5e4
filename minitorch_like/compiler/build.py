"""From a captured run to a plan: what follows the capture once, so that every replay is short."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._capture import mode, structure
from .._tensor import Tensor, wrap
from . import arena, passes
from .flatten import flatten
from .frozen import unchanged
from .instruction import Instruction
from .memory import Holdings, Roots, arrays_in, root_of
from .open_graph import OpenGraph
from .placeholders import vacate
from .plan import Plan
from .recorder import Recorder


def build(
    function: Callable[..., Any], recorder: Recorder, inputs: list[Tensor], result: Any, graph: OpenGraph | None
) -> Plan:
    """The plan of a captured run of `function` on `inputs`, which gave `result` with `graph` still open."""
    workspaces = _workspace_roots(recorder)
    recorder.fresh |= workspaces
    recorder.blank |= workspaces
    vacate(recorder)
    fresh, empty = (_still_used(recorder.instructions, ids) for ids in (recorder.fresh, recorder.blank))
    instructions = flatten(_needed(recorder), recorder.batches, recorder.owners, _traced)
    gradients: Gradients = [
        (leaf, PlannedGradient(leaf._grad._data, isinstance(had, Tensor)), had)
        for leaf, had in recorder.leaves.values()
    ]
    for leaf, gradient, _ in gradients:
        leaf._grad = gradient
    recorder.forget()
    buffers = [*(each._data for each in inputs), *(gradient._data for _, gradient, _ in gradients)]
    known = set(map(id, map(root_of, buffers)))
    own, blank = known | fresh.ids(), empty.ids()
    private = Holdings(instructions).private()
    lasting = _lasting(instructions, private | own)
    for improve in (
        passes.spread_rows,
        passes.fold_constants,
        passes.share_results,
        passes.drop_dead,
        passes.forward_copies,
    ):
        instructions = improve(instructions, private)
    plan = Plan(
        instructions,
        arena=arena.reuse_memory(instructions, private, blank),
        inputs=[each._data for each in inputs],
        guards=[*_guards(function, recorder, gradients), *([graph.is_free] if graph is not None else [])],
        result=result,
        gradients=[(leaf, gradient) for leaf, gradient, _ in gradients],
        counters=list(recorder.writes.values()),
        graph=graph,
        generators=list(recorder.generators.values()),
        lasting=lasting,
    )
    plan.verified = recorder.has_effects  # which cannot be undone
    return plan


def _still_used(instructions: list[Instruction], ids: set[int]) -> Roots:
    """Of the roots with these ids those that instructions refer to; others may have died, and lost their ids."""
    used = (root_of(array) for each in instructions for array in arrays_in([each.args, each.kwargs, each.out]))
    return Roots(root for root in used if id(root) in ids)


def _workspace_roots(recorder: Recorder) -> set[int]:
    """The ids of the roots that optimisers leave to the plan."""
    return {id(root_of(vector)) for each in recorder.optimizers.values() for vector in each.release_workspaces()}


def _lasting(instructions: list[Instruction], own: set[int]) -> list[Any]:
    """The memory that is written and that others than the plan can see."""
    roots = {id(root): root for each in instructions if each.out is not None for root in [root_of(each.out)]}
    return [root for key, root in roots.items() if key not in own]


def _needed(recorder: Recorder) -> list[Instruction]:
    """The instructions, without the restoring of constants that nobody writes to; batches keep their places."""
    constants = set(map(id, recorder.constants.values()))
    written = {
        id(root_of(each.out)) for each in recorder.instructions if each.out is not None and id(each) not in constants
    }
    needed: list[Instruction] = []
    places = []  # for each instruction, how many needed ones come before it
    for each in recorder.instructions:
        places.append(len(needed))
        if id(each) not in constants or id(root_of(each.out)) in written:
            needed.append(each)
    for batch in recorder.batches:
        batch.start, batch.stop = places[batch.start], places[batch.stop - 1] + 1
    return needed


def _traced(kernel: Callable[..., None], args: tuple[Any, ...]) -> list[Instruction]:
    recorder = mode.recorder = Recorder()
    try:
        recorder.call(kernel, *args)
    finally:
        mode.recorder = None
    return recorder.instructions


class PlannedGradient:
    """A leaf's gradient in a buffer of the plan: it becomes a Tensor of its own when somebody asks.

    adds: whether a replay adds to what is there, instead of overwriting it.
    """

    __slots__ = ("_data", "adds")

    def __init__(self, buffer: Any, adds: bool) -> None:
        self._data = buffer
        self.adds = adds

    def materialise(self) -> Tensor:
        tensor: Tensor = wrap(self._data.copy(order="K"))
        return tensor


Gradients = list[tuple[Any, PlannedGradient, Any]]


def _guards(function: Callable[..., Any], recorder: Recorder, gradients: Gradients) -> list[Callable[[], bool]]:
    """The conditions of a replay, those that are cheap to ask first."""
    expected = structure.version
    guards = [
        lambda: structure.version == expected,
        recorder.contents.are_unchanged,
        unchanged(function),
        *recorder.guards,
    ]
    if recorder.modules:
        training = [(vars(module), value) for module, value in recorder.modules.values()]

        def same_modes() -> bool:
            for own, value in training:  # noqa: SIM110 -- as in Plan.is_valid
                if own["training"] is not value:
                    return False
            return True

        guards.append(same_modes)
    fresh = [leaf for leaf, _, had in gradients if had is None]
    kept = [(leaf, gradient) for leaf, gradient, had in gradients if isinstance(had, Tensor)]
    if fresh:  # the step adds to no gradient
        guards.append(lambda: all(leaf._grad is None for leaf in fresh))
    if kept:  # the step adds to this very one
        guards.append(lambda: all(leaf._grad is gradient for leaf, gradient in kept))
    return guards
