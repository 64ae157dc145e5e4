"""Faults in what training adds: optimisers, initial values, dropout, the random stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch_like import nn, optim
from minitorch_like.nn import functional, init
from minitorch_like.nn.functional import dropouts
from minitorch_like.optim import adam, sgd
from minitorch_like.optim._functional import number
from minitorch_like.random import _samplers, _uniform
from parity_tests.mutants.fault import Attribute, fault

Right = Callable[..., Any]
Array = np.ndarray[Any, Any]

# -- SGD: `_sgd(param, grad, buffer, fresh, minus_lr, weight_decay, momentum, undampened, ...)`


@fault("momentum", Attribute(sgd, "_sgd"))
def momentum_is_one_step_late(right: Right, param: Array, grad: Array, buffer: Any, fresh: bool, *rest: Any) -> None:
    """The step is taken along the momentum before the gradient has been added to it."""
    if buffer is None:
        right(param, grad, buffer, fresh, *rest)
        return
    (minus_lr, *_), before = rest, buffer.copy()
    right(param.copy(), grad, buffer, fresh, *rest)
    np.add(param, minus_lr * before, param)


@fault("momentum", Attribute(sgd.SGD, "_buffer"))
def first_step_is_dampened(right: Right, self: Any, param: Any, dampened: bool) -> Any:
    """Dampening applies to the first step too."""
    buffer, _ = right(self, param, dampened)
    return buffer, False


@fault("momentum", Attribute(sgd, "_sgd"))
def nesterov_is_plain_momentum(right: Right, *args: Any) -> None:
    """nesterov=True changes nothing."""
    right(*args[:-2], False, args[-1])


@fault("weight decay", Attribute(sgd, "_coefficients"))
def weights_grow(right: Right, vector: Array, group: Any) -> None:
    """SGD's weight decay has the wrong sign."""
    right(vector, group)
    vector[1] = -vector[1]


@fault("weight decay", Attribute(adam.Adam, "_update"))
def decay_is_always_decoupled(right: Right, self: Any, group: Any) -> None:
    """Adam's weight decay shrinks the weights, as AdamW's does."""
    right(self, {**group, "decoupled_weight_decay": True})


@fault("option", Attribute(sgd, "_flags"))
def maximize_minimizes(right: Right, group: Any) -> Any:
    """SGD pays no heed to maximize=True."""
    return *right(group)[:-1], False


# -- Adam: `vector` holds (lerp weight, beta2, 1 - beta2, decay, root of the 2nd bias correction, eps, -step size)


@fault("Adam", Attribute(adam, "_coefficients"))
def adam_is_not_debiased(right: Right, vector: Array, group: Any, count: Array) -> None:
    """Adam corrects neither mean for its start from zero."""
    right(vector, group, count)
    vector[4], vector[6] = 1, -number(group["lr"])


@fault("Adam", Attribute(adam, "_coefficients"))
def adam_counts_from_two(right: Right, vector: Array, group: Any, count: Array) -> None:
    """Adam's bias corrections are one step ahead."""
    right(vector, group, count + 1)


@fault("Adam", Attribute(adam, "_adam"))
def adam_adds_eps_under_the_root(right: Right, *args: Any) -> None:
    """Adam adds eps to the mean square instead of to its root."""
    eps = args[11]
    with Attribute(adam, "sqrt").taken_by(lambda sqrt, square, out: sqrt(square + eps, out)):
        right(*args[:11], np.zeros_like(eps), *args[12:])


@fault("Adam", Attribute(adam, "maximum"))
def amsgrad_forgets(right: Right, largest: Array, square: Array, out: Array) -> Any:
    """AMSGrad takes the present mean square instead of the largest so far."""
    np.copyto(out, square)
    return out


@fault("gradients", Attribute(optim.Optimizer, "zero_grad"))
def gradients_are_not_cleared(right: Right, self: Any, set_to_none: bool = True) -> None:
    """zero_grad does nothing."""


# -- initial values and random numbers


@fault("random stream", Attribute(nn.Linear, "reset_parameters"))
def bias_is_drawn_first(right: Right, self: Any) -> None:
    """nn.Linear draws its bias before its weight."""
    bound = self.in_features**-0.5
    if self.bias is not None:
        init.uniform_(self.bias, -bound, bound)
    init.kaiming_uniform_(self.weight, a=5**0.5)


@fault("initial values", Attribute(init, "_calculate_fan_in_and_fan_out"))
def fans_are_swapped(right: Right, tensor: Any) -> Any:
    """The number of inputs of a layer is taken for that of its outputs."""
    return right(tensor)[::-1]


@fault("random stream", Attribute(_samplers, "u24"))
def uniform_has_23_bits(right: Right, generator: Any, count: int) -> Any:
    """Uniform float32 numbers are multiples of 2^-23."""
    return np.floor(right(generator, count) * np.float32(2**23)) * np.float32(2**-23)


@fault("random stream", Attribute(_uniform, "pairs"))
def halves_are_swapped(right: Right, generator: Any, count: int) -> Any:
    """The two words of a 64-bit draw come in the wrong order."""
    return right(generator, count)[::-1]


@fault("dropout", Attribute(dropouts, "_dropout"))
def dropout_does_not_scale_up(right: Right, input: Any, p: float, training: bool, inplace: bool, **options: Any) -> Any:
    """What dropout keeps is not divided by 1 - p."""
    result = right(input, p, training, inplace, **options)
    return result * (1 - p) if training and 0 < p < 1 else result


@fault("dropout", Attribute(dropouts, "_dropout"))
def dropout_never_rests(right: Right, input: Any, p: float, training: bool, inplace: bool, **options: Any) -> Any:
    """dropout drops in eval mode too."""
    return right(input, p, True, inplace, **options)


@fault("option", Attribute(functional, "cross_entropy"))
def labels_are_not_smoothed(right: Right, *args: Any, **kwargs: Any) -> Any:
    """cross_entropy pays no heed to label_smoothing."""
    return right(*args[:7], **{**kwargs, "label_smoothing": 0.0})
