"""The margin losses of classes, and the parts of those losses that compare several tensors: a hinge and a norm.

As torch, the two losses of classes cannot be differentiated twice.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._checks import sizes, title, wrap_dim
from ._elements import at_least, constant
from ._losses import reduced, scaled
from ._table import Array, op
from .elementwise import abs, direction, eq, pow, where
from .reductions import contiguous, sum_
from .shape import unsqueeze


def _check_scores(input: Array, classes: int) -> None:
    if input.ndim > 2 or not classes:
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {sizes(input.shape)}"
        )


def _check_dtypes(kernel: str, input: Array, target: Array) -> None:
    if input.dtype not in (np.float32, np.float64):
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{title(input)}'")
    if target.dtype != np.int64:
        raise RuntimeError(f"expected scalar type Long but found {title(target)}")


def _not_twice(name: str) -> Any:
    def rule(g: Any) -> Any:
        raise RuntimeError(f"derivative for aten::{name}_backward is not implemented")

    return rule


# -- one class ----------------------------------------------------------------------------------------------------


def _check_multi_margin(input: Array, target: Array, weight: Array | None) -> tuple[int, int]:
    rows = input.shape[0] if input.ndim > 1 else 1
    classes = input.shape[-1] if input.ndim else 1
    _check_scores(input, classes)
    if target.ndim > 1 or target.size != rows:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch size). "
            f"Expected target size [{rows}], but got {sizes(target.shape)}. Input has shape {sizes(input.shape)}."
        )
    if weight is not None and weight.shape != (classes,):
        raise RuntimeError(f"inconsistent weight size, expected {classes} but got {sizes(weight.shape)}")
    _check_dtypes("multi_margin_loss_cpu_kernel", input, target)
    if weight is not None and weight.dtype is not input.dtype:
        raise RuntimeError(f"expected scalar type {title(input)} but found {title(weight)}")
    if target.size and (np.minimum.reduce(target, axis=None) < 0 or np.maximum.reduce(target, axis=None) >= classes):
        raise RuntimeError("target out of range")
    return rows, classes


def _excess(scores: Array, target: Array, margin: float) -> Array:
    """How far each class's score exceeds the right one's less the margin: (N, C), 0 where not, and for the right one."""
    rows = np.arange(len(scores))
    excess = scores - (scores[rows, target] - constant(margin, scores.dtype)).reshape(-1, 1)
    excess = at_least(excess, 0.0)
    excess[rows, target] = 0
    return excess


_no_multi_margin = _not_twice("multi_margin_loss")


@op(
    "(Tensor grad, Tensor input, Tensor target, Number p, Number margin, Tensor? weight, str reduction)",
    arity=2,
    namespace="internal",
    node="torch::autograd::NotImplemented",
    grad=_no_multi_margin,
    input=_no_multi_margin,
)
def multi_margin_gradient(
    grad: Array, input: Array, target: Array, p: int, margin: float, weight: Array | None, reduction: str
) -> Array:
    """What `multi_margin_loss` rises by with each score; the right one's makes good for all the others."""
    classes = input.shape[-1] if input.ndim else 1
    scores, chosen = input.reshape(-1, classes), target.reshape(-1)
    slope = _excess(scores, chosen, margin)
    slope = (slope > 0).astype(input.dtype) if p == 1 else slope * constant(2, input.dtype)
    per_row = scaled(grad, 1.0 / classes / (len(chosen) if reduction == "mean" else 1)).reshape(-1)
    if weight is not None:
        per_row = per_row * weight[chosen]
    slope *= per_row.reshape(-1, 1)
    slope[np.arange(len(chosen)), chosen] = -np.add.reduce(slope, axis=1)
    return slope.reshape(input.shape)


@op(
    "(Tensor input, Tensor target, Number p=1, Number margin=1, Tensor? weight=None, str reduction=mean)",
    namespace="nn",
    input=lambda g, input, target, p, margin, weight, reduction: multi_margin_gradient(
        g, input, target, p, margin, weight, reduction
    ),
)
def multi_margin_loss(
    input: Array,
    target: Array,
    p: int = 1,
    margin: float = 1.0,
    weight: Array | None = None,
    reduction: str = "mean",
) -> Any:
    """weight[t] sum over j != t of max(0, margin - x[t] + x[j])^p, over C: (N, C) and (N,), or (C,) and ()."""
    rows, classes = _check_multi_margin(input, target, weight)
    chosen = target.reshape(-1)
    excess = _excess(input.reshape(rows, classes), chosen, margin)
    losses = np.add.reduce(excess if p == 1 else excess * excess, axis=1) / constant(classes, input.dtype)
    if weight is not None:
        losses *= weight[chosen]
    return reduced(losses.reshape(target.shape), reduction)


# -- several classes ----------------------------------------------------------------------------------------------


def _check_multilabel(input: Array, target: Array) -> int:
    classes = input.shape[-1] if input.ndim else 1
    _check_scores(input, classes)
    if target.shape != input.shape and not (input.ndim < 2 and target.ndim < 2 and target.size == classes):
        raise RuntimeError(f"inconsistent target size: {sizes(target.shape)} for input of size: {sizes(input.shape)}")
    _check_dtypes("multilabel_margin_loss_forward_out_frame", input, target)
    if target.size and (np.minimum.reduce(target, axis=None) < -1 or np.maximum.reduce(target, axis=None) >= classes):
        raise RuntimeError("argument #2 'target' is out of range")
    return classes


def _comparisons(scores: Array, targets: Array) -> tuple[Array, Array]:
    """For (N, C) scores, and targets that end at the first -1, two arrays (N, C, C).

    The first says whether target k of a row is class j; the second is max(0, 1 - x[target k] + x[j]), 0 where there is
    no target k, or where j is a target too.
    """
    valid = np.logical_and.accumulate(targets >= 0, axis=1)
    named = (targets[:, :, None] == np.arange(scores.shape[1])) & valid[:, :, None]
    right = np.add.reduce(np.where(named, scores[:, None, :], constant(0, scores.dtype)), axis=2, keepdims=True)
    excess = at_least(scores[:, None, :] - right + constant(1, scores.dtype), 0.0)
    counts = valid[:, :, None] & ~np.logical_or.reduce(named, axis=1, keepdims=True)
    return named, excess * counts


_no_multilabel_margin = _not_twice("multilabel_margin_loss")


@op(
    "(Tensor grad, Tensor input, Tensor target, str reduction)",
    arity=2,
    namespace="internal",
    node="torch::autograd::NotImplemented",
    grad=_no_multilabel_margin,
    input=_no_multilabel_margin,
)
def multilabel_margin_gradient(grad: Array, input: Array, target: Array, reduction: str) -> Array:
    """What `multilabel_margin_loss` rises by with each score."""
    classes = input.shape[-1] if input.ndim else 1
    scores = input.reshape(-1, classes)
    named, excess = _comparisons(scores, target.reshape(-1, classes))
    slope = (excess > 0).astype(input.dtype)
    from_right = np.where(named, np.add.reduce(slope, axis=2, keepdims=True), constant(0, input.dtype))
    slope = np.add.reduce(slope, axis=1) - np.add.reduce(from_right, axis=1)
    per_row = scaled(grad, 1.0 / classes / (len(scores) if reduction == "mean" else 1))
    return (slope * per_row.reshape(-1, 1)).reshape(input.shape)


@op(
    "(Tensor input, Tensor target, str reduction=mean)",
    namespace="nn",
    input=lambda g, input, target, reduction: multilabel_margin_gradient(g, input, target, reduction),
)
def multilabel_margin_loss(input: Array, target: Array, reduction: str = "mean") -> Any:
    """Sum over targets k and other classes j of max(0, 1 - x[k] + x[j]), over C: both (N, C) or both (C,).

    A row of targets ends at its first -1.
    """
    classes = _check_multilabel(input, target)
    _, excess = _comparisons(input.reshape(-1, classes), target.reshape(-1, classes))
    losses = np.add.reduce(excess, axis=(1, 2)) / constant(classes, input.dtype)
    if not losses.size and reduction == "mean":
        reduction = "sum"  # 0 of nothing, where other losses are NaN
    return reduced(losses.reshape(input.shape[:-1]), reduction)


# -- parts --------------------------------------------------------------------------------------------------------


@op("(Tensor input)", namespace="internal", node="ClampMinBackward0", input=lambda g, input: where(input >= 0, g, 0.0))
def hinge(input: Array) -> Array:
    """max(x, 0), through which a gradient passes at 0 too, as it does through clamp_min."""
    return at_least(input, 0.0)


def _norm_input(g: Any, input: Any, out: Any, p: float, dim: int, keepdim: bool) -> Any:
    """g * (|x| / norm)^(p - 1) * x / |x|, and 0 where that is 0 / 0."""
    if p == 0:
        return None
    if not keepdim and input.shape:
        g, out = unsqueeze(g, dim), unsqueeze(out, dim)
    if p == 1:
        return g * direction(input)
    if p == 2:
        return input * where(eq(out, 0), 0.0, g / out)
    size = abs(input)
    if math.isinf(p):
        ties = eq(size, out)
        return direction(input) * (where(ties, g, 0.0) / sum_(ties, dim, True) if input.shape else g)
    if p < 1:
        return where(eq(input, 0), 0.0, direction(input) * pow(size, p - 1)) * (g * pow(out, 1 - p))
    return direction(input) * pow(size, p - 1) * where(eq(out, 0), 0.0, g / pow(out, p - 1))


@op(
    "(Tensor input, float p, int dim, bool keepdim)",
    namespace="internal",
    node="NormBackward1",
    input=_norm_input,
)
def norm_along(input: Array, p: float, dim: int, keepdim: bool) -> Array:
    """The p-norm along `dim`, of any p."""
    dim = wrap_dim(dim, input.ndim)
    if input.ndim == 0:
        return np.abs(input) if p else (input != 0).astype(input.dtype)
    values = input.astype(np.float32) if input.itemsize == 2 else input
    result = contiguous(_norm(np.abs(values) if values.dtype.kind == "c" else values, p, dim, keepdim))
    return result.astype(input.dtype) if input.itemsize == 2 else result


def _norm(x: Array, p: float, dim: int, keepdim: bool) -> Any:
    reducing: Any = {"axis": dim, "keepdims": keepdim}
    if p == 2:
        return np.sqrt(np.add.reduce(x * x, **reducing))
    if p == 0:
        return np.add.reduce((x != 0).astype(x.dtype), **reducing)
    size = np.abs(x)
    if math.isinf(p):
        return (np.maximum if p > 0 else np.minimum).reduce(size, **reducing)
    if p == 1:
        return np.add.reduce(size, **reducing)
    return np.add.reduce(size**p, **reducing) ** (1.0 / p)
