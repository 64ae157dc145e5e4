"""`f_`: every in-place form and operator: where it writes, what it records, what it refuses."""

import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same

# Methods whose results are due bit for bit.
UNARY = (
    "abs_", "absolute_", "ceil_", "floor_", "frac_", "neg_", "negative_", "reciprocal_", "relu_", "round_",
    "sign_", "sqrt_", "square_", "trunc_", "fix_", "zero_", "logical_not_",
)  # fmt: skip
BINARY = (
    "add_", "sub_", "subtract_", "mul_", "multiply_", "div_", "divide_", "true_divide_", "floor_divide_",
    "remainder_", "fmod_", "eq_", "ne_", "lt_", "le_", "gt_", "ge_", "greater_", "less_equal_", "logical_and_",
    "logical_or_", "logical_xor_", "copysign_",
)  # fmt: skip
BITWISE = ("bitwise_and_", "bitwise_or_", "bitwise_xor_")
# And those that round.
SMOOTH = (
    "acos_", "arccos_", "asin_", "atan_", "cos_", "cosh_", "deg2rad_", "erf_", "erfc_", "exp_", "exp2_", "expm1_",
    "lgamma_", "log_", "log10_", "log1p_", "log2_", "rad2deg_", "rsqrt_", "sigmoid_", "sin_", "sinc_", "sinh_",
    "tan_", "tanh_",
)  # fmt: skip
SMOOTH_BINARY = ("atan2_", "hypot_", "pow_", "xlogy_")

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")

# What is written to: of a tensor of shape (4, 6).
LAYOUTS = {
    "whole": lambda x: x,
    "transposed": lambda x: x.t(),
    "sliced": lambda x: x[1:3, ::2],
    "row": lambda x: x[0],
    "expanded": lambda x: x[:1].expand(4, 6),
    "0-d": lambda x: x[0, 1],
    "empty": lambda x: x[:0],
}
HISTORIES = ("constant", "leaf", "result")

# The other operand, by that which is written to.
OTHERS = {
    "of its shape": lambda ns, x, dtype: ns.ones(tuple(x.shape), dtype=dtype),
    "broadcast": lambda ns, x, dtype: ns.ones((1,) * x.dim(), dtype=dtype),
    "0-d": lambda ns, x, dtype: ns.tensor(2.0).to(dtype),
    "bigger": lambda ns, x, dtype: ns.ones((2, *x.shape), dtype=dtype),
    "misfit": lambda ns, x, dtype: ns.ones((5, 7), dtype=dtype),
    "itself": lambda ns, x, dtype: x,
    "int": lambda ns, x, dtype: 2,
    "float": lambda ns, x, dtype: 2.5,
    "bool": lambda ns, x, dtype: True,
}


def targets(ns, dtype, layout, history):
    """A tensor with a history, and the part of it that is to be written to."""
    whole = ((ns.arange(24) * 3) % 5 - 1).reshape(4, 6).to(getattr(ns, dtype))
    if history != "constant" and whole.is_floating_point():
        whole.requires_grad_()
    whole = whole * 1 if history == "result" else whole
    return whole, LAYOUTS[layout](whole)


def seen(whole, part, result):
    """What is to be seen of a write."""
    return result is part, part, whole, part._version


@settings(max_examples=300)
@given(
    name=st.sampled_from(UNARY),
    dtype=st.sampled_from(DTYPES),
    layout=st.sampled_from(sorted(LAYOUTS)),
    history=st.sampled_from(HISTORIES),
)
def test_of_one_operand(torch, candidate, name, dtype, layout, history):
    def program(ns):
        whole, part = targets(ns, dtype, layout, history)
        return seen(whole, part, getattr(part, name)())

    same(torch, candidate, program)


def with_another(name, dtype, layout, history, kind, other_dtype, differentiated=False):
    def program(ns):
        whole, part = targets(ns, dtype, layout, history)
        other = OTHERS[kind](ns, part, getattr(ns, other_dtype))
        if differentiated and other is not part and hasattr(other, "dtype") and other.is_floating_point():
            other.requires_grad_()
        return seen(whole, part, getattr(part, name)(other))

    return program


pairs = {
    "dtype": st.sampled_from(DTYPES),
    "other_dtype": st.sampled_from(DTYPES),
    "layout": st.sampled_from(sorted(LAYOUTS)),
    "history": st.sampled_from(HISTORIES),
    "kind": st.sampled_from(sorted(OTHERS)),
}


@settings(max_examples=500)
@given(name=st.sampled_from(BINARY), **pairs)
def test_of_two_operands(torch, candidate, name, dtype, other_dtype, layout, history, kind):
    same(torch, candidate, with_another(name, dtype, layout, history, kind, other_dtype))


@given(name=st.sampled_from(BITWISE), **pairs)
def test_of_bits(torch, candidate, name, dtype, other_dtype, layout, history, kind):
    same(torch, candidate, with_another(name, dtype, layout, "constant", kind, other_dtype))


@settings(max_examples=200)
@given(
    name=st.sampled_from([name for name in BINARY if not name.startswith(("logical", "floor_divide"))]),
    layout=st.sampled_from(["whole", "transposed", "sliced", "row"]),
    history=st.sampled_from(HISTORIES),
    kind=st.sampled_from(["of its shape", "broadcast", "0-d", "float"]),
)
def test_gradients_go_to_both(torch, candidate, name, layout, history, kind):
    def program(ns):
        whole, part = targets(ns, "float64", layout, "constant")
        leaf = whole.requires_grad_() if history != "constant" else whole
        whole = leaf * 1
        part = LAYOUTS[layout](whole)
        other = OTHERS[kind](ns, part, ns.float64) if kind != "float" else 2.5
        if kind != "float":
            other.requires_grad_()
        getattr(part, name)(other)
        if whole.requires_grad:
            (whole * ns.arange(24.0, dtype=ns.float64).reshape(4, 6)).sum().backward()
        return whole, leaf.grad, getattr(other, "grad", None)

    same(torch, candidate, program)


@pytest.mark.parametrize("names", [SMOOTH, SMOOTH_BINARY], ids=["one operand", "two operands"])
@given(data=st.data(), layout=st.sampled_from(["whole", "transposed", "sliced", "row"]))
def test_functions_that_round(torch, candidate, names, data, layout):
    name = data.draw(st.sampled_from(names))
    values = np.linspace(0.1, 0.9, 24, dtype=np.float32).reshape(4, 6)

    def program(ns, tensor):
        leaf = tensor(values, requires_grad=True)
        whole = leaf * 1
        part = LAYOUTS[layout](whole)
        other = () if names is SMOOTH else (LAYOUTS[layout](tensor(values[::-1].copy(), requires_grad=True)),)
        result = getattr(part, name)(*other)
        whole.sum().backward()
        return result is part, whole, leaf.grad, part._version

    agree(torch, candidate, program)


# -- augmented assignment ----------------------------------------------------------------------------------------

OPERATORS = (
    operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ifloordiv, operator.imod, operator.ipow,
    operator.iand, operator.ior, operator.ixor,
)  # fmt: skip
RIGHT = {
    **OTHERS,
    "leaf": lambda ns, x, dtype: ns.ones(tuple(x.shape), requires_grad=True),
    "NumPy float": lambda ns, x, dtype: np.float64(2.5),
    "NumPy int": lambda ns, x, dtype: np.int64(2),
    "list": lambda ns, x, dtype: [1, 2],
    "None": lambda ns, x, dtype: None,
    "str": lambda ns, x, dtype: "a",
}


@settings(max_examples=400)
@given(
    assign=st.sampled_from(OPERATORS),
    dtype=st.sampled_from(["bool", "int64", "float32"]),
    other_dtype=st.sampled_from(["bool", "int32", "float32", "float64"]),
    layout=st.sampled_from(sorted(LAYOUTS)),
    history=st.sampled_from(HISTORIES),
    kind=st.sampled_from(sorted(RIGHT)),
)
def test_augmented_assignment(torch, candidate, assign, dtype, other_dtype, layout, history, kind):
    def program(ns):
        whole, part = targets(ns, dtype, layout, history)
        return seen(whole, part, assign(part, RIGHT[kind](ns, part, getattr(ns, other_dtype))))

    same(torch, candidate, program)


@pytest.mark.parametrize("name", ["abs_", "clamp_", "exp_", "round_", "zero_", "fill_", "neg_", "arccos_"])
def test_functions_of_the_namespace_write_too(torch, candidate, name):
    def program(ns):
        x = ns.full((3,), 1.0)
        result = getattr(ns, name)(x, *((0,) if name in ("clamp_", "fill_") else ()))
        return result is x, x._version

    same(torch, candidate, program)
