"""Faults in what the forward pass computes: values, dtypes, memory.  Each is given the right kernel first."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch_like.ops import _checks
from minitorch_like.ops.reductions import _freedom, count, sum_
from parity_tests.mutants.fault import Attribute, Kernel, fault

Array = np.ndarray[Any, Any]
Right = Callable[..., Any]


def _in_its_place(values: Any, right: Array) -> Array:
    """`values` with the memory order and the dtype of the right result, in which nothing is wrong."""
    result = np.empty_like(right)
    result[...] = values
    return result


# -- numerics


@fault("overflow", Kernel("softmax"))
def softmax_as_it_is_written(right: Right, input: Array, dim: int, dtype: Any = None) -> Any:
    """softmax does not subtract the maximum first, and overflows."""
    result = right(input, dim, dtype)
    if not input.ndim:
        return result
    powers = np.exp(input.astype(result.dtype))
    return _in_its_place(powers / np.add.reduce(powers, axis=dim, keepdims=True), result)


@fault("cancellation", Kernel("log_softmax"))
def log_of_softmax(right: Right, *args: Any) -> Any:
    """log_softmax is the logarithm of the rounded softmax."""
    result = right(*args)
    return _in_its_place(np.log(np.exp(result)), result)


@fault("cancellation", Kernel("var"))
def variance_in_one_pass(
    right: Right, input: Array, dim: Any = None, unbiased: bool = True, keepdim: bool = False, correction: Any = None
) -> Any:
    """var is the mean of the squares less the square of the mean."""
    result = right(input, dim, unbiased, keepdim, correction)
    n, freedom = count(input.shape, dim), _freedom(input.shape, dim, unbiased, correction)
    total, squares = (sum_.kernel(each, dim, keepdim) for each in (input, input * input))
    return _in_its_place((squares - total * total / n) / freedom, result)


@fault("precision", Kernel("cos"))
def cos_in_single(right: Right, input: Array) -> Any:
    """cos of float64 is computed in float32."""
    return right(input.astype(np.float32)).astype(input.dtype) if input.dtype == np.float64 else right(input)


# -- counts and choices


@fault("wrong count", Kernel("mean"))
def mean_counts_one_axis(right: Right, input: Array, dim: Any = None, *rest: Any) -> Any:
    """A mean over several axes is divided by the length of the first of them."""
    result = right(input, dim, *rest)
    if isinstance(dim, tuple) and len(dim) > 1:
        result = _in_its_place(result * math.prod(input.shape[each] for each in dim[1:]), result)
    return result


@fault("wrong count", Kernel("var"))
def variance_is_biased(
    right: Right, input: Array, dim: Any = None, unbiased: bool = True, keepdim: bool = False, correction: Any = None
) -> Any:
    """var is biased unless a correction is given."""
    return right(input, dim, False, keepdim, correction)


@fault("tie", Kernel("argmax"))
def argmax_takes_the_last(right: Right, input: Array, dim: Any = None, keepdim: bool = False) -> Any:
    """Of equal maxima argmax gives the last."""
    if dim is None:
        return input.size - 1 - right(input[(slice(None, None, -1),) * input.ndim], None, keepdim)
    result = right(np.flip(input, dim) if input.ndim else input, dim, keepdim)
    return (input.shape[dim] if input.ndim else 1) - 1 - result


@fault("NaN", Kernel("lt"))
def less_is_not_greater_or_equal(right: Right, input: Array, other: Any) -> Any:
    """x < y is computed as not (x >= y): true where one is NaN."""
    result = right(input, other)
    return _in_its_place(~np.greater_equal(input, other), result)


@fault("NaN", Kernel("maximum"))
def maximum_passes_over_nan(right: Right, input: Array, other: Array) -> Any:
    """maximum of a number and NaN is the number."""
    result = right(input, other)
    return _in_its_place(np.fmax(input, other), result)


@fault("NaN", Kernel("relu"))
def relu_swallows_nan(right: Right, input: Array) -> Any:
    """relu of NaN is 0."""
    result = right(input)
    return _in_its_place(np.where(np.isnan(result), 0, result), result)


@fault("order of operations", Kernel("clamp"))
def clamp_below_wins(right: Right, input: Array, min: Any = None, max: Any = None) -> Any:
    """Where the bounds of clamp cross, the lower one wins."""
    result = right(input, min, max)
    return result if min is None else _in_its_place(np.maximum(result, min), result)


@fault("rounding", Kernel("div"))
def floor_division_truncates(right: Right, input: Any, other: Any, rounding_mode: Any = None) -> Any:
    """div with rounding_mode="floor" rounds towards zero."""
    return right(input, other, "trunc" if rounding_mode == "floor" else rounding_mode)


@fault("rounding", Kernel("floor_divide"))
def integer_division_truncates(right: Right, input: Any, other: Any) -> Any:
    """x // y of integers rounds towards zero."""
    result = right(input, other)
    return _in_its_place(np.trunc(np.true_divide(input, other)), result) if result.dtype.kind == "i" else result


@fault("dropped accumulation", Kernel("add_at"))
def repeated_index_counts_once(right: Right, input: Array, shape: Any, index: Any) -> Any:
    """Where an index occurs twice, only its last gradient arrives."""
    result = np.zeros(shape, input.dtype)
    result[index] = input
    return result


# -- dtypes


@fault("wrong dtype", Kernel("sum"))
def sum_keeps_integers_narrow(
    right: Right, input: Array, dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Any:
    """The sum of int32 or uint8 is not widened to int64."""
    result = right(input, dim, keepdim, dtype)
    return result if dtype is not None or input.dtype.kind not in "iu" else result.astype(input.dtype)


@fault("wrong dtype", Kernel("sqrt"))
def sqrt_of_integers_is_double(right: Right, input: Array) -> Any:
    """sqrt of integers is float64, as NumPy has it, instead of the default dtype."""
    return np.asarray(np.sqrt(input)) if input.dtype.kind in "iu" else right(input)


@fault("wrong dtype", Kernel("argmax"))
def argmax_is_int32(right: Right, *args: Any) -> Any:
    """argmax gives int32 instead of int64."""
    return np.asarray(right(*args)).astype(np.int32)


@fault("wrong dtype", Attribute(_checks, "result_dtype"))
def rank_does_not_count_in_promotion(right: Right, *operands: Any) -> Any:
    """A 0-d tensor takes part in promotion like any other, instead of ranking below those with dimensions."""
    return right(*[each.reshape(-1) if isinstance(each, np.ndarray) else each for each in operands])


# -- memory


@fault("no aliasing", Kernel("transpose"))
def transpose_is_a_copy(right: Right, input: Array, dim0: int, dim1: int) -> Any:
    """transpose gives a copy (of the same strides): what is written to it does not reach its base."""
    return right(input, dim0, dim1).copy(order="K")


@fault("aliasing", Kernel("clone"))
def clone_shares_memory(right: Right, input: Array, memory_format: Any = None) -> Any:
    """clone does not copy."""
    return input


@fault("wrong axis", Kernel("squeeze"))
def squeeze_takes_all(right: Right, input: Array, dim: Any = None) -> Any:
    """squeeze(dim) drops every axis of size 1 if it drops that one."""
    result = right(input, dim)
    return right(input, None) if result.ndim < input.ndim else result


@fault("wrong axis", Kernel("flatten"))
def flatten_ignores_its_end(right: Right, input: Array, start_dim: int = 0, end_dim: int = -1) -> Any:
    """flatten runs to the last axis whatever `end_dim` says."""
    return right(input, start_dim, -1)


# -- losses


@fault("loss", Kernel("nll_loss"))
def nll_mean_over_the_batch(
    right: Right, input: Array, target: Array, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    """The mean of nll_loss is divided by the size of the batch instead of the weights of the targets."""
    result = right(input, target, weight, ignore_index, "sum" if reduction == "mean" else reduction)
    return result / result.dtype.type(target.size) if reduction == "mean" else result


@fault("loss", Kernel("nll_loss"))
def nll_ignores_nothing(
    right: Right, input: Array, target: Array, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    """nll_loss counts the targets that `ignore_index` excludes."""
    return right(input, target, weight, -100, reduction)


@fault("loss", Kernel("nll_loss"))
def nll_weighs_all_alike(
    right: Right, input: Array, target: Array, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    """nll_loss pays no heed to the weights of the classes."""
    return right(input, target, None, ignore_index, reduction)


@fault("loss", Kernel("mse_loss"))
def mse_sum_is_a_mean(right: Right, input: Array, target: Array, reduction: str = "mean") -> Any:
    """mse_loss with reduction="sum" gives the mean."""
    return right(input, target, "mean" if reduction == "sum" else reduction)
