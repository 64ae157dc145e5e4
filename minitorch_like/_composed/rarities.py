"""Methods of Tensor that few scripts call: small questions, elementwise Python functions, devices and layouts that there
are not."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from .._capture import reads_values
from .._device import device as Device
from .._device import require_cpu
from .._dtype import FROM_NUMPY
from .._functions import by_signature
from .._history import alone
from .._tensor import Tensor
from .._writing import check_writable
from ..ops._checks import cast
from ..ops._misfits import check_callable, only_argument, type_name
from ..ops._signature import NOBODY, check_bound

PUBLIC: dict[str, Callable[..., Any]] = {}

# -- questions about one tensor ----------------------------------------------------------------------------------------


@by_signature("(Tensor input, Tensor other)", into=PUBLIC)
def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether the shapes are equal."""
    return input._data.shape == other._data.shape


@by_signature("(Tensor input)", into=PUBLIC, method=False)
def is_inference(input: Tensor) -> bool:
    """Whether the tensor was made in inference mode."""
    return input.is_inference()


@by_signature("(Tensor input)", into=PUBLIC)
def is_distributed(input: Tensor) -> bool:
    return False


@by_signature("(Tensor input)", into=PUBLIC)
def get_device(input: Tensor) -> int:
    """-1: the tensor is on no numbered device."""
    return -1


# -- Python functions, element by element --------------------------------------------------------------------------------


def apply_(self: Tensor = NOBODY, /, *args: Any, **kwargs: Any) -> Tensor:
    """(callable) -> this tensor, each of whose elements has become `callable` of itself."""
    check_bound(self, "apply_")
    return _with_python("apply_", self, {}, only_argument("apply_", args, kwargs, "TensorBase"))


@by_signature("(Tensor self, Tensor other, object callable)", public=False)
def map_(self: Tensor, other: Tensor, callable: Any) -> Tensor:
    """Each element becomes `callable` of itself and that of `other`."""
    return _with_python("map_", self, {"'other'": other}, callable)


@by_signature("(Tensor self, Tensor x, Tensor y, object callable)", public=False)
def map2_(self: Tensor, x: Tensor, y: Tensor, callable: Any) -> Tensor:
    """Each element becomes `callable` of itself and those of `x` and `y`."""
    return _with_python("map2_", self, {"argument 'x'": x, "argument 'y'": y}, callable)


def _with_python(name: str, target: Tensor, operands: dict[str, Tensor], function: Callable[..., Any]) -> Tensor:
    """`target`, filled by a Python function of its elements and of the operands', which errors call as they do here."""
    if any(each.requires_grad for each in (target, *operands.values())):
        raise RuntimeError(f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead.")
    for label, each in operands.items():
        if each.dtype is not target.dtype:
            raise TypeError(f"{name}: expected {_type_of(target)} for {label} (got {_type_of(each)})")
    check_writable(target, False)
    reads_values(f"{name}()")
    _fill(target, [_expanded(each, target) for each in operands.values()], function)
    return target


def _type_of(tensor: Tensor) -> str:
    """The name of a legacy type; where there was none, that of C++."""
    kind = tensor.dtype
    if tensor._data.dtype.kind in "bVc":
        return f"CPU{kind.title}Type"
    return kind.tensor_type


def _expanded(tensor: Tensor, like: Tensor) -> Any:
    return tensor.expand(like._data.shape)._data


def _fill(target: Tensor, operands: list[Any], function: Callable[..., Any]) -> None:
    array = target._data
    if array.size:
        check_callable(function)
    for place in np.ndindex(array.shape):
        value = function(array[place].item(), *(each[place].item() for each in operands))
        array[place] = _element(value, array.dtype)  # which torch's version counter does not see either


def _element(value: Any, kind: np.dtype[Any]) -> Any:
    """A result of Python's as an element, as C converts it."""
    if kind.kind in "fV":
        if not isinstance(value, (int, float)) and not hasattr(value, "__float__"):
            raise TypeError(f"must be real number, not {type_name(value)}")
        return float(value)
    if kind.kind in "iu":
        number = int(value)
        if not -(1 << 8 * kind.itemsize - 1) <= number < 1 << 8 * kind.itemsize:
            raise RuntimeError(f"value cannot be converted to type {FROM_NUMPY[kind].name} without overflow")
        return cast(number, kind)
    return value


# -- devices -----------------------------------------------------------------------------------------------------------------


_WHERE = "device? device=None, bool {}=False, *, memory_format? memory_format=None"


def _to_device(kind: str) -> None:
    def method(self: Tensor, device: Any = None, **options: Any) -> Tensor:
        if device is not None and not isinstance(device, int) and Device(device).type != kind:
            raise RuntimeError(f"Invalid device, must be {kind} device")
        require_cpu(kind if device is None else device)
        return self

    method.__name__ = method.__qualname__ = kind
    texts = [f"(Tensor self, {_WHERE.format(name)})" for name in ("non_blocking", "async")]
    by_signature(texts[0], f"{texts[1]}|deprecated", public=False)(method)


for _kind in ("cuda", "xpu", "ipu"):
    _to_device(_kind)


# -- layouts -----------------------------------------------------------------------------------------------------------------


@by_signature("(Tensor self, dtype? dtype=None, *, bool? masked_grad=None)", public=False)
def to_dense(self: Any, dtype: Any = None, masked_grad: bool | None = None) -> Tensor:
    """Itself, or its conversion: every tensor is dense."""
    return self if dtype is None else self.to(dtype)


@alone
def dense_dim(self: Tensor) -> int:
    return self._data.ndim


@alone
def sparse_dim(self: Tensor) -> int:
    return 0


def _sparse_only(name: str, layout: str) -> Callable[..., NoReturn]:
    def method(self: Tensor) -> NoReturn:
        raise RuntimeError(f"{name} expected {layout} layout but got Strided")

    return alone(method, name)


# The signatures of what makes tensors of other layouts: wrong calls are refused as such, and right ones by name.
_OTHER_LAYOUTS = {
    "to_mkldnn": ("(Tensor self, dtype? dtype=None)",),
    "to_sparse": (
        "(Tensor self, *, layout? layout=None, int[2]? blocksize=None, int? dense_dim=None)",
        "(Tensor self, int sparse_dim)",
    ),
    "to_sparse_bsc": ("(Tensor self, int[2] blocksize, int? dense_dim=None)",),
    "to_sparse_bsr": ("(Tensor self, int[2] blocksize, int? dense_dim=None)",),
    "to_sparse_csc": ("(Tensor self, int? dense_dim=None)",),
    "to_sparse_csr": ("(Tensor self, int? dense_dim=None)",),
}


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
    for name, texts in _OTHER_LAYOUTS.items():
        by_signature(*texts, public=False)(_no_sparse(name))
    for name, each in _attributes().items():
        if not hasattr(Tensor, name):
            setattr(Tensor, name, each)


def _attributes() -> dict[str, Any]:
    methods = (apply_, dense_dim, sparse_dim)
    return {
        **{method.__name__: method for method in methods},
        **{name: _sparse_only(name, "sparse coordinate tensor") for name in ("coalesce", "indices", "is_coalesced")},
        "values": _sparse_only("values", "sparse tensor"),
        "to_sparse_coo": _no_sparse("to_sparse_coo"),
        **dict.fromkeys(("is_ipu", "is_maia", "is_mtia", "is_sparse_csr", "is_vulkan", "is_xla"), False),
        "name": None,
        "output_nr": property(lambda self: self._number),
        "volatile": property(_volatile),
        "grad_dtype": property(_grad_dtype),
    }


_install()
