"""Convolutions and transposed convolutions in one, two and three dimensions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from minitorch_like import Tensor
from minitorch_like._once import warn_of_call
from minitorch_like.ops import TABLE
from minitorch_like.ops._checks import sizes
from minitorch_like.ops._signature import Reader

Ints = tuple[int, ...]

_INT = frozenset({int})
_convolution, _pad = TABLE["convolution"], TABLE["constant_pad_nd"]  # bound when first called
_CONV = "(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=1, {}, int[1] dilation=1, int groups=1)"
_CONV_TRANSPOSE = (
    "(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=1, int[1] padding=0, int[1] output_padding=0, "
    "int groups=1, int[1] dilation=1)"
)
_OPTIONS = {"bias": None, "stride": 1, "padding": 0, "output_padding": 0, "dilation": 1, "groups": 1}


def _are_ints(value: Any) -> bool:
    return value.__class__ is tuple and _INT.issuperset(map(type, value))


def _are_plain(input: Any, weight: Any, bias: Any, groups: Any, *options: Any) -> bool:
    """Whether the arguments are just as the kernel takes them, as those of the modules are."""
    return (
        hasattr(input, "_node")
        and hasattr(weight, "_node")
        and (bias is None or hasattr(bias, "_node"))
        and groups.__class__ is int
        and all(map(_are_ints, options))
    )


def _read(reader: Reader, names: tuple[str, ...], rank: int, args: Any, kwargs: Any) -> tuple[Any, ...]:
    """The arguments in the order of `names`, options of several ints as tuples.  Raises torch's TypeError."""
    values = _OPTIONS | reader.read(args, kwargs)[1]
    for name in ("stride", "padding", "output_padding", "dilation"):
        given = values[name]
        if not isinstance(given, str):
            values[name] = tuple(map(int, given)) if isinstance(given, (tuple, list)) else (int(given),) * rank
    values["groups"] = int(values["groups"])
    return tuple(values[name] for name in names)


def _batched(name: str, rank: int, function: Callable[..., Tensor], args: tuple[Any, ...]) -> Tensor:
    """The convolution of a single image, as a batch of one."""
    input = args[0]
    if input.dim() != rank + 1:
        raise RuntimeError(
            f"Expected {rank + 1}D (unbatched) or {rank + 2}D (batched) input to {name}, but got input of size: "
            f"{sizes(input.shape)}"
        )
    result: Tensor = function(input.unsqueeze(0), *args[1:]).squeeze(0)
    return result


def _are_of_dtype(dtype: Any, weight: Tensor, bias: Tensor | None) -> bool:
    return weight._data.dtype is dtype and (bias is None or bias._data.dtype is dtype)


def _of_complex(function: Callable[..., Tensor], args: tuple[Any, ...]) -> Tensor:
    from ._complex_convolution import complex_convolution

    return complex_convolution(lambda *operands: function(*operands, *args[3:]), *args[:3])


def _conv(rank: int) -> Callable[..., Tensor]:
    name = f"conv{rank}d"
    reader = Reader(name, (_CONV.format("int[1] padding=0"), _CONV.format('str padding="valid"')))
    names = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
    none = (0,)

    def conv(*args: Any, **kwargs: Any) -> Tensor:
        if kwargs or len(args) != 7:
            args = _read(reader, names, rank, args, kwargs)
        input, weight, bias, stride, padding, dilation, groups = args
        amounts = none if padding.__class__ is str else padding
        if not _are_plain(input, weight, bias, groups, stride, amounts, dilation):
            args = _read(reader, names, rank, args, kwargs)
            input, weight, bias, stride, padding, dilation, groups = args
        x = input._data
        if x.ndim != rank + 2:
            return _batched(name, rank, conv, args)
        if x.dtype.kind == "c" and _are_of_dtype(x.dtype, weight, bias):
            return _of_complex(conv, args)
        if padding.__class__ is str:
            input, padding = _resolved_padding(input, weight, stride, padding, dilation)
        result: Tensor = _convolution.apply(input, weight, bias, stride, padding, dilation, False, none, groups)
        return result

    conv.__name__ = conv.__qualname__ = name
    conv.__doc__ = f"""Correlate (N, C, *size) or (C, *size) with weight (O, C/groups, *kernel), over {rank} dimensions.

    `padding` is an int or one for each dimension, or "valid" (none), or "same" (as much as keeps the size).
    """
    return conv


def _conv_transpose(rank: int) -> Callable[..., Tensor]:
    name = f"conv_transpose{rank}d"
    reader = Reader(name, (_CONV_TRANSPOSE,))
    names = ("input", "weight", "bias", "stride", "padding", "output_padding", "groups", "dilation")

    def conv_transpose(*args: Any, **kwargs: Any) -> Tensor:
        if kwargs or len(args) != 8:
            args = _read(reader, names, rank, args, kwargs)
        input, weight, bias, stride, padding, output_padding, groups, dilation = args
        if not _are_plain(input, weight, bias, groups, stride, padding, output_padding, dilation):
            args = _read(reader, names, rank, args, kwargs)
            input, weight, bias, stride, padding, output_padding, groups, dilation = args
        x = input._data
        if x.ndim != rank + 2:
            return _batched(name, rank, conv_transpose, args)
        if x.dtype.kind == "c" and _are_of_dtype(x.dtype, weight, bias):
            return _of_complex(conv_transpose, args)
        result: Tensor = _convolution.apply(
            input, weight, bias, stride, padding, dilation, True, output_padding, groups
        )
        return result

    conv_transpose.__name__ = conv_transpose.__qualname__ = name
    conv_transpose.__doc__ = f"""The gradient of conv{rank}d by its input: (N, C, *size), weight (C, O/groups, *kernel).

    Several sizes of conv{rank}d's input give one size of its output; `output_padding` is added to the least of them.
    """
    return conv_transpose


def _resolved_padding(input: Tensor, weight: Tensor, stride: Ints, padding: str, dilation: Ints) -> tuple[Tensor, Ints]:
    """The padding that a word stands for, and the input, padded where both its ends need different amounts."""
    if padding == "valid":
        return input, (0,)
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    rank = _check_same(input, weight, stride, dilation)
    dilation = dilation * rank if len(dilation) == 1 else dilation
    total = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
    if any(each % 2 for each in total):
        _warn_of_copy()
        input = _pad.apply(input, tuple(end for each in reversed(total) for end in (0, each % 2)), 0)
    return input, tuple(each // 2 for each in total)


def _check_same(input: Tensor, weight: Tensor, stride: Ints, dilation: Ints) -> int:
    """torch's checks of padding="same"; returns the number of spatial dimensions."""
    ndim = weight.dim()
    if ndim < 3:
        raise RuntimeError("weight should have at least three dimensions")
    if input.dim() != ndim:
        raise RuntimeError(
            f"Expected {ndim}-dimensional input for {ndim}-dimensional weight{sizes(weight.shape)}, but got "
            f"{input.dim()}-dimensional input of size {sizes(input.shape)} instead"
        )
    for name, values in (("stride", stride), ("dilation", dilation)):
        if len(values) not in (1, ndim - 2):
            raise RuntimeError(f"{name} cannot broadcast to {ndim - 2} dimensions")
    if any(each != 1 for each in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    return ndim - 2


@functools.cache
def _warn_of_copy() -> None:
    """Once, as in torch."""
    warn_of_call(
        "Using padding='same' with even kernel lengths and odd dilation may require a zero-padded copy of the input be "
        "created",
    )


conv1d, conv2d, conv3d = map(_conv, (1, 2, 3))
conv_transpose1d, conv_transpose2d, conv_transpose3d = map(_conv_transpose, (1, 2, 3))
