"""The functions and methods of Tensors: those bound from the op table, and those composed of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, NamedTuple

import numpy as np

from . import _bind
from ._bind import FUNCTIONS, METHODS
from ._capture import reads_values
from ._device import require_cpu
from ._dtype import DTYPES, dtype, promote_types, result_dtype
from ._layout import memory_format as MemoryFormat
from ._tensor import Tensor, wrap
from .autograd.graph import type_of_node
from .ops import TABLE
from .ops._checks import broadcast_shapes, wrap_dim
from .ops._signature import Reader

__all__ = ["PUBLIC"]

PUBLIC: dict[str, Callable[..., Any]] = {}


def _public(function: Callable[..., Any]) -> Callable[..., Any]:
    PUBLIC[function.__name__] = function
    return function


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    setattr(Tensor, function.__name__.rstrip("_"), function)  # type_ is the method type
    return function


def _both(function: Callable[..., Any]) -> Callable[..., Any]:
    return _method(_public(function))


def _reads(
    text: str, *, public: bool = True, method: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a function be called by a signature of torch's, as a function, as a method or as both."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        name = function.__name__
        as_function, as_method = Reader(name, (text,)), Reader(name, (text,), method=True)

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            return function(**as_function.read(args, kwargs)[1])

        @wraps(function)
        def call_method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
            return function(self, **as_method.read(args, kwargs)[1])

        if public:
            PUBLIC[name] = call
        if method:
            setattr(Tensor, name, call_method)
        return function

    return decorate


# -- extrema: one name, three meanings ---------------------------------------------------------------------------


class _Pair(NamedTuple):
    values: Tensor
    indices: Tensor


def _return_type(name: str) -> type[_Pair]:
    """torch.return_types.max and its like: tuples that print their fields one a line."""

    def __repr__(self: Any) -> str:
        return f"torch.return_types.{name}(\nvalues={self.values!r},\nindices={self.indices!r})"

    return type(name, (_Pair,), {"__repr__": __repr__, "__slots__": ()})


def _extremum(name: str, binary: str) -> None:
    texts = (
        "(Tensor input, *, Tensor? out=None)",
        "(Tensor input, Tensor other, *, Tensor? out=None)",
        "(Tensor input, int dim, bool keepdim=False, *, Tensor[]? out=None)",
    )
    pair = _return_type(name)
    whole, along, pairwise = TABLE[f"{name}_all"], TABLE[f"{name}_along"], FUNCTIONS[binary]

    def make(method: bool) -> Callable[..., Any]:
        reader = Reader(name, texts, method=method)

        def function(*args: Any, **kwargs: Any) -> Any:
            given = args
            if method:
                _, values = reader.read(args[1:], kwargs)
                values = {"input": args[0], **values}
            else:
                _, values = reader.read(given, kwargs)
            out = values.get("out")
            if "other" in values:
                return pairwise(values["input"], values["other"], out=out)
            if "dim" in values:
                result = pair(*along.apply(values["input"], int(values["dim"]), values.get("keepdim", False)))
                return result if out is None else pair(*map(_into, out, result))
            result = whole.apply(values["input"])
            return result if out is None else _into(out, result)

        function.__name__ = function.__qualname__ = name
        return function

    PUBLIC[name] = make(False)
    setattr(Tensor, name, make(True))


def _into(out: Tensor, result: Tensor) -> Tensor:
    _bind.resize_out(out, result._data.shape)
    return out.copy_(result)


# -- conversions ---------------------------------------------------------------------------------------------------

_TO = Reader(
    "to",
    (
        (
            "(Tensor self, device? device=None, dtype? dtype=None, bool non_blocking=False, bool copy=False, *, "
            "memory_format? memory_format=None)"
        ),
        "(Tensor self, dtype dtype, bool non_blocking=False, bool copy=False, *, memory_format? memory_format=None)",
        "(Tensor self, Tensor tensor, bool non_blocking=False, bool copy=False, *, memory_format? memory_format=None)",
    ),
    method=True,
)


def _convert(tensor: Tensor, to: dtype, copy: bool = False) -> Tensor:
    if tensor._data.dtype is to.numpy:
        return tensor.clone() if copy else tensor
    return TABLE["cast_to"].apply(tensor, to)


@_method
def to(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """This tensor with another dtype (or that of another tensor); itself where nothing changes."""
    if len(args) == 1 and not kwargs and type(args[0]) is dtype:
        return _convert(self, args[0])
    _, values = _TO.read(args, kwargs)
    other = values.get("tensor")
    target = other.dtype if other is not None else values.get("dtype")
    if values.get("device") is not None:
        require_cpu(values["device"])
    if isinstance(target, type):
        target = {float: _named("float64"), int: _named("int64"), bool: _named("bool")}[target]
    return _convert(self, target or self.dtype, values.get("copy", False))


def _named(name: str) -> dtype:
    return next(each for each in DTYPES if each.name == name)


def _conversion(method: str, name: str) -> None:
    target = _named(name)

    def convert(self: Tensor, memory_format: MemoryFormat | None = None) -> Tensor:
        return _convert(self, target)

    convert.__name__ = convert.__qualname__ = method
    setattr(Tensor, method, convert)


for _method_name, _dtype_name in (
    ("float", "float32"), ("double", "float64"), ("half", "float16"), ("long", "int64"), ("int", "int32"),
    ("short", "int16"), ("char", "int8"), ("byte", "uint8"), ("bool", "bool"),
):  # fmt: skip
    _conversion(_method_name, _dtype_name)


@_method
def type_(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The legacy type name ("torch.FloatTensor"), or this tensor converted to a dtype or type name."""
    if dtype is None:
        return self.dtype.tensor_type
    if isinstance(dtype, str):
        match = next((each for each in DTYPES if each.tensor_type == dtype), None)
        if match is None:
            raise ValueError(f"invalid type: '{dtype}'")
        dtype = match
    return _convert(self, dtype)


@_reads("(Tensor self, Tensor other)", public=False)
def type_as(self: Tensor, other: Tensor) -> Tensor:
    return _convert(self, other.dtype)


@_method
def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
    return self


@_method
def cuda(self: Tensor, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
    require_cpu("cuda")
    return self


@_method
def contiguous(self: Tensor, memory_format: Any = None) -> Tensor:
    """Itself if laid out row by row, otherwise a copy that is."""
    if self._data.flags.c_contiguous:
        return self
    return TABLE["contiguous_copy"].apply(self)


# -- shapes --------------------------------------------------------------------------------------------------------


@_reads("(Tensor self, Tensor other)", public=False)
def view_as(self: Any, other: Tensor) -> Tensor:
    return self.view(other.shape)


@_reads("(Tensor self, Tensor other)", public=False)
def reshape_as(self: Any, other: Tensor) -> Tensor:
    return self.reshape(other.shape)


@_reads("(Tensor self, Tensor other)", public=False)
def expand_as(self: Any, other: Tensor) -> Tensor:
    return self.expand(other.shape)


@_reads("(Tensor input, int axis0, int axis1)")
def swapaxes(input: Any, axis0: int, axis1: int) -> Tensor:
    return input.transpose(axis0, axis1)


@_reads("(Tensor input, int dim0, int dim1)")
def swapdims(input: Any, dim0: int, dim1: int) -> Tensor:
    return input.transpose(dim0, dim1)


@_reads("(Tensor input)")
def ravel(input: Any) -> Tensor:
    return input.contiguous().view(-1)


@_both
def movedim(input: Any, source: Any, destination: Any) -> Tensor:
    """Move dimensions to new places; the others keep their order."""
    ndim = input.ndim
    sources = [wrap_dim(each, ndim) for each in (source if isinstance(source, (tuple, list)) else [source])]
    targets = [
        wrap_dim(each, ndim) for each in (destination if isinstance(destination, (tuple, list)) else [destination])
    ]
    if len(sources) != len(targets):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({sources} dims) should contain the same number of dims "
            f"as destination ({targets} dims)"
        )
    rest = iter(each for each in range(ndim) if each not in sources)
    places = dict(zip(targets, sources, strict=True))
    order = [places[each] if each in places else next(rest) for each in range(ndim)]
    return input.permute(order)


@_both
def unflatten(input: Any, dim: int, sizes: Sequence[int]) -> Tensor:
    """Split dimension `dim` into several."""
    dim = wrap_dim(dim, input.ndim)
    shape = tuple(input.shape)
    known = math.prod(each for each in sizes if each != -1)
    filled = tuple(shape[dim] // known if each == -1 and known else each for each in sizes)
    if math.prod(filled) != shape[dim]:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} ({shape[dim]}) in the "
            "input tensor"
        )
    return input.view(shape[:dim] + filled + shape[dim + 1 :])


def _inplace_view(name: str) -> None:
    """`x.unsqueeze_(0)` and its like: the same tensor object with other sizes and strides."""
    op, read = TABLE[name], METHODS[name]
    reader = op.reader(method=True, suffix="_")

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        _bind.check_writable(self, False)
        result = read(self, *args, **kwargs)
        if result._node is not None and op.inplace_node is not op.node:
            arranged, _ = op.read(reader, (self, *args), kwargs)
            result._node.__class__ = type_of_node(op, op.inplace_node(*arranged))  # type: ignore[operator]
        self._data, self._node, self._number = result._data, result._node, result._number
        self._bump()
        return self

    method.__name__ = method.__qualname__ = f"{name}_"
    setattr(Tensor, f"{name}_", method)


for _view_name in ("unsqueeze", "squeeze", "t", "transpose"):
    _inplace_view(_view_name)


@_public
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    shape = broadcast_shapes(*(each._data.shape for each in tensors))
    return tuple(each.expand(shape) for each in tensors)


@_both
def broadcast_to(input: Any, size: Sequence[int]) -> Tensor:
    return input.expand(tuple(size))


@_reads("(Tensor input)", method=False)
def numel(input: Tensor) -> int:
    return input.numel()


# -- comparing -----------------------------------------------------------------------------------------------------


@_reads("(Tensor input, Tensor other)")
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether shapes and all elements are the same."""
    reads_values("equal()")
    return input._data.shape == other._data.shape and bool(np.array_equal(input._data, other._data))


@_reads("(Tensor input, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False)")
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """|input - other| <= atol + rtol * |other|, element by element."""
    reads_values("isclose()")
    if input._data.dtype is not other._data.dtype:
        raise RuntimeError(f"{input.dtype.title} did not match {other.dtype.title}")
    return wrap(np.isclose(input._data, other._data, rtol, atol, equal_nan))


@_reads("(Tensor input, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False)")
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    return bool(isclose(input, other, rtol, atol, equal_nan)._data.all())


@_public
def is_tensor(obj: Any) -> bool:
    return isinstance(obj, Tensor)


@_reads("(Tensor input)", method=False)
def is_floating_point(input: Tensor) -> bool:
    return input.is_floating_point()


@_public
def result_type(tensor1: Any, tensor2: Any) -> dtype:
    """The dtype that an operation on both gives."""
    return result_dtype(*(each._data if isinstance(each, Tensor) else each for each in (tensor1, tensor2)))


PUBLIC["promote_types"] = promote_types


# -- reductions ------------------------------------------------------------------------------------------------------


@_both
def var_mean(input: Any, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    return input.var(*args, **kwargs), _mean_like(input, args, kwargs)


@_both
def std_mean(input: Any, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    return input.std(*args, **kwargs), _mean_like(input, args, kwargs)


def _mean_like(input: Any, args: Any, kwargs: Any) -> Tensor:
    dim = args[0] if args and not isinstance(args[0], bool) else kwargs.get("dim")
    keepdim = args[2] if len(args) > 2 else kwargs.get("keepdim", False)
    return input.mean() if dim is None else input.mean(dim, keepdim)


@_both
def norm(input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    """The p-norm of the elements over `dim` (all by default)."""
    x = input if dtype is None else _convert(input, dtype)
    if not x.is_floating_point():
        raise RuntimeError(
            f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {x.dtype.title}"
        )
    if p in ("fro", 2, None):
        return (x * x).sum(dim, keepdim).sqrt()
    magnitude = x.abs()
    if p == math.inf:
        return magnitude.amax(() if dim is None else dim, keepdim)
    if p == -math.inf:
        return magnitude.amin(() if dim is None else dim, keepdim)
    if p == 0:
        return (x != 0).to(x.dtype).sum(dim, keepdim)
    if p == 1:
        return magnitude.sum(dim, keepdim)
    return (magnitude**p).sum(dim, keepdim) ** (1.0 / p)


# -- indexing --------------------------------------------------------------------------------------------------------


@_both
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The positions of the elements that are not zero: (n, ndim), or a tuple of ndim vectors."""
    reads_values("nonzero()")
    places = np.nonzero(input._data.reshape(input._data.shape or (1,)))
    if as_tuple:
        return tuple(wrap(each) for each in places)
    rows = np.stack(places, 1) if places else np.empty((0, 0), np.int64)
    return wrap(rows if input._data.ndim else rows[:, :0])


@_reads("(Tensor input, Tensor mask)")
def masked_select(input: Any, mask: Tensor) -> Tensor:
    """The elements where `mask` holds, in a row."""
    shape = broadcast_shapes(input._data.shape, mask._data.shape)
    return input.expand(shape)[mask.expand(shape)]


_WHERE_FUNCTION = FUNCTIONS["where"]


def where(*args: Any, **kwargs: Any) -> Any:
    """Elements of `input` where `condition` holds, else of `other`; with a condition alone, its `nonzero` positions."""
    if len(args) == 1 and not kwargs and isinstance(args[0], Tensor):
        return nonzero(args[0], as_tuple=True)
    return _WHERE_FUNCTION(*args, **kwargs)


PUBLIC["where"] = where


# -- binding -----------------------------------------------------------------------------------------------------------


def publish(names: Iterable[str]) -> dict[str, Callable[..., Any]]:
    """Make the methods of these ops those of Tensor.  Returns the functions for the package's own namespace."""
    functions = {}
    for name in names:
        namespace = TABLE[name].namespace
        if namespace == "torch":
            functions[name] = FUNCTIONS[name]
            if name in METHODS:
                setattr(Tensor, name, METHODS[name])
        if namespace in ("torch", "inplace") and f"{name}_" in METHODS:
            setattr(Tensor, f"{name}_", METHODS[f"{name}_"])
    return functions


for _name, _function in METHODS.items():
    if _name.startswith("__"):
        setattr(Tensor, _name, _function)
Tensor._index_put = METHODS["index_put_"]  # type: ignore[attr-defined]
PUBLIC = publish(TABLE) | PUBLIC
_extremum("max", "maximum")
_extremum("min", "minimum")
Tensor.where = lambda self, condition, other: where(condition, self, other)  # type: ignore[attr-defined]
for _alias, _name in (
    ("absolute", "abs"), ("negative", "neg"), ("multiply", "mul"), ("divide", "div"), ("true_divide", "div"),
    ("subtract", "sub"), ("clip", "clamp"), ("concat", "cat"), ("concatenate", "cat"), ("greater", "gt"), ("less", "lt"),
    ("greater_equal", "ge"), ("less_equal", "le"), ("not_equal", "ne"), ("permute", "permute"), ("arccos", "acos"),
    ("arcsin", "asin"), ("arctan", "atan"),
):  # fmt: skip
    PUBLIC[_alias] = PUBLIC[_name]
    for _suffix in ("", "_"):
        if _name + _suffix in vars(Tensor):
            setattr(Tensor, _alias + _suffix, vars(Tensor)[_name + _suffix])


def __getattr__(name: str) -> Callable[..., Any]:
    """`_functions.f` for every function of the table, without shadowing the builtins of this module."""
    if name in PUBLIC:
        return PUBLIC[name]
    if not name.startswith("_"):
        from ._later import complete

        complete()
        if name in FUNCTIONS:
            return FUNCTIONS[name]
    raise AttributeError(f"module 'minitorch_like._functions' has no attribute '{name}'")
