"""Faults in derivative rules: written as rules are, so that one can lay the wrong one beside the right one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch_like.ops.elementwise import eq, exp, sign, where
from minitorch_like.ops.indexing import put_at
from minitorch_like.ops.matmul import matmul, mm
from minitorch_like.ops.reductions import count, kept, mean, spread, sum_
from minitorch_like.ops.shape import narrow, permute, reshape, select, transpose
from minitorch_like.ops.transcendental import cos
from parity_tests.mutants.fault import Kernel, Rule, fault

Array = np.ndarray[Any, Any]
Right = Callable[..., Any]

# -- factors and signs


@fault("wrong factor", Rule("tanh", "input"))
def tanh_without_the_square(g: Any, out: Any) -> Any:
    """The derivative of tanh is 1 - y instead of 1 - y²."""
    return g * (1 - out)


@fault("wrong factor", Rule("sqrt", "input"))
def sqrt_without_the_half(g: Any, out: Any) -> Any:
    """The derivative of sqrt is 1 / y instead of 1 / 2y."""
    return g / out


@fault("wrong factor", Rule("mse_loss", "input"))
def mse_gradient_without_the_two(g: Any, input: Any, target: Any, reduction: str) -> Any:
    """The gradient of mse_loss lacks its factor 2."""
    difference = input - target
    return difference * g / max(count(tuple(difference.shape), None), 1) if reduction == "mean" else difference * g


@fault("wrong factor", Rule("addmm", "mat1"))
def addmm_gradient_without_alpha(g: Any, mat2: Any) -> Any:
    """The gradient of addmm by its first matrix forgets alpha."""
    return mm(g, transpose(mat2, 0, 1))


@fault("wrong sign", Rule("div", "other"))
def quotient_grows_with_its_divisor(g: Any, input: Any, other: Any) -> Any:
    """The derivative of x / y by y is +x / y²."""
    return g * ((input / other) / other)


@fault("wrong operand", Rule("mul", "other"))
def product_by_itself(g: Any, other: Any) -> Any:
    """The derivative of x * y by y is y instead of x."""
    return g * other


@fault("wrong operand", Rule("where", "other"))
def where_sends_both_gradients_one_way(g: Any, condition: Any) -> Any:
    """The gradient of where by its second choice goes to where the first was taken."""
    return where(condition, g, 0.0)


@fault("off by one", Rule("pow", "input"))
def power_keeps_its_exponent(g: Any, input: Any, exponent: Any) -> Any:
    """The derivative of x ** n is n * x ** n instead of n * x ** (n - 1)."""
    return g * (exponent * input**exponent)


# -- kinks


@fault("subgradient at a kink", Kernel("relu_gradient"))
def relu_has_slope_at_zero(right: Right, grad: Array, result: Array) -> Any:
    """The gradient passes through relu at exactly 0."""
    return np.where(result < 0, grad.dtype.type(0), grad)


@fault("subgradient at a kink", Kernel("leaky_relu_gradient"))
def leaky_relu_rises_at_zero(right: Right, grad: Array, input: Array, negative_slope: float) -> Any:
    """leaky_relu has slope 1 at exactly 0."""
    return np.where(input >= 0, grad, grad * negative_slope)


@fault("subgradient at a kink", Rule("abs", "input"))
def abs_rises_at_zero(g: Any, input: Any) -> Any:
    """abs has slope 1 at exactly 0."""
    return where(input >= 0, g, g * sign(input))


@fault("subgradient at a kink", Rule("clamp", "input"))
def clamp_blocks_at_its_bounds(g: Any, input: Any, min: Any, max: Any) -> Any:
    """The gradient of clamp is 0 where the input equals a bound."""
    if min is not None:
        g = where(input > min, g, 0.0)
    return g if max is None else where(input < max, g, 0.0)


@fault("gradient at a tie", Rule("maximum", "input"))
def maximum_gives_the_first_all(g: Any, input: Any, other: Any) -> Any:
    """At a tie the first operand of maximum gets the whole gradient, and the second its half."""
    return where(input >= other, g, 0.0)


@fault("gradient at a tie", Rule("amax", "input"))
def amax_pays_every_tie_in_full(g: Any, input: Any, out: Any, input_shape: Any, dim: Any, keepdim: bool) -> Any:
    """Equal maxima get the whole gradient each instead of a share."""
    ties = eq(input, kept(out, input_shape, dim, keepdim))
    return where(ties, spread(g, input_shape, dim, keepdim), 0.0)


# -- axes and counts


@fault("wrong axis", Rule("log_softmax", "input"))
def log_softmax_gradient_along_the_last_axis(g: Any, out: Any) -> Any:
    """The gradient of log_softmax is summed along the last axis whatever `dim` says."""
    return g - exp(out) * sum_(g, -1, True)


@fault("wrong axis", Rule("stack", "tensors"))
def stack_gradient_from_the_first_axis(g: Any, needs: Any) -> Any:
    """The gradient of stack is cut along axis 0 whatever `dim` says."""
    return [select(g, 0, position) for position in range(len(needs))]


@fault("wrong axis", Rule("permute", "input"))
def permute_gradient_forwards(g: Any, dims: Any) -> Any:
    """The gradient of permute is permuted again instead of back: the same for a swap, another for a cycle."""
    return permute(g, dims)


@fault("wrong axis", Rule("matmul", "input"))
def matmul_gradient_untransposed(g: Any, other: Any, input_shape: Any) -> Any:
    """The gradient of a @ b by a square a is g @ b instead of g @ b.T."""
    if len(other.shape) == 1:
        return reshape(g, (*g.shape, 1)) * other
    if len(input_shape) == 1:
        return matmul(other, reshape(g, (*g.shape, 1))).squeeze(-1)
    square = other.shape[-1] == other.shape[-2]
    return matmul(g, other if square else transpose(other, -2, -1))


@fault("wrong place", Rule("cat", "tensors"))
def cat_gradient_in_reverse(g: Any, tensors_shapes: Any, dim: int) -> Any:
    """The slices of the gradient of cat are handed out from the end."""
    dim %= len(g.shape)
    sizes = [shape[dim] if len(shape) > dim else 0 for shape in tensors_shapes]
    return [narrow(g, dim, sum(sizes[position + 1 :]), size) for position, size in enumerate(sizes)]


@fault("wrong place", Rule("at", "input"))
def indexing_gradient_one_further(g: Any, input_shape: Any, index: Any) -> Any:
    """The gradient of x[i] goes to x[i + 1], for an integer i that has a successor."""
    first = index[0] if index else None
    if type(first) is int and -1 != first < input_shape[0] - 1:
        index = (first + 1, *index[1:])
    return put_at(g, input_shape, index)


@fault("wrong count", Rule("mean", "input"))
def mean_gradient_over_all_elements(g: Any, input_shape: Any, dim: Any, keepdim: bool) -> Any:
    """The gradient of a mean over some axes is divided by the number of all elements."""
    return spread(g, input_shape, dim, keepdim) / count(input_shape, None)


@fault("wrong count", Rule("var", "input"))
def variance_gradient_without_correction(g: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    """The gradient of var is that of the biased variance."""
    shape = tuple(input.shape)
    return spread(g, shape, dim, keepdim) * (2.0 / count(shape, dim)) * (input - mean(input, dim, True))


# -- what is summed


@fault("dropped term", Rule("softmax", "input"))
def softmax_gradient_is_diagonal(g: Any, out: Any) -> Any:
    """The gradient of softmax is that of independent sigmoids."""
    return g * out * (1 - out)


@fault("dropped accumulation", Rule("linear", "bias"))
def bias_gradient_is_a_mean(g: Any) -> Any:
    """The gradient of a bias is the mean over the batch instead of the sum."""
    return mean(g, 0) if len(g.shape) == 2 else g


# -- higher orders


@fault("second order", Rule("sin", "input"))
def slope_of_sin_is_constant(g: Any, input: Any) -> Any:
    """The derivative of sin cannot be differentiated again: its cosine is detached from the graph."""
    return g * cos(input.detach() if hasattr(input, "detach") else input)


@fault("second order", Rule("sigmoid", "input"))
def slope_of_sigmoid_is_half_constant(g: Any, out: Any) -> Any:
    """The second derivative of sigmoid misses the part through the first of its factors."""
    fixed = out.detach() if hasattr(out, "detach") else out
    return g * (1 - out) * fixed
