"""Stochastic gradient descent, plain or with (Nesterov) momentum."""

from __future__ import annotations

from typing import Any

from numpy import add, copyto, multiply, negative

from minitorch_like._capture import mode, run_opaque
from minitorch_like._tensor import Tensor

from ._functional import Array, add_, number, parts
from .optimizer import (
    Closure,
    Group,
    Optimizer,
    ParamsT,
    _check_modes,
    _check_not_below_zero,
    _check_tensor_lr,
    _for_capture,
    state_like,
)

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent (Sutskever et al. 2013 for the momentum, in torch's form of it).

        g += weight_decay * p;  b = momentum * b + (1 - dampening) * g;  p -= lr * b

    The first step sets `b = g`, undampened; with `nesterov` the step is taken along `g + momentum * b`.
    `foreach` and `fused` choose between torch's implementations and change nothing here.
    Raises ValueError for an option out of its range, NotImplementedError for `differentiable=True`.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        _check_tensor_lr(lr)
        _check_not_below_zero("learning rate", lr)
        _check_not_below_zero("momentum value", momentum)
        _check_not_below_zero("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(params, defaults)
        _check_modes(defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("nesterov", False)
            group.setdefault("maximize", False)
            group.setdefault("foreach", None)
            group.setdefault("differentiable", False)
            group.setdefault("fused", False)

    def step(self, closure: Closure | None = None) -> Any:
        """Update the parameters once. `closure` recomputes the loss, which is then returned."""
        return self._step(closure)

    def _update(self, group: Group) -> None:
        flags = momentum, dampened, decay, _, maximize = _flags(group)
        plain = not (momentum or decay or maximize)
        update = _for_capture(add_ if plain else _sgd, _flags, group)
        filled: Array | None = None
        for param, grad, (array, first, second, vector, cells) in self._each(group):
            if vector is not filled:
                run_opaque(_minus_lr if plain else _coefficients, vector, group)
                filled = vector
            if plain:
                update(array, grad, cells[0], first)
            else:
                buffer, fresh = self._buffer(param, dampened) if momentum else (None, False)
                if array is not param._data:
                    (buffer,) = parts(buffer)
                update(array, grad, buffer, fresh, *cells[:4], first, second, *flags[1:])

    def _buffer(self, param: Tensor, dampened: bool) -> tuple[Array, bool]:
        """The momentum of `param`, and whether it is still to be set to the gradient."""
        state = self.state[param]
        buffer = state.get("momentum_buffer")
        if buffer is not None:
            return buffer._data, False
        # -0.0 * momentum + g is g, to the sign of its zeros: only a dampened first step is a case of its own.
        state["momentum_buffer"] = buffer = state_like(param, -0.0)
        if dampened and mode.recorder is not None:
            mode.recorder.refuse("SGD's first step with momentum and dampening is not like the others")
        return buffer._data, dampened


def _flags(group: Group) -> tuple[bool, ...]:
    """What decides which operations a step consists of."""
    return (
        group["momentum"] != 0,
        group["dampening"] != 0,
        group["weight_decay"] != 0,
        group["nesterov"],
        group["maximize"],
    )


def _minus_lr(vector: Array, group: Group) -> None:
    """The only coefficient of a step without momentum and weight decay."""
    vector[0] = -number(group["lr"])


def _coefficients(vector: Array, group: Group) -> None:
    _minus_lr(vector, group)
    vector[1] = number(group["weight_decay"])
    vector[2] = group["momentum"]
    vector[3] = 1 - group["dampening"]


def _sgd(
    param: Array,
    grad: Array,
    buffer: Array | None,
    fresh: bool,
    minus_lr: Array,
    weight_decay: Array,
    momentum: Array,
    undampened: Array,
    scratch: Array,
    direction: Array,
    dampened: bool,
    decay: bool,
    nesterov: bool,
    maximize: bool,
) -> None:
    if maximize:
        grad = negative(grad, direction)
    if decay:
        multiply(param, weight_decay, scratch)
        grad = add(grad, scratch, direction)
    if buffer is not None:
        if fresh:
            copyto(buffer, grad)
        else:
            multiply(buffer, momentum, buffer)
            if dampened:
                add_(buffer, grad, undampened, scratch)
            else:
                add(buffer, grad, buffer)
        if nesterov:
            multiply(buffer, momentum, scratch)
            grad = add(grad, scratch, direction)
        else:
            grad = buffer
    add_(param, grad, minus_lr, scratch)
