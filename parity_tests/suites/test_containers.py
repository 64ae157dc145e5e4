"""Containers of modules and parameters are edited like lists and dictionaries, as torch's are."""

from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import run, same

indices = st.integers(-4, 4)
slices = st.builds(slice, st.none() | indices, st.none() | indices, st.none() | st.sampled_from([-1, 1, 2]))
edits = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 9)),
        st.tuples(st.just("insert"), indices, st.integers(0, 9)),
        st.tuples(st.just("extend"), st.lists(st.integers(0, 9), max_size=3)),
        st.tuples(st.just("pop"), indices | slices),
        st.tuples(st.just("del"), indices | slices),
        st.tuples(st.just("get"), indices | slices),
        st.tuples(st.just("set"), indices, st.integers(0, 9)),
        st.tuples(st.just("add"), st.lists(st.integers(0, 9), max_size=3)),
        st.tuples(st.just("iadd"), st.lists(st.integers(0, 9), max_size=3)),
        st.tuples(st.just("mul"), st.integers(-1, 3)),
        st.tuples(st.just("imul"), st.integers(-1, 2)),
    ),
    max_size=6,
)


def edited(ns, make, item, edits):
    """The history of a container under list-like edits; `item` makes an element from a number."""
    container, history = make([]), []

    def step(ns, verb, *args):
        nonlocal container
        if verb in ("append", "insert"):
            return getattr(container, verb)(*args[:-1], item(args[-1]))
        if verb == "extend":
            return container.extend(map(item, args[0]))
        if verb == "pop":
            return container.pop(*args)
        if verb == "get":
            return container[args[0]]
        if verb == "del":
            del container[args[0]]
        elif verb == "set":
            container[args[0]] = item(args[1])
        elif verb == "add":
            return container + make(map(item, args[0]))
        elif verb == "iadd":
            container += make(map(item, args[0]))
        elif verb == "mul":
            return args[0] * container
        elif verb == "imul":
            container *= args[0]
        return None

    for edit in edits:
        history += [run(ns, step, *edit), list(container._modules), repr(container)]
    return history, len(container), list(container)


@given(edits=edits)
def test_a_sequential_is_edited_like_a_list(torch, candidate, edits):
    same(
        torch,
        candidate,
        lambda ns: edited(ns, lambda ms: ns.nn.Sequential(*ms), ns.nn.Flatten, edits),
    )


@given(edits=edits)
def test_a_module_list_is_edited_like_a_list(torch, candidate, edits):
    same(torch, candidate, lambda ns: edited(ns, ns.nn.ModuleList, ns.nn.Flatten, edits))


def test_a_sequential_with_names(torch, candidate):
    def program(ns):
        module = ns.nn.Sequential(OrderedDict([("first", ns.nn.Linear(1, 2)), ("act", ns.nn.ReLU())]))
        module.append(ns.nn.Tanh())
        module[1] = ns.nn.Sigmoid()
        return module, module[:2], module.first, module[-1], list(module.state_dict())

    same(torch, candidate, program)


keys = st.sampled_from(["a", "b", "c", "forward", "", "x.y"])
dict_edits = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["set", "setdefault"]), keys, st.integers(0, 3)),
        st.tuples(st.sampled_from(["get", "del", "pop", "in", "getdefault"]), keys),
        st.tuples(st.just("update"), st.dictionaries(keys, st.integers(0, 3), max_size=3), st.booleans()),
        st.tuples(st.sampled_from(["clear", "popitem", "copy", "reversed"])),
    ),
    max_size=8,
)


def edited_dict(ns, container, item, edits):
    """The history of a container under dict-like edits; `item` makes a value from a number."""

    def step(ns, verb, *args):
        if verb == "set":
            container[args[0]] = item(args[1])
        elif verb == "setdefault":
            return container.setdefault(args[0], item(args[1]))
        elif verb == "get":
            return container[args[0]]
        elif verb == "getdefault":
            return container.get(args[0], "none")
        elif verb == "del":
            del container[args[0]]
        elif verb == "in":
            return args[0] in container
        elif verb == "update":
            new = {key: item(value) for key, value in args[0].items()}
            container.update(new if args[1] else list(new.items()))
        elif verb == "reversed":
            return list(reversed(container))
        else:
            return getattr(container, verb)(*args)
        return None

    history = [run(ns, step, *edit) for edit in edits]
    final = [run(ns, lambda ns, view=view: list(view())) for view in (container.items, container.values)]
    return history, len(container), list(container), list(container.keys()), final, repr(container)


@given(edits=dict_edits)
def test_a_module_dict_is_edited_like_a_dict(torch, candidate, edits):
    absent = {"setdefault", "getdefault", "popitem", "copy", "reversed"}
    edits = [edit for edit in edits if edit[0] not in absent]
    same(torch, candidate, lambda ns: edited_dict(ns, ns.nn.ModuleDict(), ns.nn.Flatten, edits))


@given(edits=dict_edits)
def test_a_parameter_dict_is_edited_like_a_dict(torch, candidate, edits):
    def item(ns):
        return lambda i: "text" if i == 0 else ns.full((i,), float(i))

    same(torch, candidate, lambda ns: edited_dict(ns, ns.nn.ParameterDict(), item(ns), edits))


def test_parameter_dicts_merge(torch, candidate):
    def program(ns):
        one = ns.nn.ParameterDict({"b": ns.zeros(1), "a": ns.zeros(2)})
        two = ns.nn.ParameterDict({"a": ns.zeros(3), "c": 1})
        merged = one | two, two | one, one.fromkeys(["x", "y"], 2)
        one |= two
        return merged, one, list(one.parameters())

    same(torch, candidate, program)


def test_a_parameter_list_is_a_list(torch, candidate):
    def program(ns):
        values = ns.nn.ParameterList([ns.zeros(1), "text", ns.nn.Parameter(ns.zeros(3))])
        values.append(ns.zeros(2, 2)).extend([1])
        values[-2] = ns.zeros(5)
        values += [ns.zeros(())]
        return (
            values,
            values[1:4:2],
            values[-1],
            len(values),
            [name for name, _ in values.named_parameters()],
            run(ns, lambda ns: values[9]),
            [n for n in dir(values) if n.isdigit()],
        )

    same(torch, candidate, program)
