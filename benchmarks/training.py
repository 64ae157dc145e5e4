"""Training steps: torch, ours, the peers and bare NumPy, checked for agreement before they are timed."""

from __future__ import annotations

import math
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import Figure, Settings, Worker, WorkerError, interleave, seconds_per_call, serve
from benchmarks.tables import MISSING, TIMES, Sheet, seconds_text, times_text
from benchmarks.variants import FLOOR, VARIANTS, YARDSTICK, Step
from benchmarks.workloads import WORKLOADS, Workload, export_parameters

NAMES = tuple(WORKLOADS)
CHECKED_STEPS = 10
# Float32 rounds to 6e-8; ten steps of our networks, whoever takes them, keep their losses within some 1e-6 of torch's.
TOLERANCE = 1e-5


class Disagreement(Exception):
    """A variant computes other losses than torch: there is no speed without that."""


# -- in a worker: one variant of one workload ----------------------------------------------------------------------


def reference(workload: Workload) -> tuple[list[np.ndarray], list[float]]:
    """Initial parameters, and the losses of torch's first steps from there."""
    import torch

    torch.manual_seed(0)
    training = workload.build(torch)
    parameters = export_parameters(training.model)
    return parameters, [training.step().item() for _ in range(CHECKED_STEPS)]


def check(step: Step, losses: Sequence[float]) -> None:
    """Take as many steps as there are losses.  Raises Disagreement at the first that differs."""
    for index, expected in enumerate(losses):
        loss = float(step().item())
        if not math.isclose(loss, expected, rel_tol=TOLERANCE):
            raise Disagreement(f"step {index}: loss {loss!r}, torch's is {expected!r}")


def fallback(step: Any) -> str:
    """Why a step that was to be compiled runs eagerly; empty if it does not."""
    lines = step.explain().splitlines() if hasattr(step, "explain") else []
    return next((line.partition("eager:")[2].strip() for line in lines if "eager:" in line), "")


def main(name: str, variant: str, path: str) -> None:
    with np.load(path) as archive:
        losses, *parameters = archive.values()
    step = VARIANTS[variant].prepare(WORKLOADS[name], parameters)
    check(step, losses)

    def answer(seconds: float) -> dict[str, Any]:
        wall, processor = time.perf_counter(), time.process_time()
        per_step = seconds_per_call(step, seconds)
        cores = (time.process_time() - processor) / (time.perf_counter() - wall)
        return {"seconds": per_step, "cores": cores, "fallback": fallback(step)}

    serve(answer)


# -- in the parent ---------------------------------------------------------------------------------------------------


def measure(settings: Settings, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    records = []
    for name in settings.chosen("training", NAMES):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "reference.npz"
            parameters, losses = reference(WORKLOADS[name])
            np.savez(path, losses, *parameters)
            for threads in settings.threads:
                tell(f"training: {name}, threads: {threads}")
                records += _measure_variants(name, path, threads, settings)
    return records


def _measure_variants(name: str, path: Path, threads: int, settings: Settings) -> list[dict[str, Any]]:
    workers: dict[str, Worker] = {}
    reasons: dict[str, str] = {}
    with ExitStack() as stack:
        for variant, each in VARIANTS.items():
            if each.takes(WORKLOADS[name]):
                worker = Worker("benchmarks.training", name, variant, str(path), threads=threads)
                stack.enter_context(worker)
                try:
                    worker.ask(0.0)  # prepares, checks, warms up
                    workers[variant] = worker
                except WorkerError as error:
                    reasons[variant] = str(error)
        answers = interleave(workers, settings.rounds, settings.seconds)
    seconds = {variant: [each["seconds"] for each in taken] for variant, taken in answers.items()}
    key = {"workload": name, "threads": threads}
    return [
        *({**key, "variant": variant, "unavailable": reason} for variant, reason in reasons.items()),
        *(
            {
                **key,
                "variant": variant,
                "seconds": Figure.of(taken),
                "cores": Figure.of([each["cores"] for each in answers[variant]]),
                "fallback": answers[variant][-1]["fallback"],
                **_ratios(taken, seconds),
            }
            for variant, taken in seconds.items()
        ),
    ]


def _ratios(taken: Sequence[float], seconds: dict[str, list[float]]) -> dict[str, Figure]:
    bases = {"ratio": YARDSTICK, "floor": FLOOR}
    return {key: Figure.ratio(taken, seconds[base]) for key, base in bases.items() if base in seconds}


def sheets(records: Sequence[dict[str, Any]]) -> list[Sheet]:
    made = []
    for threads in sorted({each["threads"] for each in records}):
        these = [each for each in records if each["threads"] == threads]
        made += [_overview(these, threads), _details(these, threads)]
    return made


def _plural(threads: int) -> str:
    return "1 thread" if threads == 1 else f"{threads} threads"


def _overview(records: Sequence[dict[str, Any]], threads: int) -> Sheet:
    """Variants down, workloads across."""
    cells = {(each["variant"], each["workload"]): each for each in records}
    names = [name for name in NAMES if any(each["workload"] == name for each in records)]
    rows = [
        [variant, *(_cell(cells.get((variant, name))) for name in names)]
        for variant in VARIANTS
        if any(each["variant"] == variant for each in records)
    ]
    title = f"One training step, {_plural(threads)}: time, and times {YARDSTICK}"
    return Sheet(title, ["", *names], rows, _notes(records))


def _notes(records: Sequence[dict[str, Any]]) -> list[str]:
    """Who is missing where, or not compiled, and why."""
    where: dict[tuple[str, str, str], list[str]] = {}
    for each in records:
        for key, what in (("unavailable", "is missing"), ("fallback", "runs eagerly")):
            if each.get(key):
                where.setdefault((each["variant"], what, each[key]), []).append(each["workload"])
    return [f"{variant} {what} at {', '.join(names)}: {why}" for (variant, what, why), names in where.items()]


def _cell(record: dict[str, Any] | None) -> str:
    if record is None or "unavailable" in record:
        return MISSING
    time_ = seconds_text(record["seconds"]["median"])
    return f"{time_}, {times_text(record['ratio']['median'])}" if "ratio" in record else time_


def _details(records: Sequence[dict[str, Any]], threads: int) -> Sheet:
    """The same figures with their spread, the ratio to the bare-NumPy floor, and the cores kept busy."""
    rows = []
    for each in records:
        if "seconds" in each:
            seconds = each["seconds"]
            rows.append(
                [
                    each["workload"],
                    each["variant"],
                    seconds_text(seconds["median"]),
                    f"{seconds_text(seconds['low'])} to {seconds_text(seconds['high'])}",
                    *(times_text(each[key]["median"]) if key in each else MISSING for key in ("ratio", "floor")),
                    f"{each['cores']['median']:.1f}",
                ]
            )
    headings = ["workload", "variant", "a step", "range", f"{TIMES} {YARDSTICK}", f"{TIMES} {FLOOR}", "cores busy"]
    return Sheet(f"One training step, {_plural(threads)}: the spread, and times bare NumPy", headings, rows, labels=2)


def disagreements(records: Sequence[dict[str, Any]]) -> list[str]:
    """Who computed other losses than torch."""
    return [
        f"{each['workload']}, {each['variant']}: {each['unavailable']}"
        for each in records
        if Disagreement.__name__ in each.get("unavailable", "")
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
