"""A program as a standalone script: it runs under either import and prints everything that is compared, in full."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from parity_tests.cases.program import Device, DType, Input, Program, Ref, Step
from parity_tests.check.snapshot import Array

HEADER = "import torch  # or: import {backend} as torch"

# Prints a tensor with what a user can ask it; tolist gives every digit.
_SHOW = '''
def show(name, value):
    """Every digit, and what else can be asked of a tensor."""
    if not isinstance(value, torch.Tensor):
        return print(name, "=", value)
    told = f"{tuple(value.shape)} strides {value.stride()} requires_grad {value.requires_grad} leaf {value.is_leaf}"
    print(name, "=", value.detach().clone().tolist(), value.dtype, told, value.grad_fn.name() if value.grad_fn else "")
'''

_INFIX = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "matmul": "@",
    "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
}  # fmt: skip


def script(program: Program, backend: str = "minitorch_like") -> str:
    """The source.  A value that no later line mentions is printed all the same: any of them may be the one that differs."""
    lines = [HEADER.format(backend=backend), _SHOW, "", *_body(program)]
    return "\n".join(lines) + "\n"


def _body(program: Program) -> Iterator[str]:
    for each in program.inputs:
        yield f"{each.name} = {leaf(each)}"
    for step in program.steps:
        if step.no_grad:
            yield "with torch.no_grad():"
        yield "    " * step.no_grad + statement(step)
    names = [each.name for each in program.inputs] + [name for step in program.steps for name in step.results]
    if program.outputs:
        yield from _derivatives(program)
    for name in names:
        yield f'show("{name}", {name})'
        if not program.wrt and program.outputs and name[0] == "x":
            yield f'show("{name}.grad", {name}.grad)'


def _derivatives(program: Program) -> Iterator[str]:
    outputs = _list(program.outputs)
    yield f"cotangents = [{', '.join(tensor(each) for each in program.cotangents)}]"
    if not program.wrt:
        yield f"torch.autograd.backward({outputs}, cotangents)"
        return
    inputs = _list(program.wrt)
    create = ", create_graph=True" if program.second else ""
    yield f"grads = torch.autograd.grad({outputs}, {inputs}, cotangents, retain_graph=True{create}, allow_unused=True)"
    yield f"for name, grad in zip({list(program.wrt)}, grads):"
    yield '    show(f"d {name}", grad)'
    if not program.second:
        return
    yield f"directions = [{', '.join(tensor(each) for each in program.second)}]"
    yield "again = [(g, v) for g, v in zip(grads, directions) if g is not None and g.requires_grad]"
    yield "if again:"
    yield "    roots, vectors = zip(*again)"
    yield f"    second = torch.autograd.grad(roots, {inputs}, vectors, retain_graph=True, allow_unused=True)"
    yield f"    for name, grad in zip({list(program.wrt)}, second):"
    yield '        show(f"dd {name}", grad)'


def statement(step: Step) -> str:
    """One step as a line."""
    target = f"{', '.join(step.results)} = " if step.results else ""
    if step.op == "operator.setitem":
        place, index, value = step.args
        return f"{literal(place)}[{index_text(index)}] = {literal(value)}"
    if step.op == "builtins.setattr":
        place, attribute, value = step.args
        return f"{literal(place)}.{attribute} = {literal(value)}"
    return target + call(step.op, step.args, step.kwargs)


def call(op: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """A call as a user writes it."""
    space, _, name = op.partition(".")
    if space == "operator":
        if name == "getitem":
            return f"{literal(args[0])}[{index_text(args[1])}]"
        if name in _INFIX:
            return f"{literal(args[0])} {_INFIX[name]} {literal(args[1])}"
        if name in ("neg", "abs"):
            return f"-{literal(args[0])}" if name == "neg" else f"abs({literal(args[0])})"
    written = [literal(each) for each in args]
    head = f"torch.{op}"
    if space == "torch":
        head = op
    elif space == "builtins":
        head = name
    elif op == "operator.call":
        head = written.pop(0)
    elif space == "Tensor":
        head = f"{written.pop(0)}.{name}"
    written += [f"{key}={literal(value)}" for key, value in kwargs.items()]
    return f"{head}({', '.join(written)})"


def leaf(each: Input) -> str:
    """An input with its layout: the calls of `execute.lay_out`."""
    array = each.array
    grad = ".requires_grad_()" if each.requires_grad else ""
    match each.layout:
        case "transposed":
            axes = tuple(reversed(range(array.ndim)))
            return f"{tensor(array.transpose(axes))}.permute({axes}){grad}"
        case "strided":
            return f"{tensor(np.repeat(array, 2, axis=-1))}[..., ::2]{grad}"
        case "expanded":
            return f"{tensor(array[:1])}.expand({array.shape}){grad}"
    return tensor(array, each.requires_grad)


def tensor(array: Array, requires_grad: bool = False) -> str:
    """A literal of a tensor, exact to the last bit."""
    grad = ", requires_grad=True" if requires_grad else ""
    if not array.size:
        return f"torch.zeros({array.shape}, dtype=torch.{array.dtype.name}{grad})"
    dtype = "" if array.dtype.name in ("float32", "int64", "bool") else f", dtype=torch.{array.dtype.name}"
    return f"torch.tensor({_elements(array)}{dtype}{grad})"


def _elements(array: Array) -> str:
    """Nested lists of the shortest decimals that read back as the same numbers."""
    if array.ndim:
        return f"[{', '.join(_elements(row) for row in array)}]"
    if array.dtype.kind != "f":
        return repr(array.item())
    return _number(float(array), str(array))


def _number(value: float, digits: str) -> str:
    return digits if math.isfinite(value) else f'float("{value}")'


def literal(value: Any) -> str:
    """An argument as source."""
    if isinstance(value, Ref):
        return value.name
    if isinstance(value, DType):
        return f"torch.{value.name}"
    if isinstance(value, Device):
        return f'torch.device("{value.name}")'
    if isinstance(value, float):
        return _number(value, repr(value))
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {literal(item)}" for key, item in value.items()) + "}"
    return "..." if value is ... else repr(value)


def index_text(index: Any) -> str:
    """What stands between the brackets."""
    if isinstance(index, tuple) and index:
        return ", ".join(map(index_text, index)) + ("," if len(index) == 1 else "")
    if isinstance(index, slice):
        parts = ["" if part is None else repr(part) for part in (index.start, index.stop)]
        return ":".join(parts if index.step is None else [*parts, repr(index.step)])
    return literal(index)


def _list(names: tuple[str, ...]) -> str:
    return f"[{', '.join(names)}]"
