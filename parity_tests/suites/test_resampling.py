"""Blocks as columns, rearranged pixels and resampled images: values, derivatives, layers, errors."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same

seeds = st.integers(0, 2**32 - 1)
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


def differentiated(tensor, seed, shape, function):
    """What `function` makes of random numbers, and the derivatives of first and second order."""
    draw = np.random.default_rng(seed)

    def numbers(shape, requires_grad=True):
        return tensor(draw.standard_normal(tuple(shape)).astype(np.float32), requires_grad)

    x = numbers(shape)
    result = function(x)
    g = numbers(result.shape)
    result.backward(g, retain_graph=True, create_graph=True)
    first = x.grad.detach().clone()
    (x.grad * numbers(shape, False)).sum().backward()
    return result, first, g.grad


@given(
    kernel=pairs,
    dilation=pairs,
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    stride=pairs,
    batch=st.sampled_from([(), (1,), (3,)]),
    seed=seeds,
)
def test_unfold_and_fold(torch, candidate, kernel, dilation, padding, stride, batch, seed):
    size = [d * (k - 1) + 2 for k, d in zip(kernel, dilation, strict=True)]

    def program(ns, tensor):
        unfold = ns.nn.Unfold(kernel, dilation, padding, stride)
        fold = ns.nn.Fold(size, kernel, dilation, padding, stride)
        columns = differentiated(tensor, seed, (*batch, 2, *size), unfold)
        return columns, differentiated(tensor, seed, tuple(columns[0].shape), fold)

    agree(torch, candidate, program)


@given(factor=st.integers(1, 3), lead=st.sampled_from([(2,), (1, 2), (2, 1, 3)]), size=pairs, seed=seeds)
def test_pixel_shuffle(torch, candidate, factor, lead, size, seed):
    def program(ns, tensor):
        many = (*lead[:-1], lead[-1] * factor * factor, *size)
        large = (*lead, *(factor * each for each in size))
        up, down = ns.nn.PixelShuffle(factor), ns.nn.PixelUnshuffle(factor)
        return differentiated(tensor, seed, many, up), differentiated(tensor, seed, large, down)

    agree(torch, candidate, program)


@given(groups=st.integers(1, 4), each=st.integers(1, 3), rank=st.integers(1, 3), seed=seeds)
def test_channel_shuffle(torch, candidate, groups, each, rank, seed):
    def program(ns, tensor):
        x = tensor(
            np.random.default_rng(seed).standard_normal((2, groups * each, *[2] * rank)).astype(np.float32), True
        )
        result = ns.nn.ChannelShuffle(groups)(x)
        (result * result).sum().backward()
        return result, x.grad

    agree(torch, candidate, program)


MODES = ["nearest", "nearest-exact", "area", "linear", "corners", "bicubic", "bicubic corners"]


@pytest.mark.parametrize("mode", MODES)
@given(data=st.data(), seed=seeds, how=st.sampled_from(["size", "factor", "recompute"]))
def test_interpolate(torch, candidate, mode, data, seed, how):
    rank = 2 if mode.startswith("bicubic") else data.draw(st.integers(1, 3))
    each = lambda values: data.draw(st.tuples(*[values] * rank))  # noqa: E731
    size = each(st.integers(1, 6))
    name, _, corners = mode.rpartition("corners")[0].strip() or mode, None, mode.endswith("corners")
    name = ("linear", "bilinear", "trilinear")[rank - 1] if name in ("linear", "corners") else name
    options = {"align_corners": corners} if name.endswith(("linear", "bicubic")) else {}
    if how == "size":
        options["size"] = each(st.integers(1, 9))
    else:
        options["scale_factor"] = each(st.sampled_from([1.0, 1.3, 2.0, 3.0, 2.5]))
        options["recompute_scale_factor"] = how == "recompute" or None

    def program(ns, tensor):
        return differentiated(
            tensor, seed, (2, 2, *size), lambda x: ns.nn.functional.interpolate(x, mode=name, **options)
        )

    agree(torch, candidate, program)


def test_graph_nodes(torch, candidate):
    def program(ns):
        F = ns.nn.functional
        x = ns.ones(1, 4, 4, 4, requires_grad=True)
        results = [F.unfold(x, 2), F.fold(F.unfold(x, 2), 4, 2), F.pixel_shuffle(x, 2), F.pixel_unshuffle(x, 2)]
        results += [F.interpolate(x, 3, mode=mode) for mode in ("nearest", "nearest-exact", "bilinear", "bicubic")]
        return [each.grad_fn.name() for each in (*results, F.channel_shuffle(x, 2))]

    same(torch, candidate, program)


@pytest.mark.parametrize("name", ["upsample", "upsample_nearest", "upsample_bilinear"])
def test_old_names_warn(torch, candidate, name):
    def program(ns):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = getattr(ns.nn.functional, name)(ns.arange(16.0).reshape(1, 1, 4, 4), 7)
        return result, [str(w.message) for w in caught]

    same(torch, candidate, program)


LAYERS = {
    "fold": lambda nn: nn.Sequential(nn.Fold((8, 8), 2), nn.Unfold((2, 1), 2, 1, 3)),
    "shuffles": lambda nn: nn.Sequential(nn.PixelShuffle(2), nn.PixelUnshuffle(3), nn.ChannelShuffle(2)),
    "upsample": lambda nn: nn.Sequential(nn.Upsample(3), nn.Upsample(scale_factor=(2, 3), mode="bilinear")),
    "old upsample": lambda nn: nn.Sequential(nn.UpsamplingNearest2d(scale_factor=2), nn.UpsamplingBilinear2d((3, 4))),
}


@pytest.mark.parametrize("build", LAYERS.values(), ids=LAYERS.keys())
def test_layers(torch, candidate, build):
    def program(ns):
        layers = build(ns.nn)
        options = [{name: value for name, value in vars(each).items() if name[0] != "_"} for each in layers]
        return layers, [each.__constants__ for each in layers], options

    same(torch, candidate, program)


WRONG = {
    "unfold kernel": lambda F, x: F.unfold(x, 9),
    "unfold kernel 0": lambda F, x: F.unfold(x, 0),
    "unfold stride 0": lambda F, x: F.unfold(x, 2, 1, 0, 0),
    "unfold dilation 0": lambda F, x: F.unfold(x, 2, 0),
    "unfold padding": lambda F, x: F.unfold(x, 2, 1, -1),
    "unfold three": lambda F, x: F.unfold(x, (2, 2, 2)),
    "unfold float": lambda F, x: F.unfold(x, 2.0),
    "unfold number": lambda F, x: F.unfold(1, 2),
    "unfold empty": lambda F, x: F.unfold(x[:, :0], 2),
    "unfold integers": lambda F, x: F.unfold(x.long(), 2),
    "fold blocks": lambda F, x: F.fold(x[0], 9, 2),
    "fold rows": lambda F, x: F.fold(x[0], (8, 8), 3),
    "fold 4d": lambda F, x: F.fold(x, (8, 8), 2),
    "fold three": lambda F, x: F.fold(x[0], (8, 8, 8), 2),
    "shuffle channels": lambda F, x: F.pixel_shuffle(x[:, :3], 2),
    "shuffle 2d": lambda F, x: F.pixel_shuffle(x[0, 0], 2),
    "shuffle 0": lambda F, x: F.pixel_shuffle(x, 0),
    "shuffle float": lambda F, x: F.pixel_shuffle(x, 2.0),
    "unshuffle height": lambda F, x: F.pixel_unshuffle(x, 3),
    "unshuffle width": lambda F, x: F.pixel_unshuffle(x[..., :3], 2),
    "groups": lambda F, x: F.channel_shuffle(x, 3),
    "no groups": lambda F, x: F.channel_shuffle(x, 0),
    "groups 2d": lambda F, x: F.channel_shuffle(x[0, 0], 2),
    "nothing": lambda F, x: F.interpolate(x),
    "both": lambda F, x: F.interpolate(x, 4, 2),
    "three sizes": lambda F, x: F.interpolate(x, (4, 4, 4)),
    "three factors": lambda F, x: F.interpolate(x, scale_factor=(2, 2, 2)),
    "float size": lambda F, x: F.interpolate(x, (4.0, 4)),
    "size 0": lambda F, x: F.interpolate(x, 0),
    "size -1": lambda F, x: F.interpolate(x[0], -1),
    "mode": lambda F, x: F.interpolate(x, 4, mode="mirror"),
    "mode of 3d": lambda F, x: F.interpolate(x, 4, mode="linear"),
    "mode of 5d": lambda F, x: F.interpolate(x[0], 4, mode="trilinear"),
    "2d": lambda F, x: F.interpolate(x[0, 0], 4),
    "corners of nearest": lambda F, x: F.interpolate(x, 4, align_corners=False),
    "size again": lambda F, x: F.interpolate(x, 4, recompute_scale_factor=True),
    "antialias of nearest": lambda F, x: F.interpolate(x, 4, antialias=True),
    "empty": lambda F, x: F.interpolate(x[:, :0], 4),
    "integers": lambda F, x: F.interpolate(x.long(), 4),
    "integers bilinear": lambda F, x: F.interpolate(x.long(), 4, mode="bilinear"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_errors(torch, candidate, wrong):
    same(torch, candidate, lambda ns: wrong(ns.nn.functional, ns.ones(2, 4, 8, 8)).shape)
