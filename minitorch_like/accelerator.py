"""`torch.accelerator` where there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

__all__ = ["current_accelerator", "device_count", "device_index", "is_available"]


def is_available() -> bool:
    """False: the CPU is the only device."""
    return False


def device_count() -> int:
    return 0


def current_accelerator(check_available: bool = False) -> None:
    """None: there is none."""


class device_index:
    """A context in which a device would be the current one.  Nothing is raised before it is entered."""

    def __init__(self, device: int | None, /) -> None:
        self.idx = device

    def __enter__(self) -> None:
        if self.idx is not None:
            _refuse()

    def __exit__(self, *exception: object) -> None:
        pass


def _refuse() -> NoReturn:
    raise RuntimeError("Cannot access accelerator device when none is available.")


def _needs_a_device(name: str) -> Callable[..., NoReturn]:
    def function(*args: Any, **kwargs: Any) -> NoReturn:
        _refuse()

    function.__name__ = function.__qualname__ = name
    return function


globals().update(
    {
        name: _needs_a_device(name)
        for name in (
            "current_device_index", "current_stream", "empty_cache", "max_memory_allocated", "max_memory_reserved",
            "memory_allocated", "memory_reserved", "memory_stats", "reset_peak_memory_stats", "set_device_index",
            "set_stream", "synchronize",
        )
    }
)  # fmt: skip
