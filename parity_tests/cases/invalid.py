"""Invalid programs: what a user gets wrong, with random sizes.  Both sides must refuse in the same words.

Each entry makes operands on a `Bench` and one call (or a few) of which the last is wrong.  That it is wrong is torch's
opinion, not ours: an entry that torch accepts is compared like any other program.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from parity_tests.cases.program import Device, DType, Input, Program, Ref, Step
from parity_tests.cases.scope import numbers


class Bench:
    """A program under construction.  n, m, k are three different sizes."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.n, self.m, self.k = draw(st.permutations([1, 2, 3, 4, 5]))[:3]
        self._draw = draw
        self._offset = draw(st.integers(0, 4095))
        self.inputs: list[Input] = []
        self.steps: list[Step] = []

    def one_of(self, *choices: Any) -> Any:
        return choices[self._draw(st.integers(0, len(choices) - 1))]

    def tensor(self, *shape: int, dtype: str = "float32", grad: bool = False) -> Ref:
        self._offset += 61
        return self.array(numbers("whole", self._offset, shape, dtype), grad)

    def array(self, array: np.ndarray[Any, Any], grad: bool = False) -> Ref:
        name = f"x{len(self.inputs)}"
        self.inputs.append(Input(name, array, grad))
        return Ref(name)

    def leaf(self, *shape: int) -> Ref:
        return self.tensor(*shape, grad=True)

    def call(self, op: str, *args: Any, **kwargs: Any) -> Ref:
        name = f"y{len(self.steps)}"
        self.steps.append(Step(op, args, kwargs, (name,)))
        return Ref(name)

    def program(self) -> Program:
        seeded = Step("torch.manual_seed", (0,))  # some of the programs draw
        return Program(tuple(self.inputs), (seeded, *self.steps), exact=True)


BINARY = ("torch.add", "torch.sub", "torch.mul", "torch.div", "torch.pow", "torch.maximum", "torch.eq", "torch.lt")
INFIX = ("operator.add", "operator.mul", "operator.truediv", "operator.sub", "operator.le")
IN_PLACE = ("Tensor.add_", "Tensor.mul_", "Tensor.sub_", "Tensor.div_")
UNARY_IN_PLACE = ("Tensor.neg_", "Tensor.exp_", "Tensor.relu_", "Tensor.zero_", "Tensor.tanh_", "Tensor.clamp_")
REDUCTIONS = ("torch.sum", "torch.mean", "torch.amax", "torch.argmax", "torch.max", "torch.min", "torch.var")
FLOAT_ONLY = ("torch.mean", "torch.var", "torch.softmax", "torch.log_softmax")

SHAPES: dict[str, Callable[[Bench], Any]] = {
    "broadcast": lambda b: b.call(b.one_of(*BINARY), b.tensor(b.n, 2 * b.m), b.tensor(b.n, 2 * b.m + 1)),
    "broadcast operator": lambda b: b.call(b.one_of(*INFIX), b.tensor(6), b.tensor(b.k, 7)),
    "broadcast in place": lambda b: b.call(b.one_of(*IN_PLACE), b.tensor(3), b.tensor(b.n + 1, 3)),
    "in place shape": lambda b: b.call(b.one_of(*IN_PLACE), b.tensor(b.n, 1), b.tensor(b.n, 3)),
    "where": lambda b: b.call("torch.where", b.tensor(b.n, dtype="bool"), b.tensor(7), b.tensor(8)),
    "mm": lambda b: b.call("torch.mm", b.tensor(b.n, b.m), b.tensor(b.k, b.n)),
    "mm rank": lambda b: b.call("torch.mm", b.tensor(b.n), b.tensor(b.n, b.k)),
    "mm rank of the second": lambda b: b.call("Tensor.mm", b.tensor(b.n, b.m), b.tensor(b.n, b.m, b.k)),
    "bmm": lambda b: b.call("torch.bmm", b.tensor(2, b.n, b.m), b.tensor(2, b.k, b.n)),
    "bmm batch": lambda b: b.call("torch.bmm", b.tensor(b.n, 2, b.m), b.tensor(b.k, b.m, 2)),
    "bmm rank": lambda b: b.call("torch.bmm", b.tensor(b.n, b.m), b.tensor(2, b.m, b.k)),
    "matmul": lambda b: b.call(
        b.one_of("torch.matmul", "operator.matmul"), b.tensor(b.n, b.m), b.one_of(b.tensor(b.k, b.m), b.tensor(b.k))
    ),
    "matmul vector": lambda b: b.call("torch.matmul", b.tensor(b.n), b.one_of(b.tensor(b.m), b.tensor(b.m, b.k))),
    "matmul 0-d": lambda b: b.call("operator.matmul", b.tensor(), b.tensor(b.n)),
    "matmul batch": lambda b: b.call("torch.matmul", b.tensor(2, b.n, b.m), b.tensor(3, b.m, b.k)),
    "addmm": lambda b: b.call("torch.addmm", b.tensor(b.n), b.tensor(b.n, b.m), b.tensor(b.k, b.n)),
    "addmm added": lambda b: b.call("torch.addmm", b.tensor(7), b.tensor(b.n, b.m), b.tensor(b.m, b.k)),
    "linear": lambda b: b.call("nn.functional.linear", b.tensor(b.n, b.m), b.tensor(b.k, b.n)),
    "linear 1-d": lambda b: b.call("nn.functional.linear", b.tensor(b.m), b.tensor(b.k, b.n)),
    "linear bias": lambda b: b.call("nn.functional.linear", b.tensor(b.n, b.m), b.tensor(b.k, b.m), b.tensor(b.k + 2)),
    "cat": lambda b: b.call("torch.cat", [b.tensor(b.n, b.m), b.tensor(b.n, b.k)]),
    "cat ranks": lambda b: b.call("torch.cat", [b.tensor(b.n, b.m), b.tensor(b.n)]),
    "cat 0-d": lambda b: b.call("torch.cat", [b.tensor(), b.tensor()]),
    "cat nothing": lambda b: b.call(b.one_of("torch.cat", "torch.stack"), []),
    "cat dim": lambda b: b.call("torch.cat", [b.tensor(b.n)], dim=b.one_of(1, -2, 5)),
    "stack": lambda b: b.call("torch.stack", [b.tensor(b.n, b.m), b.tensor(b.n, b.k)]),
    "stack dim": lambda b: b.call("torch.stack", [b.tensor(b.n)], dim=b.one_of(2, -3)),
    "reshape": lambda b: b.call("torch.reshape", b.tensor(b.n, b.m), (b.n * b.m + 1,)),
    "reshape -1": lambda b: b.call("Tensor.reshape", b.tensor(5), (2, -1)),
    "reshape -1 -1": lambda b: b.call("Tensor.reshape", b.tensor(b.n), -1, -1),
    "reshape -2": lambda b: b.call("Tensor.reshape", b.tensor(b.n), (-2,)),
    "reshape empty": lambda b: b.call("Tensor.reshape", b.tensor(0, b.n), (0, -1)),
    "view": lambda b: b.call("Tensor.view", b.tensor(b.n, b.m), b.n * b.m + 2),
    "view of a transpose": lambda b: b.call("Tensor.view", b.call("Tensor.t", b.tensor(2, b.n + 1)), -1),
    "expand": lambda b: b.call("Tensor.expand", b.tensor(b.n + 1, b.m + 1), b.one_of((b.n, b.m), (b.m + 7,), (-1,))),
    "expand -1": lambda b: b.call("Tensor.expand", b.tensor(b.n), (-1, b.n)),
    "permute": lambda b: b.call("Tensor.permute", b.tensor(b.n, b.m), b.one_of((0,), (0, 0), (0, 2), (0, 1, 2))),
    "t": lambda b: b.call("torch.t", b.tensor(b.n, b.m, b.k)),
    "flatten": lambda b: b.call("torch.flatten", b.tensor(b.n, b.m, b.k), 2, 1),
    "mse_loss": lambda b: b.call("nn.functional.mse_loss", b.tensor(b.n + 1, 7), b.tensor(b.n + 1, 6)),
    "nll_loss": lambda b: b.call("nn.functional.nll_loss", b.tensor(b.n, b.m), b.tensor(b.k, dtype="int64")),
    "nll_loss 4 targets": lambda b: b.call(
        "nn.functional.nll_loss", b.tensor(b.n, b.m), b.tensor(b.n, b.m, dtype="int64")
    ),
    "cross_entropy": lambda b: b.call("nn.functional.cross_entropy", b.tensor(b.n, b.m), b.tensor(b.k, dtype="int64")),
    "cross_entropy probabilities": lambda b: b.call(
        "nn.functional.cross_entropy", b.tensor(b.n, b.m), b.tensor(b.n, b.k)
    ),
    "loss weight": lambda b: b.call(
        b.one_of("nn.functional.nll_loss", "nn.functional.cross_entropy"),
        b.tensor(b.n, b.m),
        b.array(np.zeros(b.n, np.int64)),
        weight=b.tensor(b.m + 1),
    ),
}

DIMS: dict[str, Callable[[Bench], Any]] = {
    "reduction": lambda b: b.call(b.one_of(*REDUCTIONS), b.tensor(b.n, b.m), dim=b.one_of(2, -3, 7)),
    "reduction 0-d": lambda b: b.call(b.one_of(*REDUCTIONS), b.tensor(), dim=b.one_of(1, -2)),
    "reduction twice": lambda b: b.call(b.one_of("torch.sum", "torch.amax"), b.tensor(b.n, b.m), dim=(0, -2)),
    "extremum of nothing": lambda b: b.call(
        b.one_of("torch.max", "torch.argmax", "torch.amax", "torch.min"), b.tensor(0, b.n)
    ),
    "extremum of nothing, dim": lambda b: b.call(
        b.one_of("torch.max", "torch.argmax", "torch.amax"), b.tensor(0, b.n), dim=0
    ),
    "softmax": lambda b: b.call(b.one_of("torch.softmax", "torch.log_softmax"), b.tensor(b.n), dim=b.one_of(1, -2)),
    "transpose": lambda b: b.call("torch.transpose", b.tensor(b.n, b.m), 0, b.one_of(2, -3)),
    "squeeze": lambda b: b.call("torch.squeeze", b.tensor(b.n), b.one_of(1, -2)),
    "unsqueeze": lambda b: b.call("torch.unsqueeze", b.tensor(b.n), b.one_of(2, -3)),
    "flatten": lambda b: b.call("torch.flatten", b.tensor(b.n), b.one_of(1, -2)),
    "index": lambda b: b.call("operator.getitem", b.tensor(b.n, b.m), b.one_of(b.n, -b.n - 1, (0, b.m))),
    "too many indices": lambda b: b.call("operator.getitem", b.tensor(b.n), (0, 0)),
    "index 0-d": lambda b: b.call("operator.getitem", b.tensor(), 0),
    "negative step": lambda b: b.call("operator.getitem", b.tensor(5), slice(None, None, b.one_of(-1, 0))),
    "index text": lambda b: b.call("operator.getitem", b.tensor(5), b.one_of("a", 1.5)),
    "index tensor": lambda b: b.call("operator.getitem", b.tensor(b.n), b.array(np.array([0, b.n]))),
    "index mask": lambda b: b.call("operator.getitem", b.tensor(b.n), b.tensor(b.n + 1, dtype="bool")),
    "index float": lambda b: b.call("operator.getitem", b.tensor(b.n), b.tensor(2)),
    "setitem shape": lambda b: b.call("operator.setitem", b.tensor(b.n, 6), 0, b.tensor(7)),
    "setitem out of range": lambda b: b.call("operator.setitem", b.tensor(b.n), b.n, 1.0),
    "class out of range": lambda b: b.call(
        b.one_of("nn.functional.nll_loss", "nn.functional.cross_entropy"),
        b.tensor(1, b.m),
        b.array(np.array([b.one_of(b.m, -1)])),
    ),
}

TYPES: dict[str, Callable[[Bench], Any]] = {
    "mm dtypes": lambda b: b.call(
        b.one_of("torch.mm", "torch.matmul"), b.tensor(b.n, b.m), b.tensor(b.m, b.k, dtype="float64")
    ),
    "mm int": lambda b: b.call("operator.matmul", b.tensor(b.n, b.m), b.tensor(b.m, b.k, dtype="int64")),
    "bmm dtypes": lambda b: b.call("torch.bmm", b.tensor(1, b.n, b.m), b.tensor(1, b.m, b.k, dtype="float64")),
    "linear dtypes": lambda b: b.call("nn.functional.linear", b.tensor(b.n, b.m), b.tensor(b.k, b.m, dtype="float64")),
    "addmm dtypes": lambda b: b.call(
        "torch.addmm", b.tensor(b.k), b.tensor(b.n, b.m), b.tensor(b.m, b.k, dtype="float64")
    ),
    "in place cast": lambda b: b.call(b.one_of(*IN_PLACE), b.tensor(b.n, dtype="int64"), b.one_of(b.tensor(b.n), 1.5)),
    "in place bool": lambda b: b.call(b.one_of("Tensor.add_", "Tensor.mul_"), b.tensor(b.n, dtype="bool"), 2),
    "in place function": lambda b: b.call(b.one_of("Tensor.exp_", "Tensor.sqrt_"), b.tensor(b.n, dtype="int64")),
    "bool neg": lambda b: b.call(b.one_of("torch.neg", "operator.neg"), b.tensor(b.n, dtype="bool")),
    "bool sub": lambda b: b.call(
        b.one_of("torch.sub", "operator.sub"), b.tensor(b.n, dtype="bool"), b.tensor(b.n, dtype="bool")
    ),
    "bool alpha": lambda b: b.call("torch.add", b.tensor(b.n, dtype="bool"), b.tensor(b.n, dtype="bool"), alpha=2),
    "int alpha": lambda b: b.call("torch.add", b.tensor(b.n, dtype="int64"), b.tensor(b.n, dtype="int64"), alpha=1.5),
    "int mean": lambda b: b.call(b.one_of(*FLOAT_ONLY), b.tensor(b.n, dtype="int64"), 0),
    "int power": lambda b: b.call("torch.pow", b.tensor(b.n, dtype="int64"), -1),
    "int requires_grad": lambda b: b.call("Tensor.requires_grad_", b.tensor(b.n, dtype="int64")),
    "where condition": lambda b: b.call("torch.where", b.tensor(b.n), b.tensor(b.n), b.tensor(b.n)),
    "losses of int": lambda b: b.call(
        b.one_of("nn.functional.nll_loss", "nn.functional.cross_entropy"), b.tensor(b.n, b.m), b.tensor(b.n)
    ),
    "mse dtypes": lambda b: b.call(
        "nn.functional.mse_loss", b.tensor(b.n, dtype="int64"), b.tensor(b.n, dtype="int64")
    ),
    "text operand": lambda b: b.call(b.one_of("torch.add", "operator.add", "torch.mul"), b.tensor(b.n), "1"),
    "None operand": lambda b: b.call(b.one_of("torch.add", "operator.mul", "torch.matmul"), b.tensor(b.n), None),
    "number for a tensor": lambda b: b.call(b.one_of("torch.exp", "torch.relu", "torch.sum", "torch.mm"), 2.0),
    "no operand": lambda b: b.call(b.one_of("torch.exp", "torch.add", "torch.sum", "torch.softmax")),
    "one operand more": lambda b: b.call("torch.exp", b.tensor(b.n), b.tensor(b.n)),
    "unknown keyword": lambda b: b.call(b.one_of("torch.exp", "torch.sum", "Tensor.add"), b.tensor(b.n), dimension=0),
    "text for dim": lambda b: b.call(b.one_of("torch.sum", "torch.softmax", "torch.argmax"), b.tensor(b.n), "0"),
    "keepdim without dim": lambda b: b.call("torch.max", b.tensor(b.n), keepdim=True),
    "reduction": lambda b: b.call(
        b.one_of("nn.functional.mse_loss", "nn.functional.cross_entropy"),
        b.tensor(b.n),
        b.tensor(b.n),
        reduction=b.one_of("average", "", None),
    ),
    "label smoothing": lambda b: b.call(
        "nn.functional.cross_entropy", b.tensor(2, 3), b.array(np.array([0, 1])), label_smoothing=b.one_of(1.5, -0.1)
    ),
    "clamp": lambda b: b.call("torch.clamp", b.tensor(b.n)),
    "item": lambda b: b.call("Tensor.item", b.tensor(b.n + 1)),
    "bool of many": lambda b: b.call("builtins.bool", b.tensor(b.n + 1)),
    "bool of none": lambda b: b.call("builtins.bool", b.tensor(0)),
    "float of many": lambda b: b.call(b.one_of("builtins.float", "builtins.int"), b.tensor(b.n + 1)),
    "len": lambda b: b.call(b.one_of("builtins.len", "builtins.list"), b.tensor()),
    "cast": lambda b: b.call("Tensor.to", b.tensor(b.n), b.one_of("float16x", "cpus")),
}

CREATION: dict[str, Callable[[Bench], Any]] = {
    "negative size": lambda b: b.call(
        b.one_of("torch.zeros", "torch.ones", "torch.empty", "torch.rand", "torch.randn"), b.n, -b.m
    ),
    "negative size tuple": lambda b: b.call(b.one_of("torch.zeros", "torch.ones"), (-b.n,)),
    "full": lambda b: b.call("torch.full", (-b.n,), 1.0),
    "eye": lambda b: b.call("torch.eye", -b.n),
    "randperm": lambda b: b.call("torch.randperm", -b.n),
    "randint": lambda b: b.call("torch.randint", b.n, b.n, (2,)),
    "linspace": lambda b: b.call("torch.linspace", 0, 1, -b.n),
    "arange": lambda b: b.call("torch.arange", 0, b.n, b.one_of(0, -1)),
    "size text": lambda b: b.call("torch.zeros", b.one_of("2", 1.5, None)),
    "ragged": lambda b: b.call("torch.tensor", [[1.0] * b.n, [1.0] * b.m]),
    "ragged depth": lambda b: b.call("torch.tensor", [1.0, [2.0]]),
    "text": lambda b: b.call("torch.tensor", b.one_of("1", ["a"])),
    "int grad": lambda b: b.call("torch.tensor", [1, 2], requires_grad=True),
    "dtype": lambda b: b.call("torch.zeros", b.n, dtype=b.one_of("float32", 3)),
    "device": lambda b: b.call("torch.zeros", b.n, device=b.one_of("cuda", "gpu", "cpu:x", "cuda:0")),
    "to device": lambda b: b.call("Tensor.to", b.tensor(b.n), b.one_of("cuda", "gpu")),
    "cuda": lambda b: b.call("Tensor.cuda", b.tensor(b.n)),
    "device object": lambda b: b.call("torch.ones", b.n, device=Device(b.one_of("cuda", "cpu"))),
    "seed": lambda b: b.call("torch.manual_seed", b.one_of("a", 2**64, -(2**63) - 1)),
    "bernoulli": lambda b: b.call("torch.bernoulli", b.array(np.array([0.5, b.one_of(1.5, -0.5)], np.float32))),
    "uniform": lambda b: b.call("Tensor.uniform_", b.tensor(b.n), 1.0, 0.0),
    "normal": lambda b: b.call("Tensor.normal_", b.tensor(b.n), 0.0, -1.0),
    "dropout": lambda b: b.call("nn.functional.dropout", b.tensor(b.n), p=b.one_of(1.5, -0.1)),
    "default dtype": lambda b: b.call("torch.zeros", b.n, dtype=DType("int64"), requires_grad=True),
}


def _twice(b: Bench) -> None:
    loss = b.call("torch.sum", b.call(b.one_of("torch.exp", "torch.tanh", "torch.sigmoid"), b.leaf(b.n)))
    b.call("Tensor.backward", loss)
    b.call("Tensor.backward", loss)


def _changed(b: Bench) -> None:
    """A value that backward needs is changed after it was saved."""
    saved = b.call(b.one_of("torch.exp", "torch.tanh", "torch.sigmoid", "torch.sqrt"), b.leaf(b.n, b.m))
    for _ in range(b.one_of(1, 2)):
        b.call(b.one_of("Tensor.add_", "Tensor.mul_"), saved, 2)
    b.call("Tensor.backward", b.call("torch.sum", saved))


def _changed_operand(b: Bench) -> None:
    left = b.call("torch.mul", b.leaf(b.n), 2)
    result = b.call(b.one_of("torch.mul", "torch.div", "torch.pow"), left, b.leaf(b.n))
    b.call("Tensor.zero_", left)
    b.call("Tensor.backward", b.call("torch.sum", result))


AUTOGRAD: dict[str, Callable[[Bench], Any]] = {
    "twice": _twice,
    "changed": _changed,
    "changed operand": _changed_operand,
    "not a scalar": lambda b: b.call("Tensor.backward", b.call("torch.mul", b.leaf(b.n + 1), 2)),
    "no graph": lambda b: b.call("Tensor.backward", b.tensor()),
    "no graph under no_grad": lambda b: b.call("Tensor.backward", b.call("Tensor.detach", b.leaf())),
    "cotangent shape": lambda b: b.call("Tensor.backward", b.call("torch.exp", b.leaf(b.n)), b.tensor(b.m)),
    "cotangent dtype": lambda b: b.call(
        "Tensor.backward", b.call("torch.exp", b.leaf(b.n)), b.tensor(b.n, dtype=b.one_of("float64", "int64"))
    ),
    "leaf in place": lambda b: b.call(b.one_of(*IN_PLACE), b.leaf(b.n), b.one_of(1.0, b.tensor(b.n))),
    "leaf in place, alone": lambda b: b.call(b.one_of(*UNARY_IN_PLACE[:5]), b.leaf(b.n)),
    "view of a leaf in place": lambda b: b.call(
        b.one_of(*IN_PLACE), b.call(b.one_of("Tensor.t", "Tensor.flatten", "Tensor.squeeze"), b.leaf(1, b.n)), 1.0
    ),
    "slice of a leaf in place": lambda b: b.call(
        "Tensor.zero_", b.call("operator.getitem", b.leaf(b.n, b.m), b.one_of(0, slice(0, 1)))
    ),
    "setitem of a leaf": lambda b: b.call("operator.setitem", b.leaf(b.n), 0, 1.0),
    "expanded in place": lambda b: b.call(
        b.one_of(*IN_PLACE), b.call("Tensor.expand", b.tensor(b.n, 1), b.n, b.m + 1), 1.0
    ),
    "grad of no input": lambda b: b.call("autograd.grad", b.call("torch.sum", b.leaf(b.n)), b.tensor(b.n)),
    "grad of an unused input": lambda b: b.call("autograd.grad", b.call("torch.sum", b.leaf(b.n)), b.leaf(b.n)),
    "grad of many": lambda b: b.call("autograd.grad", b.call("torch.exp", x := b.leaf(b.n + 1)), x),
    "grad cotangents": lambda b: b.call("autograd.grad", [b.call("torch.exp", x := b.leaf(b.n))], [x], []),
    "grad of nothing": lambda b: b.call("autograd.grad", b.tensor(), b.leaf()),
    "requires_grad off": lambda b: b.call("Tensor.requires_grad_", b.call("torch.exp", b.leaf(b.n)), False),
    "numpy": lambda b: b.call("Tensor.numpy", b.leaf(b.n)),
    "retain_grad": lambda b: b.call("Tensor.retain_grad", b.tensor(b.n)),
    "hook": lambda b: b.call("Tensor.register_hook", b.tensor(b.n), None),
    "out": lambda b: b.call("torch.exp", b.leaf(b.n), out=b.tensor(b.n)),
    "out dtype": lambda b: b.call("torch.add", b.tensor(b.n), b.tensor(b.n), out=b.tensor(b.n, dtype="int64")),
    "data set": lambda b: b.call("builtins.setattr", b.call("torch.exp", b.leaf(b.n)), "grad", b.tensor(b.m)),
    "grad set": lambda b: b.call("builtins.setattr", b.leaf(b.n), "grad", b.one_of(b.tensor(b.m), 1.0)),
}


def _load(b: Bench) -> None:
    model = b.call("nn.Linear", b.n, b.m)
    other = b.one_of(
        b.call("nn.Linear", b.n, b.m, bias=False), b.call("nn.Linear", b.k, b.m), b.call("nn.Sequential", model)
    )
    b.call("Tensor.load_state_dict", model, b.call("Tensor.state_dict", other))


def _optimiser(b: Bench) -> None:
    parameters = b.call("Tensor.parameters", b.call("nn.Linear", b.n, b.m))
    name, options = b.one_of(
        ("SGD", {"lr": -0.1}),
        ("SGD", {"momentum": -0.5}),
        ("SGD", {"weight_decay": -1.0}),
        ("SGD", {"nesterov": True}),
        ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
        ("Adam", {"lr": -0.1}),
        ("Adam", {"betas": (1.0, 0.9)}),
        ("Adam", {"betas": (0.9, -0.1)}),
        ("Adam", {"eps": -1e-8}),
        ("Adam", {"weight_decay": -1.0}),
        ("Adam", {"momentum": 0.9}),
    )
    b.call(f"optim.{name}", parameters, **options)


MODULES: dict[str, Callable[[Bench], Any]] = {
    "state dict": _load,
    "optimiser": _optimiser,
    "no parameters": lambda b: b.call(b.one_of("optim.SGD", "optim.Adam"), []),
    "tensor for parameters": lambda b: b.call("optim.SGD", b.leaf(b.n)),
    "parameters of int": lambda b: b.call("optim.SGD", [b.one_of(1, "w")]),
    "parameter that is no leaf": lambda b: b.call("optim.SGD", [b.call("torch.neg", b.leaf(b.n))]),
    "parameter twice": lambda b: b.call("optim.SGD", [{"params": [x := b.leaf(b.n)]}, {"params": [x]}]),
    "Linear": lambda b: b.call("operator.call", b.call("nn.Linear", b.n, b.m), b.tensor(b.k, b.m + 6)),
    "Linear dtype": lambda b: b.call("operator.call", b.call("nn.Linear", b.n, b.m), b.tensor(b.n, dtype="float64")),
    "Linear arguments": lambda b: b.call("nn.Linear", b.n),
    "Linear keyword": lambda b: b.call("nn.Linear", b.n, b.m, biass=False),
    "Linear negative": lambda b: b.call("nn.Linear", b.n, -b.m),
    "Dropout": lambda b: b.call("nn.Dropout", b.one_of(1.5, -0.1)),
    "Sequential": lambda b: b.call("nn.Sequential", b.one_of(1, "relu", None)),
    "ModuleList": lambda b: b.call("operator.getitem", b.call("nn.ModuleList", []), 0),
    "ModuleDict": lambda b: b.call("operator.getitem", b.call("nn.ModuleDict", {}), "a"),
    "parameter": lambda b: b.call("Tensor.register_parameter", b.call("nn.Identity"), b.one_of("a.b", "", "p"), 1.0),
    "buffer": lambda b: b.call("Tensor.register_buffer", b.call("nn.Identity"), b.one_of("a.b", "forward", "b"), 1.0),
    "attribute": lambda b: b.call("builtins.getattr", b.call("nn.Linear", b.n, b.m), "wieght"),
    "assigned": lambda b: b.call("builtins.setattr", b.call("nn.Linear", b.n, b.m), "weight", b.tensor(b.n)),
    "call": lambda b: b.call("operator.call", b.call("nn.Module"), b.tensor(b.n)),
    "mode": lambda b: b.call("Tensor.train", b.call("nn.Identity"), b.one_of("yes", 1)),
}

FAMILIES = {
    "shapes": SHAPES,
    "dims": DIMS,
    "types": TYPES,
    "creation": CREATION,
    "autograd": AUTOGRAD,
    "modules": MODULES,
}


@st.composite
def invalid(draw: Callable[[st.SearchStrategy[Any]], Any], family: str) -> Program:
    """A program of a family of mistakes."""
    entries = FAMILIES[family]
    bench = Bench(draw)
    entries[draw(st.sampled_from(list(entries)))](bench)
    return bench.program()
