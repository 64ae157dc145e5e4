"""Convolutions and transposed convolutions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like.nn import functional as F
from minitorch_like.nn import init
from minitorch_like.nn.parameter import Parameter

from .module import Module
from .utils import _pair, _reverse_repeat_tuple, _single, _triple, with_own_init

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

Size = Any  # an int, or one for each dimension
Ints = tuple[int, ...]


class _ConvNd(Module):
    """weight (out_channels, in_channels/groups, *kernel_size), transposed (in_channels, out_channels/groups, ...).

    Weight and bias start uniform in +-1/sqrt(fan in). Raises: ValueError for channels that are not divisible by groups,
    an unknown padding, or "same" with a stride.
    """

    __constants__ = [  # noqa: RUF012
        "stride",
        "padding",
        "dilation",
        "groups",
        "padding_mode",
        "output_padding",
        "in_channels",
        "out_channels",
        "kernel_size",
    ]
    in_channels: int
    _reversed_padding_repeated_twice: Sequence[int]
    out_channels: int
    kernel_size: Ints
    stride: Ints
    padding: str | Ints
    dilation: Ints
    transposed: bool
    output_padding: Ints
    groups: int
    padding_mode: str
    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints,
        padding: str | Ints,
        dilation: Ints,
        transposed: bool,
        output_padding: Ints,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        _check_channels(in_channels, out_channels, groups)
        _check_padding(padding, padding_mode, stride)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        self._reversed_padding_repeated_twice = _for_pad(padding, kernel_size, dilation)
        inner, outer = (out_channels, in_channels) if transposed else (in_channels, out_channels)
        self.weight = Parameter(torch.empty((outer, inner // groups, *kernel_size), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values: weight first, then bias."""
        # With a = sqrt(5) this is U(+-1/sqrt(fan_in)), but only so written does it have torch's last bit.
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        if self.padding != (0,) * len(self.padding):
            parts.append(f"padding={self.padding}")
        if self.dilation != (1,) * len(self.dilation):
            parts.append(f"dilation={self.dilation}")
        if self.output_padding != (0,) * len(self.output_padding):
            parts.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("padding_mode", "zeros")  # pickles of torch 1.0 have none

    def _weight_and_bias(self) -> tuple[Tensor, Tensor | None]:
        # Past __getattr__, which costs as much as a small kernel. A name that is not registered (a
        # reparametrised weight) is an ordinary attribute.
        own = self._parameters
        if "weight" in own and "bias" in own:
            return own["weight"], own["bias"]  # type: ignore[return-value]
        return self.weight, self.bias


def _check_channels(in_channels: int, out_channels: int, groups: int) -> None:
    if groups <= 0:
        raise ValueError("groups must be a positive integer")
    if in_channels % groups != 0:
        raise ValueError("in_channels must be divisible by groups")
    if out_channels % groups != 0:
        raise ValueError("out_channels must be divisible by groups")


def _check_padding(padding: str | Ints, padding_mode: str, stride: Ints) -> None:
    words = {"same", "valid"}
    if isinstance(padding, str):
        if padding not in words:
            raise ValueError(f"Invalid padding string {padding!r}, should be one of {words}")
        if padding == "same" and any(each != 1 for each in stride):
            raise ValueError("padding='same' is not supported for strided convolutions")
    modes = {"zeros", "reflect", "replicate", "circular"}
    if padding_mode not in modes:
        raise ValueError(f"padding_mode must be one of {modes}, but got padding_mode='{padding_mode}'")


def _for_pad(padding: str | Ints, kernel_size: Ints, dilation: Ints) -> Sequence[int]:
    """The padding as F.pad takes it: before and after each dimension, from the last on."""
    if not isinstance(padding, str):
        return _reverse_repeat_tuple(padding, 2)
    total = [d * (k - 1) if padding == "same" else 0 for d, k in zip(dilation, kernel_size, strict=False)]
    return [end for each in reversed(total) for end in (each // 2, each - each // 2)]


class _Forward(_ConvNd):
    """The convolutions, told apart by their function and by how an option stands for all dimensions."""

    _for_each_dimension: Callable[[Any], Ints]
    _function: Callable[..., Tensor]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Any = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        each = self._for_each_dimension
        super().__init__(
            in_channels,
            out_channels,
            each(kernel_size),
            each(stride),
            padding if isinstance(padding, str) else each(padding),
            each(dilation),
            False,
            each(0),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, self.padding_mode)
            padding = self._for_each_dimension(0)
        return self._function(input, weight, bias, self.stride, padding, self.dilation, self.groups)

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, *self._weight_and_bias())


@with_own_init
class Conv1d(_Forward):
    """Cross-correlation of (N, C, L) or (C, L) with the weight."""

    _for_each_dimension = staticmethod(_single)
    _function = staticmethod(F.conv1d)


@with_own_init
class Conv2d(_Forward):
    """Cross-correlation of (N, C, H, W) or (C, H, W) with the weight."""

    _for_each_dimension = staticmethod(_pair)
    _function = staticmethod(F.conv2d)


@with_own_init
class Conv3d(_Forward):
    """Cross-correlation of (N, C, D, H, W) or (C, D, H, W) with the weight."""

    _for_each_dimension = staticmethod(_triple)
    _function = staticmethod(F.conv3d)


class _ConvTransposeNd(_ConvNd):
    """The gradients of the convolutions by their input, as layers."""

    _for_each_dimension: Callable[[Any], Ints]
    _function: Callable[..., Tensor]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        each = self._for_each_dimension
        super().__init__(
            in_channels,
            out_channels,
            each(kernel_size),
            each(stride),
            each(padding),
            each(dilation),
            True,
            each(output_padding),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        return self._function(input, *self._weight_and_bias(), *self._options(input, output_size))

    def _output_padding(
        self,
        input: Tensor,
        output_size: Sequence[int] | None,
        stride: Ints,
        padding: Ints,
        kernel_size: Ints,
        num_spatial_dims: int,
        dilation: Ints | None = None,
    ) -> Ints:
        """What has to be added to the least possible size to make it `output_size`.

        Raises: ValueError for a size that no input of the forward convolution could have.
        """
        if output_size is None:
            return _single(self.output_padding)
        lead = 2 if input.dim() == num_spatial_dims + 2 else 1
        if len(output_size) == lead + num_spatial_dims:
            output_size = output_size[lead:]
        if len(output_size) != num_spatial_dims:
            raise ValueError(
                f"ConvTranspose{num_spatial_dims}D: for {input.dim()}D input, output_size must have {num_spatial_dims} "
                f"or {lead + num_spatial_dims} elements (got {len(output_size)})"
            )
        dilation = (1,) * num_spatial_dims if dilation is None else dilation
        options = zip(input.size()[lead:], stride, padding, dilation, kernel_size, strict=False)
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in options]
        most = [n + s - 1 for n, s in zip(least, stride, strict=False)]
        if any(not low <= n <= high for low, n, high in zip(least, output_size, most, strict=True)):
            raise ValueError(
                f"requested an output size of {output_size}, but valid sizes range from {least} to {most} "
                f"(for an input of {input.size()[2:]})"
            )
        return tuple(n - low for n, low in zip(output_size, least, strict=True))

    def _options(self, input: Tensor, output_size: Sequence[int] | None) -> tuple[Any, ...]:
        """The options of the function, behind the bias."""
        if self.padding_mode != "zeros":
            raise ValueError(f"Only `zeros` padding mode is supported for {type(self).__name__}")
        if not isinstance(self.padding, tuple):
            raise AssertionError("self.padding must be a tuple")
        padding, rank = self.padding, len(self.kernel_size)
        added = self._output_padding(input, output_size, self.stride, padding, self.kernel_size, rank, self.dilation)
        return self.stride, padding, added, self.groups, self.dilation


@with_own_init
class ConvTranspose1d(_ConvTransposeNd):
    """The gradient of Conv1d by its input, as a layer: (N, C, L) or (C, L)."""

    _for_each_dimension = staticmethod(_single)
    _function = staticmethod(F.conv_transpose1d)


@with_own_init
class ConvTranspose2d(_ConvTransposeNd):
    """The gradient of Conv2d by its input, as a layer: (N, C, H, W) or (C, H, W)."""

    _for_each_dimension = staticmethod(_pair)
    _function = staticmethod(F.conv_transpose2d)


@with_own_init
class ConvTranspose3d(_ConvTransposeNd):
    """The gradient of Conv3d by its input, as a layer: (N, C, D, H, W) or (C, D, H, W)."""

    _for_each_dimension = staticmethod(_triple)
    _function = staticmethod(F.conv_transpose3d)
