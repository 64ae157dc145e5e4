"""The steps of a walk that complex numbers have: their parts, their conjugates, and what mixes them with real ones."""

from __future__ import annotations

from parity_tests.cases.program import DType
from parity_tests.cases.state import Move
from parity_tests.cases.state_look import Look, complex_, dtype_of, floating, small, sure
from parity_tests.cases.state_steps import step


@step
def new_complex(look: Look) -> Move:
    array = look.array(look.one_of((2, 2), (2,), (), (2, 3), (1, 2), (0, 2)), look.one_of("complex64", "complex128"))
    return Move("new", (array,), {"requires_grad": True} if look.number(0, 1) else {})


@step
def to_complex(look: Look) -> Move:
    x = look.tensor(floating, small)
    if look.number(0, 1):
        return Move("Tensor.to", (x, DType(look.one_of("complex64", "complex128"))))
    shape, dtype = look.at(x).shape, look.at(x).dtype
    return Move("torch.complex", (x, look.tensor(lambda y: y.shape == shape and y.dtype == dtype)))


@step
def its_part(look: Look) -> Move:
    return Move("builtins.getattr", (look.mostly(complex_), look.one_of("real", "imag")))


@step
def give_part(look: Look) -> Move:
    x = look.tensor(complex_, small)
    name = look.one_of("real", "imag")
    real = "float32" if dtype_of(look.at(x)) == "complex64" else "float64"
    return Move("builtins.setattr", (x, name, look.array(tuple(look.at(x).shape), real)))


@step
def as_pairs(look: Look) -> Move:
    if look.number(0, 1):
        return Move("torch.view_as_real", (look.mostly(complex_),))
    return Move("torch.view_as_complex", (look.mostly(lambda x: x.is_floating_point() and x.shape[-1:] == (2,)),))


@step
def conjugate(look: Look) -> Move:
    ops = ("torch.conj", "Tensor.conj", "torch.resolve_conj", "Tensor.resolve_neg", "torch.conj_physical")
    return Move(look.one_of(*ops), (look.mostly(complex_),))


@step
def adjoint(look: Look) -> Move:
    x = look.tensor(complex_, lambda x: x.dim() == 2)
    if look.number(0, 1):
        return Move("builtins.getattr", (x, look.one_of("H", "mH")))
    return Move("Tensor.adjoint", (x,))


@step
def magnitude(look: Look) -> Move:
    """Of numbers whose parts are not 0, where an angle would depend on its sign."""
    return Move(look.one_of("torch.abs", "torch.angle"), (look.tensor(complex_, small, sure),), rounds=True)


@step
def conjugate_(look: Look) -> Move:
    return Move("Tensor.conj_physical_", (look.target(complex_),))


@step
def mixed(look: Look) -> Move:
    x = look.tensor(complex_, small)
    return Move(
        look.one_of("torch.add", "torch.mul", "torch.sub"), look.one_of((x, look.operand(x)), (look.operand(x), x))
    )


@step
def mixed_(look: Look) -> Move:
    x = look.target(complex_, small)
    return Move(look.one_of("Tensor.add_", "Tensor.mul_", "Tensor.copy_"), (x, look.source(x)))
