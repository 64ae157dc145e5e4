"""The losses of nn that compare a prediction with a target element by element.

As in torch, each has a gradient op of its own, which can be differentiated again; it takes the difference of the
operands from forward, which kept it, as long as the backward pass is not itself recorded.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._layout import unless_exposed
from ._checks import broadcast_shapes, cast, check_no_integer, common, sizes, title
from ._elements import array, at_least, at_most, between, constant, logistic, zero_where
from ._losses import reduced, scaled, share
from ._precision import elementwise, forward, single
from ._table import Array, Op, op
from .activation_smooth import log_of_sigmoid, log_sigmoid
from .elementwise import abs, clamp, eq, log, mul, sigmoid, where
from .shape import clone
from .transcendental import log1p

_SMALL = 1024  # elements, up to which one call of BLAS is as precise as NumPy's pairwise sum


# -- squared error ------------------------------------------------------------------------------------------------


@op(
    "(Tensor grad, Tensor input, Tensor target, str reduction)",
    arity=3,
    namespace="internal",
    node="MseLossBackwardBackward0",
    grad=lambda g, input, target, reduction: mse_gradient(g, input, target, "none") * share(input, reduction),
    input=lambda g, grad, input, reduction: (g * grad) * (2 * share(input, reduction)),
    target=lambda g, grad, input, reduction: (g * grad) * (-2 * share(input, reduction)),
)
def mse_gradient(
    grad: Array, input: Array, target: Array, reduction: str, difference: Array | None = None, sign: float = 1.0
) -> Array:
    """2 (input - target) grad, divided by their number for "mean"; `difference` is sign * (input - target)."""
    difference = unless_exposed(difference, input, target)
    if difference is None:
        difference, sign = array(np.subtract(*common(input, target))), 1.0
    return difference * scaled(grad, 2.0 * sign * share(difference, reduction))


@op(
    "(Tensor input, Tensor target, str reduction=mean)",
    arity=2,
    namespace="nn",
    keeps=("difference",),
    input=lambda g, input, target, reduction, difference: mse_gradient(g, input, target, reduction, difference),
    target=lambda g, input, target, reduction, difference: mse_gradient(g, target, input, reduction, difference, -1.0),
)
def mse_loss(input: Array, target: Array, reduction: str = "mean") -> tuple[Any, Array]:
    """(input - target)^2, not reduced, averaged or summed; with the difference."""
    input, target = common(input, target)
    check_no_integer("mse_cpu", input)
    if input.dtype.itemsize == 2:
        values, difference = elementwise(_squared, (input, target))
        return reduced(values, reduction, input, target), difference
    difference = array(np.subtract(input, target))
    if reduction == "none" or difference.size > _SMALL:
        return reduced(difference * difference, reduction, input, target), difference
    flat = difference.reshape(-1)
    total = np.dot(flat, flat)
    return (total if reduction == "sum" else np.true_divide(total, constant(flat.size, flat.dtype))), difference


def _squared(input: Array, target: Array) -> tuple[Array, Array]:
    difference = input - target
    return difference * difference, difference


# -- Huber's loss, and its other name -------------------------------------------------------------------------------


def _huber_values(input: Array, target: Array, bound: float, slope: float) -> tuple[Array, Array]:
    """slope * m (|d| - m / 2) with m = min(|d|, bound), and d: a parabola up to the bound, then a line."""
    difference = input - target
    distance = np.abs(difference)
    near = at_most(distance, bound)
    distance -= near * constant(0.5, near.dtype)
    near *= distance
    if slope != 1:
        near *= constant(slope, near.dtype)
    return near, difference


def _gradient_of_huber(name: str) -> Op:
    """The gradient op of a loss like Huber's: slope * grad * min(max(d, -bound), bound)."""

    def kernel(
        grad: Array,
        input: Array,
        target: Array,
        bound: float,
        slope: float,
        difference: Array | None = None,
        sign: float = 1.0,
    ) -> Array:
        difference = unless_exposed(difference, input, target)
        if difference is None:
            difference, sign = array(np.subtract(*common(input, target))), 1.0
        return between(difference, -bound, bound) * scaled(grad, sign * slope)

    def curvature(g: Any, grad: Any, input: Any, target: Any, bound: float, slope: float) -> Any:
        return where(abs(input - target) < bound, (g * grad) * slope, 0.0)

    return op(
        "(Tensor grad, Tensor input, Tensor target, float bound, float slope)",
        name=f"{name}_gradient",
        arity=3,
        namespace="internal",
        node=f"{''.join(map(str.capitalize, name.split('_')))}BackwardBackward0",
        grad=lambda g, input, target, bound, slope: g * (clamp(input - target, -bound, bound) * slope),
        input=curvature,
        target=lambda g, grad, input, target, bound, slope: -curvature(g, grad, input, target, bound, slope),
    )(kernel)


smooth_l1_gradient, huber_gradient = map(_gradient_of_huber, ("smooth_l1_loss", "huber_loss"))


@op(
    "(Tensor input, Tensor target, str reduction=mean, float beta=1.0)",
    arity=2,
    namespace="nn",
    node="SmoothL1LossBackward0",
    keeps=("difference",),
    input=lambda g, input, target, reduction, beta, difference: smooth_l1_gradient(
        g, input, target, beta, share(input, reduction) / beta, difference
    ),
    target=lambda g, input, target, reduction, beta, difference: smooth_l1_gradient(
        g, target, input, beta, share(input, reduction) / beta, difference, -1.0
    ),
)
def smooth_l1_loss(input: Array, target: Array, reduction: str = "mean", beta: float = 1.0) -> tuple[Any, Array]:
    """d^2 / (2 beta) where |d| < beta, else |d| - beta / 2; with d (Girshick 2015)."""
    if beta <= 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    input, target = common(input, target)
    check_no_integer("smooth_l1_cpu", input)
    values, difference = elementwise(_huber_values, (input, target), beta, 1 / beta)
    return reduced(values, reduction, input, target), difference


@op(
    "(Tensor input, Tensor target, str reduction=mean, float delta=1.0)",
    arity=2,
    namespace="nn",
    keeps=("difference",),
    input=lambda g, input, target, reduction, delta, difference: huber_gradient(
        g, input, target, delta, share(input, reduction), difference
    ),
    target=lambda g, input, target, reduction, delta, difference: huber_gradient(
        g, target, input, delta, share(input, reduction), difference, -1.0
    ),
)
def huber_loss(input: Array, target: Array, reduction: str = "mean", delta: float = 1.0) -> tuple[Any, Array]:
    """d^2 / 2 where |d| < delta, else delta (|d| - delta / 2), in the input's dtype; with d (Huber 1964)."""
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    dtype = input.dtype
    input, target = common(input, target)
    check_no_integer("huber_cpu", input)
    values, difference = elementwise(_huber_values, (input, target), delta, 1.0)
    return reduced(cast(values, dtype), reduction, input, target), difference


# -- cross entropy of a probability -------------------------------------------------------------------------------

# The weights are not differentiable and come as arrays.  `part` is what one element's loss counts, see `share`.


def _weighted(x: Any, weight: Array | None) -> Any:
    return x if weight is None else mul(x, weight)  # and not `*`, which leaves arrays beside tensors to NumPy


def _weighted_in_place(values: Array, weight: Array | None) -> Array:
    """values * weight in the dtype of the values.  RuntimeError where the weight is of a larger shape."""
    if weight is None:
        return values
    _check_fits(values.shape, broadcast_shapes(values.shape, weight.shape))
    result: Array = (values * weight).astype(values.dtype, copy=False)
    return result


def _check_fits(shape: tuple[int, ...], broadcast: tuple[int, ...]) -> None:
    if broadcast != shape:
        raise RuntimeError(f"output with shape {sizes(shape)} doesn't match the broadcast shape {sizes(broadcast)}")


def _check_probabilities(input: Array, target: Array) -> None:
    if target.dtype is not input.dtype:
        raise RuntimeError(f"Found dtype {title(target)} but expected {title(input)}")
    check_no_integer("binary_cross_entropy", input)
    for name, x in (("input", input), ("target", target)):
        if x.size and not (np.minimum.reduce(x, axis=None) >= 0 and np.maximum.reduce(x, axis=None) <= 1):
            raise RuntimeError(f"all elements of {name} should be between 0 and 1")


_TINY = 1e-12  # what x (1 - x) is at least, when it is divided by


def _bce_curvature(g: Any, grad: Any, input: Any, target: Any, weight: Any, part: float) -> Any:
    g, grad, input, target = map(single, (g, grad, input, target))
    divisor = (input + _TINY) * (1 - input + _TINY)
    top = input * input - 2 * input * target + target
    return _weighted((g * grad) * part, weight) * (top / (divisor * divisor))


def _bce_cross(g: Any, grad: Any, input: Any, weight: Any, part: float) -> Any:
    g, grad, input = map(single, (g, grad, input))
    return _weighted((g * grad) * part, weight) / ((input + _TINY) * (input - 1 - _TINY))


@op(
    "(Tensor grad, Tensor input, Tensor target, Tensor? weight, float part)",
    arity=3,
    namespace="internal",
    node="BinaryCrossEntropyBackwardBackward0",
    grad=lambda g, input, target, weight, part: bce_gradient(g, input, target, weight, part),
    input=_bce_curvature,
    target=_bce_cross,
)
def bce_gradient(grad: Array, input: Array, target: Array, weight: Array | None, part: float) -> Array:
    """(x - t) / (x (1 - x)) grad."""
    result: Array = elementwise(_bce_gradient, (input, target, scaled(grad, part)))
    return _weighted(result, weight)


def _bce_gradient(x: Array, t: Array, grad: Array) -> Array:
    divisor = np.subtract(constant(1, x.dtype), x)
    divisor *= x
    slope = x - t
    slope /= at_least(divisor, _TINY)
    return slope * grad


def _bce_target(g: Any, input: Any, weight: Any, reduction: str) -> Any:
    return _weighted((log1p(-input) - log(input)) * (g * share(input, reduction)), weight)


@op(
    "(Tensor input, Tensor target, Tensor? weight=None, str reduction=mean)",
    arity=2,
    namespace="nn",
    saves=("target",),
    input=lambda g, input, target, weight, reduction: bce_gradient(g, input, target, weight, share(input, reduction)),
    target=_bce_target,
)
def binary_cross_entropy(input: Array, target: Array, weight: Array | None = None, reduction: str = "mean") -> Any:
    """-(t log x + (1 - t) log(1 - x)), each logarithm at least -100."""
    _check_probabilities(input, target)
    values = elementwise(_bce_values, (input, target))
    return reduced(_weighted_in_place(values, weight), reduction)


def _bce_values(x: Array, t: Array) -> Array:
    value = np.log1p(-x)
    value = at_least(value, -100.0)
    value *= t - constant(1, t.dtype)
    value -= t * at_least(np.log(x), -100.0)
    return value


def _slope_of_positive(target: Any, pos_weight: Array | None) -> Any:
    """By what the sigmoid is multiplied in the gradient: the weights of both classes, as far as they are in the target."""
    return None if pos_weight is None else target * (pos_weight - 1) + 1


def _bce_logits_curvature(g: Any, grad: Any, input: Any, target: Any, weight: Any, pos_weight: Any, part: float) -> Any:
    g, grad, input, target = map(single, (g, grad, input, target))
    s = sigmoid(input)
    return _weighted(_weighted((g * grad) * part, weight) * (s * (1 - s)), _slope_of_positive(target, pos_weight))


def _bce_logits_cross(g: Any, grad: Any, input: Any, weight: Any, pos_weight: Any, part: float) -> Any:
    g, grad, input = map(single, (g, grad, input))
    factor = -1.0 if pos_weight is None else sigmoid(input) * (pos_weight - 1) - pos_weight
    return _weighted((g * grad) * part, weight) * factor


@op(
    "(Tensor grad, Tensor input, Tensor target, Tensor? weight, Tensor? pos_weight, float part)",
    arity=3,
    namespace="internal",
    node=lambda grad, input, target, weight, pos_weight, part: (
        f"{'Mul' if part == 1 else 'Div'}Backward{int(part != 1)}"
    ),
    grad=lambda g, input, target, weight, pos_weight, part: bce_logits_gradient(
        g, input, target, weight, pos_weight, part
    ),
    input=_bce_logits_curvature,
    target=_bce_logits_cross,
)
def bce_logits_gradient(
    grad: Array, input: Array, target: Array, weight: Array | None, pos_weight: Array | None, part: float
) -> Array:
    """(sigmoid(x) - t) grad; with p = pos_weight, ((1 - t + p t) sigmoid(x) - p t) grad."""
    result: Array = elementwise(_bce_logits_gradient, (input, target, scaled(grad, part), pos_weight))
    return _weighted(result, weight)


def _bce_logits_gradient(x: Array, t: Array, grad: Array, pos_weight: Array | None) -> Array:
    slope = logistic(-x)
    if pos_weight is not None:
        slope *= _slope_of_positive(t, pos_weight)
        t = t * pos_weight
    slope = slope - t if slope.dtype is not t.dtype else np.subtract(slope, t, slope)
    return slope * grad


def _own(x: Any) -> Any:
    """A recorded pass saves what it computes of the operands, as torch does, and not these."""
    return x if isinstance(x, np.ndarray) else clone(x)


def _bce_logits_target(g: Any, input: Any, weight: Any, pos_weight: Any, reduction: str) -> Any:
    slope = -input if pos_weight is None else log_sigmoid(-input) - mul(log_sigmoid(input), pos_weight)
    return _weighted(slope * (g * share(input, reduction)), weight)


@op(
    "(Tensor input, Tensor target, Tensor? weight=None, Tensor? pos_weight=None, str reduction=mean)",
    arity=2,
    namespace="nn",
    saves=("target",),
    input=lambda g, input, target, weight, pos_weight, reduction: bce_logits_gradient(
        g, _own(input), _own(target), weight, pos_weight, share(input, reduction)
    ),
    target=_bce_logits_target,
)
def binary_cross_entropy_with_logits(
    input: Array,
    target: Array,
    weight: Array | None = None,
    pos_weight: Array | None = None,
    reduction: str = "mean",
) -> Any:
    """(1 - t) x - (1 + (p - 1) t) log(sigmoid(x)), p = pos_weight, in the target's dtype."""
    dtype = target.dtype
    if dtype.kind != "f" and input.dtype.kind == "f":
        raise RuntimeError(f"result type {title(input)} can't be cast to the desired output type {title(target)}")
    check_no_integer("log_sigmoid_cpu", input)
    if pos_weight is not None:
        _check_fits(input.shape, broadcast_shapes(pos_weight.shape, target.shape))
    values = elementwise(_bce_logits_values, (*common(input, target), pos_weight))
    return reduced(_weighted_in_place(cast(values, dtype), weight), reduction, target)


def _bce_logits_values(x: Array, t: Array, pos_weight: Array | None) -> Array:
    value = np.subtract(constant(1, t.dtype), t)
    value *= x
    certainty = log_of_sigmoid(x)
    if pos_weight is not None:
        certainty = certainty * _slope_of_positive(t, pos_weight)
    return value - certainty


# -- others -------------------------------------------------------------------------------------------------------


def _soft_margin_curvature(g: Any, grad: Any, input: Any, target: Any, part: float) -> Any:
    g, grad, input, target = map(single, (g, grad, input, target))
    s = sigmoid(target * input)
    return (g * grad) * ((target * target) * (s * (1 - s)) * part)


@op(
    "(Tensor grad, Tensor input, Tensor target, float part)",
    arity=3,
    namespace="internal",
    node="SoftMarginLossBackwardBackward0",
    grad=lambda g, input, target, part: soft_margin_gradient(g, input, target, part),
    input=_soft_margin_curvature,
)
def soft_margin_gradient(grad: Array, input: Array, target: Array, part: float) -> Array:
    """-t z / (1 + z) grad, z = exp(-t x)."""
    result: Array = elementwise(_soft_margin_gradient, (*common(input, target), scaled(grad, part)))
    return result


def _soft_margin_gradient(x: Array, t: Array, grad: Array) -> Array:
    negative = -t
    slope = negative * x
    np.exp(slope, slope)
    slope /= slope + constant(1, slope.dtype)
    slope *= negative
    return slope * grad


@op(
    "(Tensor input, Tensor target, str reduction=mean)",
    arity=2,
    namespace="nn",
    input=lambda g, input, target, reduction: soft_margin_gradient(g, input, target, share(input, reduction)),
)
def soft_margin_loss(input: Array, target: Array, reduction: str = "mean") -> Any:
    """log(1 + exp(-t x)), t being 1 or -1, in the input's dtype."""
    broadcast_shapes(input.shape, target.shape)
    if input.dtype.kind != "f":
        raise RuntimeError(f"result type Float can't be cast to the desired output type {title(input)}")
    values = elementwise(_soft_margin_values, common(input, target))
    return reduced(cast(values, input.dtype), reduction, input, target)


def _soft_margin_values(x: Array, t: Array) -> Array:
    value = (-t) * x
    np.exp(value, value)
    return np.log1p(value, value)


def _xlogx_input(g: Any, input: Any) -> Any:
    """torch has it as the sum of the derivatives by both x of x log(x); at 0 that by the second is 0 / 0."""
    return where(eq(input, 0), 0.0, g * log(input)) + g * (input / input)


@op("(Tensor input)", namespace="internal", node="XlogyBackward0", input=_xlogx_input)
def xlogx(input: Array) -> Array:
    """x log(x), 0 at 0: the entropy of a target, which kl_div takes off."""
    result: Array = forward("xlogy_cpu", _xlogx, input)
    return result


def _xlogx(x: Array) -> Array:
    return zero_where(x == 0, x * np.log(x))
