"""`torch.linalg`'s norms of vectors and matrices, the nuclear one among them, and the singular values behind them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.cases.complexes import normal
from parity_tests.suites._programs import agree, run, same

ORDERS = ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)
DTYPES = ("float32", "float64", "complex64", "complex128")
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("ord", ORDERS)
@given(
    seed=seeds,
    shape=st.sampled_from([(2, 3), (3, 2), (3, 3), (1, 4), (2, 3, 2), (2, 1, 3, 2)]),
    dims=st.sampled_from([(-2, -1), (0, 1), (1, 0), (-1, 0)]),
    keepdim=st.booleans(),
    dtype=st.sampled_from(DTYPES),
)
def test_values_and_derivatives(torch, candidate, ord, seed, shape, dims, keepdim, dtype):
    def program(ns, tensor):
        x = tensor(normal(seed, shape, dtype), True)
        norm = ns.linalg.matrix_norm(x, ord, dims, keepdim)
        weights = tensor(
            normal(seed + 1, tuple(norm.shape), "float64" if "128" in dtype or "64" in dtype[5:] else "float32")
        )
        (first,) = ns.autograd.grad(norm, x, weights.to(norm.dtype), create_graph=True)
        return norm, first.detach().resolve_conj().contiguous()

    agree(torch, candidate, program, cancels=True)


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2), (2, 3, 3)])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("ord", ["nuc", 2, -2])
def test_second_derivatives(torch, candidate, ord, dtype, shape):
    """The matrices are far from singular, and so are the numbers that rounding can change: to ten digits they agree."""

    def program(ns):
        x = ns.tensor(normal(4, shape, dtype), requires_grad=True)
        (first,) = ns.autograd.grad(ns.linalg.matrix_norm(x, ord).sum(), x, create_graph=True)
        (second,) = ns.autograd.grad((first * ns.tensor(normal(5, shape, dtype))).sum().abs(), x)
        return second.numpy(force=True)

    np.testing.assert_allclose(program(candidate), program(torch), 1e-10)


def test_equal_singular_values_have_a_derivative(torch, candidate):
    def program(ns):
        x = ns.eye(3, requires_grad=True)
        return ns.autograd.grad(x.norm("nuc"), x)[0].abs()

    same(torch, candidate, program)


@given(seed=seeds, shape=st.sampled_from([(2, 3), (4, 2), (2, 3, 3), (0, 3), (2, 0, 3)]), dtype=st.sampled_from(DTYPES))
def test_singular_values(torch, candidate, seed, shape, dtype):
    agree(torch, candidate, lambda ns, tensor: ns.linalg.svdvals(tensor(normal(seed, shape, dtype))), cancels=True)


CALLS = """
L.norm(A); L.norm(A, 2); L.norm(A, "foo"); L.norm(A, 3); L.norm(A, 0); L.norm(A, -2.0); L.norm(v); L.norm(v, 3)
L.norm(v, "fro"); L.norm(v, "nuc"); L.norm(T); L.norm(T, 2); L.norm(T, "fro"); L.norm(T, 2, dim=0); L.norm(T, 2, dim=(0, 1))
L.norm(T, "nuc", dim=(0, 2)); L.norm(T, 2, dim=(0, 1, 2)); L.norm(T, dim=(0, 1)); L.norm(A, 2, dim=(0, 0))
L.norm(A, 2, dim=(0, 5)); L.norm(A, "fro", dim=0); L.norm(A, keepdim=True); L.norm(A, "nuc", keepdim=True)
L.norm(A, dtype=torch.float64); L.norm(A, "nuc", dtype=torch.float64); L.norm(A, dtype=torch.float16)
L.norm(A, "nuc", dtype=torch.float16); L.norm(n); L.norm(n, "nuc"); L.norm(A.half(), "nuc"); L.norm(Z)
L.norm(Z, dtype=torch.complex128); L.norm(Z, "nuc", dtype=torch.float64); L.norm(A, 2, dim=()); L.norm(A, 1j)
L.norm(torch.tensor(3.0)); L.norm(torch.tensor(3.0), 2); L.norm(); L.norm(3)
L.matrix_norm(v); L.matrix_norm(n, 5); L.matrix_norm(A, 5, (0, 0)); L.matrix_norm(A, 2, dim=(0,)); L.matrix_norm(A, True)
L.matrix_norm(A, 2, dim=0); L.matrix_norm(A, 2.5); L.matrix_norm(3); L.matrix_norm(A, None); L.matrix_norm()
L.matrix_norm(A, 2, dtype=torch.complex64); L.matrix_norm(A, 1j); L.matrix_norm(A, "nuc", dtype=torch.int64)
L.matrix_norm(A, 2, (0, 1), True, dtype=torch.float64); L.matrix_norm(A.half(), 2); L.matrix_norm(A * math.nan, "nuc")
L.matrix_norm(T * math.nan, 2); L.matrix_norm(A, 2, out=torch.zeros((), dtype=torch.float64)); L.svdvals(v); L.svdvals(n)
L.vector_norm(A, 1); L.vector_norm(A, math.inf, dim=0); L.vector_norm(A, "fro"); L.vector_norm(A, 2, (5,)); L.vector_norm(n)
L.vector_norm(A, 1j); L.vector_norm(A, 2, 0, True, dtype=torch.float64); L.vector_norm(3); L.vector_norm(); L.svdvals(A.half())
L.svdvals(A, driver="gesvd"); L.vector_norm(A, 2, dim=()); torch.norm(A, "nuc"); torch.norm(A, "foo"); torch.norm(T, "nuc")
torch.norm(T, "nuc", dim=(0, 1)); torch.norm(v, "nuc"); torch.norm(A, "nuc", dim=0); torch.norm(T, "fro", dim=(0, 1, 2))
A.norm("nuc"); A.norm("nuc", dim=(1, 0)); A.norm(p="nuc", keepdim=True); torch.norm(A, "nuc", out=torch.zeros(()))
torch.norm(n, "nuc"); torch.norm(A, "nuc", dtype=torch.float64); L.vector_norm(A, out=torch.zeros(()))
"""


@pytest.mark.parametrize("text", [part.strip() for part in CALLS.replace("\n", ";").split(";") if part.strip()])
def test_calls(torch, candidate, text):
    """The same number, to rounding, or the same error up to the list of signatures."""

    def program(ns):
        ns.ones(1, dtype=ns.float16)  # from when on kernels treat 16-bit floats in a way of their own
        a = ns.tensor([[1.0, 2.0, -3.0], [4.0, -5.0, 6.5]])
        scope = {"A": a, "v": a[0], "T": ns.stack([a, a * 2, a - 1]), "Z": ns.complex(a, a * a / 4), "n": a.long()}
        return eval(text, scope | {"torch": ns, "L": ns.linalg, "math": math})

    expected, actual = run(torch, program), run(candidate, program)
    if hasattr(expected, "shape") and hasattr(actual, "shape"):
        assert (str(expected.dtype), expected.shape) == (str(actual.dtype), actual.shape)
        np.testing.assert_allclose(expected.numpy(), actual.numpy(), 1e-6)
    else:
        assert str(expected).split("\n")[0] == str(actual).split("\n")[0]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (2, 0, 3), (0, 2, 3)])
@pytest.mark.parametrize("ord", ORDERS)
def test_empty_matrices(torch, candidate, ord, shape):
    same(torch, candidate, lambda ns: ns.linalg.matrix_norm(ns.zeros(shape), ord))


@pytest.mark.parametrize("ord", ORDERS)
def test_history(torch, candidate, ord):
    def program(ns):
        x = ns.ones(2, 2, requires_grad=True)
        return [ns.linalg.matrix_norm(x, ord, keepdim=keepdim).grad_fn.name() for keepdim in (False, True)]

    same(torch, candidate, program)
