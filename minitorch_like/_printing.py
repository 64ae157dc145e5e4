"""The text of a tensor, as torch prints it.

One notation serves all elements of a tensor (the real and the imaginary parts of a complex tensor have one
each): whole numbers print as `3.`, others with `precision` digits, scientific when they are very large, very
small or far apart.  Only the finite numbers other than zero decide, and they alone set the width to which all
are padded.  A tensor of more than `threshold` elements shows `edgeitems` at each end of every axis.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _dtype
from ._capture import mode

if TYPE_CHECKING:
    from ._tensor import Tensor

_Options = dict[str, Any]
_PROFILES: dict[str, _Options] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}
_options: _Options = {**_PROFILES["default"], "sci_mode": None}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print; an option that is None keeps its value, except `sci_mode`.

    Args:
        precision: digits after the point (default 4).
        threshold: the number of elements above which a tensor is summarised (default 1000).
        edgeitems: elements shown at each end of a summarised axis (default 3).
        linewidth: characters in a line (default 80).
        profile: "default", "short" or "full" set all of the above; those given besides it win.
        sci_mode: scientific notation always, never, or (None) where the numbers ask for it.
    """
    _options.update(_PROFILES.get(profile or "", {}))
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    _options.update((name, value) for name, value in given.items() if value is not None)
    _options["sci_mode"] = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The present options, as keyword arguments of `set_printoptions`."""
    return dict(_options)


@contextlib.contextmanager
def printoptions(**kwargs: Any) -> Iterator[None]:
    """`set_printoptions(**kwargs)` within a `with` block."""
    before = get_printoptions()
    set_printoptions(**kwargs)
    try:
        yield
    finally:
        set_printoptions(**before)


def tensor_text(tensor: Tensor, *, tensor_contents: str | None = None) -> str:
    """`repr(tensor)`; `tensor_contents` stands in for the text of the numbers."""
    if mode.recorder is not None:
        mode.recorder.refuse("printing a tensor reads values that the next step may change")
    array, dtype = tensor._data, tensor.dtype
    kind = type(tensor).__name__
    plain = kind in ("Tensor", "Parameter")
    prefix = "tensor(" if plain else f"{kind}("
    default = _dtype.get_default_dtype()

    suffixes = []
    if not array.size:
        if array.ndim != 1:
            suffixes.append(f"size={array.shape}")
        implied = dtype is default  # nothing to see that tells an integer from a bool
    else:
        if not _options["edgeitems"]:
            suffixes.append(f"size={array.shape}")
        default_complex = "complex128" if default.name == "float64" else "complex64"
        implied = dtype is default or dtype.name in ("int64", "bool", default_complex)
    if not implied:
        suffixes.append(f"dtype={dtype}")
    if origin := _origin(tensor):
        suffixes.append(origin)

    if tensor_contents is None:
        tensor_contents = _array_text(array, dtype, len(prefix)) if array.size else "[]"
    text = _join_suffixes(prefix + tensor_contents, suffixes, len(prefix))
    if not plain:
        from .nn.parameter import Parameter  # late: a subclass is rare, and nn stands above this module

        text = f"Parameter({text})" if isinstance(tensor, Parameter) else text
    return text


_str = tensor_text  # torch's name of it


def format_tensor(tensor: Tensor, spec: str) -> str:
    """`format(tensor, spec)`: a plain 0-d tensor formats as its number, any other as an object."""
    if type(tensor).__name__ == "Tensor" and not tensor._data.ndim:
        return format(tensor.item(), spec)
    return object.__format__(tensor, spec)


def _origin(tensor: Tensor) -> str:
    """Where gradients go from here."""
    try:
        node = tensor.grad_fn
    except RuntimeError:  # a view whose history an in-place change has made meaningless
        return "grad_fn=<Invalid>"
    if node is not None:
        return f"grad_fn=<{node.name().rpartition('::')[2]}>"
    return "requires_grad=True" if tensor.requires_grad else ""


def _join_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    """`text, suffix, suffix)`, a suffix that would leave the line beginning a new one."""
    above, newline, line = text.rpartition("\n")
    lines, room = [line], _options["linewidth"] - len(line) - 2
    for suffix in suffixes:
        if len(suffix) + 2 <= room:
            lines[-1] += f", {suffix}"
            room -= len(suffix) + 2
        else:
            lines.append(" " * indent + suffix)
            room = _options["linewidth"] - len(lines[-1])
    return above + newline + ",\n".join(lines) + ")"


def _array_text(array: np.ndarray[Any, Any], dtype: _dtype.dtype, indent: int) -> str:
    """The nested brackets of a non-empty array that start in column `indent`."""
    edge = _options["edgeitems"]
    cut = [False] * array.ndim
    if array.size > _options["threshold"] and array.ndim:
        if not edge:
            return "[...]"
        cut = [length > 2 * edge for length in array.shape]
        ends = [*range(edge), *range(-edge, 0)]
        shown = (ends if short else range(n) for n, short in zip(array.shape, cut, strict=True))
        array = array[np.ix_(*shown)]

    if dtype.is_complex:
        real, real_width = _real_texts(array.real.ravel().tolist())
        imag, imag_width = _real_texts(array.imag.ravel().tolist())
        texts = [_complex_text(*parts) for parts in zip(real, imag, strict=True)]
        width = real_width + imag_width + 1
    elif dtype.is_floating_point:
        texts, width = _real_texts(array.astype(np.float64, copy=False).ravel().tolist())
    else:
        texts = [str(value) for value in array.ravel().tolist()]
        width = max(map(len, texts))
        texts = [text.rjust(width) for text in texts]
    return _nest(texts, width, array.shape, cut, indent)


def _real_texts(values: list[float]) -> tuple[list[str], int]:
    """The padded texts of floating-point numbers, and their width."""
    sizes = [abs(value) for value in values if value and math.isfinite(value)]
    whole = all(map(float.is_integer, sizes))
    scientific = False
    if sizes:
        least, most = min(sizes), max(sizes)
        scientific = _options["sci_mode"]
        if scientific is None:
            scientific = most / least > 1000.0 or most > 1e8 or least < 1e-4

    if whole and not scientific:
        texts = [f"{value:.0f}." if math.isfinite(value) else str(value) for value in values]
    else:
        spec = f".{_options['precision']}{'e' if scientific else 'f'}"
        texts = [format(value, spec) for value in values]
    pairs = zip(values, texts, strict=True)
    width = max((len(text) for value, text in pairs if value and math.isfinite(value)), default=1)
    return [text.rjust(width) for text in texts], width


def _complex_text(real: str, imag: str) -> str:
    imag = imag.lstrip()
    return f"{real}{imag}j" if imag[0] == "-" else f"{real}+{imag}j"


def _nest(texts: list[str], width: int, shape: Sequence[int], cut: list[bool], indent: int) -> str:
    """Put the texts of the elements in brackets, axis by axis from the last to the first.

    The last axis breaks lines at `linewidth`; the axes before it put one bracket below another.
    """
    if not shape:
        return texts[0]
    last = len(shape) - 1
    per_line = max(1, math.floor((_options["linewidth"] - indent - last) / (width + 2)))
    for axis in range(last, -1, -1):
        length = shape[axis]
        groups = [texts[start : start + length] for start in range(0, len(texts), length)]
        if cut[axis]:
            for group in groups:
                group.insert(length // 2, " ..." if axis == last else "...")
        margin = " " * (indent + axis + 1)
        if axis == last:
            groups = [
                [", ".join(group[start : start + per_line]) for start in range(0, len(group), per_line)]
                for group in groups
            ]
        separator = "," + "\n" * max(1, last - axis) + margin
        texts = [f"[{separator.join(group)}]" for group in groups]
    return texts[0]
