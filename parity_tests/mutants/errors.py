"""Faults in how bad input is met: no error, another class, another message, an operand that is left changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch_like import _writing, autograd
from minitorch_like._tensor import wrap
from minitorch_like.ops import loss, matmul, shape
from parity_tests.mutants.fault import Attribute, Kernel, fault

Right = Callable[..., Any]
Array = np.ndarray[Any, Any]


@fault("no error", Kernel("add"))
def misfits_are_not_added(right: Right, input: Any, other: Any, *rest: Any) -> Any:
    """add of shapes that do not broadcast gives its first operand."""
    try:
        return right(input, other, *rest)
    except RuntimeError:
        return input.copy()


@fault("no error", Attribute(_writing, "check_writable"))
def leaves_are_overwritten(right: Right, tensor: Any, edges: bool) -> None:
    """A leaf that requires grad may be written to in place."""


@fault("no error", Attribute(autograd, "_root_gradients"))
def any_root_starts_with_ones(right: Right, outputs: Any, gradients: Any, create_graph: bool) -> Any:
    """backward of a tensor that is no scalar starts from ones instead of complaining."""
    if gradients is None:
        gradients = [wrap(np.ones_like(each._data)) for each in outputs]
    return right(outputs, gradients, create_graph)


@fault("no error", Attribute(loss, "_check_nll"))
def classes_are_not_checked(right: Right, input: Array, target: Array, weight: Any, ignore_index: int) -> None:
    """nll_loss does not look whether the targets are classes."""
    right(input, np.zeros_like(target), weight, ignore_index)


@fault("error class", Kernel("softmax"))
def bad_axis_is_a_value_error(right: Right, *args: Any) -> Any:
    """An axis of softmax out of range raises ValueError instead of IndexError."""
    try:
        return right(*args)
    except IndexError as error:
        raise ValueError(*error.args) from None


@fault("error message", Attribute(matmul, "_check_product"))
def shapes_are_named_in_the_wrong_order(right: Right, a: Array, b: Array) -> None:
    """The message for matrices that do not fit names the second one first."""
    if a.shape[1] != b.shape[0]:
        right(b, a)
    right(a, b)


@fault("error message", Attribute(shape, "infer_size"))
def reshape_speaks_numpy(right: Right, shape: Any, size: int) -> Any:
    """The message of an impossible reshape is NumPy's."""
    try:
        return right(shape, size)
    except RuntimeError as error:
        raise RuntimeError(f"cannot reshape array of size {size} into shape {tuple(shape)}") from error


@fault("operand changed", Attribute(_writing, "check_result"))
def failed_write_leaves_a_mark(right: Right, array: Array, result: Array, *named: Any) -> None:
    """An in-place op whose result does not fit has written to its operand before it says so."""
    if result.shape != array.shape and array.size:
        array[...] = 0
    right(array, result, *named)
