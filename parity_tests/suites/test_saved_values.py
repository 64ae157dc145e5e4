"""Writes between forward and backward: what is refused, in which words, and the gradients of the rest."""

import random

import pytest

from parity_tests.check import assert_same
from parity_tests.searches import SAVED
from parity_tests.suites._programs import run
from parity_tests.suites.test_operator_database import PARTS as DEALT
from parity_tests.suites.test_operator_database import World, counted, database, entries_of, samples_of, tensors_in

PARTS = 4
MOST_WRITES = 10  # of those that an operator's operands and results are written to in turn

# Accepted differences, by entry.
ACCEPTED = {
    "tensordot": "of what is contracted to a single number, torch saves the factors as they are, and not as vectors",
    "to_sparse": "what is refused has other words",
}


@pytest.mark.parity(SAVED.name, SAVED.title)
@pytest.mark.parametrize("part", range(PARTS))
def test_what_a_graph_has_saved(hold, part):
    """Random graphs of the common ops, and layers."""
    hold(SAVED, part, PARTS)


pytestmark = pytest.mark.filterwarnings("ignore")


def sampled(torch, name, entry):
    """A sample of an entry of torch's database that has gradients, and the dice; None for one that has not."""
    supported = entry.supported_dtypes("cpu")
    dtypes = [each for each in ("float32", "float64", "complex64") if getattr(torch, each) in supported]
    if not (entry.supports_autograd and dtypes):
        return None
    draw = random.Random(name)
    samples = samples_of(torch, name, draw.choice(dtypes))
    return (draw.choice(samples), draw) if samples else None


def written(torch, form, sample, wanted, place):
    """A program that calls `form`, writes to the tensor at `place` among operands and results, and goes back; or has nothing
    to write to.

    wanted: which of the operands that can require grad do, all if None.
    """

    def program(ns):
        world, leaves = World(torch, ns), []
        lay_out = world._operand

        def operand(given):
            tensor = lay_out(given).detach()
            if given.requires_grad and wanted in (None, len(leaves)):
                leaves.append(tensor.requires_grad_())
            elif given.requires_grad:
                leaves.append(None)
            return tensor

        world._operand = operand
        args, kwargs = world.value((sample.input, *sample.args)), world.value(sample.kwargs)
        ns.manual_seed(0)
        outs = tensors_in(world.function(form)(*args, **kwargs))
        tensors = [*world.operands.values(), *outs]
        roots = [each for each in outs if each.requires_grad]
        if place >= len(tensors) or not roots:
            return None
        memory = tensors[place].detach()
        memory.copy_(memory.clone())
        ns.autograd.grad(
            roots, [each for each in leaves if each is not None], list(map(ns.ones_like, roots)), allow_unused=True
        )
        return "went back"

    return program


def compare(torch, candidate, name, entry):
    """All operands require grad, then one of them; and to each operand and result something is written in turn."""
    found = sampled(torch, name, entry)
    if found is None:
        return
    sample, draw = found
    count = sum(each.requires_grad for each in tensors_in((sample.input, *sample.args, *sample.kwargs.values())))
    for wanted in {None, draw.randrange(count or 1)}:
        for place in range(MOST_WRITES):
            program = written(torch, entry.op, sample, wanted, place)
            expected = run(torch, program)
            if expected is None:
                break
            with counted(name, f"{sample}, written to number {place}, {wanted} requiring grad"):
                assert_same(expected, run(candidate, program))


@pytest.mark.parametrize("part", range(DEALT))
def test_what_each_operator_saves(torch, candidate, part):
    for name, entry in entries_of(torch, candidate, part):
        if name not in ACCEPTED:
            compare(torch, candidate, name, entry)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xfail(reason=ACCEPTED[name], strict=True)) for name in ACCEPTED]
)
def test_accepted_differences(torch, candidate, name):
    compare(torch, candidate, name, database()[name])
