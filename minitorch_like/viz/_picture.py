"""What to draw: boxes, arrows and groups, for a tensor's graph and for a module; and how a big graph is folded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..nn import Module, Sequential
from ..ops._table import Array
from ._graph import Call, Unknown, Value

SYMBOLS = {"add": "+", "sub": "-", "neg": "-", "mul": "*", "div": "/", "pow": "**", "matmul": "@", "mm": "@"}
_SHOWN_ELEMENTS, _SHOWN_NAMES = 4, 3


@dataclass(slots=True)
class Box:
    """kind: "value" (a row of cells), "op", "module" (a column of cells) or "more"."""

    kind: str
    cells: list[str]
    group: tuple[str, ...] = ()


@dataclass(slots=True)
class Picture:
    boxes: list[Box] = field(default_factory=list)
    arrows: list[tuple[int, int]] = field(default_factory=list)

    def add(self, box: Box, sources: Iterable[int] = ()) -> int:
        """The number of the new box, to which arrows lead from `sources`."""
        self.boxes.append(box)
        number = len(self.boxes) - 1
        self.arrows += [(source, number) for source in sources]
        return number


# -- numbers as text ------------------------------------------------------------------------------------


def number(value: float) -> str:
    """Four decimals, as the lectures print them; fewer for whole numbers, an exponent where four show nothing."""
    if isinstance(value, (int, np.integer)) or not np.isfinite(value):
        return str(value)
    return f"{value:.4f}" if value == 0 or 1e-4 <= abs(value) < 1e6 else f"{value:.4g}"


def elements(array: Array | None) -> str:
    """The elements of a small array; the shape and the range of a large one; a dash for one that nobody has kept."""
    if array is None:
        return "—"
    if array.size == 0:
        return str(tuple(array.shape))
    if array.size <= _SHOWN_ELEMENTS:
        return number(array.item()) if array.size == 1 else _nested(array.tolist())
    return f"{tuple(array.shape)} {number(array.min().item())} … {number(array.max().item())}"


def _nested(items: Any) -> str:
    return f"[{', '.join(map(_nested, items))}]" if isinstance(items, list) else number(items)


def record(value: Value) -> Box:
    """label | data | grad."""
    cells = [value.label] if value.label else []
    cells.append(f"data {elements(value.data)}")
    if value.requires_grad:
        cells.append(f"grad {elements(value.grad)}")
    return Box("value", cells)


def title(call: Call) -> str:
    """The op's sign or name, and its options."""
    options = ", ".join(f"{name}={value}" if name else "?" for name, value in call.options.items())
    return f"{SYMBOLS.get(call.name, call.name)} {options}".rstrip()


# -- the graph of a tensor ------------------------------------------------------------------------------


def of_graph(values: Sequence[Value], max_nodes: int) -> Picture:
    """As much as fits into `max_nodes` boxes: all; ops without intermediate values; runs of ops; the graph's end."""
    calls = {id(each.call): each.call for each in values if each.call is not None}
    if len(values) + len(calls) <= max_nodes:
        return _whole(values)
    units = _units(values)
    leaves = {leaf for unit in units for leaf in unit.leaves}
    if len(units) + len(leaves) < max_nodes:
        return _compact(units, values[-1], show_leaves=True)
    return _compact(_ended(_folded(units), max_nodes - 2), values[-1], show_leaves=False, count=len(units))


def _whole(values: Sequence[Value]) -> Picture:
    picture = Picture()
    places: dict[int, int] = {}
    for value in values:
        call = value.call
        if call is not None and id(call) not in places:
            sources = [
                places[id(each)] if isinstance(each, Value) else picture.add(Box("value", [_plain(each)]))
                for each in call.operands
                if each is not None
            ]
            places[id(call)] = picture.add(Box("op", [title(call)]), sources)
        places[id(value)] = picture.add(record(value), () if call is None else (places[id(call)],))
    return picture


def _plain(operand: Any) -> str:
    return repr(operand) if isinstance(operand, (Unknown, int, float)) else type(operand).__name__


@dataclass(slots=True, eq=False)
class _Unit:
    """One or several calls drawn as one box."""

    calls: list[Call]
    leaves: dict[int, Value]
    sources: list[_Unit]
    shape: tuple[int, ...]
    cut: bool = False  # some of its sources are not drawn


def _units(values: Sequence[Value]) -> list[_Unit]:
    """A unit for each call, operands before results."""
    units: dict[int, _Unit] = {}
    for value in values:
        if value.call is not None and id(value.call) not in units:
            operands = list(value.call.values())
            units[id(value.call)] = _Unit(
                [value.call],
                {id(each): each for each in operands if each.call is None},
                list({id(each.call): units[id(each.call)] for each in operands if each.call is not None}.values()),
                value.shape,
            )
    return list(units.values())


def _folded(units: Sequence[_Unit]) -> list[_Unit]:
    """Runs of units without a branch, each as one unit."""
    consumers: dict[int, int] = {}
    for unit in units:
        for source in unit.sources:
            consumers[id(source)] = consumers.get(id(source), 0) + 1
    run_of: dict[int, _Unit] = {}
    runs: list[_Unit] = []
    for unit in units:
        before = unit.sources[0] if len(unit.sources) == 1 else None
        if before is not None and consumers[id(before)] == 1:
            run = run_of[id(before)]
            run.calls += unit.calls
            run.leaves |= unit.leaves
            run.shape = unit.shape
        else:
            run = _Unit(list(unit.calls), dict(unit.leaves), [run_of[id(each)] for each in unit.sources], unit.shape)
            runs.append(run)
        run_of[id(unit)] = run
    return runs


def _ended(units: Sequence[_Unit], most: int) -> list[_Unit]:
    """The `most` units nearest to the result."""
    near: dict[int, _Unit] = {}
    queue = deque([units[-1]])
    while queue and len(near) < max(most, 1):
        unit = queue.popleft()
        if id(unit) not in near:
            near[id(unit)] = unit
            queue.extend(unit.sources)
    for unit in near.values():
        drawn = [each for each in unit.sources if id(each) in near]
        unit.cut, unit.sources = len(drawn) < len(unit.sources), drawn
    return [each for each in units if id(each) in near]


def _compact(units: Sequence[_Unit], root: Value, *, show_leaves: bool, count: int = 0) -> Picture:
    """count: of how many calls the graph consists, where some are left out."""
    picture = Picture()
    places: dict[int, int] = {}
    hidden = count - sum(len(unit.calls) for unit in units)
    rest = picture.add(Box("more", [f"… {hidden:,} more ops"])) if hidden > 0 else -1
    for unit in units:
        sources = [places[id(each)] for each in unit.sources]
        if show_leaves:
            for leaf in unit.leaves.values():
                if id(leaf) not in places:
                    places[id(leaf)] = picture.add(record(leaf))
                sources.append(places[id(leaf)])
        if unit.cut:
            sources.append(rest)
        places[id(unit)] = picture.add(Box("op", [_unit_title(unit, not show_leaves)]), sources)
    picture.add(record(root), (places[id(units[-1])],))
    return picture


def _unit_title(unit: _Unit, name_leaves: bool) -> str:
    names = [title(call) for call in unit.calls]
    text = ", ".join(names) if len(names) <= _SHOWN_NAMES else f"{names[0]} … {names[-1]} ({len(names):,} ops)"
    leaves = [leaf.label for leaf in unit.leaves.values()]
    if name_leaves and leaves:
        short = len(leaves) <= _SHOWN_NAMES and all(leaves)
        text += f" [{', '.join(leaves)}]" if short else f" [{len(leaves):,} tensors]"
    return f"{text} → {unit.shape}"


# -- a module -------------------------------------------------------------------------------------------


def of_module(module: Module, max_nodes: int) -> Picture:
    """The modules with their parameters, grouped as they are nested.

    Within a `Sequential` arrows follow the order of execution; any other module points at those that it holds, for
    what it does with them is known only when it runs.
    """
    picture = Picture()
    _place(picture, module, "", (), [], _depth_that_fits(module, max_nodes))
    return picture


def _depth_that_fits(module: Module, max_nodes: int) -> int:
    """How deep the nesting can be shown."""
    depths = [name.count(".") + 1 if name else 0 for name, _ in module.named_modules()]
    fitting = [depth for depth in range(max(depths) + 1) if sum(each <= depth for each in depths) <= max_nodes]
    return fitting[-1] if fitting else 0


def _place(
    picture: Picture, module: Module, name: str, group: tuple[str, ...], sources: list[int], depth: int
) -> list[int]:
    """Draw a module after `sources`; the boxes that come out of it."""
    children = list(module.named_children())
    kind = type(module).__name__
    full = f"{name}: {kind}" if name else kind
    if not children or depth == 0:
        cells = _folded_cells(module, full) if children else _module_cells(module, full)
        return [picture.add(Box("module", cells, group), sources)]
    inside = (*group, full)
    chain = isinstance(module, Sequential)
    ends = sources if chain else [picture.add(Box("module", _module_cells(module, full), inside), sources)]
    for child_name, child in children:
        below = f"{name}.{child_name}" if name else child_name
        after = _place(picture, child, below, inside, ends, depth - 1)
        if chain:
            ends = after
    return ends


def _folded_cells(module: Module, full: str) -> list[str]:
    inside = sum(1 for _ in module.modules()) - 1
    return [full, f"{inside:,} modules, {sum(each.numel() for each in module.parameters()):,} parameters"]


def _module_cells(module: Module, full: str) -> list[str]:
    cells = [full, module.extra_repr()] if module.extra_repr() else [full]
    for name, parameter in module.named_parameters(recurse=False):
        grad = None if parameter.grad is None else parameter.grad._data
        row = record(Value(parameter.shape, data=parameter._data, grad=grad, requires_grad=parameter.requires_grad))
        cells.append(f"{name}: {', '.join(row.cells)}")
    return cells
