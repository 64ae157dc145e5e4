"""Reductions, scans and differences that are composed of ops, or that return several results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._creation import zeros_like
from .._dtype import bool_, uint8
from .._functions import return_type
from .._out_argument import into, into_each
from .._tensor import Tensor
from ..ops import TABLE
from ..ops._checks import wrap_dim, wrap_dims
from ..ops._signature import Reader
from ..ops.statistics import check_norm
from .numbers import PUBLIC, reads

# -- several results ------------------------------------------------------------------------------------------------


_aminmax = return_type("aminmax", "min", "max")


@reads("(Tensor input, *, int? dim=None, bool keepdim=False, Tensor[]? out=None)")
def aminmax(input: Tensor, dim: int | None = None, keepdim: bool = False, out: Any = None) -> Any:
    """The least and the greatest element, of all or along `dim`."""
    return into_each(out, _aminmax(TABLE["aminmax_of"].apply(input, dim, keepdim)), "aminmax")


def _running_extremum(name: str) -> None:
    pair = return_type(name, "values", "indices")

    def function(input: Tensor, dim: int, out: Any = None) -> Any:
        return into_each(out, pair(TABLE[f"{name}_along"].apply(input, int(dim))), name)

    function.__name__ = name
    function.__doc__ = "The running extremum along `dim`, and where it was last met."
    reads("(Tensor input, int dim, *, Tensor[]? out=None)")(function)


_running_extremum("cummax")
_running_extremum("cummin")

_WITH_MEAN = (
    "(Tensor input, int[1]? dim, bool unbiased=True, bool keepdim=False)",
    "(Tensor input, int[1]? dim=None, *, Number? correction=None, bool keepdim=False)",
    "(Tensor input, bool unbiased=True)",
)


def _with_mean(name: str) -> None:
    op = TABLE[f"{name}_of"]

    def function(
        input: Tensor, dim: Any = None, unbiased: bool = True, keepdim: bool = False, correction: Any = None
    ) -> Any:
        if not (input.is_floating_point() or input.is_complex()):
            raise RuntimeError(f"{name} only support floating point and complex dtypes")
        return op.apply(input, dim, unbiased, keepdim, correction)

    function.__name__ = name
    function.__doc__ = f"The pair of `{name.removesuffix('_mean')}` and the mean."
    reads(*_WITH_MEAN)(function)


_with_mean("var_mean")
_with_mean("std_mean")

# -- means and norms ------------------------------------------------------------------------------------------------


@reads("(Tensor input, int[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None)")
def nanmean(input: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None, out: Any = None) -> Tensor:
    """The mean of what is a number."""
    if not (input.is_floating_point() or input.is_complex()):
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got {input.dtype.title}"
        )
    if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(
            "nanmean(): could not infer output dtype. Optional dtype must be either a floating point or complex dtype. "
            f"Got: {dtype.title}"
        )
    count = (~input.detach().isnan()).sum(dim, keepdim)
    return into(out, TABLE["nansum"].apply(input, dim, keepdim, dtype) / count, "nansum")


def norm(
    input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, out: Any = None, dtype: Any = None
) -> Tensor:
    """The p-norm of the elements over `dim` (all by default); "fro" is the 2-norm, "nuc" the nuclear one of matrices.

    Raises RuntimeError for another name of a norm.
    """
    if out is not None and not isinstance(out, Tensor):
        _NORM.read((input,), {"out": out})
    dims = (int(dim),) if isinstance(dim, int) else dim
    if isinstance(p, str) and (p != "fro" or (dims is not None and len(dims) > 2)):
        from ..linalg import linalg_matrix_norm

        return linalg_matrix_norm(input, p, range(input.ndim) if dims is None else dims, keepdim, dtype, out)
    order = 2 if p is None or p == "fro" else p
    if dims is not None and any(isinstance(each, bool) or not hasattr(each, "__index__") for each in dims):
        kind = type(next(each for each in dims if isinstance(each, bool) or not hasattr(each, "__index__"))).__name__
        raise TypeError(
            f"linalg_vector_norm(): argument 'dim' (position 3) must be tuple of ints, but found element of type {kind} "
            "at pos 0"
        )
    if dtype is not None:
        check_norm(input._data, order, dtype)
    return into(out, TABLE["vector_norm"].apply(input, order, dims, keepdim, dtype), "norm")


_NORM = Reader("linalg_vector_norm", ("(Tensor input, *, Tensor? out=None)",))
PUBLIC["norm"] = norm


def _norm(self: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    return norm(self, p, dim, keepdim, dtype=dtype)


_norm.__name__ = "norm"
Tensor.norm = _norm  # type: ignore[attr-defined]

# -- differences ----------------------------------------------------------------------------------------------------


def _check_edge(input: Any, edge: Any, dim: int) -> None:
    if edge.ndim != input.ndim:
        raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    for each in range(input.ndim):
        if each != dim and edge.shape[each] != input.shape[each]:
            raise RuntimeError(
                "diff expects the shape of tensor to prepend or append to match that of input except along the "
                f"differencing dimension; input.size({each}) = {input.shape[each]}, but got tensor.size({each}) = "
                f"{edge.shape[each]}"
            )


@reads("(Tensor input, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None, *, Tensor? out=None)")
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None, out: Any = None) -> Tensor:
    """The n-th differences of neighbours along `dim`; those of booleans are whether they differ."""
    if not input.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if not n and prepend is None and append is None:
        return into(out, zeros_like(input).copy_(input))
    dim = wrap_dim(int(dim), input.ndim)
    for edge in (prepend, append):
        if edge is not None:
            _check_edge(input, edge, dim)
    if not n:
        return into(out, zeros_like(input).copy_(input))
    given = [each for each in (prepend, input, append) if each is not None]
    result = TABLE["cat"].apply(given, dim) if len(given) > 1 else input
    for _ in range(min(int(n), max(result.shape[dim], 1))):
        size = max(result.shape[dim] - 1, 0)
        after, before = result.narrow(dim, result.shape[dim] - size, size), result.narrow(dim, 0, size)
        result = after.logical_xor(before) if result.dtype is bool_ else after - before
    return into(out, result)


_TRAPEZOID = (
    "(Tensor y, Tensor x, *, int dim=-1)",
    "(Tensor y, *, Number dx=1, int dim=-1)",
)


def _halves(x: Any, dim: int) -> tuple[Any, Any]:
    """All along `dim` but the last, and all but the first."""
    size = max(x.shape[dim] - 1, 0)
    return x.narrow(dim, 0, size), x.narrow(dim, x.shape[dim] - size, size)


def _strips(name: str, y: Any, x: Any, dim: int) -> Any:
    """Twice the area between neighbouring sample points `x`, which are broadcast against the samples."""
    before, after = _halves(y, dim)
    if x.ndim == 1 and x.shape[0] != y.shape[dim]:
        raise RuntimeError(f"{name}: There must be one `x` value for each sample point")
    if x.ndim == 1:
        x = x.view((1,) * dim + (-1,) + (1,) * (y.ndim - dim - 1))
    elif x.ndim < y.ndim:
        x = x.view((1,) * (y.ndim - x.ndim) + tuple(x.shape))
    left, right = _halves(x, dim)
    return (before + after) * (right - left)


def _check_samples(name: str, y: Any, x: Any, dx: Any, dim: int) -> int:
    """The dimension, counted from the front.  Raises torch's errors."""
    sizes_first = name == "trapezoid"  # which asks how many samples there are before it looks at them
    axis = int(dim) if x is None and not y.ndim else wrap_dim(int(dim), y.ndim)
    if sizes_first and not y.ndim:
        raise IndexError(f"Dimension specified as {axis} but tensor has no dimensions")
    if y.dtype is bool_ or (x is not None and x.dtype is bool_):
        what = "`y`" if x is None else "`x` or `y`"
        raise RuntimeError(f"{name}: received a bool input for {what}, but bool is not supported")
    if isinstance(dx, (bool, complex)):
        raise RuntimeError(f"{name}: Currently, we only support dx as a real number.")
    if not y.ndim and x is not None and x.ndim == 1:
        raise IndexError(f"Dimension specified as {axis} but tensor has no dimensions")
    if not y.ndim:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    return axis


@reads(*_TRAPEZOID, method=False)
def trapezoid(y: Any, x: Any = None, dx: Any = 1, dim: int = -1) -> Any:
    """The integral by the trapezoidal rule, of samples `y` at points `x` or at distances `dx`."""
    axis = _check_samples("trapezoid", y, x, dx, dim)
    if not y.shape[axis]:
        return y.new_zeros(tuple(y.shape[:axis]) + tuple(y.shape[axis + 1 :]))
    if x is None:
        before, after = _halves(y, axis)
        return TABLE["mul_number"].apply((before + after).sum(axis), dx / 2.0)
    return TABLE["div_number"].apply(_strips("trapezoid", y, x, axis).sum(axis), 2.0)


@reads(*_TRAPEZOID, method=False)
def cumulative_trapezoid(y: Any, x: Any = None, dx: Any = 1, dim: int = -1) -> Any:
    """The running integral by the trapezoidal rule."""
    axis = _check_samples("cumulative_trapezoid", y, x, dx, dim)
    if x is None:
        before, after = _halves(y, axis)
        return TABLE["mul_number"].apply(before + after, dx / 2.0).cumsum(axis)
    return TABLE["div_number"].apply(_strips("cumulative_trapezoid", y, x, axis).cumsum(axis), 2.0)


def _trapz(*args: Any, **kwargs: Any) -> Any:
    """The older name of `trapezoid`."""
    values = _TRAPZ.read(args, kwargs)[1]
    if "dx" in values:
        values["dx"] = float(values["dx"])
    return trapezoid(**values)


_TRAPZ = Reader("trapz", ("(Tensor y, *, float dx=1, int dim=-1)", "(Tensor y, Tensor x, *, int dim=-1)"))
PUBLIC["trapz"] = _trapz

# -- covariance -----------------------------------------------------------------------------------------------------


@reads("(Tensor input, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None)")
def cov(input: Any, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """The covariances of the rows of `input` (variables by observations), observations weighted by the products."""
    if input.ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions"
        )
    if input.dtype is bool_:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    rows = input.view(1, -1) if input.ndim < 2 else input
    observations = rows.shape[1]
    weights = _weights(fweights, aweights, observations)
    total = observations if weights is None else weights.sum()
    if weights is not None and not total:
        raise RuntimeError("cov(): weights sum to zero, can't be normalized")
    mean = rows.sum(1) / observations if weights is None else (rows * weights).sum(1) / total
    if weights is not None and aweights is not None and correction:
        total = total - correction * (weights * aweights).sum() / total
    else:
        total = total - correction
    centred = rows - mean.unsqueeze(1)
    other = centred if weights is None else centred * weights
    freedom = max(total, 0) if weights is None else total.clamp(min=0)
    return ((centred @ other.t().conj()) / freedom).squeeze()


def _weights(fweights: Any, aweights: Any, observations: int) -> Any:
    for name, each in (("fweights", fweights), ("aweights", aweights)):
        if each is not None:
            if each.ndim > 1:
                raise RuntimeError(
                    f"cov(): expected {name} to have one or fewer dimensions but got {name} with {each.ndim} dimensions"
                )
            if each.dtype is bool_ or each.is_complex() or each.is_floating_point() is (name == "fweights"):
                kind = "integral" if name == "fweights" else "floating point"
                raise RuntimeError(
                    f"cov(): expected {name} to have {kind} dtype but got {name} with {each.dtype.title} dtype"
                )
            if each.numel() != observations:
                raise RuntimeError(
                    f"cov(): expected {name} to have the same numel as there are observations in the input but got "
                    f"{each.numel()} != {observations}"
                )
            if bool((each < 0).any()):
                raise RuntimeError(f"cov(): {name} cannot be negative")
    if fweights is None:
        return aweights
    return fweights if aweights is None else fweights * aweights


@reads("(Tensor input)")
def corrcoef(input: Any) -> Any:
    """The correlation coefficients of the rows of `input`, clamped to [-1, 1]."""
    if input.ndim > 2:
        raise RuntimeError(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions"
        )
    covariance = cov(input)
    if not covariance.ndim:
        return covariance / covariance
    deviations = covariance.diagonal().sqrt()
    coefficients = covariance / deviations.view(-1, 1) / deviations.view(1, -1)
    if coefficients.is_complex():
        return TABLE["complex"].apply(coefficients.real.clamp(-1, 1), coefficients.imag.clamp(-1, 1))
    return coefficients.clamp(-1, 1)


# -- numerical derivatives --------------------------------------------------------------------------------------------


@reads(
    "(Tensor input, *, int[] dim, int edge_order=1)",
    "(Tensor input, *, Number spacing, int[] dim, int edge_order=1)",
    "(Tensor input, *, Number? spacing=None, int? dim=None, int edge_order=1)",
    "(Tensor input, *, Number[] spacing, int? dim=None, int edge_order=1)",
    "(Tensor input, *, Number[] spacing, int[] dim, int edge_order=1)",
    "(Tensor input, *, Tensor[] spacing, int? dim=None, int edge_order=1)",
    "(Tensor input, *, Tensor[] spacing, int[] dim, int edge_order=1)",
    method=False,
)
def gradient(
    input: Any, *, spacing: Any = 1, dim: int | Sequence[int] | None = None, edge_order: int = 1
) -> tuple[Tensor, ...]:
    """Estimates of the derivative of samples along each of `dim`, by central differences of second order.

    `spacing` is one number, a number for each dimension, or the coordinates along each.

    Raises RuntimeError for fewer samples than edge_order + 1, and for an `edge_order` other than 1 and 2.
    """
    spacing = 1 if spacing is None else spacing
    dims = range(input.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    several = isinstance(spacing, (tuple, list))
    if input.dtype is uint8:
        raise RuntimeError("torch.gradient does not support uint8 input.")
    if several and len(spacing) != len(dims):
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to "
            f"'self.dim() = {input.ndim}', since dim argument was not given, but got a list of length {len(spacing)}"
            if dim is None
            else "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments to have "
            f"the same length, but got a spacing argument of length {len(spacing)} and a dim argument of length {len(dims)}."
        )
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    if dims and not input.ndim:
        raise IndexError(f"Dimension specified as {dims[0]} but tensor has no dimensions")
    axes = wrap_dims(tuple(dims), input.ndim) if dims else ()
    for each in spacing if several else ():
        if isinstance(each, Tensor) and each.ndim != 1:
            raise RuntimeError(
                "torch.gradient expected each element of spacing to have one dimension, but got an element with "
                f"{each.ndim} dimensions!"
            )
    for axis in axes:
        if input.shape[axis] <= edge_order:
            raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    return tuple(
        _derivative(input, axis, spacing[number] if several else spacing, edge_order)
        for number, axis in enumerate(axes)
    )


def _derivative(input: Any, axis: int, spacing: Any, edge_order: int) -> Tensor:
    size = input.shape[axis]

    def at(start: int, length: int) -> Any:
        return input.narrow(axis, start, length)

    if isinstance(spacing, Tensor) and spacing.ndim:
        shape = [1] * input.ndim
        shape[axis] = -1
        steps = (spacing.narrow(0, 1, size - 1) - spacing.narrow(0, 0, size - 1)).view(shape)
        before, after = steps.narrow(axis, 0, size - 2), steps.narrow(axis, 1, size - 2)
        a, b = -after / (before * (before + after)), (after - before) / (before * after)
        c = before / (after * (before + after))
        inner = a * at(0, size - 2) + b * at(1, size - 2) + c * at(2, size - 2)
        first, last = steps.narrow(axis, 0, 1), steps.narrow(axis, size - 2, 1)
    else:
        inner = (at(2, size - 2) - at(0, size - 2)) / (2 * spacing)
        first = last = spacing
    if edge_order == 1:
        edges = (at(1, 1) - at(0, 1)) / first, (at(size - 1, 1) - at(size - 2, 1)) / last
    elif first is last and not isinstance(spacing, Tensor):
        edges = (
            (at(0, 1) * -1.5 + at(1, 1) * 2 - at(2, 1) * 0.5) / spacing,
            (at(size - 3, 1) * 0.5 - at(size - 2, 1) * 2 + at(size - 1, 1) * 1.5) / spacing,
        )
    else:
        edges = _uneven_edges(at, steps, axis, size)
    return TABLE["cat"].apply([edges[0], inner, edges[1]], axis)


def _uneven_edges(at: Any, steps: Any, axis: int, size: int) -> tuple[Any, Any]:
    """The derivatives at both ends of the parabola through the last three points."""
    h, k = steps.narrow(axis, 0, 1), steps.narrow(axis, 1, 1)
    first = -(2 * h + k) / (h * (h + k)) * at(0, 1) + (h + k) / (h * k) * at(1, 1) - h / (k * (h + k)) * at(2, 1)
    h, k = steps.narrow(axis, size - 3, 1), steps.narrow(axis, size - 2, 1)
    last = (
        k / (h * (h + k)) * at(size - 3, 1)
        - (h + k) / (h * k) * at(size - 2, 1)
        + (2 * k + h) / (k * (h + k)) * at(size - 1, 1)
    )
    return first, last
