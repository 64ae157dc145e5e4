"""Arithmetic and geometric progressions with the bits of torch's CPU kernels.

What a kernel computes depends on how it was compiled: whether x * y + z is rounded once, and how many elements of a
loop are handled at a time.  Both were found out by comparing with torch; `random._arithmetic` knows the first.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._dtype import bool_, dtype, float32, float64, int64
from ..ops._scalars import as_element
from ..random._arithmetic import fma_each, fused, quiet

Array = np.ndarray[Any, np.dtype[Any]]

_VECTOR_BYTES = 32  # of AVX2, which these kernels use at most


def _work_dtype(kind: dtype) -> dtype:
    """The dtype that a kernel counts in."""
    if not kind.is_floating_point:
        return int64
    return float32 if kind.itemsize == 2 else float64


def _check_direction(start: float, end: float, step: float) -> None:
    """RuntimeError for a step of zero or in the wrong direction, and for bounds that are not finite."""
    if not step > 0 and not step < 0:
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start:g} -> {end:g}")
    if end < start if step > 0 else end > start:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")


def check_dispatch(kernel: str, kind: dtype) -> None:
    if kind is bool_ or kind.is_complex:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind.title}'")


def steps_between(start: float, end: float, step: float, kind: dtype) -> tuple[float, float, int]:
    """The first number, the step and the count of `arange`, as torch computes them for a dtype."""
    check_dispatch("arange_cpu", kind)
    wide = [
        as_element(each, float64).item() if isinstance(each, complex) else float(each) for each in (start, end, step)
    ]
    _check_direction(*wide)
    if kind is int64:  # counted in integers
        first, last, each = (as_element(value, int64).item() for value in (start, end, step))
        if not each:
            raise ValueError("step must be nonzero")
        return first, each, max(-((first - last) // each), 0)
    count = math.ceil((wide[1] - wide[0]) / wide[2])
    if not 0 <= count < 2**63:
        raise RuntimeError("invalid size, possible overflow?")
    work = _work_dtype(kind)
    if work is float64:
        return wide[0], wide[2], count
    return as_element(start, work).item(), as_element(step, work).item(), count


@quiet
def closed_range(start: float, end: float, step: float, kind: dtype) -> Array:
    """What the deprecated `range` makes: one number after the other, the end included."""
    check_dispatch("range_cpu", kind)
    work = _work_dtype(kind)
    first, last, each = (as_element(value, work).item() for value in (start, end, step))
    _check_direction(first, last, each)
    count = int((last - first) // each if work is int64 else math.floor((last - first) / each)) + 1
    index = np.arange(count, dtype=work.numpy)
    values: Array = (work.numpy.type(first) + index * work.numpy.type(each)).astype(kind.numpy)
    return values


@quiet
def arange(start: float, step: float, length: int, to: np.dtype[Any]) -> Array:
    """start + i * step: float16 and bfloat16 (`to`) are computed in float32, other floating dtypes in float64.

    torch's loop takes two vectors at a time.  The first element of a vector is rounded to `to` before the others are
    counted from it; what is left at the end is computed one by one.
    """
    index = np.arange(length)
    if to.kind not in "fV":
        return (start + index * step).astype(to)
    work = np.dtype(np.float32 if to.itemsize == 2 else np.float64)
    start, step = (float(work.type(each)) for each in (start, step))
    if _exact(start, step, length, to):
        return (start + index * step).astype(to)
    lanes = _VECTOR_BYTES // to.itemsize
    single = length % (2 * lanes)
    lane = index % lanes
    lane[length - single :] = 0
    first = _muladd(index - lane, step, start, work).astype(to)
    if single == length:
        return first
    return np.where(lane == 0, first, _muladd(lane, step, first, work, twice=to.kind == "V").astype(to))


def _exact(start: float, step: float, length: int, to: np.dtype[Any]) -> bool:
    """Whether all numbers are integers that `to` has, so that nothing is rounded."""
    largest = {2: 2.0**8, 4: 2.0**24, 8: 2.0**53}[to.itemsize]
    return start.is_integer() and step.is_integer() and max(abs(start), abs(start + step * length)) <= largest


def _muladd(x: Array, y: float, z: Any, work: np.dtype[Any], *, twice: bool = False) -> Array:
    """x * y + z in the dtype `work`, rounded as torch's kernels round it on this machine, or `twice`."""
    if fused() and not twice:
        return fma_each(x, y, z, work)
    return x.astype(work) * work.type(y) + np.asarray(z, work)


@quiet
def linspace(start: float, end: float, steps: int, to: np.dtype[Any]) -> Array:
    """`steps` numbers from `start` to `end`, both included, each counted from the nearer end."""
    if to.kind in "fV" and to.itemsize == 2:
        return _linspace_half(start, end, steps, to)
    index = np.arange(steps)
    forward = index < steps // 2
    count = np.where(forward, index, -(steps - 1.0 - index))  # the last is -0.0, which matters to the sign of a zero
    if to.kind == "c":
        first, last = to.type(start), to.type(end)
        return np.where(forward, first, last) + (last - first) / to.type(steps - 1) * count.astype(to)
    work: Any = to if to.kind == "f" else np.dtype(np.float64)
    first, last = work.type(start), work.type(end)
    step = (last - first) / work.type(steps - 1)
    return _muladd(count, float(step), np.where(forward, first, last), work).astype(to, copy=False)


def _linspace_half(start: float, end: float, steps: int, to: np.dtype[Any]) -> Array:
    """In float16 or bfloat16, whose every operation torch rounds."""

    def rounded(x: Any) -> Array:
        return np.asarray(np.float32(x)).astype(to).astype(np.float32)

    first, last = rounded(start), rounded(end)
    step = rounded(rounded(last - first) / rounded(steps - 1))
    index = np.arange(steps)
    along = rounded(step * rounded(np.minimum(index, steps - 1 - index)))
    values = np.where(index < steps // 2, first + along, last - along)
    return values.astype(to)


@quiet
def logspace(start: Any, end: Any, steps: int, base: float, to: np.dtype[Any]) -> Array:
    """base ** x for x of a linspace, which is computed in float64, by libm's pow, and rounded at the end."""
    work: Any = np.complex128 if to.kind == "c" else np.float64
    first, last = _in(start, to), _in(end, to)
    width = last - first if to.kind in "iu" else _in(last - first, to)
    step = work(width) / (steps - 1)
    index = np.arange(steps)
    exponents = np.where(index < steps // 2, first + step * index, last - step * (steps - 1 - index))
    if to.kind == "c":
        return np.power(work(base), exponents).astype(to)
    powers = np.array([power(base, each) for each in exponents.tolist()], work)
    return powers.astype(np.float32).astype(to) if to.kind == "V" or to.itemsize == 2 else powers.astype(to)


def _in(value: Any, to: np.dtype[Any]) -> Any:
    """A number as `to` has it, in float64."""
    if to.kind == "c":
        return np.complex128(to.type(value))
    return float(np.asarray(np.float32(value) if to.itemsize == 2 else value).astype(to))


def power(base: float, exponent: Any) -> Any:
    """C's pow: infinite where Python raises an error."""
    if isinstance(exponent, complex):
        return base**exponent
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf
    except ValueError:  # 0 to a negative power, or a root of a negative number
        return math.inf if base == 0 else math.nan
