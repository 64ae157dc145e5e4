"""What layers of several ranks share: options given as one value or as one for each dimension, and constructors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

__all__: list[str] = []


def _ntuple(n: int) -> Callable[[Any], tuple[Any, ...]]:
    """What turns an iterable into a tuple as it is, and anything else into `n` copies."""
    return lambda value: tuple(value) if isinstance(value, Iterable) else (value,) * n


_single, _pair, _triple, _quadruple = map(_ntuple, (1, 2, 3, 4))


def _reverse_repeat_tuple(values: tuple[Any, ...], n: int) -> tuple[Any, ...]:
    """The values from the last to the first, each `n` times: padding in the order of F.pad."""
    return tuple(value for value in reversed(values) for _ in range(n))


def with_own_init(cls: type[Any]) -> type[Any]:
    """`cls` with an `__init__` of its own, the same as it inherits, so that Python's errors name it as torch's do."""
    inherited = cls.__init__
    name = f"{cls.__qualname__}.__init__"
    code = inherited.__code__.replace(co_qualname=name)
    own = FunctionType(code, inherited.__globals__, "__init__", inherited.__defaults__, inherited.__closure__)
    own.__qualname__ = name
    own.__annotations__ = inherited.__annotations__
    cls.__init__ = own
    return cls
