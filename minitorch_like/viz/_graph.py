"""The recorded graph as plain data: the values in it, the calls that made them, and what is still known of both.

A graph keeps what backward needs and nothing else, so a picture shows what is really there: the tensors that are
still alive (found by asking the garbage collector), what nodes have saved, and whatever `watch` has kept.  Nothing is
computed again, and what is not known is shown as unknown.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import _record
from .._tensor import Tensor
from ..autograd.graph import AccumulateGrad, Node
from ..autograd.slices import AsStridedBackward0, CopySlices
from ..nn import Module
from ..ops._table import INPUT, OUTPUT, STATIC, TABLE, Array, Op

Key = tuple[Node, int]
Names = Module | Mapping[str, Tensor] | None


class Unknown:
    """An operand that the graph has not kept: a constant that no derivative asks for."""

    def __repr__(self) -> str:
        return "?"


UNKNOWN = Unknown()
# Ops of the table that are reached under another name.
_PUBLIC_NAMES = {"max_all": "max", "max_along": "max", "min_all": "min", "min_along": "min", "cast_to": "to"}
_WITHOUT_BIAS = ("MmBackward0", "SqueezeBackward4", "UnsafeViewBackward0")


@dataclass(slots=True, eq=False)
class Value:
    """A tensor in the graph.  `data` and `grad` are None where nobody has kept them.

    part: which result of its call it is, as in `max(x, dim=1).values` or `unbind(x)[0]`; '' for the only one.
    """

    shape: tuple[int, ...]
    label: str = ""
    data: Array | None = None
    grad: Array | None = None
    requires_grad: bool = True
    call: Call | None = None
    part: str = ""


@dataclass(slots=True, eq=False)
class Call:
    """An op that was applied: to values, Python numbers, None for what was left out, or `UNKNOWN`."""

    name: str
    operands: list[Any] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)

    def values(self) -> Iterator[Value]:
        return (each for each in self.operands if isinstance(each, Value))


# -- keeping more than backward needs -------------------------------------------------------------------


@dataclass(slots=True)
class _Kept:
    constants: dict[int, Any]
    options: dict[str, Any]
    values: list[Array]
    grads: list[Array | None]


@contextmanager
def watch() -> Iterator[None]:
    """Within, every recorded op keeps its constant operands, its value and, at backward, its gradient for pictures.

    It costs the memory of a copy of every result, until the graph is gone.  Code outside runs at full speed.
    """
    applied, written = {op: op.apply for op in TABLE.values()}, _record.make_node

    def noting_write(op: Op, args: Any, edges: Any, result: Any, *rest: Any, **options: Any) -> Node:
        node = written(op, args, edges, result, *rest, **options)
        _note(node, op, args, list(result) if node.several else [result])
        return node

    for op, apply in applied.items():
        op.apply = _noting(op, apply)
    _record.make_node = noting_write
    try:
        yield
    finally:
        for op, apply in applied.items():
            op.apply = apply
        _record.make_node = written


def _noting(op: Op, apply: Callable[..., Any]) -> Callable[..., Any]:
    def noting(*args: Any) -> Any:
        result = apply(*args)
        outputs = result if isinstance(result, tuple) else (result,)
        node = next((each._node for each in outputs if getattr(each._node, "op", None) is op), None)
        if node is not None and "viz" not in getattr(node, "metadata", {}):
            _note(node, op, args, [each._data for each in outputs])
        return result

    return noting


def _note(node: Node, op: Op, args: Any, results: list[Array]) -> None:
    """Keep in the metadata of `node` what the call that it records was given and gave."""
    constants = {}
    for index, each in enumerate(args[0] if op.variadic else args[: op.arity]):
        if index >= len(node.inputs) or node.inputs[index] is None:
            # The array, not the Tensor: one that is written to in place has this very node as its history.
            operand = getattr(each, "_data", each)
            constants[index] = UNKNOWN if any(operand is result for result in results) else operand
    given = dict(zip(op.parameters[op.arity :], args[op.arity :], strict=False))
    options = {name: each for name, each in given.items() if _is_option(op, name, each)}
    kept = _Kept(constants, options, list(map(np.array, results)), [None] * len(results))

    def note_gradients(gradients: tuple[Tensor | None, ...]) -> None:
        kept.grads = [None if each is None else np.array(each._data) for each in gradients]

    node.metadata = {**getattr(node, "metadata", {}), "viz": kept}
    node.register_prehook(note_gradients)


def _kept(node: Node) -> _Kept | None:
    found: _Kept | None = getattr(node, "metadata", {}).get("viz")
    return found


# -- reading --------------------------------------------------------------------------------------------


def read(root: Tensor, names: Names = None) -> list[Value]:
    """Every value behind `root`, operands before results; `root`'s own is the last.

    Labels are `names` (a module's parameters, or a mapping), else the attribute `label` of a tensor that is alive.
    """
    given = names.named_parameters() if isinstance(names, Module) else (names or {}).items()
    labels = {id(tensor): name for name, tensor in given}
    start = root.grad_node()
    if start is None:
        return [_constant(root._data, {id(root._data): root}, labels)]
    nodes = _nodes(start, root._number)
    alive, constants = _alive(nodes)
    alive[start, root._number] = root
    saved = _saved_values(nodes)
    values: dict[Any, Value] = {}

    def value(operand: Any) -> Any:
        """The Value of an operand; numbers and the like are their own."""
        key = id(operand) if isinstance(operand, np.ndarray) else operand
        if isinstance(operand, np.ndarray):
            made = values.get(key) or _constant(operand, constants, labels)
        elif isinstance(operand, tuple):
            made = values.get(key) or _value(operand, alive.get(operand), labels, saved)
        else:
            return operand
        return values.setdefault(key, made)

    for node, used in nodes.items():
        if isinstance(node, AccumulateGrad):
            continue
        call = Call(_name(node), [value(operand) for operand in _operands(node)], _options(node))
        for number in sorted(used):
            result = value((node, number))
            result.call, result.part = call, _part(node, number)
    value((start, root._number))
    return list(values.values())


def _nodes(start: Node, number: int) -> dict[Node, set[int]]:
    """The nodes behind output `number` of `start`, oldest first, and which of their outputs are used."""
    found: dict[Node, set[int]] = {start: {number}}
    stack = [start]
    while stack:
        node = stack.pop()
        for edge, output in node.edges():
            if edge is not None:
                if edge not in found:
                    found[edge] = set()
                    stack.append(edge)
                found[edge].add(output)
    return dict(sorted(found.items(), key=lambda item: item[0].sequence))


def _alive(nodes: Mapping[Node, Any]) -> tuple[dict[Key, Tensor], dict[int, Tensor]]:
    """The tensors that somebody still holds: by their place in the graph, and those outside it by their memory."""
    inside: dict[Key, Tensor] = {}
    outside: dict[int, Tensor] = {}
    for each in gc.get_objects():
        if issubclass(type(each), Tensor):
            node = getattr(each, "_node", None)
            if node is None:
                if "label" in each.__dict__ or id(each._data) not in outside:
                    outside[id(each._data)] = each
            elif node in nodes:
                inside[node, each._number] = each
    return inside, outside


def _saved_values(nodes: Mapping[Node, Any]) -> dict[Key, Array]:
    """The values that nodes have saved for their own rules, as far as nobody has written to them since."""
    found: dict[Key, Array] = {}
    for node in nodes:
        if node.saved is None or not hasattr(type(node), "op"):
            continue
        stale = {slot for counter, version, slot in node.versions if counter[0] != version}
        for slot, ((kind, index), array) in enumerate(zip(node.op.saves, node.saved, strict=True)):
            if not isinstance(array, np.ndarray) or slot in stale:
                continue
            if kind == OUTPUT:
                found[node, index] = array
            elif kind == INPUT and index < len(node.inputs):
                edge, number = node.edges()[index]
                if edge is not None:
                    found[edge, number] = array
    return found


def _value(key: Key, tensor: Tensor | None, labels: Mapping[int, str], saved: Mapping[Key, Array]) -> Value:
    node, number = key
    if tensor is None and isinstance(node, AccumulateGrad):
        tensor = node.leaf()
    kept = _kept(node)
    made = Value(node.output_meta(number)[0])
    if kept is not None:
        made.data, made.grad = kept.values[number], kept.grads[number]
    elif key in saved:
        made.data = saved[key]
    if tensor is not None:
        made.data = tensor._data
        made.label = labels.get(id(tensor), str(getattr(tensor, "label", "")))
        # Asking a result for a gradient that it has not is a mistake, of which torch warns.
        grad = None if tensor._grad is None else tensor.grad
        if grad is not None:
            made.grad = grad._data
    return made


def _constant(array: Array, alive: Mapping[int, Tensor], labels: Mapping[int, str]) -> Value:
    tensor = alive.get(id(array))
    label = "" if tensor is None else labels.get(id(tensor), str(getattr(tensor, "label", "")))
    return Value(array.shape, label, array, requires_grad=False)


def _op(node: Node) -> Op | None:
    if isinstance(node, CopySlices):
        node = node.inner
    return getattr(type(node), "op", None)


def _name(node: Node) -> str:
    """The name by which a user calls the op."""
    if isinstance(node, AsStridedBackward0):
        return "as_strided"
    op = _op(node)
    name = node.title() if op is None else _PUBLIC_NAMES.get(op.name, op.name)
    return f"{name}_" if isinstance(node, CopySlices) else name


def _part(node: Node, number: int) -> str:
    op = _op(node)
    if not node.several or op is None:
        return ""
    return f".{op.outputs[number]}" if op.outputs else f"[{number}]"


def _operands(node: Node) -> list[Any]:
    """For each operand the key of its value, or an array, a Tensor, a number, None or UNKNOWN."""
    op, kept = _op(node), _kept(node)
    edges: list[Any] = [None if edge is None else (edge, number) for edge, number in node.edges()]
    if op is None or isinstance(node, CopySlices):
        return [UNKNOWN if edge is None else edge for edge in edges]
    count = len(edges) if op.variadic else op.arity
    edges += [None] * (count - len(edges))
    for index, edge in enumerate(edges):
        if edge is None:
            if kept is not None:
                edges[index] = kept.constants.get(index)
            elif op.variadic:
                edges[index] = UNKNOWN
            else:
                edges[index] = _saved_operand(node, op, index)
    return edges


def _saved_operand(node: Node, op: Op, index: int) -> Any:
    place = (INPUT, index)
    if op.name == "linear" and index == 2 and node.name() in _WITHOUT_BIAS:
        return None
    if node.saved is None or place not in op.saves:
        return UNKNOWN
    slot = op.saves.index(place)
    return node.saved[slot] if slot in _filled(node, op) else UNKNOWN


def _filled(node: Node, op: Op) -> list[int]:
    """The slots of `saved` that the rules of this node read; the others are empty."""
    return op.save_plan((True,) if op.variadic else tuple(edge is not None for edge in node.inputs))


def _options(node: Node) -> dict[str, Any]:
    """The arguments that are no operands and not the default; a nameless unknown one for those that are lost."""
    op, kept = _op(node), _kept(node)
    if op is None or isinstance(node, CopySlices):
        return {}
    if kept is not None:
        return kept.options
    static = [(slot, op.parameters[op.saves[slot][1]]) for slot in _filled(node, op) if op.saves[slot][0] == STATIC]
    if node.saved is None:
        return {"": UNKNOWN} if static else {}
    return {name: node.saved[slot] for slot, name in static if _is_option(op, name, node.saved[slot])}


def _is_option(op: Op, name: str, given: Any) -> bool:
    """Whether an argument is worth showing."""
    place = op.positions[name] - (len(op.parameters) - len(op.defaults))
    is_default = place >= 0 and type(given) is type(op.defaults[place]) and given == op.defaults[place]
    return not is_default and not isinstance(given, np.ndarray)
