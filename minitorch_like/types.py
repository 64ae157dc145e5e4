"""`torch.types`: names for annotations."""

from typing import Union

from ._device import device as _device
from ._dtype import dtype as _dtype
from ._layout import layout as _layout
from ._size import Size
from ._tensor import Tensor

__all__ = ["Device", "Number", "Tensor", "_dtype", "_layout"]

Number = int | float | bool
Device = _device | str | int | None
_int, _float, _bool, _complex, _str, _bytes = int, float, bool, complex, str, bytes
_size = Union[Size, list[int], tuple[int, ...]]  # noqa: UP007 -- as torch shows it
_TensorOrTensors = Union[Tensor, tuple[Tensor, ...]]  # noqa: UP007
