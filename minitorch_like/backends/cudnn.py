"""`torch.backends.cudnn`: may be set, changes nothing."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from ._unused import is_available, set_for_now

__all__ = ["flags", "is_acceptable", "is_available", "version"]

enabled = True
benchmark = False
deterministic = False
allow_tf32 = True
benchmark_limit: int | None = None


def version() -> None:
    """None: there is no cuDNN."""
    return


def is_acceptable(tensor: Any) -> bool:
    return False


def flags(
    enabled: bool = False,
    benchmark: bool = False,
    benchmark_limit: int = 10,
    deterministic: bool = False,
    allow_tf32: bool = True,
) -> AbstractContextManager[None]:
    """A context in which the switches are set otherwise."""
    return set_for_now(
        globals(),
        enabled=enabled,
        benchmark=benchmark,
        benchmark_limit=benchmark_limit,
        deterministic=deterministic,
        allow_tf32=allow_tf32,
    )
