"""What the losses share: the reduction of their values, and its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._checks import laid_out
from ._elements import array, constant
from ._table import Array


def reduced(values: Array, reduction: str, *operands: Array) -> Any:
    """The values themselves ("none"), their sum or their mean; float16 is added up in float32, as torch does.

    Those that are not reduced are laid out as torch's elementwise result of the operands, if these are given.
    """
    if reduction == "none":
        return laid_out(values, *operands) if operands else values
    if values.dtype.itemsize == 2:
        return reduced(values.astype(np.float32), reduction).astype(np.float16)
    total = np.add.reduce(values, axis=None)
    return total if reduction == "sum" else np.true_divide(total, constant(values.size, values.dtype))


def share(x: Any, reduction: str) -> float:
    """What one element's loss counts in the result: one over their number for "mean", else 1."""
    if reduction != "mean":
        return 1.0
    count = 1
    for size in x.shape:
        count *= size
    return 1.0 / (count or 1)  # the gradient of nothing has no elements that could be divided


def scaled(grad: Array, factor: float) -> Array:
    """grad * factor; of a 0-d array again one, as NumPy's scalars make arithmetic with arrays slow."""
    if factor == 1.0:
        return grad
    return array(np.multiply(grad, constant(factor, grad.dtype)))
