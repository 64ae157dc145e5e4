"""Embeddings: rows of a table by index, and sums, means and maxima of bags of rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._checks import sizes, tensor_type
from ._table import Array, op
from .elementwise import where
from .indexing import add_rows, scatter_along
from .reductions import sum_
from .shape import narrow, reshape

SUM, MEAN, MAX = range(3)  # torch's numbers of the modes of a bag

_INDICES = (np.dtype(np.int64), np.dtype(np.int32))
_UNSIGNED: dict[Any, Any] = {np.dtype(np.int64): np.dtype(np.uint64), np.dtype(np.int32): np.dtype(np.uint32)}


def check_indices(name: str, indices: Array, argument: int = 1) -> None:
    """RuntimeError for indices of another dtype than int64 and int32."""
    if indices.dtype not in _INDICES:
        kind = tensor_type(indices)
        raise RuntimeError(
            f"Expected tensor for argument #{argument} 'indices' to have one of the following scalar types: Long, Int; but "
            f"got {kind} instead (while checking arguments for {name})"
        )


def are_within(indices: Array, count: int) -> Any:
    """Whether all of 0 <= indices < count; negative numbers are large ones when read without sign."""
    return np.maximum.reduce(indices.view(_UNSIGNED[indices.dtype]), axis=None, initial=0) < max(
        count, indices.size == 0
    )


def _rows(table: Array, indices: Array) -> Array:
    """The rows of a table whose numbers are known to be within it."""
    if not indices.size:
        return np.empty_like(table, shape=(*indices.shape, table.shape[1]))
    return np.take(table, indices, axis=0, mode="clip")  # "raise" would check once more, through a buffer


# -- single rows -------------------------------------------------------------------------------------------------------


def _array(x: Any) -> Array:
    array: Array = x._data if hasattr(x, "_node") else x
    return array


def _embedding_gradient_grad(gg: Any, indices: Any, padding_idx: int) -> Any:
    """What `scale_grad_by_freq` does is left out, as torch leaves it out."""
    rows = embedding(gg, indices)
    return rows if padding_idx < 0 else _without(rows, _array(indices) == padding_idx)


def _without(rows: Any, mask: Array) -> Any:
    """Zeros instead of the rows where the mask holds."""
    mask = mask[..., None]
    return where(mask, 0.0, rows) if isinstance(rows, np.ndarray) else where.apply(mask, 0.0, rows)


@op(
    "(Tensor grad, Tensor indices, int num_weights, int padding_idx, bool scale_grad_by_freq)",
    arity=2,
    node="EmbeddingDenseBackwardBackward0",
    namespace="internal",
    grad=_embedding_gradient_grad,
)
def embedding_gradient(
    grad: Array, indices: Array, num_weights: int, padding_idx: int, scale_grad_by_freq: bool
) -> Array:
    """The gradients of the occurrences of each row added up: (*, d), (*) -> (num_weights, d).

    Row `padding_idx` (if not negative) gets none.  With `scale_grad_by_freq` the sum becomes a mean.
    """
    rows = indices.reshape(-1).astype(np.int64, copy=False)
    result = add_rows(grad.reshape(rows.size, grad.shape[-1]), rows, num_weights)
    if scale_grad_by_freq:
        counts = add_rows(np.ones_like(rows, dtype=grad.dtype)[:, None], rows, num_weights)
        np.true_divide(result, np.maximum(counts, 1), result)
    if padding_idx >= 0:
        result[padding_idx] = 0
    return result


embedding_gradient.kernel.of_any_width = True  # type: ignore[attr-defined]  # torch rounds each sum


@op(
    "(Tensor weight, Tensor indices, int padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False)",
    arity=2,
    namespace="nn",
    weight=lambda g, weight_shape, indices, padding_idx, scale_grad_by_freq: embedding_gradient(
        g, indices, weight_shape[0], padding_idx, scale_grad_by_freq
    ),
)
def embedding(
    weight: Array, indices: Array, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
) -> Array:
    """The rows of a table, by number: (v, d), (*) -> (*, d)."""
    if weight.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    check_indices("embedding", indices)
    if not are_within(indices, weight.shape[0]):
        raise IndexError("index out of range in self")
    if sparse:
        raise NotImplementedError("embedding: sparse=True is not supported, gradients are dense")
    return _rows(weight, indices)


def renormalise(weight: Array, indices: Array, max_norm: float, norm_type: float) -> None:
    """Scale the rows that `indices` names to a p-norm of `max_norm` where theirs is larger, in place.

    Raises: RuntimeError for a table that is none, IndexError for a number out of range.
    """
    if weight.ndim != 2:
        raise RuntimeError(
            f"Expected 2-dimensional tensor, but got {weight.ndim}-dimensional tensor for argument #1 'self' (while "
            "checking arguments for embedding_renorm_)"
        )
    check_indices("embedding_renorm_", indices, 2)
    indices = indices.reshape(-1)
    count = weight.shape[0]
    if not are_within(indices, count) and indices.max() >= count:
        outside = np.sort(indices)[np.sort(indices) >= count][0]
        raise IndexError(
            f"select(): index {outside} out of range for tensor of size {sizes(weight.shape)} at dimension 0"
        )
    if not indices.size:
        return
    rows = weight[indices]  # a row that occurs twice is written twice, alike
    norms = _norms(rows, norm_type).astype(np.float64)
    factors = np.where(norms > max_norm, max_norm / (norms + 1e-7), 1.0).astype(weight.dtype)
    weight[indices] = rows * factors[:, None]


def _norms(rows: Array, p: float) -> Array:
    """The p-norm of each row."""
    if p == 2:
        return np.sqrt(np.add.reduce(rows * rows, 1))
    magnitudes = np.absolute(rows)
    if p in (np.inf, -np.inf):
        return (np.maximum if p > 0 else np.minimum).reduce(magnitudes, 1)
    if p == 0:
        return np.add.reduce((magnitudes != 0).astype(rows.dtype), 1)
    return np.power(np.add.reduce(np.power(magnitudes, p), 1), 1 / p)


# -- bags --------------------------------------------------------------------------------------------------------------
#
# A bag is a row of a matrix of indices, or what lies between two offsets into a vector of them.


def _check_bags(
    weight: Array, per_sample_weights: Array | None, indices: Array, offsets: Array | None, mode: int
) -> None:
    for each in (indices, offsets):
        if each is not None:
            check_indices("embedding_bag", each)
    if weight.dtype.kind != "f":
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have one of the following scalar types: Half, BFloat16, Float, "
            f"Double; but got {tensor_type(weight)} instead (while checking arguments for embedding_bag)"
        )
    if per_sample_weights is not None and per_sample_weights.dtype is not weight.dtype:
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 "
            f"'per_sample_weights'; but type {tensor_type(weight)} does not equal {tensor_type(per_sample_weights)} (while "
            "checking arguments for embedding_bag)"
        )
    if offsets is not None and offsets.size:
        if offsets[0] != 0:
            raise RuntimeError(
                "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, "
                f"got {offsets[0]}\n[ {tensor_type(offsets)}{{}} ]"
            )
        if offsets[-1] > indices.size:
            raise RuntimeError(
                f"offsets[-1] can not be greater than input's length {indices.size} but got offsets[-1] of {offsets[-1]}"
            )
        if np.any(offsets[1:] < offsets[:-1]):
            raise RuntimeError("offsets must not decrease")
    if not are_within(indices, weight.shape[0]):
        _refuse_indices(indices.reshape(-1), weight.shape[0], mode)


def _refuse_indices(indices: Array, count: int, mode: int) -> None:
    place = np.flatnonzero((indices < 0) | (indices >= count))[0]
    if mode != MAX:
        raise RuntimeError(
            f"Index {place} of input takes value {indices[place]} which is not in the valid range [0, {count})"
        )
    raise RuntimeError(f"embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be {indices[place]}")


def _bag_bounds(indices: Array, offsets: Array | None, include_last_offset: bool) -> tuple[Array, Array]:
    """Where each bag starts, and where it ends."""
    if offsets is None:
        bags, width = indices.shape
        starts = np.arange(bags) * width
        return starts, starts + width
    if include_last_offset:
        return offsets[:-1], offsets[1:]
    return offsets, np.concatenate((offsets[1:], np.full(1, indices.size, offsets.dtype)))


def _bag_numbers(
    indices: Array, offsets: Array | None, include_last_offset: bool, padding_idx: int
) -> tuple[Array, int]:
    """For each index the number of its bag, and how many bags there are, which is also the number of "in no bag".

    That is where padding is, and what lies past the last of the included offsets.
    """
    if offsets is None:
        bags, width = indices.shape
        numbers = np.repeat(np.arange(bags), width)
    else:
        bags = len(offsets) - include_last_offset
        numbers = np.searchsorted(offsets, np.arange(indices.size), side="right") - 1
        if not len(offsets):
            numbers = np.zeros_like(numbers)
    return (numbers if padding_idx < 0 else np.where(indices.reshape(-1) == padding_idx, bags, numbers)), bags


def _bag_sizes(numbers: Array, bags: int, dtype: Any) -> Array:
    """How many indices each bag holds."""
    return add_rows(np.ones_like(numbers, dtype=dtype)[:, None], numbers, bags + 1)[:bags, 0]


def _maxima(
    weight: Array, indices: Array, offsets: Array | None, padding_idx: int, include_last_offset: bool
) -> tuple[Array, Array]:
    """The largest elements of each bag's rows, and the rows that have them: the first where several do, as in torch.

    An element is taken if it is the first or larger; so a NaN stays if it comes first.  No row is number v of a table of v.
    """
    starts, ends = _bag_bounds(indices, offsets, include_last_offset)
    flat = indices.reshape(-1)
    longest = indices.shape[1] if offsets is None else int(np.maximum.reduce(ends - starts, initial=0))
    shape = (len(starts), weight.shape[1])
    best = np.zeros_like(weight, shape=shape)
    chosen = np.full_like(flat, weight.shape[0], dtype=np.int64, shape=shape)
    for step in range(longest if flat.size else 0):
        places = np.minimum(starts + step, flat.size - 1)
        numbers = flat[places]
        present = (starts + step < ends) & (numbers != padding_idx)
        rows = _rows(weight, numbers)
        better = present[:, None] & ((chosen == weight.shape[0]) | (rows > best))
        best = np.where(better, rows, best)
        chosen = np.where(better, numbers[:, None], chosen)
    return best, chosen


def _spread(g: Any, indices: Any, offsets: Any, mode: int, padding_idx: int, include_last_offset: bool) -> Any:
    """The gradient of each index's row, before the weights of the samples: (bags, d) -> (n, d)."""
    numbers, bags = _bag_numbers(indices, offsets, include_last_offset, padding_idx)
    if not bags:
        return g
    members = np.minimum(numbers, bags - 1)
    rows = embedding(g, members)
    if mode == MEAN:
        sizes_ = np.maximum(_bag_sizes(numbers, bags, _array(g).dtype), 1)
        rows = rows / sizes_[members][:, None]
    return _without(rows, numbers == bags)


def _bag_weight(
    g: Any,
    weight_shape: Any,
    per_sample_weights: Any,
    indices: Any,
    offsets: Any,
    mode: int,
    scale_grad_by_freq: bool,
    padding_idx: int,
    include_last_offset: bool,
    chosen: Any,
) -> Any:
    indices, offsets = _array(indices), None if offsets is None else _array(offsets)
    count, width = weight_shape
    if mode == MAX:
        return narrow(scatter_along(g, chosen, (count + 1, width), 0), 0, 0, count)
    rows = _spread(g, indices, offsets, mode, padding_idx, include_last_offset)
    if per_sample_weights is not None:
        rows = rows * reshape(per_sample_weights, (-1, 1))
    flat = indices.reshape(-1)[: rows.shape[0]]
    return embedding_gradient(rows, flat, count, padding_idx, scale_grad_by_freq)


def _bag_samples(
    g: Any,
    weight: Any,
    indices: Any,
    offsets: Any,
    mode: int,
    padding_idx: int,
    include_last_offset: bool,
    per_sample_weights_shape: Any,
) -> Any:
    flat = reshape(indices, (-1,))
    indices, offsets = _array(indices), None if offsets is None else _array(offsets)
    rows = _spread(g, indices, offsets, mode, padding_idx, include_last_offset)
    products = rows * embedding(weight, narrow(flat, 0, 0, rows.shape[0]))
    return reshape(sum_(products, 1), per_sample_weights_shape)


@op(
    "(Tensor weight, Tensor? per_sample_weights, Tensor indices, Tensor? offsets, int mode, bool scale_grad_by_freq, "
    "int padding_idx, bool include_last_offset)",
    arity=4,
    keeps=("chosen",),
    saves=("per_sample_weights",),
    namespace="internal",
    weight=_bag_weight,
    per_sample_weights=_bag_samples,
)
def embedding_bag(
    weight: Array,
    per_sample_weights: Array | None,
    indices: Array,
    offsets: Array | None,
    mode: int,
    scale_grad_by_freq: bool,
    padding_idx: int,
    include_last_offset: bool,
) -> tuple[Array, Array | None]:
    """The sum, mean or maximum of the rows of each bag: (v, d) and (b, n), or (n,) and (b,), -> (b, d)."""
    _check_bags(weight, per_sample_weights, indices, offsets, mode)
    if mode == MAX:
        return _maxima(weight, indices, offsets, padding_idx, include_last_offset)
    numbers, bags = _bag_numbers(indices, offsets, include_last_offset, padding_idx)
    rows = _rows(weight, indices.reshape(-1))
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.reshape(-1, 1)
    result = add_rows(rows, numbers, bags + 1)[:bags]
    if mode == MEAN:
        result = result / np.maximum(_bag_sizes(numbers, bags, weight.dtype), 1)[:, None]
    return result, None
