"""Workers without processes.

A worker of torch is a process with streams of random numbers and a copy of the data set of its own.  Here it is an
object that has these, and whose fetching is done by the loader itself when the batch is due: the same samples,
the same random numbers in the same order, no second process.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

import minitorch_like as torch
from minitorch_like.random import default_generator

from .fetch import Fetcher


@dataclass(frozen=True)
class WorkerInfo:
    """What `get_worker_info` tells about the worker that asks."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


_worker_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """Inside a worker (in its data set, its `worker_init_fn`): which one; None elsewhere."""
    return _worker_info


def _streams() -> tuple[Any, Any, Any]:
    return default_generator.state_bytes(), random.getstate(), np.random.get_state()


def _restore(streams: tuple[Any, Any, Any]) -> None:
    default_generator.load_bytes(streams[0])
    random.setstate(streams[1])
    np.random.set_state(streams[2])


class Worker:
    """One worker of a loader: its data set, its fetcher, the state of its random numbers."""

    def __init__(self, loader: Any, base_seed: int, index: int) -> None:
        self.loader = loader
        seed = base_seed + index
        # Shallow: what the worker sets on its data set is its own, the samples are not doubled.
        dataset = copy.copy(loader.dataset)
        self.info = WorkerInfo(index, loader.num_workers, seed, dataset)
        outside = _streams()
        try:
            random.seed(seed)
            torch.manual_seed(seed)
            words = [index, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
            np.random.seed(np.random.SeedSequence(words).generate_state(4))
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
        global _worker_info
        outside, asked = _streams(), _worker_info
        _restore(self.streams)
        _worker_info = self.info
        try:
            yield
        finally:
            self.streams = _streams()
            _restore(outside)
            _worker_info = asked
