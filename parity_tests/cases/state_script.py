"""A walk as a standalone script: it runs under either import and prints, at its end, everything that is compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from parity_tests.cases.program import Ref
from parity_tests.cases.script import HEADER, call, index_text, literal, tensor
from parity_tests.cases.state import COMPOSED, HOOKING, HOOKS, Hook, Move, Walk

_SHOW = '''
def ask(question):
    try:
        return question()
    except RuntimeError as error:
        return error


def show(**tensors):
    """Every digit, and what else can be asked of a tensor."""
    def named(tensor):
        return next((name for name, each in tensors.items() if each is tensor), "other" if tensor is not None else None)

    for name, x in tensors.items():
        node, grad = ask(lambda: x.grad_fn), x.grad
        print(name, "=", x.detach().tolist(), x.dtype, tuple(x.shape), x.stride(), "offset", x.storage_offset())
        print("   version", ask(lambda: x._version), "base", named(x._base), "leaf", ask(lambda: x.is_leaf), end=" ")
        print("requires_grad", x.requires_grad, node.name() if hasattr(node, "name") else node, end=" ")
        print("grad", named(grad), None if grad is None else grad.tolist())
'''

_TRYING = '''
class trying:
    """A line that raises."""

    def __enter__(self):
        pass

    def __exit__(self, kind, error, traceback):
        print(kind and f"{kind.__name__}: {error}")
        return isinstance(error, Exception)
'''

_INPLACE = {"iadd": "+=", "isub": "-=", "imul": "*=", "itruediv": "/="}


def walk_script(walk: Walk, backend: str = "minitorch_like") -> str:
    """The source."""
    refused = any(move.raises for move in walk.moves)
    imports = [
        f"import {name}" for name in ("copy", "pickle") if any(f"{name}." in statement(move) for move in walk.moves)
    ]
    lines = [*imports, HEADER.format(backend=backend), _SHOW, *([_TRYING] if refused else []), ""]
    alive: dict[str, None] = {}
    for move in walk.moves:
        lines += _lines(move)
        alive.update({name: None for name in move.results if name and name[0] == "t"})
        if move.op == "del":
            alive.pop(move.args[0].name, None)
    named = ", ".join(f"{name}={name}" for name in alive)
    return "\n".join([*lines, f"show({named})"]) + "\n"


def _lines(move: Move) -> Iterator[str]:
    contexts = [f"torch.{move.mode}()"] if move.mode else []
    contexts += ["trying()"] if move.raises else []
    if contexts:
        yield f"with {', '.join(contexts)}:"
    yield "    " * bool(contexts) + statement(move)


def statement(move: Move) -> str:
    """One step as a line."""
    args = tuple(map(_written, move.args))
    names = ", ".join(name or "_" for name in move.results)
    target = f"{names} = " if any(move.results) else ""
    space, _, name = move.op.partition(".")
    if move.op == "new":
        return target + tensor(move.args[0], **move.kwargs)
    if move.op == "del":
        return f"del {args[0]}"
    if name == "setitem":
        return f"{args[0]}[{index_text(_codes(move.args[1]))}] = {args[2]}"
    if space == "operator" and name in _INPLACE:
        return f"{args[0]} {_INPLACE[name]} {args[1]}"
    if space == "builtins" and name == "setattr":
        return f"{args[0]}.{move.args[1]} = {args[2]}"
    if space == "builtins" and name == "getattr":
        return f"{target}{args[0]}.{move.args[1]}"
    if move.op in HOOKING:
        target = f"{args[0]}.grad_fn; {target}"
    if move.op in COMPOSED:
        return target + COMPOSED[move.op][1].format(*args)
    return target + call(
        move.op, tuple(map(_codes, move.args)), {key: _codes(item) for key, item in move.kwargs.items()}
    )


class _Code(str):
    """Source that `literal` is to leave as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _codes(value: Any) -> Any:
    """An argument with source in the place of what a program does not have."""
    if isinstance(value, np.ndarray):
        return _Code(tensor(value))
    if isinstance(value, Hook):
        return _Code(HOOKS[value.name][1])
    if isinstance(value, (tuple, list)):
        return type(value)(map(_codes, value))
    return value


def _written(value: Any) -> str:
    return value.name if isinstance(value, Ref) else literal(_codes(value))
