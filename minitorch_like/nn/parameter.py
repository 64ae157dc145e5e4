"""`Parameter` and `Buffer`: the tensors that a `Module` recognises when they are assigned to it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, cast

from minitorch_like._creation import empty
from minitorch_like._tensor import Tensor, TensorMeta, disabled_torch_function


class _ParameterMeta(TensorMeta):
    """A tensor of a foreign class counts as a Parameter when it has been made one."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return super().__instancecheck__(instance) or (
            cls is Parameter and isinstance(instance, Tensor) and getattr(instance, "_is_param", False)
        )


class Parameter(Tensor, metaclass=_ParameterMeta):
    """A leaf that shares the memory of `data` and that modules register and optimisers train.

    Args:
        data: a tensor of any shape (default: an empty one).
        requires_grad: whether gradients accumulate in it, whatever the grad mode of the moment.

    Raises: RuntimeError if it is to require a gradient and `data` holds integers; AttributeError if `data` is
    no tensor.
    """

    __torch_function__: Any = disabled_torch_function  # what is computed from a Parameter is a Tensor

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = empty(0)
        leaf: Any = data.detach()
        same_class = type(leaf) is type(data)
        if type(data) is Tensor or type(data) is Parameter:
            _check_flag(requires_grad)
            if requires_grad and not (data.dtype.is_floating_point or data.dtype.is_complex):
                raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
            leaf.__class__ = cls
        elif same_class:
            leaf._is_param = True
        else:
            raise RuntimeError(
                f"Creating a Parameter from an instance of type {type(data).__name__} requires that detach()"
                f" returns an instance of the same type, but return type {type(leaf).__name__} was found"
                " instead. To use the type as a Parameter, please correct the detach() semantics defined by"
                " its __torch_dispatch__() implementation."
            )
        return cast(Parameter, leaf.requires_grad_(requires_grad))

    def __repr__(self) -> str:  # type: ignore[override]  # torch's takes no `tensor_contents` either
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        """The data is copied; a gradient and attributes of one's own are not."""
        if id(self) not in memo:
            data: Any = self.data
            memo[id(self)] = type(self)(data.clone(), self.requires_grad)
        return cast(Parameter, memo[id(self)])

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        hooks: OrderedDict[int, Any] = OrderedDict()  # hooks are not saved; the format has a place for them
        arguments = (self.data, self.requires_grad, hooks)
        if self.__dict__:
            return _rebuild_parameter_with_state, (*arguments, self.__dict__)
        return _rebuild_parameter, arguments


class _BufferMeta(TensorMeta):
    """`isinstance(t, Buffer)` asks for the mark that `Buffer` leaves, not for a class."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return super().__instancecheck__(instance) or (
            cls is Buffer and isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)
        )


class Buffer(Tensor, metaclass=_BufferMeta):
    """State that is not trained: a tensor that shares the memory of `data` and that modules register.

    Args:
        data: a tensor of any shape and dtype (default: an empty one).
        persistent: whether the buffer is part of the module's `state_dict`.
    """

    __torch_function__: Any = disabled_torch_function

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        if data is None:
            data = empty(0)
        marked: Any = data.detach().requires_grad_(data.requires_grad)
        marked.persistent = persistent
        marked._is_buffer = True
        return cast(Buffer, marked)


def _check_flag(requires_grad: object) -> None:
    if not isinstance(requires_grad, bool):
        kind = type(requires_grad).__name__
        raise TypeError(f"_make_subclass(): argument 'require_grad' (position 3) must be bool, not {kind}")


def _rebuild_parameter(data: Tensor, requires_grad: bool, backward_hooks: Any) -> Parameter:
    return Parameter(data, requires_grad)


def _rebuild_parameter_with_state(
    data: Tensor, requires_grad: bool, backward_hooks: Any, state: dict[str, Any]
) -> Parameter:
    parameter = Parameter(data, requires_grad)
    parameter.__dict__.update(state)
    return parameter
