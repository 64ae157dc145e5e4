"""Pooling: maxima, means and p-norms of windows, which slide or are shared out among a number of outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import minitorch_like as torch
from minitorch_like import Tensor
from minitorch_like._capture import mode
from minitorch_like._dtype import FLOATING_KINDS
from minitorch_like._functions import by_signature
from minitorch_like.ops import TABLE, Op, _pools
from minitorch_like.ops._formats import is_channels_last
from minitorch_like.ops._signature import Reader
from minitorch_like.ops.pooling import Pool

Ints = Any  # an int, or one for each dimension

_INT = frozenset({int})
# Ops, not their `apply`, which is made when it is first called.
_max_pool, _max_pool_with_indices = TABLE["max_pool"], TABLE["max_pool_with_indices"]
_avg_pool, _max_unpool = TABLE["avg_pool"], TABLE["max_unpool"]
_unsqueeze, _squeeze = TABLE["unsqueeze"], TABLE["squeeze"]


def _are_plain(*values: Any) -> bool:
    """Whether these are ints or tuples of ints: then there is nothing to convert and nothing wrong with their types."""
    for value in values:
        if value.__class__ is tuple:
            if not _INT.issuperset(map(type, value)):
                return False
        elif value.__class__ is not int:
            return False
    return True


def _plain(value: Any) -> Any:
    """What a signature has accepted as ints, as an int or a tuple."""
    return tuple(map(int, value)) if isinstance(value, (tuple, list)) else int(value)


def _named(function: Callable[..., Any], name: str, doc: str) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


def _per_dimension(make: Callable[[int], Callable[..., Any]]) -> tuple[Callable[..., Any], ...]:
    """A function for one, two and three dimensions."""
    return make(1), make(2), make(3)


def _over_images(op: Op, lines: Tensor, windows: Pool) -> Any:
    """What `op` makes of lines (N, C, L) or (C, L) as images of one row; torch's pools in one dimension are views of that."""
    result = op.apply(_unsqueeze.apply(lines, -2), windows)
    if result.__class__ is tuple:
        return tuple([_squeeze.apply(each, -2) for each in result])
    return _squeeze.apply(result, -2)


# -- sliding windows ------------------------------------------------------------------------------------------------


def _max_pooling(rank: int) -> Callable[..., Any]:
    name = f"max_pool{rank}d"
    options = "int[1] kernel_size, int[1] stride=(), int[1] padding=0, int[1] dilation=1, bool ceil_mode=False"
    reader = Reader(name, (f"(Tensor input, {options})",))

    def pool(
        input: Tensor,
        kernel_size: Ints,
        stride: Ints = None,
        padding: Ints = 0,
        dilation: Ints = 1,
        ceil_mode: Any = False,
        return_indices: bool = False,
    ) -> Any:
        options = kernel_size, () if stride is None else stride, padding, dilation, ceil_mode
        if ceil_mode.__class__ is not bool or not hasattr(input, "_node") or not _are_plain(*options[:4]):
            reader.read((input, *options), {})
            options = (*map(_plain, options[:4]), bool(ceil_mode))
        op = _max_pool_with_indices if return_indices else _max_pool
        shape = input._data.shape
        if rank > 1:
            return op.apply(input, _pools.max_pool(rank, shape, *options))
        if not return_indices:
            windows = _pools.max_pool1d(shape, *options)
            if not (mode.grad and input.requires_grad):
                result = op.apply(input, windows)
                if len(shape) == 2:
                    result._bump()  # torch takes the batch away in place
                return result
        return _over_images(op, input, _pools.max_pool1d_with_indices(shape, *options))

    doc = f"""The maximum of each window of (N, C, *size) or (C, *size), over {rank} dimensions.

    If asked for, with its index in the plane (*size), counted row by row. By default the stride is the kernel's size.
    """
    return _named(pool, f"_{name}", doc)  # the name in torch's errors


def _with_indices(rank: int) -> Callable[..., Any]:
    pool = (max_pool1d, max_pool2d, max_pool3d)[rank - 1]

    def pool_with_indices(
        input: Tensor,
        kernel_size: Ints,
        stride: Ints = None,
        padding: Ints = 0,
        dilation: Ints = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        return pool(input, kernel_size, stride, padding, dilation, ceil_mode, True)

    doc = f"max_pool{rank}d with indices, whatever `return_indices` says."
    return _named(pool_with_indices, f"max_pool{rank}d_with_indices", doc)


def _avg_pooling(rank: int) -> Callable[..., Tensor]:
    name = f"avg_pool{rank}d"
    options = (
        "int[1] kernel_size, int[1]? stride=None, int[1] padding=0, bool ceil_mode=False, bool count_include_pad=True"
    )
    override = "" if rank == 1 else ", int? divisor_override=None"
    reader = Reader(name, (f"(Tensor input, {options}{override})",))
    defaults = {"stride": (), "padding": 0, "ceil_mode": False, "count_include_pad": True, "divisor_override": None}
    names = ("input", "kernel_size", *defaults)[: 6 if rank == 1 else 7]

    def read(args: Any, kwargs: Any) -> list[Any]:
        values = defaults | {each: value for each, value in reader.read(args, kwargs)[1].items() if value is not None}
        for each in ("kernel_size", "stride", "padding"):
            values[each] = _plain(values[each])
        return [values[each] for each in names]

    def pool(*args: Any, **kwargs: Any) -> Tensor:
        complete = not kwargs and len(args) == len(names) and _are_plain(*args[1:4]) and hasattr(args[0], "_node")
        if (
            not complete
            or args[4].__class__ is not bool
            or args[5].__class__ is not bool
            or args[6:] not in ((), (None,))
        ):
            args = tuple(read(args, kwargs))
        input = args[0]
        result: Tensor
        if rank == 1:
            result = _over_images(_avg_pool, input, _pools.avg_pool1d(input._data.shape, *args[1:]))
        else:
            result = _avg_pool.apply(input, _pools.avg_pool(rank, input._data.shape, *args[1:]))
        return result

    doc = f"""The mean of each window of (N, C, *size) or (C, *size), over {rank} dimensions.

    By default the stride is the kernel's size, and padding counts; `divisor_override` is divided by instead.
    """
    return _named(pool, name, doc)


def _lp_pooling(rank: int) -> Callable[..., Tensor]:
    maximum, mean = (max_pool1d, max_pool2d, max_pool3d)[rank - 1], (avg_pool1d, avg_pool2d, avg_pool3d)[rank - 1]

    def pool(
        input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints = None, ceil_mode: bool = False
    ) -> Tensor:
        if rank == 1 or isinstance(kernel_size, int):
            count = kernel_size if rank == 1 else kernel_size**rank
        elif rank == 2:
            height, width = kernel_size
            count = height * width
        else:
            depth, height, width = kernel_size
            count = depth * height * width
        if norm_type in (float("inf"), -float("inf")):
            sign = 1 if norm_type > 0 else -1
            result: Tensor = maximum(input.abs() if sign > 0 else -input.abs(), kernel_size, stride, 0, 1, ceil_mode)
            return result if sign > 0 else -result
        powers = mean(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
        sums: Tensor = (torch.sign(powers) * torch.relu(torch.abs(powers))).mul(count)
        return sums.pow(1.0 / norm_type)

    doc = f"The `norm_type`-th root of the sum of that power, of each window over {rank} dimensions."
    return _named(pool, f"lp_pool{rank}d", doc)


max_pool1d, max_pool2d, max_pool3d = _per_dimension(_max_pooling)
max_pool1d_with_indices, max_pool2d_with_indices, max_pool3d_with_indices = _per_dimension(_with_indices)
avg_pool1d, avg_pool2d, avg_pool3d = _per_dimension(_avg_pooling)
lp_pool1d, lp_pool2d, lp_pool3d = _per_dimension(_lp_pooling)


# -- windows shared out ---------------------------------------------------------------------------------------------

_ADAPTIVE = "(Tensor input, int[1] output_size)"


def _adaptive_sizes(name: str, rank: int, reader: Reader, input: Tensor, output_size: Any) -> Any:
    """The output's size in each dimension; None stands for the input's.  Raises torch's errors."""
    shape = input.size()
    if output_size.__class__ is int:
        return (output_size,) * rank
    if len(shape) <= len(output_size):
        raise ValueError(f"Input dimension should be at least {len(output_size) + 1}")
    own = shape[len(shape) - len(output_size) :]
    given = [default if each is None else each for each, default in zip(output_size, own, strict=True)]
    if not _are_plain(tuple(given)):
        for position, each in enumerate(given):
            if not isinstance(each, int):
                raise TypeError(
                    f"{name}(): argument 'output_size' (position 2) must be tuple of ints, but found element of type "
                    f"{type(each).__name__} at pos {position}"
                )
    reader.read((input, given), {})
    return tuple(map(int, given))


def _adaptive_max_pooling(rank: int) -> Callable[..., Any]:
    name = f"adaptive_max_pool{rank}d"
    reader = Reader(name, (_ADAPTIVE,))

    def pool(input: Tensor, output_size: Ints, return_indices: bool = False) -> Any:
        op = _max_pool_with_indices if return_indices else _max_pool
        if rank == 1:
            reader.read((input, output_size), {})
            return _over_images(op, input, _pools.adaptive_pool1d(name, input._data.shape, _plain(output_size)))
        sizes = _adaptive_sizes(name, rank, reader, input, output_size)
        return op.apply(input, _pools.adaptive_max_pool(rank, input._data.shape, sizes))

    doc = f"The maximum of each of `output_size` windows that share out the last {rank} dimensions, and its index."
    return _named(pool, f"_{name}", doc)  # the name in torch's errors


def _adaptive_with_indices(rank: int) -> Callable[..., Any]:
    pool = (adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d)[rank - 1]

    def pool_with_indices(input: Tensor, output_size: Ints, return_indices: bool = False) -> Any:
        return pool(input, output_size, True)

    doc = f"adaptive_max_pool{rank}d with indices, whatever `return_indices` says."
    return _named(pool_with_indices, f"adaptive_max_pool{rank}d_with_indices", doc)


def _adaptive_avg_pooling(rank: int) -> Callable[..., Tensor]:
    name = f"adaptive_avg_pool{rank}d"
    reader = Reader(name, (_ADAPTIVE,))

    def pool(input: Tensor, output_size: Ints) -> Tensor:
        sizes = _adaptive_sizes(name, rank, reader, input, output_size)
        if set(sizes) == {1} and len(sizes) == rank:  # torch has the mean do it
            mean = input.mean(tuple(range(-rank, 0)), keepdim=True)
            if is_channels_last(input._data):
                count = mean.shape[1]
                mean.as_strided_(mean.shape, (count, 1, *(count,) * rank))
            return mean
        result: Tensor = _avg_pool.apply(input, _pools.adaptive_avg_pool(rank, input._data.shape, sizes))
        return result

    doc = f"The mean of each of `output_size` windows that share out the last {rank} dimensions."
    return _named(pool, name, doc)


def adaptive_avg_pool1d(*args: Any, **kwargs: Any) -> Tensor:
    """The mean of each of `output_size` windows that share out the last dimension: (N, C, L) or (C, L)."""
    values = _ADAPTIVE_AVG_POOL1D.read(args, kwargs)[1]
    input = values["input"]
    windows = _pools.adaptive_pool1d("adaptive_avg_pool1d", input._data.shape, _plain(values["output_size"]))
    result: Tensor
    if windows.outputs == (1, 1):
        if input._data.dtype.kind not in FLOATING_KINDS:
            windows.check_dtype(input._data)
        result = adaptive_avg_pool2d(input.unsqueeze(-2), 1).squeeze(-2)
    else:
        result = _over_images(_avg_pool, input, windows)
    return result


_ADAPTIVE_AVG_POOL1D = Reader("adaptive_avg_pool1d", (_ADAPTIVE,))
adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d = _per_dimension(_adaptive_max_pooling)
adaptive_max_pool1d_with_indices, adaptive_max_pool2d_with_indices, adaptive_max_pool3d_with_indices = _per_dimension(
    _adaptive_with_indices
)
adaptive_avg_pool2d, adaptive_avg_pool3d = _adaptive_avg_pooling(2), _adaptive_avg_pooling(3)


# -- those that torch has at its root, too: read by signature, and without a choice about the indices ---------------------

PUBLIC: dict[str, Callable[..., Any]] = {}


def _public(name: str, text: str, pool: Callable[..., Any], **fixed: Any) -> None:
    def function(**values: Any) -> Any:
        return pool(**values, **fixed)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = pool.__doc__
    by_signature(text, method=False, into=PUBLIC)(function)


_MAX_POOL = (
    "(Tensor input, int[1] kernel_size, int[1] stride=None, int[1] padding=0, int[1] dilation=1, bool ceil_mode=False)"
)
for _rank, _pool in enumerate((max_pool1d, max_pool2d, max_pool3d), 1):
    _public(f"max_pool{_rank}d", _MAX_POOL, _pool)
_public("max_pool1d_with_indices", _MAX_POOL, max_pool1d, return_indices=True)
_public("adaptive_max_pool1d", _ADAPTIVE, adaptive_max_pool1d, return_indices=True)


# -- the way back from maxima ---------------------------------------------------------------------------------------


def _max_unpooling(rank: int) -> Callable[..., Tensor]:
    def unpool(
        input: Tensor,
        indices: Tensor,
        kernel_size: Ints,
        stride: Ints = None,
        padding: Ints = 0,
        output_size: Sequence[int] | None = None,
    ) -> Tensor:
        kernel = _repeated(kernel_size, rank)
        steps = kernel if stride is None else _repeated(stride, rank)
        size = _unpooled_size(input, kernel, steps, _repeated(padding, rank), output_size)
        _check_unpooling(rank, input, indices)
        result: Tensor
        if rank == 1:  # as images of one column
            result = _max_unpool.apply(input.unsqueeze(-1), indices.unsqueeze(-1), (*size, 1)).squeeze(-1)
        else:
            result = _max_unpool.apply(input, indices, size)
        return result

    doc = f"""The maxima of max_pool{rank}d at the places that `indices` gives, 0 elsewhere.

    Several sizes are pooled to that of the maxima; without `output_size` it is the least.
    """
    return _named(unpool, f"max_unpool{rank}d", doc)


def _repeated(value: Ints, rank: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, Sequence) else (value,) * rank


def _unpooled_size(
    input: Tensor, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], given: Sequence[int] | None
) -> tuple[int, ...]:
    """The size that was pooled, of which `given` has the last word as far as it is possible."""
    rank = len(kernel)
    lengths = zip(input.shape[-rank:], kernel, stride, padding, strict=True)
    default = tuple((n - 1) * s + k - 2 * p for n, k, s, p in lengths)
    if given is None:
        return default
    if len(given) == rank + 2:
        given = given[2:]
    if len(given) != rank:
        raise ValueError(
            f"output_size should be a sequence containing {rank} or {rank + 2} elements, but it has a length of "
            f"'{len(given)}'"
        )
    for dim, (size, middle, step) in enumerate(zip(given, default, stride, strict=True)):
        if not middle - step < size < middle + step:
            raise ValueError(
                f'invalid output_size "{given}" (dim {dim} must be between {middle - step} and {middle + step})'
            )
    return tuple(given)


def _check_unpooling(rank: int, input: Tensor, indices: Tensor) -> None:
    if indices.dtype != torch.int64:
        raise RuntimeError(f"elements in indices should be type int64 but got: {indices.dtype.title}")
    if input.dim() not in (rank + 1, rank + 2):
        raise RuntimeError(
            f"Input to max_unpooling{rank}d should be a {rank + 1}d or {rank + 2}d Tensor, but got a tensor with "
            f"{input.dim()} dimensions."
        )
    if input.shape != indices.shape:
        shapes = [[*each.shape, 1] if rank == 1 else [*each.shape] for each in (input, indices)]  # 1d goes by way of 2d
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({shapes[0]}) but got indices "
            f"tensor with shape: {shapes[1]}"
        )


max_unpool1d, max_unpool2d, max_unpool3d = _per_dimension(_max_unpooling)
