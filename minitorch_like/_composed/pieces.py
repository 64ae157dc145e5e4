"""Splitting and joining, diagonals and repetitions: the functions and methods that are composed of ops."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._bind import FUNCTIONS
from .._capture import reads_values
from .._functions import by_signature
from .._layout import contiguous_format
from .._out_argument import into
from .._tensor import Tensor, wrap
from ..ops import TABLE
from ..ops._checks import wrap_dim
from ..ops._signature import Reader
from .shapes import check_tensors

PUBLIC: dict[str, Callable[..., Any]] = {}

# -- splitting -----------------------------------------------------------------------------------------------------


def _split(self: Any, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of `split_size` along `dim` (the last may be smaller), or of the sizes listed."""
    split = FUNCTIONS["split" if isinstance(split_size, int) else "split_with_sizes"]
    return tuple(split(self, split_size, dim))


def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of a size along `dim` (the last may be smaller), or of the sizes listed."""
    return tensor.split(split_size_or_sections, dim)


_split.__name__, _split.__qualname__ = "split", "Tensor.split"
Tensor.split = _split  # type: ignore[attr-defined]
PUBLIC["split"] = split


def _slices(input: Tensor, bounds: Sequence[tuple[int, int | None]], dim: int) -> tuple[Tensor, ...]:
    return tuple(TABLE["slice_along"].apply(input, dim, start, stop, 1) for start, stop in bounds)


@by_signature(
    "(Tensor input, int[] indices, int dim=0)",
    "(Tensor input, Tensor tensor_indices_or_sections, int dim=0)",
    "(Tensor input, int sections, int dim=0)",
    into=PUBLIC,
)
def tensor_split(
    input: Any, *, sections: Any = None, indices: Any = None, tensor_indices_or_sections: Any = None, dim: int = 0
) -> tuple[Tensor, ...]:
    """Into `sections` parts as equal as possible, or before each of the `indices`."""
    if not input.ndim:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    given = tensor_indices_or_sections
    if given is not None:
        if given.dtype.name != "int64":
            raise RuntimeError(
                f"tensor_split expected tensor_indices_or_sections to have dtype of long, but got {given.dtype.title}"
            )
        if given.ndim > 1:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, "
                f"but got a tensor with {given.ndim} dims"
            )
        sections, indices = (None, given.tolist()) if given.ndim else (given.item(), None)
    size = input.shape[wrap_dim(dim, input.ndim)]
    if indices is not None:
        return _slices(input, list(zip((0, *indices), (*indices, None), strict=True)), dim)
    if sections <= 0:
        raise RuntimeError(f"number of sections must be larger than 0, got {sections}")
    least, longer = divmod(size, sections)
    starts = [index * least + min(index, longer) for index in range(sections + 1)]
    return _slices(input, list(itertools.pairwise(starts)), dim)


def _along(name: str, rank: int, dim: Callable[[int], int]) -> None:
    """hsplit, vsplit, dsplit: `tensor_split` along a fixed dimension, into equal parts only."""

    def function(input: Any, *, sections: int | None = None, indices: Any = None) -> tuple[Tensor, ...]:
        if input.ndim < rank:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {rank} dimension, but got a tensor with {input.ndim} "
                "dimensions!"
            )
        axis = dim(input.ndim)
        if sections is None:
            return tensor_split(input, indices=indices, dim=axis)
        if sections == 0 or input.shape[axis] % sections:
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {axis}, but the size of the dimension "
                f"{input.shape[axis]} is not divisible by the split_size {sections}!"
            )
        return tensor_split(input, sections=sections, dim=axis)

    function.__name__ = function.__qualname__ = name
    by_signature("(Tensor input, int sections)", "(Tensor input, int[] indices)", into=PUBLIC)(function)


_along("hsplit", 1, lambda ndim: 0 if ndim == 1 else 1)
_along("vsplit", 2, lambda ndim: 0)
_along("dsplit", 3, lambda ndim: 2)


# -- joining -------------------------------------------------------------------------------------------------------


def _at_least(rank: int) -> Callable[[Any], Tensor]:
    def raised(each: Any) -> Tensor:
        if not each.ndim:
            return each.reshape((1,) * rank)
        if each.ndim == 1 and rank > 1:
            each = each.unsqueeze(0)
        return each.unsqueeze(-1) if each.ndim < rank else each

    name = f"atleast_{rank}d"
    reader = Reader(name, ("(Tensor input)", "(Tensor[] tensors)"))

    def function(*tensors: Any) -> Any:
        _, values = reader.read((tensors[0] if len(tensors) == 1 else tensors,), {})
        return raised(values["input"]) if "input" in values else tuple(map(raised, values["tensors"]))

    function.__name__ = function.__qualname__ = name
    PUBLIC[name] = function
    return raised


_at_least_1d, _at_least_2d, _at_least_3d = map(_at_least, (1, 2, 3))


def _stacked(name: str, raised: Callable[[Any], Tensor], dim: Callable[[Tensor], int]) -> None:
    """column_stack, hstack and their like: `cat` of tensors of some least rank."""

    def function(tensors: Sequence[Tensor], out: Tensor | None = None) -> Tensor:
        if not tensors:
            raise RuntimeError(f"{'vstack' if name == 'row_stack' else name} expects a non-empty TensorList")
        parts = [raised(each) for each in tensors]
        return (
            TABLE["cat"].apply(parts, dim(parts[0])) if out is None else FUNCTIONS["cat"](parts, dim(parts[0]), out=out)
        )

    function.__name__ = function.__qualname__ = name
    by_signature("(Tensor[] tensors, *, Tensor? out=None)", into=PUBLIC, method=False)(function)


_stacked("hstack", _at_least_1d, lambda first: 0 if first.ndim == 1 else 1)
_stacked("vstack", _at_least_2d, lambda first: 0)
_stacked("row_stack", _at_least_2d, lambda first: 0)
_stacked("dstack", _at_least_3d, lambda first: 2)
_stacked("column_stack", lambda each: each if each.ndim > 1 else each.reshape((each.numel(), 1)), lambda first: 1)


def block_diag(*tensors: Any) -> Tensor:
    """Zeros with the matrices one after the other along the diagonal."""
    check_tensors(tensors)
    return TABLE["blocks_on_diagonal"].apply(tensors) if tensors else _empty_row()


PUBLIC["block_diag"] = block_diag


def _empty_row() -> Tensor:
    from .._creation import PUBLIC as CREATION

    row: Tensor = CREATION["zeros"](1, 0)
    return row


# -- diagonals, repetitions ----------------------------------------------------------------------------------------


@by_signature("(Tensor input, int diagonal=0, *, Tensor? out=None)", into=PUBLIC)
def diag(input: Any, diagonal: int = 0, out: Tensor | None = None) -> Tensor:
    """The diagonal of a matrix, or the matrix with a vector on the diagonal."""
    if input.ndim not in (1, 2):
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    if input.ndim == 1:
        return into(out, TABLE["diag_embed"].apply(input, diagonal, 0, 1), "diag")
    return into(out, TABLE["diagonal_copy"].apply(input, diagonal, 0, 1), "diag")


@by_signature("(Tensor input, int offset=0)", into=PUBLIC)
def diagflat(input: Any, offset: int = 0) -> Tensor:
    """The matrix with all elements on a diagonal."""
    return TABLE["diag_embed"].apply(input.contiguous().view(-1), offset, 0, 1)


@by_signature("(Tensor input, int[] dims)", into=PUBLIC)
def tile(input: Any, dims: Sequence[int]) -> Tensor:
    """`repeat`, with the missing repetitions taken as 1."""
    return input.repeat((1,) * (input.ndim - len(dims)) + tuple(dims))


@by_signature("(Tensor input)", into=PUBLIC)
def fliplr(input: Any) -> Tensor:
    if input.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return input.flip((1,))


@by_signature("(Tensor input)", into=PUBLIC)
def flipud(input: Any) -> Tensor:
    if input.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return input.flip((0,))


def _repeated_places(repeats: Tensor, output_size: int | None) -> Tensor:
    """The place of each repetition: [1, 0, 2] gives [0, 2, 2], in the dtype of `repeats`."""
    counts = repeats._data
    reads_values("repeat_interleave()")
    if counts.dtype not in (np.int64, np.int32):
        raise NotImplementedError(f"\"repeat_interleave_cpu\" not implemented for '{repeats.dtype.title}'")
    if counts.ndim != 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    if output_size is not None and output_size < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {output_size}: [{output_size}]")
    if (counts < 0).any():
        raise RuntimeError("repeats can not be negative")
    if output_size is not None and output_size != counts.sum():
        raise RuntimeError("allocated size does not match required size")
    return wrap(np.repeat(np.arange(counts.size, dtype=counts.dtype), counts))


def _repeat_interleave(
    input: Any = None, repeats: Any = None, dim: int | None = None, output_size: int | None = None
) -> Tensor:
    """Each element (of the flat tensor, or along `dim`) `repeats` times in a row."""
    if input is None:
        return _repeated_places(repeats, output_size)
    if dim is None:
        input, dim = input.flatten(), 0
    if not isinstance(repeats, int) and repeats.ndim > 1:
        raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
    given, dim = dim, wrap_dim(dim, input.ndim)
    if isinstance(repeats, int):
        if repeats < 0:
            raise RuntimeError("Repeats must be non-negative")
        dim = wrap_dim(dim + 1, input.ndim + 1) - 1 if input.ndim else wrap_dim(dim + 1, 0)
        size = (input.shape[dim] if input.ndim else 1) * repeats
        if output_size not in (None, size):
            raise RuntimeError(f"repeat_interleave: Invalid output_size, expected {size} but got {output_size}")
        wide = input.unsqueeze(dim + 1)
        shape = list(wide.shape)
        shape[dim + 1] = repeats
        return wide.expand(shape).clone(memory_format=contiguous_format).flatten(dim, dim + 1)
    if not input.ndim:
        raise IndexError(f"Dimension specified as {given} but tensor has no dimensions")
    size = input.shape[dim]
    if repeats.numel() == 1:
        repeats = repeats.reshape(1).expand(size)
    elif repeats.numel() != size:
        raise RuntimeError(
            f"repeats must have the same size as input along dim, but got repeats.size(0) = {repeats.numel()} and "
            f"input.size({given}) = {size}"
        )
    return input.index_select(dim, _repeated_places(repeats, output_size))


_repeat_interleave.__name__ = _repeat_interleave.__qualname__ = "repeat_interleave"
by_signature(
    "(Tensor input, Tensor repeats, int? dim=None, *, int? output_size=None)",
    "(Tensor repeats, *, int? output_size=None)",
    "(Tensor input, int repeats, int? dim=None, *, int? output_size=None)",
    into=PUBLIC,
    method=False,
)(_repeat_interleave)
by_signature(
    "(Tensor self, Tensor repeats, int dim=None, *, int output_size=None)",
    "(Tensor self, int repeats, int dim=None, *, int output_size=None)",
    public=False,
)(_repeat_interleave)
