"""Operands that do not fit in `@`: torch complains of the product that it would have computed."""

import pytest

from parity_tests.suites._programs import same

_SHAPES = [
    ((4,), (5,)), ((4,), (5, 4)), ((4, 5), (4,)), ((2, 3), (2, 3)), ((), (2,)), ((2,), ()),
    ((2, 3), (3, 4, 5)), ((3,), (4, 2, 5)), ((4, 2, 3), (4, 5)), ((4, 2, 3), (4,)), ((2, 2, 3, 4), (5, 6)),
    ((2, 2, 3, 4), (3, 4, 6)), ((2, 2, 3, 4), (2, 5, 6)), ((2, 2, 3, 4), (6,)), ((2, 3, 4), (3, 4, 5)),
    ((0, 2, 3), (4, 5)), ((2, 0, 3), (4, 5)), ((2, 3, 0), (4, 5)), ((2, 5), (0, 4, 3)), ((0, 3, 4), (0, 5, 6)),
]  # fmt: skip


@pytest.mark.parametrize("shapes", _SHAPES, ids=str)
def test_shapes(torch, candidate, shapes):
    same(torch, candidate, lambda ns: ns.ones(shapes[0]) @ ns.ones(shapes[1]))


@pytest.mark.parametrize("other", [(4, 5), (4,), (3, 5)], ids=str)
def test_batches_that_cannot_be_folded(torch, candidate, other):
    same(torch, candidate, lambda ns: ns.ones(4, 2, 3).transpose(0, 1) @ ns.ones(other, dtype=ns.float64))


@pytest.mark.xfail(reason="a kernel does not know that its operand requires grad, for whose sake torch folds the batch")
def test_a_weight_on_the_left(torch, candidate):
    same(torch, candidate, lambda ns: ns.ones(2, 3, requires_grad=True) @ ns.ones(3, 4, 5))


@pytest.mark.xfail(reason="torch folds a batch that has no elements whichever way it lies")
def test_a_vector_and_an_empty_batch(torch, candidate):
    same(torch, candidate, lambda ns: ns.ones(5) @ ns.ones(2, 0, 3))
