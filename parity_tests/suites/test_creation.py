"""Making tensors and taking them apart: dtypes, shapes, strides, sharing of memory, errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import same

DTYPES = st.sampled_from(["float32", "float64", "int64", "int32", "uint8", "bool"])
shapes = st.lists(st.integers(-1, 4), max_size=3)


def dtyped(torch, dtype):
    return {} if dtype is None else {"dtype": getattr(torch, dtype)}


@given(st.sampled_from(["zeros", "ones", "empty"]), shapes, st.none() | DTYPES, st.booleans(), st.booleans())
def test_filled_with_a_constant(torch, candidate, name, shape, dtype, spread, requires_grad):
    def program(ns):
        made = getattr(ns, name)(*(shape if spread else [shape]), requires_grad=requires_grad, **dtyped(ns, dtype))
        return made.detach().zero_().requires_grad_(made.requires_grad) if name == "empty" else made

    same(torch, candidate, program)


numbers = st.sampled_from([0, 1, -2, 2.5, True, float("nan"), float("inf"), 300, -1.0, 1e10])


@given(shapes, numbers, st.none() | DTYPES)
def test_full(torch, candidate, shape, value, dtype):
    if dtype not in (None, "float32", "float64"):
        value = int(value) % 2 if abs(value) < np.inf else 1  # what an integer type cannot hold is undefined
    same(torch, candidate, lambda ns: ns.full(shape, value, **dtyped(ns, dtype)))


@given(
    st.sampled_from(["zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full", "clone"]),
    st.sampled_from(["", "t", "expand", "slice"]),
    DTYPES,
    st.none() | DTYPES,
)
def test_like_another(torch, candidate, name, layout, dtype, other):
    def program(ns):
        x = ns.ones(2, 3, **dtyped(ns, dtype))
        x = {"": x, "t": x.t(), "expand": x[:1].expand(4, 3), "slice": x[:, ::2]}[layout]
        options = dtyped(ns, other)
        if name == "clone":
            return x.clone()
        if name.startswith("new"):
            return getattr(x, name)((2, 2), *([7] if name == "new_full" else []), **options)
        return getattr(ns, name)(x, *([7] if name == "full_like" else []), **options)

    same(torch, candidate, program)


steps = st.sampled_from([1, 2, -1, 0.5, 3, -0.25, 0])
ends = st.sampled_from([0, 1, 5, -3, 2.5, -1.5, 7])


@given(st.lists(ends, min_size=1, max_size=2), st.none() | steps, st.none() | DTYPES.filter(lambda d: d != "bool"))
def test_arange(torch, candidate, bounds, step, dtype):
    bounds = [0, *bounds] if step is not None and len(bounds) == 1 else bounds
    args = bounds if step is None else [*bounds, step]
    if dtype == "uint8" and min(args) < 0:
        dtype = None  # wraps as the compiler pleases
    same(torch, candidate, lambda ns: ns.arange(*args, **dtyped(ns, dtype)))


@given(ends, ends, st.integers(-1, 9), st.sampled_from([None, "float32", "float64"]))
def test_linspace(torch, candidate, start, end, count, dtype):
    same(torch, candidate, lambda ns: ns.linspace(start, end, count, **dtyped(ns, dtype)))


@given(st.integers(-1, 4), st.none() | st.integers(-1, 4), st.none() | DTYPES)
def test_eye(torch, candidate, n, m, dtype):
    same(torch, candidate, lambda ns: ns.eye(n, *([] if m is None else [m]), **dtyped(ns, dtype)))


nested = st.recursive(
    st.sampled_from([0, 1, -3, 2.5, True, False, float("nan")]), lambda items: st.lists(items, max_size=3), max_leaves=6
)


@given(nested, st.none() | DTYPES, st.booleans())
def test_from_nested_lists(torch, candidate, data, dtype, as_tensor):
    if "nan" in repr(data) and dtype not in (None, "float32", "float64"):
        dtype = None  # an integer that is not a number is undefined
    name = "as_tensor" if as_tensor else "tensor"
    same(torch, candidate, lambda ns: getattr(ns, name)(data, **dtyped(ns, dtype)))


@pytest.mark.parametrize(
    "data",
    [
        [[1], [1, 2]],
        [[1, 2], [3]],
        [1, [2]],
        [[1], 2],
        "text",
        ["a"],
        [None],
        None,
        {},
        object,
        [1, 2.0, True],
        [True, 2],
        [[]],
        [[], []],
        [[], [1]],
        (1, 2),
        [(1, 2), [3, 4]],
        range(3),
        2**40,
        2**63,
        [1e300],
    ],
    ids=repr,
)
def test_data_of_every_kind(torch, candidate, data):
    same(torch, candidate, lambda ns: ns.tensor(data))


@given(DTYPES, st.sampled_from(["", "T", "[::2]", "[:, ::-1]", "0-d"]))
def test_from_numpy_shares_memory(torch, candidate, dtype, layout):
    def program(ns):
        array = np.arange(6).reshape(2, 3).astype(dtype)
        array = {
            "": array,
            "T": array.T,
            "[::2]": array[::2],
            "[:, ::-1]": array[:, ::-1],
            "0-d": array[0, 0, None][0:1].reshape(()),
        }[layout]
        tensor = ns.from_numpy(array)
        tensor += 1
        return tensor, str(array), str(tensor.numpy())

    same(torch, candidate, program)


@pytest.mark.parametrize("dtype", ["str", "object", "float16", "int8", "int16", ">f4"])
def test_from_numpy_of_other_dtypes(torch, candidate, dtype):
    same(torch, candidate, lambda ns: str(ns.from_numpy(np.zeros(2, dtype)).dtype))


@pytest.mark.parametrize(
    "take",
    [
        lambda x: x.tolist(),
        lambda x: x[0, 1].item(),
        lambda x: x.item(),
        lambda x: float(x[0, 1]),
        lambda x: int(x[0, 1]),
        lambda x: bool(x[0, 1]),
        bool,
        len,
        list,
        lambda x: [row.tolist() for row in x],
        lambda x: list(x[0, 0]),
        lambda x: 1 in x,
        lambda x: x.numpy(),
        lambda x: x.t().numpy().strides,
        lambda x: (x.numel(), x.nelement(), x.dim(), x.ndim, x.size(), x.size(1), x.size(-1), x.shape[0]),
        lambda x: x.size(2),
        lambda x: (x.stride(), x.stride(0), x.storage_offset(), x[1].storage_offset()),
        lambda x: (x.is_contiguous(), x.t().is_contiguous(), x.t().contiguous().stride()),
        lambda x: (x.element_size(), x.itemsize, x.nbytes),
        lambda x: (x.is_floating_point(), x.is_complex(), x.is_signed()),
        lambda x: hash(x) == id(x),
        lambda x: x.__array__().dtype.name,
        lambda x: str(np.asarray(x)),
        lambda x: list(range(5))[x[0, 1].long()],
        lambda x: (x.type(), x.device.type, str(x.layout)),
        lambda x: (x.to(x) is x, x.to(x.dtype) is x, x.to("cpu") is x, x.to(x.dtype, copy=True) is x),
        lambda x: (x.float() is x, x.long() is x, x.cpu() is x, x.contiguous() is x),
        lambda x: f"{x[0, 1]:.2f}",
        lambda x: f"{x}",
        lambda x: x == x.clone(),
        lambda x: (x.equal(x.clone()), x.equal(x[0])),
        lambda x: x.nosuch,
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
def test_taking_a_tensor_apart(torch, candidate, take, dtype):
    same(torch, candidate, lambda ns: take(ns.tensor([[0, 1, 0], [1, 0, 1]], dtype=getattr(ns, dtype))))


@given(DTYPES, DTYPES, st.booleans())
def test_conversions(torch, candidate, dtype, other, by_name):
    names = {"float32": "float", "float64": "double", "int64": "long", "int32": "int", "uint8": "byte", "bool": "bool"}

    def program(ns):
        x = ns.tensor([[0, 1, 2], [3, 0, 200]], dtype=getattr(ns, dtype)).t()
        return getattr(x, names[other])() if by_name else x.to(getattr(ns, other))

    same(torch, candidate, program)


@given(DTYPES, DTYPES)
def test_result_type(torch, candidate, dtype, other):
    def program(ns):
        x, y = (ns.ones(2, dtype=getattr(ns, name)) for name in (dtype, other))
        kinds = [x, x[0], 1, 1.0, True]
        return [str(ns.result_type(a, b)) for a in kinds[:2] for b in (y, y[0], *kinds[2:])] + [
            str(ns.promote_types(x.dtype, y.dtype)),
            ns.can_cast(x.dtype, y.dtype),
        ]

    same(torch, candidate, program)


@given(st.sampled_from(["float32", "float64", "int64"]))
def test_default_dtype(torch, candidate, name):
    def program(ns):
        try:
            ns.set_default_dtype(getattr(ns, name))
            return str(ns.get_default_dtype()), ns.zeros(1), ns.tensor(1.5), ns.arange(3) / 2, ns.tensor([1]) * 1.5
        finally:
            ns.set_default_dtype(ns.float32)

    same(torch, candidate, program)
