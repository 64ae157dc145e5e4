"""Losses and decisions, drawn by matplotlib (the extra `plots`), which is imported when the first picture is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import _creation
from .._tensor import Tensor
from ..autograd import no_grad
from ..ops._table import Array


def _axes(caller: str, ax: Any) -> Any:
    """`ax`, or a new figure's; the figure is not registered with pyplot, so that nobody has to close it."""
    if ax is not None:
        return ax
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            f"{caller} needs matplotlib: pip install 'minitorch-like[plots]'", name=missing.name
        ) from missing
    return Figure(figsize=(5.0, 3.4), layout="constrained").subplots()


def plot_losses(
    losses: Sequence[Any] | Mapping[str, Sequence[Any]],
    *,
    ax: Any = None,
    log: bool = False,
    xlabel: str = "step",
    ylabel: str = "loss",
) -> Any:
    """Loss curves: one, or several by name.

    Args:
        losses: numbers or tensors of one element, one a step.
        ax: the matplotlib Axes to draw into; by default those of a new figure (`.figure` of the result).
        log: a logarithmic axis of losses.

    Returns:
        The Axes.

    Raises:
        ModuleNotFoundError: without matplotlib.
    """
    ax = _axes("plot_losses", ax)
    curves = losses if isinstance(losses, Mapping) else {"": losses}
    for name, curve in curves.items():
        ax.plot([float(each) for each in curve], label=name or None, linewidth=1.5)
    if len(curves) > 1 or "" not in curves:
        ax.legend(frameon=False)
    if log:
        ax.set_yscale("log")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def decision_boundary(
    model: Callable[[Tensor], Tensor],
    points: Any,
    labels: Any = None,
    *,
    ax: Any = None,
    resolution: int = 200,
    margin: float = 0.1,
) -> Any:
    """What a classifier of the plane answers where, and the points that it was asked about.

    Args:
        model: maps a float32 tensor (n, 2) to one score a row, (n,) or (n, 1), whose sign is the answer, or to
            (n, classes), whose greatest is.  It is called once, without recording.
        points: (n, 2), a tensor or an array; they set the picture's bounds.
        labels: (n,) integers, the points' colours; without them they are not drawn.
        resolution: how many answers along each side.
        margin: how far the picture reaches beyond the points, as a share of their range.

    Returns:
        The Axes.

    Raises:
        ModuleNotFoundError: without matplotlib.
        ValueError: for points that are not in the plane.
    """
    ax = _axes("decision_boundary", ax)
    points = _array(points)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"decision_boundary: points must be of shape (n, 2), not {points.shape}")
    low, high = points.min(0), points.max(0)
    low, high = low - margin * (high - low), high + margin * (high - low)
    sides = [np.linspace(low[side], high[side], resolution) for side in (0, 1)]
    grid = np.stack(np.meshgrid(*sides), -1).reshape(-1, 2).astype(np.float32)
    with no_grad():
        answers = _answers(_array(model(_creation.PUBLIC["from_numpy"](grid)))).reshape(resolution, resolution)
    classes = int(max(answers.max(), 1 if labels is None else _array(labels).max()))
    colours = {"cmap": "coolwarm" if classes == 1 else "viridis", "vmin": 0, "vmax": classes}
    ax.imshow(answers, extent=(low[0], high[0], low[1], high[1]), origin="lower", alpha=0.45, aspect="auto", **colours)
    if labels is not None:
        ax.scatter(*points.T, c=_array(labels), s=9, edgecolors="white", linewidths=0.3, **colours)
    return ax


def _array(values: Any) -> Array:
    return np.asarray(values._data if isinstance(values, Tensor) else values)


def _answers(scores: Array) -> Array:
    if scores.ndim == 2 and scores.shape[1] > 1:
        return scores.argmax(1)
    return (scores.reshape(-1) > 0).astype(int)
