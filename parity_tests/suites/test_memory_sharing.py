"""Memory that tensors share with arrays, buffers and other libraries: who sees whose writes."""

import array as arrays

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import same
from parity_tests.suites._warnings import every_warning, warned

DTYPES = [
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "bool",
]
dtypes = st.sampled_from(DTYPES)
WAYS = ["from_numpy", "as_tensor", "asarray", "tensor", "from_dlpack", "FloatTensor"]
ways = st.sampled_from(WAYS)

LAYOUTS = {
    "whole": lambda a: a,
    "transposed": lambda a: a.T,
    "rows": lambda a: a[::2],
    "columns": lambda a: a[:, 1:],
    "corner": lambda a: a[2:, 2:],
    "0-d": lambda a: a[1, 1, ...],
    "stretched": lambda a: np.lib.stride_tricks.as_strided(a, (3, 2), (0, a.itemsize)),
}
layouts = st.sampled_from(sorted(LAYOUTS))


def laid_out(dtype, layout):
    return LAYOUTS[layout](np.arange(12).reshape(4, 3).astype(dtype))


def taken(ns, way, array, **options):
    return getattr(ns, way)(array, **options)


@given(ways, dtypes, layouts)
def test_writes_show_on_both_sides(torch, candidate, way, dtype, layout):
    def program(ns):
        array = laid_out(dtype, layout)
        tensor = taken(ns, way, array)
        before = (tensor.stride(), tensor.storage_offset(), tensor.untyped_storage().nbytes(), str(tensor.dtype))
        if layout != "stretched":
            tensor[...] = 1
        array[...] = array * 2 if dtype != "bool" else ~array
        return before, tensor, array.tolist(), tensor.is_leaf, tensor._base is None

    same(torch, candidate, program)


@given(st.sampled_from(["as_tensor", "asarray", "tensor"]), dtypes, dtypes, layouts)
def test_another_dtype_is_a_copy(torch, candidate, way, dtype, other, layout):
    if dtype.startswith("complex") and not other.startswith("complex"):
        other = dtype  # torch warns of what is lost

    def program(ns):
        array = laid_out(dtype, layout)
        tensor = taken(ns, way, array, dtype=getattr(ns, other))
        array[...] = 0
        return tensor

    same(torch, candidate, program)


@pytest.mark.parametrize(
    "array",
    [
        np.array(["a"]),
        np.array([None]),
        np.zeros(2, np.longdouble),
        np.zeros(2, "datetime64[s]"),
        np.zeros(2, ">f4"),
        np.arange(3)[::-1],
        np.zeros((2, 2))[:, ::-1],
        [1, 2],
        np.float32(1),
        None,
    ],
    ids=repr,
)
@pytest.mark.parametrize("way", ["from_numpy", "as_tensor", "asarray", "tensor"])
def test_arrays_that_no_tensor_can_be_made_of(torch, candidate, way, array):
    same(torch, candidate, lambda ns: taken(ns, way, array))


@pytest.mark.parametrize("way", WAYS)
def test_write_protected_arrays(torch, candidate, way):
    def program(ns):
        array = np.arange(3.0)
        array.flags.writeable = False
        tensor = taken(ns, way, array)
        return tensor.add_(1) if way != "from_dlpack" else tensor, array.tolist()

    with every_warning(torch, candidate):
        same(torch, candidate, lambda ns: warned(ns, program))


def test_arguments_of_from_numpy(torch, candidate):
    same(torch, candidate, lambda ns: ns.from_numpy(np.zeros(1), 2))


# -- numpy() -------------------------------------------------------------------------------------------------------------


@given(dtypes, layouts, st.booleans())
def test_numpy_is_the_same_memory(torch, candidate, dtype, layout, force):
    def program(ns):
        tensor = ns.from_numpy(laid_out(dtype, layout))
        array = tensor.numpy(force=force)
        if layout != "stretched":
            array[...] = 1
        shape, strides, kind = array.shape, array.strides, array.dtype.name
        array.shape = (*array.shape, 1)
        return (
            tensor,
            shape,
            strides,
            kind,
            array.flags.writeable,
            array.flags.owndata,
            tensor.numpy() is tensor.numpy(),
        )

    same(torch, candidate, program)


@pytest.mark.parametrize(
    "program",
    [
        lambda ns, x: x.requires_grad_().numpy(),
        lambda ns, x: x.requires_grad_().numpy(force=True).tolist(),
        lambda ns, x: (x.requires_grad_() * 2).numpy(force=True).tolist(),
        lambda ns, x: x.numpy(force=1),
        lambda ns, x: x.bfloat16().numpy(),
        lambda ns, x: np.asarray(x.requires_grad_()),
        lambda ns, x: np.asarray(x.bfloat16()),
        lambda ns, x: (np.asarray(x).dtype.name, np.asarray(x, "f8").dtype.name, np.asarray(x).tolist()),
        lambda ns, x: np.shares_memory(np.asarray(x), x.numpy()),
        lambda ns, x: np.shares_memory(np.array(x), x.numpy()),
        lambda ns, x: x.__array__().tolist(),
        lambda ns, x: x.__array__("i8").tolist(),
        lambda ns, x: (np.stack([x, x]).tolist(), np.concatenate([x, x.numpy()]).tolist()),
        lambda ns, x: ns.tensor(3).numpy().shape,
    ],
)
def test_tensors_as_arrays(torch, candidate, program):
    same(torch, candidate, lambda ns: program(ns, ns.arange(3.0)))


# -- buffers -------------------------------------------------------------------------------------------------------------

sizes = st.integers(0, 33)


@given(dtypes, sizes, st.integers(-2, 5), st.integers(-1, 34), st.booleans())
def test_frombuffer(torch, candidate, dtype, size, count, offset, requires_grad):
    def program(ns):
        buffer = bytearray(index % 2 for index in range(size))
        options = {"count": count, "offset": offset, "requires_grad": requires_grad}
        tensor = ns.frombuffer(buffer, dtype=getattr(ns, dtype), **options)
        place = (tensor.storage_offset(), tensor.untyped_storage().nbytes(), tensor.requires_grad)
        tensor.detach().zero_()
        return place, tensor, list(buffer)

    same(torch, candidate, program)


@pytest.mark.parametrize(
    "make",
    [
        lambda: bytearray(8),
        lambda: arrays.array("i", [1, 2]),
        lambda: memoryview(bytearray(8)),
        lambda: memoryview(bytearray(16))[::2],
        lambda: np.arange(2.0),
        lambda: np.arange(4.0)[::2],
        lambda: b"abcdefgh",
        lambda: "text",
        lambda: 3,
        lambda: [1, 2],
    ],
)
@pytest.mark.parametrize("way", ["frombuffer", "asarray"])
def test_objects_with_and_without_a_buffer(torch, candidate, way, make):
    with every_warning(torch, candidate):
        same(torch, candidate, lambda ns: warned(ns, lambda ns: taken(ns, way, make(), dtype=ns.int32)))


def test_asarray_reads_a_buffer_in_the_default_dtype(torch, candidate):
    same(torch, candidate, lambda ns: (ns.asarray(arrays.array("f", [1, 2])), ns.asarray(arrays.array("d", [1, 2]))))


# -- asarray -------------------------------------------------------------------------------------------------------------


class OfDLPack:
    """An object that is nothing but a producer of capsules."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **kwargs):
        return self.array.__dlpack__(**kwargs)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


SOURCES = {
    "tensor": lambda ns: ns.arange(3.0),
    "leaf": lambda ns: ns.arange(3.0).requires_grad_(),
    "computed": lambda ns: ns.arange(3.0).requires_grad_() * 2,
    "view": lambda ns: ns.zeros(2, 3).t(),
    "array": lambda ns: np.arange(3.0, dtype=np.float32),
    "scalar": lambda ns: np.float32(2),
    "0-d": lambda ns: np.array(2.0, np.float32),
    "list": lambda ns: [1.0, 2.0],
    "number": lambda ns: 3,
    "buffer": lambda ns: bytearray(8),
    "capsule": lambda ns: np.arange(3.0, dtype=np.float32).__dlpack__(),
    "producer": lambda ns: OfDLPack(np.arange(3.0, dtype=np.float32)),
    "text": lambda ns: "a",
}
options = st.fixed_dictionaries(
    {},
    optional={
        "copy": st.sampled_from([None, True, False]),
        "dtype": st.sampled_from([None, "float32", "float64", "int32"]),
        "requires_grad": st.sampled_from([None, True, False]),
        "device": st.sampled_from([None, "cpu"]),
    },
)


@given(st.sampled_from(sorted(SOURCES)), options, st.booleans())
def test_asarray(torch, candidate, source, options, grad):
    def program(ns):
        obj = SOURCES[source](ns)
        given = dict(options)
        if given.get("dtype"):
            given["dtype"] = getattr(ns, given["dtype"])
        with ns.set_grad_enabled(grad):
            made = ns.asarray(obj, **given)
        shared = None
        if hasattr(obj, "numpy"):
            shared = (made is obj, made.data_ptr() == obj.data_ptr(), obj.requires_grad)
        elif isinstance(obj, np.ndarray):
            shared = made.data_ptr() == obj.ctypes.data
        return made, shared

    with every_warning(torch, candidate):
        same(torch, candidate, lambda ns: warned(ns, program))


@pytest.mark.parametrize(
    "call",
    [
        lambda ns: ns.asarray(),
        lambda ns: ns.asarray([1], ns.float32),
        lambda ns: ns.asarray([1], copy=1),
        lambda ns: ns.asarray([1], nosuch=1),
        lambda ns: ns.asarray(obj=[1]),
        lambda ns: ns.asarray([1], dtype=float),
        lambda ns: ns.asarray([1], requires_grad=True),
        lambda ns: ns.as_tensor([1.0], requires_grad=True),
        lambda ns: ns.as_tensor([1.0], ns.float32),
        lambda ns: ns.as_tensor([1.0], device="cuda"),
        lambda ns: ns.as_tensor(ns.ones(2, requires_grad=True), dtype=ns.float64),
        lambda ns: ns.frombuffer(bytearray(8)),
    ],
)
def test_arguments(torch, candidate, call):
    same(torch, candidate, call)


# -- DLPack --------------------------------------------------------------------------------------------------------------


@given(dtypes, layouts)
def test_dlpack_into_numpy(torch, candidate, dtype, layout):
    def program(ns):
        tensor = ns.from_numpy(laid_out(dtype, layout))
        array = np.from_dlpack(tensor)
        if layout != "stretched":
            tensor.zero_()
        return array.tolist(), array.strides, array.dtype.name, array.flags.writeable

    same(torch, candidate, program)


@pytest.mark.parametrize("through", ["capsule", "tensor", "to_dlpack", "utils"])
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "complex64"])
def test_dlpack_between_tensors(torch, candidate, through, dtype):
    def program(ns):
        from_dlpack = ns.from_dlpack
        x = ns.zeros(2, 3, dtype=getattr(ns, dtype)).t()
        if through == "utils":
            __import__(f"{ns.__name__}.utils.dlpack")
            given, from_dlpack = ns.utils.dlpack.to_dlpack(x), ns.utils.dlpack.from_dlpack
        else:
            given = {"capsule": x.__dlpack__, "tensor": lambda: x, "to_dlpack": lambda: ns.to_dlpack(x)}[through]()
        other = from_dlpack(given)
        other.fill_(1)
        return x, other

    same(torch, candidate, program)


def test_dlpack_crosses_frameworks(torch, candidate):
    """Not only with NumPy: torch takes the candidate's memory, and the candidate torch's."""
    theirs, ours = torch.zeros(2, 3), candidate.zeros(2, 3)
    candidate.from_dlpack(theirs).fill_(1)
    torch.from_dlpack(ours).fill_(1)
    assert theirs.tolist() == ours.tolist() == [[1.0] * 3] * 2


def used_capsule(ns):
    capsule = ns.ones(1).__dlpack__()
    ns.from_dlpack(capsule)
    return ns.from_dlpack(capsule)


@pytest.mark.parametrize(
    "call",
    [
        lambda ns: ns.ones(2, requires_grad=True).__dlpack__(),
        lambda ns: ns.ones(2).__dlpack__(stream=3),
        lambda ns: ns.ones(2).__dlpack__(stream="a"),
        lambda ns: str(ns.ones(2).__dlpack__(max_version=(1, 0))).split(" at ")[0],
        lambda ns: str(ns.ones(2).__dlpack__(max_version=(0, 8))).split(" at ")[0],
        lambda ns: tuple(map(int, ns.ones(2).__dlpack_device__())),
        lambda ns: ns.from_dlpack(3),
        lambda ns: ns.from_dlpack(np.array(["a"])),
        lambda ns: ns.from_dlpack(ns.ones(2, requires_grad=True)),
        lambda ns: ns.from_dlpack(ns.ones(2), device="cpu"),
        lambda ns: ns.from_dlpack(ns.ones(2), copy=True),
        lambda ns: ns.from_dlpack(ns.ones(2).__dlpack__(), copy=True),
        lambda ns: str(ns.from_dlpack(ns.ones(2, dtype=ns.bfloat16))),
        used_capsule,
    ],
)
def test_dlpack_errors(torch, candidate, call):
    same(torch, candidate, call)
