"""Storages: the memory behind tensors, as an object of its own.

The memory of a tensor is the array at the root of its array's chain of bases; a storage wraps that root.  When a storage
is resized its root is replaced, and the living tensors that lie in it are moved to the new one.  They are looked for
only then, so that nothing has to be kept for storages that nobody resizes.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from ._capture import mode, reads_values, structure
from ._device import device
from ._dtype import DTYPES, FROM_NUMPY, dtype, get_default_dtype
from ._layout import offset_of, root_of, seen_like, strides_of
from ._tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]
PUBLIC: dict[str, Any] = {}

# By the id of the root: the storages that somebody holds, and the roots that were declared to be shared.
_storages: weakref.WeakValueDictionary[int, UntypedStorage] = weakref.WeakValueDictionary()
_shared: weakref.WeakValueDictionary[int, Array] = weakref.WeakValueDictionary()


class UntypedStorage:
    """A piece of memory as a sequence of bytes."""

    __module__ = "minitorch_like.storage"

    __slots__ = ("__weakref__", "_root")

    _root: Array

    def __init__(self, content: Any = 0, *, device: Any = None) -> None:
        """`content`: a number of bytes, or the bytes."""
        self._root = np.zeros(content, np.uint8) if isinstance(content, int) else np.array(content, np.uint8)
        _storages[id(self._root)] = self

    @property
    def _bytes(self) -> Array:
        reads_values("a storage")
        return placed(self._root, (self._root.nbytes,), (1,), 0, np.dtype(np.uint8))

    @property
    def _cdata(self) -> int:
        """What is the same for the storages of tensors that share memory."""
        return id(self._root)

    def nbytes(self) -> int:
        return self._root.nbytes

    size = __len__ = __sizeof__ = nbytes

    def data_ptr(self) -> int:
        """The address of the first byte; 0 where there is none."""
        address: int = self._root.__array_interface__["data"][0]
        return address if self._root.nbytes else 0

    def element_size(self) -> int:
        return 1

    @property
    def device(self) -> device:
        return device("cpu")

    is_cuda = is_sparse = False

    def is_pinned(self, device: Any = None) -> bool:
        return False

    def is_shared(self) -> bool:
        return _shared.get(id(self._root)) is self._root

    def share_memory_(self) -> UntypedStorage:
        """Note that other processes may use this memory; those that are forked see a copy of it."""
        _shared[id(self._root)] = self._root
        return self

    def resizable(self) -> bool:
        return True

    def tolist(self) -> list[int]:
        return list(self._bytes.tolist())

    def __iter__(self) -> Iterator[int]:
        return iter(self.tolist())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return storage_of(self._bytes[index].copy())
        return int(self._bytes[self._place(index)])

    def __setitem__(self, index: Any, value: int) -> None:
        if not isinstance(value, int):
            raise RuntimeError(f"can only set storage content with a int types, but got {type(value).__name__} instead")
        if isinstance(index, slice):
            self._bytes[index] = value
        elif not isinstance(index, int):
            raise RuntimeError(f"can't index a torch.UntypedStorage with {type(index).__name__}")
        elif not -self.nbytes() <= index < self.nbytes():
            raise RuntimeError("out of bounds")
        else:
            self._bytes[index] = value

    def _place(self, index: Any) -> int:
        if not isinstance(index, int):
            raise TypeError(f"can't index a torch.UntypedStorage with {type(index).__name__}")
        size = self.nbytes()
        if not -size <= index < size:
            raise IndexError(f"index {index} out of range for storage of size {size}")
        return index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and other._root is self._root

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        lines = "".join(f" {each}\n" for each in self.tolist())
        return f"{lines}[torch.storage.UntypedStorage(device=cpu) of size {self.nbytes()}]"

    def resize_(self, size: int) -> UntypedStorage:
        """Have `size` bytes: the tensors that lie in this storage keep their contents, as far as there is room."""
        resize_root(self._root, size)
        return self

    def clone(self) -> UntypedStorage:
        return storage_of(self._bytes.copy())

    def copy_(self, source: UntypedStorage, non_blocking: bool = False) -> UntypedStorage:
        self._bytes[...] = source._bytes
        return self

    def fill_(self, value: int) -> UntypedStorage:
        self._bytes[...] = value
        return self

    def cpu(self) -> UntypedStorage:
        return self

    def __copy__(self) -> UntypedStorage:
        return self.clone()

    def __deepcopy__(self, memo: dict[int, Any]) -> UntypedStorage:
        if id(self) not in memo:
            memo[id(self)] = self.clone()
        copied: UntypedStorage = memo[id(self)]
        return copied


def storage_of(array: Array) -> UntypedStorage:
    """The storage in which an array lies: one object as long as somebody holds it."""
    root = root_of(array)
    found = _storages.get(id(root))
    if found is None:
        found = object.__new__(UntypedStorage)
        found._root = root
        _storages[id(root)] = found
    return found


def placed(root: Array, shape: Any, strides: Any, offset: int, dtype: Any) -> Array:
    """The array of a given shape, with byte strides and offset, in the memory of `root`."""
    if not root.flags.c_contiguous:
        root = root.transpose(sorted(range(root.ndim), key=lambda axis: -root.strides[axis]))
    return np.ndarray.__new__(np.ndarray, tuple(shape), dtype, root, min(offset, root.nbytes), tuple(strides))


def resize_root(root: Array, size: int) -> Array:
    """Replace the memory `root` by one of `size` bytes, for every living tensor in it.  Returns the new root.

    A tensor that has no room any more is left where it is, in the old memory.
    """
    if mode.recorder is not None:
        mode.recorder.refuse("a storage is resized")
    new = np.zeros(size, np.uint8)
    kept = min(size, root.nbytes)
    new[:kept] = placed(root, (kept,), (1,), 0, new.dtype)
    for each in gc.get_objects():
        if issubclass(type(each), Tensor):
            array = getattr(each, "_data", None)
            if array is not None and root_of(array) is root:
                with_room = _room(array) <= size
                if with_room:
                    moved = placed(new, array.shape, strides_of(array), offset_of(array), array.dtype)
                    each._data = seen_like(array, moved)
    storage = _storages.pop(id(root), None)
    if storage is not None:
        storage._root = new
        _storages[id(new)] = storage
    structure.changed()
    return new


def _room(array: Array) -> int:
    """The bytes of its memory that an array reaches into."""
    if not array.size:
        return 0
    last = sum((size - 1) * stride for size, stride in zip(array.shape, array.strides, strict=True))
    return offset_of(array) + int(last) + array.itemsize


# -- typed storages ------------------------------------------------------------------------------------------------


class TypedStorage:
    """A storage as a sequence of elements of one dtype.  torch deprecates it."""

    __module__ = "minitorch_like.storage"

    __slots__ = ("_untyped_storage", "dtype")

    def __init__(self, content: Any = 0, *, wrap_storage: Any = None, dtype: Any = None, device: Any = None) -> None:
        self.dtype: dtype = dtype or getattr(type(self), "element", None) or get_default_dtype()
        if wrap_storage is not None:
            self._untyped_storage = wrap_storage
        else:
            kind = self.dtype.numpy
            self._untyped_storage = storage_of(
                np.zeros(content, kind) if isinstance(content, int) else np.array(content, kind)
            )

    @property
    def _elements(self) -> Array:
        reads_values("a storage")
        root, kind = self._untyped_storage._root, self.dtype.numpy
        return placed(root, (root.nbytes // kind.itemsize,), (kind.itemsize,), 0, kind)

    @property
    def _cdata(self) -> int:
        return self._untyped_storage._cdata

    @property
    def device(self) -> device:
        return device("cpu")

    is_cuda = is_sparse = False

    def untyped(self) -> UntypedStorage:
        return self._untyped_storage

    def size(self) -> int:
        return self.nbytes() // self.element_size()

    __len__ = _size = size

    def nbytes(self) -> int:
        return self._untyped_storage.nbytes()

    def element_size(self) -> int:
        return self.dtype.itemsize

    def data_ptr(self) -> int:
        return self._untyped_storage.data_ptr()

    def tolist(self) -> list[Any]:
        return list(self._elements.tolist())

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def __getitem__(self, index: Any) -> Any:
        return self._elements[self._place(index)].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._elements[index if isinstance(index, slice) else self._place(index)] = value

    def _place(self, index: Any) -> int:
        if isinstance(index, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        if not isinstance(index, int):
            raise RuntimeError(f"can't index a {type(self)} with {type(index)}")
        size = self.size()
        if not -size <= index < size:
            raise IndexError(f"index {index} out of range for storage of size {size}")
        return index

    def __repr__(self) -> str:
        lines = "".join(f" {each}\n" for each in self.tolist())
        return f"{lines}[torch.storage.TypedStorage(dtype={self.dtype!r}, device=cpu) of size {self.size()}]"

    def is_shared(self) -> bool:
        return self._untyped_storage.is_shared()

    def is_pinned(self, device: Any = None) -> bool:
        return False

    def share_memory_(self) -> TypedStorage:
        self._untyped_storage.share_memory_()
        return self

    def resize_(self, size: int) -> TypedStorage:
        self._untyped_storage.resize_(size * self.element_size())
        return self

    def clone(self) -> TypedStorage:
        return TypedStorage(wrap_storage=self._untyped_storage.clone(), dtype=self.dtype)

    def copy_(self, source: TypedStorage, non_blocking: bool = False) -> TypedStorage:
        self._elements[...] = source._elements
        return self

    def fill_(self, value: Any) -> TypedStorage:
        self._elements[...] = value
        return self

    def cpu(self) -> TypedStorage:
        return self

    def type(self, dtype: Any = None) -> Any:
        """torch's name of this kind of storage."""
        return f"torch.{self.dtype.title}Storage"

    def pickle_storage_type(self) -> str:
        return f"{self.dtype.title}Storage"


def _storage_conversion(name: str, target: dtype) -> None:
    def of_typed(self: TypedStorage) -> TypedStorage:
        return TypedStorage(wrap_storage=storage_of(self._elements.astype(target.numpy)), dtype=target)

    def of_untyped(self: UntypedStorage) -> TypedStorage:
        return of_typed(TypedStorage(wrap_storage=self, dtype=FROM_NUMPY[np.dtype(np.uint8)]))

    setattr(TypedStorage, name, of_typed)
    setattr(UntypedStorage, name, of_untyped)


_NAMES = {
    "float32": "float", "float64": "double", "float16": "half", "int64": "long", "int32": "int", "int16": "short",
    "int8": "char", "uint8": "byte", "bool": "bool", "bfloat16": "bfloat16", "complex64": "complex_float",
    "complex128": "complex_double",
}  # fmt: skip
for _each in DTYPES:
    if _each.name in _NAMES:
        _storage_conversion(_NAMES[_each.name], _each)
        PUBLIC[f"{_each.title}Storage"] = type(
            f"{_each.title}Storage", (TypedStorage,), {"element": _each, "__slots__": (), "__module__": "torch"}
        )


def is_storage(obj: Any) -> bool:
    """Whether `obj` is a storage."""
    return isinstance(obj, (UntypedStorage, TypedStorage))


PUBLIC |= {"UntypedStorage": UntypedStorage, "TypedStorage": TypedStorage, "is_storage": is_storage}
