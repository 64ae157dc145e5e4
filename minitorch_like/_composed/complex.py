"""The functions and methods of complex tensors that are not ops by themselves, and the attributes `real` and `imag`.

torch's `conj` is a view that conjugates what is read through it.  Here `conj` is a new tensor: nothing is left to be
resolved, and so `is_conj` and `is_neg` say False, `resolve_conj` and `resolve_neg` give their operand.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from .._bind import FUNCTIONS, METHODS
from .._tensor import Tensor, wrap
from ..ops import TABLE
from ..ops._signature import Reader

# Functions that are no methods: `Tensor.real` is an attribute.
PUBLIC: dict[str, Callable[..., Any]] = {
    name: FUNCTIONS[name] for name in ("real", "imag", "complex", "polar", "view_as_real", "view_as_complex")
}


def _function(function: Callable[[Tensor], Any]) -> Callable[[Tensor], Any]:
    """A function of one tensor, and the method of its name."""
    name = function.__name__
    as_function, as_method = (Reader(name, ("(Tensor input)",), method=method) for method in (False, True))

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(as_function.read(args, kwargs)[1]["input"])

    @wraps(function)
    def method(self: Tensor, /, *args: Any, **kwargs: Any) -> Any:
        as_method.read(args, kwargs)
        return function(self)

    PUBLIC[name] = call
    setattr(Tensor, name, method)
    return function


@_function
def is_conj(input: Tensor) -> bool:
    """Whether a conjugation is still to be done: never."""
    return False


@_function
def is_neg(input: Tensor) -> bool:
    """Whether a change of sign is still to be done: never."""
    return False


@_function
def resolve_conj(input: Tensor) -> Tensor:
    """Itself: no conjugation is put off."""
    return input


@_function
def resolve_neg(input: Tensor) -> Tensor:
    """Itself: no change of sign is put off."""
    return input


@_function
def isreal(input: Tensor) -> Any:
    """Where the imaginary part is 0: everywhere in a real tensor."""
    if input._data.dtype.kind != "c":
        return wrap(np.ones_like(input._data, bool))
    return TABLE["eq"].apply(TABLE["imag"].apply(input.detach()), 0)


def _refusing_complex(method: Callable[..., Any]) -> Callable[..., Any]:
    """`abs_`: the absolute value of a complex tensor is real, and cannot take its place."""

    @wraps(method)
    def call(self: Tensor, /, *args: Any, **kwargs: Any) -> Any:
        if self._data.dtype.kind == "c":
            raise RuntimeError("In-place abs is not supported for complex tensors.")
        return method(self, *args, **kwargs)

    return call


for _name in ("abs_", "absolute_"):
    setattr(Tensor, _name, _refusing_complex(METHODS[_name]))


# -- parts as attributes ---------------------------------------------------------------------------------------------------


def part(tensor: Tensor, name: str) -> Any:
    """`tensor.real` and `tensor.imag`."""
    return TABLE[name].apply(tensor)


def set_part(tensor: Tensor, name: str, value: Any) -> None:
    """`tensor.real = value` and `tensor.imag = value`: a write into the memory of the part."""
    target = part(tensor, name)
    if isinstance(value, Tensor):
        target.copy_(value)
    else:
        target[...] = value
