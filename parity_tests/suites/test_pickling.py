"""Copies and pickles: what shares memory with what afterwards, what is kept, what is warned of and refused."""

import copy
import pickle

import pytest

from parity_tests.suites._expressions import same_outcomes
from parity_tests.suites._programs import same

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
TENSORS = {
    "a matrix": lambda ns: ns.arange(6.0).reshape(2, 3),
    "a view": lambda ns: ns.arange(6.0)[2:5],
    "a transposed view": lambda ns: ns.arange(6.0).reshape(2, 3).t(),
    "every other": lambda ns: ns.arange(6)[1::2],
    "expanded": lambda ns: ns.ones(1).expand(3),
    "a scalar": lambda ns: ns.tensor(3),
    "empty": lambda ns: ns.empty(0, 3),
    "truth values": lambda ns: ns.tensor([True, False]),
    "half": lambda ns: ns.ones(2, dtype=ns.float16),
    "bytes": lambda ns: ns.tensor([1, 255], dtype=ns.uint8),
    "a leaf": lambda ns: ns.ones(2, requires_grad=True),
    "a result": lambda ns: ns.ones(2, requires_grad=True) * 2,
    "a parameter": lambda ns: ns.nn.Parameter(ns.ones(2)),
    "a frozen parameter": lambda ns: ns.nn.Parameter(ns.ones(2), requires_grad=False),
    "a buffer": lambda ns: ns.nn.Buffer(ns.ones(2)),
    "a selected row": lambda ns: ns.arange(12).reshape(3, 4)[1],
}


def pickled(value, protocol=4):
    return pickle.loads(pickle.dumps(value, protocol))


def state(tensor):
    return tensor, tensor.storage_offset(), tensor._version, tensor._base is None, dict(tensor.__dict__)


@pytest.mark.parametrize("kind", TENSORS)
@pytest.mark.parametrize("made", [copy.copy, copy.deepcopy, pickled])
def test_tensors(torch, candidate, kind, made):
    same(torch, candidate, lambda ns: state(made(TENSORS[kind](ns))))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", ["a matrix", "a transposed view", "a parameter", "a leaf"])
def test_every_protocol(torch, candidate, kind, protocol):
    same(torch, candidate, lambda ns: state(pickled(TENSORS[kind](ns), protocol)))


@pytest.mark.parametrize("made", [copy.copy, copy.deepcopy, pickled])
def test_what_shares_memory_afterwards(torch, candidate, made):
    def program(ns):
        whole = ns.arange(6.0)
        piece, turned = whole[2:4], whole.view(2, 3).t()
        copies = made([whole, piece, turned, whole])
        copies[0][2] = 100.0
        return copies, whole

    same(torch, candidate, program)


def test_copies_within_one_memo(torch, candidate):
    def program(ns):
        memo = {}
        whole = ns.arange(6.0)
        first, second = (copy.deepcopy(each, memo) for each in (whole, whole[1:]))
        first[1] = 9.0
        return first, second, copy.deepcopy(whole, memo) is first

    same(torch, candidate, program)


@pytest.mark.parametrize("made", [copy.copy, copy.deepcopy, pickled])
@pytest.mark.parametrize("parameter", [False, True])
def test_gradients_and_attributes(torch, candidate, made, parameter):
    def program(ns):
        leaf = ns.nn.Parameter(ns.ones(2)) if parameter else ns.ones(2, requires_grad=True)
        (leaf * 3).sum().backward()
        leaf.note = ["kept"]
        out = made(leaf)
        return out, out.grad, dict(out.__dict__), out.grad is leaf.grad, getattr(out, "note", None) is leaf.note

    same(torch, candidate, program)


def test_a_copy_is_a_leaf_of_its_own(torch, candidate):
    def program(ns):
        leaf = ns.ones(2, requires_grad=True)
        for each in (copy.copy(leaf), copy.deepcopy(leaf), pickled(leaf)):
            (each * 2).sum().backward()
            yield_ = each.grad
        return leaf.grad, yield_

    same(torch, candidate, program)


@pytest.mark.filterwarnings("error::UserWarning")
def test_hooks_are_not_pickled_and_warned_of(torch, candidate):
    def program(ns, mark=lambda ns, hook: hook):
        leaf = ns.ones(2, requires_grad=True)
        leaf.register_hook(mark(ns, print))
        return pickled(leaf)

    same(torch, candidate, program)
    same(torch, candidate, lambda ns: copy.deepcopy(program_with_hook(ns)))


def program_with_hook(ns):
    leaf = ns.ones(2, requires_grad=True)
    leaf.register_hook(print)
    return leaf


OTHERS = [
    "ns.Size([1, 2])", "ns.device('cpu')", "ns.device('cuda', 1)", "ns.strided", "ns.no_grad()",
    "ns.ones(2, 3).max(0)", "ns.ones(2, 3).min(1)", "[ns.float32, ns.int64]", "ns.Generator().manual_seed(1).initial_seed()",
    "ns.optim.SGD([ns.ones(1, requires_grad=True)], 0.5)", "{'a': ns.ones(1), 'b': [ns.zeros(1)]}",
]  # fmt: skip


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_no_tensor(torch, candidate, other):
    same_outcomes(torch, candidate, [f"{made}({other})" for made in ("copy.copy", "copy.deepcopy")])
    same_outcomes(torch, candidate, [f"pickle.loads(pickle.dumps({other}, {protocol}))" for protocol in PROTOCOLS])


SINGLETONS = (
    "float32",
    "bool",
    "strided",
    "preserve_format",
    "add",
    "Tensor",
    "nn.functional.relu",
    "Tensor.add",
    "Size",
)


@pytest.mark.parametrize("name", SINGLETONS)
def test_what_there_is_one_of(torch, candidate, name):
    expressions = [f"pickle.loads(pickle.dumps(ns.{name})) is ns.{name}", f"copy.deepcopy(ns.{name}) is ns.{name}"]
    same_outcomes(torch, candidate, expressions)


def test_generators(torch, candidate):
    def program(ns):
        generator = ns.Generator().manual_seed(3)
        ns.rand(5, generator=generator)
        copies = pickled(generator), copy.deepcopy(generator)
        return [ns.rand(3, generator=each) for each in (generator, *copies)]

    same(torch, candidate, program)


@pytest.mark.parametrize("made", [copy.deepcopy, pickled])
def test_modules(torch, candidate, made):
    def program(ns):
        ns.manual_seed(0)
        layer = ns.nn.Linear(2, 2)
        module = made(ns.nn.Sequential(layer, ns.nn.BatchNorm1d(2), layer))
        (module[0].weight * 2).sum().backward()
        return module.state_dict(), module[0].weight is module[2].weight, [each.grad for each in module.parameters()]

    same(torch, candidate, program)


def test_inference_tensors_become_ordinary(torch, candidate):
    def program(ns):
        with ns.inference_mode():
            tensor = ns.ones(2)
        return [made(tensor).is_inference() for made in (copy.copy, copy.deepcopy, pickled)]

    same(torch, candidate, program)


def test_a_fresh_process_reads_a_pickle(candidate, tmp_path):
    import subprocess
    import sys

    path = tmp_path / "tensors"
    path.write_bytes(pickle.dumps([candidate.arange(4.0)[1:], candidate.nn.Parameter(candidate.ones(2))]))
    text = f"import pickle; print(*pickle.load(open({str(path)!r}, 'rb')))"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout == "tensor([1., 2., 3.]) Parameter containing:\ntensor([1., 1.], requires_grad=True)\n"
