"""Complex tensors: promotion, arithmetic and functions, their branch cuts, views of parts, printing, errors."""

import operator
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from parity_tests.cases.complexes import CUTS, DTYPES, EXTREMES, normal, whole
from parity_tests.suites._programs import agree, run, same
from parity_tests.suites._registry import Programs
from parity_tests.suites._warnings import every_warning, warned

seeds = st.integers(0, 2**32 - 1)
REAL = ("bool", "uint8", "int8", "int16", "int32", "int64", "bfloat16", "float32", "float64")

# -- promotion ----------------------------------------------------------------------------------------------------------

NUMBERS = (True, 2, 0.5, 2j)
OPERATORS = ("add", "sub", "mul", "truediv", "pow", "eq", "ne")


def operands(ns, names):
    """Tensors of two sizes and of each dtype, and Python numbers."""
    tensors = [ns.ones(shape, dtype=getattr(ns, name)) for shape in ((2,), ()) for name in names]
    return [*tensors, *NUMBERS]


def outcome(ns, function, *args):
    """A dtype, or an error."""
    return str(run(ns, lambda _: function(*args).dtype))


@pytest.mark.parametrize("name", OPERATORS)
def test_promotion_by_operators(torch, candidate, name):
    function = getattr(operator, name)

    def program(ns):
        return [
            (outcome(ns, function, z, other), outcome(ns, function, other, z))
            for z in operands(ns, DTYPES)
            for other in operands(ns, (*REAL, *DTYPES))
            if hasattr(z, "dtype") or hasattr(other, "dtype")
        ]

    same(torch, candidate, program)


@pytest.mark.parametrize("name", ["iadd", "isub", "imul", "itruediv", "ipow"])
def test_promotion_in_place(torch, candidate, name):
    """A complex result cannot be written into a real tensor."""
    function = getattr(operator, name)

    def program(ns):
        return [
            outcome(ns, function, ns.ones(2, dtype=getattr(ns, written)), other)
            for written in (*REAL, *DTYPES)
            for other in operands(ns, DTYPES)
        ]

    same(torch, candidate, program)


def test_promotion_of_dtypes(torch, candidate):
    def program(ns):
        kinds = [getattr(ns, name) for name in (*REAL, *DTYPES)]
        pairs = [(a, b) for a in kinds for b in kinds]
        types = [str(ns.result_type(a, b)) for a in operands(ns, REAL) for b in operands(ns, DTYPES)]
        return [(str(ns.promote_types(a, b)), ns.can_cast(a, b)) for a, b in pairs], types

    same(torch, candidate, program)


@pytest.mark.parametrize("default", ["float32", "float64"])
def test_the_dtype_of_complex_data(torch, candidate, default):
    def program(ns):
        ns.set_default_dtype(getattr(ns, default))
        try:
            made = [ns.tensor(data) for data in (1j, [1, 2j], [[True, 1.5], [1j, 2]], np.complex64(1j), [np.array(2j)])]
            return [*made, ns.full((2,), 1j), ns.ones(2, dtype=ns.int64) * 1j, ns.asarray([1j])]
        finally:
            ns.set_default_dtype(ns.float32)

    same(torch, candidate, program)


@given(seed=seeds, kinds=st.permutations(["complex64", "complex128", "float32", "float64"]))
def test_joining_promotes(torch, candidate, seed, kinds):
    def program(ns):
        parts = [ns.tensor(whole(seed + at, (2, 2), kind)) for at, kind in enumerate(kinds[:3])]
        mask = ns.tensor(whole(seed, (2, 2), "float32") > 0)
        return ns.cat(parts), ns.stack(parts, 1), ns.where(mask, parts[0], parts[1]), ns.where(mask, parts[0], 2j)

    same(torch, candidate, program)


# -- values -------------------------------------------------------------------------------------------------------------

UNARY = [
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "square", "reciprocal", "neg", "sin",
    "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "sigmoid", "abs",
    "angle", "sgn", "conj_physical", "real", "imag", "isfinite", "isnan", "isinf", "isreal", "logical_not",
    "positive", "sinc",
]  # fmt: skip
REDUCTIONS = [
    "sum",
    "mean",
    "prod",
    "var",
    "std",
    "norm",
    "any",
    "all",
    "count_nonzero",
    "logsumexp",
    "logcumsumexp",
    "cumsum",
    "cumprod",
]
BINARY = ["add", "sub", "mul", "div", "pow", "eq", "ne", "logical_and", "logical_or", "logical_xor", "isclose"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_functions(torch, candidate, name, dtype):
    def program(ns, tensor):
        z = tensor(normal(1, (4, 5), dtype, 2.0))
        return getattr(ns, name)(z), getattr(ns, name)(z.t()[1:, ::2]), getattr(ns, name)(z[0, 0])

    agree(torch, candidate, program)


# NumPy rounds the argument of a logarithm near 1, and squares that overflow, in ways of its own: what it is wrong in,
# and torch as well, is left to `test_functions`.
EXACT_ON_CUTS = [
    "exp", "log", "sqrt", "neg", "sin", "cos", "sinh", "cosh", "tanh", "asin", "acos", "atan", "asinh", "acosh",
    "atanh", "abs", "angle", "sgn", "conj_physical", "log10", "reciprocal",
]  # fmt: skip


@pytest.mark.parametrize("name", EXACT_ON_CUTS)
def test_branch_cuts(torch, candidate, name):
    """On the axes the sign of a zero says from which side a cut is approached."""

    def program(ns, tensor):
        return getattr(ns, name)(tensor(np.asarray(CUTS, "complex64")))

    agree(torch, candidate, program)


@pytest.mark.parametrize(
    "name", ["abs", "angle", "neg", "conj_physical", "isnan", "isinf", "isfinite", "isreal", "real"]
)
def test_infinities_and_nans(torch, candidate, name):
    same(torch, candidate, lambda ns: getattr(ns, name)(ns.tensor(EXTREMES)))


@pytest.mark.parametrize("name", BINARY)
@given(seed=seeds, shapes=st.sampled_from([((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 3)), ((0, 3), (3,))]))
def test_functions_of_two(torch, candidate, name, seed, shapes):
    def program(ns, tensor):
        z, w = tensor(whole(seed, shapes[0])), tensor(whole(seed + 1, shapes[1]) + 5)
        function = getattr(ns, name)
        return (
            function(z, w),
            function(w, z) if name not in ("pow", "div") else None,
            function(z, tensor(whole(seed, shapes[1], "float32") + 5)) if name != "isclose" else None,
        )

    agree(torch, candidate, program)


@pytest.mark.parametrize("name", REDUCTIONS)
@given(
    seed=seeds,
    shape=st.sampled_from([(2, 3), (4,), (3, 0), (0,), (), (1, 2, 3)]),
    dim=st.integers(-2, 1),
    dtype=st.sampled_from(DTYPES),
)
def test_reductions(torch, candidate, name, seed, shape, dim, dtype):
    needs_dim = name in ("logsumexp", "logcumsumexp", "cumsum", "cumprod")

    def program(ns, tensor):
        z = tensor(normal(seed, shape, dtype))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of no degrees of freedom
            function = getattr(ns, name)
            if needs_dim:
                return run(ns, lambda ns: function(z, dim).detach())
            along = run(ns, lambda ns: function(z, dim=dim) if name != "norm" else function(z, dim=(dim,)))
            return function(z), along

    agree(torch, candidate, program)


@given(
    terms=st.lists(
        st.builds(
            complex,
            st.sampled_from([-np.inf, np.inf, np.nan, -1.0, 0.0, 2.5, 90.0, -200.0]),
            st.sampled_from([0.0, 1.0, -2.0, 4.0, np.pi, np.nan]),
        ),
        min_size=1,
        max_size=5,
    ),
    dtype=st.sampled_from(DTYPES),
)
def test_running_logarithms_of_sums(torch, candidate, terms, dtype):
    """Infinities and NaN; where terms are of one size it is a matter of rounding by how many turns the phases differ."""

    def program(ns):
        result = ns.logcumsumexp(ns.tensor(terms, dtype=getattr(ns, dtype)), 0).numpy()
        return result.real, np.cos(result.imag), np.sin(result.imag)

    error = 1e-4 if dtype == "complex64" else 1e-9
    np.testing.assert_allclose(program(candidate), program(torch), error, error)


@pytest.mark.parametrize("first", [5 + 10j, 1 - 7j])
def test_phases_are_not_brought_near_zero(torch, candidate, first):
    agree(torch, candidate, lambda ns, tensor: ns.logcumsumexp(tensor(np.array([first, -800 + 1j, 3 + 2j])), 0))


@pytest.mark.parametrize("p", [0, 1, 2, 3, 0.5, float("inf"), float("-inf"), "fro"])
def test_norms(torch, candidate, p):
    agree(torch, candidate, lambda ns, tensor: (tensor(normal(1)).norm(p), tensor(normal(1)).norm(p, dim=1)))


@given(seed=seeds, transposed=st.booleans(), dtype=st.sampled_from(DTYPES))
def test_products(torch, candidate, seed, transposed, dtype):
    def program(ns, tensor):
        z, w, v = (tensor(normal(seed + at, shape, dtype)) for at, shape in enumerate([(2, 3), (2, 3), (3,)]))
        if transposed:
            z, w = (tensor(normal(seed + at, (3, 2), dtype)).t() for at in range(2))
        batch = ns.stack([z, w])
        return [
            z @ w.t(), z @ w.mH, z.H @ w, z @ v, v @ w.t(), ns.mm(z, w.t()), ns.bmm(batch, batch.mH), batch @ w.t(),
            ns.dot(v, v), ns.vdot(v, v), ns.outer(v, z[0]), ns.mv(z, v), z.adjoint(),
            ns.addmm(z[:, :2], z, w.t(), beta=0.5, alpha=2j), ns.nn.functional.linear(z, w, v[:2]),
        ]  # fmt: skip

    agree(torch, candidate, program)


@given(seed=seeds)
def test_numbers_beside_tensors(torch, candidate, seed):
    """Python's and NumPy's complex numbers on either side."""

    def program(ns, tensor):
        z, r = tensor(normal(seed) + 5), tensor(np.abs(normal(seed, dtype="float32")) + np.float32(1))
        n = tensor(np.arange(1, 7, dtype=np.int64))
        return [
            z + 2j, 2j + z, z - 2j, 2j - z, z * 2j, 2j * z, z / 2j, 2j / z, z**2j, 2j**z, r + 2j, 2j - r, r * 2j, r / 2j,
            2j / r, r**2j, 2j**r, n * 2j, n / 2j, 2j - n, z + np.complex128(2j), z * np.complex128(1j), z**2, z**-1, z**0.5,
            z**-0.5, z**3, z**0, 2**z, (-2.5) ** z, ns.add(z, r, alpha=2j), ns.sub(r, z, alpha=2), z == 2j, r != 2j,
        ]  # fmt: skip

    agree(torch, candidate, program)


@given(seed=seeds, shapes=st.sampled_from([((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2,)), ((0,), ())]))
def test_polar_forms(torch, candidate, seed, shapes):
    def program(ns, tensor):
        length, angle = (tensor(normal(seed + at, shape, "float32", 3.0)) for at, shape in enumerate(shapes))
        z = ns.polar(length, angle)
        return z, z.abs(), ns.polar(length.double(), angle.double())

    agree(torch, candidate, program)


@given(seed=seeds, dtype=st.sampled_from(DTYPES))
def test_reading_and_writing_by_index(torch, candidate, seed, dtype):
    def program(ns):
        z = ns.tensor(whole(seed, (3, 4), dtype))
        mask, rows = ns.tensor(whole(seed, (3, 4), "float32") > 0), ns.tensor([2, 0])
        places = ns.tensor([[0, 1, 2, 0], [2, 2, 1, 1]])
        written = z.clone()
        written[0] = 2j
        written[:, 1] = 5
        written[mask] = 1 - 1j
        written[rows, 2] = z[0, :2]
        return [
            z[1], z[:, 1:3], z[mask], z[rows], written, z.masked_fill(mask, 2j), z.masked_fill(mask, 3), z.gather(0, places),
            z.index_select(0, rows), z.take(rows), z.scatter_add(0, places, z[:2]), z.index_add(0, rows, z[:2]),
            z.masked_select(mask), ns.nonzero(z),
        ]  # fmt: skip

    same(torch, candidate, program)


# -- printing and conversion ------------------------------------------------------------------------------------------------

elements = st.one_of(
    st.complex_numbers(max_magnitude=100, width=64),
    st.complex_numbers(width=64),
    st.builds(complex, st.integers(-2000, 2000), st.integers(-2000, 2000)),
    st.builds(complex, *[st.sampled_from([0.0, -0.0, np.nan, np.inf, -np.inf, 1.0, 1e-4, 1000.0, 1001.0, 1e8])] * 2),
)
shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)


@given(
    array=st.sampled_from(DTYPES).flatmap(lambda dtype: hnp.arrays(dtype, shapes, elements=elements, fill=st.nothing())),
    options=st.fixed_dictionaries({}, optional={
        "precision": st.integers(0, 6), "linewidth": st.sampled_from([20, 40]), "sci_mode": st.booleans(),
        "threshold": st.sampled_from([5, 20]), "edgeitems": st.integers(1, 3),
    }),
    leaf=st.booleans(),
)  # fmt: skip
def test_printing(torch, candidate, array, options, leaf):
    def program(ns):
        ns.set_printoptions(**options)
        try:
            return repr(ns.tensor(array, requires_grad=leaf))
        finally:
            ns.set_printoptions(profile="default")

    with np.errstate(all="ignore"):
        same(torch, candidate, program)


@pytest.mark.parametrize("to", ["float16", *REAL, *DTYPES])
@pytest.mark.parametrize("dtype", ["int32", "float32", *DTYPES])
def test_conversions(torch, candidate, dtype, to):
    def program(ns):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # once in a process: test_the_warning_of_discarded_parts
            x = ns.tensor(whole(1, (2, 3), dtype)).t()
            target = getattr(ns, to)
            made = x.to(target), x.type(target), ns.empty(3, 2, dtype=target).copy_(x), ns.zeros(3, 2, dtype=target) + x
            return [each.float() if each.dtype is ns.bfloat16 else each for each in made]

    same(torch, candidate, program)


def test_the_warning_of_discarded_parts(torch, candidate):
    def program(ns):
        return [
            warned(ns, lambda ns, name=name: getattr(ns.tensor([1 + 2j]), name)()) for name in ("float", "bool", "int")
        ]

    with every_warning(torch, candidate):
        same(torch, candidate, program)


# -- random numbers -----------------------------------------------------------------------------------------------------


@given(
    seed=seeds, shape=st.sampled_from([(3,), (20,), (7,), (8,), (4, 5), (0,), (), (33,)]), dtype=st.sampled_from(DTYPES)
)
def test_random_numbers(torch, candidate, seed, shape, dtype):
    """To the last bit, like those of their parts."""

    def program(ns):
        ns.manual_seed(seed)
        kind = getattr(ns, dtype)
        z = ns.randn(shape, dtype=kind)
        return [
            z, ns.rand(shape, dtype=kind), ns.randn_like(z), ns.rand_like(z), ns.empty_like(z).normal_(0.5, 2),
            ns.empty(5, 4, dtype=kind).t().normal_(), ns.empty_like(z).uniform_(-1, 3), ns.randn(2),
        ]  # fmt: skip

    same(torch, candidate, program)


# -- written out ------------------------------------------------------------------------------------------------------------

PROGRAMS = Programs()
program = PROGRAMS.program


def matrix(torch):
    return torch.tensor([[1 + 2j, 3 - 1j, 4], [0.5j, 2, -1 - 1j]])


@program
def parts_are_views(torch):
    z = matrix(torch)
    pairs = torch.view_as_real(z)
    layout = [(x.stride(), x.storage_offset(), x._is_view(), x._base is z) for x in (z.real, z.imag, pairs, pairs[0])]
    return z, z.real, z.imag, pairs, torch.view_as_real(z.t()), torch.view_as_complex(pairs), layout


@program
def a_part_shares_the_version(torch):
    z = matrix(torch)
    seen = [z._version]
    z.real.add_(1)
    seen.append((z._version, z.imag._version))
    z.imag = 5.0
    torch.view_as_real(z)[0].zero_()
    return z, seen, z._version


@program
def parts_are_assigned(torch):
    z = matrix(torch)
    z.real = torch.arange(3.0)
    z[0].imag = 2
    z.imag[1, 1] = 7
    r = torch.zeros(2)
    r.real = torch.tensor([1.0, 2.0])
    return z, r, r.real is r


@program
def a_part_of_another_shape_is_assigned(torch):
    matrix(torch).real = torch.zeros(4)


@program
def the_imaginary_part_of_a_real_tensor(torch):
    return torch.ones(2).imag


@program
def the_imaginary_part_of_a_real_tensor_is_assigned(torch):
    torch.ones(2).imag = torch.ones(2)


@program
def conjugates(torch):
    z, r = matrix(torch), torch.ones(2)
    return z.conj(), torch.conj(z), r.conj() is r, torch.conj_physical(r) is r, z.clone().conj_physical_(), z.mH, z.H


@program
def nothing_to_resolve(torch):
    z = matrix(torch)
    return torch.is_conj(z), z.is_neg(), z.resolve_conj() is z, torch.resolve_neg(z) is z


@program
def made_of_parts(torch):
    a, b = torch.arange(3.0), torch.arange(2.0).reshape(2, 1)
    out = torch.empty(2, 3, dtype=torch.complex64)
    return torch.complex(a, b), torch.complex(a.double(), b.double()), torch.complex(a, b, out=out)


@program
def signs(torch):
    r = torch.tensor([-2.0, 0.0, 3.0])
    return (
        torch.sgn(torch.zeros(2, dtype=torch.complex64)),
        r.sgn(),
        torch.tensor([3, -2]).sgn(),
        torch.tensor([True]).sgn(),
    )


@program
def angles_of_real_numbers(torch):
    r = torch.tensor([-1.0, -0.0, 0.0, 2.0, float("nan"), float("-inf")])
    return r.angle(), torch.tensor([1, -2, 0]).angle(), torch.tensor([True]).angle(), r.double().angle()


@program
def what_is_real(torch):
    return (
        torch.isreal(matrix(torch)),
        torch.isreal(torch.ones(2)),
        torch.tensor([1]).isreal(),
        torch.is_complex(torch.ones(1)),
    )


@program
def as_python_numbers(torch):
    z = torch.tensor(1.5 - 2j)
    return z.item(), complex(z), bool(z), matrix(torch).tolist(), complex(torch.tensor(2)), float(torch.tensor(2 + 0j))


@program
def membership(torch):
    return 2j in torch.tensor([2j]), 2j in torch.ones(2), torch.tensor(1j) in torch.tensor([1j, 2])


@program
def filled(torch):
    kind, z = {"dtype": torch.complex64}, matrix(torch)
    return [
        torch.zeros(2, **kind), torch.ones(2, **kind), torch.full((2,), 1j), torch.full((2,), 1, **kind), torch.eye(2, **kind),
        torch.full_like(z, 2j), torch.zeros_like(torch.ones(2), **kind), z.new_full((2,), 3j), z.new_tensor([1, 2.0]),
        torch.scalar_tensor(1j, **kind), torch.as_tensor([1j]), torch.from_numpy(np.array([1j, 2])), z.clone().fill_(1 - 1j),
    ]  # fmt: skip


@program
def numerical_properties(torch):
    return repr(torch.finfo(torch.complex64)), repr(torch.finfo(torch.complex128)), str(torch.complex64.to_real())


@program
def names(torch):
    z = matrix(torch)
    return (
        z.dtype is torch.cfloat,
        torch.cdouble is torch.complex128,
        z.type(),
        z.cdouble().dtype is torch.cdouble,
        z.is_complex(),
    )


@program
def memory_is_shared_with_numpy(torch):
    z = matrix(torch)
    array = z.numpy()
    array[0] = 7j
    return z, str(array.dtype)


@program
def in_place_steps(torch):
    z = matrix(torch)
    same = z
    z += 1j
    z *= 2
    z -= torch.ones(3)
    z /= 2j
    return z, same is z, z.sgn_(), z.zero_()


@program
def tolerance(torch):
    z = matrix(torch)
    return torch.isclose(z, z + 1e-7j), torch.allclose(z, z * 1.1), torch.equal(z, z), torch.isclose(z, z + 1, atol=2.0)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_agree(torch, candidate, name):
    PROGRAMS.agree(torch, candidate, name)


def test_what_is_not_torchs(candidate):
    """There is no complex32."""
    if candidate.__name__ != "minitorch_like":
        pytest.skip("says what minitorch_like does not have")
    assert not hasattr(candidate, "complex32")
    with pytest.raises(TypeError, match="complex32"):
        candidate.result_type(candidate.ones(2, dtype=candidate.float16), 1j)


# -- errors -------------------------------------------------------------------------------------------------------------

REFUSED = """
z < z; z <= 1; 1j > r; r >= z; z // z; z % 2; z & z; ~z; z.floor(); z.ceil(); z.trunc(); z.round(); z.frac()
z.sign(); z.max(); z.max(0); torch.max(z, z); z.min(); z.amax(); z.amin(0); z.argmax(); z.argmin(1); z.clamp(0, 1)
torch.clamp(r, min=z); torch.maximum(z, r); torch.minimum(z, z); torch.fmod(z, z); torch.remainder(z, 2)
torch.floor_divide(z, 2); r.clamp(1j); torch.div(z, z, rounding_mode="floor")
torch.div(z, z, rounding_mode="trunc"); torch.relu(z); F.relu6(z); F.gelu(z); F.elu(z); F.leaky_relu(z)
F.softplus(z); F.hardtanh(z); torch.softmax(z, 0); torch.softmax(z, -1); torch.log_softmax(z, 0); F.mse_loss(z, z)
F.smooth_l1_loss(z, z); torch.cummax(z, 0); torch.isposinf(z); torch.signbit(z); torch.atan2(z, z); torch.erf(z)
torch.lgamma(z); torch.view_as_real(r); torch.imag(r); torch.view_as_complex(torch.zeros(3, 3))
torch.view_as_complex(torch.zeros(())); torch.view_as_complex(torch.zeros(2, 3).t())
torch.view_as_complex(torch.zeros(3, 3)[:, :2]); torch.view_as_complex(n); torch.view_as_complex(z)
torch.view_as_complex(torch.zeros(3, 4)[:, ::2]); torch.view_as_complex(torch.zeros(7)[1:].view(3, 2))
torch.real(3); torch.complex(r, r.double()); torch.complex(r, n); torch.complex(n, n); torch.complex(r, 1.0)
torch.complex(z, z); torch.polar(r, n); torch.polar(r, r.double()); torch.vdot(z, z); torch.vdot(r[0], z[0])
torch.dot(r[0], z[0]); torch.mm(z, r.t()); z @ r.t(); torch.tensor([1, 2j], dtype=torch.float32)
torch.tensor(2j, dtype=torch.int32); torch.full((2,), 1j, dtype=torch.float32)
torch.arange(3, dtype=torch.complex64); torch.full_like(r, 2j); torch.zeros(2).new_full((2,), 1j)
torch.iinfo(torch.complex64); torch.add(r, r, alpha=2j); torch.add(n, n, alpha=2j); r.add_(2j); r.mul_(z); n.add_(z)
n.to(torch.float64).add_(z); r.fill_(1j); r.__setitem__(0, 1j); n.__setitem__((0, 0), 1j); r.masked_fill(r > 0, 2j)
r.masked_fill_(r > 0, z[0, 0] * 1j); r.masked_fill(r > 0, z[0, 0])
torch.isclose(z, z.to(torch.complex128)); z.abs_(); float(torch.tensor(1j)); int(torch.tensor(1j))
torch.tensor(1j).__index__(); complex(z); bool(z); range(3)[torch.tensor(1j)]
torch.add(z, z, out=torch.zeros(2, 3)); r.index_put_((torch.tensor([0]),), z[0]); n.requires_grad_(); z.random_()
z.bernoulli_(0.5); z.random_(3); z.exponential_(); z.cauchy_(); z.geometric_(0.5)
torch.randint(3, (2,), dtype=torch.complex64); z.uniform_(1, 0); torch.is_complex(1); torch.is_conj(3)
torch.isreal(3); z.expand(1); z.round(decimals=1); z[z]; r[1j]; torch.heaviside(z, z); z.deg2rad()
"""  # fmt: skip


@pytest.mark.parametrize("text", [part.strip() for part in REFUSED.replace("\n", ";").split(";") if part.strip()])
def test_refusals(torch, candidate, text):
    def program(ns):
        scope = {"torch": ns, "F": ns.nn.functional, "z": ns.ones(2, 3, dtype=ns.complex64), "r": ns.ones(2, 3)}
        return eval(text, scope | {"n": ns.ones(2, 3, dtype=ns.int64)})

    same(torch, candidate, program)
