"""Exercise: macros.  They are used like nodes and expand to elementary ones, so nothing else has to know of them."""

from __future__ import annotations

import math
import random

from .nodes import Add, Constant, Multiply, Node, Parameter, ReLU, Sigmoid

# Capital letters, for a macro stands where a node could.


def Linear(*inputs: Node, generator: random.Random, name: str = "") -> Node:
    """w1 x1 + w2 x2 + ... + b, with parameters of its own: weights random, bias zero."""
    spread = 1 / math.sqrt(len(inputs))
    weights = [Parameter(generator.uniform(-spread, spread), f"{name}w{index}") for index in range(len(inputs))]
    terms = [Multiply(weight, each) for weight, each in zip(weights, inputs, strict=True)]
    return Add(*terms, Parameter(0.0, f"{name}b"))


def Layer(*inputs: Node, neurons: int, generator: random.Random, name: str = "") -> list[Node]:
    """So many neurons with a ReLU, all looking at the same inputs: every input gets that many parents."""
    return [ReLU(Linear(*inputs, generator=generator, name=f"{name}{index}_")) for index in range(neurons)]


def Negate(x: Node) -> Node:
    """-x"""
    return Multiply(Constant(-1.0), x)


def Subtract(x: Node, y: Node) -> Node:
    """x - y"""
    return Add(x, Negate(y))


def Power(x: Node, exponent: int) -> Node:
    """x to a whole positive exponent: one node with so many equal children."""
    return Multiply(*[x] * exponent)


def Mean(*nodes: Node) -> Node:
    """The average."""
    return Multiply(Constant(1 / len(nodes)), Add(*nodes))


def Maximum(x: Node, y: Node) -> Node:
    """The larger of two: y, and what x is above it."""
    return Add(y, ReLU(Subtract(x, y)))


def LeakyReLU(x: Node, slope: float = 0.01) -> Node:
    """x where it is positive, else `slope` times x."""
    return Subtract(ReLU(x), Multiply(Constant(slope), ReLU(Negate(x))))


def Tanh(x: Node) -> Node:
    """A sigmoid stretched to between -1 and 1."""
    return Add(Multiply(Constant(2.0), Sigmoid(Multiply(Constant(2.0), x))), Constant(-1.0))
