"""torch's own database of operators: what it feeds to each of them and to their variants, and what each refuses."""

import contextlib
import functools
import importlib
import random
import re
import types

import pytest
from hypothesis import settings

from parity_tests.backends import TorchLike
from parity_tests.check import Disagreement, Outcome
from parity_tests.check.tally import current
from parity_tests.suites._programs import agree, same

pytestmark = pytest.mark.filterwarnings("ignore")  # the suites of the operators compare what they warn of

DTYPES = ("float32", "float64", "complex64", "complex128", "bfloat16", "int64", "int32", "uint8", "bool")
PARTS = 8  # into which the database is dealt out, for as many processes
LARGE = 1_000  # elements: sums of more are a matter of their order, and every operator is to have its turn

# Of these, what the result holds is anybody's.
UNINITIALISED = frozenset({"empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided"})

# The results of these have no strides.
SPARSE = frozenset({"to_sparse"})

# In these torch's result is its own truth: what its kernels lose to cancellation, or by many roundings, shows nowhere.
# Entries of many roundings are held to what these would do in float32, in which their rounding itself is measured, too.
WIDEST = ("float64", "complex128")
OF_MANY_ROUNDINGS = frozenset(
    {"cdist", "linalg.svdvals", "norm.nuc", "nn.functional.gelu"}
    | {f"nn.functional.interpolate.{mode}" for mode in ("linear", "bilinear", "bicubic", "trilinear")}
)
# x - log(sum of exp x): where one element outweighs all others, its result is what is left of the sum's rounding.
CANCELLING = frozenset({"log_softmax", "log_softmax.with_dtype"})


@contextlib.contextmanager
def profile_kept():
    """torch's tests have profiles of Hypothesis of their own, which the import of what they share loads."""
    name = settings.get_current_profile_name()
    own = settings.get_profile(name)
    yield
    settings.register_profile(name, own)
    settings.load_profile(name)


@functools.cache
def database():
    """torch's descriptions of its operators, by name."""
    with profile_kept():
        entries = importlib.import_module("torch.testing._internal.common_methods_invocations").op_db
    return {".".join(filter(None, (entry.name, entry.variant_test_name))): entry for entry in entries}


# -- from torch's world into another ------------------------------------------------------------------------------------


class World:
    """What the database says of torch, said of `ns`: tensors, dtypes, and functions under their names."""

    def __init__(self, torch, ns, tensor=None):
        self.torch, self.ns = torch, ns
        self.tensor = tensor or TorchLike(ns).tensor
        self.operands = {}

    def value(self, value):
        """AttributeError for what `ns` lacks."""
        torch = self.torch
        if isinstance(value, torch.Tensor):
            if id(value) not in self.operands:
                self.operands[id(value)] = self._operand(value)
            return self.operands[id(value)]
        if isinstance(value, torch.Size):
            return self.ns.Size(value)
        if isinstance(value, (tuple, list)):
            return type(value)(map(self.value, value))
        if isinstance(value, dict):
            return {key: self.value(each) for key, each in value.items()}
        if isinstance(value, torch.device):
            return self.ns.device(str(value))
        if isinstance(value, (torch.dtype, torch.memory_format, torch.layout)):
            return getattr(self.ns, str(value).removeprefix("torch."))
        if isinstance(value, torch.nn.Module):
            return getattr(self.ns.nn, type(value).__name__)()
        return self.function(value) if isinstance(value, _FUNCTIONS) else value

    def _operand(self, given):
        """A tensor of the same elements and strides."""
        value, requires_grad = given.detach(), given.requires_grad
        if value.dtype == self.torch.bfloat16:
            return self.tensor(value.float().numpy()).to(self.ns.bfloat16).requires_grad_(requires_grad)
        if value.is_contiguous() or value.numel() < 2:
            return self.tensor(value.resolve_conj().numpy(), requires_grad)
        places = 1 + sum((size - 1) * step for size, step in zip(value.shape, value.stride(), strict=True))
        memory = self.tensor(value.as_strided((places,), (1,)).numpy())
        return memory.as_strided(value.shape, value.stride()).requires_grad_(requires_grad)

    def function(self, value):
        """The counterpart of a function of torch's, or of a few lines of the database's that call some."""
        if isinstance(value, functools.partial):
            return functools.partial(self.function(value.func), *self.value(value.args), **self.value(value.keywords))
        if value in named(self.torch):
            return attribute(self.ns, named(self.torch)[value])
        home = getattr(value, "__globals__", {}).get("__name__") or getattr(value, "__module__", None)
        if home in ("_operator", "builtins", "contextlib"):
            return value
        if isinstance(value, types.FunctionType) and home.startswith("torch.testing."):
            return self._rebound(value)
        raise AttributeError(f"{value} has no public name")

    def _rebound(self, function):
        """The same lines with `ns` for torch in them."""
        code, namespace = function.__code__, function.__globals__
        read = {name: self._read(namespace[name]) for name in names_in(code) if name in namespace}
        cells = tuple(types.CellType(self._read(cell.cell_contents)) for cell in function.__closure__ or ())
        defaults = self.value(function.__defaults__ or ())
        rebound = types.FunctionType(code, {**namespace, **read}, function.__name__, defaults, cells)
        rebound.__kwdefaults__ = self.value(function.__kwdefaults__ or {})
        return rebound

    def _read(self, value):
        if isinstance(value, types.ModuleType):
            space, _, rest = value.__name__.partition(".")
            return attribute(self.ns, rest) if space == "torch" else value
        return self.value(value) if isinstance(value, (*_FUNCTIONS, tuple, self.torch.dtype)) else value


_FUNCTIONS = (
    functools.partial,
    types.BuiltinFunctionType,
    types.FunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
)


@functools.cache
def named(torch):
    """torch's functions and methods, and where they are found."""
    found = {}
    for space in ("", "nn.functional", "Tensor", "special", "linalg", "fft", "_C._nn"):
        for name in dir(attribute(torch, space)):
            value = getattr(attribute(torch, space), name)
            if isinstance(value, _FUNCTIONS):
                found.setdefault(value, f"{space.replace('_C._nn', 'nn.functional')}.{name}")
    return found


def attribute(ns, path):
    return functools.reduce(getattr, filter(None, path.split(".")), ns)


def names_in(code):
    """The names that a function reads, and those within it."""
    inner = (each for each in code.co_consts if isinstance(each, types.CodeType))
    return {*code.co_names}.union(*map(names_in, inner))


# -- what is compared -----------------------------------------------------------------------------------------------------


def program_of(torch, name, form, sample):
    """What a form of an operator makes of a sample; the operands as it leaves them; and their gradients."""

    def program(ns, tensor):
        world = World(torch, ns, tensor)
        function, kwargs = world.function(form), world.value(sample.kwargs)
        args = world.value((sample.input, *sample.args))
        ns.manual_seed(0)
        result = function(*args, **kwargs)
        if name in UNINITIALISED:
            result.zero_()
        if name in SPARSE:
            result = result.to_dense()
        operands = list(world.operands.values())
        return result, operands, gradients(ns, result, operands)

    return program


def gradients(ns, result, operands):
    """What the operands that are leaves get for cotangents that are exact in every dtype."""
    outs = [each for each in tensors_in(result) if each.requires_grad]
    leaves = [each for each in operands if each.is_leaf and each.requires_grad]
    if not outs or not leaves:
        return []
    cotangents = [(ns.arange(each.numel()) % 5 - 2).reshape(each.shape).to(each.dtype) for each in outs]
    found = ns.autograd.grad(outs, leaves, cotangents, allow_unused=True)
    return [
        ns.zeros_like(leaf) if each is None else each.clone(memory_format=ns.contiguous_format)
        for leaf, each in zip(leaves, found, strict=True)
    ]


def tensors_in(value):
    if isinstance(value, (tuple, list)):
        return [each for item in value for each in tensors_in(item)]
    return [value] if hasattr(value, "requires_grad") else []


@functools.cache
def seed():
    """The same one where nothing is to be random."""
    return 0 if settings.default.derandomize else random.randrange(2**32)


@functools.cache
def samples_of(torch, name, dtype):
    """An entry's samples in a dtype, as its own function makes them: what torch's tests have around that looks through the
    whole stack of calls for each of them."""
    entry, kind = database()[name], getattr(torch, dtype)
    differentiable = entry.supports_autograd and (kind.is_floating_point or kind.is_complex)
    torch.manual_seed(seed())
    samples = list(entry.sample_inputs_func(entry, "cpu", kind, differentiable))
    return [each for each in samples if size_of(each) < LARGE] or samples[:1]


def size_of(sample):
    return sum(each.numel() for each in tensors_in((sample.input, *sample.args, *sample.kwargs.values())))


def forms_of(torch, candidate, entry):
    """The function, the method, the operator and what they are in place, as far as the candidate has them."""
    forms = (
        entry.op,
        entry.method_variant,
        entry.inplace_variant,
        entry.operator_variant,
        entry.inplace_operator_variant,
    )
    return [each for each in forms if each is not None and not lacks(torch, candidate, each)]


def lacks(torch, candidate, function):
    try:
        World(torch, candidate).function(function)
    except AttributeError:
        return True
    return False


def entries_of(torch, candidate, part):
    """One part of the entries that the candidate has, but for those of other devices and dtypes."""
    dealt = list(database().items())[part::PARTS]
    return [each for each in dealt if dtypes_of(torch, each[1]) and not lacks(torch, candidate, each[1].op)]


def dtypes_of(torch, entry):
    supported = entry.supported_dtypes("cpu")
    return [each for each in DTYPES if getattr(torch, each) in supported]


@contextlib.contextmanager
def counted(name, what):
    """Within, one comparison: what it comes to is counted, and a difference says where it was found."""
    outcome = Outcome.PASS
    try:
        yield
    except Disagreement as error:
        said = str(error)
        if error.outcome is Outcome.UNSUPPORTED or re.search(r"AttributeError: .* has no attribute '\w+'", said):
            outcome = Outcome.UNSUPPORTED
            current().unsupported[f"torch's database: {name}"] += 1
        else:
            error.add_note(f"{name}: {what}")
            raise
    current().case(outcome)


@pytest.mark.parametrize("part", range(PARTS))
def test_samples(torch, candidate, part):
    """Values, gradients, dtypes, strides and memory shared, of an operator in one form, on one sample."""
    for name, entry in entries_of(torch, candidate, part):
        for dtype, sample, form in cases_of(torch, candidate, name, entry):
            with counted(name, f"{form} in {dtype} of {sample}"):
                program = program_of(torch, name, form, sample)
                agree(
                    torch,
                    candidate,
                    program,
                    cancels=name in CANCELLING or dtype in WIDEST,
                    coarsest=coarsest(name, dtype),
                )


def coarsest(name, dtype):
    """The narrowest dtype in which an operator computes that is given this one: of integers it makes float32."""
    if dtype in WIDEST and name in OF_MANY_ROUNDINGS:
        return "float32"
    return dtype if dtype.startswith(("float", "bfloat", "complex")) else "float32"


def cases_of(torch, candidate, name, entry):
    """Some dtypes, and for each of them a sample and a form, no two of these alike; the samples live no longer than these."""
    draw, drawn = random.Random(f"{seed()} {name}"), set()
    dtypes, forms = dtypes_of(torch, entry), range(len(forms_of(torch, candidate, entry)))
    for dtype in draw.choices(dtypes, k=max(settings.default.max_examples // 10, 1)):
        samples = samples_of(torch, name, dtype)
        if samples:
            drawn.add((dtype, draw.randrange(len(samples)), draw.choice(forms)))
    for dtype, number, form in sorted(drawn):
        yield dtype, samples_of(torch, name, dtype)[number], forms_of(torch, candidate, entry)[form]
    samples_of.cache_clear()


@pytest.mark.parametrize("part", range(PARTS))
def test_faulty_inputs(torch, candidate, part):
    """The class and the words of the error."""
    for name, entry in entries_of(torch, candidate, part):
        for error_input in entry.error_inputs_func(entry, "cpu") if entry.error_inputs_func is not None else ():
            sample = error_input.sample_input
            if isinstance(sample.input, (torch.Tensor, list, tuple)) and size_of(sample) < LARGE:
                with counted(name, sample):
                    same(torch, candidate, lambda ns, form=entry.op, sample=sample: refusal(torch, ns, form, sample))


def refusal(torch, ns, form, sample):
    world = World(torch, ns)
    world.function(form)(*world.value((sample.input, *sample.args)), **world.value(sample.kwargs))


def test_what_there_is(torch, candidate):
    """Entries that the candidate lacks count as unsupported, and are listed."""
    missing = [name for name, entry in database().items() if lacks(torch, candidate, entry.op)]
    tally = current()
    for name in database():
        tally.case(Outcome.UNSUPPORTED if name in missing else Outcome.PASS)
    if missing:
        tally.unsupported[f"torch's database: {', '.join(missing)}"] += len(missing)
