"""Elements in another order: reversed, rolled, repeated, in blocks; and what runs along them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._dtype import result_dtype
from ._checks import cast, derivable, laid_out, numpy_dtype, sizes, wrap_dim, wrap_dims
from ._formats import is_channels_last
from ._table import Array, op
from .elementwise import zeros_of
from .shape import Shape, copied, fill, narrow, no_gradient, reshape


@op("(Tensor input, int[] dims)", input=lambda g, dims: flip(g, dims))
def flip(input: Array, dims: int | Shape) -> Array:
    """The elements in reverse order along some dimensions."""
    dims = () if dims == () else wrap_dims(dims, input.ndim)
    result = copied(input)
    if dims:
        np.copyto(result, np.flip(input, dims))
    return result


@op(
    *fill.texts,
    name="filled",
    arity=2,
    namespace="internal",
    node=lambda input, value: f"FillBackward{int(hasattr(value, '_node'))}",
    input=lambda g: zeros_of(g),
    value=lambda g: g,
)
def filled(input: Array, value: Any) -> Array:
    """A new array like `input` with `value` everywhere."""
    return laid_out(fill.kernel(input, value).copy(), input)


def _rolled(input: Array, shift: int, dim: int) -> Array:
    size = input.shape[dim]
    before = (slice(None),) * dim
    cut = size - shift % size if size else 0
    return np.concatenate([input[(*before, slice(cut, None))], input[(*before, slice(0, cut))]], axis=dim)


def _roll_input(g: Any, shifts: int | Shape, dims: int | Shape) -> Any:
    return roll(g, -shifts if isinstance(shifts, int) else tuple(-each for each in shifts), dims)


def _rolls_in_format(input: Array, shifts: int | Shape, dims: int | Shape) -> bool:
    """Not where a dimension is moved back to its place: of that torch makes a contiguous copy."""
    shifts, dims = (((each,) if isinstance(each, int) else each) for each in (shifts, dims))
    if dims == () or not is_channels_last(input):
        return False
    return all(shift % input.shape[dim] for shift, dim in zip(shifts, dims, strict=True))


@op(
    "(Tensor input, int[1] shifts, int[1] dims=None)",
    format_of=0,
    in_format=lambda input, shifts, dims=(): _rolls_in_format(input, shifts, dims),
    input=_roll_input,
)
def roll(input: Array, shifts: int | Shape, dims: int | Shape = ()) -> Array:
    """The elements moved along dimensions, and back in at the other end; without `dims` in row order."""
    shifts, dims = (((each,) if isinstance(each, int) else tuple(each)) for each in (shifts, dims))
    if not shifts:
        raise RuntimeError("`shifts` required")
    if not dims and len(shifts) == 1:
        flat = input if input.flags.c_contiguous else input.copy()
        return _rolled(flat.reshape(-1), shifts[0], 0).reshape(input.shape)
    if len(shifts) != len(dims):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    if not input.size:
        return input.copy()
    if not input.ndim:
        raise IndexError(f"Dimension specified as {dims[0]} but tensor has no dimensions")
    result = input if input.flags.c_contiguous else input.copy()
    for shift, dim in zip(shifts, dims, strict=True):
        result = _rolled(result, shift, wrap_dim(dim, input.ndim))
    return result


@op("(Tensor input, int k=1, int[] dims=(0, 1))", input=lambda g, k, dims: rot90(g, -k, dims))
def rot90(input: Array, k: int = 1, dims: Shape = (0, 1)) -> Array:
    """Turned `k` times by 90 degrees in the plane of two dimensions, from the first towards the second."""
    ndim = input.ndim
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {ndim}")
    first, second = dims
    for each in dims:
        wrap_dim(each, ndim)
    if first == second or abs(first - second) == ndim:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {first} and dim1 = {second}")
    first, second = wrap_dim(first, ndim), wrap_dim(second, ndim)
    turns = k % 4
    if turns == 0:
        return input.copy()
    if turns == 2:
        return flip.kernel(input, (first, second))
    return flip.kernel(input, (second if turns == 1 else first,)).swapaxes(first, second)


@op(
    "(Tensor input, int[] repeats)",
    namespace="method",
    input=lambda g, input_shape, repeats: _repeat_input(g, input_shape, repeats),
)
def repeat(input: Array, repeats: Shape) -> Array:
    """`input` laid side by side with itself along each dimension."""
    missing = len(repeats) - input.ndim
    if missing < 0:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    padded = (1,) * missing + input.shape
    target = tuple(times * size for times, size in zip(repeats, padded, strict=True))
    for each in target:
        if each < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {each}: {sizes(target)}")
    result = np.empty_like(input, shape=target, order="C")
    if result.size:
        tiled = result.reshape([each for pair in zip(repeats, padded, strict=True) for each in pair])
        tiled[...] = input.reshape([each for size in padded for each in (1, size)])
    return result


def _repeat_input(g: Any, input_shape: Shape, repeats: Shape) -> Any:
    from .reductions import sum_

    if 0 in repeats:
        return no_gradient(g, input_shape)
    padded = (1,) * (len(repeats) - len(input_shape)) + tuple(input_shape)
    folded = tuple(each for pair in zip(repeats, padded, strict=True) for each in pair)
    summed = sum_(reshape(g, folded), tuple(range(0, len(folded), 2))) if folded else g
    return summed if len(padded) == len(input_shape) else reshape(summed, tuple(input_shape))


def _triangle(name: str, function: Any) -> tuple[Any, Any]:
    """The op, and what it does in place."""

    def kernel(input: Array, diagonal: int = 0) -> Array:
        if input.ndim < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
        result = np.zeros_like(input, order="C")
        np.copyto(result, input, where=function(np.ones(input.shape[-2:], np.bool_), diagonal))
        return result

    def write(array: Array, diagonal: int = 0) -> None:
        if array.ndim < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
        np.copyto(array, np.zeros((), array.dtype), where=~function(np.ones(array.shape[-2:], np.bool_), diagonal))

    rule = (lambda g, diagonal: tril(g, diagonal)) if name == "tril" else (lambda g, diagonal: triu(g, diagonal))
    return op("(Tensor input, int diagonal=0, *, Tensor? out=None)", name=name, input=rule)(kernel), write


tril, tril_into = _triangle("tril", np.tril)
triu, triu_into = _triangle("triu", np.triu)


def _block_gradients(g: Any, tensors_shapes: Any, needs: tuple[bool, ...]) -> list[Any]:
    gradients: list[Any] = []
    row = column = 0
    for shape, needed in zip(tensors_shapes, needs, strict=True):
        rows, columns = (1, *shape)[-2:] if shape else (1, 1)
        if not needed:
            gradients.append(None)
        elif tuple(shape) == (0,):
            gradients.append(no_gradient(g, tuple(shape)))
        else:
            gradients.append(reshape(narrow(narrow(g, 0, row, rows), 1, column, columns), tuple(shape)))
        row, column = row + rows, column + columns
    return gradients


@op("(Tensor[] tensors)", variadic=True, node="BlockDiagBackward0", namespace="internal", tensors=_block_gradients)
def blocks_on_diagonal(tensors: Sequence[Array]) -> Array:
    """Zeros with the matrices one after the other along the diagonal; vectors and numbers count as rows."""
    for index, each in enumerate(tensors):
        if each.ndim > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {index} has {each.ndim} "
                "dimensions"
            )
    shapes = [(1, *each.shape)[-2:] if each.ndim else (1, 1) for each in tensors]
    kind = result_dtype(*tensors).numpy
    result = np.zeros_like(tensors[0], kind, shape=(sum(m for m, _ in shapes), sum(n for _, n in shapes)), order="C")
    row = column = 0
    for each, (rows, columns) in zip(tensors, shapes, strict=True):
        result[row : row + rows, column : column + columns] = each
        row, column = row + rows, column + columns
    return result


@op(
    "(Tensor input, int dim, *, dtype? dtype=None, Tensor? out=None)",
    inplace=True,
    node=lambda input, dim, dtype=None: derivable("CumsumBackward0", dtype),
    input=lambda g, dim: _reversed_cumsum(g, dim),
)
def cumsum(input: Array, dim: int, dtype: Any = None) -> Array:
    kind = numpy_dtype(dtype) or (np.dtype(np.int64) if input.dtype.kind not in "fc" else input.dtype)
    dim = wrap_dim(dim, input.ndim)
    if kind.kind == "b" and input.size and input.ndim:
        raise NotImplementedError("\"cumsum_out_cpu\" not implemented for 'Bool'")
    if input.ndim == 0:
        return cast(input, kind).copy()
    sums = np.cumsum(input, axis=dim, dtype=kind)
    return sums if sums.flags.c_contiguous else sums.copy()


def _reversed_cumsum(g: Any, dim: int) -> Any:
    return g if not g.shape else flip(cumsum(flip(g, (dim,)), dim), (dim,))


for _op in (flip, roll, rot90, repeat, tril, triu, blocks_on_diagonal):  # they only move elements
    _op.kernel.of_any_width = True  # type: ignore[union-attr]
