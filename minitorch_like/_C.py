"""The few names of `torch._C` that scripts use."""

from ._tensor import Tensor as TensorBase
from ._tensor import disabled_torch_function as _disabled_torch_function_impl
from ._torch_function import DisableTorchFunction, DisableTorchFunctionSubclass

__all__ = ["DisableTorchFunction", "DisableTorchFunctionSubclass", "TensorBase", "_disabled_torch_function_impl"]
