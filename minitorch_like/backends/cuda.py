"""`torch.backends.cuda`: may be set, changes nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

__all__ = ["is_built", "matmul", "sdp_kernel"]

matmul = SimpleNamespace(
    allow_tf32=False,
    allow_fp16_reduced_precision_reduction=True,
    allow_bf16_reduced_precision_reduction=True,
    allow_fp16_accumulation=False,
    fp32_precision="none",
)
_sdp = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True}


def is_built() -> bool:
    return False


def _question(kernel: str) -> Callable[[], bool]:
    return lambda: _sdp[kernel]


def _switch(kernel: str) -> Callable[[bool], None]:
    return lambda enabled: _sdp.__setitem__(kernel, enabled)


for _kernel in _sdp:
    globals()[f"{_kernel}_sdp_enabled"] = _question(_kernel)
    globals()[f"enable_{_kernel}_sdp"] = _switch(_kernel)


@contextmanager
def _kernels(**enabled: bool) -> Iterator[dict[str, Any]]:
    before = dict(_sdp)
    _sdp.update(enabled)
    try:
        yield {}
    finally:
        _sdp.update(before)


def sdp_kernel(
    enable_flash: bool = True, enable_math: bool = True, enable_mem_efficient: bool = True, enable_cudnn: bool = True
) -> Any:
    """A context in which other attention kernels are allowed; there is but one."""
    warnings.warn(
        "`torch.backends.cuda.sdp_kernel()` is deprecated. In the future, this context manager will be removed. Please see "
        "`torch.nn.attention.sdpa_kernel()` for the new context manager, with updated signature.",
        FutureWarning,
        stacklevel=2,
    )
    return _kernels(flash=enable_flash, math=enable_math, mem_efficient=enable_mem_efficient, cudnn=enable_cudnn)
