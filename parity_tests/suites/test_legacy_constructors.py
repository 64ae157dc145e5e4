"""The constructors of old: sizes or data, by form; types that are none."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import same
from parity_tests.suites._warnings import every_warning, warned

TYPED = ["Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool"]
constructors = st.sampled_from(["Tensor", *(f"{each}Tensor" for each in TYPED)])

EVERYWHERE = ["Tensor", "FloatTensor", "LongTensor", "BoolTensor", "new"]


def constructor(ns, name):
    return ns.ones(2, dtype=ns.float64).new if name == "new" else getattr(ns, name)


def readable(tensor):
    """A tensor that NumPy can show: bfloat16 widened, whose values that does not change."""
    return (str(tensor.dtype), tensor.float() if tensor.dtype.itemsize == 2 else tensor)


@given(constructors, st.lists(st.integers(0, 3), max_size=3), st.booleans())
def test_sizes_make_memory(torch, candidate, name, size, as_size):
    def program(ns):
        made = getattr(ns, name)(ns.Size(size)) if as_size else getattr(ns, name)(*size)
        return made.zero_().shape, str(made.dtype), made.stride(), made.requires_grad, type(made).__name__

    same(torch, candidate, program)


numbers = st.sampled_from([0, 1, -3, 100, 2.5, True, False, 300, -200, 2**40])
sequences = st.recursive(numbers, lambda each: st.lists(each, max_size=3) | st.lists(each, max_size=2).map(tuple))


@given(constructors, sequences.filter(lambda data: isinstance(data, (list, tuple))))
def test_sequences_are_data(torch, candidate, name, data):
    same(torch, candidate, lambda ns: readable(getattr(ns, name)(data)))


@pytest.mark.parametrize("name", EVERYWHERE)
@pytest.mark.parametrize(
    "call",
    [
        lambda ns, make: make(device="cpu"),
        lambda ns, make: make([2.5], device="cpu"),
        lambda ns, make: make(2, device="cuda"),
        lambda ns, make: make(ns.ones(2), device="cpu"),
        lambda ns, make: make(5.0),
        lambda ns, make: make(True),
        lambda ns, make: make("a"),
        lambda ns, make: make(["a"]),
        lambda ns, make: make(None),
        lambda ns, make: make([None]),
        lambda ns, make: make({1: 2}),
        lambda ns, make: make(iter([1])),
        lambda ns, make: make(range(3)),
        lambda ns, make: make(bytearray(b"ab")),
        lambda ns, make: make([1j]),
        lambda ns, make: make(-1),
        lambda ns, make: make(2, -1),
        lambda ns, make: make(2, "a"),
        lambda ns, make: make("a", 2),
        lambda ns, make: make([1, 2], 3),
        lambda ns, make: make((1, 2), (3, 4)),
        lambda ns, make: make([[1, 2], [3]]),
        lambda ns, make: make(2**40, 2**40),
        lambda ns, make: make([1.0], requires_grad=True),
        lambda ns, make: make([1], dtype=ns.float32),
        lambda ns, make: make(data=[1, 0]),
        lambda ns, make: make(size=(2,)).shape,
        lambda ns, make: make(np.int64(3)).shape,
        lambda ns, make: make(ns.tensor(3), 2).shape,
        lambda ns, make: make([ns.tensor(1), ns.tensor(0)]),
    ],
)
def test_forms_of_the_call(torch, candidate, name, call):
    same(torch, candidate, lambda ns: call(ns, constructor(ns, name)))


@pytest.mark.parametrize("name", EVERYWHERE)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_of_a_tensor_it_is_another_on_the_same_memory(torch, candidate, name, dtype):
    def program(ns):
        x = ns.zeros(2, 3, dtype=getattr(ns, dtype)).t()
        other = constructor(ns, name)(x)
        other.fill_(1)
        return x, other, other is x

    same(torch, candidate, program)


@pytest.mark.parametrize("name", ["Tensor", "FloatTensor", "new"])
def test_of_a_tensor_that_requires_grad(torch, candidate, name):
    def program(ns):
        x = ns.ones(2, dtype=ns.float64 if name == "new" else ns.float32, requires_grad=True)
        other = constructor(ns, name)(x * 2)
        other.sum().backward()
        return other, x.grad

    same(torch, candidate, program)


@given(st.sampled_from(["Tensor", "FloatTensor", "LongTensor"]), st.sampled_from(["float32", "int64", "bool"]))
def test_of_an_array_it_shares_memory_where_the_dtype_allows(torch, candidate, name, dtype):
    def program(ns):
        array = np.ones((2, 3), dtype)
        made = getattr(ns, name)(array)
        made.zero_()
        return made, array.tolist()

    same(torch, candidate, program)


@pytest.mark.parametrize("typed", ["FloatTensor", "LongTensor"])
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_of_a_storage(torch, candidate, typed, dtype):
    def program(ns):
        x = ns.arange(4).to(getattr(ns, dtype))
        made = getattr(ns, typed)(x.untyped_storage())
        made.fill_(7)
        return made, x

    same(torch, candidate, program)


def test_the_default_dtype_is_that_of_tensor(torch, candidate):
    def program(ns):
        ns.set_default_dtype(ns.float64)
        try:
            return ns.Tensor([1]), ns.Tensor(2).dtype.itemsize, ns.FloatTensor([1]), ns.Tensor().type()
        finally:
            ns.set_default_dtype(ns.float32)

    same(torch, candidate, program)


@pytest.mark.parametrize("name", TYPED)
def test_types(torch, candidate, name):
    def program(ns):
        kind = getattr(ns, f"{name}Tensor")
        x = ns.zeros(2).type(kind)
        return (
            str(kind).replace(ns.__name__, "torch"), kind.__name__, str(kind.dtype), str(kind.layout), kind.is_cuda,
            isinstance(x, kind), isinstance(x, ns.Tensor), isinstance(ns.zeros(2, dtype=ns.complex64), kind),
            isinstance(ns.zeros(1), kind), isinstance(3, kind), x.type(), type(x).__name__, isinstance(kind, type),
            pickle.loads(pickle.dumps(kind)) is kind,
        )  # fmt: skip

    same(torch, candidate, program)


def test_a_type_has_no_subclasses(torch, candidate):
    same(torch, candidate, lambda ns: type("Mine", (ns.FloatTensor,), {}))


@pytest.mark.parametrize(
    "name", ["DoubleTensor", "HalfTensor", "IntTensor", "Tensor", "torch.DoubleTensor", "foo", "3"]
)
def test_set_default_tensor_type(torch, candidate, name):
    def program(ns):
        given = {"torch.DoubleTensor": name, "foo": name, "3": 3}.get(name) or getattr(ns, name)
        try:
            ns.set_default_tensor_type(given)
            return str(ns.get_default_dtype()), ns.Tensor([1]).type(), ns.tensor(1.0).type()
        finally:
            ns.set_default_dtype(ns.float32)

    with every_warning(torch, candidate):
        same(torch, candidate, lambda ns: warned(ns, program))


def test_subclasses_are_made_by_the_same_forms(torch, candidate):
    def program(ns):
        class Mine(ns.Tensor):
            pass

        x = ns.ones(2)
        made = [Mine([1.0, 2]), Mine(x), Mine(x.long()), Mine()]
        return [(type(each).__name__, str(each.dtype), each.tolist()) for each in made], Mine(2, 3).shape

    same(torch, candidate, program)


@pytest.mark.parametrize("device", ["cpu", "cuda", "foo", None, 3.5, 0])
def test_the_default_device(torch, candidate, device):
    def program(ns):
        try:
            ns.set_default_device(device)
            return ns.zeros(1).device.type, str(ns.get_default_device())
        finally:
            ns.set_default_device(None)

    same(torch, candidate, program)


def test_a_device_is_a_context(torch, candidate):
    def program(ns):
        with ns.device("cpu") as device:
            return str(device), ns.zeros(2).device.type, str(ns.get_default_device())

    same(torch, candidate, program)
