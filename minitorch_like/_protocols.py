"""The protocols of Python and NumPy that a small script never meets: arrays, copies, pickles.

`_tensor` puts off loading them until one is asked for; what is defined here then takes the place of its stand-in.
Copies keep what torch's keep: deep copies share memory where their originals do, if they are made within one memo.  A pickle
contains the whole memory of the tensor that a tensor is a view of, once for each tensor.
"""

from __future__ import annotations

import copy
import copyreg
from collections import OrderedDict
from collections.abc import Callable
from numbers import Number
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from ._bind import left_to_operand
from ._capture import reads_values
from ._dtype import dtype as DType
from ._dtype import with_own_dtype
from ._layout import memory_of, root_of
from ._tensor import Tensor, warn_of_lost_history, wrap
from .ops import TABLE
from .ops._table import python_value

Array = np.ndarray[Any, np.dtype[Any]]

# -- NumPy -----------------------------------------------------------------------------------------------------------


# torch's methods take the arguments of NumPy 1, and so NumPy 2 warns that it has to do without `copy` and `return_scalar`.


def __array__(self: Tensor, dtype: Any = None) -> Array:
    return self.numpy() if dtype is None else self.numpy().astype(dtype, copy=False)


def __array_wrap__(self: Tensor, array: Any) -> Tensor:
    """The result of a ufunc as a tensor; truth values become uint8, as from torch's times without a dtype for them."""
    from ._creation import from_numpy

    return from_numpy(array.astype(np.uint8) if array.dtype == bool else array)


# -- Python ----------------------------------------------------------------------------------------------------------


def __complex__(self: Tensor) -> complex:
    number = self._scalar()
    if self._node is not None:
        warn_of_lost_history()
    return complex(number)


def __contains__(self: Tensor, element: Any) -> bool:
    if isinstance(element, (Tensor, Number)):
        return bool((self == element).any())
    raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")


def __reversed__(self: Tensor) -> Tensor:
    return self.flip(tuple(range(self._data.ndim))) if self._data.ndim else self


def __dir__(self: Tensor) -> list[str]:
    from ._later import complete

    complete()
    return sorted({*dir(type(self)), *self.__dict__})


def __rmatmul__(self: Tensor, other: Any) -> Any:
    return other @ self if isinstance(other, Tensor) else left_to_operand(__rmatmul__, self, other)


# -- shifts ------------------------------------------------------------------------------------------------------------


def _shift(method: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def shift(self: Any, other: Any) -> Any:
        if isinstance(other, (Number, np.bool_)):
            other = python_value(other)
        elif not isinstance(other, Tensor):
            return left_to_operand(shift, self, other)
        return method(self, other)

    return shift


def _calling(name: str) -> Callable[[Any, Any], Any]:
    return lambda self, other: getattr(self, name)(other)


def _reflected(name: str) -> Callable[[Any, Any], Any]:
    def call(self: Any, other: Any) -> Any:
        from ._later import complete

        complete()
        return TABLE[name].apply(other, self)

    return call


# -- memory --------------------------------------------------------------------------------------------------------------


def _memory_of(array: Array, *candidates: Array) -> tuple[Array, int, tuple[int, ...]]:
    """The first of the arrays in whose memory `array` lies, and where in it: the first byte, and the strides.

    The last candidate is the root of the array, the same object for all its views.  What was allocated has no gaps; if
    there is only memory that has some, which is none of ours, it is a copy of the array alone.
    """
    low, high = byte_bounds(array)
    for memory in (*candidates, root_of(array)):
        start, end = byte_bounds(memory)
        if start <= low and high <= end and _in_rows(memory).flags.c_contiguous:
            return memory, array.__array_interface__["data"][0] - start, array.strides
    alone = np.array(array, order="C")
    return alone, 0, alone.strides


def _in_rows(memory: Array) -> Array:
    """`memory` with its dimensions in the order in which they lie."""
    return memory.transpose(sorted(range(memory.ndim), key=lambda axis: -memory.strides[axis]))


def _lay(memory: Array, start: int, strides: tuple[int, ...], kind: Any, shape: tuple[int, ...]) -> Array:
    """An array over `memory`."""
    # As bytes: not every dtype's memory can be handed on as a buffer.
    return np.ndarray(shape, kind, _in_rows(memory).reshape(-1).view(np.uint8), start, strides)


# -- copies ----------------------------------------------------------------------------------------------------------------

_MEMORIES = "memory of minitorch_like tensors"  # where the memo of copy.deepcopy keeps what holds views together


def __deepcopy__(self: Any, memo: dict[Any, Any]) -> Any:
    """A leaf with its own copy of the memory, which it shares with the copies of what it shared it with."""
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  "
            "If you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, "
            "see https://github.com/pytorch/pytorch/pull/103001"
        )
    if id(self) in memo:
        return memo[id(self)]
    reads_values("copy.deepcopy()")
    plain = self._data.__class__ is np.ndarray  # and no conjugate view, of which the values are copied
    out = _over(_copied(self._data, memo)) if plain else wrap(self._data.resolve())
    if type(self) is not Tensor:
        fresh = _new_of_its_kind(self)
        fresh.data, out = out, fresh
    out.requires_grad = self.requires_grad
    memo[id(self)] = out
    if self._grad is not None:
        out.grad = self.grad.__deepcopy__(memo)
    for slot in _own_slots(type(self)):
        if hasattr(self, slot):
            setattr(out, slot, copy.deepcopy(getattr(self, slot), memo))
    out.__dict__ = copy.deepcopy(self.__dict__, memo)
    return out


def _new_of_its_kind(tensor: Any) -> Any:
    out = tensor.new_empty([])
    if type(out) is not type(tensor):
        raise RuntimeError(
            "The default implementation of __deepcopy__() for non-wrapper subclasses only works for subclass types that "
            "implement new_empty() and for which that function returns another instance of the same subclass. You should "
            "either properly implement new_empty() for your subclass or override __deepcopy__() if it is intended behavior "
            "for new_empty() to return an instance of a different type."
        )
    return out


def _copied(array: Array, memo: dict[Any, Any]) -> Array:
    memory, start, strides = _memory_of(array)
    copies = memo.setdefault(_MEMORIES, {})
    if id(memory) not in copies:
        copies[id(memory)] = memory, memory.copy(order="K")  # the original is held, so that its id stays its own
    return _lay(copies[id(memory)][1], start, strides, array.dtype, array.shape)


def _own_slots(cls: type[Any]) -> list[str]:
    """The slots of a subclass, apart from those of every Tensor."""
    of_all = copyreg._slotnames(Tensor)  # type: ignore[attr-defined]
    return [each for each in copyreg._slotnames(cls) if each not in of_all]  # type: ignore[attr-defined]


# -- pickles -----------------------------------------------------------------------------------------------------------------


def __reduce_ex__(self: Any, protocol: Any) -> Any:
    """A leaf over the same memory, for copy.copy, or over a copy of it, for pickle.

    Warns of hooks, which are not saved.
    """
    from .utils.hooks import warn_if_has_hooks

    reads_values("pickling")
    warn_if_has_hooks(self)
    # Of the memory that many tensors were laid into by a compiled step, each has only its own part, as it had before.
    base = self if self._view is None else self._view.base
    memory, start, strides = _memory_of(memory_of(self._data), memory_of(base._data))
    # A new object each time, as torch's storage is: so pickle does not notice that two tensors share it.
    hooks: OrderedDict[int, Any] = OrderedDict()
    layout = memory.view(), start, strides, self.dtype, self._data.shape
    bits = (self._data.bits,) if hasattr(self._data, "bits") else ()
    arguments = (*layout, self.requires_grad, hooks, *bits)
    state = _state_of(self)
    if type(self) is Tensor and not state:
        return _rebuild_tensor, arguments
    return _rebuild_from_type, (_rebuild_tensor, type(self), arguments, state)


def _state_of(tensor: Any) -> Any:
    """What `__getstate__` says, if the class has its own; else the attributes: a dict, or a pair with that of the slots."""
    cls: Any = type(tensor)
    if cls.__getstate__ is not object.__getstate__:
        return tensor.__getstate__()
    slots = {each: getattr(tensor, each) for each in _own_slots(cls) if hasattr(tensor, each)}
    return (tensor.__dict__, slots) if slots else tensor.__dict__


def _rebuild_tensor(
    memory: Array,
    start: int,
    strides: tuple[int, ...],
    kind: DType,
    shape: tuple[int, ...],
    requires_grad: bool,
    backward_hooks: Any,
    bits: int = 0,
) -> Tensor:
    array = with_own_dtype(_lay(memory, start, strides, kind.numpy, shape))
    if bits:
        from ._conjugation import unresolved

        array = unresolved(array, bits)
    out = _over(array)
    out.requires_grad = requires_grad
    return out


def _over(array: Array) -> Tensor:
    """A tensor that was given the memory of `array`, which counts as a change."""
    out: Tensor = wrap(array)
    if out._version_counter is not None:
        out._version_counter[0] = 1
    return out


def _rebuild_from_type(function: Callable[..., Tensor], cls: type[Any], arguments: tuple[Any, ...], state: Any) -> Any:
    out: Any = function(*arguments)
    if type(out) is not cls:
        out = out.as_subclass(cls)
    if cls.__setstate__ is not Tensor.__setstate__:
        out.__setstate__(state)
        return out
    attributes, slots = state if isinstance(state, tuple) else (state, {})
    out.__dict__.update(attributes)
    for name, value in slots.items():
        setattr(out, name, value)
    return out


def __setstate__(self: Any, state: tuple[Any, ...]) -> None:
    """Take the state of an old pickle: (storage, offset, size, stride), or (tensor, requires_grad, hooks)."""
    if not self.is_leaf:
        raise RuntimeError("__setstate__ can be only called on leaf Tensors")
    if len(state) == 4:
        self.set_(*state)
        return
    self.data, self.requires_grad = state[0], state[-2]


def take_places() -> None:
    """Put what is defined here in the places of its stand-ins."""
    for name in (
        "__array__", "__array_wrap__", "__complex__", "__contains__", "__deepcopy__", "__dir__", "__reduce_ex__",
        "__reversed__", "__rmatmul__", "__setstate__",
    ):  # fmt: skip
        method = globals()[name]
        method.__qualname__ = f"Tensor.{name}"  # by which Python's errors call it
        setattr(Tensor, name, method)
    for symbol, name in (("lshift", "bitwise_left_shift"), ("rshift", "bitwise_right_shift")):
        setattr(Tensor, f"__{symbol}__", _shift(_calling(name)))
        setattr(Tensor, f"__i{symbol}__", _shift(_calling(f"{name}_")))
        setattr(Tensor, f"__r{symbol}__", _shift(_reflected(name)))
