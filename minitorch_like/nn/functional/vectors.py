"""Encodings and distances."""

from __future__ import annotations

from typing import Any

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like.ops import TABLE
from minitorch_like.ops._signature import Reader

_NORM = TABLE["norm_along"]
_READ_DISTANCE = Reader(
    "pairwise_distance", ("(Tensor x1, Tensor x2, float p=2, float eps=1e-06, bool keepdim=False)",)
)
_READ_SIMILARITY = Reader("cosine_similarity", ("(Tensor x1, Tensor x2, int dim=1, float eps=1e-08)",))


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """int64 (*, num_classes), 1 at the class that `tensor`, int64 (*), names; -1: one more than its largest.

    Raises: RuntimeError for another dtype or a class out of range.
    """
    if tensor.dtype != torch.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if tensor.numel() == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return torch.empty((*tensor.shape, num_classes), dtype=torch.int64)
    if tensor.min().item() < 0:
        raise RuntimeError("Class values must be non-negative.")
    classes = int(tensor.max().item()) + 1
    if num_classes != -1:
        if num_classes < classes:
            raise RuntimeError("Class values must be smaller than num_classes.")
        classes = num_classes
    return (tensor.unsqueeze(-1) == torch.arange(classes)).to(torch.int64)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    """input / max(|input|_p, eps), the norm taken along `dim`."""
    if type(dim) is int and input.is_floating_point():
        norm = _NORM.apply(input, float(p), dim, True)
    else:
        norm = input.norm(p, dim, keepdim=True)
    norm = norm.clamp(min=eps).expand_as(input)
    return input / norm if out is None else torch.div(input, norm, out=out)


def pairwise_distance(*args: Any, **kwargs: Any) -> Tensor:
    """(x1, x2, p=2.0, eps=1e-6, keepdim=False) -> |x1 - x2 + eps|_p along the last dimension; x1 and x2 are broadcast."""
    _, values = _READ_DISTANCE.read(args, kwargs)
    difference = values["x1"] - values["x2"] + float(values.get("eps", 1e-6))
    return _NORM.apply(difference, float(values.get("p", 2.0)), -1, values.get("keepdim", False))


def cosine_similarity(*args: Any, **kwargs: Any) -> Tensor:
    """(x1, x2, dim=1, eps=1e-8) -> the cosine of the angle between x1 and x2, which are broadcast, along `dim`.

    Norms count as at least eps, but the gradient is that of the norms as they are.
    """
    _, values = _READ_SIMILARITY.read(args, kwargs)
    x1, x2, dim, eps = values["x1"], values["x2"], int(values.get("dim", 1)), float(values.get("eps", 1e-8))
    dtype = torch.result_type(x1, x2)
    if not dtype.is_floating_point:
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {dtype.title}")
    directions = []
    for each in torch.broadcast_tensors(x1.to(dtype), x2.to(dtype)):
        norm = _NORM.apply(each, 2.0, dim, True).clone()
        with torch.no_grad():
            norm.clamp_(min=eps)
        directions.append(each / norm)
    return (directions[0] * directions[1]).sum(dim)


# torch has these under its own name as well.
vars(torch).update(pairwise_distance=pairwise_distance, cosine_similarity=cosine_similarity)
