"""`torch.__version__`: the release of torch whose names and numbers these are, compared as versions and not as texts."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

__all__ = ["TorchVersion", "__version__"]

# The public and the local part of a version, as PEP 440 spells them.
_VERSION = re.compile(
    r"v?(?P<release>\d+(\.\d+)*)(-?_?\.?(?P<phase>a|alpha|b|beta|c|rc|pre|preview)\.?(?P<number>\d*))?"
    r"((-?_?\.?(post|rev|r)|-)(?P<post>\d+))?([-_.]?dev(?P<dev>\d*))?(\+(?P<local>[a-z0-9]+([-_.][a-z0-9]+)*))?",
    re.IGNORECASE,
)
_PHASES = {"a": "a", "alpha": "a", "b": "b", "beta": "b"}


class TorchVersion(str):
    """A text that is ordered as the version that it spells: against texts, and against sequences such as (1, 13).

    Against what is no version it is ordered as a text.
    """

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return _compared(self, other, operator.eq, str.__eq__)

    def __lt__(self, other: Any) -> bool:
        return _compared(self, other, operator.lt, str.__lt__)

    def __le__(self, other: Any) -> bool:
        return _compared(self, other, operator.le, str.__le__)

    def __gt__(self, other: Any) -> bool:
        return _compared(self, other, operator.gt, str.__gt__)

    def __ge__(self, other: Any) -> bool:
        return _compared(self, other, operator.ge, str.__ge__)

    __ne__ = str.__ne__  # of texts, as in torch


def _compared(ours: str, theirs: Any, compare: Callable[[Any, Any], bool], as_texts: Callable[[str, Any], Any]) -> Any:
    text = ".".join(map(str, theirs)) if isinstance(theirs, (tuple, list)) else theirs
    keys = [_key(each) if isinstance(each, str) else None for each in (ours, text)]
    return as_texts(ours, theirs) if None in keys else compare(*keys)


def _key(text: str) -> Any:
    """What versions are ordered by; None for a text that spells none.  Source: PEP 440, "Summary of permitted suffixes"."""
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        return None
    release = [int(each) for each in found["release"].split(".")]
    while release and not release[-1]:
        release.pop()
    phase = found["phase"] and _PHASES.get(found["phase"].lower(), "rc")
    if phase is None:
        phase = "" if found["dev"] is not None and found["post"] is None else "z"  # 1.0.dev1 < 1.0a1 < 1.0
    post = -1 if found["post"] is None else int(found["post"])
    dev = float("inf") if found["dev"] is None else int(found["dev"] or 0)
    local = re.split(r"[-_.]", (found["local"] or "").lower()) if found["local"] else []
    numbered = [(1, int(each), "") if each.isdigit() else (0, 0, each) for each in local]
    return release, phase, int(found["number"] or 0), post, dev, numbered


__version__ = TorchVersion("2.13.0+minitorch.0.1.0")
