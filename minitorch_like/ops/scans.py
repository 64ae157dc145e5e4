"""Running products, extrema and sums of exponentials along a dimension."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._checks import cast, derivable, is_complex, not_implemented, numpy_dtype, wrap_dim
from ._table import Array, op
from .arrangement import cumsum, flip
from .elementwise import abs, exp, log, where, zeros_of
from .reductions import contiguous
from .shape import cat, narrow


def reversed_cumsum(g: Any, dim: int) -> Any:
    """The sums from each place to the end of the dimension."""
    return flip(cumsum(flip(g, (dim,)), dim), (dim,)) if g.shape else g


# -- products -----------------------------------------------------------------------------------------------------


def _cumprod_input(g: Any, input: Any, out: Any, dim: int) -> Any:
    """Where no element is 0, the sum over k >= i of g_k out_k, divided by x_i; else product by product."""
    if not input.shape:
        return g
    if not bool((input == 0).any()):
        return reversed_cumsum(g * out, dim) / input
    return _products_without(g, input, wrap_dim(dim, len(input.shape)))


def _products_without(g: Any, input: Any, dim: int) -> Any:
    """For each i the sum over k >= i of g_k and the product of all x_j, j <= k, but x_i."""
    size = input.shape[dim]
    gradients = []
    for index in range(size):
        one = zeros_of(narrow(input, dim, index, 1)) + 1
        rest = [narrow(input, dim, index + 1, size - index - 1)] if index + 1 < size else []
        before = [narrow(input, dim, 0, index)] if index else []
        products = cumprod(cat([*before, one, *rest], dim), dim)
        tail = narrow(g, dim, index, size - index) * narrow(products, dim, index, size - index)
        gradients.append(tail.sum(dim, keepdims=True) if isinstance(tail, np.ndarray) else tail.sum(dim, True))
    return cat(gradients, dim)


@op(
    "(Tensor input, int dim, *, dtype? dtype=None, Tensor? out=None)",
    inplace=True,
    node=lambda input, dim, dtype=None: derivable("CumprodBackward0", dtype),
    input=_cumprod_input,
)
def cumprod(input: Array, dim: int, dtype: Any = None) -> Array:
    kind = numpy_dtype(dtype) or (np.dtype(np.int64) if input.dtype.kind not in "fc" else input.dtype)
    dim = wrap_dim(dim, input.ndim)
    if kind.kind == "b" and input.size and input.ndim:
        raise not_implemented("cumprod_out_cpu", np.empty(0, kind))
    return (
        cast(input, kind).copy() if input.ndim == 0 else contiguous(np.cumprod(cast(input, kind), axis=dim, dtype=kind))
    )


# -- extrema ------------------------------------------------------------------------------------------------------


def _running(name: str, ufunc: Any, input: Array, dim: int) -> tuple[Array, Array]:
    """The running extremum and where it was last met; a NaN stays."""
    if input.ndim == 0:
        if dim not in (0, -1):
            raise IndexError(f"{name}(): Expected reduction dim -1 or 0 for scalar but got {dim}")
        return input.copy(), np.zeros((), np.int64)
    if input.size == 0:
        return input.copy(), np.zeros(input.shape, np.int64)
    dim = wrap_dim(dim, input.ndim)
    values = ufunc.accumulate(input, axis=dim)
    found = np.equal(input, values)
    if input.dtype.kind == "f":
        found |= np.isnan(input)
    places = np.arange(input.shape[dim]).reshape(-1, *[1] * (input.ndim - dim - 1))
    return contiguous(values), contiguous(np.maximum.accumulate(np.where(found, places, 0), axis=dim))


def _picked(g: Any, input_shape: Any, indices: Any, dim: int) -> Any:
    from .indexing import scatter_along

    return scatter_along(g, indices, input_shape, dim) if input_shape else g


_CUMMAX = "(Tensor input, int dim)"


@op(
    _CUMMAX,
    name="cummax_along",
    node="CummaxBackward0",
    outputs=("values", "indices"),
    saves=("input",),
    input=_picked,
    namespace="internal",
)
def cummax(input: Array, dim: int) -> tuple[Array, Array]:
    return _running("cummax", np.maximum, input, dim)


@op(
    _CUMMAX,
    name="cummin_along",
    node="CumminBackward0",
    outputs=("values", "indices"),
    saves=("input",),
    input=_picked,
    namespace="internal",
)
def cummin(input: Array, dim: int) -> tuple[Array, Array]:
    return _running("cummin", np.minimum, input, dim)


# -- exponentials -------------------------------------------------------------------------------------------------


def _logcumsumexp_input(g: Any, input: Any, out: Any, dim: int) -> Any:
    """The sum over k >= i of g_k exp(x_i - out_k), in logarithms, so that nothing overflows.

    Real g are taken apart into positive and negative ones; complex ones have logarithms.
    """

    def summed(logarithm: Any) -> Any:
        return flip(logcumsumexp(flip(logarithm, (dim,)), dim), (dim,)) if input.shape else logarithm

    def part(chosen: Any) -> Any:
        # where the sum is exp(-inf), nothing changes it, and -inf less -inf would be NaN
        logarithm = where(chosen & (out > -np.inf), log(abs(g)) - out, -np.inf)
        return exp(summed(logarithm) + input)

    return exp(summed(log(g) - out) + input) if is_complex(out) else part(g > 0) - part(g < 0)


@op("(Tensor input, int dim, *, Tensor? out=None)", input=_logcumsumexp_input)
def logcumsumexp(input: Array, dim: int) -> Array:
    """log(cumsum(exp(input)))."""
    dim = wrap_dim(dim, input.ndim)
    if input.dtype.kind != "f":
        raise not_implemented("logcumsumexp_out_cpu", input)
    return input.copy() if input.ndim == 0 else contiguous(np.logaddexp.accumulate(input, axis=dim))
