"""Sequences, grids and windows: every element to the last bit."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same
from parity_tests.suites._warnings import every_warning, warned

FLOATING = ["float32", "float64", "float16", "bfloat16"]
INTEGERS = ["int64", "int32", "int16", "int8", "uint8"]
dtypes = st.none() | st.sampled_from(FLOATING + INTEGERS)


def made(ns, name, *args, dtype=None, **options):
    """A result of a creation function, with bfloat16, which NumPy lacks, shown as its bits."""
    if dtype is not None:
        options["dtype"] = getattr(ns, dtype)
    tensor = getattr(ns, name)(*args, **options)
    return tensor.view(ns.int16) if dtype == "bfloat16" else tensor


# -- progressions --------------------------------------------------------------------------------------------------------

ordinary = st.integers(-20, 20) | st.floats(-100, 100) | st.integers(-12, 12).map(lambda n: n / 4)
steps = ordinary.filter(bool) | st.sampled_from([0.1, 1e-3, -0.3, 1 / 3])


@given(ordinary, steps, st.integers(0, 150), st.floats(0, 0.9), dtypes)
def test_arange(torch, candidate, start, step, count, past, dtype):
    end = start + step * (count - past)
    if dtype in INTEGERS:  # what an integer dtype cannot hold wraps as the compiler pleases
        start, step, end = int(start) % 10, int(step) or 1, int(end)
        assume(dtype != "uint8" or (step > 0 and end > start))
    same(torch, candidate, lambda ns: made(ns, "arange", start, end, step, dtype=dtype))


odd = st.sampled_from(
    [
        0,
        1,
        -1,
        5,
        2.5,
        0.0,
        -0.5,
        True,
        float("nan"),
        float("inf"),
        -float("inf"),
        1e300,
        2**62,
        2**63,
        -(2**63),
        1j,
        None,
    ]
)


@given(
    st.lists(odd, min_size=1, max_size=3),
    st.none() | st.sampled_from(["float32", "int64", "int32", "bool", "complex64"]),
)
def test_arange_of_odd_arguments(torch, candidate, args, dtype):
    small = [each for each in args if isinstance(each, (int, float)) and abs(each) < 10]
    assume(len(small) == len(args) or any(isinstance(each, (float, complex)) or each is None for each in args))
    assume(not (dtype == "int64" and 2**62 in args))
    assume(not any(each in (2**62, 2**63, -(2**63)) for each in args))
    same(torch, candidate, lambda ns: made(ns, "arange", *args, dtype=dtype))


@pytest.mark.parametrize(
    "call",
    [
        lambda ns: ns.arange(2**63),
        lambda ns: ns.arange(2**63 - 3, 2**63 - 1),
        lambda ns: ns.arange(-(2**63), -(2**63) + 2),
        lambda ns: ns.arange(0, 3, 0.5, dtype=ns.int64),
        lambda ns: ns.arange(0, 3, 0.5, dtype=ns.int32),
        lambda ns: ns.arange(0.5, 3.2, dtype=ns.int32),
        lambda ns: ns.arange(300, dtype=ns.uint8),
        lambda ns: ns.arange(ns.tensor(3)),
        lambda ns: ns.arange(ns.tensor(3.0), ns.tensor(5)),
        lambda ns: ns.arange(ns.tensor([3])),
        lambda ns: ns.arange(np.float32(2.5)),
        lambda ns: ns.arange(np.int8(3)),
        lambda ns: ns.arange(end=3),
        lambda ns: ns.arange(1, end=3),
        lambda ns: ns.arange(1, 3, step=2),
        lambda ns: ns.arange(1, step=2),
        lambda ns: ns.arange(3, start=1),
        lambda ns: ns.arange("3"),
        lambda ns: ns.arange(3, dtype=float),
        lambda ns: ns.arange(3, requires_grad=True),
        lambda ns: ns.arange(3.0, requires_grad=True),
        lambda ns: ns.linspace(0, 1),
        lambda ns: ns.linspace(0, 1, 3.0),
        lambda ns: ns.linspace(0, 1, ns.tensor(3)),
        lambda ns: ns.linspace(ns.tensor(0.5), 1, 3),
        lambda ns: ns.linspace(0, ns.tensor([1.0]), 3),
        lambda ns: ns.linspace(ns.tensor([0.0, 1.0]), 1, 3),
        lambda ns: ns.linspace(0, 1j, 5),
        lambda ns: ns.linspace(0, 1j, 3, dtype=ns.float32),
        lambda ns: ns.linspace(0, 1, 3, dtype=ns.bool),
        lambda ns: ns.linspace(0, 300, 3, dtype=ns.uint8),
        lambda ns: ns.linspace(0, 1e39, 3),
        lambda ns: ns.linspace(0, float("inf"), 3),
        lambda ns: ns.linspace(start=0, end=1, steps=3, requires_grad=True),
        lambda ns: ns.logspace(0, 1, 3, ns.tensor(2.0)),
        lambda ns: ns.logspace(0, 1, 3, 1j),
        lambda ns: ns.logspace(40, 1, 1),
        lambda ns: ns.logspace(400, 1, 3),
        lambda ns: ns.eye(2, 3, 4),
        lambda ns: ns.eye(n=2, m=3),
        lambda ns: ns.eye(True),
        lambda ns: ns.eye(ns.tensor(2)),
    ],
)
def test_arguments(torch, candidate, call):
    same(torch, candidate, call)


@given(ordinary, ordinary, st.integers(-1, 150), dtypes)
def test_linspace(torch, candidate, start, end, count, dtype):
    if dtype == "uint8":
        start, end = abs(start), abs(end)
    same(torch, candidate, lambda ns: made(ns, "linspace", start, end, count, dtype=dtype))


@given(st.floats(-4, 4), st.floats(-4, 4), st.integers(-1, 60), st.sampled_from([2, 10, 2.5, 0.5, 1]), dtypes)
def test_logspace(torch, candidate, start, end, count, base, dtype):
    if dtype in INTEGERS:
        start, end, base = abs(start) // 2, abs(end) // 2, 3
    same(torch, candidate, lambda ns: made(ns, "logspace", start, end, count, base, dtype=dtype))


@given(ordinary, steps, st.integers(-1, 60), st.none() | st.sampled_from(["float32", "float64", "int64"]))
def test_range(torch, candidate, start, step, count, dtype):
    if dtype == "int64":
        start, step = int(start), int(step) or 1  # torch divides by zero otherwise
    end = start + step * count
    same(torch, candidate, lambda ns: warned(ns, lambda ns: made(ns, "range", start, end, step, dtype=dtype)))


def out_of(ns, form, dtype):
    kind = getattr(ns, dtype)
    return {
        "fitting": lambda: ns.full((6,), 7, dtype=kind),
        "empty": lambda: ns.empty(0, dtype=kind),
        "small": lambda: ns.full((2,), 7, dtype=kind),
        "large": lambda: ns.full((3, 4), 7, dtype=kind),
        "strided": lambda: ns.full((12,), 7, dtype=kind)[::2],
        "square": lambda: ns.full((2, 3), 7, dtype=kind),
        "grad": lambda: ns.full((6,), 7.0, requires_grad=True),
    }[form]()


@given(
    st.sampled_from(["arange", "linspace", "logspace", "range", "eye", "zeros", "ones", "full", "empty"]),
    st.sampled_from(["fitting", "empty", "small", "large", "strided", "square", "grad"]),
    st.sampled_from(["float32", "float64", "int64"]),
    st.sampled_from([{}, {"dtype": "float32"}, {"device": "cpu"}, {"device": "cuda"}, {"requires_grad": True}]),
)
def test_out(torch, candidate, name, form, dtype, options):
    args = {"arange": (6,), "linspace": (0, 5, 6), "logspace": (0, 1, 6), "range": (0, 5), "eye": (2, 3)}
    args |= {"full": ((2, 3), 2)}

    def program(ns):
        out = out_of(ns, form, dtype)
        pointer, given = out.data_ptr(), dict(options)
        if "dtype" in given:
            given["dtype"] = getattr(ns, given["dtype"])
        result = getattr(ns, name)(*args.get(name, ((2, 3),)), out=out, **given)
        same_memory = result.data_ptr() == pointer or form in ("empty", "small")  # torch may move what grows
        return result is out, same_memory, result._version, result.zero_() if name == "empty" else result

    same(torch, candidate, lambda ns: warned(ns, program))


# -- triangles and grids ---------------------------------------------------------------------------------------------------

sides = st.integers(-1, 5)
matrix_dtypes = st.none() | st.sampled_from(["int64", "int32", "float32", "uint8", "bool"])


@given(sides, st.none() | sides, st.none() | st.sampled_from([*FLOATING, *INTEGERS, "bool", "complex64"]))
def test_eye(torch, candidate, n, m, dtype):
    same(torch, candidate, lambda ns: made(ns, "eye", n, *([] if m is None else [m]), dtype=dtype))


@given(st.sampled_from(["tril_indices", "triu_indices"]), sides, sides, st.integers(-6, 6), matrix_dtypes)
def test_triangles(torch, candidate, name, row, col, offset, dtype):
    same(torch, candidate, lambda ns: made(ns, name, row, col, offset, dtype=dtype))


lengths = st.lists(st.none() | st.integers(0, 3), max_size=3)


def vectors(ns, lengths, dtype="float32", requires_grad=False):
    """Vectors of these lengths, and a 0-d tensor for None."""
    values = (ns.tensor(5.0) if length is None else ns.arange(length) + 1.0 for length in lengths)
    return [each.to(getattr(ns, dtype)).requires_grad_(requires_grad) for each in values]


@given(
    lengths,
    st.sampled_from(["ij", "xy", None, "yx"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["float32", "int64"]),
)
def test_meshgrid(torch, candidate, lengths, indexing, spread, requires_grad, dtype):
    def program(ns):
        given = vectors(ns, lengths, dtype, requires_grad and dtype == "float32")
        grids = ns.meshgrid(*(given if spread else [given]), indexing=indexing)
        shared = [any(grid.data_ptr() == each.data_ptr() for each in given) for grid in grids]
        if requires_grad and dtype == "float32" and grids[0].numel():
            sum((grid * (index + 1)).sum() for index, grid in enumerate(grids)).backward()
        return list(grids), type(grids).__name__, shared, given, [grid._is_view() for grid in grids]

    with every_warning(torch, candidate):
        same(torch, candidate, lambda ns: warned(ns, program))


@pytest.mark.parametrize(
    "call",
    [
        lambda ns, x: ns.meshgrid(indexing="ij"),
        lambda ns, x: ns.meshgrid([], indexing="ij"),
        lambda ns, x: ns.meshgrid(x, 3, indexing="ij"),
        lambda ns, x: ns.meshgrid(x, x.int(), indexing="ij"),
        lambda ns, x: ns.meshgrid(x, indexing=3),
        lambda ns, x: ns.cartesian_prod(),
        lambda ns, x: ns.cartesian_prod([x, x]),
        lambda ns, x: ns.cartesian_prod(x, x[None]),
        lambda ns, x: ns.cartesian_prod(x, x.int()),
        lambda ns, x: ns.cartesian_prod(x) is x,
        lambda ns, x: ns.combinations(x[None]),
        lambda ns, x: ns.combinations(x, -1),
        lambda ns, x: ns.combinations(3),
        lambda ns, x: ns.vander(x[None]),
        lambda ns, x: ns.vander(x, -1),
        lambda ns, x: ns.vander(x.bool()),
        lambda ns, x: ns.tril_indices(2.0, 2),
        lambda ns, x: ns.triu_indices(2, 2, requires_grad=True),
        lambda ns, x: ns.hann_window(-1),
        lambda ns, x: ns.hann_window(4, dtype=ns.int64),
        lambda ns, x: ns.hann_window(4, dtype=ns.complex64),
        lambda ns, x: ns.hann_window(4.0),
        lambda ns, x: ns.hamming_window(4, alpha=0.3),
        lambda ns, x: ns.kaiser_window(4, True, 1.0, 2.0),
    ],
)
def test_arguments_of_grids(torch, candidate, call):
    same(torch, candidate, lambda ns: call(ns, ns.arange(3.0)))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=3), st.booleans())
def test_cartesian_prod(torch, candidate, lengths, requires_grad):
    def program(ns):
        given = vectors(ns, lengths, requires_grad=requires_grad)
        result = ns.cartesian_prod(*given)
        if requires_grad:
            (result * 2).sum().backward()
        return result, given

    same(torch, candidate, program)


@given(st.integers(0, 4), st.integers(0, 4), st.booleans(), st.booleans())
def test_combinations(torch, candidate, length, r, with_replacement, requires_grad):
    def program(ns):
        (x,) = vectors(ns, [length], requires_grad=requires_grad)
        result = ns.combinations(x, r, with_replacement)
        if result.requires_grad:
            (result * 2).sum().backward()
        return result, x

    same(torch, candidate, program)


@given(
    st.integers(0, 4), st.none() | st.integers(0, 5), st.booleans(), st.sampled_from(["float32", "float64", "int32"])
)
def test_vander(torch, candidate, length, count, increasing, dtype):
    def program(ns):
        (x,) = vectors(ns, [length], dtype, dtype != "int32")
        return ns.vander(x, count, increasing)

    same(torch, candidate, program)


# -- windows -----------------------------------------------------------------------------------------------------------------

WINDOWS = ["hann_window", "hamming_window", "blackman_window", "bartlett_window", "kaiser_window"]


@given(
    st.sampled_from(WINDOWS),
    st.integers(0, 40),
    st.none() | st.booleans(),
    st.sampled_from(["float32", "float64"]),
    st.data(),
)
def test_windows(torch, candidate, name, length, periodic, dtype, data):
    shapes = {"hamming_window": [0.3, 0.6], "kaiser_window": [8.0]}.get(name, [])
    more = [] if periodic is None else [periodic, *shapes[: data.draw(st.integers(0, len(shapes)))]]

    def program(ns, tensor):
        x = tensor(np.ones(length, dtype))
        window = getattr(ns, name)(length, *more, dtype=x.dtype)
        return x * window, window.untyped_storage().nbytes() // window.element_size()

    agree(torch, candidate, program)
