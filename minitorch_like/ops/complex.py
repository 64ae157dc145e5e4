"""Complex numbers: their parts, conjugates and polar forms."""

from __future__ import annotations

import numpy as np

from ._table import Array, op


@op("(Tensor input)", holomorphic=False, input=lambda g: conj(g))
def conj(input: Array) -> Array:
    """The complex conjugate; a real tensor is its own."""
    return np.conjugate(input) if input.dtype.kind == "c" else input
