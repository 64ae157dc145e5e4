"""`Optimizer`, the base class: parameter groups, state, hooks, and what saves and restores them."""

from __future__ import annotations

import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from functools import partial, wraps
from itertools import chain
from operator import is_
from typing import Any, TypeAlias

import numpy as np

from minitorch_like._capture import mode
from minitorch_like._dtype import dtype, float32, float64, get_default_dtype
from minitorch_like._layout import resolved
from minitorch_like._tensor import Tensor, wrap
from minitorch_like.autograd.grad_mode import enable_grad
from minitorch_like.utils.hooks import RemovableHandle

from ._functional import Array, Slot, Workspace, parts

ParamsT: TypeAlias = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]
Group: TypeAlias = dict[str, Any]
StateDict: TypeAlias = dict[str, Any]
Closure: TypeAlias = Callable[[], Any]
Hooks: TypeAlias = "OrderedDict[int, Callable[..., Any]]"

_HOOKS = (
    "_optimizer_step_pre_hooks",
    "_optimizer_step_post_hooks",
    "_optimizer_state_dict_pre_hooks",
    "_optimizer_state_dict_post_hooks",
    "_optimizer_load_state_dict_pre_hooks",
    "_optimizer_load_state_dict_post_hooks",
)
_global_optimizer_pre_hooks: Hooks = OrderedDict()
_global_optimizer_post_hooks: Hooks = OrderedDict()


class _RequiredParameter:
    """The default of an option that every group must give."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _RequiredParameter()


def _register(hooks: Hooks, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Run `hook(optimizer, args, kwargs)` before each step of every optimiser."""
    return _register(_global_optimizer_pre_hooks, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Run `hook(optimizer, args, kwargs)` after each step of every optimiser."""
    return _register(_global_optimizer_post_hooks, hook)


def _typename(value: Any) -> str:
    """torch's `typename`: 'torch.FloatTensor' of a tensor, otherwise where the type or function lives."""
    if isinstance(value, Tensor):
        return value.dtype.tensor_type
    named = value if hasattr(value, "__qualname__") else type(value)
    module = named.__module__ or ""
    return named.__qualname__ if module in {"", "builtins"} else f"{module}.{named.__qualname__}"


def _check_modes(defaults: dict[str, Any]) -> None:
    """Refuse what torch refuses, and what would leave a wrong gradient: updates work outside the graph."""
    if defaults.get("fused"):
        if defaults["differentiable"]:
            raise RuntimeError("`fused` does not support `differentiable`")
        if defaults["foreach"]:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
    if defaults["differentiable"]:
        raise NotImplementedError("minitorch_like does not support optimizers with differentiable=True")


def _check_capturable(capturable: bool) -> None:
    if capturable:
        raise AssertionError(
            "If capturable=True, params and state_steps must be on supported devices: "
            "['cuda', 'xpu', 'hpu', 'privateuseone', 'xla']."
        )


def _check_not_negative(what: str, value: Any) -> None:
    if not 0.0 <= value:  # noqa: SIM300 -- refuses NaN; and the order shows in the message for a str
        raise ValueError(f"Invalid {what}: {value}")


def _check_not_below_zero(what: str, value: Any) -> None:
    if value < 0.0:  # a NaN passes
        raise ValueError(f"Invalid {what}: {value}")


def _check_tensor_lr(lr: float | Tensor) -> None:
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")


def _to_scalar(x: Any) -> Any:
    """A one-element tensor with dimensions as a 0-d tensor; anything else unchanged."""
    return wrap(x._data.reshape(())) if isinstance(x, Tensor) and x.dim() != 0 else x


def _new_step(value: float = 0.0) -> Tensor:
    """A step count as torch keeps it: a 0-d float tensor."""
    kind = float64 if get_default_dtype() is float64 else float32
    step: Tensor = wrap(np.array(value, kind.numpy))
    return step


def _for_capture(
    kernel: Callable[..., None], flags: Callable[[Group], tuple[bool, ...]], group: Group
) -> Callable[..., None]:
    """`kernel`; during a capture, `kernel` as part of a plan that holds while `flags(group)` do."""
    recorder = mode.recorder
    if recorder is None:
        return kernel
    captured = flags(group)
    recorder.guard(lambda: flags(group) == captured)
    return partial(recorder.batch, kernel)


def _hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """`step` between its hooks: global ones first before it, last after it."""

    @wraps(step)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        self = args[0]
        for hook in (*_global_optimizer_pre_hooks.values(), *self._optimizer_step_pre_hooks.values()):
            changed = hook(self, args, kwargs)
            if changed is None:
                continue
            if not (isinstance(changed, tuple) and len(changed) == 2):
                raise RuntimeError(f"{step} must return None or a tuple of (new_args, new_kwargs), but got {changed}.")
            args, kwargs = changed
        result = step(*args, **kwargs)
        for hook in (*self._optimizer_step_post_hooks.values(), *_global_optimizer_post_hooks.values()):
            hook(self, args, kwargs)
        return result

    wrapper.hooked = True  # type: ignore[attr-defined]
    return wrapper


class Optimizer:
    """Base class of all optimisers.

    `params`: tensors, `(name, tensor)` pairs, or dicts, each a parameter group with its own options.
    `defaults`: the options of a group that does not give them.
    Raises TypeError, ValueError as torch does: no parameters, not a tensor, not a leaf, in two groups,
    only some with names.

    A subclass implements `step`.  Those of this package also define `_update(group)`, which works in place on
    the arrays of a group's parameters, gradients and state.
    """

    _optimizer_step_pre_hooks: Hooks
    _optimizer_step_post_hooks: Hooks
    _optimizer_state_dict_pre_hooks: Hooks
    _optimizer_state_dict_post_hooks: Hooks
    _optimizer_load_state_dict_pre_hooks: Hooks
    _optimizer_load_state_dict_post_hooks: Hooks

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self._prepare()
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {_typename(params)}"
            )
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[Group] = []
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _prepare(self) -> None:
        """Set up what is not part of the saved state: hooks, the hooked `step`, work arrays."""
        for name in _HOOKS:
            self.__dict__.setdefault(name, OrderedDict())
        self._workspaces: dict[int, Workspace] = {}
        cls = type(self)
        if not getattr(cls.step, "hooked", False):
            cls.step = _hooked(cls.step)  # type: ignore[method-assign]

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._prepare()
        self.defaults.setdefault("differentiable", False)

    def __repr__(self) -> str:
        text = f"{type(self).__name__} ("
        for index, group in enumerate(self.param_groups):
            options = (f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params")
            text += f"\nParameter Group {index}\n" + "".join(options)
        return text + ")"

    # -- hooks ----------------------------------------------------------------------------------------------

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Run `hook(optimizer, args, kwargs)` before `step`; it may return `(new_args, new_kwargs)`."""
        return _register(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Run `hook(optimizer, args, kwargs)` after `step`."""
        return _register(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Callable[[Optimizer], None], prepend: bool = False) -> RemovableHandle:
        """Run `hook(optimizer)` before `state_dict` gathers anything."""
        return _register(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[[Optimizer, StateDict], StateDict | None], prepend: bool = False
    ) -> RemovableHandle:
        """Run `hook(optimizer, state_dict)` on the result of `state_dict`; it may return a substitute."""
        return _register(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[[Optimizer, StateDict], StateDict | None], prepend: bool = False
    ) -> RemovableHandle:
        """Run `hook(optimizer, state_dict)` before `load_state_dict`; it may return a substitute."""
        return _register(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[[Optimizer], None], prepend: bool = False
    ) -> RemovableHandle:
        """Run `hook(optimizer)` after `load_state_dict`."""
        return _register(self._optimizer_load_state_dict_post_hooks, hook, prepend)

    # -- saving and loading ---------------------------------------------------------------------------------

    def state_dict(self) -> StateDict:
        """`{"state": {index: ...}, "param_groups": [...]}`, parameters replaced by their running index.

        Tensors are not copied.
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        index: dict[int, int] = {}
        groups = []
        start = 0
        for group in self.param_groups:
            params = group["params"]
            index |= {id(each): place for place, each in enumerate(params, start) if id(each) not in index}
            packed = {key: value for key, value in group.items() if key != "params"}
            packed["params"] = [index[id(param)] for param in params]
            start += len(params)
            groups.append(packed)
        state = {index[id(key)] if isinstance(key, Tensor) else key: each for key, each in self.state.items()}
        result: StateDict = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            changed = hook(self, result)
            result = result if changed is None else changed
        return result

    def load_state_dict(self, state_dict: StateDict) -> None:
        """Take over what `state_dict()` of an optimiser with the same groups returned.

        Raises ValueError where the number of groups or of parameters in a group differs.
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed

        groups = self.param_groups
        saved_groups = deepcopy(state_dict["param_groups"])
        if len(groups) != len(saved_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        pairs = list(zip(groups, saved_groups, strict=True))
        if any(len(group["params"]) != len(saved["params"]) for group, saved in pairs):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )

        param_of = {
            key: (param, saved)
            for group, saved in pairs
            for key, param in zip(saved["params"], group["params"], strict=True)
        }
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in param_of:
                param, saved = param_of[key]
                state[param] = _fit(param, value, saved)
            else:
                state[key] = value

        for group, saved in pairs:
            saved["params"] = group["params"]
            if "param_names" in group:
                saved.setdefault("param_names", group["param_names"])
        self.__setstate__({"state": state, "param_groups": saved_groups})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    def _restore_steps(self) -> None:
        """Old checkpoints count steps with Python numbers."""
        for param in chain.from_iterable(group["params"] for group in self.param_groups):
            state = self.state.get(param, {})
            if len(state) != 0 and not isinstance(state["step"], Tensor):
                state["step"] = _new_step(float(state["step"]))

    # -- stepping -------------------------------------------------------------------------------------------

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop every gradient, or with `set_to_none=False` fill it with zeros."""
        for group in self.param_groups:
            for param in group["params"]:
                if set_to_none:
                    param.grad = None
                elif param.grad is not None:
                    if param.grad.grad_fn is not None:
                        param.grad.detach_()
                    else:
                        param.grad.requires_grad_(False)
                    param.grad.zero_()

    def step(self, closure: Closure | None = None) -> Any:
        """Update the parameters once. `closure` recomputes the loss, which is then returned."""
        raise NotImplementedError

    def _step(self, closure: Closure | None) -> Any:
        """`step` of the optimisers here: the loss of `closure`, if any, then each group's `_update`."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self._update_all()
        return loss

    @np.errstate(all="ignore")  # infinities and NaNs are values here, as in torch
    def _update_all(self) -> None:
        for group in self.param_groups:
            self._update(group)

    def _update(self, group: Group) -> None:
        raise NotImplementedError

    def _each(self, group: Group) -> Iterator[tuple[Tensor, Array, Slot]]:
        """Each parameter of `group` that has a gradient, with the gradient's array and a `Workspace` slot.

        Of a complex parameter the slot and the gradient hold the real and the imaginary parts, as independent numbers.
        The parameter counts as changed in place once the caller comes back for the next.
        """
        workspace = self._workspaces.get(id(group))
        if workspace is None or len(workspace.slots) != len(group["params"]):
            workspace = self._workspaces[id(group)] = Workspace(group["params"])
        slots = workspace.slots
        for index, param in enumerate(group["params"]):
            grad = param._grad
            if grad is None:
                continue
            g = grad._data
            slot = slots[index]
            if slot[0] is not param._data:
                array, g = parts(param._data, resolved(g))
                slot = workspace.cut(index, array)
            yield param, g, slot
            param._bump()
            if mode.recorder is not None:
                state = self.state.get(param, {}).values()
                mode.recorder.own(param, param.grad, *(each for each in state if isinstance(each, Tensor)))
        if mode.recorder is not None:
            self._guard(group, mode.recorder)

    def release_workspaces(self) -> list[Array]:
        """Leave the work arrays, which are returned, to a plan; the next step makes new ones."""
        arrays = [array for each in self._workspaces.values() for array in each.arrays()]
        self._workspaces.clear()
        return arrays

    def _guard(self, group: Group, recorder: Any) -> None:
        """A plan is good for the parameters and the state that it was captured with."""
        recorder.note_optimizer(self)
        count = len(group["params"])
        params = [param for param in group["params"] if param in self.state]
        states = [self.state[param] for param in params]
        groups = list(self.param_groups)

        def is_unchanged() -> bool:
            return (
                self.param_groups == groups  # of the very same dictionaries, which lists look at first
                and len(group["params"]) == count
                and (not states or all(map(is_, map(self.state.get, params), states)))
            )

        recorder.guard(is_unchanged)

    def add_param_group(self, param_group: Group) -> None:
        """Add a group of parameters, e.g. of layers that are unfrozen during training.

        Raises TypeError, ValueError as the constructor does.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but "
                "the ordering of tensors in sets will change between runs. Please use a list instead."
            )
        entries = [params] if isinstance(params, Tensor) else list(params)
        names = [entry[0] for entry in entries if isinstance(entry, tuple)]
        params = [entry[1] if isinstance(entry, tuple) else entry for entry in entries]
        param_group["params"] = params
        if names:
            if len(names) != len(params):
                raise ValueError("all optimizer params should be with/without names. Some param names are missing")
            param_group["param_names"] = names

        for param in params:
            self._check_param(param)
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, default)
        self._check_distinct(param_group)
        self.param_groups.append(param_group)

    def _check_param(self, param: Any) -> None:
        if not isinstance(param, Tensor):
            raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {_typename(param)}")
        if not self.defaults.get("differentiable") and not (param.is_leaf or param.retains_grad):
            raise ValueError("can't optimize a non-leaf Tensor")

    def _check_distinct(self, param_group: Group) -> None:
        ids = set(map(id, param_group["params"]))
        if len(ids) != len(param_group["params"]):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; "
                "in future, this will cause an error; "
                "see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=4,
            )
        named = "param_names" in param_group
        for group in self.param_groups:
            if named != ("param_names" in group):
                raise ValueError(
                    "all optimizer param groups should be with/without names. "
                    f"cannot add param group {'with' if named else 'without'} names to the optimizer"
                )
        if not ids.isdisjoint(id(param) for group in self.param_groups for param in group["params"]):
            raise ValueError("some parameters appear in more than one parameter group")


def _fit(param: Tensor, value: Any, group: Group, key: Any = None) -> Any:
    """A saved state `value` with its tensors in the dtype of `param`; step counts keep theirs."""
    if isinstance(value, Tensor):
        if key == "step":
            return _cast(value, float32) if group.get("capturable") or group.get("fused") else value
        return _cast(value, param.dtype) if param.is_floating_point() else value
    if isinstance(value, dict):
        return {name: _fit(param, each, group, name) for name, each in value.items()}
    if isinstance(value, Iterable):
        return type(value)(_fit(param, each, group) for each in value)  # type: ignore[call-arg]
    return value


def _cast(value: Tensor, kind: dtype) -> Tensor:
    """`value` itself, so that memory stays shared as in torch, or a copy in another dtype."""
    return value if value.dtype is kind else wrap(value._data.astype(kind.numpy))


def state_like(param: Tensor, value: float = 0.0) -> Tensor:
    """A state tensor in the shape, dtype and memory order of `param`, filled with `value`."""
    state: Tensor = wrap(np.full_like(param._data, value))
    return state


__all__ = [
    "Optimizer",
    "register_optimizer_step_post_hook",
    "register_optimizer_step_pre_hook",
]
