"""The normalisation layers: layer, RMS, group and batch norm.

They differ in the group of elements that is standardised, and in which parameter belongs to an element; what they share is
in `_standardise`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._layout import channels_last as _channels_last
from .._layout import channels_last_3d as _channels_last_3d
from .._layout import is_in_format
from ._checks import check_no_integer, laid_out, sizes, wrap_dim
from ._formats import channels_last, is_channels_last
from ._precision import single
from ._standardise import (
    Shape,
    check_mixed_dtypes,
    column_sums,
    folded,
    reciprocal_root,
    recorded_gradients,
    row_dots,
    row_sums,
    shaped,
    shaped_like,
    standardised,
    through_statistics,
    vector_of_ones,
)
from ._table import Array, op

# -- over the last dimensions ------------------------------------------------------------------------------------------


def check_normalized_shape(
    input: Array, normalized_shape: Sequence[int], weight: Array | None, bias: Array | None = None, prefix: str = ", "
) -> None:
    """RuntimeError where the input does not end in this shape, or a parameter has another."""
    wanted = tuple(normalized_shape)
    if not wanted:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    for name, each in (("weight", weight), ("bias", bias)):
        if each is not None and each.shape != wanted:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {sizes(each.shape)} and "
                f"normalized_shape = {sizes(wanted)}"
            )
    if input.shape[-len(wanted) :] != wanted:
        raise RuntimeError(
            f"Given normalized_shape={sizes(wanted)}, expected input with shape [*{prefix}{sizes(wanted)[1:]}, but got "
            f"input of size{sizes(input.shape)}"
        )


def _all_fits(input: Array, normalized_shape: Shape, weight: Array | None, bias: Array | None) -> bool:
    """Whether a look that costs little finds nothing to check more closely."""
    dtype, dims = input.dtype, len(normalized_shape)
    return bool(
        dtype.kind == "f"
        and dims
        and input.shape[-dims:] == normalized_shape
        and (weight is None or (weight.dtype is dtype and weight.shape == normalized_shape))
        and (bias is None or (bias.dtype is dtype and bias.shape == normalized_shape))
    )


def _matrix_shape(shape: Shape, normalized_shape: Shape) -> Shape:
    """One row for each group."""
    return math.prod(shape[: len(shape) - len(normalized_shape)]), math.prod(normalized_shape)


def _as_matrix(x: Array, normalized_shape: Shape) -> Array:
    is_matrix = x.ndim == 2 and len(normalized_shape) == 1
    return folded(x, x.shape if is_matrix else _matrix_shape(x.shape, normalized_shape))


def _as_row(parameter: Any) -> Any:
    """A parameter, if there is one, as a vector of single precision at least."""
    if parameter is None or (parameter.ndim == 1 and parameter.itemsize > 2):
        return parameter
    return single(parameter).reshape(-1)


def _scaled(x: Array, rstd: Array, weight: Array | None) -> Array:
    """x * r * weight: (n, d), (n,) and (d,) -> (n, d)."""
    if weight is None:
        return x * rstd[:, None]
    scale = np.dot(rstd[:, None], weight[None])
    return np.multiply(x, scale, scale)


def _layer_norm_gradients(
    g: Any,
    input: Any,
    weight: Any,
    bias_shape: Any,
    normalized_shape: Shape,
    eps: float,
    centred: Any,
    rstd: Any,
    needs: tuple[bool, ...],
) -> list[Any]:
    if rstd is None:
        matrix, nodes = _matrix_shape(input.shape, normalized_shape), ("NativeLayerNormBackwardBackward0",) * 3
        fold = matrix, matrix[1:]
        return recorded_gradients(g, input, weight, bias_shape, fold, (1,), (0,), eps, needs, nodes, together=True)
    g = _as_matrix(g, normalized_shape)
    gradients: list[Any] = [None, None, None]
    if needs[2]:
        gradients[2] = shaped(column_sums(g), bias_shape, g.dtype)
    if needs[0] or needs[1]:
        products = g * centred
    if needs[1]:
        gradients[1] = shaped(np.dot(rstd, products), weight.shape, g.dtype)
    if needs[0]:
        row = _as_row(weight)
        along = vector_of_ones(centred.shape[1], g.dtype) if row is None else row
        total, cross = np.dot(g, along), np.dot(products, along)
        own = through_statistics(_scaled(g, rstd, row), centred, rstd, total, cross, products)
        gradients[0] = shaped(own, input.shape, g.dtype)
    return gradients


@op(
    "(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, "
    "bool cudnn_enable=True)",
    arity=3,
    keeps=("centred", "rstd"),
    saves=("bias",),
    joint=_layer_norm_gradients,
    node="NativeLayerNormBackward0",
    namespace="nn",
)
def layer_norm(
    input: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    normalized_shape: Shape = (),
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> tuple[Array, Array, Array]:
    """Standardised over the last dimensions, which weight and bias have too (Ba et al. 2016)."""
    if not _all_fits(input, normalized_shape, weight, bias):
        check_mixed_dtypes(input, weight, bias)
        check_normalized_shape(input, normalized_shape, weight, bias)
        check_no_integer("LayerNormKernelImpl", input)
    centred, rstd = standardised(_as_matrix(input, normalized_shape), eps)
    result = _scaled(centred, rstd, _as_row(weight))
    if bias is not None:
        np.add(result, _as_row(bias), result)
    return shaped(result, input.shape, input.dtype), centred, rstd


def _is_in_order(x: Array) -> bool:
    """Whether elementwise results have their dimensions in memory in the order of a format: torch's last step brings them
    there."""
    if is_channels_last(x):
        return True
    strides = [stride for stride, size in zip(x.strides, x.shape, strict=True) if stride and size > 1]
    return strides == sorted(strides, reverse=True)


def _rms_norm_gradients(
    g: Any, input: Any, weight: Any, normalized_shape: Shape, eps: float, rstd: Any, needs: tuple[bool, ...]
) -> list[Any]:
    if rstd is None:
        matrix = _matrix_shape(input.shape, normalized_shape)
        summed = len(input.shape) > len(normalized_shape)
        fold, nodes = (matrix, matrix[1:]), ("AddBackward0", "ViewBackward0" if summed else "MulBackward0", "")
        return recorded_gradients(g, input, weight, None, fold, (1,), (0,), eps, needs, nodes, centre=False)[:2]
    given = g
    g, x = _as_matrix(g, normalized_shape), _as_matrix(input, normalized_shape)
    gradients: list[Any] = [None, None]
    products = g * x
    if needs[1]:
        gradients[1] = shaped(np.dot(rstd, products), weight.shape, g.dtype)
    if needs[0]:
        row = _as_row(weight)
        cross = np.dot(products, vector_of_ones(x.shape[1], x.dtype) if row is None else row)
        np.multiply(cross, rstd * rstd * (rstd / (x.shape[1] or 1)), cross)
        own = _scaled(g, rstd, row)
        np.subtract(own, np.multiply(x, cross[:, None], products), own)
        gradients[0] = laid_out(shaped(own, input.shape, g.dtype), given, input)
    return gradients


@op(
    "(Tensor input, Tensor? weight, int[] normalized_shape, float eps)",
    arity=2,
    keeps=("rstd",),
    joint=_rms_norm_gradients,
    node=lambda input, *rest: "MulBackward0" if _is_in_order(input._data) else "CloneBackward0",
    namespace="internal",
    format_of=0,
)
def rms_norm(input: Array, weight: Array | None, normalized_shape: Shape, eps: float) -> tuple[Array, Array]:
    """Divided by the root of the mean square over the last dimensions (Zhang & Sennrich 2019)."""
    x = _as_matrix(input, normalized_shape)
    rstd = reciprocal_root(row_dots(x, x), x.shape[1], eps)
    result = _scaled(x, rstd, _as_row(weight))
    return shaped(result, input.shape, input.dtype), rstd


# -- over channels -----------------------------------------------------------------------------------------------------


def _by_channels(shape: Sequence[int]) -> tuple[int, int, int]:
    """(n, c, *) as (n, c, s)."""
    return shape[0], shape[1], math.prod(shape[2:])


def _check_groups(input: Array, num_groups: int, weight: Array | None, bias: Array | None) -> None:
    if input.ndim < 2:
        if not input.ndim:
            raise IndexError("Dimension specified as 0 but tensor has no dimensions")
        wrap_dim(1, 1)
    if num_groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    if input.shape[1] % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{sizes(input.shape)} and num_groups={num_groups}"
        )
    for name, each in (("weight", weight), ("bias", bias)):
        if each is not None and each.shape != input.shape[1:2]:
            shown = (0,) if weight is None else weight.shape  # the weight's for the bias too, in torch
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of shape "
                f"{sizes(shown)} and input of shape {sizes(input.shape)}"
            )


def _channel_scale(rstd: Array, weight: Array | None, shape: Shape) -> Array:
    """r * weight of every channel of every sample: (n * groups,), (c,) -> (n, c), `shape` being (n, groups, c / groups)."""
    n, groups, width = shape
    factors = vector_of_ones(groups * width, rstd.dtype) if weight is None else single(weight)
    return (rstd.reshape(n, groups, 1) * factors.reshape(groups, width)).reshape(n, groups * width)


def _group_norm_gradients(
    g: Any,
    input: Any,
    weight: Any,
    bias_shape: Any,
    num_groups: int,
    eps: float,
    centred: Any,
    rstd: Any,
    needs: tuple[bool, ...],
) -> list[Any]:
    n, c, s = _by_channels(input.shape)
    width = c // num_groups
    if rstd is None:
        fold, nodes = ((n, num_groups, width, s), (num_groups, width, 1)), ("ViewBackward0",) * 3
        return recorded_gradients(g, input, weight, bias_shape, fold, (2, 3), (0, 3), eps, needs, nodes)
    g = folded(g, (n * c, s))
    gradients: list[Any] = [None, None, None]
    totals = row_sums(g).reshape(n, c)
    if needs[2]:
        gradients[2] = column_sums(totals)
    if needs[0] or needs[1]:
        crosses = row_dots(g, centred.reshape(n * c, s)).reshape(n, c)
    if needs[1]:
        gradients[1] = column_sums(crosses * _channel_scale(rstd, None, (n, num_groups, width)))
    if needs[0]:
        by_group, of_group = (n * num_groups, width * s), (n * num_groups, width)
        if weight is None:
            scaled = g.reshape(by_group) * rstd[:, None]
        else:
            scale = _channel_scale(rstd, weight, (n, num_groups, width)).reshape(n * c, 1)
            scaled = (g * scale).reshape(by_group)
            totals, crosses = totals * single(weight), crosses * single(weight)
        total, cross = row_sums(totals.reshape(of_group)), row_sums(crosses.reshape(of_group))
        own = through_statistics(scaled, centred, rstd, total, cross)
        gradients[0] = shaped_like(own, input, g.dtype)
    return gradients


@op(
    "(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enabled=True)",
    arity=3,
    keeps=("centred", "rstd"),
    joint=_group_norm_gradients,
    node="NativeGroupNormBackward0",
    namespace="nn",
)
def group_norm(
    input: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    num_groups: int = 1,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> tuple[Array, Array, Array]:
    """Standardised over groups of neighbouring channels of each sample; weight and bias by channel (Wu & He 2018)."""
    _check_groups(input, num_groups, weight, bias)
    check_mixed_dtypes(input, weight, bias)
    check_no_integer("GroupNormKernelImpl", input)
    n, c, s = _by_channels(input.shape)
    centred, rstd = standardised(folded(input, (n * num_groups, c // num_groups * s)), eps)
    if weight is None:
        result = (centred * rstd[:, None]).reshape(n, c, s)
    else:
        result = centred.reshape(n, c, s) * _channel_scale(rstd, weight, (n, num_groups, c // num_groups))[:, :, None]
    if bias is not None:
        np.add(result, bias.reshape(c, 1), result)
    return shaped_like(result, input), centred, rstd


# -- over samples ------------------------------------------------------------------------------------------------------


def _channel_sums(x: Array, c: int) -> Array:
    """The sums over samples and space: (n, c * s) -> (c,)."""
    columns = x.shape[1]
    by_column = x.reshape(columns) if x.shape[0] == 1 else column_sums(x)
    return by_column if columns == c else row_sums(by_column.reshape(c, columns // (c or 1)))


def _channel_statistics(x: Array, c: int) -> tuple[Array, Array, Array, Array]:
    """The channels less their means, these means, the sums of squares, and an array of x's size to be overwritten."""
    n, columns = x.shape
    s = columns // (c or 1)
    means = _channel_sums(x, c)
    means = means / (n * s or 1)
    centred = x - _over_space(means, s)
    squares = centred * centred
    sums = _channel_sums(squares, c)
    return centred, means, sums if sums.base is None else sums.copy(), squares


def _over_space(x: Array, s: int) -> Array:
    """A vector of the channels as one of the columns: (c,) -> (c * s,)."""
    return x if s == 1 else np.repeat(x, s)


def _as_lies(result: Array, input: Array) -> Array:
    """`shaped_like`; channels last also if the input lies so but for its strides along single elements."""
    result = shaped_like(result, input)
    if input.flags.c_contiguous or input.ndim not in (4, 5) or 1 not in input.shape:
        return result
    wanted = _channels_last if input.ndim == 4 else _channels_last_3d
    return channels_last(result) if is_in_format(input, wanted) else result


def _batch_norm_gradients(
    g: Any,
    input: Any,
    weight: Any,
    bias_shape: Any,
    running_mean: Any,
    running_var: Any,
    training: bool,
    eps: float,
    centred: Any,
    rstd: Any,
    needs: tuple[bool, ...],
) -> list[Any]:
    n, c, s = _by_channels(input.shape)
    if rstd is None:
        fold, nodes = ((n, c, s), (c, 1)), ("NativeBatchNormBackwardBackward0",) * 3
        statistics = None if training else (running_mean, running_var)
        return [
            *recorded_gradients(
                g,
                input,
                weight,
                bias_shape,
                fold,
                (0, 2),
                (0, 2),
                eps,
                needs,
                nodes,
                together=True,
                statistics=statistics,
            ),
            None,
            None,
        ]
    g = folded(g, (n, c * s))
    gradients: list[Any] = [None] * 5
    if needs[2] or training:
        total = _channel_sums(g, c)
    if needs[2]:
        gradients[2] = total.reshape(bias_shape)
    if needs[1] or training:
        if not training:
            centred = folded(input, (n, c * s)) - _over_space(single(running_mean), s)
        products = g * centred
        cross = _channel_sums(products, c)
    if needs[1]:
        gradients[1] = (cross * rstd).reshape(weight.shape)
    if needs[0]:
        scale = rstd if weight is None else rstd * single(weight).reshape(c)
        own = g * _over_space(scale, s)
        if training:
            share = scale / (n * s or 1)
            np.multiply(centred, _over_space(cross * rstd * rstd * share, s), products)
            np.add(products, _over_space(total * share, s), products)
            np.subtract(own, products, own)
        gradients[0] = shaped_like(own, input, g.dtype)
    return gradients


def _check_batch_norm(
    input: Array,
    weight: Array | None,
    bias: Array | None,
    running_mean: Array | None,
    running_var: Array | None,
    training: bool,
) -> None:
    features = input.shape[1] if input.ndim > 1 else 0
    for name, each in (("running_mean", running_mean), ("running_var", running_var)):
        if each is None and not training:
            raise RuntimeError(f"{name} must be defined in evaluation mode")
        if each is not None and each.size != features:
            raise RuntimeError(f"{name} should contain {features} elements not {each.size}")
    for name, each in (("weight", weight), ("bias", bias)):
        if each is not None and each.size != features:
            raise RuntimeError(f"{name} should contain {features} elements not {each.size}")
    if training and (running_mean is None) is not (running_var is None):
        raise ValueError("running_mean and running_var must either both be None or neither be None")
    check_no_integer("batch_norm", input)
    check_mixed_dtypes(input, weight, bias, running_mean, running_var)
    for each in (running_mean, running_var):
        if each is not None and each.ndim != 1:
            raise RuntimeError(f"TensorAccessor expected 1 dims but tensor has {each.ndim}")


def _move_towards(running: Array, value: Array, momentum: Any) -> None:
    """running = (1 - momentum) * running + momentum * value, rounded once."""
    wide = running.astype(np.float64)
    np.multiply(wide, 1 - momentum, wide)
    np.add(wide, np.multiply(value.astype(np.float64), momentum), wide)
    running[...] = wide


def _evaluated(x: Array, c: int, weight: Any, bias: Any, running_mean: Array, rstd: Array) -> Array:
    """x * scale + shift, the shift being that of the running mean too."""
    s = x.shape[1] // (c or 1)
    scale = rstd if weight is None else rstd * weight.reshape(c)
    shift = running_mean * -scale
    if bias is not None:
        shift = shift + bias.reshape(c)
    result = x * _over_space(scale, s)
    return np.add(result, _over_space(shift, s), result)


@op(
    "(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, "
    "float momentum, float eps, bool cudnn_enabled)",
    arity=5,
    keeps=("centred", "rstd"),
    joint=_batch_norm_gradients,
    node="NativeBatchNormBackward0",
    namespace="nn",
)
def batch_norm(
    input: Array,
    weight: Array | None,
    bias: Array | None,
    running_mean: Array | None,
    running_var: Array | None,
    training: bool,
    momentum: Any,
    eps: float,
    cudnn_enabled: bool = True,
) -> tuple[Array, Array | None, Array]:
    """Standardised over all but the channels, dimension 1 (Ioffe & Szegedy 2015).

    In training by the batch's own mean and variance, towards which the running ones (if given) then move by `momentum`:
    the one kernel that writes to what it was given, as torch's does, without counting as an in-place change.
    Otherwise by the running ones.
    """
    _check_batch_norm(input, weight, bias, running_mean, running_var, training)
    n, c, s = _by_channels(input.shape)
    x = folded(input, (n, c * s))
    if not training:
        assert running_mean is not None
        assert running_var is not None
        rstd = reciprocal_root(running_var.astype(x.dtype), 1, eps)
        return _as_lies(_evaluated(x, c, weight, bias, running_mean, rstd), input), None, rstd
    centred, means, squares, result = _channel_statistics(x, c)
    if running_mean is not None and running_var is not None and x.size:
        _move_towards(running_mean, means, momentum)
        _move_towards(running_var, np.true_divide(squares, n * s - 1), momentum)
    rstd = reciprocal_root(squares, n * s, eps)
    np.multiply(centred, _over_space(rstd if weight is None else rstd * weight.reshape(c), s), result)
    if bias is not None:
        np.add(result, _over_space(bias.reshape(c), s), result)
    return _as_lies(result, input), centred, rstd
