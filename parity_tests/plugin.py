"""The pytest plugin: what is tested, how long, and the scoreboard.

    pytest --backend any.module --parity-profile deep --scoreboard report.json

Fixtures: `torch` (the reference's namespace), `candidate` (the namespace under test), `reference` and `subject` (the
same two as Backends).  A test module is a suite; the first line of its docstring is its title.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.errors import StopTest, UnsatisfiedAssumption

from parity_tests.backends import Backend, TorchLike, load
from parity_tests.backends.double import Double
from parity_tests.backends.loading import exists
from parity_tests.check import Disagreement, Outcome, Tally, current, tallying
from parity_tests.scoreboard import Scoreboard
from parity_tests.suite import Arena, Suite, expected_failures, replay, search

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

# A continuous-integration run must give the same verdict twice: no randomness, no memory of earlier runs.
settings.register_profile(
    "ci", max_examples=60, derandomize=True, database=None, deadline=None, suppress_health_check=_SLOW
)
settings.register_profile("dev", max_examples=15, deadline=None, suppress_health_check=_SLOW)
settings.register_profile("deep", max_examples=2000, deadline=None, suppress_health_check=_SLOW)

_TALLY = pytest.StashKey[Tally]()
_FAILURE = pytest.StashKey[dict[str, str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("parity", "parity with torch")
    group.addoption(
        "--backend", default="minitorch_like", help="what is tested: any.torch_like.module, or any.module:Backend"
    )
    group.addoption("--parity-profile", default="ci", choices=["ci", "dev", "deep"], help="how long to search")
    group.addoption("--suite", action="append", default=[], metavar="NAME", help="only this suite; may be repeated")
    group.addoption("--scoreboard", metavar="PATH", help="write the tallies of this run as JSON")


def pytest_configure(config: pytest.Config) -> None:
    backend = config.getoption("--backend")
    if not exists(backend):
        raise pytest.UsageError(f"there is no module {backend.partition(':')[0]!r} to test")
    settings.load_profile(config.getoption("--parity-profile"))
    config.addinivalue_line("markers", "parity(name, title): the suite that a test's cases are counted for")
    config.pluginmanager.register(Reporter(config), "parity-reporter")


@pytest.fixture(scope="session")
def torch() -> ModuleType:
    """The reference.  One thread: the order of a sum does not depend on the machine."""
    module = importlib.import_module("torch")
    module.set_num_threads(1)
    return module


@pytest.fixture(scope="session")
def candidate(request: pytest.FixtureRequest) -> ModuleType:
    """The namespace under test."""
    if ":" in request.config.getoption("--backend"):
        pytest.skip("the backend has no namespace with torch's names")
    return importlib.import_module(request.config.getoption("--backend"))


@pytest.fixture(scope="session")
def reference(torch: ModuleType) -> Backend:
    """torch as a Backend."""
    return TorchLike(torch)


@pytest.fixture(scope="session")
def subject(request: pytest.FixtureRequest) -> Backend:
    """The candidate as a Backend."""
    return load(request.config.getoption("--backend"))


# How many times the examples of the ci profile a suite of `parity_tests.searches` is run with.
_LENGTH = {"ci": 1.0, "dev": 0.1, "deep": 30.0}


@pytest.fixture
def hold(reference: Backend, subject: Backend, torch: ModuleType, request: pytest.FixtureRequest) -> Holder:
    """Holds the candidate against the reference on a suite: `hold(SUITE)`, or a part of it: `hold(SUITE, 1, of=4)`."""
    return Holder(Arena(reference, subject, Double(torch)), request.config.getoption("--parity-profile"))


@pytest.fixture
def hold_reference(reference: Backend, torch: ModuleType, request: pytest.FixtureRequest) -> Holder:
    """Holds the reference against itself: the null control."""
    again = TorchLike(torch)
    return Holder(Arena(reference, again, Double(torch)), request.config.getoption("--parity-profile"))


class Holder:
    """Runs suites in the length that the profile says."""

    def __init__(self, arena: Arena, profile: str) -> None:
        self.arena, self.profile = arena, profile

    def __call__(self, suite: Suite[Any], part: int = 0, of: int = 1) -> None:
        __tracebackhide__ = True
        tally = current()
        expected = expected_failures(self.arena.subject.name, suite.name)
        if part == 0:
            replay(suite, self.arena, expected, tally)
        examples = max(round(suite.examples * _LENGTH[self.profile] / of), 5)
        start = None if self.profile == "deep" else part
        search(suite, self.arena, tally, examples=examples, start=start, expected=expected)
        if tally.cases and tally.outcomes[Outcome.UNSUPPORTED] == tally.cases:
            pytest.skip(f"nothing of it is supported: {', '.join(tally.unsupported)}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the suites asked for; let every Hypothesis test count its examples."""
    if wanted := set(config.getoption("--suite")):
        names = {item: {_suite_of(item)[0], item.path.stem.removeprefix("test_")} for item in items}
        config.hook.pytest_deselected(items=[item for item in items if not names[item] & wanted])
        items[:] = [item for item in items if names[item] & wanted]
    for item in items:
        handle = getattr(getattr(item, "obj", None), "hypothesis", None)
        if handle is not None and not hasattr(handle.inner_test, "parity_counted"):
            # `inner_test` is there for runners to wrap.
            handle.inner_test = _counting(handle.inner_test)


def _counting(test: Any) -> Any:
    """The test, counting the examples that it agrees on; those of the shrinking after a failure are none."""

    @functools.wraps(test)
    def counted(*args: Any, **kwargs: Any) -> None:
        tally = current()
        searching = not tally.failed
        try:
            test(*args, **kwargs)
        except (UnsatisfiedAssumption, StopTest):  # no case: what was drawn did not suit, or did not suffice
            raise
        except BaseException as error:
            if searching and not isinstance(error, pytest.skip.Exception):
                tally.failed = True
            raise
        if searching:
            tally.case(Outcome.PASS)

    counted.parity_counted = True  # type: ignore[attr-defined]
    return counted


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    """Count into a tally of the test's own; say in a word how it ended."""
    tally = item.stash[_TALLY] = Tally()
    with tallying(tally):
        try:
            result = yield
        except (pytest.skip.Exception, pytest.xfail.Exception):
            raise
        except BaseException as error:
            if _is_expected_to_fail(item):
                tally.case(Outcome.XFAIL)
                raise
            outcome = error.outcome if isinstance(error, Disagreement) else Outcome.ERROR
            tally.case(outcome)
            script = getattr(error, "script", "")
            message = str(error).strip()
            if script:
                message = message.split("\nThe same under either import:")[0].strip()
            item.stash[_FAILURE] = {"outcome": str(outcome), "message": message, "script": script}
            raise
    if _is_expected_to_fail(item):
        tally.case(Outcome.XPASS)
        item.stash[_FAILURE] = {"outcome": str(Outcome.XPASS), "message": "it passes now", "script": ""}
    elif not tally.cases:
        tally.case(Outcome.PASS)
    return result


def _is_expected_to_fail(item: pytest.Item) -> bool:
    """Whether the test is a difference that is accepted: its input is the test, its reason the mark's."""
    return item.get_closest_marker("xfail") is not None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Put the tally where pytest-xdist carries it to the process that reports."""
    report: pytest.TestReport = yield
    if call.when == "call" and _TALLY in item.stash and _is_suite(item):
        name, title = _suite_of(item)
        data = {
            "name": name,
            "title": title,
            "tally": item.stash[_TALLY].as_dict(),
            "failure": item.stash.get(_FAILURE, None),
        }
        report.user_properties.append(("parity", data))
    return report


def _is_suite(item: pytest.Item) -> bool:
    return item.path.parent.name == "suites" or item.get_closest_marker("parity") is not None


def _suite_of(item: pytest.Item) -> tuple[str, str]:
    marker = item.get_closest_marker("parity")
    if marker is not None:
        return marker.args[0], marker.args[1] if len(marker.args) > 1 else ""
    doc = inspect.getdoc(getattr(item, "module", None)) or ""
    return item.path.stem.removeprefix("test_"), doc.partition("\n")[0]


class Reporter:
    """Adds up what the tests report, in the process that the user started."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.scoreboard = Scoreboard(config.getoption("--backend"), config.getoption("--parity-profile"))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, data in report.user_properties:
            if name == "parity" and report.when == "call" and isinstance(data, dict):
                self.scoreboard.record(report.nodeid, report.duration, data)

    def pytest_sessionfinish(self) -> None:
        path = self.config.getoption("--scoreboard")
        if path and not hasattr(self.config, "workerinput"):
            self.scoreboard.write(path)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for line in self.scoreboard.lines():
            terminalreporter.write_line(line)
