"""What backward says of a saved value that was written to since: loaded with the first such error.

torch names what its own node has saved.  Where it computes an op by way of a view of an operand (the transposed weight of
`linear`, a line as an image of height 1), that view is what it has saved, and what it speaks of; here it is the operand.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .._dtype import DIFFERENTIABLE_KINDS
from ..ops._checks import broadcast_shapes, sizes, tensor_type
from ..ops._table import INPUT, OUTPUT, SHAPE, STATIC
from .graph import AccumulateGrad, Node, Nowhere

if TYPE_CHECKING:
    from .._tensor import Tensor

Shape = tuple[int, ...]
# Of the operands that torch saves views of: the title of the view's node, and its shape.
Views = dict[str, tuple[str, Shape]]


def refusal(node: Node, through_view: bool = False) -> str:
    """What is said of the first value, in torch's order, that `node` has saved and that was written to since.

    through_view: whether the result of `node` was written to a view, which has another history since.
    """
    changed = [each for each in node.versions if each[0][0] != each[1]]
    counter, expected, source = min(changed, key=lambda each: _order(node, each[2]))
    told = getattr(source, "told", None)
    what = _saved(node, counter, source) if told is None else told()
    if through_view and isinstance(source, int) and node.op.saves[source][0] == OUTPUT:
        what = what.replace(f" of {node.title()},", " of AsStrided,")
    if "modified inplace" in what:
        return what
    return (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"{what} is at version {counter[0]}; expected version {expected} instead. Hint: enable anomaly detection to "
        "find the operation that failed to compute its gradient, with "
        "torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )


def saves_nothing(node: Node) -> bool:
    """Whether torch has saved nothing for a node: nothing leads on from it, and each value would have been for the gradient of
    one of several inputs."""
    op = getattr(type(node), "op", None)
    if op is None or not all(edge is None or edge.__class__ is Nowhere for edge in node.inputs):
        return False
    return len(node.differentiable()) > 1 and all(len(inputs) == 1 for inputs in op.readers())


# Ops whose first operand has in torch's own declarations the name that it has in Python, and is not called self.
_NAMED_INPUT = frozenset(("batch_norm", "convolution", "group_norm", "layer_norm"))


def _order(node: Node, source: Any) -> tuple[int, str]:
    """torch looks at the operands in the order of their names, and then at the results."""
    if isinstance(source, np.ndarray):
        return 0, "indices"
    if not isinstance(source, int):
        return 2, ""
    kind, index = node.op.saves[source]
    if kind != INPUT:
        return 1, str(index)
    name = node.op.parameters[index]
    if index and type(node).__name__ in ("DotBackward0", "MvBackward0"):
        name = "vec"
    return 0, "self" if name == "input" and node.op.name not in _NAMED_INPUT else name


def described(dtype_of: Any, shape: Shape, number: int = 0, title: str | None = None) -> str:
    """A tensor of that shape, and the node that it is a result of, if it has one."""
    what = f"[{tensor_type(dtype_of)} {sizes(shape)}]"
    return what if title is None else f"{what}, which is output {number} of {title},"


def _saved(node: Node, counter: Any, slot: Any) -> str:
    if isinstance(slot, np.ndarray):  # one of several arrays of an index: the array itself, which no op made
        return described(slot, slot.shape)
    assert node.saved is not None
    value = node.saved[slot]
    kind, index = node.op.saves[slot]
    if kind == INPUT:
        return _operand(node, counter, value, index, view_saved(node, slot))
    assert kind == OUTPUT
    view = view_saved(node, slot)
    differentiable = value.dtype.kind in DIFFERENTIABLE_KINDS
    return described(value, view[1] if view else value.shape, index, node.title() if differentiable else None)


def _operand(node: Node, counter: Any, value: Any, index: int, view: tuple[str, Shape] | None) -> str:
    source, number = node.inputs[index], node.numbers[index] if node.numbers else 0
    if view is not None:
        title, shape = view
        several = isinstance(source, Node) and source.several and source.is_of_view()
        value = value.real if node.op.name == "convolution" else value
        return _several(title, 0) if several else described(value, shape, 0, None if source is None else "AsStrided")
    if isinstance(source, Nowhere):
        return _made_without_recording(value) or described(value, value.shape)
    if isinstance(source, Node) and source.is_of_view():
        if source.several:
            return _several(source.title(), number)
        return _made_without_recording(value) or described(value, value.shape, 0, source.title_since_write())
    if isinstance(source, AccumulateGrad):
        leaf = source.leaf()
        if leaf is None:
            return described(value, value.shape)
        made = None if leaf._node is None or leaf._has_no_history() else leaf._node.title()
        return described(leaf._data, leaf._data.shape, leaf._number, made)
    unpacked = not value.flags.writeable  # a result of `source`, see `engine.saved_tensors`
    if len(counter) > 1 and not unpacked and (source is not None or not _is_without_history(value, counter)):
        return described(value, value.shape, 0, counter[1])  # the last recorded write left its name
    return described(value, value.shape, number, None if source is None else source.title())


def _made_without_recording(value: Any) -> str:
    """What is said of a view that was made without recording, or one of such a view, when its memory was written to."""
    from .._view_errors import forbidden

    for each in _tensors():
        if each._data is value and each._view is not None and each._view.creation is not None:
            return str(forbidden(each, each._view.creation, indirect=True))
    return ""


def is_known_as_view(write: Node) -> bool:
    """Whether some tensor still has the history that a view got when it was written to: that of a node just after `write`."""
    return any(each._node is not None and each._node.sequence == write.sequence + 1 for each in _tensors())


def _tensors() -> list[Tensor]:
    """All that there are."""
    import gc

    from .._tensor import Tensor

    return [each for each in gc.get_objects() if issubclass(type(each), Tensor)]


def _several(title: str, number: int) -> str:
    from .._view_errors import written_to

    return written_to(title, number)


def _is_without_history(array: Any, counter: Any) -> bool:
    """Whether the Tensor with this array has no history; or is no more, and another one with the same memory has that which
    was recorded.  For errors: all objects are looked at."""
    import gc

    from .._tensor import Tensor

    sharing = [x for x in gc.get_objects() if issubclass(type(x), Tensor) and x._version_counter is counter]
    owners = [each for each in sharing if each._data is array]
    return any(each._node is None for each in owners) if owners else any(each._node is not None for each in sharing)


# -- operands that were given data of another shape ------------------------------------------------------------------------

_SHAPE = re.compile(r"\(([\d, ]*)\)")


def in_words_of_torch(error: ValueError) -> Exception:
    """torch's error for NumPy's of shapes that do not fit; any other as it is."""
    text = str(error)
    shapes = [tuple(map(int, filter(None, each.replace(" ", "").split(",")))) for each in _SHAPE.findall(text)]
    if text.startswith("operands could not be broadcast together with shapes"):
        for one, other in itertools.pairwise(shapes):
            try:
                broadcast_shapes(one, other)
            except RuntimeError as found:
                return found
    if text.startswith("cannot reshape array of size") and shapes:
        return RuntimeError(f"shape '{sizes(shapes[-1])}' is invalid for input of size {text.split()[5]}")
    return error


# -- what a recorded backward pass has saved of the forward pass -----------------------------------------------------------

# Ops whose backward is one op in torch, which saves all that it is given; here it is made of several.
_DERIVED_AS_ONE = frozenset(("batch_norm", "convolution", "layer_norm", "rms_norm"))


class _Told:
    """In the place of the number of a slot: what a node further on has saved, and what is said of it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def told(self) -> str:
        return self.text


def hand_on_versions(node: Node, gradients: list[Any]) -> None:
    """Have what was recorded of a node's backward know what that has saved beside its operands: indices above all."""
    node = getattr(node, "inner", node)
    handed = [
        (c, v, at if hasattr(at, "told") else _Told(_saved(node, c, at)))
        for c, v, at in node.versions
        if _is_handed_on(node, at)
    ]
    if handed:
        for each in gradients:
            if each is not None and each._node is not None and not isinstance(each._node, AccumulateGrad):
                each._node.versions = [*handed, *each._node.versions]


def _is_handed_on(node: Node, source: Any) -> bool:
    if not isinstance(source, int):
        return isinstance(source, np.ndarray) or hasattr(source, "told")
    op = node.op
    if op.name in _DERIVED_AS_ONE:
        return source not in op.also_saved
    assert node.saved is not None
    return source in op.also_saved and node.saved[source].dtype.kind not in DIFFERENTIABLE_KINDS


# -- the views that torch saves ------------------------------------------------------------------------------------------


class _Saved:
    """What a node has saved of operands, options and results, by their names; None of what it has not."""

    def __init__(self, node: Node) -> None:
        self._values: dict[str, Any] = {}
        assert node.saved is not None
        for value, (kind, index) in zip(node.saved, node.op.saves, strict=True):
            if kind == OUTPUT:
                self._values[node.op.outputs[index]] = value
            else:
                suffix = {INPUT: "", STATIC: "", SHAPE: "_shape"}.get(kind)
                if suffix is not None:
                    self._values[node.op.parameters[index] + suffix] = value

    def __getattr__(self, name: str) -> Any:
        return self._values.get(name)


def view_saved(node: Node, slot: int) -> tuple[str, Shape] | None:
    """The title and shape of the view that torch saves of an operand or a result, None where it is this itself."""
    part = getattr(slot, "part", None)  # see `ops._folding`
    if part is not None:
        return (part.title, part.shape) if part.title else None
    views = _VIEWS.get(node.op.name)
    kind, index = node.op.saves[slot]
    names = node.op.outputs if kind == OUTPUT else node.op.parameters
    return None if views is None else views(_Saved(node)).get(names[index])


def _of_line(saved: Any) -> Views:
    """In one dimension torch pools images of height 1."""
    if len(saved.pool.size) != 1:
        return {}
    pooled = {"input": saved.input, "indices": saved.indices}
    return {name: ("Unsqueeze", (*x.shape[:-1], 1, x.shape[-1])) for name, x in pooled.items() if x is not None}


def _of_unpooled_line(saved: Any) -> Views:
    return {"indices": ("Unsqueeze", (*saved.indices.shape, 1))} if len(saved.size) == 1 else {}


def _of_attention(saved: Any) -> Views:
    from ..ops.attention import part_of_value

    part = part_of_value(saved.query, saved.key, saved.value)
    return {} if part.title is None else {"value": (part.title, part.shape)}


def _of_bags(saved: Any) -> Views:
    """Bags of one size are given as the rows of a matrix, and taken as a vector."""
    given = {"indices": saved.indices, "per_sample_weights": saved.per_sample_weights}
    return {name: ("View", (x.size,)) for name, x in given.items() if x is not None and x.ndim == 2}


def _of_convolution(saved: Any) -> Views:
    """Complex ones are sums of products of the real and the imaginary parts."""
    given = {"input": saved.input, "weight": saved.weight}
    return {name: ("Select", x.shape) for name, x in given.items() if x is not None and x.dtype.kind == "c"}


def _of_linear(saved: Any) -> Views:
    """The product of the input and the transposed weight."""
    input = _or_contiguous(saved.input, saved.input_shape)
    weight = _or_contiguous(saved.weight, saved.weight_shape)
    views = _of_product("input", input, "weight", weight.T, saved)
    return {"weight": ("T", weight.shape[::-1]), **views}


def _of_matmul(saved: Any) -> Views:
    input = _or_contiguous(saved.input, saved.input_shape)
    return _of_product("input", input, "other", _or_contiguous(saved.other, saved.other_shape), saved)


def _or_contiguous(array: Any, shape: Shape) -> Any:
    """What has not been saved, where it makes no difference how it is laid out."""
    return np.empty(shape) if array is None else array


def _of_product(left: str, a: Any, right: str, b: Any, saved: Any) -> Views:
    """An operand has been saved if the other one requires grad."""
    from ..ops._folding import parts

    needs = getattr(saved, right) is not None, getattr(saved, left) is not None
    found = dict(zip((left, right), parts(a, b, needs), strict=True))
    return {name: (part.title, part.shape) for name, part in found.items() if part.title is not None}


def _of_outer(saved: Any) -> Views:
    return {} if saved.input is None else {"input": ("View", (saved.input.size, 1))}


def _of_prelu(saved: Any) -> Views:
    """The slopes stand along dimension 1 of as many as the input has."""
    input, weight = saved.input, saved.weight
    if weight.ndim == input.ndim:
        return {}
    return {"weight": ("View", tuple(weight.size if dim == 1 else 1 for dim in range(input.ndim)))}


_VIEWS: dict[str, Callable[[Any], Views]] = {
    "attention": _of_attention,
    "avg_pool": _of_line,
    "convolution": _of_convolution,
    "embedding_bag": _of_bags,
    "linear": _of_linear,
    "matmul": _of_matmul,
    "max_pool": _of_line,
    "max_pool_with_indices": _of_line,
    "max_unpool": _of_unpooled_line,
    "outer": _of_outer,
    "prelu": _of_prelu,
}
