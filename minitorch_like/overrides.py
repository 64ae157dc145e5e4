"""`torch.overrides`: what writers of classes with a `__torch_function__`, and of modes, need.

Importing it makes the functions overridable; see `_torch_function`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import wraps
from importlib import import_module
from typing import Any

from ._overridable import IGNORED, activate
from ._tensor import Tensor
from ._torch_function import NAMES, ask, nowrap_functions, overloaded, overrides, resolve, state

__all__ = [
    "BaseTorchFunctionMode",
    "TorchFunctionMode",
    "get_default_nowrap_functions",
    "get_ignored_functions",
    "get_overridable_functions",
    "handle_torch_function",
    "has_torch_function",
    "has_torch_function_unary",
    "has_torch_function_variadic",
    "is_tensor_like",
    "is_tensor_method_or_property",
    "resolve_name",
    "wrap_torch_function",
]

activate()


def is_tensor_like(inp: Any) -> bool:
    """Whether torch's functions take `inp`: it is a tensor, or has a `__torch_function__`."""
    return type(inp) is Tensor or hasattr(inp, "__torch_function__")


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether a class among the arguments, or a mode, has a say in what a function does with them."""
    if state.use_modes and state.modes:
        return True
    return state.subclasses and any(overrides(type(each)) for each in relevant_args)


def has_torch_function_unary(arg: Any) -> bool:
    """`has_torch_function((arg,))`"""
    return has_torch_function((arg,))


def has_torch_function_variadic(*args: Any) -> bool:
    """`has_torch_function(args)`"""
    return has_torch_function(args)


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
    """What the classes of `relevant_args` make of `public_api(*args, **kwargs)`.

    Raises TypeError if none of them answers.
    """
    found = overloaded(tuple(relevant_args))
    if not found and not (state.use_modes and state.modes):
        name = resolve_name(public_api) or f"{public_api.__module__}.{public_api.__name__}"
        raise TypeError(f"no implementation found for '{name}' on types that implement __torch_function__: []")
    return ask(public_api, found, args, kwargs)


def wrap_torch_function(dispatcher: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a function of one's own overridable; `dispatcher(*args, **kwargs)` gives the arguments that have a say."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def overridable(*args: Any, **kwargs: Any) -> Any:
            relevant = tuple(dispatcher(*args, **kwargs))
            if has_torch_function(relevant):
                return handle_torch_function(overridable, relevant, *args, **kwargs)
            return function(*args, **kwargs)

        return overridable

    return decorate


def resolve_name(f: Any) -> str | None:
    """The name of a function that `__torch_function__` is given ("torch.add", "torch.Tensor.shape.__get__")."""
    return resolve(f)


def is_tensor_method_or_property(func: Any) -> bool:
    """Whether `func` is a method of Tensor's, or the accessor of a property."""
    name = resolve_name(func)
    return name is not None and name.startswith("torch.Tensor.")


def get_overridable_functions() -> defaultdict[Any, list[Any]]:
    """The functions that `__torch_function__` may be asked about, by the module, or the class, that they are in."""
    found: defaultdict[Any, list[Any]] = defaultdict(list)
    for function, name in NAMES.items():
        space: Any = Tensor
        if not name.startswith("torch.Tensor."):
            space = import_module(name.rpartition(".")[0].replace("torch", __package__, 1))
        found[space].append(function)
    return found


def get_ignored_functions() -> set[Any]:
    """The public functions that no class is asked about."""
    import minitorch_like

    return {function for name, function in vars(minitorch_like).items() if name in IGNORED and callable(function)}


def get_default_nowrap_functions() -> set[Any]:
    """The accessors whose results the default `__torch_function__` leaves plain tensors."""
    return set(nowrap_functions())


class TorchFunctionMode:
    """A context in which `__torch_function__(func, types, args, kwargs)` is asked about every overridable function.

    To be subclassed.  While it is asked, the mode itself is left.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise NotImplementedError

    def __enter__(self) -> TorchFunctionMode:
        state.modes.append(self)
        return self

    def __exit__(self, *exception: object) -> None:
        state.modes.pop()


class BaseTorchFunctionMode(TorchFunctionMode):
    """The mode that changes nothing."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))
