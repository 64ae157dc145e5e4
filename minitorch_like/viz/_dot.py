"""DOT text, and the object that `draw_dot` returns."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from .._tensor import Tensor
from ..nn import Module
from . import _picture
from ._graph import Names, read
from ._layout import svg
from ._picture import Box, Picture

_STYLES = {
    "value": "shape=record",
    "op": "shape=box, style=rounded",
    "module": "shape=record",
    "more": "shape=plaintext",
}


class Dot:
    """A picture as DOT text.

    Attributes:
        source: the text; `graphviz.Source(dot.source)` and every DOT viewer take it.
        format: of `render` and `pipe` where none is given.
    """

    def __init__(self, picture: Picture, format: str = "svg", rankdir: str = "LR") -> None:
        self.format = format
        self.source = _source(picture, rankdir)
        self._picture, self._rankdir = picture, rankdir

    def pipe(self, format: str | None = None) -> bytes:
        """The picture as an image, by Graphviz's program `dot`; SVG is laid out without it where it is missing.

        Raises:
            RuntimeError: for another format without Graphviz, and for what `dot` refuses.
        """
        format = format or self.format
        program = shutil.which("dot")
        if program is None:
            if format == "svg":
                return svg(self._picture, self._rankdir).encode()
            raise RuntimeError(
                f"draw_dot: {format} needs Graphviz's program `dot`, which is not on the PATH "
                "(https://graphviz.org/download); 'svg' and `.source` do without it"
            )
        done = subprocess.run([program, f"-T{format}"], input=self.source.encode(), capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"draw_dot: dot failed: {done.stderr.decode().strip()}")
        return done.stdout

    def render(self, path: str | Path) -> Path:
        """Write the picture to a file, in the format that its suffix names ('.dot' and '.gv' are the text)."""
        path = Path(path)
        format = path.suffix[1:] or self.format
        path.write_bytes(self.source.encode() if format in ("dot", "gv") else self.pipe(format))
        return path

    def _repr_svg_(self) -> str:
        return self.pipe("svg").decode()

    def __str__(self) -> str:
        return self.source


def draw_dot(
    root: Tensor | Module,
    *,
    format: str = "svg",
    rankdir: str = "LR",
    max_nodes: int = 200,
    names: Names = None,
) -> Dot:
    """The graph behind a tensor, or the structure of a module, as a picture; Jupyter shows it inline.

    A tensor is a box `label | data | grad`, an op a round one.  A label is what was assigned to the tensor's attribute
    `label`, or its name in `names`.  Values come from the tensors that are still alive and from what the graph keeps
    for backward; a dash stands where neither has one.  Everything is known of what is computed within `viz.watch()`.

    Args:
        root: a tensor of any shape, or a module.
        format: of the image: "svg", or "png", "pdf" and whatever else an installed Graphviz writes.
        rankdir: where the arrows lead: "LR", "TB", "RL" or "BT".
        max_nodes: a graph with more boxes is folded: intermediate values are dropped, then runs of ops become one
            box, then only the end of the graph is drawn.  A module is then shown to a lesser depth.
        names: a module whose parameters give their names, or a mapping from names to tensors.

    Raises:
        TypeError: for a root that is neither.
        ValueError: for an unknown `rankdir`.
    """
    if rankdir not in ("LR", "TB", "RL", "BT"):
        raise ValueError(f"draw_dot: rankdir must be LR, TB, RL or BT, not {rankdir!r}")
    if isinstance(root, Module):
        return Dot(_picture.of_module(root, max_nodes), format, rankdir)
    if isinstance(root, Tensor):
        return Dot(_picture.of_graph(read(root, names), max_nodes), format, rankdir)
    raise TypeError(f"draw_dot: expected a Tensor or a Module, not {type(root).__name__}")


# -- text -----------------------------------------------------------------------------------------------


def _source(picture: Picture, rankdir: str) -> str:
    lines = ["digraph {", f"  rankdir={rankdir}", '  node [fontname="monospace", fontsize=10]']
    lines += _grouped(list(enumerate(picture.boxes)), 0, rankdir)
    lines += [f"  n{start} -> n{end}" for start, end in picture.arrows]
    return "\n".join([*lines, "}"]) + "\n"


def _grouped(boxes: list[tuple[int, Box]], depth: int, rankdir: str) -> list[str]:
    """The boxes whose group is `depth` deep, and a cluster for each deeper one."""
    lines = []
    clusters: dict[str, list[tuple[int, Box]]] = {}
    for number, box in boxes:
        if len(box.group) > depth:
            clusters.setdefault(box.group[depth], []).append((number, box))
        else:
            lines.append(f'  n{number} [label="{_label(box, rankdir)}", {_STYLES[box.kind]}]')
    for name, members in clusters.items():
        lines.append(f"  subgraph cluster_{depth}_{members[0][0]} {{")
        lines.append(f'    label="{_quoted(name)}"; fontname="monospace"; fontsize=10; color=gray')
        lines += [f"  {line}" for line in _grouped(members, depth + 1, rankdir)]
        lines.append("  }")
    return lines


def _label(box: Box, rankdir: str) -> str:
    """A record's fields lie along the ranks; braces turn them."""
    if "record" not in _STYLES[box.kind]:
        return _quoted(box.cells[0])
    fields = " | ".join(_field(cell) for cell in box.cells)
    along = rankdir in ("LR", "RL")
    return f"{{ {fields} }}" if (box.kind == "value") == along else fields


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _field(text: str) -> str:
    for sign in "\\{}|<> ":
        text = text.replace(sign, f"\\{sign}")
    return text.replace('"', '\\"').replace("\n", "\\n")
