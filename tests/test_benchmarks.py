"""The benchmarks: their workloads agree under both packages, their figures add up, their tables and picture are written."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import minitorch_like
from benchmarks import __main__ as command
from benchmarks import graphs, imports, machine, measure, memory, ops, plot, resident, tables, training
from benchmarks.measure import Figure, Settings, Worker, WorkerError
from benchmarks.variants import FLOOR, VARIANTS, YARDSTICK, Variant
from benchmarks.workloads import WORKLOADS, export_parameters, import_parameters

torch = pytest.importorskip("torch")


# -- what is measured is the same on all sides -----------------------------------------------------------------------


def losses(step: Any, steps: int = 2) -> list[float]:
    return [float(step().item()) for _ in range(steps)]


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_computes_the_same_under_both_packages(name: str) -> None:
    theirs, ours = (WORKLOADS[name].build(framework) for framework in (torch, minitorch_like))
    import_parameters(minitorch_like, ours.model, export_parameters(theirs.model))
    expected = losses(theirs.step)
    assert losses(ours.step) == pytest.approx(expected, rel=training.TOLERANCE)
    assert expected[0] != expected[1]


def peers(module_prefix: str = "benchmarks.peers.") -> dict[str, Variant]:
    return {name: each for name, each in VARIANTS.items() if each.module.startswith(module_prefix)}


@pytest.mark.parametrize("name", peers())
def test_a_peer_computes_the_same_as_torch(name: str) -> None:
    workload = WORKLOADS["mlp-tiny"]
    parameters, expected = training.reference(workload)
    try:
        step = VARIANTS[name].prepare(workload, parameters)
    except ModuleNotFoundError as error:
        pytest.skip(str(error))
    training.check(step, expected)


def test_peers_take_part_in_the_perceptrons_only() -> None:
    assert {name for name, each in WORKLOADS.items() if peers()[FLOOR].takes(each)} == {
        "mlp-tiny",
        "mlp-small",
        "mlp-large",
    }
    assert all(VARIANTS[YARDSTICK].takes(each) for each in WORKLOADS.values())


def test_other_losses_are_not_timed() -> None:
    values = iter([1.0, 1.0 + 1e-4])
    with pytest.raises(training.Disagreement, match=r"step 1: loss 1\.0001, torch's is 1\.0"):
        training.check(lambda: torch.tensor(next(values), dtype=torch.float64), [1.0, 1.0])


def test_a_step_that_could_not_be_compiled_is_told_of() -> None:
    def step() -> float:
        return (minitorch_like.ones(1) * 2).sum().item()

    compiled = minitorch_like.compile(step)
    for _ in range(4):
        compiled()
    assert "item()" in training.fallback(compiled)
    assert training.fallback(step) == ""


@pytest.mark.parametrize("framework", ["torch", "minitorch_like"])
@pytest.mark.parametrize("name", ops.NAMES)
def test_an_op_computes_what_its_numpy_expression_does(name: str, framework: str) -> None:
    for size in (1, 10, 1_000):
        text, names = ops.expression(framework, ops.OPS[name], size)
        assert eval(text, names).requires_grad


@pytest.mark.parametrize("name", graphs.NAMES)
def test_a_graph_runs_again_and_again(name: str) -> None:
    for framework in (torch, minitorch_like):
        run = graphs.GRAPHS[name].build(framework, 3)
        run()
        run()


# -- figures ---------------------------------------------------------------------------------------------------------


def test_a_figure_is_the_median_and_the_range() -> None:
    assert Figure.of([3.0, 1.0, 2.0]) == Figure(2.0, 1.0, 3.0)
    assert Figure.ratio([2.0, 8.0, 3.0], [1.0, 2.0, 1.0]) == Figure(3.0, 2.0, 4.0)


def test_seconds_per_call_is_the_time_of_one_call() -> None:
    taken = measure.seconds_per_call("sum(numbers)", 0.01, {"numbers": range(1_000)})
    assert 1e-6 < taken < 1e-3


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.5, "2.50 s"), (0.0123, "12.3 ms"), (1.234e-6, "1.23 µs"), (9.999e-4, "1,000 µs"), (4.2e-8, "42.0 ns")],
)
def test_seconds_are_told_to_three_digits(seconds: float, text: str) -> None:
    assert tables.seconds_text(seconds) == text


def test_ratios_and_bytes_are_told_shortly() -> None:
    assert [tables.times_text(each)[:-2] for each in (0.131, 1.0, 12.6, 1234.0)] == ["0.13", "1.00", "13", "1,234"]
    assert [tables.bytes_text(each) for each in (12, 1536, 3.5 * 2**20)] == ["12 B", "1.50 KiB", "3.50 MiB"]


@pytest.mark.skipif(not resident.AVAILABLE, reason="the peak of memory is read from Linux's /proc")
def test_growth_is_the_peak_over_what_was_held() -> None:
    assert resident.growth(lambda: None) < 2**20
    assert resident.growth(lambda: bytearray(b"x") * 2**26) == pytest.approx(2**26, rel=0.05)


def test_only_what_is_named_is_measured() -> None:
    assert Settings().chosen("memory", memory.NAMES) == list(memory.NAMES)
    assert Settings(only=frozenset({"lenet"})).chosen("memory", memory.NAMES) == ["lenet"]
    assert Settings(only=frozenset({"memory"})).chosen("memory", memory.NAMES) == list(memory.NAMES)
    assert Settings(only=frozenset({"memory"})).chosen("training", training.NAMES) == []


# -- workers ---------------------------------------------------------------------------------------------------------


def test_a_worker_answers_each_request() -> None:
    with Worker("benchmarks.ops", "numpy", threads=1) as worker:
        for name in ("add", "exp"):
            assert 0 < worker.ask([name, 10, 0.001]) < 1


def test_a_worker_that_fails_says_why() -> None:
    with Worker("benchmarks.graphs", "no_such_module") as worker, pytest.raises(WorkerError, match="no_such_module"):
        worker.ask()
    with pytest.raises(WorkerError, match="no_such_module cannot be imported"):
        imports.import_once("no_such_module")


def test_workers_are_asked_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "SETTLE", 0)
    asked: list[str] = []

    class Scribe:
        def __init__(self, name: str) -> None:
            self.name = name

        def ask(self, request: Any) -> Any:
            asked.append(self.name)
            return request

    workers: Any = {"a": Scribe("a"), "b": Scribe("b")}
    assert measure.interleave(workers, 2, 7) == {"a": [7, 7], "b": [7, 7]}
    assert asked == ["a", "b", "a", "b"]


# -- tables, numbers, picture ----------------------------------------------------------------------------------------


def figure(median: float) -> dict[str, float]:
    return asdict(Figure(median, median / 2, median * 2))


@pytest.fixture
def results() -> dict[str, Any]:
    """Made-up results of every section."""
    step = {"workload": "mlp-tiny", "threads": 1, "cores": figure(1)}
    both = {"torch": figure(2e-6), "minitorch_like": figure(1e-6), "ratio": figure(0.5)}
    trained = {"memory": figure(2**20), "ratio": figure(1)}
    return {
        "machine": {**machine.describe(), "load": 2.0},
        "training": [
            {**step, "variant": YARDSTICK, "seconds": figure(2e-4), "ratio": figure(1), "floor": figure(8)},
            {**step, "variant": "minitorch_like eager", "seconds": figure(1e-4), "ratio": figure(0.5)},
            {**step, "variant": "minitorch_like compiled", "seconds": figure(1e-4), "fallback": "it reads values"},
            {"workload": "mlp-tiny", "threads": 1, "variant": "JAX jit", "unavailable": "No module named 'jax'"},
        ],
        "ops": [{"op": "add", "size": 1, **both, "numpy": figure(5e-7), "floor": figure(2)}],
        "graphs": [{"graph": "chain", "length": 10, "seconds": both}],
        "memory": [{"workload": "lenet", **dict.fromkeys(memory.COMPARED, trained)}],
        "imports": [{"module": "numpy", "seconds": figure(0.05), "memory": figure(2**24)}],
    }


def test_a_sheet_as_markdown() -> None:
    sheet = tables.Sheet("Times", ["", "a step"], [["ours", "1 s"]], ["Measured."])
    assert sheet.markdown() == "**Times**\n\n|  | a step |\n| --- | --: |\n| ours | 1 s |\n\n- Measured.\n"


def test_the_tables_of_saved_numbers(
    results: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved, picture = tmp_path / "bench.json", tmp_path / "speed.svg"
    saved.write_text(json.dumps(results))
    assert command.main(["--table", str(saved), "--plot", str(picture)]) == 0
    printed = capsys.readouterr().out
    assert f"| minitorch_like eager | 100 µs, 0.50 {tables.TIMES} |" in printed
    assert "- JAX jit is missing at mlp-tiny: No module named 'jax'" in printed
    assert "- minitorch_like compiled runs eagerly at mlp-tiny: it reads values" in printed
    assert f"| mlp-tiny | {YARDSTICK} | 200 µs | 100 µs to 400 µs |" in printed
    assert f"| `x + y` | 2.00 µs | 1.00 µs | 500 ns | 0.50 {tables.TIMES} | 2.00 {tables.TIMES} |" in printed
    assert f"| lenet | 1.00 MiB, 1.00 {tables.TIMES} |" in printed
    assert "| `import numpy` | 50.0 ms | 16.0 MiB |" in printed
    assert printed.endswith("Other programs were running (load average 2.0): these figures are rough.\n")
    assert picture.read_text().count("minitorch_like eager") == 1


def test_an_idle_machine_is_not_warned_of() -> None:
    described = machine.describe()
    assert f"torch {torch.__version__}" in machine.sentence(described)
    assert machine.warning({**described, "load": 0.1}) == machine.warning({**described, "load": None}) == ""


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_the_picture_of_nothing_is_a_picture(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"speed{suffix}"
    plot.write({}, path)
    assert path.stat().st_size > 1_000


def test_every_variant_has_a_colour() -> None:
    assert plot.COLOURS.keys() == VARIANTS.keys() - {YARDSTICK}


def test_the_command_measures_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bench.json"
    assert command.main(["--quick", "--rounds", "1", "--only", "numpy", "--json", str(path)]) == 0
    (record,) = json.loads(path.read_text())["imports"]
    assert record["module"] == "numpy"
    assert math.isfinite(record["seconds"]["median"])
    assert "import numpy" in capsys.readouterr().out
    assert path.with_suffix(".svg").exists()


def test_a_name_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--only", "resnet"])
    assert "invalid choice: 'resnet'" in capsys.readouterr().err


def test_the_handbook_names_every_workload() -> None:
    page = (Path(__file__).parent.parent / "docs" / "speed.md").read_text()
    for name, workload in WORKLOADS.items():
        assert f"| `{name}` | {workload.title} |" in page
