"""The activation functions of nn that are made of pieces: ELU and its kin, bounded and shrinking ones, PReLU, RReLU.

What happens at the joints, and to NaN, is torch's: the comparisons are those of its kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._checks import check_no_integer, converted, laid_out, not_implemented, real_number, title
from ._elements import at_most, between, constant, select, zero_where
from ._precision import by_rows, elementwise, forward, single
from ._scalars import number_as
from ._table import Array, op
from .activation import leaky_relu, leaky_relu_gradient, leaky_relu_gradient_of_result, refuse_negative_slope
from .elementwise import exp, where, zeros_of
from .shape import reshape

# -- ELU, CELU, SELU ----------------------------------------------------------------------------------------------

_SELU = (1.6732632423543772, 1.0507009873554805, 1)  # alpha, scale, input_scale


def _elu_curvature(g: Any, grad: Any, input: Any, alpha: float, scale: float, input_scale: float) -> Any:
    g, grad, input = map(single, (g, grad, input))
    bent = exp(where(input >= 0, 0.0, input * input_scale)) * (alpha * scale * input_scale**2)
    return where(input >= 0, 0.0, (g * grad) * bent)


@op(
    "(Tensor grad, Tensor input, Number alpha, Number scale, Number input_scale)",
    arity=2,
    namespace="internal",
    node="EluBackwardBackward0",
    grad=lambda g, input, alpha, scale, input_scale: elu_gradient(g, input, alpha, scale, input_scale),
    input=_elu_curvature,
)
def elu_gradient(grad: Array, input: Array, alpha: float, scale: float, input_scale: float) -> Array:
    """grad * elu'(input)."""
    result: Array = elementwise(_elu_gradient, (grad, input), alpha, scale, input_scale)
    return result


def _elu_gradient(grad: Array, x: Array, alpha: float, scale: float, input_scale: float) -> Array:
    slope = at_most(_times(x, input_scale), 0.0)
    np.exp(slope, slope)
    steep = alpha * scale * input_scale
    if steep == scale == 1:  # no kink at 0, where the slope is 1
        return np.multiply(slope, grad, slope)
    slope *= constant(steep, x.dtype)
    slope *= grad
    return select(x > constant(0, x.dtype), _times(grad, scale), slope)


@op(
    "(Tensor grad, Tensor result, Number alpha, Number scale, Number input_scale)",
    arity=2,
    namespace="internal",
    node="EluBackwardBackward0",
    grad=lambda g, result, alpha, scale, input_scale: elu_gradient_of_result(g, result, alpha, scale, input_scale),
    result=lambda g, grad, result, input_scale: where(result >= 0, 0.0, (g * grad) * input_scale),
)
def elu_gradient_of_result(grad: Array, result: Array, alpha: float, scale: float, input_scale: float) -> Array:
    """The same, told from elu's result."""
    if alpha < 0:
        refuse_negative_slope("elu")
    gradient: Array = elementwise(_elu_gradient_of_result, (grad, result), alpha * scale, scale, input_scale)
    return gradient


def _elu_gradient_of_result(grad: Array, y: Array, lowest: float, scale: float, input_scale: float) -> Array:
    slope = y + constant(lowest, y.dtype)
    slope *= constant(input_scale, y.dtype)
    slope *= grad
    return select(y > constant(0, y.dtype), _times(grad, scale), slope)


@op(
    "(Tensor input, Number alpha=1)",
    namespace="nn",
    input=lambda g, input, alpha: elu_gradient(g, input, alpha, 1, 1),
)
def elu(input: Array, alpha: float = 1) -> Array:
    """x where x > 0, alpha * (exp(x) - 1) elsewhere (Clevert et al. 2015)."""
    return _exponential_unit(input, alpha, 1, 1)


@op("(Tensor input)", namespace="nn", node="EluBackward0", input=lambda g, input: elu_gradient(g, input, *_SELU))
def selu(input: Array) -> Array:
    """1.0507 x where x > 0, 1.7581 (exp(x) - 1) elsewhere: mean 0 and variance 1 are preserved (Klambauer et al. 2017)."""
    return _exponential_unit(input, *_SELU)


@op(
    "(Tensor input, Number alpha=1.0)",
    namespace="nn",
    input=lambda g, input, alpha: elu_gradient(g, input, alpha, 1, 1 / alpha),
)
def celu(input: Array, alpha: float = 1.0) -> Array:
    """x where x > 0, alpha * (exp(x / alpha) - 1) elsewhere, which has no kink (Barron 2017)."""
    alpha = real_number(alpha, "double")
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _exponential_unit(input, alpha, 1, 1 / alpha)


def _exponential_unit(input: Array, alpha: float, scale: float, input_scale: float) -> Array:
    result: Array = forward("elu_cpu", _elu, input, alpha, scale, input_scale)
    return result


def _elu(x: Array, alpha: float, scale: float, input_scale: float) -> Array:
    value = at_most(_times(x, input_scale), 0.0)
    np.expm1(value, value)
    if alpha == scale == input_scale == 1:
        return np.maximum(x, value, out=value)  # exp(x) - 1 is nowhere less than x
    value *= constant(alpha * scale, x.dtype)
    return select(x >= constant(0, x.dtype), _times(x, scale), value)


def _times(x: Array, factor: float) -> Array:
    return x if factor == 1 else x * constant(factor, x.dtype)


# The ops behind `elu_`, `selu_` and `celu_` remember the result, as there is nothing else left.
op(
    *elu.texts,
    name="elu_in_place",
    inplace=True,
    namespace="internal",
    node="EluBackward1",
    input=lambda g, out, alpha: elu_gradient_of_result(g, out, alpha, 1, 1),
)(elu.kernel)
op(
    *selu.texts,
    name="selu_in_place",
    inplace=True,
    namespace="internal",
    node="EluBackward1",
    input=lambda g, out: elu_gradient_of_result(g, out, *_SELU),
)(selu.kernel)
op(
    *celu.texts,
    name="celu_in_place",
    inplace=True,
    namespace="internal",
    node="CeluBackward1",
    input=lambda g, out, alpha: elu_gradient_of_result(g, out, alpha, 1, 1 / alpha),
)(celu.kernel)


# -- PReLU --------------------------------------------------------------------------------------------------------


def _along_channels(weight: Any, rank: int) -> Any:
    """The slopes as an operand that broadcasts along dimension 1, or along all."""
    return reshape(weight, () if weight.shape in ((), (1,)) else (1, -1) + (1,) * (rank - 2))


@op(
    "(Tensor grad, Tensor input, Tensor weight)",
    arity=3,
    namespace="internal",
    node="PreluKernelBackwardBackward0",
    grad=lambda g, input, weight: prelu_gradient(g, input, weight),
    input=lambda g: zeros_of(g),
    weight=lambda g, grad, input, weight_shape: prelu_weight_gradient(g * grad, input, weight_shape, 0),
)
def prelu_gradient(grad: Array, input: Array, weight: Array) -> Array:
    """grad where the input is positive, elsewhere weight * grad."""
    return select(input > 0, grad, grad * _along_channels(weight, input.ndim))


def _prelu_weight_gradient_grad(g: Any, input: Any, power: int) -> Any:
    spread = _along_channels(g, len(input.shape)) * (input if power else input * 0 + 1)
    return where(input > 0, 0.0, spread)


def _prelu_weight_gradient_input(g: Any, grad: Any, input: Any, power: int) -> Any:
    if power == 0:
        return zeros_of(input)
    return where(input > 0, 0.0, grad * _along_channels(g, len(input.shape)))


@op(
    "(Tensor grad, Tensor input, int[] shape, int power=1)",
    arity=2,
    namespace="internal",
    node="PreluKernelBackwardBackward0",
    grad=_prelu_weight_gradient_grad,
    input=_prelu_weight_gradient_input,
)
def prelu_weight_gradient(grad: Array, input: Array, shape: tuple[int, ...], power: int = 1) -> Array:
    """grad * input**power, added up over what is not positive for each element of a weight of this shape."""
    each = zero_where(input > 0, grad * input if power else grad)
    if shape in ((), (1,)):
        return np.add.reduce(each, axis=None).reshape(shape)
    return np.add.reduce(each, axis=(0, *range(2, input.ndim)))


def _check_prelu(input: Array, weight: Array) -> None:
    if input.dtype is not weight.dtype:
        raise RuntimeError(f"prelu: Type promoting not supported. Got {title(input)} and {title(weight)}")
    if weight.size != 1:
        if input.ndim == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = input.shape[1] if input.ndim > 1 else 1
        if channels != weight.size:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{weight.size} and channel size = {channels}."
            )
    if weight.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}")
    check_no_integer("prelu_cpu", input)


@op(
    "(Tensor input, Tensor weight)",
    arity=2,
    node="PreluKernelBackward0",
    saves=("input", "weight"),
    input=lambda g, input, weight: prelu_gradient(g, input, weight),
    weight=lambda g, input, weight_shape: prelu_weight_gradient(g, input, weight_shape),
)
def prelu(input: Array, weight: Array) -> Array:
    """x where x > 0, elsewhere weight * x: one slope, or one for each channel, dimension 1 (He et al. 2015)."""
    _check_prelu(input, weight)
    return laid_out(select(input > 0, input, input * _along_channels(weight, input.ndim)), input)


# -- RReLU --------------------------------------------------------------------------------------------------------


@op(
    "(Tensor grad, Tensor noise)",
    arity=2,
    namespace="internal",
    node="RreluWithNoiseBackwardBackward0",
    grad=lambda g, noise: rrelu_gradient(g, noise),
)
def rrelu_gradient(grad: Array, noise: Array) -> Array:
    """grad * noise."""
    return grad * noise


@op(
    "(Tensor input, Tensor noise)",
    arity=2,
    namespace="internal",
    node="RreluWithNoiseBackward0",
    saves=("input",),
    input=lambda g, noise: rrelu_gradient(g, noise),
)
def rrelu_with_noise(input: Array, noise: Array) -> Array:
    """input * noise, laid out row by row: the noise is 1 where the input is positive, a random slope elsewhere."""
    return by_rows(input) * noise


op(
    *rrelu_with_noise.texts,
    name="rrelu_with_noise_in_place",
    arity=2,
    inplace=True,
    namespace="internal",
    node="RreluWithNoiseBackward1",
    saves=("out",),
    input=lambda g, noise: rrelu_gradient(g, noise),
)(rrelu_with_noise.kernel)


@op(
    "(Tensor grad, Tensor input, Number slope)",
    arity=2,
    namespace="internal",
    node="RreluWithNoiseBackwardBackward0",
    grad=lambda g, input, slope: rrelu_at_mean_gradient(g, input, slope),
    input=lambda g: zeros_of(g),
)
def rrelu_at_mean_gradient(grad: Array, input: Array, slope: float) -> Array:
    """grad where the input is positive, elsewhere slope * grad."""
    return leaky_relu_gradient.kernel(grad, input, slope)


@op(
    "(Tensor input, Number slope)",
    namespace="internal",
    node="RreluWithNoiseBackward0",
    input=lambda g, input, slope: rrelu_at_mean_gradient(g, input, slope),
)
def rrelu_at_mean(input: Array, slope: float) -> Array:
    """RReLU out of training: leaky ReLU with the mean slope, laid out row by row."""
    return leaky_relu.kernel(by_rows(input), slope)


op(
    *rrelu_at_mean.texts,
    name="rrelu_at_mean_in_place",
    inplace=True,
    namespace="internal",
    node="RreluWithNoiseBackward1",
    input=lambda g, out, slope: leaky_relu_gradient_of_result(g, out, slope),
)(rrelu_at_mean.kernel)


# -- bounded ------------------------------------------------------------------------------------------------------


@op(
    "(Tensor grad, Tensor input, Number low, Number high)",
    arity=2,
    namespace="internal",
    node="HardtanhBackwardBackward0",
    grad=lambda g, input, low, high: hardtanh_gradient(g, input, low, high),
    input=lambda g: zeros_of(g),
)
def hardtanh_gradient(grad: Array, input: Array, low: float, high: float) -> Array:
    """grad where the input is between the bounds, not on them."""
    inside = input > constant(low, input.dtype)
    inside &= input < constant(high, input.dtype)
    return zero_where(~inside, grad)


def _bounded(input: Array, low: float, high: float) -> Array:
    kind = input.dtype.kind
    if kind == "b":
        raise RuntimeError("Bool inputs not supported for hardtanh")
    if kind != "f":
        low, high = int(low), int(high)
        if kind == "u" and (low < 0 or high < 0):
            raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    return laid_out(between(input, low, high), input)


@op(
    "(Tensor input, Number min_val=-1, Number max_val=1)",
    inplace=True,
    namespace="nn",
    input=lambda g, input, min_val, max_val: hardtanh_gradient(g, input, min_val, max_val),
)
def hardtanh(input: Array, min_val: float = -1, max_val: float = 1) -> Array:
    """min(max(x, min_val), max_val)."""
    return _bounded(input, min_val, max_val)


@op(
    "(Tensor input)",
    inplace=True,
    namespace="nn",
    node="HardtanhBackward0",
    input=lambda g, input: hardtanh_gradient(g, input, 0.0, 6.0),
)
def relu6(input: Array) -> Array:
    """min(max(x, 0), 6)."""
    return _bounded(input, 0.0, 6.0)


_SIXTH = 0.1666666716337204  # 1 / 6 in float32, which torch's gradient multiplies with in float64 as well


def _no_second_derivative(g: Any) -> Any:
    raise RuntimeError("derivative for aten::hardsigmoid_backward is not implemented")


@op(
    "(Tensor grad, Tensor input)",
    arity=2,
    namespace="internal",
    node="torch::autograd::NotImplemented",
    grad=_no_second_derivative,
    input=_no_second_derivative,
)
def hardsigmoid_gradient(grad: Array, input: Array) -> Array:
    """grad / 6 where -3 < x < 3."""
    inside = input > constant(-3, input.dtype)
    inside &= input < constant(3, input.dtype)
    result = zero_where(~inside, grad)
    result *= constant(_SIXTH, grad.dtype)
    return result


@op("(Tensor input)", inplace=True, namespace="nn", input=lambda g, input: hardsigmoid_gradient(g, input))
def hardsigmoid(input: Array) -> Array:
    """min(max(x + 3, 0), 6) / 6."""
    result: Array = forward("hardsigmoid_cpu", _hardsigmoid, input)
    return result


def _hardsigmoid(x: Array) -> Array:
    value = between(x + constant(3, x.dtype), 0.0, 6.0)
    return np.divide(value, constant(6, x.dtype), value)


@op(
    "(Tensor grad, Tensor input)",
    arity=2,
    namespace="internal",
    node="HardswishBackwardBackward0",
    grad=lambda g, input: hardswish_gradient(g, input),
    input=lambda g, grad, input: where((input > -3) & (input < 3), (g * grad) / 3, 0.0),
)
def hardswish_gradient(grad: Array, input: Array) -> Array:
    """0 below -3, grad above 3, grad * (x / 3 + 1 / 2) between."""
    result: Array = elementwise(_hardswish_gradient, (grad, input))
    return result


def _hardswish_gradient(grad: Array, x: Array) -> Array:
    three = constant(3, x.dtype)
    slope = x / three
    slope += constant(0.5, x.dtype)
    slope *= grad
    return select(x >= three, grad, zero_where(x <= -three, slope))


@op("(Tensor input)", inplace=True, namespace="nn", input=lambda g, input: hardswish_gradient(g, input))
def hardswish(input: Array) -> Array:
    """x * min(max(x + 3, 0), 6) / 6 (Howard et al. 2019)."""
    result: Array = forward("hardswish_cpu", _hardswish, input)
    return result


def _hardswish(x: Array) -> Array:
    value = between(x + constant(3, x.dtype), 0.0, 6.0)
    value *= x
    return np.divide(value, constant(6, x.dtype), value)


# -- shrinking ----------------------------------------------------------------------------------------------------


def _shrink_gradient(name: str) -> Any:
    """The gradient of hardshrink and of softshrink, which are told apart by the name of its node."""

    def kernel(grad: Array, input: Array, lambd: float) -> Array:
        outside = input < constant(-lambd, input.dtype)
        outside |= input > constant(lambd, input.dtype)
        return zero_where(~outside, grad)

    declared = op(
        "(Tensor grad, Tensor input, Number lambd)",
        name=f"{name}_gradient",
        arity=2,
        namespace="internal",
        node=f"{name.capitalize()}BackwardBackward0",
        grad=lambda g, input, lambd: declared(g, input, lambd),
        input=lambda g: zeros_of(g),
    )(kernel)
    return declared


hardshrink_gradient, softshrink_gradient = map(_shrink_gradient, ("hardshrink", "softshrink"))


@op(
    "(Tensor input, Number lambd=0.5, *, Tensor? out=None)",
    input=lambda g, input, lambd: hardshrink_gradient(g, input, lambd),
)
def hardshrink(input: Array, lambd: float = 0.5) -> Array:
    """x outside [-lambd, lambd], 0 within."""
    check_no_integer("hardshrink_cpu", input)
    converted(lambd, input.dtype)
    inside = input >= constant(-lambd, input.dtype)
    inside &= input <= constant(lambd, input.dtype)
    return laid_out(zero_where(inside, input), input)


@op(
    "(Tensor input, Number lambd=0.5)",
    namespace="nn",
    input=lambda g, input, lambd: softshrink_gradient(g, input, lambd),
)
def softshrink(input: Array, lambd: float = 0.5) -> Array:
    """x drawn towards 0 by lambd, and no further."""
    check_no_integer("softshrink_check", input)
    largest = float(np.finfo(input.dtype).max)
    if not 0 <= lambd <= largest:
        raise RuntimeError(
            f"lambda must be in range [0, {largest:g}] for input dtype {title(input)}, but found {lambd:g}"
        )
    return laid_out(input - between(input, -lambd, lambd), input)


# -- threshold ----------------------------------------------------------------------------------------------------


@op(
    "(Tensor grad, Tensor input, Number threshold)",
    arity=2,
    namespace="internal",
    node="ThresholdBackwardBackward0",
    grad=lambda g, input, threshold: threshold_gradient(g, input, threshold),
    input=lambda g: zeros_of(g),
)
def threshold_gradient(grad: Array, input: Array, threshold: float) -> Array:
    """grad where the input is above the threshold (or NaN)."""
    return zero_where(input <= constant(threshold, input.dtype), grad)


@op(
    "(Tensor input, Number threshold, Number value, *, Tensor? out=None)",
    inplace=True,
    inplace_node="ThresholdBackward1",
    namespace="nn",
    input=lambda g, input, threshold: threshold_gradient(g, input, threshold),
)
def threshold(input: Array, threshold: float, value: float) -> Array:
    """x where x > threshold, elsewhere `value`."""
    if input.dtype.kind in "bc":
        raise not_implemented("threshold_cpu", input)
    below = input <= number_as(threshold, input.dtype)
    return laid_out(np.where(below, number_as(value, input.dtype), input), input)
