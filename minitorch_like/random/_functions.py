"""The functions that make tensors of random numbers: `rand`, `randn`, `randint`, `randperm`, `normal` ..."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from .. import _capture
from .._creation import check_size, like, require_grad
from .._device import require_cpu
from .._dtype import FLOATING_KINDS, FROM_NUMPY, default_numpy_dtype, int64
from .._layout import resolved
from .._record import make_node
from .._tensor import Tensor, with_history, wrap
from .._writing import resize_out
from ..autograd import no_grad
from ..ops import Op
from ..ops._checks import broadcast_shapes, real_number, title
from ..ops._signature import NOBODY, Reader, check_bound
from ..ops._table import python_value
from . import _discrete, _fills, _normal, _samplers
from ._fills import sample
from ._generator import default_generator
from ._uniform import Array

FUNCTIONS: dict[str, Callable[..., Tensor]] = {}
METHODS: dict[str, Callable[..., Tensor]] = {}

_OPTIONS = (
    "dtype? dtype=None, layout? layout=None, device? device=None, bool? pin_memory=False, bool requires_grad=False"
)
_NEW = f"Tensor? out=None, {_OPTIONS}"
_LIKE = f"memory_format? memory_format=None, {_OPTIONS}"
Values = dict[str, Any]
Quick = Callable[[tuple[Any, ...]], Tensor | None]


def _function(
    *texts: str, method: bool = False, quick: Quick | None = None
) -> Callable[[Callable[[Values], Tensor]], Callable[..., Tensor]]:
    """Let a function of the values by name be called by torch's signatures, as a method too if `method`.

    Calls without keywords are shown to `quick` first, which answers None to those that it will not take.
    """

    def declare(function: Callable[[Values], Tensor]) -> Callable[..., Tensor]:
        name = function.__name__
        call = _reading(function, Reader(name, texts))
        FUNCTIONS[name] = call if quick is None else _quickly(call, quick)
        if method:
            METHODS[name] = _reading(function, Reader(name, texts, method=True))
        return call

    return declare


def _quickly(read: Callable[..., Tensor], quick: Quick) -> Callable[..., Tensor]:
    @wraps(read)
    def call(*args: Any, **kwargs: Any) -> Tensor:
        result = None if kwargs else quick(args)
        return read(*args, **kwargs) if result is None else result

    return call


def _reading(function: Callable[[Values], Tensor], reader: Reader) -> Callable[..., Tensor]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Tensor:
        if reader.method:
            check_bound(args[0] if args else NOBODY, reader.function)
            values = {"input": args[0], **reader.read(args[1:], kwargs)[1]}
        else:
            values = reader.read(args, kwargs)[1]
        if values.get("device") is not None:
            require_cpu(values["device"], function.__name__)
        if values.get("generator") is None:
            values["generator"] = default_generator
        result = function(values)
        if values.get("requires_grad"):
            require_grad(result)
        return result

    return call


def _plain(shape: Any) -> bool:
    """Whether these are sizes that need no further check."""
    return set(map(type, shape)) <= {int} and 0 <= min(shape, default=0) <= max(shape, default=0) < 2**31


def _of_sizes(sampler: Callable[..., None]) -> Quick:
    """`rand(2, 3)` and `rand((2, 3))`."""

    def quick(args: tuple[Any, ...]) -> Tensor | None:
        shape = args[0] if len(args) == 1 and type(args[0]) is tuple else args
        if not args or not _plain(shape):
            return None
        out = np.empty(shape, default_numpy_dtype())
        sample(sampler, out, 0.0, 1.0, default_generator)
        return wrap(out)

    return quick


def _of_range(args: tuple[Any, ...]) -> Tensor | None:
    """`randint(10, (2, 3))` and `randint(0, 10, (2, 3))`."""
    if not 2 <= len(args) <= 3 or type(args[-1]) is not tuple or not _plain(args[-1]):
        return None
    low, high = (0, *args[:-1])[-2:]
    if type(low) is not int or type(high) is not int or not -(2**63) <= low < high < 2**63:
        return None
    out = np.empty(args[-1], np.int64)
    sample(_discrete.randint, out, low, high, default_generator)
    return wrap(out)


def _both(first: str, *, required: str) -> tuple[str, str]:
    """torch's pairs of signatures: the one with a generator comes first."""
    return f"({first}, *, Generator? generator, {required})", f"({first}, *, {required})"


def _numpy_dtype(values: Values) -> np.dtype[Any] | None:
    kind = python_value(values.get("dtype"))
    return None if kind is None else kind.numpy


def _destination(values: Values, name: str, shape: tuple[int, ...], default: np.dtype[Any] | None = None) -> Tensor:
    """A new tensor, or `out` resized without torch's usual warning, as the random functions do."""
    dtype = _numpy_dtype(values)
    out: Tensor | None = values.get("out")
    if out is None:
        return wrap(np.empty(shape, dtype or default or default_numpy_dtype()))
    if dtype is not None and dtype != out._data.dtype:
        wanted = FROM_NUMPY[dtype].title
        raise RuntimeError(f"dtype {wanted} does not match dtype of out parameter ({title(out._data)})")
    _refuse_gradient(f"aten::{name}", out)
    if out._data.shape != shape:
        out._data = np.empty(shape, out._data.dtype)
    out._bump()
    return out


def _refuse_gradient(name: str, *tensors: Tensor) -> None:
    if _capture.mode.grad and any(each.requires_grad for each in tensors):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad."
        )


def _resembling(values: Values) -> Tensor:
    """Uninitialised memory for the `*_like` functions."""
    source: Tensor = values["input"]
    dtype = _numpy_dtype(values)
    return wrap(like(source, None if dtype is None else FROM_NUMPY[dtype], values.get("memory_format")))


# -- uniform and normal ---------------------------------------------------------------------------------


@_function(*_both("int[] size", required=_NEW), quick=_of_sizes(_samplers.uniform))
def rand(values: Values) -> Tensor:
    """Uniform numbers in [0, 1), of the given sizes."""
    result = _destination(values, "rand", check_size(values["size"]))
    _fills.uniform_(result._data, 0.0, 1.0, values["generator"])
    return result


@_function(*_both("int[] size", required=_NEW), quick=_of_sizes(_normal.normal))
def randn(values: Values) -> Tensor:
    """Standard normal numbers, of the given sizes."""
    result = _destination(values, "randn", check_size(values["size"]))
    _fills.normal_(result._data, 0.0, 1.0, values["generator"])
    return result


@_function(*_both("Tensor input", required=_LIKE))
def rand_like(values: Values) -> Tensor:
    """Uniform numbers in [0, 1), with the sizes, the strides and by default the dtype of `input`."""
    result = _resembling(values)
    _fills.uniform_(result._data, 0.0, 1.0, values["generator"])
    return result


@_function(*_both("Tensor input", required=_LIKE))
def randn_like(values: Values) -> Tensor:
    """Standard normal numbers, with the sizes, the strides and by default the dtype of `input`."""
    result = _resembling(values)
    _fills.normal_(result._data, 0.0, 1.0, values["generator"])
    return result


_GENERATOR = "*, Generator? generator=None, Tensor? out=None"


def _history(name: str, node: Callable[..., str]) -> Op:
    """An op for the graph only: mean, std or p come in, and a gradient of zero goes out."""

    def kernel(first: Any, second: Any) -> None: ...

    return Op(
        kernel,
        (),
        {"first": _fills.no_gradient, "second": _fills.no_gradient},
        name=name,
        arity=2,
        variadic=False,
        view=False,
        inplace=False,
        outputs=("out",),
        node=node,
        namespace="internal",
    )


_NORMAL = _history(
    "normal", lambda mean, std: f"NormalBackward{2 * isinstance(std, Tensor) + isinstance(mean, Tensor)}"
)
_BERNOULLI = _history("bernoulli", lambda p, _: "BernoulliBackward0")


def _recorded(op: Op, first: Any, second: Any, result: Tensor) -> Tensor:
    edges = tuple(each.grad_node() if isinstance(each, Tensor) else None for each in (first, second))
    if not _capture.mode.grad or not any(edges):
        return result
    return with_history(result._data, make_node(op, (first, second), edges, result._data), 0)


@_function(
    f"(Tensor mean, Tensor std, {_GENERATOR})",
    f"(Tensor mean, float std=1, {_GENERATOR})",
    f"(float mean, Tensor std, {_GENERATOR})",
    f"(float mean, float std, int[] size, {_GENERATOR}, {_OPTIONS})",
)
def normal(values: Values) -> Tensor:
    """Normal numbers; mean and standard deviation may be tensors, which broadcast."""
    if "size" in values:
        result = _destination(values, "normal", check_size(values["size"]))
        mean, std = python_value(values["mean"]), python_value(values["std"])
        _fills.normal_(result._data, mean, std, values["generator"])
        return result
    return _normal_around(values["mean"], values.get("std", 1.0), values)


def _normal_around(mean: Any, std: Any, values: Values) -> Tensor:
    """Normal numbers where mean or std, or both, are tensors."""
    tensors = [each for each in (mean, std) if isinstance(each, Tensor)]
    if isinstance(std, Tensor) and std.is_complex():
        raise RuntimeError("normal expects standard deviation to be non-complex")
    if not isinstance(std, Tensor):
        std = python_value(std)
        _fills.check_std(std)
    elif std._data.size and not std._data.min() >= 0:
        raise RuntimeError("normal expects all elements of std >= 0.0")
    shape = broadcast_shapes(*(each._data.shape for each in tensors))
    out: Any = values.get("out")
    if out is not None:
        _refuse_gradient("normal", *tensors, out)
        resize_out(out, shape if isinstance(std, Tensor) else broadcast_shapes(shape, out._data.shape))
    result = wrap(np.empty(shape, tensors[0]._data.dtype)) if out is None else out
    fill = _fills.METHODS["normal_"]
    with no_grad():
        if isinstance(std, Tensor):
            fill(result, generator=values["generator"])
            result.mul_(std)
        else:
            fill(result, 0.0, std, generator=values["generator"])
        result.add_(mean)
    return result if out is not None else _recorded(_NORMAL, mean, std, result)


# -- integers -------------------------------------------------------------------------------------------


@_function(
    *_both("int high, int[] size", required=_NEW),
    *_both("int low, int high, int[] size", required=_NEW),
    quick=_of_range,
)
def randint(values: Values) -> Tensor:
    """Integers in [low, high), of the given sizes; int64 by default."""
    result = _destination(values, "randint", check_size(values["size"]), int64.numpy)
    return _integers(result, values)


@_function(
    *_both("Tensor input, int low, int high", required=_LIKE),
    *_both("Tensor input, Tensor high", required=_LIKE),
    *_both("Tensor input, int high", required=_LIKE),
)
def randint_like(values: Values) -> Tensor:
    """Integers in [low, high), with the sizes, the strides and by default the dtype of `input`."""
    if isinstance(values["high"], Tensor) and values["high"]._data.ndim:
        raise RuntimeError("high must be a scalar tensor and on CPU")
    return _integers(_resembling(values), values)


def _integers(result: Tensor, values: Values) -> Tensor:
    low, high = (int(python_value(each).real) for each in (values.get("low", 0), values["high"]))
    bounds = _fills.integer_range(result._data, low, high)
    sample(_discrete.randint, result._data, *bounds, values["generator"])
    return result


@_function(*_both("int n", required=_NEW))
def randperm(values: Values) -> Tensor:
    """A random permutation of 0 .. n - 1; int64 by default."""
    n = int(python_value(values["n"]))
    if n < 0 and values.get("out") is not None:
        raise RuntimeError(f"n must be non-negative, got{n}")
    result = _destination(values, "randperm", check_size((n,)), int64.numpy)
    dtype = result._data.dtype
    if dtype.kind in "bc":
        raise NotImplementedError(f"\"randperm\" not implemented for '{result.dtype.title}'")
    if dtype.kind in FLOATING_KINDS:
        most = 2 ** _discrete.DIGITS[dtype.name] + 1
        if n > most:
            raise RuntimeError(f"n cannot be greater than {most} for {title(result._data)} type.")
    elif n - 1 > np.iinfo(dtype).max:
        raise RuntimeError(f"value cannot be converted to type {dtype.name}_t without overflow")
    sample(_discrete.randperm, result._data, values["generator"])
    return result


# -- chances --------------------------------------------------------------------------------------------


@_function(f"(Tensor input, {_GENERATOR})", "(Tensor input, float p, *, Generator? generator=None)", method=True)
def bernoulli(values: Values) -> Tensor:
    """Ones and zeros, the probability of a one being `input`'s element, or `p` for all."""
    source: Tensor = values["input"]
    data = resolved(source._data)
    if "p" in values:
        result: Tensor = wrap(np.empty(data.shape, data.dtype))
        p = real_number(python_value(values["p"]), "double")
        _fills.bernoulli_(result._data, p, values["generator"])
        return result
    out: Tensor | None = values.get("out")
    if out is not None:
        _refuse_gradient("bernoulli", source, out)
        if out._data.shape != data.shape:
            out._data = np.empty(data.shape, out._data.dtype)
        _fills.bernoulli_(out._data, data, values["generator"])
        out._bump()
        return out
    result = wrap(np.empty(data.shape, data.dtype))
    _fills.bernoulli_(result._data, data, values["generator"])
    return _recorded(_BERNOULLI, source, None, result)


@_function(f"(Tensor input, int num_samples, bool replacement=False, {_GENERATOR})", method=True)
def multinomial(values: Values) -> Tensor:
    """Categories drawn by the weights in (each row of) `input`: int64, (..., num_samples)."""
    weights: Array = resolved(values["input"]._data)
    samples = int(python_value(values["num_samples"]))
    replacement = bool(values.get("replacement", False))
    out: Tensor | None = values.get("out")
    if out is not None and out._data.dtype != np.int64:
        raise RuntimeError(f"multinomial expects Long tensor out, got: {title(out._data)}")
    _check_weights(weights, samples, replacement)
    shape = (*weights.shape[:-1], samples)
    if out is None:
        out = wrap(np.empty(shape, np.int64))
    elif out._data.shape != shape:
        out._data = np.empty(shape, np.int64)
    out._bump()
    if weights.shape[0]:
        sample(_discrete.multinomial, out._data, weights, replacement, values["generator"])
    return out


def _check_weights(weights: Array, samples: int, replacement: bool) -> None:
    if weights.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if weights.dtype.kind not in FLOATING_KINDS:
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {title(weights)}")
    if samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    categories = weights.shape[-1]
    if not replacement and samples > categories:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    if categories > 2**24:
        raise RuntimeError("number of categories cannot exceed 2^24")
    if not weights.size:
        if weights.ndim == 1 or weights.shape[0]:
            raise RuntimeError(
                "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
            )
        return
    proper = bool((weights >= 0).all() and np.isfinite(weights).all())
    if not proper and (samples == 1 or not replacement):
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if not proper:
        bad = weights[~((weights >= 0) & np.isfinite(weights))][0]
        reason = "probability entry = infinity or NaN" if bad >= 0 else "probability entry < 0"
        raise RuntimeError(f"invalid multinomial distribution (encountering {reason})")
    if (weights.max(-1) == 0).any():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
