"""Functions and methods about positions, those of an index made of tensors, and the in-place forms of the scatters."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._bind import FUNCTIONS
from .._capture import reads_values
from .._composed.numbers import PUBLIC, reads
from .._dtype import promote_types
from .._in_place import Write, check_separate, warn_if_expanded, written
from .._once import warn_of_call
from .._out_argument import fill as fill_out
from .._out_argument import into
from .._tensor import Tensor, wrap
from .._writing import check_writable
from ..ops import TABLE, Op, arrangement, index_along, masking, scatter
from ..ops._checks import broadcast_shapes, check_one_place_each, explain, title, wrap_dim
from ..ops._signature import NOBODY, Reader, check_bound
from ..ops._table import python_value
from . import note_versions
from .writing import checked, put_at_arrays

__all__ = ["PUBLIC"]

# -- in place --------------------------------------------------------------------------------------------------------


def _in_place(
    name: str, write: Write, check: Callable[..., None] | None = None, arguments: Callable[..., object] | None = None
) -> None:
    """`Tensor.name_`, by a function that writes into the array; `check(array, *operands)` looks at the memory.

    arguments: what torch asks of the arrays of a call before it looks at the memory.
    """
    op: Op = TABLE[name]
    reader = op.reader(method=True, suffix="_")

    def look(array: Any, *arrays: Any) -> None:
        try:
            if check is not None:
                check(array, *arrays[: op.arity - 1])
        except RuntimeError:
            if arguments is not None:
                explain(arguments, array, *arrays)
            raise

    def method(*args: Any, **kwargs: Any) -> Tensor:
        check_bound(args[0] if args else NOBODY, reader.function)
        arranged, _ = op.read(reader, args, kwargs)
        written(op, write, *arranged, check=look)
        target: Tensor = arranged[0]
        return target

    method.__name__ = method.__qualname__ = f"{name}_"
    method.__doc__ = write.__doc__
    setattr(Tensor, f"{name}_", method)


def _warning(name: str) -> Callable[..., None]:
    return lambda array, *others: warn_if_expanded(array, name, "tensor[mask] = scalar")


def _check_scattering(array: Any, index: Any, src: Any, dim: int, *rest: Any) -> None:
    scatter.check_scatter("scatter", array, index, dim, src)


def _check_adding(array: Any, index: Any, source: Any, dim: int, *rest: Any) -> None:
    index_along.check_adding("index_add_", array, index, source, dim)


def _check_reducing(array: Any, index: Any, source: Any, dim: int, reduce: str, *rest: Any) -> None:
    index_along.check_reducing(array, index, source, dim, reduce)


def _check_dim(array: Any, index: Any, source: Any, dim: int) -> None:
    wrap_dim(dim, array.ndim)


_in_place("scatter", scatter.scatter_into, check_separate, _check_scattering)
_in_place("scatter_add", scatter.scatter_add_into, check_separate, _check_scattering)
_in_place("scatter_reduce", scatter.scatter_reduce_into, check_separate, _check_scattering)
_in_place("index_add", index_along.index_add_into, check_separate, _check_adding)
_in_place("index_copy", index_along.index_copy_into, check_separate, _check_dim)
_in_place("index_reduce", index_along.index_reduce_into, check_separate, _check_reducing)
_in_place("index_fill", index_along.index_fill_into, _warning("index_fill_"))
_in_place("put", masking.put_into, lambda array, index, source: check_separate(array, source), masking.check_putting)
_in_place("masked_fill", masking.masked_fill_into, _warning("masked_fill_"))
_in_place("tril", arrangement.tril_into)
_in_place("triu", arrangement.triu_into)
_in_place("masked_scatter", masking.masked_scatter_into, lambda array, *others: check_one_place_each(array))


# -- index_put -------------------------------------------------------------------------------------------------------

_PUT = "(Tensor input, Tensor[] indices, Tensor values, bool accumulate=False)"


def _arrays(input: Tensor, indices: Sequence[Tensor]) -> tuple[Any, ...]:
    """The arrays of an index that consists of tensors only.  Raises torch's error where there are too many."""
    arrays = tuple(each._data for each in indices)
    if len(arrays) > input._data.ndim:
        raise IndexError(f"too many indices for tensor of dimension {input._data.ndim} (got {len(arrays)})")
    _check_places(input._data.shape, arrays)
    if not arrays:
        raise RuntimeError("masked_fill_ only supports boolean masks, but got mask with dtype nullptr (uninitialized)")
    return arrays


def _check_places(shape: tuple[int, ...], arrays: tuple[Any, ...]) -> None:
    """IndexError where masks take up more dimensions than there are; one of another shape is found later."""
    taken = 0
    for each in arrays:
        is_mask = each.dtype.kind == "b" or each.dtype == np.uint8
        if is_mask and each.shape[: len(shape) - taken] != shape[taken : taken + each.ndim]:
            return
        taken += each.ndim if is_mask else 1
    if taken > len(shape):
        wrap_dim(len(shape), len(shape))


@reads(_PUT)
def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of `input` in which `values` stand at the places of `indices`, or are added there."""
    index = checked(input, _arrays(input, indices), values, accumulate)
    result: Tensor = TABLE["index_put"].apply(input, values, index, accumulate)
    if result._node is not None:
        note_versions(result._node, tuple(indices), index)
    return result


@reads(_PUT)
def index_put_(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """`index_put` in place."""
    check_writable(input, values.requires_grad)
    put_at_arrays(input, _arrays(input, indices), values, tuple(indices), accumulate)
    return input


# -- positions -------------------------------------------------------------------------------------------------------


def _positions(x: Any) -> Any:
    """The positions of the elements that are not zero, (n, ndim), laid out by columns as torch's are."""
    reads_values("nonzero()")
    if not x.ndim:
        return np.empty((int(x != 0), 0), np.int64)
    return np.stack(np.nonzero(x)).T


_NONZERO = Reader("nonzero", ("(Tensor input, *, bool as_tuple=False, Tensor? out=None)",))
_NONZERO_METHOD = Reader("nonzero", ("(Tensor self)", "(Tensor self, *, bool as_tuple)"), method=True)


def nonzero(*args: Any, **kwargs: Any) -> Any:
    """The positions of the elements that are not zero: (n, ndim), or a tuple of ndim vectors."""
    _, values = _NONZERO.read(args, kwargs)
    return _nonzero(**values)


def _nonzero(input: Tensor, as_tuple: bool = False, out: Any = None) -> Any:
    if as_tuple:
        x: Any = wrap(_positions(input._data.reshape(input._data.shape or (1,))))
        return x.unbind(1)
    result: Tensor = wrap(_positions(input._data))
    if out is None:
        return result
    if out._data.dtype != np.int64:
        raise RuntimeError(
            f"nonzero: Expected out tensor to have scalar type Long but got scalar type{out.dtype.title}"
        )
    return fill_out(out, result._data, "nonzero")


def _nonzero_method(self: Tensor = NOBODY, /, *args: Any, **kwargs: Any) -> Any:
    check_bound(self, "nonzero")
    _, values = _NONZERO_METHOD.read(args, kwargs)
    return _nonzero(self, **values)


_nonzero_method.__name__ = _nonzero_method.__qualname__ = "nonzero"
PUBLIC["nonzero"] = nonzero
setattr(Tensor, "nonzero", _nonzero_method)  # noqa: B010 -- mypy knows no such method


@reads("(Tensor input)")
def argwhere(input: Tensor) -> Tensor:
    """The positions of the elements that are not zero: (n, ndim)."""
    return _nonzero(input)


@reads("(Tensor input, *, int size, int fill_value=-1, Tensor? out=None)")
def nonzero_static(input: Tensor, size: int, fill_value: int = -1, out: Any = None) -> Tensor:
    """The first `size` positions of elements that are not zero, filled up with `fill_value`: (size, ndim)."""
    if size < 0:
        raise RuntimeError("nonzero_static: 'size' must be an non-negative integer")
    positions = _positions(input._data)[:size]
    result = np.full((size, input._data.ndim), fill_value, np.int64)
    result[: len(positions)] = positions
    if out is not None and out._data.dtype != np.int64:
        raise RuntimeError(
            f"nonzero_static: Expected out tensor to have scalar type Long but got scalar type{out.dtype.title}"
        )
    return into(out, wrap(result))


def unravel_index(indices: Any, shape: Any) -> tuple[Tensor, ...]:
    """The coordinates, in a tensor of `shape`, of the elements with these numbers: a tensor for each dimension."""
    if indices.is_complex() or indices.is_floating_point() or indices._data.dtype.kind == "b":
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    if not isinstance(shape, (int, Sequence)):
        raise TypeError(f"expected 'shape' to be int or sequence of ints, but got {type(shape)}")
    extents = (shape,) if isinstance(shape, int) else tuple(shape)
    for each in extents:
        if not isinstance(each, int):
            raise TypeError(f"expected 'shape' sequence to only contain ints, but got {type(each)}")
    if any(each < 0 for each in extents):
        raise ValueError(f"'shape' cannot have negative values, but got {extents}")
    if 0 in extents and indices._data.size:
        raise RuntimeError("ZeroDivisionError")
    reads_values("unravel_index()")
    steps = [math.prod(extents[place + 1 :]) for place in range(len(extents))]
    coordinates = [
        indices._data.astype(np.int64) // max(step, 1) % max(size, 1) for step, size in zip(steps, extents, strict=True)
    ]
    if not coordinates:
        return ()
    together: Any = wrap(np.stack(coordinates, -1))
    return together.unbind(-1)


PUBLIC["unravel_index"] = unravel_index


_WHERE = TABLE["where"].reader(method=False)


def _operand(value: Any) -> Any:
    return value if isinstance(value, Tensor) else python_value(value)


def where_by_signature(args: Any, kwargs: dict[str, Any]) -> Any:
    """`where` in the forms that are not read at a glance."""
    _, values = _WHERE.read(args, kwargs)
    condition = values["condition"]
    if len(values) == 1:
        return _nonzero(condition, as_tuple=True)
    if condition._data.dtype == np.uint8:
        warn_of_call(
            "where received a uint8 condition tensor. This behavior is deprecated and will be removed in a future version of "
            "PyTorch. Use a boolean condition instead.",
        )
    if condition._data.dtype.kind != "b" and condition._data.dtype != np.uint8:
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.dtype.title}"
        )
    input, other = values["self"] if "self" in values else values["input"], values["other"]
    out = values.get("out")
    if out is None:
        return TABLE["where"].apply(condition, _operand(input), _operand(other))
    expected = promote_types(input.dtype, other.dtype)
    if out.dtype is not expected:
        raise RuntimeError(f"Expected out type to be {expected.title} but got {out.dtype.title}")
    return FUNCTIONS["where"](condition, input, other, out=out)


# -- elements --------------------------------------------------------------------------------------------------------


@reads("(Tensor input, Tensor indices, int? dim=None, *, Tensor? out=None)")
def take_along_dim(input: Any, indices: Any, dim: int | None = None, out: Any = None) -> Tensor:
    """The elements that `indices` choose along `dim`, the other dimensions broadcast; without `dim`, of all in a row."""
    if dim is None:
        return FUNCTIONS["gather"](input.view(-1), 0, indices.view(-1), out=out)
    if input.ndim != indices.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input.ndim} dimensions for input, and {indices.ndim} dimensions for indices"
        )
    if indices._data.dtype != np.int64:
        raise RuntimeError(f"torch.take_along_dim(): dtype of indices should be Long but got {indices.dtype.title}")
    dim = wrap_dim(dim, input.ndim)
    if not input.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    common = broadcast_shapes(_with(input.shape, dim, indices.shape), tuple(indices.shape))
    chosen = indices.expand(common)
    input = input.expand(_with(common, dim, input.shape))
    chosen = chosen.remainder(input.shape[dim]) if chosen.numel() else chosen
    return FUNCTIONS["gather"](input, dim, chosen, out=out)


def _with(shape: Any, dim: int, other: Any) -> tuple[int, ...]:
    """`shape` with the size that `other` has at `dim`."""
    return (*shape[:dim], *other[dim : dim + 1], *shape[dim + 1 :])


@reads(
    "(Tensor elements, Tensor test_elements, *, bool assume_unique=False, bool invert=False, Tensor? out=None)",
    "(Number element, Tensor test_elements, *, bool assume_unique=False, bool invert=False, Tensor? out=None)",
    "(Tensor elements, Number test_element, *, bool assume_unique=False, bool invert=False, Tensor? out=None)",
    method=False,
)
def isin(assume_unique: bool = False, invert: bool = False, out: Any = None, **operands: Any) -> Tensor:
    """Whether each element is among the test elements."""
    reads_values("isin()")
    elements, tests = (each._data if isinstance(each, Tensor) else np.asarray(each) for each in operands.values())
    for each in (elements, tests):
        if each.dtype.kind in "bc":
            raise RuntimeError(f"Unsupported input type encountered for isin(): {title(each)}")
    elements, tests = (each.astype(np.float32) if each.dtype.kind == "V" else each for each in (elements, tests))
    return into(out, wrap(np.isin(elements, tests, invert=invert)), "isin")
