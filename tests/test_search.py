"""The search: it convicts a faulty framework, sets kinks apart, knows its expected failures, adds up its tallies."""

import dataclasses
import json
import types
from pathlib import Path

import pytest
import torch

from parity_tests import suite as suites
from parity_tests.backends import TorchLike
from parity_tests.backends.double import Double
from parity_tests.check import Difference, Disagreement, Outcome, Tally
from parity_tests.searches import ERRORS, KINKS, MLPS, SMOOTH, SUITES, WHOLE
from parity_tests.suite import Arena, Expected, hunt, replay, search, smallest

pytest_plugins = ["pytester"]


class Faulty(types.ModuleType):
    """torch with some of its names replaced: 'relu', 'nn.functional.relu'."""

    def __init__(self, replaced, base=torch):
        super().__init__("faulty")
        self.__dict__["_base"] = base
        spaces = {name.partition(".")[0] for name in replaced if "." in name}
        for space in spaces:
            inner = {name.partition(".")[2]: value for name, value in replaced.items() if name.startswith(f"{space}.")}
            self.__dict__[space] = Faulty(inner, getattr(base, space))
        self.__dict__.update({name: value for name, value in replaced.items() if "." not in name})

    def __getattr__(self, name):
        return getattr(self._base, name)


def against(**replaced):
    faulty = Faulty({name.replace("__", "."): value for name, value in replaced.items()})
    return Arena(TorchLike(torch), TorchLike(faulty), Double(torch))


NULL = Arena(TorchLike(torch), TorchLike(torch), Double(torch))


class Sgd(torch.optim.SGD):
    """A learning rate that is off by two parts in a million."""

    def step(self):
        for group in self.param_groups:
            group["lr"] *= 1 + 2e-6
        super().step()
        for group in self.param_groups:
            group["lr"] /= 1 + 2e-6


FAULTS = {
    "a wrong factor of one part in a million": (dict(tanh=lambda x: torch.tanh(x) * (1 + 1e-6)), SMOOTH),
    "a wrong default": (
        dict(
            nn__functional__leaky_relu=lambda x, negative_slope=0.02: torch.nn.functional.leaky_relu(x, negative_slope)
        ),
        SMOOTH,
    ),
    "a copy in the place of a view": (dict(transpose=lambda x, a, b: torch.transpose(x, a, b).clone()), WHOLE),
    "a graph that is cut": (dict(reshape=lambda x, shape: torch.reshape(x, shape).detach()), WHOLE),
    "the last of the largest": (
        dict(argmax=lambda x, dim=None, keepdim=False: torch.argmin(-x.flip(0) if dim is None else -x, dim, keepdim)),
        WHOLE,
    ),
    "a forgotten factor": (dict(addmm=lambda c, a, b, beta=1, alpha=1: torch.addmm(c, a, b, beta=beta)), WHOLE),
    "a tie decided for one side": (dict(maximum=lambda a, b: torch.where(a >= b, a, b)), KINKS),
    "an update that is a little too long": (dict(optim__SGD=Sgd), MLPS),
    "other words": (
        dict(stack=lambda tensors, dim=0: torch.stack(tensors, dim) if tensors else torch.cat([torch.ones(2), None])),
        ERRORS["shapes"],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_framework_is_convicted(name):
    replaced, suite = FAULTS[name]
    finding = hunt(against(**replaced), suite.examples, [suite])
    assert finding is not None
    assert finding.suite == suite.name
    assert "import torch" in finding.script


def test_the_innocent_is_not():
    assert hunt(NULL, 40, SUITES) is None


def test_a_finding_is_the_smallest_case():
    arena = against(addmm=lambda c, a, b, beta=1, alpha=1: torch.addmm(c, a, b, beta=beta) + 1)
    with pytest.raises(Disagreement) as raised:
        search(WHOLE, arena, Tally(), examples=WHOLE.examples)
    assert raised.value.script.count("torch.addmm(") == raised.value.script.count("\ny") == 1


def test_the_cases_before_a_difference_are_counted_and_the_shrinking_is_not():
    tally = Tally()
    with pytest.raises(Disagreement):
        search(WHOLE, against(reshape=lambda x, shape: torch.reshape(x, shape) + 0), tally, examples=800)
    first = hunt(against(reshape=lambda x, shape: torch.reshape(x, shape) + 0), 800, [WHOLE])
    assert tally.cases == first.cases - 1


def test_the_same_seed_finds_the_same():
    arena = against(transpose=lambda x, a, b: torch.transpose(x, a, b).clone())
    first, again = (hunt(arena, 200, [WHOLE]) for _ in range(2))
    assert (first.cases, first.script) == (again.cases, again.script)


def missing(*args, **kwargs):
    raise NotImplementedError("torch.log is not supported yet")


def test_unsupported_is_counted_and_no_pass():
    tally = Tally()
    search(SMOOTH, against(log=missing), tally, examples=300)
    assert tally.outcomes[Outcome.UNSUPPORTED] > 0
    assert tally.outcomes[Outcome.PASS] + tally.outcomes[Outcome.UNSUPPORTED] == tally.cases
    assert tally.unsupported.keys() == {"torch.log is not supported yet"}


def entry(arena, suite=WHOLE, **changes):
    """An expected failure made of what a search finds."""
    found = []
    keep = suites.Suite(
        **{
            **{name: getattr(suite, name) for name in suite.__slots__},
            "script": lambda case: found.append(case) or "",
        }
    )
    with pytest.raises(Disagreement) as raised:
        search(keep, arena, Tally(), examples=suite.examples, shrink=False)
    first = raised.value.differences[0]
    stored = json.loads(json.dumps(suite.encode(found[-1])))
    fields = dict(backend="faulty", suite=suite.name, reason="known", outcome=first.outcome, match=".", case=stored)
    return Expected(**{**fields, **changes})


FORGETFUL = against(addmm=lambda c, a, b, beta=1, alpha=1: torch.addmm(c, a, b, beta=beta))


def test_an_expected_failure_is_expected():
    expected = [entry(FORGETFUL, match="no rounding is due")]
    tally = Tally()
    replay(WHOLE, FORGETFUL, expected, tally)
    assert tally.outcomes == {Outcome.XFAIL: 1}


def test_a_stale_expected_failure_fails():
    expected = [entry(FORGETFUL)]
    with pytest.raises(Disagreement, match="it passes now") as raised:
        replay(WHOLE, NULL, expected, Tally())
    assert raised.value.outcome == Outcome.XPASS


def test_an_expected_failure_covers_nothing_else():
    expected = [entry(FORGETFUL, outcome=Outcome.DTYPE)]
    with pytest.raises(Disagreement):
        replay(WHOLE, FORGETFUL, expected, Tally())
    with pytest.raises(Disagreement):
        search(WHOLE, FORGETFUL, Tally(), examples=WHOLE.examples, expected=expected, shrink=False)


def test_a_smaller_case_is_none_that_is_known():
    suite = dataclasses.replace(
        WHOLE,
        check=lambda case, arena: [Difference(Outcome.VALUE, "result", f"off by {case}")],
        script=str,
        reduce=lambda case, shows: next(each for each in range(case + 1) if shows(each)),
    )
    found = Disagreement(suite.check(7, NULL))
    found.case = 7
    known = entry(NULL, suite, outcome=Outcome.VALUE, match="off by [0-3]")
    assert smallest(suite, found, NULL).case == 0
    assert smallest(suite, found, NULL, [known]).case == 4


def test_the_store_can_be_read():
    assert suites.expected_failures("no such backend", "random_graphs") == []


@pytest.fixture
def elsewhere(pytester, monkeypatch):
    """A folder from which the instrument can be imported."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    return pytester


def test_a_run_in_several_processes_adds_up(elsewhere):
    pytester = elsewhere
    pytester.mkdir("suites")
    pytester.path.joinpath("suites", "test_trial.py").write_text(
        '''"""A trial."""
from hypothesis import given, settings, strategies as st
from parity_tests.check import assert_same

@settings(max_examples=7)
@given(st.integers(0, 10**9))
def test_same(torch, candidate, number):
    assert_same(torch.tensor(number), candidate.tensor(number))

def test_other(torch, candidate):
    assert_same(torch.ones(2), candidate.zeros(2))
'''
    )
    board = pytester.path / "board.json"
    ran = pytester.runpytest_subprocess(
        "-p", "parity_tests.plugin", "-n2", "--backend=torch", f"--scoreboard={board}", "suites"
    )
    ran.assert_outcomes(passed=1, failed=1)
    (row,) = json.loads(board.read_text())["suites"]
    assert (row["name"], row["title"], row["cases"]) == ("trial", "A trial.", 8)
    assert (row["compared"], row["exact"]) == (8, 7)
    assert row["outcomes"]["pass"] == 7
    assert row["outcomes"]["value"] == 1
    (failure,) = row["failures"]
    assert failure["outcome"] == "value"


def test_accepted_differences_are_counted_apart(elsewhere):
    elsewhere.mkdir("suites")
    elsewhere.path.joinpath("suites", "test_trial.py").write_text(
        '''"""A trial."""
import pytest
from parity_tests.check import assert_same

@pytest.mark.xfail(reason="accepted", strict=True)
@pytest.mark.parametrize("size", [2, 0])
def test_accepted(torch, candidate, size):
    assert_same(torch.ones(size), candidate.zeros(size))
'''
    )
    board = elsewhere.path / "board.json"
    ran = elsewhere.runpytest_subprocess(
        "-p", "parity_tests.plugin", "-n0", "--backend=torch", f"--scoreboard={board}", "suites"
    )
    ran.assert_outcomes(xfailed=1, failed=1)
    (row,) = json.loads(board.read_text())["suites"]
    assert (row["outcomes"]["xfail"], row["outcomes"]["xpass"]) == (1, 1)
    (stale,) = row["failures"]
    assert stale["outcome"] == "xpass"


ADAPTER = """
import torch
from parity_tests.backends import TorchLike, Unsupported

class Adapter(TorchLike):
    def __init__(self):
        super().__init__(torch)
        self.name = "adapter"

    def call(self, name, *args, **kwargs):
        if name.endswith("log"):
            raise Unsupported(f"{name} is missing")
        return super().call(name, *args, **kwargs)
"""


def test_a_framework_of_its_own_kind_needs_one_class(elsewhere):
    pytester = elsewhere
    pytester.makepyfile(adapter=ADAPTER)
    pytester.makepyfile(
        test_trial="""
import pytest
from parity_tests.searches import SMOOTH

@pytest.mark.parity("trial")
def test_graphs(hold):
    hold(SMOOTH)

def test_namespace(candidate): ...
"""
    )
    ran = pytester.runpytest_subprocess(
        "-p", "parity_tests.plugin", "-ppytester", "--backend=adapter:Adapter", "--parity-profile=dev"
    )
    ran.assert_outcomes(passed=1, skipped=1)
    ran.stdout.fnmatch_lines(["*unsupported, not passed: *.log is missing*"])


def test_an_unknown_backend_is_a_usage_error(elsewhere):
    pytester = elsewhere
    pytester.makepyfile("def test(candidate): ...")
    ran = pytester.runpytest_subprocess("-p", "parity_tests.plugin", "--backend=no.such.module")
    ran.stderr.fnmatch_lines(["*there is no module*"])
