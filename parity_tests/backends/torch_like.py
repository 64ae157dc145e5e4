"""Any module with torch's names: torch itself, minitorch_like, or what `--backend` names.  Needs no further code."""

from __future__ import annotations

import builtins
import importlib
import operator
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity_tests.backends.backend import Unsupported
from parity_tests.check import take

_PYTHON: dict[str, Any] = {"operator": operator, "builtins": builtins}


class TorchLike:
    """A module that offers `tensor`, `autograd.grad` and the rest of torch's namespace."""

    def __init__(self, module: ModuleType | str) -> None:
        self.namespace: Any = importlib.import_module(module) if isinstance(module, str) else module
        self.name: str = self.namespace.__name__

    def tensor(self, array: NDArray[np.generic], requires_grad: bool = False) -> Any:
        if array.size:
            leaf = self.namespace.tensor(np.ascontiguousarray(array).reshape(array.shape))
        else:  # of an empty array torch would make a tensor without strides
            leaf = self.namespace.zeros(array.shape, dtype=self.dtype(array.dtype.name))
        return leaf.requires_grad_() if requires_grad else leaf

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        space, _, method = name.partition(".")
        if space == "Tensor":
            return self._method(args[0], method)(*args[1:], **kwargs)
        return self._look_up(name)(*args, **kwargs)

    def dtype(self, name: str) -> Any:
        return self._look_up(f"torch.{name}")

    def grad(
        self, outputs: Sequence[Any], inputs: Sequence[Any], cotangents: Sequence[Any], create_graph: bool = False
    ) -> list[Any]:
        return list(
            self._look_up("autograd.grad")(
                outputs,
                inputs,
                cotangents,
                retain_graph=True,
                create_graph=create_graph,
                allow_unused=True,
            )
        )

    def module(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return self._look_up(name)(*args, **kwargs)

    def manual_seed(self, seed: int) -> None:
        self._look_up("torch.manual_seed")(seed)

    def snapshot(self, value: Any) -> Any:
        return take(value)

    def _look_up(self, name: str) -> Callable[..., Any]:
        space, _, rest = name.partition(".")
        found: Any = _PYTHON.get(space, self.namespace)
        for part in (rest if space in (*_PYTHON, "torch") else name).split("."):
            found = self._attribute(found, part, name)
        return found  # type: ignore[no-any-return]

    def _method(self, value: Any, name: str) -> Callable[..., Any]:
        return self._attribute(value, name, f"Tensor.{name}")  # type: ignore[no-any-return]

    @staticmethod
    def _attribute(holder: Any, part: str, name: str) -> Any:
        try:
            return getattr(holder, part)
        except AttributeError as missing:
            raise Unsupported(f"{name} is missing") from missing
