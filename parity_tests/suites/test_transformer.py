"""Transformers: layers, stacks, both together; masks, the inference path, initial values, warnings, compiled training."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same

seeds = st.integers(0, 2**32 - 1)


def numbers(draw, *shape):
    return np.asarray(draw.standard_normal(shape), np.float32)


def texts(caught):
    """The warnings of the framework, without those that NumPy gives of arithmetic and torch of nested tensors."""
    known = (str(w.message) for w in caught if w.category is not RuntimeWarning)
    return [text for text in known if "nested tensors is in prototype stage" not in text]


def varied(ns, module, seed):
    """`module` with biases and scales that are not all alike."""
    draw = np.random.default_rng(seed)
    with ns.no_grad():
        for parameter in module.parameters():
            if parameter.dim() == 1:
                parameter += ns.tensor((draw.standard_normal(parameter.shape) * 0.3).tolist())
    return module


def trained(tensor, module, out, *inputs):
    """An output, and what a random combination of its elements has for gradients."""
    out.backward(tensor(numbers(np.random.default_rng(1), *out.shape)))
    return out, [p.grad for p in module.parameters()], [x.grad for x in inputs]


def close(torch, candidate, program):
    """`agree` to a few digits, where float64 does not tell how many: torch has no nested tensors of everything."""

    def outcome(ns):
        tensor, *rest = program(ns)
        node = tensor.grad_fn and tensor.grad_fn.name()
        return tensor.detach().numpy().copy(), [tuple(tensor.shape), tensor.stride(), node, *rest]

    (expected, expected_rest), (actual, actual_rest) = outcome(torch), outcome(candidate)
    assert expected_rest == actual_rest
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


LAYER = {
    "norm_first": st.booleans(),
    "batch_first": st.booleans(),
    "bias": st.booleans(),
    "activation": st.sampled_from(["relu", "gelu"]),
    "dropout": st.sampled_from([0.0, 0.2]),
    "layer_norm_eps": st.sampled_from([1e-5, 0.1]),
}
layers = st.fixed_dictionaries(LAYER)


@given(options=layers, seed=seeds, batch=st.sampled_from([0, 2]), training=st.booleans())
def test_encoder_layer(torch, candidate, options, seed, batch, training):
    array = numbers(np.random.default_rng(seed), *((2, 3, 4) if batch else (3, 4)))

    def program(ns, tensor):
        ns.manual_seed(seed)
        layer = varied(ns, ns.nn.TransformerEncoderLayer(4, 2, 5, **options), seed).train(training)
        x = tensor(array, requires_grad=True)
        return trained(tensor, layer, layer(x), x)

    agree(torch, candidate, program, cancels=True)


@given(options=layers, seed=seeds, training=st.booleans(), causal=st.booleans())
def test_decoder_layer(torch, candidate, options, seed, training, causal):
    draw = np.random.default_rng(seed)
    first, second = ((2, 3, 4), (2, 5, 4)) if options["batch_first"] else ((3, 2, 4), (5, 2, 4))
    target, source = numbers(draw, *first), numbers(draw, *second)
    added, padding = numbers(draw, 3, 5), draw.random((2, 5)) > 0.7

    def program(ns, tensor):
        ns.manual_seed(seed)
        layer = varied(ns, ns.nn.TransformerDecoderLayer(4, 2, 5, **options), seed).train(training)
        x, memory = tensor(target, requires_grad=True), tensor(source, requires_grad=True)
        mask = ns.nn.Transformer.generate_square_subsequent_mask(3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out = layer(x, memory, mask, tensor(added), None, ns.tensor(padding.tolist()), tgt_is_causal=causal)
        return trained(tensor, layer, out, x, memory)

    agree(torch, candidate, program, cancels=True)


@given(options=layers, seed=seeds, norms=st.booleans(), masked=st.booleans(), padded=st.booleans())
def test_both_together(torch, candidate, options, seed, norms, masked, padded):
    draw = np.random.default_rng(seed)
    first, second = ((2, 3, 4), (2, 4, 4)) if options["batch_first"] else ((3, 2, 4), (4, 2, 4))
    source, target = numbers(draw, *first), numbers(draw, *second)

    def program(ns, tensor):
        ns.manual_seed(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = ns.nn.Transformer(4, 2, 2, 1, 5, **options)
        src, tgt = tensor(source, requires_grad=True), tensor(target, requires_grad=True)
        mask = model.generate_square_subsequent_mask(4) if masked else None
        padding = ns.tensor([[0.0, 0.0, 1.0], [0.0] * 3]).bool() if padded else None
        out = model(src, tgt, tgt_mask=mask, src_key_padding_mask=padding, memory_key_padding_mask=padding)
        return trained(tensor, model, out, src, tgt)

    agree(torch, candidate, program, cancels=True)


# -- masks and the inference path ------------------------------------------------------------------------------------

CAUSAL = np.triu(np.ones((3, 3)), 1) > 0
MASKS = {
    "none": None,
    "causal": CAUSAL,
    "numbers": np.float32([[0.0, 1.0, -1.0], [0.5, 0.0, 0.2], [0.1, -0.3, 0.0]]),
    "nothing to see": CAUSAL | np.array([[False], [True], [False]]),
    "each head": np.stack([CAUSAL, CAUSAL.T, CAUSAL, ~np.eye(3, dtype=bool)]),
}
PADDING = {
    "none": None,
    "right": np.array([[False, False, True], [False, True, True]]),
    "left": np.array([[True, False, False], [False, False, False]]),
    "all of one": np.array([[False, False, True], [True, True, True]]),
    "no padding": np.zeros((2, 3), bool),
    "numbers": np.float32([[0.0, 0.0, 2.0], [0.0, -1.0, 0.5]]),
}


def given_mask(ns, mask):
    return None if mask is None else ns.tensor(mask.tolist())


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
@pytest.mark.parametrize("padding", PADDING.values(), ids=PADDING.keys())
@given(grad=st.booleans(), training=st.booleans(), norm_first=st.booleans(), causal=st.booleans(), heads=st.just(2))
def test_masks_of_a_layer(torch, candidate, mask, padding, grad, training, norm_first, causal, heads):
    array = numbers(np.random.default_rng(0), 2, 3, 4)

    def program(ns, tensor):
        ns.manual_seed(0)
        layer = ns.nn.TransformerEncoderLayer(4, heads, 5, 0.0, norm_first=norm_first, batch_first=True).train(training)
        varied(ns, layer, 0)
        with warnings.catch_warnings(record=True) as caught, ns.set_grad_enabled(grad):
            warnings.simplefilter("always")
            out = layer(tensor(array), given_mask(ns, mask), given_mask(ns, padding), causal and mask is not None)
        return out, texts(caught)

    agree(torch, candidate, program, cancels=True)


@pytest.mark.parametrize("mask", [None, MASKS["causal"]], ids=["no mask", "causal"])
@pytest.mark.parametrize("padding", PADDING.values(), ids=PADDING.keys())
@given(
    grad=st.booleans(),
    training=st.booleans(),
    nested=st.booleans(),
    check=st.booleans(),
    norm=st.booleans(),
    causal=st.sampled_from([None, False]),
)
def test_masks_of_an_encoder(torch, candidate, mask, padding, grad, training, nested, check, norm, causal):
    """In inference what is padding comes out as zeros: it has been left out, in nested tensors."""
    array = numbers(np.random.default_rng(0), 2, 3, 4)

    def program(ns):
        ns.manual_seed(0)
        layer = ns.nn.TransformerEncoderLayer(4, 2, 5, 0.0, batch_first=True)
        last = ns.nn.LayerNorm(4) if norm else None
        encoder = ns.nn.TransformerEncoder(layer, 2, last, nested, check).train(training)
        varied(ns, encoder, 0)
        with warnings.catch_warnings(record=True) as caught, ns.set_grad_enabled(grad):
            warnings.simplefilter("always")
            out = encoder(ns.tensor(array.tolist()), given_mask(ns, mask), given_mask(ns, padding), causal)
        return out, texts(caught)

    close(torch, candidate, program)


def test_padding_alone(torch, candidate):
    def program(ns):
        encoder = ns.nn.TransformerEncoder(ns.nn.TransformerEncoderLayer(4, 2, 5, batch_first=True), 1).eval()
        with ns.no_grad():
            return encoder(ns.ones(2, 3, 4), src_key_padding_mask=ns.ones(2, 3) > 0)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same(torch, candidate, program)


@given(seed=seeds, where=st.sampled_from(["layer", "attention"]))
def test_hooks_are_called_in_inference(torch, candidate, seed, where):
    array = numbers(np.random.default_rng(seed), 2, 3, 4)

    def program(ns, tensor):
        ns.manual_seed(seed)
        layer = ns.nn.TransformerEncoderLayer(4, 2, 5, batch_first=True).eval()
        seen = []
        hooked = layer if where == "layer" else layer.self_attn
        hooked.register_forward_hook(lambda module, args, out: seen.append(len(args)))
        with ns.no_grad():
            return layer(tensor(array)), seen

    agree(torch, candidate, program, cancels=True)


# -- construction --------------------------------------------------------------------------------------------------------

MODELS = {
    "encoder layer": lambda nn: nn.TransformerEncoderLayer(4, 2, 6),
    "encoder layer, options": lambda nn: nn.TransformerEncoderLayer(
        4, 2, 6, 0.3, nn.functional.gelu, 1e-3, True, True, False
    ),
    "encoder layer, module": lambda nn: nn.TransformerEncoderLayer(4, 2, 6, activation=nn.Tanh()),
    "decoder layer": lambda nn: nn.TransformerDecoderLayer(4, 2, 6, activation="gelu", norm_first=True),
    "encoder": lambda nn: nn.TransformerEncoder(
        nn.TransformerEncoderLayer(4, 2, 6, batch_first=True), 2, nn.LayerNorm(4)
    ),
    "decoder": lambda nn: nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 6), 2),
    "both": lambda nn: nn.Transformer(4, 2, 1, 2, 6, batch_first=True),
    "both without bias": lambda nn: nn.Transformer(4, 2, 1, 1, 6, bias=False, norm_first=True),
    "custom": lambda nn: nn.Transformer(4, 2, 1, 1, 6, custom_encoder=nn.Identity(), custom_decoder=nn.Identity()),
}


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS.keys())
def test_initial_state_and_repr(torch, candidate, make):
    def program(ns):
        ns.manual_seed(5)
        model = make(ns.nn)
        settings = {key: value for key, value in vars(model).items() if isinstance(value, (int, float, bool))}
        names = [name for name, _ in model.named_parameters()]
        clone = copy.deepcopy(model)
        clone.load_state_dict(model.state_dict())
        constants = getattr(type(model), "__constants__", None)
        return repr(clone), names, dict(clone.state_dict()), settings, constants, ns.rand(2)

    same(torch, candidate, program)


def test_a_whole_model_can_be_pickled(torch, candidate):
    def program(ns):
        ns.manual_seed(5)
        layer = ns.nn.TransformerDecoderLayer(4, 2, 6).eval()
        clone = pickle.loads(pickle.dumps(layer))
        return repr(clone), clone.activation is ns.nn.functional.relu, dict(clone.state_dict())

    same(torch, candidate, program)


def test_layers_of_a_stack_are_copies(torch, candidate):
    def program(ns):
        layer = ns.nn.TransformerDecoderLayer(4, 2, 6)
        first, second = ns.nn.TransformerDecoder(layer, 2).layers
        parts = (first.linear1.weight, second.linear1.weight, layer.linear1.weight)
        return parts[0] is parts[1], parts[0] is parts[2], [bool((part == parts[2]).all()) for part in parts]

    same(torch, candidate, program)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"batch_first": True},
        {"batch_first": True, "norm_first": True},
        {"batch_first": True, "bias": False},
        {"batch_first": True, "activation": abs},
        {"batch_first": True, "nhead": 1},
    ],
)
@pytest.mark.parametrize("enable", [True, False])
def test_warnings_of_construction(torch, candidate, options, enable):
    def program(ns):
        layer = ns.nn.TransformerEncoderLayer(4, **{"nhead": 2, **options})
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            encoder = ns.nn.TransformerEncoder(layer, 1, enable_nested_tensor=enable)
            changed = copy.deepcopy(layer)
            changed.norm1.eps = 0.5
            ns.nn.TransformerEncoder(changed, 1)
            ns.nn.TransformerEncoder(ns.nn.Linear(1, 1), 1)
        return encoder.use_nested_tensor, texts(caught)

    same(torch, candidate, program)


@pytest.mark.parametrize("size", [0, 1, 3])
def test_causal_mask(torch, candidate, size):
    def program(ns):
        make = ns.nn.Transformer.generate_square_subsequent_mask
        return make(size), make(sz=size, dtype=ns.float64), make(size, device="cpu")

    same(torch, candidate, program)


def model(ns, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ns.nn.Transformer(4, 2, 1, 1, 6, **options)


def inferring(ns, **arguments):
    layer = ns.nn.TransformerEncoderLayer(4, 2, 5, batch_first=True).eval()
    with ns.no_grad():
        return layer(arguments.pop("x", ns.ones(2, 3, 4)), **arguments)


WRONG = {
    "activation": lambda ns: ns.nn.TransformerEncoderLayer(4, 2, activation="tanh"),
    "heads": lambda ns: ns.nn.TransformerEncoderLayer(4, 3),
    "batch": lambda ns: model(ns)(ns.ones(3, 2, 4), ns.ones(3, 1, 4)),
    "batch first": lambda ns: model(ns, batch_first=True)(ns.ones(3, 2, 4), ns.ones(2, 2, 4)),
    "features": lambda ns: model(ns)(ns.ones(3, 2, 4), ns.ones(3, 2, 5)),
    "no layers": lambda ns: ns.nn.TransformerEncoder(ns.nn.TransformerEncoderLayer(4, 2), 0)(ns.ones(3, 2, 4)),
    "mask": lambda ns: ns.nn.TransformerEncoderLayer(4, 2)(ns.ones(3, 2, 4), ns.ones(3, 4)),
    "integer mask": lambda ns: ns.nn.TransformerEncoderLayer(4, 2)(ns.ones(3, 2, 4), ns.ones(3, 3).long()),
    "integer padding": lambda ns: ns.nn.TransformerEncoderLayer(4, 2)(ns.ones(3, 2, 4), None, ns.ones(2, 3).long()),
    "hint without mask": lambda ns: ns.nn.TransformerEncoderLayer(4, 2)(ns.ones(3, 2, 4), is_causal=True),
    "inference, features": lambda ns: inferring(ns, x=ns.ones(2, 3, 5)),
    "inference, dtype": lambda ns: inferring(ns, x=ns.ones(2, 3, 4).double()),
    "inference, mask": lambda ns: inferring(ns, src_mask=ns.ones(3, 4)),
    "inference, padding": lambda ns: inferring(ns, src_key_padding_mask=ns.ones(2, 4)),
    "size of a mask": lambda ns: ns.nn.Transformer.generate_square_subsequent_mask(-1),
}


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG.keys())
def test_errors(torch, candidate, program):
    same(torch, candidate, program)


# -- compiled training -----------------------------------------------------------------------------------------------


def learner(ns, kind):
    """A small model with attention inside, its optimiser and a training step."""
    ns.manual_seed(1)
    nn = ns.nn
    inner = {
        "encoder": lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, 0.1, batch_first=True), 2),
        "decoder": lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16, 0.1, "gelu", norm_first=True), 1),
        "both": lambda: nn.Transformer(8, 2, 1, 1, 16, batch_first=True),
        "attention": lambda: nn.MultiheadAttention(8, 2, 0.1, add_bias_kv=True, add_zero_attn=True),
    }[kind]()
    parts = nn.ModuleList([nn.Linear(5, 8), inner, nn.Linear(8, 3)])
    optimizer = ns.optim.AdamW(parts.parameters(), lr=1e-2)
    causal = nn.Transformer.generate_square_subsequent_mask(4)

    def inside(x, padding):
        if kind == "encoder":
            return inner(x, causal, padding)
        if kind == "both":
            return inner(x, x, tgt_mask=causal, src_key_padding_mask=padding)
        swapped = x.transpose(0, 1)
        if kind == "decoder":
            return inner(swapped, swapped * 2, causal, memory_key_padding_mask=padding).transpose(0, 1)
        attended, weights = inner(swapped, swapped, swapped, padding)
        return attended.transpose(0, 1) + weights.sum()

    def step(x, target, padding):
        optimizer.zero_grad()
        out = parts[2](inside(parts[0](x), padding))
        loss = nn.functional.cross_entropy(out.reshape(-1, 3), target.reshape(-1))
        loss.backward()
        optimizer.step()
        return loss

    return parts, step


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("kind", ["encoder", "decoder", "both", "attention"])
def test_a_compiled_step_equals_eager_bit_for_bit(candidate, kind):
    if candidate.__name__ != "minitorch_like":
        pytest.skip("of our own compiler")
    traces = []
    for prepare in (lambda step: step, candidate.compile):
        parts, step = learner(candidate, kind)
        run, trace, draw = prepare(step), [], np.random.default_rng(0)
        for _ in range(8):
            x = candidate.tensor(numbers(draw, 2, 4, 5).tolist())
            target = candidate.tensor(draw.integers(0, 3, (2, 4)).tolist())
            padding = candidate.tensor((np.arange(4) >= draw.integers(1, 5, (2, 1))).tolist()).float()
            loss = run(x, target, padding * -1e9)
            trace.append([loss.detach().numpy().copy(), *(p.detach().numpy().copy() for p in parts.parameters())])
        traces.append(trace)
    assert "1 plans" in run.explain()
    assert "eager" not in run.explain()
    for eager, compiled in zip(*traces, strict=True):
        for one, other in zip(eager, compiled, strict=True):
            assert one.tobytes() == other.tobytes()
