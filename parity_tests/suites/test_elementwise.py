"""Functions of numbers: values, first and second derivatives of every function, at random and where kinds of number meet."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same

few = settings(max_examples=5)  # of each of a hundred functions
seeds = st.integers(0, 2**32 - 1)
shapes = st.sampled_from([(), (1,), (5,), (3, 4), (2, 1, 3), (0, 3)])


def uniform(rng, shape, low, high):
    return np.asarray(rng.uniform(low, high, shape), np.float32)


def second_order(ns, tensor, function, *arrays):
    """The value, the gradients of a random combination, and those of a random combination of these."""
    rng = np.random.default_rng(5)
    leaves = [tensor(each, requires_grad=True) for each in arrays]
    out = function(*leaves)
    weights = [tensor(uniform(rng, each.shape, 0.5, 1.5)) for each in arrays]
    cotangent = tensor(uniform(rng, tuple(out.shape), 0.5, 1.5))
    first = ns.autograd.grad(out, leaves, cotangent, create_graph=True, allow_unused=True)
    known = [each for each in first if each is not None]
    total = sum((g * w).sum() for g, w in zip(known, weights, strict=False))
    second = ns.autograd.grad(total, leaves, allow_unused=True) if known and total.requires_grad else ()
    return (
        out.detach(),
        [each.detach().contiguous() for each in known],
        [each if each is None else each.contiguous() for each in second],
    )


# Each with an interval in which it is smooth and no steeper than float32 can bear.
_ONE = {
    "acosh": (1.1, 4), "asinh": (-3, 3), "atanh": (-0.8, 0.8), "acos": (-0.8, 0.8), "asin": (-0.8, 0.8), "atan": (-3, 3),
    "cos": (-3, 3), "cosh": (-2, 2), "deg2rad": (-90, 90), "rad2deg": (-2, 2), "erf": (-2, 2), "erfc": (-2, 2),
    "erfinv": (-0.8, 0.8), "exp": (-2, 2), "exp2": (-2, 2), "expm1": (-2, 2), "i0": (0.2, 3), "lgamma": (1.5, 5),
    "digamma": (2, 5), "log": (0.2, 4), "log10": (0.2, 4), "log1p": (-0.5, 3), "log2": (0.2, 4), "logit": (0.1, 0.9),
    "reciprocal": (0.3, 3), "rsqrt": (0.3, 3), "sigmoid": (-3, 3), "sin": (-3, 3), "sinc": (0.3, 1.4), "sinh": (-2, 2),
    "sqrt": (0.3, 3), "square": (-3, 3), "tan": (-1, 1), "tanh": (-2, 2), "abs": (0.1, 3), "neg": (-3, 3),
    "frac": (0.1, 0.9), "nan_to_num": (-3, 3), "ceil": (0.1, 0.9), "floor": (0.1, 0.9), "round": (0.1, 0.4),
    "trunc": (0.1, 0.9), "sign": (0.1, 2), "positive": (-2, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", _ONE)
@few
@given(seed=seeds, shape=shapes)
def test_one_variable(torch, candidate, name, seed, shape):
    x = uniform(np.random.default_rng(seed), shape, *_ONE[name])
    agree(torch, candidate, lambda ns, tensor: second_order(ns, tensor, getattr(ns, name), x))


_TWO = {
    "add": (-2, 2), "sub": (-2, 2), "mul": (-2, 2), "div": (0.5, 2), "fmod": (1.1, 1.9), "remainder": (1.1, 1.9),
    "pow": (0.5, 2), "atan2": (0.3, 2), "hypot": (0.3, 2), "logaddexp": (-2, 2), "logaddexp2": (-2, 2), "xlogy": (0.3, 2),
    "maximum": (-2, 2), "minimum": (-2, 2), "fmax": (-2, 2), "fmin": (-2, 2), "copysign": (0.3, 2), "ldexp": (-2, 2),
    "clamp_min": (-2, 2), "clamp_max": (-2, 2), "rsub": (-2, 2), "dist": (0.3, 2), "float_power": (0.5, 2),
}  # fmt: skip
pairs = st.sampled_from([((3, 4), (3, 4)), ((), (3,)), ((3, 1), (1, 2)), ((2, 3), ()), ((0, 2), (1, 2))])


@pytest.mark.parametrize("name", _TWO)
@few
@given(seed=seeds, pair=pairs)
def test_two_variables(torch, candidate, name, seed, pair):
    rng = np.random.default_rng(seed)
    x, y = (uniform(rng, shape, *_TWO[name]) for shape in pair)
    agree(torch, candidate, lambda ns, tensor: second_order(ns, tensor, getattr(ns, name), x, y))


_WITH_NUMBERS = (
    "add", "sub", "mul", "div", "fmod", "remainder", "pow", "xlogy", "copysign", "clamp_min", "clamp_max", "rsub",
    "float_power",
)  # fmt: skip


@pytest.mark.parametrize("name", _WITH_NUMBERS)
@few
@given(seed=seeds, number=st.sampled_from([0.75, 2, -1.5]), shape=shapes)
def test_with_a_number(torch, candidate, name, seed, number, shape):
    x = uniform(np.random.default_rng(seed), shape, *_TWO[name])
    if number < 0 and name == "xlogy":
        number = -number
    agree(torch, candidate, lambda ns, tensor: second_order(ns, tensor, lambda a: getattr(ns, name)(a, number), x))


@pytest.mark.parametrize("name", ["addcmul", "addcdiv", "lerp", "where", "clamp"])
@few
@given(seed=seeds, number=st.sampled_from([0.25, 0.75, 2.0]), by_number=st.booleans())
def test_three_variables(torch, candidate, name, seed, number, by_number):
    rng = np.random.default_rng(seed)
    x, y, z = uniform(rng, (2, 3), 0.5, 2), uniform(rng, (3,), 0.5, 2), uniform(rng, (2, 1), 0.5, 2)

    def function(ns):
        if name == "where":
            return lambda a, b, c: ns.where(a > c, a, number if by_number else b)
        if name == "clamp":
            return (lambda a, b, c: a.clamp(1 - number / 4, 1.5)) if by_number else ns.clamp
        if name == "lerp":
            return (lambda a, b, c: ns.lerp(a, b, number) + c) if by_number else ns.lerp
        return lambda a, b, c: getattr(ns, name)(a, b, c, value=number if by_number else 1)

    agree(torch, candidate, lambda ns, tensor: second_order(ns, tensor, function(ns), x, y, z))


_REDUCTIONS = {
    "amax": lambda ns, x: ns.amax(x, (0, 1)),
    "aminmax": lambda ns, x: sum(ns.aminmax(x, dim=0)),
    "cummax": lambda ns, x: ns.cummax(x, 0)[0],
    "cummin": lambda ns, x: ns.cummin(x, 1)[0],
    "cumprod": lambda ns, x: ns.cumprod(x, 0),
    "cumsum": lambda ns, x: ns.cumsum(x, 1),
    "cumulative_trapezoid": lambda ns, x: ns.cumulative_trapezoid(x, dx=0.5),
    "diff": lambda ns, x: ns.diff(x, n=2),
    "gradient": lambda ns, x: ns.gradient(x, spacing=0.5)[0],
    "logcumsumexp": lambda ns, x: ns.logcumsumexp(x, 1),
    "logsumexp": lambda ns, x: ns.logsumexp(x, (0, 1)),
    "mean": lambda ns, x: ns.mean(x, 1, True),
    "nanmean": lambda ns, x: ns.nanmean(x, 0),
    "nansum": lambda ns, x: ns.nansum(x, (0,), True),
    "norm": lambda ns, x: x.norm(),
    "norm 1": lambda ns, x: ns.norm(x, 1, dim=0),
    "norm 3": lambda ns, x: ns.norm(x, p=3, dim=(0, 1), keepdim=True),
    "norm inf": lambda ns, x: ns.norm(x, float("inf"), dim=1),
    "prod": lambda ns, x: ns.prod(x, 1),
    "std_mean": lambda ns, x: sum(ns.std_mean(x, 1)),
    "sum": lambda ns, x: ns.sum(x, (0, 1)),
    "trapezoid": lambda ns, x: ns.trapezoid(x, ns.arange(4.0)),
    "trapz": lambda ns, x: ns.trapz(x, dx=2.0),
    "var_mean": lambda ns, x: sum(ns.var_mean(x, (0, 1), correction=0)),
    "cov": lambda ns, x: ns.cov(x),
    "corrcoef": lambda ns, x: ns.corrcoef(x) * 0.5,
}


@pytest.mark.parametrize("name", _REDUCTIONS)
@few
@given(seed=seeds, transposed=st.booleans())
def test_reductions_and_scans(torch, candidate, name, seed, transposed):
    rng = np.random.default_rng(seed)
    spread = np.argsort(rng.random(12)).reshape((4, 4 - 1) if transposed else (3, 4))  # no two elements alike
    x = (spread / 6 + 0.4 + uniform(rng, spread.shape, 0, 0.05)).astype(np.float32)

    def program(ns, tensor):
        def function(a):
            return _REDUCTIONS[name](ns, a.T if transposed else a)

        return second_order(ns, tensor, function, x)

    agree(torch, candidate, program, cancels=name in ("corrcoef", "cov", "diff", "gradient"))


@pytest.mark.parametrize("p", [1, 2, 3.0])
@few
@given(seed=seeds)
def test_renorm(torch, candidate, p, seed):
    """Some of the slices are scaled down, and some are left."""
    x = np.random.default_rng(seed).permutation([0.1, 0.2, 0.3, 2.0, 3.0, 4.0]).astype(np.float32).reshape(2, 3)

    def program(ns, tensor):
        leaf = tensor(x, requires_grad=True)
        y = ns.renorm(leaf, p, 1, 2.5)
        y.backward(tensor(uniform(np.random.default_rng(1), (2, 3), 0.5, 1.5)))
        return y, leaf

    agree(torch, candidate, program)


@pytest.mark.parametrize(
    "name", ["cumprod", "prod", "logcumsumexp", "cummax", "cummin", "amax", "nansum", "renorm", "norm"]
)
def test_zeros_and_ties(torch, candidate, name):
    """Where a quotient by the element would be undefined, or an extremum is met more than once."""

    def program(ns):
        x = ns.tensor([[2.0, 0.0, 2.0, 0.0], [1.0, 1.0, 0.0, 4.0]], requires_grad=True)
        call = {"renorm": lambda: ns.renorm(x, 2, 0, 1.0), "norm": lambda: ns.norm(x - x, dim=1)}
        y = call[name]() if name in call else getattr(ns, name)(x, 1)
        y = y[0] if isinstance(y, tuple) else y
        (y * ns.arange(1.0, 1.0 + y.numel()).view(y.shape)).sum().backward()
        return y.detach() if name in ("cummax", "cummin", "amax", "nansum") else y.shape, (x.grad * 4).round()

    same(torch, candidate, program)


_SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 2.5, -3.0]


_AT_SPECIAL_NUMBERS = (
    "div", "floor_divide", "remainder", "fmod", "maximum", "fmin", "copysign", "heaviside", "nextafter", "lt", "eq",
)  # fmt: skip


@pytest.mark.parametrize("name", _AT_SPECIAL_NUMBERS)
def test_special_numbers(torch, candidate, name):
    """Each of zeros of both signs, infinities, NaN and numbers with each."""

    def program(ns):
        # which zero is greater, the vectorised and the serial part of torch's loop see differently
        x = ns.tensor([each for each in _SPECIAL if name not in ("maximum", "fmin") or each or not np.signbit(each)])
        return getattr(ns, name)(*ns.broadcast_tensors(x[:, None], x))

    same(torch, candidate, program)


@pytest.mark.parametrize("decimals", [-3, -1, 0, 1, 3])
def test_round(torch, candidate, decimals):
    values = [0.5, 1.5, 2.5, -0.5, 1234.5, 0.05, 0.15, 2.675, -1e6, 12.5]
    same(torch, candidate, lambda ns: (ns.round(ns.tensor(values), decimals=decimals), ns.round(ns.tensor(values))))


def test_nan_to_num(torch, candidate):
    def program(ns):
        x = ns.tensor([float("nan"), float("inf"), -float("inf"), 1.0], requires_grad=True)
        y = ns.nan_to_num(x, nan=2.0, posinf=5.0)
        y.sum().backward()
        halves = [ns.nan_to_num(x.detach().to(kind)).tolist() for kind in (ns.float16, ns.bfloat16, ns.float64)]
        return y, x.grad, halves, ns.nan_to_num(x, 1.0, 2.0, 3.0)

    same(torch, candidate, program)


_NODES = (
    "exp2", "expm1", "log1p", "log10", "log2", "deg2rad", "rad2deg", "sinc", "logit", "erf", "erfc", "erfinv", "lgamma",
    "digamma", "i0", "asinh", "acosh", "atanh", "frac", "round", "nan_to_num", "trunc", "square", "sign",
)  # fmt: skip
_NODES_OF_TWO = (
    "atan2", "hypot", "logaddexp", "logaddexp2", "fmax", "fmin", "float_power", "ldexp", "xlogy", "copysign", "fmod",
    "remainder", "heaviside", "floor_divide", "nextafter", "clamp_min", "clamp_max", "dist",
)  # fmt: skip


def test_names_of_nodes(torch, candidate):
    def program(ns):
        x = ns.tensor([0.3, 0.6], requires_grad=True)
        names = [getattr(ns, name)(x).grad_fn.name() for name in _NODES]
        pairs = [getattr(ns, name)(x, x).grad_fn.name() for name in _NODES_OF_TWO]
        numbers = [getattr(ns, name)(x, 2.0).grad_fn.name() for name in ("xlogy", "copysign", "fmod", "clamp_min")]
        others = [ns.lerp(x, x, 0.5), ns.lerp(x, x, x), ns.addcmul(x, x, x), ns.addcdiv(x, x, x), ns.frexp(x)[0]]
        scans = [
            ns.cumprod(x, 0),
            ns.cummax(x, 0)[0],
            ns.logcumsumexp(x, 0),
            ns.nansum(x),
            ns.norm(x),
            ns.var_mean(x)[1],
        ]
        return names, pairs, numbers, [each.grad_fn.name() for each in (*others, *scans, ns.aminmax(x)[0], ns.diff(x))]

    same(torch, candidate, program)
