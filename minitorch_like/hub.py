"""`torch.hub`: refused, as nothing here goes to the network or runs code from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn


def _refused(name: str) -> Callable[..., NoReturn]:
    def function(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"torch.hub.{name}: minitorch_like downloads nothing; load files of your own")

    function.__name__ = function.__qualname__ = name
    return function


globals().update(
    {
        name: _refused(name)
        for name in (
            "download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir",
        )
    }
)  # fmt: skip
