"""`nn.Module`: the same registration, names, texts, conversions and errors as torch's."""

import copy
import operator
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import run, same

# Texts

ZOO = {
    "linear": lambda nn: nn.Linear(2, 3),
    "no bias": lambda nn: nn.Linear(2, 3, bias=False),
    "identity": lambda nn: nn.Identity(54, unused=True),
    "relu": lambda nn: nn.ReLU(),
    "relu in place": lambda nn: nn.ReLU(inplace=True),
    "leaky": lambda nn: nn.LeakyReLU(),
    "leaky in place": lambda nn: nn.LeakyReLU(0.2, True),
    "tanh": lambda nn: nn.Tanh(),
    "sigmoid": lambda nn: nn.Sigmoid(),
    "softmax": lambda nn: nn.Softmax(dim=1),
    "softmax of nothing": lambda nn: nn.Softmax(),
    "log softmax": lambda nn: nn.LogSoftmax(-1),
    "softmin": lambda nn: nn.Softmin(0),
    "softmax2d": lambda nn: nn.Softmax2d(),
    "softsign": lambda nn: nn.Softsign(),
    "tanhshrink": lambda nn: nn.Tanhshrink(),
    "dropout": lambda nn: nn.Dropout(),
    "dropouts": lambda nn: nn.Sequential(nn.Dropout1d(0.1), nn.Dropout2d(0.2), nn.Dropout3d(0.3, True)),
    "alpha dropout": lambda nn: nn.Sequential(nn.AlphaDropout(0.1), nn.FeatureAlphaDropout(1)),
    "flatten": lambda nn: nn.Flatten(),
    "flatten some": lambda nn: nn.Flatten(0, end_dim=2),
    "unflatten": lambda nn: nn.Unflatten(1, (2, -1)),
    "mse": lambda nn: nn.MSELoss(),
    "l1": lambda nn: nn.L1Loss(reduction="sum"),
    "nll": lambda nn: nn.NLLLoss(),
    "cross entropy": lambda nn: nn.CrossEntropyLoss(label_smoothing=0.1),
    "empty": lambda nn: nn.Sequential(),
    "nested": lambda nn: nn.Sequential(nn.Linear(1, 2), nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh()))),
    "empty list": lambda nn: nn.ModuleList(),
    "list with runs": lambda nn: nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Linear(1, 1), nn.Sequential(nn.Tanh())]),
    "list of lists": lambda nn: nn.ModuleList([nn.ModuleList([nn.Tanh()] * 3)] * 2),
    "dict": lambda nn: nn.ModuleDict({"a": nn.Linear(1, 1), "b": nn.ModuleDict()}),
    "bare": lambda nn: nn.Module(),
}


@pytest.mark.parametrize("build", ZOO.values(), ids=ZOO.keys())
def test_repr(torch, candidate, build):
    same(torch, candidate, lambda ns: build(ns.nn))


def test_repr_puts_extra_lines_before_children(torch, candidate):
    def program(ns):
        class Net(ns.nn.Module):
            def extra_repr(self):
                return "width=3\ndepth=2"

        lone = repr(Net())
        net = Net()
        net.child, net.nothing = ns.nn.ReLU(), None
        net.register_module("none", None)
        return lone, net

    same(torch, candidate, program)


def test_repr_of_parameter_containers(torch, candidate):
    def program(ns):
        values = [ns.zeros(2, 3), ns.nn.Parameter(ns.zeros(())), "text", ns.zeros(2, dtype=ns.float64)]
        return (
            ns.nn.ParameterList(values),
            ns.nn.ParameterDict({"b": values[0], "a": 3}),
            ns.nn.ParameterList(),
        )

    same(torch, candidate, program)


# Registration


def uninitialised(statement):
    """A program whose module runs `statement` before `Module.__init__`."""

    def program(ns):
        class Net(ns.nn.Module):
            def __init__(self):
                statement(ns, self)

        return Net()

    return program


def on_linear(statement):
    """A program that runs `statement` on a Linear with a buffer 'seen' and a child 'child'."""

    def program(ns):
        module = ns.nn.Linear(1, 1)
        module.child = ns.nn.ReLU()
        module.register_buffer("seen", ns.zeros(1))
        statement(ns, module)
        return module

    return program


WRONG = {
    "parameter too early": uninitialised(lambda ns, m: setattr(m, "x", ns.nn.Parameter(ns.zeros(1)))),
    "module too early": uninitialised(lambda ns, m: setattr(m, "x", ns.nn.ReLU())),
    "buffer too early": uninitialised(lambda ns, m: m.register_buffer("x", ns.zeros(1))),
    "register too early": uninitialised(lambda ns, m: m.register_parameter("x", None)),
    "add too early": uninitialised(lambda ns, m: m.add_module("x", ns.nn.ReLU())),
    "call too early": uninitialised(lambda ns, m: m(1)),
    "train too early": uninitialised(lambda ns, m: m.train()),
    "list too early": uninitialised(lambda ns, m: list(m.parameters())),
    "tensor as parameter": on_linear(lambda ns, m: setattr(m, "weight", ns.zeros(1))),
    "module as parameter": on_linear(lambda ns, m: setattr(m, "weight", ns.nn.ReLU())),
    "class as parameter": on_linear(lambda ns, m: setattr(m, "weight", ns.nn.ReLU)),
    "text as parameter": on_linear(lambda ns, m: setattr(m, "weight", "x")),
    "tensor as child": on_linear(lambda ns, m: setattr(m, "child", ns.zeros(1, dtype=ns.int64))),
    "text as buffer": on_linear(lambda ns, m: setattr(m, "seen", "x")),
    "register text": on_linear(lambda ns, m: m.register_buffer("x", "x")),
    "register number": on_linear(lambda ns, m: m.register_parameter("x", 3)),
    "register tensor": on_linear(lambda ns, m: m.register_parameter("x", ns.zeros(1))),
    "register non-leaf": on_linear(lambda ns, m: m.register_parameter("x", m.weight * 2)),
    "add tensor": on_linear(lambda ns, m: m.add_module("x", ns.zeros(1))),
    "buffer by number": on_linear(lambda ns, m: m.register_buffer(1, None)),
    "parameter by number": on_linear(lambda ns, m: m.register_parameter(1, None)),
    "module by number": on_linear(lambda ns, m: m.add_module(1, None)),
    "buffer with a dot": on_linear(lambda ns, m: m.register_buffer("a.b", None)),
    "parameter with a dot": on_linear(lambda ns, m: m.register_parameter("a.b", None)),
    "module with a dot": on_linear(lambda ns, m: m.add_module("a.b", None)),
    "nameless buffer": on_linear(lambda ns, m: m.register_buffer("", None)),
    "nameless parameter": on_linear(lambda ns, m: m.register_parameter("", None)),
    "nameless module": on_linear(lambda ns, m: m.add_module("", None)),
    "taken buffer": on_linear(lambda ns, m: m.register_buffer("weight", None)),
    "taken parameter": on_linear(lambda ns, m: m.register_parameter("forward", None)),
    "taken module": on_linear(lambda ns, m: m.add_module("seen", None)),
    "missing": on_linear(lambda ns, m: m.missing),
    "delete missing": on_linear(lambda ns, m: delattr(m, "missing")),
    "no forward": lambda ns: ns.nn.Module()(1),
    "positional": lambda ns: ns.nn.Module(1, 2),
    "keyword": lambda ns: ns.nn.Module(width=1),
    "mode": on_linear(lambda ns, m: m.train("yes")),
    "to integers": on_linear(lambda ns, m: m.to(ns.int64)),
    "to nowhere": on_linear(lambda ns, m: m.to("nowhere")),
    "to cuda": on_linear(lambda ns, m: m.to("cuda")),
    "dropout": lambda ns: ns.nn.Dropout(1.5),
    "unflatten": lambda ns: ns.nn.Unflatten(1, 3),
    "unflatten floats": lambda ns: ns.nn.Unflatten(1, (1, 2.0)),
    "softmax2d": lambda ns: ns.nn.Softmax2d()(ns.zeros(2)),
    "linear of floats": lambda ns: ns.nn.Linear(2.0, 3),
    "negative linear": lambda ns: ns.nn.Linear(-2, 3),
    "list called": lambda ns: ns.nn.ModuleList()(1),
    "parameters called": lambda ns: ns.nn.ParameterList()(1),
    "parameter dict called": lambda ns: ns.nn.ParameterDict()(1),
    "list of numbers": lambda ns: ns.nn.ModuleList([1]),
    "list of one": lambda ns: ns.nn.ModuleList(ns.nn.ReLU()),
    "dict of a number": lambda ns: ns.nn.ModuleDict(3),
    "dict of singles": lambda ns: ns.nn.ModuleDict([("a",)]),
    "dict of numbers": lambda ns: ns.nn.ModuleDict([1]),
    "parameters of a tensor": lambda ns: ns.nn.ParameterList(ns.zeros(2)),
    "parameter dict of numbers": lambda ns: ns.nn.ParameterDict([1]),
    "parameter dict by number": lambda ns: ns.nn.ParameterDict({1: 2}),
    "extra state": lambda ns: ns.nn.Module().get_extra_state(),
    "sum": lambda ns: operator.add(ns.nn.Sequential(), [ns.nn.ReLU()]),
    "product": lambda ns: ns.nn.Sequential() * 1.5,
    "empty product": lambda ns: ns.nn.Sequential() * 0,
    "out of range": lambda ns: ns.nn.Sequential()[0],
    "insert": lambda ns: ns.nn.Sequential().insert(3, ns.nn.ReLU()),
    "insert a number": lambda ns: ns.nn.Sequential().insert(0, 3),
}


@pytest.mark.parametrize("program", WRONG.values(), ids=WRONG.keys())
def test_errors(torch, candidate, program):
    same(torch, candidate, program)


def places(module):
    """Where each attribute of a module is kept."""
    hidden = {"training"}
    own = {k: v for k, v in vars(module).items() if not k.startswith("_") and k not in hidden}
    kinds = module._parameters, module._buffers, module._modules, own
    return [{k: type(v).__name__ for k, v in kind.items()} for kind in kinds], sorted(
        module._non_persistent_buffers_set
    )


def value_of(ns, kind):
    if kind == "module":
        return ns.nn.ReLU()
    if kind == "none":
        return None
    if kind == "number":
        return 3
    return ns.nn.Parameter(ns.zeros(1)) if kind == "parameter" else ns.zeros(1)


names = st.sampled_from(["a", "b", "forward"])
steps = st.lists(
    st.tuples(
        st.sampled_from(["set", "del", "buffer", "volatile", "parameter", "module"]),
        names,
        st.sampled_from(["none", "number", "tensor", "parameter", "module"]),
    ),
    max_size=8,
)


@given(steps=steps)
def test_an_attribute_is_one_thing_at_a_time(torch, candidate, steps):
    def program(ns):
        module = ns.nn.Module()
        register = {
            "buffer": module.register_buffer,
            "volatile": lambda name, value: module.register_buffer(name, value, persistent=False),
            "parameter": module.register_parameter,
            "module": module.add_module,
            "set": module.__setattr__,
        }
        history = []
        for verb, name, kind in steps:
            value = value_of(ns, kind)

            def step(ns, verb=verb, name=name, value=value):
                return module.__delattr__(name) if verb == "del" else register[verb](name, value)

            history.append((run(ns, step), places(module)))
        return history

    same(torch, candidate, program)


# Trees of modules: as a nested list, in which a number refers back to an earlier module

trees = st.recursive(
    st.none() | st.integers(0, 5) | st.just([]), lambda t: st.lists(t, max_size=3), max_leaves=8
).filter(lambda tree: isinstance(tree, list))


def grown(ns, tree, made=None):
    """A module with a parameter and a buffer of its own, some shared, and children as `tree` says."""
    made = [] if made is None else made
    module = ns.nn.Module()
    number = len(made)
    module.w = ns.nn.Parameter(ns.full((number % 3 + 1,), float(number)))
    module.register_buffer("seen", ns.full((2,), float(-number)), persistent=number % 2 == 0)
    if number % 3 == 1:
        module.tied = made[0].w
        module.register_buffer("absent", None)
    made.append(module)
    for index, branch in enumerate(tree):
        if isinstance(branch, int):
            # never an ancestor: a cycle is nobody's module
            finished = [m for m in made if hasattr(m, "done")]
            child = finished[branch % len(finished)] if finished else None
        else:
            child = None if branch is None else grown(ns, branch, made)
        module.add_module(f"m{index}", child)
    module.done = True
    return module


@given(tree=trees, prefix=st.sampled_from(["", "net"]), recurse=st.booleans(), unique=st.booleans())
def test_names_come_in_torchs_order(torch, candidate, tree, prefix, recurse, unique):
    def program(ns):
        module = grown(ns, tree)
        return (
            [name for name, _ in module.named_parameters(prefix, recurse, unique)],
            [name for name, _ in module.named_buffers(prefix, recurse, unique)],
            [name for name, _ in module.named_modules(prefix=prefix, remove_duplicate=unique)],
            [name for name, _ in module.named_children()],
            [p.tolist() for p in module.parameters(recurse)],
            [b.tolist() for b in module.buffers(recurse)],
            len(list(module.modules())),
            len(list(module.children())),
        )

    same(torch, candidate, program)


@given(tree=trees)
def test_apply_visits_children_first(torch, candidate, tree):
    def program(ns):
        seen = []
        grown(ns, tree).apply(lambda module: seen.append(module.seen.tolist()))
        return seen

    same(torch, candidate, program)


@given(tree=trees, mode=st.booleans())
def test_train_and_requires_grad_reach_everything(torch, candidate, tree, mode):
    def program(ns):
        module = grown(ns, tree).train(mode).requires_grad_(mode)
        return [m.training for m in module.modules()], [p.requires_grad for p in module.parameters()]

    same(torch, candidate, program)


PATHS = [
    "",
    "m0",
    "m0.m0",
    "m1.w",
    "w",
    "m0.w",
    "seen",
    "m0.seen",
    "m0.m1.tied",
    "nope",
    "m0.nope",
    "w.x",
    ".",
]


@given(tree=trees, path=st.sampled_from(PATHS))
def test_look_up_by_path(torch, candidate, tree, path):
    def program(ns):
        module = grown(ns, tree)
        return (
            run(ns, lambda ns: module.get_submodule(path).w),
            run(ns, lambda ns: module.get_parameter(path)),
            run(ns, lambda ns: module.get_buffer(path)),
        )

    same(torch, candidate, program)


@given(tree=trees, path=st.sampled_from(PATHS), strict=st.booleans(), number=st.booleans())
def test_set_submodule(torch, candidate, tree, path, strict, number):
    def program(ns):
        module = grown(ns, tree)
        module.set_submodule(path, 3 if number else ns.nn.Tanh(), strict)
        return module

    same(torch, candidate, program)


@given(tree=trees)
def test_dir(torch, candidate, tree):
    ours, theirs = (
        {n for n in dir(grown(ns, tree)) if not n.startswith("_") and hasattr(grown(torch, tree), n)}
        for ns in (candidate, torch)
    )
    assert {"w", "seen", "training"} <= ours <= theirs


# Gradients and conversions


@pytest.mark.parametrize("set_to_none", [True, False])
def test_zero_grad(torch, candidate, set_to_none):
    def program(ns):
        module = ns.nn.Sequential(ns.nn.Linear(2, 2), ns.nn.Linear(2, 1))
        module[0](ns.ones(2)).sum().backward()
        module.zero_grad(set_to_none)
        return [p.grad if p.grad is None else p.grad.tolist() for p in module.parameters()]

    same(torch, candidate, program)


CONVERSIONS = {
    "double": lambda ns, m: m.double(),
    "half": lambda ns, m: m.half(),
    "float": lambda ns, m: m.double().float(),
    "to dtype": lambda ns, m: m.to(ns.float64),
    "to keyword": lambda ns, m: m.to(dtype=ns.float16),
    "to device": lambda ns, m: m.to("cpu"),
    "to both": lambda ns, m: m.to("cpu", ns.float64),
    "to tensor": lambda ns, m: m.to(ns.zeros(1, dtype=ns.float64)),
    "to nothing": lambda ns, m: m.to(),
    "type": lambda ns, m: m.type(ns.float64),
    "cpu": lambda ns, m: m.cpu(),
    "apply": lambda ns, m: m._apply(lambda t: t * 2),
}


@pytest.mark.parametrize("convert", CONVERSIONS.values(), ids=CONVERSIONS.keys())
def test_conversions_keep_the_parameters_themselves(torch, candidate, convert):
    def program(ns):
        module = ns.nn.Linear(2, 2)
        ns.nn.init.ones_(module.weight)
        module.register_buffer("count", ns.zeros(1, dtype=ns.int64))
        module.register_buffer("mean", ns.zeros(1))
        module(ns.ones(2)).sum().backward()
        before = list(module.parameters())
        assert convert(ns, module) is module
        assert all(a is b for a, b in zip(module.parameters(), before, strict=True))
        return (
            [(str(p.dtype), str(p.grad.dtype), p.requires_grad, p.is_leaf) for p in before],
            [str(b.dtype) for b in module.buffers()],
            module.weight.tolist(),
            module.weight.grad.tolist(),
        )

    same(torch, candidate, program)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies(torch, candidate, duplicate):
    def program(ns):
        module = ns.nn.Sequential(ns.nn.Linear(2, 2), ns.nn.Dropout(0.3))
        module.add_module("tied", module[0])
        module.eval()
        twin = duplicate(module)
        with ns.no_grad():
            module[0].weight.fill_(3.0)
        return (
            twin,
            twin.training,
            twin[0] is twin.tied,
            twin[0] is module[0],
            twin[0].weight.tolist() == module[0].weight.tolist(),
            [p.requires_grad for p in twin.parameters()],
        )

    same(torch, candidate, program)


def test_a_reparametrised_weight_is_used(torch, candidate):
    def program(ns):
        module = ns.nn.Linear(2, 2, bias=False)
        del module.weight
        module.weight = ns.ones(2, 2) * 3
        return module(ns.ones(2)).tolist(), list(module.state_dict())

    same(torch, candidate, program)


def test_shared_memory(torch, candidate):
    def program(ns):
        module = ns.nn.BatchNorm1d(2)
        return module.share_memory() is module, module.weight.is_shared(), module.running_mean.is_shared()

    same(torch, candidate, program)
