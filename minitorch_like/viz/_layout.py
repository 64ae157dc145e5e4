"""SVG without Graphviz: a small layered layout, for notebooks and pages where `dot` is not installed.

Boxes stand in ranks by their longest way to a result; an arrow over several ranks gets a bend in each; the bends and
boxes of a rank are ordered by the mean place of their neighbours, to and fro (Sugiyama, Tagawa and Toda 1981).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

from ._picture import Box, Picture

_CHARACTER, _LINE, _PAD = 6.1, 22.0, 7.0
_BETWEEN_RANKS, _BETWEEN_BOXES = 34.0, 12.0
_SWEEPS = 8


@dataclass(slots=True, eq=False)
class _Item:
    """A box, or the bend of a long arrow.

    `along` the ranks and `place` across them is its middle; `size` is (along, across), `lane` how thick its rank is.
    """

    box: Box | None
    size: tuple[float, float]
    before: list[_Item] = field(default_factory=list)
    after: list[_Item] = field(default_factory=list)
    rank: int = 0
    place: float = 0.0
    along: float = 0.0
    lane: float = 0.0


def svg(picture: Picture, rankdir: str = "LR") -> str:
    """The picture as a standalone `<svg>` element."""
    across = rankdir in ("TB", "BT")
    items = [_Item(box, _size(box)[::-1] if across else _size(box)) for box in picture.boxes]
    ways = _arrange(items, picture.arrows)
    ranks = _ranked([item for way in ways for item in way] + items)
    for _ in range(_SWEEPS):
        for rank, neighbours in [(each, "after") for each in ranks] + [(each, "before") for each in reversed(ranks)]:
            _settle(rank, neighbours)
    depth = _line_up(ranks)
    width = max(item.place + item.size[1] / 2 for rank in ranks for item in rank)
    if rankdir in ("RL", "BT"):
        for item in {id(each): each for rank in ranks for each in rank}.values():
            item.along = depth - item.along
    size = (width, depth) if across else (depth, width)
    parts = [_curve(way, across) for way in ways] + [_drawn(item, across) for item in items]
    return _page(size, parts)


def _size(box: Box) -> tuple[float, float]:
    widths = [len(cell) * _CHARACTER + 2 * _PAD for cell in box.cells]
    if box.kind == "value":
        return sum(widths), _LINE
    return max(widths), _LINE * len(widths)


def _arrange(items: list[_Item], arrows: list[tuple[int, int]]) -> list[list[_Item]]:
    """Give every item its rank, counted from the results; each arrow as the way from box to box over its bends."""
    targets: dict[int, list[int]] = {}
    for start, end in arrows:
        targets.setdefault(start, []).append(end)
    for number in reversed(range(len(items))):  # arrows lead from low to high numbers
        items[number].rank = max((items[end].rank + 1 for end in targets.get(number, ())), default=0)
    ways = []
    for start, end in arrows:
        between = range(items[start].rank - 1, items[end].rank, -1)
        bends = [_Item(None, (0.0, _BETWEEN_BOXES), rank=rank) for rank in between]
        way = [items[start], *bends, items[end]]
        for one, other in pairwise(way):
            one.after.append(other)
            other.before.append(one)
        ways.append(way)
    return ways


def _ranked(items: list[_Item]) -> list[list[_Item]]:
    """The items by rank, those of rank 0 (the results) first."""
    unique = list({id(item): item for item in items}.values())
    ranks: list[list[_Item]] = [[] for _ in range(1 + max(item.rank for item in unique))]
    for item in unique:
        ranks[item.rank].append(item)
    return ranks


def _settle(rank: list[_Item], neighbours: str) -> None:
    """Move the items of a rank towards their neighbours' mean place, in that order and without overlap."""
    wanted = {}
    for item in rank:
        near = getattr(item, neighbours)
        wanted[id(item)] = sum(each.place for each in near) / len(near) if near else item.place
    rank.sort(key=lambda item: wanted[id(item)])
    edge = float("-inf")
    for item in rank:
        item.place = max(wanted[id(item)], edge + item.size[1] / 2)
        edge = item.place + item.size[1] / 2 + _BETWEEN_BOXES
    drift = sum(item.place - wanted[id(item)] for item in rank) / len(rank)
    for item in rank:
        item.place -= drift


def _line_up(ranks: list[list[_Item]]) -> float:
    """Place the ranks one after the other, the results last, and shift everything to begin at 0; the total depth."""
    top = min(item.place - item.size[1] / 2 for rank in ranks for item in rank)
    edge = 0.0
    for rank in reversed(ranks):
        thickness = max(item.size[0] for item in rank)
        for item in rank:
            item.along = edge + thickness / 2
            item.lane = thickness
            item.place -= top
        edge += thickness + _BETWEEN_RANKS
    return edge - _BETWEEN_RANKS


# -- drawing --------------------------------------------------------------------------------------------


def _curve(way: list[_Item], across: bool) -> str:
    """A smooth line from the border of the first box to that of the last; straight within a rank, where boxes stand."""
    forward = 1 if way[-1].along > way[0].along else -1
    first, last = way[0], way[-1]
    path = f"M{_point(first.along + forward * first.size[0] / 2, first.place, across)}"
    for one, other in pairwise(way):
        leave, enter = one.along + forward * one.lane / 2, other.along - forward * other.lane / 2
        middle = (leave + enter) / 2
        path += f" L{_point(leave, one.place, across)} C{_point(middle, one.place, across)}"
        path += f" {_point(middle, other.place, across)} {_point(enter - forward * 5, other.place, across)}"
    path += f" L{_point(last.along - forward * (last.size[0] / 2 + 5), last.place, across)}"
    return f'<path d="{path}" marker-end="url(#tip)"/>'


def _point(along: float, place: float, across: bool) -> str:
    return f"{place:.1f},{along:.1f}" if across else f"{along:.1f},{place:.1f}"


def _drawn(item: _Item, across: bool) -> str:
    assert item.box is not None
    box = item.box
    width, height = _size(box)
    x, y = (item.place, item.along) if across else (item.along, item.place)
    left, top = x - width / 2, y - height / 2
    corner = {"op": 9, "module": 4}.get(box.kind, 0)
    parts = []
    if box.kind != "more":
        parts.append(f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{corner}"/>')
    for index, cell in enumerate(box.cells):
        if box.kind == "value":
            wide = len(cell) * _CHARACTER + 2 * _PAD
            if index:
                parts.append(f'<path d="M{left:.1f},{top:.1f} v{height:.1f}"/>')
            parts.append(_text(left + wide / 2, y, cell))
            left += wide
        else:
            if index:
                parts.append(f'<path d="M{left:.1f},{top + index * _LINE:.1f} h{width:.1f}"/>')
            parts.append(_text(x, top + (index + 0.5) * _LINE, cell))
    return "".join(parts)


def _text(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y + 3.5:.1f}">{escape(text)}</text>'


def _page(size: tuple[float, float], parts: list[str]) -> str:
    width, height = size[0] + 8, size[1] + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="-4 -4 {width:.1f} {height:.1f}" font-family="monospace" font-size="10" text-anchor="middle">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="currentColor" stroke="none"/></marker></defs>'
        '<g fill="none" stroke="currentColor" stroke-width="0.8">'
        + "".join(parts).replace("<text ", '<text fill="currentColor" stroke="none" ')
        + "</g></svg>\n"
    )
