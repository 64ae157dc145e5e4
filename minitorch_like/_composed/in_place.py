"""torch.abs_ and its like: the in-place methods that torch has as functions, too."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .._tensor import Tensor
from .._writing import in_place_form
from ..ops import TABLE
from ..ops._signature import Reader

PUBLIC: dict[str, Callable[..., Any]] = {}

_NAMES = (
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "clamp", "clamp_max", "clamp_min", "conj_physical",
    "cos", "cosh", "deg2rad", "erf", "erfc", "exp", "exp2", "expm1", "fill", "floor", "frac", "gcd", "i0", "lcm", "log",
    "log10", "log1p", "log2", "logit", "nan_to_num", "neg", "rad2deg", "reciprocal", "round", "rsqrt", "sigmoid", "sin",
    "sinc", "sinh", "sqrt", "square", "tan", "tanh", "trunc", "xlogy", "zero",
)  # fmt: skip
_ALIASES = {
    "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan", "arctanh": "atanh",
    "clip": "clamp", "fix": "trunc", "negative": "neg",
}  # fmt: skip
_OUT = re.compile(r"(, \*)?, Tensor\? out=None")


def in_place(name: str, of: str | None = None) -> Callable[..., Tensor]:
    """torch's function `name`, which writes into its first argument, by the op `of`."""
    op = TABLE[of or name.removesuffix("_")]
    texts = tuple(_OUT.sub("", text) for text in op.texts if not text.startswith("(Number"))
    apply, reader = in_place_form(op), Reader(name, texts)

    def function(*args: Any, **kwargs: Any) -> Tensor:
        return apply(*op.read(reader, args, kwargs)[0])

    function.__name__ = function.__qualname__ = name
    function.__module__ = __name__.partition(".")[0]
    function.__doc__ = f"`{name.removesuffix('_')}`, in place."
    return function


PUBLIC |= {f"{_name}_": in_place(f"{_name}_") for _name in _NAMES}
PUBLIC |= {f"{_name}_": in_place(f"{_name}_", _of) for _name, _of in _ALIASES.items()}


_DETACH = Reader("detach_", ("(Tensor input)",))


def detach_(*args: Any, **kwargs: Any) -> Tensor:
    """`input`, its history forgotten."""
    input: Tensor = _DETACH.read(args, kwargs)[1]["input"]
    return input.detach_()


PUBLIC["detach_"] = detach_
