"""Storages: their contents and identity, tensors laid into them, resizing, `set_`, `data`, and what shares memory."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import same


def lies(tensor, first):
    """Where a tensor lies, relative to the storage of another."""
    ours, theirs = tensor.untyped_storage(), first.untyped_storage()
    return (
        tuple(tensor.shape),
        tensor.stride(),
        tensor.storage_offset(),
        ours.nbytes(),
        ours._cdata == theirs._cdata,
        tensor._version,
        tensor._is_view(),
    )


def quietly(program):
    """A program whose warnings, of which torch gives some once in the life of a process, are not looked at."""

    def run(ns):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return program(ns)

    return run


FACTS = {}


def fact(program):
    FACTS[program.__name__] = program
    return program


@fact
def the_bytes(ns):
    x = ns.tensor([[1, 2], [3, 256]], dtype=ns.int16)
    s = x[1].untyped_storage()
    return s.nbytes(), s.size(), len(s), s.tolist(), s[0], s[-1], s[1:3].tolist(), list(s), repr(s), s.element_size()


@fact
def kinds_of_storage(ns):
    s = ns.zeros(1).untyped_storage()
    return s.is_cuda, s.is_shared(), s.is_pinned(), s.resizable(), str(s.device), type(s).__name__, ns.is_storage(s)


@fact
def identity(ns):
    x = ns.zeros(2, 3)
    s, other = x.untyped_storage(), ns.zeros(6).untyped_storage()
    return (
        s == x.t().untyped_storage(), s is x.untyped_storage(), s == other, s._cdata == x[1].untyped_storage()._cdata,
        s._cdata == other._cdata, s.data_ptr() == x.data_ptr(), s._cdata == x.clone().untyped_storage()._cdata,
        s._cdata == x.detach().untyped_storage()._cdata, s._cdata == x.data.untyped_storage()._cdata,
    )  # fmt: skip


@fact
def a_byte_that_is_not_there(ns):
    return ns.zeros(2).untyped_storage()[8]


@fact
def a_byte_by_name(ns):
    return ns.zeros(2).untyped_storage()["a"]


@fact
def bytes_written(ns):
    x = ns.zeros(2, dtype=ns.uint8)
    s = x.untyped_storage()
    s[0] = 3
    s[1:2] = 4
    return x, s.copy_(ns.tensor([7, 8], dtype=ns.uint8).untyped_storage()).tolist(), x, s.fill_(1).tolist(), x


@fact
def a_storage_of_ones_own(ns):
    return ns.UntypedStorage(4).nbytes(), ns.UntypedStorage([1, 2]).tolist(), ns.UntypedStorage().nbytes()


@fact
def typed_storages(ns):
    x = ns.arange(6.0).reshape(2, 3)
    s = x[1].storage()
    return (
        s.size(), len(s), s.nbytes(), s.dtype, s.tolist(), s[1], s.element_size(), repr(s), s == x.storage(),
        s.data_ptr() == x.data_ptr(), s.untyped() == x.untyped_storage(), s.double().tolist(), s.int().dtype, s.type(),
        ns.FloatStorage([1, 2]).tolist(), ns.LongStorage(2).size(), x.storage_type().__name__, s.pickle_storage_type(),
    )  # fmt: skip


@fact
def an_element_that_is_not_there(ns):
    return ns.zeros(2).storage()[2]


@fact
def elements_by_slice(ns):
    return ns.zeros(2).storage()[0:1]


@fact
def elements_written(ns):
    x = ns.zeros(3)
    x.storage()[1] = 2.5
    return x


@fact
def addresses_of_nothing(ns):
    x = ns.zeros(3)
    return (
        ns.zeros(0).data_ptr(),
        x[3:].data_ptr(),
        ns.zeros(0).untyped_storage().data_ptr(),
        x.narrow(0, 3, 0).storage_offset(),
    )


@fact
def sizes_in_bytes(ns):
    x = ns.zeros(2, 3, dtype=ns.float64)[:, :2]
    return x.element_size(), x.itemsize, x.nbytes, x.untyped_storage().nbytes(), x.numel()


@fact
def shared_memory(ns):
    x = ns.zeros(2)
    return x.is_shared(), x.share_memory_() is x, x.is_shared(), x[:1].is_shared(), ns.zeros(2).is_shared()


@fact
def pinned_memory(ns):
    return ns.zeros(2).is_pinned(), ns.zeros(2).pin_memory()


# -- resize_ ---------------------------------------------------------------------------------------------------------


@fact
def growing(ns):
    y = ns.ones(2, 3)
    row, turned, copy = y[1], y.t(), y.clone()
    y.resize_(4, 4)
    row.add_(1)
    return y.reshape(-1)[:6], row, turned, copy, [lies(each, y) for each in (y, row, turned, copy)]


@fact
def growing_through_a_view(ns):
    y = ns.arange(6.0).reshape(2, 3)
    row = y[1]
    row.resize_(5)[3:].zero_()
    y.add_(1)
    return y, row[:3], lies(y, y), lies(row, y)


@fact
def shrinking(ns):
    y = ns.arange(6.0).reshape(2, 3)
    row = y[1]
    y.resize_(2)
    return y, row, lies(y, y), lies(row, y), y.resize_(6)


@fact
def resizing_to_what_it_is(ns):
    y = ns.zeros(2, 3).t()
    return y.resize_(3, 2), y._version, y.resize_(2, 3), y._version


@fact
def resizing_a_storage(ns):
    x = ns.ones(2, dtype=ns.uint8)
    s = x.untyped_storage()
    s.resize_(4)
    x.add_(1)
    return x.clone(), s.tolist()[:2], s.nbytes(), x.untyped_storage() is s, lies(x.resize_(4), x)


FACTS |= {
    "resize_ of a result": lambda ns: (ns.ones(2, requires_grad=True) * 1).resize_(3),
    "resize_ of a leaf": lambda ns: ns.ones(2, requires_grad=True).resize_(3),
    "resize_ below zero": lambda ns: ns.zeros(2).resize_(-1),
    "resize_ without a size": lambda ns: ns.zeros(2).resize_(),
    "resize_ to a str": lambda ns: ns.zeros(2).resize_("a"),
    "resize_ to no dimensions": lambda ns: ns.ones(2).resize_(()),
    "resize_ with channels last": lambda ns: ns.arange(8.0).resize_(1, 2, 2, 2, memory_format=ns.channels_last),
    "resize_ to a wrong format": lambda ns: ns.zeros(2).resize_(2, 1, memory_format=ns.channels_last),
    "resize_ to preserve": lambda ns: ns.zeros(2).resize_(2, 1, memory_format=ns.preserve_format),
    "resize_as_": lambda ns: ns.arange(6.0).resize_as_(ns.zeros(3, 2).t()),
    "resize_as_, a function": lambda ns: ns.resize_as_(ns.arange(3.0), ns.zeros(2)),
    "resize_as_ a format": lambda ns: ns.arange(8.0).resize_as_(
        ns.zeros(1, 2, 2, 2).contiguous(memory_format=ns.channels_last), memory_format=ns.preserve_format
    ),
    "resize_as_ a number": lambda ns: ns.zeros(2).resize_as_(3),
    "resize": lambda ns: ns.ones(2).resize(1, 2),
    "resize to more": lambda ns: ns.ones(2).resize(3, 3),
    "resize_as": lambda ns: ns.ones(2).resize_as(ns.zeros(1, 2)),
}


# -- set_ and data ---------------------------------------------------------------------------------------------------


def placed(place):
    """What `set_` makes of a tensor, and of what it was laid upon."""

    def program(ns):
        source = ns.arange(6.0).reshape(2, 3)
        x = ns.ones(2)
        result = place(ns, x, source)
        x.view(-1)[:1].add_(10)
        return result is x, x, source, lies(x, source), source._version, x.is_set_to(source)

    return program


for _name, _place in {
    "a tensor": lambda ns, x, source: x.set_(source),
    "a view": lambda ns, x, source: x.set_(source.t()),
    "a row, by name": lambda ns, x, source: x.set_(source=source[1]),
    "a storage": lambda ns, x, source: x.set_(source.untyped_storage()),
    "a typed storage": lambda ns, x, source: x.set_(source.storage()),
    "a place in a storage": lambda ns, x, source: x.set_(source.untyped_storage(), 1, (2,), (3,)),
    "a place by size": lambda ns, x, source: x.set_(source.untyped_storage(), 2, (2, 2)),
    "a place in a tensor": lambda ns, x, source: x.set_(source, 1, (2, 2), (1, 2)),
    "a place before the storage": lambda ns, x, source: x.set_(source.untyped_storage(), -1, (2,)),
    "too few strides": lambda ns, x, source: x.set_(source.untyped_storage(), 0, (2, 2), (1,)),
    "a tensor of another dtype": lambda ns, x, source: x.set_(source.int()),
    "a number": lambda ns, x, source: x.set_(3),
}.items():
    FACTS[f"set_ to {_name}"] = placed(_place)


@fact
def set_to_nothing(ns):
    x = ns.ones(2)
    return x.set_(), x._version, x.untyped_storage().nbytes()


@fact
def set_of_a_leaf(ns):
    return ns.zeros(2, requires_grad=True).set_()


@fact
def set_of_bytes_of_another_dtype(ns):
    return ns.zeros(2, dtype=ns.uint8).set_(ns.tensor([1], dtype=ns.int32).untyped_storage())


@fact
def set_to(ns):
    x = ns.zeros(2, 3)
    return [x.is_set_to(each) for each in (x, x.view(2, 3), x.view(3, 2), x.t(), ns.zeros(2, 3), x.clone(), x.detach())]


@fact
def set_to_a_number(ns):
    return ns.zeros(2).is_set_to(3)


@fact
def data_is_exchanged(ns):
    x, y = ns.zeros(2, requires_grad=True), ns.arange(6.0).reshape(2, 3)
    x.data = y[1]
    (x * 2).sum().backward()
    y[1] = 5
    return x, x._version, x.data_ptr() == y[1].data_ptr(), x._base is None, x.grad


@fact
def data_is_shared_without_history(ns):
    x = ns.ones(2, requires_grad=True)
    d = x.data
    d.add_(1)
    return x, x._version, d._version, d.requires_grad, d._base is None, d.data_ptr() == x.data_ptr()


@fact
def data_of_a_view(ns):
    v = ns.zeros(4)[1:]
    v.data = ns.ones(2, 3)
    return v, v._is_view(), lies(v.data, v)[:3]


FACTS |= {
    "data of another dtype": lambda ns: setattr(ns.zeros(2), "data", ns.ones(3, dtype=ns.int64)),
    "integers as data of a leaf": lambda ns: setattr(ns.zeros(2, requires_grad=True), "data", ns.ones(3).long()),
    "a number as data": lambda ns: setattr(ns.zeros(2), "data", 3),
    "no data": lambda ns: setattr(ns.zeros(2), "data", None),
    "data deleted": lambda ns: delattr(ns.zeros(2), "data"),
}


@pytest.mark.parametrize("program", FACTS.values(), ids=FACTS.keys())
def test_facts(torch, candidate, program):
    same(torch, candidate, quietly(program))


# -- tensors of one storage, in any order of changes -------------------------------------------------------------------

places = st.tuples(st.integers(0, 3), st.lists(st.integers(0, 3), max_size=1), st.integers(1, 3))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("view"), st.integers(0, 5), places),
        st.tuples(st.just("resize"), st.integers(0, 5), st.lists(st.integers(0, 4), max_size=2)),
        st.tuples(st.just("set"), st.integers(0, 5), st.integers(0, 5)),
        st.tuples(st.just("data"), st.integers(0, 5), st.integers(0, 5)),
        st.tuples(st.just("add"), st.integers(0, 5), st.just(None)),
        st.tuples(st.just("flip"), st.integers(0, 5), st.just(None)),
    ),
    max_size=7,
)


@given(steps)
def test_changes_of_tensors_that_share(torch, candidate, steps):
    def program(ns):
        tensors = [ns.arange(12.0).reshape(3, 4), ns.arange(3.0)]
        for what, which, how in steps:
            each = tensors[which % len(tensors)]
            if what == "view":
                offset, size, step = how
                tensors.append(each.as_strided(size, [step] * len(size), offset))
            elif what == "resize":
                before = each.untyped_storage().nbytes() // 4
                each.resize_(how)
                grown = each.untyped_storage().nbytes() // 4 - before
                if grown > 0:  # what is new is undefined in torch
                    ns.empty(0).set_(each.untyped_storage(), before, (grown,)).zero_()
            elif what == "set":
                each.set_(tensors[how % len(tensors)])
            elif what == "data":
                each.data = tensors[how % len(tensors)]
            elif what == "add":
                each.add_(1)
            else:
                tensors.append(each.flatten().flip(0))
        return tensors, [lies(each, other) for each in tensors for other in tensors]

    same(torch, candidate, program)
