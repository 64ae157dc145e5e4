"""An engine of scalars as a framework that the instrument can test.

The engines here know one number at a time.  A tensor is a grid of their scalars, and an op works on it one by one, with
NumPy's broadcasting.  What an engine does not declare is unsupported and never counts as passed: there is no op here
that the engine itself has not computed.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from parity_tests.backends import Unsupported
from parity_tests.check import Snapshot

Array = NDArray[Any]

# Names for the same op; torch's in-place forms, options and reductions are no op of a scalar.
_SAME = {"truediv": "div", "true_divide": "div"}


class Engine(Protocol):
    """What an engine of scalars has to tell.  A scalar is whatever object it computes with."""

    @property
    def name(self) -> str:
        """What to call it in reports."""
        ...

    @property
    def ops(self) -> Mapping[str, Callable[..., Any]]:
        """By torch's name ('add'): functions of scalars, or of scalars and plain numbers.  All that it supports."""
        ...

    def leaf(self, number: float) -> Any:
        """A scalar that depends on nothing."""
        ...

    def number(self, scalar: Any) -> float:
        """What a scalar's value is."""
        ...

    def gradients(self, roots: Sequence[Any], forces: Sequence[float]) -> Mapping[Any, float]:
        """The derivative of the sum of force times root, by every scalar that a root depends on."""
        ...


class Grid:
    """A tensor: an array of scalars.  grad is its gradient, for a leaf that requires one and has got it."""

    def __init__(self, cells: Array, requires_grad: bool = False) -> None:
        self.cells, self.requires_grad = cells, requires_grad
        self.grad: Array | None = None


class ScalarBackend:
    """The `Backend` of an engine: float64, first derivatives, elementwise ops, nothing in place."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.name = engine.name
        self.ops = frozenset(engine.ops)
        self._leaves: weakref.WeakSet[Grid] = weakref.WeakSet()

    def tensor(self, array: Array, requires_grad: bool = False) -> Grid:
        if array.dtype != np.float64:
            raise Unsupported(f"{array.dtype} is missing: a scalar's number is a Python float")
        grid = Grid(self._map(self.engine.leaf, array.astype(object)), requires_grad)
        if requires_grad:
            self._leaves.add(grid)
        return grid

    def supports(self, name: str, options: Mapping[str, Any]) -> bool:
        """Whether the engine declares an op of torch's name ('operator.add')."""
        return _bare(name) in self.ops and not options

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "autograd.backward":
            return self._backward(*args)
        if not self.supports(name, kwargs):
            raise Unsupported(f"{name} is missing")
        operands = [each.cells if isinstance(each, Grid) else float(each) for each in args]
        cells = self._map(self.engine.ops[_bare(name)], *operands)
        if any(cell is None for cell in cells.flat):
            return None  # what returns nothing returns nothing, of any shape
        return Grid(cells)

    def dtype(self, name: str) -> Any:
        if name != "float64":
            raise Unsupported(f"torch.{name} is missing")
        return np.dtype(name)

    def grad(
        self, outputs: Sequence[Grid], inputs: Sequence[Grid], cotangents: Sequence[Grid], create_graph: bool = False
    ) -> list[Array | None]:
        if create_graph:
            raise Unsupported("create_graph is missing: gradients are plain numbers")
        return self._differentiate(outputs, inputs, cotangents)

    def module(self, name: str, *args: Any, **kwargs: Any) -> Any:
        raise Unsupported(f"{name} is missing")

    def manual_seed(self, seed: int) -> None:
        raise Unsupported("torch.manual_seed is missing")

    def snapshot(self, value: Any) -> Any:
        if isinstance(value, Grid):
            grad = None if value.grad is None else self.snapshot(value.grad)
            return Snapshot(self._numbers(value.cells), "float64", value.cells.shape, grad=grad)
        if isinstance(value, np.ndarray):
            return Snapshot(value, "float64", value.shape)
        return value

    def _backward(self, outputs: Sequence[Grid], cotangents: Sequence[Grid]) -> None:
        leaves = list(self._leaves)
        for leaf, grad in zip(leaves, self._differentiate(outputs, leaves, cotangents), strict=True):
            if grad is not None:
                leaf.grad = grad if leaf.grad is None else leaf.grad + grad

    def _differentiate(
        self, outputs: Sequence[Grid], inputs: Sequence[Grid], cotangents: Sequence[Grid]
    ) -> list[Array | None]:
        roots = [cell for each in outputs for cell in each.cells.flat]
        forces = [float(force) for each in cotangents for force in self._numbers(each.cells).flat]
        found = self.engine.gradients(roots, forces)
        return [
            self._map(lambda cell: found.get(cell, 0.0), each.cells).astype(np.float64)
            if any(cell in found for cell in each.cells.flat)
            else None
            for each in inputs
        ]

    def _numbers(self, cells: Array) -> Array:
        return self._map(self.engine.number, cells).astype(np.float64)

    @staticmethod
    def _map(function: Callable[..., Any], *operands: Any) -> Array:
        """`function` of each cell: an array of objects, of no dimensions too."""
        return np.asarray(np.frompyfunc(function, len(operands), 1)(*operands), object)


def _bare(name: str) -> str:
    bare = name.rpartition(".")[2]
    return _SAME.get(bare, bare)
