"""Uninitialised memory with strides of one's choice."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._dtype import dtype, get_default_dtype
from .._layout import contiguous_strides, extent
from .._tensor import Tensor, wrap
from ..ops._checks import sizes
from . import OPTIONS, check_size, reads


def _uninitialised(size: Any, stride: Any, kind: dtype) -> Tensor:
    """A tensor whose memory ends with its last element; strides in elements."""
    shape, strides = check_size(size), tuple(int(each) for each in stride)
    if len(shape) != len(strides):
        raise RuntimeError(
            f"dimensionality of sizes ({len(shape)}) must match dimensionality of strides ({len(strides)})"
        )
    backwards = any(size > 1 and stride < 0 for size, stride in zip(shape, strides, strict=True))
    if (backwards and 0 not in shape) or extent(shape, strides) >= 2**61:
        raise RuntimeError(
            f"Storage size calculation overflowed with sizes={sizes(shape)} and strides={sizes(strides)}"
        )
    memory = np.empty(extent(shape, strides), kind.numpy)
    step = kind.itemsize
    return wrap(np.ndarray(shape, kind.numpy, memory, 0, tuple(each * step for each in strides)))


@reads(f"(int[] size, int[] stride, *, {OPTIONS})")
def empty_strided(size: Any, stride: Any, dtype: dtype | None = None) -> Tensor:
    return _uninitialised(size, stride, dtype or get_default_dtype())


@reads(f"(Tensor self, int[] size, int[] stride, *, {OPTIONS})", method=True)
def new_empty_strided(self: Tensor, size: Any, stride: Any, dtype: dtype | None = None) -> Tensor:
    return _uninitialised(size, stride, dtype or self.dtype)


@reads(f"(int[] size, int[] physical_layout, *, {OPTIONS})")
def empty_permuted(size: Any, physical_layout: Any, dtype: dtype | None = None) -> Tensor:
    """Dense memory whose dimensions lie in the order `physical_layout`, the outermost first."""
    shape, order = tuple(map(int, size)), [int(each) for each in physical_layout]
    if len(shape) != len(order):
        raise RuntimeError(
            "Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = "
            f"{len(shape)} is not equal to len(physical_layout) = {len(order)}"
        )
    for place, dim in enumerate(order):
        if not 0 <= dim < len(shape):
            raise RuntimeError(
                f"Dimension out of range (expected to be between 0 and {len(shape) - 1}, but got {dim} at index {place}).  "
                "NB: negative dims not currently supported; file an issue if you want it."
            )
        if dim in order[:place]:
            raise RuntimeError("Duplicate dim not allowed")
    check_size(shape)
    outer_first = contiguous_strides([shape[dim] for dim in order])
    strides = [outer_first[order.index(dim)] for dim in range(len(shape))]
    kind = dtype or get_default_dtype()
    memory = np.empty(math.prod(shape), kind.numpy)
    return wrap(np.ndarray(shape, kind.numpy, memory, 0, [each * kind.itemsize for each in strides]))
