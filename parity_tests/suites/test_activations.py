"""Activations: values, first and second derivatives, joints, in-place forms, dtypes, strides, modules and errors."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same

seeds = st.integers(0, 2**32 - 1)
shapes = st.lists(st.integers(0, 4), max_size=4).map(tuple)
INF, NAN = float("inf"), float("nan")


def numbers(seed, shape, scale=3.0):
    return np.asarray(np.random.default_rng(seed).standard_normal(shape) * scale, np.float32)


# Where GELU is small, 1 + erf(x) has cancelled in torch.
SMOOTH = {
    "gelu": lambda ns, x: ns.nn.GELU()(x),
    "gelu by tanh": lambda ns, x: ns.nn.functional.gelu(x, approximate="tanh"),
    "silu": lambda ns, x: ns.nn.SiLU()(x),
    "mish": lambda ns, x: ns.nn.functional.mish(x),
    "softplus": lambda ns, x: ns.nn.Softplus()(x),
    "steep softplus": lambda ns, x: ns.nn.functional.softplus(x, beta=3, threshold=2),
    "falling softplus": lambda ns, x: ns.nn.functional.softplus(x, -2, 1.5),
    "log sigmoid": lambda ns, x: ns.nn.LogSigmoid()(x),
    "celu": lambda ns, x: ns.nn.CELU()(x),
    "wide celu": lambda ns, x: ns.celu(x, 2.5),
}
BENT = {
    "elu": lambda ns, x: ns.nn.ELU()(x),
    "low elu": lambda ns, x: ns.nn.functional.elu(x, 0.3),
    "falling elu": lambda ns, x: ns.nn.functional.elu(x, -1.0),
    "selu": lambda ns, x: ns.nn.SELU()(x),
    "hardswish": lambda ns, x: ns.nn.Hardswish()(x),
}
LINEAR = {
    "relu": lambda ns, x: ns.nn.functional.relu(x),
    "leaky": lambda ns, x: ns.nn.LeakyReLU(0.25)(x),
    "steep leaky": lambda ns, x: ns.nn.functional.leaky_relu(x, 2.0),
    "falling leaky": lambda ns, x: ns.nn.functional.leaky_relu(x, -0.5),
    "flat leaky": lambda ns, x: ns.nn.functional.leaky_relu(x, 0.0),
    "hardtanh": lambda ns, x: ns.nn.Hardtanh()(x),
    "narrow hardtanh": lambda ns, x: ns.nn.functional.hardtanh(x, -0.5, 0.25),
    "relu6": lambda ns, x: ns.nn.ReLU6()(x),
    "threshold": lambda ns, x: ns.nn.Threshold(0.25, 20)(x),
    "hardshrink": lambda ns, x: ns.nn.Hardshrink()(x),
    "negative hardshrink": lambda ns, x: ns.hardshrink(x, -1.0),
    "softshrink": lambda ns, x: ns.nn.Softshrink(0.25)(x),
    "rrelu": lambda ns, x: ns.nn.RReLU(0.25, 0.75).eval()(x),
}


def gradients(ns, x, y, seed, tensor):
    """y, its gradient by x, and the gradient of a random combination of that."""
    v, w = (tensor(numbers(seed + each, tuple(at.shape), 1.0)) for each, at in ((1, y), (2, x)))
    (first,) = ns.autograd.grad(y, x, v, create_graph=True)
    if not first.requires_grad:
        return y, first, None
    (first * w).sum().backward()
    return y, first.detach(), x


@pytest.mark.parametrize("name", SMOOTH | BENT)
@given(shape=shapes, seed=seeds, scale=st.sampled_from([0.1, 1.0, 8.0]))
def test_values_and_derivatives(torch, candidate, name, shape, seed, scale):
    def program(ns, tensor):
        x = tensor(numbers(seed, shape, scale), requires_grad=True)
        return gradients(ns, x, (SMOOTH | BENT)[name](ns, x), seed, tensor)

    agree(torch, candidate, program, cancels=name.startswith("gelu"))


@pytest.mark.parametrize("name", SMOOTH | BENT)
@given(shape=shapes, seed=seeds)
def test_the_gradient_that_is_not_recorded(torch, candidate, name, shape, seed):
    def program(ns, tensor):
        x = tensor(numbers(seed, shape), requires_grad=True)
        y = (SMOOTH | BENT)[name](ns, x)
        y.backward(tensor(numbers(seed + 1, shape)))
        return y, x

    agree(torch, candidate, program, cancels=name.startswith("gelu"))


JOINTS = [-INF, -6.0, -3.0, -1.0, -0.5, -0.25, -0.0, 0.0, 0.25, 0.5, 1.0, 3.0, 6.0, 20.0, INF, NAN]


@pytest.mark.parametrize("function", LINEAR.values(), ids=LINEAR.keys())
@pytest.mark.parametrize("repeated", [1, 100], ids=["few", "many"])
def test_pieces_meet_where_torch_has_them_meet(torch, candidate, function, repeated):
    """Exact, in small arrays and in large ones, which take another road."""

    def program(ns):
        x = ns.tensor(JOINTS * repeated, requires_grad=True)
        y = function(ns, x)
        y.backward(ns.arange(1.0, len(JOINTS) * repeated + 1))
        return y, x

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same(torch, candidate, program)


@pytest.mark.parametrize("name", SMOOTH | BENT)
@pytest.mark.parametrize("repeated", [1, 100], ids=["few", "many"])
def test_joints_of_curves(torch, candidate, name, repeated):
    points = [each for each in JOINTS if abs(each) < INF] * repeated + [-60.0, -200.0, 1e30, 60.0]

    def program(ns, tensor):
        x = tensor(np.array(points, np.float32), requires_grad=True)
        y = (SMOOTH | BENT)[name](ns, x)
        y.backward(tensor(np.ones(len(points), np.float32)))
        return y, x

    agree(torch, candidate, program, cancels=name.startswith("gelu"))


@pytest.mark.parametrize("name", ["hardsigmoid", "hardswish"])
def test_hard_curves_at_their_joints(torch, candidate, name):
    def program(ns):
        x = ns.tensor(JOINTS, requires_grad=True)
        y = getattr(ns.nn.functional, name)(x)
        y.sum().backward()
        return y > -INF, (x.grad == 0), y.isnan()

    same(torch, candidate, program)


@pytest.mark.parametrize("name", ["Hardsigmoid", "GLU"])
@given(shape=shapes, seed=seeds)
def test_the_others(torch, candidate, name, shape, seed):
    def program(ns, tensor):
        x = tensor(numbers(seed, (*shape, 6)), requires_grad=True)
        y = getattr(ns.nn, name)()(x)
        y.backward(tensor(numbers(seed + 1, tuple(y.shape))))
        return y, x

    agree(torch, candidate, program)


@given(shape=st.lists(st.integers(0, 3), min_size=1, max_size=3), dim=st.integers(-3, 2), seed=seeds)
def test_glu_along_any_dimension(torch, candidate, shape, dim, seed):
    def program(ns, tensor):
        x = tensor(numbers(seed, [2 * each for each in shape]), requires_grad=True)
        y = ns.nn.functional.glu(x, dim)
        return gradients(ns, x, y, seed, tensor)

    agree(torch, candidate, program)


@given(
    shape=st.lists(st.integers(1, 4), max_size=4),
    slopes=st.sampled_from(["one", "channels", "scalar"]),
    seed=seeds,
    both=st.booleans(),
)
def test_prelu(torch, candidate, shape, slopes, seed, both):
    channels = shape[1] if len(shape) > 1 else 1
    weight_shape = {"one": (1,), "channels": (channels,), "scalar": ()}[slopes]

    def program(ns, tensor):
        x = tensor(numbers(seed, shape), requires_grad=both)
        weight = tensor(numbers(seed + 1, weight_shape), requires_grad=True)
        y = ns.nn.functional.prelu(x, weight)
        v = tensor(numbers(seed + 2, shape))
        first = ns.autograd.grad(y, [weight, x] if both else [weight], v, create_graph=True)
        if both:
            sum((each * each).sum() for each in first).backward()
        return y, [each.detach() for each in first], x, weight

    agree(torch, candidate, program)


# -- randomness ---------------------------------------------------------------------------------------------------


@given(
    shape=shapes,
    seed=seeds,
    bounds=st.sampled_from([(0.125, 1 / 3), (0.1, 0.1), (-1, 2)]),
    inplace=st.booleans(),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_rrelu_draws_torchs_slopes(torch, candidate, shape, seed, bounds, inplace, dtype):
    def program(ns):
        ns.manual_seed(seed)
        leaf = ns.from_numpy(numbers(seed, shape)).to(getattr(ns, dtype)).requires_grad_()
        x = leaf * 1
        y = ns.nn.functional.rrelu(x, *bounds, training=True, inplace=inplace)
        y.sum().backward()
        return y, leaf, y is x, ns.rand(2)

    same(torch, candidate, program)


@given(seed=seeds, tau=st.sampled_from([0.5, 1, 2.0]), hard=st.booleans(), dim=st.integers(-2, 1))
def test_gumbel_softmax(torch, candidate, seed, tau, hard, dim):
    def program(ns, tensor):
        ns.manual_seed(seed)
        x = tensor(numbers(seed, (3, 4), 1.0), requires_grad=True)
        if x.dtype == ns.float64:  # the reference has to draw the noise that float32 draws
            noise = -ns.empty(3, 4).exponential_().log().to(x.dtype)
            y = ((x + noise) / tau).softmax(dim)
            if hard:
                y = (y == y.amax(dim, keepdim=True)).to(y.dtype) - y.detach() + y
        else:
            y = ns.nn.functional.gumbel_softmax(x, tau, hard, dim=dim)
        y.backward(tensor(numbers(seed + 1, (3, 4))))
        return y, x

    agree(torch, candidate, program)


# -- in place -----------------------------------------------------------------------------------------------------

IN_PLACE = ["relu_", "leaky_relu_", "elu_", "selu_", "celu_", "hardtanh_", "threshold_", "rrelu_"]


@pytest.mark.parametrize("name", IN_PLACE)
def test_functions_that_write_into_their_argument(torch, candidate, name):
    def program(ns, tensor):
        leaf = tensor(numbers(1, (3, 4)), requires_grad=True)
        x = leaf * 1
        y = getattr(ns.nn.functional, name)(x, *((0.5, 2.0) if name == "threshold_" else ()))
        y.backward(tensor(numbers(2, (3, 4))))
        return y, y is x, x._version, leaf

    agree(torch, candidate, program)


@pytest.mark.parametrize(
    "name",
    ["ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU", "CELU", "Hardtanh", "Hardsigmoid", "Hardswish", "SiLU", "Mish"],
)
def test_modules_that_write_into_their_input(torch, candidate, name):
    def program(ns, tensor):
        leaf = tensor(numbers(1, (3, 4)), requires_grad=True)
        x = leaf * 1
        y = getattr(ns.nn, name)(inplace=True)(x)
        y.backward(tensor(numbers(2, (3, 4))))
        return y, y is x, leaf

    agree(torch, candidate, program)


@pytest.mark.parametrize(
    "name", ["relu_", "celu", "celu_", "selu", "selu_", "rrelu", "rrelu_", "threshold", "threshold_"]
)
def test_names_outside_of_nn(torch, candidate, name):
    def program(ns, tensor):
        x = tensor(numbers(1, (3, 4)))
        return getattr(ns, name)(x, *((0.5, 2.0) if "threshold" in name else ()))

    agree(torch, candidate, program)


# -- dtypes, strides, graphs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool", "float16", "float64"])
@pytest.mark.parametrize("name", ["relu6", "hardtanh", "threshold", "elu", "gelu", "mish", "softplus", "softshrink"])
def test_dtypes(torch, candidate, name, dtype):
    def program(ns):
        x = ns.tensor([0, 1, 7], dtype=getattr(ns, dtype))
        y = getattr(ns.nn.functional, name)(x, *((2, 3) if name == "threshold" else ()))
        return y.dtype == x.dtype, y.shape, y.long()

    same(torch, candidate, program)


@pytest.mark.parametrize("function", (SMOOTH | BENT | LINEAR).values(), ids=(SMOOTH | BENT | LINEAR).keys())
def test_results_are_laid_out_like_their_input(torch, candidate, function):
    def program(ns):
        x = ns.arange(24.0).reshape(2, 3, 4)
        inputs = x.permute(2, 0, 1), x[:, ::2], x[:1].expand(5, 3, 4), x.transpose(0, 1)[..., 1:]
        return [function(ns, each).stride() for each in inputs]

    same(torch, candidate, program)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("function", (SMOOTH | BENT | LINEAR).values(), ids=(SMOOTH | BENT | LINEAR).keys())
def test_nodes(torch, candidate, function, dtype):
    def program(ns):
        x = ns.tensor([-2.0, 0.5, 7.0], dtype=getattr(ns, dtype), requires_grad=True)
        y = function(ns, x)
        (first,) = ns.autograd.grad(y.sum(), x, create_graph=True)
        return y.grad_fn.name(), y.dtype == first.dtype == x.dtype, first.grad_fn.name()

    same(torch, candidate, program)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@given(shape=st.lists(st.integers(1, 4), max_size=3), dim=st.integers(-3, 2), seed=seeds)
def test_second_derivatives_of_softmax(torch, candidate, name, shape, dim, seed):
    def program(ns, tensor):
        x = tensor(numbers(seed, shape), requires_grad=True)
        return gradients(ns, x, getattr(ns.nn.functional, name)(x, dim), seed, tensor)

    agree(torch, candidate, program, cancels=True)  # exp(y) sum(g) is taken from g


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_of_many_rows(torch, candidate, name):
    def program(ns, tensor):
        x = tensor(numbers(5, (70, 50)), requires_grad=True)
        y = getattr(ns, name)(x, -1)
        y.backward(tensor(numbers(6, (70, 50))))
        return y, x, getattr(ns, name)(x.detach().t(), 1)

    agree(torch, candidate, program)


# -- modules ------------------------------------------------------------------------------------------------------

MODULES = {
    "GELU": {"approximate": "tanh"}, "SiLU": {"inplace": True}, "Mish": {"inplace": True},
    "ELU": {"alpha": 2, "inplace": True}, "SELU": {"inplace": True}, "CELU": {"alpha": 0.5, "inplace": True},
    "Softplus": {"beta": 2, "threshold": 10}, "Hardtanh": {"min_val": -2, "max_val": 2, "inplace": True},
    "ReLU6": {"inplace": True}, "Hardswish": {"inplace": True}, "Hardsigmoid": {"inplace": True}, "LogSigmoid": {},
    "PReLU": {"num_parameters": 3, "init": 0.1}, "RReLU": {"lower": 0.1, "upper": 0.2, "inplace": True},
    "GLU": {"dim": 1}, "Softshrink": {"lambd": 1}, "Hardshrink": {"lambd": 1}, "LeakyReLU": {"inplace": True},
    "Sigmoid": {}, "Tanh": {}, "Softsign": {}, "Tanhshrink": {}, "ReLU": {"inplace": True},
}  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_modules(torch, candidate, name):
    def describe(module):
        own = {key: value for key, value in module.__dict__.items() if not key.startswith("_")}
        return repr(module), getattr(module, "__constants__", None), own, list(module.state_dict().items())

    def program(ns):
        kind, options = getattr(ns.nn, name), MODULES[name]
        return describe(kind()), describe(kind(**options)), describe(kind(*options.values()))

    same(torch, candidate, program)


def test_old_names_of_hardtanhs_bounds(torch, candidate):
    def program(ns):
        with pytest.warns(FutureWarning, match="deprecated and renamed") as caught:
            module = ns.nn.Hardtanh(min_value=-2, max_value=3)
        return repr(module), [(str(each.message), each.filename) for each in caught]

    same(torch, candidate, program)


X = [[0.5, -0.25, 1.0, -2.0], [3.0, -0.1, 0.2, 7.0]]
WRONG = {
    "gelu approximation": lambda ns, x: ns.nn.functional.gelu(x, approximate="foo"),
    "gelu by position": lambda ns, x: ns.nn.functional.gelu(x, "tanh"),
    "gelu of a number": lambda ns, x: ns.nn.functional.gelu(3),
    "gelu of None": lambda ns, x: ns.nn.functional.gelu(x, approximate=None),
    "gelu of nothing": lambda ns, x: ns.nn.functional.gelu(),
    "gelu in place": lambda ns, x: ns.nn.functional.gelu(x, inplace=True),
    "silu of a number": lambda ns, x: ns.nn.functional.silu(3),
    "silu_ of a number": lambda ns, x: ns.nn.functional.silu(3, inplace=True),
    "elu alpha": lambda ns, x: ns.nn.functional.elu(x, "a"),
    "elu_ of a number": lambda ns, x: ns.nn.functional.elu_(3),
    "elu_ of a leaf": lambda ns, x: ns.nn.functional.elu_(x.requires_grad_()),
    "elu_ falling": lambda ns, x: ns.nn.functional.elu_(x.requires_grad_() * 1, -1.0).sum().backward(),
    "leaky_ falling": lambda ns, x: ns.nn.functional.leaky_relu_(x.requires_grad_() * 1, -1.0).sum().backward(),
    "celu of 0": lambda ns, x: ns.nn.functional.celu(x, 0.0),
    "celu alpha": lambda ns, x: ns.celu(x, "a"),
    "softplus beta": lambda ns, x: ns.nn.functional.softplus(x, "a"),
    "softplus keyword": lambda ns, x: ns.nn.functional.softplus(x, betta=2),
    "hardtanh bounds": lambda ns, x: ns.nn.functional.hardtanh(x, 1, -1),
    "hardtanh text": lambda ns, x: ns.nn.functional.hardtanh(x, "a", 1),
    "Hardtanh bounds": lambda ns, x: ns.nn.Hardtanh(1, 1),
    "hardtanh of bytes": lambda ns, x: ns.nn.functional.hardtanh(x.byte()),
    "hardsigmoid of integers": lambda ns, x: ns.nn.functional.hardsigmoid(x.long()),
    "hardsigmoid twice": lambda ns, x: ns.autograd.grad(
        ns.autograd.grad(ns.nn.functional.hardsigmoid(x.requires_grad_()).sum(), x, create_graph=True)[0].sum(), x
    ),
    "logsigmoid of a number": lambda ns, x: ns.nn.functional.logsigmoid(3),
    "threshold without value": lambda ns, x: ns.nn.functional.threshold(x, 1),
    "threshold text": lambda ns, x: ns.nn.functional.threshold(x, "a", 1),
    "prelu weights": lambda ns, x: ns.nn.functional.prelu(x, ns.ones(2)),
    "prelu matrix": lambda ns, x: ns.nn.functional.prelu(x, ns.ones(2, 2)),
    "prelu of a scalar": lambda ns, x: ns.nn.functional.prelu(x[0, 0], ns.ones(2)),
    "prelu dtypes": lambda ns, x: ns.nn.functional.prelu(x, ns.ones(4).double()),
    "prelu number": lambda ns, x: ns.nn.functional.prelu(x, 0.5),
    "prelu without weight": lambda ns, x: ns.nn.functional.prelu(x),
    "prelu of integers": lambda ns, x: ns.nn.functional.prelu(x.long(), ns.ones(1).long()),
    "PReLU negative": lambda ns, x: ns.nn.PReLU(-1),
    "rrelu bounds": lambda ns, x: ns.nn.functional.rrelu(x, 0.5, 0.1),
    "rrelu infinite": lambda ns, x: ns.nn.functional.rrelu(x, -INF, 0.1, True),
    "rrelu of integers": lambda ns, x: ns.nn.functional.rrelu(x.long(), training=True),
    "rrelu of halves": lambda ns, x: ns.nn.functional.rrelu(x.half(), training=True),
    "glu of a scalar": lambda ns, x: ns.nn.functional.glu(x[0, 0]),
    "glu odd": lambda ns, x: ns.nn.functional.glu(x[:, :3]),
    "glu dim": lambda ns, x: ns.nn.functional.glu(x, 5),
    "glu text": lambda ns, x: ns.nn.functional.glu(x, "a"),
    "softshrink negative": lambda ns, x: ns.nn.functional.softshrink(x, -0.5),
    "softshrink negative half": lambda ns, x: ns.nn.functional.softshrink(x.half(), -1),
    "hardshrink text": lambda ns, x: ns.nn.functional.hardshrink(x, "a"),
    "hardshrink of integers": lambda ns, x: x.long().hardshrink(),
    "gumbel of integers": lambda ns, x: ns.nn.functional.gumbel_softmax(x.long()),
    "selu of booleans": lambda ns, x: ns.nn.functional.selu(x > 0),
}


@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG.keys())
def test_errors(torch, candidate, program):
    same(torch, candidate, lambda ns: program(ns, ns.tensor(X)))
