"""Recurrent layers: one direction of one layer, over a whole sequence, is one op.

The equations of the cells (`rnn_cell`, `lstm_cell`, `gru_cell`) are written once with ops of the table: single steps,
projected layers and recorded backward passes use them as they are, step by step (`unrolled`).  The kernels of the layers
compute the same in fewer and larger NumPy calls:

* States are kept as columns, (features, batch), so that each gate of a step is one contiguous block.
* A step's input is stacked below its state: `columns[t]` is [h; 1; x], and all gates are one product with [W_hh b W_ih].
* Backward in time runs only what depends on the step before.  The gradients of the weights and of the input are then
  one product each over all steps.

Sizes: T steps, a batch of N, I inputs, H hidden units, G gates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ._checks import sizes
from ._table import Array, op
from .activation import relu
from .elementwise import add, sigmoid, tanh
from .matmul import linear
from .shape import expand, stack, unbind
from .views import chunk

State = tuple[Any, ...]
Cell = Callable[..., State]

# -- the equations ---------------------------------------------------------------------------------------------------
#
# Each takes the input's part of the gates, x W_ih^T + b_ih (N, G*H), and the state (N, H); it returns the new state,
# of which the first is the output.


def rnn_tanh_cell(gates: Any, state: State, w_hh: Any, b_hh: Any) -> State:
    """h' = tanh(gates + h W_hh^T + b_hh)."""
    return (tanh(gates + linear(state[0], w_hh, b_hh)),)


def rnn_relu_cell(gates: Any, state: State, w_hh: Any, b_hh: Any) -> State:
    """h' = max(0, gates + h W_hh^T + b_hh)."""
    return (relu(gates + linear(state[0], w_hh, b_hh)),)


def lstm_cell(gates: Any, state: State, w_hh: Any, b_hh: Any, w_hr: Any = None) -> State:
    """c' = f c + i g, h' = o tanh(c') (Hochreiter & Schmidhuber 1997; Gers et al. 2000); gates in the order i, f, g, o.

    With `w_hr`, the output is its product with that (Sak et al. 2014).
    """
    h, c = state
    i, f, g, o = chunk(gates + linear(h, w_hh, b_hh), 4, 1)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    h = sigmoid(o) * tanh(c)
    return (h if w_hr is None else linear(h, w_hr)), c


def gru_cell(gates: Any, state: State, w_hh: Any, b_hh: Any) -> State:
    """h' = (1 - z) n + z h (Cho et al. 2014); gates in the order r, z, n."""
    (h,) = state
    r, z, n = chunk(gates, 3, 1)
    from_r, from_z, from_n = chunk(linear(h, w_hh, b_hh), 3, 1)
    n = tanh(n + sigmoid(r + from_r) * from_n)
    return ((h - n) * sigmoid(z + from_z) + n,)


def unrolled(
    cell: Cell, input: Any, state: State, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, reverse: bool
) -> tuple[Any, ...]:
    """A layer step by step: (T, N, I) to the outputs (T, N, H) and the last state."""
    outputs = []
    steps = unbind(linear(input, w_ih, b_ih), 0)
    for gates in steps[::-1] if reverse else steps:
        state = cell(gates, state, w_hh, b_hh)
        outputs.append(state[0])
    return stack(outputs[::-1] if reverse else outputs, 0), *state


def _recorded(cell: Cell, g: Sequence[Any], inputs: Sequence[Any], reverse: bool, needs: Sequence[bool]) -> list[Any]:
    """The gradients of a layer in a backward pass that is itself recorded: those of its steps."""
    from ..autograd import grad

    # Inputs may depend on one another outside; for the aliases all that counts happens inside.
    aliases = [each if each is None else expand(each, each.shape) for each in inputs]
    input, *states, w_ih, w_hh, b_ih, b_hh = aliases
    results = unrolled(cell, input, tuple(states), w_ih, w_hh, b_ih, b_hh, reverse)
    wanted = [each for each, needed in zip(aliases, needs, strict=True) if needed]
    gradients = iter(grad(results, wanted, g, create_graph=True))
    return [next(gradients) if needed else None for needed in needs]


# -- what the kernels share --------------------------------------------------------------------------------------------


def _check(
    gates: int, input: Array, h0: Array, w_ih: Array, w_hh: Array, b_ih: Array | None, b_hh: Array | None
) -> None:
    """torch's errors for weights that do not fit: those of the linear maps that they are used in."""
    if not len(input):
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    given = [each for each in (input, h0, w_ih, w_hh, b_ih, b_hh) if each is not None]
    hidden = h0.shape[1]
    shapes = [(gates * hidden, input.shape[2]), (gates * hidden, hidden), (gates * hidden,), (gates * hidden,)]
    if [each.shape for each in given[2:]] != shapes[: len(given) - 2] or len({each.dtype for each in given}) > 1:
        add.kernel(linear.kernel(input[0], w_ih, b_ih), linear.kernel(h0, w_hh, b_hh))
        raise RuntimeError(f"{gates} gates of {hidden} hidden units do not fit weights of sizes {sizes(w_hh.shape)}")


def _empty(like: Array, *shape: int) -> Array:
    """Memory for columns, gates or rows.  float16 is computed in float32."""
    return np.empty_like(like, dtype=np.float32 if like.itemsize == 2 else None, shape=shape, order="C")


def _in_time(x: Array, reverse: bool) -> Array:
    """The steps in the order in which they are computed."""
    return x[::-1] if reverse else x


def _by_steps(x: Array) -> Array:
    """(T, N, *), step after step in memory.

    What lies batch after batch is moved row by row before it is transposed: there the numbers of one step can be so far
    apart that they take one another's place in the cache.
    """
    return x if x.flags.c_contiguous else x.copy()


def _backward(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    """All of them step by step, the last step first."""
    return zip(*(each[::-1] for each in arrays), strict=True)


def _columns(input: Array, h0: Array, reverse: bool) -> Array:
    """(T + 1, H + 1 + I, N): [h; 1; x] of each step, of the states only the first one filled in."""
    steps, batch, features = input.shape
    hidden = h0.shape[1]
    columns = _empty(input, steps + 1, hidden + 1 + features, batch)
    columns[0, :hidden] = h0.T
    columns[:, hidden] = 1
    columns[:-1, hidden + 1 :] = _in_time(_by_steps(input), reverse).transpose(0, 2, 1)
    return columns


def _stacked(w_ih: Array, w_hh: Array, bias: Array | None) -> Array:
    """(..., H + 1 + I): [W_hh b W_ih], the linear map from columns to gates."""
    hidden = w_hh.shape[-1]
    stacked = _empty(w_hh, *w_hh.shape[:-1], hidden + 1 + w_ih.shape[-1])
    stacked[..., :hidden] = w_hh
    stacked[..., hidden] = 0 if bias is None else bias
    stacked[..., hidden + 1 :] = w_ih
    return stacked


def _sigmoid_of_negative(x: Array, out: Array, one: Array) -> None:
    """1 / (1 + e^x), the sigmoid of -x: with the weights negated, a pass less at each step."""
    np.exp(x, out)
    np.add(out, one, out)
    np.divide(one, out, out)


def _state_rows(columns: Array, hidden: int, reverse: bool) -> Array:
    """(T + 1, N, H): the states before and after each step, in the order of the sequence."""
    states = columns[:, :hidden].transpose(0, 2, 1)
    rows = np.empty_like(columns, shape=states.shape, order="C")
    _in_time(rows, reverse)[...] = states
    return rows


def _outputs(rows: Array, like: Array, reverse: bool) -> tuple[Array, Array]:
    """The output (T, N, H) and the last state (N, H), in memory of their own."""
    output = np.empty_like(like, shape=(len(rows) - 1, *rows.shape[1:]), order="C")
    last = np.empty_like(like, shape=rows.shape[1:], order="C")
    output[...] = rows[:-1] if reverse else rows[1:]
    last[...] = rows[0] if reverse else rows[-1]
    return output, last


def _transposed(x: Array, like: Array) -> Array:
    """Rows (..., N, H) as columns (..., H, N), in new memory."""
    result = np.empty_like(like, shape=(*x.shape[:-2], x.shape[-1], x.shape[-2]), order="C")
    result[...] = x.swapaxes(-1, -2)
    return result


def _from_above(g: Array, like: Array, reverse: bool) -> Array:
    """The gradients (T, N, H) of the outputs as columns (T, H, N), in the order in which the steps are computed."""
    return _transposed(_in_time(_by_steps(g), reverse), like)


def _gate_rows(gradients: Array, gates: Sequence[int], reverse: bool) -> Array:
    """(G*H, T*N): the gradients (T, *, H, N) of some gates, steps in the order of the sequence."""
    steps, _, hidden, batch = gradients.shape
    rows = np.empty_like(gradients, shape=(len(gates), hidden, steps, batch), order="C")
    if batch:  # the batch as one item: NumPy moves that faster than its numbers
        source, target = (each.view(f"V{batch * each.itemsize}")[..., 0] for each in (gradients, rows))
        for row, gate in zip(target, gates, strict=True):
            row[...] = _in_time(source[:, gate], reverse).T
    return rows.reshape(len(gates) * hidden, steps * batch)


def _gradients(
    input_gates: Array,
    hidden_gates: Array,
    input: Array,
    rows: Array,
    w_ih: Array,
    reverse: bool,
    needs: Sequence[bool],
) -> list[Any]:
    """The gradients of the input, then of w_ih, w_hh, b_ih and b_hh, from those of the gates (G*H, T*N)."""
    elements = input.shape[0] * input.shape[1]
    states = (rows[1:] if reverse else rows[:-1]).reshape(elements, rows.shape[2])
    of_b_ih = of_b_hh = None
    if needs[-2] or needs[-1]:
        ones = np.ones(elements, rows.dtype)
        of_b_ih = np.dot(input_gates, ones)
        of_b_hh = of_b_ih.copy() if hidden_gates is input_gates else np.dot(hidden_gates, ones)
    return [
        np.dot(input_gates.T, w_ih).reshape(input.shape) if needs[0] else None,
        np.dot(input_gates, _by_steps(input).reshape(elements, input.shape[2])) if needs[-4] else None,
        np.dot(hidden_gates, states) if needs[-3] else None,
        of_b_ih,
        of_b_hh,
    ]


# -- Elman's network -------------------------------------------------------------------------------------------------


def _rnn_gradients(
    g: Any, input: Any, h0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, nonlinearity: str, reverse: bool,
    columns: Any, rows: Any, needs: Any,
) -> list[Any]:  # fmt: skip
    if columns is None:
        cell = rnn_tanh_cell if nonlinearity == "tanh" else rnn_relu_cell
        return _recorded(cell, g, (input, h0, w_ih, w_hh, b_ih, b_hh), reverse, needs)
    h = columns[1:, : g[1].shape[1]]
    is_tanh = nonlinearity == "tanh"
    by_gate = 1 - h * h if is_tanh else np.logical_not(h <= 0)  # a NaN lets its gradient pass
    gates = np.zeros_like(columns, shape=h.shape, order="C")
    dh, above = _transposed(g[1], columns), _from_above(g[0], columns, reverse)
    for from_above, by, gate in _backward(above, by_gate, gates):
        np.add(dh, from_above, dh)
        if is_tanh:
            np.multiply(by, dh, gate)
        else:
            np.copyto(gate, dh, where=by)
        np.dot(w_hh.T, gate, out=dh)
    all_gates = _gate_rows(gates[:, None], (0,), reverse)
    d_input, *d_weights = _gradients(all_gates, all_gates, input, rows, w_ih, reverse, needs)
    return [d_input, dh.T, *d_weights]


@op(
    "(Tensor input, Tensor h0, Tensor w_ih, Tensor w_hh, Tensor? b_ih, Tensor? b_hh, str nonlinearity, bool reverse)",
    arity=6,
    outputs=("output", "last"),
    keeps=("columns", "rows"),
    joint=_rnn_gradients,
    node="StackBackward0",
    namespace="internal",
)
def rnn_layer(
    input: Array, h0: Array, w_ih: Array, w_hh: Array, b_ih: Array | None, b_hh: Array | None,
    nonlinearity: str, reverse: bool,
) -> tuple[Array, ...]:  # fmt: skip
    """Elman's network: input (T, N, I) and state (N, H) to the output (T, N, H) and the last state."""
    _check(1, input, h0, w_ih, w_hh, b_ih, b_hh)
    hidden = h0.shape[1]
    columns = _columns(input, h0, reverse)
    weights = _stacked(w_ih, w_hh, None if b_ih is None else b_ih + b_hh)
    for column, h in zip(columns, columns[1:, :hidden], strict=False):
        np.dot(weights, column, out=h)
        if nonlinearity == "tanh":
            np.tanh(h, h)
        else:
            np.maximum(h, 0, out=h)
    rows = _state_rows(columns, hidden, reverse)
    return *_outputs(rows, input, reverse), columns, rows


# -- long short-term memory ----------------------------------------------------------------------------------------
#
# All that an LSTM adds and hands on are products of a sigmoid and a value: f c, i g and o tanh(c').  The sigmoids
# (f, i, o) and the values (c, g, tanh(c')) of a step are kept as three blocks each.  With q = s v,
# the derivative of such a product by the argument of its sigmoid is q (1 - s), by the argument of its tanh s - q v.


def _sigmoids_first(x: Array | None, hidden: int) -> Any:
    """torch's gates (i, f, g, o) as f, i, o, g, which is to swap neighbours: (4H, *) seen as (2, 2, H, *)."""
    return x if x is None else x.reshape(2, 2, hidden, *x.shape[1:])[:, ::-1]


def _lstm_gradients(
    g: Any, input: Any, h0: Any, c0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, reverse: bool,
    sigmoids: Any, values: Any, rows: Any, needs: Any,
) -> list[Any]:  # fmt: skip
    if sigmoids is None:
        return _recorded(lstm_cell, g, (input, h0, c0, w_ih, w_hh, b_ih, b_hh), reverse, needs)
    steps, batch, hidden = g[0].shape
    values = values[:-1]
    products = sigmoids * values
    by_sigmoids, by_tanhs = products * (1 - sigmoids), sigmoids - products * values
    gates, scratch = _empty(sigmoids, steps, 4, hidden, batch), _empty(sigmoids, hidden, batch)
    dh, dc, above = _transposed(g[1], sigmoids), _transposed(g[2], sigmoids), _from_above(g[0], sigmoids, reverse)
    for from_above, f, by_f, by_i, by_o, by_g, by_c, di, df, dg, do, all_gates in _backward(
        above, sigmoids[:, 0], by_sigmoids[:, 0], by_sigmoids[:, 1], by_sigmoids[:, 2], by_tanhs[:, 1], by_tanhs[:, 2],
        gates[:, 0], gates[:, 1], gates[:, 2], gates[:, 3], gates.reshape(steps, 4 * hidden, batch),
    ):  # fmt: skip
        np.add(dh, from_above, dh)
        np.multiply(by_c, dh, scratch)
        np.add(dc, scratch, dc)
        np.multiply(by_i, dc, di)
        np.multiply(by_f, dc, df)
        np.multiply(by_g, dc, dg)
        np.multiply(by_o, dh, do)
        np.multiply(f, dc, dc)
        np.dot(w_hh.T, all_gates, out=dh)
    all_gates = _gate_rows(gates, range(4), reverse)
    d_input, *d_weights = _gradients(all_gates, all_gates, input, rows, w_ih, reverse, needs)
    return [d_input, dh.T, dc.T, *d_weights]


def is_fused(input: Array) -> bool:
    """Whether torch computes an LSTM layer in one op too, by oneDNN; otherwise it goes step by step."""
    return input.dtype == np.float32 and input.size > 0


@op(
    "(Tensor input, Tensor h0, Tensor c0, Tensor w_ih, Tensor w_hh, Tensor? b_ih, Tensor? b_hh, bool reverse)",
    arity=7,
    outputs=("output", "last", "last_c"),
    keeps=("sigmoids", "values", "rows"),
    joint=_lstm_gradients,
    node=lambda input, *rest: "MkldnnRnnLayerBackward0" if is_fused(input._data) else "StackBackward0",
    namespace="internal",
)
def lstm_layer(
    input: Array, h0: Array, c0: Array, w_ih: Array, w_hh: Array, b_ih: Array | None, b_hh: Array | None, reverse: bool
) -> tuple[Array, ...]:
    """Input (T, N, I), state and cell (N, H) to the output (T, N, H), the last state and the last cell."""
    if is_fused(input) and any(each.dtype is not input.dtype for each in (h0, c0, w_ih, w_hh)):
        raise RuntimeError("get_mkldnn_dtype: unsupported data type")
    _check(4, input, h0, w_ih, w_hh, b_ih, b_hh)
    steps, batch, _ = input.shape
    hidden = h0.shape[1]
    columns = _columns(input, h0, reverse)
    parts = (_sigmoids_first(each, hidden) for each in (w_ih, w_hh, None if b_ih is None else b_ih + b_hh))
    weights = _stacked(*parts).reshape(4 * hidden, columns.shape[1])
    np.negative(weights[: 3 * hidden], weights[: 3 * hidden])
    sigmoids, values = _empty(input, steps, 3, hidden, batch), _empty(input, steps + 1, 3, hidden, batch)
    values[0, 0] = c0.T
    arguments, products = _empty(input, 4 * hidden, batch), _empty(input, 2, hidden, batch)
    of_sigmoids, of_tanh = arguments[: 3 * hidden].reshape(3, hidden, batch), arguments[3 * hidden :]
    kept, added = products
    one = np.ones((), sigmoids.dtype)
    for column, s, forget_and_input, o, v, g, tanh_c, c, h in zip(
        columns[:-1], sigmoids, sigmoids[:, :2], sigmoids[:, 2],
        values[:-1, :2], values[:-1, 1], values[:-1, 2], values[1:, 0], columns[1:, :hidden], strict=True,
    ):  # fmt: skip
        np.dot(weights, column, out=arguments)
        _sigmoid_of_negative(of_sigmoids, s, one)
        np.tanh(of_tanh, g)
        np.multiply(forget_and_input, v, products)
        np.add(kept, added, c)
        np.tanh(c, tanh_c)
        np.multiply(o, tanh_c, h)
    rows = _state_rows(columns, hidden, reverse)
    last_c = np.empty_like(c0, order="C")
    last_c[...] = values[-1, 0].T
    return *_outputs(rows, input, reverse), last_c, sigmoids, values, rows


# -- gated recurrent unit ----------------------------------------------------------------------------------------------


def _gru_gradients(
    g: Any, input: Any, h0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, reverse: bool,
    columns: Any, sigmoids: Any, n: Any, from_state: Any, rows: Any, needs: Any,
) -> list[Any]:  # fmt: skip
    if sigmoids is None:
        return _recorded(gru_cell, g, (input, h0, w_ih, w_hh, b_ih, b_hh), reverse, needs)
    steps, batch, hidden = g[0].shape
    r, z = sigmoids.swapaxes(0, 1).copy()
    by_n = (1 - z) * (1 - n * n)  # n's argument is the input's part and r times the state's part
    by_state = by_n * r
    by_r, by_z = by_state * from_state * (1 - r), (columns[:-1, :hidden] - n) * z * (1 - z)
    gates, passed = _empty(sigmoids, steps, 4, hidden, batch), _empty(sigmoids, hidden, batch)
    dh, above = _transposed(g[1], sigmoids), _from_above(g[0], sigmoids, reverse)
    for from_above, of_r, of_z, of_state, of_n, pass_on, dr, dz, d_state, dn, all_gates in _backward(
        above, by_r, by_z, by_state, by_n, z,
        gates[:, 0], gates[:, 1], gates[:, 2], gates[:, 3], gates.reshape(steps, 4 * hidden, batch)[:, : 3 * hidden],
    ):  # fmt: skip
        np.add(dh, from_above, dh)
        np.multiply(of_r, dh, dr)
        np.multiply(of_z, dh, dz)
        np.multiply(of_state, dh, d_state)
        np.multiply(of_n, dh, dn)
        np.multiply(pass_on, dh, passed)
        np.dot(w_hh.T, all_gates, out=dh)
        np.add(dh, passed, dh)
    input_gates, hidden_gates = (_gate_rows(gates, which, reverse) for which in ((0, 1, 3), (0, 1, 2)))
    d_input, *d_weights = _gradients(input_gates, hidden_gates, input, rows, w_ih, reverse, needs)
    return [d_input, dh.T, *d_weights]


@op(
    "(Tensor input, Tensor h0, Tensor w_ih, Tensor w_hh, Tensor? b_ih, Tensor? b_hh, bool reverse)",
    arity=6,
    outputs=("output", "last"),
    keeps=("columns", "sigmoids", "n", "from_state", "rows"),
    joint=_gru_gradients,
    node="StackBackward0",
    namespace="internal",
)
def gru_layer(
    input: Array, h0: Array, w_ih: Array, w_hh: Array, b_ih: Array | None, b_hh: Array | None, reverse: bool
) -> tuple[Array, ...]:
    """Input (T, N, I) and state (N, H) to the output (T, N, H) and the last state.

    Of the candidate's argument the state's part, W_hn h + b_hn, is multiplied by r, so the two parts are computed apart.
    """
    _check(3, input, h0, w_ih, w_hh, b_ih, b_hh)
    steps, batch, _ = input.shape
    hidden = h0.shape[1]
    columns = _columns(input, h0, reverse)
    weights = _stacked(w_ih, w_hh, b_ih)
    of_sigmoids, of_n = weights[: 2 * hidden], weights[2 * hidden :, hidden:]
    of_state = weights[2 * hidden :, : hidden + 1].copy()
    of_state[:, hidden] = 0 if b_hh is None else b_hh[2 * hidden :]
    if b_hh is not None:
        np.add(of_sigmoids[:, hidden], b_hh[: 2 * hidden], of_sigmoids[:, hidden])
    np.negative(of_sigmoids, of_sigmoids)
    sigmoids = _empty(input, steps, 2, hidden, batch)
    n, from_state = _empty(input, steps, hidden, batch), _empty(input, steps, hidden, batch)
    np.matmul(of_n, columns[:-1, hidden:], n)
    scratch, one = _empty(input, hidden, batch), np.ones((), sigmoids.dtype)
    for column, h, h_1, s, both, r, z, n_t, part, h_next in zip(
        columns[:-1], columns[:-1, :hidden], columns[:-1, : hidden + 1], sigmoids, sigmoids.reshape(steps, 2 * hidden, batch),
        sigmoids[:, 0], sigmoids[:, 1], n, from_state, columns[1:, :hidden], strict=True,
    ):  # fmt: skip
        np.dot(of_sigmoids, column, out=both)
        _sigmoid_of_negative(s, s, one)
        np.dot(of_state, h_1, out=part)
        np.multiply(r, part, scratch)
        np.add(n_t, scratch, n_t)
        np.tanh(n_t, n_t)
        np.subtract(h, n_t, scratch)
        np.multiply(scratch, z, scratch)
        np.add(scratch, n_t, h_next)
    rows = _state_rows(columns, hidden, reverse)
    return *_outputs(rows, input, reverse), columns, sigmoids, n, from_state, rows
