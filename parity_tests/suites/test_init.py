"""Initial values: the same bits from the same seed, in modules and in `nn.init`."""

import math
import warnings
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import run, same


def warned(function):
    """The result of a call and the texts of its warnings, without NumPy's of arithmetic."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function()
    return result, [(w.category.__name__, str(w.message)) for w in caught if w.category is not RuntimeWarning]


def seeded(seed, function):
    """A program that calls `function(ns)` from a seed, and once more, to see how the generator stands."""

    def program(ns):
        ns.manual_seed(seed)
        return run(ns, lambda ns: warned(lambda: function(ns))), ns.rand(3)

    return program


dtypes = st.sampled_from(["float32", "float64"])
seeds = st.integers(0, 2**32)
shapes = st.lists(st.integers(0, 9), max_size=5).map(tuple)
numbers = st.floats(-3, 3, width=32)

FILLS = {
    "uniform_": st.tuples(numbers, st.floats(0, 4, width=32)).map(lambda p: (p[0], p[0] + p[1])),
    "normal_": st.tuples(numbers, st.floats(0, 4, width=32)),
    "constant_": st.tuples(numbers),
    "ones_": st.just(()),
    "zeros_": st.just(()),
    "eye_": st.just(()),
    "dirac_": st.tuples(st.integers(1, 3)),
    "xavier_uniform_": st.tuples(numbers),
    "xavier_normal_": st.tuples(st.floats(0, 3, width=32)),
    "kaiming_uniform_": st.tuples(numbers, st.sampled_from(["fan_in", "fan_out", "FAN_IN", "nowhere"])),
    "kaiming_normal_": st.tuples(
        st.integers(0, 3),
        st.sampled_from(["fan_in", "fan_out"]),
        st.sampled_from(["relu", "leaky_relu", "selu", "x"]),
    ),
    "sparse_": st.tuples(st.floats(0, 1), st.floats(0, 2)),
}


@pytest.mark.parametrize("name", FILLS)
@given(data=st.data(), seed=seeds, shape=shapes, dtype=dtypes, requires_grad=st.booleans())
def test_fills(torch, candidate, name, data, seed, shape, dtype, requires_grad):
    args = data.draw(FILLS[name], label="args")

    def fill(ns):
        tensor = ns.full(shape, 7.0, dtype=getattr(ns, dtype), requires_grad=requires_grad)
        result = getattr(ns.nn.init, name)(tensor, *args)
        return result is tensor, tensor

    same(torch, candidate, seeded(seed, fill))


@given(
    seed=seeds,
    shape=st.lists(st.integers(0, 9), min_size=1, max_size=3),
    dtype=dtypes,
    mean=numbers,
    std=st.floats(0.25, 4, width=32),
    a=numbers,
    width=st.floats(0.25, 6, width=32),
)
def test_trunc_normal(torch, candidate, seed, shape, dtype, mean, std, a, width):
    def fill(ns):
        return ns.nn.init.trunc_normal_(ns.empty(shape, dtype=getattr(ns, dtype)), mean, std, a, a + width)

    same(torch, candidate, seeded(seed, fill))


@given(seed=seeds, shape=st.lists(st.integers(0, 6), max_size=3), gain=st.floats(0.5, 2))
def test_orthogonal_draws_alike_and_is_orthogonal(torch, candidate, seed, shape, gain):
    """The values differ in rounding (another QR), the draws do not."""

    def fill(ns):
        return ns.nn.init.orthogonal_(ns.zeros(shape, dtype=ns.float64), gain)

    (expected, after), (actual, after_too) = (seeded(seed, fill)(ns) for ns in (torch, candidate))
    assert after.tolist() == after_too.tolist()
    if not isinstance(expected, tuple):
        assert actual == expected
        return
    theirs, ours = expected[0].flatten().tolist(), actual[0].flatten().tolist()
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", ["uniform", "normal", "xavier_uniform", "kaiming_normal", "eye"])
def test_names_without_underscore_warn(torch, candidate, name):
    def program(ns):
        function = getattr(ns.nn.init, name)
        return function.__name__, function(ns.zeros(3, 4))

    same(torch, candidate, seeded(0, program))


@pytest.mark.parametrize(
    "nonlinearity",
    [
        "linear",
        "conv1d",
        "conv_transpose3d",
        "sigmoid",
        "tanh",
        "relu",
        "leaky_relu",
        "selu",
        "gelu",
        "",
        None,
    ],
)
@pytest.mark.parametrize("param", [None, 0.2, 1, True, "x", math.sqrt(5)])
def test_gains(torch, candidate, nonlinearity, param):
    same(torch, candidate, lambda ns: ns.nn.init.calculate_gain(nonlinearity, param))


@given(shape=shapes)
def test_fans(torch, candidate, shape):
    same(torch, candidate, lambda ns: ns.nn.init._calculate_fan_in_and_fan_out(ns.zeros(shape)))


@given(seed=seeds, inputs=st.integers(0, 40), outputs=st.integers(0, 40), bias=st.booleans(), dtype=dtypes)
def test_linear(torch, candidate, seed, inputs, outputs, bias, dtype):
    def build(ns):
        return list(ns.nn.Linear(inputs, outputs, bias, dtype=getattr(ns, dtype)).parameters())

    same(torch, candidate, seeded(seed, build))


@given(seed=seeds, widths=st.lists(st.integers(1, 20), min_size=2, max_size=5))
def test_a_network_draws_in_the_order_of_construction(torch, candidate, seed, widths):
    def build(ns):
        layers = [ns.nn.Linear(*pair) for pair in pairwise(widths)]
        ns.nn.init.xavier_normal_(layers[0].weight)
        layers[-1].reset_parameters()
        return dict(ns.nn.Sequential(*layers).state_dict())

    same(torch, candidate, seeded(seed, build))


def test_a_generator_of_ones_own(torch, candidate):
    def program(ns):
        generator = ns.Generator().manual_seed(5)
        return [
            ns.nn.init.uniform_(ns.empty(5), generator=generator),
            ns.nn.init.kaiming_uniform_(ns.empty(5, 4), generator=generator),
            ns.nn.init.trunc_normal_(ns.empty(20), generator=generator),
        ]

    same(torch, candidate, seeded(1, program))
