"""Clipping gradients, by their total norm or by value."""

from __future__ import annotations

import math
import types
import warnings
from collections.abc import Iterable

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like._once import warn_of_call


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of the norms of `tensors`, as a tensor of no dimensions.

    Raises: RuntimeError if it is not finite and `error_if_nonfinite` asks so. `foreach` changes nothing here.
    """
    norm_type = float(norm_type)
    with torch.no_grad():
        norms = [_norm(t, norm_type) for t in ([tensors] if isinstance(tensors, Tensor) else tensors)]
        if not norms:
            return torch.tensor(0.0)
        total = _norm(torch.stack(norms), norm_type)
        if error_if_nonfinite and not torch.isfinite(total):
            raise RuntimeError(
                f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it"
                " cannot be clipped. To disable this error and scale the gradients by the non-finite norm"
                " anyway, set `error_if_nonfinite=False`"
            )
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale all gradients by max_norm / total_norm where that is below 1."""
    with torch.no_grad():
        scale = torch.clamp(float(max_norm) / (total_norm + 1e-6), max=1.0)
        for grad in _grads(parameters):
            grad.mul_(scale)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients of all parameters together to a norm of at most `max_norm`; returns what it was."""
    if not isinstance(parameters, Tensor):
        generator = isinstance(parameters, types.GeneratorType)
        parameters = list(parameters)
        if generator and not parameters:
            warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=2)
    total_norm = get_total_norm(_grads(parameters), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(parameters, max_norm, total_norm)
    return total_norm


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Clamp every gradient to +-clip_value. Raises: RuntimeError where no parameter has one."""
    grads = _grads(parameters)
    if not grads:
        raise RuntimeError(
            "Expected !nested_tensorlist[0].empty() to be true, but got false.  (Could this error message be"
            " improved?  If so, please report an enhancement request to PyTorch.)"
        )
    with torch.no_grad():
        for grad in grads:
            grad.clamp_(-float(clip_value), float(clip_value))


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The older name of `clip_grad_norm_`."""
    warn_of_call(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.", FutureWarning
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def _grads(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    owners = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad for p in owners if p.grad is not None]


def _norm(tensor: Tensor, p: float) -> Tensor:
    """The p-norm of all elements; for p = 0 how many are not zero, for p = +-inf the extreme magnitude."""
    if tensor.is_complex():
        tensor = tensor.abs()
    if p == 2:
        return (tensor * tensor).sum().sqrt()
    if p == 0:
        return tensor.ne(0).sum().to(tensor.dtype)
    magnitude = tensor.abs()
    if math.isinf(p):
        return magnitude.max() if p > 0 else magnitude.min()
    return magnitude.sum() if p == 1 else (magnitude**p).sum() ** (1 / p)
