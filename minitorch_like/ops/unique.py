"""What occurs, without its repetitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._capture import reads_values
from ._checks import in_single, not_implemented, wrap_dim
from ._table import Array, op
from .sorting import order_of

Results = tuple[Array, Array, Array]


def _underived(name: str) -> Callable[..., Any]:
    def rule(g: Any) -> Any:
        raise NotImplementedError(f"the derivative for '{name}' is not implemented.")

    return rule


def _runs(
    starts: Array, order: Array | None, shape: tuple[int, ...], inverse: bool, counts: bool
) -> tuple[Array, Array]:
    """For each element the number of its run, and the lengths of the runs; `starts`: whether a run begins there."""
    inverses, lengths = np.empty(0, np.int64), np.empty(0, np.int64)
    if inverse:
        numbers = np.cumsum(starts) - 1
        inverses = np.empty(starts.size, np.int64)
        inverses[slice(None) if order is None else order] = numbers
        inverses = inverses.reshape(shape)
    if counts:
        lengths = np.diff(np.flatnonzero(starts), append=starts.size)
    return inverses, lengths


def _starts(x: Array) -> Array:
    """Where an element of a vector (or a row) differs from the one before; a NaN differs from every other."""
    starts = np.ones(len(x), np.bool_)
    differs = np.not_equal(x[1:], x[:-1])
    starts[1:] = differs if x.ndim == 1 else differs.any(1)
    return starts


def _comparable(x: Array) -> Array:
    return in_single(x) if x.itemsize == 2 and x.dtype.kind in "fV" else x


def _flat(name: str, node: str, *, ordered: bool) -> Any:
    @op(
        "(Tensor input, bool return_inverse=False, bool return_counts=False)",
        name=name,
        node=node,
        outputs=("values", "inverse", "counts"),
        input=_underived("_unique2" if ordered else "unique_consecutive"),
        namespace="internal",
    )
    def unique(input: Array, return_inverse: bool = False, return_counts: bool = False) -> Results:
        reads_values(name)
        if input.dtype.kind == "c":
            raise not_implemented("unique", input)
        flat = input.reshape(-1)
        keys = _comparable(flat)
        order = order_of(flat, 0, False, False) if ordered else None  # which tells between NaNs
        if order is not None:
            flat, keys = flat[order], keys[order]
        starts = _starts(keys)
        return (flat[starts], *_runs(starts, order, input.shape, return_inverse, return_counts))

    unique.kernel.of_any_width = True  # type: ignore[attr-defined]
    return unique


_flat("unique_flat", "Unique2Backward0", ordered=True)
_flat("unique_consecutive_flat", "UniqueConsecutiveBackward0", ordered=False)


def _check_slices(input: Array, dim: int) -> int:
    if not input.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    dim = wrap_dim(dim, input.ndim)
    empty = input.shape.count(0)
    if not input.shape[dim] and empty > 1:
        raise RuntimeError("Number of zero sized dimensions is more than one, so unique cannot be applied ")
    if input.shape[dim] and empty:
        raise RuntimeError("There are 0 sized dimensions, and they aren't selected, so unique cannot be applied")
    return dim


def _along(name: str, node: str, *, ordered: bool) -> Any:
    @op(
        "(Tensor input, int dim, bool return_inverse=False, bool return_counts=False)",
        name=name,
        node=node,
        outputs=("values", "inverse", "counts"),
        input=_underived("unique_dim" if ordered else "unique_dim_consecutive"),
        namespace="internal",
    )
    def unique(input: Array, dim: int, return_inverse: bool = False, return_counts: bool = False) -> Results:
        reads_values(name)
        dim = _check_slices(input, dim)
        if input.dtype.kind == "c":
            raise not_implemented("unique_dim", input)
        slices = np.ascontiguousarray(np.moveaxis(input, dim, 0))
        rows = _comparable(slices).reshape(len(slices), -1) if slices.size else np.empty((0, 1))
        order = np.lexsort(rows.T[::-1]) if ordered else None
        if order is not None:
            slices, rows = slices[order], rows[order]
        starts = _starts(rows)
        inverse, counts = _runs(starts, order, starts.shape, return_inverse, return_counts)
        return np.moveaxis(slices[starts], 0, dim), inverse, counts

    unique.kernel.of_any_width = True  # type: ignore[attr-defined]
    return unique


_along("unique_along", "UniqueDimBackward0", ordered=True)
_along("unique_consecutive_along", "UniqueDimConsecutiveBackward0", ordered=False)


def _uncounted(g: Any) -> Any:
    raise RuntimeError("derivative for aten::bincount is not implemented")


@op(
    "(Tensor weights, Tensor input, int minlength=0)",
    arity=2,
    node="torch::autograd::NotImplemented",
    weights=_uncounted,
    namespace="internal",
)
def weighted_count(weights: Array, input: Array, minlength: int = 0) -> Array:
    """The sum of the weights of each number that occurs, in their dtype if that is float32 or float64."""
    from .._composed.counting import check_counted

    reads_values("bincount()")
    check_counted(input, weights, minlength)
    if weights.dtype == np.float32 and input.size:
        result = np.zeros(max(minlength, int(input.max()) + 1), np.float32)
        np.add.at(result, input, weights)
        return result
    wide = weights.real.astype(np.float64)
    return np.bincount(input, wide, minlength) if input.size else np.zeros(minlength, np.int64)


weighted_count.kernel.of_any_width = True  # type: ignore[attr-defined]
