"""In-place forms whose kernels write into the operand itself, so that little is touched where little changes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ._bind import _with_original, check_writable, rebase
from ._capture import mode, run
from ._record import make_node
from ._tensor import Tensor
from .autograd.graph import Node
from .ops import Op
from .ops._checks import check_one_place_each, is_dense, overlapping

Array = np.ndarray[Any, np.dtype[Any]]
Write = Callable[..., None]


def written(op: Op, write: Write, target: Tensor, *args: Any) -> Node | None:
    """Have `write(array, *arrays)` change the array of `target`, and record that as `op(target, *args)`.

    `write` checks its arguments before it changes anything.  Returns the node, if one was made.
    """
    operands = (target, *args[: op.arity - 1])
    recording = mode.grad and any(
        rule is not None and hasattr(each, "_node") and each.requires_grad
        for each, rule in zip(operands, op.rules, strict=False)
    )
    check_writable(target, recording)
    array = target._data
    node = None
    if recording:  # before the write, so that what is saved remembers the version it had
        edges = tuple(
            each.grad_node() if rule is not None and hasattr(each, "_node") else None
            for each, rule in zip(operands, op.rules, strict=False)
        )
        node = make_node(op, _with_original(op, (target, *args), edges), edges, array, op.inplace_node)
    arrays = [arg._data if hasattr(arg, "_node") else arg for arg in args]
    run(write, array, *arrays)
    target._bump()
    if node is not None:
        rebase(target, node, op)
    return node


def check_separate(written_to: Array, *others: Any) -> None:
    """RuntimeError where what is written to lies in the memory of another operand, or of itself."""
    check_one_place_each(written_to)
    for each in others:
        if (
            isinstance(each, np.ndarray)
            and each.size
            and np.may_share_memory(written_to, each)
            and is_dense(written_to)
            and is_dense(each)
        ):
            raise overlapping()


def warn_if_expanded(array: Array, name: str, example: str) -> None:
    """torch still allows some writes to memory that several elements share."""
    if has_overlap(array):
        warnings.warn(
            f"Use of {name} on expanded tensors is deprecated. Please clone() the tensor before performing this operation. "
            f"This also applies to advanced indexing e.g. {example}",
            UserWarning,
            stacklevel=5,
        )


def has_overlap(array: Array) -> bool:
    """Whether several elements share their memory, as those of an expanded tensor do."""
    return (
        bool(array.size)
        and 0 in array.strides
        and any(n > 1 and not step for n, step in zip(array.shape, array.strides, strict=True))
    )
