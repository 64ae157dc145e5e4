"""Exponentials, logarithms and the circular and hyperbolic functions that few programs use."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._checks import as_floating, is_complex, laid_out
from ._table import UNARY, Array, op
from .elementwise import rsqrt, unary, where

_LN_2 = 0.6931471805599453
_LN_10 = 2.3025850929940456

exp2 = unary("exp2", np.exp2, lambda g, out: g * (out * _LN_2))
expm1 = unary("expm1", np.expm1, lambda g, out: g * (out + 1))
log2 = unary("log2", np.log2, lambda g, input: g / (input * _LN_2))
log10 = unary("log10", np.log10, lambda g, input: g / (input * _LN_10))
log1p = unary("log1p", np.log1p, lambda g, input: g / (input + 1), node="Log1PBackward0")
sin = unary("sin", np.sin, lambda g, input: g * cos(input))
cos = unary("cos", np.cos, lambda g, input: g * -sin(input))
tan = unary("tan", np.tan, lambda g, out: g * (1 + out * out))
asin = unary("asin", np.arcsin, lambda g, input: g * rsqrt(1 - input * input))
acos = unary("acos", np.arccos, lambda g, input: g * -rsqrt(1 - input * input))
atan = unary("atan", np.arctan, lambda g, input: g / (input * input + 1))
sinh = unary("sinh", np.sinh, lambda g, input: g * cosh(input))
cosh = unary("cosh", np.cosh, lambda g, input: g * sinh(input))
asinh = unary("asinh", np.arcsinh, lambda g, input: g * rsqrt(input * input + 1), inplace_node="AsinhBackward1")
acosh = unary("acosh", np.arccosh, lambda g, input: _acosh_input(g, input), inplace_node="AcoshBackward1")
atanh = unary("atanh", np.arctanh, lambda g, input: g / (1 - input * input), inplace_node="AtanhBackward1")


def _acosh_input(g: Any, input: Any) -> Any:
    """g / sqrt(x^2 - 1); the root of the product is that of the factors' roots for real numbers alone."""
    if is_complex(input):
        return g * (rsqrt(input + 1) * rsqrt(input - 1))
    return g * rsqrt(input * input - 1)


def _proportional(name: str, factor: float, node: str) -> Any:
    def kernel(input: Array) -> Array:
        input = as_floating(input)
        return laid_out(np.multiply(input, factor), input)

    return op(UNARY, name=name, inplace=True, node=node, input=lambda g: g * factor)(kernel)


deg2rad = _proportional("deg2rad", math.pi / 180, "Deg2RadBackward0")
rad2deg = _proportional("rad2deg", 180 / math.pi, "Rad2DegBackward0")


def _sinc_input(g: Any, input: Any) -> Any:
    """g (pi x cos(pi x) - sin(pi x)) / (pi x^2), which tends to 0 at 0."""
    angle = input * math.pi
    return where(input == 0, 0.0, g * ((angle * cos(angle) - sin(angle)) / (angle * input)))


@op(UNARY, inplace=True, input=_sinc_input)
def sinc(input: Array) -> Array:
    """sin(pi x) / (pi x), and 1 at 0."""
    input = as_floating(input)
    angle = input * math.pi
    with np.errstate(invalid="ignore"):
        quotient = np.sin(angle) / angle
    return laid_out(np.where(input == 0, input.dtype.type(1), quotient), input)
