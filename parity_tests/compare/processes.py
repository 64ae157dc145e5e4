"""One script, one framework, one process; what it printed and what it cost."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from parity_tests.compare import standin


@dataclass(frozen=True, slots=True)
class Run:
    framework: str
    stdout: str
    stderr: str
    status: int
    seconds: float
    import_seconds: float | None
    """None when the script never imported the framework."""
    peak_memory: int | None
    """In bytes; None when the process was killed before it could tell."""

    @property
    def last_words(self) -> str:
        """The last line on stderr of a script that failed: its exception."""
        lines = self.stderr.strip().splitlines()
        return lines[-1] if self.status and lines else ""


def run_script(framework: str, name: str, script: Path, args: Sequence[str] = (), timeout: float | None = None) -> Run:
    """Run `script` with `import name` meaning `framework`.

    Raises subprocess.TimeoutExpired after `timeout` seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        stats = Path(folder, "stats.json")
        command = [sys.executable, "-m", standin.__name__, "--for", name, "--stats", str(stats)]
        start = time.perf_counter()
        done = subprocess.run(
            [*command, framework, str(script), *args],
            env=_environment(framework),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )
        seconds = time.perf_counter() - start
        record = json.loads(stats.read_text()) if stats.exists() else {}
    return Run(
        framework,
        done.stdout,
        done.stderr,
        done.returncode,
        seconds,
        record.get("import_seconds"),
        record.get("peak_memory"),
    )


def _environment(framework: str) -> dict[str, str]:
    """Ours, and the framework importable from wherever we can import it; sets iterate in one order."""
    specs = (importlib.util.find_spec(name.partition(".")[0]) for name in ("parity_tests", framework))
    origins = (Path(spec.origin).parents[1] for spec in specs if spec is not None and spec.origin)
    paths = [*map(str, origins), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        "PYTHONHASHSEED": "0",
        "PYTHONIOENCODING": "utf-8",
        **os.environ,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
    }
