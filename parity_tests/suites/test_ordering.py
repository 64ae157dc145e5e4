"""Sorting and selecting: values, and of equal elements the very indices that torch's algorithms leave behind."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same

DTYPES = ("float32", "float64", "int64", "int32", "uint8", "bool", "float16", "bfloat16")
SHAPES = ((), (1,), (5,), (17,), (40,), (300,), (3, 20), (20, 3), (2, 30, 2), (2, 0), (0, 2))


@st.composite
def tensors(draw, *, nans=True):
    """A function that makes the same tensor in either world: with many ties, perhaps NaNs, in some layout."""
    shape, dtype = draw(st.sampled_from(SHAPES)), draw(st.sampled_from(DTYPES))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    values = rng.integers(0, draw(st.sampled_from([2, 5, 30, 1000])), shape).astype(np.float32)
    if nans and draw(st.booleans()):
        values = np.where(rng.random(shape) < 0.2, np.nan, values).astype(np.float32)
    transposed = draw(st.booleans()) and len(shape) > 1 and 0 not in shape

    def make(ns):
        tensor = ns.from_numpy(values.copy()) if shape else ns.tensor(float(values))
        tensor = tensor.to(getattr(ns, dtype))
        return tensor.transpose(0, -1).contiguous().transpose(0, -1) if transposed else tensor

    return make


dims = st.integers(-3, 2)
flags = st.booleans()


def laid(results):
    """The results, and how they lie where there is something that lies."""
    return results, [each.stride() for each in results if each.numel()]


@settings(max_examples=300)
@given(x=tensors(), dim=dims, descending=flags, stable=st.sampled_from([True, False, None, ...]))
def test_sort(torch, candidate, x, dim, descending, stable):
    options = {} if stable is ... else {"stable": stable}
    same(torch, candidate, lambda ns: laid(ns.sort(x(ns), dim=dim, descending=descending, **options)))


@given(x=tensors(), dim=dims, descending=flags)
def test_argsort_and_msort(torch, candidate, x, dim, descending):
    same(
        torch,
        candidate,
        lambda ns: (x(ns).argsort(dim, descending), x(ns).argsort(dim=dim, stable=True), ns.msort(x(ns))),
    )


@settings(max_examples=300)
@given(x=tensors(), k=st.sampled_from([0, 1, 2, 3, 5, 17, 40]), dim=dims, largest=flags, ordered=flags)
def test_topk(torch, candidate, x, k, dim, largest, ordered):
    same(torch, candidate, lambda ns: laid(x(ns).topk(k, dim, largest, ordered)))


@settings(max_examples=200)
@given(x=tensors(), k=st.integers(0, 20), dim=dims, keepdim=flags)
def test_kthvalue(torch, candidate, x, k, dim, keepdim):
    same(torch, candidate, lambda ns: laid(x(ns).kthvalue(k, dim, keepdim)))


@settings(max_examples=200)
@pytest.mark.parametrize("name", ["median", "nanmedian"])
@given(x=tensors(), dim=dims, keepdim=flags)
def test_median(torch, candidate, name, x, dim, keepdim):
    same(torch, candidate, lambda ns: laid(getattr(ns, name)(x(ns), dim, keepdim)))
    same(torch, candidate, lambda ns: getattr(ns, name)(x(ns)))


@settings(max_examples=200)
@given(x=tensors(nans=False), dim=dims, keepdim=flags)
def test_mode(torch, candidate, x, dim, keepdim):
    same(torch, candidate, lambda ns: laid(ns.mode(x(ns), dim, keepdim)))


LONG = {
    "floats": lambda ns, x: ns.sort(x.float()),
    "integers in order of their digits": lambda ns, x: ns.sort(x),
    "but not backwards": lambda ns, x: ns.sort(x, descending=True),
    "nor as rows": lambda ns, x: ns.sort(x[None].int()),
    "few of many": lambda ns, x: ns.topk(x, 40),
    "a quarter": lambda ns, x: ns.topk(x, 10000, largest=False, sorted=False),
    "one of many": lambda ns, x: ns.kthvalue(x.float(), 20000),
    "a median": lambda ns, x: ns.median(x.float(), 0),
    "a mode": lambda ns, x: ns.mode(x),
    "ordered already": lambda ns, x: ns.sort(ns.arange(5000) // 3),
    "the other way round": lambda ns, x: ns.sort(ns.arange(5000).flip(0) // 3),
    "in the shape of organ pipes": lambda ns, x: ns.sort(ns.cat([ns.arange(3000), ns.arange(3000).flip(0)]).float()),
}


@pytest.mark.parametrize("name", LONG)
def test_long_vectors(torch, candidate, name):
    values = np.random.default_rng(0).integers(0, 500, 40000)
    same(torch, candidate, lambda ns: LONG[name](ns, ns.from_numpy(values)))


def test_an_order_that_divisions_do_not_like(torch, candidate):
    """Musser's, of which medians of three take two elements at a time, until heaps take over."""
    half = 2000
    order = [0] * (2 * half)
    for place in range(half):
        if place % 2 == 0:
            order[place], order[place + 1] = place + 1, half + place + 1
        order[half + place] = 2 * (place + 1)
    ties = np.array(order) // 2
    same(torch, candidate, lambda ns: ns.sort(ns.from_numpy(ties).float()))
    same(torch, candidate, lambda ns: ns.topk(ns.from_numpy(ties).float(), 500, largest=False, sorted=False))


SELECTIONS = {
    "sort": lambda x: x.sort(-1)[0],
    "stable sort": lambda x: x.sort(stable=True, descending=True, dim=0)[0],
    "msort": lambda x: x.msort(),
    "topk": lambda x: x.topk(2)[0],
    "kthvalue": lambda x: x.kthvalue(2, 0)[0],
    "median": lambda x: x.median(),
    "median along": lambda x: x.median(1, True)[0],
    "nanmedian": lambda x: x.nanmedian(),
    "nanmedian along": lambda x: x.nanmedian(0)[0],
    "mode": lambda x: x.mode(-1)[0],
    "quantile": lambda x: x.quantile(0.3),
    "quantile along": lambda x: x.quantile(x.new_tensor([0.0, 0.4, 0.9]), 1),
    "nanquantile": lambda x: x.nanquantile(0.7, 0, True, interpolation="midpoint"),
}


@pytest.mark.parametrize("name", SELECTIONS)
@pytest.mark.parametrize("ties", [False, True])
def test_derivatives(torch, candidate, name, ties):
    rng = np.random.default_rng(0)
    values = (
        rng.integers(0, 3, (3, 4)).astype(np.float32) if ties else rng.permutation(12).reshape(3, 4) * np.float32(0.3)
    )

    def program(ns, tensor):
        x = tensor(values.astype(np.float32), requires_grad=True)
        y = SELECTIONS[name](x)
        (g,) = ns.autograd.grad((y * y).sum(), x, create_graph=True)
        (h,) = ns.autograd.grad((g * g).sum(), x)
        return y, g.detach(), h

    agree(torch, candidate, program)


@settings(max_examples=200)
@given(
    x=tensors(),
    q=st.sampled_from([0.0, 0.3, 0.5, 1.0, -0.1, [0.0, 0.25, 1.0], [0.5], [], [1.5], [[0.5]]]),
    dim=st.none() | dims,
    keepdim=flags,
    interpolation=st.sampled_from(["linear", "lower", "higher", "midpoint", "nearest", "other"]),
    ignores_nan=flags,
)
def test_quantiles(torch, candidate, x, q, dim, keepdim, interpolation, ignores_nan):
    def program(ns, tensor):
        operand = x(ns)
        fractions = q if isinstance(q, float) else ns.tensor(q, dtype=operand.dtype)
        function = ns.nanquantile if ignores_nan else ns.quantile
        return function(operand, fractions, dim, keepdim, interpolation=interpolation)

    agree(torch, candidate, program)


WRONG = {
    "no operand": lambda ns, x: ns.sort(),
    "a number for a dimension": lambda ns, x: ns.sort(x, 1.5),
    "stable by position": lambda ns, x: ns.sort(x, 0, False, False),
    "no count": lambda ns, x: ns.topk(x),
    "a truth value for a count": lambda ns, x: ns.topk(x, True),
    "too many": lambda ns, x: x.topk(9),
    "a negative count": lambda ns, x: x.topk(-1),
    "the zeroth": lambda ns, x: x.kthvalue(0),
    "of nothing": lambda ns, x: x[:0].kthvalue(1, 0),
    "of nothing, the mode": lambda ns, x: x[:0].mode(0),
    "of nothing, the median": lambda ns, x: x[:0].median(0),
    "complex": lambda ns, x: x.to(ns.complex64).sort(),
    "the largest complex ones": lambda ns, x: x.to(ns.complex64).topk(1),
    "the largest truth values": lambda ns, x: x.bool().topk(1),
    "a complex median": lambda ns, x: x.to(ns.complex64).median(),
    "a dimension that there is not": lambda ns, x: x.sort(2),
    "an argument too many": lambda ns, x: ns.msort(x, 1),
    "a string": lambda ns, x: ns.argsort(x, "x"),
    "a number to write to": lambda ns, x: ns.median(x, 0, out=1),
    "one tensor to write to": lambda ns, x: ns.sort(x, out=ns.ones(1)),
    "fractions of another dtype": lambda ns, x: x.quantile(ns.tensor([0.5], dtype=ns.float64)),
    "a list of fractions": lambda ns, x: x.quantile([0.5]),
    "of integers": lambda ns, x: x.long().quantile(0.5),
}


@pytest.mark.parametrize("name", WRONG)
def test_refusals(torch, candidate, name):
    same(torch, candidate, lambda ns: WRONG[name](ns, ns.arange(6.0).reshape(2, 3)))


@pytest.mark.parametrize("name", ["sort", "topk", "kthvalue", "median", "mode"])
@given(values=st.sampled_from(["float32", "float64", "int64"]), indices=st.sampled_from(["int64", "int32"]))
def test_out(torch, candidate, name, values, indices):
    arguments = {"sort": (1,), "topk": (2,), "kthvalue": (1,), "median": (1,), "mode": (1,)}[name]

    def program(ns):
        outs = ns.zeros(0, dtype=getattr(ns, values)), ns.zeros(0, dtype=getattr(ns, indices))
        result = getattr(ns, name)(ns.arange(6.0).reshape(2, 3), *arguments, out=outs)
        return result[0] is outs[0], result[1] is outs[1], outs, type(result).__name__

    same(torch, candidate, program)


def test_return_types_are_named(torch, candidate):
    same(torch, candidate, lambda ns: [repr(f(ns.ones(3, 3), 1)) for f in (ns.sort, ns.topk, ns.median, ns.mode)])
    same(torch, candidate, lambda ns: sorted(ns.topk(ns.arange(5.0), 2)._fields) if hasattr(tuple, "_fields") else None)
