"""Hooks of modules: which run, in which order, with which arguments, and what they change."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import run, same

registrations = st.lists(
    st.tuples(
        st.sampled_from(["pre", "post"]),
        st.sampled_from(["log", "replace", "raise", "wrong"]),
        st.booleans(),  # prepend
        st.booleans(),  # with_kwargs
        st.booleans(),  # always_call
        st.booleans(),  # removed before the call
    ),
    max_size=5,
)


def shown(value):
    """Arguments of a hook as plain data."""
    if isinstance(value, (tuple, list)):
        return tuple(map(shown, value))
    if isinstance(value, dict):
        return {k: shown(v) for k, v in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


@given(registrations=registrations, fails=st.booleans())
def test_forward_hooks(torch, candidate, registrations, fails):
    def program(ns):
        log = []

        class Net(ns.nn.Module):
            def forward(self, x, *, scale=1.0):
                log.append(("forward", shown(x), scale))
                if fails:
                    raise RuntimeError("forward failed")
                return x * scale

        def hook(number, kind, does, with_kwargs):
            def run_hook(module, args, *rest):
                log.append((number, kind, type(module).__name__, shown(args), shown(rest)))
                if does == "raise":
                    raise ValueError(f"hook {number} failed")
                if does == "log":
                    return None
                if kind == "post":
                    return rest[-1] + number if does == "replace" else "odd"
                if does == "wrong":
                    return "odd" if with_kwargs else None
                new = args[0] * 2
                return ((new,), {"scale": float(number)}) if with_kwargs else new

            return run_hook

        net = Net()
        for number, (kind, does, prepend, with_kwargs, always_call, removed) in enumerate(registrations):
            function = hook(number, kind, does, with_kwargs)
            if kind == "pre":
                handle = net.register_forward_pre_hook(function, prepend=prepend, with_kwargs=with_kwargs)
            else:
                handle = net.register_forward_hook(
                    function, prepend=prepend, with_kwargs=with_kwargs, always_call=always_call
                )
            if removed:
                handle.remove()
                handle.remove()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = run(ns, lambda ns: net(ns.ones(2), scale=3.0))
        return log, result, [str(w.message) for w in caught]

    same(torch, candidate, program)


def test_a_handle_removes_its_hook_at_the_end_of_a_block(torch, candidate):
    def program(ns):
        log = []
        module = ns.nn.Identity()
        with module.register_forward_hook(lambda m, args, out: log.append(out)):
            module(1)
        module(2)
        return log

    same(torch, candidate, program)


def test_hooks_on_every_module(torch, candidate):
    def program(ns):
        log = []
        module = ns.nn.Sequential(ns.nn.ReLU(), ns.nn.Tanh())
        hooks = ns.nn.modules.module
        module[1].register_forward_pre_hook(lambda m, args: log.append("own pre"))
        module[1].register_forward_hook(lambda m, args, out: log.append("own"))
        handles = [
            hooks.register_module_forward_pre_hook(lambda m, args: log.append(("pre", type(m).__name__))),
            hooks.register_module_forward_hook(lambda m, args, out: log.append(("post", type(m).__name__))),
            hooks.register_module_forward_hook(
                lambda m, args, kwargs, out: log.append(kwargs), with_kwargs=True, always_call=True
            ),
        ]
        try:
            module(ns.zeros(1))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch gives the last hook too few arguments here
                run(ns, lambda ns: module[0](3))
        finally:
            for handle in handles:
                handle.remove()
        module(ns.zeros(1))
        return log

    same(torch, candidate, program)


@pytest.mark.parametrize("kind", ["buffer", "module", "parameter"])
def test_hooks_on_every_registration(torch, candidate, kind):
    def program(ns):
        log = []
        values = {"buffer": ns.zeros(1), "module": ns.nn.Tanh(), "parameter": ns.nn.Parameter(ns.zeros(1))}
        other = {"buffer": ns.ones(2), "module": ns.nn.Sigmoid(), "parameter": ns.nn.Parameter(ns.ones(3))}

        def hook(module, name, value):
            log.append((name, type(value).__name__))
            return other[kind] if name == "x" else None

        handle = getattr(ns.nn.modules.module, f"register_module_{kind}_registration_hook")(hook)
        try:
            module = ns.nn.Module()
            for name in ("x", "y"):
                register = {"buffer": module.register_buffer, "module": module.add_module}
                register.get(kind, module.register_parameter)(name, values[kind])
                setattr(module, name, values[kind])
        finally:
            handle.remove()
        return log, module.x is other[kind], module.y is values[kind]

    same(torch, candidate, program)


# Backward hooks

backward_hooks = st.lists(
    st.tuples(
        st.sampled_from(["before", "after"]),
        st.sampled_from(["log", "scale", "short"]),
        st.booleans(),  # prepend
    ),
    min_size=1,
    max_size=3,
)


@given(
    hooks=backward_hooks,
    trained=st.lists(st.booleans(), min_size=2, max_size=2),
    used=st.lists(st.integers(0, 2), min_size=1, max_size=3),
    create_graph=st.booleans(),
)
def test_backward_hooks(torch, candidate, hooks, trained, used, create_graph):
    """Two tensors and a number go in, three outputs and a number come out, of which some are used."""

    def program(ns):
        log = []

        class Net(ns.nn.Module):
            def forward(self, a, scale, b):
                return a * scale, scale, b.detach() + 1, a + b, b

        def hook(number, when, does):
            def run_hook(module, *gradients):
                log.append((number, type(module).__name__, *map(shown, gradients)))
                if does == "short":
                    return (None,)
                if does == "scale":
                    return tuple(g if g is None else g * (number + 2) for g in gradients[0])
                return None

            return run_hook

        net = Net()
        for number, (when, does, prepend) in enumerate(hooks):
            register = net.register_full_backward_pre_hook if when == "before" else net.register_full_backward_hook
            register(hook(number, when, does), prepend=prepend)
        a, b = (ns.tensor([1.0, 2.0], requires_grad=each) for each in trained)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            outputs = [each for each in net(a, 3.0, b) if hasattr(each, "detach")]
            chosen = [outputs[i] for i in used]
            loss = sum((each * each).sum() for each in chosen)
            error = run(ns, lambda ns: loss.backward(create_graph=create_graph))
        described = [(each.requires_grad, each.grad_fn is None) for each in outputs]
        texts = [str(w.message) for w in caught if w.category is UserWarning and "create_graph" not in str(w.message)]
        return log, error, described, shown([a.grad, b.grad]), texts

    same(torch, candidate, program)


def test_backward_hooks_of_a_network(torch, candidate):
    """The order, inputs that need no gradient, and what is done to the gradients of the parameters."""

    def program(ns):
        log = []
        net = ns.nn.Sequential(ns.nn.Linear(2, 2), ns.nn.ReLU(), ns.nn.Linear(2, 1))
        with ns.no_grad():
            for parameter in net.parameters():
                parameter.fill_(0.5)
        for number, module in enumerate([*net, net]):
            module.register_full_backward_hook(
                lambda m, before, after, number=number: log.append((number, shown(before), shown(after)))
            )
        handle = net[2].register_full_backward_hook(lambda m, before, after: (before[0] * 2,))
        net[0].register_full_backward_pre_hook(lambda m, after: (after[0] * 3,))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            net(ns.ones(1, 2)).sum().backward()
        handle.remove()
        with ns.no_grad():
            untouched = net(ns.ones(2)).requires_grad
        return log, list(net.parameters()), untouched, [str(w.message) for w in caught]

    same(torch, candidate, program)


def test_backward_hooks_wait_for_the_outputs(torch, candidate):
    """A gradient that reaches an input by another way runs no hook, neither before nor after one that does."""

    def program(ns):
        log, kept = [], []

        class Net(ns.nn.Module):
            def forward(self, x):
                kept.append(x)
                return x * 2

        net = Net()
        net.register_full_backward_hook(lambda m, before, after: log.append((shown(before), shown(after))))
        y = net(ns.ones(2, requires_grad=True)).sum()
        for root in (kept[0].sum(), y, kept[0].sum(), y):
            root.backward(retain_graph=True)
            log.append("done")
        return log

    same(torch, candidate, program)


def test_backward_hooks_on_every_module(torch, candidate):
    def program(ns):
        log = []
        hooks = ns.nn.modules.module
        net = ns.nn.Sequential(ns.nn.Tanh(), ns.nn.Tanh())
        handles = [
            hooks.register_module_full_backward_pre_hook(lambda m, after: log.append(("pre", type(m).__name__))),
            hooks.register_module_full_backward_hook(lambda m, b, a: log.append(("post", type(m).__name__))),
        ]
        try:
            net(ns.zeros(2, requires_grad=True)).sum().backward()
        finally:
            for handle in handles:
                handle.remove()
        net(ns.zeros(2, requires_grad=True)).sum().backward()
        return log

    same(torch, candidate, program)


def test_an_output_that_is_no_tensor_warns(torch, candidate):
    def program(ns):
        class Net(ns.nn.Module):
            def forward(self, x):
                return {"y": x * 2}

        net = Net()
        net.register_full_backward_hook(lambda *_: None)
        with pytest.warns(UserWarning, match="module output should be") as caught:
            result = net(ns.ones(2, requires_grad=True))
        return result, [str(w.message) for w in caught]

    same(torch, candidate, program)


def test_what_backward_hooks_watch_must_not_be_written_to(torch, candidate):
    for ns in (torch, candidate):
        module = ns.nn.Tanh()
        module.register_full_backward_hook(lambda *_: None)
        result = module(ns.ones(2, requires_grad=True))
        with pytest.raises(RuntimeError, match="is a view and is being modified inplace"):
            result.add_(1)
