"""The cumulative normal distribution, which GELU multiplies with.

For float32 the distribution is approximated by a logistic function,

    Phi(x) = 1 / (1 + exp(-x R(x^2))),

whose argument, the logit of Phi, is odd and smooth; the form is that of E. Page, "Approximations to the Cumulative
Normal Function and its Inverse for Use on a Pocket Calculator", Applied Statistics 26 (1977), where R is a polynomial
of degree 1.  Here R is the rational function of degree 3 over 3 whose error, weighted by what it does to
erf(x / sqrt(2)), is least at its largest (3.3e-9, relative) over |x| <= 5.66, found with 40 digits by the iteration of
C. L. Lawson, "Contributions to the Theory of Linear Least Maximum Approximation" (1961).  All its coefficients are
positive, so nothing cancels: Phi is right to 1.1e-7, and towards minus infinity it decays as it should instead of
in steps of 6e-8.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._elements import at_most, constant
from ._table import Array

# -R(s) = numerator(s) / denominator(s), the highest power first; the denominator's is s^3.
_NUMERATOR = (-9.480845187047988, -371.23363186931147, -4871.378858605826, -39289.69904347722)
_DENOMINATOR = (145.81826146683093, 1931.4388850163573, 24621.167549147856)
_BEYOND = 64.0  # of x^2: there float32's Phi is 1, or next to nothing, and larger powers might overflow


def normal_cdf(x: Array) -> Array:
    """Phi(x) of an array of float32 or float64, at least 1-d."""
    return _logistic(x) if x.dtype == np.float32 else _exact(x)


def _logistic(x: Array) -> Array:
    square = at_most(x * x, _BEYOND)
    first, *rest = [constant(each, x.dtype) for each in _NUMERATOR]
    value = square * first
    value += rest[0]
    for each in rest[1:]:
        value *= square
        value += each
    first, *rest = [constant(each, x.dtype) for each in _DENOMINATOR]
    divisor = square + first
    for each in rest:
        divisor *= square
        divisor += each
    value /= divisor
    value *= x
    np.exp(value, value)
    one = constant(1, x.dtype)
    value += one
    return np.divide(one, value, value)


def _exact(x: Array) -> Array:
    try:
        from scipy.special import ndtr
    except ImportError:
        return _by_math(x)
    result: Array = ndtr(x)
    return result


def _by_math(x: Array) -> Array:
    """One element at a time, where there is no SciPy."""
    erfc: Any = np.frompyfunc(math.erfc, 1, 1)
    result: Array = 0.5 * erfc(x * -math.sqrt(0.5)).astype(x.dtype)
    return result
