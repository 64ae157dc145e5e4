"""Contracts of activations and of the losses that compare element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from parity_tests.cases.catalogue import LAYERS, op
from parity_tests.cases.layers import emit_layer
from parity_tests.cases.losses import emit_loss
from parity_tests.cases.program import Ref
from parity_tests.cases.scope import Operand, Scope
from parity_tests.cases.types import Shape, Type
from parity_tests.check.snapshot import Array

# Each with the options that it may be given; none of them leads further from 0 than its operand is, or 2.
ACTIVATIONS: dict[str, tuple[dict[str, Any], ...]] = {
    "gelu": ({}, {"approximate": "tanh"}),
    "silu": ({},),
    "mish": ({},),
    "elu": ({}, {"alpha": 0.5}),
    "softplus": ({}, {"beta": 2}, {"threshold": 1.5}),
    "hardtanh": ({}, {"min_val": -0.5, "max_val": 0.75}),
}
# Below, erf is so near -1 that 1 + erf has few digits left, in torch too.
LEAST = {"gelu": -2.0}


def _moderate(type_: Type) -> bool:
    return type_.floating and type_.magnitude <= 40


def _activation(name: str, options: tuple[dict[str, Any], ...]) -> None:
    @op(name, catalogue=LAYERS)
    def build(scope: Scope) -> bool:
        low = LEAST.get(name, -40.0)
        picked = scope.operand(
            lambda type_: _moderate(type_) and type_.low >= low,
            lambda: scope.fresh(scope.any_shape(), fits=lambda array: np.maximum(array, low)),
        )
        if picked is None:
            return False
        ref, type_ = picked
        bound = type_.magnitude + 2
        kwargs = scope.one_of(options)
        rounds = name != "hardtanh"
        return emit_layer(scope, name, [ref], kwargs, type_.shape, (-bound, bound), type_, rounds=rounds)


for _name, _options in ACTIVATIONS.items():
    _activation(_name, _options)


@op("glu", catalogue=LAYERS)
def glu(scope: Scope) -> bool:
    picked = scope.operand(
        lambda type_: _moderate(type_) and any(size % 2 == 0 for size in type_.shape),
        lambda: scope.fresh((*scope.shape(2), scope.one_of((2, 4)))),
    )
    if picked is None:
        return False
    ref, type_ = picked
    even = [axis for axis, size in enumerate(type_.shape) if size % 2 == 0]
    dim = scope.one_of(even)
    shape = tuple(size // 2 if axis == dim else size for axis, size in enumerate(type_.shape))
    kwargs = {} if dim == type_.rank - 1 else {"dim": dim - type_.rank * scope.draw_int(0, 1)}
    bound = type_.magnitude
    return emit_layer(scope, "glu", [ref], kwargs, shape, (-bound, bound), type_)


# -- losses ------------------------------------------------------------------------------------------------------------


def _pair(scope: Scope, fits: Callable[[Array], Array] | None = None) -> tuple[Operand, Operand] | None:
    """Predictions and targets of one shape and dtype; `fits` makes targets of the numbers of the pool."""
    picked = scope.floating(lambda type_: _moderate(type_) and type_.size > 0)
    if picked is None:
        return None
    type_ = picked[1]
    grad = not scope.chance(2)
    if fits is not None:
        return picked, scope.fresh(type_.shape, type_.dtype, fits, grad)
    target = scope.operand(
        lambda other: other.shape == type_.shape and other.dtype == type_.dtype and _moderate(other),
        lambda: scope.fresh(type_.shape, type_.dtype, grad=grad),
    )
    return None if target is None else (picked, target)


def _likelihoods(array: Array) -> Array:
    likelihoods: Array = np.minimum(abs(array), 1)
    return likelihoods


def _weights(array: Array) -> Array:
    return abs(array) + 0.25


def _weight(scope: Scope, shape: Shape, like: Type) -> Ref:
    """A weight that no later step changes in place: that is a mistake, of which not every framework takes notice."""
    ref, type_ = scope.fresh(shape, like.dtype, _weights, grad=False)
    scope.types[ref.name] = type_.but(writable=False)
    return ref


@op("binary_cross_entropy_with_logits", catalogue=LAYERS)
def binary_cross_entropy_with_logits(scope: Scope) -> bool:
    pair = _pair(scope, _likelihoods)
    if pair is None:
        return False
    (ref, type_), (target, likelihoods) = pair
    kwargs: dict[str, Any] = {}
    last: Shape = type_.shape[-1:]
    if scope.chance(3):
        kwargs["weight"] = _weight(scope, scope.one_of((type_.shape, last)), type_)
    if scope.chance(2):
        kwargs["pos_weight"] = _weight(scope, last, type_)
    bound = (type_.magnitude + 1) * 16 * type_.size
    name = "binary_cross_entropy_with_logits"
    return emit_loss(scope, name, [ref, target], kwargs, type_.shape, bound, type_, likelihoods)


def _bounded(name: str, option: str) -> None:
    """A parabola up to a bound, a line beyond it."""

    @op(name, catalogue=LAYERS)
    def build(scope: Scope) -> bool:
        pair = _pair(scope)
        if pair is None:
            return False
        (ref, one), (target, other) = pair
        kwargs = {option: scope.one_of((0.5, 2.0))} if scope.chance(2) else {}
        bound = (one.magnitude + other.magnitude + 1) * 2 * one.size
        return emit_loss(scope, name, [ref, target], kwargs, one.shape, bound, one, other)


_bounded("smooth_l1_loss", "beta")
_bounded("huber_loss", "delta")


@op("kl_div", catalogue=LAYERS)
def kl_div(scope: Scope) -> bool:
    logarithms = scope.chance(3)
    pair = _pair(scope, None if logarithms else _weights)
    if pair is None:
        return False
    (ref, one), (target, other) = pair
    if logarithms and other.high > 5:
        return False
    kwargs = {"log_target": True} if logarithms else {}
    bound = (one.magnitude + other.magnitude + 2) * (150 if logarithms else other.magnitude) * one.size
    return emit_loss(scope, "kl_div", [ref, target], kwargs, one.shape, bound, one, other)
