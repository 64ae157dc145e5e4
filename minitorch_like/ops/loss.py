"""Losses of class indices: `nll_loss`, and `cross_entropy`, which is `nll_loss` of `log_softmax` in one kernel.

In the case that nearly all calls are, (N, C) scores with a class for each row, elements are picked and written by
their number in the flat array.  Everything else (weights, targets to be ignored, other shapes) takes the general way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._checks import sizes, title
from ._elements import array, constant
from ._losses import reduced, scaled
from ._rows import row_maxima, row_starts, row_sums
from ._table import Array, op
from ._windows import row_major
from .elementwise import zeros_of


def _class_dim(input: Any) -> int:
    return 0 if len(input.shape) == 1 else 1


_LONG, _BYTE, _UNSIGNED = np.dtype(np.int64), np.dtype(np.uint8), np.dtype(np.uint64)


# -- targets ------------------------------------------------------------------------------------------------------


def _all_count(target: Array, classes: int, ignore_index: int) -> bool:
    """Whether every target is a class and none is to be ignored: of what the targets hold, a compiled step checks this."""
    if 0 <= ignore_index < classes:
        return False
    if not target.size:
        return True
    numbers = target.view(_UNSIGNED) if target.dtype is _LONG else target  # a negative one is then too large
    return bool(np.maximum.reduce(numbers, axis=None) < classes)


def _is_plain(input: Array, target: Array, weight: Array | None, ignore_index: int) -> bool:
    return (
        weight is None
        and input.ndim == 2
        and target.shape == input.shape[:1]
        and (target.dtype is _LONG or target.dtype is _BYTE)
        and _all_count(target, input.shape[1], ignore_index)
    )


def _weights(target: Array, weight: Array | None, ignore_index: int, dtype: Any) -> Array:
    """Each target's weight: 0 where it is to be ignored."""
    kept = (target != ignore_index).astype(dtype)
    if weight is None:
        return kept
    return kept * weight[np.where(target != ignore_index, target, 0)]


def _check_nll(input: Array, target: Array, weight: Array | None, ignore_index: int) -> None:
    if input.ndim == 0:
        raise RuntimeError("input tensor should be 1D or 2D")
    classes = input.shape[_class_dim(input)]
    batch = input.shape[:1] if input.ndim > 1 else ()
    if input.ndim <= 2:
        if target.ndim > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if batch and target.shape != batch and target.ndim:
            raise RuntimeError(f"size mismatch (got input: {sizes(input.shape)}, target: {sizes(target.shape)})")
    elif target.shape != input.shape[:1] + input.shape[2:]:
        raise RuntimeError(f"size mismatch (got input: {sizes(input.shape)}, target: {sizes(target.shape)})")
    if target.dtype not in (np.int64, np.uint8):
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {title(target)}")
    if weight is not None:
        if weight.shape != (classes,):
            raise RuntimeError(
                f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor "
                f"of shape: {sizes(weight.shape)}"
            )
        if weight.dtype is not input.dtype:
            raise RuntimeError(f"expected scalar type {title(input)} but found {title(weight)}")
    if target.size and (np.minimum.reduce(target, axis=None) < 0 or np.maximum.reduce(target, axis=None) >= classes):
        outside = (target != ignore_index) & ((target < 0) | (target >= classes))
        if outside.any():
            raise IndexError(f"Target {target[outside].reshape(-1)[0]} is out of bounds.")


# -- negative log likelihood --------------------------------------------------------------------------------------


def _picked(input: Array, index: Array, dim: int) -> Array:
    """The element at `index` of each row of classes."""
    if input.ndim == 2 and index.ndim == 1:
        return input[np.arange(len(index)), index]
    return np.take_along_axis(input, np.expand_dims(index, dim), dim).squeeze(dim)


def _nll_input(g: Any, input: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> Any:
    return nll_gradient(g, input, target, weight, ignore_index, reduction)


@op(
    "(Tensor input, Tensor target, Tensor? weight=None, int ignore_index=-100, str reduction=mean)",
    arity=3,
    node=lambda input, *rest: f"NllLoss{'2D' if input.dim() > 2 else ''}Backward0",
    input=_nll_input,
    namespace="nn",
)
def nll_loss(
    input: Array,
    target: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """-weight[target] * input[target]: (N, C, ...) and (N, ...), or (C,) and ().

    "mean" divides by the sum of the weights of the targets that are not ignored.
    """
    if _is_plain(input, target, weight, ignore_index):
        return reduced(-input.reshape(-1)[row_starts(*input.shape) + target], reduction)
    _check_nll(input, target, weight, ignore_index)
    weights = _weights(target, weight, ignore_index, input.dtype)
    picked = _picked(input, np.where(target != ignore_index, target, 0), _class_dim(input))
    losses = np.where(target != ignore_index, -picked * weights, input.dtype.type(0))
    if reduction != "mean":
        return reduced(row_major(losses), reduction)
    return np.true_divide(np.add.reduce(losses, axis=None), np.add.reduce(weights, axis=None))


def _nll_gradient_grad(gg: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> Any:
    """nll_loss is linear in its input, so the derivative of its gradient is nll_loss again."""
    return nll_loss(gg, target, weight, ignore_index, reduction)


@op(
    "(Tensor grad, Tensor input, Tensor target, Tensor? weight, int ignore_index, str reduction)",
    arity=4,
    node="NllLossBackwardBackward0",
    namespace="internal",
    grad=_nll_gradient_grad,
    input=lambda g: zeros_of(g),
)
def nll_gradient(
    grad: Array, input: Array, target: Array, weight: Array | None, ignore_index: int, reduction: str
) -> Array:
    """The gradient of `nll_loss`: minus the weight (over the total, for "mean") at each target, 0 elsewhere."""
    shape = input.shape
    if _is_plain(input, target, weight, ignore_index):
        result = np.empty_like(input, order="C")
        result.fill(0)
        values = scaled(grad, -1.0 / (len(target) or 1) if reduction == "mean" else -1.0)
        result.reshape(-1)[row_starts(*shape) + target] = values
        return result
    dim = _class_dim(input)
    weights = _weights(target, weight, ignore_index, grad.dtype)
    if reduction == "mean":
        weights = weights / np.add.reduce(weights, axis=None)
    values = np.where(target != ignore_index, -weights * grad, grad.dtype.type(0))
    classes = np.arange(shape[dim]).reshape((-1,) + (1,) * (len(shape) - 1 - dim))
    chosen = classes == np.expand_dims(target, dim)
    return np.where(chosen, np.expand_dims(values, dim), grad.dtype.type(0))


# -- cross entropy of classes -------------------------------------------------------------------------------------


def _cross_entropy_input(
    g: Array, powers: Array, totals: Array, places: Array, weights: Array | None, reduction: str
) -> Array:
    """(softmax(input) - one_hot(target)) weight g.

    Of arrays only: a backward pass that is itself recorded goes through both ops, see `nn.functional._cross_entropy`.
    """
    if weights is not None:
        parts = g * weights
    else:
        parts = scaled(g, 1.0 / len(places)) if reduction == "mean" else g
    gradient = powers * (parts / totals).reshape(-1, 1)
    flat = gradient.reshape(-1)
    flat[places] -= parts
    return gradient


@op(
    "(Tensor input, Tensor target, Tensor? weight=None, int ignore_index=-100, str reduction=mean)",
    name="cross_entropy_of_classes",
    arity=2,
    namespace="internal",
    node="NllLossBackward0",
    keeps=("powers", "totals", "places", "weights"),
    input=lambda g, powers, totals, places, weights, reduction, target, weight, ignore_index: _cross_entropy_input(
        g, powers, totals, places, weights, reduction
    ),
)
def cross_entropy_of_classes(
    input: Array,
    target: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> tuple[Any, Array, Array, Array, Array | None]:
    """`nll_loss` of log_softmax(input), of (N, C) float32 or float64 and (N,), neither N nor C being 0.

    Kept: exp(input - max) (N, C) and its sums (N,), of which softmax is the quotient; the number of each target's
    element in the flat array (N,); and what each row counts (N,), None where all count alike.
    """
    rows, classes = input.shape
    counted: Any = None
    if not _is_plain(input, target, weight, ignore_index):
        _check_nll(input, target, weight, ignore_index)
        counted = target != ignore_index
        weights = _weights(target, weight, ignore_index, input.dtype)
        target = np.where(counted, target, 0)
    if not input.flags.c_contiguous:
        input = input.copy()
    powers = input - row_maxima(input).reshape(-1, 1)
    places = row_starts(rows, classes) + target
    picked = powers.reshape(-1)[places]
    np.exp(powers, powers)
    totals = row_sums(powers)
    losses = np.log(totals)
    losses -= picked
    if counted is None:
        return reduced(losses, reduction), powers, totals, places, None
    zero = constant(0, losses.dtype)
    losses = np.where(counted, losses * weights, zero)
    if reduction != "mean":
        return reduced(losses, reduction), powers, totals, places, weights
    total = array(np.add.reduce(weights, axis=None))
    loss = np.add.reduce(losses, axis=None) / total
    return loss, powers, totals, places, np.where(counted, weights / total, zero)


cross_entropy_of_classes.name = "nll_loss"  # as which it is seen, behind a node of log_softmax
