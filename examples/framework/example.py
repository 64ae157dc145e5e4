"""The five problems once more, in a dozen lines each.  Run it: python -m examples.framework.example

With PyTorch the import line reads `import torch`; the same seeds then give the same numbers.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import minitorch_like as torch

TITLE = "The framework: tensors, modules, optimisers"

PUBLISHED = {
    "(x + y) z": -12.0,
    "d/dx": -4.0,
    "d/dy": -4.0,
    "d/dz": 3.0,
    "Celsius from Fahrenheit, w": 0.5556,
    "Celsius from Fahrenheit, b": -17.7778,
    "y > x at (1, 0)": 0.0,
    "y > x at (0, 1)": 1.0,
    "y > x at (0, 1000)": 1.0,
    "y > x at (-5, 3)": 1.0,
    "four rows: last loss": 0.06534025073051453,
    "four rows: prediction 1": 1.130600094795227,
    "four rows: prediction 2": 0.03639908879995346,
    "four rows: prediction 3": 0.017568498849868774,
    "four rows: prediction 4": 0.7840131521224976,
    "zeros: loss before": 10.0,
    "zeros: loss after": 0.01,
}


def fit(model: Any, loss_fn: Any, optimizer: Any, batches: Any) -> list[float]:
    """The loop that every training is: predict, compare, differentiate, step.  The loss of each batch."""
    losses = []
    for x, y in batches:
        loss = loss_fn(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def gates() -> tuple[Any, Any]:
    """The circuit (x + y) z: its inputs, pulled at, and its output."""
    inputs = [torch.tensor(value, requires_grad=True) for value in (-2.0, 5.0, -4.0)]
    x, y, z = inputs
    output = (x + y) * z
    output.backward()
    return inputs, output


def celsius() -> Any:
    """C = w F + b, learnt from nine thermometers that have both scales.

    In float64: in float32 the last small steps of b would be rounded away before it arrives.
    """
    torch.manual_seed(0)
    fahrenheit = torch.arange(-40.0, 41.0, 10.0, dtype=torch.float64).reshape(-1, 1)
    model = torch.nn.Linear(1, 1).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0014)
    fit(model, torch.nn.MSELoss(), optimizer, [(fahrenheit, (fahrenheit - 32) * 5 / 9)] * 5000)
    return model


def above() -> Any:
    """Is y greater than x?  A sigmoid over a weighted sum."""
    torch.manual_seed(0)
    points = torch.rand(200, 2) * 2 - 1
    answers = (points[:, 1:] > points[:, :1]).float()
    model = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Sigmoid())
    optimizer = torch.optim.SGD(model.parameters(), lr=10.0)
    fit(model, torch.nn.MSELoss(), optimizer, [(points, answers)] * 2000)
    return model


def four_rows() -> tuple[Any, list[float]]:
    """The network of the lecture, 3-4-4-1, with the seed whose numbers were published: predictions and losses."""
    torch.manual_seed(99)
    relu, linear = torch.nn.ReLU(), torch.nn.Linear
    model = torch.nn.Sequential(linear(3, 4), relu, linear(4, 4), relu, linear(4, 1))
    xs = torch.tensor([[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]])
    ys = torch.tensor([[1.0], [0.0], [0.0], [1.0]])
    loss_fn, optimizer = torch.nn.MSELoss(reduction="sum"), torch.optim.SGD(model.parameters(), lr=0.01)
    losses = fit(model, loss_fn, optimizer, [(xs, ys)] * 99)
    predictions = model(xs)  # of the hundredth step, which the lecture prints
    return predictions, [*losses, loss_fn(predictions, ys).item()]


def zeros() -> tuple[float, float]:
    """Answer 0 to everything: the loss before and after 8,000 random points."""
    torch.manual_seed(8)
    layers = [torch.nn.Linear(2, 7), torch.nn.Linear(7, 10), torch.nn.Linear(10, 3)]
    for layer in layers:  # begin as far off as the layered network does
        torch.nn.init.normal_(layer.weight)
        torch.nn.init.normal_(layer.bias)
    leaky = torch.nn.LeakyReLU(0.1)
    model = torch.nn.Sequential(layers[0], leaky, layers[1], leaky, layers[2], leaky)
    unseen, loss_fn = torch.randn(1000, 2), torch.nn.MSELoss()
    before = loss_fn(model(unseen), torch.zeros(1000, 3)).item()
    points = ((torch.randn(1, 2), torch.zeros(1, 3)) for _ in range(8000))
    fit(model, loss_fn, torch.optim.SGD(model.parameters(), lr=0.004), points)
    return before, loss_fn(model(unseen), torch.zeros(1000, 3)).item()


def quadrant(points: Any) -> Any:
    """0, 1, 2, 3 for right above, left above, left below, right below of the origin; points (n, 2)."""
    x, y = points[:, 0], points[:, 1]
    return torch.where(y > 0, (x <= 0).long(), 2 + (x > 0).long())


def quadrants() -> tuple[Any, float, float]:
    """Which quadrant is a point in?  100,000 points of [-2, 2]², each seen once: model, accuracy before and after."""
    torch.manual_seed(0)
    points, unseen = torch.rand(100_000, 2) * 4 - 2, torch.rand(10_000, 2) * 4 - 2
    model = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.LeakyReLU(), torch.nn.Linear(16, 4))
    before = accuracy(model, unseen, quadrant(unseen))
    batches = ((batch, quadrant(batch)) for batch in points.split(50))
    fit(model, torch.nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=0.01), batches)
    return model, before, accuracy(model, unseen, quadrant(unseen))


def digits(epochs: int = 20) -> tuple[float, float, list[float]]:
    """Handwritten digits of 8 x 8 pixels: accuracy on 360 unseen images before and after, and the losses."""
    from sklearn.datasets import load_digits

    torch.manual_seed(0)
    images, labels = load_digits(return_X_y=True)
    order = torch.randperm(len(images))
    x, y = torch.tensor(images, dtype=torch.float32)[order] / 16, torch.tensor(labels)[order]
    model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
    before = accuracy(model, x[1437:], y[1437:])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    batches = ((x[each], y[each]) for _ in range(epochs) for each in torch.randperm(1437).split(64))
    losses = fit(model, torch.nn.CrossEntropyLoss(), optimizer, batches)
    return before, accuracy(model, x[1437:], y[1437:]), losses


def accuracy(model: Any, x: Any, classes: Any) -> float:
    """The share of samples whose own class gets the highest score."""
    with torch.no_grad():
        return (model(x).argmax(dim=1) == classes).sum().item() / len(classes)


def run() -> dict[str, Any]:
    """Every published number, and ours."""
    inputs, output = gates()
    thermometer, greater = celsius(), above()
    predictions, losses = four_rows()
    before, after = zeros()
    plane, guessing, guessed = quadrants()
    blind, reading, digit_losses = digits()
    asked = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1000.0], [-5.0, 3.0]])
    answers = greater(asked).flatten().tolist()
    obtained = {
        "(x + y) z": output.item(),
        **{f"d/d{name}": value.grad.item() for name, value in zip("xyz", inputs, strict=True)},
        "Celsius from Fahrenheit, w": thermometer.weight.item(),
        "Celsius from Fahrenheit, b": thermometer.bias.item(),
        **{f"y > x at ({x:g}, {y:g})": each for (x, y), each in zip(asked.tolist(), answers, strict=True)},
        "four rows: last loss": losses[-1],
        **{f"four rows: prediction {n}": each for n, each in enumerate(predictions.flatten().tolist(), 1)},
        "zeros: loss before": before,
        "zeros: loss after": after,
        "quadrants: accuracy before": guessing,
        "quadrants: accuracy after": guessed,
        "digits: accuracy before": blind,
        "digits: accuracy after": reading,
    }
    page = {"title": TITLE, "published": PUBLISHED, "obtained": obtained, "figures": []}
    return page | (pictures(losses, plane, digit_losses) if torch.__name__ == "minitorch_like" else {})


def pictures(losses: list[float], plane: Any, digit_losses: list[float]) -> dict[str, list[str]]:
    """What `viz` draws of a tensor, of a module and of a formula; curves and decisions where matplotlib is installed."""
    from examples.figures import svg_of
    from minitorch_like import viz

    with viz.watch():
        inputs, output = gates()
    for name, value in zip("xyz", inputs, strict=True):
        value.label = name
    scores = plane(torch.rand(1, 2))
    formulas = [viz.expression(output), viz.expression(scores, names=plane)]
    figures = [viz.draw_dot(each).pipe("svg").decode() for each in (output, plane)]
    if find_spec("matplotlib"):
        points = torch.rand(300, 2) * 4 - 2
        titles = {
            "four rows, seed 99: squared error": viz.plot_losses(losses, log=True),
            "quadrants: what is guessed where": viz.decision_boundary(plane, points, quadrant(points), margin=0.02),
            "digits: cross-entropy of each batch": viz.plot_losses(digit_losses, log=True, xlabel="batch"),
        }
        for title, axes in titles.items():
            axes.set(title=title)
            figures.append(svg_of(axes.figure))
    return {"figures": figures, "formulas": formulas}


if __name__ == "__main__":
    result = run()
    print(result["title"])
    for name, value in result["obtained"].items():
        published = result["published"].get(name)
        print(f"  {name:30} {value:<22.16g} {'' if published is None else f'published {published:.16g}'}")
