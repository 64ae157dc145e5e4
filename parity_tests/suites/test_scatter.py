"""Functions of an index: index_select and its kind, gather and scatter, masks, take and put, positions, where."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same
from parity_tests.suites._warnings import every_warning
from parity_tests.suites.test_indexing import attempt, numbered

seeds = st.integers(0, 2**32 - 1)
shapes = st.sampled_from([(3, 4), (5,), (2, 3, 4), (1, 3), (4, 1), (2, 2, 2, 2), (0, 3), (3, 0)])
several = settings(max_examples=4 * settings.default.max_examples)  # for tests that draw the function too
DTYPES = ["float32", "float64", "float16", "int64", "int32", "uint8", "bool", "complex64"]
dtypes = st.sampled_from(DTYPES)
real_dtypes = st.sampled_from(DTYPES[:-1])


def tensor(ns, array, dtype="float32"):
    """A tensor of this dtype; empty arrays keep their shape."""
    array = np.asarray(array)
    return ns.tensor(array.tolist(), dtype=getattr(ns, dtype)).reshape(array.shape)


def numbers(rng, shape, dtype="float32"):
    """Small numbers with ties, which no dtype rounds, and some zeros."""
    return rng.integers(0 if dtype in ("uint8", "bool") else -3, 4, shape) / (2 if dtype.startswith("float") else 1)


@st.composite
def along(draw):
    """A tensor, a dimension of it, an index tensor for `gather` and `scatter`, and a source."""
    shape = draw(shapes)
    dim = draw(st.integers(0, len(shape) - 1))
    sizes = [draw(st.integers(0 if n == 0 else 1, n)) for n in shape]
    sizes[dim] = draw(st.integers(0 if shape[dim] == 0 else 1, 5)) if shape[dim] else 0
    rng = np.random.default_rng(draw(seeds))
    index = rng.integers(0, max(shape[dim], 1), sizes)
    larger = [n + draw(st.integers(0, 1)) for n in sizes] if draw(st.booleans()) else sizes
    dim = dim - len(shape) if draw(st.booleans()) else dim
    return shape, dim, index, tuple(larger), rng


@st.composite
def slices(draw):
    """A tensor, a dimension of it, a vector of positions there, and the shape of what goes there."""
    shape = draw(shapes)
    dim = draw(st.integers(0, len(shape) - 1))
    rng = np.random.default_rng(draw(seeds))
    count = draw(st.integers(0, 5)) if shape[dim] else 0
    index = rng.integers(0, max(shape[dim], 1), count)
    return shape, dim, index, (*shape[:dim], count, *shape[dim + 1 :]), rng


def laid_out(x, transposed):
    """`x`, or the same values by columns."""
    return x.permute(tuple(range(x.ndim))[::-1]).contiguous().permute(tuple(range(x.ndim))[::-1]) if transposed else x


def exactly(torch, candidate, call, arrays, dtype, index, index_dtype, transposed, in_place):
    """Values, strides, nodes, versions and gradients of `call(ns, x, index, src)` are the same bit for bit."""

    def program(ns):
        leaves = [tensor(ns, each, dtype) for each in arrays]
        if dtype.startswith(("float", "complex")):
            for each in leaves:
                each.requires_grad_()
        x, *others = (laid_out(each.clone(), transposed) for each in leaves)
        result, messages = attempt(ns, lambda: call(ns, x, tensor(ns, index, index_dtype), *others))
        if getattr(result, "requires_grad", False):
            outcome = attempt(ns, lambda: result.backward(numbered(ns, result)))[0]
        else:
            outcome = None
        return result, x, x._version, [each.grad for each in leaves], messages, outcome, in_place and result is x

    same(torch, candidate, program)


OF_A_SOURCE = {
    "scatter": lambda ns, x, dim, index, src: x.scatter(dim, index, src),
    "scatter a number": lambda ns, x, dim, index, src: ns.scatter(x, dim, index, 2),
    "scatter_": lambda ns, x, dim, index, src: x.scatter_(dim, index, src),
    "scatter_ a number": lambda ns, x, dim, index, src: x.scatter_(dim, index, value=1.0),
    "scatter, added": lambda ns, x, dim, index, src: x.detach().scatter(dim, index, 2.0, reduce="add"),
    "scatter_, multiplied": lambda ns, x, dim, index, src: x.detach().scatter_(dim, index, 2, reduce="multiply"),
    "scatter_add": lambda ns, x, dim, index, src: x.scatter_add(dim, index, src),
    "scatter_add_": lambda ns, x, dim, index, src: x.scatter_add_(dim, index, src),
    "gather": lambda ns, x, dim, index, src: ns.gather(x, dim, index),
    "take_along_dim": lambda ns, x, dim, index, src: ns.take_along_dim(x, index - 1, dim),
}


@several
@given(
    name=st.sampled_from(sorted(OF_A_SOURCE)),
    case=along(),
    dtype=dtypes,
    index_dtype=st.sampled_from(["int64", "int64", "int32"]),
    transposed=st.booleans(),
)
def test_along_a_dimension(torch, candidate, name, case, dtype, index_dtype, transposed):
    shape, dim, index, size, rng = case
    if transposed:  # then a view is written to, and the error of a source that is too large has another name in it
        size = index.shape
    arrays = [numbers(rng, shape, dtype), numbers(rng, size, dtype)]
    exactly(
        torch,
        candidate,
        lambda ns, x, i, src: OF_A_SOURCE[name](ns, x, dim, i, src),
        arrays,
        dtype,
        index,
        index_dtype,
        transposed,
        True,
    )


OF_SLICES = {
    "index_select": lambda ns, x, dim, index, src: ns.index_select(x, dim, index),
    "index_add": lambda ns, x, dim, index, src: x.index_add(dim, index, src),
    "index_add, scaled": lambda ns, x, dim, index, src: ns.index_add(x, dim, index, src, alpha=2),
    "index_add_": lambda ns, x, dim, index, src: x.index_add_(dim, index, src, alpha=2),
    "index_copy": lambda ns, x, dim, index, src: x.index_copy(dim, index, src),
    "index_copy_": lambda ns, x, dim, index, src: x.index_copy_(dim, index, src),
    "index_fill": lambda ns, x, dim, index, src: x.index_fill(dim, index - 1, 1),
    "index_fill_": lambda ns, x, dim, index, src: x.index_fill_(dim, index, 2.0),
    "index_fill a tensor": lambda ns, x, dim, index, src: x.index_fill(dim, index, src.sum().to(x.dtype)),
}


@several
@given(
    name=st.sampled_from(sorted(OF_SLICES)),
    case=slices(),
    dtype=dtypes,
    index_dtype=st.sampled_from(["int64", "int64", "int32"]),
    transposed=st.booleans(),
)
def test_whole_slices(torch, candidate, name, case, dtype, index_dtype, transposed):
    shape, dim, index, size, rng = case
    arrays = [numbers(rng, shape, dtype), numbers(rng, size, dtype)]
    exactly(
        torch,
        candidate,
        lambda ns, x, i, src: OF_SLICES[name](ns, x, dim, i, src),
        arrays,
        dtype,
        index,
        index_dtype,
        transposed,
        True,
    )


REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


@given(
    case=along(),
    reduce=st.sampled_from(REDUCTIONS),
    include=st.booleans(),
    dtype=real_dtypes,
    written=st.booleans(),
)
def test_scatter_reduce(torch, candidate, case, reduce, include, dtype, written):
    shape, dim, index, _, rng = case
    arrays = [numbers(rng, shape, dtype), numbers(rng, index.shape, dtype)]

    def call(ns, x, i, src):
        return (x.scatter_reduce_ if written else x.scatter_reduce)(dim, i, src, reduce, include_self=include)

    exactly(torch, candidate, call, arrays, dtype, index, "int64", False, True)


@given(
    case=slices(),
    reduce=st.sampled_from(REDUCTIONS[1:]),
    include=st.booleans(),
    dtype=real_dtypes,
    written=st.booleans(),
)
def test_index_reduce(torch, candidate, case, reduce, include, dtype, written):
    shape, dim, index, size, rng = case
    arrays = [numbers(rng, shape, dtype), numbers(rng, size, dtype)]

    def call(ns, x, i, src):
        with warnings.catch_warnings():  # said once only, to whoever comes first
            warnings.simplefilter("ignore")
            return (x.index_reduce_ if written else x.index_reduce)(dim, i, src, reduce, include_self=include)

    exactly(torch, candidate, call, arrays, dtype, index, "int64", False, True)


TWICE = {
    "gather": lambda ns, x, i, s: ns.gather(x, 0, i),
    "scatter": lambda ns, x, i, s: x.scatter(0, i, s),
    "scatter_add": lambda ns, x, i, s: x.scatter_add(0, i, s),
    "scatter_reduce sum": lambda ns, x, i, s: x.scatter_reduce(0, i, s, "sum", include_self=False),
    "scatter_reduce prod": lambda ns, x, i, s: x.scatter_reduce(0, i, s, "prod"),
    "scatter_reduce prod of others": lambda ns, x, i, s: x.scatter_reduce(0, i, s, "prod", include_self=False),
    "scatter_reduce mean": lambda ns, x, i, s: x.scatter_reduce(0, i, s, "mean"),
    "scatter_reduce mean of others": lambda ns, x, i, s: x.scatter_reduce(0, i, s, "mean", include_self=False),
    "scatter_reduce amax": lambda ns, x, i, s: x.scatter_reduce(0, i, s, "amax"),
    "scatter_reduce amin of others": lambda ns, x, i, s: x.scatter_reduce(0, i, s, "amin", include_self=False),
    "index_reduce prod": lambda ns, x, i, s: x.index_reduce(0, i[:, 0], s, "prod"),
    "index_reduce mean": lambda ns, x, i, s: x.index_reduce(0, i[:, 0], s, "mean"),
    "index_reduce amax": lambda ns, x, i, s: x.index_reduce(0, i[:, 0], s, "amax"),
    "index_select": lambda ns, x, i, s: x.index_select(1, i[0]),
    "index_add": lambda ns, x, i, s: x.index_add(0, i[:, 0], s, alpha=3),
    "index_copy": lambda ns, x, i, s: x.index_copy(0, ns.tensor([2, 0]), s),
    "index_fill": lambda ns, x, i, s: x.index_fill(0, i[:1, 0], s.sum()),
    "index_put": lambda ns, x, i, s: x.index_put((ns.tensor([2, 0]),), s),
    "index_put, accumulated": lambda ns, x, i, s: x.index_put((i[:, 0],), s, accumulate=True),
    "masked_fill": lambda ns, x, i, s: x.masked_fill(x > 0, s.sum()),
    "masked_select": lambda ns, x, i, s: x.masked_select(x[:1] > 0),
    "masked_scatter": lambda ns, x, i, s: x.masked_scatter(ns.tensor([True, False, True]), s),
    "take": lambda ns, x, i, s: x.take(i * 4 - 3),
    "put": lambda ns, x, i, s: x.put(ns.tensor([0, -1, 4]), s.reshape(-1)[:3]),
    "put, accumulated": lambda ns, x, i, s: x.put(i, s, accumulate=True),
    "where": lambda ns, x, i, s: ns.where(x > 0, x * x, s[:1]),
    "take_along_dim": lambda ns, x, i, s: ns.take_along_dim(x, i[:1], 0),
    "written in place": lambda ns, x, i, s: (x * x).index_add_(0, i[:, 0], s * s),
    "scattered in place": lambda ns, x, i, s: (x * x).scatter_(0, i, s * s),
    "through a view": lambda ns, x, i, s: (x * x)[None][0].scatter_add_(0, i, s * s),
}


@pytest.mark.parametrize("call", TWICE.values(), ids=TWICE)
@pytest.mark.parametrize("seed", range(2))
def test_first_and_second_derivatives(torch, candidate, call, seed):
    rng = np.random.default_rng(seed)
    arrays = [np.asarray(rng.standard_normal(each), np.float32) for each in ((3, 3), (2, 3))]
    index, weights = rng.integers(0, 3, (2, 3)), np.asarray(rng.standard_normal((3, 3)), np.float32)

    def program(ns, tensor_of):
        x, s = (tensor_of(each, requires_grad=True) for each in arrays)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = call(ns, x, tensor(ns, index, "int64"), s)
        (first,) = ns.autograd.grad((result * result * result).sum(), x, create_graph=True)
        second = ns.autograd.grad((first * tensor_of(weights)).sum(), [x, s], allow_unused=True)
        return result, first, second

    agree(torch, candidate, program)


@pytest.mark.parametrize("zeros", [[0], [0, 1], [0, 2], [0, 1, 2], [3]])
@pytest.mark.parametrize("include", [True, False])
def test_products_with_zeros(torch, candidate, zeros, include):
    def program(ns):
        x = ns.tensor([2.0, 3.0, 0.0], requires_grad=True)
        values = [1.5, -2.0, 4.0, 5.0]
        s = ns.tensor([0.0 if at in zeros else value for at, value in enumerate(values)], requires_grad=True)
        result = x.scatter_reduce(0, ns.tensor([0, 0, 1, 2]), s, "prod", include_self=include)
        result.backward(ns.tensor([1.0, 2.0, 3.0]))
        return result, x.grad, s.grad

    same(torch, candidate, program)


MASKED = {
    "masked_fill": lambda ns, x, m, s: x.masked_fill(m, 2),
    "masked_fill a tensor": lambda ns, x, m, s: ns.masked_fill(x, m, s.sum().to(x.dtype)),
    "masked_fill_": lambda ns, x, m, s: x.masked_fill_(m, 1.0),
    "masked_select": lambda ns, x, m, s: x.masked_select(m),
    "masked_scatter": lambda ns, x, m, s: x.masked_scatter(m, s),
    "masked_scatter_": lambda ns, x, m, s: x.masked_scatter_(m, s),
    "where": lambda ns, x, m, s: ns.where(m, x, s.reshape(-1)[0]),
    "where, a number": lambda ns, x, m, s: x.where(m, 2),
    "index_put": lambda ns, x, m, s: x.index_put((m,), s.reshape(-1)[0]),
    "index_put_, accumulated": lambda ns, x, m, s: x.index_put_((m,), s.reshape(-1)[0], accumulate=True),
    "nonzero": lambda ns, x, m, s: (x.nonzero(), x.nonzero(as_tuple=True)) if x.numel() and x.any() else None,
    "argwhere": lambda ns, x, m, s: ns.argwhere(m) if m.any() else None,
}


@several
@given(
    name=st.sampled_from(sorted(MASKED)),
    shape=shapes,
    dtype=dtypes,
    seed=seeds,
    stretched=st.booleans(),
    transposed=st.booleans(),
)
def test_masks(torch, candidate, name, shape, dtype, seed, stretched, transposed):
    rng = np.random.default_rng(seed)
    mask = rng.integers(0, 2, shape[1:] if stretched and len(shape) > 1 else shape)
    arrays = [numbers(rng, shape, dtype), numbers(rng, (math.prod(shape) + 1,), dtype)]
    exactly(torch, candidate, MASKED[name], arrays, dtype, mask, "bool", transposed, True)


NUMBERED = {
    "take": lambda ns, x, i, s: ns.take(x, i),
    "put": lambda ns, x, i, s: ns.put(x, i, s),
    "put, accumulated": lambda ns, x, i, s: x.put(i, s, True),
    "put_": lambda ns, x, i, s: x.put_(i, s, accumulate=True),
    "take_along_dim": lambda ns, x, i, s: x.take_along_dim(i),
}


@several
@given(name=st.sampled_from(sorted(NUMBERED)), shape=shapes, dtype=dtypes, seed=seeds, transposed=st.booleans())
def test_numbers_of_elements(torch, candidate, name, shape, dtype, seed, transposed):
    rng = np.random.default_rng(seed)
    count = math.prod(shape)
    # Of repetitions, the last one in memory would stay.
    index = rng.permutation(count)[: count - count % 2].reshape(2, -1) - rng.integers(0, 2) * count
    arrays = [numbers(rng, shape, dtype), numbers(rng, index.shape, dtype)]
    exactly(torch, candidate, NUMBERED[name], arrays, dtype, index, "int64", transposed, True)


SUMS = {
    "scatter_add": lambda ns, x, i, s: x.scatter_add(0, i[:, None].expand(s.shape), s),
    "index_add": lambda ns, x, i, s: x.index_add(0, i, s),
    "index_put": lambda ns, x, i, s: x.index_put((i,), s, accumulate=True),
    "gather": lambda ns, x, i, s: x.gather(0, i[:, None].expand(s.shape)),
    "index_select": lambda ns, x, i, s: x.index_select(0, i),
    "scatter_reduce": lambda ns, x, i, s: x.scatter_reduce(0, i[:, None].expand(s.shape), s, "mean"),
}


@several
@given(name=st.sampled_from(sorted(SUMS)), seed=seeds, width=st.sampled_from([1, 3, 8, 40]))
def test_sums_bit_for_bit(torch, candidate, name, seed, width):
    """What meets in one place is added in the order of the index."""
    rng = np.random.default_rng(seed)
    arrays = [np.asarray(rng.standard_normal((n, width)), np.float32) for n in (5, 60)]
    exactly(torch, candidate, SUMS[name], arrays, "float32", rng.integers(0, 5, 60), "int64", False, False)


POSITIONS = {
    "nonzero": lambda ns, x: ns.nonzero(x),
    "of a scalar": lambda ns, x: (ns.nonzero(ns.tensor(1)), ns.argwhere(ns.tensor(2.0)), ns.nonzero(ns.tensor(0), as_tuple=True)),
    "of NaN and -0": lambda ns, x: ns.tensor([math.nan, -0.0, 0.0]).nonzero(),
    "where": lambda ns, x: ns.where(x),
    "where by keyword": lambda ns, x: ns.where(condition=x > 2),
    "nonzero_static": lambda ns, x: (ns.nonzero_static(x, size=3), x.nonzero_static(size=20, fill_value=9)),
    "unravel_index": lambda ns, x: ns.unravel_index(ns.tensor([[5, 11], [0, -1]]), (3, 4)),
    "unravel_index by an int": lambda ns, x: ns.unravel_index(ns.tensor(5, dtype=ns.int32), 12),
    "isin": lambda ns, x: (ns.isin(x, ns.tensor([1, 5])), ns.isin(x, 2.0, invert=True), ns.isin(2, x.long())),
    "isin with NaN": lambda ns, x: ns.isin(ns.tensor([math.nan, 1.0]), ns.tensor([math.nan, 1.0])),
    "out": lambda ns, x: ns.nonzero(x, out=ns.empty(0, dtype=ns.int64)),
    "gather out": lambda ns, x: ns.gather(x, 1, ns.tensor([[1], [0]]), out=ns.empty(0)),
    "index_select out": lambda ns, x: ns.index_select(x, 1, ns.tensor([1, 1]), out=ns.empty(0)),
    "scatter out": lambda ns, x: ns.scatter(x, 1, ns.tensor([[1], [0]]), 2.0, out=ns.empty(0)),
    "masked_select out": lambda ns, x: ns.masked_select(x, x > 3, out=ns.empty(0)),
    "where out": lambda ns, x: ns.where(x > 3, x, -x, out=ns.empty(0)),
    "take out": lambda ns, x: ns.take(x, ns.tensor([1, 2]), out=ns.empty(5)),
    "take_along_dim out": lambda ns, x: ns.take_along_dim(x, ns.tensor([[1]]), 1, out=ns.empty(0)),
    "where of numbers": lambda ns, x: (ns.where(x > 3, 1, 2), ns.where(x > 3, 1.5, 2), ns.where(x > 3, True, 2)),
    "where of dtypes": lambda ns, x: (ns.where(x > 3, x.long(), x), ns.where(x > 3, x.half(), 1), ns.where(x > 3, x.int(), 2.5)),
    "where of bytes": lambda ns, x: ns.where((x > 3).byte(), x, 0.0),
}  # fmt: skip


@pytest.mark.parametrize("call", POSITIONS.values(), ids=POSITIONS)
def test_positions(torch, candidate, call):
    same(torch, candidate, lambda ns: attempt(ns, lambda: call(ns, ns.arange(12.0).view(3, 4))))


WRONG = {
    "gather: rank": lambda ns, x, i, s: x.gather(0, i[0]),
    "gather: size": lambda ns, x, i, s: x.gather(0, i.repeat(1, 3)),
    "gather: range": lambda ns, x, i, s: x.gather(0, i + 2),
    "gather: negative": lambda ns, x, i, s: x.gather(0, i - 1),
    "gather: dtype": lambda ns, x, i, s: x.gather(0, i.short()),
    "gather: dim": lambda ns, x, i, s: x.gather(2, i),
    "gather: no tensor": lambda ns, x, i, s: x.gather(0, [0]),
    "gather: out and grad": lambda ns, x, i, s: ns.gather(x.requires_grad_(), 0, i, out=ns.empty(0)),
    "scatter: rank": lambda ns, x, i, s: x.scatter(0, i[0], s),
    "scatter: source": lambda ns, x, i, s: x.scatter(0, i, s[:1]),
    "scatter: size": lambda ns, x, i, s: x.scatter(1, i.repeat(3, 1), 1.0),
    "scatter: range": lambda ns, x, i, s: x.scatter(0, i + 2, s),
    "scatter: dtypes": lambda ns, x, i, s: x.scatter(0, i, s.double()),
    "scatter: index dtype": lambda ns, x, i, s: x.scatter(0, i.float(), s),
    "scatter: reduce": lambda ns, x, i, s: x.scatter(0, i, 1.0, reduce="mean"),
    "scatter: number": lambda ns, x, i, s: x.scatter(0, i, 1e300),
    "scatter: nothing": lambda ns, x, i, s: x.scatter(0, i),
    "scatter: text": lambda ns, x, i, s: x.scatter(0, i, "a"),
    "scatter: derivative": lambda ns, x, i, s: x.requires_grad_().scatter(0, i, 1.0, reduce="add").sum().backward(),
    "scatter: larger source": lambda ns, x, i, s: x.scatter(0, i, s.repeat(2, 2).requires_grad_()).sum().backward(),
    "scatter_: onto itself": lambda ns, x, i, s: x.scatter_(0, i, x),
    "scatter_: expanded": lambda ns, x, i, s: x[:1].expand(3, 4).scatter_(0, i, 1.0),
    "scatter_: leaf": lambda ns, x, i, s: x.requires_grad_().scatter_(0, i, 1.0),
    "scatter_add: number": lambda ns, x, i, s: x.scatter_add(0, i, 1.0),
    "scatter_reduce: mode": lambda ns, x, i, s: x.scatter_reduce(0, i, s, "add"),
    "scatter_reduce: no mode": lambda ns, x, i, s: x.scatter_reduce(0, i, s),
    "scatter_reduce: bool mean": lambda ns, x, i, s: x.bool().scatter_reduce(0, i, s.bool(), "mean"),
    "index_select: rank": lambda ns, x, i, s: x.index_select(0, i),
    "index_select: range": lambda ns, x, i, s: x.index_select(0, i[1] + 3),
    "index_select: negative": lambda ns, x, i, s: x.index_select(0, -i[1]),
    "index_select: dtype": lambda ns, x, i, s: x.index_select(0, i[0].float()),
    "index_select: scalar": lambda ns, x, i, s: x[0, 0].index_select(0, i[0]),
    "index_select: empty": lambda ns, x, i, s: x[:0].index_select(0, i[0]),
    "index_add: dtype": lambda ns, x, i, s: x.index_add(0, i[0], s.double()),
    "index_add: shape": lambda ns, x, i, s: x.index_add(0, i[0], s),
    "index_add: count": lambda ns, x, i, s: x.index_add(0, i[0], x),
    "index_add: range": lambda ns, x, i, s: x.index_add(0, i[0] + 2, x[:2].clone()),
    "index_add: rank": lambda ns, x, i, s: x.index_add(0, i, x[:2]),
    "index_add: scalar": lambda ns, x, i, s: x.index_add(0, i[0], s[0, 0]),
    "index_add: alpha": lambda ns, x, i, s: x.index_add(0, i[0], x[:2], 2),
    "index_copy: dtype": lambda ns, x, i, s: x.index_copy(0, i[0].int(), x[:2]),
    "index_copy: range": lambda ns, x, i, s: x.index_copy(0, i[0] - 1, x[:2]),
    "index_copy: shape": lambda ns, x, i, s: x.index_copy(0, i[0], s),
    "index_copy: count": lambda ns, x, i, s: x.index_copy(0, i[0], x),
    "index_copy: ranks": lambda ns, x, i, s: x.index_copy(0, i[0], x[None]),
    "index_copy: scalar": lambda ns, x, i, s: x.index_copy(0, i[0], s[0, 0]),
    "index_fill: dtype": lambda ns, x, i, s: x.index_fill(0, i[0].int(), 1),
    "index_fill: range": lambda ns, x, i, s: x.index_fill(0, i[0] + 2, 1),
    "index_fill: value": lambda ns, x, i, s: x.index_fill(0, i[0], s[0]),
    "index_fill: complex": lambda ns, x, i, s: x.index_fill(0, i[0], 1j),
    "index_fill_: expanded": lambda ns, x, i, s: x[:1].expand(3, 4).index_fill_(0, i[0], 1),
    "index_reduce: mode": lambda ns, x, i, s: x.index_reduce(0, i[0], x[:2], "sum"),
    "index_reduce: range": lambda ns, x, i, s: x.index_reduce(0, i[0] + 2, x[:2], "amax"),
    "index_put: too many": lambda ns, x, i, s: x.index_put((i, i, i), s),
    "index_put: shape": lambda ns, x, i, s: x.index_put((i[0],), s[0]),
    "index_put: None": lambda ns, x, i, s: x.index_put((i[0], None), s),
    "index_put: number": lambda ns, x, i, s: x.index_put((i[0],), 1.0),
    "index_put: dtype": lambda ns, x, i, s: x.index_put((i[0],), s[0, 0].double()),
    "index_put: range": lambda ns, x, i, s: x.index_put((i[0] + 2,), s[0, 0]),
    "index_put: bytes": lambda ns, x, i, s: x.index_put(((x > 1).byte(),), s[0, 0]),
    "index_put_: part of itself": lambda ns, x, i, s: x.index_put_((i[0],), x[0]),
    "masked_fill: dtype": lambda ns, x, i, s: x.masked_fill(x.byte(), 1),
    "masked_fill: shape": lambda ns, x, i, s: x.masked_fill(x[:2] > 1, 1),
    "masked_fill: value": lambda ns, x, i, s: x.masked_fill(x > 1, s),
    "masked_fill: number": lambda ns, x, i, s: x.byte().masked_fill(x > 1, 300),
    "masked_fill_: broadcast": lambda ns, x, i, s: x.masked_fill_(x[None] > 1, 1),
    "masked_select: dtype": lambda ns, x, i, s: x.masked_select(x.long()),
    "masked_select: shape": lambda ns, x, i, s: x.masked_select(x[:2] > 1),
    "masked_scatter: few": lambda ns, x, i, s: x.masked_scatter(x > 1, s),
    "masked_scatter: dtypes": lambda ns, x, i, s: x.masked_scatter(x > 1, s.long()),
    "masked_scatter: mask": lambda ns, x, i, s: x.masked_scatter(x.long(), s),
    "take: range": lambda ns, x, i, s: x.take(i + 11),
    "take: dtype": lambda ns, x, i, s: x.take(i.int()),
    "take: empty": lambda ns, x, i, s: x[:0].take(i),
    "put: count": lambda ns, x, i, s: x.put(i, s[:1]),
    "put: dtype": lambda ns, x, i, s: x.put(i, s.double()),
    "put: range": lambda ns, x, i, s: x.put(i - 13, s),
    "take_along_dim: rank": lambda ns, x, i, s: ns.take_along_dim(x, i[0], 0),
    "take_along_dim: dtype": lambda ns, x, i, s: ns.take_along_dim(x, i.int(), 0),
    "take_along_dim: shape": lambda ns, x, i, s: ns.take_along_dim(x, i, 1),
    "nonzero: positional": lambda ns, x, i, s: ns.nonzero(x, True),
    "nonzero: list": lambda ns, x, i, s: ns.nonzero([1]),
    "nonzero: out": lambda ns, x, i, s: ns.nonzero(x, out=ns.empty(0)),
    "nonzero_static: size": lambda ns, x, i, s: ns.nonzero_static(x, size=-1),
    "unravel_index: floats": lambda ns, x, i, s: ns.unravel_index(x, (3, 4)),
    "unravel_index: negative": lambda ns, x, i, s: ns.unravel_index(i, (3, -4)),
    "unravel_index: shape": lambda ns, x, i, s: ns.unravel_index(i, (3.0, 4)),
    "isin: bool": lambda ns, x, i, s: ns.isin(x > 1, x),
    "isin: numbers": lambda ns, x, i, s: ns.isin(1, 2),
    "where: dtype": lambda ns, x, i, s: ns.where(x.long(), x, x),
    "where: shape": lambda ns, x, i, s: ns.where(x > 1, x, s),
    "where: two": lambda ns, x, i, s: ns.where(x > 1, x),
    "where: array": lambda ns, x, i, s: ns.where(x > 1, x, np.ones(4)),
    "where: condition": lambda ns, x, i, s: ns.where(True, x, x),
    "where: text": lambda ns, x, i, s: ns.where(x > 1, x, "a"),
    "where: out": lambda ns, x, i, s: ns.where(x > 1, x, x, out=ns.empty(0).double()),
}


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG)
def test_errors(torch, candidate, call):
    """The error is torch's, and the operands are as they were."""

    def program(ns):
        x, i, s = ns.arange(12.0).view(3, 4), ns.tensor([[0, 1], [2, 0]]), ns.ones(2, 2)
        return attempt(ns, lambda: call(ns, x, i, s)), x.detach(), i, s

    with every_warning(torch, candidate):  # also what another test has been warned of
        same(torch, candidate, program)


def test_sparse_gradients_are_refused(candidate):
    if candidate.__name__ != "minitorch_like":
        pytest.skip("says what minitorch_like does not have")
    with pytest.raises(NotImplementedError, match="sparse_grad=True is not supported"):
        candidate.ones(2, 2).gather(0, candidate.tensor([[0]]), sparse_grad=True)


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", ["prod", "mean", "amax", "amin"])
@pytest.mark.parametrize("name", ["scatter_reduce", "index_reduce"])
def test_gradients_of_reductions_into_a_number(torch, candidate, name, reduce, include_self):
    def program(ns):
        x, source = (ns.tensor(value, dtype=ns.float64, requires_grad=True) for value in (2.0, -3.0))
        index = ns.tensor([0] if name == "index_reduce" else 0)
        y = getattr(x, name)(0, index, source, reduce, include_self=include_self)
        return y, *ns.autograd.grad(y, [x, source])

    agree(torch, candidate, program)


STEPS = {
    "rows": lambda ns, x, i: x[i].sum(),
    "places": lambda ns, x, i: (x[ns.arange(4), i] ** 2).sum(),
    "gather": lambda ns, x, i: (x.gather(1, i[:, None]) ** 2).sum(),
    "scatter_add": lambda ns, x, i: (ns.zeros(4, 5).scatter_add(0, i[:, None].expand(4, 5), x) ** 2).sum(),
    "index_add": lambda ns, x, i: (ns.zeros(4, 5).index_add(0, i, x * x, alpha=2) ** 2).sum(),
    "scatter_reduce": lambda ns, x, i: x.scatter_reduce(0, i[:, None].expand(4, 5), x * x, "mean").sum(),
    "masked_fill": lambda ns, x, i: (x * x).masked_fill(i[:, None] > 1, 0.5).sum(),
    "index_fill": lambda ns, x, i: (x * x).index_fill(0, i, 0.5).sum(),
    "take": lambda ns, x, i: (x * x).take(i * 2).sum(),
}


@pytest.mark.parametrize("loss", STEPS.values(), ids=STEPS)
def test_a_compiled_step_equals_eager_bit_for_bit(candidate, loss):
    if candidate.__name__ != "minitorch_like":
        pytest.skip("a property of minitorch_like's compiler")

    def trained(prepare):
        candidate.manual_seed(0)
        x = candidate.randn(4, 5).requires_grad_()
        i = candidate.tensor([0, 2, 1, 3])
        optimizer = candidate.optim.SGD([x], lr=0.1)

        def step():
            optimizer.zero_grad()
            value = loss(candidate, x, i)
            value.backward()
            optimizer.step()
            return value

        step = prepare(step)
        for number in range(5):
            i[0] = number % 4  # a plan reads the index anew
            step()
        return x.detach()

    assert candidate.equal(trained(lambda step: step), trained(candidate.compile))
