"""Losses."""

from __future__ import annotations

import math
import warnings
from typing import Any

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like.nn import _reduction
from minitorch_like.ops import TABLE
from minitorch_like.ops._signature import Reader

# Ops whose arguments are checked here, so that a call need not be read again.
_MSE, _NLL_LOSS = TABLE["mse_loss"], TABLE["nll_loss"]
_TARGETED = "(Tensor input, Tensor target, Tensor? weight, str reduction, int ignore_index"
_NLL = Reader("nll_loss_nd", (f"{_TARGETED})",))
_CROSS_ENTROPY = Reader("cross_entropy_loss", (f"{_TARGETED}, float label_smoothing)",))


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """(input - target)^2, reduced; with `weight`, its weighted mean or sum."""
    input, target, reduction = _prepared(input, target, size_average, reduce, reduction)
    if weight is None:
        return _MSE.apply(input, target, _reduction.checked(reduction))
    return _weighted(torch.pow(input - target, 2), input, weight, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """|input - target|, reduced; with `weight`, its weighted mean or sum."""
    input, target, reduction = _prepared(input, target, size_average, reduce, reduction)
    if weight is None:
        return _reduced(torch.abs(input - target), _reduction.checked(reduction))
    return _weighted(torch.abs(input - target), input, weight, reduction)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-weight[target] * input[target]: input (N, C, ...) or (C), target int64 (N, ...) or ()."""
    reduction = _reduction.checked(_reduction.resolved(size_average, reduce, reduction))
    if not _are_tensors(input, target, weight) or type(ignore_index) is not int:
        _NLL.read((input, target, weight, reduction, ignore_index), {})
    return _nll(input, target, weight, ignore_index, reduction)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """`nll_loss` of log_softmax(input): target holds class indices, or probabilities of input's shape.

    `label_smoothing` mixes the target with the uniform distribution (Szegedy et al. 2016).
    """
    reduction = _reduction.checked(_reduction.resolved(size_average, reduce, reduction))
    if not _are_tensors(input, target, weight) or type(ignore_index) is not int or type(label_smoothing) is not float:
        _CROSS_ENTROPY.read((input, target, weight, reduction, ignore_index, label_smoothing), {})
    dim = 0 if input.dim() == 1 else 1
    probabilities = input._data.shape == target._data.shape
    if probabilities:
        _check_probabilities(input, target, weight, ignore_index, dim)
    if label_smoothing > 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")
    scores = input.log_softmax(dim)
    if probabilities:
        return _cross_entropy_of_probabilities(scores, target, weight, reduction, label_smoothing, dim)
    loss = _nll(scores, target, weight, ignore_index, reduction)
    if label_smoothing > 0.0:
        smooth = _uniform_loss(scores, target, weight, ignore_index, reduction, dim)
        return (1 - label_smoothing) * loss + smooth * (label_smoothing / scores.size(dim))
    return loss


def _are_tensors(input: Any, target: Any, weight: Any) -> bool:
    return isinstance(input, Tensor) and isinstance(target, Tensor) and (weight is None or isinstance(weight, Tensor))


def _nll(input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str) -> Tensor:
    """The loss of any rank by the kernels for ranks 1, 2 and 4, with torch's checks for each."""
    rank = input.dim()
    if rank == 0:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if rank == 1:
        if target.dim() == 1:
            if target.numel() != 1:
                raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {target.numel()}")
            target = target.view(())
        return _NLL_LOSS.apply(input, target, weight, ignore_index, reduction)
    batch = target.size(0) if target.dim() else 0
    if input.size(0) != batch:
        raise ValueError(f"Expected input batch_size ({input.size(0)}) to match target batch_size ({batch}).")
    if rank == 2:
        return _NLL_LOSS.apply(input, target, weight, ignore_index, reduction)
    if rank == 4:
        _check_spatial(input, target, weight)
        return _NLL_LOSS.apply(input, target, weight, ignore_index, reduction)
    n, c, *space = input.shape
    if list(target.shape[1:]) != space:
        raise RuntimeError(f"Expected target size {[n, *space]}, got {list(target.shape)}")
    flat = math.prod(space)
    folded = input.contiguous().view(n, c, 1, flat), target.contiguous().view(n, 1, flat)
    loss = _NLL_LOSS.apply(*folded, weight, ignore_index, reduction)
    return loss.view(n, *space) if reduction == "none" else loss


def _check_spatial(input: Tensor, target: Tensor, weight: Tensor | None) -> None:
    if target.dim() != 3:
        raise RuntimeError(
            f"only batches of spatial targets supported (3D tensors) but got targets of dimension: {target.dim()}"
        )
    if weight is not None and weight.numel() != input.size(1):
        raise RuntimeError("weight tensor should be defined either for all or no classes")
    if (input.size(0), *input.shape[2:]) != tuple(target.shape):
        raise RuntimeError(f"size mismatch (got input: {list(input.shape)} , target: {list(target.shape)}")


def _check_probabilities(input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, dim: int) -> None:
    if not target.is_floating_point():
        kind = target.dtype.title
        raise RuntimeError(f"Expected floating point type for target with class probabilities, got {kind}")
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    classes = input.size(dim)
    if weight is not None and tuple(weight.shape) != (classes,):
        raise RuntimeError(
            f"cross_entropy: weight tensor should be defined either for all {classes} classes or no classes"
            f" but got weight tensor of shape: {list(weight.shape)}"
        )


def _cross_entropy_of_probabilities(
    scores: Tensor, target: Tensor, weight: Tensor | None, reduction: str, label_smoothing: float, dim: int
) -> Tensor:
    classes = scores.size(dim)
    if label_smoothing > 0.0:
        target = target * (1 - label_smoothing) + label_smoothing / classes
    weighted = scores * target
    if weight is not None:
        weighted = weighted * _along(weight, scores.dim(), dim)
    if reduction == "none":
        return -weighted.sum(dim)
    total = -weighted.sum()
    if reduction == "sum":
        return total
    return TABLE["div_number"].apply(total, scores.numel() / classes if classes else 0.0)


def _uniform_loss(
    scores: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str, dim: int
) -> Tensor:
    """The cross entropy of the uniform distribution, times the number of classes."""
    weighted = scores if weight is None else scores * _along(weight, scores.dim(), dim)
    ignored = target.eq(ignore_index)
    loss = (-weighted.sum(dim)).masked_fill(ignored, 0.0)
    if reduction != "mean":
        return loss if reduction == "none" else loss.sum()
    kept = ~ignored
    return loss.sum() / (kept.sum() if weight is None else weight[target[kept]].sum())


def _along(weight: Tensor, rank: int, dim: int) -> Tensor:
    """A vector as a tensor that broadcasts along one of `rank` dimensions."""
    return weight.view([-1 if d == dim else 1 for d in range(rank)])


def _prepared(
    input: Tensor, target: Tensor, size_average: bool | None, reduce: bool | None, reduction: str
) -> tuple[Tensor, Tensor, str]:
    """The operands of an elementwise loss in one shape, with torch's warning where they were not."""
    # Arrays' shapes are quicker to compare than sizes; only sizes have the error for what is no tensor.
    if not _are_tensors(input, target, None) or input._data.shape != target._data.shape:
        warnings.warn(
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()})."
            " This will likely lead to incorrect results due to broadcasting."
            " Please ensure they have the same size.",
            stacklevel=3,
        )
        input, target = torch.broadcast_tensors(input, target)
    return input, target, _reduction.resolved(size_average, reduce, reduction)


def _reduced(loss: Tensor, reduction: str) -> Tensor:
    if reduction == "none":
        return loss
    return loss.mean() if reduction == "mean" else loss.sum()


def _weighted(loss: Tensor, input: Tensor, weight: Tensor, reduction: str) -> Tensor:
    if weight.size() != input.size():
        raise ValueError("Weights and input must have the same size.")
    loss = loss * weight
    if reduction == "none":
        return loss
    if reduction == "sum":
        return torch.sum(loss)
    if reduction == "mean":
        return torch.sum(loss) / torch.sum(weight)
    raise ValueError(f"Invalid reduction mode: {reduction}. Expected one of 'none', 'mean', 'sum'.")
