"""The bilinear map."""

from __future__ import annotations

from typing import Any

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like._record import also_saved
from minitorch_like.ops._checks import c_name
from minitorch_like.ops._signature import Reader

_READER = Reader("bilinear", ("(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None)",))


def bilinear(*args: Any, **kwargs: Any) -> Tensor:
    """bilinear(input1, input2, weight, bias=None) -> Tensor

    y_o = sum_ij input1_i weight_oij input2_j + bias_o: (*, i), (*, j), (o, i, j) and (o) -> (*, o).
    """
    _, values = _READER.read(args, kwargs)
    input1, input2, weight, bias = values["input1"], values["input2"], values["weight"], values.get("bias")
    _check(input1, input2, weight, bias)
    outs, ins1, ins2 = weight.shape
    rows = input1.reshape(-1, ins1) if input1.numel() else input1.reshape(input1.numel() // (ins1 or 1), ins1)
    # for each row the matrix (outs, ins2) that is to be applied to the second input
    maps = (rows @ weight.permute(1, 0, 2).reshape(ins1, outs * ins2)).view(rows.size(0), outs, ins2)
    others = input2.reshape(rows.size(0), ins2)
    result = (maps @ others.unsqueeze(-1)).view(*input1.shape[:-1], outs)
    given = rows, weight, others
    for each in given:  # torch saves one for the gradients of the others
        if any(other.requires_grad for other in given if other is not each):
            also_saved(result, each)
    return result if bias is None else result + bias


def _check(input1: Any, input2: Any, weight: Any, bias: Any) -> None:
    given = {"input1": input1, "input2": input2, "weight": weight, "bias": bias}
    given = {name: each for name, each in given.items() if each is not None}
    if len({each._data.dtype for each in given.values()}) > 1:
        named = ", ".join(f"{name}: {c_name(each._data)}" for name, each in given.items())
        raise RuntimeError(f"All tensors must have the same dtype, got {named}")
    if input1.dim() != input2.dim():
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {input1.dim()} and {input2.dim()}")
    if input1.dim() == 0:
        raise IndexError("Dimension specified as -1 but tensor has no dimensions")
    for dim, (one, other) in enumerate(zip(input1.shape[:-1], input2.shape[:-1], strict=True)):
        if one != other:
            raise RuntimeError(f"bilinear(): input batch dimensions do not match at dim {dim}: got {one} and {other}")
    for number, each in ((1, input1), (2, input2)):
        if each.size(-1) != weight.size(number):
            raise RuntimeError(
                f"bilinear(): input{number} size does not match weight size: got {each.size(-1)} but expected "
                f"{weight.size(number)}"
            )
    if bias is not None and bias.size(0) != weight.size(0):
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {bias.size(0)} but expected {weight.size(0)}"
        )


vars(torch).update(bilinear=bilinear)
