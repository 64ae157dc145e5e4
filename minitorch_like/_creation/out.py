"""`out=` of the functions that make tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._capture import mode, run
from .._layout import strided
from .._once import warn_of_call
from .._tensor import Tensor
from ..ops._checks import sizes

# Those that keep the shape of an `out` with the right number of elements.
_VECTORS = ("arange", "range", "linspace", "logspace")


def check(function: str, out: Tensor, values: dict[str, Any]) -> None:
    """torch's objections to an `out` that contradicts the other options, whose dtype becomes that of `out`."""
    kind, device, where = values.get("dtype"), values.pop("device", None), values.pop("layout", None)
    if kind is not None and kind is not out.dtype:
        raise RuntimeError(f"dtype {kind.title} does not match dtype of out parameter ({out.dtype.title})")
    if where is not None and where is not strided:
        raise RuntimeError(f"layout {where} does not match layout of out parameter (strided)")
    name = str(getattr(device, "type", device or "cpu")).partition(":")[0]
    if name != "cpu":
        raise RuntimeError(f"device type {name} does not match device type of out parameter (cpu)")
    values.pop("pin_memory", None)
    values["dtype"] = out.dtype
    if mode.grad and out.requires_grad:
        raise RuntimeError(
            "cannot resize variables that require grad"
            if function == "empty"
            else f"aten::{function}(): functions with out=... arguments don't support automatic differentiation, but one "
            "of the arguments requires grad."
        )


def write(function: str, out: Any, result: Tensor) -> Any:
    """Put `result` into `out`, which gets its shape."""
    shape, count = result._data.shape, out._data.size
    if function == "arange" and count and count != result._data.size:
        warn_of_call(
            f"The number of elements in the out tensor of shape {sizes(out._data.shape)} is {count} which does not match "
            f"the computed number of elements {shape[0]}. Note that this may occur as a result of rounding error. The out "
            f"tensor will be resized to a tensor of shape ({shape[0]},).",
        )
    keeps_shape = function in _VECTORS and count == result._data.size
    if not keeps_shape and out._data.shape != shape:
        out.resize_(shape)
        run(np.copyto, out._data, result._data)  # one change, which was counted
        return out
    return out if function == "empty" else out.copy_(result.view(out.shape))
