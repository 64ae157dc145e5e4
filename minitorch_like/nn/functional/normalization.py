"""Normalisation: what the layers of that name compute, in the forms of nn.functional and of torch's root."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like._bind import FUNCTIONS
from minitorch_like._capture import mode
from minitorch_like._dtype import promote_types
from minitorch_like._layout import suggested_format
from minitorch_like._once import warn_of_call
from minitorch_like._record import also_saved
from minitorch_like.ops import TABLE
from minitorch_like.ops._checks import check_no_integer
from minitorch_like.ops._signature import Reader
from minitorch_like.ops.normalization import check_normalized_shape

_INT = {int}

# The ops themselves, for calls whose arguments were looked at here.
_LAYER_NORM, _GROUP_NORM = TABLE["layer_norm"], TABLE["group_norm"]
_BATCH_NORM, _RMS_NORM, _NAMED = TABLE["batch_norm"], TABLE["rms_norm"], TABLE["named"]

_RMS_NORM_READER = Reader("rms_norm", ("(Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None)",))
_INSTANCE_NORM = (
    "(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool use_input_stats, "
    "float momentum, float eps, bool cudnn_enabled)"
)
_INSTANCE_NORM_READER = Reader("instance_norm", (_INSTANCE_NORM,))


def _are_tensors(input: Any, *optional: Any) -> bool:
    for each in optional:
        if each is not None and not hasattr(each, "_node"):
            return False
    return hasattr(input, "_node")


def _are_ints(value: Any) -> bool:
    return isinstance(value, tuple) and set(map(type, value)) <= _INT


# -- over the last dimensions ------------------------------------------------------------------------------------------


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) over the last dimensions, scaled and shifted by parameters of `normalized_shape`."""
    if _are_ints(normalized_shape) and eps.__class__ is float and _are_tensors(input, weight, bias):
        return _LAYER_NORM.apply(input, weight, bias, normalized_shape, eps)
    return FUNCTIONS["layer_norm"](input, normalized_shape, weight, bias, eps)


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """x / sqrt(mean(x^2) + eps) over the last dimensions, scaled by a parameter of `normalized_shape`.

    `eps` is by default that of the dtype in which half and single precision are computed, float32, or of float64.
    """
    if not (_are_ints(normalized_shape) and _are_tensors(input, weight)) or (
        eps is not None and type(eps) is not float
    ):
        _, values = _RMS_NORM_READER.read((input, normalized_shape, weight, eps), {})
        normalized_shape = tuple(map(int, normalized_shape))
        eps = None if eps is None else float(values["eps"])
    if input.dim() < len(normalized_shape):
        raise ValueError(f"Input tensor must have at least {len(normalized_shape)} dimensions, but got {input.dim()}")
    check_normalized_shape(input._data, normalized_shape, None if weight is None else weight._data, prefix="")
    if input.is_complex():
        return _complex_rms_norm(input, normalized_shape, weight, eps)
    check_no_integer("rms_norm", input._data)
    dtype = torch.float64 if input.dtype is torch.float64 else torch.float32
    if eps is None:
        eps = torch.finfo(dtype).eps
    if input.dtype is dtype and (weight is None or weight.dtype is dtype):
        if weight is not None and mode.grad and weight.requires_grad and not input.requires_grad:
            return _RMS_NORM.apply(input, None, normalized_shape, eps) * weight  # which saves nothing of the input
        return _RMS_NORM.apply(input, weight, normalized_shape, eps)
    if weight is not None:
        if weight.dtype is not input.dtype:
            warn_of_call(
                f"Mismatch dtype between input and weight: input dtype = {input.dtype}, weight dtype = {weight.dtype}, "
                "Cannot dispatch to fused implementation.",
            )
        dtype = promote_types(dtype, weight.dtype)
        weight = weight.to(dtype)
    return _RMS_NORM.apply(input.to(dtype), weight, normalized_shape, eps).to(input.dtype)


def _complex_rms_norm(input: Tensor, shape: Sequence[int], weight: Tensor | None, eps: float | None) -> Tensor:
    """As torch composes it: of the squares, not of their magnitudes."""
    if eps is None:
        eps = torch.finfo(input.dtype).eps
    result: Tensor = input * (input.pow(2).mean(tuple(range(-len(shape), 0)), True) + eps).rsqrt()
    return result if weight is None else result * weight


# -- over channels -----------------------------------------------------------------------------------------------------


def _check_more_than_one_value(size: Sequence[int]) -> None:
    """A single value for each channel has no variance."""
    if size[0] * math.prod(size[2:]) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {size}")


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) over groups of channels of (N, C, *), scaled and shifted by channel."""
    if input.dim() < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.dim()}")
    shape = input._data.shape
    _check_more_than_one_value([shape[0] * shape[1] // num_groups, num_groups, *shape[2:]])
    if not input._data.flags.c_contiguous:  # then torch works on, and saves, a copy
        input = input.contiguous(memory_format=suggested_format(input._data))
    if num_groups.__class__ is int and eps.__class__ is float and _are_tensors(input, weight, bias):
        return _GROUP_NORM.apply(input, weight, bias, num_groups, eps)
    return FUNCTIONS["group_norm"](input, num_groups, weight, bias, eps)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) for each channel of (N, C, *), scaled and shifted by channel.

    In training by the statistics of the batch, towards which the running ones then move by `momentum`; otherwise by the
    running ones.
    """
    if training:
        _check_more_than_one_value(input.size())
    if training and eps <= 0.0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if eps < 0.0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    if not _are_known(training, momentum, eps) or not _are_tensors(input, running_mean, running_var, weight, bias):
        return _root_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, True)
    for name, each in (("running_mean", running_mean), ("running_var", running_var)):
        if each is not None and each._node is not None and mode.grad:
            _check_underived(name, each, input, weight, bias)
    return _batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)


def _batch_norm(input: Tensor, weight: Tensor | None, bias: Tensor | None, *rest: Any) -> Tensor:
    """The op, and what torch makes of an input without elements."""
    if input._data.size:
        return _BATCH_NORM.apply(input, weight, bias, *rest)
    result = input.clone()
    if weight is not None:
        result = result * weight.select(0, 0)
    return result if bias is None else result + bias.select(0, 0)


def _are_known(training: Any, momentum: Any, eps: Any) -> bool:
    """Whether these options are what they seldom fail to be; in a compiled step a momentum may be live."""
    known = training.__class__ is bool and eps.__class__ is float
    return known and (momentum.__class__ is float or mode.recorder is not None)


def _check_underived(name: str, statistic: Tensor, *differentiated: Tensor | None) -> None:
    if statistic.requires_grad and any(each is not None and each.requires_grad for each in differentiated):
        raise RuntimeError(
            f"The function 'native_batch_norm' is not differentiable with respect to argument '{name}'. "
            "This input cannot have requires_grad True."
        )


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """`batch_norm` of each sample of (N, C, *) on its own; the running statistics are the means of the samples'."""
    if use_input_stats:
        size = input.size()
        if math.prod(size[2:]) == 1:
            raise ValueError(f"Expected more than 1 spatial element when training, got input size {size}")
    return _instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, True)


def _instance_norm(*args: Any, **kwargs: Any) -> Tensor:
    """torch.instance_norm, the same with another order of arguments.

    The samples' channels are taken for channels of a single sample.
    """
    _, values = _INSTANCE_NORM_READER.read(args, kwargs)
    input, running_mean, running_var = values["input"], values["running_mean"], values["running_var"]
    own_stats = values["use_input_stats"]
    if not own_stats and (running_mean is None or running_var is None):
        raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
    n, c = input.size(0), input.size(1)
    weight, bias, mean, var = (
        None if each is None else each.repeat(n)
        for each in (values["weight"], values["bias"], running_mean, running_var)
    )
    folded = input.contiguous().view((1, n * c, *input.shape[2:]))
    momentum, eps = float(values["momentum"]), float(values["eps"])
    result = _batch_norm(folded, weight, bias, mean, var, own_stats, momentum, eps)
    if own_stats:
        for running, updated in ((running_mean, mean), (running_var, var)):
            if running is not None and updated is not None:
                running.copy_(updated.view(n, c).mean(0))
    return result.view(input.shape)


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """x / (k + alpha * s)^beta, s being the mean square over `size` neighbouring channels (Krizhevsky et al. 2012).

    input: (N, C, *) with at least one further dimension.  Channels beyond the first and the last count as 0.
    """
    dim = input.dim()
    if dim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality                          input (got {dim} dimensions)")
    if input.numel() == 0:
        return input
    if size <= 0:
        kernel = f"kH: {size} kW: 1" if dim == 3 else f"kT: {size} kH: 1 kW: 1"
        raise RuntimeError(f"kernel size should be greater than zero, but got {kernel}")
    squares = input * input
    before, after = size // 2, (size - 1) // 2
    n, c, *space = input.shape
    padding = [squares.new_zeros((n, each, *space)) for each in (before, after)]
    padded = torch.cat([padding[0], squares, padding[1]], 1)
    total = padded.narrow(1, 0, c)
    for shift in range(1, size):
        total = total + padded.narrow(1, shift, c)
    means = total / size if input.is_floating_point() else total // size
    return input / means.mul(alpha).add(k).pow(beta)


# -- torch's root --------------------------------------------------------------------------------------------------------

_NATIVE = "(Tensor input, {} Tensor? weight, Tensor? bias, {} float eps)"
_NATIVE_LAYER_NORM = Reader("native_layer_norm", (_NATIVE.format("int[] normalized_shape,", ""),))
_NATIVE_GROUP_NORM = Reader("native_group_norm", (_NATIVE.format("", "int N, int C, int HxW, int group,"),))
_NATIVE_STATISTICS = "Tensor? running_mean, Tensor? running_var, bool training, float momentum,"
_NATIVE_BATCH_NORM = Reader("native_batch_norm", (_NATIVE.format("", _NATIVE_STATISTICS),))


_BATCH_NORM_READER = _BATCH_NORM.reader(method=False)


def _root_batch_norm(*args: Any, **kwargs: Any) -> Tensor:
    arranged, _ = _BATCH_NORM.read(_BATCH_NORM_READER, args, kwargs)
    return _batch_norm(*arranged)


def _statistics(x: Any, dims: Sequence[int], keepdim: bool, eps: float, like: Tensor | None) -> tuple[Tensor, Tensor]:
    """Mean and 1 / sqrt(var + eps), in the dtype of the parameters."""
    dtype = (x if like is None else like).dtype
    x = x.to(torch.float64)
    mean = x.mean(dims, True)
    var = (x - mean).square().mean(dims, keepdim)
    return (mean if keepdim else mean.squeeze(dims)).to(dtype), (var + eps).rsqrt().to(dtype)


def native_layer_norm(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor, Tensor]:
    """`layer_norm` with the means and the 1 / sqrt(var + eps) that it divided by."""
    _, values = _NATIVE_LAYER_NORM.read(args, kwargs)
    result = FUNCTIONS["layer_norm"](**values)
    dims = tuple(range(-len(values["normalized_shape"]), 0))
    means, factors = _statistics(values["input"].detach(), dims, True, values["eps"], values["weight"])
    return also_saved(result, means, factors), means, factors


def native_group_norm(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor, Tensor]:
    """`group_norm` with the means and the 1 / sqrt(var + eps) that it divided by, (N, group) each; all have gradients."""
    _, values = _NATIVE_GROUP_NORM.read(args, kwargs)
    input, weight, bias, n, c, s, groups, eps = values.values()
    if input.numel() != n * c * s:
        raise RuntimeError(
            "Expected X.numel() == N * C * HxW to be true, but got false.  "
            "(Could this error message be improved?  If so, please report an enhancement request to PyTorch.)"
        )
    fits = input.shape[:2] == (n, c)
    result = FUNCTIONS["group_norm"](input if fits else input.reshape(n, c, s), groups, weight, bias, eps)
    result = result.reshape(input.shape)
    means, factors = _statistics(input.reshape(n, groups, c // groups * s), (2,), False, eps, weight)
    one, two, three = (
        _NAMED.apply(each, weight, bias, "NativeGroupNormBackward0") for each in (result, means, factors)
    )
    for each in (one, two, three):  # which are of one node in torch
        also_saved(each, input, weight)
        also_saved(each, two, number=1)
        also_saved(each, three, number=2)
    return one, two, three


def native_batch_norm(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor, Tensor]:
    """`batch_norm` with the means and the 1 / sqrt(var + eps) of the batch, empty in evaluation."""
    _, values = _NATIVE_BATCH_NORM.read(args, kwargs)
    input, weight = values["input"], values["weight"]
    result = _batch_norm(*values.values())
    if not values["training"]:
        dtype = (input if weight is None else weight).dtype
        means, factors = torch.empty(0, dtype=dtype), torch.empty(0, dtype=dtype)
    else:
        dims = (0, *range(2, input.dim()))
        means, factors = _statistics(input.detach(), dims, False, values["eps"], weight)
    return also_saved(result, means, factors), means, factors


def _root_rms_norm(*args: Any, **kwargs: Any) -> Tensor:
    return rms_norm(**_RMS_NORM_READER.read(args, kwargs)[1])


_root_rms_norm.__name__ = _root_rms_norm.__qualname__ = "rms_norm"
_root_batch_norm.__name__ = _root_batch_norm.__qualname__ = "batch_norm"
_instance_norm.__name__ = _instance_norm.__qualname__ = "instance_norm"
vars(torch).update(
    group_norm=FUNCTIONS["group_norm"],
    layer_norm=FUNCTIONS["layer_norm"],
    batch_norm=_root_batch_norm,
    instance_norm=_instance_norm,
    rms_norm=_root_rms_norm,
    native_layer_norm=native_layer_norm,
    native_group_norm=native_group_norm,
    native_batch_norm=native_batch_norm,
)
