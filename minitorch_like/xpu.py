"""`torch.xpu` where there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

__all__ = ["device_count", "empty_cache", "is_available", "is_initialized", "manual_seed", "manual_seed_all"]


def is_available() -> bool:
    """False: the CPU is the only device."""
    return False


def device_count() -> int:
    return 0


def is_initialized() -> bool:
    return False


def manual_seed(seed: int) -> None:
    """Seeds nothing."""


def manual_seed_all(seed: int) -> None:
    """Seeds nothing."""


def empty_cache() -> None:
    """There is no cache."""


def memory_allocated(device: Any = None) -> int:
    return 0


def max_memory_allocated(device: Any = None) -> int:
    return 0


def _needs_a_device(name: str) -> Callable[..., NoReturn]:
    def function(*args: Any, **kwargs: Any) -> NoReturn:
        raise AssertionError("Torch not compiled with XPU enabled")

    function.__name__ = function.__qualname__ = name
    return function


globals().update(
    {
        name: _needs_a_device(name)
        for name in ("current_device", "get_device_name", "get_device_properties", "init", "set_device", "synchronize")
    }
)
