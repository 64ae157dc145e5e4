"""Views, reshaping, joining and splitting: what every program needs.  The rarer ones are in `views`.

torch defines the strides of a view also where NumPy does not, in dimensions of size 0 and 1: see `_layout`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._dtype import result_dtype
from .._layout import (
    contiguous_format,
    format_strides,
    is_dense,
    memory_of,
    offset_of,
    preserve_format,
    reshaped_strides,
    strides_of,
    suggested_format,
)
from ._checks import (
    Dims,
    broadcast_shapes,
    cast,
    converted,
    explain,
    laid_out,
    numpy_dtype,
    sizes,
    strided,
    tensor_type,
    wrap_dim,
    wrap_dims,
)
from ._table import Array, op
from .elementwise import zeros_of

Shape = tuple[int, ...]


def as_torch_lays_out(input: Array) -> Array:
    """`input`, with the strides that torch counts where it is empty: NumPy's own are then all 0."""
    return input if input.size or 0 not in input.strides else strided(input, input.shape, strides_of(input))


def infer_size(shape: Sequence[int], size: int) -> Shape:
    """`shape` with its -1 filled in for `size` elements.  RuntimeError where that cannot be done."""
    for index, each in enumerate(shape):
        if each < -1 and shape[:index].count(-1) < 2:
            raise RuntimeError(f"invalid shape dimension {each} at index {index} of shape {sizes(shape)}")
    known = math.prod(each for each in shape if each != -1)
    unknown = [index for index, each in enumerate(shape) if each == -1]
    if len(unknown) > 1:
        raise RuntimeError("only one dimension can be inferred")
    if unknown:
        if known == 0 and size == 0:
            raise RuntimeError(
                f"cannot reshape tensor of 0 elements into shape {sizes(shape)} because the unspecified dimension "
                f"size -1 can be any value and is ambiguous"
            )
        if known and size % known == 0:
            filled = list(shape)
            filled[unknown[0]] = size // known
            return tuple(filled)
    elif known == size:
        return tuple(shape)
    raise RuntimeError(f"shape '{sizes(shape)}' is invalid for input of size {size}")


def _numpy_agrees(input: Array) -> bool:
    """Whether NumPy gives the strides that torch does to a view in another shape."""
    return bool(input.size) and (1 not in input.shape or (input.base is None and input.flags.c_contiguous))


def viewed(input: Array, shape: Shape) -> Array | None:
    """The same memory in another shape, None where that needs a copy."""
    if _numpy_agrees(input):
        try:
            return np.reshape(input, shape, copy=False)
        except ValueError:
            explain(infer_size, shape, input.size)
            return None
    shape = infer_size(shape, input.size)
    strides = reshaped_strides(input.shape, strides_of(input), shape, input.itemsize)
    return None if strides is None else strided(input, shape, strides)


def _reshape_node(input: Any, shape: Shape) -> str:
    if input.is_contiguous():
        return "ViewBackward0"
    return "UnsafeViewBackward0" if viewed(memory_of(input._data), shape) is None else "ReshapeAliasBackward0"


@op("(Tensor input, int[] shape)", view=True, node=_reshape_node, input=lambda g, input_shape: reshape(g, input_shape))
def reshape(input: Array, shape: Shape) -> Array:
    """The same elements in another shape: a view where the strides allow it, otherwise a copy."""
    if shape and min(shape) < -1:
        infer_size(shape, input.size)
    if not _numpy_agrees(input):
        result = viewed(input, shape)
        return input.reshape(shape) if result is None else result
    try:
        return input.reshape(shape)
    except ValueError:
        explain(infer_size, shape, input.size)
        return input.reshape(infer_size(shape, input.size))


@op(
    "(Tensor input, dtype dtype)",
    "(Tensor input, int[] size)",
    view=True,
    namespace="method",
    input=lambda g, input_shape: reshape(g, input_shape),
)
def view(input: Array, size: Shape) -> Array:
    """The same memory in another shape.  RuntimeError where that needs a copy."""
    if size and min(size) < -1:
        infer_size(size, input.size)
    result = viewed(input, size)
    if result is None:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across "
            "two contiguous subspaces). Use .reshape(...) instead."
        )
    return result


@op(
    "(Tensor input, int start_dim=0, int end_dim=-1)",
    view=True,
    node=lambda input, start_dim=0, end_dim=-1: _reshape_node(
        input, flattened_shape(input._data.shape, start_dim, end_dim)
    ),
    input=lambda g, input_shape: reshape(g, input_shape),
)
def flatten(input: Array, start_dim: int = 0, end_dim: int = -1) -> Array:
    shape = flattened_shape(input.shape, start_dim, end_dim)
    return input if len(shape) == input.ndim else reshape.kernel(input, shape)


def flattened_shape(shape: Shape, start_dim: int, end_dim: int) -> Shape:
    """`shape` with the dimensions from `start_dim` to `end_dim` made one; () becomes (1,)."""
    start, end = wrap_dim(start_dim, len(shape)), wrap_dim(end_dim, len(shape))
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    return (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :])


@op(
    "(Tensor input, int dim0, int dim1)",
    view=True,
    inplace_node=lambda *args: "TransposeBackward1",
    input=lambda g, dim0, dim1: transpose(g, dim0, dim1),
)
def transpose(input: Array, dim0: int, dim1: int) -> Array:
    dim0, dim1 = wrap_dim(dim0, input.ndim), wrap_dim(dim1, input.ndim)
    return as_torch_lays_out(input).swapaxes(dim0, dim1) if input.ndim else input[...]


@op("(Tensor input)", view=True, node="TBackward0", inplace_node=lambda *args: "TBackward1", input=lambda g: t(g))
def t(input: Array) -> Array:
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return as_torch_lays_out(input).T


def _permutation(dims: Sequence[int], ndim: int) -> Shape:
    if len(dims) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(dims)}"
        )
    wrapped: tuple[int, ...] = ()
    for each in dims:
        dim = wrap_dim(each, ndim)
        if dim in wrapped:
            raise RuntimeError("permute(): duplicate dims are not allowed.")
        wrapped += (dim,)
    return wrapped


def _inverse_permutation(dims: Sequence[int]) -> Shape:
    wrapped = _permutation(dims, len(dims))
    return tuple(wrapped.index(each) for each in range(len(wrapped)))


@op("(Tensor input, int[] dims)", view=True, input=lambda g, dims: permute(g, _inverse_permutation(dims)))
def permute(input: Array, dims: Shape) -> Array:
    return as_torch_lays_out(input).transpose(_permutation(dims, input.ndim))


@op(
    "(Tensor input, int dim)",
    view=True,
    inplace_node=lambda *args: "UnsqueezeBackward1",
    input=lambda g, dim: squeeze(g, dim),
)
def unsqueeze(input: Array, dim: int) -> Array:
    dim = wrap_dim(dim, input.ndim + 1)
    shape = input.shape
    if input.flags.c_contiguous and input.size and 1 not in shape:  # then NumPy's strides are torch's
        return input.reshape((*shape[:dim], 1, *shape[dim:]))
    strides = strides_of(input)
    step = shape[dim] * strides[dim] if dim < input.ndim else input.itemsize
    return strided(input, (*shape[:dim], 1, *shape[dim:]), (*strides[:dim], step, *strides[dim:]))


def _squeezed_dims(shape: Shape, dim: Dims) -> Shape:
    dims = range(len(shape)) if dim is None else () if dim == () else wrap_dims(dim, len(shape))
    return tuple(each for each in dims if shape[each] == 1)


def _squeeze_input(g: Any, input_shape: Shape, dim: Dims) -> Any:
    for each in sorted(_squeezed_dims(input_shape, dim)):
        g = unsqueeze(g, each)
    return g


@op(
    "(Tensor input)",
    "(Tensor input, int dim)",
    "(Tensor input, int[] dim)",
    view=True,
    node=lambda input, dim=None: f"SqueezeBackward{0 if dim is None else 1 if isinstance(dim, int) else 2}",
    inplace_node=lambda input, dim=None: f"SqueezeBackward{3 if dim is None else 4 if isinstance(dim, int) else 5}",
    input=_squeeze_input,
)
def squeeze(input: Array, dim: Dims = None) -> Array:
    if dim.__class__ is int and input.size:
        dim = wrap_dim(dim, input.ndim)
        return input.squeeze(dim) if input.ndim and input.shape[dim] == 1 else input[...]
    dims = _squeezed_dims(input.shape, dim)
    return as_torch_lays_out(input).squeeze(dims) if dims else as_torch_lays_out(input)[...]


def _expanded(input: Array, size: Shape) -> Shape:
    """The target shape with each -1 filled in, after torch's checks."""
    missing = len(size) - input.ndim
    if missing < 0:
        raise RuntimeError(
            f"expand({tensor_type(input)}{{{sizes(input.shape)}}}, size={sizes(size)}): the number of sizes provided "
            f"({len(size)}) must be greater or equal to the number of dimensions in the tensor ({input.ndim})"
        )
    target = list(size)
    for index, wanted in reversed(list(enumerate(size))):
        have = input.shape[index - missing] if index >= missing else 1
        if wanted == -1 and input.ndim:
            if index < missing:
                raise RuntimeError(
                    f"The expanded size of the tensor ({wanted}) isn't allowed in a leading, non-existing "
                    f"dimension {index}"
                )
            wanted = have
        elif have not in (1, wanted):
            raise RuntimeError(
                f"The expanded size of the tensor ({wanted}) must match the existing size ({have}) at non-singleton "
                f"dimension {index}.  Target sizes: {sizes(size)}.  Tensor sizes: {sizes(input.shape)}"
            )
        target[index] = wanted
    if min(target, default=0) < 0:
        raise RuntimeError("numel: integer multiplication overflow")
    return tuple(target)


@op("(Tensor input, int[] size, *, bool implicit=False)", view=True, namespace="method", input=lambda g: g)
def expand(input: Array, size: Shape, implicit: bool = False) -> Array:
    """`input` broadcast to `size` without copying: the stretched dimensions have stride 0."""
    shape = _expanded(input, size)
    missing = len(shape) - input.ndim
    if not input.ndim:
        return strided(input, shape, (0,) * missing)
    strides = [
        0 if have == 1 != wanted else stride
        for have, wanted, stride in zip(input.shape, shape[missing:], strides_of(input), strict=True)
    ]
    for wanted in reversed(shape[:missing]):
        step = shape[len(shape) - len(strides)] * strides[0]
        strides.insert(0, step if wanted == 1 else 0)
    return strided(input, shape, strides)


def no_gradient(g: Any, shape: Shape) -> Any:
    """Zeros of `shape` that do not depend on `g`: what of the input is empty receives nothing."""
    from .reductions import sum_

    return contiguous_copy(expand(zeros_of(sum_(g)), shape))


def _select_input(g: Any, input_shape: Shape, dim: int, index: int) -> Any:
    from .indexing import scatter_slice

    return scatter_slice(g, input_shape, dim, index, None)


@op("(Tensor input, int dim, int index)", view=True, input=_select_input)
def select(input: Array, dim: int, index: int) -> Array:
    if input.ndim == 0:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, input.ndim)
    size = input.shape[dim]
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {sizes(input.shape)} at dimension {dim}"
        )
    return as_torch_lays_out(input)[(slice(None),) * dim + (index, ...)]


def _narrow_input(g: Any, input_shape: Shape, dim: int, start: int, length: int) -> Any:
    from .indexing import scatter_slice

    return scatter_slice(g, input_shape, dim, start, length)


@op(
    "(Tensor input, int dim, int|Tensor start, int length)",
    "(Tensor input, int dim, int start, int length)",
    "(Tensor input, int dim, Tensor start, int length)|hidden",
    view=True,
    node="SliceBackward0",
    input=_narrow_input,
)
def narrow(input: Array, dim: int, start: Any, length: int) -> Array:
    if hasattr(start, "_node"):  # as it was read before for tensors of all sorts
        if start._data.ndim or start._data.dtype.kind not in "iu":
            raise RuntimeError("start must be an 0-dim integral Tensor.")
        start = start.item()
    if input.ndim == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    dim, start = narrowed(input.shape, dim, start, length)
    return sliced(input, dim, start, start + length)


def narrowed(shape: Shape, dim: int, start: int, length: int) -> tuple[int, int]:
    """`dim` and `start` counted from the front; torch's errors where the part is not within `shape`."""
    dim = wrap_dim(dim, len(shape))
    size = shape[dim]
    if not -size <= start <= size:
        raise IndexError(f"start out of range (expected to be in range of [{-size}, {size}], but got {start})")
    start += size if start < 0 else 0
    if start + length > size or length < 0:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return dim, start


def sliced(input: Array, dim: int, start: int, stop: int) -> Array:
    """`input[start:stop]` along `dim`, where both are within bounds and in order."""
    if start < stop:
        return as_torch_lays_out(input)[(slice(None),) * dim + (slice(start, stop),)]
    # NumPy does not move the start of an empty part; torch does, as far as there is memory
    shape, strides = input.shape, strides_of(input)
    return strided(input, (*shape[:dim], 0, *shape[dim + 1 :]), strides, offset_of(input) + start * strides[dim])


# -- joining and splitting ---------------------------------------------------------------------------------------


def _is_skipped(shape: Shape) -> bool:
    """torch's cat passes over 1-d empty tensors, whatever the others' shape."""
    return tuple(shape) == (0,)


def _cat_gradients(g: Any, tensors_shapes: Any, dim: int, needs: tuple[bool, ...]) -> list[Any]:
    """Each tensor's part of the gradient, one after the other along `dim`."""
    dim = wrap_dim(dim, len(g.shape)) if len(g.shape) > 1 else 0
    gradients: list[Any] = []
    start = 0
    for shape, needed in zip(tensors_shapes, needs, strict=True):
        if _is_skipped(shape):
            gradients.append(no_gradient(g, (0,)) if needed else None)
            continue
        gradients.append(narrow(g, dim, start, shape[dim]) if needed else None)
        start += shape[dim]
    return gradients


def _check_cat(arrays: Sequence[Array], dim: int) -> int:
    rank = next((each.ndim for each in arrays if not _is_skipped(each.shape)), None)
    for index, each in enumerate(arrays):
        if each.ndim == 0:
            raise RuntimeError(f"zero-dimensional tensor (at position {index}) cannot be concatenated")
    if rank is None:
        return 0
    dim = wrap_dim(dim, rank)
    kept = [(index, each) for index, each in enumerate(arrays) if not _is_skipped(each.shape)]
    for index, each in kept[1:]:
        first = kept[0][1]
        if each.ndim != first.ndim:
            raise RuntimeError(f"Tensors must have same number of dimensions: got {first.ndim} and {each.ndim}")
        if any(m != n for at, (m, n) in enumerate(zip(first.shape, each.shape, strict=True)) if at != dim):
            at = next(at for at in range(rank) if at != dim and first.shape[at] != each.shape[at])
            raise RuntimeError(
                f"Sizes of tensors must match except in dimension {dim}. Expected size {first.shape[at]} but got size "
                f"{each.shape[at]} for tensor number {index} in the list."
            )
    return dim


@op("(Tensor[] tensors, int dim=0, *, Tensor? out=None)", variadic=True, tensors=_cat_gradients)
def cat(tensors: Sequence[Array], dim: int = 0) -> Array:
    """Join along an existing dimension, in the tensors' common dtype."""
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    dim = _check_cat(tensors, dim)
    if any(each.dtype is not tensors[0].dtype for each in tensors):
        dtype = result_dtype(*tensors).numpy
        tensors = [cast(each, dtype) for each in tensors]
    kept = [each for each in tensors if not _is_skipped(each.shape)]
    if not kept:
        return tensors[0].copy()
    first = kept[0]
    if first.ndim in (4, 5) and not (first.flags.c_contiguous and 1 not in first.shape) and _have_channels_last(kept):
        order = [0, *range(2, first.ndim), 1]
        joined = np.concatenate([each.transpose(order) for each in kept], axis=order.index(dim))
        return joined.transpose([order.index(each) for each in range(first.ndim)])
    kept = [each if each.flags.c_contiguous else each.copy() for each in kept]
    if 1 not in first.shape:
        return np.concatenate(kept, axis=dim)
    shape = (*first.shape[:dim], sum(each.shape[dim] for each in kept), *first.shape[dim + 1 :])
    return np.concatenate(kept, dim, np.empty_like(first, shape=shape, order="C"))


def _have_channels_last(arrays: Sequence[Array]) -> bool:
    formats = {suggested_format(each) for each in arrays}
    return len(formats) == 1 and contiguous_format not in formats


def _stack_gradients(g: Any, dim: int, needs: tuple[bool, ...]) -> list[Any]:
    dim = wrap_dim(dim, len(g.shape))
    return [select(g, dim, position) if needed else None for position, needed in enumerate(needs)]


@op("(Tensor[] tensors, int dim=0, *, Tensor? out=None)", variadic=True, tensors=_stack_gradients)
def stack(tensors: Sequence[Array], dim: int = 0) -> Array:
    """Join along a new dimension, in the tensors' common dtype."""
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    first = tensors[0]
    dim = wrap_dim(dim, first.ndim + 1)
    for index, each in enumerate(tensors):
        if each.shape != first.shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {sizes(first.shape)} at entry 0 and "
                f"{sizes(each.shape)} at entry {index}"
            )
    if any(each.dtype is not first.dtype for each in tensors):
        dtype = result_dtype(*tensors).numpy
        tensors = [cast(each, dtype) for each in tensors]
    shape = (*first.shape[:dim], 1, *first.shape[dim:])
    rows = [each if each.flags.c_contiguous else each.copy() for each in tensors]
    return np.concatenate([each.reshape(shape) for each in rows], axis=dim)


def _unbind_input(gs: Any, dim: int) -> Any:
    return stack(gs, dim)


@op("(Tensor input, int dim=0)", view=True, outputs=(), input=_unbind_input)
def unbind(input: Array, dim: int = 0) -> tuple[Array, ...]:
    dim = wrap_dim(dim, input.ndim)
    if input.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    input = as_torch_lays_out(input)
    before: tuple[Any, ...] = (slice(None),) * dim
    return tuple([input[(*before, index, ...)] for index in range(input.shape[dim])])


# -- copies ------------------------------------------------------------------------------------------------------


def copied(input: Array, memory_format: Any = None, dtype: Any = None) -> Array:
    """A copy in a memory format, and in a dtype.

    By default, and with `preserve_format`, a dense tensor keeps its strides, and another one the order of its dimensions.
    """
    dtype = input.dtype if dtype is None else dtype
    if memory_format is None or memory_format is preserve_format:
        if input.flags.c_contiguous and (input.base is None or (input.size and 1 not in input.shape)):
            return input.astype(dtype, order="C")
        strides = strides_of(input)
        if not is_dense(input.shape, strides, input.itemsize):
            return laid_out(input.astype(dtype, order="C"), input)
        strides = tuple(each // input.itemsize * dtype.itemsize for each in strides)
    elif memory_format is contiguous_format:
        return input.astype(dtype, order="C")
    else:
        strides = format_strides(input.shape, memory_format, dtype.itemsize)
    result = strided(np.empty_like(input, dtype, shape=(input.size,)), input.shape, strides)
    np.copyto(result, input, casting="unsafe")
    return result


@op("(Tensor input, *, memory_format? memory_format=None)", node="CloneBackward0", input=lambda g: g)
def clone(input: Array, memory_format: Any = None) -> Array:
    """A copy: see `copied`."""
    return copied(input, memory_format)


@op("(Tensor input)", node="CloneBackward0", namespace="internal", input=lambda g: g)
def contiguous_copy(input: Array) -> Array:
    return input.copy()


@op(
    "(Tensor input, dtype dtype, memory_format? memory_format=None)",
    node="ToCopyBackward0",
    input=lambda g, input_dtype: cast_to(g, input_dtype),
    namespace="internal",
)
def cast_to(input: Array, dtype: Any, memory_format: Any = None) -> Array:
    """A copy in another dtype."""
    return copied(input, memory_format, numpy_dtype(dtype) if hasattr(dtype, "numpy") else dtype)


@op(
    "(Tensor input, Tensor|Number other, bool non_blocking=False)",
    "(Tensor input, Tensor|Number other, bool async=False)|deprecated",
    name="copy",
    arity=2,
    inplace=True,
    node="CopyBackwards",
    namespace="inplace",
    input=lambda g: zeros_of(g),
    other=lambda g: g,
)
def copy(input: Array, other: Any, non_blocking: bool = False) -> Array:
    """`other` broadcast to the shape of `input`, in its dtype."""
    other = cast(other, input.dtype)
    return np.broadcast_to(other, broadcast_shapes(input.shape, other.shape))


@op(
    "(Tensor input, Tensor value)",
    "(Tensor input, Number value)",
    name="fill",
    arity=2,
    inplace=True,
    namespace="inplace",
    node=lambda input, value: f"FillBackward{3 if hasattr(value, '_node') else 2}",
    input=lambda g: zeros_of(g),
    value=lambda g: g,
)
def fill(input: Array, value: Any) -> Array:
    """`value` everywhere, in one place of memory: for `fill_`, which copies it; the function is `filled`."""
    if isinstance(value, np.ndarray) and value.ndim:
        raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions.")
    if isinstance(value, (int, float)):
        value = converted(value, input.dtype)
    return np.broadcast_to(cast(value, input.dtype), input.shape)


@op("(Tensor input)", name="zero", inplace=True, namespace="inplace", input=lambda g: zeros_of(g))
def zero(input: Array) -> Array:
    return np.zeros_like(input)


for _op in (cat, stack, clone, contiguous_copy):  # they only move elements
    _op.kernel.of_any_width = True  # type: ignore[attr-defined]
