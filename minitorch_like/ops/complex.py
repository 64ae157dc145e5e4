"""Complex numbers: their parts, conjugates, angles and signs, and the ways of making them from real ones.

The rules of ops that are not holomorphic follow torch's convention by themselves: the gradient of a real loss L by
z = x + iy is dL/dx + i dL/dy.  A gradient of the wrong kind is converted by the engine: of a complex gradient for a
real operand the real part counts.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from .._dtype import FROM_NUMPY, default_numpy_dtype
from .._layout import strides_of
from ._checks import cast, computed, is_complex, laid_out, real_and_imaginary, strided, title
from ._table import UNARY, Array, op
from .elementwise import abs as abs_
from .elementwise import div, eq, ge, log, where, zeros_of
from .elementwise import sign as sign_

# -- conjugates ---------------------------------------------------------------------------------------------------------


@op("(Tensor input)", view=True, holomorphic=False, input=lambda g: conj(g))
def conj(input: Array) -> Array:
    """The complex conjugate; a real tensor is its own.

    Of a tensor it is a view that conjugates what is read and written through it, see `_conjugation`.
    """
    return np.conjugate(input, np.empty_like(input)) if input.dtype.kind == "c" else input


@op("(Tensor input)", view=True, namespace="internal", node="NegViewBackward0", holomorphic=False, input=lambda g: -g)
def _neg_view(input: Array) -> Array:
    """The numbers with the other sign; of a tensor a view, as with `conj`."""
    return np.negative(input)


@op(
    UNARY,
    name="conj_physical",
    view=True,  # of a real tensor, which it gives back
    inplace=True,
    holomorphic=False,
    inplace_node=lambda *args: "ConjPhysicalBackward1",
    input=lambda g: conj(g),
)
def conj_physical(input: Array) -> Array:
    """The complex conjugate; a real tensor is its own."""
    if input.dtype.kind != "c":
        return input
    from .shape import copied

    result = copied(input)  # laid out as a copy is, and not as what an elementwise function gives
    return np.conjugate(result, result)


# -- parts --------------------------------------------------------------------------------------------------------------


@op("(Tensor input)", view=True, namespace="internal", node="SelectBackward0", input=lambda g: g)
def real(input: Array) -> Array:
    """The real parts, in the same memory; a real tensor is its own."""
    return input.real if input.dtype.kind == "c" else input


@op(
    "(Tensor input)",
    view=True,
    namespace="internal",
    node="SelectBackward0",
    input=lambda g: complex_(zeros_of(g), g),  # and not i g, whose zeros may have a sign
)
def imag(input: Array) -> Array:
    """The imaginary parts, in the same memory."""
    if input.dtype.kind != "c":
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return input.imag


@op("(Tensor input)", view=True, namespace="internal", input=lambda g: view_as_complex(in_pairs(g)))
def view_as_real(input: Array) -> Array:
    """The real and the imaginary parts side by side: (...) complex -> (..., 2), in the same memory."""
    if input.dtype.kind != "c":
        raise RuntimeError("view_as_real is only supported for complex tensors")
    return real_and_imaginary(input)


def separated(x: Any) -> Any:
    """Complex numbers, of an array or a Tensor, as pairs of real ones; real numbers as they are."""
    if not is_complex(x):
        return x
    from .shape import contiguous_copy

    conjugated = getattr(getattr(x, "_data", None), "conjugated", False)
    return view_as_real(contiguous_copy(x) if conjugated else x)


def in_pairs(g: Any) -> Any:
    """`g` so laid out that `view_as_complex` can view it: a gradient may have any strides."""
    from .shape import contiguous_copy

    array = g._data if hasattr(g, "_node") else g
    return g if _misfit(array) is None else contiguous_copy(g)


@op("(Tensor input)", view=True, namespace="internal", holomorphic=False, input=lambda g: separated(g))
def view_as_complex(input: Array) -> Array:
    """Pairs of real numbers as complex ones: (..., 2) -> (...) complex, in the same memory."""
    if input.dtype.kind != "f":
        raise RuntimeError(
            "view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: "
            f"{title(input)}"
        )
    problem = _misfit(input)
    if problem is not None:
        raise RuntimeError(problem)
    dtype = FROM_NUMPY[input.dtype].to_complex().numpy
    if not input.size:
        return strided(input, input.shape[:-1], strides_of(input)[:-1], dtype=dtype)
    return input.view(dtype)[..., 0]


def _misfit(x: Array) -> str | None:
    """Why the last dimension of `x` cannot be seen as complex numbers, in torch's words; None if it can."""
    from .indexing import storage_offset_of

    if not x.ndim:
        return "Input tensor must have one or more dimensions"
    if x.shape[-1] != 2:
        return "Tensor must have a last dimension of size 2"
    strides = strides_of(x)
    if strides[-1] != x.itemsize:
        return "Tensor must have a last dimension with stride 1"
    if any(stride % (2 * x.itemsize) for size, stride in zip(x.shape[:-1], strides, strict=False) if size != 1):
        return "Tensor must have a stride divisible by 2 for all but last dimension"
    if storage_offset_of(x) % 2:
        return "Tensor must have a storage_offset divisible by 2"
    return None


# -- making complex numbers of real ones ------------------------------------------------------------------------------


def _check_parts(first: Array, second: Array) -> None:
    if not (first.dtype.kind == second.dtype.kind == "f"):  # bfloat16, which NumPy counts apart, is none of them
        raise RuntimeError(
            f"Expected both inputs to be Half, Float or Double tensors but got {title(first)} and {title(second)}"
        )
    if first.dtype is not second.dtype:
        raise RuntimeError(
            f"Expected object of scalar type {title(first)} but got scalar type {title(second)} for second argument"
        )


_real, _imag = real, imag  # whose names are those of operands in rules


@op(
    "(Tensor real, Tensor imag, *, Tensor? out=None)",
    name="complex",
    arity=2,
    namespace="internal",
    holomorphic=False,
    real=lambda g, real: _real(g),  # torch saves the part, although nothing depends on it
    imag=lambda g, imag: _imag(g),
)
def complex_(real: Array, imag: Array) -> Array:
    """real + i imag."""
    _check_parts(real, imag)
    parts = computed(np.add, real, imag)  # for its shape and its strides
    result = np.empty_like(parts, FROM_NUMPY[real.dtype].to_complex().numpy)
    np.copyto(result.real, real)
    np.copyto(result.imag, imag)
    return result


@op(
    "(Tensor abs, Tensor angle, *, Tensor? out=None)",
    arity=2,
    namespace="internal",
    holomorphic=False,
    abs=lambda g, out: real(conj(g) * sgn(out)),
    angle=lambda g, out: imag(conj(out) * g),
)
def polar(abs: Array, angle: Array) -> Array:
    """abs (cos angle + i sin angle)."""
    _check_parts(abs, angle)
    if abs.dtype == np.float16:
        raise NotImplementedError("\"polar_cpu\" not implemented for 'Half'")
    return complex_.kernel(computed(np.multiply, abs, np.cos(angle)), computed(np.multiply, abs, np.sin(angle)))


for _op in (complex_, polar):
    _op.kernel.of_any_width = True  # type: ignore[attr-defined]  # they name the dtypes that they refuse


# -- angle and sign -----------------------------------------------------------------------------------------------------


def _angle_input(g: Any, input: Any) -> Any:
    """The angle of z grows fastest across z: by i z / |z|^2.  At 0 torch takes the gradient to be 0."""
    if not is_complex(input):
        return zeros_of(g)
    length = abs_(input)
    return where(eq(length, 0), 0.0, (g * 1j) * div(div(input, length), length))


@op(UNARY, input=_angle_input)
def angle(input: Array) -> Array:
    """The angle with the positive real axis; of a real number 0 or pi."""
    if input.dtype.kind == "c":
        return np.angle(input).copy(order="C")
    if input.dtype.kind != "f":
        input = cast(input, default_numpy_dtype())
    half_turn = np.where(input < 0, input.dtype.type(np.pi), input.dtype.type(0))
    return laid_out(np.where(np.isnan(input), input, half_turn), input)


def _sgn_input(g: Any, input: Any, out: Any) -> Any:
    """The part of g across the direction s of z, over |z|: (g - Re(g conj(s)) s) / |z|."""
    if not is_complex(input):
        return zeros_of(g)
    length = abs_(input)
    across = g - real(g * conj(out)) * out
    return where(eq(length, 0), 0.0, div(across, length))


@op(UNARY, inplace=True, holomorphic=False, input=_sgn_input)
def sgn(input: Array) -> Array:
    """z / |z|, and 0 for 0; of a real number its sign."""
    if input.dtype.kind != "c":
        return sign_.kernel(input)
    length = np.abs(input)
    divisor = np.where(length == 0, length.dtype.type(1), length)
    result = np.empty_like(input)
    np.divide(input.real, divisor, result.real)
    np.divide(input.imag, divisor, result.imag)
    return laid_out(np.where(length == 0, input.dtype.type(0), result), input)


# -- what the rule of pow needs ------------------------------------------------------------------------------------------


def log_of_base(base: Any, out: Any) -> Any:
    """log(base) in the complex plane: a negative base has one there."""
    from .shape import cast_to

    if isinstance(base, (int, float, complex)):
        return builtins.complex(np.log(np.complex128(base))) if base else builtins.complex(-np.inf)
    return log(base if is_complex(base) else cast_to(base, out.dtype))


def not_negative(exponent: Any) -> Any:
    """Where an exponent is real and not negative: there 0 to its power is a constant."""
    if isinstance(exponent, (int, float, complex)):
        return exponent.imag == 0 and exponent.real >= 0
    if is_complex(exponent):
        return eq(imag(exponent), 0) & ge(real(exponent), 0)
    return ge(exponent, 0)


# -- inner product --------------------------------------------------------------------------------------------------------


@op(
    "(Tensor input, Tensor other, *, Tensor? out=None)",
    arity=2,
    holomorphic=False,
    input=lambda g, other: conj(g) * other,
    other=lambda g, input: g * input,
)
def vdot(input: Array, other: Array) -> Array:
    """The inner product of two vectors, the first conjugated."""
    from .matmul import dot

    return dot.kernel(np.conjugate(input) if input.dtype.kind == "c" else input, other)


vdot.kernel.of_any_width = True  # type: ignore[attr-defined]  # it is `dot` that compares the dtypes
