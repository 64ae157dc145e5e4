"""Argument checks and dtype coercions shared by the kernels: each of torch's errors is written once, here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .._dtype import FROM_NUMPY, default_numpy_dtype, dtype, result_dtype
from .._layout import extent

Array = np.ndarray[Any, np.dtype[Any]]
Dims = int | Sequence[int] | None

# For each kind of Python number the kinds of array beside which it may stay one: NumPy then gives torch's dtype.
_STAYS_BESIDE = {bool: "fc", int: "fc", float: "fc", complex: "c"}
ndarray = np.ndarray


def as_floating(x: Array) -> Array:
    """`x`, or its conversion to the default dtype where it is boolean or integer."""
    return x if x.dtype.kind in "fc" else cast(x, default_numpy_dtype())


def is_complex(x: Any) -> bool:
    """Whether an array, a Tensor or a Python number is complex."""
    data = getattr(x, "_data", x)
    return data.dtype.kind == "c" if hasattr(data, "dtype") else isinstance(x, complex)


def common(x: Any, y: Any) -> tuple[Any, Any]:
    """Both operands in torch's result dtype.  One of them may be a Python number, which then stays one
    wherever NumPy's own treatment of it agrees."""
    kinds = _STAYS_BESIDE.get(type(y))
    if kinds is not None:
        if x.dtype.kind in kinds:
            return x, y
    elif type(x) not in _STAYS_BESIDE and x.dtype is y.dtype:
        return x, y
    result = result_dtype(x, y).numpy
    return cast(x, result), cast(y, result)


def common_floating(x: Any, y: Any) -> tuple[Any, Any]:
    """`common` where integers give the default dtype, to which they are converted as they were given."""
    kinds = _STAYS_BESIDE.get(type(y))
    if kinds is not None:
        if x.dtype.kind in kinds:
            return x, y
    elif type(x) not in _STAYS_BESIDE and x.dtype is y.dtype and x.dtype.kind in "fc":
        return x, y
    result = result_dtype(x, y)
    kind = result.numpy if result.is_floating_point or result.is_complex else default_numpy_dtype()
    return cast(x, kind), cast(y, kind)


def cast(x: Any, to: np.dtype[Any]) -> Array:
    """An array or number as an array of dtype `to`, laid out as torch's copy is; integers wrap around as torch's do."""
    if isinstance(x, (np.ndarray, np.generic)):
        if x.dtype is to:
            return x  # type: ignore[return-value]
        if x.dtype.kind == "c" and to.kind not in "cb":
            x = real_part(x)
        if to.kind == "u" and x.dtype.kind in "fV":  # by way of int64, as torch does
            x = x.astype(np.int64)
        return laid_out(x.astype(to, order="C"), x) if x.ndim > 1 else x.astype(to)
    if isinstance(x, int) and to.kind in "iu":
        return np.asarray(in_64_bits(x)).astype(to)
    if isinstance(x, complex) and to.kind not in "cb":
        x = real_number(x, scalar_name(to))
    if isinstance(x, int) and not -(2**63) <= x < 2**63:
        x = float(in_64_bits(x))
    return np.asarray(x, dtype=to)


def in_single(x: Any) -> Array:
    """Two-byte floating-point numbers as float32, in a layout from which results take the same order as from that of `x`.

    Elements that share their places, as those of expanded tensors do, go on to share them.
    """
    if x.flags.c_contiguous or min(x.strides) < 0 or (places := extent(x.shape, x.strides) // 2 + 1) >= x.size:
        return x.astype(np.float32)
    memory = strided(x, (places,), (2,)).astype(np.float32)
    return strided(memory, x.shape, [2 * step for step in x.strides])


def in_64_bits(value: int) -> Any:
    """A Python integer as NumPy's.  OverflowError, in Python's words, beyond what torch takes for one."""
    if -(2**63) <= value < 2**63:
        return np.int64(value)
    if not 0 <= value < 2**64:
        raise OverflowError("int too big to convert" if value > 0 else "can't convert negative int to unsigned")
    return np.uint64(value)


def converted(value: Any, to: np.dtype[Any]) -> Array:
    """`cast` of a number that must fit: what torch fills, clamps and raises to a power with.

    RuntimeError where the number lies beyond the dtype.  -1 is not beyond an unsigned one: it wraps around.
    """
    if not fits(value, to):
        if isinstance(value, int):
            in_64_bits(value)
        raise does_not_fit(scalar_name(to))
    return cast(value, to)


def fits(value: Any, to: np.dtype[Any]) -> bool:
    """Whether torch converts a number without complaint: not beyond the dtype, nor with an imaginary part to a real one.

    Infinities fit every floating dtype, and negative integers wrap around to unsigned ones.  Source: `c10::overflows`.
    """
    if to.kind == "b":
        return True
    if isinstance(value, complex):
        if to.kind == "c":
            return all(fits(part, np.dtype(f"f{to.itemsize // 2}")) for part in (value.real, value.imag))
        return value.imag == 0 and fits(value.real, to)
    if to.kind in "iu":
        bounds = np.iinfo(to)
        wraps = to.kind == "u" and isinstance(value, int)
        return bool((-bounds.max if wraps else bounds.min) <= value <= bounds.max)
    return not math.isfinite(value) or abs(value) <= largest(to)


def does_not_fit(type_name: str) -> RuntimeError:
    return RuntimeError(f"value cannot be converted to type {type_name} without overflow")


def largest(kind: np.dtype[Any]) -> float:
    """The largest finite number of a floating-point or complex dtype."""
    if kind.name == "bfloat16":
        return float(np.uint32(0x7F7F0000).view(np.float32))
    return float(np.finfo(kind).max)


def real_part(x: Any) -> Array:
    """What a conversion to real numbers leaves.  The first one warns, as in torch."""
    from .._once import warn_once

    warn_once("Casting complex values to real discards the imaginary part")
    real: Array = x.real
    return real


def real_and_imaginary(x: Array) -> Array:
    """The memory of a complex array as real numbers: (...) -> (..., 2)."""
    return x[..., None].view(x.real.dtype)


def real_number(x: complex, kind: str) -> float:
    """A Python number that has to be real.  RuntimeError names the C++ type `kind` where it is not."""
    if x.imag:
        raise RuntimeError(f"value cannot be converted to type {kind} without overflow")
    return x.real


def scalar_name(kind: np.dtype[Any]) -> str:
    """The C++ type to which torch says that it cannot convert a number: float, int64_t, ..."""
    name = FROM_NUMPY[kind].name
    return f"{name}_t" if name.startswith(("int", "uint")) and name != "int32" else _C_NAMES.get(name, name)


def computed(ufunc: Any, x: Any, y: Any) -> Array:
    """`ufunc(x, y)`; torch's error where the shapes do not broadcast."""
    try:
        result: Array = ufunc(x, y)
    except ValueError:
        explain(broadcast_shapes, np.shape(x), np.shape(y))
        raise
    if result.ndim < 2:
        return result
    if x.__class__ is ndarray and x.flags.c_contiguous and (y.__class__ is not ndarray or y.flags.c_contiguous):
        return result  # the common case of what `laid_out` finds
    return laid_out(result, x, y)


def explain(check: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Have a check say what is wrong, where something has just failed: its words alone are shown then, as torch's are."""
    try:
        check(*args, **kwargs)
    except Exception as error:
        error.__suppress_context__ = True
        raise


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The common shape.  RuntimeError names the first dimension, from the right, that does not fit."""
    result = shapes[0]
    for shape in shapes[1:]:
        rank = max(len(result), len(shape))
        a = (1,) * (rank - len(result)) + tuple(result)
        b = (1,) * (rank - len(shape)) + tuple(shape)
        for dim in reversed(range(rank)):
            if a[dim] != b[dim] and 1 not in (a[dim], b[dim]):
                raise RuntimeError(
                    f"The size of tensor a ({a[dim]}) must match the size of tensor b ({b[dim]}) "
                    f"at non-singleton dimension {dim}"
                )
        result = tuple(m if n == 1 else n for m, n in zip(a, b, strict=True))
    return tuple(result)


def wrap_dim(dim: int, ndim: int) -> int:
    """`dim` counted from the front.  IndexError outside [-ndim, ndim); a 0-d tensor counts as 1-d."""
    bound = ndim or 1
    if not -bound <= dim < bound:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], but got {dim})")
    return dim + bound if dim < 0 else dim


def wrap_dims(dim: Dims, ndim: int, *, ranges_first: bool = False) -> tuple[int, ...]:
    """The dimensions of a reduction, counted from the front and sorted by the caller's order; None and () mean all.

    Raises IndexError out of range, RuntimeError for a repetition: whatever comes first, or the `ranges_first`.
    """
    if dim is None:
        return tuple(range(ndim))
    if isinstance(dim, int):
        return (wrap_dim(dim, ndim),) if ndim else _no_dims(dim)
    if not dim:
        return tuple(range(ndim))
    if ranges_first:
        dim = tuple([wrap_dim(each, ndim) for each in dim])
    wrapped: list[int] = []
    for given in dim:
        each = wrap_dim(given, ndim)
        if each in wrapped:
            raise RuntimeError(f"dim {each} appears multiple times in the list of dims")
        wrapped.append(each)
    return tuple(wrapped) if ndim else ()


def _no_dims(dim: int) -> tuple[int, ...]:
    wrap_dim(dim, 0)
    return ()


def reduced_shape(shape: Sequence[int], dims: Iterable[int]) -> tuple[int, ...]:
    """`shape` with the reduced dimensions kept as 1."""
    dims = set(dims)
    return tuple(1 if index in dims else size for index, size in enumerate(shape))


def title(x: Array) -> str:
    """torch's C++ name of an array's dtype: Float, Long, ..."""
    return FROM_NUMPY[x.dtype].title


def c_name(x: Array) -> str:
    """The C++ scalar type that some of torch's messages use: float, double, long int, ..."""
    return _C_NAMES.get(FROM_NUMPY[x.dtype].name, FROM_NUMPY[x.dtype].name)


_C_NAMES = {
    "float16": "c10::Half",
    "float32": "float",
    "float64": "double",
    "int64": "long int",
    "int32": "int",
    "int16": "short int",
    "int8": "signed char",
    "uint8": "unsigned char",
    "bfloat16": "c10::BFloat16",
    "complex64": "c10::complex<float>",
    "complex128": "c10::complex<double>",
}


def tensor_type(x: Array) -> str:
    """The type name in torch's messages: torch.FloatTensor, or CPUBoolType for what has no legacy type there."""
    kind = FROM_NUMPY[x.dtype]
    return f"CPU{kind.title}Type" if kind.title in _WITHOUT_LEGACY_TYPE else kind.tensor_type


_WITHOUT_LEGACY_TYPE = ("Bool", "BFloat16", "ComplexFloat", "ComplexDouble")


def sizes(shape: Sequence[int]) -> str:
    """A shape as torch's messages print it: [2, 3]."""
    return f"[{', '.join(map(str, shape))}]"


def derivable(node: str, kind: dtype | None) -> str:
    """`node`, the name for the record.  RuntimeError where the result was asked for in a dtype that has no derivatives."""
    if kind is not None and not (kind.is_floating_point or kind.is_complex):
        raise RuntimeError(f"Autograd not support dtype: {kind.title}")
    return node


def numpy_dtype(given: dtype | None) -> np.dtype[Any] | None:
    return None if given is None else given.numpy


def not_implemented(name: str, x: Array) -> NotImplementedError:
    """What torch says where its kernel `name` does not take the dtype of `x`."""
    return NotImplementedError(f"\"{name}\" not implemented for '{title(x)}'")


def check_no_integer(name: str, x: Array) -> None:
    """Kernels that torch implements for floating-point tensors only."""
    if x.dtype.kind not in "fV":
        raise not_implemented(name, x)


def check_one_place_each(x: Array) -> None:
    """RuntimeError for a write to memory that several elements share, as those of an expanded tensor do."""
    if 0 in x.strides and x.size and any(n > 1 and not step for n, step in zip(x.shape, x.strides, strict=True)):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )


def check_no_partial_overlap(written: Array, read: Any) -> None:
    """RuntimeError where a write would change, half-way, what is still to be read: the very same view is harmless."""
    if not isinstance(read, np.ndarray) or not np.may_share_memory(written, read) or not (written.size and read.size):
        return
    if written.__class__ is not ndarray:  # but seen through bits: it is written to when all has been read
        return
    same = _places(written) == _places(read) or _spans_alike(written, read)
    if not same and is_dense(written) and is_dense(read):
        raise overlapping()


def overlapping() -> RuntimeError:
    """The objection to a write that would change what is still to be read."""
    return RuntimeError(
        "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
        "location. Please clone() the tensor before performing the operation."
    )


def _spans_alike(x: Array, y: Array) -> bool:
    """Whether torch takes both for the same elements: from the same address to the same, with the same strides."""
    if x.itemsize != y.itemsize or x.strides != y.strides or _address(x) != _address(y):
        return False
    ends = [sum((size - 1) * step for size, step in zip(each.shape, each.strides, strict=True)) for each in (x, y)]
    return ends[0] == ends[1]


def _places(x: Array) -> tuple[Any, ...]:
    """What tells which elements of memory an array looks at, and in which order."""
    return _address(x), x.itemsize, x.shape, *(step for step, size in zip(x.strides, x.shape, strict=True) if size > 1)


def is_dense(x: Array) -> bool:
    """Whether the elements fill a piece of memory without gaps or overlaps, in whatever order of dimensions."""
    if x.flags.c_contiguous or x.flags.f_contiguous:
        return True
    step = x.itemsize
    for stride, size in sorted((stride, size) for stride, size in zip(x.strides, x.shape, strict=True) if size != 1):
        if stride != step:
            return False
        step *= size
    return True


def laid_out(result: Array, *operands: Any) -> Array:
    """`result` in the memory order that torch gives an elementwise result of these operands.

    NumPy and torch agree on contiguous operands.  Otherwise torch orders the dimensions by the strides of the first
    operand that tells two of them apart, the smaller stride (at a tie, the smaller size) inside.
    Source: `TensorIteratorBase::reorder_dimensions`.
    """
    if result.ndim < 2:
        return result
    for each in operands:
        if isinstance(each, ndarray) and not each.flags.c_contiguous:
            break
    else:
        return result
    arrays = [each for each in operands if isinstance(each, ndarray) and each.ndim]
    return laid_out_by_strides(result, [broadcast_strides(each, result.shape) for each in arrays])


def laid_out_by_strides(result: Array, operands: list[list[int]]) -> Array:
    """`result` in the memory order that operands with these strides, broadcast to its shape, decide."""
    order = memory_order(result.shape, operands)
    step, strides = result.itemsize, [0] * result.ndim
    for dim in order:
        strides[dim] = step
        step *= result.shape[dim]
    if tuple(strides) == result.strides or result.size <= 1:
        return result
    outer_first = order[::-1]
    copied = result.transpose(outer_first).copy(order="C")
    return copied.transpose([outer_first.index(dim) for dim in range(result.ndim)])


def broadcast_strides(x: Array, shape: tuple[int, ...]) -> list[int]:
    """The strides of `x` once broadcast to `shape`: 0 where it is stretched."""
    missing = len(shape) - x.ndim
    own = [
        0 if size == 1 != wanted else stride
        for size, stride, wanted in zip(x.shape, x.strides, shape[missing:], strict=True)
    ]
    return [0] * missing + own


def memory_order(shape: tuple[int, ...], strides: list[list[int]]) -> list[int]:
    """The dimensions from the innermost to the outermost, by insertion: an undecided pair keeps its order."""

    def comes_after(inner: int, outer: int) -> int:
        for each in strides:
            if each[inner] == 0 or each[outer] == 0:
                continue
            if each[inner] != each[outer]:
                return 1 if each[inner] > each[outer] else -1
            if shape[inner] > shape[outer]:
                return 1
        return 0

    order = list(range(len(shape)))[::-1]
    for start in range(1, len(order)):
        moving = start
        for place in range(start - 1, -1, -1):
            verdict = comes_after(order[place], order[moving])
            if verdict > 0:
                order[place], order[moving] = order[moving], order[place]
                moving = place
            elif verdict < 0:
                break
    return order


def strided(
    x: Array, shape: Sequence[int], strides: Sequence[int], offset: int | None = None, dtype: Any = None
) -> Array:
    """A view of x's memory with byte `strides`, `offset` bytes after the start of the memory (default: x's start).

    What `np.lib.stride_tricks.as_strided` does, at a tenth of its cost and with a free offset.
    """
    root: Any = x
    while isinstance(root.base, np.ndarray):
        root = root.base
    if offset is None:
        offset = 0 if root is x else _address(x) - _address(root)
    if 0 in shape:  # what has no elements may be said to begin anywhere: NumPy wants it to be within the memory
        offset = min(offset, root.nbytes)
    if not root.flags.c_contiguous:
        # what NumPy allocated has no gaps, but its dimensions may lie in any order
        root = root.transpose(sorted(range(root.ndim), key=lambda axis: -root.strides[axis]))
    return np.ndarray.__new__(type(x), tuple(shape), dtype or x.dtype, root, offset, tuple(strides))


def _address(x: Array) -> int:
    address: int = x.__array_interface__["data"][0]
    return address
