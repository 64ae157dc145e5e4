"""The activation functions of nn."""

from __future__ import annotations

import numpy as np

from ._checks import check_no_integer
from ._table import Array, op
from .elementwise import zeros_of


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
    return np.where(result <= 0, grad.dtype.type(0), grad)


@op("(Tensor input)", inplace=True, input=lambda g, out: relu_gradient(g, out))
def relu(input: Array) -> Array:
    """max(x, 0), of which -0. remains -0.; the gradient at 0 is 0."""
    if input.dtype.kind == "b":
        raise RuntimeError("Boolean inputs not supported for relu")
    return np.maximum(0, input)  # in this order -0. comes out as -0.


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
