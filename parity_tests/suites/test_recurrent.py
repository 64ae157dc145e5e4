"""Recurrent layers and cells: values and gradients with every option, dropout's random stream, errors, state."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same

LAYERS = ["RNN", "LSTM", "GRU"]
CELLS = ["RNNCell", "LSTMCell", "GRUCell"]
I, H, P = 3, 4, 2  # noqa: E741 -- the sizes of the input, of the hidden state, and of its projection

seeds = st.integers(0, 2**32 - 1)
small = st.integers(1, 3)
dtypes = st.sampled_from(["float32", "float64"])
options = st.fixed_dictionaries(
    {
        "num_layers": st.integers(1, 2),
        "bias": st.booleans(),
        "batch_first": st.booleans(),
        "bidirectional": st.booleans(),
        "dtype": dtypes,
    }
)


class Draw:
    """Standard normal numbers, made into tensors of one framework."""

    def __init__(self, tensor, seed, dtype):
        self.tensor, self.random, self.dtype = tensor, np.random.default_rng(seed), dtype

    def __call__(self, *shape, requires_grad=False):
        return self.tensor(self.random.standard_normal(shape).astype(self.dtype), requires_grad)

    def fill(self, module):
        """`module` with parameters of its own, for their initialisation differs from dtype to dtype."""
        for parameter in module.parameters():
            parameter.data = self(*parameter.shape)
        return module


def flat(results):
    """The tensors in nested tuples."""
    return [leaf for each in results for leaf in (flat(each) if isinstance(each, tuple) else [each])]


def differentiated(draw, results, leaves):
    """Results, and on the leaves the gradients of a random combination of their elements."""
    loss = sum((each * draw(*each.shape)).sum() for each in results)
    loss.backward()
    return *results, *(leaf.grad for leaf in leaves)


def layer(ns, draw, kind, dtype, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = getattr(ns.nn, kind)(I, H, **kwargs)
    return draw.fill(module.double() if dtype == "float64" else module)


def states(draw, kind, *shape, size=H):
    """An initial state: a pair for an LSTM, of which the first may be projected to another size."""
    h = draw(*shape, size, requires_grad=True)
    return (h, draw(*shape, H, requires_grad=True)) if kind.startswith("LSTM") else h


@pytest.mark.parametrize("kind", [*LAYERS, "RNN relu"])
@given(
    options=options, seed=seeds, steps=small, batch=st.integers(0, 4), given_state=st.booleans(), batched=st.booleans()
)
def test_layers(torch, candidate, kind, options, seed, steps, batch, given_state, batched):
    kind, _, nonlinearity = kind.partition(" ")
    extra = {"nonlinearity": nonlinearity} if nonlinearity else {}

    def program(ns, tensor):
        draw = Draw(tensor, seed, options["dtype"])
        module = layer(ns, draw, kind, **options, **extra)
        sizes = (batch, steps) if options["batch_first"] else (steps, batch)
        x = draw(*(sizes if batched else (steps,)), I, requires_grad=True)
        count = options["num_layers"] * (1 + options["bidirectional"])
        hx = states(draw, kind, *((count, batch) if batched else (count,))) if given_state else None
        return differentiated(
            draw, flat(module(x, hx)), [x, *(flat([hx]) if given_state else []), *module.parameters()]
        )

    agree(torch, candidate, program)


@given(options=options, seed=seeds, steps=small, batch=small)
def test_projections(torch, candidate, options, seed, steps, batch):
    def program(ns, tensor):
        draw = Draw(tensor, seed, options["dtype"])
        module = layer(ns, draw, "LSTM", **options, proj_size=P)
        x = draw(*((batch, steps) if options["batch_first"] else (steps, batch)), I, requires_grad=True)
        hx = states(draw, "LSTM", options["num_layers"] * (1 + options["bidirectional"]), batch, size=P)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of oneDNN, which has no projections
            return differentiated(draw, flat(module(x, hx)), [x, *hx, *module.parameters()])

    agree(torch, candidate, program)


@pytest.mark.parametrize("kind", CELLS)
@given(
    seed=seeds,
    batch=st.integers(0, 4),
    dtype=dtypes,
    bias=st.booleans(),
    batched=st.booleans(),
    given_state=st.booleans(),
)
def test_cells(torch, candidate, kind, seed, batch, dtype, bias, batched, given_state):
    def program(ns, tensor):
        draw = Draw(tensor, seed, dtype)
        cell = layer(ns, draw, kind, dtype, bias=bias)
        sizes = (batch,) if batched else ()
        x = draw(*sizes, I, requires_grad=True)
        hx = states(draw, kind, *sizes) if given_state else None
        return differentiated(draw, flat([cell(x, hx)]), [x, *(flat([hx]) if given_state else []), *cell.parameters()])

    agree(torch, candidate, program)


@pytest.mark.parametrize("kind", [*LAYERS, *CELLS])
def test_second_derivatives(torch, candidate, kind):
    def program(ns, tensor):
        draw = Draw(tensor, 4, "float64")
        cell = kind.endswith("Cell")
        module = layer(ns, draw, kind, "float64", **({} if cell else {"bidirectional": True}))
        x = draw(2, I, requires_grad=True) if cell else draw(3, 2, I, requires_grad=True)
        hx = states(draw, kind, 2) if cell else states(draw, kind, 2, 2)
        leaves = [x, *flat([hx]), *module.parameters()]
        results = flat([module(x, hx)])
        cotangents = [draw(*each.shape, requires_grad=True) for each in results]
        first = ns.autograd.grad(results, leaves, cotangents, create_graph=True)
        loss = sum((each * draw(*each.shape)).sum() for each in first)
        return ns.autograd.grad(loss, [*leaves, *cotangents])

    agree(torch, candidate, program)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("scale", [10.0, 100.0, 1e4])
@pytest.mark.parametrize("seed", range(3))
def test_saturated_gates(torch, candidate, kind, seed, scale):
    def program(ns, tensor):
        draw = Draw(tensor, seed, "float32")
        module = layer(ns, draw, kind, "float32")
        x = tensor((np.random.default_rng(seed).standard_normal((4, 2, I)) * scale).astype("float32"), True)
        return differentiated(draw, flat(module(x)), [x])

    agree(torch, candidate, program)


@pytest.mark.parametrize("kind", [*LAYERS, "RNN relu"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite(torch, candidate, kind, value):
    kind, _, nonlinearity = kind.partition(" ")

    def program(ns, tensor):
        draw = Draw(tensor, 3, "float32")
        module = layer(ns, draw, kind, "float32", **({"nonlinearity": nonlinearity} if nonlinearity else {}))
        x = np.random.default_rng(0).standard_normal((4, 2, I)).astype("float32")
        x[1, 0, 2] = value
        x = tensor(x, True)
        return differentiated(draw, flat(module(x)), [x, *module.parameters()])

    agree(torch, candidate, program)


@pytest.mark.parametrize("kind", [*LAYERS, *CELLS])
def test_half_precision(torch, candidate, kind):
    def program(ns, tensor):
        draw = Draw(tensor, 6, "float16")
        module = getattr(ns.nn, kind)(I, H)
        module = draw.fill(module if ns.get_default_dtype() == ns.float64 else module.half())
        x = draw(2, I, requires_grad=True) if kind.endswith("Cell") else draw(3, 2, I, requires_grad=True)
        return differentiated(draw, flat([module(x)]), [x, *module.parameters()])

    agree(torch, candidate, program, cancels=True)


@pytest.mark.parametrize("kind", LAYERS)
def test_strided_inputs(torch, candidate, kind):
    def program(ns, tensor):
        draw = Draw(tensor, 7, "float32")
        module = layer(ns, draw, kind, "float32")
        x = draw(2, 6, I, requires_grad=True)
        results = flat(module(x.transpose(0, 1)[::2])) + flat(module(x[:, :1].expand(2, 4, I)))
        return differentiated(draw, results, [x, *module.parameters()])

    agree(torch, candidate, program)


@pytest.mark.parametrize("kind", LAYERS)
@given(seed=seeds, p=st.sampled_from([0.0, 0.3, 0.5, 1.0]), bidirectional=st.booleans(), training=st.booleans())
def test_dropout_draws_torchs_masks(torch, candidate, kind, seed, p, bidirectional, training):
    """Positive weights and no state: of relu's outputs those are zero that have lost their inputs."""

    def program(ns):
        module = ns.nn.RNN(2, 2, 3, "relu", dropout=p, bidirectional=bidirectional).train(training)
        for name, parameter in module.named_parameters():
            parameter.data = ns.ones(*parameter.shape) if name.startswith("weight_ih") else ns.zeros(*parameter.shape)
        ns.manual_seed(seed)
        output, _ = module(ns.ones(4, 3, 2))
        getattr(ns.nn, kind)(2, 2, 2, dropout=p).train(training)(ns.ones(4, 3, 2))
        return output > 0, ns.rand(2)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same(torch, candidate, program)


@pytest.mark.parametrize("kind", LAYERS)
def test_what_the_graph_shows(torch, candidate, kind):
    def program(ns, tensor):
        draw = Draw(tensor, 0, "float32")
        results = []
        for kwargs in (
            {},
            {"batch_first": True},
            {"bidirectional": True},
            {"bidirectional": True, "batch_first": True},
        ):
            module = layer(ns, draw, kind, "float32", **kwargs)
            results += flat(module(draw(3, 2, I))) + flat(module(draw(3, I)))
        return results

    agree(torch, candidate, program)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("frozen", ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"])
def test_frozen_parameters_get_no_gradient(torch, candidate, kind, frozen):
    def program(ns, tensor):
        draw = Draw(tensor, 1, "float32")
        module = layer(ns, draw, kind, "float32")
        getattr(module, frozen).requires_grad_(False)
        module(draw(3, 2, I))[0].sum().backward()
        return [parameter.grad for parameter in module.parameters()]

    agree(torch, candidate, program)


@pytest.mark.parametrize("kind", ["RNN", "GRU"])
def test_outputs_may_be_overwritten(torch, candidate, kind):
    def program(ns, tensor):
        draw = Draw(tensor, 2, "float32")
        module = layer(ns, draw, kind, "float32")
        output, hidden = module(draw(3, 2, I))
        output.mul_(2)
        hidden.zero_()
        output.sum().backward()
        return output, [parameter.grad for parameter in module.parameters()]

    agree(torch, candidate, program)


def test_weights_may_not_be_overwritten(torch, candidate):
    def program(ns):
        module = ns.nn.GRU(I, H)
        output, _ = module(ns.ones(3, 2, I))
        with ns.no_grad():
            module.weight_hh_l0.zero_()
        try:
            output.sum().backward()
        except RuntimeError as error:
            return "modified by an inplace operation" in str(error)

    same(torch, candidate, program)


# -- as functions ------------------------------------------------------------------------------------------------------


def function(ns, name):
    return getattr(ns, name, None) or ns._recurrent.PUBLIC[name]


@pytest.mark.parametrize("name", ["rnn_tanh", "rnn_relu", "lstm", "gru"])
def test_layers_as_functions(torch, candidate, name):
    def program(ns, tensor):
        draw = Draw(tensor, 8, "float32")
        module = layer(ns, draw, {"lstm": "LSTM", "gru": "GRU"}.get(name, "RNN"), "float32", num_layers=2)
        hx = states(draw, name.upper(), 2, 2)
        run, x, params = function(ns, name), draw(3, 2, I), list(module.parameters())
        packed = ns.nn.utils.rnn.pack_padded_sequence(x, [3, 1])
        results = run(x, hx, params, True, 2, 0.0, True, False, False)
        return *results, *run(packed.data, packed.batch_sizes, hx, params, True, 2, 0.0, True, False)

    agree(torch, candidate, program)


@pytest.mark.parametrize("name", ["rnn_tanh_cell", "rnn_relu_cell", "lstm_cell", "gru_cell"])
def test_cells_as_functions(torch, candidate, name):
    def program(ns, tensor):
        draw = Draw(tensor, 9, "float32")
        params = list(
            layer(ns, draw, {"l": "LSTMCell", "g": "GRUCell"}.get(name[0], "RNNCell"), "float32").parameters()
        )
        x, hx, step = draw(2, I), states(draw, name.upper(), 2), function(ns, name)
        return step(x, hx, *params), step(x, hx, w_ih=params[0], w_hh=params[1], b_hh=params[3], b_ih=params[2])

    agree(torch, candidate, program)


WRONG_ARGUMENTS = {
    "nothing": lambda f, x, h: f(),
    "input alone": lambda f, x, h: f(x),
    "no weights": lambda f, x, h: f(x, (h, h)),
    "too much": lambda f, x, h: f(x, (h, h), x, x, x, x, x),
    "number": lambda f, x, h: f(x, (h, h), x, 1.0),
    "three states": lambda f, x, h: f(x, (h, h, h), x, x),
}


@pytest.mark.parametrize("call", WRONG_ARGUMENTS.values(), ids=WRONG_ARGUMENTS.keys())
def test_wrong_arguments(torch, candidate, call):
    same(torch, candidate, lambda ns: call(function(ns, "lstm_cell"), ns.zeros(2, I), ns.zeros(2, H)))


# -- as modules --------------------------------------------------------------------------------------------------------

CONSTRUCTORS = {
    "plain": ((I, H), {}),
    "layers": ((I, H, 3), {"dropout": 0.25, "bidirectional": True}),
    "no bias": ((I, H), {"bias": False, "batch_first": True}),
    "projected": ((I, H), {"proj_size": P, "num_layers": 2, "bidirectional": True}),
    "relu": ((I, H, 2, "relu"), {}),
    "positional": ((I, H, 2, False, True, 0.5, True), {}),
    "positional relu": ((I, H, 2, "relu", False, True, 0.5, True), {}),
    "truthy": ((I, H), {"bidirectional": 1}),
    "dtype": ((I, H), {"dtype": "float64", "device": "cpu"}),
    "dropout in one layer": ((I, H), {"dropout": 0.5}),
    "dropout above 1": ((I, H), {"dropout": 2}),
    "dropout in words": ((I, H), {"dropout": "much"}),
    "dropout as bool": ((I, H), {"dropout": True}),
    "bias as int": ((I, H), {"bias": 1}),
    "batch_first as int": ((I, H), {"batch_first": 1}),
    "no layers": ((I, H), {"num_layers": 0}),
    "half layers": ((I, H), {"num_layers": 1.5}),
    "float input": ((3.0, H), {}),
    "float hidden": ((I, 4.0), {}),
    "no input": ((0, H), {}),
    "no hidden": ((I, 0), {}),
    "negative projection": ((I, H), {"proj_size": -1}),
    "wide projection": ((I, H), {"proj_size": H}),
    "nonlinearity": ((I, H), {"nonlinearity": "sine"}),
    "unknown": ((I, H), {"peephole": True}),
    "mode": ((I, H), {"mode": "LSTM"}),
    "nothing": ((), {}),
}


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize(("args", "kwargs"), CONSTRUCTORS.values(), ids=CONSTRUCTORS.keys())
def test_construction(torch, candidate, kind, args, kwargs):
    """The text, the parameters bit for bit, the warnings, or the error."""

    def program(ns):
        ns.manual_seed(11)
        given = {name: getattr(ns, value) if name == "dtype" else value for name, value in kwargs.items()}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            module = getattr(ns.nn, kind)(*args, **given)
        weights = [len(each) for each in module.all_weights], len(module._flat_weights)
        return repr(module), module.state_dict(), weights, [str(w.message) for w in caught], module.dropout, ns.rand(1)

    same(torch, candidate, program)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("kwargs", [{}, {"bias": False}, {"nonlinearity": "relu"}, {"device": "cpu"}])
def test_construction_of_cells(torch, candidate, kind, kwargs):
    def program(ns):
        ns.manual_seed(12)
        cell = getattr(ns.nn, kind)(I, H, **kwargs)
        return repr(cell), cell.state_dict(), cell.__constants__, repr(getattr(ns.nn, kind)(I, 0)), ns.rand(1)

    same(torch, candidate, program)


@pytest.mark.parametrize("kind", LAYERS)
def test_copies_and_conversions(torch, candidate, kind):
    def program(ns):
        ns.manual_seed(13)
        module = getattr(ns.nn, kind)(I, H, 2)
        twin = pickle.loads(pickle.dumps(copy.deepcopy(module)))
        double = copy.deepcopy(module).double()
        module.flatten_parameters()
        module.weight_ih_l0 = ns.nn.Parameter(ns.zeros(*module.weight_ih_l0.shape))
        return twin, double, module._flat_weights[0], double._flat_weights[-1], module.__constants__

    same(torch, candidate, program)


WRONG_CALLS = {
    "dtype": lambda ns, m, z: m(ns.zeros(5, 2, I, dtype=ns.float64)),
    "integers": lambda ns, m, z: m(ns.zeros(5, 2, I, dtype=ns.int64)),
    "state dtype": lambda ns, m, z: m(ns.zeros(5, 2, I), z(1, 2, H, dtype=ns.float64)),
    "no steps": lambda ns, m, z: m(ns.zeros(0, 2, I)),
    "batch of the state": lambda ns, m, z: m(ns.zeros(5, 2, I), z(1, 3, H)),
    "layers of the state": lambda ns, m, z: m(ns.zeros(5, 2, I), z(2, 2, H)),
    "size of the state": lambda ns, m, z: m(ns.zeros(5, I), z(1, H + 1)),
    "flat state": lambda ns, m, z: m(ns.zeros(5, 2, I), z(2, H)),
    "batched state": lambda ns, m, z: m(ns.zeros(5, I), z(1, 2, H)),
    "4-D": lambda ns, m, z: m(ns.zeros(1, 5, 2, I)),
    "1-D": lambda ns, m, z: m(ns.zeros(I)),
    "features": lambda ns, m, z: m(ns.zeros(5, 2, I + 1)),
    "list": lambda ns, m, z: m([1.0]),
    "one state": lambda ns, m, z: m(ns.zeros(5, 2, I), ns.zeros(2, 2, H)),
    "three states": lambda ns, m, z: m(ns.zeros(5, 2, I), (ns.zeros(1, 2, H),) * 3),
    "two states": lambda ns, m, z: m(ns.zeros(5, 2, I), [ns.zeros(1, 2, H)] * 2),
}


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("call", WRONG_CALLS.values(), ids=WRONG_CALLS.keys())
def test_wrong_calls(torch, candidate, kind, call):
    def program(ns):
        def zeros(*size, **kwargs):
            return (ns.zeros(*size, **kwargs),) * 2 if kind == "LSTM" else ns.zeros(*size, **kwargs)

        ns.manual_seed(0)
        return [tuple(each.shape) for each in flat([call(ns, getattr(ns.nn, kind)(I, H), zeros)])]

    same(torch, candidate, program)


@pytest.mark.parametrize("kind", ["RNN", "GRU"])
@pytest.mark.parametrize(
    ("name", "shape", "dtype"),
    [("weight_hh_l0", (3, 4), "float32"), ("bias_hh_l0", (3,), "float32"), ("weight_hh_l0", None, "float64")],
)
def test_weights_that_do_not_fit(torch, candidate, kind, name, shape, dtype):
    def program(ns):
        module = getattr(ns.nn, kind)(I, H)
        sizes = shape or tuple(getattr(module, name).shape)
        setattr(module, name, ns.nn.Parameter(ns.zeros(*sizes, dtype=getattr(ns, dtype))))
        return module(ns.zeros(5, 2, I))

    same(torch, candidate, program)


WRONG_STEPS = {
    "3-D": lambda ns, m, z: m(ns.zeros(5, 2, I)),
    "0-D": lambda ns, m, z: m(ns.zeros(())),
    "3-D state": lambda ns, m, z: m(ns.zeros(2, I), z(1, 2, H)),
    "features": lambda ns, m, z: m(ns.zeros(2, I + 1)),
    "size of the state": lambda ns, m, z: m(ns.zeros(2, I), z(2, H + 1)),
    "batch of the state": lambda ns, m, z: m(ns.zeros(2, I), z(3, H)),
    "1-D state": lambda ns, m, z: m(ns.zeros(2, I), z(H)),
    "2-D state": lambda ns, m, z: m(ns.zeros(I), z(1, H)),
    "dtype": lambda ns, m, z: m(ns.zeros(2, I, dtype=ns.float64)),
    "state dtype": lambda ns, m, z: m(ns.zeros(2, I), z(2, H, dtype=ns.float64)),
    "one state": lambda ns, m, z: m(ns.zeros(2, I), ns.zeros(2, H)).shape,
}


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("call", WRONG_STEPS.values(), ids=WRONG_STEPS.keys())
def test_wrong_steps(torch, candidate, kind, call):
    def program(ns):
        def zeros(*size, **kwargs):
            return (ns.zeros(*size, **kwargs),) * 2 if kind == "LSTMCell" else ns.zeros(*size, **kwargs)

        return call(ns, getattr(ns.nn, kind)(I, H), zeros)

    same(torch, candidate, program)


def test_an_unknown_nonlinearity_shows_when_called(torch, candidate):
    same(torch, candidate, lambda ns: ns.nn.RNNCell(I, H, nonlinearity="sine")(ns.zeros(2, I)))


# -- compiled ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*LAYERS, "RNN relu"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_compiled_step_is_the_eager_one(candidate, kind, bidirectional):
    kind, _, nonlinearity = kind.partition(" ")
    extra = {"nonlinearity": nonlinearity} if nonlinearity else {}
    if candidate.__name__ != "minitorch_like":
        pytest.skip("replay bit for bit is a promise of minitorch_like")
    traces = []
    for prepare in (lambda step: step, candidate.compile):
        candidate.manual_seed(5)
        module = getattr(candidate.nn, kind)(I, H, 2, dropout=0.25, bidirectional=bidirectional, **extra)
        optimizer = candidate.optim.Adam(module.parameters(), lr=0.01)

        def step(x, module=module, optimizer=optimizer):
            optimizer.zero_grad()
            loss = module(x)[0].square().sum()
            loss.backward()
            optimizer.step()
            return loss

        run = prepare(step)
        traces.append([])
        for _ in range(8):
            loss = run(candidate.randn(5, 2, I))
            traces[-1] += [each.detach().numpy().tobytes() for each in (loss, *module.parameters())]
    assert traces[0] == traces[1]
    assert "8 calls, 1 plans" in run.explain()
