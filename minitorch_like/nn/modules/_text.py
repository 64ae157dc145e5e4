"""Pieces of torch's texts that several modules share."""

from __future__ import annotations

from typing import Any

from minitorch_like import Tensor

_PACKAGE = __name__.partition(".")[0]


def typename(obj: Any) -> str:
    """What torch's messages call an object: a tensor by its legacy type, others by their qualified class."""
    if isinstance(obj, Tensor):
        return obj.dtype.tensor_type
    named = obj if hasattr(obj, "__qualname__") else type(obj)
    module = named.__module__ or ""
    if module in ("", "builtins"):
        return str(named.__qualname__)
    package, dot, rest = module.partition(".")
    return f"{'torch' if package == _PACKAGE else package}{dot}{rest}.{named.__qualname__}"


def indented(text: str) -> str:
    """`text` with all lines but the first two columns to the right."""
    return text.replace("\n", "\n  ")
