"""Activations, and the linear map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like._bind import FUNCTIONS
from minitorch_like._composed.in_place import in_place
from minitorch_like._composed.nn import PUBLIC
from minitorch_like._once import warn_of_call
from minitorch_like.ops import TABLE


def _with_numbers(name: str) -> Callable[..., Tensor]:
    """The op of this name, whose options are numbers: a call that plainly gives such need not be read."""
    op, read = TABLE[name], FUNCTIONS[name]

    def function(input: Any, *options: Any) -> Any:
        if input.__class__ is Tensor:
            for each in options:
                if each.__class__ is not float and each.__class__ is not int:
                    break
            else:
                return op.apply(input, *options)
        return read(input, *options)

    return function


linear = FUNCTIONS["linear"]
gelu = FUNCTIONS["gelu"]
softplus = FUNCTIONS["softplus"]
logsigmoid = FUNCTIONS["log_sigmoid"]
softshrink = FUNCTIONS["softshrink"]
hardshrink = FUNCTIONS["hardshrink"]
prelu = FUNCTIONS["prelu"]

relu_, selu_, celu_, threshold_, rrelu_ = (PUBLIC[name] for name in ("relu_", "selu_", "celu_", "threshold_", "rrelu_"))
leaky_relu_, elu_ = in_place("leaky_relu_", "leaky_relu_in_place"), in_place("elu_", "elu_in_place")
_silu_, _mish_ = in_place("silu_", "silu_in_place"), in_place("mish_", "mish_in_place")
hardtanh_, _relu6_, _hardswish_, _hardsigmoid_ = map(in_place, ("hardtanh_", "relu6_", "hardswish_", "hardsigmoid_"))

_leaky_relu, _elu, _celu, _hardtanh, _replace_below = map(
    _with_numbers, ("leaky_relu", "elu", "celu", "hardtanh", "threshold")
)
_selu, _silu, _mish, _relu6, _hardswish, _hardsigmoid, _glu = map(
    FUNCTIONS.__getitem__, ("selu", "silu", "mish", "relu6", "hardswish", "hardsigmoid", "glu")
)


# -- rectifiers ---------------------------------------------------------------------------------------------------


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(0, x), of any shape."""
    return relu_(input) if inplace else torch.relu(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, negative_slope * x elsewhere."""
    return leaky_relu_(input, negative_slope) if inplace else _leaky_relu(input, negative_slope)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, alpha * (exp(x) - 1) elsewhere."""
    return elu_(input, alpha) if inplace else _elu(input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """1.0507 x where x > 0, 1.7581 (exp(x) - 1) elsewhere."""
    return selu_(input) if inplace else _selu(input)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, alpha * (exp(x / alpha) - 1) elsewhere. Raises: RuntimeError where alpha is 0."""
    return celu_(input, alpha) if inplace else _celu(input, alpha)


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """x where x > 0, elsewhere x times a random slope between the bounds, or their mean unless `training`."""
    return PUBLIC["rrelu_" if inplace else "rrelu"](input, lower, upper, training)


def _threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, `value` elsewhere."""
    return threshold_(input, threshold, value) if inplace else _replace_below(input, threshold, value)


threshold = _threshold  # its name in torch's errors too


# -- bounded ------------------------------------------------------------------------------------------------------


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """min(max(x, min_val), max_val). Raises: ValueError where the bounds are the wrong way round."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return hardtanh_(input, min_val, max_val) if inplace else _hardtanh(input, min_val, max_val)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6)."""
    return _relu6_(input) if inplace else _relu6(input)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x + 3, 0), 6) / 6."""
    return _hardsigmoid_(input) if inplace else _hardsigmoid(input)


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x))."""
    return input.sigmoid()


def tanh(input: Tensor) -> Tensor:
    """tanh(x)."""
    return input.tanh()


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return input / (input.abs() + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - input.tanh()


# -- gated --------------------------------------------------------------------------------------------------------


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x * sigmoid(x)."""
    return _silu_(input) if inplace else _silu(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * tanh(softplus(x))."""
    return _mish_(input) if inplace else _mish(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * hardsigmoid(x)."""
    return _hardswish_(input) if inplace else _hardswish(input)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a * sigmoid(b), a and b the halves of `dim`. Raises: RuntimeError where it has no halves."""
    if input.dim() == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    return _glu(input, dim)


# -- distributions ------------------------------------------------------------------------------------------------


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """exp(x) / sum(exp(x)) along `dim`; computed in `dtype` if given. Warns where `dim` is left out."""
    if dim is None:
        dim = _get_softmax_dim("softmax", input.dim())
    return _along("softmax", input, dim, dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """softmax(-x) along `dim`."""
    if dim is None:
        dim = _get_softmax_dim("softmin", input.dim())
    return _along("softmax", -input, dim, dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """log(softmax(x)) along `dim`."""
    if dim is None:
        dim = _get_softmax_dim("log_softmax", input.dim())
    return _along("log_softmax", input, dim, dtype)


def _along(name: str, input: Any, dim: int, dtype: Any) -> Tensor:
    """The op of this name along `dim`: a call that plainly names a dimension need not be read."""
    if dtype is None and dim.__class__ is int and input.__class__ is Tensor:
        return TABLE[name].apply(input, dim)
    method = getattr(input, name)
    return method(dim) if dtype is None else method(dim, dtype=dtype)


def _get_softmax_dim(name: str, ndim: int) -> int:
    warn_of_call(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
    )
    return 0 if ndim in (0, 1, 3) else 1


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """softmax((logits + Gumbel noise) / tau): a sample of the categories, which can be differentiated.

    `hard` makes it one-hot, with the gradient of the soft one (Jang et al. 2016).
    """
    if eps != 1e-10:
        warn_of_call("`eps` parameter is deprecated and has no effect.")
    noise = -torch.empty(tuple(logits.shape), dtype=logits.dtype).exponential_().log()
    soft = ((logits + noise) / tau).softmax(dim)
    if not hard:
        return soft
    chosen = soft.max(dim, keepdim=True)[1]
    place = [-1 if each == dim % (soft.dim() or 1) else 1 for each in range(soft.dim())]
    classes = torch.arange(soft.size(dim)).view(place) if soft.dim() else torch.zeros((), dtype=torch.int64)
    one_hot = (chosen == classes).to(soft.dtype)
    return one_hot - soft.detach() + soft
