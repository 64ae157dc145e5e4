"""Pooling: values and derivatives of sliding and of shared windows, ties, NaN, infinities, indices, errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same

seeds = st.integers(0, 2**32 - 1)
ranks = st.integers(1, 3)


def numbers(seed, shape, ties):
    """Normal deviates, or few different integers."""
    draw = np.random.default_rng(seed)
    return (draw.integers(-1, 2, shape) if ties else draw.standard_normal(shape)).astype(np.float32)


def pooled(tensor, values, seed, pool):
    """What `pool` makes of the values, and the derivatives of first and second order."""
    x = tensor(values, True)
    result = pool(x)
    out = result[0] if isinstance(result, tuple) else result
    draw = np.random.default_rng(seed)
    g = tensor(draw.standard_normal(tuple(out.shape)).astype(np.float32), True)
    if not out.requires_grad:
        return result
    out.backward(g, retain_graph=True, create_graph=True)
    first = x.grad.detach().clone()
    (x.grad * tensor(draw.standard_normal(values.shape).astype(np.float32))).sum().backward()
    return result, first, g.grad


@st.composite
def windows(draw, dilated=True):
    """Shape, kernel, stride, padding and dilation of windows, some of which are wider than the input."""
    rank = draw(ranks)
    each = lambda values: draw(st.tuples(*[st.sampled_from(values)] * rank))  # noqa: E731
    kernel, stride, dilation = each([1, 2, 3]), each([1, 2, 3]), each([1, 2] if dilated else [1])
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    least = [max(d * (k - 1) + 1 - 2 * p, 2) for k, p, d in zip(kernel, padding, dilation, strict=True)]
    size = [each + draw(st.integers(0, 4)) for each in least]
    batch = draw(st.sampled_from([(), (0,), (1,), (2,)]))
    return rank, (*batch, draw(st.integers(1, 2)), *size), kernel, stride, padding, dilation


@given(case=windows(), seed=seeds, ceil_mode=st.booleans(), indices=st.booleans(), ties=st.booleans())
def test_max_pool(torch, candidate, case, seed, ceil_mode, indices, ties):
    rank, shape, *options = case

    def program(ns, tensor):
        pool = getattr(ns.nn, f"MaxPool{rank}d")(*options, return_indices=indices, ceil_mode=ceil_mode)
        return pooled(tensor, numbers(seed, shape, ties), seed, pool)

    agree(torch, candidate, program)


@given(
    case=windows(dilated=False),
    seed=seeds,
    ceil_mode=st.booleans(),
    include=st.booleans(),
    divisor=st.none() | st.sampled_from([-2, 3]),
)
def test_avg_pool(torch, candidate, case, seed, ceil_mode, include, divisor):
    rank, shape, kernel, stride, padding, _ = case
    override = () if rank == 1 else (divisor,)

    def program(ns, tensor):
        pool = getattr(ns.nn, f"AvgPool{rank}d")(kernel, stride, padding, ceil_mode, include, *override)
        return pooled(tensor, numbers(seed, shape, False), seed, pool)

    agree(torch, candidate, program)


@pytest.mark.parametrize("kind", ["Max", "Avg"])
@given(data=st.data(), rank=ranks, seed=seeds, indices=st.booleans(), ties=st.booleans())
def test_adaptive_pools(torch, candidate, kind, data, rank, seed, indices, ties):
    several = st.tuples(*[st.integers(1, 7)] * rank)
    shape = (*data.draw(st.sampled_from([(2,), (1, 2), (0, 2)])), *data.draw(several))
    outputs = data.draw(several if rank == 1 else several | st.tuples(*[st.none() | st.integers(1, 3)] * rank))
    options = (indices,) if kind == "Max" else ()

    def program(ns, tensor):
        pool = getattr(ns.nn, f"Adaptive{kind}Pool{rank}d")(outputs, *options)
        return pooled(tensor, numbers(seed, shape, ties), seed, pool)

    agree(torch, candidate, program)


@given(case=windows(dilated=False), seed=seeds, norm=st.sampled_from([1, 2, 2.5, float("inf"), -float("inf")]))
def test_lp_pool(torch, candidate, case, seed, norm):
    rank, shape, kernel, stride, *_ = case
    if rank == 1:
        kernel, stride = kernel[0], stride[0]

    def program(ns, tensor):
        x = tensor(np.abs(numbers(seed, shape, False)) + 1, True)
        result = getattr(ns.nn.functional, f"lp_pool{rank}d")(x, norm, kernel, stride)
        result.sum().backward()
        return result, x.grad

    agree(torch, candidate, program)


@given(rank=ranks, seed=seeds, more=st.integers(0, 1))
def test_unpooling(torch, candidate, rank, seed, more):
    def program(ns, tensor):
        shape = (2, 3, *[4 + more] * rank)
        values, indices = getattr(ns.nn.functional, f"max_pool{rank}d")(
            tensor(numbers(seed, shape, False)), 2, return_indices=True
        )
        return pooled(
            tensor,
            values.detach().numpy().astype(np.float32),
            seed,
            lambda x: getattr(ns.nn, f"MaxUnpool{rank}d")(2)(x, indices, output_size=shape),
        )

    agree(torch, candidate, program)


EXTREMES = {
    "nan": [[1.0, float("nan")], [float("nan"), 2.0]],
    "nan last": [[1.0, 3.0], [3.0, float("nan")]],
    "-inf": [[-float("inf")] * 2] * 2,
    "inf": [[float("inf"), 1.0], [float("inf"), 2.0]],
    "zeros": [[-0.0, 0.0], [0.0, -0.0]],
}


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("values", EXTREMES.values(), ids=EXTREMES.keys())
def test_which_of_the_extremes_wins(torch, candidate, values, padding):
    def program(ns):
        x = ns.tensor([values + values], requires_grad=True)
        out, indices = ns.nn.functional.max_pool2d(x, 2, 1 + (padding == 0), padding, return_indices=True)
        out.backward(ns.tensor([float("inf")]).expand(out.shape) if padding == 0 else ns.ones(out.shape))
        return out, indices, x.grad

    same(torch, candidate, program)


@pytest.mark.parametrize("dtype", ["float16", "float64", "uint8", "int8", "int64", "bool"])
@pytest.mark.parametrize("name", ["max_pool1d", "max_pool2d", "max_pool3d", "avg_pool2d", "avg_pool3d"])
def test_dtypes(torch, candidate, name, dtype):
    def program(ns):
        x = (
            ((ns.arange(128) * 37) % 64)
            .to(getattr(ns, dtype))
            .reshape(*{"1": (2, 64), "2": (2, 8, 8), "3": (2, 4, 4, 4)}[name[-2]])
        )
        return getattr(ns.nn.functional, name)(x, 2)

    same(torch, candidate, program)


def test_integers_are_averaged_towards_zero(torch, candidate):
    def program(ns):
        x = ns.arange(-8, 8).reshape(1, 4, 4)
        return [ns.nn.functional.avg_pool2d(x, 2, divisor_override=divisor) for divisor in (None, 3, -3)]

    same(torch, candidate, program)


@pytest.mark.parametrize("layout", ["transposed", "sliced", "expanded"])
def test_any_layout_in_memory(torch, candidate, layout):
    def program(ns):
        x = (ns.arange(144) * 31 % 17).reshape(2, 2, 6, 6).to(ns.float32).requires_grad_()
        views = {"transposed": x.transpose(2, 3), "sliced": x[:, :, ::2, 1:], "expanded": x[:1].expand(3, 2, 6, 6)}
        results = [pool(views[layout], 2) for pool in (ns.nn.functional.max_pool2d, ns.nn.functional.avg_pool2d)]
        for result in results:
            result.backward(ns.ones(()).expand(result.shape))
        return results, [each.stride() for each in results], x.grad

    same(torch, candidate, program)


def test_graph_nodes(torch, candidate):
    def program(ns):
        F = ns.nn.functional
        x, v = ns.ones(2, 4, 4, requires_grad=True), ns.ones(2, 4, 4, 4, requires_grad=True)
        results = [F.max_pool2d(x, 2), F.max_pool1d(x, 2), F.max_pool3d(v, 2), F.avg_pool2d(x, 2), F.avg_pool1d(x, 2)]
        results += [F.avg_pool3d(v, 2), F.adaptive_avg_pool2d(x, 3), F.adaptive_avg_pool2d(x, 1), F.lp_pool2d(x, 2, 2)]
        results += [F.adaptive_max_pool2d(x, 3), F.adaptive_max_pool1d(x, 3), F.adaptive_avg_pool3d(v, 3)]
        return [each.grad_fn.name() for each in results]

    same(torch, candidate, program)


LAYERS = {
    "max": lambda nn: nn.MaxPool2d(2),
    "max with options": lambda nn: nn.MaxPool2d((2, 1), 3, (1, 0), 2, True, True),
    "max 1d": lambda nn: nn.MaxPool1d(kernel_size=3),
    "avg": lambda nn: nn.AvgPool2d(2),
    "avg 1d": lambda nn: nn.AvgPool1d(2, 2, 1, True, False),
    "avg 3d": lambda nn: nn.AvgPool3d(2, divisor_override=3),
    "adaptive": lambda nn: nn.Sequential(nn.AdaptiveAvgPool2d((2, None)), nn.AdaptiveMaxPool3d(2, True)),
    "lp": lambda nn: nn.Sequential(nn.LPPool1d(2, 3), nn.LPPool2d(1.5, (2, 1), 2, True)),
    "unpool": lambda nn: nn.Sequential(nn.MaxUnpool1d(2), nn.MaxUnpool2d(2, 3, 1), nn.MaxUnpool3d((1, 2, 2))),
}


@pytest.mark.parametrize("build", LAYERS.values(), ids=LAYERS.keys())
def test_layers(torch, candidate, build):
    def program(ns):
        layer = build(ns.nn)
        names = [name for name in layer.__dict__ if not name.startswith("_")]
        return layer, getattr(layer, "__constants__", None), {name: getattr(layer, name) for name in names}

    same(torch, candidate, program)


WRONG = {
    "no kernel": lambda F, x, v: F.max_pool2d(x),
    "a name": lambda F, x, v: F.max_pool2d(x, 2, size=2),
    "a number": lambda F, x, v: F.max_pool2d(1, 2),
    "float kernel": lambda F, x, v: F.max_pool2d(x, 2.0),
    "word": lambda F, x, v: F.max_pool2d(x, "a"),
    "boolean kernel": lambda F, x, v: F.max_pool2d(x, True),
    "int for ceil_mode": lambda F, x, v: F.max_pool2d(x, 2, 2, 0, 1, 1),
    "three kernels": lambda F, x, v: F.max_pool2d(x, (2, 2, 2)),
    "three strides": lambda F, x, v: F.max_pool2d(x, 2, (2, 2, 2)),
    "three paddings": lambda F, x, v: F.max_pool2d(x, 2, 2, (0, 0, 0)),
    "three dilations": lambda F, x, v: F.max_pool2d(x, 2, 2, 0, (1, 1, 1)),
    "kernel 0": lambda F, x, v: F.max_pool2d(x, 0, 1),
    "stride 0": lambda F, x, v: F.max_pool2d(x, 2, 0),
    "stride -1": lambda F, x, v: F.max_pool2d(x, 2, -1),
    "padding -1": lambda F, x, v: F.max_pool2d(x, 2, 2, -1),
    "padding too large": lambda F, x, v: F.max_pool2d(x, 2, 2, 2),
    "padding beyond half": lambda F, x, v: F.max_pool2d(x, 3, 1, 2, 2),
    "dilation 0": lambda F, x, v: F.max_pool2d(x, 2, 2, 0, 0),
    "window too large": lambda F, x, v: F.max_pool2d(x, 9),
    "2d": lambda F, x, v: F.max_pool2d(x[0, 0], 2),
    "5d": lambda F, x, v: F.max_pool2d(x[None], 2),
    "empty": lambda F, x, v: F.max_pool2d(x[:, :0], 2),
    "1d of 4d": lambda F, x, v: F.max_pool1d(x, 2),
    "1d two kernels": lambda F, x, v: F.max_pool1d(x[0], (2, 2)),
    "1d stride": lambda F, x, v: F.max_pool1d(x[0], 2, 0),
    "1d padding": lambda F, x, v: F.max_pool1d(x[0], 2, 2, 2),
    "1d too large": lambda F, x, v: F.max_pool1d(x[0], 9),
    "1d indices of 4d": lambda F, x, v: F.max_pool1d(x, 2, return_indices=True),
    "1d indices, two kernels": lambda F, x, v: F.max_pool1d(x[0], (2, 2), return_indices=True),
    "3d of 3d": lambda F, x, v: F.max_pool3d(x[0], 2),
    "3d two kernels": lambda F, x, v: F.max_pool3d(v, (2, 2)),
    "3d padding beyond half": lambda F, x, v: F.max_pool3d(v, 3, 1, 2, 2),
    "3d empty": lambda F, x, v: F.max_pool3d(v[:, :0], 2),
    "avg nothing": lambda F, x, v: F.avg_pool2d(),
    "avg a number": lambda F, x, v: F.avg_pool2d(1, 2),
    "avg divisor 0": lambda F, x, v: F.avg_pool2d(x, 2, divisor_override=0),
    "avg float divisor": lambda F, x, v: F.avg_pool2d(x, 2, divisor_override=2.5),
    "avg int for ceil_mode": lambda F, x, v: F.avg_pool2d(x, 2, 2, 0, 1),
    "avg three kernels": lambda F, x, v: F.avg_pool2d(x, (2, 2, 2)),
    "avg 2d": lambda F, x, v: F.avg_pool2d(x[0, 0], 2),
    "avg 1d of 4d": lambda F, x, v: F.avg_pool1d(x, 2),
    "avg 1d two strides": lambda F, x, v: F.avg_pool1d(x[0], 2, (2, 2)),
    "avg 1d too large": lambda F, x, v: F.avg_pool1d(x[0], 9),
    "avg 3d too large": lambda F, x, v: F.avg_pool3d(v, 5),
    "avg 3d two kernels": lambda F, x, v: F.avg_pool3d(v, (2, 2)),
    "adaptive nothing": lambda F, x, v: F.adaptive_avg_pool2d(x),
    "adaptive float": lambda F, x, v: F.adaptive_avg_pool2d(x, 2.0),
    "adaptive word": lambda F, x, v: F.adaptive_avg_pool2d(x, "ab"),
    "adaptive three": lambda F, x, v: F.adaptive_avg_pool2d(x, (1, 1, 1)),
    "adaptive one": lambda F, x, v: F.adaptive_avg_pool2d(x, (2,)),
    "adaptive -1": lambda F, x, v: F.adaptive_avg_pool2d(x, -1),
    "adaptive 2d": lambda F, x, v: F.adaptive_avg_pool2d(x[0, 0], 2),
    "adaptive empty": lambda F, x, v: F.adaptive_avg_pool2d(x[:, :, :0], 2),
    "adaptive integers": lambda F, x, v: F.adaptive_avg_pool2d(x.long(), 2),
    "adaptive 3d two": lambda F, x, v: F.adaptive_avg_pool3d(v, (2, 2)),
    "adaptive 1d none": lambda F, x, v: F.adaptive_avg_pool1d(x[0], None),
    "adaptive 1d two": lambda F, x, v: F.adaptive_max_pool1d(x[0], (2, 2)),
    "adaptive max nothing": lambda F, x, v: F.adaptive_max_pool2d(x),
    "adaptive max one": lambda F, x, v: F.adaptive_max_pool2d(x, (2,)),
    "adaptive max -1": lambda F, x, v: F.adaptive_max_pool2d(x, -1),
    "adaptive max empty": lambda F, x, v: F.adaptive_max_pool2d(x[:, :0], 2),
    "adaptive max integers": lambda F, x, v: F.adaptive_max_pool3d(v.long(), 2),
    "lp three": lambda F, x, v: F.lp_pool2d(x, 2, (2, 2, 2)),
    "unpool index": lambda F, x, v: F.max_unpool2d(x, x.long() + 400, 2),
    "unpool negative": lambda F, x, v: F.max_unpool2d(x, x.long() - 2, 2),
    "unpool int32": lambda F, x, v: F.max_unpool2d(x, x.int(), 2),
    "unpool shapes": lambda F, x, v: F.max_unpool2d(x, x[:1].long(), 2),
    "unpool size": lambda F, x, v: F.max_unpool2d(x, x.long(), 2, output_size=(20, 16)),
    "unpool one size": lambda F, x, v: F.max_unpool2d(x, x.long(), 2, output_size=(16,)),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_errors(torch, candidate, wrong):
    same(torch, candidate, lambda ns: wrong(ns.nn.functional, ns.ones(2, 3, 8, 8), ns.ones(2, 3, 4, 4, 4)).shape)


@pytest.mark.parametrize("returned", [False, True])
def test_the_maxima_may_be_written_to(torch, candidate, returned):
    def program(ns, tensor):
        x = tensor(np.random.default_rng(0).standard_normal((2, 3, 6, 6)).astype(np.float32), requires_grad=True)
        pooled = ns.nn.functional.max_pool2d(x, 2, return_indices=returned)
        pooled = pooled[0] if returned else pooled
        ns.nn.functional.relu(pooled, inplace=True).pow(2).sum().backward()
        return pooled, x

    agree(torch, candidate, program)
