"""Scaled dot-product attention (Vaswani et al. 2017) as one op, forward and backward.

The scores are kept *transposed*, keys before queries: `weights[..., s, l]`.  Then the maximum and the sum of a softmax
run down columns, which NumPy takes row by row in long vector operations, instead of along short rows; and every product
is one that BLAS takes as it stands, whatever the strides of the heads.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ._attention_recorded import recorded_backward
from ._checks import broadcast_shapes, explain, sizes
from ._table import Array, op
from .matmul import _check_matmul
from .shape import cat, narrow

Gradients = tuple[Any, ...]
Needs = tuple[bool, ...]

_HALF, _SINGLE = np.dtype(np.float16), np.dtype(np.float32)
_LOWEST = {np.dtype(kind): np.finfo(kind).min for kind in (np.float32, np.float64)}

# Up to here a batch's heads lie side by side in each row of scores: rows get long, and products still find theirs in cache.
_LONGEST_INTERLEAVED = 256


def attention_scale(size: int) -> float:
    """1 / sqrt(E), by which the scores of queries and keys of size E are multiplied."""
    return 1.0 / math.sqrt(size) if size else 1.0


# -- on arrays -----------------------------------------------------------------------------------------------------


def _flip(x: Array) -> Array:
    """The last two dimensions swapped."""
    return x.swapaxes(-1, -2)


def _score_buffer(like: Array, batch: tuple[int, ...], keys: int, queries: int) -> Array:
    """Memory for (*batch, S, L) scores.  `like` makes it part of a captured plan."""
    if not batch or queries > _LONGEST_INTERLEAVED:
        return np.empty_like(like, shape=(*batch, keys, queries), order="C")
    return np.empty_like(like, shape=(*batch[:-1], keys, batch[-1], queries), order="C").swapaxes(-2, -3)


@functools.lru_cache(maxsize=4)
def _causal_mask(heads: int, keys: int, queries: int, dtype: np.dtype[Any]) -> Array:
    """(heads, S, L): -inf where the key comes after the query, counted from the first of both.

    It has the memory order of interleaved scores, so that the addition is one long vector operation.
    """
    mask = np.where(np.tri(queries, keys, dtype=bool).T, dtype.type(0), dtype.type(-np.inf))
    mask = np.repeat(mask[:, None], heads, 1)
    mask.flags.writeable = False  # it is shared by all calls
    return mask.swapaxes(0, 1)


def _additive(mask: Array, dtype: np.dtype[Any]) -> Array:
    """A mask as what is to be added to transposed scores; a boolean one says which keys take part."""
    mask = _flip(mask) if mask.ndim > 1 else mask[..., None] if mask.ndim else mask
    if mask.dtype.kind == "b":
        return np.where(mask, dtype.type(0), dtype.type(-np.inf))
    return mask.astype(dtype) if mask.dtype is not dtype else mask.copy()


def _scores(query: Array, key: Array, mask: Array | None, causal: bool, scale: float) -> Array:
    """scale * key @ query^T + mask: (..., L, E), (..., S, E) -> (..., S, L)."""
    batch = query.shape[:-2]
    if batch != key.shape[:-2]:
        batch = broadcast_shapes(batch, key.shape[:-2])
    # Scaled before the product: the copy is smaller than the scores, and BLAS likes it better than a transposed operand.
    columns = np.empty_like(query, shape=_flip(query).shape, order="C")
    np.multiply(_flip(query), scale, columns)
    keys, queries = key.shape[-2], query.shape[-2]
    scores = _score_buffer(key, batch, keys, queries)
    try:
        np.matmul(key, columns, out=scores)
    except ValueError:
        explain(_check_matmul, query, _flip(key))
        raise
    if mask is not None:
        _add_mask(scores, mask)
    if causal:
        heads = scores.shape[-3] if batch and queries <= _LONGEST_INTERLEAVED else 1
        mask = _causal_mask(heads, keys, queries, scores.dtype)
        np.add(scores, mask if batch else mask[0], scores)
    return scores


def _add_mask(scores: Array, mask: Array) -> None:
    try:
        np.add(scores, _additive(mask, scores.dtype), scores)
    except ValueError:
        explain(_refuse_mask, _flip(scores).shape, mask.shape)


def _refuse_mask(shape: tuple[int, ...], mask: tuple[int, ...]) -> None:
    wanted = broadcast_shapes(shape, mask)
    raise RuntimeError(f"output with shape {sizes(shape)} doesn't match the broadcast shape {sizes(wanted)}")


def _softmax(scores: Array, safe: bool) -> Array:
    """The softmax over the keys, in place.  A query that may look at no key has zeros if `safe`, otherwise NaN."""
    keys = scores.shape[-2]
    if not keys:
        return scores
    top = np.maximum.reduce(scores, axis=-2, keepdims=True)
    np.maximum(top, _LOWEST[scores.dtype], out=top)  # -inf - -inf would be NaN
    np.subtract(scores, top, scores)
    np.exp(scores, scores)
    total = np.matmul(np.ones((1, keys), scores.dtype), scores)  # BLAS adds faster than np.add
    if safe:  # nothing else is below 1, which is what the maximum itself contributes
        np.maximum(total, 1, out=total)
    else:
        total = np.where(total < 1, total.dtype.type(np.nan), total)
    np.true_divide(1, total, total)
    return np.multiply(scores, total, scores)


class _Forward(NamedTuple):
    """The output (..., L, Ev), if there is need of it, the softmax, and the same after dropout, (..., S, L)."""

    out: Array | None
    weights: Array
    dropped: Array | None


def _forward(
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None,
    noise: Array | None,
    causal: bool,
    scale: float,
    out: Array | None,
    safe: bool = True,
) -> _Forward:
    """Attention over heads: (..., L, E), (..., S, E), (..., S, Ev) -> (..., L, Ev), written to `out` if given."""
    weights = _softmax(_scores(query, key, mask, causal, scale), safe)
    dropped = None
    if noise is not None:
        dropped = np.empty_like(weights)
        np.copyto(dropped, _flip(noise) if noise.ndim else noise)  # a plain copy into another order is the faster one
        np.multiply(weights, dropped, dropped)
    columns = _flip(weights if dropped is None else dropped)
    try:
        return _Forward(_product(columns, value, out), weights, dropped)
    except ValueError:
        explain(_check_matmul, columns, value)
        raise


def _backward(
    g: Array,
    query: Array,
    key: Array,
    value: Array,
    done: _Forward,
    scale: float,
    needs: Needs,
    into: Sequence[Array | None] = (None, None, None),
    g_dropped: Array | None = None,
) -> Gradients:
    """The gradients of query, key, value and mask, the first three written to the arrays `into` if given.

    With P the softmax, D the dropout and dP = (g v^T) D, the gradient of the scores is P (dP - sum(P dP)), and
    sum(P dP) = sum(g out) takes no pass over the scores, where the output has been saved.  `g_dropped`: the gradient of
    P D (..., L, S), if that was an output too.
    """
    out, weights, dropped = done
    kept = weights if dropped is None else dropped
    d_value = _product(kept, g, into[2]) if needs[2] else None
    if not (needs[0] or needs[1] or needs[3]):
        return None, None, d_value, None
    folded = 1.0 if needs[3] else scale  # a mask is added after the scale
    columns = np.empty_like(g, shape=_flip(g).shape, order="C")
    np.multiply(_flip(g), folded, columns)
    d_scores = _product(value, columns, _score_buffer(g, weights.shape[:-2], *weights.shape[-2:]))
    if out is None:
        centre = np.matmul(np.ones((1, kept.shape[-2]), g.dtype), d_scores * kept)
    else:
        centre = np.matmul(np.full((1, g.shape[-1]), folded, g.dtype), _flip(g * out))
    if g_dropped is not None:
        more = np.multiply(_flip(g_dropped), folded, np.empty_like(weights))
        np.add(d_scores, more, d_scores)
        np.multiply(more, kept, more)
        np.add(centre, np.matmul(np.ones((1, more.shape[-2]), g.dtype), more), centre)
    if dropped is None:
        np.subtract(d_scores, centre, d_scores)
        np.multiply(d_scores, weights, d_scores)
    else:
        np.multiply(d_scores, dropped, d_scores)
        np.subtract(d_scores, weights * centre, d_scores)
    d_mask = None
    if needs[3]:
        d_mask = _flip(d_scores)
        d_scores = d_scores * scale
    d_query = _product(_flip(d_scores), key, into[0]) if needs[0] else None
    d_key = _product(d_scores, query, into[1]) if needs[1] else None
    return d_query, d_key, d_value, d_mask


def _product(a: Array, b: Array, out: Array | None) -> Array:
    return np.matmul(a, b) if out is None else np.matmul(a, b, out=out)


def _in_single(*arrays: Array | None) -> list[Any]:
    """float16 as float32, in which torch computes."""
    return [x.astype(_SINGLE) if x is not None and x.dtype is _HALF else x for x in arrays]


# -- the op of nn.functional --------------------------------------------------------------------------------------------


def _attention_node(query: Any, key: Any, value: Any, *options: Any) -> str:
    """The last step: a product, or the return to 16 bits."""
    if query.dtype.itemsize == 2:
        return "ToCopyBackward0"
    return "MmBackward0" if query.dim() == key.dim() == value.dim() == 2 else "UnsafeViewBackward0"


def _fused_joint(
    g: Any,
    query: Any,
    key: Any,
    value: Any,
    mask: Any,
    out: Any,
    weights: Any,
    causal: bool,
    scale: float,
    needs: Needs,
) -> Gradients:
    if weights is None:
        return recorded_backward(g, query, key, value, mask, None, causal, scale)
    g, query, key, value, out = _in_single(g, query, key, value, out)
    into = [
        np.empty_like(x, shape=(x.shape[0], x.shape[2], x.shape[1], x.shape[3]), order="C").swapaxes(1, 2)
        for x in (query, key, value)
    ]
    return _backward(g, query, key, value, _Forward(out, weights, None), scale, needs, into)


@op(
    "(Tensor query, Tensor key, Tensor value, Tensor? mask, bool causal, float scale)",
    arity=4,
    node="ScaledDotProductFlashAttentionForCpuBackward0",
    keeps=("weights",),
    joint=_fused_joint,
    namespace="internal",
)
def fused_attention(
    query: Array, key: Array, value: Array, mask: Array | None, causal: bool, scale: float
) -> tuple[Any, Array]:
    """`attention` where torch takes its fused kernel: its output is laid out like the query, and its gradients have their
    heads within each position, as they mostly come."""
    dtype = query.dtype
    query, key, value = _in_single(query, key, value)
    memory = np.empty_like(query, order="C" if 0 in query.strides else "K")
    out, weights, _ = _forward(query, key, value, mask, None, causal, scale, memory)
    return _in_dtype(out, dtype), weights


def _in_dtype(x: Any, dtype: np.dtype[Any]) -> Any:
    return x if x.dtype is dtype else x.astype(dtype)


def part_of_value(query: Array, key: Array, value: Array) -> Any:
    """What becomes of the value in its product with the softmax, see `_folding.parts`."""
    from ._folding import parts

    batch = broadcast_shapes(query.shape[:-2], key.shape[:-2])
    softmax_like = np.broadcast_to(np.zeros(()), (*batch, query.shape[-2], key.shape[-2]))
    return parts(softmax_like, value, (True, True))[1]


def _attention_joint(
    g: Any,
    query: Any,
    key: Any,
    value: Any,
    mask: Any,
    noise: Any,
    weights: Any,
    dropped: Any,
    causal: bool,
    scale: float,
    needs: Needs,
) -> Gradients:
    if weights is None:
        return *recorded_backward(g, query, key, value, mask, noise, causal, scale), None
    g, query, key, value = _in_single(g, query, key, value)
    return *_backward(g, query, key, value, _Forward(None, weights, dropped), scale, needs), None


@op(
    "(Tensor query, Tensor key, Tensor value, Tensor? mask, Tensor? noise, bool causal, float scale)",
    arity=5,
    node=_attention_node,
    keeps=("weights", "dropped"),
    saves_for={"value": ("query", "key", "mask")},
    joint=_attention_joint,
    namespace="internal",
)
def attention(
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None,
    noise: Array | None,
    causal: bool,
    scale: float,
) -> tuple[Any, ...]:
    """softmax(scale * query @ key^T + mask) @ value: (..., L, E), (..., S, E), (..., S, Ev) -> (..., L, Ev).

    mask: added to the scores (..., L, S), or, if boolean, False where a key is not to be looked at.
    noise: by what dropout multiplies the softmax.
    """
    dtype = query.dtype
    query, key, value = _in_single(query, key, value)
    out, *kept = _forward(query, key, value, mask, noise, causal, scale, None)
    return _in_dtype(out, dtype), *kept


# -- heads within projections, for nn.MultiheadAttention ----------------------------------------------------------------


def _projections(query: Any, key: Any, value: Any) -> list[Any]:
    """The three apart: `query` may hold all of them side by side (..., 3 E), or `key` the last two (..., 2 E)."""
    if value is not None:
        return [query, key, value]
    packed, count = (query, 3) if key is None else (key, 2)
    size = packed.shape[-1] // count
    on_array = isinstance(packed, np.ndarray)
    parts = [
        packed[..., start : start + size] if on_array else narrow(packed, -1, start, size)
        for start in range(0, count * size, size)
    ]
    return parts if key is None else [query, *parts]


def _heads(x: Any, count: int, batch_first: bool) -> Any:
    """(N, L, E) or (L, N, E) -> (N, heads, L, E / heads), a view."""
    first, second, size = x.shape
    split = x.reshape((first, second, count, size // count))
    order = (0, 2, 1, 3) if batch_first else (1, 2, 0, 3)
    return split.transpose(order) if isinstance(x, np.ndarray) else split.permute(order)


def _joined(x: Any, batch_first: bool) -> Any:
    """What undoes `_heads`, on Tensors."""
    batch, heads, length, size = x.shape
    shape = (batch, length, heads * size) if batch_first else (length, batch, heads * size)
    return x.permute((0, 2, 1, 3) if batch_first else (2, 0, 1, 3)).reshape(shape)


def _heads_joint(
    gradients: Any,
    query: Any,
    key: Any,
    value: Any,
    mask: Any,
    noise: Any,
    out: Any,
    weights: Any,
    dropped: Any,
    heads: int,
    causal: bool,
    batch_first: bool,
    needs: Needs,
) -> Gradients:
    """The rule of both ops below; the second has the gradient of the probabilities too."""
    g, g_dropped = gradients if isinstance(gradients, list) else (gradients, None)
    safe = g_dropped is None
    g, query, key, value, out = _in_single(g, query, key, value, out)
    q, k, v = (_heads(x, heads, batch_first) for x in _projections(query, key, value))
    batch, _, length, size = q.shape
    scale = attention_scale(size)
    rows = (length, batch, heads * size)
    g = _heads(g.reshape(rows), heads, False)
    if g_dropped is not None:
        g_dropped = g_dropped.reshape((batch, heads, length, k.shape[2]))
    if weights is None:
        *parts, d_mask = recorded_backward(g, q, k, v, mask, noise, causal, scale, safe, g_dropped)
        d_query, d_key, d_value = (_joined(x, batch_first) for x in parts)
        if key is None:
            return cat([d_query, d_key, d_value], -1), None, None, d_mask, None
        if value is None:
            return d_query, cat([d_key, d_value], -1), None, d_mask, None
        return d_query, d_key, d_value, d_mask, None
    results = [None if x is None else np.empty_like(x, order="C") for x in (query, key, value)]
    into = tuple(_heads(x, heads, batch_first) for x in _projections(*results))
    wanted = (
        needs[0],
        needs[0 if key is None else 1],
        needs[0 if key is None else 1 if value is None else 2],
        needs[3],
    )
    done = _Forward(_heads(out.reshape(rows), heads, False), weights, dropped)
    *_, d_mask = _backward(g, q, k, v, done, scale, wanted, into, g_dropped)
    return *(x if need else None for x, need in zip(results, needs, strict=False)), d_mask, None


def _heads_forward(
    query: Array,
    key: Array | None,
    value: Array | None,
    mask: Array | None,
    noise: Array | None,
    heads: int,
    causal: bool,
    batch_first: bool,
    safe: bool,
) -> _Forward:
    q, k, v = (_heads(x, heads, batch_first) for x in _projections(*_in_single(query, key, value)))
    batch, _, length, size = q.shape
    rows = np.empty_like(q, shape=(length, batch, heads * size), order="C")
    done = _forward(q, k, v, mask, noise, causal, attention_scale(size), _heads(rows, heads, False), safe)
    rows = rows.reshape(length * batch, heads * size)
    return done._replace(out=rows if rows.dtype is query.dtype else rows.astype(query.dtype))


_HEADS = (
    "(Tensor query, Tensor? key, Tensor? value, Tensor? mask, Tensor? noise, int heads, bool causal, bool batch_first)"
)


@op(
    _HEADS,
    arity=5,
    node="ViewBackward0",
    keeps=("weights", "dropped"),
    joint=_heads_joint,
    namespace="internal",
)
def heads_attention(
    query: Array,
    key: Array | None,
    value: Array | None,
    mask: Array | None,
    noise: Array | None,
    heads: int,
    causal: bool,
    batch_first: bool,
) -> tuple[Any, ...]:
    """Attention of the heads within projections: (L, N, E), (S, N, E), (S, N, E) -> (L * N, E).

    `value` None: `key` holds keys and values, (S, N, 2 E); `key` None too: `query` holds all three, (L, N, 3 E).
    Forward and backward the heads are views into these, so that nothing is ever copied together or apart.
    mask: added to the scores (N, heads, L, S); boolean as in `attention`.
    batch_first: the arguments, but not the result, have the dimensions L and N swapped.
    """
    return tuple(_heads_forward(query, key, value, mask, noise, heads, causal, batch_first, True))


@op(
    _HEADS,
    arity=5,
    outputs=("out", "probabilities"),
    node="ViewBackward0",
    keeps=("weights", "dropped"),
    joint=_heads_joint,
    namespace="internal",
)
def heads_attention_and_weights(
    query: Array,
    key: Array | None,
    value: Array | None,
    mask: Array | None,
    noise: Array | None,
    heads: int,
    causal: bool,
    batch_first: bool,
) -> tuple[Any, ...]:
    """`heads_attention`, and the softmax after dropout, (N * heads, L, S).  Where all is masked, both are NaN."""
    out, weights, dropped = _heads_forward(query, key, value, mask, noise, heads, causal, batch_first, False)
    batch, heads, keys, length = weights.shape
    probabilities = np.empty_like(weights, shape=(batch, heads, length, keys), dtype=query.dtype, order="C")
    np.copyto(probabilities, _flip(weights if dropped is None else dropped), casting="same_kind")
    return out, probabilities.reshape(batch * heads, length, keys), weights, dropped
