"""Making tensors and taking them apart: dtypes, shapes, strides, options, errors."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from parity_tests.suites._programs import same

NAMES = ["float16", "float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool", "complex64", "complex128"]
DTYPES, REAL = st.sampled_from(NAMES), st.sampled_from(NAMES[:-2])
shapes = st.lists(st.integers(-1, 4), max_size=3)


def dtyped(torch, dtype):
    return {} if dtype is None else {"dtype": getattr(torch, dtype)}


@given(st.sampled_from(["zeros", "ones", "empty"]), shapes, st.none() | DTYPES, st.booleans(), st.booleans())
def test_filled_with_a_constant(torch, candidate, name, shape, dtype, spread, requires_grad):
    def program(ns):
        made = getattr(ns, name)(*(shape if spread else [shape]), requires_grad=requires_grad, **dtyped(ns, dtype))
        return made.detach().zero_().requires_grad_(made.requires_grad) if name == "empty" else made

    same(torch, candidate, program)


numbers = st.sampled_from(
    [
        0, 1, -2, 2.5, True, float("nan"), float("inf"), 300, -255, -256, -1.0, 1e10, 1e39, 2**40, 2**63, 2**64, -(2**63) - 1,
        1j, 2 + 0j, 70000.0, np.float32(2), np.int8(3), np.bool_(1), 3.4028235677973366e38, 2.0**63,
    ]
)  # fmt: skip


@given(shapes, numbers, st.none() | DTYPES, st.sampled_from(["full", "full_like", "new_full", "scalar_tensor"]))
def test_full(torch, candidate, shape, value, dtype, name):
    if value == 2.0**63 and dtype not in (None, "float32", "float64"):
        value = 2.0  # rounds to one more than the largest integer: undefined

    def program(ns):
        options = dtyped(ns, dtype)
        if name == "full":
            return ns.full(shape, value, **options)
        if name == "full_like":
            return ns.full_like(ns.zeros(2, 3), value, **options)
        return (
            ns.zeros(1).new_full(shape, value, **options) if name == "new_full" else ns.scalar_tensor(value, **options)
        )

    same(torch, candidate, program)


LAYOUTS = {
    "whole": lambda x: x,
    "transposed": lambda x: x.transpose(1, 3),
    "stretched": lambda x: x[:1].expand(4, 3, 4, 5),
    "sliced": lambda x: x[:, ::2],
    "sliced and transposed": lambda x: x[:, :, 1:].permute(3, 0, 2, 1),
    "channels last": lambda x: x.permute(0, 3, 1, 2),
    "matrix": lambda x: x[0, 0],
    "row": lambda x: x[0, 0, :1].t(),
    "0-d": lambda x: x[0, 0, 0, 0],
    "empty": lambda x: x[:0],
}
formats = st.sampled_from([None, "contiguous_format", "preserve_format", "channels_last", "channels_last_3d"])


@given(
    st.sampled_from(["zeros_like", "ones_like", "empty_like", "full_like", "rand_like"]),
    st.sampled_from(sorted(LAYOUTS)),
    DTYPES,
    st.none() | DTYPES,
    formats,
    st.booleans(),
)
def test_like_another(torch, candidate, name, layout, dtype, other, memory_format, requires_grad):
    if name == "rand_like":
        dtype, other = "float32", None

    def program(ns):
        x = LAYOUTS[layout](ns.ones(2, 3, 4, 5, **dtyped(ns, dtype)))
        options = dtyped(ns, other) | ({"requires_grad": True} if requires_grad else {})
        if memory_format is not None:
            options["memory_format"] = getattr(ns, memory_format)
        made = getattr(ns, name)(x, *([1] if name == "full_like" else []), **options)
        return made if name not in ("empty_like", "rand_like") else made.detach().fill_(1)

    same(torch, candidate, program)


@given(
    st.sampled_from(["new_zeros", "new_ones", "new_full", "new_empty"]),
    shapes,
    DTYPES,
    st.none() | DTYPES,
    st.booleans(),
)
def test_new(torch, candidate, name, shape, dtype, other, spread):
    def program(ns):
        make = getattr(ns.ones(2, 3, **dtyped(ns, dtype)).t(), name)
        args = [shape, 1] if name == "new_full" else shape if spread else [shape]
        made = make(*args, **dtyped(ns, other))
        return made.zero_() if name == "new_empty" else made

    same(torch, candidate, program)


@given(shapes, st.lists(st.integers(-1, 5), max_size=3), st.none() | DTYPES, st.booleans())
def test_strides_of_ones_choice(torch, candidate, size, stride, dtype, method):
    assume(0 not in stride or min(size, default=2) > 1)  # strides that lead nowhere NumPy leaves open

    def program(ns):
        make = ns.ones(1, dtype=ns.int8).new_empty_strided if method else ns.empty_strided
        made = make(size, stride, **dtyped(ns, dtype))
        return made.untyped_storage().nbytes(), made.fill_(1) if 0 not in made.stride() else made.stride()

    same(torch, candidate, program)


@given(shapes, st.lists(st.integers(-1, 3), max_size=3))
def test_order_of_ones_choice(torch, candidate, size, order):
    same(torch, candidate, lambda ns: ns.empty_permuted(size, order).zero_())


@given(st.lists(st.integers(0, 3), max_size=5), formats)
def test_memory_formats(torch, candidate, size, memory_format):
    def program(ns):
        return ns.empty(size, memory_format=getattr(ns, memory_format) if memory_format else None).zero_()

    same(torch, candidate, program)


CALLS = {
    "zeros": ((3,), {}),
    "empty": ((0,), {}),
    "full": (((3,), 2.0), {}),
    "arange": ((3.0,), {}),
    "linspace": ((0, 1, 3), {}),
    "eye": ((2,), {}),
    "tensor": (([1.0],), {}),
    "as_tensor": (([1.0],), {}),
    "scalar_tensor": ((1,), {}),
    "tril_indices": ((2, 2), {}),
    "empty_strided": (((0,), (1,)), {}),
    "hann_window": ((4,), {}),
    "zeros_like": (None, {}),
    "new_zeros": ((3,), {}),
    "new_tensor": (([1.0],), {}),
}
OPTIONS = {
    "pin_memory": [True, False, None, 1],
    "device": ["cpu", "cpu:0", "cuda", "foo", 0, 1.5, None],
    "layout": ["strided", None, "text"],
    "requires_grad": [True, False, None, 1],
    "dtype": [None, float, int, bool, complex, str, "float32"],
    "names": [None, ("a",)],
    "memory_format": ["preserve"],
    "nosuch": [1],
}


@given(st.sampled_from(sorted(CALLS)), st.data())
def test_options(torch, candidate, name, data):
    option = data.draw(st.sampled_from(sorted(OPTIONS)))
    value = data.draw(st.sampled_from(OPTIONS[option]))

    def program(ns):
        args, _ = CALLS[name]
        x = ns.ones(2)
        given = {("layout", "strided"): ns.strided, ("memory_format", "preserve"): ns.preserve_format}.get(
            (option, value), value
        )
        make = getattr(x, name) if name.startswith("new") else getattr(ns, name)
        return make(*((x,) if args is None else args), **{option: given})

    same(torch, candidate, program)


sizes = [
    (2, 3), ((2, 3),), ([2, 3],), (), ((),), (True,), (2.0,), (2, 2.0), (None,), ((2, None),), ((2,), (3,)), ("2",), (range(2),),
    (np.int64(2), 3), ((np.int32(2),),), (np.array([2, 3]),), (np.array(2),), (2**62,), (2**31, 2**31, 2**31), (0, -1), (-1,),
]  # fmt: skip


@pytest.mark.parametrize("size", sizes, ids=repr)
@pytest.mark.parametrize("name", ["zeros", "ones"])
def test_sizes(torch, candidate, name, size):
    same(torch, candidate, lambda ns: getattr(ns, name)(*size))


@pytest.mark.parametrize("spell", [tuple, list, lambda sizes: sizes], ids=["tuple", "list", "Size"])
def test_sizes_of_other_kinds(torch, candidate, spell):
    def program(ns):
        size = spell(ns.Size([2, 3]))
        two, three = ns.tensor(2), ns.tensor(3)
        return ns.zeros(size), ns.zeros(*size), ns.zeros(size=size), ns.zeros(two, three), ns.ones(2, two)

    same(torch, candidate, program)


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


@given(REAL, REAL, st.booleans())
def test_conversions(torch, candidate, dtype, other, by_name):
    names = {"float32": "float", "float64": "double", "int64": "long", "int32": "int", "uint8": "byte", "bool": "bool"}

    def program(ns):
        x = ns.tensor([[0, 1, 2], [3, 0, 200]], dtype=getattr(ns, dtype)).t()
        return getattr(x, names[other])() if by_name else x.to(getattr(ns, other))

    same(torch, candidate, program)


@given(*[st.sampled_from(NAMES[1:])] * 2)
def test_result_type(torch, candidate, dtype, other):
    def program(ns):
        x, y = (ns.ones(2, dtype=getattr(ns, name)) for name in (dtype, other))
        kinds = [x, x[0], 1, 1.0, True]
        return [str(ns.result_type(a, b)) for a in kinds[:2] for b in (y, y[0], *kinds[2:])] + [
            str(ns.promote_types(x.dtype, y.dtype)),
            ns.can_cast(x.dtype, y.dtype),
        ]

    same(torch, candidate, program)


MAKERS = {
    "zeros": lambda ns: ns.zeros(2),
    "ones": lambda ns: ns.ones(2),
    "empty": lambda ns: ns.empty(2),
    "full": lambda ns: ns.full((2,), 1.5),
    "full of ints": lambda ns: ns.full((2,), 1),
    "full of complex numbers": lambda ns: ns.full((2,), 1j),
    "eye": lambda ns: ns.eye(2),
    "arange": lambda ns: ns.arange(0, 1, 0.25),
    "arange of ints": lambda ns: ns.arange(3),
    "range": lambda ns: ns.range(0, 3),
    "linspace": lambda ns: ns.linspace(0, 1, 3),
    "logspace": lambda ns: ns.logspace(0, 1, 3),
    "scalar_tensor": lambda ns: ns.scalar_tensor(3),
    "number": lambda ns: ns.tensor(1.1),
    "list": lambda ns: ns.tensor([1.1, 2]),
    "empty list": lambda ns: ns.tensor([]),
    "tuple": lambda ns: ns.as_tensor((1.1, 2)),
    "ints": lambda ns: ns.tensor([1]) * 1.5,
    "complex numbers": lambda ns: ns.tensor([1j, 2]),
    "asarray": lambda ns: ns.asarray([1.1]),
    "buffer": lambda ns: ns.asarray(bytearray(8)),
    "window": lambda ns: ns.hann_window(4),
    "empty_strided": lambda ns: ns.empty_strided((2,), (1,)),
    "empty_permuted": lambda ns: ns.empty_permuted((2,), (0,)),
    "Tensor": lambda ns: ns.Tensor([1.1]),
    "empty Tensor": lambda ns: ns.Tensor(2),
}


@pytest.mark.filterwarnings("ignore:torch.range is deprecated")
@pytest.mark.parametrize("name", ["float32", "float64", "float16", "bfloat16", "int64"])
@pytest.mark.parametrize("maker", MAKERS)
def test_default_dtype(torch, candidate, name, maker):
    if name in ("float16", "bfloat16") and "complex" in maker:
        pytest.skip("torch has a complex dtype of half precision")

    def program(ns):
        try:
            ns.set_default_dtype(getattr(ns, name))
            made = MAKERS[maker](ns)
            return str(ns.get_default_dtype()), str(made.dtype), None if "empty" in maker else made.tolist()
        finally:
            ns.set_default_dtype(ns.float32)

    same(torch, candidate, program)


@given(shapes, numbers, st.sampled_from(["full", "full_like", "new_full", "scalar_tensor", "tensor"]))
def test_bfloat16(torch, candidate, shape, value, name):
    def program(ns):
        options = {"dtype": ns.bfloat16}
        if name in ("tensor", "scalar_tensor"):
            made = getattr(ns, name)(value, **options)
        elif name == "full_like":
            made = ns.full_like(ns.zeros(2, 3, **options).t(), value)
        else:
            made = (ns.full if name == "full" else ns.zeros(1).new_full)(shape, value, **options)
        return str(made.dtype), made.float()

    same(torch, candidate, program)


def test_a_compiled_step_makes_them_anew(candidate):
    """What a step makes and writes to begins every replay as it did the first time."""
    if candidate.__name__ != "minitorch_like":
        pytest.skip("asks how this package compiles")
    ns = candidate

    def train(compiled):
        ns.manual_seed(0)
        layer = ns.nn.Linear(4, 3)
        optimizer = ns.optim.SGD(layer.parameters(), lr=0.1)

        def step():
            optimizer.zero_grad()
            x = ns.arange(0, 1, 0.05)[:20].reshape(5, 4)
            scale = ns.zeros(5, 3)
            scale += ns.linspace(0, 1, 3)
            grid, _ = ns.meshgrid(ns.arange(5.0), ns.tensor([1.0, 2.0, 3.0]), indexing="ij")
            y = layer(x * ns.full_like(x, 2)) * scale + grid * ns.vander(ns.ones(5), 3)
            loss = (y**2).mean()
            loss.backward()
            optimizer.step()
            return loss

        step = ns.compile(step) if compiled else step
        return [step().item() for _ in range(6)]

    assert train(compiled=True) == train(compiled=False)
