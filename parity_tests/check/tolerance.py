"""How far a value may be from the truth: derived from the program at hand, tuned for none.

The truth T is the reference's result in float64.  The reference's own result R is a yardstick, not the truth: a
candidate C that rounds in another order is as right as R is.  For each element

    |C - T| <= 4 |R - T| + 4 S,        S = u |T| + max_k |T_k - T|,        u = 2^-24 for float32.

S is the graph's scale in units of rounding.  T_k is the float64 result when every rounded intermediate value, and every
value that is saved for the backward pass, is multiplied by (1 + u xi), each with its own xi of the standard normal
distribution: what float32 arithmetic does, replayed in arithmetic that hardly rounds (Monte Carlo arithmetic:
D. S. Parker, UCLA CSD-970002, 1997).  The argument for it:

- To first order T_k - T is the sum of (derivative of the result by an intermediate) x (u intermediate xi) over all of
  them.  A large intermediate that cancels later is therefore counted in full, and one that does not reach the result
  not at all.  No op needs a rule of its own, and gradients of every order are covered like any other result.
- A backward-stable kernel returns the exact result of operands changed by a few u, so perturbing operands and results
  covers what happens inside a kernel (the cancellation in a dot product, in a variance, in a softmax).
- The largest of 32 samples is about two standard deviations of the sum; that all of them are small by luck has
  probability 1e-14.  The factor 4 is the error, in ulps, that vector math libraries promise for one function; it also
  bounds how much further than R another order of summation may go.

Samples are drawn only for elements that the terms before them do not already cover; as S only grows, this changes no
verdict.  A float64 program is perturbed by 2^-24 as well, for the response to show above float64's own rounding, and
the response, being linear, is scaled down.

Of complex numbers the distances and magnitudes are absolute values: complex arithmetic is accurate in this sense only.

Integers and booleans do not round: they must be equal.  So must everything that is not finite.  If inputs are small
integers and every op is exact, `Exact` is the judge and equality is bit for bit.
Where the response to a perturbation is not linear, the element sits on a kink (`kinks`) and is set apart.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from parity_tests.check.kinks import nonlinear
from parity_tests.check.snapshot import Array, Path, Snapshot, leaves
from parity_tests.check.tally import current

# The message if the actual value differs, '' if it does not.
Judge: TypeAlias = Callable[[Path, Snapshot, Snapshot], str]

# (delta, seed) -> the float64 results by path, each rounding disturbed by delta x xi; 0 gives the truth.
Oracle: TypeAlias = Callable[[float, int], Mapping[Path, Array]]

FACTOR = 4.0
DELTA = 2.0**-24
DELTA_SMALL = 2.0**-36
FEW, SAMPLES = 4, 32

_UNIT = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}
_UNIT |= {"complex64": _UNIT["float32"], "complex128": _UNIT["float64"]}
# Below the smallest normal number the spacing no longer shrinks with the value.
_SUBNORMAL = {"float16": 2.0**-24, "bfloat16": 2.0**-133, "float32": 2.0**-149, "float64": 2.0**-1074}
_SUBNORMAL |= {"complex64": _SUBNORMAL["float32"], "complex128": _SUBNORMAL["float64"]}

Mask: TypeAlias = NDArray[np.bool_]


def unit(dtype: str) -> float | None:
    """The unit roundoff of a floating-point dtype, None for a dtype that does not round."""
    return _UNIT.get(dtype)


def same_bits(expected: Array, actual: Array) -> bool:
    """Equal bit for bit: zeros by their sign too, NaN with any NaN."""
    return expected.tobytes() == actual.tobytes() or bool(_identical(expected, actual).all())


class Exact:
    """Bit for bit."""

    def __call__(self, path: Path, expected: Snapshot, actual: Snapshot) -> str:
        return _describe(~_identical(expected.value, actual.value), expected, actual, "equality bit for bit is due")


class Normwise:
    """The rule for a single op, whose scale needs no sampling: the largest magnitude of the true result.

    |C - T| <= 4 max|R - T| + 4 u max|T|.  `truth` is the tree of float64 snapshots.
    """

    def __init__(self, truth: Any) -> None:
        self._truth = {path: snapshot.value for path, snapshot in leaves(truth)}

    def __call__(self, path: Path, expected: Snapshot, actual: Snapshot) -> str:
        rounding = unit(expected.dtype)
        if rounding is None:
            return Exact()(path, expected, actual)
        truth = self._truth[path]
        with np.errstate(all="ignore"):
            allowed = FACTOR * (_largest(expected.value - truth) + rounding * _largest(truth))
            bad = ~_within(expected, actual, truth, allowed + FACTOR * _SUBNORMAL[expected.dtype])
        return _describe(bad, expected, actual, f"tolerance {allowed:.3g}")


class Derived:
    """The rule of this module for one program.

    oracle:   evaluates the program in float64, disturbed or not.
    rounding: the unit roundoff of the coarsest dtype that the program computes in.
    exact:    the inputs are small integers and the ops exact: arrays in which the reference's result is the true
              one are due bit for bit (a tie that is shared out in thirds rounds all the same).
    signed:   the paths at which zeros must have the same sign as well.
    """

    def __init__(
        self, oracle: Oracle, rounding: float = DELTA, exact: bool = False, signed: Container[Path] = ()
    ) -> None:
        self._oracle, self._rounding, self._exact, self._signed = oracle, rounding, exact, signed
        self._truth: Mapping[Path, Array] | None = None
        self._samples: list[tuple[Mapping[Path, Array], Mapping[Path, Array]]] = []

    def __call__(self, path: Path, expected: Snapshot, actual: Snapshot) -> str:
        if self._truth is None:
            self._truth = self._oracle(0.0, 0)
        truth = self._truth[path]
        floating = expected.value.dtype.kind in "fc"
        with np.errstate(all="ignore"):
            if floating and path in self._signed:
                zeros = (expected.value == 0) & (actual.value == 0)
                signs = zeros & ~_same_signs(expected.value, actual.value)
                if signs.any():
                    return _describe(signs, expected, actual, "the sign of zero")
            if self._exact and np.array_equal(expected.value, truth, equal_nan=floating):
                return _describe(~_equal(expected.value, actual.value), expected, actual, "no rounding is due")
            bad, kinks = self._verdict(path, expected, actual, truth)
        if kinks.any():
            current().set_apart += 1
        return _describe(bad, expected, actual, "more than rounding explains", truth)

    def _verdict(self, path: Path, expected: Snapshot, actual: Snapshot, truth: Array) -> tuple[Mask, Mask]:
        """(elements that differ, elements set apart)."""
        rounding = unit(expected.dtype)
        kinks = np.zeros(expected.shape, np.bool_)
        if rounding is None:
            bad = ~_identical(expected.value, actual.value)
            for disturbed, _ in self._disturbed(SAMPLES if bad.any() else 0):
                kinks |= bad & ((disturbed[path] != truth) | (expected.value != truth))
            return bad & ~kinks, kinks
        base = abs(expected.value - truth) + rounding * abs(truth) + _SUBNORMAL[expected.dtype]
        bad = ~_within(expected, actual, truth, FACTOR * base)
        # Where the reference is of two minds about an infinity, it is the sign of a zero that decided.
        kinks = bad & ~np.isfinite(truth) & ~_equal(expected.value, truth)
        scale = np.zeros(expected.shape)
        for count, (disturbed, hardly) in enumerate(self._disturbed(SAMPLES if bad.any() else 0), 1):
            response = disturbed[path] - truth
            scale = np.fmax(scale, abs(response) * (self._rounding / DELTA))
            kinks |= bad & nonlinear(response, hardly[path] - truth, DELTA_SMALL / DELTA, truth)
            if count in (FEW, SAMPLES):
                bad &= ~kinks & ~_within(expected, actual, truth, FACTOR * (base + scale))
                if not bad.any():
                    break
        return bad, kinks

    def _disturbed(self, count: int) -> Iterator[tuple[Mapping[Path, Array], Mapping[Path, Array]]]:
        """The program disturbed, and hardly disturbed by the same xi: kept, for every array of the program asks."""
        for seed in range(count):
            if seed == len(self._samples):
                self._samples.append((self._oracle(DELTA, seed), self._oracle(DELTA_SMALL, seed)))
            yield self._samples[seed]


def _identical(expected: Array, actual: Array) -> Mask:
    equal = _equal(expected, actual)
    if expected.dtype.kind in "fc":
        equal &= _same_signs(expected, actual)
    return equal


def _same_signs(expected: Array, actual: Array) -> Mask:
    """The same signs, of zeros too; of complex numbers, those of both parts.  A NaN has none."""
    if expected.dtype.kind == "c":
        return _same_signs(expected.real, actual.real) & _same_signs(expected.imag, actual.imag)
    return np.asarray((np.signbit(expected) == np.signbit(actual)) | np.isnan(expected))


def _equal(expected: Array, actual: Array) -> Mask:
    """Equal numbers, NaN with NaN; of complex numbers, part by part."""
    if expected.dtype.kind == "c":
        return _equal(expected.real, actual.real) & _equal(expected.imag, actual.imag)
    with np.errstate(invalid="ignore"):
        equal = np.asarray(expected == actual)
        if expected.dtype.kind == "f":
            equal |= np.isnan(expected) & np.isnan(actual)
    return equal


def _within(expected: Snapshot, actual: Snapshot, truth: Array, allowed: Any) -> Mask:
    """Where both are finite and the actual one is near the truth, or both are the same infinity or NaN."""
    left, right = expected.value, actual.value
    finite = np.isfinite(left) & np.isfinite(right)
    return np.asarray(_equal(left, right) | (finite & (abs(right - truth) <= allowed)))


def _largest(array: Array) -> float:
    return float(abs(array[np.isfinite(array)]).max(initial=0.0))


def _describe(bad: Mask, expected: Snapshot, actual: Snapshot, why: str, truth: Array | None = None) -> str:
    """'' if nothing is bad, else the worst element in words."""
    if not bad.any():
        return ""
    left, right = expected.value, actual.value
    if left.dtype.kind in "fc":
        with np.errstate(all="ignore"):
            off = np.where(bad, abs(right.astype(np.result_type(right, np.float64)) - left), -1.0)
        at = np.unravel_index(np.argmax(np.where(np.isnan(off), np.inf, off)), left.shape)
        worst = tuple(int(axis) for axis in at)
    else:
        worst = tuple(int(axis[0]) for axis in np.nonzero(bad)) if bad.ndim else ()
    place = ", ".join(map(str, worst))
    where = f"at [{place}] " if place else ""
    exactly = "" if truth is None else f" (in float64 {truth[worst]})"
    count = f"{int(bad.sum())} of {bad.size} differ; " if bad.size > 1 else ""
    return f"{count}{where}{right[worst]!s}, expected {left[worst]!s}{exactly}: {why}"
