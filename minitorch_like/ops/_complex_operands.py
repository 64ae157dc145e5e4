"""What the ops of real numbers do with complex operands: refuse them in torch's words, or use another kernel.

Applied to the table when complex numbers come into use (see `_rare`); until then no op asks about them.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import numpy as np

from .._dtype import result_dtype
from ._checks import (
    Dims,
    common,
    computed,
    is_complex,
    laid_out,
    numpy_dtype,
    real_and_imaginary,
    sizes,
    wrap_dim,
    wrap_dims,
)
from ._table import Array, Op
from .reductions import contiguous
from .shape import copied

# -- refusals -----------------------------------------------------------------------------------------------------------

# The op's kernel in torch, of which the message is that it is not implemented for the dtype.
_MISSING_KERNELS = {
    **{
        name: f"{name}_cpu"
        for name in (
            "atan2", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "copysign", "fmod", "frac", "ge", "gt",
            "hypot", "le", "logaddexp2", "logit", "lt", "nextafter", "remainder", "xlogy",
        )
    },
    **{name: f"{name}_vml_cpu" for name in ("erf", "erfc", "erfinv", "i0", "lgamma")},
    **{name: name for name in ("binary_cross_entropy", "digamma", "max_all", "min_all")},
    "amax": "max_values_cpu",
    "amin": "min_values_cpu",
    "aminmax_of": "aminmax_cpu",
    "cummax_along": "cummax_cpu",
    "cummin_along": "cummin_cpu",
    "floor_divide": "div_floor_cpu",
    "huber_loss": "huber_cpu",
    "mse_loss": "mse_cpu",
    "smooth_l1_loss": "smooth_l1_cpu",
}  # fmt: skip

_MISSING_WORDS: dict[str, tuple[type[Exception], str]] = {
    **{
        name: (NotImplementedError, f"{name} is not supported for complex inputs")
        for name in ("ceil", "floor", "trunc")
    },
    **{name: (RuntimeError, f"{name}(): does not support complex input") for name in ("argmax", "argmin")},
    "max_along": (RuntimeError, "max(): does not support complex input"),
    "min_along": (RuntimeError, "min(): does not support complex input"),
    **{
        name: (RuntimeError, f"{name} not implemented for complex tensors.")
        for name in ("fmax", "fmin", "maximum", "minimum")
    },
    **dict.fromkeys(("hardtanh", "relu", "relu6"), (NotImplementedError, "clamp is not supported for complex types")),
    **{name: (RuntimeError, f"{name} is not supported for complex tensors.") for name in ("deg2rad", "rad2deg")},
    **{name: (RuntimeError, f"{name} does not support complex inputs.") for name in ("isneginf", "isposinf")},
    "nansum": (RuntimeError, "nansum on CPU does not support complex inputs"),
    "heaviside": (RuntimeError, "heaviside is not yet implemented for complex tensors."),
    "signbit": (NotImplementedError, "signbit is not implemented for complex tensors."),
    "sign": (
        NotImplementedError,
        "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead.",
    ),
}


def _refused(op: Op, *operands: Any) -> Any:
    """Raise torch's error."""
    if op.name in ("cummax_along", "cummin_along") and operands[0].size * operands[0].ndim == 0:
        return NotImplemented  # there is nothing to compare
    if op.name in _MISSING_WORDS:
        kind, words = _MISSING_WORDS[op.name]
        raise kind(words)
    raise _no_kernel(_MISSING_KERNELS[op.name], operands)


def _no_kernel(kernel: str, operands: tuple[Any, ...]) -> Exception:
    given = [each for each in operands if each is not None]
    return NotImplementedError(f"\"{kernel}\" not implemented for '{result_dtype(*given).title}'")


def _clamp(op: Op, input: Any, *bounds: Any) -> Any:
    """torch complains of the tensor where the bounds are numbers, of its kernel where they are tensors."""
    given = [each for each in bounds if each is not None]
    if not given:
        return NotImplemented
    if op.name == "clamp":
        if not is_complex(input) and any(isinstance(each, complex) for each in given):
            raise RuntimeError("value cannot be converted to type double without overflow")
        if not is_complex(input):
            kernel = "clamp_cpu" if len(given) == 2 else "minimum_cpu" if is_complex(bounds[-1]) else "maximum_cpu"
            raise _no_kernel(kernel, (input, *given))
    elif isinstance(given[0], np.ndarray):
        raise _no_kernel("minimum_cpu" if op.name == "clamp_max" else "maximum_cpu", (input, *given))
    raise NotImplementedError("clamp is not supported for complex types")


def _softmax(op: Op, input: Array, dim: int, dtype: Any = None) -> Any:
    if dtype is not None and not dtype.is_complex:
        return NotImplemented  # the kernel takes the real part first
    last = input.ndim == 0 or dim in (-1, input.ndim - 1)
    raise _no_kernel(f"{op.name}_{'lastdim_' if last else ''}kernel_impl", (input,))


def _round(op: Op, input: Array, decimals: int | None = None) -> Any:
    raise _no_kernel("round_cpu" if decimals else "round_vml_cpu", (input,))


def _div(op: Op, input: Any, other: Any, rounding_mode: str | None = None) -> Any:
    """The kernel divides complex numbers as well, but there is no rounding of a quotient."""
    if rounding_mode in ("floor", "trunc"):
        raise _no_kernel(f"div_{rounding_mode}_cpu", (input, other))
    return NotImplemented


# -- arithmetic, with torch's infinities and signs of zero ----------------------------------------------------------------


def _add(op: Op, input: Any, other: Any, alpha: Any = 1) -> Any:
    """input + alpha other, in torch a complex product even where alpha is 1: infinity times 0i is NaN."""
    if alpha != 1 or alpha is True:  # which is an error
        return NotImplemented
    x, y = common(input, other)
    return computed(np.add, x, y * builtins.complex(1))


def _sub(op: Op, input: Any, other: Any, alpha: Any = 1) -> Any:
    if alpha != 1 or alpha is True or _is_bool(input) or _is_bool(other):  # all but the first are errors
        return NotImplemented
    x, y = common(input, other)
    return computed(np.add, x, y * builtins.complex(-1))


def _is_bool(x: Any) -> bool:
    return isinstance(x, bool) or getattr(x, "dtype", None) == np.bool_


def _neg(op: Op, input: Array) -> Array:
    """0 - z: there is no -0 in it."""
    return laid_out(np.subtract(input.dtype.type(0), input), input)


def _square(op: Op, input: Array) -> Array:
    return laid_out(input * input, input)


_BY_MULTIPLICATION = frozenset({2, 3, -1, -2, 0.5, -0.5})  # or as roots, by the kernel


def _pow(op: Op, input: Any, exponent: Any) -> Any:
    """exp(exponent log(input)), as C has it, but for some powers."""
    base, power = common(input, exponent)
    if not isinstance(exponent, np.ndarray):
        if exponent in _BY_MULTIPLICATION:
            return NotImplemented
        if exponent in (0, 1):
            return np.ones_like(base) if exponent == 0 else laid_out(base.copy(), base)
    if not isinstance(input, np.ndarray) and input == 1:
        return np.ones_like(power)
    result = np.exp(computed(np.multiply, np.log(base), power))
    return laid_out(result, base, power) if isinstance(input, np.ndarray) else contiguous(result)


# -- kernels of their own -----------------------------------------------------------------------------------------------


def _cast_to(op: Op, input: Array, dtype: Any, memory_format: Any = None) -> Any:
    """The real parts, without a word: it is also how the gradient of a real operand loses its imaginary part."""
    kind: Any = numpy_dtype(dtype) if hasattr(dtype, "numpy") else dtype
    return NotImplemented if kind.kind in "cb" else copied(input.real, memory_format, kind)


def _silu(op: Op, input: Array) -> tuple[Array, Array]:
    gate = 1 / (1 + np.exp(-input))
    return laid_out(input * gate, input), gate


def _ldexp(op: Op, input: Any, other: Any) -> Array:
    """input * 2^other."""
    power = np.exp(other * math.log(2)) if is_complex(other) else np.exp2(np.asarray(other, np.float32))
    return computed(np.multiply, *common(input, power))


def _exp2(op: Op, input: Array) -> Array:
    parts = real_and_imaginary(input)
    scaled = parts * parts.dtype.type(math.log(2))
    return laid_out(np.exp(scaled.view(input.dtype)[..., 0]), input)


def _log1p(op: Op, input: Array) -> Array:
    """log(1 + z); its real part by way of |1 + z|^2 - 1 where z is small.  Source: Kahan, "Branch cuts", 1987."""
    x, y = input.real, input.imag
    excess = x * (2 + x) + y * y
    near = np.where(excess == 0, x, np.log1p(excess) / 2)
    far = np.log(np.hypot(x + 1, y))
    result = np.empty_like(input)
    np.copyto(result.real, np.where(np.abs(input) < 0.5, near, far))
    np.copyto(result.imag, np.arctan2(y, x + 1))
    return laid_out(result, input)


def _logsumexp(op: Op, input: Array, dim: Dims, keepdim: bool = False) -> Array:
    """The logarithm of a sum of exponentials, of which the largest, by its real part, is taken out."""
    axis: Any = wrap_dims(dim, input.ndim, ranges_first=True)
    if dim == () and input.ndim and input.size and not keepdim:  # as with real numbers
        raise RuntimeError(f"output with shape [] doesn't match the broadcast shape {sizes((1,) * input.ndim)}")
    if not input.size:
        return np.log(np.add.reduce(np.exp(input), axis=axis, keepdims=keepdim))  # type: ignore[call-overload]
    top = np.maximum.reduce(input.real, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, top.dtype.type(0))
    total = np.log(np.add.reduce(np.exp(input - top), axis=axis, keepdims=True)) + top
    return contiguous(total if keepdim else total.squeeze(axis))


def _logaddexp(op: Op, input: Array, other: Array) -> Array:
    x, y = common(input, other)
    larger, smaller = np.where(x.real >= y.real, x, y), np.where(x.real >= y.real, y, x)
    return computed(np.add, larger, np.log1p(np.exp(smaller - larger)))


def _logcumsumexp(op: Op, input: Array, dim: int) -> Array:
    """One after the other, as torch does it: the phases of the terms are kept as they are, not brought into (-pi, pi]."""
    axis = wrap_dim(dim, input.ndim)
    result = np.empty_like(input, order="C")
    terms, totals = (np.moveaxis(each, axis, 0) if input.ndim else each[None] for each in (input, result))
    total: Any = np.full_like(terms[:1], -np.inf)[0] if terms.size else None
    for at in range(terms.shape[0] if terms.size else 0):
        total = _log_of_sum(terms[at], total)
        np.copyto(totals[at : at + 1], total)
    return result


def _log_of_sum(x: Array, y: Array) -> Array:
    """log(exp(x) + exp(y)); of what is -inf twice the phase does not matter, and what has a part that is NaN is NaN."""
    less = x.real < y.real
    smaller, larger = np.where(less, x, y), np.where(less, y, x)
    apart = np.isfinite(larger.real) | (smaller.real != larger.real)
    total = np.log1p(np.exp(np.where(apart, smaller - larger, 0))) + larger
    endless = np.where(larger.real < 0, smaller, np.log(np.exp(smaller) + np.exp(larger)))
    undefined = np.isnan(x) | np.isnan(y)
    result: Array = np.where(undefined, x.dtype.type(complex(np.nan, np.nan)), np.where(apart, total, endless))
    return result


_OTHERWISE: dict[str, Callable[..., Any]] = {
    **dict.fromkeys((*_MISSING_KERNELS, *_MISSING_WORDS), _refused),
    **dict.fromkeys(("clamp", "clamp_max", "clamp_min"), _clamp),
    **dict.fromkeys(("log_softmax", "softmax"), _softmax),
    "add": _add,
    "cast_to": _cast_to,
    "div": _div,
    "exp2": _exp2,
    "ldexp": _ldexp,
    "log1p": _log1p,
    "logaddexp": _logaddexp,
    "logcumsumexp": _logcumsumexp,
    "logsumexp": _logsumexp,
    "neg": _neg,
    "pow": _pow,
    "round": _round,
    "silu": _silu,
    "square": _square,
    "sub": _sub,
}

# -- adapting the table -------------------------------------------------------------------------------------------------

_adapted: set[str] = set()


def adapt(op: Op) -> None:
    """Let `op` treat complex operands in their own way, if it has one."""
    if op.name in _OTHERWISE and op.name not in _adapted:
        _adapted.add(op.name)
        op.kernel = _choosing(op, _OTHERWISE[op.name])


def _choosing(op: Op, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel of `op`, in whose place `otherwise` takes the calls with a complex operand.

    It may leave them to the kernel after all, by NotImplemented.
    """
    kernel, arity = op.kernel, op.arity

    def among_complex(*args: Any, **kwargs: Any) -> Any:
        result = otherwise(op, *args, **kwargs)
        return kernel(*args, **kwargs) if result is NotImplemented else result

    def choose(*args: Any, **kwargs: Any) -> Any:
        return (among_complex if any(map(is_complex, args[:arity])) else kernel)(*args, **kwargs)

    def choose_by_one(input: Any, *args: Any, **kwargs: Any) -> Any:
        return (among_complex if input.dtype.kind == "c" else kernel)(input, *args, **kwargs)

    def choose_by_two(input: Any, other: Any, *args: Any, **kwargs: Any) -> Any:
        # What real operands pay for complex numbers elsewhere in the program: so in the quickest way.
        if input.__class__ is other.__class__ is np.ndarray:
            complex_ = input.dtype.kind == "c" or other.dtype.kind == "c"
        else:
            complex_ = is_complex(input) or is_complex(other)
        return (among_complex if complex_ else kernel)(input, other, *args, **kwargs)

    chosen: Any = choose_by_one if arity == 1 else choose_by_two if arity == 2 else choose
    return update_wrapper(chosen, kernel)


# -- graphs -----------------------------------------------------------------------------------------------------------------

# Ops whose complex results torch does not differentiate.
_UNDERIVED = frozenset(
    {
        "binary_cross_entropy_with_logits",
        "embedding",
        "index_reduce",
        "nan_to_num",
        "scatter_reduce",
        "silu",
        "slice_scatter",
    }
)


def check_derivable(op: Op) -> None:
    """RuntimeError for an op that has no derivative where its result is complex."""
    if op.name in _UNDERIVED:
        raise RuntimeError(f"{op.name} does not support automatic differentiation for outputs with complex dtype.")
