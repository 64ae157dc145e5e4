"""`torch.backends.opt_einsum`: not used."""

from ._unused import is_available

__all__ = ["is_available"]

enabled = False
strategy = None
