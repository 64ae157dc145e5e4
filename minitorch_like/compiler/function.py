"""`CompiledFunction`: which calls are captured, which are replayed, and which run eagerly after all."""

from __future__ import annotations

import functools
import gc
import weakref
from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import zip_longest
from typing import Any

import numpy as np

from .._allocation import without_collecting
from .._capture import mode, structure
from .._tensor import Tensor, wrap
from ..autograd.graph import AccumulateGrad
from .build import build
from .memory import root_of
from .open_graph import OpenGraph
from .plan import Plan
from .recorder import Deviation, Recorder

_MAX_CAPTURES = 8  # of one signature: a step that keeps failing its guards is better run eagerly
_MAX_SIGNATURES = 64  # a step whose arguments never come back, such as a counter, is better run eagerly too


class _Signature:
    """What is known of the calls of one signature."""

    __slots__ = ("calls", "captures", "plans", "reasons")

    def __init__(self) -> None:
        self.calls = 0
        self.captures = 0
        self.plans: list[Plan] = []
        self.reasons: list[str] = []

    def note(self, reason: str) -> None:
        if reason not in self.reasons:
            self.reasons.append(reason)


class CompiledFunction:
    """A function whose repeated calls are replayed; see `compile`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._signatures: dict[Any, _Signature] = {}
        functools.update_wrapper(self, function)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if mode.recorder is not None:  # compiled within a captured step: part of that step
            return self._function(*args, **kwargs)
        try:
            leaves, key = _read_arguments(args, kwargs)
            signature = self._signature(key)
        except TypeError:  # an argument that cannot be compared with that of the next call
            signature = None
        if signature is None:
            return self._function(*args, **kwargs)
        signature.calls += 1
        for plan in signature.plans:
            if plan.is_valid():
                return self._replay(signature, plan, [each._data for each in leaves], args, kwargs)
        if signature.calls == 1 or signature.reasons or signature.captures >= _MAX_CAPTURES:
            return self._function(*args, **kwargs)
        return self._capture(signature, leaves, args, kwargs)

    def _signature(self, key: Any) -> _Signature | None:
        signature = self._signatures.get(key)
        if signature is None and len(self._signatures) < _MAX_SIGNATURES:
            signature = self._signatures[key] = _Signature()
        return signature

    def _replay(self, signature: _Signature, plan: Plan, arrays: list[Any], args: Any, kwargs: Any) -> Any:
        if not plan.lock.acquire(False):  # another thread is using its buffers
            return self._function(*args, **kwargs)
        try:
            if plan.verified:
                return plan.replay(arrays)
            return self._verify(signature, plan, arrays, args, kwargs)
        except Deviation as deviation:
            signature.note(str(deviation))
        finally:
            plan.lock.release()
        return self._function(*args, **kwargs)

    def _capture(self, signature: _Signature, leaves: list[Tensor], args: Any, kwargs: Any) -> Any:
        recorder = Recorder()
        inputs: list[Tensor] = []
        args, kwargs = _with_private_inputs((args, kwargs), inputs)
        versions = [each._version for each in inputs]
        collections = _collections()
        with without_collecting():  # so that what the step makes stays in the young generation
            result = _recorded(recorder, self._function, args, kwargs)
            _check_arguments(recorder, inputs, versions)
            _check_result(recorder, result)
            graph = _open_graph(recorder, result)
            if not recorder.reasons:
                _check_escapes(recorder, result, young=collections == _collections())
        signature.captures += 1
        if recorder.reasons:
            for reason in recorder.reasons:
                signature.note(reason)
            return _given_back(result, leaves, inputs, versions)
        plan = build(self._function, recorder, inputs, result, graph)
        del recorder
        plan.arena.take_the_place_of_freed_memory()
        signature.plans.insert(0, plan)
        return plan.fresh_result()

    def _verify(self, signature: _Signature, plan: Plan, arrays: list[Any], args: Any, kwargs: Any) -> Any:
        """The first replay, undone and done again eagerly: if a bit differs the plan is dropped."""
        before = _State(plan)
        try:
            replayed = plan.replay(arrays)
            after = _Outcome(plan)
        finally:
            before.restore()
        if not before.kept:  # what the replay has computed is known by its digests
            plan.give_back_gradients()
        del before
        plan.arena.give_back()
        result = self._function(*args, **kwargs)
        if _is_equal(replayed, result) and after.holds() and _have_equal_graphs(plan, result):
            plan.take_gradients()
            plan.verified = True
            plan.arena.take_the_place_of_freed_memory()
        else:
            signature.plans.remove(plan)
            signature.note("a replay did not give the bits of the eager step")
        return result

    def explain(self) -> str:
        """What happened to the calls so far: plans, and the reasons for running eagerly."""
        lines = []
        for signature in self._signatures.values():
            lines.append(f"{signature.calls} calls, {len(signature.plans)} plans")
            lines.extend(f"  {len(plan.instructions)} instructions" for plan in signature.plans)
            lines.extend(f"  eager: {reason}" for reason in signature.reasons)
        return "\n".join(lines)


class _State:
    """What a replay may change, as it is now."""

    def __init__(self, plan: Plan) -> None:
        self.values = [(array, array.copy()) for array in plan.lasting]
        self.generators = [(each, each.get_state()) for each in plan.generators]
        self.gradients = [(leaf, leaf._grad) for leaf, _ in plan.gradients]
        self.kept = [
            (gradient._data, gradient._data.copy())
            for leaf, gradient in plan.gradients
            if gradient.adds and leaf._grad is gradient
        ]
        self.counters = [(counter, counter[0]) for counter, _ in plan.counters]

    def restore(self) -> None:
        for array, values in (*self.values, *self.kept):
            np.copyto(array, values)
        for generator, state in self.generators:
            generator.set_state(state)
        for leaf, gradient in self.gradients:
            leaf._grad = gradient
        for counter, version in self.counters:
            counter[0] = version


class _Outcome:
    """What a replay has led to, as digests: a second copy of everything would double the peak of memory."""

    def __init__(self, plan: Plan) -> None:
        self.values = [(array, _digest(array)) for array in plan.lasting]
        self.gradients = [(leaf, _digest(gradient._data)) for leaf, gradient in plan.gradients]
        self.generators = [(each, each.get_state()) for each in plan.generators]

    def holds(self) -> bool:
        """Whether an eager step has led to the same: values, gradients and random streams."""
        return (
            all(_digest(array) == expected for array, expected in self.values)
            and all(leaf.grad is not None and _digest(leaf.grad._data) == expected for leaf, expected in self.gradients)
            and all(np.array_equal(each.get_state()._data, state._data) for each, state in self.generators)
        )


def _digest(array: Any) -> bytes:
    return blake2b(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data).digest()


def _have_equal_graphs(plan: Plan, result: Any) -> bool:
    """Whether the graph of an eager result has saved what that of the plan has."""
    if plan.graph is None:
        return True
    eager = OpenGraph([each for each in _tensors(result) if each.grad_fn is not None])
    pairs = list(zip_longest(plan.graph.saved(), eager.saved()))
    return all(_is_bit_equal(a, b) for a, b in pairs if isinstance(a, np.ndarray) or isinstance(b, np.ndarray))


def _is_bit_equal(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    return one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes()


def _is_equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and _is_bit_equal(one._data, other._data)
    if isinstance(one, (tuple, list)):
        return type(one) is type(other) and len(one) == len(other) and all(map(_is_equal, one, other))
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(_is_equal(one[k], other[k]) for k in one)
    return bool(one is other or one == other)


# -- arguments ---------------------------------------------------------------------------------------------------------


def _is_input(value: Any) -> bool:
    """Tensors that are copied into the plan's buffers; leaves that require grad are used as they are."""
    return isinstance(value, Tensor) and not value.requires_grad


def _read_arguments(args: Any, kwargs: Any) -> tuple[list[Tensor], Any]:
    """The input tensors, and the key of what else a plan depends on."""
    leaves: list[Tensor] = []
    key = tuple([_describe(each, leaves) for each in args])
    if kwargs:
        key += (_describe(kwargs, leaves),)
    return leaves, (key, mode.grad, mode.inference)


def _describe(value: Any, leaves: list[Tensor]) -> Any:
    if _is_input(value):
        leaves.append(value)
        data = value._data
        return data.shape, data.dtype, data.strides
    if isinstance(value, (tuple, list)):
        return type(value), tuple([_describe(each, leaves) for each in value])
    if isinstance(value, dict):
        return tuple([(name, _describe(each, leaves)) for name, each in value.items()])
    if isinstance(value, Tensor) and not value.is_leaf:
        raise TypeError("part of a graph that changes with every call")
    return type(value), value


def _with_private_inputs(value: Any, inputs: list[Tensor]) -> Any:
    """`value` with each input tensor replaced by a copy of the plan's own."""
    if _is_input(value):
        own = wrap(value._data.copy(order="K"))
        inputs.append(own)
        return own
    if isinstance(value, (tuple, list)):
        return type(value)(_with_private_inputs(each, inputs) for each in value)
    if isinstance(value, dict):
        return {name: _with_private_inputs(each, inputs) for name, each in value.items()}
    return value


def _given_back(result: Any, arguments: list[Tensor], inputs: list[Tensor], versions: list[int]) -> Any:
    """The result of a refused capture, as if the step had run on the arguments themselves and not on their copies.

    What it wrote to the copies goes into the arguments, with its history; a result that is a copy is the argument.
    """
    for argument, own, version in zip(arguments, inputs, versions, strict=True):
        if own._version != version:
            if own._data.shape == argument._data.shape:
                np.copyto(argument._data, own._data)
            else:
                argument._data = own._data
            for _ in range(own._version - version):
                argument._bump()
        if own._node is not None:
            if isinstance(own._node, AccumulateGrad):
                own._node.leaf = weakref.ref(argument)
            argument._node, argument._number, argument._grad = own._node, own._number, own._grad
    originals = {id(own): argument for own, argument in zip(inputs, arguments, strict=True)}
    return _with_originals(result, originals)


def _with_originals(value: Any, originals: dict[int, Tensor]) -> Any:
    if isinstance(value, Tensor):
        return originals.get(id(value), value)
    if type(value) in (tuple, list):
        return type(value)([_with_originals(each, originals) for each in value])
    if type(value) is dict:
        return {name: _with_originals(each, originals) for name, each in value.items()}
    return value


# -- results -----------------------------------------------------------------------------------------------------------


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from _tensors(each)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


def _check_result(recorder: Recorder, value: Any) -> None:
    """Whether a replay can give such a result."""
    if isinstance(value, Tensor):
        if value._view is not None and value.requires_grad:
            recorder.refuse("the step returns a view that is still to be differentiated")
        elif value._data.__class__ is not np.ndarray:
            recorder.refuse("the step returns a conjugate view")
    elif isinstance(value, (tuple, list)):
        for each in value:
            _check_result(recorder, each)
    elif isinstance(value, dict):
        _check_result(recorder, list(value.values()))
    elif not isinstance(value, (int, float, str, bool, type(None))):
        recorder.refuse(f"the step returns a {type(value).__name__}")


def _open_graph(recorder: Recorder, result: Any) -> OpenGraph | None:
    """The graph behind the results that the step has not differentiated itself."""
    tensors = [each for each in _tensors(result) if each.grad_fn is not None]
    if not tensors or (all(id(each._node) in recorder.roots for each in tensors) and not recorder.keeps_graph):
        return None
    if recorder.roots:
        recorder.refuse("the step differentiates some results, and leaves others still to be differentiated")
    return OpenGraph(tensors)


def _recorded(recorder: Recorder, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """The result of a step that `recorder` watches; what it does to modules and to the memory of tensors, a plan cannot."""
    before = structure.version
    mode.recorder = recorder
    try:
        result = function(*args, **kwargs)
    finally:
        mode.recorder = None
    if structure.version != before:
        recorder.refuse("the step gives a tensor other memory")
    if not recorder.contents.are_unchanged():
        recorder.refuse("the step changes a module")
    return result


def _check_arguments(recorder: Recorder, inputs: list[Tensor], versions: list[int]) -> None:
    """Refuse a step that writes to its arguments, or differentiates by them unasked."""
    if versions != [each._version for each in inputs]:
        recorder.refuse("the step writes to an argument")
    if any(each._node is not None for each in inputs):
        recorder.refuse("the step differentiates by an argument that did not require a gradient")


def _collections() -> int:
    """How often the garbage collector has run."""
    return sum(each["collections"] for each in gc.get_stats())


def _check_escapes(recorder: Recorder, result: Any, *, young: bool) -> None:
    """Refuse a step that keeps a tensor which it has computed: replays would change it under its holder's eyes.

    Where all that was computed is still in the collector's `young` generation, the others need not be listed.
    """
    known = {id(each) for each in _tensors(result)} | {id(leaf._grad) for leaf, _ in recorder.leaves.values()}
    for collected in (False, True):
        if collected:
            gc.collect()
        escaped = [
            each
            for each in gc.get_objects(generation=0 if young and not collected else None)
            if issubclass(type(each), Tensor) and id(each) not in known and id(root_of(each._data)) in recorder.fresh
        ]
        if not escaped:
            return
    recorder.refuse(
        f"the step keeps a tensor of shape {tuple(escaped[0].shape)} that it has computed; let it return it"
    )
