"""Indexing and assignment: integers, slices, None, ..., tensors of indices, masks, and mixtures of them."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from parity_tests.suites._programs import same

BASICS = st.one_of(
    st.integers(-4, 3),
    st.builds(slice, st.none() | st.integers(-5, 5), st.none() | st.integers(-5, 5), st.none() | st.integers(-1, 3)),
    st.just(None),
    st.just(...),
    st.booleans(),
)
TENSORS = st.one_of(
    st.tuples(st.just("int"), st.lists(st.integers(-3, 2), max_size=3)),
    st.tuples(st.just("int"), st.lists(st.lists(st.integers(-3, 2), min_size=2, max_size=2), min_size=1, max_size=2)),
    st.tuples(st.just("int"), st.integers(-3, 2)),
    st.tuples(st.just("mask"), st.lists(st.booleans(), min_size=1, max_size=4)),
    st.tuples(st.just("mask"), st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=2, max_size=2)),
    st.tuples(st.just("list"), st.lists(st.integers(-3, 2), min_size=1, max_size=3)),
)
indices = st.lists(BASICS | TENSORS, min_size=1, max_size=4)
shapes = st.sampled_from([(2, 3), (3,), (2, 3, 4), (), (3, 3), (0, 3), (1, 3, 2)])
values = st.sampled_from(["number", "0-d", "row", "shaped", "wrong"])


def made(ns, index, alone):
    """The index with the framework's own tensors in it."""

    def one(part):
        if not isinstance(part, tuple):
            return part
        kind, data = part
        if kind == "list":
            return data
        return ns.tensor(data, dtype=ns.int64 if kind == "int" else ns.bool)

    parts = tuple(map(one, index))
    return parts[0] if alone and len(parts) == 1 else parts


def array(shape):
    return np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape)


@given(shapes, indices, st.booleans(), st.booleans())
def test_indexing_and_its_gradient(torch, candidate, shape, index, alone, transposed):
    def program(ns):
        x = ns.tensor(array(shape)).requires_grad_()
        y = x * 1
        y = y.permute(*reversed(range(len(shape)))) if transposed and shape else y
        result = y[made(ns, index, alone)]
        result.backward(ns.arange(result.numel()).reshape(result.shape).to(ns.float32))
        return result, x.grad

    same(torch, candidate, program)


@given(shapes, indices, st.booleans(), values)
def test_assignment_and_its_gradient(torch, candidate, shape, index, alone, value):
    def program(ns):
        x, w = ns.tensor(array(shape)).requires_grad_(), ns.tensor(2.0, requires_grad=True)
        y = x * 1
        place = made(ns, index, alone)
        target = tuple(y[place].shape)
        # Where an index repeats, the value that stays is undefined.
        assume(value in ("number", "0-d", "wrong") or len(set(y[place].flatten().tolist())) == y[place].numel())
        source = {
            "number": 7.0,
            "0-d": w,
            "row": (w * ns.arange(5, 5 + (target or (1,))[-1])).to(ns.float32),
            "shaped": w * ns.tensor(array(target)),
            "wrong": ns.zeros(13, 2),
        }[value]
        y[place] = source
        y.backward(ns.tensor(array(shape)))
        return y, x.grad, w.grad

    same(torch, candidate, program)


@given(shapes, indices)
def test_augmented_assignment(torch, candidate, shape, index):
    def program(ns):
        x = ns.tensor(array(shape))
        x[made(ns, index, True)] *= 2
        return x, x._version

    same(torch, candidate, program)
