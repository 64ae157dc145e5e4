"""Index expressions: what can stand between the brackets of `x[...]`, as plain data that either framework can be given.

`indexed()` draws a tensor (shape, layout, dtype) and an index for it, mostly a valid one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

Shape = tuple[int, ...]

SHAPES: tuple[Shape, ...] = (
    (), (4,), (1,), (0,), (2, 3), (3, 1), (0, 3), (3, 0), (2, 3, 4), (1, 3, 2), (3, 3, 3), (2, 0, 3), (2, 1, 3, 2),
)  # fmt: skip
LAYOUTS = ("row by row", "transposed", "every other", "shifted", "expanded")
DTYPES = ("float32", "float32", "float32", "float64", "float16", "int64", "uint8", "bool")


@dataclass(frozen=True)
class Tensor:
    """A tensor to be indexed: its shape, and how it lies in the memory of its leaf."""

    shape: Shape
    layout: str = "row by row"
    dtype: str = "float32"

    @property
    def is_floating(self) -> bool:
        return self.dtype.startswith("float")

    def made(self, ns: Any) -> tuple[Any, Any]:
        """The leaf, and the tensor: computed from it if it can have a gradient, and then seen in the layout."""
        shape, layout = self.shape, self.layout
        if not shape or (layout == "expanded" and shape[0] == 0):
            layout = "row by row"
        whole = {
            "row by row": shape,
            "transposed": shape[::-1],
            "every other": (*shape[:-1], 2 * shape[-1]) if shape else (),
            "shifted": (shape[0] + 1, *shape[1:]) if shape else (),
            "expanded": (1, *shape[1:]),
        }[layout]
        numbers = np.arange(math.prod(whole), dtype=np.float32).reshape(whole)
        leaf = ns.tensor(numbers.tolist(), dtype=getattr(ns, self.dtype)).reshape(whole)
        if self.is_floating:
            leaf.requires_grad_()
        x = leaf * 1 if self.is_floating else leaf.clone()
        if layout == "transposed":
            x = x.permute(tuple(range(len(shape)))[::-1])
        elif layout == "every other":
            x = x.unflatten(-1, (shape[-1], 2)).select(-1, 0)
        elif layout == "shifted":
            x = x.narrow(0, 1, shape[0])
        elif layout == "expanded":
            x = x.expand(shape)
        return leaf, x


@dataclass(frozen=True)
class Part:
    """One part of an index: `made(ns)` gives the object itself."""

    kind: str
    data: Any = None
    dtype: str = ""

    def made(self, ns: Any) -> Any:
        return _MAKERS[self.kind](ns, self.data, self.dtype)


_MAKERS: dict[str, Callable[[Any, Any, str], Any]] = {
    "plain": lambda ns, data, dtype: data,
    "list": lambda ns, data, dtype: data,
    "range": lambda ns, data, dtype: range(*data),
    "slice": lambda ns, data, dtype: slice(*(_bound(ns, each, dtype) for each in data)),
    "tensor": lambda ns, data, dtype: ns.tensor(data, dtype=getattr(ns, dtype)),
    "numpy": lambda ns, data, dtype: np.array(data, dtype),
    "numpy number": lambda ns, data, dtype: np.dtype(dtype).type(data),
    "tensors": lambda ns, data, dtype: [ns.tensor(each, dtype=getattr(ns, dtype)) for each in data],
    "odd": lambda ns, data, dtype: {"dtype": ns.float32, "float tensor": ns.ones(2), "object": object()}[data],
}


def _bound(ns: Any, value: Any, kind: str) -> Any:
    if value is None or not kind:
        return value
    return np.int64(value) if kind == "numpy" else ns.tensor(value)


@dataclass(frozen=True)
class Index:
    """The parts of an index, and in what they are packed: alone, in a tuple or (deprecated) in a list."""

    parts: tuple[Part, ...]
    packing: str = "tuple"

    def made(self, ns: Any) -> Any:
        made = [part.made(ns) for part in self.parts]
        if self.packing == "list":
            return made
        return made[0] if self.packing == "alone" and len(made) == 1 else tuple(made)


# -- parts -----------------------------------------------------------------------------------------------------------

INTEGER_DTYPES = ("int64", "int64", "int32")


@st.composite
def _slices(draw: Any, size: int) -> Part:
    bounds = st.none() | st.integers(-size - 2, size + 2)
    how = draw(st.sampled_from(("", "", "", "", "tensor", "numpy")))
    return Part("slice", (draw(bounds), draw(bounds), draw(st.none() | st.integers(1, 3))), how)


def _numbers(size: int, shape: Shape, draw: Any) -> Any:
    """Nested lists of `shape` of positions along a dimension; very rarely one too large."""
    top = size - 1 if size else 0
    positions = st.integers(-size, top) if draw(st.integers(0, 60)) else st.integers(-size - 1, size)
    flat = [draw(positions) for _ in range(math.prod(shape))]
    return np.array(flat, np.int64).reshape(shape).tolist()


@st.composite
def _arrays(draw: Any, size: int, shape: Shape) -> Part:
    """Integers of `shape`, as one of the things that torch takes for an index tensor."""
    data = _numbers(size, shape, draw)
    kind = draw(
        st.sampled_from(("tensor", "tensor", "tensor", "list", "numpy") if shape else ("tensor", "numpy number"))
    )
    if kind == "list" and not math.prod(shape):
        kind = "tensor"
    dtypes = INTEGER_DTYPES if kind == "tensor" else ("int64", "int32", "int16", "int8")
    return Part(kind, data, "" if kind == "list" else draw(st.sampled_from(dtypes)))


@st.composite
def _masks(draw: Any, shape: Shape) -> Part:
    """Truth values of `shape`."""
    data = [draw(st.booleans()) for _ in range(math.prod(shape))]
    nested = np.array(data, bool).reshape(shape).tolist()
    kind = draw(st.sampled_from(("tensor", "tensor", "numpy", "list" if len(shape) == 1 and shape[0] else "tensor")))
    dtype = draw(st.sampled_from(("bool", "bool", "bool", "uint8")))
    return Part(kind, nested, "" if kind == "list" else dtype)


_ODD = st.sampled_from(
    [
        Part("plain", 1.5), Part("plain", "a"), Part("plain", 9), Part("plain", -9), Part("plain", 2**70),
        Part("plain", 1j), Part("odd", "object"), Part("odd", "dtype"), Part("odd", "float tensor"),
        Part("slice", (None, None, 0)), Part("slice", (None, None, -1)), Part("slice", (1.0, None, None)),
        Part("tensor", [0], "int16"), Part("tensor", [0], "int8"), Part("tensor", [True, False, True, True, True], "bool"),
        Part("list", [0.5]), Part("list", [[0, 1], [0]]), Part("list", [None]), Part("list", []), Part("range", (2,)),
        Part("tensors", [0, 0], "int64"), Part("numpy", [0.0], "float64"), Part("numpy number", 0, "float32"),
        Part("plain", True), Part("plain", False), Part("tensor", True, "bool"), Part("tensor", 0, "uint8"),
        Part("tensor", 0, "int8"), Part("plain", b"a"), Part("plain", {}), Part("numpy number", True, "bool"),
    ]
)  # fmt: skip


@st.composite
def indices(draw: Any, shape: Shape) -> Index:
    """An index for a tensor of `shape`: mostly a valid one."""
    common = draw(st.sampled_from(((2,), (3,), (1,), (2, 3), (), (0,), (2, 1))))
    parts: list[Part] = []
    dim, ellipsis = 0, False
    stop = draw(st.integers(0, len(shape)))
    while dim < stop:
        kind = draw(
            st.sampled_from(("int", "slice", "slice", "array", "array", "mask", "none", "ellipsis", "truth", "odd"))
        )
        if kind == "odd" and draw(st.integers(0, 3)):
            continue
        if kind == "mask":
            width = draw(st.integers(1, min(2, len(shape) - dim)))
            parts.append(draw(_masks(shape[dim : dim + width])))
            dim += width
        elif kind == "none":
            parts.append(Part("plain", None))
        elif kind == "ellipsis" and not ellipsis:
            parts.append(Part("plain", ...))
            ellipsis = True
            dim = len(shape) - (stop - dim)
            stop = len(shape)
        elif kind == "truth" and not draw(st.integers(0, 2)):
            parts.append(Part("plain", draw(st.booleans())))
        elif kind == "odd":
            parts.append(draw(_ODD))
            dim += 1
        elif kind in ("int", "slice", "array"):
            size = shape[dim]
            if kind == "int" and size:
                parts.append(Part("plain", draw(st.integers(-size, size - 1))))
            elif kind == "array" and size:
                own = common[draw(st.integers(0, len(common))) :] if draw(st.booleans()) else common
                parts.append(draw(_arrays(size, own)))
            else:
                parts.append(draw(_slices(size)))
            dim += 1
    if not parts and draw(st.booleans()):
        parts.append(draw(st.sampled_from([Part("plain", ...), Part("plain", None), Part("plain", True)]) | _ODD))
    return Index(tuple(parts), draw(st.sampled_from(("tuple", "alone", "alone", "tuple", "list"))))


@st.composite
def tensors(draw: Any, layouts: tuple[str, ...] = LAYOUTS) -> Tensor:
    """A tensor of any shape, layout and dtype."""
    return Tensor(draw(st.sampled_from(SHAPES)), draw(st.sampled_from(layouts)), draw(st.sampled_from(DTYPES)))


@st.composite
def indexed(draw: Any, layouts: tuple[str, ...] = LAYOUTS) -> tuple[Tensor, Index]:
    """A tensor and an index for it."""
    tensor = draw(tensors(layouts))
    return tensor, draw(indices(tensor.shape))
