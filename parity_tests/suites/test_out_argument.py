"""`out=`: where the result goes, what is resized, converted and refused, and in which words."""

import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity_tests.suites._programs import same

# Functions whose results are due bit for bit, by the operands that they take: m is (2, 3), s is (3, 3).
FUNCTIONS = {
    "m": (
        "abs absolute ceil floor neg negative round sign trunc square sqrt rsqrt reciprocal logical_not isneginf isposinf "
        "signbit tril triu"
    ),
    "m, m": (
        "add sub subtract mul multiply div divide true_divide remainder fmod maximum minimum fmax fmin eq ne lt le gt ge "
        "greater less logical_and logical_or logical_xor copysign"
    ),
    "m, 2": "add mul div pow eq clamp_min clamp_max",
    "m, 0": "sum mean prod amax amin argmax argmin all any cumsum cumprod",
    "m, s": "mm matmul",
    "m[None], s[None]": "bmm",
    "s[0], s[1]": "dot outer",
    "[m, m]": "cat stack vstack hstack concat",
    "m, 0, i": "gather",
    "m, i[0]": "take",
    "m, 0, i[0]": "index_select",
    "m, -1, 1": "clamp",
}
CALLS = [(name, operands) for operands, names in FUNCTIONS.items() for name in names.split()]

# The tensors that results are put into; T is their dtype.
OUTS = {
    "empty": "ns.empty(0, dtype=T)",
    "too small": "ns.zeros(2, dtype=T)",
    "a matrix": "ns.zeros(2, 3, dtype=T)",
    "a vector": "ns.zeros(3, dtype=T)",
    "too big": "ns.zeros(3, 3, dtype=T)",
    "transposed": "ns.zeros(3, 2, dtype=T).t()",
    "strided": "ns.zeros(4, 6, dtype=T)[::2, ::2]",
    "requires grad": "ns.zeros(2, 3, dtype=T).requires_grad_(T.is_floating_point)",
}
SHARED = {"an operand": "m", "of an operand's memory": "m.t()", "overlapping": "ns.zeros(1, 3).expand(2, 3)"}

# The text of torch's warnings that says where in its sources they are given.
TRIGGERED = " (Triggered internally"


def texts(caught):
    """The warnings; torch gives that of resizing twice where it also converts."""
    return sorted({str(w.message).partition(TRIGGERED)[0] for w in caught if w.category is UserWarning})


def call(name, operands, kind, dtype, of, requires_grad=False):
    def program(ns):
        m = (ns.arange(6.0).reshape(2, 3) - 2).to(getattr(ns, of))
        s = ns.arange(9.0).reshape(3, 3).to(getattr(ns, of))
        i = ns.tensor([[1, 0, 1], [0, 0, 1]])
        if requires_grad and m.is_floating_point():
            m.requires_grad_()
        known = {"ns": ns, "m": m, "s": s, "i": i, "T": getattr(ns, dtype)}
        out = eval((OUTS | SHARED)[kind], known)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = getattr(ns, name)(*eval(f"({operands},)", known), out=out)
        return result is out, out, out._version, texts(caught)

    return program


@settings(max_examples=500)
@given(
    case=st.sampled_from(CALLS),
    kind=st.sampled_from(sorted(OUTS)),
    dtype=st.sampled_from(["float32", "float32", "float64", "int64", "bool"]),
)
def test_of_float32(torch, candidate, case, kind, dtype):
    same(torch, candidate, call(*case, kind, dtype, "float32"))


CONVERTING = [
    (name, operands) for name, operands in CALLS if name in ("add", "sub", "mul", "maximum", "eq", "lt", "sum", "cat")
]


@settings(max_examples=300)
@given(
    case=st.sampled_from(CONVERTING),
    kind=st.sampled_from(sorted(OUTS)),
    dtype=st.sampled_from(["int32", "int64", "float32", "float64", "bool"]),
    of=st.sampled_from(["int32", "int64", "float64"]),
)
def test_of_other_dtypes(torch, candidate, case, kind, dtype, of):
    same(torch, candidate, call(*case, kind, dtype, of))


ELEMENTWISE = [(name, operands) for name, operands in CALLS if operands in ("m", "m, m", "m, 2")]
OTHERS = ("isneginf", "isposinf", "signbit", "tril", "triu")


@given(
    case=st.sampled_from([case for case in ELEMENTWISE if case[0] not in OTHERS]),
    kind=st.sampled_from(sorted(SHARED)),
)
def test_memory_that_is_shared(torch, candidate, case, kind):
    same(torch, candidate, call(*case, kind, "float32", "float32"))


@given(case=st.sampled_from(CALLS), kind=st.sampled_from(sorted(OUTS)))
def test_has_no_history(torch, candidate, case, kind):
    same(torch, candidate, call(*case, kind, "float32", "float32", requires_grad=True))


@pytest.mark.parametrize("name", ["max", "min"])
@given(
    values=st.sampled_from(["float32", "float64"]),
    indices=st.sampled_from(["int64", "float32"]),
    sizes=st.sampled_from([(0,), (3,), (2, 3)]),
    sequence=st.sampled_from([tuple, list]),
)
def test_two_results(torch, candidate, name, values, indices, sizes, sequence):
    def program(ns):
        outs = sequence([ns.zeros(sizes, dtype=getattr(ns, each)) for each in (values, indices)])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = getattr(ns, name)(ns.arange(6.0).reshape(2, 3), 0, out=outs)
        return [a is b for a, b in zip(result, outs, strict=True)], outs, texts(caught)

    same(torch, candidate, program)


def test_one_for_two_is_too_few(torch, candidate):
    same(torch, candidate, lambda ns: ns.max(ns.ones(2, 3), 0, out=ns.ones(3)))


def test_none_is_no_tensor(torch, candidate):
    same(torch, candidate, lambda ns: ns.exp(ns.zeros(3), out=None))


def test_under_no_grad_leaves_may_be_written_to(torch, candidate):
    def program(ns):
        x = ns.ones(3, requires_grad=True)
        with ns.no_grad():
            ns.mul(x, 2, out=x)
        return x, x._version

    same(torch, candidate, program)
