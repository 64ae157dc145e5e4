"""`torch.types`: names for annotations."""

from typing import Union

from ._device import device as _device
from ._size import Size
from ._tensor import Tensor

__all__ = ["Device", "Number", "Tensor"]

Number = int | float | bool
Device = _device | str | int | None
_int, _float, _bool = int, float, bool
_size = Union[Size, list[int], tuple[int, ...]]  # noqa: UP007 -- as torch shows it
_TensorOrTensors = Union[Tensor, tuple[Tensor, ...]]  # noqa: UP007
