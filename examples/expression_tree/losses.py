"""How wrong a prediction is, and which way is less wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence

# No prediction counts as more certain than this: the logarithm of zero is infinite.
DOUBT = 1e-12


class MSE:
    """The squared error; its mean over the samples is what is learnt."""

    @staticmethod
    def loss(prediction: float, target: float) -> float:
        return (prediction - target) ** 2

    @staticmethod
    def gradient(prediction: float, target: float) -> float:
        return 2 * (prediction - target)


class BCE:
    """Binary cross-entropy: how surprised the prediction, a probability, is at the target, 0 or 1."""

    @staticmethod
    def loss(prediction: float, target: float) -> float:
        p = _doubted(prediction)
        return -(target * math.log(p) + (1 - target) * math.log(1 - p))

    @staticmethod
    def gradient(prediction: float, target: float) -> float:
        p = _doubted(prediction)
        return (p - target) / (p * (1 - p))


class CategoricalCrossEntropy:
    """How surprised the probabilities of several classes are at the true one: targets are 1 there and 0 elsewhere."""

    @staticmethod
    def loss(prediction: Sequence[float], target: Sequence[float]) -> float:
        return -sum(t * math.log(_doubted(p)) for p, t in zip(prediction, target, strict=True))

    @staticmethod
    def gradient(prediction: Sequence[float], target: Sequence[float]) -> list[float]:
        return [-t / _doubted(p) for p, t in zip(prediction, target, strict=True)]


def _doubted(probability: float) -> float:
    return min(max(probability, DOUBT), 1 - DOUBT)
