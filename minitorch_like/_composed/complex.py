"""The functions and methods of complex tensors that are not ops by themselves, and the attributes `real` and `imag`.

What conjugate views are is in `_conjugation`, which is loaded with the first complex number; arrays have neither bit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from .._bind import FUNCTIONS
from .._tensor import Tensor, wrap
from ..ops import TABLE
from ..ops._signature import NOBODY, Reader, check_bound

# Functions that are no methods: `Tensor.real` is an attribute.
PUBLIC: dict[str, Callable[..., Any]] = {
    name: FUNCTIONS[name]
    for name in ("real", "imag", "complex", "polar", "view_as_real", "view_as_complex", "_neg_view")
}
PUBLIC["_conj"] = FUNCTIONS["conj"]


def _function(function: Callable[[Tensor], Any]) -> Callable[[Tensor], Any]:
    """A function of one tensor, and the method of its name."""
    name = function.__name__
    as_function, as_method = (Reader(name, ("(Tensor input)",), method=method) for method in (False, True))

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(as_function.read(args, kwargs)[1]["input"])

    @wraps(function)
    def method(self: Tensor = NOBODY, /, *args: Any, **kwargs: Any) -> Any:
        check_bound(self, name)
        as_method.read(args, kwargs)
        return function(self)

    PUBLIC[name] = call
    setattr(Tensor, name, method)
    return function


@_function
def is_conj(input: Tensor) -> bool:
    """Whether it is a view that conjugates what is in its memory."""
    return getattr(input._data, "conjugated", False)


@_function
def is_neg(input: Tensor) -> bool:
    """Whether it is a view that changes the sign of what is in its memory."""
    return getattr(input._data, "negated", False)


@_function
def resolve_conj(input: Tensor) -> Any:
    """The values of a view that conjugates, as a copy; otherwise itself."""
    return TABLE["clone"].apply(input) if is_conj(input) else input


@_function
def resolve_neg(input: Tensor) -> Any:
    """The values of a view that changes their sign, as a copy; otherwise itself."""
    return TABLE["clone"].apply(input) if is_neg(input) else input


@_function
def isreal(input: Tensor) -> Any:
    """Where the imaginary part is 0: everywhere in a real tensor."""
    if input._data.dtype.kind != "c":
        return wrap(np.ones_like(input._data, bool))
    return TABLE["eq"].apply(TABLE["imag"].apply(input.detach()), 0)


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
