"""Reading a call by torch's signatures, and torch's TypeError when none of them fits.

A signature is written as `"(Tensor input, int[1]? dim, bool keepdim=False, *, dtype? dtype=None)"`:

* `int[]`, `int[1]`, `Tensor[]` are sequences; `int[1]` also takes one int;
* `?` after a type admits None; `*` starts the keyword-only part, as in Python;
* `|deprecated` after a signature marks one that torch no longer lists but whose presence shows in its errors;
* `Tensor|Number` is a tensor that may be given as a number (printed `Tensor`).

Strings are parsed at the first call that needs them, and a call's reading is remembered by the types of its
arguments, so that checking costs a dictionary look-up.  The wording of the errors is that of torch's own
argument parser.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_PRINTED = {
    "int[]": "tuple of ints",
    "int[1]": "tuple of ints",
    "Tensor[]": "tuple of Tensors",
    "Tensor|Number": "Tensor",
    "dtype": "torch.dtype",
    "device": "torch.device",
    "layout": "torch.layout",
    "memory_format": "torch.memory_format",
    "Generator": "torch.Generator",
}
# NumPy's names for torch's keywords, which torch accepts everywhere.
_NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input", "x2": "other"}
_REQUIRED = object()


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "_node") and hasattr(value, "_data")


def _is_number(value: Any) -> bool:
    if isinstance(value, (int, float, np.number, np.bool_)):
        return True
    return _is_tensor(value) and value._data.ndim == 0 and value._node is None


def _is_int(value: Any) -> bool:
    if isinstance(value, (int, np.integer)):
        return not isinstance(value, bool)
    return _is_tensor(value) and value._data.ndim == 0 and value._data.dtype.kind in "iu" and value._node is None


def _is_sequence(value: Any) -> bool:
    return isinstance(value, (tuple, list))


def _is_device(value: Any) -> bool:
    return isinstance(value, (str, int)) or type(value).__name__ == "device"


_CHECKS: dict[str, Any] = {
    "Tensor": _is_tensor,
    "Tensor|Number": lambda value: _is_tensor(value) or _is_number(value),
    "Number": _is_number,
    "float": _is_number,
    "int": _is_int,
    "bool": lambda value: isinstance(value, (bool, np.bool_)),
    "str": lambda value: isinstance(value, str),
    "int[]": lambda value: _is_sequence(value) and (not value or _is_int(value[0])),
    "int[1]": lambda value: _is_int(value) or (_is_sequence(value) and (not value or _is_int(value[0]))),
    "Tensor[]": lambda value: _is_sequence(value) and all(map(_is_tensor, value)),
    "dtype": lambda value: type(value).__name__ == "dtype" or value in (float, int, bool),
    "device": _is_device,
    "layout": lambda value: type(value).__name__ == "layout",
    "memory_format": lambda value: type(value).__name__ == "memory_format",
    "Generator": lambda value: type(value).__name__ == "Generator",
    "object": lambda value: True,
}


class _Parameter:
    __slots__ = ("default", "keyword_only", "kind", "name", "optional")

    def __init__(self, text: str, keyword_only: bool) -> None:
        declaration, equals, default = text.partition("=")
        kind, name = declaration.rsplit(None, 1)
        self.name = name
        self.optional = kind.endswith("?")
        self.kind = kind.removesuffix("?")
        self.default: Any = default if equals else _REQUIRED
        self.keyword_only = keyword_only

    def accepts(self, value: Any) -> bool:
        if value is None:
            return self.optional
        return bool(_CHECKS[self.kind](value))

    def misfit(self, value: Any) -> str:
        """What torch says of a value that is not accepted."""
        if self.kind in ("int[]", "int[1]") and _is_sequence(value):
            return f"but found element of type {type(value[0]).__name__} at pos 0"
        return f"not {type(value).__name__}"

    def check_elements(self, function: str, value: Any) -> None:
        """torch looks at the first element only when it chooses a signature; a later misfit has its own error."""
        if self.kind in ("int[]", "int[1]") and _is_sequence(value):
            for position, element in enumerate(value):
                if not _is_int(element):
                    raise TypeError(
                        f"{function}(): argument '{self.name}' failed to unpack the object at pos {position + 1} "
                        f'with error "type must be tuple of ints,but got {type(element).__name__}"'
                    )

    @property
    def printed_kind(self) -> str:
        return _PRINTED.get(self.kind, self.kind)

    def __str__(self) -> str:
        default = "" if self.default is _REQUIRED else f" = {self.default}"
        return f"{self.printed_kind} {self.name}{default}"


class Signature:
    """One overload: its parameters in order."""

    __slots__ = ("deprecated", "max_positional", "minimum", "names", "parameters", "varargs")

    def __init__(self, text: str, *, method: bool) -> None:
        parameters = []
        keyword_only = False
        self.deprecated = text.endswith("|deprecated")
        text = text.removesuffix("|deprecated")
        for part in filter(None, (piece.strip() for piece in text.strip("()").split(","))):
            if part == "*":
                keyword_only = True
            else:
                parameters.append(_Parameter(part, keyword_only))
        if method:  # self is not counted, and methods have no out=
            parameters = [each for each in parameters[1:] if each.name != "out"]
        self.parameters = parameters
        self.names = {each.name: each for each in parameters}
        self.max_positional = sum(not each.keyword_only for each in parameters)
        self.minimum = sum(each.default is _REQUIRED for each in parameters)
        # f(2, 3) for f((2, 3)): only where the sizes are the sole positional parameter
        self.varargs = self.max_positional == 1 and parameters[0].kind == "int[]"

    def __str__(self) -> str:
        parts: list[str] = []
        for index, parameter in enumerate(self.parameters):
            if parameter.keyword_only and (index == 0 or not self.parameters[index - 1].keyword_only):
                parts.append("*")
            parts.append(str(parameter))
        return f"({', '.join(parts)})"

    def match(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any] | None:
        """The values by parameter name, or None where the call does not fit."""
        try:
            return self.bind("", args, kwargs)
        except TypeError:
            return None

    def bind(self, function: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The values by parameter name.  Raises torch's TypeError for the first misfit."""
        if self.varargs and args and _is_int(args[0]):
            args = (args,)
        if len(args) > self.max_positional:
            raise TypeError(self._too_many(function, len(args)))
        values: dict[str, Any] = {}
        unused = dict(kwargs)
        missing: list[str] = []
        for index, parameter in enumerate(self.parameters):
            if index < len(args) and not parameter.keyword_only:
                value, position = args[index], f" (position {index + 1})"
            elif parameter.name in unused:
                value, position = unused.pop(parameter.name), ""
            else:
                if parameter.default is _REQUIRED:
                    missing.append(parameter.name)
                continue
            if missing:
                break
            if not parameter.accepts(value):
                raise TypeError(
                    f"{function}(): argument '{parameter.name}'{position} must be {parameter.printed_kind}, "
                    f"{parameter.misfit(value)}"
                )
            values[parameter.name] = value
        if missing:
            names = ", ".join(f'"{name}"' for name in missing)
            plural = "s" if len(missing) == 1 else ""  # torch has it this way round
            raise TypeError(f"{function}() missing {len(missing)} required positional argument{plural}: {names}")
        for name in unused:
            if name in values:
                raise TypeError(f"{function}() got multiple values for argument '{name}'")
            raise TypeError(f"{function}() got an unexpected keyword argument '{name}'")
        return values

    def _too_many(self, function: str, given: int) -> str:
        positional = [each for each in self.parameters if not each.keyword_only]
        least = sum(each.default is _REQUIRED for each in positional)
        most = len(positional)
        count = f"{most}" if least == most else f"from {least} to {most}"
        plural = "" if most == 1 else "s"
        were = "was" if given == 1 else "were"
        return f"{function}() takes {count} positional argument{plural} but {given} {were} given"

    def _explain_mismatch(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        # torch compares the number of arguments with that of the listed items, of which the lone * is one
        keyword_only = any(each.keyword_only for each in self.parameters)
        if len(args) + len(kwargs) != len(self.parameters) + keyword_only:
            return ""
        unknown = [name for name in kwargs if name not in self.names]
        if unknown:
            return f"      didn't match because some of the keywords were incorrect: {', '.join(unknown)}\n"
        described = []
        for index, value in enumerate(args):
            good = index < len(self.parameters) and self.parameters[index].accepts(value)
            described.append(_describe(value) if good else f"!{_describe(value)}!")
        for name, value in kwargs.items():
            text = f"{name}={_describe(value)}"
            described.append(text if self.names[name].accepts(value) else f"!{text}!")
        return f"      didn't match because some of the arguments have invalid types: ({', '.join(described)})\n"


def _describe(value: Any) -> str:
    name = type(value).__name__
    if _is_sequence(value):
        inner = ", ".join(_describe(element) for element in value)
        if isinstance(value, tuple):
            return f"{name} of ({inner}{',' if len(value) == 1 else ''})"
        return f"{name} of [{inner}]"
    return name


class Reader:
    """Reads calls of one function by its signatures."""

    __slots__ = ("_parsed", "_texts", "function", "method")

    def __init__(self, function: str, texts: tuple[str, ...], *, method: bool = False) -> None:
        self.function = function
        self.method = method
        self._texts = texts
        self._parsed: list[Signature] | None = None

    @property
    def signatures(self) -> list[Signature]:
        if self._parsed is None:
            self._parsed = [Signature(text, method=self.method) for text in self._texts]
        return self._parsed

    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Signature, dict[str, Any]]:
        """The first signature that fits, and the arguments by name.

        Raises torch's TypeError where none does.
        """
        if not kwargs.keys().isdisjoint(_NUMPY_NAMES):
            known = {name for signature in self.signatures for name in signature.names}
            kwargs = {(_NUMPY_NAMES.get(name, name) if name not in known else name): kwargs[name] for name in kwargs}
        for signature in self.signatures:
            values = None if signature.deprecated else signature.match(args, kwargs)
            if values is not None:
                for name, value in values.items():
                    signature.names[name].check_elements(self.function, value)
                return signature, values
        raise self._error(args, kwargs)

    def _error(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TypeError:
        signatures = [each for each in self.signatures if not each.deprecated]
        given = len(args) + len(kwargs)
        if self.method and len(signatures) == 1 and not signatures[0].parameters:
            return TypeError(f"TensorBase.{self.function}() takes no arguments ({given} given)")
        plausible = [
            each for each in signatures if each.minimum <= given and (given <= len(each.parameters) or each.varargs)
        ]
        if len(self.signatures) == 1:
            plausible = signatures
        if len(plausible) == 1:
            try:
                plausible[0].bind(self.function, args, kwargs)
            except TypeError as error:
                return error
        got = ", ".join(map(_describe, args))
        if kwargs:  # torch leaves a separator behind when there are keywords only
            named = ", ".join(f"{name}={_describe(value)}" for name, value in kwargs.items())
            got = f"{got}, {named}" if args else f"{named}, "
        if len(signatures) == 1:
            return TypeError(
                f"{self.function}() received an invalid combination of arguments - got ({got}), but expected {signatures[0]}"
            )
        options = "".join(f" * {each}\n{each._explain_mismatch(args, kwargs)}" for each in signatures)
        return TypeError(
            f"{self.function}() received an invalid combination of arguments - got ({got}), "
            f"but expected one of:\n{options}"
        )
