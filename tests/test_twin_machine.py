"""The twin state machine: it is deterministic, it sees what it is to see, and its walks shrink, are kept and are printed."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, settings

import minitorch_like
from parity_tests.backends import TorchLike
from parity_tests.backends.double import Double
from parity_tests.cases.program import Ref
from parity_tests.cases.state import Hook, Move, Walk, World, check_walk
from parity_tests.cases.state_reduce import reduce_walk
from parity_tests.cases.state_script import statement, walk_script
from parity_tests.cases.state_steps import STEPS
from parity_tests.check import Disagreement, Outcome, Tally
from parity_tests.mutants.fault import FAULTS
from parity_tests.searches import TWINS
from parity_tests.suite import Arena, expected_failures, search

ARENA = Arena(TorchLike(torch), TorchLike(minitorch_like), Double(torch))
NULL = Arena(TorchLike(torch), TorchLike(torch), Double(torch))
ONES = Move("new", (np.ones((2, 3), np.float32),), {"requires_grad": True}, ("t1",))


def drawn(count: int, start: int) -> list[Walk]:
    walks: list[Walk] = []
    options = settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        stateful_step_count=15,
    )
    TWINS.each(lambda walk: walks.append(walk), options, start)  # noqa: PLW0108  no builtin, please
    return walks


def texts(walks: list[Walk]) -> list[list[str]]:
    return [[statement(move) for move in walk.moves] for walk in walks]


def test_the_same_seed_walks_the_same_way() -> None:
    first = texts(drawn(15, 3))
    assert first == texts(drawn(15, 3))
    assert first != texts(drawn(15, 4))


def test_every_kind_of_step_is_taken() -> None:
    """At least by name: a declaration that always skips is none."""
    taken = {statement(move).partition("(")[0].rpartition(".")[2] for walk in drawn(250, 0) for move in walk.moves}
    wanted = {
        "select",
        "narrow",
        "as_strided",
        "unbind",
        "detach_",
        "copy_",
        "backward",
        "grad",
        "register_hook",
        "clone",
    }
    assert wanted <= taken
    assert len(STEPS) > 75


def test_a_walk_is_kept_as_plain_data() -> None:
    for walk in drawn(10, 1):
        assert texts([Walk.from_dict(walk.as_dict())]) == texts([walk])


def test_torch_does_not_differ_from_itself() -> None:
    assert all(check_walk(walk, NULL) == [] for walk in drawn(30, 2))


FOUND = (
    "base of a view of a view is the view",
    "select copies",
    "detached memory counts its own versions",
    "leaves are written to",
    "rest of the base loses its gradient",
)


@pytest.mark.parametrize("name", FOUND)
def test_a_fault_comes_out_as_a_short_program(name: str) -> None:
    with FAULTS[name].planted(), pytest.raises(Disagreement) as found:
        search(TWINS, ARENA, Tally(), examples=400, expected=expected_failures("minitorch_like", TWINS.name))
    assert len(found.value.case.moves) <= 8
    assert "import torch" in found.value.script


def test_a_step_that_was_taken_out_takes_its_dependants_with_it() -> None:
    narrow = Move("Tensor.narrow", (Ref("t1"), 0, 0, 1), {}, ("t2",))
    assert check_walk(Walk((narrow,)), NULL) == []  # no walk at all
    wrong = Walk((ONES, ONES, narrow, Move("Tensor.exp", (Ref("t2"),), {}, ("t3",))))
    smaller = reduce_walk(wrong, lambda walk: any(move.op == "Tensor.narrow" for move in walk.moves))
    assert [move.op for move in smaller.moves] == ["Tensor.narrow"]


def test_hooks_are_heard_and_keep_nothing_alive() -> None:
    world = World(TorchLike(torch))
    for move in (
        ONES,
        Move("Tensor.register_hook", (Ref("t1"), Hook("double")), {}, ("h1",)),
        Move("autograd.backward", ([Ref("t1")], [np.ones((2, 3), np.float32)])),
    ):
        world.step(move)
    seen = world.look(None, closely=True)
    assert seen.values["heard"].items[0] == "double"
    assert len(seen.values["heard"].items) == 2
    assert seen.values["t1"].grad.value.sum() == 12


def test_the_script_runs_and_says_what_was_refused() -> None:
    refused = Move("Tensor.add_", (Ref("t1"), 1), {}, ("",), raises=True)
    view = Move("operator.getitem", (Ref("t1"), (0, slice(None))), {}, ("t2",), mode="no_grad")
    source = walk_script(Walk((ONES, view, refused)))
    for module in ("torch", "minitorch_like"):
        text = source.replace("import torch ", f"import {module} as torch ")
        run = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
        assert "a leaf Variable that requires grad is being used in an in-place operation." in run.stdout
        assert "t2 = [1.0, 1.0, 1.0]" in run.stdout


class Missing:
    """torch without Tensor.neg_."""

    name = "missing"

    def __init__(self) -> None:
        self.torch = TorchLike(torch)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.torch, name)

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return self.torch.call("Tensor.no_such_method" if name == "Tensor.neg_" else name, *args, **kwargs)


def test_a_step_says_what_is_known_to_differ_in_it() -> None:
    half = Move("torch.neg", (Ref("t1"),), {}, ("t2",), mode="inference_mode")
    total = Move("torch.sum", (Ref("t2"),), {}, ("t3",))
    (found,) = check_walk(Walk((ONES, half, total)), ARENA)
    assert found.message == "_version 0, expected 1 (an operand is of inference mode, and this is not)"


def test_what_takes_several_calls_is_printed_as_them() -> None:
    copied = Move("composed.copied", (Ref("t1"),), {}, ("t2",))
    twice = Move("composed.grad_of_grad", (Ref("t1"), Ref("t1"), np.ones((2, 3)), np.ones((2, 3))))
    source = walk_script(Walk((ONES, copied, twice)))
    assert source.startswith("import copy\n")
    assert "t2 = copy.deepcopy(t1)" in source
    assert "create_graph=True" in source
    subprocess.run([sys.executable, "-c", source], capture_output=True, check=True)


def test_what_is_missing_is_unsupported_and_no_difference() -> None:
    walk = Walk((ONES, Move("Tensor.neg_", (Ref("t1"),), {}, ("",), mode="no_grad")))
    found = check_walk(walk, Arena(TorchLike(torch), Missing(), Double(torch)))
    assert {each.outcome for each in found} == {Outcome.UNSUPPORTED}
