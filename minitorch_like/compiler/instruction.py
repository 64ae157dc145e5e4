"""One call of a plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_REDUCE_OPTIONS = {"axis", "out", "keepdims"}


class Instruction:
    """One call: `function(*args, **kwargs)`, which writes `out` (None for bookkeeping).

    partial: only some elements of `out` are written, or their new values depend on the old ones.
    effect: the call does more than to write `out`, so that it must not be left out.
    """

    __slots__ = ("args", "effect", "function", "kwargs", "out", "partial")

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        out: Any,
        *,
        partial: bool = False,
        effect: bool = False,
    ) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.out = out
        self.partial = partial
        self.effect = effect

    def sources(self) -> list[Any]:
        """The arguments that are read."""
        inputs = [*self.args, *(value for name, value in self.kwargs.items() if name != "out")]
        if self.out is not None and not self.partial and "out" not in self.kwargs and inputs and inputs[0] is self.out:
            return inputs[1:]  # copyto, fills: the first argument is only written
        return inputs

    def call(self) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        """Function, arguments and keywords in the form that NumPy reads fastest: by position, numbers as arrays."""
        function, args, kwargs = self.function, self.args, self.kwargs
        if isinstance(function, np.ufunc):
            args = _with_arrays(args, self.out)
            if function.signature is None:
                args = _with_scalars(args, self.out)
            if kwargs.keys() == {"out"} and function not in (np.maximum, np.minimum):
                return function, (*args, kwargs["out"]), {}
        elif function is np.dot and kwargs.keys() == {"out"}:
            return function, (*args, kwargs["out"]), {}
        elif getattr(function, "__name__", "") == "reduce" and len(args) == 1 and kwargs.keys() <= _REDUCE_OPTIONS:
            rest = kwargs.get("axis", 0), None, kwargs.get("out"), kwargs.get("keepdims", False)
            return function, (args[0], *rest), {}
        return function, args, kwargs

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
    if isinstance(value, (int, float, str, bool, type(None), np.generic)):
        return repr(value)
    return getattr(value, "__name__", type(value).__name__)


def _with_arrays(args: tuple[Any, ...], out: Any) -> tuple[Any, ...]:
    """Python's numbers as 0-d arrays, where the other operands say of which dtype."""
    kinds = {each.dtype for each in args if isinstance(each, np.ndarray)}
    if len(kinds) != 1:
        return args
    (kind,) = kinds
    if kind.kind != "f" and any(isinstance(each, float) for each in args):
        return args
    return tuple([np.asarray(each, kind) if type(each) in (int, float) else each for each in args])


def _with_scalars(args: tuple[Any, ...], out: Any) -> tuple[Any, ...]:
    """Single elements without dimensions: those NumPy need not broadcast, which takes longer than a small operation."""
    if out is None or out.size == 1:
        return args
    return tuple([each.reshape(()) if isinstance(each, np.ndarray) and each.size == 1 else each for each in args])
