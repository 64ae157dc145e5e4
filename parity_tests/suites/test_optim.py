"""Optimisers: every step of a run, groups, checkpoints in either direction, hooks, errors."""

import copy
import pickle
import sys
import warnings
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from parity_tests.check import Derived, assert_same, take
from parity_tests.check.snapshot import leaves
from parity_tests.check.tolerance import unit
from parity_tests.suites._programs import run, same

SHAPES = [(), (1,), (4,), (3, 4), (2, 1, 5), (0,), (2, 0), (40,)]
RATES = [1e-3, 0.01, 0.1, 0.5, 1.0]
NAMES = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"]

decay = st.sampled_from([0, 0.01, 0.3])
flag = st.booleans()
betas = st.tuples(st.sampled_from([0.0, 0.3, 0.5, 0.9]), st.sampled_from([0.0, 0.5, 0.99, 0.999]))
eps = st.sampled_from([1e-8, 1e-3])


def options_of(name):
    """Every option that changes the numbers of the optimiser `name`."""
    common = {"lr": st.sampled_from(RATES), "weight_decay": decay, "maximize": flag}
    adam = {"betas": betas, "eps": eps, "amsgrad": flag}
    own = {
        "SGD": {"momentum": st.sampled_from([0, 0.5, 0.9]), "dampening": st.sampled_from([0, 0.2])},
        "Adam": adam | {"decoupled_weight_decay": flag},
        "AdamW": adam,
        "RMSprop": {
            "alpha": st.sampled_from([0.0, 0.4, 0.5, 0.99]),
            "eps": eps,
            "momentum": st.sampled_from([0, 0.9]),
            "centered": flag,
        },
        "Adagrad": {
            "lr_decay": decay,
            "initial_accumulator_value": st.sampled_from([0, 0.5]),
            "eps": eps,
        },
    }
    return st.fixed_dictionaries(common | own[name])


@st.composite
def runs(draw):
    """A run: the optimiser, its options, parameters, and for each step which of them have a gradient."""
    name = draw(st.sampled_from(NAMES))
    options = draw(options_of(name))
    if name == "SGD" and options["momentum"] and not options["dampening"]:
        options["nesterov"] = draw(flag)
    # The variance of one sample: nothing is left but the rounding of its square, whose root may be NaN.
    assume(not (options.get("centered") and options["alpha"] == 0))
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=4))
    steps = draw(st.lists(st.sets(st.integers(0, len(shapes) - 1)), min_size=1, max_size=6))
    return {
        "name": name,
        "options": options,
        "shapes": shapes,
        "with_grad": steps,
        "rates": draw(st.dictionaries(st.integers(0, 5), st.sampled_from(RATES), max_size=2)),
        "scale": draw(st.sampled_from([1.0, 1e-4, 1e4])),
        "seed": draw(st.integers(0, 2**32 - 1)),
    }


class Disturbance:
    """Multiplies by 1 + delta xi what a step starts from: float32's rounding, replayed in float64."""

    def __init__(self, delta, seed):
        self.delta, self.noise = delta, np.random.default_rng(seed)

    def number(self, value):
        return value * (1 + self.delta * self.noise.standard_normal())

    def tensor(self, tensor):
        if tensor is not None and self.delta:
            tensor.numpy()[...] *= 1 + self.delta * self.noise.standard_normal(tuple(tensor.shape))


def play(ns, plan, dtype="float32", disturbance=None):
    """The parameters and the state after every step of `plan`."""
    values = np.random.default_rng(plan["seed"])

    def draw(shape, scale=1.0):
        return ns.from_numpy(np.array(values.standard_normal(shape) * scale, "float32").astype(dtype))

    params = [ns.nn.Parameter(draw(shape)) for shape in plan["shapes"]]
    optimizer = getattr(ns.optim, plan["name"])(params, **plan["options"])
    group = optimizer.param_groups[0]
    history = []
    for index, with_grad in enumerate(plan["with_grad"]):
        for number, param in enumerate(params):
            grad = draw(param.shape, plan["scale"])
            param.grad = grad if number in with_grad else None
        rate = plan["rates"].get(index, group["lr"])
        group["lr"] = rate
        if disturbance:
            group["lr"] = disturbance.number(rate)
            for param in params:
                disturbance.tensor(param.detach())
                disturbance.tensor(param.grad)
                for key, value in optimizer.state.get(param, {}).items():
                    disturbance.tensor(value if key != "step" else None)
        optimizer.step()
        group["lr"] = rate
        history.append(take({"params": params, "saved": optimizer.state_dict()}))
    return history


def judges(torch, plan, dtype="float32"):
    """For each step of `plan` a judge that knows how far the rounding of `dtype` may have carried the numbers."""

    @cache
    def disturbed(delta, seed):
        history = play(torch, plan, "float64", Disturbance(delta, seed))
        return [{path: leaf.value for path, leaf in leaves(step)} for step in history]

    for index in range(len(plan["with_grad"])):
        yield Derived(lambda delta, seed, index=index: disturbed(delta, seed)[index], unit(dtype))


@given(plan=runs())
def test_every_step_of_a_run_agrees(torch, candidate, plan):
    histories = play(torch, plan), play(candidate, plan), judges(torch, plan)
    for expected, actual, judge in zip(*histories, strict=True):
        assert_same(expected, actual, judge=judge)


@pytest.mark.parametrize("name", NAMES)
def test_float64_runs_agree(torch, candidate, name):
    plan = {
        "name": name,
        "options": {"lr": 0.1, "weight_decay": 0.1},
        "shapes": [(3, 2), (2,), ()],
        "with_grad": [{0, 1, 2}, {0, 2}, {0, 1}],
        "rates": {1: 0.01},
        "scale": 1.0,
        "seed": 3,
    }
    histories = play(torch, plan, "float64"), play(candidate, plan, "float64"), judges(torch, plan, "float64")
    for expected, actual, judge in zip(*histories, strict=True):
        assert_same(expected, actual, judge=judge)


# -- one program, both frameworks; the numbers in these are exact -------------------------------------------


def parameter(ns, *values):
    return ns.nn.Parameter(ns.tensor(values or (1.0, 2.0)))


def with_grad(ns, *values):
    param = parameter(ns, *values)
    param.grad = ns.ones_like(param)
    return param


@pytest.mark.parametrize("name", NAMES)
def test_defaults_repr_and_signature(torch, candidate, name):
    def program(ns):
        kind = getattr(ns.optim, name)
        optimizer = kind([{"params": [parameter(ns)]}, {"params": parameter(ns), "lr": 0.5}])
        return repr(optimizer), optimizer.defaults, optimizer.state_dict(), kind.__name__

    same(torch, candidate, program)


@pytest.mark.parametrize("foreach", [None, True, False])
@pytest.mark.parametrize("fused", [None, True, False])
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad"])
def test_implementations_are_accepted(torch, candidate, name, foreach, fused):
    def program(ns):
        param = with_grad(ns)
        optimizer = getattr(ns.optim, name)([param], lr=0.5, foreach=foreach, fused=fused)
        optimizer.step()
        return [round(value, 4) for value in param.tolist()], repr(optimizer)

    same(torch, candidate, program)


def test_options_of_groups_and_a_group_added_later(torch, candidate):
    def program(ns):
        first, second, third = (with_grad(ns) for _ in range(3))
        groups = [{"params": [first]}, {"params": second, "lr": 0.25, "momentum": 0.5}]
        optimizer = ns.optim.SGD(groups, lr=0.5)
        optimizer.step()
        optimizer.add_param_group({"params": [third], "maximize": True})
        optimizer.step()
        optimizer.param_groups[1]["momentum"] = 0
        optimizer.step()
        return first, second, third, optimizer.state_dict(), repr(optimizer)

    same(torch, candidate, program)


def test_names_are_kept(torch, candidate):
    def program(ns):
        net = ns.nn.Sequential(ns.nn.Linear(1, 2), ns.nn.Linear(2, 1))
        optimizer = ns.optim.SGD(net.named_parameters(), lr=0.5)
        other = ns.optim.SGD([{"params": list(net.named_parameters()), "lr": 1.0}])
        plain = ns.optim.SGD(net.parameters())
        saved = optimizer.state_dict()
        other.load_state_dict(saved)
        plain.load_state_dict(saved)
        other.load_state_dict(ns.optim.SGD(net.parameters()).state_dict())
        return saved, repr(optimizer), other.state_dict(), plain.state_dict()

    same(torch, candidate, program)


def test_a_closure_runs_with_gradients_and_its_loss_is_returned(torch, candidate):
    def program(ns):
        param = parameter(ns)
        optimizer = ns.optim.SGD([param], lr=0.25)

        def closure():
            optimizer.zero_grad()
            loss = (param * param).sum()
            loss.backward()
            return loss

        with ns.no_grad():
            losses = [optimizer.step(closure).item(), optimizer.step(closure=closure).item()]
        return losses, param, optimizer.step()

    same(torch, candidate, program)


@pytest.mark.parametrize("set_to_none", [True, False])
def test_zero_grad(torch, candidate, set_to_none):
    def program(ns):
        with_one, without = with_grad(ns), parameter(ns)
        grad = with_one.grad
        ns.optim.SGD([with_one, without]).zero_grad(set_to_none)
        return with_one, without, grad

    same(torch, candidate, program)


def test_a_step_is_a_change_in_place(torch, candidate):
    def program(ns):
        param = parameter(ns)
        loss = (param * param).sum()
        loss.backward(retain_graph=True)
        optimizer = ns.optim.SGD([param], lr=0.5)
        before = param._version
        optimizer.step()
        versions = param._version - before
        return versions, run(ns, lambda _: loss.backward())

    same(torch, candidate, program)


@pytest.mark.parametrize("name", NAMES)
def test_a_learning_rate_may_be_a_tensor(torch, candidate, name):
    def program(ns):
        param, other = with_grad(ns), with_grad(ns)
        rate = ns.tensor(0.5)
        optimizer = getattr(ns.optim, name)([{"params": [param]}, {"params": [other], "lr": ns.tensor([0.25])}], rate)
        optimizer.step()
        rate.fill_(0.125)
        optimizer.step()
        return [round(value, 4) for value in [*param.tolist(), *other.tolist()]], repr(optimizer)

    same(torch, candidate, program)


def test_betas_may_be_tensors(torch, candidate):
    def program(ns):
        param = with_grad(ns)
        optimizer = ns.optim.Adam([param], betas=(ns.tensor(0.5), ns.tensor([0.75])))
        optimizer.step()
        optimizer.step()
        return [round(value, 4) for value in param.tolist()], repr(optimizer)

    same(torch, candidate, program)


def test_infinite_and_missing_numbers_pass_through_silently(torch, candidate):
    def program(ns):
        results = []
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for name in NAMES:
                param = parameter(ns, 1.0, 2.0, 3.0, 0.0)
                param.grad = ns.tensor([float("inf"), float("nan"), -float("inf"), 0.0])
                optimizer = getattr(ns.optim, name)([param], lr=0.5)
                optimizer.step()
                optimizer.step()
                results.append(param)
        return results

    same(torch, candidate, program)


# -- checkpoints --------------------------------------------------------------------------------------------


def carried(value, ns):
    """A state dict of another framework as one of this."""
    if hasattr(value, "numpy"):
        return ns.from_numpy(value.numpy().copy())
    if isinstance(value, dict):
        return {key: carried(each, ns) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(carried(each, ns) for each in value)
    return value


OPTIONS = {
    "SGD": {"lr": 0.5, "momentum": 0.5},
    "Adam": {"lr": 0.5, "amsgrad": True},
    "AdamW": {"lr": 0.5},
    "RMSprop": {"lr": 0.5, "momentum": 0.5, "centered": True},
    "Adagrad": {"lr": 0.5, "lr_decay": 0.5},
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("forth", [True, False], ids=["torch to candidate", "candidate to torch"])
def test_a_run_goes_on_in_the_other_framework(torch, candidate, name, forth):
    source, target = (torch, candidate) if forth else (candidate, torch)

    def advance(ns, optimizer, steps):
        for step in steps:
            for param in optimizer.param_groups[0]["params"]:
                param.grad = ns.full_like(param, 0.5 * step - 1)
            optimizer.step()

    def start(ns, value):
        return getattr(ns.optim, name)([parameter(ns, *value), parameter(ns, 4.0)], **OPTIONS[name])

    sent = start(source, (1.0, -2.0))
    advance(source, sent, range(3))
    values = sent.param_groups[0]["params"][0].tolist()
    received = start(target, values)
    with target.no_grad():
        received.param_groups[0]["params"][1].fill_(sent.param_groups[0]["params"][1].item())
    received.load_state_dict(carried(sent.state_dict(), target))
    assert_same(take(sent.state_dict()), take(received.state_dict()))
    advance(source, sent, range(3, 6))
    advance(target, received, range(3, 6))
    for mine, other in zip(sent.param_groups[0]["params"], received.param_groups[0]["params"], strict=True):
        assert mine.tolist() == other.tolist()


@pytest.mark.parametrize("name", NAMES)
def test_copies_and_pickles(torch, candidate, name):
    def program(ns):
        param = with_grad(ns)
        optimizer = getattr(ns.optim, name)([param], **OPTIONS[name])
        optimizer.step()
        twin = copy.deepcopy(optimizer)
        thawed = pickle.loads(pickle.dumps(optimizer.state_dict()))
        twin.param_groups[0]["params"][0].grad = ns.ones_like(param)
        twin.step()
        steps = [int(each["step"]) for each in twin.state.values() if "step" in each]
        return (
            repr(twin),
            steps,
            list(thawed["state"][0]),
            param.tolist() != twin.param_groups[0]["params"][0].tolist(),
        )

    same(torch, candidate, program)


def test_loading_casts_shares_and_restores_old_step_counts(torch, candidate):
    def program(ns):
        optimizer, single = ns.optim.Adam([with_grad(ns)]), ns.optim.Adam([with_grad(ns)])
        optimizer.step()
        saved = optimizer.state_dict()
        single.load_state_dict(saved)
        shared = single.state_dict()["state"][0]["exp_avg"] is saved["state"][0]["exp_avg"]
        double = ns.optim.Adam([ns.nn.Parameter(ns.ones(2, dtype=ns.float64))])
        double.load_state_dict(saved)
        old = {
            "state": {0: dict(saved["state"][0], step=7), "else": 1},
            "param_groups": saved["param_groups"],
        }
        single.load_state_dict(old)
        return shared, double.state_dict(), single.state_dict()

    same(torch, candidate, program)


def test_misfits_are_refused(torch, candidate):
    def program(ns):
        optimizer = ns.optim.SGD([parameter(ns), parameter(ns)])
        two = ns.optim.SGD([{"params": [parameter(ns)]}, {"params": [parameter(ns)]}])
        one = ns.optim.SGD([parameter(ns)])
        return [run(ns, lambda _, o=o: optimizer.load_state_dict(o.state_dict())) for o in (two, one)]

    same(torch, candidate, program)


def test_the_option_that_makes_it_adamw_survives_loading(torch, candidate):
    def program(ns):
        optimizer = ns.optim.AdamW([parameter(ns)])
        saved = optimizer.state_dict()
        saved["param_groups"][0]["decoupled_weight_decay"] = False
        optimizer.load_state_dict(saved)
        return optimizer.param_groups[0]["decoupled_weight_decay"]

    same(torch, candidate, program)


# -- hooks --------------------------------------------------------------------------------------------------


def test_hooks_of_steps_run_in_order(torch, candidate):
    def program(ns):
        calls = []
        base = sys.modules[ns.optim.Optimizer.__module__]

        def note(name):
            return lambda optimizer, args, kwargs: calls.append((name, type(optimizer).__name__, len(args), kwargs))

        optimizer = ns.optim.SGD([with_grad(ns)], lr=0.5)
        handles = [
            optimizer.register_step_pre_hook(note("pre")),
            optimizer.register_step_post_hook(note("post")),
            base.register_optimizer_step_pre_hook(note("global pre")),
            base.register_optimizer_step_post_hook(note("global post")),
        ]
        optimizer.step()
        optimizer.step(closure=None)
        for handle in handles:
            handle.remove()
        optimizer.step()
        optimizer.register_step_pre_hook(lambda optimizer, args, kwargs: (args, {"closure": lambda: calls.append(1)}))
        optimizer.step()
        return [(*call[:3], list(call[3])) if call != 1 else call for call in calls if call is not None]

    same(torch, candidate, program)


def test_hooks_of_state_dicts(torch, candidate):
    def program(ns):
        calls = []
        optimizer = ns.optim.SGD([parameter(ns)])
        optimizer.register_state_dict_pre_hook(lambda o: calls.append("saving"))
        optimizer.register_state_dict_pre_hook(lambda o: calls.append("saving, first"), prepend=True)
        optimizer.register_state_dict_post_hook(lambda o, saved: {**saved, "extra": 1})
        saved = optimizer.state_dict()
        optimizer.register_load_state_dict_pre_hook(lambda o, saved: calls.append(sorted(saved)))
        optimizer.register_load_state_dict_post_hook(lambda o: calls.append("loaded"))
        optimizer.load_state_dict(saved)
        return calls, saved

    same(torch, candidate, program)


# -- optimisers of the user ---------------------------------------------------------------------------------


def test_a_subclass_of_the_users(torch, candidate):
    def program(ns):
        class SignSGD(ns.optim.Optimizer):
            def __init__(self, params, lr=sys.modules[ns.optim.Optimizer.__module__].required):
                super().__init__(params, {"lr": lr})

            def step(self, closure=None):
                with ns.no_grad():
                    for group in self.param_groups:
                        for param in group["params"]:
                            param.sub_(param.grad.sign() * group["lr"])

        param = with_grad(ns)
        calls = []
        optimizer = SignSGD([param], lr=0.5)
        optimizer.register_step_post_hook(lambda o, args, kwargs: calls.append(len(args)))
        optimizer.step()
        missing = run(ns, lambda ns: SignSGD([parameter(ns)]))
        unfinished = run(ns, lambda ns: ns.optim.Optimizer([parameter(ns)], {}).step())
        return param, calls, repr(optimizer), missing, unfinished

    same(torch, candidate, program)


# -- errors -------------------------------------------------------------------------------------------------

BAD_PARAMS = {
    "nothing": lambda ns: [],
    "an empty generator": lambda ns: (each for each in ()),
    "a tensor": lambda ns: ns.ones(2),
    "an integer tensor": lambda ns: ns.arange(2),
    "a number": lambda ns: 3,
    "numbers": lambda ns: [1.0],
    "None": lambda ns: [None],
    "an array": lambda ns: [np.ones(2)],
    "nested": lambda ns: [[parameter(ns)]],
    "a string": lambda ns: "weights",
    "a mapping": lambda ns: {"weight": parameter(ns)},
    "not a leaf": lambda ns: [parameter(ns) * 2],
    "a set in a group": lambda ns: [{"params": {parameter(ns)}}],
    "no params in a group": lambda ns: [{"lr": 1.0}],
    "names for some": lambda ns: [("weight", parameter(ns)), parameter(ns)],
    "names for some groups": lambda ns: [{"params": [("w", parameter(ns))]}, {"params": [parameter(ns)]}],
    "no names for some groups": lambda ns: [{"params": [parameter(ns)]}, {"params": [("w", parameter(ns))]}],
    "a group after parameters": lambda ns: [parameter(ns), {"params": [parameter(ns)]}],
    "parameters after a group": lambda ns: [{"params": [parameter(ns)]}, parameter(ns)],
    "twice": lambda ns: [{"params": [param]} for param in [parameter(ns)] * 2],
}


@pytest.mark.parametrize("case", BAD_PARAMS)
def test_bad_parameters(torch, candidate, case):
    same(torch, candidate, lambda ns: ns.optim.SGD(BAD_PARAMS[case](ns), lr=0.1))


def test_duplicates_in_a_group_are_warned_of(torch, candidate):
    def program(ns):
        param = parameter(ns)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            optimizer = ns.optim.SGD([param, param, parameter(ns)], lr=0.5)
        param.grad = ns.ones_like(param)
        optimizer.step()
        return [str(each.message) for each in caught], param, optimizer.state_dict()

    same(torch, candidate, program)


BAD_OPTIONS = [
    *((name, {"lr": value}) for name in NAMES for value in (-1, -0.5, float("nan"), "0.1", None)),
    *((name, {"weight_decay": -0.5}) for name in NAMES),
    *((name, {"unknown": 1}) for name in NAMES),
    ("SGD", {"momentum": -1}),
    ("SGD", {"nesterov": True}),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
    *(("Adam", {"betas": betas}) for betas in ((0.9, 1.0), (-0.1, 0.9), (1, 0.9), (0, 0.9), (0.9,), 0.9)),
    ("AdamW", {"betas": (0.9, 2.0)}),
    ("Adam", {"eps": -1.0}),
    ("RMSprop", {"alpha": -1}),
    ("RMSprop", {"momentum": -1}),
    ("RMSprop", {"eps": -1}),
    ("Adagrad", {"lr_decay": -1}),
    ("Adagrad", {"initial_accumulator_value": -1}),
    ("Adagrad", {"eps": -1}),
    *((name, {"fused": True, "foreach": True}) for name in ("SGD", "Adam", "AdamW", "Adagrad")),
    *((name, {"fused": True, "differentiable": True}) for name in ("SGD", "Adam", "AdamW", "Adagrad")),
    *((name, {"capturable": True}) for name in ("Adam", "AdamW", "RMSprop")),
]


@pytest.mark.parametrize(("name", "options"), BAD_OPTIONS, ids=str)
def test_bad_options(torch, candidate, name, options):
    def program(ns):
        param = with_grad(ns)
        getattr(ns.optim, name)([param], **options).step()
        return param.tolist()

    same(torch, candidate, program)


BAD_TENSORS = [
    *((name, lambda ns: {"lr": ns.tensor([0.1, 0.2])}) for name in NAMES),
    *((name, lambda ns: {"lr": ns.tensor(-0.5)}) for name in NAMES),
    ("Adam", lambda ns: {"lr": ns.tensor(0.5), "foreach": True}),
    ("Adam", lambda ns: {"betas": (ns.tensor(0.5), ns.tensor(0.5)), "foreach": True}),
    ("Adam", lambda ns: {"betas": (ns.tensor(0.5), 0.5)}),
    ("Adam", lambda ns: {"betas": (ns.tensor([0.5, 0.5]), ns.tensor(0.5))}),
]


@pytest.mark.parametrize(("name", "options"), BAD_TENSORS, ids=lambda value: value if isinstance(value, str) else "")
def test_bad_tensors_as_options(torch, candidate, name, options):
    same(torch, candidate, lambda ns: repr(getattr(ns.optim, name)([parameter(ns)], **options(ns))))


def test_bad_groups(torch, candidate):
    def program(ns):
        optimizer = ns.optim.SGD([parameter(ns)], lr=0.5)
        held = optimizer.param_groups[0]["params"]
        bad = [[parameter(ns)], {"params": held}, {"params": [1]}, {}]
        return [run(ns, lambda _, group=group: optimizer.add_param_group(group)) for group in bad], repr(optimizer)

    same(torch, candidate, program)
