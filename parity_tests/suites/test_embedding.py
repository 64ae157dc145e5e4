"""Embeddings, bags of embeddings, the gradients of repeated rows, and the bilinear map."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same

seeds = st.integers(0, 2**32 - 1)
# Tables and numbers of indices on both sides of what the kernels tell apart: few and many elements, odd and even rows.
tables = st.sampled_from([(10, 3), (5, 1), (7, 64), (40, 16), (30, 33)])
index_shapes = st.sampled_from([(4,), (), (0,), (3, 5), (2, 3, 4), (50,), (0, 2)])


def numbers(draw, shape):
    return np.asarray(draw.standard_normal(shape), np.float32)


def integers(ns, array, dtype="int64"):
    return ns.tensor(np.asarray(array).tolist(), dtype=getattr(ns, dtype))


@given(
    table=tables,
    shape=index_shapes,
    seed=seeds,
    padding=st.sampled_from([None, 0, 2, -1]),
    dtype=st.sampled_from(["int64", "int32"]),
)
def test_rows_and_their_gradients_bit_for_bit(torch, candidate, table, shape, seed, padding, dtype):
    """Of a row that occurs more than once the gradients are added in the order of the occurrences."""
    draw = np.random.default_rng(seed)
    data, indices = numbers(draw, table), draw.integers(0, table[0], shape)

    def program(ns):
        weight = ns.tensor(data.tolist(), requires_grad=True)
        result = ns.nn.functional.embedding(integers(ns, indices, dtype), weight, padding)
        result.backward(ns.tensor(numbers(np.random.default_rng(1), tuple(result.shape)).tolist()).view(result.shape))
        return result, weight.grad

    same(torch, candidate, program)


@given(table=tables, shape=index_shapes, seed=seeds, dims=st.integers(0, 1))
def test_index_gradients_bit_for_bit(torch, candidate, table, shape, seed, dims):
    draw = np.random.default_rng(seed)
    data, indices = numbers(draw, table), draw.integers(-table[dims], table[dims], shape)

    def program(ns):
        x = ns.tensor(data.tolist(), requires_grad=True)
        result = (x * 1)[(slice(None),) * dims + (integers(ns, indices),)]
        result.backward(ns.tensor(numbers(np.random.default_rng(1), tuple(result.shape)).tolist()).view(result.shape))
        return result, x.grad

    same(torch, candidate, program)


@given(seed=seeds, padding=st.sampled_from([None, 1]), scaled=st.booleans())
def test_embedding_twice_differentiated(torch, candidate, seed, padding, scaled):
    draw = np.random.default_rng(seed)
    data, indices, weights = numbers(draw, (6, 4)), draw.integers(0, 6, (3, 4)), numbers(draw, (6, 4))

    def program(ns, tensor):
        table = tensor(data, requires_grad=True)
        rows = ns.nn.functional.embedding(integers(ns, indices), table, padding, scale_grad_by_freq=scaled)
        (first,) = ns.autograd.grad((rows * rows * rows).sum(), table, create_graph=True)
        (second,) = ns.autograd.grad((first * tensor(weights)).sum(), table)
        return rows, first, second

    agree(torch, candidate, program)


@given(seed=seeds, max_norm=st.sampled_from([0.0, 0.7, 2.0]), p=st.sampled_from([2.0, 1.0, math.inf, 3.0, 0.5, 0.0]))
def test_max_norm_changes_the_table(torch, candidate, seed, max_norm, p):
    draw = np.random.default_rng(seed)
    data, indices = numbers(draw, (6, 4)), draw.integers(0, 6, 5)

    def program(ns, tensor):
        table = tensor(data, requires_grad=True)
        rows = ns.nn.functional.embedding(integers(ns, indices), table, None, max_norm, p)
        return rows, table, table._version

    agree(torch, candidate, program)


@st.composite
def bags(draw):
    """Indices in a matrix, or in a vector with offsets; what is done with them; weights of the samples; padding."""
    rng = np.random.default_rng(draw(seeds))
    mode = draw(st.sampled_from(["sum", "mean", "max"]))
    if draw(st.booleans()):
        indices, offsets = rng.integers(0, 6, (draw(st.integers(1, 4)), draw(st.integers(1, 5)))), None
    else:
        count = draw(st.integers(0, 12))
        starts = sorted(draw(st.lists(st.integers(0, count), max_size=4)))
        indices, offsets = rng.integers(0, 6, count), [0, *starts]
    included = offsets is not None and draw(st.booleans())
    if included:
        offsets = [*offsets, indices.size]
    samples = numbers(rng, indices.shape) if mode == "sum" and draw(st.booleans()) else None
    return indices, offsets, mode, samples, included, draw(st.sampled_from([None, 0, 3, -1]))


@given(case=bags(), seed=seeds)
def test_bags(torch, candidate, case, seed):
    indices, offsets, mode, samples, included, padding = case
    draw = np.random.default_rng(seed)
    data = numbers(draw, (6, 3))

    def program(ns, tensor):
        weight = tensor(data, requires_grad=True)
        given = None if samples is None else tensor(samples, requires_grad=True)
        result = ns.nn.functional.embedding_bag(
            integers(ns, indices).view(indices.shape),
            weight,
            None if offsets is None else integers(ns, offsets),
            mode=mode,
            per_sample_weights=given,
            include_last_offset=included,
            padding_idx=padding,
        )
        result.backward(tensor(numbers(np.random.default_rng(1), tuple(result.shape))))
        return result, weight.grad, None if given is None else given.grad

    agree(torch, candidate, program)


def test_scaled_gradients_of_bags(torch, candidate):
    """Indices that occur equally often: for others torch takes the count of another index."""

    def program(ns):
        weight = ns.arange(10.0).view(5, 2).requires_grad_()
        results = [
            ns.nn.functional.embedding_bag(
                integers(ns, [[0, 1], [1, 0], [3, 3]]), weight, mode=mode, scale_grad_by_freq=True
            )
            for mode in ("sum", "mean")
        ]
        sum(each.sum() for each in results).backward()
        return weight.grad

    same(torch, candidate, program)


def test_ties_and_nans_in_a_maximum(torch, candidate):
    def program(ns):
        x = ns.tensor([[1.0, math.nan], [1.0, 2.0], [math.nan, 2.0]], requires_grad=True)
        result = ns.nn.functional.embedding_bag(integers(ns, [[2, 0], [0, 2], [1, 0]]), x, mode="max")
        result.sum().backward()
        return result, x.grad

    same(torch, candidate, program)


MODULES = {
    "Embedding": lambda nn: nn.Embedding(5, 3),
    "padded": lambda nn: nn.Embedding(5, 3, padding_idx=-1),
    "all options": lambda nn: nn.Embedding(5, 3, 0, 2.0, 1, True),
    "double": lambda nn: nn.Embedding(5, 3).double(),
    "frozen": lambda nn: nn.Embedding(5, 3, _freeze=True),
    "EmbeddingBag": lambda nn: nn.EmbeddingBag(5, 3),
    "padded EmbeddingBag": lambda nn: nn.EmbeddingBag(5, 3, padding_idx=2),
    "EmbeddingBag with options": lambda nn: nn.EmbeddingBag(5, 3, 2.0, 1.0, True, "sum", include_last_offset=True),
    "Bilinear": lambda nn: nn.Bilinear(3, 4, 5),
    "Bilinear without bias": lambda nn: nn.Bilinear(3, 4, 5, bias=False),
    "padding outside": lambda nn: nn.Embedding(5, 3, padding_idx=5),
    "padding before": lambda nn: nn.EmbeddingBag(5, 3, padding_idx=-6),
    "wrong weight": lambda nn: nn.Embedding(5, 3, _weight=nn.Linear(2, 2).weight),
    "no features": lambda nn: nn.Bilinear(0, 4, 5),
}


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_modules_start_bit_for_bit_alike(torch, candidate, make):
    def program(ns):
        ns.manual_seed(3)
        module = make(ns.nn)
        grads = [p.requires_grad for p in module.parameters()]
        return repr(module), module.state_dict(), module.__constants__, grads, ns.rand(2)

    same(torch, candidate, program)


@pytest.mark.parametrize("name", ["Embedding", "EmbeddingBag"])
@pytest.mark.parametrize("freeze", [True, False])
def test_from_pretrained(torch, candidate, name, freeze):
    def program(ns):
        table = ns.arange(6.0).view(3, 2)
        module = getattr(ns.nn, name).from_pretrained(table, freeze=freeze, padding_idx=1)
        table[0, 0] = 9.0
        return repr(module), module.weight, module(integers(ns, [[0, 1]]))

    same(torch, candidate, program)


def test_half_rows_add_up_in_half(torch, candidate):
    draw = np.random.default_rng(0)
    data, indices = draw.standard_normal((6, 64)).astype(np.float16), draw.integers(0, 6, 40)

    def program(ns):
        weight = ns.tensor(data.tolist(), dtype=ns.float16, requires_grad=True)
        rows = ns.nn.functional.embedding(integers(ns, indices), weight)
        rows.backward(ns.ones(40, 64, dtype=ns.float16) * 0.1)
        return rows, weight.grad

    same(torch, candidate, program)


@given(
    sizes=st.tuples(*[st.integers(1, 4)] * 3),
    batch=st.lists(st.integers(0, 3), max_size=3),
    seed=seeds,
    shifted=st.booleans(),
)
def test_bilinear(torch, candidate, sizes, batch, seed, shifted):
    draw = np.random.default_rng(seed)
    (one, two, out), batch = sizes, tuple(batch)
    shapes = [(*batch, one), (*batch, two), (out, one, two), *([(out,)] if shifted else [])]
    arrays = [numbers(draw, shape) for shape in shapes]

    def program(ns, tensor):
        leaves = [tensor(each, requires_grad=True) for each in arrays]
        result = ns.nn.functional.bilinear(*leaves)
        result.backward(tensor(numbers(np.random.default_rng(1), tuple(result.shape))))
        return result, [each.grad for each in leaves]

    agree(torch, candidate, program)


WRONG = {
    "negative": lambda ns, F, i, w: F.embedding(i - 2, w),
    "too large": lambda ns, F, i, w: F.embedding(i + 5, w),
    "floats": lambda ns, F, i, w: F.embedding(i.float(), w),
    "bools": lambda ns, F, i, w: F.embedding(i.bool(), w),
    "shorts": lambda ns, F, i, w: F.embedding(i.short(), w),
    "vector": lambda ns, F, i, w: F.embedding(i, w[0]),
    "cube": lambda ns, F, i, w: F.embedding(i, w[None]),
    "padding": lambda ns, F, i, w: F.embedding(i, w, 7),
    "negative padding": lambda ns, F, i, w: F.embedding(i, w, -8),
    "float padding": lambda ns, F, i, w: F.embedding(i, w, 1.0),
    "list": lambda ns, F, i, w: F.embedding([1], w),
    "list table": lambda ns, F, i, w: F.embedding(i, [1.0]),
    "swapped": lambda ns, F, i, w: F.embedding(w, i),
    "scale": lambda ns, F, i, w: F.embedding(i, w, scale_grad_by_freq="a"),
    "missing": lambda ns, F, i, w: ns.embedding(w),
    "max norm": lambda ns, F, i, w: F.embedding(i, w, max_norm="a"),
    "max norm outside": lambda ns, F, i, w: F.embedding(i + 5, w, max_norm=1.0),
    "max norm negative": lambda ns, F, i, w: F.embedding(i - 2, w.clone(), max_norm=1.0),
    "renorm of a leaf": lambda ns, F, i, w: ns.embedding_renorm_(w.clone().requires_grad_(), i, 1.0, 2.0),
    "renorm of a vector": lambda ns, F, i, w: ns.embedding_renorm_(w[0].clone(), i, 1.0, 2.0),
    "renorm by floats": lambda ns, F, i, w: ns.embedding_renorm_(w, i.float(), 1.0, 2.0),
    "bag without offsets": lambda ns, F, i, w: F.embedding_bag(i, w),
    "bag with both": lambda ns, F, i, w: F.embedding_bag(i[None], w, i),
    "bag rank": lambda ns, F, i, w: F.embedding_bag(i[None, None], w),
    "bag offsets rank": lambda ns, F, i, w: F.embedding_bag(i, w, i[None]),
    "bag mode": lambda ns, F, i, w: F.embedding_bag(i[None], w, mode="min"),
    "bag table": lambda ns, F, i, w: F.embedding_bag(i[None], w[0]),
    "bag first offset": lambda ns, F, i, w: F.embedding_bag(i, w, i),
    "bag last offset": lambda ns, F, i, w: F.embedding_bag(i, w, integers(ns, [0, 9])),
    "bag no last offset": lambda ns, F, i, w: F.embedding_bag(i, w, i[:0], include_last_offset=True),
    "bag float indices": lambda ns, F, i, w: F.embedding_bag(i.float()[None], w),
    "bag float offsets": lambda ns, F, i, w: F.embedding_bag(i, w, ns.zeros(1)),
    "bag weights shape": lambda ns, F, i, w: F.embedding_bag(i[None], w, mode="sum", per_sample_weights=ns.ones(4)),
    "bag weights mode": lambda ns, F, i, w: F.embedding_bag(i[None], w, per_sample_weights=ns.ones(1, 4)),
    "bag weights dtype": lambda ns, F, i, w: F.embedding_bag(
        i[None], w, mode="sum", per_sample_weights=ns.ones(1, 4).double()
    ),
    "bag index in mean": lambda ns, F, i, w: F.embedding_bag(i[None] + 5, w),
    "bag index in sum": lambda ns, F, i, w: F.embedding_bag(i[None] + 5, w, mode="sum"),
    "bag index in max": lambda ns, F, i, w: F.embedding_bag(i[None] + 5, w, mode="max"),
    "bag padding": lambda ns, F, i, w: F.embedding_bag(i[None], w, padding_idx=8),
    "bag float padding": lambda ns, F, i, w: F.embedding_bag(i[None], w, padding_idx=1.0),
    "bag scaled max": lambda ns, F, i, w: F.embedding_bag(i[None], w, mode="max", scale_grad_by_freq=True),
    "bag sparse max": lambda ns, F, i, w: F.embedding_bag(i[None], w, mode="max", sparse=True),
    "bag integer table": lambda ns, F, i, w: F.embedding_bag(i[None], w.long()),
    "bag empty rows": lambda ns, F, i, w: F.embedding_bag(i[:0].view(1, 0), w),
    "bag list": lambda ns, F, i, w: F.embedding_bag([1], w),
    "bilinear ranks": lambda ns, F, i, w: F.bilinear(w, w[None], w[None]),
    "bilinear batches": lambda ns, F, i, w: F.bilinear(w, w[:2], w[None]),
    "bilinear first": lambda ns, F, i, w: F.bilinear(w, w, w[None, :2]),
    "bilinear second": lambda ns, F, i, w: F.bilinear(w, w, w[None, :3, :2]),
    "bilinear bias": lambda ns, F, i, w: F.bilinear(w, w, w[None, :3], ns.ones(2)),
    "bilinear dtype": lambda ns, F, i, w: F.bilinear(w, w.double(), w[None, :3]),
    "bilinear scalar": lambda ns, F, i, w: F.bilinear(w[0, 0], w[0, 0], w[None, :3]),
    "bilinear list": lambda ns, F, i, w: F.bilinear([1.0], w, w),
    "bilinear missing": lambda ns, F, i, w: F.bilinear(w, w),
    "pretrained": lambda ns, F, i, w: ns.nn.Embedding.from_pretrained(w[0]),
}


@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG)
def test_errors(torch, candidate, program):
    same(
        torch,
        candidate,
        lambda ns: program(ns, ns.nn.functional, integers(ns, [1, 2, 3, 1]), ns.arange(21.0).view(7, 3)),
    )


def test_bag_arguments_in_the_old_order_warn(torch, candidate):
    def program(ns):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = ns.nn.functional.embedding_bag(ns.arange(6.0).view(3, 2), integers(ns, [[0, 1]]))
        return result, [str(w.message) for w in caught if w.category is UserWarning]

    same(torch, candidate, program)


def test_sparse_gradients_are_refused(candidate):
    if candidate.__name__ != "minitorch_like":
        pytest.skip("says what minitorch_like does not have")
    for make in (candidate.nn.Embedding, candidate.nn.EmbeddingBag):
        with pytest.raises(NotImplementedError, match="sparse=True is not supported"):
            make(3, 2, sparse=True)
    indices, table = candidate.tensor([[1]]), candidate.ones(3, 2)
    for apply in (candidate.nn.functional.embedding, candidate.nn.functional.embedding_bag):
        with pytest.raises(NotImplementedError, match="sparse=True is not supported"):
            apply(indices, table, sparse=True)


COMPILED = {
    "Embedding": lambda nn: nn.Embedding(9, 4),
    "wide Embedding": lambda nn: nn.Embedding(9, 64, padding_idx=2, scale_grad_by_freq=True),
    "odd Embedding": lambda nn: nn.Embedding(9, 33),
    "bounded Embedding": lambda nn: nn.Embedding(9, 4, max_norm=0.7),
    "sum": lambda nn: nn.EmbeddingBag(9, 4, mode="sum", padding_idx=1),
    "mean": lambda nn: nn.EmbeddingBag(9, 4),
    "max": lambda nn: nn.EmbeddingBag(9, 4, mode="max"),
}


@pytest.mark.parametrize("make", COMPILED.values(), ids=COMPILED)
def test_a_compiled_step_equals_eager_bit_for_bit(candidate, make):
    if candidate.__name__ != "minitorch_like":
        pytest.skip("a property of minitorch_like's compiler")
    data = np.random.default_rng(0).integers(0, 9, (8, 4, 5))

    def trained(prepare):
        candidate.manual_seed(0)
        layer = make(candidate.nn)
        optimizer = candidate.optim.SGD(layer.parameters(), lr=0.01)

        def step(indices):
            optimizer.zero_grad()
            loss = layer(indices).pow(3).sum()
            loss.backward()
            optimizer.step()
            return loss

        run, trace = prepare(step), []
        for indices in data:
            loss = run(candidate.tensor(indices))
            trace.append([each.detach().numpy().tobytes() for each in (loss, layer.weight, layer.weight.grad)])
        return trace, run

    eager, _ = trained(lambda step: step)
    compiled, run = trained(candidate.compile)
    assert eager == compiled
    assert "8 calls, 1 plans" in run.explain()
    assert "eager" not in run.explain()
