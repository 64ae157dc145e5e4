"""Writing to tensors: torch's objections, the in-place form of an op, and what becomes of histories.

Loaded when something is first written to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import _record
from ._capture import mode, run
from ._dtype import DIFFERENTIABLE_KINDS, FROM_NUMPY, can_cast
from ._history import FoldedView
from ._layout import address_of, memory_of
from ._record import Edges, new_node, note_output_version, version_of
from ._tensor import Tensor, wrap
from .autograd.graph import Node, move_retained, next_sequence
from .autograd.slices import CopySlices, forget_hooks
from .ops import TABLE, Op
from .ops._checks import c_name, check_no_partial_overlap, check_one_place_each, explain, sizes, title
from .ops._table import INPUT

ndarray = np.ndarray


def check_writable(tensor: Tensor, recording: bool) -> None:
    """torch's objections to writing into `tensor`; `recording`: whether something that is written requires grad."""
    if not mode.grad or not (recording or tensor.requires_grad):
        return
    view = tensor._view
    if view is not None and tensor._version_counter is not None:
        if view.creation is not None:
            from ._view_errors import forbidden

            raise forbidden(tensor, view.creation)
        if tensor.requires_grad and view.base._has_no_history():
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
    if tensor.requires_grad and tensor._has_no_history():
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")


def check_result(array: Any, result: Any, dtype_name: Callable[[Any], str] = title) -> None:
    """Whether `result` may be written into `array` as it stands."""
    if result.shape != array.shape:
        raise RuntimeError(
            f"output with shape {sizes(array.shape)} doesn't match the broadcast shape {sizes(result.shape)}"
        )
    if result.dtype is not array.dtype:
        check_cast(array, result, dtype_name)


def check_cast(array: Any, result: Any, dtype_name: Callable[[Any], str] = title) -> None:
    """Whether the dtype of `result` may be converted to that of `array`, of which the error speaks by `dtype_name`."""
    kind, wanted = FROM_NUMPY[result.dtype], FROM_NUMPY[array.dtype]
    if not can_cast(kind, wanted):
        raise RuntimeError(f"result type {kind.title} can't be cast to the desired output type {dtype_name(array)}")


def copy_into(array: Any, result: Any) -> None:
    np.copyto(array, result, casting="unsafe")


# Ops whose kernel, for floating-point operands of one dtype, is a ufunc that can write where it is told to.
_UFUNCS: dict[str, Any] = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide}
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
# Ops that look at dtypes before they look at the memory, and beside numbers call theirs as C++ does.
_CLAMPS = ("clamp", "clamp_max", "clamp_min")
# Ops that may write to one place several times, because they write the same.
_IDEMPOTENT = ("fill", "threshold", "zero")
# Ops with an objection of their own, see `ops._in_place`.
_OBJECTING = ("abs", "addmm", "addmv", "baddbmm", "cumprod", "cumsum", "ldexp")


def in_place_form(op: Op) -> Callable[..., Tensor]:  # noqa: C901 -- written out: each call in it costs
    """`x.f_(...)`: the op's result, written into the first operand, whose history becomes that of the op."""
    computing = op  # whose kernel may be another one later, see `_rare`
    if op.name in _COMPARISONS:
        op = _of_numbers(op)
    arity = op.arity
    ufunc: Any = _UFUNCS.get(op.name)
    once = op.name not in _IDEMPOTENT
    clamps = op.name in _CLAMPS
    objects = op.name in _OBJECTING
    takes_anything = op.name != "copy"  # which converts, and then asks nothing of what it converts
    check_memory = {"copy": _check_memory_of_copy}.get(op.name, _check_memory)
    checked = not op.name.startswith("logical_")  # torch has no derivative of these, nor an objection

    def apply(*args: Any) -> Tensor:
        target = args[0]
        array = target._data
        recording = mode.grad and any(
            hasattr(each, "_node") and each.requires_grad and rule is not None
            for each, rule in zip(args, op.rules, strict=False)
        )
        if checked and (target._version_counter.__class__ is list or _meets_autograd(op, args[1:arity])):
            check_writable(target, recording and (takes_anything or array.dtype.kind in DIFFERENTIABLE_KINDS))
        recording = recording and array.dtype.kind in DIFFERENTIABLE_KINDS  # integers take numbers, and no history
        edges: Edges = ()
        if recording:
            edges = tuple(
                [
                    each.grad_node() if rule is not None and hasattr(each, "_node") else None
                    for each, rule in zip(args, op.rules, strict=False)
                ]
            )
        arrays = [arg._data if hasattr(arg, "_node") else arg for arg in args]
        if objects:
            from .ops._in_place import OBJECTIONS

            OBJECTIONS[op.name](*arrays)
        dtype_name = c_name if clamps and ndarray not in map(type, arrays[1:]) else title
        if takes_anything or not _is_same_memory(array, arrays[1]):  # a copy of itself is none
            alone = once or (len(args) > 1 and hasattr(args[1], "_node"))
            if _writes_nothing(check_memory, computing, arrays, alone, dtype_name):
                return target
        kept: tuple[Any, ...] = ()
        direct = ufunc is not None and mode.recorder is None and _suits(ufunc, array, arrays)
        if not direct:
            try:
                result = run(computing.kernel, *arrays)
            except RuntimeError as error:
                from ._misuse import check_writing

                _check_savable(op, args, edges)
                explain(check_writing, op, error, arrays, dtype_name)
                raise
            if op.keeps:
                result, kept = result[0], result[1:]
            if type(result) is not ndarray:
                result = np.asarray(result)
            try:
                check_result(array, result, dtype_name)
            except RuntimeError:
                _check_savable(op, args, edges)
                raise
        if recording:  # before the write, so that what is saved remembers the version it had
            node = _record.make_node(
                op, with_original(op, args, edges), edges, array, op.inplace_node, kept, written=True
            )
        if direct:
            ufunc(*arrays, array)
        else:
            run(copy_into, array, result)
        target._bump()
        if recording:
            rebase(target, node, op)
        return target

    return apply


def _check_memory(arrays: list[Any], once: bool) -> None:
    """RuntimeError where writing into the first operand would change others half-way, or a place more than `once`."""
    written = arrays[0]
    if once:
        check_one_place_each(written)
    for other in arrays[1:]:
        if other is not written and other.__class__ is ndarray:
            check_no_partial_overlap(written, other)


def _check_memory_of_copy(arrays: list[Any], once: bool) -> None:
    """The same for `copy_`, which reads and writes conjugate views as it goes: all else works on copies of these."""
    _check_memory([memory_of(each) for each in arrays], once)


def _check_savable(op: Op, args: Any, edges: Edges) -> None:
    """RuntimeError for operands that are to be saved and are of inference mode: torch sees that before it computes."""
    if edges:
        for slot in op.save_plan(tuple([edge is not None for edge in edges])):
            kind, index = op.saves[slot]
            if kind == INPUT and index and hasattr(args[index], "_node"):  # of the first it is a copy
                version_of(args[index])


def _writes_nothing(
    check: Callable[..., None], op: Op, arrays: list[Any], once: bool, dtype_name: Callable[[Any], str]
) -> bool:
    """Whether there is nothing to do.  RuntimeError where the memory is such that it cannot be done."""
    try:
        check(arrays, once)
    except RuntimeError as error:
        objection = error
    else:
        return False
    from ._misuse import writes_nothing

    if writes_nothing(op, arrays, dtype_name):
        return True
    raise objection


def _is_same_memory(array: Any, other: Any) -> bool:
    """Whether both are the same elements of one memory."""
    return other is array or (
        other.__class__ is array.__class__ is ndarray
        and other.dtype is array.dtype
        and other.shape == array.shape
        and other.strides == array.strides
        and address_of(other) == address_of(array)
    )


def _of_numbers(comparison: Op) -> Op:
    """A comparison whose result is written in place: as numbers, which have a gradient, if only 0."""

    def rule(g: Any) -> Any:
        return TABLE["zeros_of"](g)

    def node(input: Any, other: Any) -> str:
        return f"{comparison.name.capitalize()}Backward{int(hasattr(other, '_node'))}"

    def kernel(input: Any, other: Any) -> Any:
        return comparison.kernel(input, other)

    rules = {"input": rule, "other": rule}
    return Op(kernel, comparison.texts, rules, name=comparison.name, arity=2, node=node)


def _suits(ufunc: Any, array: Any, operands: list[Any]) -> bool:
    """Whether the ufunc gives `array`, the first of two operands, the values that the op's kernel would compute."""
    if len(operands) != 2 or array.dtype.kind != "f" or array.itemsize == 2:
        return False
    other = operands[1]
    if other.__class__ is not ndarray:
        return other.__class__ is float
    return other.dtype is array.dtype and (other.shape == array.shape or not other.ndim)


def _meets_autograd(op: Op, others: Any) -> bool:
    """Whether torch asks what requires grad before it writes to a tensor of inference mode: where another operand is none
    (most ops make tensors of numbers too)."""
    return any(not each.is_inference() if hasattr(each, "_node") else op.name != "fill" for each in others)


def with_original(op: Op, args: Any, edges: Edges) -> Any:
    """The arguments, with the written-to operand's old value in its place if a rule will want it."""
    needs = tuple([edge is not None for edge in edges])
    if any(op.saves[slot] == (INPUT, 0) for slot in op.save_plan(needs)):
        return (wrap(run(np.copy, args[0]._data)), *args[1:])
    return args


def rebase(target: Tensor, node: Node, op: Op) -> None:
    """Give `target`, just written to, the history `node`; through a view, the base's history changes too."""
    counter: list[Any] = target._version_counter
    view = target._view
    if view is None:
        move_retained(target._node, target._number, node)
        target._node = node
        target._number = 0
        counter[1:] = [node.title()]
    else:
        base = view.base
        if view.__class__ is FoldedView or base._node.__class__.__name__ == "AddmmBackward0":
            forget_hooks(base._node)
        outer = new_node(CopySlices)
        outer.inner = node
        outer.layout = (base._data, target._data)
        outer.inputs = (base.grad_node(), *node.inputs[1:])
        outer.numbers = (base._number, *(node.numbers or (0,) * len(node.inputs))[1:])
        outer.saved, outer.versions = node.saved, node.versions
        outer.sequence = next_sequence()
        outer.shape, outer.dtype = base._data.shape, base._data.dtype
        outer.hooks = None
        move_retained(base._node, base._number, outer)
        base._node, base._number = outer, 0
        counter[1:] = [outer.name()]
        target.grad_node()  # from the base, written to just now
    if op.saves_output:
        note_output_version(op, node, counter)


def resize_out(out: Tensor, shape: tuple[int, ...]) -> None:
    """Give `out` the result's shape; torch warns where that discards elements."""
    if out._data.shape != shape:
        from ._out_argument import resize

        resize(out, shape)
