"""Three of the exercises: a network that looks for its inputs once, remembers its values, and lets nodes be shared.

The plain recursion walks every way from the root to a leaf.  In a tree there is one way to each; where nodes have
several parents the ways multiply: twenty additions of a node to itself are a million of them.
"""

from __future__ import annotations

from typing import Any

from .nodes import Input, Node, Parameter, walk


class Compiled(Node):
    """A network that stands for `model` and does the same, each node once.

    order: every node once, children before parents.   values: of the last forward pass.   pulls: of the last backward.
    """

    def __init__(self, model: Node) -> None:
        super().__init__(model)
        self.order = list(walk(model))
        # Cached inputs: `predict` and `train_model` no longer search the tree.
        self.inputs = [node for node in self.order if isinstance(node, Input)]
        self.parameters = [node for node in self.order if isinstance(node, Parameter)]
        self.values: dict[Node, Any] = {}
        self.pulls: dict[Node, Any] = {}

    def forward(self) -> Any:
        """Cached values: each node computes from what its children have left behind."""
        values = self.values = {}
        for node in self.order:
            values[node] = node.value_of(*(values[child] for child in node.children))
        return values[self.order[-1]]

    def backward(self, pull: Any) -> None:
        """Several parents: a node hands its pull on when all of them have added theirs, parents before children."""
        pulls = self.pulls = dict.fromkeys(self.order, 0.0)
        pulls[self.order[-1]] = pull
        for node in reversed(self.order):
            node.take(pulls[node])
            shares = node.share(pulls[node], *(self.values[child] for child in node.children))
            for child, share in zip(node.children, shares, strict=True):
                pulls[child] += share


def compile(model: Node) -> Compiled:
    """The network, ready to be asked often."""
    return Compiled(model)
