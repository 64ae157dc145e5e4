"""Random numbers: `Generator`, the global stream and every sampler; one stream, and it is torch's."""

from __future__ import annotations

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
