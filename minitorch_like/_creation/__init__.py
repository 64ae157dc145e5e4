"""Making tensors: from data, filled, and as sequences.  What scripts rarely ask for is in the modules named in `_later`."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np

from .._capture import mode
from .._device import require_cpu
from .._dtype import (
    DIFFERENTIABLE_KINDS,
    FROM_NUMPY,
    OF_PYTHON,
    bool_,
    dtype,
    float32,
    float64,
    get_default_dtype,
    int64,
    scalar_dtype,
    with_own_dtype,
)
from .._layout import contiguous_format, contiguous_strides, format_strides, preserve_format, strided, strides_of
from .._layout import layout as Layout
from .._layout import memory_format as MemoryFormat
from .._tensor import Tensor, wrap
from ..ops._checks import is_dense, laid_out, sizes
from ..ops._signature import NOBODY, Reader, check_bound
from ..ops._table import python_value

PUBLIC: dict[str, Callable[..., Any]] = {}
OPTIONS = (
    "dtype? dtype=None, layout? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False"
)


def reads(
    *texts: str, method: bool = False, name: str = "", quick: Callable[[tuple[Any, ...]], Any] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a function be called by torch's signatures and its result have the options `device`, `out`, `requires_grad`, ...

    The function receives the other values by name, and returns a new tensor.  Calls without keywords are shown to `quick`
    first, which answers None, or with an array, to those that need no reading.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        own = name or function.__name__
        reader = Reader(own, texts, method=method)

        def call(*args: Any, **kwargs: Any) -> Any:
            if quick is not None and not kwargs:
                array = quick(args)
                if array is not None:
                    return _made(wrap(array))
            if method and not args:
                check_bound(NOBODY, own)
            _, values = reader.read(args[1:] if method else args, kwargs)
            if not kwargs:
                return _made(function(*args[:1], **values) if method else function(**values))
            kind = values.get("dtype")
            if kind.__class__ is type:
                values["dtype"] = OF_PYTHON[kind]
            requires_grad = values.pop("requires_grad", False)
            out = values.pop("out", None)
            if out is not None:
                from . import out as _creation_out

                _creation_out.check(own, out, values)
                result = _creation_out.write(own, out, _made(function(**values)))
            else:
                _check_place(own, values)
                result = _made(function(*args[:1], **values) if method else function(**values))
            if requires_grad:
                require_grad(result)
            return result

        call.__name__ = call.__qualname__ = own
        call.__doc__ = function.__doc__
        if method:
            setattr(Tensor, own, call)
        else:
            PUBLIC[own] = call
        return call

    return decorate


def _made(result: Tensor) -> Tensor:
    """`result`, of which a step that is being captured takes note."""
    if mode.recorder is not None and result._data.size:
        mode.recorder.constant(result._data)
    return result


def _check_place(function: str, values: dict[str, Any]) -> None:
    """Take `device`, `layout` and `pin_memory` out of `values`; only the CPU's strided memory is to be had."""
    if values.pop("pin_memory", False):
        raise RuntimeError(
            "pin_memory=True requires a CUDA or other accelerator backend; no pinned memory allocator is available on "
            "this system."
        )
    require_cpu(values.pop("device", None), function)
    where: Layout | None = values.pop("layout", None)
    if where is not None and where is not strided:
        raise NotImplementedError(f"{function}(): minitorch_like has no tensors of layout {where}")


def require_grad(tensor: Tensor) -> None:
    """What `requires_grad=True` does to a new tensor.  RuntimeError for a dtype without derivatives."""
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


def _number(value: Any) -> Any:
    """A number as torch reads it: NumPy's bool is a float.  OverflowError for an integer of more than 64 bits."""
    if isinstance(value, np.bool_):
        return float(value)
    value = python_value(value)
    if value.__class__ is int and not -(2**63) <= value < 2**64:
        raise OverflowError("can't convert negative int to unsigned" if value < 0 else "int too big to convert")
    return value


def element(value: Any, kind: dtype, count: int) -> Any:
    """A number as an element of dtype `kind`, of which there are to be `count`.  RuntimeError where it is out of range."""
    value = _number(value)
    if kind is float32 or kind is float64:
        if value.__class__ is float and -3e38 < value < 3e38:
            return value
        if value.__class__ is int and -(2**53) < value < 2**53:
            return value
    from ..ops._scalars import as_element

    return as_element(value, kind, saturate=count == 1)


# -- from data ---------------------------------------------------------------------------------------------------


_MOST_DIMS = 64  # of an ndarray


def _number_types(data: Any) -> set[type]:
    """The types of the elements of nested lists, if all are Python numbers; else nothing."""
    if type(data) is not list:
        return set()
    level, depth = data, 1
    while level and type(level[0]) is list and depth <= _MOST_DIMS:
        try:
            level = list(chain.from_iterable(level))
        except TypeError:
            return set()
        depth += 1
    kinds = set(map(type, level))
    return kinds if kinds <= {int, float, bool} else set()


def _regular(data: Any, kind: dtype | None) -> Any:
    """Nested lists of Python numbers as an array; None where there is something that `_creation.sequences` has to look at."""
    kinds = _number_types(data)
    if not kinds:
        return None
    try:
        values = np.array(data)
    except (ValueError, OverflowError):
        return None  # ragged, or too large
    natural = get_default_dtype() if float in kinds else int64 if int in kinds else bool_
    if values.dtype.kind != ("f" if float in kinds else "i" if int in kinds else "b"):
        return None
    to = (kind or natural).numpy
    if to is values.dtype:
        return values
    if to.kind in "iu" and not _fit(values, to):
        return None  # one of them does not
    with np.errstate(over="ignore"):
        return (values.astype(np.float32) if to.itemsize == 2 else values).astype(to)


def _fit(values: Any, to: np.dtype[Any]) -> bool:
    """Whether all numbers are in the range of an integer dtype."""
    info = np.iinfo(to)
    return not values.size or bool(info.min <= values.min() and values.max() <= info.max and values.max() < 2.0**63)


def new_array(data: Any, kind: dtype | None) -> Any:
    """`data` as an array of its own, of dtype `kind` or of the inferred one."""
    if kind is None:
        if data.__class__ is float and -3e38 < data < 3e38 and get_default_dtype() in (float32, float64):
            return np.array(data, get_default_dtype().numpy)
        if data.__class__ is int and -(2**63) <= data < 2**63:
            return np.array(data, int64.numpy)
    values = _regular(data, kind)
    if values is not None:
        return values
    if isinstance(data, Tensor):
        return _copied(data._data, kind)
    if isinstance(data, np.ndarray):
        return _copied(checked_array(data), kind)
    from .sequences import array_of

    return array_of(data, kind)


def _copied(array: Any, kind: dtype | None) -> Any:
    """A copy with the memory order that torch gives it."""
    if kind is not None and kind.numpy is not array.dtype:
        return wrap(array).to(kind)._data
    return laid_out(array.copy(), array)


def checked_array(array: Any) -> Any:
    """An ndarray that torch can make a tensor of, with the dtype object that the package knows.

    Raises TypeError for a dtype that torch (or this package) lacks, ValueError for negative strides or foreign byte order.
    """
    if not array.dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. Conversion between byte orders is "
            "currently not supported."
        )
    if any(stride < 0 for stride in array.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not currently "
            "supported. (You can probably work around this by making a copy of your array  with array.copy().) "
        )
    from_numpy_type(array.dtype)
    return with_own_dtype(array if type(array) is np.ndarray else array.view(np.ndarray))


def from_numpy_type(kind: np.dtype[Any]) -> dtype:
    """The dtype for an ndarray's; TypeError where there is none."""
    if kind not in FROM_NUMPY or kind.kind == "V":  # torch does not know an extension's bfloat16
        if kind.name in ("uint16", "uint32", "uint64"):
            raise TypeError(f"minitorch_like has no torch.{kind.name}")
        raise TypeError(
            f"can't convert np.ndarray of type {kind.type.__module__}.{kind.type.__name__}. The only supported types are: "
            "float64, float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, uint8, "
            "and bool."
        )
    return FROM_NUMPY[kind]


_COPY_CONSTRUCT = (
    "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
    "sourceTensor.detach().clone().requires_grad_(True), rather than {}(sourceTensor)."
)


@reads("(object data, *, dtype? dtype=None, device? device=None, bool pin_memory=False, bool requires_grad=False)")
def tensor(data: Any, dtype: dtype | None = None) -> Tensor:
    """A new leaf with a copy of `data`: numbers, nested sequences, an ndarray or a tensor."""
    if isinstance(data, Tensor):
        from .._once import warn_of_call

        warn_of_call(_COPY_CONSTRUCT.format("torch.tensor"))
    return wrap(new_array(data, dtype))


@reads("(object data, *, dtype? dtype=None, device? device=None)")
def as_tensor(data: Any, dtype: dtype | None = None) -> Tensor:
    """`data` as a tensor, sharing the memory of a tensor or ndarray where the dtype allows it."""
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    if isinstance(data, np.ndarray):
        shared = from_numpy(data)
        return shared if dtype is None else shared.to(dtype)
    return wrap(new_array(data, dtype))


def from_numpy(*args: Any, **kwargs: Any) -> Tensor:
    """(ndarray) -> a tensor on the memory of an ndarray.

    Raises TypeError for what is no ndarray or has no torch dtype, ValueError for negative strides or foreign byte order.
    """
    ndarray = args[0] if len(args) == 1 and not kwargs else None
    if not isinstance(ndarray, np.ndarray):
        from ..ops._misfits import only_argument, type_name

        other = only_argument("from_numpy", args, kwargs, "torch._VariableFunctionsClass")
        raise TypeError(f"expected np.ndarray (got {type_name(other)})")
    array = checked_array(ndarray)
    if not _is_storage(array):
        from .sharing import rooted, warn_of_protected

        warn_of_protected(ndarray)
        array = rooted(array)
    return wrap(array)


def _is_storage(array: Any) -> bool:
    """Whether an array may serve as it is: writable, all of its memory, and with strides that leave no choice."""
    flags = array.flags
    return flags.owndata and flags.c_contiguous and flags.writeable and array.size and 1 not in array.shape


PUBLIC["from_numpy"] = from_numpy


def legacy_tensor(cls: type[Any], *args: Any, **kwargs: Any) -> Tensor:
    """`Tensor(2, 3)`, `Tensor([1, 2])`, ...: what the class itself makes when called."""
    from .legacy import construct

    return construct(cls, None, args, kwargs)


# -- filled ------------------------------------------------------------------------------------------------------

_INTS = frozenset({int})


def _of_sizes(make: Callable[..., Any]) -> Callable[[tuple[Any, ...]], Any]:
    """`zeros(2, 3)` and `zeros((2, 3))`, for sizes that need no further check."""

    def quick(args: tuple[Any, ...]) -> Any:
        size = args[0] if len(args) == 1 and args[0].__class__ is tuple else args
        if args and _INTS.issuperset(map(type, size)) and min(size, default=0) >= 0 and max(size, default=0) < 2**20:
            return make(size, get_default_dtype().numpy) if len(size) < 4 else None
        return None

    return quick


@reads(f"(int[] size, *, Tensor? out=None, {OPTIONS})", quick=_of_sizes(np.zeros))
def zeros(size: Any, dtype: dtype | None = None) -> Tensor:
    return wrap(np.zeros(check_size(size, "zeros"), _numpy(dtype)))


@reads(f"(int[] size, *, Tensor? out=None, {OPTIONS})", quick=_of_sizes(np.ones))
def ones(size: Any, dtype: dtype | None = None) -> Tensor:
    return wrap(np.ones(check_size(size), _numpy(dtype)))


@reads(f"(int[] size, *, memory_format? memory_format=None, Tensor? out=None, {OPTIONS})", quick=_of_sizes(np.empty))
def empty(size: Any, dtype: dtype | None = None, memory_format: MemoryFormat | None = None) -> Tensor:
    """Uninitialised memory."""
    shape = check_size(size)
    if memory_format is None or memory_format is contiguous_format:
        return wrap(np.empty(shape, _numpy(dtype)))
    if memory_format is preserve_format:
        raise RuntimeError("unsupported memory format Preserve")
    return wrap(_in_format(shape, _numpy(dtype), memory_format))


@reads(f"(int[] size, Number fill_value, *, Tensor? out=None, {OPTIONS})")
def full(size: Any, fill_value: Any, dtype: dtype | None = None) -> Tensor:
    """Filled with one number; its kind decides the dtype where none is given."""
    value = _number(fill_value)
    kind, shape = dtype or scalar_dtype(value), check_size(size)
    return wrap(np.full(shape, element(value, kind, math.prod(shape)), kind.numpy))


@reads(f"(Number s, *, {OPTIONS})")
def scalar_tensor(s: Any, dtype: dtype | None = None) -> Tensor:
    kind = dtype or get_default_dtype()
    return wrap(np.asarray(element(s, kind, 1), kind.numpy))


_LIKE = f"*, memory_format? memory_format=None, {OPTIONS})"


def _in_format(shape: tuple[int, ...], kind: np.dtype[Any], wanted: MemoryFormat) -> Any:
    """Uninitialised memory in a memory format."""
    strides = format_strides(shape, wanted, kind.itemsize)
    return np.ndarray(shape, kind, np.empty(math.prod(shape), kind), 0, strides)


def like(input: Tensor, kind: dtype | None, memory_format: MemoryFormat | None = None) -> Any:
    """Uninitialised memory with the sizes of `input`, and its strides where no memory format is given.

    Where there are gaps between its elements they are closed; where elements overlap the result is contiguous.
    """
    data = input._data
    to = kind.numpy if kind else data.dtype
    if memory_format is contiguous_format:
        return np.empty(data.shape, to)
    if memory_format is not None and memory_format is not preserve_format:
        return _in_format(data.shape, to, memory_format)
    if (data.flags.c_contiguous and 1 not in data.shape) or 0 in data.strides:
        return np.empty(data.shape, to)
    own = strides_of(data)
    if own == contiguous_strides(data.shape, data.itemsize):
        return np.empty(data.shape, to)
    if not is_dense(data):
        return np.empty_like(data, dtype=to)
    strides = tuple(each // data.itemsize * to.itemsize for each in own)
    return np.ndarray(data.shape, to, np.empty(data.size, to), 0, strides)


@reads(f"(Tensor input, {_LIKE}")
def empty_like(input: Tensor, dtype: dtype | None = None, memory_format: MemoryFormat | None = None) -> Tensor:
    return wrap(like(input, dtype, memory_format))


@reads(f"(Tensor input, {_LIKE}")
def zeros_like(input: Tensor, dtype: dtype | None = None, memory_format: MemoryFormat | None = None) -> Tensor:
    return _filled_like(input, 0, dtype, memory_format)


@reads(f"(Tensor input, {_LIKE}")
def ones_like(input: Tensor, dtype: dtype | None = None, memory_format: MemoryFormat | None = None) -> Tensor:
    return _filled_like(input, 1, dtype, memory_format)


@reads(f"(Tensor input, Number fill_value, {_LIKE}")
def full_like(
    input: Tensor, fill_value: Any, dtype: dtype | None = None, memory_format: MemoryFormat | None = None
) -> Tensor:
    return _filled_like(input, element(fill_value, dtype or input.dtype, input._data.size), dtype, memory_format)


def _filled_like(input: Tensor, value: Any, kind: dtype | None, memory_format: MemoryFormat | None) -> Tensor:
    array = like(input, kind, memory_format)
    array.fill(value)
    return wrap(array)


# -- the methods new_* ---------------------------------------------------------------------------------------------


@reads(f"(Tensor self, int[] size, *, {OPTIONS})", method=True)
def new_zeros(self: Tensor, size: Any, dtype: dtype | None = None) -> Tensor:
    return wrap(np.zeros(check_size(size), _numpy(dtype or self.dtype)))


@reads(f"(Tensor self, int[] size, *, {OPTIONS})", method=True)
def new_ones(self: Tensor, size: Any, dtype: dtype | None = None) -> Tensor:
    return wrap(np.ones(check_size(size), _numpy(dtype or self.dtype)))


@reads(f"(Tensor self, int[] size, *, {OPTIONS})", method=True)
def new_empty(self: Tensor, size: Any, dtype: dtype | None = None) -> Tensor:
    return wrap(np.empty(check_size(size), _numpy(dtype or self.dtype)))


@reads(f"(Tensor self, int[] size, Number fill_value, *, {OPTIONS})", method=True)
def new_full(self: Tensor, size: Any, fill_value: Any, dtype: dtype | None = None) -> Tensor:
    kind, value = dtype or self.dtype, _number(fill_value)
    shape = check_size(size)
    return wrap(np.full(shape, element(value, kind, math.prod(shape)), kind.numpy))


@reads("(Tensor self, object data, *, dtype? dtype=None, device? device=None, bool requires_grad=False)", method=True)
def new_tensor(self: Tensor, data: Any, dtype: dtype | None = None) -> Tensor:
    if isinstance(data, Tensor):
        from .._once import warn_of_call

        warn_of_call(_COPY_CONSTRUCT.format("tensor.new_tensor"))
    return wrap(new_array(data, dtype or self.dtype))


# -- sequences -------------------------------------------------------------------------------------------------------


@reads(
    f"(Number end, *, Tensor? out=None, {OPTIONS})",
    f"(Number start, Number end, *, {OPTIONS})",
    f"(Number start, Number end, Number step=1, *, Tensor? out=None, {OPTIONS})",
)
def arange(end: Any, start: Any = 0, step: Any = 1, dtype: dtype | None = None) -> Tensor:
    """start, start + step, ... as long as it is before `end`; the length is ceil((end - start) / step)."""
    plain = start.__class__ is end.__class__ is step.__class__ is int and (dtype is None or dtype is int64)
    if plain and step > 0 and -(2**63) <= start <= end < 2**63:
        return wrap(np.arange(start, end, step))
    from . import progressions as _progressions

    start, end, step = (_number(each) for each in (start, end, step))
    if dtype is None:
        dtype = int64 if all(isinstance(each, int) for each in (start, end, step)) else get_default_dtype()
    start, step, length = _progressions.steps_between(start, end, step, dtype)
    return wrap(_progressions.arange(start, step, length, dtype.numpy))


@reads(f"(int n, *, Tensor? out=None, {OPTIONS})", f"(int n, int m, *, Tensor? out=None, {OPTIONS})")
def eye(n: int, m: int | None = None, dtype: dtype | None = None) -> Tensor:
    """Ones on the diagonal: (n, m), square by default."""
    n, m = int(n), int(n if m is None else m)
    for name, size in (("n", n), ("m", m)):
        if size < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {size}")
    return wrap(np.eye(n, m, dtype=_numpy(dtype)))
