"""Faults in layers: space, normalisation, sequences, activations and losses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minitorch_like.ops import _pools, attention, convolution, normalization, padding, pooling
from minitorch_like.ops._correlation import Geometry
from parity_tests.mutants.fault import Attribute, Kernel, Rule, fault

Array = np.ndarray[Any, Any]
Right = Callable[..., Any]
Shape = tuple[int, ...]

# -- space


@fault("option", Rule("convolution", "weight"))
def weight_gradient_without_dilation(
    g: Any,
    input: Any,
    weight: Any,
    stride: Shape,
    padding: Shape,
    dilation: Shape,
    transposed: bool,
    output_padding: Shape,
    groups: int,
    needs: tuple[bool, ...],
) -> Any:
    """The gradient of a convolution's weight is that of a kernel without gaps, whatever `dilation` says."""
    options = stride, padding, dilation, transposed, output_padding, groups
    gradients = convolution._convolution_gradients(g, input, weight, *options, needs)
    if transposed or not needs[1]:
        return gradients
    points = tuple(g.shape[2:])
    stride, padding = (tuple(each) * (len(points) // len(each)) for each in (stride, padding))
    geometry = Geometry(tuple(input.shape), tuple(weight.shape), points, stride, padding, (1,) * len(points), groups)
    return gradients[0], convolution.correlate_weight(g, input, geometry), gradients[2]


@fault("dropped accumulation", Kernel("sum_channels"))
def channel_gradient_is_a_mean(right: Right, grad: Array) -> Any:
    """The gradient of a convolution's bias is a mean over samples and space instead of a sum."""
    return right(grad) / grad.dtype.type(max(grad.size // max(grad.shape[1], 1), 1))


@fault("gradient at a tie", Attribute(pooling, "_winners"))
def last_maximum_wins(right: Right, x: Array, out: Array, pool: Any) -> Iterator[Any]:
    """Of equal maxima in a window the last gets the gradient instead of the first."""
    places = pool.places()
    pool._places = places[::-1]
    try:
        yield from right(x, out, pool)
    finally:
        pool._places = places


@fault("option", Attribute(_pools, "avg_pool"))
def padding_always_counts(
    right: Right,
    rank: int,
    shape: Shape,
    kernel: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:
    """Average pooling counts padding, whatever `count_include_pad` says."""
    return right(rank, shape, kernel, stride, padding, ceil_mode, True, divisor_override)


@fault("off by one", Attribute(padding, "extension"))
def reflection_repeats_the_edge(right: Right, mode: str, shape: Shape, pad: Shape) -> Any:
    """Padding by reflection has the element at the edge twice."""
    correct = right(mode, shape, pad)
    if mode != "reflect":
        return correct
    ends = list(zip(pad[::2], pad[1::2], strict=True))[::-1]
    sources = [
        [-place - 1 if place < 0 else min(place, 2 * n - 1 - place) for place in range(-before, n + after)]
        for n, (before, after) in zip(correct.size, ends, strict=True)
    ]
    return padding.Extension(sources, correct.size, correct.node)


# -- normalisation


@fault("dropped term", Attribute(normalization, "through_statistics"))
def mean_is_held_constant(
    right: Right, scaled: Array, centred: Array, rstd: Array, total: Array, cross: Array, spare: Array | None = None
) -> Any:
    """The gradients of layer and group norm do not go through the mean."""
    return right(scaled, centred, rstd, total * 0, cross, spare)


@fault("wrong count", Attribute(normalization, "reciprocal_root"))
def batch_norm_by_the_unbiased_variance(right: Right, squares: Array, count: int, eps: float) -> Any:
    """Batch norm divides by the root of the unbiased variance."""
    return right(squares, max(count - 1, 1), eps)


@fault("momentum", Attribute(normalization, "_move_towards"))
def running_statistics_start_anew(right: Right, running: Array, value: Array, momentum: Any) -> None:
    """Running statistics keep of their old value the share that they should give up."""
    right(running, value, 1 - momentum)


@fault("wrong place", Kernel("group_norm"))
def groups_interleave(
    right: Right,
    input: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    num_groups: int = 1,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Any:
    """Groups are made of channels that lie apart instead of neighbours."""
    order = np.arange(input.shape[1]).reshape(-1, num_groups).T.reshape(-1)
    weight, bias = (None if each is None else each[order] for each in (weight, bias))
    result, *kept = right(input[:, order], weight, bias, num_groups, eps, cudnn_enabled)
    correct = np.empty_like(result)
    correct[:, order] = result
    return correct, *kept


# -- sequences


@fault("option", Kernel("embedding_gradient"))
def padding_learns(
    right: Right, grad: Array, indices: Array, num_weights: int, padding_idx: int, scale_grad_by_freq: bool
) -> Any:
    """The row of an embedding that stands for padding gets a gradient."""
    return right(grad, indices, num_weights, -1, scale_grad_by_freq)


@fault("wrong factor", Kernel("attention"), Kernel("fused_attention"))
def attention_is_not_scaled(right: Right, *args: Any) -> Any:
    """The scores of attention are not divided by the root of their length."""
    *others, _ = args
    return right(*others, 1.0)


@fault("off by one", Attribute(attention, "_causal_mask"))
def causal_mask_shows_the_next(right: Right, heads: int, keys: int, queries: int, dtype: Any) -> Any:
    """Under a causal mask every query sees the key after it too."""
    return right(heads, keys, queries + 1, dtype)[..., 1:]


# -- elementwise


@fault("option", Kernel("gelu"))
def gelu_by_tanh(right: Right, input: Array, approximate: str = "none") -> Any:
    """GELU is approximated by tanh, whatever `approximate` says."""
    return right(input, "tanh")


@fault("option", Kernel("binary_cross_entropy_with_logits"))
def positives_weigh_one(
    right: Right,
    input: Array,
    target: Array,
    weight: Array | None = None,
    pos_weight: Array | None = None,
    reduction: str = "mean",
) -> Any:
    """binary_cross_entropy_with_logits ignores `pos_weight`."""
    return right(input, target, weight, None, reduction)


@fault("option", Kernel("smooth_l1_loss"))
def smooth_l1_with_its_default(
    right: Right, input: Array, target: Array, reduction: str = "mean", beta: float = 1.0
) -> Any:
    """smooth_l1_loss ignores `beta`."""
    return right(input, target, reduction, 1.0)
