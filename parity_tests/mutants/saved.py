"""Faults in what a graph saves, and in how it finds out that this was written to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch_like import _set_data
from minitorch_like._tensor import Tensor
from minitorch_like.autograd import engine, modified
from minitorch_like.ops import TABLE, Op
from parity_tests.mutants.fault import Applied, Attribute, Rule, fault

Right = Callable[..., Any]
KIND = "wrong saved value"

# -- what is saved


@fault(KIND, Rule("relu", "input"))
def relu_saves_its_operand(g: Any, input: Any) -> Any:
    """relu saves its operand instead of its result."""
    return TABLE["where"](input > 0, g, 0.0)


@fault(KIND, Applied("mm"))
def matrix_product_saves_without_versions(op: Op, right: Right, *args: Any) -> Any:
    """A matrix product does not remember the versions of what it has saved."""
    result = right(*args)
    if isinstance(result, Tensor) and result._node is not None:
        result._node.versions = ()
    return result


# -- how a write is noticed


@fault("stale saved value", Attribute(Tensor, "__setitem__"))
def assignments_by_index_are_not_counted(right: Right, self: Any, index: Any, value: Any) -> None:
    """x[i] = y does not advance the version counter."""
    version = self._version
    right(self, index, value)
    self._version_counter[0] = version


@fault("stale saved value", Attribute(engine, "saved_tensors"))
def recorded_passes_count_versions_of_their_own(right: Right, node: Any) -> Any:
    """What is recorded of a backward pass does not notice writes to what the forward pass has saved."""
    found = right(node)
    for each in found:
        if isinstance(each, Tensor):
            each._version_counter = [0]
    return found


@fault("stale saved value", Attribute(_set_data, "replace_saved"))
def graphs_keep_the_data_that_was_exchanged(right: Right, tensor: Any, old: Any) -> None:
    """After x.data = y backward uses what was in x before."""


# -- what is said of it


@fault("wrong words", Attribute(modified, "view_saved"))
def views_that_were_saved_are_not_named(right: Right, node: Any, slot: Any) -> None:
    """The error tells of the operand instead of the view that is saved of it."""
