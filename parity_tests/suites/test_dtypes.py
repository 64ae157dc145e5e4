"""Dtypes: conversions between all of them, what functions and reductions make of each, and what is known of them."""

import copy
import math
import pickle
from itertools import product

import pytest

from parity_tests.suites._programs import same
from parity_tests.suites._tables import DTYPES, FLOATING, INTEGERS, kind_of_outcome, table, text

_NUMBERS = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 0.1, 3.7, -7.3, 80.0, 1000.0, 300.7, -300.7, 255.9, 256.0, -129.0,
    32768.0, math.inf, -math.inf, math.nan,
]  # fmt: skip
_LARGE = [
    1e5,
    -1e5,
    65536.5,
    2.0**31,
    -(2.0**31) - 1024,
    2.0**32,
    2.0**33,
    2.0**63,
    1e19,
    -1e19,
    127.5,
    -128.9,
    3.4028234e38,
]
_EXTREMES = {
    "float16": [65504.0, -65504.0, 6e-8, 6e-5],
    "bfloat16": [3.3895313892515355e38, 1e-38],
    "float32": _LARGE,
    "float64": [*_LARGE, 1.7976931348623157e308, 5e-324],
}


def extremes(ns, dtype):
    """A tensor of what is special about numbers of that dtype."""
    if dtype == "bool":
        values = [False, True]
    elif dtype in INTEGERS:
        low, high = ns.iinfo(getattr(ns, dtype)).min, ns.iinfo(getattr(ns, dtype)).max
        values = [low, low + 1, 0, 1, 2, 3, 127, high - 1, high] + ([] if low == 0 else [-3, -1])
    else:
        values = _NUMBERS + _EXTREMES[dtype]
    return ns.tensor(values, dtype=getattr(ns, dtype))


# -- conversions --------------------------------------------------------------------------------------------------------

_METHODS = dict(
    zip(
        DTYPES,
        ("bool", "byte", "char", "short", "int", "long", "half", "bfloat16", "float", "double"),
        strict=True,
    )
)


@pytest.mark.parametrize("source", DTYPES)
def test_conversions(torch, candidate, source):
    """Of extreme values, by each of the ways."""

    def cells():
        for target in DTYPES:

            def by(convert, target=target):
                return lambda ns: convert(ns, extremes(ns, source), getattr(ns, target))

            yield f"to {target}", by(lambda ns, x, kind: x.to(kind))
            yield f"to copy {target}", by(lambda ns, x, kind: x.to(dtype=kind, copy=True))
            yield f"type {target}", by(lambda ns, x, kind: x.type(kind))
            yield f"type_as {target}", by(lambda ns, x, kind: x.type_as(ns.zeros(1, dtype=kind)))
            yield f"{_METHODS[target]}()", lambda ns, target=target: getattr(extremes(ns, source), _METHODS[target])()
            yield f"strided {target}", by(lambda ns, x, kind: x[::2].to(kind))
            yield f"copy_ {target}", by(lambda ns, x, kind: ns.zeros(x.shape, dtype=kind).copy_(x))
            yield f"assigned {target}", by(_assigned)
            yield f"item {target}", by(lambda ns, x, kind: [each.item() for each in x.to(kind)])
            yield f"same {target}", by(lambda ns, x, kind: (x.to(kind) is x, x.type(kind) is x, x.to(x) is x))

    table(torch, candidate, cells())


def _assigned(ns, x, kind):
    target = ns.zeros(x.shape, dtype=kind)
    target[:] = x
    target[0] = x[1]
    return target


_SCALARS = (
    True, 0, 1, -1, 2, 127, 128, 255, 256, -128, -129, 32767, 32768, 2**31, 2**40, 2**63 - 1, 0.5, -0.5, 1e5, 1e39, 1e300,
    math.inf, math.nan, -0.0,
)  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_that_do_not_fit(torch, candidate, dtype):
    """Arithmetic wraps them around or makes them infinite, what fills and clamps refuses them."""
    uses = {
        "tensor": lambda ns, kind, n: ns.tensor(n, dtype=kind),
        "fill_": lambda ns, kind, n: ns.zeros(2, dtype=kind).fill_(n),
        "+": lambda ns, kind, n: ns.ones(2, dtype=kind) + n,
        "*": lambda ns, kind, n: ns.ones(2, dtype=kind) * n,
        "*=": lambda ns, kind, n: ns.ones(2, dtype=kind).mul_(n),
        "<": lambda ns, kind, n: ns.ones(2, dtype=kind) < n,
        "**": lambda ns, kind, n: ns.ones(2, dtype=kind) ** n,
        "clamp": lambda ns, kind, n: ns.clamp(ns.ones(2, dtype=kind), n),
        "clamp max": lambda ns, kind, n: ns.clamp(ns.ones(2, dtype=kind), max=n),
        "where": lambda ns, kind, n: ns.where(ns.ones(2, dtype=kind) > 0, ns.ones(2, dtype=kind), n),
    }

    def cells():
        for name, number in product(uses, _SCALARS):
            if (name, number) != ("fill_", -0.5) or dtype != "uint8":
                yield f"{name} {number}", lambda ns, u=name, n=number: uses[u](ns, getattr(ns, dtype), n)

    table(torch, candidate, cells())


def test_spellings_of_to(torch, candidate):
    spellings = {
        "nothing": lambda ns, x: x.to(),
        "device": lambda ns, x: x.to("cpu"),
        "device object": lambda ns, x: x.to(ns.device("cpu")),
        "device and dtype": lambda ns, x: x.to("cpu", ns.float64),
        "all by position": lambda ns, x: x.to(ns.device("cpu"), ns.float64, True, True),
        "keywords": lambda ns, x: x.to(device="cpu", dtype=ns.float64, non_blocking=True, copy=True),
        "a copy": lambda ns, x: x.to(copy=True),
        "None": lambda ns, x: x.to(None, ns.float64),
        "dtype and flags": lambda ns, x: x.to(ns.float64, False, True),
        "a tensor": lambda ns, x: x.to(ns.ones(1, dtype=ns.int64)),
        "a tensor, by name": lambda ns, x: x.to(tensor=ns.ones(1, dtype=ns.float64)),
        "a Python type": lambda ns, x: (x.to(float), x.to(int), x.to(bool)),
        "a memory format": lambda ns, x: x.to(ns.float64, memory_format=ns.preserve_format),
        "another device": lambda ns, x: x.to("cuda"),
        "no device": lambda ns, x: x.to("float32"),
        "a wrong argument": lambda ns, x: x.to([1]),
        "a wrong dtype": lambda ns, x: x.to(dtype=3),
        "twice": lambda ns, x: x.to(ns.float64, dtype=ns.float32),
        "a number for a flag": lambda ns, x: x.to(ns.float32, 1),
        "argument of a method": lambda ns, x: x.float(1),
        "keyword of a method": lambda ns, x: x.half(memory_format=ns.preserve_format),
        "type of nothing": lambda ns, x: x.type(),
        "type by name": lambda ns, x: x.type("torch.DoubleTensor"),
        "type by wrong name": lambda ns, x: x.type("torch.float64"),
        "Python's type": lambda ns, x: x.type(float),
        "type of a number": lambda ns, x: x.type(3),
        "type_as of a number": lambda ns, x: x.type_as(3),
        "cpu": lambda ns, x: x.cpu(),
    }

    def cells():
        for (label, program), requires_grad in product(spellings.items(), (False, True)):

            def call(ns, program=program, requires_grad=requires_grad):
                x = ns.tensor([1.5, 2.0], requires_grad=requires_grad)
                y = program(ns, x)
                return (y, *_autograd(x, y)) if hasattr(y, "grad_fn") else y

            yield f"{label}, {requires_grad}", call

    table(torch, candidate, cells())


def _autograd(x, y):
    return y is x, y.requires_grad, None if y.grad_fn is None else y.grad_fn.name()


def test_history_of_conversions(torch, candidate):
    """It ends at what is no floating-point number; gradients come back in the dtype of their tensor."""

    def cells():
        for source, target in product(FLOATING, DTYPES):

            def program(ns, p=source, q=target):
                x = ns.tensor([1.5, -2.0], dtype=getattr(ns, p), requires_grad=True)
                y = (x * 2).to(getattr(ns, q))
                if y.requires_grad:
                    y.backward(ns.tensor([0.5, 3.0], dtype=getattr(ns, q)))
                return (y, *_autograd(x, y), x.grad)

            yield f"{source} {target}", program

    table(torch, candidate, cells())


# -- functions of one variable ------------------------------------------------------------------------------------------

_EXACT_UNARY = (
    "abs", "ceil", "floor", "frac", "nan_to_num", "neg", "positive", "round", "sign", "square", "trunc", "fix",
    "bitwise_not", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal", "signbit", "logical_not", "reciprocal",
    "frexp",
)  # fmt: skip
_OTHER_UNARY = (
    "acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "deg2rad", "digamma", "erf", "erfc", "erfinv", "exp",
    "exp2", "expm1", "i0", "lgamma", "log", "log10", "log1p", "log2", "logit", "rad2deg", "rsqrt", "sigmoid", "sin",
    "sinc", "sinh", "sqrt", "tan", "tanh",
)  # fmt: skip


def _special_cases(value):
    """Dtype and shape, and of each element whether it is NaN, infinite, a zero, or a number of which sign."""
    if not hasattr(value, "detach") or not value.dtype.is_floating_point:
        return text(value)
    return f"{kind_of_outcome(value)} {[_kind_of_number(each) for each in value.detach().reshape(-1).tolist()]}"


def _kind_of_number(x):
    if math.isfinite(x) and x:
        return "+" if x > 0 else "-"
    return str(x)


def _without_outermost(x):
    """Numbers so small or large that torch's own approximations lose them are left out."""
    return x[(x == 0) | x.isnan() | (abs(x) == math.inf) | ((abs(x) < 1e30) & (abs(x) > 1e-3))]


@pytest.mark.parametrize("name", [*_EXACT_UNARY, *_OTHER_UNARY])
def test_functions_of_one(torch, candidate, name):
    """Of all dtypes, at special values, and in place."""

    def cells():
        for dtype in DTYPES:
            if name in _OTHER_UNARY and dtype in FLOATING:
                yield dtype, lambda ns, d=dtype: getattr(ns, name)(_without_outermost(extremes(ns, d)))
                continue
            yield dtype, lambda ns, d=dtype: getattr(ns, name)(extremes(ns, d))
            yield f"{dtype}()", lambda ns, d=dtype: getattr(ns, name)(extremes(ns, d)[1])
            if hasattr(torch.Tensor, f"{name}_"):
                yield f"{dtype} in place", lambda ns, d=dtype: getattr(extremes(ns, d), f"{name}_")()

    table(torch, candidate, cells(), text if name in _EXACT_UNARY else _special_cases)


# -- reductions -----------------------------------------------------------------------------------------------------------

_ROWS = {
    "bool": [[False, True, True], [True, True, True]],
    "uint8": [[0, 200, 3], [100, 7, 250]],
    "int": [[-3, 100, 7], [0, -128, 127]],
    "float": [[-2.5, 0.0, 3.0], [1.5, 0.5, 7.25]],
}


def rows(ns, dtype, shape=(2, 3)):
    """A small matrix whose sums and products are exact, or its last element, or one without elements."""
    kind = dtype if dtype in ("bool", "uint8") else "int" if dtype in INTEGERS else "float"
    whole = ns.tensor(_ROWS[kind], dtype=getattr(ns, dtype))
    return whole if shape == (2, 3) else whole[1, 2] if shape == () else whole[:0]


_REDUCTIONS = (
    "all", "any", "amax", "amin", "aminmax", "argmax", "argmin", "count_nonzero", "cummax", "cummin", "cumprod", "cumsum",
    "diff", "max", "min", "nansum", "prod", "sum",
)  # fmt: skip
_INEXACT_REDUCTIONS = ("logcumsumexp", "logsumexp", "mean", "nanmean", "std", "var", "softmax", "log_softmax")
_ARGUMENTS = {
    "": {}, "dim 0": {"dim": 0}, "dim -1": {"dim": -1}, "dim 2": {"dim": 2}, "None": {"dim": None},
    "two": {"dim": (0, 1)}, "twice": {"dim": (0, 0)}, "kept": {"dim": 1, "keepdim": True},
}  # fmt: skip


@pytest.mark.parametrize("name", [*_REDUCTIONS, *_INEXACT_REDUCTIONS])
def test_reductions(torch, candidate, name):
    """Of all dtypes, over one or more dimensions, in all dtypes that may be asked for."""
    takes_dtype = name in ("sum", "prod", "cumsum", "cumprod", "nansum", "mean", "softmax", "log_softmax")

    def cells():
        for dtype, shape, (label, given) in product(DTYPES, [(2, 3), (), (0, 3)], _ARGUMENTS.items()):
            if not ("keepdim" in given and name.startswith(("cum", "log_", "logcum", "soft", "diff", "count"))):
                yield (
                    f"{dtype} {shape} {label}",
                    lambda ns, d=dtype, s=shape, k=given: getattr(ns, name)(rows(ns, d, s), **k),
                )
        for dtype, asked, dim in product(DTYPES, DTYPES, (None, 0)) if takes_dtype else ():
            yield (
                f"{dtype} as {asked} {dim}",
                lambda ns, d=dtype, a=asked, k=dim: getattr(ns, name)(
                    rows(ns, d), **({} if k is None else {"dim": k}), dtype=getattr(ns, a)
                ),
            )

    table(torch, candidate, cells(), kind_of_outcome if name in _INEXACT_REDUCTIONS else text)


# -- what is known of dtypes ------------------------------------------------------------------------------------------------

_ATTRIBUTES = ("is_floating_point", "is_complex", "is_signed", "itemsize")
_ALIASES = ("half", "float", "double", "short", "int", "long", "cfloat", "cdouble")


def test_attributes(torch, candidate):
    def program(ns):
        kinds = [getattr(ns, name) for name in (*DTYPES, "complex64", "complex128")]
        known = [[str(each), repr(each), *(getattr(each, name) for name in _ATTRIBUTES)] for each in kinds]
        parts = [(str(each.to_real()), each.abbr) for each in kinds]
        kept = [copy.deepcopy(each) is each and pickle.loads(pickle.dumps(each)) is each for each in kinds]
        equal = [kinds[0] == kinds[1], kinds[0] != kinds[1], len({*kinds, *kinds})]
        return known, parts, kept, equal, [str(getattr(ns, name)) for name in _ALIASES], str(ns.float32.to_complex())

    same(torch, candidate, program)


@pytest.mark.parametrize("what", ["finfo", "iinfo"])
def test_limits(torch, candidate, what):
    names = ("bits", "max", "min", "dtype", *(("eps", "tiny", "smallest_normal", "resolution") * (what == "finfo")))

    def cells():
        for dtype in (*DTYPES, "complex64", "complex128"):
            yield dtype, lambda ns, d=dtype: getattr(ns, what)(getattr(ns, d))
            for name in names:
                yield (
                    f"{dtype} {name}",
                    lambda ns, d=dtype, n=name: (
                        float(v) if (v := getattr(getattr(ns, what)(getattr(ns, d)), n)) == 0 else v
                    ),
                )
        yield "the default", lambda ns: getattr(ns, what)()
        yield "no dtype", lambda ns: getattr(ns, what)("float32")
        yield "an unknown attribute", lambda ns: getattr(ns, what)(ns.float32 if what == "finfo" else ns.int8).largest
        yield "equality", lambda ns: ns.finfo(ns.float32) == ns.finfo(ns.float32) != ns.finfo(ns.float16)

    table(torch, candidate, cells())


@pytest.mark.parametrize("default", FLOATING)
def test_default_dtype(torch, candidate, default):
    """Everything that has to make floating-point numbers of others asks for it."""
    makers = {
        "of floats": lambda ns: ns.tensor([1.0, 2.0]),
        "of integers": lambda ns: ns.tensor([1, 2]),
        "ones": lambda ns: ns.ones(2),
        "full": lambda ns: ns.full((2,), 1.5),
        "arange": lambda ns: ns.arange(0, 1, 0.5),
        "linspace": lambda ns: ns.linspace(0, 1, 3),
        "quotient": lambda ns: ns.tensor([1, 2]) / 2,
        "sum with a number": lambda ns: ns.tensor([1, 2]) + 1.5,
        "root": lambda ns: ns.tensor([1, 4]).sqrt(),
        "with a tensor": lambda ns: ns.tensor([1, 2]) + ns.tensor(1.5, dtype=ns.float32),
        "result_type": lambda ns: ns.result_type(ns.tensor([1]), 1.0),
        "itself": lambda ns: ns.get_default_dtype(),
        "finfo": lambda ns: ns.finfo(),
        "Tensor": lambda ns: ns.Tensor([1, 2]),
        "Linear": lambda ns: ns.nn.Linear(2, 1).weight.dtype,
        "eye": lambda ns: ns.eye(2),
        "rand": lambda ns: ns.rand(2).dtype,
    }

    def with_default(program):
        def run(ns):
            before = ns.get_default_dtype()
            ns.set_default_dtype(getattr(ns, default))
            try:
                return program(ns)
            finally:
                ns.set_default_dtype(before)

        return run

    table(torch, candidate, ((label, with_default(program)) for label, program in makers.items()))


def test_no_default_dtype(torch, candidate):
    def cells():
        for wrong in ("int64", "bool"):
            yield wrong, lambda ns, w=wrong: ns.set_default_dtype(getattr(ns, w))
        yield "text", lambda ns: ns.set_default_dtype("float32")
        yield "type", lambda ns: ns.set_default_tensor_type("torch.LongTensor")
        yield "dtype for a type", lambda ns: ns.set_default_tensor_type(ns.float32)

    table(torch, candidate, cells())


def test_questions(torch, candidate):
    def cells():
        for function, dtype in product(("is_floating_point", "is_complex", "is_signed", "is_nonzero"), DTYPES):
            yield (
                f"{function} {dtype}",
                lambda ns, f=function, d=dtype: getattr(ns, f)(ns.ones((), dtype=getattr(ns, d))),
            )
            yield (
                f"{function} {dtype} twice",
                lambda ns, f=function, d=dtype: getattr(ns, f)(ns.ones(2, dtype=getattr(ns, d))),
            )
            yield (
                f".{function} {dtype}",
                lambda ns, f=function, d=dtype: getattr(ns.ones((), dtype=getattr(ns, d)), f)(),
            )
        yield "of a number", lambda ns: ns.is_floating_point(3)
        yield "of nothing", lambda ns: ns.is_nonzero(ns.ones(0))

    table(torch, candidate, cells())
