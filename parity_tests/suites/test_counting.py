"""What occurs how often, and where among bounds: unique elements, counts, histograms, binary search."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity_tests.suites._programs import same

DTYPES = ("float32", "float64", "int64", "int32", "uint8", "bool", "float16", "bfloat16")
flags = st.booleans()


@st.composite
def tensors(draw, shapes=((), (0,), (1,), (6,), (40,), (3, 4), (4, 2, 3), (0, 2), (2, 0)), dtypes=DTYPES, nans=False):
    """A function that makes the same tensor of few different elements in either world."""
    shape, dtype = draw(st.sampled_from(shapes)), draw(st.sampled_from(dtypes))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    values = rng.integers(0, draw(st.sampled_from([2, 4, 9])), shape).astype(np.float32)
    if nans and draw(flags):
        values = np.where(rng.random(shape) < 0.2, np.nan, values).astype(np.float32)
    return lambda ns: ns.tensor(values.tolist()).reshape(shape).to(getattr(ns, dtype))


@settings(max_examples=300)
@given(x=tensors(nans=True), ordered=flags, inverse=flags, counts=flags)
def test_unique(torch, candidate, x, ordered, inverse, counts):
    same(torch, candidate, lambda ns: ns.unique(x(ns), ordered, inverse, counts))
    same(torch, candidate, lambda ns: x(ns).unique(return_inverse=inverse, return_counts=counts))
    same(torch, candidate, lambda ns: x(ns).unique_consecutive(inverse, counts))


@settings(max_examples=300)
@given(x=tensors(), dim=st.integers(-3, 2), inverse=flags, counts=flags)
def test_unique_slices(torch, candidate, x, dim, inverse, counts):
    same(torch, candidate, lambda ns: ns.unique(x(ns), dim=dim, return_inverse=inverse, return_counts=counts))
    same(torch, candidate, lambda ns: x(ns).unique_consecutive(inverse, counts, dim))


UNIQUE = {
    "one result by place": lambda ns, x: ns.unique_consecutive(x, True),
    "the other by place": lambda ns, x: ns.unique_consecutive(x, False, True),
    "both": lambda ns, x: ns.unique_consecutive(x, True, True),
    "nothing": lambda ns, x: ns.unique(),
    "no tensor": lambda ns, x: ns.unique([1, 2]),
    "no truth value": lambda ns, x: ns.unique(x, 1),
    "too many": lambda ns, x: ns.unique(x, True, True, False, 0, 1),
    "an unknown keyword": lambda ns, x: ns.unique(x, return_counts=True, foo=1),
    "a string for a dimension": lambda ns, x: ns.unique(x, dim="a"),
    "its node": lambda ns, x: ns.unique(x.requires_grad_()).grad_fn.name(),
    "the node of slices": lambda ns, x: ns.unique(x.requires_grad_(), dim=0).grad_fn.name(),
    "no derivative": lambda ns, x: ns.unique(x.requires_grad_()).sum().backward(),
    "complex": lambda ns, x: ns.unique(x.to(ns.complex64)),
}


@pytest.mark.parametrize("name", UNIQUE)
def test_unique_calls(torch, candidate, name):
    same(torch, candidate, lambda ns: UNIQUE[name](ns, ns.tensor([1.0, 1.0, 2.0, 2.0])))


@settings(max_examples=200)
@given(
    bounds=tensors(shapes=((1,), (5,), (2, 4), (0,)), nans=True),
    values=tensors(shapes=((), (3,), (2, 3), (0,)), nans=True),
    right=flags,
    side=st.sampled_from([None, "left", "right", "both"]),
    narrow=flags,
    ascending=flags,
)
def test_searchsorted(torch, candidate, bounds, values, right, side, narrow, ascending):
    def program(ns):
        sequence = bounds(ns).sort(-1)[0] if ascending else bounds(ns)
        return ns.searchsorted(sequence, values(ns), right=right, side=side, out_int32=narrow)

    same(torch, candidate, program)


SEARCHES = {
    "a number": lambda ns, b: (ns.searchsorted(b, 2), ns.searchsorted(b, 2.5), ns.bucketize(2.5, b)),
    "an order": lambda ns, b: ns.searchsorted(b.flip(0), ns.tensor([0.5, 3.0]), sorter=ns.tensor([3, 2, 1, 0])),
    "an order of too few": lambda ns, b: ns.searchsorted(b, b, sorter=ns.tensor([0])),
    "an order out of range": lambda ns, b: ns.searchsorted(b, b, sorter=ns.tensor([0, 1, 2, 9])),
    "an order of floats": lambda ns, b: ns.searchsorted(b, b, sorter=b),
    "bounds without dimensions": lambda ns, b: ns.searchsorted(b[0], b),
    "rows of bounds": lambda ns, b: ns.searchsorted(b.view(2, 2), b),
    "buckets of rows": lambda ns, b: ns.bucketize(b, b.view(2, 2)),
    "buckets": lambda ns, b: ns.bucketize(ns.tensor([[0.0, 1.0], [2.5, 9.0]]), b, right=True, out_int32=True),
    "two dtypes": lambda ns, b: ns.searchsorted(b.long(), b + 0.5),
    "into another dtype": lambda ns, b: ns.searchsorted(b, b, out=ns.zeros(4)),
    "no values": lambda ns, b: ns.searchsorted(b),
    "a string": lambda ns, b: ns.searchsorted(b, "a"),
    "truth values": lambda ns, b: ns.searchsorted(b.bool(), b.bool()),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_searches(torch, candidate, name):
    same(torch, candidate, lambda ns: SEARCHES[name](ns, ns.tensor([1.0, 2.0, 2.0, 3.0])))


@given(
    x=tensors(shapes=((0,), (1,), (40,), (2, 2), ()), dtypes=("int64", "int32", "uint8", "float32", "bool")),
    weights=st.sampled_from([None, "float32", "float64", "int64", "float16", "bool"]),
    minlength=st.sampled_from([0, 3, 20, -1]),
)
def test_bincount(torch, candidate, x, weights, minlength):
    def program(ns):
        counted = x(ns)
        weight = None if weights is None else (ns.arange(counted.numel()) % 5 * 0.5).to(getattr(ns, weights))
        return counted.bincount(weight, minlength)

    same(torch, candidate, program)


@given(
    x=tensors(shapes=((0,), (1,), (40,), (3, 4), ()), dtypes=("float32", "float64", "int64", "float16")),
    bins=st.sampled_from([1, 3, 10, 100, 0, -1]),
    bounds=st.sampled_from([(), (0, 0), (1, 3), (0.5, 2.5), (3, 1), (-1.0, 20)]),
)
def test_histc(torch, candidate, x, bins, bounds):
    same(torch, candidate, lambda ns: ns.histc(x(ns), bins, *bounds))
