"""Faults in the engine: the order of the backward pass, accumulation, versions, views, the grad mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch_like import _apply, _writing, autograd
from minitorch_like._capture import mode
from minitorch_like._tensor import Tensor, wrap
from minitorch_like.autograd import engine, grad_mode, graph
from minitorch_like.ops import Op
from minitorch_like.ops.reductions import sum_
from minitorch_like.ops.shape import narrow, reshape
from parity_tests.mutants.fault import Applied, Attribute, fault

Right = Callable[..., Any]

# -- the walk


@fault("dropped accumulation", Attribute(engine._Pass, "add"))
def last_gradient_wins(right: Right, self: Any, node: Any, number: int, g: Any) -> None:
    """A value that is used twice gets the gradient of one use only."""
    if not node.several:
        self.pending.pop(node, None)
    right(self, node, number, g)


@fault("wrong order", Attribute(engine, "_explore"))
def nearest_nodes_run_first(right: Right, roots: Any) -> Any:
    """Nodes run in order of their distance from the root: one that is reached by a longer way too runs too early."""
    sorted_nodes, leaf_edges = right(roots)
    order = list(dict.fromkeys(roots))
    for node in order:
        order += [edge for edge in node.inputs if edge in sorted_nodes and edge not in order]
    return [node for node in order if node in sorted_nodes], leaf_edges


@fault("dropped accumulation", Attribute(engine, "accumulate"))
def grad_is_overwritten(right: Right, node: Any, pending: Any, create_graph: bool, run: Any) -> None:
    """backward replaces a leaf's .grad instead of adding to it."""
    leaf = node.leaf()
    if leaf is not None:
        leaf._grad = None
    right(node, pending, create_graph, run)


@fault("wrong un-broadcast", Attribute(engine, "sum_to_shape"))
def unbroadcast_takes_the_first(right: Right, g: Any, shape: Any) -> Any:
    """The gradient of a broadcast operand is the first of those that it was stretched to, not their sum."""
    missing = len(g.shape) - len(shape)
    for axis, size in enumerate((1,) * missing + tuple(shape)):
        if size == 1 and g.shape[axis] > 1:
            g = narrow(g, axis, 0, 1)
    return reshape(g, tuple(shape))


@fault("wrong un-broadcast", Attribute(engine, "sum_to_shape"))
def unbroadcast_sums_leading_axes_only(right: Right, g: Any, shape: Any) -> Any:
    """Un-broadcasting sums over the axes that were added, and averages over those that were stretched."""
    g = sum_(g, tuple(range(len(g.shape) - len(shape)))) if len(g.shape) > len(shape) else g
    return right(g, shape) * (np.prod(shape) / max(np.prod(g.shape), 1)).item()


@fault("wrong dtype", Attribute(engine, "cast_to"))
def gradient_keeps_the_wider_dtype(right: Right, g: Any, dtype: Any, memory_format: Any = None) -> Any:
    """The float64 gradient of a float32 tensor is not brought back to float32."""
    return g


@fault("second order", Attribute(engine, "saved_tensors"))
def saved_values_forget_their_history(right: Right, node: Any) -> Any:
    """With create_graph=True the saved values are constants: the second derivative misses its terms."""
    return [wrap(each._data) if isinstance(each, Tensor) else each for each in right(node)]


@fault("unused input", Attribute(autograd, "run_backward"))
def unused_input_has_gradient_zero(right: Right, roots: Any, *, create_graph: bool, **options: Any) -> Any:
    """autograd.grad gives zeros instead of None for an input that was not used."""
    found = right(roots, create_graph=create_graph, **options)
    for (node, number), g in (found or {}).items():
        if g is None:
            zeros = np.zeros(*node.output_meta(number))
            found[node, number] = wrap(zeros) if create_graph else zeros
    return found


@fault("no error", Attribute(graph.Node, "release"))
def graph_is_never_freed(right: Right, self: Any) -> None:
    """A second backward through a freed graph is no error."""


# -- what is recorded


@fault("missing requires_grad", Applied("clamp"))
def clamp_is_not_recorded(op: Op, right: Right, *args: Any) -> Any:
    """The result of clamp does not require grad."""
    with autograd.no_grad():
        return right(*args)


@fault("missing requires_grad", Applied())
def second_operand_is_not_recorded(op: Op, right: Right, *args: Any) -> Any:
    """An op of two tensors records nothing if only the second requires grad."""
    if op.arity != 2 or op.variadic or getattr(args[0], "requires_grad", False):
        return right(*args)
    with autograd.no_grad():
        return right(*args)


@fault("grad mode", Attribute(grad_mode._GradMode, "__enter__"))
def no_grad_records(right: Right, self: Any) -> None:
    """no_grad switches nothing off."""
    right(self)
    mode.grad = mode.grad or isinstance(self, grad_mode.no_grad)


# -- versions and views


@fault("stale saved value", Attribute(graph.Node, "check_versions"))
def versions_go_unchecked(right: Right, self: Any) -> None:
    """A saved value that was overwritten since is used as it stands, without an error."""


@fault("stale saved value", Attribute(Tensor, "_bump"))
def writing_is_not_counted(right: Right, self: Any) -> None:
    """A write in place does not advance the version counter."""


@fault("stale saved value", Attribute(_writing, "with_original"))
def overwritten_operand_is_saved(right: Right, op: Any, args: Any, *rest: Any) -> Any:
    """An in-place op saves the operand that it is about to overwrite, instead of its old value."""
    return args


@fault("views", Attribute(_writing, "rebase"))
def base_does_not_learn_of_its_view(right: Right, target: Any, node: Any, op: Any) -> None:
    """Writing through a view changes the history of the view, not that of its base."""
    if target._view is None:
        right(target, node, op)
    else:
        target._node, target._number = node, 0
        target._view.version = target._version_counter[0]


@fault("views", Attribute(Tensor, "_refresh"))
def view_does_not_learn_of_its_base(right: Right, self: Any, view: Any) -> None:
    """After a write to its base a view keeps its old history."""
    view.version = self._version_counter[0]


@fault("views", Attribute(_apply, "as_view"))
def views_count_their_own_versions(right: Right, tensor: Any, of: Any, creation: Any = None) -> Any:
    """A view has a version counter of its own."""
    right(tensor, of, creation)
    tensor._version_counter = list(tensor._version_counter)
    return tensor
