"""Walks: what a user does to a handful of tensors, step by step, and everything that can be asked of them in between.

A `Walk` is data.  A `World` holds its tensors in one framework.  `check_walk` takes the same walk through two worlds and
compares them after every step: values, layout, which tensors share memory, versions, bases, gradients, and errors, after
which nothing may have changed that has not changed in the other world.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import pickle
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity_tests.backends import Backend, Unsupported
from parity_tests.backends.double import Double
from parity_tests.cases.execute import Disturb, resolve
from parity_tests.cases.program import Ref, coded, decode, encode
from parity_tests.check import Derived, Difference, Exact, Outcome, Raised, Snapshot, compare
from parity_tests.check.snapshot import Array, Path, is_tensor, leaves, of_tensor
from parity_tests.check.snapshot import Sequence as Items
from parity_tests.suite import Arena

MODES = ("no_grad", "inference_mode", "enable_grad")

# torch 2.13 crashes where these are the first to ask a view for its node after its base was written to.
HOOKING = (
    "Tensor.register_hook",
    "Tensor.register_post_accumulate_grad_hook",
    "Tensor.retain_grad",
    "composed.hook_and_unhook",
)


@coded
@dataclass(frozen=True, slots=True)
class Hook:
    """A hook by its name; see `HOOKS`."""

    name: str


# What a hook returns, and how a script writes it.
HOOKS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "listen": (lambda g: None, "lambda g: print('hook', g)"),
    "double": (lambda g: g * 2, "lambda g: g * 2"),
    "negate": (lambda g: -g, "lambda g: -g"),
    "flatten": (lambda g: g.reshape(-1), "lambda g: g.reshape(-1)"),
    "overhear": (lambda *gradients: None, "lambda *gradients: print('node', *gradients)"),
    "clear": (lambda leaf: setattr(leaf, "grad", None), "lambda leaf: setattr(leaf, 'grad', None)"),
}


def grad_of_grad(backend: Backend, y: Any, x: Any, g: Any, h: Any) -> list[Any]:
    """The gradient of x at y, and the gradient of x at that."""
    (first,) = backend.call("autograd.grad", [y], [x], [g], create_graph=True)
    if not first.requires_grad:
        return [first]
    (second,) = backend.call("autograd.grad", [first], [x], [h], retain_graph=True, allow_unused=True)
    return [first, second]


# What takes several calls, and how a script writes it.
COMPOSED: dict[str, tuple[Callable[..., Any], str]] = {
    "composed.pickled": (lambda backend, x: pickle.loads(pickle.dumps(x)), "pickle.loads(pickle.dumps({0}))"),
    "composed.copied": (lambda backend, x: copy.deepcopy(x), "copy.deepcopy({0})"),
    "composed.grad_of_grad": (
        grad_of_grad,
        (
            "(g := torch.autograd.grad([{0}], [{1}], [{2}], create_graph=True)[0], g.requires_grad and "
            "torch.autograd.grad([g], [{1}], [{3}], retain_graph=True, allow_unused=True)[0])"
        ),
    ),
    "composed.hook_and_unhook": (
        lambda backend, x, hook: x.register_hook(hook).remove(),
        "{0}.register_hook({1}).remove()",
    ),
    "composed.hook_of_node": (lambda backend, x, hook: x.grad_fn.register_hook(hook), "{0}.grad_fn.register_hook({1})"),
    "composed.prehook_of_node": (
        lambda backend, x, hook: x.grad_fn.register_prehook(hook),
        "{0}.grad_fn.register_prehook({1})",
    ),
}


@coded
@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """One step.

    op:      what `Backend.call` or COMPOSED knows, or 'new' (a tensor of the array in `args`), or 'del' (forget a name).
    results: the names that the parts of the result get; '' for a part that had one before.
    rounds:  whether the result is rounded.      mode: the mode that it is done under, '' for none.
    raises:  whether torch refuses it.
    """

    op: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    results: tuple[str, ...] = ()
    mode: str = ""
    rounds: bool = False
    raises: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """closely: everything is asked after every step.  If not, the questions that make a framework bring a view's
    history up to date are asked at the end alone."""

    moves: tuple[Move, ...]
    closely: bool = True

    def __repr__(self) -> str:
        return f"Walk({' '.join(move.op.rpartition('.')[2] for move in self.moves)})"

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; `from_dict` is the way back."""
        return {each.name: encode(getattr(self, each.name)) for each in dataclasses.fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Walk:
        return cls(**{name: decode(value) for name, value in data.items()})


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to see after a step.

    values: the returned value, the gradients that hooks were given, and a snapshot of every tensor, as one tree.
    facts:  by tensor, what a snapshot does not hold.
    circumstances: see CIRCUMSTANCES.
    """

    values: dict[str, Any]
    facts: dict[str, dict[str, Any]]
    circumstances: tuple[str, ...] = ()


class World:
    """The tensors of one framework by their names, and what its hooks have heard."""

    def __init__(self, backend: Backend, disturb: Disturb | None = None) -> None:
        self.backend = backend
        self.disturb = disturb
        self.values: dict[str, Any] = {}
        self.heard: list[Any] = []
        self.circumstances: list[str] = []
        self.leaves: set[str] = set()  # the names of what was made to require grad
        self.past: set[str] = set()  # of PAST, what has come to pass
        self.refused: list[Any] = []  # the tensors that would not take a hook

    # -- doing -------------------------------------------------------------------------------------------------------

    def do(self, move: Move) -> Any:
        """Make a step; what it returned, or the error that it raised.  KeyError for a name that nobody has."""
        args, kwargs = self._resolve(move.args), self._resolve(dict(move.kwargs))
        self.past |= {name for name, holds in PAST.items() if holds(self, move, tensors_in(args))}
        if move.op == "del":
            del self.values[move.args[0].name]
            return None
        try:
            with self.backend.call(f"torch.{move.mode}") if move.mode else contextlib.nullcontext():
                if move.op == "new":
                    return self.backend.tensor(move.args[0], **kwargs)
                known = [name for name, holds in CIRCUMSTANCES.items() if holds(self, move, tensors_in(args))]
                self.circumstances += known
                if move.op in HOOKING:
                    ask(args[0], "grad_fn")
                if move.op in COMPOSED:
                    return COMPOSED[move.op][0](self.backend, *args, **kwargs)
                return self.backend.call(move.op, *args, **kwargs)
        except Exception as error:  # noqa: BLE001  the error is a result like any other
            self.refused += args[:1] if move.op in HOOKING else []
            self.past |= {"a backward pass was refused before"} if move.op.startswith("autograd.") else set()
            raised = Raised.of(error, unsupported=isinstance(error, Unsupported))
            return dataclasses.replace(raised, message=raised.message.replace(self.backend.name, "torch"))

    def step(self, move: Move) -> Any:
        """Make a step, and give its results their names."""
        parts = parts_of(self.do(move))
        if len(parts) == len(move.results):
            for name, part in zip(move.results, parts, strict=True):
                if name and not isinstance(part, Raised):
                    fresh = self.disturb and move.rounds and is_tensor(part)
                    self.leaves |= {name} if move.op == "new" and move.kwargs else set()
                    self.values[name] = self.disturb(name, part) if self.disturb and fresh else part
        return Items("returned", [self._describe(part) for part in parts])

    def name_of(self, value: Any) -> str:
        """The name of this very object, '' if it has none."""
        return next((name for name, each in self.values.items() if each is value), "")

    def tensors(self) -> dict[str, Any]:
        return {name: value for name, value in self.values.items() if is_tensor(value)}

    def _describe(self, part: Any) -> Any:
        """A part of a result for comparison: by its name if it has one, as it is compared like all others then.  How one
        that has none lies in memory, and what made it, is nobody's promise."""
        if is_tensor(part):
            return self.name_of(part) or dataclasses.replace(
                of_tensor(settled(part.detach())), strides=None, storage=None, grad_fn=None, is_leaf=None
            )
        return part if part is None or isinstance(part, (Raised, bool, int, float, str)) else type(part).__name__

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return self.backend.tensor(value)
        if isinstance(value, Hook):
            return self._hook(value.name)
        if isinstance(value, Ref):
            name, *attributes = value.name.split(".")
            found = self.values[name]
            for each in attributes:
                found = getattr(found, each)
            return found
        if isinstance(value, (tuple, list)):
            return type(value)(map(self._resolve, value))
        if isinstance(value, dict):
            return {name: self._resolve(item) for name, item in value.items()}
        return resolve(value, self.values, self.backend)

    def _hook(self, name: str) -> Callable[[Any], Any]:
        function, _ = HOOKS[name]
        heard = self.heard  # and not the world, whose tensors the hook would keep alive

        def hook(*values: Any) -> Any:
            heard.append(name)  # which of them comes first is to be seen as well
            for value in values if not isinstance(values[0], tuple) else [each for part in values for each in part]:
                grad = value.grad if name == "clear" else value
                told = (
                    grad
                    if grad is None
                    else dataclasses.replace(of_tensor(settled(grad.detach())), strides=None, storage=None)
                )
                heard.append(told)
            return function(*values)

        return hook

    # -- looking -----------------------------------------------------------------------------------------------------

    def look(self, returned: Any, closely: bool) -> Seen:
        """Everything that is to be compared, as plain data."""
        tensors = self.tensors()
        values = {"returned": returned, "heard": Items("list", list(self.heard))}
        values.update({name: snapshot(tensor) for name, tensor in tensors.items()})
        first: dict[int, int] = {}
        facts = {}
        for name, tensor in tensors.items():
            facts[name] = self._facts(tensor, closely)
            storage, address = values[name].storage, tensor.data_ptr()
            if storage is not None:
                facts[name]["first element"] = address - first.setdefault(storage, address)
        circumstances = tuple(dict.fromkeys(self.circumstances))
        if closely:
            self.circumstances.clear()
        return Seen(values, facts, circumstances)

    def _facts(self, tensor: Any, closely: bool) -> dict[str, Any]:
        base, grad = ask(tensor, "_base"), ask(tensor, "grad")
        facts = {
            "_version": ask(tensor, "_version"),
            "_base": self.name_of(base) or "without a name" if is_tensor(base) else str(base),
            "grad is": self.name_of(grad) or "without a name" if is_tensor(grad) else str(grad),
            "storage_offset": tensor.storage_offset() if tensor.numel() else 0,  # what is empty has no address
            "is_contiguous": tensor.is_contiguous(),
            "output_nr": ask(tensor, "output_nr"),
            "is_inference": tensor.is_inference(),
            "is_conj": ask(tensor, "is_conj")(),
            "is_neg": ask(tensor, "is_neg")(),
        }
        if closely:
            node = ask(tensor, "grad_fn")
            facts |= {
                "requires_grad": tensor.requires_grad,
                "is_leaf": ask(tensor, "is_leaf"),
                "grad_fn": node.name() if hasattr(node, "name") else str(node),
                "retains_grad": ask(tensor, "retains_grad"),
            }
        return facts


def _kept_gradient(world: World, move: Move, operands: list[Any]) -> bool:
    leaf = operands[0] if move.op == "del" and operands else None
    return leaf is not None and leaf.requires_grad and ask(leaf, "is_leaf") is True and bool(world.name_of(leaf.grad))


# What later backward passes may tell.
PAST: dict[str, Callable[[World, Move, list[Any]], bool]] = {
    "a backward pass was made in inference mode": lambda world, move, operands: (
        move.op.startswith("autograd.") and move.mode == "inference_mode"
    ),
    "a leaf was forgotten and its gradient was not": _kept_gradient,
    "what was a leaf was forgotten": lambda world, move, operands: (
        move.op == "del" and move.args[0].name in world.leaves and ask(operands[0], "is_leaf") is not True
    ),
}


def _remembered(name: str) -> Callable[[World, Move, list[Any]], bool]:
    return lambda world, move, operands: move.op.startswith("autograd.") and name in world.past


# After this torch has integers that require grad, and an error for whatever is done to them: no walk goes on.
ACCIDENT = "integers are given a number that requires grad"

# What torch's own answers are accidents of: a difference in such a step says so, for the store of expected failures.
CIRCUMSTANCES: dict[str, Callable[[Any, Move, list[Any]], bool]] = {
    "a leaf of inference mode requires grad": lambda world, move, operands: any(
        each.is_inference() and each.requires_grad for each in operands
    ),
    "an operand is of inference mode, and this is not": lambda world, move, operands: (
        move.mode != "inference_mode" and any(each.is_inference() for each in operands)
    ),
    ACCIDENT: lambda world, move, operands: (
        len(operands) > 1
        and not (operands[0].is_floating_point() or operands[0].is_complex())
        and any(each.requires_grad for each in operands[1:])
    ),
    "a hook was refused before": lambda world, move, operands: (
        move.op in HOOKING and any(each is operands[0] for each in world.refused)
    ),
    "a copy is made of what was detached from a view": lambda world, move, operands: (
        move.op == "composed.pickled" and operands[0]._base is None and bool(operands[0].storage_offset())
    ),
    **{name: _remembered(name) for name in (*PAST, "a backward pass was refused before")},
}


def tensors_in(value: Any) -> list[Any]:
    """The tensors among arguments."""
    if isinstance(value, (tuple, list)):
        return [each for item in value for each in tensors_in(item)]
    return [value] if is_tensor(value) else []


def bare(tensor: Any) -> Any:
    """What is in the memory of a tensor that is a conjugate or a negative view; others are what they are."""
    if getattr(tensor, "is_conj", bool)():
        tensor = tensor.conj()
    if getattr(tensor, "is_neg", bool)():
        tensor = sys.modules[type(tensor).__module__]._neg_view(tensor)
    return tensor


def settled(gradient: Any) -> Any:
    """A gradient that is no conjugate or negative view: whether it is one is nobody's promise."""
    return gradient.resolve_conj().resolve_neg() if hasattr(gradient, "resolve_conj") else gradient


def parts_of(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (tuple, list)) else [result]


def ask(tensor: Any, name: str) -> Any:
    """An attribute, or the error that asking for it raises; None where a framework has no notion of it."""
    try:
        return getattr(tensor, name, None)
    except RuntimeError as error:
        return str(Raised.of(error))


def snapshot(tensor: Any) -> Snapshot:
    """The snapshot of a tensor without what `World._facts` asks."""
    plain = of_tensor(bare(tensor.detach()))
    grad = ask(tensor, "grad")
    grad = of_tensor(settled(grad.detach()), accumulated=True) if is_tensor(grad) else None
    return dataclasses.replace(
        plain, kind=type(tensor).__name__, requires_grad=None, is_leaf=None, grad_fn=None, grad=grad
    )


# -- comparing -----------------------------------------------------------------------------------------------------------


def through(walk: Walk, backend: Backend, disturb: Disturb | None = None) -> Iterator[Seen]:
    """What there is to see after each step."""
    world = World(backend, disturb)
    for number, move in enumerate(walk.moves, 1):
        yield world.look(world.step(move), walk.closely or number == len(walk.moves))


def _end(walk: Walk, backend: Backend, disturb: Disturb | None) -> Seen:
    """What there is to see at the end.  Steps whose operands are missing are left out: in another dtype, bytes are others."""
    world = World(backend, disturb)
    returned: Any = None
    for move in walk.moves:
        returned = None
        with contextlib.suppress(KeyError):
            returned = world.step(move)
    return world.look(returned, closely=True)


def check_walk(walk: Walk, arena: Arena) -> list[Difference]:
    """The differences after the first step that shows any."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sides = zip(through(walk, arena.reference), through(walk, arena.subject), strict=True)
        try:
            for number, (expected, actual) in enumerate(sides):
                found = _differences(expected, actual, _judge(walk, number, arena.double))
                if found:
                    found = sorted((_under(each, expected.circumstances) for each in found), key=_is_ours)
                    unsupported = [each for each in found if each.outcome == Outcome.UNSUPPORTED]
                    return unsupported or found
        except KeyError:  # no walk at all: a step was taken out that gave a later one its operand
            return []
    return []


def _is_ours(difference: Difference) -> bool:
    """Whether it is no bug of the reference's own, which comes first, so that nobody looks for it elsewhere."""
    return "INTERNAL ASSERT FAILED" not in difference.message


def _under(difference: Difference, circumstances: tuple[str, ...]) -> Difference:
    """The difference, with the circumstances that it was met under."""
    if not circumstances:
        return difference
    return dataclasses.replace(difference, message=f"{difference.message} ({'; '.join(circumstances)})")


def _differences(expected: Seen, actual: Seen, judge: Any) -> list[Difference]:
    found = compare(expected.values, actual.values, judge)
    for name, facts in expected.facts.items():
        for fact, want in facts.items():
            got = actual.facts.get(name, {}).get(fact)
            if got is not None and got != want:
                found.append(Difference(Outcome.METADATA, name, f"{fact} {got}, expected {want}"))
    return found


def _judge(walk: Walk, number: int, double: Double) -> Callable[[Path, Snapshot, Snapshot], str]:
    """The instrument's rule, asked of the walk in float64 up to this step."""
    moves = walk.moves[: number + 1]

    def oracle(delta: float, seed: int) -> Mapping[Path, Array]:
        with double.disturbed(delta, seed):
            end = _end(Walk(moves), double, (lambda name, value: double.disturb(value)) if delta else None)
        return {path: each.value for path, each in leaves(end.values)}

    derived = Derived(oracle, exact=not any(move.rounds for move in moves))

    def judge(path: Path, expected: Snapshot, actual: Snapshot) -> str:
        try:
            return derived(path, expected, actual)
        except (KeyError, ValueError):  # in float64 the walk took another way
            return Exact()(path, expected, actual)

    return judge
