"""Blocks of images as columns and back, and rearrangements of pixels and channels."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ._checks import sizes, title
from ._correlation import Geometry, folded, unfolded
from ._table import Array, op
from ._windows import Shape, buffer, output_size

# -- blocks as columns ----------------------------------------------------------------------------------------------


def _check_dtype(name: str, x: Array) -> None:
    if x.dtype.kind not in "fbc":
        raise NotImplementedError(f"\"{name}\" not implemented for '{title(x)}'")


def _im2col_input(
    g: Any, input_shape: Shape, kernel_size: Shape, dilation: Shape, padding: Shape, stride: Shape
) -> Any:
    return col2im(g, tuple(input_shape[-2:]), kernel_size, dilation, padding, stride)


@op(
    "(Tensor input, int[] kernel_size, int[] dilation, int[] padding, int[] stride)",
    node="Im2ColBackward0",
    namespace="internal",
    input=_im2col_input,
)
def im2col(input: Array, kernel_size: Shape, dilation: Shape, padding: Shape, stride: Shape) -> Array:
    """(N, C, H, W) -> (N, C * kernel height * kernel width, blocks), or both without N."""
    _check_dtype("im2col_out_cpu", input)
    images = input if input.ndim == 4 else input[None]
    geometry = _geometry(images.shape, kernel_size, dilation, padding, stride)
    columns = unfolded(images, geometry)
    return columns if input.ndim == 4 else columns[0]


@op(
    "(Tensor input, int[] output_size, int[] kernel_size, int[] dilation, int[] padding, int[] stride)",
    node="Col2ImBackward0",
    namespace="internal",
    input=lambda g, kernel_size, dilation, padding, stride: im2col(g, kernel_size, dilation, padding, stride),
)
def col2im(
    input: Array, output_size: Shape, kernel_size: Shape, dilation: Shape, padding: Shape, stride: Shape
) -> Array:
    """The adjoint of `im2col`: the sum of the blocks, each at its place."""
    _check_dtype("col2im_out_cpu", input)
    columns = input if input.ndim == 3 else input[None]
    channels = columns.shape[1] // (kernel_size[0] * kernel_size[1])
    geometry = _geometry((len(columns), channels, *output_size), kernel_size, dilation, padding, stride)
    images = folded(columns, geometry)
    return images if input.ndim == 3 else images[0]


@lru_cache(maxsize=256)
def _geometry(shape: Shape, kernel: Shape, dilation: Shape, padding: Shape, stride: Shape) -> Geometry:
    points = tuple(map(output_size, shape[2:], kernel, stride, padding, dilation))
    return Geometry(shape, (1, shape[1], *kernel), points, stride, padding, dilation, 1)


def check_options(kernel: Shape, dilation: Shape, padding: Shape, stride: Shape) -> None:
    """torch's checks of the options of `im2col` and `col2im`."""
    named = {"kernel_size": kernel, "dilation": dilation, "padding": padding, "stride": stride}
    for name, values in named.items():
        if len(values) != 2:
            raise RuntimeError(f"It is expected {name} equals to 2, but got size {len(values)}")
    for label, name in (("kernel size", "kernel"), ("stride", "stride"), ("dilation", "dilation")):
        height, width = {"kernel": kernel, "stride": stride, "dilation": dilation}[name]
        if min(height, width) <= 0:
            raise RuntimeError(
                f"{label} should be greater than zero, but got {name}_height: {height} {name}_width: {width}"
            )
    if min(padding) < 0:
        raise RuntimeError(f"padding should be non-negative, but got pad_height: {padding[0]} pad_width: {padding[1]}")


def check_images(shape: Shape, kernel: Shape, dilation: Shape, padding: Shape, stride: Shape) -> None:
    """torch's checks of the input of `im2col`."""
    check_options(kernel, dilation, padding, stride)
    if not shape:
        raise IndexError("Dimension specified as 1 but tensor has no dimensions")
    if len(shape) < 3:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-len(shape)}, {len(shape) - 1}], but got {len(shape)})"
        )
    if len(shape) > 4 or 0 in shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {sizes(shape)}"
        )
    blocks = tuple(map(output_size, shape[-2:], kernel, stride, padding, dilation))
    if min(blocks) < 1:
        raise RuntimeError(
            f"Given input with spatial size {shape[-2:]}, kernel_size={kernel}, dilation={dilation}, "
            f"padding={padding}, calculated shape of the array of sliding blocks as {blocks}, but its components must "
            "be at least one."
        )


def check_columns(shape: Shape, image: Shape, kernel: Shape, dilation: Shape, padding: Shape, stride: Shape) -> None:
    """torch's checks of the input of `col2im`."""
    if len(image) != 2:
        raise RuntimeError(f"It is expected output_size equals to 2, but got size {len(image)}")
    check_options(kernel, dilation, padding, stride)
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
            f"input, but got: {sizes(shape)}"
        )
    rows, columns = shape[-2:]
    dim = len(shape) - 2
    if rows % (kernel[0] * kernel[1]):
        raise RuntimeError(
            f"Expected size of input's dimension {dim} to be divisible by the product of kernel_size, but got "
            f"input.size({dim})={rows} and kernel_size={kernel}."
        )
    height, width = map(output_size, image, kernel, stride, padding, dilation)
    if height * width != columns or min(height, width) < 1:
        raise RuntimeError(
            f"Given output_size={image}, kernel_size={kernel}, dilation={dilation}, padding={padding}, "
            f"stride={stride}, expected size of input's dimension {dim + 1} to match the calculated number of sliding "
            f"blocks {height} * {width} = {height * width}, but got input.size({dim + 1})={columns}."
        )


# -- rearrangements -------------------------------------------------------------------------------------------------


@op(
    "(Tensor input, int upscale_factor)",
    node="PixelShuffleBackward0",
    namespace="nn",
    format_of=0,
    input=lambda g, upscale_factor: pixel_unshuffle(g, upscale_factor),
)
def pixel_shuffle(input: Array, upscale_factor: int) -> Array:
    """(..., C * r * r, H, W) -> (..., C, H * r, W * r) (Shi et al. 2016)."""
    factor = upscale_factor
    _check_images("pixel_shuffle", input, factor, "upscale_factor")
    *lead, channels, height, width = input.shape
    if channels % (factor * factor):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={channels} is not divisible by {factor * factor}"
        )
    channels //= factor * factor
    result = buffer(input, (*lead, channels, height * factor, width * factor))
    pixels = result.reshape(*lead, channels, height, factor, width, factor)
    rank = len(lead)
    apart = pixels.transpose(*range(rank + 1), rank + 2, rank + 4, rank + 1, rank + 3)
    np.copyto(apart, input.reshape(*lead, channels, factor, factor, height, width))
    return result


@op(
    "(Tensor input, int downscale_factor)",
    node="PixelUnshuffleBackward0",
    namespace="nn",
    format_of=0,
    input=lambda g, downscale_factor: pixel_shuffle(g, downscale_factor),
)
def pixel_unshuffle(input: Array, downscale_factor: int) -> Array:
    """The inverse of `pixel_shuffle`."""
    factor = downscale_factor
    _check_images("pixel_unshuffle", input, factor, "downscale_factor")
    *lead, channels, height, width = input.shape
    for name, size, dim in (("height", height, -2), ("width", width, -1)):
        if size % factor:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({dim})={size} is "
                f"not divisible by {factor}"
            )
    height, width, rank = height // factor, width // factor, len(lead)
    result = buffer(input, (*lead, channels * factor * factor, height, width))
    apart = result.reshape(*lead, channels, factor, factor, height, width)
    pixels = apart.transpose(*range(rank + 1), rank + 3, rank + 1, rank + 4, rank + 2)
    np.copyto(pixels, input.reshape(*lead, channels, height, factor, width, factor))
    return result


def _check_images(name: str, input: Array, factor: int, option: str) -> None:
    if input.ndim < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {option}, but got {factor}")


@op(
    "(Tensor input, int groups)",
    node="ChannelShuffleBackward0",
    namespace="nn",
    format_of=0,
    input=lambda g, groups: channel_shuffle(g, g.shape[1] // groups if g.shape[1] else groups),
)
def channel_shuffle(input: Array, groups: int) -> Array:
    """(N, C, ...): the first channel of each group, then the second of each, and so on (Zhang et al. 2018)."""
    if input.ndim <= 2:
        raise RuntimeError(
            f"channel_shuffle expects input with > 2 dims, but got input with sizes {sizes(input.shape)}"
        )
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    batch, channels, *size = input.shape
    if channels % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {channels} channels and {groups} groups."
        )
    result = buffer(input, input.shape)
    mixed = result.reshape(batch, channels // groups, groups, *size).swapaxes(1, 2)
    np.copyto(mixed, input.reshape(batch, groups, channels // groups, *size))
    return result
