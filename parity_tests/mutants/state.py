"""Faults in what tensors share: memory, versions, bases, the history of what is written to in place, gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch_like import _apply, _history, _set_data, _tensor, _writing
from minitorch_like._capture import mode
from minitorch_like._tensor import Tensor, wrap
from minitorch_like.autograd import engine, graph, slices
from minitorch_like.utils.hooks import RemovableHandle
from parity_tests.mutants.fault import Attribute, Kernel, fault

Right = Callable[..., Any]

# -- memory


@fault("views", Kernel("select"))
def select_copies(right: Right, *args: Any) -> Any:
    """select gives a copy instead of a view."""
    return right(*args).copy()


@fault("views", Kernel("clone"))
def clone_is_an_alias(right: Right, input: Any, *rest: Any) -> Any:
    """clone gives the same memory instead of a copy."""
    return input


@fault("views", Kernel("transpose"))
def transpose_copies_rows(right: Right, *args: Any) -> Any:
    """transpose lays its result out anew, row by row."""
    return right(*args).copy(order="C")


@fault("shared gradients", Attribute(engine, "_laid_out_like"))
def grad_shares_the_given_gradient(right: Right, g: Any, leaf: Any) -> Any:
    """A leaf's .grad is the memory that backward was given, not a copy of it."""
    return g


@fault("no error", Attribute(_writing, "check_one_place_each"))
def expanded_tensors_are_written_to(right: Right, array: Any) -> None:
    """A write to memory that several elements share is no error."""


@fault("no error", Attribute(_writing, "check_no_partial_overlap"))
def overlapping_operands_are_read_while_written(right: Right, written: Any, read: Any) -> None:
    """Writing a matrix over its own transpose is no error."""


# -- bases and versions


@fault("views", Attribute(_apply, "as_view"))
def base_of_a_view_of_a_view_is_the_view(right: Right, tensor: Any, of: Any, creation: Any = None) -> Any:
    """A view of a view has the view as its base, not the tensor that both look at."""
    right(tensor, of, creation)
    if of._view is not None:
        tensor._view.base = of
    return tensor


@fault("views", Attribute(_apply, "as_view"))
def pieces_may_be_written_to(right: Right, tensor: Any, of: Any, creation: Any = None) -> Any:
    """A piece of what split has cut may be written to like any view."""
    return right(tensor, of, None)


@fault("grad mode", Attribute(_apply, "as_view"))
def views_forget_the_mode_they_were_made_in(right: Right, tensor: Any, of: Any, creation: Any = None) -> Any:
    """A view made under no_grad may be written to outside of it."""
    right(tensor, of, creation)
    if not mode.grad and tensor._view is not None:
        tensor._view.creation = None
    return tensor


@fault("stale saved value", Attribute(Tensor, "_bump"))
def writing_under_no_grad_is_not_counted(right: Right, self: Any) -> None:
    """A write under no_grad does not advance the version counter."""
    if mode.grad:
        right(self)


@fault("stale saved value", Attribute(Tensor, "detach"))
def detached_memory_counts_its_own_versions(right: Right, self: Any) -> Any:
    """What detach gives has a version counter of its own."""
    return wrap(right(self)._data)


# -- history


@fault("views", Attribute(slices.CopySlices, "apply"))
def rest_of_the_base_loses_its_gradient(right: Right, self: Any, *args: Any) -> Any:
    """What was not written to of a base gets no gradient."""
    return [None, *right(self, *args)[1:]]


@fault("no error", Attribute(_writing, "check_writable"))
def leaves_are_written_to(right: Right, tensor: Any, recording: Any) -> None:
    """A leaf that requires grad may be changed in place."""
    if tensor._view is not None:
        right(tensor, recording)


@fault("retained gradients", Attribute(_writing, "move_retained"))
def written_tensors_no_longer_retain(right: Right, old: Any, number: Any, new: Any) -> None:
    """A tensor that retains its gradient no longer does once it was changed in place."""


@fault("hooks", Attribute(RemovableHandle, "remove"))
def hooks_cannot_be_removed(right: Right, self: Any) -> None:
    """A hook that was removed is called all the same."""


@fault("hooks", Attribute(graph.AccumulateGrad, "revived"))
def hooks_on_forgotten_leaves_are_not_called(right: Right, self: Any) -> Any:
    """What is to be called after the gradient of a leaf was updated is not, once nobody holds the leaf."""
    return self.leaf()


@fault("hooks", Attribute(_history, "fall_asleep"), Attribute(_tensor, "fall_asleep"))
def hooks_of_frozen_leaves_are_lost(right: Right, tensor: Any) -> None:
    """A leaf that does not require grad for a while has lost its hooks when it does again."""


_tensor_hooks = engine._Pass.tensor_hooks


@fault("hooks", Attribute(engine._Pass, "tensor_hooks"), Attribute(engine._Pass, "before"))
def hooks_of_nodes_come_first(right: Right, self: Any, node: Any, g: Any) -> Any:
    """The hooks that run before a node run before those of the tensor that it made, which has no say in what they hear."""
    if right is _tensor_hooks:
        return g if node.hooks.before else right(self, node, g)
    return _tensor_hooks(self, node, right(self, node, g))


@fault("hooks", Attribute(engine._Pass, "fitted"))
def hooks_after_nodes_hear_what_rules_give(right: Right, self: Any, node: Any, index: int, g: Any) -> Any:
    """The hooks that run after a node are given gradients that broadcasting has not been undone in."""
    return g


@fault("shared gradients", Attribute(engine, "_recorded_copy"))
def recorded_gradients_are_not_copied(right: Right, g: Any, leaf: Any) -> Any:
    """With create_graph=True a leaf's .grad is the tensor that has reached it, not a copy."""
    return g


# -- what graphs have saved


@fault("stale saved value", Attribute(_set_data, "note_detached"))
def detached_operands_are_used(right: Right, tensor: Any) -> None:
    """backward through an operand that was detached in place since is no error."""


@fault("stale saved value", Attribute(_set_data, "replace_saved"))
def old_data_is_used(right: Right, tensor: Any, old: Any) -> None:
    """backward computes with the data that an operand had when it was saved, not with what it was given since."""


@fault("second order", Attribute(engine, "saved_tensors"))
def saved_results_forget_their_history(right: Right, node: Any) -> Any:
    """With create_graph=True a result that its own node has saved is a constant."""
    return [wrap(each._data) if isinstance(each, Tensor) and each._node is node else each for each in right(node)]


@fault("no error", Attribute(graph.NotImplementedNode, "apply"))
def what_set_gave_is_differentiated(right: Right, self: Any, *args: Any) -> Any:
    """backward through set_ gives nothing instead of an error."""
    return [None] * len(self.inputs)


@fault("grad mode", Attribute(Tensor, "detach_"))
def detach_in_place_leaves_history(right: Right, self: Any) -> Any:
    """detach_ gives the tensor back as it was."""
    if self._view is not None:
        right(self)
    return self
