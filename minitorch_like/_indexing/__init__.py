"""`tensor[index]` and `tensor[index] = value`.

As in torch, the ints, slices, None and Ellipsis of an index are applied first, as views; index tensors then select
from what is left.  (NumPy lets an int among index arrays count as one, which can move dimensions.)

What is common is read here, and quickly; all other indices are parsed by `_indexing.parsing`, which also has the errors.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from .. import _tensor
from .._apply import as_view
from .._capture import mode
from .._layout import strides_of
from .._record import new_node, version_of
from .._tensor import Tensor, new_tensor
from ..autograd.graph import Node, for_result, next_sequence, type_of_node
from ..ops import TABLE
from ..ops._checks import strided
from ..ops.indexing import view_node

ndarray = np.ndarray
_AT, _TAKE_AT = TABLE["at"], TABLE["take_at"]
_INT64, _BOOL = np.dtype(np.int64), np.dtype(np.bool_)
_BASIC = frozenset({int, type(None), type(Ellipsis)})
_INTS = frozenset({int})
_BOUNDS = frozenset({int, type(None)})
_INT64_RANGE = (-(2**63), 2**63 - 1)
_FLOAT32_RANGE = (-float(np.finfo(np.float32).max), float(np.finfo(np.float32).max))
# The Python numbers, by dtype and type, that NumPy writes as torch does.
_RANGES = {
    (np.dtype(np.float32), float): _FLOAT32_RANGE,
    (np.dtype(np.float32), int): _INT64_RANGE,
    (np.dtype(np.float64), float): (-inf, inf),
    (np.dtype(np.float64), int): _INT64_RANGE,
    (_INT64, int): _INT64_RANGE,
    (_BOOL, bool): (False, True),
}


def get(tensor: Tensor, index: Any) -> Tensor:
    """`tensor[index]`: a view for basic indices, otherwise a copy."""
    kind = index.__class__
    x = tensor._data
    try:
        if kind is int:
            return _viewed(tensor, x[index] if x.ndim > 1 else x[index, ...], (index,), "SelectBackward0")
        if kind is tuple and _is_basic(index):
            array = x[index]
            if array.__class__ is not ndarray:
                array = x[(*index, ...)]
            if not array.size:
                array = _placed(x, array, index)
            return _viewed(tensor, array if None not in index else _with_steps(x, array, index), index, None)
    except (IndexError, OverflowError):
        pass  # `parse` knows torch's words, and what torch allows
    else:
        if index is None:
            return _viewed(tensor, _with_steps(x, x[None], (None,)), (None,), "UnsqueezeBackward0")
        if kind is slice and x.ndim and _is_plain(index):
            array = x[index]
            return _viewed(tensor, array if array.size else _placed(x, array, (index,)), (index,), "SliceBackward0")
        if kind is Tensor:
            data = index._data
            if (
                data.ndim
                and x.ndim
                and (data.dtype is _INT64 or (data.dtype is _BOOL and x.shape[: data.ndim] == data.shape))
            ):
                return _taken(tensor, (data,), (index,))
        elif kind is tuple and 0 < len(index) <= x.ndim:
            arrays = [each._data for each in index if each.__class__ is Tensor and each._data.dtype is _INT64]
            if len(arrays) == len(index) and () not in [each.shape for each in arrays]:
                return _taken(tensor, tuple(arrays), index)
        elif kind is list and index and x.ndim and set(map(type, index)) == _INTS:
            data = np.array(index)
            if data.dtype is _INT64:
                return _taken(tensor, (data,), ())
    return _parsed(tensor, index)


def _is_basic(index: tuple[Any, ...]) -> bool:
    """Whether NumPy reads this index as torch does, but for errors and repeated Ellipsis."""
    for each in index:  # noqa: SIM110 -- a generator costs more than what it looks at
        if each.__class__ not in _BASIC and not (each.__class__ is slice and _is_plain(each)):
            return False
    return True


def _is_plain(item: slice) -> bool:
    return item.step is None and item.start.__class__ in _BOUNDS and item.stop.__class__ in _BOUNDS


def _viewed(tensor: Tensor, array: Any, index: tuple[Any, ...], name: str | None) -> Tensor:
    """`array`, which is `tensor._data[index]`, as a view of `tensor`; `name`: of the node, None where the index tells."""
    out: Tensor = new_tensor(Tensor)
    out._data = array
    out._node = out._grad = None
    out._number = 0
    if not mode.grad:
        return as_view(out, tensor, "no_grad")
    edge = tensor._node if tensor._view is None else tensor.grad_node()
    if edge is not None:
        name = name or view_node(tensor._data.shape, index)
        node: Node = new_node(for_result(_AT.node_types.get(name) or type_of_node(_AT, name), array))
        node.inputs = (edge,)
        node.numbers = (tensor._number,) if tensor._number else None
        node.sequence = next_sequence()
        node.hooks = None
        node.shape, node.dtype = array.shape, array.dtype
        node.saved, node.versions = (tensor._data.shape, index), ()  # in the order of `_AT.saves`
        out._node = node
    return as_view(out, tensor)


def _with_steps(x: Any, array: Any, index: tuple[Any, ...]) -> Any:
    """`array`, which is `x[index]`, with the strides that torch gives to new dimensions: those of `unsqueeze`."""
    if array.__class__ is not ndarray:
        return array.over(_with_steps(x.memory, array.memory, index))
    if array.size == x.size and x.flags.c_contiguous and x.size:
        return x.reshape(array.shape)
    own, strides = strides_of(x), list(array.strides)
    at = dim = 0
    for each in index:
        if each is None:
            strides[at] = x.shape[dim] * own[dim] if dim < x.ndim else x.itemsize
            at += 1
        elif each is Ellipsis:
            free = x.ndim - sum([part is not None and part is not Ellipsis for part in index])
            at, dim = at + free, dim + free
        else:
            at, dim = at + (each.__class__ is slice), dim + 1
    return strided(array, array.shape, strides)


def _placed(x: Any, array: Any, index: tuple[Any, ...]) -> Any:
    """`array`, which is `x[index]` and empty, at the place in memory and with the strides that torch gives it.

    NumPy lets all that is empty begin where x does.
    """
    if array.__class__ is not ndarray:
        return array
    from ..ops.indexing import storage_offset_of

    own, dim = strides_of(x), 0
    strides, offset = [], storage_offset_of(x) * x.itemsize
    free = x.ndim - sum([part is not None and part is not Ellipsis for part in index])
    for each in index if Ellipsis in index else (*index, Ellipsis):
        if each is None:
            strides.append(0)  # as `_with_steps` will have it
        elif each is Ellipsis:
            strides += own[dim : dim + free]
            dim += free
        elif each.__class__ is slice:
            start, _, step = each.indices(x.shape[dim])
            offset += min(start, x.shape[dim]) * own[dim]
            strides.append(own[dim] * step)
            dim += 1
        else:
            offset += (each + x.shape[dim] if each < 0 else each) * own[dim]
            dim += 1
    return strided(array, array.shape, strides, offset)


def _taken(view: Tensor, index: tuple[Any, ...], sources: tuple[Tensor, ...]) -> Tensor:
    """`view[index]` by index arrays; `sources` are the tensors among them, which backward must find unchanged."""
    result: Tensor = _TAKE_AT.apply(view, index)
    if result._node is not None:
        note_versions(result._node, sources, index)
    return result


def note_versions(node: Node, sources: tuple[Tensor, ...], index: tuple[Any, ...]) -> None:
    """Have backward refuse where one of these index tensors has been written to since, and free the index then."""
    node.versions = [
        *node.versions,
        *((each._version_counter, version_of(each), each._data) for each in sources),
    ] or [([0], 0, index)]


def _parsed(tensor: Tensor, index: Any) -> Tensor:
    from .parsing import checked_arrays, parse

    index, basic, advanced, sources = parse(tensor._data, index)
    view = tensor if basic is None else viewed_at(tensor, basic, bare=not isinstance(index, tuple))
    if advanced is None:
        return view
    return _taken(view, checked_arrays(view._data.shape, advanced), sources)


def viewed_at(tensor: Tensor, basic: tuple[Any, ...], *, bare: bool) -> Tensor:
    """The view at a parsed index.  A slice that stands alone names its node even where it does nothing."""
    x = tensor._data
    array = x[(*basic, ...) if Ellipsis not in basic else basic]
    if None in basic:
        array = _with_steps(x, array, basic)
    return _viewed(tensor, array, basic, "SliceBackward0" if bare and basic[0].__class__ is slice else None)


# -- writing -------------------------------------------------------------------------------------------------------


def put(tensor: Tensor, index: Any, value: Any) -> None:
    """`tensor[index] = value`, recorded as an in-place write."""
    if not _put_directly(tensor, index, value):
        from .writing import put_recorded

        put_recorded(tensor, index, value)


def _put_directly(tensor: Tensor, index: Any, value: Any) -> bool:
    """Write without ceremony where nothing can be objected to or has to be recorded; whether that was so."""
    x = tensor._data
    kind = index.__class__
    if kind is Tensor and index._data.dtype is _INT64 and index._data.ndim:
        index = index._data
    elif kind is not int and not (kind is slice and _is_plain(index)) and not (kind is tuple and _is_basic(index)):
        return False
    counter = tensor._version_counter
    if counter.__class__ is not list or mode.recorder is not None or not x.flags.c_contiguous:
        return False
    view = tensor._view
    if mode.grad and (tensor._node is not None or (view is not None and view.base._node is not None)):
        return False
    if value.__class__ is Tensor:
        array = value._data
        if array.dtype is not x.dtype or (mode.grad and value.grad_node() is not None):
            return False
        if np.may_share_memory(x, array):
            return _put_elsewhere(x, index, array, counter)
    else:
        array = value
        bounds = _RANGES.get((x.dtype, value.__class__))
        if bounds is None or not bounds[0] <= value <= bounds[1]:
            return False
    try:
        x[index] = array
    except (IndexError, ValueError, TypeError):
        return False  # torch's error is raised where it is looked for
    counter[0] += 1
    return True


def _put_elsewhere(x: Any, index: Any, array: Any, counter: list[int]) -> bool:
    """The same for a value within the memory of `x`, as long as it is not in the part that is written to."""
    try:
        target = x[index]
        if index.__class__ is ndarray or target.__class__ is not ndarray or np.may_share_memory(target, array):
            return False
        target[...] = array
    except (IndexError, ValueError):
        return False
    counter[0] += 1
    return True


if vars(Tensor)["__getitem__"].__module__ == _tensor.__name__:  # where nobody else has put something there
    Tensor.__getitem__ = get  # type: ignore[method-assign]
    Tensor.__setitem__ = put  # type: ignore[method-assign]
