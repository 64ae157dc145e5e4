"""Capture: one ordinary eager run of a step, whose NumPy calls are written down.

Nothing is computed twice and nothing is symbolic: the arrays that the run allocates become the buffers of the plan.
Whatever cannot be replayed is noted by `refuse`; the run itself goes on, so that a refused capture is a normal step.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .flatten import Batch
from .frozen import Modules
from .instruction import Instruction
from .memory import address_of, root_of
from .placeholders import Vacating
from .traced import LiveScalar, TracedArray, plain, traced

if TYPE_CHECKING:
    from .._tensor import Tensor

_LATEST = 32  # instructions: as many as a node's rules may come to
CLEARED = object()  # "the step itself set the gradient to None before backward"


class Deviation(Exception):
    """A replay met a value that would have sent the step another way."""


class Recorder:
    """Collects the instructions, guards and effects of one run."""

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.reasons: list[str] = []
        self.leaves: dict[int, tuple[Tensor, Any]] = {}  # leaves that received a gradient, and what they had before
        self.cleared: set[int] = set()  # leaves whose gradient the step itself sets to None
        self.modules: dict[int, tuple[Any, bool]] = {}  # that were called, and their modes
        self.contents = Modules()
        self.guards: list[Callable[[], bool]] = []
        self.roots: set[int] = set()  # nodes that a captured backward started from
        self.constants: dict[int, Instruction] = {}
        self.generators: dict[int, Any] = {}
        self.batches: list[Batch] = []
        self.owners: dict[int, Tensor] = {}  # by the id of an array, what an optimiser may have moved elsewhere
        self.optimizers: dict[int, Any] = {}
        self.fresh: set[int] = set()  # the ids of roots that this run has allocated
        self.blank: set[int] = set()  # those of them whose first contents mean nothing
        self.writes: dict[int, tuple[list[int], int]] = {}  # version counters, and how often each was advanced
        self.vacating = Vacating()
        self.keeps_graph = False
        self.has_effects = False

    # -- what the rest of the package reports -----------------------------------------------------------------

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run a plain-NumPy function with its calls recorded; results are ordinary arrays."""
        result = function(*[traced(arg) for arg in args])
        if isinstance(result, np.generic):
            result = np.asarray(result)
        return plain(result)

    def batch(self, kernel: Callable[..., None], *args: Any) -> None:
        """`call`, where the kernel works element for element on arrays of one shape: see `flatten`."""
        if not self.batches or self.batches[-1].kernel is not kernel or self.batches[-1].stop != len(self.instructions):
            self.batches.append(Batch(kernel, len(self.instructions)))
        batch = self.batches[-1]
        batch.calls.append(args)
        self.call(kernel, *args)
        batch.stop = len(self.instructions)

    def own(self, *tensors: Any) -> None:
        """Note the tensors of which a batch may be given the memory."""
        self.owners.update({id(each._data): each for each in tensors})

    def opaque(self, function: Callable[..., None], out: Any, *args: Any) -> None:
        """A fill from outside NumPy (random numbers, coefficients): the plan repeats the call itself."""
        self.generators.update({id(each): each for each in args if type(each).__name__ == "Generator"})
        self.instructions.append(Instruction(function, (out, *args), {}, out, effect=True))

    def python(self, function: Callable[[], Any]) -> None:
        """A call that each replay makes again at this place: a step of a schedule, a check."""
        self.instructions.append(Instruction(function, (), {}, None, effect=True))

    def effect(self, function: Callable[[], Any]) -> None:
        """`python`, for a call that changes Python objects."""
        self.has_effects = True
        self.python(function)

    def live(self, compute: Callable[[], float]) -> LiveScalar:
        """A scalar to be evaluated at this place of the plan."""
        cell = [compute()]

        def refresh() -> None:
            cell[0] = compute()

        self.python(refresh)
        return LiveScalar(lambda: cell[0])

    def constant(self, array: Any) -> None:
        """An array filled inside the step without NumPy's noting: restored at each replay if the step writes to it."""
        instruction = Instruction(np.copyto, (array, array.copy()), {}, array)
        self.constants[address_of(array)] = instruction
        self.fresh.add(id(root_of(array)))
        self.instructions.append(instruction)

    def refuse(self, reason: str) -> None:
        """Note why this step cannot be replayed."""
        if reason not in self.reasons:
            self.reasons.append(reason)

    def note_gradient(self, leaf: Tensor) -> None:
        """`leaf` is about to receive a gradient."""
        had = CLEARED if id(leaf) in self.cleared else leaf.grad
        self.leaves.setdefault(id(leaf), (leaf, had))

    def own_result(self, g: Any) -> Any:
        """The array that the run has allocated for `g`, if only the latest instructions refer to it; otherwise `g`."""
        root = g.base
        if type(root) is not np.ndarray or id(root) not in self.fresh or root.strides != g.strides:
            return g
        latest = self.instructions[-_LATEST:]
        ours = sum(each is root for one in latest for each in (*one.args, *one.kwargs.values(), one.out))
        # `root`, `g` and the argument of getrefcount refer to it as well
        return root if root.shape == g.shape and sys.getrefcount(root) <= ours + 3 else g

    def note_grad_assigned(self, leaf: Tensor, value: Any) -> None:
        if value is not None:
            self.refuse("the step assigns a gradient")
        elif id(leaf) not in self.leaves:
            self.cleared.add(id(leaf))
        else:
            self.refuse("the step clears a gradient after backward")

    def note_module(self, module: Any) -> None:
        """`module` is about to be called."""
        if id(module) not in self.modules:
            self.modules[id(module)] = (module, module.training)
            self.contents.add(module)

    def note_optimizer(self, optimizer: Any) -> None:
        self.optimizers[id(optimizer)] = optimizer

    def note_roots(self, nodes: Any, keep_graph: bool) -> None:
        self.roots.update(map(id, nodes))
        self.keeps_graph = keep_graph

    def note_write(self, counter: list[int]) -> None:
        """A version counter was advanced."""
        self.writes[id(counter)] = (counter, self.writes.get(id(counter), (counter, 0))[1] + 1)

    def forget(self) -> None:
        """Let go of all arrays: who else refers to them is about to be asked."""
        self.instructions.clear()
        self.constants.clear()
        self.batches.clear()
        self.owners.clear()

    def guard(self, holds: Callable[[], bool]) -> None:
        """A condition under which the plan is valid, asked before every replay."""
        self.guards.append(holds)

    # -- what traced arrays report ----------------------------------------------------------------------------

    def add(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        out: Any,
        *,
        partial: bool = False,
    ) -> None:
        self.instructions.append(Instruction(function, args, kwargs, out, partial=partial))

    def ufunc(self, ufunc: Any, method: str, inputs: tuple[Any, ...], out: Any, kwargs: dict[str, Any]) -> Any:
        arrays = [plain(each) for each in inputs]
        if any(isinstance(each, LiveScalar) for each in arrays):
            arrays = self._with_cells(arrays)
        kwargs = {name: plain(each) for name, each in kwargs.items()}
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        if method == "at":
            function(*arrays, **kwargs)
            self.add(function, tuple(arrays), kwargs, arrays[0], partial=True)
            return None
        if out is not None:
            target = plain(out[0])
            function(*arrays, out=target, **kwargs)
        else:
            result = function(*arrays, **kwargs)
            if isinstance(result, tuple):
                self.refuse(f"{ufunc.__name__} has several results")
                return traced(result)
            target = self._new(result)
        self.add(function, tuple(arrays), {**kwargs, "out": target}, target, partial="where" in kwargs)
        return out[0] if out is not None else traced(target)

    def _new(self, result: Any) -> Any:
        """A result that the run has allocated, as an array."""
        target = np.asarray(result)
        self.fresh.add(id(root_of(target)))
        self.vacating.allocated(target.nbytes, self)
        return target

    def _with_cells(self, inputs: list[Any]) -> list[Any]:
        """Live scalars as 0-d arrays of the dtype that NumPy gives a Python number among these arrays."""
        kind = np.result_type(*(each for each in inputs if isinstance(each, np.ndarray)))
        result = []
        for each in inputs:
            if isinstance(each, LiveScalar):
                cell = self._new(np.empty((), kind))
                refresh = _refresher(cell, each.compute)
                refresh()
                self.add(refresh, (), {}, cell)
                each = cell
            result.append(each)
        return result

    def function(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        args, kwargs = plain(args), {name: plain(each) for name, each in kwargs.items()}
        if any(isinstance(each, LiveScalar) for each in args):
            args = tuple(self._with_cells(list(args)))
        result = function(*args, **kwargs)
        if result is None:  # copyto, setitem: a write into the first argument
            self.add(function, args, kwargs, args[0], partial=function is not np.copyto or "where" in kwargs)
            return None
        if isinstance(result, (bool, str, tuple)) or result is NotImplemented:
            if isinstance(result, tuple) and any(isinstance(each, np.ndarray) for each in result):
                self.refuse(f"{function.__name__} has results that depend on values")
            return traced(result)
        target = np.asarray(result)
        if kwargs.get("out") is not None or (function in _WRITES_OUT and any(target is each for each in args)):
            self.add(function, args, kwargs, target)
        elif function is np.empty_like:
            self.blank.add(id(root_of(self._new(target))))
        elif not _is_view(target, args):
            self._repeat(function, args, kwargs, self._new(target))
        return traced(target)

    def _repeat(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], target: Any) -> None:
        """Note how `target`, a new array, is to be computed again: without another one where the function allows."""
        if function in _WRITES_OUT:
            options = {name: each for name, each in kwargs.items() if name != "dtype"}  # which `out` has
            self.add(function, args, {**options, "out": target}, target)
        elif function in _FILLS:
            self.add(np.copyto, (target, target.dtype.type(_FILLS[function])), {}, target)
        elif function in _COPIES and target.shape == args[0].shape:
            self.add(
                np.copyto, (target, args[0]), {"casting": "unsafe"} if target.dtype != args[0].dtype else {}, target
            )
        elif (
            function in _COPIES
            and target.flags.c_contiguous
            and args[0].dtype == target.dtype
            and "order" not in kwargs
        ):
            self.add(np.copyto, ((shaped := target.reshape(args[0].shape)), args[0]), {}, shaped)
        else:
            self.add(_store, (target, function, args, kwargs), {}, target)

    def read_at(self, array: TracedArray, index: Any) -> Any:
        index = plain(index)
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(each, np.ndarray) and each.dtype.kind == "b" for each in parts):
            self.refuse("a mask selects as many elements as it holds")
        source = plain(array)
        result = source[index]
        if not isinstance(result, np.ndarray):
            result = source[(*parts, ...)]  # a 0-d view instead of a NumPy scalar
        if not _is_view(result, (source,)):
            self.add(_store, (self._new(result), operator.getitem, (source, index), {}), {}, result)
        return traced(result)

    def decide(self, array: Any) -> bool:
        """A branch on a value: the plan holds as long as later steps would branch alike."""
        expected = bool(array)

        def check() -> None:
            if bool(array) is not expected:
                raise Deviation("a check of values comes out differently")

        self.python(check)
        return expected


# Functions that take `out=`, that fill, and that copy their first argument; all others are computed afresh and copied.
_WRITES_OUT = frozenset(
    {np.dot, np.take, np.concatenate, np.cumsum, np.argmax, np.argmin, np.clip, np.ndarray.clip, np.round}
)
_FILLS: dict[Any, int] = {np.zeros_like: 0, np.ones_like: 1}
_COPIES = frozenset(
    {np.copy, np.ndarray.copy, np.ndarray.astype, np.ndarray.reshape, np.ndarray.ravel, np.ndarray.flatten}
)


def _refresher(cell: Any, compute: Callable[[], float]) -> Callable[[], None]:
    def refresh() -> None:
        cell[()] = compute()

    return refresh


def _store(out: Any, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
    np.copyto(out, function(*args, **kwargs))


def _is_view(result: Any, args: Any) -> bool:
    for each in args:
        if isinstance(each, np.ndarray) and np.may_share_memory(result, each):
            return True
        if type(each) in (list, tuple) and _is_view(result, each):
            return True
    return False
