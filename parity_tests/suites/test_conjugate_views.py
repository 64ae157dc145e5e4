"""Conjugate and negative views: what shares memory with what, what is written through them, and what resolves them."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.cases import conjugates
from parity_tests.cases.complexes import normal, whole
from parity_tests.suites._programs import agree, run, same
from parity_tests.suites._registry import Programs
from parity_tests.suites._warnings import warned

seeds = st.integers(0, 2**32 - 1)


@pytest.mark.filterwarnings("ignore:Use of:UserWarning")
@given(steps=conjugates.PROGRAMS, seed=seeds)
def test_random_programs(torch, candidate, steps, seed):
    """After every step all that can be seen of every tensor, at the end the gradients and theirs."""

    def program(ns):
        pool = conjugates.start(ns, seed)
        states = []
        for step in steps:
            outcome = run(ns, conjugates.take, pool, step)
            states.append((outcome, conjugates.state(pool)))
        return states, run(ns, conjugates.gradients, pool, seed)

    same(torch, candidate, program)


# -- functions of them ------------------------------------------------------------------------------------------------

FUNCTIONS = """
exp(z); log(z); sqrt(z); sin(z); tanh(z); abs(z); angle(z); sgn(z); square(z); reciprocal(z); sigmoid(z); pow(z, 2)
add(z, w); sub(w, z); mul(z, w); div(z, w); add(z, w, alpha=2j); eq(z, w); ne(z, w); isclose(z, w); pow(z, w)
mm(z, w); matmul(z, w.mT); addmm(z, z, w); bmm(z[None], w[None]); mv(z, w[0]); dot(z[0], w[0]); vdot(z[0], w[0])
outer(z[0], w[0]); nn.functional.linear(z, w)
sum(z, 0); mean(z); prod(z, 1); var(z); std(z, 0); cumsum(z, 0); cumprod(z, 1); norm(z); logsumexp(z, 0)
cat([z, w]); stack([w, z]); where(z.real > 0, z, w); gather(z, 1, n); index_select(z, 0, n[0]); take(z, n)
masked_select(z, z.real > 0); flip(z, (0,)); roll(z, 1); tril(z); tile(z, (2,)); nonzero(z); count_nonzero(z)
max(r); argmax(r); relu(r); clamp(r, -1, 1); softmax(r, 1); mul(r, z); add(r, z.real); sign(r); floor(r); exp(r)
maximum(r, z.real); atan2(r, z.real); cat([r, z.real]); lerp(r, z.real, 0.5); isfinite(z); view_as_real(z * 1)
complex(z.real, r); polar(z.real, r); diagonal(z); zeros_like(z); full_like(r, 2.0); empty_like(z).is_conj()
masked_fill(z, z.real > 0, 2j); index_add(z, 0, n[0], w); scatter(z, 1, n, w); diff(z); equal(z, w); allclose(z, z)
nn.functional.pad(z, (1, 1)); nn.functional.dropout(z, 0.0); unbind(z); broadcast_to(z, (2, 3, 3)); t(z)
"""


@pytest.mark.parametrize("text", [part.strip() for part in FUNCTIONS.replace("\n", ";").split(";") if part.strip()])
def test_functions(torch, candidate, text):
    def program(ns, tensor):
        scope = {
            "torch": ns,
            "z": tensor(normal(1, (3, 3), "complex128"), True).conj(),
            "w": tensor(normal(2, (3, 3), "complex128")).mH,
            "r": tensor(normal(3, (3, 3), "complex128"), True).conj().imag,
            "n": ns.tensor([[0, 2, 1]]),
        }
        return eval(f"torch.{text}", scope)

    agree(torch, candidate, program)


@pytest.mark.parametrize("name", ["matmul", "mul", "div", "pow", "vdot"])
def test_derivatives_where_both_operands_are_views(torch, candidate, name):
    shape = (3,) if name == "vdot" else (3, 3)

    def program(ns, tensor):
        z, w = (tensor(normal(at, shape, "complex128"), True) for at in (1, 2))
        g = tensor(normal(3, (), "complex128"))
        result = getattr(ns, name)(z.conj(), (w + 4).conj())
        first = ns.autograd.grad(result.sum(), (z, w), g.conj(), create_graph=True)
        second = ns.autograd.grad((first[0] * first[1].conj()).sum().abs(), (z, w))
        return [each.detach().resolve_conj().contiguous() for each in (*first, *second)]

    agree(torch, candidate, program)


# -- writes -----------------------------------------------------------------------------------------------------------

WRITES = """
c.mul_(2j); c += 1j; c.sub_(z.clone()); c.div_(2); c.copy_(z); z.copy_(c); c.copy_(torch.ones(2, 2)); c.fill_(2 + 1j)
c.zero_(); c.neg_(); c.square_(); c.conj_physical_(); c[0] = 5j; c[:, 1] = z[:, 0]; c[torch.tensor([1])] = 3 - 1j
c[c.real > 0] = 7j; c[1:] = c.clone()[:1]; c.masked_fill_(z.real > 0, 3j); c.index_add_(0, n, z[1:].clone())
c.index_fill_(0, n, 2j); c.index_copy_(0, n, z[1:].clone()); c.scatter_(0, n[None], 2j); c.put_(n, torch.tensor([2j]))
c.index_put_((n,), z[1].clone(), accumulate=True); c.masked_scatter_(z.real > 0, torch.tensor([1j, 2j, 3j, 4j]))
c.real = torch.ones(2, 2); c.imag = torch.ones(2, 2); c.imag.mul_(3); c.imag[0] = 9; c.imag.copy_(n); c.imag.clamp_(-1, 1)
c.imag.neg_(); c.T.mul_(2j); c[0].add_(z[1]); c.diagonal().fill_(1j); c.view(-1)[1:3].mul_(1j); c.addcmul_(w, w)
c.lerp_(w, 0.5); c.tril_(); c.addmm_(w, w); torch.mul(w, 2, out=c); torch.add(w.real, 1, out=c.imag)
torch.mul(z, 2, out=c); torch.mul(c, 2, out=z); torch.mm(w, w, out=c); z[1:].add_(c[:-1]); c[1:].add_(z[:-1])
c[1:].copy_(z[:1]); z[:, 1].copy_(c[:, 0]); c.detach().mul_(2); c.data.mul_(2); c.conj().mul_(2j)
torch._neg_view(z).add_(1); torch._neg_view(c).imag.add_(1); torch.view_as_real(torch._neg_view(z)).fill_(2)
c.expand(2, 2, 2).add_(1); c.expand(2, 2, 2).fill_(1); c.expand(2, 2, 2).copy_(w); c.expand(2, 2, 2)[:] = 1
torch.manual_seed(3), c.uniform_(); torch.manual_seed(3), c.imag.normal_(); torch.manual_seed(3), c.imag.random_(0, 9)
c[n] = c; c[n] = z; z[n] = c; c[n] = c[:1]; c.index_add_(0, n, c); c[1:] = z[:1].mT.T
z[1:] = c[:1]; c.resize_(2); c.untyped_storage().fill_(0); c.detach().t_().mul_(2j)
torch.mul(torch.ones(3), 2, out=torch.ones(2, dtype=torch.complex64).conj())
torch.mul(w[0], 2, out=torch.ones(2, dtype=torch.complex128).conj())
"""


@pytest.mark.filterwarnings("ignore:An output with one or more elements:UserWarning")
@pytest.mark.parametrize("text", [part.strip() for part in WRITES.replace("\n", ";").split(";") if part.strip()])
def test_writes(torch, candidate, text):
    """What a statement leaves in the tensor and in its views."""

    def program(ns):
        z, w = ns.tensor(whole(1, (2, 2), "complex128")), ns.tensor(whole(2, (2, 2), "complex128"))
        scope = {"torch": ns, "z": z, "w": w, "c": z.conj(), "n": ns.tensor([0])}
        error = run(ns, lambda _: exec(text, scope))
        return error, z, z._version, scope["c"].tolist(), scope["c"].is_conj(), scope["c"].imag.tolist()

    same(torch, candidate, program)


def test_out_takes_another_shape(torch, candidate):
    """In the same memory, if there is room, and seen through the same bit."""

    def program(ns):
        z = ns.zeros(4, dtype=ns.complex64)
        out = z.conj()
        ns.mul(ns.ones(2) * 2j, 1, out=out)
        plain, part = ns.zeros(4), ns.zeros(4)[:0]
        ns.exp(ns.zeros(2), out=plain[1:3])
        ns.exp(ns.zeros(2, 1), out=part)
        return z, out.tolist(), out.is_conj(), plain, part, part.is_contiguous()

    same(torch, candidate, lambda ns: warned(ns, program)[0])


# -- programs written out -----------------------------------------------------------------------------------------------

PROGRAMS = Programs()
program = PROGRAMS.program


def pair(torch, requires_grad=False):
    z = torch.tensor([[1 + 2j, 3 - 1j], [0.5j, 2]], dtype=torch.complex64)
    z.requires_grad_(requires_grad)
    return z, z.conj()


def seen(tensor):
    return tensor.tolist(), tensor.is_conj(), tensor.is_neg(), tensor.stride(), tensor._version, tensor._base is None


@program
def the_view_and_its_base(torch):
    z, c = pair(torch)
    z.mul_(1j)
    return seen(c), c._base is z, c.conj()._base is z, c.conj() is z, c.data_ptr() == z.data_ptr(), c.conj().is_conj()


@program
def real_tensors_are_their_own_conjugates(torch):
    x = torch.ones(2, 2)
    return (
        x.conj() is x,
        x.is_conj(),
        x.H.is_conj(),
        x.resolve_conj() is x,
        x.resolve_neg() is x,
        x.conj_physical() is x,
    )


@program
def which_methods_give_views(torch):
    _, c = pair(torch)
    views = (
        c.T,
        c.H,
        c.mH,
        c[0],
        c[:, None],
        c.view(-1),
        c.reshape(4),
        c.diagonal(),
        c.expand(2, 2, 2),
        c.detach(),
        c.data,
    )
    views += c.contiguous(), c.to(torch.complex64), +c, c.unbind()[1], c.chunk(2)[0], c.unfold(0, 2, 1), c.movedim(0, 1)
    return [seen(each) for each in (*views, c.imag, c.real, c.imag.T, torch.view_as_complex(c.imag))]


@program
def which_methods_give_copies(torch):
    _, c = pair(torch)
    copies = c.clone(), c.T.contiguous(), c.T.reshape(4), c.to(torch.complex128), c.resolve_conj(), c.conj_physical()
    copies += (
        c.to(torch.complex64, copy=True),
        c[[0, 1]],
        c * 1,
        torch.cat([c, c]),
        c.imag.contiguous(),
        c.imag.double(),
    )
    return [seen(each) for each in (*copies, c.imag.resolve_neg(), torch.tensor([c[0, 0], c[1, 1]]))]


@program
def who_resolves_nothing(torch):
    z, c = pair(torch)
    return z.resolve_conj() is z, c.resolve_neg() is c, c.imag.resolve_conj().is_neg(), c.contiguous() is c


@program
def sets_of_memory(torch):
    z, c = pair(torch)
    other, conjugate = torch.empty(0, dtype=torch.complex64), c.detach()
    other.set_(c)
    conjugate.set_(torch.ones(2, dtype=torch.complex64) * 1j)
    replaced = torch.ones(1, dtype=torch.complex64)
    replaced.data = c
    return seen(other), seen(conjugate), seen(replaced), c.is_set_to(c), c.is_set_to(z), z.is_set_to(z.conj().conj())


@program
def views_changed_in_place(torch):
    _, c = pair(torch)
    return seen(c.detach().t_()), seen(c.detach().unsqueeze_(0)), seen(c.detach().as_strided_((2,), (1,), 1))


@program
def storages(torch):
    z, c = pair(torch)
    c.untyped_storage().resize_(64)
    return seen(c), seen(z), c.untyped_storage().data_ptr() == z.untyped_storage().data_ptr()


@program
def copies_and_pickles(torch):
    _, c = pair(torch)
    tensors = c, c.imag, c.T[1:], torch._neg_view(c)
    kept = [pickle.loads(pickle.dumps(each)) for each in tensors]
    return [seen(each) for each in (*kept, *map(copy.copy, tensors), *map(copy.deepcopy, tensors))]


@program
def pickles_keep_views_together(torch):
    z, c = pair(torch)
    z, c = pickle.loads(pickle.dumps((z, c)))
    return seen(z), seen(c)


@program
def parameters(torch):
    _, c = pair(torch)
    parameter = torch.nn.Parameter(c)
    (parameter * 1j).abs().sum().backward()
    return seen(parameter), parameter.grad.resolve_conj().shape, repr(parameter)


@program
def printed(torch):
    _, c = pair(torch)
    return repr(c), str(c.imag), repr(c[:0]), f"{c[0, 0]:.2f}", repr(c.imag[0, 0]), repr(pair(torch, True)[1])


@program
def python_numbers(torch):
    _, c = pair(torch)
    return (
        complex(c[0, 0]),
        c[0, 1].item(),
        float(c.imag[0, 0]),
        int(c.imag[0, 0]),
        bool(c[0, 0]),
        (1 - 2j) in c,
        len(c),
    )


@program
def arrays_by_force(torch):
    _, c = pair(torch)
    array = c.numpy(force=True)
    array[0] = 0
    return c, array.tolist(), c.imag.numpy(force=True).tolist(), c.resolve_conj().numpy().tolist()


@program
def dtypes_of_results(torch):
    z, c = pair(torch)
    pairs = (
        (c, z),
        (c.imag, 2),
        (c.imag, z.real.double()),
        (c.imag[0, 0], torch.ones(2)),
        (c[0, 0], 1.5),
        (True, c.imag),
    )
    return [str(torch.result_type(*each)) for each in pairs], str((c.imag + torch.ones(2, dtype=torch.int64)).dtype)


@program
def random_numbers_by_views(torch):
    _, c = pair(torch)
    torch.manual_seed(1)
    probabilities = c.imag.clamp(0, 1)
    drawn = (
        torch.bernoulli(torch._neg_view(-probabilities)),
        torch.zeros(2, 2).bernoulli_(torch._neg_view(-probabilities)),
    )
    return drawn, torch.rand_like(c.imag).is_neg()


@program
def comparisons(torch):
    z, c = pair(torch)
    return (
        torch.equal(c, z),
        torch.equal(c, z.conj_physical()),
        torch.equal(c.imag, -z.imag),
        torch.allclose(c.conj(), z),
    )


@program
def history(torch):
    z, c = pair(torch, True)
    made = (
        c,
        c.conj(),
        c.imag,
        c.real,
        c.resolve_conj(),
        c.imag.resolve_neg(),
        c.conj_physical(),
        z.H,
        torch._neg_view(z),
    )
    return [
        each.grad_fn.name()
        for each in (*made, c.clone(), c.T.reshape(4), c[0], c.view(4), c.imag.clone(), c[:, :1].reshape(1, 2))
    ]


@program
def history_after_the_base_was_written_to(torch):
    z, _ = pair(torch, True)
    b = z * 1
    views = (
        b.conj(),
        b.conj()[0],
        b[0].conj(),
        b.conj().imag,
        b.conj().conj(),
        torch.view_as_real(b),
        torch._neg_view(b),
    )
    b.mul_(2)
    return [each.grad_fn.name() for each in views]


@program
def written_through(torch):
    z, _ = pair(torch, True)
    b = z * 1
    c = b.conj()
    c.imag.mul_(3)
    c.mul_(2 - 1j)
    c[0] = z[1].conj()
    names = b.grad_fn.name(), c.grad_fn.name()
    (c * b).sum().real.backward()
    return names, z.grad.resolve_conj()


@program
def a_saved_view_is_written_to(torch):
    z, _ = pair(torch, True)
    b = z * 1
    c = b.conj()
    y = c * c
    b.mul_(2)
    y.sum().abs().backward()


@program
def a_view_of_a_leaf_is_written_to(torch):
    pair(torch, True)[1].mul_(2)


@program
def a_view_made_without_recording_is_written_to(torch):
    z, _ = pair(torch, True)
    with torch.no_grad():
        c = z.conj()
    c.mul_(2)


@program
def gradients_given_as_views(torch):
    z, _ = pair(torch, True)
    g = torch.ones(2, 2, dtype=torch.complex64) * 1j
    for _ in range(2):
        z.clone().backward(g.conj())
    return z.grad.resolve_conj(), torch.autograd.grad(z * 2, z, g.conj())[0].resolve_conj()


@program
def gradients_of_gradients(torch):
    z, c = pair(torch, True)
    (g,) = torch.autograd.grad((c * c * z).sum().abs(), z, create_graph=True)
    (g * g.conj()).real.sum().backward()
    return g.resolve_conj().shape, z.grad.shape, z.grad.dtype is z.dtype


@program
def hooks_may_return_views(torch):
    z, _ = pair(torch, True)
    y = z * 2
    y.register_hook(lambda g: g.conj())
    y.backward(torch.ones(2, 2, dtype=torch.complex64) * 1j)
    return z.grad.resolve_conj()


@program
def a_leaf_that_is_a_view(torch):
    leaf = pair(torch)[1].detach().requires_grad_()
    for _ in range(2):
        (leaf * 1j).backward(torch.ones(2, 2, dtype=torch.complex64))
    return leaf.is_conj(), leaf.grad.resolve_conj(), leaf.grad.stride()


@program
def training_with_recorded_gradients(torch):
    z = torch.nn.Parameter(pair(torch)[0])
    optimizer = torch.optim.SGD([z], lr=0.5)
    for _ in range(2):
        optimizer.zero_grad()
        z.conj().backward(torch.ones(2, 2, dtype=torch.complex64) * 1j, create_graph=True)
        optimizer.step()
    return z


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_agree(torch, candidate, name):
    PROGRAMS.agree(torch, candidate, name)


# -- refusals -----------------------------------------------------------------------------------------------------------

REFUSED = """
c.numpy(); c.imag.numpy(); np.asarray(c); torch._neg_view(c).numpy(); torch._neg_view(c).conj().numpy()
torch.view_as_real(c); torch.view_as_real(c.T); torch.view_as_complex(c); c.view(torch.float32); c.view(torch.complex64)
c.imag.view(torch.int32); c.imag.view(torch.float32); c.imag.imag; c.__dlpack__(); torch.from_dlpack(c); c.detach_()
z.requires_grad_().conj().numpy(); torch.is_conj(3); c.is_neg(1); torch.resolve_conj(1); c.resolve_neg(1); c.conj(1)
torch.zeros(3).add_(c); c.imag.add_(1j); c.copy_(torch.ones(3)); c.view(3); c.expand(3); c[5]; torch.conj(3)
c.imag.copy_(torch.ones(3)); torch.mul(z, 2, out=c.imag); c.add_(torch.ones(5)); torch.real(3); c < c; c.max()
"""


@pytest.mark.parametrize("text", [part.strip() for part in REFUSED.replace("\n", ";").split(";") if part.strip()])
def test_refusals(torch, candidate, text):
    def program(ns):
        z = ns.tensor(whole(1, (2, 2), "complex64"))
        return eval(text, {"torch": ns, "np": np, "z": z, "c": z.conj()})

    same(torch, candidate, program)


# -- differences that are accepted -------------------------------------------------------------------------------------


def gradient(torch):
    z, c = pair(torch, True)
    c.backward(torch.ones(2, 2, dtype=torch.complex64) * 1j)
    return z.grad.is_conj()


def optimizer(torch):
    parameter = torch.nn.Parameter(pair(torch)[1])
    parameter.grad = torch.ones(2, 2, dtype=torch.complex64)
    torch.optim.SGD([parameter], lr=0.5).step()


ACCEPTED = [
    (gradient, "a gradient that is computed without a graph is an array, and has its values in memory"),
    (optimizer, "optimisers take a complex parameter as pairs of real ones, and refuse what has no such view"),
    (
        lambda torch: torch.from_dlpack(pair(torch)[1].imag),
        "torch hands out the memory, whose numbers have another sign",
    ),
    (lambda torch: pair(torch)[1].imag.apply_(lambda x: x + 1), "torch calls the function with what is in memory"),
    (lambda torch: pair(torch)[1].imag[None].squeeze_(0).stride(), "torch squeezes a copy, and resizes the view to it"),
]


@pytest.mark.parametrize(
    "program", [pytest.param(each, marks=pytest.mark.xfail(reason=reason, strict=True)) for each, reason in ACCEPTED]
)
def test_accepted_differences(torch, candidate, program):
    same(torch, candidate, lambda ns: warned(ns, program)[0])
