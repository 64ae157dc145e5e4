"""The Python values that a step has read, and that a replay therefore takes for granted.

A plan is good as long as the names that the step's code refers to mean the same objects, as long as the numbers among them
and among the attributes of those objects are the same, and as long as its modules are.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Any

from .._capture import structure

_PLAIN = (int, float, complex, bool, str, bytes, type(None))
_MISSING = object()
_DEPTH = 3  # of functions that call functions, and of objects that hold objects

# Where a value was found, as what and key: an entry of a dictionary, or the contents of a closure's cell (key None).
Reference = tuple[Any, Any, Any]


def unchanged(function: Callable[..., Any]) -> Callable[[], bool]:
    """A condition that holds as long as what `function` refers to stays what it is now."""
    references = list(_references(function, _DEPTH, set()))
    cells = [(cell, value) for cell, key, value in references if key is None]
    entries = [reference for reference in references if reference[1] is not None]

    def holds() -> bool:
        for cell, value in cells:
            found = cell.cell_contents
            if found is not value and not _is_same(found, value):
                return False
        for dictionary, key, value in entries:
            found = dictionary.get(key, _MISSING)
            if found is not value and not _is_same(found, value):
                return False
        return True

    return holds


def _is_same(found: Any, value: Any) -> bool:
    return type(found) is type(value) and isinstance(value, _PLAIN) and bool(found == value)


def _references(function: Any, depth: int, seen: set[int]) -> Iterator[Reference]:
    """Where each object that the code of `function` names is found, and what it is now."""
    if isinstance(function, types.MethodType):
        yield from _attributes(function.__self__, function.__func__.__code__.co_names, depth)
        function = function.__func__
    if not isinstance(function, types.FunctionType) or id(function) in seen or _is_ours(function):
        return
    seen.add(id(function))
    code = function.__code__
    found: list[Reference] = []
    for cell in function.__closure__ or ():
        try:
            found.append((cell, None, cell.cell_contents))
        except ValueError:  # a variable that has no value yet
            continue
    space = function.__globals__
    found.extend((space, name, space[name]) for name in code.co_names if name in space)
    for place, key, value in found:
        if isinstance(value, (types.ModuleType, type, types.BuiltinFunctionType)) or _is_ours(value):
            continue
        yield place, key, value
        if not depth:
            continue
        if isinstance(value, (types.FunctionType, types.MethodType)):
            yield from _references(value, depth - 1, seen)
        else:
            yield from _attributes(value, code.co_names, depth)


def _attributes(owner: Any, names: tuple[str, ...], depth: int) -> Iterator[Reference]:
    """The attributes of `owner` among `names`, and theirs; of a dictionary the plain values."""
    if isinstance(owner, dict):
        yield from (
            (owner, key, value) for key, value in owner.items() if isinstance(value, _PLAIN) and key is not None
        )
        return
    if isinstance(owner, _PLAIN) or _is_ours(type(owner)):
        return  # modules, optimisers and tensors report their changes themselves
    own = getattr(owner, "__dict__", {})
    for name in names:
        value = own.get(name, _MISSING)
        if value is not _MISSING:
            yield own, name, value
            if depth:
                yield from _attributes(value, names, depth - 1)
            continue
        holder = next((each for each in type(owner).__mro__ if name in vars(each)), None)
        if holder is not None and isinstance(vars(holder)[name], _PLAIN):
            yield own, name, _MISSING  # an attribute of the instance would hide that of the class
            yield vars(holder), name, vars(holder)[name]


def _is_ours(value: Any) -> bool:
    """Whether a class or function belongs to this package: what it does is captured, whatever it refers to."""
    package = __name__.partition(".")[0]
    named = isinstance(value, (type, types.FunctionType, types.MethodType))
    return named and str(getattr(value, "__module__", "")).partition(".")[0] == package


class Modules:
    """What modules, and all below them, consist of: attributes, parameters, buffers, children and hooks."""

    __slots__ = ("_found", "_roots", "_version")

    def __init__(self) -> None:
        self._roots: list[Any] = []
        self._found: list[Any] = []
        self._version = structure.modules

    def add(self, module: Any) -> None:
        """Look at `module` too, unless it is part of one that has been looked at."""
        if not any(module is each for root in self._roots for each in root.modules()):
            self._roots.append(module)
            self._found.extend(_contents(module))

    def are_unchanged(self) -> bool:
        """Whether all of it is the same.  Cheap unless any module anywhere has changed."""
        if structure.modules == self._version:
            return True
        now = [each for root in self._roots for each in _contents(root)]
        if len(now) != len(self._found):
            return False
        if not all(one is other or _is_same(one, other) for one, other in zip(now, self._found, strict=True)):
            return False
        self._version = structure.modules
        return True


def _contents(root: Any) -> Iterator[Any]:
    for module in root.modules():
        for name, value in vars(module).items():
            if name == "training":  # plans look at it for themselves
                continue
            yield name
            if isinstance(value, dict):
                yield from value.keys()
                yield from value.values()
            else:
                yield value
