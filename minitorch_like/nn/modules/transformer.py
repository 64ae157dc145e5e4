"""Transformers (Vaswani et al. 2017): encoder, decoder, their layers, and both together."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like._capture import run
from minitorch_like.nn import functional as F
from minitorch_like.nn import init
from minitorch_like.nn.functional.multi_head_attention import canonical_mask, native_multi_head_attention, none_or_dtype

from .activation import GELU, ReLU
from .attention import MultiheadAttention
from .container import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

__all__ = [
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
]

Activation = str | Callable[[Tensor], Tensor]


class _Layer(Module):
    """What both layers have: self-attention, a feedforward network of two linear maps, and how a block is added.

    Args:
        d_model: the features of the sequences.
        nhead: the heads of the attentions.
        dim_feedforward: the features between the linear maps.
        dropout: how much of the attention weights, and of the output of every block, is dropped in training.
        activation: "relu", "gelu" or a function, between the linear maps.
        layer_norm_eps: what `LayerNorm` adds to the variance.
        batch_first: (N, L, d_model) instead of (L, N, d_model).
        norm_first: whether a block is given normalised input (Xiong et al. 2020), or else its sum is normalised.
        bias: whether linear maps and normalisations have one.

    Raises: RuntimeError for another name of an activation.
    """

    __constants__ = ["norm_first"]  # noqa: RUF012
    _attentions: tuple[str, ...] = ()

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        made: Any = {"bias": bias, "device": device, "dtype": dtype}
        for name in self._attentions:
            setattr(self, name, MultiheadAttention(d_model, nhead, dropout, batch_first=batch_first, **made))
        self.linear1 = Linear(d_model, dim_feedforward, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **made)
        self.norm_first = norm_first
        blocks = len(self._attentions) + 1
        for number in range(1, blocks + 1):
            setattr(self, f"norm{number}", LayerNorm(d_model, eps=layer_norm_eps, **made))
        for number in range(1, blocks + 1):
            setattr(self, f"dropout{number}", Dropout(dropout))
        self._set_activation(_get_activation_fn(activation) if isinstance(activation, str) else activation)

    def _set_activation(self, activation: Callable[[Tensor], Tensor]) -> None:
        self.activation = activation

    def _add(self, x: Tensor, norm: Module, block: Callable[..., Tensor], *args: Any) -> Tensor:
        """`x` and what `block` makes of it, normalised before or after."""
        return x + block(norm(x), *args) if self.norm_first else norm(x + block(x, *args))

    def _sa_block(
        self, x: Tensor, attn_mask: Tensor | None, key_padding_mask: Tensor | None, is_causal: bool = False
    ) -> Tensor:
        """Self-attention."""
        attended = self.self_attn(
            x, x, x, attn_mask=attn_mask, key_padding_mask=key_padding_mask, need_weights=False, is_causal=is_causal
        )
        return self.dropout1(attended[0])

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """Self-attention, then a feedforward network, each added to its input: (L, N, d_model) -> (L, N, d_model)."""

    _attentions = ("self_attn",)

    def _set_activation(self, activation: Callable[[Tensor], Tensor]) -> None:
        relu = activation is F.relu or isinstance(activation, ReLU)
        gelu = activation is F.gelu or isinstance(activation, GELU)
        self.activation_relu_or_gelu = 1 if relu else 2 if gelu else 0
        self.activation = activation

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if not hasattr(self, "activation"):
            self.activation = F.relu

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Encode `src` once; the masks are those of `MultiheadAttention`."""
        src_key_padding_mask = canonical_mask(
            src_key_padding_mask, "src_key_padding_mask", none_or_dtype(src_mask), "src_mask", src.dtype
        )
        src_mask = canonical_mask(src_mask, "src_mask", None, "", src.dtype, check_other=False)
        attend = self._sa_block
        if not self.training and self._takes_fast_path(src):
            attend = self._native_sa_block
        x = self._add(src, self.norm1, attend, src_mask, src_key_padding_mask, is_causal)
        return self._add(x, self.norm2, self._ff_block)

    def _ff_block(self, x: Tensor) -> Tensor:
        """The feedforward network."""
        return self.dropout2(self._feed_forward(x))

    def _native_sa_block(
        self, x: Tensor, attn_mask: Tensor | None, key_padding_mask: Tensor | None, is_causal: bool = False
    ) -> Tensor:
        """Self-attention as torch's inference kernel has it, in which any mask counts as boolean."""
        own = self.self_attn
        mask, mask_type = own.merge_masks(attn_mask, key_padding_mask, x)
        projection, out_projection = (own.in_proj_weight, own.in_proj_bias), (own.out_proj.weight, own.out_proj.bias)
        attended = native_multi_head_attention(
            x, own.num_heads, projection, out_projection, mask, mask_type, need_weights=False
        )
        return attended[0]

    def _takes_fast_path(self, src: Tensor) -> bool:
        """Whether torch would run its inference kernel: it shows in what masks do."""
        own = self.self_attn
        if src.dim() != 3 or not own.batch_first or own.in_proj_bias is None or not own._qkv_same_embed_dim:
            return False
        if not self.activation_relu_or_gelu or self.norm1.eps != self.norm2.eps or own.num_heads % 2:
            return False
        if any(module._forward_hooks or module._forward_pre_hooks for module in self.modules()):
            return False
        return not _needs_gradient(src, self)


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to the encoder's output, then a feedforward network, each added to its input:
    (T, N, d_model), (S, N, d_model) -> (T, N, d_model).
    """

    _attentions = ("self_attn", "multihead_attn")

    def __setstate__(self, state: dict[str, Any]) -> None:
        state.setdefault("activation", F.relu)
        super().__setstate__(state)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Decode `tgt` once, looking at `memory`; the masks are those of `MultiheadAttention`."""
        x = self._add(tgt, self.norm1, self._sa_block, tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        x = self._add(x, self.norm2, self._mha_block, memory, memory_mask, memory_key_padding_mask, memory_is_causal)
        return self._add(x, self.norm3, self._ff_block)

    def _mha_block(
        self,
        x: Tensor,
        mem: Tensor,
        attn_mask: Tensor | None,
        key_padding_mask: Tensor | None,
        is_causal: bool = False,
    ) -> Tensor:
        """Attention to the encoder's output."""
        attended = self.multihead_attn(
            x, mem, mem, attn_mask=attn_mask, key_padding_mask=key_padding_mask, need_weights=False, is_causal=is_causal
        )
        return self.dropout2(attended[0])

    def _ff_block(self, x: Tensor) -> Tensor:
        """The feedforward network."""
        return self.dropout3(self._feed_forward(x))


class TransformerEncoder(Module):
    """`num_layers` copies of an encoder layer in turn, then perhaps a normalisation.

    Args:
        enable_nested_tensor: in inference, whether what is behind a padding mask comes out as zeros. Nested tensors
            themselves do not exist here; the option decides alone what they let see.
        mask_check: whether the padding has to be on the right of every sequence for that.
    """

    __constants__ = ["norm"]  # noqa: RUF012

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _get_clones(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.use_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check
        obstacle = _obstacle_to_nesting(encoder_layer)
        if enable_nested_tensor and obstacle:
            warnings.warn(
                f"enable_nested_tensor is True, but self.use_nested_tensor is False because {obstacle}", stacklevel=2
            )
            self.use_nested_tensor = False

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Encode `src`; whether `mask` is causal is seen by itself unless `is_causal` says so."""
        src_key_padding_mask = canonical_mask(
            src_key_padding_mask, "src_key_padding_mask", none_or_dtype(mask), "mask", src.dtype
        )
        mask = canonical_mask(mask, "mask", None, "", src.dtype, check_other=False)
        first: Any = self.layers[0]
        nested = None
        if mask is None and src_key_padding_mask is not None and self._takes_nested_path(src, src_key_padding_mask):
            nested = _on_the_right(src_key_padding_mask)
            src_key_padding_mask = canonical_mask(nested, "", None, "", src.dtype)
        is_causal = _detect_is_causal_mask(mask, is_causal, _get_seq_len(src, first.self_attn.batch_first))
        output = src
        for layer in self.layers:
            output = layer(
                output,
                src_mask=mask,
                is_causal=is_causal and nested is None,
                src_key_padding_mask=src_key_padding_mask,
            )
        if nested is not None:
            output = output.masked_fill(nested.unsqueeze(-1), 0.0)
        return output if self.norm is None else self.norm(output)

    def _takes_nested_path(self, src: Tensor, padding: Tensor) -> bool:
        """Whether torch would take the padding out of the sequences, and put zeros in its place at the end."""
        first: Any = self.layers[0]
        if not getattr(self, "use_nested_tensor", False) or first.training or src.dim() != 3:
            return False
        if getattr(self, "mask_check", True) and not run(_is_left_aligned, padding._data):
            return False
        if _needs_gradient(src, first):
            return False
        if run(_is_all_padding, padding._data):
            raise RuntimeError("to_padded_tensor: at least one constituent tensor should have non-zero numel")
        return True


class TransformerDecoder(Module):
    """`num_layers` copies of a decoder layer in turn, then perhaps a normalisation."""

    __constants__ = ["norm"]  # noqa: RUF012

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _get_clones(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Decode `tgt`; whether `tgt_mask` is causal is seen by itself unless `tgt_is_causal` says so."""
        first: Any = self.layers[0]
        length = _get_seq_len(tgt, first.self_attn.batch_first)
        tgt_is_causal = _detect_is_causal_mask(tgt_mask, tgt_is_causal, length)
        output = tgt
        for layer in self.layers:
            output = layer(
                output,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=tgt_is_causal,
                memory_is_causal=memory_is_causal,
            )
        return output if self.norm is None else self.norm(output)


class Transformer(Module):
    """Encoder and decoder: (S, N, d_model), (T, N, d_model) -> (T, N, d_model).

    The arguments are those of the layers and the numbers of these; `custom_encoder` and `custom_decoder` take the
    place of the ones made of them.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        options: Any = (
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device,
            dtype,
        )  # fmt: skip
        norm: Any = {"eps": layer_norm_eps, "bias": bias, "device": device, "dtype": dtype}
        if custom_encoder is None:
            encoder_layer = TransformerEncoderLayer(*options)
            self.encoder = TransformerEncoder(encoder_layer, num_encoder_layers, LayerNorm(d_model, **norm))
        else:
            self.encoder = custom_encoder
        if custom_decoder is None:
            decoder_layer = TransformerDecoderLayer(*options)
            self.decoder = TransformerDecoder(decoder_layer, num_decoder_layers, LayerNorm(d_model, **norm))
        else:
            self.decoder = custom_decoder
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Decode `tgt` in the light of the encoded `src`. Raises: RuntimeError for sizes that do not fit."""
        batch = 0 if self.batch_first else 1
        if src.dim() == 3 and src.size(batch) != tgt.size(batch):
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.size(-1) != self.d_model or tgt.size(-1) != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """(sz, sz): -inf for keys behind the query, 0 elsewhere."""
        return _generate_square_subsequent_mask(sz, device, dtype)

    def _reset_parameters(self) -> None:
        for parameter in self.parameters():
            if parameter.dim() > 1:
                init.xavier_uniform_(parameter)


def _generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
    mask: Tensor = torch.triu(torch.full((sz, sz), float("-inf"), dtype=dtype, device=device), diagonal=1)
    return mask


def _get_clones(module: Module, count: int) -> ModuleList:
    return ModuleList([copy.deepcopy(module) for _ in range(count)])


def _get_activation_fn(activation: str) -> Callable[[Tensor], Tensor]:
    if activation == "relu":
        return F.relu
    if activation == "gelu":
        return F.gelu
    raise RuntimeError(f"activation should be relu/gelu, not {activation}")


def _get_seq_len(src: Tensor, batch_first: bool) -> int:
    return src.size(0 if src.dim() == 2 else int(batch_first))


def _detect_is_causal_mask(mask: Tensor | None, is_causal: bool | None = None, size: int | None = None) -> bool:
    """Whether a mask is causal, unless that is known; then `is_causal`."""
    if is_causal is not None or mask is None:
        return is_causal is True
    size = mask.size(-2) if size is None else size
    return mask.shape == (size, size) and bool(run(_is_causal, mask._data))


# What a captured step asks of values: a replay that finds another answer steps out.


def _is_causal(mask: Any) -> bool:
    expected = np.triu(np.full(mask.shape, -np.inf, mask.dtype), 1)
    return bool(np.logical_and.reduce(mask == expected, axis=None))


def _is_left_aligned(padding: Any) -> bool:
    """Whether no key follows one that is padding."""
    padded = padding != 0
    return not bool(np.logical_or.reduce(padded[:, :-1] & ~padded[:, 1:], axis=None))


def _is_all_padding(padding: Any) -> bool:
    return bool(np.logical_and.reduce(padding != 0, axis=None))


def _on_the_right(padding: Tensor) -> Tensor:
    """As much padding in each sequence, but behind everything else: a nested tensor knows lengths alone."""
    lengths = (padding == 0).sum(1, keepdim=True)
    behind: Tensor = torch.arange(padding.size(1)) >= lengths
    return behind


def _needs_gradient(src: Tensor, layer: Any) -> bool:
    """Whether autograd will want to see the inside of an encoder layer."""
    own = layer.self_attn
    parts = (own, own.out_proj, layer.norm1, layer.norm2, layer.linear1, layer.linear2)
    involved = [src, *(each for part in parts for each in part._parameters.values() if each is not None)]
    return torch.is_grad_enabled() and any(each.requires_grad for each in involved)


def _obstacle_to_nesting(layer: Any) -> str:
    """Why torch would not run this layer on nested tensors; empty if it would."""
    if not isinstance(layer, TransformerEncoderLayer):
        return "encoder_layer was not TransformerEncoderLayer"
    own = layer.self_attn
    checks = [
        (layer.norm_first, ".norm_first was True"),
        (
            not own.batch_first,
            ".self_attn.batch_first was not True(use batch_first for better inference performance)",
        ),
        (not own._qkv_same_embed_dim, ".self_attn._qkv_same_embed_dim was not True"),
        (own.in_proj_bias is None, ".self_attn was passed bias=False"),
        (not layer.activation_relu_or_gelu, ".activation_relu_or_gelu was not True"),
        (layer.norm1.eps != layer.norm2.eps, ".norm1.eps was not equal to encoder_layer.norm2.eps"),
        (own.num_heads % 2, ".self_attn.num_heads is odd"),
    ]
    return next((f"encoder_layer{reason}" for applies, reason in checks if applies), "")
