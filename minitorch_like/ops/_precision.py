"""In what precision the elementwise kernels compute, and how their results are laid out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._dtype import float32
from ._checks import check_no_integer, laid_out
from ._table import Array


def forward(name: str, compute: Callable[..., Any], input: Array, *options: Any) -> Any:
    """`elementwise` of one floating-point array, laid out as torch's result is.

    Raises: NotImplementedError, which names torch's kernel `name`, for other dtypes.
    """
    check_no_integer(name, input)
    result = elementwise(compute, (input,), *options)
    if input.ndim < 2 or input.flags.c_contiguous:
        return result
    if type(result) is tuple:
        return laid_out(result[0], input), *result[1:]
    return laid_out(result, input)


def elementwise(compute: Callable[..., Any], arrays: tuple[Any, ...], *options: Any) -> Any:
    """compute(*arrays, *options), of arrays that are at least 1-d and at least float32; the first has the full shape.

    `compute` may so write into its intermediate results: NumPy's results of 0-d arrays are no arrays.  As in torch,
    float16 is computed in float32 and rounded once.  Of several results only the first is rounded: the others are
    kept, for the very kernel that will widen the rest of its operands.
    """
    first = arrays[0]
    if first.ndim and first.itemsize > 2:
        return compute(*arrays, *options)
    shape, dtype = first.shape, first.dtype
    results = compute(*[None if each is None else _widened(each) for each in arrays], *options)
    if type(results) is not tuple:
        return results.astype(dtype, copy=False).reshape(shape)
    return results[0].astype(dtype, copy=False).reshape(shape), *[each.reshape(shape) for each in results[1:]]


def single(x: Any) -> Any:
    """An array or Tensor of float16 in float32: what a rule that is made of several ops begins with."""
    if x.dtype.itemsize > 2:
        return x
    return x.astype(np.float32) if isinstance(x, np.ndarray) else x.to(float32)


def _widened(x: Array) -> Array:
    if x.itemsize == 2:
        x = x.astype(np.float32)
    return x if x.ndim else x.reshape(1)


def by_rows(x: Array) -> Array:
    """`x` laid out row by row, as some of torch's kernels have their results whatever the input's strides."""
    return x if x.flags.c_contiguous else x.copy()
