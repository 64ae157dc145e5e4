"""Random programs over conjugate and negative views: views of views, steps in place through them, and what becomes of each.

A program is a list of steps on a growing pool of tensors.  A step names what is done, and the tensors that it is done to by
numbers, which are taken modulo the size of the pool: so every list is a program, and one that is shrunk stays one.
Numbers are small integers in double precision, so that all results are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from parity_tests.cases.complexes import whole

SHAPE = (2, 2)
_MOST = 10  # tensors in a pool

# x, y: two tensors of the pool; ns: the framework.
VIEWS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "conj": lambda ns, x, y: x.conj(),
    "real": lambda ns, x, y: x.real,
    "imag": lambda ns, x, y: x.imag,
    "negative": lambda ns, x, y: ns._neg_view(x),
    "pairs": lambda ns, x, y: ns.view_as_real(x),
    "complex": lambda ns, x, y: ns.view_as_complex(x),
    "transpose": lambda ns, x, y: x.mT,
    "adjoint": lambda ns, x, y: x.adjoint(),
    "row": lambda ns, x, y: x[1],
    "rows": lambda ns, x, y: x[:1],
    "column": lambda ns, x, y: x[..., 0],
    "new dimension": lambda ns, x, y: x[:, None],
    "every": lambda ns, x, y: x[...],
    "diagonal": lambda ns, x, y: x.diagonal(),
    "reshape": lambda ns, x, y: x.reshape(-1),
    "view": lambda ns, x, y: x.view(-1),
    "expand": lambda ns, x, y: x.expand(2, *x.shape),
    "as_strided": lambda ns, x, y: x.as_strided((2,), x.stride()[-1:]),
    "unbind": lambda ns, x, y: x.unbind()[0],
    "detach": lambda ns, x, y: x.detach(),
}
RESULTS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "clone": lambda ns, x, y: x.clone(),
    "contiguous": lambda ns, x, y: x.contiguous(),
    "resolve_conj": lambda ns, x, y: x.resolve_conj(),
    "resolve_neg": lambda ns, x, y: x.resolve_neg(),
    "conj_physical": lambda ns, x, y: x.conj_physical(),
    "add": lambda ns, x, y: x + y,
    "mul": lambda ns, x, y: x * y,
    "number": lambda ns, x, y: x * (1 - 2j),
    "minus": lambda ns, x, y: 1 - x,
    "neg": lambda ns, x, y: -x,
    "sum": lambda ns, x, y: x.sum(0),
    "take": lambda ns, x, y: x[[1, 0]],
    "join": lambda ns, x, y: ns.stack([x, y]),
    "where": lambda ns, x, y: ns.where(ns.tensor([True, False]), x, y if y.dtype is x.dtype else -x),
}
# Of these the operand must lie elsewhere, or be the very same elements: otherwise torch does not say what happens.
WRITES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "mul_": lambda ns, x, y: x.mul_(2),
    "mul_ by i": lambda ns, x, y: x.mul_(1j),
    "add_": lambda ns, x, y: x.add_(y),
    "sub_": lambda ns, x, y: x.sub_(y),
    "copy_": lambda ns, x, y: x.copy_(y),
    "fill_": lambda ns, x, y: x.fill_(3),
    "neg_": lambda ns, x, y: x.neg_(),
    "conj_physical_": lambda ns, x, y: x.conj_physical_() if 0 not in x.stride() else None,
    "set a row": lambda ns, x, y: x.__setitem__(0, y),
    "set a number": lambda ns, x, y: x.__setitem__((Ellipsis, 0), 2 - 1j),
    "set by a mask": lambda ns, x, y: x.__setitem__(ns.tensor([True, False]), 5),
    "set by an index": lambda ns, x, y: x.__setitem__(ns.tensor([1]), y),
    "masked_fill_": lambda ns, x, y: x.masked_fill_(ns.tensor([False, True]), 4),
    "real =": lambda ns, x, y: setattr(x, "real", y.detach().real.clone()),
    "imag =": lambda ns, x, y: setattr(x, "imag", y.detach().real.clone()),
    "out=": lambda ns, x, y: ns.mul(y, 2, out=x) if x.shape == y.shape else None,
}
STEPS = {**VIEWS, **RESULTS, **WRITES}


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    x: int
    y: int
    records: bool  # otherwise it is made under no_grad

    def __repr__(self) -> str:
        return f"{self.name}({self.x}, {self.y}{'' if self.records else ', no_grad'})"


_STEPS = st.builds(
    Step,
    st.one_of(st.just("conj"), st.just("imag"), *map(st.sampled_from, (list(VIEWS), list(RESULTS), list(WRITES)))),
    st.integers(0, 9),
    st.integers(0, 9),
    st.sampled_from((True,) * 9 + (False,)),
)
PROGRAMS = st.lists(_STEPS, min_size=2, max_size=8)


def start(ns: Any, seed: int) -> list[Any]:
    """The leaves of a program, of which two require grad, and results of these that may be written to."""
    leaves = [
        ns.tensor(whole(seed, SHAPE, "complex128"), requires_grad=True),
        ns.tensor(whole(seed + 1, SHAPE, "float64"), requires_grad=True),
        ns.tensor(whole(seed + 2, SHAPE, "complex128")),
    ]
    return [*leaves, *[leaf * 1 for leaf in leaves[:2]]]


def take(ns: Any, pool: list[Any], step: Step) -> None:
    """Do one step; its result, if that is new, joins the pool."""
    x, y = pool[-1 - step.x % len(pool)], pool[step.y % len(pool)]
    if step.name in WRITES and _entangled(x, y):
        y = x
    with ns.set_grad_enabled(step.records):
        result = STEPS[step.name](ns, x, y)
    if result is not None and len(pool) < _MOST and all(result is not each for each in pool):
        pool.append(result)


def _entangled(x: Any, y: Any) -> bool:
    """Whether two tensors share memory without being the same view of it."""
    if x.untyped_storage().data_ptr() != y.untyped_storage().data_ptr():
        return False
    return [x.data_ptr(), x.shape, x.stride(), x.dtype] != [y.data_ptr(), y.shape, y.stride(), y.dtype]


def state(pool: Sequence[Any]) -> list[Any]:
    """All that can be seen of the tensors; who shares memory with whom is told by numbers in order of appearance."""
    storages: dict[int, int] = {}
    return [
        {
            "values": each.detach().tolist(),
            "layout": (str(each.dtype), list(each.shape), each.stride(), each.storage_offset()),
            "bits": (each.is_conj(), each.is_neg()),
            "storage": storages.setdefault(each.untyped_storage().data_ptr(), len(storages)),
            "base": [number for number, other in enumerate(pool) if each._base is other],
            "version": each._version,
            "history": _history(each),
        }
        for each in pool
    ]


def _history(tensor: Any) -> Any:
    try:
        node = tensor.grad_fn
    except RuntimeError:  # of a view that was made without recording, whose base was written to while recording
        return "stale"
    return node and node.name(), tensor.requires_grad


def gradients(ns: Any, pool: Sequence[Any], seed: int) -> Any:
    """The gradients of the last results by the leaves, and the gradients of these."""
    outputs = [each for each in pool[5:] if _history(each) != "stale" and each.grad_fn is not None][-2:]
    leaves = list(pool[:2])
    if not outputs:
        return None
    first = ns.autograd.grad(outputs, leaves, _weights(ns, outputs, seed), allow_unused=True, create_graph=True)
    again = [each for each in first if each is not None and each.requires_grad]
    second = ns.autograd.grad(again, leaves, _weights(ns, again, seed + 9), allow_unused=True) if again else ()
    return [None if each is None else each.tolist() for each in (*first, *second)]


def _weights(ns: Any, outputs: Sequence[Any], seed: int) -> list[Any]:
    names = [str(each.dtype).rpartition(".")[2] for each in outputs]
    return [
        ns.tensor(whole(seed + at, tuple(each.shape), name))
        for at, (each, name) in enumerate(zip(outputs, names, strict=True))
    ]
