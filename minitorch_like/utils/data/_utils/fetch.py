"""From indices to a collated batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch_like._tensor import Tensor, wrap

from ..dataset import Subset, TensorDataset
from .collate import default_collate


class Fetcher:
    """Fetches from a data set that has an index."""

    def __init__(self, dataset: Any, auto_collation: bool, collate_fn: Any, drop_last: bool) -> None:
        self.dataset = dataset
        self.auto_collation = auto_collation
        self.collate_fn = collate_fn
        self.drop_last = drop_last

    def fetch(self, index: Any) -> Any:
        """The batch of a list of indices, or the sample of one index; StopIteration at the end."""
        dataset = self.dataset
        if not self.auto_collation:
            return self.collate_fn(dataset[index])
        if self.collate_fn is default_collate:
            batch = _rows(dataset, index)
            if batch is not None:
                return batch
        if getattr(dataset, "__getitems__", None):
            return self.collate_fn(dataset.__getitems__(index))
        return self.collate_fn([dataset[each] for each in index])


class IterableFetcher(Fetcher):
    """Fetches from a data set that can only be iterated: an index says no more than how many."""

    def __init__(self, dataset: Any, auto_collation: bool, collate_fn: Any, drop_last: bool) -> None:
        super().__init__(dataset, auto_collation, collate_fn, drop_last)
        self.dataset_iter = iter(dataset)
        self.ended = False

    def fetch(self, index: Any) -> Any:
        """The next batch or sample; StopIteration at the end."""
        if self.ended:
            raise StopIteration
        if not self.auto_collation:
            return self.collate_fn(next(self.dataset_iter))
        batch = []
        for _ in index:
            try:
                batch.append(next(self.dataset_iter))
            except StopIteration:
                self.ended = True
                break
        if not batch or (self.drop_last and len(batch) < len(index)):
            raise StopIteration
        return self.collate_fn(batch)


def _rows(dataset: Any, indices: Any) -> list[Tensor] | None:
    """What `default_collate` makes of samples of a `TensorDataset` (or `Subset`s of it), taken in one call.

    None where that would not be the same: graphs are recorded, subclasses have a say, errors their own words.
    """
    try:
        while type(dataset) is Subset:
            own = dataset.indices
            indices = [own[index] for index in indices]
            dataset = dataset.dataset
        if type(dataset) is not TensorDataset or not all(type(index) is int for index in indices):
            return None
        if any(type(tensor) is not Tensor or tensor.requires_grad for tensor in dataset.tensors):
            return None
        return [wrap(np.take(tensor._data, indices, 0)) for tensor in dataset.tensors]
    except (IndexError, TypeError):
        return None
