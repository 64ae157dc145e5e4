"""How many threads the arithmetic may use: `set_num_threads` and its kin.

All arithmetic that runs on several threads here is the BLAS's, so that is what is set, through threadpoolctl, which is
imported when it is first asked for.  Until then the BLAS keeps its own default: as many threads as there are cores, or
what OPENBLAS_NUM_THREADS or OMP_NUM_THREADS says.
"""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .ops._misfits import no_arguments, only_argument, type_name


@dataclass(slots=True)
class _Chosen:
    """What the user has asked for; None as long as nobody has."""

    threads: int | None = None
    interop_threads: int | None = None


_chosen = _Chosen()


def set_num_threads(*args: Any, **kwargs: Any) -> None:
    """`set_num_threads(int)`: let operations use so many threads, in the whole process.

    More threads than cores are never started, though `get_num_threads` tells the number as it was given.

    Raises RuntimeError for what is no positive int, ValueError for one that no C int holds.
    """
    number = _positive_int("set_num_threads", args, kwargs)
    libraries = _blas()
    if not libraries:
        warnings.warn(
            "set_num_threads has no effect: NumPy's BLAS is none that threadpoolctl can control; "
            "use the environment variables of that library",
            stacklevel=2,
        )
    for library in libraries:
        library.set_num_threads(min(number, _cores()))
    _chosen.threads = number


def get_num_threads(*args: Any, **kwargs: Any) -> int:
    """The number of threads that operations may use."""
    if args or kwargs:
        raise no_arguments("get_num_threads", args, kwargs, "torch")
    if _chosen.threads is not None:
        return _chosen.threads
    return max((library.num_threads for library in _blas()), default=_cores())


def runs_on_one_thread() -> bool:
    """Whether the user has asked for that."""
    return _chosen.threads == 1


def set_num_interop_threads(*args: Any, **kwargs: Any) -> None:
    """`set_num_interop_threads(int)`: accepted once, as by torch, and told by `get_num_interop_threads`.

    It changes nothing else: operations here run one after the other, never beside one another.

    Raises RuntimeError for what is no positive int and for a second call.
    """
    number = _positive_int("set_num_interop_threads", args, kwargs)
    if _chosen.interop_threads is not None:
        raise RuntimeError(
            "Error: cannot set number of interop threads after parallel work has started "
            "or set_num_interop_threads called"
        )
    _chosen.interop_threads = number


def get_num_interop_threads(*args: Any, **kwargs: Any) -> int:
    """The number that `set_num_interop_threads` was given, or that of the cores."""
    if args or kwargs:
        raise no_arguments("get_num_interop_threads", args, kwargs, "torch")
    return _chosen.interop_threads or _cores()


def _cores() -> int:
    return os.cpu_count() or 1


@functools.cache
def _blas() -> list[Any]:
    """threadpoolctl's handles of every BLAS in the process: finding them takes longer than using them."""
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped, unused-ignore]

    libraries: list[Any] = ThreadpoolController().select(user_api="blas").lib_controllers
    return libraries


def _positive_int(function: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    """The one argument of a function that takes a positive int and nothing else, checked in torch's order."""
    value = only_argument(function, args, kwargs)
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise RuntimeError(f"{function} expects an int, but got {type_name(value)}")
    number = int(value)
    for bits, c_type in ((64, "long long"), (32, "long")):
        if not -(1 << bits - 1) <= number < 1 << bits - 1:
            raise ValueError(f"Overflow when unpacking {c_type}")
    if number <= 0:
        raise RuntimeError(f"{function} expects a positive integer")
    return number


PUBLIC: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (set_num_threads, get_num_threads, set_num_interop_threads, get_num_interop_threads)
}
