"""Random numbers: `Generator`, the global stream and every sampler; one stream, and it is torch's."""

from __future__ import annotations

from typing import Any

from .._tensor import Tensor
from . import _fills, _functions
from ._generator import Generator, default_generator
from ._global import fork_rng, get_rng_state, initial_seed, manual_seed, seed, set_rng_state

__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]

# What the package above exports as torch.rand, torch.manual_seed, ...
PUBLIC: dict[str, Any] = {
    **_functions.FUNCTIONS,
    "Generator": Generator,
    "default_generator": default_generator,
    "get_rng_state": get_rng_state,
    "initial_seed": initial_seed,
    "manual_seed": manual_seed,
    "seed": seed,
    "set_rng_state": set_rng_state,
}

for _name, _method in {**_fills.METHODS, **_functions.METHODS}.items():
    setattr(Tensor, _name, _method)
