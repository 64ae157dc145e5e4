"""The smooth activation functions of nn: GELU, SiLU, Mish, softplus, log-sigmoid and GLU.

Each has a gradient op of its own, as in torch, so that the eager backward is one kernel and a recorded one is a graph
that can be differentiated again.  Where forward has computed what backward needs as well, the op keeps it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._layout import unless_exposed
from ._checks import check_no_integer, laid_out, wrap_dim
from ._elements import at_most, constant, logistic, select
from ._normal_cdf import normal_cdf
from ._precision import by_rows, elementwise, forward, single
from ._table import Array, op
from .elementwise import exp, sigmoid, tanh, where
from .indexing import scatter_slice
from .shape import narrow

# -- GELU ---------------------------------------------------------------------------------------------------------

_BELL = 1 / math.sqrt(2 * math.pi)
_SLOPE, _CUBIC = math.sqrt(2 / math.pi), 0.044715  # tanh's argument is _SLOPE (x + _CUBIC x^3)


def _gelu_curvature(g: Any, grad: Any, input: Any, approximate: str) -> Any:
    """The derivative of GELU's gradient by the input: g * grad * gelu''(input)."""
    g, grad, input = map(single, (g, grad, input))
    square = input * input
    if approximate == "none":
        return (g * grad) * (_BELL * exp(-0.5 * square) * (2 - square))
    u = _SLOPE * (input + _CUBIC * (square * input))
    slope = _SLOPE * (1 + 3 * _CUBIC * square)
    squared_sech = 4 * sigmoid(2 * u) * sigmoid(-2 * u)
    return (g * grad) * (squared_sech * (slope + (3 * _SLOPE * _CUBIC) * square - input * tanh(u) * slope * slope))


@op(
    "(Tensor grad, Tensor input, str approximate)",
    arity=2,
    namespace="internal",
    node="GeluBackwardBackward0",
    grad=lambda g, input, approximate: gelu_gradient(g, input, approximate),
    input=_gelu_curvature,
)
def gelu_gradient(grad: Array, input: Array, approximate: str, cdf: Array | None = None) -> Array:
    """grad * gelu'(input); `cdf` is the factor of the input that forward came to, if it is still known."""
    compute = _gelu_gradient if approximate == "none" else _gelu_tanh_gradient
    result: Array = elementwise(compute, (grad, input, unless_exposed(cdf, input)))
    return result


def _gelu_gradient(grad: Array, x: Array, cdf: Array | None) -> Array:
    """(Phi(x) + x phi(x)) grad."""
    slope = x * x
    slope *= constant(-0.5, x.dtype)
    np.exp(slope, slope)
    slope *= x
    slope *= constant(_BELL, x.dtype)
    slope += normal_cdf(x) if cdf is None else cdf
    slope *= grad
    return slope


def _gelu_tanh_gradient(grad: Array, x: Array, cdf: Array | None) -> Array:
    """(c + x c (1 - c) 2u'(x)) grad, c being the logistic function of 2u(x)."""
    if cdf is None:
        cdf = _logistic_of_cubic(x)
    slope = x * x
    slope *= constant(6 * _SLOPE * _CUBIC, x.dtype)
    slope += constant(2 * _SLOPE, x.dtype)
    slope *= x
    slope *= np.subtract(constant(1, x.dtype), cdf)
    slope += constant(1, x.dtype)
    slope *= cdf
    slope *= grad
    return slope


@op(
    '(Tensor input, *, str approximate="none")',
    namespace="nn",
    keeps=("cdf",),
    input=lambda g, input, approximate, cdf: gelu_gradient(g, input, approximate, cdf),
)
def gelu(input: Array, approximate: str = "none") -> tuple[Array, Array]:
    """x Phi(x), of the normal distribution (Hendrycks and Gimpel 2016), or of its approximation by tanh."""
    if approximate == "none":
        result: tuple[Array, Array] = forward("GeluKernelImpl", _gelu, input)
    elif approximate == "tanh":
        result = forward("GeluKernelImpl", _gelu_tanh, input)
    else:
        raise RuntimeError("approximate argument must be either none or tanh.")
    return result


def _gelu(x: Array) -> tuple[Array, Array]:
    cdf = normal_cdf(x)
    return x * cdf, cdf


def _gelu_tanh(x: Array) -> tuple[Array, Array]:
    cdf = _logistic_of_cubic(x)
    return x * cdf, cdf


def _logistic_of_cubic(x: Array) -> Array:
    """(1 + tanh u) / 2 = 1 / (1 + exp(-2u)), which does not cancel where u is large and negative."""
    value = x * x
    value *= constant(-2 * _SLOPE * _CUBIC, x.dtype)
    value += constant(-2 * _SLOPE, x.dtype)
    value *= x
    return logistic(value)


# -- SiLU ---------------------------------------------------------------------------------------------------------


def _silu_curvature(g: Any, grad: Any, input: Any) -> Any:
    g, grad, input = map(single, (g, grad, input))
    s = sigmoid(input)
    return (g * grad) * (s * (1 - s) * (2 + input * (1 - 2 * s)))


@op(
    "(Tensor grad, Tensor input)",
    arity=2,
    namespace="internal",
    node="MulBackward0",
    grad=lambda g, input: silu_gradient(g, input),
    input=_silu_curvature,
)
def silu_gradient(grad: Array, input: Array, gate: Array | None = None) -> Array:
    """s (1 + x (1 - s)) grad, s = sigmoid(x); `gate` is s, if forward kept it."""
    result: Array = elementwise(_silu_gradient, (grad, input, unless_exposed(gate, input)))
    return result


def _silu_gradient(grad: Array, x: Array, gate: Array | None) -> Array:
    if gate is None:
        gate = logistic(-x)
    one = constant(1, x.dtype)
    slope = np.subtract(one, gate)
    slope *= x
    slope += one
    slope *= gate
    slope *= grad
    return slope


@op(
    "(Tensor input)",
    namespace="nn",
    keeps=("gate",),
    input=lambda g, input, gate: silu_gradient(g, input, gate),
)
def silu(input: Array) -> tuple[Array, Array]:
    """x sigmoid(x) (Elfwing et al. 2017), with the sigmoid."""
    result: tuple[Array, Array] = forward("silu_cpu", _silu, input)
    return result


def _silu(x: Array) -> tuple[Array, Array]:
    gate = logistic(-x)
    return x * gate, gate


@op(
    "(Tensor input)",
    name="silu_in_place",
    inplace=True,
    namespace="internal",
    node="SiluBackward0",
    input=lambda g, input: silu_gradient(g, input),
)
def _silu_in_place(input: Array) -> Array:
    return silu.kernel(input)[0]


# -- Mish ---------------------------------------------------------------------------------------------------------

# Beyond this, exp(x) of a value x is so large that tanh(softplus(x)) is 1 in float64.
_SATURATED = 20.0


def _mish_curvature(g: Any, grad: Any, input: Any) -> Any:
    g, grad, input = map(single, (g, grad, input))
    s = sigmoid(input)
    t = _squashed(input)
    return (g * grad) * ((1 - t * t) * s * (2 + input * (1 - s) - 2 * (input * t * s)))


def _squashed(x: Any) -> Any:
    """tanh(softplus(x)) by ops of the table: (p - 1) / (p + 1), p = (1 + exp(x))^2."""
    p = exp(where(x < _SATURATED, x, _SATURATED))
    p = p * (p + 2)
    return p / (p + 2)


@op(
    "(Tensor grad, Tensor input)",
    arity=2,
    namespace="internal",
    node="MulBackward0",
    grad=lambda g, input: mish_gradient(g, input),
    input=_mish_curvature,
)
def mish_gradient(grad: Array, input: Array, squashed: Array | None = None) -> Array:
    """(t + x s (1 - t^2)) grad, t = tanh(softplus(x)), s = sigmoid(x); `squashed` is t, if forward kept it."""
    result: Array = elementwise(_mish_gradient, (grad, input, unless_exposed(squashed, input)))
    return result


def _mish_gradient(grad: Array, x: Array, squashed: Array | None) -> Array:
    t = _tanh_of_softplus(x) if squashed is None else squashed
    slope = t * t
    np.subtract(constant(1, x.dtype), slope, slope)
    slope *= logistic(-x)
    slope *= x
    slope += t
    slope *= grad
    return slope


@op(
    "(Tensor input)",
    namespace="nn",
    keeps=("squashed",),
    input=lambda g, input, squashed: mish_gradient(g, input, squashed),
)
def mish(input: Array) -> tuple[Array, Array]:
    """x tanh(softplus(x)) (Misra 2019), with the tanh."""
    result: tuple[Array, Array] = forward("mish_cpu", _mish, input)
    return result


def _mish(x: Array) -> tuple[Array, Array]:
    squashed = _tanh_of_softplus(x)
    return x * squashed, squashed


def _tanh_of_softplus(x: Array) -> Array:
    two = constant(2, x.dtype)
    value = at_most(x, _SATURATED)
    np.exp(value, value)
    value *= value + two
    return np.divide(value, value + two, value)


@op(
    "(Tensor input)",
    name="mish_in_place",
    inplace=True,
    namespace="internal",
    node="MishBackward0",
    input=lambda g, input: mish_gradient(g, input),
)
def _mish_in_place(input: Array) -> Array:
    return mish.kernel(input)[0]


# -- softplus and log-sigmoid -------------------------------------------------------------------------------------


def _softplus_curvature(g: Any, grad: Any, input: Any, beta: float, threshold: float) -> Any:
    g, grad, input = map(single, (g, grad, input))
    s = sigmoid(input * beta)
    return where(input * beta >= threshold, 0.0, (g * grad) * (s * (1 - s) * beta))


@op(
    "(Tensor grad, Tensor input, Number beta, Number threshold)",
    arity=2,
    namespace="internal",
    node="SoftplusBackwardBackward0",
    grad=lambda g, input, beta, threshold: softplus_gradient(g, input, beta, threshold),
    input=_softplus_curvature,
)
def softplus_gradient(grad: Array, input: Array, beta: float, threshold: float) -> Array:
    """grad * sigmoid(beta x), or grad where softplus is linear."""
    result: Array = elementwise(_softplus_gradient, (grad, input), beta, threshold)
    return result


def _softplus_gradient(grad: Array, x: Array, beta: float, threshold: float) -> Array:
    linear = x * constant(beta, x.dtype) > constant(threshold, x.dtype)
    slope = logistic(x * constant(-beta, x.dtype))
    slope *= grad
    return select(linear, grad, slope)


@op(
    "(Tensor input, Number beta=1, Number threshold=20)",
    namespace="nn",
    input=lambda g, input, beta, threshold: softplus_gradient(g, input, beta, threshold),
)
def softplus(input: Array, beta: float = 1, threshold: float = 20) -> Array:
    """log(1 + exp(beta x)) / beta, or x where beta x is above the threshold."""
    result: Array = forward("softplus_cpu", _softplus, input, beta, threshold)
    return result


def _softplus(x: Array, beta: float, threshold: float) -> Array:
    scaled = x if beta == 1 else x * constant(beta, x.dtype)
    linear = scaled > constant(threshold, x.dtype)
    value = np.exp(at_most(scaled, threshold))
    np.log1p(value, value)
    if beta != 1:
        value /= constant(beta, x.dtype)
    return select(linear, x, value)


def _log_sigmoid_curvature(g: Any, grad: Any, input: Any) -> Any:
    g, grad, input = map(single, (g, grad, input))
    s = sigmoid(input)
    return (g * grad) * (s * (s - 1))


@op(
    "(Tensor grad, Tensor input)",
    arity=2,
    namespace="internal",
    node="LogSigmoidBackwardBackward0",
    grad=lambda g, input: log_sigmoid_gradient(g, input),
    input=_log_sigmoid_curvature,
)
def log_sigmoid_gradient(grad: Array, input: Array) -> Array:
    """grad * sigmoid(-x)."""
    result: Array = elementwise(_log_sigmoid_gradient, (grad, input))
    return result


def _log_sigmoid_gradient(grad: Array, x: Array) -> Array:
    slope = logistic(x.copy())
    slope *= grad
    return slope


@op("(Tensor input)", namespace="nn", input=lambda g, input: log_sigmoid_gradient(g, input))
def log_sigmoid(input: Array) -> Array:
    """log(sigmoid(x)) = min(x, 0) - log(1 + exp(-|x|)), laid out row by row."""
    result: Array = forward("log_sigmoid_cpu", log_of_sigmoid, by_rows(input))
    return result


def log_of_sigmoid(x: Array) -> Array:
    """log(sigmoid(x)) of an array that is at least 1-d."""
    value = np.abs(x)
    np.negative(value, value)
    np.exp(value, value)
    np.log1p(value, value)
    return np.subtract(at_most(x, 0.0), value, value)


# -- GLU ----------------------------------------------------------------------------------------------------------


def _halves(x: Any, dim: int) -> tuple[Any, Any]:
    half = x.shape[dim] // 2
    return narrow(x, dim, 0, half), narrow(x, dim, half, half)


def _glu_gradient_grad(g: Any, input: Any, dim: int) -> Any:
    a, b = _halves(input, dim)
    to_a, to_b = _halves(g, dim)
    s = sigmoid(b)
    return to_a * s + to_b * (a * s * (1 - s))


def _glu_gradient_input(g: Any, grad: Any, input: Any, dim: int) -> Any:
    a, b = _halves(input, dim)
    to_a, to_b = _halves(g, dim)
    s = sigmoid(b)
    slope = grad * (s * (1 - s))
    half, shape = a.shape[dim], input.shape
    by_a, by_b = to_b * slope, to_a * slope + to_b * (a * slope * (1 - 2 * s))
    return scatter_slice(by_a, shape, dim, 0, half) + scatter_slice(by_b, shape, dim, half, half)


@op(
    "(Tensor grad, Tensor input, int dim)",
    arity=2,
    namespace="internal",
    node="GluBackwardBackward0",
    grad=_glu_gradient_grad,
    input=_glu_gradient_input,
)
def glu_gradient(grad: Array, input: Array, dim: int) -> Array:
    """The gradient of a * sigmoid(b) by both halves, one behind the other."""
    dtype = input.dtype
    if dtype.itemsize == 2:
        grad, input = grad.astype(np.float32), input.astype(np.float32)
    dim = wrap_dim(dim, input.ndim)
    gated, gate = _halves_of_array(input, dim)
    result = np.empty(input.shape, input.dtype)
    to_a, to_b = _halves_of_array(result, dim)
    slope = logistic(-gate)
    np.multiply(slope, grad, to_a)
    np.subtract(constant(1, input.dtype), slope, slope)
    slope *= gated
    np.multiply(slope, to_a, to_b)
    return result if dtype.itemsize > 2 else result.astype(dtype)


def _halves_of_array(x: Array, dim: int) -> tuple[Array, Array]:
    half = x.shape[dim] // 2
    before = (slice(None),) * dim
    return x[(*before, slice(0, half))], x[(*before, slice(half, None))]


@op("(Tensor input, int dim=-1)", namespace="nn", input=lambda g, input, dim: glu_gradient(g, input, dim))
def glu(input: Array, dim: int = -1) -> Array:
    """a * sigmoid(b) of the two halves of `dim` (Dauphin et al. 2016)."""
    dim = wrap_dim(dim, input.ndim)
    if input.shape[dim] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {input.shape[dim]}")
    check_no_integer("glu_cpu", input)
    dtype = input.dtype
    gated, gate = _halves_of_array(input, dim)
    if dtype.itemsize == 2:
        gated, gate = gated.astype(np.float32), gate.astype(np.float32)
    result = logistic(-gate)
    result *= gated
    return laid_out(result if dtype.itemsize > 2 else result.astype(dtype), gated)
