"""`torch.backends.openmp`: not used."""

from ._unused import is_available

__all__ = ["is_available"]
