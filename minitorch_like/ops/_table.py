"""The op table: what an op is, and how one is declared.

An op is declared once, as a plain NumPy function with its derivative beside it:

    @op("(Tensor input, *, Tensor? out=None)", input=lambda g, out: g * out)
    def exp(input: Array) -> Array:
        return np.exp(as_floating(input))

* The **kernel** is the decorated function.  It takes arrays (and Python scalars where the signature says
  `Tensor|Number`), checks its arguments and raises torch's errors.
* A **rule**, named after the tensor parameter it differentiates, maps the gradient `g` of the output to that of
  the input.  The names of its further parameters say what the graph saves for it: an input (`input`), an
  output (`out`, or a name from `outputs`), `<input>_shape`, `<input>_dtype`, or any other argument of the kernel.
  Nothing else is kept (but what `saves=` names, because torch does), and only the rules of inputs that need a
  gradient are run.  Un-broadcasting is the engine's work.
* A **joint rule** (`joint=`) gives the gradients of all inputs at once where they share most of their work, as a
  sequence.  Its parameter `needs` says, input by input, which of them are wanted; the others may be None.  Of an op
  with several outputs it is given a list of gradients: zeros for an output that has none, or, if it calls it `gs`, None.
* **Kept** results (`keeps=`) follow the outputs in what the kernel returns and are for the rules alone.  They have
  no history of their own, so a backward pass that is itself recorded gives None for them (but for integers): the rule
  then computes them anew, by ops of the table.
* Rules are written with Python's operators and with ops of this table.  Called on arrays an op runs its
  kernel, called on Tensors it records: so the same rule serves the eager backward, `create_graph=True` and
  the compiler's capture.

From the declaration come `torch.f`, `Tensor.f`, `Tensor.f_`, `out=`, the operators and the compiled kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._dtype import OF_PYTHON, dtype
from ._signature import Reader, Signature

Array = np.ndarray[Any, np.dtype[Any]]
ndarray = np.ndarray
Kernel = Callable[..., Any]
Rule = Callable[..., Any]

TABLE: dict[str, Op] = {}

# What a saved value is: (kind, index).
INPUT, OUTPUT, SHAPE, DTYPE, STATIC, KEPT = range(6)

# Arguments of these types are fully described by their type: a reading of the call can be remembered.
_PLAIN = frozenset({int, float, bool, str, type(None), dtype})


class Op:
    """An entry of the table; callable on arrays and on Tensors alike.

    Args:
        arity: how many leading parameters are tensors.
        variadic: the first parameter is a sequence of tensors, whose rule is a joint one.
        view: the result shares the input's memory (where the kernel returns such an array).
        inplace: there is a `name_` form.
        outputs: the names of the outputs, by which rules can ask for them.
        keeps: the names of what the kernel returns after them, for the rules alone.
        saves: the names of what torch's node saves although no rule here asks for it, so that a write to it is refused.
        saves_for: of what a joint rule asks for, what is saved only if one of these inputs needs a gradient.
        joint: one rule for all tensor parameters that have none of their own.
        node: torch's name of the graph node; a function of the arguments where it varies.
        inplace_node: the same for the in-place form, where torch counts it apart.
        namespace: "torch" for functions and methods of that name, "method" for methods alone, "nn" for functions of
            `nn.functional` alone, "internal" for ops that only rules and composed functions use.
        folds: of these arguments, whether torch computes a matrix and returns a view of it.
        holomorphic: the rules give derivatives as of real functions, which a complex node turns into torch's (see
            `autograd.graph.conjugated`); an op whose derivative is not that of a holomorphic function says False, and
            its rules follow torch's convention by themselves.
        format_of: the operand whose memory format the results take, row by row or channels last.
        in_format: tells from the arguments whether they are channels last, where that operand is not the whole story.
        renamed: a keyword, and the name of the node where it is given, of an overload of its own that is called rarely.
    """

    __slots__ = (
        "also_saved",
        "apply",
        "arity",
        "defaults",
        "differentiable",
        "folds",
        "holomorphic",
        "if_tensors",
        "inplace",
        "inplace_node",
        "joint",
        "joint_call",
        "keeps",
        "kernel",
        "knows_gaps",
        "name",
        "namespace",
        "node",
        "node_types",
        "outputs",
        "parameters",
        "positions",
        "readings",
        "renamed",
        "rule_calls",
        "rules",
        "save_plans",
        "saves",
        "saves_for",
        "saves_output",
        "texts",
        "variadic",
        "view",
    )

    def __init__(
        self,
        kernel: Kernel,
        texts: tuple[str, ...],
        rules: dict[str, Rule],
        *,
        name: str,
        arity: int = 1,
        variadic: bool = False,
        view: bool = False,
        inplace: bool = False,
        outputs: tuple[str, ...] = ("out",),
        keeps: tuple[str, ...] = (),
        saves: tuple[str, ...] = (),
        saves_for: dict[str, tuple[str, ...]] | None = None,
        joint: Rule | None = None,
        node: str | Callable[..., str] | None = None,
        inplace_node: str | Callable[..., str] | None = None,
        namespace: str = "torch",
        folds: Callable[..., bool] | None = None,
        holomorphic: bool = True,
        format_of: int | None = None,
        in_format: Callable[..., bool] | None = None,
        renamed: tuple[str, str] | None = None,
    ) -> None:
        code = kernel.__code__
        self.kernel = kernel if format_of is None else _formatted(kernel, format_of, in_format, len(outputs))
        self.name = name
        self.namespace = namespace
        self.texts = texts
        self.parameters = code.co_varnames[: code.co_argcount]
        self.defaults: tuple[Any, ...] = kernel.__defaults__ or ()
        self.positions = {each: index for index, each in enumerate(self.parameters)}
        self.positions.setdefault("self", 0)
        self.arity = arity
        self.variadic = variadic
        self.view = view
        self.inplace = inplace
        self.outputs = outputs
        self.keeps = keeps
        self.folds = folds
        self.holomorphic = holomorphic
        self.renamed = renamed
        self.node = node or f"{''.join(map(str.capitalize, name.split('_')))}Backward0"
        self.inplace_node = inplace_node or self.node
        self.node_types: dict[str, type] = {}
        self.apply: Callable[..., Any] = unbound
        if variadic:
            joint = rules.pop(self.parameters[0], None)
        self.rules = [rules.get(each, joint) for each in self.parameters[:arity]]
        self.differentiable = bool(rules) or joint is not None
        self.saves: list[tuple[int, int]] = []
        self.joint = joint
        self.joint_call = joint and self._prepare_joint(joint)
        self.knows_gaps = joint is not None and joint.__code__.co_varnames[0] == "gs"
        self.rule_calls = [None if rule is None or rule is joint else self._prepare(rule) for rule in self.rules]
        self.also_saved = frozenset(map(self._slot, saves))
        self.saves_for = {
            self._slot(name): {self.positions[each] for each in others} for name, others in (saves_for or {}).items()
        }
        results = [slot for slot, (kind, _) in enumerate(self.saves) if kind == OUTPUT]
        self.if_tensors = {slot: numbers for slot in results if (numbers := self.numbers_for(slot))}
        self.saves_output = any(kind == OUTPUT for kind, _ in self.saves) and len(outputs) == 1
        self.save_plans: dict[Any, list[int]] = {}

    def __call__(self, input: Any, *args: Any, **kwargs: Any) -> Any:
        """Run the kernel on arrays, record the op on Tensors.  Used by the rules."""
        if input.__class__ is not ndarray and isinstance(input, np.generic):
            input = np.asarray(input)  # of 0-d arrays NumPy gives scalars, into whose copies no kernel can write
        if input.__class__ is ndarray or isinstance(input, ndarray):
            result = self.kernel(input, *args, **kwargs)
            return self.visible(result) if self.keeps else result
        if self.variadic and input and isinstance(input[0], np.ndarray):
            return self.kernel(input, *args, **kwargs)
        if kwargs:
            args = self._complete(args, kwargs)
        return self.apply(input, *args)

    def visible(self, result: tuple[Any, ...]) -> Any:
        """What the kernel returned, without the kept results."""
        outputs = result[: -len(self.keeps)]
        return outputs[0] if len(outputs) == 1 else outputs

    def _complete(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        values = self._with_defaults(len(self.parameters))
        values[1 : 1 + len(args)] = args
        for name, value in kwargs.items():
            values[self.positions[name]] = value
        return tuple(values[1:])

    def _with_defaults(self, count: int) -> list[Any]:
        return [None] * (count - len(self.defaults)) + list(self.defaults)

    # -- derivative rules -----------------------------------------------------------------------------------

    def _prepare(self, rule: Rule) -> Rule:
        """`rule(g, out, dim)` as `call(g, saved)`, with the slots of `saved` resolved from the rule's names."""
        code = rule.__code__
        names = code.co_varnames[1 : code.co_argcount]
        slots = [self._slot(name) for name in names]
        if not slots:
            return lambda g, saved: rule(g)
        if len(slots) == 1:
            (first,) = slots
            return lambda g, saved: rule(g, saved[first])
        if len(slots) == 2:
            first, second = slots
            return lambda g, saved: rule(g, saved[first], saved[second])
        return lambda g, saved: rule(g, *[saved[slot] for slot in slots])

    def _prepare_joint(self, rule: Rule) -> Rule:
        """`rule(g, out, needs)` as `call(g, saved, needs)`."""
        code = rule.__code__
        names = code.co_varnames[1 : code.co_argcount]
        slots = [None if name == "needs" else self._slot(name) for name in names]

        def call(g: Any, saved: list[Any], needs: tuple[bool, ...]) -> Any:
            return rule(g, *[needs if slot is None else saved[slot] for slot in slots])

        return call

    def _slot(self, name: str) -> int:
        source = self._source(name)
        if source not in self.saves:
            self.saves.append(source)
        return self.saves.index(source)

    def _source(self, name: str) -> tuple[int, int]:
        if name in self.outputs:
            return OUTPUT, self.outputs.index(name)
        if name in self.keeps:
            return KEPT, self.keeps.index(name)
        if name in self.positions:
            index = self.positions[name]
            return (INPUT if index < self.arity else STATIC), index
        stem, _, kind = name.rpartition("_")
        return (SHAPE if kind in ("shape", "shapes") else DTYPE), self.positions[stem]

    def save_plan(self, needs: tuple[bool, ...]) -> list[int]:
        """The slots of `saves` that are filled where the inputs in `needs` need a gradient."""
        plan = self.save_plans.get(needs)
        if plan is None:
            needed = {index for index, need in enumerate(needs) if need}
            plan = self.save_plans[needs] = [slot for slot, inputs in enumerate(self.readers()) if inputs & needed]
        return plan

    def readers(self) -> list[set[int]]:
        """For each slot of `saves` the inputs that it is filled for.

        As in torch, of the operands one that a single gradient is computed from is saved for that one alone (but not where
        the op is itself a derivative); what several are computed from is saved, and a result is, if any is needed.  A
        write to it is then refused, used or not.
        """
        found = self._readers()
        ruled = {index for index, rule in enumerate(self.rules) if rule is not None}
        shared = 0 if self.name.endswith("_gradient") or "BackwardBackward" in str(self.node) else 1
        for slot, (kind, _) in enumerate(self.saves):
            if slot in self.saves_for:
                found[slot] = self.saves_for[slot]
            elif slot in self.also_saved or kind == OUTPUT or (kind == INPUT and len(found[slot]) > shared):
                found[slot] = ruled
        return found

    def _readers(self) -> list[set[int]]:
        """For each slot of `saves` the inputs whose rules read it."""
        found: list[set[int]] = [set() for _ in self.saves]
        for index, rule in enumerate(self.rules):
            if rule is not None:
                code = rule.__code__
                for name in code.co_varnames[1 : code.co_argcount]:
                    if name != "needs":
                        found[self._slot(name)].add(index)
        return found

    def numbers_for(self, slot: int) -> set[int]:
        """The operands of which one must be a tensor for a result to be saved: torch has another node for a number, without
        the operand's gradient and what it takes.  Empty where the result is saved anyway."""
        readers = self._readers()[slot]
        numbers = {i for i in readers if any(f"Number {self.parameters[i]}" in text for text in self.texts)}
        return numbers if numbers == readers else set()

    # -- reading a call -------------------------------------------------------------------------------------

    def reader(self, *, method: bool, suffix: str = "") -> Reader:
        return Reader(self.name + suffix, self.texts, method=method)

    def read(self, reader: Reader, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], Any]:
        """The kernel's positional arguments, and `out`.  Raises torch's TypeError where no signature fits."""
        key: Any = (reader.method, *map(type, args), *kwargs, *map(type, kwargs.values()))
        order = reader.readings.get(key)
        if order is None:
            offset = int(reader.method)
            signature, values = reader.read(args[offset:], kwargs)
            if reader.method:
                values = {self.parameters[0]: args[0], **values}
            self._remember(reader, key, signature, args, kwargs)
            return self._arrange(signature, values)
        arranged = self._with_defaults(len(self.parameters))
        for index, value in zip(order, (*args, *kwargs.values()), strict=True):
            if value.__class__ is int and not -(2**63) <= value < 2**63:
                reader.read(args[reader.method :], kwargs)  # which refuses it, unless any number will do
            arranged[index] = value
        return arranged, None

    def _arrange(self, signature: Signature, values: dict[str, Any]) -> tuple[list[Any], Any]:
        out = values.pop("out", None)
        arranged = self._with_defaults(len(self.parameters))
        for name, value in values.items():
            if name == "async":  # of old for non_blocking, which is no name of a kernel's parameter, nor of any use
                continue
            parameter = signature.names.get(name)
            takes_tensor = parameter is None or parameter.kind.startswith(("Tensor", "object"))
            if not takes_tensor:
                value = python_value(value)
                if value.__class__ is tuple and parameter is not None and parameter.kind == "int[]":
                    value = tuple(map(int, value))  # of which all but the first may be truth values
            elif isinstance(value, np.generic) and parameter is not None and parameter.kind == "Tensor|Number":
                value = _python_number(value)
            arranged[self.positions[name]] = value
        return arranged, out

    def _remember(
        self, reader: Reader, key: Any, signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Keep the places of the arguments if their types alone decided the reading."""
        names = [each.name for each in signature.parameters]
        if signature.varargs and len(args) > key[0] and not isinstance(args[key[0]], (tuple, list)):
            return
        if len(args) > len(names) + (key[0] is True) or any(name not in self.positions for name in kwargs):
            return
        positional = ([self.parameters[0], *names] if key[0] else names)[: len(args)]
        order = [self.positions[name] for name in (*positional, *kwargs)]
        kinds = ["Tensor"] * key[0] + [signature.names[name].kind for name in (*names[: len(args) - key[0]], *kwargs)]
        values = (*args, *kwargs.values())
        if all(
            type(value) in _PLAIN or (kind.startswith("Tensor") and hasattr(value, "_node"))
            for kind, value in zip(kinds, values, strict=True)
        ):
            reader.readings[key] = order


def python_value(value: Any) -> Any:
    """A non-tensor argument as plain Python: 0-d tensors and NumPy scalars become numbers."""
    if isinstance(value, np.generic):
        return _python_number(value)
    if hasattr(value, "_node"):
        return value.item()
    if isinstance(value, (list, tuple)):
        return tuple(map(python_value, value))
    if isinstance(value, bytes):  # which torch takes for a string
        return value.decode()
    return OF_PYTHON.get(value, value) if isinstance(value, type) else value


def _python_number(value: Any) -> Any:
    """A NumPy scalar as torch reads it: truth values become floats, and so do complex numbers, unless they are Python's."""
    if isinstance(value, complex):
        return complex(value)
    if isinstance(value, np.integer):
        return value.item()
    return float(value.real) if isinstance(value, (np.number, np.bool_)) else value.item()


def unbound(*args: Any) -> Any:
    """What `apply` is until Tensors exist."""
    raise RuntimeError("the op table is not bound to Tensors: import minitorch_like, not its op table alone")


def _formatted(kernel: Kernel, *how: Any) -> Kernel:
    from ._formats import keeping_format  # here, since only ops that are declared late have a format

    return keeping_format(kernel, *how)


UNARY = "(Tensor input, *, Tensor? out=None)"


# The options of an op by name; any other keyword of a declaration is a rule.
_OPTIONS = frozenset(Op.__init__.__kwdefaults__ or ())


def op(*texts: str, name: str | None = None, **given: Any) -> Callable[[Kernel], Op]:
    """Declare an op: torch's signatures, options of `Op`, and one rule per differentiable tensor parameter, by its name.

    Args:
        texts: the signatures, in the notation of `_signature`.
        name: torch's name, where it cannot be the kernel's (`sum` in a module that needs the builtin).
    """
    options = {each: value for each, value in given.items() if each in _OPTIONS}
    rules = {each: value for each, value in given.items() if each not in _OPTIONS}

    def declare(kernel: Kernel) -> Op:
        declared = Op(kernel, texts, rules, name=name or kernel.__name__, **options)
        for each in rules:
            if each not in declared.positions:
                raise TypeError(f"{declared.name}: {each} is neither an option nor a parameter")
        TABLE[declared.name] = declared
        return declared

    return declare
