"""The layered network: zeros, quadrants, digits.  Run it: python -m examples.layered_network.example"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from .network import MSE, Array, Layer, LeakyReLU, Network, Sigmoid

TITLE = "The layered network: columns in, columns out"

PUBLISHED = {"zeros: loss before": 10.0, "zeros: loss after": 0.01}


class Training(NamedTuple):
    """What a network could do before and after: its loss, or the share of unseen samples that it gets right."""

    before: float
    after: float
    losses: Sequence[float]
    untrained: Network
    trained: Network


# -- three tasks -----------------------------------------------------------------------------------------


def zeros() -> Training:
    """Answer 0 to everything, learnt from 20,000 random points, one at a time.

    The first loss is anything from 1 to 100, by the weights that are drawn; the seed is one that begins near 10.
    """
    rng = np.random.default_rng(41)
    layers = [Layer(2, 7, LeakyReLU(), rng), Layer(7, 10, LeakyReLU(), rng), Layer(10, 3, LeakyReLU(), rng)]
    network = Network(layers, MSE(), learning_rate=0.001)
    untrained = copy.deepcopy(network)
    unseen = rng.standard_normal((2, 1000))
    losses = [network.train(rng.standard_normal((2, 1)), np.zeros((3, 1))) for _ in range(20_000)]
    before, after = (MSE().f(each.forward_pass(unseen), np.zeros((3, 1000))) for each in (untrained, network))
    return Training(before, after, losses, untrained, network)


def quadrants() -> Training:
    """Which quadrant is a point in?  100,000 points of [-2, 2]², each seen once, 50 at a time."""
    rng = np.random.default_rng(0)
    network = Network([Layer(2, 16, LeakyReLU(), rng), Layer(16, 4, Sigmoid(), rng)], MSE(), learning_rate=5.0)
    untrained = copy.deepcopy(network)
    points, unseen = rng.uniform(-2, 2, (2, 100_000)), rng.uniform(-2, 2, (2, 10_000))
    losses = [network.train(batch, one_hot(quadrant(batch), 4)) for batch in np.split(points, 2000, axis=1)]
    before, after = (accuracy(each, unseen, quadrant(unseen)) for each in (untrained, network))
    return Training(before, after, losses, untrained, network)


def digits(epochs: int = 40) -> Training:
    """Handwritten digits of 8 x 8 pixels: 1,437 to learn from, 360 unseen ones; a loss for every epoch."""
    from sklearn.datasets import load_digits

    rng = np.random.default_rng(0)
    images, classes = load_digits(return_X_y=True)
    order = rng.permutation(len(images))
    x, classes = images[order].T / 16, classes[order]
    # Small weights: with 64 inputs ordinary ones would push every sigmoid to its flat end before learning begins.
    layers = [Layer(64, 32, LeakyReLU(), rng, scale=0.1), Layer(32, 10, Sigmoid(), rng, scale=0.1)]
    network = Network(layers, MSE(), learning_rate=3.0)
    untrained = copy.deepcopy(network)
    losses = []
    for _ in range(epochs):
        batches = np.array_split(rng.permutation(1437), 45)
        losses.append(float(np.mean([network.train(x[:, each], one_hot(classes[each], 10)) for each in batches])))
    before, after = (accuracy(each, x[:, 1437:], classes[1437:]) for each in (untrained, network))
    return Training(before, after, losses, untrained, network)


def quadrant(points: Array) -> Any:
    """0, 1, 2, 3 for right above, left above, left below, right below of the origin; points (2, n)."""
    x, y = points
    return np.where(y > 0, np.where(x > 0, 0, 1), np.where(x > 0, 3, 2))


def one_hot(classes: Any, count: int) -> Array:
    """Targets (count, n): in each column a 1 at the sample's class."""
    return np.eye(count)[:, classes]


def accuracy(network: Network, x: Array, classes: Any) -> float:
    """The share of samples whose own class gets the highest score."""
    return float(np.mean(network.forward_pass(x).argmax(axis=0) == classes))


# -- the page --------------------------------------------------------------------------------------------


def run() -> dict[str, Any]:
    """The published numbers and ours; pictures where matplotlib is installed."""
    tasks = {"zeros": zeros(), "quadrants": quadrants(), "digits": digits()}
    obtained = {}
    for name, task in tasks.items():
        what = "loss" if name == "zeros" else "accuracy"
        obtained |= {f"{name}: {what} before": task.before, f"{name}: {what} after": task.after}
    figures = pictures(tasks["quadrants"], tasks["digits"]) if find_spec("matplotlib") else []
    return {"title": TITLE, "published": PUBLISHED, "obtained": obtained, "figures": figures}


def pictures(plane: Training, images: Training) -> list[str]:
    """What the quadrants' network guesses before and after, and how the loss fell on the digits."""
    from examples.figures import svg_of
    from minitorch_like.viz import decision_boundary, plot_losses

    points = np.random.default_rng(1).uniform(-2, 2, (2, 300))
    figures = []
    for network, when in ((plane.untrained, "before"), (plane.trained, "after")):
        axes = decision_boundary(_by_rows(network), points.T, quadrant(points), margin=0.02)
        axes.set(title=f"quadrants, guessed {when} training: {getattr(plane, when):.1%} right")
        figures.append(svg_of(axes.figure))
    axes = plot_losses(images.losses, xlabel="epoch", log=True)
    axes.set(title="digits: mean squared error")
    return [*figures, svg_of(axes.figure)]


def _by_rows(network: Network) -> Any:
    """The network as a function of samples in rows."""
    return lambda x: network.forward_pass(x.numpy().T.astype(np.float64)).T


if __name__ == "__main__":
    result = run()
    print(result["title"])
    for name, value in result["obtained"].items():
        published = result["published"].get(name)
        print(f"  {name:28} {value:<10.4f} {'' if published is None else f'published: about {published:g}'}")
