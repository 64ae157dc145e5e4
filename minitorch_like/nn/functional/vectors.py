"""Encodings and distances."""

from __future__ import annotations

from typing import Any

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like._composed.nn import PUBLIC
from minitorch_like.ops import TABLE
from minitorch_like.ops._signature import Reader

_NORM = TABLE["norm_along"]
pairwise_distance, cosine_similarity = PUBLIC["pairwise_distance"], PUBLIC["cosine_similarity"]


_ONE_HOT = Reader("one_hot", ("(Tensor input, int num_classes=-1)",))


def one_hot(tensor: Any, num_classes: Any = -1) -> Tensor:
    """int64 (*, num_classes), 1 at the class that `tensor`, int64 (*), names; -1: one more than its largest.

    Raises: RuntimeError for another dtype or a class out of range.
    """
    if not isinstance(tensor, Tensor) or num_classes.__class__ is not int:
        tensor, num_classes = _ONE_HOT.read((tensor, num_classes), {})[1].values()
        num_classes = int(num_classes)
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
