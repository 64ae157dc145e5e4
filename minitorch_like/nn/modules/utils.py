"""Options that are given as one value or as one for each dimension."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

__all__: list[str] = []


def _ntuple(n: int) -> Callable[[Any], tuple[Any, ...]]:
    """What turns an iterable into a tuple as it is, and anything else into `n` copies."""
    return lambda value: tuple(value) if isinstance(value, Iterable) else (value,) * n


_single, _pair, _triple, _quadruple = map(_ntuple, (1, 2, 3, 4))


def _reverse_repeat_tuple(values: tuple[Any, ...], n: int) -> tuple[Any, ...]:
    """The values from the last to the first, each `n` times: padding in the order of F.pad."""
    return tuple(value for value in reversed(values) for _ in range(n))
