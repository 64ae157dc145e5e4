"""`torch.compiler`'s questions and requests: is this being captured, and what is to be kept out of captures.

There is little to control.  A plan holds as long as its guards do, and what cannot be captured runs eagerly.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .._capture import mode


def is_compiling() -> bool:
    """Whether the code that asks is being captured at this moment.  The eager runs of a compiled step say False."""
    return mode.recorder is not None


def is_dynamo_compiling() -> bool:
    """`is_compiling`: there is one way to compile."""
    return is_compiling()


def is_exporting() -> bool:
    """False: there is no `torch.export` here."""
    return False


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """Have `fn`, a function or a module, run by Python each time: a compiled step that calls it runs eagerly.

    Also a decorator, with or without arguments.  `recursive` changes nothing: what runs eagerly calls eager functions.
    """
    if fn is None:
        return functools.partial(disable, recursive=recursive, reason=reason)
    from ..nn import Module

    if not isinstance(fn, Module):
        return _kept_out(fn, fn.__qualname__ if hasattr(fn, "__qualname__") else type(fn).__name__, reason)
    from .module import OptimizedModule

    kept_out = OptimizedModule(fn)
    kept_out.__dict__["_compiled"] = _kept_out(fn, type(fn).__name__, reason)
    return kept_out


def _kept_out(function: Callable[..., Any], name: str, reason: str | None) -> Callable[..., Any]:
    why = f"compiling {name} is disabled{f': {reason}' if reason else ''}"

    @functools.wraps(function, updated=())
    def run(*args: Any, **kwargs: Any) -> Any:
        if mode.recorder is not None:
            mode.recorder.refuse(why)
        return function(*args, **kwargs)

    run.explain = lambda: why  # type: ignore[attr-defined]
    return run


def allow_in_graph(fn: Any) -> Any:
    """`fn`, or the functions of a list, as given: whatever a step calls is captured."""
    if isinstance(fn, (list, tuple)):
        return [allow_in_graph(each) for each in fn]
    if not callable(fn):
        raise AssertionError("allow_in_graph expects a callable")
    return fn


def assume_constant_result(fn: Any) -> Any:
    """`fn` as given: of a captured function nothing but its arithmetic is ever repeated."""
    return fn


def cudagraph_mark_step_begin() -> None:
    """Nothing: there are no CUDA graphs."""


def list_backends(exclude_tags: Any = ("debug", "experimental")) -> list[str]:
    """The compilers that `compile` has: one."""
    return ["minitorch_like"]


def reset() -> None:
    """Forget nothing: plans belong to the functions that were compiled, and each holds as long as its guards do."""
