"""Whether operations are recorded: context managers and decorators, per thread."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, TypeVar

from .._capture import mode

F = TypeVar("F", bound=Callable[..., Any])


class _GradMode:
    """A context manager that is a decorator too; generators get the mode while they run."""

    _value: bool

    def __enter__(self) -> None:
        self._previous = _swap(self._value)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _swap(self._previous)

    def _fresh(self) -> _GradMode:
        return type(self)()

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):
            return _decorated_generator(self, function)  # type: ignore[return-value]
        if inspect.isclass(function):
            from .._once import warn_of_call

            warn_of_call(
                "Decorating classes is deprecated and will be disabled in future versions. You should only decorate "
                "functions or methods. To preserve the current behavior of class decoration, you can directly decorate the "
                "`__init__` method and nothing else.",
                FutureWarning,
            )

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self._fresh():
                return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]


def _decorated_generator(guard: _GradMode, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        sent: Any = None
        while True:
            try:
                with guard._fresh():
                    item = generator.send(sent)
            except StopIteration as stop:
                return stop.value
            sent = yield item

    return wrapper


class no_grad(_GradMode):
    """Nothing is recorded inside: results do not require grad."""

    _value = False

    def __new__(cls, orig_func: Callable[..., Any] | None = None) -> Any:
        """`@no_grad` works without parentheses as well."""
        self = super().__new__(cls)
        return self if orig_func is None else self(orig_func)


class enable_grad(_GradMode):
    """Recording is on inside, also within `no_grad`."""

    _value = True

    def __new__(cls, orig_func: Callable[..., Any] | None = None) -> Any:
        self = super().__new__(cls)
        return self if orig_func is None else self(orig_func)


class set_grad_enabled(_GradMode):
    """Switch recording on or off: at once as a function, until the end of the block as a context manager."""

    def __init__(self, mode: bool) -> None:
        self._value = mode
        self._previous = _swap(mode)

    def __enter__(self) -> None:
        _swap(self._value)

    def __call__(self, function: F) -> F:
        _swap(self._previous)  # used as a decorator, it must not act at once
        return super().__call__(function)

    def _fresh(self) -> _GradMode:
        return set_grad_enabled(self._value)

    def __repr__(self) -> str:
        return f"{type(self).__module__}.{type(self).__qualname__}(mode={self._value})"


def _swap(value: bool) -> bool:
    """Set what `is_grad_enabled` answers; what it was."""
    if mode.inference:
        previous, mode.asked = mode.asked, value
    else:
        previous, mode.grad = mode.grad, value
    return previous


class inference_mode(_GradMode):
    """`no_grad` whose results can never take part in a graph: they track no version."""

    def __new__(cls, mode: Any = True) -> Any:
        self = super().__new__(cls)
        if callable(mode):
            self.__init__(True)  # type: ignore[misc]
            return self(mode)
        return self

    def __init__(self, mode: bool = True) -> None:
        self._on = mode

    def __enter__(self) -> None:
        self._previous = is_grad_enabled()
        self._previous_inference = mode.inference
        mode.inference = self._on
        mode.grad = mode.asked = not self._on

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        mode.inference = self._previous_inference
        mode.grad = self._previous and not mode.inference
        mode.asked = self._previous

    def _fresh(self) -> _GradMode:
        fresh: _GradMode = inference_mode(self._on)
        return fresh


def is_grad_enabled(*args: Any, **kwargs: Any) -> bool:
    """Whether operations of this thread are recorded now."""
    if args or kwargs:
        _refuse("is_grad_enabled", args, kwargs)
    return mode.asked if mode.inference else mode.grad


def is_inference_mode_enabled(*args: Any, **kwargs: Any) -> bool:
    if args or kwargs:
        _refuse("is_inference_mode_enabled", args, kwargs)
    return mode.inference


def _refuse(function: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> NoReturn:
    from ..ops._misfits import no_arguments

    raise no_arguments(function, args, kwargs, "torch")
