"""Products to which something is added, sums of diagonals, and cross products."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._checks import broadcast_shapes, c_name, converted, not_implemented, title, wrap_dim
from ._table import Array, op
from .matmul import bmm, mv
from .shape import expand, reshape, transpose, unsqueeze, view
from .views import diagonal_back


def _scaled(g: Any, factor: Any) -> Any:
    return g if factor == 1 else g * factor


def _factors(kind: np.dtype[Any], beta: Any, alpha: Any) -> tuple[Any, Any]:
    """Both numbers as elements of integers, which they must fit."""
    if kind.kind in "iu":
        return converted(beta, kind).item(), converted(alpha, kind).item()
    if kind.kind != "c":
        converted(beta, kind), converted(alpha, kind)
    return beta, alpha


def _sum(added: Array, product: Array, beta: Any, alpha: Any) -> Array:
    """beta * added + alpha * product, written over the product; of `added` nothing comes where beta is 0."""
    if alpha != 1:
        np.multiply(product, alpha, out=product, casting="unsafe")
    if beta != 0:
        np.add(product, added if beta == 1 else (added * beta).astype(product.dtype, copy=False), out=product)
    return product


def _size(x: Array, dim: int) -> int:
    """IndexError where there is no such dimension."""
    if not x.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return int(x.shape[wrap_dim(dim, x.ndim)])


# -- sums with products ------------------------------------------------------------------------------------------------

_BATCHES = "Tensor batch1, Tensor batch2"
_NUMBERS = "*, Number beta=1, Number alpha=1, Tensor? out=None"


@op(
    f"(Number beta, Tensor input, Number alpha, {_BATCHES}, *, Tensor? out=None)|deprecated",
    f"(Number beta, Tensor input, {_BATCHES}, *, Tensor? out=None)|deprecated",
    f"(Tensor input, {_BATCHES}, {_NUMBERS})",
    f"(Tensor input, {_BATCHES}, dtype out_dtype, {_NUMBERS})|function",
    arity=3,
    inplace=True,
    input=lambda g, beta: _scaled(g, beta),
    batch1=lambda g, batch2, alpha: _scaled(bmm(g, transpose(batch2, 1, 2)), alpha),
    batch2=lambda g, batch1, alpha: _scaled(bmm(transpose(batch1, 1, 2), g), alpha),
)
def baddbmm(input: Array, batch1: Array, batch2: Array, out_dtype: Any = None, beta: Any = 1, alpha: Any = 1) -> Array:
    """beta * input + alpha * (batch1 @ batch2)."""
    if out_dtype is not None:
        raise NotImplementedError("Could not run 'aten::baddbmm.dtype' with arguments from the 'CPU' backend.")
    expand.kernel(input, (_size(batch1, 0), _size(batch1, 1), _size(batch2, 2)))
    if input.dtype is batch1.dtype and not (
        batch2.shape[0] == batch1.shape[0] and batch2.shape[1] == batch1.shape[2]  # sizes come before the second dtype
    ):
        bmm.kernel(batch1, batch2)
    if not input.dtype is batch1.dtype is batch2.dtype:
        raise RuntimeError(
            f"Input dtypes must be the same, got: input {c_name(input)}, batch1: {c_name(batch1)}, batch2: {c_name(batch2)}"
        )
    if input.dtype.kind == "b":
        raise not_implemented("baddbmm", input)
    beta, alpha = _factors(input.dtype, beta, alpha)
    return _sum(input, bmm.kernel(batch1, batch2), beta, alpha)


@op(
    "(Number beta, Tensor input, Number alpha, Tensor mat, Tensor vec, *, Tensor? out=None)|deprecated",
    "(Number beta, Tensor input, Tensor mat, Tensor vec, *, Tensor? out=None)|deprecated",
    f"(Tensor input, Tensor mat, Tensor vec, {_NUMBERS})",
    arity=3,
    inplace=True,
    input=lambda g, beta: _scaled(g, beta),
    mat=lambda g, vec, alpha: _scaled(unsqueeze(g, 1) * vec, alpha),
    vec=lambda g, mat, alpha: _scaled(mv(transpose(mat, 0, 1), g), alpha),
)
def addmv(input: Array, mat: Array, vec: Array, beta: Any = 1, alpha: Any = 1) -> Array:
    """beta * input + alpha * (mat @ vec)."""
    if mat.ndim != 2 or vec.ndim != 1 or input.ndim > 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {input.ndim}, {mat.ndim}, {vec.ndim}")
    if mat.shape[1] != vec.shape[0] or input.size not in (1, mat.shape[0]):
        raise RuntimeError(
            f"size mismatch, got input ({input.size}), mat ({mat.shape[0]}x{mat.shape[1]}), vec ({vec.shape[0]})"
        )
    if not input.dtype is mat.dtype is vec.dtype:
        raise RuntimeError(
            f"addmv input tensors must have the same dtype, but got {title(input)}, {title(mat)}, and {title(vec)}"
        )
    if input.dtype.kind == "b":
        raise not_implemented("addmv_impl_cpu", input)
    beta, alpha = _factors(input.dtype, beta, alpha)
    return _sum(input, np.dot(mat, vec), beta, alpha)


# -- of one matrix -----------------------------------------------------------------------------------------------------


@op(
    "(Tensor input)",
    input=lambda g, input_shape: diagonal_back(expand(g, (min(input_shape),)), tuple(input_shape), 0, 0, 1),
)
def trace(input: Array) -> Array:
    """The sum of the diagonal of a matrix."""
    if input.dtype.kind == "b":
        raise not_implemented("trace", input)
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    kind = np.dtype(np.int64) if input.dtype.kind in "iu" else input.dtype
    return np.asarray(np.add.reduce(np.diagonal(input), dtype=kind))


@op(
    "(Tensor input, Tensor other, int dim=-1)",
    name="linalg_cross",
    arity=2,
    node="LinalgCrossBackward0",
    namespace="internal",
    input=lambda g, other, dim: linalg_cross(other, g, dim),
    other=lambda g, input, dim: linalg_cross(g, input, dim),
)
def linalg_cross(input: Array, other: Array, dim: int = -1) -> Array:
    """The cross products of the vectors along `dim`."""
    if input.ndim != other.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    if not input.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    given, dim = dim, wrap_dim(dim, input.ndim)
    if not input.shape[dim] == other.shape[dim] == 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {given} must have length 3. Got {input.shape[dim]} and {other.shape[dim]}"
        )
    shape = broadcast_shapes(input.shape, other.shape)
    if input.dtype.kind == "b":
        raise not_implemented("cross", input)
    if input.dtype is not other.dtype:
        raise RuntimeError(f"expected scalar type {title(input)} but found {title(other)}")
    x, y = np.broadcast_to(input, shape), np.broadcast_to(other, shape)
    parts = [
        np.take(x, (one + 1) % 3, dim) * np.take(y, (one + 2) % 3, dim)
        - np.take(x, (one + 2) % 3, dim) * np.take(y, (one + 1) % 3, dim)
        for one in range(3)
    ]
    return np.stack(parts, dim)


@op(
    "(Tensor input, int[] shape)",
    node="UnsafeViewBackward0",
    namespace="internal",
    input=lambda g, input_shape: reshape(g, tuple(input_shape)),
)
def unsafe_view(input: Array, shape: tuple[int, ...]) -> Array:
    """A result that nobody else has, in another shape."""
    result: Array = view.kernel(input, shape)
    return result
