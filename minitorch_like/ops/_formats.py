"""Channels-last results: torch lays the result of an op on images out as the images are.

Kernels write their results row by row.  An op that is declared with `format_of` has its result copied into the other
format where torch would have written it so; an operand that is plainly not channels last costs one comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import numpy as np

from .._layout import strides_of

Array = np.ndarray[Any, np.dtype[Any]]


def is_channels_last(x: Array, least_rank: int = 4) -> bool:
    """Whether torch takes the strides of (N, C, *size) for those of channels-last images.

    They ascend from C over *size, last dimension first, to N.  Where dimensions have size 1 an array may lie row by row and
    so: then it is their strides that tell.  Source: `is_channels_last_strides_2d`.

    Args:
        least_rank: 3 if lines (N, C, L) are computed as images of one row.
    """
    strides = x.strides
    ndim = len(strides)
    if not least_rank <= ndim < 6 or strides[1] > strides[-1]:
        return False
    shape = x.shape
    strides = strides_of(x)
    own = strides[1]
    if own == 0 or 0 in shape:
        return False
    least = own * shape[1]
    for dim in range(ndim - 1, 1, -1):
        if strides[dim] < least:
            return False
        least = strides[dim] * shape[dim]
    return strides[0] >= least != own


def channels_last(x: Array) -> Array:
    """(N, C, *size), copied to memory in the order (N, *size, C) unless it lies so."""
    if is_channels_last(x, 3):
        return x
    ndim = x.ndim
    memory = np.empty_like(x, order="C", shape=(x.shape[0], *x.shape[2:], x.shape[1]))
    result = memory.transpose(0, ndim - 1, *range(1, ndim - 1))
    np.copyto(result, x)
    return result


def in_format_of(operand: Array, result: Array) -> Array:
    """`result`, a new array in the shape of images, channels last if the operand is."""
    return channels_last(result) if is_channels_last(operand) else result


def keeping_format(
    kernel: Callable[..., Any], place: int, in_format: Callable[..., bool] | None, outputs: int
) -> Callable[..., Any]:
    """`kernel`, whose first `outputs` results are channels last if the operand at `place` is.

    Args:
        in_format: tells the same from all the arguments, where the operand looks as if it were.
    """

    def kept(*args: Any, **kwargs: Any) -> Any:
        result = kernel(*args, **kwargs)
        operand = args[place]
        strides = operand.strides
        if len(strides) < 3 or strides[1] > strides[-1]:
            return result
        if not (is_channels_last(operand) if in_format is None else in_format(*args)):
            return result
        if result.__class__ is not tuple:
            return channels_last(result)
        return (*map(channels_last, result[:outputs]), *result[outputs:])

    return update_wrapper(kept, kernel)
