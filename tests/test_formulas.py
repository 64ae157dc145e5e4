"""Formulas compute what they stand for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minitorch_like as torch
from minitorch_like import nn, viz
from minitorch_like.viz import expression


def leaf(value, label=""):
    made = torch.tensor(value, requires_grad=True)
    if label:
        made.label = label
    return made


A, B, C = (leaf(value, label) for value, label in ((0.7, "a"), (-1.3, "b"), (2.5, "c")))
X, W = torch.arange(6.0).reshape(2, 3), leaf([[0.1, 0.2, 0.3], [0.4, -0.5, 0.6]], "W")
X.label = "x"


@pytest.mark.parametrize(
    ("compute", "plain", "latex"),
    [
        (lambda: (A * B + C) * A, "(a * b + c) * a", r"\left(a \cdot b + c\right) \cdot a"),
        (lambda: A - (B - C), "a - (b - c)", r"a - \left(b - c\right)"),
        (lambda: (A + B) + C, "a + b + c", "a + b + c"),
        (lambda: A + (B + C), "a + (b + c)", r"a + \left(b + c\right)"),
        (lambda: A / (B / C), "a / (b / c)", r"\frac{a}{\frac{b}{c}}"),
        (lambda: 1 - A, "1 - a", "1 - a"),
        (lambda: 2 / A, "1 / a * 2", r"\frac{1}{a} \cdot 2"),
        (lambda: -A * -B, "-a * (-b)", r"-a \cdot \left(-b\right)"),
        (lambda: (-A) ** 2, "(-a)**2", r"\left(-a\right)^{2}"),
        (lambda: A**-2, "a**-2", "a^{-2}"),
        (lambda: 2**A, "2**a", "2^{a}"),
        (lambda: A * -1.5, "a * (-1.5)", r"a \cdot \left(-1.5\right)"),
        (lambda: A * 1e-7, "a * 1e-07", r"a \cdot 10^{-7}"),
        (lambda: A * -2.5e9, "a * (-2.5e+09)", r"a \cdot \left(-2.5 \cdot 10^{9}\right)"),
        (lambda: torch.add(A, B, alpha=3), "a + 3 * b", r"a + 3 \cdot b"),
        (lambda: torch.exp(-(A**2)), "exp(-a**2)", "e^{-a^{2}}"),
        (lambda: torch.sqrt(A.abs()), "sqrt(abs(a))", r"\sqrt{\left|a\right|}"),
        (lambda: torch.tanh(A).relu(), "relu(tanh(a))", r"\operatorname{ReLU}\left(\tanh\left(a\right)\right)"),
        (lambda: torch.log(A).sigmoid(), "sigmoid(log(a))", r"\sigma\left(\ln\left(a\right)\right)"),
        (lambda: W * X, "W * x", r"W \odot x"),
        (lambda: X @ W.t(), "x @ W.T", r"x \, W^{\top}"),
        (lambda: nn.functional.linear(X, W), "x @ W.T", r"x \, W^{\top}"),
        (lambda: W.sum(1, keepdim=True), "sum(W, dim=1, keepdim=True)", None),
        (lambda: W.reshape(3, 2), "reshape(W, (3, 2))", r"\operatorname{reshape}\left(W, \mathrm{(3, 2)}\right)"),
        (lambda: torch.cat([W, W]), "cat([W, W])", r"\operatorname{cat}\left([W, W]\right)"),
        (lambda: W.log_softmax(1), "log_softmax(W, dim=1)", None),
        (lambda: W.max(dim=0).values, "max(W, dim=0).values", r"\max\left(W, \mathrm{dim=0}\right)\mathrm{.values}"),
    ],
)
def test_formulas(compute, plain, latex):
    with viz.watch():
        value = compute()
    assert expression(value) == plain
    if latex is not None:
        assert expression(value, latex=True) == latex


def test_a_value_that_is_used_twice_has_a_line_of_its_own():
    hidden = torch.tanh(A * B)
    assert expression(hidden * hidden + A) == "t1 = tanh(a * b)\nt1 * t1 + a"
    hidden.label = "h_1"
    out = hidden * hidden + A
    assert expression(out) == "h_1 = tanh(a * b)\nh_1 * h_1 + a"
    assert expression(out, latex=True) == (
        "\\begin{aligned}\nh_{1} &= \\tanh\\left(a \\cdot b\\right) \\\\\n& h_{1} \\cdot h_{1} + a\n\\end{aligned}"
    )


def test_repeated_doubling_stays_short():
    out = A
    for _ in range(60):
        out = out + out
    assert len(expression(out)) < 1200


def test_leaves_without_a_name_are_numbered_around_the_names_that_there_are():
    named, *others = leaf([1.0, 2.0], "x1"), leaf([1.0, 2.0]), leaf([3.0, 4.0])
    assert expression(others[0] * named * others[1]) == "x2 * x1 * x3"


@pytest.mark.parametrize(
    ("label", "latex"),
    [
        ("w", "w"),
        ("w2", "w_{2}"),
        ("0.weight", r"\mathrm{0.weight}"),
        ("a_b", r"\mathrm{a\_b}"),
        (r"\theta", r"\theta"),
    ],
)
def test_names_in_latex(label, latex):
    assert expression(leaf(1.0, label).tanh(), latex=True) == rf"\tanh\left({latex}\right)"


def test_what_the_graph_has_not_kept_is_a_question_mark():
    assert expression(A + 1) == "a + ?"
    assert expression(A * 2) == "a * 2"
    powered = A**3
    powered.backward()
    assert expression(powered) == "a**?"
    spread = W.softmax(1)
    spread.sum().backward()
    assert expression(spread) == "softmax(W, ?)"


def numbers(labels):
    return {label: leaf(value, label) for label, value in zip("abc", labels, strict=True)}


TREES = st.recursive(
    st.sampled_from(["a", "b", "c"]),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["+", "-", "*", "/"]), inner, inner),
        st.tuples(st.sampled_from(["number +", "number -", "number *"]), st.sampled_from([-2, 0.5, 3]), inner),
        st.tuples(st.just("power"), inner, st.sampled_from([-1, 2, 3])),
        st.tuples(st.sampled_from(["neg", "tanh", "sigmoid", "exp", "reciprocal"]), inner),
    ),
    max_leaves=12,
)


def build(tree, leaves):
    """The value of a tree; equal subtrees are one value, used twice."""
    made = {}

    def value(tree):
        if tree not in made:
            made[tree] = compute(tree)
        return made[tree]

    def compute(tree):
        match tree:
            case str():
                return leaves[tree]
            case ("+", left, right):
                return value(left) + value(right)
            case ("-", left, right):
                return value(left) - value(right)
            case ("*", left, right):
                return value(left) * value(right)
            case ("/", left, right):
                return value(left) / value(right)
            case ("number +", number, inner):
                return number + value(inner)
            case ("number -", number, inner):
                return number - value(inner)
            case ("number *", number, inner):
                return value(inner) * number
            case ("power", inner, exponent):
                return value(inner) ** exponent
            case ("neg", inner):
                return -value(inner)
            case (name, inner):
                return getattr(torch, name)(value(inner))

    return value(tree)


@settings(max_examples=200)
@given(TREES)
def test_a_formula_computes_what_it_stands_for(tree):
    leaves = numbers([0.7, -1.3, 2.5])
    with viz.watch():
        out = build(tree, leaves)
    names = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "exp": torch.exp, **leaves}
    *definitions, formula = expression(out).split("\n")
    for line in definitions:
        name, text = line.split(" = ")
        names[name] = eval(text, {}, names)
    # 1 / x is written for reciprocal(x), and x * x for nothing else: the bits are due
    assert eval(formula, {}, names)._data.tobytes() == out._data.tobytes()
