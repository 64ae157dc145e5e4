"""Views and rearrangements of every layout: strides, offsets, sharing, history, both derivatives, in-place forms, errors."""

import math
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity_tests.suites._programs import same

# -- layouts ---------------------------------------------------------------------------------------------------------

sizes = st.lists(st.sampled_from([1, 2, 3, 3, 4, 0]), max_size=3)
numbers = st.lists(st.integers(-3, 4), min_size=6, max_size=6)
STEPS = {
    "reversed": lambda x, n: x.permute(tuple(range(x.ndim))[::-1]),
    "turned": lambda x, n: x.movedim(0, -1) if x.ndim else x,
    "stepped": lambda x, n: x[..., ::2] if x.ndim and x.shape[-1] else x,
    "inner": lambda x, n: x.narrow(0, 1, x.shape[0] - 1) if x.ndim and x.shape[0] else x,
    "narrow": lambda x, n: x.narrow(-1, 0, 1) if x.ndim and x.shape[-1] else x,
    "taller": lambda x, n: x.unsqueeze(n % (x.ndim + 1)),
    "stretched": lambda x, n: x.unsqueeze(0).expand(2, *x.shape),
    "diagonal": lambda x, n: x.diagonal() if x.ndim > 1 else x,
}
layouts = st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(-3, 3)), max_size=3)


def counted(ns, shape, **options):
    """1, 2, 3, ... in a shape."""
    return ns.arange(1.0, math.prod(shape) + 1.0).reshape(tuple(shape)).requires_grad_(options.get("grad", False))


def laid_out(x, steps):
    for name, n in steps:
        x = STEPS[name](x, n)
    return x


def described(tensor, base):
    """What torch says of the place of a tensor relative to another."""
    shares = (
        tensor.numel() and base.numel() and tensor.untyped_storage().data_ptr() == base.untyped_storage().data_ptr()
    )
    return (
        tensor.storage_offset() if tensor.numel() else None,
        tensor.data_ptr() - base.data_ptr() if shares else None,
        tensor._base is base,
        tensor._is_view(),
        tensor.is_contiguous(),
    )


def with_derivatives(ns, x, base, result):
    """The outputs, where they lie, and how they depend on `x`: the first derivative and that of the first."""
    outputs = result if isinstance(result, (tuple, list)) else [result]
    told = [(described(each, base), each) for each in outputs]
    outputs = [each for each in outputs if each.requires_grad]
    if not outputs:
        return type(result).__name__, told
    cotangents = [counted(ns, each.shape, grad=True) for each in outputs]
    (first,) = ns.autograd.grad(outputs, x, cotangents, create_graph=True)
    second = ns.autograd.grad(first, cotangents, counted(ns, first.shape)) if first.requires_grad else ()
    return type(result).__name__, told, first.detach(), [each.contiguous() for each in second]


# -- every view and rearrangement ------------------------------------------------------------------------------------

CALLS = {
    "as_strided": lambda ns, x, n: x.as_strided((abs(n[0]), abs(n[1])), (n[2], abs(n[3])), n[4] if n[4] < 4 else None),
    "as_strided_scatter": lambda ns, x, n: x.contiguous().as_strided_scatter(
        counted(ns, (abs(n[0]), 2)), (abs(n[0]), abs(n[1])), (2, 1), max(n[3], 0)
    ),
    "unfold": lambda ns, x, n: x.unfold(n[0], n[1], n[2]),
    "diagonal": lambda ns, x, n: x.diagonal(n[0], n[1], n[2]),
    "diagonal of matrices": lambda ns, x, n: ns.diagonal(x, offset=n[0], dim1=-2, dim2=-1),
    "diag": lambda ns, x, n: x.diag(n[0]),
    "diag of a vector": lambda ns, x, n: ns.diag(x.reshape(-1), n[0]),
    "diag_embed": lambda ns, x, n: x.diag_embed(n[0], n[1], n[2]),
    "diagflat": lambda ns, x, n: x.diagflat(n[0]),
    "movedim": lambda ns, x, n: x.movedim(n[0], n[1]),
    "movedim of several": lambda ns, x, n: ns.movedim(x, (n[0], n[1]), (n[2], n[3])),
    "moveaxis": lambda ns, x, n: x.moveaxis((n[0],), (n[1],)),
    "swapaxes": lambda ns, x, n: x.swapaxes(n[0], n[1]),
    "swapdims": lambda ns, x, n: ns.swapdims(x, n[0], n[1]),
    "transpose": lambda ns, x, n: x.transpose(n[0], n[1]),
    "permute": lambda ns, x, n: x.permute(n[: x.ndim]),
    "t": lambda ns, x, n: x.t(),
    "mT": lambda ns, x, n: x.mT if x.ndim else x,
    "T": lambda ns, x, n: x.T if x.ndim == 2 else x,
    "H": lambda ns, x, n: x.H if x.ndim else x,
    "mH": lambda ns, x, n: x.mH if x.ndim else x,
    "adjoint": lambda ns, x, n: ns.adjoint(x) if x.ndim else x,
    "squeeze": lambda ns, x, n: x.squeeze(),
    "squeeze of one": lambda ns, x, n: x.squeeze(n[0]),
    "squeeze of several": lambda ns, x, n: x.squeeze((n[0], n[1])),
    "unsqueeze": lambda ns, x, n: x.unsqueeze(n[0]),
    "unflatten": lambda ns, x, n: x.unflatten(-1, (abs(n[1]) or 1, n[2] or 1)),
    "flatten": lambda ns, x, n: x.flatten(n[0], n[1]),
    "flatten all": lambda ns, x, n: ns.flatten(x),
    "ravel": lambda ns, x, n: x.ravel(),
    "contiguous": lambda ns, x, n: x.contiguous(),
    "clone": lambda ns, x, n: x.clone(),
    "view": lambda ns, x, n: x.view(n[0], -1),
    "view of all": lambda ns, x, n: x.view(-1),
    "view with ones": lambda ns, x, n: x.view([each for size in x.shape for each in (1, size, 1)]),
    "view_as": lambda ns, x, n: x.view_as(ns.zeros(x.numel())),
    "reshape": lambda ns, x, n: x.reshape(n[0], n[1], -1),
    "reshape of all": lambda ns, x, n: ns.reshape(x, (-1,)),
    "reshape by halves": lambda ns, x, n: x.reshape([each for size in x.shape for each in (size // 2, 2)]),
    "reshape of pairs": lambda ns, x, n: x.reshape(*x.shape[:-2], -1),
    "reshape_as": lambda ns, x, n: x.reshape_as(ns.zeros(tuple(x.shape)[::-1])),
    "expand": lambda ns, x, n: x.expand(2, 1, *x.shape),
    "expand to sizes": lambda ns, x, n: x.expand([each if each > -2 else 3 for each in n[: x.ndim + 1]]),
    "expand_as": lambda ns, x, n: x.expand_as(ns.zeros(2, 3)),
    "broadcast_to": lambda ns, x, n: ns.broadcast_to(x, (2, *x.shape)),
    "broadcast_tensors": lambda ns, x, n: ns.broadcast_tensors(x, ns.zeros(3, 1)),
    "sum_to_size": lambda ns, x, n: x.sum_to_size(
        [1 if each > 0 else size for each, size in zip(n, x.shape[1:], strict=False)]
    ),
    "narrow": lambda ns, x, n: x.narrow(n[0], n[1], n[2]),
    "narrow from a tensor": lambda ns, x, n: ns.narrow(x, 0, ns.tensor(n[1]), n[2]),
    "narrow_copy": lambda ns, x, n: x.narrow_copy(n[0], max(n[1], 0), n[2]),
    "select": lambda ns, x, n: x.select(n[0], n[1]),
    "split": lambda ns, x, n: x.split(n[0], n[1]),
    "split to sizes": lambda ns, x, n: ns.split(x, [abs(n[0]), abs(n[1])], n[2]),
    "split_with_sizes": lambda ns, x, n: x.split_with_sizes([n[0], x.shape[-1] - n[0]], -1),
    "chunk": lambda ns, x, n: x.chunk(n[0], n[1]),
    "unsafe_chunk": lambda ns, x, n: x.unsafe_chunk(n[0], n[1]),
    "unsafe_split": lambda ns, x, n: x.unsafe_split(n[0], n[1]),
    "tensor_split": lambda ns, x, n: x.tensor_split(n[0], n[1]),
    "tensor_split at": lambda ns, x, n: ns.tensor_split(x, (n[0], n[1]), dim=n[2]),
    "tensor_split at a tensor": lambda ns, x, n: x.tensor_split(ns.tensor([n[0], n[1]])),
    "hsplit": lambda ns, x, n: x.hsplit(n[0]),
    "vsplit": lambda ns, x, n: ns.vsplit(x, n[0]),
    "dsplit": lambda ns, x, n: x.dsplit([n[0]]),
    "unbind": lambda ns, x, n: x.unbind(n[0]),
    "repeat": lambda ns, x, n: x.repeat([abs(each) for each in n[: x.ndim + 1]]),
    "tile": lambda ns, x, n: x.tile([max(each, 0) for each in n[:2]]),
    "repeat_interleave": lambda ns, x, n: x.repeat_interleave(n[0]),
    "repeat_interleave along": lambda ns, x, n: ns.repeat_interleave(x, abs(n[0]), dim=n[1] if x.ndim else None),
    "repeat_interleave by": lambda ns, x, n: x.repeat_interleave(ns.tensor([abs(each) for each in n[:3]]), -1),
    "roll": lambda ns, x, n: x.roll(n[0], n[1]),
    "roll of all": lambda ns, x, n: x.roll(n[0]),
    "roll of several": lambda ns, x, n: ns.roll(x, (n[0], n[1]), (n[2], n[3])),
    "rot90": lambda ns, x, n: x.rot90(n[0], (n[1], n[2])),
    "flip": lambda ns, x, n: x.flip(n[0]),
    "flip of several": lambda ns, x, n: x.flip((n[0], n[1])),
    "fliplr": lambda ns, x, n: x.fliplr(),
    "flipud": lambda ns, x, n: ns.flipud(x),
    "atleast_1d": lambda ns, x, n: ns.atleast_1d(x),
    "atleast_2d": lambda ns, x, n: ns.atleast_2d(x),
    "atleast_3d": lambda ns, x, n: ns.atleast_3d(x, x),
    "hstack": lambda ns, x, n: ns.hstack([x, x * 2]),
    "vstack": lambda ns, x, n: ns.vstack((x, x * 2)),
    "dstack": lambda ns, x, n: ns.dstack((x, x * 2)),
    "column_stack": lambda ns, x, n: ns.column_stack((x, x)),
    "cat": lambda ns, x, n: ns.cat([x, x], n[0]),
    "stack": lambda ns, x, n: ns.stack([x, x], n[0]),
    "block_diag": lambda ns, x, n: ns.block_diag(x, ns.ones(2), x),
    "tril": lambda ns, x, n: x.tril(n[0]),
    "triu": lambda ns, x, n: ns.triu(x, diagonal=n[0]),
    "slice_scatter": lambda ns, x, n: x.slice_scatter(ns.ones(2, *x.shape[1:]), 0, n[0], n[1], n[2]),
    "slice_scatter of all": lambda ns, x, n: x.slice_scatter(x * 2, n[0]),
    "select_scatter": lambda ns, x, n: x.select_scatter(x.select(0, 0) * 2, n[0], n[1]),
    "diagonal_scatter": lambda ns, x, n: x.diagonal_scatter(x.diagonal(n[0]) * 2, n[0]),
    "None": lambda ns, x, n: x[None, ..., None],
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
@settings(max_examples=25)
@given(shape=sizes, steps=layouts, n=numbers)
def test_views(torch, candidate, call, shape, steps, n):
    def program(ns):
        x = counted(ns, shape, grad=True)
        base = x * 2
        return with_derivatives(ns, x, base, call(ns, laid_out(base, steps), n))

    same(torch, candidate, program)


# -- in place --------------------------------------------------------------------------------------------------------

IN_PLACE = {
    "unsqueeze_": lambda x, n: x.unsqueeze_(n[0]),
    "squeeze_": lambda x, n: x.squeeze_(),
    "squeeze_ of one": lambda x, n: x.squeeze_(n[0]),
    "squeeze_ of several": lambda x, n: x.squeeze_((n[0], n[1])),
    "t_": lambda x, n: x.t_(),
    "transpose_": lambda x, n: x.transpose_(n[0], n[1]),
    "swapaxes_": lambda x, n: x.swapaxes_(n[0], n[1]),
    "swapdims_": lambda x, n: x.swapdims_(dim0=n[0], dim1=n[1]),
    "as_strided_": lambda x, n: x.as_strided_((abs(n[0]), 2), (1, abs(n[1]))),
    "tril_": lambda x, n: x.tril_(n[0]) if x.ndim > 1 and x.numel() and 0 not in x.stride() else x,
    "triu_": lambda x, n: x.triu_(n[0]) if x.ndim > 1 and x.numel() and 0 not in x.stride() else x,
}


@pytest.mark.parametrize("call", IN_PLACE.values(), ids=IN_PLACE.keys())
@pytest.mark.parametrize("of", ["result", "view", "leaf", "constant"])
@settings(max_examples=15)
@given(shape=sizes, steps=layouts, n=numbers)
def test_in_place_forms(torch, candidate, call, of, shape, steps, n):
    def program(ns):
        x = counted(ns, shape, grad=of != "constant")
        base = x if of == "leaf" else x * 2
        target = laid_out(base, steps) if of != "result" else laid_out(x, steps) * 2
        beside = base.reshape(-1)
        result = call(target, n)
        told = result is target, described(target, base), target._version, base._version, base, target, beside
        if of in ("result", "view") and target.requires_grad:
            told += (ns.autograd.grad(target, x, counted(ns, target.shape)),)
        return told

    same(torch, candidate, program)


# -- the same bytes as another dtype -----------------------------------------------------------------------------------


@given(
    shape=st.lists(st.integers(1, 4), max_size=3),
    steps=layouts,
    have=st.sampled_from(["float32", "int16", "float64", "uint8", "bool"]),
    want=st.sampled_from(["float32", "int32", "int16", "float64", "uint8", "float16", "int64"]),
)
def test_view_as_another_dtype(torch, candidate, shape, steps, have, want):
    def program(ns):
        base = counted(ns, shape).to(getattr(ns, have))
        part = laid_out(base, steps)
        result = part.view(getattr(ns, want))
        return described(result, base), result, result.view(dtype=getattr(ns, want))._version

    same(torch, candidate, program)


def test_another_dtype_shares_version_and_memory_but_not_history(torch, candidate):
    def program(ns):
        x = ns.ones(2, requires_grad=True) * 1
        bits = x.view(ns.int32)
        bits.zero_()
        return x.detach(), x._version, bits._version, bits.requires_grad, bits._is_view(), x.view(ns.float32) is x

    same(torch, candidate, program)


# -- memory formats ----------------------------------------------------------------------------------------------------

FORMATS = ["contiguous_format", "channels_last", "channels_last_3d", "preserve_format"]
FORMATTED = {
    "contiguous": lambda ns, x, wanted: x.contiguous(memory_format=wanted),
    "clone": lambda ns, x, wanted: x.clone(memory_format=wanted),
    "is_contiguous": lambda ns, x, wanted: x.is_contiguous(memory_format=wanted),
    "and back": lambda ns, x, wanted: x.contiguous(memory_format=wanted).contiguous(),
    "twice": lambda ns, x, wanted: x.contiguous(memory_format=wanted).clone(),
    "and added": lambda ns, x, wanted: x.contiguous(memory_format=wanted) + 1,
    "and joined": lambda ns, x, wanted: ns.cat([x.contiguous(memory_format=wanted)] * 2, 1),
    "dim_order": lambda ns, x, wanted: x.clone(memory_format=wanted).dim_order(),
    "one order": lambda ns, x, wanted: x.dim_order(ambiguity_check=[wanted, ns.contiguous_format]),
}
images = st.lists(st.integers(1, 3), min_size=3, max_size=5)


@pytest.mark.parametrize("call", FORMATTED.values(), ids=FORMATTED.keys())
@settings(max_examples=20)
@given(shape=images, wanted=st.sampled_from(FORMATS), order=st.randoms(use_true_random=False))
def test_memory_formats(torch, candidate, call, shape, wanted, order):
    dims = list(range(len(shape)))
    order.shuffle(dims)

    def program(ns):
        x = counted(ns, shape, grad=True)
        result = call(ns, x.permute(dims), getattr(ns, wanted))
        if getattr(result, "requires_grad", False):
            result.backward(counted(ns, result.shape))
        return result, x.grad

    same(torch, candidate, program)


# -- single facts ------------------------------------------------------------------------------------------------------

FACTS = {
    "size of 0-d": lambda ns: ns.tensor(1.0).size(-1),
    "stride of 0-d": lambda ns: ns.tensor(1.0).stride(0),
    "size too far": lambda ns: ns.zeros(2, 3).size(2),
    "stride too far": lambda ns: ns.zeros(2, 3).stride(-3),
    "size at a str": lambda ns: ns.zeros(2, 3).size("a"),
    "size at a bool": lambda ns: ns.zeros(2, 3).size(True),
    "size at a tensor": lambda ns: ns.zeros(2, 3).size(ns.tensor(1)),
    "size at None": lambda ns: ns.zeros(2, 3).size(None),
    "is_contiguous by position": lambda ns: ns.zeros(2).is_contiguous(3),
    "contiguous by position": lambda ns: ns.zeros(2).contiguous("a"),
    "contiguous to preserve": lambda ns: ns.zeros(2).contiguous(memory_format=ns.preserve_format),
    "dim_order of a str": lambda ns: ns.zeros(2).dim_order(ambiguity_check="x"),
    "dim_order of twins": lambda ns: ns.ones(2, 1, 1, 3).dim_order(ambiguity_check=True),
    "view_as of a number": lambda ns: ns.zeros(2).view_as(3),
    "narrow from a vector": lambda ns: ns.zeros(5).narrow(0, ns.tensor([1]), 2),
    "narrow from a float": lambda ns: ns.zeros(5).narrow(0, ns.tensor(1.0), 2),
    "tensor_split by a matrix": lambda ns: ns.zeros(5).tensor_split(ns.tensor([[1, 3]])),
    "tensor_split by a float": lambda ns: ns.zeros(5).tensor_split(ns.tensor(3.0)),
    "split by a float": lambda ns: ns.zeros(5).split(2.5),
    "unflatten into nothing": lambda ns: ns.zeros(5).unflatten(0, ()),
    "diag of a cube": lambda ns: ns.zeros(2, 2, 2).diag(),
    "H of a cube": lambda ns: ns.zeros(2, 2, 2).H,
    "H of a vector": lambda ns: ns.zeros(2).H,
    "mH of a vector": lambda ns: ns.zeros(2).mH,
    "mT of a vector": lambda ns: ns.zeros(2).mT,
    "adjoint of a vector": lambda ns: ns.zeros(2).adjoint(),
    "broadcast_tensors of a list": lambda ns: ns.broadcast_tensors([ns.zeros(2)]),
    "broadcast_tensors of nothing": lambda ns: ns.broadcast_tensors(),
    "broadcast_tensors that do not fit": lambda ns: ns.broadcast_tensors(ns.zeros(2), ns.zeros(3)),
    "broadcast_shapes": lambda ns: ns.broadcast_shapes((2, 1), 3, [1], ns.Size([1, 1])),
    "broadcast_shapes of nothing": lambda ns: ns.broadcast_shapes(),
    "broadcast_shapes that do not fit": lambda ns: ns.broadcast_shapes((2, 1), (3, 3)),
    "broadcast_shapes below zero": lambda ns: ns.broadcast_shapes((2, -1), (3, 3)),
    "atleast_1d of a number": lambda ns: ns.atleast_1d(3),
    "atleast_2d of nothing": lambda ns: ns.atleast_2d(),
    "atleast_3d of a list": lambda ns: ns.atleast_3d([ns.zeros(2), ns.tensor(1.0)]),
    "hstack of nothing": lambda ns: ns.hstack(()),
    "vstack of a tensor": lambda ns: ns.vstack(ns.zeros(2, 2)),
    "vstack into out": lambda ns: ns.vstack((ns.ones(2), ns.ones(2)), out=ns.empty(0)),
    "row_stack": lambda ns: ns.row_stack((ns.ones(2), ns.zeros(2))),
    "block_diag of nothing": lambda ns: ns.block_diag(),
    "block_diag of a cube": lambda ns: ns.block_diag(ns.zeros(1, 1, 1)),
    "block_diag of dtypes": lambda ns: ns.block_diag(ns.ones(2, dtype=ns.int64), ns.ones(1, 2)),
    "block_diag of a list": lambda ns: ns.block_diag([ns.zeros(1, 1)]),
    "repeat_interleave of counts": lambda ns: ns.repeat_interleave(ns.tensor([1, 0, 2])),
    "repeat_interleave of int32 counts": lambda ns: ns.repeat_interleave(ns.tensor([1, 2], dtype=ns.int32)),
    "repeat_interleave to a size": lambda ns: ns.zeros(2).repeat_interleave(ns.tensor([1, 2]), 0, output_size=3),
    "repeat_interleave to a wrong size": lambda ns: ns.zeros(2).repeat_interleave(ns.tensor([1, 2]), 0, output_size=4),
    "repeat_interleave by floats": lambda ns: ns.zeros(2).repeat_interleave(ns.tensor([1.0, 2.0])),
    "repeat_interleave by a matrix": lambda ns: ns.zeros(2).repeat_interleave(ns.tensor([[1, 2]])),
    "repeat_interleave by less than nothing": lambda ns: ns.zeros(2).repeat_interleave(ns.tensor([1, -2])),
    "repeat_interleave by a str": lambda ns: ns.zeros(2).repeat_interleave("a"),
    "repeat_interleave by a list": lambda ns: ns.zeros(2).repeat_interleave([1, 2], dim=0),
    "repeat below zero": lambda ns: ns.zeros(2, 3).repeat(2, -1),
    "repeat of too few": lambda ns: ns.zeros(2, 3).repeat(2),
    "roll of nothing": lambda ns: ns.zeros(2).roll((), ()),
    "slice_scatter of another dtype": lambda ns: ns.zeros(3, dtype=ns.int64).slice_scatter(ns.ones(2) * 1.5, 0, 1),
    "slice_scatter of 0-d": lambda ns: ns.tensor(1.0).slice_scatter(ns.tensor(2.0)),
    "as_strided out of the storage": lambda ns: ns.zeros(5, 3)[1].as_strided((2, 2), (1, 20)),
    "as_strided at an offset": lambda ns: ns.arange(15.0).reshape(5, 3)[1:].as_strided((2, 2), (1, 2), 1),
    "as_strided that overlaps": lambda ns: ns.arange(4.0).as_strided((3, 2), (1, 1)),
    "as_strided of an expanded one": lambda ns: ns.arange(3.0).expand(2, 3).as_strided((3,), (1,)),
    "a read-out of slots": lambda ns: [each.tolist() for each in ns.arange(5).split([2, 0, 3])],
}  # fmt: skip


def the_same_tensor(ns):
    x = ns.zeros(3)
    return [
        each is x
        for each in (
            x.flatten(), x.ravel(), x.contiguous(), x.expand(3), ns.atleast_1d(x), x.sum_to_size(3), x.view(3),
            ns.broadcast_tensors(x)[0], x.reshape(3), x.t(), ns.atleast_2d(x), x.clone(), x.movedim(0, 0), x.squeeze(),
        )
    ]  # fmt: skip


def the_gradient_of_a_part(ns):
    x = ns.ones(2, 3, 4, requires_grad=True)
    (x[:, :, ::2] * 2).sum().backward()
    return x.grad


def the_gradient_of_a_transposed_leaf(ns):
    x = ns.ones(2, 3).t().requires_grad_()
    (x * 2).sum().backward()
    return x.grad


for _program in (the_same_tensor, the_gradient_of_a_part, the_gradient_of_a_transposed_leaf):
    FACTS[_program.__name__] = _program


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS.keys())
def test_facts(torch, candidate, fact):
    same(torch, candidate, fact)


@pytest.mark.parametrize("shape", [(), (2,), (2, 3), (2, 3, 4)])
def test_transposing_what_is_no_matrix_is_deprecated(torch, candidate, shape):
    def program(ns):
        with warnings.catch_warnings(record=True):  # torch warns once in the life of a process
            warnings.simplefilter("always")
            x = ns.zeros(shape, requires_grad=True)
            return x.T, x.mT if len(shape) != 1 else None, x.H if len(shape) in (0, 2) else None

    same(torch, candidate, program)


# -- wrong arguments -----------------------------------------------------------------------------------------------------

NAMES = [
    "adjoint", "as_strided", "as_strided_", "as_strided_scatter", "broadcast_to", "chunk", "clone", "contiguous",
    "diag", "diag_embed", "diagflat", "diagonal", "diagonal_scatter", "expand", "expand_as", "flatten", "flip",
    "fliplr", "flipud", "hsplit", "dsplit", "vsplit", "is_set_to", "moveaxis", "movedim", "narrow", "narrow_copy",
    "permute", "ravel", "repeat", "repeat_interleave", "reshape", "reshape_as", "resize_", "resize_as_", "roll",
    "rot90", "select", "select_scatter", "set_", "slice_scatter", "split", "split_with_sizes", "squeeze", "squeeze_",
    "sum_to_size", "swapaxes", "swapaxes_", "swapdims", "t", "t_", "tensor_split", "tile", "transpose", "transpose_",
    "tril", "triu", "unbind", "unflatten", "unfold", "unsqueeze", "unsqueeze_", "view", "view_as",
]  # fmt: skip
ARGUMENTS = [
    ((), {}), (("a",), {}), ((1.5,), {}), ((None,), {}), ((0, "a"), {}), ((0, 1.5), {}), ((0, 1, 2, 3, 4, 5), {}),
    ((0,), {"bogus": 1}), ((), {"dim": "a"}), (([1, "a"],), {}), ((True,), {}), (((0,), (1,)), {}), ((0, 0), {}),
    ((0, 1, 1), {}), (([0, 1],), {}),
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_wrong_arguments(torch, candidate, name):
    def outcome(ns, method, args, kwargs):
        x = ns.arange(6.0).reshape(2, 3)
        try:
            result = getattr(x, name)(*args, **kwargs) if method else getattr(ns, name)(x, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 -- the error is what is compared
            text = str(error).replace(ns.__name__, "torch").replace("TensorBase", "Tensor")
            return type(error).__name__, text
        return getattr(result, "shape", None)

    def program(ns):
        return [outcome(ns, method, *each) for method in (True, False) for each in ARGUMENTS]

    same(torch, candidate, program)
