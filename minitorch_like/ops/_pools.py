"""Where the windows of torch's pooling functions lie.  All checks of shapes are made here, and results remembered.

One-dimensional pooling is in torch that of an image of height 1, which shows in the messages.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from ._checks import sizes
from ._windows import Shape, adaptive_windows_along, output_size, windows_along
from .pooling import Pool

Ints = int | tuple[int, ...]

_FLOATS, _NUMBERS = "efd", "efdlqihbB"  # NumPy's characters of the dtypes that a kernel exists for
_COUNTS = ("", "one int", "two ints", "three ints")


def _several(value: Ints, rank: int, message: str) -> Shape:
    """A value for each dimension."""
    values = (value,) if isinstance(value, int) else tuple(value)
    if len(values) not in (1, rank):
        raise RuntimeError(message)
    return values * rank if len(values) == 1 else values


def _single(name: str, option: str, value: Ints) -> int:
    values = (value,) if isinstance(value, int) else tuple(value)
    if len(values) != 1:
        raise RuntimeError(f"{name}() argument '{option}' should contain one int (got {len(values)})")
    return values[0]


@lru_cache(maxsize=256)
def max_pool(
    rank: int, shape: Shape, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool
) -> Pool:
    """The windows of max_pool2d or max_pool3d over a tensor of `shape`; a stride of () is the kernel."""
    name, count = f"max_pool{rank}d", _COUNTS[rank]
    kernel = _several(kernel, rank, f"{name}: kernel_size must either be a single int, or a tuple of {count}")
    omitted = f"{name}: stride must either be omitted, a single int, or a tuple of {count}"
    stride = kernel if stride == () else _several(stride, rank, omitted)
    padding = _several(padding, rank, f"{name}: padding must either be a single int, or a tuple of {count}")
    dilation = _several(dilation, rank, f"{name}: dilation must be either a single int, or a tuple of {count}")
    if len(shape) not in (rank + 1, rank + 2):
        raise RuntimeError(f"non-empty {rank + 1}D or {rank + 2}D (batch mode) tensor expected for input")
    return _max_pool(name, shape, kernel, stride, padding, dilation, ceil_mode)


def _max_pool(
    name: str, shape: Shape, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape, ceil_mode: bool
) -> Pool:
    rank = len(kernel)
    outputs = _outputs(name, shape, kernel, stride, padding, dilation, ceil_mode)
    along = list(map(windows_along, shape[-rank:], kernel, stride, padding, dilation, outputs))
    node = f"MaxPool{rank}DWithIndicesBackward0"
    return Pool(shape[-rank:], outputs, along, node=node, kernel=name, dtypes=_NUMBERS)


@lru_cache(maxsize=256)
def max_pool1d(shape: Shape, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool) -> Pool:
    """The windows of max_pool1d, without indices and where nothing is recorded."""
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise RuntimeError(
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:"
            f"{sizes(shape)}"
        )
    values = []
    for option, value, alternatives in (
        ("kernel_size", kernel, "an int, list of ints or tuple of ints"),
        ("stride", kernel if stride == () else stride, "None, an int, list of ints, or tuple of ints"),
        ("padding", padding, "an int, list of ints, or tuple of ints"),
        ("dilation", dilation, "an int, list of ints or tuple of ints"),
    ):
        given = (value,) if isinstance(value, int) else tuple(value)
        if len(given) != 1:
            raise RuntimeError(f"max_pool1d() {option} must be {alternatives} of size 1 but got size {len(given)}")
        values.append(given[0])
    k, s, p, d = values
    for option, value in (("kernel_size", k), ("stride", s)):
        if value <= 0:
            raise RuntimeError(f"max_pool1d() {option} must be greater than zero, but got {value}")
    if p < 0:
        raise RuntimeError(f"max_pool1d() padding must be non-negative, but got {p}")
    if p > k // 2:
        raise RuntimeError(
            f"max_pool1d() padding should be at most half of kernel size, but got padding={p} and kernel_size={k}"
        )
    if d <= 0:
        raise RuntimeError(f"max_pool1d() dilation must be greater than zero, but got {d}")
    outputs = output_size(shape[-1], k, s, p, d, ceil_mode)
    if outputs <= 0:
        raise RuntimeError(f"max_pool1d() Invalid computed output size: {outputs}")
    along = [windows_along(shape[-1], k, s, p, d, outputs)]
    kind = {"node": "SqueezeBackward1", "kernel": "max_pool1d_impl", "dtypes": _FLOATS}
    return Pool(shape[-1:], (outputs,), along, keeps_format=False, **kind)


@lru_cache(maxsize=256)
def max_pool1d_with_indices(
    shape: Shape, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, ceil_mode: bool
) -> Pool:
    """The windows of max_pool1d with indices, over the lines as images."""
    _check_line("max_pool1d", shape)
    k = _single("max_pool1d", "kernel_size", kernel)
    s = k if stride == () else _single("max_pool1d", "stride", stride)
    p, d = _single("max_pool1d", "padding", padding), _single("max_pool1d", "dilation", dilation)
    return _max_pool("max_pool2d", as_image(shape), (1, k), (1, s), (0, p), (1, d), ceil_mode)


def _check_line(name: str, shape: Shape) -> None:
    if len(shape) not in (2, 3):
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {len(shape)}-dimensional tensor for argument #1 'self' (while "
            f"checking arguments for {name})"
        )


def as_image(shape: Shape) -> Shape:
    return (*shape[:-1], 1, shape[-1])


# -- means ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def avg_pool(
    rank: int,
    shape: Shape,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Pool:
    """The windows of avg_pool2d or avg_pool3d; a stride of () is the kernel."""
    name, count = f"avg_pool{rank}d", _COUNTS[rank]
    either = "either be" if rank == 2 else "be"
    kernel = _several(kernel, rank, f"{name}: kernel_size must {either} a single int, or a tuple of {count}")
    omitted = f"{name}: stride must {either} omitted, a single int, or a tuple of {count}"
    stride = kernel if stride == () else _several(stride, rank, omitted)
    padding = _several(padding, rank, f"{name}: padding must {either} a single int, or a tuple of {count}")
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    if rank == 2 and len(shape) < 3:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-len(shape)}, {len(shape) - 1}], but got -3)"
        )
    if rank == 3 and len(shape) not in (4, 5):
        raise RuntimeError("non-empty 4D or 5D (batch mode) tensor expected for input")
    return _avg_pool(name, shape, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override)


@lru_cache(maxsize=256)
def avg_pool1d(
    shape: Shape, kernel: Ints, stride: Ints, padding: Ints, ceil_mode: bool, count_include_pad: bool
) -> Pool:
    """The windows of avg_pool1d, over the lines as images."""
    _check_line("avg_pool1d", shape)
    k = _single("avg_pool1d", "kernel_size", kernel)
    s = k if stride == () else _single("avg_pool1d", "stride", stride)
    p = _single("avg_pool1d", "padding", padding)
    options = (1, k), (1, s), (0, p), ceil_mode, count_include_pad, None
    return _avg_pool("avg_pool2d", as_image(shape), *options)


def _avg_pool(
    name: str,
    shape: Shape,
    kernel: Shape,
    stride: Shape,
    padding: Shape,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Pool:
    rank = len(kernel)
    size, dilation = shape[-rank:], (1,) * rank
    outputs = _outputs(name, shape, kernel, stride, padding, dilation, ceil_mode)
    along = list(map(windows_along, size, kernel, stride, padding, dilation, outputs))
    counts = map(_counts, size, kernel, stride, padding, outputs, [count_include_pad] * rank)
    divisor = _product(counts) if divisor_override is None else divisor_override
    label, dtypes = (name, "efdlq") if rank == 2 else ("avg_pool3d_out_frame", "fdlq")
    node = f"AvgPool{rank}DBackward0"
    keeps_format = rank == 2
    return Pool(
        size, outputs, along, node=node, kernel=label, dtypes=dtypes, divisor=divisor, keeps_format=keeps_format
    )


def _counts(size: int, kernel: int, stride: int, padding: int, outputs: int, include_pad: bool) -> Any:
    """How many elements each window has along a dimension, padding (but nothing beyond it) included or not."""
    starts = stride * np.arange(outputs) - padding
    ends = np.minimum(starts + kernel, size + padding)
    return ends - starts if include_pad else np.minimum(ends, size) - np.maximum(starts, 0)


def _product(counts: Any) -> Any:
    """The sizes of windows from those along each dimension: one number where all are equal."""
    product: Any = math.prod(np.ix_(*counts))
    smallest = int(product.min())
    return smallest if smallest == product.max() else product


# -- adaptive -------------------------------------------------------------------------------------------------------


def _sharing(shape: Shape, outputs: Shape, **kind: Any) -> Pool:
    """Windows that share out the last dimensions among `outputs`."""
    size = shape[len(shape) - len(outputs) :]
    along = list(map(adaptive_windows_along, size, outputs))
    return Pool(size, outputs, along, keeps_format=len(outputs) == 2, **kind)


@lru_cache(maxsize=256)
def adaptive_avg_pool(rank: int, shape: Shape, outputs: Shape) -> Pool:
    """The windows of adaptive_avg_pool2d or adaptive_avg_pool3d."""
    name = f"adaptive_avg_pool{rank}d"
    if len(outputs) != rank:
        raise RuntimeError(f"{name}: output_size must be {rank}")
    if min(outputs) < 0:
        listed = f"{outputs[0]}, " + ",".join(map(str, outputs[1:]))
        raise RuntimeError(
            f"{name}: elements of output_size must be greater than or equal to 0 but received {{{listed}}}"
        )
    if len(shape) not in (rank + 1, rank + 2):
        raise RuntimeError(f"{name}(): Expected {rank + 1}D or {rank + 2}D tensor, but got {sizes(shape)}")
    _check_not_empty(name, shape, 1 if rank == 3 else len(shape) - 2)
    counts = [_adaptive_counts(n, count) for n, count in zip(shape[-rank:], outputs, strict=True)]
    divisor = 1 if 0 in outputs else _product(counts)
    label = name if rank == 2 else f"{name}_cpu"
    node = f"AdaptiveAvgPool{rank}DBackward0"
    return _sharing(shape, outputs, node=node, kernel=label, dtypes=_FLOATS, divisor=divisor)


def _adaptive_counts(size: int, outputs: int) -> Any:
    numbers = np.arange(outputs)
    return -(-(numbers + 1) * size // max(outputs, 1)) - numbers * size // max(outputs, 1)


@lru_cache(maxsize=256)
def adaptive_max_pool(rank: int, shape: Shape, outputs: Shape) -> Pool:
    """The windows of adaptive_max_pool2d or adaptive_max_pool3d."""
    name = f"adaptive_max_pool{rank}d"
    if len(shape) not in (rank + 1, rank + 2):
        raise RuntimeError(f"{name}(): Expected {rank + 1}D or {rank + 2}D tensor, but got: {sizes(shape)}")
    _check_not_empty(name, shape, 1)
    if len(outputs) != rank:
        raise RuntimeError(f"{name}(): internal error: output_size.size() must be {rank}")
    if min(outputs) < 0:
        raise RuntimeError(
            f"Trying to create tensor with negative dimension {min(outputs)}: {sizes((*shape[:-rank], *outputs))}"
        )
    label = name if rank == 2 else f"{name}_cpu"
    return _sharing(shape, outputs, node=f"AdaptiveMaxPool{rank}DBackward0", kernel=label, dtypes=_FLOATS)


@lru_cache(maxsize=256)
def adaptive_pool1d(name: str, shape: Shape, outputs: Ints) -> Pool:
    """The windows of adaptive_avg_pool1d or adaptive_max_pool1d, by name, over the lines as images."""
    _check_line(name, shape)
    count = _single(name, "output_size", outputs)
    if name == "adaptive_avg_pool1d":
        return adaptive_avg_pool(2, as_image(shape), (1, count))
    _check_not_empty(name, shape, 1)
    return adaptive_max_pool(2, as_image(shape), (1, count))


def _check_not_empty(name: str, shape: Shape, first: int) -> None:
    """RuntimeError where a dimension from `first` on has no elements."""
    for dim in range(first, len(shape)):
        if shape[dim] == 0:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
                f"{sizes(shape)} with dimension {dim} being empty"
            )


# -- checks ---------------------------------------------------------------------------------------------------------


def _outputs(
    name: str, shape: Shape, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape, ceil_mode: bool
) -> Shape:
    """How many windows there are along each dimension, after the checks of torch's pooling in 2 or 3 dimensions."""
    rank = len(kernel)
    for k, s, p, d in zip(kernel, stride, padding, dilation, strict=True):
        _check_padding(k, s, p, d)
    outputs = tuple(
        output_size(*each, ceil_mode) for each in zip(shape[-rank:], kernel, stride, padding, dilation, strict=True)
    )
    axes = "THW"[-rank:]
    _check_positive("kernel size", kernel, [f"k{axis}" for axis in axes])
    _check_positive("stride", stride, [f"d{axis}" for axis in axes])
    _check_positive("dilation", dilation, [f"dilation{axis}" for axis in axes])
    _check_lengths(name, rank, shape)
    if name == "avg_pool3d" and any(n < k for n, k in zip(shape[-rank:], kernel, strict=True)):
        image = " ".join(f"{axis}: {n}" for axis, n in zip(axes, shape[-rank:], strict=True))
        window = " ".join(f"k{axis}: {k}" for axis, k in zip(axes, kernel, strict=True))
        raise RuntimeError(f"input image ({image}) smaller than kernel size ({window})")
    if any(p > k // 2 for k, p in zip(kernel, padding, strict=True)):
        raise RuntimeError(
            f"pad should be smaller than or equal to half of kernel size, but got {_halves(kernel, padding)}"
        )
    if min(outputs) < 1:
        given, result = ("x".join(map(str, (shape[-rank - 1], *each))) for each in (shape[-rank:], outputs))
        raise RuntimeError(f"Given input size: ({given}). Calculated output size: ({result}). Output size is too small")
    return outputs


def _check_padding(kernel: int, stride: int, padding: int, dilation: int) -> None:
    if stride == 0:
        raise RuntimeError("stride should not be zero")
    if padding < 0:
        raise RuntimeError(f"pad must be non-negative, but got pad: {padding}")
    if padding > int(((kernel - 1) * dilation + 1) / 2):
        raise RuntimeError(
            f"pad should be at most half of effective kernel size, but got pad={padding}, kernel_size={kernel} and "
            f"dilation={dilation}"
        )


def _check_positive(what: str, values: Shape, names: list[str]) -> None:
    if min(values) <= 0:
        described = " ".join(f"{name}: {value}" for name, value in zip(names, values, strict=True))
        raise RuntimeError(f"{what} should be greater than zero, but got {described}")


def _check_lengths(name: str, rank: int, shape: Shape) -> None:
    """RuntimeError for an unsuitable number of dimensions, or an empty one other than the batch."""
    if rank == 2:
        if len(shape) not in (3, 4) or 0 in shape[-3:]:
            raise RuntimeError(
                "Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:"
                f"{sizes(shape)}"
            )
    elif 0 in shape[-4:]:
        function = "max_pool3d_with_indices_out_cpu_template" if name == "max_pool3d" else name
        raise RuntimeError(
            f"{function}(): Expected input's non-batch dimensions to have positive length, but input has a shape of "
            f"{sizes(shape)} and non-batch dimension 0 has length zero!"
        )


def _halves(kernel: Shape, padding: Shape) -> str:
    if len(kernel) == 2:
        return f"padW = {padding[1]}, padH = {padding[0]}, kW = {kernel[1]}, kH = {kernel[0]}"
    kernels = f"kT: {kernel[0]} kW: {kernel[2]} kH: {kernel[1]}"
    return f"{kernels} padT: {padding[0]} padW: {padding[2]} padH: {padding[1]}"
