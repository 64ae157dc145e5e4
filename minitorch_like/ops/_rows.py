"""Maxima and sums of the rows of a matrix, each by the call that NumPy is quickest at."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ._table import Array

_SMALL = 2048  # elements, up to which the number of NumPy calls counts and not what they do
_REMEMBERED = 1 << 16  # rows


def row_starts(rows: int, columns: int) -> Array:
    """Where each row begins, counted in elements; not to be written to."""
    return _remembered_starts(rows, columns) if rows <= _REMEMBERED else np.arange(0, rows * columns, columns)


@lru_cache(maxsize=32)
def _remembered_starts(rows: int, columns: int) -> Array:
    return np.arange(0, rows * columns, columns)


def row_maxima(x: Array) -> Array:
    """The maximum of each row of a contiguous (rows, columns), neither of them 0: (rows,).

    Where the rows begin is known, `reduceat` spends less on each of them than `reduce` does.
    """
    rows, columns = x.shape
    result: Array = np.maximum.reduceat(x.reshape(-1), row_starts(rows, columns))
    return result


def row_sums(x: Array) -> Array:
    """The sum of each row of a contiguous (rows, columns), neither of them 0: (rows,)."""
    if x.size <= _SMALL:
        rows, columns = x.shape
        result: Array = np.add.reduceat(x.reshape(-1), row_starts(rows, columns))
    else:
        result = np.einsum("ij->i", x)
    return result
