"""How long an import takes and how much memory the process then holds."""

from __future__ import annotations

import importlib
import json
import sys
import time

from benchmarks.measure import Figure, interleave

MODULES = ("torch", "minitorch_like", "numpy")


def main(module: str) -> None:
    start = time.perf_counter()
    importlib.import_module(module)
    seconds = time.perf_counter() - start
    from parity_tests.compare.standin import peak_memory

    print(json.dumps({"seconds": seconds, "memory": peak_memory()}))


def measure(rounds: int) -> dict[str, dict[str, Figure]]:
    """Seconds and peak resident bytes; NumPy alone is the floor under ours."""
    interleave(__name__, MODULES, 1)  # the first read from disk is not what is measured
    return {
        module: {name: Figure.of([run[name] for run in runs]) for name in ("seconds", "memory")}
        for module, runs in interleave(__name__, MODULES, rounds).items()
    }


if __name__ == "__main__":
    main(sys.argv[1])
