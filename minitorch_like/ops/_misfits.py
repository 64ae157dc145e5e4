"""What torch says of a call that fits none of a function's signatures.

With one signature to blame, its first misfit is named.  Otherwise all are listed, and those that take as many items as
were given say which keyword or which argument they object to.  torch compares with the items of the *printed*
signature, separated by commas: the last word of each is taken for its name and the rest for its type.  So a lone `*`
counts as an item, a parameter with a default goes by that default, and only an argument of exactly the printed type is
a good one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ._signature import REQUIRED, Misfit, Parameter, Signature

if TYPE_CHECKING:
    from ._signature import Reader

_PRINTED = {
    "int[]": "tuple of ints",
    "float[]": "tuple of floats",
    "Number[]": "tuple of Scalars",
    "Tensor[]": "tuple of Tensors",
    "Tensor|Number": "Tensor",
    "int|Tensor": "Tensor",
    "dtype": "torch.dtype",
    "device": "torch.device",
    "layout": "torch.layout",
    "memory_format": "torch.memory_format",
    "Generator": "torch.Generator",
    "Storage": "torch.Storage",
}
# The types of the package that torch has in C++, by their names there.
_OF_TORCH = {name: f"torch.{name}" for name in ("dtype", "device", "layout", "memory_format", "Size", "finfo", "iinfo")}
_OF_TORCH["Generator"] = "torch._C.Generator"
_PACKAGE = __name__.partition(".")[0]
_HEAP_TYPE = 1 << 9  # CPython's flag of classes made at run time, whose C name has no module


def type_name(value: Any) -> str:
    """CPython's `tp_name` of the value's type: with the module for a type written in C, otherwise without."""
    kind = type(value)
    name, module = kind.__name__, kind.__module__
    if kind.__flags__ & _HEAP_TYPE:
        return _OF_TORCH.get(name, name) if module.partition(".")[0] == _PACKAGE else name
    return name if module == "builtins" else f"{module}.{name}"


# -- one misfit --------------------------------------------------------------------------------------------------------


def no_tensor(position: int, place: int, element: Any) -> str:
    return f"expected Tensor as element {position} in argument {place}, but got {type_name(element)}"


def bad_element(function: str, name: str, position: int, element: Any) -> str:
    what = f"{function}(): argument '{name}' failed to unpack the object at pos {position + 1} with error "
    if element.__class__ is int:
        return f'{what}"Overflow when unpacking long long'  # where torch goes on with a stack of C++
    return f'{what}"type must be tuple of ints,but got {type_name(element)}"'


def _too_many(function: str, signature: Signature, given: int) -> str:
    least, most = signature.minimum, signature.max_positional
    if least != most:
        return f"{function}() takes from {least} to {most} positional arguments but {given} were given"
    plural = "" if most == 1 else "s"
    were = "was" if given == 1 else "were"
    return f"{function}() takes {most} positional argument{plural} but {given} {were} given"


def _missing(function: str, signature: Signature, first: int) -> str:
    names = [f'"{each.name}"' for each in signature.parameters[first:] if each.default is REQUIRED]
    plural = "s" if len(names) == 1 else ""  # torch has it this way round
    return f"{function}() missing {len(names)} required positional argument{plural}: {', '.join(names)}"


def _wrong_type(function: str, signature: Signature, parameter: Parameter, value: Any, place: int | None) -> str:
    position = "" if place is None else f" (position {place + 1})"
    wanted = f"{function}(): argument '{parameter.name}'{position} must be {printed_kind(parameter)}"
    if place is not None and parameter.kind == "int[]" and isinstance(value, (tuple, list)):
        return f"{wanted}, but found element of type {type_name(value[0])} at pos 0"
    return f"{wanted}, not {type_name(value)}"


def _keywords(function: str, signature: Signature, given: int, kwargs: dict[str, Any]) -> str:
    places = {each.name: place for place, each in enumerate(signature.parameters)}
    for name in kwargs:
        if name not in places:
            return f"{function}() got an unexpected keyword argument '{name}'"
        if places[name] < given:
            return f"{function}() got multiple values for argument '{name}'"
    return "invalid keyword arguments"


_EXPLANATIONS: dict[str, Any] = {"too many": _too_many, "missing": _missing, "type": _wrong_type, "keywords": _keywords}


def _explain(function: str, signature: Signature, misfit: Misfit) -> str:
    explanation: str = _EXPLANATIONS[misfit[0]](function, signature, *misfit[1:])
    return explanation


# -- all signatures ----------------------------------------------------------------------------------------------------


def message(reader: Reader, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """torch's words for a call that `reader` cannot read."""
    function, signatures = reader.function, reader.signatures
    given = len(args) + len(kwargs)
    if reader.method and len(signatures) == 1 and not signatures[0].parameters:
        return str(no_arguments(function, args, kwargs))
    listed = [each for each in signatures if not each.hidden]
    plausible = [each for each in listed if each.minimum <= given <= len(each.parameters)]
    if len(signatures) == 1:
        plausible = signatures
    if len(plausible) == 1:
        misfit = plausible[0].bind(args, kwargs)
        assert isinstance(misfit, tuple)
        return _explain(function, plausible[0], misfit)
    return f"{function}() received an invalid combination of arguments - {_comparison(listed, args, kwargs)}"


# -- what CPython says of calls of functions that are written in C and have no signature ---------------------------------


def no_arguments(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], owner: str = "TensorBase") -> TypeError:
    """Of arguments to one that takes none."""
    if kwargs:
        return TypeError(f"{owner}.{name}() takes no keyword arguments")
    return TypeError(f"{owner}.{name}() takes no arguments ({len(args)} given)")


def only_argument(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], owner: str = "torch") -> Any:
    """The argument of one that takes one, by position.  TypeError for another number of them."""
    if kwargs:
        raise TypeError(f"{owner}.{name}() takes no keyword arguments")
    if len(args) != 1:
        raise TypeError(f"{owner}.{name}() takes exactly one argument ({len(args)} given)")
    return args[0]


def check_callable(value: Any) -> None:
    """TypeError for what cannot be called, before it is."""
    if not callable(value):
        raise TypeError(f"'{type_name(value)}' object is not callable")


# -- the signatures, and what was given ------------------------------------------------------------------------------


def printed_kind(parameter: Parameter) -> str:
    return _PRINTED.get(parameter.kind, parameter.kind)


def printed(signature: Signature) -> str:
    """The signature as torch lists it."""
    parts: list[str] = []
    for parameter in signature.parameters:
        if parameter.keyword_only and "*" not in parts:
            parts.append("*")
        default = "" if parameter.default is REQUIRED else f" = {parameter.default}"
        parts.append(f"{printed_kind(parameter)} {parameter.name}{default}")
    return f"({', '.join(parts)})"


def deprecation(reader: Reader, signature: Signature) -> str:
    """torch's warning of a call by a deprecated signature."""
    name = reader.function
    listed = "".join(f"\n\t{name}{printed(each)}" for each in reader.signatures if not each.hidden)
    return (
        f"This overload of {name} is deprecated:\n\t{name}{printed(signature)}"
        f"\nConsider using one of the following signatures instead:{listed}"
    )


def _comparison(signatures: list[Signature], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """What was given, against each of the signatures."""
    named = {name: kwargs[name] for name in in_table_order(kwargs)}
    options = [_Option(printed(each)) for each in signatures]
    if len(options) > 1:
        listed = "".join(f" * {each.text}\n{each.objection(args, named)}" for each in options)
        return f"got {_listed(args, named)}, but expected one of:\n{listed}"
    (option,) = options
    if unknown := option.unknown(named):
        return f"got unrecognized keyword arguments: {', '.join(unknown)}"
    got = option.marked(args, named) if option.counts(args, named) else _listed(args, named)
    return f"got {got}, but expected {option.text}"


_MASK = (1 << 64) - 1
_BUCKETS = 13  # of a table with at most as many entries


def in_table_order(names: Iterable[str]) -> list[str]:
    """Names as they come out of the hash table of the C++ library into which torch puts them in turn.

    Its entries are one list: the first of a bucket goes to the front, another before those of its bucket.
    """
    listed: list[tuple[int, str]] = []
    for name in names:
        bucket = _hash(name.encode()) % _BUCKETS
        place = next((place for place, (own, _) in enumerate(listed) if own == bucket), 0)
        listed.insert(place, (bucket, name))
    return [name for _, name in listed]


def _hash(data: bytes) -> int:
    """MurmurHash64A (A. Appleby), the hash of strings of the GNU C++ library, with the seed that it has there."""
    factor = 0xC6A4A7935BD1E995
    state = 0xC70F6907 ^ len(data) * factor & _MASK
    end = len(data) & ~7
    for place in range(0, end, 8):
        word = int.from_bytes(data[place : place + 8], "little") * factor & _MASK
        word = (word ^ word >> 47) * factor & _MASK
        state = (state ^ word) * factor & _MASK
    if end < len(data):
        state = (state ^ int.from_bytes(data[end:], "little")) * factor & _MASK
    state = (state ^ state >> 47) * factor & _MASK
    return state ^ state >> 47


def _listed(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    items = [*map(type_name, args), *(f"{name}={type_name(value)}" for name, value in kwargs.items())]
    return _bracketed(items, bool(args))


def _bracketed(items: list[str], some_positional: bool) -> str:
    # torch leaves a separator behind when there are keywords only
    return f"({', '.join(items)}{', ' if items and not some_positional else ''})"


class _Option:
    """A printed signature, read as its (type, name) items."""

    def __init__(self, text: str) -> None:
        self.text = text
        pieces = [piece.rpartition(" ") for piece in text[1:-1].split(", ")]
        self.items = [(kind, name) for kind, _, name in pieces]

    def counts(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        return len(args) + len(kwargs) == len(self.items)

    def unknown(self, kwargs: dict[str, Any]) -> list[str]:
        """The keywords that are not the names of as many last items."""
        names = {name for _, name in self.items[max(len(self.items) - len(kwargs), 0) :]}
        return [name for name in kwargs if name not in names]

    def objection(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        if not self.counts(args, kwargs):
            return ""
        if unknown := self.unknown(kwargs):
            return f"      didn't match because some of the keywords were incorrect: {', '.join(unknown)}\n"
        marked = self.marked(args, kwargs)
        return f"      didn't match because some of the arguments have invalid types: {marked}\n"

    def marked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """The arguments, those of another type than the item in their place between exclamation marks."""
        marked = []
        for index, (kind, name) in enumerate(self.items):
            positional = index < len(args)
            value = args[index] if positional else kwargs[name]
            text = _described(value) if positional else f"{name}={_described(value)}"
            marked.append(text if _is_of(kind, value) else f"!{text}!")
        return _bracketed(marked, bool(args))


def _is_of(kind: str, value: Any) -> bool:
    name = type_name(value)
    return name == kind or (kind == "float" and name == "int")


def _described(value: Any) -> str:
    if not isinstance(value, (tuple, list)):
        return type_name(value)
    inner = ", ".join(map(type_name, value))
    if isinstance(value, tuple):
        return f"{type_name(value)} of ({inner}{',' if len(value) == 1 else ''})"
    return f"{type_name(value)} of [{inner}]"
