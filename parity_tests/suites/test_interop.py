"""Tensors among Python's numbers, NumPy's numbers and arrays: which type comes out, which dtype, which error."""

import importlib

import numpy as np
import pytest

from parity_tests.suites._expressions import same_outcomes
from parity_tests.suites._programs import same
from parity_tests.suites._warnings import every_warning, warned

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning", "ignore::RuntimeWarning", "ignore::FutureWarning"
)

TENSORS = {
    "float32": "ns.tensor([1., 2., 3.])",
    "float64": "ns.tensor([1., 2., 3.], dtype=ns.float64)",
    "float16": "ns.tensor([1., 2., 3.], dtype=ns.float16)",
    "int64": "ns.tensor([1, 2, 3])",
    "uint8": "ns.tensor([1, 2, 3], dtype=ns.uint8)",
    "bool": "ns.tensor([True, False, True])",
    "a float": "ns.tensor(2.)",
    "an int": "ns.tensor(2)",
    "recording": "ns.tensor([1., 2., 3.], requires_grad=True)",
}
NUMBERS = (
    "2",
    "2.5",
    "True",
    "np.float32(2)",
    "np.float64(2)",
    "np.int64(2)",
    "np.int32(2)",
    "np.float16(2)",
    "np.uint8(2)",
)
ARRAYS = (
    "np.arange(3)", "np.arange(3.)", "np.arange(3, dtype=np.float32)", "np.array([True, False, True])", "np.array(2)",
    "np.array(2.)", "np.arange(6.).reshape(2, 3)", "np.arange(4.)", "np.array(['a', 'b', 'c'])",
)  # fmt: skip
OBJECTS = ("None", "'a'", "[1, 2, 3]", "(1., 2., 3.)", "object", "{}", "np.bool_(True)")
ARITHMETIC = ("+", "-", "*", "/", "//", "%", "**", "@")
BITS = ("&", "|", "^", "<<", ">>")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


def operations(other):
    """Every operator with `t` on either side of `other`."""
    pairs = [
        f"{a} {symbol} {b}" for symbol in (*ARITHMETIC, *BITS, *COMPARISONS) for a, b in (("t", other), (other, "t"))
    ]
    return [*pairs, f"divmod(t, {other})", f"divmod({other}, t)", f"t in {other}", f"{other} in t"]


def tensor_named(text):
    return lambda ns: {"t": eval(text, {"ns": ns})}


def floors_or_shifts_truth_values(expression):
    """Operators that torch does not have for truth values, or has only for some; `test_promotion` is about them."""
    return any(f" {symbol} " in f" {expression} " for symbol in ("//", "%", "**", "-", "divmod"))


@pytest.mark.parametrize("tensor", TENSORS)
@pytest.mark.parametrize("other", [*NUMBERS, *ARRAYS, *OBJECTS])
def test_operators(torch, candidate, tensor, other):
    expressions = operations(other)
    if tensor == "bool":
        expressions = [each for each in expressions if not floors_or_shifts_truth_values(each)]
    same_outcomes(torch, candidate, expressions, tensor_named(TENSORS[tensor]))


def assigned(symbol, other):
    """`t` after `t symbol= other`, and whether it is the tensor that it was."""
    return f"(lambda before: (operator.{symbol}(t, {other}), before is operator.{symbol}(t, {other})))(t)"


@pytest.mark.parametrize("tensor", ["float32", "float64", "int64", "uint8"])
@pytest.mark.parametrize(
    "other", ["2", "0.5", "2j", *ARRAYS, "None", "'a'", "[1, 2, 3]", "np.int64(2)", "np.bool_(True)"]
)
def test_assigning_operators(torch, candidate, tensor, other):
    symbols = (
        "iadd",
        "isub",
        "imul",
        "itruediv",
        "ifloordiv",
        "imod",
        "ipow",
        "imatmul",
        "iand",
        "ior",
        "ixor",
        "ilshift",
    )
    same_outcomes(torch, candidate, [assigned(each, other) for each in symbols], tensor_named(TENSORS[tensor]))


@pytest.mark.parametrize("array", ["np.ones(3)", "np.ones(3, np.float32)", "np.ones((2, 3))", "np.arange(3)"])
def test_assigning_a_tensor_to_an_array(torch, candidate, array):
    symbols = ("iadd", "isub", "imul", "itruediv", "ifloordiv", "ipow")
    expressions = [f"operator.{each}({array}, t)" for each in symbols]
    same_outcomes(torch, candidate, expressions, tensor_named(TENSORS["float32"]))


REFLECTED = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "lshift", "rshift")


@pytest.mark.parametrize("tensor", ["int64", "uint8", "float32"])
def test_reflected_methods(torch, candidate, tensor):
    expressions = [
        *(f"t.__r{name}__(2)" for name in REFLECTED),
        "t.__rmatmul__(t)",
        "t.__radd__('a')",
        "t.__rmul__(None)",
        "t.__add__([1])",
    ]
    same_outcomes(torch, candidate, expressions, tensor_named(TENSORS[tensor]))


SHIFTS = [f"t {symbol} {by}" for symbol in ("<<", ">>") for by in (0, 1, 7, 8, 31, 32, 63, 64, 70, -1, -100)]


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64"])
def test_shifts(torch, candidate, dtype):
    expressions = [
        *SHIFTS, "5 << t.abs()", "1000 >> t.abs()", "t << t.abs()", "t << ns.tensor([1, 2, 3])", "t >> ns.tensor(2.)",
        "ns.bitwise_left_shift(t, 2)", "ns.bitwise_right_shift(9, t.abs())", "t.bitwise_left_shift_(1)",
    ]  # fmt: skip
    same_outcomes(torch, candidate, expressions, lambda ns: {"t": ns.tensor([1, 3, -5]).to(getattr(ns, dtype))})


FUNCTIONS_OF_NUMPY = [
    *(f"np.{name}(t)" for name in (
        "asarray", "array", "sin", "isnan", "isfinite", "abs", "exp", "sqrt", "negative", "logical_not", "cumsum",
        "argmax", "argsort", "sort", "prod", "round", "transpose", "squeeze", "ravel", "atleast_2d", "copy", "diff",
        "unique", "median", "average", "histogram", "shape", "ndim", "iscomplexobj", "isscalar", "result_type",
        "nansum", "flip", "zeros_like", "multiply.reduce", "add.reduce", "linalg.norm", "fft.fft",
    )),
    "np.array(t, dtype=np.int32)", "np.asarray(t, dtype=float)", "np.add(t, t)", "np.add(t, 1)", "np.greater(t, 2)",
    "np.maximum(t, 2)", "np.power(t, 2)", "np.equal(t, t)", "np.logical_and(t, t)", "np.concatenate([t, t])",
    "np.stack([t, t])", "np.vstack([t, t])", "np.where(t > 1, t, 0)", "np.dot(t, t)", "np.matmul(t, t)",
    "np.outer(t, t)", "np.clip(t, 0, 1)", "np.reshape(t, (1, -1))", "np.expand_dims(t, 0)", "np.repeat(t, 2)",
    "np.take(t, [0, 1])", "np.array([t, t])", "np.array([t[0], t[1]])", "np.allclose(t, t)", "np.array_equal(t, t)",
    "np.testing.assert_allclose(t, t)", "np.testing.assert_array_equal(t, t + 1)", "np.ones(3)[t > 1]",
    "np.arange(5)[t.long()]", "np.arange(5)[t[0].long()]", "np.float32(t[0])", "np.int64(t[0])", "np.asarray(t[0])",
    "np.add.outer(t, t)", "np.interp(t, [0, 5], [0, 5])", "np.searchsorted([1, 2], t)", "np.full_like(t, 2)",
    "np.tile(t, 2)", "np.roll(t, 1)", "np.percentile(t, 50)", "np.broadcast_to(t, (2, 3))", "np.can_cast(t, float)",
    "np.lib.stride_tricks.sliding_window_view(t, 2)", "np.sin(t, out=np.zeros(3))", "np.add(np.ones(3), t)",
    "np.ones(3).dot(t)", "np.ones((2, 3)) @ t", "t @ np.ones((3, 2))", "t.__array__()", "t.__array__(np.float64)",
    "t.__array__(dtype=np.int64)", "t.__array_wrap__(np.ones(2))", "t.__array_wrap__(np.array([True]))",
    "t.__array_priority__", "np.frombuffer(t)", "memoryview(t)",
]  # fmt: skip


@pytest.mark.parametrize("tensor", ["float32", "float64", "int64", "recording"])
def test_functions_of_numpy(torch, candidate, tensor):
    same_outcomes(torch, candidate, FUNCTIONS_OF_NUMPY, tensor_named(TENSORS[tensor]))


PYTHON = [
    "list(t)", "tuple(t)", "len(t)", "sum(t)", "max(t)", "min(t)", "sorted(t)", "any(t)", "all(t)", "abs(t)", "-t", "+t",
    "~t", "round(t)", "round(t, 1)", "list(reversed(t))", "list(enumerate(t))", "list(zip(t, t))", "dict(zip('abc', t))",
    "bool(t)", "int(t)", "float(t)", "complex(t)", "operator.index(t)", "iter(t[0])", "len(t[0])", "t[0] in t", "t in [t]",
    "t[0] in [t[0]]", "None in t", "'a' in t", "[1] in t", "t == None", "t != None", "t == 'a'", "t == object",
    "t is None", "t in [1, t]", "hash(t) == id(t)", "{t: 1}[t]", "len({t, t})", "'%.2f' % t[0]", "f'{t[0]:.3f}'", "f'{t}'",
    "f'{t:.3f}'", "format(t[0], 'g')", "str(t[0])", "'{:>10}'.format(t[0])", "'%s' % t", "t.item()", "t.tolist()",
    "t[0].item()", "t[0].tolist()", "vars(t)", "'shape' in dir(t)", "'relu' in dir(t)", "t.foo", "bytes(t)",
    "max(t[0], t[1])", "math.sqrt(t[0])", "math.isnan(t[0])", "t.numpy()", "t.numpy(force=True)", "pow(t, 2)", "pow(2, t)",
]  # fmt: skip
OF_ONE_ELEMENT = [
    "bool(t)", "int(t)", "float(t)", "complex(t)", "operator.index(t)", "[5, 6, 7, 8][t]", "'abcd'[t]", "list(range(t))",
    "[1, 2, 3][:t]", "'x' * t", "hex(t)", "'%d' % t", "math.floor(t)", "math.ceil(t)", "math.trunc(t)", "format(t, 'd')",
    "t.item()", "range(5)[t]", "np.arange(5)[t]", "(0).__add__(t)", "len(t)", "iter(t)", "t.numpy()", "t.tolist()",
    "str(t)", "f'{t}'", "divmod(t, 2)", "round(t)", "bytes(t)",
]  # fmt: skip


@pytest.mark.parametrize("tensor", ["float32", "int64", "bool", "recording"])
def test_protocols_of_python(torch, candidate, tensor):
    same_outcomes(torch, candidate, PYTHON, tensor_named(TENSORS[tensor]))


@pytest.mark.parametrize(
    "text",
    ["ns.tensor(2)", "ns.tensor(2.5)", "ns.tensor(True)", "ns.tensor([2])", "ns.tensor([[1.5]])", "ns.tensor(2, dtype=ns.uint8)",
     "ns.tensor([])", "ns.tensor([1, 2])", "ns.tensor(float('nan'))", "ns.tensor(2., requires_grad=True)"],
)  # fmt: skip
def test_one_element(torch, candidate, text):
    same_outcomes(torch, candidate, OF_ONE_ELEMENT, tensor_named(text))


STANDARD_LIBRARY = [
    "__import__('weakref').ref(t)() is t", "(lambda r: r())(__import__('weakref').ref(ns.ones(2)))",
    "setattr(t,'data',3)", "setattr(t,'grad',3)", "delattr(t,'grad')", "delattr(t,'data')", "repr(ns.Tensor)",
    "ns.Tensor.add(t, 1)", "ns.Tensor.shape.__get__(t)", "callable(t)", "t()", "t < None", "t.__lt__(None)", "t and t",
    "not t", "not t[0]", "t if t[0] else 1", "t[0] or 5", "t[0] and 5", "max(t, t)", "max(t[0], 1)", "min(1, t[0])",
    "sum([t, t])", "sum([t[0], t[1]], 0.)", "abs(t[0])", "pow(t[0], 2)", "[*t]", "a if (a:=t[0]) else 0", "{**{'a':t}}",
    "t.__len__()", "t.__getitem__(0)", "t.__bool__()", "t[0].__bool__()", "t.__index__()", "t.__hash__()==hash(t)",
    "int('5',base=ns.tensor(10))", "'abc'*ns.tensor(2)", "ns.tensor(2)*'abc'", "[1]*ns.tensor(2)", "ns.tensor(2)*[1]",
    "(1, 2)+t", "t+(1, 2, 3)", "[0, 1, 2][ns.tensor(1)]", "[0, 1, 2][ns.tensor(1.)]", "[0, 1, 2][ns.tensor([1])]",
    "range(3)[ns.tensor(1)]", "np.arange(3)[ns.tensor(1)]", "np.arange(3)[ns.tensor([0, 1])]",
    "np.arange(3)[ns.tensor([True, False, True])]", "np.zeros((2, 2))[ns.tensor(0), ns.tensor(1)]",
    "ns.ones(3)[np.int64(1)]", "ns.ones(3)[np.array([0, 1])]", "ns.ones(3)[np.array([True, False, True])]",
    "ns.zeros(np.int64(2))", "ns.zeros(ns.tensor(2))", "ns.zeros((ns.tensor(2), 3))", "ns.ones(2).reshape(np.int64(2))",
    "ns.arange(np.int64(3))", "ns.arange(np.float32(3))", "ns.full((2, ), np.float32(2))", "t.sum(np.int64(0))",
    "t.expand(np.int64(2), 3)", "math.fsum(t)", "math.prod(t)", "math.isclose(t[0], 1.)", "math.pow(t[0], 2)",
    "math.log(t[1])", "statistics.mean(t.tolist())", "'{:.2f}'.format(t[0])", "'{:.2f}'.format(t)", "'{}'.format(t)",
    "'%s'%t[0]", "'%f'%t", "'%d'%t[1]", "'%r'%t", "json.dumps(t.tolist())", "json.dumps(t)", "json.dumps(t[0].item())",
    "sorted([t[1], t[0]])", "bisect.bisect([1, 2, 3], t[1])", "itertools.accumulate(t).__next__()", "list(map(float, t))",
    "functools.reduce(operator.add, t)", "operator.mul(t, 2)", "operator.matmul(t, t)", "operator.contains(t, 1.)",
    "operator.truth(t[0])", "operator.not_(t[0])", "operator.neg(t)", "operator.invert(t>1)",
    "operator.lshift(t.long(), 1)", "operator.getitem(t, 0)", "operator.length_hint(t)", "copy.copy(t) is t",
    "t.__copy__()", "struct.pack('f',t[0])", "array.array('f',t)", "bytes(t.byte())", "bytearray(t.byte())",
    "memoryview(t.numpy())", "np.frombuffer(t.numpy())", "collections.Counter(t.tolist())", "collections.deque(t)",
    "list(t)==list(t)", "[t[0]]==[t[0]]", "[t]==[t]", "(t, 1)==(t, 1)", "[t]==[t.clone()]", "t in {t:1}", "{t}=={t}",
    "t==t", "t is t", "t!=t", "t==ns.ones(2)", "t<ns.ones(2)", "t.equal(t)", "bool(ns.tensor([]))",
    "float(ns.tensor([]))", "ns.tensor([]).item()", "ns.ones(2, 2).item()", "ns.tensor(1+2j).item()",
    "float(ns.tensor(1+2j))", "complex(ns.tensor(1+2j))", "int(ns.tensor(1+2j))", "int(ns.tensor(float('inf')))",
    "int(ns.tensor(float('nan')))", "int(ns.tensor(2.7))", "int(ns.tensor(-2.7))", "bool(ns.tensor(float('nan')))",
    "bool(ns.tensor(0.))", "float(ns.tensor(True))", "ns.tensor(2**62).item()", "hex(ns.tensor(255))",
    "bin(ns.tensor(5))", "oct(ns.tensor(8))", "chr(ns.tensor(65))", "round(ns.tensor(2.567), 2)", "round(ns.tensor(2.5))",
    "math.floor(ns.tensor(2.7))", "math.ceil(ns.tensor(2.2))", "math.trunc(ns.tensor(-2.7))",
    "divmod(ns.tensor(7), ns.tensor(2))", "ns.tensor(7).__divmod__(2)",
]  # fmt: skip
MODULES = ("array", "bisect", "collections", "functools", "itertools", "json", "statistics", "struct")


def test_the_standard_library(torch, candidate):
    modules = {name: importlib.import_module(name) for name in MODULES}
    same_outcomes(torch, candidate, STANDARD_LIBRARY, lambda ns: {"t": ns.tensor([1.0, 2.0, 3.0]), **modules})


def test_an_array_of_a_tensor_is_its_memory(torch, candidate):
    expressions = [
        "(t.numpy().__setitem__(0, 9.), t)[1]", "(np.asarray(t).__setitem__(0, 9.), t)[1]",
        "(np.array(t).__setitem__(0, 9.), t)[1]", "(t.add_(1), a)[1]", "(np.add(t, 1, out=a), t)[1]",
        "(t.detach().numpy().fill(3), t)[1]", "t.numpy().base is None", "np.shares_memory(t.numpy(), a)",
        "np.shares_memory(t[1:].numpy(), a)", "t.expand(2, 3).numpy().strides", "t[::2].numpy().strides",
        "np.asarray(t, dtype=np.float32) is a", "np.shares_memory(np.asarray(t, dtype=np.float64), a)",
    ]  # fmt: skip

    def make(ns):
        tensor = ns.tensor([1.0, 2.0, 3.0])
        return {"t": tensor, "a": tensor.numpy()}

    same_outcomes(torch, candidate, expressions, make)


def test_gradients_flow_only_through_tensors(torch, candidate):
    expressions = [
        "t + np.ones(3)", "np.ones(3) / t", "t == np.ones(3)", "np.sin(t)", "t.numpy()", "np.asarray(t)", "np.array([t])",
        "t * np.float64(2)", "np.float32(2) - t", "t.detach().numpy()", "t.tolist()", "t[0].item()", "float(t[0])",
        "(t * np.float64(3)).sum().backward()",
    ]  # fmt: skip
    same_outcomes(torch, candidate, expressions, tensor_named(TENSORS["recording"]))


_MEETINGS = {
    "a function of a tensor": lambda ns, t: np.sin(t),
    "a method of a tensor": lambda ns, t: np.sum(t),
    "an array of tensors": lambda ns, t: np.stack([t, t]),
    "no copy": lambda ns, t: np.asarray(t),
    "a copy": lambda ns, t: np.array(t),
    "never a copy": lambda ns, t: np.asarray(t, copy=False),
    "another dtype": lambda ns, t: np.array(t, dtype=np.float64),
    "a number on the left": lambda ns, t: np.float64(2) * t,
    "an array on the left": lambda ns, t: np.ones(3) + t,
}


@pytest.mark.parametrize("name", _MEETINGS)
def test_what_numpy_warns_of(torch, candidate, name):
    """NumPy 2 passes arguments that the methods of torch's tensors do not take, and says so."""
    same(torch, candidate, lambda ns: warned(ns, lambda ns: _MEETINGS[name](ns, ns.tensor([1.0, 2.0, 3.0]))))


@pytest.mark.parametrize("convert", [float, int, bool, complex, lambda x: x.item(), lambda x: f"{x:.1f}"])
def test_numbers_of_what_requires_grad(torch, candidate, convert):
    with every_warning(torch, candidate):
        same(torch, candidate, lambda ns: warned(ns, lambda ns: convert(ns.tensor(2.5, requires_grad=True))))
