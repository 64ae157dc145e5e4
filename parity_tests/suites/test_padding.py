"""Padding: values and derivatives in every mode, layers, errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same

seeds = st.integers(0, 2**32 - 1)


def padded(tensor, seed, shape, pad):
    """What `pad` makes of random numbers, and the derivatives of first and second order."""
    draw = np.random.default_rng(seed)

    def numbers(shape, requires_grad=True):
        return tensor(draw.standard_normal(tuple(shape)).astype(np.float32), requires_grad)

    x = numbers(shape)
    result = pad(x)
    g = numbers(result.shape)
    result.backward(g, retain_graph=True, create_graph=True)
    first = x.grad.detach().clone()
    (x.grad * numbers(shape, False)).sum().backward()
    return result.detach(), first, g.grad


@given(
    data=st.data(),
    shape=st.lists(st.integers(0, 3), min_size=1, max_size=4),
    seed=seeds,
    value=st.sampled_from([None, 0, 2.5]),
)
def test_constant(torch, candidate, data, shape, seed, value):
    dims = data.draw(st.integers(0, len(shape)))
    pad = [data.draw(st.integers(-(size // 2), 2)) for size in reversed(shape[len(shape) - dims :]) for _ in range(2)]

    def program(ns, tensor):
        return padded(tensor, seed, shape, lambda x: ns.nn.functional.pad(x, pad, value=value).contiguous())

    agree(torch, candidate, program)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@given(data=st.data(), rank=st.integers(1, 3), seed=seeds)
def test_own_elements(torch, candidate, mode, data, rank, seed):
    size = data.draw(st.tuples(*[st.integers(1, 4)] * rank))
    lead = data.draw(st.sampled_from([(2,), (1, 2), (0, 2)]))
    most = {"reflect": -1, "replicate": 3, "circular": 0}[mode]
    least = 0 if mode == "circular" else -1  # torch leaves elements undefined there
    pad = [data.draw(st.integers(min(least, 1 - n // 2), n + most)) for n in reversed(size) for _ in range(2)]
    pad = [amount if n > 2 else max(amount, 0) for amount, n in zip(pad, np.repeat(size[::-1], 2), strict=True)]

    def program(ns, tensor):
        return padded(tensor, seed, (*lead, *size), lambda x: ns.nn.functional.pad(x, pad, mode))

    agree(torch, candidate, program)


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("dtype", ["float16", "float64", "uint8", "int64", "bool"])
def test_dtypes(torch, candidate, mode, dtype):
    def program(ns):
        return ns.nn.functional.pad(ns.arange(12).reshape(1, 3, 4).to(getattr(ns, dtype)), (2, 1), mode)

    same(torch, candidate, program)


@pytest.mark.parametrize("value", [2.7, True, 3, -1, 300, float("nan")], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "uint8", "int64", "bool"])
def test_constants_of_any_kind(torch, candidate, dtype, value):
    same(torch, candidate, lambda ns: ns.nn.functional.pad(ns.ones(2, dtype=getattr(ns, dtype)), (1, 2), value=value))


def test_graph_nodes(torch, candidate):
    def program(ns):
        x = ns.ones(2, 3, 3, requires_grad=True)
        pads = [((1, 1), "constant"), ((1, 1), "reflect"), ((1, 1, 1, 1), "reflect"), ((1, 1), "replicate")]
        return [ns.nn.functional.pad(x, pad, mode).grad_fn.name() for pad, mode in pads]

    same(torch, candidate, program)


LAYERS = {
    "zero": lambda nn: nn.Sequential(nn.ZeroPad1d(2), nn.ZeroPad2d((1, 2, 3, 4)), nn.ZeroPad3d(1)),
    "constant": lambda nn: nn.Sequential(nn.ConstantPad1d(2, 3.5), nn.ConstantPad2d(1, -1), nn.ConstantPad3d(1, 0)),
    "reflection": lambda nn: nn.Sequential(
        nn.ReflectionPad1d(1), nn.ReflectionPad2d((1, 0, 2, 1)), nn.ReflectionPad3d(1)
    ),
    "replication": lambda nn: nn.Sequential(
        nn.ReplicationPad1d([1, 2]), nn.ReplicationPad2d(1), nn.ReplicationPad3d(1)
    ),
    "circular": lambda nn: nn.Sequential(nn.CircularPad1d(1), nn.CircularPad2d(1), nn.CircularPad3d((1, 0) * 3)),
}


@pytest.mark.parametrize("build", LAYERS.values(), ids=LAYERS.keys())
def test_layers(torch, candidate, build):
    def program(ns):
        layers = build(ns.nn)
        x = ns.arange(162.0).reshape(2, 3, 3, 3, 3)
        outputs = [layer(x[(0,) * (2 - at)]) for at, layer in enumerate(layers)]
        return layers, [each.__constants__ for each in layers], [each.padding for each in layers], outputs

    same(torch, candidate, program)


WRONG = {
    "nothing": lambda ns, x: ns.nn.functional.pad(x),
    "a number": lambda ns, x: ns.nn.functional.pad(1, (1, 1)),
    "one amount": lambda ns, x: ns.nn.functional.pad(x, 1),
    "float": lambda ns, x: ns.nn.functional.pad(x, (1.0, 2)),
    "word": lambda ns, x: ns.nn.functional.pad(x, "ab"),
    "odd": lambda ns, x: ns.nn.functional.pad(x, (1,)),
    "too many": lambda ns, x: ns.nn.functional.pad(x, (1,) * 10),
    "too negative": lambda ns, x: ns.nn.functional.pad(x, (-5, -5)),
    "mode": lambda ns, x: ns.nn.functional.pad(x, (1, 1), "mirror"),
    "no mode": lambda ns, x: ns.nn.functional.pad(x, (1, 1), None),
    "value": lambda ns, x: ns.nn.functional.pad(x, (1, 1), "constant", "a"),
    "value of a mode": lambda ns, x: ns.nn.functional.pad(x, (1, 1, 1, 1), "reflect", 1.0),
    "odd reflection": lambda ns, x: ns.nn.functional.pad(x, (1, 1, 1), "reflect"),
    "ranks": lambda ns, x: ns.nn.functional.pad(x, (1, 1), "reflect"),
    "reflection": lambda ns, x: ns.nn.functional.pad(x, (1, 1, 8, 1), "reflect"),
    "wraps twice": lambda ns, x: ns.nn.functional.pad(x, (9, 1, 1, 1), "circular"),
    "wraps nothing": lambda ns, x: ns.nn.functional.pad(x[:, :, :0], (1, 1, 1, 1), "circular"),
    "no channels": lambda ns, x: ns.nn.functional.pad(x[:, :0], (1, 1, 1, 1), "replicate"),
    "nothing left": lambda ns, x: ns.nn.functional.pad(x[0], (-9, -9), "replicate"),
    "layer's rank": lambda ns, x: ns.nn.CircularPad1d(1)(x),
    "layer's amounts": lambda ns, x: ns.nn.ReflectionPad2d((1, 2))(x),
    "no amount": lambda ns, x: ns.nn.ZeroPad2d(),
    "no constant": lambda ns, x: ns.nn.ConstantPad1d(1),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_errors(torch, candidate, wrong):
    same(torch, candidate, lambda ns: wrong(ns, ns.ones(2, 3, 8, 8)))
