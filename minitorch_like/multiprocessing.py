"""`torch.multiprocessing`: Python's multiprocessing.  Tensors are copied between processes, not shared."""

from __future__ import annotations

from multiprocessing import *  # noqa: F403
from typing import Any, NoReturn


def get_all_sharing_strategies() -> set[str]:
    return {"file_descriptor", "file_system"}


def get_sharing_strategy() -> str:
    return "file_descriptor"


def set_sharing_strategy(new_strategy: str) -> None:
    """Nothing is shared."""
    assert new_strategy in get_all_sharing_strategies()


def spawn(*args: Any, **kwargs: Any) -> NoReturn:
    """Refused."""
    raise NotImplementedError(
        "torch.multiprocessing.spawn: minitorch_like trains in one process; multiprocessing.Process starts others"
    )
