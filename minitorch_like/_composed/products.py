"""Products that are composed of others: inner, Kronecker's, cross; and a diagonal that is filled."""

from __future__ import annotations

from typing import Any

from .._functions import by_signature
from .._out_argument import into
from .._tensor import Tensor
from ..ops import TABLE
from .contractions import tensordot
from .numbers import reads


@reads("(Tensor input, Tensor other, *, Tensor? out=None)")
def inner(input: Any, other: Any, out: Tensor | None = None) -> Tensor:
    """The products summed over the last dimension of both; a number multiplies."""
    if not input.ndim or not other.ndim:
        return into(out, TABLE["mul"].apply(input, other), "mul")
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    result: Tensor = tensordot(input, other, ([-1], [-1]), out)
    return result


@reads("(Tensor input, Tensor other, *, Tensor? out=None)")
def kron(input: Any, other: Any, out: Tensor | None = None) -> Tensor:
    """Kronecker's product: every element of `input` times the whole of `other`."""
    rank = max(input.ndim, other.ndim)
    sizes = [(1,) * (rank - each.ndim) + tuple(each.shape) for each in (input, other)]
    reshape = TABLE["unsafe_view"].apply  # whose result counts its own versions
    left = reshape(input, tuple(size for each in sizes[0] for size in (each, 1)))
    right = reshape(other, tuple(size for each in sizes[1] for size in (1, each)))
    shape = tuple(one * two for one, two in zip(*sizes, strict=True))
    return into(out, TABLE["unsafe_view"].apply(left * right, shape), "kron")


@reads("(Tensor input, Tensor other, int? dim=None, *, Tensor? out=None)")
def cross(input: Any, other: Any, dim: int | None = None, out: Tensor | None = None) -> Tensor:
    """The cross products of the vectors along `dim`, by default the first dimension of size 3."""
    if dim is None:
        dim = next((place for place, size in enumerate(input.shape) if size == 3), None)
        if dim is None:
            raise RuntimeError("no dimension of size 3 in input")
    return into(out, TABLE["linalg_cross"].apply(input, other, int(dim)), "linalg_cross")


@reads("(Tensor input)", method=False)
def detach(input: Any) -> Any:
    """The same memory without history."""
    return input.detach()


@by_signature("(Tensor self, Number fill_value, bool wrap=False)", public=False)
def fill_diagonal_(self: Any, fill_value: Any, wrap: bool = False) -> Any:
    """Put a number on the main diagonal; with `wrap` it begins anew below the square of a high matrix."""
    if self.ndim < 2:
        raise RuntimeError("dimensions must larger than 1")
    if self.ndim > 2 and len(set(self.shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    step, length = sum(self.stride()), min(self.shape)
    self.as_strided((length,), (step,), self.storage_offset()).fill_(fill_value)
    rows, columns = self.shape[0], self.shape[1]
    if wrap and self.ndim == 2 and rows > columns + 1:
        start = self.storage_offset() + self.stride(0) * (columns + 1)
        count = ((rows - columns - 1) * columns + columns) // (columns + 1)
        self.as_strided((count,), (step,), start).fill_(fill_value)
    return self
