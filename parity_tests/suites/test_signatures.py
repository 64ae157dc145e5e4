"""Wrong calls: every function and method refuses them in torch's words."""

import dataclasses
import re
import types
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity_tests.check import assert_same
from parity_tests.suites._programs import run, same

# What an argument may be: each is made anew in the world that it is used in.
VALUES = {
    "tensor": lambda ns: ns.ones(2, 3),
    "mask": lambda ns: ns.ones(2, 3).bool(),
    "0-d": lambda ns: ns.tensor(1.0),
    "0-d int": lambda ns: ns.tensor(1),
    "leaf": lambda ns: ns.tensor(1.0, requires_grad=True),
    "parameter": lambda ns: ns.nn.Parameter(ns.ones(2, 3)),
    "int": lambda ns: 1,
    "float": lambda ns: 0.5,
    "bool": lambda ns: True,
    "str": lambda ns: "a",
    "None": lambda ns: None,
    "ints": lambda ns: (0, 1),
    "int list": lambda ns: [1],
    "empty": lambda ns: (),
    "floats": lambda ns: (1.5, 2),
    "bools": lambda ns: (True, 0),
    "bad element": lambda ns: (0, 1.5),
    "nested": lambda ns: [[1], 2],
    "size": lambda ns: ns.ones(1, 2).shape,
    "tensors": lambda ns: [ns.ones(2, 3), ns.ones(2, 3)],
    "half tensors": lambda ns: (ns.ones(2, 3), 3),
    "dtype": lambda ns: ns.float32,
    "device": lambda ns: ns.device("cpu"),
    "layout": lambda ns: ns.strided,
    "class": lambda ns: float,
    "dict": lambda ns: {},
    "slice": lambda ns: slice(1),
    "array": lambda ns: np.ones((2, 3), np.float32),
    "NumPy int": lambda ns: np.int64(1),
    "NumPy float": lambda ns: np.float64(1),
    "NumPy bool": lambda ns: np.bool_(True),
    "NumPy half": lambda ns: np.float16(1),
    "NumPy unsigned": lambda ns: np.uint64(1),
    "NumPy complex": lambda ns: np.complex64(1),
    "NumPy ints": lambda ns: (np.int64(0), np.int64(1)),
    "NumPy dtype": lambda ns: np.float32,
    "0-d array": lambda ns: np.array(1.0),
    "array of ints": lambda ns: np.array([0, 1]),
    "arrays": lambda ns: [np.ones((2, 3), np.float32)] * 2,
    "int of 65 bits": lambda ns: 2**64,
    "long": lambda ns: 2**63,
    "complex": lambda ns: 1j,
    "nan": lambda ns: float("nan"),
    "range": lambda ns: range(2),
    "set": lambda ns: {1},
    "bytes": lambda ns: b"a",
    "Ellipsis": lambda ns: ...,
    "tensors of ints": lambda ns: [ns.tensor(0), ns.tensor(1)],
    "Nones": lambda ns: (None, None),
    "generator": lambda ns: ns.Generator(),
}
KEYWORDS = (
    "input", "self", "other", "dim", "axis", "keepdim", "keepdims", "dtype", "x", "x1", "x2", "a", "size", "foo", "bar",
)  # fmt: skip

values = st.sampled_from(sorted(VALUES))
likely = st.sampled_from(["tensor", "tensor", "int", "ints", "float"]) | values
calls = st.tuples(
    st.lists(likely, max_size=5).map(tuple),
    st.dictionaries(st.sampled_from(KEYWORDS), values, max_size=2) | st.just({}),
)


def names_of(torch, candidate, kind):
    """What torch has written in C, and the candidate has, too: the functions and methods with torch's argument parser."""
    return [
        name
        for name in dir(torch)
        if not name.startswith("_") and isinstance(getattr(torch, name), kind) and hasattr(candidate, name)
    ]


def refusal(ns, find, call):
    """The TypeError of a call, or None."""
    args, kwargs = call
    args = [VALUES[each](ns) for each in args]
    kwargs = {name: VALUES[each](ns) for name, each in kwargs.items()}
    outcome = run(ns, lambda ns: find(ns)(*args, **kwargs))
    if getattr(outcome, "kind", None) != "TypeError":
        return None
    # CPython names the class of a method without arguments in several ways, as it has run the call before or not.
    return dataclasses.replace(outcome, message=re.sub(r"^\w+\.(\w+\(\) takes no)", r"Tensor.\1", outcome.message))


def refuses_alike(torch, candidate, find, call):
    assert_same(refusal(torch, find, call), refusal(candidate, find, call))


@pytest.fixture(scope="module")
def functions(torch, candidate):
    return names_of(torch, candidate, types.BuiltinFunctionType)


@pytest.fixture(scope="module")
def methods(torch, candidate):
    return names_of(torch.Tensor, candidate.Tensor, types.MethodDescriptorType)


many = settings(max_examples=800)


@many
@given(data=st.data(), call=calls)
def test_functions(torch, candidate, functions, data, call):
    name = data.draw(st.sampled_from(functions))
    refuses_alike(torch, candidate, lambda ns: getattr(ns, name), call)


@many
@given(data=st.data(), call=calls, own=st.sampled_from(["tensor", "mask", "parameter"]))
def test_methods(torch, candidate, methods, data, call, own):
    name = data.draw(st.sampled_from(methods))
    refuses_alike(torch, candidate, lambda ns: getattr(ns.Tensor, name), ((own, *call[0]), call[1]))


NN = ("linear", "gelu", "softplus", "softshrink", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle")


@given(name=st.sampled_from(NN), call=calls)
def test_functions_of_nn(torch, candidate, name, call):
    refuses_alike(torch, candidate, lambda ns: getattr(ns.nn.functional, name), call)


SPECIAL = {
    "two values for one": lambda ns, x: ns.softmax(x, 0, dim=1),
    "self by name, too": lambda ns, x: ns.softmax(x, 0, input=x),
    "NumPy's names": lambda ns, x: (ns.sum(x, axis=0, keepdims=True), ns.add(x1=x, x2=x), ns.abs(a=x), ns.neg(x=x)),
    "both names": lambda ns, x: ns.sum(x, axis=0, dim=1),
    "numbers for tensors": lambda ns, x: (ns.add(1, 2), ns.mul(True, 2), ns.sub(1.5, x)),
    "but not of every function": lambda ns, x: ns.eq(1, x),
    "a tensor for an int": lambda ns, x: (x.cumsum(ns.tensor(0)), x.sum(ns.tensor(1)), x.view(ns.tensor(3), 2)),
    "a NumPy int": lambda ns, x: (x.sum(np.int64(0)), x.cumsum(np.int32(1)), x.sum((np.int64(0),))),
    "a tensor for a number": lambda ns, x: x.clamp(1, ns.tensor(3.0)),
    "but not one that requires grad": lambda ns, x: ns.clamp(x, 1, ns.tensor(3.0, requires_grad=True)),
    "an int too big for C": lambda ns, x: x.cumsum(2**70),
    "and in a sequence": lambda ns, x: x.sum((0, 2**63)),
    "and among sizes": lambda ns, x: x.view(2**64, 3),
    "and for one of several": lambda ns, x: x.roll(2**63),
    "and for a dimension of a size": lambda ns, x: x.size(2**63),
    "and for an element": lambda ns, x: x.masked_fill(x > 0, 2**64),
    "64 bits for an element": lambda ns, x: (x.masked_fill(x > 0, 2**63), x.index_fill(0, ns.tensor([0]), 2**64 - 1)),
    "64 bits for an int64": lambda ns, x: x.long().scatter(0, ns.tensor([[0]]), 2**63),
    "an array for the first operand": lambda ns, x: ns.add(np.ones((2, 3), np.float32), x),
    "and for that of a power": lambda ns, x: ns.pow(np.array(2.0), x),
    "an array for a bound": lambda ns, x: x.clamp(x, np.ones((2, 3), np.float32)),
    "an array for a weight": lambda ns, x: x.lerp(x, np.array(0.5)),
    "none for a weight": lambda ns, x: x.lerp(x, None),
    "an array for a choice": lambda ns, x: ns.where(x > 0, np.ones(1), x),
    "an array for a bias": lambda ns, x: ns.nn.functional.linear(x, x, np.ones(2)),
    "an array for a class": lambda ns, x: ns.nn.functional.one_hot(np.array([0])),
    "unsigned ones of NumPy's": lambda ns, x: (x.mul(np.uint64(3)), ns.sub(np.uint16(3), x), x + np.uint64(2)),
    "wide ones of NumPy's": lambda ns, x: (x.mul(np.longdouble(3)), ns.pow(np.longdouble(2), x), x / np.longdouble(2)),
    "complex ones of NumPy's": lambda ns, x: (x.mul(np.complex64(3j)), x + np.complex64(1), x.fill_(np.complex64(1j))),
    "complex ones of Python's": lambda ns, x: (x.mul(np.complex128(3j)), x.long() * np.complex128(1j)),
    "truth values of NumPy's": lambda ns, x: (
        x.sub(np.bool_(True)),
        x.long() * np.bool_(True),
        x.long().mul(np.bool_(1)),
    ),
    "half of NumPy's": lambda ns, x: (x.long().mul(np.float16(2)), x.add(np.float16(2)), np.float16(2) * x),
    "a number for a tensor's dtype": lambda ns, x: (x.to(0.5), x.to(1j), x.to(True), x.to(np.float64(1))),
    "bytes for a string": lambda ns, x: (x.div(x + 1, rounding_mode=b"floor"), x.to(b"cpu")),
    "no self": lambda ns, x: ns.Tensor.exp(),
    "no self of a method of one line": lambda ns, x: ns.Tensor.dim(),
    "no self of a method with a default": lambda ns, x: ns.Tensor.size(dim=0),
    "no self of a composed method": lambda ns, x: ns.Tensor.tensor_split(),
    "no self of a method that converts": lambda ns, x: ns.Tensor.to(dtype=ns.float64),
    "no self of a conversion": lambda ns, x: ns.Tensor.double(),
    "no self of a fill": lambda ns, x: ns.Tensor.geometric_(p=0.5),
    "no self of a scatter": lambda ns, x: ns.Tensor.scatter_(dim=0),
    "no self of what is asked of storages": lambda ns, x: ns.Tensor.untyped_storage(),
    "no self of `new`": lambda ns, x: ns.Tensor.new_zeros(size=(1,)),
    "a size by name": lambda ns, x: (x.size(dim=0), x.size(dim=ns.tensor(1)), x.size(None), x.stride(dim=-1)),
    "a size by NumPy's name": lambda ns, x: (x.size(axis=0), x.stride(axis=1)),
    "two dims for a size": lambda ns, x: x.size(0, dim=1),
    "a dim of the wrong type by name": lambda ns, x: x.size(dim="a"),
    "a dim of the wrong type": lambda ns, x: x.stride(1.5),
    "a dim that is none": lambda ns, x: x.size(5),
    "a keyword for a method of one line": lambda ns, x: x.dim(foo=1),
    "several keywords": lambda ns, x: x.sum(1, 2, 3, 4, keepdims=1, self=2, x=3, other=4, foo=5, bar=6, a=7),
    "one argument, by name": lambda ns, x: x.apply_(callable=abs),
    "no argument where there is one": lambda ns, x: x.apply_(),
    "no argument of a function": lambda ns, x: ns.from_numpy(),
    "what cannot be called": lambda ns, x: x.map_(x, ns.float32),
    "what has no dtype in common": lambda ns, x: x.map_(x.bool(), max),
    "an argument of a question": lambda ns, x: ns.is_grad_enabled(x),
    "a keyword of a setting": lambda ns, x: ns.get_default_dtype(d=ns.float32),
    "a number for a name": lambda ns, x: ns.is_autocast_enabled(3),
    "a layout that there is not": lambda ns, x: x.to_sparse_csr("a"),
    "what is no subclass": lambda ns, x: x.as_subclass(cls=float),
    "three tensors by position": lambda ns, x: (ns.layer_norm(x, [3], None), ns.layer_norm(x, (3,), ns.ones(3))),
    "the same types in two orders": lambda ns, x: (
        ns.sub(x, 2, x),
        ns.subtract(x, 0.5, alpha=1),
        ns.subtract(x, 0.5, 1),
    ),
    "a start that is a tensor": lambda ns, x: (ns.narrow(x, 0, ns.tensor(1), 1), x.narrow(0, ns.tensor(0), 1)),
    "and one that is no number": lambda ns, x: x.narrow(0, ns.tensor([0]), 1),
    "an argument too many": lambda ns, x: x.item(3),
    "one for a method without": lambda ns, x: x.exp_(3),
    "a keyword for a method without": lambda ns, x: x.exp(foo=3),
    "a class for a dtype": lambda ns, x: x.sum(0, dtype=float),
    "sizes apart": lambda ns, x: (x.view(3, 2), x.permute(1, 0), x.expand(4, 2, 3), x.repeat(2, 1), x.squeeze(0, 1)),
    "sizes apart of a function": lambda ns, x: ns.permute(x, 1, 0),
    "sizes apart and a keyword": lambda ns, x: x.reshape(2, 3, shape=1),
    "a bad size": lambda ns, x: x.view(1, "a"),
    "two sizes that are left open, and a bad one": lambda ns, x: x.view(-1, -1, -2),
    "a bad one between them": lambda ns, x: x.view(-1, -2, -1),
    "two bad sequences": lambda ns, x: x.as_strided((0, 1.5), (0, 1.5)),
    "and of a function": lambda ns, x: ns.empty_permuted((0, 1.5), (0, "a")),
    "two bad sequences by name": lambda ns, x: ns.roll(x, dims=(0, "a"), shifts=(0, 1.5)),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_special_cases(torch, candidate, name):
    same(torch, candidate, lambda ns: SPECIAL[name](ns, ns.arange(6.0).reshape(2, 3)))


# What stays apart: why, and a call.
ACCEPTED = {
    "an integer of 65 bits": (
        "a kernel over NumPy takes it as it is; to look for it would cost every call",
        lambda ns, x: x + 2**64,
    ),
    "sparse tensors": ("there are none, which an error says by name", lambda ns, x: x.to_sparse().is_sparse),
    "compressed sparse tensors": (
        "there are none, which an error says by name",
        lambda ns, x: x.to_sparse_csr().is_sparse,
    ),
    "tensors of another library": (
        "there are none, which an error says by name",
        lambda ns, x: x.to_mkldnn().is_mkldnn,
    ),
}


def _expected_to_fail(name, reason):
    return pytest.param(name, marks=pytest.mark.xfail(reason=reason, strict=True))


@pytest.mark.parametrize("name", [_expected_to_fail(name, reason) for name, (reason, _) in ACCEPTED.items()])
def test_accepted_differences(torch, candidate, name):
    same(torch, candidate, lambda ns: ACCEPTED[name][1](ns, ns.arange(6.0).reshape(2, 3)))


DEPRECATED = {
    "add": lambda x, y: x.add(2, y),
    "addmm": lambda x, y: x.addmm(2, 3, y, y),
    "addmm with beta alone": lambda x, y: x.addmm(2, y, y),
}


@pytest.mark.parametrize("name", DEPRECATED)
def test_deprecated_signatures_work_and_warn(torch, candidate, name):
    """torch warns once in a process, which may have been before."""

    def program(ns):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return DEPRECATED[name](ns.ones(2, 2), ns.arange(4.0).reshape(2, 2))

    same(torch, candidate, program)


def test_a_deprecated_signature_is_named_in_a_warning(candidate):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        candidate.addcmul(candidate.ones(2), 2, candidate.ones(2), candidate.ones(2))
    assert [str(each.message).split("\n")[0] for each in caught] == ["This overload of addcmul is deprecated:"]
