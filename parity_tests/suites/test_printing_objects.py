"""What is printed besides tensors, and tensors inside of other things: torch's text, character for character."""

import collections

import pytest

from parity_tests.check import assert_same

Point = collections.namedtuple("Point", "x y")


def x(ns):
    return ns.tensor([[1.0, 2.0], [3.0, 4.5]])


def leaf(ns):
    return x(ns).requires_grad_()


DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64",
    "complex128", "half", "float", "double", "long", "int", "short", "cfloat", "cdouble",
)  # fmt: skip
FLOATING = ("float16", "bfloat16", "float32", "float64", "complex64", "complex128")

OBJECTS = {
    "a shape": lambda ns: x(ns).shape,
    "no dimensions": lambda ns: ns.Size([]),
    "a part of a shape": lambda ns: x(ns).shape[:1],
    "a sum of shapes": lambda ns: x(ns).shape + x(ns).shape,
    "devices": lambda ns: [ns.device("cpu"), ns.device("cpu", 0), ns.device("cuda:1"), x(ns).device],
    "device, as str": lambda ns: str(ns.device("cuda", 0)),
    "layout": lambda ns: ns.strided,
    "memory formats": lambda ns: [ns.contiguous_format, ns.channels_last, ns.channels_last_3d, ns.preserve_format],
    "extrema": lambda ns: [x(ns).max(0), ns.min(x(ns), 1), x(ns).aminmax(), x(ns).cummax(0), leaf(ns).max(0)],
    "extrema, as str": lambda ns: str(x(ns).max(0)),
    "in a tuple": lambda ns: (x(ns), leaf(ns)),
    "in a named tuple": lambda ns: Point(x(ns), leaf(ns)),
    "in a dict of lists": lambda ns: {"a": x(ns), "b": [leaf(ns)]},
    "in an f-string": lambda ns: f"{x(ns)}|{x(ns)[0, 0]}|{x(ns)[1, 1]:.3f}|{x(ns)!r}|{x(ns)!s}",
    "a subclass": lambda ns: x(ns).as_subclass(type("Special", (ns.Tensor,), {})),
    "a parameter": lambda ns: ns.nn.Parameter(x(ns)),
    "parameters": lambda ns: ns.nn.ParameterList([ns.nn.Parameter(x(ns))]),
    "a buffer": lambda ns: ns.nn.Buffer(x(ns)),
    "other contents": lambda ns: x(ns).__repr__(tensor_contents="abc"),
    "by torch's function": lambda ns: ns._tensor_str._str(leaf(ns), tensor_contents="abc"),
    "a long row": lambda ns: ns.arange(999),
    "long rows": lambda ns: ns.arange(900).reshape(2, 450) / 7,
    "a longer row": lambda ns: ns.arange(1500) * 1.5,
    "denormal": lambda ns: ns.tensor([1e-45, 1e-38]),
    "mixed": lambda ns: ns.tensor([1e-30, 1.0, 1e30]),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_objects(torch, candidate, name):
    assert_same(repr(OBJECTS[name](torch)), repr(OBJECTS[name](candidate)))


@pytest.mark.parametrize("name", DTYPES)
def test_dtypes(torch, candidate, name):
    assert_same(repr(getattr(torch, name)), repr(getattr(candidate, name)))


@pytest.mark.parametrize("name", FLOATING)
def test_limits_of_floating_point(torch, candidate, name):
    assert_same(repr(torch.finfo(getattr(torch, name))), repr(candidate.finfo(getattr(candidate, name))))


@pytest.mark.parametrize("name", ["uint8", "int8", "int16", "int32", "int64"])
def test_limits_of_integers(torch, candidate, name):
    assert_same(repr(torch.iinfo(getattr(torch, name))), repr(candidate.iinfo(getattr(candidate, name))))


def after_writing(write, of=lambda y: y):
    """The text of a result, or a part of it, after a write."""

    def build(ns):
        y = leaf(ns) * 1
        part = of(y)
        write(part)
        return [y, part]

    return build


NODES = {
    "views": lambda ns: [
        view(leaf(ns))
        for view in (
            lambda a: a.t(),
            lambda a: a.T,
            lambda a: a.mT,
            lambda a: a[0],
            lambda a: a[:, :1],
            lambda a: a[[0, 1]],
            lambda a: a[a > 2],
            lambda a: a.view(-1),
            lambda a: a.t().reshape(-1),
            lambda a: a[:1].expand(3, 2),
            lambda a: a.unsqueeze(0),
            lambda a: a[None].squeeze(),
            lambda a: a.diagonal(),
            lambda a: a.unbind()[0],
            lambda a: a.split(1)[1],
            lambda a: a.permute(1, 0),
            lambda a: a.narrow(0, 0, 1),
            lambda a: a.flatten(),
            lambda a: a.detach(),
        )
    ],
    "arithmetic": lambda ns: [
        leaf(ns) + 1,
        1 - leaf(ns),
        1 / leaf(ns),
        leaf(ns) ** 2,
        leaf(ns) // 2,
        leaf(ns) % 2,
        -leaf(ns),
    ],
    "reductions": lambda ns: [
        leaf(ns).sum(),
        leaf(ns).mean(0),
        leaf(ns).max(),
        leaf(ns).amax(0),
        leaf(ns).std(),
        leaf(ns).norm(),
    ],
    "conversions": lambda ns: [leaf(ns).double(), leaf(ns).half(), leaf(ns).to(ns.complex64), leaf(ns).clone()],
    "in place": after_writing(lambda y: y.add_(1)),
    "in place through a view": after_writing(lambda y: y.mul_(2), of=lambda y: y[0]),
    "assigned to": after_writing(lambda y: y.__setitem__(0, 1.0)),
    "copied to": lambda ns: ns.zeros(2, 2).copy_(leaf(ns)),
    "of nn": lambda ns: [
        ns.nn.functional.linear(leaf(ns), x(ns)),
        ns.nn.functional.cross_entropy(leaf(ns), ns.tensor([0, 1])),
        ns.nn.functional.mse_loss(leaf(ns), x(ns)),
    ],
}


@pytest.mark.parametrize("name", NODES)
def test_where_gradients_go(torch, candidate, name):
    assert_same(repr(NODES[name](torch)), repr(NODES[name](candidate)))


def test_without_recording(torch, candidate):
    def build(ns):
        y = leaf(ns)
        with ns.no_grad():
            unrecorded = [y[0], y * 2]
        with ns.inference_mode():
            return [*unrecorded, y * 2]

    assert_same(repr(build(torch)), repr(build(candidate)))
