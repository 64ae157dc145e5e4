"""Convolutions: values and derivatives of first and second order with every option, layers, errors."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same

seeds = st.integers(0, 2**32 - 1)


def each(rank, values):
    """A value for every spatial dimension."""
    return st.tuples(*[st.sampled_from(values)] * rank)


@st.composite
def convolutions(draw, transposed=False, batches=((), (0,), (1,), (3,))):
    """The arguments of a convolution that is possible: its rank, shapes of input and weight, outputs and options."""
    rank, groups = draw(st.integers(1, 3)), draw(st.sampled_from([1, 1, 2, 3]))
    kernel, stride, dilation = draw(each(rank, [1, 2, 3])), draw(each(rank, [1, 2, 3])), draw(each(rank, [1, 2]))
    padding = draw(each(rank, [0, 1, 2]))
    least = [max(1, d * (k - 1) + 1 - 2 * p) for k, d, p in zip(kernel, dilation, padding, strict=True)]
    if transposed:
        least = [
            max(1, -(-(2 * p - d * (k - 1)) // s) + 1)
            for k, s, d, p in zip(kernel, stride, dilation, padding, strict=True)
        ]
    size = [low + draw(st.integers(0, 3)) for low in least]
    inputs, outputs = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    batch = draw(st.sampled_from(batches))
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    if transposed:
        options["output_padding"] = tuple(
            draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True)
        )
        weight = (groups * inputs, outputs, *kernel)
    else:
        weight = (groups * outputs, inputs, *kernel)
    return rank, (*batch, groups * inputs, *size), weight, groups * outputs, options


def arguments(tensor, case, seed, bias):
    """Input, weight and bias of a case, and a source of more numbers."""
    _, input, weight, outputs, _ = case
    draw = np.random.default_rng(seed)

    def numbers(shape, requires_grad=True):
        return tensor(draw.standard_normal(shape).astype(np.float32), requires_grad)

    return numbers(input), numbers(weight), numbers((outputs,)) if bias else None, numbers


@pytest.mark.parametrize("transposed", [False, True], ids=["conv", "transposed"])
@given(data=st.data(), seed=seeds, bias=st.booleans())
def test_values_and_gradients(torch, candidate, transposed, data, seed, bias):
    case = data.draw(convolutions(transposed))

    def program(ns, tensor):
        x, w, b, numbers = arguments(tensor, case, seed, bias)
        function = getattr(ns.nn.functional, f"conv{'_transpose' * transposed}{case[0]}d")
        result = function(x, w, b, **case[-1])
        result.backward(numbers(tuple(result.shape), False))
        return result, x.grad, w.grad, None if b is None else b.grad

    agree(torch, candidate, program)


@pytest.mark.parametrize("transposed", [False, True], ids=["conv", "transposed"])
@given(data=st.data(), seed=seeds)
def test_second_derivatives(torch, candidate, transposed, data, seed):
    case = data.draw(convolutions(transposed, [(), (1,), (2,)]))

    def program(ns, tensor):
        x, w, b, numbers = arguments(tensor, case, seed, True)
        result = getattr(ns.nn.functional, f"conv{'_transpose' * transposed}{case[0]}d")(x, w, b, **case[-1])
        g = numbers(tuple(result.shape))
        first = ns.autograd.grad(result, (x, w, b), g, create_graph=True)
        mixed = sum((grad * numbers(tuple(grad.shape), False)).sum() for grad in first)
        second = ns.autograd.grad(mixed, (x, w, g))
        return [grad.detach().contiguous() for grad in (*first, *second)]  # their layout is torch's affair

    agree(torch, candidate, program)


@given(needs=st.tuples(st.booleans(), st.booleans(), st.booleans()), seed=seeds)
def test_only_what_requires_grad_receives_it(torch, candidate, needs, seed):
    def program(ns, tensor):
        draw = np.random.default_rng(seed)
        shapes = (2, 3, 5, 4), (4, 3, 3, 2), (4,)
        leaves = [
            tensor(draw.standard_normal(s).astype(np.float32), need) for s, need in zip(shapes, needs, strict=True)
        ]
        result = ns.nn.functional.conv2d(*leaves)
        if any(needs):
            (result * result).sum().backward()
        return result.requires_grad, [leaf.grad for leaf in leaves]

    agree(torch, candidate, program)


@given(
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)), dilation=each(2, [1, 2]), seed=seeds, batched=st.booleans()
)
def test_same_padding(torch, candidate, kernel, dilation, seed, batched):
    def program(ns, tensor):
        draw = np.random.default_rng(seed)
        x = tensor(draw.standard_normal((2, 3, 6, 5)[not batched :]).astype(np.float32), True)
        w = tensor(draw.standard_normal((2, 3, *kernel)).astype(np.float32), True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the copy, given once
            result = ns.nn.functional.conv2d(x, w, padding="same", dilation=dilation)
        result.sum().backward()
        return result, x.grad, w.grad

    agree(torch, candidate, program)


@pytest.mark.parametrize("dtype", ["float16", "float64", "uint8", "int32", "int64", "bool"])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_dtypes(torch, candidate, name, dilation, dtype):
    def program(ns):
        x = ns.arange(48).reshape(2, 2, 4, 3).to(getattr(ns, dtype)) % 5
        w = (ns.arange(24).reshape(2, 2, 3, 2) % 3).to(getattr(ns, dtype))
        return getattr(ns.nn.functional, name)(x, w, padding=1, dilation=dilation)

    same(torch, candidate, program)


LAYOUTS = {
    "transposed": lambda ns, x: x.transpose(2, 3),
    "sliced": lambda ns, x: x[:, :, ::2, 1:],
    "expanded": lambda ns, x: x[:1, :, :1].expand(3, 2, 5, 6),
    "flipped": lambda ns, x: x.flip(2),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_any_layout_in_memory(torch, candidate, layout):
    def program(ns):
        x = (ns.arange(144).reshape(2, 2, 6, 6) % 7).to(ns.float32).requires_grad_()
        w = (ns.arange(36).reshape(3, 2, 3, 2) % 5).to(ns.float32).transpose(2, 3).requires_grad_()
        result = ns.nn.functional.conv2d(layout(ns, x), w, padding=1)
        result.backward(ns.ones(()).expand(result.shape))
        return result, result.stride(), x.grad, w.grad, w.grad.stride()

    same(torch, candidate, program)


def test_infinities_stay_where_they_are(torch, candidate):
    def program(ns):
        x = ns.zeros(1, 1, 5, 5)
        x[0, 0, 2, 2], x[0, 0, 0, 4] = float("inf"), float("nan")
        return ns.nn.functional.conv2d(x, ns.ones(1, 1, 2, 2))

    same(torch, candidate, program)


def test_graph_nodes(torch, candidate):
    def program(ns):
        F = ns.nn.functional
        x, w, b = (ns.ones(*s, requires_grad=True) for s in ((2, 2, 4, 4), (2, 2, 3, 3), (2,)))
        results = F.conv2d(x, w, b), F.conv2d(x[0], w, b), F.conv_transpose2d(x, w), F.conv2d(x, w, padding="same")
        first = ns.autograd.grad(results[0].sum(), (x, w), create_graph=True)
        return [each.grad_fn.name() for each in (*results, *first)]

    same(torch, candidate, program)


# Layers

LAYERS = {
    "1d": lambda nn: nn.Conv1d(3, 4, 3),
    "2d": lambda nn: nn.Conv2d(3, 4, (3, 2), stride=2, padding=(1, 0)),
    "3d": lambda nn: nn.Conv3d(2, 4, 3, dilation=2, groups=2),
    "no bias": lambda nn: nn.Conv2d(3, 4, 3, bias=False),
    "depthwise": lambda nn: nn.Conv2d(4, 8, 3, groups=4),
    "same": lambda nn: nn.Conv2d(3, 4, 3, padding="same"),
    "valid": lambda nn: nn.Conv1d(3, 4, 3, padding="valid"),
    "list": lambda nn: nn.Conv2d(3, 4, [3, 2]),
    "circular": lambda nn: nn.Conv2d(3, 4, 3, padding=(1, 2), padding_mode="circular"),
    "transposed 1d": lambda nn: nn.ConvTranspose1d(3, 4, 3),
    "transposed 2d": lambda nn: nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, 2, False, 2),
    "transposed 3d": lambda nn: nn.ConvTranspose3d(2, 4, (1, 2, 3)),
}


@pytest.mark.parametrize("build", LAYERS.values(), ids=LAYERS.keys())
def test_layers_are_initialised_alike(torch, candidate, build):
    def program(ns):
        ns.manual_seed(73)
        layer = build(ns.nn)
        names = [name for name in layer.__dict__ if not name.startswith("_")]
        return layer, layer.state_dict(), layer.__constants__, {name: getattr(layer, name) for name in names}

    same(torch, candidate, program)


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("rank", [1, 2, 3])
@given(data=st.data(), seed=seeds, batched=st.booleans())
def test_padding_modes(torch, candidate, mode, rank, data, seed, batched):
    padding = data.draw(st.just("same") | each(rank, [0, 1, 2]))
    kernel = data.draw(each(rank, [1, 2, 3]))

    def program(ns, tensor):
        draw = np.random.default_rng(seed)
        layer = getattr(ns.nn, f"Conv{rank}d")(2, 3, kernel, padding=padding, padding_mode=mode)
        layer.weight.data = tensor(draw.standard_normal(tuple(layer.weight.shape)).astype(np.float32))
        layer.bias.data = tensor(draw.standard_normal(3).astype(np.float32))
        x = tensor(draw.standard_normal((2, 2, 4, 5, 3)[not batched : rank + 2]).astype(np.float32), True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = layer(x)
        (result * result).sum().backward()
        return result, x.grad, layer.weight.grad, layer.bias.grad

    agree(torch, candidate, program)


@pytest.mark.parametrize("size", [(17, 18), (2, 4, 18, 17), [18, 18], (19, 18), (16, 17), (18,)], ids=str)
def test_output_size(torch, candidate, size):
    def program(ns):
        layer = ns.nn.ConvTranspose2d(3, 4, 3, 2)
        return tuple(layer(ns.ones(2, 3, 8, 8), output_size=size).shape)

    same(torch, candidate, program)


# Errors

WRONG = {
    "nothing": lambda F, x, w, b: F.conv2d(),
    "no weight": lambda F, x, w, b: F.conv2d(x),
    "a number": lambda F, x, w, b: F.conv2d(1, w),
    "too many": lambda F, x, w, b: F.conv2d(x, w, b, 1, 0, 1, 1, 1),
    "a name": lambda F, x, w, b: F.conv2d(x, w, b, step=1),
    "float stride": lambda F, x, w, b: F.conv2d(x, w, b, 2.0),
    "float in a stride": lambda F, x, w, b: F.conv2d(x, w, b, (2, 1.0)),
    "number for bias": lambda F, x, w, b: F.conv2d(x, w, 1),
    "word for dilation": lambda F, x, w, b: F.conv2d(x, w, b, dilation="same"),
    "three strides": lambda F, x, w, b: F.conv2d(x, w, b, (1, 1, 1)),
    "three paddings": lambda F, x, w, b: F.conv2d(x, w, b, 1, (1, 1, 1)),
    "three dilations": lambda F, x, w, b: F.conv2d(x, w, b, 1, 0, (1, 1, 1)),
    "no strides": lambda F, x, w, b: F.conv2d(x, w, b, []),
    "stride 0": lambda F, x, w, b: F.conv2d(x, w, b, 0),
    "padding -1": lambda F, x, w, b: F.conv2d(x, w, b, 1, -1),
    "dilation 0": lambda F, x, w, b: F.conv2d(x, w, b, 1, 0, 0),
    "dilation -1": lambda F, x, w, b: F.conv2d(x, w, b, 1, 0, -1),
    "groups 0": lambda F, x, w, b: F.conv2d(x, w, b, groups=0),
    "groups 2": lambda F, x, w, b: F.conv2d(x, w, b, groups=2),
    "groups 3": lambda F, x, w, b: F.conv2d(x, w, b, groups=3),
    "groups 5": lambda F, x, w, b: F.conv2d(x, w, b, groups=5),
    "word": lambda F, x, w, b: F.conv2d(x, w, b, padding="full"),
    "same with a stride": lambda F, x, w, b: F.conv2d(x, w, b, 2, "same"),
    "same with three dilations": lambda F, x, w, b: F.conv2d(x, w, b, 1, "same", (1, 1, 1)),
    "same of ranks": lambda F, x, w, b: F.conv2d(x, w[0], b, 1, "same"),
    "channels": lambda F, x, w, b: F.conv2d(x[:, :2], w),
    "bias size": lambda F, x, w, b: F.conv2d(x, w, b[:3]),
    "bias rank": lambda F, x, w, b: F.conv2d(x, w, b[None]),
    "2d input": lambda F, x, w, b: F.conv2d(x[0, 0], w),
    "5d input": lambda F, x, w, b: F.conv2d(x[None], w),
    "4d line": lambda F, x, w, b: F.conv1d(x, w[0]),
    "3d weight": lambda F, x, w, b: F.conv2d(x, w[0]),
    "4d weight": lambda F, x, w, b: F.conv1d(x[0], w),
    "2d weight": lambda F, x, w, b: F.conv2d(x, w[0, 0]),
    "kernel too large": lambda F, x, w, b: F.conv2d(x[..., :2], w),
    "dilated too large": lambda F, x, w, b: F.conv2d(x, w, dilation=9),
    "no outputs": lambda F, x, w, b: F.conv2d(x, w[:0]),
    "empty image": lambda F, x, w, b: F.conv2d(x[:, :, :0], w, padding=2),
    "double input": lambda F, x, w, b: F.conv2d(x.double(), w),
    "double weight": lambda F, x, w, b: F.conv2d(x, w.double()),
    "double bias": lambda F, x, w, b: F.conv2d(x, w, b.double()),
    "booleans": lambda F, x, w, b: F.conv2d(x.bool(), w.bool()),
    "transposed channels": lambda F, x, w, b: F.conv_transpose2d(x, w),
    "transposed bias": lambda F, x, w, b: F.conv_transpose2d(x, w[:3], b),
    "transposed same": lambda F, x, w, b: F.conv_transpose2d(x, w[:3], padding="same"),
    "output padding": lambda F, x, w, b: F.conv_transpose2d(x, w[:3], None, 2, 1, 2),
    "output padding -1": lambda F, x, w, b: F.conv_transpose2d(x, w[:3], None, 2, 1, -1),
    "two output paddings": lambda F, x, w, b: F.conv_transpose1d(x[0], w[0], None, 2, 1, (1, 1)),
}
WRONG_LAYERS = {
    "no groups": lambda nn: nn.Conv2d(4, 4, 3, groups=0),
    "inputs in groups": lambda nn: nn.Conv2d(3, 4, 3, groups=2),
    "outputs in groups": lambda nn: nn.Conv2d(4, 3, 3, groups=2),
    "same with a stride": lambda nn: nn.Conv2d(3, 4, 3, 2, "same"),
    "no kernel": lambda nn: nn.Conv2d(3, 4),
    "float kernel": lambda nn: nn.Conv2d(3, 4, 3.5),
    "transposed with a mode": lambda nn: nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_errors(torch, candidate, wrong):
    same(
        torch, candidate, lambda ns: wrong(ns.nn.functional, ns.ones(2, 3, 8, 8), ns.ones(4, 3, 3, 3), ns.ones(4)).shape
    )


@pytest.mark.parametrize("wrong", WRONG_LAYERS.values(), ids=WRONG_LAYERS.keys())
def test_errors_of_layers(torch, candidate, wrong):
    same(torch, candidate, lambda ns: wrong(ns.nn))
