"""Hooks of modules: who is registered where, and the call that runs them all."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from minitorch_like import Tensor
from minitorch_like._capture import mode
from minitorch_like.utils.hooks import RemovableHandle

from ._functions import BackwardHooks

Hooks = OrderedDict[int, Callable[..., Any]]
Flags = OrderedDict[int, bool]

# Hooks on every module; the ids of handles are unique, so that flags and hooks may live in separate dicts.
global_forward_hooks: Hooks = OrderedDict()
global_forward_pre_hooks: Hooks = OrderedDict()
global_backward_hooks: Hooks = OrderedDict()
global_backward_pre_hooks: Hooks = OrderedDict()
global_buffer_registration_hooks: Hooks = OrderedDict()
global_module_registration_hooks: Hooks = OrderedDict()
global_parameter_registration_hooks: Hooks = OrderedDict()
_global_with_kwargs: Flags = OrderedDict()
_global_always_called: Flags = OrderedDict()


def register(
    hooks: Hooks, hook: Callable[..., Any], flags: tuple[Flags, ...] = (), prepend: bool = False
) -> RemovableHandle:
    """Add `hook` under a fresh id, marked in each of `flags`; the handle forgets it everywhere."""
    handle = RemovableHandle(hooks, extra_dict=list(flags))
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    for flag in flags:
        flag[handle.id] = True
    return handle


class Hooked:
    """The part of `Module` that knows about hooks."""

    _forward_hooks: Hooks
    _forward_hooks_with_kwargs: Flags
    _forward_hooks_always_called: Flags
    _forward_pre_hooks: Hooks
    _forward_pre_hooks_with_kwargs: Flags
    _backward_hooks: Hooks
    _backward_pre_hooks: Hooks
    _is_full_backward_hook: bool | None
    forward: Callable[..., Any]

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Run `hook(module, args)` before `forward`; what it returns, if not None, replaces the arguments.

        With `with_kwargs` it is `hook(module, args, kwargs)` and returns None or `(args, kwargs)`.
        """
        flags = (self._forward_pre_hooks_with_kwargs,) if with_kwargs else ()
        return register(self._forward_pre_hooks, hook, flags, prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Run `hook(module, args, output)` after `forward`; what it returns, if not None, is the output.

        With `with_kwargs` it is `hook(module, args, kwargs, output)`; with `always_call` it also runs, for
        its side effects, when the call raises.
        """
        flags: tuple[Flags, ...] = (self._forward_hooks_with_kwargs,) if with_kwargs else ()
        if always_call:
            flags += (self._forward_hooks_always_called,)
        return register(self._forward_hooks, hook, flags, prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Run `hook(module, grad_output)` when all gradients of the outputs are known; may replace them."""
        return register(self._backward_pre_hooks, hook, prepend=prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Run `hook(module, grad_input, grad_output)` when the gradients of all inputs are known.

        What it returns, if not None, replaces `grad_input`. The inputs and outputs must not be written to.
        """
        self._is_full_backward_hook = True
        return register(self._backward_hooks, hook, prepend=prepend)

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`forward` between its hooks, in torch's order: global ones first, each kind as registered."""
        if mode.recorder is not None:
            mode.recorder.note_module(self)
        result = None
        called: set[int] = set()
        try:
            for call in self._run_forward_pre_hooks(args, kwargs):
                args, kwargs = call
            backward = self._backward_hooks_of_call()
            if backward is not None:
                args = backward.wrap_inputs(args)
            result = self.forward(*args, **kwargs)
            for key, hook in [*global_forward_hooks.items(), *self._forward_hooks.items()]:
                called.add(key)
                if key in self._forward_hooks_with_kwargs or key in _global_with_kwargs:
                    changed = hook(self, args, kwargs, result)
                else:
                    changed = hook(self, args, result)
                result = result if changed is None else changed
            if backward is not None:
                if not isinstance(result, Tensor | tuple):
                    warnings.warn(
                        "For backward hooks to be called, module output should be a Tensor or a tuple of"
                        f" Tensors but received {type(result)}",
                        stacklevel=3,
                    )
                result = backward.wrap_outputs(result)
        except Exception:
            self._run_always_called(called, args, kwargs, result)
            raise
        return result

    def _backward_hooks_of_call(self) -> BackwardHooks | None:
        hooks = [*global_backward_hooks.values(), *self._backward_hooks.values()]
        prehooks = [*global_backward_pre_hooks.values(), *self._backward_pre_hooks.values()]
        return BackwardHooks(self, hooks, prehooks) if hooks or prehooks else None

    def _run_forward_pre_hooks(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
        """The arguments as they are after each hook, for what follows should the next one raise."""
        for key, hook in [*global_forward_pre_hooks.items(), *self._forward_pre_hooks.items()]:
            if key in self._forward_pre_hooks_with_kwargs:
                changed = hook(self, args, kwargs)
                if changed is not None:
                    if not (isinstance(changed, tuple) and len(changed) == 2):
                        raise RuntimeError(
                            "forward pre-hook must return None or a tuple of (new_args, new_kwargs),"
                            f" but got {changed}."
                        )
                    args, kwargs = changed
            else:
                changed = hook(self, args)
                if changed is not None:
                    args = changed if isinstance(changed, tuple) else (changed,)
            yield args, kwargs

    def _run_always_called(self, called: set[int], args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """The `always_call` hooks that an exception has cut off. Their own exceptions become warnings."""
        for kind, hooks, always, with_kwargs in (
            # Here, and only here, torch gives global hooks no keyword arguments.
            ("global module", global_forward_hooks, _global_always_called, {}),
            (
                "module",
                self._forward_hooks,
                self._forward_hooks_always_called,
                self._forward_hooks_with_kwargs,
            ),
        ):
            for key, hook in hooks.items():
                if key not in always or key in called:
                    continue
                try:
                    changed = hook(self, args, *((kwargs,) if key in with_kwargs else ()), result)
                except Exception as error:  # noqa: BLE001 -- whatever it is, the first exception matters more
                    warnings.warn(
                        f"{kind} forward hook with ``always_call=True`` raised an exception that was silenced"
                        f" as another error was raised in forward: {error!s}",
                        stacklevel=4,
                    )
                else:
                    result = result if changed is None else changed


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """`hook(module, args)` before the `forward` of every module."""
    return register(global_forward_pre_hooks, hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """`hook(module, args, output)` after the `forward` of every module."""
    flags: tuple[Flags, ...] = (_global_with_kwargs,) if with_kwargs else ()
    return register(global_forward_hooks, hook, (*flags, _global_always_called) if always_call else flags)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """`hook(module, grad_output)` before the backward of every module."""
    return register(global_backward_pre_hooks, hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """`hook(module, grad_input, grad_output)` after the backward of every module."""
    return register(global_backward_hooks, hook)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """`hook(module, name, buffer)` whenever a module registers a buffer; may return a substitute."""
    return register(global_buffer_registration_hooks, hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """`hook(module, name, submodule)` whenever a module registers another; may return a substitute."""
    return register(global_module_registration_hooks, hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """`hook(module, name, parameter)` whenever a module registers a parameter; may return a substitute."""
    return register(global_parameter_registration_hooks, hook)
