"""Sequences and grids of numbers: linspace, logspace, meshgrid, index triangles and their like."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .._dtype import default_complex_dtype, dtype, float32, get_default_dtype, int32, int64, promote_types
from .._once import warn_of_call, warn_once
from .._tensor import Tensor, wrap
from ..ops._checks import sizes
from ..ops._scalars import as_element
from ..ops._signature import Reader
from ..ops._table import python_value
from . import OPTIONS, PUBLIC, element, reads
from . import progressions as _progressions

# -- progressions ----------------------------------------------------------------------------------------------------

_NUMBERS = frozenset({int, float})
_ENDS = ("Tensor start, Tensor end", "Number start, Tensor end", "Tensor start, Number end", "Number start, Number end")


def _numbers(function: str, **given: Any) -> Iterator[Any]:
    """The bounds of linspace or logspace as Python numbers."""
    ranks = {name: each._data.ndim for name, each in given.items() if isinstance(each, Tensor)}
    if any(ranks.values()):
        found = " and ".join(f"{name} with {rank} dimension(s)" for name, rank in ranks.items())
        raise RuntimeError(f"{function} only supports 0-dimensional start and end tensors, but got {found}.")
    return map(python_value, given.values())


def _ends(function: str, start: Any, end: Any, steps: Any, kind: dtype | None) -> tuple[Any, Any, int, dtype]:
    """Start, end, steps and dtype, checked."""
    bounds = list(_numbers(function, start=start, end=end))
    if any(isinstance(each, complex) for each in bounds):
        wanted = default_complex_dtype()
        if kind is not None and not kind.is_complex:
            raise RuntimeError(
                f"torch.{function}(): inferred dtype c10::complex<{'double' if wanted.itemsize == 16 else 'float'}> can't be "
                f"safely cast to passed dtype {kind.title}"
            )
        kind = kind or wanted
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    return bounds[0], bounds[1], int(steps), kind or get_default_dtype()


def _between_numbers(args: tuple[Any, ...]) -> Any:
    """`linspace(0, 1, 100)` in float32, for numbers that need no further check."""
    if len(args) == 3 and get_default_dtype() is float32 and _NUMBERS.issuperset(map(type, args)):
        start, end, steps = args
        if type(steps) is int and steps > 1 and abs(start) < 1e30 and abs(end) < 1e30:
            return _progressions.linspace(start, end, steps, float32.numpy)
    return None


@reads(*(f"({ends}, int steps, *, Tensor? out=None, {OPTIONS})" for ends in _ENDS), quick=_between_numbers)
def linspace(start: Any, end: Any, steps: int, dtype: dtype | None = None) -> Tensor:
    """`steps` values from `start` to `end`, both included; counted from the nearer end, as torch does."""
    start, end, steps, kind = _ends("linspace", start, end, steps, dtype)
    if steps == 1:
        return wrap(np.full(1, element(start, kind, 1), kind.numpy))
    if steps == 0:
        return wrap(np.empty(0, kind.numpy))
    if kind.name == "bool":
        raise NotImplementedError("\"linspace_cpu\" not implemented for 'Bool'")
    first, last = (as_element(each, kind).item() for each in (start, end))
    return wrap(_progressions.linspace(first, last, steps, kind.numpy))


@reads(*(f"({ends}, int steps, float base=10.0, *, Tensor? out=None, {OPTIONS})" for ends in _ENDS))
def logspace(start: Any, end: Any, steps: int, base: float = 10.0, dtype: dtype | None = None) -> Tensor:
    """`base` to the powers of a linspace."""
    start, end, steps, kind = _ends("logspace", start, end, steps, dtype)
    base = python_value(base)
    if steps == 0:
        return wrap(np.empty(0, kind.numpy))
    if steps == 1:
        return wrap(np.full(1, element(_progressions.power(base, start), kind, 1), kind.numpy))
    if kind.name == "bool":
        raise NotImplementedError("\"logspace_cpu\" not implemented for 'Bool'")
    first, last = (as_element(each, kind).item() for each in (start, end))
    return wrap(_progressions.logspace(first, last, steps, base, kind.numpy))


@reads(f"(Number start, Number end, Number step=1, *, Tensor? out=None, {OPTIONS})", name="range")
def closed_range(start: Any, end: Any, step: Any = 1, dtype: dtype | None = None) -> Tensor:
    """Deprecated: `arange` with the end included, and floating unless a dtype is given."""
    warn_of_call(
        "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with "
        "Python's range builtin. Instead, use torch.arange, which produces values in [start, end).",
    )
    kind = dtype or get_default_dtype()
    start, end, step = (python_value(each) for each in (start, end, step))
    return wrap(_progressions.closed_range(start, end, step, kind))


# -- triangles of indices --------------------------------------------------------------------------------------------


def _triangle(name: str, row: int, col: int, offset: int, kind: dtype | None) -> Tensor:
    row, col, offset = int(row), int(col), int(offset)
    for side, size in (("row", row), ("col", col)):
        if size < 0:
            raise RuntimeError(f"{side} must be non-negative, got{size}")
    kind = kind or int64
    if kind is not int64 and kind is not int32:
        raise NotImplementedError(f"\"{name}\" not implemented for '{kind.title}'")
    upper = name == "triu_indices"
    places = np.nonzero(np.tri(row, col, offset - upper, dtype=bool) ^ upper)
    return wrap(np.stack(places).astype(kind.numpy))


_TRIANGLE = f"(int row, int col, int offset=0, *, {OPTIONS})"


@reads(_TRIANGLE)
def tril_indices(row: int, col: int, offset: int = 0, dtype: dtype | None = None) -> Tensor:
    """(2, n): the rows and columns of the elements on and below a diagonal of a (row, col) matrix, row by row."""
    return _triangle("tril_indices", row, col, offset, dtype)


@reads(_TRIANGLE)
def triu_indices(row: int, col: int, offset: int = 0, dtype: dtype | None = None) -> Tensor:
    """(2, n): the rows and columns of the elements on and above a diagonal of a (row, col) matrix, row by row."""
    return _triangle("triu_indices", row, col, offset, dtype)


# -- grids -------------------------------------------------------------------------------------------------------------


def _check_tensors(values: Iterable[Any]) -> None:
    for index, each in enumerate(values):
        if not isinstance(each, Tensor):
            raise TypeError(f"expected Tensor as element {index} in argument 0, but got {type(each).__name__}")
    if not values:
        raise RuntimeError("meshgrid expects a non-empty TensorList")


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Views of vectors, each along a dimension of its own, expanded to the grid that they span.

    indexing: "ij", or "xy" which exchanges the first two dimensions.
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    _check_tensors(tensors)
    if indexing is None:
        warn_once("torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.")
        indexing = "ij"
    elif not isinstance(indexing, str):
        raise TypeError(f"meshgrid(): argument 'indexing' must be str, not {type(indexing).__name__}")
    return _meshgrid(tensors, indexing)


def _meshgrid(vectors: Sequence[Any], indexing: str) -> tuple[Tensor, ...]:
    if any(first.dtype is not second.dtype for first, second in itertools.pairwise(vectors)):
        raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    if indexing not in ("xy", "ij"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    for each in vectors:
        if each._data.ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {each.tolist()}")
    dims = list(range(len(vectors)))
    if indexing == "xy":
        dims[:2] = dims[1::-1] if len(dims) > 1 else dims
    counts = [each._data.size for each in vectors]
    shape = tuple(counts[dim] for dim in dims)
    along = [tuple(count if dim == own else 1 for dim in sorted(dims)) for own, count in zip(dims, counts, strict=True)]
    return tuple(vector.view(sides).expand(shape) for vector, sides in zip(vectors, along, strict=True))


def _check_vector(tensor: Tensor) -> None:
    if tensor._data.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {sizes(tensor._data.shape)}")


def cartesian_prod(*tensors: Any) -> Any:
    """(n, k): all combinations of one element of each of k vectors; of a single one, the vector itself."""
    _check_tensors(tensors)
    for each in tensors:
        _check_vector(each)
    if len(tensors) == 1:
        return tensors[0]
    return _columns(each.reshape(-1) for each in _meshgrid(tensors, "ij"))


def _columns(vectors: Iterable[Any]) -> Any:
    from .._functions import PUBLIC as functions

    return functions["stack"](list(vectors), 1)


_COMBINATIONS = Reader("combinations", ("(Tensor input, int r=2, bool with_replacement=False)",))


def combinations(*args: Any, **kwargs: Any) -> Any:
    """(n, r): the combinations of r elements of a vector, in the order of `itertools.combinations`."""
    values = _COMBINATIONS.read(args, kwargs)[1]
    vector, r = values["input"], int(values.get("r", 2))
    _check_vector(vector)
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    count = vector._data.size
    if r == 0:
        return wrap(np.empty(0, vector._data.dtype))
    rises = np.less_equal if values.get("with_replacement") else np.less
    mask = np.ones((count,) * r, bool)
    for inner in range(1, r):
        pairs = rises.outer(np.arange(count), np.arange(count))
        mask &= pairs.reshape((count, count) + (1,) * (r - 1 - inner))
    return _columns(each.masked_select(wrap(mask)) for each in _meshgrid([vector] * r, "ij"))


_VANDER = Reader("vander", ("(Tensor x, int? N=None, bool increasing=False)",))


def vander(*args: Any, **kwargs: Any) -> Any:
    """(n, N): the powers N - 1, ..., 1, 0 of the elements of a vector; in this order or `increasing`."""
    values = _VANDER.read(args, kwargs)[1]
    x, count = values["x"], values.get("N")
    if x._data.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    count = x._data.size if count is None else int(count)
    if count < 0:
        raise RuntimeError("N must be non-negative.")
    kind = promote_types(x.dtype, int64)
    result = PUBLIC["ones"](x._data.size, count, dtype=kind)
    if count > 1:
        powers = result[:, 1:]
        powers.copy_(x.unsqueeze(1))
        powers.copy_(powers.cumprod(1))
    return result if values.get("increasing") else result.flip(1)


for _function in (meshgrid, cartesian_prod, combinations, vander):
    PUBLIC[_function.__name__] = _function
