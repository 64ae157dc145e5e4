"""Memory formats: what ops on images make of channels-last ones, forward and backward, and of strides that are ambiguous."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same

EXAMPLES = max(settings.default.max_examples // 3, 1)

# In which order the dimensions of images (N, C, *size) lie in memory, from the outermost: contiguous, channels last, others.
ORDERS = {
    4: [(0, 1, 2, 3), (0, 2, 3, 1), (0, 3, 2, 1), (1, 0, 2, 3), (0, 1, 3, 2), (0, 2, 1, 3)],
    5: [(0, 1, 2, 3, 4), (0, 2, 3, 4, 1), (0, 4, 3, 2, 1), (1, 0, 2, 3, 4), (0, 2, 1, 3, 4)],
    3: [(0, 1, 2), (0, 2, 1), (1, 0, 2)],
}


@st.composite
def layouts(draw, rank):
    """An order, mostly that of channels last, a dimension to step along (or None), and one to expand (or None)."""
    order = draw(st.sampled_from([ORDERS[rank][1], *ORDERS[rank]]))
    dims = st.none() | st.none() | st.integers(0, rank - 1)
    return order, draw(dims), draw(st.none() | dims)


@st.composite
def shapes(draw, rank):
    """Mostly of several elements along each dimension; the strides of a single one are ambiguous."""
    sizes = st.sampled_from([1, 2, 2, 4, 4])
    return draw(st.tuples(st.integers(1, 2), sizes, *[sizes] * (rank - 2)))


def laid_out(ns, tensor, array, layout):
    """A tensor with the elements of `array`, or fewer distinct ones, in a layout."""
    order, stepped, expanded = layout
    back = np.argsort(order).tolist()
    if expanded is not None:
        array = array[(slice(None),) * expanded + (slice(1),)]
    shape = array.shape
    if stepped is not None:
        array = np.repeat(array, 2, axis=stepped)
    x = tensor(array.transpose(order).copy()).permute(back)
    if stepped is not None:
        x = x[(slice(None),) * stepped + (slice(None, None, 2),)]
    assert tuple(x.shape) == shape
    return x


def numbers(seed, shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def formats(rank):
    """Orders that torch knows as memory formats."""
    return st.sampled_from(ORDERS[rank][:2])


def program_of(op, shape, layout, weight_order, cotangent):
    """The result, and the gradients of the images and of the weights, for a cotangent of ones that lie as the result does
    or in an order of its own."""

    def program(ns, tensor):
        x = laid_out(ns, tensor, numbers(0, shape), layout)
        if layout[2] is not None:
            x = x.expand(shape)
        x = x.detach().requires_grad_()
        weights = []

        def w(*sizes):
            made = tensor(numbers(1, sizes))
            if len(sizes) == len(shape):
                made = laid_out(ns, tensor, numbers(1, sizes), (weight_order, None, None))
            weights.append(made.detach().requires_grad_())
            return weights[-1]

        scope = {"ns": ns, "F": ns.nn.functional, "x": x, "w": w, "c": shape[1], "places": places}
        result = eval(op, scope)
        first = result[0] if isinstance(result, tuple) else result
        if not first.requires_grad:
            return result
        g = ns.ones_like(first)
        if cotangent is not None and first.dim() == len(cotangent):
            g = laid_out(ns, tensor, np.ones(tuple(first.shape), np.float32), (cotangent, None, None))
        return result, ns.autograd.grad(first, [x, *weights], g, allow_unused=True)

    return program


def places(ns, x):
    """An index of its own for each element of a plane."""
    plane = x.shape[2:]
    return ns.arange(plane.numel()).reshape(plane).expand(x.shape).contiguous()


def compare(torch, candidate, op, data, rank):
    shape, layout, weight = (data.draw(each(rank)) for each in (shapes, layouts, formats))
    cotangent = data.draw(st.none() | formats(rank))
    if op in ELEMENTWISE or op in AS_COTANGENT:
        layout, cotangent = (*layout[:2], None), None
    if op in UNAMBIGUOUS:
        shape = tuple(2 * size for size in shape)
    agree(torch, candidate, program_of(op, shape, layout, weight, cotangent))


# -- images -----------------------------------------------------------------------------------------------------------

IMAGES = {
    "conv": "F.conv2d(x, w(4, c, 2, 2), padding=1)",
    "conv bias": "F.conv2d(x, w(4, c, 1, 3), w(4), padding=1, stride=2)",
    "conv pointwise": "F.conv2d(x, w(3, c, 1, 1))",
    "conv dilated": "F.conv2d(x, w(1, c, 2, 2), padding=2, dilation=2)",
    "conv depthwise": "F.conv2d(x, w(2 * c, 1, 2, 2), padding=1, groups=c)",
    "conv same": "F.conv2d(x, w(2, c, 3, 3), padding='same')",
    "conv in double": "F.conv2d(x.double(), w(4, c, 2, 2).double(), padding=1)",
    "conv_transpose": "F.conv_transpose2d(x, w(c, 4, 2, 2), w(4))",
    "conv_transpose stride": "F.conv_transpose2d(x, w(c, 1, 2, 2), stride=2, padding=1, output_padding=1, groups=c)",
    "max_pool": "F.max_pool2d(x, 2, 1, 1)",
    "max_pool indices": "F.max_pool2d(x, 3, 2, 1, return_indices=True, ceil_mode=True)",
    "avg_pool": "F.avg_pool2d(x, (2, 3), 2, (1, 1), True, False)",
    "lp_pool": "F.lp_pool2d(x * x, 1, 2, ceil_mode=True)",
    "adaptive_avg_pool": "F.adaptive_avg_pool2d(x, (2, 3))",
    "adaptive_avg_pool one": "F.adaptive_avg_pool2d(x, 1)",
    "adaptive_max_pool": "F.adaptive_max_pool2d(x, 2, True)",
    "max_unpool": "F.max_unpool2d(x, places(ns, x), 1)",
    "nearest": "F.interpolate(x, scale_factor=2)",
    "nearest-exact": "F.interpolate(x, size=(3, 5), mode='nearest-exact')",
    "bilinear": "F.interpolate(x, size=(5, 3), mode='bilinear')",
    "bilinear corners": "F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=True)",
    "bilinear same": "F.interpolate(x, size=x.shape[2:], mode='bilinear')",
    "bicubic": "F.interpolate(x, scale_factor=2, mode='bicubic')",
    "area": "F.interpolate(x, size=(2, 2), mode='area')",
    "pad": "F.pad(x, (1, 0, 2, 1))",
    "pad less": "F.pad(x, (1, -1, 0, 1), value=2.)",
    "reflect": "F.pad(x, (1, 0, 0, 1), mode='reflect')",
    "replicate": "F.pad(x, (1, 2, 0, 1), mode='replicate')",
    "circular": "F.pad(x, (1, 0, 0, 1), mode='circular')",
    "pixel_shuffle": "F.pixel_shuffle(x, 2)",
    "pixel_unshuffle": "F.pixel_unshuffle(x, 2)",
    "channel_shuffle": "F.channel_shuffle(x, 2)",
    "batch_norm": "F.batch_norm(x, None, None, w(c), w(c), True)",
    "batch_norm evaluated": "F.batch_norm(x, ns.zeros(c), ns.ones(c))",
    "group_norm": "F.group_norm(x, 1, w(c), w(c))",
    "instance_norm": "F.instance_norm(x, None, None, w(c), w(c))",
    "layer_norm": "F.layer_norm(x, x.shape[1:])",
    "rms_norm": "F.rms_norm(x, x.shape[3:])",
    "roll": "x.roll((1, 2), (1, 3))",
    "roll all": "x.roll(3)",
    "flip": "x.flip(1, 2)",
    "cat": "ns.cat([x, x], 1)",
    "sum": "x.sum((0, 2), keepdim=True)",
    "mean": "x.mean(1)",
    "unfold": "F.unfold(x, 2, padding=1)",
    "clone": "x.clone()",
    "to channels last": "x.contiguous(memory_format=ns.channels_last)",
    "add channels": "x.clone() + w(c, 1, 1)",
    "add": "x + w(*x.shape)",
}
# Of these the gradient lies as the cotangent does, or as the images do, which is not torch's choice for every one.
ELEMENTWISE = [
    "F.relu(x)",
    "F.leaky_relu(x)",
    "F.elu(x)",
    "F.gelu(x)",
    "F.silu(x)",
    "F.prelu(x, w(c))",
    "F.softmax(x, 1)",
]
AS_COTANGENT = ["F.relu6(x)", "F.log_softmax(x, 3)", "F.dropout2d(x, 0.)"]
# What torch makes of the gradient of these goes by more than the images where they are of one row, column or channel.
UNAMBIGUOUS = [IMAGES[each] for each in ("batch_norm", "batch_norm evaluated", "adaptive_avg_pool one")]
IMAGES |= {op: op for op in (*ELEMENTWISE, *AS_COTANGENT)}


@pytest.mark.parametrize("op", IMAGES)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_images(torch, candidate, op, data):
    compare(torch, candidate, IMAGES[op], data, 4)


# -- volumes and lines --------------------------------------------------------------------------------------------------

VOLUMES = {
    "conv": "F.conv3d(x, w(4, c, 2, 2, 2), padding=1)",
    "conv grouped": "F.conv3d(x, w(2 * c, 1, 1, 2, 2), padding=1, groups=c)",
    "conv in double": "F.conv3d(x.double(), w(4, c, 2, 2, 2).double(), padding=1)",
    "conv_transpose": "F.conv_transpose3d(x, w(c, 4, 2, 1, 2))",
    "max_pool": "F.max_pool3d(x, 2, 1, 1, return_indices=True)",
    "avg_pool": "F.avg_pool3d(x, 1)",
    "adaptive_avg_pool": "F.adaptive_avg_pool3d(x, 2)",
    "adaptive_max_pool": "F.adaptive_max_pool3d(x, 2, True)",
    "max_unpool": "F.max_unpool3d(x, places(ns, x), 1)",
    "nearest": "F.interpolate(x, scale_factor=2)",
    "trilinear": "F.interpolate(x, size=(2, 3, 2), mode='trilinear')",
    "pad": "F.pad(x, (1, 0, 2, 1))",
    "replicate": "F.pad(x, (1, 0, 0, 1, 1, 1), mode='replicate')",
    "batch_norm": "F.batch_norm(x, None, None, w(c), w(c), True)",
    "group_norm": "F.group_norm(x, 1)",
    "channel_shuffle": "F.channel_shuffle(x, 2)",
    "roll": "x.roll(1, 1)",
    "relu": ELEMENTWISE[0],
    "cat": "ns.cat([x, x], 2)",
}
LINES = {
    "conv": "F.conv1d(x, w(4, c, 2), padding=1)",
    "conv_transpose": "F.conv_transpose1d(x, w(c, 4, 2), w(4))",
    "max_pool": "F.max_pool1d(x, 2, 1, 1)",
    "max_pool alone": "F.max_pool1d(x.detach(), 2, 1, 1)",
    "max_pool indices": "F.max_pool1d(x, 2, 1, 1, return_indices=True)",
    "avg_pool": "F.avg_pool1d(x, 2, 1, 1)",
    "adaptive_avg_pool": "F.adaptive_avg_pool1d(x, 2)",
    "adaptive_avg_pool one": "F.adaptive_avg_pool1d(x, 1)",
    "adaptive_max_pool": "F.adaptive_max_pool1d(x, 2, True)",
    "max_unpool": "F.max_unpool1d(x, places(ns, x), 1)",
    "nearest": "F.interpolate(x, scale_factor=2)",
    "linear": "F.interpolate(x, scale_factor=2, mode='linear')",
    "pad": "F.pad(x, (1, 0))",
    "replicate": "F.pad(x, (1, 2), mode='replicate')",
    "batch_norm": "F.batch_norm(x, None, None, w(c), w(c), True)",
}


@pytest.mark.parametrize("op", VOLUMES)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_volumes(torch, candidate, op, data):
    compare(torch, candidate, VOLUMES[op], data, 5)


@pytest.mark.parametrize("op", LINES)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_lines(torch, candidate, op, data):
    compare(torch, candidate, LINES[op], data, 3)


@pytest.mark.parametrize("shape", [(2, 3, 2, 3, 4), (16, 1, 2, 2, 2), (1, 3, 2, 2, 2)])
def test_pointwise_convolution_of_volumes_on_one_thread(torch, candidate, shape):
    """torch leaves it to another library, which keeps the format, only where that pays."""

    def program(ns):
        ns.set_num_threads(1)
        x = ns.ones(shape).contiguous(memory_format=ns.channels_last_3d)
        weight = ns.ones(4, shape[1], 1, 1, 1)
        return [ns.nn.functional.conv3d(x, weight, stride=stride).stride() for stride in (1, 2)]

    same(torch, candidate, program)


@pytest.mark.parametrize("op", ELEMENTWISE)
@pytest.mark.xfail(
    strict=True, reason="where cotangent and images lie otherwise, torch goes by one of them, NumPy row by row"
)
def test_cotangent_in_another_format(torch, candidate, op):
    for order, cotangent in (ORDERS[4][:2], ORDERS[4][1::-1]):
        agree(torch, candidate, program_of(op, (2, 2, 4, 4), (order, None, None), ORDERS[4][0], cotangent))


# -- one-dimensional pools are views of two-dimensional ones --------------------------------------------------------------


def names(node, depth=4):
    """A node and those behind it, by name."""
    return node and (type(node).__name__, [names(each, depth - 1) for each, _ in node.next_functions] if depth else [])


def origin(x):
    base = x._base
    return names(x.grad_fn), x._version, base is not None and (base.shape, base.stride(), names(base.grad_fn))


@pytest.mark.parametrize("requires_grad", [True, False])
@pytest.mark.parametrize("shape", [(2, 3, 4), (3, 4)])
@pytest.mark.parametrize("op", [each for each in LINES if "pool" in each])
def test_lines_are_views(torch, candidate, op, shape, requires_grad):
    def program(ns):
        x = ns.arange(24.0)[: int(np.prod(shape))].reshape(shape).requires_grad_(requires_grad)
        index = ns.arange(shape[-1]).expand(shape).contiguous()
        result = eval(LINES[op], {"ns": ns, "F": ns.nn.functional, "x": x, "places": lambda ns, x: index})
        return [origin(each) for each in (result if isinstance(result, tuple) else (result,))]

    same(torch, candidate, program)


def test_writing_to_a_pooled_line(torch, candidate):
    """It writes to the image, whose history changes with it."""

    def program(ns):
        x = ns.arange(8.0).reshape(1, 2, 4).requires_grad_()
        y = ns.nn.functional.avg_pool1d(x, 2)
        y[0, 0, 0] *= 3
        y.sum().backward()
        return x.grad, names(y.grad_fn, 3), y._base, y._version

    same(torch, candidate, program)


# -- formats go through a network -----------------------------------------------------------------------------------------


def test_network(torch, candidate):
    """Channels last from the first layer to the last, and the gradients with it."""

    def program(ns, tensor):
        ns.manual_seed(0)
        nn = ns.nn
        net = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 6, 1),
            nn.Upsample(scale_factor=2),
            nn.ZeroPad2d(1),
            nn.AvgPool2d(2),
        ).to(memory_format=ns.channels_last)
        x = tensor(numbers(0, (2, 3, 8, 8))).contiguous(memory_format=ns.channels_last).requires_grad_()
        seen, result = [], x
        for layer in net:
            result = layer(result)
            seen.append(result.stride())
        result.square().sum().backward()
        return seen, result, x.grad, [each.grad for each in net.parameters()]

    agree(torch, candidate, program)
