"""Quantiles: sorted, picked by rank, and interpolated."""

from __future__ import annotations

from typing import Any

from .._creation import PUBLIC as CREATION
from .._dtype import float32, float64, int64
from .._out_argument import into
from .._tensor import Tensor
from ..ops import TABLE
from ..ops._checks import wrap_dim
from .numbers import reads
from .shapes import broadcast_tensors

_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")
_OPTIONS = 'int? dim=None, bool keepdim=False, *, str interpolation="linear", Tensor? out=None'
_SIGNATURES = (f"(Tensor input, Tensor q, {_OPTIONS})", f"(Tensor input, float q, {_OPTIONS})")


@reads(*_SIGNATURES)
def quantile(
    input: Any,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """The values below which the fractions `q` of all elements lie, or of those along `dim`; NaN where there is one.

    A vector `q` adds a first dimension.
    """
    return _quantile(input, q, dim, keepdim, interpolation, out, ignores_nan=False)


@reads(*_SIGNATURES)
def nanquantile(
    input: Any,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """`quantile` of what is not NaN."""
    return _quantile(input, q, dim, keepdim, interpolation, out, ignores_nan=True)


def _quantile(
    input: Any, q: Any, dim: int | None, keepdim: bool, interpolation: str, out: Any, *, ignores_nan: bool
) -> Tensor:
    if not isinstance(q, Tensor):
        if not 0 <= q <= 1:
            raise RuntimeError(f"quantile() q must be in the range [0, 1] but got {q:g}")
        q = CREATION["full"]((), float(q), dtype=input.dtype if input.is_floating_point() else None)
    if interpolation not in _INTERPOLATIONS:
        raise RuntimeError(
            "quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, but got "
            f"{interpolation}"
        )
    _check_operands(input, q, out)
    axis = None if dim is None else wrap_dim(int(dim), input.ndim)
    shape = _shape(input, axis, keepdim)
    if axis is None:
        ordered = TABLE["sort_along"].apply(input.flatten(), -1, False, None)[0]
    elif axis == max(input.ndim - 1, 0):
        ordered = TABLE["sort_along"].apply(input, -1, False, None)[0]
    else:
        ordered = TABLE["sort_along"].apply(input.unsqueeze(-1).transpose(axis, -1), -1, False, None)[0]
    ordered = ordered.view((*shape, ordered.shape[-1] if ordered.ndim else 1))
    values = _at_ranks(ordered, _ranks(ordered, q, ignores_nan), interpolation)
    if q.ndim:
        values = values.unsqueeze(0).transpose(0, -1)
    return into(out, TABLE["squeezed"].apply(values), "quantile")


def _check_operands(input: Any, q: Any, out: Any) -> None:
    if not input.numel():
        raise RuntimeError("quantile() input tensor must be non-empty")
    if q.ndim > 1:
        raise RuntimeError("quantile() q must be a scalar or 1D tensor")
    if input.dtype not in (float32, float64):
        raise RuntimeError("quantile() input tensor must be either float or double dtype")
    if input.dtype is not q.dtype:
        raise RuntimeError("quantile() q tensor must be same dtype as the input tensor")
    if out is not None and out.dtype is not input.dtype:
        raise RuntimeError("quantile() out tensor must be same dtype as the input tensor")
    if q.numel() and not bool(((q >= 0) & (q <= 1)).all()):
        raise RuntimeError("quantile() q values must be in the range [0, 1]")


def _shape(input: Any, axis: int | None, keepdim: bool) -> tuple[int, ...]:
    """That of the result, but for the dimension of a vector of fractions."""
    if axis is None or not input.ndim:
        return (1,) * input.ndim if keepdim else ()
    shape = tuple(input.shape)
    return shape[:axis] + (1,) * keepdim + shape[axis + 1 :]


def _ranks(ordered: Any, q: Any, ignores_nan: bool) -> Any:
    """The places of the quantiles, between which there may be none."""
    if ignores_nan:
        ranks = q * (ordered.isnan().logical_not().sum(-1, True) - 1)
        return ranks.masked_fill(ranks < 0, 0)
    last = ordered.shape[-1] - 1
    places, missing = broadcast_tensors(TABLE["mul_number"].apply(q, last), ordered.isnan().any(-1, True))
    return places.masked_fill(missing, last)


def _at_ranks(ordered: Any, ranks: Any, interpolation: str) -> Any:
    if interpolation in ("lower", "higher", "nearest"):
        ranks = getattr(ranks, {"lower": "floor", "higher": "ceil", "nearest": "round"}[interpolation])()
    below = ranks.to(int64)
    values = ordered.gather(-1, below)
    if interpolation not in ("linear", "midpoint"):
        return values
    weights = ranks - below if interpolation == "linear" else CREATION["full_like"](ranks, 0.5)
    return values.lerp(ordered.gather(-1, ranks.ceil().to(int64)), weights)
