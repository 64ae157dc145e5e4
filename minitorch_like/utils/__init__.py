"""Helpers: torch's `torch.utils`."""

from __future__ import annotations

import importlib
from types import ModuleType

_LAZY = ("data", "dlpack")


def __getattr__(name: str) -> ModuleType:
    """Submodules that most scripts do not need, imported at first use."""
    if name in _LAZY:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
