"""Tables: every combination of some arguments, each cell the outcome as text, to the last bit."""

from collections.abc import Callable, Iterable
from typing import Any

from parity_tests.check import assert_same
from parity_tests.suites._programs import run

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64")
INTEGERS = DTYPES[1:6]
FLOATING = DTYPES[6:]

Cell = Callable[[Any], Any]


def text(value: Any) -> str:
    """What can be said of an outcome: dtype, shape and elements of a tensor, class and message of an error."""
    if isinstance(value, (tuple, list)) and type(value).__name__ != "Size":
        return f"{type(value).__name__}({'; '.join(map(text, value))})"
    if hasattr(value, "detach"):
        kind = str(value.dtype).rpartition(".")[2]
        return f"{kind}{list(value.shape)} {value.detach().tolist()}"
    if type(value).__name__ in ("dtype", "finfo", "iinfo"):
        return repr(value).rpartition(".")[2] if type(value).__name__ == "dtype" else repr(value)
    return f"{type(value).__name__} {value}"


def kind_of_outcome(value: Any) -> str:
    """`text` without the elements, where these are not exact."""
    if hasattr(value, "detach"):
        return f"{str(value.dtype).rpartition('.')[2]}{list(value.shape)}"
    return text(value)


def table(torch: Any, candidate: Any, cells: Iterable[tuple[str, Cell]], describe: Callable[[Any], str] = text) -> None:
    """Fail unless each cell's program comes to the same under both; the cells that differ are shown, by label."""
    expected, actual = {}, {}
    for label, program in cells:
        outcomes = [describe(run(ns, program)) for ns in (torch, candidate)]
        if outcomes[0] != outcomes[1]:
            expected[label], actual[label] = outcomes
    assert_same(expected, actual)
