"""Contracts of the layers that compute over space, over groups of elements and over sequences.

The parameters of a layer are inputs of their own, most of them leaves that require grad.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from parity_tests.cases.catalogue import LAYERS, op
from parity_tests.cases.scope import MOST_ELEMENTS, Operand, Scope
from parity_tests.cases.types import Shape, Type
from parity_tests.check.snapshot import Array

# Some with channels that groups divide, none so small that a window leaves nothing.
IMAGES: tuple[Shape, ...] = ((1, 2, 4, 4), (2, 2, 3, 4), (1, 4, 5, 3), (2, 1, 5, 5), (1, 6, 4, 3), (2, 4, 4, 4))
LARGEST_OPERAND = 100.0


def _signal(scope: Scope, rank: int, whole: bool = False) -> Operand | None:
    """An operand with `rank` dimensions of space behind its channels, now and then without a batch.

    whole: a fresh one may hold small integers, so that there are ties.
    """

    def fresh() -> Operand:
        shape = scope.one_of(IMAGES)
        shape = shape[: 2 + rank] if not scope.chance(4) else shape[1 : 2 + rank]
        return scope.fresh(shape, "", np.round if whole and scope.chance(2) else None)

    def fits(type_: Type) -> bool:
        if not type_.floating or type_.rank not in (rank + 1, rank + 2) or not type_.size:
            return False
        return min(type_.shape[-rank:]) >= 2 and type_.magnitude <= LARGEST_OPERAND

    return scope.operand(fits, fresh)


def _parameter(scope: Scope, shape: Shape, like: Type, factor: float = 0.5, shift: float = 0.0) -> Operand:
    return scope.fresh(shape, like.dtype, lambda array: factor * array + shift, grad=not scope.chance(5))


def emit_layer(
    scope: Scope,
    name: str,
    args: list[Any],
    kwargs: dict[str, Any],
    shape: Shape,
    interval: tuple[float, float],
    *operands: Type,
    rounds: bool = True,
    writable: bool = True,
) -> bool:
    """Emit a call of `nn.functional`; the dtype of the result is that of the first operand."""
    if not scope.moderate(*interval) or math.prod(shape) > 2 * MOST_ELEMENTS:
        return False
    grad = any(type_.grad for type_ in operands)
    out = Type(shape, operands[0].dtype, *interval, grad=grad, contiguous=False, writable=writable)
    scope.emit(f"nn.functional.{name}", args, kwargs, out, rounds=rounds)
    return True


def _written(scope: Scope, values: Shape) -> Any:
    """An option with a value for each dimension as the user may write it."""
    return values[0] if len(set(values)) == 1 and not scope.chance(3) else values


def _options(scope: Scope, **values: tuple[Shape, int]) -> dict[str, Any]:
    """Those of the options, each with its default, that say something."""
    return {
        name: _written(scope, value) for name, (value, default) in values.items() if any(x != default for x in value)
    }


def _divisor(scope: Scope, count: int) -> int:
    return scope.one_of([each for each in range(1, count + 1) if count % each == 0])


# -- convolution -------------------------------------------------------------------------------------------------------


def _convolution(rank: int) -> None:
    name = f"conv{rank}d"

    @op(name, catalogue=LAYERS)
    def build(scope: Scope) -> bool:
        picked = _signal(scope, rank)
        if picked is None:
            return False
        type_ = picked[1]
        channels, size = type_.shape[-rank - 1], type_.shape[-rank:]
        groups = _divisor(scope, channels)
        kernel = tuple(scope.draw_int(1, min(3, n)) for n in size)
        padding = tuple(scope.draw_int(0, 2) for _ in size)
        stride = tuple(scope.draw_int(1, 2) for _ in size)
        room = [n + 2 * p for n, p in zip(size, padding, strict=True)]
        dilation = tuple(scope.draw_int(1, 2) if 2 * (k - 1) < n else 1 for k, n in zip(kernel, room, strict=True))
        options = _options(scope, stride=(stride, 1), padding=(padding, 0), dilation=(dilation, 1))
        if groups > 1:
            options["groups"] = groups
        windows = zip(room, kernel, stride, dilation, strict=True)
        points = tuple((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in windows)
        if stride == (1,) * rank and scope.chance(4):
            options["padding"], points = "same", size
        weight = _parameter(scope, (groups * scope.draw_int(1, 2), channels // groups, *kernel), type_)
        return _emit_convolution(scope, name, picked, weight, weight[1].shape[0], points, options)


def _emit_convolution(
    scope: Scope, name: str, picked: Operand, weight: Operand, channels: int, points: Shape, options: dict[str, Any]
) -> bool:
    (ref, type_), (weight_ref, weights) = picked, weight
    bound = type_.magnitude * weights.magnitude * weights.size
    args, operands = [ref, weight_ref], [type_, weights]
    if not scope.chance(3):
        bias, biases = _parameter(scope, (channels,), type_)
        args.append(bias)
        operands.append(biases)
        bound += biases.magnitude
    shape = (*type_.shape[: -len(points) - 1], channels, *points)
    return emit_layer(scope, name, args, options, shape, (-bound, bound), *operands)


_convolution(1)
_convolution(2)


@op("conv_transpose2d", catalogue=LAYERS)
def conv_transpose2d(scope: Scope) -> bool:
    picked = _signal(scope, 2)
    if picked is None:
        return False
    type_ = picked[1]
    channels, size = type_.shape[-3], type_.shape[-2:]
    groups = _divisor(scope, channels)
    kernel, stride, dilation = (tuple(scope.draw_int(1, most) for _ in size) for most in (3, 2, 2))
    padding = tuple(scope.draw_int(0, 1) for _ in size)
    extra = tuple(scope.draw_int(0, max(s, d) - 1) for s, d in zip(stride, dilation, strict=True))
    arguments = zip(size, kernel, stride, dilation, padding, extra, strict=True)
    points = tuple((n - 1) * s - 2 * p + d * (k - 1) + e + 1 for n, k, s, d, p, e in arguments)
    if min(points) < 1:
        return False
    options = _options(
        scope,
        stride=(stride, 1),
        padding=(padding, 0),
        output_padding=(extra, 0),
        dilation=(dilation, 1),
    )
    if groups > 1:
        options["groups"] = groups
    width = scope.draw_int(1, 2)
    weight = _parameter(scope, (channels, width, *kernel), type_)
    return _emit_convolution(scope, "conv_transpose2d", picked, weight, groups * width, points, options)


# -- pooling and padding -----------------------------------------------------------------------------------------------


def _pooled(n: int, k: int, s: int, p: int, d: int, ceil: bool) -> int:
    """How many windows there are; the last one, when rounding up, begins within the input or the padding before it."""
    room = n + 2 * p - d * (k - 1) - 1
    count = (-(-room // s) if ceil else room // s) + 1
    return count - 1 if ceil and (count - 1) * s >= n + p else count


def _windows(scope: Scope, size: Shape, dilated: bool) -> tuple[dict[str, Any], Shape, Shape]:
    """The options of a pooling function, its kernel, and how many windows they make."""
    kernel = tuple(scope.draw_int(1, min(3, n)) for n in size)
    padding = tuple(scope.draw_int(0, k // 2) for k in kernel)
    stride = kernel if scope.chance(3) else tuple(scope.draw_int(1, 3) for _ in size)
    dilation = tuple(
        scope.draw_int(1, 2) if dilated and 2 * (k - 1) < n + 2 * p else 1
        for n, k, p in zip(size, kernel, padding, strict=True)
    )
    ceil = scope.chance(3)
    options: dict[str, Any] = {"kernel_size": _written(scope, kernel)}
    if stride != kernel:
        options["stride"] = _written(scope, stride)
    options |= _options(scope, padding=(padding, 0), dilation=(dilation, 1))
    if ceil:
        options["ceil_mode"] = True
    arguments = zip(size, kernel, stride, padding, dilation, strict=True)
    return options, kernel, tuple(_pooled(*each, ceil) for each in arguments)


@op("max_pool2d", catalogue=LAYERS)
def max_pool2d(scope: Scope) -> bool:
    picked = _signal(scope, 2, whole=True)
    if picked is None:
        return False
    ref, type_ = picked
    options, _, points = _windows(scope, type_.shape[-2:], dilated=True)
    shape = (*type_.shape[:-2], *points)
    interval = (type_.low, type_.high)
    # Not to be changed in place: whether the gradient needs the maxima or their places is the framework's own affair.
    return emit_layer(scope, "max_pool2d", [ref], options, shape, interval, type_, rounds=False, writable=False)


@op("avg_pool2d", catalogue=LAYERS)
def avg_pool2d(scope: Scope) -> bool:
    picked = _signal(scope, 2)
    if picked is None:
        return False
    ref, type_ = picked
    options, kernel, points = _windows(scope, type_.shape[-2:], dilated=False)
    bound = type_.magnitude
    if scope.chance(2):
        options["count_include_pad"] = False
    if scope.chance(4):
        options["divisor_override"] = scope.draw_int(1, 5)
        bound *= math.prod(kernel)
    return emit_layer(scope, "avg_pool2d", [ref], options, (*type_.shape[:-2], *points), (-bound, bound), type_)


@op("adaptive_avg_pool2d", catalogue=LAYERS)
def adaptive_avg_pool2d(scope: Scope) -> bool:
    picked = _signal(scope, 2)
    if picked is None:
        return False
    ref, type_ = picked
    sizes = tuple(scope.draw_int(1, n + 1) for n in type_.shape[-2:])
    given: Any = _written(scope, sizes)
    if scope.chance(4):
        given, sizes = (None, sizes[1]), (type_.shape[-2], sizes[1])
    shape = (*type_.shape[:-2], *sizes)
    return emit_layer(scope, "adaptive_avg_pool2d", [ref, given], {}, shape, (type_.low, type_.high), type_)


@op("pad", catalogue=LAYERS)
def pad(scope: Scope) -> bool:
    rank = scope.draw_int(1, 2)
    picked = _signal(scope, rank)
    if picked is None:
        return False
    ref, type_ = picked
    mode = scope.one_of(("constant", "reflect", "replicate", "circular"))
    size = type_.shape[-rank:]
    ends = [(scope.draw_int(-1, min(n - 1, 2)), scope.draw_int(0, min(n - 1, 2))) for n in size]
    amounts = tuple(each for pair in reversed(ends) for each in pair)
    shape = (*type_.shape[:-rank], *(n + sum(pair) for n, pair in zip(size, ends, strict=True)))
    kwargs: dict[str, Any] = {} if mode == "constant" else {"mode": mode}
    low, high = type_.low, type_.high
    if mode == "constant":
        value = scope.one_of((0, 0.5, -2))
        low, high = min(low, value), max(high, value)
        if value:
            kwargs["value"] = value
    return emit_layer(scope, "pad", [ref, amounts], kwargs, shape, (low, high), type_, rounds=False)


# -- normalisation -----------------------------------------------------------------------------------------------------


def _scale_and_shift(scope: Scope, shape: Shape, like: Type) -> tuple[dict[str, Any], list[Type]]:
    """weight and bias, both, the first or neither."""
    which = scope.draw_int(0, 3)
    made = {
        name: _parameter(scope, shape, like, shift=shift) for name, shift in (("weight", 1.0), ("bias", 0.0))[:which]
    }
    return {name: ref for name, (ref, _) in made.items()}, [type_ for _, type_ in made.values()]


def _emit_norm(
    scope: Scope, name: str, args: list[Any], kwargs: dict[str, Any], count: int, type_: Type, parameters: list[Type]
) -> bool:
    """count: how many elements are standardised together."""
    if scope.chance(3):
        kwargs["eps"] = 0.1
    bound = math.sqrt(count) * 3 + 2
    return emit_layer(scope, name, args, kwargs, type_.shape, (-bound, bound), type_, *parameters)


@op("layer_norm", catalogue=LAYERS)
def layer_norm(scope: Scope) -> bool:
    picked = scope.floating(lambda type_: type_.rank > 0 and type_.size > 1 and type_.magnitude <= LARGEST_OPERAND)
    if picked is None:
        return False
    ref, type_ = picked
    normalized = type_.shape[scope.draw_int(0, type_.rank - 1) :]
    if math.prod(normalized) < 2:
        return False
    kwargs, parameters = _scale_and_shift(scope, normalized, type_)
    return _emit_norm(scope, "layer_norm", [ref, normalized], kwargs, math.prod(normalized), type_, parameters)


def _with_channels(scope: Scope) -> Operand | None:
    """(N, C, *), with some elements to every channel."""
    return scope.operand(
        lambda type_: (
            type_.floating
            and 2 <= type_.rank <= 4
            and type_.size > type_.shape[1]
            and type_.magnitude <= LARGEST_OPERAND
        ),
        lambda: scope.fresh(scope.one_of(IMAGES)[: scope.draw_int(2, 4)]),
    )


def _positive(array: Array) -> Array:
    return abs(array) + 0.5


@op("batch_norm", catalogue=LAYERS)
def batch_norm(scope: Scope) -> bool:
    picked = _with_channels(scope)
    if picked is None:
        return False
    ref, type_ = picked
    channels = type_.shape[1:2]
    mean, means = scope.fresh(channels, type_.dtype, grad=False)
    var, variances = scope.fresh(channels, type_.dtype, _positive, grad=False)
    # By keyword: what is updated in place has to be the program's own value, not the oracle's disturbed copy.
    kwargs: dict[str, Any] = {"running_mean": mean, "running_var": var}
    parameters, types = _scale_and_shift(scope, channels, type_)
    kwargs |= parameters
    if scope.chance(3) or not (means.writable and variances.writable):
        bound = (type_.magnitude + means.magnitude) * 6 + 2
        return emit_layer(scope, "batch_norm", [ref], kwargs, type_.shape, (-bound, bound), type_, *types)
    kwargs["training"] = True
    if scope.chance(3):
        del kwargs["running_mean"], kwargs["running_var"]
    elif scope.chance(2):
        kwargs["momentum"] = 0.5
    bound = max(type_.magnitude, 1.0) ** 2 * 4
    for each in (means, variances):
        scope.overwrite(each.storage, each.but(low=-bound, high=bound, whole=False))
    return _emit_norm(scope, "batch_norm", [ref], kwargs, type_.size // channels[0], type_, types)


@op("group_norm", catalogue=LAYERS)
def group_norm(scope: Scope) -> bool:
    picked = _with_channels(scope)
    if picked is None:
        return False
    ref, type_ = picked
    channels = type_.shape[1]
    groups = _divisor(scope, channels)
    count = math.prod(type_.shape[1:]) // groups
    if count < 2:
        return False
    kwargs, parameters = _scale_and_shift(scope, (channels,), type_)
    return _emit_norm(scope, "group_norm", [ref, groups], kwargs, count, type_, parameters)


# -- sequences ---------------------------------------------------------------------------------------------------------


@op("embedding", catalogue=LAYERS)
def embedding(scope: Scope) -> bool:
    picked = scope.operand(
        lambda type_: type_.floating and type_.rank == 2 and type_.size > 0,
        lambda: scope.fresh((scope.draw_int(2, 5), scope.one_of(scope.sizes))),
    )
    if picked is None:
        return False
    ref, type_ = picked
    rows, width = type_.shape
    indices, chosen = scope.fresh(scope.shape(2), "int64", lambda array: abs(array) % rows)
    kwargs: dict[str, Any] = {}
    if scope.chance(2):
        kwargs["padding_idx"] = scope.draw_int(-rows, rows - 1)
    if scope.chance(5):
        kwargs["scale_grad_by_freq"] = True
    shape = (*chosen.shape, width)
    return emit_layer(scope, "embedding", [indices, ref], kwargs, shape, (type_.low, type_.high), type_, rounds=False)


@op("scaled_dot_product_attention", catalogue=LAYERS)
def attention(scope: Scope) -> bool:
    picked = scope.operand(
        _queries, lambda: scope.fresh(scope.one_of(((4, 3), (2, 3, 4), (1, 4, 2), (1, 2, 3, 4), (2, 1, 4, 3))))
    )
    if picked is None:
        return False
    query, queries = picked
    *batch, length, width = queries.shape
    source = length if scope.chance(2) else scope.draw_int(2, 5)
    key, keys = _attended(scope, queries, (*batch, source, width))
    value, values = _attended(scope, queries, (*batch, source, scope.one_of((width, 2, 3))))
    kwargs: dict[str, Any] = {}
    operands = [queries, keys, values]
    how = scope.one_of(("plain", "causal", "mask", "bias"))
    # The query that sees one key alone has no gradient: torch's fused kernel says exactly 0, others round differences.
    if how == "causal" and length > 1 and len(batch) < 2:
        kwargs["is_causal"] = True
    elif how == "mask":
        # The first key may always be looked at: a row of which nothing is left is for the tests of attention.
        kwargs["attn_mask"], _ = scope.fresh((length, source), "bool", _first_kept)
    elif how == "bias":
        shape = scope.one_of([(length, source), (*batch, length, source), (1, source)])
        kwargs["attn_mask"], biases = scope.fresh(shape, queries.dtype)
        operands.append(biases)
    if scope.chance(3):
        kwargs["scale"] = scope.one_of((0.3, 1.0))
    shape = (*queries.shape[:-1], values.shape[-1])
    interval = (values.low, values.high)
    # With batch and heads torch has a fused kernel, which it cannot differentiate twice, for some layouts of the operands.
    scope.once |= len(batch) == 2
    name = "scaled_dot_product_attention"
    # Not to be changed in place: whether the gradient needs the result differs from kernel to kernel.
    return emit_layer(scope, name, [query, key, value], kwargs, shape, interval, *operands, writable=False)


def _queries(type_: Type) -> bool:
    """Of float64 torch's fused kernel is its own truth, and shows nothing of the rounding within it."""
    if type_.rank == 4 and type_.dtype == "float64":
        return False
    return type_.floating and 2 <= type_.rank <= 4 and type_.size > 0 and type_.magnitude <= 10


def _attended(scope: Scope, queries: Type, shape: Shape) -> Operand:
    """Keys or values of exactly this shape; now and then the queries themselves, or what else there is of it."""
    found = scope.operand(
        lambda type_: type_.shape == shape and type_.dtype == queries.dtype and type_.magnitude <= 10,
        lambda: _parameter(scope, shape, queries, 1.0),
    )
    return found or _parameter(scope, shape, queries, 1.0)


def _first_kept(mask: Array) -> Array:
    kept: Array = mask | (np.arange(mask.shape[-1]) == 0)
    return kept
