"""Where warnings are said to come from: the line of the program that made the call, so that each such line is told of."""

import warnings

import numpy as np
import pytest

from parity_tests.suites._warnings import every_warning

_PROGRAMS = {
    "tensor of a tensor": "ns.tensor(ns.ones(2))",
    "new_tensor of a tensor": "ns.ones(2).new_tensor(ns.ones(2))",
    "tensor of arrays": "ns.tensor([np.ones(2), np.ones(2)])",
    "read-only array": "ns.from_numpy(np.broadcast_to(np.ones(2), (3, 2)))",
    "range": "ns.range(0, 2)",
    "T of three dimensions": "ns.ones(2, 3, 4).T",
    "uint8 mask": "ns.ones(2)[ns.tensor([1, 0], dtype=ns.uint8)]",
    "uint8 condition": "ns.where(ns.tensor([1, 0], dtype=ns.uint8), 1, 2)",
    "list of slices": "ns.ones(2, 2)[[slice(0, 1), 0]]",
    "out of another shape": "ns.add(ns.ones(2), 1, out=ns.empty(3))",
    "number of what requires grad": "float(ns.ones(1, requires_grad=True))",
    "deviation of one": "ns.ones(1).std()",
    "real part": "ns.tensor([1j]).float()",
    "writing to an expanded tensor": "ns.ones(1).expand(2).clone().expand(3, 2)[ns.tensor([0])].fill_(1)",
    "mse_loss": "ns.nn.functional.mse_loss(ns.ones(2), ns.ones(1))",
    "l1_loss": "ns.nn.functional.l1_loss(ns.ones(2, 1), ns.ones(2))",
    "kl_div": "ns.nn.functional.kl_div(ns.zeros(2), ns.ones(2))",
    "softmax without a dimension": "ns.nn.functional.softmax(ns.ones(2))",
    "dropout2d of a matrix": "ns.nn.functional.dropout2d(ns.ones(2, 2))",
    "upsample": "ns.nn.functional.upsample(ns.ones(1, 1, 2, 2), scale_factor=2)",
    "sizes of addcmul": "ns.ones(2).addcmul(2, ns.ones(2), ns.ones(2))",
}


@pytest.mark.parametrize("name", _PROGRAMS)
def test_the_line_that_called(torch, candidate, name):
    code = compile(_PROGRAMS[name], "program.py", "eval")

    def places(ns):
        with warnings.catch_warnings(record=True) as caught, every_warning(ns):
            warnings.simplefilter("always")
            eval(code, {"ns": ns, "np": np})
        return [(each.filename, each.lineno) for each in caught if each.category is not RuntimeWarning]

    assert places(candidate) == places(torch)
