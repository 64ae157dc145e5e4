"""Automatic differentiation: `backward`, `grad` and the modes that switch recording on and off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _tensor
from .._layout import resolved
from .engine import run_backward
from .grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from .graph import Node, Nowhere

if TYPE_CHECKING:
    from .._tensor import Tensor

__all__ = [
    "Node",
    "backward",
    "enable_grad",
    "grad",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "set_grad_enabled",
]

Tensors = "Tensor | Sequence[Tensor]"


def _sequence(tensors: Any) -> tuple[Any, ...]:
    return (tensors,) if isinstance(tensors, _tensor.Tensor) else tuple(tensors)


def _root_gradients(outputs: tuple[Tensor, ...], gradients: Any, create_graph: bool) -> list[Any]:
    """The gradient to start from at each output: as given, or 1 for a scalar."""
    if gradients is None or isinstance(gradients, _tensor.Tensor):
        gradients = (gradients,) * (len(outputs) if gradients is None else 1)
    gradients = tuple(gradients)
    if len(gradients) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(gradients)} gradients")
    result = []
    for index, (output, g) in enumerate(zip(outputs, gradients, strict=True)):
        if g is None:
            given = _implicit_gradient(output, index)
        elif not isinstance(g, _tensor.Tensor):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
        elif g.shape != output.shape:
            raise RuntimeError(
                f"Mismatch in shape: grad_output[{index}] has a shape of {g.shape} and output[{index}] has a shape of "
                f"{output.shape}."
            )
        else:
            _check_same_field(output, g, index)
            given = g if create_graph else resolved(g._data)
        node = output.grad_node()
        if node is None or node.__class__ is Nowhere:
            raise RuntimeError(f"element {index} of tensors does not require grad and does not have a grad_fn")
        result.append(_tensor.wrap(given) if create_graph and g is None else given)
    return result


def _check_same_field(output: Tensor, g: Tensor, index: int) -> None:
    """RuntimeError for a complex gradient of a real output, or a real one of a complex output."""
    kinds = output._data.dtype.kind, g._data.dtype.kind
    if kinds[0] != kinds[1] and "c" in kinds:
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: "
            f"grad_output[{index}] has a dtype of {g.dtype} and output[{index}] has a dtype of {output.dtype}."
        )


def _implicit_gradient(output: Tensor, index: int) -> Any:
    """The array 1, for an output of one element."""
    if not output.requires_grad:
        raise RuntimeError(f"element {index} of tensors does not require grad and does not have a grad_fn")
    data = output._data
    if data.size != 1:
        raise RuntimeError("grad can be implicitly created only for scalar outputs")
    if data.dtype.kind == "c":
        raise RuntimeError(f"grad can be implicitly created only for real scalar outputs but got {output.dtype}")
    one = np.empty_like(data)
    one.fill(1)
    return one


def _roots(outputs: tuple[Tensor, ...], gradients: Any, create_graph: bool) -> list[tuple[Any, int, Any]]:
    if not all(isinstance(each, _tensor.Tensor) for each in outputs):
        raise AssertionError("Expected output to be a torch.Tensor")
    starts = _root_gradients(outputs, gradients, create_graph)
    return [(output.grad_node(), output._number, g) for output, g in zip(outputs, starts, strict=True)]


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Accumulate into the leaves (or into `inputs` only) the gradients of the sum of the given tensors.

    Args:
        tensors: the tensor or tensors to differentiate.
        grad_tensors: the gradient of each, of its shape; may be left out for scalars.
        retain_graph: keep what the graph has saved (default: the value of `create_graph`).
        create_graph: record the backward pass, so that it can be differentiated.
        inputs: the tensors into whose `grad` to accumulate.

    Raises:
        RuntimeError: for a tensor that requires no grad, a non-scalar without gradient, a shape that differs,
            a graph already freed, a saved value overwritten.
    """
    if grad_variables is not None:
        grad_tensors = _under_its_older_name(grad_tensors, grad_variables)
    outputs = _sequence(tensors)
    keep = create_graph if retain_graph is None else retain_graph
    targets = None
    if inputs is not None:
        inputs = _sequence(inputs)
        if not inputs:
            raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    roots = _roots(outputs, grad_tensors, create_graph)
    if inputs is not None:
        targets = []
        for each in inputs:
            each.retain_grad()  # which is how an intermediate tensor gets its gradient
            targets.append((_target(each), each._number))
    run_backward(roots, keep_graph=keep, create_graph=create_graph, targets=targets, accumulates=inputs is not None)


def _under_its_older_name(grad_tensors: Any, grad_variables: Any) -> Any:
    from .._once import warn_of_call

    warn_of_call("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning)
    if grad_tensors is not None:
        raise RuntimeError(
            "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. Please only use "
            "`grad_tensors`."
        )
    return grad_variables


def _target(tensor: Tensor) -> Node:
    node = tensor.grad_node()
    if node is None:
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    return node


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of the sum of `outputs` with respect to `inputs`; no `grad` attribute is touched.

    Args:
        grad_outputs: the gradient of each output, of its shape; may be left out for scalars.
        allow_unused: give None for an input that the outputs do not depend on, instead of an error.
        materialize_grads: give zeros there.

    Raises:
        RuntimeError: as for `backward`, and for an unused input.
        ValueError: where `materialize_grads` and `allow_unused=False` contradict each other.
    """
    if is_grads_batched:
        raise NotImplementedError("autograd.grad: is_grads_batched=True is not supported")
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    if allow_unused is None:
        allow_unused = materialize_grads
    outputs, inputs = _sequence(outputs), _sequence(inputs)
    if not only_inputs:
        from .._once import warn_of_call

        warn_of_call(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for other parts "
            "of the graph, please use torch.autograd.backward.",
            FutureWarning,
        )
    if not inputs:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    keep = create_graph if retain_graph is None else retain_graph
    roots = _roots(outputs, grad_outputs, create_graph)
    targets = [(_target(each), each._number) for each in inputs]
    captured = run_backward(roots, keep_graph=keep, create_graph=create_graph, targets=targets)
    assert captured is not None
    result: list[Any] = []
    for tensor, target in zip(inputs, targets, strict=True):
        g = captured[target]
        if g is None:
            if not allow_unused:
                raise RuntimeError(
                    f"The differentiated Tensor at index {len(result)} appears to not have been used in the graph. Set "
                    "allow_unused=True if this is the desired behavior."
                )
            result.append(_tensor.wrap(np.zeros_like(tensor._data)) if materialize_grads else None)
        else:
            result.append(g if create_graph else _tensor.wrap(g))
    return tuple(result)


def __getattr__(name: str) -> Any:
    if name == "Variable":
        from .variable import Variable

        return Variable
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
