"""Making tensors: from data, filled, and as sequences."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np

from ._bind import resize_out
from ._capture import mode
from ._device import require_cpu
from ._dtype import (
    DIFFERENTIABLE_KINDS,
    FROM_NUMPY,
    bool_,
    dtype,
    get_default_dtype,
    int64,
    scalar_dtype,
    with_own_dtype,
)
from ._tensor import Tensor, wrap
from .ops._checks import cast, sizes
from .ops._signature import Reader
from .ops._table import python_value

PUBLIC: dict[str, Callable[..., Any]] = {}
_OPTIONS = (
    "dtype? dtype=None, layout? layout=None, device? device=None, bool? pin_memory=False, bool requires_grad=False"
)
_PYTHON_TYPES: dict[Any, str] = {float: "float64", int: "int64", bool: "bool"}


def _reads(*texts: str, method: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a function be called by torch's signatures; it receives the values by name, options resolved."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        reader = Reader(function.__name__, texts, method=method)

        def call(*args: Any, **kwargs: Any) -> Any:
            _, values = reader.read(args[1:] if method else args, kwargs)
            if values.get("device") is not None:
                require_cpu(values["device"], function.__name__)
            for unused in ("device", "layout", "pin_memory", "memory_format"):
                values.pop(unused, None)
            kind = values.get("dtype")
            if isinstance(kind, type):
                values["dtype"] = _by_name(_PYTHON_TYPES[kind])
            requires_grad = values.pop("requires_grad", False)
            out = values.pop("out", None)
            if out is not None and values.get("dtype") is None:
                values["dtype"] = out.dtype
            result = function(*args[:1], **values) if method else function(**values)
            if out is not None:
                resize_out(out, result._data.shape)
                return out.copy_(result)
            if mode.recorder is not None and result._data.size:
                mode.recorder.constant(result._data)
            if requires_grad:
                _require_grad(result)
            return result

        call.__name__ = call.__qualname__ = function.__name__
        call.__doc__ = function.__doc__
        if method:
            setattr(Tensor, function.__name__, call)
        else:
            PUBLIC[function.__name__] = call
        return call

    return decorate


def _by_name(name: str) -> dtype:
    return next(each for each in FROM_NUMPY.values() if each.name == name)


def _require_grad(tensor: Tensor) -> None:
    if tensor._data.dtype.kind not in DIFFERENTIABLE_KINDS:
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    tensor.requires_grad = True


def check_size(size: Any, function: str = "") -> tuple[int, ...]:
    """`size` as a tuple of ints.  RuntimeError for a negative or impossibly large one."""
    shape = tuple(each if type(each) is int else each.__index__() for each in size)
    for each in shape:
        if each < 0:
            if function == "zeros":
                raise RuntimeError("zeros: Dimension size must be non-negative.")
            raise RuntimeError(f"Trying to create tensor with negative dimension {each}: {sizes(shape)}")
    if math.prod(shape) >= 2**61:
        raise RuntimeError(f"Storage size calculation overflowed with sizes={sizes(shape)}")
    return shape


def _numpy(kind: dtype | None) -> np.dtype[Any]:
    return (kind or get_default_dtype()).numpy


# -- from data ---------------------------------------------------------------------------------------------------


def _infer(data: Any) -> dtype:
    """The dtype of nested sequences: the promotion of their elements'."""
    if isinstance(data, Tensor):
        return data.dtype
    if isinstance(data, (np.ndarray, np.generic)):
        return from_numpy_type(data.dtype)
    if isinstance(data, (bool, int, float, complex)):
        return scalar_dtype(data)
    if isinstance(data, str):
        raise TypeError("new(): invalid data type 'str'")
    if hasattr(data, "__len__") and hasattr(data, "__getitem__") and not isinstance(data, dict):
        from ._dtype import promote_types

        result: dtype | None = None
        for each in data:
            kind = _infer(each)
            result = kind if result is None else promote_types(result, kind)
        return result or get_default_dtype()
    raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")


def from_numpy_type(kind: np.dtype[Any]) -> dtype:
    """The dtype for an ndarray's; TypeError where there is none."""
    if kind not in FROM_NUMPY:
        raise TypeError(
            f"can't convert np.ndarray of type {kind.type.__module__}.{kind.type.__name__}. The only supported types are: "
            "float64, float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, uint8, "
            "and bool."
        )
    return FROM_NUMPY[kind]


def _is_nested(data: Any) -> bool:
    return (
        hasattr(data, "__len__")
        and hasattr(data, "__getitem__")
        and not isinstance(data, (Tensor, np.ndarray, str, dict))
    )


def _shape_of(data: Any) -> tuple[int, ...]:
    """The shape of nested sequences, as their first elements show it."""
    shape = []
    while _is_nested(data):
        shape.append(len(data))
        if not len(data):
            break
        data = data[0]
        if isinstance(data, str):  # a sequence whose first element is a sequence, and so on
            raise ValueError("too many dimensions 'str'")
    if isinstance(data, (Tensor, np.ndarray)):
        shape.extend(data.shape)
    return tuple(shape)


def _check_regular(data: Any, shape: tuple[int, ...], kind: dtype, dim: int = 0) -> None:
    """torch's complaints about ragged sequences."""
    if dim == len(shape):
        if _is_nested(data):
            if kind.is_floating_point:
                raise TypeError(f"must be real number, not {type(data).__name__}")
            raise TypeError(f"'{type(data).__name__}' object cannot be interpreted as an integer")
        return
    if not hasattr(data, "__len__"):
        raise TypeError("not a sequence")
    if len(data) != shape[dim]:
        raise ValueError(f"expected sequence of length {shape[dim]} at dim {dim} (got {len(data)})")
    for each in data:
        _check_regular(each, shape, kind, dim + 1)


def _plain(data: Any) -> Any:
    """Nested sequences with Tensors replaced by arrays."""
    if isinstance(data, Tensor):
        return data._data
    return [_plain(each) for each in data] if _is_nested(data) else data


def _number_types(data: Any) -> set[type]:
    """The types of the elements of nested lists, if all are Python numbers; else nothing."""
    if type(data) is not list:
        return set()
    level = data
    while level and type(level[0]) is list:
        try:
            level = list(chain.from_iterable(level))
        except TypeError:
            return set()
    kinds = set(map(type, level))
    return kinds if kinds <= {int, float, bool} else set()


def _array(data: Any, kind: dtype | None) -> Any:
    """`data` as a new array of dtype `kind`, or of the inferred one."""
    if isinstance(data, Tensor):
        data = data._data
    if isinstance(data, np.ndarray):
        from_numpy_type(data.dtype)
        return data.astype(kind.numpy) if kind is not None else with_own_dtype(data.copy())
    kinds = _number_types(data)
    if kinds:
        try:
            values = np.array(data)
        except (ValueError, OverflowError):
            pass  # ragged, or too large: found out below, with torch's words
        else:
            if values.dtype != object and values.dtype.kind != "u":
                natural = get_default_dtype() if float in kinds else int64 if int in kinds else bool_
                return values.astype((kind or natural).numpy)
    shape = _shape_of(data)
    if kind is None or not isinstance(data, (bool, int, float)):
        inferred = _infer(data)
        kind = kind or inferred
    if 0 in shape:  # torch looks no further
        return np.empty(shape, kind.numpy)
    if shape:
        _check_regular(data, shape, kind)
    elif isinstance(data, int) and not isinstance(data, bool):
        _check_integer(data, kind)
    values = np.asarray(_plain(data)) if shape else np.asarray(data)
    if values.dtype == object or (values.dtype.kind == "u" and kind is int64):
        raise ValueError("Overflow when unpacking long long")
    return values.reshape(shape).astype(kind.numpy)


def _check_integer(value: int, kind: dtype) -> None:
    if not -(2**63) <= value < 2**63:
        raise ValueError("Overflow when unpacking long long")
    if not kind.is_floating_point and kind is not bool_:
        bits = 8 * kind.itemsize
        if not -(2 ** (bits - 1)) <= value < 2**bits:
            raise RuntimeError(f"value cannot be converted to type {kind.name} without overflow")


@_reads("(object? data, *, dtype? dtype=None, device? device=None, bool? pin_memory=False, bool requires_grad=False)")
def tensor(data: Any, dtype: dtype | None = None) -> Tensor:
    """A new leaf with a copy of `data`: numbers, nested sequences, an ndarray or a tensor."""
    return wrap(_array(data, dtype))


@_reads("(object? data, *, dtype? dtype=None, device? device=None)")
def as_tensor(data: Any, dtype: dtype | None = None) -> Tensor:
    """`data` as a tensor, sharing the memory of a tensor or ndarray where the dtype allows it."""
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    if isinstance(data, np.ndarray) and (dtype is None or dtype.numpy == data.dtype):
        return from_numpy(data)
    return wrap(_array(data, dtype))


def asarray(
    obj: Any, *, dtype: dtype | None = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """`as_tensor` with a choice of copying."""
    result: Tensor = tensor(obj, dtype=dtype) if copy else as_tensor(obj, dtype=dtype, device=device)
    return result.requires_grad_(requires_grad) if requires_grad else result


def from_numpy(ndarray: Any) -> Tensor:
    """A tensor on the memory of an ndarray.

    Raises TypeError for what is no ndarray or has no torch dtype, ValueError for negative strides or foreign byte order.
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    if not ndarray.dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. Conversion between byte orders is "
            "currently not supported."
        )
    from_numpy_type(ndarray.dtype)
    if any(stride < 0 for stride in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not currently "
            "supported. (You can probably work around this by making a copy of your array  with array.copy().) "
        )
    if type(ndarray) is not np.ndarray:
        ndarray = ndarray.view(np.ndarray)
    return wrap(with_own_dtype(ndarray))


PUBLIC |= {"asarray": asarray, "from_numpy": from_numpy}


def legacy_tensor(cls: type[Any], *args: Any, **kwargs: Any) -> Tensor:
    """`Tensor(2, 3)` (uninitialised), `Tensor([1, 2])` (data), always in the default dtype."""
    kwargs.pop("device", None)
    if len(args) == 1 and not isinstance(args[0], int):
        if isinstance(args[0], Tensor):
            return wrap(args[0]._data, cls)
        if type(args[0]).__name__ == "Size":
            return wrap(np.zeros(args[0], _numpy(None)), cls)
        return wrap(_array(args[0], get_default_dtype()), cls)
    return wrap(np.zeros(check_size(args) if args else (0,), _numpy(None)), cls)


# -- filled ------------------------------------------------------------------------------------------------------


@_reads(f"(int[] size, *, Tensor? out=None, {_OPTIONS})")
def zeros(size: Any, dtype: dtype | None = None) -> Tensor:
    return wrap(np.zeros(check_size(size, "zeros"), _numpy(dtype)))


@_reads(f"(int[] size, *, Tensor? out=None, {_OPTIONS})")
def ones(size: Any, dtype: dtype | None = None) -> Tensor:
    return wrap(np.ones(check_size(size), _numpy(dtype)))


@_reads(f"(int[] size, *, memory_format? memory_format=None, Tensor? out=None, {_OPTIONS})")
def empty(size: Any, dtype: dtype | None = None) -> Tensor:
    """Uninitialised memory."""
    return wrap(np.empty(check_size(size), _numpy(dtype)))


@_reads(f"(int[] size, Number fill_value, *, Tensor? out=None, {_OPTIONS})")
def full(size: Any, fill_value: Any, dtype: dtype | None = None) -> Tensor:
    """Filled with one number; its kind decides the dtype where none is given."""
    kind = dtype or (fill_value.dtype if isinstance(fill_value, Tensor) else scalar_dtype(python_value(fill_value)))
    return wrap(np.full(check_size(size), cast(python_value(fill_value), kind.numpy)))


@_reads(f"(Number s, *, {_OPTIONS})")
def scalar_tensor(s: Any, dtype: dtype | None = None) -> Tensor:
    return wrap(np.asarray(python_value(s), _numpy(dtype)))


_LIKE = f"*, memory_format? memory_format=None, {_OPTIONS})"


def _like(input: Tensor, kind: dtype | None) -> Any:
    """Uninitialised memory with the sizes and (where dense) the strides of `input`."""
    data = input._data
    if 0 in data.strides:
        return np.empty(data.shape, kind.numpy if kind else data.dtype)
    return np.empty_like(data, dtype=kind.numpy if kind else None)


@_reads(f"(Tensor input, {_LIKE}")
def empty_like(input: Tensor, dtype: dtype | None = None) -> Tensor:
    return wrap(_like(input, dtype))


@_reads(f"(Tensor input, {_LIKE}")
def zeros_like(input: Tensor, dtype: dtype | None = None) -> Tensor:
    return _filled_like(input, 0, dtype)


@_reads(f"(Tensor input, {_LIKE}")
def ones_like(input: Tensor, dtype: dtype | None = None) -> Tensor:
    return _filled_like(input, 1, dtype)


@_reads(f"(Tensor input, Number fill_value, {_LIKE}")
def full_like(input: Tensor, fill_value: Any, dtype: dtype | None = None) -> Tensor:
    return _filled_like(input, python_value(fill_value), dtype)


def _filled_like(input: Tensor, value: Any, kind: dtype | None) -> Tensor:
    array = _like(input, kind)
    array.fill(cast(value, array.dtype))
    return wrap(array)


# -- the methods new_* ---------------------------------------------------------------------------------------------


@_reads("(Tensor self, int[] size, *, " + _OPTIONS + ")", method=True)
def new_zeros(self: Tensor, size: Any, dtype: dtype | None = None) -> Tensor:
    return wrap(np.zeros(check_size(size), _numpy(dtype or self.dtype)))


@_reads("(Tensor self, int[] size, *, " + _OPTIONS + ")", method=True)
def new_ones(self: Tensor, size: Any, dtype: dtype | None = None) -> Tensor:
    return wrap(np.ones(check_size(size), _numpy(dtype or self.dtype)))


@_reads("(Tensor self, int[] size, *, " + _OPTIONS + ")", method=True)
def new_empty(self: Tensor, size: Any, dtype: dtype | None = None) -> Tensor:
    return wrap(np.empty(check_size(size), _numpy(dtype or self.dtype)))


@_reads("(Tensor self, int[] size, Number fill_value, *, " + _OPTIONS + ")", method=True)
def new_full(self: Tensor, size: Any, fill_value: Any, dtype: dtype | None = None) -> Tensor:
    kind = _numpy(dtype or self.dtype)
    return wrap(np.full(check_size(size), cast(python_value(fill_value), kind)))


@_reads("(Tensor self, object data, *, dtype? dtype=None, device? device=None, bool requires_grad=False)", method=True)
def new_tensor(self: Tensor, data: Any, dtype: dtype | None = None) -> Tensor:
    return wrap(_array(data, dtype or self.dtype))


# -- sequences -------------------------------------------------------------------------------------------------------


@_reads(
    f"(Number end, *, Tensor? out=None, {_OPTIONS})",
    f"(Number start, Number end, *, {_OPTIONS})",
    f"(Number start, Number end, Number step=1, *, Tensor? out=None, {_OPTIONS})",
)
def arange(end: Any, start: Any = 0, step: Any = 1, dtype: dtype | None = None) -> Tensor:
    """start, start + step, ... as long as it is before `end`; the length is ceil((end - start) / step)."""
    start, end, step = (python_value(each) for each in (start, end, step))
    if dtype is None:
        dtype = get_default_dtype() if any(isinstance(each, float) for each in (start, end, step)) else int64
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if (end - start) / step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    if dtype is int64:  # whose length torch counts in integers, that of the others in float64
        start, end, step = int(start), int(end), int(step)
        if step == 0:
            raise ValueError("step must be nonzero")
    length = math.ceil((end - start) / step)
    if not dtype.is_floating_point:
        start, step = int(start), int(step)
    steps = np.arange(length, dtype=np.float64 if dtype.is_floating_point else np.int64)
    return wrap((start + steps * step).astype(dtype.numpy))


@_reads(
    f"(Tensor start, Tensor end, int steps, *, Tensor? out=None, {_OPTIONS})",
    f"(Number start, Tensor end, int steps, *, Tensor? out=None, {_OPTIONS})",
    f"(Tensor start, Number end, int steps, *, Tensor? out=None, {_OPTIONS})",
    f"(Number start, Number end, int steps, *, Tensor? out=None, {_OPTIONS})",
)
def linspace(start: Any, end: Any, steps: int, dtype: dtype | None = None) -> Tensor:
    """`steps` values from `start` to `end`, both included; counted from the nearer end, as torch does."""
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    kind = _numpy(dtype)
    if kind.kind != "f":
        start, end = int(python_value(start)), int(python_value(end))
        work: Any = np.dtype(np.float32)
    else:
        work = kind
    first, last = work.type(python_value(start)), work.type(python_value(end))
    if steps == 1:
        return wrap(np.full(1, first).astype(kind))
    step = (last - first) / work.type(max(steps - 1, 1))
    # In float64 the product and the sum of float32 numbers are rounded once, like torch's fused multiply-add.
    index = np.arange(steps, dtype=np.float64)
    first, last, step = float(first), float(last), float(step)
    values = np.where(index < steps // 2, first + step * index, last - step * (steps - 1 - index))
    return wrap(values.astype(work).astype(kind))


@_reads(f"(int n, *, Tensor? out=None, {_OPTIONS})", f"(int n, int m, *, Tensor? out=None, {_OPTIONS})")
def eye(n: int, m: int | None = None, dtype: dtype | None = None) -> Tensor:
    """Ones on the diagonal: (n, m), square by default."""
    m = n if m is None else m
    for name, size in (("n", n), ("m", m)):
        if size < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {size}")
    return wrap(np.eye(n, m, dtype=_numpy(dtype)))
