"""`torch.linalg`, as far as norms need it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ._capture import mode
from ._functions import by_signature
from ._later import complete
from ._out_argument import into
from ._tensor import Tensor
from .ops import TABLE
from .ops._checks import wrap_dim
from .ops.singular_values import LinAlgError
from .ops.statistics import check_norm

__all__ = ["LinAlgError", "matrix_norm", "norm", "svdvals", "vector_norm"]

complete()  # for the ops that come late

_CALLS: dict[str, Callable[..., Any]] = {}
_TO = "bool keepdim=False, *, dtype? dtype=None, Tensor? out=None"
_ORDERS = (1, -1, 2, -2, math.inf, -math.inf)


@by_signature(f"(Tensor input, Number ord=2, int[1]? dim=None, {_TO})", method=False, into=_CALLS)
def linalg_vector_norm(
    input: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None, out: Any = None
) -> Tensor:
    """(sum |x|^ord)^(1/ord) over `dim`, by default over all elements."""
    if dtype is not None:  # before the op computes in another, if this is a narrow one
        check_norm(input._data, ord, dtype)
    return into(out, TABLE["vector_norm"].apply(input, ord, dim, keepdim, dtype), "linalg_vector_norm")


@by_signature(
    f"(Tensor input, Number ord, int[] dim=(-2,-1), {_TO})",
    f'(Tensor input, str ord="fro", int[] dim=(-2,-1), {_TO})',
    method=False,
    into=_CALLS,
)
def linalg_matrix_norm(
    input: Any,
    ord: Any = "fro",
    dim: Sequence[int] = (-2, -1),
    keepdim: bool = False,
    dtype: Any = None,
    out: Any = None,
) -> Tensor:
    """The norm of the matrices that lie in two dimensions: "fro", "nuc", or by its order.

    Of order 2 and -2 it is the largest and the least singular value, of 1 and -1 the largest and the least sum of a column's
    magnitudes, of the infinities that of a row's; the nuclear norm is the sum of the singular values.
    Raises RuntimeError for other orders and for integers.
    """
    _check_order(ord)
    if input.ndim < 2:
        raise RuntimeError("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.")
    check_norm(input._data, 2, dtype, "linalg.matrix_norm")
    if len(dim) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dim))}")
    dims = wrap_dim(dim[0], input.ndim), wrap_dim(dim[1], input.ndim)
    if dims[0] == dims[1]:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})")
    if ord == "fro":
        result: Tensor = TABLE["vector_norm"].apply(input, 2, dims, keepdim, dtype)
    elif ord == "nuc" or abs(ord) == 2:
        result = _of_singular_values(input, ord, dims, keepdim, dtype)
    else:
        result = _of_sums(input, ord, dims, keepdim, dtype)
    if out is not None and out.dtype is not result.dtype:
        raise RuntimeError(
            f"linalg.matrix_norm expected out tensor dtype {result.dtype.title} but got: {out.dtype.title}"
        )
    return into(out, result, "linalg_matrix_norm")


def _check_order(ord: Any) -> None:
    if isinstance(ord, complex):
        raise RuntimeError("linalg.matrix_norm: Expected a non-complex scalar as the order of norm.")
    if ord not in (("fro", "nuc") if isinstance(ord, str) else _ORDERS):
        text = ord if isinstance(ord, str) else f"{ord:g}"
        raise RuntimeError(f"linalg.matrix_norm: Order {text} not supported.")


def _of_singular_values(input: Any, ord: Any, dims: tuple[int, int], keepdim: bool, dtype: Any) -> Any:
    if input.dtype.itemsize == 2:
        raise RuntimeError(f"linalg.matrix_norm: Low precision dtypes not supported. Got {input.dtype.title}")
    order = [*(each for each in range(input.ndim) if each not in dims), *dims]
    values = _singular_values((input if dtype is None else input.to(dtype)).permute(order))
    result = values.sum(-1, keepdim) if ord == "nuc" else _extremum(values, ord > 0, -1, keepdim)
    return result.unsqueeze(-1).permute([order.index(each) for each in range(input.ndim)]) if keepdim else result


def _singular_values(input: Tensor) -> Tensor:
    """Of matrices, in descending order: an output of the whole decomposition where that is recorded, as in torch."""
    recorded = mode.grad and input.requires_grad
    values: Tensor = TABLE["svd"].apply(input)[1] if recorded else TABLE["svdvals"].apply(input)
    return values


def _of_sums(input: Any, ord: float, dims: tuple[int, int], keepdim: bool, dtype: Any) -> Any:
    summed, compared = dims if abs(ord) == 1 else dims[::-1]
    sums = TABLE["vector_norm"].apply(input, 1, (summed,), keepdim, dtype)
    return _extremum(sums, ord > 0, compared - (compared > summed and not keepdim), keepdim)


def _extremum(x: Any, largest: bool, dim: int, keepdim: bool) -> Any:
    """The largest or the least along `dim`; the largest of no magnitudes is 0."""
    if largest and not x.shape[dim]:
        return x.sum(dim, keepdim)
    if not x.shape[dim]:
        raise IndexError(f"amin(): Expected reduction dim {dim} to have non-zero size.")
    return x.amax(dim, keepdim) if largest else x.amin(dim, keepdim)


@by_signature(
    "(Tensor input, Number? ord=None, int[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None)",
    "(Tensor input, str ord, int[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None)",
    method=False,
    into=_CALLS,
)
def linalg_norm(
    input: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, dtype: Any = None, out: Any = None
) -> Tensor:
    """The norm of vectors along one dimension, of matrices in two, or without an order of all elements."""
    dims = (dim,) if isinstance(dim, int) else dim
    if dims is not None and len(dims) not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}")
    if isinstance(ord, str):
        if dims is None and input.ndim > 2:
            raise RuntimeError(_without_dim(input))
        return linalg_matrix_norm(input, ord, range(input.ndim) if dims is None else dims, keepdim, dtype, out)
    if ord is not None:
        if dims is None and input.ndim not in (1, 2):
            raise RuntimeError(_without_dim(input))
        if (input.ndim if dims is None else len(dims)) == 2:
            return linalg_matrix_norm(input, ord, (0, 1) if dims is None else dims, keepdim, dtype, out)
    return linalg_vector_norm(input, 2 if ord is None else ord, dims, keepdim, dtype, out)


def _without_dim(input: Any) -> str:
    return f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {input.ndim}D."


@by_signature("(Tensor input, *, str? driver=None, Tensor? out=None)", method=False, into=_CALLS)
def linalg_svdvals(input: Tensor, driver: str | None = None, out: Any = None) -> Tensor:
    """The singular values of matrices, in descending order."""
    if driver is not None:
        raise RuntimeError(
            "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend."
        )
    return into(out, _singular_values(input), "linalg_svdvals")


vector_norm, matrix_norm = _CALLS["linalg_vector_norm"], _CALLS["linalg_matrix_norm"]
norm, svdvals = _CALLS["linalg_norm"], _CALLS["linalg_svdvals"]
