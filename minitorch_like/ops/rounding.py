"""Rounding, and the parts and neighbours of floating-point numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._checks import cast, common, common_floating, computed, laid_out, largest, not_implemented
from ._elements import array
from ._table import UNARY, Array, Op, op
from .elementwise import unary, where, zeros_of
from .transcendental import exp2

_TENSOR_OR_NUMBER = (
    "(Tensor input, Tensor other, *, Tensor? out=None)",
    "(Tensor input, Number other, *, Tensor? out=None)",
)

# -- rounding -----------------------------------------------------------------------------------------------------


def _rounding(name: str, ufunc: Any) -> Op:
    def kernel(input: Array) -> Array:
        if input.dtype.kind == "b":
            raise not_implemented(f"{name}_vml_cpu", input)
        return laid_out(ufunc(input), input)

    return op(UNARY, name=name, inplace=True, input=lambda g: zeros_of(g))(kernel)


floor = _rounding("floor", np.floor)
ceil = _rounding("ceil", np.ceil)
trunc = _rounding("trunc", np.trunc)


@op(UNARY, inplace=True, input=lambda g: g)
def frac(input: Array) -> Array:
    """x - trunc(x), of the sign of x."""
    if input.dtype.kind not in "fc":
        raise not_implemented("frac_cpu", input)
    return laid_out(input - np.trunc(input), input)


@op(
    "(Tensor input, *, Tensor? out=None)",
    "(Tensor input, *, int decimals, Tensor? out=None)",
    inplace=True,
    node=lambda input, decimals=None: f"RoundBackward{int(decimals is not None)}",
    input=lambda g: zeros_of(g),
)
def round(input: Array, decimals: int | None = None) -> Array:
    """To the nearest integer, or to so many decimal places; halves go to the even one."""
    if input.dtype.kind == "b":
        raise not_implemented("round_cpu" if decimals else "round_vml_cpu", input)
    if input.dtype.kind in "iu":
        if decimals is not None:
            raise not_implemented("round_cpu" if decimals else "round_vml_cpu", input)
        return laid_out(input.copy(), input)
    if not decimals:
        return laid_out(np.rint(input), input)
    scale = input.dtype.type(10.0 ** math.fabs(decimals))
    if decimals > 0:
        return laid_out(np.rint(input * scale) / scale, input)
    return laid_out(np.rint(input / scale) * scale, input)


# -- signs and squares -----------------------------------------------------------------------------------------------

square = unary(
    "square",
    lambda x: np.square(x if x.dtype.kind != "b" else x.astype(np.int64)),
    lambda g, input: g * (2.0 * input),
    floating=False,
    node="PowBackward0",
)


@op("(Tensor input)", view=True, input=lambda g: g)
def positive(input: Array) -> Array:
    """The operand itself."""
    if input.dtype.kind == "b":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


# -- kinds of number ------------------------------------------------------------------------------------------------


def _test(name: str, ufunc: Any, of_integers: bool, text: str = "(Tensor input)") -> Op:
    """A question to each element, the answer to which is the same for all integers."""

    def kernel(input: Array) -> Array:
        if input.dtype.kind not in "fc":
            return laid_out(np.full(input.shape, of_integers), input)
        return laid_out(ufunc(input), input)

    return op(text, name=name)(kernel)


isinf = _test("isinf", np.isinf, False)
isfinite = _test("isfinite", np.isfinite, True)
isreal = _test("isreal", np.isreal, True)
isposinf = _test("isposinf", lambda x: np.equal(x, np.inf), False, UNARY)
isneginf = _test("isneginf", lambda x: np.equal(x, -np.inf), False, UNARY)


@op(UNARY)
def signbit(input: Array) -> Array:
    if input.dtype.kind == "f":
        return laid_out(np.signbit(input), input)
    return laid_out(np.less(input, 0), input)


@op(
    "(Tensor input, float? nan=None, float? posinf=None, float? neginf=None, *, Tensor? out=None)",
    inplace=True,
    input=lambda g, input: where(isfinite(input), g, 0.0),
)
def nan_to_num(
    input: Array, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Array:
    """NaN and the infinities replaced, by default by 0 and the largest finite numbers of the dtype."""
    if input.dtype.kind in "iub":
        return laid_out(input.copy(), input)
    bound = largest(input.dtype)
    result = laid_out(input.copy(), input)
    np.copyto(result, cast(0.0 if nan is None else nan, input.dtype), where=np.isnan(input))
    np.copyto(result, cast(bound if posinf is None else posinf, input.dtype), where=np.equal(input, np.inf))
    np.copyto(result, cast(-bound if neginf is None else neginf, input.dtype), where=np.equal(input, -np.inf))
    return result


# -- parts and neighbours -------------------------------------------------------------------------------------------


def _copysign_input(g: Any, input: Any, out: Any) -> Any:
    return where(input == 0, 0.0, g * (out / input))


@op(
    *_TENSOR_OR_NUMBER,
    arity=2,
    inplace=True,
    node=lambda input, other: f"CopysignBackward{int(not hasattr(other, '_node'))}",
    input=_copysign_input,
    other=lambda g: zeros_of(g),
)
def copysign(input: Array, other: Any) -> Array:
    """The magnitude of `input` with the sign of `other`."""
    return computed(np.copysign, *common_floating(input, other))


@op(
    "(Tensor input, Tensor other, *, Tensor? out=None)",
    arity=2,
    inplace=True,
    input=lambda g, input, other: where(input == other, 0.0, g),
    other=lambda g: zeros_of(g),
)
def nextafter(input: Array, other: Array) -> Array:
    """The representable number that follows `input` in the direction of `other`."""
    x, y = common(input, other)
    if x.dtype.kind not in "fV":
        raise not_implemented("nextafter_cpu", x)
    return computed(np.nextafter, x, y)


for _op in (nan_to_num, nextafter):  # which depend on the width of the dtype
    _op.kernel.of_any_width = True  # type: ignore[attr-defined]


@op(
    "(Tensor input)",
    namespace="internal",
    outputs=("mantissa", "exponent"),
    node="FrexpBackward0",
    input=lambda g, exponent: g / exp2(exponent),
)
def frexp(input: Array) -> tuple[Array, Array]:
    """Mantissas in (-1, -0.5], [0.5, 1) or 0, and exponents: mantissa * 2**exponent is the number."""
    if input.dtype.kind != "f":
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    mantissa, exponent = np.frexp(input)
    return laid_out(array(mantissa), input), laid_out(array(exponent), input)


@op(
    "(Tensor input, Tensor other, *, Tensor? out=None)",
    arity=2,
    inplace=True,
    input=lambda g, other: ldexp(g, other),
    other=lambda g, out: g * (out * 0.6931471805599453),
)
def ldexp(input: Array, other: Array) -> Array:
    """input * 2**other.  Where that is not one function in torch, the power is laid out row by row."""
    if input.dtype.kind == "f" and other.dtype.kind == "b":
        raise not_implemented("ldexp_cpu_exp", other)
    x, power = common_floating(input, other)
    if other.dtype.kind in "iu":
        return computed(
            np.ldexp, x, other.clip(-(2**15), 2**15).astype(np.int32, order="K" if input.dtype.kind == "f" else "C")
        )
    return computed(np.multiply, x, np.exp2(power).astype(power.dtype, order="C"))
