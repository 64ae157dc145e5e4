"""`LRScheduler`, the base of all schedules, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeAlias
from weakref import ref

from minitorch_like._capture import mode
from minitorch_like._once import warn_of_call
from minitorch_like._tensor import Tensor, wrap

from .optimizer import Optimizer, _to_scalar

EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being "
    "deprecated where possible. Please use `scheduler.step()` to step the "
    "scheduler. During the deprecation, if epoch is different from None, the "
    "closed form is used instead of the new chainable form, where available. "
    "Please open an issue if you are unable to replicate your use case: "
    "https://github.com/pytorch/pytorch/issues/new/choose."
)
_SEE = "See more details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"

Rate: TypeAlias = Any  # a float or a one-element Tensor, as the group has it


def _copied(value: Any) -> Any:
    return wrap(value._data.copy()) if isinstance(value, Tensor) else value


def _values(optimizer: Optimizer, key: str) -> list[Any]:
    """`group[key]` of each group; tensors are copied, so that nobody changes a rate by accident."""
    return [_copied(group[key]) for group in optimizer.param_groups]


def _assign(group: dict[str, Any], key: str, value: Any) -> None:
    """Set `group[key]`, a tensor in place."""
    if isinstance(group[key], Tensor):
        group[key].fill_(_to_scalar(value))
    else:
        group[key] = value


def _per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """One value a group, from a list or from one value for all."""
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        value = [value] * count
    elif len(value) != count:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. "
            f"{name} has {len(value)} values, param_groups has {count}."
        )
    return list(map(_copied, value))


def _check_optimizer(optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def _track_step(optimizer: Optimizer) -> None:
    """Let `optimizer.step` note that it was called.  It knows the optimiser weakly: no cycle."""
    if hasattr(optimizer.step, "_wrapped_by_lr_sched"):
        return
    reference = ref(optimizer)
    method: Any = optimizer.step
    function = method.__func__

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        stepping: Any = reference()
        stepping._opt_called = True
        return function.__get__(stepping, type(stepping))(*args, **kwargs)

    wrapper._wrapped_by_lr_sched = True  # type: ignore[attr-defined]
    optimizer.step = wrapper  # type: ignore[method-assign]


def repeatable(step: Callable[..., None]) -> Callable[..., None]:
    """A scheduler's `step` that a compiled training step which calls it will call again in every replay."""

    @wraps(step)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
        recorder = mode.recorder
        if recorder is None:
            step(self, *args, **kwargs)
            return
        if any(isinstance(each, Tensor) for each in (*args, *kwargs.values())):
            recorder.refuse("a schedule reads values that the next step may change")
        recorder.effect(partial(wrapper, self, *args, **kwargs))
        mode.recorder = None  # what it does is none of the plan's business
        try:
            step(self, *args, **kwargs)
        finally:
            mode.recorder = recorder

    return wrapper


class LRScheduler:
    """Base class: `step()` advances the epoch and sets each group's rate to what `get_lr()` returns.

    `last_epoch`: -1 starts anew and remembers the rates as `initial_lr`; otherwise a run is resumed
    (KeyError if the groups have no `initial_lr`).  Raises TypeError if `optimizer` is none.
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        _check_optimizer(optimizer)
        self.optimizer = optimizer
        for index, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", _copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{index}] "
                    "when resuming scheduler with last_epoch >= 0.\n"
                    "This typically happens when:\n"
                    "1. You're trying to resume training from a checkpoint "
                    "but haven't properly loaded the optimizer state\n"
                    "2. You're using last_epoch >= 0 for a fresh training run (not recommended)"
                )
        self.base_lrs: list[Rate] = _values(optimizer, "initial_lr")
        self.last_epoch: Any = last_epoch
        _track_step(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """Every attribute but the optimiser."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict()` returned."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Rate]:
        """The rates that the latest step set, one a group."""
        return self._last_lr

    def get_lr(self) -> list[Rate]:
        """The rates of the coming step, one a group."""
        raise NotImplementedError

    @repeatable
    def step(self, epoch: int | None = None) -> None:
        """Advance one epoch (deprecated: to `epoch`).  To be called after the optimiser's `step`."""
        if self._step_count == 1:
            if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):
                warn_of_call(
                    "Seems like `optimizer.step()` has been overridden after learning rate scheduler "
                    "initialization. Please, make sure to call `optimizer.step()` before "
                    f"`lr_scheduler.step()`. {_SEE}",
                )
            elif not getattr(self.optimizer, "_opt_called", False):
                warn_of_call(
                    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. "
                    "In PyTorch 1.1.0 and later, you should call them in the opposite order: "
                    "`optimizer.step()` before `lr_scheduler.step()`.  Failure to do this "
                    "will result in PyTorch skipping the first value of the learning rate schedule. "
                    f"{_SEE}",
                )
        self._step_count += 1
        if epoch is not None:
            warn_of_call(EPOCH_DEPRECATION_WARNING)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        closed_form = None
        if epoch is None:
            self.last_epoch += 1
        else:
            self.last_epoch = epoch
            closed_form = getattr(self, "_get_closed_form_lr", None)
        self._set_lr(closed_form or self.get_lr)

    def _set_lr(self, rates: Callable[[], list[Rate]]) -> None:
        self._get_lr_called_within_step = True
        try:
            values = rates()
        finally:
            self._get_lr_called_within_step = False
        for group, value in zip(self.optimizer.param_groups, values, strict=True):
            _assign(group, "lr", value)
        self._last_lr: list[Rate] = _values(self.optimizer, "lr")

    def _warn_outside_step(self) -> None:
        if not self._get_lr_called_within_step:
            warn_of_call(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
            )

    def _current(self) -> list[Rate]:
        return _values(self.optimizer, "lr")

    def _scaled(self, factor: float) -> list[Rate]:
        return [group["lr"] * factor for group in self.optimizer.param_groups]
