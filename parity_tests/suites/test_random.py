"""Random numbers: the same stream to the last bit, values and state, whatever is drawn from it."""

import copy
import os
import pickle
import platform
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import same

FLOATS = ["float16", "float32", "float64"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]

seeds = st.integers(-(2**63), 2**64 - 1)
sizes = st.lists(st.integers(0, 7), max_size=4).map(tuple)
lengths = st.integers(0, 40) | st.integers(600, 660) | st.integers(16370, 16410)  # around blocks, state, chunk
shapes = sizes | lengths.map(lambda n: (n,))
numbers = st.floats(-1e3, 1e3)
widths = st.floats(0, 1e3)
positive = st.floats(1e-3, 1e3)
chances = st.floats(0, 1)
inner_chances = st.floats(0.01, 0.99)
spans = st.integers(1, 100) | st.integers(2**28 - 2, 2**28 + 2) | st.integers(1, 2**62)


def interval(low, width):
    return low, low + width


def ranges(dtype):
    """Bounds for `random_` that the dtype can hold."""
    least, most = {"uint8": (0, 255), "bool": (0, 1), "float16": (-(2**11), 2**11)}.get(dtype, (-128, 127))
    if dtype == "int64":
        return st.builds(interval, st.integers(-(2**62), 2**61), spans)
    return st.integers(least, most - 1).flatmap(lambda low: st.tuples(st.just(low), st.integers(low + 1, most)))


FILLS = {
    "uniform_": st.just(()) | st.builds(interval, numbers, widths),
    "normal_": st.just(()) | st.tuples(numbers, widths),
    "exponential_": st.just(()) | st.tuples(positive),
    "cauchy_": st.just(()) | st.tuples(numbers, positive),
    "log_normal_": st.just(()) | st.tuples(st.floats(-3, 3), st.floats(0.01, 3)),
    "geometric_": st.tuples(inner_chances),
    "bernoulli_": st.just(()) | st.tuples(chances),
    "random_": st.just(()),
}


@st.composite
def destinations(draw, dtypes=FLOATS):
    """A function that makes, in a namespace, a tensor of any layout: permuted, strided, with an offset."""
    shape, dtype = draw(shapes), draw(st.sampled_from(dtypes))
    order = draw(st.permutations(range(len(shape))))
    step = draw(st.sampled_from([1, 1, 2]))

    def make(ns):
        stored = [shape[axis] for axis in order]
        if stored:
            stored[-1] *= step
        tensor = ns.zeros(stored, dtype=getattr(ns, dtype))
        if stored:
            tensor = tensor[..., step - 1 :: step]
        return tensor.permute([order.index(axis) for axis in range(len(shape))])

    return make


def seeded(seed, *draws):
    """A program: from a seed, each draw and the state of the generator after it."""

    def program(ns):
        ns.manual_seed(seed)
        return [(draw(ns), ns.get_rng_state()) for draw in draws]

    return program


@st.composite
def fills(draw):
    """One of the tensor methods, on a tensor of any layout."""
    name = draw(st.sampled_from(sorted(FILLS)))
    args, make = draw(FILLS[name]), draw(destinations())
    return lambda ns: getattr(make(ns), name)(*args)


@st.composite
def creations(draw):
    """One of the functions that make a new tensor."""
    shape, dtype = draw(shapes), draw(st.sampled_from(FLOATS))
    n, high = draw(st.integers(0, 300)), draw(spans)
    return draw(
        st.sampled_from(
            [
                lambda ns: ns.rand(shape, dtype=getattr(ns, dtype)),
                lambda ns: ns.randn(shape, dtype=getattr(ns, dtype)),
                lambda ns: ns.rand(*shape) if shape else ns.rand(()),
                lambda ns: ns.randn(*shape) if shape else ns.randn(()),
                lambda ns: ns.randint(high, shape),
                lambda ns: ns.randint(-high, high, shape),
                lambda ns: ns.randperm(n),
            ]
        )
    )


@pytest.mark.parametrize("name", FILLS)
@given(data=st.data(), seed=seeds, make=destinations())
def test_a_fill_follows_memory_order(torch, candidate, name, data, seed, make):
    args = data.draw(FILLS[name])
    same(torch, candidate, seeded(seed, lambda ns: getattr(make(ns), name)(*args)))


@given(data=st.data(), seed=seeds, dtype=st.sampled_from([*INTEGERS, *FLOATS, "bool"]))
def test_integers_fill_every_dtype(torch, candidate, data, seed, dtype):
    bounds = data.draw(st.just(()) | ranges(dtype))
    make = data.draw(destinations([dtype]))
    same(torch, candidate, seeded(seed, lambda ns: make(ns).random_(*bounds)))


@given(seed=seeds, make=destinations([*INTEGERS, "bool"]), p=inner_chances)
def test_chances_fill_integers(torch, candidate, seed, make, p):
    programs = [lambda ns: make(ns).bernoulli_(p)]
    if "bool" not in str(make(torch).dtype):
        programs.append(lambda ns: make(ns).geometric_(p))
    same(torch, candidate, seeded(seed, *programs))


@given(seed=seeds, make=destinations([*FLOATS, "int64"]), source=st.sampled_from(FLOATS), data=st.data())
def test_every_element_has_a_chance_of_its_own(torch, candidate, seed, make, source, data):
    keep = data.draw(st.integers(0, len(make(torch).shape)))

    def draw(ns):
        shape = make(ns).shape
        p = ns.rand(shape[keep:], dtype=getattr(ns, source))
        return make(ns).bernoulli_(p), ns.bernoulli(p.t() if p.dim() == 2 else p)

    same(torch, candidate, seeded(seed, draw))


@given(seed=seeds, draw=creations())
def test_new_tensors(torch, candidate, seed, draw):
    same(torch, candidate, seeded(seed, draw))


@given(seed=seeds, make=destinations(), high=st.integers(1, 2000))
def test_likeness_keeps_strides(torch, candidate, seed, make, high):
    names = ("rand_like", "randn_like")
    draws = [lambda ns, name=name: getattr(ns, name)(make(ns)) for name in names]
    same(torch, candidate, seeded(seed, *draws, lambda ns: ns.randint_like(make(ns), high)))


@given(seed=seeds, mean=destinations(), std=st.floats(0, 10), number=numbers)
def test_normal_around_tensors(torch, candidate, seed, mean, std, number):
    same(
        torch,
        candidate,
        seeded(
            seed,
            lambda ns: ns.normal(mean(ns) + number, std),
            lambda ns: ns.normal(number, mean(ns) + std),
            lambda ns: ns.normal(mean(ns) + number, mean(ns) + std),
        ),
    )


@given(
    seed=seeds,
    rows=st.integers(0, 3) | st.none(),
    columns=st.integers(1, 40),
    samples=st.integers(1, 40),
    replacement=st.booleans(),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_categories(torch, candidate, seed, rows, columns, samples, replacement, dtype):
    def draw(ns):
        weights = ns.rand(columns if rows is None else (rows, columns), dtype=getattr(ns, dtype))
        return ns.multinomial(weights, samples, replacement), weights.multinomial(1)

    same(torch, candidate, seeded(seed, draw))


@pytest.mark.parametrize("n", [0, 1, 2, 255, 4096, 4097, 70001])
def test_permutations_of_every_size(torch, candidate, n):
    same(torch, candidate, seeded(n, lambda ns: ns.randperm(n)))


@given(seed=seeds, draws=st.lists(fills() | creations(), min_size=2, max_size=12))
def test_mixed_draws_share_one_stream(torch, candidate, seed, draws):
    same(torch, candidate, seeded(seed, *draws))


@given(seed=seeds, other=seeds, draws=st.lists(fills(), max_size=4), more=st.lists(creations(), max_size=4))
def test_a_state_brings_the_stream_back(torch, candidate, seed, other, draws, more):
    def program(ns):
        ns.manual_seed(seed)
        for draw in draws:
            draw(ns)
        state = ns.get_rng_state()
        ns.manual_seed(other)
        ns.set_rng_state(state)
        return [draw(ns) for draw in more], ns.get_rng_state(), ns.initial_seed()

    same(torch, candidate, program)


@given(
    seed=seeds,
    draws=st.lists(fills() | creations(), max_size=5),
    more=st.lists(fills(), min_size=1, max_size=3),
)
def test_states_travel_between_frameworks(torch, candidate, seed, draws, more):
    def continued(first, second):
        first.manual_seed(seed)
        for draw in draws:
            draw(first)
        second.set_rng_state(second.from_numpy(first.get_rng_state().numpy().copy()))
        return lambda ns: [draw(second if ns is first else first) for draw in more]

    for first, second in ((torch, candidate), (candidate, torch)):
        onwards = continued(first, second)
        results = {ns: [tensor.numpy().tobytes() for tensor in onwards(ns)] for ns in (first, second)}
        assert results[first] == results[second]


@given(seed=seeds, draws=st.lists(st.integers(1, 30), max_size=6))
def test_generators_are_streams_of_their_own(torch, candidate, seed, draws):
    def program(ns):
        ns.manual_seed(0)
        one, two = ns.Generator(), ns.Generator(device="cpu").manual_seed(seed)
        results = []
        for n in draws:
            results += ns.randn(n, generator=one), ns.rand(n, generator=two), ns.randperm(n, generator=two)
            results += ns.empty(n).normal_(generator=one), ns.randint(0, 9, (n,), generator=two)
        twins = [copy.deepcopy(two), pickle.loads(pickle.dumps(two)), two.clone_state()]
        return (
            results,
            [ns.rand(3, generator=each) for each in twins],
            [two.get_state(), two.initial_seed(), one.initial_seed(), str(one.device)],
            ns.get_rng_state(),
        )

    same(torch, candidate, program)


@given(seed=seeds, draw=fills())
def test_fork_rng_leaves_no_trace(torch, candidate, seed, draw):
    def program(ns):
        ns.manual_seed(seed)
        with ns.random.fork_rng(devices=[]):
            inside = draw(ns)
        return inside, ns.rand(2), ns.get_rng_state()

    same(torch, candidate, program)


def test_a_seed_of_the_system_starts_a_new_stream(candidate):
    assert candidate.seed() == candidate.initial_seed() != candidate.seed()


@given(seed=seeds, make=destinations(["float32", "float64"]), dtype=st.sampled_from(["float32", "float64"]))
def test_out_keeps_its_layout_and_dtype(torch, candidate, seed, make, dtype):
    def draw(ns):
        out = make(ns)
        result = ns.rand(out.shape, out=out)
        short = ns.zeros(0, dtype=getattr(ns, dtype))
        return (
            result,
            result is out,
            ns.randn(4, 5, out=short),
            ns.randperm(6, out=short),
            ns.normal(0.0, 2.0, (3,), out=short),
        )

    same(torch, candidate, seeded(seed, draw))


@pytest.mark.parametrize("name", FILLS)
def test_what_is_overwritten_gets_no_gradient(torch, candidate, name):
    args = (0.5,) if name == "geometric_" else ()

    def draw(ns):
        leaf = ns.ones(3, requires_grad=True)
        hidden = leaf * 2
        filled = getattr(hidden, name)(*args)
        (filled * ns.tensor([1.0, 2.0, 3.0])).sum().backward()
        return filled, filled is hidden, filled._version, leaf.grad

    same(torch, candidate, seeded(1, draw))


@pytest.mark.parametrize("name", FILLS)
def test_a_leaf_that_requires_grad_is_not_overwritten(torch, candidate, name):
    args = (0.5,) if name == "geometric_" else ()
    same(torch, candidate, seeded(1, lambda ns: getattr(ns.ones(3, requires_grad=True), name)(*args)))


def test_parameters_of_a_distribution_get_no_gradient(torch, candidate):
    def draw(ns):
        p = ns.full((3,), 0.5, requires_grad=True)
        results = [
            ns.bernoulli(p),
            ns.normal(p, 1.0),
            ns.normal(0.0, p),
            ns.normal(p, p),
            ns.zeros(2, 3).bernoulli_(p),
        ]
        sum((result * 3).sum() for result in results).backward()
        return results, p.grad

    same(torch, candidate, seeded(1, draw))


WRONG = """
ns.rand(-1)
ns.randn(2, -3)
ns.rand(2, dtype=ns.int64)
ns.randn(2, dtype=ns.bool)
ns.rand(2, dtype=ns.float32, out=ns.zeros(2, dtype=ns.float64))
ns.rand(2, out=ns.zeros(2, requires_grad=True))
ns.rand(2, device="cuda")
ns.rand(2, generator=3)
ns.rand()
ns.rand_like(3)
ns.rand_like(ns.zeros(2, dtype=ns.int64))
ns.randint(5, 5, (2,))
ns.randint(6, 5, (2,))
ns.randint(0, (2,))
ns.randint(5, 2)
ns.randint(2.5, (2,))
ns.randint(0, 300, (2,), dtype=ns.uint8)
ns.randint(-1, 3, (2,), dtype=ns.bool)
ns.randint(0, 70000, (2,), dtype=ns.float16)
ns.randint(0, 2**63, (2,))
ns.randint(0, 5, (2,), requires_grad=True)
ns.randint_like(ns.zeros(2), 5, 5)
ns.randperm(-1)
ns.randperm(2.5)
ns.randperm(257, dtype=ns.uint8)
ns.randperm(2050, dtype=ns.float16)
ns.randperm(5, dtype=ns.bool)
ns.normal(0.0, -1.0, (2,))
ns.normal(ns.zeros(2), -1.0)
ns.normal(0.0, -ns.ones(2))
ns.normal(ns.zeros(2), ns.ones(3))
ns.normal(ns.zeros(2, dtype=ns.int64), 1.0)
ns.normal(0.0, 1.0)
ns.bernoulli(ns.full((2,), 1.5))
ns.bernoulli(ns.full((2,), float("nan")))
ns.bernoulli(ns.zeros(2, dtype=ns.int64))
ns.bernoulli(ns.zeros(2), 1.5)
ns.bernoulli(0.5)
ns.multinomial(ns.ones(3), 4)
ns.multinomial(ns.ones(3), 0)
ns.multinomial(ns.ones(3))
ns.multinomial(ns.ones(2, 3, 4), 2)
ns.multinomial(ns.ones(3, dtype=ns.int64), 1)
ns.multinomial(ns.zeros(3), 1)
ns.multinomial(ns.tensor([1.0, -1.0]), 1)
ns.multinomial(ns.tensor([1.0, -1.0]), 2, True)
ns.multinomial(ns.tensor([1.0, float("inf")]), 2, True)
ns.multinomial(ns.ones(3), 2, out=ns.zeros(2))
ns.zeros(2).uniform_(2, 1)
ns.zeros(2).uniform_(0, float("inf"))
ns.zeros(2).uniform_(float("nan"), 3)
ns.zeros(2).uniform_(-3e38, 3e38)
ns.zeros(2).uniform_(0, 1, 2)
ns.zeros(2).uniform_("a")
ns.zeros(2, dtype=ns.int64).uniform_()
ns.zeros(2).normal_(0, -0.5)
ns.zeros(2, dtype=ns.int64).normal_()
ns.zeros(2).random_(5, 5)
ns.zeros(2).random_(0)
ns.zeros(2, dtype=ns.uint8).random_(300)
ns.zeros(2, dtype=ns.int8).random_(-200, 5)
ns.zeros(2).bernoulli_(1.5)
ns.zeros(2).bernoulli_(ns.zeros(3))
ns.zeros(2).bernoulli_(ns.zeros(2, 2))
ns.zeros(2).exponential_(0)
ns.zeros(2, dtype=ns.int64).exponential_()
ns.zeros(2).geometric_(1)
ns.zeros(2, dtype=ns.bool).geometric_(0.5)
ns.zeros(2).geometric_()
ns.zeros(2).cauchy_(0, -1)
ns.zeros(2, dtype=ns.int64).cauchy_()
ns.zeros(2).log_normal_(0, 0)
ns.zeros(2, dtype=ns.int64).log_normal_()
ns.zeros(1).expand(2).normal_()
ns.zeros(1).expand(2).random_()
ns.Generator("foo")
ns.Generator().manual_seed(1.5)
ns.Generator().manual_seed(ns.tensor(3))
ns.Generator().manual_seed(2**64)
ns.Generator().get_offset()
ns.Generator().set_state(3)
ns.Generator().set_state(ns.zeros(3))
ns.Generator().set_state(ns.zeros(3, dtype=ns.uint8))
ns.Generator().set_state(ns.zeros(5056, dtype=ns.uint8))
ns.manual_seed("a")
ns.manual_seed(-(2**63) - 1)
ns.set_rng_state(3)
"""


@pytest.mark.parametrize("call", WRONG.strip().splitlines())
def test_wrong_arguments(torch, candidate, call):
    same(torch, candidate, lambda ns: eval(call, {"ns": ns}))


def test_bounds_beyond_the_integers_of_a_dtype_are_warned_of(torch, candidate):
    def texts(ns):
        with pytest.warns(UserWarning, match="out of bounds") as caught:
            ns.zeros(2).random_(-(2**30), 2**30)
        return [str(each.message).partition(" (Triggered")[0] for each in caught]

    same(torch, candidate, texts)


ELSEWHERE = """
import hashlib, sys, importlib
digests = set()
for name in sys.argv[1:]:
    ns = importlib.import_module(name)
    ns.manual_seed(7)
    digest = hashlib.sha256()
    for n in (1, 15, 16, 40, 1000):
        for dtype in (ns.float32, ns.float64):
            for args in ((), (-0.3, 1.7)):
                for fill in ("uniform_", "normal_", "log_normal_", "cauchy_"):
                    if args and fill != "uniform_":
                        args = (0.3, 1.7)
                    digest.update(getattr(ns.empty(n, dtype=dtype), fill)(*args).numpy().tobytes())
    digest.update(ns.get_rng_state().numpy().tobytes())
    digests.add(digest.hexdigest())
sys.exit(len(digests) != 1)
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="torch has these levels on x86 only")
@pytest.mark.parametrize("capability", ["default", "avx2"])
def test_older_processors(candidate, capability):
    command = [sys.executable, "-c", ELSEWHERE, "torch", candidate.__name__]
    subprocess.run(command, env={**os.environ, "ATEN_CPU_CAPABILITY": capability}, check=True)
