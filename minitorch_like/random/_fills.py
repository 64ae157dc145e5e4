"""The tensor methods that overwrite their tensor with random numbers: `uniform_`, `normal_`, `random_` ...

Each is written as a function of the tensor's array, which checks its arguments as torch does and names a
sampler.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import _capture
from .._dtype import FLOATING_KINDS
from .._layout import resolved
from .._once import warn_of_call
from .._record import make_node
from .._tensor import Tensor
from .._writing import check_writable, rebase
from ..ops import TABLE, Op
from ..ops._checks import c_name, check_no_integer, check_one_place_each, largest, real_and_imaginary, title
from ..ops._signature import NOBODY, Reader, check_bound
from ..ops.elementwise import zeros_of
from . import _discrete, _normal, _samplers
from ._generator import Generator, default_generator
from ._uniform import Array

METHODS: dict[str, Callable[..., Tensor]] = {}
Fill = Callable[..., None]


def sample(sampler: Callable[..., None], out: Array, *args: Any) -> None:
    """Let `sampler` fill `out`.  Here, and only here, random numbers enter a captured step."""
    check_one_place_each(out)
    _capture.run_opaque(sampler, out, *args)


def no_gradient(g: Any) -> Any:
    """The derivative of random numbers by their parameters, which torch takes to be zero."""
    return zeros_of(g)


def _method(*texts: str, arity: int = 1, node: str | Callable[..., str] | None = None) -> Callable[[Fill], Fill]:
    """Make of a fill the method of its name, read by torch's signatures, with a gradient of zero."""

    def declare(fill: Fill) -> Fill:
        name = fill.__name__
        stem = "".join(word.capitalize() for word in name.split("_"))
        op = Op(
            fill,
            tuple(f"(Tensor self, {text}*, Generator? generator=None)" for text in texts),
            {"self": no_gradient, "p": no_gradient},
            name=name,
            arity=arity,
            variadic=False,
            view=False,
            inplace=False,
            outputs=("out",),
            node=node or f"{stem}Backward0",
            namespace="internal",
        )
        op.positions["from"] = op.positions.get("from_", -1)  # a keyword of Python's
        reader = op.reader(method=True)
        METHODS[name] = _bound(op, reader)
        return fill

    return declare


def _bound(op: Op, reader: Reader) -> Callable[..., Tensor]:
    fill = op.kernel
    most_floats = op.texts[-1].count("float")

    def method(*args: Any, **kwargs: Any) -> Tensor:
        check_bound(args[0] if args else NOBODY, reader.function)
        values: Sequence[Any] = args
        if kwargs or not 1 < len(args) <= 1 + most_floats or set(map(type, args[1:])) != {float}:
            values, _ = op.read(reader, args, kwargs)
        target: Tensor = values[0]
        edges = tuple([each.grad_node() if isinstance(each, Tensor) else None for each in values[: op.arity]])
        recording = _capture.mode.grad and any(edges)
        check_writable(target, recording)
        arrays: list[Any] = [each._data if isinstance(each, Tensor) else each for each in values]
        if op.arity > 1:
            arrays[1:] = map(resolved, arrays[1:])
        if arrays[0].__class__ is np.ndarray:
            if op.name == "random_":  # which looks for overlap first
                check_one_place_each(arrays[0])
            fill(*arrays)
        else:
            arrays[0].changed_by(fill, *arrays[1:])
        target._bump()
        if recording:
            rebase(target, make_node(op, values, edges, target._data), op)
        return target

    method.__name__ = method.__qualname__ = op.name
    method.__doc__ = fill.__doc__
    return method


# -- continuous -----------------------------------------------------------------------------------------


@_method("float from=0, float to=1, ")
def uniform_(self: Array, from_: float = 0.0, to: float = 1.0, generator: Generator | None = None) -> None:
    """Fill with uniform numbers in [from, to); of complex numbers both parts."""
    if self.dtype.kind == "c":
        self = real_and_imaginary(self)
    check_no_integer("check_uniform_bounds", self)
    limit = largest(self.dtype)
    for name, bound in (("from", from_), ("to", to)):
        if not abs(bound) <= limit:
            raise RuntimeError(f"{name} is out of bounds for {c_name(self)}")
    if from_ > to:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={from_:g} > to={to:g}")
    if to - from_ > limit:
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{title(self)}>::max(), but found to={to:g} and "
            f"from={from_:g} which result in to-from to exceed the limit"
        )
    sample(_samplers.uniform, self, float(from_), float(to), generator or default_generator)


@_method("float mean=0, float std=1, ")
def normal_(self: Array, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> None:
    """Fill with normal numbers; of complex ones each part has half of the variance."""
    check_std(std)
    if self.dtype.kind == "c":
        self, std = real_and_imaginary(self), float(std) / math.sqrt(2)
    if self.size:
        check_no_integer("normal_kernel_cpu", self)
        sample(_normal.normal, self, float(mean), float(std), generator or default_generator)


def check_std(std: float) -> None:
    """RuntimeError for a negative standard deviation."""
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")


@_method("float lambd=1, ")
def exponential_(self: Array, lambd: float = 1.0, generator: Generator | None = None) -> None:
    """Fill with exponential numbers of rate `lambd`."""
    if not lambd > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
    _check_continuous("Exponential", self, title(self))
    sample(_samplers.exponential, self, float(lambd), generator or default_generator)


@_method("float median=0, float sigma=1, ")
def cauchy_(self: Array, median: float = 0.0, sigma: float = 1.0, generator: Generator | None = None) -> None:
    """Fill with Cauchy numbers."""
    if not sigma > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    _check_continuous("Cauchy", self, c_name(self))
    sample(_samplers.cauchy, self, float(median), float(sigma), generator or default_generator)


def _check_continuous(distribution: str, array: Array, dtype: str) -> None:
    if array.dtype.kind not in FLOATING_KINDS:
        raise RuntimeError(
            f"{distribution} distribution is a continuous probability distribution. "
            f"dtype must be a floating point but you specified {dtype}"
        )


@_method("float mean=1, float std=2, ")
def log_normal_(self: Array, mean: float = 1.0, std: float = 2.0, generator: Generator | None = None) -> None:
    """Fill with exp of normal numbers of the given mean and standard deviation."""
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    if self.size:
        check_no_integer("log_normal_cpu", self)
        sample(_normal.log_normal, self, float(mean), float(std), generator or default_generator)


# -- discrete -------------------------------------------------------------------------------------------


@_method("float p, ")
def geometric_(self: Array, p: float, generator: Generator | None = None) -> None:
    """Fill with the number of trials up to the first success; 0 < p < 1."""
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    if self.size:
        if self.dtype.kind in "bc":
            raise NotImplementedError(f"\"geometric_cpu\" not implemented for '{title(self)}'")
        sample(_samplers.geometric, self, float(p), generator or default_generator)


@_method(
    "Tensor p, ",
    "float p=0.5, ",
    arity=2,
    node=lambda self, p=0.5, generator=None: f"BernoulliBackward{1 if isinstance(p, Tensor) else 2}",
)
def bernoulli_(self: Array, p: Any = 0.5, generator: Generator | None = None) -> None:
    """Fill with ones, of probability `p` (a number, or an array that broadcasts to the tensor), and zeros."""
    if not isinstance(p, np.ndarray) and not 0 <= p <= 1:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
    if not self.size:
        return
    if self.dtype.kind == "c":
        kernel = "bernoulli_tensor_cpu_self_" if isinstance(p, np.ndarray) else "bernoulli_scalar_cpu_"
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{title(self)}'")
    if not isinstance(p, np.ndarray):
        sample(_samplers.bernoulli, self, float(p), generator or default_generator)
        return
    chances = TABLE["expand"].kernel(p, self.shape)
    check_no_integer("bernoulli_tensor_cpu_p_", p)
    if not ((p >= 0) & (p <= 1)).all():
        raise RuntimeError(
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be "
            "improved?  If so, please report an enhancement request to PyTorch.)"
        )
    sample(_samplers.bernoulli_tensor, self, chances, generator or default_generator)


def _random_node(self: Any, from_: int | None = None, to: int | None = None, generator: Any = None) -> str:
    return f"RandomBackward{0 if from_ is not None else 1 if to is not None else 2}"


@_method("", "int from, int? to, ", "int to, ", node=_random_node)
def random_(self: Array, from_: int | None = None, to: int | None = None, generator: Generator | None = None) -> None:
    """Fill with integers in [from, to), by default with all that the dtype counts to exactly."""
    if self.dtype.kind == "c" and from_ is None and to is None:
        raise NotImplementedError(f"\"random_kernel_cpu\" not implemented for '{title(self)}'")
    if from_ is None and to is None:
        sample(_discrete.random_full, self, generator or default_generator)
    else:
        low, high = integer_range(self, from_ or 0, to)
        sample(_discrete.randint, self, low, high, generator or default_generator)


def integer_range(array: Array, low: int, high: int | None) -> tuple[int, int]:
    """`low` and `high`, checked against the dtype; a floating-point one moves them to numbers that it has."""
    for bound in (low, high):
        if bound is not None and not -(2**63) <= bound < 2**63:
            raise ValueError("Overflow when unpacking long long")
    if high is not None and low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    kind = array.dtype.kind
    if kind == "c":
        check = "check_random_bounds" if high is not None else "random_from_to_impl"
        raise RuntimeError(f"{check} handles only integral, floating-point and boolean types")
    if kind in FLOATING_KINDS:
        low, high = _representable(array, low, high)
        smallest, greatest = -largest(array.dtype), largest(array.dtype)
    elif kind == "b":
        smallest, greatest = 0, 1
    else:
        smallest, greatest = int(np.iinfo(array.dtype).min), int(np.iinfo(array.dtype).max)
    if high is None:
        high = int(greatest) + 1
    for name, bound in (("from", low), ("to - 1", high - 1)):
        if not smallest <= bound <= greatest:
            raise RuntimeError(f"{name} is out of bounds for {c_name(array)}")
        if kind in FLOATING_KINDS and abs(bound) > 2 ** _discrete.DIGITS[array.dtype.name]:
            _warn_of_gaps(name, array)
    return low, high


def _warn_of_gaps(name: str, array: Array) -> None:
    digits = _discrete.DIGITS[array.dtype.name]
    warn_of_call(
        f"{name} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision limitations {c_name(array)} "
        "can support discrete uniform distribution only within this range. This warning will become an error "
        "in version 1.7 release, please fix the code in advance",
    )


def _representable(array: Array, low: int, high: int | None) -> tuple[int, int]:
    """The bounds of a range, moved inwards where the floating-point dtype would round them outwards."""
    digits = _discrete.DIGITS[array.dtype.name]

    def rounded(value: int) -> int:
        result = float(array.dtype.type(value)) if abs(value) <= largest(array.dtype) else value
        return int(result)

    def spacing(value: int) -> int:
        return 1 << max(abs(value).bit_length() - digits, 0)

    if rounded(low + 1) < low:
        low = rounded(low + 1) + spacing(low + 1)
    if high is None:
        high = 2**digits + 1
    elif rounded(high - 1) >= high:
        high = rounded(high - 1) - spacing(high - 1)
    if low >= high:
        raise RuntimeError(
            "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, "
            f"but got from={low} >= to={high}"
        )
    return low, high
