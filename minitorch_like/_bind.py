"""From the op table to Tensors: computing, recording, views, in-place forms and `out=`.

For every op two callables are made here: `op.apply`, which takes the kernel's positional arguments with Tensors in
the tensors' places, and the public function (or method) in front of it, which reads a call by torch's signatures.
The closures are kept flat on purpose: they are what an eager op costs beyond its kernel.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ._capture import mode, structure
from ._dtype import FROM_NUMPY, can_cast
from ._tensor import Tensor, View, new_tensor, wrap
from .autograd.graph import CopySlices, Node, next_sequence, type_of_node
from .ops import TABLE, Op
from .ops._checks import check_no_partial_overlap, check_one_place_each, sizes
from .ops._signature import Reader
from .ops._table import DTYPE, INPUT, KEPT, OUTPUT, POSITION, SHAPE, python_value

ndarray = np.ndarray
new_node = object.__new__
Edges = tuple[Node | None, ...]


# -- recording ---------------------------------------------------------------------------------------------------


def make_node(op: Op, args: Any, edges: Edges, result: Any, name: Any = None, kept: tuple[Any, ...] = ()) -> Node:
    """The node of a call: its edges, and of its arguments and results what the rules will ask for."""
    name = name or op.node
    node_type = op.node_types.get(name) if name.__class__ is str else type_of_node(op, name(*args))
    node: Node = new_node(node_type or type_of_node(op, name))
    node.inputs = edges
    node.numbers = None
    for arg in args[0] if op.variadic else args[: op.arity]:
        if arg.__class__ is Tensor and arg._number:
            node.numbers = _numbers(op, args)
            break
    node.sequence = next_sequence()
    node.hooks = None
    if node.several:
        node.shape = [each.shape for each in result]
        node.dtype = [each.dtype for each in result]
    else:
        node.shape = result.shape
        node.dtype = result.dtype
    saves = op.saves
    node.saved = saved = [None] * len(saves)
    node.versions = versions = []
    if saves:
        needs = (True,) if op.variadic else tuple([edge is not None for edge in edges])
        for slot in op.save_plans.get(needs) or op.save_plan(needs):
            kind, index = saves[slot]
            if kind == INPUT:
                value = args[index]
                if value.__class__ is Tensor or hasattr(value, "_node"):
                    saved[slot] = value._data
                    versions.append((value._version_counter, _version_of(value), slot))
                else:
                    saved[slot] = value
            elif kind == OUTPUT:
                saved[slot] = result[index] if node.several else result
            elif kind == KEPT:
                saved[slot] = kept[index]
            else:
                saved[slot] = _static(op, args, kind, index)
    return node


def _version_of(tensor: Tensor) -> int:
    try:
        return tensor._version_counter[0]
    except TypeError:
        raise RuntimeError(
            "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
            "computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use "
            "it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`."
        ) from None


def _static(op: Op, args: Any, kind: int, index: int) -> Any:
    if kind == POSITION:
        return None
    if kind == SHAPE:
        if op.variadic:
            return [each._data.shape for each in args[0]]
        value = args[index]
        return value._data.shape if hasattr(value, "_node") else ()
    if kind == DTYPE:
        return args[index]._data.dtype
    if index < len(args):
        return args[index]
    return op.defaults[index - len(op.parameters)]


def _numbers(op: Op, args: Any) -> tuple[int, ...]:
    tensors = args[0] if op.variadic else args[: op.arity]
    return tuple(each._number if hasattr(each, "_node") else 0 for each in tensors)


def _recorded(op: Op, args: Any, edges: Edges, result: Any) -> Any:
    """The result of a call as Tensors with history."""
    kept: tuple[Any, ...] = ()
    if op.keeps:
        kept, result = result[-len(op.keeps) :], op.visible(result)
    if type(result) is tuple:
        arrays = tuple([each if type(each) is ndarray else np.asarray(each) for each in result])
        node = make_node(op, args, edges, arrays, kept=kept)
        return tuple(_output(node, number, each) for number, each in enumerate(arrays))
    if type(result) is not ndarray:
        result = np.asarray(result)
    node = make_node(op, args, edges, result, kept=kept)
    tensor = new_tensor(Tensor)
    tensor._data = result
    tensor._node = node
    tensor._number = 0
    tensor._grad = None
    tensor._view = None
    tensor._version_counter = counter = [0]
    if op.saves_output:
        _note_output_version(op, node, counter)
    return tensor


def _note_output_version(op: Op, node: Node, counter: list[int]) -> None:
    for slot, (kind, _) in enumerate(op.saves):
        if kind == OUTPUT and node.saved[slot] is not None:  # type: ignore[index]
            node.versions.append((counter, counter[0], slot))


def _output(node: Node, number: int, array: Any) -> Tensor:
    tensor = wrap(array)
    if array.dtype.kind == "f":
        tensor._node = node
        tensor._number = number
    for slot, (kind, index) in enumerate(node.op.saves):
        if kind == OUTPUT and index == number and node.saved is not None and node.saved[slot] is not None:
            node.versions.append((tensor._version_counter, 0, slot))
    return tensor


def _wrapped(op: Op, result: Any) -> Any:
    """The result of a call as Tensors without history."""
    if type(result) is tuple:
        if op.keeps:
            result = op.visible(result)
            return tuple(map(wrap, result)) if type(result) is tuple else wrap(result)
        return tuple(map(wrap, result))
    return wrap(result)


# -- applying ------------------------------------------------------------------------------------------------------


def _apply_one(op: Op) -> Callable[..., Any]:
    kernel = op.kernel
    differentiable = op.differentiable

    def apply(a: Any, *rest: Any) -> Any:
        recorder = mode.recorder
        result = kernel(a._data, *rest) if recorder is None else recorder.call(kernel, a._data, *rest)
        if differentiable and mode.grad:
            edge = a._node if a._view is None else a.grad_node()
            if edge is not None:
                return _recorded(op, (a, *rest), (edge,), result)
        return _wrapped(op, result)

    return apply


def _apply_two(op: Op) -> Callable[..., Any]:
    kernel = op.kernel
    rules = op.rules
    first, second = rules[0] is not None, rules[1] is not None
    differentiable = op.differentiable

    def apply(a: Any, b: Any, *rest: Any) -> Any:
        if a.__class__ is Tensor and b.__class__ is Tensor:
            x, y = a._data, b._data
        else:
            x = a._data if hasattr(a, "_node") else a
            y = b._data if hasattr(b, "_node") else b
        recorder = mode.recorder
        result = kernel(x, y, *rest) if recorder is None else recorder.call(kernel, x, y, *rest)
        if differentiable and mode.grad:
            edge_a = (a._node if a._view is None else a.grad_node()) if first and x is not a else None
            edge_b = (b._node if b._view is None else b.grad_node()) if second and y is not b else None
            if edge_a is not None or edge_b is not None:
                return _recorded(op, (a, b, *rest), (edge_a, edge_b), result)
        return _wrapped(op, result)

    return apply


def _apply_many(op: Op) -> Callable[..., Any]:
    kernel = op.kernel
    arity = op.arity
    has_rule = [rule is not None for rule in op.rules]

    def apply(*args: Any) -> Any:
        arrays = [arg._data if hasattr(arg, "_node") else arg for arg in args]
        recorder = mode.recorder
        result = kernel(*arrays) if recorder is None else recorder.call(kernel, *arrays)
        if mode.grad:
            edges = tuple(
                [
                    arg.grad_node() if rule and hasattr(arg, "_node") else None
                    for arg, rule in zip(args[:arity], has_rule, strict=False)
                ]
            )
            if any(edge is not None for edge in edges):
                return _recorded(op, args, edges, result)
        return _wrapped(op, result)

    return apply


def _apply_sequence(op: Op) -> Callable[..., Any]:
    kernel = op.kernel

    def apply(tensors: Any, *rest: Any) -> Any:
        arrays = [each._data for each in tensors]
        recorder = mode.recorder
        result = kernel(arrays, *rest) if recorder is None else recorder.call(kernel, arrays, *rest)
        if mode.grad:
            edges = tuple([each.grad_node() for each in tensors])
            if any(edge is not None for edge in edges):
                return _recorded(op, (tensors, *rest), edges, result)
        return _wrapped(op, result)

    return apply


def _apply_view(op: Op) -> Callable[..., Any]:
    """Ops whose result shares the input's memory; the kernel may also have had to copy."""
    kernel = op.kernel

    def apply(a: Any, *rest: Any) -> Any:
        x = a._data
        result = kernel(x, *rest)
        if result is x:
            return a
        several = type(result) is tuple
        base = (result[0] if result else x) if several else result
        shares = several or base.base is x or (x.base is not None and base.base is x.base)
        if not shares and mode.recorder is not None:
            result = mode.recorder.call(kernel, x, *rest)
        edge = (a._node if a._view is None else a.grad_node()) if mode.grad else None
        out = _wrapped(op, result) if edge is None else _recorded(op, (a, *rest), (edge,), result)
        if shares:
            creation = "several" if several and edge is not None else None if mode.grad else "no_grad"
            for each in out if several else (out,):
                as_view(each, a, creation)
        return out

    return apply


def as_view(tensor: Tensor, of: Tensor, creation: str | None = None) -> Tensor:
    """Make `tensor`, whose array shares memory with that of `of`, its view: one base, one version counter."""
    tensor._version_counter = counter = of._version_counter
    version = 0 if counter is None else counter[0]
    if of._view is None:
        tensor._view = View(of, version, creation)
    else:
        tensor._view = View(of._view.base, version, creation or of._view.creation)
    return tensor


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
    kernel = op.kernel
    arity = op.arity

    def apply(*args: Any) -> Tensor:
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
            node = make_node(op, _with_original(op, args, edges), edges, array, op.inplace_node)
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
        return (wrap(args[0]._data.copy()), *args[1:])
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
        _note_output_version(op, node, counter)


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


def _callable(op: Op, apply: Callable[..., Any], reader: Reader) -> Callable[..., Any]:
    count = 1 if op.variadic else op.arity
    read = op.read
    sizes_only = any(map(_SIZES_ONLY.fullmatch, op.texts)) and not any(map(_ONE_INT.match, op.texts))
    strict = op.arity > 1 and "Number" not in "".join(op.texts)

    def function(*args: Any, **kwargs: Any) -> Any:
        if sizes_only and not kwargs and len(args) > 1:
            given = args[1:] if args[1].__class__ is int else args[1]
            if given.__class__ is tuple and set(map(type, given)) <= _INTS:
                return apply(args[0], given)
        if kwargs or len(args) != count or (strict and not hasattr(args[1], "_node")):
            arranged, out = read(reader, args, kwargs)
            return apply(*arranged) if out is None else _write_out(op, arranged, out)
        try:
            return apply(*args)
        except (AttributeError, TypeError, ValueError):
            reader.read(args[1:] if reader.method else args, kwargs)  # raises torch's TypeError where that is why
            arranged, _ = read(reader, args, kwargs)
            return apply(*arranged)

    function.__name__ = function.__qualname__ = reader.function
    function.__doc__ = op.kernel.__doc__
    return function


def _operator(op: Op, *, reflected: bool = False) -> Callable[[Any, Any], Any]:
    """A binary operator: NotImplemented for operands that are neither tensors nor numbers."""
    apply = op.apply

    def operator(a: Any, b: Any) -> Any:
        if not hasattr(b, "_node"):
            kind = type(b)
            if kind is not float and kind is not int and kind is not bool:
                if isinstance(b, np.ndarray):
                    b = wrap(b)
                elif isinstance(b, (np.generic, int, float)):
                    b = python_value(b)
                else:
                    return NotImplemented
        return apply(b, a) if reflected else apply(a, b)

    return operator


def _tensor_operator(op: Op) -> Callable[[Any, Any], Any]:
    """`@`: tensors only."""
    apply = op.apply

    def operator(a: Any, b: Any) -> Any:
        return apply(a, b) if hasattr(b, "_node") else NotImplemented

    return operator


def _inplace_operator(method: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    def operator(a: Any, b: Any) -> Any:
        if not hasattr(b, "_node"):
            if not isinstance(b, (int, float, np.generic)):
                return NotImplemented
            b = python_value(b)
        return method(a, b)

    return operator


def bind(op: Op) -> None:
    """Set `op.apply`."""
    if op.variadic:
        op.apply = _apply_sequence(op)
    elif op.view:
        op.apply = _apply_view(op)
    elif op.arity == 1:
        op.apply = _apply_one(op)
    elif op.arity == 2:
        op.apply = _apply_two(op)
    else:
        op.apply = _apply_many(op)


for _op in TABLE.values():
    bind(_op)

FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: _callable(each, each.apply, each.reader(method=False)) for name, each in TABLE.items()
}
METHODS: dict[str, Callable[..., Any]] = {
    name: _callable(each, each.apply, each.reader(method=True)) for name, each in TABLE.items() if not each.variadic
}
METHODS |= {
    f"{name}_": _callable(each, _inplace(each), each.reader(method=True, suffix="_"))
    for name, each in TABLE.items()
    if each.inplace
}
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
