"""The functions and methods of Tensors: those bound from the op table, and those composed of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from operator import itemgetter
from typing import Any

import numpy as np

from . import _bind, _dtype
from ._bind import FUNCTIONS, METHODS
from ._capture import reads_values
from ._dtype import dtype
from ._tensor import Tensor
from .ops import TABLE
from .ops._signature import NOBODY, Reader, check_bound
from .ops._table import python_value

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


def by_signature(
    *texts: str, public: bool = True, method: bool = True, into: dict[str, Callable[..., Any]] = PUBLIC
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a function be called by torch's signatures, as a function (put `into` a namespace), as a method or as both."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        name = function.__name__
        as_function, as_method = Reader(name, texts), Reader(name, texts, method=True)
        known: tuple[_Readings, _Readings] = {}, {}

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                values = _values(as_function, known[0], args, kwargs)
            except TypeError:
                return _bind.left_to_arguments(call, args, kwargs)
            return function(**values)

        @wraps(function)
        def call_method(self: Tensor = NOBODY, /, *args: Any, **kwargs: Any) -> Any:
            check_bound(self, name)
            return function(self, **_values(as_method, known[1], args, kwargs))

        if public:
            into[name] = call
        if method:
            setattr(Tensor, name, call_method)
        return function

    return decorate


# By the types of the arguments, where they alone decide: the names that these have.
_Readings = dict[tuple[Any, ...], list[str]]
_DECIDED = frozenset({int, bool, float, str, type(None)})


def _values(reader: Reader, known: _Readings, args: Any, kwargs: Any) -> dict[str, Any]:
    """The arguments by name, those that are to be numbers as Python's."""
    given = (*args, *kwargs.values())
    key = (*map(type, given), *kwargs)
    names = known.get(key)
    if names is not None:
        return dict(zip(names, given, strict=True))
    signature, values = reader.read(args, kwargs)
    takes_tensor = {name: signature.names[name].kind.startswith(("Tensor", "object")) for name in values}
    if len(values) == len(given) and all(
        type(value) in _DECIDED or (takes_tensor[name] and isinstance(value, Tensor)) for name, value in values.items()
    ):
        names = [name for value in given for name in values if values[name] is value]
        if names == list(values):
            known[key] = names
    for name, value in values.items():
        if not takes_tensor[name]:
            values[name] = python_value(value)
    return values


# -- extrema: one name, three meanings ---------------------------------------------------------------------------


def return_type(name: str, *fields: str) -> Any:
    """torch.return_types.max and its like: made of a sequence, a tuple with names for its items, which prints one a line."""
    named = f"torch.return_types.{name}"

    def __new__(cls: Any, sequence: Any, dict: Any = None) -> Any:
        if not hasattr(sequence, "__iter__"):
            raise TypeError("constructor requires a sequence")
        items = tuple(sequence)
        if len(items) != len(fields):
            raise TypeError(f"{named}() takes a {len(fields)}-sequence ({len(items)}-sequence given)")
        return tuple.__new__(cls, items)

    def __repr__(self: Any) -> str:
        lines = ",\n".join(f"{field}={value!r}" for field, value in zip(fields, self, strict=True))
        return f"{named}(\n{lines})"

    def __reduce__(self: Any) -> tuple[Any, ...]:
        return type(self), (tuple(self), {})

    members: dict[str, Any] = {field: property(itemgetter(place)) for place, field in enumerate(fields)}
    members.update(__new__=__new__, __repr__=__repr__, __reduce__=__reduce__, __match_args__=fields, __slots__=())
    members.update(n_fields=len(fields), n_sequence_fields=len(fields), n_unnamed_fields=0)
    members["__module__"] = "minitorch_like.return_types"  # which knows it by its name
    RETURN_TYPES[name] = type(name, (tuple,), members)
    return RETURN_TYPES[name]


RETURN_TYPES: dict[str, type[Any]] = {}


def _extremum(name: str, binary: str) -> None:
    texts = (
        "(Tensor input, *, Tensor? out=None)",
        "(Tensor input, Tensor other, *, Tensor? out=None)",
        "(Tensor input, int dim, bool keepdim=False, *, Tensor[]? out=None)",
    )
    pair = return_type(name, "values", "indices")
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
                each = along.apply(values["input"], int(values["dim"]), values.get("keepdim", False))
                result = tuple.__new__(pair, each)
                return result if out is None else _into_each(out, result, name)
            result = whole.apply(values["input"])
            return result if out is None else _into(out, result, f"{name}.all")

        function.__name__ = function.__qualname__ = name
        return function

    PUBLIC[name] = make(False)
    setattr(Tensor, name, make(True))


def _into(out: Tensor, result: Tensor, name: str) -> Tensor:
    from ._out_argument import into

    return into(out, result, name)


def _into_each(out: Any, result: Any, name: str) -> Any:
    from ._out_argument import into_each

    return into_each(out, result, name)


# -- defaults -------------------------------------------------------------------------------------------------------


@_public
def get_default_dtype(*args: Any, **kwargs: Any) -> dtype:
    """The dtype of new floating-point tensors."""
    if args or kwargs:
        from .ops._misfits import no_arguments

        raise no_arguments("get_default_dtype", args, kwargs, "torch")
    return _dtype.get_default_dtype()


# -- devices --------------------------------------------------------------------------------------------------------


@_method
def cpu(self: Any = NOBODY, /, *args: Any, **kwargs: Any) -> Tensor:
    """Itself, or a copy in a `memory_format`."""
    if not args and not kwargs and self is not NOBODY:
        return self
    check_bound(self, "cpu")
    memory_format = _CPU.read(args, kwargs)[1].get("memory_format")
    return self if memory_format is None else self.to(memory_format=memory_format)


_CPU = Reader("cpu", ("(Tensor self, *, memory_format? memory_format=None)",), method=True)


# -- shapes: see also `_composed.shapes` ------------------------------------------------------------------------------------

_VIEW = METHODS["view"]


def view(self: Tensor = NOBODY, /, *args: Any, **kwargs: Any) -> Tensor:
    """The same memory in another shape, or as elements of another dtype."""
    if len(args) + len(kwargs) == 1 and type(args[0] if args else kwargs.get("dtype")) is dtype:
        from ._later import complete

        complete()
        from ._composed.shapes import reinterpreted

        return reinterpreted(self, *args, **kwargs)
    if self is NOBODY:
        check_bound(self, "view")
    result: Tensor = _VIEW(self, *args, **kwargs)
    return result


@by_signature("(Tensor input)", method=False)
def numel(input: Tensor) -> int:
    return input.numel()


# -- comparing -----------------------------------------------------------------------------------------------------


@by_signature("(Tensor input, Tensor other)")
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether shapes and all elements are the same."""
    reads_values("equal()")
    return input._data.shape == other._data.shape and bool(np.array_equal(input._data, other._data))


@_public
def is_tensor(obj: Any) -> bool:
    return isinstance(obj, Tensor)


# -- indexing --------------------------------------------------------------------------------------------------------


_WHERE_FUNCTION = FUNCTIONS["where"]
_WHERE_OPERANDS = frozenset({Tensor, float, int, bool, complex})


def where(*args: Any, **kwargs: Any) -> Any:
    """Elements of `input` where `condition` holds, else of `other`; with a condition alone, its `nonzero` positions."""
    if len(args) == 3 and not kwargs:
        condition, input, other = args
        if (
            isinstance(condition, Tensor)
            and (input.__class__ in _WHERE_OPERANDS or isinstance(input, Tensor))
            and (other.__class__ in _WHERE_OPERANDS or isinstance(other, Tensor))
            and condition._data.dtype.kind == "b"
        ):
            return _WHERE_FUNCTION(condition, input, other)
    from ._later import complete

    complete()
    from ._indexing.functions import where_by_signature

    return where_by_signature(args, kwargs)


PUBLIC["where"] = where


# -- binding -----------------------------------------------------------------------------------------------------------


def publish(names: Iterable[str]) -> dict[str, Callable[..., Any]]:
    """Make the methods of these ops those of Tensor.  Returns the functions for the package's own namespace."""
    functions = {}
    for name in names:
        namespace = TABLE[name].namespace
        if namespace == "torch":
            functions[name] = FUNCTIONS[name]
        if namespace in ("torch", "method") and name in METHODS:
            setattr(Tensor, name, METHODS[name])
        if namespace in ("torch", "inplace") and f"{name}_" in METHODS:
            setattr(Tensor, f"{name}_", METHODS[f"{name}_"])
    return functions


for _name, _function in METHODS.items():
    if _name.startswith("__"):
        setattr(Tensor, _name, _function)
PUBLIC = publish(TABLE) | PUBLIC
Tensor.view = view  # type: ignore[attr-defined]
_extremum("max", "maximum")
_extremum("min", "minimum")
_WHERE = Reader(
    "where",
    ("(Tensor self, Tensor condition, Tensor other)", "(Tensor self, Tensor condition, Number other)"),
    method=True,
)


@_method
def where_(self: Tensor = NOBODY, /, *args: Any, **kwargs: Any) -> Any:
    """This tensor's elements where `condition` holds, else those of `other`."""
    check_bound(self, "where")
    _, values = _WHERE.read(args, kwargs)
    return where(values["condition"], self, values["other"])


_PLAIN = "(Tensor|Number input, Tensor|Number other, *, Tensor? out=None)", "(Tensor|Number input, Number other)"
_ROUNDED = "(Tensor|Number input, Tensor|Number other, *, str? rounding_mode, Tensor? out=None)"
for _alias, _name, *_texts in (
    ("absolute", "abs"), ("negative", "neg"), ("multiply", "mul", *_PLAIN), ("true_divide", "div", *_PLAIN),
    ("divide", "div", _PLAIN[0], _ROUNDED, _PLAIN[1], "(Tensor|Number input, Number other, *, str? rounding_mode)"),
    (
        "subtract", "sub", "(Tensor|Number input, Tensor|Number other, *, Number alpha=1, Tensor? out=None)",
        "(Tensor|Number input, Number other, Number alpha=1)",
    ),
    ("clip", "clamp"), ("concat", "cat"), ("concatenate", "cat"), ("greater", "gt"), ("less", "lt"),
    ("greater_equal", "ge"), ("less_equal", "le"), ("not_equal", "ne"),
):  # fmt: skip
    _bind.bind_alias(_alias, _name, *_texts)
    PUBLIC[_alias] = FUNCTIONS[_alias]
    for _method_name in (_alias, f"{_alias}_"):
        if _method_name in METHODS:
            setattr(Tensor, _method_name, METHODS[_method_name])


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
