"""Samples to batches: tensors are stacked, containers are kept."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any, TypeAlias

import numpy as np

import minitorch_like as torch
from minitorch_like._dtype import float64
from minitorch_like._tensor import Tensor, wrap

Collate: TypeAlias = Callable[..., Any]
Kinds: TypeAlias = type | tuple[type, ...]
FunctionMap: TypeAlias = dict[Kinds, Collate]

np_str_obj_array_pattern = re.compile(r"[SaUO]")
default_collate_err_msg_format = (
    "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"
)


def default_convert(data: Any) -> Any:
    """`data` with NumPy arrays and scalars, also inside containers, as tensors."""
    kind = type(data)
    if isinstance(data, Tensor):
        return data
    if isinstance(data, (np.ndarray, np.generic)):
        is_text = np_str_obj_array_pattern.search(data.dtype.str) is not None
        return data if is_text else torch.as_tensor(data)
    if isinstance(data, Mapping):
        return _mapping(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return kind(*map(default_convert, data))
    if isinstance(data, tuple):
        return list(map(default_convert, data))
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _sequence(data, list(map(default_convert, data)))
    return data


def _mapping(like: Any, values: dict[Any, Any]) -> Any:
    """`values` as a mapping of the type of `like`, if that can be made."""
    try:
        if isinstance(like, MutableMapping):
            clone = copy.copy(like)  # keeps what a subclass carries besides
            clone.update(values)
            return clone
        return type(like)(values)
    except TypeError:
        return values


def _sequence(like: Any, values: list[Any]) -> Any:
    """`values` as a sequence of the type of `like`, if that can be made."""
    try:
        if isinstance(like, MutableSequence):
            clone = copy.copy(like)
            for index, value in enumerate(values):
                clone[index] = value
            return clone
        return type(like)(values)
    except TypeError:
        return values


def collate(batch: Any, *, collate_fn_map: FunctionMap | None = None) -> Any:
    """A list of samples as a sample of batches, element by element by the functions of `collate_fn_map`.

    Raises TypeError for a type that is neither in the map nor a container, RuntimeError for sequences that
    differ in length.
    """
    sample = batch[0]
    kind = type(sample)
    if collate_fn_map is not None:
        function = collate_fn_map.get(kind)
        if function is None:
            kinds = (each for each in collate_fn_map if isinstance(sample, each))
            function = collate_fn_map.get(next(kinds, ()))
        if function is not None:
            return function(batch, collate_fn_map=collate_fn_map)

    def together(values: Any) -> Any:
        return collate(values, collate_fn_map=collate_fn_map)

    if isinstance(sample, Mapping):
        return _mapping(sample, {key: together([each[key] for each in batch]) for key in sample})
    if isinstance(sample, tuple) and hasattr(sample, "_fields"):
        return kind(*map(together, zip(*batch, strict=False)))
    if isinstance(sample, Sequence):
        if any(len(each) != len(sample) for each in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        values = list(map(together, zip(*batch, strict=True)))
        return values if isinstance(sample, tuple) else _sequence(sample, values)
    raise TypeError(default_collate_err_msg_format.format(kind))


def collate_tensor_fn(batch: Any, *, collate_fn_map: FunctionMap | None = None) -> Any:
    if all(type(each) is Tensor and not each.requires_grad for each in batch):
        arrays = [each._data for each in batch]
        if len({(array.shape, array.dtype) for array in arrays}) == 1:
            return wrap(np.stack(arrays))  # what torch.stack comes to when there is nothing to check or record
    return torch.stack(batch, 0)


def collate_numpy_array_fn(batch: Any, *, collate_fn_map: FunctionMap | None = None) -> Any:
    if np_str_obj_array_pattern.search(batch[0].dtype.str) is not None:
        raise TypeError(default_collate_err_msg_format.format(batch[0].dtype))
    return collate([torch.as_tensor(each) for each in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch: Any, *, collate_fn_map: FunctionMap | None = None) -> Any:
    return torch.as_tensor(batch)


def collate_float_fn(batch: Any, *, collate_fn_map: FunctionMap | None = None) -> Any:
    return torch.tensor(batch, dtype=float64)


def collate_int_fn(batch: Any, *, collate_fn_map: FunctionMap | None = None) -> Any:
    return torch.tensor(batch)


def collate_str_fn(batch: Any, *, collate_fn_map: FunctionMap | None = None) -> Any:
    return batch


default_collate_fn_map: FunctionMap = {
    Tensor: collate_tensor_fn,
    np.ndarray: collate_numpy_array_fn,
    (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


def default_collate(batch: Any) -> Any:
    """A batch of a list of samples: tensors, arrays and numbers stacked, strings listed, containers kept.

    Floats become float64, integers int64.  Raises TypeError for other types.
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)
