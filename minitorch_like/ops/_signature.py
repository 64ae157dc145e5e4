"""Reading a call by torch's signatures.

A signature is written as `"(Tensor input, int[1]? dim, bool keepdim=False, *, dtype? dtype=None)"`:

* `int[]`, `Tensor[]`, ... are sequences; `int[1]` also takes one int (and `int[2]` one int for both);
* `?` after a type, or a default of None, admits None; `*` starts the keyword-only part, as in Python;
* `Tensor|Number` is a tensor that may be given as a number, `int|Tensor` an int given as a tensor (printed `Tensor`);
* `|deprecated` after a signature marks one that torch no longer lists, tries last and warns of; `|hidden` one that is
  not listed either, but neither last nor warned of;
* `|function` and `|method` mark one that the other of the two forms does not have.

Strings are parsed at the first call that needs them, and a call's reading is remembered by the types of its
arguments, so that checking costs a dictionary look-up.  What is said of a call that fits no signature is in `_misfits`.
"""

from __future__ import annotations

import operator
import re
import sys
from typing import Any, NoReturn

import numpy as np

# NumPy's names for torch's keywords, which torch accepts everywhere.
_NUMPY_NAMES = {"dim": ("axis",), "keepdim": ("keepdims",), "input": ("x", "a", "x1"), "other": ("x2",)}
_SELF = ("input", "self")
REQUIRED = object()


class _Nobody:
    """The `self` of a method that is called without one; whatever the method wants of it, it says so."""

    def __getattr__(self, name: str) -> NoReturn:
        raise TypeError(f"unbound method TensorBase.{sys._getframe(1).f_code.co_name}() needs an argument")


NOBODY: Any = _Nobody()
_OVERFLOW = "Overflow when unpacking long long"
UNGIVEN: Any = object()  # an argument that is not given

# Why a call does not fit a signature: what is wrong, and with what.
Misfit = tuple[Any, ...]


# -- which values a type admits ----------------------------------------------------------------------------------------


def is_tensor(value: Any) -> bool:
    return hasattr(value, "_node") and hasattr(value, "_data")


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (int, float, complex, np.number, np.bool_))


def _is_number(value: Any) -> bool:
    return _is_scalar(value) or (is_tensor(value) and not value._data.ndim and not value.requires_grad)


def _is_float(value: Any) -> bool:
    return not isinstance(value, complex) and _is_number(value)


def _is_int(value: Any) -> bool:
    if isinstance(value, (int, np.integer)):
        return not isinstance(value, bool)
    return is_tensor(value) and not value._data.ndim and value._data.dtype.kind in "iu"


def is_index(value: Any) -> bool:
    """Whether `value` serves as an int in a sequence of them."""
    try:
        operator.index(value)
    except TypeError:
        return False
    return True


def _is_sequence(value: Any) -> bool:
    return isinstance(value, (tuple, list))


def _is_ints(value: Any) -> bool:
    """torch looks at the first element only when it chooses a signature, see `check_elements`."""
    return _is_sequence(value) and (not value or (not isinstance(value[0], bool) and is_index(value[0])))


def _is_device(value: Any) -> bool:
    return (
        isinstance(value, (str, bytes)) or (_is_int(value) and not is_tensor(value)) or type(value).__name__ == "device"
    )


def _named(name: str) -> Any:
    return lambda value: type(value).__name__ == name


_CHECKS: dict[str, Any] = {
    "Tensor": is_tensor,
    "Tensor|Number": lambda value: is_tensor(value) or _is_scalar(value),
    "int|Tensor": lambda value: is_tensor(value) and _is_int(value),
    "Number": _is_number,
    "float": _is_float,
    "int": _is_int,
    "bool": lambda value: isinstance(value, bool),
    "str": lambda value: isinstance(value, (str, bytes)),
    "int[]": _is_ints,
    "float[]": lambda value: _is_sequence(value) and (not value or _is_float(value[0])),
    "Number[]": lambda value: _is_sequence(value) and all(map(_is_scalar, value)),
    "Tensor[]": _is_sequence,
    "dtype": lambda value: (
        type(value).__name__ == "dtype" or any(value is each for each in (float, int, bool, complex))
    ),
    "device": _is_device,
    "layout": _named("layout"),
    "memory_format": _named("memory_format"),
    "Generator": _named("Generator"),
    "Storage": lambda value: type(value).__name__.endswith("Storage"),
    "object": lambda value: True,
}


class Parameter:
    """One parameter of a signature: `kind` is its type without sizes and question marks."""

    __slots__ = ("accepts_value", "default", "keyword_only", "kind", "name", "nullable", "numpy_names", "size")

    def __init__(self, text: str, keyword_only: bool) -> None:
        declaration, equals, default = text.partition("=")
        kind, self.name = declaration.rsplit(None, 1)
        self.default: Any = default if equals else REQUIRED
        self.nullable = kind.endswith("?") or default == "None"
        self.kind, bracket, size = kind.removesuffix("?").partition("[")
        self.size = 0
        if bracket:
            self.kind += "[]"
            self.size = int(size.removesuffix("]") or 0)
        self.keyword_only = keyword_only
        self.numpy_names = _NUMPY_NAMES.get(self.name, ())
        self.accepts_value = _CHECKS[self.kind]

    def accepts(self, value: Any) -> bool:
        if value is None:
            return self.nullable or self.kind == "object"
        return bool(self.accepts_value(value)) or (self.size > 0 and self.kind == "int[]" and _is_int(value))

    def check_tensors(self, place: int, value: Any) -> None:
        """torch objects to a sequence with anything but tensors in it whatever the other signatures are."""
        from . import _misfits

        for position, element in enumerate(value):
            if not is_tensor(element):
                raise TypeError(_misfits.no_tensor(position, place, element))

    def check_elements(self, function: str, value: Any) -> None:
        """What the choice of a signature did not look at: the elements of a sequence, and how big an int is."""
        if self.kind in ("int", "int[]") and value.__class__ is int and not -(2**63) <= value < 2**63:
            raise ValueError(_OVERFLOW)
        if self.kind == "int[]" and _is_sequence(value):
            for position, element in enumerate(value):
                if element.__class__ is int and -(2**63) <= element < 2**63:
                    continue
                if element.__class__ is int or not is_index(element):
                    from . import _misfits

                    raise TypeError(_misfits.bad_element(function, self.name, position, element))


def _pieces(text: str) -> list[str]:
    """What the commas separate, those inside of a default apart."""
    return re.split(r",(?![^(]*\))", text) if "(" in text else text.split(",")


class Signature:
    """One overload: its parameters in order."""

    __slots__ = ("deprecated", "hidden", "max_positional", "minimum", "names", "parameters", "varargs")

    def __init__(self, text: str, *, method: bool) -> None:
        parameters = []
        keyword_only = False
        text, _, mark = text.rpartition(")")
        self.deprecated = mark == "|deprecated"
        self.hidden = self.deprecated or mark == "|hidden"
        for part in filter(None, map(str.strip, _pieces(text[1:]))):
            if part == "*":
                keyword_only = True
            else:
                parameters.append(Parameter(part, keyword_only))
        if method:  # self is not counted, and methods have no out=
            own = next((each for each in parameters if each.name in _SELF), parameters[0])
            parameters = [each for each in parameters if each is not own and each.name != "out"]
        self.parameters = parameters
        self.names = {each.name: each for each in parameters}
        self.max_positional = sum(not each.keyword_only for each in parameters)
        self.minimum = sum(each.default is REQUIRED for each in parameters)
        # f(2, 3) for f((2, 3)): only where the sizes are the sole positional parameter
        self.varargs = self.max_positional == 1 and parameters[0].kind == "int[]" and not parameters[0].size

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any] | Misfit:
        """The values by parameter name, or the first misfit."""
        if self.varargs and args and _is_ints(args):
            args = (args,)
        given = len(args)
        if given > self.max_positional:
            return ("too many", given)
        values: dict[str, Any] = {}
        left = len(kwargs)
        for index, parameter in enumerate(self.parameters):
            name = parameter.name
            if index < given:
                value = args[index]
            else:
                if name not in kwargs:
                    name = next((each for each in parameter.numpy_names if each in kwargs), "")
                    if not name:
                        if parameter.default is REQUIRED:
                            return ("missing", index)
                        continue
                value = kwargs[name]
                left -= 1
            if not parameter.accepts(value):
                return ("type", parameter, value, index if index < given else None)
            if parameter.kind == "Tensor[]" and value is not None:
                parameter.check_tensors(index, value)
            values[parameter.name] = value
        return values if not left else ("keywords", given, kwargs)


def _fits_form(text: str, method: bool) -> bool:
    """Whether a method (or a function) has the overload; that of a number and a tensor is no method of the number."""
    if method:
        return not text.startswith("(Number self") and not text.endswith("|function")
    return not text.endswith("|method")


def check_bound(self: Any, method: str) -> None:
    """TypeError for a method that is called without an object, `self` being NOBODY by default."""
    if self is NOBODY:
        raise TypeError(f"unbound method TensorBase.{method}() needs an argument")


def tensors_only(texts: tuple[str, ...], index: int) -> bool:
    """Whether all signatures have a plain tensor in this place."""
    places = [text[1:].split(",", index + 1) for text in texts]
    return all(len(each) > index and each[index].lstrip().startswith("Tensor ") for each in places)


class Reader:
    """Reads calls of one function by its signatures."""

    __slots__ = ("_parsed", "_texts", "_warned", "function", "method", "readings")

    def __init__(self, function: str, texts: tuple[str, ...], *, method: bool = False) -> None:
        self.function = function
        self.method = method
        self._texts = texts
        self._parsed: list[Signature] | None = None
        self._warned = False
        self.readings: dict[Any, list[int]] = {}  # by the types of the arguments, their places among an op's parameters

    @property
    def signatures(self) -> list[Signature]:
        """In the order in which they are tried: the deprecated ones last."""
        if self._parsed is None:
            parsed = [Signature(text, method=self.method) for text in self._texts if _fits_form(text, self.method)]
            self._parsed = sorted(parsed, key=lambda each: each.deprecated)
        return self._parsed

    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Signature, dict[str, Any]]:
        """The first signature that fits, and the arguments by name.

        Raises torch's TypeError where none does.
        """
        for signature in self.signatures:
            values = signature.bind(args, kwargs)
            if values.__class__ is dict:
                for name in reversed(values):  # torch's compiler has them unpacked from the last to the first
                    signature.names[name].check_elements(self.function, values[name])
                if signature.deprecated and not self._warned:
                    self._warn(signature)
                return signature, values
        from . import _misfits

        raise TypeError(_misfits.message(self, args, kwargs))

    def _warn(self, signature: Signature) -> None:
        from . import _misfits

        self._warned = True
        from .._once import warn_of_call

        warn_of_call(_misfits.deprecation(self, signature))
