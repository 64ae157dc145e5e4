"""`torch.version`: this package's version, and what it was not built with."""

from .torch_version import __version__ as _version

__all__ = ["__version__", "cuda", "debug", "hip", "xpu"]

__version__ = str(_version)
cuda: str | None = None
hip: str | None = None
xpu: str | None = None
debug = False
