"""JAX: value and gradient of the loss, and the update, in one jitted function; parameters are donated to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.workloads.mlp import MLP


def prepare(mlp: MLP, parameters: Sequence[np.ndarray]) -> Callable[[], Any]:
    def loss(parameters: list[Any], x: Any, y: Any) -> Any:
        for weight, bias in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
            x = jax.nn.relu(x @ weight.T + bias)
        weight, bias = parameters[-2:]
        return jnp.mean((x @ weight.T + bias - y) ** 2)

    def update(parameters: list[Any], x: Any, y: Any) -> tuple[list[Any], Any]:
        value, gradients = jax.value_and_grad(loss)(parameters, x, y)
        return [each - mlp.rate * its for each, its in zip(parameters, gradients, strict=True)], value

    jitted = jax.jit(update, donate_argnums=0)
    x, y = map(jnp.asarray, mlp.data())
    current = [jnp.array(each) for each in parameters]

    def step() -> Any:
        nonlocal current
        current, value = jitted(current, x, y)
        return value.block_until_ready()

    return step
