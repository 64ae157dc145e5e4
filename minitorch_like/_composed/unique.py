"""`unique` and `unique_consecutive`: how many results they have depends on what is asked for.

torch makes each of these in Python, of four functions, whose names its errors tell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._tensor import Tensor
from ..ops import TABLE
from ..ops._signature import Reader
from .numbers import PUBLIC

_ASKED = "bool return_inverse=False, bool return_counts=False"
_FLAT = Reader("_unique2", (f"(Tensor input, bool sorted=True, {_ASKED})",))
_ALONG = Reader("unique_dim", (f"(Tensor input, int dim, bool sorted=True, {_ASKED})",))
_CONSECUTIVE = Reader("unique_consecutive", (f"(Tensor input, {_ASKED}, int? dim=None)",))


def _unique(input: Any, sorted: Any, return_inverse: Any, return_counts: Any, dim: Any) -> Any:
    asked = {"sorted": sorted, "return_inverse": return_inverse, "return_counts": return_counts}
    if dim is None:
        _FLAT.read((input,), asked)
        return TABLE["unique_flat"].apply(input, return_inverse, return_counts)
    _ALONG.read((input, dim), asked)
    return TABLE["unique_along"].apply(input, int(dim), return_inverse, return_counts)


def _unique_consecutive(input: Any, return_inverse: Any, return_counts: Any, dim: Any) -> Any:
    _CONSECUTIVE.read((input,), {"return_inverse": return_inverse, "return_counts": return_counts, "dim": dim})
    if dim is None:
        return TABLE["unique_consecutive_flat"].apply(input, return_inverse, return_counts)
    return TABLE["unique_consecutive_along"].apply(input, int(dim), return_inverse, return_counts)


_SUFFIXES = {
    (False, False): "output",
    (False, True): "counts",
    (True, False): "inverse",
    (True, True): "inverse_and_counts",
}


def _chosen(inverse: bool, counts: bool, results: tuple[Any, ...]) -> Any:
    values, inverses, lengths = results
    asked = [each for each, wanted in ((inverses, inverse), (lengths, counts)) if wanted]
    return (values, *asked) if asked else values


def _named(function: Callable[..., Any], prefix: str, asked: tuple[bool, bool]) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = f"{prefix}{_SUFFIXES[asked]}"
    return function


def _unique_returning(asked: tuple[bool, bool]) -> Callable[..., Any]:
    def function(
        input: Any, sorted: Any = True, return_inverse: Any = False, return_counts: Any = False, dim: Any = None
    ) -> Any:
        return _chosen(*asked, _unique(input, sorted, return_inverse, return_counts, dim))

    return _named(function, "_return_", asked)


def _consecutive_returning(asked: tuple[bool, bool]) -> Callable[..., Any]:
    def function(input: Any, return_inverse: Any = False, return_counts: Any = False, dim: Any = None) -> Any:
        return _chosen(*asked, _unique_consecutive(input, return_inverse, return_counts, dim))

    return _named(function, "_consecutive_return_", asked)


def _dispatching(
    name: str, places: tuple[int, int], make: Callable[[tuple[bool, bool]], Callable[..., Any]]
) -> Callable[..., Any]:
    """The function that looks in these places for what is asked, and calls the one that returns it."""
    functions = {asked: make(asked) for asked in _SUFFIXES}
    inverse, counts = places

    def function(*args: Any, **kwargs: Any) -> Any:
        def asks(keyword: str, place: int) -> bool:
            return bool(kwargs[keyword] if keyword in kwargs else place < len(args) and args[place])

        return functions[asks("return_inverse", inverse), asks("return_counts", counts)](*args, **kwargs)

    function.__name__ = function.__qualname__ = name
    return function


unique = PUBLIC["unique"] = _dispatching("unique", (2, 3), _unique_returning)
# torch looks for them in each other's places
unique_consecutive = PUBLIC["unique_consecutive"] = _dispatching("unique_consecutive", (2, 1), _consecutive_returning)


def _unique_method(
    self: Any, sorted: Any = True, return_inverse: Any = False, return_counts: Any = False, dim: Any = None
) -> Any:
    """Its elements, each once and in order; or its slices along `dim`."""
    return unique(self, sorted=sorted, return_inverse=return_inverse, return_counts=return_counts, dim=dim)


def _consecutive_method(self: Any, return_inverse: Any = False, return_counts: Any = False, dim: Any = None) -> Any:
    """Its elements (or its slices along `dim`) without those that equal the one before."""
    return unique_consecutive(self, return_inverse=return_inverse, return_counts=return_counts, dim=dim)


for _name, _method in (("unique", _unique_method), ("unique_consecutive", _consecutive_method)):
    _method.__name__, _method.__qualname__ = _name, f"Tensor.{_name}"
    setattr(Tensor, _name, _method)
