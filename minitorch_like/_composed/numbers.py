"""Functions of numbers that are composed of ops, those that return several results, and second names."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np

from .._bind import FUNCTIONS, METHODS, bind_alias
from .._capture import reads_values
from .._dtype import complex128, float64
from .._functions import named_type
from .._out_argument import into
from .._tensor import Tensor, wrap
from ..ops import TABLE
from ..ops._checks import broadcast_shapes
from ..ops._signature import Reader

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


def reads(*texts: str, method: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A function, and a method of Tensor, read by torch's signatures; it is given the values by name."""

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        name = function.__name__
        as_function, as_method = Reader(name, texts), Reader(name, texts, method=True)

        def call(*args: Any, **kwargs: Any) -> Any:
            return function(**as_function.read(args, kwargs)[1])

        def call_method(self: Tensor, /, *args: Any, **kwargs: Any) -> Any:
            return function(self, **as_method.read(args, kwargs)[1])

        for each in (call, call_method):
            each.__name__ = each.__qualname__ = name
            each.__doc__ = function.__doc__
        PUBLIC[name] = call
        if method:
            setattr(Tensor, name, call_method)
        return function

    return declare


# -- results with names -----------------------------------------------------------------------------------------------


def return_type(name: str, *fields: str) -> Callable[..., Any]:
    """torch.return_types.aminmax and its like: named tuples that print their fields one a line."""
    base = namedtuple(f"_{name}", fields)  # type: ignore[misc]

    def __repr__(self: Any) -> str:
        lines = ",\n".join(f"{field}={value!r}" for field, value in zip(fields, self, strict=True))
        return f"torch.return_types.{name}(\n{lines})"

    return named_type(name, (base,), {"__repr__": __repr__, "__slots__": ()})


_frexp = return_type("frexp", "mantissa", "exponent")


@reads("(Tensor input, *, Tensor[]? out=None)")
def frexp(input: Tensor, out: Any = None) -> Any:
    """Mantissas and exponents."""
    result = TABLE["frexp"].apply(input)
    return _frexp(*(result if out is None else map(into, out, result)))


# -- nearness ----------------------------------------------------------------------------------------------------------

_CLOSE = "(Tensor input, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False)"


@reads(_CLOSE)
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """|input - other| <= atol + rtol * |other|, element by element; infinities are close to themselves alone."""
    reads_values("isclose()")
    if input._data.dtype is not other._data.dtype:
        raise RuntimeError(f"{input.dtype.title} did not match {other.dtype.title}")
    for name, each in (("rtol", rtol), ("atol", atol)):
        if each < 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {each:g}")
    x, y = _for_distance(input), _for_distance(other)
    broadcast_shapes(x.shape, y.shape)
    close = np.equal(x, y)
    if equal_nan and x.dtype.kind in "fc":
        close |= np.isnan(x) & np.isnan(y)
    if rtol or atol:
        distance = np.abs(np.subtract(x, y))
        close |= np.isfinite(distance) & (distance <= atol + np.abs(np.multiply(y, rtol)))
    result: Tensor = wrap(close)
    return result


def _for_distance(tensor: Tensor) -> Any:
    """Elements that can be subtracted, in at least float32 where they are floating-point numbers."""
    data = tensor._data
    if data.dtype.kind == "b":
        return data.astype(np.int8)
    return data.astype(np.float32) if tensor.is_floating_point() and data.itemsize == 2 else data


@reads(_CLOSE)
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close."""
    return bool(isclose(input, other, rtol, atol, equal_nan)._data.all())


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
    return into(out, TABLE["pow"].apply(_wide(base), _wide(exponent)))


def _float_power_(self: Any, exponent: Any) -> Any:
    if self.dtype is not float64:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {self.dtype.title} but the operation's result requires dtype Double"
        )
    return self.pow_(_wide(exponent))


Tensor.float_power_ = _float_power_  # type: ignore[attr-defined]


@reads("(int n, Tensor input, *, Tensor? out=None)", method=False)
def polygamma(n: int, input: Any, out: Any = None) -> Tensor:
    """The n-th derivative of digamma."""
    return into(out, TABLE["polygamma_of"].apply(input, n))


def _polygamma(self: Any, n: int) -> Any:
    return TABLE["polygamma_of"].apply(self, n)


Tensor.polygamma = _polygamma  # type: ignore[attr-defined]
add_aliases()
