"""What the modules of libraries that are not used have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def is_available() -> bool:
    """False: the library is not used."""
    return False


@contextmanager
def set_for_now(namespace: dict[str, Any], **values: Any) -> Iterator[None]:
    """Have module attributes set to `values`, None standing for what they are, inside a `with`."""
    chosen = {name: value for name, value in values.items() if value is not None}
    before = {name: namespace[name] for name in chosen}
    namespace.update(chosen)
    try:
        yield
    finally:
        namespace.update(before)
