"""Resident memory of processes, as Linux counts it."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

CLEAR_REFS = Path("/proc/self/clear_refs")
AVAILABLE = CLEAR_REFS.exists()


def _read(key: str, process: int | str = "self") -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) * 1024


def peak(process: int | str = "self") -> int:
    """The most bytes that a process has held so far, or since its last `growth`."""
    return _read("VmHWM", process)


def growth(action: Callable[[], object]) -> int:
    """By how many bytes this process peaks, while the action runs, over what it held before."""
    gc.collect()
    CLEAR_REFS.write_text("5")  # the peak starts afresh
    before = _read("VmRSS")
    action()
    return peak() - before
