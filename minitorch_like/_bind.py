"""From the op table to the public callables: functions, methods, in-place forms, operators and `out=`.

Each reads a call by torch's signatures and hands it to `op.apply`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from . import _record
from ._apply import bind
from ._capture import mode, run, structure
from ._dtype import FROM_NUMPY, can_cast
from ._record import Edges, new_node, note_output_version
from ._tensor import Tensor, wrap
from .autograd.graph import CopySlices, Node, next_sequence
from .ops import TABLE, Op
from .ops._checks import check_no_partial_overlap, check_one_place_each, sizes
from .ops._signature import Reader
from .ops._table import INPUT, python_value

ndarray = np.ndarray


# -- writing in place ------------------------------------------------------------------------------------------------


def check_writable(tensor: Tensor, edges: bool) -> None:
    """torch's objections to writing into `tensor`; `edges`: whether something involved requires grad."""
    if mode.grad:
        node = tensor.grad_node()
        view = tensor._view
        if node is not None or edges or (view is not None and view.creation == "no_grad" and view.base.requires_grad):
            if view is not None:
                if view.base.is_leaf and view.base.requires_grad:
                    raise RuntimeError(
                        "a view of a leaf Variable that requires grad is being used in an in-place operation."
                    )
                if view.creation == "several":
                    assert node is not None
                    raise RuntimeError(
                        f"Output {tensor._number} of {node.title()} is a view and is being modified inplace. This view is "
                        "the output of a function that returns multiple views. Such functions do not allow the output "
                        "views to be modified inplace. You should replace the inplace operation by an out-of-place one."
                    )
                if view.creation == "no_grad":
                    raise RuntimeError(
                        "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given "
                        "that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by "
                        "moving both the view and the inplace either both inside the no_grad block (if you don't want "
                        "the inplace to be tracked) or both outside (if you want the inplace to be tracked)."
                    )
            elif tensor.is_leaf and node is not None:
                raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
    if tensor._version_counter is None and not mode.inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal "
            "tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details."
        )


def check_result(array: Any, result: Any) -> None:
    """Whether `result` may be written into `array` as it stands."""
    kind = FROM_NUMPY[result.dtype]
    if not can_cast(kind, FROM_NUMPY[array.dtype]):
        raise RuntimeError(
            f"result type {kind.title} can't be cast to the desired output type {FROM_NUMPY[array.dtype].title}"
        )
    if result.shape != array.shape:
        raise RuntimeError(
            f"output with shape {sizes(array.shape)} doesn't match the broadcast shape {sizes(result.shape)}"
        )
    check_one_place_each(array)


def _copy_into(array: Any, result: Any) -> None:
    np.copyto(array, result, casting="unsafe")


def _inplace(op: Op, suffix: str = "_") -> Callable[..., Tensor]:
    """`x.f_(...)`: the op's result, written into the first operand, whose history becomes that of the op."""
    arity = op.arity

    def apply(*args: Any) -> Tensor:
        kernel = op.kernel
        target = args[0]
        tensors = args[:arity]
        recording = mode.grad and any(
            hasattr(each, "_node") and each.grad_node() is not None and rule is not None
            for each, rule in zip(tensors, op.rules, strict=False)
        )
        check_writable(target, recording)
        arrays = [arg._data if hasattr(arg, "_node") else arg for arg in args]
        recorder = mode.recorder
        result = kernel(*arrays) if recorder is None else recorder.call(kernel, *arrays)
        if type(result) is not ndarray:
            result = np.asarray(result)
        array = target._data
        check_result(array, result)
        for other in arrays[1:arity]:
            check_no_partial_overlap(array, other)
        if recording:  # before the write, so that what is saved remembers the version it had
            edges = tuple(
                [
                    each.grad_node() if rule is not None and hasattr(each, "_node") else None
                    for each, rule in zip(tensors, op.rules, strict=False)
                ]
            )
            node = _record.make_node(op, _with_original(op, args, edges), edges, array, op.inplace_node)
        if recorder is None:
            _copy_into(array, result)
        else:
            recorder.call(_copy_into, array, result)
        target._bump()
        if recording:
            rebase(target, node, op)
        return target

    return apply


def _with_original(op: Op, args: Any, edges: Edges) -> Any:
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
        target._node = node
        target._number = 0
        counter[1:] = [node.title()]
    else:
        base = view.base
        outer = new_node(CopySlices)
        outer.inner = node
        outer.layout = (base._data, target._data)
        outer.inputs = (base.grad_node(), *node.inputs[1:])
        outer.numbers = (base._number, *(node.numbers or (0,) * len(node.inputs))[1:])
        outer.saved, outer.versions = node.saved, node.versions
        outer.sequence = next_sequence()
        outer.shape, outer.dtype = base._data.shape, base._data.dtype
        outer.hooks = None
        base._node, base._number = outer, 0
        counter[1:] = [outer.name()]
        view.version = -1  # recomputed from the base at the next use
    if op.saves_output:
        note_output_version(op, node, counter)


# -- writing to `out` --------------------------------------------------------------------------------------------------


def _write_out(op: Op, args: list[Any], out: Any) -> Any:
    """Compute without recording and put the result into `out`, resized where needed."""
    involved = [each for each in (*args[: op.arity], out) if hasattr(each, "_node")]
    if mode.grad and any(each.requires_grad for each in involved):
        raise RuntimeError(
            f"{op.name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )
    arrays = [arg._data if hasattr(arg, "_node") else arg for arg in args]
    if op.variadic:
        arrays[0] = [each._data for each in args[0]]
    recorder = mode.recorder
    result = np.asarray(op.kernel(*arrays) if recorder is None else recorder.call(op.kernel, *arrays))
    resize_out(out, result.shape)
    check_result(out._data, result)
    if recorder is None:
        _copy_into(out._data, result)
    else:
        recorder.call(_copy_into, out._data, result)
    out._bump()
    return out


def resize_out(out: Tensor, shape: tuple[int, ...]) -> None:
    """Give `out` the result's shape; torch warns where that discards elements."""
    array = out._data
    if array.shape == shape:
        return
    if array.size:
        warnings.warn(
            f"An output with one or more elements was resized since it had shape {sizes(array.shape)}, which does not "
            f"match the required output shape {sizes(shape)}. This behavior is deprecated, and in a future PyTorch "
            "release outputs will not be resized unless they have zero elements. You can explicitly reuse an out "
            "tensor t by resizing it, inplace, to zero elements with t.resize_(0).",
            UserWarning,
            stacklevel=4,
        )
    out._data = np.empty(shape, array.dtype)
    structure.changed()


# f(x, 2, 3) for f(x, (2, 3)): the shape of a signature that takes sizes and nothing else by position.
_SIZES_ONLY = re.compile(r"\(Tensor input, int\[\] \w+(, \*, .*)?\)")
_ONE_INT = re.compile(r"\(Tensor input, int \w+")
_INTS = frozenset({int})

# -- the public callables ------------------------------------------------------------------------------------------------


def _callable(op: Op, reader: Reader) -> Callable[..., Any]:
    """The public function or method in front of `op.apply`."""
    count = 1 if op.variadic else op.arity
    texts = "".join(op.texts)
    # Asked of every op at every import: the cheap question first.
    sizes_only = (
        "int[]" in texts and any(map(_SIZES_ONLY.fullmatch, op.texts)) and not any(map(_ONE_INT.match, op.texts))
    )
    strict = op.arity > 1 and "Number" not in texts

    def function(*args: Any, **kwargs: Any) -> Any:
        if sizes_only and not kwargs and len(args) > 1:
            given = args[1:] if args[1].__class__ is int else args[1]
            if given.__class__ is tuple and set(map(type, given)) <= _INTS:
                return op.apply(args[0], given)
        if kwargs or len(args) != count or (strict and not hasattr(args[1], "_node")):
            arranged, out = op.read(reader, args, kwargs)
            return op.apply(*arranged) if out is None else _write_out(op, arranged, out)
        try:
            return op.apply(*args)
        except (AttributeError, TypeError, ValueError):
            reader.read(args[1:] if reader.method else args, kwargs)  # raises torch's TypeError where that is why
            arranged, _ = op.read(reader, args, kwargs)
            return op.apply(*arranged)

    return _named(function, op, reader)


def _inplace_method(op: Op, reader: Reader) -> Callable[..., Tensor]:
    """`Tensor.f_`."""
    apply = _inplace(op)

    def method(*args: Any, **kwargs: Any) -> Tensor:
        if not kwargs and len(args) == op.arity:
            try:
                return apply(*args)
            except (AttributeError, TypeError, ValueError):
                reader.read(args[1:], kwargs)  # raises torch's TypeError where that is why
        return apply(*op.read(reader, args, kwargs)[0])

    return _named(method, op, reader)


def _named(function: Callable[..., Any], op: Op, reader: Reader) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = reader.function
    function.__module__ = _HOMES.get(op.namespace, __name__)  # where pickle looks for it
    function.__doc__ = op.kernel.__doc__
    return function


_HOMES = {"torch": "minitorch_like", "nn": "minitorch_like.nn.functional"}


def _operator(op: Op, *, reflected: bool = False) -> Callable[[Any, Any], Any]:
    """A binary operator: NotImplemented for operands that are neither tensors nor numbers."""

    def operator(a: Any, b: Any) -> Any:
        if b.__class__ is not Tensor and not hasattr(b, "_node"):
            kind = type(b)
            if kind is not float and kind is not int and kind is not bool:
                if isinstance(b, np.ndarray):
                    b = wrap(b)
                elif isinstance(b, (np.generic, int, float)):
                    b = python_value(b)
                else:
                    return NotImplemented
        return op.apply(b, a) if reflected else op.apply(a, b)

    return operator


def _tensor_operator(op: Op) -> Callable[[Any, Any], Any]:
    """`@`: tensors only."""

    def operator(a: Any, b: Any) -> Any:
        return op.apply(a, b) if hasattr(b, "_node") else NotImplemented

    return operator


def _inplace_operator(method: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    def operator(a: Any, b: Any) -> Any:
        if not hasattr(b, "_node"):
            if not isinstance(b, (int, float, np.generic)):
                return NotImplemented
            b = python_value(b)
        return method(a, b)

    return operator


FUNCTIONS: dict[str, Callable[..., Any]] = {}
METHODS: dict[str, Callable[..., Any]] = {}


def bind_new() -> list[str]:
    """Make the callables of the ops that have been declared since the last time; the names of these ops."""
    new = [name for name in TABLE if name not in FUNCTIONS]
    for name in new:
        op = TABLE[name]
        bind(op)
        FUNCTIONS[name] = _callable(op, op.reader(method=False))
        if not op.variadic:
            METHODS[name] = _callable(op, op.reader(method=True))
        if op.inplace:
            METHODS[f"{name}_"] = _inplace_method(op, op.reader(method=True, suffix="_"))
    return new


bind_new()
_OPERATORS = {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "floordiv": "floor_divide", "mod": "remainder",
    "pow": "pow", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
}  # fmt: skip
for _symbol, _name in _OPERATORS.items():
    METHODS[f"__{_symbol}__"] = _operator(TABLE[_name])
    METHODS[f"__r{_symbol}__"] = _operator(TABLE[_name], reflected=True)
    METHODS[f"__i{_symbol}__"] = _inplace_operator(METHODS[f"{_name}_"])


def _reflected_division(a: Any, b: Any) -> Any:
    """number / tensor, which torch computes as reciprocal * number."""
    return METHODS["__mul__"](TABLE["reciprocal"].apply(a), b)


METHODS["__rtruediv__"] = _reflected_division
METHODS["__rsub__"] = _operator(TABLE["rsub"])
METHODS["__matmul__"] = _tensor_operator(TABLE["matmul"])
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    METHODS[f"__{_name}__"] = _operator(TABLE[_name])
