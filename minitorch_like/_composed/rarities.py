"""Methods of Tensor that few scripts call: small questions, elementwise Python functions, devices and layouts that there
are not."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from .._bind import check_writable
from .._capture import reads_values
from .._device import device as Device
from .._device import require_cpu
from .._dtype import FROM_NUMPY
from .._tensor import Tensor
from ..ops._checks import cast
from ..ops._signature import Reader

PUBLIC: dict[str, Callable[..., Any]] = {}

# -- questions about one tensor ----------------------------------------------------------------------------------------


def _about_tensors(*texts: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a function be called by torch's signatures, as a function and as a method."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        name = function.__name__
        as_function, as_method = Reader(name, texts), Reader(name, texts, method=True)

        def call(*args: Any, **kwargs: Any) -> Any:
            return function(**as_function.read(args, kwargs)[1])

        def call_method(self: Tensor, /, *args: Any, **kwargs: Any) -> Any:
            return function(self, **as_method.read(args, kwargs)[1])

        for each in (call, call_method):
            each.__name__ = each.__qualname__ = name
            each.__doc__ = function.__doc__
        PUBLIC[name] = call
        if not hasattr(Tensor, name):
            setattr(Tensor, name, call_method)
        return call

    return decorate


@_about_tensors("(Tensor input)")
def is_nonzero(input: Tensor) -> bool:
    """The truth value of the only element."""
    return bool(input)


@_about_tensors("(Tensor input)")
def numel(input: Tensor) -> int:
    """The number of elements."""
    return input._data.size


@_about_tensors("(Tensor input, Tensor other)")
def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether the shapes are equal."""
    return input._data.shape == other._data.shape


@_about_tensors("(Tensor input)")
def is_inference(input: Tensor) -> bool:
    """Whether the tensor was made in inference mode."""
    return input._version_counter is None


@_about_tensors("(Tensor input)")
def is_distributed(input: Tensor) -> bool:
    return False


@_about_tensors("(Tensor input)")
def get_device(input: Tensor) -> int:
    """-1: the tensor is on no numbered device."""
    return -1


# -- Python functions, element by element --------------------------------------------------------------------------------


def _with_python(name: str, others: int) -> Callable[..., Tensor]:
    """`x.apply_(f)`, `x.map_(y, f)`, `x.map2_(y, z, f)`: each element becomes `f` of those at its place."""
    names = ("other",) if others == 1 else ("x", "y")
    reader = Reader(
        name, (f"(Tensor self, {', '.join(f'Tensor {each}' for each in names)}, object callable)",), method=True
    )

    def method(self: Tensor, /, *args: Any, **kwargs: Any) -> Tensor:
        if others:
            values = reader.read(args, kwargs)[1]
            *operands, function = (values[each] for each in (*names, "callable"))
        else:
            if len(args) != 1:
                raise TypeError(f"TensorBase.{name}() takes exactly one argument ({len(args)} given)")
            operands, function = [], args[0]
        if any(each.requires_grad for each in (self, *operands)):
            raise RuntimeError(
                f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead."
            )
        for each, label in zip(operands, names, strict=False):
            _check_same_type(name, label, self, each)
        check_writable(self, False)
        reads_values(f"{name}()")
        _fill(self, [_expanded(each, self) for each in operands], function)
        return self

    method.__name__ = method.__qualname__ = name
    return method


def _check_same_type(name: str, label: str, tensor: Tensor, other: Tensor) -> None:
    if other.dtype is not tensor.dtype:
        raise TypeError(f"{name}: expected {tensor.type()} for '{label}' (got {other.type()})")


def _expanded(tensor: Tensor, like: Tensor) -> Any:
    return tensor.expand(like._data.shape)._data


def _fill(target: Tensor, operands: list[Any], function: Callable[..., Any]) -> None:
    array = target._data
    for place in np.ndindex(array.shape):
        value = function(array[place].item(), *(each[place].item() for each in operands))
        array[place] = _element(value, array.dtype)  # which torch's version counter does not see either


def _element(value: Any, kind: np.dtype[Any]) -> Any:
    """A result of Python's as an element, as C converts it."""
    if kind.kind in "fV":
        if not isinstance(value, (int, float)) and not hasattr(value, "__float__"):
            raise TypeError(f"must be real number, not {type(value).__name__}")
        return float(value)
    if kind.kind in "iu":
        number = int(value)
        if not -(1 << 8 * kind.itemsize - 1) <= number < 1 << 8 * kind.itemsize:
            raise RuntimeError(f"value cannot be converted to type {FROM_NUMPY[kind].name} without overflow")
        return cast(number, kind)
    return value


# -- devices -----------------------------------------------------------------------------------------------------------------


def _to_device(kind: str) -> Callable[..., Tensor]:
    def method(self: Tensor, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
        if device is not None and not isinstance(device, int) and Device(device).type != kind:
            raise RuntimeError(f"Invalid device, must be {kind} device")
        require_cpu(kind if device is None else device)
        return self

    method.__name__ = method.__qualname__ = kind
    return method


# -- layouts -----------------------------------------------------------------------------------------------------------------


def to_dense(self: Tensor, dtype: Any = None, *, masked_grad: bool | None = None) -> Tensor:
    """Itself, or its conversion: every tensor is dense."""
    return self if dtype is None else self.to(dtype)


def dense_dim(self: Tensor) -> int:
    return self._data.ndim


def sparse_dim(self: Tensor) -> int:
    return 0


def _sparse_only(name: str, layout: str) -> Callable[..., NoReturn]:
    def method(self: Tensor, *args: Any) -> NoReturn:
        raise RuntimeError(f"{name} expected {layout} layout but got Strided")

    method.__name__ = method.__qualname__ = name
    return method


def _no_sparse(name: str) -> Callable[..., NoReturn]:
    def method(self: Tensor, /, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"Tensor.{name}: minitorch_like has dense tensors only")

    method.__name__ = method.__qualname__ = name
    return method


# -- what tensors once had -----------------------------------------------------------------------------------------------------


def _volatile(self: Tensor) -> bool:
    warnings.warn("volatile was removed (Variable.volatile is always False)", stacklevel=2)
    return False


def _grad_dtype(self: Tensor) -> Any:
    """The dtype that gradients must have: that of the tensor."""
    return self.dtype


def _install() -> None:
    """Make these methods those of Tensor, which keeps the ones that it has."""
    for kind in ("cuda", "xpu", "ipu"):
        setattr(Tensor, kind, _to_device(kind))
    for name, each in _attributes().items():
        if not hasattr(Tensor, name):
            setattr(Tensor, name, each)


def _attributes() -> dict[str, Any]:
    methods = (to_dense, dense_dim, sparse_dim)
    return {
        **{name: _with_python(name, others) for others, name in enumerate(("apply_", "map_", "map2_"))},
        **{method.__name__: method for method in methods},
        **{name: _sparse_only(name, "sparse coordinate tensor") for name in ("coalesce", "indices", "is_coalesced")},
        "values": _sparse_only("values", "sparse tensor"),
        **{
            name: _no_sparse(name)
            for name in ("to_sparse", "to_sparse_coo", "to_sparse_csr", "to_sparse_csc", "to_mkldnn")
        },
        **dict.fromkeys(("is_ipu", "is_maia", "is_mtia", "is_sparse_csr", "is_vulkan", "is_xla"), False),
        "name": None,
        "output_nr": property(lambda self: self._number),
        "volatile": property(_volatile),
        "grad_dtype": property(_grad_dtype),
    }


_install()
