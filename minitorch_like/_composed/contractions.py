"""Einstein's sums, and products over chosen dimensions: permutations, views and one matrix product for each pair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from .._out_argument import into
from .._tensor import Tensor
from ..ops import TABLE
from ..ops._checks import wrap_dim
from ..ops._misfits import no_tensor, type_name
from ..ops._signature import Reader
from ..ops._table import python_value
from .numbers import PUBLIC

_ELLIPSIS = 52  # the label of all dimensions that have no letter
_NOTHING = "einsum(): must specify the equation string and at least one operand, or at least one operand and its subscripts list"


# -- the equation ------------------------------------------------------------------------------------------------------


def _label(letter: str) -> int:
    """A to Z are 0 to 25, a to z are 26 to 51."""
    return ord(letter) - ord("A") if letter.isupper() else ord(letter) - ord("a") + 26


def _letter(label: int) -> str:
    return chr(label + ord("A") if label < 26 else label - 26 + ord("a"))


def _is_letter(text: str) -> bool:
    return text.isascii() and text.isalpha()


def _bad_subscript(place: int) -> RuntimeError:
    return RuntimeError(
        f"einsum(): invalid subscript given at index {place} in the equation string, subscripts must be in [a-zA-Z]"
    )


def _operand_labels(equation: str, stop: int, count: int) -> list[list[int]]:
    """The labels of the dimensions of each operand."""
    labels: list[list[int]] = [[]]
    place = 0
    while place < stop:
        text = equation[place]
        if text == ".":
            if _ELLIPSIS in labels[-1]:
                raise RuntimeError(
                    f"einsum(): found '.' for operand {len(labels) - 1} for which an ellipsis was already found"
                )
            if equation[place : place + 3] != "...":
                raise RuntimeError(
                    f"einsum(): found '.' for operand {len(labels) - 1} that is not part of any ellipsis"
                )
            place += 2
            labels[-1].append(_ELLIPSIS)
        elif text == ",":
            labels.append([])
            if len(labels) > count:
                raise RuntimeError("einsum(): fewer operands were provided than specified in the equation")
        elif _is_letter(text):
            labels[-1].append(_label(text))
        elif text != " ":
            raise _bad_subscript(place)
        place += 1
    if len(labels) < count:
        raise RuntimeError("einsum(): more operands were provided than specified in the equation")
    return labels


def _check_ranks(labels: list[list[int]], operands: Sequence[Any]) -> None:
    for place, (own, operand) in enumerate(zip(labels, operands, strict=True)):
        if _ELLIPSIS not in own and len(own) != operand.ndim:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(own)}) does not match the number of dimensions "
                f"({operand.ndim}) for operand {place} and no ellipsis was given"
            )
        if _ELLIPSIS in own and len(own) - 1 > operand.ndim:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(own) - 1}) is more than the number of dimensions "
                f"({operand.ndim}) for operand {place}"
            )


def _output_labels(equation: str, start: int, counts: Counter[int]) -> list[int]:
    """Those after the arrow."""
    labels: list[int] = []
    place = start
    while place < len(equation):
        text = equation[place]
        if text == ".":
            if _ELLIPSIS in labels:
                raise RuntimeError("einsum(): found '.' for output but an ellipsis (...) was already found")
            if equation[place : place + 3] != "...":
                raise RuntimeError("einsum(): found '.' for output that is not part of any ellipsis (...)")
            place += 2
            labels.append(_ELLIPSIS)
        elif _is_letter(text):
            label = _label(text)
            if label in labels:
                raise RuntimeError(f"einsum(): output subscript {text} appears more than once in the output")
            if not counts[label]:
                raise RuntimeError(
                    f"einsum(): output subscript {text} does not appear in the equation for any input operand"
                )
            labels.append(label)
        elif text != " ":
            raise _bad_subscript(place)
        place += 1
    return labels


# -- operands with their dimensions in one order -------------------------------------------------------------------------


class _Order:
    """The common order of dimensions: those of the output first, then those that are summed over."""

    def __init__(self, output: list[int], counts: Counter[int], ellipsis: int) -> None:
        self.ellipsis = ellipsis
        self.first: dict[int, int] = {}
        size = 0
        for label in output:
            self.first[label] = size
            size += ellipsis if label == _ELLIPSIS else 1
        self.outer = size
        if _ELLIPSIS not in self.first:
            self.first[_ELLIPSIS] = size
            size += ellipsis
        for label in range(_ELLIPSIS):
            if counts[label] and label not in self.first:
                self.first[label] = size
                size += 1
        self.size = size

    def arranged(self, operand: Any, labels: list[int]) -> Any:
        """The operand with a dimension for each of the order, of size 1 where it has none; diagonals for repeated ones."""
        places = [-1] * self.size
        dim = 0
        for label in labels:
            if label == _ELLIPSIS:
                own = operand.ndim - (len(labels) - 1 - self._taken(labels, dim))
                for offset in range(own):
                    places[self.first[label] + self.ellipsis - own + offset] = dim
                    dim += 1
            elif places[self.first[label]] < 0:
                places[self.first[label]] = dim
                dim += 1
            else:
                kept = places[self.first[label]]
                operand = operand.diagonal(0, kept, dim).movedim(-1, kept)
        for place, dim in enumerate(places):
            if dim < 0:
                operand = operand.unsqueeze(-1)
                places[place] = operand.ndim - 1
        return operand.permute(places)

    @staticmethod
    def _taken(labels: list[int], dim: int) -> int:
        """How many of the labels before the ellipsis have lost their dimension to a diagonal by now."""
        return labels.index(_ELLIPSIS) - dim


def _check_sizes(operands: Sequence[Any], labels: list[list[int]], ellipsis: int) -> None:
    """RuntimeError where dimensions of one label have two sizes other than 1."""
    seen: dict[int, int] = {}
    for number, (operand, own) in enumerate(zip(operands, labels, strict=True)):
        dim, first = 0, dict[int, int]()
        for label in own:
            if label == _ELLIPSIS:
                covered = operand.ndim - (len(own) - 1)
                for place in range(ellipsis - covered, ellipsis):
                    _check_size(seen, _ELLIPSIS + place, operand.shape[dim], number, dim)
                    dim += 1
                continue
            if label in first:
                _check_diagonal(number, label, operand.shape[dim], operand.shape[first[label]])
            else:
                first[label] = dim
                _check_size(seen, label, operand.shape[dim], number, None)
            dim += 1


def _check_diagonal(number: int, label: int, size: int, before: int) -> None:
    if size != before:
        raise RuntimeError(
            f"einsum(): subscript {_letter(label)} is repeated for operand {number} but the sizes don't match, "
            f"{size} != {before}"
        )


def _check_size(seen: dict[int, int], label: int, size: int, number: int, place: int | None) -> None:
    before = seen.get(label, 1)
    if size not in (1, before) and before != 1:
        if place is None:
            raise RuntimeError(
                f"einsum(): subscript {_letter(label)} has size {size} for operand {number} which does not broadcast with "
                f"previously seen size {before}"
            )
        raise RuntimeError(
            f"einsum(): dimension {place} covered by ellipsis in operand {number}has size {size} which does not broadcast "
            f"with previously seen ellipsis with size {before} for the respective dimension"
        )
    if size != 1:
        seen[label] = size


# -- products ----------------------------------------------------------------------------------------------------------


def _product(left: Any, right: Any, sums: list[int]) -> Any:
    """The product of two operands of one rank, summed over dimensions, which stay with size 1.

    The dimensions are sorted into those that both have and keep, the left's own, the right's own and the summed ones; then
    one batched matrix product does it.
    """
    if not sums:
        return left * right
    both: list[int] = []
    of_left: list[int] = []
    of_right: list[int] = []
    for dim in range(left.ndim):
        wide, other = left.shape[dim] != 1, right.shape[dim] != 1
        if dim in sums:
            continue
        (both if wide and other else of_left if wide else of_right).append(dim)
    if of_left and of_right and of_left[0] > of_right[-1]:  # the other way round the result is contiguous
        left, right, of_left, of_right = right, left, of_right, of_left
    shape = [left.shape[dim] for dim in both + of_left] + [1] * len(sums) + [right.shape[dim] for dim in of_right]
    order = both + of_left + sums + of_right
    batches, inner = _extent(left, both), _extent(left, sums)
    a = left.permute(order).reshape((batches, _extent(left, of_left), inner))
    b = right.permute(both + sums + of_right + of_left).reshape((batches, inner, _extent(right, of_right)))
    result = TABLE["bmm"].apply(a, b).view(shape)
    return result.permute([order.index(dim) for dim in range(len(order))])


def _extent(operand: Any, dims: list[int]) -> int:
    size = 1
    for dim in dims:
        size *= operand.shape[dim]
    return size


def _contracted(operands: list[Any], order: _Order) -> Any:
    """The operands multiplied from the left, each dimension summed over when the last two that have it meet."""
    left = {dim: sum(each.shape[dim] != 1 for each in operands) for dim in range(order.outer, order.size)}
    result = operands[0]
    for operand in operands[1:]:
        sums: list[int] = []
        ours: list[int] = []
        theirs: list[int] = []
        for dim, having in left.items():
            if result.shape[dim] != 1 and operand.shape[dim] != 1:
                left[dim] -= 1
                if having == 2:
                    sums.append(dim)
                    left[dim] = 0
            elif having == 1 and (result.shape[dim] != 1 or operand.shape[dim] != 1):
                (ours if result.shape[dim] != 1 else theirs).append(dim)
                left[dim] = 0
        if ours:
            result = result.sum(tuple(ours), True)
        if theirs:
            operand = operand.sum(tuple(theirs), True)
        result = _product(result, operand, sums)
    if order.size == order.outer:
        return result
    if len(operands) > 1:
        return result.view(tuple(result.shape)[: order.outer])
    return result.sum(tuple(range(order.outer, order.size)))


def _einsum(equation: str, operands: Sequence[Any]) -> Any:
    if not operands:
        raise RuntimeError("einsum(): must provide at least one operand")
    arrow = equation.find("->")
    labels = _operand_labels(equation, len(equation) if arrow < 0 else arrow, len(operands))
    _check_ranks(labels, operands)
    counts = Counter(label for own in labels for label in own)
    ranks = [each.ndim - (len(own) - 1) for own, each in zip(labels, operands, strict=True) if _ELLIPSIS in own]
    if arrow >= 0:
        output = _output_labels(equation, arrow + 2, counts)
    else:
        output = [_ELLIPSIS] * bool(ranks) + [label for label in range(_ELLIPSIS) if counts[label] == 1]
    order = _Order(output, counts, max(ranks, default=0))
    _check_sizes(operands, labels, order.ellipsis)
    arranged = [order.arranged(each, own) for each, own in zip(operands, labels, strict=True)]
    return _contracted(arranged, order)


def einsum(*args: Any) -> Any:
    """The sum of products of elements that an equation in Einstein's notation describes: einsum("ij,jk->ik", a, b).

    Or of operands, each followed by the list of its labels, which are numbers below 52 and Ellipsis; last that of the result.
    """
    if len(args) < 2:
        raise ValueError(_NOTHING)
    if isinstance(args[0], Tensor):
        equation, operands = _from_lists(args)
    else:
        equation, operands = python_value(args[0]), args[1:]
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    if not isinstance(equation, str):
        raise TypeError(f"einsum(): argument 'equation' (position 1) must be str, not {type_name(equation)}")
    for place, each in enumerate(operands):
        if not isinstance(each, Tensor):
            raise TypeError(no_tensor(place, 1, each))
    return _einsum(equation, operands)


PUBLIC["einsum"] = einsum


def _from_lists(args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    equation = ",".join("".join(map(_text_of, labels)) for labels in args[1::2])
    if len(args) % 2:
        equation = ",".join("".join(map(_text_of, labels)) for labels in args[1:-1:2])
        equation += "->" + "".join(map(_text_of, args[-1]))
        return equation, args[:-1:2]
    return equation, args[::2]


def _text_of(label: Any) -> str:
    if label is Ellipsis:
        return "..."
    if label >= 0 and label < 26:
        return chr(ord("A") + label)
    if label >= 26 and label < 52:
        return chr(ord("a") + label - 26)
    raise ValueError("einsum(): subscript in subscript list is not within the valid range [0, 52)")


# -- tensordot ---------------------------------------------------------------------------------------------------------


def tensordot(a: Any, b: Any, dims: Any = 2, out: Tensor | None = None) -> Any:
    """The product of `a` and `b`, summed over the last `dims` of `a` and the first of `b`, or over two lists of dimensions."""
    first, second = _contracted_dims(a, b, dims)
    if len(first) != len(second):
        raise RuntimeError("both dimension lists should have same length")
    if a.dtype is not b.dtype:
        raise RuntimeError("both inputs should have same dtype")
    inner = 1
    x, y = a, b
    for one, two in zip(first, second, strict=True):
        sizes = a.shape[_wrapped(one, a)], b.shape[_wrapped(two, b)]
        if sizes[1] == 1:
            x = x.sum(one, True, dtype=a.dtype)
        elif sizes[0] == 1:
            y = y.sum(two, True, dtype=b.dtype)
        elif sizes[0] != sizes[1]:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {sizes[0]} in dim {one} and second has size "
                f"{sizes[1]} in dim {two}"
            )
        else:
            inner *= sizes[0]
    one_dims, two_dims = [_wrapped(each, a) for each in first], [_wrapped(each, b) for each in second]
    for each in (one_dims, two_dims):
        for dim in each:
            if each.count(dim) > 1:
                raise RuntimeError(f"dim {dim} appears multiple times in the list of dims")
    outer = [dim for dim in range(a.ndim) if dim not in one_dims]
    others = [dim for dim in range(b.ndim) if dim not in two_dims]
    shape = tuple(x.shape[dim] for dim in outer) + tuple(y.shape[dim] for dim in others)
    x, y = x.permute(outer + one_dims), y.permute(two_dims + others)
    rows, columns = _extent(x, list(range(len(outer)))), _extent(y, list(range(len(two_dims), b.ndim)))
    if rows == columns == 1:
        product = TABLE["dot"].apply(x.reshape((inner,)), y.reshape((inner,)))
    else:
        product = TABLE["mm"].apply(x.reshape((rows, inner)), y.reshape((inner, columns)))
    return into(out, product.reshape(shape), "tensordot")


PUBLIC["tensordot"] = tensordot


def _wrapped(dim: int, tensor: Any) -> int:
    if not tensor.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return wrap_dim(dim, tensor.ndim)


_DIMS = Reader("tensordot", ("(Tensor input, Tensor other, int[] dims_self, int[] dims_other, *, Tensor? out=None)",))


def _contracted_dims(a: Any, b: Any, dims: Any) -> tuple[list[int], list[int]]:
    """The dimensions of both that are summed over."""
    if not isinstance(dims, (tuple, list, Tensor, int)):
        raise RuntimeError(
            "tensordot expects dims to be int or tuple[list[int], list[int]] or list[list[int]] containing two lists, but "
            f"got dims={dims}"
        )
    if isinstance(dims, (tuple, list)):
        first, second = dims
        if not isinstance(first, (tuple, list)) or not isinstance(second, (tuple, list)):
            _DIMS.read((a, b, first, second), {})
        return list(first), list(second)
    if isinstance(dims, Tensor) and dims.numel() > 1:
        return dims[0].tolist(), dims[1].tolist()
    count = int(python_value(dims.reshape(()) if isinstance(dims, Tensor) else dims))
    if count < 0:
        raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
    if count > min(a.dim(), b.dim()):
        raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
    return list(range(-count, 0)), list(range(count))
