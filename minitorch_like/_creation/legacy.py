"""The constructors of old: `Tensor(...)`, `Tensor.new(...)`, `FloatTensor` and its siblings.

They take sizes or data, and tell them apart by form: `LongTensor(2, 3)` has six elements, `LongTensor([2, 3])` has two.
Memory that torch leaves uninitialised is zero here.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .._device import CPU, require_cpu
from .._device import device as Device
from .._dtype import DTYPES, dtype, get_default_dtype, set_default_dtype
from .._size import Size
from .._tensor import Tensor, wrap
from ..ops import TABLE
from ..ops._checks import c_name
from ..ops._misfits import type_name
from ..ops._signature import NOBODY, Reader, check_bound
from . import PUBLIC, check_size
from .sequences import is_sequence

_READER = Reader(
    "new",
    (
        "(*, device? device=None)",
        "(Storage storage)",
        "(Tensor other)",
        "(int[] size, *, device? device=None)",
        "(object data, *, device? device=None)",
    ),
)


def construct(
    cls: type[Any], kind: dtype | None, args: tuple[Any, ...], kwargs: dict[str, Any], *, new: bool = False
) -> Any:
    """What `cls(*args, **kwargs)` makes; `kind` is the dtype of a typed constructor, None for `Tensor` itself.

    new: it is the method `new`, which has a complaint of its own.
    """
    if kwargs.get("device") is not None:
        _check_device(kwargs["device"], args, new)
    to = kind or get_default_dtype()
    if (
        len(args) == 1
        and isinstance(args[0], (list, tuple))
        and type(args[0]) is not Size
        and kwargs.keys() <= {"device"}
    ):
        return _from_sequence(cls, args[0], to)
    _, values = _READER.read(args, kwargs)
    if "other" in values:
        return _alias(cls, values["other"], kind)
    if "storage" in values:
        return _as_class(wrap(np.empty(0, to.numpy)).set_(_checked_storage(values["storage"], to)), cls)
    if "size" in values:
        return wrap(np.zeros(check_size(values["size"]), to.numpy), cls)
    if "data" in values:
        return _from_sequence(cls, values["data"], to)
    return wrap(np.empty(0, to.numpy), cls)


def _check_device(where: Any, args: tuple[Any, ...], new: bool) -> None:
    if isinstance(where, (str, Device)):
        device = Device(where)
        if device.type != "cpu":
            raise RuntimeError(f"legacy constructor expects device type: cpu but device type: {device.type} was passed")
    if args and isinstance(args[0], Tensor) and len(args) == 1:
        raise RuntimeError(
            "Legacy tensor new of the form tensor.new(tensor, device=device) is not supported.  Use torch.as_tensor(...) "
            "instead."
            if new
            else "Legacy tensor constructor of the form torch.Tensor(tensor, device=device) is not supported.  Use "
            "torch.tensor(...) or torch.as_tensor(...) instead."
        )


def _as_class(tensor: Any, cls: type[Any]) -> Any:
    if cls is not Tensor:
        tensor.__class__ = cls
    return tensor


def _alias(cls: type[Any], other: Tensor, kind: dtype | None) -> Any:
    """Another tensor on the same memory, with the same history."""
    if kind is not None and other.dtype is not kind:
        raise TypeError(f"expected {_options(kind)} (got {_options(other.dtype)})")
    return _as_class(TABLE["alias"].apply(other), cls)


def _options(kind: dtype) -> str:
    """A dtype as torch's C++ prints all options of a tensor of it."""
    return (
        f"TensorOptions(dtype={c_name(np.empty(0, kind.numpy))}, device=cpu, layout=Strided, requires_grad=false (default), "
        "pinned_memory=false (default), memory_format=(nullopt))"
    )


def _checked_storage(storage: Any, kind: dtype) -> Any:
    own = getattr(storage, "dtype", kind)
    if own is not kind:
        raise RuntimeError(
            f"Expected a Storage of type {kind.title} or an UntypedStorage, but got type {own.title} for argument 1 "
            "'storage'"
        )
    return storage


def _from_sequence(cls: type[Any], data: Any, kind: dtype) -> Any:
    """Data in the dtype of the constructor; an ndarray's memory is shared where its dtype is that one."""
    if not is_sequence(data):
        raise TypeError(f"new(): data must be a sequence (got {type_name(data)})")
    return _as_class(PUBLIC["as_tensor"](data, dtype=kind), cls)


# -- the typed constructors ----------------------------------------------------------------------------------------------


class tensortype(type):
    """The class of `FloatTensor` and its siblings, which have no instances of their own: they make Tensors."""

    dtype: dtype

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return construct(Tensor, cls.dtype, args, kwargs)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype

    def __getattr__(cls, name: str) -> Any:
        return getattr(Tensor, name)

    def __reduce__(cls) -> str:
        return cls.__name__


def _reject_subclass(cls: type[Any]) -> None:
    raise TypeError(f"type 'torch.{cls.__mro__[1].__name__}' is not an acceptable base type")


def _typed(kind: dtype) -> tensortype:
    from .._layout import strided

    content = {
        "__module__": Tensor.__module__,
        "__init_subclass__": classmethod(_reject_subclass),
        "__doc__": f"Makes tensors of {kind!r}: of sizes, or of a sequence of numbers.",
        "dtype": kind,
        "layout": strided,
        "is_cuda": False,
        "is_sparse": False,
    }
    return tensortype(f"{kind.title}Tensor", (), content)


for _kind in DTYPES:
    if not _kind.is_complex:
        _type = _typed(_kind)
        PUBLIC[_type.__name__] = _type


def new(self: Tensor = NOBODY, /, *args: Any, **kwargs: Any) -> Any:
    """A tensor of this one's dtype, by the forms of `Tensor(...)`."""
    check_bound(self, "new")
    return construct(Tensor, self.dtype, args, kwargs, new=True)


Tensor.new = new  # type: ignore[attr-defined]


# -- the default type ------------------------------------------------------------------------------------------------------


def set_default_tensor_type(t: Any, /) -> None:
    """Deprecated: set the dtype of new floating-point tensors by a type of old, or by its name.

    Raises TypeError for what is no such type, or of no floating-point dtype.
    """
    if isinstance(t, str):
        t = _by_name(t)
    if type(t) is not tensortype:
        raise TypeError("invalid type object: only floating-point types are supported as the default type")
    if not t.dtype.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    warnings.warn(
        "torch.set_default_tensor_type() is deprecated as of PyTorch 2.1, please use torch.set_default_dtype() and "
        "torch.set_default_device() as alternatives.",
        stacklevel=2,
    )
    set_default_dtype(t.dtype)


def _by_name(name: str) -> Any:
    """'torch.FloatTensor' -> the type.  ModuleNotFoundError where there is no such module, as in torch."""
    module, _, own = name.rpartition(".")
    if module in ("torch", Tensor.__module__):
        return PUBLIC.get(own)
    if module == "torch.cuda":
        raise TypeError(f"type {name} not available. Torch not compiled with CUDA enabled.")
    raise ModuleNotFoundError(f"No module named '{module or own}'")


PUBLIC["set_default_tensor_type"] = set_default_tensor_type


# -- where tensors are made by default -----------------------------------------------------------------------------------


def get_default_device() -> Device:
    """The device of new tensors: the CPU."""
    return CPU


def set_default_device(device: Any) -> None:
    """Only the CPU can be made the default.  Raises torch's error for what names no device or another one."""
    if device is not None:
        require_cpu(device if isinstance(device, Device) else Device(device))


PUBLIC["get_default_device"] = get_default_device
PUBLIC["set_default_device"] = set_default_device
