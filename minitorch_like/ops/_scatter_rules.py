"""The derivatives of reductions by index, which `scatter_reduce` and `index_reduce` share.

With r the reduction of x and of the s that go to its place: of a mean over n, 1/n to each; of an extremum, its share to
each that equals it; of a product, the product of the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ._checks import wrap_dim
from ._table import Array, op
from .elementwise import eq, where, zeros_of
from .indexing import places_along
from .shape import cast_to


class Along(NamedTuple):
    """How values go along an index: `pick(x)` reads there, `add(x, s)` adds, `clear(x)` sets to 0, `reduce` reduces."""

    pick: Callable[[Any], Any]
    add: Callable[[Any, Any], Any]
    clear: Callable[[Any], Any]
    reduce: Callable[[Any, Any, str, bool], Any]


def reduced_input(g: Any, x: Any, src: Any, out: Any, reduce: str, include_self: bool, along: Along) -> Any:
    """The gradient of what is reduced into; without `include_self`, none where something is reduced into it."""
    if reduce == "prod":
        ones = where(_same(x, 0), 1.0, x)
        result = g * along.reduce(ones, src, "prod", include_self) / ones
    elif reduce == "mean":
        result = g / _counts(g, src, include_self, along)
    elif reduce in ("amax", "amin"):
        result = _marked(x, out) * _shares(g, x, src, out, along)
    else:
        result = g
    return result if include_self else along.clear(result)


def reduced_source(g: Any, x: Any, src: Any, out: Any, reduce: str, include_self: bool, along: Along) -> Any:
    """The gradient of what is reduced."""
    if reduce == "prod":
        return _product_source(g, x, src, out, include_self, along)
    if reduce == "mean":
        return along.pick(g / _counts(g, src, include_self, along))
    if reduce in ("amax", "amin"):
        return _marked(src, along.pick(out)) * along.pick(_shares(g, x, src, out, along))
    return along.pick(g)


def _product_source(g: Any, x: Any, src: Any, out: Any, include_self: bool, along: Along) -> Any:
    """By the quotient, but where there is a single zero among the factors: there by the product without it."""
    zero = _same(src, 0)
    zeros = along.pick(along.add(zeros_of(x), _as(zero, src)))
    single = zero & _same(zeros, 1)
    without = along.reduce(x, where(single, 1.0, src), "prod", include_self)
    return where(single, along.pick(g * without), along.pick(g * out) / where(zero, 1.0, src))


def _same(x: Any, y: Any) -> Any:
    return eq(x, y)


def _as(mask: Any, like: Any) -> Any:
    """Truth values as zeros and ones of the dtype of `like`."""
    if isinstance(mask, np.ndarray):
        return mask.astype(like.dtype)
    return cast_to(mask, like.dtype)


def _marked(x: Any, y: Any) -> Any:
    return _as(_same(x, y), x)


def _shares(g: Any, x: Any, src: Any, out: Any, along: Along) -> Any:
    """The gradient, divided by how many attain the extremum."""
    return g / along.add(_marked(x, out), _marked(src, along.pick(out)))


def _counts(g: Any, src: Any, include_self: bool, along: Along) -> Any:
    """How many values each mean is over, at least 1."""
    start = zeros_of(g) + (1 if include_self else 0)
    counts = along.add(start, zeros_of(src) + 1)
    return where(_same(counts, 0), 1.0, counts)


@op(
    "(Tensor input, Tensor index, int dim)",
    arity=2,
    node="ScatterBackward1",
    input=lambda g, index, dim: index_zero(g, index, dim),
    namespace="internal",
)
def index_zero(input: Array, index: Array, dim: int) -> Array:
    """A copy of `input` with zeros where `index` says along `dim`."""
    result = input.copy()
    flat = result.reshape(-1)
    if not result.ndim or not index.ndim:
        flat[index.reshape(-1)] = 0
    elif index.size:
        flat[places_along(result.shape, index, wrap_dim(dim, result.ndim)).reshape(-1)] = 0
    return result


index_zero.kernel.of_any_width = True  # type: ignore[attr-defined]
index_zero.holomorphic = False
