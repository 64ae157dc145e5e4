"""The instrument can fail: every planted fault is found by the ordinary suites, and lifted it leaves nothing behind."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from minitorch_like.ops import TABLE, Op
from parity_tests import mutants
from parity_tests.mutants.fault import FAULTS, Applied, Attribute, Fault, Kernel, Rule


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str) -> None:
    verdict = mutants.look_for(FAULTS[name])
    assert verdict.by, f"no suite found it in {verdict.cases} cases: {FAULTS[name].description}"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> str:
    """A profile of few cases."""
    monkeypatch.setitem(mutants.SHARES, "few", 0.1)
    return "few"


def test_there_is_nothing_to_find_where_nothing_is_planted(few: str) -> None:
    nothing = Fault("nothing", "", "", (), lambda: None)
    assert mutants.look_for(nothing, few).by == ""


def standing() -> Iterator[Any]:
    """Everything that a fault can replace, as it stands now."""
    for op in TABLE.values():
        yield from (op.kernel, op.apply, *op.rules, *op.rule_calls, tuple(op.saves))
    for each in FAULTS.values():
        for place in each.places:
            if isinstance(place, Attribute):
                yield place.standing()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_planted_and_lifted(name: str) -> None:
    before = list(standing())
    with contextlib.suppress(KeyboardInterrupt), FAULTS[name].planted():
        assert list(standing()) != before
        raise KeyboardInterrupt
    assert list(standing()) == before


def test_a_fault_needs_a_place_that_exists() -> None:
    for place in (Rule("exp", "other"), Kernel("no_such_op"), Attribute(mutants, "no_such_function")):
        with pytest.raises(LookupError), Fault("", "", "", (place,), lambda: None).planted():
            pass


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_takes_the_arguments_of_what_it_replaces(name: str) -> None:
    """A faulty function that cannot be called is found at once, and says nothing of the instrument."""
    planted = FAULTS[name]
    for place in planted.places:
        if isinstance(place, Rule | Applied):
            continue  # its arguments are looked up by their names when it is planted, or are those of any op
        assert isinstance(place, Kernel | Attribute)
        right = TABLE[place.op] if isinstance(place, Kernel) else place.standing()
        if isinstance(right, np.ufunc):
            continue
        right = right.kernel if isinstance(right, Op) else right
        parameters = inspect.signature(right).parameters.values()
        named = {each.name: None for each in parameters if each.kind is each.KEYWORD_ONLY}
        ordinary = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
        inspect.signature(planted.faulty).bind(right, *ordinary, **named)


def test_every_fault_is_described() -> None:
    assert len(FAULTS) >= 25
    for each in FAULTS.values():
        assert each.kind, each.name
        assert each.description.endswith("."), each.name
        assert "\n" not in each.description, each.name


class Steps:
    """A progress bar that takes notes."""

    def __init__(self) -> None:
        self.total = 0
        self.failed: list[bool] = []

    def expect(self, total: int) -> None:
        self.total = total

    def step(self, text: str = "", failed: bool = False) -> None:
        self.failed.append(failed)


def test_a_run_is_a_part_of_the_scoreboard(monkeypatch: pytest.MonkeyPatch, few: str) -> None:
    found, missed = FAULTS["bias is drawn first"], Fault("nothing", "none", "Nothing is wrong.", (), lambda: None)
    monkeypatch.setattr(mutants, "FAULTS", {each.name: each for each in (found, missed)})
    steps = Steps()
    board = mutants.run(few, steps, workers=1)
    assert (board["planted"], board["found"]) == (2, 1)
    assert [(each["name"], each["found"], each["by"]) for each in board["rows"]] == [
        ("bias is drawn first", True, "random_mlps"),
        ("nothing", False, ""),
    ]
    assert (steps.total, steps.failed) == (2, [False, True])
