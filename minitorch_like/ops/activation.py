"""ReLU and leaky ReLU; the other activation functions of nn are in `activation_piecewise` and `activation_smooth`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._checks import laid_out
from ._elements import at_least, constant, select, zero_where
from ._precision import elementwise, forward
from ._table import Array, op
from .elementwise import zeros_of

# -- ReLU ------------------------------------------------------------------------------------------------------------


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
    return zero_where(result <= constant(0, result.dtype), grad)


@op("(Tensor input)", inplace=True, input=lambda g, out: relu_gradient(g, out))
def relu(input: Array) -> Array:
    """max(x, 0), of which -0. remains -0.; the gradient at 0 is 0."""
    if input.dtype.kind == "b":
        raise RuntimeError("Boolean inputs not supported for relu")
    return laid_out(at_least(input, 0), input)


# -- leaky ReLU ---------------------------------------------------------------------------------------------------


@op(
    "(Tensor grad, Tensor input, Number negative_slope)",
    arity=2,
    namespace="internal",
    node="LeakyReluBackwardBackward0",
    grad=lambda g, input, negative_slope: leaky_relu_gradient(g, input, negative_slope),
    input=lambda g: zeros_of(g),
)
def leaky_relu_gradient(grad: Array, input: Array, negative_slope: float) -> Array:
    """grad where the input is positive, elsewhere negative_slope * grad."""
    result: Array = elementwise(_leaky_relu_gradient, (grad, input), negative_slope)
    return result


def _leaky_relu_gradient(grad: Array, x: Array, negative_slope: float) -> Array:
    return select(x > constant(0, x.dtype), grad, grad * constant(negative_slope, x.dtype))


@op(
    "(Tensor input, Number negative_slope=0.01)",
    input=lambda g, input, negative_slope: leaky_relu_gradient(g, input, negative_slope),
    namespace="nn",
)
def leaky_relu(input: Array, negative_slope: float = 0.01) -> Array:
    """x where x > 0, elsewhere negative_slope * x."""
    result: Array = forward("leaky_relu_cpu", _leaky_relu, input, negative_slope)
    return result


def _leaky_relu(x: Array, negative_slope: float) -> Array:
    lower = x * constant(negative_slope, x.dtype)
    if 0 < negative_slope <= 1:
        return np.maximum(x, lower, out=lower)
    return select(x > constant(0, x.dtype), x, lower)


@op(
    "(Tensor input, Number negative_slope=0.01)",
    name="leaky_relu_in_place",
    inplace=True,
    namespace="internal",
    node="LeakyReluBackward1",
    input=lambda g, out, negative_slope: leaky_relu_gradient_of_result(g, out, negative_slope),
)
def _leaky_relu_in_place(input: Array, negative_slope: float = 0.01) -> Array:
    return leaky_relu.kernel(input, negative_slope)


def leaky_relu_gradient_of_result(grad: Any, result: Any, negative_slope: float) -> Any:
    """The gradient told from the result, whose sign is the input's unless the slope is negative."""
    if negative_slope < 0:
        refuse_negative_slope(
            "leakyReLu",
            " File an issue at https://github.com/pytorch/pytorch if you do require supporting in-place leakRelu "
            "backward calculation with negative slope",
        )
    return leaky_relu_gradient(grad, result, negative_slope)


_IN_PLACE = (
    "In-place {} backward calculation is triggered with a negative slope which is not supported. This is caused by "
    "calling in-place forward function with a negative slope, please call out-of-place version instead.{}"
)


def refuse_negative_slope(name: str, advice: str = "") -> None:
    """RuntimeError: from the result alone, which is what an in-place op remembers, the input cannot be told."""
    raise RuntimeError(_IN_PLACE.format(name, advice))
