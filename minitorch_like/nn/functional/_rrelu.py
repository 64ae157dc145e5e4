"""RReLU, whose slopes are random numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch_like import Tensor
from minitorch_like._bind import _inplace
from minitorch_like._capture import reads_values
from minitorch_like._tensor import wrap
from minitorch_like.ops import TABLE
from minitorch_like.ops._checks import title
from minitorch_like.ops._signature import Reader
from minitorch_like.random._generator import Generator, default_generator
from minitorch_like.random._uniform import u53

_SIGNATURE = (
    "(Tensor input, Number lower=0.125, Number upper=0.3333333333333333, bool training=False, "
    "Generator? generator=None)"
)


def _function(name: str, at_mean: Callable[..., Tensor], with_noise: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """torch's function `name`, by ops that multiply with the mean slope and with noise."""
    reader = Reader(name, (_SIGNATURE,))

    def function(*args: Any, **kwargs: Any) -> Tensor:
        _, values = reader.read(args, kwargs)
        input: Tensor = values["input"]
        lower, upper = float(values.get("lower", 0.125)), float(values.get("upper", 1 / 3))
        _check_bounds(lower, upper)
        if not values.get("training", False):
            return at_mean(input, (lower + upper) / 2)
        if input._data.dtype not in (np.float32, np.float64):
            raise NotImplementedError(f"\"rrelu_with_noise_out_cpu\" not implemented for '{title(input._data)}'")
        return with_noise(input, _noise(input, lower, upper, values.get("generator") or default_generator))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = "x where x > 0, elsewhere x times a slope: random between the bounds in training, else the mean."
    return function


def _check_bounds(lower: float, upper: float) -> None:
    for name, bound in (("lower", lower), ("upper", upper)):
        if not math.isfinite(bound):
            raise RuntimeError(f"rrelu: {name} bound must be finite, got {bound:g}")
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")


def _noise(input: Tensor, lower: float, upper: float, generator: Generator) -> Tensor:
    """1 where the input is positive or NaN, elsewhere numbers drawn one after the other, row by row."""
    reads_values("rrelu() in training")
    data = input._data
    noise = np.ones(data.shape, data.dtype)
    negative = data <= 0
    low, high = (float(data.dtype.type(bound)) for bound in (lower, upper))
    noise[negative] = u53(generator, int(np.count_nonzero(negative))) * (high - low) + low
    return wrap(noise)


rrelu_function = _function("rrelu", TABLE["rrelu_at_mean"], TABLE["rrelu_with_noise"])
rrelu_ = _function("rrelu_", _inplace(TABLE["rrelu_at_mean_in_place"]), _inplace(TABLE["rrelu_with_noise"]))
