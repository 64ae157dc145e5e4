"""Recording: from a call of an op to the node, and to the Tensors, that stand for it in the graph.

This is the general form, for ops of any shape.  Most calls take the form of `_apply`, written out for one op.
"""

from __future__ import annotations

import math
from typing import Any, NoReturn

import numpy as np

from ._dtype import DIFFERENTIABLE_KINDS
from ._layout import resolved
from ._tensor import Tensor, new_tensor, with_history, wrap
from .autograd.graph import Node, for_result, in_place, next_sequence, type_of_node
from .ops import TABLE, Op
from .ops._table import DTYPE, INPUT, KEPT, OUTPUT, SHAPE

ndarray = np.ndarray
new_node = object.__new__
Edges = tuple[Node | None, ...]


def make_node(
    op: Op,
    args: Any,
    edges: Edges,
    result: Any,
    name: Any = None,
    kept: tuple[Any, ...] = (),
    *,
    written: bool = False,
) -> Node:
    """The node of a call: its edges, and of its arguments and results what the rules will ask for.

    written: whether the result is written into the first operand.
    """
    name = name or op.node
    node_type = type_of_node(op, name if name.__class__ is str else name(*args))
    node: Node = new_node(
        for_result(node_type, result if not node_type.several else result[0] if result else args[0]._data, written)
    )
    node.inputs = edges
    node.numbers = None
    for arg in args[0] if op.variadic else args[: op.arity]:
        if arg.__class__ is Tensor and arg._number:
            node.numbers = _numbers(op, args)
            break
    node.sequence = next_sequence()
    node.hooks = None
    if node.several:
        node.shape = [each.shape for each in result]
        node.dtype = [each.dtype for each in result]
    else:
        node.shape = result.shape
        node.dtype = result.dtype
    saves = op.saves
    saved: list[Any] = [None] * len(saves)
    node.saved = saved
    node.versions = versions = []
    if saves:
        needs = (True,) if op.variadic else tuple([edge is not None for edge in edges])
        for slot in op.save_plans.get(needs) or op.save_plan(needs):
            kind, index = saves[slot]
            if kind == INPUT:
                value = args[index]
                if value.__class__ is Tensor or hasattr(value, "_node"):
                    array = value._data
                    saved[slot] = array if array.__class__ is ndarray else resolved(array)
                    versions.append((value._version_counter, version_of(value), slot))
                else:
                    saved[slot] = value
            elif kind == OUTPUT:
                numbers = op.if_tensors.get(slot)
                if not numbers or any(hasattr(args[each], "_node") for each in numbers):
                    saved[slot] = result[index] if node.several else result
            elif kind == KEPT:
                saved[slot] = kept[index]
            else:
                saved[slot] = _static(op, args, kind, index)
    return node


def version_of(tensor: Tensor) -> int:
    """How often the memory of `tensor` has been written to.  Raises RuntimeError for one of inference mode."""
    if tensor._version_counter is None:
        refuse_inference()
    version: int = tensor._version_counter[0]
    return version


def matrix_of(array: Any, node: Node | None) -> Tensor:
    """What a folded result with history `node` is a view of: all rows of `array`."""
    matrix = array.reshape(math.prod(array.shape[:-1]), array.shape[-1])
    if node is None:
        return wrap(matrix)
    folded = with_history(array, node, 0)
    origin = make_node(TABLE["view"], (folded, matrix.shape), (node,), matrix, name="AddmmBackward0")
    origin.__class__ = in_place(type(origin))
    return with_history(matrix, origin, 0)


def refuse_inference() -> NoReturn:
    """What is computed in inference mode has no version, and so cannot be saved."""
    raise RuntimeError(
        "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
        "computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use "
        "it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`."
    )


class AlsoSaved:
    """In `Node.versions`, in the place of the number of a slot: what torch's node saves and ours needs not, or has as an
    array without a history."""

    __slots__ = ("array", "number", "title")

    def __init__(self, tensor: Tensor, number: int | None) -> None:
        node = tensor._node
        self.array = tensor._data
        self.title: str | None = None
        self.number = tensor._number if number is None else number
        if node is None or tensor._has_no_history():
            return
        self.title = node.title()
        if tensor._view is not None:
            self.title, self.number = node.title_since_write(), 0  # as it is when there is something to tell

    def told(self) -> str:
        """What the error for a write says of it."""
        from .autograd.modified import described

        return described(self.array, self.array.shape, self.number, self.title)


def also_saved(result: Tensor, *tensors: Tensor | None, number: int | None = None) -> Tensor:
    """The result, of whose history a write to one of these tensors is now refused too.

    number: which output of its node the tensor is said to be, if not what it is.
    """
    node = result._node
    if node is not None:
        given = [each for each in tensors if each is not None]
        node.versions = [
            *[(each._version_counter, version_of(each), AlsoSaved(each, number)) for each in given],
            *node.versions,
        ]
    return result


def _static(op: Op, args: Any, kind: int, index: int) -> Any:
    if kind == SHAPE:
        if op.variadic:
            return [each._data.shape for each in args[0]]
        value = args[index]
        return value._data.shape if hasattr(value, "_node") else ()
    if kind == DTYPE:
        return args[index]._data.dtype
    if index < len(args):
        return args[index]
    return op.defaults[index - len(op.parameters)]


def _numbers(op: Op, args: Any) -> tuple[int, ...]:
    tensors = args[0] if op.variadic else args[: op.arity]
    return tuple(each._number if hasattr(each, "_node") else 0 for each in tensors)


def recorded(op: Op, args: Any, edges: Edges, result: Any) -> Any:
    """The result of a call as Tensors with history."""
    kept: tuple[Any, ...] = ()
    if op.keeps:
        kept, result = result[-len(op.keeps) :], op.visible(result)
    if type(result) is tuple:
        arrays = tuple([each if type(each) is ndarray else np.asarray(each) for each in result])
        node = make_node(op, args, edges, arrays, kept=kept)
        return tuple(_output(node, number, each) for number, each in enumerate(arrays))
    if type(result) is not ndarray:
        result = np.asarray(result)
    node = make_node(op, args, edges, result, kept=kept)
    tensor = new_tensor(Tensor)
    tensor._data = result
    tensor._node = node
    tensor._number = 0
    tensor._grad = None
    tensor._view = None
    tensor._version_counter = counter = [0]
    if op.saves_output:
        note_output_version(op, node, counter)
    return tensor


def note_output_version(op: Op, node: Node, counter: list[int]) -> None:
    for slot, (kind, _) in enumerate(op.saves):
        if kind == OUTPUT and node.saved[slot] is not None:  # type: ignore[index]
            node.versions.append((counter, counter[0], slot))


def _output(node: Node, number: int, array: Any) -> Tensor:
    tensor = wrap(array)
    if array.dtype.kind in DIFFERENTIABLE_KINDS:
        tensor._node = node
        tensor._number = number
    for slot, (kind, index) in enumerate(node.op.saves):
        if kind == OUTPUT and index == number and node.saved is not None and node.saved[slot] is not None:
            node.versions.append((tensor._version_counter, 0, slot))
    return tensor


def wrapped(op: Op, result: Any) -> Any:
    """The result of a call as Tensors without history."""
    if type(result) is tuple:
        if op.keeps:
            result = op.visible(result)
            return tuple(map(wrap, result)) if type(result) is tuple else wrap(result)
        return tuple(map(wrap, result))
    return wrap(result)
