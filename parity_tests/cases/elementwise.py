"""Contracts of elementwise ops."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity_tests.cases.catalogue import op
from parity_tests.cases.scope import Operand, Scope
from parity_tests.cases.types import Interval, Type, as_float, broadcast, monotone, product, promote
from parity_tests.check.snapshot import Array


def result(scope: Scope, interval: Interval, dtype: str, *operands: Type, whole: bool = False) -> Type | None:
    """The type of an elementwise result, None if it would lie outside of what is moderate."""
    shape = broadcast(*(type_.shape for type_ in operands))
    if dtype in ("bool", "uint8"):
        interval = (0, 255)  # it wraps
    if shape is None or not scope.moderate(*interval):
        return None
    floating = dtype in ("float32", "float64")
    return Type(
        shape,
        dtype,
        *interval,
        whole=not floating or whole,
        grad=floating and any(type_.grad for type_ in operands),
        contiguous=all(type_.contiguous and type_.shape == shape for type_ in operands),
    )


def finish(
    scope: Scope,
    forms: tuple[str, ...],
    args: list[Any],
    kwargs: dict[str, Any],
    type_: Type | None,
    first: Type | None,
    *,
    rounds: bool = True,
    in_place: str = "",
) -> bool:
    """Emit an elementwise step in one of its forms; in place now and then, where that is allowed."""
    if type_ is None:
        return False
    fits = first is not None and type_.shape == first.shape and type_.dtype == first.dtype
    if in_place and first is not None and fits and first.writable and scope.chance(3):
        scope.overwrite(first.storage, type_)
        type_ = type_.but(storage=first.storage, contiguous=first.contiguous)
        scope.emit(in_place, args, kwargs, type_, rounds=rounds)
        return True
    form = scope.one_of(forms)
    if in_place and not type_.grad and form[:6] == "torch." and form != "torch.relu" and scope.chance(6):
        out, written = scope.fresh(type_.shape, type_.dtype, grad=False)
        if written.writable:
            scope.overwrite(written.storage, type_)
            kwargs = {**kwargs, "out": out}
            type_ = type_.but(storage=written.storage, contiguous=written.contiguous)
    scope.emit(form, args, kwargs, type_, rounds=rounds)
    return True


# -- one operand


@dataclass(frozen=True, slots=True)
class Domain:
    """Where a function of one operand is defined and moderate, and where it leads."""

    gives: Callable[[float, float], Interval]
    low: float = -math.inf
    high: float = math.inf
    fits: Callable[[Array], Array] | None = None  # brings a fresh operand into the domain


def _bell(low: float, high: float) -> Interval:
    return -1.0, 1.0


def _even(function: Callable[[float], float]) -> Callable[[float, float], Interval]:
    def gives(low: float, high: float) -> Interval:
        ends = function(low), function(high)
        return (0.0 if low <= 0 <= high else min(ends)), max(ends)

    return gives


def _positive(array: Array) -> Array:
    return abs(array) + 0.25


_EXACT = {
    "neg": Domain(lambda low, high: (-high, -low)),
    "abs": Domain(_even(abs)),
    "relu": Domain(monotone(lambda x: max(x, 0.0))),
}
_ROUNDED = {
    "exp": Domain(monotone(math.exp), -30, 6),
    "log": Domain(monotone(math.log), 0.05, fits=_positive),
    "sqrt": Domain(monotone(math.sqrt), 0.01, fits=_positive),
    "sin": Domain(_bell, -100, 100),
    "cos": Domain(_bell, -100, 100),
    "tanh": Domain(monotone(math.tanh)),
    "sigmoid": Domain(lambda low, high: (0.0, 1.0), -30, 30),
}


def _unary(name: str, domain: Domain, exact: bool) -> None:
    forms: tuple[str, ...] = (f"torch.{name}", f"Tensor.{name}")
    if name == "relu":
        forms = (*forms, "nn.functional.relu")
    if name in ("neg", "abs"):
        forms = (*forms, f"operator.{name}")

    def requires(scope: Scope, type_: Type) -> bool:
        if exact and (type_.dtype == "bool" or (name == "neg" and type_.dtype == "uint8")):
            return False
        return scope.special or (domain.low <= type_.low and type_.high <= domain.high)

    @op(name, exact=exact)
    def build(scope: Scope) -> bool:
        picked = scope.operand(
            lambda type_: requires(scope, type_), lambda: scope.fresh(scope.any_shape(), fits=domain.fits)
        )
        if picked is None:
            return False
        ref, type_ = picked
        dtype = type_.dtype if exact else as_float(type_.dtype)
        special = scope.special
        interval = (-math.inf, math.inf) if special else domain.gives(type_.low, type_.high)
        out = result(scope, interval, dtype, type_, whole=exact and type_.whole)
        in_place = "" if scope.special else f"Tensor.{name}_"
        return finish(scope, forms, [ref], {}, out, type_, rounds=not exact, in_place=in_place)


for _name, _domain in _EXACT.items():
    _unary(_name, _domain, True)
for _name, _domain in _ROUNDED.items():
    _unary(_name, _domain, False)


@op("leaky_relu", special=True)
def leaky_relu(scope: Scope) -> bool:
    picked = scope.floating()
    if picked is None:
        return False
    ref, type_ = picked
    options = scope.one_of([{}, {"negative_slope": 0.2}, {"negative_slope": 0.0}, {"negative_slope": 1.5}])
    worst = 1.5 * type_.magnitude
    return finish(
        scope, ("nn.functional.leaky_relu",), [ref], options, result(scope, (-worst, worst), type_.dtype, type_), None
    )


# -- two operands


def _pair(scope: Scope, bools: bool = True) -> tuple[Operand, Operand] | None:
    left = scope.operand(lambda type_: bools or type_.dtype != "bool")
    if left is None:
        return None
    right = scope.partner(left[1], lambda type_: bools or type_.dtype != "bool")
    return None if right is None else (left, right)


def _number(scope: Scope) -> int | float:
    """A Python number: an int keeps integers integer, a float does not."""
    choices: tuple[int | float, ...] = (2, -1, 1, 0, 3.0, -2.0) if scope.kind == "whole" else (2, -1.5, 0.3, 0, 1)
    return scope.one_of(choices)


def _scalar(value: int | float) -> Type:
    return Type((), "float32" if isinstance(value, float) else "int64", value, value, whole=float(value).is_integer())


_ARITHMETIC: dict[str, tuple[Callable[[Interval, Interval], Interval], str]] = {
    "add": (lambda a, b: (a[0] + b[0], a[1] + b[1]), "add"),
    "sub": (lambda a, b: (a[0] - b[1], a[1] - b[0]), "sub"),
    "mul": (product, "mul"),
    "maximum": (lambda a, b: (max(a[0], b[0]), max(a[1], b[1])), ""),
    "minimum": (lambda a, b: (min(a[0], b[0]), min(a[1], b[1])), ""),
}


def _arithmetic(name: str, gives: Callable[[Interval, Interval], Interval], symbol: str) -> None:
    chooses = not symbol
    forms = (f"torch.{name}", f"Tensor.{name}") if chooses else (f"torch.{name}", f"Tensor.{name}", f"operator.{name}")

    @op(name, exact=True)
    def build(scope: Scope) -> bool:
        pair = _pair(scope, bools=name != "sub")
        if pair is None:
            return False
        (left, one), (right, other) = pair
        second: Any = right
        swapped = False
        if symbol and scope.chance(4):
            number = _number(scope)
            second, other, swapped = number, _scalar(number), scope.chance(2)
            dtype = promote(one, number)
        else:
            dtype = promote(one, other)
        kwargs: dict[str, Any] = {}
        added = (other.low, other.high)
        if name in ("add", "sub") and not swapped and dtype != "bool" and scope.kind != "edges" and scope.chance(6):
            kwargs = {"alpha": scope.one_of([2, -1])}
            added = product(added, (kwargs["alpha"],) * 2)
        interval = gives(added, (one.low, one.high)) if swapped else gives((one.low, one.high), added)
        if math.isnan(interval[0] + interval[1]):
            interval = (-math.inf, math.inf)
        out = result(scope, interval, dtype, one, other, whole=one.whole and other.whole)
        if swapped:
            return finish(scope, (f"operator.{name}",), [second, left], {}, out, None)
        plain = forms if not kwargs else tuple(form for form in forms if not form.startswith("operator"))
        in_place = f"Tensor.{name}_" if symbol else ""
        return finish(scope, plain, [left, second], kwargs, out, one, rounds=not chooses, in_place=in_place)


for _name, (_gives, _symbol) in _ARITHMETIC.items():
    _arithmetic(_name, _gives, _symbol)


def _off_zero(array: Array) -> Array:
    return np.where(array < 0, array - 0.5, array + 0.5)


def _nonzero(type_: Type) -> bool:
    return type_.low > 0.1 or type_.high < -0.1


@op("div")
def div(scope: Scope) -> bool:
    left = scope.operand()
    if left is None:
        return False
    special = scope.special
    right = scope.partner(left[1], lambda type_: special or _nonzero(type_), _positive)
    if right is None:
        return False
    (ref, one), (by, other) = left, right
    inverse = (-math.inf, math.inf) if special else (1 / other.high, 1 / other.low)
    interval = product((one.low, one.high), inverse) if not special else inverse
    out = result(scope, interval, as_float(promote(one, other)), one, other)
    forms = ("torch.div", "Tensor.div", "operator.truediv", "torch.true_divide")
    if scope.chance(5):
        number = scope.one_of([2, 0.7, -3.0])
        interval = (one.low / number, one.high / number)
        out = result(scope, (min(interval), max(interval)), as_float(promote(one, number)), one)
        return finish(scope, forms, [ref, number], {}, out, one, in_place="Tensor.div_")
    return finish(scope, forms, [ref, by], {}, out, one, in_place="Tensor.div_")


@op("pow", special=False)
def power(scope: Scope) -> bool:
    forms = ("torch.pow", "Tensor.pow", "operator.pow")
    kind = scope.one_of(["scalar exponent", "scalar base", "two tensors"])
    if kind == "scalar exponent":
        exponent = scope.one_of([2, 3, 0, 1, 0.5, -1, 2.5, -0.5])
        free = exponent in (0, 1, 2, 3)
        picked = scope.operand(
            lambda type_: type_.floating and (free or type_.low >= 0.1),
            lambda: scope.fresh(scope.any_shape(), fits=None if free else _positive),
        )
        if picked is None:
            return False
        ref, type_ = picked
        ends = [abs(bound) ** exponent for bound in (type_.low, type_.high) if bound or exponent >= 0]
        worst = max(ends, default=0.0)
        low = -worst if type_.low < 0 else min(ends, default=0.0)
        whole = type_.whole and free
        out = result(scope, (min(low, worst) if not free else -worst, worst), type_.dtype, type_, whole=whole)
        return finish(scope, forms, [ref, exponent], {}, out, type_, in_place="Tensor.pow_")
    exponent_ = scope.floating(lambda type_: type_.magnitude <= 4)
    if exponent_ is None:
        return False
    up, exponents = exponent_
    if kind == "scalar base":
        base = scope.one_of([2, 0.5, 3.0])
        ends = [base**exponents.low, base**exponents.high]
        out = result(scope, (min(ends), max(ends)), exponents.dtype, exponents)
        return finish(scope, ("torch.pow", "operator.pow"), [base, up], {}, out, None)
    picked = scope.partner(exponents, lambda type_: type_.floating and type_.low >= 0.1, _positive)
    if picked is None:
        return False
    ref, type_ = picked
    ends = [b**e for b in (type_.low, type_.high) for e in (exponents.low, exponents.high)]
    out = result(scope, (0.0, max(ends)), promote(type_, exponents), type_, exponents)
    return finish(scope, forms, [ref, up], {}, out, type_)


# -- choices


_COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def _comparison(name: str) -> None:
    @op(name, exact=True)
    def build(scope: Scope) -> bool:
        pair = _pair(scope)
        if pair is None:
            return False
        (left, one), (right, other) = pair
        forms = (f"torch.{name}", f"Tensor.{name}", f"operator.{name}")
        second: Any = right
        if scope.chance(3):
            second, other = scope.one_of([0, 1.0, -1]), Type((), "bool", 0, 1, whole=True)
        out = result(scope, (0, 1), "bool", one, other)
        return finish(scope, forms, [left, second], {}, out, None, rounds=False)


for _name in _COMPARISONS:
    _comparison(_name)


def _positive_integer(array: Array) -> Array:
    return abs(array) + 1


def _division(name: str, forms: tuple[str, ...], kwargs: dict[str, Any]) -> None:
    """Division of integers that rounds: negative ones tell floor from truncation."""

    @op(name, exact=True, special=False)
    def build(scope: Scope) -> bool:
        integers = ("int64", "int32")
        left = scope.operand(
            lambda type_: type_.dtype in integers, lambda: scope.fresh(scope.any_shape(), scope.one_of(integers))
        )
        if left is None:
            return False
        (ref, one) = left
        right = scope.partner(one, lambda type_: type_.dtype in integers and type_.low > 0, _positive_integer, "int64")
        if right is None:
            return False
        by, other = right
        worst = max(one.magnitude, other.magnitude) + 1
        out = result(scope, (-worst, worst), promote(one, other), one, other, whole=True)
        return finish(scope, forms, [ref, by], kwargs, out, None, rounds=False)


_division("floor_divide", ("torch.floor_divide", "Tensor.floor_divide", "operator.floordiv"), {})
_division("div floor", ("torch.div", "Tensor.div"), {"rounding_mode": "floor"})
_division("div trunc", ("torch.div", "Tensor.div"), {"rounding_mode": "trunc"})
_division("remainder", ("torch.remainder", "Tensor.remainder", "operator.mod"), {})


@op("where", exact=True)
def where(scope: Scope) -> bool:
    condition = scope.operand(lambda type_: type_.dtype == "bool", lambda: scope.fresh(scope.any_shape(), "bool"))
    if condition is None:
        return False
    yes = scope.partner(condition[1], lambda type_: type_.floating)
    if yes is None:
        return False
    shape = broadcast(condition[1].shape, yes[1].shape)
    no = scope.partner(Type(shape or (), "float32", 0, 0), lambda type_: type_.floating)
    if no is None:
        return False
    (test, tests), (left, one), (right, other) = condition, yes, no
    second: Any = right
    if scope.chance(4):
        second, other = 0.0, Type((), "bool", 0.0, 0.0, whole=True)
    dtype = promote(one, other)
    interval = (min(one.low, other.low), max(one.high, other.high))
    out = result(scope, interval, dtype, tests, one, other, whole=one.whole and other.whole)
    if out is None:
        return False
    if scope.chance(2):
        scope.emit("torch.where", [test, left, second], {}, out, rounds=False)
    else:
        scope.emit("Tensor.where", [left, test, second], {}, out, rounds=False)
    return True


@op("clamp", exact=True)
def clamp(scope: Scope) -> bool:
    picked = scope.floating()
    if picked is None:
        return False
    ref, type_ = picked
    low, high = scope.one_of([(-1, 1), (0, None), (None, 2.0), (-0.5, 0.75), (1, -1)])
    if scope.kind == "whole":
        low, high = (None if bound is None else round(bound) for bound in (low, high))
    kwargs = {name: bound for name, bound in (("min", low), ("max", high)) if bound is not None}
    bounds = [bound for bound in (low, high) if bound is not None]
    interval = (min(type_.low, *bounds, 0), max(type_.high, *bounds, 0))
    out = result(scope, interval, type_.dtype, type_, whole=type_.whole and all(float(b).is_integer() for b in bounds))
    if scope.chance(4):
        bound = scope.partner(type_, lambda other: other.floating)
        if bound is None:
            return False
        limit, limits = bound
        interval = (min(type_.low, limits.low), max(type_.high, limits.high))
        whole = type_.whole and limits.whole
        out = result(scope, interval, promote(type_, limits), type_, limits, whole=whole)
        return finish(scope, ("torch.clamp", "Tensor.clamp"), [ref], {"min": limit}, out, None, rounds=False)
    return finish(
        scope, ("torch.clamp", "Tensor.clamp"), [ref], kwargs, out, type_, rounds=False, in_place="Tensor.clamp_"
    )
