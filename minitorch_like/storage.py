"""`torch.storage`: the memory behind tensors, with a dtype and without."""

from ._storage import TypedStorage, UntypedStorage

__all__ = ["TypedStorage", "UntypedStorage"]
