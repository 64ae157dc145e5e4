"""Conjugate and negative views: tensors whose memory holds other numbers than their values.

`z.conj()` lies in the memory of `z`; that its values are the conjugates of what is there is said by a bit, as in torch.
NumPy has no such arrays.  So `_data` of these tensors is an `Unresolved`, which is no ndarray: NumPy has no way to its
memory but through the methods below.  Whoever takes it for an array reads values (of which a copy is made that cannot be
written to), and what is written to it arrives in memory as it has to.  A place that knows nothing of all this is
therefore slow, never wrong.

The places that know: views keep the bits (`viewing`); kernels, and what a graph saves, get resolved operands (`resolving`,
and the text of `_apply`); `_history` names the nodes of such views, and `autograd.graph` finds a view's gradient in that
of its base.  Views are watched once complex numbers are in use, kernels once there is such a view: what comes before pays
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import update_wrapper
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from . import _apply, _tensor
from ._apply import as_view
from ._capture import mode, run
from ._dtype import DIFFERENTIABLE_KINDS
from ._history import View, view_by
from ._layout import memory_of, strides_of
from ._record import recorded, wrapped
from ._tensor import Tensor
from .ops import TABLE, Op
from .ops._checks import check_one_place_each, strided
from .ops.shape import copied

Array = np.ndarray[Any, np.dtype[Any]]
ndarray = np.ndarray

CONJUGATE, NEGATIVE = 1, 2


class Unresolved(NDArrayOperatorsMixin):
    """The array of a tensor, whose values are what is in `memory` after it is conjugated, negated or both."""

    __slots__ = ("bits", "memory")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, memory: Array, bits: int) -> None:
        # A view, even of all of it: what is a view of this is then known by having the same base.
        self.memory = memory if memory.base is not None else strided(memory, memory.shape, strides_of(memory))
        self.bits = bits

    # -- what it has in common with its memory ------------------------------------------------------------------------

    shape = property(lambda self: self.memory.shape)
    dtype = property(lambda self: self.memory.dtype)
    ndim = property(lambda self: self.memory.ndim)
    size = property(lambda self: self.memory.size)
    strides = property(lambda self: self.memory.strides)
    itemsize = property(lambda self: self.memory.itemsize)
    nbytes = property(lambda self: self.memory.nbytes)
    flags = property(lambda self: self.memory.flags)
    base = property(lambda self: self.memory.base)

    conjugated = property(lambda self: bool(self.bits & CONJUGATE))
    negated = property(lambda self: bool(self.bits & NEGATIVE))

    def __len__(self) -> int:
        return len(self.memory)

    def over(self, memory: Any) -> Any:
        """Other memory, seen through the same bits."""
        return Unresolved(memory, self.bits)

    # -- values -------------------------------------------------------------------------------------------------------

    def resolve(self) -> Array:
        """The values, as an array of its own; a capture notes how they are computed."""
        values: Array = run(_decoded, self.memory, self.bits)
        return values

    def operand(self) -> Array:
        """`resolve`, within a function that a capture has given traced arrays."""
        if mode.recorder is None:
            return _decoded(self.memory, self.bits)
        from .compiler.traced import traced

        return _decoded(traced(self.memory), self.bits)

    def _values(self) -> Array:
        """For whoever took this for an array.  A write to it would be lost, and is an error."""
        values = self.operand()
        if mode.recorder is None:
            values.flags.writeable = False
        return values

    def write(self, values: Any, where: Any = True) -> None:
        """Have these values, which broadcast, where `where` is true.

        Raises RuntimeError where several elements share their memory.
        """
        check_one_place_each(self.memory)
        values = np.asanyarray(values)
        if values.dtype != self.dtype:
            values = values.astype(self.dtype)
        np.copyto(self.memory, _changed(values, self.bits), where=where)

    def changed_by(self, function: Callable[..., Any], *args: Any) -> None:
        """`function(array, *args)`, which changes the array: as torch does it, a copy is changed and written back."""
        values = self.operand()
        function(values, *args)
        self.write(values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what decides how NumPy reads an object, and what tells a Tensor
            raise AttributeError(name)
        return getattr(self._values(), name)

    def exported(self, force: bool) -> Array:
        """For `Tensor.numpy`.  RuntimeError unless a copy will do, for the memory does not hold the values."""
        if force:
            return self.resolve()
        bit, name = ("conjugate", "conj") if self.conjugated else ("negative", "neg")
        raise RuntimeError(
            f"Can't call numpy() on Tensor that has {bit} bit set. Use tensor.resolve_{name}().numpy() instead."
        )

    def view(self, *args: Any) -> Any:
        if args:
            raise view_refused()
        return self.over(self.memory.view())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        values = self.operand() if copy else self._values()
        return values if dtype is None else values.astype(dtype)

    def __getitem__(self, index: Any) -> Any:
        """A part: of the same kind where NumPy makes a view, otherwise values."""
        part = self.memory[index]
        if isinstance(part, np.ndarray) and part.base is self.memory.base:
            return self.over(part)
        return _changed(part, self.bits)

    def __setitem__(self, index: Any, values: Any) -> None:
        part = self.memory[index]
        if isinstance(part, np.ndarray) and part.base is self.memory.base:
            self.over(part).write(values)
        else:
            whole = self.operand()
            whole[index] = values
            self.write(whole)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values())

    def __bool__(self) -> bool:
        return bool(self._values())

    def __int__(self) -> int:
        return int(self._values())

    def __float__(self) -> float:
        return float(self._values())

    def __complex__(self) -> complex:
        return complex(self._values())

    # -- NumPy --------------------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        function = getattr(ufunc, method)
        operands = [_as_array(each) for each in inputs]
        kwargs = {name: _as_array(each) for name, each in kwargs.items()}
        if method == "at":
            return inputs[0].changed_by(function, *operands[1:]) if inputs[0] is self else function(*operands)
        if out is None:
            return function(*operands, **kwargs)
        targets = tuple([each.operand() if each.__class__ is Unresolved else each for each in out])
        function(*operands, out=targets, **kwargs)
        for each, target in zip(out, targets, strict=True):
            if each.__class__ is Unresolved:
                each.write(target)
        return out[0] if len(out) == 1 else out

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func is np.copyto and args[0].__class__ is Unresolved:
            return args[0].write(_as_array(args[1]), kwargs.get("where", True))
        if func in (np.may_share_memory, np.shares_memory):
            return func(*map(memory_of, args))
        if func is np.reshape and args[0] is self:
            result = func(self.memory, *args[1:], **kwargs)
            return self.over(result) if self.shares(result) else _changed(result, self.bits)
        out = kwargs.get("out")
        if out.__class__ is Unresolved:
            out.write(func(*_as_array(args), **{**_as_array(kwargs), "out": None}))
            return out
        return func(*_as_array(args), **_as_array(kwargs))

    def shares(self, array: Any) -> bool:
        """Whether an array is a view of the same memory."""
        return array.base is self.memory.base


def _changed(values: Any, bits: int) -> Any:
    """What is read for what is in memory; and as much, what is written for what shall be read."""
    if bits & CONJUGATE:
        values = np.conjugate(values)
    return np.negative(values) if bits & NEGATIVE else values


def _decoded(memory: Array, bits: int) -> Array:
    """`_changed`, laid out as torch lays out a copy."""
    values = copied(memory)
    if bits & CONJUGATE:
        np.conjugate(values, values)
    if bits & NEGATIVE:
        np.negative(values, values)
    return values


def _as_array(value: Any) -> Any:
    """`value` with values for every unresolved array, also within sequences."""
    if value.__class__ is Unresolved:
        return value._values()
    if value.__class__ in (list, tuple):
        return value.__class__(map(_as_array, value))
    if value.__class__ is dict:
        return {name: _as_array(each) for name, each in value.items()}
    return value


def unresolved(memory: Array, bits: int) -> Any:
    """`memory` seen through bits, if there are any."""
    if not bits:
        return memory
    _arm()
    return Unresolved(memory, bits)


def view_refused() -> RuntimeError:
    """The objection to a conjugate view as pairs of real numbers."""
    return RuntimeError(
        "view_as_real doesn't work on unresolved conjugated tensors.  To resolve the conjugate tensor so you can view it as "
        "real, use self.resolve_conj(); however, be warned that the resulting tensor will NOT alias the original."
    )


def bits_of(array: Any) -> int:
    return array.bits if array.__class__ is Unresolved else 0


# -- views ------------------------------------------------------------------------------------------------------------


def viewing(op: Op) -> Callable[..., Any]:
    """`op.apply` of a view op where tensors may be unresolved: what is a view of such a one has its bits."""
    special = _SPECIAL.get(op.name)
    plain = _apply.of_view(op)

    def apply(a: Any, *rest: Any) -> Any:
        return plain(a, *rest) if a._data.__class__ is ndarray else _through(op, a, *rest)

    return apply if special is None else special(op, plain)


def _through(op: Op, a: Any, *rest: Any) -> Any:
    x = a._data
    result = op.kernel(x.memory, *rest)
    if result is x.memory:
        return a
    several = type(result) is tuple
    shares = several or x.shares(result)
    if not shares:  # but a copy, and so one of the values
        result = run(op.kernel, x.resolve(), *rest)
    out = _as_tensors(op, (a, *rest), result)
    if shares:
        for each in out if several else (out,):
            each._data = x.over(each._data)
            as_view(each, a, "several" if several else None)
    return out


def _as_tensors(op: Op, args: tuple[Any, ...], result: Any) -> Any:
    """The result of a view op on the first of `args`, with history if that has one."""
    a = args[0]
    edge = a.grad_node() if mode.grad and a._version_counter.__class__ is list else None
    return wrapped(op, result) if edge is None else recorded(op, args, (edge,), result)


def _toggling(bit: int) -> Callable[..., Any]:
    """`conj` and the negative view: the same memory with one bit changed."""

    def special(op: Op, plain: Callable[..., Any]) -> Callable[..., Any]:
        kinds, view = "c" if bit == CONJUGATE else DIFFERENTIABLE_KINDS, view_by(op.node)

        def apply(a: Any) -> Any:
            x = a._data
            if x.dtype.kind not in kinds:
                return plain(a)
            memory = memory_of(x)
            memory = strided(memory, x.shape, strides_of(memory) if a._view is None else memory.strides)
            out = _as_tensors(op, (a,), memory)
            out._data = unresolved(memory, bits_of(x) ^ bit)
            return _named(as_view(out, a), view)

        return apply

    return special


def _named(tensor: Tensor, view: type[View]) -> Tensor:
    """Have the history of a view, once its base is written to, the name of what made the view."""
    if tensor._view is not None:
        tensor._view.__class__ = view
    return tensor


def _part(op: Op, plain: Callable[..., Any]) -> Callable[..., Any]:
    """`real` and `imag`: of a conjugate those of its memory, the imaginary ones negated."""

    def apply(a: Any) -> Any:
        if a._data.dtype.kind != "c":
            op.kernel(a._data)  # which refuses imaginary parts, whatever there is to say of the history
            return a
        if a._data.__class__ is ndarray:
            return plain(a)
        if a._data.bits & CONJUGATE:
            memory = TABLE["conj"].apply(a)
            return op.apply(TABLE["_neg_view"].apply(memory) if op.name == "imag" else memory)
        return _through(op, a)

    return apply


def _reinterpreting(op: Op, plain: Callable[..., Any]) -> Callable[..., Any]:
    """`view_as_real` and `view_as_complex`, which can express a change of sign, but not a conjugation."""
    view = view_by(op.node)

    def apply(a: Any) -> Any:
        if op.name == "view_as_real" and bits_of(a._data) & CONJUGATE:
            raise view_refused()
        return _named(plain(a) if a._data.__class__ is ndarray else _through(op, a), view)

    return apply


_SPECIAL: dict[str, Callable[..., Any]] = {
    "conj": _toggling(CONJUGATE),
    "_neg_view": _toggling(NEGATIVE),
    "real": _part,
    "imag": _part,
    "view_as_real": _reinterpreting,
    "view_as_complex": _reinterpreting,
}

# -- arming the op table ------------------------------------------------------------------------------------------------

_resolving: set[str] = set()


def _arm() -> None:
    """When the first of these views is made: from then on kernels look at their operands."""
    if resolving in _apply.adaptations:
        return
    _apply.adaptations.append(resolving)
    for op in list(TABLE.values()):
        if _apply.is_bound(op):
            _apply.bind(op)
    _tensor.asarray = _as_data


def _as_data(value: Any) -> Any:
    """What a Tensor can hold."""
    return value if value.__class__ is Unresolved else np.asarray(value)


def resolving(op: Op) -> None:
    """Let the kernel of `op` have values for unresolved operands."""
    if op.view or op.name in _resolving:
        return
    _resolving.add(op.name)
    kernel = op.kernel

    def resolve(*args: Any, **kwargs: Any) -> Any:
        for each in args:
            if each.__class__ is Unresolved or each.__class__ is list:
                args = tuple(map(_operand, args))
                break
        return kernel(*args, **kwargs)

    op.kernel = update_wrapper(resolve, kernel)


def _operand(value: Any) -> Any:
    if value.__class__ is list:
        return [_operand(each) for each in value]
    return value.operand() if value.__class__ is Unresolved else value
