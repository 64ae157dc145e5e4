"""`__torch_function__`: classes that say what torch's functions do with their instances.

As long as there is no such class, nothing here is loaded and no call asks for one.  The first subclass of Tensor that does
not decline, the first call that fails on a foreign object with a `__torch_function__`, and the first use of
`torch.overrides` make every public function and method *overridable*: its code is exchanged for a few lines that look at the
types of the arguments.  The function object stays the same, so it is the one that `__torch_function__` is given and compares
with, and names that were imported before are covered too.

Properties (`t.shape`) go to `__torch_function__` through a class that stands before Tensor in the method resolution order of
the subclass; so on plain tensors they cost what they did.

Not covered: properties of plain tensors under a `TorchFunctionMode`; a function of `nn.functional` that is called with a
foreign object before anything else has made functions overridable; a `__torch_function__` that is given to a class after the
class was made; `__torch_dispatch__`, which is refused.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from ._apply import bind
from ._dtype import dtype as DType
from ._tensor import Tensor, disabled_torch_function, new_tensor
from .ops._table import op

# -- who overrides -------------------------------------------------------------------------------------------------------


class _State(threading.local):
    """What holds in this thread.

    subclasses: whether classes are asked.
    modes: the modes that are, the innermost last; `use_modes` says whether they are.
    """

    def __init__(self) -> None:
        self.subclasses = True
        self.use_modes = True
        self.modes: list[Any] = []


state = _State()


class DisableTorchFunctionSubclass:
    """A context in which subclasses are treated as plain tensors."""

    def __enter__(self) -> None:
        self._before = state.subclasses
        state.subclasses = False

    def __exit__(self, *exception: object) -> None:
        state.subclasses = self._before


class DisableTorchFunction:
    """A context in which neither subclasses nor modes are asked."""

    def __enter__(self) -> None:
        self._before = state.subclasses, state.use_modes
        state.subclasses = state.use_modes = False

    def __exit__(self, *exception: object) -> None:
        state.subclasses, state.use_modes = self._before


def overrides(kind: type[Any]) -> bool:
    """Whether the instances of a class have a say: it has a `__torch_function__`, and is not Tensor itself."""
    function = getattr(kind, "__torch_function__", None)
    return function is not None and function is not disabled_torch_function and kind is not Tensor


SILENT = frozenset((Tensor, int, float, bool, str, type(None), slice, DType))  # what most arguments are


def overloaded(arguments: Sequence[Any]) -> list[Any]:
    """Of each overriding class among the arguments, lists and tuples of them included, the first instance.

    Subclasses come before their bases, else in order.
    """
    found: list[Any] = []
    for argument in arguments:
        kind = type(argument)
        if kind in SILENT:
            continue
        for each in argument if kind is tuple or kind is list else (argument,):
            kind = type(each)
            if overrides(kind) and kind not in map(type, found):
                bases = [place for place, other in enumerate(found) if issubclass(kind, type(other))]
                found.insert(bases[0] if bases else len(found), each)
    return found


# -- the call --------------------------------------------------------------------------------------------------------------


def ask(function: Callable[..., Any], found: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The first answer that is not NotImplemented, of the innermost mode and of `found`, in order.

    Raises TypeError where there is none.
    """
    types = tuple(map(type, found))
    given = (function, types, args, kwargs) if kwargs else (function, types, args)
    if state.use_modes and state.modes:
        mode = state.modes.pop()
        try:
            result = mode.__torch_function__(*given)
        finally:
            state.modes.append(mode)
        if result is not NotImplemented:
            return result
    for each in found:
        method = each.__torch_function__
        if getattr(method, "__self__", None) is each:
            warnings.warn(
                "Defining your `__torch_function__` as a plain method is deprecated and will be an error in future, please "
                "define it as a classmethod.",
                UserWarning,
                stacklevel=3,
            )
        result = method(*given)
        if result is not NotImplemented:
            return result
    raise TypeError(_refusal(function, found))


def _refusal(function: Callable[..., Any], found: list[Any]) -> str:
    name = resolve(function)
    if name is not None and name.startswith("torch.nn.functional."):
        return (
            f"no implementation found for '{name}' on types that implement __torch_function__: {list(map(type, found))}"
        )
    classes = "".join(f"  - tensor subclass {type(each)!r}\n" for each in found)
    return (
        f"Multiple dispatch failed for '{name}'; all __torch_function__ handlers returned NotImplemented:\n\n{classes}\n"
        "For more information, try re-running with TORCH_LOGS=not_implemented"
    )


def resolve(function: Any) -> str | None:
    """torch's name of an overridable function."""
    try:
        return NAMES.get(function)
    except TypeError:  # not hashable
        return None


NAMES: dict[Any, str] = {}  # of everything overridable


def default(cls: type[Any], function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
    """`Tensor.__torch_function__`: compute as for plain tensors, and give the results the class."""
    if not all(issubclass(cls, each) for each in types):
        return NotImplemented
    with DisableTorchFunctionSubclass():
        result = function(*args, **(kwargs or {}))
        return result if function in nowrap_functions() else _converted(result, cls)


def without_overrides(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """The `__torch_function__` of classes that decline to have one."""
    with DisableTorchFunctionSubclass():
        return function(*args, **(kwargs or {}))


def _converted(result: Any, cls: type[Any]) -> Any:
    if cls is Tensor:
        return result
    if isinstance(result, Tensor):
        return result if isinstance(result, cls) else as_subclass(result, cls)
    if isinstance(result, (tuple, list)):
        make = getattr(result, "_make", type(result))  # of a named tuple
        return make([_converted(each, cls) for each in result])
    return result


@cache
def nowrap_functions() -> frozenset[Any]:
    """The getters whose results stay plain tensors."""
    return frozenset(getattr(Tensor, name).__get__ for name in ("grad", "_base"))


# -- instances of subclasses ---------------------------------------------------------------------------------------------


@op("(Tensor input)", view=True, namespace="internal", input=lambda g: g)
def alias(input: Any) -> Any:
    """The same elements in the same memory, as a view."""
    return input[...]


bind(alias)


def as_subclass(self: Tensor, cls: Any) -> Any:
    """This tensor, as a view, in another class.  TypeError for what is no subclass of Tensor."""
    _check_class(cls)
    with DisableTorchFunctionSubclass():
        return _recast(alias.apply(self), cls)


def make_subclass(cls: Any, data: Any, require_grad: bool = False) -> Any:
    """`Tensor._make_subclass`: a leaf of class `cls` on the memory of `data`."""
    _check_class(cls)
    if not isinstance(data, Tensor):
        raise TypeError(f"_make_subclass(): argument 'data' (position 2) must be Tensor, not {type(data).__name__}")
    if require_grad and not (data.is_floating_point() or data.is_complex()):
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    with DisableTorchFunction():
        leaf = _recast(data.detach(), cls)
        leaf.requires_grad = require_grad
    return leaf


def make_wrapper_subclass(cls: Any, *args: Any, **kwargs: Any) -> Any:
    """Refused: a tensor of minitorch_like has memory of its own."""
    raise NotImplementedError(
        "Tensor._make_wrapper_subclass: minitorch_like has no tensors without memory and no __torch_dispatch__"
    )


def _check_class(cls: Any) -> None:
    if not isinstance(cls, type):
        from .ops._misfits import type_name

        raise TypeError(f"cls must be a type (got {type_name(cls)})")
    if not issubclass(cls, Tensor):
        raise TypeError(
            "Creating a Tensor subclass from a class that does not inherit from Tensor is not possible. Make sure your "
            "class inherits from Tensor."
        )


def _recast(tensor: Tensor, cls: type[Any]) -> Any:
    if type(tensor) is cls:
        return tensor
    out = new_tensor(cls)
    for slot in ("_data", "_grad", "_node", "_number", "_version_counter", "_view"):
        setattr(out, slot, getattr(tensor, slot))
    if tensor._node is not None and tensor.is_leaf:  # what accumulates the gradient of a leaf knows the leaf
        out._node = None
        out.requires_grad = True
    return out
