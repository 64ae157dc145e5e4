"""`torch.compiler`'s functions: what a program asks of a capture, and what it keeps out of it."""

import minitorch_like as torch


def trained(visit, calls=6):
    """The compiled step of a small training loop, called a few times; it passes its input through `visit`."""
    weight = torch.ones(3, requires_grad=True)
    optimiser = torch.optim.SGD([weight], lr=0.1)

    @torch.compile
    def step(x):
        optimiser.zero_grad()
        loss = (visit(x) * weight).sum()
        loss.backward()
        optimiser.step()
        return loss

    for _ in range(calls):
        step(torch.ones(3))
    return step, weight


def test_a_step_knows_when_it_is_captured():
    seen = []
    step, _ = trained(lambda x: seen.append(torch.compiler.is_compiling()) or x)
    assert "1 plans" in step.explain()
    assert seen.count(True) == 1
    assert not torch.compiler.is_compiling()


def test_what_is_disabled_runs_each_time():
    calls = []

    @torch.compiler.disable(reason="it counts")
    def counted(x):
        calls.append(x)
        return x * 2

    step, weight = trained(counted)
    assert len(calls) == 6
    assert "is disabled: it counts" in step.explain()
    assert torch.allclose(weight, torch.full((3,), 1 - 6 * 0.1 * 2))


def test_a_disabled_module_runs_each_time():
    calls = []

    class Counting(torch.nn.Module):
        def forward(self, x):
            calls.append(x)
            return x

    trained(torch.compiler.disable(Counting()))
    assert len(calls) == 6
