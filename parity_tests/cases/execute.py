"""Executing a program on a backend, and the float64 oracle that the tolerance asks."""

from __future__ import annotations

import contextlib
import dataclasses
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from parity_tests.backends import Backend, Unsupported
from parity_tests.backends.double import Double
from parity_tests.cases.program import Device, DType, Input, Program, Ref, Step
from parity_tests.check import Raised, Snapshot
from parity_tests.check.snapshot import Array, Path, leaves
from parity_tests.check.tolerance import Oracle, unit

# Called with a value, and its name once it has one: the value to go on with.
Disturb = Callable[[str, Any], Any]


def execute(program: Program, backend: Backend, disturb: Disturb | None = None) -> dict[str, Any]:
    """Run a program: a tree of snapshots of every value, every gradient, and the error if one was raised.

    Values are looked at last, so that whatever the backward pass or a failed call did to them shows.
    """
    values: dict[str, Any] = {}
    gradients: dict[str, Any] = {"grad": {}, "grad of grad": {}}
    phase = "inputs"
    error = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for each in program.inputs:
                values[each.name] = lay_out(backend, each)
            for number, step in enumerate(program.steps):
                phase = f"step {number}, {step.op}"
                _run(step, values, backend, disturb)
            phase = "backward"
            if program.outputs and program.wrt:
                _differentiate(program, values, gradients, backend)
            elif program.outputs:
                outputs = [values[name] for name in program.outputs]
                cotangents = [backend.tensor(each) for each in program.cotangents]
                backend.call("autograd.backward", outputs, cotangents)
        except Exception as raised:  # noqa: BLE001  the error is a result like any other
            error = Raised.of(raised, phase, isinstance(raised, Unsupported))
        trace: dict[str, Any] = {"error": error}
        trace["values"] = {name: backend.snapshot(value) for name, value in values.items()}
        trace |= {
            order: {name: _unlaid(backend.snapshot(value)) for name, value in found.items()}
            for order, found in gradients.items()
        }
    return trace


def _run(step: Step, values: dict[str, Any], backend: Backend, disturb: Disturb | None) -> None:
    args = resolve(step.args, values, backend)
    kwargs = {name: resolve(value, values, backend) for name, value in step.kwargs.items()}
    if disturb and step.rounds and step.blurs:
        # A sum over equal numbers, of an expanded tensor say, rounds as if they were different ones.
        args = [disturb("", each) for each in args]
    with backend.call("torch.no_grad") if step.no_grad else contextlib.nullcontext():
        result = backend.call(step.op, *args, **kwargs)
    parts = [result] if len(step.results) == 1 else result if step.results else []
    for name, part in zip(step.results, parts, strict=True):
        fresh = step.rounds and not any(part is operand for operand in args)
        values[name] = disturb(name, part) if disturb and fresh else part


def _differentiate(program: Program, values: Mapping[str, Any], gradients: dict[str, Any], backend: Backend) -> None:
    inputs = [values[name] for name in program.wrt]
    outputs = [values[name] for name in program.outputs]
    cotangents = [backend.tensor(each) for each in program.cotangents]
    found = backend.grad(outputs, inputs, cotangents, create_graph=bool(program.second))
    gradients["grad"] = dict(zip(program.wrt, found, strict=True))
    if not program.second:
        return
    again = [
        (gradient, backend.tensor(cotangent))
        for gradient, cotangent in zip(found, program.second, strict=True)
        if gradient is not None and gradient.requires_grad
    ]
    if again:
        roots, directions = zip(*again, strict=True)
        gradients["grad of grad"] = dict(zip(program.wrt, backend.grad(roots, inputs, directions), strict=True))


def lay_out(backend: Backend, each: Input) -> Any:
    """The tensor of an input: contiguous, or a leaf that looks at another tensor's memory."""
    array, call = each.array, backend.call
    match each.layout:
        case "transposed":
            axes = tuple(reversed(range(array.ndim)))
            tensor = call("Tensor.permute", backend.tensor(array.transpose(axes)), axes)
        case "strided":
            wide = np.repeat(array, 2, axis=-1)
            tensor = call("operator.getitem", backend.tensor(wide), (..., slice(None, None, 2)))
        case "expanded":
            tensor = call("Tensor.expand", backend.tensor(array[:1]), array.shape)
        case _:
            return backend.tensor(array, each.requires_grad)
    return call("Tensor.requires_grad_", tensor) if each.requires_grad else tensor


def resolve(value: Any, values: Mapping[str, Any], backend: Backend) -> Any:
    """An argument with the backend's own objects in it."""
    if isinstance(value, Ref):
        return values[value.name]
    if isinstance(value, DType):
        return backend.dtype(value.name)
    if isinstance(value, Device):
        return backend.call("torch.device", value.name)
    if isinstance(value, (tuple, list)):
        return type(value)(resolve(item, values, backend) for item in value)
    if isinstance(value, dict):
        return {name: resolve(item, values, backend) for name, item in value.items()}
    return value


def _unlaid(snapshot: Any) -> Any:
    """A gradient that `autograd.grad` returns: its layout, its sharing of memory with other gradients and the node
    that made it are nobody's promise (those of `.grad` are)."""
    if not isinstance(snapshot, Snapshot):
        return snapshot
    return dataclasses.replace(snapshot, strides=None, storage=None, grad_fn=None)


def oracle(program: Program, double: Double, trace: Mapping[str, Any]) -> tuple[Oracle, float]:
    """The program in float64, disturbed on demand; and the coarsest unit roundoff in `trace`, its float32 result."""
    units = {name: _unit(value) for name, value in trace["values"].items()}
    coarsest = max(units.values(), default=0.0) or 1.0
    rounded = {each.name for each in program.inputs if not whole(each.array)}

    def ask(delta: float, seed: int) -> Mapping[Path, Array]:
        def disturb(name: str, value: Any) -> Any:
            return double.disturb(value, units.get(name, 0.0) / coarsest if name else 1.0)

        with double.disturbed(delta, seed):
            inputs = tuple(
                dataclasses.replace(each, array=double.array(each.array, units[each.name] / coarsest))
                if each.name in rounded
                else each
                for each in program.inputs
            )
            # What a gradient starts from is an operand too: of the sums, for example, that undo a broadcast.
            cotangents, second = (
                tuple(each if whole(each) else double.array(each) for each in arrays)
                for arrays in (program.cotangents, program.second)
            )
            lifted = dataclasses.replace(program, inputs=inputs, cotangents=cotangents, second=second)
            result = execute(lifted, double, disturb if delta else None)
        return {path: snapshot.value for path, snapshot in leaves(result)}

    return ask, coarsest


def whole(array: Array) -> bool:
    """Whether every element is an integer, or no number that rounding could change."""
    return array.dtype.kind != "f" or bool(np.all((array == np.round(array)) | ~np.isfinite(array)))


def _unit(value: Any) -> float:
    return (unit(value.dtype) or 0.0) if isinstance(value, Snapshot) else 0.0
