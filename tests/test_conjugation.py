"""What stands behind conjugate views: who takes one for an array is never wrong, and who has none pays nothing."""

import subprocess
import sys

import numpy as np
import pytest

import minitorch_like as torch

VALUES = [1 - 2j, 3 + 1j]


@pytest.fixture
def z():
    return torch.tensor([1 + 2j, 3 - 1j], dtype=torch.complex128)


def test_nothing_is_loaded_before_there_are_complex_numbers():
    program = """
import sys
import minitorch_like as torch

x = torch.randn(3, requires_grad=True)
torch.nn.functional.gelu(x.conj().real).sum().backward()
assert not x.is_conj() and x.resolve_neg() is x
assert "minitorch_like._conjugation" not in sys.modules
kernel = torch.ops.TABLE["exp"].kernel
torch.ones(2, dtype=torch.complex64).requires_grad_().exp().abs().sum().backward()
assert torch.ops.TABLE["exp"].kernel is kernel
torch.ones(2, dtype=torch.complex64).conj()
assert torch.ops.TABLE["exp"].kernel is not kernel
"""
    subprocess.run([sys.executable, "-c", program], check=True)


# -- as an array --------------------------------------------------------------------------------------------------------


READINGS = {
    "asarray": np.asarray,
    "array": np.array,
    "assignment": lambda x: _assigned(np.zeros(2, complex), x),
    "addition": lambda x: np.zeros(2) + x,
    "ufunc": np.positive,
    "method": lambda x: x.copy(),
    "function": lambda x: np.concatenate([x, x])[:2],
    "where": lambda x: np.where([True, False], x, np.asarray(x)),
    "item": lambda x: [x[0], x[1]],
    "part": lambda x: x[:],
    "elements": list,
    "list": lambda x: x.tolist(),
    "conversion": lambda x: x.astype(np.complex64),
    "reduction": lambda x: np.add.reduce(x, keepdims=True) - np.asarray(x)[::-1],
    "another dtype": lambda x: np.asarray(x, np.complex64),
}


def _assigned(target, x):
    target[...] = x
    return target


@pytest.mark.parametrize("name", READINGS)
def test_it_reads_as_its_values(z, name):
    assert np.asarray(READINGS[name](z.conj()._data)).tolist() == VALUES


WRITINGS = {
    "element": lambda x: x.__setitem__(0, 5j),
    "part": lambda x: x[:1].__setitem__(..., 5j),
    "index array": lambda x: x.__setitem__([0], 5j),
    "mask": lambda x: x.__setitem__(np.array([True, False]), 5j),
    "copyto": lambda x: np.copyto(x, np.array([5j, 3 + 1j])),
    "copyto where": lambda x: np.copyto(x, 5j, where=np.array([True, False])),
    "out": lambda x: np.add(np.array([5j, 3]), np.array([0, 1j]), x),
    "out of itself": lambda x: np.subtract(x, np.array([1 - 7j, 0]), x),
    "operator": lambda x: x.__isub__(np.array([1 - 7j, 0])),
    "at": lambda x: np.add.at(x, [0], -1 + 7j),
    "function": lambda x: np.concatenate([[5j], [3 + 1j]], out=x),
    "function of it": lambda x: x.changed_by(lambda values: values.put(0, 5j)),
}


@pytest.mark.parametrize("name", WRITINGS)
def test_what_is_written_to_it_arrives(z, name):
    WRITINGS[name](z.conj()._data)
    assert z.tolist() == [-5j, 3 - 1j]


LOST = {
    "asarray": lambda x: _assigned(np.asarray(x), 5j),
    "fill": lambda x: x.fill(5j),
    "ravel": lambda x: _assigned(x.ravel(), 5j),
    "transpose": lambda x: _assigned(x.transpose(), 5j),
    "put": lambda x: np.put(x, 0, 5j),
    "memory": memoryview,
    "pairs": lambda x: x.view(np.float64),
}


@pytest.mark.parametrize("name", LOST)
def test_a_write_that_would_be_lost_is_an_error(z, name):
    with pytest.raises((ValueError, TypeError, RuntimeError)):
        LOST[name](z.conj()._data)
    assert z.tolist() == [1 + 2j, 3 - 1j]


def test_a_tensor_over_one_keeps_it(z):
    from minitorch_like._tensor import wrap

    view = wrap(z.conj()._data)
    view.mul_(2j)
    assert view.is_conj()
    assert z.tolist() == [4 - 2j, -2 - 6j]


# -- compiled steps -----------------------------------------------------------------------------------------------------


def _of_products(w, x):
    return ((w.H @ x.conj()).abs() ** 2).sum() + (w.conj() * x).imag.neg().sum()


def _of_writes(w, x):
    y = w * x
    c = y.conj()
    c.mul_(1 - 2j)
    c.imag.add_(3.0)
    c[0] = x[1]
    y.conj().imag[:, 0] = w.real[:, 0]
    return (y * c).real.sum() + (y.abs() ** 2).sum()


@pytest.mark.parametrize("loss", [_of_products, _of_writes])
def test_a_compiled_step_is_the_eager_one(loss):
    def train(compiles):
        random = np.random.default_rng(0)
        draw = lambda: random.standard_normal((3, 3)) + 1j * random.standard_normal((3, 3))  # noqa: E731
        w = torch.tensor(draw(), requires_grad=True)
        optimizer = torch.optim.Adam([w], lr=0.01)

        def step(x):
            optimizer.zero_grad()
            value = loss(w, x)
            value.backward()
            optimizer.step()
            return value.detach()

        run = torch.compile(step) if compiles else step
        values = [run(torch.tensor(draw())).item() for _ in range(5)]
        if compiles:
            assert "1 plan" in str(run.explain())
        return values, w.tolist()

    assert train(True) == train(False)


def test_a_compiled_function_of_conjugate_arguments(z):
    doubled = torch.compile(lambda x: (x * 2).imag)
    assert [doubled(z.conj()).tolist() for _ in range(4)] == [[-4.0, 2.0]] * 4


def test_a_step_that_returns_a_conjugate_view_runs_eagerly(z):
    step = torch.compile(lambda x: (x * 2).conj())
    assert all(step(z).is_conj() for _ in range(4))
