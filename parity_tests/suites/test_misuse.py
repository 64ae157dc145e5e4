"""Misuse: calls with values that do not go together fail alike, and leave what they were given as it was."""

import types

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from parity_tests.cases.misuse import Operand, Schemas
from parity_tests.check import Raised, assert_same
from parity_tests.suites._programs import run, same

pytestmark = pytest.mark.filterwarnings("ignore")

_C_TYPES = (types.BuiltinFunctionType, types.MethodDescriptorType)
# Functions of nn, which have suites of their own.
_OF_NN = (
    "adaptive_avg_pool1d", "adaptive_max_pool1d", "avg_pool1d", "batch_norm", "bilinear", "celu", "celu_", "channel_shuffle",
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "embedding",
    "embedding_renorm_", "group_norm", "gru", "gru_cell", "instance_norm", "layer_norm", "lstm", "lstm_cell", "max_pool1d",
    "max_pool1d_with_indices", "max_pool2d", "max_pool3d", "native_batch_norm", "native_group_norm", "native_layer_norm",
    "prelu", "rms_norm", "rnn_relu", "rnn_relu_cell", "rnn_tanh", "rnn_tanh_cell", "rrelu", "rrelu_",
)  # fmt: skip
# What changes the state of the process, or leaves memory behind that nobody may read.
_NOT_CALLED = (
    "as_strided_", "empty", "empty_like", "empty_permuted", "empty_strided", "initial_seed", "manual_seed", "new_empty",
    "new_empty_strided", "resize_", "seed", "set_", "set_grad_enabled",
)  # fmt: skip
# What minitorch_like refuses by name, here to be recognised in its messages.
_REFUSALS = ("dense tensors only", "has no torch.complex32", "is not supported, gradients are dense")


@pytest.fixture(scope="module")
def schemas(torch):
    return Schemas(torch)


@pytest.fixture(scope="module")
def callables(torch, candidate, schemas):
    """The names, each with the forms that both worlds have: as a function (False), as a method (True)."""
    apart = {*_OF_NN, *_NOT_CALLED}
    found = [(name, method) for name in schemas.names() if name not in apart for method in (False, True)]
    return [
        (name, method)
        for name, method in found
        if isinstance(getattr(torch.Tensor if method else torch, name, None), _C_TYPES)
        and hasattr(candidate.Tensor if method else candidate, name)
    ]


def contents(tensors):
    """What must not change when a call fails."""
    return [(tuple(each.shape), str(each.dtype), each.tolist(), each._version, each.requires_grad) for each in tensors]


def outcome(ns, call):
    """The error of a call, or what it returned; and its operands' contents before it and after."""
    function, tensors = call.bind(ns)
    before = contents(tensors)
    result = run(ns, lambda ns: function())
    return result, repr(before), repr(contents(tensors) if isinstance(result, Raised) else before)


def fails_alike(torch, candidate, call):
    expected = outcome(torch, call)[0]
    actual, before, after = outcome(candidate, call)
    if isinstance(actual, Raised):
        assert before == after, f"{call} has changed its operands, and then raised {actual}"
        if any(words in actual.message for words in _REFUSALS):
            return
    if isinstance(expected, Raised) or isinstance(actual, Raised):
        assert_same(expected, actual)


many = settings(max_examples=3000)


@many
@given(data=st.data())
def test_one_fault(torch, candidate, schemas, callables, data):
    def choose(options):
        return options[data.draw(st.integers(0, len(options) - 1))]  # schemas are not hashable

    name, method = choose(callables)
    call = schemas.draw(name, choose, oddities=1, method=method)
    accepted = name in ACCEPTED and ACCEPTED[name][0](call)
    if not accepted and (not method or (call.args and isinstance(call.args[0], Operand))):
        note(call)
        fails_alike(torch, candidate, call)


def _empty_indices(call):
    return [] in call.args


def _points(call):
    return isinstance(call.kwargs.get("spacing"), list)


def _not_contiguous(call):
    tests = [each for each in (*call.args[1:], *call.kwargs.values()) if isinstance(each, Operand)]
    return any(each.layout != "plain" for each in tests)


def _one_truth(call):
    return call.args[0].dtype == "bool" and call.args[0].shape == ()


def _of_bytes(call):
    return any(isinstance(each, Operand) and each.dtype == "uint8" for each in (*call.args, *call.kwargs.values()))


def _probabilities(call):
    return any(isinstance(each, Operand) for each in call.args[1:])


def _less_than_nothing(call):
    return any(isinstance(each, list) and 0 in each and min(each) < 0 for each in (*call.args, *call.kwargs.values()))


# By name: of which calls, why, and one of them.
ACCEPTED = {
    "as_strided": (
        _less_than_nothing,
        "torch makes tensors of negative sizes as long as they have no elements",
        lambda ns: ns.as_strided(ns.ones(3), [0, -2], [1, 1]),
    ),
    "bernoulli_": (
        _probabilities,
        "torch draws up to the first number that is no probability, and looks for overlap before",
        lambda ns: ns.ones(1, 2).expand(2, 2).bernoulli_(ns.full((2, 2), 3.0)),
    ),
    "cumprod_": (
        _one_truth,
        "torch leaves a truth value without dimensions as it is; as the number that it is here it cannot be written back",
        lambda ns: ns.tensor(True).cumprod_(0),
    ),
    "cumsum_": (
        _one_truth,
        "torch leaves a truth value without dimensions as it is; as the number that it is here it cannot be written back",
        lambda ns: ns.tensor(True).cumsum_(0),
    ),
    "gradient": (
        _points,
        "torch does not look whether there are as many points as samples",
        lambda ns: ns.gradient(ns.ones(3), spacing=[ns.ones(2)]),
    ),
    "index_put": (
        _empty_indices,
        "without indices torch fails an assertion of its own",
        lambda ns: ns.index_put(ns.ones(2), [], ns.ones(2)),
    ),
    "index_put_": (
        _empty_indices,
        "without indices torch fails an assertion of its own",
        lambda ns: ns.ones(2).index_put_([], ns.ones(2)),
    ),
    "normal": (
        _of_bytes,
        "torch converts the mean to the dtype of the deviations before it looks for a kernel of that",
        lambda ns: ns.normal(-1.0, ns.ones(2, dtype=ns.uint8)),
    ),
    "isin": (
        _not_contiguous,
        "torch cannot look for a number among elements that are not contiguous",
        lambda ns: ns.isin(1, ns.ones(2, 3).t()),
    ),
}


def _expected_to_fail(name, reason):
    return pytest.param(name, marks=pytest.mark.xfail(reason=reason, strict=True))


@pytest.mark.parametrize("name", [_expected_to_fail(name, reason) for name, (_, reason, _) in ACCEPTED.items()])
def test_accepted_differences(torch, candidate, name):
    same(torch, candidate, ACCEPTED[name][2])
