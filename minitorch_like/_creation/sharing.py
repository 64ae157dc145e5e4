"""Memory that others own: buffers, arrays, DLPack capsules, and `asarray`, which takes any of them."""

from __future__ import annotations

import ctypes
import enum
from typing import Any

import numpy as np

from .._capture import mode
from .._device import require_cpu
from .._dtype import OF_PYTHON, dtype, get_default_dtype
from .._tensor import Tensor, wrap
from ..ops._signature import Reader
from . import PUBLIC, checked_array, reads, require_grad

Array = np.ndarray[Any, np.dtype[Any]]


def _warn_once(message: str) -> None:
    from .._once import warn_once

    warn_once(message)


_SUPPRESSED = "This type of warning will be suppressed for the rest of this program."


# -- arrays ------------------------------------------------------------------------------------------------------------


def rooted(array: Array) -> Array:
    """The same memory as a view of a byte array that begins with it, and that can be written to.

    That is the storage that torch sees, whatever the array is a part of; and torch knows no write protection.
    """
    begin, end = np.lib.array_utils.byte_bounds(array)
    memory = (ctypes.c_char * (end - begin if array.size else 0)).from_address(begin)
    memory.owner = array  # type: ignore[attr-defined]  # as long as the tensor lives, so does the array
    root = np.frombuffer(memory, np.uint8)  # type: ignore[call-overload]
    return np.ndarray(array.shape, array.dtype, root, 0, array.strides)


def warn_of_protected(array: Array) -> None:
    """Once in a program, where NumPy would not let an array be written to."""
    if not array.flags.writeable:
        _warn_once(
            "The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This means writing to "
            "this tensor will result in undefined behavior. You may want to copy the array to protect its data or make it "
            f"writable before converting it to a tensor. {_SUPPRESSED}"
        )


# -- buffers -----------------------------------------------------------------------------------------------------------


@reads("(object buffer, *, dtype dtype, int count=-1, int offset=0, bool requires_grad=False)")
def frombuffer(buffer: Any, dtype: dtype, count: int = -1, offset: int = 0) -> Tensor:
    """A vector on the memory of an object with Python's buffer interface, from `offset` bytes on."""
    return wrap(_from_buffer(buffer, dtype, int(count), int(offset)))


def _from_buffer(buffer: Any, kind: dtype, count: int = -1, offset: int = 0) -> Array:
    """The array of a buffer's elements.  ValueError where they do not fit into it."""
    try:
        view = memoryview(buffer)
    except TypeError:
        raise ValueError("object does not implement Python buffer protocol.") from None
    if not view.c_contiguous:
        raise RuntimeError("could not retrieve buffer from object")
    if view.readonly:
        _warn_once(
            "The given buffer is not writable, and PyTorch does not support non-writable tensors. This means you can write to "
            "the underlying (supposedly non-writable) buffer using the tensor. You may want to copy the buffer to protect its "
            f"data or make it writable before converting it to a tensor. {_SUPPRESSED}"
        )
    length, size = view.nbytes, kind.itemsize
    if not length or not count:
        raise ValueError(f"both buffer length ({length}) and count ({count}) must not be 0")
    if not 0 <= offset < length:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({length} bytes) minus 1"
        )
    left = length - offset
    if count < 0 and left % size:
        raise ValueError(
            f"buffer length ({left} bytes) after offset ({offset} bytes) must be a multiple of element size ({size})"
        )
    count = left // size if count < 0 else count
    if count * size > left:
        raise ValueError(
            f"requested buffer length ({count} * {size} bytes) after offset ({offset} bytes) must not be greater than actual "
            f"buffer length ({length} bytes)"
        )
    array = np.frombuffer(view, np.uint8, count * size, offset).view(kind.numpy)
    return rooted(array)


# -- asarray -----------------------------------------------------------------------------------------------------------

_ASARRAY = Reader(
    "asarray",
    ("(object obj, *, dtype? dtype=None, device? device=None, bool? copy=None, bool? requires_grad=None)",),
)


def asarray(*args: Any, **kwargs: Any) -> Tensor:
    """A tensor of any data, sharing its memory unless `copy` says otherwise or the dtype does not allow it."""
    values = _ASARRAY.read(args, kwargs)[1]
    obj, copy = values["obj"], values.get("copy")
    kind: dtype | None = OF_PYTHON.get(values.get("dtype"), values.get("dtype"))
    wants_grad = values.get("requires_grad")
    if wants_grad is None:
        wants_grad = isinstance(obj, Tensor) and obj.requires_grad
        if wants_grad:
            _warn_once(
                "torch.asarray: unspecified requires_grad now defaults to obj.requires_grad instead of False. Pass "
                "requires_grad=False explicitly to get the old behavior and silence this warning."
            )
    shared = _shared(obj, kind or get_default_dtype(), copy, wants_grad)
    if shared is None:
        if copy is False:
            raise ValueError("can't alias arbitrary sequence into a tensor.")
        result: Tensor = PUBLIC["tensor"](obj, dtype=kind, device=values.get("device"))
    else:
        result = _copied_if_needed(shared, obj, kind, values.get("device"), copy)
    if not result.is_leaf and not wants_grad:
        return result.detach()
    if wants_grad and not result.requires_grad:
        require_grad(result)
    elif not wants_grad:
        result.requires_grad = False
    return result


def _shared(obj: Any, kind: dtype, copy: bool | None, wants_grad: bool) -> Tensor | None:
    """A tensor on the memory of `obj`; None if it is data of another sort.

    That of a buffer requires grad already, so that a copy of it has a history.
    """
    if isinstance(obj, Tensor):
        return obj
    if isinstance(obj, np.generic):
        if copy is False:
            raise RuntimeError("can't alias NumPy scalars. Either remove copy=False or transform it in a ndarray. ")
        return wrap(checked_array(np.array(obj)))
    if isinstance(obj, np.ndarray):
        array = checked_array(obj)
        return wrap(rooted(array) if array.ndim else array.copy())  # torch takes one without dimensions for a scalar
    if type(obj).__name__ == "PyCapsule":
        return from_dlpack(obj)
    try:
        memoryview(obj)
    except TypeError:
        return None
    shared: Tensor = wrap(_from_buffer(obj, kind))
    if wants_grad:
        require_grad(shared)
    return shared


def _copied_if_needed(shared: Tensor, obj: Any, kind: dtype | None, device: Any, copy: bool | None) -> Tensor:
    if device is not None and str(device).partition(":")[0] != "cpu" and copy is False:
        raise ValueError(f"can't alias tensor from device 'cpu' to '{device}'.")
    require_cpu(device, "asarray")
    other = kind is not None and kind is not shared.dtype
    if isinstance(obj, (np.ndarray, np.generic)) and not obj.ndim:
        copy = None if copy is None else False  # it was copied already, and torch copies it no second time
    if copy is False and other:
        assert kind is not None
        raise ValueError(f"can't alias tensor with dtype '{shared.dtype.title}' into dtype '{kind.title}'.")
    if other:
        return shared.to(kind)
    if copy:
        return shared.clone()
    if isinstance(obj, np.ndarray) and obj.ndim:
        warn_of_protected(obj)
    return shared


PUBLIC["asarray"] = asarray


# -- DLPack ------------------------------------------------------------------------------------------------------------


class DLDeviceType(enum.IntEnum):
    """The devices of the DLPack specification."""

    kDLCPU = 1
    kDLCUDA = 2
    kDLCUDAHost = 3
    kDLOpenCL = 4
    kDLVulkan = 7
    kDLMetal = 8
    kDLVPI = 9
    kDLROCM = 10
    kDLROCMHost = 11
    kDLExtDev = 12
    kDLCUDAManaged = 13
    kDLOneAPI = 14
    kDLWebGPU = 15
    kDLHexagon = 16
    kDLMAIA = 17


def __dlpack__(
    self: Tensor, *, stream: Any = -1, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
) -> Any:
    """A capsule through which another library can use this memory.

    Raises BufferError for what a capsule cannot express: gradients, and a dtype that NumPy does not know.
    """
    if self.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    for bit, name in (("conjugated", "conjugate"), ("negated", "negative")):
        if getattr(self._data, bit, False):
            raise BufferError(f"Can't export tensors with the {name} bit set")
    if stream is not None and type(stream) is not int:
        raise TypeError("stream must be ``int`` or ``none``")
    if stream not in (None, -1):
        raise AssertionError("stream should be None on cpu.")
    if self._data.dtype.kind == "V":
        raise BufferError(f"minitorch_like cannot export {self.dtype} by DLPack")
    if mode.recorder is not None:
        mode.recorder.refuse("DLPack hands out memory that the plan would not see")
    versioned = max_version if max_version is not None and max_version[0] >= 1 else None
    return self._data.__dlpack__(dl_device=dl_device, copy=copy, max_version=versioned)


def __dlpack_device__(self: Tensor) -> tuple[enum.IntEnum, int]:
    return (DLDeviceType.kDLCPU, 0)


Tensor.__dlpack__ = __dlpack__  # type: ignore[attr-defined]
Tensor.__dlpack_device__ = __dlpack_device__  # type: ignore[attr-defined]


class _Capsule:
    """A capsule as an object that NumPy asks for one."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return (DLDeviceType.kDLCPU, 0)


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor on the memory that another library's array, or a DLPack capsule, offers."""
    if device is not None:
        require_cpu(device)
    if isinstance(ext_tensor, Tensor) and ext_tensor._data.dtype.kind == "V":
        shared = ext_tensor.detach()
        return shared.clone() if copy else wrap(shared._data)
    if not hasattr(ext_tensor, "__dlpack__"):
        if device is not None or copy is not None:
            raise AssertionError("device and copy kwargs not supported when ext_tensor is already a DLPack capsule.")
        if '"dltensor' not in repr(ext_tensor) or type(ext_tensor).__name__ != "PyCapsule":
            raise RuntimeError(
                "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed only once, so you "
                "might have already constructed a tensor from it once."
            )
        ext_tensor = _Capsule(ext_tensor)
    array = np.from_dlpack(ext_tensor, copy=copy)
    return wrap(rooted(checked_array(array)))


_TO_DLPACK = Reader("_to_dlpack", ("(Tensor data, *, int[]? dl_device=None, bool? copy=None)",))


def to_dlpack(*args: Any, **kwargs: Any) -> Any:
    """`tensor.__dlpack__()`, for a tensor that may require gradients."""
    values = _TO_DLPACK.read(args, kwargs)[1]
    return __dlpack__(values.pop("data").detach(), **values)


PUBLIC["from_dlpack"] = from_dlpack
PUBLIC["to_dlpack"] = to_dlpack
