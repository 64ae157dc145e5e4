"""What the normalisation layers share: sums over groups, standardising, and the gradient through mean and variance.

All of them standardise, (x - mean) / sqrt(var + eps), over groups of elements, and then scale and shift by parameters.
With c = x - mean, r = 1 / sqrt(var + eps), h = g * weight and n elements in a group, the gradient of the input is

    r h - c r^3 sum(h c) / n - r sum(h) / n

(Ioffe & Szegedy 2015, section 3).  The forward pass keeps c and r for it.  A backward pass that is itself recorded takes
it from `recorded_gradients`, which is written for all layers at once in ops of the table.  What is written for speed is
written for arrays, in few passes over them:

* the input is folded to a matrix, so that sums are products with vectors of ones: BLAS is several times faster at them
  than `np.add.reduce`;
* a row factor times a column factor is a product of matrices too, at half the cost of broadcasting them in turn;
* what is no longer needed is overwritten.

Half precision is computed in single, as torch does on the CPU.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ._checks import title
from ._formats import in_format_of
from ._history import named
from ._precision import by_rows, single
from ._table import Array
from .elementwise import sqrt
from .reductions import mean, sum_
from .shape import reshape

Shape = tuple[int, ...]

_LONGEST_KEPT = 1 << 14
_WIDE = 64  # from here on a BLAS call for each row costs less than one more array
_SINGLE, _HALF = np.dtype(np.float32), np.dtype(np.float16)


def vector_of_ones(count: int, dtype: np.dtype[Any]) -> Array:
    """Ones to multiply by, not to be written to."""
    return _kept_ones(count, dtype) if count <= _LONGEST_KEPT else np.ones(count, dtype)


@functools.lru_cache(maxsize=64)
def _kept_ones(count: int, dtype: np.dtype[Any]) -> Array:
    return np.ones(count, dtype)


def row_sums(x: Array) -> Array:
    """(n, d) -> (n,)."""
    return np.dot(x, vector_of_ones(x.shape[1], x.dtype))


def column_sums(x: Array) -> Array:
    """(n, d) -> (d,)."""
    return np.dot(vector_of_ones(x.shape[0], x.dtype), x)


def row_dots(x: Array, y: Array) -> Array:
    """The inner product of each row with that of another matrix: (n, d), (n, d) -> (n,)."""
    return np.vecdot(x, y) if x.shape[1] >= _WIDE else row_sums(x * y)


def folded(x: Array, shape: Shape) -> Array:
    """x as a contiguous matrix, half precision as single."""
    if x.shape == shape and x.itemsize > 2 and x.flags.c_contiguous:
        return x
    return by_rows(single(x)).reshape(shape)


def shaped(x: Array, shape: Shape, dtype: np.dtype[Any]) -> Array:
    """A result as it is due."""
    x = x if x.dtype is dtype else x.astype(dtype)
    return x if x.shape == shape else x.reshape(shape)


def shaped_like(x: Array, input: Array, dtype: np.dtype[Any] | None = None) -> Array:
    """A result as it is due for images: in their shape, dtype and memory format."""
    return in_format_of(input, shaped(x, input.shape, dtype or input.dtype))


def reciprocal_root(squares: Array, count: int, eps: float) -> Array:
    """1 / sqrt(mean + eps), from sums over `count` elements; written into `squares`."""
    np.true_divide(squares, count or 1, squares)
    np.add(squares, eps, squares)
    np.sqrt(squares, squares)
    return np.reciprocal(squares, squares)


def standardised(x: Array, eps: float) -> tuple[Array, Array]:
    """The rows of x less their means, and r of each row."""
    size = x.shape[1]
    means = row_sums(x)
    np.true_divide(means, size or 1, means)
    centred = x - means[:, None]
    return centred, reciprocal_root(row_dots(centred, centred), size, eps)


def through_statistics(
    scaled: Array, centred: Array, rstd: Array, total: Array, cross: Array, spare: Array | None = None
) -> Array:
    """The formula at the head of this file where groups are rows: from r h, c, r, sum(h) and sum(h c).

    Overwrites all but `centred` and `rstd`.
    """
    share = rstd / (centred.shape[1] or 1)
    np.multiply(total, share, total)
    np.multiply(cross, share * rstd * rstd, cross)
    inside = np.multiply(centred, cross[:, None], spare)
    np.add(inside, total[:, None], inside)
    return np.subtract(scaled, inside, scaled)


def recorded_gradients(
    g: Any,
    input: Any,
    weight: Any,
    bias_shape: Any,
    fold: tuple[Shape, Shape],
    group: Shape,
    shared: Shape,
    eps: float,
    needs: tuple[bool, ...],
    nodes: tuple[str, str, str],
    *,
    centre: bool = True,
    together: bool = False,
    statistics: tuple[Any, Any] | None = None,
) -> list[Any]:
    """The gradients of input, weight and bias as Tensors with history, whose last nodes have torch's names.

    Args:
        fold: the shapes in which the input and the weight are taken, that of the weight to be broadcast.
        group: the dimensions that are standardised together.
        shared: the dimensions in which all elements have the same parameter.
        centre: whether the mean is subtracted.
        together: whether torch has one node for all of them; see `named`.  Where it has not, the gradient of the weight
            is still made of a mean and a variance that are, in torch, results of the node that the weight went into.
        statistics: a mean and a variance that do not depend on the input.
    """
    g, x = single(reshape(g, fold[0])), single(reshape(input, fold[0]))
    if statistics is not None:
        centred = x - reshape(statistics[0], fold[1])
        rstd = 1 / sqrt(reshape(statistics[1], fold[1]) + eps)
    else:
        centred = x - mean(x, group, True) if centre else x
        rstd = 1 / sqrt(mean(centred * centred, group, True) + eps)
    normal = centred * rstd
    gradients: list[Any] = [None, None, None]
    if needs[0]:
        h = g if weight is None else g * reshape(single(weight), fold[1])
        own = h
        if statistics is None:
            own = own - normal * mean(h * normal, group, True)
            own = own - mean(h, group, True) if centre else own
        gradients[0] = reshape(own * rstd, input.shape)
    if needs[1]:
        gradients[1] = reshape(sum_(g * normal, shared), weight.shape)
    if len(needs) > 2 and needs[2]:
        gradients[2] = reshape(sum_(g, shared), bias_shape)
    beside = [(input, weight)] * 3 if together else [(None, None), (None, weight if centre else None), (None, None)]
    return [
        None if each is None else named(each, *others, node)
        for each, others, node in zip(gradients, beside, nodes, strict=True)
    ]


def check_mixed_dtypes(input: Array, *parameters: Array | None) -> None:
    """Parameters have the dtype of the input, or are all float32 where that is float16 or bfloat16.

    Raises: RuntimeError in torch's words, which depend on the first parameter that is given.
    """
    given = [each for each in parameters if each is not None]
    if all(each.dtype is input.dtype for each in given):
        return
    if given[0].dtype is input.dtype:
        other = next(each for each in given if each.dtype is not input.dtype)
        raise RuntimeError(f"expected scalar type {title(input)} but found {title(other)}")
    if any(each.dtype is not _SINGLE for each in given):
        raise RuntimeError("mixed dtype (CPU): expect parameter to have scalar type of Float")
    if input.dtype.kind not in "fV" or input.itemsize > 2:
        raise RuntimeError("mixed dtype (CPU): all inputs must share same datatype.")
