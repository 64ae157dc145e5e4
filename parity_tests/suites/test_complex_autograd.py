"""Gradients through complex numbers, in torch's convention: dL/dx + i dL/dy for a real loss L and z = x + iy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.cases.complexes import DTYPES, LEAVES, SHAPE, normal, programs, run
from parity_tests.suites._programs import agree
from parity_tests.suites._registry import Programs

seeds = st.integers(0, 2**32 - 1)


def cotangent(tensor, seed, like):
    """A random gradient for a tensor of that shape, complex if it is."""
    kind = "complex64" if like.is_complex() else "float32"
    return tensor(normal(seed, tuple(like.shape), kind)).to(like.dtype)


def gradients(ns, outputs, leaves, cotangents, **options):
    found = ns.autograd.grad(outputs, leaves, cotangents, allow_unused=True, **options)
    return [ns.zeros_like(leaf) if g is None else g for g, leaf in zip(found, leaves, strict=True)]


def numbers(ns, tensors):
    """The values alone: how a gradient is laid out, and what it shares memory with, is the matter of other suites."""
    return [each.detach().clone(memory_format=ns.contiguous_format) for each in tensors]


@given(steps=programs(), seed=seeds)
def test_random_programs(torch, candidate, steps, seed):
    """Values, gradients, and the gradients of a random combination of the gradients."""
    kinds = {"c": "complex64", "r": "float32"}

    def program(ns, tensor):
        leaves = [tensor(normal(seed + at, SHAPE, kinds[kind]), True) for at, kind in enumerate(LEAVES)]
        result = run(ns, steps, leaves)
        if not result.requires_grad:
            return numbers(ns, [result])
        first = gradients(ns, [result], leaves, [cotangent(tensor, seed + 7, result)], create_graph=True)
        used = [each for each in first if each.requires_grad]
        second = []
        if used:
            second = gradients(ns, used, leaves, [cotangent(tensor, seed + 8, each) for each in used])
        return numbers(ns, [result]), numbers(ns, first), numbers(ns, second)

    agree(torch, candidate, program)


# op, operands, one letter each: complex, real, or a positive real
FUNCTIONS = [
    *[(name, "c") for name in (
        "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "square", "reciprocal", "neg", "sin",
        "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "sigmoid", "abs",
        "angle", "sgn", "conj", "conj_physical", "real", "imag", "view_as_real", "sum", "mean", "prod", "var", "std",
        "norm", "sinc", "tril", "adjoint",
    )],
    *[(name, operands) for name in ("add", "sub", "mul", "div", "pow") for operands in ("cc", "cr", "pc")],
    ("complex", "rr"), ("polar", "pr"), ("outer", "vv"), ("vdot", "vv"), ("dot", "vv"), ("mv", "cv"), ("lerp", "ccc"),
    ("addcmul", "ccr"), ("addcdiv", "ccp"), ("logsumexp", "c1"), ("logcumsumexp", "c1"), ("cumsum", "c1"), ("logaddexp", "cc"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "operands"), FUNCTIONS, ids=lambda value: value)
def test_every_function(torch, candidate, name, operands):
    """First and second derivatives by all operands together."""

    def program(ns, tensor):
        made = {
            "c": lambda at: tensor(normal(at, SHAPE), True),
            "r": lambda at: tensor(normal(at, SHAPE, "float32"), True),
            "p": lambda at: tensor(np.abs(normal(at, SHAPE, "float32")) + np.float32(0.5), True),
            "v": lambda at: tensor(normal(at, SHAPE[1:]), True),
            "1": int,
        }
        args = [made[kind](at) for at, kind in enumerate(operands)]
        leaves = [each for each in args if not isinstance(each, int)]
        result = getattr(ns, name)(*args)
        first = gradients(ns, [result], leaves, [cotangent(tensor, 7, result)], create_graph=True)
        used = [each for each in first if each.requires_grad]
        second = gradients(ns, used, leaves, [cotangent(tensor, 8, each) for each in used]) if used else []
        return result, numbers(ns, first), numbers(ns, second)

    agree(torch, candidate, program)


@pytest.mark.parametrize("dtype", DTYPES)
@given(seed=seeds, shapes=st.sampled_from([((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 3)), ((2, 3), ())]))
def test_broadcast_operands(torch, candidate, dtype, seed, shapes):
    real = {"complex64": "float32", "complex128": "float64"}[dtype]

    def program(ns, tensor):
        z, r = tensor(normal(seed, shapes[0], dtype), True), tensor(normal(seed, shapes[1], real), True)
        result = z * r + (r - 1j) / (z.conj() + 8)
        result.backward(cotangent(tensor, seed, result))
        return z, r

    agree(torch, candidate, program)


# -- written out ------------------------------------------------------------------------------------------------------

PROGRAMS = Programs()
program = PROGRAMS.program


def pair(torch):
    return torch.tensor([1 + 2j, 3 - 1j], requires_grad=True)


G = [1 + 1j, 2 - 1j]


@program
def a_complex_loss_needs_a_gradient(torch):
    (pair(torch).sum() * 1j).backward()


@program
def a_complex_loss_of_grad_needs_a_gradient(torch):
    z = pair(torch)
    return torch.autograd.grad(z.sum(), z)


@program
def a_real_gradient_for_a_complex_output(torch):
    pair(torch).sum().backward(torch.tensor(1.0))


@program
def a_complex_gradient_for_a_real_output(torch):
    pair(torch).real.sum().backward(torch.tensor(1.0 + 0j))


@program
def a_gradient_of_double_width(torch):
    z = pair(torch)
    (z * 2j).backward(torch.tensor(G, dtype=torch.complex128))
    return z


@program
def the_gradient_of_a_real_leaf_is_real(torch):
    r = torch.tensor([1.0, 2.0], requires_grad=True)
    (r * (1 + 2j)).backward(torch.tensor(G))
    return r


@program
def gradients_accumulate(torch):
    z = pair(torch)
    z.real.sum().backward()
    z.imag.sum().backward()
    return z


@program
def a_gradient_is_assigned(torch):
    z = pair(torch)
    z.grad = torch.tensor(G)
    return z


@program
def a_real_gradient_is_assigned(torch):
    pair(torch).grad = torch.tensor([1.0, 2.0])


@program
def hooks_see_complex_gradients(torch):
    z, seen = pair(torch), []
    y = z * z
    y.register_hook(lambda g: seen.append(g.clone()))
    y.register_hook(lambda g: g * 1j)
    z.register_hook(lambda g: seen.append(g.clone()))
    y.retain_grad()
    (y * y.conj()).real.sum().backward()
    return z, y, seen


@program
def the_real_part_is_written(torch):
    z = pair(torch)
    y = z * 2
    y.real.mul_(3)
    y.backward(torch.tensor(G))
    return y, z, y.grad_fn.name()


@program
def the_imaginary_part_is_replaced(torch):
    z, r = pair(torch), torch.tensor([5.0, 6.0], requires_grad=True)
    y = z * 2
    y.imag = r * 2
    y.backward(torch.tensor(G))
    return y, z, r


@program
def a_part_of_what_was_written(torch):
    z = pair(torch)
    y = z * 2
    part = y.real
    y.mul_(1j)
    part.backward(torch.tensor([1.0, 10.0]))
    return part, z


@program
def pairs_of_what_was_written(torch):
    z = pair(torch)
    y = (z * 2).reshape(1, 2).t()
    pairs = torch.view_as_real(y)
    y.mul_(1j)
    pairs.backward(torch.arange(4.0).reshape(2, 1, 2))
    return pairs.detach(), z


@program
def pairs_written_as_complex_numbers(torch):
    r = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = r * 2
    z = torch.view_as_complex(y)
    z.mul_(1 + 1j)
    y.backward(torch.tensor([[1.0, 2.0], [3.0, 5.0]]))
    return y, z.detach(), r


@program
def a_complex_view_of_written_pairs(torch):
    r = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = r * 2
    z = torch.view_as_complex(y)
    y.mul_(3)
    z.backward(torch.tensor(G))
    return z.detach(), r


@program
def a_part_of_a_leaf_is_written(torch):
    pair(torch).real.mul_(2)


@program
def a_part_of_a_leaf_is_assigned(torch):
    pair(torch).imag = 3.0


@program
def a_saved_result_is_changed(torch):
    y = pair(torch).exp()
    y.mul_(2)
    y.backward(torch.tensor(G))


@program
def elements_are_assigned(torch):
    z, r = pair(torch), torch.tensor([5.0, 6.0], requires_grad=True)
    y = z * 2
    y[0] = 5j
    y[1:] = r[:1]
    y.backward(torch.tensor(G))
    return y, z, r


@program
def augmented_assignments(torch):
    z, w = pair(torch), torch.tensor([1j, 2 - 1j], requires_grad=True)
    y = z * 2
    y *= w
    y -= 2j
    y += w
    y.backward(torch.tensor(G))
    return y, z, w


@program
def functions_without_derivatives_of_complex_results(torch):
    return torch.nan_to_num(pair(torch))


@program
def a_module_of_complex_numbers(torch):
    layer = torch.nn.Linear(2, 1, dtype=torch.complex64)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1j, 2]]))
        layer.bias.fill_(1 - 1j)
    layer(torch.tensor([[2.0 + 1j, 4j]])).backward(torch.tensor([[1.0 + 2j]]))
    return layer.weight, layer.bias, str(layer)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_agree(torch, candidate, name):
    PROGRAMS.agree(torch, candidate, name)


# -- training ---------------------------------------------------------------------------------------------------------

OPTIMISERS = [
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01, "nesterov": True}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.01}),
    ("AdamW", {"lr": 0.1, "amsgrad": True}),
    ("RMSprop", {"lr": 0.1, "momentum": 0.5, "centered": True}),
    ("Adagrad", {"lr": 0.1, "weight_decay": 0.1}),
]


@pytest.mark.parametrize(("name", "options"), OPTIMISERS, ids=lambda value: value if isinstance(value, str) else "")
def test_optimisers_take_the_parts_as_independent(torch, candidate, name, options):
    def program(ns, tensor):
        z, r = tensor(normal(3), True), tensor(normal(4, SHAPE, "float32"), True)
        optimiser = getattr(ns.optim, name)([z, r], **options)
        for _ in range(3):
            optimiser.zero_grad()
            ((z - 1j * r).abs() ** 2).sum().backward()
            optimiser.step()
        state = optimiser.state_dict()["state"]
        return z.detach(), r.detach(), [{key: each for key, each in state[0].items() if key != "step"}]

    agree(torch, candidate, program)


def test_gradients_are_clipped_by_their_norm(torch, candidate):
    def program(ns, tensor):
        z = tensor(normal(3), True)
        (z * z.conj()).real.sum().backward()
        return ns.nn.utils.clip_grad_norm_([z], 1.0), z

    agree(torch, candidate, program)


def test_a_compiled_step_is_the_eager_one(candidate):
    if candidate.__name__ != "minitorch_like":
        pytest.skip("replay bit for bit is a promise of minitorch_like")
    z, w = (candidate.tensor(normal(at), requires_grad=True) for at in (1, 2))

    def step(x):
        y = (z * x * w.real).exp() + z.conj() / (x + 4)
        loss = (y.abs() ** 2).sum() + candidate.view_as_real(y).sum() + y.angle().sum()
        z.grad = w.grad = None
        loss.backward()
        return loss.detach(), z.grad.clone(), w.grad.clone()

    compiled = candidate.compile(step)
    for seed in range(4):
        x = candidate.tensor(normal(seed))
        for eager, replayed in zip(step(x), compiled(x), strict=True):
            assert eager.numpy().tobytes() == replayed.numpy().tobytes()
