"""The ops that random graphs are made of, each with its contract: what it requires, and what it gives.

An op is a function of a `Scope`: it picks operands that fulfil its requirements, picks options, and emits a step with
the types of the results.  It returns False when nothing fulfils them (after NNSmith's operator specifications).
The families register their ops here under the name that the user knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from parity_tests.cases.scope import Scope


@dataclass(frozen=True, slots=True)
class Op:
    """exact: sums, products and choices of small integers, whose results no framework may round."""

    name: str
    build: Callable[[Scope], bool]
    exact: bool
    special: bool  # meaningful on infinities and NaN


OPS: dict[str, Op] = {}
# The functions of layers: apart, so that what random graphs draw does not depend on them.
LAYERS: dict[str, Op] = {}


def op(
    name: str, *, exact: bool = False, special: bool = True, catalogue: dict[str, Op] = OPS
) -> Callable[[Callable[[Scope], bool]], Callable[[Scope], bool]]:
    """Register a contract."""

    def register(build: Callable[[Scope], bool]) -> Callable[[Scope], bool]:
        catalogue[name] = Op(name, build, exact, special)
        return build

    return register
