"""Workers without processes.

A worker of torch is a process with streams of random numbers and a copy of the data set of its own.  Here it
is an object that has these, and the loader itself does its fetching when the batch is due: the same samples
and the same random numbers in the same order, without a second process.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitorch_like.random import default_generator

from .fetch import Fetcher


@dataclass(frozen=True)
class WorkerInfo:
    """What `get_worker_info` tells about the worker that asks."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


def get_worker_info() -> WorkerInfo | None:
    """Inside a worker (in its data set, its `worker_init_fn`): which one; None elsewhere."""
    return Worker.current


def _streams() -> tuple[Any, Any, Any]:
    return default_generator.state_bytes(), random.getstate(), np.random.get_state()  # noqa: NPY002


def _restore(streams: tuple[Any, Any, Any]) -> None:
    default_generator.load_bytes(streams[0])
    random.setstate(streams[1])
    np.random.set_state(streams[2])  # noqa: NPY002


class Worker:
    """One worker of a loader: its data set, its fetcher, the state of its random numbers."""

    current: WorkerInfo | None = None

    def __init__(self, loader: Any, base_seed: int, index: int) -> None:
        self.loader = loader
        seed = base_seed + index
        # Shallow: what the worker sets on its data set is its own, the samples are not doubled.
        dataset = copy.copy(loader.dataset)
        self.info = WorkerInfo(index, loader.num_workers, seed, dataset)
        outside = _streams()
        try:
            random.seed(seed)
            default_generator.manual_seed(seed)
            words = [index, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
            np.random.seed(np.random.SeedSequence(words).generate_state(4))  # noqa: NPY002
            self.streams = _streams()
        finally:
            _restore(outside)
        with self._inside():
            if loader.worker_init_fn is not None:
                loader.worker_init_fn(index)
        self.resume()

    def resume(self) -> None:
        """Start the data set anew."""
        loader = self.loader
        self.ended = False
        with self._inside():
            self.fetcher: Fetcher = loader._fetcher(self.info.dataset)

    def fetch(self, index: Any) -> Any:
        """The batch of `index`, computed with the worker's own random numbers."""
        with self._inside():
            return self.fetcher.fetch(index)

    @contextmanager
    def _inside(self) -> Iterator[None]:
        outside, asked = _streams(), Worker.current
        _restore(self.streams)
        Worker.current = self.info
        try:
            yield
        finally:
            self.streams = _streams()
            _restore(outside)
            Worker.current = asked
