"""A training run as a standalone script."""

from __future__ import annotations

from typing import Any

from parity_tests.cases.script import HEADER, literal, tensor
from parity_tests.cases.training import Training


def training_script(run: Training, backend: str = "minitorch_like") -> str:
    """The source: the model, the data and the loop as a user writes them; every number is printed in full."""
    layers = ",\n".join(f"    torch.nn.{name}({_arguments(args, options)})" for name, args, options in run.layers)
    loss = f"torch.nn.{run.loss}({_arguments((), run.loss_options)})"
    seed = "loss.backward()"
    if run.loss_options.get("reduction") == "none":
        seed = f"loss.backward({tensor(run.cotangent)})"
    lines = [
        HEADER.format(backend=backend),
        "",
        f"torch.manual_seed({run.seed})",
        f"model = torch.nn.Sequential(\n{layers},\n)",
        *_weights(run),
        f"criterion = {loss}",
        *_optimiser(run),
        f"inputs = [{', '.join(map(tensor, run.inputs))}]",
        f"targets = [{', '.join(map(tensor, run.targets))}]",
        f"torch.manual_seed({run.seed + 1})",
        "for step, (x, y) in enumerate(zip(inputs, targets)):",
    ]
    if run.new_lr is not None:
        lines += [
            f"    if step == {len(run.inputs) // 2}:",
            f'        optimiser.param_groups[0]["lr"] = {run.new_lr!r}',
        ]
    lines += [
        f"    optimiser.zero_grad({'' if run.set_to_none else 'set_to_none=False'})",
        "    output = model(x)",
        "    loss = criterion(output, y)",
        f"    {seed}",
        "    optimiser.step()",
        '    print("step", step, "output", output.tolist(), "loss", loss.tolist())',
        "    for name, parameter in model.named_parameters():",
        "        grad = parameter.grad",
        "        print(name, parameter.tolist(), None if grad is None else grad.tolist())",
        'print("evaluation", model.eval()(inputs[0]).tolist())',
    ]
    return "\n".join(lines) + "\n"


def _weights(run: Training) -> list[str]:
    if run.weights == "seed":
        return []
    whose = "torch" if run.weights == "reference" else "the other framework"
    return [f"# The run that differed had loaded the state_dict that {whose} drew after this seed."]


def _optimiser(run: Training) -> list[str]:
    head = f"optimiser = torch.optim.{run.optimiser}"
    if len(run.groups) == 1:
        return [f"{head}({_arguments(('model.parameters()',), run.groups[0], quoted=False)})"]
    groups = ", ".join(
        f'{{"params": parameters[{k}::2], **{literal_dict(group)}}}' for k, group in enumerate(run.groups)
    )
    return [
        "parameters = list(model.parameters())",
        f'groups = [group for group in [{groups}] if group["params"]]',
        f"{head}(groups, lr=0.01)",
    ]


def literal_dict(options: Any) -> str:
    return "{" + ", ".join(f'"{name}": {literal(value)}' for name, value in options.items()) + "}"


def _arguments(args: tuple[Any, ...], options: Any, quoted: bool = True) -> str:
    written = [literal(each) if quoted else each for each in args]
    return ", ".join(written + [f"{name}={literal(value)}" for name, value in options.items()])
