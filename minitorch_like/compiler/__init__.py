"""`compile(step)`: capture a training step once, replay it through preallocated buffers.

The second call with arguments of given shapes is captured (the first may still set up optimiser state), the third is computed
both ways and compared, later ones are replayed.  A replay computes exactly what the eager step would, bit for bit, as long as
the guards hold; where they do not, or where a step cannot be captured, the step runs eagerly and `explain()` says why.

* `recorder`, `traced`: the capture.     * `instruction`, `memory`: what it consists of, and where that lies.
* `flatten`, `passes`: making it short.  * `frozen`: the Python values that it takes for granted.
* `build`, `plan`: the replay.           * `function`: which of all this a call gets.     * `controls`: what programs ask.

Not repeated by a replay are Python's own side effects: printing, appending to lists, setting attributes.
"""

from __future__ import annotations

from typing import Any

from .controls import (
    allow_in_graph,
    assume_constant_result,
    cudagraph_mark_step_begin,
    disable,
    is_compiling,
    is_dynamo_compiling,
    is_exporting,
    list_backends,
    reset,
)
from .function import CompiledFunction

__all__ = [
    "CompiledFunction",
    "allow_in_graph",
    "assume_constant_result",
    "compile",
    "cudagraph_mark_step_begin",
    "disable",
    "is_compiling",
    "is_dynamo_compiling",
    "is_exporting",
    "list_backends",
    "reset",
]


def compile(
    model: Any = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = None,
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> Any:
    """Make the repeated calls of a function or of a module fast; usable as a decorator, with torch's options accepted.

    Fastest is a step that runs forward, backward and optimiser on its tensor arguments, as in

        @torch.compile
        def step(x, y):
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

    Of a function whose result is still to be differentiated, such as a module, the forward computation is replayed.
    """
    from ..nn import Module

    if model is None:
        return lambda function: compile(function, disable=disable)
    if disable:
        return model
    if isinstance(model, Module):
        from .module import OptimizedModule

        return OptimizedModule(model)
    if not callable(model):
        raise RuntimeError(f"torch.compile expects a callable or a Module, but got {type(model).__name__}")
    return CompiledFunction(model)
