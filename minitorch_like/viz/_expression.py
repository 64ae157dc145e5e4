"""The formula behind a value, as plain text and as LaTeX."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from .._tensor import Tensor
from ._graph import Call, Names, Value, read

# How strongly a term holds together: a weaker one inside a stronger one needs brackets.
_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(5)
_INFIX = {"add": ("+", _SUM), "sub": ("-", _SUM), "mul": ("*", _PRODUCT), "div": ("/", _PRODUCT)}
_PRODUCTS = ("matmul", "mm", "bmm", "mv", "dot")
_SHAPED = ("reshape", "view", "expand")
_UNNAMED = ("x", "t")  # leaves x1, x2, ...; values that are used more than once t1, t2, ...
_OWN_COMMAND = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min", "arcsin", "arccos", "arctan")
_NAMES = {"log": r"\ln", "log2": r"\log_2", "log10": r"\log_{10}", "sigmoid": r"\sigma", "relu": r"\operatorname{ReLU}"}


def expression(tensor: Tensor, *, latex: bool = False, names: Names = None, max_ops: int = 500) -> str:
    """The formula that `tensor` was computed by, from the leaves on.

    Leaves are called by the attribute `label` of their tensor or by `names`, the others x1, x2, ...; constants of one
    element are written out.  A value that is used more than once gets a line of its own above the formula.  What the
    graph has not kept (a constant that is only added; after backward, others too) is a question mark: compute within
    `viz.watch()` and nothing is missing.

    Args:
        tensor: of any shape and dtype.
        latex: LaTeX for mathematical mode, instead of text that reads like Python.
        names: a module whose parameters give their names, or a mapping from names to tensors.
        max_ops: the longest formula that is worth writing.

    Raises:
        TypeError: for something that is no tensor.
        ValueError: for a longer one.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"expression: expected a Tensor, not {type(tensor).__name__}")
    values = read(tensor, names)
    count = len({id(value.call) for value in values if value.call is not None})
    if count > max_ops:
        raise ValueError(f"expression: {count:,} ops are behind this tensor, more than max_ops={max_ops:,}")
    return _formula(values, _Latex() if latex else _Plain())


class Term(NamedTuple):
    """A piece of a formula, and how strongly it holds together."""

    text: str
    level: int = _ATOM


def _formula(values: Sequence[Value], style: _Plain) -> str:
    calls = {id(value.call): value.call for value in values if value.call is not None}
    uses = Counter(id(operand) for call in calls.values() for operand in call.values())
    taken = {value.label for value in values}
    terms: dict[int, Term] = {}
    lines: list[tuple[str, str]] = []

    def fresh(letter: str) -> str:
        number = next(k for k in range(1, len(taken) + 2) if f"{letter}{k}" not in taken)
        taken.add(f"{letter}{number}")
        return f"{letter}{number}"

    for value in values:
        if value.call is None:
            if value.data is not None and value.data.size == 1 and not (value.label or value.requires_grad):
                terms[id(value)] = style.number(value.data.item())
            else:
                terms[id(value)] = Term(style.name(value.label or fresh(_UNNAMED[0])))
            continue
        term = style.call(value.call, value, terms)
        if uses[id(value)] > 1:
            name = style.name(value.label or fresh(_UNNAMED[1]))
            lines.append((name, term.text))
            term = Term(name)
        terms[id(value)] = term
    return style.lines(lines, terms[id(values[-1])].text)


class _Plain:
    """Text that reads like Python."""

    def name(self, label: str) -> str:
        return label

    def number(self, value: float | int) -> Term:
        text = f"{value:.6g}" if isinstance(value, float) else str(value)
        return Term(text, _SIGN if text.startswith("-") else _ATOM)

    def lines(self, definitions: Sequence[tuple[str, str]], formula: str) -> str:
        return "\n".join([*(f"{name} = {text}" for name, text in definitions), formula])

    def call(self, call: Call, value: Value, terms: dict[int, Term]) -> Term:
        operands = [self.operand(each, terms) for each in call.operands if each is not None]
        options = [f"{name}={given}" if name else "?" for name, given in call.options.items()]
        if call.name in _SHAPED:
            options = [str(tuple(value.shape))]
        term = self.known(call, operands, value) if set(call.options) <= {"", "alpha", "dims"} else None
        if term is None:
            arguments = [term.text for term in operands]
            if call.name in ("cat", "stack"):
                arguments = [f"[{', '.join(arguments)}]"]
            term = self.function(call.name, arguments, options)
        return Term(f"{self.bracket(term, _ATOM)}{self.part(value.part)}") if value.part else term

    def part(self, text: str) -> str:
        return text

    def operand(self, operand: Any, terms: dict[int, Term]) -> Term:
        if isinstance(operand, Value):
            return terms[id(operand)]
        return self.number(operand) if isinstance(operand, (int, float)) else Term(repr(operand))

    def known(self, call: Call, operands: list[Term], value: Value) -> Term | None:
        """What is written in a way of its own; None for a plain function."""
        name = call.name
        if name == "rsub":
            name, operands = "sub", operands[::-1]
        if name in ("add", "sub") and "alpha" in call.options:
            operands = [operands[0], self.infix("mul", self.number(call.options["alpha"]), operands[1], call)]
        if name in _INFIX:
            return self.infix(name, operands[0], operands[1], call)
        if name in _PRODUCTS:
            return self.product(*operands)
        if name == "linear":
            total = self.product(operands[0], self.transposed(operands[1]))
            return self.infix("add", total, operands[2], call) if len(operands) > 2 else total
        if name == "t" or (name == "permute" and call.options.get("dims") == (1, 0)):
            return self.transposed(operands[0])
        if name == "neg":
            return Term(f"-{self.bracket(operands[0], _SIGN)}", _SIGN)
        if name in ("pow", "square"):
            return self.power(operands[0], operands[1] if name == "pow" else Term("2"))
        if name == "reciprocal":
            return self.infix("div", Term("1"), operands[0], call)
        return None

    def bracket(self, term: Term, level: int) -> str:
        return term.text if term.level >= level else f"({term.text})"

    def infix(self, name: str, left: Term, right: Term, call: Call) -> Term:
        sign, level = _INFIX[name]
        # rounding makes a + (b + c) another number than a + b + c; a sign after a sign reads badly
        stronger = _ATOM if right.text.startswith("-") else level + 1
        return Term(f"{self.bracket(left, level)} {sign} {self.bracket(right, stronger)}", level)

    def product(self, left: Term, right: Term) -> Term:
        return Term(f"{self.bracket(left, _PRODUCT)} @ {self.bracket(right, _SIGN)}", _PRODUCT)

    def transposed(self, term: Term) -> Term:
        return Term(f"{self.bracket(term, _ATOM)}.T")

    def power(self, base: Term, exponent: Term) -> Term:
        return Term(f"{self.bracket(base, _ATOM)}**{self.bracket(exponent, _SIGN)}", _POWER)

    def function(self, name: str, arguments: list[str], options: list[str]) -> Term:
        return Term(f"{name}({', '.join([*arguments, *options])})")


class _Latex(_Plain):
    """LaTeX for mathematical mode; needs amsmath."""

    def name(self, label: str) -> str:
        if re.search(r"[\\^{}$]", label):
            return label  # LaTeX already
        letter = re.fullmatch(r"([A-Za-z])_?(\d*)", label)
        if letter:
            return f"{letter[1]}_{{{letter[2]}}}" if letter[2] else letter[1]
        return _upright(label)

    def number(self, value: float | int) -> Term:
        text, level = super().number(value)
        mantissa, exponent, power = text.partition("e")
        if not exponent:
            return Term(text, level)
        factor = mantissa[:-1] if mantissa in ("1", "-1") else rf"{mantissa} \cdot "
        return Term(f"{factor}10^{{{int(power)}}}", min(level, _PRODUCT))

    def part(self, text: str) -> str:
        return _upright(text)

    def lines(self, definitions: Sequence[tuple[str, str]], formula: str) -> str:
        if not definitions:
            return formula
        rows = [*(f"{name} &= {text}" for name, text in definitions), f"& {formula}"]
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    def bracket(self, term: Term, level: int) -> str:
        return term.text if term.level >= level else rf"\left({term.text}\right)"

    def infix(self, name: str, left: Term, right: Term, call: Call) -> Term:
        if name == "div":
            return Term(rf"\frac{{{left.text}}}{{{right.text}}}", _SIGN)
        term = super().infix(name, left, right, call)
        if name == "mul":
            arrays = [each for each in call.values() if each.shape]
            sign = r"\odot" if len(arrays) == 2 else r"\cdot"
            brackets = _ATOM if right.text.startswith("-") else _PRODUCT
            return Term(f"{self.bracket(left, _PRODUCT)} {sign} {self.bracket(right, brackets)}", _PRODUCT)
        return term

    def product(self, left: Term, right: Term) -> Term:
        return Term(rf"{self.bracket(left, _PRODUCT)} \, {self.bracket(right, _SIGN)}", _PRODUCT)

    def transposed(self, term: Term) -> Term:
        return Term(rf"{self.bracket(term, _ATOM)}^{{\top}}", _POWER)

    def power(self, base: Term, exponent: Term) -> Term:
        return Term(f"{self.bracket(base, _ATOM)}^{{{exponent.text}}}", _POWER)

    def function(self, name: str, arguments: list[str], options: list[str]) -> Term:
        inside = ", ".join([*arguments, *map(_upright, options)])
        if len(arguments) == 1 and not options:
            if name == "exp":
                return Term(f"e^{{{inside}}}", _POWER)
            if name == "sqrt":
                return Term(rf"\sqrt{{{inside}}}")
            if name == "abs":
                return Term(rf"\left|{inside}\right|")
        command = _NAMES.get(name) or (f"\\{name}" if name in _OWN_COMMAND else rf"\operatorname{{{_escaped(name)}}}")
        return Term(rf"{command}\left({inside}\right)")


def _upright(text: str) -> str:
    return rf"\mathrm{{{_escaped(text)}}}"


def _escaped(text: str) -> str:
    return re.sub(r"([_%&#])", r"\\\1", text)
