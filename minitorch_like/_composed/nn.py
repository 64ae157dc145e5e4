"""Functions of nn that torch has under its own name as well: `torch.celu`, `torch.rrelu_`, `torch.cosine_similarity`.

Those that are one op of the table are made of it; RReLU, whose slopes are random numbers, and the distances, which are
composed of several ops, are written here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._bind import FUNCTIONS
from .._capture import reads_values
from .._dtype import result_dtype
from .._tensor import Tensor, wrap
from .._writing import in_place_form
from ..autograd.grad_mode import no_grad
from ..ops import TABLE
from ..ops._checks import title
from ..ops._signature import Reader
from ..random._generator import Generator, default_generator
from ..random._uniform import u53
from .in_place import in_place
from .shapes import broadcast_tensors

PUBLIC: dict[str, Callable[..., Any]] = {name: FUNCTIONS[name] for name in ("celu", "selu", "threshold")}


PUBLIC |= {
    "relu_": in_place("relu_"),
    "celu_": in_place("celu_", "celu_in_place"),
    "selu_": in_place("selu_", "selu_in_place"),
    "threshold_": in_place("threshold_"),
}


# -- RReLU --------------------------------------------------------------------------------------------------------

_RRELU = (
    "(Tensor input, Number lower=0.125, Number upper=0.3333333333333333, bool training=False, "
    "Generator? generator=None)"
)


def _rrelu(name: str, at_mean: Callable[..., Tensor], with_noise: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """torch's function `name`, by ops that multiply with the mean slope and with noise."""
    reader = Reader(name, (_RRELU,))

    def function(*args: Any, **kwargs: Any) -> Tensor:
        _, values = reader.read(args, kwargs)
        input: Tensor = values["input"]
        lower, upper = float(values.get("lower", 0.125)), float(values.get("upper", 1 / 3))
        _check_bounds(lower, upper)
        if not values.get("training", False):
            return at_mean(input, (lower + upper) / 2)
        if input._data.dtype.char not in "Efd":
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
    kind = np.dtype(np.float32) if data.itemsize == 2 else data.dtype  # bfloat16 is multiplied before it is rounded
    noise = np.ones(data.shape, kind)
    negative = data <= 0
    low, high = (float(kind.type(bound)) for bound in (lower, upper))
    noise[negative] = u53(generator, int(np.count_nonzero(negative))) * (high - low) + low
    return wrap(noise)


PUBLIC["rrelu"] = _rrelu("rrelu", TABLE["rrelu_at_mean"], TABLE["rrelu_with_noise"])
PUBLIC["rrelu_"] = _rrelu(
    "rrelu_", in_place_form(TABLE["rrelu_at_mean_in_place"]), in_place_form(TABLE["rrelu_with_noise_in_place"])
)


# -- distances ----------------------------------------------------------------------------------------------------

_NORM = TABLE["norm_along"]
_DISTANCE = Reader("pairwise_distance", ("(Tensor x1, Tensor x2, float p=2, float eps=1e-06, bool keepdim=False)",))
_SIMILARITY = Reader("cosine_similarity", ("(Tensor x1, Tensor x2, int dim=1, float eps=1e-08)",))


def pairwise_distance(*args: Any, **kwargs: Any) -> Tensor:
    """(x1, x2, p=2.0, eps=1e-6, keepdim=False) -> |x1 - x2 + eps|_p along the last dimension; x1 and x2 are broadcast."""
    _, values = _DISTANCE.read(args, kwargs)
    difference = values["x1"] - values["x2"] + float(values.get("eps", 1e-6))
    return _NORM.apply(difference, float(values.get("p", 2.0)), -1, values.get("keepdim", False))


def cosine_similarity(*args: Any, **kwargs: Any) -> Tensor:
    """(x1, x2, dim=1, eps=1e-8) -> the cosine of the angle between x1 and x2, which are broadcast, along `dim`.

    Norms count as at least eps, but the gradient is that of the norms as they are.
    """
    _, values = _SIMILARITY.read(args, kwargs)
    x1, x2, dim, eps = values["x1"], values["x2"], int(values.get("dim", 1)), float(values.get("eps", 1e-8))
    dtype = result_dtype(x1._data, x2._data)
    if not dtype.is_floating_point:
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {dtype.title}")
    if not eps >= 0:
        raise RuntimeError(f"eps must be non-negative, got: {eps:g}")
    directions = []
    for each in broadcast_tensors(x1.to(dtype), x2.to(dtype)):
        norm = _NORM.apply(each, 2.0, dim, True).clone()
        with no_grad():
            norm.clamp_(min=eps)
        directions.append(each / norm)
    return (directions[0] * directions[1]).sum(dim)


PUBLIC |= {"pairwise_distance": pairwise_distance, "cosine_similarity": cosine_similarity}
