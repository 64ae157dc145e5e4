"""Embeddings: rows of a table by number, and what bags of such rows come to."""

from __future__ import annotations

from typing import Any

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like._bind import FUNCTIONS
from minitorch_like._capture import run
from minitorch_like._once import warn_of_call
from minitorch_like._writing import check_writable
from minitorch_like.ops import TABLE
from minitorch_like.ops._signature import Reader
from minitorch_like.ops.embedding import MAX, MEAN, SUM, renormalise

_EMBEDDING, _EMBEDDING_BAG = TABLE["embedding"], TABLE["embedding_bag"]
_MODES = {"sum": SUM, "mean": MEAN, "max": MAX}
_RENORM = Reader("embedding_renorm_", ("(Tensor input, Tensor indices, float max_norm, float norm_type)",))
_BAG_TEXT = (
    "(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq, int mode, bool sparse, "
    "Tensor? per_sample_weights, bool include_last_offset, int? padding_idx)"
)
_BAG = Reader("embedding_bag", (_BAG_TEXT,))


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of `weight`, (v, d), with the numbers in `input`, int64 or int32 (*): (*, d).

    Row `padding_idx` gets no gradient.  `max_norm` first scales rows down, in place, to that `norm_type`-norm;
    `scale_grad_by_freq` divides a row's gradient by how often it occurs.
    """
    if padding_idx is None:
        padding_idx = -1
    elif padding_idx >= max(weight.size(0), 1) or padding_idx < -weight.size(0):
        raise AssertionError("Padding_idx must be within num_embeddings")
    elif padding_idx < 0:
        padding_idx += weight.size(0)
    if max_norm is not None:
        _renorm_detached(weight, input, max_norm, norm_type)
    if scale_grad_by_freq is False and sparse is False and type(padding_idx) is int and _are_tensors(weight, input):
        return _EMBEDDING.apply(weight, input, padding_idx)
    return FUNCTIONS["embedding"](weight, input, padding_idx, scale_grad_by_freq, sparse)


def _are_tensors(weight: Any, indices: Any) -> bool:
    return hasattr(weight, "_node") and hasattr(indices, "_node")


def _renorm_detached(weight: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> None:
    with torch.no_grad():
        embedding_renorm_(weight.detach(), indices, max_norm, norm_type)


def embedding_renorm_(*args: Any, **kwargs: Any) -> Tensor:
    """Scale the rows of a table that `indices` names down to a `norm_type`-norm of `max_norm`, in place."""
    _, values = _RENORM.read(args, kwargs)
    table: Tensor = values["input"]
    check_writable(table, False)
    run(renormalise, table._data, values["indices"]._data, float(values["max_norm"]), float(values["norm_type"]))
    table._bump()
    return table


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The "sum", "mean" or "max" of bags of rows of `weight`, (v, d): (bags, d).

    A bag is a row of `input`, or of a vector `input` what lies between two `offsets` (the last of which, with
    `include_last_offset`, only ends a bag).  Indices equal to `padding_idx` do not count; `per_sample_weights`, of the
    shape of `input`, multiply the rows of a "sum".  The other options are those of `embedding`.
    """
    if weight.dtype is torch.int64 and input.is_floating_point():
        warn_of_call(
            "Argument order of nn.functional.embedding_bag was changed. Usage `embedding_bag(weight, input, ...)` is "
            "deprecated, and should now be `embedding_bag(input, weight, ...)`.",
        )
        weight, input = input, weight
    if per_sample_weights is not None and input.size() != per_sample_weights.size():
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the same "
            f"shape as the input ({input.shape})"
        )
    if weight.dim() != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}")
    _check_bag_shapes(input, offsets)
    _check_bag_mode(mode, scale_grad_by_freq, sparse)
    if max_norm is not None:
        _renorm_detached(weight, input, max_norm, norm_type)
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}'). Please open a feature request on GitHub."
        )
    # to be read, offsets have to be given even where none are used
    starts = input if offsets is None else offsets
    given = (weight, input, starts, scale_grad_by_freq, _MODES[mode], sparse, per_sample_weights)
    _, values = _BAG.read((*given, include_last_offset, padding_idx), {})
    return _bags(values, offsets)


def _check_bag_shapes(input: Tensor, offsets: Tensor | None) -> None:
    if input.dim() not in (1, 2):
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}")
    if input.dim() == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type <class '{torch.__name__}.{type(offsets).__name__}'>"
            )
        if input.size(1) == 0:
            raise RuntimeError("step must be nonzero")
    elif offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    elif offsets.dim() != 1:
        raise ValueError("offsets has to be a 1D Tensor")


def _check_bag_mode(mode: str, scale_grad_by_freq: bool, sparse: bool) -> None:
    if mode not in _MODES:
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")


def _bags(values: dict[str, Any], offsets: Tensor | None) -> Tensor:
    """The result for arguments as torch.embedding_bag takes them; no offsets for a matrix of indices."""
    weight, include_last_offset = values["weight"], values["include_last_offset"]
    if values["sparse"]:
        raise NotImplementedError("embedding_bag: sparse=True is not supported, gradients are dense")
    count = weight.size(0)
    padding_idx = values["padding_idx"]
    if padding_idx is None:
        padding_idx = -1
    elif not -count <= padding_idx < count:
        raise RuntimeError(
            f"padding_idx must be within the number of embeddings, -{count} through {count - 1}, but got {padding_idx}"
        )
    elif padding_idx < 0:
        padding_idx += count
    if include_last_offset and offsets is not None and offsets.numel() == 0:
        raise RuntimeError("include_last_offset: number of offset should be at least 1")
    return _EMBEDDING_BAG.apply(
        weight,
        values["per_sample_weights"],
        values["indices"].contiguous(),  # of which torch saves a copy where they are not
        None if offsets is None else offsets.contiguous(),
        values["mode"],
        values["scale_grad_by_freq"],
        padding_idx,
        include_last_offset and offsets is not None,
    )


vars(torch).update(embedding=FUNCTIONS["embedding"], embedding_renorm_=embedding_renorm_)
