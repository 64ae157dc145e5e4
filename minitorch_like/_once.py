"""Warnings that torch gives once in the life of a process."""

from __future__ import annotations

import warnings


class _Telling:
    """What has been said, and whether it is to be said every time."""

    told: set[str] = set()  # noqa: RUF012 -- one for the process
    always = False


def warn_once(message: str, stacklevel: int = 4) -> None:
    """A UserWarning the first time, or, after `set_warn_always(True)`, each time."""
    if _Telling.always or message not in _Telling.told:
        _Telling.told.add(message)
        warnings.warn(message, UserWarning, stacklevel=stacklevel)


def warn_always(always: bool) -> None:
    """Whether all of these warnings are to be given."""
    _Telling.always = always
