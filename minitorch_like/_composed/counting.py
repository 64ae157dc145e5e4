"""How often, and where among bounds: counts, histograms and binary searches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._capture import reads_values
from .._dtype import FROM_NUMPY, result_dtype, scalar_dtype
from .._out_argument import fill
from .._tensor import Tensor, wrap
from ..ops import TABLE
from ..ops._checks import c_name, cast, converted, in_64_bits, in_single, not_implemented, real_number, sizes, title
from .numbers import reads

# -- counts ------------------------------------------------------------------------------------------------------------


@reads("(Tensor input, Tensor? weights=None, int minlength=0)")
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each number from 0 on occurs, or the sums of the weights of its occurrences."""
    result: Tensor = (
        wrap(_counts(input._data, minlength))
        if weights is None
        else TABLE["weighted_count"].apply(weights, input, minlength)
    )
    return result


def _counts(input: Any, minlength: int) -> Any:
    reads_values("bincount()")
    check_counted(input, None, minlength)
    return np.bincount(input.reshape(-1), minlength=minlength).astype(np.int64, copy=False)


def check_counted(input: Any, weights: Any, minlength: int) -> None:
    """torch's objections to what is to be counted."""
    if input.dtype.kind not in "iu":
        raise not_implemented("bincount_cpu", input)
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if input.ndim != 1 or (input.size and input.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and (weights.ndim != 1 or weights.size != input.size):
        raise RuntimeError("weights should be 1-d and have the same length as input")


@reads("(Tensor input, int bins=100, Number min=0, Number max=0, *, Tensor? out=None)")
def histc(input: Tensor, bins: int = 100, min: Any = 0, max: Any = 0, out: Tensor | None = None) -> Tensor:
    """How many elements lie in each of `bins` parts of [min, max], by default from the least to the greatest element."""
    reads_values("histc()")
    data = input._data
    low, high = real_number(min, "double"), real_number(max, "double")
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    low, high = _range(data, low, high)
    if data.dtype.kind not in "fV":
        raise not_implemented("linspace_cpu" if data.dtype.kind == "b" else "histogram_cpu", data)
    x = (in_single(data) if data.itemsize == 2 else data).reshape(-1)
    low, high = x.dtype.type(low), x.dtype.type(high)
    x = x[(x >= low) & (x <= high)]
    places = ((x - low) * x.dtype.type(bins / (high - low))).astype(np.int64)
    counts = np.bincount(np.minimum(places, bins - 1), minlength=bins).astype(data.dtype)
    if out is None:
        result: Tensor = wrap(counts)
        return result
    if out._data.dtype is not data.dtype:
        raise RuntimeError(
            f"torch.histogram: input tensor and hist tensor should have the same dtype, but got input {c_name(data)} and "
            f"hist {c_name(out._data)}"
        )
    return fill(out, counts, "histc")


def _range(data: Any, low: float, high: float) -> tuple[float, float]:
    if low == high and data.size:
        if data.dtype.kind == "c":
            raise not_implemented("aminmax_cpu", data)
        low, high = float(data.min()), float(data.max())
    if low == high:
        low, high = low - 1, high + 1
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"torch.histc: range of [{low:g}, {high:g}] is not finite")
    if low > high:
        raise RuntimeError("torch.histc: max must be larger than min")
    if data.dtype.kind in "iu":
        for each in (low, high):
            converted(float(each), data.dtype)
    return low, high


# -- binary search -----------------------------------------------------------------------------------------------------


@reads(
    "(Tensor sorted_sequence, Tensor input, *, bool out_int32=False, bool right=False, str? side=None, "
    "Tensor? sorter=None, Tensor? out=None)",
    "(Tensor sorted_sequence, Number self, *, bool out_int32=False, bool right=False, str? side=None, "
    "Tensor? sorter=None, Tensor? out=None)",
    method=False,
)
def searchsorted(
    sorted_sequence: Tensor,
    input: Any = None,
    self: Any = None,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Where each value would go in an ascending sequence: the last dimensions of both are searched row by row.

    `right`: after what equals it.  `sorter` is the order in which the sequence ascends.
    """
    bounds, values = sorted_sequence._data, _values(input, self)
    order = None if sorter is None else sorter._data
    _check_search(bounds, values, right, side, order, out_int32, out)
    return _found(bounds, values, right or side == "right", order, out_int32, out)


@reads(
    "(Tensor input, Tensor boundaries, *, bool out_int32=False, bool right=False, Tensor? out=None)",
    "(Number self, Tensor boundaries, *, bool out_int32=False, bool right=False)",
    method=False,
)
def bucketize(
    input: Any = None,
    boundaries: Any = None,
    self: Any = None,
    out_int32: bool = False,
    right: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """The number of the bucket between `boundaries`, which ascend, in which each value lies."""
    bounds, values = boundaries._data, _values(input, self)
    if bounds.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({bounds.ndim})")
    _check_search(bounds, values, right, None, None, out_int32, out)
    return _found(bounds, values, right, None, out_int32, out)


def _values(input: Any, number: Any) -> Any:
    if input is not None:
        return input._data
    return np.asarray(float(in_64_bits(number)) if isinstance(number, int) else number, scalar_dtype(number).numpy)


def _check_search(bounds: Any, values: Any, right: bool, side: Any, order: Any, out_int32: bool, out: Any) -> None:
    _check_side(right, side)
    if bounds.ndim == 0:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension"
        )
    if not values.ndim and bounds.ndim != 1:
        raise RuntimeError(
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but we got "
            f"boundaries tensor dim({bounds.ndim}) and input value's dim(0) numel(1)"
        )
    if bounds.ndim != 1 and bounds.shape[:-1] != values.shape[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor "
            f"and input value tensor must match, but we got boundaries tensor {sizes(bounds.shape)} and input value tensor "
            f"{sizes(values.shape)}"
        )
    if order is not None:
        _check_order(bounds, order)
    if out is not None and out._data.dtype != (np.int32 if out_int32 else np.int64):
        raise RuntimeError(
            "torch.searchsorted(): output tensor's dtype is wrong, it can only be Int(int32) or Long(int64) depending on "
            f"whether out_int32 flag is True, but we got output tensor's dtype {title(out._data)} and out_int32 flag is "
            f"{out_int32}"
        )
    kind = result_dtype(bounds, values) if bounds.dtype is not values.dtype else FROM_NUMPY[bounds.dtype]
    if kind.numpy.kind in "cb" and values.size:
        raise not_implemented("searchsorted_out_cpu", np.empty(0, kind.numpy))


def _check_side(right: bool, side: Any) -> None:
    if side is None:
        return
    if side not in ("left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    if right and side == "left":
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True"
        )


def _check_order(bounds: Any, order: Any) -> None:
    if order.shape != bounds.shape:
        raise RuntimeError(
            f"torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
            f"{sizes(bounds.shape)}and got sorter tensor {sizes(order.shape)}"
        )
    if order.dtype != np.int64:
        raise RuntimeError(f"torch.searchsorted(): sorter must be a tensor of long dtype but got dtype {title(order)}")
    if order.size and (order.min() < 0 or order.max() >= bounds.shape[-1]):
        raise RuntimeError("torch.searchsorted(): sorter index out of range")


def _found(bounds: Any, values: Any, right: bool, order: Any, out_int32: bool, out: Tensor | None) -> Tensor:
    reads_values("searchsorted()")
    if not values.size:
        found = np.empty(values.shape, np.int32 if out_int32 else np.int64)
        empty: Tensor = wrap(found) if out is None else fill(out, found, "searchsorted")
        return empty
    if bounds.dtype is not values.dtype:
        kind = result_dtype(bounds, values).numpy
        bounds, values = cast(bounds, kind), cast(values, kind)
    if bounds.itemsize == 2 and bounds.dtype.kind in "fV":
        bounds, values = in_single(bounds), in_single(values)
    if order is not None:
        bounds = np.take_along_axis(bounds, order, -1)
    found = _search(bounds, values, right).astype(np.int32 if out_int32 else np.int64, copy=False)
    result: Tensor = wrap(found) if out is None else fill(out, found, "searchsorted")
    return result


def _search(bounds: Any, values: Any, right: bool) -> Any:
    """Halving, as torch does it: where nothing ascends (with NaN, say) the result is that of the same questions."""
    size = bounds.shape[-1]
    if bounds.ndim == 1 and bool((bounds[1:] >= bounds[:-1]).all() and (bounds >= bounds[:1]).all()):
        return np.asarray(np.searchsorted(bounds, values, "right" if right else "left"))
    rows = bounds.reshape(-1, size)
    wanted = values.reshape(len(rows), -1) if bounds.ndim > 1 else values.reshape(1, -1)
    start, stop = np.zeros(wanted.shape, np.int64), np.full(wanted.shape, size)
    for _ in range(size.bit_length()):
        middle = (start + stop) // 2
        met = np.take_along_axis(rows, np.minimum(middle, size - 1), 1)
        beyond = ~(met > wanted if right else met >= wanted) & (start < stop)
        start, stop = np.where(beyond, middle + 1, start), np.where(beyond, stop, np.minimum(middle, stop))
    return start.reshape(values.shape)
