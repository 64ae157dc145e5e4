"""Convolution and transposed convolution.

The ops `correlate`, `correlate_input` and `correlate_weight` are the partial derivatives of one trilinear form (see
`_correlation`).  Each is therefore differentiated by means of the two others, to any order.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .._layout import resolved
from ._checks import c_name, sizes, tensor_type, title
from ._correlation import Geometry, correlated, correlated_input, correlated_weight
from ._formats import channels_last, is_channels_last
from ._history import named
from ._table import Array, op
from ._windows import Shape, output_size
from .shape import expand, reshape


def _widened(x: Array, y: Array) -> tuple[Array, Array]:
    """float16 is computed in float32, as torch does."""
    return (x.astype(np.float32), y.astype(np.float32)) if x.dtype == np.float16 else (x, y)


def _narrowed(result: Array, like: Array, last: bool = False) -> Array:
    """In the dtype of `like`, and channels last if wanted."""
    result = result if result.dtype is like.dtype else result.astype(like.dtype)
    return channels_last(result) if last else result


def _are_channels_last(input: Array, weight: Array, stride: Shape, dilation: Shape, groups: int) -> bool:
    """Whether torch computes a convolution of these, forward and backward, channels last: if one of the two is."""
    rank = weight.ndim
    if not is_channels_last(weight, 3) and not (is_channels_last(input, 3) and (rank > 3 or input.flags.c_contiguous)):
        return False
    return rank < 5 or _in_other_library(input, weight, stride, dilation, groups)


@op(
    "(Tensor input, Tensor weight, object geometry, bool last=False)",
    arity=2,
    node="ConvolutionBackward0",
    namespace="internal",
    input=lambda g, weight, geometry: correlate_input(g, weight, geometry),
    weight=lambda g, input, geometry: correlate_weight(g, input, geometry),
)
def correlate(input: Array, weight: Array, geometry: Geometry, last: bool = False) -> Array:
    """The form by g."""
    return _narrowed(correlated(*_widened(input, weight), geometry), input, last)


@op(
    "(Tensor grad, Tensor weight, object geometry, bool last=False)",
    arity=2,
    node="ConvolutionBackwardBackward0",
    namespace="internal",
    grad=lambda g, weight, geometry: correlate(g, weight, geometry),
    weight=lambda g, grad, geometry: correlate_weight(grad, g, geometry),
)
def correlate_input(grad: Array, weight: Array, geometry: Geometry, last: bool = False) -> Array:
    """The form by x."""
    return _narrowed(correlated_input(*_widened(grad, weight), geometry), grad, last)


@op(
    "(Tensor grad, Tensor input, object geometry, bool last=False)",
    arity=2,
    node="ConvolutionBackwardBackward0",
    namespace="internal",
    grad=lambda g, input, geometry: correlate(input, g, geometry),
    input=lambda g, grad, geometry: correlate_input(grad, g, geometry),
)
def correlate_weight(grad: Array, input: Array, geometry: Geometry, last: bool = False) -> Array:
    """The form by w."""
    return _narrowed(correlated_weight(*_widened(grad, input), geometry), grad, last)


def _spread_channels(g: Any, grad_shape: Shape) -> Any:
    return expand(reshape(g, (1, -1) + (1,) * (len(grad_shape) - 2)), grad_shape)


@op("(Tensor grad)", node="ConvolutionBackwardBackward0", namespace="internal", grad=_spread_channels)
def sum_channels(grad: Array) -> Array:
    """The gradient of the bias: (N, O, *points) -> (O,)."""
    return np.add.reduce(grad, axis=(0, *range(2, grad.ndim)))


def _array_of(x: Any) -> Array:
    array: Array = resolved(getattr(x, "_data", x))
    return array


def _convolution_gradients(
    g: Any,
    input: Any,
    weight: Any,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    transposed: bool,
    output_padding: Shape,
    groups: int,
    needs: tuple[bool, ...],
) -> tuple[Any, Any, Any]:
    options = stride, padding, dilation, transposed, output_padding, groups
    geometry = _geometry(tuple(input.shape), tuple(weight.shape), None, *options)
    last = _are_channels_last(_array_of(input), _array_of(weight), stride, dilation, groups)
    by_input = by_weight = None
    if needs[0]:
        by_input = (correlate if transposed else correlate_input)(g, weight, geometry, last)
    if needs[1]:
        by_weight = correlate_weight(*((input, g) if transposed else (g, input)), geometry, last)
    gradients = by_input, by_weight, sum_channels(g) if needs[2] else None
    if isinstance(g, np.ndarray):
        return gradients
    one, two, three = (
        None if each is None else named(each, input, weight, "ConvolutionBackwardBackward0") for each in gradients
    )
    return one, two, three


@op(
    "(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, bool transposed, "
    "int[] output_padding, int groups)",
    arity=3,
    joint=_convolution_gradients,
    namespace="nn",
)
def convolution(
    input: Array,
    weight: Array,
    bias: Array | None,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    transposed: bool,
    output_padding: Shape,
    groups: int,
) -> Array:
    """(N, C, *size), (O, C/groups, *kernel), (O,) -> (N, O, *points); transposed: weight (C, O/groups, *kernel)."""
    options = stride, padding, dilation, transposed, output_padding, groups
    geometry = _geometry(input.shape, weight.shape, None if bias is None else bias.shape, *options)
    _check_dtypes(input, weight, bias, transposed, stride, dilation, groups)
    operands = _widened(input, weight)
    out = correlated_input(*operands, geometry) if transposed else correlated(*operands, geometry)
    if bias is not None:
        np.add(out, bias.reshape((-1,) + (1,) * (out.ndim - 2)), out=out)
    return _narrowed(out, input, _are_channels_last(input, weight, stride, dilation, groups))


# -- checks ---------------------------------------------------------------------------------------------------------


def _check_dtypes(
    input: Array, weight: Array, bias: Array | None, transposed: bool, stride: Shape, dilation: Shape, groups: int
) -> None:
    if input.dtype.kind in "biu":
        _check_integers(input, transposed, dilation)
    if bias is not None and bias.dtype is not input.dtype:
        raise RuntimeError(f"Input type ({c_name(input)}) and bias type ({c_name(bias)}) should be the same")
    if weight.dtype is not input.dtype:
        if input.dtype.kind == "c":
            raise RuntimeError(
                f"Input type ({tensor_type(input)}) and weight type ({tensor_type(weight)}) should be the same"
            )
        if _in_other_library(input, weight, stride, dilation, groups):
            raise RuntimeError(
                f"Input type ({tensor_type(input)}) and weight type ({tensor_type(weight)}) should be the same or "
                "input should be a MKLDNN tensor and weight is a dense tensor"
            )
        raise RuntimeError(f"expected scalar type {title(input)} but found {title(weight)}")


def _in_other_library(input: Array, weight: Array, stride: Shape, dilation: Shape, groups: int) -> bool:
    """Whether torch leaves a convolution to MKLDNN, as its message then says.  Source: `ConvParams::use_mkldnn`."""
    if input.dtype.kind == "V":
        return True
    from .._threads import runs_on_one_thread  # of which few convolutions have to know

    height, width = (1, *weight.shape[2:])[-2:]
    if {height, width, *stride, *dilation} == {1} and input.shape[0] < 16 and runs_on_one_thread():
        return False
    large = min(height, width) > 3
    return input.dtype == np.float32 and (
        groups > 1 or large or input.shape[0] > 1 or math.prod(input.shape[:4]) > _ELEMENTS_FOR_MKLDNN
    )


_ELEMENTS_FOR_MKLDNN = 20480


def _check_integers(input: Array, transposed: bool, dilation: Shape) -> None:
    """NotImplementedError where torch has no kernel for integers, or none for these."""
    rank = max(input.ndim - 2, 2)
    if transposed:
        kernel, exists = f"slow_conv_transpose{rank}d_out_cpu", input.dtype == np.int64
    elif any(each > 1 for each in dilation):
        kernel, exists = "slow_conv_dilated<>", input.dtype == np.int64
    else:
        kernel, exists = f"slow_conv{rank}d_cpu", input.dtype.kind != "b"
    if not exists:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{title(input)}'")


@lru_cache(maxsize=256)
def _geometry(
    input: Shape,
    weight: Shape,
    bias: Shape | None,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    transposed: bool,
    output_padding: Shape,
    groups: int,
) -> Geometry:
    """The geometry of a convolution of tensors of these shapes, after torch's checks.

    That of a transposed convolution is the geometry of the convolution whose input is its output.
    """
    rank = len(weight) - 2
    if rank < 1:
        raise RuntimeError("weight should have at least three dimensions")
    stride, padding = _expanded("stride", stride, rank), _expanded("padding", padding, rank)
    dilation, output_padding = _expanded("dilation", dilation, rank), _expanded("output_padding", output_padding, rank)
    _check_options(stride, padding, dilation, output_padding, groups)
    _check_shapes(input, weight, bias, transposed, groups)
    if not transposed:
        _check_kernel(input, weight, padding, dilation)
    if 0 in input[2:] and 0 not in input[:2]:
        raise RuntimeError(f"Only zero batch or zero channel inputs are supported, but got input shape: {sizes(input)}")
    arguments = list(zip(input[2:], weight[2:], stride, padding, dilation, output_padding, strict=True))
    if not transposed:
        points = tuple(output_size(n, k, s, p, d) for n, k, s, p, d, _ in arguments)
        return Geometry(input, weight, points, stride, padding, dilation, groups)
    _check_output_padding(stride, dilation, output_padding)
    size = tuple((n - 1) * s - 2 * p + d * (k - 1) + extra + 1 for n, k, s, p, d, extra in arguments)
    if min(size) < 0:
        raise RuntimeError(
            f"Given input size per channel: ({' x '.join(map(str, input[2:]))}). Calculated output size per channel: "
            f"({' x '.join(map(str, size))}). Output size is too small"
        )
    whole = (input[0], weight[1] * groups, *size)
    return Geometry(whole, weight, input[2:], stride, padding, dilation, groups)


def _expanded(name: str, values: Shape, rank: int) -> Shape:
    """An option with a value for each dimension."""
    if len(values) == 1:
        return tuple(values) * rank
    if len(values) != rank:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {rank} values to match the convolution "
            f"dimensions, but got {name}={sizes(values)}"
        )
    return tuple(values)


def _check_options(stride: Shape, padding: Shape, dilation: Shape, output_padding: Shape, groups: int) -> None:
    if min(padding) < 0:
        raise RuntimeError("negative padding is not supported")
    if min(output_padding) < 0:
        raise RuntimeError("negative output_padding is not supported")
    if min(stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(dilation) < 0:
        raise RuntimeError("dilation should be greater than zero")
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    if min(dilation) == 0:
        raise RuntimeError("non-positive dilation is not supported")


def _check_shapes(input: Shape, weight: Shape, bias: Shape | None, transposed: bool, groups: int) -> None:
    rank = len(weight)
    if len(input) != rank:
        raise RuntimeError(
            f"Expected {rank}-dimensional input for {rank}-dimensional weight {sizes(weight)}, but got {len(input)}-"
            f"dimensional input of size {sizes(input)} instead"
        )
    if weight[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size "
            f"{sizes(weight)} instead"
        )
    if weight[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of "
            f"size [{sizes(weight)}] instead"
        )
    given = "transposed=1" if transposed else f"groups={groups}"
    channels = weight[0] if transposed else weight[1] * groups
    if input[1] != channels:
        raise RuntimeError(
            f"Given {given}, weight of size {sizes(weight)}, expected input{sizes(input)} to have {channels} channels, "
            f"but got {input[1]} channels instead"
        )
    outputs = weight[1] * groups if transposed else weight[0]
    if bias is not None and bias != (outputs,):
        raise RuntimeError(
            f"Given {'transposed=1, ' if transposed else ''}weight of size {sizes(weight)}, expected bias to be "
            f"1-dimensional with {outputs} elements, but got bias of size {sizes(bias)} instead"
        )


def _check_kernel(input: Shape, weight: Shape, padding: Shape, dilation: Shape) -> None:
    padded = [n + 2 * p for n, p in zip(input[2:], padding, strict=True)]
    kernel = [d * (k - 1) + 1 for k, d in zip(weight[2:], dilation, strict=True)]
    if any(k > n for n, k in zip(padded, kernel, strict=True)):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({' x '.join(map(str, padded))}). "
            f"Kernel size: ({' x '.join(map(str, kernel))}). Kernel size can't be greater than actual input size"
        )


def _check_output_padding(stride: Shape, dilation: Shape, output_padding: Shape) -> None:
    if all(extra < max(s, d) for s, d, extra in zip(stride, dilation, output_padding, strict=True)):
        return
    options = {"output_padding": output_padding, "stride": stride, "dilation": dilation}
    axes = ("depth", "height", "width")[-len(stride) :]
    described = " ".join(
        f"{name}_{axis}: {value}" for name, values in options.items() for axis, value in zip(axes, values, strict=True)
    )
    raise RuntimeError(f"output padding must be smaller than either stride or dilation, but got {described}")
