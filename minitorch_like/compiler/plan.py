"""Replay: the captured calls, written out in a row over preallocated buffers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._tensor import Tensor, with_history
from .arena import Arena
from .instruction import Instruction
from .memory import give_back
from .open_graph import OpenGraph
from .recorder import Deviation

# Beyond this many calls a loop over them is as fast as their text, and needs no compiling.
_MOST_WRITTEN_OUT = 20_000


class Plan:
    """A replayable step.

    Attributes:
        instructions: the calls.
        arena: the memory that only they use, and only during a replay.
        inputs: the buffers into which the arguments of a call are copied, in order.
        guards: conditions asked before a replay.
        result: the captured result; its tensors are buffers, which a replay copies out.
        gradients: the leaves that receive a gradient, each with the buffer that becomes it.
        counters: the version counters of what is written to, each with how often.
        graph: of results that are still to be differentiated; None where there are none.
        generators: those that a replay draws from.
        lasting: the memory that a replay writes and that others can see; gradients and the result apart.
        lock: held during a replay, because its buffers serve one at a time.
        verified: whether a replay has been compared with an eager step.
    """

    __slots__ = (
        "_run",
        "arena",
        "counters",
        "generators",
        "gradients",
        "graph",
        "guards",
        "inputs",
        "instructions",
        "lasting",
        "lock",
        "result",
        "verified",
    )

    def __init__(
        self,
        instructions: list[Instruction],
        *,
        arena: Arena,
        inputs: list[Any],
        guards: list[Callable[[], bool]],
        result: Any,
        gradients: list[tuple[Any, Any]],
        counters: list[tuple[list[int], int]],
        graph: OpenGraph | None,
        generators: list[Any],
        lasting: list[Any],
    ) -> None:
        self.instructions = instructions
        self.arena = arena
        self.inputs = inputs
        self.guards = guards
        self.result = result
        self.gradients = gradients
        self.counters = counters
        self.graph = graph
        self.generators = generators
        self.lasting = lasting
        self.lock = threading.Lock()
        self.verified = False
        self._run = written_out(instructions)

    def is_valid(self) -> bool:
        for guard in self.guards:  # noqa: SIM110 -- a generator expression costs as much as four guards
            if not guard():
                return False
        return True

    def replay(self, arrays: Sequence[Any]) -> Any:
        """Run the step on new arguments.  Raises Deviation where it would take another way."""
        if arrays:
            for buffer, array in zip(self.inputs, arrays, strict=True):
                np.copyto(buffer, array)
        drawn = self.generators and [(each, each.get_state()) for each in self.generators]
        try:
            self._run()
        except Exception as error:
            for generator, state in drawn:
                generator.set_state(state)
            raise Deviation(str(error)) from error
        for leaf, gradient in self.gradients:
            leaf._grad = gradient
        for counter, times in self.counters:
            counter[0] += times
        return self.fresh_result()

    def take_gradients(self) -> None:
        """Move the gradients that an eager step has left into the buffers that stand for them."""
        for leaf, gradient in self.gradients:
            np.copyto(gradient._data, leaf._grad._data)
            leaf._grad = gradient

    def give_back_gradients(self) -> None:
        """Let go of the values of gradients that lie side by side, until the next replay."""
        for _, gradient in self.gradients:
            give_back(gradient._data)

    def fresh_result(self) -> Any:
        """The result in memory of its own."""
        if self.graph is not None:
            self.graph.renew()
        return self._fresh(self.result)

    def _fresh(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            if self.graph is not None and value._node is not None:
                return self.graph.attach(value._data.copy(), value._node, value._number)
            return with_history(value._data.copy(), value._node, value._number)
        if isinstance(value, (tuple, list)):
            return type(value)([self._fresh(each) for each in value])
        if isinstance(value, dict):
            return {name: self._fresh(each) for name, each in value.items()}
        return value

    def __str__(self) -> str:
        return "\n".join(map(str, self.instructions))


def written_out(instructions: list[Instruction]) -> Callable[[], None]:
    """A function that makes these calls: its text names each function and argument, so that nothing is unpacked."""
    calls = [each.call() for each in instructions]
    if len(calls) > _MOST_WRITTEN_OUT:

        def run() -> None:
            for function, args, kwargs in calls:
                function(*args, **kwargs)

        return run
    namespace: dict[str, Any] = {"__name__": __name__}  # by which NumPy's warnings are told apart
    names: dict[int, str] = {}

    def name(value: Any) -> str:
        if id(value) not in names:
            names[id(value)] = f"v{len(names)}"
            namespace[names[id(value)]] = value
        return names[id(value)]

    lines = ["def run():"]
    for function, args, kwargs in calls:
        passed = [*map(name, args), *(f"{keyword}={name(value)}" for keyword, value in kwargs.items())]
        lines.append(f"    {name(function)}({', '.join(passed)})")
    exec(compile("\n".join([*lines, "    return"]), "<plan>", "exec"), namespace)
    return namespace["run"]
