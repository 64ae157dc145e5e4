"""Random MLPs: what is trained, on what, by which optimiser.  Every step of a run is compared, not only the last."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from parity_tests.cases.program import decode, encode
from parity_tests.cases.scope import numbers
from parity_tests.check.snapshot import Array

ACTIVATIONS = ("ReLU", "Tanh", "Sigmoid", "LeakyReLU", "Identity", "Softmax", "Dropout")
ACTIVATION_OPTIONS: dict[str, tuple[dict[str, Any], ...]] = {
    "LeakyReLU": ({}, {"negative_slope": 0.2}),
    "Softmax": ({"dim": 1},),
    "Dropout": ({"p": 0.4},),
}

Layer = tuple[str, tuple[Any, ...], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """A training run.

    layers:   (name in nn, arguments, keyword arguments) of each, in an `nn.Sequential`.
    groups:   keyword arguments of the optimiser's parameter groups: one for all parameters, or one for those of each
              parity of their position (weights and biases).
    weights:  'seed' (each side draws its own after `manual_seed`), 'reference' or 'subject' (whose `state_dict` both
              load).
    new_lr:   what the first group's learning rate is set to before the middle step; None leaves it.
    """

    layers: tuple[Layer, ...]
    inputs: tuple[Array, ...]
    targets: tuple[Array, ...]
    loss: str
    loss_options: Mapping[str, Any]
    cotangent: Array
    optimiser: str
    groups: tuple[Mapping[str, Any], ...]
    weights: str = "seed"
    seed: int = 0
    new_lr: float | None = None
    set_to_none: bool = True

    def __repr__(self) -> str:
        layers = " ".join(name for name, _, _ in self.layers)
        return f"Training({layers}; {self.loss}; {self.optimiser} {dict(self.groups[0])}; {len(self.inputs)} steps)"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    def as_dict(self) -> dict[str, Any]:
        return {each.name: encode(getattr(self, each.name)) for each in dataclasses.fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Training:
        return cls(**{name: decode(value) for name, value in data.items()})


def _options(draw: Callable[[st.SearchStrategy[Any]], Any], choices: Mapping[str, tuple[Any, ...]]) -> dict[str, Any]:
    """One of the choices for each option; the first is the default and is left out."""
    drawn = {name: draw(st.sampled_from(values)) for name, values in choices.items()}
    return {name: value for name, value in drawn.items() if value != choices[name][0]}


def _sgd(draw: Callable[[st.SearchStrategy[Any]], Any]) -> dict[str, Any]:
    options = _options(
        draw,
        {
            "momentum": (0, 0.9, 0.5),
            "weight_decay": (0, 0.1),
            "maximize": (False, True),
            "nesterov": (False, True),
            "dampening": (0, 0.3),
        },
    )
    if options.get("nesterov"):
        options.setdefault("momentum", 0.9)
        options.pop("dampening", None)
    return {"lr": draw(st.sampled_from([0.01, 0.1, 0.003])), **options}


def _adam(draw: Callable[[st.SearchStrategy[Any]], Any]) -> dict[str, Any]:
    return _options(
        draw,
        {
            "lr": (0.001, 0.01, 0.1),
            "betas": ((0.9, 0.999), (0.5, 0.9), (0.0, 0.99)),
            "eps": (1e-8, 1e-3),
            "weight_decay": (0, 0.1),
            "amsgrad": (False, True),
            "maximize": (False, True),
        },
    )


@st.composite
def trainings(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Training:
    """Depth, widths, activations, loss, reduction, optimiser and its options, batch, where the weights come from."""
    widths = draw(st.lists(st.integers(1, 5), min_size=2, max_size=4))
    steps, batch = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    offset = draw(st.integers(0, 4095))
    classify = draw(st.booleans())
    if classify:
        widths[-1] = max(widths[-1], 2)
    layers: list[Layer] = []
    for fan_in, fan_out in pairwise(widths):
        layers.append(("Linear", (fan_in, fan_out), draw(st.sampled_from([{}, {"bias": False}]))))
        if len(layers) < 2 * len(widths) - 3:
            name = draw(st.sampled_from(ACTIVATIONS))
            layers.append((name, (), draw(st.sampled_from(ACTIVATION_OPTIONS.get(name, ({},))))))
    reduction = draw(st.sampled_from(["mean", "sum", "none"]))
    loss_options: dict[str, Any] = {} if reduction == "mean" else {"reduction": reduction}
    out = widths[-1]
    if classify:
        loss_options |= _options(draw, {"label_smoothing": (0.0, 0.1), "ignore_index": (-100, 0)})
        targets = tuple((abs(numbers("whole", offset + 7 * step, (batch,), "int64")) % out) for step in range(steps))
        shape: tuple[int, ...] = (batch,)
    else:
        targets = tuple(numbers("smooth", offset + 31 * step + 17, (batch, out), "float32") for step in range(steps))
        shape = (batch, out)
    optimiser = draw(st.sampled_from(["SGD", "Adam"]))
    rules = _sgd if optimiser == "SGD" else _adam
    return Training(
        layers=tuple(layers),
        inputs=tuple(numbers("smooth", offset + 61 * step, (batch, widths[0]), "float32") for step in range(steps)),
        targets=targets,
        loss="CrossEntropyLoss" if classify else "MSELoss",
        loss_options=loss_options,
        cotangent=numbers("smooth", offset + 5, shape, "float32"),
        optimiser=optimiser,
        groups=tuple(rules(draw) for _ in range(draw(st.sampled_from([1, 1, 2])))),
        weights=draw(st.sampled_from(["seed", "reference", "subject"])),
        seed=draw(st.integers(0, 2**32)),
        new_lr=draw(st.sampled_from([None, 0.02])),
        set_to_none=draw(st.sampled_from([True, False])),
    )
