"""Contracts of views, joins and indexing: nothing is computed, but layouts, sharing and gradients are at stake."""

from __future__ import annotations

import math
from typing import Any

from parity_tests.cases.catalogue import op
from parity_tests.cases.program import DType, Ref
from parity_tests.cases.scope import MOST_ELEMENTS, Scope
from parity_tests.cases.types import FLOATING, Shape, Type, promote


def _emit_view(scope: Scope, forms: tuple[str, ...], args: list[Any], kwargs: dict[str, Any], out: Type) -> bool:
    scope.emit(scope.one_of(forms), args, kwargs, out, rounds=False)
    return True


def _factors(scope: Scope, size: int) -> Shape:
    """Another shape of that many elements."""
    if size == 0:
        return scope.one_of([(0,), (2, 0), (0, 3)])
    divisors = [k for k in range(1, size + 1) if size % k == 0]
    first = scope.one_of(divisors)
    return scope.one_of([(size,), (first, size // first), (1, size), (first, 1, size // first)])


def _sizes(scope: Scope, shape: Shape) -> list[Any]:
    """Sizes as a user writes them: one by one or as a tuple, one of them -1 where it can be told."""
    written = list(shape)
    if written and 0 not in shape and scope.chance(3):
        written[scope.draw_int(0, len(written) - 1)] = -1
    return [tuple(written)] if not written or scope.chance(2) else written


@op("reshape", exact=True)
def reshape(scope: Scope) -> bool:
    picked = scope.operand()
    if picked is None:
        return False
    ref, type_ = picked
    shape = _factors(scope, type_.size)
    # A view if it can be one, else a copy: which is not known here, so nothing is written to it in place.
    out = type_.but(shape=shape, writable=False)
    if scope.chance(2):
        sizes = _sizes(scope, shape)
        return _emit_view(scope, ("Tensor.reshape",), [ref, *sizes], {}, out)
    return _emit_view(scope, ("torch.reshape",), [ref, shape], {}, out)


@op("view", exact=True)
def view(scope: Scope) -> bool:
    picked = scope.operand(lambda type_: type_.contiguous)
    if picked is None:
        return False
    ref, type_ = picked
    shape = _factors(scope, type_.size)
    return _emit_view(scope, ("Tensor.view",), [ref, *_sizes(scope, shape)], {}, type_.but(shape=shape))


@op("flatten", exact=True)
def flatten(scope: Scope) -> bool:
    picked = scope.operand()
    if picked is None:
        return False
    ref, type_ = picked
    rank = max(type_.rank, 1)
    start = scope.draw_int(0, rank - 1)
    end = scope.draw_int(start, rank - 1)
    kwargs = scope.one_of([{}, {"start_dim": start, "end_dim": end}, {"start_dim": start - rank}])
    if not kwargs:
        start, end = 0, rank - 1
    elif "end_dim" not in kwargs:
        end = rank - 1
    shape = (*type_.shape[:start], math.prod(type_.shape[start : end + 1]), *type_.shape[end + 1 :])
    out = type_.but(shape=shape if type_.rank else (1,), writable=False)
    return _emit_view(scope, ("torch.flatten", "Tensor.flatten"), [ref], kwargs, out)


@op("transpose", exact=True)
def transpose(scope: Scope) -> bool:
    picked = scope.operand()
    if picked is None:
        return False
    ref, type_ = picked
    first, second = scope.dim(type_.rank), scope.dim(type_.rank)
    shape = list(type_.shape)
    if shape:
        shape[first], shape[second] = shape[second], shape[first]
    out = type_.but(shape=tuple(shape), contiguous=False)
    return _emit_view(scope, ("torch.transpose", "Tensor.transpose"), [ref, first, second], {}, out)


@op("permute", exact=True)
def permute(scope: Scope) -> bool:
    picked = scope.operand()
    if picked is None:
        return False
    ref, type_ = picked
    axes = list(scope.draw_permutation(type_.rank))
    out = type_.but(shape=tuple(type_.shape[axis] for axis in axes), contiguous=False)
    written = tuple(axis - type_.rank if scope.chance(4) else axis for axis in axes)
    if written and scope.chance(2):
        return _emit_view(scope, ("Tensor.permute",), [ref, *written], {}, out)
    return _emit_view(scope, ("torch.permute", "Tensor.permute"), [ref, written], {}, out)


@op("t", exact=True)
def t(scope: Scope) -> bool:
    picked = scope.operand(lambda type_: type_.rank <= 2, lambda: scope.fresh(scope.shape(2, 2)))
    if picked is None:
        return False
    ref, type_ = picked
    out = type_.but(shape=type_.shape[::-1], contiguous=type_.contiguous and type_.rank < 2)
    return _emit_view(scope, ("torch.t", "Tensor.t"), [ref], {}, out)


@op("unsqueeze", exact=True)
def unsqueeze(scope: Scope) -> bool:
    picked = scope.operand(lambda type_: type_.rank < 4)
    if picked is None:
        return False
    ref, type_ = picked
    dim = scope.draw_int(-type_.rank - 1, type_.rank)
    place = dim % (type_.rank + 1)
    out = type_.but(shape=(*type_.shape[:place], 1, *type_.shape[place:]))
    return _emit_view(scope, ("torch.unsqueeze", "Tensor.unsqueeze"), [ref, dim], {}, out)


@op("squeeze", exact=True)
def squeeze(scope: Scope) -> bool:
    picked = scope.operand(lambda type_: 1 in type_.shape, lambda: scope.fresh((*scope.shape(1), 1, *scope.shape(1))))
    if picked is None:
        return False
    ref, type_ = picked
    ones = [axis for axis, size in enumerate(type_.shape) if size == 1]
    form = scope.one_of(["all", "one", "another", "several"])
    gone: list[int] = ones
    args: list[Any] = []
    if form == "one":
        gone = [scope.one_of(ones)]
        args = [gone[0] - scope.one_of([0, type_.rank])]
    elif form == "another":
        dim = scope.dim(type_.rank)
        gone, args = [axis for axis in [dim % type_.rank] if axis in ones], [dim]
    elif form == "several":
        args = [tuple(ones)]
    out = type_.but(shape=tuple(size for axis, size in enumerate(type_.shape) if axis not in gone))
    return _emit_view(scope, ("torch.squeeze", "Tensor.squeeze"), [ref, *args], {}, out)


@op("expand", exact=True)
def expand(scope: Scope) -> bool:
    picked = scope.operand(lambda type_: type_.size <= 40)
    if picked is None:
        return False
    ref, type_ = picked
    shape = [scope.one_of(scope.sizes) if size == 1 else size for size in type_.shape]
    if len(shape) < 4 and scope.chance(2):
        shape.insert(0, scope.one_of(scope.sizes))
    if math.prod(shape) > MOST_ELEMENTS:
        return False
    kept = len(shape) - type_.rank
    written = [
        -1 if at >= kept and size == type_.shape[at - kept] and scope.chance(3) else size
        for at, size in enumerate(shape)
    ]
    out = type_.but(shape=tuple(shape), contiguous=False, writable=False)
    args = [tuple(written)] if not written or scope.chance(2) else written
    return _emit_view(scope, ("Tensor.expand",), [ref, *args], {}, out)


@op("getitem", exact=True)
def getitem(scope: Scope) -> bool:
    picked = scope.operand(lambda type_: type_.rank > 0)
    if picked is None:
        return False
    ref, type_ = picked
    index, shape = basic_index(scope, type_.shape)
    out = type_.but(shape=shape, contiguous=False)
    return _emit_view(scope, ("operator.getitem",), [ref, index], {}, out)


def basic_index(scope: Scope, shape: Shape) -> tuple[Any, Shape]:
    """Integers, slices, None and an ellipsis; and the shape that they select."""
    index: list[Any] = []
    result: list[int] = []
    for axis, size in enumerate(shape):
        form = scope.one_of(["all", "integer", "from", "step", "new", "rest"])
        if form == "rest":
            index.append(...)
            result += shape[axis:]
            break
        if form == "new":
            index.append(None)
            result.append(1)
        if form == "integer" and size:
            index.append(scope.draw_int(-size, size - 1))
            continue
        part = slice(None)
        if form == "from":
            part = slice(scope.draw_int(-size, size), None)
        elif form == "step":
            part = slice(scope.draw_int(0, size), scope.one_of([None, -1, size]), 2)
        index.append(part)
        result.append(len(range(*part.indices(size))))
    if len(index) == 1 and scope.chance(2):
        return index[0], tuple(result)
    return tuple(index), tuple(result)


@op("select by index", exact=True)
def gather_rows(scope: Scope) -> bool:
    """x[i] with a tensor of indices: a copy, whose gradient adds up where an index repeats."""
    picked = scope.operand(lambda type_: type_.rank > 0 and type_.shape[0] > 0 and type_.size <= 40)
    if picked is None:
        return False
    ref, type_ = picked
    size = type_.shape[0]
    shape = scope.shape(2)
    index, indices = scope.fresh(shape, "int64", lambda array: abs(array) % size)
    scope.types[index.name] = indices.but(writable=False)
    out = type_.but(shape=(*shape, *type_.shape[1:]), storage=-1, writable=True, contiguous=False)
    if not shape:
        # One index without dimensions selects like an integer: a view.
        out = out.but(storage=type_.storage, writable=type_.writable)
    if out.size > MOST_ELEMENTS:
        return False
    return _emit_view(scope, ("operator.getitem",), [ref, index], {}, out)


@op("setitem", exact=True)
def setitem(scope: Scope) -> bool:
    picked = scope.operand(lambda type_: type_.writable and type_.rank > 0 and type_.floating)
    if picked is None or not scope.chance(3):
        return False
    ref, type_ = picked
    index, shape = basic_index(scope, type_.shape)
    value: Any = scope.one_of([1.0, 0, None])
    written = type_.but(low=min(type_.low, 0), high=max(type_.high, 1), grad=False)
    if value is None:
        source = scope.operand(lambda other: other.shape == shape, lambda: scope.fresh(shape))
        if source is None or source[1].dtype not in FLOATING or source[1].storage == type_.storage:
            return False
        value, written = source
    scope.overwrite(type_.storage, written)
    scope.emit("operator.setitem", [ref, index, value], {}, rounds=False)
    return True


def _joined(scope: Scope, first: Type, same: bool, dim: int) -> list[tuple[Ref, Type]]:
    def fits(other: Type) -> bool:
        if not other.floating or other.rank != first.rank:
            return False
        pairs = enumerate(zip(first.shape, other.shape, strict=True))
        return all(one == two or (axis == dim and not same) for axis, (one, two) in pairs)

    picked = [scope.operand(fits, lambda: scope.fresh(first.shape)) for _ in range(scope.draw_int(0, 2))]
    return [each for each in picked if each is not None]


@op("cat", exact=True)
def cat(scope: Scope) -> bool:
    return _join(scope, "cat", least=1)


@op("stack", exact=True)
def stack(scope: Scope) -> bool:
    return _join(scope, "stack", least=0)


def _join(scope: Scope, name: str, least: int) -> bool:
    picked = scope.floating(lambda type_: type_.rank >= least)
    if picked is None:
        return False
    ref, first = picked
    rank = first.rank + (name == "stack")
    written = scope.draw_int(-rank, rank - 1)
    dim = written % rank
    others = _joined(scope, first, name == "stack", dim)
    types = [first, *(type_ for _, type_ in others)]
    if name == "cat":
        shape = (*first.shape[:dim], sum(type_.shape[dim] for type_ in types), *first.shape[dim + 1 :])
    else:
        shape = (*first.shape[:dim], len(types), *first.shape[dim:])
    if math.prod(shape) > MOST_ELEMENTS:
        return False
    tensors = [ref, *(other for other, _ in others)]
    args: list[Any] = [tensors if scope.chance(2) else tuple(tensors)]
    kwargs = {"dim": written} if written or scope.chance(2) else {}
    out = Type(
        shape,
        # Every operand counts alike here, 0-d or not.
        promote(*(type_.but(shape=(1,)) for type_ in types)),
        min(type_.low for type_ in types),
        max(type_.high for type_ in types),
        whole=all(type_.whole for type_ in types),
        grad=any(type_.grad for type_ in types),
        contiguous=False,
    )
    return _emit_view(scope, (f"torch.{name}",), args, kwargs, out)


@op("copy", exact=True)
def copy(scope: Scope) -> bool:
    picked = scope.operand()
    if picked is None:
        return False
    ref, type_ = picked
    name = scope.one_of(["clone", "detach", "contiguous", "double", "to"])
    if name == "detach":
        return _emit_view(scope, ("Tensor.detach",), [ref], {}, type_.but(grad=False, writable=False, storage=-1))
    out = type_.but(storage=-1, writable=True, contiguous=type_.contiguous)
    if name == "contiguous":
        # Itself, if it is in order already.
        out = type_.but(contiguous=True, writable=False)
    elif name in ("double", "to"):
        out = type_.but(dtype="float64", grad=type_.grad, writable=False)
        if name == "to":
            return _emit_view(scope, ("Tensor.to",), [ref, DType("float64")], {}, out)
    return _emit_view(scope, (f"Tensor.{name}",), [ref], {}, out)
