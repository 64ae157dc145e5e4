"""Distances between all pairs of two sets of points: (..., n, k), (..., m, k) -> (..., n, m)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._checks import not_implemented, title
from ._table import Array, op
from .elementwise import abs, eq, pow, sign, sqrt, where
from .matmul import matmul
from .reductions import sum_
from .shape import transpose, unsqueeze

_AT_ONCE = 1 << 22  # differences that are held at the same time


def _check_pair(x1: Array, x2: Array) -> None:
    if x1.itemsize == 2:
        raise not_implemented("cdist", x1)
    if x1.dtype is not x2.dtype:
        raise RuntimeError(f"expected scalar type {title(x1)} but found {title(x2)}")


def _norms(differences: Array, p: float) -> Array:
    """The p-norms of the last dimension; the argument is overwritten."""
    magnitudes = np.abs(differences, differences)
    if not magnitudes.shape[-1]:
        return np.zeros(magnitudes.shape[:-1], magnitudes.dtype)
    if math.isinf(p):
        return np.maximum.reduce(magnitudes, axis=-1)
    if p == 0:
        return np.add.reduce(magnitudes != 0, axis=-1, dtype=magnitudes.dtype)
    if p == 1:
        return np.add.reduce(magnitudes, axis=-1)
    if p == 2:
        return np.sqrt(np.add.reduce(np.multiply(magnitudes, magnitudes, magnitudes), axis=-1))
    return np.power(np.add.reduce(np.power(magnitudes, p, magnitudes), axis=-1), magnitudes.dtype.type(1 / p))


@op(
    "(Tensor x1, Tensor x2, float p)",
    name="cdist_of",
    arity=2,
    node="CdistBackward0",
    namespace="internal",
    x1=lambda g, x1, x2, out, p: cdist_gradient(g, x1, x2, out, p),
    x2=lambda g, x1, x2, out, p: cdist_gradient(transpose(g, -2, -1), x2, x1, transpose(out, -2, -1), p),
)
def cdist(x1: Array, x2: Array, p: float) -> Array:
    """The p-norms of the differences."""
    _check_pair(x1, x2)
    rows, columns = x1.shape[-2], x2.shape[-2]
    shape = (*np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2]), rows, columns)
    result: Array = np.empty_like(x1, shape=shape, order="C")
    if not result.size:
        return result
    step = max(1, _AT_ONCE * rows // max(result.size * x1.shape[-1], 1))
    for start in range(0, rows, step):
        part = x1[..., start : start + step, None, :] - x2[..., None, :, :]
        result[..., start : start + step, :] = _norms(part, p)
    return result


def _no_second_derivative(g: Any) -> Any:
    raise NotImplementedError("the derivative for '_cdist_backward' is not implemented.")


@op(
    "(Tensor g, Tensor x1, Tensor x2, Tensor distance, float p)",
    arity=4,
    node="CdistBackwardBackward0",
    namespace="internal",
    g=_no_second_derivative,
    x1=_no_second_derivative,
    x2=_no_second_derivative,
    distance=_no_second_derivative,
)
def cdist_gradient(g: Array, x1: Array, x2: Array, distance: Array, p: float) -> Array:
    """The gradient of the first set of points: 0 where points coincide."""
    difference = unsqueeze(x1, -2) - unsqueeze(x2, -3)
    g, distance = unsqueeze(g, -1), unsqueeze(distance, -1)
    if p == 0:
        return np.zeros(difference.shape[:-2] + difference.shape[-1:], x1.dtype)
    if p == 1:
        slope = sign(difference)
    elif math.isinf(p):
        slope = sign(difference) * eq(abs(difference), distance)
    elif p == 2:
        slope = where(distance == 0, 0.0, difference / distance)
    else:
        along = sign(difference) * pow(abs(difference), p - 1) / pow(distance, p - 1)
        slope = where((distance == 0) | ((difference == 0) & (p < 1)), 0.0, along)
    result: Array = sum_(g * slope, -2)
    return result


def _ratio(g: Any, out: Any) -> Any:
    return where(out == 0, 0.0, g / out)


@op(
    "(Tensor x1, Tensor x2)",
    arity=2,
    node="EuclideanDistBackward0",
    namespace="internal",
    x1=lambda g, x1, x2, out: x1 * sum_(_ratio(g, out), -1, True) - matmul(_ratio(g, out), x2),
    x2=lambda g, x1, x2, out: (
        x2 * unsqueeze(sum_(_ratio(g, out), -2), -1) - matmul(transpose(_ratio(g, out), -2, -1), x1)
    ),
)
def euclidean_dist(x1: Array, x2: Array) -> Array:
    """sqrt(|a|^2 + |b|^2 - 2 a b), by one matrix product, in which little is left of what cancels."""
    _check_pair(x1, x2)
    one, two = (np.add.reduce(each * each, axis=-1, keepdims=True) for each in (x1, x2))
    left = np.concatenate([-2 * x1, one, np.ones_like(one)], axis=-1)
    right = np.concatenate([x2, np.ones_like(two), two], axis=-1)
    squares = np.matmul(left, right.swapaxes(-1, -2))
    result: Array = sqrt.kernel(np.maximum(squares, 0, out=squares))
    return result


for _each in (cdist, euclidean_dist):
    _each.kernel.of_any_width = True  # type: ignore[attr-defined]  # they refuse the narrow ones
