"""The loss functions that torch implements natively; nn.functional builds the others from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._checks import check_no_integer, common, computed, sizes, title
from ._table import Array, op
from .elementwise import zeros_of


def _reduced(values: Any, reduction: str) -> Any:
    if reduction == "none":
        return values
    total = np.add.reduce(values, axis=None)
    return total if reduction == "sum" else np.true_divide(total, total.dtype.type(values.size))


def _mse_input(g: Any, input: Any, target: Any, reduction: str) -> Any:
    difference = input - target
    scale = 2.0 / _numel(difference) if reduction == "mean" else 2.0
    return (scale * difference) * g


def _numel(x: Any) -> int:
    """The number of elements of an array or a Tensor; at least 1, to divide by."""
    count = 1
    for size in x.shape:
        count *= size
    return count or 1


@op(
    "(Tensor input, Tensor target, str reduction=mean)",
    arity=2,
    input=_mse_input,
    target=lambda g, input, target, reduction: -_mse_input(g, input, target, reduction),
    namespace="nn",
)
def mse_loss(input: Array, target: Array, reduction: str = "mean") -> Array:
    """(input - target)², not reduced, averaged or summed."""
    input, target = common(input, target)
    check_no_integer("mse_cpu", input)
    difference = computed(np.subtract, input, target)
    return _reduced(difference * difference, reduction)


def _class_dim(input: Any) -> int:
    return 0 if len(input.shape) == 1 else 1


def _weights(target: Array, weight: Array | None, ignore_index: int, dtype: Any) -> Array:
    """Each target's weight: 0 where it is to be ignored."""
    kept = (target != ignore_index).astype(dtype)
    if weight is None:
        return kept
    return kept * weight[np.where(target != ignore_index, target, 0)]


def _picked(input: Array, index: Array, dim: int) -> Array:
    """The element at `index` of each row of classes."""
    if input.ndim == 2 and index.ndim == 1:
        return input[np.arange(len(index)), index]
    return np.take_along_axis(input, np.expand_dims(index, dim), dim).squeeze(dim)


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
) -> Array:
    """-weight[target] * input[target]: (N, C, ...) and (N, ...), or (C,) and ().

    "mean" divides by the sum of the weights of the targets that are not ignored.
    """
    _check_nll(input, target, weight, ignore_index)
    dim = _class_dim(input)
    weights = _weights(target, weight, ignore_index, input.dtype)
    picked = _picked(input, np.where(target != ignore_index, target, 0), dim)
    losses = np.where(weights == 0, input.dtype.type(0), -picked * weights)
    if reduction == "none":
        return losses
    total = np.add.reduce(losses, axis=None)
    return total if reduction == "sum" else np.true_divide(total, np.add.reduce(weights, axis=None))


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
    dim = 0 if len(shape) == 1 else 1
    weights = _weights(target, weight, ignore_index, grad.dtype)
    if reduction == "mean":
        weights = weights / np.add.reduce(weights, axis=None)
    values = np.where(target != ignore_index, -weights * grad, grad.dtype.type(0))
    classes = np.arange(shape[dim]).reshape((-1,) + (1,) * (len(shape) - 1 - dim))
    chosen = classes == np.expand_dims(target, dim)
    return np.where(chosen, np.expand_dims(values, dim), grad.dtype.type(0))
