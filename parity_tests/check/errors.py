"""Agreement of exceptions: the same class, in the same phase, with the same words.

"Both raised something" is not agreement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# What may differ between two runs of one program on one framework, and therefore says nothing.
_NOISE = (
    (re.compile(r"0x[0-9a-fA-F]+"), "0x..."),
    (re.compile(r"\bid=\d+"), "id=..."),
    (re.compile(r"(?:[A-Za-z]:)?(?:[/\\][\w.+@-]+){2,}(?::\d+)?"), "<path>"),
    (re.compile(r"\bException raised from .*", re.DOTALL), ""),  # a C++ stack, in debug builds
)


def normalise(message: str) -> str:
    """The message without addresses, file paths and stacks; everything else, to the character, is compared."""
    for pattern, placeholder in _NOISE:
        message = pattern.sub(placeholder, message)
    return message.strip()


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception as a result.  `phase` says where: 'forward' and the step, 'backward', ..."""

    phase: str
    kind: str
    message: str
    unsupported: bool = False

    @classmethod
    def of(cls, error: BaseException, phase: str = "", unsupported: bool = False) -> Raised:
        return cls(phase, type(error).__name__, normalise(str(error)), unsupported)

    def __str__(self) -> str:
        where = f" in {self.phase}" if self.phase else ""
        return f"{self.kind}{where}: {self.message}"
