"""A faulty twin: the Value of one published lesson, with the two mistakes that it was published with.  Do not use it.

It trains, for a network of tanh neurons meets neither mistake.  It is here to be convicted: see `trial`.
"""

from __future__ import annotations

import math
from typing import Self

from .value import Value


class FaultyValue(Value):
    """A Value whose relu and exp are wrong."""

    def relu(self) -> Self:  # type: ignore[return]
        """First mistake: nothing is returned; and the gradient is assigned, where it has to be added."""
        out = self._made(max(0.0, self.data), (self,), "relu")

        def hand_back() -> None:
            self.grad = (out.data > 0) * out.grad

        out._hand_back = hand_back

    def exp(self) -> Self:
        """Second mistake: a 2 that belongs to tanh; and the result is taken for its own derivative, as exp's is."""
        out = self._made(math.exp(2 * self.data), (self,), "exp")

        def hand_back() -> None:
            self.grad += out.data * out.grad

        out._hand_back = hand_back
        return out
