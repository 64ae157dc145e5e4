"""What a result of a recorded backward pass depends on, as far as a user can see it."""

from __future__ import annotations

from typing import Any

from ._table import Array, op


def _none(g: Any) -> None:
    """The derivative by a tensor that is there for the history alone."""


@op(
    "(Tensor input, Tensor? beside, Tensor? beside_too, str node)",
    arity=3,
    node=lambda input, beside, beside_too, node: node,
    namespace="internal",
    input=lambda g: g,
    beside=_none,
    beside_too=_none,
)
def named(input: Array, beside: Array | None, beside_too: Array | None, node: str) -> Array:
    """The input, as the result of a node of that name.

    Where torch has one node for several gradients, each of them requires grad if anything requires it that the node was
    given: also those of it, `beside` and `beside_too`, that this gradient does not depend on.
    """
    return input
