"""The scope of a program under construction: it hands out operands that fulfil what an op requires."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from hypothesis import strategies as st

from parity_tests.cases.program import Input, Ref, Step
from parity_tests.cases.types import DTYPES, FLOATING, Shape, Type, broadcast
from parity_tests.check.snapshot import Array

T = TypeVar("T")
Operand = tuple[Ref, Type]

# Beyond these a program would overflow, or run for the sake of size.
LARGEST, MOST_ELEMENTS = 1e6, 160
EXACT_LARGEST = 2.0**12

# Ops that add up: where the order matters, overflow does not mean much.
PRODUCTS = {"mm", "bmm", "matmul", "addmm", "linear"}
SUMS = PRODUCTS | {"sum", "mean", "var", "softmax", "log_softmax", "mse_loss", "nll_loss", "cross_entropy"}
CONVOLUTIONS = {"conv1d", "conv2d", "conv_transpose2d"}
NORMS = {"layer_norm", "batch_norm", "group_norm"}
LAYER_SUMS = CONVOLUTIONS | NORMS | {
    "avg_pool2d", "adaptive_avg_pool2d", "scaled_dot_product_attention",
    "binary_cross_entropy_with_logits", "smooth_l1_loss", "huber_loss", "kl_div",
}  # fmt: skip
# Of equal zeros torch's own kernels choose now the one, now the other, by the position in the array.
BLURRING = SUMS | LAYER_SUMS | {"maximum", "minimum", "max", "min", "amax", "amin", "clamp", "max_pool2d"}


# The edges of float32; infinities among small integers, whose sum does not depend on the order; kinks.
_SPECIAL = {
    "edges": [0.0, 1.0, 0.5, 2.5, 1e-45, 1e-38, 1e-30, 1e4, 3e38, np.inf, np.nan],
    "infinities": [0.0, 1.0, 2.0, np.inf, np.nan],
    "ties": [0.0, 1.0],
}
_SIGNED = ("edges", "infinities")  # with zeros of both signs; after a tie of the two, 1 / sqrt is anybody's infinity


@functools.cache
def _pool(kind: str) -> Array:
    """Numbers to cut inputs from: drawing each through Hypothesis would cost more than running the program."""
    random = np.random.default_rng(20)
    if kind == "whole":
        return random.integers(-3, 4, 4096).astype(np.float64)
    if kind in _SPECIAL:
        numbers = np.array(_SPECIAL[kind] + [-x for x in _SPECIAL[kind]])
        return random.choice(numbers if kind in _SIGNED else numbers + 0.0, 4096)
    return np.clip(random.standard_normal(4096), -3, 3)


def numbers(kind: str, offset: int, shape: Shape, dtype: str) -> Array:
    """An array cut from the pool at `offset`."""
    pool = _pool(kind if dtype in FLOATING else "whole" if kind == "smooth" else kind)
    flat = pool[(np.arange(math.prod(shape)) + offset) % len(pool)]
    if dtype not in FLOATING:
        flat = np.nan_to_num(flat, nan=0.0, posinf=3, neginf=-3).clip(-3, 3)
        flat = abs(flat) if dtype == "uint8" else flat
        flat = flat > 0 if dtype == "bool" else flat
    return flat.reshape(shape).astype(dtype)


class Scope:
    """The values of a program so far, and the dice.

    kind:  'whole' (small integers, exact ops), 'smooth' (floats, within the domains), 'edges' (the extremes of float32),
           'infinities' (infinities and NaN among small integers) or 'ties' (zeros, ones, and nothing else).
    dtype: what fresh floating-point inputs are of.
    once:  whether something in the program can be differentiated only once.
    """

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any], kind: str, dtype: str, sizes: Sequence[int]):
        self.draw, self.kind, self.dtype, self.sizes = draw, kind, dtype, sizes
        self.inputs: list[Input] = []
        self.steps: list[Step] = []
        self.types: dict[str, Type] = {}
        self.offset = self.draw_int(0, 4095)
        self._storages = 0
        self.special = kind in _SPECIAL
        self.once = False

    # -- dice

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[self.draw_int(0, len(choices) - 1)]

    def draw_int(self, low: int, high: int) -> int:
        """Between the two, both included; the lower is the simpler."""
        return int(self.draw(st.integers(low, high)))

    def chance(self, one_in: int) -> bool:
        """True once in so many; False is the simpler."""
        return self.draw_int(0, one_in - 1) == one_in - 1

    def dim(self, rank: int) -> int:
        """An axis of a tensor of this rank, counted from either end; 0-d tensors have 0 and -1 as well."""
        return self.draw_int(-max(rank, 1), max(rank, 1) - 1)

    def draw_permutation(self, rank: int) -> Sequence[int]:
        return tuple(self.draw(st.permutations(range(rank))))

    def shape(self, most: int = 3, least: int = 0) -> Shape:
        """Sizes that the program uses elsewhere, and ones, so that shapes meet."""
        rank = self.draw_int(least, most)
        return tuple(self.one_of(self.sizes) for _ in range(rank))

    # -- values

    def any_shape(self) -> Shape:
        shape = self.shape()
        return shape if math.prod(shape) <= MOST_ELEMENTS else shape[:1]

    def fresh(
        self,
        shape: Shape,
        dtype: str = "",
        fits: Callable[[Array], Array] | None = None,
        grad: bool | None = None,
    ) -> Operand:
        """A new input.  `fits` turns numbers from the pool into ones that an op accepts."""
        dtype = dtype or self.dtype
        self.offset += 61
        array = numbers(self.kind, self.offset, shape, dtype)
        if fits is not None:
            array = np.asarray(fits(array)).astype(array.dtype)
        requires_grad = dtype in FLOATING and (not self.chance(3) if grad is None else grad)
        layout = self._layout(array) if self.chance(4) else "contiguous"
        if layout == "expanded":
            array = np.broadcast_to(array[:1], shape).copy()
        name = f"x{len(self.inputs)}"
        self.inputs.append(Input(name, array, requires_grad, layout))
        type_ = self._typed(array, requires_grad, layout)
        self.types[name] = type_
        return Ref(name), type_

    def _layout(self, array: Array) -> str:
        layouts = [
            name
            for name, possible in (
                ("transposed", array.ndim > 1),
                ("strided", array.ndim > 0),
                ("expanded", array.ndim > 0 and len(array) > 0),
            )
            if possible
        ]
        return self.one_of(layouts) if layouts else "contiguous"

    def _typed(self, array: Array, requires_grad: bool, layout: str) -> Type:
        low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)
        if self.special:
            low, high = -math.inf, math.inf
        return Type(
            array.shape,
            array.dtype.name,
            low,
            high,
            whole=array.dtype.kind != "f" or bool(np.all(array == np.round(array))),
            grad=requires_grad,
            contiguous=layout == "contiguous",
            writable=not requires_grad and layout != "expanded",
            storage=self.new_storage(),
        )

    def new_storage(self) -> int:
        self._storages += 1
        return self._storages

    def operand(
        self,
        requires: Callable[[Type], bool] = lambda type_: True,
        fresh: Callable[[], Operand] | None = None,
    ) -> Operand | None:
        """A value that fulfils what is required: an earlier one, or else a new input (None if neither does).

        Earlier values are offered newest first: chains and shared values both come of it.
        """
        fitting = [(Ref(name), type_) for name, type_ in reversed(self.types.items()) if requires(type_)]
        if fitting and not self.chance(5):
            return fitting[self.draw_int(0, len(fitting) - 1)]
        made = (fresh or (lambda: self.fresh(self.any_shape(), self._dtype())))()
        return made if requires(made[1]) else None

    def floating(self, requires: Callable[[Type], bool] = lambda type_: True) -> Operand | None:
        """An operand of a floating-point dtype."""
        return self.operand(lambda type_: type_.floating and requires(type_), lambda: self.fresh(self.any_shape()))

    def _dtype(self) -> str:
        """What a fresh operand is of where any dtype will do: now and then not what the others are of."""
        return self.one_of(DTYPES) if self.chance(6) else self.dtype

    def partner(
        self,
        first: Type,
        requires: Callable[[Type], bool] = lambda type_: True,
        fits: Callable[[Array], Array] | None = None,
        dtype: str = "",
    ) -> Operand | None:
        """A value that broadcasts with `first` and fulfils `requires`; a fresh one has fewer axes, or ones among them."""

        def meets(type_: Type) -> bool:
            shape = broadcast(first.shape, type_.shape)
            return shape is not None and math.prod(shape) <= MOST_ELEMENTS and requires(type_)

        def made() -> Operand:
            shape = first.shape[self.draw_int(0, first.rank) :] if self.chance(2) else first.shape
            if shape and self.chance(3):
                axis = self.draw_int(0, len(shape) - 1)
                shape = (*shape[:axis], 1, *shape[axis + 1 :])
            return self.fresh(shape, dtype, fits)

        return self.operand(meets, made)

    def moderate(self, low: float, high: float) -> bool:
        """Whether results in this interval may be used further (they are exact, in a program of small integers)."""
        if self.special:
            return True
        return max(abs(low), abs(high)) <= (EXACT_LARGEST if self.kind == "whole" else LARGEST)

    # -- results

    def emit(self, op: str, args: Sequence[Any], kwargs: dict[str, Any], *types: Type, rounds: bool = True) -> None:
        """Append a step with results of these types (no type: the call is made for its effect)."""
        names = tuple(f"y{sum(name[0] == 'y' for name in self.types) + k}" for k in range(len(types)))
        blurs = op.rpartition(".")[2].rstrip("_") in BLURRING
        fresh = all(type_.storage < 0 for type_ in types)  # no view
        no_grad = fresh and any(type_.grad for type_ in types) and self.chance(20)
        self.steps.append(Step(op, tuple(args), kwargs, names, rounds, blurs, no_grad))
        for name, type_ in zip(names, types, strict=True):
            if no_grad:
                type_ = type_.but(grad=False, writable=False)
            if type_.storage < 0:
                type_ = type_.but(storage=self.new_storage())
            self.types[name] = type_

    def overwrite(self, storage: int, written: Type) -> None:
        """Values that share memory with one that was changed in place: their elements may be the new ones."""
        for name, type_ in self.types.items():
            if type_.storage == storage:
                self.types[name] = type_.but(
                    low=min(type_.low, written.low),
                    high=max(type_.high, written.high),
                    whole=type_.whole and written.whole,
                    grad=type_.grad or written.grad,
                )
