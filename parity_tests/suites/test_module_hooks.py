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
