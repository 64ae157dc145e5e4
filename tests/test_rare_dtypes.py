"""bfloat16 and complex numbers cost nothing until they are used, and then change nothing for other dtypes."""

import subprocess
import sys

PROGRAM = """
import sys
import minitorch_like as torch
from minitorch_like.ops import TABLE

x = torch.linspace(-2, 2, 24).reshape(4, 6).requires_grad_()


def numbers():
    x.grad = None
    loss = (torch.nn.functional.softmax(x @ x.T, -1) * x.exp().sum(1)).var()
    loss.backward()
    return loss.item(), x.grad.tolist()


before, kernels = numbers(), {{name: op.kernel for name, op in TABLE.items()}}
assert "ml_dtypes" not in sys.modules
{use}
assert ("ml_dtypes" in sys.modules) is {loads}
assert (TABLE["exp"].kernel is kernels["exp"]) is not {loads}
assert numbers() == before
"""


def run(use, *, loads):
    subprocess.run([sys.executable, "-c", PROGRAM.format(use=use, loads=loads)], check=True)


def test_naming_a_dtype_is_not_using_it():
    run("torch.bfloat16.itemsize, torch.complex64, torch.promote_types(torch.bfloat16, torch.int8)", loads=False)


def test_bfloat16():
    run("torch.ones(3, dtype=torch.bfloat16).requires_grad_().exp().sum().backward()", loads=True)


def test_complex():
    run("torch.ones(3, dtype=torch.complex64).requires_grad_().exp().abs().sum().backward()", loads=False)


def test_a_compiled_step_in_bfloat16():
    import minitorch_like as torch

    def steps(compiled):
        torch.manual_seed(0)
        net = torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)).to(torch.bfloat16)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        x = torch.randn(6, 5).to(torch.bfloat16)

        def step():
            optimizer.zero_grad()
            loss = (net(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        run = torch.compile(step) if compiled else step
        return [run().item() for _ in range(6)]

    assert steps(compiled=True) == steps(compiled=False)
