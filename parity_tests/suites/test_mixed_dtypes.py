"""Operands of several dtypes where torch wants one: refused in its words, also once narrow dtypes are in use."""

import itertools

import pytest

from parity_tests.suites._programs import same

DTYPES = ("bool", "int64", "float16", "bfloat16", "float32", "float64")
FLOATING = DTYPES[2:]


def ones(ns, dtype, *shape):
    return ns.ones(shape, dtype=ns.float32).to(getattr(ns, dtype))


_PRODUCTS = {
    "mm": lambda ns, x, y: ns.mm(x(2, 2), y(2, 2)),
    "matrix @ vector": lambda ns, x, y: x(2, 2) @ y(2),
    "vector @ matrix": lambda ns, x, y: x(2) @ y(2, 2),
    "vector @ vector": lambda ns, x, y: x(2) @ y(2),
    "batch @ matrix": lambda ns, x, y: x(2, 3, 2) @ y(2, 2),
    "matrix @ batch": lambda ns, x, y: x(2, 2) @ y(3, 2, 2),
    "batch @ batch": lambda ns, x, y: x(3, 2, 2) @ y(3, 2, 2),
    "bmm": lambda ns, x, y: ns.bmm(x(3, 2, 2), y(3, 2, 2)),
    "mv": lambda ns, x, y: ns.mv(x(2, 2), y(2)),
    "dot": lambda ns, x, y: ns.dot(x(2), y(2)),
    "addmm": lambda ns, x, y: ns.addmm(x(2, 2), y(2, 2), y(2, 2)),
    "addmm of two": lambda ns, x, y: ns.addmm(y(2, 2), x(2, 2), y(2, 2)),
    "linear": lambda ns, x, y: ns.nn.functional.linear(x(2, 2), y(3, 2)),
    "linear with a bias": lambda ns, x, y: ns.nn.functional.linear(x(2, 2), y(3, 2), y(3)),
    "prelu": lambda ns, x, y: ns.nn.functional.prelu(x(2, 2), y(1)),
    "binary_cross_entropy": lambda ns, x, y: ns.nn.functional.binary_cross_entropy(x(2), y(2)),
    "attention": lambda ns, x, y: ns.nn.functional.scaled_dot_product_attention(x(1, 2, 2), y(1, 2, 2), y(1, 2, 2)),
}


@pytest.mark.parametrize("name", _PRODUCTS)
def test_products_and_losses(torch, candidate, name):
    def program(ns):
        pairs = itertools.product(DTYPES, DTYPES)
        return [outcome(_PRODUCTS[name], ns, maker(ns, one), maker(ns, other)) for one, other in pairs]

    same(torch, candidate, program)


def maker(ns, dtype):
    return lambda *shape: ones(ns, dtype, *shape)


def outcome(function, *args, **kwargs):
    """The result of a call as float64, with its dtype; or what it raises."""
    try:
        result = function(*args, **kwargs)
    except (RuntimeError, NotImplementedError) as error:
        return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
    return str(result.dtype), result.double()


@pytest.mark.parametrize("dtype", FLOATING)
@pytest.mark.parametrize("loss", ["cross_entropy", "nll_loss"])
def test_weights_of_classes(torch, candidate, loss, dtype):
    def program(ns):
        function, target = getattr(ns.nn.functional, loss), ns.tensor([1, 0])
        return [outcome(function, ones(ns, dtype, 2, 3), target, ones(ns, each, 3)) for each in DTYPES]

    same(torch, candidate, program)


_NORMS = {
    "layer_norm": lambda f, x, w, b, s: f.layer_norm(x(2, 4), (4,), w(4), b(4)),
    "group_norm": lambda f, x, w, b, s: f.group_norm(x(2, 4), 2, w(4), b(4)),
    "batch_norm": lambda f, x, w, b, s: f.batch_norm(x(2, 4), s(4), s(4), w(4), b(4)),
}


@pytest.mark.parametrize("dtype", FLOATING)
@pytest.mark.parametrize("norm", _NORMS)
def test_parameters_of_norms(torch, candidate, norm, dtype):
    """float32 parameters do beside a narrow input; nothing else does."""

    def program(ns):
        makers = [maker(ns, each) for each in FLOATING]
        given = itertools.product([maker(ns, dtype)], makers, makers, [maker(ns, "float32"), maker(ns, dtype)])
        return [outcome(_NORMS[norm], ns.nn.functional, *each) for each in given]

    same(torch, candidate, program)


_CONVOLVED = {  # torch leaves some of these to MKLDNN, whose objection is worded differently
    "one small image": ((1, 2, 5, 5), (2, 2, 2, 2), {}),
    "one large image": ((1, 2, 120, 120), (2, 2, 2, 2), {}),
    "a large window": ((1, 2, 5, 5), (2, 2, 4, 4), {}),
    "a batch": ((2, 2, 5, 5), (2, 2, 2, 2), {}),
    "groups": ((1, 2, 5, 5), (2, 1, 2, 2), {"groups": 2}),
    "a sequence": ((1, 2, 7), (2, 2, 5), {}),
    "sequences": ((2, 2, 7), (2, 2, 5), {}),
    "volumes": ((2, 2, 3, 3, 3), (2, 2, 2, 2, 2), {}),
}


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("name", _CONVOLVED)
def test_convolutions(torch, candidate, name, transposed):
    input, weight, options = _CONVOLVED[name]

    def program(ns):
        function = getattr(ns.nn.functional, f"conv{'_transpose' * transposed}{len(input) - 2}d")
        pairs = [(one, other) for one, other in itertools.product(FLOATING, FLOATING) if one != other]
        return [outcome(function, ones(ns, a, *input), ones(ns, b, *weight), **options) for a, b in pairs]

    same(torch, candidate, program)
