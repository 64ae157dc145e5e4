"""Arrays and scalars that report what is done with them to the recorder.

`TracedArray` is an ndarray over the very memory of the captured step, so kernels, rules and optimiser updates
run on it unchanged; NumPy's dispatch protocols tell the recorder about every call that computes something.  Views need
no recording: they stay valid as long as the memory does.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .._capture import mode


def _recorder() -> Any:
    return mode.recorder


class TracedArray(np.ndarray[Any, Any]):
    """An ndarray during a capture."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        return _recorder().ufunc(ufunc, method, inputs, out, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _recorder().function(func, args, kwargs)

    def __getitem__(self, index: Any) -> Any:
        return _recorder().read_at(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        _recorder().function(operator.setitem, (self, index, value), {})

    def __bool__(self) -> bool:
        return _recorder().decide(plain(self))

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def item(self, *args: Any) -> Any:
        _recorder().refuse("a kernel reads a value that the next step may change")
        return plain(self).item(*args)

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        return _recorder().function(np.ndarray.reshape, (self, *shape), kwargs)

    def astype(self, dtype: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        if kwargs.get("copy") is False and self.dtype == dtype:
            return self
        return _recorder().function(np.ndarray.astype, (self, dtype), kwargs)

    def fill(self, value: Any) -> None:
        _recorder().function(np.copyto, (self, value), {})


def _method(name: str) -> Callable[..., Any]:
    function = getattr(np.ndarray, name)

    def method(self: TracedArray, *args: Any, **kwargs: Any) -> Any:
        return _recorder().function(function, (self, *args), kwargs)

    method.__name__ = name
    return method


for _name in (
    "copy",
    "ravel",
    "flatten",
    "argmax",
    "argmin",
    "argsort",
    "cumsum",
    "take",
    "repeat",
    "dot",
    "round",
    "clip",
):
    setattr(TracedArray, _name, _method(_name))


def plain(value: Any) -> Any:
    """`value` with every traced array, also within sequences, as an ordinary one over the same memory."""
    if isinstance(value, TracedArray):
        return value.view(np.ndarray)
    if type(value) in (tuple, list):
        return type(value)(plain(each) for each in value)
    return value


def traced(value: Any) -> Any:
    """`value` with every array, also within sequences, traced."""
    if type(value) is np.ndarray:
        return value.view(TracedArray)
    if type(value) in (tuple, list):
        return type(value)(traced(each) for each in value)
    return value


class LiveScalar:
    """A Python number that each replay computes anew: a learning rate, a bias correction.

    Arithmetic gives live scalars again; where one meets an array, the recorder passes its current value in a 0-d cell.
    """

    __slots__ = ("compute",)

    def __init__(self, compute: Callable[[], float]) -> None:
        self.compute = compute

    def _with(self, function: Callable[..., float], *others: Any) -> LiveScalar:
        def compute() -> float:
            return function(*(each.compute() if isinstance(each, LiveScalar) else each for each in others))

        return LiveScalar(compute)

    def __neg__(self) -> LiveScalar:
        return self._with(operator.neg, self)

    def __float__(self) -> float:
        _recorder().refuse("a step branches on a hyper-parameter that may change")
        return float(self.compute())

    def __bool__(self) -> bool:
        return bool(float(self))


def _bind_arithmetic(name: str, function: Callable[[Any, Any], Any]) -> None:
    def forward(self: LiveScalar, other: Any) -> Any:
        return self._with(function, self, other) if isinstance(other, (int, float, LiveScalar)) else NotImplemented

    def reflected(self: LiveScalar, other: Any) -> Any:
        return self._with(function, other, self) if isinstance(other, (int, float)) else NotImplemented

    setattr(LiveScalar, f"__{name}__", forward)
    setattr(LiveScalar, f"__r{name}__", reflected)


for _name in ("add", "sub", "mul", "truediv", "pow"):
    _bind_arithmetic(_name, getattr(operator, _name))
