"""The picture of the results: training steps and single operations, as times torch eager."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.ops import OPS
from benchmarks.variants import VARIANTS, YARDSTICK
from benchmarks.workloads import WORKLOADS

# Ours in strong colours, everything else in quiet ones (from https://colorbrewer2.org, safe for the colour-blind).
COLOURS = {
    "torch compiled": ("#525252", "s"),
    "minitorch_like eager": ("#fdae61", "o"),
    "minitorch_like compiled": ("#d7191c", "o"),
    "NumPy by hand": ("#abd9e9", "v"),
    "NumPy, out=": ("#2c7bb6", "v"),
    "JAX jit": ("#969696", "D"),
    "tinygrad jit": ("#969696", "^"),
    "MyGrad": ("#bdbdbd", "P"),
    "HIPS autograd": ("#bdbdbd", "X"),
}


def write(results: dict[str, Any], path: Path) -> None:
    """Write the picture, in the format that the suffix names."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    with mpl.rc_context({"svg.hashsalt": "benchmarks", "svg.fonttype": "none", "font.size": 9}):
        figure, (steps, ops) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
        _draw_steps(steps, results.get("training", ()))
        _draw_ops(ops, results.get("ops", ()))
        for axes in (steps, ops):
            axes.spines[["top", "right"]].set_visible(False)
            if axes.lines[1:]:  # the first is that of torch itself
                axes.legend(frameon=False, fontsize=7.5, loc="center left", bbox_to_anchor=(1, 0.5))
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
        plt.close(figure)


def _draw_steps(axes: Any, records: Sequence[dict[str, Any]]) -> None:
    """Workloads down, the ratio to torch eager across, on the smallest number of threads that was measured."""
    threads = min((each["threads"] for each in records), default=1)
    records = [each for each in records if each["threads"] == threads and "ratio" in each]
    names = [name for name in WORKLOADS if any(each["workload"] == name for each in records)]
    axes.axvline(1, color="black", linewidth=0.8)
    for variant in VARIANTS:
        if variant == YARDSTICK:
            continue
        points = [each for each in records if each["variant"] == variant]
        if points:
            colour, marker = COLOURS[variant]
            axes.plot(
                [each["ratio"]["median"] for each in points],
                [names.index(each["workload"]) for each in points],
                marker,
                color=colour,
                label=variant,
            )
    axes.set(xscale="log", xlabel="times torch eager (left is faster)", yticks=range(len(names)), yticklabels=names)
    axes.set_title("One training step", loc="left")
    axes.invert_yaxis()
    _plain_numbers(axes.xaxis)


def _draw_ops(axes: Any, records: Sequence[dict[str, Any]]) -> None:
    """The ratio to torch over the number of elements, a line an op."""
    axes.axhline(1, color="black", linewidth=0.8)
    for name in OPS:
        points = [each for each in records if each["op"] == name]
        if points:
            axes.plot([each["size"] for each in points], [each["ratio"]["median"] for each in points], label=name)
    axes.set(xscale="log", yscale="log", xlabel="elements an operand", ylabel="times torch (below is faster)")
    axes.set_title("One eager operation of minitorch_like", loc="left")
    _plain_numbers(axes.yaxis)


def _plain_numbers(axis: Any) -> None:
    """0.2, 0.5, 1, 2, ... on a logarithmic axis."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())
