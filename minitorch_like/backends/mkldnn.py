"""`torch.backends.mkldnn`: may be set, changes nothing."""

from types import SimpleNamespace

from ._unused import is_available

__all__ = ["is_available", "matmul"]

enabled = True
deterministic = False
allow_tf32 = False
matmul = SimpleNamespace(fp32_precision="none")
