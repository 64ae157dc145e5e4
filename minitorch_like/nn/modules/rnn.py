"""Recurrent layers `RNN`, `LSTM` and `GRU`, and their single steps `RNNCell`, `LSTMCell` and `GRUCell`."""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like._composed import recurrent as _recurrent
from minitorch_like.nn import init
from minitorch_like.nn.parameter import Parameter
from minitorch_like.nn.utils.rnn import PackedSequence

from .module import Module

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}
_ONLY_LSTM = "proj_size argument is only supported for LSTM, not RNN or GRU"


def apply_permutation(tensor: Tensor, permutation: Tensor, dim: int = 1) -> Tensor:
    """Deprecated: use `tensor.index_select(dim, permutation)`."""
    warnings.warn(
        "`apply_permutation` is deprecated, please use `tensor.index_select(dim, permutation)` instead",
        FutureWarning,
        stacklevel=2,
    )
    return tensor.index_select(dim, permutation)


def _map(function: Callable[[Tensor], Tensor], state: Any) -> Any:
    """`function` of the hidden state, or of each of the pair that an LSTM has."""
    return tuple(map(function, state)) if isinstance(state, (tuple, list)) else function(state)


class RNNBase(Module):
    """What the recurrent layers have in common: parameters, checks, and everything around the recurrence itself.

    Each layer k and direction has `weight_ih_l{k}`, `weight_hh_l{k}`, with `bias` also `bias_ih_l{k}` and `bias_hh_l{k}`,
    and with `proj_size` also `weight_hr_l{k}`; names for the backward direction end in `_reverse`. All are drawn
    from U(+-1/sqrt(hidden_size)).
    """

    __constants__ = [  # noqa: RUF012
        "mode",
        "input_size",
        "hidden_size",
        "num_layers",
        "bias",
        "batch_first",
        "dropout",
        "bidirectional",
        "proj_size",
    ]
    mode: str
    input_size: int
    hidden_size: int
    num_layers: int
    bias: bool
    batch_first: bool
    dropout: float
    bidirectional: bool
    proj_size: int

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check_options(dropout)
        self._flat_weights_names: list[str] = []
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            for suffix in ("", "_reverse")[: self._directions]:
                self._add_parameters(layer, suffix, device, dtype)
        self.reset_parameters()

    def _check_options(self, dropout: Any) -> None:
        if isinstance(dropout, bool) or not isinstance(dropout, numbers.Number) or not 0 <= self.dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
            )
        if self.dropout > 0 and self.num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={self.num_layers}",
                stacklevel=3,
            )
        for name, kind in (("bias", bool), ("batch_first", bool), ("input_size", int), ("hidden_size", int)):
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise TypeError(f"{name} should be of type {kind.__name__}, got: {type(value).__name__}")
            if kind is int and value <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if self.num_layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        if self.proj_size < 0:
            raise ValueError("proj_size should be a positive integer or zero to disable projections")
        if self.proj_size >= self.hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if self.mode not in _GATES:
            raise ValueError(f"Unrecognized RNN mode: {self.mode}")

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def _output_size(self) -> int:
        """The size of one direction's hidden state."""
        return self.proj_size or self.hidden_size

    def _add_parameters(self, layer: int, suffix: str, device: Any, dtype: Any) -> None:
        rows = _GATES[self.mode] * self.hidden_size
        features = self._output_size * self._directions if layer else self.input_size
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, features), "weight_hh": (rows, self._output_size)}
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        names = [f"{name}_l{layer}{suffix}" for name in shapes]
        for name, shape in zip(names, shapes.values(), strict=True):
            setattr(self, name, Parameter(torch.empty(shape, device=device, dtype=dtype)))
        self._flat_weights_names.extend(names)
        self._all_weights.append(names)

    @property
    def _flat_weights(self) -> list[Any]:
        """All parameters, layer by layer."""
        own = self._parameters
        try:  # past __getattr__; a name that is not registered is an ordinary attribute, or missing
            return [own[name] for name in self._flat_weights_names]
        except KeyError:
            return [getattr(self, name, None) for name in self._flat_weights_names]

    @property
    def all_weights(self) -> list[list[Parameter]]:
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Does nothing: a GPU would want the parameters in one piece of memory."""

    def reset_parameters(self) -> None:
        """Draw new values for all parameters, in their order."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    # Checks, which raise RuntimeError for sizes and ValueError for the dtype

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        dtype = self._flat_weights[0].dtype
        if input.dtype is not dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). "
                f"Convert input: input.to({dtype}), or convert model: model.to({input.dtype})"
            )
        expected = 3 if batch_sizes is None else 2
        if input.dim() != expected:
            raise RuntimeError(f"input must have {expected} dimensions, got {input.dim()}")
        if self.input_size != input.size(-1):
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.size(-1)}"
            )

    def _state_size(self, input: Tensor, batch_sizes: Tensor | None, size: int) -> tuple[int, int, int]:
        if batch_sizes is not None:
            batch = int(batch_sizes[0])
        else:
            batch = input.size(0 if self.batch_first else 1)
        return self.num_layers * self._directions, batch, size

    def get_expected_hidden_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        return self._state_size(input, batch_sizes, self._output_size)

    def check_hidden_size(
        self, hx: Tensor, expected_hidden_size: tuple[int, int, int], msg: str = "Expected hidden size {}, got {}"
    ) -> None:
        if hx.size() != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.size())))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def _check_rank(self, hx: Any, rank: int) -> None:
        """An initial state without a batch goes with such an input."""
        if hx.dim() != rank:
            batched = "batched 3-D" if rank == 3 else "unbatched 2-D"
            raise RuntimeError(f"For {batched} input, hx should also be {rank}-D but got {hx.dim()}-D tensor")

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        if permutation is None:
            return hx
        return _map(lambda each: each.index_select(1, permutation), hx)

    # Running

    def _initial_state(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        return torch.zeros(self.get_expected_hidden_size(input, batch_sizes), dtype=input.dtype)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """(output, last state) of a batch (T, N, I) or (N, T, I), a sequence (T, I), or a `PackedSequence`."""
        if isinstance(input, PackedSequence):
            data, batch_sizes, sorted_indices, unsorted_indices = input
            if hx is None:
                hx = self._initial_state(data, batch_sizes)
            else:
                hx = self.permute_hidden(hx, sorted_indices)
            self.check_forward_args(data, hx, batch_sizes)
            output, hidden = self._run(data, batch_sizes, hx)
            packed = PackedSequence(output, batch_sizes, sorted_indices, unsorted_indices)
            return packed, self.permute_hidden(hidden, unsorted_indices)
        rank = input.dim()
        if rank not in (2, 3):
            noun = " tensor" if self.mode.startswith("RNN") else ""
            raise ValueError(f"{self.mode[:4].rstrip('_')}: Expected input to be 2D or 3D, got {rank}D{noun} instead")
        batch_dim = 0 if self.batch_first else 1
        if hx is not None:
            self._check_rank(hx, rank)
        if rank == 2:
            input = input.unsqueeze(batch_dim)
            hx = hx if hx is None else _map(lambda each: each.unsqueeze(1), hx)
        if hx is None:
            hx = self._initial_state(input, None)
        self.check_forward_args(input, hx, None)
        output, hidden = self._run(input, None, hx)
        if rank == 2:
            return output.squeeze(batch_dim), _map(lambda each: each.squeeze(1), hidden)
        return output, hidden

    def _run(self, input: Tensor, batch_sizes: Tensor | None, hx: Any) -> tuple[Tensor, Any]:
        several = self.mode == "LSTM"
        output, *hidden = _recurrent.run(
            self.mode.lower(),
            input,
            batch_sizes,
            hx if several else (hx,),
            self._flat_weights,
            self.bias,
            self.num_layers,
            self.dropout,
            self.training,
            self.bidirectional,
            self.batch_first and batch_sizes is None,
        )
        return output, tuple(hidden) if several else hidden[0]

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        for name, default in (
            ("proj_size", 0),
            ("num_layers", 1),
            ("bias", True),
            ("batch_first", False),
            ("dropout", 0),
            ("bidirectional", False),
        ):
            value = getattr(self, name)
            if value is not default and (isinstance(default, bool) or value != default):
                text += f", {name}={value}"
        return text

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("proj_size", 0)  # pickles of torch before 1.8 have none


class RNN(RNNBase):
    """Elman's network, h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or with relu in place of tanh (`nonlinearity`).

    Inputs: input (T, N, I), (N, T, I) with `batch_first`, or (T, I); hx (num_layers*D, N, H), zeros if not given.
    Outputs: output (T, N, D*H) of the last layer; last states (num_layers*D, N, H). D is 2 if bidirectional.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError(_ONLY_LSTM)
        if len(args) > 3:
            nonlinearity, args = args[3], args[:3] + args[4:]
        else:
            nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        self.__dict__["nonlinearity"] = nonlinearity  # before there is a module to register it with
        super().__init__(f"RNN_{nonlinearity.upper()}", *args, **kwargs)


class LSTM(RNNBase):
    """Long short-term memory: c' = f c + i g, h' = o tanh(c'), with gates of x and h.

    Inputs and outputs are those of `RNN`, but for the states, which are pairs (h, c). With `proj_size`, h is
    projected to that size.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        return self._state_size(input, batch_sizes, self.hidden_size)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        self.check_input(input, batch_sizes)
        expected = self.get_expected_hidden_size(input, batch_sizes), self.get_expected_cell_size(input, batch_sizes)
        for index, size in enumerate(expected):
            self.check_hidden_size(hidden[index], size, f"Expected hidden[{index}] size {{}}, got {{}}")
        if len(hidden) != 2:
            raise RuntimeError("lstm expects two hidden states")

    def _check_rank(self, hx: Sequence[Tensor], rank: int) -> None:
        if hx[0].dim() != rank or hx[1].dim() != rank:
            batched = "batched 3-D" if rank == 3 else "unbatched 2-D"
            raise RuntimeError(
                f"For {batched} input, hx and cx should also be {rank}-D but got ({hx[0].dim()}-D, {hx[1].dim()}-D) tensors"
            )

    def _initial_state(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[Tensor, Tensor]:
        cell = torch.zeros(self.get_expected_cell_size(input, batch_sizes), dtype=input.dtype)
        return super()._initial_state(input, batch_sizes), cell


class GRU(RNNBase):
    """Gated recurrent unit: h' = (1 - z) n + z h, where n sees h through the reset gate r.

    Inputs and outputs are those of `RNN`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError(_ONLY_LSTM)
        super().__init__("GRU", *args, **kwargs)


class RNNCellBase(Module):
    """What single steps have in common: the parameters `weight_ih`, `weight_hh`, `bias_ih` and `bias_hh`."""

    __constants__ = ["input_size", "hidden_size", "bias"]  # noqa: RUF012
    input_size: int
    hidden_size: int
    bias: bool
    weight_ih: Tensor
    weight_hh: Tensor

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(torch.empty((rows, input_size), device=device, dtype=dtype))
        self.weight_hh = Parameter(torch.empty((rows, hidden_size), device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(torch.empty(rows, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values from U(+-1/sqrt(hidden_size)), in the order of the parameters."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        nonlinearity = self.__dict__.get("nonlinearity", "tanh")
        return text if nonlinearity == "tanh" else f"{text}, nonlinearity={nonlinearity}"

    def _step(self, function: Callable[..., Any], input: Tensor, hx: Any) -> Any:
        """`function` on a batch (N, I), or on a single input (I)."""
        if input.dim() == 2:
            hx = self._zeros(input) if hx is None else hx
            return function(input, hx, *self._weights())
        input = input.unsqueeze(0)
        hx = self._zeros(input) if hx is None else _map(lambda each: each.unsqueeze(0), hx)
        return _map(lambda each: each.squeeze(0), function(input, hx, *self._weights()))

    def _weights(self) -> tuple[Any, ...]:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def _zeros(self, input: Tensor) -> Any:
        return torch.zeros((input.size(0), self.hidden_size), dtype=input.dtype)

    def _check_ranks(self, input: Tensor, hx: Tensor | None) -> None:
        for name, each in (("input", input), ("hidden", hx)):
            if each is not None and each.dim() not in (1, 2):
                raise ValueError(f"{self._get_name()}: Expected {name} to be 1D or 2D, got {each.dim()}D instead")


class RNNCell(RNNCellBase):
    """A step of Elman's network: (N, I) or (I), and a state (N, H) or (H), to the next state."""

    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]  # noqa: RUF012
    nonlinearity: str

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, num_chunks=1, device=device, dtype=dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        self._check_ranks(input, hx)
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._step(_recurrent.PUBLIC[f"rnn_{self.nonlinearity}_cell"], input, hx)


class LSTMCell(RNNCellBase):
    """A step of an LSTM: (N, I) or (I), and a pair of states (N, H) or (H), to the next pair."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, num_chunks=4, device=device, dtype=dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        self._check_ranks(input, None)
        for index, each in enumerate(() if hx is None else hx):
            if each.dim() not in (1, 2):
                raise ValueError(f"LSTMCell: Expected hx[{index}] to be 1D or 2D, got {each.dim()}D instead")
        return self._step(_recurrent.PUBLIC["lstm_cell"], input, hx)

    def _zeros(self, input: Tensor) -> Any:
        zeros = super()._zeros(input)
        return zeros, zeros


class GRUCell(RNNCellBase):
    """A step of a GRU: (N, I) or (I), and a state (N, H) or (H), to the next state."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, num_chunks=3, device=device, dtype=dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        self._check_ranks(input, hx)
        return self._step(_recurrent.PUBLIC["gru_cell"], input, hx)
