"""What is known of a tensor at one moment, as plain data: its values and everything a user can ask it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """One tensor.  A field that is None is one that the framework has no notion of: it is not compared.

    value:    a copy of the elements.
    strides:  in elements.
    grad_fn:  the name of the node, '' for a tensor without one.
    storage:  equal for two snapshots of the same moment exactly if their tensors share memory; None without elements.
    """

    value: Array
    dtype: str
    shape: tuple[int, ...]
    kind: str = "Tensor"
    strides: tuple[int, ...] | None = None
    device: str | None = None
    requires_grad: bool | None = None
    is_leaf: bool | None = None
    grad_fn: str | None = None
    grad: Snapshot | None = None
    storage: int | None = None


def is_tensor(value: object) -> bool:
    """Whether `value` has a tensor's manners.  No framework is asked."""
    return hasattr(value, "detach") and hasattr(value, "shape") and hasattr(value, "dtype")


def take(value: Any) -> Any:
    """`value` with a snapshot in the place of every tensor: tuples, lists and dicts are walked, the rest is kept."""
    if is_tensor(value):
        return of_tensor(value)
    if isinstance(value, Mapping):
        return {key: take(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)) and type(value).__name__ != "Size":
        return Sequence(type(value).__name__, [take(item) for item in value])
    return value


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list or a tuple (plain or named) of anything, and the name of its type."""

    kind: str
    items: list[Any]


def of_tensor(tensor: Any, accumulated: bool = False) -> Snapshot:
    """The snapshot of any object with torch.Tensor's manners.

    accumulated: it is a `.grad`.  Two of them share memory if they begin at the same element: that they were cut from
    one piece, as the gradients of the operands of a stack are, nobody can tell.
    """
    detached = tensor.detach()
    try:
        array = detached.numpy()
    except RuntimeError:
        # A gradient that is known to be zero may have no memory at all.
        detached = detached.clone()
        array = detached.numpy()
    except TypeError:
        array = detached.float().numpy()  # bfloat16, whose numbers are all numbers of float32
    is_leaf = getattr(tensor, "is_leaf", None)
    # Asking a non-leaf for its gradient is a mistake that torch warns of.
    has_grad = is_leaf or getattr(tensor, "retains_grad", False)
    grad = tensor.grad if has_grad else None
    return Snapshot(
        value=np.array(array, copy=True),
        dtype=str(tensor.dtype).rpartition(".")[2],
        shape=tuple(tensor.shape),
        kind=type(tensor).__name__,
        strides=tuple(tensor.stride()) if hasattr(tensor, "stride") else None,
        device=str(tensor.device) if hasattr(tensor, "device") else None,
        requires_grad=getattr(tensor, "requires_grad", None),
        is_leaf=is_leaf,
        grad_fn=_node_name(tensor),
        grad=None if grad is None else of_tensor(grad, accumulated=True),
        storage=_storage(detached, array, accumulated) if array.size else None,
    )


def _node_name(tensor: Any) -> str | None:
    try:
        node = tensor.grad_fn
    except AttributeError:
        return None
    except RuntimeError as forbidden:  # a view whose base was changed in a way that torch does not follow
        return str(forbidden)
    if node is None:
        return ""
    name = getattr(node, "name", None)
    return str(name()) if callable(name) else None


def _storage(tensor: Any, array: Array, accumulated: bool) -> int:
    if accumulated:
        return int(tensor.data_ptr() if hasattr(tensor, "data_ptr") else array.__array_interface__["data"][0])
    if hasattr(tensor, "untyped_storage"):
        return int(tensor.untyped_storage().data_ptr())
    while isinstance(array.base, np.ndarray):
        array = array.base
    return int(array.__array_interface__["data"][0])


def leaves(tree: Any, path: Path = ()) -> Iterator[tuple[Path, Snapshot]]:
    """Every snapshot in a tree with its path: gradients that hang on a tensor too."""
    if isinstance(tree, Snapshot):
        yield path, tree
        if tree.grad is not None:
            yield from leaves(tree.grad, (*path, "grad"))
    elif isinstance(tree, Mapping):
        for key, item in tree.items():
            yield from leaves(item, (*path, key))
    elif isinstance(tree, Sequence):
        for index, item in enumerate(tree.items):
            yield from leaves(item, (*path, index))


def path_text(path: Path) -> str:
    """('grad', 'x', 0) -> 'grad.x[0]'."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")
