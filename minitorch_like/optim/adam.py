"""Adam (Kingma and Ba 2014), with AMSGrad (Reddi et al. 2018) and decoupled weight decay."""

from __future__ import annotations

from typing import Any

from numpy import add, divide, maximum, multiply, negative, sqrt

from minitorch_like._capture import run_opaque
from minitorch_like._tensor import Tensor

from ._functional import ONE, Array, addcdiv_, addcmul_, lerp_, lerp_weight, number, parts
from .optimizer import (
    Closure,
    Group,
    Optimizer,
    ParamsT,
    _check_capturable,
    _check_modes,
    _check_not_negative,
    _for_capture,
    _new_step,
    _to_scalar,
    state_like,
)

__all__ = ["Adam"]


class Adam(Optimizer):
    """Adam: steps along the mean of the gradient over the root of the mean of its square, both debiased.

        m = lerp(m, g, 1 - beta1);  v = beta2 * v + (1 - beta2) * g * g
        p -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)

    `weight_decay` is added to `g`, or with `decoupled_weight_decay` shrinks `p` before the step (AdamW);
    `amsgrad` puts the largest `v` so far in the place of `v`.  State per parameter: `step` (0-d float32),
    `exp_avg`, `exp_avg_sq` and with `amsgrad` `max_exp_avg_sq`.
    `foreach` and `fused` choose between torch's implementations and change nothing here.
    Raises ValueError for an option out of its range, NotImplementedError for `differentiable=True`.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        _check_tensor("lr", lr, foreach, capturable)
        _check_not_negative("learning rate", lr)
        _check_not_negative("epsilon value", eps)
        beta: Any
        for index, beta in enumerate(betas[:2]):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {index}: {beta}")
        _check_not_negative("weight_decay value", weight_decay)
        if not any(isinstance(betas[0], kind) and isinstance(betas[1], kind) for kind in (float, Tensor)):
            raise ValueError("betas must be either both floats or both Tensors")
        _check_tensor("betas[0]", betas[0], foreach, capturable)
        _check_tensor("betas[1]", betas[1], foreach, capturable)
        defaults = {
            "lr": lr,
            "betas": tuple(map(_to_scalar, betas)),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)
        _check_modes(defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("amsgrad", False)
            group.setdefault("maximize", False)
            group.setdefault("foreach", None)
            group.setdefault("capturable", False)
            group.setdefault("differentiable", False)
            group.setdefault("decoupled_weight_decay", False)
            group.setdefault("fused", None)
        self._restore_steps()

    def step(self, closure: Closure | None = None) -> Any:
        """Update the parameters once. `closure` recomputes the loss, which is then returned."""
        return self._step(closure)

    def _update(self, group: Group) -> None:
        _check_capturable(group["capturable"])
        flags = amsgrad, *_ = _flags(group)
        adam = _for_capture(_adam, _flags, group)
        filled: Array | None = None
        filled_step = -1.0
        for param, grad, (array, first, second, vector, cells) in self._each(group):
            state = self.state[param]
            if not state:
                _init_state(param, state, amsgrad)
            count = state["step"]._data
            step = count.item()
            if vector is not filled or step != filled_step:
                run_opaque(_coefficients, vector, group, count)
                filled = vector
                filled_step = step
            largest = state["max_exp_avg_sq"]._data if amsgrad else None
            means = state["exp_avg"]._data, state["exp_avg_sq"]._data, largest
            if array is not param._data:
                means = parts(*means)
            adam(array, grad, count, *means, *cells, first, second, *flags[1:])


def _check_tensor(name: str, value: float | Tensor, foreach: bool | None, capturable: bool) -> None:
    if not isinstance(value, Tensor):
        return
    if foreach and not capturable:
        raise ValueError(f"{name} as a Tensor is not supported for capturable=False and foreach=True")
    if value.numel() != 1:
        raise ValueError(f"Tensor {name} must be 1-element")


def _init_state(param: Tensor, state: dict[str, Tensor], amsgrad: bool) -> None:
    state["step"] = _new_step()
    state["exp_avg"] = state_like(param)
    state["exp_avg_sq"] = state_like(param)
    if amsgrad:
        state["max_exp_avg_sq"] = state_like(param)


def _flags(group: Group) -> tuple[bool, ...]:
    """What decides which operations a step consists of."""
    return (
        group["amsgrad"],
        group["weight_decay"] != 0,
        group["decoupled_weight_decay"],
        group["maximize"],
        number(group["betas"][0]) <= 0.5,
    )


def _coefficients(vector: Array, group: Group, count: Array) -> None:
    """What the next step multiplies by: in torch's double (or tensor) arithmetic, then rounded."""
    step = count.item() + 1
    lr = number(group["lr"])
    beta1, beta2 = map(number, group["betas"])
    weight_decay = number(group["weight_decay"])
    vector[0] = lerp_weight(1 - beta1, vector.dtype)
    vector[1] = beta2
    vector[2] = 1 - beta2
    vector[3] = 1 - lr * weight_decay if group["decoupled_weight_decay"] else weight_decay
    vector[4] = (1 - beta2**step) ** 0.5
    vector[5] = group["eps"]
    vector[6] = -(lr / (1 - beta1**step))


def _adam(
    param: Array,
    grad: Array,
    count: Array,
    mean: Array,
    square: Array,
    largest: Array | None,
    weight: Array,
    beta2: Array,
    rest2: Array,
    shrink: Array,
    root_correction: Array,
    eps: Array,
    minus_step_size: Array,
    scratch: Array,
    other: Array,
    decay: bool,
    decoupled: bool,
    maximize: bool,
    steep: bool,
) -> None:
    add(count, ONE, count)
    if maximize:
        grad = negative(grad, other)
    if decay and decoupled:
        multiply(param, shrink, param)
    elif decay:
        multiply(param, shrink, scratch)
        grad = add(grad, scratch, other)
    lerp_(mean, grad, weight, steep, scratch)
    multiply(square, beta2, square)
    addcmul_(square, grad, grad, rest2, scratch)
    if largest is not None:
        square = maximum(largest, square, out=largest)
    sqrt(square, scratch)
    divide(scratch, root_correction, scratch)
    add(scratch, eps, scratch)
    addcdiv_(param, mean, scratch, minus_step_size, other)
