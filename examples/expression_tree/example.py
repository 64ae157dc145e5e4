"""A network as a function, unwrapped.  Run it: python -m examples.expression_tree.example"""

from __future__ import annotations

import random
from typing import Any

from examples.drawing import curves, graph

from .compiled import compile
from .funcify import funcify
from .losses import BCE, MSE, CategoricalCrossEntropy
from .macros import Layer, Linear
from .nodes import Add, Input, Leaf, Multiply, Node, Parameter, Sigmoid
from .output import SoftMax
from .training import Sample, parameters_of, predict, train_model

TITLE = "The expression tree: a network is a function"

PUBLISHED = {
    "Celsius from Fahrenheit, w": 0.5556,
    "Celsius from Fahrenheit, b": -17.7778,
    "y > x at (1, 0)": 0.0,
    "y > x at (0, 1)": 1.0,
    "y > x at (0, 1000)": 1.0,
    "y > x at (-5, 3)": 1.0,
}


def thermometer() -> tuple[Node, list[float]]:
    """C = w F + b, learnt from nine cold days on which both scales were read."""
    w, b = Parameter(0.0, "w"), Parameter(0.0, "b")
    model = Add(Multiply(w, Input("F")), b)
    samples: list[Sample] = [({"F": f}, (f - 32) * 5 / 9) for f in range(-20, 21, 5)]
    return model, train_model(compile(model), samples, MSE(), learning_rate=0.0055, epochs=1500)


def above() -> tuple[Node, list[float]]:
    """Is y greater than x?  A sigmoid over a weighted sum: the probability of yes."""
    generator = random.Random(1)
    model = Sigmoid(Linear(Input("x"), Input("y"), generator=generator))
    points = [(generator.uniform(-1, 1), generator.uniform(-1, 1)) for _ in range(40)]
    samples: list[Sample] = [({"x": x, "y": y}, float(y > x)) for x, y in points]
    return model, train_model(compile(model), samples, BCE(), learning_rate=5.0, epochs=400)


CLASSES = ("inside", "right", "left")


def three_regions() -> tuple[Node, list[float], float]:
    """Three classes that no straight line separates: a hidden layer that the three scores share, and a SoftMax.

    (the network, its losses, how often it is right on points that it has not seen)
    """
    generator = random.Random(0)
    hidden = Layer(Input("x"), Input("y"), neurons=5, generator=generator, name="hidden")
    model = SoftMax(*(Linear(*hidden, generator=generator, name=name) for name in CLASSES))
    points = [(generator.uniform(-2, 2), generator.uniform(-2, 2)) for _ in range(550)]
    samples: list[Sample] = [({"x": x, "y": y}, region(x, y)) for x, y in points]
    network = compile(model)
    losses = train_model(network, samples[:50], CategoricalCrossEntropy(), learning_rate=0.8, epochs=150)
    right = [_largest(predict(network, inputs)) == _largest(target) for inputs, target in samples[50:]]
    return model, losses, sum(right) / len(right)


def region(x: float, y: float) -> list[float]:
    """1 for the class that a point is in: inside a diamond around the origin, or to its right or left."""
    inside = abs(x) + abs(y) < 1.2
    return [float(inside), float(not inside and x >= 0), float(not inside and x < 0)]


def _largest(values: list[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)


def doublings(times: int) -> Node:
    """1 + 1, that plus itself, and so on: every node has two parents, or rather one twice."""
    node: Node = Parameter(1.0, "p")
    for _ in range(times):
        node = Add(node, node)
    return node


def run() -> dict[str, Any]:
    """The published answers, and what the exercises add."""
    celsius, celsius_losses = thermometer()
    w, b = parameters_of(celsius)
    greater, greater_losses = above()
    regions, region_losses, accuracy = three_regions()
    tower = compile(doublings(20))
    obtained = {
        "Celsius from Fahrenheit, w": w.value,
        "Celsius from Fahrenheit, b": b.value,
        "212 F in Celsius": predict(celsius, {"F": 212}),
        **{
            f"y > x at {at}": predict(greater, dict(zip("xy", at, strict=True)))
            for at in ((1, 0), (0, 1), (0, 1000), (-5, 3))
        },
        "three regions, right on unseen points": accuracy,
        "three regions, parameters": len(parameters_of(regions)),
        "twenty doublings, value": tower.forward(),
        "twenty doublings, nodes computed": len(tower.order),
    }
    figures = [
        draw(celsius, "Celsius from Fahrenheit, learnt"),
        curves("Celsius from Fahrenheit: mean squared error", {"": celsius_losses}, log=True),
        curves("mean surprise", {"y > x": greater_losses, "three regions": region_losses}, log=True),
    ]
    formulas = [funcify(celsius, "C"), funcify(greater, "above"), funcify(regions, "region", digits=2)]
    return {"title": TITLE, "published": PUBLISHED, "obtained": obtained, "figures": figures, "formulas": formulas}


def draw(model: Node, title: str) -> str:
    """The tree."""

    def lines(node: Node) -> list[str]:
        if not isinstance(node, Leaf):
            return [type(node).__name__]
        return [node.name, f"{node.value:.4f}"] if isinstance(node, Parameter) else [node.name]

    return graph(title, model, lambda node: node.children, lines)


if __name__ == "__main__":
    result = run()
    print(result["title"])
    for name, value in result["obtained"].items():
        published = result["published"].get(name)
        print(f"  {name:34} {value:<20.10g} {'' if published is None else f'published {published:g}'}")
    print(*result["formulas"], sep="\n\n")
