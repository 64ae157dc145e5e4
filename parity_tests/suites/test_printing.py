"""The text of a tensor is torch's, character for character."""

import contextlib

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from parity_tests.check import Raised, assert_same

FLOATING = ("float16", "float32", "float64")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8")

# Numbers on which the choice of notation turns, and those that take no part in it.
TURNING = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-4, 9.9e-5, 1000.0, 1001.0, 1e8, 1.1e8, np.nan, np.inf, -np.inf)


def shapes(max_dims=5, max_side=7):
    return hnp.array_shapes(min_dims=0, max_dims=max_dims, min_side=0, max_side=max_side).filter(
        lambda shape: int(np.prod(shape)) <= 400
    )


def numbers(dtype):
    """Elements near one another in size, or not; whole, or not; special, or not."""
    width = np.dtype(dtype).itemsize * 8
    anything = st.floats(width=width)
    if width == 16:
        turning = st.sampled_from([x for x in TURNING if not 6.6e4 < abs(x) < np.inf])
    else:
        turning = st.sampled_from(TURNING)
    ordinary = st.floats(-100, 100, width=width)
    whole = st.integers(-2000, 2000).map(float)
    return st.sampled_from([anything, turning, ordinary, whole]), turning


@st.composite
def arrays(draw, dtype, shape=None):
    """An array with elements of one kind, here and there one on which the notation turns."""
    shape = draw(shapes()) if shape is None else shape
    if np.dtype(dtype).kind == "f":
        kinds, turning = numbers(dtype)
        elements = draw(kinds)
        if draw(st.booleans()):
            elements = elements | turning
        return draw(hnp.arrays(dtype, shape, elements=elements.map(np.dtype(dtype).type)))
    return draw(hnp.arrays(dtype, shape))


options = st.fixed_dictionaries(
    {},
    optional={
        "precision": st.integers(0, 8),
        "threshold": st.sampled_from([0, 1, 5, 20, 100, 1000, float("inf")]),
        "edgeitems": st.integers(0, 5),
        "linewidth": st.sampled_from([0, 1, 10, 20, 40, 80, 120]),
        "profile": st.sampled_from(["default", "short", "full"]),
        "sci_mode": st.sampled_from([None, True, False]),
    },
)


def reset(*modules):
    for module in modules:
        module.set_printoptions(profile="default")
        module.set_default_dtype(module.float32)


@pytest.fixture(autouse=True)
def default_options(torch, candidate):
    """Every test begins and ends with the default options and the default dtype."""
    reset(torch, candidate)
    yield
    reset(torch, candidate)


def same_text(torch, candidate, build):
    """`repr(build(module))` is the same in both worlds."""
    assert_same(repr(build(torch)), repr(build(candidate)))


@pytest.mark.parametrize("dtype", [*FLOATING, *INTEGERS, "bool"])
@given(data=st.data())
def test_any_tensor(torch, candidate, dtype, data):
    array = data.draw(arrays(dtype))
    same_text(torch, candidate, lambda module: module.from_numpy(array))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@given(data=st.data(), chosen=options)
def test_any_options(torch, candidate, dtype, data, chosen):
    array = data.draw(arrays(dtype))
    reset(torch, candidate)
    for module in (torch, candidate):
        module.set_printoptions(**chosen)
    same_text(torch, candidate, lambda module: module.from_numpy(array))


@pytest.mark.parametrize("dtype", ["bfloat16", "complex64", "complex128"])
@given(data=st.data(), chosen=options | st.just({}))
def test_dtypes_that_not_every_backend_has(torch, candidate, dtype, data, chosen):
    if not hasattr(candidate, dtype):
        pytest.skip(f"unsupported: {dtype}")
    real = data.draw(arrays("float32"))
    imaginary = data.draw(arrays("float32", shape=real.shape))
    reset(torch, candidate)
    for module in (torch, candidate):
        module.set_printoptions(**chosen)

    def build(module):
        tensor = module.from_numpy(real)
        if dtype.startswith("complex"):
            tensor = module.complex(tensor, module.from_numpy(imaginary))
        return tensor.to(getattr(module, dtype))

    same_text(torch, candidate, build)


BIG = [(1001,), (2, 501), (501, 2), (40, 40), (6, 7, 30), (9, 1, 8, 20)]


@pytest.mark.parametrize("dtype", ["float32", "int64"])
@given(data=st.data(), shape=st.sampled_from(BIG))
def test_big_tensors_show_their_edges(torch, candidate, dtype, data, shape):
    corner = data.draw(arrays(dtype, shape=(3,)))
    array = np.resize(corner, shape)
    same_text(torch, candidate, lambda module: module.from_numpy(array))


@pytest.mark.parametrize("shape", [(1000,), (1001,), (10, 100), (7, 143)])
def test_summary_begins_above_the_threshold(torch, candidate, shape):
    same_text(torch, candidate, lambda module: module.zeros(shape))


@given(values=st.lists(st.sampled_from(TURNING), min_size=1, max_size=4))
@example([1000.0, 1.0])
@example([1001.0, 1.0])
@example([1e8])
@example([1.00000008e8])
@example([1e-4])
@example([float("inf"), 1e10, 1.0])
def test_notation_turns_where_torchs_does(torch, candidate, values):
    same_text(torch, candidate, lambda module: module.tensor(values, dtype=module.float64))


@given(value=st.floats(width=32) | st.integers(-(2**63), 2**63 - 1) | st.booleans())
def test_scalars(torch, candidate, value):
    same_text(torch, candidate, lambda module: module.tensor(value))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0), (0, 2000, 5), (1, 1, 0)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_empty_tensors_name_their_shape_and_dtype(torch, candidate, shape, dtype):
    same_text(torch, candidate, lambda module: module.zeros(shape, dtype=getattr(module, dtype)))


@pytest.mark.parametrize("default", FLOATING)
@pytest.mark.parametrize("dtype", FLOATING)
def test_default_dtype_is_not_named(torch, candidate, default, dtype):
    for module in (torch, candidate):
        module.set_default_dtype(getattr(module, default))
    same_text(torch, candidate, lambda module: module.ones(2, dtype=getattr(module, dtype)))


@pytest.mark.parametrize("length", range(18, 26))
def test_suffixes_that_do_not_fit_begin_a_line(torch, candidate, length):
    def build(module):
        return module.zeros(length, dtype=module.float64, requires_grad=True)

    same_text(torch, candidate, build)


@given(linewidth=st.integers(20, 70))
def test_every_suffix_finds_its_line(torch, candidate, linewidth):
    for module in (torch, candidate):
        module.set_printoptions(linewidth=linewidth)
    same_text(torch, candidate, lambda module: module.zeros(0, 3, dtype=module.float64, requires_grad=True))


OPS = {
    "add": lambda x: x + 1,
    "mul": lambda x: x * x,
    "sum": lambda x: x.sum(),
    "matmul": lambda x: x @ x.t(),
    "transpose": lambda x: x.t(),
    "relu": lambda x: x.relu(),
    "view": lambda x: x.view(-1),
    "select": lambda x: x[0],
    "in-place": lambda x: (x * 1).mul_(2),
    "detach": lambda x: x.detach(),
    "leaf": lambda x: x,
}


@pytest.mark.parametrize("op", OPS)
def test_origin_of_the_gradient(torch, candidate, op):
    def build(module):
        return OPS[op](module.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True))

    same_text(torch, candidate, build)


VIEWS = {
    "transposed": lambda x: x.t(),
    "strided": lambda x: x[:, ::2],
    "expanded": lambda x: x[:1].expand(3, 4),
    "empty": lambda x: x[1:, :0],
    "row": lambda x: x[1],
}


@pytest.mark.parametrize("view", VIEWS)
def test_strides_leave_no_trace(torch, candidate, view):
    same_text(torch, candidate, lambda module: VIEWS[view](module.arange(12.0).reshape(3, 4)))


@pytest.mark.parametrize("requires_grad", [True, False])
def test_parameters_say_so(torch, candidate, requires_grad):
    def build(module):
        return module.nn.Parameter(module.ones(2, 3), requires_grad=requires_grad)

    same_text(torch, candidate, build)


def test_subclasses_print_their_names(torch, candidate):
    def build(module):
        return type("Special", (module.nn.Parameter,), {})(module.ones(2))

    same_text(torch, candidate, build)


def test_str_is_repr(candidate):
    tensor = candidate.ones(2, 3)
    assert str(tensor) == repr(tensor) == f"{tensor}"


@pytest.mark.parametrize("spec", ["", ".3f", "10.2e", "+.1f", ">12"])
@given(value=st.floats(width=32) | st.integers(-1000, 1000))
def test_a_0d_tensor_formats_as_its_number(torch, candidate, spec, value):
    assert_same(format(torch.tensor(value), spec), format(candidate.tensor(value), spec))


@pytest.mark.parametrize("build", [lambda m: m.ones(2), lambda m: m.nn.Parameter(m.tensor(1.0))])
def test_other_tensors_take_no_format(torch, candidate, build):
    with pytest.raises(TypeError) as expected:
        format(build(torch), ".3f")
    with pytest.raises(TypeError) as actual:
        format(build(candidate), ".3f")
    assert_same(Raised.of(expected.value), Raised.of(actual.value))


@given(first=options, second=options)
def test_options_in_force(torch, candidate, first, second):
    reset(torch, candidate)
    for module in (torch, candidate):
        module.set_printoptions(**first)
        module.set_printoptions(**second)
    assert_same(torch._tensor_str.get_printoptions(), candidate._tensor_str.get_printoptions())


def test_printoptions_are_restored_after_an_error(candidate):
    printing = candidate._tensor_str
    before = printing.get_printoptions()
    with contextlib.suppress(ZeroDivisionError), printing.printoptions(precision=1, sci_mode=True):
        raise ZeroDivisionError
    assert printing.get_printoptions() == before


def test_printoptions_hold_within_the_block(torch, candidate):
    expected, actual = [], []
    for module, seen in ((torch, expected), (candidate, actual)):
        with module._tensor_str.printoptions(precision=1, sci_mode=True):
            seen.append(repr(module.tensor(0.25)))
    assert_same(expected, actual)
