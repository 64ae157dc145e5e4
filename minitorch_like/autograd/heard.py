"""Hooks that run after a node, and what they hear where torch has other nodes than ours, or other gradients.

Loaded when such a hook is called.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from ..ops.shape import reshape
from .graph import Node, Nowhere

if TYPE_CHECKING:
    from .engine import _Pass


def after(self: _Pass, node: Node, gradients: list[Any], g: Any, saved: Any) -> list[Any]:
    """Call the hooks with the gradients of the node's inputs, as these will receive them, and of its outputs.

    Returns the gradients of the inputs, which the hooks may have changed.
    """
    assert node.hooks is not None
    outputs = tuple([None if each is None else self.tensor(each) for each in (g if node.several else (g,))])
    matrix = matrix_shape(node)
    places: Sequence[int] = (0,)
    if matrix is None:
        heard = [self.fitted(node, index, each) for index, each in zip_longest(range(len(node.inputs)), gradients)]
        heard, places = self.run(of_all, node, heard, g, saved), order_of(node)
    else:
        heard = [reshape(g, matrix)]
    for hook in list(node.hooks.after.values()):
        given = tuple([None if heard[at] is None else self.tensor(heard[at]) for at in places])
        result = hook(given, outputs)
        if result is not None:
            for at, each in zip(places, result if isinstance(result, tuple) else (result,), strict=True):
                heard[at] = None if each is None else self.value(each)
    return heard if matrix is None else node.apply(reshape(heard[0], node.shape), saved, self.needed, self.run)


def order_of(node: Node) -> Sequence[int]:
    """The inputs of a node, by number, in the order of torch's node, which has no others."""
    op = getattr(type(node), "op", None)
    if op is None or op.name != "linear":
        return node.differentiable()
    return (2, 0, 1) if type(node).__name__ == "AddmmBackward0" else (0, 1)


def matrix_shape(node: Node) -> tuple[int, ...] | None:
    """Of a linear map's result that is in torch a view of a matrix, or vector: the shape of that.  None for all others."""
    op = getattr(type(node), "op", None)
    if op is None or op.name != "linear" or type(node).__name__ not in _VIEWS:
        return None
    *batch, last = node.shape
    return (math.prod(batch), last)


# The names of the nodes of such views.
_VIEWS = ("SqueezeBackward4", "UnsafeViewBackward0", "ViewBackward0")


def of_all(node: Node, gradients: list[Any], g: Any, saved: Any) -> list[Any]:
    """Without those that lead nowhere, and of a sequence those of all tensors: torch computes them even if none is required."""
    gradients = [None if edge.__class__ is Nowhere else g for edge, g in zip(node.inputs, gradients, strict=True)]
    if not (getattr(type(node), "op", None) and node.op.variadic and node.op.joint_call) or all(
        g is not None for g in gradients
    ):
        return gradients
    computed = node.op.joint_call(g, saved, (True,) * len(node.inputs))
    return [new if old is None else old for old, new in zip(gradients, computed, strict=True)]
