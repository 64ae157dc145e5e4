"""Pointwise arithmetic, the functions that every program meets, choices, comparisons and logic.

The other functions of one variable are in `transcendental`, `rounding` and `special`, of two in `pairwise`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._dtype import result_dtype
from ._checks import (
    as_floating,
    broadcast_shapes,
    cast,
    common,
    common_floating,
    computed,
    converted,
    explain,
    is_complex,
    laid_out,
    not_implemented,
    title,
)
from ._elements import constant, logistic
from ._precision import elementwise
from ._table import UNARY, Array, Op, Rule, op

ndarray = np.ndarray
_BINARY = "(Tensor|Number input, Tensor|Number other, *, Tensor? out=None)"
_COMPARISON = ("(Tensor input, Tensor other, *, Tensor? out=None)", "(Tensor input, Number other, *, Tensor? out=None)")
_STRICT_BINARY = "(Tensor input, Tensor other, *, Tensor? out=None)"


def unary(
    name: str,
    ufunc: Any,
    rule: Rule,
    *,
    floating: bool = True,
    no_bool: str = "",
    node: str | None = None,
    inplace_node: str | None = None,
) -> Op:
    """A function of one variable; integers are converted first where `floating`, else kept.

    `no_bool` is the name of torch's kernel where that is not implemented for booleans.
    """

    def kernel(input: Array) -> Array:
        if input.dtype.kind != "f":
            if no_bool and input.dtype.kind == "b":
                raise not_implemented(no_bool, input)
            if floating:
                input = as_floating(input)
        result: Array = ufunc(input)
        return laid_out(result, input) if result.ndim > 1 else result

    return op(UNARY, name=name, inplace=True, node=node, inplace_node=inplace_node, input=rule)(kernel)


@op("(Tensor input)", namespace="internal")
def zeros_of(input: Array) -> Array:
    """Zeros like `input`, of which no more derivatives can be had: the gradient of what does not change."""
    return np.zeros_like(input)


# -- arithmetic -------------------------------------------------------------------------------------------------


_ONE = 1  # the default of `alpha`; True and 1.0 are other objects, which torch minds beside integers


def _scaled(x: Any, y: Any, alpha: Any) -> Any:
    """alpha * y in the result's dtype, with torch's objections to an `alpha` of a higher category."""
    dtype = result_dtype(x, y)
    if isinstance(alpha, bool) and dtype.name != "bool":
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if isinstance(alpha, (float, complex)) and not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    if isinstance(alpha, complex) and not dtype.is_complex:
        raise RuntimeError("For non-complex input tensors, argument alpha must not be a complex number.")
    if alpha == 1:
        return y
    return cast(y, dtype.numpy) * cast(alpha, dtype.numpy)


@op(
    "(Tensor|Number input, Number alpha, Tensor|Number other, *, Tensor? out=None)|deprecated",
    "(Tensor|Number input, Tensor|Number other, *, Number alpha=1, Tensor? out=None)",
    arity=2,
    inplace=True,
    input=lambda g: g,
    other=lambda g, alpha: g if alpha == 1 else g * alpha,
)
def add(input: Array, other: Any, alpha: Any = 1) -> Array:
    if alpha is not _ONE:
        other = _scaled(input, other, alpha)
    return computed(np.add, *common(input, other))


def _common_for_subtraction(x: Any, y: Any) -> tuple[Any, Any]:
    """`common`; RuntimeError where one of the operands is boolean."""
    a, b = common(x, y)
    if a is x and b is y and a.dtype.kind != "b" and type(y) is not bool:
        return a, b
    from ._integers import refuse_booleans

    refuse_booleans(x, y)
    return a, b


@op(
    "(Tensor|Number input, Number alpha, Tensor|Number other, *, Tensor? out=None)|deprecated",
    "(Tensor|Number input, Tensor|Number other, *, Number alpha=1, Tensor? out=None)",
    arity=2,
    inplace=True,
    input=lambda g: g,
    other=lambda g, alpha: -g if alpha == 1 else g * -alpha,
)
def sub(input: Array, other: Any, alpha: Any = 1) -> Array:
    x, y = _common_for_subtraction(input, other)
    if alpha is not _ONE:
        y = _scaled(input, y, alpha)
    return computed(np.subtract, x, y)


@op(
    "(Tensor input, Tensor other, *, Number alpha=1)",
    "(Tensor input, Number other, Number alpha=1)",
    arity=2,
    node=lambda input, other, alpha=1: f"RsubBackward{int(not hasattr(other, '_node'))}",
    input=lambda g, alpha: -g if alpha == 1 else g * -alpha,
    other=lambda g: g,
)
def rsub(input: Array, other: Any, alpha: Any = 1) -> Array:
    x, y = _common_for_subtraction(input, other)
    if alpha is not _ONE:
        x = _scaled(other, x, alpha)
    return computed(np.subtract, y, x)


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
    "(Tensor|Number input, Tensor|Number other, *, str? rounding_mode, Tensor? out=None)",
    "(Tensor|Number input, Number other, *, str? rounding_mode)",
    arity=2,
    inplace=True,
    renamed=("rounding_mode", "DivBackward2"),
    input=lambda g, other, rounding_mode: zeros_of(g) if rounding_mode else g / other,
    other=_div_other,
)
def div(input: Array, other: Any, rounding_mode: str | None = None) -> Array:
    """Quotient; integers give the default dtype unless `rounding_mode` is "floor" or "trunc"."""
    if rounding_mode is None:
        return computed(np.true_divide, *common_floating(input, other))
    if rounding_mode == "floor":
        return _floor_division(*common(input, other))
    if rounding_mode == "trunc":
        from ._integers import truncated_division

        return truncated_division(*common(input, other))
    raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'")


@op(
    "(Tensor input, Number divisor)",
    namespace="internal",
    node="DivBackward1",
    input=lambda g, divisor: g / divisor,
)
def div_number(input: Array, divisor: float) -> Array:
    """Division inside a composed function, which torch tells apart from the user's."""
    return np.true_divide(*common_floating(input, divisor))


def _floor_division(x: Array, y: Any) -> Array:
    check_divisor("div_floor_cpu", x, y)
    return computed(np.floor_divide, x, y)


def check_divisor(name: str, x: Array, y: Any) -> None:
    """What torch's integer division `name` does not do: booleans, complex numbers, and division by zero."""
    if x.dtype.kind in "bc":
        raise not_implemented(name, x)
    if x.dtype.kind in "iu" and not np.all(y):
        raise RuntimeError("ZeroDivisionError")


def _underived(g: Any) -> Any:
    raise RuntimeError("derivative for aten::floor_divide is not implemented")


@op(
    _BINARY,
    "(Tensor|Number input, Number other)",
    arity=2,
    inplace=True,
    node="torch::autograd::NotImplemented",
    input=_underived,
    other=_underived,
)
def floor_divide(input: Array, other: Any) -> Array:
    return _floor_division(*common(input, other))


@op(
    "(Tensor input, Tensor other, *, Tensor? out=None)",
    "(Number self, Tensor other)",
    "(Tensor input, Number other, *, Tensor? out=None)",
    arity=2,
    inplace=True,
    node=lambda input, other: (
        f"RemainderBackward{int(hasattr(other, '_node'))}"
        if hasattr(input, "_node")
        else "torch::autograd::NotImplemented"
    ),
    input=lambda g: g,
    other=lambda g, input, other: -g * div(input, other, "floor"),
)
def remainder(input: Any, other: Any) -> Array:
    """input - other * floor(input / other): of the sign of `other`; a zero has that of `input`."""
    x, y = common(input, other)
    check_divisor("remainder_cpu", x, y)
    if x.dtype.kind != "f":
        return computed(np.remainder, x, y)
    rest = computed(np.fmod, x, y)
    return laid_out(np.where((rest != 0) & ((rest < 0) != np.less(y, 0)), rest + y, rest), x, y)


@op(UNARY, inplace=True, input=lambda g: -g)
def neg(input: Array) -> Array:
    if input.dtype.kind == "b":
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. "
            "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."
        )
    return laid_out(np.negative(input), input)


def _pow_input(g: Any, input: Any, exponent: Any) -> Any:
    if isinstance(exponent, (int, float, complex)):
        return zeros_of(g) if exponent == 0 else g * (exponent * input ** (exponent - 1))
    return where(exponent == 0, 0.0, g * (exponent * input ** (exponent - 1)))


def _pow_exponent(g: Any, input: Any, exponent: Any, out: Any) -> Any:
    if is_complex(out):
        from .complex import log_of_base, not_negative

        return where((input == 0) & not_negative(exponent), 0.0, g * (out * log_of_base(input, out)))
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
    if isinstance(exponent, (int, float)) and exponent in (0, 1):
        return base.copy(order="K") if exponent else np.ones_like(base)
    if base.dtype.kind in "biu":
        from ._integers import integer_power

        return laid_out(integer_power(base, power, exponent), base, power)
    if isinstance(power, (int, float, complex)):
        return _power_by_number(base, power)
    result = computed(np.power, base, power)
    return result if isinstance(input, np.ndarray) else result.copy()  # number ** tensor is laid out row by row


def _power_by_number(base: Array, exponent: complex) -> Array:
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


def direction(x: Any) -> Any:
    """x / |x|, and 0 for 0: the sign of a real number, an angle for a complex one."""
    if not is_complex(x):
        return sign(x)
    from .complex import sgn

    return sgn(x)


def _sign(x: Array) -> Array:
    """-1, 0 or 1; 0 for NaN, as torch has it."""
    if x.dtype.kind == "b":
        return x.copy()
    return np.sign(x) if x.dtype.kind != "f" else np.where(np.isnan(x), x.dtype.type(0), np.sign(x))


# -- functions of one variable ----------------------------------------------------------------------------------

abs = unary("abs", np.abs, lambda g, input: g * direction(input), floating=False, no_bool="abs_cpu")
exp = unary("exp", np.exp, lambda g, out: g * out)
log = unary("log", np.log, lambda g, input: g / input)
sqrt = unary("sqrt", np.sqrt, lambda g, out: g / (2 * out))
rsqrt = unary("rsqrt", lambda x: 1 / np.sqrt(x), lambda g, out: -0.5 * g * out**3)
reciprocal = unary("reciprocal", lambda x: 1 / x, lambda g, out: -g * (out * out))
tanh = unary("tanh", np.tanh, lambda g, out: g * (1 - out * out))
sign = unary("sign", lambda x: _sign(x), lambda g: zeros_of(g), floating=False)


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


def _bounded(ufunc: Any, input: Array, bound: Any) -> Array:
    """The greater or the lesser of `input` and a bound; a number must fit, and does not replace the other zero."""
    if isinstance(bound, np.ndarray):
        return computed(ufunc, *common(input, bound))
    if not -1e38 < bound < 1e38:
        converted(bound, input.dtype)
    return computed(ufunc, bound, input)


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
    if isinstance(min, np.ndarray) is not isinstance(max, np.ndarray) and min is not None and max is not None:
        raise TypeError("clamp takes two tensors or two numbers")  # a 0-d tensor is read as a number then
    if input.dtype.kind != "f":
        from ._integers import clamped

        return clamped(input, min, max)
    if min is not None:
        input = _bounded(np.maximum, input, min)
    if max is not None:
        input = _bounded(np.minimum, input, max)
    return input


def _choices(x: Any, y: Any) -> tuple[Array, Array]:
    """Both in their common dtype, which a number has to fit."""
    if x.__class__ is ndarray and y.__class__ is ndarray and x.dtype is y.dtype:
        return x, y
    if type(y) is float and x.__class__ is ndarray and x.dtype.kind == "f":
        return x, _choice(y, x.dtype)
    kind = result_dtype(x, y).numpy
    return _choice(x, kind), _choice(y, kind)


def _choice(x: Any, kind: np.dtype[Any]) -> Array:
    if (type(x) is int or type(x) is float) and not -128 <= x <= 127:
        return converted(x, kind)
    return cast(x, kind)


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
    x, y = _choices(input, other)
    try:
        return laid_out(np.where(condition, x, y), condition, input, other)
    except ValueError:
        # torch names the first two that do not fit, and then what they give and the third
        explain(
            lambda *shapes: broadcast_shapes(broadcast_shapes(*shapes[:2]), shapes[2]),
            *map(np.shape, (condition, x, y)),
        )
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


def _bitwise(name: str, ufunc: Any) -> Op:
    def kernel(input: Array, other: Any) -> Array:
        x, y = common(input, other)
        if x.dtype.kind in "fc":
            raise not_implemented(f"{name}_cpu", x)
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
    if input.dtype.kind in "fc":
        raise not_implemented("bitwise_not_cpu", input)
    return laid_out(np.invert(input), input)


isnan = op("(Tensor input)", name="isnan")(lambda input: laid_out(np.isnan(input), input))
