"""Adagrad (Duchi, Hazan and Singer 2011)."""

from __future__ import annotations

from typing import Any

from numpy import add, multiply, negative, sqrt

from minitorch_like._capture import run_opaque
from minitorch_like._tensor import Tensor

from ._functional import ONE, Array, addcdiv_, number, parts
from .optimizer import (
    Closure,
    Group,
    Optimizer,
    ParamsT,
    _check_modes,
    _check_not_negative,
    _check_tensor_lr,
    _for_capture,
    _new_step,
    state_like,
)

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """Adagrad: steps along the gradient over the root of the sum of all its squares.

        s += g * g;  p -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)

    State per parameter, there from the start: `step` (0-d float32) and `sum`, at `initial_accumulator_value`.
    `foreach` and `fused` choose between torch's implementations and change nothing here.
    Raises ValueError for an option out of its range, NotImplementedError for `differentiable=True`.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        _check_tensor_lr(lr)
        _check_not_negative("learning rate", lr)
        _check_not_negative("lr_decay value", lr_decay)
        _check_not_negative("weight_decay value", weight_decay)
        _check_not_negative("initial_accumulator_value value", initial_accumulator_value)
        _check_not_negative("epsilon value", eps)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        _check_modes(defaults)
        for group in self.param_groups:
            for param in group["params"]:
                self._init_state(param)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("foreach", None)
            group.setdefault("maximize", False)
            group.setdefault("differentiable", False)
            group.setdefault("fused", None)
        self._restore_steps()

    def step(self, closure: Closure | None = None) -> Any:
        """Update the parameters once. `closure` recomputes the loss, which is then returned."""
        return self._step(closure)

    def _init_state(self, param: Tensor) -> None:
        self.state[param]["step"] = _new_step()
        self.state[param]["sum"] = state_like(param, self.defaults["initial_accumulator_value"])

    def _update(self, group: Group) -> None:
        flags = _flags(group)
        adagrad = _for_capture(_adagrad, _flags, group)
        filled: Array | None = None
        filled_step = -1.0
        for param, grad, (array, first, second, vector, cells) in self._each(group):
            state = self.state[param]
            if not state:
                self._init_state(param)
            count = state["step"]._data
            step = count.item()
            if vector is not filled or step != filled_step:
                run_opaque(_coefficients, vector, group, count)
                filled = vector
                filled_step = step
            total = state["sum"]._data
            if array is not param._data:
                (total,) = parts(total)
            adagrad(array, grad, count, total, *cells[:3], first, second, *flags)


def _flags(group: Group) -> tuple[bool, ...]:
    """What decides which operations a step consists of."""
    return group["weight_decay"] != 0, group["maximize"]


def _coefficients(vector: Array, group: Group, count: Array) -> None:
    vector[0] = -(number(group["lr"]) / (1 + count.item() * group["lr_decay"]))
    vector[1] = group["weight_decay"]
    vector[2] = group["eps"]


def _adagrad(
    param: Array,
    grad: Array,
    count: Array,
    total: Array,
    minus_lr: Array,
    weight_decay: Array,
    eps: Array,
    scratch: Array,
    other: Array,
    decay: bool,
    maximize: bool,
) -> None:
    add(count, ONE, count)
    if maximize:
        grad = negative(grad, other)
    if decay:
        multiply(param, weight_decay, scratch)
        grad = add(grad, scratch, other)
    multiply(grad, grad, scratch)
    add(total, scratch, total)
    sqrt(total, scratch)
    add(scratch, eps, scratch)
    addcdiv_(param, grad, scratch, minus_lr, other)
