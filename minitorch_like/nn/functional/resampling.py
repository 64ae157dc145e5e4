"""Resampling of signals, images and volumes, and the rearrangement of their elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitorch_like import Tensor
from minitorch_like._bind import FUNCTIONS
from minitorch_like._once import warn_of_call
from minitorch_like.ops import TABLE, resampling, unfolding
from minitorch_like.ops._checks import title
from minitorch_like.ops._signature import Reader

from .pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d

_wrap, _interpolate = TABLE["wrap"], TABLE["interpolate"]  # ops, whose `apply` is made when first called
_im2col, _col2im = TABLE["im2col"], TABLE["col2im"]
_OPTIONS = "int[] kernel_size, int[] dilation, int[] padding, int[] stride)"
_IM2COL = Reader("im2col", (f"(Tensor input, {_OPTIONS}",))
_COL2IM = Reader("col2im", (f"(Tensor input, int[] output_size, {_OPTIONS}",))
# Modes, with the number of dimensions that each needs of its input.
_WEIGHTED = {"linear": 3, "bilinear": 4, "trilinear": 5, "bicubic": 4}
_MODES = "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact"

Sizes = int | Sequence[int] | None
Factors = float | Sequence[float] | None

pixel_shuffle, pixel_unshuffle = FUNCTIONS["pixel_shuffle"], FUNCTIONS["pixel_unshuffle"]
channel_shuffle = FUNCTIONS["channel_shuffle"]


# -- blocks as columns ----------------------------------------------------------------------------------------------


def _pair(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """The blocks of an image as columns: (N, C, H, W) -> (N, C * places of the kernel, blocks), or without N."""
    options = tuple(map(_pair, (kernel_size, dilation, padding, stride)))
    _IM2COL.read((input, *options), {})
    unfolding.check_images(input._data.shape, *options)
    result: Tensor = _im2col.apply(input, *options)
    return result


def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """The sum of blocks, each at its place in an image: the adjoint of `unfold`."""
    options = tuple(map(_pair, (output_size, kernel_size, dilation, padding, stride)))
    _COL2IM.read((input, *options), {})
    unfolding.check_columns(input._data.shape, *options)
    result: Tensor = _col2im.apply(input, *options)
    return result


# -- resampling -----------------------------------------------------------------------------------------------------


def interpolate(
    input: Tensor,
    size: Sizes = None,
    scale_factor: Factors = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """(N, C, ...) with one, two or three further dimensions, resampled to `size` or by `scale_factor`.

    With `align_corners` the corners stay where they are, otherwise the borders. By default a given factor itself is
    computed with, not the ratio of the sizes. Raises: NotImplementedError for `antialias` and the mode "lanczos".
    """
    if mode in ("nearest", "area", "nearest-exact") and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    sizes, scales = _resolved(input, size, scale_factor)
    if recompute_scale_factor and size is not None:
        raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    if recompute_scale_factor or mode == "area":
        scales = (None,) * len(scales)
    _check_antialias(input, mode, antialias)
    ndim = input.dim()
    shape = input._data.shape
    if ndim in (3, 4, 5):
        if mode in ("nearest", "nearest-exact"):
            windows = resampling.nearest(shape, sizes, scales, mode == "nearest-exact")
            _check_dtype(input, "nearest", allowed="eEfdB")
            copied: Tensor = _wrap.apply(input, windows)
            return copied
        if mode == "area":
            area: Tensor = (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[ndim - 3](input, sizes)
            return area
        if _WEIGHTED.get(mode) == ndim:
            make = resampling.cubic if mode == "bicubic" else resampling.linear
            weights = make(shape, sizes, scales, bool(align_corners))
            _check_dtype(input, "cubic" if mode == "bicubic" else "linear", allowed="eEfdB" if ndim == 4 else "eEfd")
            result: Tensor = _interpolate.apply(input, weights)
            return result
        if mode in _WEIGHTED and mode != "bicubic":
            raise NotImplementedError(f"Got {ndim}D input, but {mode} mode needs {_WEIGHTED[mode]}D input")
    raise NotImplementedError(
        f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {ndim}D) for the modes: {_MODES} (got {mode})"
    )


def _resolved(input: Tensor, size: Sizes, scale_factor: Factors) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    """The new size, and the factors to compute with: None for the ratio of the sizes."""
    space = list(input.shape[2:])
    layout = "Please provide input tensor in (N, C, d1, d2, ...,dK) format and"
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        if isinstance(size, (list, tuple)):
            if len(size) != len(space):
                raise ValueError(
                    "Input and output must have the same number of spatial dimensions, but got input with spatial "
                    f"dimensions of {space} and output size of {size}. {layout} output size in (o1, o2, ...,oK) format."
                )
            if not all(isinstance(each, int) for each in size):
                raise TypeError(
                    "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, int], but got "
                    f"size with types {[type(each) for each in size]}"
                )
            return tuple(size), (None,) * len(space)
        if not isinstance(size, int):
            raise TypeError(f"expected size to be one of int or Tuple[int], but got size of type {type(size).__name__}")
        return (size,) * len(space), (None,) * len(space)
    if scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    if isinstance(scale_factor, (list, tuple)):
        if len(scale_factor) != len(space):
            raise ValueError(
                "Input and scale_factor must have the same number of spatial dimensions, but got input with spatial "
                f"dimensions of {space} and scale_factor of shape {scale_factor}. {layout} scale_factor in "
                "(s1, s2, ...,sK) format."
            )
        factors = tuple(map(float, scale_factor))
    else:
        factors = (float(scale_factor),) * len(space)  # type: ignore[arg-type]
    return tuple(int(n * factor) for n, factor in zip(space, factors, strict=True)), factors


def _check_antialias(input: Tensor, mode: str, antialias: bool) -> None:
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and input.dim() == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )
    if antialias:
        raise NotImplementedError("interpolate(): antialias=True is not supported")
    if mode == "lanczos":
        raise ValueError("Lanczos mode requires antialias=True")


def _check_dtype(input: Tensor, kind: str, allowed: str) -> None:
    if input._data.dtype.char not in allowed:
        name = f"compute_indices_weights_{kind}"
        if input.dim() == 4 and kind != "cubic":
            name = f"upsample_{'nearest' if kind == 'nearest' else 'bilinear'}2d_channels_last"
        raise NotImplementedError(f"\"{name}\" not implemented for '{title(input._data)}'")


def upsample(
    input: Tensor,
    size: Sizes = None,
    scale_factor: Factors = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """`interpolate` under its old name; warns."""
    _warn_of_name("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Sizes = None, scale_factor: Factors = None) -> Tensor:
    """`interpolate` by the nearest element; warns."""
    _warn_of_name("upsample_nearest")
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Tensor, size: Sizes = None, scale_factor: Factors = None) -> Tensor:
    """`interpolate` bilinearly with aligned corners; warns."""
    _warn_of_name("upsample_bilinear")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def _warn_of_name(name: str) -> None:
    warn_of_call(f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.")
