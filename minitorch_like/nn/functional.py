"""`torch.nn.functional`: what the modules compute, as functions. Signatures and defaults are torch's."""

from __future__ import annotations

import math
import warnings
from typing import Any

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like._bind import FUNCTIONS, METHODS
from minitorch_like.ops import TABLE
from minitorch_like.ops._signature import Reader

from . import _reduction

linear = FUNCTIONS["linear"]
_leaky_relu, _leaky_relu_ = FUNCTIONS["leaky_relu"], METHODS["leaky_relu_"]
# Ops whose arguments are checked here, so that a call need not be read again.
_mse_loss, _nll_loss = TABLE["mse_loss"].apply, TABLE["nll_loss"].apply
_TARGETED = "(Tensor input, Tensor target, Tensor? weight, str reduction, int ignore_index"
_NLL = Reader("nll_loss_nd", (f"{_TARGETED})",))
_CROSS_ENTROPY = Reader("cross_entropy_loss", (f"{_TARGETED}, float label_smoothing)",))


# Activations


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(0, x), of any shape."""
    return input.relu_() if inplace else torch.relu(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, negative_slope * x elsewhere."""
    return _leaky_relu_(input, negative_slope) if inplace else _leaky_relu(input, negative_slope)


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x))."""
    return input.sigmoid()


def tanh(input: Tensor) -> Tensor:
    """tanh(x)."""
    return input.tanh()


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return input / (input.abs() + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - input.tanh()


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """exp(x) / sum(exp(x)) along `dim`; computed in `dtype` if given. Warns where `dim` is left out."""
    if dim is None:
        dim = _get_softmax_dim("softmax", input.dim(), _stacklevel)
    return input.softmax(dim) if dtype is None else input.softmax(dim, dtype=dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """softmax(-x) along `dim`."""
    if dim is None:
        dim = _get_softmax_dim("softmin", input.dim(), _stacklevel)
    return (-input).softmax(dim) if dtype is None else (-input).softmax(dim, dtype=dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """log(softmax(x)) along `dim`."""
    if dim is None:
        dim = _get_softmax_dim("log_softmax", input.dim(), _stacklevel)
    return input.log_softmax(dim) if dtype is None else input.log_softmax(dim, dtype=dtype)


def _get_softmax_dim(name: str, ndim: int, stacklevel: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if ndim in (0, 1, 3) else 1


# Dropout


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each element with probability p, divide the others by 1 - p; the identity unless `training`."""
    _check_probability(p)
    return _dropout(input, p, training, inplace)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero whole channels of (N, C, L) or (C, L). Raises: RuntimeError for other ranks."""
    _check_probability(p)
    rank = input.dim()
    if rank not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {rank}D input. Note that dropout1d exists to"
            " provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an"
            " optional batch dimension (i.e. 2D or 3D inputs)."
        )
    return _batched_dropout(input, p, training, inplace, rank == 3)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero whole channels of (N, C, H, W) or (N, C, L); warns for other ranks."""
    _check_probability(p)
    rank = input.dim()
    if rank not in (3, 4):
        _warn_rank("dropout2d", rank, "2 spatial dimensions, a channel dimension", "3D or 4D")
    if rank == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior"
            " is desired - input is interpreted as shape (N, C, L), where C is the channel dim. This behavior"
            " will change in a future release to interpret the input as one without a batch dimension, i.e."
            " shape (C, H, W). To maintain the 1D channel-wise dropout behavior, please switch to using"
            " dropout1d instead.",
            stacklevel=2,
        )
    return _dropout(input, p, training, inplace, channels=True)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero whole channels of (N, C, D, H, W) or (C, D, H, W); warns for other ranks."""
    _check_probability(p)
    rank = input.dim()
    if rank not in (4, 5):
        _warn_rank("dropout3d", rank, "3 spatial dimensions, a channel dimension", "4D or 5D")
    return _batched_dropout(input, p, training, inplace, rank == 5)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout that keeps zero mean and unit variance behind SELU (Klambauer et al. 2017)."""
    _check_probability(p)
    return _dropout(input, p, training, inplace, alpha=True)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`alpha_dropout` of whole channels."""
    _check_probability(p)
    return _dropout(input, p, training, inplace, channels=True, alpha=True)


def _check_probability(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _warn_rank(name: str, rank: int, dimensions: str, ranks: str) -> None:
    warnings.warn(
        f"{name}: Received a {rank}-D input to {name}, which is deprecated and will result in an error in a"
        " future release. To retain the behavior and silence this warning, please use dropout instead. Note"
        f" that {name} exists to provide channel-wise dropout on inputs with {dimensions}, and an optional"
        f" batch dimension (i.e. {ranks} inputs).",
        stacklevel=3,
    )


def _batched_dropout(input: Tensor, p: float, training: bool, inplace: bool, batched: bool) -> Tensor:
    """Channel-wise dropout of an input that may lack the batch dimension."""
    if batched:
        return _dropout(input, p, training, inplace, channels=True)
    if inplace:
        return _dropout(input.unsqueeze_(0), p, training, inplace, channels=True).squeeze_(0)
    return _dropout(input.unsqueeze(0), p, training, inplace, channels=True).squeeze(0)


def _dropout(
    input: Tensor, p: float, training: bool, inplace: bool, *, channels: bool = False, alpha: bool = False
) -> Tensor:
    """Multiply by noise, laid out in memory like the input or of one number a channel."""
    if p == 0 or not training or input.numel() == 0:
        return input
    if p == 1:
        zero = torch.zeros((), dtype=input.dtype)
        return input.mul_(zero) if inplace else input * zero
    if channels:
        if input.dim() < 2:
            raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
        noise = torch.empty((*input.shape[:2], *[1] * (input.dim() - 2)), dtype=input.dtype)
    else:
        noise = torch.empty_like(input)
    noise.bernoulli_(1 - p)
    if not alpha:
        noise.div_(1 - p)
        return input.mul_(noise) if inplace else input * noise
    # What is dropped saturates SELU, at -slope; an affine map then restores mean and variance.
    slope = 1.7580993408473766
    scale = 1.0 / math.sqrt((slope * slope * p + 1) * (1 - p))
    shift = noise.add(-1).mul_(slope * scale).add_(slope * scale * p)
    noise.mul_(scale)
    return input.mul_(noise).add_(shift) if inplace else input * noise + shift


# Losses


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
        return _mse_loss(input, target, _reduction.checked(reduction))
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
        return _nll_loss(input, target, weight, ignore_index, reduction)
    batch = target.size(0) if target.dim() else 0
    if input.size(0) != batch:
        raise ValueError(f"Expected input batch_size ({input.size(0)}) to match target batch_size ({batch}).")
    if rank == 2:
        return _nll_loss(input, target, weight, ignore_index, reduction)
    if rank == 4:
        _check_spatial(input, target, weight)
        return _nll_loss(input, target, weight, ignore_index, reduction)
    n, c, *space = input.shape
    if list(target.shape[1:]) != space:
        raise RuntimeError(f"Expected target size {[n, *space]}, got {list(target.shape)}")
    flat = math.prod(space)
    folded = input.contiguous().view(n, c, 1, flat), target.contiguous().view(n, 1, flat)
    loss = _nll_loss(*folded, weight, ignore_index, reduction)
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


# Others


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """int64 (*, num_classes), 1 at the class that `tensor`, int64 (*), names; -1: one more than its largest.

    Raises: RuntimeError for another dtype or a class out of range.
    """
    if tensor.dtype != torch.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if tensor.numel() == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return torch.empty((*tensor.shape, num_classes), dtype=torch.int64)
    if tensor.min().item() < 0:
        raise RuntimeError("Class values must be non-negative.")
    classes = int(tensor.max().item()) + 1
    if num_classes != -1:
        if num_classes < classes:
            raise RuntimeError("Class values must be smaller than num_classes.")
        classes = num_classes
    return (tensor.unsqueeze(-1) == torch.arange(classes)).to(torch.int64)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    """input / max(|input|_p, eps), the norm taken along `dim`."""
    norm = input.norm(p, dim, keepdim=True).clamp(min=eps).expand_as(input)
    return input / norm if out is None else torch.div(input, norm, out=out)
