"""Pointwise arithmetic, powers, exponentials, trigonometry, rounding, comparisons and logic."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._dtype import result_dtype
from ._checks import as_floating, broadcast_shapes, cast, common, computed, laid_out, title
from ._elements import constant, logistic
from ._precision import elementwise
from ._table import UNARY, Array, Op, Rule, op

_BINARY = "(Tensor input, Tensor|Number other, *, Tensor? out=None)"
_COMPARISON = ("(Tensor input, Tensor other, *, Tensor? out=None)", "(Tensor input, Number other, *, Tensor? out=None)")
_STRICT_BINARY = "(Tensor input, Tensor other, *, Tensor? out=None)"


def _unary(name: str, ufunc: Any, rule: Rule, *, floating: bool = True) -> Op:
    """A function of one variable; integers are converted first where `floating`, else kept."""

    def kernel(input: Array) -> Array:
        if floating and input.dtype.kind != "f":
            input = as_floating(input)
        result: Array = ufunc(input)
        return laid_out(result, input) if result.ndim > 1 else result

    return op(UNARY, name=name, inplace=True, input=rule)(kernel)


@op("(Tensor input)", namespace="internal")
def zeros_of(input: Array) -> Array:
    """Zeros like `input`, of which no more derivatives can be had: the gradient of what does not change."""
    return np.zeros_like(input)


# -- arithmetic -------------------------------------------------------------------------------------------------


def _scaled(x: Any, y: Any, alpha: Any) -> Any:
    """alpha * y in the result's dtype, with torch's objections to an `alpha` of a higher category."""
    dtype = result_dtype(x, y)
    if isinstance(alpha, bool) and dtype.name != "bool":
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if isinstance(alpha, float) and not dtype.is_floating_point:
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    return cast(y, dtype.numpy) * cast(alpha, dtype.numpy)


@op(
    "(Tensor input, Number alpha, Tensor other, *, Tensor? out=None)|deprecated",
    "(Tensor input, Tensor|Number other, *, Number alpha=1, Tensor? out=None)",
    arity=2,
    inplace=True,
    input=lambda g: g,
    other=lambda g, alpha: g if alpha == 1 else g * alpha,
)
def add(input: Array, other: Any, alpha: Any = 1) -> Array:
    if alpha != 1:
        other = _scaled(input, other, alpha)
    return computed(np.add, *common(input, other))


def _refuse_bool_subtraction(input: Any, other: Any) -> None:
    if input.dtype.kind == "b":
        if isinstance(other, np.ndarray) and other.dtype.kind == "b":
            raise RuntimeError(
                "Subtraction, the `-` operator, with two bool tensors is not supported. "
                "Use the `^` or `logical_xor()` operator instead."
            )
        if isinstance(other, bool):
            raise RuntimeError(
                "Subtraction, the `-` operator, with a bool tensor is not supported. "
                "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."
            )


@op(
    "(Tensor input, Number alpha, Tensor other, *, Tensor? out=None)|deprecated",
    "(Tensor input, Tensor|Number other, *, Number alpha=1, Tensor? out=None)",
    arity=2,
    inplace=True,
    input=lambda g: g,
    other=lambda g, alpha: -g if alpha == 1 else g * -alpha,
)
def sub(input: Array, other: Any, alpha: Any = 1) -> Array:
    _refuse_bool_subtraction(input, other)
    if alpha != 1:
        other = _scaled(input, other, alpha)
    return computed(np.subtract, *common(input, other))


@op(
    "(Tensor input, Tensor other, *, Number alpha=1)",
    "(Tensor input, Number other, Number alpha=1)",
    arity=2,
    node="RsubBackward1",
    input=lambda g, alpha: -g if alpha == 1 else g * -alpha,
    other=lambda g: g,
)
def rsub(input: Array, other: Any, alpha: Any = 1) -> Array:
    _refuse_bool_subtraction(input, other)
    if alpha != 1:
        input = _scaled(other, input, alpha)
    return computed(np.subtract, *reversed(common(input, other)))


@op(
    _BINARY,
    arity=2,
    inplace=True,
    input=lambda g, other: g * other,
    other=lambda g, input: g * input,
)
def mul(input: Array, other: Any) -> Array:
    return computed(np.multiply, *common(input, other))


def _div_other(g: Any, input: Any, other: Any, rounding_mode: str | None) -> Any:
    return zeros_of(g) if rounding_mode else -g * ((input / other) / other)


@op(
    _BINARY,
    "(Tensor input, Tensor|Number other, *, str? rounding_mode, Tensor? out=None)",
    arity=2,
    inplace=True,
    input=lambda g, other, rounding_mode: zeros_of(g) if rounding_mode else g / other,
    other=_div_other,
)
def div(input: Array, other: Any, rounding_mode: str | None = None) -> Array:
    """Quotient; integers give the default dtype unless `rounding_mode` is "floor" or "trunc"."""
    input, other = common(input, other)
    if rounding_mode is None:
        return computed(
            np.true_divide, as_floating(input), other if isinstance(other, float | int) else as_floating(other)
        )
    if rounding_mode == "floor":
        return _floor_division(input, other)
    if rounding_mode == "trunc":
        if input.dtype.kind == "f":
            return np.trunc(computed(np.true_divide, input, other))
        return computed(np.floor_divide, computed(np.subtract, input, computed(np.fmod, input, other)), other)
    raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'")


@op(
    "(Tensor input, Number divisor)",
    namespace="internal",
    node="DivBackward1",
    input=lambda g, divisor: g / divisor,
)
def div_number(input: Array, divisor: float) -> Array:
    """Division inside a composed function, which torch tells apart from the user's."""
    return np.true_divide(input, divisor)


def _floor_division(input: Array, other: Any) -> Array:
    if input.dtype.kind in "iub" and not np.all(other):
        raise RuntimeError("ZeroDivisionError")
    return computed(np.floor_divide, input, other)


def _underived(g: Any) -> Any:
    raise RuntimeError("derivative for aten::floor_divide is not implemented")


@op(_BINARY, arity=2, inplace=True, node="NotImplemented", input=_underived, other=_underived)
def floor_divide(input: Array, other: Any) -> Array:
    return _floor_division(*common(input, other))


@op(
    "(Tensor input, Tensor other, *, Tensor? out=None)",
    "(Number self, Tensor other)",
    "(Tensor input, Number other, *, Tensor? out=None)",
    arity=2,
    inplace=True,
    input=lambda g: g,
    other=lambda g, input, other: -g * div(input, other, "floor"),
)
def remainder(input: Any, other: Any) -> Array:
    x, y = common(input, other)
    if x.dtype.kind in "iub" and not np.all(y):
        raise RuntimeError("ZeroDivisionError")
    return computed(np.remainder, x, y)


@op(
    "(Tensor input, Tensor other, *, Tensor? out=None)",
    "(Tensor input, Number other, *, Tensor? out=None)",
    arity=2,
    inplace=True,
    input=lambda g: g,
    other=lambda g, input, other: -g * div(input, other, "trunc"),
)
def fmod(input: Array, other: Any) -> Array:
    x, y = common(input, other)
    if x.dtype.kind in "iub" and not np.all(y):
        raise RuntimeError("ZeroDivisionError")
    return computed(np.fmod, x, y)


@op(UNARY, inplace=True, input=lambda g: -g)
def neg(input: Array) -> Array:
    if input.dtype.kind == "b":
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. "
            "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."
        )
    return np.negative(input)


def _pow_input(g: Any, input: Any, exponent: Any) -> Any:
    if isinstance(exponent, (int, float)):
        return zeros_of(g) if exponent == 0 else g * (exponent * input ** (exponent - 1))
    return where(exponent == 0, 0.0, g * (exponent * input ** (exponent - 1)))


def _pow_exponent(g: Any, input: Any, exponent: Any, out: Any) -> Any:
    if isinstance(input, (int, float)):
        return zeros_of(g) if input == 0 else g * (out * float(np.log(input)))
    return where((input == 0) & (exponent >= 0), 0.0, g * (out * log(input)))


@op(
    "(Tensor input, Tensor exponent, *, Tensor? out=None)",
    "(Number self, Tensor exponent, *, Tensor? out=None)",
    "(Tensor input, Number exponent, *, Tensor? out=None)",
    arity=2,
    inplace=True,
    node=lambda input, exponent: f"PowBackward{2 if not hasattr(input, '_node') else int(hasattr(exponent, '_node'))}",
    input=_pow_input,
    exponent=_pow_exponent,
)
def pow(input: Any, exponent: Any) -> Array:
    base, power = common(input, exponent)
    if base.dtype.kind in "iu" and not isinstance(exponent, np.ndarray) and exponent < 0:
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    if base.dtype.kind == "b":
        return computed(np.logical_or, base, ~power)
    if isinstance(power, (int, float)):
        return _power_by_number(base, power)
    if base.dtype.kind in "iu":
        return _integer_power(base, power)
    result = computed(np.power, base, power)
    return result if isinstance(input, np.ndarray) else result.copy()  # number ** tensor is laid out row by row


def _power_by_number(base: Array, exponent: float) -> Array:
    """torch's shortcuts, which also fix the rounding: squares and cubes by multiplication."""
    if exponent == 2:
        return base * base
    if exponent == 3:
        return base * base * base
    if exponent == -1:
        return 1 / base
    if exponent == -2:
        return 1 / (base * base)
    if exponent == 0.5:
        return np.sqrt(base)
    if exponent == -0.5:
        return 1 / np.sqrt(base)
    return np.power(base, exponent)


def _integer_power(base: Array, exponent: Array) -> Array:
    """Integer powers; a negative exponent gives 0 unless the base is 1 or -1."""
    result = computed(np.power, base, np.maximum(exponent, 0))
    negative = np.broadcast_to(exponent < 0, result.shape)
    if negative.any():
        sign = np.where(exponent % 2 == 0, 1, base)
        result = np.where(negative, np.where(np.abs(base) == 1, sign, 0), result).astype(result.dtype)
    return result


def _sign(x: Array) -> Array:
    """-1, 0 or 1; 0 for NaN, as torch has it."""
    if x.dtype.kind == "b":
        return x.copy()
    return np.sign(x) if x.dtype.kind != "f" else np.where(np.isnan(x), x.dtype.type(0), np.sign(x))


# -- functions of one variable ----------------------------------------------------------------------------------

abs = _unary("abs", np.abs, lambda g, input: g * sign(input), floating=False)
exp = _unary("exp", np.exp, lambda g, out: g * out)
exp2 = _unary("exp2", np.exp2, lambda g, out: g * (out * 0.6931471805599453))
expm1 = _unary("expm1", np.expm1, lambda g, out: g * (out + 1))
log = _unary("log", np.log, lambda g, input: g / input)
log2 = _unary("log2", np.log2, lambda g, input: g / (input * 0.6931471805599453))
log10 = _unary("log10", np.log10, lambda g, input: g / (input * 2.3025850929940456))
log1p = _unary("log1p", np.log1p, lambda g, input: g / (input + 1))
sqrt = _unary("sqrt", np.sqrt, lambda g, out: g / (2 * out))
rsqrt = _unary("rsqrt", lambda x: 1 / np.sqrt(x), lambda g, out: -0.5 * g * out**3)
square = _unary("square", np.square, lambda g, input: g * (2.0 * input), floating=False)
reciprocal = _unary("reciprocal", lambda x: 1 / x, lambda g, out: -g * (out * out))
sin = _unary("sin", np.sin, lambda g, input: g * cos(input))
cos = _unary("cos", np.cos, lambda g, input: g * -sin(input))
tan = _unary("tan", np.tan, lambda g, out: g * (1 + out * out))
asin = _unary("asin", np.arcsin, lambda g, input: g * rsqrt(1 - input * input))
acos = _unary("acos", np.arccos, lambda g, input: g * -rsqrt(1 - input * input))
atan = _unary("atan", np.arctan, lambda g, input: g / (input * input + 1))
sinh = _unary("sinh", np.sinh, lambda g, input: g * cosh(input))
cosh = _unary("cosh", np.cosh, lambda g, input: g * sinh(input))
tanh = _unary("tanh", np.tanh, lambda g, out: g * (1 - out * out))
sign = _unary("sign", lambda x: _sign(x), lambda g: zeros_of(g), floating=False)
floor = _unary("floor", np.floor, lambda g: zeros_of(g), floating=False)
ceil = _unary("ceil", np.ceil, lambda g: zeros_of(g), floating=False)
trunc = _unary("trunc", np.trunc, lambda g: zeros_of(g), floating=False)
frac = _unary("frac", lambda x: x - np.trunc(x), lambda g: g)
positive = op(UNARY, name="positive", input=lambda g: g)(lambda input: +input)


@op(
    "(Tensor input, *, Tensor? out=None)",
    "(Tensor input, *, int decimals, Tensor? out=None)",
    inplace=True,
    input=lambda g: zeros_of(g),
)
def round(input: Array, decimals: int = 0) -> Array:
    return np.round(input, decimals)


@op(
    "(Tensor grad, Tensor result)",
    arity=2,
    namespace="internal",
    node="SigmoidBackwardBackward0",
    grad=lambda g, result: sigmoid_gradient(g, result),
    result=lambda g, grad, result: g * grad * (1 - 2 * result),
)
def sigmoid_gradient(grad: Array, result: Array) -> Array:
    """grad (1 - y) y."""
    slope: Array = elementwise(_sigmoid_gradient, (grad, result))
    return slope


def _sigmoid_gradient(grad: Array, y: Array) -> Array:
    slope = np.subtract(constant(1, y.dtype), y)
    slope *= y
    slope *= grad
    return slope


@op(UNARY, inplace=True, input=lambda g, out: sigmoid_gradient(g, out))
def sigmoid(input: Array) -> Array:
    """1 / (1 + e^-x)."""
    input = as_floating(input)
    result: Array = elementwise(lambda x: logistic(-x), (input,))
    return laid_out(result, input) if result.ndim > 1 else result


# -- choices ----------------------------------------------------------------------------------------------------


def _share_at_tie(g: Any, mine: Any, theirs: Any, loses: Any) -> Any:
    """The gradient of a maximum or minimum: nothing to the loser, half to each at a tie; NaN loses to nobody."""
    return where(loses, 0.0, where(mine == theirs, g / 2, g))


@op(
    _STRICT_BINARY,
    arity=2,
    input=lambda g, input, other: _share_at_tie(g, input, other, input < other),
    other=lambda g, input, other: _share_at_tie(g, input, other, other < input),
)
def maximum(input: Array, other: Array) -> Array:
    return computed(np.maximum, *common(input, other))


@op(
    _STRICT_BINARY,
    arity=2,
    input=lambda g, input, other: _share_at_tie(g, input, other, input > other),
    other=lambda g, input, other: _share_at_tie(g, input, other, other > input),
)
def minimum(input: Array, other: Array) -> Array:
    return computed(np.minimum, *common(input, other))


def _clamp_input(g: Any, input: Any, min: Any, max: Any) -> Any:
    if min is None:
        return where(input <= max, g, 0.0)
    if max is None:
        return where(input >= min, g, 0.0)
    return where((input >= min) & (input <= max), g, 0.0)


def _clamp_min(g: Any, input: Any, min: Any, max: Any) -> Any:
    inside = input < min
    return where(inside if max is None else inside & (min < max), g, 0.0)


def _clamp_max(g: Any, input: Any, min: Any, max: Any) -> Any:
    outside = input > max
    return where(outside if min is None else outside | (max < min), g, 0.0)


@op(
    "(Tensor input, Tensor? min=None, Tensor? max=None, *, Tensor? out=None)",
    "(Tensor input, Number? min=None, Number? max=None, *, Tensor? out=None)",
    arity=3,
    inplace=True,
    node=lambda input, min=None, max=None: f"ClampBackward{int(not (hasattr(min, '_node') or hasattr(max, '_node')))}",
    input=_clamp_input,
    min=_clamp_min,
    max=_clamp_max,
)
def clamp(input: Array, min: Any = None, max: Any = None) -> Array:
    """min(max(input, min), max): where the bounds cross, `max` wins."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if min is not None:
        input = computed(np.maximum, *common(input, min))
    if max is not None:
        input = computed(np.minimum, *common(input, max))
    return input


@op(
    "(Tensor condition)",
    "(Tensor condition, Tensor input, Tensor other, *, Tensor? out=None)",
    "(Tensor condition, Number self, Tensor other)",
    "(Tensor condition, Tensor input, Number other)",
    "(Tensor condition, Number self, Number other)",
    arity=3,
    input=lambda g, condition: where(condition, g, 0.0),
    other=lambda g, condition: where(condition, 0.0, g),
)
def where(condition: Array, input: Any, other: Any) -> Array:
    if condition.dtype.kind != "b" and condition.dtype != np.uint8:
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype {title(condition)}"
        )
    dtype = result_dtype(input, other).numpy
    try:
        return laid_out(np.where(condition, cast(input, dtype), cast(other, dtype)), condition, input, other)
    except ValueError:
        broadcast_shapes(broadcast_shapes(condition.shape, np.shape(input)), np.shape(other))
        raise


# -- comparisons and logic ----------------------------------------------------------------------------------------


def _comparison(name: str, ufunc: Any) -> Op:
    def kernel(input: Array, other: Any) -> Array:
        return computed(ufunc, *common(input, other))

    return op(*_COMPARISON, name=name, arity=2, inplace=True)(kernel)


eq = _comparison("eq", np.equal)
ne = _comparison("ne", np.not_equal)
lt = _comparison("lt", np.less)
le = _comparison("le", np.less_equal)
gt = _comparison("gt", np.greater)
ge = _comparison("ge", np.greater_equal)


def _logical(name: str, ufunc: Any) -> Op:
    def kernel(input: Array, other: Array) -> Array:
        return computed(ufunc, input, other)

    return op(_STRICT_BINARY, name=name, arity=2, inplace=True)(kernel)


logical_and = _logical("logical_and", np.logical_and)
logical_or = _logical("logical_or", np.logical_or)
logical_xor = _logical("logical_xor", np.logical_xor)


@op(UNARY, inplace=True)
def logical_not(input: Array) -> Array:
    return np.logical_not(input)


def _bitwise(name: str, ufunc: Any) -> Op:
    def kernel(input: Array, other: Any) -> Array:
        x, y = common(input, other)
        for each in (x, y):
            if isinstance(each, np.ndarray) and each.dtype.kind == "f":
                raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{title(each)}'")
        return computed(ufunc, x, y)

    return op(
        "(Tensor input, Tensor other, *, Tensor? out=None)",
        "(Number self, Tensor other)",
        "(Tensor input, Number other, *, Tensor? out=None)",
        name=name,
        arity=2,
        inplace=True,
    )(kernel)


bitwise_and = _bitwise("bitwise_and", np.bitwise_and)
bitwise_or = _bitwise("bitwise_or", np.bitwise_or)
bitwise_xor = _bitwise("bitwise_xor", np.bitwise_xor)


@op(UNARY, inplace=True)
def bitwise_not(input: Array) -> Array:
    if input.dtype.kind == "f":
        raise NotImplementedError("\"bitwise_not_cpu\" not implemented for 'Float'")
    return np.invert(input)


isnan = op("(Tensor input)", name="isnan")(lambda input: np.isnan(input))
isinf = op("(Tensor input)", name="isinf")(lambda input: np.isinf(input))
isfinite = op("(Tensor input)", name="isfinite")(lambda input: np.isfinite(input))
