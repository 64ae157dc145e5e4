"""What `import minitorch_like` puts off until it is asked for: half of it is never needed by half of the programs.

Asking is done by name.  A name that the package or Tensor does not have leads here, once; then all names are there, and
what asked is gone.
"""

from __future__ import annotations

import importlib
from typing import Any

from ._tensor import Tensor, TensorMeta

_PACKAGE = __name__.rpartition(".")[0]
# Functions of nn.functional that torch has at its root too; there this one gives the indices as well.
_OF_FUNCTIONAL = dict.fromkeys(
    (
        "adaptive_avg_pool1d", "avg_pool1d", "channel_shuffle", "conv1d", "conv2d", "conv3d", "conv_transpose1d",
        "conv_transpose2d", "conv_transpose3d", "max_pool1d", "max_pool1d_with_indices", "max_pool2d", "max_pool3d",
        "pixel_shuffle", "pixel_unshuffle",
    )
)  # fmt: skip
_OF_FUNCTIONAL["adaptive_max_pool1d"] = "adaptive_max_pool1d_with_indices"
SUBMODULES = ("autograd", "cuda", "nn", "optim", "random", "utils", "viz")


def complete() -> bool:
    """Declare the rest of the op table and all that makes random numbers; whether that was still to do."""
    if "__getattr__" not in vars(Tensor):
        return False
    del TensorMeta.__getattr__, Tensor.__getattr__
    from . import _functions, _threads, ops, random
    from ._bind import bind_new

    ops.declare_all()
    functions = _functions.publish(bind_new())
    from . import _nn_functions, _recurrent

    namespace = vars(importlib.import_module(_PACKAGE))
    for names in (functions, random.PUBLIC, _nn_functions.PUBLIC, _recurrent.PUBLIC, _threads.PUBLIC):
        namespace.update({name: each for name, each in names.items() if name not in namespace})
    return True


def package_attribute(name: str) -> Any:
    """`minitorch_like.name`, for a name that is not there yet."""
    if name in SUBMODULES:
        return importlib.import_module(f"{_PACKAGE}.{name}")
    package = importlib.import_module(_PACKAGE)
    if name == "compile":
        from .compiler import compile

        return compile
    if not name.startswith("__") and complete():
        importlib.import_module(f"{_PACKAGE}.nn")  # which adds names too: torch.layer_norm
        if name in vars(package):
            return vars(package)[name]
    if name in _OF_FUNCTIONAL:
        functional = importlib.import_module(f"{_PACKAGE}.nn.functional")
        return getattr(functional, _OF_FUNCTIONAL[name] or name)
    raise AttributeError(f"module '{_PACKAGE}' has no attribute '{name}'")
