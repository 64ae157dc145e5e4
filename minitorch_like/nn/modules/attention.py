"""Multi-head attention (Vaswani et al. 2017)."""

from __future__ import annotations

from typing import Any

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like.nn import functional as F
from minitorch_like.nn import init
from minitorch_like.nn.functional.multi_head_attention import (
    canonical_mask,
    each_once,
    native_multi_head_attention,
    none_or_dtype,
)
from minitorch_like.nn.parameter import Parameter

from . import activation
from .linear import Linear
from .module import Module

__all__ = ["MultiheadAttention", "NonDynamicallyQuantizableLinear"]

_WEIGHTS = ("in_proj_weight", "in_proj_bias", "q_proj_weight", "k_proj_weight", "v_proj_weight")


class NonDynamicallyQuantizableLinear(Linear):
    """A `Linear` under the name that torch gives the output projection."""


class MultiheadAttention(Module):
    """Attention of `num_heads` heads side by side: (L, N, E), (S, N, kdim), (S, N, vdim) -> (L, N, E).

    The queries, keys and values are projected to E features, of which each head attends to E / num_heads; then the
    heads together are projected. With `batch_first` N comes first everywhere; N may also be missing.

    Args:
        embed_dim: E.
        dropout: how much of the attention weights is dropped in training.
        bias: whether both projections have one.
        add_bias_kv: whether a key and a value are learned, and stand behind the others.
        add_zero_attn: whether a key and a value of zeros come last.
        kdim, vdim: the features of keys and values, E by default.

    Raises:
        ValueError: a size is not positive. AssertionError: the heads do not divide E.
    """

    __constants__ = ["batch_first"]  # noqa: RUF012
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                "embed_dim and num_heads must be greater than 0, got "
                f"embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim == self.vdim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")

        def parameter(*shape: int) -> Parameter:
            return Parameter(torch.empty(shape, device=device, dtype=dtype))

        separate = {"q_proj_weight": embed_dim, "k_proj_weight": self.kdim, "v_proj_weight": self.vdim}
        if self._qkv_same_embed_dim:
            self.in_proj_weight = parameter(3 * embed_dim, embed_dim)
            for name in separate:
                self.register_parameter(name, None)
        else:
            for name, size in separate.items():
                setattr(self, name, parameter(embed_dim, size))
            self.register_parameter("in_proj_weight", None)
        if bias:
            self.in_proj_bias = parameter(3 * embed_dim)
        else:
            self.register_parameter("in_proj_bias", None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, device=device, dtype=dtype)
        if add_bias_kv:
            self.bias_k = parameter(1, 1, embed_dim)
            self.bias_v = parameter(1, 1, embed_dim)
        else:
            self.bias_k = self.bias_v = None
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        if self._qkv_same_embed_dim:
            init.xavier_uniform_(self.in_proj_weight)
        else:
            init.xavier_uniform_(self.q_proj_weight)
            init.xavier_uniform_(self.k_proj_weight)
            init.xavier_uniform_(self.v_proj_weight)
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            assert self.out_proj.bias is not None
            init.constant_(self.out_proj.bias, 0.0)
        if self.bias_k is not None:
            init.xavier_normal_(self.bias_k)
        if self.bias_v is not None:
            init.xavier_normal_(self.bias_v)

    def __setstate__(self, state: dict[str, Any]) -> None:
        state.setdefault("_qkv_same_embed_dim", True)  # checkpoints of torch 1.1 have none
        super().__setstate__(state)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The attended values, and unless `need_weights` is False the weights by which they were (N, L, S).

        Args:
            key_padding_mask: (N, S), or (S) without N. Boolean: True for keys to be ignored. Else added to the scores.
            attn_mask: (L, S) or (N * num_heads, L, S), likewise.
            average_attn_weights: False for the weights of each head (N, num_heads, L, S).
            is_causal: a hint that `attn_mask` is causal.
        """
        floating = any(mask is not None and mask.is_floating_point() for mask in (attn_mask, key_padding_mask))
        batched = query.dim() == 3
        key_padding_mask = canonical_mask(
            key_padding_mask, "key_padding_mask", none_or_dtype(attn_mask), "attn_mask", query.dtype
        )
        attn_mask = canonical_mask(attn_mask, "attn_mask", None, "", query.dtype, check_other=False)
        if query is key is value and batched and not floating and self._takes_fast_path(query):
            return native_multi_head_attention(
                query,
                self.num_heads,
                (self.in_proj_weight, self.in_proj_bias),
                (self.out_proj.weight, self.out_proj.bias),
                *self.merge_masks(attn_mask, key_padding_mask, query),
                need_weights,
                average_attn_weights,
            )
        swapped = self.batch_first and batched
        if swapped:
            query, key, value = each_once(lambda x: x.transpose(1, 0), query, key, value)
        own, out = self._parameters, self.out_proj
        # Past __getattr__ where a weight is registered, as it is unless it has been reparametrised.
        w, b, q, k, v = (own[name] if name in own else getattr(self, name) for name in _WEIGHTS)
        result, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            w,
            b,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            out.weight,
            out.bias,
            self.training,
            key_padding_mask,
            need_weights,
            attn_mask,
            not self._qkv_same_embed_dim,
            q,
            k,
            v,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return (result.transpose(1, 0) if swapped else result), weights

    def _takes_fast_path(self, query: Tensor) -> bool:
        """Whether torch would run its inference kernel on batched self-attention: it shows in what masks do."""
        if self.training or not self.batch_first or self.num_heads % 2 or not self._qkv_same_embed_dim:
            return False
        if self.bias_k is not None or self.bias_v is not None or self.add_zero_attn or self.in_proj_bias is None:
            return False
        if not query.dtype == self.in_proj_weight.dtype == self.in_proj_bias.dtype:
            return False
        involved = (query, self.in_proj_weight, self.in_proj_bias, self.out_proj.weight, self.out_proj.bias)
        return not (torch.is_grad_enabled() and any(each is not None and each.requires_grad for each in involved))

    def merge_masks(
        self, attn_mask: Tensor | None, key_padding_mask: Tensor | None, query: Tensor
    ) -> tuple[Tensor | None, int | None]:
        """Both masks as one and its type: 1 for padding alone (N, L), 2 for (N, num_heads, L, L)."""
        if attn_mask is None:
            return key_padding_mask, None if key_padding_mask is None else 1
        batch, length, _ = query.shape
        if attn_mask.dim() == 3:
            merged = attn_mask.view(batch, -1, length, length)
        else:
            merged = attn_mask.view(1, 1, length, length).expand(batch, self.num_heads, -1, -1)
        if key_padding_mask is not None:
            merged = merged + key_padding_mask.view(batch, 1, 1, length).expand(-1, self.num_heads, -1, -1)
        return merged, 2


vars(activation).update(MultiheadAttention=MultiheadAttention)  # where torch has it
