"""The recorded graph: one node per op, holding arrays and edges to the nodes of its inputs.

A node never refers to its output Tensor and a leaf's `AccumulateGrad` refers to the leaf weakly, so a graph has no
reference cycle: it dies with the last Tensor that can reach it.
"""

from __future__ import annotations

import itertools
import re
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    from .._tensor import Tensor
    from ..ops import Op

next_sequence = itertools.count().__next__
Hooks = OrderedDict[int, Callable[..., Any]]


class NodeHooks:
    """What is to happen around a node's backward; most nodes have none.

    Attributes:
        tensors: hooks on the output Tensors, by output number.
        retained: output Tensors that keep their gradient, by output number.
        before, after: hooks on the node itself.
    """

    __slots__ = ("after", "before", "retained", "tensors")

    def __init__(self) -> None:
        self.tensors: dict[int, Hooks] = {}
        self.retained: dict[int, weakref.ref[Tensor]] = {}
        self.before: Hooks = OrderedDict()
        self.after: Hooks = OrderedDict()


def add_hook(hooks: Hooks, fn: Callable[..., Any]) -> Any:
    """Add `fn` and return the handle that removes it."""
    from ..utils.hooks import RemovableHandle

    handle = RemovableHandle(hooks)
    hooks[handle.id] = fn
    return handle


class Node:
    """A recorded op.

    Attributes:
        inputs: the node behind each differentiable input, None where no gradient is needed.
        numbers: for each input, which output of its node it is; None where all are the first.
        saved: what the rules asked for, in the order of `op.saves`; None once freed.
        versions: for each saved array that can change, (its version counter, the version saved, source).
        shape, dtype: of the output; for an op with several outputs, a list of both each.
        sequence: the order of creation; backward runs from high to low.
    """

    __slots__ = (
        "__weakref__",
        "dtype",
        "hooks",
        "inputs",
        "metadata",
        "numbers",
        "saved",
        "sequence",
        "shape",
        "versions",
    )
    op: ClassVar[Op]
    several: ClassVar[bool] = False
    rules: ClassVar[list[Any] | None] = None  # one for each input, where a node's backward is no more than these
    keeps: ClassVar[bool] = False  # whether some of what is saved has no version, and yet is to be freed

    inputs: tuple[Node | None, ...]
    numbers: tuple[int, ...] | None
    saved: Sequence[Any] | None
    versions: Any
    shape: Any
    dtype: Any
    sequence: float
    hooks: NodeHooks | None
    metadata: dict[Any, Any]

    def name(self) -> str:
        """torch's name of the node: AddBackward0, ..."""
        return type(self).__name__

    def title(self) -> str:
        """The name that torch's messages use: Add for AddBackward0, Fill3 for FillBackward3."""
        return re.sub(r"Backward0?(\d*)$", r"\1", type(self).__name__)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {id(self):#x}>"

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The nodes of the inputs, each with the number of the output that is used."""
        numbers = self.numbers or (0,) * len(self.inputs)
        return tuple(zip(self.inputs, numbers, strict=True))

    def register_hook(self, fn: Callable[..., Any]) -> Any:
        """Call `fn(grad_inputs, grad_outputs)` after this node's backward; it may return new `grad_inputs`."""
        return add_hook(self.own_hooks().after, fn)

    def register_prehook(self, fn: Callable[..., Any]) -> Any:
        """Call `fn(grad_outputs)` before this node's backward; it may return new `grad_outputs`."""
        return add_hook(self.own_hooks().before, fn)

    def own_hooks(self) -> NodeHooks:
        """The node's hooks, made when first needed."""
        if self.hooks is None:
            self.hooks = NodeHooks()
        return self.hooks

    def output_meta(self, number: int) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """The shape and dtype that a gradient for output `number` must have."""
        if self.several:
            return self.shape[number], self.dtype[number]
        return self.shape, self.dtype

    def apply(self, g: Any, saved: Any, needed: Any, run: Callable[..., Any]) -> list[Any]:
        """The gradients of the inputs, from that of the output; None where not `needed`.

        `saved` holds arrays, or Tensors when the backward pass is itself recorded; `run` calls a rule.
        """
        op = self.op
        rules = op.rule_calls
        if op.joint_call is not None:
            needs = tuple([edge is not None and (needed is None or edge in needed) for edge in self.inputs])
            return list(run(op.joint_call, g, saved, needs))
        return [
            run(rule, g, saved)
            if edge is not None and rule is not None and (needed is None or edge in needed)
            else None
            for rule, edge in zip(rules, self.inputs, strict=False)
        ]

    def check_versions(self) -> None:
        """RuntimeError where a saved array has been written to since."""
        for counter, version, source in self.versions:
            if counter[0] != version:
                raise RuntimeError(self._modified(counter, version, source))

    def _modified(self, counter: list[Any], expected: int, slot: int) -> str:
        from ..ops._checks import sizes, tensor_type
        from ..ops._table import INPUT

        assert self.saved is not None
        kind, index = self.op.saves[slot]
        kind_name = "CPUBoolType" if self.saved[slot].dtype.kind == "b" else tensor_type(self.saved[slot])
        what = f"[{kind_name} {sizes(self.saved[slot].shape)}]"
        source: Node | None = self
        number = index
        if kind == INPUT:
            source, number = self.inputs[index], self.numbers[index] if self.numbers else 0
        if len(counter) > 1 and kind == INPUT:  # the last recorded write left its name
            what += f", which is output 0 of {counter[1]},"
        elif source is not None and not isinstance(source, AccumulateGrad):
            what += f", which is output {number} of {source.title()},"
        return (
            "one of the variables needed for gradient computation has been modified by an inplace operation: "
            f"{what} is at version {counter[0]}; expected version {expected} instead. Hint: enable anomaly detection to "
            "find the operation that failed to compute its gradient, with "
            "torch.autograd.set_detect_anomaly(True, check_nan=False)."
        )

    def release(self) -> None:
        """Drop the saved arrays; a second backward through this node is then an error."""
        if self.versions or self.keeps:
            self.saved = None
            self.versions = ()


class AccumulateGrad(Node):
    """The end of the graph: adds what arrives to the leaf's `grad`."""

    __slots__ = ("leaf", "post_hooks")
    leaf: weakref.ref[Tensor]
    post_hooks: Hooks | None

    def __init__(self, leaf: Tensor) -> None:
        self.leaf = weakref.ref(leaf)
        self.inputs = ()
        self.numbers = None
        self.saved = []
        self.versions = []
        self.shape = leaf._data.shape
        self.dtype = leaf._data.dtype
        self.sequence = float("inf")
        self.hooks = self.post_hooks = None

    @property
    def variable(self) -> Tensor | None:
        """The leaf, while it lives."""
        return self.leaf()


class AsStridedBackward0(Node):
    """The history of a view whose base was written to: the elements of the base at the view's places."""

    __slots__ = ("layout",)
    layout: tuple[Any, Any]

    def apply(self, g: Any, saved: Any, needed: Any, run: Callable[..., Any]) -> list[Any]:
        from ..ops.indexing import add_at, positions_in
        from ..ops.shape import reshape

        base, part = self.layout
        places = (positions_in(base, part),)

        def back(g: Any) -> Any:
            return reshape(add_at(g, (base.size,), places), base.shape)

        return [run(back, g)]


class CopySlices(Node):
    """The history of a base that was written through a view: `inner` is what happened to the view."""

    __slots__ = ("inner", "layout")
    inner: Node
    layout: tuple[Any, Any]

    def name(self) -> str:
        return "torch::autograd::CopySlices"

    def check_versions(self) -> None:
        self.inner.check_versions()

    def apply(self, g: Any, saved: Any, needed: Any, run: Callable[..., Any]) -> list[Any]:
        from ..ops.elementwise import zeros_of
        from ..ops.indexing import index_put, positions_in, take_at
        from ..ops.shape import reshape

        base, part = self.layout
        places = (positions_in(base, part),)
        part_g = run(lambda g: take_at(reshape(g, (base.size,)), places), g)
        inner_grads = self.inner.apply(part_g, saved, None, run)

        def rest(g: Any, part_g: Any) -> Any:
            through = part_g if part_g is not None else zeros_of(take_at(reshape(g, (base.size,)), places))
            return reshape(index_put(reshape(g, (base.size,)), through, places), base.shape)

        through = inner_grads[0] if inner_grads else None
        return [run(rest, g, through), *inner_grads[1:]]

    def release(self) -> None:
        self.inner.release()
        self.saved = self.inner.saved


def type_of_node(op: Op, name: str) -> type[Node]:
    """The Node subclass of an op under torch's name, made when first needed."""
    node_type = op.node_types.get(name)
    if node_type is None:
        several = not op.outputs or len(op.outputs) > 1
        rules = None if several or op.joint is not None else op.rule_calls
        namespace: dict[str, Any] = {
            "__slots__": (),
            "op": op,
            "several": several,
            "rules": rules,
            "keeps": bool(op.keeps),
            "__module__": __name__,
        }
        if name == "CopyBackwards":  # written in C++ by hand in torch, and named after its namespace
            namespace["name"] = lambda self: f"torch::autograd::{name}"
        node_type = op.node_types[name] = type(name, (Node,), namespace)
    return node_type


def for_result(node_type: type[Node], result: Any) -> type[Node]:
    """The class for the node of this result: one that conjugates, where it is complex."""
    if result.dtype.kind != "c" or not node_type.op.holomorphic:
        return node_type
    name = f"conjugated {node_type.__name__}"
    found = node_type.op.node_types.get(name)
    if found is None:
        namespace = {"__slots__": (), "rules": None, "apply": _conjugated, "__module__": __name__}
        found = node_type.op.node_types[name] = type(node_type.__name__, (node_type,), namespace)
    return found


def _conjugated(self: Node, g: Any, saved: Any, needed: Any, run: Callable[..., Any]) -> list[Any]:
    """The gradients at a complex result of a holomorphic function f.

    torch's gradient points where the real loss rises: it is g conj(f'(z)), and so the conjugate of conj(g) f'(z), which
    is what the rules compute.  Source: "Autograd for complex numbers" in torch's notes.
    """
    from ..ops.complex import conj

    g = [each if each is None else run(conj, each) for each in g] if isinstance(g, list) else run(conj, g)
    return [each if each is None else run(conj, each) for each in Node.apply(self, g, saved, needed, run)]
