"""The execution mode of a thread: is the graph recorded, and is a compiled step being captured?

Everything that computes asks here and nowhere else.  `run` and `live` are the two hooks by which code outside
the op table (optimisers, random fills, running statistics) takes part in a capture.
"""

from __future__ import annotations

from _thread import _local as thread_local  # threading.local, without the millisecond that the rest of threading takes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .compiler.recorder import Recorder


class _Mode(thread_local):
    """One per thread; class attributes are the defaults of a new thread."""

    grad: bool = True  # whether what is done is recorded
    asked: bool = False  # in inference mode, where nothing is recorded: whether it was asked for
    inference: bool = False
    recorder: Recorder | None = None


mode = _Mode()


class _Structure:
    """Counts the changes that no array shows.

    version: a tensor got other memory.
    modules: a module got another attribute, parameter, buffer, child or hook; which one, nobody says.
    """

    __slots__ = ("modules", "version")

    def __init__(self) -> None:
        self.version = 0
        self.modules = 0

    def changed(self) -> None:
        self.version += 1

    def modules_changed(self) -> None:
        self.modules += 1


structure = _Structure()


def run(function: Callable[..., Any], *args: Any) -> Any:
    """Call a plain-NumPy `function` on arrays; during a capture its array operations join the plan."""
    recorder = mode.recorder
    return function(*args) if recorder is None else recorder.call(function, *args)


def run_opaque(function: Callable[..., None], out: Any, *args: Any) -> None:
    """Call a function that only fills the array `out`; a plan repeats the call itself, not its inside."""
    function(out, *args)
    if mode.recorder is not None:
        mode.recorder.opaque(function, out, *args)


def live(function: Callable[[], float]) -> Any:
    """`function()`; during a capture a scalar that each replay evaluates anew at this place of the plan."""
    recorder = mode.recorder
    return function() if recorder is None else recorder.live(function)


def reads_values(what: str) -> None:
    """Report that Python is about to see values which the next step may change: a capture cannot go on."""
    if mode.recorder is not None:
        mode.recorder.refuse(f"{what} reads values that the next step may change")
