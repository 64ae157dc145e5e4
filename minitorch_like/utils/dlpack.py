"""Exchanging memory with other libraries by DLPack capsules."""

from .._creation.sharing import DLDeviceType, from_dlpack, to_dlpack

__all__ = ["DLDeviceType", "from_dlpack", "to_dlpack"]
