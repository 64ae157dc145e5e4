"""`torch.backends.mkl`: linear algebra is NumPy's BLAS, whichever that is."""

from ._unused import is_available

__all__ = ["is_available"]
