"""`save` and `load`: files go from one framework to the other and back."""

import collections
import io

import pytest

from parity_tests.suites._programs import run, same

DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip
SAVED = {
    "a tensor": lambda ns: ns.arange(6.0).reshape(2, 3),
    "a number without dimensions": lambda ns: ns.tensor(3),
    "nothing": lambda ns: ns.zeros(0, 3),
    "every dtype": lambda ns: [ns.arange(3).to(getattr(ns, each)) for each in DTYPES],
    "views of one memory": lambda ns: [x := ns.arange(6.0).reshape(2, 3), x[1], x.t(), x[:, ::2], x.diagonal()],
    "an expanded one": lambda ns: ns.ones(1, 3).expand(2, 3),
    "a conjugate": lambda ns: (ns.ones(2) * (1 + 2j)).conj(),
    "leaves": lambda ns: [ns.ones(2, requires_grad=True), ns.nn.Parameter(ns.ones(2))],
    "plain objects": lambda ns: {"a": 1, "b": [1.5, None, True], "c": ("x", b"y"), "d": {1, 2}, "e": 1j},
    "what describes tensors": lambda ns: [ns.float16, ns.Size([2, 3]), ns.device("cpu")],
    "ordered ones": lambda ns: [collections.OrderedDict(a=ns.ones(1)), collections.Counter("aab")],
    "a state": lambda ns: ns.nn.Sequential(ns.nn.Linear(2, 3), ns.nn.BatchNorm1d(3)).state_dict(),
    "an optimiser's state": lambda ns: trained(ns).state_dict(),
}


def trained(ns):
    x = ns.ones(2, requires_grad=True)
    optimizer = ns.optim.Adam([x], lr=0.1)
    (x * x).sum().backward()
    optimizer.step()
    return optimizer


def told(ns, value):
    """Plain data by which what was loaded is compared."""
    if isinstance(value, ns.Tensor):
        shared = value.untyped_storage().nbytes()
        kept = value.dtype, tuple(value.shape), value.stride(), value.storage_offset(), value.requires_grad, shared
        return type(value).__name__, *map(str, kept), repr(value.tolist())
    if isinstance(value, dict):
        return type(value).__name__, [(key, told(ns, each)) for key, each in value.items()]
    if isinstance(value, (tuple, list)):
        return type(value).__name__, [told(ns, each) for each in value]
    return repr(value).replace(ns.__name__, "torch")


def passed_on(writer, reader, name, **options):
    def program(ns):
        writer.manual_seed(0)
        file = io.BytesIO()
        writer.save(SAVED[name](writer), file)
        file.seek(0)
        return told(reader, reader.load(file, **options))

    return run(reader, program)


@pytest.mark.parametrize("name", SAVED)
@pytest.mark.parametrize("weights_only", [True, False])
def test_files_are_read_by_either(torch, candidate, name, weights_only):
    pairs = [(torch, torch), (torch, candidate), (candidate, torch), (candidate, candidate)]
    results = [passed_on(*pair, name, weights_only=weights_only) for pair in pairs]
    assert results == results[:1] * 4, results


def test_what_shared_memory_shares_it_again(torch, candidate):
    def program(ns):
        x = ns.arange(6.0).reshape(2, 3)
        file = io.BytesIO()
        ns.save({"whole": x, "row": x[1]}, file)
        file.seek(0)
        loaded = ns.load(file)
        loaded["row"].fill_(9)
        return loaded["whole"]

    same(torch, candidate, program)


def test_modules(torch, candidate):
    def program(ns, reader):
        file = io.BytesIO()
        ns.save(ns.nn.Sequential(ns.nn.Linear(2, 3), ns.nn.ReLU()).eval(), file)
        file.seek(0)
        module = reader.load(file, weights_only=False)
        return repr(module), module.training, module(reader.ones(1, 2)).shape, type(module).__module__.partition(".")[2]

    results = [
        program(*pair) for pair in ((torch, torch), (candidate, candidate), (torch, candidate), (candidate, torch))
    ]
    assert results == results[:1] * 4


class Unknown:
    """Something that is not loaded unless it was declared safe."""


def saved(ns, value):
    file = io.BytesIO()
    ns.save(value, file)
    file.seek(0)
    return file


LOADS = {
    "what is not known to be safe": lambda ns, path: ns.load(saved(ns, Unknown())),
    "a module": lambda ns, path: ns.load(saved(ns, ns.nn.ReLU())),
    "what was declared safe": lambda ns, path: declared(ns),
    "an empty file": lambda ns, path: ns.load(io.BytesIO()),
    "what is no file": lambda ns, path: ns.load(3),
    "to no file": lambda ns, path: ns.save(1, 3),
    "no file": lambda ns, path: ns.save(1),
    "a file that there is not": lambda ns, path: ns.load(path / "missing.pt"),
    "a path": lambda ns, path: (ns.save(ns.ones(2), path / "x.pt"), ns.load(path / "x.pt", map_location="cpu"))[1],
    "a name": lambda ns, path: (ns.save({"a": 1}, str(path / "y")), ns.load(str(path / "y")))[1],
}


def declared(ns):
    file = saved(ns, Unknown())
    with ns.serialization.safe_globals([Unknown]):
        return type(ns.load(file)).__name__


@pytest.mark.parametrize("name", LOADS)
def test_calls(torch, candidate, name, tmp_path):
    same(torch, candidate, lambda ns: LOADS[name](ns, tmp_path))
