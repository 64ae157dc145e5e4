"""`state_dict` and `load_state_dict`: weights travel to torch and back, and misfits are reported alike."""

from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import run, same


def network(ns, *, width=3, fill=0.0):
    """A little of everything that a state dict holds: nesting, sharing, all kinds of buffers, no bias."""
    nn = ns.nn
    net = nn.Sequential(
        OrderedDict(body=nn.Sequential(nn.Linear(2, width), nn.ReLU()), head=nn.Linear(width, 1, False))
    )
    net.register_buffer("mean", ns.full((2,), fill))
    net.register_buffer("hidden", ns.zeros(1), persistent=False)
    net.register_buffer("absent", None)
    net.body.register_buffer("count", ns.full((), int(fill), dtype=ns.int64))
    net.tied = net.head
    with ns.no_grad():
        for number, parameter in enumerate(net.parameters()):
            parameter.copy_(ns.arange(parameter.numel()).reshape(parameter.shape) + fill + number)
    return net


def carried(state, ns):
    """A state dict of another framework as one of this."""
    moved = OrderedDict((name, ns.from_numpy(tensor.numpy().copy())) for name, tensor in state.items())
    moved._metadata = state._metadata
    return moved


@pytest.mark.parametrize("keep_vars", [True, False])
def test_a_state_dict_has_torchs_keys_values_and_metadata(torch, candidate, keep_vars):
    def program(ns):
        net = network(ns, fill=5.0)
        state = net.state_dict(prefix="net.", keep_vars=keep_vars)
        shared = {name: tensor.data_ptr() == net.mean.data_ptr() for name, tensor in state.items()}
        kinds = {name: (type(t).__name__, t.requires_grad) for name, t in state.items()}
        return type(state).__name__, state, dict(state._metadata), shared, kinds

    same(torch, candidate, program)


def test_a_destination_is_filled(torch, candidate):
    def program(ns):
        mine = {"before": 1}
        assert network(ns).state_dict(destination=mine) is mine
        return list(mine)

    same(torch, candidate, program)


def test_positional_arguments_warn(torch, candidate):
    def program(ns):
        with pytest.warns(FutureWarning) as caught:
            state = ns.nn.Linear(1, 1).state_dict(OrderedDict(), "p.", True)
        return [str(w.message) for w in caught], list(state), state["p.bias"].requires_grad

    same(torch, candidate, program)


@pytest.mark.parametrize("forth", [True, False], ids=["torch to candidate", "candidate to torch"])
def test_weights_travel(torch, candidate, forth):
    source, target = (torch, candidate) if forth else (candidate, torch)
    sent = network(source, fill=7.0)
    received = network(target)
    pointers = [parameter.data_ptr() for parameter in received.parameters()]
    answer = received.load_state_dict(carried(sent.state_dict(), target))
    assert str(answer) == "<All keys matched successfully>"
    assert [parameter.data_ptr() for parameter in received.parameters()] == pointers
    for name, tensor in sent.state_dict().items():
        assert received.state_dict()[name].tolist() == tensor.tolist(), name


KEYS = [
    "body.0.weight",
    "body.0.bias",
    "head.weight",
    "tied.weight",
    "mean",
    "body.count",
    "hidden",
    "head.bias",
]
damages = st.lists(
    st.one_of(
        st.tuples(st.just("drop"), st.sampled_from(KEYS)),
        st.tuples(
            st.just("add"),
            st.sampled_from(["x", "body.x", "body.0.x.y", "nope.weight", "_extra_state", "head."]),
        ),
        st.tuples(st.just("shape"), st.sampled_from(KEYS), st.sampled_from([(), (1,), (2, 2), (0,)])),
        st.tuples(st.just("array"), st.sampled_from(KEYS)),
        st.tuples(st.just("dtype"), st.sampled_from(KEYS), st.sampled_from(["float64", "int64", "bool"])),
    ),
    max_size=5,
)


@given(damages=damages, strict=st.booleans(), assign=st.booleans())
def test_misfits_are_reported_alike(torch, candidate, damages, strict, assign):
    def program(ns):
        state = network(ns, fill=3.0).state_dict()
        for verb, key, *detail in damages:
            if verb == "drop":
                state.pop(key, None)
            elif verb == "array":
                state[key] = [1.0]
            elif verb == "dtype":
                state[key] = ns.ones(2, dtype=getattr(ns, detail[0])) if key not in state else state[key]
                if hasattr(state[key], "to"):
                    state[key] = state[key].to(getattr(ns, detail[0]))
            else:
                state[key] = ns.zeros(detail[0] if detail else (1,))
        net = network(ns)
        answer = run(ns, lambda ns: net.load_state_dict(state, strict=strict, assign=assign))
        return answer, repr(answer), net.state_dict(keep_vars=True)

    same(torch, candidate, program)


def test_only_mappings_load(torch, candidate):
    same(torch, candidate, lambda ns: network(ns).load_state_dict([("mean", 1)]))


def test_a_scalar_loads_from_a_vector_of_one(torch, candidate):
    def program(ns):
        module = ns.nn.Module()
        module.scale = ns.nn.Parameter(ns.zeros(()))
        module.load_state_dict({"scale": ns.ones(1)})
        return module.scale

    same(torch, candidate, program)


@pytest.mark.parametrize("as_parameter", [True, False])
def test_assign_takes_the_tensors_themselves(torch, candidate, as_parameter):
    def program(ns):
        module = ns.nn.Linear(1, 1).requires_grad_(False)
        wrap = ns.nn.Parameter if as_parameter else lambda t: t
        state = {"weight": wrap(ns.ones(1, 1, dtype=ns.float64)), "bias": wrap(ns.ones(1))}
        module.load_state_dict(state, assign=True)
        return (
            module.weight.data_ptr() == state["weight"].data_ptr(),
            module.weight is state["weight"],
            module.weight,
            module.bias,
        )

    same(torch, candidate, program)


def stateful(ns, log):
    class Counting(ns.nn.Module):
        _version = 3

        def __init__(self):
            super().__init__()
            self.child = ns.nn.Linear(1, 1)
            self.steps = 4

        def get_extra_state(self):
            return {"steps": self.steps}

        def set_extra_state(self, state):
            log.append(state)
            self.steps = state["steps"]

    return Counting()


def test_extra_state_travels(torch, candidate):
    def program(ns):
        log = []
        module = ns.nn.Sequential(stateful(ns, log))
        state = module.state_dict()
        state["0._extra_state"] = {"steps": 9}
        module.load_state_dict(state)
        del state["0._extra_state"]
        return (
            log,
            list(state),
            module[0].steps,
            dict(state._metadata),
            run(ns, lambda ns: module.load_state_dict(state)),
        )

    same(torch, candidate, program)


def test_hooks_of_saving_run_in_order(torch, candidate):
    def program(ns):
        log = []
        net = network(ns)
        net.register_state_dict_pre_hook(lambda m, prefix, keep: log.append(("pre", prefix, keep)))
        net.body.register_state_dict_pre_hook(lambda m, prefix, keep: log.append(("pre", prefix, keep)))

        def post(module, state, prefix, metadata):
            log.append(("post", prefix, metadata, list(state)))
            state[prefix + "note"] = 1

        net.body.register_state_dict_post_hook(post)
        handle = net._register_state_dict_hook(lambda m, state, prefix, metadata: {"only": 1})
        replaced = net.state_dict()
        handle.remove()
        return log, replaced, list(net.state_dict()), run(ns, lambda ns: net._register_state_dict_hook(post))

    same(torch, candidate, program)


def test_a_post_hook_must_return_none(torch, candidate):
    def program(ns):
        net = network(ns)
        net.register_state_dict_post_hook(lambda *_: 1)
        return net.state_dict()

    same(torch, candidate, program)


def test_hooks_of_loading_run_in_order(torch, candidate):
    def program(ns):
        log = []
        net = network(ns)

        def rename(module, state, prefix, metadata, strict, missing, unexpected, errors):
            log.append((type(module).__name__, prefix, metadata, strict, list(state)))
            if prefix + "old" in state:
                state[prefix + "weight"] = state.pop(prefix + "old")

        def forgive(module, incompatible):
            log.append((type(module).__name__, repr(incompatible)))
            incompatible.missing_keys.clear()

        net.head.register_load_state_dict_pre_hook(rename)
        net.body._register_load_state_dict_pre_hook(lambda *args: log.append(args[1]))
        net.body.register_load_state_dict_post_hook(forgive)
        net.register_load_state_dict_post_hook(forgive)
        state = network(ns, fill=2.0).state_dict()
        state["head.old"] = state.pop("head.weight") * 3
        del state["mean"]
        answer = net.load_state_dict(state)
        return log, repr(answer), net.head.weight, "head.old" in state

    same(torch, candidate, program)


def test_a_load_hook_must_return_none(torch, candidate):
    def program(ns):
        net = network(ns)
        net.register_load_state_dict_post_hook(lambda module, keys: keys)
        return net.load_state_dict(net.state_dict())

    same(torch, candidate, program)
