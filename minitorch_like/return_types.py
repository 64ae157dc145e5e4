"""`torch.return_types`: the named tuples that functions with several results return."""

from __future__ import annotations

from typing import Any

from ._functions import RETURN_TYPES


def __getattr__(name: str) -> Any:
    from ._later import complete

    complete()
    try:
        return RETURN_TYPES[name]
    except KeyError:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'") from None
