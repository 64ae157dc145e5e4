"""bfloat16 and float16: computed in float32 and rounded once; layers, losses and optimisers run in them."""

import numpy as np
import pytest

from parity_tests.suites._programs import agree, same
from parity_tests.suites._tables import table

NARROW = ("bfloat16", "float16")


def numbers(ns, dtype, count=2048, seed=0, scale=2.0):
    """Numbers of that dtype, the same under both."""
    values = np.random.default_rng(seed).standard_normal(count) * scale
    return ns.tensor(values.tolist(), dtype=ns.float64).to(getattr(ns, dtype))


def patterns(ns, dtype):
    """Every number of that dtype but NaN: all that sixteen bits can say."""
    whole = np.arange(2**16, dtype=np.uint16)
    if dtype == "bfloat16":
        values = (whole.astype(np.uint32) << 16).view(np.float32)
    else:
        values = whole.view(np.float16).astype(np.float32)
    return ns.from_numpy(values[~np.isnan(values)].copy()).to(getattr(ns, dtype))


def bits(tensor):
    """What a narrow tensor holds, exactly: as float32, which NumPy and both frameworks know."""
    return tensor.float() if tensor.is_floating_point() else tensor


_OF_ONE = ("abs", "ceil", "floor", "neg", "reciprocal", "round", "sign", "square", "trunc", "frac", "relu", "isfinite")


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("name", _OF_ONE)
def test_every_number(torch, candidate, dtype, name):
    same(torch, candidate, lambda ns: bits(getattr(ns, name)(patterns(ns, dtype))))


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("target", ["int8", "uint8", "int16", "int64", "bool", "float64", "other", "float32"])
def test_conversions_of_every_number(torch, candidate, dtype, target):
    def program(ns):
        x = patterns(ns, dtype)
        kind = "float16" if dtype == "bfloat16" else "bfloat16"
        if target.startswith(("int", "uint")):
            x = x[abs(x) < 100.0]  # beyond the range the machine decides
        return bits(x.to(getattr(ns, kind if target == "other" else target)))

    same(torch, candidate, program)


_OF_TWO = (
    "add", "sub", "mul", "div", "maximum", "minimum", "fmod", "remainder", "floor_divide", "eq", "lt", "ge", "copysign",
    "hypot", "nextafter", "fmax",
)  # fmt: skip


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize(
    "name", [name for name in _OF_TWO if name != "floor_divide"]
)  # which torch rounds at each step
def test_pairs(torch, candidate, dtype, name):
    def program(ns):
        x, y = numbers(ns, dtype), numbers(ns, dtype, seed=1)
        return bits(getattr(ns, name)(x, y))

    same(torch, candidate, program)


_WITH_NUMBERS = ("add", "sub", "mul", "div", "fmod", "remainder", "floor_divide", "eq", "lt", "ge", "copysign")


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("name", _WITH_NUMBERS)
def test_with_numbers(torch, candidate, dtype, name):
    """Some take a number in float32, others in the tensor's own precision."""

    def program(ns):
        x, number = numbers(ns, dtype), 0.1234567
        return [bits(getattr(ns, name)(x, each)) for each in (number, -3, ns.tensor(number), ns.tensor(2))]

    same(torch, candidate, program)


_SUMS = {
    "sum": lambda ns, x: x.sum(),
    "sum of rows": lambda ns, x: x.view(32, -1).sum(1),
    "sum of columns": lambda ns, x: x.view(32, -1).sum(0),
    "sum in float32": lambda ns, x: x.sum(dtype=ns.float32),
    "mean": lambda ns, x: x.mean(),
    "mean of rows": lambda ns, x: x.view(32, -1).mean(1),
    "var": lambda ns, x: x.var(),
    "std": lambda ns, x: x.view(32, -1).std(0),
    "norm": lambda ns, x: x.norm(),
    "prod": lambda ns, x: x[:8].prod(),
    "cumsum": lambda ns, x: x[:64].cumsum(0),
    "softmax": lambda ns, x: x.view(32, -1).softmax(0),
    "logsumexp": lambda ns, x: x.view(32, -1).logsumexp(1),
    "matmul": lambda ns, x: x.view(32, -1) @ x.view(-1, 32),
    "mv": lambda ns, x: x.view(32, -1) @ x[:64],
    "exp": lambda ns, x: x.exp(),
    "log": lambda ns, x: x.abs().log(),
    "tanh": lambda ns, x: x.tanh(),
    "sigmoid": lambda ns, x: x.sigmoid(),
    "gelu": lambda ns, x: ns.nn.functional.gelu(x),
    "erf": lambda ns, x: x.erf(),
    "pow": lambda ns, x: x.abs() ** 1.7,
    "addcmul": lambda ns, x: ns.addcmul(x, x, x, value=0.3),
    "lerp": lambda ns, x: x.lerp(x.flip(0), 0.3),
    "mse": lambda ns, x: ns.nn.functional.mse_loss(x, x.flip(0)),
    "cross entropy": lambda ns, x: ns.nn.functional.cross_entropy(x.view(32, -1), ns.arange(32)),
    "layer norm": lambda ns, x: ns.nn.functional.layer_norm(x.view(32, -1), (64,)),
    "linear": lambda ns, x: ns.nn.functional.linear(x.view(32, -1), x.view(32, -1), x[:32]),
    "conv1d": lambda ns, x: ns.nn.functional.conv1d(x.view(1, 4, -1), x[:36].view(3, 4, 3), x[:3]),
    "conv2d": lambda ns, x: ns.nn.functional.conv2d(x.view(2, 4, 16, 16), x[:108].view(3, 4, 3, 3)),
    "avg_pool": lambda ns, x: ns.nn.functional.avg_pool2d(x.view(2, 4, 16, 16), 2),
    "max_pool": lambda ns, x: ns.nn.functional.max_pool2d(x.view(2, 4, 16, 16), 2),
    "embedding": lambda ns, x: ns.nn.functional.embedding(ns.arange(5), x.view(32, -1)),
    "batch norm": lambda ns, x: ns.nn.functional.batch_norm(x.view(32, -1), None, None, training=True),
}
_UNIT = {"bfloat16": 2.0**-8, "float16": 2.0**-11}


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("name", _SUMS)
def test_as_precise_as_torch(torch, candidate, dtype, name):
    """What is rounded once differs from the exact result by half a unit; torch itself may round more often."""

    def values(ns, kind):
        x = numbers(ns, dtype, scale=0.7).to(getattr(ns, kind)).requires_grad_()
        y = _SUMS[name](ns, x)
        y.backward(numbers(ns, dtype, y.numel(), seed=3).view(y.shape).to(y.dtype))
        return str(y.dtype).rpartition(".")[2], [each.detach().double().numpy() for each in (y, x.grad)]

    _, exact = values(torch, "float64")
    kind, expected = values(torch, dtype)
    actual_kind, actual = values(candidate, dtype)
    assert actual_kind == kind
    for true, theirs, ours in zip(exact, expected, actual, strict=True):
        assert ours.shape == theirs.shape
        scale = np.abs(true).max(initial=0.0)
        allowed = 2 * np.abs(theirs - true).max(initial=0.0) + 2 * _UNIT[dtype] * scale
        assert np.abs(ours - true).max(initial=0.0) <= allowed


@pytest.mark.parametrize(
    ("optimiser", "dtype"),
    # in float16 the epsilon of the others is 0, of which torch makes NaN
    [*((name, "bfloat16") for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad")), ("SGD", "float16")],
)
def test_training(torch, candidate, optimiser, dtype):
    """A network whose every part is narrow: dtypes everywhere, and losses that stay together."""
    inputs = numbers(torch, dtype, 64).float().numpy().reshape(16, 4)

    def program(ns, tensor):
        ns.manual_seed(0)
        x = tensor(inputs)
        kind = getattr(ns, dtype) if x.dtype is ns.float32 else x.dtype  # wide where the truth is asked for
        net = ns.nn.Sequential(ns.nn.Linear(4, 8), ns.nn.LayerNorm(8), ns.nn.ReLU(), ns.nn.Linear(8, 3))
        net.to(getattr(ns, dtype)).to(kind)
        optim = getattr(ns.optim, optimiser)(net.parameters(), lr=0.01)
        target, history = ns.arange(16) % 3, []
        for _ in range(4):
            optim.zero_grad()
            loss = ns.nn.functional.cross_entropy(net(x.to(kind)), target)
            loss.backward()
            optim.step()
            history.append(loss.detach())
        state = [v for group in optim.state.values() for v in group.values() if hasattr(v, "dtype")]
        return history, [each.grad for each in net.parameters()], state

    agree(torch, candidate, program, coarsest=dtype)


@pytest.mark.parametrize("dtype", NARROW)
def test_manners(torch, candidate, dtype):
    """Printing, items, joining, comparing, copying, indexing and random numbers."""
    uses = {
        "repr": lambda ns, x: repr(x),
        "item": lambda ns, x: x[1].item(),
        "tolist": lambda ns, x: x.tolist(),
        "cat": lambda ns, x: ns.cat([x, ns.ones(2)]),
        "cat with integers": lambda ns, x: ns.cat([x, ns.ones(2, dtype=ns.int64)]),
        "stack": lambda ns, x: ns.stack([x, x]),
        "equal": lambda ns, x: (x == x.clone(), ns.equal(x, x), x == 0.1, bool((x > 1).any())),
        "clone": lambda ns, x: x.clone(),
        "indexing": lambda ns, x: (x[ns.tensor([1, 0])], x[x > 0], x[::2]),
        "assignment": lambda ns, x: _assigned(x),
        "sort of maximum": lambda ns, x: (x.max(), x.max(0), x.argmax(), x.min()),
        "default arithmetic": lambda ns, x: (x + 1, 1 - x, 2 / x, x**2, -x, abs(x), x // 1, x % 1),
        "type": lambda ns, x: (x.type(), x.element_size(), x.is_floating_point()),
        "rand": lambda ns, x: (ns.manual_seed(1), ns.rand(20, dtype=x.dtype))[1],
        "randn": lambda ns, x: (ns.manual_seed(1), ns.randn(20, dtype=x.dtype))[1],
        "randint": lambda ns, x: (ns.manual_seed(1), ns.randint(0, 9, (5,), dtype=x.dtype))[1],
        "dropout": lambda ns, x: (ns.manual_seed(1), ns.nn.functional.dropout(x, 0.5))[1],
        "exponential_": lambda ns, x: (ns.manual_seed(1), x.clone().exponential_())[1],
        "as Python numbers": lambda ns, x: (float(x[0]), int(x[2]), bool(x[0])),
        "sum with float32": lambda ns, x: (x + ns.ones(3), x * ns.ones((), dtype=ns.float64)),
        "numpy": lambda ns, x: x.float().numpy().tolist(),
    }
    cells = (
        (label, lambda ns, use=use: use(ns, ns.tensor([0.1, -2.5, 3.0], dtype=getattr(ns, dtype))))
        for label, use in uses.items()
    )
    table(torch, candidate, cells)


def _assigned(x):
    x = x.clone()
    x[0] = 1.23456
    x[1:] = x[1:] * 2
    return x


@pytest.mark.parametrize("dtype", NARROW)
def test_gradients(torch, candidate, dtype):
    """Of a function of narrow and wide tensors: each in the dtype of its tensor."""

    def program(ns):
        x = ns.tensor([0.5, -1.5], dtype=getattr(ns, dtype), requires_grad=True)
        w = ns.tensor([2.0, 0.25], requires_grad=True)
        y = (x * w + x.relu()).sum()
        y.backward()
        (second,) = ns.autograd.grad((x * x * x).sum(), x, create_graph=True)
        return y, w.grad, x.grad.float(), str(x.grad.dtype)[-8:], second.float(), second.grad_fn.name()

    same(torch, candidate, program)
