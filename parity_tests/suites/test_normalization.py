"""Layer, RMS, group, batch, instance and local response norm: values, both derivatives, statistics, options, errors."""

import copy
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same

seeds = st.integers(0, 2**32 - 1)
# Weight and bias; where there is a bias alone, torch fails to differentiate twice.
parameters = st.sampled_from([(False, False), (True, False), (True, True)])
layouts = st.sampled_from(["plain", "transposed", "strided", "expanded"])


def numbers(draw, shape):
    return np.asarray(draw.standard_normal(shape), np.float32)


def laid_out(ns, x, layout):
    """A tensor of x's shape and numbers of x's, in another layout in memory."""
    if layout == "transposed":
        return x.transpose(0, 1).contiguous().transpose(0, 1)
    if layout == "strided":
        return ns.cat([x, x], -1)[..., ::2]
    return x[:1].expand(x.shape) if layout == "expanded" else x


def twice_differentiated(ns, tensor, result, leaves):
    """A result, its gradients, and the gradients of a random combination of these."""
    draw = np.random.default_rng(1)
    cotangent = tensor(numbers(draw, tuple(result.shape)), requires_grad=True)
    first = ns.autograd.grad(result, leaves, cotangent, create_graph=True)
    combination = sum((g * tensor(numbers(draw, tuple(g.shape)))).sum() for g in first)
    second = ns.autograd.grad(combination, [*leaves, cotangent], allow_unused=True)
    return result, first, [each for each in second if each is not None]


@st.composite
def normalized(draw):
    """A shape, how many of its dimensions are normalised, and which parameters there are."""
    shape = draw(st.lists(st.integers(2, 5), min_size=1, max_size=4))
    return shape, draw(st.integers(1, len(shape))), *draw(parameters)


@given(case=normalized(), seed=seeds, eps=st.sampled_from([1e-5, 0.1]))
def test_layer_norm_twice_differentiated(torch, candidate, case, seed, eps):
    shape, dims, scaled, shifted = case
    draw = np.random.default_rng(seed)
    data, weight, bias = numbers(draw, shape), numbers(draw, shape[-dims:]), numbers(draw, shape[-dims:])

    def program(ns, tensor):
        x = tensor(data, requires_grad=True)
        w, b = (
            tensor(each, requires_grad=True) if wanted else None for each, wanted in ((weight, scaled), (bias, shifted))
        )
        result = ns.nn.functional.layer_norm(x, shape[-dims:], w, b, eps)
        return twice_differentiated(ns, tensor, result, [each for each in (x, w, b) if each is not None])

    agree(torch, candidate, program, cancels=True)


@given(case=normalized(), seed=seeds, eps=st.sampled_from([None, 1e-5, 0.1]))
def test_rms_norm_twice_differentiated(torch, candidate, case, seed, eps):
    shape, dims, scaled, _ = case
    draw = np.random.default_rng(seed)
    data, weight = numbers(draw, shape), numbers(draw, shape[-dims:])

    def program(ns, tensor):
        x = tensor(data, requires_grad=True)
        w = tensor(weight, requires_grad=True) if scaled else None
        result = ns.nn.functional.rms_norm(x, shape[-dims:], w, eps)
        return twice_differentiated(ns, tensor, result, [each for each in (x, w) if each is not None])

    agree(torch, candidate, program, cancels=True)


@st.composite
def by_channel(draw):
    """The shape of samples, channels and space, and which parameters there are."""
    space = draw(st.lists(st.integers(1, 4), max_size=3))
    return (draw(st.integers(2, 4)), draw(st.sampled_from([2, 4, 6])), *space), *draw(parameters)


def channelled(ns, tensor, case, seed, apply):
    """`apply(x, weight, bias)` twice differentiated by the input and what parameters there are."""
    shape, scaled, shifted = case
    draw = np.random.default_rng(seed)
    x = tensor(numbers(draw, shape), requires_grad=True)
    w, b = (tensor(numbers(draw, shape[1]), requires_grad=True) if wanted else None for wanted in (scaled, shifted))
    return twice_differentiated(ns, tensor, apply(x, w, b), [each for each in (x, w, b) if each is not None])


@given(case=by_channel(), groups=st.sampled_from([1, 2]), seed=seeds)
def test_group_norm_twice_differentiated(torch, candidate, case, groups, seed):
    def program(ns, tensor):
        return channelled(ns, tensor, case, seed, lambda x, w, b: ns.nn.functional.group_norm(x, groups, w, b, 0.01))

    agree(torch, candidate, program, cancels=True)


@given(case=by_channel(), seed=seeds)
def test_batch_norm_in_training_twice_differentiated(torch, candidate, case, seed):
    def program(ns, tensor):
        norm = ns.nn.functional.batch_norm
        return channelled(ns, tensor, case, seed, lambda x, w, b: norm(x, None, None, w, b, True, 0.1, 0.01))

    agree(torch, candidate, program, cancels=True)


@given(case=by_channel(), seed=seeds)
def test_batch_norm_in_evaluation_twice_differentiated(torch, candidate, case, seed):
    draw = np.random.default_rng(seed)
    mean, var = numbers(draw, case[0][1]), np.float32(draw.random(case[0][1]) + 0.1)

    def program(ns, tensor):
        norm = ns.nn.functional.batch_norm
        return channelled(ns, tensor, case, seed, lambda x, w, b: norm(x, tensor(mean), tensor(var), w, b))

    agree(torch, candidate, program, cancels=True)


@given(case=by_channel().filter(lambda case: math.prod(case[0][2:]) > 1), seed=seeds)
def test_instance_norm_twice_differentiated(torch, candidate, case, seed):
    def program(ns, tensor):
        norm = ns.nn.functional.instance_norm
        return channelled(ns, tensor, case, seed, lambda x, w, b: norm(x, None, None, w, b, eps=0.01))

    agree(torch, candidate, program, cancels=True)


@given(shape=st.lists(st.integers(1, 4), min_size=3, max_size=5), size=st.integers(1, 5), seed=seeds)
def test_local_response_norm_twice_differentiated(torch, candidate, shape, size, seed):
    data = numbers(np.random.default_rng(seed), shape)

    def program(ns, tensor):
        x = tensor(data, requires_grad=True)
        return twice_differentiated(ns, tensor, ns.nn.LocalResponseNorm(size, 0.1, 0.5, 2.0)(x), [x])

    agree(torch, candidate, program)


LAYERS = {
    "LayerNorm": (lambda nn: nn.LayerNorm((6, 4)), (3, 6, 4)),
    "RMSNorm": (lambda nn: nn.RMSNorm(4), (3, 6, 4)),
    "GroupNorm": (lambda nn: nn.GroupNorm(2, 6), (3, 6, 4)),
    "BatchNorm1d": (lambda nn: nn.BatchNorm1d(6), (3, 6, 4)),
    "flat BatchNorm1d": (lambda nn: nn.BatchNorm1d(6), (3, 6)),
    "BatchNorm2d": (lambda nn: nn.BatchNorm2d(6), (3, 6, 4, 2)),
    "BatchNorm3d": (lambda nn: nn.BatchNorm3d(6), (3, 6, 2, 1, 2)),
    "InstanceNorm1d": (lambda nn: nn.InstanceNorm1d(6, affine=True, track_running_stats=True), (3, 6, 4)),
    "InstanceNorm2d": (lambda nn: nn.InstanceNorm2d(6, affine=True), (3, 6, 4, 2)),
    "InstanceNorm3d": (lambda nn: nn.InstanceNorm3d(6), (6, 2, 3, 2)),
    "LocalResponseNorm": (lambda nn: nn.LocalResponseNorm(3), (3, 6, 4)),
}


@pytest.mark.parametrize("make", [layer for layer, _ in LAYERS.values()], ids=LAYERS)
def test_repr_state_and_constants(torch, candidate, make):
    def program(ns):
        layer = make(ns.nn)
        return repr(layer), layer.state_dict(), layer.__constants__, [name for name, _ in layer.named_buffers()]

    same(torch, candidate, program)


@pytest.mark.parametrize(("make", "shape"), LAYERS.values(), ids=LAYERS)
@given(seed=seeds, layout=layouts)
def test_layers_train_and_evaluate(torch, candidate, make, shape, seed, layout):
    data = numbers(np.random.default_rng(seed), (3, *shape))

    def program(ns, tensor):
        layer = make(ns.nn)
        layer = layer.to(tensor(data).dtype)
        results = []
        for step in range(3):
            layer.train(step < 2)
            x = tensor(data[step], requires_grad=True)
            result = layer(laid_out(ns, x, layout))
            result.backward(tensor(numbers(np.random.default_rng(step), shape)))
            results += [result, x.grad, result.is_contiguous()]
        return results, layer.state_dict(), [p.grad for p in layer.parameters()]

    agree(torch, candidate, program, cancels=True)


@pytest.mark.parametrize("momentum", [None, 0.0, 0.1, 0.3, 1.0])
@given(seed=seeds)
def test_running_statistics(torch, candidate, momentum, seed):
    data = numbers(np.random.default_rng(seed), (4, 5, 3, 2)) + 1

    def program(ns, tensor):
        layer = ns.nn.BatchNorm1d(3, momentum=momentum)
        for x in data:
            layer(tensor(x))
        counted, trained = int(layer.num_batches_tracked), dict(layer.state_dict())
        layer.eval()
        evaluated = layer(tensor(data[0]))
        layer.reset_running_stats()
        return counted, copy.deepcopy(trained), evaluated, layer.state_dict()

    agree(torch, candidate, program)


def test_statistics_that_are_not_tracked(torch, candidate):
    def program(ns):
        layer = ns.nn.BatchNorm1d(3, track_running_stats=False)
        x = ns.arange(12.0).view(4, 3)
        layer.eval()
        return layer, layer.running_mean, layer.state_dict(), layer(x).shape

    same(torch, candidate, program)


def test_tracked_no_longer(torch, candidate):
    def program(ns):
        layer = ns.nn.BatchNorm1d(3)
        layer.track_running_stats = False
        layer(ns.arange(12.0).view(4, 3))
        return layer.state_dict()

    same(torch, candidate, program)


def test_old_state_has_no_count(torch, candidate):
    def program(ns):
        layer = ns.nn.BatchNorm1d(2)
        layer(ns.ones(3, 2))
        state = {name: value for name, value in layer.state_dict().items() if name != "num_batches_tracked"}
        return str(layer.load_state_dict(state)), layer.num_batches_tracked

    same(torch, candidate, program)


def test_old_state_has_statistics(torch, candidate):
    def program(ns):
        state = ns.nn.InstanceNorm1d(2, track_running_stats=True).state_dict()
        return ns.nn.InstanceNorm1d(2).load_state_dict(dict(state))

    same(torch, candidate, program)


OPTIONS = {
    "LayerNorm": lambda nn: nn.LayerNorm([2, 3], 1e-3, False),
    "LayerNorm without bias": lambda nn: nn.LayerNorm(3, bias=False),
    "LayerNorm of a Size": lambda nn: nn.LayerNorm(nn.Linear(2, 3).weight.shape),
    "RMSNorm": lambda nn: nn.RMSNorm(3, 1e-3, False),
    "GroupNorm": lambda nn: nn.GroupNorm(1, 2, 1e-3, False),
    "GroupNorm without bias": lambda nn: nn.GroupNorm(1, 2, bias=False),
    "BatchNorm": lambda nn: nn.BatchNorm2d(2, 1e-3, None, False, False),
    "BatchNorm without bias": lambda nn: nn.BatchNorm3d(2, bias=False),
    "InstanceNorm": lambda nn: nn.InstanceNorm3d(2, 1e-3, 0.2, True, True),
    "LocalResponseNorm": lambda nn: nn.LocalResponseNorm(2, 1, 2, 3),
    "uneven groups": lambda nn: nn.GroupNorm(2, 3),
    "no size": lambda nn: nn.LayerNorm(None),
}


@pytest.mark.parametrize("make", OPTIONS.values(), ids=OPTIONS)
def test_options(torch, candidate, make):
    same(torch, candidate, lambda ns: (repr(layer := make(ns.nn)), layer.state_dict()))


def test_double_modules(torch, candidate):
    def program(ns):
        layers = ns.nn.ModuleList([make(ns.nn) for make, _ in LAYERS.values()]).double()
        return {name: str(value.dtype) for name, value in layers.state_dict().items()}

    same(torch, candidate, program)


HALVES = {
    "layer": lambda F, x, w, b: F.layer_norm(x, (8,), w, b),
    "rms": lambda F, x, w, b: F.rms_norm(x, (8,), w),
    "group": lambda F, x, w, b: F.group_norm(x, 2, w, b),
    "batch": lambda F, x, w, b: F.batch_norm(x, None, None, w, b, True),
    "evaluated batch": lambda F, x, w, b: F.batch_norm(x, b.detach(), b.detach() ** 2, w, b),
}


@pytest.mark.filterwarnings("ignore:Mismatch dtype")
@pytest.mark.parametrize("apply", HALVES.values(), ids=HALVES)
@pytest.mark.parametrize("mixed", [False, True])
def test_half_precision(torch, candidate, apply, mixed):
    """Computed in single precision: the results are at most a rounding apart."""
    draw = np.random.default_rng(0)
    arrays = [numbers(draw, shape).astype(np.float16) for shape in ((4, 8), (8,), (8,))]
    arrays[1:] = [each.astype(np.float32 if mixed else np.float16) for each in arrays[1:]]

    def program(ns, tensor):
        x, w, b = (tensor(each, requires_grad=True) for each in arrays)
        result = apply(ns.nn.functional, x, w, b)
        leaves = [x, w] if apply is HALVES["rms"] else [x, w, b]
        gradients = ns.autograd.grad(result, leaves, ns.full_like(x, 0.5))
        return [each.detach() for each in (result, *gradients)]

    agree(torch, candidate, program, coarsest="float16")


EMPTY = {
    "layer": lambda ns, x, w: ns.nn.functional.layer_norm(x, (3,), w, w),
    "rms": lambda ns, x, w: ns.nn.functional.rms_norm(x, (3,), w),
    "group": lambda ns, x, w: ns.nn.functional.group_norm(x, 3, w, w),
    "batch": lambda ns, x, w: ns.nn.functional.batch_norm(x, ns.zeros(3), ns.ones(3), w, w, True),
    "evaluated batch": lambda ns, x, w: ns.nn.functional.batch_norm(x, ns.zeros(3), ns.ones(3), w, w),
    "instance": lambda ns, x, w: ns.nn.functional.instance_norm(x.view(0, 3, 1).expand(0, 3, 2), None, None, w),
    "response": lambda ns, x, w: ns.nn.functional.local_response_norm(x.view(0, 3, 1), 2) * w.view(3, 1),
}


@pytest.mark.parametrize("apply", EMPTY.values(), ids=EMPTY)
def test_empty_batches(torch, candidate, apply):
    def program(ns):
        x, w = ns.zeros(0, 3, requires_grad=True), ns.ones(3, requires_grad=True)
        result = apply(ns, x, w)
        result.sum().backward()
        return result, x.grad, w.grad

    same(torch, candidate, program)


def test_an_empty_batch_leaves_the_statistics(torch, candidate):
    def program(ns):
        layer = ns.nn.BatchNorm1d(3)
        layer(ns.zeros(0, 3))
        return layer.state_dict()

    same(torch, candidate, program)


SPECIAL = [[1.0, math.nan, 2.0, 3.0], [math.inf, 1.0, 2.0, 3.0], [0.0] * 4, [1e5, 1e5 + 1, 1e5 - 1, 1e5]]


@pytest.mark.parametrize("apply", [apply for name, apply in HALVES.items() if name != "evaluated batch"])
def test_not_a_number(torch, candidate, apply):
    data = np.repeat(np.array(SPECIAL, np.float32), 2, axis=1)

    def program(ns):
        x = ns.tensor(data.tolist())
        result = apply(ns.nn.functional, x, ns.ones(8), ns.zeros(8))
        return result.isnan()

    same(torch, candidate, program)


NODES = {
    "layer": lambda F, x: F.layer_norm(x, (4,)),
    "rms": lambda F, x: F.rms_norm(x, (4,)),
    "group": lambda F, x: F.group_norm(x, 1),
    "batch": lambda F, x: F.batch_norm(x, None, None, training=True),
    "instance": lambda F, x: F.instance_norm(x),
    "response": lambda F, x: F.local_response_norm(x, 2),
    "half rms": lambda F, x: F.rms_norm(x.half(), (4,)),
}


@pytest.mark.parametrize("apply", NODES.values(), ids=NODES)
def test_nodes(torch, candidate, apply):
    same(torch, candidate, lambda ns: apply(ns.nn.functional, ns.ones(2, 3, 4, requires_grad=True)).grad_fn.name())


def test_only_what_requires_grad_gets_one(torch, candidate):
    def program(ns):
        F, results = ns.nn.functional, []
        for mask in range(1, 8):
            x, w, b = (
                ns.ones(*size).requires_grad_(bool(mask >> bit & 1)) for bit, size in enumerate(((2, 3), (3,), (3,)))
            )
            for y in (F.layer_norm(x, (3,), w, b), F.group_norm(x, 1, w, b), F.batch_norm(x, None, None, w, b, True)):
                y.sum().backward()
                results.append([each.grad is None for each in (x, w, b)])
                x.grad = w.grad = b.grad = None
        return results

    same(torch, candidate, program)


def test_a_changed_input_is_noticed(torch, candidate):
    def program(ns):
        x = ns.arange(6.0).view(2, 3).requires_grad_() * 1
        y = ns.nn.functional.layer_norm(x, (3,))
        x.add_(1)
        y.sum().backward()

    same(torch, candidate, program)


def test_channels_last_stays(torch, candidate):
    def program(ns):
        x = ns.arange(48.0).view(2, 2, 4, 3).permute(0, 3, 1, 2)
        F = ns.nn.functional
        results = (
            F.batch_norm(x, None, None, training=True),
            F.group_norm(x, 1),
            F.layer_norm(x, (4,)),
            F.instance_norm(x),
        )
        return [each.stride() for each in results]

    same(torch, candidate, program)


COMPILED = {
    **{name: LAYERS[name] for name in LAYERS if name != "InstanceNorm3d"},
    "averaged BatchNorm2d": (lambda nn: nn.BatchNorm2d(6, momentum=None), (3, 6, 4, 2)),
}


@pytest.mark.parametrize(("make", "shape"), COMPILED.values(), ids=COMPILED)
def test_a_compiled_step_equals_eager_bit_for_bit(candidate, make, shape):
    if candidate.__name__ != "minitorch_like":
        pytest.skip("a property of minitorch_like's compiler")
    data = numbers(np.random.default_rng(0), (8, *shape))

    def trained(prepare):
        layer, scale = make(candidate.nn), candidate.nn.Parameter(candidate.ones(shape[-1]))
        optimizer = candidate.optim.SGD([*layer.parameters(), scale], lr=0.01)

        def step(x):
            optimizer.zero_grad()
            loss = layer(x * scale).pow(2).mul(x).sum()
            loss.backward()
            optimizer.step()
            return loss

        run, trace = prepare(step), []
        for index, x in enumerate(data):
            if index == 5 and getattr(layer, "momentum", None):
                layer.momentum = 0.5
            loss = run(candidate.tensor(x))
            state = [each.numpy().tobytes() for each in (loss.detach(), scale.detach(), *layer.state_dict().values())]
            trace.append(state)
        return trace, run

    eager, _ = trained(lambda step: step)
    compiled, run = trained(candidate.compile)
    assert eager == compiled
    assert "8 calls, " in run.explain()
    assert " 0 plans" not in run.explain()
    assert "eager" not in run.explain()
