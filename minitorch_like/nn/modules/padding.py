"""Padding of the last one, two or three dimensions; see `nn.functional.pad`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitorch_like import Tensor
from minitorch_like.nn import functional as F

from .module import Module
from .utils import _ntuple, _pair, _quadruple

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]

Size = Any  # an int, or one for each end: left, right, top, bottom, front, back


class _Pad(Module):
    __constants__ = ["padding"]  # noqa: RUF012
    padding: Sequence[int]

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPadNd(_Pad):
    __constants__ = ["padding", "value"]  # noqa: RUF012
    value: float

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """`value` around the last dimension."""

    def __init__(self, padding: Size, value: float) -> None:
        super().__init__(value)
        self.padding = _pair(padding)


class ConstantPad2d(_ConstantPadNd):
    """`value` around the last two dimensions."""

    def __init__(self, padding: Size, value: float) -> None:
        super().__init__(value)
        self.padding = _quadruple(padding)


class ConstantPad3d(_ConstantPadNd):
    """`value` around the last three dimensions."""

    def __init__(self, padding: Size, value: float) -> None:
        super().__init__(value)
        self.padding = _ntuple(6)(padding)


class ZeroPad1d(ConstantPad1d):
    """0 around the last dimension."""

    def __init__(self, padding: Size) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """0 around the last two dimensions."""

    def __init__(self, padding: Size) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad3d(ConstantPad3d):
    """0 around the last three dimensions."""

    def __init__(self, padding: Size) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _CircularPadNd(_Pad):
    def _check_input_dim(self, input: Tensor) -> None:
        rank = len(self.padding) // 2
        if input.dim() not in (rank + 1, rank + 2):
            raise ValueError(f"expected {rank + 1}D or {rank + 2}D input (got {input.dim()}D input)")

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        return F.pad(input, self.padding, "circular")


class CircularPad1d(_CircularPadNd):
    """The last dimension goes on at its opposite end: (N, C, L) or (C, L)."""

    def __init__(self, padding: Size) -> None:
        super().__init__()
        self.padding = _pair(padding)


class CircularPad2d(_CircularPadNd):
    """The last two dimensions go on at their opposite ends: (N, C, H, W) or (C, H, W)."""

    def __init__(self, padding: Size) -> None:
        super().__init__()
        self.padding = _quadruple(padding)


class CircularPad3d(_CircularPadNd):
    """The last three dimensions go on at their opposite ends: (N, C, D, H, W) or (C, D, H, W)."""

    def __init__(self, padding: Size) -> None:
        super().__init__()
        self.padding = _ntuple(6)(padding)


class _ReflectionPadNd(_Pad):
    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "reflect")


class ReflectionPad1d(_ReflectionPadNd):
    """The last dimension goes back from its ends: (N, C, L) or (C, L)."""

    def __init__(self, padding: Size) -> None:
        super().__init__()
        self.padding = _pair(padding)


class ReflectionPad2d(_ReflectionPadNd):
    """The last two dimensions go back from their ends: (N, C, H, W) or (C, H, W)."""

    def __init__(self, padding: Size) -> None:
        super().__init__()
        self.padding = _quadruple(padding)


class ReflectionPad3d(_ReflectionPadNd):
    """The last three dimensions go back from their ends: (N, C, D, H, W) or (C, D, H, W)."""

    def __init__(self, padding: Size) -> None:
        super().__init__()
        self.padding = _ntuple(6)(padding)


class _ReplicationPadNd(_Pad):
    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "replicate")


class ReplicationPad1d(_ReplicationPadNd):
    """The last dimension's ends repeated: (N, C, L) or (C, L)."""

    def __init__(self, padding: Size) -> None:
        super().__init__()
        self.padding = _pair(padding)


class ReplicationPad2d(_ReplicationPadNd):
    """The ends of the last two dimensions repeated: (N, C, H, W) or (C, H, W)."""

    def __init__(self, padding: Size) -> None:
        super().__init__()
        self.padding = _quadruple(padding)


class ReplicationPad3d(_ReplicationPadNd):
    """The ends of the last three dimensions repeated: (N, C, D, H, W) or (C, D, H, W)."""

    def __init__(self, padding: Size) -> None:
        super().__init__()
        self.padding = _ntuple(6)(padding)
