"""Functions of numbers that are composed of ops, those that return several results, and second names."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .._bind import FUNCTIONS, METHODS, bind_alias
from .._capture import reads_values
from .._dtype import complex128, float64
from .._functions import by_signature, return_type
from .._out_argument import into, into_each
from .._tensor import Tensor, wrap
from ..ops import TABLE
from ..ops._checks import broadcast_shapes, in_single, laid_out

PUBLIC: dict[str, Callable[..., Any]] = {}

_ALIASES = {
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "fix": "trunc",
}


def add_aliases() -> None:
    """Give the functions and methods of the table their second names."""
    for alias, name in _ALIASES.items():
        bind_alias(alias, name)
        PUBLIC[alias] = FUNCTIONS[alias]
        for suffix in ("", "_"):
            setattr(Tensor, alias + suffix, METHODS[alias + suffix])


reads = partial(by_signature, into=PUBLIC)
_frexp = return_type("frexp", "mantissa", "exponent")


@reads("(Tensor input, *, Tensor[]? out=None)")
def frexp(input: Tensor, out: Any = None) -> Any:
    """Mantissas and exponents."""
    return into_each(out, _frexp(TABLE["frexp"].apply(input)), "frexp")


# -- nearness ----------------------------------------------------------------------------------------------------------

_CLOSE = "(Tensor input, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False)"


@reads(_CLOSE)
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """|input - other| <= atol + rtol * |other|, element by element; infinities are close to themselves alone."""
    reads_values("isclose()")
    if input._data.dtype is not other._data.dtype:
        raise RuntimeError(f"{input.dtype.title} did not match {other.dtype.title}")
    for name, each in (("rtol", rtol), ("atol", atol)):
        if not each >= 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {each:g}")
    x, y = _for_distance(input), _for_distance(other)
    broadcast_shapes(x.shape, y.shape)
    close = np.equal(x, y)
    if equal_nan and x.dtype.kind in "fc":
        close |= np.isnan(x) & np.isnan(y)
    if rtol or atol:
        distance = np.abs(np.subtract(x, y))
        close |= np.isfinite(distance) & (distance <= atol + np.abs(np.multiply(y, rtol)))
    result: Tensor = wrap(laid_out(close, x, y))
    return result


def _for_distance(tensor: Tensor) -> Any:
    """Elements that can be subtracted, in at least float32 where they are floating-point numbers."""
    data = tensor._data
    if data.dtype.kind == "b":
        return data.astype(np.int8)
    return in_single(data) if tensor.is_floating_point() and data.itemsize == 2 else data


@reads(_CLOSE)
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close."""
    return bool(isclose(input, other, rtol, atol, equal_nan)._data.all())


@reads("(Tensor input, Tensor value)", "(Tensor input, Number value)", method=False)
def fill(input: Tensor, value: Any) -> Any:
    """A new tensor like `input`, with `value` everywhere."""
    return TABLE["filled"].apply(input, value)


# -- composed ------------------------------------------------------------------------------------------------------------


def _wide(x: Any) -> Any:
    if not isinstance(x, Tensor):
        return x
    return x.to(complex128 if x.is_complex() else float64)


@reads(
    "(Tensor input, Tensor exponent, *, Tensor? out=None)",
    "(Number self, Tensor exponent, *, Tensor? out=None)",
    "(Tensor input, Number exponent, *, Tensor? out=None)",
)
def float_power(input: Any = None, exponent: Any = None, out: Any = None, self: Any = None) -> Tensor:
    """A power, computed in float64."""
    base = self if input is None else input
    if out is not None and out.dtype not in (float64, complex128):
        raise RuntimeError(
            f"the output given to float_power has dtype {out.dtype.title} but the operation's result requires dtype Double"
        )
    return into(out, TABLE["pow"].apply(_wide(base), _wide(exponent)), "pow")


def _is_complex(x: Any) -> bool:
    return x.is_complex() if isinstance(x, Tensor) else isinstance(x, complex)


@by_signature("(Tensor self, Tensor exponent)", "(Tensor self, Number exponent)", public=False)
def float_power_(self: Any, exponent: Any) -> Any:
    wide = complex128 if self.is_complex() or _is_complex(exponent) else float64
    if self.dtype is not wide:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {self.dtype.title} but the operation's result requires dtype "
            f"{wide.title}"
        )
    return self.pow_(_wide(exponent))


@reads("(int n, Tensor input, *, Tensor? out=None)")
def polygamma(self: Any = None, n: int = 0, input: Any = None, out: Any = None) -> Tensor:
    """The n-th derivative of digamma, of `input` or, as a method, of `self`."""
    return into(out, TABLE["polygamma_of"].apply(input if self is None else self, n), "polygamma")


add_aliases()
