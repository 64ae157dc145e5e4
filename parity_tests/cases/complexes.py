"""Complex numbers for the suites that draw them: arrays, the points where functions of a complex variable are decided,
and random programs over complex and real operands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

DTYPES = ("complex64", "complex128")
SHAPE = (2, 3)

# On either side of the branch cuts, which lie on the axes, and at their ends.
_PARTS = (0.0, -0.0, 1.0, -1.0, 0.5, -2.0)
CUTS = np.array([complex(x, y) for x in _PARTS for y in _PARTS])
# What is no number, or too large for one.
EXTREMES = np.array(
    [complex(x, y) for x in (np.inf, -np.inf, np.nan, 1.0) for y in (np.inf, -np.inf, np.nan, 2.0)][:-1]
)


def normal(seed: int, shape: tuple[int, ...] = SHAPE, dtype: str = "complex64", scale: float = 1.0) -> NDArray[Any]:
    """Random numbers, of which the real and the imaginary part are independent if they are complex."""
    random = np.random.default_rng(seed)
    values = random.standard_normal(shape) * scale
    if dtype in DTYPES:
        values = values + 1j * (random.standard_normal(shape) * scale)
    return np.asarray(values, dtype)


def whole(seed: int, shape: tuple[int, ...] = SHAPE, dtype: str = "complex64") -> NDArray[Any]:
    """Small integers as parts: sums and products of few of them are exact."""
    random = np.random.default_rng(seed)
    values = random.integers(-4, 5, shape) + 0.0
    return np.asarray(values + 1j * random.integers(-4, 5, shape) if dtype in DTYPES else values, dtype)


# -- random programs --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Op:
    """A step of a program: from tensors of SHAPE to one of SHAPE.

    takes, gives: "c" and "r" for complex and real, one letter for each operand; "?" is either, and as a result that
    of the first operand, or complex where any operand is.
    run: called with the namespace and the operands; keeps its numbers moderate.
    """

    name: str
    takes: str
    gives: str
    run: Callable[..., Any]


def _op(name: str, takes: str, gives: str, run: Callable[..., Any]) -> Op:
    return Op(name, takes, gives, run)


OPS = (
    _op("add", "??", "?", lambda ns, a, b: a + b),
    _op("sub", "??", "?", lambda ns, a, b: a - b),
    _op("mul", "??", "?", lambda ns, a, b: a * b / 2),
    _op("div", "??", "?", lambda ns, a, b: a / (b + 4)),
    _op("number", "?", "c", lambda ns, a: (0.5 - 1j) * a + 2j),
    _op("rsub", "?", "c", lambda ns, a: 1j - a),
    _op("reciprocal", "?", "?", lambda ns, a: 2 / (a + 5)),
    _op("alpha", "c?", "c", lambda ns, a, b: ns.add(a, b, alpha=0.5j)),
    _op("square", "?", "?", lambda ns, a: a**2 / 4),
    _op("power", "?", "c", lambda ns, a: (a + 4) ** (0.5 + 0.25j)),
    _op("power of", "?", "?", lambda ns, a: 2 ** (a / 4)),
    _op("complex powers", "c?", "c", lambda ns, a, b: (a + 5) ** (b / 8)),
    _op("exp", "?", "?", lambda ns, a: (a / 4).exp()),
    _op("log", "?", "?", lambda ns, a: (a * a * 0.125 + 3).log()),
    _op("sqrt", "?", "?", lambda ns, a: (a * a * 0.125 + 3).sqrt()),
    _op("sin", "?", "?", lambda ns, a: (a / 4).sin()),
    _op("cosh", "?", "?", lambda ns, a: (a / 4).cosh()),
    _op("tanh", "?", "?", lambda ns, a: (a / 8).tanh()),
    _op("sigmoid", "?", "?", lambda ns, a: (a / 8).sigmoid()),
    _op("atan", "?", "?", lambda ns, a: (a / 16).atan()),
    _op("conj", "?", "?", lambda ns, a: a.conj()),
    _op("conj_physical", "?", "?", lambda ns, a: ns.conj_physical(a)),
    _op("real", "?", "r", lambda ns, a: a.real),
    _op("imag", "c", "r", lambda ns, a: a.imag),
    _op("abs", "?", "r", lambda ns, a: (a + 8).abs()),
    _op("angle", "c", "r", lambda ns, a: (a + 8).angle()),
    _op("sgn", "c", "c", lambda ns, a: (a + 8).sgn()),
    _op("complex", "rr", "c", lambda ns, a, b: ns.complex(a, b)),
    _op("polar", "rr", "c", lambda ns, a, b: ns.polar(a, b)),
    _op("pairs", "c", "c", lambda ns, a: ns.view_as_complex(ns.view_as_real(a.resolve_conj()).flip(0))),
    _op("squared length", "c", "r", lambda ns, a: (a * a.conj()).real / 4),
    _op("sum", "?", "?", lambda ns, a: a.sum(0, keepdim=True).expand(SHAPE) / 2),
    _op("mean", "?", "?", lambda ns, a: a.mean().expand(SHAPE)),
    _op("var", "?", "r", lambda ns, a: (a.var(1, keepdim=True) / 4).expand(SHAPE)),
    _op("cumsum", "?", "?", lambda ns, a: a.cumsum(1) / 2),
    _op("product", "?", "?", lambda ns, a: (a / 4).prod(0).expand(SHAPE)),
    _op("norm", "?", "r", lambda ns, a: (a + 2).norm().expand(SHAPE) / 4),
    _op("matmul", "cc", "c", lambda ns, a, b: a @ b.mH @ a / 16),
    _op("where", "cc", "c", lambda ns, a, b: ns.where(ns.arange(6).reshape(SHAPE) % 4 > 1, a, b)),
    _op("cat", "??", "?", lambda ns, a, b: ns.cat([a, b])[1:3]),
    _op("index", "?", "?", lambda ns, a: a[[1, 0]][:, [2, 0, 0]]),
    _op("transpose", "?", "?", lambda ns, a: a.t().reshape(SHAPE)),
    _op("in place", "c?", "c", lambda ns, a, b: (a * 1).mul_(b).div_(2).add_(1j)),
    _op("write the real part", "cr", "c", lambda ns, a, b: _write(a * 1, "real", b)),
    _op("write the imaginary part", "cr", "c", lambda ns, a, b: _write(a * 1, "imag", b)),
    _op("write a row", "c?", "c", lambda ns, a, b: _write_row(a * 1, b)),
)


def _write(x: Any, part: str, value: Any) -> Any:
    setattr(x, part, value)
    return x


def _write_row(x: Any, value: Any) -> Any:
    x[0] = value[1]
    return x


@dataclass(frozen=True, slots=True)
class Step:
    op: Op
    operands: tuple[int, ...]

    def __repr__(self) -> str:
        return f"{self.op.name}{self.operands}"


LEAVES = "ccr"  # of every program


@st.composite
def programs(draw: Callable[[st.SearchStrategy[Any]], Any], most_steps: int = 6) -> tuple[Step, ...]:
    """Steps, each on values before it: the leaves, then the results in order."""
    kinds = list(LEAVES)
    steps = []
    for _ in range(draw(st.integers(1, most_steps))):
        op = draw(st.sampled_from([each for each in OPS if all(kind in [*kinds, "?"] for kind in each.takes)]))
        operands = tuple(
            draw(st.sampled_from([at for at, kind in enumerate(kinds) if wanted in (kind, "?")][::-1]))
            for wanted in op.takes
        )
        steps.append(Step(op, operands))
        given = [kinds[at] for at in operands]
        kinds.append(op.gives if op.gives != "?" else "c" if "c" in given else "r")
    return tuple(steps)


def run(ns: Any, steps: Sequence[Step], leaves: Sequence[Any]) -> Any:
    """The last value of a program."""
    values = list(leaves)
    for step in steps:
        values.append(step.op.run(ns, *[values[at] for at in step.operands]))
    return values[-1]
