"""The histories of views and bases that were written to through one another: torch's CopySlices and AsStrided."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .._layout import memory_of
from .graph import Node


def seen_through(bits: int, g: Any) -> Any:
    """The gradient of what a tensor with these bits has in memory from that of its values, or the other way round."""
    if not bits:
        return g
    from .._conjugation import CONJUGATE, NEGATIVE
    from ..ops.complex import conj

    g = conj(g) if bits & CONJUGATE else g
    return -g if bits & NEGATIVE else g


def forget_hooks(matrix: Node | None) -> None:
    """Before a matrix is written to of which `linear` gave a view: hooks on the view, which are those of the node behind
    the matrix, are no longer on the way to it."""
    if matrix is None or getattr(type(matrix), "op", None) is None or not matrix.op.view:
        return
    (product,) = matrix.inputs
    if product is not None and product.hooks is not None:
        twin = object.__new__(type(product))
        for name in ("inputs", "numbers", "saved", "versions", "shape", "dtype", "sequence"):
            setattr(twin, name, getattr(product, name))
        twin.hooks = None
        matrix.inputs = (twin,)


class _Slices:
    """A base and a view of it, as arrays that lie in memory as they did when the view was written to.

    If one of them views the parts of the other's complex numbers, both are counted in real numbers.  What they look at is
    memory; of one that conjugates what is there, or changes its sign, the gradient is treated alike.
    """

    def __init__(self, base: Any, part: Any) -> None:
        self.bits_of_base, self.bits_of_part = (getattr(each, "bits", 0) for each in (base, part))
        base, part = memory_of(base), memory_of(part)
        self.joins_base, self.joins_part = (each.dtype.kind == "c" for each in (base, part))
        self.separates = self.joins_base != self.joins_part
        self.base, self.part = self.apart(base), self.apart(part)

    def apart(self, x: Any, bits: int = 0) -> Any:
        """The numbers of base or part as they are counted, or from their gradients those of the numbers."""
        from ..ops.complex import separated

        x = seen_through(bits, x)
        return separated(x) if self.separates else x

    def of_base(self, g: Any) -> Any:
        """The gradient of the base, from that of its numbers."""
        return seen_through(self.bits_of_base, self._joined(g, self.joins_base))

    def of_part(self, g: Any) -> Any:
        """The gradient of the view, from that of its numbers."""
        return seen_through(self.bits_of_part, self._joined(g, self.joins_part))

    def _joined(self, g: Any, joins: bool) -> Any:
        from ..ops.complex import view_as_complex

        return view_as_complex(g) if self.separates and joins else g

    def check_within_base(self) -> None:
        """RuntimeError for a view that reaches out of the memory that the base fills, given another one since."""
        from .._layout import extent
        from ..ops.views import check_within_storage, geometry_of

        shape, strides, start = geometry_of(self.base)
        part_shape, part_strides, part_start = geometry_of(self.part)
        capacity = extent(shape, strides) * self.base.itemsize
        check_within_storage(self.part, part_shape, part_strides, part_start - start, capacity)


class AsStridedBackward0(Node):
    """The history of a view whose base was written to: the elements of the base at the view's places."""

    __slots__ = ("layout",)
    layout: tuple[Any, Any]

    def is_of_view(self) -> bool:
        return True

    def apply(self, g: Any, saved: Any, needed: Any, run: Callable[..., Any]) -> list[Any]:
        from ..ops.views import gather_strided, geometry_of

        slices = _Slices(*self.layout)
        base, part = geometry_of(slices.base), geometry_of(slices.part)

        def back(g: Any) -> Any:
            return slices.of_base(gather_strided(slices.apart(g, slices.bits_of_part), base, *part))

        return [run(back, g)]


class CopySlices(Node):
    """The history of a base that was written through a view: `inner` is what happened to the view."""

    __slots__ = ("inner", "layout")
    inner: Node
    layout: tuple[Any, Any]

    def name(self) -> str:
        return "torch::autograd::CopySlices"

    def differentiable(self) -> Sequence[int]:
        return self.inner.differentiable()

    def check_versions(self) -> None:
        if any(counter[0] != version for counter, version, _ in self.inner.versions):
            from .modified import is_known_as_view, refusal

            raise RuntimeError(refusal(self.inner, through_view=is_known_as_view(self)))

    def apply(self, g: Any, saved: Any, needed: Any, run: Callable[..., Any]) -> list[Any]:
        """RuntimeError where a gradient would be written to an expanded view: as in torch, one place has one."""
        from ..ops._checks import check_one_place_each
        from ..ops.elementwise import zeros_of
        from ..ops.indexing import index_put, positions_in, take_at
        from ..ops.shape import reshape

        slices = _Slices(*self.layout)
        slices.check_within_base()
        shape, size = slices.base.shape, slices.base.size
        index = (positions_in(slices.base, slices.part),)

        def in_a_row(g: Any) -> Any:
            return reshape(slices.apart(g, slices.bits_of_base), (size,))

        def rest(g: Any, part_g: Any) -> Any:
            row = in_a_row(g)
            through = zeros_of(take_at(row, index)) if part_g is None else slices.apart(part_g, slices.bits_of_part)
            return slices.of_base(reshape(index_put(row, through, index), shape))

        part_g = run(lambda g: slices.of_part(take_at(in_a_row(g), index)), g)
        inner_grads = self.inner.apply(part_g, saved, None, run)
        through = inner_grads[0] if inner_grads else None
        if through is not None:
            check_one_place_each(slices.part)
        needed_by_base = self.inputs[0] is not None
        return [run(rest, g, through) if needed_by_base else None, *inner_grads[1:]]

    def release(self) -> None:
        self.inner.release()
        self.saved = None  # torch lets go of the inner node, whether or not it has saved anything
