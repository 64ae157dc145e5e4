"""`cdist`: the distances between all pairs of two sets of points."""

from __future__ import annotations

from typing import Any

from .._tensor import Tensor
from ..ops import TABLE
from ..ops._checks import broadcast_shapes
from ..ops._signature import Reader
from .numbers import PUBLIC

_MODES = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")
_MANY = 25  # points, beyond which Euclidean distances come of a matrix product
_READER = Reader("cdist", ("(Tensor x1, Tensor x2, float p=2.0, int? compute_mode=None)",))


def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Tensor:
    """The p-norms of the differences of all pairs: (..., n, k), (..., m, k) -> (..., n, m)."""
    if compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    _READER.read((x1, x2, p), {})
    _check(x1, x2, p)
    by_product = compute_mode == _MODES[1] or (compute_mode == _MODES[0] and max(x1.shape[-2], x2.shape[-2]) > _MANY)
    batch = broadcast_shapes(tuple(x1.shape[:-2]), tuple(x2.shape[:-2]))
    x1, x2 = (each if tuple(each.shape[:-2]) == batch else each.expand((*batch, *each.shape[-2:])) for each in (x1, x2))
    if by_product and p == 2 and x1.shape[-2] and x2.shape[-2] and x1.shape[-1]:
        distances = TABLE["euclidean_dist"].apply(x1, x2)
        return distances.view(tuple(distances.shape))
    return TABLE["cdist_of"].apply(x1, x2, float(p))


PUBLIC["cdist"] = cdist


def _check(x1: Any, x2: Any, p: float) -> None:
    """torch's objections, in their order."""
    for name, each in (("X1", x1), ("X2", x2)):
        if each.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {each.ndim}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    for name, each in (("X1", x1), ("X2", x2)):
        if not each.is_floating_point():
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {each.dtype.title}")
    if not p >= 0:
        raise RuntimeError("cdist only supports non-negative p values")
