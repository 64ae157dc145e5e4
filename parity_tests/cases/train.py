"""Executing a training run on a backend, and its float64 oracle."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from typing import Any

from parity_tests.backends import Backend, Unsupported
from parity_tests.backends.double import Double
from parity_tests.cases.training import Training
from parity_tests.check import Raised
from parity_tests.check.snapshot import Array, Path, leaves
from parity_tests.check.tolerance import Oracle

Weights = Mapping[str, Array]


def train(run: Training, backend: Backend, weights: Weights | None = None) -> dict[str, Any]:
    """A tree of snapshots: the initial weights, and for each step outputs, loss, gradients, weights, optimiser state.

    weights: loaded into the model; without them it keeps what it drew after `manual_seed(run.seed)`.
    """
    trace: dict[str, Any] = {"error": None}
    phase = "building"
    alive: list[Any] = []  # what is freed may have its memory taken by the next step's tensors, and seem to be shared
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = build(run, backend, weights)
            trace["initial"] = backend.snapshot(dict(model.state_dict()))
            double = backend if isinstance(backend, Double) else None
            if double:
                for layer in model:
                    layer.register_forward_hook(lambda layer, args, output: double.disturb(output))
            criterion = backend.module(f"nn.{run.loss}", **run.loss_options)
            optimiser = _optimiser(run, backend, model)
            backend.manual_seed(run.seed + 1)
            for step in range(len(run.inputs)):
                phase = f"step {step}"
                if step == len(run.inputs) // 2 and run.new_lr is not None:
                    optimiser.param_groups[0]["lr"] = run.new_lr
                trace[phase] = _step(run, backend, model, criterion, optimiser, step, alive)
                if double:
                    for parameter in model.parameters():
                        double.disturb_in_place(parameter)
            phase = "evaluation"
            trace[phase] = backend.snapshot(model.eval()(backend.tensor(run.inputs[0])))
        except Exception as raised:  # noqa: BLE001  the error is a result like any other
            trace["error"] = Raised.of(raised, phase, isinstance(raised, Unsupported))
    return trace


def build(run: Training, backend: Backend, weights: Weights | None = None) -> Any:
    """The model, drawn after `manual_seed`, or with the weights loaded."""
    backend.manual_seed(run.seed)
    layers = [backend.module(f"nn.{name}", *args, **options) for name, args, options in run.layers]
    model = backend.module("nn.Sequential", *layers)
    if weights is not None:
        model.load_state_dict({name: backend.tensor(array) for name, array in weights.items()})
    return model


def _optimiser(run: Training, backend: Backend, model: Any) -> Any:
    if len(run.groups) == 1:
        return backend.module(f"optim.{run.optimiser}", model.parameters(), **run.groups[0])
    parameters = list(model.parameters())
    groups = [{"params": parameters[k::2], **options} for k, options in enumerate(run.groups)]
    groups = [group for group in groups if group["params"]]
    return backend.module(f"optim.{run.optimiser}", groups, lr=0.01)


def _step(
    run: Training, backend: Backend, model: Any, criterion: Any, optimiser: Any, step: int, alive: list[Any]
) -> dict[str, Any]:
    optimiser.zero_grad(set_to_none=run.set_to_none)
    output = model(backend.tensor(run.inputs[step]))
    loss = criterion(output, backend.tensor(run.targets[step]))
    if run.loss_options.get("reduction") == "none":
        loss.backward(backend.tensor(run.cotangent))
    else:
        loss.backward()
    seen = {
        "output": backend.snapshot(output),
        "loss": backend.snapshot(loss),
        "grad": {name: backend.snapshot(each.grad) for name, each in model.named_parameters()},
    }
    alive += [output, loss, *(each.grad for each in model.parameters())]
    optimiser.step()
    seen["weights"] = backend.snapshot(dict(model.state_dict()))
    seen["optimiser"] = backend.snapshot(optimiser.state_dict())
    return seen


def oracle(run: Training, double: Double, initial: Weights) -> Oracle:
    """The run in float64 from the reference's initial weights, disturbed on demand."""

    def ask(delta: float, seed: int) -> Mapping[Path, Array]:
        with double.disturbed(delta, seed):
            weights = {name: double.array(array) for name, array in initial.items()}
            disturbed = dataclasses.replace(
                run,
                inputs=tuple(map(double.array, run.inputs)),
                targets=tuple(map(double.array, run.targets)),
                cotangent=double.array(run.cotangent),
            )
            return {path: snapshot.value for path, snapshot in leaves(train(disturbed, double, weights))}

    return ask
