"""A planted fault: what is wrong, and the place where a faulty function stands in for the right one.

    @fault("wrong factor", Rule("tanh", "input"))
    def tanh_unsquared(g, out):
        "The derivative of tanh is 1 - y instead of 1 - y²."
        return g * (1 - out)

Nothing in `minitorch_like` knows of it.  A fault is planted at run time and lifted again; lifted, not a trace is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from minitorch_like._apply import bind
from minitorch_like.ops import TABLE

Function = Callable[..., Any]


class Place(Protocol):
    """Where a function of the framework can be replaced."""

    def taken_by(self, faulty: Function) -> AbstractContextManager[None]:
        """Within, `faulty` stands there."""
        ...


@dataclass(frozen=True, slots=True)
class Rule:
    """The derivative of an op by one of its inputs.  The names of its parameters say what is saved, as in the table."""

    op: str
    input: str

    @contextmanager
    def taken_by(self, faulty: Function) -> Iterator[None]:
        op = TABLE[self.op]
        index = {name: place for place, name in enumerate(op.parameters[: op.arity])}[self.input]
        rule, call, saves, apply = op.rules[index], op.rule_calls[index], len(op.saves), op.apply
        joint = op.joint, op.joint_call
        if rule is op.joint:
            op.rules[index], op.joint, op.joint_call = faulty, faulty, op._prepare_joint(faulty)
        else:
            op.rules[index], op.rule_calls[index] = faulty, op._prepare(faulty)
        op.save_plans.clear()
        bind(op)  # what it saves has changed
        try:
            yield
        finally:
            op.rules[index], op.rule_calls[index] = rule, call
            op.joint, op.joint_call = joint
            del op.saves[saves:]
            op.save_plans.clear()
            op.apply = apply


@dataclass(frozen=True, slots=True)
class Kernel:
    """The kernel of an op.  The faulty one is given the right one first."""

    op: str

    @contextmanager
    def taken_by(self, faulty: Function) -> Iterator[None]:
        op = TABLE[self.op]
        right, apply = op.kernel, op.apply

        def kernel(*args: Any, **kwargs: Any) -> Any:
            return faulty(right, *args, **kwargs)

        op.kernel = kernel
        bind(op)
        try:
            yield
        finally:
            op.kernel, op.apply = right, apply


@dataclass(frozen=True, slots=True)
class Applied:
    """How an op, or every op, is applied to tensors.  The faulty function is given the op and the right one first."""

    op: str | None = None

    @contextmanager
    def taken_by(self, faulty: Function) -> Iterator[None]:
        ops = list(TABLE.values()) if self.op is None else [TABLE[self.op]]
        right = [op.apply for op in ops]
        try:
            for op in ops:
                op.apply = partial(faulty, op, op.apply)
            yield
        finally:
            for op, apply in zip(ops, right, strict=True):
                op.apply = apply


@dataclass(frozen=True, slots=True)
class Attribute:
    """A function in a module or a method of a class.  The faulty one is given the right one first."""

    owner: Any
    name: str

    def standing(self) -> Any:
        """What stands there, or is inherited.  Raises KeyError where nothing is."""
        holders = getattr(self.owner, "__mro__", (self.owner,))
        return vars(next((each for each in holders if self.name in vars(each)), self.owner))[self.name]

    @contextmanager
    def taken_by(self, faulty: Function) -> Iterator[None]:
        right = self.standing()
        inherited = self.name not in vars(self.owner)

        def function(*args: Any, **kwargs: Any) -> Any:
            return faulty(right, *args, **kwargs)

        setattr(self.owner, self.name, function)
        try:
            yield
        finally:
            if inherited:
                delattr(self.owner, self.name)
            else:
                setattr(self.owner, self.name, right)


@dataclass(frozen=True, slots=True)
class Fault:
    """kind: a few words, the same for faults of one nature.  description: what is wrong, in one sentence."""

    name: str
    kind: str
    description: str
    places: tuple[Place, ...]
    faulty: Function

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Within, the framework is faulty."""
        with ExitStack() as stack:
            for place in self.places:
                stack.enter_context(place.taken_by(self.faulty))
            yield


FAULTS: dict[str, Fault] = {}


def fault(kind: str, *places: Place) -> Callable[[Function], Function]:
    """Declare a fault: the decorated function at these places.  Its docstring says what is wrong with it."""

    def declare(faulty: Function) -> Function:
        name = faulty.__name__.replace("_", " ")
        assert name not in FAULTS, name
        assert faulty.__doc__, name
        FAULTS[name] = Fault(name, kind, faulty.__doc__.strip(), places, faulty)
        return faulty

    return declare
