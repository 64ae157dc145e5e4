"""Multi-head attention: attention of several heads within learned projections."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like._once import warn_of_call
from minitorch_like.ops import TABLE
from minitorch_like.ops._checks import c_name

from .activations import linear
from .attention import dropout_noise
from .dropouts import _check_probability
from .padding import pad

_HEADS, _HEADS_AND_WEIGHTS = TABLE["heads_attention"], TABLE["heads_attention_and_weights"]


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What `nn.MultiheadAttention` computes, of (L, N, E), (S, N, Ek), (S, N, Ev) or the same without N.

    Args:
        embed_dim_to_check: E, which `num_heads` has to divide.
        in_proj_weight, in_proj_bias: (3 E, E) and (3 E), for query, key and value in turn.
        bias_k, bias_v: (1, 1, E), a key and a value behind the others.
        add_zero_attn: whether a key and a value of zeros come last.
        out_proj_weight, out_proj_bias: (E, E) and (E), of the result.
        key_padding_mask: (N, S) or (S); attn_mask: (L, S) or (N * num_heads, L, S). Boolean: True where a key is not to
            be looked at. Floating point: added to the scores.
        need_weights: whether to return the softmax (N, L, S), or (N, num_heads, L, S) unless `average_attn_weights`.
        use_separate_proj_weight: whether q_proj_weight (E, E), k_proj_weight (E, Ek) and v_proj_weight (E, Ev) stand
            in the place of `in_proj_weight`.
        static_k, static_v: (N * num_heads, S, E / num_heads), in the place of the projected key and value.
        is_causal: a hint that `attn_mask` is causal; where nothing else masks it is believed.

    Raises: AssertionError or RuntimeError for shapes that do not fit, as torch does.
    """
    batched = _check_ranks(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        query, key, value = each_once(lambda x: x.unsqueeze(1), query, key, value)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    key_padding_mask = canonical_mask(
        key_padding_mask, "key_padding_mask", none_or_dtype(attn_mask), "attn_mask", query.dtype
    )
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    causal = is_causal and key_padding_mask is None and not need_weights
    attn_mask = None if causal else canonical_mask(attn_mask, "attn_mask", None, "", query.dtype, check_other=False)
    _check_sizes(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    weights = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else (in_proj_weight,)
    q, k, v, batch_first = _project(query, key, value, weights, in_proj_bias)
    length, batch, _ = query.shape
    _check_attention_mask(attn_mask, num_heads, length, batch, key.size(0))
    source = key.size(0)
    if add_zero_attn or not bias_k is bias_v is static_k is static_v is None:
        q, k, v = _apart(q, k, v, batch_first)
        k = _extended(k, "k", bias_k, static_k, add_zero_attn, num_heads)
        v = _extended(v, "v", bias_v, static_v, add_zero_attn, num_heads)
        batch_first, source = False, k.size(0)
        extra = (bias_k is not None) + add_zero_attn
        attn_mask, key_padding_mask = _padded(attn_mask, extra), _padded(key_padding_mask, extra)
    mask = _merged_mask(attn_mask, key_padding_mask, num_heads, batch, source)
    noise = None
    if training and dropout_p > 0.0:
        if need_weights:
            _check_probability(dropout_p)
        noise = dropout_noise((batch, num_heads, length, source), dropout_p, query.dtype)
    attend = _HEADS_AND_WEIGHTS if need_weights else _HEADS
    result = attend.apply(q, k, v, mask, noise, num_heads, causal, batch_first)
    out, probabilities = result if need_weights else (result, None)
    out = linear(out, out_proj_weight, out_proj_bias).view(length, batch, out_proj_weight.size(0))
    if probabilities is not None:
        probabilities = _shown(probabilities, num_heads, batch, average_attn_weights)
    if batched:
        return out, probabilities
    return out.squeeze(1), None if probabilities is None else probabilities.squeeze(0)


def _shown(probabilities: Tensor, heads: int, batch: int, average: bool) -> Tensor:
    """The attention weights as they are returned, from (N * heads, L, S)."""
    each = probabilities.view(batch, heads, probabilities.size(1), probabilities.size(2))
    return each.mean(1) if average else each


def each_once(change: Callable[[Tensor], Tensor], query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, ...]:
    """`change` of each, so that arguments that are one tensor stay one: one projection then serves them."""
    changed = change(query)
    changed_key = changed if key is query else change(key)
    return changed, changed_key, changed_key if value is key else change(value)


def _check_ranks(
    query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, mask: Tensor | None, heads: int
) -> bool:
    """Whether the arguments are batched. AssertionError if they do not go together."""
    rank = query.dim()
    if rank not in (2, 3):
        raise AssertionError(f"query should be unbatched 2D or batched 3D tensor but received {rank}-D query tensor")
    which = "batched (3-D)" if rank == 3 else "unbatched (2-D)"
    if key.dim() != rank or value.dim() != rank:
        raise AssertionError(
            f"For {which} `query`, expected `key` and `value` to be {rank}-D but found {key.dim()}-D and {value.dim()}-D "
            "tensors respectively"
        )
    if padding is not None and padding.dim() != rank - 1:
        raise AssertionError(
            f"For {which} `query`, expected `key_padding_mask` to be `None` or {rank - 1}-D but found {padding.dim()}-D "
            "tensor instead"
        )
    if mask is not None and mask.dim() not in (2, 3):
        raise AssertionError(
            f"For {which} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {mask.dim()}-D tensor instead"
        )
    if rank == 2 and mask is not None and mask.dim() == 3:
        expected = (heads, query.size(0), key.size(0))
        if mask.shape != expected:
            raise AssertionError(f"Expected `attn_mask` shape to be {expected} but got {mask.shape}")
    return rank == 3


def canonical_mask(
    mask: Tensor | None,
    mask_name: str,
    other_type: Any,
    other_name: str,
    target_type: Any,
    check_other: bool = True,
) -> Tensor | None:
    """A boolean mask as one to be added: -inf where it is True. Warns if the other mask is of another dtype."""
    if mask is None:
        return None
    floating = mask.is_floating_point()
    if mask.dtype != torch.bool and not floating:
        raise AssertionError(f"only bool and floating types of {mask_name} are supported")
    if check_other and other_type is not None and mask.dtype != other_type:
        warn_of_call(
            f"Support for mismatched {mask_name} and {other_name} is deprecated. Use same type for both instead.",
        )
    return mask if floating else torch.zeros_like(mask, dtype=target_type).masked_fill_(mask, -math.inf)


def none_or_dtype(input: Tensor | None) -> Any:
    return None if input is None else input.dtype


def _check_sizes(query: Tensor, key: Tensor, value: Tensor, expected: int, heads: int, separate: bool) -> None:
    size = query.size(-1)
    if size != expected:
        raise AssertionError(f"was expecting embedding dimension of {expected}, but got {size}")
    if size % heads:
        raise AssertionError(f"embed_dim {size} not divisible by num_heads {heads}")
    if separate:
        if key.shape[:2] != value.shape[:2]:
            raise AssertionError(
                f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}"
            )
    elif key.shape != value.shape:
        raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")


Projected = tuple[Tensor, Tensor | None, Tensor | None]


def _project(
    query: Tensor, key: Tensor, value: Tensor, weights: tuple[Tensor | None, ...], bias: Tensor | None
) -> tuple[Tensor, Tensor | None, Tensor | None, bool]:
    """The projections, packed where arguments are one tensor, and whether their first dimension is the batch.

    Arguments that lie in memory with the batch first are projected that way: that needs no copy of them.
    """
    batch_first = all(
        not x._data.flags.c_contiguous and x._data.swapaxes(0, 1).flags.c_contiguous for x in (query, key, value)
    ) and all(x is not None and x.dtype == query.dtype for x in weights)
    if batch_first:
        query, key, value = each_once(lambda x: x.transpose(0, 1), query, key, value)
    if len(weights) == 1:
        return *_project_packed(query, key, value, weights[0], bias), batch_first
    return *_project_separately(query, key, value, weights, bias), batch_first


def _project_packed(query: Tensor, key: Tensor, value: Tensor, weight: Tensor | None, bias: Tensor | None) -> Projected:
    if weight is None:
        raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
    if query is key is value:
        return linear(query, weight, bias), None, None
    size = query.size(-1)
    sizes = (size, 2 * size) if key is value else (size, size, size)
    parts = weight.split(sizes)
    biases = (None,) * len(parts) if bias is None else bias.split(sizes)
    projected = [linear(x, w, b) for x, w, b in zip((query, key, value), parts, biases, strict=False)]
    return projected[0], projected[1], None if key is value else projected[2]


def _project_separately(
    query: Tensor, key: Tensor, value: Tensor, weights: tuple[Tensor | None, ...], bias: Tensor | None
) -> Projected:
    size = query.size(-1)
    for name, weight in zip(("q", "k", "v"), weights, strict=True):
        if weight is None:
            raise AssertionError(f"use_separate_proj_weight is True but {name}_proj_weight is None")
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    inputs, names = (query, key, value), ("query", "key", "value")
    for name, x, weight in zip(names, inputs, weights, strict=True):
        if weight is not None and weight.shape != (size, x.size(-1)):
            raise AssertionError(f"expecting {name} weights shape of {(size, x.size(-1))}, but got {weight.shape}")
    for name, each in zip(names, biases, strict=True):
        if each is not None and each.shape != (size,):
            raise AssertionError(f"expecting {name} bias shape of {(size,)}, but got {each.shape}")
    q, k, v = (linear(*each) for each in zip(inputs, weights, biases, strict=True))
    return q, k, v


def _check_attention_mask(mask: Tensor | None, heads: int, length: int, batch: int, source: int) -> None:
    if mask is not None:
        expected = (length, source) if mask.dim() == 2 else (batch * heads, length, source)
        if mask.shape != expected:
            raise RuntimeError(f"The shape of the {mask.dim()}D attn_mask is {mask.shape}, but should be {expected}.")


def _apart(q: Tensor, k: Tensor | None, v: Tensor | None, batch_first: bool) -> list[Tensor]:
    """The three projections, each on its own, with the sequence first."""
    if k is None:
        parts = list(q.chunk(3, -1))
    elif v is None:
        parts = [q, *k.chunk(2, -1)]
    else:
        parts = [q, k, v]
    return [x.transpose(0, 1) for x in parts] if batch_first else parts


def _extended(x: Tensor, name: str, bias: Tensor | None, static: Tensor | None, zero: bool, heads: int) -> Tensor:
    """Keys or values (S, N, E) with the learned one and the zero one behind them; or the given ones instead."""
    full = {"k": "key", "v": "value"}[name]
    _, batch, size = x.shape
    if bias is not None:
        if static is not None:
            raise AssertionError(f"bias cannot be added to static {full}.")
        x = torch.cat([x, bias.expand(1, batch, size)])
    if static is not None:
        for dim, wanted in ((0, batch * heads), (2, size // heads)):
            if static.size(dim) != wanted:
                raise AssertionError(f"expecting static_{name}.size({dim}) of {wanted}, but got {static.size(dim)}")
        x = static.transpose(0, 1).reshape(static.size(1), batch, size)
    return torch.cat([x, torch.zeros((1, batch, size), dtype=x.dtype)]) if zero else x


def _padded(mask: Tensor | None, extra: int) -> Tensor | None:
    """The mask with room for `extra` more keys, which are looked at."""
    if mask is None or not extra:
        return mask
    return pad(mask, (0, extra))


def _merged_mask(mask: Tensor | None, padding: Tensor | None, heads: int, batch: int, source: int) -> Tensor | None:
    """Both masks as one for scores (N, heads, L, S)."""
    if mask is not None and mask.dim() == 3:
        mask = mask.view(batch, heads, -1, source)
    if padding is None:
        return mask
    for dim, wanted in enumerate((batch, source)):
        if padding.size(dim) != wanted:
            raise AssertionError(f"Expected key_padded_mask.shape[{dim}] to be {wanted}, but got {padding.size(dim)}")
    padding = padding.view(batch, 1, 1, source)
    return padding if mask is None else mask + padding


def native_multi_head_attention(
    query: Tensor,
    num_heads: int,
    projection: tuple[Tensor, Tensor],
    out_projection: tuple[Tensor, Tensor | None],
    mask: Tensor | None,
    mask_type: int | None,
    need_weights: bool = True,
    average_attn_weights: bool = True,
) -> tuple[Tensor, Tensor | None]:
    """Self-attention of (N, L, E) as torch's inference kernel has it: any mask counts as boolean, and a query that may
    look at no key gets NaN.

    mask: nonzero where a key is not to be looked at, (N, L) of type 1 or (N, num_heads, L, L) of type 2.
    """
    batch, length, size = query.shape
    if projection[0].size(1) != size:
        raise RuntimeError(f"passed-in embed_dim {projection[0].size(1)} didn't match last dim of query {size}")
    if query.dtype != projection[0].dtype:
        kinds = c_name(query._data), c_name(projection[0]._data)
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {kinds[0]} != {kinds[1]}")
    if mask is not None:
        mask = _native_mask(mask, mask_type, (batch, num_heads, length))
    packed = linear(query, *projection)
    if mask is None and not need_weights:
        out, probabilities = _HEADS.apply(packed, None, None, None, None, num_heads, False, True), None
    else:
        out, probabilities = _HEADS_AND_WEIGHTS.apply(packed, None, None, mask, None, num_heads, False, True)
    out = linear(out, *out_projection).view(length, batch, size).transpose(0, 1).contiguous()
    if not need_weights or probabilities is None:
        return out, None
    return out, _shown(probabilities, num_heads, batch, average_attn_weights)


def _native_mask(mask: Tensor, mask_type: int | None, shape: tuple[int, int, int]) -> Tensor:
    """True where a key may be looked at, for scores (N, heads, L, L)."""
    batch, heads, length = shape
    if mask_type == 1:
        if mask.shape != (batch, length):
            raise RuntimeError("For mask_type == 1 mask shape should be (B, L)")
        mask = mask.view(batch, 1, 1, length)
    elif mask.shape != (batch, heads, length, length):
        raise RuntimeError("For mask_type == 2 mask shape should match input shape")
    return mask == 0
