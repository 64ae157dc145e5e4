"""Sorting and selecting: the functions with two results, and those that give one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._dtype import int64
from .._functions import return_type
from .._out_argument import into, into_each
from .._tensor import Tensor
from ..ops import TABLE
from ..ops._checks import overlapping, tensor_type
from .numbers import reads

_FIELDS = ("values", "indices")
_sorted, _topk, _kthvalue, _mode = (return_type(name, *_FIELDS) for name in ("sort", "topk", "kthvalue", "mode"))


def _check_outs(name: str, input: Any, out: Any) -> None:
    """What torch objects to in the two tensors that the results of these functions are to be put into."""
    if out is None or len(out) != 2:
        return
    values, indices = out
    if name == "kthvalue":
        if np.may_share_memory(values._data, input._data) and values.numel():
            raise overlapping()
        if values.dtype is not input.dtype:
            raise RuntimeError("output values must be of same type as input")
        if indices.dtype is not int64:
            raise RuntimeError("output indices must be of scalar type Long")
    elif name == "mode":
        for each, kind, which in ((values, input.dtype, "values"), (indices, int64, "indices")):
            if each.dtype is not kind:
                raise RuntimeError(
                    f"expected scalar type '{kind.title}' but got '{each.dtype.title}' for {which} output"
                )
    elif indices.dtype is not int64:
        raise RuntimeError(
            f"Expected tensor for argument #1 'indices' to have scalar type Long; but got {_type(indices)} instead (while "
            "checking arguments for median)"
        )
    elif values.dtype is not input.dtype:
        raise RuntimeError(
            f"Expected tensor for 'values' to have the same type as tensor for argument #2 'self'; but type {_type(values)} "
            f"does not equal {_type(input)} (while checking arguments for median)"
        )


def _type(tensor: Any) -> str:
    return tensor_type(tensor._data)


@reads(
    "(Tensor input, *, bool? stable, int dim=-1, bool descending=False, Tensor[]? out=None)",
    "(Tensor input, int dim=-1, bool descending=False, *, Tensor[]? out=None)",
)
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool | None = None, out: Any = None) -> Any:
    """The elements in order along `dim`, and where they were."""
    return into_each(out, _sorted(TABLE["sort_along"].apply(input, int(dim), descending, stable)), "sort")


@reads(
    "(Tensor input, *, bool stable, int dim=-1, bool descending=False, Tensor? out=None)",
    "(Tensor input, int dim=-1, bool descending=False)",
)
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False, out: Any = None) -> Tensor:
    """The indices that put the elements in order along `dim`."""
    return into(out, TABLE["sort_along"].apply(input.detach(), int(dim), descending, stable)[1], "sort")


@reads("(Tensor input, *, Tensor? out=None)")
def msort(input: Tensor, out: Any = None) -> Tensor:
    """The elements in order along the first dimension."""
    return into(out, TABLE["sort_along"].apply(input, 0, False, None)[0], "sort")


@reads("(Tensor input, int k, int dim=-1, bool largest=True, bool sorted=True, *, Tensor[]? out=None)")
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True, out: Any = None) -> Any:
    """The `k` largest elements along `dim`, or the least, and where they are."""
    return into_each(out, _topk(TABLE["topk_along"].apply(input, int(k), int(dim), largest, sorted)), "topk")


@reads("(Tensor input, int k, int dim=-1, bool keepdim=False, *, Tensor[]? out=None)")
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False, out: Any = None) -> Any:
    """The k-th least element along `dim`, and where it is."""
    result = _kthvalue(TABLE["kthvalue_along"].apply(input, int(k), int(dim), keepdim))
    _check_outs("kthvalue", input, out)
    return into_each(out, result, "kthvalue")


@reads("(Tensor input, int dim=-1, bool keepdim=False, *, Tensor[]? out=None)")
def mode(input: Tensor, dim: int = -1, keepdim: bool = False, out: Any = None) -> Any:
    """The most frequent element along `dim`, and where it is."""
    result = _mode(TABLE["mode_along"].apply(input, int(dim), keepdim))
    _check_outs("mode", input, out)
    return into_each(out, result, "mode")


def _median(name: str) -> Callable[..., Any]:
    pair = return_type(name, *_FIELDS)
    whole, along = TABLE[f"{name}_all"], TABLE[f"{name}_along"]

    def function(input: Tensor, dim: int | None = None, keepdim: bool = False, out: Any = None) -> Any:
        if dim is None:
            return whole.apply(input)
        result = pair(along.apply(input, int(dim), keepdim))
        _check_outs(name, input, out)
        return into_each(out, result, name)

    function.__name__ = name
    function.__doc__ = "The median of all elements, or along `dim` with where it is; of two the lower."
    return reads("(Tensor input)", "(Tensor input, int dim, bool keepdim=False, *, Tensor[]? out=None)")(function)


median, nanmedian = _median("median"), _median("nanmedian")
