"""Tensor: one ndarray and its autograd metadata.

What belongs to the object itself is written here; the operators and the methods that are ops are bound from the
op table by `_functions`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ._capture import mode, reads_values, structure
from ._device import device
from ._dtype import DIFFERENTIABLE_KINDS, FLOATING_KINDS, FROM_NUMPY, dtype, with_own_dtype
from ._size import Size, trusted
from .autograd.graph import AccumulateGrad, AsStridedBackward0, Node, add_hook, next_sequence
from .ops._checks import c_name, sizes, wrap_dim
from .ops.indexing import storage_offset_of

_CPU = device("cpu")


class View:
    """What a tensor that shares its base's memory must know.

    Attributes:
        base: the tensor that is not a view.
        version: the version counter when the view's node was made; a later one makes the node stale.
        creation: None, or why the view must not be written to while recording ("several", "no_grad").
    """

    __slots__ = ("base", "creation", "version")

    def __init__(self, base: Tensor, version: int, creation: str | None) -> None:
        self.base = base
        self.version = version
        self.creation = creation


class FoldedView(View):
    """Of a result that torch computes as a matrix and then views in another shape.

    The base is that matrix.  Few ask for it, so that it is made then, from the result's `array` and history.
    """

    __slots__ = ("array", "counter", "node")

    def __init__(self, tensor: Tensor) -> None:
        self.array, self.node, self.counter = tensor._data, tensor._node, tensor._version_counter
        self.version = 0
        self.creation = None if mode.grad else "no_grad"

    def __getattr__(self, name: str) -> Any:
        if name != "base":
            raise AttributeError(name)
        from ._record import matrix_of

        self.base = matrix_of(self.array, self.node)
        self.base._version_counter = self.counter
        return self.base


class TensorMeta(type):
    """The class of Tensor and of its subclasses."""

    def __getattr__(cls, name: str) -> Any:
        """`Tensor.f`, for a method that is still to be declared; see `_later`."""
        if not name.startswith("_") and _complete():
            return getattr(cls, name)
        raise AttributeError(f"type object '{cls.__name__}' has no attribute '{name}'")


def _complete() -> bool:
    from ._later import complete

    return complete()


class Tensor(metaclass=TensorMeta):
    """A multi-dimensional array that remembers how it was computed."""

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_data",
        "_grad",
        "_node",
        "_number",
        "_version_counter",
        "_view",
    )
    __array_priority__ = 1000  # ndarray's operators leave the work to ours

    _data: np.ndarray[Any, np.dtype[Any]]
    _node: Node | None  # of a leaf that requires grad: its AccumulateGrad
    _number: int  # which output of the node
    _grad: Any  # a Tensor, None, or the buffer of a compiled step
    _version_counter: Any  # [version], shared by all views of one memory; None on inference tensors
    _view: View | None

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

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        from ._creation import legacy_tensor

        return legacy_tensor(cls, *args, **kwargs)

    # -- what it is ---------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        return trusted(self._data.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or its entry at `dim`."""
        return trusted(self._data.shape) if dim is None else self._data.shape[wrap_dim(dim, self._data.ndim)]

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

    def dim(self) -> int:
        return self._data.ndim

    ndimension = dim

    def numel(self) -> int:
        return self._data.size

    nelement = numel

    def element_size(self) -> int:
        return self._data.itemsize

    @property
    def itemsize(self) -> int:
        return self._data.itemsize

    @property
    def nbytes(self) -> int:
        return self._data.nbytes

    def stride(self, dim: int | None = None) -> Any:
        """The strides in elements, or the one of `dim`."""
        step = self._data.itemsize
        strides = tuple(each // step for each in torch_strides(self._data))
        return strides if dim is None else strides[wrap_dim(dim, self._data.ndim)]

    def storage_offset(self) -> int:
        return storage_offset_of(self._data)

    def data_ptr(self) -> int:
        """The address of the first element; 0 for an empty tensor."""
        address: int = self._data.__array_interface__["data"][0]
        return address if self._data.size else 0

    def is_contiguous(self, memory_format: Any = None) -> bool:
        return self._data.flags.c_contiguous

    def is_floating_point(self) -> bool:
        return self._data.dtype.kind in FLOATING_KINDS

    def is_complex(self) -> bool:
        return self._data.dtype.kind == "c"

    def is_signed(self) -> bool:
        return self._data.dtype.kind not in "ub"

    is_cuda = is_sparse = is_quantized = is_meta = is_mps = is_xpu = is_mkldnn = is_nested = False
    is_cpu = True

    @property
    def T(self) -> Any:
        return self.permute(tuple(range(self._data.ndim))[::-1])

    @property
    def mT(self) -> Any:
        if self._data.ndim < 2:
            raise RuntimeError(
                f"tensor.mT is only supported on matrices or batches of matrices. Got {self._data.ndim}-D tensor."
            )
        return self.transpose(-2, -1)

    # -- autograd -----------------------------------------------------------------------------------------

    def grad_node(self) -> Node | None:
        """The node that a gradient for this tensor goes to; for a view whose base was written to, a new one."""
        view = self._view
        if view is not None and self._version_counter is not None and view.version != self._version_counter[0]:
            self._refresh(view)
        return self._node

    def _refresh(self, view: View) -> None:
        base = view.base
        base_node = base._node
        view.version = self._version_counter[0]
        if base_node is None or self._data.dtype.kind not in DIFFERENTIABLE_KINDS:
            return
        if isinstance(base_node, AccumulateGrad) and self._node is not None:
            return  # written to without recording: the recorded history still holds
        node = object.__new__(AsStridedBackward0)
        node.layout = (base._data, self._data)
        node.inputs = (base_node,)
        node.numbers = (base._number,)
        node.saved, node.versions = [], []
        node.sequence = next_sequence()
        node.shape, node.dtype = self._data.shape, self._data.dtype
        node.hooks = None
        self._node, self._number = node, 0

    @property
    def requires_grad(self) -> bool:
        if self.grad_node() is not None:
            return True
        view = self._view  # torch says so of a view made without recording, although nothing leads back from it
        return view is not None and view.creation == "no_grad" and view.base.requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise RuntimeError("requires_grad must be a bool")
        if not self.is_leaf:
            if value:
                return
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a "
                "subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        if value and self._data.dtype.kind not in DIFFERENTIABLE_KINDS:
            raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")
        if value and self._version_counter is None and not mode.inference:
            raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
        if not value:
            self._node = None
        elif self._node is None:
            self._node = AccumulateGrad(self)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Switch the recording of what is computed from this leaf."""
        if not isinstance(requires_grad, bool):
            raise TypeError(
                "requires_grad_(): argument 'requires_grad' (position 1) must be bool, not "
                f"{type(requires_grad).__name__}"
            )
        if requires_grad and self._data.dtype.kind not in DIFFERENTIABLE_KINDS:
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        node = self.grad_node()
        return node is None or node.__class__ is AccumulateGrad

    @property
    def grad_fn(self) -> Node | None:
        node = self.grad_node()
        return None if node.__class__ is AccumulateGrad else node

    @property
    def grad(self) -> Tensor | None:
        grad = self._grad
        if grad is not None and grad.__class__ is not Tensor and not isinstance(grad, Tensor):
            grad = self._grad = grad.materialise()
        return grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            self._check_grad(value)
        if mode.recorder is not None:
            mode.recorder.note_grad_assigned(self, value)
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def _check_grad(self, value: Any) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(
                f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
            )
        if value is self:
            raise RuntimeError("can't assign Variable as its own grad")
        if value._data.shape != self._data.shape:
            raise RuntimeError(
                f"attempting to assign a gradient of size '{sizes(value._data.shape)}' to a tensor of size "
                f"'{sizes(self._data.shape)}'. Please ensure that the gradient and the tensor are the same size"
            )
        if value._data.dtype is not self._data.dtype:
            raise RuntimeError(
                f"attempting to assign a gradient with dtype '{c_name(value._data)}' to a tensor with grad_dtype "
                f"'{self.dtype.title}'. The gradient must match the tensor's grad_dtype (defaults to the tensor's dtype). "
                "You can set the tensor's grad_dtype attribute with a specific dtype, or None to allow any dtype. Set "
                "grad_dtype with caution. Diverging the dtypes of a tensor and its gradient may break downstream systems "
                "that assume they match."
            )

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Accumulate into the leaves the gradient of this tensor; see `autograd.backward`."""
        from .autograd import backward

        backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def register_hook(self, hook: Callable[[Tensor], Any]) -> Any:
        """Call `hook(grad)` when this tensor's gradient is known; a Tensor it returns replaces the gradient."""
        node = self.grad_node()
        if node is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        return add_hook(node.own_hooks().tensors.setdefault(self._number, OrderedDict()), hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], Any]) -> Any:
        """Call `hook(leaf)` after this leaf's `grad` was updated."""
        node = self.grad_node()
        if node is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if not isinstance(node, AccumulateGrad):
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if node.post_hooks is None:
            node.post_hooks = OrderedDict()
        return add_hook(node.post_hooks, hook)

    def retain_grad(self) -> None:
        """Keep the gradient of this non-leaf in `grad` as well."""
        import weakref

        node = self.grad_node()
        if node is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if node.__class__ is not AccumulateGrad:
            node.own_hooks().retained[self._number] = weakref.ref(self)

    @property
    def retains_grad(self) -> bool:
        node = self.grad_node()
        return node is not None and node.hooks is not None and self._number in node.hooks.retained

    @property
    def _version(self) -> int:
        if self._version_counter is None:
            raise RuntimeError("Inference tensors do not track version counter.")
        return self._version_counter[0]

    def _bump(self) -> None:
        """Count a write to the memory."""
        if self._version_counter is not None:
            self._version_counter[0] += 1
            if mode.recorder is not None:
                mode.recorder.note_write(self._version_counter)

    def is_inference(self) -> bool:
        return self._version_counter is None

    @property
    def _base(self) -> Tensor | None:
        return None if self._view is None else self._view.base

    def _is_view(self) -> bool:
        return self._view is not None

    def detach(self) -> Tensor:
        """The same memory without history."""
        out = wrap(self._data)
        out._version_counter = self._version_counter
        return out

    def detach_(self) -> Tensor:
        """Forget the history."""
        if self._view is not None:
            raise RuntimeError(
                "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for "
                "training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence "
                "detach_() cannot be called on these gradients. To fix this error, please refer to the "
                "Optimizer.zero_grad() function in torch/optim/optimizer.py as the solution."
            )
        self._node, self._number = None, 0
        return self

    @property
    def data(self) -> Tensor:
        """The same memory without history, whose changes no version counts."""
        return wrap(self._data)

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        self._data = value._data
        structure.changed()
        if isinstance(self._node, AccumulateGrad):
            self._node.shape, self._node.dtype = self._data.shape, self._data.dtype

    # -- Python ---------------------------------------------------------------------------------------------

    def item(self) -> Any:
        """The only element as a Python number."""
        data = self._data
        if data.size != 1:
            raise RuntimeError(f"a Tensor with {data.size} elements cannot be converted to Scalar")
        if mode.recorder is not None:
            mode.recorder.refuse("item() reads a value that the next step may change")
        return data.item()

    def tolist(self) -> Any:
        reads_values("tolist()")
        return self._data.tolist()

    def numpy(self, *, force: bool = False) -> np.ndarray[Any, np.dtype[Any]]:
        """The memory as an ndarray."""
        if self.requires_grad and not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        if mode.recorder is not None:
            mode.recorder.refuse("numpy() hands out memory that the plan would not see")
        return self._data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, np.dtype[Any]]:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Tensor:
        return wrap(np.asarray(array))

    def __bool__(self) -> bool:
        data = self._data
        if data.size > 1:
            raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
        if data.size == 0:
            raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
        return bool(self.item())

    def __float__(self) -> float:
        return float(self._scalar())

    def __int__(self) -> int:
        return int(self._scalar())

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

    def __reversed__(self) -> Tensor:
        return self.flip(tuple(range(self._data.ndim))) if self._data.ndim else self

    def __contains__(self, element: Any) -> bool:
        if isinstance(element, (Tensor, int, float)):
            return bool((self == element).any())
        raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")

    def __hash__(self) -> int:
        return id(self)

    def __invert__(self) -> Tensor:
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

    def __repr__(self, *, tensor_contents: str | None = None) -> str:
        from ._printing import tensor_text

        return tensor_text(self, tensor_contents=tensor_contents)

    def __format__(self, spec: str) -> str:
        from ._printing import format_tensor

        return format_tensor(self, spec)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  "
                "If you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, "
                "see https://github.com/pytorch/pytorch/pull/103001"
            )
        if id(self) in memo:
            return memo[id(self)]
        import copy

        out = wrap(self._data.copy(order="K"), type(self))
        memo[id(self)] = out
        out.requires_grad = self.requires_grad
        if self._grad is not None:
            out._grad = self._grad.__deepcopy__(memo)
        out.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return out

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Fortran order survives pickling; other layouts become contiguous.
        return _rebuild, (self._data.copy(order="K"), self.requires_grad, self.__dict__)


new_tensor: Callable[[type[Any]], Any] = object.__new__


def wrap(array: Any, cls: type[Any] = Tensor) -> Any:
    """A leaf tensor over `array`, which is not copied; a NumPy scalar becomes a 0-d array."""
    if type(array) is not np.ndarray:
        array = np.asarray(array)
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


def torch_strides(array: Any) -> tuple[int, ...]:
    """The strides in bytes, with those of dimensions of size 0 or 1 as torch counts them in a contiguous tensor."""
    if not array.flags.c_contiguous:
        return tuple(array.strides)
    strides, step = [], array.itemsize
    for size in reversed(array.shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def _rebuild(array: Any, requires_grad: bool, attributes: dict[str, Any]) -> Tensor:
    tensor: Tensor = wrap(with_own_dtype(array))
    tensor.requires_grad = requires_grad
    tensor.__dict__.update(attributes)
    return tensor
