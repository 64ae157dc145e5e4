"""How memory is taken from the system."""

import contextlib
import gc
from collections.abc import Iterator

import numpy as np

WORTH_GIVING_BACK = 1 << 19  # bytes
_LARGEST_KEPT = (32 << 20) - (64 << 10)  # bytes; glibc raises its threshold to at most 32 MiB


def keep_freed_memory() -> None:
    """Let the C library keep what large arrays leave behind, instead of giving it back and taking it again.

    A training step frees and allocates the same sizes over and over.  By default glibc takes blocks of 128 KiB and
    more from the system and gives them back at once, so that every step pays for fresh zeroed pages: half of the time of a
    small convolutional network.  When a large block is freed, glibc raises that threshold to its size (see M_MMAP_THRESHOLD in
    mallopt(3)).  So one is; it is never touched and takes no memory.  Elsewhere than with glibc this does nothing.
    """
    np.empty(_LARGEST_KEPT, np.uint8)


@contextlib.contextmanager
def without_collecting() -> Iterator[None]:
    """No garbage collection meanwhile: where nearly all that is made stays, to look through it would be in vain."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def give_back_freed_memory() -> None:
    """Return to the system what `keep_freed_memory` has kept.  Elsewhere than with glibc this does nothing."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
