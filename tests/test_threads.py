"""`set_num_threads` and its kin: torch's answers and errors, and the BLAS does as it is told."""

from __future__ import annotations

import enum
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from minitorch_like import _threads

SETTERS = ("set_num_threads", "set_num_interop_threads")
GETTERS = ("get_num_threads", "get_num_interop_threads")


class Two(enum.IntEnum):
    TWO = 2


class IndexOnly:
    def __repr__(self) -> str:
        return "IndexOnly()"  # the same in every process of the test run

    def __index__(self) -> int:
        return 2


WRONG = [
    *(0, -1, -(2**31), 2**31, -(2**31) - 1, 2**63 - 1, 2**63, -(2**63) - 1),
    *(1.0, True, None, "2", [1], 1j, IndexOnly()),
    *(np.int64(-5), np.int64(2**40), np.uint64(2**63), np.bool_(True), np.float64(1), np.array(2)),
]


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(_threads, "_chosen", _threads._Chosen())
    _threads._blas.cache_clear()  # another test may have loaded one more BLAS, SciPy's
    before = torch.get_num_threads()
    with threadpool_limits(None):
        yield
    torch.set_num_threads(before)


def error(function: Any, *args: Any, **kwargs: Any) -> tuple[type, str]:
    with pytest.raises(Exception) as caught:  # noqa: PT011 -- which one is the answer
        function(*args, **kwargs)
    return caught.type, str(caught.value)


@pytest.mark.parametrize("name", SETTERS)
@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_a_wrong_number_raises_torchs_error(name: str, value: Any) -> None:
    assert error(_threads.PUBLIC[name], value) == error(getattr(torch, name), value)


@pytest.mark.parametrize("name", SETTERS)
@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((1, 2), {}), ((), {"num_threads": 1}), ((1,), {"a": 1})])
def test_a_wrong_call_of_a_setter_raises_torchs_error(name: str, args: Any, kwargs: Any) -> None:
    assert error(_threads.PUBLIC[name], *args, **kwargs) == error(getattr(torch, name), *args, **kwargs)


@pytest.mark.parametrize("name", GETTERS)
@pytest.mark.parametrize(("args", "kwargs"), [((1,), {}), ((), {"a": 1})])
def test_a_wrong_call_of_a_getter_raises_torchs_error(name: str, args: Any, kwargs: Any) -> None:
    assert error(_threads.PUBLIC[name], *args, **kwargs) == error(getattr(torch, name), *args, **kwargs)


@pytest.mark.parametrize("number", [1, 2, 3, 1000, np.uint8(1), Two.TWO, 2**31 - 1], ids=repr)
def test_a_number_comes_back_as_it_was_given(number: Any) -> None:
    assert _threads.set_num_threads(number) is torch.set_num_threads(number) is None
    assert _threads.get_num_threads() == torch.get_num_threads()
    assert type(_threads.get_num_threads()) is int


def blas_threads() -> set[int]:
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


def test_the_blas_does_as_it_is_told() -> None:
    _threads.set_num_threads(1)
    assert blas_threads() == {1}
    _threads.set_num_threads(10_000)
    assert blas_threads() == {os.cpu_count()}


def test_torch_beside_us_keeps_its_own_number() -> None:
    torch.set_num_threads(2)
    _threads.set_num_threads(1)
    assert torch.get_num_threads() == 2


def test_a_blas_out_of_reach_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_threads, "_blas", list)
    assert _threads.get_num_threads() == os.cpu_count()
    with pytest.warns(UserWarning, match="set_num_threads has no effect"):
        _threads.set_num_threads(1)


def test_interop_threads_are_set_once() -> None:
    assert _threads.get_num_interop_threads() == os.cpu_count()
    _threads.set_num_interop_threads(3)
    assert _threads.get_num_interop_threads() == 3
    with pytest.raises(RuntimeError, match="cannot set number of interop threads after parallel work has started"):
        _threads.set_num_interop_threads(3)


def python(code: str, **variables: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **variables}, stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize("framework", ["torch", "minitorch_like._threads"])
def test_both_set_interop_threads_once_in_the_same_words(framework: str) -> None:
    code = f"import {framework} as t\nt.set_num_interop_threads(2)\ntry: t.set_num_interop_threads(2)\n"
    assert python(f"{code}except RuntimeError as error: print(error)") == (
        "Error: cannot set number of interop threads after parallel work has started or set_num_interop_threads called"
    )


@pytest.mark.parametrize("framework", ["torch", "minitorch_like._threads"])
def test_the_environment_is_heeded(framework: str) -> None:
    code = f"import {framework} as t; print(t.get_num_threads())"
    assert python(code, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1") == "1"


def test_the_import_pays_for_nothing() -> None:
    assert python("import sys, minitorch_like; print('threadpoolctl' in sys.modules)") == "False"
