"""`RemovableHandle`: what registering a hook returns, on tensors and on modules."""

from __future__ import annotations

import warnings
import weakref
from collections import OrderedDict
from types import TracebackType
from typing import Any

from minitorch_like._capture import structure


class RemovableHandle:
    """A handle with which to remove a hook, by `remove()` or by leaving a `with` block.

    `extra_dict`: further dicts that know the hook by its id, one or a list of them.
    The dicts are held weakly: a handle keeps no module or tensor alive.
    """

    id: int
    next_id: int = 0

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None:
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        self.hooks_dict_ref = weakref.ref(hooks_dict)
        structure.modules_changed()
        extra = [extra_dict] if isinstance(extra_dict, dict) else extra_dict or []
        self.extra_dict_ref = tuple(map(weakref.ref, extra))

    def remove(self) -> None:
        """Forget the hook; a second call does nothing."""
        structure.modules_changed()
        for reference in (self.hooks_dict_ref, *self.extra_dict_ref):
            hooks = reference()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __getstate__(self) -> tuple[Any, ...]:
        return self.hooks_dict_ref(), self.id, tuple(reference() for reference in self.extra_dict_ref)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        hooks, self.id, extra = state
        self.hooks_dict_ref = weakref.ref(OrderedDict() if hooks is None else hooks)
        self.extra_dict_ref = tuple(weakref.ref(d) for d in extra if d is not None)
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def unserializable_hook(f: Any) -> Any:
    """Mark a hook as one that is not expected to be saved with its tensor: no warning is given of it then."""
    f.__torch_unserializable__ = True
    return f


def warn_if_has_hooks(tensor: Any) -> None:
    """Warn of the hooks of a tensor that is about to be saved, which are not saved with it."""
    node = tensor._node
    if node is None or node.hooks is None:
        return
    for hook in node.hooks.tensors.get(tensor._number, {}).values():
        if not hasattr(hook, "__torch_unserializable__"):
            warnings.warn(
                f"backward hook {hook!r} on tensor will not be serialized.  If this is expected, you can decorate the "
                "function with @torch.utils.hooks.unserializable_hook to suppress this warning",
                stacklevel=2,
            )
