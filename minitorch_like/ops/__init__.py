"""The op table, one family a file.

The families that every program needs are declared at once, the others when `nn`, or one of their names, is first used.
"""

import importlib

from . import elementwise, indexing, matmul, reductions, shape
from ._table import TABLE, Op, op

__all__ = ["TABLE", "Op", "declare_all", "elementwise", "indexing", "matmul", "op", "reductions", "shape"]

_LATE_FAMILIES = (
    "activation",
    "activation_piecewise",
    "activation_smooth",
    "arrangement",
    "attention",
    "complex",
    "convolution",
    "distances",
    "embedding",
    "index_along",
    "loss",
    "loss_elementwise",
    "loss_margin",
    "masking",
    "normalization",
    "padding",
    "pairwise",
    "pooling",
    "products",
    "recurrent",
    "resampling",
    "scatter",
    "rounding",
    "scans",
    "sequences",
    "shifts",
    "singular_values",
    "sorting",
    "special",
    "statistics",
    "transcendental",
    "unfolding",
    "unique",
    "views",
)


def declare_all() -> None:
    """Have the whole table declared."""
    for family in _LATE_FAMILIES:
        importlib.import_module(f"{__name__}.{family}")
