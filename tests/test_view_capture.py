"""Compiled training steps made of views and rearrangements take the eager step's bits."""

import pytest

import minitorch_like as torch

USES = {
    "diagonal": lambda w: w.diagonal() * 2,
    "diag_embed": lambda w: w[0].diag_embed(1) * 2,
    "diagonal_scatter": lambda w: w.diagonal_scatter(w[0] * 2),
    "block_diag": lambda w: torch.block_diag(w, w[0]) * 2,
    "unfold": lambda w: w.unfold(1, 2, 1) * 2,
    "as_strided": lambda w: w.as_strided((3, 2), (1, 2), 1) * 2,
    "as_strided_scatter": lambda w: w.as_strided_scatter(w[:2, :2] * 3, (2, 2), (4, 1), 1),
    "slice_scatter": lambda w: w.slice_scatter(w[:2] * 3, 0, 1, 3),
    "select_scatter": lambda w: w.select_scatter(w[0] * 3, 0, 1),
    "flip": lambda w: w.flip((0, 1)) * w,
    "roll": lambda w: w.t().roll(1) * w,
    "rot90": lambda w: w.rot90() * w,
    "repeat": lambda w: w.repeat(2, 1, 3) * 2,
    "tile": lambda w: w.tile(2) * 2,
    "repeat_interleave": lambda w: w.repeat_interleave(2, 1) * 2,
    "tril": lambda w: w.tril() * w.triu(1),
    "split": lambda w: sum(part.sum() * k for k, part in enumerate(w.split([1, 3]))),
    "chunk": lambda w: torch.hstack([part * 2 for part in w.chunk(2)]),
    "tensor_split": lambda w: torch.hstack([part * 2 for part in w.tensor_split(3, 1)[:2]]),
    "unbind": lambda w: torch.dstack(w.unbind()) * 2,
    "movedim": lambda w: w.unflatten(0, (2, 2)).movedim(0, -1).reshape(4, 4) * w,
    "channels last": lambda w: w.reshape(1, 2, 2, 4).contiguous(memory_format=torch.channels_last) * 2,
    "expand": lambda w: w.unsqueeze(0).expand(3, 4, 4).clone().squeeze() * 2,
    "in place": lambda w: (w * 2).unsqueeze_(0).transpose_(1, 2).squeeze_().t_() * w,
    "narrow_copy": lambda w: w.narrow_copy(1, 1, 2) * 2,
}


def training(use, compiled):
    """A parameter, and the function that takes a step and returns the loss."""
    weight = (torch.arange(16.0).reshape(4, 4) / 7).requires_grad_()
    optimizer = torch.optim.SGD([weight], lr=0.05, momentum=0.9)

    def step(x):
        optimizer.zero_grad()
        loss = (use(weight * x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    return weight, torch.compile(step) if compiled else step


@pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
def test_a_compiled_step_is_the_eager_one(use):
    (weight, step), (other, compiled) = training(use, False), training(use, True)
    for k in range(5):
        x = torch.arange(16.0).reshape(4, 4) * 0.1 * k + 0.5
        assert step(x).tolist() == compiled(x).tolist()
        assert weight.tolist() == other.tolist()
    assert "eager" not in compiled.explain()


@pytest.mark.parametrize("change", [lambda t: t.t_(), lambda t: t.resize_(2, 8), lambda t: t.set_(torch.ones(2, 3))])
def test_a_step_that_reshapes_what_it_has_not_made_runs_eagerly(change):
    def run(compile):
        kept = torch.arange(16.0).reshape(2, 8).t()
        step = compile(lambda x: change(kept) * x)
        for _ in range(4):
            yield step(torch.ones(1)).tolist(), kept.shape

    assert list(run(torch.compile)) == list(run(lambda step: step))


def test_a_weight_that_is_transposed_between_steps_is_noticed():
    weight = torch.arange(6.0).reshape(2, 3)
    compiled = torch.compile(lambda x: weight * x)
    for _ in range(3):
        compiled(torch.ones(1))
    weight.t_()
    assert compiled(torch.ones(1)).tolist() == weight.tolist()
