"""Options that few calls give: each by position and by name, with its gradient where there is one."""

import numpy as np
import pytest

from parity_tests.suites._programs import agree, same

POINTS = np.array([[-2.25, -0.625, 0.375], [0.75, 1.5, 2.75], [-0.875, 4.25, -3.5]], np.float32)
STATISTICS = {
    "unbiased": lambda ns, x, name: getattr(x, name)(True),
    "biased": lambda ns, x, name: getattr(x, name)(False),
    "biased by name": lambda ns, x, name: getattr(ns, name)(x, unbiased=False),
    "biased along a dimension": lambda ns, x, name: getattr(x, name)(1, False),
    "biased, kept": lambda ns, x, name: getattr(x, name)(1, False, True),
    "corrected": lambda ns, x, name: getattr(x, name)(1, correction=2, keepdim=True),
    "not corrected": lambda ns, x, name: getattr(ns, name)(x, (0, 1), correction=0),
}
BOTH = {
    "biased": lambda ns, x, name: getattr(ns, name)(x, False),
    "biased, kept": lambda ns, x, name: getattr(ns, name)(x, 1, False, True),
    "biased by name": lambda ns, x, name: getattr(ns, name)(x, dim=0, unbiased=False, keepdim=True),
    "corrected": lambda ns, x, name: getattr(ns, name)(x, 1, correction=0, keepdim=True),
    "corrected over all": lambda ns, x, name: getattr(ns, name)(x, (0, 1), correction=2),
}
FUNCTIONS = {
    "logit, clamped": lambda ns, x: ns.logit(x.abs() / 10, eps=0.2),
    "logit, clamped by position": lambda ns, x: (x.abs() / 10).logit(0.1),
    "dist by 1": lambda ns, x: x.dist(x.flip(0).detach(), 1),
    "dist by 3": lambda ns, x: ns.dist(x, x.flip(0).detach(), p=3),
    "layer_norm without cuDNN": lambda ns, x: ns.layer_norm(x, (3,), None, None, 1e-3, False),
    "group_norm without cuDNN": lambda ns, x: ns.group_norm(x, 3, None, None, 1e-3, False),
    "batch_norm without cuDNN": lambda ns, x: ns.batch_norm(x, None, None, None, None, True, 0.1, 1e-3, False),
    "elu_": lambda ns, x: ns.nn.functional.elu_(x * 1, 0.25),
    "celu_": lambda ns, x: ns.celu_(x * 1, 0.25),
    "polygamma": lambda ns, x: ns.polygamma(2, x.abs()),
}
EXACT = {
    "dist by 0": lambda ns, x: x.detach().dist(x.flip(0).detach(), 0),
    "diagonal_scatter": lambda ns, x: ns.diagonal_scatter(x, x[0, :2] * 2, 1, 1, 0),
    "diagonal_scatter by name": lambda ns, x: x.diagonal_scatter(x[0, :2], offset=-1, dim1=0, dim2=1),
    "diagonal_scatter of a block": lambda ns, x: x.expand(2, 3, 3).clone().diagonal_scatter(x[:2, :2].t(), 0, 2, 0),
    "slice_scatter": lambda ns, x: ns.slice_scatter(x, x[:, :2] * 2, 1, 1),
    "slice_scatter by name": lambda ns, x: ns.slice_scatter(x, x[:, ::2] * 2, dim=1, start=0, end=3, step=2),
    "heaviside": lambda ns, x: ns.heaviside(x, x + 1),
    "nextafter": lambda ns, x: ns.nextafter(x, -x),
    "frexp": lambda ns, x: ns.frexp(x)[0],
    "positive": lambda ns, x: ns.positive(x),
    "a step of rounding": lambda ns, x: x.floor() + x.ceil() + x.trunc() + x.round() + x.sign(),
    "floor_divide": lambda ns, x: ns.floor_divide(x, 2),
    "expand, implicitly": lambda ns, x: x.expand((2, 3, 3), implicit=True),
    "copy_, not blocking": lambda ns, x: ns.zeros(3, 3).copy_(x, non_blocking=True),
    "to channels last": lambda ns, x: x.view(1, 3, 3, 1).to(ns.float64, memory_format=ns.channels_last),
    "to contiguous": lambda ns, x: x.t().view(1, 3, 1, 3).to(ns.float64, memory_format=ns.contiguous_format),
    "unsafe_split_with_sizes": lambda ns, x: ns.unsafe_split_with_sizes(x, [1, 2], dim=1)[1],
    "leaky_relu_": lambda ns, x: ns.nn.functional.leaky_relu_(x * 1, 0.25),
    "hardtanh_": lambda ns, x: ns.nn.functional.hardtanh_(x * 1, -0.5, 0.25),
    "threshold_": lambda ns, x: ns.threshold_(x * 1, 0.5, 7.0),
    "embedding by frequency": lambda ns, x: ns.nn.functional.embedding(
        ns.tensor([0, 2, 2, 2]), x, padding_idx=0, scale_grad_by_freq=True
    ),
}


def differentiated(ns, x, result):
    """The results, and the gradient of a combination of them."""
    results = result if isinstance(result, tuple) else (result,)
    if results[0].requires_grad:
        sum((each * ns.arange(1.0, each.numel() + 1).view(each.shape)).sum() for each in results).backward()
    return results, x, [tuple(each.stride()) for each in results]


@pytest.mark.parametrize("call", STATISTICS)
@pytest.mark.parametrize("name", ["std", "var"])
def test_statistics(torch, candidate, name, call):
    def program(ns, tensor):
        x = tensor(POINTS, True)
        return differentiated(ns, x, STATISTICS[call](ns, x, name))

    agree(torch, candidate, program)


@pytest.mark.parametrize("call", BOTH)
@pytest.mark.parametrize("name", ["std_mean", "var_mean"])
def test_statistics_with_the_mean(torch, candidate, name, call):
    def program(ns, tensor):
        x = tensor(POINTS, True)
        return differentiated(ns, x, tuple(BOTH[call](ns, x, name)))

    agree(torch, candidate, program)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(torch, candidate, name):
    def program(ns, tensor):
        x = tensor(POINTS, True)
        return differentiated(ns, x, FUNCTIONS[name](ns, x))

    agree(torch, candidate, program)


@pytest.mark.parametrize("name", EXACT)
def test_exact_functions(torch, candidate, name):
    def program(ns):
        x = ns.tensor(POINTS.tolist(), requires_grad=True)
        return differentiated(ns, x, EXACT[name](ns, x))

    same(torch, candidate, program)


PRODUCTS = {
    "mm": lambda ns, x: ns.mm(x, x, out_dtype=ns.float64),
    "bmm": lambda ns, x: ns.bmm(x[None], x[None], out_dtype=ns.float32),
    "addmm": lambda ns, x: ns.addmm(x, x, x, out_dtype=ns.float32),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_in_another_dtype_are_for_other_devices(torch, candidate, name):
    for ns in (torch, candidate):
        with pytest.raises(
            NotImplementedError, match=f"^Could not run 'aten::{name}.dtype' with arguments from the 'CPU'"
        ):
            PRODUCTS[name](ns, ns.ones(2, 2))
