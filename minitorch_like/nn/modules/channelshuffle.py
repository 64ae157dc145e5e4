"""Mixing the channels of groups."""

from __future__ import annotations

from minitorch_like import Tensor
from minitorch_like.nn import functional as F

from .module import Module

__all__ = ["ChannelShuffle"]


class ChannelShuffle(Module):
    """(N, C, ...): the first channel of each group, then the second of each, and so on (Zhang et al. 2018)."""

    __constants__ = ["groups"]  # noqa: RUF012
    groups: int

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        result: Tensor = F.channel_shuffle(input, self.groups)
        return result

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
