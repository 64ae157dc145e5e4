"""What a recorded backward pass through attention does: the gradients by ops of the table, to be differentiated again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .elementwise import add, eq, where
from .matmul import matmul
from .reductions import all_, softmax, sum_
from .shape import cast_to, transpose

_HALF, _SINGLE = np.dtype(np.float16), np.dtype(np.float32)


def recorded_backward(
    g: Any,
    query: Any,
    key: Any,
    value: Any,
    mask: Any,
    noise: Any,
    causal: bool,
    scale: float,
    safe: bool = True,
    g_dropped: Any = None,
) -> tuple[Any, ...]:
    """The gradients of `attention._backward` by ops of the table, so that they can be differentiated again."""
    if g.dtype.numpy is _HALF:
        g, query, key, value = (None if x is None else cast_to(x, _SINGLE) for x in (g, query, key, value))
    probabilities = _recorded_softmax(_recorded_scores(query, key, mask, causal, scale), safe)
    dropped = probabilities if noise is None else probabilities * noise
    d_value = matmul(transpose(dropped, -1, -2), g)
    if value is None:  # of which the other gradients are made
        return None, None, d_value, None
    d_dropped = matmul(g, transpose(value, -1, -2))
    if g_dropped is not None:
        d_dropped = d_dropped + g_dropped
    if noise is not None:
        d_dropped = d_dropped * noise
    d_mask = probabilities * (d_dropped - sum_(d_dropped * probabilities, -1, True))
    d_scores = d_mask * scale
    return matmul(d_scores, key), matmul(transpose(d_scores, -1, -2), query), d_value, d_mask


def _recorded_scores(query: Any, key: Any, mask: Any, causal: bool, scale: float) -> Any:
    scores = matmul(query, transpose(key, -1, -2)) * scale
    if mask is not None:
        scores = where(mask, scores, -math.inf) if mask.dtype.numpy.kind == "b" else scores + mask
    if causal:
        length, keys = scores.shape[-2:]
        dtype = scores.dtype.numpy
        scores = add(scores, np.where(np.tri(length, keys, dtype=bool), dtype.type(0), dtype.type(-np.inf)))
    return scores


def _recorded_softmax(scores: Any, safe: bool) -> Any:
    if not safe:
        return softmax(scores, -1)
    dead = all_(eq(scores, -math.inf), -1, True)  # the softmax of nothing is to be 0, and so are its derivatives
    return where(dead, 0.0, softmax(where(dead, 0.0, scores), -1))
