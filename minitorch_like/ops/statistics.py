"""Reductions that few programs use: both extrema at once, sums without NaN, counts, distances and norms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._dtype import FROM_NUMPY, can_cast, default_numpy_dtype, dtype
from ._checks import Dims, cast, derivable, is_complex, not_implemented, wrap_dim, wrap_dims
from ._elements import array
from ._table import Array, Op, op
from .elementwise import abs, direction, eq, isnan, pow, sub, where
from .reductions import (
    _std_input,
    _var_input,
    amax,
    amin,
    contiguous,
    count,
    kept,
    mean,
    spread,
    std,
    sum_,
    var,
    variance,
)

# -- both extrema ---------------------------------------------------------------------------------------------------


def _aminmax_input(gs: Any, input: Any, min: Any, max: Any, dim: Any, keepdim: bool, needs: Any) -> tuple[Any]:
    """Each extremum shares its gradient among the elements that equal it."""
    shape = tuple(input.shape)
    total = None
    for g, extremum in zip(gs, (min, max), strict=True):
        if g is not None:
            ties = eq(input, kept(extremum, shape, dim, keepdim))
            share = spread(g, shape, dim, keepdim) * ties / sum_(ties, dim, True)
            total = share if total is None else total + share
    return (total,)


@op(
    "(Tensor input, *, int? dim=None, bool keepdim=False)",
    name="aminmax_of",
    node="AminmaxBackward0",
    namespace="internal",
    outputs=("min", "max"),
    joint=_aminmax_input,
)
def aminmax(input: Array, dim: int | None = None, keepdim: bool = False) -> tuple[Array, Array]:
    if dim is None and input.size == 0:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    if dim is not None and input.ndim and input.shape[wrap_dim(dim, input.ndim)] == 0:
        raise IndexError(f"aminmax: Expected reduction dim {wrap_dim(dim, input.ndim)} to have non-zero size.")
    return amin.kernel(input, dim, keepdim), amax.kernel(input, dim, keepdim)


# -- sums -----------------------------------------------------------------------------------------------------------


@op(
    "(Tensor input, int[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None)",
    node=lambda input, dim=None, keepdim=False, dtype=None: derivable("NansumBackward0", dtype),
    input=lambda g, input, input_shape, dim, keepdim: where(isnan(input), 0.0, spread(g, input_shape, dim, keepdim)),
)
def nansum(input: Array, dim: Dims = None, keepdim: bool = False, dtype: dtype | None = None) -> Array:
    """The sum of what is a number."""
    if dtype is not None and dtype.is_complex and input.size:
        raise not_implemented("nansum_cpu", np.empty(0, dtype.numpy))
    if input.dtype.kind == "f":
        input = np.where(np.isnan(input), input.dtype.type(0), input)
    wrap_dims(dim, input.ndim)
    result: Array = sum_.kernel(input, dim, keepdim, dtype)
    return result


@op("(Tensor input, int? dim=None)", "(Tensor input, int[] dim)")
def count_nonzero(input: Array, dim: Dims = None) -> Array:
    dims = wrap_dims(dim, input.ndim)
    return contiguous(np.add.reduce(np.not_equal(input, 0), axis=dims, dtype=np.int64))


# -- norms ------------------------------------------------------------------------------------------------------------


def check_norm(input: Array, ord: Any, dtype: dtype | None, name: str = "linalg.vector_norm") -> None:
    """torch's objections to a norm of these numbers, computed in `dtype`; `name`: what raises them."""
    if isinstance(ord, complex):
        raise RuntimeError(f"{name}: Expected a non-complex scalar as the order of norm.")
    given = FROM_NUMPY[input.dtype]
    if not (given.is_floating_point or given.is_complex):
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {given.title}")
    if dtype is None:
        return
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(f"{name}: dtype should be floating point or complex, but got {dtype.title}")
    if dtype.is_complex is not given.is_complex:
        kind = "complex" if given.is_complex else "real"
        raise RuntimeError(f"{name}: dtype should be {kind} for {kind} inputs, but got {dtype.title}")
    if (
        not can_cast(given, dtype)
        or dtype.itemsize < given.itemsize
        or {given.title, dtype.title} == {"Half", "BFloat16"}
    ):
        raise RuntimeError(
            f"{name}: the dtype of the input ({given.title}) should be convertible without narrowing to the "
            f"specified dtype ({dtype.title})"
        )


def _vector_norm_input(g: Any, input: Any, out: Any, ord: float, dim: Dims, keepdim: bool) -> Any:
    """g sign(x) (|x| / norm)^(p - 1): 0 where the norm is 0, shared among the extrema where p is infinite."""
    shape = tuple(input.shape)
    g, norm = spread(g, shape, dim, keepdim), kept(out, shape, dim, keepdim)
    if ord == 0:
        return where(isnan(input), 0.0, g * 0.0)
    if ord == 2:
        return where(norm == 0, 0.0, g * (input / norm))
    if ord == 1:
        return g * direction(input)
    magnitude = abs(input)
    if math.isinf(ord):
        extreme = eq(magnitude, norm) | (isnan(magnitude) & isnan(norm))
        return g * direction(input) * extreme / sum_(extreme, dim, True)
    if ord < 1:
        return where(input == 0, 0.0, g * direction(input) * pow(magnitude, ord - 1) * pow(norm, 1 - ord))
    return where(norm == 0, 0.0, g * direction(input) * pow(magnitude / norm, ord - 1))


@op(
    "(Tensor input, Number ord=2, int[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None)",
    node="LinalgVectorNormBackward0",
    namespace="internal",
    input=_vector_norm_input,
)
def vector_norm(
    input: Array, ord: float = 2, dim: Dims = None, keepdim: bool = False, dtype: dtype | None = None
) -> Array:
    """(sum |x|^p)^(1/p) over `dim`; the number of what is not 0 for p = 0, extrema for infinite p."""
    check_norm(input, ord, dtype)
    axis: Any = wrap_dims(dim, input.ndim)
    if not input.size and (ord < 0 or math.isinf(ord)):
        _check_not_empty(input, ord, dim, axis)
    x = input if dtype is None else cast(input, dtype.numpy)
    magnitude = np.abs(x) if x.dtype.kind == "c" or ord != 2 else x
    if ord == 2:
        total = np.sqrt(np.add.reduce(magnitude * magnitude, axis=axis, keepdims=keepdim))  # type: ignore[call-overload]
    elif ord == 0:
        total = np.add.reduce(magnitude != 0, axis=axis, keepdims=keepdim, dtype=magnitude.dtype)  # type: ignore[call-overload]
    elif ord == 1:
        total = np.add.reduce(magnitude, axis=axis, keepdims=keepdim)  # type: ignore[call-overload]
    elif math.isinf(ord):
        total = (np.maximum if ord > 0 else np.minimum).reduce(magnitude, axis=axis, keepdims=keepdim)  # type: ignore[call-overload]
    else:
        total = np.power(np.add.reduce(np.power(magnitude, ord), axis=axis, keepdims=keepdim), 1 / ord)  # type: ignore[call-overload]
    return contiguous(array(total))


def _check_not_empty(input: Array, ord: float, dim: Dims, axis: tuple[int, ...]) -> None:
    """RuntimeError where a norm of no numbers is asked for that is none of them."""
    if dim is None or dim in ((), []):
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {ord:g} norm on an empty tensor because the operation does not have an "
            "identity"
        )
    for each in axis:
        if not input.shape[each]:
            raise RuntimeError(
                f"linalg.vector_norm cannot compute the {ord:g} norm on the dimension {each}because this dimension is empty "
                "and the operation does not have an identity"
            )


@op(
    "(Tensor input, Tensor other, Number p=2)",
    arity=2,
    input=lambda g, input, other, out, p: _vector_norm_input(g, input - other, out, p, None, False),
    other=lambda g, input, other, out, p: -_vector_norm_input(g, input - other, out, p, None, False),
)
def dist(input: Array, other: Array, p: float = 2) -> Array:
    """The p-norm of the difference."""
    difference = sub.kernel(input, other)
    if difference.dtype.kind not in "fc":
        title = FROM_NUMPY[difference.dtype].title
        raise RuntimeError(f"norm(): input dtype should be either floating point or complex. Got {title} instead.")
    result: Array = vector_norm.kernel(difference, p)
    return result


def _scales(input: Any, p: float, dim: int, maxnorm: float) -> Any:
    """For each slice along `dim` the factor that brings its norm to `maxnorm`, if it is larger."""
    dims = tuple(each for each in range(len(input.shape)) if each != wrap_dim(dim, len(input.shape)))
    norm = vector_norm(input, p, dims, True)
    return where(norm > maxnorm, maxnorm / (norm + 1e-7), 1.0)


@op(
    "(Tensor input, Number p, int dim, Number maxnorm, *, Tensor? out=None)",
    inplace=True,
    holomorphic=False,
    input=lambda g, input, p, dim, maxnorm: _renorm_input(g, input, p, dim, maxnorm),
)
def renorm(input: Array, p: float, dim: int, maxnorm: float) -> Array:
    """`input`, the slices of which along `dim` are scaled down to a norm of at most `maxnorm`."""
    if isinstance(p, complex):
        raise RuntimeError("renorm: p must be real-valued")
    if not p > 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if isinstance(maxnorm, complex):
        raise RuntimeError("renorm: maxnorm must be real-valued")
    if not maxnorm >= 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}")
    if input.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    return contiguous(input * cast(_scales(input, p, dim, maxnorm), input.dtype))


def _renorm_input(g: Any, input: Any, p: float, dim: int, maxnorm: float) -> Any:
    """Of a slice that was scaled by s = maxnorm / norm, g s less what changes the norm."""
    dims = tuple(each for each in range(len(input.shape)) if each != wrap_dim(dim, len(input.shape)))
    norm = vector_norm(input, p, dims, True)
    along = sum_(_real_product(g, input), dims, True)
    shrunk = norm + 1e-7
    slope = _vector_norm_input(along, input, norm, p, dims, True)
    return where(norm > maxnorm, (g * shrunk - slope) * (maxnorm / (shrunk * shrunk)), g)


def _real_product(g: Any, x: Any) -> Any:
    """By how much a step along x changes what has the gradient g: the real part of g conj(x)."""
    if not is_complex(x):
        return g * x
    from .complex import conj, real

    return real(g * conj(x))


# -- variances with their means ---------------------------------------------------------------------------------------


def _var_mean_input(gs: Any, input: Any, dim: Any, unbiased: Any, keepdim: Any, correction: Any) -> tuple[Any]:
    through_var = None if gs[0] is None else _var_input(gs[0], input, dim, unbiased, keepdim, correction)
    return (_plus_mean(through_var, gs[1], input, dim, keepdim),)


def _std_mean_input(
    gs: Any, input: Any, out: Any, dim: Any, unbiased: Any, keepdim: Any, correction: Any
) -> tuple[Any]:
    through_std = None if gs[0] is None else _std_input(gs[0], input, out, dim, unbiased, keepdim, correction)
    return (_plus_mean(through_std, gs[1], input, dim, keepdim),)


def _plus_mean(total: Any, g: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    """The gradient through the other moment, if any, and that through the mean."""
    if g is None:
        return total
    shape = tuple(input.shape)
    share = spread(g, shape, dim, keepdim) / count(shape, dim)
    return share if total is None else total + share


def _with_mean(moment: Op, rule: Any) -> Op:
    """A variance or deviation, and the mean: two results of one node."""

    def kernel(
        input: Array, dim: Dims = None, unbiased: bool = True, keepdim: bool = False, correction: float | None = None
    ) -> tuple[Array, Array]:
        result = variance(name, input, dim, unbiased, keepdim, correction)
        return np.sqrt(result) if moment is std else result, mean.kernel(input, dim, keepdim)

    name = f"{moment.name}_mean"
    stem = name.title().replace("_", "")
    return op(
        *moment.texts,
        name=f"{name}_of",
        node=f"{stem}Backward0",
        namespace="internal",
        outputs=("out", "mean"),
        joint=rule,
    )(kernel)


var_mean = _with_mean(var, _var_mean_input)
std_mean = _with_mean(std, _std_mean_input)


@op("(Tensor input, Number factor)", namespace="internal", node="MulBackward1", input=lambda g, factor: g * factor)
def mul_number(input: Array, factor: float) -> Array:
    """A product inside a composed function, which torch tells apart from the user's."""
    return input * factor if input.dtype.kind in "fc" else cast(input, default_numpy_dtype()) * factor
