"""What torch's database of operators has found, each at its smallest."""

import warnings

import numpy as np
import pytest

from parity_tests.suites._programs import agree, same

# -- exact: dtypes, strides, errors, warnings, names ----------------------------------------------------------------------

EXACT = {
    # `fill` of the package, beside `fill_`, makes memory of its own.
    "fill": "[F.fill(m.t(), 2), F.fill(m.t(), ns.tensor(2.)), F.fill(m, ns.ones(2))]",
    "fill is no method": "hasattr(ns.Tensor, 'fill')",
    "node of fill": "[type(f(g, v).grad_fn).__name__ for f in (F.fill, fill_) for v in (1, ns.tensor(1.))]",
    # A type that C++ has in a namespace is named without it.
    "names of nodes": "[(type(n).__name__, n.name()) for n in ((g // 2).grad_fn, written(g).grad_fn)]",
    # Conversions to what is there already, whatever its layout.
    "float of floats": "[s.float(memory_format=f) is s for s in (m[:, ::2], m.t()) for f in FORMATS]",
    "to of floats": "[s.to(ns.float32, memory_format=f) is s for s in (m[:, ::2], m.t()) for f in FORMATS]",
    # Nothing is left to divide by.
    "var of one": "[ns.ones(1).var(), ns.ones(2, 1).std(1), *ns.var_mean(ns.ones(1)), *ns.std_mean(ns.ones(2), 0)]",
    "var of nothing": "[ns.ones(0, 3).var(1), ns.ones(0, 3).std(1, correction=-1), ns.ones(0).var(unbiased=False)]",
    "var of complex": "[ns.ones(1, dtype=ns.complex64).var(), *ns.std_mean(ns.ones(1, dtype=ns.complex64))]",
    "statistics of nothing": "ns.native_layer_norm(ns.ones(0, 1), (1,), None, None, 1e-5)[1].shape",
    # Integers where the result is of floating point, or stays so.
    "trapezoid": "[f(i, i) for f in (ns.trapezoid, ns.cumulative_trapezoid, ns.trapz)]",
    "margin_ranking_loss": "[F.margin_ranking_loss(i, i, i, margin=m, reduction='sum') for m in (0, 1, 0.5)]",
    "threshold of bytes": "F.threshold(i.to(ns.uint8), 1.5, -9)",
    # Numbers that have to fit, also as tensors.
    "masked_fill with large tensors": "attempts(lambda v: ns.ones(2, dtype=ns.int8).masked_fill(yes, v), LARGE)",
    "masked_fill with a tensor": "attempts(lambda d: ns.ones(2, dtype=d).masked_fill(yes, ns.tensor(3 + 0j)), DTYPES)",
    "masked_fill in half": "ns.ones(2, dtype=ns.float16).masked_fill(yes, ns.tensor(1e9))",
    "vdot of two dtypes": "attempts(lambda d: ns.vdot(ns.ones(3), ns.ones(3, dtype=d)), DTYPES)",
    "multinomial of nan": "ns.multinomial(ns.tensor([float('nan'), 1., 1.]), 2, True)",
    "max_unpool1d": "F.max_unpool1d(ns.ones(2, 3), ns.zeros(2, 2, dtype=ns.int64), 2)",
    "cat into an operand": "ns.cat([empty, ns.ones(2)], out=empty)",
    "polygamma at the ends": "[ns.polygamma(n, ns.tensor([-INF, INF])) for n in (1, 2, 3, 4)]",
    # Types of results that were given their tensors.
    "max_out": "type(ns.max(m, 0, out=(ns.empty(0), ns.empty(0, dtype=ns.int64)))).__name__",
    "repr of max_out": "repr(ns.max(m, 0, out=(ns.empty(0), ns.empty(0, dtype=ns.int64))))",
    "frexp_out": "repr(ns.frexp(m[0], out=(ns.empty(0), ns.empty(0, dtype=ns.int32))))",
    # In bfloat16 like in the others.
    "interpolate": "[F.interpolate(half[None], scale_factor=2, mode=mode) for mode in ('nearest', 'linear', 'area')]",
    "mean of a row": "F.adaptive_avg_pool1d(half, 1)",
    "rrelu": "(ns.manual_seed(0), F.rrelu(half, 0.1, 0.3, training=True))[1]",
    "attention": "F.scaled_dot_product_attention(*[half.detach().requires_grad_() for _ in '123']).grad_fn.name()",
}


def known(ns):
    m = ns.arange(6.0).reshape(2, 3)

    def written(x):
        y = x * 1
        y[0] = 2
        return y

    def attempts(function, values):
        found = []
        for value in values:
            try:
                found.append(function(value))
            except RuntimeError as error:
                found.append(str(error))
        return found

    class Functions:
        """The functions of nn, and of the root where they are there alone."""

        def __getattr__(self, name):
            return getattr(ns.nn.functional, name, None) or getattr(ns, name)

    return {
        "ns": ns,
        "F": Functions(),
        "m": m,
        "g": ns.ones(3, requires_grad=True),
        "i": ns.tensor([[1, 2, 4], [3, 3, 0]]),
        "half": (ns.arange(24.0).reshape(2, 3, 4) / 8 - 1).bfloat16(),
        "yes": ns.tensor(True),
        "INF": float("inf"),
        "empty": ns.empty(0),
        "fill_": lambda x, value: x.clone().fill_(value),
        "written": written,
        "attempts": attempts,
        "FORMATS": (ns.preserve_format, ns.contiguous_format),
        "LARGE": [ns.tensor(each) for each in (1000, 1000.0, -1, float("nan"), 1j)],
        "DTYPES": (ns.float16, ns.bfloat16, ns.float32, ns.float64, ns.int8, ns.bool),
    }


@pytest.mark.parametrize("name", EXACT)
def test_exact(torch, candidate, name):
    def program(ns):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = eval(EXACT[name], known(ns))
        kinds = (UserWarning, DeprecationWarning)
        said = {str(each.message).partition(" (Triggered")[0] for each in caught if each.category in kinds}
        return result, sorted(said)

    same(torch, candidate, program)


# -- layouts -------------------------------------------------------------------------------------------------------------

# Shapes and strides of operands some elements of which share their places.
OVERLAPPING = [((5, 6, 2), (1, 1, 7)), ((3, 1, 7), (0, 7, 1)), ((3, 1, 3), (0, 3, 1)), ((2, 3), (0, 1))]
ALIKE = (
    "abs neg sin exp sqrt round floor sign isnan isinf isfinite isreal signbit logical_not nan_to_num relu square "
    "bitwise_not isposinf"
)


@pytest.mark.parametrize("name", ALIKE.split())
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int32", "uint8", "bool"])
def test_of_overlapping_operands(torch, candidate, name, dtype):
    """The strides of elementwise results."""

    def program(ns):
        function, found = getattr(ns, name), []
        for shape, strides in OVERLAPPING:
            x = ns.ones(40).to(getattr(ns, dtype)).as_strided(shape, strides)
            try:
                found.append(function(x).stride())
            except (RuntimeError, NotImplementedError) as error:
                found.append(str(error))
        return found

    same(torch, candidate, program)


@pytest.mark.parametrize("name", ["mul", "remainder", "isclose", "maximum", "atan2"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_of_two_overlapping_operands(torch, candidate, name, dtype):
    def program(ns):
        memory = ns.ones(60).to(getattr(ns, dtype))
        pairs = [(memory.as_strided(*each), memory[: np.prod(each[0])].reshape(each[0])) for each in OVERLAPPING]
        return [getattr(ns, name)(*pair).stride() for pair in pairs]

    same(torch, candidate, program)


LYING_OTHERWISE = {
    "powers of integers": "[f(x.to(d), y.to(d)) for d in (ns.int64, ns.uint8) for f in (ns.pow, ns.Tensor.__rpow__)]",
    "ldexp": "[ns.ldexp(v, w) for v, w in ((x, y), (y, x), (y[:, :1], x), (y[:, :1], x.int()), (y[:, :1].int(), x.int()))]",
    "nll_loss": "F.nll_loss(x.expand(2, 5, 4, 3).log(), y.long().T.expand(2, 4, 3) % 5, reduction='none')",
}


@pytest.mark.parametrize("name", LYING_OTHERWISE)
def test_operands_that_lie_otherwise(torch, candidate, name):
    """The strides of what is computed of them."""

    def program(ns):
        x, y = ns.arange(1.0, 13).reshape(3, 4).T, ns.arange(1.0, 13).reshape(4, 3) % 3
        if name == "nll_loss":
            x = x[None, None]
        return eval(LYING_OTHERWISE[name], {"ns": ns, "F": ns.nn.functional, "x": x, "y": y})

    same(torch, candidate, program)


def test_clamp_between_tensors(torch, candidate):
    def program(ns):
        memory = ns.arange(64)
        x, low, high = (memory.as_strided((4, 4), strides) for strides in ((8, 2), (1, 4), (2, 8)))
        return [ns.clamp(x.to(d), low.to(d), high.to(d)) for d in (ns.uint8, ns.int64, ns.float32)]

    same(torch, candidate, program)


# -- the dtype of `out` -----------------------------------------------------------------------------------------------------

OUT = {
    "max min": "x, out=o",
    "clamp": "x, x, x, out=o",
    "clamp clamp_max": "x, 1, out=o",
    "clamp_max clamp_min ldexp complex polar isin": "x, x, out=o",
    "lerp": "x, x, x, out=o",
    "cummax cummin": "x, 0, out=(o, ns.empty(0, dtype=ns.int64))",
    "cumsum cumprod sum prod mean nansum": "x, 0, dtype=ns.float32, out=o",
    "norm": "x, 2, 0, out=o",
    "logsumexp logcumsumexp": "x, 0, out=o",
    "index_reduce": "x, 0, k, x, 'amin', out=o",
    "scatter_reduce": "x, 0, k[None].expand(3, 3), x, 'amin', out=o",
    "aminmax": "x, dim=0, out=(o, x[0].clone())",
    "frexp": "x, out=(o, ns.empty(0, dtype=ns.int32))",
    "abs": "x * 1j, out=o",
}


@pytest.mark.filterwarnings("ignore:index_reduce")
@pytest.mark.parametrize("name", OUT)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "bool", "complex64"])
def test_dtype_of_out(torch, candidate, name, dtype):
    """Which dtypes are converted to, and what is said of the others."""
    for function in name.split():

        def program(ns, function=function):
            x = ns.arange(9.0).reshape(3, 3) / 8
            o = ns.empty(0, dtype=getattr(ns, dtype))
            eval(f"ns.{function}({OUT[name]})", {"ns": ns, "x": x, "o": o, "k": ns.tensor([0, 2, 1])})
            return o.dtype, o.shape

        same(torch, candidate, program)


# -- values and gradients ---------------------------------------------------------------------------------------------------

DIFFERENTIATED = {
    "renorm": "ns.renorm(z, 2, 0, 0.5)",
    "pairwise_distance": "[F.pairwise_distance(z, w, p=p) for p in (1., 2., 3., float('inf'))]",
    "triplet_margin_loss": "F.triplet_margin_loss(z, w, -z, swap=True)",
    "convolution, dilated": "F.conv1d(z[None], w.reshape(3, 2, 2), dilation=2, padding=1)",
    "convolution, transposed": "F.conv_transpose1d(z[:2][None], w.reshape(2, 3, 2), stride=2)",
    "rms_norm": "F.rms_norm(z, (6,), w[0])",
    "unfold": "F.unfold(z[None, None], 2)",
    "polygamma": "ns.polygamma(1, ns.tensor([-2.3, -1.5, -0.2, 0.3, 0.5, 2., 40.], dtype=z.real.dtype))",
}


@pytest.mark.parametrize("name", DIFFERENTIATED)
def test_differentiated(torch, candidate, name):
    """Of complex numbers, in which each of these was wrong or refused."""
    random = np.random.default_rng(0)
    values = [(random.standard_normal((2, 6)) + 1j * random.standard_normal((2, 6))).astype(np.complex64) for _ in "zw"]

    def program(ns, tensor):
        z, w = (tensor(each, requires_grad=True) for each in values)
        known = {"ns": ns, "F": ns.nn.functional, "z": z, "w": w}
        result = eval(DIFFERENTIATED[name], known)
        total = sum((abs(each) ** 2).sum() for each in (result if isinstance(result, list) else [result]))
        if total.requires_grad:
            total.backward()
        return [each.detach() for each in result] if isinstance(result, list) else result.detach(), z.grad, w.grad

    agree(torch, candidate, program)


NARROW = {
    "addmm": "ns.addmm(x, x, x, beta=0.5, alpha=0.625)",
    "running statistics": "F.batch_norm(x, mean, var, training=True, momentum=0.5)",
    "running statistics of instances": "F.instance_norm(x[None], mean[:1], var[:1], momentum=-1.)",
}


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
@pytest.mark.parametrize("name", NARROW)
def test_narrow(torch, candidate, name, dtype):
    """What is computed in float32 is what torch has it be in the end: gradients, and what is written to."""

    def program(ns, tensor):
        kind = getattr(ns, dtype)
        x = tensor(np.array([[1.0, -2.0], [0.5, 4.0]], np.float32)).to(kind).requires_grad_()
        mean, var = ns.ones(2, dtype=kind), ns.full((2,), 2.0, dtype=kind)
        result = eval(NARROW[name], {"ns": ns, "F": ns.nn.functional, "x": x, "mean": mean, "var": var})
        result.backward(ns.ones_like(result) * 0.5)
        return result, x.grad, mean, var

    agree(torch, candidate, program, coarsest=dtype)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "bool"])
def test_tensordot_keeps_integers(torch, candidate, dtype):
    """Also those that it sums because the other operand has one element along the dimension."""

    def program(ns):
        one, several = (ns.ones(shape, dtype=getattr(ns, dtype)) for shape in ((1, 1, 1), (2, 2, 1)))
        return [ns.tensordot(one, several, dims) for dims in (([0, 1], [2, 0]), ([0, 1, 2], [0, 1, 2]))]

    same(torch, candidate, program)


@pytest.mark.parametrize("options", [{}, {"append": "x"}])
def test_no_differences(torch, candidate, options):
    """Of order 0 they are a copy, made in place."""

    def program(ns):
        x = ns.ones(2, 3, requires_grad=True)
        y = ns.diff(x, 0, **dict.fromkeys(options, x))
        return type(y.grad_fn).__name__, y._version, y.shape

    same(torch, candidate, program)


@pytest.mark.parametrize("name", ["asinh_", "acosh_", "atanh_", "sinh_"])
def test_derivatives_of_functions_in_place(torch, candidate, name):
    """Of some there are none."""

    def program(ns):
        x = ns.tensor([0.25, 1.5], requires_grad=True)
        y = getattr(x.clone(), name)()
        return type(y.grad_fn).__name__, attempt(ns, y, x)

    same(torch, candidate, program)


def attempt(ns, y, x):
    try:
        return ns.autograd.grad(y.sum(), x)[0].shape
    except RuntimeError as error:
        return str(error)


def test_unpooling_twice_differentiated(torch, candidate):
    """An index that comes twice gets the gradient of both."""

    def program(ns, tensor):
        x = tensor(np.array([[[1.0, 2.0, 3.0]]], np.float32), requires_grad=True)
        g = tensor(np.arange(6, dtype=np.float32).reshape(1, 1, 6), requires_grad=True)
        out = ns.nn.functional.max_unpool1d(x, ns.tensor([[[0, 0, 2]]]), 2, output_size=(6,))
        (by_x,) = ns.autograd.grad(out, x, g, create_graph=True)
        return out, by_x.detach(), ns.autograd.grad(by_x, g, ns.arange(1.0, 4.0).reshape(1, 1, 3).to(g.dtype))

    agree(torch, candidate, program)


def test_statistics_of_groups_have_gradients(torch, candidate):
    def program(ns, tensor):
        x = tensor(np.linspace(-1, 1, 24, dtype=np.float32).reshape(2, 6, 2) ** 3, requires_grad=True)
        results = ns.native_group_norm(x, None, None, 2, 6, 2, 3, 1e-5)
        sum((each * ns.arange(each.numel()).reshape(each.shape)).sum() for each in results[1:]).backward()
        return results, x.grad

    agree(torch, candidate, program)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(4, 9), (7, 5), (3, 3), (13, 2), (4, 5)])
@pytest.mark.parametrize("align_corners", [True, False])
def test_images_of_bytes(torch, candidate, mode, size, align_corners):
    """Resampled in integers: equal to the last bit."""
    image = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 5), dtype=np.uint8)

    def program(ns):
        x = ns.tensor(image)
        result = ns.nn.functional.interpolate(x, size, mode=mode, align_corners=align_corners)
        return result, x

    same(torch, candidate, program)
