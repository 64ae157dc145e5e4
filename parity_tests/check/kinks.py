"""Recognising a case that sits on a kink: relu at 0, a tie in max, a bound of clamp.

A program that is smooth at its inputs answers a small perturbation in proportion: a perturbation 4096 times smaller of
the same direction has a response 4096 times smaller.  At a kink a gradient (or an index, or a branch of where) jumps by
an amount that does not depend on how small the perturbation was; near one, it jumps for the large perturbation only.
So the response is not linear, and which side of the kink a framework lands on is decided by rounding: both are right,
and a wider tolerance would be the wrong way to say so.  The element is set apart: neither passed nor failed.

Exact zeros and small integers are not perturbed (a perturbation is relative, and exact inputs are not rounded), so a
kink that is hit exactly is compared like any other case.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from parity_tests.check.snapshot import Array


def nonlinear(large: Array, small: Array, ratio: float, truth: Array) -> NDArray[np.bool_]:
    """Where the response `small`, to a perturbation `ratio` times that of `large`, is not `ratio` times `large`.

    All arrays have the shape of `truth`, the undisturbed result, whose own float64 rounding is allowed for.
    """
    linear = small / ratio
    off = abs(large - linear)
    noise = 2.0**-38 * abs(truth).max(initial=0.0)
    kink = off > 0.25 * np.fmax(abs(large), abs(linear)) + noise
    # A perturbation that makes or unmakes an infinity: the difference is NaN or infinite.
    return np.asarray(kink | (np.isfinite(large) != np.isfinite(small)) | (np.isnan(large) & np.isfinite(truth)))
