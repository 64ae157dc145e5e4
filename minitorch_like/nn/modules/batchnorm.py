"""Batch normalisation, and what it shares with instance normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like._capture import live
from minitorch_like.nn import functional as F

from .normalization import AffineModule

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"]


class _NormBase(AffineModule):
    """Weight and bias of the channels (if `affine`), and their running mean and variance (if `track_running_stats`)."""

    _version = 2  # 1 had no num_batches_tracked
    __constants__ = ["track_running_stats", "momentum", "eps", "num_features", "affine"]  # noqa: RUF012
    num_features: int
    eps: float
    momentum: float | None
    affine: bool
    track_running_stats: bool
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self._register_affine(num_features, affine, bias, device, dtype)
        tracked = track_running_stats
        self.register_buffer("running_mean", torch.zeros(num_features, device=device, dtype=dtype) if tracked else None)
        self.register_buffer("running_var", torch.ones(num_features, device=device, dtype=dtype) if tracked else None)
        self.register_buffer("num_batches_tracked", torch.tensor(0, dtype=torch.int64) if tracked else None)
        self.reset_parameters()

    def _running(self) -> tuple[Tensor | None, Tensor | None]:
        """Running mean and variance, past `__getattr__`."""
        own = self._buffers
        if "running_mean" in own and "running_var" in own:
            return own["running_mean"], own["running_var"]
        return self.running_mean, self.running_var

    def reset_running_stats(self) -> None:
        """Mean 0, variance 1, no batch seen."""
        if self.track_running_stats:
            assert self.running_mean is not None
            assert self.running_var is not None
            assert self.num_batches_tracked is not None
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """The statistics as at the start, weight 1, bias 0."""
        self.reset_running_stats()
        super().reset_parameters()

    def _check_input_dim(self, input: Tensor) -> None:
        raise NotImplementedError

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(
        self, state_dict: Mapping[str, Any], prefix: str, local_metadata: dict[str, Any], *rest: Any
    ) -> None:
        version = local_metadata.get("version")
        key = f"{prefix}num_batches_tracked"
        if (version is None or version < 2) and self.track_running_stats and key not in state_dict:
            counted = self.num_batches_tracked
            state_dict[key] = torch.tensor(0, dtype=torch.int64) if counted is None else counted  # type: ignore[index]
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


class _BatchNorm(_NormBase):
    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        training = self.training
        tracked = not training or self.track_running_stats
        weight, bias = self._affine()
        mean, var = self._running()
        momentum = 0.0 if self.momentum is None else self.momentum
        if training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                momentum = live(self._share_of_batch)
        return F.batch_norm(
            input,
            mean if tracked else None,
            var if tracked else None,
            weight,
            bias,
            training or (mean is None and var is None),
            momentum,
            self.eps,
        )

    def _share_of_batch(self) -> float:
        """What the present batch counts in an average of all; asked anew at each replay of a compiled step."""
        assert self.num_batches_tracked is not None
        return 1.0 / int(self.num_batches_tracked._data)


class BatchNorm1d(_BatchNorm):
    """(x - mean) / sqrt(var + eps) for each channel of (N, C) or (N, C, L), times weight plus bias.

    In training the mean and (biased) variance are the batch's; the running ones, which serve in evaluation, move towards
    them (the variance taken unbiased) by `momentum`, or are the average of all batches if that is None.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (2, 3):
            raise ValueError(f"expected 2D or 3D input (got {input.dim()}D input)")


class BatchNorm2d(_BatchNorm):
    """`BatchNorm1d` for images: (N, C, H, W)."""

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 4:
            raise ValueError(f"expected 4D input (got {input.dim()}D input)")


class BatchNorm3d(_BatchNorm):
    """`BatchNorm1d` for volumes: (N, C, D, H, W)."""

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 5:
            raise ValueError(f"expected 5D input (got {input.dim()}D input)")
