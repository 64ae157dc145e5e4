"""Which of several objections to one call comes first: loaded when a call has failed.

What fails here and what torch would say need not be the same thing, for torch looks at the operands of most ops in one
order: what is particular to the op, the memory that is written to, shapes, the dtype of the result, and only then for a
kernel of that dtype.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._dtype import result_dtype
from ._writing import check_result
from .ops import Op
from .ops._checks import broadcast_shapes

# Ops that refuse some dtypes, and numbers, before they look at the memory.
_PARTICULAR = ("addcdiv", "clamp", "clamp_max", "clamp_min", "floor", "heaviside", "lerp", "neg", "relu", "sign", "sub")
# Ops that look at all of their operands before they look where they lie.
_LOOKING_FIRST = ("addmm", "addmv", "baddbmm", "fill", "renorm")
# Ops that look at the dtype of the result as well.
_CASTING_FIRST = ("clamp", "clamp_max", "clamp_min")
# Ops that give back what is of these kinds, and write nothing.
_GIVING_BACK = {"conj_physical": "biufV", "nan_to_num": "biu"}
# Of the ops of another operand, those that are not elementwise.
_NOT_ELEMENTWISE = ("copy", "dist", "matmul", "vdot", "where")
# Ops whose result is not said to be of another dtype before there is a kernel.
_NOT_CAST = ("eq", "ne", "lt", "le", "gt", "ge", "lerp")


def writes_nothing(op: Op, arrays: list[Any], dtype_name: Callable[[Any], str]) -> bool:
    """Whether it does not matter where the first operand, which is to be written to, lies.

    Raises what torch objects to before it looks there.
    """
    array = arrays[0]
    if array.dtype.kind in _GIVING_BACK.get(op.name, ""):
        return True
    try:
        op.kernel(*arrays)
    except IndexError:
        raise
    except Exception:
        if op.name in _LOOKING_FIRST:
            raise
    if op.name in _PARTICULAR:
        _check_particulars(op, arrays)
    if op.name in _CASTING_FIRST:
        _check_operands(array, arrays[: op.arity], dtype_name)
    return False


def _check_particulars(op: Op, arrays: list[Any]) -> None:
    """Raises what `op` objects to in the dtypes of its operands."""
    try:
        op.kernel(*[np.zeros((), each.dtype) if isinstance(each, np.ndarray) else each for each in arrays])
    except RuntimeError as error:
        if not _names_a_kernel(error):
            raise


def _names_a_kernel(error: Exception) -> bool:
    """Whether it says that there is no kernel for a dtype."""
    return str(error).startswith('"')


def check_writing(op: Op, error: Exception, arrays: list[Any], dtype_name: Callable[[Any], str]) -> None:
    """Raises what comes before `error`, met in computing what would have been written into the first operand."""
    if _comes_after_shapes(op, error):
        _check_operands(arrays[0], arrays[: op.arity], dtype_name, casts=op.name not in _NOT_CAST)


def check_shapes(op: Op, operands: Any, error: Exception) -> None:
    """Raises torch's error where operands do not fit each other, which it sees before it sees `error`."""
    if "other" in op.parameters and _comes_after_shapes(op, error):
        shapes = [each._data.shape for each in operands[: op.arity] if hasattr(each, "_node")]
        broadcast_shapes(*(shapes[::-1] if op.name == "rsub" else shapes))


def _comes_after_shapes(op: Op, error: Exception) -> bool:
    """Whether torch looks at the shapes of the operands of `op` before it finds what `error` says."""
    if op.name in _NOT_ELEMENTWISE:
        return False
    if isinstance(error, NotImplementedError):
        return _names_a_kernel(error)
    if not isinstance(error, (RuntimeError, ValueError)) or "other" not in op.parameters:
        return False
    return not str(error).startswith("Subtraction")


def _check_operands(array: Any, operands: list[Any], dtype_name: Callable[[Any], str], *, casts: bool = True) -> None:
    """RuntimeError where a result of these operands has another shape than `array`, or a dtype that is not cast to it."""
    operands = [each for each in operands if each is not None]
    shape = broadcast_shapes(*map(np.shape, operands))
    kind = result_dtype(*operands).numpy if casts else array.dtype
    check_result(array, np.broadcast_to(np.empty((), kind), shape), dtype_name)
