"""Pooling: the maximum, or the mean, of every window.

Both are computed one dimension after the other, in as many steps as a window has rows and columns, not elements.
Which element a maximum came from is not remembered but, when a gradient asks for it, found again by comparing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ._checks import title
from ._formats import is_channels_last
from ._table import Array, op
from ._windows import Along, Index, Shape, buffer, places, row_major
from .elementwise import zeros_of
from .indexing import gather
from .shape import clone, reshape


class Pool:
    """The windows over the last dimensions of a tensor, which are of `size`, and what is done with them.

    Attributes:
        outputs: how many windows there are along each dimension.
        along: for each dimension, the places in a window.
        steps: the same as indices of outputs and inputs, and whether all outputs have one.
        disjoint: for each dimension, whether the windows have no element in common.
        covers: whether every element is in a window.
        divisor: what the sum of a window is divided by: a number, or an array of `outputs`.
        keeps_format: whether the results for channels-last images are so, too.
        trivial: for each dimension, whether every window is the one element at its place.
        node: torch's name of the graph node.
        kernel, dtypes: torch's name of the kernel, and NumPy's characters of the dtypes that it exists for.
    """

    __slots__ = (
        "_places",
        "along",
        "covers",
        "disjoint",
        "divisor",
        "dtypes",
        "keeps_format",
        "kernel",
        "node",
        "outputs",
        "size",
        "steps",
        "trivial",
    )

    def __init__(
        self,
        size: Shape,
        outputs: Shape,
        along: list[Along],
        *,
        node: str,
        kernel: str,
        dtypes: str,
        divisor: Any = 1,
        keeps_format: bool = True,
    ) -> None:
        self.size, self.outputs, self.divisor = size, outputs, divisor
        self.node, self.kernel, self.dtypes = node, kernel, dtypes
        behind = range(len(size) - 1, -1, -1)
        self.steps = [_steps(*each) for each in zip(along, outputs, behind, strict=True)]
        reads = [by_signature(*each) for each in zip(along, size, strict=True)]
        self.disjoint = [len(each) == len(set(each)) for each in reads]
        self.covers = all(len(set(each)) == n for each, n in zip(reads, size, strict=True))
        self.trivial = [
            n == count and each == list(range(n)) and len(steps) == 1
            for each, n, count, steps in zip(reads, size, outputs, self.steps, strict=True)
        ]
        self.keeps_format = keeps_format
        self.along = along
        self._places: list[tuple[Index, Index]] | None = None

    def places(self) -> list[tuple[Index, Index]]:
        """The places in a window, row by row, as indices of outputs and inputs."""
        if self._places is None:
            self._places = [((..., *outputs), (..., *inputs)) for _, outputs, inputs in places(self.along)]
        return self._places

    def check_dtype(self, x: Array) -> None:
        if x.dtype.char not in self.dtypes:
            raise NotImplementedError(f"\"{self.kernel}\" not implemented for '{title(x)}'")


def _steps(along: Along, count: int, behind: int) -> list[tuple[Index, Index, bool]]:
    """The places along a dimension that has so many others behind it; see `Pool.steps`."""
    rest = (slice(None),) * behind
    every = range(count)
    return [((..., pair[0], *rest), (..., pair[1], *rest), every[pair[0]] == every) for pair in along if pair]


def by_signature(along: Along, size: int) -> list[int]:
    """The elements along a dimension that the windows read, as often as they do."""
    return [element for pair in along if pair for element in range(size)[pair[1]]]


def _with_size(x: Array, pool: Pool, dim: int, size: int) -> Array:
    """Memory for x with another size of the pooled dimension `dim`."""
    axis = x.ndim - len(pool.size) + dim
    return buffer(x, (*x.shape[:axis], size, *x.shape[axis + 1 :]))


def _reduced(ufunc: np.ufunc, x: Array, pool: Pool, empty: Any) -> Array:
    """Every window of x (..., *size) reduced to one element of (..., *outputs); of nothing, to `empty`.

    What comes later is the first operand: of 0. and -0. NumPy's maximum is the second.
    """
    given = x
    for dim, steps in enumerate(pool.steps):
        if pool.trivial[dim]:
            continue
        out = _with_size(x, pool, dim, pool.outputs[dim])
        started = 2 if all(whole for *_, whole in steps[:2]) and len(steps) > 1 else 0
        if started:
            ufunc(x[steps[1][1]], x[steps[0][1]], out=out)
        else:
            out.fill(empty)
        for outputs, inputs, _ in steps[started:]:
            target = out[outputs]
            ufunc(x[inputs], target, out=target)
        x = out
    return x.copy() if x is given else x


def _in_format(x: Array, pool: Pool) -> bool:
    """Whether torch pools x (N, C, *size) channels last."""
    return pool.keeps_format and x.ndim == len(pool.size) + 2 and is_channels_last(x)


# -- means ----------------------------------------------------------------------------------------------------------


def _divided(total: Array, divisor: Any) -> Array:
    """`total`, which is overwritten, over the divisor; integers are rounded towards zero."""
    if isinstance(divisor, np.ndarray):
        divisor = divisor.astype(total.dtype)
    if total.dtype.kind == "f":
        return np.true_divide(total, divisor, out=total)
    return np.sign(total) * np.sign(divisor) * (np.abs(total) // np.abs(divisor))


@op(
    "(Tensor input, object pool)",
    node=lambda input, pool: pool.node,
    namespace="internal",
    format_of=0,
    in_format=_in_format,
    input=lambda g, input, pool: avg_pool_gradient(g, input, pool),
)
def avg_pool(input: Array, pool: Pool) -> Array:
    """(..., *size) -> (..., *outputs)."""
    pool.check_dtype(input)
    if input.dtype.char == "e":  # summed in float32, as torch does
        return avg_pool.kernel(input.astype(np.float32), pool).astype(np.float16)
    return _divided(_reduced(np.add, input, pool, 0), pool.divisor)


@op(
    "(Tensor grad, Tensor input, object pool)",
    arity=2,
    node=lambda grad, input, pool: f"{pool.node[:-1]}Backward0",
    namespace="internal",
    format_of=1,
    in_format=lambda grad, input, pool: _in_format(input, pool),
    grad=lambda g, pool: avg_pool(g, pool),
    input=lambda g: zeros_of(g),
)
def avg_pool_gradient(grad: Array, input: Array, pool: Pool) -> Array:
    """Each mean's gradient, shared among its window.  That the input has no part in it does not show in torch either."""
    divisor = pool.divisor
    x = np.true_divide(grad, divisor.astype(grad.dtype) if isinstance(divisor, np.ndarray) else divisor)
    for dim in reversed(range(len(pool.size))):
        if pool.trivial[dim]:
            continue
        result = _with_size(x, pool, dim, pool.size[dim])
        result.fill(0)
        for outputs, inputs, _ in pool.steps[dim]:
            target = result[inputs]
            if pool.disjoint[dim]:
                np.copyto(target, x[outputs])
            else:
                np.add(target, x[outputs], out=target)
        x = result
    return row_major(x)


# -- maxima ---------------------------------------------------------------------------------------------------------


def _winners(x: Array, out: Array, pool: Pool) -> Iterator[tuple[Index, Index, Array]]:
    """For each place: the outputs and the inputs there, and which of these maxima are from there.

    They are from the first place of a window that equals the maximum or, as in torch, the last that is NaN.
    """
    places = pool.places()
    nans = None
    if out.dtype.kind == "f" and out.size and np.isnan(np.maximum.reduce(out, axis=None)):
        pending = _all_of(out)
        nans = [_claimed(pending[outputs], np.isnan(x[inputs])) for outputs, inputs in reversed(places)][::-1]
    pending = _all_of(out)
    for number, (outputs, inputs) in enumerate(places):
        won = _claimed(pending[outputs], np.equal(x[inputs], out[outputs]))
        yield outputs, inputs, won if nans is None else np.logical_or(won, nans[number])


def _all_of(x: Array) -> Array:
    result = buffer(x, x.shape, np.bool_)
    result.fill(True)
    return result


def _claimed(pending: Array, candidates: Array) -> Array:
    """Those of the candidates that are pending, which they no longer are afterwards."""
    np.logical_and(candidates, pending, out=candidates)
    np.greater(pending, candidates, out=pending)
    return candidates


def _keep(x: Array, mask: Array, out: Array) -> None:
    """`out` becomes `x` where `mask` holds, and elsewhere 0, whatever there is: the product of the bits."""
    bits = f"i{x.itemsize}"
    np.multiply(x.view(bits), mask, out=out.view(bits))


def _lowest(dtype: np.dtype[Any]) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _maxima(input: Array, pool: Pool) -> Array:
    pool.check_dtype(input)
    return _reduced(np.maximum, input, pool, _lowest(input.dtype))


def _max_pool_input(g: Any, input: Any, maxima: Any, pool: Pool) -> Any:
    if maxima is None:  # and torch knows the places of the maxima: what is in the input later is all the same to it
        input = clone(input)
        maxima = max_pool(input, pool)
    return max_pool_gradient(g, input, maxima, pool)


# The maxima are kept in a copy: unlike torch's indices, the result itself may be written to, as by a ReLU in place.
@op(
    "(Tensor input, object pool)",
    node=lambda input, pool: pool.node,
    keeps=("maxima",),
    namespace="internal",
    format_of=0,
    in_format=_in_format,
    input=_max_pool_input,
)
def max_pool(input: Array, pool: Pool) -> tuple[Array, Array]:
    """(..., *size) -> (..., *outputs); NaN is greater than all else."""
    out = _maxima(input, pool)
    return out, out.copy()


@op(
    "(Tensor input, object pool)",
    node=lambda input, pool: pool.node,
    outputs=("out", "indices"),
    keeps=("maxima",),
    saves=("indices",),
    namespace="internal",
    format_of=0,
    in_format=_in_format,
    input=_max_pool_input,
)
def max_pool_with_indices(input: Array, pool: Pool) -> tuple[Array, Array, Array]:
    """The maxima, and the number of each in its plane (*size), counted row by row."""
    out = _maxima(input, pool)
    numbers = np.arange(np.prod(pool.size, dtype=np.int64)).reshape(pool.size)
    indices = buffer(out, out.shape, np.int64)
    indices.fill(0)
    for outputs, inputs, won in _winners(input, out, pool):
        np.copyto(indices[outputs], numbers[inputs], where=won)
    return out, indices, out.copy()


@op(
    "(Tensor grad, Tensor input, Tensor result, object pool)",
    arity=3,
    node=lambda grad, input, result, pool: f"{pool.node[:-1]}Backward0",
    namespace="internal",
    format_of=1,
    in_format=lambda grad, input, result, pool: _in_format(input, pool),
    grad=lambda g, input, result, pool: max_pool_pick(g, input, result, pool),
    input=lambda g: zeros_of(g),
)
def max_pool_gradient(grad: Array, input: Array, result: Array, pool: Pool) -> Array:
    """Each maximum's gradient at the element that it came from."""
    x = buffer(grad, input.shape)
    disjoint = all(pool.disjoint)
    if not (disjoint and pool.covers):
        x.fill(0)
    part = None if disjoint else buffer(grad, grad.shape)
    for outputs, inputs, won in _winners(input, result, pool):
        target = x[inputs]
        if part is None:
            _keep(grad[outputs], won, target)
        else:
            _keep(grad[outputs], won, part[outputs])
            np.add(target, part[outputs], out=target)
    return x


@op(
    "(Tensor values, Tensor input, Tensor result, object pool)",
    arity=3,
    node=lambda values, input, result, pool: pool.node,
    namespace="internal",
    values=lambda g, input, result, pool: max_pool_gradient(g, input, result, pool),
    input=lambda g, input: zeros_of(input),
)
def max_pool_pick(values: Array, input: Array, result: Array, pool: Pool) -> Array:
    """Of `values`, which are like the input, those where the maxima came from."""
    out = buffer(values, result.shape)
    out.fill(0)
    for outputs, inputs, won in _winners(input, result, pool):
        np.copyto(out[outputs], values[inputs], where=won)
    return out


# -- back from maxima -----------------------------------------------------------------------------------------------


def _numbers(indices: Array, size: Shape) -> Array:
    """The indices in planes of `size`, (..., *outputs), as numbers in the whole tensor (planes, outputs)."""
    plane = math.prod(size)
    rows = indices.reshape(math.prod(indices.shape[: -len(size)]), math.prod(indices.shape[-len(size) :]))
    if rows.size and (np.minimum.reduce(rows, axis=None) < 0 or np.maximum.reduce(rows, axis=None) >= plane):
        outside = rows[(rows < 0) | (rows >= plane)]
        volume = "x".join(map(str, size if len(size) > 1 else (*size, 1)))
        raise RuntimeError(f"Found an invalid max index: {outside[0]} (output volumes are of size {volume})")
    return rows + plane * np.arange(len(rows)).reshape(-1, 1)


def _at_indices(g: Any, indices: Any, size: Shape) -> Any:
    """(..., *size) -> (..., *outputs): the elements at the places that `indices` gives, some perhaps several times."""
    lead, outputs = tuple(indices.shape[: -len(size)]), tuple(indices.shape[-len(size) :])
    planes, places = (*lead, math.prod(size)), (*lead, math.prod(outputs))
    return reshape(gather(reshape(g, planes), reshape(indices, places), len(lead)), (*lead, *outputs))


@op(
    "(Tensor input, Tensor indices, int[] size)",
    arity=2,
    node=lambda input, indices, size: f"MaxUnpool{len(size)}DBackward0",
    namespace="internal",
    format_of=0,
    in_format=lambda input, indices, size: len(size) == 2 and is_channels_last(input),
    input=lambda g, indices, size: _at_indices(g, indices, size),
)
def max_unpool(input: Array, indices: Array, size: Shape) -> Array:
    """(..., *outputs) -> (..., *size): each element at the place in its plane that `indices` gives, elsewhere 0."""
    numbers = _numbers(indices, size)
    result = buffer(input, (*input.shape[: -len(size)], *size))
    result.fill(0)
    result.reshape(result.size)[numbers] = input.reshape(numbers.shape)
    return result
