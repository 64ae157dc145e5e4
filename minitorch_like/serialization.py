"""`torch.save` and `torch.load`: torch's own files, which either library reads.

A file is a zip archive: the objects as a pickle, and beside it the memory of each storage once.  The pickle names torch's
classes and functions, so that torch can read it; those names are translated on the way in and on the way out.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import pickle
import sys
import zipfile
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from ._dtype import DTYPES, dtype
from ._layout import memory_of
from ._protocols import _in_rows, _lay, _memory_of, _over, _state_of
from ._size import Size
from ._tensor import Tensor
from .nn.parameter import Parameter, _rebuild_parameter, _rebuild_parameter_with_state

__all__ = ["add_safe_globals", "clear_safe_globals", "get_safe_globals", "load", "safe_globals", "save"]

_PACKAGE = __name__.partition(".")[0]
_VERSION = b"3\n"
_FIRST_BYTES = b"PK\x03\x04"


# -- names -------------------------------------------------------------------------------------------------------------


class _Global:
    """Something of torch's, by its name: pickled as a reference to that."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self, *args: Any) -> None:
        """Never called: what pickle takes for a function has to look like one."""


_REBUILD_TENSOR = _Global("torch._utils", "_rebuild_tensor_v2")
_REBUILD_FROM_TYPE = _Global("torch._tensor", "_rebuild_from_type_v2")
_STORAGES = {f"{kind.title}Storage": kind for kind in DTYPES}


def _storage_of(kind: dtype) -> _Global:
    return _Global("torch", f"{kind.title}Storage")


_OF_PARAMETERS: dict[Any, str] = {
    _rebuild_parameter: "_rebuild_parameter",
    _rebuild_parameter_with_state: "_rebuild_parameter_with_state",
}


def _as_torch(module: str) -> str:
    """The name of a module of the package's as torch's."""
    return f"torch{module[len(_PACKAGE) :]}" if module.partition(".")[0] == _PACKAGE else module


# Pickle in Python: names have to be translated as they are written.
_PICKLER: Any = vars(pickle)["_Pickler"]


# -- save --------------------------------------------------------------------------------------------------------------


class _Pickler(_PICKLER):  # type: ignore[misc]
    """Writes torch's names, and storages apart."""

    def __init__(self, file: Any, protocol: int) -> None:
        super().__init__(file, protocol)
        self.storages: dict[tuple[int, int], tuple[str, Any]] = {}

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, _Global):
            self._save_name(obj)
        elif isinstance(obj, dtype):
            self._save_name(_Global("torch", obj.name))
        else:
            super().save(obj, save_persistent_id)

    def _save_name(self, name: _Global) -> None:
        known = self.memo.get(key := ("name", name.module, name.name))
        if known is not None:
            self.write(self.get(known[0]))
            return
        self.write(pickle.GLOBAL + f"{name.module}\n{name.name}\n".encode())
        place = len(self.memo)
        self.write(self.put(place))
        self.memo[key] = place, name

    def save_global(self, obj: Any, name: str | None = None) -> None:
        module = getattr(obj, "__module__", None) or ""
        if isinstance(obj, FunctionType) and obj in _OF_PARAMETERS:
            self._save_name(_Global("torch._utils", _OF_PARAMETERS[obj]))
        elif module.partition(".")[0] == _PACKAGE:
            self._save_name(_Global(_as_torch(module), name or obj.__qualname__))
        else:
            super().save_global(obj, name)

    dispatch = {**_PICKLER.dispatch, FunctionType: save_global}  # noqa: RUF012

    def persistent_id(self, obj: Any) -> Any:
        if not isinstance(obj, _Memory):
            return None
        key = obj.array.__array_interface__["data"][0], obj.array.nbytes
        number, _ = self.storages.setdefault(key, (str(len(self.storages)), obj.array))
        return "storage", _storage_of(obj.kind), number, "cpu", obj.array.nbytes // obj.kind.itemsize

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, Parameter) and type(obj) is Parameter:
            return obj.__reduce_ex__(self.proto)
        if isinstance(obj, Tensor):
            return _reduced(obj)
        return NotImplemented


class _Memory:
    """The memory of a tensor, and what its elements are there."""

    def __init__(self, array: Any, kind: dtype) -> None:
        self.array, self.kind = array, kind


def _reduced(tensor: Any) -> tuple[Any, ...]:
    """How a tensor is made again: of a storage and its place in it."""
    from .utils.hooks import warn_if_has_hooks

    warn_if_has_hooks(tensor)
    state = _state_of(tensor)
    if type(tensor) is Tensor and not state:
        return _arguments(tensor, tensor.requires_grad)
    function, arguments = _arguments(tensor, tensor.requires_grad)
    return _REBUILD_FROM_TYPE, (function, type(tensor), arguments, state)


def _arguments(tensor: Any, requires_grad: bool) -> tuple[Any, ...]:
    base = tensor if tensor._view is None else tensor._view.base
    memory, start, strides = _memory_of(memory_of(tensor._data), memory_of(base._data))
    step = tensor.dtype.itemsize
    hooks: OrderedDict[int, Any] = OrderedDict()
    size = tuple(tensor.shape)
    places = tuple(each // step for each in strides) if tensor.numel() else tuple(tensor.stride())
    arguments = _Memory(memory, tensor.dtype), start // step, size, places, requires_grad, hooks
    seen = {name: True for name, bit in _BITS.items() if getattr(tensor._data, "bits", 0) & bit}
    return _REBUILD_TENSOR, (*arguments, seen) if seen else arguments


def save(
    obj: Any,
    f: Any,
    pickle_module: Any = pickle,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Write an object with all tensors in it to a file, or to an object with a `write`.

    Raises AttributeError for anything else, NotImplementedError for the format before zip archives.
    """
    if not isinstance(f, (str, os.PathLike)) and not hasattr(f, "write"):
        raise AttributeError("expected 'f' to be string, path, or a file-like object with a 'write' attribute")
    if not _use_new_zipfile_serialization:
        raise NotImplementedError("torch.save: files are written as zip archives alone")
    pickled = io.BytesIO()
    pickler = _Pickler(pickled, pickle_protocol)
    pickler.dump(obj)
    if isinstance(f, (str, os.PathLike)):
        name = Path(f).stem
        with Path(f).open("wb") as file:
            _write(file, name, pickled.getvalue(), pickler.storages)
        return
    archive = io.BytesIO()
    _write(archive, "archive", pickled.getvalue(), pickler.storages)
    f.write(archive.getvalue())


def _write(file: Any, name: str, pickled: bytes, storages: dict[Any, tuple[str, Any]]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_entry(name, "data.pkl"), pickled)
        archive.writestr(_entry(name, ".format_version"), b"1")
        archive.writestr(_entry(name, ".storage_alignment"), b"64")
        archive.writestr(_entry(name, "byteorder"), sys.byteorder.encode())
        for number, memory in storages.values():
            archive.writestr(_entry(name, f"data/{number}"), _in_rows(memory).reshape(-1).view(np.uint8).tobytes())
        archive.writestr(_entry(name, "version"), _VERSION)


def _entry(name: str, leaf: str) -> zipfile.ZipInfo:
    """An entry without a date: the same objects make the same file."""
    return zipfile.ZipInfo(f"{name}/{leaf}")


# As what a tensor's memory is seen, see `_conjugation`.
_BITS = {"conj": 1, "neg": 2}


# -- load --------------------------------------------------------------------------------------------------------------


def _rebuild_tensor(
    memory: Any,
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    requires_grad: bool,
    hooks: Any,
    seen: dict[str, bool] | None = None,
) -> Tensor:
    step = memory.kind.itemsize
    array: Any = _lay(
        memory.array, offset * step, tuple(each * step for each in stride), memory.kind.numpy, tuple(size)
    )
    if seen:
        from ._conjugation import unresolved

        array = unresolved(array, sum(_BITS[name] for name in seen))
    result = _over(array)
    result.requires_grad = requires_grad
    return result


def _rebuild_from_type(function: Any, kind: type, arguments: Any, state: Any) -> Any:
    result = function(*arguments)
    if type(result) is not kind:
        result = result.as_subclass(kind)
    attributes = state[0] if isinstance(state, tuple) else state
    for name, value in (attributes or {}).items():
        setattr(result, name, value)
    return result


_OF_TORCH: dict[tuple[str, str], Any] = {
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _rebuild_parameter_with_state,
    ("torch._tensor", "_rebuild_from_type_v2"): _rebuild_from_type,
    **{("torch", kind.name): kind for kind in DTYPES},
    **{("torch", name): kind for name, kind in _STORAGES.items()},
}
_safe: list[Any] = []


def _safe_by_default() -> dict[tuple[str, str], Any]:
    from ._device import device

    return {
        **_OF_TORCH,
        ("torch", "Size"): Size,
        ("torch", "device"): device,
        ("torch", "Tensor"): Tensor,
        ("torch.nn.parameter", "Parameter"): Parameter,
        ("collections", "OrderedDict"): OrderedDict,
        ("collections", "Counter"): Counter,
        ("collections", "defaultdict"): defaultdict,
        ("builtins", "set"): set,
        ("builtins", "complex"): complex,
        ("builtins", "bytearray"): bytearray,
        ("_codecs", "encode"): codecs.encode,
    }


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Let `load(weights_only=True)` make objects of these classes and call these functions."""
    _safe.extend(safe_globals)


def get_safe_globals() -> list[Any]:
    return list(_safe)


def clear_safe_globals() -> None:
    _safe.clear()


@contextlib.contextmanager
def safe_globals(safe_globals: list[Any]) -> Iterator[None]:
    """`add_safe_globals` within it."""
    before = list(_safe)
    add_safe_globals(safe_globals)
    try:
        yield
    finally:
        _safe[:] = before


def _unsafe(module: str, name: str) -> pickle.UnpicklingError:
    full = f"{module}.{name}"
    return pickle.UnpicklingError(
        "Weights only load failed. This file can still be loaded, to do so you have two options, \x1b[1mdo those steps only "
        "if you trust the source of the checkpoint\x1b[0m. \n\t(1) In PyTorch 2.6, we changed the default value of the "
        "`weights_only` argument in `torch.load` from `False` to `True`. Re-running `torch.load` with `weights_only` set to "
        "`False` will likely succeed, but it can result in arbitrary code execution. Do it only if you got the file from a "
        "trusted source.\n\t(2) Alternatively, to load with `weights_only=True` please check the recommended steps in the "
        f"following error message.\n\tWeightsUnpickler error: Unsupported global: GLOBAL {full} was not an allowed global "
        f"by default. Please use `torch.serialization.add_safe_globals([{full}])` or the "
        f"`torch.serialization.safe_globals([{full}])` context manager to allowlist this global if you trust this "
        "class/function.\n\nCheck the documentation of torch.load to learn more about types accepted by default with "
        "weights_only https://pytorch.org/docs/stable/generated/torch.load.html."
    )


class _Unpickler(pickle.Unpickler):
    """Reads torch's names as the package's own."""

    def __init__(
        self, file: Any, archive: zipfile.ZipFile, prefix: str, weights_only: bool, place: Any, **args: Any
    ) -> None:
        super().__init__(file, **args)
        self.archive, self.prefix, self.place = archive, prefix, place
        self.allowed = _safe_by_default() if weights_only else None
        self.memories: dict[str, Any] = {}

    def find_class(self, module: str, name: str, /) -> Any:
        module = "builtins" if module == "__builtin__" else module  # its name when protocol 2 was new
        if self.allowed is not None:
            found = self.allowed.get((module, name))
            if found is None:
                own = {(_as_torch(each.__module__), each.__qualname__): each for each in _safe}
                found = own.get((module, name))
            if found is None:
                raise _unsafe(module, name)
            return found
        if (module, name) in _OF_TORCH:
            return _OF_TORCH[module, name]
        if module.partition(".")[0] == "torch":
            module = f"{_PACKAGE}{module[len('torch') :]}"
        return super().find_class(module, name)

    def persistent_load(self, saved: Any) -> Any:
        _, kind, number, location, _ = saved
        _check_location(location, self.place)
        if number not in self.memories:
            stored = self.archive.read(f"{self.prefix}/data/{number}")
            self.memories[number] = np.frombuffer(bytearray(stored), np.uint8)
        return _Memory(self.memories[number], kind)


def _check_location(location: str, place: Any) -> None:
    if location != "cpu" and place is None:
        raise RuntimeError(
            "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False. If you are running on "
            "a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to map your storages to the CPU."
        )


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Read what `save` (or torch's) has written.

    With `weights_only`, as by default, only tensors, plain Python objects and what was declared safe.
    Raises pickle.UnpicklingError for anything else then, RuntimeError for a file that is no archive.
    """
    weights_only = pickle_module is None if weights_only is None else weights_only
    if isinstance(f, (str, os.PathLike)):
        with Path(f).open("rb") as file:
            return _load(file, map_location, weights_only, pickle_load_args)
    try:
        f.seek(f.tell())
    except (io.UnsupportedOperation, AttributeError) as error:
        attribute = next((each for each in ("seek", "tell") if not hasattr(f, each)), "seek")
        raise AttributeError(
            f"'{type(f).__name__}' object has no attribute '{attribute}'. You can only torch.load from a file that is "
            "seekable. Please pre-load the data into a buffer like io.BytesIO and try to load from it instead."
        ) from error
    return _load(f, map_location, weights_only, pickle_load_args)


def _load(file: Any, place: Any, weights_only: bool, args: dict[str, Any]) -> Any:
    start = file.tell()
    first = file.read(len(_FIRST_BYTES))
    file.seek(start)
    if not first:
        raise EOFError
    if first != _FIRST_BYTES:
        raise RuntimeError("Invalid magic number; corrupt file?")
    with zipfile.ZipFile(io.BytesIO(file.read())) as archive:
        name = next((each for each in archive.namelist() if each.endswith("/data.pkl")), None)
        if name is None:
            raise RuntimeError("PytorchStreamReader failed locating file data.pkl: file not found")
        prefix = name.removesuffix("/data.pkl")
        pickled = io.BytesIO(archive.read(name))
        return _Unpickler(pickled, archive, prefix, weights_only, place, **args).load()
