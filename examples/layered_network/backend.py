"""The layered network as a framework for the instrument: its layer, its activations and its loss as ops.

The engine has no graph of its own: a network is a list.  The tape here only remembers which of the engine's forward halves
was called on what, and calls the backward halves in the opposite order.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from parity_tests.backends import Unsupported
from parity_tests.check import Snapshot

from .network import MSE, Activation, Array, Layer, LeakyReLU, Sigmoid

Backward = Callable[[Array], Sequence[Array]]


class Identity:
    """What a layer without an activation has for one."""

    def f(self, x: Array) -> Array:
        return x

    def df(self, x: Array) -> Array:
        return np.ones_like(x)


class Value:
    """An array, and how to hand its derivative on to the values that it was computed from."""

    def __init__(self, array: Array, sources: Sequence[Value] = (), backward: Backward | None = None) -> None:
        self.array, self.sources, self.backward = np.asarray(array), sources, backward
        self.requires_grad = any(source.requires_grad for source in sources)
        self.grad: Array | None = None


def linear(x: Value, weight: Value, bias: Value | None = None) -> Value:
    """x @ weight.T + bias of samples in rows: the engine's layer, whose samples are columns."""
    outs, ins = weight.array.shape
    layer = Layer(ins, outs, Identity(), np.random.default_rng(0))
    layer.weight = weight.array
    layer.bias = np.zeros((outs, 1)) if bias is None else bias.array.reshape(outs, 1)
    columns = x.array.reshape(-1, ins).T
    result = layer.forward(columns).T.reshape(*x.array.shape[:-1], outs)

    def backward(g: Array) -> Sequence[Array]:
        by_x, by_weight, by_bias = layer.backward(columns, g.reshape(-1, outs).T)
        return by_x.T.reshape(x.array.shape), by_weight, *([] if bias is None else [by_bias.reshape(outs)])

    return Value(result, [x, weight, *([] if bias is None else [bias])], backward)


def activate(activation: Activation, x: Value) -> Value:
    return Value(activation.f(x.array), [x], lambda g: [g * activation.df(x.array)])


def mse_loss(output: Value, target: Value) -> Value:
    """The engine differentiates by the output; by the target it is the same with the sign turned."""
    loss = MSE()
    return Value(
        np.asarray(loss.f(output.array, target.array)),
        [output, target],
        lambda g: [g * loss.df(output.array, target.array), -g * loss.df(output.array, target.array)],
    )


class LayeredBackend:
    """float64, first derivatives."""

    name = "layered_network"
    ops: Mapping[str, Callable[..., Value]] = {
        "linear": linear,
        "leaky_relu": lambda x, negative_slope=0.01: activate(LeakyReLU(negative_slope), x),
        "sigmoid": lambda x: activate(Sigmoid(), x),
        "mse_loss": mse_loss,
    }

    def __init__(self) -> None:
        self._leaves: weakref.WeakSet[Value] = weakref.WeakSet()

    def supports(self, name: str, options: Mapping[str, Any]) -> bool:
        """Whether there is an op of torch's name with these options."""
        return name.rpartition(".")[2] in self.ops and options.keys() <= {"negative_slope"}

    def tensor(self, array: Array, requires_grad: bool = False) -> Value:
        if array.dtype != np.float64:
            raise Unsupported(f"{array.dtype} is missing: the network computes in float64")
        leaf = Value(array.copy())
        leaf.requires_grad = requires_grad
        if requires_grad:
            self._leaves.add(leaf)
        return leaf

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "autograd.backward":
            return self._backward(*args)
        if not self.supports(name, kwargs):
            raise Unsupported(f"{name} is missing")
        return self.ops[name.rpartition(".")[2]](*args, **kwargs)

    def dtype(self, name: str) -> Any:
        if name != "float64":
            raise Unsupported(f"torch.{name} is missing")
        return np.dtype(name)

    def grad(
        self, outputs: Sequence[Value], inputs: Sequence[Value], cotangents: Sequence[Value], create_graph: bool = False
    ) -> list[Array | None]:
        if create_graph:
            raise Unsupported("create_graph is missing: derivatives are plain arrays")
        found: dict[Value, Array] = {}
        for output, cotangent in zip(outputs, cotangents, strict=True):
            found[output] = np.asarray(found.get(output, 0.0) + cotangent.array)
        for value in reversed(_in_order(outputs)):
            if value in found and value.backward is not None:
                for source, g in zip(value.sources, value.backward(found[value]), strict=True):
                    found[source] = np.asarray(found.get(source, 0.0) + g)
        return [found.get(each) for each in inputs]

    def _backward(self, outputs: Sequence[Value], cotangents: Sequence[Value]) -> None:
        leaves = list(self._leaves)
        for leaf, g in zip(leaves, self.grad(outputs, leaves, cotangents), strict=True):
            if g is not None:
                leaf.grad = g if leaf.grad is None else leaf.grad + g

    def module(self, name: str, *args: Any, **kwargs: Any) -> Any:
        raise Unsupported(f"{name} is missing")

    def manual_seed(self, seed: int) -> None:
        raise Unsupported("torch.manual_seed is missing")

    def snapshot(self, value: Any) -> Any:
        if isinstance(value, Value):
            grad = None if value.grad is None else self.snapshot(value.grad)
            return Snapshot(value.array.copy(), "float64", value.array.shape, grad=grad)
        if isinstance(value, np.ndarray):
            return Snapshot(value.copy(), "float64", value.shape)
        return value


def _in_order(outputs: Sequence[Value]) -> list[Value]:
    """Everything behind the outputs, sources first."""
    order: dict[Value, None] = {}

    def visit(value: Value) -> None:
        if value not in order:
            for source in value.sources:
                visit(source)
            order[value] = None

    for output in outputs:
        visit(output)
    return list(order)


BACKEND = LayeredBackend()
