"""Pictures as SVG text, by hand: a graph of computations, and curves.  Nothing is needed to draw them."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from html import escape
from typing import TypeVar

T = TypeVar("T", bound=Hashable)

COLOURS = ("#2a6fdb", "#d1495b", "#2e933c", "#8a4fbf")
_BOX, _GAP_X, _GAP_Y, _LINE = 118, 46, 18, 15
_DASHES = ("", "7 4", "2 4", "7 3 2 3")  # curves that lie on one another are all seen
_POINTS = 200  # more would not show


def graph(title: str, root: T, children: Callable[[T], Sequence[T]], lines: Callable[[T], Sequence[str]]) -> str:
    """What `root` is computed from, left to right.

    children: what a node is computed from.   lines: what is written in its box, one text a line.
    """
    columns = _columns(root, children)
    rows = _rows(root, children, columns)
    height = {node: _LINE * len(lines(node)) + 10 for node in columns}
    step = max(height.values()) + _GAP_Y
    place = {node: (10 + columns[node] * (_BOX + _GAP_X), 34 + rows[node] * step) for node in columns}
    body = []
    for node, (x, y) in place.items():
        for child in children(node):
            start, end = place[child][0] + _BOX, x
            high, low = place[child][1] + height[child] / 2, y + height[node] / 2
            middle = (start + end) / 2
            path = f"M{start:.0f} {high:.0f}C{middle:.0f} {high:.0f} {middle:.0f} {low:.0f} {end:.0f} {low:.0f}"
            body.append(f'<path d="{path}" fill="none" stroke="currentColor" opacity=".5"/>')
    for node, (x, y) in place.items():
        body.append(
            f'<rect x="{x:.0f}" y="{y:.0f}" width="{_BOX}" height="{height[node]}" rx="5" fill="none" '
            f'stroke="currentColor"/>'
        )
        for number, line in enumerate(lines(node)):
            body.append(
                _text(x + _BOX / 2, y + _LINE * (number + 1), line, "middle", COLOURS[number % 2] if number else "")
            )
    width = max(x for x, _ in place.values()) + _BOX + 10
    return _svg(title, width, max(y + height[node] for node, (_, y) in place.items()) + 10, body)


def _columns(root: T, children: Callable[[T], Sequence[T]]) -> dict[T, int]:
    """A node stands right of everything that it is computed from, a leaf just left of what first uses it."""
    depth: dict[T, int] = {}

    def measure(node: T) -> int:
        if node not in depth:
            depth[node] = 1 + max(map(measure, children(node)), default=-1)
        return depth[node]

    measure(root)
    for leaf in [node for node in depth if not children(node)]:
        depth[leaf] = min((depth[node] for node in depth if leaf in children(node)), default=1) - 1
    return depth


def _rows(root: T, children: Callable[[T], Sequence[T]], columns: Mapping[T, int]) -> dict[T, float]:
    """Leaves one below the other, every other node at the middle of its children; no two in one place."""
    rows: dict[T, float] = {}
    leaves = 0

    def put(node: T) -> float:
        nonlocal leaves
        if node not in rows:
            below = [put(child) for child in children(node)]
            rows[node] = sum(below) / len(below) if below else leaves
            leaves += not below
        return rows[node]

    put(root)
    for column in set(columns.values()):
        taken = -1.0
        for node in sorted((node for node in rows if columns[node] == column), key=rows.__getitem__):
            rows[node] = taken = max(rows[node], taken + 1)
    return rows


def curves(title: str, series: Mapping[str, Sequence[float]], down: str = "", *, log: bool = False) -> str:
    """Curves over the number of the step.  down: what the vertical axis is.   log: on a logarithmic scale."""
    width, height, left, top = 520, 260, 66, 34
    high = max(max(values) for values in series.values())
    low = min(min(values) for values in series.values())
    if log:
        high, low = math.log10(high), math.log10(max(low, 1e-12))
    high, low = (high, low) if high > low else (low + 1, low)
    longest = max(len(values) for values in series.values())

    def at(step: int, value: float) -> str:
        value = math.log10(max(value, 1e-12)) if log else value
        x = left + (width - left - 12) * step / max(longest - 1, 1)
        return f"{x:.1f},{top + (height - top - 34) * (high - value) / (high - low):.1f}"

    right, bottom = width - 12, height - 34
    body = [f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="currentColor" opacity=".5"/>']
    for y, value in ((top + 5, high), (bottom + 5, low)):
        body.append(_text(left - 6, y, f"{10**value if log else value:.3g}", "end"))
    body.append(_text(left, bottom + 16, "0", "middle"))
    body.append(_text(right, bottom + 16, f"{longest - 1}", "end"))
    body.append(_text(left + 6, top + 5, down))
    for number, (name, values) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        kept = {*range(0, len(values), max(len(values) // _POINTS, 1)), len(values) - 1}
        points = " ".join(at(step, values[step]) for step in sorted(kept))
        dashes = f' stroke-dasharray="{_DASHES[number % len(_DASHES)]}"' if number else ""
        body.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"{dashes}/>')
        body.append(_text(right, top + 5 + _LINE * number, name, "end", colour))
    return _svg(title, width, height, body)


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = "") -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{colour or "currentColor"}">{escape(text)}</text>'
    )


def _svg(title: str, width: float, height: float, body: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'font-family="system-ui, sans-serif" font-size="12" role="img"><title>{escape(title)}</title>'
    )
    return "\n".join([head, _text(10, 18, title), *body, "</svg>"])
