"""Gates, from nudging an input to backpropagation.  Run it: python -m examples.gates.example"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from examples.drawing import curves, graph

from .circuit import follow, neuron, pull, sum_times
from .numerical import gradient_ascent, numerical_gradient, step_up
from .units import Unit

TITLE = "Gates: a circuit that is pulled at"

PUBLISHED = {
    "d(x y)/dx at (3, 4), by nudging": 4.000000000008441,
    "100 - (x - y)^2 after one step": 99.00798399999998,
    "100 - (x - y)^2 at the top": 99.9994,
    "x at the top": 3.487488988616036,
    "y at the top": 3.512326611377091,
    "x y after one step from (-2, 3)": -5.87,
    "(x + y) z": -12.0,
    "d/dx": -4.0,
    "d/dy": -4.0,
    "d/dz": 3.0,
    "(x + y) z after one step": -11.59,
    "neuron": 0.8808,
    "neuron, d/da": -0.105,
    "neuron, d/db": 0.315,
    "neuron, d/dc": 0.105,
    "neuron, d/dx": 0.105,
    "neuron, d/dy": 0.210,
    "neuron after one step": 0.8825,
}


def hill(x: float, y: float) -> float:
    """A ridge of height 100 along x = y."""
    return 100 - (x - y) ** 2


def product(x: float, y: float) -> float:
    return x * y


def wires(names: str, values: Sequence[float]) -> list[Unit]:
    return [Unit(value, name=name) for name, value in zip(names, values, strict=True)]


def run() -> dict[str, Any]:
    """Every number that the lessons print, and ours."""
    # 1. The slope by trying, and climbing along it.
    way = gradient_ascent(hill, (3, 4))
    by_trying = numerical_gradient(product, (3, 4))
    obtained = {
        "d(x y)/dx at (3, 4), by nudging": by_trying[0],
        "100 - (x - y)^2 after one step": hill(*step_up(hill, (3, 4), 0.001)),
        "100 - (x - y)^2 at the top": hill(*way[-1]),
        "x at the top": way[-1][0],
        "y at the top": way[-1][1],
        "x y after one step from (-2, 3)": product(*step_up(product, (-2, 3), 0.01)),
        "steps to the top": len(way) - 1,
    }

    # 2. Two gates, and the pull through them.
    inputs = wires("xyz", (-2, 5, -4))
    output = sum_times(*inputs)
    pull(output)
    obtained["(x + y) z"] = output.value
    obtained |= {f"d/d{unit.name}": unit.grad for unit in inputs}
    picture = draw(output, "(x + y) z: values forward, pulls backward")
    follow(0.01, *inputs)
    obtained["(x + y) z after one step"] = sum_times(*inputs).value

    # 3. A neuron, and the check that every derivative deserves.
    inputs = wires("abcxy", (1, 2, -3, -1, 3))
    output = neuron(*inputs)
    pull(output)
    nudged = numerical_gradient(lambda *at: neuron(*wires("abcxy", at)).value, [unit.value for unit in inputs])
    obtained["neuron"] = output.value
    obtained |= {f"neuron, d/d{unit.name}": unit.grad for unit in inputs}
    obtained["neuron: nudging and pulling differ by"] = max(
        abs(unit.grad - slope) for unit, slope in zip(inputs, nudged, strict=True)
    )
    second = draw(output, "sigmoid(a x + b y + c)")
    follow(0.01, *inputs)
    obtained["neuron after one step"] = neuron(*inputs).value

    climb = curves("climbing 100 - (x - y)²", {"x": [x for x, _ in way], "y": [y for _, y in way]})
    return {"title": TITLE, "published": PUBLISHED, "obtained": obtained, "figures": [climb, picture, second]}


def draw(output: Unit, title: str) -> str:
    """The circuit behind a wire: the gate or the name, the value, the pull."""

    def lines(unit: Unit) -> list[str]:
        what = unit.name or (unit.gate.symbol if unit.gate else "")
        return [what, f"value {unit.value:.4g}", f"grad {unit.grad:.4g}"]

    return graph(title, output, lambda unit: unit.gate.inputs if unit.gate else (), lines)


if __name__ == "__main__":
    result = run()
    print(result["title"])
    for name, value in result["obtained"].items():
        published = result["published"].get(name)
        print(f"  {name:38} {value:<22.16g} {'' if published is None else f'published {published:g}'}")
