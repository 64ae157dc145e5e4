"""Dropout in all its shapes."""

from __future__ import annotations

import math

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like._once import warn_of_call


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
        warn_of_call(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior"
            " is desired - input is interpreted as shape (N, C, L), where C is the channel dim. This behavior"
            " will change in a future release to interpret the input as one without a batch dimension, i.e."
            " shape (C, H, W). To maintain the 1D channel-wise dropout behavior, please switch to using"
            " dropout1d instead.",
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
    warn_of_call(
        f"{name}: Received a {rank}-D input to {name}, which is deprecated and will result in an error in a"
        " future release. To retain the behavior and silence this warning, please use dropout instead. Note"
        f" that {name} exists to provide channel-wise dropout on inputs with {dimensions}, and an optional"
        f" batch dimension (i.e. {ranks} inputs).",
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
