"""Contracts of losses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from parity_tests.cases.catalogue import op
from parity_tests.cases.scope import Operand, Scope
from parity_tests.cases.types import Shape, Type
from parity_tests.check.snapshot import Array

REDUCTIONS = ("mean", "sum", "none")


def emit_loss(
    scope: Scope, name: str, args: list[Any], kwargs: dict[str, Any], shape: Shape, bound: float, *operands: Type
) -> bool:
    """Emit a loss with some reduction.  shape: of what is not reduced;  bound: of all that it may be."""
    if not scope.moderate(-bound, bound):
        return False
    reduction = scope.one_of(REDUCTIONS)
    if reduction != "mean" or scope.chance(2):
        kwargs = {**kwargs, "reduction": reduction}
    out = Type(
        shape if reduction == "none" else (),
        operands[0].dtype,
        -bound,
        bound,
        grad=any(type_.grad for type_ in operands),
        contiguous=False,
    )
    scope.emit(f"nn.functional.{name}", args, kwargs, out)
    return True


@op("mse_loss", special=False)
def mse_loss(scope: Scope) -> bool:
    picked = scope.floating(lambda type_: type_.size > 0)
    if picked is None:
        return False
    ref, one = picked
    target = scope.operand(
        lambda type_: type_.shape == one.shape and type_.dtype == one.dtype, lambda: scope.fresh(one.shape, one.dtype)
    )
    if target is None:
        return False
    goal, other = target
    bound = (one.magnitude + other.magnitude) ** 2 * one.size
    return emit_loss(scope, "mse_loss", [ref, goal], {}, one.shape, bound, one, other)


def _scores(scope: Scope) -> Operand | None:
    """(C), (N, C) or (N, C, d): moderate, and with at least one class."""
    return scope.floating(lambda type_: 1 <= type_.rank <= 3 and type_.size > 0 and type_.magnitude <= 40)


def _classes(scope: Scope, shape: Shape) -> tuple[int, Shape]:
    """The number of classes and the shape of the targets."""
    return (shape[0], ()) if len(shape) == 1 else (shape[1], (shape[0], *shape[2:]))


def _class_targets(scope: Scope, scores: Type) -> tuple[Any, dict[str, Any], Shape]:
    count, shape = _classes(scope, scores.shape)
    target, _ = scope.fresh(shape, "int64", lambda array: abs(array) % count)
    kwargs: dict[str, Any] = {}
    if scope.chance(3):
        weight, _ = scope.fresh((count,), scores.dtype, _positive, grad=False)
        kwargs["weight"] = weight
    if scope.chance(4):
        kwargs["ignore_index"] = scope.draw_int(0, count)
    return target, kwargs, shape


def _positive(array: Array) -> Array:
    return abs(array) + 0.25


@op("nll_loss", special=False)
def nll_loss(scope: Scope) -> bool:
    picked = _scores(scope)
    if picked is None:
        return False
    ref, type_ = picked
    target, kwargs, shape = _class_targets(scope, type_)
    bound = type_.magnitude * max(math.prod(shape), 1) * 4
    return emit_loss(scope, "nll_loss", [ref, target], kwargs, shape, bound, type_)


@op("cross_entropy", special=False)
def cross_entropy(scope: Scope) -> bool:
    picked = _scores(scope)
    if picked is None:
        return False
    ref, type_ = picked
    count, shape = _classes(scope, type_.shape)
    bound = (2 * type_.magnitude + math.log(count)) * max(math.prod(shape), 1) * 4
    if scope.chance(4):
        # Probabilities of classes; they need not add up to one.
        target, probabilities = scope.fresh(type_.shape, type_.dtype, lambda array: np.clip(abs(array), 0, 1), False)
        return emit_loss(scope, "cross_entropy", [ref, target], {}, shape, bound * count, type_, probabilities)
    target, kwargs, shape = _class_targets(scope, type_)
    if scope.chance(4):
        kwargs["label_smoothing"] = 0.1
    return emit_loss(scope, "cross_entropy", [ref, target], kwargs, shape, bound, type_)
