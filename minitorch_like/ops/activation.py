"""The activation functions of nn."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._checks import check_no_integer
from ._table import Array, op
from .elementwise import where


@op("(Tensor input)", inplace=True, input=lambda g, out: where(out <= 0, 0.0, g))
def relu(input: Array) -> Array:
    """max(x, 0); the gradient at 0 is 0, as torch has it."""
    if input.dtype.kind == "b":
        raise RuntimeError("Boolean inputs not supported for relu")
    return np.maximum(input, 0)


@op(
    "(Tensor input, Number negative_slope=0.01)",
    inplace=True,
    inplace_node="LeakyReluBackward1",
    input=lambda g, input, negative_slope: where(input > 0, g, g * negative_slope), namespace="nn")
def leaky_relu(input: Array, negative_slope: float = 0.01) -> Array:
    """x where x > 0, elsewhere negative_slope * x."""
    check_no_integer("leaky_relu_cpu", input)
    return np.where(input > 0, input, input * negative_slope)
