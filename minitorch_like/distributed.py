"""`torch.distributed`: there is one process, and no group of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

__all__ = ["is_available", "is_initialized"]


def is_available() -> bool:
    """False: see the name of a refused function."""
    return False


def is_initialized() -> bool:
    return False


def _refused(name: str) -> Callable[..., NoReturn]:
    def function(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"torch.distributed.{name}: minitorch_like runs in one process")

    function.__name__ = function.__qualname__ = name
    return function


def _needs_a_group(name: str) -> Callable[..., NoReturn]:
    def function(*args: Any, **kwargs: Any) -> NoReturn:
        raise ValueError("Default process group has not been initialized, please make sure to call init_process_group.")

    function.__name__ = function.__qualname__ = name
    return function


globals().update({name: _refused(name) for name in ("init_process_group", "new_group", "init_device_mesh")})
globals().update(
    {
        name: _needs_a_group(name)
        for name in (
            "all_gather", "all_reduce", "barrier", "broadcast", "destroy_process_group", "gather", "get_backend",
            "get_rank", "get_world_size", "recv", "reduce", "scatter", "send",
        )
    }
)  # fmt: skip
