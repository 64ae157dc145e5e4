"""Einstein's sums, products over chosen dimensions, and distances of all pairs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same

SIZES = {"a": 2, "b": 3, "c": 4, "d": 2, "e": 3}


@st.composite
def equations(draw):
    """An equation, perhaps a faulty one, and the shapes of its operands, one of which may not fit."""
    terms, shapes = [], []
    for _ in range(draw(st.sampled_from([1, 1, 2, 2, 2, 3]))):
        term = draw(st.text("abcde", max_size=3))
        shape = [SIZES[each] for each in term]
        if term and draw(st.integers(0, 12)) == 0:
            shape[0] = draw(st.sampled_from([1, 2, 5]))
        if draw(st.integers(0, 4)) == 0:
            place = draw(st.integers(0, len(term)))
            term = f"{term[:place]}...{term[place:]}"
            shape[place:place] = draw(st.sampled_from([[], [2], [3, 2]]))
        terms.append(term)
        shapes.append(shape)
    equation = ",".join(terms)
    if draw(st.booleans()):
        letters = sorted(set("".join(terms)) - {"."})
        result = "".join(draw(st.permutations(letters))[: draw(st.integers(0, len(letters)))])
        equation += f"->{result}{'...' if '...' in equation and draw(st.booleans()) else ''}"
    if draw(st.integers(0, 12)) == 0:
        place = draw(st.integers(0, len(equation)))
        equation = equation[:place] + draw(st.sampled_from(".->,1f ")) + equation[place:]
    return equation, shapes


def operands(ns, shapes, requires_grad=False):
    """Small integers, of which every order of summation gives the same."""
    made = [(ns.arange(math.prod(shape)) % 5 + place).float().reshape(shape) for place, shape in enumerate(shapes)]
    return [each.requires_grad_(requires_grad) for each in made]


@settings(max_examples=400)
@given(case=equations(), requires_grad=st.booleans())
def test_einsum(torch, candidate, case, requires_grad):
    equation, shapes = case

    def program(ns):
        given = operands(ns, shapes, requires_grad)
        result = ns.einsum(equation, *given)
        node = result.grad_fn and result.grad_fn.name()
        if not requires_grad:
            return result, node
        result.pow(2).sum().backward()
        return result.detach().clone(), node, [each.grad for each in given]

    same(torch, candidate, program)


CALLS = {
    "a matrix product": lambda ns, a, b: ns.einsum("ij,jk->ik", a, b),
    "laid out as a transposed one": lambda ns, a, b: ns.einsum("ij,jk->ki", a, b).stride(),
    "a batch": lambda ns, a, b: ns.einsum("bij,bjk->bik", a[None], b[None]).stride(),
    "spaces": lambda ns, a, b: ns.einsum(" i j , j k -> i k ", a, b),
    "operands in a list": lambda ns, a, b: ns.einsum("ij,jk", [a, b]),
    "labels in lists": lambda ns, a, b: (ns.einsum(a, [0, 1], b, [1, 2], [2, 0]), ns.einsum(a, [0, ...], b, [..., 2])),
    "a label too many": lambda ns, a, b: ns.einsum(a, [0, 60]),
    "an equation alone": lambda ns, a, b: ns.einsum("ij"),
    "no equation": lambda ns, a, b: ns.einsum(3, a),
    "no tensor": lambda ns, a, b: ns.einsum("ij,jk", a, 3),
    "two dtypes": lambda ns, a, b: ns.einsum("ij,jk->ik", a, b.double()),
    "integers": lambda ns, a, b: ns.einsum("ij,jk->ik", a.long(), b.long()),
    "truth values": lambda ns, a, b: ns.einsum("ij,ij->i", a.bool(), a.bool()),
    "complex": lambda ns, a, b: ns.einsum("ij,jk->ik", a.to(ns.complex64), b * 1j),
    "out": lambda ns, a, b: ns.einsum("ij,jk", a, b, out=a),
    "tensordot": lambda ns, a, b: (ns.tensordot(a, b, 1), ns.tensordot(a, a), ns.tensordot(a, b, ([1], [0]))),
    "of nothing": lambda ns, a, b: ns.tensordot(a, b, 0).shape,
    "dims as a tensor": lambda ns, a, b: ns.tensordot(a, b, ns.tensor([[1], [0]])),
    "lists of two lengths": lambda ns, a, b: ns.tensordot(a, b, ([1], [0, 1])),
    "the same twice": lambda ns, a, b: ns.tensordot(a, a, ([1, 1], [0, 1])),
    "too many dims": lambda ns, a, b: ns.tensordot(a, b, 3),
    "a negative number": lambda ns, a, b: ns.tensordot(a, b, -1),
    "sizes that differ": lambda ns, a, b: ns.tensordot(a, b, 2),
    "a float": lambda ns, a, b: ns.tensordot(a, b, 1.5),
    "into another": lambda ns, a, b: ns.tensordot(a, b, 1, out=ns.zeros(2, 4)),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls(torch, candidate, name):
    same(torch, candidate, lambda ns: CALLS[name](ns, ns.arange(6.0).reshape(2, 3), ns.arange(12.0).reshape(3, 4)))


@given(
    first=st.lists(st.sampled_from([1, 2, 3]), max_size=3),
    second=st.lists(st.sampled_from([1, 2, 3]), max_size=3),
    dims=st.sampled_from([0, 1, 2, 3, ([0], [0]), ([0, 1], [1, 0]), ([-1], [0]), ([], [])]),
)
def test_tensordot(torch, candidate, first, second, dims):
    same(torch, candidate, lambda ns: ns.tensordot(*operands(ns, (first, second), True), dims))


SUMS = ("ij,jk->ik", "ij,jk,k->i", "bij,bjk->bki", "i,j->ij", "ii,ij->j", "ij,kj->ik", "ij->", "ij,ij,ij->i")


@pytest.mark.parametrize("equation", SUMS)
def test_derivatives(torch, candidate, equation):
    sizes = {"i": 3, "j": 3, "k": 2, "b": 2}
    rng = np.random.default_rng(0)
    arrays = [
        rng.standard_normal([sizes[each] for each in term]).astype(np.float32)
        for term in equation.partition("->")[0].split(",")
    ]

    def program(ns, tensor):
        given = [tensor(each, requires_grad=True) for each in arrays]
        result = ns.einsum(equation, *given)
        first = ns.autograd.grad(result.pow(2).sum(), given, create_graph=True)
        second = ns.autograd.grad(sum(each.pow(2).sum() for each in first), given)
        return result.detach(), [each.detach().contiguous() for each in first], [each.contiguous() for each in second]

    agree(torch, candidate, program)


MODES = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")


@pytest.mark.parametrize("p", [0.0, 1.0, 1.5, 2.0, 3.0, math.inf])
@given(rows=st.sampled_from([0, 1, 3]), batch=st.sampled_from([(), (2,), (2, 1)]), seed=st.integers(0, 99))
@settings(max_examples=10)
def test_cdist(torch, candidate, p, rows, batch, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((*batch, rows, 2)), rng.standard_normal((4, 2))

    def program(ns, tensor):
        points = [tensor(each.astype(np.float32), requires_grad=True) for each in (x, y)]
        distances = ns.cdist(*points, p)
        return distances, ns.autograd.grad((distances * distances).sum(), points)

    agree(torch, candidate, program)


def test_many_points(torch, candidate):
    """Then Euclidean distances come of a matrix product."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((30, 3)) * 3, rng.standard_normal((4, 3)) + 9

    def program(ns, tensor):
        points = [tensor(each.astype(np.float32), requires_grad=True) for each in (x, y)]
        distances = ns.cdist(*points)
        return distances, ns.autograd.grad((distances * distances).sum(), points)

    agree(torch, candidate, program)


DISTANCES = {
    "one dimension": lambda ns, x: ns.cdist(x[0], x),
    "two sizes": lambda ns, x: ns.cdist(x, x[:, :1]),
    "a negative order": lambda ns, x: ns.cdist(x, x, -1),
    "integers": lambda ns, x: ns.cdist(x, x.long()),
    "half precision": lambda ns, x: ns.cdist(x.half(), x.half()),
    "two dtypes": lambda ns, x: ns.cdist(x, x.double()),
    "another mode": lambda ns, x: ns.cdist(x, x, compute_mode="x"),
    "a string": lambda ns, x: ns.cdist(x, x, "a"),
    "batches that do not fit": lambda ns, x: ns.cdist(x.expand(3, 2, 3), x.expand(2, 2, 3)),
    "no second derivative": lambda ns, x: ns.autograd.grad(
        ns.autograd.grad(ns.cdist(x.requires_grad_(), x + 1).sum(), x, create_graph=True)[0].sum(), x
    ),
    "modes": lambda ns, x: [ns.cdist(x.requires_grad_(), x * 2, compute_mode=each).grad_fn.name() for each in MODES],
}


@pytest.mark.parametrize("name", DISTANCES)
def test_distances(torch, candidate, name):
    same(torch, candidate, lambda ns: DISTANCES[name](ns, ns.arange(6.0).reshape(2, 3)))
