"""Memory formats: the suite finds what it is there for (planted faults, each by its `ci` examples); compiled steps keep them."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import minitorch_like as ml
from minitorch_like.ops._formats import channels_last
from parity_tests.check import Disagreement
from parity_tests.mutants.fault import Kernel
from parity_tests.suites import test_channels_last as suite

torch = pytest.importorskip("torch")


def contiguous(right, *args):
    result = right(*args)
    return tuple(map(np.ascontiguousarray, result)) if isinstance(result, tuple) else np.ascontiguousarray(result)


def always_channels_last(right, *args):
    return channels_last(right(*args))


def by_the_cotangent(right, g, input, pool):
    """The gradient takes the format of the cotangent instead of the images'."""
    result = np.ascontiguousarray(right(g, input, pool))
    return channels_last(result) if g.strides[1] < g.strides[-1] else result


def transposed(right, input, *args):
    """Channels last in the order W, H instead of H, W."""
    result = right(input, *args)
    if result.ndim != 4 or result.flags.c_contiguous:
        return result
    return result.transpose(0, 3, 2, 1).copy().transpose(0, 3, 2, 1)


FAULTS = [
    ("max_pool", contiguous, "IMAGES", "max_pool"),
    ("avg_pool_gradient", contiguous, "IMAGES", "avg_pool"),
    ("avg_pool_gradient", by_the_cotangent, "IMAGES", "avg_pool"),
    ("convolution", contiguous, "IMAGES", "conv"),
    ("correlate_input", contiguous, "IMAGES", "conv"),
    ("correlate_weight", contiguous, "VOLUMES", "conv"),
    ("constant_pad_nd", always_channels_last, "IMAGES", "pad"),
    ("interpolate", transposed, "IMAGES", "bilinear"),
    ("wrap", always_channels_last, "IMAGES", "circular"),
    ("avg_pool", always_channels_last, "VOLUMES", "avg_pool"),
    ("max_pool_with_indices", contiguous, "LINES", "max_pool indices"),
    ("max_unpool", always_channels_last, "VOLUMES", "max_unpool"),
]


@pytest.mark.parametrize(("op", "fault", "kind", "name"), FAULTS, ids=lambda each: getattr(each, "__name__", each))
def test_fault_is_found(op, fault, kind, name):
    rank = {"IMAGES": 4, "VOLUMES": 5, "LINES": 3}[kind]

    @settings(
        max_examples=20,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def search(data):
        suite.compare(torch, ml, getattr(suite, kind)[name], data, rank)

    search()
    with Kernel(op).taken_by(fault), pytest.raises(Disagreement):
        search()


def trained():
    """A network of channels-last layers, and its training step."""
    nn = ml.nn
    ml.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 1),
        nn.Upsample(scale_factor=2),
        nn.ZeroPad2d(1),
        nn.AvgPool2d(2),
    ).to(memory_format=ml.channels_last)
    optimizer = ml.optim.SGD(net.parameters(), lr=0.01)

    def step(x):
        optimizer.zero_grad()
        loss = net(x).square().sum()
        loss.backward()
        optimizer.step()
        return loss

    return net, step


def test_compiled_steps():
    """Bit for bit those that are not compiled."""
    x = ml.randn(2, 3, 8, 8).contiguous(memory_format=ml.channels_last)
    (eager, step), (compiled, other) = trained(), trained()
    other = ml.compile(other)
    for _ in range(4):
        assert step(x).item() == other(x).item()
    for one, two in zip(eager.parameters(), compiled.parameters(), strict=True):
        assert ml.equal(one, two)
        assert one.stride() == two.stride()
