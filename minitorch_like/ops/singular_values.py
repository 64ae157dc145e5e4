"""The singular value decomposition of matrices, of which norms are made."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._checks import is_complex, not_implemented, title
from ._table import Array, op
from .complex import conj
from .elementwise import zeros_of
from .matmul import matmul
from .shape import transpose, unsqueeze
from .views import diag_embed, diagonal


class _LinAlgError(RuntimeError):
    """A decomposition that does not exist, or was not found."""


LinAlgError = _LinAlgError


def _checked(input: Array) -> Array:
    if input.ndim < 2:
        raise RuntimeError("linalg.svd: The input tensor A must have at least 2 dimensions.")
    if input.dtype.kind not in "fcV":
        raise RuntimeError(f"linalg.svd: Expected a floating point or complex tensor as input. Got {title(input)}")
    if input.itemsize == 2:
        raise not_implemented("linalg_svd_cpu", input)
    return input


def _decomposed(input: Array, compute_uv: bool) -> Any:
    decompose: Any = np.linalg.svd
    try:
        return decompose(_checked(input), full_matrices=False, compute_uv=compute_uv)
    except np.linalg.LinAlgError:
        which = "(Batch element 0): " if input.ndim > 2 else ""
        raise LinAlgError(
            f"linalg.svd: {which}The algorithm failed to converge because the input matrix contained non-finite values."
        ) from None


def _adjoint(x: Any) -> Any:
    return conj(transpose(x, -2, -1))


def _skew(x: Any) -> Any:
    return x - _adjoint(x)


def _svd_gradient(gs: Any, u: Any, s: Any, vh: Any) -> list[Any]:
    """From the gradients of U, S and V^H to that of A.

    With E_jk = s_k^2 - s_j^2 the part within the spaces that U and V span is U (R + diag(g_s)) V^H,
    R = (skew(U^H g_u) S + S skew(V^H g_v)) / E; what of g_u (of g_v) lies outside of these comes on top.
    Source: Wan and Zhang, "Automatic differentiation for complex valued SVD", arXiv:1909.02659.
    """
    gu, g, gvh = gs
    if gu is gvh is None:  # then nothing is divided by the distances of the singular values, which may be 0
        return [matmul(u * unsqueeze(g, -2), vh)]
    gu, g, gvh = (zeros_of(x) if each is None else each for each, x in zip(gs, (u, s, vh), strict=True))
    columns, rows = unsqueeze(s, -2), unsqueeze(s, -1)
    apart = columns * columns - rows * rows + diag_embed(zeros_of(s) + 1)
    turned = _skew(matmul(_adjoint(u), gu))
    inner = (turned * columns + rows * _skew(matmul(vh, _adjoint(gvh)))) / apart + diag_embed(g)
    if is_complex(u):
        inner = inner + diag_embed(diagonal(turned, 0, -2, -1) / (2 * s))
    if u.shape[-2] > u.shape[-1]:
        outside = gu / columns
        return [matmul(matmul(u, inner) + outside - matmul(u, matmul(_adjoint(u), outside)), vh)]
    if vh.shape[-1] > vh.shape[-2]:
        outside = gvh / rows
        return [matmul(u, matmul(inner, vh) + outside - matmul(matmul(outside, _adjoint(vh)), vh))]
    return [matmul(matmul(u, inner), vh)]


@op(
    "(Tensor input)",
    outputs=("u", "s", "vh"),
    node="LinalgSvdBackward0",
    namespace="internal",
    holomorphic=False,
    joint=_svd_gradient,
)
def svd(input: Array) -> tuple[Array, Array, Array]:
    """U, S and V^H, of the least sizes: the columns of U and V are orthonormal, S is in descending order."""
    return tuple(_decomposed(input, True))


@op("(Tensor input)", namespace="internal")
def svdvals(input: Array) -> Array:
    """The singular values of matrices, in descending order; where there is to be a gradient `svd` computes them."""
    values: Array = _decomposed(input, False)
    return values


for _op in (svd, svdvals):  # which refuse floats of 16 bits
    _op.kernel.of_any_width = True  # type: ignore[attr-defined]
