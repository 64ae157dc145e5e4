"""Replay: the captured calls as a flat list over preallocated buffers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np


class Deviation(Exception):
    """A replay met a value that would have sent the step another way."""


class Instruction:
    """One call: `function(*args, **kwargs)`, which writes `out` (None for bookkeeping)."""

    __slots__ = ("args", "function", "kwargs", "out")

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.out = out

    def positional(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """The call without keywords: NumPy reads positional arguments faster."""
        function, args, kwargs = self.function, self.args, self.kwargs
        if not kwargs:
            return function, args
        if kwargs.keys() == {"out"} and _takes_out_by_position(function):
            return function, (*args, kwargs["out"])
        if (
            getattr(function, "__name__", "") == "reduce"
            and len(args) == 1
            and kwargs.keys() <= {"axis", "out", "keepdims"}
        ):
            return function, (args[0], kwargs.get("axis", 0), None, kwargs.get("out"), kwargs.get("keepdims", False))
        return partial(function, **kwargs), args

    def __str__(self) -> str:
        name = getattr(self.function, "__qualname__", getattr(self.function, "__name__", repr(self.function)))
        if name == "reduce":
            name = f"{self.function.__self__.__name__}.reduce"  # type: ignore[attr-defined]
        described = ", ".join(_describe(each) for each in self.args)
        target = "" if self.out is None else f"{_describe(self.out)} <- "
        return f"{target}{name}({described})"


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype.name}{list(value.shape)}"
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(_describe, value))})"
    return getattr(value, "__name__", repr(value))


def _takes_out_by_position(function: Callable[..., Any]) -> bool:
    return function is np.dot or (isinstance(function, np.ufunc) and function not in (np.maximum, np.minimum))


class Plan:
    """A replayable step.

    Attributes:
        inputs: the buffers into which the arguments of a call are copied, in order.
        guards: conditions asked before a replay.
        finish: called after a replay; returns the step's result.
        generators: those that a replay draws from and may have to put back; empty where no check can fail.
    """

    __slots__ = ("calls", "finish", "generators", "guards", "inputs", "instructions")

    def __init__(
        self,
        instructions: list[Instruction],
        inputs: list[Any],
        guards: list[Callable[[], bool]],
        finish: Callable[[], Any],
        generators: list[Any],
    ) -> None:
        self.instructions = instructions
        self.calls = [each.positional() for each in instructions]
        self.inputs = inputs
        self.guards = guards
        self.finish = finish
        self.generators = generators

    def is_valid(self) -> bool:
        return all(guard() for guard in self.guards)

    def replay(self, arrays: list[Any]) -> Any:
        """Run the step on new arguments.  Raises Deviation where it would take another way."""
        for buffer, array in zip(self.inputs, arrays, strict=True):
            np.copyto(buffer, array)
        drawn = [(each, each.get_state()) for each in self.generators]
        try:
            for function, args in self.calls:
                function(*args)
        except Exception as error:
            for generator, state in drawn:
                generator.set_state(state)
            raise Deviation(str(error)) from error
        return self.finish()

    def __str__(self) -> str:
        return "\n".join(map(str, self.instructions))
