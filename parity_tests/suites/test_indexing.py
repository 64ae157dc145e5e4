"""Indexing and assignment: integers, slices, None, ..., tensors of indices, masks, and mixtures of them."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.cases.index_expressions import Index, Part, Tensor, indexed
from parity_tests.check import normalise
from parity_tests.suites._programs import same


def attempt(ns, function, *args):
    """What comes of a call: its result or its error, and the warnings on the way."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            result = function(*args)
        except Exception as error:  # noqa: BLE001 -- the error is what is compared
            package = ns.__name__.partition(".")[0]
            result = type(error).__name__, normalise(str(error).replace(package, "torch"))
    return result, [str(each.message).partition(" (Triggered")[0] for each in caught]


def numbered(ns, like):
    """A gradient for `like` in which all elements differ."""
    return ns.arange(1, like.numel() + 1).reshape(like.shape).to(like.dtype)


@given(indexed())
def test_reading(torch, candidate, case):
    """Value, strides, dtype, memory shared with what is indexed, node and gradient; or the error."""
    tensor, index = case

    def program(ns):
        leaf, x = tensor.made(ns)
        result, messages = attempt(ns, lambda: x[index.made(ns)])
        if getattr(result, "requires_grad", False):
            result.backward(numbered(ns, result))
        return x, result, leaf.grad, messages

    same(torch, candidate, program)


@given(indexed(), st.integers(0, 3))
def test_reading_what_was_read(torch, candidate, case, number):
    """Views of views, and the second derivative."""
    tensor, index = case

    def program(ns):
        leaf, x = tensor.made(ns)
        result, _ = attempt(ns, lambda: x[None][0, ..., None][index.made(ns)])
        if not getattr(result, "requires_grad", False):
            return result
        (first,) = ns.autograd.grad((result * result * result).sum(), leaf, create_graph=True)
        (second,) = ns.autograd.grad((first * numbered(ns, first)).sum(), leaf)
        return result, first, second

    same(torch, candidate, program)


VALUES = (
    "number",
    "integer",
    "truth",
    "0-d",
    "one",
    "row",
    "shaped",
    "long shape",
    "wrong",
    "double",
    "long",
    "itself",
)


def value_for(ns, kind, x, w, place):
    """A value of a kind to assign at `place`; `w` is a leaf, of which most are computed."""
    if kind in ("number", "integer", "truth"):
        return {"number": -7.5, "integer": 3, "truth": True}[kind]
    selected, _ = attempt(ns, lambda: x.detach()[place])
    shape = tuple(getattr(selected, "shape", (2,)))
    numbers = ns.arange(3, 3 + max(int(np.prod(shape)), 1))[: int(np.prod(shape))].reshape(shape).to(x.dtype)
    if kind in ("double", "long"):
        return numbers.double() if kind == "double" else numbers.long()
    if kind == "wrong":
        return ns.zeros(13, 2, dtype=x.dtype)
    if kind == "itself":
        return selected if isinstance(selected, ns.Tensor) else x
    w = w.to(x.dtype)
    return {
        "0-d": lambda: w,
        "one": lambda: w.reshape(1),
        "row": lambda: w * numbers.reshape(-1)[: (shape or (1,))[-1]],
        "shaped": lambda: w * numbers,
        "long shape": lambda: (w * numbers)[None, None],
    }[kind]()


@given(indexed(("row by row", "transposed", "every other", "shifted")), st.sampled_from(VALUES))
def test_assigning(torch, candidate, case, kind):
    """The tensor, its version and history, the gradients of what was written and of what was written over."""
    tensor, index = case

    def program(ns):
        leaf, x = tensor.made(ns)
        w = ns.tensor(2.0, requires_grad=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = value_for(ns, kind, x, w, index.made(ns))
        error, messages = attempt(ns, lambda: x.__setitem__(index.made(ns), value))
        if error and "out of bounds" in error[1]:
            return error  # which torch notices half-way
        if x.requires_grad:
            x.backward(numbered(ns, x))
        return x, x._version, leaf.grad, w.grad, error, messages

    same(torch, candidate, program)


@given(indexed(("row by row", "transposed")), st.sampled_from(["number", "shaped", "0-d"]))
def test_assigning_through_a_view(torch, candidate, case, kind):
    """The base and another view of it see what was written, and so do their histories."""
    tensor, index = case

    def program(ns):
        leaf, x = tensor.made(ns)
        base = x * 1
        view, other = base[None], base.reshape(-1)[:2]
        w = ns.tensor(2.0, requires_grad=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = value_for(ns, kind, view[0], w, index.made(ns))
        error, messages = attempt(ns, lambda: view[0].__setitem__(index.made(ns), value))
        if error and "out of bounds" in error[1]:
            return error
        if base.requires_grad:
            (base * numbered(ns, base)).sum().backward()
        return base, view, other, base._version, leaf.grad, w.grad, error, messages

    same(torch, candidate, program)


@given(indexed(("row by row", "shifted")))
def test_augmented_assignment(torch, candidate, case):
    tensor, index = case

    def program(ns):
        x = tensor.made(ns)[1].detach()

        def double():
            x[index.made(ns)] *= 2

        _, messages = attempt(ns, double)
        return x, x._version, messages

    same(torch, candidate, program)


@given(indexed())
def test_leaves_and_modes(torch, candidate, case):
    """A leaf that requires grad is not written to while recording; without recording it is."""
    tensor, index = case

    def program(ns):
        leaf, _ = tensor.made(ns)
        refused = attempt(ns, lambda: leaf.__setitem__(index.made(ns), 1))
        with ns.no_grad():
            allowed = attempt(ns, lambda: leaf.__setitem__(index.made(ns), 1))
            if allowed[0] and "out of bounds" in allowed[0][1]:
                return refused, allowed
            view, _ = attempt(ns, lambda: leaf[index.made(ns)])
        return leaf, leaf._version, view, refused, allowed

    same(torch, candidate, program)


@given(st.sampled_from([(3,), (0,), (2, 3), (), (0, 2)]), st.booleans())
def test_iterating(torch, candidate, shape, recorded):
    def program(ns):
        x = ns.ones(shape, requires_grad=recorded)
        return x, [(each, len(shape)) for each in x], list(map(len, x)) if len(shape) > 1 else None

    same(torch, candidate, program)


def test_written_index_tensors_are_noticed(torch, candidate):
    """Backward finds that an index tensor has been written to since."""

    def program(ns):
        outcomes = []
        for make in (lambda i: [i], lambda i: [i, i], lambda i: [i > 0], lambda i: [slice(None), i]):
            x = ns.arange(9.0).view(3, 3).requires_grad_()
            index = ns.tensor([0, 1, 1])
            given = make(index)
            for write in (False, True):
                y = x * 1
                if write:
                    y[tuple(given)] = 2.0
                else:
                    y = y[tuple(given)]
                for each in given:
                    if isinstance(each, ns.Tensor):
                        each[:1] = 0
                outcomes.append(attempt(ns, lambda y=y: y.sum().backward()))
        return outcomes

    same(torch, candidate, program)


PARTICULAR = {
    "duplicates: the last one stays": lambda ns, x: x.__setitem__(ns.tensor([0, 1, 0]), ns.arange(12.0).view(3, 4)),
    "rows of a batch": lambda ns, x: x[ns.tensor([2, 0, 1, 1])],
    "a mask of rows": lambda ns, x: x[ns.tensor([True, False, True])],
    "empty": lambda ns, x: x[ns.tensor([], dtype=ns.int64)],
    "far slice": lambda ns, x: x[2**70 :],
    "far int": lambda ns, x: x[2**63],
    "far int in a tuple": lambda ns, x: x[0, -(2**63) - 1],
    "far int in a list": lambda ns, x: x[[2**63]],
    "nothing selected": lambda ns, x: x[:, :0][ns.tensor([9])],
    "size 0": lambda ns, x: x[:0][ns.tensor([0])],
    "deleting": lambda ns, x: x.__delitem__(0),
    "deleted": lambda ns, x: exec("del x[0]", {"x": x}),
    "assigned array": lambda ns, x: x.__setitem__(0, np.ones(4)),
    "assigned list": lambda ns, x: x.__setitem__(0, [1.0] * 4),
    "assigned None": lambda ns, x: x.__setitem__(0, None),
    "assigned NumPy number": lambda ns, x: x.__setitem__(0, np.float64(2.5)),
    "assigned NumPy float32": lambda ns, x: x.__setitem__(0, np.float32(2.5)),
    "assigned NumPy integer": lambda ns, x: x.__setitem__(0, np.int16(2)),
    "assigned too large": lambda ns, x: x.__setitem__(0, 1e300),
    "assigned far too large": lambda ns, x: x.__setitem__(0, 2**70),
    "assigned nan to integers": lambda ns, x: x.long().__setitem__(0, float("nan")),
    "assigned complex": lambda ns, x: x.__setitem__(0, 1j),
    "expanded": lambda ns, x: x[0].expand(3, 4).__setitem__((ns.tensor([0, 1]), 1), 5.0),
    "whole expanded": lambda ns, x: x[0].expand(3, 4).__setitem__(..., 5.0),
    "overlapping value": lambda ns, x: x.__setitem__(slice(1, 3), x[:2]),
    "overlapping value by arrays": lambda ns, x: x.__setitem__(ns.tensor([0]), x[1]),
    "own row": lambda ns, x: x.__setitem__(..., x[0]),
    "second differs": lambda ns, x: x[ns.tensor([0, 1]), ns.tensor([0, 1, 2])],
    "both out of range": lambda ns, x: x[ns.tensor([0, 5]), ns.tensor([9, 1])],
}


@pytest.mark.parametrize("program", PARTICULAR.values(), ids=PARTICULAR)
def test_particular_cases(torch, candidate, program):
    def run(ns):
        x = ns.arange(12.0).view(3, 4)
        return attempt(ns, lambda: program(ns, x)), x, x._version

    same(torch, candidate, run)


@given(st.sampled_from(["uint8", "int8", "int16", "int32", "int64", "bool", "float16", "float32"]), st.data())
def test_assigned_numbers(torch, candidate, dtype, data):
    """Which numbers fit into which dtype, and what becomes of them."""
    bound = st.sampled_from(
        [0, 1, -1, 127, 128, -128, -129, 255, 256, -255, -256, 2**31, 2**62, 65504, 65520, 1e39, 0.5]
    )
    number = data.draw(bound | st.floats(width=32) | st.integers(-400, 400))
    index = data.draw(st.sampled_from([Part("plain", 0), Part("list", [1]), Part("list", [True, False])]))

    def program(ns):
        x = Tensor((2,), dtype=dtype).made(ns)[1].detach()
        return attempt(ns, lambda: x.__setitem__(Index((index,)).made(ns), number)), x

    same(torch, candidate, program)
