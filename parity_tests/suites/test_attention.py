"""Attention: scaled_dot_product_attention and MultiheadAttention, values and derivatives, masks, options, errors."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 5)


def numbers(draw, *shape):
    return np.asarray(draw.standard_normal(shape), np.float32)


# Where a query sees one key, the gradient of its score is the difference of two equal numbers: hence `cancels` below.


def differentiated(tensor, out, *leaves):
    """An output and, hanging on the leaves, the gradients of a random combination of its elements."""
    if out.requires_grad:
        out.backward(tensor(numbers(np.random.default_rng(1), *out.shape)))
    return out, *leaves


def texts(caught):
    """The warnings of the framework, without those that NumPy gives of arithmetic."""
    return [str(w.message) for w in caught if w.category is not RuntimeWarning]


# -- scaled_dot_product_attention --------------------------------------------------------------------------------


@st.composite
def attentions(draw):
    """Queries, keys and values, and how they are given."""
    rng = np.random.default_rng(draw(seeds))
    batch = draw(st.lists(st.integers(1, 3), max_size=3))
    length, source, size = draw(sizes), draw(sizes), draw(sizes)
    value_size = draw(st.just(size) | sizes)
    shapes = (*batch, length, size), (*batch, source, size), (*batch, source, value_size)
    return [numbers(rng, *shape) for shape in shapes], draw(st.tuples(*[st.booleans()] * 3)), rng


@st.composite
def masks(draw, shape, rng):
    """A boolean or floating-point mask that broadcasts to `shape`, perhaps with queries that see no key."""
    dropped = draw(st.integers(0, len(shape) - 2))
    kept = [size if draw(st.booleans()) else 1 for size in shape[dropped:]]
    floats = numbers(rng, *kept)
    kind = draw(st.sampled_from(["bool", "float", "-inf"]))
    if kind == "bool":
        return floats > draw(st.sampled_from([-1.0, 0.0, 1.0, 9.0]))
    return np.where(floats > 0.5, np.float32(-np.inf), floats) if kind == "-inf" else floats


def attend(ns, tensor, arrays, needs, mask=None, **options):
    q, k, v = (tensor(array, requires_grad=need) for array, need in zip(arrays, needs, strict=True))
    if mask is not None:
        mask = ns.tensor(mask.tolist()) if mask.dtype == bool else tensor(mask)
    out = ns.nn.functional.scaled_dot_product_attention(q, k, v, mask, **options)
    return differentiated(tensor, out, q, k, v)


@given(case=attentions(), scale=st.none() | st.sampled_from([0.3, -1.0, 0.0, 2]))
def test_values_and_gradients(torch, candidate, case, scale):
    arrays, needs, _ = case
    agree(torch, candidate, lambda ns, tensor: attend(ns, tensor, arrays, needs, scale=scale), cancels=True)


@given(case=attentions())
def test_causal(torch, candidate, case):
    arrays, needs, _ = case
    agree(torch, candidate, lambda ns, tensor: attend(ns, tensor, arrays, needs, is_causal=True), cancels=True)


@given(case=attentions(), data=st.data())
def test_masks(torch, candidate, case, data):
    arrays, needs, rng = case
    q, k, _ = arrays
    mask = data.draw(masks((*q.shape[:-1], k.shape[-2]), rng))
    agree(torch, candidate, lambda ns, tensor: attend(ns, tensor, arrays, needs, mask), cancels=True)


@given(case=attentions(), data=st.data())
def test_the_gradient_of_a_mask(torch, candidate, case, data):
    arrays, needs, rng = case
    q, k, _ = arrays
    full = (*q.shape[:-1], k.shape[-2])
    added = numbers(rng, *[size if data.draw(st.booleans()) else 1 for size in full])

    def program(ns, tensor):
        q, k, v = (tensor(array, requires_grad=need) for array, need in zip(arrays, needs, strict=True))
        mask = tensor(added, requires_grad=True)
        out = ns.nn.functional.scaled_dot_product_attention(q, k, v, mask, scale=0.5)
        return differentiated(tensor, out, q, k, v, mask)

    agree(torch, candidate, program, cancels=True)


@given(seed=seeds, causal=st.booleans(), p=st.sampled_from([0.1, 0.5, 1.0]), rank=st.sampled_from([2, 3, 4]))
def test_dropout_draws_from_the_same_stream(torch, candidate, seed, causal, p, rank):
    draw = np.random.default_rng(seed)
    arrays = [numbers(draw, *(2, 3, length, 4)[4 - rank :]) for length in (5, 6, 6)]

    def program(ns, tensor):
        ns.manual_seed(seed)
        result = attend(ns, tensor, arrays, (True, True, True), dropout_p=p, is_causal=causal)
        return *result, ns.rand(2)

    agree(torch, candidate, program, cancels=True)


@given(seed=seeds, groups=st.tuples(sizes, sizes, sizes), dropout_p=st.sampled_from([0.0, 0.3]), causal=st.booleans())
def test_shared_heads(torch, candidate, seed, groups, dropout_p, causal):
    draw = np.random.default_rng(seed)
    heads = groups[0] * groups[1] * groups[2]
    arrays = [
        numbers(draw, 2, count, length, 3) for count, length in ((heads, 4), (groups[0], 5), (groups[0] * groups[1], 5))
    ]

    def program(ns, tensor):
        ns.manual_seed(seed)
        return attend(ns, tensor, arrays, (True, True, True), dropout_p=dropout_p, is_causal=causal, enable_gqa=True)

    agree(torch, candidate, program, cancels=True)


@given(seed=seeds, shapes=st.sampled_from([((2, 3), (1, 3)), ((2, 1), (1, 3)), ((), (2, 3)), ((2, 3), (3,))]))
def test_broadcast_batches(torch, candidate, seed, shapes):
    draw = np.random.default_rng(seed)
    first, second = shapes
    arrays = [numbers(draw, *first, 4, 3), numbers(draw, *second, 5, 3), numbers(draw, *second, 5, 2)]
    agree(torch, candidate, lambda ns, tensor: attend(ns, tensor, arrays, (True, True, True)), cancels=True)


LAYOUTS = {
    "contiguous": ((2, 3, 4, 6), lambda x: x),
    "heads inside": ((2, 4, 3, 6), lambda x: x.transpose(1, 2)),
    "sequence first": ((4, 2, 3, 6), lambda x: x.permute(1, 2, 0, 3)),
    "part of a projection": ((2, 4, 3, 3, 6), lambda x: x[:, :, 1].transpose(1, 2)),
    "expanded": ((2, 1, 4, 6), lambda x: x.expand(2, 3, 4, 6)),
    "transposed": ((2, 3, 6, 4), lambda x: x.transpose(2, 3)),
    "every other": ((2, 3, 8, 6), lambda x: x[:, :, ::2]),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
@given(seed=seeds)
def test_layouts(torch, candidate, layout, seed):
    shape, view = layout
    draw = np.random.default_rng(seed)
    array, source = numbers(draw, *shape), numbers(draw, 2, 3, 5, 6)

    def program(ns, tensor):
        x, other = tensor(array, requires_grad=True), tensor(source, requires_grad=True)
        function = ns.nn.functional.scaled_dot_product_attention
        out, back = function(view(x), other, other), function(other, view(x), view(x))
        grads = [g.contiguous() for g in ns.autograd.grad(out.sum(), [x, other])]
        return out, differentiated(tensor, back, x, other), grads

    agree(torch, candidate, program, cancels=True)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("lengths", [(300, 4), (4, 300), (260, 270)])
def test_long_sequences(torch, candidate, lengths, causal):
    draw = np.random.default_rng(0)
    arrays = [numbers(draw, 1, 2, length, 3) for length in (lengths[0], lengths[1], lengths[1])]
    agree(
        torch,
        candidate,
        lambda ns, tensor: attend(ns, tensor, arrays, (True, True, True), is_causal=causal),
        cancels=True,
    )


@given(seed=seeds, safe=st.booleans(), causal=st.booleans(), p=st.sampled_from([0.0, 0.4]), masked=st.booleans())
def test_second_derivatives(torch, candidate, seed, safe, causal, p, masked):
    """In the ranks in which torch has them: its fused kernel, for four dimensions, has none."""
    draw = np.random.default_rng(seed)
    arrays = [numbers(draw, 2, 3, 4), numbers(draw, 2, 5, 4), numbers(draw, 2, 5, 3)]
    added = numbers(draw, 3, 5)
    if safe:
        added[1] = -np.inf
    cotangents = [numbers(draw, 2, 3, 3), *(numbers(draw, *array.shape) for array in (*arrays, added))]

    def program(ns, tensor):
        ns.manual_seed(seed)
        leaves = [tensor(array, requires_grad=True) for array in arrays]
        mask = tensor(added, requires_grad=True) if masked and not causal else None
        out = ns.nn.functional.scaled_dot_product_attention(*leaves, mask, dropout_p=p, is_causal=causal)
        leaves += [] if mask is None else [mask]
        v, *ws = map(tensor, cotangents)
        first = ns.autograd.grad((out * v).sum(), leaves, create_graph=True)
        weighted = sum((g * w).sum() for g, w in zip(first, ws, strict=False))
        return [g.contiguous() for g in ns.autograd.grad(weighted, leaves)]

    agree(torch, candidate, program, cancels=True)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"dropout_p": 0.5}])
def test_dtypes(torch, candidate, dtype, options):
    draw = np.random.default_rng(0)
    arrays = [numbers(draw, 2, 2, 5, 4).astype(dtype) for _ in range(4)]

    def program(ns, tensor):
        ns.manual_seed(0)
        q, k, v = leaves = [tensor(array, requires_grad=True) for array in arrays[:3]]
        out = ns.nn.functional.scaled_dot_product_attention(q, k, v, **options)
        return out, *[g.contiguous() for g in ns.autograd.grad(out, leaves, tensor(arrays[3]))]

    agree(torch, candidate, program, coarsest=dtype)


EMPTY = {
    "no keys": ((2, 3, 4, 6), (2, 3, 0, 6), (2, 3, 0, 6)),
    "no keys, 3-d": ((3, 4, 6), (3, 0, 6), (3, 0, 6)),
    "no queries": ((2, 3, 0, 6), (2, 3, 5, 6), (2, 3, 5, 6)),
    "no batch": ((0, 3, 4, 6), (0, 3, 5, 6), (0, 3, 5, 6)),
    "no features": ((2, 3, 4, 0), (2, 3, 5, 0), (2, 3, 5, 6)),
    "no features at all": ((4, 0), (5, 0), (5, 0)),
}


@pytest.mark.parametrize("shapes", EMPTY.values(), ids=EMPTY.keys())
def test_of_nothing(torch, candidate, shapes):
    arrays = [numbers(np.random.default_rng(0), *shape) for shape in shapes]
    agree(torch, candidate, lambda ns, tensor: attend(ns, tensor, arrays, (True, True, True)), cancels=True)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_special_values(torch, candidate, special):
    """A score of +inf or NaN spoils its query, one of -inf masks its key."""
    draw = np.random.default_rng(3)
    arrays = [abs(numbers(draw, 1, 1, 3, 2)), abs(numbers(draw, 1, 1, 4, 2)), numbers(draw, 1, 1, 4, 2)]
    arrays[1][..., 1, 0] = special

    def program(ns):
        q, k, v = (ns.tensor(array.tolist()) for array in arrays)
        return [str(ns.nn.functional.scaled_dot_product_attention(q, k, v))]

    same(torch, candidate, program)


def sdpa(ns, *shapes, mask=None, **options):
    tensors = [ns.ones(*shape) if isinstance(shape, tuple) else shape for shape in shapes]
    return ns.nn.functional.scaled_dot_product_attention(*tensors, mask, **options)


Q, K = (2, 3, 4, 6), (2, 3, 5, 6)
WRONG = {
    "rank": lambda ns: sdpa(ns, (4,), (4,), (4,)),
    "dtypes": lambda ns: sdpa(ns, Q, ns.ones(*K).double(), K),
    "integers": lambda ns: sdpa(ns, *[ns.ones(2, 2, 2, dtype=ns.int64)] * 3),
    "integers, 2-d": lambda ns: sdpa(ns, *[ns.ones(2, 2, dtype=ns.int64)] * 3),
    "features": lambda ns: sdpa(ns, Q, (2, 3, 5, 7), K),
    "features, 3-d": lambda ns: sdpa(ns, (3, 4, 6), (3, 5, 7), (3, 5, 6)),
    "features, 2-d": lambda ns: sdpa(ns, (4, 6), (5, 7), (5, 6)),
    "keys": lambda ns: sdpa(ns, (3, 4, 6), (3, 5, 6), (3, 7, 6)),
    "batch": lambda ns: sdpa(ns, Q, (4, 3, 5, 6), (4, 3, 5, 6)),
    "heads": lambda ns: sdpa(ns, (2, 6, 4, 6), K, K),
    "shared heads": lambda ns: sdpa(ns, (2, 5, 4, 6), K, K, enable_gqa=True),
    "shared heads, 2-d": lambda ns: sdpa(ns, (4, 6), (5, 6), (5, 6), enable_gqa=True),
    "mask shape": lambda ns: sdpa(ns, Q, K, K, mask=ns.ones(4, 6)),
    "mask batch": lambda ns: sdpa(ns, Q, K, K, mask=ns.ones(7, 1, 4, 5)),
    "mask rank": lambda ns: sdpa(ns, Q, K, K, mask=ns.ones(1, 1, 1, 4, 5)),
    "mask of rank 1": lambda ns: sdpa(ns, Q, K, K, mask=ns.ones(5)),
    "mask of rank 0": lambda ns: sdpa(ns, Q, K, K, mask=ns.ones(())),
    "mask dtype": lambda ns: sdpa(ns, Q, K, K, mask=ns.ones(4, 5, dtype=ns.int64)),
    "mask float64": lambda ns: sdpa(ns, Q, K, K, mask=ns.ones(4, 5).double()),
    "mask and causal": lambda ns: sdpa(ns, (4, 6), (5, 6), (5, 6), mask=ns.ones(4, 5), is_causal=True),
    "dropout": lambda ns: sdpa(ns, Q, K, K, dropout_p=2.0),
    "negative dropout": lambda ns: sdpa(ns, Q, K, K, dropout_p=-1.0),
    "missing": lambda ns: ns.nn.functional.scaled_dot_product_attention(ns.ones(2, 2)),
    "a number": lambda ns: sdpa(ns, Q, K, 3),
    "mask a list": lambda ns: sdpa(ns, Q, K, K, mask=[1]),
    "dropout a string": lambda ns: sdpa(ns, Q, K, K, dropout_p="a"),
    "too many": lambda ns: ns.nn.functional.scaled_dot_product_attention(*[ns.ones(2, 2)] * 3, None, 0.0, False, 2.0),
    "unknown keyword": lambda ns: sdpa(ns, Q, K, K, foo=1),
    "causal a number": lambda ns: sdpa(ns, Q, K, K, is_causal=1),
}


@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG.keys())
def test_errors(torch, candidate, program):
    same(torch, candidate, program)


# -- MultiheadAttention -----------------------------------------------------------------------------------------------


@st.composite
def multiheads(draw):
    """The options of a module, its inputs, and how it is called."""
    heads = draw(st.integers(1, 3))
    size = heads * draw(st.integers(1, 3))
    options = {name: draw(st.booleans()) for name in ("bias", "add_bias_kv", "add_zero_attn", "batch_first")} | {
        "kdim": draw(st.none() | sizes),
        "vdim": draw(st.none() | sizes),
        "dropout": draw(st.sampled_from([0.0, 0.3])),
    }
    call = {"need_weights": draw(st.booleans()), "average_attn_weights": draw(st.booleans())}
    kind = draw(st.sampled_from(["self", "shared", "all"]))
    if kind != "all":
        options["vdim"] = options["kdim"]
    if kind == "self":
        options["kdim"] = options["vdim"] = None
    return size, heads, options, call, kind


def inputs(size, options, kind, batch, rng):
    """Query, key and value, of which some are the same."""
    kdim, vdim = (options[name] or size for name in ("kdim", "vdim"))
    shapes = (3, size), (3 if kind == "self" else 4, kdim), (3 if kind == "self" else 4, vdim)
    arrays = []
    for length, features in shapes:
        shape = (length, features) if not batch else (batch, length, features)
        if batch and not options["batch_first"]:
            shape = (length, batch, features)
        arrays.append(numbers(rng, *shape))
    return arrays


@given(case=multiheads(), seed=seeds, batch=st.sampled_from([0, 1, 2]), training=st.booleans())
def test_multihead(torch, candidate, case, seed, batch, training):
    size, heads, options, call, kind = case
    arrays = inputs(size, options, kind, batch, np.random.default_rng(seed))

    def program(ns, tensor):
        ns.manual_seed(seed)
        module = ns.nn.MultiheadAttention(size, heads, **options).train(training)
        q, k, v = (tensor(array, requires_grad=True) for array in arrays)
        if kind != "all":
            v = k
        if kind == "self":
            k = v = q
        out, weights = module(q, k, v, **call)
        loss = (out * tensor(numbers(np.random.default_rng(1), *out.shape))).sum()
        if weights is not None:
            loss = loss + (weights * tensor(numbers(np.random.default_rng(2), *weights.shape))).sum()
        loss.backward()
        return out, weights, [p.grad for p in module.parameters()], q.grad, k.grad, v.grad

    agree(torch, candidate, program, cancels=True)


@st.composite
def padded(draw):
    """Masks of two sequences of three: each boolean, of numbers or missing."""
    rng = np.random.default_rng(draw(seeds))
    kinds = st.sampled_from(["none", "bool", "float"])

    def mask(kind, *shape):
        floats = numbers(rng, *shape)
        return None if kind == "none" else floats > 0.3 if kind == "bool" else floats

    return mask(draw(kinds), *draw(st.sampled_from([(3, 3), (4, 3, 3)]))), mask(draw(kinds), 2, 3)


@given(
    given_masks=padded(),
    seed=seeds,
    training=st.booleans(),
    grad=st.booleans(),
    need_weights=st.booleans(),
    hint=st.booleans(),
    extra=st.booleans(),
    batch_first=st.booleans(),
)
def test_multihead_masks(torch, candidate, given_masks, seed, training, grad, need_weights, hint, extra, batch_first):
    """What masks do, also to queries that may see no key; torch's inference kernel has its own view of that."""
    array = numbers(np.random.default_rng(seed), 2, 3, 4)

    def program(ns, tensor):
        ns.manual_seed(seed)
        module = ns.nn.MultiheadAttention(4, 2, batch_first=batch_first, add_zero_attn=extra, add_bias_kv=extra)
        x = tensor(array if batch_first else array.swapaxes(0, 1).copy())
        masks = [
            None if each is None else ns.tensor(each.tolist()) if each.dtype == bool else tensor(each)
            for each in given_masks
        ]
        with warnings.catch_warnings(record=True) as caught, ns.set_grad_enabled(grad):
            warnings.simplefilter("always")
            result = module.train(training)(
                x, x, x, masks[1], need_weights, masks[0], is_causal=hint and given_masks[0] is not None
            )
        return *result, texts(caught)

    agree(torch, candidate, program, cancels=True)


@given(seed=seeds, static=st.sampled_from([(True, False), (False, True), (True, True)]))
def test_static_keys_and_values(torch, candidate, seed, static):
    draw = np.random.default_rng(seed)
    x, k, v = numbers(draw, 3, 2, 4), numbers(draw, 4, 3, 2), numbers(draw, 4, 3, 2)

    def program(ns, tensor):
        ns.manual_seed(seed)
        own = ns.nn.MultiheadAttention(4, 2)
        fixed = [
            tensor(array, requires_grad=True) if used else None for array, used in zip((k, v), static, strict=True)
        ]
        query = tensor(x, requires_grad=True)
        out, weights = ns.nn.functional.multi_head_attention_forward(
            query, query, query, 4, 2, own.in_proj_weight, own.in_proj_bias, None, None, False, 0.0,
            own.out_proj.weight, own.out_proj.bias, static_k=fixed[0], static_v=fixed[1],
        )  # fmt: skip
        return *differentiated(tensor, out, query, *(each for each in fixed if each is not None)), weights

    agree(torch, candidate, program, cancels=True)


@given(seed=seeds, need_weights=st.booleans(), separate=st.booleans())
def test_second_derivatives_of_multihead(torch, candidate, seed, need_weights, separate):
    """With dropout torch's fused kernel, which has none, stays out of it."""
    draw = np.random.default_rng(seed)
    array, other = numbers(draw, 3, 2, 4), numbers(draw, 5, 2, 4)

    def program(ns, tensor):
        ns.manual_seed(seed)
        module = ns.nn.MultiheadAttention(4, 2, dropout=0.3)
        x, y = tensor(array, requires_grad=True), tensor(other, requires_grad=True)
        out, weights = module(x, y, y, need_weights=need_weights) if separate else module(x, x, x, None, need_weights)
        loss = (out**2).sum() + (0 if weights is None else (weights**3).sum())
        leaves = [x, module.in_proj_weight]
        first = ns.autograd.grad(loss, leaves, create_graph=True)
        return [g.contiguous() for g in ns.autograd.grad(sum((g**2).sum() for g in first), leaves)]

    agree(torch, candidate, program, cancels=True)


MODULES = {
    "plain": lambda nn: nn.MultiheadAttention(4, 2),
    "no bias": lambda nn: nn.MultiheadAttention(4, 2, bias=False),
    "bias kv": lambda nn: nn.MultiheadAttention(4, 2, 0.1, True, True, True),
    "kdim": lambda nn: nn.MultiheadAttention(4, 1, kdim=3, vdim=5),
    "batch first": lambda nn: nn.MultiheadAttention(6, 3, batch_first=True),
}


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES.keys())
def test_parameters_state_and_repr(torch, candidate, make):
    def program(ns):
        ns.manual_seed(3)
        module = make(ns.nn)
        settings = {key: value for key, value in vars(module).items() if isinstance(value, (int, float, bool))}
        names = [name for name, _ in module.named_parameters()]
        module.load_state_dict(module.state_dict())
        return repr(module), names, dict(module.state_dict()), settings, module.__constants__, ns.rand(2)

    same(torch, candidate, program)


def multihead(ns, *arguments, heads=2, size=4, training=True, **options):
    call = {name: options.pop(name) for name in ("attn_mask", "key_padding_mask", "is_causal") if name in options}
    module = ns.nn.MultiheadAttention(size, heads, **options).train(training)
    tensors = [ns.ones(*each) if isinstance(each, tuple) else each for each in arguments]
    tensors = tensors * 3 if len(tensors) == 1 else tensors
    with ns.set_grad_enabled(training):
        return module(*tensors, **call)[0].shape


X = (3, 2, 4)
WRONG_MULTIHEAD = {
    "no features": lambda ns: ns.nn.MultiheadAttention(0, 2),
    "no heads": lambda ns: ns.nn.MultiheadAttention(4, 0),
    "heads": lambda ns: ns.nn.MultiheadAttention(4, 3),
    "features": lambda ns: multihead(ns, (3, 2, 5)),
    "rank": lambda ns: multihead(ns, (1, 3, 2, 4)),
    "ranks": lambda ns: multihead(ns, X, (3, 4), (3, 4)),
    "ranks unbatched": lambda ns: multihead(ns, (3, 4), X, X),
    "lengths": lambda ns: multihead(ns, X, X, (4, 2, 4)),
    "lengths, kdim": lambda ns: multihead(ns, X, (3, 2, 5), (4, 2, 5), kdim=5, vdim=5),
    "key features": lambda ns: multihead(ns, X, (3, 2, 4), (3, 2, 5), kdim=5, vdim=5),
    "dtype": lambda ns: multihead(ns, ns.ones(*X).double()),
    "dtype, batch first": lambda ns: multihead(ns, ns.ones(*X).double(), batch_first=True),
    "hint without mask": lambda ns: multihead(ns, X, is_causal=True),
    "integer mask": lambda ns: multihead(ns, X, attn_mask=ns.ones(3, 3, dtype=ns.int64)),
    "mask shape": lambda ns: multihead(ns, X, attn_mask=ns.ones(3, 4)),
    "3-d mask shape": lambda ns: multihead(ns, X, attn_mask=ns.ones(2, 3, 3)),
    "mask rank": lambda ns: multihead(ns, X, attn_mask=ns.ones(3)),
    "unbatched mask": lambda ns: multihead(ns, (3, 4), attn_mask=ns.ones(1, 3, 3)),
    "padding rank": lambda ns: multihead(ns, X, key_padding_mask=ns.ones(3)),
    "padding rank, unbatched": lambda ns: multihead(ns, (3, 4), key_padding_mask=ns.ones(1, 3)),
    "padding length": lambda ns: multihead(ns, X, key_padding_mask=ns.ones(2, 4)),
    "padding batch": lambda ns: multihead(ns, X, key_padding_mask=ns.ones(3, 3)),
    "inference mask": lambda ns: multihead(
        ns, ns.ones(2, 3, 4), attn_mask=ns.ones(3, 4) > 0, training=False, batch_first=True
    ),
    "inference 3-d mask": lambda ns: multihead(
        ns, ns.ones(2, 3, 4), attn_mask=ns.ones(2, 3, 3) > 0, training=False, batch_first=True
    ),
    "inference padding": lambda ns: multihead(
        ns, ns.ones(2, 3, 4), key_padding_mask=ns.ones(2, 4) > 0, training=False, batch_first=True
    ),
    "inference features": lambda ns: multihead(ns, ns.ones(2, 3, 5), training=False, batch_first=True),
    "dropout": lambda ns: multihead(ns, X, dropout=2.0),
}


@pytest.mark.parametrize("program", WRONG_MULTIHEAD.values(), ids=WRONG_MULTIHEAD.keys())
def test_errors_of_multihead(torch, candidate, program):
    same(torch, candidate, program)
