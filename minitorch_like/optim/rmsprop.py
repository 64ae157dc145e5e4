"""RMSprop (Hinton's lecture 6e), optionally centred (Graves 2013), with momentum."""

from __future__ import annotations

from typing import Any

from numpy import add, divide, multiply, negative, sqrt, subtract

from minitorch_like._capture import run_opaque
from minitorch_like._tensor import Tensor

from ._functional import ONE, Array, add_, addcdiv_, addcmul_, lerp_, lerp_weight, number, parts
from .optimizer import (
    Closure,
    Group,
    Optimizer,
    ParamsT,
    _check_capturable,
    _check_modes,
    _check_not_negative,
    _check_tensor_lr,
    _for_capture,
    _new_step,
    state_like,
)

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """RMSprop: steps along the gradient over the root of the running mean of its square.

        v = alpha * v + (1 - alpha) * g * g;  p -= lr * g / (sqrt(v) + eps)

    `centered` takes the square of the running mean of `g` off `v` first; `momentum` accumulates the steps.
    State per parameter: `step` (0-d float32), `square_avg`; with the options `momentum_buffer`, `grad_avg`.
    `foreach` chooses between torch's implementations and changes nothing here.
    Raises ValueError for an option out of its range, NotImplementedError for `differentiable=True`.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check_tensor_lr(lr)
        _check_not_negative("learning rate", lr)
        _check_not_negative("epsilon value", eps)
        _check_not_negative("momentum value", momentum)
        _check_not_negative("weight_decay value", weight_decay)
        _check_not_negative("alpha value", alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)
        _check_modes(defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("momentum", 0)
            group.setdefault("centered", False)
            group.setdefault("foreach", None)
            group.setdefault("maximize", False)
            group.setdefault("differentiable", False)
            group.setdefault("capturable", False)
        self._restore_steps()

    def step(self, closure: Closure | None = None) -> Any:
        """Update the parameters once. `closure` recomputes the loss, which is then returned."""
        return self._step(closure)

    def _update(self, group: Group) -> None:
        _check_capturable(group["capturable"])
        flags = momentum, centered, *_ = _flags(group)
        rmsprop = _for_capture(_rmsprop, _flags, group)
        filled: Array | None = None
        for param, grad, (array, first, second, vector, cells) in self._each(group):
            state = self.state[param]
            if not state:
                _init_state(param, state, momentum, centered)
            if vector is not filled:
                run_opaque(_coefficients, vector, group)
                filled = vector
            buffer = state["momentum_buffer"]._data if momentum else None
            mean = state["grad_avg"]._data if centered else None
            averages = state["square_avg"]._data, mean, buffer
            if array is not param._data:
                averages = parts(*averages)
            rmsprop(array, grad, state["step"]._data, *averages, *cells, first, second, *flags[2:])


def _init_state(param: Tensor, state: dict[str, Tensor], momentum: bool, centered: bool) -> None:
    state["step"] = _new_step()
    state["square_avg"] = state_like(param)
    if momentum:
        state["momentum_buffer"] = state_like(param)
    if centered:
        state["grad_avg"] = state_like(param)


def _flags(group: Group) -> tuple[bool, ...]:
    """What decides which operations a step consists of."""
    return (
        group["momentum"] > 0,
        group["centered"],
        group["weight_decay"] != 0,
        group["maximize"],
        group["alpha"] <= 0.5,
    )


def _coefficients(vector: Array, group: Group) -> None:
    alpha = group["alpha"]
    vector[0] = -number(group["lr"])
    vector[1] = alpha
    vector[2] = 1 - alpha
    vector[3] = lerp_weight(1 - alpha, vector.dtype)
    vector[4] = group["eps"]
    vector[5] = group["weight_decay"]
    vector[6] = group["momentum"]


def _rmsprop(
    param: Array,
    grad: Array,
    count: Array,
    square: Array,
    mean: Array | None,
    buffer: Array | None,
    minus_lr: Array,
    alpha: Array,
    rest: Array,
    weight: Array,
    eps: Array,
    weight_decay: Array,
    momentum: Array,
    scratch: Array,
    other: Array,
    decay: bool,
    maximize: bool,
    steep: bool,
) -> None:
    add(count, ONE, count)
    if maximize:
        grad = negative(grad, other)
    if decay:
        multiply(param, weight_decay, scratch)
        grad = add(grad, scratch, other)
    multiply(square, alpha, square)
    addcmul_(square, grad, grad, rest, scratch)
    if mean is None:
        sqrt(square, scratch)
    else:
        lerp_(mean, grad, weight, steep, scratch)
        multiply(mean, mean, scratch)
        subtract(square, scratch, scratch)
        sqrt(scratch, scratch)
    add(scratch, eps, scratch)
    if buffer is None:
        addcdiv_(param, grad, scratch, minus_lr, other)
    else:
        multiply(buffer, momentum, buffer)
        divide(grad, scratch, scratch)
        add(buffer, scratch, buffer)
        add_(param, buffer, minus_lr, scratch)
