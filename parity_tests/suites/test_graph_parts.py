"""The graph as it shows: a node for each part of an index, overloads by their names, and no edges for numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_tests.suites._programs import agree, same


def names(node, depth=6):
    """A node and those behind it, by name."""
    return node and (type(node).__name__, [names(each, depth - 1) for each, _ in node.next_functions] if depth else [])


def operands(ns):
    return {
        "ns": ns,
        "F": ns.nn.functional,
        "x": ns.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True),
        "y": ns.tensor([[2.0, 3.0], [1.0, 5.0]], requires_grad=True),
        "c": ns.tensor([[1.0, 2.0], [3.0, 4.0]]),
        "z": ns.tensor(0.5, requires_grad=True),
    }


OVERLOADS = [
    *("2 - x", "c.__rsub__(x)", "x.__rsub__(y)", "ns.rsub(x, 2)", "ns.rsub(x, y, alpha=2)", "ns.rsub(c, y)"),
    *(
        "x / y",
        "x / 2",
        "2 / x",
        "ns.div(x, y)",
        "ns.div(x, y, rounding_mode='floor')",
        "x.div(2, rounding_mode='trunc')",
    ),
    *(
        "ns.div(c, y, rounding_mode=None)",
        "x.divide(y, rounding_mode='floor')",
        "x.clone().div_(y, rounding_mode='floor')",
    ),
    *("x ** 2", "2 ** x", "x ** y", "x.clone().pow_(3)", "x.float_power(2)", "x % 2", "x % y", "ns.fmod(x, 2)"),
    *("ns.fmod(x, y)", "x.xlogy(2)", "x.xlogy(y)", "ns.xlogy(2, x)", "ns.copysign(x, 2)", "ns.copysign(x, y)"),
    *("x * 2", "x + 2", "2 + x", "x - 2", "x.clamp(0)", "x.masked_fill(x > 0, 2)", "x.lerp(y, 0.5)", "x.lerp(y, y)"),
]


@pytest.mark.parametrize("expression", OVERLOADS)
def test_overloads(torch, candidate, expression):
    same(torch, candidate, lambda ns: names(eval(expression, operands(ns)).grad_fn))


@pytest.mark.parametrize("expression", ["x ** 2", "2 ** x", "2 - x", "ns.xlogy(2, x)", "x % 2", "ns.fmod(x, y)"])
def test_hooks_on_nodes_receive_as_many_gradients(torch, candidate, expression):
    def program(ns):
        seen = []
        result = eval(expression, operands(ns))
        result.grad_fn.register_hook(lambda inputs, outputs: seen.append((inputs, outputs)))
        result.sum().backward()
        return seen

    same(torch, candidate, program)


# -- indices --------------------------------------------------------------------------------------------------------------

PARTS = st.sampled_from(
    [0, 1, -1, None, ..., slice(None), slice(1), slice(0, 2), slice(1, None), slice(-1, None), slice(None, None, 2)]
)


@given(index=st.lists(PARTS, max_size=5).map(tuple).filter(lambda index: index.count(...) < 2), seed=st.integers(0, 9))
def test_indices(torch, candidate, index, seed):
    """A node for each part that does something; and gradients through them, before and after anybody has looked."""

    def program(ns, tensor):
        x = tensor(np.random.default_rng(seed).standard_normal((2, 3, 2)).astype(np.float32), True)
        plain, looked_at = x * 2, x * 2
        first, second = plain[index], looked_at[index]
        found = names(second.grad_fn)
        (first * first).sum().backward(retain_graph=True)
        once = x.grad.clone()
        (second * second).sum().backward(create_graph=True)
        return found, names(first.grad_fn), second._base is looked_at, once, x.grad.detach()

    agree(torch, candidate, program)


def test_hooks_on_parts(torch, candidate):
    """Each of them sees the gradient of its own shape, and may change it."""

    def program(ns):
        x = ns.arange(24.0).reshape(2, 3, 4).requires_grad_()
        y = x[1, :, None, 2:]
        node, seen = y.grad_fn, []
        while node is not None and node.next_functions:
            node.register_hook(lambda inputs, outputs: seen.append(([each.shape for each in inputs], outputs[0].shape)))
            node.register_prehook(lambda outputs: (outputs[0] * 2,))
            node = node.next_functions[0][0]
        y.sum().backward()
        return seen, x.grad

    same(torch, candidate, program)


def test_hook_on_the_last_part_alone(torch, candidate):
    def program(ns):
        x = ns.arange(6.0).reshape(2, 3).requires_grad_()
        y, seen = x[1, 2], []
        y.grad_fn.register_hook(lambda inputs, outputs: seen.append((inputs, outputs)))
        y.backward()
        return seen, x.grad

    same(torch, candidate, program)


def test_parts_of_several_outputs(torch, candidate):
    """The first part takes over which output of the node before is used."""

    def program(ns):
        x = ns.arange(12.0).reshape(2, 6).requires_grad_()
        second = x.split(3, 1)[1]
        y = second[0, 1:]
        found = names(y.grad_fn)
        part = y.grad_fn.next_functions[0][0].next_functions
        (y * y).sum().backward()
        return found, [number for _, number in part], x.grad

    same(torch, candidate, program)


def test_order_of_parts_in_backward(torch, candidate):
    """They come between the nodes that are older and those that are newer."""

    def program(ns):
        order = []
        x = ns.ones(2, 2, requires_grad=True)
        a = x * 1
        b = a[0, 1]
        c = a * 2
        d = b[None, None] + c
        nodes = {"a": a, "b": b, "c": c, "d": d}
        for name, each in nodes.items():
            each.grad_fn.register_prehook(lambda outputs, name=name: order.append(name))
        b.grad_fn.next_functions[0][0].register_prehook(lambda outputs: order.append("first part of b"))
        d.sum().backward()
        return order, x.grad

    same(torch, candidate, program)


@pytest.mark.parametrize(
    "expression",
    ["x.t().reshape(-1)", "x.t().clone().reshape(4)", "x.reshape(4)", "x.t().flatten()", "x[:, :1].reshape(2)"],
)
def test_what_is_copied_to_be_reshaped(torch, candidate, expression):
    """The copy has a node of its own."""

    def program(ns):
        scope, order = operands(ns), []
        x = scope["x"]
        y = eval(expression, scope)
        found = [names(y.grad_fn), names(y.grad_fn)]
        y.grad_fn.next_functions[0][0].register_prehook(lambda outputs: order.append(outputs[0].shape))
        (y * y).sum().backward()
        return found, order, x.grad

    same(torch, candidate, program)


@pytest.mark.parametrize(
    "expression",
    ["F.batch_norm(x, None, None, z.expand(2), z.expand(2), True)", "F.cross_entropy(x, ns.tensor([0, 1]))"],
)
def test_operands_without_derivative(torch, candidate, expression):
    same(torch, candidate, lambda ns: names(eval(expression, operands(ns)).grad_fn, 2))


# -- complex convolutions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", ["conv1d", "conv2d", "conv_transpose2d"])
def test_complex_convolutions(torch, candidate, name, bias):
    """Three real ones, in the graph as well."""

    def program(ns, tensor):
        rank = int(name[-2])

        def numbers(*shape):
            parts = np.random.default_rng(len(shape)).standard_normal((*shape, 2)).astype(np.float32)
            return ns.view_as_complex(tensor(parts)).detach().requires_grad_()

        x, weight = numbers(2, 2, *[4] * rank), numbers(2, 2, *[2] * rank)
        leaves = [x, weight, numbers(2)] if bias else [x, weight]
        result = getattr(ns.nn.functional, name)(*leaves, padding=1)
        gradients = ns.autograd.grad(result, leaves, ns.ones_like(result) * (1 + 2j))
        return names(result.grad_fn, 7), result, [each.resolve_conj() for each in gradients]

    agree(torch, candidate, program, coarsest="complex64")


@pytest.mark.parametrize("odd", ["input", "weight", "bias"])
def test_mixed_convolutions(torch, candidate, odd):
    def program(ns):
        shapes = {"input": (1, 2, 3), "weight": (2, 2, 2), "bias": (2,)}
        operands = {
            each: ns.ones(shape, dtype=ns.float32 if each == odd else ns.complex64) for each, shape in shapes.items()
        }
        return ns.nn.functional.conv1d(**operands)

    same(torch, candidate, program)
