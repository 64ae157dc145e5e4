"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like.nn.modules._text import typename


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """One vector of all elements, in the order of the parameters; differentiable."""
    return torch.cat([parameter.view(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give the parameters the elements of `vec`, as views of it. Raises: TypeError unless it is a tensor."""
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {typename(vec)}")
    start = 0
    for parameter in parameters:
        stop = start + parameter.numel()
        parameter.data = vec[start:stop].view_as(parameter).data
        start = stop
