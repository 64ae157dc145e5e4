"""Why a view may not be written to while what is done is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._tensor import Tensor

_SEVERAL = (
    " This view is the output of a function that returns multiple views. Such functions do not allow the output views to "
    "be modified inplace. You should replace the inplace operation by an out-of-place one."
)
_AMBIGUOUS = (
    " Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the "
    "view and the inplace either both inside the {0} block (if you don't want the inplace to be tracked) or both outside "
    "(if you want the inplace to be tracked)."
)


def written_to(title: str, number: int) -> str:
    """Of output `number` of a node of that title, which is one of several views, when their base was written to."""
    modified = "its base or another view of its base has been modified inplace."
    return f"Output {number} of {title} is a view and {modified}{_SEVERAL}"


def forbidden(view: Tensor, creation: str, *, indirect: bool = False) -> RuntimeError:
    """torch's error for a write to `view`, or (indirect) for the use of one whose base was written to.

    creation: "several" for a piece of what one call cut into several views, else the mode that the view was made in.
    """
    written = "its base or another view of its base has been" if indirect else "is being"
    node = view._node
    name = None if node is None or not hasattr(node, "op") else f"Output {view._number} of {node.title()}"
    if creation == "several" and name is not None:
        return RuntimeError(f"{name} is a view and {written} modified inplace.{_SEVERAL}")
    made = "A view was created in" if name is None else f"{name} is a view of a view which was created in"
    if creation == "inference":
        made += f" inference mode and {written} modified inplace in normal mode."
        return RuntimeError(made + _AMBIGUOUS.format("inference_mode"))
    made += f" no_grad mode and {written} modified inplace with grad mode enabled."
    return RuntimeError(made + (_SEVERAL if creation == "several" else _AMBIGUOUS.format("no_grad")))
