"""What tensors do with storages: ask for theirs, be laid into another, be resized."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _storage
from .._capture import mode, structure
from .._device import device as Device
from .._functions import by_signature
from .._history import alone
from .._layout import (
    contiguous_format,
    contiguous_strides,
    format_strides,
    memory_format,
    offset_of,
    preserve_format,
    root_of,
    seen_like,
    strides_of,
    suggested_format,
)
from .._once import warn_once
from .._set_data import replace_saved
from .._storage import Array, TypedStorage, UntypedStorage, placed, resize_root, storage_of
from .._tensor import Tensor
from .._writing import check_writable, rebase
from ..autograd.graph import NotImplementedNode, note_shape, renew_end
from ..ops import TABLE
from ..ops._checks import c_name

PUBLIC: dict[str, Any] = dict(_storage.PUBLIC)

_DEPRECATED = (
    "TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be the only storage class. This "
    "should only matter to you if you are using storages directly.  To access UntypedStorage directly, use "
    "tensor.untyped_storage() instead of tensor.storage()"
)


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    setattr(Tensor, function.__name__, function)
    return function


@_method
@alone
def untyped_storage(self: Tensor) -> UntypedStorage:
    """The memory in which this tensor lies."""
    return storage_of(self._data)


@_method
def storage(self: Tensor) -> TypedStorage:
    """The memory in which this tensor lies, as elements of its dtype."""
    warn_once(_DEPRECATED)
    return TypedStorage(wrap_storage=storage_of(self._data), dtype=self.dtype)


@_method
def storage_type(self: Tensor) -> Any:
    return PUBLIC[f"{self.dtype.title}Storage"]


@_method
def is_shared(self: Tensor) -> bool:
    return storage_of(self._data).is_shared()


@_method
def share_memory_(self: Tensor) -> Tensor:
    """Note that other processes may use this memory; those that are forked see a copy of it."""
    storage_of(self._data).share_memory_()
    return self


@by_signature("(Tensor self, device? device=None)", public=False)
def is_pinned(self: Tensor, device: Any = None) -> bool:
    return False


@by_signature("(Tensor self, device? device=None)", public=False)
def pin_memory(self: Tensor, device: Any = None) -> Tensor:
    """RuntimeError: memory is pinned for an accelerator, and there is none."""
    if device is not None and Device(device).type == "cpu":
        raise RuntimeError("CPU device type not an accelerator.")
    raise RuntimeError("Cannot access accelerator device when none is available.")


@by_signature("(Tensor self, Tensor tensor)", public=False)
def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Whether both lie at the same place with the same shape and strides."""
    a, b = self._data, tensor._data
    return (
        a.__class__ is b.__class__ is np.ndarray  # torch compares copies of what is seen through bits
        and root_of(a) is root_of(b)
        and offset_of(a) == offset_of(b)
        and a.shape == b.shape
        and self.stride() == tensor.stride()
    )


def _place_in(self: Tensor, root: Array, size: Any, strides: Any, offset: int) -> Tensor:
    """Let a tensor lie in the memory of `root`, which grows where it has to; strides and offset in bytes."""
    if mode.recorder is not None:
        mode.recorder.refuse("a tensor is laid elsewhere in memory")
    kind = self._data.dtype
    needed = 0 if 0 in size else offset + kind.itemsize
    needed += sum((each - 1) * stride for each, stride in zip(size, strides, strict=True)) if needed else 0
    if needed > root.nbytes:
        root = resize_root(root, needed)
    old, self._data = self._data, seen_like(self._data, placed(root, size, strides, offset, kind))
    replace_saved(self, old)
    if mode.inference:  # where nothing of the graph is touched
        note_shape(self)
    else:
        renew_end(self)
    self._bump()
    structure.changed()
    return self


@by_signature(
    "(Tensor self)",
    "(Tensor self, Storage source)",
    "(Tensor self, Storage source, int storage_offset, int[] size, int[]? stride=None)",
    "(Tensor self, Tensor source)",
    "(Tensor self, Tensor source, int storage_offset, int[] size, int[]? stride=None)",
    public=False,
)
def set_(
    self: Tensor, source: Any = None, storage_offset: int | None = None, size: Any = None, stride: Any = None
) -> Tensor:
    """Let this tensor lie in the memory of `source`: a tensor, or a storage with offset, size and strides; or in none."""
    operands = [each for each in (self, source) if isinstance(each, Tensor)]
    if size is None and operands[-1]._data.dtype is not self._data.dtype:
        raise RuntimeError(
            f"Could not set tensor of type {c_name(operands[-1]._data)} to a tensor of type {c_name(self._data)}"
        )
    recording = mode.grad and any(each.requires_grad for each in operands)
    check_writable(self, recording)
    edges = tuple(each.grad_node() for each in operands) if recording else ()
    _place(self, source, storage_offset, size, stride)
    if recording:
        node = NotImplementedNode(edges, tuple(each._number for each in operands), self._data)
        rebase(self, node, TABLE["view"])  # which saves nothing
    return self


def _place(self: Tensor, source: Any, storage_offset: int | None, size: Any, stride: Any) -> Tensor:
    kind = self._data.dtype
    step = kind.itemsize
    if source is None:
        return _place_in(self, np.zeros(0, kind), (0,), (step,), 0)
    if isinstance(source, Tensor) and size is None:
        array = source._data
        return _place_in(self, root_of(array), array.shape, strides_of(array), offset_of(array))
    if isinstance(source, TypedStorage):
        if source.dtype is not self.dtype:
            raise RuntimeError(
                f"Expected a Storage of type {c_name(self._data)} or an UntypedStorage, but got type "
                f"{source.dtype.title} for argument 1 'storage'"
            )
        source = source.untyped()
    root = root_of(source._data) if isinstance(source, Tensor) else source._root
    if size is None:
        return _place_in(self, root, (root.nbytes // step,), (step,), 0)
    assert storage_offset is not None
    if storage_offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {storage_offset}")
    if stride is not None and len(stride) != len(size):
        raise RuntimeError(f"unequal size length ({len(size)}) and stride length ({len(stride)})")
    strides = contiguous_strides(size, step) if stride is None else tuple(each * step for each in stride)
    return _place_in(self, root, tuple(size), strides, storage_offset * step)


def _resized(self: Tensor, size: Any, wanted: memory_format) -> Tensor:
    if self.requires_grad and not mode.inference:
        raise RuntimeError("cannot resize variables that require grad")
    if min(size, default=0) < 0:
        raise RuntimeError("numel: integer multiplication overflow")
    array, size = self._data, tuple(size)
    strides = format_strides(size, wanted, array.itemsize)
    if array.shape == size:
        if wanted is not contiguous_format:
            self._data = seen_like(array, placed(root_of(array), size, strides, offset_of(array), array.dtype))
        return self
    return _place_in(self, root_of(array), size, strides, offset_of(array))


@by_signature("(Tensor self, int[] size, *, memory_format? memory_format=None)", public=False)
def resize_(self: Tensor, size: Any, memory_format: Any = None) -> Tensor:
    """Have another shape in the same memory, from the same offset on; the memory grows where it has to.

    What is new is zero here; torch leaves it undefined.
    """
    return _resized(self, size, memory_format or contiguous_format)


@by_signature("(Tensor input, Tensor the_template, *, memory_format? memory_format=None)", into=PUBLIC)
def resize_as_(input: Tensor, the_template: Tensor, memory_format: Any = None) -> Tensor:
    """`resize_` to the shape of another tensor; with `preserve_format` also to its memory format."""
    wanted = memory_format or contiguous_format
    if wanted is preserve_format:
        wanted = suggested_format(the_template._data)
    return _resized(input, the_template.shape, wanted)


def _out_of_place(name: str) -> Callable[..., Tensor]:
    """`resize` and `resize_as`, long deprecated: torch lets them change the shape only."""

    def method(self: Any, *size: Any) -> Tensor:
        target = size[0].shape if name == "resize_as" else size[0] if isinstance(size[0], (tuple, list)) else size
        warn_once("non-inplace resize is deprecated" if name == "resize" else "non-inplace resize_as is deprecated")
        count = int(np.prod(target, dtype=np.int64))
        if count != self.numel():
            raise RuntimeError(
                f"requested resize to {'x'.join(map(str, target))} ({count} elements in total), but the given tensor has a "
                f"size of {'x'.join(map(str, self.shape))} ({self.numel()} elements). autograd's resize can only change the "
                "shape of a given tensor, while preserving the number of elements. "
            )
        return self.contiguous().view(tuple(target))

    method.__name__ = method.__qualname__ = name
    return method


for _name in ("resize", "resize_as"):
    setattr(Tensor, _name, _out_of_place(_name))
