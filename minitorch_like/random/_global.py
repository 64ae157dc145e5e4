"""The global stream, `default_generator`, under torch's names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ._generator import Generator, default_generator

if TYPE_CHECKING:
    from .._tensor import Tensor


def manual_seed(seed: Any) -> Generator:
    """Start the global stream of `int(seed)`; ValueError outside -2**63 .. 2**64 - 1."""
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Start the global stream of a seed that the operating system picks; returns that seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the global stream."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the global stream, a uint8 tensor of shape (5056,)."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Continue the global stream from a state of `get_rng_state`, ours or torch's."""
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(
    devices: Iterable[Any] | None = None,
    enabled: bool = True,
    _caller: str = "fork_rng",
    _devices_kw: str = "devices",
    device_type: str | None = None,
) -> Iterator[None]:
    """Leave the global stream, at the end of the block, as it was at its start.

    There is only the CPU's stream: any of `devices` raises AssertionError.
    """
    if not enabled or device_type == "meta":
        yield
        return
    if devices is not None and list(devices):
        raise AssertionError("Torch not compiled with CUDA enabled")
    state = default_generator.state_bytes()
    try:
        yield
    finally:
        default_generator.load_bytes(state)
