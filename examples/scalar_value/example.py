"""A number that remembers.  Run it: python -m examples.scalar_value.example"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from examples.drawing import curves, graph

from .checks import by_hand, gradients, lesson, wiggled
from .neurons import MLP
from .training import side_by_side, tanh_network
from .value import Value

TITLE = "The scalar Value: a number that remembers"

PUBLISHED = {
    "(a b + c) f at (2, -3, 10, -2)": -8.0,
    **{f"(a b + c) f, d/d{name}": slope for name, slope in zip("abcf", (6.0, -4.0, -2.0, 4.0), strict=True)},
    "the same after a step of 0.01": -7.286496,
    "neuron": 0.8813735870195432,
    "neuron, d/dx2": 1.0,
    "neuron, d/dw2": 0.0,
    "neuron, d/dx1": -3.0,
    "neuron, d/dw1": 2.0,
    "tanh neuron": 0.7071067811865477,
    "tanh neuron, d/dx2": 0.5,
    "tanh neuron, d/dw2": 0.0,
    "tanh neuron, d/dx1": -1.5,
    "tanh neuron, d/dw1": 1.0,
    "a + a, d/da": 2.0,
    "(a b)(a + b) at (-2, 3), d/da": -3.0,
    "(a b)(a + b) at (-2, 3), d/db": -8.0,
    "MLP(3, [4, 4, 1]), parameters": 41,
    "ReLU network in nn, last loss": 0.06534025073051453,
    "ReLU network in nn, prediction 1": 1.130600094795227,
    "ReLU network in nn, prediction 2": 0.03639908879995346,
    "ReLU network in nn, prediction 3": 0.017568498849868774,
    "ReLU network in nn, prediction 4": 0.7840131521224976,
}

NEURON = {"x1": 2.0, "x2": 0.0, "w1": -3.0, "w2": 1.0, "b": 6.8813735870195432}


def weighed_sum(inputs: dict[str, Value]) -> Value:
    """x1 w1 + x2 w2 + b"""
    return inputs["x1"] * inputs["w1"] + inputs["x2"] * inputs["w2"] + inputs["b"]


def labelled(numbers: dict[str, float]) -> dict[str, Value]:
    return {label: Value(number, label=label) for label, number in numbers.items()}


def run() -> dict[str, Any]:
    """Every number that the lectures print, and ours."""
    obtained: dict[str, float] = {}

    # 1. An expression of four numbers: by backward, by hand, by wiggling.
    point = (2.0, -3.0, 10.0, -2.0)
    backward = gradients(lesson, point)
    obtained["(a b + c) f at (2, -3, 10, -2)"] = lesson(*map(Value, point)).data
    obtained |= {f"(a b + c) f, d/d{name}": slope for name, slope in zip("abcf", backward, strict=True)}
    obtained["backward and by hand differ by"] = _furthest(backward, by_hand(*point))
    obtained["backward and wiggling differ by"] = _furthest(backward, wiggled(lesson, point))
    moved = [number + 0.01 * slope for number, slope in zip(point, backward, strict=True)]
    obtained["the same after a step of 0.01"] = lesson(*map(Value, moved)).data

    # 2. A neuron, with a ReLU and with a tanh.
    figures = []
    for name, activate in (("neuron", Value.relu), ("tanh neuron", Value.tanh)):
        inputs = labelled(NEURON)
        output = activate(weighed_sum(inputs))
        output.label = "o"
        output.backward()
        obtained[name] = output.data
        obtained |= {f"{name}, d/d{label}": inputs[label].grad for label in ("x2", "w2", "x1", "w1")}
        figures.append(draw(output, f"a {name}: data, and grad"))

    # 3. A value that is used twice.
    obtained["a + a, d/da"] = gradients(lambda a: a + a, [3.0])[0]
    twice = gradients(lambda a, b: (a * b) * (a + b), [-2.0, 3.0])
    obtained["(a b)(a + b) at (-2, 3), d/da"], obtained["(a b)(a + b) at (-2, 3), d/db"] = twice

    # 4. A network of Values; and the same network in nn.
    obtained["MLP(3, [4, 4, 1]), parameters"] = len(MLP(3, [4, 4, 1]).parameters())
    _, tanh_losses = tanh_network()
    in_nn, in_values, predictions, scalar_predictions = side_by_side()
    obtained["tanh network, first loss"], obtained["tanh network, last loss"] = tanh_losses[0], tanh_losses[-1]
    obtained["ReLU network in nn, last loss"] = in_nn[-1]
    obtained["ReLU network in Values, last loss"] = in_values[-1]
    for number, (ours, scalar) in enumerate(zip(predictions, scalar_predictions, strict=True), 1):
        obtained[f"ReLU network in nn, prediction {number}"] = ours
        obtained[f"ReLU network in Values, prediction {number}"] = scalar
    losses = {"tanh, in Values": tanh_losses, "ReLU, in Values": in_values, "ReLU, in nn": in_nn}
    figures.append(curves("loss on the four rows", losses, log=True))
    return {"title": TITLE, "published": PUBLISHED, "obtained": obtained, "figures": figures}


def _furthest(some: Sequence[float], others: Sequence[float]) -> float:
    return max(abs(one - other) for one, other in zip(some, others, strict=True))


def draw(output: Value, title: str) -> str:
    """The graph behind a value: label or op, data, grad."""
    return graph(
        title,
        output,
        lambda value: value.children,
        lambda value: [
            " ".join(filter(None, (value.label, value.op))), f"data {value.data:.4g}", f"grad {value.grad:.4g}"
        ],
    )  # fmt: skip


if __name__ == "__main__":
    result = run()
    print(result["title"])
    for name, value in result["obtained"].items():
        published = result["published"].get(name)
        print(f"  {name:38} {value:<22.16g} {'' if published is None else f'published {published:.16g}'}")
