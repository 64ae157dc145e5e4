"""`device` and `Size`: the two small value types that every tensor shows."""

import copy
import pickle
from operator import add

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.check import Raised, assert_same


def outcome(module, use):
    """The text of `use(module)`, or the error."""
    try:
        return repr(use(module))
    except Exception as error:  # noqa: BLE001  the error is what is compared
        return Raised.of(error)


def same_outcome(torch, candidate, use):
    assert_same(outcome(torch, use), outcome(candidate, use))


DEVICES = [
    ("cpu",),
    ("cpu", 0),
    ("cpu:1",),
    ("cuda",),
    ("cuda:3",),
    ("cuda", 1),
    ("cuda:0", 1),
    ("meta",),
    ("mps",),
    ("foo",),
    ("foo:0",),
    ("CPU",),
    ("cpu ",),
    ("",),
    (":0",),
    ("cuda:",),
    ("cuda:a",),
    ("cuda:01",),
    ("cuda:-1",),
    ("cuda:1:2",),
    ("cuda:99999999999",),
    ("cpu", -1),
    ("cpu", None),
    ("cpu", "0"),
    ("cpu", 1.0),
    ("cpu", True),
    (b"cpu",),
    (None,),
    (1.5,),
    (0,),
    (-1,),
    (),
]


@pytest.mark.parametrize("arguments", DEVICES, ids=repr)
def test_device_takes_what_torchs_takes(torch, candidate, arguments):
    same_outcome(torch, candidate, lambda module: module.device(*arguments))


@pytest.mark.parametrize("named", [{"type": "cpu"}, {"type": "cuda", "index": 1}, {"device": "cpu"}, {"typ": "x"}])
def test_device_by_keyword(torch, candidate, named):
    same_outcome(torch, candidate, lambda module: module.device(**named))


@given(text=st.from_regex(r"[a-z_]{0,4}(:[0-9a]{0,3})?", fullmatch=True))
def test_any_device_string(torch, candidate, text):
    same_outcome(torch, candidate, lambda module: module.device(text))


@pytest.mark.parametrize("where", ["cuda", "cuda:0", "xpu", "mps", "vulkan", "xla", "mtia", "hpu", 0, "cpu:5"])
def test_a_device_that_is_not_there(torch, candidate, where):
    same_outcome(torch, candidate, lambda module: module.tensor([1.0], device=where).device)


def test_devices_compare_by_value(candidate):
    device = candidate.device
    assert device("cuda:1") == device("cuda", 1) != device("cuda")
    assert hash(device("cuda:1")) == hash(device("cuda", 1))
    assert device("cpu") != "cpu"


def test_devices_have_no_order(torch, candidate):
    same_outcome(torch, candidate, lambda module: module.device("cpu") < module.device("cuda"))


@pytest.mark.parametrize("name", ["type", "index", "other"])
def test_devices_do_not_change(torch, candidate, name):
    same_outcome(torch, candidate, lambda module: setattr(module.device("cpu"), name, 1))


SIZES = {
    "empty": lambda size: size(),
    "from a generator": lambda size: size(n for n in (1, 2)),
    "from a bool": lambda size: size([True]),
    "of a float": lambda size: size([2, 2.5]),
    "of a string": lambda size: size("ab"),
    "of None": lambda size: size([None]),
    "of an int": lambda size: size(2),
    "too large": lambda size: size([2**63]),
    "item": lambda size: size([2, 3])[-1],
    "slice": lambda size: size([2, 3, 4])[::-2],
    "plus tuple": lambda size: add(size([2, 3]), (4,)),
    "tuple plus": lambda size: add((4,), size([2, 3])),
    "plus Size": lambda size: add(size([2]), size([3])),
    "plus list": lambda size: add(size([2]), [3]),
    "plus int": lambda size: add(size([2]), 5),
    "plus strings": lambda size: add(size([2]), ("a",)),
    "times": lambda size: 2 * size([2, 3]),
    "times float": lambda size: size([2, 3]) * 2.0,
    "numel": lambda size: size([2, 3]).numel(),
    "numel of nothing": lambda size: size([]).numel(),
    "equals a tuple": lambda size: size([2, 3]) == (2, 3),
    "index": lambda size: size([2, 3]).index(3),
    "out of range": lambda size: size([2, 3])[2],
    "text": lambda size: f"{size([2, 3])}",
    "copy": lambda size: copy.deepcopy(size([2, 3])),
}


@pytest.mark.parametrize("use", SIZES)
def test_size_behaves_as_torchs(torch, candidate, use):
    same_outcome(torch, candidate, lambda module: SIZES[use](module.Size))


@pytest.mark.parametrize("build", [lambda m: m.Size([2, 3]), lambda m: m.device("cuda", 1)])
def test_pickles_come_back(candidate, build):
    again = pickle.loads(pickle.dumps(build(candidate)))
    assert again == build(candidate)
    assert type(again) is type(build(candidate))


@given(shape=st.lists(st.integers(0, 3), max_size=4))
def test_shapes_are_sizes(torch, candidate, shape):
    same_outcome(torch, candidate, lambda module: module.zeros(shape).shape)
