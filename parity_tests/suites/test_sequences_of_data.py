"""Tensors of data: numbers, nested sequences, arrays, tensors among them, and what is none of it."""

import array
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import same
from parity_tests.suites._warnings import every_warning, warned

NAMES = ["float16", "float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool", "complex64", "complex128"]
DTYPES = st.sampled_from(NAMES)


def dtyped(torch, dtype):
    return {} if dtype is None else {"dtype": getattr(torch, dtype)}


nested = st.recursive(
    st.sampled_from([0, 1, -3, 2.5, True, False, float("nan")]), lambda items: st.lists(items, max_size=3), max_leaves=6
)


@given(nested, st.none() | DTYPES, st.booleans())
def test_from_nested_lists(torch, candidate, data, dtype, as_tensor):
    name = "as_tensor" if as_tensor else "tensor"
    same(torch, candidate, lambda ns: getattr(ns, name)(data, **dtyped(ns, dtype)))


@given(DTYPES, st.none() | DTYPES, st.data())
def test_new_tensor(torch, candidate, dtype, other, data):
    values = data.draw(nested)
    same(torch, candidate, lambda ns: ns.ones(1, **dtyped(ns, dtype)).new_tensor(values, **dtyped(ns, other)))


class Indexable:
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return [1, 2.5][index]


class Convertible:
    def __float__(self):
        return 1.5


class Index:
    def __index__(self):
        return 3


class OfInterface:
    __array_interface__ = np.arange(3).__array_interface__


itself = []
itself.append(itself)


@pytest.mark.parametrize("dtype", [None, "float32", "int64", "uint8", "bool", "float16", "complex64"])
@pytest.mark.parametrize(
    "data",
    [
        [[1], [1, 2]],
        [[1, 2], [3]],
        [1, [2]],
        [[1], 2],
        "text",
        ["a"],
        [None],
        None,
        {},
        object,
        [1, 2.0, True],
        [True, 2],
        [[]],
        [[], []],
        [[], [1]],
        (1, 2),
        [(1, 2), [3, 4]],
        range(3),
        2**40,
        2**63,
        [1e300],
        [[[1]], [2]],
        [3, [1]],
        {1, 2},
        [[1, 2], {3, 4}],
        [[1, 2], "ab"],
        [[1, 2], (each for each in (3, 4))],
        b"ab",
        [b"ab"],
        bytearray(b"ab"),
        memoryview(b"ab"),
        array.array("f", [1, 2]),
        [range(2), range(2)],
        iter([1]),
        Indexable(),
        [Indexable(), [3, 4]],
        Convertible(),
        [Convertible()],
        Index(),
        [Index()],
        OfInterface(),
        Fraction(1, 2),
        [Fraction(1, 2)],
        Decimal(1),
        np.float32(1.5),
        np.bool_(True),
        [np.bool_(True)],
        [np.bool_(True), 2],
        [np.float32(1.5), np.int64(2)],
        [np.float64(1.5), 2],
        np.str_("a"),
        np.datetime64(1, "s"),
        np.longdouble(1),
        [np.array([1, 2]), np.array([3, 4])],
        [np.array(1.5), 2],
        [[], [1.5]],
        [()],
        300,
        [300],
        -255,
        [-256],
        1.7,
        [1.7, -1.7],
        [1e10],
        [float("nan")],
        70000,
        [1.0000610, 1 + 2**-11 + 2**-40],
        1j,
        [1, 2j],
        [1 + 0j],
        [2**63, 1.5],
        [2**63, -1],
        2**70,
        itself,
    ],
    ids=lambda data: re.sub("0x[0-9a-f]+", "", repr(data)),
)
def test_data_of_every_kind(torch, candidate, data, dtype):
    with every_warning(torch, candidate):
        same(torch, candidate, lambda ns: warned(ns, lambda ns: ns.tensor(data, **dtyped(ns, dtype))))


@pytest.mark.parametrize("dtype", [None, "float32", "int64", "bool"])
@pytest.mark.parametrize(
    "make",
    [
        lambda ns: ns.ones(2, 3).t(),
        lambda ns: ns.ones(2, 3).t().requires_grad_(),
        lambda ns: ns.ones(1, 3).expand(4, 3),
        lambda ns: [ns.tensor(1.5), ns.tensor(2)],
        lambda ns: [ns.tensor([1]), 2.5],
        lambda ns: [ns.tensor(True), 1],
        lambda ns: [[1, 2], ns.tensor([3, 4])],
        lambda ns: [ns.tensor([3, 4]), [1, 2]],
        lambda ns: [ns.tensor(1.5, dtype=ns.float64)],
        lambda ns: [ns.tensor(2.0)],
        lambda ns: ns.Size([1, 2]),
        lambda ns: [ns.Size([1, 2]), (3, 4)],
    ],
)
@pytest.mark.parametrize("name", ["tensor", "as_tensor", "new_tensor"])
def test_data_with_tensors(torch, candidate, name, make, dtype):
    def program(ns):
        data = make(ns)
        made = getattr(ns.ones(1) if name == "new_tensor" else ns, name)(data, **dtyped(ns, dtype))
        return made, made is data

    same(torch, candidate, lambda ns: warned(ns, program))
