"""Learning-rate schedules: every rate bit for bit, alone and combined; checkpoints, warnings, errors."""

import gc
import warnings
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import run, same


def optimizer_of(ns, rates=(0.5,), kind="SGD", **options):
    groups = [{"params": [ns.nn.Parameter(ns.zeros(1))], "lr": rate} for rate in rates]
    return getattr(ns.optim, kind)(groups, **options)


def drive(optimizer, scheduler, steps, **kwargs):
    """What the groups and `get_last_lr` say after each of `steps` epochs."""
    history = [state_of(optimizer, scheduler)]
    for _ in range(steps):
        optimizer.step()
        scheduler.step(**kwargs)
        history.append(state_of(optimizer, scheduler))
    return history


def state_of(optimizer, scheduler):
    groups = [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups]
    return groups, scheduler.get_last_lr()


rates = st.lists(st.sampled_from([0.1, 0.5, 1e-3, 1.0, 3.0]), min_size=1, max_size=2)
gamma = st.sampled_from([0.1, 0.5, 0.97, 1.5])
count = st.integers(1, 7)
factor = st.sampled_from([0.1, 1 / 3, 0.7, 1.0])
lambdas = st.sampled_from([lambda epoch: 0.95**epoch, lambda epoch: 1 / (epoch + 1), lambda epoch: epoch % 3])


def schedule(name, **options):
    return st.tuples(st.just(name), st.fixed_dictionaries({}, optional=options) if options else st.just({}))


def needs(strategy, **required):
    """The options of `strategy` and those that a schedule cannot do without."""
    more = st.fixed_dictionaries(required)
    return st.tuples(strategy, more).map(lambda pair: (pair[0][0], pair[0][1] | pair[1]))


simple = st.one_of(
    needs(schedule("StepLR", gamma=gamma), step_size=count),
    needs(schedule("MultiStepLR", gamma=gamma), milestones=st.lists(st.integers(0, 9), max_size=4)),
    schedule("ConstantLR", factor=factor, total_iters=count),
    schedule("LinearLR", start_factor=factor, end_factor=factor, total_iters=count),
    needs(schedule("ExponentialLR"), gamma=gamma),
    schedule("PolynomialLR", total_iters=count, power=st.sampled_from([0.5, 1.0, 2.0])),
    needs(schedule("CosineAnnealingLR", eta_min=st.sampled_from([0.0, 0.01])), T_max=count),
    needs(schedule("CosineAnnealingWarmRestarts", T_mult=st.integers(1, 3), eta_min=st.just(0.01)), T_0=count),
    needs(schedule("LambdaLR"), lr_lambda=lambdas),
    needs(schedule("MultiplicativeLR"), lr_lambda=lambdas),
)

cyclic = needs(
    schedule(
        "CyclicLR",
        step_size_down=count,
        mode=st.sampled_from(["triangular", "triangular2", "exp_range"]),
        gamma=st.sampled_from([0.9, 1.0]),
        scale_fn=st.sampled_from([None, lambda x: 0.5**x]),
        scale_mode=st.sampled_from(["cycle", "iterations"]),
        base_momentum=st.just(0.7),
        cycle_momentum=st.booleans(),
    ),
    base_lr=st.sampled_from([0.01, 0.1]),
    max_lr=st.sampled_from([0.3, 1.0]),
    step_size_up=count,
)

one_cycle = needs(
    schedule(
        "OneCycleLR",
        pct_start=st.sampled_from([0.2, 0.3, 0.5]),
        anneal_strategy=st.sampled_from(["cos", "linear"]),
        cycle_momentum=st.booleans(),
        div_factor=st.sampled_from([10.0, 25]),
        final_div_factor=st.sampled_from([100.0, 1e4]),
        three_phase=st.booleans(),
    ),
    max_lr=st.sampled_from([0.3, 1.0]),
    total_steps=st.integers(11, 20),
)


def make(ns, optimizer, name, options):
    return getattr(ns.optim.lr_scheduler, name)(optimizer, **options)


@given(rates=rates, plan=simple)
def test_every_rate_of_a_schedule_agrees(torch, candidate, rates, plan):
    def program(ns):
        optimizer = optimizer_of(ns, rates)
        return drive(optimizer, make(ns, optimizer, *plan), 10)

    same(torch, candidate, program)


@given(rates=rates, plan=st.one_of(cyclic, one_cycle), kind=st.sampled_from(["SGD", "Adam"]))
def test_cycles_move_momentum_too(torch, candidate, rates, plan, kind):
    def program(ns):
        optimizer = optimizer_of(ns, rates, kind)
        return drive(optimizer, make(ns, optimizer, *plan), 10)

    same(torch, candidate, program)


@given(rates=rates, plans=st.lists(simple, min_size=1, max_size=3), gaps=st.lists(count, min_size=2, max_size=2))
def test_schedules_in_sequence_and_in_chains(torch, candidate, rates, plans, gaps):
    def program(ns):
        results = []
        for chained in (False, True):
            optimizer = optimizer_of(ns, rates)
            parts = [make(ns, optimizer, *plan) for plan in plans]
            lib = ns.optim.lr_scheduler
            if chained:
                whole = lib.ChainedScheduler(parts, optimizer)
            else:
                milestones = [gaps[0], gaps[0] + gaps[1]][: len(parts) - 1]
                whole = lib.SequentialLR(optimizer, parts, milestones)
            results.append(drive(optimizer, whole, 10))
        return results

    same(torch, candidate, program)


@given(plan=simple, epochs=st.lists(st.integers(0, 12), min_size=1, max_size=5))
def test_epochs_given_by_number_use_the_closed_form(torch, candidate, plan, epochs):
    def program(ns):
        optimizer = optimizer_of(ns, (0.5, 0.1))
        scheduler = make(ns, optimizer, *plan)
        history = []
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for epoch in epochs:
                optimizer.step()
                scheduler.step(epoch)
                history.append(state_of(optimizer, scheduler))
        return history, [str(each.message) for each in caught]

    same(torch, candidate, program)


plateau = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["min", "max"]),
        "factor": st.sampled_from([0.1, 0.5]),
        "patience": st.integers(0, 3),
        "threshold": st.sampled_from([1e-4, 0.1]),
        "threshold_mode": st.sampled_from(["rel", "abs"]),
        "cooldown": st.integers(0, 2),
        "min_lr": st.sampled_from([0, 0.05, [0.1, 0.2]]),
        "eps": st.sampled_from([1e-8, 0.05]),
    },
)


@given(options=plateau, metrics=st.lists(st.sampled_from([0.5, 0.9, 1.0, 1.05, -1.0, float("nan")]), max_size=15))
def test_plateaus(torch, candidate, options, metrics):
    def program(ns):
        optimizer = optimizer_of(ns, (0.5, 0.25))
        scheduler = ns.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
        history = []
        for metric in metrics:
            optimizer.step()
            scheduler.step(ns.tensor(metric))
            history.append((state_of(optimizer, scheduler), scheduler.state_dict()))
        return history

    same(torch, candidate, program)


def test_a_learning_rate_that_is_a_tensor_is_changed_in_place(torch, candidate):
    def program(ns):
        history = []
        for name, options in (
            ("StepLR", {"step_size": 1, "gamma": 0.5}),
            ("ExponentialLR", {"gamma": 0.5}),
            ("LambdaLR", {"lr_lambda": lambda epoch: 0.5**epoch}),
            ("ConstantLR", {"factor": 0.5, "total_iters": 2}),
        ):
            rate = ns.tensor(0.5)
            optimizer = ns.optim.SGD([ns.nn.Parameter(ns.zeros(1))], lr=rate)
            scheduler = make(ns, optimizer, name, options)
            history.append(drive(optimizer, scheduler, 3))
            history.append((rate.item(), optimizer.param_groups[0]["lr"] is rate))
        return history

    same(torch, candidate, program)


# -- checkpoints --------------------------------------------------------------------------------------------


@given(plan=st.one_of(simple, cyclic, one_cycle), forth=st.booleans(), before=st.integers(0, 5))
def test_a_schedule_goes_on_in_the_other_framework(torch, candidate, plan, forth, before):
    source, target = (torch, candidate) if forth else (candidate, torch)
    first, second = optimizer_of(source), optimizer_of(target)
    sent = make(source, first, *plan)
    drive(first, sent, before)
    received = make(target, second, *plan)
    saved = sent.state_dict()
    assert list(saved) == list(make(target, optimizer_of(target), *plan).state_dict())
    received.load_state_dict(dict(saved))
    for mine, other in zip(second.param_groups, first.param_groups, strict=True):
        mine.update({key: value for key, value in other.items() if key != "params"})
    assert repr(drive(first, sent, 4)) == repr(drive(second, received, 4))


def test_state_dicts_of_combined_schedules(torch, candidate):
    def program(ns):
        lib = ns.optim.lr_scheduler
        results = []
        for chained in (False, True):
            optimizer = optimizer_of(ns)
            parts = [lib.LinearLR(optimizer, total_iters=3), lib.ExponentialLR(optimizer, 0.5)]
            whole = lib.ChainedScheduler(parts) if chained else lib.SequentialLR(optimizer, parts, [2])
            drive(optimizer, whole, 4)
            saved = whole.state_dict()
            whole.load_state_dict(saved)
            results.append((saved, drive(optimizer, whole, 2)))
        return results

    same(torch, candidate, program)


def test_attributes_of_callable_objects_are_saved(torch, candidate):
    class Decay:
        def __init__(self, rate):
            self.rate = rate

        def __call__(self, x):
            return self.rate**x

    def program(ns):
        lib = ns.optim.lr_scheduler
        optimizer = optimizer_of(ns)
        makers = [
            lambda rate: lib.LambdaLR(optimizer, Decay(rate)),
            lambda rate: lib.MultiplicativeLR(optimizer, Decay(rate)),
            lambda rate: lib.CyclicLR(optimizer, 0.1, 1.0, scale_fn=Decay(rate), cycle_momentum=False),
        ]
        results = []
        for maker in makers:
            saved = maker(0.5).state_dict()
            other = maker(0.9)
            other.load_state_dict(dict(saved))
            results.append((saved, drive(optimizer, other, 3)))
        return results

    same(torch, candidate, program)


def test_resuming_takes_the_initial_rates_from_the_groups(torch, candidate):
    def program(ns):
        optimizer = optimizer_of(ns)
        missing = run(ns, lambda ns: ns.optim.lr_scheduler.StepLR(optimizer, 2, last_epoch=3))
        optimizer.param_groups[0]["initial_lr"] = 1.0
        resumed = [
            ns.optim.lr_scheduler.StepLR(optimizer, 2, last_epoch=3),
            ns.optim.lr_scheduler.CosineAnnealingLR(optimizer, 5, last_epoch=2),
            ns.optim.lr_scheduler.LinearLR(optimizer, last_epoch=2),
        ]
        return missing, [(drive(optimizer, each, 3), each.state_dict()) for each in resumed]

    same(torch, candidate, program)


# -- warnings and errors ------------------------------------------------------------------------------------


def warned(function):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function()
    return [(each.category.__name__, str(each.message)) for each in caught]


def test_warnings(torch, candidate):
    def program(ns):
        def early():
            scheduler.step()
            scheduler.step()

        optimizer = optimizer_of(ns)
        scheduler = ns.optim.lr_scheduler.StepLR(optimizer, 1)
        results = [warned(early), warned(scheduler.get_lr)]
        optimizer = optimizer_of(ns)
        scheduler = ns.optim.lr_scheduler.StepLR(optimizer, 1)
        optimizer.step = lambda: None
        results.append(warned(scheduler.step))
        plateau = ns.optim.lr_scheduler.ReduceLROnPlateau(optimizer_of(ns))
        results.append(warned(lambda: plateau.step(1.0, 3)))
        return results

    same(torch, candidate, program)


ERRORS = {
    "no optimizer": lambda ns, lib, o: lib.StepLR("sgd", 1),
    "no optimizer, plateau": lambda ns, lib, o: lib.ReduceLROnPlateau(None),
    "no optimizer, cyclic": lambda ns, lib, o: lib.CyclicLR(1, 0.1, 1.0),
    "no optimizer, one cycle": lambda ns, lib, o: lib.OneCycleLR(1, 0.1, 10),
    "lambdas": lambda ns, lib, o: lib.LambdaLR(o, [abs, abs]),
    "lambda is no function": lambda ns, lib, o: lib.MultiplicativeLR(o, 3),
    "constant factor": lambda ns, lib, o: lib.ConstantLR(o, factor=2),
    "start factor": lambda ns, lib, o: lib.LinearLR(o, start_factor=0),
    "end factor": lambda ns, lib, o: lib.LinearLR(o, end_factor=-1),
    "T_0": lambda ns, lib, o: lib.CosineAnnealingWarmRestarts(o, 0),
    "T_0 type": lambda ns, lib, o: lib.CosineAnnealingWarmRestarts(o, 1.5),
    "T_mult": lambda ns, lib, o: lib.CosineAnnealingWarmRestarts(o, 1, 0),
    "eta_min": lambda ns, lib, o: lib.CosineAnnealingWarmRestarts(o, 1, 1, "0"),
    "negative epoch": lambda ns, lib, o: lib.CosineAnnealingWarmRestarts(o, 1).step(-1),
    "T_max": lambda ns, lib, o: lib.CosineAnnealingLR(o, 0).step(),
    "plateau factor": lambda ns, lib, o: lib.ReduceLROnPlateau(o, factor=1.0),
    "plateau mode": lambda ns, lib, o: lib.ReduceLROnPlateau(o, "average"),
    "plateau threshold mode": lambda ns, lib, o: lib.ReduceLROnPlateau(o, threshold_mode="x"),
    "plateau min_lr": lambda ns, lib, o: lib.ReduceLROnPlateau(o, min_lr=[1, 2]),
    "plateau metric": lambda ns, lib, o: lib.ReduceLROnPlateau(o).step("good"),
    "cyclic mode": lambda ns, lib, o: lib.CyclicLR(o, 0.1, 1.0, mode="square"),
    "cyclic rates": lambda ns, lib, o: lib.CyclicLR(o, [0.1, 0.2], 1.0),
    "cyclic without momentum": lambda ns, lib, o: lib.CyclicLR(optimizer_of(ns, kind="Adagrad"), 0.1, 1.0),
    "one cycle without length": lambda ns, lib, o: lib.OneCycleLR(o, 1.0),
    "one cycle, epochs only": lambda ns, lib, o: lib.OneCycleLR(o, 1.0, epochs=2),
    "one cycle, total": lambda ns, lib, o: lib.OneCycleLR(o, 1.0, total_steps=0),
    "one cycle, total type": lambda ns, lib, o: lib.OneCycleLR(o, 1.0, total_steps=2.5),
    "one cycle, epochs": lambda ns, lib, o: lib.OneCycleLR(o, 1.0, epochs=0, steps_per_epoch=1),
    "one cycle, steps": lambda ns, lib, o: lib.OneCycleLR(o, 1.0, epochs=1, steps_per_epoch=-1),
    "one cycle, pct_start": lambda ns, lib, o: lib.OneCycleLR(o, 1.0, 5, pct_start=2.0),
    "one cycle, pct_start type": lambda ns, lib, o: lib.OneCycleLR(o, 1.0, 5, pct_start=1),
    "one cycle, strategy": lambda ns, lib, o: lib.OneCycleLR(o, 1.0, 5, anneal_strategy="quadratic"),
    "one cycle without momentum": lambda ns, lib, o: lib.OneCycleLR(optimizer_of(ns, kind="Adagrad"), 1.0, 5),
    "one cycle, too long": lambda ns, lib, o: [each.step() for each in [lib.OneCycleLR(o, 1.0, 2)] for _ in range(3)],
    "nothing in sequence": lambda ns, lib, o: lib.SequentialLR(o, [], []),
    "nothing chained": lambda ns, lib, o: lib.ChainedScheduler([]),
    "milestones": lambda ns, lib, o: lib.SequentialLR(o, [lib.StepLR(o, 1)], [1]),
    "not a schedule": lambda ns, lib, o: lib.SequentialLR(o, [3], []),
    "plateau in sequence": lambda ns, lib, o: lib.SequentialLR(o, [lib.ReduceLROnPlateau(o)], []),
    "another optimizer": lambda ns, lib, o: lib.SequentialLR(o, [lib.StepLR(optimizer_of(ns), 1)], []),
    "another optimizer, chained": lambda ns, lib, o: lib.ChainedScheduler([lib.StepLR(optimizer_of(ns), 1)], o),
    "base class": lambda ns, lib, o: lib.LRScheduler(o),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", ERRORS)
def test_errors(torch, candidate, case):
    same(torch, candidate, lambda ns: ERRORS[case](ns, ns.optim.lr_scheduler, optimizer_of(ns)))


def test_new_groups_after_the_plateau_schedule(torch, candidate):
    def program(ns):
        results = []
        for min_lr in (0.0, [0.0]):
            optimizer = optimizer_of(ns)
            scheduler = ns.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=min_lr)
            optimizer.add_param_group({"params": [ns.nn.Parameter(ns.zeros(1))]})
            scheduler.step(1.0)
            results.append((run(ns, lambda _, s=scheduler: s.step(2.0)), state_of(optimizer, scheduler)))
        return results

    same(torch, candidate, program)


def test_the_optimizer_is_not_kept_alive_by_its_schedule_of_calls(torch, candidate):
    def program(ns):
        gc.disable()
        try:
            optimizer = optimizer_of(ns)
            scheduler = ns.optim.lr_scheduler.StepLR(optimizer, 1)
            optimizer.step()
            alive = weakref.ref(optimizer)
            del optimizer, scheduler
            return alive() is None
        finally:
            gc.enable()

    same(torch, candidate, program)
