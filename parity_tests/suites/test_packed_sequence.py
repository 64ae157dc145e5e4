"""Packed and padded sequences, and the recurrent layers over them."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same

I, H = 2, 3  # noqa: E741 -- the literature calls them so

seeds = st.integers(0, 2**32 - 1)
lengths = st.lists(st.integers(1, 4), min_size=1, max_size=4)
rests = st.lists(st.integers(0, 2), max_size=2).map(tuple)


def utils(ns):
    return ns.nn.utils.rnn


def numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def padded(ns, lengths, rest=(), batch_first=False, dtype="float32"):
    """A batch whose elements are all different."""
    sizes = (len(lengths), max(lengths)) if batch_first else (max(lengths), len(lengths))
    return ns.arange(int(np.prod((*sizes, *rest))), dtype=getattr(ns, dtype)).reshape(*sizes, *rest)


@given(
    lengths=lengths,
    rest=rests,
    batch_first=st.booleans(),
    ordered=st.booleans(),
    as_tensor=st.booleans(),
    value=st.sampled_from([0.0, -1.5]),
    longer=st.integers(0, 2),
)
def test_round_trips(torch, candidate, lengths, rest, batch_first, ordered, as_tensor, value, longer):
    if ordered:
        lengths = sorted(lengths, reverse=True)

    def program(ns):
        x = padded(ns, lengths, rest, batch_first).requires_grad_()
        given = ns.tensor(lengths) if as_tensor else lengths
        packed = utils(ns).pack_padded_sequence(x, given, batch_first, enforce_sorted=ordered)
        back, found = utils(ns).pad_packed_sequence(packed, batch_first, value, max(lengths) + longer)
        (back * padded(ns, [max(lengths) + longer] * len(lengths), rest, batch_first)).sum().backward()
        return tuple(packed), back, found, x.grad, packed

    same(torch, candidate, program)


@given(
    lengths=lengths,
    rest=rests,
    batch_first=st.booleans(),
    value=st.sampled_from([0.0, 2.5]),
    side=st.sampled_from(["left", "right"]),
)
def test_padding_sequences(torch, candidate, lengths, rest, batch_first, value, side):
    def program(ns):
        leaves = [(padded(ns, [n], rest).squeeze(1) + n).requires_grad_() for n in lengths]
        result = utils(ns).pad_sequence(leaves, batch_first, value, side)
        (result * (1 + padded(ns, [result.shape[1]] * result.shape[0], rest, True))).sum().backward()
        return result, [each.grad for each in leaves]

    same(torch, candidate, program)


@given(lengths=lengths, rest=rests)
def test_sequences_in_and_out(torch, candidate, lengths, rest):
    def program(ns):
        sequences = [padded(ns, [n], rest, dtype="int64").squeeze(1) + n for n in lengths]
        packed = utils(ns).pack_sequence(sequences, enforce_sorted=False)
        together = utils(ns).pad_sequence(sequences)
        parts = utils(ns).unpad_sequence(together, ns.tensor(lengths))
        return packed, utils(ns).unpack_sequence(packed), parts, together

    same(torch, candidate, program)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@given(
    lengths=lengths,
    seed=seeds,
    layers=st.integers(1, 2),
    bidirectional=st.booleans(),
    ordered=st.booleans(),
    given_state=st.booleans(),
)
def test_layers(torch, candidate, kind, lengths, seed, layers, bidirectional, ordered, given_state):
    if ordered:
        lengths = sorted(lengths, reverse=True)

    def program(ns, tensor):
        module = getattr(ns.nn, kind)(I, H, layers, bidirectional=bidirectional)
        for number, parameter in enumerate(module.parameters()):
            parameter.data = tensor(numbers(seed + number, *parameter.shape))
        x = tensor(numbers(seed, max(lengths), len(lengths), I), True)
        sizes = layers * (1 + bidirectional), len(lengths), H
        states = [tensor(numbers(seed + 100 + at, *sizes), True) for at in range(2)]
        hx = (tuple(states) if kind == "LSTM" else states[0]) if given_state else None
        packed = utils(ns).pack_padded_sequence(x, lengths, enforce_sorted=ordered)
        output, hidden = module(packed, hx)
        results = [output.data, *(hidden if kind == "LSTM" else (hidden,))]
        loss = sum((each * tensor(numbers(seed + 200, *each.shape))).sum() for each in results)
        loss.backward()
        leaves = [x, *states[: (1 + (kind == "LSTM")) * given_state], *module.parameters()]
        return results, [leaf.grad for leaf in leaves], output.batch_sizes, output.unsorted_indices

    agree(torch, candidate, program)


def test_projections_over_packed_sequences(torch, candidate):
    def program(ns, tensor):
        module = ns.nn.LSTM(I, H, 2, bidirectional=True, proj_size=2)
        for number, parameter in enumerate(module.parameters()):
            parameter.data = tensor(numbers(number, *parameter.shape))
        x = tensor(numbers(50, 4, 3, I), True)
        output, (h, c) = module(utils(ns).pack_padded_sequence(x, [4, 2, 2]))
        (output.data.sum() + h.sum() + c.sum()).backward()
        return output.data, h, c, x.grad

    agree(torch, candidate, program)


METHODS = ["double", "float", "half", "long", "int", "short", "char", "byte", "cpu"]


@pytest.mark.parametrize("method", METHODS)
def test_conversions(torch, candidate, method):
    def program(ns):
        packed = utils(ns).pack_sequence([ns.ones(1), ns.ones(3)], enforce_sorted=False)
        converted = getattr(packed, method)()
        return converted, converted is packed, type(converted).__name__, packed.is_cuda, packed.is_pinned()

    same(torch, candidate, program)


def test_it_is_a_named_tuple(torch, candidate):
    def program(ns):
        PackedSequence = utils(ns).PackedSequence
        plain = PackedSequence(ns.zeros(3), ns.tensor([2, 1]))
        pair = PackedSequence((ns.zeros(3), ns.tensor([2, 1])), sorted_indices=ns.tensor([1, 0]))
        twin = pickle.loads(pickle.dumps(copy.deepcopy(plain)))
        return repr(plain), repr(pair), twin, plain._fields, isinstance(plain, tuple), plain.to(ns.float64).data.dtype

    same(torch, candidate, program)


def test_permutations(torch, candidate):
    def program(ns):
        return utils(ns).invert_permutation(ns.tensor([2, 0, 1])), utils(ns).invert_permutation(None)

    same(torch, candidate, program)


X = np.arange(30.0, dtype=np.float32).reshape(5, 3, 2)

WRONG = {
    "order": lambda u, ns, x: u.pack_padded_sequence(x, [3, 5, 1]),
    "zero": lambda u, ns, x: u.pack_padded_sequence(x, [5, 3, 0]),
    "negative": lambda u, ns, x: u.pack_padded_sequence(x, [5, 3, -1]),
    "few": lambda u, ns, x: u.pack_padded_sequence(x, [5, 3]),
    "matrix": lambda u, ns, x: u.pack_padded_sequence(x, ns.ones(3, 1)),
    "no batch": lambda u, ns, x: u.pack_padded_sequence(x[:, :0], []),
    "no steps": lambda u, ns, x: u.pack_padded_sequence(x[:0], [1, 1, 1]),
    "vector": lambda u, ns, x: u.pack_padded_sequence(x[:, 0, 0], [1, 1, 1]),
    "floats": lambda u, ns, x: u.pack_padded_sequence(x, ns.tensor([5.0, 3.0, 2.0])),
    "total length": lambda u, ns, x: u.pad_packed_sequence(u.pack_padded_sequence(x, [5, 3, 1]), total_length=4),
    "side": lambda u, ns, x: u.pad_sequence([x], padding_side="up"),
    "nothing to pad": lambda u, ns, x: u.pad_sequence([]),
    "number": lambda u, ns, x: u.pad_sequence(5),
    "numbers": lambda u, ns, x: u.pad_sequence([1, 2]),
    "tensor": lambda u, ns, x: u.pad_sequence(x),
    "generator": lambda u, ns, x: u.pad_sequence(each for each in x),
    "dtypes": lambda u, ns, x: u.pad_sequence([ns.zeros(2), ns.ones(1, dtype=ns.float64)]),
    "shapes": lambda u, ns, x: u.pad_sequence([ns.zeros(2, 3), ns.zeros(2, 2)]),
    "order of sequences": lambda u, ns, x: u.pack_sequence([x[:2], x]),
    "nothing to pack": lambda u, ns, x: u.pack_sequence([]),
    "few lengths": lambda u, ns, x: u.unpad_sequence(x, ns.tensor([2, 4]), True),
    "no pair": lambda u, ns, x: u.PackedSequence(x),
}


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG.keys())
def test_errors(torch, candidate, call):
    same(torch, candidate, lambda ns: call(utils(ns), ns, ns.tensor(X)))
