"""`torch.backends.cpu`: what NumPy says of the processor."""

__all__ = ["get_cpu_capability"]


def get_cpu_capability() -> str:
    """The widest vector instructions: "AVX512", "AVX2", or "DEFAULT"."""
    from numpy._core import _multiarray_umath  # type: ignore[attr-defined]

    features = _multiarray_umath.__cpu_features__
    if features.get("AVX512_SKX"):
        return "AVX512"
    return "AVX2" if features.get("AVX2") else "DEFAULT"
