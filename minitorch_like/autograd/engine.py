"""Backward: walking the graph from the roots, newest node first.

The order is torch's: of the nodes whose gradient is complete, the one recorded last goes first, leaves before all
others.  Everything is iterative, so that the depth of a graph is limited by memory alone.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _tensor
from .._capture import mode
from .._dtype import DIFFERENTIABLE_KINDS, FROM_NUMPY
from .._layout import resolved
from ..ops._checks import broadcast_shapes, is_dense, sizes
from ..ops.reductions import sum_
from ..ops.shape import cast_to, contiguous_copy, reshape
from .graph import AccumulateGrad, Node

if TYPE_CHECKING:
    from .._tensor import Tensor

Target = tuple[Node, int]

_FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been "
    "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
    "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors "
    "after calling backward."
)


def sum_to_shape(g: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: the sum of `g` over the dimensions in which `shape` was stretched."""
    missing = len(g.shape) - len(shape)
    stretched = tuple(range(missing)) + tuple(
        index + missing for index, size in enumerate(shape) if size == 1 != g.shape[index + missing]
    )
    if stretched:
        g = sum_(g, stretched, True)
    return reshape(g, shape) if missing else g


def _expands_to(got: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether what has the shape `wanted` can be expanded to the shape `got`."""
    trailing = got[len(got) - len(wanted) :]
    return len(got) >= len(wanted) and all(size in (1, each) for size, each in zip(wanted, trailing, strict=True))


def check_root(node: Node, number: int, got: tuple[int, ...], index: int) -> None:
    """RuntimeError for a gradient to start from that does not fit what the graph knows of the output."""
    wanted = node.output_meta(number)[0]
    if got != wanted and not _expands_to(got, wanted):
        raise RuntimeError(
            f"invalid gradient at index {index} - got {sizes(got)} but expected shape compatible with {sizes(wanted)}"
        )


def check_expandable(node: Node, index: int, got: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """RuntimeError unless a gradient for input `index`, as its node's backward gave it, can be summed to the input's shape."""
    if got != wanted and not _expands_to(got, wanted):
        raise RuntimeError(
            f"Function {node.name()} returned an invalid gradient at index {list(node.differentiable()).index(index)} - got "
            f"{sizes(got)} but expected shape compatible with {sizes(wanted)}"
        )


def check_freed(node: Node) -> None:
    """RuntimeError for a node whose saved values are gone, unless torch would have saved none."""
    from .modified import saves_nothing

    if not saves_nothing(node):
        raise RuntimeError(_FREED)


def _explore(roots: Sequence[Node]) -> tuple[list[Node], dict[Any, int]]:
    """The reachable nodes, newest first, and for each reachable leaf how many edges lead to it."""
    seen = set(roots)
    stack = [node for node in seen if node.__class__ is not AccumulateGrad]
    order: list[Node] = []
    leaf_edges: dict[Any, int] = {}
    while stack:
        node = stack.pop()
        order.append(node)
        for edge in node.inputs:
            if edge is None:
                continue
            if edge.__class__ is AccumulateGrad:
                leaf_edges[edge] = leaf_edges.get(edge, 0) + 1
            elif edge not in seen:
                seen.add(edge)
                stack.append(edge)
    order.sort(key=_sequence, reverse=True)
    return order, leaf_edges


_sequence = operator.attrgetter("sequence")


class _Pass:
    """One backward pass."""

    __slots__ = (
        "captured",
        "create_graph",
        "keep_graph",
        "leaf_edges",
        "needed",
        "order",
        "pending",
        "recorder",
        "summed",
    )

    def __init__(
        self,
        roots: Sequence[Node],
        targets: Sequence[Target] | None,
        keep_graph: bool,
        create_graph: bool,
        accumulates: bool,
    ):
        self.keep_graph = keep_graph
        self.create_graph = create_graph
        self.recorder = None if create_graph else mode.recorder  # a recorded pass is captured op by op
        self.captured: dict[Target, Any] | None = None if targets is None or accumulates else dict.fromkeys(targets)
        self.pending: dict[Node, Any] = {}
        self.summed: set[Node] = set()  # nodes whose pending gradient is an array of ours, free to be added to
        self.order, self.leaf_edges = _explore(roots)
        self.needed = None if targets is None else self._nodes_towards({node for node, _ in targets})

    def _nodes_towards(self, targets: set[Node]) -> set[Node]:
        """The nodes through which a target can be reached, targets included."""
        needed = set(targets)
        for node in reversed(self.order):
            if any(edge in needed for edge in node.inputs if edge is not None):
                needed.add(node)
        return needed

    def execute(self) -> None:  # noqa: C901 -- written out on purpose
        """Visit the nodes; a leaf's turn comes as soon as its last edge has delivered.

        What all nodes share is written out, since here calls cost more than they hide; what few of them have, such as
        hooks or several outputs, is the matter of `visit`.
        """
        pending, leaf_edges, needed, keep_graph = self.pending, self.leaf_edges, self.needed, self.keep_graph
        plain = self.recorder is None and needed is None and not self.create_graph
        finish = self.finish
        g: Any
        gradients: list[Any] | None
        for node in self.order:
            g = pending.pop(node, None)
            if g is None:
                gradients = None
            elif needed is not None and node not in needed:  # a root that leads to no target
                if node.hooks is not None:
                    self.tensor_hooks(node, g)
                gradients = None
            elif plain and node.rules is not None and node.hooks is None:
                saved = node.saved
                if saved is None:
                    check_freed(node)
                    continue
                for counter, version, _ in node.versions:
                    if counter[0] != version:
                        node.check_versions()
                gradients = []
                try:
                    for rule, edge in zip(node.rules, node.inputs, strict=False):
                        gradients.append(None if edge is None else rule(g, saved))
                except ValueError as error:
                    raise misfit(error) from None
                if not keep_graph:
                    node.release()
                saved = None
            else:
                gradients = self.visit(node, g)
            g = None  # no reference of ours shall keep a leaf from taking its gradient over
            numbers = node.numbers
            for index, edge in enumerate(node.inputs):
                if edge is None:
                    continue
                if gradients is not None and gradients[index] is not None:
                    g, gradients[index] = gradients[index], None
                    if edge.several:
                        number = numbers[index] if numbers else 0
                        check_expandable(node, index, g.shape, edge.shape[number])
                        self.add(edge, number, g)
                    else:
                        if g.__class__ is not np.ndarray or g.shape != edge.shape or g.dtype is not edge.dtype:
                            check_expandable(node, index, g.shape, edge.shape)
                            g = self.fit(g, edge.shape, edge.dtype)
                        if edge in pending:
                            self.add(edge, 0, g)
                        else:
                            pending[edge] = g
                    g = None
                if edge.__class__ is AccumulateGrad:
                    left = leaf_edges[edge] - 1
                    if left:
                        leaf_edges[edge] = left
                    elif edge in pending:
                        finish(edge)

    def visit(self, node: Node, g: Any) -> list[Any] | None:
        """The gradients of a node's inputs; None where nothing is to be handed on."""
        hooks = node.hooks
        if hooks is not None:
            g = self.tensor_hooks(node, g)
        needed = self.needed
        if self.captured is not None:
            self.capture(node, g)
            if not any(edge in needed for edge in node.inputs if edge is not None):  # type: ignore[operator]
                return None
        if hooks is not None and hooks.before:
            g = self.before(node, g)
        saved = node.saved
        if saved is None:
            check_freed(node)
            return None
        node.check_versions()
        given = g
        if node.several:
            if not node.op.knows_gaps:
                g = [self.zeros(node, number) if each is None else each for number, each in enumerate(g)]
            if node.op.outputs and node.op.joint is None:  # of several named outputs the first is differentiable
                g = g[0]
        if self.create_graph:
            saved = saved_tensors(node)
        try:
            gradients = node.apply(g, saved, needed, self.run)
        except ValueError as error:
            raise misfit(error) from None
        if self.create_graph and node.versions:
            from .modified import hand_on_versions

            hand_on_versions(node, gradients)
        if needed is not None:
            gradients = [g if edge in needed else None for g, edge in zip(gradients, node.inputs, strict=False)]
        if hooks is not None and hooks.after:
            from .heard import after

            gradients = after(self, node, gradients, given, saved)
        if not self.keep_graph:
            node.release()
        return gradients

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function of gradients; a capture sees what it does."""
        return function(*args) if self.recorder is None else self.recorder.call(function, *args)

    def fit(self, g: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
        """What a rule gave, in the shape and dtype of the value that it is the gradient of."""
        if g.shape != shape:
            g = self.run(sum_to_shape, g, shape)
        if self.create_graph:
            return g if g._data.dtype is dtype else cast_to(g, FROM_NUMPY[dtype])
        if type(g) is not np.ndarray:
            g = np.asarray(g)
        return g if g.dtype is dtype else self.run(cast_to, g, dtype)

    def fitted(self, node: Node, index: int, g: Any) -> Any:
        """What a node's backward gave for an input, in that input's shape and dtype, as far as these are known."""
        edge = node.inputs[index]
        if g is None or edge is None:
            return g
        shape, dtype = edge.output_meta(node.numbers[index] if node.numbers else 0)
        check_expandable(node, index, tuple(g.shape), shape)
        return self.fit(g, shape, dtype)

    def add(self, node: Node, number: int, g: Any) -> None:
        """Add `g` to what output `number` of `node` has received."""
        pending = self.pending
        g = self.fit(g, *node.output_meta(number))
        if node.several:
            gradients = pending.setdefault(node, [None] * len(node.shape))
            if gradients[number] is not None:
                g = self.run(_plus, gradients[number], g)
            gradients[number] = g if self.create_graph else np.asarray(g)
        elif node not in pending:
            pending[node] = g
        elif self.create_graph or node not in self.summed:
            total = self.run(_plus, pending[node], g)
            pending[node] = total if self.create_graph else np.asarray(total)
            self.summed.add(node)
        else:
            self.run(_add_into, pending[node], g)

    def finish(self, leaf: Any) -> None:
        """The gradient of a leaf is complete."""
        if leaf.hooks is not None:
            self.pending[leaf] = self.before(leaf, self.tensor_hooks(leaf, self.pending[leaf]))
        if self.captured is None:
            accumulate(leaf, self.pending, self.create_graph, self.run)
        else:
            self.capture(leaf, self.pending.pop(leaf))

    def zeros(self, node: Node, number: int) -> Any:
        shape, dtype = node.output_meta(number)
        return self.tensor(np.zeros(shape, dtype)) if self.create_graph else np.zeros(shape, dtype)

    def capture(self, node: Node, g: Any) -> None:
        assert self.captured is not None
        for number, each in enumerate(g if node.several else (g,)):
            if (node, number) in self.captured:
                self.captured[node, number] = each

    # -- hooks ----------------------------------------------------------------------------------------------

    def tensor(self, g: Any) -> Tensor:
        return g if self.create_graph and not isinstance(g, np.ndarray) else _tensor.wrap(g)

    def value(self, tensor: Tensor) -> Any:
        return tensor if self.create_graph else resolved(tensor._data)

    def before(self, node: Node, g: Any) -> Any:
        """Hooks on the node before it is run."""
        assert node.hooks is not None
        gradients = g if node.several else [g]
        for hook in list(node.hooks.before.values()):
            result = hook(tuple(None if each is None else self.tensor(each) for each in gradients))
            if result is not None:
                gradients = [None if each is None else self.value(each) for each in result]
        return gradients if node.several else gradients[0]

    def tensor_hooks(self, node: Node, g: Any) -> Any:
        """The gradients of the output Tensors after the hooks on these; retained ones are stored."""
        assert node.hooks is not None
        gradients = list(g) if node.several else [g]
        for number, hooks in node.hooks.tensors.items():
            for hook in list(hooks.values()):
                g = gradients[number]
                result = hook(None if g is None else self.tensor(g))
                if result is not None:
                    check_hook_result(hook, result, g)
                    gradients[number] = self.value(result)
        for number, reference in node.hooks.retained.items():
            tensor = reference()
            if tensor is not None and gradients[number] is not None:
                previous = tensor._grad
                kept = self.tensor(self.run(contiguous_copy, gradients[number]))
                tensor._grad = kept if previous is None else previous + kept
        return gradients if node.several else gradients[0]


def misfit(error: ValueError) -> Exception:
    """The error for a rule's: in torch's words where it is of shapes, as of an operand that was given other data since."""
    from .modified import in_words_of_torch

    return in_words_of_torch(error)


def check_hook_result(hook: Any, result: Any, g: Any) -> None:
    """What a hook returns in a gradient's place must be a tensor of its shape."""
    if g is None:
        raise RuntimeError("can't replace a None gradient with a non-None value")
    if not hasattr(result, "_node"):
        raise TypeError(f"expected Variable, but hook returned '{type(result).__name__}'")
    if tuple(result.shape) != tuple(g.shape):
        raise RuntimeError(f"hook '{getattr(hook, '__name__', '<unknown>')}' has changed the size of value")


def _plus(a: Any, b: Any) -> Any:
    return a + b


def _add_into(total: Any, g: Any) -> None:
    if g.shape != total.shape:
        refuse_shape(total, g)
    np.add(total, g, total)


def refuse_shape(total: Any, g: Any) -> None:
    """torch's error for a gradient of a leaf that was given another shape after it was used, if that does not fit."""
    shape = broadcast_shapes(total.shape, g.shape)
    if shape != total.shape:
        raise RuntimeError(f"output with shape {sizes(total.shape)} doesn't match the broadcast shape {sizes(shape)}")


def _references(pending: dict[Any, Any]) -> int:
    """What `getrefcount` says, in a frame like that of `accumulate`, of an array that nobody else holds."""
    g = pending.pop(None)
    return sys.getrefcount(g)


_SOLE_OWNER = _references({None: np.empty(0)})


def accumulate(node: AccumulateGrad, pending: dict[Any, Any], create_graph: bool, run: Callable[..., Any]) -> None:
    """Add the pending gradient to the leaf's: in place, or as a new Tensor when the pass is recorded."""
    g = pending.pop(node)
    leaf = node.leaf()
    if leaf is None:
        leaf = node.revived()
    if leaf is None:
        return
    recorder = mode.recorder
    if recorder is not None:
        recorder.note_gradient(leaf)
    previous = leaf._grad
    if leaf._node is not node and not _takes_gradients(leaf):
        pass
    elif create_graph:
        leaf._grad = _recorded_copy(g, leaf._data) if previous is None else leaf.grad + g
    elif previous is None:
        sole_owner = sys.getrefcount(g) <= _SOLE_OWNER and g.strides == leaf._data.strides
        if sole_owner and recorder is not None:
            g = recorder.own_result(g)
        leaf._grad = _tensor.wrap(g if sole_owner and g.base is None else run(_laid_out_like, g, leaf._data))
        if leaf._grad._version_counter is None:
            node.remember(leaf)  # a gradient of inference mode, which another one cannot be added to
    else:
        gradient: Any = leaf.grad  # a Tensor, even where a compiled step has left its buffer
        run(_add_into, gradient._data, g)
        gradient._bump()
    if node.post_hooks is not None:
        for hook in list(node.post_hooks.values()):
            hook(leaf)
        if not create_graph:  # whose gradient might lead back here
            node.remember(leaf)


def _takes_gradients(leaf: Tensor) -> bool:
    """Whether what was a leaf still requires grad.  RuntimeError where it has a history by now."""
    node = leaf._node
    if node is not None and node.__class__ is not AccumulateGrad:
        raise RuntimeError("leaf variable has been moved into the graph interior")
    return node is not None


def _recorded_copy(g: Any, leaf: Any) -> Any:
    """What `_laid_out_like` gives, of a Tensor."""
    if not is_dense(leaf):
        return g.clone()
    copy = _tensor.wrap(np.empty_like(resolved(leaf)))
    return copy.copy_(g)


def _laid_out_like(g: Any, leaf: Any) -> Any:
    """A copy of `g` with the leaf's strides, as far as those are dense."""
    if g.shape != leaf.shape:
        if all(size == 1 or step == due for size, step, due in zip(g.shape, g.strides, leaf.strides, strict=False)):
            return g.copy()  # as it is: torch looks at its strides
        refuse_shape(leaf, g)
    result = np.empty_like(leaf) if is_dense(leaf) else np.empty_like(leaf, order="C")
    np.copyto(result, g)
    return result


def saved_tensors(node: Node) -> Sequence[Any]:
    """The saved arrays as Tensors with their history, so that the backward pass can be differentiated.

    They share the versions of what was saved: what is recorded of them finds out if that is written to later.
    """
    from .._tensor import with_history, wrap
    from ..ops._table import INPUT, KEPT, OUTPUT

    if not hasattr(type(node), "op"):
        inner = getattr(node, "inner", None)
        return [] if inner is None else saved_tensors(inner)
    result: list[Any] = []
    assert node.saved is not None
    counters = {slot: counter for counter, _, slot in node.versions if isinstance(slot, int)}
    for slot, ((kind, index), value) in enumerate(zip(node.op.saves, node.saved, strict=True)):
        if kind == KEPT:  # of which integers have no history to lose
            result.append(value if isinstance(value, np.ndarray) and value.dtype.kind == "i" else None)
        elif not isinstance(value, np.ndarray) or kind not in (INPUT, OUTPUT):
            result.append(value)
        elif kind == OUTPUT:
            value = value.view()  # another tensor than the result, by which `_set_data` and errors know it
            value.flags.writeable = False
            result.append(with_history(value, node, index) if value.dtype.kind in DIFFERENTIABLE_KINDS else wrap(value))
        elif index < len(node.inputs) and node.inputs[index] is not None:
            result.append(with_history(value, node.inputs[index], node.numbers[index] if node.numbers else 0))
        else:
            result.append(wrap(value))
        if slot in counters:
            result[-1]._version_counter = counters[slot]
    return result


def run_backward(
    roots: Sequence[tuple[Node, int, Any]],
    *,
    keep_graph: bool,
    create_graph: bool,
    targets: Sequence[Target] | None = None,
    accumulates: bool = False,
) -> dict[Target, Any] | None:
    """Propagate gradients from the roots.

    Args:
        roots: (node, output number, gradient); gradients are Tensors with `create_graph`, else arrays.
        targets: where to stop and collect, instead of accumulating into every leaf.
        accumulates: have the targets' nodes do what they do, instead of collecting their gradients.

    Returns:
        The gradient of each target (None where it was not reached); None without targets.
    """
    backward = _Pass([node for node, _, _ in roots], targets, keep_graph, create_graph, accumulates)
    if mode.recorder is not None:
        mode.recorder.note_roots((node for node, _, _ in roots), keep_graph)
    previous = mode.grad
    mode.grad = create_graph and not mode.inference
    try:
        for index, (node, number, g) in enumerate(roots):
            check_root(node, number, tuple(g.shape), index)
            backward.add(node, number, g)
        for node, _, _ in roots:
            is_last = node in backward.pending and node.__class__ is AccumulateGrad and node not in backward.leaf_edges
            if is_last and (backward.needed is None or node in backward.needed):
                backward.finish(node)
            elif is_last and node.hooks is not None:  # they are called all the same
                backward.tensor_hooks(node, backward.pending.pop(node))
        backward.execute()
    finally:
        mode.grad = previous
    return backward.captured
