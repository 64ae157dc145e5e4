"""Order: sorting, the largest and the k-th elements, medians and modes.

Indices are torch's also where elements are equal; `_introsort` has what its unstable algorithms do then.  NaN counts as
greater than everything else, and as equal to itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._capture import mode
from ._checks import in_single, not_implemented, wrap_dim
from ._introsort import introselect, introsort, partial_sort, quickselect
from ._table import Array, op
from .elementwise import eq, isnan, where
from .indexing import scatter_along
from .reductions import kept, sum_
from .shape import copied, squeeze, unsqueeze

_RADIX = 32768  # elements: vectors of as many integers torch sorts by their digits, which is stable
_FEW = 16  # elements: so few its introsort leaves to insertion, which is stable too


def _whole(function: Callable[..., Any], x: Array, *args: Any) -> Any:
    """`function(x, ...)`, an array: one instruction of a plan, whatever it asks of the values."""
    recorder = mode.recorder
    return function(x, *args) if recorder is None else recorder.function(function, (x, *args), {})


def _rows(x: Array, dim: int) -> Array:
    """The vectors along `dim` as the rows of a matrix, 16-bit floats in float32."""
    moved = np.moveaxis(in_single(x) if x.itemsize == 2 and x.dtype.kind in "fV" else x, dim, -1)
    return moved.reshape(math.prod(moved.shape[:-1]), moved.shape[-1])


def _back(rows: Array, shape: tuple[int, ...], dim: int) -> Array:
    """`_rows` undone, where vectors along `dim` may have another length now."""
    outer = shape[:dim] + shape[dim + 1 :]
    return np.moveaxis(rows.reshape(*outer, rows.shape[-1]), -1, dim)


def _same(x: Array, y: Array) -> Array:
    return np.equal(x, y) if x.dtype.kind != "f" else np.equal(x, y) | (np.isnan(x) & np.isnan(y))


def _stable_order(rows: Array, descending: bool) -> Array:
    """The places of each row's elements in order, equal ones as they come."""
    if not descending:
        return np.argsort(rows, axis=1, kind="stable")
    # backwards what comes last is first among its equals
    return rows.shape[1] - 1 - np.argsort(rows[:, ::-1], axis=1, kind="stable")[:, ::-1]


def _keys(rows: Array, descending: bool, order: Array | None = None) -> Array:
    """Integers in the same order as the elements of each row."""
    order = _stable_order(rows, descending) if order is None else order
    ordered = np.take_along_axis(rows, order, 1)
    ranks = np.zeros(rows.shape, np.int64)
    np.cumsum(~_same(ordered[:, 1:], ordered[:, :-1]), axis=1, out=ranks[:, 1:])
    keys = np.empty_like(ranks)
    np.put_along_axis(keys, order, ranks, 1)
    return keys


# -- sort --------------------------------------------------------------------------------------------------------------


def order_of(input: Array, dim: int, descending: bool, stable: bool) -> Array:
    """The places of the elements in order along `dim`."""
    rows = _rows(input, dim)
    order = _stable_order(rows, descending)
    by_digits = input.ndim == 1 and input.size >= _RADIX and input.dtype.kind in "iu" and not descending
    if not stable and rows.shape[1] > _FEW and not by_digits:
        ordered = np.take_along_axis(rows, order, 1)
        tied = np.flatnonzero(_same(ordered[:, 1:], ordered[:, :-1]).any(1))
        if tied.size:
            order[tied] = introsort(_keys(rows[tied], descending, order[tied]))
    return _back(order, input.shape, dim)


def _picked(g: Any, indices: Any, input_shape: Any, dim: int) -> Any:
    return scatter_along(g, indices, input_shape, dim) if input_shape else g


def _like(result: Array, input: Array) -> Array:
    """`result` in the strides of a copy of `input`."""
    if result.ndim == 1 < result.size:
        return np.ascontiguousarray(result)
    placed = copied(input, dtype=result.dtype)
    np.copyto(placed, result)
    return placed


@op(
    "(Tensor input, int dim=-1, bool descending=False, bool? stable=None)",
    name="sort_along",
    outputs=("values", "indices"),
    node=lambda input, dim, descending, stable: f"SortBackward{int(stable is not None)}",
    input=_picked,
    namespace="internal",
)
def sort(input: Array, dim: int = -1, descending: bool = False, stable: bool | None = None) -> tuple[Array, Array]:
    """The elements in order along `dim`, and where they were."""
    dim = wrap_dim(dim, input.ndim)
    if input.dtype.kind == "c":
        raise RuntimeError(" Sort does not support complex dtypes on CPU")
    if not input.ndim:
        return input.copy(), np.zeros((), np.int64)
    indices = _whole(order_of, input, dim, descending, bool(stable))
    return _like(np.take_along_axis(input, indices, dim), input), _like(indices, input)


# -- the k largest -----------------------------------------------------------------------------------------------------


def _first_of(rows: Array, k: int, largest: bool, is_sorted: bool) -> Array:
    """The places of the first `k` in the order of each row."""
    size = rows.shape[1]
    order = _stable_order(rows, largest)
    by_heap = k * 64 <= size
    if is_sorted or by_heap:
        ordered = np.take_along_axis(rows, order[:, : k + 1], 1)
        open_ = np.flatnonzero(_same(ordered[:, 1:], ordered[:, :-1]).any(1))
    else:
        open_ = np.arange(len(rows))
    first = np.ascontiguousarray(order[:, :k])
    if open_.size and k:
        keys = _keys(rows[open_], largest, order[open_])
        if by_heap:
            first[open_] = [partial_sort(each, k) for each in keys]
        else:
            first[open_] = _selected(keys, k, is_sorted)
    return first


def _selected(keys: Array, k: int, is_sorted: bool) -> Array:
    """What introselect puts first; all but the last of them are then sorted."""
    keys, places = introselect(keys, k - 1)
    if is_sorted:
        places[:, : k - 1] = np.take_along_axis(places[:, : k - 1], introsort(keys[:, : k - 1]), 1)
    return places[:, :k]


def _top(input: Array, k: int, dim: int, largest: bool, is_sorted: bool) -> Array:
    return _back(_first_of(_rows(input, dim), k, largest, is_sorted), input.shape, dim).copy()


@op(
    "(Tensor input, int k, int dim=-1, bool largest=True, bool sorted=True)",
    name="topk_along",
    outputs=("values", "indices"),
    node="TopkBackward0",
    input=_picked,
    namespace="internal",
)
def topk(input: Array, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> tuple[Array, Array]:
    """The `k` largest elements along `dim`, or the least, and where they are."""
    dim = wrap_dim(dim, input.ndim)
    if not 0 <= k <= (input.shape[dim] if input.ndim else 1):
        raise RuntimeError("selected index k out of range")
    if input.dtype.kind in "cb":
        kind = " topk does not support complex" if input.dtype.kind == "c" else "topk does not support bool"
        raise RuntimeError(f"{kind} dtypes on CPU")
    if not input.ndim:
        return input.copy(), np.zeros((), np.int64)
    indices = _whole(_top, input, k, dim, largest, sorted)
    return np.take_along_axis(input, indices, dim), indices


# -- one of them -------------------------------------------------------------------------------------------------------


def _check_reduced(name: str, input: Array, dim: int) -> int:
    dim = wrap_dim(dim, input.ndim)
    if input.ndim and not input.shape[dim]:
        raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size.")
    return dim


def _check_ordered(name: str, input: Array) -> None:
    if input.dtype.kind in "cb":
        raise not_implemented(name, input)


def _chosen(input: Array, dim: int, keepdim: bool, choose: Callable[..., Any], *args: Any) -> tuple[Array, Array]:
    """Of each vector along `dim` the element whose place `choose` tells, and that place."""
    if not input.ndim:
        return input.copy(), np.zeros((), np.int64)
    indices = _whole(_places_chosen, input, dim, choose, *args)
    values = np.take_along_axis(input, indices, dim)
    return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))


def _places_chosen(input: Array, dim: int, choose: Callable[..., Any], *args: Any) -> Array:
    rows = _rows(input, dim)
    places = np.asarray(choose(rows, *args), np.int64).reshape(len(rows), 1)
    return _back(places, input.shape, dim).copy()


def _selected_input(g: Any, indices: Any, input_shape: Any, dim: int, keepdim: bool) -> Any:
    if not input_shape:
        return g
    return scatter_along(kept(g, input_shape, dim, keepdim), kept(indices, input_shape, dim, keepdim), input_shape, dim)


def _kth_of(rows: Array, k: int) -> Array:
    order = _stable_order(rows, False)
    places = order[:, k - 1].copy()
    near = np.take_along_axis(rows, order[:, max(k - 2, 0) : k + 1], 1)
    tied = np.flatnonzero(_same(near[:, 1:], near[:, :-1]).any(1))
    if tied.size:
        places[tied] = [quickselect(each, k - 1) for each in _keys(rows[tied], False, order[tied])]
    return places


@op(
    "(Tensor input, int k, int dim=-1, bool keepdim=False)",
    name="kthvalue_along",
    outputs=("values", "indices"),
    node="KthvalueBackward0",
    input=_selected_input,
    namespace="internal",
)
def kthvalue(input: Array, k: int, dim: int = -1, keepdim: bool = False) -> tuple[Array, Array]:
    """The k-th least element along `dim`, and where it is."""
    dim = _check_reduced("kthvalue", input, dim)
    if not 1 <= k <= (input.shape[dim] if input.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {dim}")
    if input.ndim:
        _check_ordered("kthvalue_cpu", input)
    return _chosen(input, dim, keepdim, _kth_of, k)


def _median_of(rows: Array, ignores_nan: bool) -> Array:
    """The lower median's place, of equal ones that of its turn; a NaN is the median unless it is ignored."""
    order = _stable_order(rows, False)
    size = rows.shape[1]
    middle = np.full(len(rows), (size - 1) // 2)
    if rows.dtype.kind == "f":
        nans = np.count_nonzero(np.isnan(rows), axis=1)
        numbers = size - nans
        middle = np.where(nans > 0, np.where(numbers > 0, (numbers - 1) // 2, 0) if ignores_nan else numbers, middle)
    return order[np.arange(len(rows)), middle]


def _median_along(name: str) -> Any:
    ignores_nan = name == "nanmedian"

    @op(
        "(Tensor input, int dim, bool keepdim=False)",
        name=f"{name}_along",
        outputs=("values", "indices"),
        node=f"{name.capitalize()}Backward1",
        input=_selected_input,
        namespace="internal",
    )
    def median(input: Array, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
        dim = _check_reduced("median", input, dim)
        _check_ordered("median_out", input)
        return _chosen(input, dim, keepdim, _median_of, ignores_nan)

    return median


median_along, nanmedian_along = _median_along("median"), _median_along("nanmedian")


def _shared(g: Any, input: Any, out: Any) -> Any:
    """The median of all shares its gradient among what equals it, among NaNs where it is one."""
    ties = eq(input, out) | (isnan(input) & isnan(out))
    return where(ties, g / sum_(ties), 0.0)


def _median_of_all(x: Array, ignores_nan: bool) -> Array:
    flat = x.reshape(-1)
    return flat[_median_of(_rows(flat, 0), ignores_nan)].reshape(())


def _median_all(name: str) -> Any:
    ignores_nan = name == "nanmedian"

    @op("(Tensor input)", name=f"{name}_all", node=f"{name.capitalize()}Backward0", input=_shared, namespace="internal")
    def median(input: Array) -> Array:
        if not input.size:
            return np.full((), math.nan, np.float32).astype(input.dtype)  # what C++ makes of a NaN
        _check_ordered("median_cpu", input)
        result: Array = _whole(_median_of_all, input, ignores_nan)
        return result

    return median


median_all, nanmedian_all = _median_all("median"), _median_all("nanmedian")


def _mode_of(rows: Array) -> Array:
    """The place of the least of the most frequent elements, the last one of its run in torch's unstable order."""
    size = rows.shape[1]
    order = _stable_order(rows, False)
    if size > _FEW:
        order = introsort(_keys(rows, False, order))
    ordered = np.take_along_axis(rows, order, 1)
    ends = np.ones(rows.shape, np.bool_)
    ends[:, :-1] = np.not_equal(ordered[:, 1:], ordered[:, :-1])
    place = np.arange(1, size + 1)
    ended = np.maximum.accumulate(np.where(ends, place, 0), axis=1)
    before = np.zeros_like(ended)
    before[:, 1:] = ended[:, :-1]
    lengths = np.where(ends, place - before, 0)
    return np.take_along_axis(order, np.argmax(lengths, axis=1)[:, None], 1)


@op(
    "(Tensor input, int dim=-1, bool keepdim=False)",
    name="mode_along",
    outputs=("values", "indices"),
    node="ModeBackward0",
    input=_selected_input,
    namespace="internal",
)
def mode_along(input: Array, dim: int = -1, keepdim: bool = False) -> tuple[Array, Array]:
    """The most frequent element along `dim`, the least of them, and where it is."""
    dim = _check_reduced("mode", input, dim)
    if input.dtype.kind == "c":
        raise not_implemented("mode_cpu", input)
    return _chosen(input, dim, keepdim, _mode_of)


@op(
    "(Tensor input)",
    view=True,
    node="SqueezeBackward4",
    namespace="internal",
    input=lambda g: unsqueeze(g, -1),
)
def squeezed(input: Array) -> Array:
    """`squeeze_(-1)` of what nobody else has, with its node."""
    result: Array = squeeze.kernel(input, -1)
    return result


_each: Any
for _each in (sort, topk, kthvalue, median_along, nanmedian_along, median_all, nanmedian_all, mode_along):
    _each.kernel.of_any_width = True  # they only compare, and keep strides
