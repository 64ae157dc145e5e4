"""Losses of one prediction and its target; those that compare several are in `losses_margin`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like._capture import mode, run
from minitorch_like._once import warn_of_call
from minitorch_like._record import also_saved
from minitorch_like.nn import _reduction
from minitorch_like.nn.functional import _cross_entropy
from minitorch_like.ops import TABLE
from minitorch_like.ops._signature import Reader

# Ops whose arguments are checked here, so that a call need not be read again.
_MSE, _NLL, _CROSS_ENTROPY = TABLE["mse_loss"], TABLE["nll_loss"], TABLE["cross_entropy_of_classes"]
_SMOOTH_L1, _HUBER = TABLE["smooth_l1_loss"], TABLE["huber_loss"]
_BCE, _BCE_WITH_LOGITS = TABLE["binary_cross_entropy"], TABLE["binary_cross_entropy_with_logits"]

# How torch reads what is no tensor where one is due.  Only errors are read by these.
_PAIR = "(Tensor input, Tensor target"
_READ_NLL = Reader("nll_loss_nd", (f"{_PAIR}, Tensor? weight, str reduction, int ignore_index)",))
_READ_CROSS_ENTROPY = Reader(
    "cross_entropy_loss", (f"{_PAIR}, Tensor? weight, str reduction, int ignore_index, float label_smoothing)",)
)
_READ_BCE_WITH_LOGITS = Reader(
    "binary_cross_entropy_with_logits", (f"{_PAIR}, Tensor? weight, Tensor? pos_weight, str reduction)",)
)
_READ_SMOOTH_L1 = Reader("smooth_l1_loss", (f"{_PAIR}, str reduction, float beta)",))
_READ_HUBER = Reader("huber_loss", (f"{_PAIR}, str reduction, float delta)",))
_READ_POISSON = Reader("poisson_nll_loss", (f"{_PAIR}, bool log_input, bool full, float eps, str reduction)",))
_READ_KL_DIV = Reader("kl_div", (f"{_PAIR}, str reduction, *, bool log_target=False)",))


# -- distances ----------------------------------------------------------------------------------------------------


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """(input - target)^2, reduced; with `weight`, its weighted mean or sum."""
    input, target = _alike(input, target)
    reduction = _reduction.resolved(size_average, reduce, reduction)
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
    input, target = _alike(input, target)
    reduction = _reduction.resolved(size_average, reduce, reduction)
    if weight is None:
        return reduced(torch.abs(input - target), _reduction.checked(reduction))
    return _weighted(torch.abs(input - target), input, weight, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """(input - target)^2 / (2 beta) where the difference is less than beta, else |input - target| - beta / 2."""
    input, target = _alike(input, target)
    reduction = _reduction.resolved(size_average, reduce, reduction)
    if beta == 0.0:
        return reduced(torch.abs(input - target), _reduction.checked(reduction))
    reduction = _reduction.checked(reduction)
    if type(beta) is not float:
        _READ_SMOOTH_L1.read((input, target, reduction, beta), {})
    return _SMOOTH_L1.apply(input, target, reduction, beta)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """(input - target)^2 / 2 where the difference is less than delta, else delta (|input - target| - delta / 2)."""
    input, target = _alike(input, target)
    if type(delta) is not float:
        _READ_HUBER.read((input, target, reduction, delta), {})
    if weight is None:
        return _HUBER.apply(input, target, _reduction.checked(reduction), delta)
    _check_weight(input, weight)
    loss = _HUBER.apply(input, target, "none", delta) * weight
    return loss.mean() if reduction == "mean" else _summed(loss, reduction)


def _alike(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The operands of an elementwise loss in one shape, with torch's warning where they were not."""
    # Arrays' shapes are quicker to compare than sizes; only sizes have the error for what is no tensor.
    if not are_tensors(input, target) or input._data.shape != target._data.shape:
        warn_of_call(
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()})."
            " This will likely lead to incorrect results due to broadcasting."
            " Please ensure they have the same size.",
        )
        return torch.broadcast_tensors(input, target)
    return input, target


def are_tensors(*values: Any) -> bool:
    """Whether all these are."""
    return all([isinstance(value, Tensor) for value in values])  # noqa: C419 -- a list is quicker than a generator


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """The loss as it is, its mean or its sum."""
    if reduction == "none":
        return loss
    return loss.mean() if reduction == "mean" else loss.sum()


def _weighted(loss: Tensor, input: Tensor, weight: Tensor, reduction: str) -> Tensor:
    _check_weight(input, weight)
    loss = loss * weight
    return torch.sum(loss) / torch.sum(weight) if reduction == "mean" else _summed(loss, reduction)


def _check_weight(input: Tensor, weight: Tensor) -> None:
    if weight.size() != input.size():
        raise ValueError("Weights and input must have the same size.")


def _summed(loss: Tensor, reduction: str) -> Tensor:
    if reduction == "none":
        return loss
    if reduction == "sum":
        return torch.sum(loss)
    raise ValueError(f"Invalid reduction mode: {reduction}. Expected one of 'none', 'mean', 'sum'.")


# -- classes ------------------------------------------------------------------------------------------------------


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
    if not are_tensors(input, target, *_given(weight)) or type(ignore_index) is not int:
        _READ_NLL.read((input, target, weight, reduction, ignore_index), {})
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
    if (
        not are_tensors(input, target, *_given(weight))
        or type(ignore_index) is not int
        or type(label_smoothing) is not float
    ):
        _READ_CROSS_ENTROPY.read((input, target, weight, reduction, ignore_index, label_smoothing), {})
    if label_smoothing == 0.0 and _cross_entropy.is_one_op(input._data, target._data):
        if weight is not None:
            check_constant("nll_loss_forward", weight=weight)
            return also_saved(_CROSS_ENTROPY.apply(input, target, weight._data, ignore_index, reduction), weight)
        return _CROSS_ENTROPY.apply(input, target, None, ignore_index, reduction)
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


def _given(weight: Any) -> tuple[Any, ...]:
    return () if weight is None else (weight,)


def _nll(input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str) -> Tensor:
    """The loss of any rank by the kernels for ranks 1, 2 and 4, with torch's checks for each."""
    rank = input.dim()
    if rank == 0:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if weight is not None:
        check_constant(f"nll_loss{'2d' if rank > 2 else ''}_forward", weight=weight)
    if rank == 1:
        if target.dim() == 1:
            if target.numel() != 1:
                raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {target.numel()}")
            target = target.view(())
        return _NLL.apply(input, target, weight, ignore_index, reduction)
    batch = target.size(0) if target.dim() else 0
    if input.size(0) != batch:
        raise ValueError(f"Expected input batch_size ({input.size(0)}) to match target batch_size ({batch}).")
    if rank == 2:
        return _NLL.apply(input, target, weight, ignore_index, reduction)
    if rank == 4:
        _check_spatial(input, target, weight)
        return _NLL.apply(input, target, weight, ignore_index, reduction)
    n, c, *space = input.shape
    if list(target.shape[1:]) != space:
        raise RuntimeError(f"Expected target size {[n, *space]}, got {list(target.shape)}")
    flat = math.prod(space)
    folded = input.contiguous().view(n, c, 1, flat), target.contiguous().view(n, 1, flat)
    loss = _NLL.apply(*folded, weight, ignore_index, reduction)
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


# -- probabilities ------------------------------------------------------------------------------------------------


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(t log x + (1 - t) log(1 - x)) of probabilities, times `weight`, which is broadcast; logarithms are at least -100."""
    reduction = _reduction.checked(_reduction.resolved(size_average, reduce, reduction))
    if not are_tensors(input, target) or input._data.shape != target._data.shape:
        input_size = input.size()
        raise ValueError(
            f"Using a target size ({target.size()}) that is different to the input size ({input_size}) is deprecated."
            " Please ensure they have the same size."
        )
    if weight is not None:
        size = _common_size(target.size(), weight.size())
        weight = weight.expand(size)
        check_constant("binary_cross_entropy", weight=weight)
        return also_saved(_BCE.apply(input, target, weight._data, reduction), weight)
    return _BCE.apply(input, target, None, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """`binary_cross_entropy` of sigmoid(input); `pos_weight` multiplies the part of the positive class."""
    reduction = _reduction.checked(_reduction.resolved(size_average, reduce, reduction))
    if not are_tensors(input, target) or input._data.shape != target._data.shape:
        target_size = target.size()
        raise ValueError(f"Target size ({target_size}) must be the same as input size ({input.size()})")
    if weight is None and pos_weight is None:
        return _BCE_WITH_LOGITS.apply(input, target, None, None, reduction)
    if not are_tensors(*_given(weight), *_given(pos_weight)):
        _READ_BCE_WITH_LOGITS.read((input, target, weight, pos_weight, reduction), {})
    check_constant("binary_cross_entropy_with_logits", weight=weight, pos_weight=pos_weight)
    arrays = [None if each is None else each._data for each in (weight, pos_weight)]
    return also_saved(_BCE_WITH_LOGITS.apply(input, target, *arrays, reduction), weight, pos_weight)


def _common_size(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """What these broadcast to, with the error of torch.broadcast_shapes."""
    result = [1] * max(map(len, shapes))
    for index, shape in enumerate(shapes):
        for place in range(-1, -1 - len(shape), -1):
            if shape[place] in (1, result[place]):
                continue
            if result[place] != 1:
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {shape[place]} at {place}! Mismatching argument at"
                    f" index {index} had {shape}; but expected shape should be broadcastable to {result}"
                )
            result[place] = shape[place]
    return tuple(result)


def check_constant(function: str, **tensors: Tensor | None) -> None:
    """RuntimeError for a weight that requires grad, where this is recorded."""
    for name, tensor in tensors.items():
        if tensor is not None and mode.grad and tensor.requires_grad:
            raise RuntimeError(
                f"The function '{function}' is not differentiable with respect to argument '{name}'. This input cannot"
                " have requires_grad True."
            )


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """target (log target - input), of log-probabilities `input`; with `log_target`, target is given as such too.

    reduction: 'batchmean' divides the sum by the size of the first dimension, which is the divergence proper.
    """
    if size_average is not None or reduce is not None:
        chosen = _reduction.legacy_get_string(size_average, reduce)
    else:
        if reduction == "mean":
            warn_of_call(
                "reduction: 'mean' divides the total loss by both the batch size and the support size."
                "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
                "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            )
        chosen = "sum" if reduction == "batchmean" else _reduction.checked(reduction)
    if not are_tensors(input, target) or type(log_target) is not bool:
        _READ_KL_DIV.read((input, target, chosen), {"log_target": log_target})
    if not (input.is_floating_point() and target.is_floating_point()):
        raise RuntimeError("kl_div: Integral inputs not supported.")
    if log_target:
        loss = target.exp() * (target - input)
    else:
        loss = TABLE["xlogx"].apply(target) - target * input
    result = reduced(loss, chosen)
    if reduction == "batchmean" and input.dim() != 0:
        result = result / input.size()[0]
    return result


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """exp(input) - target * input, or with log_input=False, input - target * log(input + eps).

    full: add Stirling's approximation of log(target!) where target > 1.
    """
    reduction = _reduction.resolved(size_average, reduce, reduction)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not a valid value for reduction")
    _READ_POISSON.read((input, target, log_input, full, eps, reduction), {})
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + stirling.masked_fill(target <= 1, 0.0)
    return reduced(loss, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """(log(var) + (input - target)^2 / var) / 2, the variance at least eps, for which no gradient passes.

    var: of input's shape, or without its last dimension, or with 1 in one.  full: add log(2 pi) / 2.
    """
    variance: Any = var
    if isinstance(var, float):
        _check_variance(np.asarray(var))
        variance = var * torch.ones_like(input)
    elif are_tensors(var):
        run(_check_variance, var._data)
    else:
        torch.any(variance < 0)  # torch's error for what is neither
    if variance.size() != input.size():
        if input.size()[:-1] == variance.size():
            variance = torch.unsqueeze(variance, -1)
        elif not _has_one_dimension_of_one(variance, input):
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    variance = variance.clone()
    with torch.no_grad():
        variance.clamp_(min=eps)
    loss = 0.5 * (torch.log(variance) + (input - target) ** 2 / variance)
    if full:
        loss += 0.5 * math.log(2 * math.pi)
    return reduced(loss, reduction)


def _check_variance(var: Any) -> None:
    if np.logical_or.reduce(var < 0, axis=None):
        raise ValueError("var has negative entry/entries")


def _has_one_dimension_of_one(var: Tensor, input: Tensor) -> bool:
    """Whether `var` differs from `input` in a single dimension, where it is 1 (dimensions of 0 do not count)."""
    if input.dim() != var.dim():
        return False
    return sum(mine for full, mine in zip(input.shape, var.shape, strict=True) if full != mine) == 1
