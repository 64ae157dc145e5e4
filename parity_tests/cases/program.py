"""A program as data: what a backend executes, what a script prints, what a failure is kept as."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from parity_tests.check.snapshot import Array

Kind = TypeVar("Kind", bound=type[Any])

# How an input's tensor is laid out in memory, by the calls that make it so from a contiguous one.
LAYOUTS = ("contiguous", "transposed", "strided", "expanded")


@dataclass(frozen=True, slots=True)
class Ref:
    """A value of the program by its name: 'x0' is an input, 'y0' the result of a step."""

    name: str


@dataclass(frozen=True, slots=True)
class DType:
    """A dtype by torch's name."""

    name: str


@dataclass(frozen=True, slots=True)
class Device:
    """A device by torch's name."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """A leaf: its elements, and how its tensor lies in memory."""

    name: str
    array: Array
    requires_grad: bool = False
    layout: str = "contiguous"


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One call.  `results` are the names that its result, or the parts of it, are bound to.

    rounds: whether the result is rounded (a view, a maximum or a comparison is not).
    blurs:  whether the sign of a zero in the result depends on the order in which numbers are added or compared.
    no_grad: whether it is run under `torch.no_grad()`.
    """

    op: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    results: tuple[str, ...] = ()
    rounds: bool = True
    blurs: bool = False
    no_grad: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Straight-line code over tensors, and what to differentiate.

    outputs:    differentiated together, each with its cotangent.
    wrt:        with respect to these, by `autograd.grad`; empty: by `backward`, into `.grad`.
    second:     a cotangent for each of `wrt`, for the gradients of the gradients; empty: first order only.
    exact:      inputs are small integers and no op rounds: results are due bit for bit.
    """

    inputs: tuple[Input, ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...] = ()
    cotangents: tuple[Array, ...] = ()
    wrt: tuple[str, ...] = ()
    second: tuple[Array, ...] = ()
    exact: bool = False

    def __repr__(self) -> str:
        ops = " ".join(step.op.rpartition(".")[2] for step in self.steps)
        return f"Program({len(self.inputs)} inputs: {ops})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What Hypothesis shows of a failure; the script says the rest."""
        printer.text(repr(self))

    def signed(self) -> frozenset[str]:
        """The values in which a zero has its sign by rule: none that a blurring step, or what it wrote to, is behind."""
        blurred: set[str] = set()
        for step in self.steps:
            if step.blurs or any(ref.name in blurred for ref in refs((*step.args, *step.kwargs.values()))):
                blurred.update(step.results)
                if not step.results or step.op.endswith("_"):
                    return frozenset()  # written in place, into who knows how many values
        names = {each.name for each in self.inputs} | {name for step in self.steps for name in step.results}
        return frozenset(names - blurred)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; `from_dict` is the way back."""
        return {each.name: encode(getattr(self, each.name)) for each in dataclasses.fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Program:
        return cls(**{name: decode(value) for name, value in data.items()})


def refs(value: Any) -> Iterator[Ref]:
    """Every reference in an argument."""
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from refs(item)


_NODES: dict[str, Any] = {kind.__name__: kind for kind in (Ref, DType, Device, Input, Step)}


def coded(kind: Kind) -> Kind:
    """Let `encode` and `decode` know another dataclass."""
    _NODES[kind.__name__] = kind
    return kind


def encode(value: Any) -> Any:
    """An argument, an array or a part of a program as plain data for JSON; `decode` is the way back."""
    kind = type(value).__name__
    if isinstance(value, np.ndarray):
        elements = [_number(x) for x in value.ravel().tolist()]
        return {"array": elements, "shape": list(value.shape), "dtype": value.dtype.name}
    if kind in _NODES:
        return {kind: {each.name: encode(getattr(value, each.name)) for each in dataclasses.fields(value)}}
    if isinstance(value, (tuple, list)):
        return {kind: [encode(item) for item in value]}
    if isinstance(value, Mapping):
        return {"dict": {key: encode(item) for key, item in value.items()}}
    if isinstance(value, slice):
        return {"slice": [value.start, value.stop, value.step]}
    if isinstance(value, (float, complex)):
        return {type(value).__name__: _number(value)}
    return {"ellipsis": None} if value is ... else value


def _number(value: Any) -> Any:
    """A number so that no bit of it is lost."""
    if isinstance(value, complex):
        return [value.real.hex(), value.imag.hex()]
    return value.hex() if isinstance(value, float) else value


def _number_again(value: Any) -> Any:
    if isinstance(value, list):
        return complex(*map(float.fromhex, value))
    return float.fromhex(value) if isinstance(value, str) else value


def decode(value: Any) -> Any:
    """The way back from `encode`."""
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return np.array([_number_again(x) for x in value["array"]], value["dtype"]).reshape(value["shape"])
    ((kind, body),) = value.items()
    match kind:
        case "tuple":
            return tuple(map(decode, body))
        case "list":
            return list(map(decode, body))
        case "dict":
            return {key: decode(item) for key, item in body.items()}
        case "slice":
            return slice(*body)
        case "float" | "complex":
            return _number_again(body)
        case "ellipsis":
            return ...
    return _NODES[kind](**{name: decode(item) for name, item in body.items()})
