"""Exercise: the network as one readable formula.  It is valid Python: what is printed can be computed with."""

from __future__ import annotations

from collections import Counter

from .compiled import Compiled
from .nodes import Add, Input, Leaf, Multiply, Node, ReLU, Sigmoid, walk
from .output import Output, SoftMax

_FUNCTIONS = {ReLU: "relu", Sigmoid: "sigmoid", SoftMax: "softmax", Output: ""}


def funcify(model: Node, name: str = "f", digits: int = 4) -> str:
    """`f(x, y) = ...`, with as many digits after the point.

    A node with several parents is written once, on a line of its own before the formula, and then called by its name.
    """
    model = model.children[0] if isinstance(model, Compiled) else model
    nodes = list(walk(model))
    parents = Counter(child for node in nodes for child in set(node.children))
    names: dict[Node, str] = {}
    lines = []
    for node in nodes:
        if parents[node] > 1 and not isinstance(node, Leaf):
            text = _formula(node, names, digits)
            names[node] = f"h{len(names) + 1}"
            lines.append(f"{names[node]} = {text}")
    arguments = dict.fromkeys(node.name for node in nodes if isinstance(node, Input))
    return "\n".join([*lines, f"{name}({', '.join(arguments)}) = {_formula(model, names, digits)}"])


def _formula(node: Node, names: dict[Node, str], digits: int) -> str:
    if node in names:
        return names[node]
    if isinstance(node, Input):
        return node.name
    if isinstance(node, Leaf):
        return f"{node.value:.{digits}f}"
    parts = [_formula(child, names, digits) for child in node.children]
    if isinstance(node, Add):
        return _sum(parts)
    if isinstance(node, Multiply):
        return " * ".join(
            f"({part})" if (place and part[0] == "-") or (isinstance(child, Add) and child not in names) else part
            for place, (part, child) in enumerate(zip(parts, node.children, strict=True))
        )
    return f"{_FUNCTIONS[type(node)]}({', '.join(parts)})"


def _sum(parts: list[str]) -> str:
    """Terms joined by their signs: `a - 2.0000` rather than `a + -2.0000`."""
    text = parts[0]
    for part in parts[1:]:
        text += f" - {part[1:]}" if part[0] == "-" else f" + {part}"
    return text
