"""Sums, means, extrema and the like over some or all dimensions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._dtype import default_numpy_dtype, dtype
from ._checks import (
    Dims,
    cast,
    check_no_integer,
    derivable,
    numpy_dtype,
    real_number,
    reduced_shape,
    sizes,
    strided,
    title,
    wrap_dim,
    wrap_dims,
)
from ._rows import row_maxima, row_sums
from ._table import Array, op
from .elementwise import eq, exp, isnan, where
from .shape import expand, reshape


def spread(g: Any, shape: tuple[int, ...], dim: Dims, keepdim: bool) -> Any:
    """The gradient of a reduction, broadcast back over the dimensions that were reduced."""
    if not shape:
        return g
    if not keepdim and dim != () and dim is not None:
        g = reshape(g, reduced_shape(shape, wrap_dims(dim, len(shape))))
    if type(g) is np.ndarray and g.ndim == 0:
        return strided(g, shape, (0,) * len(shape))
    return expand(g, shape)


def contiguous(x: Any) -> Any:
    """A reduction's result laid out row by row, as torch has it; NumPy keeps the order of the input."""
    return x.copy() if x.ndim > 1 and not x.flags.c_contiguous else x


def kept(x: Any, shape: tuple[int, ...], dim: Dims, keepdim: bool) -> Any:
    """A reduction's result with the reduced dimensions present as 1."""
    return x if keepdim else reshape(x, reduced_shape(shape, wrap_dims(dim, len(shape))))


def count(shape: tuple[int, ...], dim: Dims) -> int:
    """How many elements each result of a reduction is made of."""
    return math.prod(shape[each] for each in wrap_dims(dim, len(shape)))


_SUM = (
    "(Tensor input, *, dtype? dtype=None)",
    "(Tensor input, int[1]? dim, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None)",
)
_MEAN = (
    "(Tensor input, *, dtype? dtype=None, Tensor? out=None)",
    "(Tensor input, int[1]? dim, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None)",
)


def _node(stem: str) -> Any:
    """torch numbers the node of a whole reduction 0, that of a reduction over `dim` 1."""

    def node(input: Any, dim: Any = None, keepdim: bool = False, dtype: dtype | None = None) -> str:
        return derivable(f"{stem}Backward{int(dim is not None)}", dtype)

    return node


@op(
    *_SUM,
    name="sum",
    node=_node("Sum"),
    input=lambda g, input_shape, dim, keepdim: spread(g, input_shape, dim, keepdim),
)
def sum_(input: Array, dim: Dims = None, keepdim: bool = False, dtype: dtype | None = None) -> Array:
    """The sum over `dim`; integers are summed in int64."""
    kind = numpy_dtype(dtype)
    if kind is None and input.dtype.kind not in "fc":
        kind = np.dtype(np.int64)
    if kind is not None and kind is not input.dtype:
        input = cast(input, kind)
    axis: Any = None if dim is None or dim == () else wrap_dims(dim, input.ndim, ranges_first=True)
    return contiguous(np.add.reduce(input, axis=axis, dtype=kind, keepdims=keepdim))  # type: ignore[call-overload]


@op(
    *_MEAN,
    node=_node("Mean"),
    input=lambda g, input_shape, dim, keepdim: spread(g, input_shape, dim, keepdim) / count(input_shape, dim),
)
def mean(input: Array, dim: Dims = None, keepdim: bool = False, dtype: dtype | None = None) -> Array:
    if dtype is not None:
        input = cast(input, dtype.numpy)
    if input.dtype.kind not in "fc":
        what = "Input" if dtype is None else "Optional"
        raise RuntimeError(
            f"mean(): could not infer output dtype. {what} dtype must be either a floating point or complex dtype. "
            f"Got: {title(input)}"
        )
    total = sum_.kernel(input, dim, keepdim)
    return np.true_divide(total, total.dtype.type(count(input.shape, dim)))


def _extremum_input(g: Any, input: Any, out: Any, input_shape: Any, dim: Dims, keepdim: bool) -> Any:
    """amax and amin share the gradient among equal extrema."""
    ties = eq(input, kept(out, input_shape, dim, keepdim))
    shares = sum_(ties, dim, True)
    return (spread(g, input_shape, dim, keepdim) * ties) / shares


_AMAX = "(Tensor input, int[1] dim=None, bool keepdim=False, *, Tensor? out=None)"


def _reduce_extremum(name: str, ufunc: Any, input: Array, dim: Dims, keepdim: bool) -> Array:
    if input.size == 0:
        if dim is None or dim == ():
            raise RuntimeError(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0. "
                "Specify the reduction dim with the 'dim' argument."
            )
        for each in (dim,) if isinstance(dim, int) else dim:
            if input.shape[wrap_dim(each, input.ndim)] == 0:
                place = wrap_dim(each, input.ndim)
                raise IndexError(f"{name}(): Expected reduction dim {place} to have non-zero size.")
    dims = wrap_dims(dim, input.ndim, ranges_first=True)
    return contiguous(ufunc.reduce(input, axis=dims, keepdims=keepdim))


@op(_AMAX, input=_extremum_input)
def amax(input: Array, dim: Dims = (), keepdim: bool = False) -> Array:
    return _reduce_extremum("amax", np.maximum, input, dim, keepdim)


@op(_AMAX, input=_extremum_input)
def amin(input: Array, dim: Dims = (), keepdim: bool = False) -> Array:
    return _reduce_extremum("amin", np.minimum, input, dim, keepdim)


def _whole_extremum_input(g: Any, input: Any, out: Any) -> Any:
    """max() and min() share the gradient too, among NaNs where the result is one."""
    ties = eq(input, out) | (isnan(input) & isnan(out))
    return where(ties, g / sum_(ties), 0.0)


@op("(Tensor input)", node="MaxBackward1", input=_whole_extremum_input, namespace="internal")
def max_all(input: Array) -> Array:
    return _reduce_extremum("max", np.maximum, input, None, False)


@op("(Tensor input)", node="MinBackward1", input=_whole_extremum_input, namespace="internal")
def min_all(input: Array) -> Array:
    return _reduce_extremum("min", np.minimum, input, None, False)


def _arg(ufunc: Any, input: Array, dim: int | None, keepdim: bool) -> Array:
    """argmax or argmin as torch has it: the first extremum, NaN before all else."""
    if dim is None:
        index = np.asarray(ufunc(input.reshape(-1)))
        return index.reshape((1,) * input.ndim) if keepdim else index
    if input.ndim == 0:
        wrap_dim(dim, 0)
        return np.zeros((), np.int64)
    return np.asarray(ufunc(input, axis=wrap_dim(dim, input.ndim), keepdims=keepdim))


_ARGMAX = "(Tensor input, int? dim=None, bool keepdim=False, *, Tensor? out=None)"


def _check_arg(name: str, input: Array, dim: int | None) -> None:
    if input.dtype.kind == "b":
        raise RuntimeError(f"{name}(): does not support bool input")
    if dim is None and input.size == 0:
        raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
    if dim is not None and input.ndim and input.shape[wrap_dim(dim, input.ndim)] == 0:
        raise IndexError(f"{name}(): Expected reduction dim {wrap_dim(dim, input.ndim)} to have non-zero size.")


@op(_ARGMAX)
def argmax(input: Array, dim: int | None = None, keepdim: bool = False) -> Array:
    _check_arg("argmax", input, dim)
    return _arg(np.argmax, input, dim, keepdim)


@op(_ARGMAX)
def argmin(input: Array, dim: int | None = None, keepdim: bool = False) -> Array:
    _check_arg("argmin", input, dim)
    return _arg(np.argmin, input, dim, keepdim)


def _picked(g: Any, indices: Any, input_shape: Any, dim: int, keepdim: bool) -> Any:
    """The gradient of max(dim) and min(dim): all of it goes to the element that was picked."""
    from .indexing import scatter_along

    return scatter_along(kept(g, input_shape, dim, keepdim), kept(indices, input_shape, dim, keepdim), input_shape, dim)


def _extremum_along(name: str, ufunc: Any, input: Array, dim: int, keepdim: bool) -> tuple[Array, Array]:
    dim = wrap_dim(dim, input.ndim)
    if input.ndim == 0:
        return input.copy(), np.zeros((), np.int64)
    if input.shape[dim] == 0:
        raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size.")
    indices = ufunc(input, axis=dim, keepdims=True)
    values = np.take_along_axis(input, indices, dim)
    return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))


_ALONG = "(Tensor input, int dim, bool keepdim=False)"


@op(_ALONG, name="max_along", node="MaxBackward0", outputs=("values", "indices"), input=_picked, namespace="internal")
def max_along(input: Array, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
    return _extremum_along("max", np.argmax, input, dim, keepdim)


@op(_ALONG, name="min_along", node="MinBackward0", outputs=("values", "indices"), input=_picked, namespace="internal")
def min_along(input: Array, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
    return _extremum_along("min", np.argmin, input, dim, keepdim)


_VAR = (
    "(Tensor input, int[1]? dim, bool unbiased=True, bool keepdim=False, *, Tensor? out=None)",
    "(Tensor input, int[1]? dim=None, *, Number? correction=None, bool keepdim=False, Tensor? out=None)",
    "(Tensor input, bool unbiased=True)",
)


def _freedom(shape: tuple[int, ...], dim: Dims, unbiased: bool, correction: float | None) -> float:
    """The divisor of a variance: the number of elements less Bessel's (or the given) correction, at least 0."""
    return max(count(shape, dim) - _correction(unbiased, correction), 0)


def _correction(unbiased: bool, correction: float | None) -> float:
    return int(unbiased) if correction is None else real_number(correction, "double")


def variance(name: str, input: Array, dim: Dims, unbiased: bool, keepdim: bool, correction: float | None) -> Array:
    """What `name` is made of: computed about the mean in two passes.  UserWarning where nothing is left to divide by."""
    if input.dtype.kind == "c":
        parts = [variance(name, each, dim, unbiased, keepdim, correction) for each in (input.real, input.imag)]
        return np.add(*parts)
    if input.dtype.kind != "f":
        raise RuntimeError("std and var only support floating point and complex dtypes")
    freedom = _freedom(input.shape, dim, unbiased, correction)
    if not freedom or (not input.size and _correction(unbiased, correction) >= 0):
        from .._once import warn_of_call

        warn_of_call(f"{name}(): {_NO_FREEDOM}")
    centred = input - mean.kernel(input, dim, True)
    centred = centred - mean.kernel(centred, dim, True)  # what the mean's own rounding left
    total = sum_.kernel(centred * centred, dim, keepdim)
    return np.true_divide(total, total.dtype.type(freedom))


_NO_FREEDOM = (
    "degrees of freedom is <= 0. Correction should be strictly less than the reduction factor (input numel divided by "
    "output numel)."
)


def _var_input(g: Any, input: Any, dim: Dims, unbiased: bool, keepdim: bool, correction: float | None) -> Any:
    shape = tuple(input.shape)
    freedom = _freedom(shape, dim, unbiased, correction)
    centred = input - mean(input, dim, True)
    if freedom == 0:
        return spread(g, shape, dim, keepdim) * where(eq(centred, 0), math.nan, centred * math.inf)
    return spread(g, shape, dim, keepdim) * (2.0 / freedom) * centred


@op(*_VAR, input=_var_input)
def var(
    input: Array, dim: Dims = None, unbiased: bool = True, keepdim: bool = False, correction: float | None = None
) -> Array:
    """The mean of the squared distances from the mean."""
    return variance("var", input, dim, unbiased, keepdim, correction)


def _std_input(g: Any, input: Any, out: Any, dim: Dims, unbiased: bool, keepdim: bool, correction: float | None) -> Any:
    safe = where(eq(out, 0), 0.0, g / (2 * out))
    return _var_input(safe, input, dim, unbiased, keepdim, correction)


@op(*_VAR, input=_std_input)
def std(
    input: Array, dim: Dims = None, unbiased: bool = True, keepdim: bool = False, correction: float | None = None
) -> Array:
    """The root of the variance."""
    return np.sqrt(variance("std", input, dim, unbiased, keepdim, correction))


def _prod_input(g: Any, input: Any, dim: Dims, keepdim: bool, input_shape: Any) -> Any:
    """The product of all the others, formed without dividing so that zeros are no trouble."""
    return spread(g, input_shape, dim, keepdim) * _products_of_others(input, dim)


def _products_of_others(input: Any, dim: Dims) -> Any:
    from .shape import cat, narrow

    if not input.shape:
        return input * 0 + 1
    if dim is None:
        return reshape(_products_of_others(reshape(input, (-1,)), 0), tuple(input.shape))
    assert isinstance(dim, int)
    size = input.shape[dim]
    slices = [narrow(input, dim, index, 1) for index in range(size)]
    others = []
    for index in range(size):
        product = slices[index] * 0 + 1
        for each in slices[:index] + slices[index + 1 :]:
            product = product * each
        others.append(product)
    return cat(others, dim) if others else input


@op(
    "(Tensor input, *, dtype? dtype=None)",
    "(Tensor input, int dim, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None)",
    node=_node("Prod"),
    saves=("out",),
    input=_prod_input,
)
def prod(input: Array, dim: int | None = None, keepdim: bool = False, dtype: dtype | None = None) -> Array:
    kind = numpy_dtype(dtype) or (np.dtype(np.int64) if input.dtype.kind not in "fc" else input.dtype)
    axis: Any = None if dim is None else wrap_dims(dim, input.ndim)
    product = np.multiply.reduce(cast(input, kind), axis=axis, dtype=kind, keepdims=keepdim)  # type: ignore[call-overload]
    return contiguous(product)


_ANY = (
    "(Tensor input, *, Tensor? out=None)",
    "(Tensor input, int[1]? dim=None, bool keepdim=False, *, Tensor? out=None)",
    "(Tensor input, int dim, bool keepdim=False, *, Tensor? out=None)",
)


def _truth(ufunc: Any, input: Array, dim: Dims, keepdim: bool) -> Array:
    result = contiguous(ufunc.reduce(input, axis=wrap_dims(dim, input.ndim), keepdims=keepdim))
    return result.astype(np.uint8) if input.dtype == np.uint8 else result


@op(*_ANY, name="any")
def any_(input: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    return _truth(np.logical_or, input, dim, keepdim)


@op(*_ANY, name="all")
def all_(input: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    return _truth(np.logical_and, input, dim, keepdim)


# -- softmax ------------------------------------------------------------------------------------------------------

_SOFTMAX = "(Tensor input, int dim, dtype? dtype=None, *, Tensor? out=None)"


def _softmax_argument(name: str, input: Array, dim: int, dtype: dtype | None) -> tuple[Array, int]:
    if dtype is not None:
        input = cast(input, dtype.numpy)
    dim = wrap_dim(dim, input.ndim)
    if input.size:
        check_no_integer(f"{name}_{'lastdim_' if dim == max(input.ndim - 1, 0) else ''}kernel_impl", input)
    if input.dtype.itemsize == 2:  # as in torch: computed in float32, rounded once
        input = input.astype(np.float32)
    return input if input.flags.c_contiguous else input.copy(), dim


def _less_maxima(x: Array, dim: int) -> Array:
    """x - max(x) along `dim`."""
    if dim != x.ndim - 1:
        return x - np.maximum.reduce(x, axis=dim, keepdims=True)
    return x - row_maxima(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:-1], 1)


def _totals(x: Array, dim: int) -> Array:
    """sum(x) along `dim`, which is kept."""
    if dim != x.ndim - 1 or not x.size or not x.flags.c_contiguous:
        return np.add.reduce(x, axis=dim, keepdims=True)
    return row_sums(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:-1], 1)


def _softmax_curvature(g: Any, grad: Any, result: Any, dim: int) -> Any:
    """The derivative by y of sum(g y (grad - sum(grad y)))."""
    return g * grad - g * sum_(grad * result, dim, True) - grad * sum_(g * result, dim, True)


@op(
    "(Tensor grad, Tensor result, int dim)",
    arity=2,
    namespace="internal",
    node="SoftmaxBackwardDataBackward0",
    grad=lambda g, result, dim: softmax_gradient(g, result, dim),
    result=_softmax_curvature,
)
def softmax_gradient(grad: Array, result: Array, dim: int) -> Array:
    """(grad - sum(grad y)) y, y being the result."""
    if result.dtype.itemsize == 2:
        return softmax_gradient.kernel(grad.astype(np.float32), result.astype(np.float32), dim).astype(np.float16)
    if result.ndim == 0:
        return np.zeros_like(grad)
    dim = wrap_dim(dim, result.ndim)
    last = dim == result.ndim - 1
    share = np.vecdot(grad, result, keepdims=True) if last else _totals(grad * result, dim)  # type: ignore[call-overload]
    gradient = grad - share
    gradient *= result
    return gradient


@op(_SOFTMAX, input=lambda g, out, dim: softmax_gradient(g, out, dim))
def softmax(input: Array, dim: int, dtype: dtype | None = None) -> Array:
    kind = input.dtype if dtype is None else dtype.numpy
    input, dim = _softmax_argument("softmax", input, dim, dtype)
    if input.size == 0 or input.ndim == 0:
        result = np.exp(input - input) if input.ndim == 0 else input.copy()
    else:
        result = _less_maxima(input, dim)
        np.exp(result, result)
        result /= _totals(result, dim)
    return result if kind.itemsize > 2 else result.astype(kind)


@op(
    "(Tensor grad, Tensor result, int dim)",
    arity=2,
    namespace="internal",
    node="LogSoftmaxBackwardDataBackward0",
    grad=lambda g, result, dim: g - sum_(g * exp(result), dim, True),
    result=lambda g, grad, result, dim: -(g * exp(result)) * sum_(grad, dim, True),
)
def log_softmax_gradient(grad: Array, result: Array, dim: int) -> Array:
    """grad - exp(y) sum(grad), y being the result."""
    if result.dtype.itemsize == 2:
        return log_softmax_gradient.kernel(grad.astype(np.float32), result.astype(np.float32), dim).astype(np.float16)
    if result.ndim == 0:
        return np.zeros_like(grad)
    gradient = np.exp(result)
    gradient *= _totals(grad, wrap_dim(dim, result.ndim))
    return np.subtract(grad, gradient, gradient)


@op(_SOFTMAX, node="LogSoftmaxBackward0", input=lambda g, out, dim: log_softmax_gradient(g, out, dim))
def log_softmax(input: Array, dim: int, dtype: dtype | None = None) -> Array:
    kind = input.dtype if dtype is None else dtype.numpy
    input, dim = _softmax_argument("log_softmax", input, dim, dtype)
    if input.size == 0 or input.ndim == 0:
        result = input - input if input.ndim == 0 else input.copy()
    else:
        result = _less_maxima(input, dim)
        result -= np.log(_totals(np.exp(result), dim))
    return result if kind.itemsize > 2 else result.astype(kind)


def _logsumexp_input(g: Any, input: Any, out: Any, input_shape: Any, dim: Dims, keepdim: bool) -> Any:
    return spread(g, input_shape, dim, keepdim) * exp(input - kept(out, input_shape, dim, keepdim))


@op("(Tensor input, int[1] dim, bool keepdim=False, *, Tensor? out=None)", input=_logsumexp_input)
def logsumexp(input: Array, dim: Dims, keepdim: bool = False) -> Array:
    if input.dtype.kind != "f":
        input = input.astype(default_numpy_dtype())
    axis: Any = wrap_dims(dim, input.ndim, ranges_first=True)
    if dim == () and input.ndim and input.size and not keepdim:  # torch sums over all, and drops no dimension
        raise RuntimeError(f"output with shape [] doesn't match the broadcast shape {sizes((1,) * input.ndim)}")
    if input.size == 0:
        return np.log(np.add.reduce(np.exp(input), axis=axis, keepdims=keepdim))  # type: ignore[call-overload]
    top = np.maximum.reduce(input, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, top.dtype.type(0))
    total = np.log(np.add.reduce(np.exp(input - top), axis=axis, keepdims=True)) + top
    return total if keepdim else total.squeeze(axis)
