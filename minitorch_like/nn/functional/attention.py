"""Scaled dot-product attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like._capture import mode
from minitorch_like._dtype import FLOATING_KINDS
from minitorch_like.ops import TABLE, Op
from minitorch_like.ops._checks import broadcast_shapes, c_name, title
from minitorch_like.ops.attention import attention_scale, part_of_value

_ATTENTION, _FUSED = TABLE["attention"], TABLE["fused_attention"]


# -- scaled dot-product attention ------------------------------------------------------------------------------------


def scaled_dot_product_attention(*args: Any, **kwargs: Any) -> Tensor:
    """softmax(scale * query @ key^T + attn_mask) @ value.

    `(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, *, scale=None, enable_gqa=False)`

    Args:
        query, key, value: (..., L, E), (..., S, E), (..., S, Ev), whose leading dimensions are broadcast.
        attn_mask: broadcast to (..., L, S). Boolean: False where a key is not to be looked at. Floating point: added
            to the scores.
        dropout_p: how much of the softmax is dropped, also outside of training.
        is_causal: whether query i looks at the keys up to i alone.
        scale: 1 / sqrt(E) by default.
        enable_gqa: whether several heads (dimension -3) of the query may share one of key and value.

    Returns: (..., L, Ev). A query that may look at no key gets zeros.
    Raises: TypeError, RuntimeError and IndexError as torch does.
    """
    arguments, _ = _CALL.read(_READER, args, kwargs)
    return _scaled_dot_product_attention(*arguments)


def _scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    q, k, v = query._data, key._data, value._data
    if not (q.dtype is k.dtype is v.dtype) or q.dtype.kind not in FLOATING_KINDS or min(q.ndim, k.ndim, v.ndim) < 2:
        _refuse(q, k, v)
    mask = None if attn_mask is None else attn_mask._data
    if mask is not None:
        _check_mask(mask, q, k, v)
    if enable_gqa and not (q.ndim > 2 and q.shape[-3:-2] == k.shape[-3:-2] == v.shape[-3:-2]):
        key, value = _repeated(query, key), _repeated(query, value)
        fused = k.shape == v.shape and _can_fuse(query, key, value, attn_mask, dropout_p)
    else:
        fused = _can_fuse(query, key, value, attn_mask, dropout_p)
    if is_causal and mask is not None and not fused:
        raise RuntimeError("_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
    if 0 in q.shape or 0 in k.shape or 0 in v.shape:
        empty = _of_nothing(query, key, value)
        if empty is not None:
            return empty
    if scale is None:
        scale = attention_scale(q.shape[-1])
    noise = None
    if dropout_p > 0.0:
        kind = torch.float32 if q.dtype.itemsize == 2 else query.dtype
        noise = dropout_noise((*_batch(query, key), q.shape[-2], k.shape[-2]), dropout_p, kind)
    elif dropout_p < 0.0 and fused:
        raise RuntimeError("scaled_dot_product_attention_flash_attention: Currently do not support dropout > 0")
    result: Tensor
    if fused:
        result = _FUSED.apply(query, key, value, attn_mask, is_causal, float(scale))
    else:
        result = _ATTENTION.apply(*_saved_parts(query, key, value, attn_mask, scale), noise, is_causal, 1.0)
    return result


def _saved_parts(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """What torch computes with, and saves, where it composes the attention: query and key with the root of the scale in
    each, and a value that a product of matrices can take as it lies."""
    root = math.sqrt(abs(scale))
    query, key = query * math.copysign(root, scale), key * root
    if mode.grad:
        mask = None if mask is None else mask.clone()
        if value.dtype.itemsize == 2 or part_of_value(query._data, key._data, value._data).copied:
            value = value.clone()
    return query, key, value, mask


_SIGNATURE = (
    "(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0.0, bool is_causal=False, *, "
    "float? scale=None, bool enable_gqa=False)"
)
_CALL = Op(
    _scaled_dot_product_attention,
    (_SIGNATURE,),
    {},
    name="scaled_dot_product_attention",
    arity=4,
    namespace="nn",
)
_READER = _CALL.reader(method=False)


def _refuse(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> None:
    """torch's error for dtypes or ranks that do not do."""
    if not (q.dtype is k.dtype is v.dtype):
        raise RuntimeError(
            f"Expected query, key, and value to have the same dtype, but got query.dtype: {c_name(q)} key.dtype: "
            f"{c_name(k)} and value.dtype: {c_name(v)} instead."
        )
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise RuntimeError(
            f"Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: {q.ndim} key.dim: "
            f"{k.ndim} and value.dim: {v.ndim} instead."
        )
    if q.ndim == k.ndim == v.ndim == 2:
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: float != {c_name(q)}")
    raise RuntimeError(f"expected scalar type Float but found {title(q)}")


def _check_mask(mask: np.ndarray, q: np.ndarray, k: np.ndarray, v: np.ndarray) -> None:
    if mask.dtype.kind != "b" and mask.dtype is not q.dtype and mask.dtype != np.float32:
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{c_name(mask)} and  query.dtype: {c_name(q)} instead."
        )
    if mask.ndim < 2 and q.ndim == k.ndim == v.ndim == 4:  # torch looks at the last two dimensions before it decides
        if mask.ndim == 0:
            raise IndexError("Dimension specified as -2 but tensor has no dimensions")
        raise IndexError("Dimension out of range (expected to be in range of [-1, 0], but got -2)")


def _can_fuse(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, dropout_p: float) -> bool:
    """Whether torch would take its fused kernel: it shows in strides and in the name of the node."""
    q, k, v = query._data, key._data, value._data
    return (
        q.ndim == k.ndim == v.ndim == 4
        and dropout_p <= 0.0
        and k.shape == v.shape
        and q.shape[:2] == k.shape[:2]
        and q.shape[3] == k.shape[3]
        and q.strides[3] == k.strides[3] == v.strides[3] == q.itemsize
        and (mask is None or (mask._data.ndim in (2, 4) and not mask.requires_grad))
    )


def _batch(query: Tensor, key: Tensor) -> tuple[int, ...]:
    batch, other = query._data.shape[:-2], key._data.shape[:-2]
    return batch if batch == other else broadcast_shapes(batch, other)


def _repeated(query: Tensor, shared: Tensor) -> Tensor:
    """`shared` with each head as often as there are heads of the query to share it."""
    if min(query.dim(), shared.dim()) < 3:
        raise IndexError("Dimension out of range (expected to be in range of [-2, 1], but got -3)")
    heads, own = query.size(-3), shared.size(-3)
    if heads == own:
        return shared
    if own == 0 or heads % own:
        raise RuntimeError("Number of heads in key and value must divide the number of heads in ")
    spread = (*shared.shape[:-2], heads // own, *shared.shape[-2:])
    return shared.unsqueeze(-3).expand(spread).flatten(-4, -3)


def _of_nothing(query: Tensor, key: Tensor, value: Tensor) -> Tensor | None:
    """The result where there are no keys or no elements in the result: zeros, NaN if anything is; otherwise None."""
    shape = (*broadcast_shapes(_batch(query, key), value._data.shape[:-2]), query.size(-2), value.size(-1))
    if key.size(-2) and 0 not in shape:
        return None
    return torch.zeros(shape, dtype=query.dtype) + (query.sum() + key.sum() + value.sum()) * 0


def dropout_noise(shape: tuple[int, ...], p: float, dtype: Any) -> Tensor:
    """What dropout multiplies by: 0 with probability p, otherwise 1 / (1 - p)."""
    if p > 1.0:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p:g}")
    if p == 1.0:
        return torch.zeros((), dtype=dtype)
    noise: Tensor = torch.empty(shape, dtype=dtype).bernoulli_(1 - p).div_(1 - p)
    return noise
