"""The recorded graph: one node per op, holding arrays and edges to the nodes of its inputs.

A node never refers to its output Tensor and a leaf's `AccumulateGrad` refers to the leaf weakly, so a graph has no
reference cycle: it dies with the last Tensor that can reach it.
"""

from __future__ import annotations

import itertools
import re
import sys
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
    operands: ClassVar[tuple[int, ...]] = ()  # where in `saved` operands are
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
        name = self.name()
        return name if "::" in name else re.sub(r"Backward0?(\d*)$", r"\1", name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {id(self):#x}>"

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The nodes of the inputs that could have a gradient, each with the number of the output that is used."""
        self.take_apart()
        edges = self.edges()
        return tuple([edges[index] for index in self.differentiable()])

    def edges(self) -> list[tuple[Node | None, int]]:
        """For each input the node behind it, as it was recorded, and the number of the output that is used."""
        numbers = self.numbers or (0,) * len(self.inputs)
        return [
            (None if each.__class__ is Nowhere else each, number)
            for each, number in zip(self.inputs, numbers, strict=True)
        ]

    def differentiable(self) -> Sequence[int]:
        """Which of the inputs could have a gradient: an index, for one, has none.  torch counts these alone."""
        op = getattr(type(self), "op", None)
        if op is None or op.variadic:
            return range(len(self.inputs))
        found = [index for index in range(len(self.inputs)) if op.rules[index] is not None]
        return found[_BESIDE_NUMBERS.get(type(self).__name__, _ALL)]

    def take_apart(self) -> None:
        """Where torch has several nodes for what is recorded as one, have them before anybody looks: `x[0, 1]`."""
        op = getattr(type(self), "op", None)
        if getattr(op, "name", "") in ("at", "flatten", "reshape"):
            from .parts import take_apart

            take_apart(self)

    def register_hook(self, fn: Callable[..., Any]) -> Any:
        """Call `fn(grad_inputs, grad_outputs)` after this node's backward; it may return new `grad_inputs`."""
        self.take_apart()
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
        rules = op.rule_calls if self.rules is None else self.rules
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
        for counter, version, _ in self.versions:
            if counter[0] != version:
                from .modified import refusal, saves_nothing

                if saves_nothing(self):
                    return
                raise RuntimeError(refusal(self))

    def title_since_write(self) -> str:
        """The title of the history that a view has since the memory it looks at was written to."""
        from .._history import remakes_itself

        return self.title() if remakes_itself(self) else "AsStrided"

    def is_of_view(self) -> bool:
        """Whether what it made looks at the memory of something else."""
        return getattr(type(self), "op", None) is not None and self.op.view

    def release(self) -> None:
        """Drop the saved arrays; a second backward through this node is then an error."""
        if self.versions or self.keeps or (self.operands and self._saves_a_number()):
            self.saved = None
            self.versions = ()

    def _saves_a_number(self) -> bool:
        """Whether an operand that is saved was given as a number, of which torch makes a tensor like any other."""
        saved = self.saved
        if saved is None or all(edge is None or edge.__class__ is Nowhere for edge in self.inputs):
            return False
        return any(saved[slot] is not None for slot in self.operands)


# Nodes of ops some of whose operands are numbers that torch makes no tensors of, or have no derivative: where the others are.
_ALL, _FIRST, _FIRST_TWO, _SECOND = slice(None), slice(1), slice(2), slice(1, 2)
_BESIDE_NUMBERS = {
    "ClampBackward1": _FIRST, "CopysignBackward1": _FIRST, "FillBackward0": _FIRST, "FillBackward2": _FIRST,
    "FmodBackward0": _FIRST, "IndexFillBackward0": _FIRST, "LerpBackward0": _FIRST_TWO, "MaskedFillBackward0": _FIRST,
    "NativeBatchNormBackward0": slice(3),
    "PowBackward0": _FIRST, "PowBackward2": _SECOND, "RemainderBackward0": _FIRST, "RsubBackward1": _FIRST,
    "XlogyBackward1": _SECOND, "XlogyBackward2": _FIRST,
}  # fmt: skip


class AccumulateGrad(Node):
    """The end of the graph: adds what arrives to the leaf's `grad`.

    Attributes:
        leaf: the Tensor.  In torch the graph keeps it alive; here that would be a reference cycle.
        remains: what another Tensor can take a forgotten leaf's place with, where somebody would notice that it is gone.
        retained: whether it kept its gradient when it was no leaf, which torch goes on saying.
        post_hooks: what is called with the leaf when its gradient was updated.
    """

    __slots__ = ("leaf", "post_hooks", "remains", "retained")
    leaf: weakref.ref[Tensor]
    retained: bool
    remains: Any
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
        self.hooks = self.post_hooks = self.remains = None
        self.retained = False

    def remember(self, leaf: Tensor) -> None:
        """Keep what makes the leaf, so that it can be forgotten."""
        self.remains = (type(leaf), leaf._data, leaf._grad, leaf._version_counter, leaf.__dict__)

    def revived(self) -> Tensor | None:
        """The leaf; where it was forgotten, a Tensor in its place, or None if nobody would notice."""
        leaf = self.leaf()
        if leaf is None and self.remains is not None:
            kind, *remains, attributes = self.remains
            leaf = object.__new__(kind)
            leaf._data, leaf._grad, leaf._version_counter = remains
            leaf._node, leaf._number, leaf._view, leaf.__dict__ = self, 0, None, attributes
            self.leaf = weakref.ref(leaf)
        return leaf

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    @property
    def variable(self) -> Tensor | None:
        """The leaf, while it lives or is remembered."""
        return self.revived()


# References to the node of a leaf that no graph has: the leaf's, a variable's, and that of `getrefcount`.
_NO_GRAPH = 3


def note_shape(leaf: Tensor) -> None:
    """After a leaf was given another shape: as in torch, its node keeps the shape that a graph knows it by."""
    end = leaf._node
    if isinstance(end, AccumulateGrad):
        if sys.getrefcount(end) <= _NO_GRAPH:
            end.shape, end.dtype = leaf._data.shape, leaf._data.dtype
        else:
            end.remember(leaf)  # which a gradient may not fit any more


def renew_end(leaf: Tensor) -> None:
    """After a leaf was laid elsewhere in memory: what is recorded from now on goes by the shape that it has there."""
    old = leaf._node
    if isinstance(old, AccumulateGrad):
        new = AccumulateGrad(leaf)
        new.hooks, new.post_hooks, new.retained = old.hooks, old.post_hooks, old.retained
        leaf._node = new


class NotImplementedNode(Node):
    """The history that `set_` gives: RuntimeError for whoever wants to differentiate it."""

    __slots__ = ()

    def __init__(self, inputs: tuple[Node | None, ...], numbers: tuple[int, ...], array: Any) -> None:
        self.inputs, self.numbers = inputs, numbers
        self.saved = self.versions = ()
        self.shape, self.dtype = array.shape, array.dtype
        self.sequence = next_sequence()
        self.hooks = None

    def name(self) -> str:
        return "torch::autograd::NotImplemented"

    def apply(self, g: Any, saved: Any, needed: Any, run: Callable[..., Any]) -> list[Any]:
        raise RuntimeError("derivative for set_ is not implemented")


class Nowhere(Node):
    """The end of an edge that leads nowhere: what is computed from a view that was made without recording, of a base that
    requires grad, requires grad as well, and yet nothing of it comes back."""

    __slots__ = ()

    def __init__(self, array: Any) -> None:
        self.inputs = ()
        self.numbers = None
        self.saved = self.versions = ()
        self.shape, self.dtype = array.shape, array.dtype
        self.sequence = -1
        self.hooks = None

    def apply(self, g: Any, saved: Any, needed: Any, run: Callable[..., Any]) -> list[Any]:
        return []


# The nodes of leaves.
ENDS = (AccumulateGrad, Nowhere)


def move_retained(old: Node | None, number: int, new: Node) -> None:
    """The tensor that was output `number` of `old` is now output 0 of `new`, and keeps its gradient as before."""
    if old is not None and old.hooks is not None and number in old.hooks.retained:
        new.own_hooks().retained[0] = old.hooks.retained.pop(number)


# In-place forms that torch has no derivative for, though it has one for the function.
_UNDERIVED_IN_PLACE = ("AcoshBackward1", "AsinhBackward1", "AtanhBackward1")


def _underived(name: str) -> Callable[..., Any]:
    def refuse(g: Any, saved: Any) -> Any:
        raise NotImplementedError(f"the derivative for 'inplace version of {name}' is not implemented.")

    return refuse


def type_of_node(op: Op, name: str) -> type[Node]:
    """The Node subclass of an op under torch's name, made when first needed."""
    node_type = op.node_types.get(name)
    if node_type is None:
        from ..ops._table import INPUT

        several = not op.outputs or len(op.outputs) > 1
        rules = None if several or op.joint is not None else op.rule_calls
        if name in _UNDERIVED_IN_PLACE:
            rules = [_underived(op.name)]
        namespace: dict[str, Any] = {
            "__slots__": (),
            "op": op,
            "several": several,
            "rules": rules,
            "keeps": bool(op.keeps),
            "operands": tuple(slot for slot, (kind, _) in enumerate(op.saves) if kind == INPUT),
            "__module__": __name__,
        }
        title = name.rpartition("::")[2]
        if "::" in name or name == "CopyBackwards":  # written in C++ by hand in torch, and named after its namespace
            namespace["name"] = lambda self: f"torch::autograd::{title}"
        node_type = op.node_types[name] = type(title, (Node,), namespace)
    return node_type


def in_place(node_type: type[Node]) -> type[Node]:
    """The class for the node of a tensor that is no view, and was turned round in place by an op that gives views."""
    name = f"in place {node_type.__name__}"
    found = node_type.op.node_types.get(name)
    if found is None:
        namespace = {"__slots__": (), "is_of_view": lambda self: False, "__module__": __name__}
        found = node_type.op.node_types[name] = type(node_type.__name__, (node_type,), namespace)
    return found


def for_result(node_type: type[Node], result: Any, written: bool = False) -> type[Node]:
    """The class for the node of this result: one that conjugates, where it is complex.

    Raises RuntimeError for an op of whose complex results torch has no derivative, unless they are `written` in place.
    """
    if result.dtype.kind != "c":
        return node_type
    from ..ops._complex_operands import check_derivable

    if not written:
        check_derivable(node_type.op)
    if not node_type.op.holomorphic or node_type.__name__ in _UNDERIVED_IN_PLACE:
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
    is what the rules compute.  Source: "Autograd for complex numbers" in torch's notes.  A rule that is given no complex
    number but g multiplies it by real ones, and needs none of this.
    """
    from ..ops._checks import is_complex
    from ..ops.complex import conj

    if not any(map(is_complex, saved)):
        return Node.apply(self, g, saved, needed, run)
    g = [each if each is None else run(conj, each) for each in g] if isinstance(g, list) else run(conj, g)
    return [each if each is None else run(conj, each) for each in Node.apply(self, g, saved, needed, run)]
