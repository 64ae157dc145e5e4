"""Shifts of integers: `<<` and `>>`.

By as many bits as the dtype has, or by a negative number of them, everything is shifted out, in torch and in NumPy
alike: what remains is 0, or -1 of a negative number shifted to the right.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._checks import common, computed, title
from ._table import Array, Op, op


def _shift(direction: str, ufunc: Any) -> Op:
    def kernel(input: Array, other: Any) -> Array:
        x, y = common(input, other)
        kind = x if isinstance(x, np.ndarray) else y
        if kind.dtype.kind not in "iu":
            raise NotImplementedError(f"\"{direction[0]}shift_cpu\" not implemented for '{title(kind)}'")
        return computed(ufunc, x, y)

    return op(
        "(Tensor input, Tensor other, *, Tensor? out=None)",
        "(Number self, Tensor other)",
        "(Tensor input, Number other, *, Tensor? out=None)",
        name=f"bitwise_{direction}_shift",
        arity=2,
        inplace=True,
    )(kernel)


bitwise_left_shift = _shift("left", np.left_shift)
bitwise_right_shift = _shift("right", np.right_shift)
