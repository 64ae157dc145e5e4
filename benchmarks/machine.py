"""Where and with what the figures were taken."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "numpy", "jax", "tinygrad", "mygrad", "autograd")
BUSY = 0.5  # processes that run beside us, on average of the last minute, above which figures are not to be trusted


def describe() -> dict[str, Any]:
    """The machine, the versions of everybody installed, and how many processes wanted the cores before we began."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "Python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def sentence(machine: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {found}" for name, found in machine["packages"].items())
    return f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; Python {machine['Python']}, {versions}."


def warning(machine: dict[str, Any]) -> str:
    """Why these figures are not to be published; empty if there is no reason."""
    if machine["load"] is None or machine["load"] <= BUSY:
        return ""
    return f"Other programs were running (load average {machine['load']:.1f}): these figures are rough."


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    """The processor's name, where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
