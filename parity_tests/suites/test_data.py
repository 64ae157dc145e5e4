"""Data sets, samplers, loaders: the same batches from the same draws, with and without workers."""

import random
import warnings
from collections import OrderedDict, UserDict, UserList, namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import run, same

Point = namedtuple("Point", ["x", "y"])


def library(ns):
    """`torch.utils.data`, or the candidate's."""
    return __import__(f"{ns.__name__}.utils.data", fromlist=["data"])


def numbers(ns, count=7):
    return library(ns).TensorDataset(ns.arange(count), ns.arange(count * 2.0).reshape(count, 2))


def rest_of_the_stream(ns):
    """What the next draw gives: equal exactly if everything before drew as much."""
    return ns.rand(3)


class Noisy:
    """A data set of a user's, with draws from every stream that workers have."""

    def __init__(self, ns, count=7):
        self.ns, self.count, self.calls = ns, count, 0

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if not 0 <= index < self.count:
            raise IndexError(index)
        self.calls += 1
        info = library(self.ns).get_worker_info()
        who = -1 if info is None else info.id
        return index, self.ns.rand(2), random.random(), np.random.rand(), who  # noqa: NPY002


def batches(loader):
    return [batch for epoch in range(2) for batch in [*loader, epoch]]


# -- draws --------------------------------------------------------------------------------------------------

loaders = st.fixed_dictionaries(
    {},
    optional={
        "batch_size": st.sampled_from([1, 2, 3, 10, None]),
        "shuffle": st.booleans(),
        "num_workers": st.just(0),
        "own_generator": st.just(True),
    },
)


@given(count=st.integers(1, 40), options=loaders, seed=st.integers(0, 2**32))
def test_batches_and_the_stream_after_them(torch, candidate, count, options, seed):
    def program(ns):
        ns.manual_seed(seed)
        given = dict(options)
        if given.pop("own_generator", False):
            given["generator"] = ns.Generator().manual_seed(seed + 1)
        loader = library(ns).DataLoader(numbers(ns, count), **given)
        own = given.get("generator")
        return batches(loader), len(loader), rest_of_the_stream(ns), own and ns.rand(2, generator=own)

    same(torch, candidate, program)


@given(count=st.integers(1, 200), more=st.integers(1, 150), replacement=st.booleans(), own=st.booleans())
def test_random_samplers(torch, candidate, count, more, replacement, own):
    def program(ns):
        ns.manual_seed(count)
        generator = ns.Generator().manual_seed(5) if own else None
        sampler = library(ns).RandomSampler(range(count), replacement, more, generator)
        plain = library(ns).RandomSampler(range(count), generator=generator)
        return list(sampler), len(sampler), list(sampler), list(plain), len(plain), rest_of_the_stream(ns)

    same(torch, candidate, program)


def test_an_iteration_draws_its_seeds_when_torch_does(torch, candidate):
    def program(ns):
        lib, seen = library(ns), []
        for sampler in (None, lib.SubsetRandomSampler(range(5))):
            loader = lib.DataLoader(numbers(ns), sampler=sampler, shuffle=sampler is None)
            ns.manual_seed(1)
            iterator = iter(loader)
            seen += [ns.rand(1), next(iterator), ns.rand(1), next(iterator), ns.rand(1), len(iterator)]
        return seen

    same(torch, candidate, program)


def test_subsets_and_weights(torch, candidate):
    def program(ns):
        lib = library(ns)
        ns.manual_seed(3)
        subset = lib.SubsetRandomSampler([5, 3, 8, 1])
        weights = [0.1, 0.5, 3.0, 0.0, 1.0]
        many = lib.WeightedRandomSampler(weights, 20)
        few = lib.WeightedRandomSampler(ns.tensor(weights), 3, replacement=False)
        one = lib.WeightedRandomSampler(weights, 1, generator=ns.Generator().manual_seed(1))
        drawn = [list(each) for each in (subset, subset, many, few, one)]
        return drawn, len(many), many.weights, rest_of_the_stream(ns)

    same(torch, candidate, program)


@given(
    count=st.integers(1, 30),
    parts=st.sampled_from([[1.0], [0.5, 0.5], [0.1, 0.9], [1 / 3] * 3, [0.25] * 4, [0, 1], [0.7, 0.2, 0.1]]),
    own=st.booleans(),
)
def test_random_splits(torch, candidate, count, parts, own):
    def program(ns):
        ns.manual_seed(count)
        given = {"generator": ns.Generator().manual_seed(2)} if own else {}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            split = library(ns).random_split(range(count), parts, **given)
        texts = [str(each.message) for each in caught]
        return [(each.indices, len(each), list(each)) for each in split], texts, rest_of_the_stream(ns)

    same(torch, candidate, program)


def test_splits_by_length_feed_loaders(torch, candidate):
    def program(ns):
        lib = library(ns)
        ns.manual_seed(0)
        first, second = lib.random_split(numbers(ns, 10), [7, 3])
        nested = lib.Subset(first, [6, 0, 2])
        seen = [batches(lib.DataLoader(each, 2, shuffle=True)) for each in (first, second, nested)]
        return seen, first[[0, 1]], nested.__getitems__([2, 0]), rest_of_the_stream(ns)

    same(torch, candidate, program)


def test_distributed_samplers(torch, candidate):
    def program(ns):
        seen = []
        for count in (5, 6, 1):
            for options in ({}, {"shuffle": False}, {"drop_last": True}, {"seed": 3}):
                for rank in (0, 1):
                    sampler = library(ns).DistributedSampler(range(count), 2, rank, **options)
                    sampler.set_epoch(1)
                    seen.append((list(sampler), len(sampler)))
        return seen

    same(torch, candidate, program)


# -- workers ------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_workers_have_streams_of_their_own(torch, candidate, shuffle, persistent):
    def program(ns):
        ns.manual_seed(4)
        random.seed(4)
        np.random.seed(4)  # noqa: NPY002
        data = Noisy(ns)
        loader = library(ns).DataLoader(
            data, 2, shuffle=shuffle, num_workers=2, persistent_workers=persistent, prefetch_factor=1
        )
        seen = batches(loader)
        return seen, data.calls, rest_of_the_stream(ns), random.random(), np.random.rand()  # noqa: NPY002

    same(torch, candidate, program)


def test_samplers_are_read_ahead_for_workers(torch, candidate):
    def program(ns):
        lib = library(ns)
        ns.manual_seed(1)
        generator = ns.Generator().manual_seed(2)
        sampler = lib.RandomSampler(range(100), replacement=True, generator=generator)
        iterator = iter(lib.DataLoader(range(100), 8, sampler=sampler, num_workers=2, generator=generator))
        seen = [ns.rand(1, generator=generator), next(iterator), ns.rand(1, generator=generator)]
        return seen, list(iterator), rest_of_the_stream(ns)

    same(torch, candidate, program)


def counting(ns, *, lie=0):
    class Counting(library(ns).IterableDataset):
        start, stop = 0, 10

        def __iter__(self):
            return iter(range(self.start, self.stop))

        def __len__(self):
            return self.stop - self.start - lie

    return Counting()


def share(ns):
    """A `worker_init_fn` that gives each worker its part of the range, as in torch's documentation."""

    def share(worker_id):
        info = library(ns).get_worker_info()
        assert info.id == worker_id
        each = 10 // info.num_workers
        info.dataset.start, info.dataset.stop = worker_id * each, worker_id * each + each + worker_id

    return share


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
@pytest.mark.parametrize("size", [None, 1, 4])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_iterable_data_sets(torch, candidate, workers, size, drop_last):
    def program(ns):
        init = share(ns) if workers else None
        drop = drop_last and size is not None
        loader = library(ns).DataLoader(counting(ns), size, drop_last=drop, num_workers=workers, worker_init_fn=init)
        return batches(loader), rest_of_the_stream(ns) if ns.manual_seed(1) else None

    same(torch, candidate, program)


def test_a_length_that_was_a_lie_is_warned_of(torch, candidate):
    def program(ns):
        loader = library(ns).DataLoader(counting(ns, lie=3), batch_size=None)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            lengths = len(loader), len(library(ns).DataLoader(counting(ns), 3, drop_last=True))
            seen = list(loader)
        return lengths, seen, [str(each.message).partition("was reported")[2] for each in caught]

    same(torch, candidate, program)


# -- data sets ----------------------------------------------------------------------------------------------


def test_data_sets_made_of_data_sets(torch, candidate):
    def program(ns):
        lib = library(ns)
        first, second = numbers(ns, 3), numbers(ns, 2)
        joined = first + second + first
        stacked = lib.StackDataset(first, range(3))
        named = lib.StackDataset(image=first, label=lib.Subset([4, 5, 6, 7], [3, 2, 1]))
        chained = counting(ns) + counting(ns)
        return (
            [len(each) for each in (joined, stacked, named, chained)],
            [joined[index] for index in (0, 3, 7, -1, -8)],
            joined.cumulative_sizes,
            [list(lib.DataLoader(each, 2)) for each in (joined, stacked, named)],
            named[1],
            list(chained),
        )

    same(torch, candidate, program)


def test_a_data_set_that_fetches_many_at_once(torch, candidate):
    def program(ns):
        class Many(library(ns).Dataset):
            def __len__(self):
                return 5

            def __getitems__(self, indices):
                return [(index, -index) for index in indices]

        return batches(library(ns).DataLoader(Many(), 2)), list(
            library(ns).DataLoader(library(ns).Subset(Many(), [4, 2]), 2)
        )

    same(torch, candidate, program)


def test_rows_keep_dtypes_and_their_graph(torch, candidate):
    def program(ns):
        lib = library(ns)
        plain = lib.TensorDataset(*(ns.ones(4, dtype=getattr(ns, kind)) for kind in ("uint8", "bool", "float64")))
        grown = lib.TensorDataset(ns.arange(4.0, requires_grad=True) * 2, ns.zeros(4, 0, 3))
        (first, second), *_ = lib.DataLoader(grown, 3)
        return list(lib.DataLoader(plain, 3)), first.requires_grad, first.grad_fn.name(), second.shape

    same(torch, candidate, program)


# -- batches ------------------------------------------------------------------------------------------------


def tensor_like(ns):
    scalar = st.one_of(
        st.integers(-5, 5),
        st.floats(-2, 2, width=32),
        st.booleans(),
        st.sampled_from(["a", "b"]),
        st.just(b"c"),
    )
    array = st.sampled_from(["float32", "int64", "bool"]).map(lambda kind: np.ones((2, 1), kind))
    return st.one_of(scalar, array, st.just(np.float64(1.5)), st.just(np.int32(3)), st.just(np.bool_(True)))


containers = st.recursive(
    tensor_like(None),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
        st.builds(Point, inner, inner),
        st.lists(st.tuples(st.sampled_from("abc"), inner), max_size=2).map(OrderedDict),
        st.lists(inner, max_size=2).map(UserList),
        st.dictionaries(st.sampled_from("ab"), inner, max_size=2).map(UserDict),
    ),
    max_leaves=6,
)


def shown(value):
    """`value` with what the comparator does not look into spelt out."""
    if isinstance(value, (UserList, UserDict)):
        return type(value).__name__, shown(value.data)
    if isinstance(value, dict):
        return type(value).__name__, {key: shown(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [shown(each) for each in value]
    return value


@given(sample=containers, size=st.integers(1, 3))
def test_collating(torch, candidate, sample, size):
    def program(ns):
        lib = library(ns)
        return shown(lib.default_collate([sample] * size)), shown(lib.default_convert(sample))

    same(torch, candidate, program)


def test_collating_tensors(torch, candidate):
    def program(ns):
        collate = library(ns).default_collate
        rows = [{"x": ns.ones(2) * i, "y": (i, [ns.tensor(i), float(i)])} for i in range(3)]
        return collate(rows), collate([ns.zeros(()), ns.ones(())]), collate([ns.zeros(0, 2)] * 2)

    same(torch, candidate, program)


# -- errors -------------------------------------------------------------------------------------------------

ERRORS = {
    "uneven batch": lambda ns, lib: lib.default_collate([[1], [1, 2]]),
    "uneven tensors": lambda ns, lib: lib.default_collate([ns.ones(1), ns.ones(2)]),
    "no batch": lambda ns, lib: lib.default_collate([]),
    "an object": lambda ns, lib: lib.default_collate([object]),
    "None": lambda ns, lib: lib.default_collate([None]),
    "an array of text": lambda ns, lib: lib.default_collate([np.array(["a"])]),
    "a missing key": lambda ns, lib: lib.default_collate([{"a": 1}, {"b": 1}]),
    "sizes of tensors": lambda ns, lib: lib.TensorDataset(ns.ones(2), ns.ones(3)),
    "sizes of data sets": lambda ns, lib: lib.StackDataset([1], [1, 2]),
    "tuple and dict": lambda ns, lib: lib.StackDataset([1], a=[1]),
    "nothing stacked": lambda ns, lib: lib.StackDataset(),
    "nothing joined": lambda ns, lib: lib.ConcatDataset([]),
    "an iterable joined": lambda ns, lib: lib.ConcatDataset([counting(ns)]),
    "an index too low": lambda ns, lib: lib.ConcatDataset([[1, 2]])[-3],
    "an index too high": lambda ns, lib: lib.ConcatDataset([[1, 2]])[2],
    "a list chained": lambda ns, lib: list(lib.ChainDataset([[1]])),
    "no __getitem__": lambda ns, lib: lib.Dataset()[0],
    "no __iter__ of a sampler": lambda ns, lib: iter(lib.Sampler()),
    "lengths": lambda ns, lib: lib.random_split(range(5), [3, 3]),
    "fractions": lambda ns, lib: lib.random_split(range(5), [-0.5, 1.5]),
    "replacement": lambda ns, lib: lib.RandomSampler([1], replacement=1),
    "num_samples": lambda ns, lib: lib.RandomSampler([1], num_samples=0),
    "num_samples type": lambda ns, lib: lib.RandomSampler([1], num_samples=1.5),
    "an empty source": lambda ns, lib: lib.RandomSampler([]),
    "weights": lambda ns, lib: lib.WeightedRandomSampler([[1.0]], 1),
    "weighted num_samples": lambda ns, lib: lib.WeightedRandomSampler([1.0], True),
    "weighted replacement": lambda ns, lib: lib.WeightedRandomSampler([1.0], 1, 1),
    "too many without replacement": lambda ns, lib: list(lib.WeightedRandomSampler([1.0], 2, False)),
    "batch_size": lambda ns, lib: lib.BatchSampler([1], 0, False),
    "batch_size bool": lambda ns, lib: lib.BatchSampler([1], True, False),
    "drop_last": lambda ns, lib: lib.BatchSampler([1], 1, 0),
    "rank": lambda ns, lib: lib.DistributedSampler([1], 2, 2),
    "loader batch_size": lambda ns, lib: lib.DataLoader([1], -1),
    "num_workers": lambda ns, lib: lib.DataLoader([1], num_workers=-1),
    "timeout": lambda ns, lib: lib.DataLoader([1], timeout=-1),
    "timeout without workers": lambda ns, lib: iter(lib.DataLoader([1], timeout=1)),
    "prefetch without workers": lambda ns, lib: lib.DataLoader([1], prefetch_factor=2),
    "prefetch": lambda ns, lib: lib.DataLoader([1], num_workers=1, prefetch_factor=-2),
    "no prefetch": lambda ns, lib: iter(lib.DataLoader([1], num_workers=1, prefetch_factor=0)),
    "persistent": lambda ns, lib: lib.DataLoader([1], persistent_workers=True),
    "context": lambda ns, lib: lib.DataLoader([1], num_workers=1, multiprocessing_context="thread"),
    "context type": lambda ns, lib: lib.DataLoader([1], num_workers=1, multiprocessing_context=3),
    "context without workers": lambda ns, lib: lib.DataLoader([1], multiprocessing_context="spawn"),
    "shuffle and sampler": lambda ns, lib: lib.DataLoader([1], shuffle=True, sampler=[0]),
    "batch_sampler and size": lambda ns, lib: lib.DataLoader([1], 2, batch_sampler=[[0]]),
    "drop_last without batches": lambda ns, lib: lib.DataLoader([1], None, drop_last=True),
    "iterable shuffle": lambda ns, lib: lib.DataLoader(counting(ns), shuffle=True),
    "iterable sampler": lambda ns, lib: lib.DataLoader(counting(ns), sampler=[0]),
    "iterable batch_sampler": lambda ns, lib: lib.DataLoader(counting(ns), batch_sampler=[[0]]),
    "shuffle of nothing": lambda ns, lib: lib.DataLoader([], shuffle=True),
    "an attribute set later": lambda ns, lib: setattr(lib.DataLoader([1]), "batch_size", 2),
    "an index beyond the rows": lambda ns, lib: list(lib.DataLoader(numbers(ns), sampler=[9])),
    "a subset beyond its indices": lambda ns, lib: list(lib.DataLoader(lib.Subset(numbers(ns), [1]), sampler=[3])),
    "a subset that would be bypassed": lambda ns, lib: type("Mine", (lib.Subset,), {"__getitem__": len})([1], [0]),
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # torch's iterator, half made
@pytest.mark.parametrize("case", ERRORS)
def test_errors(torch, candidate, case):
    same(torch, candidate, lambda ns: run(ns, lambda ns: ERRORS[case](ns, library(ns))))


def test_pinning_memory_is_warned_of(torch, candidate):
    def program(ns):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            list(library(ns).DataLoader([1, 2], pin_memory=True))
        return [str(each.message) for each in caught]

    same(torch, candidate, program)
