"""`torch.cuda` where there is none: questions are answered, so that scripts which ask before they act run on."""

from __future__ import annotations


def is_available() -> bool:
    """False: the CPU is the only device."""
    return False


def device_count() -> int:
    return 0


def is_initialized() -> bool:
    return False


def manual_seed(seed: int) -> None:
    """Seeds nothing, as in a torch that sees no GPU."""


def manual_seed_all(seed: int) -> None:
    """Seeds nothing, as in a torch that sees no GPU."""


def empty_cache() -> None:
    """There is no cache."""


def synchronize(device: object = None) -> None:
    """Raises torch's AssertionError: there is no device to wait for."""
    raise AssertionError("Torch not compiled with CUDA enabled")
