"""Two ways of checking a gradient: by hand, with the chain rule on paper, and by wiggling an input."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .value import Value

Expression = Callable[..., Value]


def gradients(expression: Expression, at: Sequence[float]) -> list[float]:
    """What `backward` says."""
    inputs = [Value(number) for number in at]
    expression(*inputs).backward()
    return [value.grad for value in inputs]


def wiggled(expression: Expression, at: Sequence[float], wiggle: float = 1e-6) -> list[float]:
    """What wiggling says: the slope between a little less and a little more, wrong by the square of the wiggle only."""
    slopes = []
    for index in range(len(at)):
        sides = []
        for side in (wiggle, -wiggle):
            numbers = [number + side * (place == index) for place, number in enumerate(at)]
            sides.append(expression(*map(Value, numbers)).data)
        slopes.append((sides[0] - sides[1]) / (2 * wiggle))
    return slopes


def by_hand(a: float, b: float, c: float, f: float) -> list[float]:
    """L = (a b + c) f on paper: with e = a b and d = e + c, dL/dd = f, and everything below d feels that."""
    d = a * b + c
    d_by_d = f  # L = d f
    d_by_e = d_by_c = d_by_d * 1.0  # d = e + c
    return [d_by_e * b, d_by_e * a, d_by_c, d]  # e = a b


def lesson(a: Value, b: Value, c: Value, f: Value) -> Value:
    """(a b + c) f, every step with its label."""
    e = a * b
    d = e + c
    loss = d * f
    e.label, d.label, loss.label = "e", "d", "L"
    return loss
