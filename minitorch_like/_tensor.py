"""Tensor: one ndarray and its autograd metadata.

What belongs to the object itself is written here; the operators and the methods that are ops are bound from the
op table by `_functions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ._capture import mode, reads_values, structure
from ._device import device
from ._dtype import DIFFERENTIABLE_KINDS, FLOATING_KINDS, FROM_NUMPY, dtype
from ._history import History, alone, exchanged_version, fall_asleep, own_version, read_alone, refuse
from ._layout import address_of, expose, strides_of
from ._size import Size, trusted
from .autograd.graph import Node, note_shape
from .ops._checks import real_number, wrap_dim
from .ops._signature import NOBODY, UNGIVEN, check_bound
from .ops.indexing import storage_offset_of

_CPU = device("cpu")


def disabled_torch_function(function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """The `__torch_function__` of classes which decline to have one: their instances are treated as plain tensors."""
    from ._torch_function import without_overrides

    return without_overrides(function, args, kwargs)


class TensorMeta(type):
    """The class of Tensor and of its subclasses."""

    def mro(cls) -> list[type]:
        """Before Tensor, in the order of subclasses that have a say in what functions do, stand overridable properties."""
        order = type.mro(cls)
        if len(order) > 3 and _has_a_say(order):
            from ._overridable import Properties

            order.insert(order.index(Tensor), Properties)
        return order

    def __init__(cls, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "__torch_dispatch__" in vars(cls):
            raise NotImplementedError(f"{cls.__name__}.__torch_dispatch__: minitorch_like asks __torch_function__ only")
        order = cls.__mro__
        if len(order) > 3 and _has_a_say(order):
            from ._overridable import activate

            activate()

    def __getattr__(cls, name: str) -> Any:
        """`Tensor.f`, for a method that is still to be declared; see `_later`."""
        if not name.startswith("_") and _complete():
            return getattr(cls, name)
        raise AttributeError(f"type object '{cls.__name__}' has no attribute '{name}'")


def _has_a_say(order: Sequence[type]) -> bool:
    """Whether the `__torch_function__` that a subclass of Tensor has is not the one that declines."""
    found = next(vars(each)["__torch_function__"] for each in order if "__torch_function__" in vars(each))
    return getattr(found, "__func__", found) is not disabled_torch_function


def _complete() -> bool:
    from ._later import complete

    return complete()


def _late(name: str) -> Any:
    """The special method `name` until it is called: then all that are defined in `_protocols` take their places."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        from ._protocols import take_places

        take_places()
        return getattr(Tensor, name)(self, *args, **kwargs)

    return method


def _parts() -> Any:
    """The module of complex tensors."""
    _complete()
    from ._composed import complex as _complex

    return _complex


class Tensor(History, metaclass=TensorMeta):
    """A multi-dimensional array that remembers how it was computed."""

    __module__ = "minitorch_like"  # where users and pickles find it
    __slots__ = ("__dict__", "__weakref__")
    __array_priority__ = 1000  # ndarray's operators leave the work to ours

    def __getattr__(self, name: str) -> Any:
        """A method that is still to be declared; see `_later`."""
        if not name.startswith("_") and _complete():
            return getattr(self, name)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    if TYPE_CHECKING:  # bound from the op table
        __add__: Any
        __radd__: Any
        __iadd__: Any
        __sub__: Any
        __rsub__: Any
        __isub__: Any
        __mul__: Any
        __rmul__: Any
        __imul__: Any
        __truediv__: Any
        __rtruediv__: Any
        __itruediv__: Any
        __floordiv__: Any
        __mod__: Any
        __pow__: Any
        __rpow__: Any
        __matmul__: Any
        __and__: Any
        __or__: Any
        __xor__: Any
        __eq__: Any
        __ne__: Any
        __lt__: Any
        __le__: Any
        __gt__: Any
        __ge__: Any

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """What functions do with instances of `cls`; by default, what they do with tensors, with results of `cls`."""
        from ._torch_function import default

        return default(cls, func, types, args, kwargs)

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        from ._creation import legacy_tensor

        return legacy_tensor(cls, *args, **kwargs)

    def as_subclass(self=NOBODY, /, *args: Any, **kwargs: Any) -> Any:
        """(cls) -> this tensor, as a view, in another class."""
        from ._torch_function import as_subclass

        return as_subclass(self, read_alone("as_subclass", self, args, kwargs))

    @staticmethod
    def _make_subclass(subclass: Any, data: Any, require_grad: bool = False) -> Any:
        """A leaf of class `subclass` on the memory of `data`."""
        from ._torch_function import make_subclass

        return make_subclass(subclass, data, require_grad)

    @staticmethod
    def _make_wrapper_subclass(subclass: Any, *args: Any, **kwargs: Any) -> Any:
        from ._torch_function import make_wrapper_subclass

        return make_wrapper_subclass(subclass, *args, **kwargs)

    # -- what it is ---------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        return trusted(self._data.shape)

    def size(self=NOBODY, dim: int | None = UNGIVEN, /, *args: Any, **kwargs: Any) -> Any:
        """The shape, or its entry at `dim`."""
        if dim is UNGIVEN and not kwargs:
            return trusted(self._data.shape)
        if args or kwargs:
            check_bound(self, "size")
            named = len(kwargs) == 1 and not args and dim is UNGIVEN and kwargs.get("dim").__class__ is int
            dim = kwargs["dim"] if named else read_alone("size", self, (dim, *args), kwargs)
        shape = self._data.shape
        if dim.__class__ is int and -len(shape) <= dim < len(shape):
            return shape[dim]
        return _entry(self, shape, dim, "size")

    @property
    def dtype(self) -> dtype:
        return FROM_NUMPY[self._data.dtype]

    @property
    def device(self) -> device:
        return _CPU

    @property
    def layout(self) -> Any:
        from ._layout import strided

        return strided

    @property
    def ndim(self) -> int:
        return self._data.ndim

    def dim(self=NOBODY, /, *args: Any, **kwargs: Any) -> int:
        if args or kwargs:
            refuse(self, "dim", args, kwargs)
        return self._data.ndim

    ndimension = alone(dim, "ndimension")

    def numel(self=NOBODY, /, *args: Any, **kwargs: Any) -> int:
        if args or kwargs:
            refuse(self, "numel", args, kwargs)
        return self._data.size

    nelement = alone(numel, "nelement")

    @alone
    def element_size(self) -> int:
        return self._data.itemsize

    @property
    def itemsize(self) -> int:
        return self._data.itemsize

    @property
    def nbytes(self) -> int:
        return self._data.nbytes

    def stride(self=NOBODY, dim: int | None = UNGIVEN, /, *args: Any, **kwargs: Any) -> Any:
        """The strides in elements, or the one of `dim`."""
        if args or kwargs or self is NOBODY:
            dim = read_alone("stride", self, (dim, *args), kwargs)
        array = self._data
        step = array.itemsize
        strides = tuple([each // step for each in (strides_of(array) if self._view is None else array.strides)])
        return strides if dim is UNGIVEN else _entry(self, strides, dim, "stride")

    @alone
    def storage_offset(self) -> int:
        return storage_offset_of(self._data)

    @alone
    def data_ptr(self) -> int:
        """The address of the first element; 0 for an empty tensor."""
        return address_of(self._data) if self._data.size else 0

    def is_contiguous(self=NOBODY, /, *args: Any, **kwargs: Any) -> bool:
        """Whether the elements lie in memory row by row, or as a `memory_format` says."""
        if args or kwargs or self is NOBODY:
            _complete()
            from ._composed.shapes import is_contiguous

            return is_contiguous(self, *args, **kwargs)
        return self._data.flags.c_contiguous

    @alone
    def is_floating_point(self) -> bool:
        return self._data.dtype.kind in FLOATING_KINDS

    @alone
    def is_complex(self) -> bool:
        return self._data.dtype.kind == "c"

    @alone
    def is_signed(self) -> bool:
        return self._data.dtype.kind not in "ub"

    is_cuda = is_sparse = is_quantized = is_meta = is_mps = is_xpu = is_mkldnn = is_nested = False
    is_cpu = True

    @property
    def T(self) -> Any:
        if self._data.ndim == 2:
            return self.permute((1, 0))
        _complete()
        from ._composed.shapes import reversed_dims

        return reversed_dims(self)

    @property
    def mT(self) -> Any:
        if self._data.ndim >= 2:
            return self.transpose(-2, -1)
        _complete()
        from ._composed.shapes import transposed_matrices

        return transposed_matrices(self, "Tensor.mT", "This function is the identity in these cases.")

    @property
    def real(self) -> Any:
        """The real parts, in the same memory; a real tensor is its own."""
        return _parts().part(self, "real")

    @real.setter
    def real(self, value: Any) -> None:
        _parts().set_part(self, "real", value)

    @property
    def imag(self) -> Any:
        """The imaginary parts, in the same memory.  RuntimeError for a real tensor."""
        return _parts().part(self, "imag")

    @imag.setter
    def imag(self, value: Any) -> None:
        _parts().set_part(self, "imag", value)

    def detach(self=NOBODY, /, *args: Any, **kwargs: Any) -> Tensor:
        """The same memory without history."""
        if args or kwargs:
            refuse(self, "detach", args, kwargs)
        data = self._data
        # One array a tensor, so that what a graph has saved is known by its array; edges tell the others apart.
        out = wrap(data if self._node is not None else data.view())
        counter = self._version_counter
        out._version_counter = own_version() if counter.__class__ is not list and self.is_inference() else counter
        return out

    @alone
    def detach_(self) -> Tensor:
        """Forget the history."""
        if mode.inference:
            return self
        if self._view is not None:
            raise RuntimeError(
                "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for "
                "training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence "
                "detach_() cannot be called on these gradients. To fix this error, please refer to the "
                "Optimizer.zero_grad() function in torch/optim/optimizer.py as the solution."
            )
        if self._node is not None:
            if not self._has_no_history():
                from ._set_data import note_detached

                note_detached(self)
            fall_asleep(self)
            self._node, self._number = None, 0
        return self

    @property
    def data(self) -> Tensor:
        """The same memory without history, whose changes no version counts."""
        expose(self._data)
        out = wrap(self._data)
        out._version_counter = own_version() if self.is_inference() else [0]
        return out

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if self.requires_grad and value._data.dtype.kind not in DIFFERENTIABLE_KINDS:
            raise RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
        old, self._data = self._data, value._data
        structure.changed()
        note_shape(self)
        if self._data is not old:
            from ._set_data import replace_saved

            replace_saved(self, old)
        inference = value.is_inference()
        if inference is not self.is_inference():
            self._version_counter = exchanged_version(self._version_counter, inference)

    @data.deleter
    def data(self) -> None:
        raise RuntimeError("Deleting tensor data is not allowed. Delete tensor instead!")

    def _typed_storage(self) -> Any:
        from ._storage import TypedStorage

        return TypedStorage(wrap_storage=self.untyped_storage(), dtype=self.dtype)

    # -- Python ---------------------------------------------------------------------------------------------

    def item(self=NOBODY, /, *args: Any, **kwargs: Any) -> Any:
        """The only element as a Python number."""
        if args or kwargs:
            refuse(self, "item", args, kwargs)
        data = self._data
        if data.size != 1:
            raise RuntimeError(f"a Tensor with {data.size} elements cannot be converted to Scalar")
        if mode.recorder is not None:
            mode.recorder.refuse("item() reads a value that the next step may change")
        return data.item()

    @alone
    def tolist(self) -> Any:
        reads_values("tolist()")
        return self._data.tolist()

    def numpy(self=NOBODY, /, *args: Any, force: bool = False, **kwargs: Any) -> np.ndarray[Any, np.dtype[Any]]:
        """The memory as an ndarray."""
        if args or kwargs or force.__class__ is not bool:
            read_alone("numpy", self, args, kwargs if force is False else {"force": force, **kwargs})
        data: Any = self._data
        if data.dtype.kind == "V":
            raise TypeError("Got unsupported ScalarType BFloat16")
        if (self._node is not None or self._view is not None) and self.requires_grad and not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        if mode.recorder is not None:
            mode.recorder.refuse("numpy() hands out memory that the plan would not see")
        if data.__class__ is not np.ndarray:
            return data.exported(force)
        return data.view()  # whose shape may be set without changing this tensor's

    def __bool__(self) -> bool:
        data = self._data
        if data.size > 1:
            raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
        if data.size == 0:
            raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
        return bool(self.item())

    def __float__(self) -> float:
        number = self._scalar()
        if self._node is not None:
            warn_of_lost_history()
        return float(real_number(number, "double") if number.__class__ is complex else number)

    def __int__(self) -> int:
        number = self._scalar()
        return int(real_number(number, "int64_t") if number.__class__ is complex else number)

    def _scalar(self) -> Any:
        if self._data.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return self.item()

    def __index__(self) -> int:
        if self._data.size != 1 or self._data.dtype.kind not in "iub":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __len__(self) -> int:
        if not self._data.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self._data)

    def __iter__(self) -> Iterator[Tensor]:
        if not self._data.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __hash__(self) -> int:
        return id(self)

    def __invert__(self) -> Tensor:
        if self._data.dtype.kind not in "iub":
            raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
        return self.bitwise_not()

    def __neg__(self) -> Tensor:
        return self.neg()

    def __pos__(self) -> Tensor:
        return self.positive()

    def __abs__(self) -> Tensor:
        return self.abs()

    def __getitem__(self, index: Any) -> Tensor:
        from ._indexing import get

        return get(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        from ._indexing import put

        put(self, index, value)

    def __delitem__(self, index: Any) -> None:
        raise TypeError("Tensor does not support deleting items")

    def __repr__(self, *, tensor_contents: str | None = None) -> str:
        from ._printing import tensor_text

        return tensor_text(self, tensor_contents=tensor_contents)

    def __format__(self, spec: str) -> str:
        from ._printing import format_tensor

        return format_tensor(self, spec)

    __array__ = _late("__array__")
    __array_wrap__ = _late("__array_wrap__")
    __complex__ = _late("__complex__")
    __contains__ = _late("__contains__")
    __deepcopy__ = _late("__deepcopy__")
    __dir__ = _late("__dir__")
    __lshift__ = _late("__lshift__")
    __ilshift__ = _late("__ilshift__")
    __rlshift__ = _late("__rlshift__")
    __rshift__ = _late("__rshift__")
    __irshift__ = _late("__irshift__")
    __rrshift__ = _late("__rrshift__")
    __reduce_ex__ = _late("__reduce_ex__")
    __reversed__ = _late("__reversed__")
    __rmatmul__ = _late("__rmatmul__")
    __setstate__ = _late("__setstate__")


new_tensor: Callable[[type[Any]], Any] = object.__new__
asarray: Callable[[Any], Any] = np.asarray  # until there are conjugate views, see `_conjugation`


def wrap(array: Any, cls: type[Any] = Tensor) -> Any:
    """A leaf tensor over `array`, which is not copied; a NumPy scalar becomes a 0-d array."""
    if type(array) is not np.ndarray:
        array = asarray(array)
    tensor = new_tensor(cls)
    tensor._data = array
    tensor._node = tensor._grad = tensor._view = None
    tensor._number = 0
    tensor._version_counter = None if mode.inference else [0]
    return tensor


def with_history(array: Any, node: Node | None, number: int) -> Tensor:
    """A tensor over `array` as output `number` of `node`."""
    tensor: Tensor = wrap(array)
    tensor._node, tensor._number = node, number
    return tensor


def warn_of_lost_history() -> None:
    """What torch says, once, of a Python number that was made of a tensor which requires grad."""
    from ._once import warn_once

    warn_once(
        "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\n"
        "Consider using tensor.detach() first."
    )


def _entry(self: Tensor, entries: tuple[int, ...], dim: Any, method: str) -> Any:
    """What `size` and `stride` answer about `dim`.  TypeError, or IndexError out of range."""
    if dim.__class__ is not int:
        dim = read_alone(method, self, (dim,), {})
        if dim is None:
            return trusted(entries) if method == "size" else entries
    elif dim.bit_length() > 63:
        read_alone(method, self, (dim,), {})
    if not entries:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return entries[wrap_dim(dim, len(entries))]
