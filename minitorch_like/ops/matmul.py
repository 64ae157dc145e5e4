"""Matrix products and what is built on them."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from ._checks import broadcast_shapes, c_name, converted, explain, not_implemented, sizes, title
from ._table import Array, op
from .shape import expand, reshape, transpose, unsqueeze


def _check_same_dtype(a: Array, b: Array) -> None:
    if a.dtype is not b.dtype:
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {c_name(a)} != {c_name(b)}")


_BOOL = np.dtype(np.bool_)


def _check_product(a: Array, b: Array) -> None:
    _check_inner_sizes(a, b)
    _check_same_dtype(a, b)
    _check_numeric("addmm_impl_cpu_", a)


def _check_numeric(name: str, x: Array) -> None:
    """torch's kernels of products, here `name`, take integers and refuse booleans."""
    if x.dtype is _BOOL:
        raise not_implemented(name, x)


def _check_inner_sizes(a: Array, b: Array) -> None:
    if a.shape[1] != b.shape[0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({a.shape[0]}x{a.shape[1]} and {b.shape[0]}x{b.shape[1]})"
        )


def _check_addmm(added: Array, a: Array, b: Array) -> None:
    """The checks of a product to which something is added."""
    for name, given in (("self", added), ("mat1", a)):
        if given.dtype is not b.dtype:
            raise RuntimeError(f"{name} and mat2 must have the same dtype, but got {title(given)} and {title(b)}")
    for name, given in (("mat1", a), ("mat2", b)):
        if given.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {given.ndim}-D tensor")
    _check_inner_sizes(a, b)
    _check_numeric("addmm_impl_cpu_", a)


def _product(a: Array, b: Array) -> Array:
    """A 2-d product.  `dot` goes to BLAS with less ado than `matmul`; booleans and integers have no BLAS.

    With an inner size of 1 there is nothing to add up, and a BLAS that passes over zeros would lose 0 * nan.
    """
    return a * b if a.shape[1] == 1 else np.dot(a, b)


def _no_out_dtype(name: str) -> NotImplementedError:
    """torch computes products in another dtype on GPUs alone."""
    return NotImplementedError(f"Could not run 'aten::{name}.dtype' with arguments from the 'CPU' backend.")


_MM = "(Tensor input, Tensor mat2, *, Tensor? out=None)"


@op(
    _MM,
    "(Tensor input, Tensor mat2, dtype out_dtype, *, Tensor? out=None)|function",
    arity=2,
    input=lambda g, mat2: mm(g, transpose(mat2, 0, 1)),
    mat2=lambda g, input: mm(transpose(input, 0, 1), g),
)
def mm(input: Array, mat2: Array, out_dtype: Any = None) -> Array:
    """The product of two matrices: (n, k) x (k, m) -> (n, m)."""
    if out_dtype is not None:
        raise _no_out_dtype("mm")
    if input.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    _check_product(input, mat2)
    return _product(input, mat2)


@op(
    "(Tensor input, Tensor mat2)",
    arity=2,
    node="MmBackward0",
    namespace="internal",
    input=lambda g, mat2: mm(mat2, transpose(g, 0, 1)),
    mat2=lambda g, input: mm(input, g),
)
def mm_tn(input: Array, mat2: Array) -> Array:
    """The product of a transposed matrix with another: (k, n) x (k, m) -> (n, m)."""
    return np.dot(input.T, mat2) if input.shape[0] != 1 else input.T * mat2


@op("(Tensor input)", namespace="internal", node="SumBackward1", input=lambda g, input_shape: expand(g, input_shape))
def column_sums(input: Array) -> Array:
    """The sums over the rows of a matrix: (n, m) -> (m,).  As a product it costs half of what NumPy's reduction does."""
    if input.dtype.char in "fd" and 0 < input.shape[0] <= _MOST_ROWS:
        return np.dot(_ones(input.shape[0], input.dtype), input)
    return np.add.reduce(input, 0)


_MOST_ROWS = 4096  # a longer row of ones is not worth its memory


@lru_cache(maxsize=64)
def _ones(size: int, kind: np.dtype[Any]) -> Array:
    return np.ones(size, kind)


@op(
    "(Tensor input, Tensor mat2, *, Tensor? out=None)",
    "(Tensor input, Tensor mat2, dtype out_dtype, *, Tensor? out=None)|function",
    arity=2,
    input=lambda g, mat2: bmm(g, transpose(mat2, 1, 2)),
    mat2=lambda g, input: bmm(transpose(input, 1, 2), g),
)
def bmm(input: Array, mat2: Array, out_dtype: Any = None) -> Array:
    """Products of two batches of matrices: (b, n, k) x (b, k, m) -> (b, n, m)."""
    if out_dtype is not None:
        raise _no_out_dtype("bmm")
    if input.ndim != 3:
        raise RuntimeError("batch1 must be a 3D tensor")
    if mat2.ndim != 3:
        raise RuntimeError("batch2 must be a 3D tensor")
    if mat2.shape[0] != input.shape[0] or mat2.shape[1] != input.shape[2]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: {sizes((input.shape[0], input.shape[2]))} "
            f"but got: {sizes(mat2.shape[:2])}."
        )
    _check_batches(input, mat2)
    return np.matmul(input, mat2)


def _check_batches(a: Array, b: Array) -> None:
    """The dtypes of two batches of matrices."""
    _check_numeric("bmm", a)
    if a.dtype is not b.dtype:
        raise RuntimeError(f"expected scalar type {title(a)} but found {title(b)}")


@op(
    "(Tensor input, Tensor vec, *, Tensor? out=None)",
    arity=2,
    input=lambda g, vec: unsqueeze(g, 1) * vec,
    vec=lambda g, input: mv(transpose(input, 0, 1), g),
)
def mv(input: Array, vec: Array) -> Array:
    """A matrix times a vector: (n, k) x (k,) -> (n,)."""
    _check_mv(input, vec)
    return np.dot(input, vec)


def _check_mv(input: Array, vec: Array) -> None:
    if not input.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {1}, {input.ndim}, {vec.ndim}")
    if input.shape[1] != vec.shape[0]:
        raise RuntimeError(
            f"size mismatch, got input ({input.shape[0]}), mat ({input.shape[0]}x{input.shape[1]}), vec ({vec.shape[0]})"
        )
    if input.dtype is not vec.dtype:
        raise RuntimeError(
            f"addmv input tensors must have the same dtype, but got {title(vec)}, {title(input)}, and {title(vec)}"
        )
    _check_numeric("addmv_impl_cpu", input)


@op(
    "(Tensor input, Tensor tensor, *, Tensor? out=None)",
    arity=2,
    input=lambda g, tensor: g * tensor,
    tensor=lambda g, input: g * input,
)
def dot(input: Array, tensor: Array) -> Array:
    """The inner product of two vectors of one length."""
    check_dot(input, tensor)
    return np.dot(input, tensor)


def check_dot(input: Array, tensor: Array) -> None:
    if input.ndim != 1 or tensor.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input.ndim}D and {tensor.ndim}D tensors")
    if input.dtype is not tensor.dtype:
        raise RuntimeError(
            f"dot : expected both vectors to have same dtype, but found {title(input)} and {title(tensor)}"
        )
    if input.shape != tensor.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor {sizes(input.shape)} and src {sizes(tensor.shape)} to have the "
            f"same number of elements, but got {input.size} and {tensor.size} elements respectively"
        )
    _check_numeric("dot", input)


def _rows(x: Any) -> Any:
    """All vectors along the last dimension, as the rows of a matrix."""
    return x if len(x.shape) == 2 else reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def _matmul_input(g: Any, other: Any, input_shape: Any) -> Any:
    """dL/da = g b^T, with vectors as matrices of one row or column."""
    if len(other.shape) == 1:
        return unsqueeze(g, -1) * other
    if len(input_shape) == 1:
        return matmul(other, unsqueeze(g, -1)).squeeze(-1)
    return matmul(g, transpose(other, -2, -1))


def _matmul_other(g: Any, input: Any, other_shape: Any) -> Any:
    if len(input.shape) == 1:
        return (input if len(other_shape) == 1 else unsqueeze(input, -1)) * (
            g if len(other_shape) == 1 else unsqueeze(g, -2)
        )
    if len(other_shape) == 1:
        return matmul(transpose(_rows(input), 0, 1), reshape(g, (-1,)))
    if len(other_shape) == 2:
        # one product over all batches, instead of one each and a sum
        return matmul(transpose(_rows(input), 0, 1), _rows(g))
    return matmul(transpose(input, -2, -1), g)


def _matmul_node(input: Any, other: Any) -> str:
    """The last node of torch's matmul, which goes by ranks and by what can be folded into one product."""
    ranks = (input.dim(), other.dim())
    names = {(1, 1): "Dot", (2, 2): "Mm", (2, 1): "Mv", (1, 2): "Squeeze"}
    if ranks in names:
        return f"{names[ranks]}Backward{4 if ranks == (1, 2) else 0}"
    if ranks[0] == 2 and ranks[1] >= 3 and input.requires_grad:  # folded the other way round
        flat = (math.prod(other.shape[:-2]), input.shape[0], other.shape[-1])
        return "TransposeBackward0" if _transposes_in_place(flat) else "CloneBackward0"
    return "UnsafeViewBackward0"


def _transposes_in_place(shape: tuple[int, ...]) -> bool:
    """Whether a contiguous batch of matrices is contiguous after transposing each."""
    return 1 in shape[1:] or 0 in shape


@op(
    "(Tensor input, Tensor other, *, Tensor? out=None)",
    arity=2,
    node=_matmul_node,
    input=_matmul_input,
    other=_matmul_other,
)
def matmul(input: Array, other: Array) -> Array:
    """Products of the last two dimensions, the others broadcast; a 1-d operand is a row or a column."""
    if input.ndim == 2 and other.ndim == 2:
        if input.shape[1] != other.shape[0] or not (input.dtype is other.dtype is not _BOOL):
            _check_product(input, other)
        return _product(input, other)
    if input.ndim == 0 or other.ndim == 0:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {input.ndim}D and {other.ndim}D"
        )
    sizes_fit = input.shape[-1] == other.shape[-2:][0] and (
        input.ndim < 3 or other.ndim < 3 or input.shape[:-2] == other.shape[:-2]
    )
    if not sizes_fit or not (input.dtype is other.dtype is not _BOOL):
        _check_matmul(input, other)
    return np.matmul(input, other)


def _check_matmul(a: Array, b: Array) -> None:
    """The checks of the product to which torch reduces this one."""
    if a.ndim == 1 == b.ndim:
        check_dot(a, b)
    elif b.ndim == 1 and (a.ndim == 2 or _folds(a)):
        _check_mv(a.reshape(math.prod(a.shape[:-1]), a.shape[-1]), b)
    elif b.ndim == 2 and (a.ndim <= 2 or _folds(a)):
        _check_product(a.reshape(math.prod(a.shape[:-1]), a.shape[-1]), b)
    elif a.ndim == 1 and _folds(b.swapaxes(-1, -2)):
        _check_mv(b.swapaxes(-1, -2).reshape(-1, b.shape[-2]), a)
    else:
        _check_batch_product(a[None] if a.ndim == 1 else a, b[:, None] if b.ndim == 1 else b)


def _folds(x: Array) -> bool:
    """Whether the batch dimensions of `x` are folded into rows: where that takes no copy.

    torch does it also for the sake of the gradient of the other operand, which here nobody knows.  Source: `should_fold`.
    """
    steps = zip(x.strides, x.strides[1:], x.shape[1:], strict=False)
    return not x.size or all(step == inner * size for step, inner, size in list(steps)[: x.ndim - 2])


def _check_batch_product(a: Array, b: Array) -> None:
    batch = math.prod(broadcast_shapes(a.shape[:-2], b.shape[:-2]))
    if a.shape[-1] != b.shape[-2]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: {sizes((batch, a.shape[-1]))} "
            f"but got: {sizes((batch, b.shape[-2]))}."
        )
    _check_batches(a, b)


def _times(product: Any, alpha: Any) -> Any:
    return product if alpha == 1 else product * alpha


@op(
    "(Number beta, Tensor input, Number alpha, Tensor mat1, Tensor mat2, *, Tensor? out=None)|deprecated",
    "(Number beta, Tensor input, Tensor mat1, Tensor mat2, *, Tensor? out=None)|deprecated",
    "(Tensor input, Tensor mat1, Tensor mat2, *, Number beta=1, Number alpha=1, Tensor? out=None)",
    "(Tensor input, Tensor mat1, Tensor mat2, dtype out_dtype, *, Number beta=1, Number alpha=1, Tensor? out=None)|function",
    arity=3,
    inplace=True,
    input=lambda g, beta: g if beta == 1 else g * beta,
    mat1=lambda g, mat2, alpha: _times(mm(g, transpose(mat2, 0, 1)), alpha),
    mat2=lambda g, mat1, alpha: _times(mm(transpose(mat1, 0, 1), g), alpha),
)
def addmm(input: Array, mat1: Array, mat2: Array, out_dtype: Any = None, beta: Any = 1, alpha: Any = 1) -> Array:
    """beta * input + alpha * (mat1 @ mat2)."""
    if out_dtype is not None:
        raise _no_out_dtype("addmm")
    _check_addmm(input, mat1, mat2)
    if input.dtype.kind in "iu":
        beta, alpha = converted(beta, input.dtype).item(), converted(alpha, input.dtype).item()
    elif input.dtype.kind != "c" and not type(beta) is type(alpha) is int:
        converted(beta, input.dtype), converted(alpha, input.dtype)
    if beta == 0:
        expand.kernel(input, (mat1.shape[0], mat2.shape[1]))  # which torch does, although nothing comes of it
    product = _product(mat1, mat2)
    if alpha != 1:
        product = np.multiply(product, alpha, product)
    try:
        return product if beta == 0 else np.add(product, input if beta == 1 else input * beta, product)
    except ValueError:
        explain(expand.kernel, input, product.shape)
        raise


def _linear_node(input: Any, weight: Any, bias: Any = None) -> str:
    if weight.dim() == 1 and bias is None:
        return _matmul_node(input, weight)
    if input.dim() == 2:
        return "MmBackward0" if bias is None else "AddmmBackward0"
    if bias is not None:
        return "ViewBackward0" if _linear_folds(input, weight, bias) else "AddBackward0"
    return "SqueezeBackward4" if input.dim() == 1 else "UnsafeViewBackward0"


def _linear_folds(input: Any, weight: Any, bias: Any = None) -> bool:
    """Whether torch takes all rows of the input at once, and views the resulting matrix."""
    return bias is not None and weight.dim() == 2 and input.is_contiguous() and bias.is_contiguous()


def _linear_input(g: Any, weight: Any, input_shape: Any) -> Any:
    if len(weight.shape) == 1:
        return unsqueeze(g, -1) * weight
    if len(g.shape) < 3:
        return matmul(g, weight)
    return reshape(matmul(_rows(g), weight), input_shape)


def _linear_weight(g: Any, input: Any, weight_shape: Any) -> Any:
    if len(weight_shape) == 1:
        return matmul(reshape(g, (-1,)), _rows(input))
    if len(g.shape) != 2:
        g, input = _rows(g), _rows(input)
    return mm_tn(g, input)


def _linear_bias(g: Any) -> Any:
    return column_sums(_rows(g)) if len(g.shape) > 1 else g


@op(
    "(Tensor input, Tensor weight, Tensor? bias=None)",
    arity=3,
    node=_linear_node,
    input=_linear_input,
    weight=_linear_weight,
    bias=_linear_bias,
    folds=_linear_folds,
    namespace="nn",
)
def linear(input: Array, weight: Array, bias: Array | None = None) -> Array:
    """input @ weight.T + bias: (..., in), (out, in), (out,) -> (..., out)."""
    if weight.ndim == 2 and input.ndim == 2:
        if input.shape[1] != weight.shape[1] or not (input.dtype is weight.dtype is not _BOOL):
            _check_linear(input, weight, bias)
        product = np.dot(input, weight.T)
    else:
        _check_linear(input, weight, bias)
        if input.ndim > 2 == weight.ndim:  # all rows at once: one large product instead of one for each batch
            rows = np.dot(input.reshape((math.prod(input.shape[:-1]), input.shape[-1])), weight.T)
            product = rows.reshape((*input.shape[:-1], weight.shape[0]))
        else:
            product = np.matmul(input, weight.T) if weight.ndim == 2 else np.dot(input, weight)
    if bias is None:
        return product
    if bias.dtype is not product.dtype:
        raise RuntimeError(f"self and mat2 must have the same dtype, but got {title(bias)} and {title(weight)}")
    try:
        return np.add(product, bias, product)
    except ValueError:
        explain(expand.kernel, bias, product.shape)
        raise


def _check_linear(input: Array, weight: Array, bias: Array | None) -> None:
    if weight.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {weight.ndim}D")
    if input.ndim == 0 or weight.ndim == 0:
        raise RuntimeError(
            f"both arguments to linear need to be at least 1D, but they are {input.ndim}D and {weight.ndim}D"
        )
    rows = input.reshape(-1, input.shape[-1]) if input.size else np.empty((0, input.shape[-1]), input.dtype)
    matrix = weight.T if weight.ndim == 2 else weight[:, None]
    if bias is None or not (input.ndim == 2 or input.flags.c_contiguous):
        _check_product(rows, matrix)
    else:
        _check_addmm(bias, rows, matrix)


@op(
    "(Tensor input, Tensor vec2, *, Tensor? out=None)",
    arity=2,
    node="MulBackward0",
    input=lambda g, vec2: mv(g, vec2),
    vec2=lambda g, input: mv(transpose(g, 0, 1), input),
)
def outer(input: Array, vec2: Array) -> Array:
    if input.ndim != 1 or vec2.ndim != 1:
        which, given = ("self", input) if input.ndim != 1 else ("vec2", vec2)
        raise RuntimeError(f"outer: Expected 1-D argument {which}, but got {given.ndim}-D")
    return input[:, None] * vec2
