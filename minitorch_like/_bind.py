"""From the op table to the public callables: functions, methods, in-place forms and operators.

Each reads a call by torch's signatures and hands it to `op.apply`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._apply import bind, check_histories
from ._dtype import FROM_NUMPY, scalar_dtype
from ._tensor import Tensor, wrap
from .autograd.graph import for_result, type_of_node
from .ops import TABLE, Op
from .ops._checks import explain
from .ops._signature import NOBODY, Reader, check_bound, tensors_only
from .ops._table import python_value

ndarray = np.ndarray


_INTS = frozenset({int})
_PLAIN_NUMBERS = frozenset({float, int, bool})
_OF_NUMPY = (np.ndarray, np.generic)

# -- the public callables ------------------------------------------------------------------------------------------------


class _Call:
    """How a public function or method of `op` is called: the long way, which reads the arguments.

    The short ways below hand them to `op.apply` as they are.  What may be wrong with them is looked at when the op has
    failed; only where it might take something that torch does not, is the call looked at before.
    """

    __slots__ = ("op", "public", "reader")

    def __init__(self, op: Op, reader: Reader) -> None:
        self.op, self.reader = op, reader
        self.public = self._short_way()

    def _short_way(self) -> Callable[..., Any]:
        op = self.op
        if op.variadic:
            return _joining(self)
        if _takes_sizes_only(op):
            return _sized(self)
        if op.arity == 2 and not tensors_only(op.texts, 1):
            return _binary_method(self) if self.reader.method else _binary(self)
        if not _in_order(op):
            return _reading(self)
        loose = [place for place in range(1, op.arity) if not tensors_only(op.texts, place)]
        return _guarded(self, loose) if loose else _plain(self)

    def check(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Raises torch's TypeError where the arguments fit no signature, whatever an earlier call has taught."""
        try:
            self.reader.read(args[1:] if self.reader.method else args, kwargs)
        except (TypeError, ValueError) as refusal:
            refusal.__suppress_context__ = True  # what the op has met is of no interest then
            raise

    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        _check_self(self.reader, args)
        try:
            arranged, out = self.op.read(self.reader, args, kwargs)
        except TypeError:
            return left_to_arguments(self.public, args, kwargs)
        if out is not None:
            from ._out_argument import write_out

            return write_out(self.op, arranged, out)
        try:
            return _renamed(self.op, self.op.apply(*arranged), kwargs)
        except Exception as error:
            from ._misuse import check_shapes

            self.check(args, kwargs)
            explain(check_shapes, self.op, arranged, error)
            if isinstance(error, AttributeError) and isinstance(arranged[0], _NUMBERS):
                return self.op.apply(_as_tensor(arranged[0]), *arranged[1:])
            check_histories(self.op, arranged[0] if self.op.variadic else arranged[: self.op.arity])
            raise

    def reread(self, args: tuple[Any, ...], error: Exception) -> Any:
        """After `error`, which the short way has met."""
        try:
            self.check(args, {})
        except TypeError:
            return left_to_arguments(self.public, args, {})
        if isinstance(error, _MISREAD):
            return self._read_again(args, {})
        check_histories(self.op, args[0] if self.op.variadic else args)
        from ._misuse import check_shapes

        explain(check_shapes, self.op, args, error)
        raise error

    def _read_again(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The call, read with care; of what the short way has met nothing is said then."""
        try:
            return self.read(args, kwargs)
        except Exception as error:
            error.__suppress_context__ = True
            raise


def _plain(call: _Call) -> Callable[..., Any]:
    op, count = call.op, call.op.arity

    def function(*args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != count:
            return call.read(args, kwargs)
        try:
            return op.apply(*args)
        except Exception as error:  # noqa: BLE001 -- what follows depends on the arguments
            return call.reread(args, error)

    return function


def _guarded(call: _Call, loose: list[int]) -> Callable[..., Any]:
    """`_plain`, where operands from the place `loose[0]` on need not be tensors; a kernel would take arrays for them, too."""
    op, count, first = call.op, call.op.arity, loose[0]

    def function(*args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != count or args[-1].__class__ is ndarray or args[first].__class__ is ndarray:
            return call.read(args, kwargs)
        try:
            return op.apply(*args)
        except Exception as error:  # noqa: BLE001
            return call.reread(args, error)

    return function


def _in_order(op: Op) -> bool:
    """Whether the tensors come first in the signatures, too."""
    if op.arity == 1:
        return True
    firsts = [text[1:].split(", ", op.arity)[: op.arity] for text in op.texts]
    names = [tuple(each.partition("=")[0].rpartition(" ")[2].rstrip(")") for each in first) for first in firsts]
    return op.parameters[: op.arity] in names


def _reading(call: _Call) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        return call.read(args, kwargs)

    return function


def _binary(call: _Call) -> Callable[..., Any]:
    """Of a tensor (or a number) and a tensor or a number; the kernel would take arrays, too."""
    op = call.op

    def function(*args: Any, **kwargs: Any) -> Any:
        if (
            kwargs
            or len(args) != 2
            or (args[0].__class__ is not Tensor and isinstance(args[0], _OF_NUMPY))
            or not (hasattr(args[1], "_node") or args[1].__class__ in _PLAIN_NUMBERS)
        ):
            return call.read(args, kwargs)
        try:
            return op.apply(*args)
        except Exception as error:  # noqa: BLE001
            return call.reread(args, error)

    return function


def _binary_method(call: _Call) -> Callable[..., Any]:
    """The same of `self`, which is a tensor."""
    op = call.op

    def function(*args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != 2 or not (hasattr(args[1], "_node") or args[1].__class__ in _PLAIN_NUMBERS):
            return call.read(args, kwargs)
        try:
            return op.apply(*args)
        except Exception as error:  # noqa: BLE001
            return call.reread(args, error)

    return function


def _sized(call: _Call) -> Callable[..., Any]:
    """f(x, (2, 3)) or, as a method, f(x, 2, 3)."""
    op, apart = call.op, call.reader.method

    def function(*args: Any, **kwargs: Any) -> Any:
        if len(args) > 1 and not kwargs:
            sizes = args[1]
            if sizes.__class__ is int and apart:
                sizes = args[1:]
            elif len(args) != 2:
                sizes = None
            if sizes.__class__ is tuple and set(map(type, sizes)) <= _INTS:
                try:
                    return op.apply(args[0], sizes)
                except AttributeError:
                    pass
                except Exception:
                    explain(call.check, args, kwargs)  # torch's sizes have 64 bits
                    raise
        return call.read(args, kwargs)

    return function


def _joining(call: _Call) -> Callable[..., Any]:
    """Of a sequence of tensors, and perhaps a dimension."""
    op = call.op

    def function(*args: Any, **kwargs: Any) -> Any:
        plain = len(args) == 1 or (len(args) == 2 and args[1].__class__ is int)
        if kwargs or not plain or args[0].__class__ not in _SEQUENCES:
            return call.read(args, kwargs)
        try:
            return op.apply(*args)
        except Exception as error:  # noqa: BLE001
            return call.reread(args, error)

    return function


def _callable(op: Op, reader: Reader) -> Callable[..., Any]:
    """The public function or method in front of `op.apply`."""
    return _named(_Call(op, reader).public, op, reader)


def _check_self(reader: Reader, args: tuple[Any, ...]) -> None:
    if reader.method and not args:
        check_bound(NOBODY, reader.function)


def _as_tensor(number: Any) -> Tensor:
    """A number that stands for a tensor, as in add(1, 2)."""
    tensor: Tensor = wrap(np.asarray(number, scalar_dtype(number).numpy))
    return tensor


# What an op raises, among others, when it is given what it is not made for.
_MISREAD = (AttributeError, TypeError, ValueError)
_SEQUENCES: frozenset[Any] = frozenset({list, tuple})


_SIZES = "(Tensor input, int[] "


def _takes_sizes_only(op: Op) -> bool:
    """Whether f(x, 2, 3) means f(x, (2, 3)): by the shape of a signature that has sizes and nothing else by position."""
    if any(text.startswith("(Tensor input, int ") for text in op.texts):
        return False
    sizes = [text[:-1].removeprefix(_SIZES).split(", ", 2) for text in op.texts if text.startswith(_SIZES)]
    return any(each[0].isidentifier() and each[1:2] in ([], ["*"]) for each in sizes)


def _renamed(op: Op, result: Any, kwargs: dict[str, Any]) -> Any:
    """The result of an op, whose node is named after the overload that the keywords have chosen."""
    if kwargs and op.renamed is not None and op.renamed[0] in kwargs:
        node = result._node
        if getattr(type(node), "op", None) is op:
            node.__class__ = for_result(type_of_node(op, op.renamed[1]), result._data)
    return result


def _inplace_method(op: Op, reader: Reader) -> Callable[..., Tensor]:
    """`Tensor.f_`."""
    arity = op.arity
    numbers = _PLAIN_NUMBERS if arity > 1 and not tensors_only(op.texts, 1) else frozenset()

    def apply(*args: Any) -> Tensor:  # until the first call
        nonlocal apply
        from ._writing import in_place_form

        apply = in_place_form(op)
        return apply(*args)

    def method(*args: Any, **kwargs: Any) -> Tensor:
        if (
            not kwargs
            and len(args) == arity
            and (arity == 1 or hasattr(args[1], "_node") or args[1].__class__ in numbers)
        ):
            try:
                return apply(*args)
            except Exception as error:
                explain(reader.read, args[1:], kwargs)  # raises torch's TypeError where that is why
                if not isinstance(error, _MISREAD):
                    raise
        _check_self(reader, args)
        return _renamed(op, apply(*op.read(reader, args, kwargs)[0]), kwargs)

    return _named(method, op, reader)


def _named(function: Callable[..., Any], op: Op, reader: Reader) -> Callable[..., Any]:
    function.__name__ = reader.function
    function.__qualname__ = f"Tensor.{reader.function}" if reader.method else reader.function
    function.__module__ = _HOMES.get(op.namespace, __name__)  # where pickle looks for it
    function.__doc__ = op.kernel.__doc__
    return function


_HOMES = {"torch": "minitorch_like", "nn": "minitorch_like.nn.functional"}


def left_to_arguments(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What the `__torch_function__` of an argument makes of a call that fits no signature; called where that was raised.

    It asks for the first time: from then on functions ask before they compute, see `_overridable`.
    """
    given = (*args, *kwargs.values())
    elements = [each for arg in given for each in (arg if isinstance(arg, (tuple, list)) else (arg,))]
    if any(hasattr(type(each), "__torch_function__") and not hasattr(each, "_node") for each in elements):
        from ._overridable import activate

        if activate():
            return function(*args, **kwargs)
    raise  # noqa: PLE0704 -- the error that is being handled


def left_to_operand(operator: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    """What the `__torch_function__` of an operand of a foreign class makes of an operator; NotImplemented without one."""
    if hasattr(type(b), "__torch_function__"):
        from ._overridable import activate

        if activate():
            return operator(a, b)
    return NotImplemented


_NUMBERS = (int, float, complex, np.number, np.bool_)


def _operator(op: Op, *, reflected: bool = False, takes_arrays: bool = False) -> Callable[[Any, Any], Any]:
    """A binary operator: NotImplemented for operands that are neither tensors nor numbers.

    Arrays are none either, but for `==`: NumPy's own operator then computes `tensor + array`, in NumPy's dtype, and
    `Tensor.__array_wrap__` makes a tensor of the result.
    """

    def operator(a: Any, b: Any) -> Any:
        if b.__class__ is not Tensor and not hasattr(b, "_node"):
            kind = type(b)
            if kind is not float and kind is not int and kind is not bool:
                if isinstance(b, _NUMBERS):
                    b = python_value(b)
                elif takes_arrays and isinstance(b, np.ndarray) and b.dtype in FROM_NUMPY:
                    b = wrap(b)
                else:
                    return left_to_operand(operator, a, b)
        return op.apply(b, a) if reflected else op.apply(a, b)

    return operator


def _tensor_operator(op: Op) -> Callable[[Any, Any], Any]:
    """`@`: tensors only."""

    def operator(a: Any, b: Any) -> Any:
        return op.apply(a, b) if hasattr(b, "_node") else left_to_operand(operator, a, b)

    return operator


def _inplace_operator(method: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    def operator(a: Any, b: Any) -> Any:
        if not hasattr(b, "_node"):
            if not isinstance(b, _NUMBERS):
                return left_to_operand(operator, a, b)
            b = python_value(b)
        return method(a, b)

    return operator


FUNCTIONS: dict[str, Callable[..., Any]] = {}
METHODS: dict[str, Callable[..., Any]] = {}


def bind_new() -> list[str]:
    """Make the callables of the ops that have been declared since the last time; the names of these ops."""
    new = [name for name in TABLE if name not in FUNCTIONS]
    for name in new:
        op = TABLE[name]
        bind(op)
        FUNCTIONS[name] = _callable(op, op.reader(method=False))
        if not op.variadic:
            METHODS[name] = _callable(op, op.reader(method=True))
        if op.inplace:
            METHODS[f"{name}_"] = _inplace_method(op, op.reader(method=True, suffix="_"))
    return new


def bind_alias(alias: str, name: str, *texts: str) -> None:
    """Make the callables of an op under a second name, by which its errors call it, and perhaps other signatures."""
    op = TABLE[name]
    texts = texts or op.texts
    FUNCTIONS[alias] = _callable(op, Reader(alias, texts))
    if not op.variadic:
        METHODS[alias] = _callable(op, Reader(alias, texts, method=True))
    if op.inplace:
        METHODS[f"{alias}_"] = _inplace_method(op, Reader(f"{alias}_", texts, method=True))


bind_new()
_OPERATORS = {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "floordiv": "floor_divide", "mod": "remainder",
    "pow": "pow", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
}  # fmt: skip
_COMMUTING = ("add", "mul", "and", "or", "xor")  # in torch 2 + x is x + 2, as its node shows
for _symbol, _name in _OPERATORS.items():
    METHODS[f"__{_symbol}__"] = _operator(TABLE[_name])
    METHODS[f"__r{_symbol}__"] = _operator(TABLE[_name], reflected=_symbol not in _COMMUTING)
    METHODS[f"__i{_symbol}__"] = _inplace_operator(METHODS[f"{_name}_"])


def _reflected_division(a: Any, b: Any) -> Any:
    """number / tensor, which torch computes as reciprocal * number; so array / tensor is known too."""
    if hasattr(type(b), "__torch_function__") and not hasattr(b, "_node"):
        return left_to_operand(_reflected_division, a, b)
    try:
        return TABLE["reciprocal"].apply(a) * b
    except TypeError:
        return NotImplemented


METHODS["__rtruediv__"] = METHODS["__rdiv__"] = _reflected_division
METHODS["__div__"], METHODS["__idiv__"] = METHODS["__truediv__"], METHODS["__itruediv__"]
METHODS["__rsub__"] = _operator(TABLE["rsub"])
METHODS["__matmul__"] = _tensor_operator(TABLE["matmul"])
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    METHODS[f"__{_name}__"] = _operator(TABLE[_name])
METHODS["__eq__"] = _operator(TABLE["eq"], takes_arrays=True)
