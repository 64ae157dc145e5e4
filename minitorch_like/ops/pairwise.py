"""Functions of two or three variables that few programs use; integers become floating-point where torch has it so."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._dtype import result_dtype
from ._checks import (
    broadcast_shapes,
    c_name,
    cast,
    common,
    common_floating,
    computed,
    converted,
    explain,
    laid_out,
    not_implemented,
)
from ._table import UNARY, Array, Op, Rule, op
from .elementwise import check_divisor, clamp, div, exp, isnan, where
from .transcendental import exp2

_TENSORS = "(Tensor input, Tensor other, *, Tensor? out=None)"
_TENSOR_OR_NUMBER = (_TENSORS, "(Tensor input, Number other, *, Tensor? out=None)")


@op(
    *_TENSOR_OR_NUMBER,
    arity=2,
    inplace=True,
    node=lambda input, other: f"FmodBackward{int(hasattr(other, '_node'))}",
    input=lambda g: g,
    other=lambda g, input, other: -g * div(input, other, "trunc"),
)
def fmod(input: Array, other: Any) -> Array:
    """input - other * trunc(input / other): of the sign of `input`."""
    x, y = common(input, other)
    check_divisor("fmod_cpu", x, y)
    return computed(np.fmod, x, y)


# -- of floating-point numbers ------------------------------------------------------------------------------------


def _floating(name: str, ufunc: Any, input: Rule, other: Rule, *, kernel_name: str = "", inplace: bool = False) -> Op:
    """A binary function; integers are converted, or refused in the name of torch's kernel `kernel_name`."""

    def kernel(input: Array, other: Array) -> Array:
        if not kernel_name:
            return computed(ufunc, *common_floating(input, other))
        x, y = common(input, other)
        if x.dtype.kind != "f":
            raise not_implemented(kernel_name, x)
        return computed(ufunc, x, y)

    return op(_TENSORS, name=name, arity=2, inplace=inplace, input=input, other=other)(kernel)


def _per_square(g: Any, numerator: Any, input: Any, other: Any) -> Any:
    """g * numerator / (input^2 + other^2); 0 at the origin, where atan2 has no derivative."""
    square = input * input + other * other
    return where(square == 0, 0.0, g * (numerator / square))


atan2 = _floating(
    "atan2",
    np.arctan2,
    lambda g, input, other: _per_square(g, other, input, other),
    lambda g, input, other: _per_square(g, -input, input, other),
    inplace=True,
)
hypot = _floating(
    "hypot",
    np.hypot,
    lambda g, input, out: g * (input / out),
    lambda g, other, out: g * (other / out),
    kernel_name="hypot_cpu",
    inplace=True,
)
logaddexp = _floating(
    "logaddexp",
    np.logaddexp,
    lambda g, input, other: g / (1 + exp(other - input)),
    lambda g, input, other: g / (1 + exp(input - other)),
    kernel_name="logaddexp_cpu",
)
logaddexp2 = _floating(
    "logaddexp2",
    np.logaddexp2,
    lambda g, input, other: g / (1 + exp2(other - input)),
    lambda g, input, other: g / (1 + exp2(input - other)),
    kernel_name="logaddexp2_cpu",
)


def _xlogy_node(input: Any, other: Any) -> str:
    if not hasattr(input, "_node"):
        return "XlogyBackward1"
    return "XlogyBackward0" if hasattr(other, "_node") else "XlogyBackward2"


@op(
    _TENSORS,
    "(Number self, Tensor other, *, Tensor? out=None)",
    "(Tensor input, Number other, *, Tensor? out=None)",
    arity=2,
    inplace=True,
    node=_xlogy_node,
    input=lambda g, input, other: where((input == 0) & (other <= 0), 0.0, xlogy(g, other)),
    other=lambda g, input, other: g * input / other,
)
def xlogy(input: Any, other: Any) -> Array:
    """input * log(other), and 0 where `input` is, unless `other` is NaN."""
    x, y = common_floating(input, other)
    y = cast(y, x.dtype)
    product = computed(np.multiply, x, np.log(y))
    return laid_out(np.where(np.equal(x, 0) & ~np.isnan(y), product.dtype.type(0), product), x, y)


# -- choices ------------------------------------------------------------------------------------------------------


def _not_nan(name: str, ufunc: Any, wins: Any) -> Op:
    """fmax or fmin: the other operand where one is NaN; at a tie the gradient goes to the first."""
    return op(
        _TENSORS,
        name=name,
        arity=2,
        input=lambda g, input, other: where(wins(input, other) | isnan(other), g, 0.0),
        other=lambda g, input, other: where(wins(input, other) | isnan(other), 0.0, g),
    )(lambda input, other: computed(ufunc, *common(input, other)))


fmax = _not_nan("fmax", np.fmax, lambda x, y: x >= y)
fmin = _not_nan("fmin", np.fmin, lambda x, y: x <= y)


@op(
    "(Tensor input, Tensor min, *, Tensor? out=None)",
    "(Tensor input, Number min, *, Tensor? out=None)",
    arity=2,
    inplace=True,
    node=lambda input, min: f"ClampMinBackward{int(hasattr(min, '_node'))}",
    input=lambda g, input, min: where(input >= min, g, 0.0),
    min=lambda g, input, min: where(input < min, g, 0.0),
)
def clamp_min(input: Array, min: Any) -> Array:
    result: Array = clamp.kernel(input, min)
    return result


@op(
    "(Tensor input, Tensor max, *, Tensor? out=None)",
    "(Tensor input, Number max, *, Tensor? out=None)",
    arity=2,
    inplace=True,
    node=lambda input, max: f"ClampMaxBackward{int(hasattr(max, '_node'))}",
    input=lambda g, input, max: where(input <= max, g, 0.0),
    max=lambda g, input, max: where(input > max, g, 0.0),
)
def clamp_max(input: Array, max: Any) -> Array:
    result: Array = clamp.kernel(input, None, max)
    return result


def _heaviside_underived(g: Any) -> Any:
    raise RuntimeError("derivative for aten::heaviside is not implemented")


@op(
    "(Tensor input, Tensor values, *, Tensor? out=None)",
    arity=2,
    inplace=True,
    node="torch::autograd::NotImplemented",
    input=_heaviside_underived,
    values=_heaviside_underived,
)
def heaviside(input: Array, values: Array) -> Array:
    """0 for negative numbers, 1 for positive ones, `values` at 0.  RuntimeError for two dtypes."""
    if input.dtype is not values.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    one = input.dtype.type(1)
    try:
        return laid_out(np.where(input == 0, values, np.multiply(one, np.greater(input, 0))), input, values)
    except ValueError:
        explain(broadcast_shapes, input.shape, values.shape)
        raise


heaviside.kernel.of_any_width = True  # type: ignore[attr-defined]  # it compares the dtypes


# -- of integers ----------------------------------------------------------------------------------------------------


def _of_integers(name: str, ufunc: Any) -> Op:
    def kernel(input: Array, other: Array) -> Array:
        x, y = common(input, other)
        if x.dtype.kind not in "iu":
            raise not_implemented(f"{name}_cpu", x)
        return computed(ufunc, x, y)

    return op(_TENSORS, name=name, arity=2, inplace=True)(kernel)


gcd = _of_integers("gcd", np.gcd)
lcm = _of_integers("lcm", np.lcm)


# -- of three operands ------------------------------------------------------------------------------------------------


def _same_dtype(**operands: Any) -> None:
    (_, first), *others = operands.items()
    for name, each in others:
        if isinstance(each, np.ndarray) and each.dtype is not first.dtype:
            raise RuntimeError(f"expected dtype {c_name(first)} for `{name}` but got dtype {c_name(each)}")


@op(
    "(Tensor input, Tensor end, Tensor weight, *, Tensor? out=None)",
    "(Tensor input, Tensor end, Number weight, *, Tensor? out=None)",
    arity=3,
    inplace=True,
    node=lambda input, end, weight: f"LerpBackward{int(hasattr(weight, '_node'))}",
    input=lambda g, weight: g * (1 - weight),
    end=lambda g, weight: g * weight,
    weight=lambda g, input, end: g * (end - input),
)
def lerp(input: Array, end: Array, weight: Any) -> Array:
    """input + weight * (end - input), reckoned from the nearer end."""
    if weight is None:
        raise TypeError("a weight is needed")  # which the signatures say in torch's words
    if isinstance(weight, np.ndarray) and not weight.ndim and weight.dtype.kind != "c":  # it counts as a number
        _same_dtype(self=input, end=end)
    else:
        _same_dtype(self=input, end=end, weight=weight)
    if input.shape != end.shape:
        broadcast_shapes(input.shape, end.shape)
    if input.dtype.kind in "fV" and input.itemsize == 2:
        wide = [each.astype(np.float32) if isinstance(each, np.ndarray) else each for each in (input, end, weight)]
        return lerp.kernel(*wide).astype(input.dtype)
    if input.dtype.kind not in "fc":
        raise not_implemented("lerp_kernel_tensor" if isinstance(weight, np.ndarray) else "lerp_kernel_scalar", input)
    weight = cast(weight, input.dtype)
    way = computed(np.subtract, end, input)
    near, far = computed(np.multiply, way, weight), computed(np.multiply, way, 1 - weight)
    result = np.where(np.less(np.abs(weight), 0.5), computed(np.add, input, near), computed(np.subtract, end, far))
    return laid_out(result, input, end, weight)


lerp.kernel.of_any_width = True  # type: ignore[attr-defined]  # its message names the dtypes that differ

_ADDC = (
    "(Tensor input, Number value, Tensor tensor1, Tensor tensor2, *, Tensor? out=None)|deprecated",
    "(Tensor input, Tensor tensor1, Tensor tensor2, *, Number value=1, Tensor? out=None)",
)


def _of_three(input: Array, tensor1: Array, tensor2: Array, value: Any) -> tuple[Array, Array, Array, Any]:
    """The operands in their common dtype, which `value` must fit."""
    if not input.shape == tensor1.shape == tensor2.shape:
        broadcast_shapes(input.shape, tensor1.shape, tensor2.shape)
    kind = result_dtype(input, tensor1, tensor2).numpy
    return cast(input, kind), cast(tensor1, kind), cast(tensor2, kind), converted(value, kind)


@op(
    *_ADDC,
    arity=3,
    inplace=True,
    input=lambda g: g,
    tensor1=lambda g, tensor2, value: g * (tensor2 * value),
    tensor2=lambda g, tensor1, value: g * (tensor1 * value),
)
def addcmul(input: Array, tensor1: Array, tensor2: Array, value: Any = 1) -> Array:
    """input + value * tensor1 * tensor2."""
    x, a, b, factor = _of_three(input, tensor1, tensor2, value)
    if x.dtype.kind == "b":
        raise not_implemented("addcmul_cpu_out", x)
    return laid_out(computed(np.add, x, computed(np.multiply, factor * a, b)), input, tensor1, tensor2)


@op(
    *_ADDC,
    arity=3,
    inplace=True,
    input=lambda g: g,
    tensor1=lambda g, tensor2, value: g * (value / tensor2),
    tensor2=lambda g, tensor1, tensor2, value: -g * (value * tensor1 / (tensor2 * tensor2)),
)
def addcdiv(input: Array, tensor1: Array, tensor2: Array, value: Any = 1) -> Array:
    """input + value * tensor1 / tensor2.  RuntimeError for a division of integers."""
    if tensor1.dtype.kind in "iub" and tensor2.dtype.kind in "iub":
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true "
            "division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value * "
            "torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / tensor2) "
            "for float inputs. The future addcdiv behavior is just the latter implementation: (input + value * tensor1 / "
            "tensor2), for all dtypes."
        )
    x, a, b, factor = _of_three(input, tensor1, tensor2, value)
    return laid_out(computed(np.add, x, computed(np.true_divide, factor * a, b)), input, tensor1, tensor2)


# -- logic -----------------------------------------------------------------------------------------------------------


def _logical(name: str, ufunc: Any) -> Op:
    def kernel(input: Array, other: Array) -> Array:
        return computed(ufunc, input, other)

    return op(_TENSORS, name=name, arity=2, inplace=True)(kernel)


logical_and = _logical("logical_and", np.logical_and)
logical_or = _logical("logical_or", np.logical_or)
logical_xor = _logical("logical_xor", np.logical_xor)


@op(UNARY, inplace=True)
def logical_not(input: Array) -> Array:
    return laid_out(np.logical_not(input), input)
