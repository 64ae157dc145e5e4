"""`torch.cuda` where there is none: questions are answered, so that scripts which ask before they act run on.

What needs a device raises torch's AssertionError.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NoReturn

from .._namespace import OutOfMemoryError
from . import amp

__all__ = ["OutOfMemoryError", "amp", "device", "device_count", "is_available"]

has_half = True
has_magma = False


def is_available() -> bool:
    """False: the CPU is the only device."""
    return False


def is_initialized() -> bool:
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    return False


def is_tf32_supported() -> bool:
    return False


def device_count() -> int:
    return 0


def get_arch_list() -> list[str]:
    return []


def get_gencode_flags() -> str:
    return ""


def get_rng_state_all() -> list[Any]:
    return []


def memory_stats(device: Any = None) -> OrderedDict[str, Any]:
    return OrderedDict()


# -- what does nothing, as in a torch that sees no GPU --------------------------------------------------------------------


def manual_seed(seed: int) -> None:
    """Seeds nothing."""


def manual_seed_all(seed: int) -> None:
    """Seeds nothing."""


def seed() -> None:
    """Seeds nothing."""


def seed_all() -> None:
    """Seeds nothing."""


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """There is no generator."""


def empty_cache() -> None:
    """There is no cache."""


class device:
    """A context in which a device would be the current one.  Nothing is raised before it is entered."""

    def __init__(self, device: Any) -> None:
        self.idx = device

    def __enter__(self) -> None:
        raise RuntimeError("PyTorch was compiled without CUDA support")

    def __exit__(self, *exception: object) -> None:
        pass


class StreamContext:
    """A context in which a stream would be the current one."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        pass


class device_of(StreamContext):
    """A context in which the device of a tensor would be the current one: the CPU is."""


def stream(stream: Any) -> StreamContext:
    return StreamContext(stream)


# -- memory, of which none is used ------------------------------------------------------------------------------------------


def memory_allocated(device: Any = None) -> int:
    return 0


def max_memory_allocated(device: Any = None) -> int:
    return 0


def memory_reserved(device: Any = None) -> int:
    return 0


def max_memory_reserved(device: Any = None) -> int:
    return 0


def memory_cached(device: Any = None) -> int:
    warnings.warn(
        "`torch.cuda.memory_cached` has been renamed to `torch.cuda.memory_reserved`", FutureWarning, stacklevel=2
    )
    return 0


def max_memory_cached(device: Any = None) -> int:
    warnings.warn(
        "`torch.cuda.max_memory_cached` has been renamed to `torch.cuda.max_memory_reserved`",
        FutureWarning,
        stacklevel=2,
    )
    return 0


# -- what needs a device -------------------------------------------------------------------------------------------------


def _needs_a_device(name: str) -> Callable[..., NoReturn]:
    def function(*args: Any, **kwargs: Any) -> NoReturn:
        raise AssertionError("Torch not compiled with CUDA enabled")

    function.__name__ = function.__qualname__ = name
    return function


def _unavailable_type(name: str) -> type[Any]:
    def __new__(cls: type[Any], *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"type torch.cuda.{name} not available. Torch not compiled with CUDA enabled.")

    return type(name, (), {"__new__": __new__, "__module__": "torch.cuda"})


class Event:
    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError("Tried to instantiate dummy base class Event")


class Stream:
    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError("torch.cuda.Stream requires CUDA support")


globals().update(
    {
        name: _needs_a_device(name)
        for name in (
            "can_device_access_peer", "cudart", "current_blas_handle", "current_device", "current_stream",
            "default_stream", "get_device_capability", "get_device_name", "get_device_properties", "get_rng_state",
            "get_sync_debug_mode", "init", "initial_seed", "ipc_collect", "mem_get_info", "memory_snapshot",
            "memory_summary", "reset_accumulated_memory_stats", "reset_max_memory_allocated", "reset_max_memory_cached",
            "reset_peak_memory_stats", "set_device", "set_per_process_memory_fraction", "set_stream",
            "set_sync_debug_mode", "synchronize", "utilization",
        )
    }
)  # fmt: skip
globals().update(
    {
        f"{title}Tensor": _unavailable_type(f"{title}Tensor")
        for title in ("BFloat16", "Bool", "Byte", "Char", "Double", "Float", "Half", "Int", "Long", "Short")
    }
)
