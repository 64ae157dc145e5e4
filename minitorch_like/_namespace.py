"""Odds and ends of the torch namespace: constants, settings that scripts make, small questions."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ._capture import reads_values
from ._device import device as Device
from ._dtype import bfloat16, dtype, float16
from ._layout import jagged, sparse_bsc, sparse_bsr, sparse_coo, sparse_csc, sparse_csr
from ._once import warn_always, warn_of_call
from ._tensor import Tensor
from .amp import GradScaler, autocast
from .ops._misfits import no_arguments, only_argument, type_name
from .ops._signature import Reader

PUBLIC: dict[str, Any] = {
    "inf": math.inf,
    "nan": math.nan,
    "pi": math.pi,
    "e": math.e,
    "newaxis": None,
    "autocast": autocast,
    "GradScaler": GradScaler,
}


def _public(function: Callable[..., Any]) -> Callable[..., Any]:
    PUBLIC[function.__name__] = function
    return function


class OutOfMemoryError(RuntimeError):
    """What torch raises where a device has no memory left; never raised here."""

    __module__ = "minitorch_like"


class AcceleratorError(RuntimeError):
    """What torch raises where a device fails; never raised here."""

    __module__ = "minitorch_like"


PUBLIC |= {"OutOfMemoryError": OutOfMemoryError, "AcceleratorError": AcceleratorError}


def is_storage(obj: Any, /) -> bool:
    """Whether `obj` is the memory of tensors, without shape."""
    return type(obj).__name__.endswith("Storage") and hasattr(obj, "nbytes")


def typename(obj: Any, /) -> str:
    """The name of a type, or of the type of an object, with its module; of a tensor, its legacy type."""
    if isinstance(obj, Tensor):
        return obj.dtype.tensor_type
    named = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(named, "__module__", None)
    return named.__qualname__ if module in (None, "", "builtins") else f"{module}.{named.__qualname__}"


PUBLIC |= {"is_storage": is_storage, "typename": typename}
PUBLIC |= {each.name: each for each in (sparse_coo, sparse_csr, sparse_csc, sparse_bsr, sparse_bsc, jagged)}

# -- settings ----------------------------------------------------------------------------------------------------------


class _Settings:
    """What is set and told, and changes nothing: every algorithm here is deterministic, every product exact."""

    deterministic = False
    warn_only = False
    matmul_precision = "highest"
    warn_always = False


@_public
def use_deterministic_algorithms(mode: Any, *, warn_only: bool = False) -> None:
    """Ask for algorithms that give the same bits every time, which all do anyhow."""
    if not isinstance(mode, bool):
        kind = type(mode).__name__
        raise TypeError(f"_set_deterministic_algorithms(): argument 'mode' (position 1) must be bool, not {kind}")
    _Settings.deterministic, _Settings.warn_only = mode, mode and warn_only


@_public
def are_deterministic_algorithms_enabled() -> bool:
    return _Settings.deterministic


@_public
def is_deterministic_algorithms_warn_only_enabled() -> bool:
    return _Settings.warn_only


_DEBUG_MODES = {"default": 0, "warn": 1, "error": 2}


@_public
def set_deterministic_debug_mode(debug_mode: Any) -> None:
    """`use_deterministic_algorithms` by another name: "default" or 0, "warn" or 1, "error" or 2."""
    if not isinstance(debug_mode, (int, str)):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    if isinstance(debug_mode, str):
        if debug_mode not in _DEBUG_MODES:
            raise RuntimeError(
                f"invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got {debug_mode}"
            )
        debug_mode = _DEBUG_MODES[debug_mode]
    if debug_mode not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    use_deterministic_algorithms(debug_mode > 0, warn_only=debug_mode == 1)


@_public
def get_deterministic_debug_mode() -> int:
    if not _Settings.deterministic:
        return 0
    return 1 if _Settings.warn_only else 2


@_public
def set_float32_matmul_precision(precision: Any, /) -> None:
    """How exact matrix products of float32 have to be: "highest", "high" or "medium".  All are exact."""
    if not isinstance(precision, str):
        raise RuntimeError(f"set_float32_matmul_precision expects a str, but got {type(precision).__name__}")
    if precision in ("highest", "high", "medium"):
        _Settings.matmul_precision = precision
    else:
        warnings.warn(
            f"{precision} is not one of 'highest', 'high', or 'medium'; the currentsetFloat32MatmulPrecision call has no "
            "effect.",
            stacklevel=2,
        )


@_public
def get_float32_matmul_precision() -> str:
    return _Settings.matmul_precision


@_public
def set_flush_denormal(*args: Any, **kwargs: Any) -> bool:
    """(mode) -> whether tiny numbers become 0; False where that cannot be had, as here with True."""
    mode = only_argument("set_flush_denormal", args, kwargs)
    if not isinstance(mode, bool):
        raise RuntimeError(f"flush_denormal expects a bool, but got {type_name(mode)}")
    return not mode


@_public
def set_warn_always(b: Any, /) -> None:
    """Whether the warnings that are given once in a process are given every time; Python's filters come after that."""
    if not isinstance(b, bool):
        raise RuntimeError(f"setWarnOnlyOnce expects a bool, but got {type(b).__name__}")
    _Settings.warn_always = b
    warn_always(b)


@_public
def is_warn_always_enabled() -> bool:
    return _Settings.warn_always


# -- what torch was built with, and what is switched on -----------------------------------------------------------------


@_public
def is_vulkan_available(*args: Any, **kwargs: Any) -> bool:
    """False, whatever it is given: torch does not look at it either."""
    return False


@_public
def compiled_with_cxx11_abi() -> bool:
    return True


@_public
def is_autocast_enabled(*args: Any, **kwargs: Any) -> bool:
    """(device_type="cuda") -> False: see `amp`."""
    Device(_AUTOCAST.read(args, kwargs)[1].get("device_type", "cuda"))
    return False


_AUTOCAST = Reader("is_autocast_enabled", ("(str device_type)", "()"))


@_public
def get_autocast_dtype(*args: Any, **kwargs: Any) -> dtype:
    """(device_type) -> what autocast on that device would compute in: float16 on a GPU, bfloat16 elsewhere."""
    device_type = _AUTOCAST_DTYPE.read(args, kwargs)[1]["device_type"]
    return float16 if Device(device_type).type in ("cuda", "mps", "xpu") else bfloat16


_AUTOCAST_DTYPE = Reader("get_autocast_dtype", ("(str device_type)",))

# Questions about the build that have other names by now, and the answers.
RENAMED = {
    "has_cuda": ("torch.backends.cuda.is_built()", False),
    "has_cudnn": ("torch.backends.cudnn.is_available()", False),
    "has_mkldnn": ("torch.backends.mkldnn.is_available()", False),
    "has_mps": ("torch.backends.mps.is_built()", False),
}


def warn_of_old_name(name: str) -> bool:
    """What `torch.<name>` says, with a warning that it is asked elsewhere now."""
    new, answer = RENAMED[name]
    warn_of_call(f"'{name}' is deprecated, please use '{new}'")
    return answer


@_public
def is_autocast_cache_enabled(*args: Any, **kwargs: Any) -> bool:
    if args or kwargs:
        raise no_arguments("is_autocast_cache_enabled", args, kwargs, "torch")
    return True


@_public
def get_device_module(device: Any = None) -> ModuleType:
    """The module of a device: `torch.cpu`, `torch.cuda`, ..."""
    from importlib import import_module

    kind = "cpu" if device is None else Device(device).type
    if kind not in ("cpu", "cuda", "mps", "xpu"):
        raise RuntimeError(f"Device '{kind}' does not have a corresponding module registered as 'torch.{kind}'.")
    return import_module(f"{__package__}.{kind}")


# -- assertions -----------------------------------------------------------------------------------------------------------


@_public
def _assert(condition: Any, message: str) -> None:
    """`assert condition, message`"""
    reads_values("_assert()")
    assert condition, message


def _check_with(error_type: type[Exception], cond: Any, message: Callable[[], str] | None = None) -> None:
    """Raise `error_type(message())` unless the bool `cond` holds."""
    if not isinstance(cond, bool):
        raise TypeError(f"cond must be a bool, but got {type(cond)}")
    if not cond:
        raise error_type(
            str(message())
            if message is not None
            else "Expected cond to be True, but got False. (Could this error message be improved? If so, please report an "
            "enhancement request to PyTorch.)"
        )


@_public
def _check(cond: Any, message: Callable[[], str] | None = None) -> None:
    """Raise RuntimeError unless `cond` holds."""
    _check_with(RuntimeError, cond, message)


@_public
def _check_index(cond: Any, message: Callable[[], str] | None = None) -> None:
    """Raise IndexError unless `cond` holds."""
    _check_with(IndexError, cond, message)


@_public
def _check_value(cond: Any, message: Callable[[], str] | None = None) -> None:
    """Raise ValueError unless `cond` holds."""
    _check_with(ValueError, cond, message)


@_public
def _check_type(cond: Any, message: Callable[[], str] | None = None) -> None:
    """Raise TypeError unless `cond` holds."""
    _check_with(TypeError, cond, message)


@_public
def _check_not_implemented(cond: Any, message: Callable[[], str] | None = None) -> None:
    """Raise NotImplementedError unless `cond` holds."""
    _check_with(NotImplementedError, cond, message)
