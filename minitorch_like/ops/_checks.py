"""Argument checks and dtype coercions shared by the kernels: each of torch's errors is written once, here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .._dtype import FROM_NUMPY, default_numpy_dtype, dtype, result_dtype

Array = np.ndarray[Any, np.dtype[Any]]
Dims = int | Sequence[int] | None

_NUMBERS = (bool, int, float)


def as_floating(x: Array) -> Array:
    """`x`, or its conversion to the default dtype where it is boolean or integer."""
    return x if x.dtype.kind in "fc" else cast(x, default_numpy_dtype())


def common(x: Any, y: Any) -> tuple[Any, Any]:
    """Both operands in torch's result dtype.  One of them may be a Python number, which then stays one
    wherever NumPy's own treatment of it agrees."""
    if type(y) in _NUMBERS:
        if x.dtype.kind == "f":
            return x, y
    elif type(x) not in _NUMBERS and x.dtype is y.dtype:
        return x, y
    result = result_dtype(x, y).numpy
    return cast(x, result), cast(y, result)


def cast(x: Any, to: np.dtype[Any]) -> Array:
    """An array or number as an array of dtype `to`, laid out as torch's copy is; integers wrap around as torch's do."""
    if isinstance(x, (np.ndarray, np.generic)):
        if x.dtype is to:
            return x  # type: ignore[return-value]
        if x.dtype.kind == "c" and to.kind not in "cb":
            x = x.real
        return laid_out(x.astype(to, order="C"), x) if x.ndim > 1 else x.astype(to)
    if isinstance(x, int) and to.kind in "iu":
        return np.asarray(np.int64(x) if -(2**63) <= x < 2**63 else x).astype(to)
    return np.asarray(x, dtype=to)


def computed(ufunc: Any, x: Any, y: Any) -> Array:
    """`ufunc(x, y)`; torch's error where the shapes do not broadcast."""
    try:
        result: Array = ufunc(x, y)
    except ValueError:
        broadcast_shapes(np.shape(x), np.shape(y))
        raise
    return laid_out(result, x, y) if result.ndim > 1 else result


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


def wrap_dims(dim: Dims, ndim: int) -> tuple[int, ...]:
    """The dimensions of a reduction, counted from the front and sorted by the caller's order; None and () mean all.

    Raises IndexError out of range, RuntimeError for a repetition.
    """
    if dim is None:
        return tuple(range(ndim))
    if isinstance(dim, int):
        return (wrap_dim(dim, ndim),) if ndim else _no_dims(dim)
    if not dim:
        return tuple(range(ndim))
    wrapped = tuple(wrap_dim(each, ndim) for each in dim)
    for each in wrapped:
        if wrapped.count(each) > 1:
            raise RuntimeError(f"dim {each} appears multiple times in the list of dims")
    return wrapped if ndim else ()


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
    """torch's legacy type name: torch.FloatTensor, ..."""
    return FROM_NUMPY[x.dtype].tensor_type


def sizes(shape: Sequence[int]) -> str:
    """A shape as torch's messages print it: [2, 3]."""
    return f"[{', '.join(map(str, shape))}]"


def numpy_dtype(given: dtype | None) -> np.dtype[Any] | None:
    return None if given is None else given.numpy


def check_no_integer(name: str, x: Array) -> None:
    """Kernels that torch implements for floating-point tensors only."""
    if x.dtype.kind != "f":
        raise NotImplementedError(f"\"{name}\" not implemented for '{title(x)}'")


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
    same = written.shape == read.shape and written.strides == read.strides and _address(written) == _address(read)
    if not same and is_dense(written) and is_dense(read):
        raise RuntimeError(
            "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
            "location. Please clone() the tensor before performing the operation."
        )


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
    arrays = [each for each in operands if isinstance(each, np.ndarray) and each.ndim]
    if result.ndim < 2 or all(each.flags.c_contiguous for each in arrays):
        return result
    return laid_out_by_strides(result, [broadcast_strides(each, result.shape) for each in arrays])


def laid_out_by_strides(result: Array, operands: list[list[int]]) -> Array:
    """`result` in the memory order that operands with these strides, broadcast to its shape, decide."""
    order = _memory_order(result.shape, operands)
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


def _memory_order(shape: tuple[int, ...], strides: list[list[int]]) -> list[int]:
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


def strided(x: Array, shape: Sequence[int], strides: Sequence[int], offset: int | None = None) -> Array:
    """A view of x's memory with byte `strides`, `offset` bytes after the start of the memory (default: x's start).

    What `np.lib.stride_tricks.as_strided` does, at a tenth of its cost and with a free offset.
    """
    root: Any = x
    while isinstance(root.base, np.ndarray):
        root = root.base
    start = 0 if root is x else _address(x) - _address(root)
    if not root.flags.c_contiguous:
        # what NumPy allocated has no gaps, but its dimensions may lie in any order
        root = root.transpose(sorted(range(root.ndim), key=lambda axis: -root.strides[axis]))
    return np.ndarray.__new__(type(x), tuple(shape), x.dtype, root, start if offset is None else offset, tuple(strides))


def _address(x: Array) -> int:
    address: int = x.__array_interface__["data"][0]
    return address
