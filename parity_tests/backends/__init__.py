"""What a framework must offer to be tested, and one small file per framework."""

from parity_tests.backends.backend import Backend, Unsupported
from parity_tests.backends.loading import load
from parity_tests.backends.torch_like import TorchLike

__all__ = ["Backend", "TorchLike", "Unsupported", "load"]
