"""Exercise: a root of several numbers.  An Output's value is a list, and so is the pull that comes back to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .nodes import Node


class Output(Node):
    """Several scores at once, as they are.  Nodes below may well be shared by them.

    Only the root of a network can be one: the parents of other nodes expect a single number.
    """

    def value_of(self, *values: float) -> Any:
        return list(values)

    def share(self, pull: Any, *values: float) -> list[float]:
        """One pull for each score."""
        return list(pull)


class SoftMax(Output):
    """Scores as probabilities: positive, and one in sum.  Goes with the categorical cross-entropy."""

    def value_of(self, *values: float) -> Any:
        largest = max(values)  # shifting all scores changes nothing, and no exponential overflows
        powers = [math.exp(value - largest) for value in values]
        return [power / sum(powers) for power in powers]

    def share(self, pull: Any, *values: float) -> list[float]:
        """Raising one score lowers every other probability: p_j (pull_j - sum_i p_i pull_i)."""
        return softmax_pull(self.value_of(*values), pull)


def softmax_pull(probabilities: Sequence[float], pull: Sequence[float]) -> list[float]:
    """The pull on each score, from the pull on each probability."""
    common = sum(p * each for p, each in zip(probabilities, pull, strict=True))
    return [p * (each - common) for p, each in zip(probabilities, pull, strict=True)]
