"""`torch.functional`: functions that are at the root as well."""

from __future__ import annotations

from typing import Any

_NAMES = (
    "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "broadcast_shapes", "broadcast_tensors", "cartesian_prod",
    "cdist", "chain_matmul", "einsum", "lu", "meshgrid", "norm", "split", "stft", "tensordot", "unique",
    "unique_consecutive", "unravel_index",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        import minitorch_like

        return getattr(minitorch_like, name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
