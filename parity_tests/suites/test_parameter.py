"""`nn.Parameter` and `nn.Buffer`: what they are made from, what they keep, what survives a copy."""

import copy
import pickle

import pytest

from parity_tests.check import Raised, assert_same


def outcome(module, use):
    """`use(module)`, or the error."""
    try:
        return use(module)
    except Exception as error:  # noqa: BLE001  the error is what is compared
        return Raised.of(error)


def named(value):
    return type(value).__name__


def subclass(module):
    return type("Special", (module.nn.Parameter,), {})


MADE_FROM = {
    "nothing": lambda m: m.nn.Parameter(),
    "a tensor": lambda m: m.nn.Parameter(m.ones(2, 3)),
    "a parameter": lambda m: m.nn.Parameter(m.nn.Parameter(m.ones(2))),
    "a result": lambda m: m.nn.Parameter(m.ones(2, requires_grad=True) * 2),
    "a view": lambda m: m.nn.Parameter(m.ones(2, 3).t()),
    "integers": lambda m: m.nn.Parameter(m.tensor([1, 2])),
    "integers without gradient": lambda m: m.nn.Parameter(m.tensor([1, 2]), requires_grad=False),
    "booleans": lambda m: m.nn.Parameter(m.tensor([True])),
    "a list": lambda m: m.nn.Parameter([1.0, 2.0]),
    "a number": lambda m: m.nn.Parameter(2.0),
    "a wrong flag": lambda m: m.nn.Parameter(m.ones(2), requires_grad=1),
    "a subclass": lambda m: subclass(m)(m.ones(2)),
    "an instance of a subclass": lambda m: m.nn.Parameter(subclass(m)(m.ones(2))),
    "a buffer": lambda m: m.nn.Buffer(m.ones(2)),
    "a buffer of nothing": lambda m: m.nn.Buffer(),
    "a buffer of a list": lambda m: m.nn.Buffer([1.0]),
}


@pytest.mark.parametrize("source", MADE_FROM)
def test_made_from(torch, candidate, source):
    assert_same(outcome(torch, MADE_FROM[source]), outcome(candidate, MADE_FROM[source]))


def test_shares_memory_and_version_with_its_data(torch, candidate):
    def versions(module):
        data = module.zeros(3)
        parameter = module.nn.Parameter(data)
        data.add_(1)
        with module.no_grad():
            parameter.mul_(2)
        return data, parameter, data._version, parameter._version

    assert_same(versions(torch), versions(candidate))


def test_requires_grad_in_no_grad(candidate):
    with candidate.no_grad():
        assert candidate.nn.Parameter(candidate.ones(2)).requires_grad


FROM_A_PARAMETER = {
    "product": lambda p: p * 1,
    "detach": lambda p: p.detach(),
    "data": lambda p: p.data,
    "clone": lambda p: p.clone(),
    "item": lambda p: p[0],
    "view": lambda p: p.view(-1),
    "requires_grad_": lambda p: p.requires_grad_(),
    "to its own dtype": lambda p: p.float(),
    "to another dtype": lambda p: p.double(),
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("use", FROM_A_PARAMETER)
def test_class_of_what_is_made_from_a_parameter(torch, candidate, use):
    def result(module):
        return named(FROM_A_PARAMETER[use](module.nn.Parameter(module.ones(2))))

    assert_same(result(torch), result(candidate))


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_copies_keep_what_torchs_keep(torch, candidate, again):
    def kept(module):
        parameter = module.nn.Parameter(module.arange(6.0).view(2, 3).t())
        parameter.grad = module.ones(3, 2)
        parameter.note = "mine"
        other = again(parameter)
        shared = other.data_ptr() == parameter.data_ptr()
        return named(other), other, other.grad is None, hasattr(other, "note"), shared

    assert_same(kept(torch), kept(candidate))


def test_deepcopy_copies_a_shared_parameter_once(candidate):
    parameter = candidate.nn.Parameter(candidate.ones(2))
    first, second = copy.deepcopy([parameter, parameter])
    assert first is second is not parameter


def test_isinstance(torch, candidate):
    def answers(module):
        tensor, parameter = module.ones(2), module.nn.Parameter(module.ones(2))
        buffer = module.nn.Buffer(module.ones(2), persistent=False)
        classes = (module.Tensor, module.nn.Parameter, module.nn.Buffer, subclass(module))
        values = (tensor, parameter, buffer, subclass(module)(tensor))
        return [isinstance(value, kind) for value in values for kind in classes], buffer.persistent

    assert_same(answers(torch), answers(candidate))
