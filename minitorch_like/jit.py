"""`torch.jit`: there is no TorchScript; `minitorch_like.compile` is what makes a step faster.

What compiles, traces, saves or loads is refused.  What only marks code for the compiler leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn


def is_scripting() -> bool:
    """False: this is Python."""
    return False


def is_tracing() -> bool:
    return False


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """Mark a function as one not to compile."""
    return drop if callable(drop) else _unchanged


def export(fn: Any) -> Any:
    """Mark a method as one to compile."""
    return fn


unused = export


def _unchanged(fn: Any) -> Any:
    return fn


def annotate(the_type: Any, the_value: Any) -> Any:
    """The value, whose type is said."""
    return the_value


def isinstance(obj: Any, target_type: Any) -> bool:
    """The builtin `isinstance`."""
    import builtins

    return builtins.isinstance(obj, target_type)


def _refuse(name: str) -> NoReturn:
    raise NotImplementedError(
        f"torch.jit.{name}: minitorch_like has no TorchScript; call the Python code, or use minitorch_like.compile"
    )


def _refused(name: str) -> Callable[..., NoReturn]:
    def function(*args: Any, **kwargs: Any) -> NoReturn:
        _refuse(name)

    function.__name__ = function.__qualname__ = name
    return function


class ScriptModule:
    """Refused."""

    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse("ScriptModule")


globals().update(
    {
        name: _refused(name)
        for name in (
            "script", "trace", "trace_module", "script_method", "load", "save", "freeze", "fork", "wait",
            "optimize_for_inference", "enable_onednn_fusion",
        )
    }
)  # fmt: skip
__all__ = [
    "Final",
    "ScriptModule",
    "annotate",
    "export",
    "ignore",
    "is_scripting",
    "is_tracing",
    "isinstance",
    "unused",
]
