"""Two results as a tree of pairs, compared from the outside in: structure first, values last.

Comparing is apart from raising: `compare` lists differences, `assert_same` raises them.
Lengths are checked, nothing broadcasts, NaN equals only NaN.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from parity_tests.check.errors import Raised, normalise
from parity_tests.check.outcome import Difference, Disagreement, Outcome
from parity_tests.check.snapshot import Path, Sequence, Snapshot, leaves, path_text, take
from parity_tests.check.tally import current
from parity_tests.check.tolerance import Exact, Judge, Normwise, same_bits

# Compared in this order; None is a field that a framework has no notion of.
_METADATA = ("kind", "strides", "device", "requires_grad", "is_leaf", "grad_fn")


class Pair:
    """An expected and an actual result of the same place.  Subclasses say what can differ there."""

    def __init__(self, expected: Any, actual: Any, path: Path) -> None:
        self.expected, self.actual, self.path = expected, actual, path

    def difference(self, outcome: Outcome, message: str) -> Difference:
        return Difference(outcome, path_text(self.path), message)

    def differences(self, judge: Judge) -> Iterator[Difference]:
        """Equality, for everything that is not a container, a tensor, a number or an error."""
        if type(self.expected).__name__ != type(self.actual).__name__:
            yield self.difference(Outcome.METADATA, f"a {_named(self.actual)}, expected a {_named(self.expected)}")
        elif (actual := normalise(str(self.actual))) != (expected := normalise(str(self.expected))):
            yield self.difference(Outcome.VALUE, f"{actual}, expected {expected}")


class NumberPair(Pair):
    """Python numbers: the same type, and the same value to the last bit."""

    def differences(self, judge: Judge) -> Iterator[Difference]:
        expected, actual = self.expected, self.actual
        if type(expected) is not type(actual):
            yield self.difference(Outcome.METADATA, f"a {_named(actual)}, expected a {_named(expected)}")
        elif expected != actual and not (_is_nan(expected) and _is_nan(actual)):
            yield self.difference(Outcome.VALUE, f"{actual!r}, expected {expected!r}")


class ErrorPair(Pair):
    """At least one side raised."""

    def differences(self, judge: Judge) -> Iterator[Difference]:
        expected, actual = self.expected, self.actual
        if isinstance(actual, Raised) and actual.unsupported:
            yield self.difference(Outcome.UNSUPPORTED, actual.message)
        elif not isinstance(actual, Raised):
            yield self.difference(Outcome.ERROR, f"no error, expected {expected}")
        elif actual.kind == "NotImplementedError" != getattr(expected, "kind", None):
            yield self.difference(Outcome.UNSUPPORTED, actual.message)
        elif not isinstance(expected, Raised):
            yield self.difference(Outcome.ERROR, f"{actual}, expected no error")
        elif expected != actual:
            yield self.difference(Outcome.ERROR, f"{actual}\n  expected {expected}")


class SequencePair(Pair):
    def differences(self, judge: Judge) -> Iterator[Difference]:
        expected, actual = self.expected, self.actual
        if expected.kind != actual.kind:
            yield self.difference(Outcome.METADATA, f"a {actual.kind}, expected a {expected.kind}")
        if len(expected.items) != len(actual.items):
            message = f"{len(actual.items)} items, expected {len(expected.items)}"
            yield self.difference(Outcome.METADATA, message)
            return
        for index, (left, right) in enumerate(zip(expected.items, actual.items, strict=True)):
            yield from originate(left, right, (*self.path, index)).differences(judge)


class MappingPair(Pair):
    def differences(self, judge: Judge) -> Iterator[Difference]:
        expected, actual = self.expected, self.actual
        for key in expected:
            if key in actual:
                yield from originate(expected[key], actual[key], (*self.path, key)).differences(judge)
        if list(expected) != list(actual):
            yield self.difference(Outcome.METADATA, f"keys {list(actual)}, expected {list(expected)}")


class TensorPair(Pair):
    def differences(self, judge: Judge) -> Iterator[Difference]:
        expected, actual = self.expected, self.actual
        for name in _METADATA:
            want, got = getattr(expected, name), getattr(actual, name)
            if name == "strides" and want is not None and got is not None:
                if expected.shape != actual.shape:
                    continue
                want, got = _stepped(want, expected.shape), _stepped(got, actual.shape)
            if want != got and want is not None and got is not None:
                yield self.difference(Outcome.METADATA, f"{name} {got!r}, expected {want!r}")
        if expected.dtype != actual.dtype:
            yield self.difference(Outcome.DTYPE, f"dtype {actual.dtype}, expected {expected.dtype}")
        if expected.shape != actual.shape:
            yield self.difference(Outcome.SHAPE, f"shape {actual.shape}, expected {expected.shape}")
        if expected.dtype == actual.dtype and expected.shape == actual.shape:
            yield from self._values(judge)
        if expected.grad is not None or actual.grad is not None:
            yield from originate(expected.grad, actual.grad, (*self.path, "grad")).differences(judge)

    def _values(self, judge: Judge) -> Iterator[Difference]:
        same = same_bits(self.expected.value, self.actual.value)
        current().pair(exact=same)
        if same:
            return
        message = judge(self.path, self.expected, self.actual)
        if message:
            outcome = Outcome.GRAD if "grad" in self.path else Outcome.VALUE
            yield self.difference(outcome, message)


def originate(expected: Any, actual: Any, path: Path = ()) -> Pair:
    """The pair that fits the two sides."""
    if isinstance(expected, Raised) or isinstance(actual, Raised):
        return ErrorPair(expected, actual, path)
    for side, pair in ((Snapshot, TensorPair), (Sequence, SequencePair), (Mapping, MappingPair)):
        if isinstance(expected, side) and isinstance(actual, side):
            return pair(expected, actual, path)
    if isinstance(expected, (bool, int, float, complex)) and isinstance(actual, (bool, int, float, complex)):
        return NumberPair(expected, actual, path)
    return Pair(expected, actual, path)


def compare(expected: Any, actual: Any, judge: Judge | None = None) -> list[Difference]:
    """Every difference between two trees of snapshots (see `take`).

    Values that are not the same bits go to `judge`; without one they differ.
    """
    found = list(originate(expected, actual).differences(judge or Exact()))
    return found + list(_aliasing(expected, actual))


def assert_same(expected: Any, actual: Any, *, truth: Any = None, judge: Judge | None = None, script: str = "") -> None:
    """Raise Disagreement unless two results, of live tensors or of snapshots, are the same.

    Without more, values must be the same bits.  With `truth`, the result of the reference in float64, they may differ
    as far as `Normwise` derives from it; `judge` replaces that rule (see `tolerance.Derived`).
    """
    __tracebackhide__ = True
    if truth is not None:
        judge = Normwise(take(truth))
    differences = compare(take(expected), take(actual), judge)
    if differences:
        raise Disagreement(differences, script)


def _aliasing(expected: Any, actual: Any) -> Iterator[Difference]:
    """Tensors that share memory on one side share it on the other: compared as partitions, for addresses differ."""
    left, right = dict(leaves(expected)), dict(leaves(actual))
    places = [path for path in left if path in right]
    first_left: dict[int, Path] = {}
    first_right: dict[int, Path] = {}
    for path in places:
        one, other = left[path].storage, right[path].storage
        if one is None or other is None:
            continue
        want, got = first_left.setdefault(one, path), first_right.setdefault(other, path)
        if want != got:
            message = f"shares memory with {_shared(got, path)}, expected {_shared(want, path)}"
            yield Difference(Outcome.METADATA, path_text(path), message)


def _shared(first: Path, path: Path) -> str:
    return "nothing before it" if first == path else path_text(first)


def _stepped(strides: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides that address something: an axis of length one is never stepped along, an empty tensor has no address."""
    return () if 0 in shape else tuple(step for step, size in zip(strides, shape, strict=True) if size > 1)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _named(value: object) -> str:
    return "tensor" if isinstance(value, Snapshot) else type(value).__name__
