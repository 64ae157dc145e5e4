"""In-place forms whose kernels write into the operand itself, so that little is touched where little changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import _apply
from ._capture import mode, run
from ._layout import resolved
from ._record import make_node
from ._tensor import Tensor
from ._writing import check_writable, rebase, with_original
from .autograd.graph import Node
from .ops import Op
from .ops._checks import check_one_place_each, is_dense, overlapping

Array = np.ndarray[Any, np.dtype[Any]]
Write = Callable[..., None]


def written(op: Op, write: Write, target: Tensor, *args: Any, check: Write | None = None) -> Node | None:
    """Have `write(array, *arrays)` change the array of `target`, and record that as `op(target, *args)`.

    `check(array, *arrays)` comes first, and `write` checks its arguments before it changes anything.  Returns the node,
    if one was made.
    """
    operands = (target, *args[: op.arity - 1])
    recording = mode.grad and any(
        rule is not None and hasattr(each, "_node") and each.requires_grad
        for each, rule in zip(operands, op.rules, strict=False)
    )
    check_writable(target, recording)
    array: Any = target._data
    arrays = [arg._data if hasattr(arg, "_node") else arg for arg in args]
    if check is not None:
        check(array, *arrays)
    node = None
    if recording:  # before the write, so that what is saved remembers the version it had
        edges = tuple(
            each.grad_node() if rule is not None and hasattr(each, "_node") else None
            for each, rule in zip(operands, op.rules, strict=False)
        )
        node = make_node(op, with_original(op, (target, *args), edges), edges, array, op.inplace_node, written=True)
    if _apply.complex_in_use:
        arrays = list(map(resolved, arrays))
    if array.__class__ is np.ndarray:
        run(write, array, *arrays)
    else:  # seen through bits, see `_conjugation`
        run(array.changed_by, write, *arrays)
    target._bump()
    if node is not None:
        rebase(target, node, op)
    return node


def check_separate(written_to: Any, *others: Any) -> None:
    """RuntimeError where what is written to lies in the memory of another operand, or of itself."""
    check_one_place_each(written_to)
    if written_to.__class__ is not np.ndarray:  # but seen through bits: it is written to when all has been read
        return
    for each in others:
        if each is written_to or (
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
        from ._once import warn_of_call

        warn_of_call(
            f"Use of {name} on expanded tensors is deprecated. Please clone() the tensor before performing this operation. "
            f"This also applies to advanced indexing e.g. {example}",
        )


def has_overlap(array: Array) -> bool:
    """Whether several elements share their memory, as those of an expanded tensor do."""
    return (
        bool(array.size)
        and 0 in array.strides
        and any(n > 1 and not step for n, step in zip(array.shape, array.strides, strict=True))
    )
