"""What lets backward hooks of a module see all its gradients at once: identities around its call."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, ClassVar

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like._apply import as_view
from minitorch_like._tensor import with_history
from minitorch_like.autograd.graph import Node, next_sequence

Hook = Callable[..., Any]


class BackwardHookFunctionBackward(Node):
    """The node of the identity on several tensors."""

    __slots__ = ()
    several: ClassVar[bool] = True
    # Each input may have a gradient.
    op: ClassVar[Any] = SimpleNamespace(name="", outputs=(), saves=(), variadic=True, knows_gaps=False, joint_call=None)

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self.inputs = tuple(tensor.grad_node() for tensor in tensors)
        self.numbers = tuple(tensor._number for tensor in tensors)
        self.shape = [tensor._data.shape for tensor in tensors]
        self.dtype = [tensor._data.dtype for tensor in tensors]
        self.saved, self.versions = [], []
        self.sequence = next_sequence()
        self.hooks = None

    def apply(self, g: Any, saved: Any, needed: Any, run: Callable[..., Any]) -> list[Any]:
        return list(g)


class BackwardHooks:
    """The backward hooks of one call of a module.

    Its inputs pass through one identity and its outputs through another. When the gradients arrive there the
    hooks run: first `prehook(module, grad_output)`, then `hook(module, grad_input, grad_output)`.
    """

    def __init__(self, module: Any, hooks: list[Hook], prehooks: list[Hook]) -> None:
        self.module, self.hooks, self.prehooks = module, hooks, prehooks
        self.grad_output: tuple[Any, ...] | None = None
        self.passed_on: tuple[Any, ...] = ()
        self.input_count = self.output_count = 0
        self.input_places: list[int] | None = None
        self.output_places: list[int] = []

    def wrap_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments of the call, to be used in their place."""
        args, node, places = _identity(args)
        self.input_count = len(args)
        if node is not None:
            self.input_places = places
            node.register_hook(self._after_inputs)
        return args

    def wrap_outputs(self, result: Any) -> Any:
        """The result of the call, to be returned in its place."""
        outputs, node, self.output_places = _identity(result if isinstance(result, tuple) else (result,))
        self.output_count = len(outputs)
        if node is not None:
            node.register_prehook(self._before_outputs)
            node.register_hook(lambda grad_input, grad_output: self.passed_on)
        return outputs if isinstance(result, tuple) else outputs[0]

    def _before_outputs(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        grad_output = _spread(self.output_places, gradients, self.output_count)
        for hook in self.prehooks:
            changed = hook(self.module, grad_output)
            grad_output = _checked("pre hook", "grad_output", changed, grad_output)
        self.passed_on = tuple(grad_output[place] for place in self.output_places)
        if self.input_places is None:
            self._without_inputs(grad_output)
        else:
            self.grad_output = grad_output
        return self.passed_on

    def _without_inputs(self, grad_output: tuple[Any, ...]) -> None:
        """No input requires a gradient: the hooks run now, as no gradient will come out of the module."""
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module outputs since no"
            " inputs require gradients. See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html"
            "#torch.nn.Module.register_full_backward_hook for more details.",
            stacklevel=5,
        )
        for hook in self.hooks:
            changed = hook(self.module, (None,) * self.input_count, grad_output)
            if changed is not None and not (isinstance(changed, tuple) and all(g is None for g in changed)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or"
                    " None for all gradients."
                )

    def _after_inputs(self, gradients: tuple[Any, ...], _: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if self.grad_output is None:  # the gradient came from an input that was returned as it is
            return None
        assert self.input_places is not None
        grad_input = _spread(self.input_places, gradients, self.input_count)
        for hook in self.hooks:
            changed = hook(self.module, grad_input, self.grad_output)
            grad_input = _checked("hook", "grad_input", changed, grad_input)
        self.grad_output = None
        return tuple(grad_input[place] for place in self.input_places)


def _identity(values: tuple[Any, ...]) -> tuple[tuple[Any, ...], Node | None, list[int]]:
    """`values` with every tensor as an output of one node, that node, and where the tensors are."""
    places = [place for place, value in enumerate(values) if isinstance(value, Tensor)]
    tensors = [values[place] for place in places]
    if not (torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)):
        return values, None, places
    node = BackwardHookFunctionBackward(tensors)
    through = list(values)
    for number, (place, tensor) in enumerate(zip(places, tensors, strict=True)):
        output = with_history(tensor._data, node if tensor.requires_grad else None, number)
        through[place] = as_view(output, tensor, "several")
    return (tuple(through) if type(values) is tuple else type(values)(*through)), node, places


def _spread(places: list[int], gradients: tuple[Any, ...], count: int) -> tuple[Any, ...]:
    """The gradients at their places among the arguments, None at the others."""
    found = dict(zip(places, gradients, strict=True))
    return tuple(found.get(place) for place in range(count))


def _checked(kind: str, name: str, changed: Any, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a hook returned in place of the gradients it was given, if anything."""
    if changed is None:
        return given
    if len(changed) != len(given):
        raise RuntimeError(
            f"Backward {kind} returned an invalid number of {name}, got {len(changed)}, but expected {len(given)}"
        )
    return tuple(changed)
