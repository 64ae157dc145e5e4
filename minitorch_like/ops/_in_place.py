"""What the in-place forms of some ops object to, beyond what their kernels do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._checks import c_name, not_implemented, sizes, title, wrap_dim
from ._table import TABLE, Array


def _abs(array: Array) -> None:
    """The absolute value of a complex number is real, and cannot take its place."""
    if array.dtype.kind == "c":
        raise RuntimeError("In-place abs is not supported for complex tensors.")


def _ldexp(array: Array, other: Array) -> None:
    if array.dtype.kind in "biu":
        raise RuntimeError(f"ldexp can't be cast to the desired output type {title(array)}")


def _addmm(array: Array, mat1: Array, mat2: Array, *factors: Any) -> None:
    """The product has to have the shape of what it is added to."""
    if not (mat1.ndim == mat2.ndim == 2 and mat1.shape[1] == mat2.shape[0] and array.dtype is mat1.dtype is mat2.dtype):
        return  # which the kernel objects to
    shape = mat1.shape[:1] + mat2.shape[1:]
    if array.shape != shape:
        raise RuntimeError(
            f"Bad in-place call: input tensor size {sizes(array.shape)} and output tensor size {sizes(shape)} should match"
        )


def _of_its_shape(name: str, rank: int) -> Callable[..., None]:
    """The result of `name`, for operands of this rank, has to have the shape of what is added."""

    def check(array: Array, first: Array, second: Array, *factors: Any) -> None:
        if first.ndim != rank or array.shape == (shape := first.shape[:-1] + second.shape[2:]):
            return
        TABLE[name].kernel(array, first, second)  # whose objections come first
        raise RuntimeError(
            f"Bad in-place call: input tensor size {sizes(array.shape)} and output tensor size {sizes(shape)} should match"
        )

    return check


def _scan(kernel: str) -> Callable[..., None]:
    """Running sums and products in place are those in the tensor's own dtype."""

    def check(array: Array, dim: int, dtype: Any = None) -> None:
        wrap_dim(dim, array.ndim)
        if dtype is not None and dtype.numpy is not array.dtype:
            raise RuntimeError(
                f"Bad in-place call: input tensor dtype {c_name(array)} and output tensor dtype "
                f"{c_name(np.empty(0, dtype.numpy))} should match"
            )
        if array.dtype.kind == "b" and array.size and array.ndim:
            raise not_implemented(kernel, array)

    return check


OBJECTIONS: dict[str, Callable[..., None]] = {
    "abs": _abs,
    "addmm": _addmm,
    "addmv": _of_its_shape("addmv", 2),
    "baddbmm": _of_its_shape("baddbmm", 3),
    "cumprod": _scan("cumprod_out_cpu"),
    "cumsum": _scan("cumsum_out_cpu"),
    "ldexp": _ldexp,
}
