"""Warnings: those that torch gives once in the life of a process, and those that name the line of the program."""

from __future__ import annotations

import sys
import warnings
from types import FrameType


class _Telling:
    """What has been said, and whether it is to be said every time."""

    told: set[str] = set()  # noqa: RUF012 -- one for the process
    always = False


def warn_once(message: str) -> None:
    """`warn_of_call` the first time, or, after `set_warn_always(True)`, each time."""
    if _Telling.always or message not in _Telling.told:
        _Telling.told.add(message)
        warn_of_call(message)


def warn_of_call(message: str, category: type[Warning] = UserWarning) -> None:
    """A warning of the line that called the package, however deep in it what warns may be."""
    depth, frame = 1, sys._getframe()
    while frame.f_back is not None and _is_ours(frame):
        depth, frame = depth + 1, frame.f_back
    warnings.warn(message, category, stacklevel=depth)


def _is_ours(frame: FrameType) -> bool:
    module = frame.f_globals.get("__name__")
    if module is None:  # what is written out for an op is in no module
        return frame.f_code.co_filename.startswith(("<apply ", "<plan>"))
    return str(module).partition(".")[0] == _PACKAGE


_PACKAGE = __name__.partition(".")[0]


def warn_always(always: bool) -> None:
    """Whether all of these warnings are to be given."""
    _Telling.always = always
