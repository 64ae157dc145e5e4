"""`tensor[index] = value` in general: with history, and with torch's errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._capture import mode
from .._in_place import check_separate, has_overlap, warn_if_expanded, written
from .._record import version_of
from .._tensor import Tensor, wrap
from .._writing import check_writable
from ..ops import TABLE
from ..ops._checks import c_name, overlapping, sizes
from ..ops._scalars import number_as
from ..ops.indexing import put_into, selected_shape, view_node
from . import note_versions, viewed_at
from .parsing import check_mask, checked_arrays, parse, type_name

_INDEX_PUT = TABLE["index_put"]


def put_recorded(tensor: Tensor, index: Any, value: Any) -> None:
    """`tensor[index] = value`, recorded as an in-place write."""
    value = value if isinstance(value, Tensor) else _as_value(value, tensor)
    if index is False:
        return  # torch does nothing at all, not even a check of the shape
    _, basic, advanced, sources = parse(tensor._data, None if index is True else index)
    whole = basic is None or view_node(tensor._data.shape, basic) == "AliasBackward0"
    target = tensor if basic is None or whole else viewed_at(tensor, basic, bare=False)
    if advanced is not None:
        put_at_arrays(target, advanced, _without_leading_ones(value), sources)
    elif value._data.ndim == 0 != target._data.ndim:
        target.fill_(value)
    elif value._data.shape == target._data.shape:
        target.copy_(value)
    else:
        value = _without_leading_ones(value)
        target.copy_(value if value._data.shape == target._data.shape else value.expand(target._data.shape))


def _as_value(value: Any, target: Tensor) -> Tensor:
    """A Python number as a 0-d tensor of the target's dtype."""
    if not isinstance(value, (bool, int, float, complex, np.integer)):
        raise TypeError(f"can't assign a {type_name(value)} to a {target.dtype.tensor_type}")
    number = int(value) if isinstance(value, np.integer) else value
    if isinstance(number, int) and number.bit_length() > 63 and number != -(2**63):
        raise ValueError("Overflow when unpacking long long")
    result: Tensor = wrap(number_as(number, target._data.dtype, saturate=True))
    return result


def _without_leading_ones(value: Tensor) -> Tensor:
    shape = value._data.shape
    kept = shape
    while kept and kept[0] == 1:
        kept = kept[1:]
    return value if kept == shape else value.view(kept)


def put_at_arrays(
    target: Tensor, index: tuple[Any, ...], value: Tensor, sources: tuple[Tensor, ...], accumulate: bool = False
) -> None:
    """`target[index] = value`, or `+=` with every repetition counted, for an index with arrays in it."""
    check_writable(target, mode.grad and value.grad_node() is not None)
    array = target._data
    shared = has_overlap(array)
    mask = _mask_of_fill(array, index, value, accumulate)
    if shared:
        warn_if_expanded(array, "index_put_", "tensor[indices] = tensor")
        if mask is not None:
            warn_if_expanded(array, "masked_fill_", "tensor[mask] = scalar")
    elif value is target and mask is None and array.__class__ is np.ndarray:
        raise overlapping()
    index = checked(target, index, value, accumulate, separate=not shared)
    if mode.grad and (target.requires_grad or value.requires_grad):
        for each in sources:
            version_of(each)
    node = written(_INDEX_PUT, put_into, target, value, index, accumulate)
    if node is not None:
        note_versions(node, sources, index)


def checked(
    target: Tensor, index: tuple[Any, ...], value: Tensor, accumulate: bool, *, separate: bool = False
) -> tuple[Any, ...]:
    """The index, with masks of truth values only, after torch's checks of an `index_put` but that of the elements.

    With `separate`, the value must not lie in the memory of the target.
    """
    array, given = target._data, value._data
    mask = _mask_of_fill(array, index, value, accumulate)
    if mask is not None:
        return _checked_fill(array, index, mask, given)
    if separate:
        check_separate(array, given)
    index = checked_arrays(array.shape, index)
    selected = selected_shape(array.shape, index)
    try:
        fits = np.broadcast_shapes(given.shape, selected) == selected
    except ValueError:
        fits = False
    if not fits:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {sizes(given.shape)} cannot be broadcast to indexing result of shape "
            f"{sizes(selected)}"
        )
    if given.dtype is not array.dtype:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {target.dtype.title} for the destination "
            f"and {value.dtype.title} for the source."
        )
    return index


def _mask_of_fill(array: Any, index: tuple[Any, ...], value: Tensor, accumulate: bool) -> Any:
    """The mask, where torch hands the write on to `masked_fill_`: of one value, by one mask.  None where it does not."""
    mask = None
    dim = 0
    if accumulate or value._data.size != 1:
        return None
    for each in index:
        if isinstance(each, np.ndarray):
            if mask is not None or not (each.dtype.kind == "b" or each.dtype == np.uint8):
                return None
            mask = each
            check_mask(array.shape, mask.shape, dim)
            dim += mask.ndim
        else:
            dim += 1
    return mask


def _checked_fill(array: Any, index: tuple[Any, ...], mask: Any, value: Any) -> tuple[Any, ...]:
    """The index where the write becomes a `masked_fill_`, which converts the value but takes no mask of bytes."""
    if mask.dtype.kind != "b":
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {c_name(mask)}")
    if value.dtype is not array.dtype:
        number_as(value.item(), array.dtype)
    return index
