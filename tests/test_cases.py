"""The cases: contracts are true of torch, scripts run under either import, everything can be stored and read back."""

import collections
import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch_like
from parity_tests.backends import TorchLike
from parity_tests.backends.double import Double
from parity_tests.cases.catalogue import OPS
from parity_tests.cases.execute import execute, oracle
from parity_tests.cases.graphs import graphs, scopes
from parity_tests.cases.invalid import FAMILIES, Bench
from parity_tests.cases.program import Program
from parity_tests.cases.script import script
from parity_tests.cases.train import train
from parity_tests.cases.training import Training, trainings
from parity_tests.cases.training_script import training_script
from parity_tests.check import compare
from parity_tests.check.snapshot import leaves

ROOT = Path(__file__).parents[1]
KINDS = ("smooth", "whole", "edges", "infinities", "ties")
REFERENCE = TorchLike(torch)


@pytest.mark.parametrize("kind", KINDS)
def test_contracts_are_true_of_torch(kind):
    """What the catalogue says that an op gives is what torch gives."""

    @settings(max_examples=300)
    @given(scopes(kind))
    def holds(scope):
        program = Program(tuple(scope.inputs), tuple(scope.steps))
        trace = execute(program, REFERENCE)
        assert trace["error"] is None
        for name, type_ in scope.types.items():
            value = trace["values"][name]
            assert (value.shape, value.dtype, value.requires_grad) == (type_.shape, type_.dtype, type_.grad)
            if type_.contiguous:
                steps = np.array(np.zeros(value.shape, np.int8).strides)
                assert all((value.strides == steps) | (np.array(value.shape) <= 1)) or not value.value.size
            if kind in ("smooth", "whole") and np.isfinite(value.value).all():
                slack = 1e-4 * max(type_.magnitude, 1e-3)
                assert np.all((value.value >= type_.low - slack) & (value.value <= type_.high + slack))
                assert not type_.whole or np.all(value.value == np.round(value.value))

    holds()


def test_every_op_of_the_catalogue_is_built_and_differentiated():
    built, differentiated = collections.Counter(), collections.Counter()

    @settings(max_examples=1200)
    @given(graphs("smooth"))
    def count(program):
        used = {step.op.rpartition(".")[2].rstrip("_") for step in program.steps}
        built.update(used)
        if program.outputs:
            differentiated.update(used)

    count()
    spelled = {"comparison": "eq ne lt le gt ge", "select by index": "getitem", "copy": "clone", "div": "div truediv"}
    missing = {name for name in OPS if not any(differentiated[each] for each in spelled.get(name, name).split())}
    assert missing == set()
    assert sum(built.values()) > 3000


@pytest.mark.parametrize("kind", KINDS)
def test_programs_survive_storage(kind):
    @settings(max_examples=50)
    @given(graphs(kind))
    def holds(program):
        again = Program.from_dict(program.as_dict())
        assert script(again) == script(program)
        assert compare(execute(program, REFERENCE), execute(again, REFERENCE)) == []

    holds()


@given(trainings())
def test_training_runs_survive_storage(run):
    again = Training.from_dict(run.as_dict())
    assert training_script(again) == training_script(run)


def printed(source, module):
    """What a script prints, run in this process with its import swapped."""
    out = io.StringIO()
    if module is not torch:
        source = source.replace("import torch  #", f"import {module.__name__} as torch  #")
    with contextlib.redirect_stdout(out):
        exec(compile(source, "script", "exec"), {})
    return out.getvalue()


@settings(max_examples=60)
@given(graphs("smooth") | graphs("whole") | graphs("edges"))
def test_a_script_prints_what_was_compared(program):
    trace = execute(program, REFERENCE)
    source = script(program)
    compile(source, "script", "exec")
    if trace["error"] is not None:
        with pytest.raises(Exception, match=r".") as raised:
            printed(source, torch)
        assert type(raised.value).__name__ == trace["error"].kind
        return
    lines = printed(source, torch).splitlines()
    shown = {line.split(" = ")[0]: line for line in lines}
    for prefix, part in (("", "values"), ("d ", "grad"), ("dd ", "grad of grad")):
        for name, value in trace[part].items():
            line = shown[prefix + name]
            assert line.startswith(f"{prefix}{name} = " + ("None" if value is None else str(value.value.tolist())))


@settings(max_examples=25)
@given(graphs("smooth"))
def test_a_script_runs_under_either_import(program):
    if execute(program, REFERENCE)["error"] is None:
        names = [line.split(" = ")[0] for line in printed(script(program), torch).splitlines()]
        assert [line.split(" = ")[0] for line in printed(script(program), minitorch_like).splitlines()] == names


@settings(max_examples=25)
@given(trainings())
def test_a_training_script_prints_what_was_compared(run):
    trace = train(run, REFERENCE)
    lines = printed(training_script(run), torch).splitlines()
    last = trace[f"step {len(run.inputs) - 1}"]
    assert f"loss {last['loss'].value.tolist()}" in "\n".join(lines)
    for name, weight in last["weights"].items():
        assert any(line.startswith(f"{name} {weight.value.tolist()}") for line in lines)
    assert len(printed(training_script(run), minitorch_like).splitlines()) == len(lines)


@pytest.mark.parametrize("module", ["torch", "minitorch_like"])
def test_a_script_is_standalone(module, tmp_path):
    program = Program.from_dict(
        {
            "inputs": {"tuple": [{"Input": {
                "name": "x0", "array": {"array": [(0.1).hex(), (-2.0).hex()], "shape": [2], "dtype": "float32"},
                "requires_grad": True, "layout": "contiguous",
            }}]},
            "steps": {"tuple": [{"Step": {
                "op": "torch.relu", "args": {"tuple": [{"Ref": {"name": "x0"}}]}, "kwargs": {"dict": {}},
                "results": {"tuple": ["y0"]}, "rounds": False, "blurs": False,
            }}]},
        }
    )  # fmt: skip
    file = tmp_path / "script.py"
    file.write_text(script(program).replace("import torch  #", f"import {module} as torch  #"))
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, file], capture_output=True, text=True, check=True, timeout=60, env=env)
    assert "y0 = [0.10000000149011612, 0.0] torch.float32 (2,) strides (1,) requires_grad True" in ran.stdout


@pytest.mark.parametrize("family", FAMILIES)
def test_every_mistake_is_one(family):
    """Each entry makes torch raise, with some sizes at least, and every one of its scripts can be compiled."""
    accepted = {"bool alpha", "cotangent dtype"}  # torch accepts these two, which is worth a comparison
    for name, build in FAMILIES[family].items():
        assert name in accepted or any(refusals(build)), f"torch accepts every {name!r}"


def refusals(build):
    """The errors, or None, that an entry comes to under torch with several sizes."""
    raised = []

    @settings(max_examples=8, derandomize=True, database=None)
    @given(st.data())
    def collect(data):
        bench = Bench(data.draw)
        build(bench)
        compile(script(bench.program()), "script", "exec")
        raised.append(execute(bench.program(), REFERENCE)["error"])

    collect()
    return raised


@settings(max_examples=100)
@given(graphs("smooth"))
def test_the_oracle_follows_the_reference(program):
    """Its truth is near the float32 result, and a disturbance of it has the same gradients to speak of."""
    trace = execute(program, REFERENCE)
    if trace["error"] is not None:
        return
    ask, rounding = oracle(program, Double(torch), trace)
    truth, disturbed = ask(0.0, 0), ask(2.0**-24, 1)
    assert truth.keys() == disturbed.keys()
    expected = dict(leaves({name: trace[name] for name in ("values", "grad", "grad of grad")}))
    # In float64 a conversion to it gives its operand, with the gradient that this may have retained: there can be more truth.
    shapes = {path: array.shape for path, array in truth.items()}
    assert shapes | {path: snapshot.shape for path, snapshot in expected.items()} == shapes
    assert rounding in (2.0**-24, 2.0**-53, 1.0)
