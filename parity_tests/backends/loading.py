"""From the text after --backend to a Backend."""

from __future__ import annotations

import importlib
import importlib.util

from parity_tests.backends.backend import Backend
from parity_tests.backends.torch_like import TorchLike


def exists(spec: str) -> bool:
    """Whether there is a module of that name, without importing it (only the packages around it)."""
    try:
        return importlib.util.find_spec(spec.partition(":")[0]) is not None
    except ModuleNotFoundError:
        return False


def load(spec: str) -> Backend:
    """'any.module', which has torch's names, or 'any.module:Class', which is called for a Backend of its own kind."""
    module, _, maker = spec.partition(":")
    namespace = importlib.import_module(module)
    backend: Backend = getattr(namespace, maker)() if maker else TorchLike(namespace)
    return backend
