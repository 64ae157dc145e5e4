"""Promotion: the dtype, the values and the errors of operations on every pair of dtypes and kinds of operand."""

from itertools import product

import pytest

from parity_tests.suites._tables import DTYPES, FLOATING, INTEGERS, kind_of_outcome, table, text

NUMBERS = (True, 2, -1, 0, 2.5, -0.0)
_LEFT = {"b": [False, True, True, False], "u": [0, 1, 2, 200], "i": [-3, 0, 2, 5], "f": [-2.5, 0.0, 3.0, 1.5]}
_RIGHT = {"b": [True, True, False, True], "u": [1, 2, 3, 1], "i": [2, 1, -3, 1], "f": [1.5, 2.0, -0.5, 1.0]}


def _elements(values, dtype):
    return values["b" if dtype == "bool" else "u" if dtype == "uint8" else "i" if dtype in INTEGERS else "f"]


def left(ns, dtype, zero_dim=False):
    """A first operand of that dtype: four elements, or the third of them alone."""
    values = _elements(_LEFT, dtype)
    return ns.tensor(values[2] if zero_dim else values, dtype=getattr(ns, dtype))


def right(ns, dtype, zero_dim=False):
    """A second operand, none of whose elements is 0 but among booleans."""
    values = _elements(_RIGHT, dtype)
    return ns.tensor(values[2] if zero_dim else values, dtype=getattr(ns, dtype))


def pairs_of_operands():
    """(label, make), where make(ns) is a pair of operands: tensors, 0-d tensors and numbers of all kinds."""
    for first, second, a, b in product(DTYPES, DTYPES, (False, True), (False, True)):
        label = f"{first}{'()' if a else ''}, {second}{'()' if b else ''}"
        yield label, lambda ns, p=first, q=second, a=a, b=b: (left(ns, p, a), right(ns, q, b))
    for dtype, number, a in product(DTYPES, NUMBERS, (False, True)):
        kind = f"{dtype}{'()' if a else ''}"
        yield f"{kind}, {number}", lambda ns, p=dtype, n=number, a=a: (left(ns, p, a), n)
        yield f"{number}, {kind}", lambda ns, p=dtype, n=number, a=a: (n, right(ns, p, a))


def calls(function):
    """The cells of `function(ns, x, y)` for all pairs of operands."""
    return ((label, lambda ns, make=make: function(ns, *make(ns))) for label, make in pairs_of_operands())


_EXACT = (
    "add", "sub", "mul", "div", "floor_divide", "remainder", "fmod", "rsub", "maximum", "minimum", "fmax", "fmin", "eq",
    "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor",
    "bitwise_left_shift", "bitwise_right_shift", "copysign", "nextafter", "heaviside", "gcd", "lcm", "clamp_min",
    "clamp_max", "isclose", "result_type",
)  # fmt: skip
_INEXACT = ("pow", "float_power", "atan2", "arctan2", "hypot", "logaddexp", "logaddexp2", "xlogy", "dist")


@pytest.mark.parametrize("name", _EXACT)
def test_functions_of_two(torch, candidate, name):
    table(torch, candidate, calls(lambda ns, x, y: getattr(ns, name)(x, y)))


@pytest.mark.parametrize("name", _INEXACT)
def test_dtypes_of_inexact_functions(torch, candidate, name):
    table(torch, candidate, calls(lambda ns, x, y: getattr(ns, name)(x, y)), kind_of_outcome)


_OPERATORS = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
    "//": lambda x, y: x // y,
    "%": lambda x, y: x % y,
    "&": lambda x, y: x & y,
    "<<": lambda x, y: x << y,
    ">": lambda x, y: x > y,
    "==": lambda x, y: x == y,
}


@pytest.mark.parametrize("symbol", _OPERATORS)
def test_operators(torch, candidate, symbol):
    inexact = symbol == "/"  # torch divides a number by a tensor by way of the reciprocal
    table(torch, candidate, calls(lambda ns, x, y: _OPERATORS[symbol](x, y)), kind_of_outcome if inexact else text)


_IN_PLACE = (
    "add_", "sub_", "mul_", "div_", "pow_", "eq_", "lt_", "logical_and_", "bitwise_and_", "bitwise_left_shift_",
    "copysign_", "copy_", "__iadd__", "__imul__", "__itruediv__", "__iand__", "__isub__",
)  # fmt: skip


@pytest.mark.parametrize("name", _IN_PLACE)
def test_in_place(torch, candidate, name):
    """The result has to go back into the first operand's dtype and shape."""

    def cells():
        for label, make in pairs_of_operands():
            if not label[0].isalpha() or label.startswith("True"):
                continue

            def program(ns, make=make):
                x, y = make(ns)
                return getattr(x, name)(y), x

            yield label, program

    table(torch, candidate, cells(), _kinds if name == "pow_" else text)


@pytest.mark.parametrize("name", ["add", "mul", "div", "eq", "maximum", "copysign"])
def test_out(torch, candidate, name):
    """A result may be written to an `out` of its category or of a higher one."""

    def cells():
        for first, second, third in product(DTYPES, ("bool", "int32", "float32", "bfloat16"), DTYPES):

            def program(ns, p=first, q=second, r=third):
                out = ns.zeros(4, dtype=getattr(ns, r))
                return getattr(ns, name)(left(ns, p), right(ns, q), out=out), out

            yield f"{first}, {second} -> {third}", program

    # what is rounded to an out that is narrower or wider is rounded in an order of torch's own
    table(torch, candidate, cells(), _kinds if name in ("div", "mul") else text)


@pytest.mark.parametrize("name", ["addcmul", "addcdiv", "lerp", "where", "clamp"])
def test_functions_of_three(torch, candidate, name):
    def cells():
        for first, second, third in product(DTYPES, repeat=3):

            def program(ns, p=first, q=second, r=third):
                x, y, z = left(ns, p), right(ns, q), right(ns, r)
                return ns.where(x > 0, y, z) if name == "where" else getattr(ns, name)(x, y, z)

            yield f"{first}, {second}, {third}", program
        for first, second, number in product(DTYPES, DTYPES, NUMBERS):

            def with_number(ns, p=first, q=second, n=number):
                x, y = left(ns, p), right(ns, q)
                if name == "where":
                    return ns.where(x > 0, y, n), ns.where(x > 0, n, y), ns.where(x > 0, n, n)
                if name == "clamp":
                    return ns.clamp(x, n), ns.clamp(x, max=n)
                return ns.lerp(x, y, n) if name == "lerp" else getattr(ns, name)(x, y, y, value=n)

            yield f"{first}, {second}, {number}", with_number

    table(torch, candidate, cells(), text if name in ("where", "clamp") else _kinds)


def _kinds(value):
    return "; ".join(map(kind_of_outcome, value)) if isinstance(value, tuple) else kind_of_outcome(value)


@pytest.mark.parametrize("name", ["cat", "stack"])
def test_joining(torch, candidate, name):
    def cells():
        for first, second, third in product(DTYPES, repeat=3):
            yield (
                f"{first}, {second}, {third}",
                lambda ns, p=first, q=second, r=third: getattr(ns, name)([left(ns, p), right(ns, q), right(ns, r)]),
            )

    table(torch, candidate, cells())


def test_asking_for_the_dtype(torch, candidate):
    def cells():
        for function, first, second in product(("promote_types", "can_cast"), DTYPES, DTYPES):
            yield (
                f"{function} {first} {second}",
                lambda ns, f=function, p=first, q=second: getattr(ns, f)(getattr(ns, p), getattr(ns, q)),
            )
        for first, second in product(NUMBERS, NUMBERS):
            yield f"{first} {second}", lambda ns, p=first, q=second: ns.result_type(p, q)
        for wrong in ((1, 2), ("a", 2.0), (None, None)):
            for function in ("promote_types", "can_cast", "result_type"):
                yield f"{function}{wrong}", lambda ns, f=function, w=wrong: getattr(ns, f)(*w)
        yield "keywords", lambda ns: ns.can_cast(from_=ns.float32, to=ns.int32)
        yield "keywords of tensors", lambda ns: ns.result_type(tensor=ns.tensor([1]), other=2.0)
        yield "Python's types", lambda ns: ns.promote_types(float, int)

    table(torch, candidate, cells())


@pytest.mark.parametrize("name", ["add", "sub", "rsub"])
def test_alpha(torch, candidate, name):
    def cells():
        for first, second, alpha in product(DTYPES, (*DTYPES, True, 2, 2.5), (True, False, 1, 2, -1, 2.5, 1.0)):
            yield (
                f"{first}, {second}, {alpha}",
                lambda ns, p=first, q=second, a=alpha: getattr(ns, name)(
                    left(ns, p), right(ns, q) if isinstance(q, str) else q, alpha=a
                ),
            )

    table(torch, candidate, cells())


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATING])
def test_division(torch, candidate, dtype):
    """Every division, of all signs, by all signs, and by zero."""
    values = [0, 1, 2, 7, 100] if dtype == "uint8" else [-7, -2, -1, 0, 1, 2, 7]
    divisors = [*values, 2.5, -2.5, 0.0, True]

    def tensor(ns):
        return ns.tensor(values, dtype=getattr(ns, dtype))

    def cells():
        for name, divisor in product(("div", "floor_divide", "remainder", "fmod"), divisors):
            yield f"{name} {divisor}", lambda ns, f=name, d=divisor: getattr(ns, f)(tensor(ns), d)
            if not isinstance(divisor, (float, bool)):
                yield (
                    f"{name} tensor {divisor}",
                    lambda ns, f=name, d=divisor: getattr(ns, f)(tensor(ns), ns.full_like(tensor(ns), d)),
                )
        for mode, divisor in product((None, "floor", "trunc", "round"), divisors):
            yield f"{mode} {divisor}", lambda ns, m=mode, d=divisor: ns.div(tensor(ns), d, rounding_mode=m)

    table(torch, candidate, cells())


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_wrap_around(torch, candidate, dtype):
    bits = {"uint8": 8, "int8": 8, "int16": 16, "int32": 32, "int64": 64}[dtype]
    low, high = (0, 255) if dtype == "uint8" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)

    def tensor(ns):
        return ns.tensor([low, low + 1, high - 1, high], dtype=getattr(ns, dtype))

    def cells():
        for name, number in product(("add", "sub", "mul", "eq", "lt", "bitwise_and"), (1, -1, 3, 200, -300, 2**40)):
            yield f"{name} {number}", lambda ns, f=name, n=number: getattr(ns, f)(tensor(ns), n)
        for name in ("neg", "abs", "square", "sum", "prod", "bitwise_not", "sign"):
            yield name, lambda ns, f=name: getattr(ns, f)(tensor(ns))
        for power in (0, 1, 2, 3, 10):
            yield f"** {power}", lambda ns, p=power: tensor(ns) ** p
        for number in (0, 1, bits - 1):
            yield f"<< {number}", lambda ns, n=number: (tensor(ns) << n, tensor(ns) >> n)

    table(torch, candidate, cells())


@pytest.mark.parametrize("dtype", DTYPES)
def test_powers(torch, candidate, dtype):
    """Exponents that torch computes by other means, negative ones, and those that integers do not take."""

    def base(ns):
        values = [0, 1] if dtype == "bool" else [0, 1, 2, 3] if dtype == "uint8" else [-2, -1, 0, 1, 2]
        return ns.tensor(values, dtype=getattr(ns, dtype))

    def cells():
        for exponent in (True, False, 0, 1, 2, 3, -1, -2, 1.0, 2.0):
            yield f"** {exponent}", lambda ns, e=exponent: base(ns) ** e
        for exponent in INTEGERS[1:]:
            yield (
                f"** tensor {exponent}",
                lambda ns, e=exponent: base(ns) ** ns.tensor([[-2], [-1], [0], [1], [2]], dtype=getattr(ns, e)),
            )
        for number in (0, 1, 2, True):
            yield f"{number} **", lambda ns, n=number: n ** base(ns)

    table(torch, candidate, cells())
