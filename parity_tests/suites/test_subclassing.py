"""Subclasses of Tensor, and other classes with a `__torch_function__`: what they are asked, what comes of their answers."""

import copy
import functools
import pickle
from typing import ClassVar

import pytest

from parity_tests.suites._expressions import outcome, same_outcomes
from parity_tests.suites._programs import same

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")


@functools.cache
def plain(ns):
    """A subclass that changes nothing."""
    return type("Plain", (ns.Tensor,), {})


def logging(ns, log):
    """A subclass that notes what it is asked about, and answers as Tensor does."""

    class Logged(ns.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            log.append((func.__name__, [each.__name__ for each in types], [type(each).__name__ for each in args]))
            return super().__torch_function__(func, types, args, kwargs)

    return Logged


KEEPING = [
    "t + 1", "1 + t", "t + p", "p + t", "t - 1", "1 - t", "p - t", "t * 2", "2 * t", "t / 2", "2 / t", "t // 2", "2 // t",
    "t % 2", "2 % t", "t ** 2", "2 ** t", "t @ p", "p @ t", "-t", "+t", "abs(t)", "t == 1", "t != 1", "t < 1", "p < t",
    "~(t > 1)", "(t > 1) & True", "True & (t > 1)", "t[0]", "t[0:2]", "t[t > 1]", "p[t > 1]", "list(t)", "t.data", "t.T",
    "t.grad", "t.sum()", "t.sum(0, keepdim=True)", "ns.sum(t)", "ns.add(p, t)", "ns.add(t, p, alpha=2)", "p.add(t)",
    "ns.stack([p, t])", "ns.cat((t, p))", "t.max(0)", "t.unbind()", "t.split(1)", "ns.split(t, 2)", "t.chunk(2)",
    "t.clone()", "t.detach()", "t.to(ns.float64)", "t.float()", "t.half()", "t.long()", "t.view(3, 1)", "t.reshape(1, 3)",
    "ns.nn.functional.relu(t)", "ns.relu(t)", "ns.nn.ReLU()(t)", "ns.nn.MSELoss()(t, p)",
    "ns.nn.functional.pad(t, (1, 1))", "ns.zeros_like(t)", "ns.ones_like(t)", "ns.full_like(t, 2)", "t.new_zeros(3)",
    "t.new_tensor([1.])", "ns.tensor(t)", "ns.as_tensor(t)", "ns.tensor([t[0], t[1]])", "ns.where(t > 1, t, p)",
    "t.add_(1)", "p.add_(t)", "p.copy_(t)", "t.copy_(p)", "t.zero_()", "operator.iadd(t, 1)", "operator.iadd(p, t)",
    "t.as_subclass(ns.Tensor)", "t.requires_grad_()", "copy.copy(t)", "t.norm()", "ns.norm(t)", "t.cumsum(0)", "t.cpu()",
    "t.contiguous()", "t.type(ns.float64)", "t.expand(2, 3)", "t.squeeze()", "t.unsqueeze(0)", "ns.squeeze(t)",
    "ns.nn.functional.linear(t, p.expand(2, 3))", "np.sin(t)", "np.asarray(t)", "t.numpy()", "t.tolist()", "t.shape",
    "t.size()", "t.dtype", "t.requires_grad", "t.is_leaf", "t.grad_fn", "len(t)", "1.0 in t", "bool(t[0])", "float(t[0])",
    "ns.is_tensor(t)", "ns.numel(t)", "ns.is_floating_point(t)", "ns.equal(t, p)", "ns.allclose(t, p)", "repr(t)", "str(t)",
    "f'{t}'", "f'{t[0]}'", "t.dim()", "t.stride()", "t.is_contiguous()", "t.storage_offset()", "isinstance(t, ns.Tensor)",
    "isinstance(t, ns.nn.Parameter)", "t.foo", "t + 'a'", "t.add('a')", "ns.add(t)", "ns.nn.init.zeros_(t)",
]  # fmt: skip


def instance(ns, cls):
    return {"t": ns.tensor([1.0, 2.0, 3.0]).as_subclass(cls), "p": ns.tensor([3.0, 2.0, 1.0])}


def test_results_keep_the_class(torch, candidate):
    same_outcomes(torch, candidate, KEEPING, lambda ns: instance(ns, plain(ns)))


def test_results_of_a_subclass_of_a_subclass(torch, candidate):
    def make(ns):
        derived = type("Derived", (plain(ns),), {})
        return {"t": instance(ns, derived)["t"], "p": instance(ns, plain(ns))["t"]}

    same_outcomes(torch, candidate, KEEPING, make)


def test_unrelated_subclasses_do_not_mix(torch, candidate):
    def make(ns):
        return {"t": instance(ns, plain(ns))["t"], "p": instance(ns, type("Other", (ns.Tensor,), {}))["t"]}

    same_outcomes(torch, candidate, ["t + p", "p + t", "ns.add(t, p)", "t.add(p)", "ns.cat([p, t])"], make)


ASKED = [
    "t + 1", "1 + t", "p + t", "t - 1", "1 - t", "t * 2", "t / 2", "t // 2", "2 // t", "t % 2", "2 % t", "2 ** t", "t @ p",
    "-t", "abs(t)", "t == 1", "t != 1", "t < 1", "p < t", "~(t > 1)", "t[0]", "t[t > 1]", "p[t > 1]", "1.0 in t", "len(t)",
    "t.sum()", "ns.sum(t)", "ns.add(p, t)", "p.add(t)", "ns.stack([p, t])", "t.max(0)", "t.clone()", "t.size()",
    "t.add_(1)", "p.add_(t)", "operator.iadd(t, 1)", "operator.imul(t, 2)", "ns.relu(t)", "ns.zeros_like(t)", "t.new_zeros(3)",
    "ns.tensor(t)", "ns.is_tensor(t)", "ns.where(t > 1, t, p)", "t.shape", "t.dtype", "t.grad", "t.is_leaf", "t.T", "t.data",
    "t.numpy()", "t.tolist()", "hash(t)", "t.__dict__", "t.dim()", "t.ndimension()", "t.nelement()", "bool(t[0])",
    "t.to(ns.float64)", "t.detach()", "t.requires_grad_()", "setattr(t, 'requires_grad', True)", "setattr(t, 'note', 1)",
    "ns.nn.functional.linear(t, p.expand(2, 3))", "ns.nn.Linear(3, 2)(t)", "ns.result_type(t, 1)", "t.type()", "t.cpu()",
    "t.__setitem__(0, 1.)", "p.__setitem__(0, t[0])", "t.as_subclass(ns.Tensor)", "t.unbind()", "t.nbytes", "t.real",
]  # fmt: skip


@pytest.mark.parametrize("expression", ASKED)
def test_what_is_asked(torch, candidate, expression):
    def program(ns):
        log = []
        names = instance(ns, logging(ns, log))
        log.clear()
        outcome(ns, expression, names)
        return log

    same(torch, candidate, program)


def test_the_function_is_the_public_one(torch, candidate):
    def program(ns):
        seen = []

        class Seeing(ns.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                seen.append(func)
                return super().__torch_function__(func, types, args, kwargs)

        t = ns.ones(3).as_subclass(Seeing)
        seen.clear()
        ns.mean(t), t.mean(), t + 1, t.shape, ns.nn.functional.relu(t), ns.stack([t]), t[0]
        public = [
            ns.mean, ns.Tensor.mean, ns.Tensor.add, ns.Tensor.shape.__get__, ns.nn.functional.relu, ns.stack,
            ns.Tensor.__getitem__,
        ]  # fmt: skip
        return [a == b for a, b in zip(seen, public, strict=True)], len({*seen, *public})

    same(torch, candidate, program)


class Scalar:
    """The number N * value, as a diagonal matrix, from torch's page on extending it; no tensor."""

    handled: ClassVar[dict] = {}

    def __init__(self, n, value):
        self.n, self.value = n, value

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func not in cls.handled or not all(issubclass(each, Scalar) or each.__name__ == "Tensor" for each in types):
            return NotImplemented
        return cls.handled[func](*args, **(kwargs or {}))


def test_foreign_classes_with_a_table_of_functions(torch, candidate):
    def program(ns):
        Scalar.handled = {
            ns.mean: lambda input: input.value / input.n,
            ns.add: lambda a, b, alpha=1: ("add", type(a).__name__, type(b).__name__, alpha),
            ns.nn.functional.relu: lambda input, inplace=False: ("relu", inplace),
            ns.stack: lambda tensors, dim=0: ("stack", len(tensors), dim),
            ns.Tensor.mul: lambda a, b: ("mul", type(b).__name__),
        }
        d, p = Scalar(5, 2.0), ns.ones(2)
        return [
            ns.mean(d), ns.add(d, p), ns.add(p, d, alpha=2), ns.nn.functional.relu(d), ns.stack([p, d], dim=1), p.mul(d),
            ns.overrides.is_tensor_like(d), ns.is_tensor(d),
        ]  # fmt: skip

    same(torch, candidate, program)


REFUSED = [
    "ns.mean(d)", "ns.add(d, 1)", "ns.add(p, d)", "p.add(d)", "p + d", "d + p", "p == d", "p != d", "p < d", "ns.stack([d, p])",
    "ns.nn.functional.relu(d)", "ns.nn.functional.dropout(d)", "p[d]", "p.__setitem__(0, d)", "ns.cat([d])", "ns.is_tensor(d)",
    "ns.where(p > 1, p, d)", "operator.iadd(p, d)", "ns.zeros_like(d)", "ns.matmul(p, d)",
]  # fmt: skip


def test_nobody_answers(torch, candidate):
    Scalar.handled = {}
    same_outcomes(torch, candidate, REFUSED, lambda ns: {"d": Scalar(5, 2.0), "p": ns.ones(2)})


class Answering:
    """A foreign class that answers, with the operands' places."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return "answer", [type(each).__name__ for each in args]


class Failing:
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        raise TypeError("not with me")

    def __radd__(self, other):
        return "added by itself"


_OPERATIONS = [
    *(f"p {symbol} d" for symbol in ("+", "-", "*", "/", "//", "%", "**", "@", "<<", ">>", "&", "|", "^", "==", "!=", "<", ">=")),
    *(f"d {symbol} p" for symbol in ("+", "-", "*", "/", "//", "%", "**", "@", "<<", ">>", "&", "|", "^", "==", "!=", "<", ">=")),
    "operator.iadd(p, d)", "operator.imul(p, d)", "operator.iand(p, d)",
]  # fmt: skip


@pytest.mark.parametrize("kind", [Answering, Failing])
def test_operators_ask_foreign_operands(torch, candidate, kind):
    same_outcomes(torch, candidate, _OPERATIONS, lambda ns: {"d": kind(), "p": ns.ones(2)})


def test_subclasses_are_asked_before_their_bases(torch, candidate):
    def program(ns):
        asked = []

        class Base:
            answer = "base"

            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                asked.append((cls.__name__, [each.__name__ for each in types], kwargs))
                return cls.answer

        class Derived(Base):
            answer = NotImplemented

        class Other(Base):
            answer = NotImplemented

        results = [
            ns.add(Base(), Derived()), ns.add(Derived(), Base(), alpha=2), ns.stack([Other(), Base(), Derived()]),
            ns.add(Base(), ns.ones(1)), ns.maximum(Other(), Base()),
        ]  # fmt: skip
        return results, asked

    same(torch, candidate, program)


def test_a_custom_answer(torch, candidate):
    """Metadata that follows the computation, from torch's page on extending it."""

    def program(ns):
        class Meta:
            def __init__(self, data, note):
                self.data, self.note = data, note

            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                notes = [each.note for each in args if isinstance(each, cls)]
                values = [each.data if isinstance(each, cls) else each for each in args]
                return cls(func(*values, **(kwargs or {})), notes)

        result = ns.add(Meta(ns.ones(2), "a"), ns.mul(Meta(ns.ones(2), "b"), 3))
        return result.data, result.note

    same(torch, candidate, program)


@pytest.mark.parametrize("context", ["DisableTorchFunctionSubclass", "DisableTorchFunction"])
def test_contexts_in_which_nobody_is_asked(torch, candidate, context):
    def program(ns):
        log = []
        t = instance(ns, logging(ns, log))["t"]
        log.clear()
        with getattr(ns._C, context)():
            result = t + 1
            shape = t.shape
        return type(result).__name__, shape, log, type(t + 1).__name__

    same(torch, candidate, program)


def test_classes_that_decline(torch, candidate):
    def make(ns):
        declined = {"__torch_function__": ns._C._disabled_torch_function_impl}
        return {
            "t": ns.ones(2).as_subclass(type("Declining", (ns.Tensor,), declined)),
            "w": ns.nn.Parameter(ns.ones(2)),
            "v": type("Weight", (ns.nn.Parameter,), {})(ns.ones(2)),
        }

    expressions = [
        f"{name}{rest}" for name in "twv" for rest in ("", " + 1", ".sum()", "[0]", ".data", ".clone()", ".detach()")
    ]
    same_outcomes(torch, candidate, [*expressions, "t + w", "ns.stack([t, w, v])", "type(w.data)"], make)


MADE = [
    "C([1., 2.])", "C(2, 3).shape", "C(ns.ones(2))", "C()", "ns.Tensor._make_subclass(C, p)",
    "ns.Tensor._make_subclass(C, p, True)", "ns.Tensor._make_subclass(C, p * 2).grad_fn", "ns.Tensor._make_subclass(C, 3)",
    "ns.Tensor._make_subclass(3, p)", "ns.Tensor._make_subclass(int, p)", "ns.Tensor._make_subclass(C, i, True)",
    "p.as_subclass(C)", "p.as_subclass(3)", "p.as_subclass(int)", "(p * 2).as_subclass(C).grad_fn is None",
    "w.as_subclass(C)", "w.as_subclass(C).is_leaf", "w.as_subclass(C)._is_view()", "p.as_subclass(C).data_ptr() == p.data_ptr()",
    "(p.as_subclass(C).add_(1), p)[1]", "p.as_subclass(C)._base is p", "type(p.as_subclass(C).as_subclass(ns.Tensor))",
    "ns.nn.Parameter(p.as_subclass(C))", "isinstance(ns.nn.Parameter(p.as_subclass(C)), ns.nn.Parameter)",
    "ns.nn.Parameter(p.as_subclass(C)).requires_grad", "issubclass(C, ns.Tensor)", "C.__bases__ == (ns.Tensor,)", "C.__name__",
    "ns.Tensor(p.as_subclass(C))", "isinstance(p, C)", "pickle.loads(pickle.dumps(ns.nn.Parameter(p)))",
]  # fmt: skip


def test_making_instances(torch, candidate):
    def make(ns):
        return {
            "C": plain(ns), "p": ns.tensor([1.0, 2.0]), "i": ns.tensor([1, 2]), "w": ns.ones(2, requires_grad=True)
        }  # fmt: skip

    same_outcomes(torch, candidate, MADE, make)


def test_attributes_of_ones_own(torch, candidate):
    def program(ns):
        class Tagged(ns.Tensor):
            @staticmethod
            def __new__(cls, data, tag):
                out = ns.Tensor._make_subclass(cls, data)
                out.tag = tag
                return out

            def __init__(self, data, tag):
                super().__init__()

            def __repr__(self):
                return f"Tagged({self.tag})"

            def doubled(self):
                return self * 2

            @property
            def shout(self):
                return self.tag.upper()

        tagged = Tagged(ns.ones(2), "x")
        result = tagged.doubled()
        same_object = tagged.add_(1)
        return (
            repr(tagged), tagged.shout, type(result).__name__, hasattr(result, "tag"), same_object is tagged,
            same_object.tag, copy.copy(tagged).tag, [type(each).__name__ for each in tagged],
        )  # fmt: skip

    same(torch, candidate, program)


def test_gradients_through_a_subclass(torch, candidate):
    def program(ns):
        t = ns.tensor([1.0, 2.0]).as_subclass(plain(ns)).requires_grad_()
        y = (t * t + ns.ones(2)).sum()
        name = y.grad_fn.name()
        y.backward()
        (g,) = ns.autograd.grad((t**3).sum(), t, create_graph=True)
        return name, type(t.grad).__name__, t.grad, type(g).__name__, g.detach().as_subclass(ns.Tensor), t.is_leaf

    same(torch, candidate, program)


def test_training_a_parameter_of_a_subclass(torch, candidate):
    def program(ns):
        ns.manual_seed(0)
        layer = ns.nn.Linear(2, 1, bias=False)
        layer.weight = ns.nn.Parameter(ns.ones(1, 2).as_subclass(plain(ns)))
        optimiser = ns.optim.SGD(layer.parameters(), 0.5)
        for _ in range(3):
            optimiser.zero_grad()
            layer(ns.ones(1, 2)).sum().backward()
            optimiser.step()
        return type(layer.weight).__name__, layer.weight.detach().as_subclass(ns.Tensor), list(layer.state_dict())

    same(torch, candidate, program)


@pytest.mark.parametrize("empty", [False, True])
def test_deep_copies_need_new_empty(torch, candidate, empty):
    def program(ns):
        def new_empty(self, shape):
            return ns.empty(shape).as_subclass(type(self))

        cls = type("Copied", (ns.Tensor,), {"new_empty": new_empty} if empty else {})
        t = ns.tensor([1.0, 2.0]).as_subclass(cls)
        t.note = "kept"
        out = copy.deepcopy(t)
        return type(out).__name__, out.note, out.tolist()

    same(torch, candidate, program)


class Global:
    """Makes a subclass that pickle finds."""


def test_pickles_of_a_subclass(torch, candidate):
    def program(ns):
        Global.Tagged = type("Tagged", (ns.Tensor,), {"__module__": __name__, "__qualname__": "Global.Tagged"})
        t = ns.tensor([1.0, 2.0]).as_subclass(Global.Tagged)
        t.note = "kept"
        out = pickle.loads(pickle.dumps(t))
        return type(out) is Global.Tagged, out.note, out.tolist()

    same(torch, candidate, program)


def test_modes(torch, candidate):
    def program(ns):
        asked = []

        class Noting(ns.overrides.TorchFunctionMode):
            def __init__(self, name):
                super().__init__()
                self.name = name

            def __torch_function__(self, func, types, args=(), kwargs=None):
                asked.append((self.name, func.__name__))
                return func(*args, **(kwargs or {}))

        with Noting("outer") as mode, Noting("inner"):
            x = ns.ones(2) + 1
            x.sum()
            ns.nn.functional.relu(x)
            ns.tensor([1])[0]
            ns.randn(2)
        x + 1
        return asked, type(mode).__name__

    same(torch, candidate, program)


OVERRIDES = [
    "ns.overrides.is_tensor_like(t)", "ns.overrides.is_tensor_like(3)", "ns.overrides.is_tensor_like(p)",
    "ns.overrides.has_torch_function((p,))", "ns.overrides.has_torch_function((3, t))",
    "ns.overrides.has_torch_function_unary(t)", "ns.overrides.has_torch_function((ns.nn.Parameter(p),))",
    "ns.overrides.has_torch_function_variadic(p, t)", "ns.overrides.resolve_name(ns.add)", "ns.overrides.resolve_name(print)",
    "ns.overrides.resolve_name(ns.Tensor.add)", "ns.overrides.resolve_name(ns.Tensor.shape.__get__)",
    "ns.overrides.resolve_name(ns.nn.functional.relu)", "ns.overrides.is_tensor_method_or_property(ns.Tensor.add)",
    "ns.overrides.is_tensor_method_or_property(ns.Tensor.shape.__get__)", "ns.overrides.is_tensor_method_or_property(ns.add)",
    "ns.overrides.handle_torch_function(ns.mean, (t,), t)", "ns.overrides.handle_torch_function(ns.mean, (3,), 3)",
    "ns.add in ns.overrides.get_overridable_functions()[ns]", "ns.zeros in ns.overrides.get_ignored_functions()",
    "ns.nn.functional.relu in ns.overrides.get_overridable_functions()[ns.nn.functional]",
    "ns.Tensor.add in ns.overrides.get_overridable_functions()[ns.Tensor]",
    "ns.overrides.wrap_torch_function(lambda x: (x,))(lambda x: x + 0)(p)",
    "len(ns.overrides.get_default_nowrap_functions()) > 1",
]  # fmt: skip


def test_the_module_overrides(torch, candidate):
    same_outcomes(torch, candidate, OVERRIDES, lambda ns: instance(ns, plain(ns)))


def test_a_function_of_ones_own_can_be_overridden(torch, candidate):
    def program(ns):
        def mine(x, scale=1):
            if ns.overrides.has_torch_function((x,)):
                return ns.overrides.handle_torch_function(mine, (x,), x, scale=scale)
            return x * scale

        Scalar.handled = {mine: lambda x, scale: ("mine", scale)}
        return mine(ns.ones(1), 2), mine(Scalar(1, 1), 3)

    same(torch, candidate, program)


def test_wrapper_subclasses_are_refused(candidate):
    with pytest.raises(NotImplementedError, match="_make_wrapper_subclass"):
        candidate.Tensor._make_wrapper_subclass(plain(candidate), (2,))


def test_dispatching_classes_are_refused(candidate):
    with pytest.raises(NotImplementedError, match=r"Below\.__torch_dispatch__"):
        type("Below", (candidate.Tensor,), {"__torch_dispatch__": classmethod(lambda *args: None)})


def test_nothing_is_asked_before_there_is_a_class(candidate):
    """In a fresh process: declining classes, training and foreign objects leave functions as they are."""
    import subprocess
    import sys

    name = candidate.__name__
    text = f"""
import sys, {name} as torch
class Weight(torch.nn.Parameter): pass
code = torch.add.__code__, torch.Tensor.__add__.__code__
layer = torch.nn.Linear(2, 1)
layer.weight = Weight(torch.ones(1, 2))
layer(torch.ones(2)).backward()
assert (torch.add.__code__, torch.Tensor.__add__.__code__) == code
assert "{name}._torch_function" not in sys.modules
class Duck:
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None): return func is torch.mean
print(torch.mean(Duck()), torch.mean(torch.ones(2)))
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True tensor(1.)\n", "")
