"""cross_entropy of classes: one op that looks, to whoever asks, like the two that torch records.

The op computes log_softmax and nll_loss together, and their gradients too, from what forward has kept.  Its node
answers for `nll_loss`; the node of `log_softmax` behind it is made when somebody asks for it, or when the backward
pass is recorded and has to go through both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from minitorch_like import _capture as capture
from minitorch_like._tensor import with_history, wrap
from minitorch_like.autograd.engine import saved_tensors
from minitorch_like.autograd.graph import Node, type_of_node
from minitorch_like.ops import TABLE, Op
from minitorch_like.ops._table import KEPT, OUTPUT
from minitorch_like.ops.loss import nll_gradient

_OP, _LOG_SOFTMAX = TABLE["cross_entropy_of_classes"], TABLE["log_softmax"]
_POWERS, _TOTALS = (_OP.saves.index((KEPT, _OP.keeps.index(name))) for name in ("powers", "totals"))
_NLL_OPTIONS = ("target", "weight", "ignore_index", "reduction")


class NllLossBackward0(Node):
    """The node of both ops.

    Attributes:
        inner: the node of log_softmax, once there is one.
        scores_shape: the shape of what lies between the two, which is not known any more once the graph is freed.
    """

    __slots__ = ("inner", "scores_shape")
    op: ClassVar[Op] = _OP
    inner: Node
    scores_shape: tuple[int, ...]

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        return ((self.log_softmax(), 0),)

    def edges(self) -> list[tuple[Node | None, int]]:
        return [*self.next_functions, *((None, 0) for _ in self.inputs[1:])]

    def log_softmax(self) -> Node:
        """The node of log_softmax."""
        if hasattr(self, "inner"):
            return self.inner
        node: Node = object.__new__(type_of_node(_LOG_SOFTMAX, "LogSoftmaxBackward0"))
        node.inputs = self.inputs[:1]
        node.numbers = self.numbers and self.numbers[:1]
        node.sequence = self.sequence - 0.5  # right before this one
        node.hooks, node.versions, node.dtype = None, [], self.dtype
        if self.saved is None:
            node.saved, node.shape = None, self.scores_shape
        else:
            scores = capture.run(_log_quotient, self.saved[_POWERS], self.saved[_TOTALS])
            node.saved = [scores if kind == OUTPUT else 1 for kind, _ in _LOG_SOFTMAX.saves]  # else it is dim
            node.shape = scores.shape
        self.inner = node
        return node

    def release(self) -> None:
        if self.saved is not None:
            self.scores_shape = self.saved[_POWERS].shape
        super().release()

    def apply(self, g: Any, saved: list[Any], needed: Any, run: Callable[..., Any]) -> list[Any]:
        recorded = hasattr(g, "_node")
        if recorded or (hasattr(self, "inner") and self.inner.hooks is not None):
            return [*self._through_both(g, saved, needed, run, recorded), None]
        return super().apply(g, saved, needed, run)

    def _through_both(
        self, g: Any, saved: list[Any], needed: Any, run: Callable[..., Any], recorded: bool
    ) -> list[Any]:
        """What the two nodes would do one after the other, the hooks of the inner one included."""
        inner = self.log_softmax()
        assert inner.saved is not None
        options = {
            _OP.parameters[index]: each for (kind, index), each in zip(_OP.saves, saved, strict=True) if kind != KEPT
        }
        scores: Any = next(each for each in inner.saved if isinstance(each, np.ndarray))
        if recorded:
            scores = with_history(scores, inner, 0)
        g = run(nll_gradient, g, scores, *(options[name] for name in _NLL_OPTIONS))
        hooks = inner.hooks
        for before in list(hooks.before.values()) if hooks else ():
            g = _replaced(g, before((_shown(g),)))
        gradients = inner.apply(g, saved_tensors(inner) if recorded else inner.saved, needed, run)
        for after in list(hooks.after.values()) if hooks else ():
            gradients[0] = _replaced(gradients[0], after((_shown(gradients[0]),), (_shown(g),)))
        return gradients


def _log_quotient(powers: Any, totals: Any) -> Any:
    return np.log(powers / totals.reshape(-1, 1))


def _shown(g: Any) -> Any:
    """A gradient as hooks see it."""
    return g if hasattr(g, "_node") else wrap(g)


def _replaced(g: Any, result: Any) -> Any:
    """A gradient, or the one that a hook has returned in its place."""
    if result is None:
        return g
    return result[0] if hasattr(g, "_node") else result[0]._data


_OP.node_types["NllLossBackward0"] = NllLossBackward0


def is_one_op(input: Any, target: Any) -> bool:
    """Whether these arrays are what the op takes: (N, C) scores, in a dtype that torch computes in, and (N,) classes."""
    return bool(
        input.ndim == 2
        and target.ndim == 1
        and input.shape[0] == target.shape[0]
        and input.size
        and input.dtype.itemsize > 2
        and input.dtype.kind == "f"
        and target.dtype.kind != "f"
    )
