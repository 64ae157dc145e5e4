"""The error function, the gamma function and their relatives: SciPy's, which is imported at the first use."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._checks import as_floating, laid_out, not_implemented
from ._elements import array
from ._table import UNARY, Array, Op, Rule, op
from .elementwise import exp, where

_TWO_BY_ROOT_PI = 2 / math.sqrt(math.pi)


def _special(name: str, rule: Rule, *, compute: Any = None) -> Op:
    """A function of one variable that SciPy computes; float32 in float32."""

    def kernel(input: Array) -> Array:
        from scipy import special

        input = as_floating(input)
        result = getattr(special, name)(input) if compute is None else compute(special, input)
        return laid_out(array(result), input)

    return op(UNARY, name=name, inplace=True, input=rule)(kernel)


def _erfinv_input(g: Any, out: Any) -> Any:
    return g * (exp(out * out) / _TWO_BY_ROOT_PI)


erf = _special("erf", lambda g, input: g * (_TWO_BY_ROOT_PI * exp(-(input * input))))
erfc = _special("erfc", lambda g, input: g * (-_TWO_BY_ROOT_PI * exp(-(input * input))))
erfinv = _special(
    "erfinv",
    lambda g, input: _erfinv_input(g, erfinv(input)),
    compute=lambda special, x: np.where(x == 0, x, special.erfinv(x)),
)
lgamma = _special(
    "lgamma",
    lambda g, input: g * digamma(input),
    compute=lambda special, x: special.gammaln(np.where(x == -np.inf, np.inf, x)),
)
i0 = _special("i0", lambda g, input: g * _i1(input))


def _digamma(x: Array) -> Array:
    """SciPy's psi, which is NaN at 0, where torch has an infinity of the opposite sign."""
    from scipy import special

    return np.where(x == 0, np.copysign(np.inf, -x), special.psi(x)).astype(x.dtype, copy=False)


@op(UNARY, inplace=True, input=lambda g, input: g * trigamma(input))
def digamma(input: Array) -> Array:
    """The logarithmic derivative of the gamma function."""
    input = as_floating(input)
    return laid_out(_digamma(input), input)


@op(
    "(Tensor input)", namespace="internal", node="PolygammaBackward0", input=lambda g, input: g * polygamma_of(input, 2)
)
def trigamma(input: Array) -> Array:
    """The derivative of digamma: six steps of its recurrence, then its asymptotic series; below 1/2 by reflection.

    With pi x as rounded as torch's, and so as far from a pole at the negative integers.
    """
    x = np.atleast_1d(as_floating(input))
    low = x < 0.5
    y = np.where(low, 1 - x, x)
    total = np.zeros_like(y)
    for _ in range(6):
        total += 1 / (y * y)
        y += 1
    z = 1 / (y * y)
    total += (1 + 1 / (2 * y) + z * (1 / 6 - z * (1 / 30 - z / 42))) / y
    sine = np.sin(x.dtype.type(math.pi) * x)
    result = np.where(low, -total + x.dtype.type(math.pi**2) / (sine * sine), total).astype(x.dtype, copy=False)
    return laid_out(result.reshape(input.shape), input)


@op(
    "(Tensor input, int n)",
    namespace="internal",
    node="PolygammaBackward0",
    input=lambda g, input, n: g * polygamma_of(input, n + 1),
)
def polygamma_of(input: Array, n: int) -> Array:
    """The n-th derivative of digamma.  RuntimeError for a negative n."""
    from scipy import special

    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    if input.dtype.kind == "c":
        raise not_implemented("digamma" if n == 0 else "trigamma" if n == 1 else "polygamma", input)
    input = as_floating(input)
    if n == 0:
        return laid_out(_digamma(input), input)
    if n == 1:
        return trigamma.kernel(input)
    factor = (-1.0) ** (n + 1) * math.factorial(n)
    zeta = np.where(np.isinf(input), np.where(input > 0, np.nan, np.inf), special.zeta(n + 1, input))  # 0 in SciPy's
    return laid_out((zeta * factor).astype(input.dtype, copy=False), input)


@op(
    "(Tensor input)",
    namespace="internal",
    node="SpecialI1Backward0",
    input=lambda g, input, out: _i1_input(g, input, out),
)
def _i1(input: Array) -> Array:
    from scipy import special

    return laid_out(array(special.i1(input)), input)


def _i1_input(g: Any, input: Any, out: Any) -> Any:
    """I1' = I0 - I1 / x, and 1/2 at 0."""
    return g * where(input == 0, 0.5, i0(input) - out / input)


def _logit_input(g: Any, input: Any, eps: float | None) -> Any:
    slope = g / (input * (1 - input))
    if eps is None:
        return where((input < 0) | (input > 1), math.nan, slope)
    return where((input < eps) | (input > 1 - eps), 0.0, slope)


@op("(Tensor input, float? eps=None, *, Tensor? out=None)", inplace=True, input=_logit_input)
def logit(input: Array, eps: float | None = None) -> Array:
    """log(x / (1 - x)), of x clamped to [eps, 1 - eps] where `eps` is given."""
    x = as_floating(input)
    if eps is not None:
        x = x.clip(eps, 1 - eps)
    return laid_out(np.log(x / (1 - x)), input)
