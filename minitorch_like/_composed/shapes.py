"""The functions and methods of shapes and views that are composed of ops; those that change a view in place."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from .._bind import METHODS
from .._capture import mode, structure
from .._functions import by_signature
from .._layout import channels_last, contiguous_format, is_in_format, memory_format, preserve_format, root_of
from .._once import warn_once
from .._set_data import replace_saved
from .._size import Size
from .._tensor import Tensor, wrap
from .._writing import check_writable
from ..autograd.engine import sum_to_shape
from ..autograd.graph import in_place, move_retained, note_shape, type_of_node
from ..ops import TABLE
from ..ops._checks import broadcast_shapes as common_shape
from ..ops._checks import memory_order, sizes, wrap_dim
from ..ops._signature import NOBODY, Reader, check_bound
from ..ops._table import python_value
from ..ops.shape import infer_size
from ..ops.views import geometry_of, reinterpret

PUBLIC: dict[str, Callable[..., Any]] = {}


def _public(function: Callable[..., Any]) -> Callable[..., Any]:
    PUBLIC[function.__name__] = function
    return function


# -- the same elements, seen otherwise -----------------------------------------------------------------------------


@by_signature("(Tensor self, Tensor other)", public=False)
def view_as(self: Any, other: Tensor) -> Tensor:
    return self.view(other.shape)


@by_signature("(Tensor self, Tensor other)", public=False)
def reshape_as(self: Any, other: Tensor) -> Tensor:
    return self.reshape(other.shape)


@by_signature("(Tensor self, Tensor other)", public=False)
def expand_as(self: Any, other: Tensor) -> Tensor:
    return self.expand(other.shape)


def reinterpreted(self: Tensor, dtype: Any) -> Tensor:
    """`x.view(dtype)`: the same bytes as elements of another dtype.  torch does not count it as a view."""
    for bit, kind in (("conjugated", "conjugate view tensors"), ("negated", "tensors with negative bit set")):
        if getattr(self._data, bit, False):
            raise RuntimeError(f"torch.Tensor.view is not supported for {kind} when converting to a different dtype.")
    result: Tensor = wrap(reinterpret(self._data, dtype))
    if self._version_counter.__class__ is list and not mode.inference:
        result._version_counter = self._version_counter
    return result


@by_signature("(Tensor input, int axis0, int axis1)", into=PUBLIC)
def swapaxes(input: Any, axis0: int, axis1: int) -> Tensor:
    return input.transpose(axis0, axis1)


@by_signature("(Tensor input, int dim0, int dim1)", into=PUBLIC)
def swapdims(input: Any, dim0: int, dim1: int) -> Tensor:
    return input.transpose(dim0, dim1)


@by_signature("(Tensor input)", into=PUBLIC)
def ravel(input: Any) -> Tensor:
    return input.contiguous().view(-1)


_MOVED = (
    "(Tensor input, int source, int destination)",
    "(Tensor input, int[] source, int[] destination)",
)


@by_signature(*_MOVED, into=PUBLIC)
def movedim(input: Any, source: Any, destination: Any) -> Tensor:
    """Move dimensions to new places; the others keep their order."""
    ndim = input.ndim
    sources, targets = ([each] if isinstance(each, int) else list(each) for each in (source, destination))
    if len(sources) != len(targets):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({sources} dims) should contain the same number of dims "
            f"as destination ({targets} dims)"
        )
    given = {"source": sources, "destination": targets}
    sources, targets = ([wrap_dim(each, ndim) for each in dims] for dims in given.values())
    for (what, dims), wrapped in zip(given.items(), (sources, targets), strict=True):
        if len(set(wrapped)) != len(wrapped):
            raise RuntimeError(f"movedim: repeated dim in `{what}` ({sizes(dims)})")
    if not ndim:
        return input[...]
    rest = iter(each for each in range(ndim) if each not in sources)
    places = dict(zip(targets, sources, strict=True))
    return input.permute([places[each] if each in places else next(rest) for each in range(ndim)])


@by_signature(*_MOVED, into=PUBLIC)
def moveaxis(input: Any, source: Any, destination: Any) -> Tensor:
    return movedim(input, source, destination)


@by_signature("(Tensor input, int dim, int[] sizes)", into=PUBLIC, method=False)
def unflatten(input: Any, dim: int, sizes: Sequence[int]) -> Tensor:
    """Split dimension `dim` into several."""
    shape = tuple(input.shape)
    dim = wrap_dim(dim, len(shape))
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    try:
        if not shape:
            raise RuntimeError(f"Dimension specified as {dim} but tensor has no dimensions")
        filled = infer_size(sizes, shape[dim])
    except RuntimeError as error:
        if "is invalid for input of size" not in str(error):
            raise RuntimeError(f"unflatten got an unexpected error:\n{error}") from None
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} ({shape[dim]}) in the "
            "input tensor"
        ) from None
    return input.view(shape[:dim] + filled + shape[dim + 1 :])


_UNFLATTEN = Reader("unflatten", ("(Tensor self, int dim, int[] sizes)",), method=True)


def _unflatten(self: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Split dimension `dim` into several."""
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    return unflatten(self, *map(python_value, _UNFLATTEN.read((dim, sizes), {})[1].values()))


_unflatten.__name__, _unflatten.__qualname__ = "unflatten", "Tensor.unflatten"
Tensor.unflatten = _unflatten  # type: ignore[attr-defined]


def reversed_dims(self: Any) -> Tensor:
    """`Tensor.T` of what is not a matrix."""
    if self.ndim == 0:
        warn_once("Tensor.T is deprecated on 0-D tensors. This function is the identity in these cases.")
    elif self.ndim > 2:
        warn_once(
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will throw "
            "an error in a future release. Consider `x.mT` to transpose batches of matrices or "
            "`x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse the dimensions of a tensor."
        )
    return self.permute(tuple(range(self.ndim))[::-1])


def transposed_matrices(self: Any, name: str, advice: str) -> Tensor:
    """The last two dimensions swapped; torch still lets a 0-d tensor be its own transpose."""
    if self.ndim == 0:
        warn_once(f"{name} is deprecated on 0-D tensors. {advice}")
        return self
    if self.ndim < 2:
        raise RuntimeError(
            f"{name[0].lower()}{name[1:]} is only supported on matrices or batches of matrices. Got {self.ndim}-D tensor."
        )
    return self.transpose(-2, -1)


_CONJUGATE = "Consider using x.conj()."


def _conjugated(matrices: Any) -> Tensor:
    return matrices.conj() if matrices.is_complex() else matrices


def _conjugate_transpose(self: Any) -> Tensor:
    """`Tensor.H`."""
    if self.ndim not in (0, 2):
        batches = " For batches of matrices, consider using tensor.mH" if self.ndim > 2 else ""
        raise RuntimeError(f"tensor.H is only supported on matrices (2-D tensors). Got {self.ndim}-D tensor.{batches}")
    return _conjugated(transposed_matrices(self, "Tensor.H", _CONJUGATE))


Tensor.H = property(_conjugate_transpose)  # type: ignore[attr-defined]
Tensor.mH = property(  # type: ignore[attr-defined]
    lambda self: _conjugated(transposed_matrices(self, "Tensor.mH", _CONJUGATE))
)


@by_signature("(Tensor input)", into=PUBLIC)
def adjoint(input: Any) -> Tensor:
    """Matrices conjugated and transposed."""
    if input.ndim == 1:
        raise RuntimeError("tensor.adjoint() is only supported on matrices or batches of matrices. Got 1-D tensor.")
    return _conjugated(transposed_matrices(input, "adjoint()", _CONJUGATE))


# -- views changed in place ----------------------------------------------------------------------------------------


def _note_reshaped(tensor: Tensor, what: str) -> None:
    """Tell compiled steps of a tensor that has another shape from now on; one being captured can do it to its own only."""
    recorder = mode.recorder
    if recorder is None:
        structure.changed()
    elif id(root_of(tensor._data)) not in recorder.fresh:
        recorder.refuse(f"{what} changes the shape of a tensor that the step has not made")


def _inplace_view(name: str, alias: str | None = None) -> None:
    """`x.unsqueeze_(0)` and its like: the same tensor object with other sizes and strides."""
    op, read = TABLE[name], METHODS[name]
    own = f"{alias or name}_"
    texts = tuple(each.replace("dim", "axis") for each in op.texts) if alias == "swapaxes" else op.texts
    reader = Reader(own, texts, method=True)

    def method(self: Tensor = NOBODY, /, *args: Any, **kwargs: Any) -> Tensor:
        check_bound(self, own)
        arranged = [self, *reader.read(args, kwargs)[1].values()]
        check_writable(self, False)
        if name == "t" and self.ndim > 2:
            raise RuntimeError(f"t_() expects a tensor with <= 2 dimensions, but self is {self.ndim}D")
        result = read(*arranged)
        node = result._node
        if node is not None:
            title = op.inplace_node
            node_type = type_of_node(op, title if isinstance(title, str) else title(*arranged))
            node.__class__ = node_type if self._is_view() else in_place(node_type)
            move_retained(self._node, self._number, node)
            self._node, self._number = node, result._number
        old, self._data = self._data, result._data
        del result  # it shares the version counter, by whose holders `replace_saved` sees whether to look for nodes
        replace_saved(self, old)
        note_shape(self)
        self._bump()
        if node is not None:
            if self._view is not None:
                self._view.version = self._version_counter[0]
            else:
                self._version_counter[1:] = [node.title()]
        _note_reshaped(self, own)
        return self

    method.__name__ = method.__qualname__ = own
    setattr(Tensor, own, method)


@by_signature("(Tensor input, int[] size, int[] stride, int? storage_offset=None)", into=PUBLIC)
def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """A view of the memory behind `input`, with sizes, strides and offset in elements."""
    return _STRIDED.apply(input, tuple(size), tuple(stride), storage_offset, geometry_of(input._data))


_STRIDED = TABLE["as_strided"]
METHODS["as_strided"] = as_strided
for _name in ("unsqueeze", "squeeze", "t", "transpose", "as_strided"):
    _inplace_view(_name)
_inplace_view("transpose", "swapaxes")
_inplace_view("transpose", "swapdims")


@by_signature(*TABLE["as_strided"].texts, into=PUBLIC, method=False)
def as_strided_(input: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    return input.as_strided_(size, stride, storage_offset)


# -- broadcasting --------------------------------------------------------------------------------------------------


def check_tensors(tensors: Sequence[Any]) -> None:
    for index, each in enumerate(tensors):
        if not isinstance(each, Tensor):
            raise TypeError(f"expected Tensor as element {index} in argument 0, but got {type(each).__name__}")


@_public
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """The tensors, each expanded to their common shape."""
    check_tensors(tensors)
    if not tensors:
        return ()
    shape = common_shape(*(each._data.shape for each in tensors))
    return tuple(each if each._data.shape == shape else each.expand(shape) for each in tensors)


@_public
def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that tensors of these shapes have in common."""
    given = [(each,) if isinstance(each, int) else tuple(each) for each in shapes]
    for each in given:
        if any(size < 0 for size in each):
            raise ValueError("Attempting to broadcast a dimension with negative length!")
    rank = max(map(len, given), default=0)
    result = [1] * rank
    for index, each in enumerate(given):
        for place in range(-1, -1 - len(each), -1):
            if each[place] in (1, result[place]):
                continue
            if result[place] != 1:
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {each[place]} at {place}! Mismatching argument at "
                    f"index {index} had {each}; but expected shape should be broadcastable to {result}"
                )
            result[place] = each[place]
    return Size(result)


@by_signature("(Tensor input, int[] size)", into=PUBLIC)
def broadcast_to(input: Any, size: Sequence[int]) -> Tensor:
    return input.expand(tuple(map(int, size)))


@by_signature("(Tensor self, int[] size)", public=False)
def sum_to_size(self: Any, size: Sequence[int]) -> Tensor:
    """The sum over the dimensions that broadcasting from `size` would stretch."""
    shape = self._data.shape
    missing = len(shape) - len(size)
    if missing < 0 or any(want not in (1, have) for want, have in zip(size, shape[missing:], strict=True)):
        raise RuntimeError(f"size {{{sizes(size)}}} is not expandable to size {{{sizes(shape)}}}.")
    if not size:
        return self.sum()
    return self if shape == tuple(size) else sum_to_shape(self, tuple(size))


# -- memory formats ------------------------------------------------------------------------------------------------


@by_signature("(Tensor self, *, memory_format memory_format=torch.contiguous_format)", public=False)
def contiguous(self: Any, memory_format: memory_format = contiguous_format) -> Tensor:
    """Itself if laid out in this format, otherwise a copy that is."""
    if is_in_format(self._data, memory_format):
        return self
    if memory_format is preserve_format:
        raise RuntimeError("preserve memory format is unsupported by the contiguous operator")
    return TABLE["clone"].apply(self, memory_format)


_IS_CONTIGUOUS = Reader(
    "is_contiguous", ("(Tensor self, *, memory_format memory_format=torch.contiguous_format)",), method=True
)


def is_contiguous(self: Tensor, /, *args: Any, **kwargs: Any) -> bool:
    """`Tensor.is_contiguous`, for any memory format."""
    check_bound(self, "is_contiguous")
    _, values = _IS_CONTIGUOUS.read(args, kwargs)
    return is_in_format(self._data, values.get("memory_format", contiguous_format))


@by_signature("(Tensor self, *, object ambiguity_check=False)", public=False)
def dim_order(self: Any, ambiguity_check: Any = False) -> tuple[int, ...]:
    """The dimensions from the outermost to the innermost, as their strides tell."""
    formats = ambiguity_check if isinstance(ambiguity_check, list) else []
    known = all(isinstance(each, memory_format) for each in formats)
    if not isinstance(ambiguity_check, (bool, list)) or not known:
        raise TypeError("The ambiguity_check argument must be a bool or a list of memory formats.")
    array, strides = self._data, self.stride()
    repeated = any(a == b for a, b in itertools.pairwise(strides))
    if ambiguity_check and (repeated or 1 in array.shape) and sum(is_in_format(array, each) for each in formats) != 1:
        raise RuntimeError(
            "The tensor does not have unique dim order, or cannot map to exact one of the given memory formats."
        )
    if array.ndim < 2:
        return tuple(range(array.ndim))
    last = is_in_format(array, channels_last)
    if last != array.flags.c_contiguous:
        return (0, *range(2, array.ndim), 1) if last else tuple(range(array.ndim))
    order = memory_order(array.shape, [list(strides)])[::-1]
    in_order = [strides[dim] for dim in order]
    if ambiguity_check and (0 in in_order or any(a == b for a, b in itertools.pairwise(in_order))):
        raise RuntimeError("The tensor does not have unique dim order.")
    return tuple(order)
