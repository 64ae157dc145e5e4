"""Losses that compare several predictions, or one with several classes, by a margin."""

from __future__ import annotations

from collections.abc import Callable

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like._record import also_saved
from minitorch_like.nn import _reduction
from minitorch_like.nn.functional.activations import logsigmoid
from minitorch_like.nn.functional.losses import are_tensors, check_constant, reduced
from minitorch_like.nn.functional.vectors import pairwise_distance
from minitorch_like.ops import TABLE
from minitorch_like.ops._signature import Reader

_MULTI_MARGIN, _MULTILABEL_MARGIN, _SOFT_MARGIN, _HINGE = (
    TABLE[name] for name in ("multi_margin_loss", "multilabel_margin_loss", "soft_margin_loss", "hinge")
)

# How torch reads what is no tensor, or no number, where one is due.  Only errors are read by these.
_READ_HINGE = Reader("hinge_embedding_loss", ("(Tensor input, Tensor target, float margin, str reduction)",))
_TRIO = "(Tensor input1, Tensor input2, Tensor target, float margin, str reduction)"
_READ_RANKING, _READ_COSINE = Reader("margin_ranking_loss", (_TRIO,)), Reader("cosine_embedding_loss", (_TRIO,))
_READ_TRIPLET = Reader(
    "triplet_margin_loss",
    ("(Tensor anchor, Tensor positive, Tensor negative, float margin, float p, float eps, bool swap, str reduction)",),
)
_READ_MULTI_MARGIN = Reader(
    "multi_margin_loss",
    ("(Tensor input, Tensor target, Number p, Number margin, Tensor? weight, str reduction)",),
)
_READ_SOFT_MARGIN = Reader("soft_margin_loss", ("(Tensor input, Tensor target, str reduction)",))
_READ_MULTILABEL_MARGIN = Reader("multilabel_margin_loss", ("(Tensor input, Tensor target, str reduction)",))


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """input where target is 1, max(0, margin - input) where it is -1; both added where it is neither."""
    reduction = _reduction.checked(_reduction.resolved(size_average, reduce, reduction))
    _READ_HINGE.read((input, target, margin, reduction), {})
    far = _HINGE.apply(margin - input)
    zero = torch.zeros((), dtype=input.dtype)
    return reduced(torch.where(target != 1, far, zero) + torch.where(target != -1, input, zero), reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, -target * (input1 - input2) + margin): target 1 ranks input1 higher, -1 input2."""
    reduction = _reduction.checked(_reduction.resolved(size_average, reduce, reduction))
    if input1.dim() != input2.dim() or input1.dim() != target.dim():
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.size()}, input2: {input2.size()}, target: {target.size()} "
        )
    _READ_RANKING.read((input1, input2, target, margin, reduction), {})
    return reduced(_HINGE.apply(-target * (input1 - input2) + float(margin)), reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """1 - cos where target is 1, max(0, cos - margin) where it is -1: inputs (N, D) or (D), target (N) or ()."""
    reduction = _reduction.checked(_reduction.resolved(size_average, reduce, reduction))
    _READ_COSINE.read((input1, input2, target, margin, reduction), {})
    if target.dim() > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    rank = target.dim() + 1
    if input1.dim() != rank or input2.dim() != rank:
        raise RuntimeError(
            f"{target.dim()}D target tensor expects {rank}D input tensors, but found inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}."
        )
    dim = target.dim()
    first, second = ((each * each).sum(dim) + 1e-12 for each in (input1, input2))
    cosine = (input1 * input2).sum(dim) / (first * second).sqrt()
    zero = torch.zeros((), dtype=cosine.dtype)
    near = torch.where(target == 1, 1 - cosine, zero)
    return reduced(near + torch.where(target == -1, _HINGE.apply(cosine - margin), zero), reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), d being `pairwise_distance`.

    swap: take d(positive, negative) for the second distance where that is less (Balntas et al. 2016).
    """
    reduction = _reduction.checked(_reduction.resolved(size_average, reduce, reduction))
    _check_margin(margin)
    _READ_TRIPLET.read((anchor, positive, negative, margin, p, eps, swap, reduction), {})
    _check_ranks(anchor, positive, negative)
    near, far = pairwise_distance(anchor, positive, p, eps), pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = torch.minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced(_HINGE.apply(margin + near - far), reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` by any distance; by default `pairwise_distance`."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    _check_margin(margin)
    _check_ranks(anchor, positive, negative)
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = torch.minimum(far, distance(positive, negative))
    return reduced(_HINGE.apply(margin + near - far), reduction)


def _check_margin(margin: float) -> None:
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")


def _check_ranks(anchor: Tensor, positive: Tensor, negative: Tensor) -> None:
    if not anchor.dim() == positive.dim() == negative.dim():
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.dim()}D, positive {positive.dim()}D, and negative {negative.dim()}D inputs"
        )


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """weight[t] * sum over j != t of max(0, margin - x[t] + x[j])^p, over C: (N, C) scores and (N) classes."""
    reduction = _reduction.checked(_reduction.resolved(size_average, reduce, reduction))
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    _READ_MULTI_MARGIN.read((input, target, p, margin, weight, reduction), {})
    check_constant("multi_margin_loss", weight=weight)
    factors = None if weight is None else weight._data
    return also_saved(_MULTI_MARGIN.apply(input, target._data, int(p), margin, factors, reduction), target, weight)


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Sum over targets k and other classes j of max(0, 1 - x[k] + x[j]), over C: (N, C) scores and classes.

    A row of classes ends at its first -1.
    """
    reduction = _reduction.checked(_reduction.resolved(size_average, reduce, reduction))
    if not are_tensors(input, target):
        _READ_MULTILABEL_MARGIN.read((input, target, reduction), {})
    return also_saved(_MULTILABEL_MARGIN.apply(input, target._data, reduction), target)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """log(1 + exp(-target * input)), target being 1 or -1."""
    reduction = _reduction.checked(_reduction.resolved(size_average, reduce, reduction))
    if not are_tensors(input, target):
        _READ_SOFT_MARGIN.read((input, target, reduction), {})
    return _SOFT_MARGIN.apply(input, target, reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """`binary_cross_entropy` of sigmoid(input), averaged over the classes, which are the last dimension."""
    reduction = _reduction.resolved(size_average, reduce, reduction)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    classes = input.dim() - 1
    loss = loss.sum(dim=classes) / input.size(classes)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    return reduced(loss, reduction)
