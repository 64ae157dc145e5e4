"""Contracts of reductions, softmax and friends."""

from __future__ import annotations

import math
from typing import Any

from parity_tests.cases.catalogue import op
from parity_tests.cases.program import DType
from parity_tests.cases.scope import Operand, Scope
from parity_tests.cases.types import Interval, Type, as_float, reduced


def dims(scope: Scope, type_: Type, several: bool) -> tuple[dict[str, Any], list[int]]:
    """The `dim` argument, as the user writes it, and the axes that it means."""
    everything = list(range(type_.rank))
    form = scope.one_of(["all", "one", "some"] if several else ["all", "one"])
    if form == "all":
        return {}, everything
    if form == "one" or type_.rank == 0:
        dim = scope.dim(type_.rank)
        return {"dim": dim}, [dim] if type_.rank else []
    first = scope.draw_int(0, type_.rank - 1)
    count = scope.draw_int(1, type_.rank)
    axes = [(first + k) % type_.rank for k in range(count)]
    return {"dim": tuple(axis - type_.rank if scope.chance(3) else axis for axis in axes)}, axes


def reduction_type(scope: Scope, type_: Type, axes: list[int], keepdim: bool, interval: Interval) -> Type | None:
    if not scope.moderate(*interval):
        return None
    return Type(reduced(type_.shape, axes, keepdim), type_.dtype, *interval, grad=type_.grad)


def _count(type_: Type, axes: list[int]) -> int:
    return math.prod(type_.shape[axis] for axis in axes)


@op("sum", exact=True)
def total(scope: Scope) -> bool:
    picked = scope.operand()
    if picked is None:
        return False
    ref, type_ = picked
    kwargs, axes = dims(scope, type_, several=True)
    keepdim = bool(kwargs) and scope.chance(3)
    if keepdim:
        kwargs["keepdim"] = True
    count = max(_count(type_, axes), 1)
    interval = (min(type_.low * count, type_.low, 0), max(type_.high * count, type_.high, 0))
    out = reduction_type(scope, type_, axes, keepdim, interval)
    if out is None:
        return False
    out = out.but(dtype=type_.dtype if type_.floating else "int64", whole=type_.whole)
    if type_.dtype != "float64" and scope.chance(8):
        kwargs["dtype"] = DType("float64")
        out = out.but(dtype="float64")
    scope.emit(scope.one_of(("torch.sum", "Tensor.sum")), [ref], kwargs, out)
    return True


@op("mean")
def mean(scope: Scope) -> bool:
    picked = scope.floating()
    if picked is None:
        return False
    ref, type_ = picked
    kwargs, axes = dims(scope, type_, several=True)
    keepdim = bool(kwargs) and scope.chance(3)
    if keepdim:
        kwargs["keepdim"] = True
    if not _count(type_, axes):
        return False
    out = reduction_type(scope, type_, axes, keepdim, (type_.low, type_.high))
    if out is None:
        return False
    scope.emit(scope.one_of(("torch.mean", "Tensor.mean")), [ref], kwargs, out)
    return True


@op("var", special=False)
def variance(scope: Scope) -> bool:
    # Far from zero the squares cancel, unless the mean is subtracted first.
    picked = scope.operand(
        lambda type_: type_.floating and type_.size > 1 and type_.magnitude < 1e3,
        lambda: scope.fresh(scope.any_shape(), fits=lambda array: array + scope.one_of([0, 200])),
    )
    if picked is None:
        return False
    ref, type_ = picked
    kwargs, axes = dims(scope, type_, several=True)
    correction = scope.one_of([None, 0, 1])
    if correction is not None:
        kwargs["correction"] = correction
    if _count(type_, axes) < 2:
        return False
    if "dim" in kwargs and scope.chance(3):
        kwargs["keepdim"] = True
    out = reduction_type(scope, type_, axes, "keepdim" in kwargs, (0.0, (type_.high - type_.low) ** 2))
    if out is None:
        return False
    scope.emit(scope.one_of(("torch.var", "Tensor.var")), [ref], kwargs, out)
    return True


def _extremum(name: str) -> None:
    @op(name)
    def build(scope: Scope) -> bool:
        picked = scope.operand(lambda type_: type_.size > 0 and type_.dtype != "bool")
        if picked is None:
            return False
        ref, type_ = picked
        form = scope.one_of(("torch", "Tensor"))
        keepdim = {"keepdim": True} if scope.chance(3) else {}
        if name in ("amax", "amin"):
            kwargs, axes = dims(scope, type_, several=True)
            kwargs |= keepdim
            out = Type(reduced(type_.shape, axes, bool(keepdim)), type_.dtype, type_.low, type_.high)
            out = out.but(whole=type_.whole, grad=type_.grad)
            scope.emit(f"{form}.{name}", [ref], kwargs, out, rounds=False)
            return True
        kwargs, axes = dims(scope, type_, several=False)
        kwargs |= keepdim if "dim" in kwargs else {}
        shape = reduced(type_.shape, axes, "keepdim" in kwargs)
        values = Type(shape, type_.dtype, type_.low, type_.high, whole=type_.whole, grad=type_.grad)
        if "dim" in kwargs:
            indices = Type(shape, "int64", 0, max(type_.shape, default=1), whole=True)
            scope.emit(f"{form}.{name}", [ref], kwargs, values, indices, rounds=False)
        else:
            scope.emit(f"{form}.{name}", [ref], kwargs, values, rounds=False)
        return True


for _name in ("max", "min", "amax", "amin"):
    _extremum(_name)


@op("argmax", exact=True)
def argmax(scope: Scope) -> bool:
    picked = scope.operand(lambda type_: type_.size > 0 and type_.dtype != "bool")
    if picked is None:
        return False
    ref, type_ = picked
    kwargs, axes = dims(scope, type_, several=False)
    if "dim" in kwargs and scope.chance(3):
        kwargs["keepdim"] = True
    shape = reduced(type_.shape, axes, "keepdim" in kwargs)
    out = Type(shape, "int64", 0, type_.size, whole=True)
    scope.emit(scope.one_of(("torch.argmax", "Tensor.argmax")), [ref], kwargs, out, rounds=False)
    return True


def _softmax(name: str, log: bool) -> None:
    @op(name, special=False)
    def build(scope: Scope) -> bool:
        def wide() -> Operand:
            # Beyond 88 the exponential of a float32 overflows: the greatest has to be subtracted first.
            large = scope.chance(2)
            return scope.fresh(scope.any_shape(), "", (lambda array: 50 * array) if large else None, not large)

        # Where one class has it all the derivatives are small differences.
        picked = scope.operand(lambda type_: type_.floating and type_.magnitude <= (40 if type_.grad else 200), wide)
        if picked is None:
            return False
        ref, type_ = picked
        kwargs: dict[str, Any] = {"dim": scope.dim(type_.rank)}
        spread = type_.high - type_.low + math.log(max(type_.size, 1))
        out = type_.but(low=-spread if log else 0.0, high=0.0 if log else 1.0, whole=False, storage=-1, writable=True)
        if scope.chance(10):
            kwargs["dtype"] = DType("float64")
            out = out.but(dtype="float64")
        out = out.but(dtype=as_float(out.dtype), contiguous=type_.contiguous)
        scope.emit(scope.one_of((f"torch.{name}", f"Tensor.{name}", f"nn.functional.{name}")), [ref], kwargs, out)
        return True


_softmax("softmax", False)
_softmax("log_softmax", True)
