"""The activation functions of nn."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._checks import check_no_integer
from ._table import Array, op
from .elementwise import zeros_of

_SMALL = 512  # elements, up to which the number of NumPy calls counts and not what they do
_BITS: dict[int, Any] = {2: np.dtype(np.int16), 4: np.dtype(np.int32), 8: np.dtype(np.int64)}
_ZEROS = {each: np.zeros((), each) for each in map(np.dtype, ("f2", "f4", "f8", "u1", "i1", "i2", "i4", "i8"))}


def zero_where(mask: Array, x: Array) -> Array:
    """`x` with 0 where `mask` holds, infinities and NaNs elsewhere kept: what np.where does, without its branches."""
    if x.size <= _SMALL:
        result = x.copy(order="K")
        np.putmask(result, mask, _ZEROS[x.dtype])
        return result
    bits = _BITS[x.itemsize]
    return np.multiply(x.view(bits), ~mask).view(x.dtype)


@op(
    "(Tensor grad, Tensor result)",
    arity=2,
    namespace="internal",
    node="ThresholdBackwardBackward0",
    grad=lambda g, result: relu_gradient(g, result),
    result=lambda g: zeros_of(g),
)
def relu_gradient(grad: Array, result: Array) -> Array:
    """`grad` where relu's result is positive (or NaN), elsewhere 0."""
    return zero_where(np.less_equal(result, _ZEROS[result.dtype]), grad)


@op("(Tensor input)", inplace=True, input=lambda g, out: relu_gradient(g, out))
def relu(input: Array) -> Array:
    """max(x, 0), of which -0. remains -0.; the gradient at 0 is 0."""
    if input.dtype.kind == "b":
        raise RuntimeError("Boolean inputs not supported for relu")
    if input.size <= _SMALL:
        return np.maximum(_ZEROS[input.dtype], input)  # in this order -0. comes out as -0.
    return np.maximum(np.zeros(input.shape[-1:], input.dtype), input)  # by rows NumPy's maximum is SIMD


@op(
    "(Tensor grad, Tensor input, Number negative_slope)",
    arity=2,
    namespace="internal",
    node="LeakyReluBackwardBackward0",
    grad=lambda g, input, negative_slope: leaky_relu_gradient(g, input, negative_slope),
    input=lambda g: zeros_of(g),
)
def leaky_relu_gradient(grad: Array, input: Array, negative_slope: float) -> Array:
    return np.where(input > 0, grad, grad * negative_slope)


@op(
    "(Tensor input, Number negative_slope=0.01)",
    inplace=True,
    inplace_node="LeakyReluBackward1",
    input=lambda g, input, negative_slope: leaky_relu_gradient(g, input, negative_slope),
    namespace="nn",
)
def leaky_relu(input: Array, negative_slope: float = 0.01) -> Array:
    """x where x > 0, elsewhere negative_slope * x."""
    check_no_integer("leaky_relu_cpu", input)
    return np.where(input > 0, input, input * negative_slope)
