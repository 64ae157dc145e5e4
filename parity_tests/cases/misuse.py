"""Calls of torch's functions and methods with arguments of the right types, one of which may have a wrong value.

The signatures are those of torch's dispatcher.  A call is data: specifications of arguments, which each world makes for
itself.  Most of it fits together; a `Draft` has a small budget of oddities, so that an error has one cause and not five.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

Choose = Callable[[Sequence[Any]], Any]

SHAPES = ((), (1,), (2,), (3,), (2, 3), (2, 3), (3, 2), (3, 3), (2, 2, 3), (1, 2, 3))
ODD_SHAPES = ((), (0,), (1,), (2,), (3,), (2, 0), (2, 3), (3, 2), (1, 3), (2, 2, 3), (2, 3, 2, 2))
ODD_DTYPES = ("float64", "int64", "int32", "uint8", "bool", "bool", "float16", "complex64", "bfloat16")
NUMBERS = (0, 1, 2, -1, 0.5)
ODD_NUMBERS = (1j, 300, True, -1.5, math.nan, math.inf)
# Parameters that are left out: where a result goes and of what sort it is has suites of its own.
_LEFT_OUT = frozenset(
    ("out", "device", "layout", "pin_memory", "memory_format", "generator", "requires_grad", "implicit")
)
_STRINGS = {
    "reduce": (("sum", "prod", "mean", "amax", "amin"), ("foo", "add", "multiply")),
    "rounding_mode": (("floor", "trunc", None), ("foo",)),
}
_TYPES = frozenset(
    ("Tensor", "List[Tensor]", "int", "List[int]", "number", "float", "bool", "List[float]", "List[number]")
)
_SIZES = frozenset(("size", "shape", "sizes", "split_sizes"))


@dataclass(frozen=True, slots=True)
class Operand:
    """A tensor to be made: `layout` is "plain", "transposed", "expanded" or "leaf" (which requires grad)."""

    shape: tuple[int, ...]
    dtype: str
    first: int = 0
    modulus: int = 0
    layout: str = "plain"

    def make(self, ns: ModuleType) -> Any:
        if self.layout == "expanded":
            return Operand((1, *self.shape[1:]), self.dtype, self.first, self.modulus).make(ns).expand(self.shape)
        if self.layout == "transposed":
            shape = (*self.shape[:-2], *self.shape[:-3:-1])
            return Operand(shape, self.dtype, self.first, self.modulus).make(ns).transpose(-1, -2)
        numbers = ns.arange(math.prod(self.shape)) + self.first
        if self.modulus:
            numbers = numbers % self.modulus
        tensor = numbers.reshape(self.shape).to(getattr(ns, self.dtype))
        return tensor.requires_grad_() if self.layout == "leaf" else tensor

    def __str__(self) -> str:
        first = f" from {self.first}" if self.first else ""
        layout = "" if self.layout == "plain" else f" {self.layout}"
        return f"{self.dtype}{list(self.shape)}{first}{layout}"


@dataclass(frozen=True, slots=True)
class Dtype:
    name: str

    def make(self, ns: ModuleType) -> Any:
        return getattr(ns, self.name)


def made(ns: ModuleType, spec: Any) -> Any:
    if isinstance(spec, (Operand, Dtype)):
        return spec.make(ns)
    return [made(ns, each) for each in spec] if isinstance(spec, list) else spec


@dataclass(frozen=True, slots=True)
class Call:
    """`ns.name(*args, **kwargs)`, or as a method of the first argument."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    method: bool

    def bind(self, ns: ModuleType) -> tuple[Callable[[], Any], list[Any]]:
        """What to call, and the tensors that it is given."""
        function = getattr(ns.Tensor if self.method else ns, self.name)
        args = [made(ns, each) for each in self.args]
        kwargs = {name: made(ns, each) for name, each in self.kwargs.items()}
        return lambda: function(*args, **kwargs), list(_tensors([args, list(kwargs.values())]))


def _tensors(tree: Any) -> Iterator[Any]:
    if isinstance(tree, list):
        for each in tree:
            yield from _tensors(each)
    elif hasattr(tree, "requires_grad"):
        yield tree


class Draft:
    """Chooses the arguments of one call."""

    def __init__(self, choose: Choose, oddities: int) -> None:
        self.choose = choose
        self.left = oddities
        self.shape = choose(SHAPES)
        self.dtype = "int64" if self._odd(6) else choose(ODD_DTYPES) if self._odd(6) else "float32"

    def _odd(self, one_in: int) -> bool:
        if not self.left or not self.choose([True, *[False] * (one_in - 1)]):
            return False
        self.left -= 1
        return True

    def value(self, kind: str, name: str) -> Any:
        if kind.startswith("Optional["):
            return None if self.choose([True, False, False]) else self.value(kind[9:-1], name)
        if name == "dtype":
            return Dtype(self.choose(ODD_DTYPES) if self._odd(3) else "float32")
        if name in _STRINGS:
            return self.choose(_STRINGS[name][self._odd(4)])
        if kind == "Tensor":
            return self._operand(name)
        if kind == "List[Tensor]":
            return [self._operand(name) for _ in range(self.choose([1, 2, 2, 3]) if not self._odd(6) else 0)]
        if kind == "int":
            return self._int(name)
        if kind == "List[int]":
            return self._ints(name)
        if kind in ("number", "float"):
            odd = [each for each in ODD_NUMBERS if kind == "number" or not isinstance(each, complex)]
            return self.choose(odd if self._odd(4) else NUMBERS)
        if kind == "bool":
            return self.choose([True, False])
        return [self.choose((0.5, 1.0, 2.0)) for _ in range(self.choose([0, 1, 2]))]

    def _operand(self, name: str) -> Operand:
        shape = self.choose(ODD_SHAPES) if self._odd(4) else self.shape
        dtype, first, modulus = self.dtype, self.choose([0, 1]), 0
        if "ind" in name or name == "repeats":
            dtype, first, modulus = "int64", 0, 2
        elif name in ("mask", "condition"):
            dtype = "bool"
        if self._odd(5):
            dtype = self.choose(ODD_DTYPES)
        if self._odd(8):
            first, modulus = self.choose([-1, 2, 4]), 0
        layout = "plain"
        if len(shape) > 1 and self.choose([True, False, False, False]):
            layout = "transposed"
        elif self._odd(8):
            layout = "leaf" if dtype in ("float32", "float64", "complex64") else "plain"
        elif shape and shape[0] > 1 and self._odd(8):
            layout = "expanded"
        return Operand(shape, dtype, first, modulus, layout)

    def _int(self, name: str) -> int:
        if self._odd(4):
            return int(self.choose((-2, 2, -3, 3, 4, -5, 7)))
        rank = max(len(self.shape), 1)
        return int(self.choose(range(-rank, rank) if "dim" in name or "axis" in name else (0, 1, 1, 2)))

    def _ints(self, name: str) -> list[int]:
        if self._odd(3):
            return [self.choose((0, 1, 1, -1, 2, 3, -2, 4)) for _ in range(self.choose([0, 1, 2, 2, 3, 4]))]
        if name in _SIZES:
            return list(self.shape)
        rank = len(self.shape)
        return list(range(self.choose(range(rank + 1)))) if "dim" in name else [self.choose((1, 2))] * max(rank, 1)


class Schemas:
    """The overloads of torch's dispatcher that this module has arguments for, by name."""

    def __init__(self, torch: ModuleType) -> None:
        self._known: dict[str, list[Any]] = defaultdict(list)
        for schema in torch._C._jit_get_all_schemas():
            if schema.name.startswith("aten::") and all(map(_has_values, schema.arguments)):
                self._known[schema.name[6:]].append(schema)

    def names(self) -> list[str]:
        return sorted(name for name in self._known if not name.startswith("_"))

    def draw(self, name: str, choose: Choose, *, oddities: int, method: bool) -> Call:
        """A call of one of the overloads."""
        draft = Draft(choose, oddities)
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        named = False  # from the first that is left out on, the others are given by name
        for parameter in choose(self._known[name]).arguments:
            own = "input" if parameter.name == "self" and not method else parameter.name
            if own in _LEFT_OUT or (parameter.has_default_value() and choose([True, False])):
                named = True
            elif named or parameter.kwarg_only:
                kwargs[own] = draft.value(str(parameter.type), own)
            else:
                args.append(draft.value(str(parameter.type), own))
        return Call(name, tuple(args), kwargs, method)


def _has_values(parameter: Any) -> bool:
    kind = str(parameter.type).removeprefix("Optional[").removesuffix("]" * str(parameter.type).startswith("Optional["))
    if parameter.name in _LEFT_OUT:
        return True
    return parameter.name in _STRINGS if kind == "str" else kind in _TYPES
