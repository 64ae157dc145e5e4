"""Scatters: values that go, along one dimension, to where an index says.

Of each op there is a kernel, which makes a copy, and a function `..._into`, which writes into the operand itself and is
the in-place form.  Both check everything before they write.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._dtype import FLOATING_KINDS
from .._once import warn_once
from ._checks import sizes, title, wrap_dim
from ._scalars import number_as
from ._scatter_rules import index_zero, reduced_input, reduced_source
from ._table import Array, op
from .indexing import check_index_dtype, check_range, gather, places_along

_MODES = ("sum", "prod", "mean", "amax", "amin")
# -- what a scatter must be ------------------------------------------------------------------------------------------


def _size(shape: tuple[int, ...], dim: int) -> int:
    """The size of a dimension; IndexError where there is none such."""
    return shape[wrap_dim(dim, len(shape))] if shape else 1


def check_scatter(name: str, input: Array, index: Array, dim: int, src: Array | None) -> int:
    """The dimension, counted from the front.  Raises torch's errors for operands that do not go together."""
    dim = wrap_dim(dim, input.ndim)
    check_index_dtype(name, index)
    if src is not None and input.dtype is not src.dtype:
        raise RuntimeError(f"{name}(): Expected self.dtype to be equal to src.dtype")
    if not index.size:
        return dim
    if max(index.ndim, 1) != max(input.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as self tensor")
    beyond_self = any(each != dim and size > _size(input.shape, each) for each, size in enumerate(index.shape))
    if src is not None and max(src.ndim, 1) != max(index.ndim, 1):
        for each, size in enumerate(() if beyond_self else index.shape):
            if size > _size(src.shape, each):
                break
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    if src is None:
        if beyond_self:
            raise RuntimeError(
                f"Expected index {sizes(index.shape)} to be no larger than self {sizes(input.shape)} apart from dimension {dim}"
            )
    elif any(size > _size(src.shape, each) for each, size in enumerate(index.shape or (1,))) or beyond_self:
        raise RuntimeError(
            f"Expected index {sizes(index.shape)} to be no larger than self {sizes(input.shape)} apart from dimension "
            f"{dim} and to be no larger size than src {sizes(src.shape)}"
        )
    return dim


def _checked(array: Array, index: Array, dim: int, src: Array | None) -> int:
    """The dimension, counted from the front, after all checks."""
    dim = check_scatter("scatter", array, index, dim, src)
    check_range(index, dim, array.shape[dim] if array.ndim else 1)
    return dim


class _Flat:
    """An array in a row, to be written to; `store` brings what was written back."""

    def __init__(self, array: Array, dtype: Any = None) -> None:
        self.array = array
        if dtype is not None and dtype != array.dtype:
            array = array.astype(dtype)
        self.whole = array if array.flags.c_contiguous else array.copy()
        self.work = self.whole.reshape(-1)

    def store(self) -> None:
        if self.whole is not self.array:
            self.array[...] = self.whole


def _places(array: Array, index: Array, dim: int) -> Array:
    """The elements that `index` chooses, as a row of numbers."""
    if not array.ndim or not index.ndim:
        return index.reshape(-1).astype(np.int64, copy=False)
    return places_along(array.shape, index, dim).reshape(-1)


def _values(src: Array, index: Array) -> Array:
    """The part of `src` that lies under `index`, in a row."""
    sizes = index.shape or (1,)
    return src[tuple(slice(size) for size in sizes)].reshape(-1) if src.ndim else src.reshape(-1)


_REDUCTIONS: dict[str, Any] = {
    "sum": np.add,
    "mean": np.add,
    "prod": np.multiply,
    "amax": np.maximum,
    "amin": np.minimum,
}


def reduce_at(target: Array, places: Array, values: Array, reduce: str, include_self: bool) -> None:
    """Reduce each of `values` into the element of a row `target` that `places` says, one after the other."""
    if not include_self:
        target[places] = identity(reduce, target.dtype)
    if target.dtype.kind == "b":
        reduce = {"sum": "amax", "mean": "amax", "prod": "amin"}.get(reduce, reduce)
    _REDUCTIONS[reduce].at(target, places, values)
    if reduce == "mean":
        counts = np.ones_like(target, dtype=np.int64)
        if not include_self:
            counts[places] = 0
        np.add.at(counts, places, 1)
        np.maximum(counts, 1, out=counts)
        if target.dtype.kind in "iu":
            np.floor_divide(target, counts, out=target, casting="unsafe")
        else:
            np.true_divide(target, counts.astype(target.dtype), out=target)


def identity(reduce: str, dtype: Any) -> Any:
    """What changes nothing when it is reduced with."""
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    if dtype.kind == "b":
        return reduce == "amin"
    if dtype.kind in "iu":
        return np.iinfo(dtype).min if reduce == "amax" else np.iinfo(dtype).max
    return -math.inf if reduce == "amax" else math.inf


def wide(dtype: np.dtype[Any]) -> Any:
    """The dtype to accumulate in: torch has 16-bit floats added up in float32."""
    return np.float32 if dtype.itemsize == 2 and dtype.kind in FLOATING_KINDS else dtype


# -- the ops ---------------------------------------------------------------------------------------------------------


def _no_derivative(g: Any) -> Any:
    raise RuntimeError("derivative for aten::scatter is not implemented")


def _scatter_node(input: Any, index: Any, src: Any = None, dim: int = 0, value: Any = None, reduce: Any = None) -> str:
    if reduce is not None:
        return "torch::autograd::NotImplemented"
    return "ScatterBackward1" if src is None else "ScatterBackward0"


def _scatter_input(g: Any, index: Any, dim: int, reduce: str | None) -> Any:
    return _no_derivative(g) if reduce is not None else index_zero(g, index, dim)


def _scatter_src(g: Any, index: Any, dim: int, reduce: str | None) -> Any:
    return _no_derivative(g) if reduce is not None else gather(g, index, dim)


@op(
    "(Tensor input, int dim, Tensor index, Tensor src, *, Tensor? out=None)",
    "(Tensor input, int dim, Tensor index, Tensor src, *, str reduce, Tensor? out=None)",
    "(Tensor input, int dim, Tensor index, Number value, *, Tensor? out=None)",
    "(Tensor input, int dim, Tensor index, Number value, *, str reduce, Tensor? out=None)",
    arity=3,
    node=_scatter_node,
    input=_scatter_input,
    src=_scatter_src,
)
def scatter(
    input: Array, index: Array, src: Any = None, dim: int = 0, value: Any = None, reduce: str | None = None
) -> Array:
    """A copy of `input` in which `src` (or one value) stands where `index` says along `dim`."""
    result = input.copy()
    scatter_into(result, index, src, dim, value, reduce)
    return result


def scatter_into(
    array: Array, index: Array, src: Any = None, dim: int = 0, value: Any = None, reduce: str | None = None
) -> None:
    """`scatter` in place: of several values for one element the last one stays."""
    if reduce not in (None, "add", "multiply"):
        check_scatter("scatter", array, index, dim, src)
        raise RuntimeError("reduce argument must be either add or multiply.")
    dim = _checked(array, index, dim, src)
    if reduce is not None and src is not None:
        warn_once(
            "The reduce argument of torch.scatter with Tensor src is deprecated and will be removed in a future PyTorch "
            "release. Use torch.scatter_reduce instead for more reduction options."
        )
    if not index.size:
        return
    values: Any = number_as(value, array.dtype) if src is None else _values(src, index)
    flat = _Flat(array, None if reduce is None else wide(array.dtype))
    places = _places(array, index, dim)
    if reduce is None:
        flat.work[places] = values
    else:
        reduce_at(flat.work, places, values, "sum" if reduce == "add" else "prod", True)
    flat.store()


@op(
    "(Tensor input, int dim, Tensor index, Tensor src, *, Tensor? out=None)",
    arity=3,
    input=lambda g: g,
    src=lambda g, index, dim: gather(g, index, dim),
)
def scatter_add(input: Array, index: Array, src: Array, dim: int) -> Array:
    """A copy of `input` to which `src` is added where `index` says along `dim`."""
    result = input.copy()
    scatter_add_into(result, index, src, dim)
    return result


def scatter_add_into(array: Array, index: Array, src: Array, dim: int) -> None:
    dim = _checked(array, index, dim, src)
    if index.size:
        flat = _Flat(array, wide(array.dtype))
        reduce_at(flat.work, _places(array, index, dim), _values(src, index), "sum", True)
        flat.store()


def _along(index: Any, dim: int) -> Any:
    """How the rules of `scatter_reduce` read and write: by `gather` and the scatters."""
    from ._scatter_rules import Along

    return Along(
        pick=lambda x: gather(x, index, dim),
        add=lambda x, y: scatter_add(x, index, y, dim),
        clear=lambda x: index_zero(x, index, dim),
        reduce=lambda x, src, mode, include: scatter_reduce(x, index, src, dim, mode, include),
    )


def _reduce_input(g: Any, input: Any, index: Any, src: Any, out: Any, dim: int, reduce: str, include_self: bool) -> Any:
    return reduced_input(g, input, src, out, reduce, include_self, _along(index, dim))


def _reduce_src(g: Any, input: Any, index: Any, src: Any, out: Any, dim: int, reduce: str, include_self: bool) -> Any:
    return reduced_source(g, input, src, out, reduce, include_self, _along(index, dim))


@op(
    "(Tensor input, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True, Tensor? out=None)",
    arity=3,
    input=_reduce_input,
    src=_reduce_src,
)
def scatter_reduce(input: Array, index: Array, src: Array, dim: int, reduce: str, include_self: bool = True) -> Array:
    """A copy of `input` into which `src` is reduced where `index` says along `dim`."""
    result = input.copy()
    scatter_reduce_into(result, index, src, dim, reduce, include_self)
    return result


def scatter_reduce_into(
    array: Array, index: Array, src: Array, dim: int, reduce: str, include_self: bool = True
) -> None:
    """`scatter_reduce` in place."""
    dim = wrap_dim(dim, array.ndim)
    if reduce not in _MODES:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    dim = _checked(array, index, dim, src)
    if reduce == "mean" and array.dtype.kind == "b":
        raise NotImplementedError("\"scatter_gather_tensor_cpu_reduce_mean\" not implemented for 'Bool'")
    if array.dtype.kind == "c" and reduce in ("amax", "amin") and index.size:
        raise NotImplementedError(f"\"scatter_gather_tensor_cpu_reduce_{reduce}\" not implemented for '{title(array)}'")
    if index.size:
        flat = _Flat(array, wide(array.dtype))
        reduce_at(flat.work, _places(array, index, dim), _values(src, index), reduce, include_self)
        flat.store()


for _op in (scatter, scatter_add, scatter_reduce):
    _op.kernel.of_any_width = True  # type: ignore[attr-defined]
    _op.holomorphic = _op is scatter_reduce  # the others only move elements
