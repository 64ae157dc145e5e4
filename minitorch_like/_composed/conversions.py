"""Tensors in another dtype: `to`, `float()`, `type()` and their like, and the questions about dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._device import require_cpu
from .._dtype import (
    BY_NAME,
    DIFFERENTIABLE_KINDS,
    DTYPES,
    OF_PYTHON,
    bool_,
    can_cast,
    complex128,
    dtype,
    float64,
    get_default_dtype,
    promote_types,
    result_dtype,
    scalar_dtype,
)
from .._functions import by_signature
from .._layout import preserve_format, suggested_format
from .._tensor import Tensor
from ..ops import TABLE
from ..ops._checks import in_64_bits, real_part
from ..ops._signature import NOBODY, Reader, check_bound
from ..ops._table import python_value

PUBLIC: dict[str, Callable[..., Any]] = {}

_FORMAT = "memory_format? memory_format=None"
_TO = Reader(
    "to",
    (
        f"(Tensor self, device? device=None, dtype? dtype=None, bool non_blocking=False, bool copy=False, *, {_FORMAT})",
        f"(Tensor self, dtype dtype, bool non_blocking=False, bool copy=False, *, {_FORMAT})",
        f"(Tensor self, Tensor|Number tensor, bool non_blocking=False, bool copy=False, *, {_FORMAT})",
    ),
    method=True,
)


def convert(tensor: Tensor, to: dtype, copy: bool = False, memory_format: Any = None) -> Tensor:
    """`tensor` in the dtype `to`: itself where nothing changes, unless a copy is asked for.

    History ends at a dtype that has no derivatives.
    """
    kind = to.numpy
    if (
        tensor._data.dtype is kind
        and not copy
        and (memory_format is None or memory_format in (preserve_format, suggested_format(tensor._data)))
    ):
        return tensor
    if tensor._data.dtype.kind == "c" and kind.kind not in "cb":
        real_part(tensor._data)  # for its warning
    if kind.kind not in DIFFERENTIABLE_KINDS:
        tensor = tensor.detach()
    result: Tensor = TABLE["cast_to"].apply(tensor, to, memory_format)
    return result


def _to(self: Tensor = NOBODY, /, *args: Any, **kwargs: Any) -> Tensor:
    """This tensor with another dtype, or with that of another tensor; itself where nothing changes."""
    if len(args) == 1 and not kwargs and type(args[0]) is dtype:
        return convert(self, args[0])
    check_bound(self, "to")
    if args and isinstance(args[0], bool):  # which torch takes for the dtype of that name
        args = (bool_, *args[1:])
    _, values = _TO.read(args, kwargs)
    other = values.get("tensor")
    target = _dtype_of(other) if other is not None else values.get("dtype")
    if values.get("device") is not None:
        require_cpu(values["device"], "to")
    target = OF_PYTHON.get(target, target) or self.dtype
    return convert(self, target, values.get("copy", False), values.get("memory_format"))


def _dtype_of(other: Any) -> dtype:
    """That of a tensor; a number counts as one of the widest dtype of its kind."""
    if isinstance(other, Tensor):
        return other.dtype
    number = python_value(other)
    if isinstance(number, int) and not isinstance(number, bool):
        in_64_bits(number)
    return complex128 if isinstance(number, complex) else float64 if isinstance(number, float) else scalar_dtype(number)


Tensor.to = _to  # type: ignore[attr-defined]


def _conversion(method: str, target: dtype) -> None:
    reader = Reader(method, (f"(Tensor self, *, {_FORMAT})",), method=True)

    def to_dtype(self: Tensor = NOBODY, /, *args: Any, **kwargs: Any) -> Tensor:
        check_bound(self, method)
        memory_format = reader.read(args, kwargs)[1].get("memory_format") if args or kwargs else None
        return convert(self, target, memory_format=memory_format)

    to_dtype.__name__ = to_dtype.__qualname__ = method
    to_dtype.__doc__ = f"This tensor as torch.{target.name}; itself if it is."
    setattr(Tensor, method, to_dtype)


for _method, _name in (
    ("float", "float32"), ("double", "float64"), ("half", "float16"), ("bfloat16", "bfloat16"), ("long", "int64"),
    ("int", "int32"), ("short", "int16"), ("char", "int8"), ("byte", "uint8"), ("bool", "bool"),
    ("cfloat", "complex64"), ("cdouble", "complex128"),
):  # fmt: skip
    _conversion(_method, BY_NAME[_name])


# -- legacy type names ------------------------------------------------------------------------------------------------


_TYPE = Reader(
    "type",
    (
        f"(Tensor self, object dtype=None, bool non_blocking=False, *, {_FORMAT})",
        f"(Tensor self, object dtype=None, bool async=False, *, {_FORMAT})|deprecated",
    ),
    method=True,
)


def _type(self: Tensor = NOBODY, /, *args: Any, **kwargs: Any) -> Any:
    """The legacy type name ("torch.FloatTensor"), or this tensor converted to a dtype, type or type name."""
    check_bound(self, "type")
    values = _TYPE.read(args, kwargs)[1] if kwargs or len(args) > 1 else {"dtype": args[0] if args else None}
    kind = values.get("dtype")
    if kind is None:
        return self.dtype.tensor_type
    return convert(self, _of_type(kind), memory_format=values.get("memory_format"))


Tensor.type = _type  # type: ignore[attr-defined]


def _of_type(kind: Any) -> dtype:
    """The dtype that a dtype, a legacy type or its name stands for.  ValueError for another name."""
    if isinstance(kind, dtype):
        return kind
    if kind is Tensor:
        return get_default_dtype()
    own = getattr(kind, "dtype", None)
    if isinstance(kind, type) and isinstance(own, dtype):
        return own
    if isinstance(kind, type):
        kind = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    if not isinstance(kind, str):
        raise TypeError("dtype must be a type, str, or dtype object")
    for each in DTYPES:
        if each.tensor_type == kind:
            return each
    raise ValueError(f"invalid type: '{kind}'")


# -- functions that read a signature ----------------------------------------------------------------------------------


def _public(*texts: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A function of the package, read by torch's signatures."""

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        name = function.__name__
        reader = Reader(name, texts)

        def call(*args: Any, **kwargs: Any) -> Any:
            return function(*reader.read(args, kwargs)[1].values())

        call.__name__ = call.__qualname__ = name
        call.__doc__ = function.__doc__
        PUBLIC[name] = call
        return function

    return declare


def _type_as(self: Tensor = NOBODY, /, *args: Any, **kwargs: Any) -> Tensor:
    """This tensor in the dtype of another."""
    check_bound(self, "type_as")
    return convert(self, _TYPE_AS.read(args, kwargs)[1]["other"].dtype)


_TYPE_AS = Reader("type_as", ("(Tensor self, Tensor other)",), method=True)
Tensor.type_as = _type_as  # type: ignore[attr-defined]


@_public(
    "(Tensor tensor, Tensor other)",
    "(Number scalar, Tensor tensor)",
    "(Tensor tensor, Number other)",
    "(Number scalar1, Number scalar2)",
)
def result_type(first: Any, second: Any) -> dtype:
    """The dtype that an operation on both gives: tensors, 0-d tensors and numbers rank by category."""
    operands = [each._data if isinstance(each, Tensor) else python_value(each) for each in (first, second)]
    return result_dtype(*operands)


def _of_dtypes(text: str, function: Callable[[dtype, dtype], Any]) -> None:
    reader = Reader(function.__name__, (text,))

    def call(*args: Any, **kwargs: Any) -> Any:
        given = reader.read(args, kwargs)[1].values()
        return function(*(OF_PYTHON.get(each, each) for each in given))

    call.__name__ = call.__qualname__ = function.__name__
    call.__doc__ = function.__doc__
    PUBLIC[function.__name__] = call


_of_dtypes("(dtype from_, dtype to)", can_cast)
_of_dtypes("(dtype type1, dtype type2)", promote_types)


@_public("(Tensor input)")
def is_floating_point(input: Tensor) -> bool:
    return input.is_floating_point()


@_public("(Tensor input)")
def is_complex(input: Tensor) -> bool:
    return input.is_complex()


@_public("(Tensor input)")
def is_signed(input: Tensor) -> bool:
    return input.is_signed()


@by_signature("(Tensor input)", into=PUBLIC)
def is_nonzero(input: Tensor) -> bool:
    """Whether the only element is not 0.  RuntimeError for more or fewer elements."""
    return bool(input)
