"""Applying an op to Tensors: `op.apply`, which takes the kernel's positional arguments with Tensors for arrays.

What an eager op costs beyond its kernel is spent here.  So the function of an op with a single output is written out,
when it is first called, for just that op: its number of operands, and the values that its rules ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ._capture import mode
from ._history import FoldedView, NoVersion, View
from ._record import new_node, recorded, refuse_inference, wrapped
from ._tensor import Tensor, new_tensor, wrap
from .autograd.graph import for_result, next_sequence, type_of_node
from .ops import Op
from .ops._table import DTYPE, INPUT, KEPT, OUTPUT, SHAPE, STATIC, unbound

adaptations: list[Callable[[Op], None]] = []  # what an op needs for the rare dtypes in use; see `_rare`
complex_in_use = False
view_binder: Callable[[Op], Callable[..., Any]]  # `of_view`, or what takes its place with complex numbers in use


def is_bound(op: Op) -> bool:
    """Whether `op.apply` has been set."""
    return op.apply is not unbound


def bind(op: Op) -> None:
    """Set `op.apply`."""
    for adapt in adaptations:
        adapt(op)
    if op.variadic:
        op.apply = _sequence(op)
    elif op.view:
        op.apply = view_binder(op)
    elif len(op.outputs) != 1:
        op.apply = general(op)
    else:
        op.apply = _written_at_first_call(op)


def _written_at_first_call(op: Op) -> Callable[..., Any]:
    written: Callable[..., Any] | None = None

    def apply(*args: Any) -> Any:
        nonlocal written
        if written is None:
            written = written_out(op)
            if op.apply is apply:  # and not what watches it
                op.apply = written
        return written(*args)

    return apply


# -- written out -------------------------------------------------------------------------------------------------------


def written_out(op: Op) -> Callable[..., Any]:
    """`general(op)`, unrolled over the operands and over what is saved of them."""
    namespace: dict[str, Any] = {
        "Tensor": Tensor,
        "mode": mode,
        "kernel": op.kernel,
        "defaults": op.defaults,
        "wrap": wrap,
        "ndarray": np.ndarray,
        "asarray": np.asarray,
        "new_node": new_node,
        "new_tensor": new_tensor,
        "next_sequence": next_sequence,
        "node_name": op.node,
        "node_type": type_of_node(op, op.node) if isinstance(op.node, str) else None,
        "type_of_node": partial(type_of_node, op),
        "for_result": for_result,
        "folds": op.folds,
        "fold": _fold,
        "refuse_inference": refuse_inference,
        "note_copies": _note_copies,
    }
    if complex_in_use:
        from ._conjugation import Unresolved

        namespace["Unresolved"] = Unresolved
    exec(compile(_source(op), f"<apply {op.name}>", "exec"), namespace)
    apply: Callable[..., Any] = namespace["apply"]
    apply.__defaults__ = op.defaults
    return apply


def _source(op: Op) -> str:
    """The text of `apply` for `op`: p0, p1, ... are its parameters, x0, ... the arrays and e0, ... the edges of operands."""
    operands = range(op.arity)
    differentiable = [index for index in operands if op.rules[index] is not None]
    parameters = [f"p{index}" for index in range(len(op.parameters))]
    passed = ", ".join([f"x{index}" for index in operands] + parameters[op.arity :])
    kept = "".join(f", k{index}" for index in range(len(op.keeps)))
    lines = [f"def apply({', '.join(parameters)}):"]
    if op.arity == 1:
        lines += ["    x0 = p0._data"]
    else:
        lines += [
            f"    x{i} = p{i}._data"
            if op.namespace != "internal" and _is_tensor_always(op, i)
            else f'    x{i} = p{i}._data if p{i}.__class__ is Tensor or hasattr(p{i}, "_node") else p{i}'
            for i in operands
        ]
    if complex_in_use:  # and a conjugate view may be among the operands, see `_conjugation`
        lines += [f"    if x{i}.__class__ is Unresolved: x{i} = x{i}.resolve()" for i in operands]
    lines += [
        "    recorder = mode.recorder",
        f"    result{kept} = kernel({passed}) if recorder is None else recorder.call(kernel, {passed})",
    ]
    if differentiable:
        lines += [
            "    if mode.grad:",
            *(
                f"        e{i} = (p{i}._node if p{i}._view is None else p{i}.grad_node())"
                + (f" if x{i} is not p{i} else None" if op.arity > 1 else "")
                for i in differentiable
            ),
            f"        if {' or '.join(f'e{i} is not None' for i in differentiable)}:",
            *(f"            {line}" for line in _recording(op, differentiable)),
        ]
    if op.folds is None:
        return "\n".join([*lines, "    return wrap(result)"])
    return "\n".join(
        [*lines, "    tensor = wrap(result)", *(f"    {line}" for line in _folding(op)), "    return tensor"]
    )


def _is_tensor_always(op: Op, operand: int) -> bool:
    """Whether all signatures have a plain tensor for this operand, wherever they have it."""
    name = op.parameters[operand]
    return all(f"Tensor {name}," in text or f"Tensor {name})" in text for text in op.texts)


def _recording(op: Op, differentiable: list[int]) -> list[str]:
    """The lines that make the node and the result."""
    edges = "".join(f"e{i}, " if i in differentiable else "None, " for i in range(op.arity))
    numbers = [
        f"p{i}._number" if op.arity == 1 else f"(p{i}._number if x{i} is not p{i} else 0)" for i in range(op.arity)
    ]
    names = [f"n{i}" for i in range(op.arity)]
    arguments = ", ".join(f"p{index}" for index in range(len(op.parameters)))
    node_type = "node_type" if isinstance(op.node, str) else f"type_of_node(node_name({arguments}))"
    return [
        "if result.__class__ is not ndarray:",
        "    result = asarray(result)",
        f"node = new_node({node_type})" if not complex_in_use else f"node = new_node(for_result({node_type}, result))",
        f"node.inputs = ({edges})",
        *(f"{name} = {number}" for name, number in zip(names, numbers, strict=True)),
        f"node.numbers = ({', '.join(names)},) if {' or '.join(names)} else None",
        "node.sequence = next_sequence()",
        "node.hooks = None",
        "node.shape = result.shape",
        "node.dtype = result.dtype",
        "counter = [0]",
        *_saving(op, differentiable),
        *(["if x0.ndim > 2 or x1.ndim > 2:", "    note_copies(node, x0, x1)"] if op.name == "matmul" else []),
        "tensor = new_tensor(Tensor)",
        "tensor._data = result",
        "tensor._node = node",
        "tensor._number = 0",
        "tensor._grad = tensor._view = None",
        "tensor._version_counter = counter",
        *(_folding(op) if op.folds else ()),
        "return tensor",
    ]


def _folding(op: Op) -> list[str]:
    """The lines that make a result other than a matrix the view that it is in torch."""
    arguments = ", ".join(f"p{index}" for index in range(len(op.parameters)))
    return ["if result.ndim != 2:", f"    fold(folds, tensor, {arguments})"]


def _fold(folds: Callable[..., bool], tensor: Tensor, input: Tensor, weight: Tensor, bias: Any = None) -> None:
    if tensor._node is not None and not input._data.flags.c_contiguous:
        _note_copies(tensor._node, input._data, weight._data.T, "T")
    if folds(input, weight, bias):
        tensor._view = FoldedView(tensor)
    else:
        if input._data.ndim == 1 != weight._data.ndim:
            tensor._bump()  # of a vector torch makes a matrix, and squeezes the product in place
        if bias is not None:
            tensor._bump()  # and adds this in place


def _note_copies(node: Any, a: Any, b: Any, title: str | None = None) -> None:
    from .ops._folding import note_copies

    note_copies(node, a, b, title)


def _saving(op: Op, differentiable: list[int]) -> list[str]:
    """The lines that save what the rules of the inputs that need a gradient will ask for."""
    if not op.saves:
        return ["node.saved = node.versions = ()"]
    lines = ["versions = []"]
    readers = op.readers()
    for slot, (kind, index) in enumerate(op.saves):
        value, versioned = _saved_value(op, kind, index)
        taken = [f"s{slot} = {value}"]
        if versioned:
            held = f"p{index}._version_counter" if kind == INPUT else "counter"
            remembered = [
                f"c = {held}",
                "if c is None:",
                "    refuse_inference()",
                f"versions.append((c, c[0], {slot}))",
            ]
            if kind == INPUT and op.arity > 1:
                remembered = [f"if x{index} is not p{index}:", *(f"    {line}" for line in remembered)]
            taken += remembered
        numbers = op.if_tensors.get(slot)
        if readers[slot] == set(differentiable) and not numbers:
            lines += taken
        else:
            wanted = " or ".join(
                [f"x{i} is not p{i}" for i in numbers]
                if numbers
                else [f"e{i} is not None" for i in sorted(readers[slot])]
            )
            lines += [f"s{slot} = None", f"if {wanted}:", *(f"    {line}" for line in taken)]
    saved = "".join(f"s{slot}, " for slot in range(len(op.saves)))
    return [*lines, f"node.saved = ({saved})", "node.versions = versions"]


def _saved_value(op: Op, kind: int, index: int) -> tuple[str, bool]:
    """The expression of a saved value, and whether its memory can be written to."""
    if kind == INPUT:
        return f"x{index}", True
    if kind == OUTPUT:
        return "result", True
    shape = f"x{index}.shape" if op.arity == 1 else f"x{index}.shape if x{index} is not p{index} else ()"
    values = {SHAPE: shape, DTYPE: f"x{index}.dtype", STATIC: f"p{index}", KEPT: f"k{index}"}
    return values.get(kind, "None"), False


# -- in general ----------------------------------------------------------------------------------------------------------


def general(op: Op) -> Callable[..., Any]:
    """For an op with any number of outputs; also what others are observed through."""
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
                return recorded(op, args, edges, result)
        return wrapped(op, result)

    return apply


def _sequence(op: Op) -> Callable[..., Any]:
    kernel = op.kernel

    def apply(tensors: Any, *rest: Any) -> Any:
        arrays = [each._data for each in tensors]
        recorder = mode.recorder
        result = kernel(arrays, *rest) if recorder is None else recorder.call(kernel, arrays, *rest)
        if mode.grad:
            edges = tuple([each.grad_node() for each in tensors])
            if any(edge is not None for edge in edges):
                return recorded(op, (tensors, *rest), edges, result)
        return wrapped(op, result)

    return apply


def of_view(op: Op) -> Callable[..., Any]:
    """Ops whose result shares the input's memory; the kernel may also have had to copy."""
    kernel = op.kernel

    def apply(a: Any, *rest: Any) -> Any:
        x = a._data
        try:
            result = kernel(x, *rest)
        except (RuntimeError, IndexError):
            check_histories(op, (a,))
            raise
        if result is x:
            return a
        several = type(result) is tuple
        base = (result[0] if result else x) if several else result
        shares = several or base.base is x or (x.base is not None and base.base is x.base)
        if not shares and mode.recorder is not None:
            result = mode.recorder.call(kernel, x, *rest)
        recording = mode.grad and a._version_counter.__class__ is list  # which it is not of inference mode
        edge = (a._node if a._view is None else a.grad_node()) if recording else None
        out = wrapped(op, result) if edge is None else recorded(op, (a, *rest), (edge,), result)
        if shares:
            for each in out if several else (out,):
                as_view(each, a, "several" if several else None)
        return out

    return apply


view_binder = of_view


def check_histories(op: Op, operands: Any) -> None:
    """RuntimeError for an operand that is a view and has lost its history: torch asks for that before it computes.

    Here it is asked for with the result, so that this is for those who have met another error.
    """
    if mode.grad and op.differentiable:
        for each in operands:
            if hasattr(each, "_node") and each._version_counter.__class__ is list:
                try:
                    each.grad_node()
                except RuntimeError as lost:
                    raise lost from None


def as_view(tensor: Tensor, of: Tensor, creation: str | None = None) -> Tensor:
    """Make `tensor`, whose array shares memory with that of `of`, its view: one base, one version counter."""
    counter = of._version_counter
    if counter.__class__ is not list:  # of inference mode, where nobody will ask what it is a view of
        if counter.__class__ is NoVersion:
            counter[0]
        tensor._version_counter = tensor._view = None
        return tensor
    tensor._version_counter = counter
    if not mode.grad:
        creation = "inference" if mode.inference else "no_grad"
    if of._view is None:
        tensor._view = View(of, counter[0], creation)
    else:
        before = of._view.creation  # and of inference mode for good
        tensor._view = View(of._view.base, counter[0], before if before == "inference" else creation or before)
    return tensor
