"""`torch.mps` where there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

__all__ = ["device_count", "is_available", "manual_seed"]


def is_available() -> bool:
    """False: the CPU is the only device."""
    return False


def device_count() -> int:
    return 0


def manual_seed(seed: int) -> None:
    """Seeds nothing."""


def _needs_a_device(name: str, inner: str) -> Callable[..., NoReturn]:
    def function(*args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(f"Cannot execute {inner}() without MPS backend.")

    function.__name__ = function.__qualname__ = name
    return function


globals().update(
    {
        name: _needs_a_device(name, inner)
        for name, inner in (
            ("empty_cache", "emptyCache"), ("synchronize", "deviceSynchronize"), ("seed", "getDefaultGenerator"),
            ("get_rng_state", "getDefaultGenerator"), ("set_rng_state", "getDefaultGenerator"),
            ("current_allocated_memory", "getCurrentAllocatedMemory"),
            ("driver_allocated_memory", "getDriverAllocatedMemory"),
            ("set_per_process_memory_fraction", "setMemoryFraction"),
        )
    }
)  # fmt: skip
