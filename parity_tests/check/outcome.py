"""What a comparison can end in.  Strict: whatever is not a pass is one named thing, never "roughly the same"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """One word for a case, from the best to the worst that was seen in it."""

    PASS = "pass"
    XFAIL = "xfail"  # differs as an entry of the expected failures says
    UNSUPPORTED = "unsupported"  # the candidate said that it lacks this; never counts as passed
    METADATA = "metadata"  # structure, type, strides, device, requires_grad, is_leaf, grad_fn, aliasing
    GRAD = "grad"
    VALUE = "value"
    SHAPE = "shape"
    DTYPE = "dtype"
    ERROR = "error"  # one side raised, or both raised different errors
    XPASS = "xpass"  # an expected failure that passes: a stale entry, which fails the run


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two results part."""

    outcome: Outcome
    path: str
    message: str

    def __str__(self) -> str:
        return f"[{self.outcome}] {self.path or 'result'}: {self.message}"


_SEVERITY = {outcome: rank for rank, outcome in enumerate(Outcome)}


class Disagreement(AssertionError):
    """Two results differ.  `script`: a standalone program that shows it under either import; '' if there is none."""

    case: Any = None  # what was compared, for those who look for a smaller one

    def __init__(self, differences: Sequence[Difference], script: str = "") -> None:
        self.differences = tuple(differences)
        self.script = script
        super().__init__(self._text())

    @property
    def outcome(self) -> Outcome:
        """The gravest of the differences: a wrong dtype explains a wrong value, not the other way round."""
        return max((each.outcome for each in self.differences), key=_SEVERITY.__getitem__)

    def _text(self) -> str:
        shown = [str(each) for each in self.differences[:10]]
        if len(self.differences) > len(shown):
            shown.append(f"... and {len(self.differences) - len(shown)} more")
        if self.script:
            shown.append(f"\nThe same under either import:\n\n{self.script}")
        return "\n".join(shown)
