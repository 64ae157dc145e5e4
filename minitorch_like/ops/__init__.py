"""The op table, one family a file."""

from . import activation, elementwise, indexing, loss, matmul, reductions, shape
from ._table import TABLE, Op, op

__all__ = ["TABLE", "Op", "activation", "elementwise", "indexing", "loss", "matmul", "op", "reductions", "shape"]
