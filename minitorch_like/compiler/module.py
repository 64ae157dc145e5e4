"""`OptimizedModule`: a compiled module, which still is a module."""

from __future__ import annotations

from typing import Any

from ..nn import Module
from .function import CompiledFunction


class OptimizedModule(Module):
    """Calls are compiled; all else is that of the original, which is its only child, `_orig_mod`."""

    _orig_mod: Module

    def __init__(self, mod: Module) -> None:
        super().__init__()
        self.__dict__["_compiled"] = CompiledFunction(mod)
        self._modules["_orig_mod"] = mod

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self._compiled(*args, **kwargs)

    def explain(self) -> str:
        """See `CompiledFunction.explain`."""
        text: str = self._compiled.explain()
        return text

    def __getattr__(self, name: str) -> Any:
        original = self.__dict__["_modules"]["_orig_mod"]
        return original if name == "_orig_mod" else getattr(original, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "training" or "_modules" not in self.__dict__ or "_orig_mod" not in self._modules:
            super().__setattr__(name, value)
        else:
            setattr(self._orig_mod, name, value)
