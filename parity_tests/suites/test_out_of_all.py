"""`out=` of every function that has it, whatever is passed for it."""

import pytest
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

from parity_tests.cases.misuse import Schemas, made
from parity_tests.suites._programs import same
from parity_tests.suites._warnings import warned

pytestmark = pytest.mark.filterwarnings("ignore")

# What a result is put into, by the tensor `r` that it would be without and the dtype `T`.
OUTS = {
    "its like": "ns.zeros_like(r)",
    "of another dtype": "ns.zeros(r.shape, dtype=T)",
    "empty": "ns.zeros(0, dtype=r.dtype)",
    "empty, of another dtype": "ns.zeros(0, dtype=T)",
    "of another shape": "ns.zeros(3, 4, dtype=r.dtype)",
    "transposed": "ns.zeros(r.shape[::-1], dtype=r.dtype).permute(tuple(range(r.dim()))[::-1])",
    "strided": "ns.zeros(*r.shape, 2, dtype=r.dtype)[..., 0]",
    "requires grad": "ns.zeros_like(r).requires_grad_(r.dtype.is_floating_point)",
    "the operand": "x if r.shape == x.shape else ns.zeros_like(r)",
    "a view of the operand": "x.t() if r.shape == x.shape and x.dim() == 2 else ns.zeros_like(r)",
    "a string": "'a'",
    "a list": "[ns.zeros_like(r)]",
    "a tuple of too many": "(ns.zeros_like(r),) * 3",
}
DTYPES = ("float64", "int64", "int32", "bool", "float16", "complex64")
# What they write depends on chance, or on memory that nobody has written to.
_BY_CHANCE = (
    "native_batch_norm", "native_group_norm",  # which have suites of their own
    "bernoulli", "empty", "empty_permuted", "empty_strided", "multinomial", "normal", "rand", "randint", "randn",
    "randperm",
)  # fmt: skip


# By name: why, and a call.
ACCEPTED = {
    "cumprod": (
        "torch resizes the result before it looks for shared memory",
        lambda ns: ns.cumprod(x := ns.arange(6.0).view(2, 3), 0, out=x.t()),
    ),
    "cumsum": (
        "torch resizes the result before it looks for shared memory",
        lambda ns: ns.cumsum(x := ns.arange(6.0).view(2, 3), 0, out=x.t()),
    ),
    "diff": (
        "torch makes it of two functions, one of which objects in its own words",
        lambda ns: ns.diff(ns.ones(2, 3), out=ns.zeros(2, 2, requires_grad=True)),
    ),
    "mean": (
        "torch has other words for a dtype to which the result is not cast",
        lambda ns: ns.mean(ns.ones(3), out=ns.zeros((), dtype=ns.int64)),
    ),
    "all": (
        "an empty list of dimensions means all of them here",
        lambda ns: ns.all(ns.ones(3, 3), [], out=ns.zeros(0, dtype=ns.bool)).shape,
    ),
    "any": (
        "an empty list of dimensions means all of them here",
        lambda ns: ns.any(ns.ones(3, 3), [], out=ns.zeros(0, dtype=ns.bool)).shape,
    ),
    "frexp": (
        "of two results of wrong dtypes torch names the other one",
        lambda ns: ns.frexp(x := ns.ones(2, 2), out=(x, x)),
    ),
    "kron": (
        "torch makes it of a product, which objects in its own words",
        lambda ns: ns.kron(ns.ones(2), ns.ones(2), out=ns.zeros(4, requires_grad=True)),
    ),
    "logsumexp": (
        "torch keeps the order of dimensions of the operand in a result that is resized",
        lambda ns: ns.logsumexp(ns.ones(2, 3, 2).transpose(1, 2), [0], out=ns.zeros(3, 4)).stride(),
    ),
    "matmul": (
        "torch asks the inner product of two vectors, which objects in its own words",
        lambda ns: ns.matmul(ns.ones(3), ns.ones(3), out=ns.zeros((), dtype=ns.float16)),
    ),
    "nansum": (
        "torch computes in the dtype of the result, for some of which it has no kernel",
        lambda ns: ns.nansum(ns.ones(3), 0, out=ns.zeros((), dtype=ns.int64)),
    ),
    "narrow_copy": (
        "torch writes into a result that is not contiguous as if it were",
        lambda ns: ns.narrow_copy(ns.arange(6.0).view(2, 3), 0, 0, 2, out=ns.zeros(2, 3, 2)[..., 0]),
    ),
    "scatter_add": (
        "whether torch looks for shared memory depends on how the operand lies in it",
        lambda ns: ns.scatter_add(
            x := ns.ones(3, 2).t(), 1, ns.zeros(2, 3, dtype=ns.int64), ns.ones(2, 3), out=x.as_strided((3, 2), (2, 1))
        ),
    ),
    "slice_scatter": (
        "torch copies a transposed operand into a contiguous result",
        lambda ns: ns.slice_scatter(ns.ones(3, 3).t(), ns.ones(3, 3).t(), -1, out=ns.zeros(0)).stride(),
    ),
    "diag": (
        "torch makes it of two functions, one of which objects in its own words",
        lambda ns: ns.diag(ns.ones(2), out=ns.zeros(2, 2, dtype=ns.int64)),
    ),
    "heaviside": (
        "torch looks whether the result is complex before it compares dtypes",
        lambda ns: ns.heaviside(ns.ones(2), ns.ones(2), out=ns.zeros(2, dtype=ns.complex64)),
    ),
    "isin": (
        "torch resizes the result on the way, and cannot take operands that are not contiguous",
        lambda ns: ns.isin(ns.ones(2, 3), ns.ones(2, 3).t(), out=ns.zeros(2, 3, dtype=ns.bool)),
    ),
    "msort": (
        "the result is put into the memory of the operand when that has been read",
        lambda ns: ns.msort(x := ns.arange(9.0).view(3, 3), out=x.t()),
    ),
    "nanmean": (
        "torch makes it of a sum, which objects to the dtype in its own words",
        lambda ns: ns.nanmean(ns.ones(2), out=ns.zeros((), dtype=ns.int64)),
    ),
    "polygamma": (
        "the result is put into the memory of the operand when that has been read",
        lambda ns: ns.polygamma(1, x := ns.ones(2, 2), out=x.t()),
    ),
    "take": (
        "torch lays a resized result out like the index",
        lambda ns: ns.take(ns.ones(6), ns.zeros(3, 2, dtype=ns.int64).t(), out=ns.zeros(0)).stride(),
    ),
    "take_along_dim": (
        "the result is put into the memory of the operand when that has been read",
        lambda ns: ns.take_along_dim(x := ns.ones(3), ns.zeros(3, dtype=ns.int64), out=x),
    ),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xfail(reason=ACCEPTED[name][0], strict=True)) for name in ACCEPTED]
)
def test_accepted_differences(torch, candidate, name):
    same(torch, candidate, ACCEPTED[name][1])


@pytest.fixture(scope="module")
def schemas(torch):
    return Schemas(torch)


@pytest.fixture(scope="module")
def names(torch, candidate, schemas):
    """The functions with an overload that has `out`."""
    written = {
        schema.name[6:]
        for schema in torch._C._jit_get_all_schemas()
        if schema.name.startswith("aten::") and any(each.is_out for each in schema.arguments)
    }
    return [
        name
        for name in schemas.names()
        if name in written - {*_BY_CHANCE, *ACCEPTED} and hasattr(torch, name) and hasattr(candidate, name)
    ]


def tensors_of(result):
    """The results that `out` would be given for, or None where it is something else."""
    results = result if isinstance(result, tuple) else (result,)
    return results if all(hasattr(each, "requires_grad") for each in results) else None


def steps(tensor):
    """The strides that matter."""
    sizes = zip(tensor.shape, tensor.stride(), strict=True)
    return [step for size, step in sizes if size > 1] if tensor.numel() else None


def holds(ns, out, value):
    """Whether `out` is what the function gives without it, as far as the dtype allows."""
    expected = value.detach().to(out.dtype)
    return tuple(out.shape) == tuple(expected.shape) and bool(ns.isclose(out.detach(), expected, equal_nan=True).all())


def call(name, args, kwargs, kind, dtype):
    def program(ns):
        function = getattr(ns, name)
        operands, named = [made(ns, each) for each in args], {key: made(ns, each) for key, each in kwargs.items()}
        results = tensors_of(function(*operands, **named))
        x = next((each for each in operands if hasattr(each, "requires_grad")), ns.zeros(2, 3))
        known = {"ns": ns, "x": x, "T": getattr(ns, dtype)}
        outs = tuple([eval(OUTS[kind], {**known, "r": each}) for each in results])
        out = outs if len(outs) > 1 else outs[0]
        result, texts = warned(ns, lambda ns: function(*operands, **named, out=out))
        laid = [(tuple(each.shape), str(each.dtype), steps(each)) for each in outs]
        same_objects = [each is given for each, given in zip(tensors_of(result), outs, strict=True)]
        right = "operand" in kind or [holds(ns, each, value) for each, value in zip(outs, results, strict=True)]
        return (
            same_objects,
            laid,
            right,
            type(result).__name__,
            sorted({text for kind, text in texts if kind == "UserWarning"}),
        )

    return program


@settings(max_examples=2000)
@given(data=st.data(), kind=st.sampled_from(sorted(OUTS)), dtype=st.sampled_from(DTYPES))
def test_out(torch, candidate, schemas, names, data, kind, dtype):
    def choose(options):
        return options[data.draw(st.integers(0, len(options) - 1))]

    name = choose(names)
    drawn = schemas.draw(name, choose, oddities=0, method=False)
    gradients = (*drawn.args[3 + (name == "embedding") :], *drawn.kwargs.values())
    assume(name not in ("embedding", "gather") or True not in gradients)  # which are dense
    assume(name != "pow" or drawn.args[:1] != (1,))  # which torch fills with ones of whatever dtype
    assume(kind != "strided" or not name.endswith("stack"))  # torch writes as if they were not
    note(f"{name}{drawn.args}{drawn.kwargs} out={kind} {dtype}")
    same(torch, candidate, call(name, drawn.args, drawn.kwargs, kind, dtype))
