"""Contracts of the matmul family."""

from __future__ import annotations

import math
from typing import Any

from parity_tests.cases.catalogue import op
from parity_tests.cases.scope import MOST_ELEMENTS, Operand, Scope
from parity_tests.cases.types import Interval, Shape, Type, broadcast, product


def _dot(one: Type, other: Type, inner: int) -> Interval:
    low, high = product((one.low, one.high), (other.low, other.high))
    return min(low * inner, 0.0), max(high * inner, 0.0)


def _matching(scope: Scope, left: Type, shape: Shape) -> Operand | None:
    """An operand of exactly this shape and of the dtype of `left`: no promotion in a product of matrices."""
    return scope.operand(
        lambda type_: type_.shape == shape and type_.dtype == left.dtype, lambda: scope.fresh(shape, left.dtype)
    )


def _finish(
    scope: Scope,
    forms: tuple[str, ...],
    args: list[Any],
    kwargs: dict[str, Any],
    shape: Shape,
    bounds: Interval,
    *operands: Type,
) -> bool:
    if not scope.moderate(*bounds) or math.prod(shape) > MOST_ELEMENTS:
        return False
    out = Type(
        shape,
        operands[0].dtype,
        *bounds,
        whole=all(type_.whole for type_ in operands),
        grad=any(type_.grad for type_ in operands),
        contiguous=False,
    )
    scope.emit(scope.one_of(forms), args, kwargs, out)
    return True


def matrix(scope: Scope, rank: int) -> Operand | None:
    return scope.operand(
        lambda type_: type_.rank == rank and type_.floating, lambda: scope.fresh(scope.shape(rank, rank))
    )


@op("mm", exact=True)
def mm(scope: Scope) -> bool:
    left = matrix(scope, 2)
    if left is None:
        return False
    n, k = left[1].shape
    right = _matching(scope, left[1], (k, scope.one_of(scope.sizes)))
    if right is None:
        return False
    forms = ("torch.mm", "Tensor.mm", "operator.matmul", "torch.matmul")
    bounds = _dot(left[1], right[1], k)
    return _finish(scope, forms, [left[0], right[0]], {}, (n, right[1].shape[1]), bounds, left[1], right[1])


@op("bmm", exact=True)
def bmm(scope: Scope) -> bool:
    left = matrix(scope, 3)
    if left is None:
        return False
    b, n, k = left[1].shape
    right = _matching(scope, left[1], (b, k, scope.one_of(scope.sizes)))
    if right is None:
        return False
    bounds = _dot(left[1], right[1], k)
    shape = (b, n, right[1].shape[2])
    return _finish(scope, ("torch.bmm", "Tensor.bmm"), [left[0], right[0]], {}, shape, bounds, left[1], right[1])


@op("matmul", exact=True)
def matmul(scope: Scope) -> bool:
    """Every mixture of ranks: vectors, matrices, batches that broadcast."""
    left = scope.floating(lambda type_: type_.rank > 0)
    if left is None:
        return False
    ref, one = left
    k = one.shape[-1]
    columns = scope.one_of(scope.sizes)
    batch = one.shape[:-2]
    shapes: list[Shape] = [(k,), (k, columns), (1, k, columns), (*batch, k, columns), (*batch[1:], k, columns)]
    if batch:
        shapes.append((1, *batch[1:], k, columns))
    right = _matching(scope, one, scope.one_of(shapes))
    if right is None:
        return False
    other_ref, other = right
    outer = broadcast(one.shape[:-2], other.shape[:-2])
    if outer is None:
        return False
    shape = outer + one.shape[-2:-1] + (other.shape[-1:] if other.rank > 1 else ())
    forms = ("torch.matmul", "Tensor.matmul", "operator.matmul")
    return _finish(scope, forms, [ref, other_ref], {}, shape, _dot(one, other, k), one, other)


@op("addmm", exact=True)
def addmm(scope: Scope) -> bool:
    left = matrix(scope, 2)
    if left is None:
        return False
    n, k = left[1].shape
    m = scope.one_of(scope.sizes)
    right = _matching(scope, left[1], (k, m))
    added = _matching(scope, left[1], scope.one_of([(m,), (n, m), (1, m), (n, 1), (1, 1), (1,)]))
    if right is None or added is None:
        return False
    kwargs = scope.one_of([{}, {"beta": 2}, {"alpha": -1}, {"beta": 0, "alpha": 2}])
    beta, alpha = kwargs.get("beta", 1), kwargs.get("alpha", 1)
    one = product(_dot(left[1], right[1], k), (alpha, alpha))
    two = product((added[1].low, added[1].high), (beta, beta))
    bounds = (one[0] + two[0], one[1] + two[1])
    args = [added[0], left[0], right[0]]
    forms = ("torch.addmm", "Tensor.addmm")
    return _finish(scope, forms, args, kwargs, (n, m), bounds, added[1], left[1], right[1])


@op("linear", exact=True)
def linear(scope: Scope) -> bool:
    left = scope.floating(lambda type_: type_.rank > 0)
    if left is None:
        return False
    ref, one = left
    k = one.shape[-1]
    m = scope.one_of(scope.sizes)
    weight = _matching(scope, one, (m, k))
    bias = _matching(scope, one, (m,))
    if weight is None or bias is None:
        return False
    bounds = _dot(one, weight[1], k)
    shape = (*one.shape[:-1], m)
    if scope.chance(3):
        return _finish(scope, ("nn.functional.linear",), [ref, weight[0]], {}, shape, bounds, one, weight[1])
    bounds = (bounds[0] + bias[1].low, bounds[1] + bias[1].high)
    args = [ref, weight[0], bias[0]]
    return _finish(scope, ("nn.functional.linear",), args, {}, shape, bounds, one, weight[1], bias[1])
