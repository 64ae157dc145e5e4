"""`compile(step)`: capture a training step once, replay it through preallocated buffers.

The second call with arguments of given shapes is captured (the first may still set up optimiser state), later ones are
replayed.  A replay computes exactly what the eager step would, bit for bit, as long as the guards hold; where they do not, or
where a step cannot be captured, the step runs eagerly and `explain()` says why.

Not repeated by a replay are Python's own side effects: printing, appending to lists, setting attributes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .._capture import mode, structure
from .._tensor import Tensor, with_history, wrap
from .plan import Deviation, Plan
from .recorder import Recorder

__all__ = ["CompiledFunction", "compile"]

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


class CompiledFunction:
    """A function whose repeated calls are replayed; see `compile`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._signatures: dict[Any, _Signature] = {}
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if mode.recorder is not None:  # compiled within a captured step: part of that step
            return self._function(*args, **kwargs)
        leaves, key = _read_arguments(args, kwargs)
        try:
            signature = self._signatures.get(key)
        except TypeError:  # an argument that cannot be compared with that of the next call
            return self._function(*args, **kwargs)
        if signature is None:
            if len(self._signatures) >= _MAX_SIGNATURES:
                return self._function(*args, **kwargs)
            signature = self._signatures[key] = _Signature()
        signature.calls += 1
        for plan in signature.plans:
            if plan.is_valid():
                try:
                    return plan.replay([each._data for each in leaves])
                except Deviation as deviation:
                    _note(signature, str(deviation))
                    return self._function(*args, **kwargs)
        if signature.calls == 1 or signature.reasons or signature.captures >= _MAX_CAPTURES:
            return self._function(*args, **kwargs)
        return self._capture(signature, args, kwargs)

    def _capture(self, signature: _Signature, args: Any, kwargs: Any) -> Any:
        recorder = Recorder()
        inputs: list[Tensor] = []
        args, kwargs = _with_private_inputs((args, kwargs), inputs)
        versions = [each._version for each in inputs]
        before = structure.version
        mode.recorder = recorder
        try:
            result = self._function(*args, **kwargs)
        finally:
            mode.recorder = None
        if structure.version != before:
            recorder.refuse("the step replaces parameters, buffers or state")
        if versions != [each._version for each in inputs]:
            recorder.refuse("the step writes to an argument")
        signature.captures += 1
        finish = _finisher(recorder, result)
        if recorder.reasons:
            for reason in recorder.reasons:
                _note(signature, reason)
            return result
        signature.plans.insert(0, _plan(recorder, inputs, finish))
        return finish()  # the captured result itself is a buffer of the plan

    def explain(self) -> str:
        """What happened to the calls so far: plans, and the reasons for running eagerly."""
        lines = []
        for signature in self._signatures.values():
            lines.append(f"{signature.calls} calls, {len(signature.plans)} plans")
            lines.extend(f"  {len(plan.instructions)} instructions" for plan in signature.plans)
            lines.extend(f"  eager: {reason}" for reason in signature.reasons)
        return "\n".join(lines)


def _note(signature: _Signature, reason: str) -> None:
    if reason not in signature.reasons:
        signature.reasons.append(reason)


def _is_input(value: Any) -> bool:
    """Tensors that are copied into the plan's buffers; those that require grad are used as they are."""
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


def _finisher(recorder: Recorder, result: Any) -> Callable[[], Any]:
    """What gives a replay's result: the captured result with fresh memory."""

    def check(value: Any) -> None:
        if isinstance(value, Tensor):
            node = value.grad_fn
            if node is not None and id(node) not in recorder.roots:
                recorder.refuse("the step returns a tensor that is still to be differentiated")
        elif isinstance(value, (tuple, list)):
            for each in value:
                check(each)
        elif not isinstance(value, (int, float, str, bool, type(None))):
            recorder.refuse(f"the step returns a {type(value).__name__}")

    check(result)

    def fresh(value: Any) -> Any:
        if isinstance(value, Tensor):
            return with_history(value._data.copy(), value._node, value._number)
        if isinstance(value, (tuple, list)):
            return type(value)(fresh(each) for each in value)
        return value

    if isinstance(result, Tensor):
        array, node, number = result._data, result._node, result._number
        return lambda: with_history(array.copy(), node, number)
    return lambda: fresh(result)


class _PlannedGradient:
    """A leaf's gradient in a buffer of the plan: it becomes a Tensor of its own when somebody asks."""

    __slots__ = ("_data",)

    def __init__(self, buffer: Any) -> None:
        self._data = buffer

    def materialise(self) -> Tensor:
        tensor: Tensor = wrap(self._data.copy(order="K"))
        return tensor


def _plan(recorder: Recorder, inputs: list[Tensor], finish: Callable[[], Any]) -> Plan:
    guards = list(recorder.guards)
    expected = structure.version
    guards.append(lambda: structure.version == expected)
    if recorder.modules:
        modules = list(recorder.modules.values())
        guards.append(lambda: all(module.training is training for module, training in modules))
    leaves: list[tuple[Any, Any]] = []
    for leaf, _had in recorder.leaves.values():
        gradient = _PlannedGradient(leaf._grad._data)
        leaf._grad = gradient
        leaves.append((leaf, gradient))
    fresh = [leaf for leaf, had in recorder.leaves.values() if had is None]
    kept = [pair for pair, (_, had) in zip(leaves, recorder.leaves.values(), strict=True) if isinstance(had, Tensor)]
    if fresh:  # the step adds to no gradient
        guards.append(lambda: all(leaf._grad is None for leaf in fresh))
    if kept:  # the step adds to this very one
        guards.append(lambda: all(leaf._grad is gradient for leaf, gradient in kept))

    def finish_step() -> Any:
        for leaf, gradient in leaves:
            leaf._grad = gradient
        return finish()

    written = {id(each.out) for each in recorder.instructions}
    instructions = [
        each for each in recorder.instructions if each not in recorder.constants.values() or id(each.out) in written
    ]
    return Plan(instructions, [each._data for each in inputs], guards, finish_step, list(recorder.generators.values()))


def compile(
    model: Any = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = None,
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> Any:
    """Make the repeated calls of a step fast; usable as a decorator, with torch's options accepted.

    The step is a function that runs forward, backward and optimiser on its tensor arguments, as in

        @torch.compile
        def step(x, y):
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

    A function that returns a tensor still to be differentiated runs eagerly.
    """
    if model is None:
        return lambda function: compile(function, disable=disable)
    return model if disable else CompiledFunction(model)
