"""Let a candidate stand in for torch in this process, for one script.

    python -m parity_tests.compare.standin [--for NAME] [--stats FILE] CANDIDATE SCRIPT [ARGS...]

`import torch`, `from torch.utils.data import DataLoader`, `import torch.nn.functional as F` then all find the
candidate's modules; the real torch is never imported. `--for minitorch_like torch` is the way back: a script
written with `import minitorch_like as torch` then runs on torch.
"""

from __future__ import annotations

import atexit
import importlib
import json
import runpy
import sys
import time
from argparse import REMAINDER, ArgumentParser
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType


class StandIn(MetaPathFinder, Loader):
    """Finds `name` and `name.*` in the candidate; `name` is torch unless told.

    The module put under `torch.x` is the candidate's own, not a copy: setting `torch.x.y` sets it there, and
    reading it costs what it costs without us.
    """

    def __init__(self, candidate: str, name: str) -> None:
        self.candidate = candidate
        self.name = name

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if fullname != self.name and not fullname.startswith(self.name + "."):
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = self._resolve(spec.name)
        # The import system is about to overwrite this; the candidate's own relative imports rely on it.
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__ = module.__spec__.loader_state

    def _resolve(self, name: str) -> ModuleType:
        theirs = self.candidate + name.removeprefix(self.name)
        try:
            return importlib.import_module(theirs)
        except Lacking:
            parent, _, leaf = name.rpartition(".")
            namespace = getattr(sys.modules[parent], leaf, None)  # `nn` need not be a file of its own
            if isinstance(namespace, ModuleType):
                return namespace
            raise


class Lacking(ImportError):
    """The candidate has no such name."""


class LastFinder(MetaPathFinder):
    """Stands last: what gets this far does not exist in the candidate, and is reported under torch's name."""

    def __init__(self, candidate: str, name: str) -> None:
        self.candidate = candidate
        self.name = name

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if fullname.startswith(self.candidate + "."):
            missing = self.name + fullname.removeprefix(self.candidate)
            raise Lacking(f"{self.candidate}, standing in for {self.name}, has no {missing}", name=missing)


class ImportClock(MetaPathFinder):
    """Times the import of one module where the script asks for it, after whatever the script does before."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seconds: float | None = None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next(filter(None, (finder.find_spec(fullname, path) for finder in others)), None)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def timed(module: ModuleType) -> None:
            start = time.perf_counter()
            execute(module)
            self.seconds = time.perf_counter() - start

        spec.loader.exec_module = timed  # type: ignore[method-assign]
        return spec


def peak_memory() -> int:
    """This process's largest resident size in bytes.

    Linux's ru_maxrss also counts what the parent held when it forked, so the kernel's own mark comes first.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
    except (OSError, StopIteration):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def install(candidate: str, name: str = "torch") -> None:
    """Make `name` mean `candidate` from here on in this process.

    Raises RuntimeError if the real one was imported already.
    """
    if name in sys.modules:
        raise RuntimeError(f"{name} is imported already; nothing can stand in for it in this process")
    sys.meta_path.insert(0, StandIn(candidate, name))
    sys.meta_path.append(LastFinder(candidate, name))


def main(argv: Sequence[str]) -> None:
    parser = ArgumentParser(prog="python -m parity_tests.compare.standin")
    parser.add_argument("--for", dest="name", default="torch", help="what the script imports")
    parser.add_argument("--stats", type=Path, help="where to write import time and peak memory, as JSON")
    parser.add_argument("candidate", help="the module that stands in for it")
    parser.add_argument("script")
    parser.add_argument("args", nargs=REMAINDER)
    options = parser.parse_args(argv)

    clock = ImportClock(options.candidate)
    sys.meta_path.insert(0, clock)
    if options.candidate != options.name:
        install(options.candidate, options.name)
    if options.stats is not None:
        # At exit, because scripts may leave by sys.exit or by an exception.
        def write() -> None:
            record = {"import_seconds": clock.seconds, "peak_memory": peak_memory()}
            options.stats.write_text(json.dumps(record))

        atexit.register(write)
    sys.argv = [options.script, *options.args]
    sys.path[0] = str(Path(options.script).resolve().parent)
    runpy.run_path(options.script, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
