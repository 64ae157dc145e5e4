"""Window functions of signal processing: vectors that rise from their ends to their middle.

A `periodic` window is one element short of a symmetric one, the last.  As in torch they are computed step by step in the
dtype that they have in the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._dtype import dtype, get_default_dtype
from .._tensor import Tensor, wrap
from . import OPTIONS, reads
from .progressions import check_dispatch

Array = np.ndarray[Any, np.dtype[Any]]

_C_NAMES = {"int64": "long int", "int32": "int", "int16": "short int", "int8": "signed char", "uint8": "unsigned char"}


Rounding = Callable[[Any], Any]
Shape = Callable[[Array, int, Rounding], Array]


def _window(name: str, length: Any, periodic: bool, kind: dtype | None, shape: Shape) -> Tensor:
    """Check the arguments and let `shape(index, count, rounded)` compute the values.

    What it computes is rounded to 16 bits step by step where the dtype has no more, and so are its constants.
    """
    kind, length = kind or get_default_dtype(), int(length)
    if not (kind.is_floating_point or kind.is_complex):
        raise RuntimeError(
            f"{name} expects floating point dtypes, got: TensorOptions(dtype={_C_NAMES.get(kind.name, kind.name)}, "
            "device=cpu, layout=Strided (default), requires_grad=false (default), pinned_memory=false, "
            "memory_format=(nullopt))"
        )
    if length < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={length}")
    if length < 2:
        return wrap(np.ones(length, kind.numpy))
    check_dispatch("arange_cpu", kind)
    count, to = length + periodic, kind.numpy

    def rounded(x: Any) -> Any:
        return x if to.itemsize > 2 else np.asarray(x, np.float32).astype(to).astype(np.float32)

    index = np.arange(count).astype(to)
    values = shape(index if to.itemsize > 2 else index.astype(np.float32), count, rounded)
    return wrap(values.astype(to)[:length])


def _texts(*more: str) -> list[str]:
    """The overloads with one option after the other."""
    heads = ["int window_length", "int window_length, bool periodic"]
    for each in more:
        heads.append(f"{heads[-1]}, float {each}")
    return [f"({head}, *, {OPTIONS})" for head in heads]


def _cos(x: Array) -> Array:
    """The cosine as nearly right as torch's, which NumPy's of float32 is not."""
    return np.cos(x.astype(np.float64)).astype(x.dtype)


def _cosine(alpha: float, beta: float) -> Shape:
    """alpha - beta * cos(2 pi i / (n - 1))"""

    def shape(index: Array, count: int, rounded: Rounding) -> Array:
        angles = rounded(index * rounded(2 * math.pi / (count - 1)))
        return np.asarray(rounded(rounded(rounded(_cos(angles)) * rounded(-beta)) + rounded(alpha)))

    return shape


@reads(*_texts())
def hann_window(window_length: int, periodic: bool = True, dtype: dtype | None = None) -> Tensor:
    """(n,): 0.5 - 0.5 * cos(2 pi i / (n - 1))"""
    return _window("hann_window", window_length, periodic, dtype, _cosine(0.5, 0.5))


@reads(*_texts("alpha", "beta"))
def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, dtype: dtype | None = None
) -> Tensor:
    """(n,): alpha - beta * cos(2 pi i / (n - 1))"""
    return _window("hamming_window", window_length, periodic, dtype, _cosine(alpha, beta))


def _blackman(index: Array, count: int, rounded: Rounding) -> Array:
    angles = rounded(index * rounded(math.pi / (count - 1)))
    fast = rounded(rounded(_cos(rounded(angles * 4))) * rounded(0.08))
    slow = rounded(rounded(_cos(rounded(angles * 2))) * 0.5)
    return np.asarray(rounded(rounded(fast - slow) + rounded(0.42)))


@reads(*_texts())
def blackman_window(window_length: int, periodic: bool = True, dtype: dtype | None = None) -> Tensor:
    """(n,): 0.42 - 0.5 * cos(2 pi i / (n - 1)) + 0.08 * cos(4 pi i / (n - 1))"""
    return _window("blackman_window", window_length, periodic, dtype, _blackman)


def _bartlett(index: Array, count: int, rounded: Rounding) -> Array:
    values: Array = rounded(index * rounded(2.0 / (count - 1)))
    half = ((count - 1) >> 1) + 1
    values[half:] = rounded(2 - values[half:])
    return values


@reads(*_texts())
def bartlett_window(window_length: int, periodic: bool = True, dtype: dtype | None = None) -> Tensor:
    """(n,): a triangle from 0 to 1 and back."""
    return _window("bartlett_window", window_length, periodic, dtype, _bartlett)


@reads(*_texts("beta"))
def kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, dtype: dtype | None = None) -> Tensor:
    """(n,): i0(beta * sqrt(1 - x ** 2)) / i0(beta) for x from -1 to 1; i0 is the modified Bessel function."""
    from scipy.special import i0

    def shape(index: Array, count: int, rounded: Rounding) -> Array:
        x = index.astype(np.float64) * (2.0 / (count - 1)) - 1
        values: Array = i0(beta * np.sqrt(np.maximum(0.0, 1 - x * x))) / i0(beta)
        return values.astype(index.dtype)

    return _window("kaiser_window", window_length, periodic, dtype, shape)
