"""`torch.lstm`, `torch.gru`, ...: stacks of recurrent layers, single steps, and packed sequences, as functions.

What torch has in C++ behind `nn.RNN` and its relatives.  Layers, directions, dropout and packed sequences are put together
here from the ops for one direction of one layer; a single step is composed of ordinary ops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from .._capture import reads_values
from .._tensor import Tensor, wrap
from ..ops import recurrent
from ..ops._signature import Reader
from ..ops.matmul import linear
from ..ops.sequences import pack_padded, pad_packed, runs
from ..ops.shape import cat, stack

PUBLIC: dict[str, Callable[..., Any]] = {}
State = tuple[Any, ...]
Weights = Sequence[Any]  # w_ih, w_hh, b_ih, b_hh, w_hr; None where there is none
# layer(input, state, weights, reverse) -> (output, *last state)
Layer = Callable[[Any, State, Weights, bool], tuple[Any, ...]]


# -- one direction of one layer ----------------------------------------------------------------------------------------


def _rnn(nonlinearity: str, input: Any, state: State, weights: Weights, reverse: bool) -> tuple[Any, ...]:
    return recurrent.rnn_layer.apply(input, *state, *weights[:4], nonlinearity, reverse)


def _lstm(input: Any, state: State, weights: Weights, reverse: bool) -> tuple[Any, ...]:
    w_ih, w_hh, b_ih, b_hh, w_hr = weights
    if w_hr is None:
        return recurrent.lstm_layer.apply(input, *state, w_ih, w_hh, b_ih, b_hh, reverse)
    return recurrent.unrolled(partial(recurrent.lstm_cell, w_hr=w_hr), input, state, w_ih, w_hh, b_ih, b_hh, reverse)


def _gru(input: Any, state: State, weights: Weights, reverse: bool) -> tuple[Any, ...]:
    return recurrent.gru_layer.apply(input, *state, *weights[:4], reverse)


LAYERS: dict[str, Layer] = {
    "rnn_tanh": partial(_rnn, "tanh"),
    "rnn_relu": partial(_rnn, "relu"),
    "lstm": _lstm,
    "gru": _gru,
}


def _packed(
    layer: Layer, batch_sizes: tuple[int, ...], data: Any, state: State, weights: Weights, reverse: bool
) -> tuple[Any, ...]:
    """A layer over packed sequences: each run of steps with one batch size is a sequence of its own.

    Forward, sequences that end leave the batch; in reverse, they enter it with their initial state.
    """
    parts = list(runs(batch_sizes))
    pieces = list(zip(parts, data.split([steps * size for _, steps, size in parts]), strict=True))
    initial, outputs, ended = state, [], []
    entered = 0
    for index, ((_, steps, size), rows) in reversed(list(enumerate(pieces))) if reverse else enumerate(pieces):
        if reverse:
            entering = tuple(each.narrow(0, entered, size - entered) for each in initial)
            state = tuple(map(_joined, state, entering)) if entered else entering
            entered = size
        output, *state = layer(rows.view(steps, size, -1), state, weights, reverse)  # type: ignore[assignment]
        outputs.append(output.view(steps * size, -1))
        left = parts[index + 1][2] if index + 1 < len(parts) else 0
        if not reverse:
            ended.append(tuple(each.narrow(0, left, size - left) for each in state))
            state = tuple(each.narrow(0, 0, left) for each in state)
    if not reverse:
        state = tuple(cat.apply(list(each)) for each in zip(*reversed(ended), strict=True))
    return cat.apply(outputs[::-1] if reverse else outputs), *state


def _joined(one: Any, other: Any) -> Any:
    return cat.apply([one, other])


# -- stacks of layers ---------------------------------------------------------------------------------------------------


def run(
    name: str,
    input: Tensor,
    batch_sizes: Tensor | None,
    hx: Sequence[Tensor],
    params: Sequence[Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool = False,
) -> tuple[Tensor, ...]:
    """The output of the last layer, (T, N, D*H) or packed, and each kind of last state, (num_layers*D, N, H).

    Args:
        name: "rnn_tanh", "rnn_relu", "lstm" or "gru".
        input: (T, N, I), (N, T, I) with `batch_first`, or packed rows with `batch_sizes`.
        hx: the initial states, (num_layers*D, N, H) each.
        params: for each layer and direction the weights w_ih, w_hh, [b_ih, b_hh], [w_hr].
    """
    layer = LAYERS[name]
    directions = 2 if bidirectional else 1
    weights = _by_layer(params, has_biases, num_layers * directions)
    rows = 0
    if batch_sizes is not None:
        reads_values("a packed sequence")
        sizes = tuple(batch_sizes._data.tolist())
        if name == "lstm" and weights[0][4] is None and recurrent.is_fused(input._data) and len(set(sizes)) == 1:
            rows = len(input._data)  # all of one length: no need for packing
            input = input.view(len(sizes), sizes[0], -1)
        else:
            layer = partial(_packed, layer, sizes)
    elif batch_first:
        input = input.transpose(0, 1)
    if not len(input._data):
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    initial = list(zip(*(each.unbind(0) for each in hx), strict=True))
    lasts: list[Any] = []
    for number in range(num_layers):
        outputs = []
        for direction in range(directions):
            at = len(lasts)
            output, *last = layer(input, initial[at], weights[at], direction == 1)
            outputs.append(output)
            lasts.append(last)
        input = cat.apply(outputs, -1) if bidirectional else outputs[0]
        if dropout and train and number < num_layers - 1:
            input = _dropout(input, dropout)
    if batch_first:  # by torch in place, except for an LSTM
        input = input.transpose(0, 1) if name == "lstm" else input.transpose_(0, 1)
    elif rows:
        input = input.view(rows, -1)
    return input, *(stack.apply(list(each)) for each in zip(*lasts, strict=True))


def _by_layer(params: Sequence[Tensor], has_biases: bool, count: int) -> list[Weights]:
    """The weights of each layer and direction. RuntimeError for a wrong number."""
    each = 4 if has_biases else 2
    projected = len(params) == count * (each + 1)
    if not params:
        raise RuntimeError("Expected more weights in stacked_rnn")
    if not projected and len(params) != count * each:
        raise RuntimeError("got an incorrect number of RNN parameters")
    step = each + projected
    weights: list[Weights] = []
    for start in range(0, len(params), step):
        w_ih, w_hh, *rest = params[start : start + step]
        b_ih, b_hh = rest[:2] if has_biases else (None, None)
        weights.append((w_ih, w_hh, b_ih, b_hh, rest[-1] if projected else None))
    return weights


def _dropout(input: Tensor, p: float) -> Tensor:
    from ..nn.functional import dropout

    return dropout(input, p, True)


_OPTIONS = "Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional"


def _public_layers(name: str) -> Callable[..., Any]:
    hx = "Tensor[] hx" if name == "lstm" else "Tensor hx"
    reader = Reader(
        name,
        (f"(Tensor data, Tensor batch_sizes, {hx}, {_OPTIONS})", f"(Tensor input, {hx}, {_OPTIONS}, bool batch_first)"),
    )

    def function(*args: Any, **kwargs: Any) -> tuple[Tensor, ...]:
        _, values = reader.read(args, kwargs)
        input = values.pop("data") if "data" in values else values.pop("input")
        states = values.pop("hx")
        if name == "lstm" and len(states) != 2:
            raise RuntimeError("lstm expects two hidden states")
        states = states if name == "lstm" else (states,)
        return run(name, input, values.pop("batch_sizes", None), states, **values)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = run.__doc__
    return function


for _name in LAYERS:
    PUBLIC[_name] = _public_layers(_name)


# -- single steps ---------------------------------------------------------------------------------------------------


def _public_cell(name: str, cell: recurrent.Cell) -> Callable[..., Any]:
    several = name == "lstm_cell"
    hx = "Tensor[] hx" if several else "Tensor hx"
    reader = Reader(name, (f"(Tensor input, {hx}, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None)",))

    def step(input: Tensor, hx: Any, w_ih: Tensor, w_hh: Tensor, b_ih: Any = None, b_hh: Any = None) -> Any:
        state = tuple(hx) if several else (hx,)
        if several and len(state) != 2:
            raise RuntimeError("lstm_cell expects two hidden states")
        _check_step(input, state, w_ih, w_hh)
        state = cell(linear.apply(input, w_ih, b_ih), state, w_hh, b_hh)
        return state if several else state[0]

    def function(*args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != 6 or not all(each is None or hasattr(each, "_node") for each in args[several * 2 :]):
            _, values = reader.read(args, kwargs)
            return step(**values)
        if several and not isinstance(args[1], (tuple, list)):
            reader.read(args, kwargs)
        return step(*args)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = cell.__doc__
    return function


def _check_step(input: Tensor, state: State, w_ih: Tensor, w_hh: Tensor) -> None:
    """torch's errors for an input (N, I) and states (N, H) that do not fit."""
    batch, features = input.size(0), input.size(1)
    if features != w_ih.size(1):
        raise RuntimeError(f"input has inconsistent input_size: got {features} expected {w_ih.size(1)}")
    for number, each in enumerate(state):
        if batch != each.size(0):
            raise RuntimeError(f"Input batch size {batch} doesn't match hidden{number} batch size {each.size(0)}")
        if each.size(1) != w_hh.size(1):
            raise RuntimeError(
                f"hidden{number} has inconsistent hidden_size: got {each.size(1)}, expected {w_hh.size(1)}"
            )


for _name in ("rnn_tanh_cell", "rnn_relu_cell", "lstm_cell", "gru_cell"):
    PUBLIC[_name] = _public_cell(_name, getattr(recurrent, _name))


# -- packed sequences --------------------------------------------------------------------------------------------------


def _pack_padded_sequence(input: Tensor, lengths: Tensor, batch_first: bool) -> tuple[Tensor, Tensor]:
    """The rows of (T, N, *) that lie within their sequence, step by step, and how many there are at each step."""
    if not input.numel():
        raise RuntimeError("Cannot pack empty tensors.")
    if batch_first:
        input = input.transpose(0, 1)
    if lengths.dim() != 1 or lengths._data.dtype != np.int64:
        raise RuntimeError(
            f"'lengths' argument should be a 1D CPU int64 tensor, but got {lengths.dim()}D cpu {lengths.dtype.title} tensor"
        )
    batch = input.size(1)
    reads_values("packing")
    sizes = lengths._data
    if len(sizes) != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(sizes)} (batch_size={batch})"
        )
    if sizes[-1] <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if (sizes[1:] > sizes[:-1]).any():
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do "
            "not need ONNX exportability."
        )
    if sizes[0] > input.size(0):
        raise RuntimeError(f"a sequence of length {sizes[0]} does not fit into {input.size(0)} steps")
    batch_sizes = np.count_nonzero(sizes > np.arange(sizes[0])[:, None], axis=1)
    return pack_padded.apply(input, tuple(batch_sizes.tolist())), wrap(batch_sizes)


def _pad_packed_sequence(
    data: Tensor, batch_sizes: Tensor, batch_first: bool, padding_value: float, total_length: int
) -> tuple[Tensor, Tensor]:
    """Packed rows as (T, N, *), or (N, T, *) with `batch_first`, and the lengths of the sequences."""
    reads_values("a packed sequence")
    sizes = batch_sizes._data
    output = pad_packed.apply(data, tuple(sizes.tolist()), max(total_length, len(sizes)), padding_value)
    lengths = np.count_nonzero(sizes > np.arange(sizes[0])[:, None], axis=1)
    return output.transpose(0, 1) if batch_first else output, wrap(lengths)


PUBLIC["_pack_padded_sequence"] = _pack_padded_sequence
PUBLIC["_pad_packed_sequence"] = _pad_packed_sequence
