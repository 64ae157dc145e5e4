"""The half of a Tensor that is about its history: the node it came from, its gradient, its versions, its being a view."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

from ._capture import mode
from ._dtype import DIFFERENTIABLE_KINDS
from .autograd.graph import (
    ENDS,
    AccumulateGrad,
    Node,
    Nowhere,
    add_hook,
    move_retained,
    next_sequence,
    note_shape,
)
from .ops._checks import c_name, sizes, title
from .ops._signature import NOBODY, UNGIVEN, check_bound

if TYPE_CHECKING:
    from ._tensor import Tensor


class View:
    """What a tensor that shares its base's memory must know.

    Attributes:
        base: the tensor that is not a view.
        version: the version counter when the view's node was made; a later one makes the node stale.
        creation: None, or why the view must not be written to while recording ("several", "no_grad", "inference").
        node_type: of the node that the view has after its base was written to, where it is not AsStridedBackward0.
    """

    __slots__ = ("base", "creation", "version")
    node_type: ClassVar[type[Node] | None] = None

    def __init__(self, base: Tensor, version: int, creation: str | None) -> None:
        self.base = base
        self.version = version
        self.creation = creation


def view_by(name: Any) -> type[View]:
    """The class for views that only the op itself, whose nodes have this name, can make again: complex or real ones,
    conjugated, negated."""
    if name not in _views_by:
        from .autograd.slices import AsStridedBackward0

        node_type = type(name, (AsStridedBackward0,), {"__slots__": (), "__module__": AsStridedBackward0.__module__})
        _views_by[name] = type("View", (View,), {"__slots__": (), "node_type": node_type})
    return _views_by[name]


def remakes_itself(node: Node) -> bool:
    """Whether the node is that of a view which keeps the name of its history when its base is written to."""
    return type(node).__name__ in _views_by


_views_by: dict[str, type[View]] = {}


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


class InferenceVersion:
    """The version counter of the detached memory of a tensor of inference mode, which has none itself: it counts, but no
    graph can remember what it says."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def __setitem__(self, at: slice, title: list[str]) -> None:
        """What wrote last need not be known: no error will tell it."""

    def __getitem__(self, _: int) -> int:
        from ._record import refuse_inference

        refuse_inference()


class NoVersion(InferenceVersion):
    """In the place of the version counter of a tensor of inference mode that was given, by `.data`, memory that is not."""

    __slots__ = ()

    def __getitem__(self, _: int) -> int:
        raise RuntimeError("Inference tensors do not track version counter.")


def exchanged_version(counter: Any, inference: bool) -> Any:
    """The version counter of a tensor that had `counter` and was given memory of inference mode, or other memory."""
    if not inference:
        return NoVersion() if counter is None else [counter.count]
    if counter.__class__ is NoVersion:
        return None
    own = InferenceVersion()
    own.count = counter[0]
    return own


def refuse(self: Any, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> NoReturn:
    """What is said of arguments to a method that takes none, or of one that is called without an object."""
    from .ops._misfits import no_arguments

    check_bound(self, method)
    raise no_arguments(method, args, kwargs)


def alone(method: Callable[..., Any], name: str = "") -> Callable[..., Any]:
    """A method without arguments that says so in torch's words, of which it is not worth while to save a call."""

    def call(self: Tensor = NOBODY, /, *args: Any, **kwargs: Any) -> Any:
        if args or kwargs or self is NOBODY:
            refuse(self, call.__name__, args, kwargs)
        return method(self)

    call.__name__ = name or method.__name__
    call.__qualname__ = f"Tensor.{call.__name__}"
    call.__doc__ = method.__doc__
    return call


# The methods that are written in Python with one argument, read by torch's signature when it is given in another way than
# by position, or as what it cannot be.
_ALONE = {
    "as_subclass": "(Tensor self, object cls)",
    "numpy": "(Tensor self, *, bool force=False)",
    "requires_grad_": "(Tensor self, bool requires_grad=True)",
    "size": "(Tensor self, int? dim=None)",
    "stride": "(Tensor self, int? dim=None)",
}
_readers_alone: dict[str, Any] = {}


def read_alone(method: str, self: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The only argument of a method; a first `args` that is UNGIVEN does not count.  Raises torch's TypeError."""
    from .ops._signature import Reader
    from .ops._table import python_value

    check_bound(self, method)
    reader = _readers_alone.get(method) or Reader(method, (_ALONE[method],), method=True)
    _readers_alone[method] = reader
    for value in reader.read(args[1:] if args and args[0] is UNGIVEN else args, kwargs)[1].values():
        return value if method == "as_subclass" else python_value(value)
    return UNGIVEN


def own_version() -> InferenceVersion | None:
    """The version counter of what is detached from a tensor of inference mode: within that mode there is none."""
    return None if mode.inference else InferenceVersion()


# By id, the nodes of tensors that do not require grad at present, or only as views of what does: as soon as they do, they
# have their hooks again.
_asleep: dict[int, AccumulateGrad] = {}


def fall_asleep(tensor: Any) -> None:
    """Keep, while `tensor` lives, what it will need when it requires grad again."""
    import weakref

    node, number = tensor._node, tensor._number
    if not isinstance(node, AccumulateGrad):
        hooks = None if node is None else node.hooks
        if hooks is None or (number not in hooks.tensors and number not in hooks.retained):
            return
        node = AccumulateGrad(tensor)
        node.retained = number in hooks.retained
        if number in hooks.tensors:
            node.own_hooks().tensors[0] = hooks.tensors[number]
    key = id(tensor)
    node.leaf = weakref.ref(tensor, lambda _: _asleep.pop(key, None))
    _asleep[key] = node


def sleeping(tensor: Any) -> AccumulateGrad:
    """The node with the hooks that `tensor`, from which nothing leads back, is to have when it requires grad itself."""
    import weakref

    key = id(tensor)
    node = _asleep.get(key)
    if node is None:
        node = _asleep[key] = AccumulateGrad(tensor)
        node.leaf = weakref.ref(tensor, lambda _: _asleep.pop(key, None))
    return node


class History:
    """What Tensor inherits."""

    __slots__ = ("_data", "_grad", "_node", "_number", "_version_counter", "_view")

    _data: np.ndarray[Any, np.dtype[Any]]
    _node: Node | None  # of a leaf that requires grad: its AccumulateGrad
    _number: int  # which output of the node
    _grad: Any  # a Tensor, None, or the buffer of a compiled step
    _version_counter: (
        Any  # [version], shared by all views of one memory; an InferenceVersion or None on inference tensors
    )
    _view: View | None

    def grad_node(self) -> Node | None:
        """The node that a gradient for this tensor goes to; for a view whose base was written to, a new one."""
        view = self._view
        if view is not None:
            counter = self._version_counter
            if counter.__class__ is list and view.version != counter[0]:
                self._refresh(view)
            if self._node is None and self.requires_grad:
                return Nowhere(self._data)
        return self._node

    def _refresh(self: Any, view: View) -> None:
        base = view.base
        base_node, old = base._node, self._node
        if base_node is None and self._has_no_history():
            return
        if self._data.dtype.kind not in DIFFERENTIABLE_KINDS:
            return
        if view.creation is not None:
            from ._view_errors import forbidden

            raise forbidden(self, view.creation, indirect=True)
        view.version = self._version_counter[0]
        from .autograd.slices import AsStridedBackward0

        node: Any = object.__new__(view.node_type or AsStridedBackward0)
        node.layout = (base._data, self._data)
        node.inputs = (base_node,)
        node.numbers = (base._number,)
        node.saved, node.versions = [], []
        node.sequence = next_sequence()
        node.shape, node.dtype = self._data.shape, self._data.dtype
        node.hooks = None
        move_retained(old, self._number, node)
        self._node, self._number = node, 0

    @property
    def requires_grad(self) -> bool:
        if self._node is not None:
            return True
        view = self._view  # torch says so of every view of what does, although from some of them nothing leads back
        return view is not None and view.base._node is not None and self._data.dtype.kind in DIFFERENTIABLE_KINDS

    @requires_grad.setter
    def requires_grad(self: Any, value: bool) -> None:
        if not isinstance(value, bool):
            raise RuntimeError("requires_grad must be a bool")
        if not self._has_no_history():
            advice = (
                " If you want to use a computed variable in a subgraph that doesn't require differentiation use "
                "var_no_grad = var.detach()."
            )
            raise RuntimeError(f"you can only change requires_grad flags of leaf variables.{'' if value else advice}")
        if value and self._data.dtype.kind not in DIFFERENTIABLE_KINDS:
            raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")
        if value and not mode.inference and self.is_inference():
            raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
        if not value:
            fall_asleep(self)
            self._node = None
        elif self._node is None:
            self._node = _asleep.pop(id(self), None) or AccumulateGrad(self)
            note_shape(self)

    def requires_grad_(self=NOBODY, requires_grad: Any = UNGIVEN, /, *args: Any, **kwargs: Any) -> Any:
        """Switch the recording of what is computed from this leaf."""
        if requires_grad is UNGIVEN and not kwargs and self is not NOBODY:
            requires_grad = True
        elif requires_grad.__class__ is not bool or args or kwargs:
            requires_grad = read_alone("requires_grad_", self, (requires_grad, *args), kwargs)
        if requires_grad and self._data.dtype.kind not in DIFFERENTIABLE_KINDS:
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        if not requires_grad or self._has_no_history():
            self.requires_grad = requires_grad
        return self

    def _has_no_history(self) -> bool:
        """Whether it is a leaf as far as is known without bringing a view up to date; all that torch asks before it changes
        something."""
        node = self._node
        return node is None or node.__class__ is AccumulateGrad

    @property
    def is_leaf(self) -> bool:
        node = self.grad_node()
        return node is None or node.__class__ in ENDS

    @property
    def grad_fn(self) -> Node | None:
        node = self.grad_node()
        return None if node.__class__ in ENDS else node

    @property
    def grad(self) -> Tensor | None:
        grad = self._grad
        if grad is None:
            if not self._has_no_history() and not self.retains_grad:  # a view is not brought up to date for this
                _warn_of_no_grad()
        elif not isinstance(grad, History):
            grad = self._grad = grad.materialise()
        return grad

    @grad.setter
    def grad(self: Any, value: Tensor | None) -> None:
        if value is not None:
            self._check_grad(value)
        if mode.recorder is not None:
            mode.recorder.note_grad_assigned(self, value)
        self._grad = value
        node = self._node
        if node.__class__ is AccumulateGrad and node.remains is not None:
            node.remember(self)

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def _check_grad(self, value: Any) -> None:
        if not isinstance(value, History):
            raise TypeError(
                f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
            )
        if value is self:
            raise RuntimeError("can't assign Variable as its own grad")
        if value._data.dtype is not self._data.dtype:
            raise RuntimeError(
                f"attempting to assign a gradient with dtype '{c_name(value._data)}' to a tensor with grad_dtype "
                f"'{title(self._data)}'. The gradient must match the tensor's grad_dtype (defaults to the tensor's dtype). "
                "You can set the tensor's grad_dtype attribute with a specific dtype, or None to allow any dtype. Set "
                "grad_dtype with caution. Diverging the dtypes of a tensor and its gradient may break downstream systems "
                "that assume they match."
            )
        if value._data.shape != self._data.shape:
            raise RuntimeError(
                f"attempting to assign a gradient of size '{sizes(value._data.shape)}' to a tensor of size "
                f"'{sizes(self._data.shape)}'. Please ensure that the gradient and the tensor are the same size"
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
        node = self._node
        if (
            node is None or node.hooks is None or self._number not in node.hooks.tensors
        ):  # or they may as well join others
            node = self.grad_node()
        if node is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if node.__class__ is Nowhere:
            node = sleeping(self)
        return add_hook(node.own_hooks().tensors.setdefault(self._number, OrderedDict()), hook)

    def register_post_accumulate_grad_hook(self: Any, hook: Callable[[Tensor], Any]) -> Any:
        """Call `hook(leaf)` after this leaf's `grad` was updated."""
        node = self.grad_node()
        if node is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if node.__class__ not in ENDS:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if not isinstance(node, AccumulateGrad):
            node = sleeping(self)
        if node.post_hooks is None:
            node.post_hooks = OrderedDict()
        node.remember(self)
        return add_hook(node.post_hooks, hook)

    @alone
    def retain_grad(self: Any) -> None:
        """Keep the gradient of this non-leaf in `grad` as well."""
        import weakref

        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if not self._has_no_history():
            node = self.grad_node()
            assert node is not None
            node.own_hooks().retained[self._number] = weakref.ref(self)

    @property
    def retains_grad(self) -> bool:
        node = self._node
        if node is None and _asleep:
            node = _asleep.get(id(self))
        if isinstance(node, AccumulateGrad):
            return node.retained
        return node is not None and node.hooks is not None and self._number in node.hooks.retained

    @property
    def _version(self) -> int:
        counter = self._version_counter
        if counter is None or counter.__class__ is NoVersion:
            return NoVersion()[0]
        version: int = counter.count if counter.__class__ is InferenceVersion else counter[0]
        return version

    def _bump(self) -> None:
        """Count a write to the memory.  RuntimeError where it was made in inference mode, and is written to outside."""
        counter = self._version_counter
        if counter.__class__ is list:
            counter[0] += 1
            if mode.recorder is not None:
                mode.recorder.note_write(counter)
        elif mode.inference:
            pass
        elif counter.__class__ is InferenceVersion:
            counter.count += 1
        else:
            raise RuntimeError(
                "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a "
                "normal tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details."
            )

    @alone
    def is_inference(self) -> bool:
        """Whether it was made in inference mode, or shares the memory of what was."""
        return self._version_counter is None or self._version_counter.__class__ is InferenceVersion

    @property
    def output_nr(self) -> int:
        """Which output of its node it is."""
        return self._number

    @property
    def _base(self) -> Tensor | None:
        return None if self._view is None or self._version_counter is None else self._view.base

    def _is_view(self) -> bool:
        return self._view is not None


def _warn_of_no_grad() -> None:
    from ._once import warn_of_call

    warn_of_call(
        "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be populated "
        "during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf Tensor, use "
        ".retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure you access the leaf "
        "Tensor instead. See github.com/pytorch/pytorch/pull/30531 for more information."
    )
