"""Making functions ask: the public functions and methods, changed once some class has a say in what they do.

See `_torch_function` for what they ask.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from types import CodeType, FunctionType
from typing import Any

from ._tensor import Tensor
from ._torch_function import NAMES, DisableTorchFunctionSubclass, ask, overloaded, state

_PACKAGE = __name__.rpartition(".")[0]

# Methods that never ask: those which make tensors of given classes, and torch's exceptions.
_OWN_METHODS = frozenset(
    (
        "__new__", "__init__", "__init_subclass__", "__class_getitem__", "__torch_function__", "__hash__", "__iter__",
        "__getattr__", "__delitem__", "__setstate__", "_bump", "_check_grad", "_is_view", "_make_subclass",
        "_make_wrapper_subclass", "_refresh", "_scalar", "as_subclass", "grad_node",
    )
)  # fmt: skip
# Functions that look at no tensor: only modes are asked.
_NOT_ABOUT_TENSORS = frozenset(
    (
        "arange", "as_tensor", "asarray", "bartlett_window", "blackman_window", "empty", "empty_strided", "eye",
        "from_dlpack", "from_file", "from_numpy", "frombuffer", "full", "hamming_window", "hann_window", "kaiser_window",
        "linspace", "logspace", "ones", "rand", "randint", "randn", "randperm", "range", "scalar_tensor", "tensor",
        "tril_indices", "triu_indices", "zeros",
    )
)  # fmt: skip
_NEVER = frozenset(
    (
        "are_deterministic_algorithms_enabled", "broadcast_shapes", "can_cast", "compile", "compiled_with_cxx11_abi",
        "fork", "get_default_device", "get_default_dtype", "get_deterministic_debug_mode", "get_device_module",
        "get_float32_matmul_precision", "get_num_interop_threads", "get_num_threads", "get_printoptions", "get_rng_state",
        "initial_seed", "is_autocast_cache_enabled", "is_autocast_enabled", "is_deterministic_algorithms_warn_only_enabled",
        "is_grad_enabled", "is_inference_mode_enabled", "is_storage", "is_tensor", "is_vulkan_available",
        "is_warn_always_enabled", "load", "manual_seed", "promote_types", "save", "seed", "set_default_device",
        "set_default_dtype", "set_default_tensor_type", "set_deterministic_debug_mode", "set_float32_matmul_precision",
        "set_flush_denormal", "set_num_interop_threads", "set_num_threads", "set_printoptions", "set_rng_state",
        "set_warn_always", "typename", "use_deterministic_algorithms", "vmap", "wait",
    )
)  # fmt: skip
IGNORED = _NOT_ABOUT_TENSORS | _NEVER
# What an operator is known as to `__torch_function__`, where torch has it as an alias of a method.
_KNOWN_AS = {
    "__add__": "add", "__radd__": "add", "__iadd__": "add_", "__sub__": "sub", "__isub__": "sub_", "__mul__": "mul",
    "__rmul__": "mul", "__imul__": "mul_", "__truediv__": "div", "__itruediv__": "div_", "__ifloordiv__": "floor_divide_",
    "__mod__": "remainder", "__imod__": "remainder_", "__matmul__": "matmul", "__neg__": "neg", "__pos__": "positive",
    "__abs__": "abs", "__ne__": "ne", "__lt__": "lt", "__le__": "le", "__gt__": "gt", "__ge__": "ge",
    "__rand__": "bitwise_and", "__ror__": "bitwise_or", "__rxor__": "bitwise_xor", "ndimension": "dim", "nelement": "numel",
}  # fmt: skip
_SYMBOLS = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift",
)  # fmt: skip
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
_BINARY = frozenset(
    (
        *(f"__{prefix}{symbol}__" for prefix in ("", "r", "i") for symbol in _SYMBOLS),
        *(f"__{symbol}__" for symbol in _COMPARISONS),
    )
)
_NAMESPACES = ("nn.functional", "linalg", "fft", "special")


_activated = False


def activate() -> bool:
    """Make the public functions and methods overridable; whether that was still to do."""
    global _activated  # noqa: PLW0603 -- it happens once in a process
    if _activated:
        return False
    _activated = True
    from ._later import complete, has_module
    from ._protocols import take_places

    complete()
    take_places()
    _override_properties()
    for name, method in attributes_of_tensor().items():
        if isinstance(method, FunctionType) and name not in _OWN_METHODS:
            _override(
                method, f"torch.Tensor.{name}", attributes_of_tensor().get(_KNOWN_AS.get(name, name)), name in _BINARY
            )
    for where in _NAMESPACES:
        if has_module(where):
            _override_namespace(f"torch.{where}", vars(import_module(f"{_PACKAGE}.{where}")))
    _override_namespace("torch", vars(import_module(_PACKAGE)))
    _override(import_module(f"{_PACKAGE}.autograd").grad, "torch.autograd.grad")
    return True


def _override_namespace(prefix: str, namespace: dict[str, Any]) -> None:
    for name, function in list(namespace.items()):
        if isinstance(function, FunctionType) and name not in _NEVER and not name.startswith("_"):
            _override(function, f"{prefix}.{name}")


def _override(function: Any, name: str, known_as: Any = None, operator: bool = False) -> None:
    """Exchange the code of `function`, once, for one that asks first."""
    if function in NAMES or not function.__module__.startswith(_PACKAGE):
        return
    NAMES[function] = name
    plain = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    plain.__kwdefaults__ = function.__kwdefaults__
    known_as = known_as or function
    if name.startswith("torch.Tensor."):
        function.__name__ = name.rpartition(".")[2]
        function.__qualname__ = f"Tensor.{function.__name__}"
    plain.__qualname__ = function.__qualname__  # by which Python's errors call it
    call: Any = partial(_call, known_as, plain)
    if operator:
        call = partial(_operate, known_as, plain)
    elif name.removeprefix("torch.") in _NOT_ABOUT_TENSORS:
        call = partial(_create, known_as, plain)
    code = _asking(function.__code__.co_freevars)
    function.__code__ = code.replace(
        co_name=function.__name__,
        co_consts=tuple(call if each == _CALL else each for each in code.co_consts),
    )
    function.__defaults__ = function.__kwdefaults__ = None


_CALL = "what is called"


@cache
def _asking(cells: tuple[str, ...]) -> CodeType:
    """The code of `def f(*args, **kwargs): return CALL(args, kwargs)`, closed over `cells`, as code to exchange must be."""
    kept = "".join(f"{cell}, " for cell in cells)
    body = f"_asking = {_CALL!r}; ({kept}); return _asking(args, kwargs)"
    namespace: dict[str, Any] = {}
    exec(compile(f"def outer({kept}):\n def f(*args, **kwargs): {body}\n return f", __file__, "exec"), namespace)
    code: CodeType = namespace["outer"](*cells).__code__
    return code


# -- what they do ------------------------------------------------------------------------------------------------------------


def _call(
    function: Callable[..., Any], plain: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """What every overridable function does: ask, or compute."""
    modes = state.modes if state.use_modes else ()
    if not state.subclasses and not modes:
        return plain(*args, **kwargs)
    found = overloaded((*args, *kwargs.values())) if state.subclasses else []
    return ask(function, found, args, kwargs) if found or modes else plain(*args, **kwargs)


def _operate(
    function: Callable[..., Any], plain: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """A binary operator: what it is not defined for, or what nobody has an answer to, is for Python to refuse."""
    try:
        return _call(function, plain, args, kwargs)
    except TypeError:
        return NotImplemented


def _create(
    function: Callable[..., Any], plain: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if state.use_modes and state.modes:
        return ask(function, [], args, kwargs)
    if not state.subclasses:
        return plain(*args, **kwargs)
    with DisableTorchFunctionSubclass():
        return plain(*args, **kwargs)


# -- properties ------------------------------------------------------------------------------------------------------------


class Properties:
    """Stands before Tensor in the order of subclasses: there, each property of Tensor's asks first."""

    __slots__ = ()


def attributes_of_tensor() -> dict[str, Any]:
    """What Tensor has of its own, and what it inherits."""
    return {name: each for base in reversed(Tensor.__mro__[:-1]) for name, each in vars(base).items()}


def _override_properties() -> None:
    for name, each in attributes_of_tensor().items():
        if isinstance(each, property) and not name.startswith("__"):
            setattr(Properties, name, _overridable(name, each))


def _overridable(name: str, plain: property) -> property:
    def asking(accessor: str) -> Callable[..., Any]:
        function = getattr(plain, accessor)
        NAMES[function] = f"torch.Tensor.{name}.{accessor}"

        def access(self: Tensor, *args: Any) -> Any:
            if state.subclasses:
                return ask(function, [self], (self, *args), {})
            return function(self, *args)

        return access

    return property(
        asking("__get__"),
        asking("__set__") if plain.fset else None,
        asking("__delete__") if plain.fdel else None,
        plain.__doc__,
    )
