"""Gradients by trying: nudge one input, look what the output does.  No calculus, one call of the function an input."""

from __future__ import annotations

from collections.abc import Callable, Sequence

NUDGE = 0.0001


def numerical_gradient(
    function: Callable[..., float], point: Sequence[float], nudge: float = NUDGE
) -> tuple[float, ...]:
    """How fast `function` grows at `point` along each of its inputs, by forward differences.

    The error is of the order of `nudge`: a straight line is laid through two points of a curve.
    """
    here = function(*point)
    gradient = []
    for index in range(len(point)):
        moved = list(point)
        moved[index] += nudge
        gradient.append((function(*moved) - here) / nudge)
    return tuple(gradient)


def step_up(
    function: Callable[..., float], point: Sequence[float], step: float, nudge: float = NUDGE
) -> tuple[float, ...]:
    """The point a small way up the slope."""
    slopes = numerical_gradient(function, point, nudge)
    return tuple(x + step * slope for x, slope in zip(point, slopes, strict=True))


def gradient_ascent(
    function: Callable[..., float], start: Sequence[float], step: float = 0.001, enough: float = 0.000005
) -> list[tuple[float, ...]]:
    """The way up from `start`: every point, until a step gains less than `enough`."""
    way = [tuple(start)]
    gain = enough
    while gain >= enough:
        way.append(step_up(function, way[-1], step))
        gain = function(*way[-1]) - function(*way[-2])
    return way
